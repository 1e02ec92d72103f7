"""Imports by the command and by jobs: in a process of their own, all of it or nothing."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from api.imports import imports_page, preview, read_import
from api.jobs import enqueue, read_job
from api.jobs.fault import error_of
from api.jobs.run import run_job
from api.store import open_store
from api.store.layers import read_frame
from geo.errors import FileMissing, StateConflict
from geo.io import FILES, write_layers
from geo.progress import NEVER, SilentSteps


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    write_layers(small_layers, folder)
    return folder


@pytest.fixture
def part(files, tmp_path):
    """A folder with some of the town's files: every import is two processes."""
    folder = tmp_path / "part"
    folder.mkdir()
    for layer in ("boundaries", "venues"):
        shutil.copyfile(files / FILES[layer], folder / FILES[layer])
    return folder


@pytest.fixture
def setting(tmp_path, monkeypatch):
    setting = str(tmp_path / "data" / "city.gpkg")
    monkeypatch.setenv("PATROLGRID_STORE", setting)
    return setting


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--lang", "en"])


def newest(setting):
    with open_store(setting) as store, store.read() as connection:
        return imports_page(connection, limit=1).items[0]


def test_a_folder_comes_in_by_one_command_and_refused_rows_go_to_a_file(part, setting, tmp_path):
    frame = pd.read_csv(part / FILES["venues"])
    frame.loc[2, "tier"] = "purple"
    frame.to_csv(part / FILES["venues"], index=False)
    (part / "场所说明.docx").write_text("x")
    done = run("import", "all", part, "--yes")
    assert done.exit_code == 0, done.output
    assert "240 rows: 239 added" in done.output
    assert "no file of: streets, closures, water," in done.output
    assert "not called as a layer: 场所说明.docx" in done.output
    with open_store(setting) as store, store.read() as connection:
        counts = [len(read_frame(connection, layer)) for layer in ("boundaries", "venues")]
    assert counts == [4, 239]
    beside = tmp_path / "data" / f"refused-venues-{newest(setting).import_id}.csv"
    rows = pd.read_csv(beside, encoding="utf-8-sig")
    assert rows.loc[0, ["row", "column", "code"]].tolist() == [3, "tier", "refusal.word"]
    own = tmp_path / "own.csv"
    again = run("import", "venues", part / FILES["venues"], "--refused", own)
    assert "there is nothing to apply" in again.output
    assert own.read_bytes() == beside.read_bytes()
    assert run("imports", "--layer", "venues").output.count("venues.csv") == 2
    assert "0/239 venues have no exact place" in run("unplaced").output


def test_a_folder_may_hold_any_format_but_one_file_a_layer(part, setting):
    frame = pd.read_csv(part / FILES["venues"])
    (part / FILES["venues"]).unlink()
    frame.to_excel(part / "Venues.xlsx", index=False)
    done = run("import", "all", part, "--yes")
    assert "240 rows: 240 added" in done.output
    frame.to_csv(part / FILES["venues"], index=False)
    twice = run("import", "all", part, "--yes")
    assert twice.exit_code == EXIT_INPUT
    assert "Venues.xlsx, venues.csv cannot be used; expected one file a layer" in twice.stderr


def test_without_a_terminal_it_stops_at_the_preview_and_says_how_to_go_on(files, setting):
    done = run("import", "boundaries", files / FILES["boundaries"])
    what = newest(setting)
    assert (done.exit_code, what.state) == (0, "previewed")
    assert f"patrolgrid apply {what.import_id}" in done.output
    assert run("apply", what.import_id).exit_code == 0
    assert newest(setting).state == "applied"
    refused = run("apply", what.import_id)
    assert refused.exit_code == EXIT_INPUT
    assert "is applied" in refused.stderr
    assert run("undo", what.import_id).exit_code == 0
    assert newest(setting).state == "undone"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("venues", "no.csv"), "no such file"),
        (("people", "no.csv"), "expected boundaries"),
        (("venues", "no.csv", "--datum", "WGS"), "WGS-84"),
        (("venues", "no.csv", "--channel", "phone"), "resident_report"),
        (("venues", "no.csv", "--data-date", "yesterday"), "YYYY-MM-DD"),
        (("all", "nowhere"), "no such file"),
    ],
)
def test_bad_input_is_one_sentence(setting, arguments, said):
    done = run("import", *arguments)
    assert done.exit_code == EXIT_INPUT
    assert done.stderr.strip().splitlines()[-1].startswith("✕")
    assert said in done.stderr
    assert not Path(setting).exists()


def test_the_users_own_file_stays_and_an_uploaded_one_goes(
    files, geopackage, geopackage_setting, tmp_path
):
    def work(**request):
        job_id = geopackage.write(lambda c: enqueue(c, kind="import", request=request))
        return run_job(geopackage, geopackage_setting, job_id, SilentSteps(), NEVER)

    own = files / FILES["boundaries"]
    done = work(file=str(own), layer="boundaries")
    assert done.state == "done"
    assert done.result["n_added"] == 4
    assert own.exists()
    folder = tmp_path / "upload"
    folder.mkdir()
    (folder / "boundaries.gpkg").write_bytes(own.read_bytes())
    uploaded = {"file": str(folder / "boundaries.gpkg"), "layer": "boundaries", "uploaded": True}
    assert work(**uploaded).state == "done"
    assert not folder.exists()
    again = work(**uploaded)
    assert again.state == "failed"
    assert isinstance(error_of(again), FileMissing)
    stale = [newest(geopackage_setting), read_import_of(geopackage, done.result["import_id"])]
    states = []
    for what in stale:
        request = {"import_id": what.import_id}
        job_id = geopackage.write(lambda c, r=request: enqueue(c, kind="apply", request=r))
        ended = run_job(geopackage, geopackage_setting, job_id, SilentSteps(), NEVER)
        states.append((ended.state, type(error_of(ended))))
    assert states == [("done", type(None)), ("failed", StateConflict)]
    with geopackage.read() as connection:
        assert read_job(connection, again.job_id).attempts == 1


def read_import_of(store, import_id):
    with store.read() as connection:
        return read_import(connection, import_id)


APPLYING = """
import sys
from api.imports import apply_import
from api.store import open_store
with open_store(sys.argv[1]) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    apply_import(store, sys.argv[2])
    print("done", flush=True)
"""


def test_killed_at_any_moment_an_import_is_whole_or_not_there(files, geopackage_setting):
    with open_store(geopackage_setting) as store:
        boundaries = preview(store, files / FILES["boundaries"], layer="boundaries")
        _apply_here(geopackage_setting, boundaries)
        waiting = preview(store, files / FILES["streets"], layer="streets")
    n_done = 0
    for attempt in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", APPLYING, geopackage_setting, waiting],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()
        child.stdin.write(b"\n")
        child.stdin.flush()
        time.sleep(0.01 + 0.04 * attempt)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        with closing(sqlite3.connect(geopackage_setting)) as file:
            n = file.execute("SELECT count(*) FROM streets").fetchone()[0]
            tree = file.execute("SELECT count(*) FROM rtree_streets_geom").fetchone()[0]
            state = file.execute(
                "SELECT state FROM imports WHERE import_id = ?", (waiting,)
            ).fetchone()[0]
            triggers = file.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'streets'"
            ).fetchone()[0]
        assert (n, tree, state) in {(0, 0, "previewed"), (264, 264, "applied")}
        assert triggers == 6
        if state == "applied":
            n_done += 1
            break
    if not n_done:
        _apply_here(geopackage_setting, waiting)
    with open_store(geopackage_setting) as store, store.read() as connection:
        assert len(read_frame(connection, "streets")) == 264


def _apply_here(setting, import_id):
    from api.imports import apply_import

    with open_store(setting) as store:
        assert apply_import(store, import_id).state == "applied"
