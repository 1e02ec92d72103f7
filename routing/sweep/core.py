"""The sweep's own small graph: nodes of asked streets, and the ways between them that may pay.

A dead-heading way breaks up at every stop (a node of an asked street, or the start) it passes. A
piece between two stops can be replaced by a fastest way, and that breaks up again into arcs between
stops and *clean* ways, which pass no stop. So arcs between stops and, from every stop, the clean
ways that are faster than any way past another stop carry a best tour of the whole network, however
large it is.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import LimitExceeded
from routing.hierarchy.kernel import NONE, grown, kernel
from routing.sweep.ground import Ground
from routing.sweep.model import Ints

MOST_LABELS: Final = 12_000_000
"""Nodes reached by all searches together before they are cut short: some 3 s."""

FEWEST_LABELS: Final = 500
"""Nodes one search may settle after that, however many searches share the work."""

ENDLESS: Final = np.int64(1 << 38)
"""Cost of no way; costs here may be doubled milliseconds."""

NODE_BITS: Final = np.int64(24)
NODE_MASK: Final = np.int64((1 << 24) - 1)
"""Bits of a heap key that name the node; the others are the cost."""

Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Arcs(NamedTuple):
    """Open arcs in order of the node they leave."""

    first: Ints
    """Arcs out of node v are ``first[v]:first[v + 1]``, shape (n_nodes + 1,)."""
    tail: Ints
    head: Ints
    cost: Longs
    number: Ints
    """Arc of the problem."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """Stops and the ways between them.

    Attributes
    ----------
    node : ndarray of int32, shape (n,)
        Node of the problem each stop is.
    tail, head : ndarray of int32, shape (n_ways,)
        Stops.
    cost : ndarray of int64, shape (n_ways,)
    offsets, arcs : ndarray of int32
        Arcs of the problem that way i takes, in order: ``arcs[offsets[i]:offsets[i + 1]]``.
    is_complete : bool
        Whether no search was cut short: a best tour of the whole network is among the core's.
    """

    node: Ints
    tail: Ints
    head: Ints
    cost: Longs
    offsets: Ints
    arcs: Ints
    is_complete: bool

    @property
    def n(self) -> int:
        """Stops."""
        return len(self.node)

    def stop_of(self, nodes: Ints) -> Ints:
        """Return the stops that nodes of the problem are."""
        return np.searchsorted(self.node, nodes).astype(np.int32)

    def expand(self, times: NDArray[np.int64]) -> Ints:
        """Return the arcs of the problem that ways taken `times` often pass, repeats included."""
        ways = np.repeat(np.arange(len(self.cost)), times)
        length = np.diff(self.offsets)[ways]
        before = np.repeat(self.offsets[ways] - np.r_[0, np.cumsum(length)[:-1]], length)
        return self.arcs[before + np.arange(len(before))]


def build_core(ground: Ground, cost: Longs, *, most_labels: int = MOST_LABELS) -> Core:
    """Return the core of a ground.

    Parameters
    ----------
    ground : Ground
    cost : ndarray of int64, shape (n_arcs,)
        Of dead-heading; looked at on open arcs only.
    most_labels : int
        Work limit: where stops lie scattered over a city, far ways between them are not looked for.

    Raises
    ------
    LimitExceeded
        The stops are so far apart that no way between some of them was found.
    """
    problem = ground.problem
    stops = ground.stops()
    is_stop = np.zeros(problem.n_nodes, bool)
    is_stop[stops] = True
    arcs = np.flatnonzero(ground.is_open & (problem.tail != problem.head)).astype(np.int32)
    columns = by_tail(ground, arcs, cost)
    share = max(FEWEST_LABELS, most_labels // len(stops))
    limits = np.array([most_labels, share])
    is_complete, tail, way_cost, lengths, path = _search_clean(columns, stops, is_stop, limits)
    direct = arcs[is_stop[problem.tail[arcs]] & is_stop[problem.head[arcs]]]
    last = np.cumsum(lengths) - 1
    offsets = np.r_[np.arange(len(direct) + 1), len(direct) + 1 + last]
    tails = np.concatenate([problem.tail[direct], tail])
    heads = np.concatenate([problem.head[direct], problem.head[path[last]]])
    core = Core(
        node=stops,
        tail=np.searchsorted(stops, tails).astype(np.int32),
        head=np.searchsorted(stops, heads).astype(np.int32),
        cost=np.r_[cost[direct], way_cost],
        offsets=offsets.astype(np.int32),
        arcs=np.r_[direct, path].astype(np.int32),
        is_complete=is_complete,
    )
    if not is_complete and not _hangs_together(core):
        raise LimitExceeded(
            what=f"sweep: ways between {core.n} street ends",
            limit=f"{share} junctions looked at from each",
            hint="Sweep one neighbourhood at a time.",
        )
    return core


def _hangs_together(core: Core) -> bool:
    """Return whether every stop is reached from every other."""
    ones = np.ones(len(core.tail), np.int8)
    graph = coo_array((ones, (core.tail, core.head)), shape=(core.n, core.n)).tocsr()
    n_parts, _ = connected_components(graph, directed=True, connection="strong")
    return bool(n_parts == 1)


class Labels(NamedTuple):
    """A search from one stop; blank everywhere between two searches."""

    time: Longs
    """From the stop; ENDLESS where not reached."""
    came: Ints
    """Arc the time comes from."""
    is_past: Flags
    """Whether the way passes another stop: of equal ways the one that does counts."""
    is_settled: Flags
    seen: Ints
    """Nodes reached, in order of being reached; the rest is scratch."""


def whole_core(ground: Ground, cost: Longs) -> Core:
    """Return the core in which every node is a stop: the open arcs themselves."""
    problem = ground.problem
    arcs = np.flatnonzero(ground.is_open & (problem.tail != problem.head)).astype(np.int32)
    return Core(
        node=np.arange(problem.n_nodes, dtype=np.int32),
        tail=problem.tail[arcs],
        head=problem.head[arcs],
        cost=cost[arcs].astype(np.int64),
        offsets=np.arange(len(arcs) + 1, dtype=np.int32),
        arcs=arcs,
        is_complete=True,
    )


def by_tail(ground: Ground, arcs: Ints, cost: Longs) -> Arcs:
    """Sort arcs by the node they leave."""
    problem = ground.problem
    order = arcs[np.argsort(problem.tail[arcs], kind="stable")]
    tail: Ints = problem.tail[order]
    return Arcs(
        first=np.searchsorted(tail, np.arange(problem.n_nodes + 1)).astype(np.int32),
        tail=tail,
        head=problem.head[order],
        cost=cost[order].astype(np.int64),
        number=order,
    )


@kernel
def _search_clean(
    arcs: Arcs, stops: Ints, is_stop: Flags, limits: Longs
) -> tuple[bool, Ints, Longs, Ints, Ints]:
    """Find the clean ways out of every stop.

    Returns
    -------
    whether every search came to its end; tail, cost and number of arcs of each way; the arcs, way
    by way.
    """
    n = len(is_stop)
    labels = Labels(
        np.full(n, ENDLESS, np.int64),
        np.full(n, NONE, np.int32),
        np.zeros(n, np.bool_),
        np.zeros(n, np.bool_),
        np.empty(n, np.int32),
    )
    tail, length, path = np.empty(64, np.int32), np.empty(64, np.int32), np.empty(64, np.int32)
    cost = np.empty(64, np.int64)
    n_ways, n_path, work, is_complete = 0, 0, 0, True
    for start in stops:
        most = len(is_stop) + 1 if work < limits[0] else limits[1]
        n_seen, is_over = _search(arcs, is_stop, len(stops), start, labels, most)
        work += n_seen
        is_complete = is_complete and is_over
        for i in range(n_seen):
            node = labels.seen[i]
            is_way = is_stop[node] and node != start and labels.is_settled[node]
            if is_way and not labels.is_past[node]:
                steps = _steps(arcs, labels.came, start, node)
                if steps > 1:
                    tail, length = grown(tail, n_ways + 1), grown(length, n_ways + 1)
                    path = grown(path, n_path + steps)
                    if n_ways == len(cost):
                        cost = np.concatenate((cost, np.empty(n_ways, np.int64)))
                    _trace(arcs, labels.came, node, path[n_path : n_path + steps])
                    tail[n_ways], length[n_ways], cost[n_ways] = start, steps, labels.time[node]
                    n_ways, n_path = n_ways + 1, n_path + steps
        _blank(labels, labels.seen[:n_seen])
    return is_complete, tail[:n_ways], cost[:n_ways], length[:n_ways], path[:n_path]


@kernel
def _search(  # noqa: PLR0917  kernels take no keywords
    arcs: Arcs, is_stop: Flags, n_stops: int, start: int, labels: Labels, most: int
) -> tuple[int, bool]:
    """Dijkstra from one stop until no clean way is open or all stops are settled.

    Returns
    -------
    number of nodes reached, the first ones of `labels.seen`; whether it ended before settling
    `most` nodes.
    """
    labels.time[start] = 0
    labels.seen[0] = start
    n_seen, n_clean, n_left, n_settled = 1, 1, n_stops, 0
    heap = [np.int64(start)]
    while len(heap) > 0 and n_clean > 0 and n_left > 0:
        if n_settled == most:
            return n_seen, False
        node = heappop(heap) & NODE_MASK
        if labels.is_settled[node]:
            continue
        labels.is_settled[node] = True
        n_settled += 1
        n_left -= is_stop[node]
        n_clean -= not labels.is_past[node]
        is_past = labels.is_past[node] or (is_stop[node] and node != start)
        for k in range(arcs.first[node], arcs.first[node + 1]):
            to, time = arcs.head[k], labels.time[node] + arcs.cost[k]
            is_better = time < labels.time[to]
            if time == labels.time[to]:
                is_better = is_past and not labels.is_past[to]
            if labels.is_settled[to] or not is_better:
                continue
            if labels.time[to] == ENDLESS:
                labels.seen[n_seen] = to
                n_seen += 1
            else:
                n_clean -= not labels.is_past[to]
            n_clean += not is_past
            labels.time[to], labels.came[to], labels.is_past[to] = time, k, is_past
            heappush(heap, (time << NODE_BITS) | to)
    return n_seen, True


@kernel
def _steps(arcs: Arcs, came: Ints, start: int, node: int) -> int:
    """Return the number of arcs from `start` to `node`."""
    steps = 0
    while node != start:
        node = arcs.tail[came[node]]
        steps += 1
    return steps


@kernel
def _trace(arcs: Arcs, came: Ints, node: int, path: Ints) -> None:
    """Write the arcs to `node`, the first one first."""
    for i in range(len(path) - 1, -1, -1):
        path[i] = arcs.number[came[node]]
        node = arcs.tail[came[node]]


@kernel
def _blank(labels: Labels, seen: Ints) -> None:
    """Wipe the labels of one search."""
    for node in seen:
        labels.time[node], labels.came[node] = ENDLESS, NONE
        labels.is_past[node], labels.is_settled[node] = False, False
