"""What every table shares: names of constraints, the base of a place layer."""

from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from api.store.column import fid
from api.store.geometry import Geometry
from geo.frames import Col

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

CURRENT: Final = "current"
"""In the newest import of its layer, or made here."""

TO_CHECK: Final = "to_check"
"""Missing from the newest import: counted until somebody looked, never deleted."""

WITHDRAWN: Final = "withdrawn"
"""Came with an import that was undone: kept, and counted nowhere."""

STATUSES: Final = (CURRENT, TO_CHECK, WITHDRAWN)


def table(name: str, *columns: Any) -> Table:
    """Return a table of attributes with the whole-number key GeoPackage asks for."""
    # columns before the keys, checks and indexes that name them
    in_order = sorted(columns, key=lambda item: not isinstance(item, Column))
    return Table(name, METADATA, fid(), *in_order, sqlite_autoincrement=True)


def layer(name: str, kind: str | None, *columns: Any) -> Table:
    """Return a layer that imports fill: its columns and those that tell where a row came from.

    Parameters
    ----------
    name : str
        Table, GeoPackage layer and layer of the import in one.
    kind : str, optional
        Geometry type; none for a plain table.

    Notes
    -----
    ``external_id`` is the key of the user's register, ours stands beside it. ``unit_code`` is the
    smallest boundary that holds the row, "" outside of all: a scope looks at it. ``version``
    counts the changes of a row and is its ETag.
    """
    shape: list[Any] = []
    if kind is not None:
        shape = [
            Column("geom", Geometry(kind)),
            CheckConstraint("geom IS NULL OR substr(geom, 1, 2) = x'4750'", "geom").ddl_if(
                dialect="sqlite"
            ),
            Index(f"ix_{name}_geom", "geom", postgresql_using="gist").ddl_if(dialect="postgresql"),
        ]
    return table(
        name,
        *shape,
        *columns,
        Column("external_id", Text, nullable=False),
        Column("unit_code", Text, nullable=False, server_default=""),
        Column(Col.SOURCE, Text, nullable=False),
        Column("status", Text, nullable=False, server_default=CURRENT),
        Column("version", Integer, nullable=False, server_default="1"),
        Column("import_id", Text),
        Column("changed_by", Text),
        CheckConstraint("status IN ('current', 'to_check', 'withdrawn')", "status"),
        Index(None, "unit_code"),
        Index(None, "import_id"),
    )


def unique(*columns: str) -> UniqueConstraint:
    """Return a key over columns."""
    return UniqueConstraint(*columns)


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return the check that a column holds one of some words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", column)
