"""A disk in memory that forgets what was not synced, and the store's engine on top of it.

SQLite reaches its disk through a VFS; apsw lets Python be one. This one keeps, per file, the image
as written, the image as synced and the writes in between. When the power is cut every later call
fails, and of the writes in between each 512-byte sector reached the platter or did not, at random.

The store's own engine runs on it unchanged: SQLAlchemy's dialect takes the driver as an argument,
and `Driver` is apsw (which carries an SQLite of its own, newer than Python's) behind the few calls
of DB-API 2 that the dialect makes. A VFS in Python has no shared memory, so the connection locks
its file exclusively; nothing else differs.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import apsw
from sqlalchemy import Engine, StaticPool, create_engine

from api.store.database import database_url, make_engine

SECTOR = 512


class Platter:
    """One file: what a reader sees, what is synced, and the writes in between.

    Attributes
    ----------
    seen, synced : bytearray
        Image as written, and as it is sure to survive.
    """

    def __init__(self, content: bytes = b"") -> None:
        self.seen, self.synced = bytearray(content), bytearray(content)
        self._since: list[tuple[int, bytes | None]] = []

    def write(self, offset: int, data: bytes) -> None:
        """Write into the volatile part."""
        _put(self.seen, offset, data)
        self._since.append((offset, bytes(data)))

    def truncate(self, size: int) -> None:
        """Shorten the volatile part."""
        del self.seen[size:]
        self._since.append((size, None))

    def sync(self) -> None:
        """Make everything written so far durable."""
        for offset, data in self._since:
            if data is None:
                del self.synced[offset:]
            else:
                _put(self.synced, offset, data)
        self._since = []

    def after_cut(self, random: Random) -> bytes:
        """Return the file as it is found when the power is back."""
        left = bytearray(self.synced)
        for offset, data in self._since:
            if data is None:
                if random.random() < 0.5:
                    del left[offset:]
                continue
            for start in range(0, len(data), SECTOR):
                if random.random() < 0.5:
                    _put(left, offset + start, data[start : start + SECTOR])
        return bytes(left)


def _put(image: bytearray, offset: int, data: bytes) -> None:
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """Platters by file name, and the moment of the cut.

    Parameters
    ----------
    name : str
        Of the VFS, unique in the process.
    files : mapping of str to bytes
        What is on it, durably, at the beginning.
    lies : bool
        It says it has synced and has not.

    Attributes
    ----------
    calls_left : int
        Reads, writes and syncs until the power is cut.
    n_syncs : int
        Syncs asked for.
    """

    def __init__(self, name: str, files: Mapping[str, bytes], *, lies: bool = False) -> None:
        self.name, self.lies = name, lies
        self.platters = {file: Platter(content) for file, content in files.items()}
        self.calls_left, self.n_syncs = 1 << 60, 0
        super().__init__(name, "")

    def tick(self, code: int) -> None:
        """Count a call, or refuse it with a result code: the power is gone."""
        self.calls_left -= 1
        if self.calls_left < 0:
            error: Any = apsw.IOError("power cut")  # apsw's stubs lack its result codes
            error.extendedresult = code
            raise error

    def save(self, folder: Path, random: Random) -> None:
        """Write the files as they are found after the cut."""
        for file, platter in self.platters.items():
            (folder / file).write_bytes(platter.after_cut(random))

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - apsw's names
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return _File(self, Path(path or f"temporary-{id(flags)}").name)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.tick(apsw.SQLITE_IOERR_DELETE)
        self.platters.pop(Path(filename).name, None)

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return Path(pathname).name in self.platters

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class _File(apsw.VFSFile):
    """An open file of a `Disk`."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._platter = disk.platters.setdefault(name, Platter())

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.tick(apsw.SQLITE_IOERR_READ)
        return bytes(self._platter.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.tick(apsw.SQLITE_IOERR_WRITE)
        self._platter.write(offset, data)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.tick(apsw.SQLITE_IOERR_TRUNCATE)
        self._platter.truncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.tick(apsw.SQLITE_IOERR_FSYNC)
        self._disk.n_syncs += 1
        if not self._disk.lies:
            self._platter.sync()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._platter.seen)

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0

    def xClose(self) -> None:  # noqa: N802
        pass


# -------------------------------------------------------------------- apsw as SQLAlchemy's driver


class Driver:
    """apsw as the DB-API module of SQLAlchemy's SQLite dialect."""

    paramstyle = "qmark"
    apilevel, threadsafety = "2.0", 1
    sqlite_version = apsw.sqlite_lib_version()
    sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))
    Binary = bytes
    Warning = sqlite3.Warning
    Error = sqlite3.Error
    InterfaceError, DatabaseError = sqlite3.InterfaceError, sqlite3.DatabaseError
    OperationalError, IntegrityError = sqlite3.OperationalError, sqlite3.IntegrityError
    DataError, InternalError = sqlite3.DataError, sqlite3.InternalError
    ProgrammingError = sqlite3.ProgrammingError
    NotSupportedError = sqlite3.NotSupportedError


def _in_their_words(error: Any) -> sqlite3.Error:
    is_constraint = isinstance(error, apsw.ConstraintError)
    kind = sqlite3.IntegrityError if is_constraint else sqlite3.OperationalError
    said = kind(str(error))
    said.sqlite_errorcode = error.extendedresult
    said.sqlite_errorname = str(
        apsw.mapping_extended_result_codes.get(error.extendedresult)
        or apsw.mapping_result_codes.get(error.result)
    )
    return said


class _Cursor:
    """The part of a DB-API cursor that SQLAlchemy uses: every result is fetched at once."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount, self.lastrowid = -1, 0

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        """Run a statement."""
        base = self._connection.base
        cursor = base.cursor()
        cursor.exec_trace = self._describe
        try:
            cursor.execute(self._connection.as_set(statement), tuple(parameters))
            self._rows = list(cursor)
        except apsw.Error as error:
            raise _in_their_words(error) from error
        changes = statement.lstrip().partition(" ")[0] in {"INSERT", "UPDATE", "DELETE"}
        self.rowcount = base.changes() if changes else -1
        self.lastrowid = base.last_insert_rowid()
        return self

    def _describe(self, cursor: apsw.Cursor, *_: object) -> bool:
        names = [name for name, _ in cursor.get_description()]
        self.description = [(name, *[None] * 6) for name in names] or None
        return True

    def executemany(self, statement: str, many: Iterable[Sequence[Any]]) -> "_Cursor":
        """Run a statement for every set of parameters."""
        for parameters in many:
            self.execute(statement, parameters)
        return self

    def fetchone(self) -> Any:
        """Return the next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        """Return the next rows."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        """Return the rows left."""
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        """Forget the rows."""
        self._rows = []


class _Connection:
    """The part of a sqlite3 connection that the store and SQLAlchemy use."""

    isolation_level: str | None = ""

    def __init__(
        self, path: str, vfs: str, instead: Mapping[str, str], besides: Mapping[str, str]
    ) -> None:
        self.base = apsw.Connection(path, vfs=vfs)
        self._instead = {name: f"PRAGMA {name} = {value}" for name, value in instead.items()}
        for name, value in {"locking_mode": "exclusive", **besides}.items():
            self.base.execute(f"PRAGMA {name} = {value}")

    def as_set(self, statement: str) -> str:
        """Return the statement, or what stands in for this pragma in a broken variant."""
        pragma = re.match(r"PRAGMA (\w+) *=", statement)
        return self._instead.get(pragma[1], statement) if pragma else statement

    def cursor(self) -> _Cursor:
        """Return a cursor."""
        return _Cursor(self)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> _Cursor:
        """Run a statement."""
        return self.cursor().execute(statement, parameters)

    def create_function(
        self, name: str, n: int, function: Callable[..., Any], *, deterministic: bool = False
    ) -> None:
        """Give SQL a function."""
        self.base.create_scalar_function(name, function, n, deterministic=deterministic)

    def commit(self) -> None:
        """Commit, if there is anything to."""
        if self.base.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Take back, if there is anything to."""
        if self.base.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file; after a cut that cannot be done in order."""
        with suppress(apsw.Error):
            self.base.close(True)


def engine_on(
    disk: Disk, file: str, instead: Mapping[str, str], besides: Mapping[str, str]
) -> Engine:
    """Return the store's own engine on a disk of ours.

    Parameters
    ----------
    disk : Disk
        Holds the database already.
    file : str
        Name of the database on it.
    instead : mapping of str to str
        Pragmas of the store that a broken variant sets otherwise.
    besides : mapping of str to str
        Pragmas the store does not set.
    """
    ours = partial(
        create_engine,
        module=Driver,
        creator=lambda: _Connection(f"/{file}", disk.name, instead, besides),
        poolclass=StaticPool,
    )
    with mock.patch("api.store.database.create_engine", ours):
        return make_engine(database_url(f"/{file}"))
