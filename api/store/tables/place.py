"""Places: boundaries and their versions, streets, cells, stations and the layers beside them."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, Text

from api.store.column import Instant, Json, Real
from api.store.geometry import Geometry
from api.store.tables.meta import layer, one_of, table, unique
from geo.frames import Col

CITY: Final = table(
    "city",
    Column("epsg", Integer, nullable=False),
    Column("data_date", Date),
    Column(Col.BOUNDARY_VERSION, Text),
    Column("synthetic", Boolean, nullable=False),
    Column("attribution", Json, nullable=False),
    CheckConstraint("fid = 1", "one_row"),
)
"""The one row of what holds for the whole store."""

BOUNDARY_VERSIONS: Final = table(
    "boundary_versions",
    Column(Col.BOUNDARY_VERSION, Text, nullable=False),
    Column(Col.VALID_FROM, Date),
    Column(Col.VALID_TO, Date),
    Column(Col.SOURCE, Text, nullable=False),
    Column("import_id", Text),
    Column("created_at", Instant, nullable=False),
    unique(Col.BOUNDARY_VERSION),
)

BOUNDARIES: Final = layer(
    "boundaries",
    "MULTIPOLYGON",
    Column(Col.BOUNDARY_VERSION, Text, nullable=False),
    Column(Col.CODE, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.LEVEL, Text, nullable=False),
    Column(Col.ADMIN_PARENT, Text, nullable=False),
    Column(Col.GRID_ROLE, Text, nullable=False),
    Column(Col.VALID_FROM, Date),
    Column(Col.VALID_TO, Date),
    unique(Col.BOUNDARY_VERSION, Col.CODE),
    Index(None, Col.ADMIN_PARENT),
)
"""Units of every version; ``external_id`` is version and code, ``unit_code`` the code itself."""

BOUNDARY_MERGES: Final = table(
    "boundary_merges",
    Column("from_version", Text, nullable=False),
    Column("old_code", Text, nullable=False),
    Column("to_version", Text, nullable=False),
    Column("new_code", Text),
    Column("relation", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("confidence", Real, nullable=False),
    unique("from_version", "old_code", "to_version"),
    one_of("relation", "same", "renamed", "merged", "unresolved"),
)
"""Where every code of an older version went; an unresolved one has no new code."""

STREETS: Final = layer(
    "streets",
    "LINESTRING",
    Column(Col.SEGMENT_ID, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.STREET_CLASS, Text, nullable=False),
    Column(Col.ONEWAY, Boolean, nullable=False),
    Column(Col.BRIDGE, Boolean, nullable=False),
    Column(Col.LANES, Integer, nullable=False, server_default="0"),
    Column(Col.MAX_SPEED, Real, nullable=False, server_default="0"),
    unique(Col.SEGMENT_ID),
    Index(None, "external_id"),
    Index(None, Col.NAME),
)
"""Segments; ``segment_id`` stays when a new extract calls or cuts them otherwise."""

CLOSURES: Final = layer(
    "closures",
    "GEOMETRY",
    Column(Col.CLOSURE_ID, Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.SEGMENT_ID, Text, nullable=False),
    Column(Col.VALID_FROM, Instant),
    Column(Col.VALID_TO, Instant),
    Column(Col.MODES, Text, nullable=False),
    Column(Col.SPEED_SHARE, Real, nullable=False),
    unique(Col.CLOSURE_ID),
    Index(None, "external_id"),
)
"""Streets closed or slow for a time, by place or by segment; no end is open, "" is all modes."""

STREET_ALIASES: Final = table(
    "street_aliases",
    Column("alias_id", Text, nullable=False),
    Column(Col.SEGMENT_ID, Text, nullable=False),
    Column("share", Real, nullable=False),
    Column("import_id", Text, nullable=False),
    unique("alias_id", Col.SEGMENT_ID),
)
"""Other ids of a segment: the extract's own, and ids it had before it was cut or joined."""

CELLS: Final = table(
    "cells",
    Column("geom", Geometry("POLYGON")),
    CheckConstraint("geom IS NULL OR substr(geom, 1, 2) = x'4750'", "geom").ddl_if(
        dialect="sqlite"
    ),
    Index("ix_cells_geom", "geom", postgresql_using="gist").ddl_if(dialect="postgresql"),
    Column(Col.CELL_ID, Text, nullable=False),
    Column(Col.VILLAGE_CODE, Text, nullable=False),
    Column(Col.TOWNSHIP_CODE, Text, nullable=False),
    Column(Col.COUNTY_CODE, Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column(Col.GRID_ROLE, Text, nullable=False),
    Column(Col.HOUSEHOLDS, Integer, nullable=False),
    Column(Col.AREA, Real, nullable=False),
    Column(Col.BOUNDARY_VERSION, Text, nullable=False),
    Column(Col.SOURCE, Text, nullable=False),
    Column("input_hash", Text, nullable=False),
    unique(Col.CELL_ID),
    Index(None, "unit_code"),
)
"""Grids as cut; ``input_hash`` tells whether the layers they were cut from are still the same."""

CELL_ALIASES: Final = table(
    "cell_aliases",
    Column("alias_id", Text, nullable=False),
    Column(Col.CELL_ID, Text, nullable=False),
    Column("since", Date, nullable=False),
    unique("alias_id", Col.CELL_ID),
)
"""Codes a grid had before: never used again for another one."""

WATER: Final = layer(
    "water",
    "GEOMETRY",
    Column("water_id", Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    unique("water_id"),
    Index(None, "external_id"),
)

BUILDINGS: Final = layer(
    "buildings",
    "POINT",
    Column(Col.BUILDING_ID, Text, nullable=False),
    Column(Col.HOUSEHOLDS, Integer, nullable=False),
    unique(Col.BUILDING_ID),
    Index(None, "external_id"),
)

STATIONS: Final = layer(
    "stations",
    "POINT",
    Column(Col.STATION_ID, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column("code", Text, nullable=False),
    unique(Col.STATION_ID),
    Index(None, "external_id"),
)
"""``code`` is short and stays: call-signs are made from it."""

UNITS: Final = layer(
    "units",
    None,
    Column(Col.UNIT_ID, Text, nullable=False),
    Column(Col.STATION_ID, Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column(Col.CALL_SIGN, Text, nullable=False),
    Column(Col.HEADCOUNT, Integer, nullable=False),
    Column(Col.MODE, Text, nullable=False),
    unique(Col.UNIT_ID),
    unique(Col.STATION_ID, "number"),
    unique(Col.CALL_SIGN),
    CheckConstraint("headcount >= 2", "headcount"),
    Index(None, "external_id"),
)
"""Planned teams; the call-sign is made from station code and number, never from a person."""

POSTS: Final = layer(
    "posts",
    "POINT",
    Column(Col.POST_ID, Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column(Col.WINDOW_START, Text, nullable=False),
    Column(Col.WINDOW_END, Text, nullable=False),
    Column(Col.DWELL, Integer, nullable=False),
    Column(Col.N_UNITS, Integer, nullable=False),
    unique(Col.POST_ID),
    Index(None, "external_id"),
)

PLACES: Final = layer(
    "places",
    "POINT",
    Column(Col.PLACE_ID, Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column(Col.NAME, Text, nullable=False),
    Column(Col.KIND, Text, nullable=False),
    Column("audience", Text, nullable=False),
    unique(Col.PLACE_ID),
    unique("layer", "external_id"),
    one_of("audience", "command", "team", "partner", "public"),
)
"""Further place layers (service points, parking ...), each shown to its audience only."""

INCIDENTS: Final = layer(
    "incidents",
    None,
    Column(Col.SEGMENT_ID, Text, nullable=False),
    Column("hour", Instant, nullable=False),
    Column(Col.CATEGORY, Text, nullable=False),
    Column(Col.CHANNEL, Text, nullable=False),
    unique("external_id"),
    Index(None, Col.SEGMENT_ID),
)
"""Reports by street segment and hour begun; the point that was reported is not kept."""
