"""Backup of a PostGIS database by pg_dump, and a database made from one by pg_restore."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from api.store.contents import Contents, time_stamp
from api.store.database import make_engine
from api.store.failure import shown, translated, unavailable
from api.store.identity import Identity, identify
from api.store.migrations import NEWEST, NONE, REVISIONS, VERSION_TABLE
from api.store.opening import require_postgis
from api.store.part import new_file
from api.store.postgis_program import program, run_program
from api.store.reason import Reason
from api.store.tables import METADATA
from geo.errors import StoreForeign, StoreTooNew, StoreUnavailable
from geo.progress import Progress, StopToken, stop_if_asked

_COPY: Final = re.compile(rb'COPY (?:\w+\.)?"?(\w+)"? \(.*\) FROM stdin;\n')
_END: Final = b"\\.\n"

_MAINTENANCE: Final = "postgres"
"""Database every server has: from there others are made and renamed."""

_PREFIX: Final = 40
"""Letters of a database's name kept in a longer one; PostgreSQL cuts at 63 without a word."""


def back_up(url: URL, target: Path, *, progress: Progress, stop: StopToken) -> Contents:
    """Dump a database into one file; see `api.store.backup.back_up`."""
    found = _identify(url)
    if found is None:
        raise unavailable(url, Reason.NO_DATABASE)
    if found.is_empty:
        raise unavailable(url, Reason.NO_TABLES)
    _require_store(url, found)
    with new_file(target) as part:
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]
        n = len(METADATA.tables)
        run_program("pg_dump", options, url, n_tables=n, progress=progress, stop=stop)
        return _count_archive(part, url)


def restore(
    source: Path, url: URL, *, replace: bool, progress: Progress, stop: StopToken
) -> Contents:
    """Make a database from an archive; see `api.store.backup.restore`.

    An empty database is filled in one transaction. Else a new one is made beside and takes the
    name when it is whole.
    """
    expected = _count_archive(source, url)
    if expected.revision not in REVISIONS:
        raise StoreTooNew(store=source.name, found=expected.revision, needed=NEWEST)
    there = _identify(url)
    if there is not None and there.is_empty:
        _fill(source, url, expected, progress=progress, stop=stop)
        return expected
    if there is not None:
        _require_store(url, there)
        if not replace:
            raise unavailable(url, Reason.EXISTS)
    kept = _named(url, f"before_{time_stamp()}") if there is not None else ""
    with _new_database(url) as beside:
        _fill(source, beside, expected, progress=progress, stop=stop)
        _swap(beside, url, kept)
    return Contents(revision=expected.revision, n_rows=expected.n_rows, kept=kept)


def _identify(url: URL) -> Identity | None:
    """Return what a database is; None where the server has none of that name."""
    with _admin(url) as connection:
        known = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.execute(known, {"name": url.database}).scalar() is None:
            return None
    engine = make_engine(url)
    try:
        with translated(url), engine.connect() as connection:
            return identify(connection)
    finally:
        engine.dispose()


def _require_store(url: URL, found: Identity) -> None:
    if found.revision == NONE:
        raise StoreForeign(store=shown(url))


def _fill(
    source: Path, url: URL, expected: Contents, *, progress: Progress, stop: StopToken
) -> None:
    """Restore into an empty database and count what came.

    Raises
    ------
    StoreUnavailable
        It is not what the archive holds.
    """
    engine = make_engine(url)
    try:
        with translated(url), engine.begin() as connection:
            require_postgis(connection)
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        run_program(
            "pg_restore",
            [*options, "--no-comments", str(source)],
            url,
            n_tables=len(expected.n_rows),
            progress=progress,
            stop=stop,
        )
        with translated(url), engine.begin() as connection:
            found = {name: _count(connection, name) for name in expected.n_rows}
            revision = identify(connection).revision
            connection.execute(text("ANALYZE"))
    finally:
        engine.dispose()
    if (revision, found) != (expected.revision, expected.n_rows):
        raise unavailable(url, Reason.COPY_DIFFERS)
    stop_if_asked(stop, "restore")


def _count(connection: Connection, table: str) -> int:
    statement = text(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - \w+ alone, see _COPY
    return int(connection.execute(statement).scalar_one())


def _count_archive(archive: Path, url: URL) -> Contents:
    """Count an archive's rows by reading all of it.

    Raises
    ------
    StoreUnavailable
        It cannot be read to its end, or is none of ours.
    """
    command = [program("pg_restore", url), "--data-only", "--file=-", str(archive)]
    n_rows: dict[str, int] = {}
    revision = ""
    with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        lines = iter(process.stdout or ())
        for line in lines:
            if (begun := _COPY.fullmatch(line)) is None:
                continue
            table = begun[1].decode()
            rows = iter(lambda: next(lines, _END), _END)
            first = next(rows, b"")
            n_rows[table] = bool(first) + sum(1 for _ in rows)
            if table == VERSION_TABLE:
                revision = first.decode().strip()
    if process.returncode or not revision:
        raise StoreUnavailable(store=archive.name, reason=Reason.NO_BACKUP)
    n_rows.pop("spatial_ref_sys", None)  # the extension's own; an archive holds additions only
    return Contents(revision=revision, n_rows=n_rows)


@contextmanager
def _admin(url: URL) -> Iterator[Connection]:
    """Open a connection to the server's own database, outside of any transaction."""
    engine = make_engine(url.set(database=_MAINTENANCE))
    try:
        with translated(url), engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        engine.dispose()


@contextmanager
def _new_database(url: URL) -> Iterator[URL]:
    """Make an empty database beside another one; it goes again where the block fails."""
    begin = _named(url, "restoring_")
    with _admin(url) as connection:
        _drop_left(connection, begin)
        beside = url.set(database=f"{begin}{os.getpid()}")
        connection.exec_driver_sql(f"CREATE DATABASE {_quoted(connection, beside.database)}")
    try:
        yield beside
    except BaseException:
        with _admin(url) as connection:
            name = _quoted(connection, beside.database)
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
        raise


def _drop_left(connection: Connection, begin: str) -> None:
    """Drop what a killed restore left behind."""
    left = text("SELECT datname FROM pg_database WHERE starts_with(datname, :begin)")
    for name in connection.execute(left, {"begin": begin}).scalars().all():
        process = name.removeprefix(begin)
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            connection.exec_driver_sql(f"DROP DATABASE {_quoted(connection, name)}")


def _swap(beside: URL, url: URL, kept: str) -> None:
    """Give a new database the name of the old one, which gets another: both or none.

    Raises
    ------
    StoreUnavailable
        Somebody is connected to the old one.
    """
    engine = make_engine(url.set(database=_MAINTENANCE))
    names = [(url.database, kept)] if kept else []
    try:
        with translated(url), engine.begin() as connection:
            for old, new in [*names, (beside.database, url.database)]:
                both = _quoted(connection, old), _quoted(connection, new)
                connection.exec_driver_sql("ALTER DATABASE {} RENAME TO {}".format(*both))
    finally:
        engine.dispose()


def _named(url: URL, suffix: str) -> str:
    return f"{str(url.database)[:_PREFIX]}_{suffix}"


def _quoted(connection: Connection, name: str | None) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(str(name))
