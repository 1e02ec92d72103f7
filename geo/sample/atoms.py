"""Atoms: the smallest faces of one arrangement of borders, roads, streets, canal and field parcels.

Townships and villages are unions of atoms, so they tile their parent exactly and their borders lie
on roads, water and field edges.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.layout import nearest_rows
from geo.sample.lines import (
    NODING_GRID,
    Bools,
    Ints,
    Lines,
    Origin,
    Rank,
    Shapes,
    grid_keys,
    touched,
)
from geo.sample.stream import Stream

PARCEL: Final = 400.0
"""Side of a field parcel, metres."""

_CORNER_GAP: Final = 90.0
_URBAN_LIMIT: Final = 90_000.0
_RURAL_LIMIT: Final = 400_000.0
_ZONE_ROOM: Final = 250.0
_ZONE_GAP: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """Faces and what separates them.

    Attributes
    ----------
    shape : ndarray of Polygon, shape (n,)
    county : ndarray of int64, shape (n,)
        Row of the county.
    is_town : ndarray of bool, shape (n,)
        Within the built-up area or its rim.
    area : ndarray of float64, shape (n,)
        m2.
    centre : ndarray of float64, shape (n, 2)
    pairs : ndarray of int64, shape (m, 2)
        Neighbours in one county, one row per piece of border.
    border : ndarray of float64, shape (m,)
        Length of the piece, metres.
    is_barrier : ndarray of bool, shape (m,)
        The piece lies on a main road, an arterial or the canal.
    """

    shape: Shapes
    county: Ints
    is_town: Bools
    area: Floats
    centre: Floats
    pairs: Ints
    border: Floats
    is_barrier: Bools

    def __len__(self) -> int:
        return len(self.shape)


def cut_atoms(
    counties: list[BaseGeometry],
    streets: Lines,
    roads: Lines,
    built: BaseGeometry,
    canals: list[BaseGeometry],
    *,
    seed: int,
) -> Atoms:
    """Cut counties into atoms.

    Parameters
    ----------
    counties : list of Polygon
        In the plane, metres.
    streets : Lines
        Streets of the towns; those inside compounds bound nothing.
    roads : Lines
        Main roads.
    built : Polygon or MultiPolygon
    canals : list of LineString
        Centre lines.
    """
    area = shapely.union_all(counties)
    canal_lines = np.array(canals, dtype=object)
    open_streets = streets.take(streets.origin != Origin.COMPOUND)
    barriers = np.concatenate(
        [
            roads.shape,
            open_streets.shape[open_streets.rank <= Rank.ARTERIAL],
            canal_lines,
        ]
    )
    outlines = [shapely.boundary(polygon) for polygon in (*counties, built)]
    fields = _field_edges(area, built, seed=seed)
    faces = _faces(
        np.concatenate([fields, open_streets.shape]),
        np.concatenate(
            [
                shapely.get_parts(outlines),
                roads.shape,
                canal_lines,
            ]
        ),
    )
    return _describe(_sorted(_halved(faces, built)), counties, built, barriers)


def _faces(noded: Shapes, cutters: Shapes) -> Shapes:
    """Return the faces of lines noded among themselves and of cutters that cross some of them."""
    cut = touched(noded, cutters)
    crossing = shapely.multilinestrings(np.concatenate([noded[cut], cutters]))
    pieces = shapely.get_parts(shapely.unary_union(crossing, grid_size=NODING_GRID))
    arrangement = np.concatenate([noded[~cut], pieces])
    return np.asarray(shapely.get_parts(shapely.polygonize(arrangement)))


def _field_edges(area: BaseGeometry, built: BaseGeometry, *, seed: int) -> Shapes:
    edges = _parcel_lines(area.bounds, Stream(seed, "fields"))
    shapely.prepare(area)
    shapely.prepare(built)
    edges = edges[shapely.intersects(area, edges)]
    inside = shapely.contains_properly(area, edges)
    edges = np.concatenate([edges[inside], shapely.intersection(edges[~inside], area)])
    in_town = shapely.intersects(built, edges)
    edges = np.concatenate([edges[~in_town], shapely.difference(edges[in_town], built)])
    parts = shapely.get_parts(edges)
    return np.asarray(parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING])


def _parcel_lines(bounds: tuple[float, ...], stream: Stream, *, turn: float = -3.0) -> Shapes:
    """Return field edges: strips with staggered cross lines, noded by construction."""
    x0, y0, x1, y1 = bounds
    half = max(x1 - x0, y1 - y0) * 0.56
    middle = np.array([(x0 + x1) / 2.0, (y0 + y1) / 2.0])
    n_across = int(2.0 * half / PARCEL) + 2
    pieces: list[Floats] = []
    below: tuple[Floats, Floats] | None = None
    hanging = np.zeros(0)
    y = -half
    while y < half:
        standing = np.cumsum(PARCEL * stream.uniforms(n_across, 0.55, 1.45)) - half
        standing = _aligned(standing, hanging)
        at = np.union1d(hanging, standing)
        points = _waved(at, y, stream)
        pieces += list(np.stack([points[:-1], points[1:]], axis=1))
        if below is not None:
            feet = below[1][np.searchsorted(below[0], hanging)]
            heads = points[np.searchsorted(at, hanging)]
            pieces += list(np.stack([feet, heads], axis=1))
        below, hanging = (at, points), standing
        y += PARCEL * stream.uniform(0.7, 1.3)
    placed = exact.turned(np.array(pieces).reshape(-1, 2), turn) + middle
    return np.asarray(shapely.linestrings(np.round(placed, 1).reshape(-1, 2, 2)))


def _aligned(standing: Floats, hanging: Floats) -> Floats:
    """Move cross lines that would miss one of the strip below by a few steps: they run through."""
    if len(hanging) == 0:
        return standing
    near = hanging[nearest_rows(hanging[:, None], standing[:, None])]
    return np.unique(np.where(np.abs(near - standing) < _CORNER_GAP, near, standing))


def _waved(at: Floats, y: float, stream: Stream) -> Floats:
    """Return the points of one edge between two strips: waves of 80 to 160 m and moved corners.

    Corners move less than half their smallest gap, so that no two edges cross.
    """
    shift = stream.uniforms(2 * len(at), -1.0, 1.0).reshape(-1, 2) * (25.0, 43.0)
    x = at + 160.0 * exact.sin(y / 1900.0 - at / 5000.0)
    wave = 150.0 * exact.sin(at / 2100.0 + y / 3000.0) + 80.0 * exact.sin(at / 700.0 - y / 900.0)
    return np.stack([x, y + wave], axis=1) + shift


def _halved(faces: Shapes, built: BaseGeometry) -> Shapes:
    """Halve faces that are too large to be shared out, again and again."""
    area = shapely.area(faces)
    in_town = shapely.contains(built, shapely.point_on_surface(faces))
    limit = np.where(in_town, _URBAN_LIMIT, _RURAL_LIMIT)
    large = (area > limit) & (shapely.get_num_interior_rings(faces) == 0)
    done = list(faces[~large])
    for face, largest in zip(faces[large], limit[large], strict=True):
        _halve(face, float(largest), done)
    return np.array(done, dtype=object)


def _halve(face: BaseGeometry, limit: float, done: list[BaseGeometry]) -> None:
    """Cut a face from vertex to vertex across its long side: no neighbour gains a point."""
    ring = shapely.get_coordinates(face)[:-1]
    if face.area > limit and len(ring) > 7:
        for cut in _chords(_along(ring)):
            halves = _split(ring, *cut, whole=face.area)
            if halves is not None:
                for half in halves:
                    _halve(half, limit, done)
                return
    done.append(face)


def _along(ring: Floats) -> Floats:
    """Return each vertex's place along the face's longer side, in the frame of its longest edge."""
    edges = np.roll(ring, -1, axis=0) - ring
    length = exact.norm(edges)
    longest = int(np.argmax(length))
    ahead = edges[longest] / length[longest]
    moved = ring - ring[0]
    along = moved[:, 0] * ahead[0] + moved[:, 1] * ahead[1]
    across = moved[:, 1] * ahead[0] - moved[:, 0] * ahead[1]
    place = along if np.ptp(along) >= np.ptp(across) else across
    return np.asarray(place - (place.max() + place.min()) / 2.0)


def _chords(place: Floats) -> list[tuple[int, int]]:
    """Return pairs of vertices near the middle, best first, three or more steps apart."""
    n = len(place)
    number = np.arange(n)
    pairs = []
    for i in np.argsort(np.abs(place), kind="stable")[:6]:
        steps = np.abs((number - i + n // 2) % n - n // 2)
        cost = np.abs(place - place[i]) + np.where(steps < 3, np.inf, 0.0)
        pairs += [
            (min(int(i), int(j)), max(int(i), int(j)))
            for j in np.argsort(cost, kind="stable")[:4]
            if np.isfinite(cost[j])
        ]
    return pairs


def _split(
    ring: Floats, i: int, j: int, *, whole: float
) -> tuple[BaseGeometry, BaseGeometry] | None:
    """Return the two halves of a chord that lies inside and leaves a fifth on each side."""
    one = shapely.Polygon(ring[i : j + 1])
    other = shapely.Polygon(np.concatenate([ring[j:], ring[: i + 1]]))
    fits = one.is_valid and other.is_valid and abs(one.area + other.area - whole) < 1.0
    return (one, other) if fits and min(one.area, other.area) > 0.2 * whole else None


def _sorted(faces: Shapes) -> Shapes:
    """Return faces from south to north, then west to east: GEOS's own order may change."""
    centre = np.round(shapely.get_coordinates(shapely.centroid(faces)), 3)
    return np.asarray(faces[np.lexsort((centre[:, 0], centre[:, 1]))])


def _describe(
    faces: Shapes, counties: list[BaseGeometry], built: BaseGeometry, barriers: Shapes
) -> Atoms:
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    county = np.full(len(faces), -1, dtype=np.int64)
    for row, polygon in enumerate(counties):
        shapely.prepare(polygon)
        county[shapely.contains_xy(polygon, inner)] = row
    faces, inner, county = faces[county >= 0], inner[county >= 0], county[county >= 0]
    pairs, middle, border = _adjacency(faces)
    same = county[pairs[:, 0]] == county[pairs[:, 1]]
    pairs, middle, border = pairs[same], middle[same], border[same]
    zone = built.buffer(_ZONE_ROOM + _ZONE_GAP, quad_segs=2).buffer(-_ZONE_GAP, quad_segs=2)
    shapely.prepare(zone)
    near = shapely.STRtree(barriers).query(
        shapely.points(middle), predicate="dwithin", distance=0.6
    )[0]
    is_barrier = np.zeros(len(pairs), dtype=np.bool_)
    is_barrier[near] = True
    return Atoms(
        shape=faces,
        county=county,
        is_town=shapely.contains_xy(zone, inner),
        area=shapely.area(faces),
        centre=shapely.get_coordinates(shapely.centroid(faces)),
        pairs=pairs,
        border=border,
        is_barrier=is_barrier,
    )


def _adjacency(faces: Shapes) -> tuple[Ints, Floats, Floats]:
    """Return shared border pieces of a noded tiling: face rows, middle of the piece, its length."""
    coords, owner = shapely.get_coordinates(faces, return_index=True)
    _, point = np.unique(grid_keys(coords), return_inverse=True)
    step = owner[1:] == owner[:-1]
    start, end, face = point[:-1][step], point[1:][step], owner[:-1][step]
    n_points = int(point.max()) + 1
    key = np.minimum(start, end) * n_points + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    one, other = order[twin], order[twin + 1]
    rows: Ints = np.flatnonzero(step)[one]
    a, b = coords[rows], coords[rows + 1]
    return np.stack([face[one], face[other]], axis=1), (a + b) / 2.0, exact.norm(a - b)
