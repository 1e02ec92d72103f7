"""Every example of docs/api.md, run in its order against a live service that runs jobs."""

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from api.jobs.process import SupervisorProcess
from api.settings import Settings
from geo.io import write_layers

here = Path(__file__)
served_town = runpy.run_path(str(here.with_name("live_service.py")))["served_town"]
DOCS = (here.parents[1] / "docs" / "api.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


@pytest.fixture
def live(tmp_path, small_layers, monkeypatch):
    folder = tmp_path / "patrolgrid-data"
    folder.mkdir()
    write_layers(small_layers, tmp_path / "files")
    (table,) = (tmp_path / "files").glob("venues.*")
    shutil.copyfile(table, tmp_path / "venues.csv")
    monkeypatch.chdir(tmp_path)
    with served_town(folder, small_layers) as service:
        setting = str(folder / "city.gpkg")
        workers = SupervisorProcess(setting, Settings(store=setting))
        workers.start()
        try:
            yield service
        finally:
            workers.stop()


def test_every_example_does_what_it_says(live, capsys):
    program = "\n".join(blocks("python")).replace("http://127.0.0.1:8000", live.address)
    named = {}
    exec(compile(program, "docs/api.md", "exec"), named)
    named["city"].close()
    said = capsys.readouterr().out
    assert "event: done" in said
    assert named["n"] > 200
    assert "</html>" in named["night_map"]
    assert live.key not in said


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_commands_do_what_they_say(live):
    (commands,) = blocks("bash")
    for command in commands.strip().splitlines():
        done = subprocess.run(
            ["bash", "-c", command.replace("http://127.0.0.1:8000", live.address)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )
        assert '"ok"' in done.stdout or '"items"' in done.stdout


def test_every_route_is_told_of_or_found_at_docs():
    for status in ("400", "401", "409", "412", "413", "422", "428", "429", "431", "503", "507"):
        assert status in DOCS
