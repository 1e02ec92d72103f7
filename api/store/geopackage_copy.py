"""Backup of a GeoPackage, and a GeoPackage put in place from one."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from api.store.contents import Contents, time_stamp
from api.store.database import BUSY_MS
from api.store.failure import translated, unavailable
from api.store.geopackage import LAYERS, extent_statements, register_functions
from api.store.identity import UNREADABLE, identify_file
from api.store.migrations import NEWEST, NONE, REVISIONS, VERSION_TABLE
from api.store.opening import require_place
from api.store.part import new_file, sync
from api.store.reason import Reason
from geo.errors import StoreTooNew, StoreUnavailable
from geo.progress import Progress, StopToken, stop_if_asked

_EVERY: Final = 100_000
"""Steps of SQLite's machine between two looks at the stop token."""

_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
    "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'rtree_%' ORDER BY name"
)


def back_up(url: URL, target: Path, *, progress: Progress, stop: StopToken) -> Contents:
    """Copy a GeoPackage into one file; see `api.store.backup.back_up`."""
    require_place(url, create=False)
    with new_file(target) as part:
        with translated(url):
            _copy(Path(str(url.database)), part, progress=progress, stop=stop)
            found = _checked(part)
        if found is None:
            raise unavailable(url, Reason.DAMAGED)
        stop_if_asked(stop, "backup")
    return found


def restore(
    source: Path, url: URL, *, replace: bool, progress: Progress, stop: StopToken
) -> Contents:
    """Put a copy of a backup in place; see `api.store.backup.restore`."""
    target = Path(str(url.database))
    _require_backup(source)
    if target.exists():
        if not replace:
            raise unavailable(url, Reason.EXISTS)
        require_place(url, create=True)
    kept = _kept(target)
    try:
        with new_file(target) as part:
            with translated(url):
                _copy(source, part, progress=progress, stop=stop)
                found = _checked(part)
                with closing(_connect(source)) as connection:
                    expected = _contents(connection)
            if found is None:
                raise StoreUnavailable(store=source.name, reason=Reason.NO_BACKUP)
            if found != expected:
                raise unavailable(url, Reason.COPY_DIFFERS)
            stop_if_asked(stop, "restore")
            was_there = _keep_old(target, kept, url)
    except PermissionError as error:
        raise unavailable(url, Reason.DENIED) from error
    return Contents(
        revision=found.revision, n_rows=found.n_rows, kept=kept.name if was_there else ""
    )


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    register_functions(connection)
    return connection


def _copy(source: Path, part: Path, *, progress: Progress, stop: StopToken) -> None:
    """Write one moment of a database into a new file.

    Raises
    ------
    Stopped
        A stop was asked for.
    """
    with closing(_connect(source)) as connection:
        (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        total = n_pages * page

        def look() -> bool:
            done = part.stat().st_size if part.exists() else 0
            progress(min(done, total), total)
            return stop.is_set()

        connection.set_progress_handler(look, _EVERY)
        try:
            connection.execute("VACUUM INTO ?", (str(part),))
        except sqlite3.OperationalError:
            stop_if_asked(stop, "copy")
            raise
        progress(total, total)


def _checked(part: Path) -> Contents | None:
    """Return what a fresh copy holds, its extents entered; None where it is damaged."""
    try:
        with closing(_connect(part)) as connection:
            layers = [row[0] for row in connection.execute(LAYERS)]
            for statement in extent_statements(layers):
                connection.execute(statement)
            is_sound = (
                connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                and connection.execute("PRAGMA foreign_key_check").fetchone() is None
                and all(_is_tree_sound(connection, layer) for layer in layers)
            )
            return _contents(connection) if is_sound else None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return None
        raise


def _is_tree_sound(connection: sqlite3.Connection, layer: str) -> bool:
    tree = f"rtree_{layer}_geom"
    (said,) = connection.execute("SELECT rtreecheck(?)", (tree,)).fetchone()
    (n_boxes,) = connection.execute(f"SELECT count(*) FROM {tree}").fetchone()
    (n_shapes,) = connection.execute(
        f"SELECT count(*) FROM {layer} WHERE geom NOTNULL AND NOT ST_IsEmpty(geom)"
    ).fetchone()
    return bool(said == "ok" and n_boxes == n_shapes)


def _contents(connection: sqlite3.Connection) -> Contents:
    names = [row[0] for row in connection.execute(_TABLES)]
    rows = {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names
    }
    (revision,) = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return Contents(revision=revision, n_rows=rows)


def _require_backup(source: Path) -> None:
    found = identify_file(source)
    if found.revision in {NONE, UNREADABLE}:
        raise StoreUnavailable(store=source.name, reason=Reason.NO_BACKUP)
    if found.revision not in REVISIONS:
        raise StoreTooNew(store=source.name, found=found.revision, needed=NEWEST)


def _kept(target: Path) -> Path:
    return target.with_name(f"{target.stem}-before-{time_stamp()}{target.suffix}")


def _keep_old(target: Path, kept: Path, url: URL) -> bool:
    """Give the store that is there a second name; return whether there was one.

    Raises
    ------
    StoreUnavailable
        Another process has it open.
    """
    is_there = target.exists()
    if is_there:
        _fold(target, url)
        kept.hardlink_to(target)
    for left in ("-wal", "-shm"):  # of a deleted or damaged store: never part of the new one
        with suppress(FileNotFoundError):
            target.with_name(f"{target.name}{left}").rename(kept.with_name(f"{kept.name}{left}"))
    sync(target.parent)
    return is_there


def _fold(target: Path, url: URL) -> None:
    """Write a store's log into it, which SQLite does only for the last one to hold it open."""
    try:
        with closing(_connect(target)) as connection:
            connection.execute("PRAGMA busy_timeout = 1000")
            connection.execute("PRAGMA journal_mode = delete")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise unavailable(url, Reason.IN_USE) from error
        # damaged: kept as it is
