"""The job table as everybody sees it: put in, read, cancel, follow."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from api.i18n.word import Word
from api.jobs.job import CANCELLED, CANCELLING, DROP, KEEP_BEST, QUEUED, Event, Job
from api.jobs.kinds import KINDS
from api.store.ids import new_id
from api.store.page import Key, Page
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import JOB_EVENTS, JOBS
from geo.errors import NotFound, RequestInvalid, StateConflict

_COLUMNS = tuple(JOBS.c[name] for name in Job.__dataclass_fields__)

TOLD = ("state", "attempts", "step", "done", "total", "best")
"""Columns of a job that every event repeats."""


def enqueue(
    connection: Connection,
    *,
    kind: str,
    request: Mapping[str, Any],
    seed: int = 0,
    unit_code: str = "",
) -> str:
    """Put a job in, in the caller's transaction, and return its id.

    Parameters
    ----------
    kind : str
        One of `api.jobs.kinds.KINDS`.
    request : mapping
        JSON; its kind says what it holds.
    seed : int
        Same request, data and seed give the same result.
    unit_code : str
        Whose job it is: a scope looks at it.

    Raises
    ------
    RequestInvalid
        A kind there is none of.
    """
    if kind not in KINDS:
        raise RequestInvalid(where="kind", expected=", ".join(KINDS))
    job_id = new_id("job")
    connection.execute(
        insert(JOBS).values(
            job_id=job_id,
            kind=kind,
            unit_code=unit_code,
            state=QUEUED,
            request=dict(request),
            seed=seed,
            input_hash=hash_of(kind, dict(request), seed),
            created_at=now(),
        )
    )
    add_event(connection, job_id, QUEUED)
    return job_id


def hash_of(*parts: object) -> str:
    """Return the SHA-256 of JSON values: the same parts give the same hash."""
    written = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def read_job(connection: Connection, job_id: str, scope: Scope = EVERYWHERE) -> Job:
    """Return a job.

    Raises
    ------
    NotFound
        None of this id in the scope.
    """
    found = connection.execute(_jobs(scope).where(JOBS.c.job_id == job_id)).one_or_none()
    if found is None:
        raise NotFound(kind=Word("job.word"))
    return _as_job(found)


def jobs_page(
    connection: Connection,
    *,
    after: Key | None = None,
    limit: int = 50,
    state: str = "",
    kind: str = "",
    scope: Scope = EVERYWHERE,
) -> Page[Job]:
    """Return some jobs, the newest first; `after` is the key of the page before."""
    query = _jobs(scope).order_by(JOBS.c.fid.desc()).limit(limit + 1)
    if after is not None:
        beyond = select(JOBS.c.fid).where(JOBS.c.job_id == after[0]).scalar_subquery()
        query = query.where(JOBS.c.fid < beyond)
    for column, wanted in ((JOBS.c.state, state), (JOBS.c.kind, kind)):
        if wanted:
            query = query.where(column == wanted)
    found = [_as_job(row) for row in connection.execute(query)]
    last = (found[limit - 1].job_id,) if len(found) > limit else None
    return Page(items=tuple(found[:limit]), after=last)


def events_after(
    connection: Connection, job_id: str, number: int = 0, *, limit: int = 1_000
) -> list[Event]:
    """Return what a job reported after the event `number`, oldest first.

    It looks at no scope: read the job first.
    """
    events = JOB_EVENTS.c
    query = (
        select(events.number, events.at, events.event, events.data, events.is_last)
        .where(events.job_id == job_id, events.number > number)
        .order_by(events.number)
        .limit(limit)
    )
    return [Event(**row._mapping) for row in connection.execute(query)]


def ask_cancel(
    connection: Connection, job_id: str, *, keep_best: bool = False, scope: Scope = EVERYWHERE
) -> Job:
    """Cancel a job: at once while it is queued; a running one is ended within two seconds.

    Parameters
    ----------
    keep_best : bool
        Keep the best so far, where there is one. A cancel that drops everything outweighs it.

    Returns
    -------
    Job
        As it stands now: cancelled, or still running and being ended.

    Raises
    ------
    NotFound
        None of this id in the scope.
    StateConflict
        It has ended.
    RequestInvalid
        `keep_best` of a kind that has nothing to keep.
    """
    job = _locked(connection, job_id, scope)
    if job.has_ended:
        state = Word(f"job.state.{job.state}")
        raise StateConflict(kind=Word("job.word"), state=state, wanted=Word("job.cancel"))
    if keep_best and not KINDS[job.kind].keeps_best:
        able = ", ".join(name for name, kind in KINDS.items() if kind.keeps_best)
        raise RequestInvalid(where="keep_best", expected=f"only for jobs of kind {able}")
    wanted = KEEP_BEST if keep_best and job.cancel != DROP else DROP
    if job.state == QUEUED:
        end(connection, job_id, state=CANCELLED, cancel=wanted)
    elif job.cancel != wanted:
        _change(connection, job_id, cancel=wanted)
        add_event(connection, job_id, CANCELLING)
    return read_job(connection, job_id, scope)


def end(connection: Connection, job_id: str, *, state: str, **values: Any) -> None:
    """Put a job into its last state, with its last event; the caller holds its row."""
    _change(connection, job_id, state=state, worker_id=None, finished_at=now(), **values)
    add_event(connection, job_id, state, is_last=True)


def add_event(connection: Connection, job_id: str, event: str, *, is_last: bool = False) -> None:
    """Append an event that tells how the job stands.

    The caller's transaction has written to the job's row before, which keeps every other one
    from it: numbers have no hole and come once.
    """
    told = connection.execute(
        select(*(JOBS.c[name] for name in TOLD)).where(JOBS.c.job_id == job_id)
    ).one()
    last = select(func.max(JOB_EVENTS.c.number)).where(JOB_EVENTS.c.job_id == job_id)
    connection.execute(
        insert(JOB_EVENTS).values(
            job_id=job_id,
            number=(connection.execute(last).scalar() or 0) + 1,
            at=now(),
            event=event,
            data=dict(told._mapping),
            is_last=is_last,
        )
    )


def now() -> datetime:
    """Return the instant for a row to tell people; nothing is ever decided by it."""
    return datetime.now(UTC)


def _jobs(scope: Scope) -> Select[Any]:
    return select(*_COLUMNS).where(scope.holds(JOBS.c.unit_code))


def _locked(connection: Connection, job_id: str, scope: Scope) -> Job:
    """Return a job whose row nobody else changes before this transaction ends."""
    query = _jobs(scope).where(JOBS.c.job_id == job_id).with_for_update(of=JOBS)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotFound(kind=Word("job.word"))
    return _as_job(found)


def _change(connection: Connection, job_id: str, **values: Any) -> None:
    connection.execute(
        update(JOBS).where(JOBS.c.job_id == job_id).values(version=JOBS.c.version + 1, **values)
    )


def _as_job(row: Row[Any]) -> Job:
    return Job(**row._mapping)
