"""Plan to frames: the legs with their streets, and the visits."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any, Final, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.frames import BLANKABLE, TEXT, Col, Column, Schema, Type, empty_frame, require
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG
from routing.model import Mode, Place, Plan, Route, VisitKind

COUNT = Column(dtype=Type.INT)

LEGS: Final = Schema(
    layer="legs",
    key=Col.LEG_ID,
    geometry=("LineString",),
    columns={
        Col.LEG_ID: TEXT,
        Col.UNIT_ID: TEXT,
        Col.ORDER: COUNT,
        Col.TASK_ID: BLANKABLE,
        Col.MODE: Column(values=Mode),
        Col.DEPART: COUNT,
        Col.ARRIVE: COUNT,
        Col.STREETS: BLANKABLE,
        Col.LENGTH: Column(dtype=Type.FLOAT),
    },
)
"""The way to each visit and, last, back to the station (task blank), by unit and order from 1.

Depart and arrive are seconds from the shift's start: the team arrives when the way is done and may
then wait. Streets are the names in order, length is in metres.
"""

VISITS: Final = Schema(
    layer="visits",
    key=Col.VISIT_ID,
    geometry=("Point",),
    columns={
        Col.VISIT_ID: TEXT,
        Col.UNIT_ID: TEXT,
        Col.ORDER: COUNT,
        Col.TASK_ID: TEXT,
        Col.PLACE_ID: TEXT,
        Col.NAME: BLANKABLE,
        Col.KIND: Column(values=VisitKind),
        Col.ARRIVE: COUNT,
        Col.DEPART: COUNT,
        Col.REASON: TEXT,
    },
)
"""Every stay of every team, in order; seconds from the shift's start."""

STREET_MARK: Final = " → "


class WayFound(Protocol):
    """A way on streets; `routing.travel.Leg` is one."""

    @property
    def length(self) -> float:
        """Metres."""

    @property
    def names(self) -> tuple[str, ...]:
        """Street names in order."""

    @property
    def lonlat(self) -> npt.NDArray[np.float64]:
        """Points (n, 2), longitude and latitude in degrees; empty where there is no way."""


class Ways(Protocol):
    """Finds ways on streets; `routing.travel.Travel` is one."""

    def legs(self, pairs: Sequence[tuple[Place, Place, Mode]]) -> Sequence[WayFound]:
        """Return the fastest way of each (origin, destination, mode), in the order given."""


def legs_frame(plan: Plan, travel: Ways) -> gpd.GeoDataFrame:
    """Return the streets of every leg of a plan.

    Parameters
    ----------
    plan : Plan
    travel : Ways
        On the network that the plan was made with.

    Returns
    -------
    GeoDataFrame
        `LEGS`, EPSG:4326.
    """
    places = {place.place_id: place for place in plan.problem.places}
    modes = {unit.unit_id: unit.mode for unit in plan.problem.units}
    rows = [row for route in plan.routes for row in _leg_rows(route, modes[route.unit_id])]
    pairs = [
        (places[here], places[there], modes[route.unit_id])
        for route in plan.routes
        for here, there in pairwise(_stations_and_stops(route))
    ]
    ways = travel.legs(pairs)
    for row, way in zip(rows, ways, strict=True):
        row[Col.STREETS] = STREET_MARK.join(way.names)
        row[Col.LENGTH] = round(float(way.length), 1)
    lines = [_line(way, pair) for way, pair in zip(ways, pairs, strict=True)]
    return _frame(rows, lines, LEGS)


def _stations_and_stops(route: Route) -> list[str]:
    return [route.station_id, *(visit.place_id for visit in route.visits), route.station_id]


def _leg_rows(route: Route, mode: Mode) -> list[dict[str, Any]]:
    """Return a row for each way of a route, without its streets."""
    departs = [route.start, *(visit.depart for visit in route.visits)]
    ends = [*((visit.task_id, visit.travel) for visit in route.visits), ("", route.travel_back)]
    return [
        _leg_row(route, mode, order=order, task_id=task_id, depart=depart, seconds=seconds)
        for order, (depart, (task_id, seconds)) in enumerate(zip(departs, ends, strict=True), 1)
    ]


def _leg_row(
    route: Route, mode: Mode, *, order: int, task_id: str, depart: int, seconds: int
) -> dict[str, Any]:
    return {
        Col.LEG_ID: f"{route.unit_id}-{order:02d}",
        Col.UNIT_ID: route.unit_id,
        Col.ORDER: order,
        Col.TASK_ID: task_id,
        Col.MODE: mode.value,
        Col.DEPART: depart,
        Col.ARRIVE: depart + seconds,
    }


def _line(way: WayFound, ends: tuple[Place, Place, Mode]) -> shapely.LineString:
    """Return a way's line; straight from end to end where the streets have none."""
    points = way.lonlat if len(way.lonlat) > 1 else [(end.lon, end.lat) for end in ends[:2]]
    return shapely.LineString(np.round(np.asarray(points, dtype=np.float64), LONLAT_DECIMALS))


def visits_frame(plan: Plan) -> gpd.GeoDataFrame:
    """Return every stay of a plan as `VISITS`, EPSG:4326."""
    places = {place.place_id: place for place in plan.problem.places}
    rows = [
        {
            Col.VISIT_ID: f"{route.unit_id}-{order:02d}",
            Col.UNIT_ID: route.unit_id,
            Col.ORDER: order,
            Col.TASK_ID: visit.task_id,
            Col.PLACE_ID: visit.place_id,
            Col.NAME: places[visit.place_id].name,
            Col.KIND: visit.kind.value,
            Col.ARRIVE: visit.arrive,
            Col.DEPART: visit.depart,
            Col.REASON: visit.reason,
        }
        for route in plan.routes
        for order, visit in enumerate(route.visits, 1)
    ]
    stays = chain.from_iterable(route.visits for route in plan.routes)
    points = [shapely.Point(places[v.place_id].lon, places[v.place_id].lat) for v in stays]
    return _frame(rows, points, VISITS)


def _frame(rows: list[dict[str, Any]], shapes: list[Any], schema: Schema) -> gpd.GeoDataFrame:
    """Return a checked frame in the schema's column order."""
    if not rows:
        return empty_frame(schema)
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in schema.columns}
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=LONLAT_EPSG)
    frame = frame.astype({name: column.dtype.value for name, column in schema.columns.items()})
    require(frame, schema, source=schema.layer)
    return frame
