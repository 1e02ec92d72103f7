"""Campaign: kill -9 of the processes that do the jobs.

A town is stored, every seed's plan is made once undisturbed, then many plan jobs are put in and
run by a supervisor with its workers, while workers and the supervisor itself are killed at random
moments. In the end every job must be done exactly once, with one plan, and the same result hash as
undisturbed.

    python tests/bench/service_jobs.py --jobs 150 --workers 2 --worker-kills 5 --supervisor-kills 1
"""

import argparse
import json
import runpy
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import psutil
from sqlalchemy import Connection, func, select

from api.jobs import Context, Job, enqueue, jobs_page, read_job
from api.jobs.plan import run as plan_undisturbed
from api.jobs.process import SupervisorProcess
from api.settings import Settings
from api.store import Store, open_store
from api.store.tables import JOB_EVENTS, JOBS, PLANS
from geo.frames import Layers

TESTS = Path(__file__).resolve().parents[1]

REQUEST = {"night": "2026-11-21", "shift": "20:00-22:00"}

LOOK = 0.02
"""Seconds between two looks."""

SPREAD = 3.0
"""Most seconds between the end of a job and a kill: as long as a job takes."""

GONE = 10.0
"""Most seconds an orphaned worker may live on."""

WORKER = "api.jobs.worker"


@dataclass(kw_only=True)
class Figures:
    """What a campaign found.

    Attributes
    ----------
    jobs, done, plans, same_hash : int
        Put in; done; plans kept in all; jobs with the undisturbed hash.
    doubled : int
        Jobs with more than one plan.
    holes : int
        Jobs whose events are not numbered 1, 2, ... up to one last one.
    worker_kills, supervisor_kills : int
        Kills that hit a process at work.
    attempts : int
        Times a worker began a job.
    orphans_s, takeover_s : list of float
        After each kill of the supervisor: seconds until its workers were gone, and until a job
        was begun again.
    """

    jobs: int
    workers: int
    seeds: int
    done: int = 0
    plans: int = 0
    same_hash: int = 0
    doubled: int = 0
    holes: int = 0
    worker_kills: int = 0
    supervisor_kills: int = 0
    attempts: int = 0
    orphans_s: list[float] = field(default_factory=list)
    takeover_s: list[float] = field(default_factory=list)
    median_job_s: float = 0.0
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether every job was done once, as if nothing had happened."""
        each = {self.done, self.plans, self.same_hash}
        return each == {self.jobs} and not self.doubled and not self.holes


def run(
    setting: str,
    fill: Callable[[Store], object],
    *,
    jobs: int = 150,
    workers: int = 2,
    worker_kills: int = 5,
    supervisor_kills: int = 1,
    seeds: int = 5,
    seed: int = 1,
    spread: float = SPREAD,
    told: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Run the campaign on a store.

    Parameters
    ----------
    setting : str
        An empty store, or none yet.
    fill : function of a store
        Puts a city into it.
    seeds : int
        Different jobs; each is put in many times.
    spread : float
        Most seconds between the end of a job and a kill.
    told : function of a line
        Told what happens.
    """
    figures = Figures(jobs=jobs, workers=workers, seeds=seeds)
    with open_store(setting, create=True) as store:
        fill(store)
        expected = [_undisturbed(store, k) for k in range(seeds)]
        told(f"{seeds} undisturbed plans made")
        job_ids = [_put_in(store, k % seeds) for k in range(jobs)]
        began = time.monotonic()
        process = SupervisorProcess(setting, Settings(workers=workers, log_level="ERROR"))
        process.start()
        try:
            killer = _Killer(
                store=store,
                process=process,
                figures=figures,
                random=Random(seed),
                spread=spread,
                told=told,
            )
            killer.disturb(worker_kills=worker_kills, supervisor_kills=supervisor_kills)
            killer.wait_for(jobs)
        finally:
            process.stop()
        figures.seconds = time.monotonic() - began
        _judge(store, job_ids, [expected[k % seeds] for k in range(jobs)], figures)
    return figures


def _put_in(store: Store, seed: int) -> str:
    return store.write(lambda c: enqueue(c, kind="plan", request=REQUEST, seed=seed))


def _undisturbed(store: Store, seed: int) -> str:
    """Return the result hash of a seed's plan, made in this process and not kept."""
    job_id = _put_in(store, seed)
    with store.read() as connection:
        job = read_job(connection, job_id)
    store.write(lambda c: _forget(c, job))
    return plan_undisturbed(store, job, Context()).result_hash


def _forget(connection: Connection, job: Job) -> None:
    connection.execute(JOB_EVENTS.delete().where(JOB_EVENTS.c.job_id == job.job_id))
    connection.execute(JOBS.delete().where(JOBS.c.job_id == job.job_id))


def _n_ended(store: Store) -> int:
    with store.read() as connection:
        query = select(func.count()).where(JOBS.c.state.in_(("done", "failed", "cancelled")))
        return int(connection.execute(query).scalar() or 0)


@dataclass(kw_only=True)
class _Killer:
    """Kills workers and their supervisor at random moments, and times what follows."""

    store: Store
    process: SupervisorProcess
    figures: Figures
    random: Random
    spread: float
    told: Callable[[str], None]

    def disturb(self, *, worker_kills: int, supervisor_kills: int) -> None:
        """Spread the kills over the first nine tenths of the jobs."""
        n_jobs = self.figures.jobs
        victims = ["worker"] * worker_kills + ["supervisor"] * supervisor_kills
        self.random.shuffle(victims)
        moments = range(max(len(victims), n_jobs * 9 // 10))
        for victim, n in zip(
            victims, sorted(self.random.sample(moments, len(victims))), strict=True
        ):
            self.wait_for(min(n, n_jobs - self.figures.workers))
            time.sleep(self.random.uniform(0, self.spread))
            if victim == "worker":
                self.kill_a_worker()
            else:
                self.kill_the_supervisor()
            self.told(f"{victim} killed after {n} jobs")

    def wait_for(self, n: int) -> None:
        """Return when so many jobs have ended."""
        while _n_ended(self.store) < n:
            time.sleep(LOOK)

    def kill_a_worker(self) -> None:
        """Kill one that works; nothing when all jobs have ended before one was found."""
        while _n_ended(self.store) < self.figures.jobs:
            for worker in self.workers()[:1]:
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
                    self.figures.worker_kills += 1
                    return
            time.sleep(LOOK)

    def kill_the_supervisor(self) -> None:
        """Kill it, and wait until its workers are gone and a job was begun again."""
        workers: list[psutil.Process] = []
        while not workers and _n_ended(self.store) < self.figures.jobs:
            workers, pid = self.workers(), self.process.pid
        if not workers or pid is None:
            return
        n_begun, began = _n_begun(self.store), time.monotonic()
        psutil.Process(pid).kill()
        self.figures.supervisor_kills += 1
        while any(map(_works, workers)):
            if time.monotonic() > began + GONE:
                raise RuntimeError(f"a worker outlived its supervisor by {GONE} s")
            time.sleep(LOOK)
        self.figures.orphans_s.append(round(time.monotonic() - began, 2))
        while _n_begun(self.store) == n_begun and _n_ended(self.store) < self.figures.jobs:
            time.sleep(LOOK)
        self.figures.takeover_s.append(round(time.monotonic() - began, 2))

    def workers(self) -> list[psutil.Process]:
        """Return the supervisor's workers, in random order."""
        found = []
        with suppress(psutil.NoSuchProcess):
            if self.process.pid is not None:
                children = psutil.Process(self.process.pid).children()
                found = [child for child in children if WORKER in child.cmdline()]
        self.random.shuffle(found)
        return found


def _works(process: psutil.Process) -> bool:
    """Return whether a process is more than an entry that nobody has collected."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _n_begun(store: Store) -> int:
    with store.read() as connection:
        query = select(func.count()).where(JOB_EVENTS.c.event == "running")
        return int(connection.execute(query).scalar() or 0)


def _judge(store: Store, job_ids: Sequence[str], expected: Sequence[str], figures: Figures) -> None:
    with store.read() as connection:
        jobs = {job.job_id: job for job in _all_jobs(connection)}
        plans = Counter(connection.execute(select(PLANS.c.job_id)).scalars())
        figures.holes = sum(not _is_whole(connection, job_id) for job_id in job_ids)
    figures.done = sum(jobs[job_id].state == "done" for job_id in job_ids)
    figures.plans = plans.total()
    figures.doubled = sum(n > 1 for n in plans.values())
    figures.same_hash = sum(
        jobs[job_id].result_hash == value for job_id, value in zip(job_ids, expected, strict=True)
    )
    figures.attempts = sum(jobs[job_id].attempts for job_id in job_ids)
    spans = [
        (job.finished_at - job.started_at).total_seconds()
        for job in jobs.values()
        if job.finished_at and job.started_at
    ]
    figures.median_job_s = round(statistics.median(spans), 2) if spans else 0.0


def _all_jobs(connection: Connection) -> list[Job]:
    found, after = [], None
    while True:
        page = jobs_page(connection, after=after, limit=100)
        found += page.items
        if (after := page.after) is None:
            return found


def _is_whole(connection: Connection, job_id: str) -> bool:
    """Return whether a job's events are numbered without a hole and end with the one last."""
    events = JOB_EVENTS.c
    query = (
        select(events.number, events.is_last).where(events.job_id == job_id).order_by(events.number)
    )
    rows = connection.execute(query).all()
    numbers, lasts = [row.number for row in rows], [row.is_last for row in rows]
    return numbers == list(range(1, len(rows) + 1)) and lasts == [False] * (len(rows) - 1) + [True]


def small_town() -> Layers:
    """Return the town of the tests: 12 x 12 junctions, 240 venues, 4,000 reports, 4 units."""
    conftest = runpy.run_path(str(TESTS / "conftest.py"))
    make = conftest["small_layers"]
    layers: Layers = getattr(make, "__wrapped__", None) or make._get_wrapped_function()
    return layers()


def main() -> int:
    """Run the campaign and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker-kills", type=int, default=5)
    parser.add_argument("--supervisor-kills", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", help="an empty store; a temporary GeoPackage when not given")
    options = parser.parse_args()
    fill = runpy.run_path(str(TESTS / "stored_town.py"))["fill"]
    layers = small_town()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(
            options.store or str(Path(folder) / "town.gpkg"),
            lambda store: fill(store, layers),
            jobs=options.jobs,
            workers=options.workers,
            worker_kills=options.worker_kills,
            supervisor_kills=options.supervisor_kills,
            seeds=options.seeds,
            seed=options.seed,
            told=lambda line: sys.stderr.write(f"{line}\n") and None,
        )
    sys.stdout.write(json.dumps({**asdict(figures), "is_good": figures.is_good}, indent=1) + "\n")
    return 0 if figures.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
