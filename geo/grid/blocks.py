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

from geo.boundary import depths, is_enclave
from geo.frames import Col, StreetClass
from geo.grid.locate import build_index, locate
from geo.grid.tree import root
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

NEAR_LINE: Final = LATTICE
"""Degrees from a face's border within which a point may round to its other side."""

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
"""How strongly a street divides: 2 a main road, 1 any other, 0 no street at all.

Rail divides like a main road; a shore like any other street.
"""

MAIN: Final = 2
"""Rank of what grids do not cross unless they must."""


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
    biggest : ndarray of int64, shape (n,)
        Most households of one building.
    width : ndarray of float64, shape (n,)
        Mean width in metres.
    borders : Borders
        Shared borders in metres, `middle` in the metric CRS.
    rank : ndarray of int64, shape (n_borders,)
        `RANK` of what each border lies on.
    rim : ndarray of float64, shape (n,)
        Perimeter in metres.
    """

    faces: np.ndarray
    unit: np.ndarray
    area: np.ndarray
    rim: np.ndarray
    households: np.ndarray
    biggest: np.ndarray
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
    found = locate(build_index(polygons[order]), _inner_points(faces))
    faces, found = faces[found >= 0], found[found >= 0]
    return faces, order[found]


def _inner_points(faces: np.ndarray) -> np.ndarray:
    """Return a point well inside each face; float64, shape (n, 2).

    A point on a surface may lie where the face is a spike narrower than the lattice, and round to
    the face beside it: such a face takes the centre of its largest circle.
    """
    points = shapely.point_on_surface(faces)
    near = shapely.distance(points, shapely.boundary(faces)) < NEAR_LINE
    circles = shapely.maximum_inscribed_circle(faces[near], LATTICE)
    points[near] = shapely.get_point(circles, 0)
    return np.asarray(shapely.get_coordinates(points))


@dataclass(frozen=True, slots=True)
class Dividers:
    """What bounds grids: streets, shores and rail.

    Attributes
    ----------
    lines : ndarray of LineString
        In degrees.
    rank : ndarray of int64
        `RANK` of each.
    """

    lines: np.ndarray
    rank: np.ndarray


def gather_dividers(
    streets: gpd.GeoDataFrame, water: gpd.GeoDataFrame, rail: gpd.GeoDataFrame | None = None
) -> Dividers:
    """Return streets, shores and rail; a street or rail on a bridge or below ground divides too."""
    shores = water.geometry.to_numpy()
    is_area = shapely.get_dimensions(shores) == 2
    edges = shapely.get_parts(np.concatenate([shapely.boundary(shores[is_area]), shores[~is_area]]))
    tracks = np.zeros(0, dtype=object)
    if rail is not None:
        tracks = shapely.get_parts(rail.geometry.to_numpy())
    rank = streets[Col.STREET_CLASS].map(RANK).to_numpy(dtype=np.int64)
    return Dividers(
        lines=np.concatenate([streets.geometry.to_numpy(), edges, tracks]),
        rank=np.concatenate(
            [rank, np.ones(len(edges), dtype=np.int64), np.full(len(tracks), MAIN)]
        ),
    )


def divided_units(boundaries: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which units are divided further, by more than enclaves; bool, shape (n,)."""
    parents = boundaries.loc[~is_enclave(boundaries), Col.ADMIN_PARENT]
    return np.asarray(boundaries[Col.CODE].isin(set(parents)).to_numpy())


def lines_to_node(
    boundaries: gpd.GeoDataFrame, dividers: Dividers, roads: np.ndarray
) -> np.ndarray:
    """Return the dividers that touch a unit which is not divided further, as lines in degrees.

    Parameters
    ----------
    roads : ndarray of LineString
        Streets among the dividers, whose dead ends are drawn a metre longer.
    """
    lines = np.concatenate([dividers.lines, _overshoots(roads)])
    units = boundaries.geometry.to_numpy()[~divided_units(boundaries)]
    touching = shapely.STRtree(lines).query(units, predicate="intersects")[1]
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
    dividers: Dividers,
    buildings: gpd.GeoDataFrame,
    plane: Plane,
) -> Blocks:
    """Return faces as blocks: area, width, households, neighbours and what lies between."""
    metric = plane.project(faces)
    area, rim = shapely.area(metric), shapely.length(metric)
    segments = segments_of(faces)
    ends = plane.metres(segments.ends.reshape(-1, 2)).reshape(-1, 2, 2)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    borders = shared_borders(replace(segments, ends=ends), length)
    households, biggest = count_households(faces, buildings)
    return Blocks(
        faces=faces,
        unit=unit,
        area=area,
        rim=rim,
        households=households,
        biggest=biggest,
        width=2 * area / rim,
        borders=borders,
        rank=rank_places(borders.middle, dividers, plane),
    )


def count_households(
    faces: np.ndarray, buildings: gpd.GeoDataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return the households of each face and of its biggest building; int64, shape (n,)."""
    total, biggest = np.zeros((2, len(faces)), dtype=np.int64)
    if len(buildings) == 0 or len(faces) == 0:
        return total, biggest
    face = locate(build_index(faces), shapely.get_coordinates(buildings.geometry.to_numpy()))
    households = buildings[Col.HOUSEHOLDS].to_numpy()
    inside = face >= 0
    np.add.at(total, face[inside], households[inside])
    np.maximum.at(biggest, face[inside], households[inside])
    return total, biggest


def rank_places(xy: np.ndarray, dividers: Dividers, plane: Plane) -> np.ndarray:
    """Return the strongest divider within `STREET_REACH` of each place, 0 where there is none.

    Parameters
    ----------
    xy : ndarray of float64, shape (n, 2)
        Metres in the city's CRS.
    """
    rank = np.zeros(len(xy), dtype=np.int64)
    if len(dividers.lines) == 0 or len(xy) == 0:
        return rank
    tree = shapely.STRtree(plane.project(dividers.lines))
    place, line = tree.query(shapely.points(xy), predicate="dwithin", distance=STREET_REACH)
    np.maximum.at(rank, place, dividers.rank[line])
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
    divided = divided_units(boundaries)
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
def _merge(n: int, pairs: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Join each block once, over the first pair in order that may be crossed from it."""
    parent = np.arange(n)
    joined = np.zeros(n, np.bool_)
    for row in range(len(pairs)):
        for way in range(2):
            sliver, other = pairs[row, way], pairs[row, 1 - way]
            if ways[way, row] and not joined[sliver]:
                joined[sliver] = True
                a, b = root(parent, sliver), root(parent, other)
                if a != b:
                    parent[a] = b
    for node in range(n):
        parent[node] = root(parent, node)
    return parent
