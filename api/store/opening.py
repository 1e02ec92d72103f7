"""Open a store: make it where there is none, and refuse what is not ours or of another version."""

from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.engine import URL

from api.store.database import WRITES, database_url, is_embedded, make_engine
from api.store.geopackage import (
    APPLICATION_ID,
    USER_VERSION,
    create_system_tables,
    register_table,
)
from api.store.store import Store
from api.store.tables import METADATA
from geo.errors import StoreUnavailable


def open_store(setting: str, *, create: bool = False) -> Store:
    """Open the store a setting names.

    Parameters
    ----------
    setting : str
        Path of a GeoPackage, or ``postgresql://...``.
    create : bool
        Make it when there is none.

    Raises
    ------
    OptionInvalid
        Neither a path nor a postgresql URL.
    StoreUnavailable
        It is not there, or cannot be opened.
    """
    url = database_url(setting)
    _require_place(url, create=create)
    engine = make_engine(url)
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if not inspect(connection).has_table("city"):
            create_schema(connection)
    return Store(engine)


def create_schema(connection: Connection) -> None:
    """Write all tables into an empty database."""
    if is_embedded(connection):
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")
        create_system_tables(connection)
    else:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")
    METADATA.create_all(connection)
    if is_embedded(connection):
        for table in METADATA.sorted_tables:
            register_table(connection, table)


def _require_place(url: URL, *, create: bool) -> None:
    if url.get_backend_name() != "sqlite" or url.database is None:
        return
    path = Path(url.database)
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreUnavailable(store=path.name, reason="there is no such file")
