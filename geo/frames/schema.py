"""What a frame must look like, and the one check of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import ColumnMissing, FileEmpty, ValueInvalid
from geo.frames.column import Col


class Type(StrEnum):
    """Kinds of column; each fixes a dtype."""

    TEXT = "str"
    INT = "int64"
    FLOAT = "float64"
    BOOL = "bool"
    DAY = "datetime64[s]"
    INSTANT = "datetime64[s, Asia/Shanghai]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its type, whether a blank is allowed, and the values it may take.

    Attributes
    ----------
    dtype : Type
    nullable : bool
        A blank is allowed: "" in text, NaT in days.
    values : type[StrEnum], optional
        Closed vocabulary.
    """

    dtype: Type = Type.TEXT
    nullable: bool = False
    values: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A layer's columns and the geometry types it may hold (none for a plain table).

    Attributes
    ----------
    layer : str
        Layer name as users see it in files and messages.
    key : str
        Column that identifies a row; unique.
    columns : mapping of str to Column
    geometry : tuple of str
        Allowed shapely geometry types; empty for a plain table.
    is_placed : bool
        Every row has a geometry; False lets it be missing, never empty.
    """

    layer: str
    key: str
    columns: Mapping[str, Column]
    geometry: tuple[str, ...] = ()
    is_placed: bool = True


def empty_frame(schema: Schema) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a frame of `schema` with no row."""
    columns = {name: pd.Series(dtype=col.dtype.value) for name, col in schema.columns.items()}
    if not schema.geometry:
        return pd.DataFrame(columns)
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=4326))


def require(frame: pd.DataFrame, schema: Schema, *, source: str, allow_empty: bool = False) -> None:
    """Check a frame against its schema, once, at the edge.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
    schema : Schema
    source : str
        What the user calls the frame: a file name, or the layer.
    allow_empty : bool
        Whether a frame without a row is fine.

    Raises
    ------
    FileEmpty
        No row.
    ColumnMissing
        A declared column is absent.
    ValueInvalid
        Wrong dtype, blank, repeated key, unknown value, wrong geometry type or CRS; names the
        first bad row, counted from 1.
    """
    if len(frame) == 0 and not allow_empty:
        raise FileEmpty(source=source)
    for name, column in schema.columns.items():
        if name not in frame.columns:
            found = ", ".join(map(str, frame.columns))
            raise ColumnMissing(source=source, column=name, found=found)
        _require_column(frame[name], column, source=source)
    repeated = frame[schema.key].duplicated()
    if repeated.any():
        _refuse(frame[schema.key], repeated.to_numpy(), source, "a value used once")
    if schema.geometry:
        _require_geometry(frame, schema, source=source)


def _require_column(series: pd.Series, column: Column, *, source: str) -> None:
    if str(series.dtype) != column.dtype.value:
        raise ValueInvalid(
            source=source,
            row="–",
            column=series.name,
            value=f"type {series.dtype}",
            expected=f"type {column.dtype.value}",
        )
    blank = series.isna().to_numpy()
    if column.dtype is Type.TEXT and not column.nullable:
        blank = blank | (series == "").to_numpy()
    if not (column.nullable and column.dtype is not Type.TEXT) and blank.any():
        _refuse(series, blank, source, "a value, not a blank")
    if column.values is not None:
        allowed = [member.value for member in column.values]
        unknown = ~series.isin(allowed).to_numpy()
        if unknown.any():
            _refuse(series, unknown, source, "one of " + ", ".join(allowed))


def _require_geometry(frame: pd.DataFrame, schema: Schema, *, source: str) -> None:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or frame.crs.to_epsg() != 4326:
        raise ValueInvalid(
            source=source, row="–", column=Col.GEOMETRY, value="CRS", expected="EPSG:4326"
        )
    wanted = [shapely.GeometryType[name.upper()].value for name in schema.geometry]
    if not schema.is_placed:
        wanted.append(-1)  # of a missing geometry
    bad = ~np.isin(shapely.get_type_id(frame.geometry.to_numpy()), wanted)
    bad |= shapely.is_empty(frame.geometry.to_numpy())
    if bad.any():
        _refuse(frame[Col.GEOMETRY], bad, source, " or ".join(schema.geometry))


def _refuse(series: pd.Series, bad: np.ndarray, source: str, expected: str) -> None:
    row = int(np.flatnonzero(bad)[0])
    value = series.iloc[row]
    shown = value.geom_type if hasattr(value, "geom_type") else repr(value)
    raise ValueInvalid(
        source=source, row=row + 1, column=series.name, value=shown, expected=expected
    )
