"""The chordal supergraph of a street network: which shortcuts any weights could ever need.

Vertices are renamed by rank, their place in the order. Contracting them from rank 0 upwards joins
the higher neighbours of each by shortcuts; the higher neighbours of v are then
``head[ptr[v]:ptr[v + 1]]``, ascending, and the lowest of them is v's parent in the elimination
tree. Every higher vertex that a search from v can meet is an ancestor of v in that tree.

References
----------
J. Dibbelt, B. Strasser, D. Wagner, "Customizable Contraction Hierarchies", JEA 21 (2016),
doi:10.1145/2886843.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy.kernel import NONE, Ints, grown, kernel
from routing.hierarchy.order import dissect


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One network's hierarchy before any weights; vertices inside are ranks.

    Attributes
    ----------
    rank : ndarray of int32, shape (n_nodes,)
        Rank of each node of the caller.
    ptr, head : ndarray of int32, shapes (n_nodes + 1,) and (n_shortcuts,)
        Shortcuts up from each vertex to its higher neighbours, ascending.
    parent : ndarray of int32, shape (n_nodes,)
        In the elimination tree; NONE at a root.
    shortcut : ndarray of int32, shape (n_arcs,)
        Shortcut over each arc of the caller; NONE for a loop.
    is_upward : ndarray of bool, shape (n_arcs,)
        Whether the arc leads to the higher rank.
    """

    rank: Ints
    ptr: Ints
    head: Ints
    parent: Ints
    shortcut: Ints
    is_upward: NDArray[np.bool_]

    @property
    def n_nodes(self) -> int:
        """Nodes of the network."""
        return len(self.rank)

    @property
    def n_shortcuts(self) -> int:
        """Shortcuts, those over an arc of the network included."""
        return len(self.head)


def build_topology(n_nodes: int, tail: Ints, head: Ints, x: Ints, y: Ints) -> Topology:
    """Order a network's nodes and find every shortcut.

    Parameters
    ----------
    n_nodes : int
    tail, head : ndarray of int32, shape (n_arcs,)
        Directed arcs; loops and parallels are welcome.
    x, y : ndarray of int32, shape (n_nodes,)
        Positions, any unit; they only decide how good the order is.
    """
    order = dissect(*_neighbours(n_nodes, tail, head), x, y)
    rank = np.empty(n_nodes, np.int32)
    rank[order] = np.arange(n_nodes, dtype=np.int32)
    low = np.minimum(rank[tail], rank[head])
    high = np.maximum(rank[tail], rank[head])
    ptr, up, parent = contract(*_upward(n_nodes, low, high))
    return Topology(
        rank=rank,
        ptr=ptr,
        head=up,
        parent=parent,
        shortcut=locate(ptr, up, low, high),
        is_upward=rank[tail] < rank[head],
    )


def _upward(n_nodes: int, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Group distinct pairs (low < high) by their low end."""
    key = low.astype(np.int64) * n_nodes + high
    key = np.unique(key[low != high])
    ptr = np.searchsorted(key, np.arange(n_nodes + 1, dtype=np.int64) * n_nodes)
    return ptr.astype(np.int32), (key % n_nodes).astype(np.int32)


def _neighbours(n_nodes: int, tail: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Group neighbours by node, each once, directions forgotten."""
    return _upward(n_nodes, np.concatenate([tail, head]), np.concatenate([head, tail]))


@kernel
def contract(ptr: Ints, adj: Ints) -> tuple[Ints, Ints, Ints]:
    """Return pointers, heads and parents of the chordal supergraph.

    The higher neighbours of a vertex are its own and those of its children in the elimination
    tree, itself left out.
    """
    n = len(ptr) - 1
    parent, child, sibling = np.full(n, NONE), np.full(n, NONE), np.full(n, NONE)
    mark = np.full(n, NONE)
    starts = np.zeros(n + 1, np.int32)
    heads = np.empty(2 * len(adj) + n + 1, np.int32)
    end = 0
    for v in range(n):
        heads = grown(heads, end + n)
        for i in range(ptr[v], ptr[v + 1]):
            mark[adj[i]] = v
            heads[end] = adj[i]
            end += 1
        c = child[v]
        while c != NONE:
            for i in range(starts[c] + 1, starts[c + 1]):
                if mark[heads[i]] != v:
                    mark[heads[i]] = v
                    heads[end] = heads[i]
                    end += 1
            c = sibling[c]
        starts[v + 1] = end
        if end > starts[v]:
            heads[starts[v] : end].sort()
            p = heads[starts[v]]
            parent[v], sibling[v], child[p] = p, child[p], v
    return starts, heads[:end].copy(), parent.astype(np.int32)


@kernel
def find(ptr: Ints, head: Ints, low: int, high: int) -> int:
    """Return the shortcut from `low` up to `high`, which exists, by bisection."""
    first, last = ptr[low], ptr[low + 1] - 1
    while first < last:
        middle = (first + last) >> 1
        if head[middle] < high:
            first = middle + 1
        else:
            last = middle
    return int(first)


@kernel
def locate(ptr: Ints, head: Ints, low: Ints, high: Ints) -> Ints:
    """Return the shortcut of each pair of ranks; NONE where both are the same."""
    found = np.full(len(low), NONE, np.int32)
    for i in range(len(low)):
        if low[i] != high[i]:
            found[i] = find(ptr, head, low[i], high[i])
    return found
