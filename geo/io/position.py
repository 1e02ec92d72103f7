"""From coordinates of any form, CRS and datum to WGS-84 degrees with 7 decimals."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.crs import Datum, datum_of, to_wgs84
from geo.errors import FileUnreadable, OptionInvalid, ValueInvalid
from geo.io.headers import find_header, missing
from geo.io.hints import Hint
from geo.io.limits import MAX_VERTICES
from geo.io.report import Note
from geo.io.spec import DATUM_HEADERS, LAT_HEADERS, LON_HEADERS
from geo.io.table import Table
from geo.io.values import is_blank, numbers
from geo.privacy import shown
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

OLD_DATUMS: Final = {4214: "Beijing 1954", 4610: "Xian 1980", 4555: "New Beijing"}
"""Their shift to WGS-84 is known to metres only."""

_SIMPLE_TYPES: Final = frozenset({1, 2, 3, 4, 5, 6})
"""WKB codes of Point .. MultiPolygon; a collection may nest without end."""

_BYTES_PER_VERTEX: Final = 16

_BLANK: Final = "refusal.position.blank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Where the rows of a table lie.

    Attributes
    ----------
    geometry : ndarray of shapely geometries, shape (n,)
        WGS-84 degrees rounded to 7 decimals; None where `wrong`.
    wrong : ndarray of str objects, shape (n,)
        Message code of why a row has no usable position; "" where it has.
    datum : Datum
        What the coordinates came in: stated by the caller or by the file's own column.
    used : tuple of str
        Headers that were read.
    notes : tuple of Note
    n_unplaced : int
        Rows that go without a position, which their layer allows.
    """

    geometry: np.ndarray
    wrong: np.ndarray
    datum: Datum
    used: tuple[str, ...]
    notes: tuple[Note, ...]
    n_unplaced: int = 0


def locate(table: Table, *, datum: Datum, optional: bool = False) -> Positions:
    """Return the positions of a table's rows, from its geometry or from two columns.

    Parameters
    ----------
    table : Table
    datum : Datum
    optional : bool
        Whether a row may go without a position: it has no geometry then, and no fault. A table
        may lack both columns, and (0, 0) in them counts as blank.

    Raises
    ------
    ColumnMissing
        No geometry and no longitude or latitude column.
    FileUnreadable
        A geometry in coordinates of an unknown system.
    """
    stated, datum_used, notes = _stated_datum(table, datum)
    more: list[Note] = []
    n_unplaced = 0
    if optional and table.wkb is None and not has_columns(table):
        geometry, wrong = np.full((2, len(table)), None, dtype=object)
        wrong[:] = _BLANK
        used = datum_used
    elif table.wkb is not None:
        geometry, wrong, more = _from_wkb(table, stated)
        used = datum_used
    else:
        geometry, wrong, used = _from_columns(table, stated, lost_is_blank=optional)
        used += datum_used
    if optional and (wrong == _BLANK).any():
        n_unplaced = int((wrong == _BLANK).sum())
        wrong[wrong == _BLANK] = ""
    return Positions(
        geometry=geometry,
        wrong=wrong,
        datum=stated,
        used=used,
        notes=(*notes, *more),
        n_unplaced=n_unplaced,
    )


def has_columns(table: Table) -> bool:
    """Tell whether a table has a column of longitudes or of latitudes."""
    return any(find_header(table, names) is not None for names in (LON_HEADERS, LAT_HEADERS))


def round_lonlat(geometry: np.ndarray) -> np.ndarray:
    """Return geometries with coordinates rounded to 7 decimals of a degree."""
    rounded: np.ndarray = shapely.transform(geometry, lambda xy: np.round(xy, LONLAT_DECIMALS))
    return rounded


def lonlat_of(points: np.ndarray) -> np.ndarray:
    """Return the degrees of point geometries, float64, shape (n, 2)."""
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def _stated_datum(table: Table, datum: Datum) -> tuple[Datum, tuple[str, ...], tuple[Note, ...]]:
    """Return the datum the file itself states for all rows, else the caller's."""
    header = find_header(table, DATUM_HEADERS)
    if header is None:
        return datum, (), ()
    words = [str(word) for word in pd.unique(table.cells[header]) if str(word).strip()]
    if len(words) != 1:
        return datum, (header,), ()
    try:
        stated = datum_of(words[0])
    except OptionInvalid as error:
        row = int((table.cells[header] == words[0]).to_numpy().argmax()) + 1
        raise ValueInvalid(
            source=table.source,
            row=row,
            column=header,
            value=shown(words[0]),
            expected=", ".join(Datum),
        ) from error
    if stated == datum:
        return datum, (header,), ()
    params = {"column": header, "datum": stated.value}
    return stated, (header,), (Note(source=table.source, code="note.datum", params=params),)


def _from_columns(
    table: Table, datum: Datum, *, lost_is_blank: bool
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    lon_header, lat_header = find_header(table, LON_HEADERS), find_header(table, LAT_HEADERS)
    if lon_header is None:
        raise missing(table, "lon/经度")
    if lat_header is None:
        raise missing(table, "lat/纬度")
    lonlat = np.column_stack([numbers(table.cells[h]) for h in (lon_header, lat_header)])
    blank = is_blank(table.cells[lon_header]) | is_blank(table.cells[lat_header])
    if lost_is_blank:
        blank |= (lonlat == 0.0).all(axis=1)
    wrong = np.where(blank, _BLANK, "").astype(object)
    usable = _usable(lonlat)
    wrong[~usable & ~blank] = "refusal.position.range"
    if not usable.any() and not blank.all():
        raise _no_degrees(table, lonlat, lon_header, lat_header, row=int((~blank).argmax()))
    geometry = np.full(len(table), None, dtype=object)
    degrees = np.round(to_wgs84(lonlat[usable], datum), LONLAT_DECIMALS)
    geometry[usable] = shapely.points(degrees)
    return geometry, wrong, (lon_header, lat_header)


def _no_degrees(
    table: Table, lonlat: np.ndarray, lon_header: str, lat_header: str, *, row: int
) -> ValueInvalid:
    """Return the error for two columns of which no row is a longitude and a latitude."""
    swapped = bool(_usable(lonlat[row : row + 1, ::-1]).all())
    hint = "; the two columns look swapped" if swapped else ""
    pair = [shown(str(table.cells[header].iloc[row])) for header in (lon_header, lat_header)]
    return ValueInvalid(
        source=table.source,
        row=row + 1,
        column=f"{lon_header}, {lat_header}",
        value=", ".join(dict.fromkeys(pair)),
        expected=f"degrees: longitude within ±180, latitude within ±90{hint}",
    )


def _usable(lonlat: np.ndarray) -> np.ndarray:
    """Tell which rows are degrees of this earth; (0, 0) is where geocoders put what they lost."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    inside: np.ndarray = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0) & ((lon != 0) | (lat != 0))
    return inside


def _from_wkb(table: Table, datum: Datum) -> tuple[np.ndarray, np.ndarray, list[Note]]:
    assert table.wkb is not None  # noqa: S101 - the caller asked
    wrong = np.array([_wkb_fault(value) for value in table.wkb], dtype=object)
    good = wrong == ""
    geometry = np.full(len(table), None, dtype=object)
    shapes = shapely.force_2d(shapely.from_wkb(table.wkb[good], on_invalid="ignore"))
    unread = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    shapes[unread] = None
    shapes, notes = _to_degrees(shapes, table)
    if datum is not Datum.WGS84:
        shapes = shapely.transform(shapes, lambda xy: to_wgs84(xy, datum))
    geometry[good] = round_lonlat(shapes)
    wrong[shapely.is_missing(geometry) & (wrong == "")] = "refusal.geometry.damaged"
    bounds = shapely.bounds(geometry)
    off = ~(_usable(bounds[:, :2]) & _usable(bounds[:, 2:])) & (wrong == "")
    wrong[off] = "refusal.position.range"
    geometry[off] = None
    return geometry, wrong, notes


def _wkb_fault(value: bytes | None) -> str:
    """Return why a geometry is refused before shapely sees it, or ""."""
    if not value:
        return _BLANK
    order = "<" if value[0] == 1 else ">"
    code = struct.unpack_from(order + "I", value, 1)[0]
    if (code & 0x0FFFFFFF) % 1000 not in _SIMPLE_TYPES:
        return "refusal.geometry.collection"
    if len(value) > MAX_VERTICES * _BYTES_PER_VERTEX:
        return "refusal.geometry.large"
    return ""


def _to_degrees(shapes: np.ndarray, table: Table) -> tuple[np.ndarray, list[Note]]:
    """Reproject geometries to EPSG:4326."""
    if table.crs is None:
        bounds = shapely.total_bounds(shapes)
        if not (np.isfinite(bounds).all() and np.abs(bounds).max() <= 180.0):
            raise FileUnreadable(source=table.source, expected=Hint.A_LAYER, hint=Hint.NO_CRS)
        return shapes, [Note(source=table.source, code="note.crs.none")]
    crs = pyproj.CRS.from_user_input(table.crs)
    if crs.to_epsg() == LONLAT_EPSG or crs.to_authority() == ("OGC", "CRS84"):
        return shapes, []
    transformer = pyproj.Transformer.from_crs(crs, LONLAT_EPSG, always_xy=True)

    def project(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    notes = [Note(source=table.source, code="note.crs", params={"crs": crs.name})]
    base = crs.geodetic_crs.to_epsg() if crs.geodetic_crs is not None else None
    if base in OLD_DATUMS:
        params = {"datum": OLD_DATUMS[base]}
        notes.append(Note(source=table.source, code="note.crs.old", params=params))
    return shapely.transform(shapes, project), notes
