"""Plans, what was made of them, and the working calendar."""

from typing import Final

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Text

from api.store.column import Instant, Long
from api.store.tables.meta import one_of, table, unique

PLANS: Final = table(
    "plans",
    Column("plan_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("night", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("seed", Long, nullable=False),
    Column("input_hash", Text, nullable=False),
    Column("result_hash", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("job_id", Text),
    Column("created_at", Instant, nullable=False),
    Column("approved_at", Instant),
    Column("approved_by", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("plan_id"),
    unique("kind", "unit_code", "night", "number"),
    one_of("state", "draft", "approved", "superseded"),
    one_of("kind", "patrol", "inspection"),
)
"""One row per version of a plan, numbered within kind, unit and night; never changed but in state.

``document`` is the plan file (gzip of the published JSON). ``approved_by`` is a role label.
"""

PLAN_PRODUCTS: Final = table(
    "plan_products",
    Column("plan_id", Text, ForeignKey("plans.plan_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    unique("plan_id", "name", "audience"),
)
"""Maps and tables made with a plan (gzip), each for one audience."""

CALENDAR_YEARS: Final = table(
    "calendar_years",
    Column("year", Integer, nullable=False),
    Column("notice", Text, nullable=False),
    Column("published_on", Date),
    Column("import_id", Text),
    unique("year"),
)
"""Years whose public holidays are published, with the official notice as source."""

CALENDAR_DAYS: Final = table(
    "calendar_days",
    Column("day", Date, nullable=False),
    Column("year", Integer, ForeignKey("calendar_years.year"), nullable=False),
    Column("name", Text, nullable=False),
    Column("is_working", Boolean, nullable=False),
    unique("day"),
    Index(None, "year"),
)
"""Days that differ from the week: holidays, and weekend days worked to make up for them."""
