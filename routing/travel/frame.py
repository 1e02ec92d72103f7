"""Routes and corridors as frames: what files and maps are made of."""

from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import BLANKABLE, TEXT, Col, Column, Schema, Type, require
from geo.units import LONLAT_EPSG
from routing.frames import STREET_MARK
from routing.model import Mode
from routing.travel.corridor import Corridor
from routing.travel.leg import Leg
from routing.travel.route import Route

_COUNT: Final = Column(dtype=Type.INT)
_METRES: Final = Column(dtype=Type.FLOAT)

ROUTE_LEGS: Final = Schema(
    layer="route",
    key=Col.ORDER,
    geometry=("LineString",),
    columns={
        Col.ORDER: _COUNT,
        Col.PLACE_ID: TEXT,
        Col.MODE: Column(values=Mode),
        Col.DEPART: _COUNT,
        Col.ARRIVE: _COUNT,
        Col.STREETS: BLANKABLE,
        Col.LENGTH: _METRES,
    },
)
"""The way to each place of a route after the first, by order from 1.

Depart and arrive are seconds of travel from the first place, stays not counted. Length in metres.
"""

CORRIDOR_WAYS: Final = Schema(
    layer="corridor",
    key=Col.ORDER,
    geometry=("LineString",),
    columns={
        Col.ORDER: _COUNT,
        Col.MODE: Column(values=Mode),
        Col.ARRIVE: _COUNT,
        Col.STREETS: BLANKABLE,
        Col.LENGTH: _METRES,
        Col.SHARE: _METRES,
        Col.POST: BLANKABLE,
    },
)
"""Ways of a corridor, the fastest first, by order from 1.

Arrive is in seconds from the start, length in metres; share is the part of the fastest's time in
common with it, from 0 to 1; post names the posts passed, in order.
"""


def route_frame(route: Route) -> gpd.GeoDataFrame:
    """Return the legs of a route as `ROUTE_LEGS`, EPSG:4326."""
    end = np.cumsum([leg.seconds for leg in route.legs])
    rows = [
        {
            Col.ORDER: order,
            Col.PLACE_ID: place_id,
            Col.MODE: route.mode.value,
            Col.DEPART: int(arrive) - leg.seconds,
            Col.ARRIVE: int(arrive),
            **_streets(leg),
        }
        for order, (place_id, leg, arrive) in enumerate(
            zip(route.place_ids[1:], route.legs, end, strict=True), 1
        )
    ]
    return _frame(rows, list(route.legs), ROUTE_LEGS)


def corridor_frame(corridor: Corridor) -> gpd.GeoDataFrame:
    """Return the ways of a corridor as `CORRIDOR_WAYS`, EPSG:4326."""
    rows = [
        {
            Col.ORDER: order,
            Col.MODE: corridor.mode.value,
            Col.ARRIVE: way.leg.seconds,
            Col.SHARE: round(way.sharing, 3) if order > 1 else 1.0,
            Col.POST: STREET_MARK.join(post.place.name for post in way.posts),
            **_streets(way.leg),
        }
        for order, way in enumerate(corridor.ways, 1)
    ]
    return _frame(rows, [way.leg for way in corridor.ways], CORRIDOR_WAYS)


def _streets(leg: Leg) -> dict[str, Any]:
    return {Col.STREETS: STREET_MARK.join(leg.names), Col.LENGTH: round(leg.length, 1)}


def _frame(rows: list[dict[str, Any]], legs: list[Leg], schema: Schema) -> gpd.GeoDataFrame:
    """Return a checked frame in the schema's column order."""
    columns = {name: [row[name] for row in rows] for name in schema.columns}
    lines = [shapely.LineString(leg.lonlat) for leg in legs]
    frame = gpd.GeoDataFrame(columns, geometry=lines, crs=LONLAT_EPSG)
    frame = frame.astype({name: column.dtype.value for name, column in schema.columns.items()})
    require(frame, schema, source=schema.layer)
    return frame
