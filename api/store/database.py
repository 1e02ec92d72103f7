"""Engines: one GeoPackage file, or PostGIS."""

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from api.store.geopackage import register_functions
from geo.errors import OptionInvalid

BUSY_MS: Final = 60_000
"""Milliseconds a writer waits for another process's transaction: an import of a million rows."""

WRITES: Final = "writes"
"""Execution option of a connection whose transaction takes the write lock at its beginning."""

_PRAGMAS: Final = (
    "journal_mode = wal",
    "synchronous = full",
    f"busy_timeout = {BUSY_MS}",
    "foreign_keys = on",
)


def database_url(store: str) -> URL:
    """Return the database a setting names: a path to a GeoPackage, or a postgresql URL.

    Raises
    ------
    OptionInvalid
        Neither.
    """
    if "://" not in store:
        return URL.create("sqlite", database=str(Path(store).absolute()))
    try:
        url = make_url(store)
    except ArgumentError:
        url = None
    if url is None or not url.drivername.startswith("postgresql"):
        raise OptionInvalid(
            option="PATROLGRID_STORE",
            value=store.partition("://")[0],
            expected="a path ending in .gpkg, or postgresql://host/database",
        )
    return url.set(drivername="postgresql+psycopg")


def make_engine(url: URL) -> Engine:
    """Return an engine whose transactions are durable once committed."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def is_embedded(connection: Connection) -> bool:
    """Return whether the connection is to a GeoPackage."""
    return connection.dialect.name == "sqlite"


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    register_functions(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a deferred one fails when two readers turn writers."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
