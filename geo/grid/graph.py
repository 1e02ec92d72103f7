"""Atoms of one unit and their neighbours, as arrays that numba can read."""

from typing import NamedTuple

import numpy as np
from numba import njit


class Graph(NamedTuple):
    """Atoms of one unit and their neighbours (a tuple, so that numba can read it).

    Attributes
    ----------
    weight : ndarray of float64, shape (n,)
    pairs : ndarray of int64, shape (m, 2)
        Neighbours.
    cost : ndarray of float64, shape (m,)
        Price of a part's border running between the two; below 0 where it should.
    start : ndarray of int64, shape (n + 1,)
        First slot of each atom in the two below.
    neighbour, edge : ndarray of int64, shape (2 m,)
        Neighbour and row of `pairs`, per slot.
    area : ndarray of float64, shape (n,)
        m2; all 0 where shape does not matter.
    rim : ndarray of float64, shape (n,)
        Perimeter of each atom in metres.
    shared : ndarray of float64, shape (m,)
        Metres the two have in common.
    """

    weight: np.ndarray
    pairs: np.ndarray
    cost: np.ndarray
    start: np.ndarray
    neighbour: np.ndarray
    edge: np.ndarray
    area: np.ndarray
    rim: np.ndarray
    shared: np.ndarray


def make_graph(
    weight: np.ndarray,
    pairs: np.ndarray,
    cost: np.ndarray,
    *,
    area: np.ndarray | None = None,
    rim: np.ndarray | None = None,
    shared: np.ndarray | None = None,
) -> Graph:
    """Return atoms and pairs with their adjacency.

    `area`, `rim` and `shared` go together; without them shape does not count.
    """
    pairs = np.ascontiguousarray(pairs.reshape(-1, 2), dtype=np.int64)
    source = pairs.T.reshape(-1)
    order = np.argsort(source, kind="stable")
    start = np.zeros(len(weight) + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=len(weight)), out=start[1:])
    other = pairs[:, ::-1].T.reshape(-1)
    edge = np.tile(np.arange(len(pairs)), 2)
    return Graph(
        weight.astype(np.float64),
        pairs,
        cost.astype(np.float64),
        start,
        other[order],
        edge[order],
        _floats(area, len(weight)),
        _floats(rim, len(weight)),
        _floats(shared, len(pairs)),
    )


def _floats(values: np.ndarray | None, n: int) -> np.ndarray:
    return np.zeros(n) if values is None else values.astype(np.float64)


def subgraph(graph: Graph, atoms: np.ndarray) -> Graph:
    """Return the graph of some atoms, numbered anew in the order given."""
    local = np.full(len(graph.weight), -1, dtype=np.int64)
    local[atoms] = np.arange(len(atoms))
    kept = (local[graph.pairs] >= 0).all(axis=1)
    return make_graph(
        graph.weight[atoms],
        local[graph.pairs[kept]],
        graph.cost[kept],
        area=graph.area[atoms],
        rim=graph.rim[atoms],
        shared=graph.shared[kept],
    )


@njit(cache=True)
def components(graph: Graph) -> tuple[int, np.ndarray]:
    """Return how many pieces the atoms lie in, and the piece of each."""
    n = len(graph.weight)
    piece = np.full(n, -1, np.int64)
    stack = np.empty(n, np.int64)
    count = 0
    for first in range(n):
        if piece[first] >= 0:
            continue
        piece[first] = count
        stack[0] = first
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            for j in range(graph.start[node], graph.start[node + 1]):
                other = graph.neighbour[j]
                if piece[other] < 0:
                    piece[other] = count
                    stack[height] = other
                    height += 1
        count += 1
    return count, piece
