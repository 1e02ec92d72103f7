"""The schema of every layer, and all layers of a city as one value."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd

from geo.frames.column import Col
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import (
    Channel,
    ClosureKind,
    GridRole,
    Level,
    PostKind,
    StationKind,
    StreetClass,
    Tier,
    VenueKind,
)

TEXT = Column()
BLANKABLE = Column(nullable=True)

BOUNDARIES = Schema(
    layer="boundaries",
    key=Col.CODE,
    geometry=("Polygon", "MultiPolygon"),
    columns={
        Col.CODE: TEXT,
        Col.NAME: TEXT,
        Col.LEVEL: Column(values=Level),
        Col.ADMIN_PARENT: BLANKABLE,
        Col.GRID_ROLE: Column(values=GridRole),
        Col.BOUNDARY_VERSION: TEXT,
        Col.VALID_FROM: Column(dtype=Type.DAY, nullable=True),
        Col.VALID_TO: Column(dtype=Type.DAY, nullable=True),
        Col.SOURCE: TEXT,
    },
)
"""County 6, township 9 and village 12 digit codes (GB/T 2260, NBS)."""

STREETS = Schema(
    layer="streets",
    key=Col.SEGMENT_ID,
    geometry=("LineString",),
    columns={
        Col.SEGMENT_ID: TEXT,
        Col.NAME: BLANKABLE,
        Col.STREET_CLASS: Column(values=StreetClass),
        Col.ONEWAY: Column(dtype=Type.BOOL),
        Col.BRIDGE: Column(dtype=Type.BOOL),
        Col.LANES: Column(dtype=Type.INT),
        Col.MAX_SPEED: Column(dtype=Type.FLOAT),
        Col.SOURCE: TEXT,
    },
)
"""Segments between junctions; two meet where end points are equal to 7 decimals of a degree.

One-way traffic runs in the direction of the line; people on foot ignore it. `lanes` are those of
both directions together, `max_speed` is the posted limit in km/h; 0 where they are not known.
"""

CLOSURES = Schema(
    layer="closures",
    key=Col.CLOSURE_ID,
    geometry=(
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
    ),
    is_placed=False,
    columns={
        Col.CLOSURE_ID: TEXT,
        Col.KIND: Column(values=ClosureKind),
        Col.NAME: BLANKABLE,
        Col.SEGMENT_ID: BLANKABLE,
        Col.VALID_FROM: Column(dtype=Type.INSTANT, nullable=True),
        Col.VALID_TO: Column(dtype=Type.INSTANT, nullable=True),
        Col.MODES: BLANKABLE,
        Col.SPEED_SHARE: Column(dtype=Type.FLOAT),
        Col.SOURCE: TEXT,
    },
)
"""Streets closed or slow for a time: closures, works, events, weather.

A row lies at a geometry (the streets in an area, along a line, nearest to a point) or names one
`segment_id`. `modes` are words of `routing.model.Mode` with commas between, "" for all.
`speed_share` is what is left of the speed, 0 to 1; 0 closes the street. A blank instant is open.
"""

WATER = Schema(
    layer="water",
    key=Col.CODE,
    geometry=("Polygon", "MultiPolygon", "LineString", "MultiLineString"),
    columns={Col.CODE: TEXT, Col.NAME: BLANKABLE, Col.SOURCE: TEXT},
)

BUILDINGS = Schema(
    layer="buildings",
    key=Col.BUILDING_ID,
    geometry=("Point",),
    columns={
        Col.BUILDING_ID: TEXT,
        Col.HOUSEHOLDS: Column(dtype=Type.INT),
        Col.SOURCE: TEXT,
    },
)

VENUES = Schema(
    layer="venues",
    key=Col.VENUE_ID,
    geometry=("Point",),
    columns={
        Col.VENUE_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=VenueKind),
        Col.TIER: Column(values=Tier),
        Col.LAST_INSPECTION: Column(dtype=Type.DAY, nullable=True),
        Col.SOURCE: TEXT,
    },
)

VENUE_REGISTER = Schema(
    layer="venues",
    key=Col.VENUE_ID,
    geometry=("Point",),
    is_placed=False,
    columns={
        **VENUES.columns,
        Col.ADDRESS: BLANKABLE,
        Col.VILLAGE: BLANKABLE,
        Col.TOWNSHIP: BLANKABLE,
    },
)
"""Venues as a register has them: some without a position, with an address or a village instead.

`address` holds street, number and building, never a unit, room or household.
"""

INCIDENTS = Schema(
    layer="incidents",
    key=Col.INCIDENT_ID,
    geometry=("Point",),
    columns={
        Col.INCIDENT_ID: TEXT,
        Col.OCCURRED_AT: Column(dtype=Type.INSTANT),
        Col.CATEGORY: TEXT,
        Col.CHANNEL: Column(values=Channel),
        Col.SOURCE: TEXT,
    },
)

STATIONS = Schema(
    layer="stations",
    key=Col.STATION_ID,
    geometry=("Point",),
    columns={
        Col.STATION_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=StationKind),
        Col.SOURCE: TEXT,
    },
)

UNITS = Schema(
    layer="units",
    key=Col.UNIT_ID,
    columns={
        Col.UNIT_ID: TEXT,
        Col.CALL_SIGN: TEXT,
        Col.STATION_ID: TEXT,
        Col.HEADCOUNT: Column(dtype=Type.INT),
        Col.MODE: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Planned teams: a call-sign and a headcount of at least 2, never a person."""

POSTS = Schema(
    layer="posts",
    key=Col.POST_ID,
    geometry=("Point",),
    columns={
        Col.POST_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=PostKind),
        Col.WINDOW_START: TEXT,
        Col.WINDOW_END: TEXT,
        Col.DWELL: Column(dtype=Type.INT),
        Col.N_UNITS: Column(dtype=Type.INT),
        Col.SOURCE: TEXT,
    },
)
"""Windows are clock times HH:MM in the city's zone; `dwell` in seconds.

A fixed post is held from window_start for `dwell` seconds; a pair starts within the window and
both teams stay `dwell` seconds.
"""

CELLS = Schema(
    layer="cells",
    key=Col.CELL_ID,
    geometry=("Polygon",),
    columns={
        Col.CELL_ID: TEXT,
        Col.VILLAGE_CODE: BLANKABLE,
        Col.TOWNSHIP_CODE: BLANKABLE,
        Col.COUNTY_CODE: BLANKABLE,
        Col.GRID_ROLE: Column(values=GridRole),
        Col.HOUSEHOLDS: Column(dtype=Type.INT),
        Col.AREA: Column(dtype=Type.FLOAT),
        Col.BOUNDARY_VERSION: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Basic grids; `area` in m2, cell id = code of the smallest boundary + 3 digits."""

PLACES = Schema(
    layer="places",
    key=Col.PLACE_ID,
    geometry=("Point",),
    columns={
        Col.PLACE_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: TEXT,
        Col.SEGMENT_ID: TEXT,
        Col.CELL_ID: BLANKABLE,
        Col.TOWNSHIP_CODE: BLANKABLE,
        Col.N_REPORTS: Column(dtype=Type.INT),
    },
)
"""Places worth a stop tonight; their demand by hour of the shift travels beside, as an array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """All layers of a city, WGS-84 longitude and latitude, one frame each.

    Attributes
    ----------
    boundaries, streets, water, buildings, venues, incidents, stations, posts : GeoDataFrame
    units : DataFrame
    epsg : int
        The city's one metric CRS.
    data_date : date
        Day the data was true.
    boundary_version : str
        Version of the boundary frame, for example ``2023-06``.
    synthetic : bool
        Whether any layer is made up; said on everything that shows it.
    attribution : tuple of str
        Lines every map and card prints: map number, OSM notice.
    """

    boundaries: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    venues: gpd.GeoDataFrame
    incidents: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    units: pd.DataFrame
    posts: gpd.GeoDataFrame
    epsg: int
    data_date: date
    boundary_version: str
    synthetic: bool
    attribution: tuple[str, ...] = ()
