"""Back a store up into one file, and restore it from one.

A GeoPackage is backed up as a GeoPackage that QGIS may open, PostGIS as an archive of pg_dump.
Both are one moment of the store, and whole or not there. What is restored is counted and checked
before it takes its place.
"""

from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from api.store import geopackage_copy, postgis_copy
from api.store.contents import Contents
from api.store.database import database_url, is_file
from api.store.reason import Reason
from geo.errors import StoreUnavailable
from geo.progress import NEVER, Progress, StopToken, silent

_KINDS: Final = {b"SQLit": True, b"PGDMP": False}
"""First bytes of a backup: whether it is a GeoPackage or an archive of pg_dump."""


def back_up(
    setting: str, target: Path, *, progress: Progress = silent, stop: StopToken = NEVER
) -> Contents:
    """Write a store into a file, while others read and write it.

    Parameters
    ----------
    setting : str
        Path of a GeoPackage, or ``postgresql://...``.
    target : Path
        File that is not there yet.
    progress, stop
        See `geo.progress`.

    Raises
    ------
    StoreUnavailable, StoreForeign
        The store cannot be read, or the target is taken.
    StoreFull
        No room for the file.
    Stopped
        A stop was asked for; there is no file.
    """
    url = database_url(setting)
    if target.exists():
        raise StoreUnavailable(store=target.name, reason=Reason.FILE_EXISTS)
    copy = geopackage_copy.back_up if is_file(url) else postgis_copy.back_up
    try:
        return copy(url, target, progress=progress, stop=stop)
    except PermissionError as error:
        raise StoreUnavailable(store=target.name, reason=Reason.DENIED) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreUnavailable(store=target.name, reason=Reason.NO_FOLDER) from error


def restore(
    source: Path,
    setting: str,
    *,
    replace: bool = False,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Contents:
    """Make a store out of a backup.

    Parameters
    ----------
    source : Path
        File that `back_up` wrote.
    setting : str
        Where the store shall be.
    replace : bool
        Take the place of a store that is there; that one is kept beside under another name.
    progress, stop
        See `geo.progress`.

    Raises
    ------
    StoreUnavailable, StoreForeign
        The backup cannot be used, or a store is there already.
    StoreTooNew
        The backup is of a newer release.
    StoreFull
        No room for the store.
    Stopped
        A stop was asked for; everything is as it was.
    """
    url = database_url(setting)
    _require_kind(source, url)
    copy = geopackage_copy.restore if is_file(url) else postgis_copy.restore
    return copy(source, url, replace=replace, progress=progress, stop=stop)


def _require_kind(source: Path, url: URL) -> None:
    try:
        with source.open("rb") as file:
            is_geopackage = _KINDS.get(file.read(5))
    except FileNotFoundError as error:
        raise StoreUnavailable(store=source.name, reason=Reason.NO_FILE) from error
    except OSError as error:
        raise StoreUnavailable(store=source.name, reason=Reason.DENIED) from error
    if is_geopackage is None:
        raise StoreUnavailable(store=source.name, reason=Reason.NO_BACKUP)
    if is_geopackage != is_file(url):
        raise StoreUnavailable(store=source.name, reason=Reason.OTHER_KIND)
