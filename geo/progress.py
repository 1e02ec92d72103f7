"""How long work reports and how it is stopped."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from geo.errors import Stopped


class Progress(Protocol):
    """Receiver of progress: work done, work in all, best value so far where there is one."""

    def __call__(self, done: int, total: int, best: float | None = None) -> None:
        """Receive one report."""


class StopToken(Protocol):
    """Anything like `threading.Event`: set once, from anywhere, to stop the work."""

    def is_set(self) -> bool:
        """Return whether a stop was asked for."""


class _NeverStopped:
    def is_set(self) -> bool:
        return False


NEVER: StopToken = _NeverStopped()
"""The stop token of work that nobody can stop."""


@dataclass(frozen=True, slots=True)
class Either:
    """A stop token that is set once one of two is."""

    first: StopToken
    second: StopToken

    def is_set(self) -> bool:
        """Return whether one of them is set."""
        return self.first.is_set() or self.second.is_set()


def silent(done: int, total: int, best: float | None = None) -> None:
    """Report to nobody."""


def stop_if_asked(stop: StopToken, step: str) -> None:
    """Raise `Stopped` when the token is set.

    Raises
    ------
    Stopped
        A stop was asked for.
    """
    if stop.is_set():
        raise Stopped(step=step)


class Steps(Protocol):
    """A composition's view of progress: named steps, one after another."""

    def step(self, code: str) -> AbstractContextManager[Progress]:
        """Open the step whose message code is ``step.<code>``."""


class SilentSteps:
    """Steps reported to nobody: notebooks and tests."""

    @contextmanager
    def _open(self) -> Iterator[Progress]:
        yield silent

    def step(self, code: str) -> AbstractContextManager[Progress]:  # noqa: ARG002
        """Open a step without a word."""
        return self._open()
