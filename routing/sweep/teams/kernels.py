"""The orders of several teams' tasks and what they take: integers in, integers out."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import NONE, Ints
from routing.hierarchy.kernel import kernel

UNEVEN: Final = 5
"""Milliseconds that a millisecond over the even share costs."""

OVERTIME: Final = 10_000
"""Milliseconds that a millisecond over the shift costs: more than any way back can save."""

Loads = NDArray[np.int64]
"""Column of milliseconds of whole routes."""


class Ends(NamedTuple):
    """Times between ends of tasks, and from and to the teams' stations.

    Attributes
    ----------
    between : ndarray of int32, shape (n_ends, n_ends)
        Milliseconds from end to end; FAR where there is no way.
    out, back : ndarray of int32, shape (n_teams, n_ends)
        From and to each team's station.
    start, end : ndarray of int32, shape (n_tasks, 2)
        Ends of a task done along (way 0) and against its street (way 1).
    service : ndarray of int32, shape (n_tasks, 2)
        Milliseconds; FAR where it may not be done that way.
    near : ndarray of int32, shape (n_tasks, n_near)
        Other tasks that begin nearest to where each ends or the other way round, nearest first.
    """

    between: Ints
    out: Ints
    back: Ints
    start: Ints
    end: Ints
    service: Ints
    near: Ints


class Limits(NamedTuple):
    """Loads above which a route is dearer.

    Attributes
    ----------
    even : int
        Milliseconds of a route that is still even with the others.
    shift : int
        Milliseconds of the shift.
    """

    even: int
    shift: int


class Orders(NamedTuple):
    """What each team does, in order; a team with nothing to do stays at its station.

    Attributes
    ----------
    task, way : ndarray of int32, shape (n_teams, n_tasks)
        The first `size` columns of a row count.
    size : ndarray of int32, shape (n_teams,)
    load : ndarray of int64, shape (n_teams,)
        Milliseconds from the station and back.
    """

    task: Ints
    way: Ints
    size: Ints
    load: Loads


@kernel
def penalised(load: int, limits: Limits) -> int:
    """Return the milliseconds of a route with what it is over the even share and the shift."""
    return load + UNEVEN * max(0, load - limits.even) + OVERTIME * max(0, load - limits.shift)


@kernel
def lead(ends: Ends, orders: Orders, team: int, at: int, end: int) -> int:
    """Return the way to `end` from what `team` does before position `at`."""
    if at == 0:
        return int(ends.out[team, end])
    task, way = orders.task[team, at - 1], orders.way[team, at - 1]
    return int(ends.between[ends.end[task, way], end])


@kernel
def trail(ends: Ends, orders: Orders, team: int, at: int, end: int) -> int:
    """Return the way from `end` to what `team` does at position `at`, or to its station."""
    if at >= orders.size[team]:
        return int(ends.back[team, end])
    task, way = orders.task[team, at], orders.way[team, at]
    return int(ends.between[end, ends.start[task, way]])


@kernel
def joint(ends: Ends, orders: Orders, team: int, before: int, after: int) -> int:
    """Return the way from the task before position `before` to that at `after`."""
    if before == 0:
        if after >= orders.size[team]:
            return 0
        task, way = orders.task[team, after], orders.way[team, after]
        return int(ends.out[team, ends.start[task, way]])
    task, way = orders.task[team, before - 1], orders.way[team, before - 1]
    return trail(ends, orders, team, after, ends.end[task, way])


@kernel
def measure(ends: Ends, orders: Orders, team: int) -> int:
    """Return the milliseconds of a team's route."""
    n = orders.size[team]
    total = joint(ends, orders, team, 0, 0)
    for at in range(n):
        task, way = orders.task[team, at], orders.way[team, at]
        total += ends.service[task, way] + trail(ends, orders, team, at + 1, ends.end[task, way])
    return total


@kernel
def block_time(ends: Ends, orders: Orders, team: int, span: tuple[int, int], turned: bool) -> int:
    """Return the milliseconds inside a block of tasks, done in its order or turned round."""
    total = 0
    for i in range(span[0], span[1]):
        task, way = orders.task[team, i], orders.way[team, i]
        total += ends.service[task, 1 - way if turned else way]
        if i + 1 < span[1]:
            then, its_way = orders.task[team, i + 1], orders.way[team, i + 1]
            if turned:
                total += ends.between[ends.end[then, 1 - its_way], ends.start[task, 1 - way]]
            else:
                total += ends.between[ends.end[task, way], ends.start[then, its_way]]
    return total


@kernel
def carry(
    orders: Orders, team: int, span: tuple[int, int], to: tuple[int, int], turned: bool
) -> None:
    """Take a block out and put it in elsewhere."""
    (at, after), (to_team, to_at) = span, to
    length = after - at
    task = orders.task[team, at:after].copy()
    way = orders.way[team, at:after].copy()
    if turned:
        task, way = task[::-1].copy(), (1 - way[::-1]).astype(np.int32)
    for i in range(at, orders.size[team] - length):
        orders.task[team, i] = orders.task[team, i + length]
        orders.way[team, i] = orders.way[team, i + length]
    orders.size[team] -= length
    place = to_at - length if to_team == team and to_at > at else to_at
    for i in range(orders.size[to_team] - 1, place - 1, -1):
        orders.task[to_team, i + length] = orders.task[to_team, i]
        orders.way[to_team, i + length] = orders.way[to_team, i]
    orders.task[to_team, place : place + length] = task
    orders.way[to_team, place : place + length] = way
    orders.size[to_team] += length


@kernel
def insert(orders: Orders, task: int, way: int, to: tuple[int, int]) -> None:
    """Let a team do a task at a position."""
    team, at = to
    for i in range(orders.size[team], at, -1):
        orders.task[team, i] = orders.task[team, i - 1]
        orders.way[team, i] = orders.way[team, i - 1]
    orders.task[team, at], orders.way[team, at] = task, way
    orders.size[team] += 1


@kernel
def shed(ends: Ends, orders: Orders, shift: int) -> Ints:
    """Take out of every route over the shift what frees most time for the service lost."""
    gone = np.empty(orders.task.shape[1], np.int32)
    n_gone = 0
    for team in range(len(orders.size)):
        while orders.load[team] > shift:
            worst, at = -1.0, 0
            for i in range(orders.size[team]):
                task, way = orders.task[team, i], orders.way[team, i]
                freed = lead(ends, orders, team, i, ends.start[task, way])
                freed += ends.service[task, way]
                freed += trail(ends, orders, team, i + 1, ends.end[task, way])
                freed -= joint(ends, orders, team, i, i + 1)
                if freed / ends.service[task, way] > worst:
                    worst, at = freed / ends.service[task, way], i
            gone[n_gone] = orders.task[team, at]
            n_gone += 1
            for i in range(at, orders.size[team] - 1):
                orders.task[team, i] = orders.task[team, i + 1]
                orders.way[team, i] = orders.way[team, i + 1]
            orders.size[team] -= 1
            orders.load[team] = measure(ends, orders, team)
    return gone[:n_gone].copy()


@kernel
def fill(ends: Ends, orders: Orders, tasks: Ints, shift: int) -> Ints:
    """Put each task where it adds least, within the shift; return those that fit nowhere."""
    left = np.empty(len(tasks), np.int32)
    n_left = 0
    for task in tasks:
        best, to_team, to_at, to_way = 1 << 40, NONE, NONE, 0
        for team in range(len(orders.size)):
            for at in range(orders.size[team] + 1):
                gap = joint(ends, orders, team, at, at)
                for way in range(2):
                    added = lead(ends, orders, team, at, ends.start[task, way]) - gap
                    added += ends.service[task, way]
                    added += trail(ends, orders, team, at, ends.end[task, way])
                    if added < best and orders.load[team] + added <= shift:
                        best, to_team, to_at, to_way = added, team, at, way
        if to_team == NONE:
            left[n_left] = task
            n_left += 1
            continue
        insert(orders, task, to_way, (to_team, to_at))
        orders.load[to_team] += best
    return left[:n_left].copy()
