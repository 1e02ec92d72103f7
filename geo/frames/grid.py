"""Schemas of what is said about basic grids: reasons, crossings, scores, kept codes."""

from geo.frames.column import Col
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import AliasCase, CrossReason, GridReason

_INT = Column(dtype=Type.INT)
_FLOAT = Column(dtype=Type.FLOAT)

GRID_REASONS = Schema(
    layer="grid_reasons",
    key=Col.CELL_ID,
    columns={
        Col.CELL_ID: Column(),
        Col.HOUSEHOLDS: _INT,
        Col.REASON: Column(values=GridReason),
        Col.LIMIT: _INT,
    },
)
"""Why a basic grid lies outside 80 to 120 households.

`limit`: households of what stands in the way (the building, the block, the unit, its piece, the
side of a main road).
"""

GRID_CROSSINGS = Schema(
    layer="grid_crossings",
    key=Col.CELL_ID,
    columns={
        Col.CELL_ID: Column(),
        Col.LENGTH: _FLOAT,
        Col.REASON: Column(values=CrossReason),
    },
)
"""Basic grids that reach over a main road or rail, and metres of it inside."""

GRID_SCORES = Schema(
    layer="grid_scores",
    key=Col.CODE,
    columns={
        Col.CODE: Column(),
        Col.N_CELLS: _INT,
        Col.HOUSEHOLDS: _INT,
        Col.N_AIM: _INT,
        Col.N_BOUND: _INT,
        Col.N_BAND: _INT,
        Col.VARIATION: _FLOAT,
        Col.BORDER: _FLOAT,
        Col.BORDER_ON_STREETS: _FLOAT,
        Col.INNER_BORDER: _FLOAT,
        Col.INNER_ON_STREETS: _FLOAT,
        Col.GAP_AREA: _FLOAT,
        Col.OVERLAP_AREA: _FLOAT,
        Col.N_STRADDLES: _INT,
        Col.N_WHOLE: _INT,
        Col.COMPACTNESS: _FLOAT,
        Col.WALK: _FLOAT,
    },
)
"""The four demands on basic grids, one row per unit that is cut.

街巷定界: metres of border, each once, and of these on streets, shores or rail; of the borders
between two cells of the unit the same. 规模适度: cells of 80–120, 70–130 and 50–150 households,
standard deviation over mean. 无缝覆盖: m2 of gap and overlap, cells that reach beyond the unit.
便于管理: cells in one piece, mean Polsby-Popper score, and the longest straight line across any
cell (diameter of its smallest circle, in metres: a walk along streets is longer).
"""

CELL_ALIASES = Schema(
    layer="cell_aliases",
    key=Col.ALIAS_ID,
    columns={
        Col.ALIAS_ID: Column(),
        Col.CELL_ID: Column(nullable=True),
        Col.ALIAS_CASE: Column(values=AliasCase),
        Col.SHARE: _FLOAT,
    },
)
"""Where each old basic grid went: `alias_id` is its code, `cell_id` the new cell most of it is in.

`share` of the old cell's area in the new one; 0 where no new cell covers any of it.
"""
