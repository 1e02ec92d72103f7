"""Every column of every frame, declared once.

A layer is a GeoDataFrame in EPSG:4326 (a plain DataFrame where it has no geometry) whose columns
a `Schema` declares. `require` checks a frame once, at the edge; after it the frame is trusted.
"""

from geo.frames.column import (
    Col,
)
from geo.frames.layer import (
    BLANKABLE,
    BOUNDARIES,
    BUILDINGS,
    CELLS,
    INCIDENTS,
    PLACES,
    POSTS,
    STATIONS,
    STREETS,
    TEXT,
    UNITS,
    VENUE_REGISTER,
    VENUES,
    WATER,
    Layers,
)
from geo.frames.schema import (
    Column,
    Schema,
    Type,
    empty_frame,
    require,
)
from geo.frames.word import (
    Channel,
    DueState,
    GridRole,
    Level,
    PostKind,
    Precision,
    StationKind,
    StreetClass,
    Tier,
    VenueKind,
)

__all__ = [
    "BLANKABLE",
    "BOUNDARIES",
    "BUILDINGS",
    "CELLS",
    "INCIDENTS",
    "PLACES",
    "POSTS",
    "STATIONS",
    "STREETS",
    "TEXT",
    "UNITS",
    "VENUES",
    "VENUE_REGISTER",
    "WATER",
    "Channel",
    "Col",
    "Column",
    "DueState",
    "GridRole",
    "Layers",
    "Level",
    "PostKind",
    "Precision",
    "Schema",
    "StationKind",
    "StreetClass",
    "Tier",
    "Type",
    "VenueKind",
    "empty_frame",
    "require",
]
