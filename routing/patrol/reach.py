"""What a single unit could do were it alone: exact, with its break, before any search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.model import UNREACHABLE, Post, Problem, Stop, Unit

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """Whether one unit alone can serve each task.

    Attributes
    ----------
    has_way : ndarray of bool, shape (n_tasks,)
        Some unit can get there and back at all.
    is_possible : ndarray of bool, shape (n_tasks,)
        Some unit can serve it inside the shift and still take its break.
    """

    has_way: Mask
    is_possible: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tasks:
    """Place row, start window and stay of each task."""

    loc: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    stay: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.int64]) -> "_Tasks":
        return _Tasks(
            loc=self.loc[rows], first=self.first[rows], last=self.last[rows], stay=self.stay[rows]
        )


def alone(problem: Problem, tasks: Sequence[Stop | Post]) -> Alone:
    """Return whether any unit alone can serve each task, both orders of task and break tried."""
    table = _table(problem, tasks)
    has_way = np.zeros(len(tasks), np.bool_)
    is_possible = np.zeros(len(tasks), np.bool_)
    for unit in _distinct(problem.units):
        rows = np.flatnonzero(~is_possible)
        if not rows.size:
            break
        left = table.take(rows)
        seconds = problem.travel.seconds[problem.travel.modes.index(unit.mode)]
        home = problem.travel.row[unit.station_id]
        has_way[rows] |= np.maximum(seconds[home, left.loc], seconds[left.loc, home]) < UNREACHABLE
        is_possible[rows] = can_alone(problem, unit, left)
    return Alone(has_way=has_way, is_possible=is_possible)


def units_able(problem: Problem, post: Post) -> list[int]:
    """Return the numbers of the units that can serve a post alone."""
    table = _table(problem, [post])
    return [i for i, unit in enumerate(problem.units) if can_alone(problem, unit, table)[0]]


def can_alone(problem: Problem, unit: Unit, tasks: _Tasks) -> Mask:
    """Return which tasks `unit` can serve in a night with nothing else but its break."""
    seconds = problem.travel.seconds[problem.travel.modes.index(unit.mode)]
    home, length = problem.travel.row[unit.station_id], problem.shift.length
    begin = np.maximum(seconds[home, tasks.loc], tasks.first)
    back = seconds[tasks.loc, home].astype(np.int64)
    fits: Mask = (begin <= tasks.last) & (begin + tasks.stay + back <= length)
    if not unit.break_length:
        return fits
    rests = np.array([problem.travel.row[place_id] for place_id in problem.rests], np.int64)
    first, last = unit.break_window[0], unit.break_window[1] - unit.break_length
    to_rest, from_rest = seconds[np.ix_(tasks.loc, rests)], seconds[np.ix_(rests, tasks.loc)]
    rest_after = np.maximum((begin + tasks.stay)[:, None] + to_rest, first)
    is_after = (rest_after <= last) & (
        rest_after + unit.break_length + seconds[rests, home] <= length
    )
    rest_before = np.maximum(seconds[home, rests].astype(np.int64), first)
    begin_late = np.maximum(rest_before + unit.break_length + from_rest.T, tasks.first[:, None])
    is_before = (rest_before <= last) & (begin_late <= tasks.last[:, None])
    is_before &= begin_late + (tasks.stay + back)[:, None] <= length
    fits &= is_after.any(axis=1) | is_before.any(axis=1)
    return fits


def _table(problem: Problem, tasks: Sequence[Stop | Post]) -> _Tasks:
    windows = [
        (task.earliest, task.latest, task.dwell)
        if isinstance(task, Post)
        else (0, problem.shift.length - task.band.dwell, task.band.dwell)
        for task in tasks
    ]
    first, last, stay = np.array(windows, np.int64).reshape(-1, 3).T
    loc = np.array([problem.travel.row[task.place_id] for task in tasks], np.int64)
    return _Tasks(loc=loc, first=first, last=last, stay=stay)


def _distinct(units: tuple[Unit, ...]) -> list[Unit]:
    """Return one unit for each combination of station, mode and break."""
    return list({(u.station_id, u.mode, u.break_window, u.break_length): u for u in units}.values())
