"""How the tables of the first release are shaped. Released: never change a line.

It says again what `api.store.tables.meta` says today, so that a revision makes the same table
for ever. A later revision that needs another shape brings its own.
"""

from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from api.store.database import is_embedded
from api.store.geometry import Geometry
from api.store.geopackage import register_table, unregister_table

_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Return the list that one revision's tables are entered in."""
    return MetaData(naming_convention=_NAMES)


def table(metadata: MetaData, name: str, *parts: Any) -> Table:
    """Return a table with its whole-number key."""
    fid = Column("fid", Integer, primary_key=True, autoincrement=True)
    in_order = sorted(parts, key=lambda item: not isinstance(item, Column))
    return Table(name, metadata, fid, *in_order, sqlite_autoincrement=True)


def layer(metadata: MetaData, name: str, kind: str | None, *parts: Any) -> Table:
    """Return a layer that imports fill."""
    return table(
        metadata,
        name,
        *([] if kind is None else geometry(name, kind)),
        *parts,
        Column("external_id", Text, nullable=False),
        Column("unit_code", Text, nullable=False, server_default=""),
        Column("source", Text, nullable=False),
        Column("status", Text, nullable=False, server_default="current"),
        Column("version", Integer, nullable=False, server_default="1"),
        Column("import_id", Text),
        Column("changed_by", Text),
        CheckConstraint("status IN ('current', 'to_check', 'withdrawn')", "status"),
        Index(None, "unit_code"),
        Index(None, "import_id"),
    )


def geometry(name: str, kind: str) -> list[Any]:
    """Return a geometry column with its check and index."""
    is_blob = "geom IS NULL OR substr(geom, 1, 2) = x'4750'"
    return [
        Column("geom", Geometry(kind)),
        CheckConstraint(is_blob, "geom").ddl_if(dialect="sqlite"),
        Index(f"ix_{name}_geom", "geom", postgresql_using="gist").ddl_if(dialect="postgresql"),
    ]


def unique(*columns: str) -> UniqueConstraint:
    """Return a key over columns."""
    return UniqueConstraint(*columns)


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return the check that a column holds one of some words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", column)


def create(connection: Connection, metadata: MetaData) -> None:
    """Make a revision's tables, on a GeoPackage with its contents, R*Trees and triggers."""
    metadata.create_all(connection, checkfirst=False)
    if is_embedded(connection):
        for made in metadata.sorted_tables:
            register_table(connection, made)


def drop(connection: Connection, metadata: MetaData) -> None:
    """Take a revision's tables away again."""
    for made in reversed(metadata.sorted_tables):
        made.drop(connection)
        if is_embedded(connection):
            unregister_table(connection, made.name)
