"""Schemas of what is wrong with a coverage, and of what its repair changed."""

from typing import Final

from geo.frames.column import Col
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import FaultKind

_TEXT: Final = Column()
_BLANKABLE: Final = Column(nullable=True)
_NUMBER: Final = Column(dtype=Type.FLOAT)

FAULTS = Schema(
    layer="faults",
    key=Col.FAULT_ID,
    geometry=("Polygon", "MultiPolygon", "LineString", "MultiLineString", "Point"),
    columns={
        Col.FAULT_ID: _TEXT,
        Col.KIND: Column(values=FaultKind),
        Col.LEVEL: _BLANKABLE,
        Col.UNIT_CODES: _BLANKABLE,
        Col.N_COVER: Column(dtype=Type.INT),
        Col.AREA: _NUMBER,
        Col.WIDTH: _NUMBER,
        Col.REASON: _BLANKABLE,
    },
)
"""Faults of a coverage, one row each.

`unit_codes`: the units concerned, separated by commas: those that cover the place, or that border
on a gap. `n_cover`: how many units cover it (0 a gap). `area` in m2; `width` in metres, the mean
width 2 x area / perimeter. `reason`: after a repair, why the fault is still there.
"""

CHANGES = Schema(
    layer="changes",
    key=Col.CODE,
    columns={
        Col.CODE: _TEXT,
        Col.LEVEL: _BLANKABLE,
        Col.AREA_GIVEN: _NUMBER,
        Col.AREA_TAKEN: _NUMBER,
        Col.LARGEST_MOVE: _NUMBER,
    },
)
"""What a repair changed, one row for each polygon that is not as it was.

`area_given` and `area_taken` in m2; `largest_move` in metres, the farthest that a piece of its
border was moved; 0 where only vertices of a neighbour were put into it.
"""
