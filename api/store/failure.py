"""What a database says when it cannot, in our words.

Codes decide: SQLite's names of results, and SQLSTATE. Sentences hold SQL, values and names of
tables, in any language: they are never repeated, stay in the cause of the error for the log, and
are looked at only where the driver has no code (a connection that was not made).
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeout,
)

from api.store.reason import Reason
from geo.errors import PatrolgridError, StoreBusy, StoreError, StoreFull, StoreUnavailable

_log = logging.getLogger(f"patrolgrid.{__name__}")

_FULL: Final = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "53100")
"""A used up quota is a failed write to SQLite, and a full disk may first be met by ``-shm``."""

_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "40001", "40P01", "55P03")

_DISK: Final = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
"""What a disk without any room left may say as well."""

_NEARLY_FULL: Final = 1 << 20
"""Free bytes below which such an error is taken for a full disk."""

_REASONS: Final = {
    "SQLITE_READONLY_DBMOVED": Reason.MOVED,
    "SQLITE_READONLY": Reason.READ_ONLY,
    "SQLITE_PERM": Reason.DENIED,
    "SQLITE_AUTH": Reason.DENIED,
    "SQLITE_CANTOPEN": Reason.DENIED,
    "SQLITE_CORRUPT": Reason.DAMAGED,
    "SQLITE_NOTADB": Reason.DAMAGED,
    "SQLITE_IOERR": Reason.DISK,
    "SQLITE_NOMEM": Reason.MEMORY,
    "08": Reason.NO_ANSWER,
    "28": Reason.LOGIN,
    "3D": Reason.NO_DATABASE,
    "42501": Reason.RIGHTS,
    "25006": Reason.READ_ONLY,
    "53200": Reason.MEMORY,
    "53300": Reason.CONNECTIONS,
    "55006": Reason.IN_USE,
    "57P": Reason.NO_ANSWER,
    "58030": Reason.DISK,
    "XX001": Reason.DAMAGED,
    "XX002": Reason.DAMAGED,
}
"""By the beginning of the code (SQLite: result codes; PostgreSQL 15: appendix A)."""

_CONNECTING: Final = {
    "password": Reason.LOGIN,
    "authentication": Reason.LOGIN,
    "pg_hba": Reason.LOGIN,
    'role "': Reason.LOGIN,
    'database "': Reason.NO_DATABASE,
    "too many": Reason.CONNECTIONS,
    "remaining connection slots": Reason.CONNECTIONS,
    "认证": Reason.LOGIN,
    "角色": Reason.LOGIN,
    "数据库": Reason.NO_DATABASE,
}
"""Words of a refused connection, which carries no code; any other one is no answer."""

_WRONG: Final = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
"""A statement that was wrong, not a database that cannot: whoever wrote it knows what it means."""


def translate(error: BaseException, url: URL) -> BaseException:
    """Return the store's error for a database's; anything else as it is."""
    if isinstance(error, PoolTimeout):
        ours: PatrolgridError | None = StoreBusy()
    elif isinstance(error, DBAPIError):
        ours = _of_driver(error.orig, url, is_wrong=isinstance(error, _WRONG))
    elif isinstance(error, sqlite3.Error):
        ours = _of_driver(error, url, is_wrong=False)
    else:
        ours = None
    if ours is None:
        return error
    ours.__cause__ = error
    return ours


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Raise the store's errors for those of a database inside the block."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raised = translate(error, url)
        if raised is error:
            raise
        raise raised from error


def unavailable(url: URL, reason: Reason) -> StoreUnavailable:
    """Return the error that says why a store cannot be used, without user or password."""
    return StoreUnavailable(store=shown(url), reason=reason)


def shown(url: URL) -> str:
    """Return a store's address as it is shown: file name, or server and database."""
    if url.get_backend_name() == "sqlite":
        return str(url.database).replace("\\", "/").rpartition("/")[2]
    return f"postgresql://{url.host or ''}/{url.database or ''}"


def is_conflict(error: BaseException | None) -> bool:
    """Return whether the database took a change back because two transactions met."""
    return isinstance(error, DBAPIError) and _code(error.orig).startswith(_BUSY)


def _of_driver(error: BaseException | None, url: URL, *, is_wrong: bool) -> PatrolgridError | None:
    code = _code(error)
    if code.startswith(_BUSY):
        return StoreBusy()
    if code.startswith(_FULL) or (code.startswith(_DISK) and _is_nearly_full(url)):
        return StoreFull()
    reason = next((r for begin, r in _REASONS.items() if code.startswith(begin)), None)
    if reason is None and not code:
        reason = _why_no_connection(error)
    if reason is not None:
        return unavailable(url, reason)
    if is_wrong:
        return None
    _log.error("unexpected database error %s", code, exc_info=error)
    return StoreError(detail=Reason.UNKNOWN)


def _code(error: BaseException | None) -> str:
    stated = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return str(stated or "")


def _why_no_connection(error: BaseException | None) -> Reason | None:
    if type(error).__name__ != "OperationalError" or not type(error).__module__.startswith(
        "psycopg"
    ):
        return None
    said = str(error)
    return next((r for words, r in _CONNECTING.items() if words in said), Reason.NO_ANSWER)


def _is_nearly_full(url: URL) -> bool:
    folder = str(url.database).replace("\\", "/").rpartition("/")[0] or "."
    try:
        return shutil.disk_usage(folder).free < _NEARLY_FULL
    except OSError:
        return False
