"""Dijkstra's algorithm from one place: the time to every node, and the arc it comes by.

The hierarchy answers between given places; a tree tells about all nodes at once, which is what
alternatives and closures are found by.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from routing.hierarchy import FAR, NONE, Ints
from routing.hierarchy.kernel import kernel
from routing.network import Network


class Fan(NamedTuple):
    """Arcs by the node they leave (or reach, when times are counted backwards)."""

    ptr: Ints
    """Arcs of node v are ``arc[ptr[v]:ptr[v + 1]]``."""
    arc: Ints
    other: Ints
    """Node at the other end of each."""


class Grown(NamedTuple):
    """Times from (or to) one place, shape (n_nodes,)."""

    time: Ints
    """Milliseconds; FAR where there is no way."""
    arc: Ints
    """Arc on the tree next to the node, on the place's side; NONE at the place's own ends."""


def fan_out(network: Network) -> Fan:
    """Return the arcs that leave each node."""
    return _fan(network.n_nodes, network.arc_tail, network.arc_head)


def fan_in(network: Network) -> Fan:
    """Return the arcs that reach each node."""
    return _fan(network.n_nodes, network.arc_head, network.arc_tail)


def _fan(n_nodes: int, node: Ints, other: Ints) -> Fan:
    arc = np.argsort(node, kind="stable").astype(np.int32)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=n_nodes))])
    return Fan(ptr.astype(np.int32), arc, other[arc])


def grow_tree(fan: Fan, weight: Ints, node: Ints, offset: Ints) -> Grown:
    """Find the fastest ways from the nodes of one place, or to them over a `fan_in`.

    Parameters
    ----------
    weight : ndarray of int32, shape (n_arcs,)
        Milliseconds of each arc; FAR closes it.
    node, offset : ndarray of int32, shape (n,)
        Nodes to begin at, NONE for none, and the milliseconds already gone there.
    """
    return Grown(*grow(fan, weight, node, offset))


@kernel
def grow(fan: Fan, weight: Ints, node: Ints, offset: Ints) -> tuple[Ints, Ints]:
    """Return time and arc of `Grown`; a queue entry is its time, shifted, and its node."""
    n = len(fan.ptr) - 1
    time, arc = np.full(n, FAR, np.int32), np.full(n, NONE, np.int32)
    queue = [np.int64(0) for _ in range(0)]
    for i in range(len(node)):
        if node[i] != NONE and offset[i] < time[node[i]]:
            time[node[i]] = offset[i]
            heappush(queue, (np.int64(offset[i]) << 32) | np.int64(node[i]))
    while len(queue) > 0:
        entry = heappop(queue)
        v = entry & 0xFFFFFFFF
        if entry >> 32 > time[v]:
            continue
        for i in range(fan.ptr[v], fan.ptr[v + 1]):
            arrival = np.int32(time[v] + weight[fan.arc[i]])
            u = fan.other[i]
            if arrival < time[u]:
                time[u], arc[u] = arrival, fan.arc[i]
                heappush(queue, (np.int64(arrival) << 32) | np.int64(u))
    return time, arc
