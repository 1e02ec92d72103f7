"""One geometry column for GeoPackage blobs and PostGIS, and the box test of both.

A GeoPackage stores a geometry as a short header, an envelope where it is no point, and WKB
(OGC 12-128r18, 2.1.3); PostGIS takes EWKB. Values on this side are always shapely's, in
EPSG:4326.
"""

import struct
from collections.abc import Callable
from typing import Any, Final

import shapely
from sqlalchemy import Boolean
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import UserDefinedType

from geo.units import LONLAT_EPSG

MAGIC: Final = b"GP"
"""First bytes of every GeoPackage geometry."""

_ENVELOPE_BYTES: Final = (0, 32, 48, 48, 64)
"""Length of the envelope by its indicator (OGC 12-128r18, table 6)."""

_HEADER: Final = struct.Struct("<2sBBi")
_LITTLE_ENDIAN, _WITH_XY_ENVELOPE, _EMPTY = 1, 2, 16


def encode(geometry: shapely.Geometry) -> bytes:
    """Return a geometry as GeoPackage blob; points carry no envelope."""
    wkb: bytes = shapely.to_wkb(geometry, byte_order=1)
    if shapely.is_empty(geometry):
        return _HEADER.pack(MAGIC, 0, _LITTLE_ENDIAN | _EMPTY, LONLAT_EPSG) + wkb
    if shapely.get_type_id(geometry) == shapely.GeometryType.POINT:
        return _HEADER.pack(MAGIC, 0, _LITTLE_ENDIAN, LONLAT_EPSG) + wkb
    west, south, east, north = shapely.bounds(geometry)
    flags = _LITTLE_ENDIAN | _WITH_XY_ENVELOPE
    envelope = struct.pack("<4d", west, east, south, north)
    return _HEADER.pack(MAGIC, 0, flags, LONLAT_EPSG) + envelope + wkb


def decode(blob: bytes) -> shapely.Geometry:
    """Return the geometry of a GeoPackage blob, whoever wrote it."""
    return shapely.from_wkb(blob[_HEADER.size + _ENVELOPE_BYTES[(blob[3] >> 1) & 7] :])


def envelope(blob: bytes | None) -> tuple[float, float, float, float] | None:
    """Return west, east, south, north of a blob, None where it is null or empty."""
    if blob is None or blob[3] & _EMPTY:
        return None
    order = "<" if blob[3] & 1 else ">"
    if (blob[3] >> 1) & 7:
        west, east, south, north = struct.unpack_from(f"{order}4d", blob, _HEADER.size)
    else:
        west, south, east, north = shapely.bounds(decode(blob))
    return west, east, south, north


class Geometry(UserDefinedType[shapely.Geometry]):
    """A column of geometries of one kind, EPSG:4326.

    Parameters
    ----------
    kind : str
        POINT, LINESTRING, POLYGON, MULTIPOLYGON or GEOMETRY.
    """

    cache_ok = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def get_col_spec(self, **_: Any) -> str:
        """Return the column type of a GeoPackage."""
        return self.kind

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what turns a geometry into a parameter."""
        if dialect.name == "sqlite":
            return lambda value: None if value is None else encode(value)
        return lambda value: None if value is None else _ewkb(value)

    def result_processor(self, dialect: Dialect, _: object) -> Callable[[Any], Any]:
        """Return what turns a stored value into a geometry."""
        if dialect.name == "sqlite":
            return lambda value: None if value is None else decode(value)
        return lambda value: None if value is None else shapely.from_wkb(value)


def _ewkb(value: shapely.Geometry) -> str:
    stated = shapely.set_srid(value, LONLAT_EPSG)
    written: str = shapely.to_wkb(stated, hex=True, include_srid=True)
    return written


@compiles(Geometry, "postgresql")
def _postgis_type(column_type: Geometry, _compiler: Any, **_: Any) -> str:
    return f"geometry({column_type.kind},{LONLAT_EPSG})"


class meets_box(GenericFunction[bool]):  # noqa: N801 - written like the SQL function it is
    """Rows whose bounding box meets a box: ``meets_box(table.c.geom, west, south, east, north)``.

    Both engines compare boxes of 32-bit numbers, so that a row a hair outside may come along and
    none inside is missed: check the answer again exactly.
    """

    type = Boolean()
    inherit_cache = True
    name = "meets_box"


@compiles(meets_box, "sqlite")
def _by_rtree(call: meets_box, compiler: SQLCompiler, **options: Any) -> str:
    column, *box = call.clauses
    table: Any = column.table
    stored = getattr(table, "element", table)  # the table behind an alias
    west, south, east, north = (compiler.process(side, **options) for side in box)
    fid = compiler.process(table.c.fid, **options)
    return (
        f"{fid} IN (SELECT id FROM rtree_{stored.name}_geom WHERE maxx >= {west} "
        f"AND minx <= {east} AND maxy >= {south} AND miny <= {north})"
    )


@compiles(meets_box, "postgresql")
def _by_gist(call: meets_box, compiler: SQLCompiler, **options: Any) -> str:
    column, *box = (compiler.process(clause, **options) for clause in call.clauses)
    return f"({column} && ST_MakeEnvelope({', '.join(box)}, {LONLAT_EPSG}))"
