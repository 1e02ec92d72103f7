"""Minimum T-join: the cheapest edges that make every odd junction even.

A T-join for the node set T is a set of edges with an odd number of them at every node of T and an
even number elsewhere (Edmonds & Johnson, "Matching, Euler tours and the Chinese postman", Math.
Programming 5, 1973, doi:10.1007/BF01580113). PyMatching's sparse blossom (Higgott & Gidney,
Quantum 9, 2025, doi:10.22331/q-2025-01-20-1600) finds a minimum-weight perfect matching of T along
shortest ways, which is the same thing. Its weights are exact where all are whole numbers of at most
2**24 - 1 (``UserGraph::get_edge_weight_normalising_constant`` scales nothing then); heavier edges
are cut into pieces here.

PyMatching has no wheel for Linux on ARM. There networkx pairs the odd junctions on the complete
graph of their shortest ways (Edmonds' blossoms, Galil, ACM Computing Surveys 18, 1986): as exact,
and far slower.
"""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_array
from scipy.sparse.csgraph import dijkstra

HEAVIEST: Final = (1 << 24) - 1
"""Largest weight PyMatching takes as it is."""


def minimum_join(
    n_nodes: int,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    weight: NDArray[np.int64],
    is_odd: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return the edges of a T-join of least weight.

    Parameters
    ----------
    n_nodes : int
    tail, head : ndarray of int32, shape (n_edges,)
        Ends of each edge; loops and parallel edges may be among them.
    weight : ndarray of int64, shape (n_edges,)
        At least 0.
    is_odd : bool ndarray, shape (n_nodes,)
        T: evenly many in every connected part.

    Returns
    -------
    bool ndarray, shape (n_edges,)
    """
    if not is_odd.any():
        return np.zeros(len(tail), bool)
    kept = _cheapest_of_parallels(tail, head, weight)
    match = _by_pymatching if has_pymatching() else _by_networkx
    chosen = np.zeros(len(tail), bool)
    chosen[kept[match(n_nodes, tail[kept], head[kept], weight[kept], is_odd)]] = True
    _require_join(tail, head, chosen, is_odd)
    return chosen


@cache
def has_pymatching() -> bool:
    """Return whether PyMatching is installed; without it joins take far longer."""
    return find_spec("pymatching") is not None


def _by_pymatching(
    n_nodes: int,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    weight: NDArray[np.int64],
    is_odd: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Return the edges of a minimum join by sparse blossom; no loops, no parallels."""
    # 0.4 to 0.9 s to import, as matplotlib comes with it; and there is no wheel for Linux on ARM.
    from pymatching import Matching  # type: ignore[import-untyped]  # noqa: PLC0415  ships no types

    n_pieces = np.maximum(-(-weight // HEAVIEST), 1)
    owner = np.repeat(np.arange(len(weight)), n_pieces)
    ends = _cut(tail, head, n_pieces, n_nodes)
    n_points = n_nodes + int((n_pieces - 1).sum())
    columns = np.repeat(np.arange(len(owner)), 2)
    ones = np.ones(2 * len(owner), np.uint8)
    matrix = csc_matrix((ones, (ends.ravel(), columns)), shape=(n_points, len(owner)))
    syndrome = np.zeros(n_points, np.uint8)
    syndrome[:n_nodes] = is_odd
    piece = _shares(weight, n_pieces).astype(float)
    used = Matching.from_check_matrix(matrix, weights=piece).decode(syndrome)
    return owner[np.flatnonzero(used)]


def _by_networkx(
    n_nodes: int,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    weight: NDArray[np.int64],
    is_odd: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Return the edges of a minimum join by pairing the odd nodes; no loops, no parallels."""
    import networkx as nx  # noqa: PLC0415  heavy, and seldom needed

    odd = np.flatnonzero(is_odd)
    graph = csr_array((weight.astype(float), (tail, head)), shape=(n_nodes, n_nodes))
    times, since = dijkstra(graph, directed=False, indices=odd, return_predecessors=True)
    one, other = np.triu_indices(len(odd), 1)
    apart = times[one, odd[other]]
    near = np.isfinite(apart)
    whole = apart[near].astype(np.int64)  # below 2 ** 53, where doubles are exact
    pairs: nx.Graph[int] = nx.Graph()
    pairs.add_weighted_edges_from(
        zip(one[near].tolist(), other[near].tolist(), whole.tolist(), strict=True)
    )
    matched = np.array(list(nx.min_weight_matching(pairs)), np.intp).reshape(-1, 2)
    number = {
        frozenset(two): k for k, two in enumerate(zip(tail.tolist(), head.tolist(), strict=True))
    }
    passed = [
        number[step]
        for row, goal in matched.tolist()
        for step in _steps(since[row], int(odd[goal]))
    ]
    return np.flatnonzero(np.bincount(np.array(passed, np.intp), minlength=len(tail)) % 2)


def _steps(since: NDArray[np.int32], node: int) -> Iterator[frozenset[int]]:
    """Yield the two ends of every edge on the shortest way to a node, backwards."""
    while since[node] >= 0:
        before = int(since[node])
        yield frozenset((node, before))
        node = before


def _cheapest_of_parallels(
    tail: NDArray[np.int32], head: NDArray[np.int32], weight: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Return, for each two nodes, the cheapest edge between them, of equal ones the first."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((weight, high, low))
    order = order[low[order] != high[order]]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    return np.sort(order[is_first])


def _cut(
    tail: NDArray[np.int32], head: NDArray[np.int32], n_pieces: NDArray[np.int64], n_nodes: int
) -> NDArray[np.int64]:
    """Return the ends of the pieces, in order of the edges, with new nodes where one is cut."""
    last = np.cumsum(n_pieces) - 1
    is_last = np.zeros(int(n_pieces.sum()), bool)
    is_last[last] = True
    new = np.full(len(is_last), -1, np.int64)
    new[~is_last] = n_nodes + np.arange(int((~is_last).sum()))
    to = np.where(is_last, np.repeat(head, n_pieces), new)
    since = np.r_[-1, to[:-1]]
    since[last - n_pieces + 1] = tail
    return np.stack([since, to], axis=1)


def _shares(weight: NDArray[np.int64], n_pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share each weight among its pieces, whole numbers that add up to it."""
    share, rest = np.divmod(weight, n_pieces)
    nth = np.arange(int(n_pieces.sum())) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    pieces: NDArray[np.int64] = np.repeat(share, n_pieces) + (nth < np.repeat(rest, n_pieces))
    return pieces


def _require_join(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    chosen: NDArray[np.bool_],
    is_odd: NDArray[np.bool_],
) -> None:
    """Insist that the matching is perfect: every odd node, and no other, has an odd number."""
    ends = np.concatenate([tail[chosen], head[chosen]])
    degree = np.bincount(ends, minlength=len(is_odd))
    if ((degree % 2 == 1) != is_odd).any():
        raise AssertionError("the matching is not perfect: a junction is left odd")
