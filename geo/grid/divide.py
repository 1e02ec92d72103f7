"""The kernel that splits all big faces of a planar map, piece by piece."""

from typing import Final

import numpy as np
from numba import njit

from geo.grid.bridge import open_hole, sort_rings
from geo.grid.chord import (
    Growing,
    Site,
    base_lines,
    choose_chord,
    cut_ring,
    holds,
    ring_vertices,
    signed_area,
)
from geo.grid.planar import unfold
from geo.topology import LATTICE

STEP: Final = LATTICE
METRES_PER_STEP: Final = 111_000.0 * LATTICE
"""Of latitude; exact enough to choose a chord by."""


@njit(cache=True)
def split_face(
    map_: Growing,
    rings: list[np.ndarray],
    site: Site,
    scale: np.ndarray,
    limits: tuple[float, float],
) -> list[list[np.ndarray]]:
    """Return the pieces a face falls into, each its shell and holes; one if nothing could be split.

    Parameters
    ----------
    rings : list of ndarray of int64
        Half-edges of the face's shell and holes.
    limits : tuple of float
        Weight a face may hold without a cut, and weight a piece may hold; a single building is
        never cut.
    """
    sign = np.sign(signed_area(map_.vertices[ring_vertices(map_, rings[0])]))
    done = [[rings[0][:0]]]
    todo = [(rings, np.arange(len(site.weight)), limits[0])]
    while len(todo) > 0:
        piece, rows, limit = todo.pop()
        here = Site(site.xy[rows], site.weight[rows])
        if here.weight.sum() <= limit or len(rows) < 2:
            done.append(piece)
            continue
        piece = [unfold(ring, map_.halved) for ring in piece]
        if len(piece) > 1:
            is_open, opened = open_hole(map_, piece, scale)
            if not is_open:
                done.append(piece)
                continue
            for part in sort_rings(map_, opened, sign):
                shell = map_.vertices[ring_vertices(map_, part[0])]
                side = np.array([holds(shell, point[0], point[1]) for point in here.xy])
                todo.append((part, rows[side], limit))
            continue
        xy = map_.vertices[ring_vertices(map_, piece[0])]
        corners, shares, side = choose_chord(xy, base_lines(map_, piece[0]), here, scale)
        if corners[0] < 0:
            done.append(piece)
            continue
        inner, outer = cut_ring(map_, piece[0], corners, shares)
        todo.append(([outer], rows[~side], limits[1]))
        todo.append(([inner], rows[side], limits[1]))
    return done[1:]


@njit(cache=True)
def split_faces(  # noqa: PLR0917  (a kernel takes no keywords)
    map_: Growing,
    faces: tuple[np.ndarray, np.ndarray, np.ndarray],
    is_big: np.ndarray,
    site: Site,
    site_start: np.ndarray,
    limits: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split big faces one after another, and carry all others along.

    Parameters
    ----------
    faces : tuple of ndarray of int64
        `halves`, `ring_start` and `face_start` of the planar map.
    is_big : ndarray of bool, shape (n_faces,)
        Faces to split.
    site, site_start
        Buildings of the big faces, face by face, and where each face's begin.
    limits : tuple of float
        `above` and `aim` of `split_face`.

    Returns
    -------
    halves, ring_start, face_start : ndarray of int64
        As in the planar map, for all faces and pieces.
    source : ndarray of int64
        Face each was a part of.
    """
    halves, ring_start, face_start = faces
    kept = [halves[:0]]
    source = [np.int64(0) for _ in range(0)]
    n_rings = [np.int64(0)]
    for face in range(len(is_big)):
        first, last = face_start[face], face_start[face + 1]
        if not is_big[face]:
            for ring in range(first, last):
                kept.append(halves[ring_start[ring] : ring_start[ring + 1]])  # noqa: PERF401
            source.append(np.int64(face))
            n_rings.append(np.int64(last - first))
            continue
        rings = [
            unfold(halves[ring_start[ring] : ring_start[ring + 1]], map_.halved)
            for ring in range(first, last)
        ]
        rows = slice(site_start[face], site_start[face + 1])
        north = map_.vertices[map_.edges[rings[0][0] >> 1, 0], 1]
        scale = METRES_PER_STEP * np.array([np.cos(np.radians(north * STEP)), 1.0])
        here = Site(site.xy[rows], site.weight[rows])
        for piece in split_face(map_, rings, here, scale, limits):
            kept.extend(piece)
            source.append(np.int64(face))
            n_rings.append(np.int64(len(piece)))
    out, start = _unfold_all(kept[1:], map_.halved)
    return out, start, np.cumsum(np.array(n_rings)), np.array(source)


@njit(cache=True)
def _unfold_all(rings: list[np.ndarray], halved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all rings, unfolded, one after another, and where each begins."""
    start = np.zeros(len(rings) + 1, np.int64)
    for k in range(len(rings)):
        start[k + 1] = start[k] + len(unfold(rings[k], halved))
    out = np.empty(start[-1], np.int64)
    for k in range(len(rings)):
        out[start[k] : start[k + 1]] = unfold(rings[k], halved)
    return out, start
