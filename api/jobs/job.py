"""What a job is: its row, what it reported, what its work comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from api.store import Store
from geo.progress import NEVER, SilentSteps, Steps, StopToken

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
"""States of a job."""

ENDED = (DONE, FAILED, CANCELLED)
"""States that a job does not leave again."""

DROP, KEEP_BEST = "drop", "keep_best"
"""What a cancel asks for: nothing is kept, or the best so far."""

PROGRESS, CANCELLING = "progress", "cancelling"
"""Events besides the states' own."""

Facts = Mapping[str, Any]
"""A JSON object; `Any` because JSON has no types of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands in the store.

    Attributes
    ----------
    job_id, kind, unit_code : str
    state : str
        queued, running, done, failed or cancelled.
    request : mapping
        What was asked for, as its kind defines it.
    seed : int
    input_hash : str
        Of request and seed; once the work is done, of everything it read as well.
    attempts : int
        Times a worker began it.
    cancel : str, optional
        "drop" or "keep_best" once somebody asked.
    step : str, optional
        The step it is in: its message is ``step.<step>``.
    done, total : int
        How far the step is.
    best : float, optional
        Best value so far; once there is one, there is something to keep.
    result, result_hash, error
        What it came to; `error` is a message code and its parameters.
    created_at, started_at, finished_at : datetime
    version : int
        Counts visible changes: the ETag.
    """

    job_id: str
    kind: str
    unit_code: str
    state: str
    request: Facts
    seed: int
    input_hash: str
    attempts: int
    cancel: str | None
    step: str | None
    done: int
    total: int
    best: float | None
    result: Facts | None
    result_hash: str | None
    error: Facts | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing a job reported.

    Attributes
    ----------
    number : int
        From 1 without a hole: the id to replay from.
    at : datetime
    event : str
        A state, "progress" or "cancelling".
    data : mapping
        State, attempts, step, done, total and best at that moment.
    is_last : bool
        Whether none will follow.
    """

    number: int
    at: datetime
    event: str
    data: Facts
    is_last: bool


def nothing() -> None:
    """Clear nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a job's work came to; nothing of it is stored yet.

    Attributes
    ----------
    result : mapping
        Shown to whoever asked for the job.
    result_hash : str
        The same input and seed give the same hash: nothing that changes by itself goes into it.
    keep : function of a connection, optional
        Writes the effects, in the transaction that marks the job as done: exactly once, or not at
        all. What it returns is added to `result`. As every change it may run twice.
    input_hash : str
        Of what was read, the request and the seed; "" leaves the request's own.
    clear : function
        Called once the effects are on disk: removes what only this work needed. A worker killed
        before leaves it to the next attempt.
    """

    result: Facts
    result_hash: str
    keep: Callable[[Connection], Facts | None] | None = None
    input_hash: str = ""
    clear: Callable[[], None] = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """How a job's work reports, and how it is ended.

    Attributes
    ----------
    steps : Steps
        Told every step and how far it is.
    stop : StopToken
        Set: end at once by raising `geo.errors.Stopped`.
    enough : StopToken
        Set: end soon with the best so far, or raise `Stopped` where there is nothing yet.
    """

    steps: Steps = field(default_factory=SilentSteps)
    stop: StopToken = NEVER
    enough: StopToken = NEVER


class Work(Protocol):
    """What a kind of job does: reads the store, returns an outcome, writes nothing itself."""

    def __call__(self, store: Store, job: Job, context: Context) -> Outcome:
        """Do the work."""
