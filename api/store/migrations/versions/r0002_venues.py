"""Venues with tiers, visits, hazards and items; incidents.

Revision ID: 0002
Revises: 0001
"""

from typing import Final

from alembic import op
from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Text

from api.store.column import Instant
from api.store.database import is_embedded
from api.store.migrations.first import create, drop, layer, new_metadata, one_of, table, unique
from api.store.styles import add_styles, remove_styles

revision = "0002"
down_revision = "0001"

_TABLES: Final = new_metadata()

# tables
layer(
    _TABLES,
    "incidents",
    None,
    Column("segment_id", Text, nullable=False),
    Column("hour", Instant, nullable=False),
    Column("category", Text, nullable=False),
    Column("channel", Text, nullable=False),
    unique("external_id"),
    Index(None, "segment_id"),
)
layer(
    _TABLES,
    "venues",
    "POINT",
    Column("venue_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("last_inspection", Date),
    Column("due", Date),
    Column("cadence_version", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("precision", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    unique("venue_id"),
    unique("external_id"),
    one_of("precision", "point", "street", "village", "none"),
    one_of("state", "open", "closed", "not_found", "exempt"),
    Index(None, "due", "fid"),
    Index(None, "precision"),
)
table(
    _TABLES,
    "venue_tiers",
    Column("venue_id", Text, ForeignKey("venues.venue_id"), nullable=False),
    Column("tier", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("import_id", Text),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "venue_id"),
)
table(
    _TABLES,
    "visits",
    Column("visit_id", Text, nullable=False),
    Column("venue_id", Text, ForeignKey("venues.venue_id"), nullable=False),
    Column("day", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("plan_id", Text),
    Column("recorded_at", Instant, nullable=False),
    unique("visit_id"),
    one_of("outcome", "done", "hazard", "not_found", "closed"),
    Index(None, "venue_id", "day"),
)
table(
    _TABLES,
    "hazards",
    Column("hazard_id", Text, nullable=False),
    Column("venue_id", Text, ForeignKey("venues.venue_id"), nullable=False),
    Column("visit_id", Text, ForeignKey("visits.visit_id")),
    Column("kind", Text, nullable=False),
    Column("found_on", Date, nullable=False),
    Column("deadline", Date),
    Column("state", Text, nullable=False),
    Column("closed_on", Date),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("hazard_id"),
    one_of("state", "open", "closed"),
    Index(None, "venue_id"),
)
table(
    _TABLES,
    "items",
    Column("item_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("segment_id", Text),
    Column("hazard_id", Text, ForeignKey("hazards.hazard_id")),
    Column("opened_at", Instant, nullable=False),
    Column("deadline", Instant),
    Column("state", Text, nullable=False),
    Column("closed_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("item_id"),
    one_of("state", "open", "closed"),
    Index(None, "unit_code"),
)
# end of tables


def upgrade() -> None:
    """Add venues, incidents and what hangs on them."""
    connection = op.get_bind()
    create(connection, _TABLES)
    if is_embedded(connection):
        add_styles(connection, "venues")


def downgrade() -> None:
    """Take them away again."""
    connection = op.get_bind()
    if is_embedded(connection):
        remove_styles(connection, "venues")
    drop(connection, _TABLES)
