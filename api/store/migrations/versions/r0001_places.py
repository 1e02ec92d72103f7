"""Places: boundaries and their versions, streets, cells, stations and the layers beside them.

Revision ID: 0001
Revises:
"""

from typing import Final

from alembic import op
from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, Text

from api.store.column import Instant, Json, Real
from api.store.database import is_embedded
from api.store.geopackage import create_system_tables, drop_system_tables
from api.store.migrations.first import (
    create,
    drop,
    geometry,
    layer,
    new_metadata,
    one_of,
    table,
    unique,
)
from api.store.styles import add_styles, create_style_table, drop_style_table

revision = "0001"
down_revision = None

_TABLES: Final = new_metadata()

# tables
table(
    _TABLES,
    "city",
    Column("epsg", Integer, nullable=False),
    Column("data_date", Date),
    Column("boundary_version", Text),
    Column("synthetic", Boolean, nullable=False),
    Column("attribution", Json, nullable=False),
    CheckConstraint("fid = 1", "one_row"),
)
table(
    _TABLES,
    "boundary_versions",
    Column("boundary_version", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("source", Text, nullable=False),
    Column("import_id", Text),
    Column("created_at", Instant, nullable=False),
    unique("boundary_version"),
)
layer(
    _TABLES,
    "boundaries",
    "MULTIPOLYGON",
    Column("boundary_version", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("admin_parent", Text, nullable=False),
    Column("grid_role", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    unique("boundary_version", "code"),
    Index(None, "admin_parent"),
)
table(
    _TABLES,
    "boundary_merges",
    Column("from_version", Text, nullable=False),
    Column("old_code", Text, nullable=False),
    Column("to_version", Text, nullable=False),
    Column("new_code", Text),
    Column("relation", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("confidence", Real, nullable=False),
    unique("from_version", "old_code", "to_version"),
    one_of("relation", "same", "renamed", "merged", "unresolved"),
)
layer(
    _TABLES,
    "streets",
    "LINESTRING",
    Column("segment_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("street_class", Text, nullable=False),
    Column("oneway", Boolean, nullable=False),
    Column("bridge", Boolean, nullable=False),
    unique("segment_id"),
    Index(None, "external_id"),
    Index(None, "name"),
)
table(
    _TABLES,
    "street_aliases",
    Column("alias_id", Text, nullable=False),
    Column("segment_id", Text, nullable=False),
    Column("share", Real, nullable=False),
    Column("import_id", Text, nullable=False),
    unique("alias_id", "segment_id"),
)
table(
    _TABLES,
    "cells",
    *geometry("cells", "POLYGON"),
    Column("cell_id", Text, nullable=False),
    Column("village_code", Text, nullable=False),
    Column("township_code", Text, nullable=False),
    Column("county_code", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("grid_role", Text, nullable=False),
    Column("households", Integer, nullable=False),
    Column("area", Real, nullable=False),
    Column("boundary_version", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("input_hash", Text, nullable=False),
    unique("cell_id"),
    Index(None, "unit_code"),
)
table(
    _TABLES,
    "cell_aliases",
    Column("alias_id", Text, nullable=False),
    Column("cell_id", Text, nullable=False),
    Column("since", Date, nullable=False),
    unique("alias_id", "cell_id"),
)
layer(
    _TABLES,
    "water",
    "GEOMETRY",
    Column("water_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    unique("water_id"),
    Index(None, "external_id"),
)
layer(
    _TABLES,
    "buildings",
    "POINT",
    Column("building_id", Text, nullable=False),
    Column("households", Integer, nullable=False),
    unique("building_id"),
    Index(None, "external_id"),
)
layer(
    _TABLES,
    "stations",
    "POINT",
    Column("station_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    unique("station_id"),
    Index(None, "external_id"),
)
layer(
    _TABLES,
    "units",
    None,
    Column("unit_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("call_sign", Text, nullable=False),
    Column("headcount", Integer, nullable=False),
    Column("mode", Text, nullable=False),
    unique("unit_id"),
    unique("station_id", "number"),
    unique("call_sign"),
    CheckConstraint("headcount >= 2", "headcount"),
    Index(None, "external_id"),
)
layer(
    _TABLES,
    "posts",
    "POINT",
    Column("post_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("window_start", Text, nullable=False),
    Column("window_end", Text, nullable=False),
    Column("dwell", Integer, nullable=False),
    Column("n_units", Integer, nullable=False),
    unique("post_id"),
    Index(None, "external_id"),
)
layer(
    _TABLES,
    "places",
    "POINT",
    Column("place_id", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("audience", Text, nullable=False),
    unique("place_id"),
    unique("layer", "external_id"),
    one_of("audience", "command", "team", "partner", "public"),
)
# end of tables


def upgrade() -> None:
    """Make an empty database a store of places."""
    connection = op.get_bind()
    if is_embedded(connection):
        create_system_tables(connection)
    else:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS postgis")
    create(connection, _TABLES)
    if is_embedded(connection):
        create_style_table(connection)
        add_styles(connection, "boundaries", "streets", "cells", "stations")


def downgrade() -> None:
    """Leave an empty database."""
    connection = op.get_bind()
    drop(connection, _TABLES)
    if is_embedded(connection):
        drop_style_table(connection)
        drop_system_tables(connection)
