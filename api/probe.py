"""Can the service do its work: a write to the store, its revision, the process that runs jobs."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, column, delete, insert, select, table
from sqlalchemy.exc import DBAPIError

from api.store import Store
from api.store.migrations import NEWEST, VERSION_TABLE
from api.store.tables import IDEMPOTENCY
from geo.errors import StoreError

FRESH: Final = 1.0
"""Seconds a look holds: it writes, and anybody may ask."""

_PROBE: Final = "readyz"

Checks = dict[str, bool]
"""What was looked at, and whether it is well."""


class Probe:
    """Looks at a store, at most once in `FRESH` seconds however many ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._at = -FRESH
        self._checks: Checks = {}

    def look(self) -> Checks:
        """Return whether the store takes a write and is of this release."""
        with self._lock:
            if time.monotonic() - self._at >= FRESH:
                self._checks = {
                    "store_write": _holds(lambda: self._store.write(_write)),
                    "store_revision": _holds(self._revision_is_newest),
                }
                self._at = time.monotonic()
            return dict(self._checks)

    def _revision_is_newest(self) -> bool:
        with self._store.read() as connection:
            revision = table(VERSION_TABLE, column("version_num"))
            return connection.scalar(select(revision.c.version_num)) == NEWEST


def _holds(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except (StoreError, DBAPIError):
        return False


def _write(connection: Connection) -> bool:
    """Write a row and take it back: the disk is asked, nothing is left."""
    connection.execute(
        insert(IDEMPOTENCY).values(
            key=_PROBE,
            key_id=_PROBE,
            route="",
            body_hash="",
            status=0,
            headers={},
            body=b"",
            created_at=datetime.now(UTC),
        )
    )
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.key_id == _PROBE))
    return True
