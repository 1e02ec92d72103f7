"""Keep the write-ahead log of a GeoPackage short.

SQLite copies the log into the database after a commit, as far as no reader still looks at an older
moment. Where readers never pause the log would grow for ever. So a log that has grown is emptied
by force: that holds writers back until the readers of this moment are done, a second at most.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.store.database import BUSY_MS, is_file
from geo.errors import StoreError

LOG_BYTES: Final = 64 << 20
"""Length at which the log is emptied."""

PATIENCE_MS: Final = 1_000
"""Longest wait for readers."""


class Checkpoint:
    """Watches the log of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = Path(f"{engine.url.database}-wal") if is_file(engine.url) else None
        self._due = LOG_BYTES

    def run_if_due(self) -> None:
        """Empty the log where it has grown; where readers stay too long, when it has grown more."""
        if self._log is None or (length := _length(self._log)) < self._due:
            return
        # a log that cannot be emptied now is emptied later: the writer goes on
        with suppress(sqlite3.Error, SQLAlchemyError, StoreError):
            self._empty()
        self._due = LOG_BYTES + (length if _length(self._log) else 0)

    def _empty(self) -> None:
        with (
            closing(self._engine.raw_connection()) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                cursor.fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
