"""Kinds of work for the tests of jobs: quick, slow, greedy, breaking, deaf."""

import os
import signal
import subprocess
import sys
import time
from datetime import date

from sqlalchemy import insert

from api.jobs import Outcome
from api.jobs.kinds import Kind
from api.jobs.table import hash_of
from api.store.tables import CALENDAR_YEARS
from geo.errors import OptionInvalid
from geo.progress import stop_if_asked

KINDS = {
    name: Kind(function=f"jobs_probe:{name}", keeps_best=name == "improve")
    for name in ("quick", "improve", "deaf", "breaks", "refuses", "dies", "keeps_badly")
} | {
    "greedy": Kind(function="jobs_probe:greedy", memory_mb=512),
    "holds": Kind(function="jobs_probe:holds"),
    "stubborn": Kind(function="jobs_probe:deaf", keeps_best=True),
    "slow": Kind(function="jobs_probe:deaf", seconds=1),
}


def quick(store, job, context):
    """Count to three and leave one row for this job alone."""
    with context.steps.step("cells") as progress:
        for k in range(3):
            progress(k + 1, 3)
    return Outcome(
        result={"n": 3}, result_hash=hash_of(job.request, job.seed), keep=lambda c: _keep(c, job)
    )


def _keep(connection, job):
    year = job.request.get("year", 2000)
    connection.execute(insert(CALENDAR_YEARS).values(year=year, notice=job.job_id))
    return {"year": year}


def improve(store, job, context):
    """Get better and better: the best so far can be kept once there is one."""
    value = 0.0
    with context.steps.step("cells"):
        for _ in range(int(job.request.get("wait", 0) / 0.02)):
            stop_if_asked(context.stop, "waiting")
            stop_if_asked(context.enough, "waiting")
            time.sleep(0.02)
    with context.steps.step("patrol") as progress:
        while not context.enough.is_set():
            stop_if_asked(context.stop, "improving")
            value += 1
            progress(int(value), 10_000, value)
            time.sleep(0.02)
    return Outcome(result={"value": value}, result_hash="best", keep=lambda c: _keep(c, job))


def deaf(store, job, context):
    """Hear nothing, and have a child that would outlive us."""
    with context.steps.step("cells"):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], check=False)
    return Outcome(result={}, result_hash="")


def greedy(store, job, context):
    """Take memory until somebody minds."""
    with context.steps.step("cells"):
        held = []
        while True:
            held.append(b"x" * (8 << 20))
            time.sleep(0.002)


def breaks(store, job, context):
    """A defect."""
    raise KeyError(job.request["secret"])


def refuses(store, job, context):
    """An error of ours, with a parameter JSON does not know."""
    raise OptionInvalid(option="shift", value=date(2026, 1, 1), expected="a shift")


def dies(store, job, context):
    """Die as if killed, until the third attempt."""
    if job.attempts < job.request["attempts"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(store, job, context)


def keeps_badly(store, job, context):
    """What is kept breaks half-way."""

    def keep(connection):
        _keep(connection, job)
        raise OptionInvalid(option="x", value=1, expected="y")

    return Outcome(result={}, result_hash="", keep=keep)


def holds(store, job, context):
    """Keep the store's write lock for longer than anybody waits, unless stopped."""
    with context.steps.step("cells"):
        pass

    def keep(connection):
        _keep(connection, job)
        while not context.stop.wait(0.01):
            pass
        stop_if_asked(context.stop, "keeping")

    return Outcome(result={}, result_hash="", keep=keep)
