"""One job in one process: ``python -m api.jobs.worker``, started by a supervisor alone.

Its standard input is the supervisor's: the task comes first, orders follow, and when it ends the
supervisor is gone and so is the worker at once; whoever takes the job over begins it anew.
"""

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NoReturn

from api.i18n.word import Word
from api.jobs import lease
from api.jobs.job import Context
from api.jobs.kinds import kind_word, load_work
from api.jobs.reporter import Reporter
from api.jobs.table import read_job
from api.jobs.task import (
    ENDED,
    ENOUGH,
    FAILED_TO_STORE,
    LARGEST,
    NOT_OURS,
    ORPHANED,
    STOP,
    Task,
)
from api.logs import configure_logs
from api.store import Store, open_store
from geo.errors import (
    LimitExceeded,
    PatrolgridError,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreUnavailable,
)

LOG = logging.getLogger("patrolgrid.api.jobs")

NICE: Final = 10
"""Niceness of a worker: answering people comes first."""

SPARE_MB: Final = 1024
"""Private memory a process may map beyond its limit; what is resident is the supervisor's."""

PASSING = (StoreBusy, StoreFull, StoreUnavailable)
"""Errors of ours that may be gone at the next attempt."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the supervisor asked for."""

    stop: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)


def main() -> int:
    """Do the one job that standard input names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to pass on
    task = Task.of_line(_first_line())
    orders = Orders()
    threading.Thread(target=_listen, args=(orders,), name="orders", daemon=True).start()
    configure_logs(level=task.log_level, as_json=task.log_json)
    _limit(task.memory_mb)
    try:
        with open_store(task.store) as store:
            is_ours = run(store, task, orders)
    except StoreError as error:
        LOG.error("job %s: %s", task.job_id, error.code)  # noqa: TRY400 - said, not traced
        return FAILED_TO_STORE
    return ENDED if is_ours else NOT_OURS


def _leave() -> None:
    os._exit(NOT_OURS)


def run(store: Store, task: Task, orders: Orders, *, lost: Callable[[], None] = _leave) -> bool:
    """Do a job and store what it came to; False when it was taken away meanwhile.

    Parameters
    ----------
    store : Store
    task : Task
    orders : Orders
    lost : function
        Called as soon as the job is found to be taken away; ends the process.
    """
    with store.read() as connection:
        job = read_job(connection, task.job_id)
    reporter = Reporter(store, task.job_id, task.worker_id, lost=lost)
    context = Context(steps=reporter, stop=orders.stop, enough=orders.enough)
    try:
        outcome = load_work(task.function)(store, job, context)
        reporter.close()
        is_ours = store.write(lambda c: lease.finish(c, job.job_id, task.worker_id, outcome))
        if is_ours:
            outcome.clear()
        return is_ours  # noqa: TRY300 - the outcome was stored
    except PatrolgridError as error:
        trouble: PatrolgridError | None = error
    except MemoryError:
        trouble = over_memory(job.kind, task.memory_mb)
    except Exception as error:  # noqa: BLE001 - the job runner: whatever broke is tried again
        LOG.error("job %s (%s) broke: %s", job.job_id, job.kind, _where(error))  # noqa: TRY400
        trouble = None
    reporter.close()
    return _end_without(store, task, trouble)


def _end_without(store: Store, task: Task, trouble: PatrolgridError | None) -> bool:
    """End a job that has no outcome, or give it back when another attempt may have one."""
    job_id, worker_id = task.job_id, task.worker_id
    if trouble is None or isinstance(trouble, PASSING):
        return store.write(lambda c: lease.give_back(c, job_id, worker_id, error=trouble))
    LOG.info("job %s ended: %s", job_id, trouble.code)
    return store.write(lambda c: lease.fail(c, job_id, worker_id, trouble))


def over_memory(kind: str, memory_mb: int) -> LimitExceeded:
    """Return the error of a job that needed too much memory."""
    return LimitExceeded(
        what=kind_word(kind), limit=f"{memory_mb} MB", hint=Word("job.hint.memory")
    )


def _where(error: BaseException) -> str:
    """Return the kind of an error and where it came from, without the values it speaks of."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__module__}.{type(error).__qualname__}\n{frames}"


def _limit(memory_mb: int) -> None:
    """Work behind everything else, and refuse to map much more than is allowed."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  absent on Windows

        most = (memory_mb + SPARE_MB) << 20
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


def _first_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < LARGEST:
        byte = os.read(0, 1)  # unbuffered: what follows belongs to the thread that listens
        if not byte:
            os._exit(ORPHANED)
        line += byte
    return bytes(line)


def _listen(orders: Orders) -> NoReturn:
    """Take orders as they come; end the process when there is nobody left to give any."""
    while word := os.read(0, 64):
        if STOP in word:
            orders.stop.set()
        if ENOUGH in word:
            orders.enough.set()
    os._exit(ORPHANED)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # all is stored: taking the solvers' libraries down would cost a second
