"""Engines: one GeoPackage file, or PostGIS."""

import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from api.store.failure import unavailable
from api.store.geopackage import register_functions
from api.store.reason import Reason
from geo.errors import OptionInvalid

BUSY_MS: Final = 60_000
"""Milliseconds a writer waits for another process's transaction: an import of a million rows."""

READERS: Final = 20
"""Connections of a process that may read at the same time; more wait for one to come free."""

WRITER_CACHE_KIB: Final = 65_536
"""Pages the writer keeps in memory: the indexes of a million rows change all over."""

CONNECT_SECONDS: Final = 10

_OLDEST_SQLITE: Final = (3, 37)

_PRAGMAS: Final = (
    f"busy_timeout = {BUSY_MS}",
    "synchronous = full",
    "foreign_keys = on",
    "journal_size_limit = 67108864",
)


def database_url(store: str) -> URL:
    """Return the database a setting names: a path to a GeoPackage, or a postgresql URL.

    Raises
    ------
    OptionInvalid
        Neither.
    """
    if "://" not in store and "\0" not in store and store.strip():
        return URL.create("sqlite", database=str(Path(store).absolute()))
    try:
        url = make_url(store)
    except (ArgumentError, ValueError):
        url = None
    if url is None or not url.drivername.startswith("postgresql"):
        raise OptionInvalid(
            option="PATROLGRID_STORE",
            value=store.partition("://")[0],
            expected="a path ending in .gpkg, or postgresql://host/database",
        )
    return url.set(drivername="postgresql+psycopg")


def make_engine(url: URL, *, writes: bool = True) -> Engine:
    """Return an engine whose transactions are durable once committed.

    Parameters
    ----------
    url : URL
    writes : bool
        One connection that takes the write lock as its transaction begins; else as many as read
        at the same time, each of which sees one moment of the store and can change nothing.

    Raises
    ------
    StoreUnavailable
        What it needs is not installed.
    """
    size: dict[str, Any] = {} if writes else {"pool_size": READERS, "max_overflow": 0}
    if is_file(url):
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise unavailable(url, Reason.OLD_SQLITE)
        engine = create_engine(url, hide_parameters=True, **size)
        event.listen(engine, "connect", _prepare_writer if writes else _prepare_reader)
        event.listen(engine, "begin", _begin_writing if writes else _begin_reading)
        same_file = _SameFile(url)
        event.listen(engine, "do_connect", same_file.require_if_known)
        event.listen(engine, "connect", same_file.note)
        event.listen(engine, "checkout", same_file.require)
        return engine
    isolation = "READ COMMITTED" if writes else "REPEATABLE READ"
    try:
        engine = create_engine(
            url,
            isolation_level=isolation,
            execution_options={"postgresql_readonly": not writes},
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "patrolgrid"},
            hide_parameters=True,
            **size,
        )
    except ModuleNotFoundError as error:
        raise unavailable(url, Reason.NO_DRIVER) from error
    event.listen(engine, "connect", _prepare_session)
    return engine


def is_file(url: URL) -> bool:
    """Return whether a database is a GeoPackage."""
    return url.get_backend_name() == "sqlite"


def is_embedded(connection: Connection) -> bool:
    """Return whether the connection is to a GeoPackage."""
    return connection.dialect.name == "sqlite"


def _prepare(connection: sqlite3.Connection) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    register_functions(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _use_wal(connection)


def _prepare_reader(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    _prepare(connection)
    connection.execute("PRAGMA query_only = on")


def _prepare_writer(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    _prepare(connection)
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; the switch of another process at this moment is waited for."""
    end = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            if connection.execute("PRAGMA journal_mode = wal").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at once: a deferred one fails when two readers turn writers."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class _SameFile:
    """Refuses a file that was moved, deleted or replaced after it was first opened.

    SQLite goes on writing into the one it opened, and what that acknowledges is found nowhere.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._file: tuple[int, int] | None = None

    def note(self, *_: object) -> None:
        """Remember which file the first connection opened."""
        self._file = self._file or self._found()

    def require_if_known(self, *_: object) -> None:
        """Refuse another file before a connection is made: making one makes the file."""
        if self._file is not None:
            self.require()

    def require(self, *_: object) -> None:
        """Refuse when the file at the path is no longer the one that was opened."""
        if self._file != self._found():
            raise unavailable(self._url, Reason.MOVED)

    def _found(self) -> tuple[int, int] | None:
        try:
            found = Path(str(self._url.database)).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _prepare_session(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Make a commit wait for the disk, whatever the server's default, and no lock for ever."""
    cursor = connection.cursor()
    cursor.execute(f"SELECT set_config('lock_timeout', '{BUSY_MS}', false)")
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"  # stronger settings stay
    )
    cursor.close()
    connection.commit()
