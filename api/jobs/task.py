"""What a supervisor tells a worker: one line to begin with, and a word when it is to end."""

import json
from dataclasses import asdict, dataclass
from typing import Final

STOP, ENOUGH = b"stop\n", b"enough\n"
"""Orders a worker reads from its standard input while it works; its end means: nobody is left."""

ENDED, NOT_OURS, ORPHANED, FAILED_TO_STORE = 0, 3, 4, 5
"""Exit statuses of a worker: all is stored, the job was taken away, the supervisor died, or the
store took nothing."""

LARGEST: Final = 1 << 16
"""Bytes of the first line at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One job for one worker.

    Attributes
    ----------
    store : str
        Setting of the store; it may hold a password and is in no command line therefore.
    job_id, worker_id : str
    function : str
        ``module:function`` that does the work.
    memory_mb : int
        The limit its supervisor watches.
    log_level : str
    log_json : bool
    """

    store: str
    job_id: str
    worker_id: str
    function: str
    memory_mb: int
    log_level: str
    log_json: bool

    def line(self) -> bytes:
        """Return the task as the line a worker reads."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> "Task":
        """Return the task of a line."""
        return cls(**json.loads(line))
