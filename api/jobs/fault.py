"""Errors on their way through the job table: a code and parameters, never a sentence."""

from dataclasses import dataclass, field
from typing import Any

from api.jobs.job import Facts, Job
from geo.errors import JobFailed, PatrolgridError, error_classes

_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Said:
    """A parameter that is itself a message: code and parameters."""

    code: str
    params: Facts = field(default_factory=dict)


def as_json(error: PatrolgridError) -> Facts:
    """Return an error as the row keeps it."""
    return {"code": error.code, "params": {k: plain(v) for k, v in error.params.items()}}


def error_of(job: Job) -> PatrolgridError | None:
    """Return the error a job ended with, to be raised or explained; None where it has none."""
    if job.error is None:
        return None
    classes = {cls.code: cls for cls in error_classes()}
    params = {k: _read(v) for k, v in job.error["params"].items()}
    cls = classes.get(job.error["code"])
    # a row of another release may name an error this one does not know
    return cls(**params) if cls else JobFailed(attempts=job.attempts)


def plain(value: object) -> Any:
    """Return a value as JSON holds it: a message keeps its code, all else unknown is text."""
    code = getattr(value, "code", None)
    if isinstance(code, str):
        params = getattr(value, "params", {})
        return {"code": code, "params": {k: plain(v) for k, v in params.items()}}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return value if isinstance(value, _PLAIN) else str(value)


def _read(value: Any) -> object:
    if isinstance(value, dict) and "code" in value:
        return Said(value["code"], {k: _read(v) for k, v in value.get("params", {}).items()})
    return value
