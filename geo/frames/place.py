"""Schemas of the layers beside streets: rail, service points, parking, hazards, rivers, zones."""

from typing import Final

from geo.frames.column import Col
from geo.frames.schema import Column, Schema, Type
from geo.frames.word import (
    AssetKind,
    Force,
    HazardKind,
    JunctionKind,
    Level,
    ParkingKind,
    RailKind,
    ServiceKind,
    ZoneOrigin,
)

_TEXT: Final = Column()
_BLANKABLE: Final = Column(nullable=True)
_LINES: Final = ("LineString", "MultiLineString")
_AREAS: Final = ("Polygon", "MultiPolygon")

RAIL = Schema(
    layer="rail",
    key=Col.CODE,
    geometry=_LINES,
    columns={
        Col.CODE: _TEXT,
        Col.NAME: _BLANKABLE,
        Col.KIND: Column(values=RailKind),
        Col.BRIDGE: Column(dtype=Type.BOOL),
        Col.SOURCE: _TEXT,
    },
)
"""Railway lines. `bridge`: on a viaduct or in a tunnel, so that streets pass and it divides
nothing on the ground."""

JUNCTIONS = Schema(
    layer="junctions",
    key=Col.JUNCTION_ID,
    geometry=("Point",),
    columns={
        Col.JUNCTION_ID: _TEXT,
        Col.KIND: Column(values=JunctionKind),
        Col.N_ENDS: Column(dtype=Type.INT),
    },
)
"""Where segments end or cross; `n_ends` ends of segments meet there (0 where lines cross uncut).
The id is the position itself, so that it outlives an extract that leaves the place alone."""

SERVICE_POINTS = Schema(
    layer="service_points",
    key=Col.PLACE_ID,
    geometry=("Point",),
    columns={
        Col.PLACE_ID: _TEXT,
        Col.NAME: _TEXT,
        Col.KIND: Column(values=ServiceKind),
        Col.SOURCE: _TEXT,
    },
)

PARKING = Schema(
    layer="parking",
    key=Col.PLACE_ID,
    geometry=("Point",),
    columns={
        Col.PLACE_ID: _TEXT,
        Col.NAME: _TEXT,
        Col.KIND: Column(values=ParkingKind),
        Col.CAPACITY: Column(dtype=Type.INT),
        Col.SOURCE: _TEXT,
    },
)
"""`capacity` in spaces; 0 where it is not stated."""

HAZARDS = Schema(
    layer="hazards",
    key=Col.PLACE_ID,
    geometry=("Point",),
    columns={
        Col.PLACE_ID: _TEXT,
        Col.NAME: _TEXT,
        Col.KIND: Column(values=HazardKind),
        Col.SOURCE: _TEXT,
    },
)
"""Gas and dangerous-goods places; a restricted layer: for command alone, counts included."""

CAMERA_COUNTS = Schema(
    layer="camera_counts",
    key=Col.CELL_ID,
    columns={
        Col.CELL_ID: _TEXT,
        Col.N_CAMERAS: Column(dtype=Type.INT),
        Col.SOURCE: _TEXT,
    },
)
"""Public cameras per grid, never where one hangs; for command alone."""

ASSETS = Schema(
    layer="assets",
    key=Col.ASSET_ID,
    geometry=("LineString",),
    columns={
        Col.ASSET_ID: _TEXT,
        Col.NAME: _TEXT,
        Col.KIND: Column(values=AssetKind),
        Col.SOURCE: _TEXT,
    },
)
"""Rivers and shores as lines; positions along one are metres from its first vertex."""

REACHES = Schema(
    layer="reaches",
    key=Col.REACH_ID,
    columns={
        Col.REACH_ID: _TEXT,
        Col.ASSET_ID: _TEXT,
        Col.LEVEL: Column(values=Level),
        Col.FROM_M: Column(dtype=Type.FLOAT),
        Col.TO_M: Column(dtype=Type.FLOAT),
        Col.POST: _TEXT,
        Col.SOURCE: _TEXT,
    },
)
"""Which post answers for which stretch, at which level; a post is a role, never a person.

`from_m` <= metre < `to_m` along the asset, in the city's metric CRS."""

NIGHT_ZONES = Schema(
    layer="night_zones",
    key=Col.ZONE_ID,
    geometry=_AREAS,
    columns={
        Col.ZONE_ID: _TEXT,
        Col.NAME: _TEXT,
        Col.KIND: Column(values=ZoneOrigin),
        Col.WINDOW_START: _TEXT,
        Col.WINDOW_END: _TEXT,
        Col.N_VENUES: Column(dtype=Type.INT),
        Col.SOURCE: _TEXT,
    },
)
"""Areas that live by night; windows are clock times HH:MM that may run past midnight."""

RESOURCES = Schema(
    layer="resources",
    key=Col.RESOURCE_ID,
    columns={
        Col.RESOURCE_ID: _TEXT,
        Col.CODE: _TEXT,
        Col.CALL_SIGN: _TEXT,
        Col.KIND: Column(values=Force),
        Col.HEADCOUNT: Column(dtype=Type.INT),
        Col.MODE: _TEXT,
        Col.WINDOW_START: _TEXT,
        Col.WINDOW_END: _TEXT,
        Col.SOURCE: _TEXT,
    },
)
"""Patrol teams a unit can send: `code` of its township, county or city; a call-sign and a
headcount, never a name."""
