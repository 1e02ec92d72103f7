"""The job table as supervisors and workers see it: take, keep alive, give back, finish.

Whoever holds a job is named by its ``worker_id``; every change asks for that name, so that a
worker whose job was taken away changes nothing any more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, select, update

from api.jobs.fault import as_json
from api.jobs.job import CANCELLED, DONE, DROP, FAILED, PROGRESS, QUEUED, RUNNING, Outcome
from api.jobs.table import add_event, end, now
from api.store import chain
from api.store.tables import JOBS
from geo.errors import JobFailed, PatrolgridError, Stopped

ATTEMPTS: Final = 3
"""Times a job is begun before it is given up."""

LEASE: Final = 30
"""Seconds without a heartbeat after which a job of another host is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A job that runs somewhere: by whom, how often he said so, and what was asked of it."""

    job_id: str
    worker_id: str
    heartbeat: int
    cancel: str | None
    best: float | None


def is_waiting(connection: Connection, *, only: str = "") -> bool:
    """Return whether a job waits to be taken."""
    query = select(JOBS.c.fid).where(*_waiting(only)).limit(1)
    return connection.execute(query).first() is not None


def take(connection: Connection, worker_id: str, *, only: str = "") -> tuple[str, str] | None:
    """Take the oldest queued job and return its id and kind; None when there is none.

    Parameters
    ----------
    only : str
        The one job to take, where not any will do.
    """
    oldest = (
        select(JOBS.c.fid, JOBS.c.job_id, JOBS.c.kind)
        .where(*_waiting(only))
        .order_by(JOBS.c.fid)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(oldest).one_or_none()
    if found is None:
        return None
    connection.execute(
        update(JOBS)
        .where(JOBS.c.fid == found.fid)
        .values(
            state=RUNNING,
            worker_id=worker_id,
            attempts=JOBS.c.attempts + 1,
            heartbeat=JOBS.c.heartbeat + 1,
            lease_until=now() + timedelta(seconds=LEASE),
            step=None,
            done=0,
            total=0,
            best=None,
            started_at=now(),
            version=JOBS.c.version + 1,
        )
    )
    add_event(connection, found.job_id, RUNNING)
    return found.job_id, found.kind


def running(connection: Connection) -> list[Held]:
    """Return every job that runs, whoever holds it."""
    columns = (JOBS.c[name] for name in Held.__dataclass_fields__)
    query = select(*columns).where(JOBS.c.state == RUNNING).order_by(JOBS.c.fid)
    return [Held(**row._mapping) for row in connection.execute(query)]


def beat(connection: Connection, worker_ids: Collection[str]) -> None:
    """Say that these workers live."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.worker_id.in_(worker_ids), JOBS.c.state == RUNNING)
        .values(heartbeat=JOBS.c.heartbeat + 1, lease_until=now() + timedelta(seconds=LEASE))
    )


def report(
    connection: Connection, job_id: str, worker_id: str, steps: Collection[Mapping[str, Any]]
) -> bool:
    """Store steps and how far they are, an event each; False when the job is no longer ours."""
    for values in steps:
        if not _hold(connection, job_id, worker_id, **values):
            return False
        add_event(connection, job_id, PROGRESS)
    return True


def finish(connection: Connection, job_id: str, worker_id: str, outcome: Outcome) -> bool:
    """Store what a job came to and its effects, once; False when the job is no longer ours.

    A cancel that came in time decides: dropped work keeps nothing, and what was kept of a
    cancelled job is its result.
    """
    if outcome.keep is not None:
        chain.hold(connection)  # before the job's row, as it records what it keeps
    if not _hold(connection, job_id, worker_id):
        return False
    asked = connection.execute(select(JOBS.c.cancel).where(JOBS.c.job_id == job_id)).scalar()
    if asked == DROP:
        end(connection, job_id, state=CANCELLED)
        return True
    kept = outcome.keep(connection) if outcome.keep is not None else None
    values: dict[str, Any] = {
        "result": {**outcome.result, **(kept or {})},
        "result_hash": outcome.result_hash,
    }
    if outcome.input_hash:
        values["input_hash"] = outcome.input_hash
    end(connection, job_id, state=CANCELLED if asked else DONE, **values)
    return True


def fail(connection: Connection, job_id: str, worker_id: str, error: PatrolgridError) -> bool:
    """Store the error a job ended with; a job that was stopped, or is to be, is cancelled."""
    if not _hold(connection, job_id, worker_id):
        return False
    asked = connection.execute(select(JOBS.c.cancel).where(JOBS.c.job_id == job_id)).scalar()
    if asked or isinstance(error, Stopped):
        end(connection, job_id, state=CANCELLED)
    else:
        end(connection, job_id, state=FAILED, error=as_json(error))
    return True


def give_back(
    connection: Connection,
    job_id: str,
    worker_id: str,
    *,
    heartbeat: int | None = None,
    is_counted: bool = True,
    error: PatrolgridError | None = None,
) -> bool:
    """Put a job whose worker is lost back into the queue, or end it.

    Parameters
    ----------
    heartbeat : int, optional
        Of the worker when it was last seen: one that has been heard of since keeps its job.
    is_counted : bool
        Whether the attempt counts; not when we ended it ourselves to stop working.
    error : PatrolgridError, optional
        What to say when no attempt is left.
    """
    if not _hold(connection, job_id, worker_id, heartbeat=heartbeat):
        return False
    row = connection.execute(
        select(JOBS.c.cancel, JOBS.c.attempts).where(JOBS.c.job_id == job_id)
    ).one()
    if row.cancel:
        end(connection, job_id, state=CANCELLED)
    elif is_counted and row.attempts >= ATTEMPTS:
        last = error or JobFailed(attempts=row.attempts)
        end(connection, job_id, state=FAILED, error=as_json(last))
    else:
        _requeue(connection, job_id, attempts=row.attempts - (not is_counted))
    return True


def _requeue(connection: Connection, job_id: str, *, attempts: int) -> None:
    values = {"state": QUEUED, "worker_id": None, "lease_until": None, "attempts": attempts}
    connection.execute(update(JOBS).where(JOBS.c.job_id == job_id).values(**values))
    add_event(connection, job_id, QUEUED)


def _hold(
    connection: Connection,
    job_id: str,
    worker_id: str,
    *,
    heartbeat: int | None = None,
    **values: Any,
) -> bool:
    """Write to a job's row if this worker still holds it; it keeps the row until the commit."""
    mine = [JOBS.c.job_id == job_id, JOBS.c.worker_id == worker_id, JOBS.c.state == RUNNING]
    if heartbeat is not None:
        mine.append(JOBS.c.heartbeat == heartbeat)
    changed = update(JOBS).where(*mine).values(version=JOBS.c.version + 1, **values)
    return connection.execute(changed).rowcount == 1


def _waiting(only: str) -> list[ColumnElement[bool]]:
    asked = [JOBS.c.state == QUEUED]
    return [*asked, JOBS.c.job_id == only] if only else asked
