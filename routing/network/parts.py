"""Nodes of streets, and the parts of a network that hold together."""

from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.units import LONLAT_DECIMALS


def nodes_of(
    lonlat: NDArray[np.object_],
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Return the node at the first and last point of each line, and how many nodes there are.

    End points equal at 7 decimals of a degree are one node.
    """
    first = shapely.get_coordinates(shapely.get_point(lonlat, 0))
    last = shapely.get_coordinates(shapely.get_point(lonlat, -1))
    ends = np.rint(np.concatenate([first, last]) * 10.0**LONLAT_DECIMALS).astype(np.int64)
    key = ends[:, 0] * (1 << 32) + ends[:, 1]
    _, node = np.unique(key, return_inverse=True)
    node = node.astype(np.int32)
    n_nodes = int(node.max()) + 1 if len(node) else 0
    return node[: len(lonlat)], node[len(lonlat) :], n_nodes


def parts(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    n_nodes: int,
    *,
    connection: Literal["weak", "strong"],
) -> tuple[int, NDArray[np.int32]]:
    """Return how many parts hold together, and the part of each node."""
    ones = np.ones(len(tail), dtype=np.int8)
    graph = coo_array((ones, (tail, head)), shape=(n_nodes, n_nodes)).tocsr()
    n_parts, part = connected_components(graph, directed=True, connection=connection)
    return int(n_parts), part


def largest_part(
    tail: NDArray[np.int32], head: NDArray[np.int32], n_nodes: int
) -> NDArray[np.bool_]:
    """Tell the nodes of the largest strongly connected part; of equal ones the first."""
    if len(tail) == 0:
        return np.zeros(n_nodes, dtype=bool)
    _, part = parts(tail, head, n_nodes, connection="strong")
    largest: NDArray[np.bool_] = part == np.bincount(part).argmax()
    return largest
