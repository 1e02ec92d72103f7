"""Sweep on foot: join the parts, then the cheapest edges that make every junction even.

Where the asked streets hang together, the minimum T-join is the optimum. Where they fall into parts
(the rural postman problem, NP-hard), joining them is a choice like a Steiner tree's. Its value is
bounded from below by Lagrangian relaxation: the rule that two edges at least leave every part (and
every union of parts found cut off) is priced instead of kept, and what is left is a T-join again.
With edges used 0, 1 or 2 times and priced costs c, an edge of even use costs min(0, 2 c) and one of
odd use c, so the T-join is taken on |c|. Multipliers are whole numbers, so the bound is exact in
integers. Its tours, repaired, are where the answer comes from (Held & Karp's scheme, Math.
Programming 1, 1971, doi:10.1007/BF01584070; rural postman: Frederickson, SIAM J. Comput. 8, 1979,
doi:10.1137/0208045).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

from geo.progress import NEVER, Progress, StopToken, silent
from routing.sweep.core import Core, Flags, Longs
from routing.sweep.ground import Ground
from routing.sweep.join import HEAVIEST, has_pymatching, minimum_join
from routing.sweep.model import Ints

ROUNDS: Final = 120
"""Rounds of the relaxation: its work limit."""

SLOW_ROUNDS: Final = 1
"""Rounds where joins take seconds each, because PyMatching is not there."""

STEP: Final = 1.5
"""First step, in those that would close the gap were the slacks to stay as they are."""

PATIENCE: Final = 5
"""Rounds without a better bound after which the step is halved."""

MEMORY: Final = 0.7
"""Share of the last course that a step keeps."""

REPAIR: Final = 4
"""Rounds from one repaired tour to the next: a repair takes longer than a bound."""

MOST_LOOKS: Final = 400_000
"""Edges looked at in all rounds together; large sweeps get fewer rounds."""

FINEST: Final = 16
"""Steps of a price per doubled millisecond, fewer where an edge would be too heavy to match."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edges:
    """The core's ways, each once for both directions, and what the asked streets make of its nodes.

    Attributes
    ----------
    way : ndarray of int32, shape (n_edges,)
        Way of the core.
    weight : ndarray of int64, shape (n_edges,)
        Doubled milliseconds.
    is_odd : bool ndarray, shape (n_nodes,)
        Nodes at which an odd number of streets to be served once end.
    part : ndarray of int32, shape (n_nodes,)
        Connected part of the asked streets and the start; -1 at nodes of neither.
    """

    n_nodes: int
    way: Ints
    tail: Ints
    head: Ints
    weight: Longs
    is_odd: Flags
    part: Ints
    n_parts: int

    def joined(self, times: Longs) -> tuple[int, Ints]:
        """Label what asked streets and the edges in use connect: first the parts, then nodes."""
        used = times > 0
        at = np.flatnonzero(self.part >= 0)
        return _components(
            self.n_parts + self.n_nodes,
            np.concatenate([self.tail[used] + self.n_parts, at + self.n_parts]),
            np.concatenate([self.head[used] + self.n_parts, self.part[at]]),
        )


def edges_of(ground: Ground, core: Core) -> Edges:
    """Return the core as an undirected graph."""
    problem = ground.problem
    asked = (
        core.stop_of(problem.tail[2 * ground.asked]),
        core.stop_of(problem.head[2 * ground.asked]),
    )
    once = np.concatenate(
        [core.stop_of(problem.tail[2 * ground.once]), core.stop_of(problem.head[2 * ground.once])]
    )
    is_stop = np.zeros(core.n, bool)
    is_stop[core.stop_of(ground.stops())] = True
    _, label = _components(core.n, *asked)
    numbers, part = np.unique(label[is_stop], return_inverse=True)
    parts = np.full(core.n, -1, np.int32)
    parts[is_stop] = part
    way = np.flatnonzero(core.tail < core.head).astype(np.int32)
    return Edges(
        n_nodes=core.n,
        way=way,
        tail=core.tail[way],
        head=core.head[way],
        weight=core.cost[way],
        is_odd=np.bincount(once, minlength=core.n) % 2 == 1,
        part=parts,
        n_parts=len(numbers),
    )


def _components(
    n: int, tail: NDArray[np.signedinteger], head: NDArray[np.signedinteger]
) -> tuple[int, Ints]:
    graph = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n, n))
    n_parts, label = connected_components(graph, directed=False)
    return int(n_parts), label


def dead_head(
    edges: Edges, *, rounds: int = ROUNDS, progress: Progress = silent, stop: StopToken = NEVER
) -> tuple[Longs, int]:
    """Return how often each edge is travelled without service, and the least that can be.

    Returns
    -------
    times : ndarray of int64, shape (n_edges,)
        0, 1 or 2.
    bound : int
        Doubled milliseconds; equal to those of `times` when proven.
    """
    if edges.n_parts <= 1:
        chosen = _join(edges, edges.weight, edges.is_odd)
        return chosen.astype(np.int64), int(edges.weight[chosen].sum())
    return _Relaxation(edges).run(rounds, progress, stop)


def even_bound(edges: Edges) -> int:
    """Return the doubled milliseconds no tour can go below, joined or not: those of evening out."""
    return int(edges.weight[_join(edges, edges.weight, edges.is_odd)].sum())


def _join(edges: Edges, weight: Longs, is_odd: Flags) -> Flags:
    return minimum_join(edges.n_nodes, edges.tail, edges.head, weight, is_odd)


def _joined_tour(edges: Edges, favoured: Longs) -> Longs:
    """Connect all parts, edges in `favoured` first, and make every node even as cheaply as may be.

    Returns
    -------
    ndarray of int64, shape (n_edges,)
        Times each edge is used.
    """
    links = _spanning_links(edges, np.where(favoured > 0, 1, edges.weight))
    degree = np.bincount(
        np.concatenate([edges.tail[links], edges.head[links]]), minlength=edges.n_nodes
    )
    times = _join(edges, edges.weight, edges.is_odd ^ (degree % 2 == 1)).astype(np.int64)
    times[links] += 1
    return _without_needless(edges, times)


def _spanning_links(edges: Edges, weight: Longs) -> NDArray[np.intp]:
    """Return the edges of ways that connect all parts: a spanning tree of nearest parts.

    Every node belongs to its nearest part; the tree is over the ways that cross from one such cell
    to another (Mehlhorn, Inform. Process. Lett. 27, 1988, doi:10.1016/0020-0190(88)90066-X).
    """
    n = edges.n_nodes
    number = _number_of_pair(edges, weight)
    graph = csr_array((weight[number[2]].astype(float), (number[0], number[1])), shape=(n, n))
    sources = np.flatnonzero(edges.part >= 0)
    time, since, source = dijkstra(
        graph, directed=False, indices=sources, min_only=True, return_predecessors=True
    )
    cell = np.where(source >= 0, edges.part[source.clip(0)], -1)
    a, b = cell[edges.tail], cell[edges.head]
    crossing = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
    cost = time[edges.tail[crossing]] + weight[crossing] + time[edges.head[crossing]]
    order = crossing[np.argsort(cost, kind="stable")]
    low, high = np.minimum(a, b)[order], np.maximum(a, b)[order]
    _, first = np.unique(low.astype(np.int64) * edges.n_parts + high, return_index=True)
    cheapest = order[np.sort(first)]
    rank = np.arange(1.0, len(cheapest) + 1.0)  # of equal costs the first; none is 0
    shape = (edges.n_parts, edges.n_parts)
    tree = minimum_spanning_tree(coo_array((rank, (a[cheapest], b[cheapest])), shape=shape).tocsr())
    chosen = cheapest[np.rint(tree.data).astype(np.int64) - 1]
    return _with_ways_back(edges, chosen, since, number)


def _number_of_pair(edges: Edges, weight: Longs) -> tuple[Ints, Ints, NDArray[np.intp]]:
    """Return low node, high node and cheapest edge of every two joined nodes."""
    order = np.lexsort((weight, edges.head, edges.tail))
    tail, head = edges.tail[order], edges.head[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(tail) != 0) | (np.diff(head) != 0)
    return tail[is_first], head[is_first], order[is_first]


def _with_ways_back(
    edges: Edges,
    chosen: NDArray[np.intp],
    since: Ints,
    number: tuple[Ints, Ints, NDArray[np.intp]],
) -> NDArray[np.intp]:
    """Add the edges from the ends of `chosen` back to their parts."""
    key = number[0].astype(np.int64) * edges.n_nodes + number[1]
    found = [chosen]
    at = np.unique(np.concatenate([edges.tail[chosen], edges.head[chosen]]))
    while len(at := at[since[at] >= 0]):
        low, high = np.minimum(at, since[at]), np.maximum(at, since[at])
        found.append(number[2][np.searchsorted(key, low.astype(np.int64) * edges.n_nodes + high)])
        at = np.unique(since[at])
    return np.unique(np.concatenate(found))


def _without_needless(edges: Edges, times: Longs) -> Longs:
    """Drop edges travelled out and back that nothing hangs on, the dearest first."""
    pairs = np.flatnonzero(times > 1)
    if len(pairs) == 0:
        return times
    kept = np.where(times == 1, 1, 0)
    _, label = edges.joined(kept)
    label = label[edges.n_parts :]
    rank = np.empty(len(pairs))
    rank[np.argsort(edges.weight[pairs], kind="stable")] = np.arange(1.0, len(pairs) + 1.0)
    a, b = label[edges.tail[pairs]], label[edges.head[pairs]]
    n = int(label.max()) + 1
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((rank, high, low))
    order = order[low[order] != high[order]]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    order = order[is_first]
    tree = minimum_spanning_tree(
        coo_array((rank[order], (low[order], high[order])), shape=(n, n)).tocsr()
    )
    needed = np.isin(rank, tree.data)
    out = kept.astype(np.int64)
    out[pairs[needed]] = 2
    return out


class _Relaxation:
    """Prices on the cuts around parts, moved towards the best bound; weights are `fine` times."""

    def __init__(self, edges: Edges) -> None:
        heaviest = int(edges.weight.max(initial=1))
        self.fine = min(FINEST, max(1, HEAVIEST // heaviest))
        self.edges = replace(edges, weight=edges.weight * self.fine)
        self.best = _joined_tour(self.edges, np.zeros(len(edges.weight), np.int64))
        self.best_cost = int(self.best @ self.edges.weight)
        self.bound = 0
        self.known: set[bytes] = set()
        self.cuts = csr_array((0, len(edges.weight)), dtype=np.int64)
        self.prices = np.zeros(0, np.int64)
        self.course = np.zeros(0)
        self._add_cuts(np.arange(edges.n_parts), edges.part)

    def _add_cuts(self, labels: NDArray[np.signedinteger], of: Ints) -> None:
        """Add the cut around each group of nodes, at half the price of its cheapest edge."""
        edges, rows = self.edges, []
        for label in labels:
            inside = of == label
            row = np.flatnonzero(inside[edges.tail] != inside[edges.head])
            if len(row) and row.tobytes() not in self.known:
                self.known.add(row.tobytes())
                rows.append(row)
        if not rows:
            return
        start = np.r_[0, np.cumsum([len(row) for row in rows])]
        ones = np.ones(start[-1], np.int64)
        shape = (len(rows), len(edges.weight))
        new = csr_array((ones, np.concatenate(rows), start), shape=shape)
        first = len(self.prices) == 0
        prices = [edges.weight[row].min() // 2 if first else 0 for row in rows]
        self.cuts = vstack([self.cuts, new]).tocsr()
        self.prices = np.concatenate([self.prices, np.array(prices, np.int64)])
        self.course = np.concatenate([self.course, np.zeros(len(rows))])

    def run(self, rounds: int, progress: Progress, stop: StopToken) -> tuple[Longs, int]:
        """Move the prices until bound and tour meet, the rounds are over or a stop is asked for."""
        step, stale = STEP, 0
        rounds = min(rounds, max(1, MOST_LOOKS // len(self.edges.weight)))
        rounds = rounds if has_pymatching() else min(rounds, SLOW_ROUNDS)
        for done in range(rounds):
            if stop.is_set() or self.is_proven:
                break
            times, bound = self._priced()
            stale = 0 if bound > self.bound else stale + 1
            self.bound = max(self.bound, bound)
            if stale == PATIENCE:
                step, stale = step / 2, 0
            self._move(2 - np.asarray(self.cuts @ times), step, bound)
            if done % REPAIR == 0:
                self._try(times)
            progress(done + 1, rounds, self.best_cost / (2 * self.fine))
        bound = self.best_cost if self.is_proven else self.bound
        return self.best, -(-bound // self.fine)

    @property
    def is_proven(self) -> bool:
        """Whether no tour is shorter: tours differ by whole milliseconds, doubled here."""
        return self.best_cost - self.bound < 2 * self.fine

    def _priced(self) -> tuple[Longs, int]:
        """Return the cheapest even edges under the prices, and the bound they give."""
        edges = self.edges
        cost: Longs = edges.weight - self.cuts.T @ self.prices
        odd = _join(edges, np.abs(cost), edges.is_odd)
        times = np.where(odd, 1, np.where(cost < 0, 2, 0)).astype(np.int64)
        return times, int(2 * self.prices.sum() + cost @ times)

    def _try(self, times: Longs) -> None:
        """Repair the priced edges to a tour, and remember the best; cut off what hung alone."""
        edges = self.edges
        tour = _joined_tour(edges, times)
        cost = int(tour @ edges.weight)
        if cost < self.best_cost:
            self.best, self.best_cost = tour, cost
        _, label = edges.joined(times)
        groups = np.unique(label[: edges.n_parts])
        if len(groups) > 1:
            self._add_cuts(groups, label[edges.n_parts :])

    def _move(self, slack: Longs, step: float, bound: int) -> None:
        """Take one step along the slacks, smoothed over the rounds."""
        self.course = (1.0 - MEMORY) * slack + MEMORY * self.course
        square = float(self.course @ self.course)
        if square > 0.0:
            length = step * (self.best_cost - bound) / square
            moved = self.prices + np.rint(length * self.course).astype(np.int64)
            self.prices = np.maximum(moved, 0)
