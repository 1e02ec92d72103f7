"""What a GeoPackage holds, looked at read-only before GDAL opens it.

A database is a program too: a view may never end, a computed column may grow a gigabyte out of
nothing. Only plain tables are read as layers; triggers never fire, as nothing is written, and no
extension is loaded.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from geo.errors import FileUnreadable
from geo.io.hints import Hint

SQLITE_MARK: Final = b"SQLite format 3\0"

_CATALOGUE: Final = "gpkg_"
"""Tables that GDAL reads by itself begin with this."""

_COMPUTED: Final = (2, 3)
"""What ``pragma table_xinfo`` says of generated columns."""


def plain_tables(path: Path) -> frozenset[str]:
    """Return the tables of a GeoPackage that are stored, not computed.

    Raises
    ------
    FileUnreadable
        No SQLite database, a truncated one, or one whose catalogue is computed.
    """
    _check_size(path)
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            computed = {str(name).lower() for kind, name, sql in rows if _is_computed(kind, sql)}
            if any(name.startswith(_CATALOGUE) for name in computed):
                raise FileUnreadable(source=path.name, expected="GeoPackage", hint=Hint.IS_VIEW)
            tables = [str(name) for kind, name, _ in rows if kind == "table"]
            return frozenset(
                name
                for name in tables
                if name.lower() not in computed and not _has_computed(connection, name)
            )
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _damaged(path) from error


def _check_size(path: Path) -> None:
    """Refuse a file shorter than its header says: what is missing would be left out in silence."""
    with path.open("rb") as stream:
        head = stream.read(100)
    if not head.startswith(SQLITE_MARK) or len(head) < 100:
        raise _damaged(path)
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    # the count holds only where the change counter agrees with the version it was written for
    if head[24:28] == head[92:96] and path.stat().st_size < pages * (65536 if page == 1 else page):
        raise _damaged(path)


def _is_computed(kind: str, sql: str | None) -> bool:
    """Tell whether an entry is a view or a virtual table."""
    return kind == "view" or "virtual" in " ".join((sql or "").lower().split()[:2])


def _has_computed(connection: sqlite3.Connection, table: str) -> bool:
    quoted = table.replace('"', '""')
    columns = connection.execute(f'PRAGMA table_xinfo("{quoted}")')
    return any(row[6] in _COMPUTED for row in columns)


def _damaged(path: Path) -> FileUnreadable:
    return FileUnreadable(source=path.name, expected="GeoPackage", hint=Hint.DAMAGED)
