"""Ways that are really different: over plateaus first, by penalties where these are too few.

Grown from the origin, and backwards from the destination, two trees of fastest ways agree along
stretches called plateaus: a way over a plateau is fastest from the origin to its end and from its
start to the destination, so it has no detour along it. The longer the plateau for the time the
whole way takes, the better the alternative. Where too few pass, the streets of the ways kept are
made slower, again and again, and the fastest way is looked for on what is left.

A way is kept when it takes at most a stated share longer than the fastest, has at most a stated
share of the fastest's time in common with every way kept before it, and passes no node twice.

References
----------
Cambridge Vehicle Information Technology, "Choice Routing", 2005 (plateaus).
I. Abraham, D. Delling, A. Goldberg, R. Werneck, "Alternative Routes in Road Networks", JEA 18
(2013), doi:10.1145/2444016.2444019 (limited sharing, bounded stretch).
R. Bader, J. Dees, R. Geisberger, P. Sanders, "Alternative Route Graphs in Road Networks", TAPAS
2011, doi:10.1007/978-3-642-19754-3_5 (penalties).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import FAR, NONE, Ends, Ints
from routing.hierarchy.kernel import kernel
from routing.travel.tree import Fan, Grown, grow_tree

PENALTY: Final = 1.4
"""Times slower each round on the streets of ways found so far (Bader et al. 2011: 1.3 to 1.5)."""

ROUNDS: Final = 12
"""Rounds of penalties; after twelve a street is 57 times slower, so every other way was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many ways, and how different.

    Attributes
    ----------
    n_ways : int
        Most ways, the fastest counted.
    stretch, sharing : float
        Longest time, and most time in common with any way kept before, in parts of the fastest's.
    """

    n_ways: int
    stretch: float
    sharing: float


class Streets(NamedTuple):
    """Arcs of a network and their times."""

    tail: Ints
    head: Ints
    whole: Ints
    """Milliseconds."""


class Between(NamedTuple):
    """Two places, joined by a tree from the one and a tree backwards from the other."""

    streets: Streets
    out: Grown
    back: Grown


class Walk(NamedTuple):
    """One way: its arcs in order of travel, and how it begins and ends."""

    arcs: Ints
    ends: Ints
    """Nodes at which it enters and leaves the arcs."""
    rim: Ints
    """Milliseconds from the origin to the one, and from the other to the destination."""


class Kept(NamedTuple):
    """Ways kept so far; the columns have room for all that are wanted."""

    n_kept: NDArray[np.int64]
    """How many, alone in its array."""
    offsets: NDArray[np.int64]
    arcs: Ints
    """Way i runs over ``arcs[offsets[i]:offsets[i + 1]]``."""
    ends: Ints
    """As in `Walk`, shape (n_ways, 2)."""
    time: Ints
    """Milliseconds."""
    shared: Ints
    """Milliseconds in common with the first way; 0 for itself."""
    used: Ints
    """Of each segment: bit i is set where way i runs over it."""


def find_ways(places: Between, fan: Fan, start: Ends, end: Ends, wanted: Wanted) -> Kept:
    """Return the fastest way and its alternatives, in the order of their times.

    Parameters
    ----------
    places : Between
        Trees at the true times.
    fan : Fan
        Arcs that leave each node.
    start, end : Ends
        The two places, one row each.
    wanted : Wanted
    """
    time, plateau = plateaus(places)
    fastest = int(time.min(initial=FAR))
    limit = min(int(wanted.stretch * fastest), FAR - 1)
    node = np.flatnonzero((time <= limit) & (plateau >= 0))
    rank = time[node].astype(np.int64) - plateau[node]
    order = np.lexsort((node, rank, time[node] > fastest))
    kept = _none_yet(places.streets, len(time), wanted.n_ways)
    most = int(wanted.sharing * fastest)
    choose(places, kept, node[order].astype(np.int32), most)
    if 0 < kept.n_kept[0] < wanted.n_ways:
        _add_by_penalties(places, fan, (start, end), kept, (limit, most))
    return _by_time(kept)


def _none_yet(streets: Streets, n_nodes: int, n_ways: int) -> Kept:
    return Kept(
        n_kept=np.zeros(1, np.int64),
        offsets=np.zeros(n_ways + 1, np.int64),
        arcs=np.empty(n_ways * n_nodes, np.int32),
        ends=np.empty((n_ways, 2), np.int32),
        time=np.empty(n_ways, np.int32),
        shared=np.zeros(n_ways, np.int32),
        used=np.zeros(len(streets.tail) >> 1, np.int32),
    )


def _by_time(kept: Kept) -> Kept:
    """Put the ways in the order of their times, the fastest first; cut the columns to them."""
    n = int(kept.n_kept[0])
    order = np.argsort(kept.time[:n], kind="stable")
    parts = [kept.arcs[kept.offsets[i] : kept.offsets[i + 1]] for i in order]
    return kept._replace(
        offsets=np.cumsum([0, *map(len, parts)]),
        arcs=np.concatenate([kept.arcs[:0], *parts]),
        ends=kept.ends[order],
        time=kept.time[order],
        shared=kept.shared[order],
    )


def _add_by_penalties(
    places: Between, fan: Fan, ends: tuple[Ends, Ends], kept: Kept, limits: tuple[int, int]
) -> None:
    """Slow the streets of all ways found and search again, until there are enough."""
    streets, (start, end), (limit, most) = places.streets, ends, limits
    unused = np.full_like(places.back.arc, NONE)
    slower = streets.whole.astype(np.float64)
    found = kept.arcs[: kept.offsets[kept.n_kept[0]]]
    for _ in range(ROUNDS):
        slowed = np.unique(found >> 1)
        slower[2 * slowed] *= PENALTY
        slower[2 * slowed + 1] *= PENALTY
        weight = np.where(streets.whole < FAR, np.minimum(slower, FAR - 1), FAR).astype(np.int32)
        tree = grow_tree(fan, weight, start.node[0], start.offset[0])
        last = _soonest_end(tree, end)
        arcs, first = walk(Between(streets, tree, Grown(unused, unused)), last, unused.copy())
        found = arcs
        rim = np.array([tree.time[first], _offset_at(end, last)], dtype=np.int32)
        way = Walk(arcs, np.array([first, last], dtype=np.int32), rim)
        if int(rim.sum()) + int(streets.whole[arcs].sum(dtype=np.int64)) <= limit:
            admit(streets, kept, way, most)
        if kept.n_kept[0] == len(kept.time):
            return


def _soonest_end(tree: Grown, end: Ends) -> int:
    """Return the node over which a tree reaches the destination soonest."""
    nodes = end.node[0][end.node[0] != NONE]
    time = [int(tree.time[node]) + _offset_at(end, node) for node in nodes]
    return int(nodes[int(np.argmin(time))])


def _offset_at(end: Ends, node: int) -> int:
    return int(end.offset[0][end.node[0] == node].min())


@kernel
def plateaus(places: Between) -> tuple[Ints, Ints]:
    """Return the time of the way through each node, and the time along the plateau it begins.

    The plateau is -1 at nodes in the middle or at the end of one.
    """
    streets, out, back = places
    n = len(out.time)
    time, plateau = np.full(n, FAR, np.int32), np.full(n, NONE, np.int32)
    for v in range(n):
        if out.time[v] >= FAR or back.time[v] >= FAR or out.time[v] + back.time[v] >= FAR:
            continue
        time[v] = out.time[v] + back.time[v]
        before = out.arc[v]
        if before != NONE and back.arc[streets.tail[before]] == before:
            continue
        u = v
        while back.arc[u] != NONE and out.arc[streets.head[back.arc[u]]] == back.arc[u]:
            u = streets.head[back.arc[u]]
        plateau[v] = out.time[u] - out.time[v]
    return time, plateau


@kernel
def walk(places: Between, via: int, path: Ints) -> tuple[Ints, int]:
    """Write the arcs of the way through `via` into `path`; return them and their first node."""
    streets, out, back = places
    n, v = 0, via
    while out.arc[v] != NONE:
        path[n] = out.arc[v]
        n += 1
        v = streets.tail[out.arc[v]]
    path[:n] = path[:n][::-1].copy()
    u = via
    while back.arc[u] != NONE:
        path[n] = back.arc[u]
        n += 1
        u = streets.head[back.arc[u]]
    return path[:n], v


@kernel
def _passes_twice(streets: Streets, way: Walk, seen: Ints, mark: int) -> bool:
    """Tell whether a way passes a node twice."""
    seen[way.ends[0]] = mark
    for arc in way.arcs:
        if seen[streets.head[arc]] == mark:
            return True
        seen[streets.head[arc]] = mark
    return False


@kernel
def _shared(streets: Streets, kept: Kept, way: Walk, other: int) -> int:
    """Return the milliseconds a way has in common with one that is kept."""
    shared = 0
    for arc in way.arcs:
        if (kept.used[arc >> 1] >> other) & 1:
            shared += streets.whole[arc]
    for k in range(2):
        if way.ends[k] == kept.ends[other, k]:
            shared += way.rim[k]
    return shared


@kernel
def admit(streets: Streets, kept: Kept, way: Walk, most: int) -> bool:
    """Keep a way unless it has too much in common with one that is kept."""
    k = kept.n_kept[0]
    for other in range(k):
        shared = _shared(streets, kept, way, other)
        if shared > most:
            return False
        if other == 0:
            kept.shared[k] = shared
    start, time = kept.offsets[k], way.rim[0] + way.rim[1]
    for i in range(len(way.arcs)):
        arc = way.arcs[i]
        kept.arcs[start + i] = arc
        kept.used[arc >> 1] |= 1 << k
        time += streets.whole[arc]
    kept.offsets[k + 1] = start + len(way.arcs)
    kept.ends[k], kept.time[k] = way.ends, time
    kept.n_kept[0] = k + 1
    return True


@kernel
def choose(places: Between, kept: Kept, candidates: Ints, most: int) -> None:
    """Keep the ways through the first candidates that pass."""
    streets, out, back = places
    seen = np.full(len(out.time), NONE, np.int32)
    path = np.empty(2 * len(seen), np.int32)
    for mark in range(len(candidates)):
        if kept.n_kept[0] == len(kept.time):
            break
        via = candidates[mark]
        arcs, first = walk(places, via, path)
        last = streets.head[arcs[-1]] if len(arcs) > 0 else first
        ends = np.array([first, last], dtype=np.int32)
        way = Walk(arcs, ends, np.array([out.time[first], back.time[last]], dtype=np.int32))
        if not _passes_twice(streets, way, seen, mark):
            admit(streets, kept, way, most)
