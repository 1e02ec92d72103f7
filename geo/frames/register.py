"""Schemas of the venue register: what is known of venues, graded, due, visited and missing."""

from dataclasses import replace

from geo.frames.column import Col
from geo.frames.layer import BLANKABLE, TEXT, VENUES
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import Queue, Remedy, Tier, VenueState, VisitOutcome

_DAY = Column(dtype=Type.DAY)
_MAYBE_DAY = Column(dtype=Type.DAY, nullable=True)
_INT = Column(dtype=Type.INT)
_BOOL = Column(dtype=Type.BOOL)

VENUE_LEDGER = replace(
    VENUES,
    columns={**VENUES.columns, Col.KIND: TEXT, Col.TIER: BLANKABLE},
)
"""Venues of every kind that a rules file knows, with or without a tier.

The facts of the rules stand beside as further columns: numbers and flags (1, 0) as float64, NaN
where unknown, days as datetime64[s].
"""

GRADES = Schema(
    layer="grades",
    key=Col.VENUE_ID,
    columns={
        Col.VENUE_ID: TEXT,
        Col.TIER: Column(values=Tier),
        Col.REGISTERED_TIER: BLANKABLE,
        Col.N_REASONS: _INT,
        Col.CAN_BE_GREEN: _BOOL,
        Col.GREEN_FROM: _MAYBE_DAY,
        Col.RULE_VERSION: TEXT,
    },
)
"""`green_from` is the day by which time alone makes a venue green; blank where it does not."""

REASONS = Schema(
    layer="reasons",
    key=Col.REASON_ID,
    columns={
        Col.REASON_ID: TEXT,
        Col.VENUE_ID: TEXT,
        Col.RULE: TEXT,
        Col.TIER: Column(values=Tier),
        Col.FACT: BLANKABLE,
        Col.VALUE: BLANKABLE,
        Col.REMEDY: Column(values=Remedy),
        Col.UNTIL: _MAYBE_DAY,
        Col.RULE_VERSION: TEXT,
    },
)
"""One row per venue and rule that holds for it; `until` where waiting clears it."""

BACKLOG = Schema(
    layer="backlog",
    key=Col.VENUE_ID,
    columns={
        Col.VENUE_ID: TEXT,
        Col.TIER: Column(values=Tier),
        Col.PRIORITY: _INT,
        Col.DUE: _DAY,
        Col.RULE_VERSION: TEXT,
    },
)
"""Venues never inspected, each with the working day by which the ramp wants it."""

VENUE_VISITS = Schema(
    layer="visits",
    key=Col.VISIT_ID,
    columns={
        Col.VISIT_ID: TEXT,
        Col.VENUE_ID: TEXT,
        Col.DAY: _DAY,
        Col.OUTCOME: Column(values=VisitOutcome),
        Col.SOURCE: TEXT,
    },
)

EXEMPTIONS = Schema(
    layer="exemptions",
    key=Col.VENUE_ID,
    columns={
        Col.VENUE_ID: TEXT,
        Col.REASON: TEXT,
        Col.REVIEW_ON: _DAY,
        Col.SOURCE: TEXT,
    },
)
"""Venues that need no inspection for a reason of the rules, until the day of review."""

VENUE_STATES = Schema(
    layer="states",
    key=Col.VENUE_ID,
    columns={
        Col.VENUE_ID: TEXT,
        Col.STATE: Column(values=VenueState),
        Col.SINCE: _MAYBE_DAY,
        Col.REASON: BLANKABLE,
        Col.REVIEW_ON: _MAYBE_DAY,
        Col.N_NOT_FOUND: _INT,
        Col.RULE_VERSION: TEXT,
    },
)

REGISTER_QUEUE = Schema(
    layer="register_queue",
    key=Col.VENUE_ID,
    columns={
        Col.VENUE_ID: TEXT,
        Col.QUEUE: Column(values=Queue),
        Col.SINCE: _DAY,
        Col.REASON: BLANKABLE,
        Col.RULE_VERSION: TEXT,
    },
)

POIS = Schema(
    layer="pois",
    key=Col.POI_ID,
    geometry=("Point",),
    columns={Col.POI_ID: TEXT, Col.NAME: TEXT, Col.KIND: BLANKABLE, Col.SOURCE: TEXT},
)
"""Points of interest of a map; `kind` is blank where the rules know no such kind of venue."""

GAPS = Schema(
    layer="gaps",
    key=Col.POI_ID,
    geometry=("Point",),
    columns={
        **POIS.columns,
        Col.IS_RECORDED: _BOOL,
        Col.VENUE_ID: BLANKABLE,
        Col.SIMILARITY: Column(dtype=Type.FLOAT),
        Col.DISTANCE: Column(dtype=Type.FLOAT, nullable=True),
    },
)
"""Points of interest beside the register: the record each has, else the likest one, offered."""

SHOW_STREETS = Schema(
    layer="show_streets",
    key=Col.STREET_ID,
    geometry=("LineString", "MultiLineString"),
    is_placed=False,
    columns={
        Col.STREET_ID: TEXT,
        Col.NAME: BLANKABLE,
        Col.N_VENUES: _INT,
        Tier.RED.value: _INT,
        Tier.YELLOW.value: _INT,
        Tier.GREEN.value: _INT,
        Col.N_KNOWN: _INT,
        Col.N_OVERDUE: _INT,
        Col.N_DUE: _INT,
    },
)
"""示范街: streets with their venues; the row of id ``-`` holds the venues on none of them.

Overdue and due count of `n_known`, the venues with a recorded inspection.
"""

TASKS = Schema(
    layer="tasks",
    key=Col.TASK_ID,
    columns={
        Col.TASK_ID: TEXT,
        Col.KIND: TEXT,
        Col.PLACE_ID: TEXT,
        Col.PLACE_KIND: TEXT,
        Col.MINUTES: _INT,
        Col.SOURCE: TEXT,
    },
)
"""Work at places; kinds, minutes and kinds of place are those of the task rules."""
