"""One geometry column for GeoPackage blobs and PostGIS, and the box test of both.

A GeoPackage stores a geometry as a short header, an envelope where it is no point, and WKB
(OGC 12-128r18, 2.1.3); PostGIS takes EWKB. Values on this side are always shapely's, in
EPSG:4326.
"""

import math
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

_POINT: Final = struct.Struct("<2sBBi BI2d")
"""Header and WKB of a point: most geometries are one, and shapely takes ten times as long."""

_PLAIN_POINT: Final = _POINT.pack(MAGIC, 0, _LITTLE_ENDIAN, LONLAT_EPSG, 1, 1, 0, 0)[:13]
_POINT_AT: Final = len(_PLAIN_POINT)

_POSTGIS_POINT: Final = struct.Struct("<BIi2d")
_POSTGIS_POINT_TYPE: Final = 0x20000001
"""Point with a reference system, in the extended WKB of PostGIS."""

_CLASSES: Final[dict[str, type[shapely.Geometry]]] = {
    "POINT": shapely.Point,
    "LINESTRING": shapely.LineString,
    "POLYGON": shapely.Polygon,
    "MULTIPOLYGON": shapely.MultiPolygon,
    "GEOMETRY": shapely.Geometry,
}


def encode(geometry: shapely.Geometry) -> bytes:
    """Return a geometry as GeoPackage blob, in two dimensions; points carry no envelope."""
    if (position := _position(geometry)) is not None:
        return _POINT.pack(MAGIC, 0, _LITTLE_ENDIAN, LONLAT_EPSG, 1, 1, *position)
    wkb: bytes = shapely.to_wkb(geometry, byte_order=1, output_dimension=2)
    if shapely.is_empty(geometry):
        return _HEADER.pack(MAGIC, 0, _LITTLE_ENDIAN | _EMPTY, LONLAT_EPSG) + wkb
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
    if blob[:_POINT_AT] == _PLAIN_POINT:
        x, y = struct.unpack_from("<2d", blob, _POINT_AT)
        return None if math.isnan(x) else (x, x, y, y)
    order = "<" if blob[3] & 1 else ">"
    if (blob[3] >> 1) & 7:
        west, east, south, north = struct.unpack_from(f"{order}4d", blob, _HEADER.size)
    else:
        west, south, east, north = shapely.bounds(decode(blob))
    return None if math.isnan(west) else (west, east, south, north)


def _ewkb(geometry: shapely.Geometry) -> str:
    """Return a geometry as PostGIS takes it, in two dimensions."""
    if (position := _position(geometry)) is not None:
        return _POSTGIS_POINT.pack(1, _POSTGIS_POINT_TYPE, LONLAT_EPSG, *position).hex()
    stated = shapely.set_srid(geometry, LONLAT_EPSG)
    written: str = shapely.to_wkb(stated, hex=True, include_srid=True, output_dimension=2)
    return written


def _position(geometry: shapely.Geometry) -> tuple[float, float] | None:
    """Return x and y of a point that is not empty."""
    if not isinstance(geometry, shapely.Point):
        return None
    try:
        return geometry.x, geometry.y
    except shapely.errors.GEOSException:  # an empty one has none
        return None


class Geometry(UserDefinedType[shapely.Geometry]):
    """A column of geometries of one kind, EPSG:4326.

    Parameters
    ----------
    kind : str
        POINT, LINESTRING, POLYGON, MULTIPOLYGON or GEOMETRY. A polygon becomes one of several
        parts where those are kept; any other kind is refused on both databases.
    is_layer : bool
        Whether it is the one geometry of a layer; another one is plain bytes to GDAL.
    """

    cache_ok = True

    def __init__(self, kind: str, *, is_layer: bool = True) -> None:
        self.kind = kind
        self.is_layer = is_layer

    def get_col_spec(self, **_: Any) -> str:
        """Return the column type of a GeoPackage."""
        return self.kind if self.is_layer else "BLOB"

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what turns a geometry into a parameter."""
        write = encode if dialect.name == "sqlite" else _ewkb
        expected = _CLASSES[self.kind]

        def bind(value: shapely.Geometry | None) -> bytes | str | None:
            if value is None:
                return None
            if not isinstance(value, expected):
                value = self._as_kind(value)
            return write(value)

        return bind

    def _as_kind(self, value: shapely.Geometry) -> shapely.Geometry:
        if self.kind == "MULTIPOLYGON" and isinstance(value, shapely.Polygon):
            return shapely.MultiPolygon([value])
        raise ValueError(f"{type(value).__name__} in a column of {self.kind}")

    def result_processor(self, dialect: Dialect, _: object) -> Callable[[Any], Any]:
        """Return what turns a stored value into a geometry."""
        if dialect.name == "sqlite":
            return lambda value: None if value is None else decode(value)
        return lambda value: None if value is None else shapely.from_wkb(value)


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
