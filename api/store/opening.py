"""Open a store: make it where there is none, and refuse what is not ours or of another version."""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from api.store.database import database_url, is_embedded, is_file, make_engine
from api.store.failure import shown, translated, unavailable
from api.store.identity import Identity, identify, identify_file
from api.store.migrations import NEWEST, NONE, REVISIONS
from api.store.part import sync
from api.store.reason import Reason
from api.store.revision import migrate, take_turn
from api.store.store import Store
from api.store.writer import Answer
from geo.errors import StoreForeign, StoreOutdated, StoreTooNew


def open_store(setting: str, *, create: bool = False) -> Store:
    """Open the store a setting names.

    Parameters
    ----------
    setting : str
        Path of a GeoPackage, or ``postgresql://...``.
    create : bool
        Make it when there is none. Of several processes that try at once one makes it.

    Raises
    ------
    OptionInvalid
        Neither a path nor a postgresql URL.
    StoreUnavailable
        It is not there, or cannot be read and written.
    StoreForeign
        Something else is there.
    StoreOutdated, StoreTooNew
        It is of another release.
    """
    url = database_url(setting)
    require_place(url, create=create)
    writing, reading = make_engine(url), make_engine(url, writes=False)

    def ready(connection: Connection) -> None:
        found = identify(connection)
        if found.revision == NONE and found.is_empty and create:
            if not is_embedded(connection):
                require_postgis(connection)
            migrate(connection, NEWEST)
        else:
            require_ours(url, found)
            require_newest(url, found.revision)

    try:
        if not _is_ready(url, reading):
            in_turn(writing, ready)
            if is_file(url):
                sync(Path(str(url.database)).parent)
        with translated(url):
            writing.connect().close()  # both hold on to the file that is there now
    except BaseException:
        writing.dispose()
        reading.dispose()
        raise
    return Store(writing, reading)


def _is_ready(url: URL, reading: Engine) -> bool:
    """Return whether a store of this release is there; an import that runs is not waited for."""
    if is_file(url) and not os.access(str(url.database), os.W_OK):
        return False  # not there, or not ours to write: the write lock will tell
    with translated(url), reading.connect() as connection:
        return identify(connection).revision == NEWEST


def in_turn(engine: Engine, work: Callable[[Connection], Answer]) -> Answer:
    """Do something to a database while no other process changes its tables.

    Raises
    ------
    StoreError
        The database cannot.
    """
    with translated(engine.url), engine.begin() as connection:
        take_turn(connection)
        return work(connection)


def require_place(url: URL, *, create: bool) -> None:
    """Refuse a path where no store is or can be, before anything is touched.

    Raises
    ------
    StoreUnavailable, StoreForeign
        A folder, a file that is no database, or one that may not be read.
    """
    if not is_file(url):
        return
    path = Path(str(url.database))
    try:
        if path.is_dir():
            raise unavailable(url, Reason.FOLDER)
        if path.exists():
            require_ours(url, identify_file(path), may_be_empty=create)
        elif create:
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            raise unavailable(url, Reason.NO_FILE)
    except PermissionError as error:
        raise unavailable(url, Reason.DENIED) from error
    except OSError as error:
        raise unavailable(url, Reason.NO_FOLDER) from error


def require_postgis(connection: Connection) -> None:
    """Make sure that a database has PostGIS, adding it where that is allowed.

    Raises
    ------
    StoreUnavailable
        It is not installed, or an administrator has to add it.
    """
    has = text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")
    if connection.execute(has).scalar() is not None:
        return
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION postgis"))
    except DBAPIError as error:
        raise unavailable(connection.engine.url, Reason.NO_POSTGIS) from error


def require_ours(url: URL, found: Identity, *, may_be_empty: bool = False) -> None:
    """Refuse a database that is not a store of patrolgrid.

    Raises
    ------
    StoreForeign
        Somebody else's tables, or no database at all.
    StoreUnavailable
        Nothing at all is in it.
    """
    if found.is_empty and not may_be_empty:
        raise unavailable(url, Reason.NO_TABLES)
    if not found.is_empty and found.revision == NONE:
        raise StoreForeign(store=shown(url))


def require_newest(url: URL, revision: str) -> None:
    """Refuse a store of another release.

    Raises
    ------
    StoreOutdated, StoreTooNew
        It is older, newer or of a revision nobody knows.
    """
    if revision not in REVISIONS:
        raise StoreTooNew(store=shown(url), found=revision, needed=NEWEST)
    if revision != NEWEST:
        raise StoreOutdated(store=shown(url), found=revision, needed=NEWEST)
