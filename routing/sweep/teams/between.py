"""Shortest ways between the streets to be swept, and the few arcs they run on.

A neighbourhood is small beside its city: every search ends once the places it was sent for are
found, so the city around costs nothing.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import FAR, NONE, Ints
from routing.hierarchy.kernel import kernel

Flags = NDArray[np.bool_]
Keys = NDArray[np.int64]


NODE_BITS: Final = 32
NODE_MASK: Final = (1 << NODE_BITS) - 1
"""Bits of a heap key that name the node; those above are the milliseconds."""


class Adjacency(NamedTuple):
    """Open arcs by the node they leave.

    Attributes
    ----------
    first : ndarray of int32, shape (n_nodes + 1,)
        Arcs of node v are rows ``first[v]:first[v + 1]`` of `arc`.
    arc, head, cost : ndarray of int32, shape (n_open,)
        Arc of the problem, node it reaches, milliseconds.
    """

    first: Ints
    arc: Ints
    head: Ints
    cost: Ints


def adjacency(n_nodes: int, tail: Ints, head: Ints, cost: Ints) -> Adjacency:
    """Sort the arcs that cost less than FAR by the node they leave."""
    is_open = np.flatnonzero(cost < FAR)
    order = is_open[np.argsort(tail[is_open], kind="stable")]
    count = np.bincount(tail[order], minlength=n_nodes)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    return Adjacency(
        first=first, arc=order.astype(np.int32), head=head[order].copy(), cost=cost[order].copy()
    )


def times_between(graph: Adjacency, sources: Ints, targets: Ints) -> tuple[Ints, Flags]:
    """Return the milliseconds from every source to every target, and the arcs that lie between.

    Returns
    -------
    times : ndarray of int32, shape (n_sources, n_targets)
        FAR where there is no way.
    is_between : ndarray of bool, shape (n_open,)
        Rows of `graph` that lie on one shortest way of each pair.
    """
    return _times_between(graph, sources.astype(np.int32), targets.astype(np.int32))


def way(graph: Adjacency, source: int, target: int) -> Ints:
    """Return the arcs of the shortest way from one node to another, none where they are one.

    The way is known to be there.
    """
    arcs: Ints = graph.arc[_way(graph, source, target)]
    return arcs


def warm_up() -> None:
    """Compile the kernels into their cache."""
    nodes = np.array([0, 1], dtype=np.int32)
    graph = adjacency(2, nodes, nodes[::-1].copy(), np.ones(2, dtype=np.int32))
    times_between(graph, nodes, nodes)
    way(graph, 0, 1)


class Labels(NamedTuple):
    """A search from one source; as new between two searches.

    Attributes
    ----------
    dist, came : ndarray of int32, shape (n_nodes,)
        Milliseconds from the source, and row of the arc they come by.
    seen : ndarray of int32, shape (n_nodes,)
        Nodes whose labels were written, in order.
    heap : ndarray of int64, shape (n_open + 1,)
        Milliseconds and node in one key.
    """

    dist: Ints
    came: Ints
    seen: Ints
    heap: Keys


@kernel
def _times_between(graph: Adjacency, sources: Ints, targets: Ints) -> tuple[Ints, Flags]:
    labels, tail = _labels(graph), _tails(graph)
    wanted = np.zeros(len(labels.dist), np.bool_)
    n_wanted = 0
    for target in targets:
        n_wanted += not wanted[target]
        wanted[target] = True
    times = np.empty((len(sources), len(targets)), np.int32)
    is_between = np.zeros(len(graph.head), np.bool_)
    drawn = np.full(len(labels.dist), NONE, np.int32)
    for row in range(len(sources)):
        n_seen = _search(graph, labels, sources[row], wanted, n_wanted)
        for column in range(len(targets)):
            v = targets[column]
            times[row, column] = labels.dist[v]
            while labels.came[v] >= 0 and drawn[v] != row:
                drawn[v] = row
                is_between[labels.came[v]] = True
                v = tail[labels.came[v]]
        for i in range(n_seen):
            labels.dist[labels.seen[i]] = FAR
            labels.came[labels.seen[i]] = NONE
    return times, is_between


@kernel
def _labels(graph: Adjacency) -> Labels:
    n_nodes = len(graph.first) - 1
    return Labels(
        np.full(n_nodes, FAR, np.int32),
        np.full(n_nodes, NONE, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(len(graph.head) + 1, np.int64),
    )


@kernel
def _tails(graph: Adjacency) -> Ints:
    """Return the node each row of the graph leaves."""
    tail = np.empty(len(graph.head), np.int32)
    for v in range(len(graph.first) - 1):
        tail[graph.first[v] : graph.first[v + 1]] = v
    return tail


@kernel
def _search(graph: Adjacency, labels: Labels, source: int, wanted: Flags, n_wanted: int) -> int:
    """Settle nodes from `source` until all wanted ones are; return how many were seen."""
    dist, came, seen, heap = labels.dist, labels.came, labels.seen, labels.heap
    dist[source] = 0
    seen[0] = source
    heap[0] = np.int64(source)
    n_seen, size, left = 1, 1, n_wanted
    while size > 0 and left > 0:
        key = _pop(heap, size)
        size -= 1
        v = key & NODE_MASK
        if key >> NODE_BITS != dist[v]:
            continue
        left -= wanted[v]
        for row in range(graph.first[v], graph.first[v + 1]):
            u, longer = graph.head[row], dist[v] + graph.cost[row]
            if longer < dist[u]:
                if dist[u] == FAR:
                    seen[n_seen] = u
                    n_seen += 1
                dist[u], came[u] = longer, row
                _push(heap, size, (int(longer) << NODE_BITS) | int(u))
                size += 1
    return n_seen


@kernel
def _push(heap: Keys, size: int, key: int) -> None:
    """Add a key to a binary heap of `size` keys."""
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if heap[above] <= key:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = key


@kernel
def _pop(heap: Keys, size: int) -> int:
    """Take the smallest key off a binary heap of `size` keys."""
    smallest, key = heap[0], heap[size - 1]
    at, last = 0, size - 1
    while 2 * at + 1 < last:
        below = 2 * at + 1
        if below + 1 < last and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= key:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = key
    return int(smallest)


@kernel
def _way(graph: Adjacency, source: int, target: int) -> Ints:
    labels, tail = _labels(graph), _tails(graph)
    wanted = np.zeros(len(labels.dist), np.bool_)
    wanted[target] = True
    _search(graph, labels, source, wanted, 1)
    n, v = 0, target
    while labels.came[v] >= 0:
        n += 1
        v = tail[labels.came[v]]
    rows = np.empty(n, np.int32)
    v = target
    for i in range(n - 1, -1, -1):
        rows[i] = labels.came[v]
        v = tail[labels.came[v]]
    return rows
