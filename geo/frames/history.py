"""Where the units of an older register went: the schema of their succession."""

from geo.frames.column import Col
from geo.frames.layer import BLANKABLE, TEXT
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import Evidence, Level, Relation

SUCCESSION = Schema(
    layer="succession",
    key=Col.OLD_CODE,
    columns={
        Col.LEVEL: Column(values=Level),
        Col.OLD_CODE: TEXT,
        Col.OLD_NAME: TEXT,
        Col.NEW_CODE: BLANKABLE,
        Col.NEW_NAME: BLANKABLE,
        Col.RELATION: Column(values=Relation),
        Col.EVIDENCE: Column(values=Evidence),
        Col.CONFIDENCE: Column(dtype=Type.FLOAT),
        Col.OFFERED_CODE: BLANKABLE,
    },
)
"""One row per unit of the older register, in its order.

`new_code` is "" where the relation is unresolved; `offered_code` then is the likeliest unit, for
somebody who knows to confirm, and "" elsewhere. `confidence` is that `new_code`, or else
`offered_code`, holds the old unit: from 0 to 1, and 0 where nothing is offered.
"""
