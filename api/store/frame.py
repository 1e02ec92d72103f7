"""From rows of a table to a frame of `geo.frames`: whole columns, never row by row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, Select

from geo.frames import Schema, Type, require
from geo.units import CITY_ZONE, LONLAT_EPSG

Values = Sequence[Any] | npt.NDArray[Any]

PART: Final = 50_000
"""Rows fetched at a time: what a part costs in memory is gone before the next one comes."""


def read_parts(connection: Connection, statement: Select[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the answer in parts of at most `PART` rows, each turned into columns."""
    with connection.execute(statement, execution_options={"yield_per": PART}) as result:
        for part in result.partitions():
            yield list(zip(*part, strict=True))


def read_columns(connection: Connection, statement: Select[Any]) -> list[list[Any]]:
    """Return the columns of the whole answer, in the order of the statement."""
    columns: list[list[Any]] = [[] for _ in statement.selected_columns]
    for part in read_parts(connection, statement):
        for values, more in zip(columns, part, strict=True):
            values.extend(more)
    return columns


def make_frame(
    schema: Schema, columns: Mapping[str, Values], geometry: Values | None = None
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a checked frame of `schema` from the values of its columns.

    Parameters
    ----------
    schema : Schema
    columns : mapping of str to sequence
        Values by frame column; None is a blank, an instant its whole seconds since 1970.
    geometry : sequence, optional
        Geometries in EPSG:4326, one a row; left out where the schema has none.
    """
    frame = pd.DataFrame(
        {name: make_series(columns[name], col.dtype) for name, col in schema.columns.items()}
    )
    if schema.geometry:
        shapes = np.empty(len(frame), dtype=object)
        shapes[:] = [] if geometry is None else geometry
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=LONLAT_EPSG)
    require(frame, schema, source=schema.layer, allow_empty=True)
    return frame


def make_series(values: Values, dtype: Type) -> pd.Series:
    """Return values as a column of one of the types frames have."""
    if dtype is Type.DAY:
        return pd.Series(np.array(values, dtype="datetime64[s]"))
    if dtype is Type.INSTANT:
        utc = pd.Series(np.array(values, dtype="datetime64[s]"))
        return utc.dt.tz_localize("UTC").dt.tz_convert(CITY_ZONE)
    return pd.Series(values, dtype=dtype.value)
