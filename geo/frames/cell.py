"""Schemas about basic grids: the groups inside them, and how points were joined to them."""

from geo.frames.column import Col
from geo.frames.layer import BLANKABLE, TEXT
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import JoinCase

GROUPS = Schema(
    layer="groups",
    key=Col.GROUP_ID,
    geometry=("Polygon",),
    columns={
        Col.GROUP_ID: TEXT,
        Col.CELL_ID: TEXT,
        Col.HOUSEHOLDS: Column(dtype=Type.INT),
        Col.AREA: Column(dtype=Type.FLOAT),
        Col.BY_COUNT: Column(dtype=Type.BOOL),
        Col.REASON: BLANKABLE,
        Col.BOUNDARY_VERSION: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Groups of 10 to 30 households that tile the basic grids; group id = cell id + 2 digits.

`area` in m2. `by_count`: a building is divided between this group and another by number alone, so
that the line between them is nominal. `reason` (`GroupReason`) where the households lie outside 10
to 30, else "".
"""

JOIN_AUDIT = Schema(
    layer="join_audit",
    key=Col.POINT_ID,
    geometry=("Point",),
    is_placed=False,
    columns={
        Col.POINT_ID: TEXT,
        Col.JOIN_CASE: Column(values=JoinCase),
        Col.CELL_ID: BLANKABLE,
        Col.NEAREST_ID: BLANKABLE,
        Col.DISTANCE: Column(dtype=Type.FLOAT, nullable=True),
    },
)
"""Points on a border, beyond the outer one, outside or without a position.

`cell_id` is the cell a point was given, `nearest_id` another one `distance` metres away: an offer
that nothing applies by itself.
"""
