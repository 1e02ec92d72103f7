"""The tables of the store, one module per subject; the same on both databases."""

from api.store.tables.coming_in import IMPORT_CHANGES, IMPORTS
from api.store.tables.job import JOB_EVENTS, JOBS
from api.store.tables.meta import CURRENT, METADATA, STATUSES, TO_CHECK, WITHDRAWN
from api.store.tables.place import (
    BOUNDARIES,
    BOUNDARY_MERGES,
    BOUNDARY_VERSIONS,
    BUILDINGS,
    CELL_ALIASES,
    CELLS,
    CITY,
    CLOSURES,
    INCIDENTS,
    PLACES,
    POSTS,
    STATIONS,
    STREET_ALIASES,
    STREETS,
    UNITS,
    WATER,
)
from api.store.tables.plan import CALENDAR_DAYS, CALENDAR_YEARS, PLAN_PRODUCTS, PLANS
from api.store.tables.record import API_KEYS, AUDIT, IDEMPOTENCY
from api.store.tables.venue import HAZARDS, ITEMS, VENUE_TIERS, VENUES, VISITS

__all__ = [
    "API_KEYS",
    "AUDIT",
    "BOUNDARIES",
    "BOUNDARY_MERGES",
    "BOUNDARY_VERSIONS",
    "BUILDINGS",
    "CALENDAR_DAYS",
    "CALENDAR_YEARS",
    "CELLS",
    "CELL_ALIASES",
    "CITY",
    "CLOSURES",
    "CURRENT",
    "HAZARDS",
    "IDEMPOTENCY",
    "IMPORTS",
    "IMPORT_CHANGES",
    "INCIDENTS",
    "ITEMS",
    "JOBS",
    "JOB_EVENTS",
    "METADATA",
    "PLACES",
    "PLANS",
    "PLAN_PRODUCTS",
    "POSTS",
    "STATIONS",
    "STATUSES",
    "STREETS",
    "STREET_ALIASES",
    "TO_CHECK",
    "UNITS",
    "VENUES",
    "VENUE_TIERS",
    "VISITS",
    "WATER",
    "WITHDRAWN",
]
