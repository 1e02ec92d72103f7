"""A coverage as a planar map: vertices, edges and rings of half-edges.

Where a face is split, its neighbour's ring gains the same vertex because both run over the same
edge: the coverage stays edge-matched by construction, and no line is noded twice.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numba import njit

from geo.topology import LATTICE, to_lattice

WHOLE: Final = -1
"""Mark of an edge that was not split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarMap:
    """Faces of a coverage by their half-edges.

    Attributes
    ----------
    vertices : ndarray of int64, shape (n_vertices, 2)
        Lattice steps.
    edges : ndarray of int64, shape (n_edges, 2)
        Vertices of each edge. Half-edge 2 e runs from the first to the second, 2 e + 1 back.
    halves : ndarray of int64
        Half-edges of all rings, one ring after another.
    ring_start : ndarray of int64, shape (n_rings + 1,)
    face_start : ndarray of int64, shape (n_faces + 1,)
        First ring of each face, its shell; holes follow.
    """

    vertices: np.ndarray
    edges: np.ndarray
    halves: np.ndarray
    ring_start: np.ndarray
    face_start: np.ndarray


def map_faces(faces: np.ndarray) -> PlanarMap:
    """Return the planar map of an edge-matched coverage of polygons in degrees."""
    rings, face = shapely.get_rings(faces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    vertices, vertex = np.unique(to_lattice(points), axis=0, return_inverse=True)
    inside = ring[1:] == ring[:-1]
    begin, end = vertex[:-1][inside], vertex[1:][inside]
    key = np.minimum(begin, end) * len(vertices) + np.maximum(begin, end)
    keys, edge = np.unique(key, return_inverse=True)
    return PlanarMap(
        vertices=vertices,
        edges=np.stack([keys // len(vertices), keys % len(vertices)], axis=1),
        halves=2 * edge + (begin > end),
        ring_start=np.searchsorted(ring[:-1][inside], np.arange(len(rings) + 1)),
        face_start=np.searchsorted(face, np.arange(len(faces) + 1)),
    )


def polygons_of(planar: PlanarMap) -> np.ndarray:
    """Return the faces as polygons in degrees."""
    first = _origins(planar.edges, planar.halves)
    closed, start = _closed(first, planar.ring_start)
    points = np.round(planar.vertices[closed] * LATTICE, 7)
    return np.asarray(
        shapely.from_ragged_array(shapely.GeometryType.POLYGON, points, (start, planar.face_start))
    )


@njit(cache=True)
def _origins(edges: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Return the vertex each half-edge starts from."""
    out = np.empty(len(halves), np.int64)
    for k in range(len(halves)):
        out[k] = edges[halves[k] >> 1, halves[k] & 1]
    return out


@njit(cache=True)
def _closed(first: np.ndarray, ring_start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ring vertices with the first repeated at the end, and where each ring starts."""
    n_rings = len(ring_start) - 1
    out = np.empty(len(first) + n_rings, np.int64)
    start = ring_start + np.arange(n_rings + 1)
    for ring in range(n_rings):
        n = ring_start[ring + 1] - ring_start[ring]
        out[start[ring] : start[ring] + n] = first[ring_start[ring] : ring_start[ring + 1]]
        out[start[ring] + n] = first[ring_start[ring]]
    return out, start


@njit(cache=True)
def unfold(halves: np.ndarray, halved: np.ndarray) -> np.ndarray:
    """Return half-edges with every split edge replaced by what it was split into.

    Parameters
    ----------
    halves : ndarray of int64
    halved : ndarray of int64, shape (n_edges,)
        First of the two edges an edge was split into, the second follows it; `WHOLE` if none.
    """
    out = [np.int64(0) for _ in range(0)]
    for k in range(len(halves)):
        stack = [halves[k]]
        while len(stack) > 0:
            half = stack.pop()
            child = halved[half >> 1]
            if child == WHOLE:
                out.append(half)
            elif half & 1:
                stack.append(2 * child + 1)
                stack.append(2 * child + 3)
            else:
                stack.append(2 * child + 2)
                stack.append(2 * child)
    return np.array(out, dtype=np.int64)
