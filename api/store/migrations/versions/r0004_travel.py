"""Lanes and posted limits of streets; closures.

Revision ID: 0004
Revises: 0003

Streets kept before have 0 in both, which says that they are not known.
"""

from typing import Final

from alembic import op
from sqlalchemy import Column, Index, Integer, Text

from api.store.column import Instant, Real
from api.store.migrations.first import create, drop, layer, new_metadata, unique

revision = "0004"
down_revision = "0003"

_TABLES: Final = new_metadata()

# tables
layer(
    _TABLES,
    "closures",
    "GEOMETRY",
    Column("closure_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("segment_id", Text, nullable=False),
    Column("valid_from", Instant),
    Column("valid_to", Instant),
    Column("modes", Text, nullable=False),
    Column("speed_share", Real, nullable=False),
    unique("closure_id"),
    Index(None, "external_id"),
)
# end of tables


def upgrade() -> None:
    """Add the two columns and the layer."""
    create(op.get_bind(), _TABLES)
    op.add_column("streets", Column("lanes", Integer, nullable=False, server_default="0"))
    op.add_column("streets", Column("max_speed", Real, nullable=False, server_default="0"))


def downgrade() -> None:
    """Take them away again."""
    drop(op.get_bind(), _TABLES)
    op.drop_column("streets", "max_speed")
    op.drop_column("streets", "lanes")
