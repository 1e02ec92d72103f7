"""`patrolgrid serve` as a process: started, killed, started again, ended in order."""

import os
import re
import signal
import subprocess
import sys
import time

import httpx
import pytest

from api.i18n import text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def serve(tmp_path):
    """Start the command in a folder of its own; return the process, its address and its key."""
    started = []

    def start(*options):
        command = [sys.executable, "-c", "from api.cli import app; app()", "serve", "--port", "0"]
        process = subprocess.Popen(
            [*command, "--lang", "en", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PATROLGRID_STORE": str(tmp_path / "city.gpkg")},
        )
        started.append(process)
        said = ""
        while "http://" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        return process, re.search(r"http://[\d.]+:\d+", said).group(), said

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def client(address, key):
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30, trust_env=False)


def test_what_was_acknowledged_is_there_after_a_kill(serve, tmp_path):
    process, address, said = serve("--no-jobs")
    key = (tmp_path / "admin.key").read_text().strip()
    assert str(tmp_path / "admin.key") in said.replace("\n", "")
    assert key not in said
    with client(address, key) as city:
        location = city.post("/v1/plans", json={"night": "2026-11-21"}).headers["Location"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert key not in process.stdout.read()
    _, address, said = serve("--no-jobs")
    assert text("cli.serve.key", "en", path="") not in said
    with client(address, key) as city:
        assert city.get(location).json()["state"] == "queued"
        assert city.get("/readyz").status_code == 200


def test_a_signal_ends_it_in_order_open_streams_too(serve, tmp_path):
    process, address, _ = serve("--no-jobs")
    key = (tmp_path / "admin.key").read_text().strip()
    with client(address, key) as city:
        job = city.post("/v1/plans", json={"night": "2026-11-21"}).headers["Location"]
        with city.stream("GET", f"{job}/events") as stream:
            lines = stream.iter_lines()
            while not next(lines).startswith("id:"):
                pass
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            rest = list(lines)
    assert process.wait(timeout=30) == 0
    assert not any(line.startswith("id:") for line in rest)
    assert time.monotonic() - began < 30
    assert key not in process.stdout.read()


def test_it_runs_jobs_and_takes_them_along_when_it_ends(serve, tmp_path):
    process, address, _ = serve()
    key = (tmp_path / "admin.key").read_text().strip()
    with client(address, key) as city:
        job = city.post("/v1/plans", json={"night": "2026-11-21"}).headers["Location"]
        told = city.get(f"{job}/events").text  # to its end: an empty store cannot be planned
        assert "event: failed" in told
        error = city.get(job, headers={"Accept-Language": "zh"}).json()["error"]
        assert error["code"] == "store.layer.missing"
        assert error["text"].startswith("城市") or "图层" in error["text"]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
