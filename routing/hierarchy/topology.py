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

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from geo.errors import LimitExceeded, OptionInvalid
from routing.hierarchy.kernel import NONE, Ints, grown, kernel
from routing.hierarchy.order import MOST_CUT, dissect

MOST_SHORTCUTS: Final = 40_000_000
"""Shortcuts beyond which a network is refused: some 50 bytes each with a metric, 2 GB. A city of
80,000 nodes has half a million, its turns two to four million."""


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
    loop, loop_at : ndarray of int32, shape (n_loops,)
        Arcs of the caller that end where they begin, and their vertex.
    """

    rank: Ints
    ptr: Ints
    head: Ints
    parent: Ints
    shortcut: Ints
    is_upward: NDArray[np.bool_]
    loop: Ints
    loop_at: Ints

    @property
    def n_nodes(self) -> int:
        """Nodes of the network."""
        return len(self.rank)

    @property
    def n_shortcuts(self) -> int:
        """Shortcuts, those over an arc of the network included."""
        return len(self.head)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns by name: all that a file has to keep."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the topology of these columns, as `to_arrays` gave them.

        The kernels trust every number: whoever reads a file proves first that it is whole.

        Raises
        ------
        OptionInvalid
            A column is missing, of another kind, or does not fit the others.
        """
        columns = {field.name: arrays.get(field.name) for field in fields(cls)}
        for name, column in columns.items():
            kind = np.bool_ if name == "is_upward" else np.int32
            if column is None or column.dtype != kind or column.ndim != 1:
                given = "missing" if column is None else f"{column.dtype} {column.shape}"
                expected = f"a column of {np.dtype(kind)}"
                raise OptionInvalid(option=f"topology {name}", value=given, expected=expected)
        topology = cls(**columns)  # type: ignore[arg-type]  # just checked, column by column
        topology._require_one_size()
        return topology

    def _require_one_size(self) -> None:
        fits = (
            len(self.ptr) == self.n_nodes + 1
            and len(self.parent) == self.n_nodes
            and len(self.shortcut) == len(self.is_upward)
            and len(self.loop) == len(self.loop_at)
            and self.ptr[-1] == self.n_shortcuts
        )
        if not fits:
            sizes = ", ".join(f"{name} {len(c)}" for name, c in self.to_arrays().items())
            raise OptionInvalid(option="topology", value=sizes, expected="columns that fit")


def build_topology(
    n_nodes: int, tail: Ints, head: Ints, x: Ints, y: Ints, *, bundle: Ints | None = None
) -> Topology:
    """Order a network's nodes and find every shortcut.

    Parameters
    ----------
    n_nodes : int
    tail, head : ndarray of int32, shape (n_arcs,)
        Directed arcs; loops and parallels are welcome.
    x, y : ndarray of int32, shape (n_nodes,)
        Positions, any unit; they only decide how good the order is.
    bundle : ndarray of int32, shape (n_nodes,), optional
        Bundle of each node, 0 and up. Bundles are ordered, at the position of one of their nodes,
        and a bundle's nodes follow one another: of a turn graph whose two arcs of a segment are a
        bundle, the order is as good and found in a third of the time.

    Raises
    ------
    LimitExceeded
        A network that does not fall apart as streets do.
    """
    if bundle is None:
        rank = _ranked(n_nodes, tail, head, x, y)
    else:
        rank = _ranked_together(bundle, tail, head, x, y)
    low = np.minimum(rank[tail], rank[head])
    high = np.maximum(rank[tail], rank[head])
    ptr, up, parent = contract(*_upward(n_nodes, low, high))
    _require_streets(n_nodes, limit=f"{MOST_SHORTCUTS} shortcuts", is_met=len(up) <= MOST_SHORTCUTS)
    loop = np.flatnonzero(low == high).astype(np.int32)
    return Topology(
        rank=rank,
        ptr=ptr,
        head=up,
        parent=parent,
        shortcut=locate(ptr, up, low, high),
        is_upward=rank[tail] < rank[head],
        loop=loop,
        loop_at=low[loop],
    )


def _require_streets(n_nodes: int, *, limit: str, is_met: bool) -> None:
    """Refuse a network so dense that its hierarchy would outgrow the machine."""
    if not is_met:
        raise LimitExceeded(
            what=f"the hierarchy of a network of {n_nodes} nodes",
            limit=limit,
            hint="Streets need far less: check that its nodes lie where its arcs meet.",
        )


def _ranked(n_nodes: int, tail: Ints, head: Ints, x: Ints, y: Ints) -> Ints:
    """Return the rank of each node in the order of nested dissection."""
    order = dissect(*_neighbours(n_nodes, tail, head), x, y)
    _require_streets(
        n_nodes, limit=f"{MOST_CUT} nodes to cut it in two", is_met=len(order) == n_nodes
    )
    rank = np.empty(n_nodes, np.int32)
    rank[order] = np.arange(n_nodes, dtype=np.int32)
    return rank


def _ranked_together(bundle: Ints, tail: Ints, head: Ints, x: Ints, y: Ints) -> Ints:
    """Return the rank of each node where bundles are ordered as one."""
    at = np.zeros((2, int(bundle.max(initial=NONE)) + 1), np.int32)
    at[:, bundle] = x, y
    of_bundle = _ranked(at.shape[1], bundle[tail], bundle[head], at[0], at[1])
    rank = np.empty(len(bundle), np.int32)
    rank[np.argsort(of_bundle[bundle], kind="stable")] = np.arange(len(bundle), dtype=np.int32)
    return rank


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
    tree, itself left out. Stops soon after `MOST_SHORTCUTS`.
    """
    n = len(ptr) - 1
    parent, child, sibling = np.full(n, NONE), np.full(n, NONE), np.full(n, NONE)
    mark = np.full(n, NONE)
    starts = np.zeros(n + 1, np.int32)
    heads = np.empty(2 * len(adj) + n + 1, np.int32)
    end = 0
    for v in range(n):
        if end > MOST_SHORTCUTS:
            break
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
