"""Schemas of what is reached in time: areas, counts inside them, and places that are missed."""

from typing import Final

from geo.frames.column import Col
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import MissReason, Setting, Target

_TEXT: Final = Column()
_BLANKABLE: Final = Column(nullable=True)
_INT: Final = Column(dtype=Type.INT)

ISOCHRONES = Schema(
    layer="isochrones",
    key=Col.AREA_ID,
    geometry=("Polygon", "MultiPolygon"),
    columns={
        Col.AREA_ID: _TEXT,
        Col.PLACE_ID: _BLANKABLE,
        Col.NAME: _BLANKABLE,
        Col.MODE: _TEXT,
        Col.MINUTES: _INT,
        Col.AREA: Column(dtype=Type.FLOAT),
        Col.SOURCE: _TEXT,
    },
)
"""Areas reached from a place within `minutes`; of one place each lies inside the next. `area` in
m2. A blank `place_id` stands for all places together: whoever is there first."""

REACH_COUNTS = Schema(
    layer="reach_counts",
    key=Col.COUNT_ID,
    columns={
        Col.COUNT_ID: _TEXT,
        Col.PLACE_ID: _BLANKABLE,
        Col.NAME: _BLANKABLE,
        Col.MODE: _TEXT,
        Col.MINUTES: _INT,
        Col.TARGET: Column(values=Target),
        Col.N_REACHED: _INT,
        Col.N_TOTAL: _INT,
        Col.DATA_DATE: Column(dtype=Type.DAY),
        Col.BOUNDARY_VERSION: _TEXT,
    },
)
"""Households or venues reached from a place within `minutes`, counted by travel time to each one,
never by lying inside an area. A blank `place_id` stands for all places together."""

MISSED = Schema(
    layer="missed",
    key=Col.POINT_ID,
    geometry=("Point",),
    columns={
        Col.POINT_ID: _TEXT,
        Col.TARGET: Column(values=Target),
        Col.PLACE_ID: _TEXT,
        Col.NAME: _BLANKABLE,
        Col.SIZE: _INT,
        Col.TOWNSHIP_CODE: _BLANKABLE,
        Col.TOWNSHIP: _BLANKABLE,
        Col.SETTING: Column(values=Setting),
        Col.LIMIT: _INT,
        Col.MINUTES: Column(dtype=Type.FLOAT, nullable=True),
        Col.NEAREST_ID: _BLANKABLE,
        Col.REASON: Column(values=MissReason),
        Col.DATA_DATE: Column(dtype=Type.DAY),
        Col.BOUNDARY_VERSION: _TEXT,
    },
)
"""Places outside the service standard. `size`: households of a building, 1 of a venue; `limit`:
minutes its setting allows; `minutes` from the place in `nearest_id`, both blank where there is no
way or no street."""
