"""Which administrative unit a point lies in, at any level."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.boundary import CODE_COLUMN, depths, select, unit_codes
from geo.frames import Col, GridRole, Level
from geo.grid.locate import assign_cells

OUTSIDE = ""
"""Code of the unit of a point that lies in none."""


def counted_units(boundaries: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Return the units of a level that rates count: not the independent ones among them.

    A market that statistics lists beside the townships is none of the 135.
    """
    units = select(boundaries, [level])
    return units[units[Col.GRID_ROLE] != GridRole.INDEPENDENT.value]


def units_at(
    points: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame, level: Level, *, epsg: int
) -> pd.Series:
    """Return the unit of a level that each point lies in.

    Parameters
    ----------
    points : GeoDataFrame
        Points in EPSG:4326.
    boundaries : GeoDataFrame
        BOUNDARIES frame; where units lie in each other the deepest owns the point.
    level : Level
        CITY asks only whether a point lies in any unit.
    epsg : int
        The city's metric CRS.

    Returns
    -------
    Series of str
        Codes with the index of `points`, "" outside every unit.
    """
    row = deepest_units(points, boundaries, epsg=epsg)
    if level is Level.CITY:
        code = np.array([city_code(boundaries)] * len(boundaries), dtype=object)
    else:
        code = unit_codes(boundaries)[CODE_COLUMN[level]].to_numpy(dtype=object)
    found = np.append(code, OUTSIDE)[row]
    return pd.Series(found, index=points.index, dtype="str")


def deepest_units(
    points: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame, *, epsg: int
) -> np.ndarray:
    """Return the row of the deepest unit each point lies in, -1 outside; int64, shape (n,)."""
    found = np.full(len(points), -1, dtype=np.int64)
    depth, row_of = depths(boundaries), _rows(boundaries)
    for level in np.unique(depth)[::-1]:
        left = np.flatnonzero(found < 0)
        if len(left) == 0:
            break
        units = boundaries[depth == level]
        cells = gpd.GeoDataFrame(
            {Col.CELL_ID: units[Col.CODE]}, geometry=units.geometry.to_numpy(), crs=units.crs
        )
        inside = assign_cells(points.iloc[left], cells, epsg=epsg)
        found[left] = inside.map(row_of).fillna(-1).to_numpy(dtype=np.int64)
    return found


def city_code(boundaries: pd.DataFrame) -> str:
    """Return the code of the city: of its row, else the one that the highest units share."""
    city = boundaries.loc[boundaries[Col.LEVEL] == Level.CITY.value, Col.CODE]
    if len(city):
        return str(city.iloc[0])
    top = boundaries[depths(boundaries) == depths(boundaries).min()]
    parents = top[Col.ADMIN_PARENT].unique()
    return str(parents[0]) if len(parents) == 1 and parents[0] else "city"


def _rows(boundaries: pd.DataFrame) -> dict[str, int]:
    return {code: row for row, code in enumerate(boundaries[Col.CODE])}
