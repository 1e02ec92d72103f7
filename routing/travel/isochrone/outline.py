"""Outlines of the painted areas: valid, each inside the next, without needless vertices.

The limits of one origin are contoured one by one. Where a street is reached well within two limits
their outlines run over the same vertices; there they are one chain, elsewhere two. The chains
divide the plane into faces, and faces are simplified as a coverage: a chain that two faces share
is simplified once, and none ever crosses another.

References
----------
M. Visvalingam, J. Whyatt, "Line generalisation by repeated elimination of points", The Cartographic
Journal 30, 1993; coverage simplification of GEOS 3.12 (topology-preserving, by triangle area).
"""

from dataclasses import dataclass
from typing import Any, Final

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray

from routing.travel.isochrone.paint import SIDE, WIDTH, Field, Floats

SMALLEST_HOLE: Final = 40_000.0
"""Square metres below which a hole is filled: a yard block of 200 m by 200 m; lakes, parks, works
and fields are larger."""

TOLERANCE: Final = 30.0
"""Metres: a vertex goes while the triangle it makes with its neighbours is smaller than the square
of this; outlines move by less than half a grid cell."""

THIN: Final = 4.0
"""Metres from the line between its neighbours at which a vertex is dropped beforehand."""

LEVEL: Final = WIDTH + 0.5
"""Between two whole metres, so that no corner of the grid lies on an outline."""

MILLIMETRES: Final = 1000.0
"""Vertices are told apart in millimetres; distinct ones lie a centimetre apart or more."""

Numbers = NDArray[np.int64]
Polygons = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """Closed rings of all limits, area on the left; first and last vertex are the same.

    Attributes
    ----------
    xy : ndarray of float64, shape (n_vertices, 2)
    first : ndarray of int64, shape (n_rings + 1,)
    limit : ndarray of int64, shape (n_rings,)
    """

    xy: Floats
    first: Numbers
    limit: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Distinct directed edges between distinct vertices.

    Attributes
    ----------
    vertex : ndarray of int64, shape (n_distinct,)
        Keys of the vertices, ascending.
    key : ndarray of int64, shape (n_edges,)
        Start times number of vertices plus end, ascending.
    limits : ndarray of int64, shape (n_edges,)
        Bit k is set where the edge is of limit k's outline.
    """

    vertex: Numbers
    key: Numbers
    limits: Numbers


def nested_areas(corner: Floats, field: Field, *, tolerance: float = TOLERANCE) -> Polygons:
    """Return the area of each limit, those of later limits around those of earlier ones.

    Parameters
    ----------
    corner : ndarray of float64, shape (2,)
    field : ndarray of uint8, shape (n_limits, n_rows, n_columns)
        As `paint_reached` returns them.
    tolerance : float
        Metres; 0 keeps every vertex.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (n_limits,)
        Metres.
    """
    rings = trace(corner, field)
    chains, edges = cut_chains(rings, corner)
    faces = shapely.orient_polygons(shapely.get_parts(shapely.polygonize(chains)))
    band = bands(faces, edges, corner, n_limits=len(field))
    inside = band < len(field)
    faces, band = faces[inside], band[inside]
    if tolerance > 0.0:
        faces = shapely.coverage_simplify(faces, tolerance)
    areas = [shapely.coverage_union_all(faces[band <= k]) for k in range(len(field))]
    return np.array(areas, dtype=object)


def trace(corner: Floats, field: Field) -> Rings:
    """Contour every limit; small holes are left out."""
    x, y = (corner[axis] + SIDE * np.arange(field.shape[2 - axis]) for axis in range(2))
    points: list[Floats] = []
    n_points: list[Numbers] = []
    n_rings = []
    for layer in field:
        found, first = _contour(x, y, layer)
        points.append(found)
        n_points.append(np.diff(first))
        n_rings.append(len(first) - 1)
    n_of = np.concatenate(n_points)
    return _without_small_holes(
        Rings(
            xy=np.concatenate(points),
            first=np.cumsum(np.r_[0, n_of]),
            limit=np.repeat(np.arange(len(field)), n_rings),
        )
    )


def _contour(x: Floats, y: Floats, layer: Field) -> tuple[Floats, Numbers]:
    """Return the rings round what is nearer than LEVEL, and the first vertex of each."""
    contour = contourpy.contour_generator(x, y, layer, fill_type="ChunkCombinedOffset")
    filled: Any = contour.filled(-1.0, LEVEL)  # in the shape that fill_type asks for
    points, offsets = filled[:2]
    return points[0], offsets[0].astype(np.int64)


def _without_small_holes(rings: Rings) -> Rings:
    """Leave out the rings that run round less than SMALLEST_HOLE the other way."""
    begin, n_of = rings.first[:-1], np.diff(rings.first)
    x, y = (rings.xy - np.repeat(rings.xy[begin], n_of, axis=0)).T
    turn = x[:-1] * y[1:] - x[1:] * y[:-1]
    turn[begin[1:] - 1] = 0.0
    area = np.add.reduceat(np.r_[turn, 0.0], begin) / 2.0
    kept = (area > 0.0) | (area <= -SMALLEST_HOLE)
    return Rings(
        xy=rings.xy[np.repeat(kept, n_of)],
        first=np.cumsum(np.r_[0, n_of[kept]]),
        limit=rings.limit[kept],
    )


def cut_chains(rings: Rings, corner: Floats) -> tuple[Polygons, Edges]:
    """Return each stretch that some limits share as one line, and the edges there are."""
    n_of = np.diff(rings.first)
    ring = np.repeat(np.arange(len(n_of)), n_of)
    vertex, number = np.unique(_keys(rings.xy, corner), return_inverse=True)
    is_last = np.zeros(len(number), dtype=bool)
    is_last[rings.first[1:] - 1] = True
    step = np.flatnonzero(~is_last)
    edge = number[step] * len(vertex) + number[step + 1]
    key, row = np.unique(edge, return_inverse=True)
    limits = np.zeros(len(key), np.int64)
    np.bitwise_or.at(limits, row, 1 << rings.limit[ring[step]])
    is_node = _nodes(Edges(vertex=vertex, key=key, limits=limits))[number]
    order = _turned(rings, ring, number, is_node)
    lines, line = _split(order, rings.first, is_node[order])
    first = np.flatnonzero(np.diff(line, prepend=-1))
    _, once = np.unique(
        number[lines[first]] * len(vertex) + number[lines[first + 1]], return_index=True
    )
    of_chain = np.isin(line, once)
    lines, line = lines[of_chain], np.unique(line[of_chain], return_inverse=True)[1]
    kept = ~_needless(rings.xy[lines], line)
    lines, line = lines[kept], line[kept]
    goes_on = np.flatnonzero(np.diff(line) == 0)
    start, end = number[lines[goes_on]], number[lines[goes_on + 1]]
    at = np.searchsorted(key, number[lines] * len(vertex) + number[np.roll(lines, -1)])
    begins = np.flatnonzero(np.diff(line, prepend=-1))
    thinned = start * len(vertex) + end
    by_key = np.argsort(thinned)
    chains = shapely.linestrings(rings.xy[lines], indices=line)
    of_line = limits[at[begins]][line[goes_on]]
    edges = Edges(vertex=vertex, key=thinned[by_key], limits=of_line[by_key])
    return np.asarray(chains), edges


def _needless(xy: Floats, line: Numbers) -> NDArray[np.bool_]:
    """Tell which vertices of the chains may go before anything else is looked at.

    Every other vertex of a chain, where it lies within THIN of the line between its neighbours and
    no other chain runs through the two cells beside it: nothing can be crossed.
    """
    place = np.arange(len(line)) - np.flatnonzero(np.diff(line, prepend=-1))[line]
    cell = np.floor((xy[1:] + xy[:-1]) / (2.0 * SIDE)).astype(np.int64)
    is_edge = np.diff(line) == 0
    _, row = np.unique((cell[:, 0] << 32) | cell[:, 1], return_inverse=True)
    alone = is_edge & (np.bincount(row, is_edge)[row] == 1)
    before, after = xy[1:-1] - xy[:-2], xy[2:] - xy[:-2]
    across = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    is_straight = across <= THIN * np.hypot(*after.T)
    needless = np.zeros(len(line), dtype=bool)
    needless[1:-1] = alone[:-1] & alone[1:] & is_straight & (place[1:-1] % 2 == 0)
    needless[np.flatnonzero(place <= 1)] = False
    return needless


def _keys(xy: Floats, corner: Floats) -> Numbers:
    """Name each vertex by its millimetres from the corner."""
    steps = np.rint((xy - corner) * MILLIMETRES).astype(np.int64)
    keys: Numbers = (steps[:, 0] << 32) | steps[:, 1]
    return keys


def _nodes(edges: Edges) -> NDArray[np.bool_]:
    """Tell at which vertices outlines of different limits part, shape (n_distinct,)."""
    n = len(edges.vertex)
    every, some = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    for end in (edges.key // n, edges.key % n):
        np.bitwise_and.at(every, end, edges.limits)
        np.bitwise_or.at(some, end, edges.limits)
    return np.asarray(every != some)


def _turned(rings: Rings, ring: Numbers, number: Numbers, is_node: NDArray[np.bool_]) -> Numbers:
    """Turn each ring so that it begins where it may be cut, or at its lowest vertex.

    Returns
    -------
    ndarray of int64, shape (n_vertices,)
        Rows of `rings.xy`.
    """
    begin, n_steps = rings.first[:-1], np.diff(rings.first) - 1
    rank = np.where(is_node, number - len(number), number)
    lowest = np.minimum.reduceat(rank, begin)
    rows = np.flatnonzero(rank == lowest[ring])
    _, of_ring = np.unique(ring[rows], return_index=True)
    shift = rows[of_ring] - begin
    place = np.arange(len(number)) - begin[ring]
    turned: Numbers = begin[ring] + (shift[ring] + place) % n_steps[ring]
    return turned


def _split(order: Numbers, first: Numbers, is_node: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Split rings at their nodes; a node inside a ring ends one line and begins the next.

    Returns
    -------
    vertex, line : ndarray of int64
    """
    is_begin = np.zeros(len(order), dtype=bool)
    is_begin[first[:-1]] = True
    is_end = np.zeros(len(order), dtype=bool)
    is_end[first[1:] - 1] = True
    is_cut = is_node & ~is_begin & ~is_end
    vertex = np.repeat(order, 1 + is_cut)
    begins = np.repeat(is_begin, 1 + is_cut)
    begins[(np.cumsum(1 + is_cut) - 1)[is_cut]] = True
    return vertex, np.cumsum(begins) - 1


def bands(faces: Polygons, edges: Edges, corner: Floats, *, n_limits: int) -> Numbers:
    """Return the first limit that holds each face, `n_limits` for a hole of all.

    On the left of an edge lies the area of each of its limits, on the right that of the limits
    after them.
    """
    xy, face = shapely.get_coordinates(faces, return_index=True)
    first = np.searchsorted(face, np.arange(len(faces)))
    start, end = (np.searchsorted(edges.vertex, _keys(xy[first + k], corner)) for k in range(2))
    ahead, back = start * len(edges.vertex) + end, end * len(edges.vertex) + start
    at = np.searchsorted(edges.key, ahead).clip(max=len(edges.key) - 1)
    is_left = edges.key[at] == ahead
    at = np.where(is_left, at, np.searchsorted(edges.key, back).clip(max=len(edges.key) - 1))
    bit = 1 << np.arange(n_limits)
    has = (edges.limits[at][:, None] & bit) > 0
    lowest, highest = has.argmax(axis=1), n_limits - 1 - has[:, ::-1].argmax(axis=1)
    found: Numbers = np.where(is_left, lowest, highest + 1)
    return found
