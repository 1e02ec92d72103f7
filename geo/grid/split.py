"""Blocks with too many households, split along their buildings.

A compound of 400 households has no inner street that could bound a grid of 100. Its buildings are
halved again and again by straight chords between two rows of buildings.
"""

from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col
from geo.grid.chord import Growing, Site
from geo.grid.divide import split_faces
from geo.grid.locate import build_index, locate
from geo.grid.planar import WHOLE, PlanarMap, map_faces, polygons_of
from geo.topology import to_lattice

ROUNDS: Final = 4
"""Times the split is tried; each leaves out the faces that rounding folded in the one before."""


def split_blocks(
    faces: np.ndarray, buildings: gpd.GeoDataFrame, *, above: float, aim: float
) -> tuple[np.ndarray, np.ndarray]:
    """Split every block of more than `above` households into pieces of at most `aim`.

    Parameters
    ----------
    faces : ndarray of Polygon
        In degrees, an edge-matched coverage.
    above : float
        Households a block may hold without a cut.
    aim : float
        Households a piece may hold where buildings allow; a single building is never cut.

    Returns
    -------
    faces : ndarray of Polygon
        Edge-matched again: where a cut meets a block's border its neighbour has the vertex too.
    source : ndarray of int64
        Block each face was a part of.
    """
    if len(buildings) == 0:
        return faces, np.arange(len(faces))
    lonlat = shapely.get_coordinates(buildings.geometry.to_numpy())
    weight = buildings[Col.HOUSEHOLDS].to_numpy(dtype=np.float64)
    face = locate(build_index(faces), lonlat)
    total = np.bincount(face[face >= 0], weight[face >= 0], minlength=len(faces))
    is_big = total > above
    site = Site(to_lattice(lonlat), weight)
    planar = map_faces(shapely.orient_polygons(faces))
    for _ in range(ROUNDS):
        pieces, source = _split(planar, is_big, face, site, (above, aim))
        folded = ~shapely.is_valid(pieces)
        if not folded.any():
            return pieces, source
        is_big[_near(planar, np.unique(source[folded]))] = False
    return faces, np.arange(len(faces))


def _split(
    planar: PlanarMap,
    is_big: np.ndarray,
    face: np.ndarray,
    site: Site,
    limits: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Return all faces with the big ones in pieces, and which face each was a part of."""
    order = np.argsort(face, kind="stable")
    inside = order[np.append(is_big, [False])[face[order]]]
    n_rings = len(planar.ring_start)
    map_ = _with_room(planar, 2 * len(inside) + 8 * n_rings, 5 * len(inside) + 20 * n_rings)
    halves, ring_start, face_start, source = split_faces(
        map_,
        (planar.halves, planar.ring_start, planar.face_start),
        is_big,
        Site(site.xy[inside], site.weight[inside]),
        np.searchsorted(face[inside], np.arange(len(is_big) + 1)),
        limits,
    )
    pieces = PlanarMap(
        vertices=map_.vertices[: map_.used[0]],
        edges=map_.edges[: map_.used[1]],
        halves=halves,
        ring_start=ring_start,
        face_start=face_start,
    )
    return polygons_of(pieces), source


def _near(planar: PlanarMap, faces: np.ndarray) -> np.ndarray:
    """Return the faces and all that share a vertex with them."""
    first = planar.edges[planar.halves >> 1, planar.halves & 1]
    face = np.searchsorted(
        planar.ring_start[planar.face_start], np.arange(len(first)), side="right"
    )
    touched = np.isin(first, first[np.isin(face - 1, faces)])
    return np.unique(face[touched] - 1)


def _with_room(planar: PlanarMap, n_vertices: int, n_edges: int) -> Growing:
    used = np.array([len(planar.vertices), len(planar.edges)])
    return Growing(
        vertices=np.concatenate([planar.vertices, np.zeros((n_vertices, 2), dtype=np.int64)]),
        edges=np.concatenate([planar.edges, np.zeros((n_edges, 2), dtype=np.int64)]),
        halved=np.full(used[1] + n_edges, WHOLE),
        base=np.concatenate([planar.edges, np.zeros((n_edges, 2), dtype=np.int64)]),
        used=used,
    )
