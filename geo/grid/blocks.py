"""Blocks: the faces that streets, water edges and boundary lines enclose.

Lines are noded once, on the lattice of written coordinates (1e-7 degree), so that what is written
is exactly what was noded: no later rounding can open a gap or fold a sliver (snap rounding; Hobby,
Computational Geometry 13, 1999). Lengths and areas are measured in the city's metric CRS.
"""

from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numba import njit

from geo.boundary import depths, lowest_units
from geo.frames import Col, StreetClass
from geo.grid.locate import build_index, locate
from geo.topology import LATTICE, Borders, segments_of, shared_borders, vertex_keys
from geo.units import LONLAT_EPSG

SLIVER_WIDTH: Final = 8.0
"""Metres of mean width (2 x area / perimeter) under which a block is the gap between carriageways,
not a place: on real streets a third of the faces."""

SLIVER_AREA: Final = 1500.0
"""m2 under which a block is a traffic island or a junction."""

STREET_REACH: Final = 0.5
"""Metres from a street's line within which a border lies on it."""

OVERSHOOT: Final = 1.0
"""Metres by which a dead end is drawn longer for noding."""

METRES_PER_DEGREE: Final = 111_000.0
"""Of latitude; exact enough for an overshoot."""

RANK: Final = {
    StreetClass.EXPRESSWAY: 2,
    StreetClass.ARTERIAL: 2,
    StreetClass.COLLECTOR: 1,
    StreetClass.LANE: 1,
    StreetClass.RURAL: 1,
    StreetClass.PATH: 1,
}
"""How strongly a street divides: 2 a main road, 1 any other, 0 no street at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Blocks of a city and who borders on whom.

    Attributes
    ----------
    faces : ndarray of Polygon, shape (n,)
        Longitude and latitude on the lattice; an exact coverage.
    unit : ndarray of int64, shape (n,)
        Row of the boundary frame that owns the block.
    area : ndarray of float64, shape (n,)
        m2.
    households : ndarray of int64, shape (n,)
    width : ndarray of float64, shape (n,)
        Mean width in metres.
    borders : Borders
        Shared borders in metres, `middle` in the metric CRS.
    rank : ndarray of int64, shape (n_borders,)
        `RANK` of the street each border lies on.
    """

    faces: np.ndarray
    unit: np.ndarray
    area: np.ndarray
    households: np.ndarray
    width: np.ndarray
    borders: Borders
    rank: np.ndarray


class Plane:
    """The city's metric CRS: degrees to metres and back, for arrays of geometries."""

    def __init__(self, epsg: int) -> None:
        self._forth = pyproj.Transformer.from_crs(LONLAT_EPSG, epsg, always_xy=True)
        self._back = pyproj.Transformer.from_crs(epsg, LONLAT_EPSG, always_xy=True)

    def metres(self, lonlat: np.ndarray) -> np.ndarray:
        """Return coordinates, shape (n, 2), in metres."""
        return np.column_stack(self._forth.transform(lonlat[:, 0], lonlat[:, 1]))

    def degrees(self, xy: np.ndarray) -> np.ndarray:
        """Return coordinates, shape (n, 2), in degrees."""
        return np.column_stack(self._back.transform(xy[:, 0], xy[:, 1]))

    def project(self, geometries: np.ndarray) -> np.ndarray:
        """Return the geometries in metres."""
        return np.asarray(shapely.transform(geometries, self.metres))


def enclose(lines: np.ndarray, boundaries: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the faces that lines enclose inside the boundaries, and the unit that owns each.

    Parameters
    ----------
    lines : ndarray of LineString
        Streets, water edges, cut lines, in degrees; boundary lines are added here.
    boundaries : GeoDataFrame
        Units of any level; the deepest unit at a place owns it, the lowest code among equals.

    Returns
    -------
    faces : ndarray of Polygon
    unit : ndarray of int64
        Row of `boundaries`.
    """
    polygons = boundaries.geometry.to_numpy()
    order = np.lexsort((boundaries[Col.CODE].to_numpy(dtype=str), -depths(boundaries)))
    noded = shapely.union_all(
        np.concatenate([shapely.boundary(polygons), lines]), grid_size=LATTICE
    )
    faces = np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))))
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    found = locate(build_index(polygons[order]), inner)
    faces, found = faces[found >= 0], found[found >= 0]
    return faces, order[found]


def dividing_lines(
    boundaries: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, water: gpd.GeoDataFrame
) -> np.ndarray:
    """Return the streets and water edges that touch a boundary, as lines in degrees."""
    shores = water.geometry.to_numpy()
    is_area = shapely.get_dimensions(shores) == 2
    roads = streets.geometry.to_numpy()
    lines = np.concatenate(
        [roads, _overshoots(roads), shapely.boundary(shores[is_area]), shores[~is_area]]
    )
    tree = shapely.STRtree(lines)
    touching = tree.query(lowest_units(boundaries).geometry.to_numpy(), predicate="intersects")[1]
    return np.asarray(lines[np.unique(touching)])


def _overshoots(roads: np.ndarray) -> np.ndarray:
    """Return a metre of street beyond every dead end, so that it meets a line it stops short of.

    A street clipped at a boundary ends beside its line once both are written with 7 decimals.
    What still ends nowhere encloses nothing and vanishes.
    """
    if len(roads) == 0:
        return np.zeros(0, dtype=object)
    tips = shapely.get_coordinates(
        [shapely.get_point(roads, end) for end in (0, 1, -1, -2)]
    ).reshape(4, -1, 2)
    end, before = np.concatenate([tips[0], tips[2]]), np.concatenate([tips[1], tips[3]])
    _, node, times = np.unique(vertex_keys(end), return_inverse=True, return_counts=True)
    dead = times[node] == 1
    end, before = end[dead], before[dead]
    scale = METRES_PER_DEGREE * np.stack([np.cos(np.radians(end[:, 1])), np.ones(len(end))], axis=1)
    ahead = (end - before) * scale
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    return np.asarray(shapely.linestrings(np.stack([end, end + OVERSHOOT * ahead / scale], axis=1)))


def measure(
    faces: np.ndarray,
    unit: np.ndarray,
    streets: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    plane: Plane,
) -> Blocks:
    """Return faces as blocks: area, width, households, neighbours and the streets between."""
    metric = plane.project(faces)
    area = shapely.area(metric)
    segments = segments_of(faces)
    ends = plane.metres(segments.ends.reshape(-1, 2)).reshape(-1, 2, 2)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    borders = shared_borders(replace(segments, ends=ends), length)
    return Blocks(
        faces=faces,
        unit=unit,
        area=area,
        households=count_households(faces, buildings),
        width=2 * area / shapely.length(metric),
        borders=borders,
        rank=_rank_borders(borders, streets, plane),
    )


def count_households(faces: np.ndarray, buildings: gpd.GeoDataFrame) -> np.ndarray:
    """Return the households of the buildings in each face; int64, shape (n,)."""
    if len(buildings) == 0 or len(faces) == 0:
        return np.zeros(len(faces), dtype=np.int64)
    face = locate(build_index(faces), shapely.get_coordinates(buildings.geometry.to_numpy()))
    households = buildings[Col.HOUSEHOLDS].to_numpy()
    inside = face >= 0
    total = np.bincount(face[inside], households[inside], minlength=len(faces))
    return np.rint(total).astype(np.int64)


def _rank_borders(borders: Borders, streets: gpd.GeoDataFrame, plane: Plane) -> np.ndarray:
    """Return the strongest street within `STREET_REACH` of each border's middle."""
    rank = np.zeros(len(borders.pairs), dtype=np.int64)
    if len(streets) == 0 or len(rank) == 0:
        return rank
    tree = shapely.STRtree(plane.project(streets.geometry.to_numpy()))
    street_rank = streets[Col.STREET_CLASS].map(RANK).to_numpy(dtype=np.int64)
    middle = shapely.points(borders.middle)
    border, street = tree.query(middle, predicate="dwithin", distance=STREET_REACH)
    np.maximum.at(rank, border, street_rank[street])
    return rank


def merge_slivers(blocks: Blocks, boundaries: gpd.GeoDataFrame) -> np.ndarray:
    """Return which atom each block belongs to after slivers joined a neighbour.

    A sliver (narrower than `SLIVER_WIDTH` or smaller than `SLIVER_AREA`, without households)
    joins the neighbour of its own unit with the longest shared border. Scraps of a unit that is
    divided further, left where its children do not tile it, join a child if they are narrow.

    Returns
    -------
    ndarray of int64, shape (n_blocks,)
        Row of the block that stands for the atom; a block alone stands for itself.
    """
    divided = boundaries[Col.CODE].isin(set(boundaries[Col.ADMIN_PARENT])).to_numpy()
    narrow = blocks.width < SLIVER_WIDTH
    is_sliver = (narrow | (blocks.area < SLIVER_AREA)) & (blocks.households == 0)
    is_scrap = narrow & divided[blocks.unit]
    pairs = blocks.borders.pairs[np.argsort(-blocks.borders.length, kind="stable")]
    one, other = pairs.T
    same = blocks.unit[one] == blocks.unit[other]
    ways = np.stack(
        [
            (is_sliver[a] & same) | (is_scrap[a] & (same | ~is_scrap[b]))
            for a, b in ((one, other), (other, one))
        ]
    )
    return np.asarray(_merge(len(blocks.faces), pairs, ways))


@njit(cache=True)
def _root(parent: np.ndarray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True)
def _merge(n: int, pairs: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Join each block once, over the first pair in order that may be crossed from it."""
    parent = np.arange(n)
    joined = np.zeros(n, np.bool_)
    for row in range(len(pairs)):
        for way in range(2):
            sliver, other = pairs[row, way], pairs[row, 1 - way]
            if ways[way, row] and not joined[sliver]:
                joined[sliver] = True
                a, b = _root(parent, sliver), _root(parent, other)
                if a != b:
                    parent[a] = b
    for node in range(n):
        parent[node] = _root(parent, node)
    return parent
