"""Sweep with one-ways, quickly: directions from a relaxed flow, then balance, then join.

The programme of `routing.sweep.exact` without its cuts is a least-cost flow whose solution serves
each street along, against, or half and half. The halves are decided as on foot: a T-join makes
their junctions even and closed walks over them say which way each goes (after Frederickson,
"Approximation algorithms for some postman problems", J. ACM 26, 1979, doi:10.1145/322139.322150).
With all directions given a second flow balances the stops. Parts that stay apart are joined by the
cheapest way out of each, and the flow is taken again with those ways held. The first flow's cost is
a bound, if a weak one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from ortools.graph.python import min_cost_flow
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from routing.sweep.core import Core, Flags, Longs
from routing.sweep.directed import Choice, Directed, choice_of, groups_of
from routing.sweep.ground import Ground
from routing.sweep.join import minimum_join
from routing.sweep.model import Ints
from routing.sweep.tour import order_passes

PLENTY: Final = 1 << 20
"""Times a way may be travelled."""

DETOUR: Final = 1.6
"""What evening out charges for a way that is open in one direction only, in its own cost: it may be
ridden the wrong way there, and another way must then be found for it."""


def quick_choice(ground: Ground, core: Core, posed: Directed) -> tuple[Choice, int]:
    """Return a tour in one piece, 0 to 13 % above the best where measured, and a bound.

    Returns
    -------
    choice : Choice
    bound : int
        Milliseconds no tour can go below.
    """
    turned, bound = _relaxed_directions(posed)
    is_along = turned == 0
    half = np.flatnonzero(turned == 1).astype(np.int32)
    if len(half):
        is_along[half] = _even_directions(ground, core, posed, half)
    return joined_flow(posed, is_along, np.zeros(len(posed.cost), np.int64)), bound


def relaxed_bound(posed: Directed) -> int:
    """Return the milliseconds no tour can go below, joined or not."""
    return _relaxed_directions(posed)[1]


def joined_flow(posed: Directed, is_along: Flags, held: Longs) -> Choice:
    """Balance the stops with all directions given, and join what stays apart.

    Parameters
    ----------
    posed : Directed
    is_along : bool ndarray, shape (n_free,)
    held : ndarray of int64, shape (n_ways,)
        Times each way is travelled in any case.
    """
    held = held.copy()
    while True:
        times = held + _balancing(posed, is_along, held)
        n_groups, label = groups_of(posed, times > 0)
        if n_groups == 1:
            return choice_of(posed, times, is_along)
        held[_ways_out(posed, label, n_groups)] += 1


def _relaxed_directions(posed: Directed) -> tuple[Ints, int]:
    """Return halves each free street is turned by (0 along, 1 half, 2 against), and the bound."""
    needed = -_surplus(posed, np.ones(len(posed.free), bool))
    turn = posed.against - posed.along
    flow = min_cost_flow.SimpleMinCostFlow()
    ways = _add(flow, posed.tail, posed.head, np.full(len(posed.cost), PLENTY), 2 * posed.cost)
    turns = _add(flow, posed.free_head, posed.free_tail, np.full(len(turn), 2), turn)
    _send(flow, needed)
    times, turned = flow.flows(ways), flow.flows(turns)
    doubled = 2 * int(times @ posed.cost) + int(turned @ turn)
    served = posed.fixed_cost + int(posed.along.sum())
    return turned.astype(np.int32), served + -(-doubled // 2)


def _surplus(posed: Directed, is_along: Flags) -> Longs:
    """Return services out of each stop less services into it."""
    start = np.where(is_along, posed.free_tail, posed.free_head)
    end = np.where(is_along, posed.free_head, posed.free_tail)
    counted = np.bincount(start, minlength=posed.n) - np.bincount(end, minlength=posed.n)
    return posed.surplus + counted


def _balancing(posed: Directed, is_along: Flags, held: Longs) -> Longs:
    """Return the ways that balance the stops at least cost, beside those held."""
    surplus = _surplus(posed, is_along).astype(np.float64)
    surplus += np.bincount(posed.tail, held, minlength=posed.n)
    surplus -= np.bincount(posed.head, held, minlength=posed.n)
    flow = min_cost_flow.SimpleMinCostFlow()
    ways = _add(flow, posed.tail, posed.head, np.full(len(posed.cost), PLENTY), posed.cost)
    _send(flow, -np.rint(surplus).astype(np.int64))
    times: Longs = flow.flows(ways).astype(np.int64)
    return times


def _add(
    flow: min_cost_flow.SimpleMinCostFlow, tail: Ints, head: Ints, capacity: Longs, cost: Longs
) -> Ints:
    """Add arcs to a flow; return their numbers."""
    columns = (tail.astype(np.int32), head.astype(np.int32), capacity.astype(np.int64))
    numbers: Ints = flow.add_arcs_with_capacity_and_unit_cost(*columns, cost.astype(np.int64))
    return numbers


def _send(flow: min_cost_flow.SimpleMinCostFlow, supply: Longs) -> None:
    """Solve; every stop is reached from every other, so there is a flow."""
    flow.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise AssertionError(f"a flow between stops that reach each other ended as {status}")


def _ways_out(posed: Directed, label: Ints, n_groups: int) -> Ints:
    """Return the ways of a cheapest path out of every group but the largest, to another one."""
    order = np.lexsort((posed.cost, posed.head, posed.tail))
    tail, head = posed.tail[order], posed.head[order]
    is_first = np.r_[True, (np.diff(tail) != 0) | (np.diff(head) != 0)]
    way = order[is_first].astype(np.int32)
    ends = (posed.tail[way], posed.head[way])
    graph = csr_array((posed.cost[way].astype(float), ends), shape=(posed.n, posed.n))
    number = csr_array((np.arange(1, len(way) + 1), ends), shape=(posed.n, posed.n))
    largest = np.bincount(label).argmax()
    found: list[int] = []
    for group in range(n_groups):
        if group != largest:
            inside = np.flatnonzero(label == group)
            time, since, _ = dijkstra(
                graph, indices=inside, min_only=True, return_predecessors=True
            )
            time[inside] = np.inf
            at = int(time.argmin())
            while since[at] >= 0:
                found.append(int(way[number[since[at], at] - 1]))
                at = int(since[at])
    return np.unique(found).astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """Two stops that a way joins, each pair once: cheapest way and its price either way."""

    tail: Ints
    head: Ints
    way: Ints
    weight: Longs


def _pairs(core: Core) -> _Pairs:
    """Forget the directions of the ways."""
    low, high = np.minimum(core.tail, core.head), np.maximum(core.tail, core.head)
    is_up = core.tail == low
    order = np.lexsort((core.cost, ~is_up, high, low))
    pair, first = np.unique(low[order].astype(np.int64) * core.n + high[order], return_index=True)
    way = order[first]
    side = 2 * np.searchsorted(pair, low.astype(np.int64) * core.n + high) + is_up
    best = np.full(2 * len(pair), np.iinfo(np.int64).max, np.int64)
    np.minimum.at(best, side, core.cost)
    one, other = best.reshape(-1, 2).min(axis=1), best.reshape(-1, 2).max(axis=1)
    has_both = other < np.iinfo(np.int64).max
    weight = np.where(
        has_both, (one + np.where(has_both, other, 0)) // 2, (DETOUR * one).astype(np.int64)
    )
    return _Pairs(
        tail=low[way], head=high[way], way=way.astype(np.int32), weight=weight.astype(np.int64)
    )


def _even_directions(ground: Ground, core: Core, posed: Directed, half: Ints) -> Flags:
    """Decide the streets that are half and half: along closed walks over their evened junctions."""
    pairs = _pairs(core)
    ends = np.concatenate([posed.free_tail[half], posed.free_head[half]])
    is_odd = np.bincount(ends, minlength=posed.n) % 2 == 1
    joined = minimum_join(posed.n, pairs.tail, pairs.head, pairs.weight, is_odd)
    times = np.zeros(len(core.cost), np.int64)
    times[pairs.way[joined]] = 1
    segments = posed.free[half]
    passes = np.concatenate([2 * segments, core.expand(times)]).astype(np.int32)
    arcs, _, _ = order_passes(ground, passes, is_free=True)
    segment, first = np.unique(arcs >> 1, return_index=True)
    is_along: Flags = arcs[first[np.searchsorted(segment, segments)]] % 2 == 0
    return is_along
