"""Villages without any street: divided between their buildings, every point to the nearest one."""

from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col
from geo.grid.blocks import Dividers, Plane, divided_units
from geo.grid.locate import build_index, locate

FEW_LINES: Final = 24
"""Lines up to which it is looked whether a unit has any inside; with more it surely has."""

INSIDE: Final = 1.0
"""Metres of line inside a unit from which the unit has one."""

OVERSHOOT: Final = 0.3
"""Metres an edge runs past the unit's border, so that rounding cannot leave it short."""


def units_without_lines(boundaries: gpd.GeoDataFrame, dividers: Dividers) -> np.ndarray:
    """Return the rows of units, not divided further, that no street, shore or rail enters."""
    rows = np.flatnonzero(~divided_units(boundaries))
    polygons = boundaries.geometry.to_numpy()
    found, line = shapely.STRtree(dividers.lines).query(polygons[rows], predicate="intersects")
    few = np.bincount(found, minlength=len(rows)) <= FEW_LINES
    found, line = found[few[found]], line[few[found]]
    inside = shapely.length(shapely.intersection(dividers.lines[line], polygons[rows[found]]))
    shore = shapely.length(
        shapely.intersection(dividers.lines[line], shapely.boundary(polygons[rows[found]]))
    )
    degrees = INSIDE / 111_000.0
    has_line = np.bincount(found, inside - shore > degrees, minlength=len(rows)) > 0
    return np.asarray(rows[few & ~has_line])


def voronoi_lines(
    boundaries: gpd.GeoDataFrame,
    rows: np.ndarray,
    buildings: gpd.GeoDataFrame,
    plane: Plane,
    *,
    above: float,
) -> np.ndarray:
    """Return the edges of the Voronoi cells of the buildings of some units, in degrees.

    Parameters
    ----------
    rows : ndarray of int64
        Units to divide.
    above : float
        Households from which a unit is divided at all.
    """
    polygons = boundaries.geometry.to_numpy()[rows]
    if len(rows) == 0 or len(buildings) == 0:
        return np.zeros(0, dtype=object)
    lonlat = shapely.get_coordinates(buildings.geometry.to_numpy())
    owner = locate(build_index(polygons), lonlat)
    weight = buildings[Col.HOUSEHOLDS].to_numpy()
    total = np.bincount(owner[owner >= 0], weight[owner >= 0], minlength=len(rows))
    xy = plane.metres(lonlat)
    edges = []
    for row in np.flatnonzero(total > above):
        sites = np.unique(xy[owner == row], axis=0)
        if len(sites) < 2:
            continue
        unit = plane.project(polygons[row : row + 1])[0]
        lines = shapely.voronoi_polygons(
            shapely.multipoints(sites), extend_to=unit, only_edges=True
        )
        edges.append(shapely.intersection(lines, shapely.buffer(unit, OVERSHOOT, quad_segs=1)))
    parts = shapely.get_parts(np.array(edges, dtype=object))
    parts = parts[shapely.get_dimensions(parts) == 1]
    return np.asarray(shapely.transform(parts, plane.degrees))
