"""Moves between and within routes, near what is looked at: integers in, integers out.

The moves are those of capacitated arc routing (Lacomme, Prins, Ramdane-Cherif, "Competitive
memetic algorithms for arc routing problems", Annals of Operations Research 131, 2004): one to three
tasks go elsewhere, two tasks change places, two teams exchange the rest of their nights. A task
that moves takes the better of its two directions. Only places beside tasks nearby and at both ends
of every route are tried (granular neighbourhoods: Toth & Vigo, INFORMS Journal on Computing 15,
2003), so a pass over all tasks takes time that grows with their number and not with its square.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import NONE, Ints
from routing.hierarchy.kernel import kernel
from routing.sweep.teams.kernels import (
    Ends,
    Limits,
    Loads,
    Orders,
    block_time,
    carry,
    insert,
    joint,
    lead,
    measure,
    penalised,
    trail,
)

LONGEST_BLOCK: Final = 3
"""Tasks that move together at most."""

BESIDE: Final = 12
"""Tasks nearby beside which another is tried."""

AROUND: Final = 3
"""Tasks before and after a change that are looked at again."""

Flags = NDArray[np.bool_]


class Places(NamedTuple):
    """Where each task is.

    Attributes
    ----------
    team, at : ndarray of int32, shape (n_tasks,)
        Team and position in its order; NONE where no team does it.
    """

    team: Ints
    at: Ints


class Block(NamedTuple):
    """Tasks in a row of one team, and what taking them out saves.

    Attributes
    ----------
    team, at, after : int
        Positions `at` to `after` - 1.
    begin, finish : int
        Ends where it begins and finishes in its own order.
    inside, around : int
        Milliseconds in its own order and turned round.
    left : int
        Load of the team without it.
    saved : int
        What the team's route gets cheaper.
    """

    team: int
    at: int
    after: int
    begin: int
    finish: int
    inside: int
    around: int
    left: int
    saved: int


@kernel
def locate(orders: Orders) -> Places:
    """Return where each task is."""
    n_tasks = orders.task.shape[1]
    places = Places(np.full(n_tasks, NONE, np.int32), np.full(n_tasks, NONE, np.int32))
    for team in range(len(orders.size)):
        _locate(orders, places, team)
    return places


@kernel
def _locate(orders: Orders, places: Places, team: int) -> None:
    for at in range(orders.size[team]):
        places.team[orders.task[team, at]] = team
        places.at[orders.task[team, at]] = at


@kernel
def _changed(ends: Ends, orders: Orders, places: Places, again: Flags, at: tuple[int, int]) -> None:
    """Measure a route anew, and have what is around a position looked at again."""
    team, position = at
    orders.load[team] = measure(ends, orders, team)
    _locate(orders, places, team)
    last = min(orders.size[team], position + AROUND + LONGEST_BLOCK)
    for i in range(max(0, position - AROUND), last):
        again[orders.task[team, i]] = True


@kernel
def move_blocks(ends: Ends, orders: Orders, limits: Limits, look: Flags, again: Flags) -> bool:
    """Move each block of tasks to where it saves most; return whether any moved.

    Parameters
    ----------
    look, again : bool ndarray, shape (n_tasks,)
        Tasks whose moves are tried; those to try next are set.
    """
    moved = False
    places = locate(orders)
    for task in range(len(look)):
        if not look[task] or places.team[task] == NONE:
            continue
        for length in range(1, LONGEST_BLOCK + 1):
            team, at = places.team[task], places.at[task]
            if at + length > orders.size[team]:
                break
            if _move_block(ends, orders, (team, at, at + length), limits, (places, again)):
                moved = True
                break
    return moved


@kernel
def _move_block(
    ends: Ends,
    orders: Orders,
    span: tuple[int, int, int],
    limits: Limits,
    notes: tuple[Places, Flags],
) -> bool:
    block = _lifted(ends, orders, span, limits)
    places, again = notes
    best, to_team, to_at, to_turned = 0, NONE, NONE, False
    for position in range(span[1], span[2], max(1, span[2] - 1 - span[1])):
        anchor = orders.task[span[0], position]
        for k in range(min(BESIDE, ends.near.shape[1])):
            other = places.team[ends.near[anchor, k]]
            if other == NONE:
                continue
            for place in range(
                places.at[ends.near[anchor, k]], places.at[ends.near[anchor, k]] + 2
            ):
                gain, turned = _gain(ends, orders, block, (other, place), limits)
                if gain > best:
                    best, to_team, to_at, to_turned = gain, other, place, turned
    for other in range(len(orders.size)):
        for place in range(0, orders.size[other] + 1, max(1, orders.size[other])):
            gain, turned = _gain(ends, orders, block, (other, place), limits)
            if gain > best:
                best, to_team, to_at, to_turned = gain, other, place, turned
    if to_team == NONE:
        return False
    carry(orders, block.team, (block.at, block.after), (to_team, to_at), to_turned)
    _changed(ends, orders, places, again, (block.team, block.at))
    _changed(ends, orders, places, again, (to_team, to_at))
    return True


@kernel
def _lifted(ends: Ends, orders: Orders, span: tuple[int, int, int], limits: Limits) -> Block:
    """Return a block of tasks as if it were taken out."""
    team, at, after = span
    begin = ends.start[orders.task[team, at], orders.way[team, at]]
    finish = ends.end[orders.task[team, after - 1], orders.way[team, after - 1]]
    inside = block_time(ends, orders, team, (at, after), False)
    around = block_time(ends, orders, team, (at, after), True)
    freed = lead(ends, orders, team, at, begin) + inside
    freed += trail(ends, orders, team, after, finish)
    left = orders.load[team] - freed + joint(ends, orders, team, at, after)
    saved = penalised(orders.load[team], limits) - penalised(left, limits)
    return Block(team, at, after, begin, finish, inside, around, left, saved)


@kernel
def _gain(
    ends: Ends, orders: Orders, block: Block, to: tuple[int, int], limits: Limits
) -> tuple[int, bool]:
    """Return what a block saves at a place, and whether it is turned round there."""
    other, place = to
    here = other == block.team
    is_within = here and block.at <= place <= block.after
    if is_within and place != block.at:
        return 0, False
    load = block.left if here else orders.load[other]
    then = block.after if is_within else place
    free = load - joint(ends, orders, other, place, then)
    was = penalised(load, limits) + block.saved
    turned = free + lead(ends, orders, other, place, block.finish) + block.around
    turned += trail(ends, orders, other, then, block.begin)
    if is_within:
        return was - penalised(turned, limits), True
    kept = free + lead(ends, orders, other, place, block.begin) + block.inside
    kept += trail(ends, orders, other, then, block.finish)
    return was - penalised(min(kept, turned), limits), turned < kept


@kernel
def swap_tasks(ends: Ends, orders: Orders, limits: Limits, look: Flags, again: Flags) -> bool:
    """Let two tasks of two teams change places where it saves most; return whether any did."""
    swapped = False
    places = locate(orders)
    for task in range(len(look)):
        if look[task] and places.team[task] != NONE:
            swapped = _swap(ends, orders, task, limits, (places, again)) or swapped
    return swapped


@kernel
def _own(ends: Ends, orders: Orders, team: int, at: int) -> int:
    """Return the milliseconds of a task with the ways before and after it."""
    task, way = orders.task[team, at], orders.way[team, at]
    total = lead(ends, orders, team, at, ends.start[task, way]) + ends.service[task, way]
    return int(total + trail(ends, orders, team, at + 1, ends.end[task, way]))


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
def _swap(
    ends: Ends, orders: Orders, task: int, limits: Limits, notes: tuple[Places, Flags]
) -> bool:
    places, again = notes
    team, at = places.team[task], places.at[task]
    rest = orders.load[team] - _own(ends, orders, team, at)
    was = penalised(orders.load[team], limits)
    best, found, ways = 0, NONE, (0, 0)
    for k in range(min(BESIDE, ends.near.shape[1])):
        its = ends.near[task, k]
        other, place = places.team[its], places.at[its]
        if other < 0 or other == team:
            continue
        here, way_here = _stand_in(ends, orders, team, at, its)
        there, way_there = _stand_in(ends, orders, other, place, task)
        after = penalised(rest + here, limits)
        load = orders.load[other]
        after += penalised(load - _own(ends, orders, other, place) + there, limits)
        gain = was + penalised(load, limits) - after
        if gain > best:
            best, found, ways = gain, its, (way_here, way_there)
    if found == NONE:
        return False
    to_team, to_at = places.team[found], places.at[found]
    orders.task[team, at], orders.way[team, at] = found, ways[0]
    orders.task[to_team, to_at], orders.way[to_team, to_at] = task, ways[1]
    _changed(ends, orders, places, again, (team, at))
    _changed(ends, orders, places, again, (to_team, to_at))
    return True


@kernel
def exchange_tails(ends: Ends, orders: Orders, limits: Limits, look: Flags, again: Flags) -> bool:
    """Let two teams exchange what is left of their nights where it saves most."""
    exchanged = False
    places = locate(orders)
    until = np.zeros((len(orders.size), len(look) + 1), np.int64)
    for team in range(len(orders.size)):
        _clock(ends, orders, until, team)
    for task in range(len(look)):
        if look[task] and places.team[task] != NONE:
            done = _exchange(ends, orders, task, limits, (places, again, until))
            exchanged = exchanged or done
    return exchanged


@kernel
def _clock(ends: Ends, orders: Orders, until: Loads, team: int) -> None:
    """Write the milliseconds until each task of a team ends; 0 first."""
    for at in range(orders.size[team]):
        task, way = orders.task[team, at], orders.way[team, at]
        ride = lead(ends, orders, team, at, ends.start[task, way])
        until[team, at + 1] = until[team, at] + ride + ends.service[task, way]


@kernel
def _joined(
    ends: Ends, orders: Orders, until: Loads, teams: tuple[int, int], cut: tuple[int, int]
) -> int:
    """Return the load of the first `cut[0]` tasks of a team, then another's from `cut[1]`."""
    team, other = teams
    head, tail = cut
    n = orders.size[other]
    total = until[team, head]
    if tail == n:
        if head == 0:
            return 0
        task, way = orders.task[team, head - 1], orders.way[team, head - 1]
        return int(total + ends.back[team, ends.end[task, way]])
    task, way = orders.task[other, tail], orders.way[other, tail]
    last, last_way = orders.task[other, n - 1], orders.way[other, n - 1]
    ride = lead(ends, orders, other, tail, ends.start[task, way])
    rest = until[other, n] - until[other, tail] - ride
    total += lead(ends, orders, team, head, ends.start[task, way])
    return int(total + rest + ends.back[team, ends.end[last, last_way]])


@kernel
def _gain_of_cut(
    ends: Ends, orders: Orders, limits: Limits, until: Loads, swap: tuple[int, int, int, int]
) -> int:
    """Return what two teams save by exchanging what they do from two positions on."""
    team, other, at, place = swap
    now = penalised(orders.load[team], limits) + penalised(orders.load[other], limits)
    one = _joined(ends, orders, until, (team, other), (at, place))
    two = _joined(ends, orders, until, (other, team), (place, at))
    return int(now - penalised(one, limits) - penalised(two, limits))


@kernel
def _exchange(
    ends: Ends, orders: Orders, task: int, limits: Limits, notes: tuple[Places, Flags, Loads]
) -> bool:
    places, again, until = notes
    team, at = places.team[task], places.at[task]
    best, with_team, cut = 0, NONE, (0, 0)
    for k in range(min(BESIDE, ends.near.shape[1])):
        other, place = places.team[ends.near[task, k]], places.at[ends.near[task, k]]
        if other < 0 or other == team:
            continue
        for before in range(2):
            this = (at + 1 - before, place + before)
            gain = _gain_of_cut(ends, orders, limits, until, (team, other, this[0], this[1]))
            if gain > best:
                best, with_team, cut = gain, other, this
    for other in range(len(orders.size)):
        if other == team:
            continue
        for before in range(2):
            this = (at + 1 - before, before * orders.size[other])
            gain = _gain_of_cut(ends, orders, limits, until, (team, other, this[0], this[1]))
            if gain > best:
                best, with_team, cut = gain, other, this
    if with_team == NONE:
        return False
    _trade(orders, team, with_team, cut)
    _changed(ends, orders, places, again, (team, cut[0]))
    _changed(ends, orders, places, again, (with_team, cut[1]))
    _clock(ends, orders, until, team)
    _clock(ends, orders, until, with_team)
    return True


@kernel
def _trade(orders: Orders, team: int, other: int, cut: tuple[int, int]) -> None:
    """Exchange what two teams do from two positions on."""
    at, place = cut
    n, m = orders.size[team], orders.size[other]
    task, way = orders.task[team, at:n].copy(), orders.way[team, at:n].copy()
    orders.task[team, at : at + m - place] = orders.task[other, place:m]
    orders.way[team, at : at + m - place] = orders.way[other, place:m]
    orders.task[other, place : place + n - at] = task
    orders.way[other, place : place + n - at] = way
    orders.size[team], orders.size[other] = at + m - place, place + n - at


@kernel
def take_out(ends: Ends, orders: Orders, gone: Ints) -> None:
    """Take tasks out of whatever routes they are in."""
    is_gone = np.zeros(orders.task.shape[1], np.bool_)
    is_gone[gone] = True
    for team in range(len(orders.size)):
        n = 0
        for at in range(orders.size[team]):
            if not is_gone[orders.task[team, at]]:
                orders.task[team, n] = orders.task[team, at]
                orders.way[team, n] = orders.way[team, at]
                n += 1
        if n < orders.size[team]:
            orders.size[team] = n
            orders.load[team] = measure(ends, orders, team)


@kernel
def put_back(ends: Ends, orders: Orders, tasks: Ints, limits: Limits) -> None:
    """Put each task where it costs least, beside a task nearby or at an end of a route."""
    places = locate(orders)
    for task in tasks:
        best, to_team, to_at, to_way = 1 << 60, 0, 0, 0
        for k in range(min(BESIDE, ends.near.shape[1])):
            other = places.team[ends.near[task, k]]
            if other == NONE:
                continue
            for at in range(places.at[ends.near[task, k]], places.at[ends.near[task, k]] + 2):
                cost, way = _cost(ends, orders, task, (other, at), limits)
                if cost < best:
                    best, to_team, to_at, to_way = cost, other, at, way
        for other in range(len(orders.size)):
            for at in range(0, orders.size[other] + 1, max(1, orders.size[other])):
                cost, way = _cost(ends, orders, task, (other, at), limits)
                if cost < best:
                    best, to_team, to_at, to_way = cost, other, at, way
        insert(orders, task, to_way, (to_team, to_at))
        orders.load[to_team] = measure(ends, orders, to_team)
        _locate(orders, places, to_team)


@kernel
def _cost(
    ends: Ends, orders: Orders, task: int, to: tuple[int, int], limits: Limits
) -> tuple[int, int]:
    """Return what a task adds at a place, and its way there."""
    team, at = to
    load = orders.load[team]
    bare = load - joint(ends, orders, team, at, at)
    best, its_way = 1 << 60, 0
    for way in range(2):
        after = bare + lead(ends, orders, team, at, ends.start[task, way])
        after += ends.service[task, way] + trail(ends, orders, team, at, ends.end[task, way])
        if after < best:
            best, its_way = after, way
    return penalised(best, limits) - penalised(load, limits), its_way
