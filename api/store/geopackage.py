"""What makes an SQLite file a GeoPackage that GDAL and QGIS open without a warning.

Source: OGC 12-128r18 (GeoPackage 1.3): 1.1.1 (application id), 1.1.2 (spatial_ref_sys), 1.1.3
(contents), 2.1.5 (geometry_columns), 2.3 (extensions), F.3 (R-tree with its triggers).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import pyproj
from sqlalchemy import Connection, Table

from api.store.geometry import Geometry, envelope
from geo.units import LONLAT_EPSG

APPLICATION_ID: Final = 0x47504B47
"""GPKG in ASCII."""

USER_VERSION: Final = 10300
"""GeoPackage 1.3.0."""

_SYSTEM_TABLES: Final = (
    """CREATE TABLE gpkg_spatial_ref_sys (
    srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)""",
    """CREATE TABLE gpkg_contents (
    table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '',
    last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
    """CREATE TABLE gpkg_geometry_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
    CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))""",
    """CREATE TABLE gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))""",
)

_SYSTEMS: Final = (
    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", None),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
)

LAYERS: Final = "SELECT table_name FROM gpkg_geometry_columns"

RTREE_DEFINITION: Final = "http://www.geopackage.org/spec120/#extension_rtree"

_BOX: Final = "ST_MinX({row}.geom), ST_MaxX({row}.geom), ST_MinY({row}.geom), ST_MaxY({row}.geom)"
_HAS_BOX: Final = "(NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))"
_NO_BOX: Final = "(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))"


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the R-tree's triggers call."""
    for place, name in enumerate(("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY")):

        def side(blob: bytes | None, place: int = place) -> float | None:
            box = envelope(blob)
            return None if box is None else box[place]

        connection.create_function(name, 1, side, deterministic=True)
    connection.create_function(
        "ST_IsEmpty",
        1,
        lambda blob: None if blob is None else int(envelope(blob) is None),
        deterministic=True,
    )


def create_system_tables(connection: Connection) -> None:
    """Write the tables every GeoPackage has, into a new file."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")
    for statement in _SYSTEM_TABLES:
        connection.exec_driver_sql(statement)
    wgs84 = pyproj.CRS.from_epsg(LONLAT_EPSG)
    row = ("WGS 84 geodetic", LONLAT_EPSG, "EPSG", LONLAT_EPSG, wgs84.to_wkt("WKT1_GDAL"), None)
    for system in (*_SYSTEMS, row):
        connection.exec_driver_sql("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", system)


def drop_system_tables(connection: Connection) -> None:
    """Take away the tables every GeoPackage has."""
    for name in ("extensions", "geometry_columns", "contents", "spatial_ref_sys"):
        connection.exec_driver_sql(f"DROP TABLE gpkg_{name}")


def register_table(connection: Connection, table: Table) -> None:
    """Enter a table into the contents, with R-tree and triggers where it has a geometry."""
    name = table.name
    kind = next(
        (c.type.kind for c in table.columns if c.name == "geom" and isinstance(c.type, Geometry)),
        None,
    )
    connection.exec_driver_sql(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?,?,?,?)",
        (name, "attributes" if kind is None else "features", name, kind and LONLAT_EPSG),
    )
    if kind is None:
        return
    connection.exec_driver_sql(
        "INSERT INTO gpkg_geometry_columns VALUES (?,'geom',?,?,0,0)", (name, kind, LONLAT_EPSG)
    )
    connection.exec_driver_sql(
        "INSERT INTO gpkg_extensions VALUES (?,'geom','gpkg_rtree_index',?,'write-only')",
        (name, RTREE_DEFINITION),
    )
    for statement in rtree_statements(name):
        connection.exec_driver_sql(statement)


def unregister_table(connection: Connection, name: str) -> None:
    """Take a table out of the contents, R-tree included, before it is dropped."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS rtree_{name}_geom")
    for system in ("gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"):
        connection.exec_driver_sql(
            f"DELETE FROM {system} WHERE table_name = ?",
            (name,),
        )


@contextmanager
def tree_filled_once(connection: Connection, table: Table) -> Iterator[None]:
    """Enter rows that are inserted meanwhile into their R-tree in one statement at the end.

    Row by row, by its trigger, takes five times as long. The trigger is back before the
    transaction ends, and nobody else sees it gone. PostGIS needs nothing of the kind.
    """
    tree = f"rtree_{table.name}_geom"
    named = (
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?",
        (f"{tree}_insert",),
    )
    is_embedded = connection.dialect.name == "sqlite"
    trigger = connection.exec_driver_sql(*named).scalar() if is_embedded else None
    if trigger is None:
        yield
        return
    last = connection.exec_driver_sql(f"SELECT coalesce(max(fid), 0) FROM {table.name}").scalar()
    connection.exec_driver_sql(f"DROP TRIGGER {tree}_insert")
    try:
        yield
    finally:
        connection.exec_driver_sql(
            f"INSERT OR REPLACE INTO {tree} SELECT NEW.fid, {_BOX.format(row='NEW')} "
            f"FROM {table.name} AS NEW WHERE NEW.fid > ? AND {_HAS_BOX}",
            (last,),
        )
        connection.exec_driver_sql(trigger)


def refresh_extents(connection: Connection) -> None:
    """Enter the layers' extents into the contents; call it in the transaction of an import.

    QGIS and GDAL zoom to what the contents say. PostGIS keeps no such table: nothing happens.
    """
    if connection.dialect.name != "sqlite":
        return
    for statement in extent_statements(connection.exec_driver_sql(LAYERS).scalars()):
        connection.exec_driver_sql(statement)


def extent_statements(layers: Iterable[str]) -> list[str]:
    """Return the statements that set the extents of layers from their R-trees."""
    sides = "min(minx) AS west, min(miny) AS south, max(maxx) AS east, max(maxy) AS north"
    return [
        "UPDATE gpkg_contents SET min_x = west, min_y = south, max_x = east, max_y = north, "
        "last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') "
        f"FROM (SELECT {sides} FROM rtree_{name}_geom) WHERE table_name = '{name}'"
        for name in layers
    ]


def rtree_statements(name: str) -> tuple[str, ...]:
    """Return the statements that give a layer its R-tree and the triggers that keep it."""
    tree = f"rtree_{name}_geom"
    put = f"INSERT OR REPLACE INTO {tree} VALUES (NEW.fid, {_BOX.format(row='NEW')})"
    drop_old = f"DELETE FROM {tree} WHERE id = OLD.fid"
    changed = f"AFTER UPDATE ON {name} WHEN OLD.fid != NEW.fid"
    moved = f"AFTER UPDATE OF geom ON {name} WHEN OLD.fid = NEW.fid"
    both = f"DELETE FROM {tree} WHERE id IN (OLD.fid, NEW.fid)"
    triggers = {
        "insert": f"AFTER INSERT ON {name} WHEN {_HAS_BOX} BEGIN {put}",
        "update1": f"{moved} AND {_HAS_BOX} BEGIN {put}",
        "update2": f"{moved} AND {_NO_BOX} BEGIN {drop_old}",
        "update3": f"{changed} AND {_HAS_BOX} BEGIN {drop_old}; {put}",
        "update4": f"{changed} AND {_NO_BOX} BEGIN {both}",
        "delete": f"AFTER DELETE ON {name} WHEN OLD.geom NOT NULL BEGIN {drop_old}",
    }
    return (
        f"CREATE VIRTUAL TABLE {tree} USING rtree(id, minx, maxx, miny, maxy)",
        *(f"CREATE TRIGGER {tree}_{event} {body}; END" for event, body in triggers.items()),
    )
