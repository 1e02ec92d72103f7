"""Routes, turn lists and corridors as frames: what files and maps are made of."""

from collections.abc import Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import BLANKABLE, TEXT, Col, Column, Schema, StreetClass, Type, require
from geo.units import LONLAT_EPSG
from routing.frames import STREET_MARK
from routing.model import Mode
from routing.travel.corridor import Corridor
from routing.travel.leg import Leg
from routing.travel.route import Route
from routing.travel.step import Heading, Move

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

ROUTE_STEPS: Final = Schema(
    layer="steps",
    key=Col.STEP,
    geometry=("Point",),
    columns={
        Col.STEP: _COUNT,
        Col.ORDER: _COUNT,
        Col.PLACE_ID: TEXT,
        Col.MOVE: Column(values=Move),
        Col.NAME: BLANKABLE,
        Col.STREET_CLASS: Column(values=StreetClass),
        Col.HEADING: Column(values=Heading),
        Col.N_JUNCTIONS: _COUNT,
        Col.LENGTH: _METRES,
    },
)
"""The turn list of a route, by step from 1, each where it begins.

Order and place are those of the leg in `ROUTE_LEGS`. Name, class, heading, junctions passed and
metres are of the street gone along after the move; heading is the direction at its beginning.
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
    return _frame(rows, _lines(route.legs), ROUTE_LEGS)


def steps_frame(route: Route) -> gpd.GeoDataFrame:
    """Return the turn list of a route as `ROUTE_STEPS`, EPSG:4326."""
    legs = zip(route.place_ids[1:], route.steps, strict=True)
    listed = [
        (order, place_id, step) for order, (place_id, steps) in enumerate(legs, 1) for step in steps
    ]
    rows = [
        {
            Col.STEP: number,
            Col.ORDER: order,
            Col.PLACE_ID: place_id,
            Col.MOVE: step.move.value,
            Col.NAME: step.street,
            Col.STREET_CLASS: step.street_class.value,
            Col.HEADING: step.heading.value,
            Col.N_JUNCTIONS: step.n_junctions,
            Col.LENGTH: round(step.length, 1),
        }
        for number, (order, place_id, step) in enumerate(listed, 1)
    ]
    return _frame(rows, [shapely.Point(step.lonlat) for _, _, step in listed], ROUTE_STEPS)


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
    return _frame(rows, _lines([way.leg for way in corridor.ways]), CORRIDOR_WAYS)


def _streets(leg: Leg) -> dict[str, Any]:
    return {Col.STREETS: STREET_MARK.join(leg.names), Col.LENGTH: round(leg.length, 1)}


def _lines(legs: Sequence[Leg]) -> list[shapely.Geometry]:
    return [shapely.LineString(leg.lonlat) for leg in legs]


def _frame(
    rows: list[dict[str, Any]], shapes: list[shapely.Geometry], schema: Schema
) -> gpd.GeoDataFrame:
    """Return a checked frame in the schema's column order."""
    columns = {name: [row[name] for row in rows] for name in schema.columns}
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=LONLAT_EPSG)
    frame = frame.astype({name: column.dtype.value for name, column in schema.columns.items()})
    require(frame, schema, source=schema.layer)
    return frame
