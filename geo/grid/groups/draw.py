"""Groups of regions drawn as polygons whose borders match across the whole city."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.grid.locate import build_index, locate
from geo.topology import LATTICE, segments_of, shared_borders, vertex_keys
from geo.units import LONLAT_DECIMALS

ON_BORDER: Final = 2e-9
"""Degrees, 0.2 mm: a segment of some ground that is no nearer to a border runs inside the grid."""

WELD: Final = 1e-10
"""Degrees, 10 micrometres: vertices nearer than that are one, computed twice."""

ROUNDS: Final = 3
"""Rounds in which loose scraps of a group join a neighbour; the first moves all but freak cases."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Groups as they came out of drawing.

    Attributes
    ----------
    polygons : ndarray of Polygon, shape (n,)
    group : ndarray of int64, shape (n,)
        Group of each polygon, ascending.
    heir : ndarray of int64, shape (n_groups,)
        Group whose polygon holds each group's ground: itself, but for a few that rounding to the
        lattice left no ground of their own.
    """

    polygons: np.ndarray
    group: np.ndarray
    heir: np.ndarray


def draw_groups(
    shapes: np.ndarray, group: np.ndarray, cell: np.ndarray, cells: np.ndarray
) -> Drawn:
    """Return one polygon per group.

    All vertices lie on the lattice of written coordinates. Those of the grids stay; where a
    border of two groups ends on a grid's border it adds a vertex to both sides, at most 1 cm off
    the line. Nothing is noded: the ground of the groups is a coverage already.

    Parameters
    ----------
    shapes : ndarray of Polygon, shape (n,)
        Ground that tiles the grids, in degrees, not rounded.
    group : ndarray of int64, shape (n,)
        Group of each shape.
    cell : ndarray of int64, shape (n_groups,)
        Grid of each group.
    cells : ndarray of Polygon
        The grids in degrees, edge-matched.

    Returns
    -------
    Drawn
        Polygons in degrees, edge-matched.
    """
    shapes = _weld(shapes)
    borders = segments_of(cells)
    _, once = np.unique(np.column_stack([borders.low, borders.high]), axis=0, return_index=True)
    ridges, ends, parent = _ridges(shapes, group, cell, borders.ends[once])
    edges = np.concatenate([ridges, _split_borders(borders.ends[once], ridges, ends, parent)])
    lines = np.asarray(shapely.linestrings(edges))
    index = build_index(shapes)
    for _ in range(ROUNDS):
        faces = shapely.get_parts(shapely.polygonize(lines))
        shape = locate(index, shapely.get_coordinates(shapely.point_on_surface(faces)))
        faces, label = faces[shape >= 0], group[shape[shape >= 0]]
        broken = _broken(faces, label, cell, cells)
        if len(broken) == 0:
            break
        lines = _node(lines, cells[broken])
    label = _settle(faces, label, cell)
    polygons, drawn = _dissolve(faces, label)
    return Drawn(polygons, drawn, _heirs(shapes, group, faces, label, len(cell)))


def _heirs(
    shapes: np.ndarray, group: np.ndarray, faces: np.ndarray, label: np.ndarray, n_groups: int
) -> np.ndarray:
    """Return the group that has each group's ground: itself, or a neighbour where none is left."""
    heir = np.arange(n_groups)
    lost = np.flatnonzero(~np.isin(heir, label))
    if len(lost):
        order = np.argsort(-shapely.area(shapes), kind="stable")
        largest = order[np.unique(group[order], return_index=True)[1]]
        inner = shapely.get_coordinates(shapely.point_on_surface(shapes[largest[lost]]))
        heir[lost] = label[locate(build_index(faces), inner)]
    return heir


def _weld(shapes: np.ndarray) -> np.ndarray:
    """Return the shapes with vertices made one that only rounding errors keep apart.

    Else two shapes could round the same point to two points of the lattice.
    """
    points = shapely.get_coordinates(shapes)
    distinct, which = np.unique(points.view(np.complex128), return_inverse=True)
    apart = np.column_stack([distinct.real, distinct.imag])
    pairs = cKDTree(apart).query_pairs(WELD, output_type="ndarray")
    stand = np.arange(len(apart))
    np.minimum.at(stand, pairs.max(axis=1), pairs.min(axis=1))
    return np.asarray(shapely.set_coordinates(shapes.copy(), apart[stand][which.reshape(-1)]))


def _broken(
    faces: np.ndarray, label: np.ndarray, cell: np.ndarray, cells: np.ndarray
) -> np.ndarray:
    """Return the grids that lack a group, have a crossed face, or another area than before."""
    has_face = np.zeros(len(cell), dtype=bool)
    has_face[label] = True
    is_bad = np.zeros(len(cells), dtype=bool)
    is_bad[cell[~has_face]] = True
    is_bad[cell[label[~shapely.is_valid(faces)]]] = True
    area = np.bincount(cell[label], shapely.area(faces), minlength=len(cells))
    slack = 2.0 * LATTICE * shapely.length(cells)
    return np.flatnonzero(is_bad | (np.abs(area - shapely.area(cells)) > slack))


def _node(lines: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """Return the lines with those at broken grids noded on the lattice (snap rounding)."""
    hit = np.unique(shapely.STRtree(lines).query(broken, predicate="intersects")[1])
    kept = np.delete(lines, hit)
    noded = shapely.get_parts(shapely.union_all(lines[hit], grid_size=LATTICE))
    pieces = shapely.get_coordinates(noded, return_index=True)
    same = pieces[1][1:] == pieces[1][:-1]
    ends = np.stack([pieces[0][:-1][same], pieces[0][1:][same]], axis=1)
    return np.concatenate([kept, np.asarray(shapely.linestrings(_rounded(ends)))])


def _ridges(
    shapes: np.ndarray, group: np.ndarray, cell: np.ndarray, borders: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the segments between groups of one grid, and where shapes cut the grids' borders.

    Returns
    -------
    ridges : ndarray of float64, shape (n_ridges, 2, 2)
        On the lattice, each once.
    ends : ndarray of float64, shape (n, 2)
        Points on borders, not rounded.
    parent : ndarray of int64, shape (n,)
        Row of `borders` each lies on.
    """
    segments = segments_of(shapes)
    owner = group[segments.owner]
    keys = np.column_stack([cell[owner], segments.low, segments.high])
    _, key, times = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    key = key.reshape(-1)
    order = np.lexsort((owner, key))
    start = np.cumsum(times) - times
    lowest, highest = owner[order[start]], owner[order[start + times - 1]]
    between = (times > 1) & (lowest != highest)
    alone = np.flatnonzero(times == 1)
    loose = segments.ends[order[start[alone]]]
    lines = np.asarray(shapely.linestrings(borders))
    point, line = shapely.STRtree(lines).query_nearest(
        shapely.points(loose.mean(axis=1)), max_distance=ON_BORDER, all_matches=False
    )
    off = np.ones(len(alone), dtype=bool)
    off[point] = False
    ridges = np.concatenate([segments.ends[order[start[between]]], loose[off]])
    return _rounded(ridges), loose[point].reshape(-1, 2), np.repeat(line, 2)


def _rounded(ends: np.ndarray) -> np.ndarray:
    """Return segments on the lattice, each once, without those of no length."""
    ends = np.round(ends, LONLAT_DECIMALS)
    keys = np.sort(vertex_keys(ends.reshape(-1, 2)).reshape(-1, 2), axis=1)
    _, once = np.unique(keys, axis=0, return_index=True)
    return np.asarray(ends[once[keys[once, 0] != keys[once, 1]]])


def _split_borders(
    borders: np.ndarray, ridges: np.ndarray, ends: np.ndarray, parent: np.ndarray
) -> np.ndarray:
    """Return the grids' borders cut where a ridge ends on them; rounding keeps their order."""
    used = np.isin(vertex_keys(ends), vertex_keys(ridges.reshape(-1, 2)))
    ends, parent = ends[used], parent[used]
    begin, along = borders[:, 0], borders[:, 1] - borders[:, 0]
    share = ((ends - begin[parent]) * along[parent]).sum(axis=1) / (along[parent] ** 2).sum(axis=1)
    rows = np.arange(len(borders))
    line = np.concatenate([rows, parent, rows])
    point = np.concatenate([borders[:, 0], ends, borders[:, 1]])
    at = np.concatenate([np.zeros(len(rows)), np.clip(share, 0.0, 1.0), np.ones(len(rows))])
    order = np.lexsort((at, line))
    line, point = line[order], point[order]
    same = line[1:] == line[:-1]
    return _rounded(np.stack([point[:-1], point[1:]], axis=1)[same])


def _settle(faces: np.ndarray, label: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the labels with each group in one piece: loose scraps join the longest neighbour."""
    segments = segments_of(faces)
    length = np.hypot(*(segments.ends[:, 1] - segments.ends[:, 0]).T)
    borders = shared_borders(segments, length)
    longest = np.argsort(-borders.length, kind="stable")
    pairs = borders.pairs[longest]
    area = shapely.area(faces)
    for _ in range(ROUNDS):
        loose = _loose(pairs, label, area)
        same = cell[label[pairs[:, 0]]] == cell[label[pairs[:, 1]]]
        differ = label[pairs[:, 0]] != label[pairs[:, 1]]
        both_ways = np.concatenate([pairs, pairs[:, ::-1]])
        usable = np.tile(same & differ, 2) & loose[both_ways[:, 0]] & ~loose[both_ways[:, 1]]
        mine, other = both_ways[usable].T
        if len(mine) == 0:
            break
        rows, at = np.unique(mine, return_index=True)
        label = label.copy()
        label[rows] = label[other[at]]
    return label


def _loose(pairs: np.ndarray, label: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return which faces do not hang together with the largest piece of their group."""
    joined = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    links = coo_matrix((np.ones(len(joined)), joined.T), shape=(len(label), len(label)))
    _, piece = connected_components(links, directed=False)
    size = np.bincount(piece, area)
    order = np.lexsort((-size[piece], label))
    first = np.unique(label[order], return_index=True)[1]
    main = np.zeros(len(size), dtype=bool)
    main[piece[order[first]]] = True
    return np.asarray(~main[piece])


def _dissolve(faces: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(label, kind="stable")
    groups, start, times = np.unique(label[order], return_index=True, return_counts=True)
    polygons = faces[order[start]].copy()
    for row in np.flatnonzero(times > 1):
        own = faces[order[start[row] : start[row] + times[row]]]
        polygons[row] = shapely.coverage_union_all(own)
    return polygons, groups
