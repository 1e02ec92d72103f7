"""A coverage to be looked at: polygons of one level, and the parents they must tile."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.frames import Col
from geo.topology.segment import to_degrees, to_lattice
from geo.topology.winding import areas_of
from geo.units import LONLAT_EPSG

NOWHERE: Final = -1
"""Row of the parent of what lies outside all parents."""

HAIRLINE: Final = 0.02
"""Metres of mean width under which a face is the rounding of written coordinates, not a place:
two lattice steps."""

METRES_PER_DEGREE: Final = 111_320.0
"""Of longitude at the equator (WGS-84, 2 pi x 6,378,137 m / 360); good to 0.7 % for latitude,
which is enough to tell near from far. Areas and widths are measured with `in_metres`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Polygons of one level on the lattice of written coordinates, and their parents.

    Attributes
    ----------
    units : ndarray of Polygon or MultiPolygon, shape (n,)
        Valid, counter-clockwise, longitude and latitude.
    above : ndarray of int64, shape (n,)
        Row of each unit's parent, `NOWHERE` for one that lies in none; 0 without parents.
    parents : ndarray of Polygon or MultiPolygon, optional
        What the units must tile; without them, their own outer border is nobody's fault.
    damage : dict of int to Point
        Row of each unit whose rings crossed themselves as they came (`units` has them made
        valid), and a place where.
    doubtful : ndarray of int64
        Rows whose inner point lies in another unit too, or in another parent than their own.
    epsg : int
        Metric CRS.
    """

    units: np.ndarray
    above: np.ndarray
    parents: np.ndarray | None
    damage: Mapping[int, shapely.Geometry]
    doubtful: np.ndarray
    epsg: int

    def changed(self, rows: np.ndarray, polygons: np.ndarray) -> "Coverage":
        """Return the coverage with other polygons in some rows."""
        units = self.units.copy()
        units[rows] = polygons
        inner = inner_points(units)
        return replace(self, units=units, doubtful=_doubtful(units, inner, self.above, self.above))


def coverage_of(
    units: gpd.GeoDataFrame, *, epsg: int, parents: gpd.GeoDataFrame | None = None
) -> Coverage:
    """Return units and parents as a coverage.

    A unit's parent is the one its `admin_parent` names; where that is not among the parents, the
    one it lies in.

    Parameters
    ----------
    units, parents : GeoDataFrame
        Polygons in EPSG:4326 with `code`; units with `admin_parent` where they have one.
    epsg : int
        Metric CRS.
    """
    polygons, damage = _on_lattice(units.geometry.to_numpy())
    inner = inner_points(polygons)
    above = np.zeros(len(units), dtype=np.int64)
    located = above
    whole = None
    if parents is not None:
        whole, _ = _on_lattice(parents.geometry.to_numpy())
        located = rows_holding(whole, inner)
        above = _named(units, parents, located)
    return Coverage(
        units=polygons,
        above=above,
        parents=whole,
        damage=damage,
        doubtful=_doubtful(polygons, inner, above, located),
        epsg=epsg,
    )


def _on_lattice(polygons: np.ndarray) -> tuple[np.ndarray, dict[int, shapely.Geometry]]:
    """Return polygons on the lattice, valid and counter-clockwise, and where others were not."""
    rounded = shapely.transform(polygons, lambda lonlat: to_degrees(to_lattice(lonlat)))
    damage = {
        int(row): place_of_damage(rounded[row])
        for row in np.flatnonzero(~shapely.is_valid(rounded))
    }
    for row in damage:
        rounded[row] = areas_of(rounded[row])
    return np.asarray(shapely.orient_polygons(rounded)), damage


def place_of_damage(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the point where GEOS finds a shape invalid; its first vertex where it names none."""
    found = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(shape))
    lonlat = found.groups() if found else shapely.get_coordinates(shape)[0]
    return shapely.Point(*(float(value) for value in lonlat))


def inner_points(polygons: np.ndarray) -> np.ndarray:
    """Return a Point inside each polygon."""
    return np.asarray(shapely.point_on_surface(polygons))


def rows_holding(polygons: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the first polygon that holds each point; `NOWHERE` where none does."""
    holder, point = shapely.STRtree(points).query(polygons, predicate="intersects")
    rows = np.full(len(points), NOWHERE, dtype=np.int64)
    rows[point[::-1]] = holder[::-1]
    return rows


def _named(units: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, located: np.ndarray) -> np.ndarray:
    if Col.ADMIN_PARENT not in units.columns or Col.CODE not in parents.columns:
        return located
    row = {code: k for k, code in enumerate(parents[Col.CODE])}
    named = np.array([row.get(above, NOWHERE) for above in units[Col.ADMIN_PARENT]], dtype=np.int64)
    return np.where(named == NOWHERE, located, named)


def _doubtful(
    polygons: np.ndarray, inner: np.ndarray, above: np.ndarray, located: np.ndarray
) -> np.ndarray:
    holder, point = shapely.STRtree(inner).query(polygons, predicate="intersects")
    doubled = holder != point
    wrong = np.flatnonzero(above != located)
    return np.unique(np.concatenate([holder[doubled], point[doubled], wrong]))


def in_metres(
    geometries: np.ndarray | Sequence[shapely.Geometry], epsg: int, *, in_one: bool = False
) -> np.ndarray:
    """Return geometries given in longitude and latitude in metres around their own middle.

    An affine map with the metric CRS's scale at the middle of each: what is straight in degrees
    stays straight. Projecting the vertices does not: a border of 7 km with a vertex in it, and
    the same border without, then enclose a sliver of half a metre that is not there.

    Parameters
    ----------
    geometries : sequence of shapely geometries
    epsg : int
        Metric CRS.
    in_one : bool
        One map for all, so that distances between them can be measured; its scale is off by up to
        0.7 % at the edge of a city of 100 km.
    """
    shapes = np.asarray(geometries, dtype=object)
    lonlat, row = shapely.get_coordinates(shapes, return_index=True)
    if in_one:
        row = np.zeros_like(row)
    size = np.bincount(row)
    some = np.flatnonzero(size)
    middle = np.stack(
        [np.bincount(row, lonlat[:, axis])[some] / size[some] for axis in (0, 1)], axis=1
    )
    here = np.searchsorted(some, row)
    metres = np.einsum("nij,nj->ni", _scale_at(middle, epsg)[here], lonlat - middle[here])
    return np.asarray(shapely.set_coordinates(shapes.copy(), metres))


def _scale_at(lonlat: np.ndarray, epsg: int) -> np.ndarray:
    """Return metres east and north for each degree east and north; float64, shape (n, 2, 2)."""
    plane = pyproj.Transformer.from_crs(LONLAT_EPSG, epsg, always_xy=True)
    step = 1e-4
    columns = []
    for aside in ((step, 0.0), (0.0, step)):
        ahead, back = (
            np.column_stack(plane.transform(*(lonlat + sign * np.array(aside)).T))
            for sign in (1, -1)
        )
        columns.append((ahead - back) / (2 * step))
    return np.stack(columns, axis=2)
