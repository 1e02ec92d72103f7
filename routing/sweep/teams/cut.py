"""Route first: one tour of all streets, cut into as many pieces as there are teams.

Ulusoy, "The fleet size and mix problem for capacitated arc routing", European Journal of
Operational Research 22, 1985: for a tour given, the best cuts are a shortest path.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from routing.hierarchy import NONE, Ints
from routing.hierarchy.kernel import kernel
from routing.sweep.teams.kernels import Ends, Loads, Orders, measure

NEVER: Final = 1 << 40
"""Milliseconds, or pieces, of what cannot be."""

STARTS: Final = 12
"""Tasks of the tour at which the first cut is tried."""

SLACK_PERCENT: Final = 4
"""By how much a piece may exceed the shortest longest one: room to cut where it is cheap."""


class Line(NamedTuple):
    """A tour opened at one task.

    Attributes
    ----------
    task, way : ndarray of int32, shape (n_tasks,)
        In order, each in the direction it is done.
    done : ndarray of int64, shape (n_tasks,)
        Milliseconds from the first task's beginning to the end of each.
    out, back : ndarray of int32, shape (n_ends,)
        Milliseconds from the nearest station and to it.
    """

    task: Ints
    way: Ints
    done: Loads
    out: Ints
    back: Ints


def cut_tour(ends: Ends, task: Ints, way: Ints) -> Orders:
    """Cut a tour into one piece for each team, of nearly one length and with short ways home.

    Parameters
    ----------
    ends : Ends
    task, way : ndarray of int32, shape (n_tasks,)
        The tour's tasks in order, each in the direction it is done.
    """
    n_teams, n = len(ends.out), len(task)
    orders = empty_orders(n_teams, n)
    if n == 0:
        return orders
    best = NEVER
    for first in np.unique(np.linspace(0, n, STARTS, endpoint=False).astype(np.int64)):
        line = _opened(ends, np.roll(task, -first), np.roll(way, -first))
        even = _shortest_longest(ends, line, n_teams)
        total, cuts = _cuts(ends, line, n_teams, even + even * SLACK_PERCENT // 100)
        if total < best:
            best = total
            _hand_out(ends, orders, line, cuts)
    return orders


def empty_orders(n_teams: int, n_tasks: int) -> Orders:
    """Return orders in which every team stays at its station."""
    return Orders(
        task=np.full((n_teams, n_tasks), NONE, np.int32),
        way=np.zeros((n_teams, n_tasks), np.int32),
        size=np.zeros(n_teams, np.int32),
        load=np.zeros(n_teams, np.int64),
    )


def measure_all(ends: Ends, orders: Orders) -> None:
    """Write every team's load."""
    for team in range(len(orders.size)):
        orders.load[team] = measure(ends, orders, team)


def _opened(ends: Ends, task: Ints, way: Ints) -> Line:
    return Line(
        task=task,
        way=way,
        done=_until(ends, task, way),
        out=ends.out.min(axis=0),
        back=ends.back.min(axis=0),
    )


def _hand_out(ends: Ends, orders: Orders, line: Line, cuts: Ints) -> None:
    """Give each piece to a team so that their ways to and from it are shortest together."""
    first, last = cuts[:-1], cuts[1:] - 1
    out = ends.out[:, ends.start[line.task[first], line.way[first]]]
    back = ends.back[:, ends.end[line.task[last], line.way[last]]]
    orders.size[:] = 0
    for team, piece in zip(*linear_sum_assignment(out.astype(np.int64) + back), strict=True):
        begin, end = cuts[piece], cuts[piece + 1]
        orders.task[team, : end - begin] = line.task[begin:end]
        orders.way[team, : end - begin] = line.way[begin:end]
        orders.size[team] = end - begin
    measure_all(ends, orders)


def _shortest_longest(ends: Ends, line: Line, n_teams: int) -> int:
    """Return the least length at which the tour falls into no more pieces than teams."""
    farthest = int(line.out.max()) + int(line.back.max())
    low, high = 0, int(line.done[-1]) + farthest
    while low + 1 < high:
        middle = (low + high) // 2
        is_enough = _n_pieces(ends, line, middle) <= n_teams
        low, high = (low, middle) if is_enough else (middle, high)
    return high


@kernel
def _until(ends: Ends, task: Ints, way: Ints) -> Loads:
    until = np.zeros(len(task), np.int64)
    for i in range(len(task)):
        until[i] = ends.service[task[i], way[i]]
        if i > 0:
            ride = ends.between[ends.end[task[i - 1], way[i - 1]], ends.start[task[i], way[i]]]
            until[i] += until[i - 1] + ride
    return until


@kernel
def _piece(ends: Ends, line: Line, first: int, last: int) -> int:
    """Return the milliseconds of the tasks `first` to `last` with the ways out and back."""
    begin = line.task[first], line.way[first]
    length = line.done[last] - line.done[first] + ends.service[begin]
    length += line.out[ends.start[begin]]
    return int(length + line.back[ends.end[line.task[last], line.way[last]]])


@kernel
def _n_pieces(ends: Ends, line: Line, most: int) -> int:
    """Return how many pieces no longer than `most` the tour falls into; NEVER where it cannot."""
    n, first, n_tasks = 0, 0, len(line.task)
    while first < n_tasks:
        if _piece(ends, line, first, first) > most:
            return NEVER
        last = first
        while last + 1 < n_tasks and _piece(ends, line, first, last + 1) <= most:
            last += 1
        n, first = n + 1, last + 1
    return n


@kernel
def _cuts(ends: Ends, line: Line, n_teams: int, most: int) -> tuple[int, Ints]:
    """Return the least total of at most `n_teams` pieces no longer than `most`, and the cuts."""
    n = len(line.task)
    total = np.full((n_teams + 1, n + 1), NEVER, np.int64)
    came = np.full((n_teams + 1, n + 1), NONE, np.int32)
    total[0, 0] = 0
    for piece in range(1, n_teams + 1):
        for first in range(n):
            if total[piece - 1, first] >= NEVER:
                continue
            for last in range(first, n):
                if line.done[last] - line.done[first] > most:
                    break
                length = _piece(ends, line, first, last)
                if length <= most and total[piece - 1, first] + length < total[piece, last + 1]:
                    total[piece, last + 1] = total[piece - 1, first] + length
                    came[piece, last + 1] = first
    best = 1
    for piece in range(2, n_teams + 1):
        if total[piece, n] < total[best, n]:
            best = piece
    cuts = np.empty(best + 1, np.int32)
    cuts[best] = n
    for piece in range(best, 0, -1):
        cuts[piece - 1] = came[piece, cuts[piece]]
    return total[best, n], cuts
