"""The revision of a database's tables, and the way from one to another, in one transaction."""

import threading
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from api.store.database import is_embedded
from api.store.migrations import NONE, REVISIONS, VERSION_TABLE

_ALEMBIC: Final = threading.Lock()
"""Alembic keeps the running migration in a module: one at a time."""

_TURN: Final = 7_241_900_411
"""Key of PostgreSQL's advisory lock that lets one process after the other change the tables."""


def revision_of(connection: Connection) -> str:
    """Return the revision a database is at, "base" where it has none of our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return NONE
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return NONE if row is None else str(row)


def take_turn(connection: Connection) -> None:
    """Wait until no other process changes the tables; the transaction keeps the turn."""
    if not is_embedded(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})


def migrate(connection: Connection, revision: str) -> None:
    """Run the revisions between the database's and another one, in the open transaction.

    Parameters
    ----------
    connection : Connection
        Holds the turn (`take_turn`).
    revision : str
        One of `api.store.migrations.REVISIONS`, or "base".
    """
    from alembic import command  # noqa: PLC0415 - only a store that changes needs it
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    order = (NONE, *REVISIONS)
    is_down = order.index(revision) < order.index(revision_of(connection))
    with _ALEMBIC:
        (command.downgrade if is_down else command.upgrade)(config, revision)
