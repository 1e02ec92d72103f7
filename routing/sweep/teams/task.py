"""What is asked of a sweep as tasks: one pass of one street, in either direction or in one.

Ends of tasks and the teams' stations are numbered apart from the city's nodes ("ends" below), so
that the times between them are one small matrix.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import FAR, NONE, Ints
from routing.sweep.model import SweepProblem

WAYS: Final = 2
"""Directions a task may be done in: 0 along the street's line, 1 against it."""

BOTH_SIDES: Final = 2
"""Passes that mean once in each direction, or twice along a one-way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Passes to be made, as columns; way 0 and 1 are the two directions a pass may have.

    Attributes
    ----------
    arc : ndarray of int32, shape (n_tasks, 2)
        Arc of the problem, NONE where the task may not be done that way.
    service : ndarray of int32, shape (n_tasks, 2)
        Milliseconds, FAR where it may not.
    start, end : ndarray of int32, shape (n_tasks, 2)
        Node where it begins and ends; where it may not be done that way, where it would.
    """

    arc: Ints
    service: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.arc)

    @property
    def segment(self) -> Ints:
        """Segment of the problem, shape (n_tasks,)."""
        segments: Ints = self.arc.max(axis=1) >> 1
        return segments

    def take(self, rows: NDArray[np.integer]) -> "Tasks":
        """Return these tasks, in this order."""
        return Tasks(
            arc=self.arc[rows],
            service=self.service[rows],
            start=self.start[rows],
            end=self.end[rows],
        )


def tasks_of(problem: SweepProblem) -> tuple[Tasks, Ints]:
    """Return the passes a problem asks for, and the segments that no direction is open for.

    Returns
    -------
    tasks : Tasks
        By segment; of both sides the pass along comes first.
    closed : ndarray of int32
        Segments asked for that cannot be served at all.
    """
    segment = np.flatnonzero(problem.passes).astype(np.int32)
    arc = 2 * segment[:, None] + np.arange(WAYS, dtype=np.int32)
    is_open = problem.service[arc] < FAR
    closed = ~is_open.any(axis=1)
    is_both = problem.passes[segment] == BOTH_SIDES
    free = np.where(is_open, arc, NONE)
    along = np.where(is_both & is_open.all(axis=1), 0, NONE)
    first = np.where((along == 0)[:, None], np.stack([arc[:, 0], 0 * segment - 1], axis=1), free)
    second = np.where((along == 0)[:, None], np.stack([0 * segment - 1, arc[:, 1]], axis=1), free)
    both = np.stack([first, second], axis=1).reshape(-1, WAYS)
    kept = np.stack([~closed, ~closed & is_both], axis=1).ravel()
    return _tasks(problem, both[kept].astype(np.int32)), segment[closed]


def _tasks(problem: SweepProblem, arc: Ints) -> Tasks:
    at = np.where(arc >= 0, arc, arc[:, ::-1] ^ 1)
    return Tasks(
        arc=arc,
        service=np.where(arc >= 0, problem.service[at], np.int32(FAR)),
        start=problem.tail[at],
        end=problem.head[at],
    )
