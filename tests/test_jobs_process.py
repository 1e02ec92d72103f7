"""Supervisors and workers as processes: limits, cancels, kills, and one job on the command line."""

import os
import threading
import time
from contextlib import contextmanager

import psutil
import pytest
from sqlalchemy import select

from api.jobs import ask_cancel, enqueue, events_after, kinds, read_job
from api.jobs.process import SupervisorProcess
from api.jobs.run import run_job
from api.jobs.supervisor import Supervisor
from api.settings import Settings
from api.store import open_store
from api.store.tables import CALENDAR_YEARS
from geo.progress import NEVER, silent

SETTINGS = Settings(workers=4)
LONGEST = 180
"""Seconds after which a test gives up waiting: nothing here takes a tenth of that."""


@pytest.fixture(scope="module", autouse=True)
def probes():
    """Kinds for tests beside the real ones, here and in the workers."""
    with pytest.MonkeyPatch.context() as patch:
        folder = os.path.dirname(__file__)  # noqa: PTH120 - text for the path
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", folder)
        import jobs_probe

        for name, kind in jobs_probe.KINDS.items():
            patch.setitem(kinds.KINDS, name, kind)
        yield


@contextmanager
def supervised(store, setting, settings=SETTINGS):
    """Run a supervisor in a thread."""
    stop = threading.Event()
    supervisor = Supervisor(setting, settings, store=store)
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(LONGEST)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An embedded store whose jobs are done, four at a time."""
    setting = str(tmp_path_factory.mktemp("house") / "city.gpkg")
    with open_store(setting, create=True) as store, supervised(store, setting):
        yield store


def put(store, kind, request=None):
    return store.write(lambda c: enqueue(c, kind=kind, request=request or {}))


def look(store, job_id):
    with store.read() as connection:
        return read_job(connection, job_id)


def wait(store, job_id, until=lambda job: job.has_ended):
    end = time.monotonic() + LONGEST
    while not until(job := look(store, job_id)):
        assert time.monotonic() < end, job
        time.sleep(0.02)
    return job


def cancel(store, job_id, *, keep_best=False):
    store.write(lambda c: ask_cancel(c, job_id, keep_best=keep_best))


def children(name):
    """Commands below this process that hold a word."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            found += [child] if name in " ".join(child.cmdline()) else []
        except psutil.NoSuchProcess:
            continue
    return found


def test_jobs_are_done_in_processes_of_their_own(house):
    job_ids = [put(house, "quick", {"year": 1900 + n}) for n in range(4)]
    assert [wait(house, job_id).result["year"] for job_id in job_ids] == [1900, 1901, 1902, 1903]
    with house.read() as connection:
        notices = connection.execute(select(CALENDAR_YEARS.c.notice)).scalars().all()
        told = events_after(connection, job_ids[0])
    assert sorted(notices) == sorted(job_ids)
    assert [e.number for e in told] == list(range(1, len(told) + 1))


def test_cancels_end_what_runs_and_keep_what_is_asked_for(house):
    kept = put(house, "improve", {"year": 1910})
    dropped = put(house, "improve", {"year": 1911})
    early = put(house, "stubborn")
    deaf = put(house, "deaf")
    for job_id in (kept, dropped):
        wait(house, job_id, lambda job: job.best is not None)
    for job_id in (early, deaf):
        wait(house, job_id, lambda job: job.step == "cells")
    assert children("time.sleep(60)")
    cancel(house, kept, keep_best=True)
    cancel(house, early, keep_best=True)
    cancel(house, dropped)
    cancel(house, deaf)
    jobs = [wait(house, job_id) for job_id in (kept, dropped, early, deaf)]
    assert {job.state for job in jobs} == {"cancelled"}
    assert jobs[0].result["year"] == 1910
    assert jobs[0].result["value"] >= 1
    assert [job.result for job in jobs[1:]] == [None] * 3
    assert not children("time.sleep(60)")


def test_limits_of_time_and_memory_end_a_job(house):
    slow, greedy = put(house, "slow"), put(house, "greedy")
    for job_id, limit, hint in ((slow, "1 s", "seconds"), (greedy, "512 MB", "memory")):
        job = wait(house, job_id)
        assert (job.state, job.attempts, job.error["code"]) == ("failed", 1, "job.limit")
        assert job.error["params"]["limit"] == limit
        assert job.error["params"]["hint"]["code"] == f"job.hint.{hint}"
    assert not children("time.sleep(60)")


def test_a_killed_worker_costs_an_attempt_and_nothing_else(house):
    once = put(house, "dies", {"attempts": 2, "year": 1920})
    always = put(house, "dies", {"attempts": 9, "year": 1921})
    job = wait(house, once)
    assert (job.state, job.attempts, job.result["year"]) == ("done", 2, 1920)
    job = wait(house, always)
    assert (job.state, job.attempts, job.error["code"]) == ("failed", 3, "job.failed")
    with house.read() as connection:
        years = connection.execute(select(CALENDAR_YEARS.c.year)).scalars().all()
    assert (years.count(1920), years.count(1921)) == (1, 0)


def test_a_supervisor_that_ends_hands_back_what_it_runs(geopackage, geopackage_setting):
    job_id = put(geopackage, "deaf")
    with supervised(geopackage, geopackage_setting):
        wait(geopackage, job_id, lambda job: job.step == "cells")
    job = look(geopackage, job_id)
    assert (job.state, job.attempts) == ("queued", 0)
    assert children("api.jobs.worker") == []


def test_jobs_run_on_postgis_with_two_supervisors(postgis_setting):
    with open_store(postgis_setting) as store:
        job_ids = [put(store, "quick", {"year": 1930 + n}) for n in range(2)]
        two = Settings(workers=1)
        with supervised(store, postgis_setting, two), supervised(store, postgis_setting, two):
            assert {wait(store, job_id).state for job_id in job_ids} == {"done"}
        assert {look(store, job_id).attempts for job_id in job_ids} == {1}


class Told:
    """Steps as a list; a token that is set once some step begins."""

    def __init__(self, stop_at=""):
        self.seen, self.stop_at, self.stop = [], stop_at, threading.Event()

    @contextmanager
    def step(self, code):
        self.seen.append(code)
        if code == self.stop_at:
            self.stop.set()
        yield silent
        self.seen.append(f"/{code}")


def test_one_job_on_the_command_line_shows_its_steps(geopackage, geopackage_setting):
    first, second = (put(geopackage, "quick", {"year": 1940 + n}) for n in range(2))
    told = Told()
    job = run_job(geopackage, geopackage_setting, second, told, NEVER)
    assert (job.state, job.result["year"]) == ("done", 1941)
    assert told.seen == ["cells", "/cells"]
    assert look(geopackage, first).state == "queued"


def test_ctrl_c_on_the_command_line_cancels(geopackage, geopackage_setting):
    job_id = put(geopackage, "improve")
    told = Told(stop_at="patrol")
    job = run_job(geopackage, geopackage_setting, job_id, told, told.stop)
    assert (job.state, job.result) == ("cancelled", None)
    assert told.seen == ["cells", "/cells", "patrol", "/patrol"]


def test_ctrl_c_ends_a_worker_that_keeps_the_store_to_itself(geopackage, geopackage_setting):
    job_id = put(geopackage, "holds", {"year": 1950})
    told = Told(stop_at="cells")
    job = run_job(geopackage, geopackage_setting, job_id, told, told.stop)
    assert job.state == "cancelled"
    with geopackage.read() as connection:
        assert connection.execute(select(CALENDAR_YEARS.c.year)).all() == []


def test_the_process_beside_the_server_starts_again_and_ends_with_it(
    geopackage, geopackage_setting
):
    process = SupervisorProcess(geopackage_setting, Settings(workers=1, log_level="CRITICAL"))
    assert not process.is_alive
    process.start()
    try:
        first = _pid(process)
        psutil.Process(first).kill()
        second = _pid(process, other_than=first)
    finally:
        process.stop()
    assert not process.is_alive
    assert not psutil.pid_exists(second)


def _pid(process, other_than=None):
    end = time.monotonic() + LONGEST
    while (pid := process.pid) in {None, other_than}:
        assert time.monotonic() < end
        time.sleep(0.02)
    return pid


def test_without_room_for_a_process_the_job_waits(geopackage, geopackage_setting, monkeypatch):
    job_id = put(geopackage, "quick")
    with monkeypatch.context() as patch:

        def refuse(*_, **__):
            raise BlockingIOError(11, "no more processes")

        patch.setattr("subprocess.Popen", refuse)
        with Supervisor(geopackage_setting, SETTINGS, store=geopackage) as supervisor:
            assert supervisor.look()
    job = look(geopackage, job_id)
    assert (job.state, job.attempts) == ("queued", 0)
