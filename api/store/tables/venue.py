"""Venues with their tiers, visits, hazards and items."""

from typing import Final

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Text

from api.store.column import Instant
from api.store.tables.meta import layer, one_of, table, unique
from geo.frames import Col

VENUES: Final = layer(
    "venues",
    "POINT",
    Column(Col.VENUE_ID, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column(Col.TIER, Text, nullable=False),
    Column(Col.LAST_INSPECTION, Date),
    Column(Col.DUE, Date),
    Column("cadence_version", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("precision", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    unique(Col.VENUE_ID),
    unique("external_id"),
    Index(None, Col.DUE, "fid"),
    Index(None, "precision"),
    one_of("precision", "point", "street", "village", "none"),
    one_of("state", "open", "closed", "not_found", "exempt"),
)
"""``due`` follows from tier, last inspection and ``cadence_version``; none where none is known.

``precision`` says how its place is known: a point of the register or the map, a street with
number, the village it names, or not at all (then it has no geometry and is still counted).
"""

VENUE_TIERS: Final = table(
    "venue_tiers",
    Column(Col.VENUE_ID, Text, ForeignKey("venues.venue_id"), nullable=False),
    Column(Col.TIER, Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("import_id", Text),
    Column("recorded_at", Instant, nullable=False),
    Index(None, Col.VENUE_ID),
)
"""Every tier a venue had, oldest first."""

VISITS: Final = table(
    "visits",
    Column(Col.VISIT_ID, Text, nullable=False),
    Column(Col.VENUE_ID, Text, ForeignKey("venues.venue_id"), nullable=False),
    Column("day", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("plan_id", Text),
    Column("recorded_at", Instant, nullable=False),
    unique(Col.VISIT_ID),
    Index(None, Col.VENUE_ID, "day"),
    one_of("outcome", "done", "hazard", "not_found", "closed"),
)
"""Inspections as they happened: the place, the day and how it ended; nobody's name, no sentence."""

HAZARDS: Final = table(
    "hazards",
    Column("hazard_id", Text, nullable=False),
    Column(Col.VENUE_ID, Text, ForeignKey("venues.venue_id"), nullable=False),
    Column(Col.VISIT_ID, Text, ForeignKey("visits.visit_id")),
    Column(Col.KIND, Text, nullable=False),
    Column("found_on", Date, nullable=False),
    Column("deadline", Date),
    Column("state", Text, nullable=False),
    Column("closed_on", Date),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("hazard_id"),
    Index(None, Col.VENUE_ID),
    one_of("state", "open", "closed"),
)

ITEMS: Final = table(
    "items",
    Column("item_id", Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column(Col.SEGMENT_ID, Text),
    Column("hazard_id", Text, ForeignKey("hazards.hazard_id")),
    Column("opened_at", Instant, nullable=False),
    Column("deadline", Instant),
    Column("state", Text, nullable=False),
    Column("closed_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("item_id"),
    Index(None, "unit_code"),
    one_of("state", "open", "closed"),
)
"""Things to be put right at a place, each with its clock."""
