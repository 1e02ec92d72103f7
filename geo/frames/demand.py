"""Frames of demand: reports on street segments, and hot spots."""

from geo.frames.column import Col
from geo.frames.layer import TEXT
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import Channel

SEGMENT_REPORTS = Schema(
    layer="segment_reports",
    key=Col.INCIDENT_ID,
    columns={
        Col.INCIDENT_ID: TEXT,
        Col.SEGMENT_ID: TEXT,
        Col.OCCURRED_AT: Column(dtype=Type.INSTANT),
        Col.CATEGORY: TEXT,
        Col.CHANNEL: Column(values=Channel),
        Col.SOURCE: TEXT,
    },
)
"""Reports by street segment; `occurred_at` is the hour begun. There is no point."""

HOT_SPOTS = Schema(
    layer="hot_spots",
    key=Col.PLACE_ID,
    geometry=("Polygon", "LineString"),
    columns={
        Col.PLACE_ID: TEXT,
        Col.ORDER: Column(dtype=Type.INT),
        Col.SCORE: Column(dtype=Type.FLOAT),
        Col.N_REPORTS: Column(dtype=Type.INT),
        Col.METHOD: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Squares or street segments, highest score first; `score` in reports per m2 or m (Gi*: z-score),
`n_reports` of the last year. For command alone."""
