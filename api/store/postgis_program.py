"""PostgreSQL's own programs, run with a progress and a stop."""

import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from sqlalchemy.engine import URL

from api.store.failure import unavailable
from api.store.reason import Reason
from geo.progress import Progress, StopToken, stop_if_asked

_log = logging.getLogger(f"patrolgrid.{__name__}")

_DEBIAN: Final = Path("/usr/lib/postgresql")
_TABLE_BEGUN: Final = re.compile(rb"(?:dumping contents of|processing data for) table")
_LOOK_SECONDS: Final = 0.1


def run_program(
    name: str,
    options: Sequence[str],
    url: URL,
    *,
    n_tables: int,
    progress: Progress,
    stop: StopToken,
) -> None:
    """Run pg_dump or pg_restore on a database; its password is in no command line.

    Raises
    ------
    StoreUnavailable
        There is no such program, or it failed: its words are in the log.
    Stopped
        A stop was asked for.
    """
    command = [program(name, url), "--verbose", f"--dbname={_address(url)}", *options]
    with TemporaryFile() as said, _running(command, url, said) as process:
        while process.poll() is None:
            stop_if_asked(stop, name)
            progress(min(len(_TABLE_BEGUN.findall(_read(said))), n_tables), n_tables)
            time.sleep(_LOOK_SECONDS)
        if process.returncode:
            words = _read(said).decode(errors="replace")
            _log.error("%s ended with %d: %s", name, process.returncode, words[-2000:])
            raise unavailable(url, Reason.PROGRAM)
    progress(n_tables, n_tables)


def program(name: str, url: URL) -> str:
    """Return the path of one of PostgreSQL's programs, the newest there is.

    Raises
    ------
    StoreUnavailable
        It is not installed.
    """
    versions = [p for p in _DEBIAN.glob("*/bin") if p.parent.name.isdecimal()]
    for folder in sorted(versions, key=lambda p: int(p.parent.name), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise unavailable(url, Reason.NO_PROGRAM)
    return found


@contextmanager
def _running(command: list[str], url: URL, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "LC_ALL": "C"}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)  # noqa: S603
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _address(url: URL) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - of the extra "postgis"

    parts = url.translate_connect_args(username="user", database="dbname")
    parts.pop("password", None)  # others may read a command line
    return make_conninfo(**{**url.query, **parts})


def _read(said: IO[bytes]) -> bytes:
    length = os.fstat(said.fileno()).st_size
    return os.pread(said.fileno(), length, 0)
