"""Tell what a database is before anything in it is touched."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from api.store.database import is_embedded
from api.store.migrations import NONE, VERSION_TABLE
from api.store.revision import revision_of

UNREADABLE: Final = "unreadable"
"""Revision of a database that cannot be asked: locked, in need of recovery, or damaged."""

_NOT_OURS: Final = {"spatial_ref_sys", VERSION_TABLE}
"""Tables that an empty PostGIS database has, and one that all our revisions left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a database is.

    Attributes
    ----------
    revision : str
        Revision of our tables, "base" where it has none of them.
    is_empty : bool
        Whether it holds no table of anybody.
    """

    revision: str
    is_empty: bool


def identify(connection: Connection) -> Identity:
    """Return what an open database is."""
    system = ("sqlite_", "gpkg_") if is_embedded(connection) else ("pg_",)
    tables = set(inspect(connection).get_table_names()) - _NOT_OURS
    return Identity(
        revision=revision_of(connection),
        is_empty=all(name.startswith(system) for name in tables),
    )


def identify_file(path: Path) -> Identity:
    """Return what a file is, without writing to it.

    Only SQLite opens it: closing a file of one's own drops every lock this process holds on it
    (POSIX), and another process would then take away the log under a store that is open.

    Raises
    ------
    OSError
        It is not there, or may not be read.
    """
    if path.stat().st_size == 0:
        return Identity(revision=NONE, is_empty=True)
    if not os.access(path, os.R_OK):
        raise PermissionError(path)
    try:
        return _identify_database(path)
    except sqlite3.DatabaseError as error:
        is_other = error.sqlite_errorcode == sqlite3.SQLITE_NOTADB
        return Identity(revision=NONE if is_other else UNREADABLE, is_empty=False)


def _identify_database(path: Path) -> Identity:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if VERSION_TABLE not in tables:
            return Identity(revision=NONE, is_empty=not tables)
        revision = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a name of ours
        row = connection.execute(revision).fetchone()
    return Identity(
        revision=NONE if row is None else row[0],
        is_empty=row is None,
    )
