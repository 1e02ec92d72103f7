"""A worker process as its supervisor holds it: started, told to end, kept within its limits."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Final

import psutil

from api.i18n.word import Word
from api.jobs.kinds import kind_word
from api.jobs.task import STOP, Task
from geo.errors import LimitExceeded, PatrolgridError, Stopped

LOOK: Final = 0.2
"""Seconds between two looks at a worker's clock and memory."""

COMMAND: Final = (sys.executable, "-P", "-m")
"""Python without the working directory among its modules: a folder there may have our names."""


class Child:
    """A worker process; a thread ends it when it passes a limit, whatever the store is doing.

    Parameters
    ----------
    task : Task
    kind : str
        Kind of the job, for the sentence that tells of a limit.
    seconds : int
        Wall time it may take.

    Attributes
    ----------
    task : Task
    trouble : PatrolgridError, optional
        Why it was ended from outside.
    """

    def __init__(self, task: Task, *, kind: str, seconds: int) -> None:
        self.task = task
        self.trouble: PatrolgridError | None = None
        self._kind, self._seconds = kind, seconds
        self._began = time.monotonic()
        self._ordered: dict[bytes, float] = {}
        self._deadline: float | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*COMMAND, "api.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is the supervisor's
        )
        if self._process.stdin is None:
            raise AssertionError("a worker is started with a pipe")
        self._pipe = self._process.stdin
        self._send(task.line())
        self._watch = threading.Thread(target=self._keep_within, name="limits", daemon=True)
        self._watch.start()

    @property
    def status(self) -> int | None:
        """Exit status; None while it works."""
        return self._process.poll()

    def order(self, word: bytes, *, within: float) -> None:
        """Tell the worker to end, and end it `within` seconds from when it was first told so."""
        if word not in self._ordered:
            self._ordered[word] = time.monotonic()
            self._send(word)
        if word == STOP or STOP not in self._ordered:
            self._deadline = self._ordered[word] + within

    def leave(self) -> None:
        """Close its standard input: it ends at once, with nothing stored."""
        with suppress(OSError):
            self._pipe.close()

    def end(self, trouble: PatrolgridError | None = None) -> None:
        """Kill it and whatever it started, and wait until it is gone."""
        self.trouble = self.trouble or trouble
        with suppress(psutil.Error):
            for process in reversed(_with_children(self._process.pid)):
                with suppress(psutil.Error):
                    process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of an ended process."""
        self.leave()
        self._watch.join()

    def wait(self, seconds: float) -> None:
        """Wait until it ended, at most some seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _send(self, line: bytes) -> None:
        with suppress(OSError):  # it has ended: its status tells
            self._pipe.write(line)
            self._pipe.flush()

    def _keep_within(self) -> None:
        while self.status is None:
            trouble = self._passed()
            if trouble is not None:
                self.end(trouble)
                return
            self.wait(LOOK)

    def _passed(self) -> PatrolgridError | None:
        """Return the limit that was passed, None where all is well."""
        now = time.monotonic()
        if self._deadline is not None and now > self._deadline:
            return Stopped()
        if now > self._began + self._seconds:
            return self._over(f"{self._seconds} s", "job.hint.seconds")
        if resident_mb(self._process.pid) > self.task.memory_mb:
            return self._over(f"{self.task.memory_mb} MB", "job.hint.memory")
        return None

    def _over(self, limit: str, hint: str) -> LimitExceeded:
        return LimitExceeded(what=kind_word(self._kind), limit=limit, hint=Word(hint))


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and its children in MB, 0 when it is gone."""
    total = 0
    with suppress(psutil.Error):
        for process in _with_children(pid):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total / (1 << 20)


def _with_children(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]
