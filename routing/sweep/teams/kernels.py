"""Local search on the orders of several teams' tasks: integers in, integers out.

The moves are those of capacitated arc routing (Lacomme, Prins, Ramdane-Cherif, "Competitive
memetic algorithms for arc routing problems", Annals of Operations Research 131, 2004): one to three
tasks go elsewhere, two tasks change places, two teams exchange the rest of their nights. A task
that moves takes the better of its two directions.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import NONE, Ints
from routing.hierarchy.kernel import kernel

LONGEST_BLOCK: Final = 3
"""Tasks that move together at most."""

UNEVEN: Final = 20
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
    """

    between: Ints
    out: Ints
    back: Ints
    start: Ints
    end: Ints
    service: Ints


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
def _block(ends: Ends, orders: Orders, team: int, span: tuple[int, int], turned: bool) -> int:
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
def move_blocks(ends: Ends, orders: Orders, limits: Limits) -> bool:
    """Move each block of tasks to where it saves most; return whether any moved."""
    moved = False
    for team in range(len(orders.size)):
        at = 0
        while at < orders.size[team]:
            done = False
            for length in range(1, LONGEST_BLOCK + 1):
                if at + length <= orders.size[team] and not done:
                    done = _move_block(ends, orders, team, (at, at + length), limits)
            moved = moved or done
            if not done:
                at += 1
    return moved


@kernel
def _move_block(
    ends: Ends, orders: Orders, team: int, span: tuple[int, int], limits: Limits
) -> bool:
    at, after = span
    first, its_way = orders.task[team, at], orders.way[team, at]
    last, last_way = orders.task[team, after - 1], orders.way[team, after - 1]
    inside = _block(ends, orders, team, span, False)
    around = _block(ends, orders, team, span, True)
    freed = lead(ends, orders, team, at, ends.start[first, its_way]) + inside
    freed += trail(ends, orders, team, after, ends.end[last, last_way])
    left = orders.load[team] - freed + joint(ends, orders, team, at, after)
    saved = penalised(orders.load[team], limits) - penalised(left, limits)
    best, to_team, to_at, to_turned = 0, NONE, NONE, False
    for other in range(len(orders.size)):
        here = other == team
        load = left if here else orders.load[other]
        was = penalised(load, limits)
        for turned in (False, True):
            begin = ends.end[last, last_way] if turned else ends.start[first, its_way]
            finish = ends.start[first, its_way] if turned else ends.end[last, last_way]
            within = around if turned else inside
            for place in range(orders.size[other] + 1):
                if here and at <= place <= after and not (turned and place == at):
                    continue
                then = after if here and place == at else place
                added = lead(ends, orders, other, place, begin) + within
                added += trail(ends, orders, other, then, finish)
                added -= joint(ends, orders, other, place, then)
                gain = saved + was - penalised(load + added, limits)
                if gain > best:
                    best, to_team, to_at, to_turned = gain, other, place, turned
    if to_team == NONE:
        return False
    _carry(orders, team, span, (to_team, to_at), to_turned)
    orders.load[team] = measure(ends, orders, team)
    orders.load[to_team] = measure(ends, orders, to_team)
    return True


@kernel
def _carry(
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
def swap_tasks(ends: Ends, orders: Orders, limits: Limits) -> bool:
    """Let two tasks of two teams change places where it saves most; return whether any did."""
    swapped = False
    for team in range(len(orders.size)):
        for at in range(orders.size[team]):
            swapped = _swap(ends, orders, team, at, limits) or swapped
    return swapped


@kernel
def _stand_in(ends: Ends, orders: Orders, team: int, at: int, task: int) -> tuple[int, int]:
    """Return the milliseconds a task takes in another's place with the ways around, and its way."""
    best, its_way = 1 << 40, 0
    for way in range(2):
        total = lead(ends, orders, team, at, ends.start[task, way]) + ends.service[task, way]
        total += trail(ends, orders, team, at + 1, ends.end[task, way])
        if total < best:
            best, its_way = total, way
    return best, its_way


@kernel
def _swap(ends: Ends, orders: Orders, team: int, at: int, limits: Limits) -> bool:
    task, way = orders.task[team, at], orders.way[team, at]
    own = lead(ends, orders, team, at, ends.start[task, way]) + ends.service[task, way]
    own += trail(ends, orders, team, at + 1, ends.end[task, way])
    was = penalised(orders.load[team], limits)
    best, to_team, to_at, ways = 0, NONE, NONE, (0, 0)
    for other in range(team + 1, len(orders.size)):
        now = was + penalised(orders.load[other], limits)
        for place in range(orders.size[other]):
            its, its_way = orders.task[other, place], orders.way[other, place]
            theirs = lead(ends, orders, other, place, ends.start[its, its_way])
            theirs += ends.service[its, its_way]
            theirs += trail(ends, orders, other, place + 1, ends.end[its, its_way])
            here, way_here = _stand_in(ends, orders, team, at, its)
            there, way_there = _stand_in(ends, orders, other, place, task)
            after = penalised(orders.load[team] - own + here, limits)
            after += penalised(orders.load[other] - theirs + there, limits)
            if now - after > best:
                best, to_team, to_at, ways = now - after, other, place, (way_here, way_there)
    if to_team == NONE:
        return False
    orders.task[team, at], orders.way[team, at] = orders.task[to_team, to_at], ways[0]
    orders.task[to_team, to_at], orders.way[to_team, to_at] = task, ways[1]
    orders.load[team] = measure(ends, orders, team)
    orders.load[to_team] = measure(ends, orders, to_team)
    return True


@kernel
def exchange_tails(ends: Ends, orders: Orders, limits: Limits) -> bool:
    """Let two teams exchange what is left of their nights where it saves most."""
    exchanged = False
    for team in range(len(orders.size)):
        for other in range(team + 1, len(orders.size)):
            exchanged = _exchange(ends, orders, team, other, limits) or exchanged
    return exchanged


@kernel
def _done(ends: Ends, orders: Orders, team: int) -> Loads:
    """Return the milliseconds until each task of a team ends; 0 first."""
    n = orders.size[team]
    until = np.zeros(n + 1, np.int64)
    for at in range(n):
        task, way = orders.task[team, at], orders.way[team, at]
        ride = lead(ends, orders, team, at, ends.start[task, way])
        until[at + 1] = until[at] + ride + ends.service[task, way]
    return until


@kernel
def _joined(
    ends: Ends,
    orders: Orders,
    done: tuple[Loads, Loads],
    teams: tuple[int, int],
    cut: tuple[int, int],
) -> int:
    """Return the load of the first `cut[0]` tasks of a team, then another's from `cut[1]`."""
    team, other = teams
    head, tail = cut
    n = orders.size[other]
    until = done[0][head]
    if tail == n:
        if head == 0:
            return 0
        task, way = orders.task[team, head - 1], orders.way[team, head - 1]
        return int(until + ends.back[team, ends.end[task, way]])
    task, way = orders.task[other, tail], orders.way[other, tail]
    last, last_way = orders.task[other, n - 1], orders.way[other, n - 1]
    ride = lead(ends, orders, other, tail, ends.start[task, way])
    rest = done[1][n] - done[1][tail] - ride
    until += lead(ends, orders, team, head, ends.start[task, way])
    return int(until + rest + ends.back[team, ends.end[last, last_way]])


@kernel
def _exchange(ends: Ends, orders: Orders, team: int, other: int, limits: Limits) -> bool:
    mine, theirs = _done(ends, orders, team), _done(ends, orders, other)
    now = penalised(orders.load[team], limits) + penalised(orders.load[other], limits)
    best, at, place = 0, NONE, NONE
    for i in range(orders.size[team] + 1):
        for j in range(orders.size[other] + 1):
            one = _joined(ends, orders, (mine, theirs), (team, other), (i, j))
            two = _joined(ends, orders, (theirs, mine), (other, team), (j, i))
            gain = now - penalised(one, limits) - penalised(two, limits)
            if gain > best:
                best, at, place = gain, i, j
    if at == NONE:
        return False
    n, m = orders.size[team], orders.size[other]
    task, way = orders.task[team, at:n].copy(), orders.way[team, at:n].copy()
    orders.task[team, at : at + m - place] = orders.task[other, place:m]
    orders.way[team, at : at + m - place] = orders.way[other, place:m]
    orders.task[other, place : place + n - at] = task
    orders.way[other, place : place + n - at] = way
    orders.size[team], orders.size[other] = at + m - place, place + n - at
    orders.load[team] = measure(ends, orders, team)
    orders.load[other] = measure(ends, orders, other)
    return True


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
        for i in range(orders.size[to_team], to_at, -1):
            orders.task[to_team, i] = orders.task[to_team, i - 1]
            orders.way[to_team, i] = orders.way[to_team, i - 1]
        orders.task[to_team, to_at], orders.way[to_team, to_at] = task, to_way
        orders.size[to_team] += 1
        orders.load[to_team] += best
    return left[:n_left].copy()
