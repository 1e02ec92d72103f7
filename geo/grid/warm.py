"""Compile the kernels of this package at set-up, not in a user's first plan."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api.types import pandas_dtype
from shapely.geometry.base import BaseGeometry

from geo.frames import BOUNDARIES, BUILDINGS, STREETS, WATER, Col, Schema, empty_frame
from geo.grid.cut import cut_cells
from geo.grid.groups import cut_groups
from geo.grid.locate import join_points
from geo.units import LIAOCHENG_EPSG

BLOCKS = 5
"""Blocks along each side of the town that is cut; enough that every kernel is called."""


def warm_up() -> None:
    """Cut a made-up square town of a few blocks, which compiles every kernel into its cache.

    ┌──┬──┬──┐
    ├──┼──┼──┤   one village, streets 200 m apart,
    └──┴──┴──┘   forty households in the middle of each block
    """
    ticks = np.round(115.97 + 0.002 * np.arange(BLOCKS + 1), 7)
    rows = np.round(36.45 + 0.002 * np.arange(BLOCKS + 1), 7)
    town = shapely.box(ticks[0], rows[0], ticks[-1], rows[-1])
    streets: list[BaseGeometry] = [
        shapely.LineString([(x, rows[0]), (x, rows[-1])]) for x in ticks[1:-1]
    ]
    streets += [shapely.LineString([(ticks[0], y), (ticks[-1], y)]) for y in rows[1:-1]]
    x, y = (grid.ravel() for grid in np.meshgrid(ticks[:-1] + 0.001, rows[:-1] + 0.001))
    houses = _frame(
        BUILDINGS, [shapely.Point(*xy) for xy in zip(x, y, strict=True)], **{Col.HOUSEHOLDS: 40}
    )
    cells = cut_cells(
        _frame(
            BOUNDARIES,
            [town],
            **{Col.CODE: "371599101201", Col.LEVEL: "village", Col.BOUNDARY_VERSION: "warm-up"},
        ),
        _frame(STREETS, streets, **{Col.STREET_CLASS: "lane"}),
        empty_frame(WATER),
        houses,
        epsg=LIAOCHENG_EPSG,
    )
    join_points(houses, cells)
    cut_groups(cells, houses, epsg=LIAOCHENG_EPSG)


def _frame(schema: Schema, geometry: list[BaseGeometry], **values: str | int) -> gpd.GeoDataFrame:
    """Return a frame of `schema` with numbered rows, `values` in their columns, the rest blank."""
    n = len(geometry)
    columns = {
        name: pd.Series(
            [values.get(name, _blank(column.dtype.value))] * n, dtype=pandas_dtype(column.dtype)
        )
        for name, column in schema.columns.items()
    }
    if schema.key not in values:
        columns[schema.key] = pd.Series([str(k) for k in range(n)], dtype="str")
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(geometry, crs=4326))


def _blank(dtype: str) -> object:
    return {"str": "", "bool": False}.get(dtype, pd.NaT if "datetime" in dtype else 0)
