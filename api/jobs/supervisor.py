"""Takes jobs from the table, runs each in a process of its own, and sees that each one ends.

Any number of supervisors may work on one store, on one host or on many.
"""

import logging
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from api.jobs import lease
from api.jobs.child import Child
from api.jobs.job import DROP
from api.jobs.kinds import KINDS, Kind
from api.jobs.lease import Held
from api.jobs.owner import this_process
from api.jobs.task import ENDED, ENOUGH, NOT_OURS, STOP, Task
from api.jobs.watch import Watch
from api.settings import Settings
from api.store import Store, open_store
from geo.errors import PatrolgridError, RequestInvalid, StoreError
from geo.progress import StopToken

LOG = logging.getLogger("patrolgrid.api.jobs")

TICK: Final = 0.2
"""Seconds between two looks at the table."""

BEAT: Final = 25
"""Looks between two heartbeats: five seconds, a sixth of a lease."""

REST: Final = 1.0
"""Seconds to wait when the store does not answer."""

GRACE: Final = 1.0
"""Seconds a worker has to end by itself when it is cancelled."""

KEEP: Final = 300.0
"""Seconds a cancelled worker has to finish what it keeps."""


class Supervisor:
    """Runs jobs until it is told to stop.

    Parameters
    ----------
    setting : str
        The store, as `api.store.open_store` takes it.
    settings : Settings
        Jobs at the same time, and what one may use.
    only : str
        The one job to run, where not any will do.
    store : Store, optional
        The same store where it is open already; it stays open.
    """

    def __init__(
        self, setting: str, settings: Settings, *, only: str = "", store: Store | None = None
    ) -> None:
        self._setting, self._settings, self._only = setting, settings, only
        self._store = store or open_store(setting)
        self._is_store_ours = store is None
        self._ids = this_process().worker_ids()
        self._mine = next(self._ids).rpartition("-")[0]
        self._children: list[Child] = []
        self._watch = Watch()
        self._n_looks = 0
        self._beating = threading.Thread()

    def run(self, stop: StopToken) -> None:
        """Look at the table again and again until the token is set; then hand back what runs."""
        with self:
            while not stop.is_set():
                is_well = self.look()
                time.sleep(TICK if is_well else REST)

    def look(self) -> bool:
        """Settle what ended, pass on what was asked, take what waits; False without a store."""
        try:
            self._settle()
            self._follow()
            self._beat()
            while len(self._children) < self._settings.workers and self._take():
                pass
        except StoreError as error:
            LOG.warning("the store does not answer: %s", error.code)
            return False
        return True

    def interrupt(self) -> bool:
        """Stop what runs here, even while a worker keeps the store to itself; tell if any does."""
        for child in self._children:
            child.order(STOP, within=GRACE)
        return bool(self._children)

    def close(self) -> None:
        """End all workers and give their jobs back: another supervisor begins them anew."""
        for child in self._children:
            child.leave()
        try:
            for child in self._children:
                child.wait(GRACE)
                child.end()
                self._give_back(child, is_counted=False)
        except StoreError as error:  # whoever looks next sees that this process is gone
            LOG.warning("jobs not given back: %s", error.code)
        for child in self._children:
            child.end()
            child.close()
        self._children.clear()
        if self._beating.is_alive():
            self._beating.join(GRACE)
        if self._is_store_ours:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _settle(self) -> None:
        """Store how ended workers ended, where they did not do so themselves."""
        for child in [child for child in self._children if child.status is not None]:
            if child.trouble is not None:
                self._fail(child.task.job_id, child.task.worker_id, child.trouble)
            elif child.status not in {ENDED, NOT_OURS}:
                LOG.warning("job %s: worker lost (%s)", child.task.job_id, child.status)
                self._give_back(child, is_counted=True)
            self._children.remove(child)
            child.close()

    def _fail(self, job_id: str, worker_id: str, error: PatrolgridError) -> None:
        LOG.info("job %s: ended from outside: %s", job_id, error.code)
        self._store.write(lambda c: lease.fail(c, job_id, worker_id, error))

    def _give_back(self, child: Child, *, is_counted: bool) -> None:
        task = child.task
        self._store.write(
            lambda c: lease.give_back(c, task.job_id, task.worker_id, is_counted=is_counted)
        )

    def _follow(self) -> None:
        """Pass on what was asked of our jobs, and take over those whose worker is lost."""
        with self._store.read() as connection:
            held = {job.worker_id: job for job in lease.running(connection)}
        for child in self._children:
            job = held.pop(child.task.worker_id, None)
            if job is None or job.cancel == DROP:  # none: ended, or taken away from us
                child.order(STOP, within=GRACE)
            elif job.cancel:
                child.order(ENOUGH, within=GRACE if job.best is None else KEEP)
        strays = [job for worker_id, job in held.items() if worker_id.startswith(self._mine)]
        others = [job for job in held.values() if job not in strays]
        for job in [*strays, *self._watch.lost(others)]:
            self._take_over(job)

    def _take_over(self, job: Held) -> None:
        is_done = self._store.write(
            lambda c: lease.give_back(c, job.job_id, job.worker_id, heartbeat=job.heartbeat)
        )
        if is_done:
            LOG.warning("job %s: its supervisor was lost", job.job_id)

    def _beat(self) -> None:
        """Say that our workers live, beside the loop: a worker may hold the store for long."""
        self._n_looks += 1
        if not self._children or self._n_looks % BEAT or self._beating.is_alive():
            return
        worker_ids = [child.task.worker_id for child in self._children]

        def beat() -> None:
            with suppress(StoreError):  # the next one comes in five seconds
                self._store.write(lambda c: lease.beat(c, worker_ids))

        self._beating = threading.Thread(target=beat, name="heartbeat", daemon=True)
        self._beating.start()

    def _take(self) -> bool:
        """Take a job and start its worker; False when none waits."""
        with self._store.read() as connection:
            if not lease.is_waiting(connection, only=self._only):
                return False
        worker_id = next(self._ids)
        taken = self._store.write(lambda c: lease.take(c, worker_id, only=self._only))
        if taken is None:
            return False
        job_id, name = taken
        kind = KINDS.get(name)
        if kind is None:  # put in by a release that knows more
            error = RequestInvalid(where="kind", expected=", ".join(KINDS))
            self._fail(job_id, worker_id, error)
            return True
        return self._start(job_id, worker_id, name, kind)

    def _start(self, job_id: str, worker_id: str, name: str, kind: Kind) -> bool:
        """Start a worker; hand the job back when the system has no room for another process."""
        settings = self._settings
        task = Task(
            store=self._setting,
            job_id=job_id,
            worker_id=worker_id,
            function=kind.function,
            memory_mb=kind.memory_mb or settings.job_memory_mb,
            log_level=settings.log_level,
            log_json=settings.log_json,
        )
        seconds = kind.seconds or settings.job_seconds
        try:
            self._children.append(Child(task, kind=name, seconds=seconds))
        except OSError as error:
            LOG.error("job %s: no process for it (%s)", job_id, error.errno)  # noqa: TRY400
            self._store.write(lambda c: lease.give_back(c, job_id, worker_id, is_counted=False))
            return False
        return True
