"""The night: teams with their stops and legs, places, unserved places and stations, packed."""

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from api.maps.identity import choose_hues, dashes_of, nearness
from api.maps.pack import Lattice
from api.maps.route import Pieces, cut_pieces, kilometres, pack_legs
from geo.frames import Col
from routing.model import Plan, Route, Stop, Visit, VisitKind

if TYPE_CHECKING:
    from routing.pipeline import Tonight

STOP, POST, PAIR, BREAK = range(4)
KIND = {
    VisitKind.HOTSPOT: STOP,
    VisitKind.EXPLORATION: STOP,
    VisitKind.POST: POST,
    VisitKind.PAIR: PAIR,
    VisitKind.BREAK: BREAK,
}
"""What a visit is drawn as; the script knows the same numbers."""

PEAK_RATIO = 1.25
"""A peak hour is named from this ratio to the mean of the shift's hours; else demand is flat."""


def pack_night(tonight: "Tonight", lattice: Lattice, *, unit_id: str | None) -> dict[str, object]:
    """Return teams, stops, legs, places and unserved places.

    Parameters
    ----------
    unit_id : str, optional
        The only team to show, and then without the places that others leave unserved.
    """
    plan = tonight.plan
    routes = [r for r in plan.routes if r.visits and unit_id in (None, r.unit_id)]
    legs = _legs_of(tonight.legs, routes)
    pieces = cut_pieces(legs.geometry, lattice)
    unserved = plan.unserved if unit_id is None else ()
    known = {place.place_id: place for place in plan.problem.places}
    used = dict.fromkeys(v.place_id for r in routes for v in r.visits)
    used |= dict.fromkeys(item.place_id for item in unserved)
    row = {place_id: k for k, place_id in enumerate(used)}
    peak = _peak_hours(plan)
    return {
        "teams": _teams(tonight, routes, legs, pieces, row),
        "places": [[known[p].name, round(known[p].lat, 5), round(known[p].lon, 5)] for p in used],
        "unserved": [
            [row[item.place_id], item.cause, peak.get(item.place_id, -1)] for item in unserved
        ],
        "pieces": pieces.pack(),
        "legs": pack_legs(pieces, legs[[Col.DEPART, Col.ARRIVE]].to_numpy(dtype=np.int64)),
        "codes": sorted(
            {v.reason for r in routes for v in r.visits if v.reason}
            | {item.cause for item in unserved}
        ),
    }


def _legs_of(legs: gpd.GeoDataFrame, routes: list[Route]) -> gpd.GeoDataFrame:
    """Return the legs of `routes` in the routes' order."""
    rank = {route.unit_id: k for k, route in enumerate(routes)}
    chosen = legs[legs[Col.UNIT_ID].isin(list(rank))]
    order = np.lexsort([chosen[Col.ORDER], chosen[Col.UNIT_ID].map(rank)])
    return chosen.iloc[order].reset_index(drop=True)


def _teams(
    tonight: "Tonight",
    routes: list[Route],
    legs: gpd.GeoDataFrame,
    pieces: Pieces,
    row: dict[str, int],
) -> list[dict[str, object]]:
    units = {unit.unit_id: unit for unit in tonight.plan.problem.units}
    numbers = {unit_id: k for k, unit_id in enumerate(units, 1)}
    station = {code: k for k, code in enumerate(tonight.layers.stations[Col.STATION_ID])}
    leg_rows = legs.groupby(Col.UNIT_ID, sort=False).indices
    way = kilometres(legs, epsg=tonight.layers.epsg)
    peak = _peak_hours(tonight.plan)
    hues, dashes = _identities(tonight, routes, leg_rows, pieces)
    return [
        {
            "no": numbers[route.unit_id],
            "name": units[route.unit_id].call_sign,
            "station": station.get(route.station_id, -1),
            "hue": int(hues[k]),
            "dash": int(dashes[k]),
            "mode": units[route.unit_id].mode.value,
            "people": units[route.unit_id].headcount,
            "start": route.start,
            "end": route.end,
            "km": way.get(route.unit_id, 0.0),
            "legs": len(leg_rows.get(route.unit_id, ())),
            "stops": [_stop(visit, row, peak) for visit in route.visits],
        }
        for k, route in enumerate(routes)
    ]


def _stop(visit: Visit, row: dict[str, int], peak: dict[str, int]) -> list[object]:
    """Return a visit as place, kind, arrival, departure, reason, peak hour (-1: none)."""
    hour = peak.get(visit.place_id, -1) if KIND[visit.kind] == STOP else -1
    return [row[visit.place_id], KIND[visit.kind], visit.arrive, visit.depart, visit.reason, hour]


def _peak_hours(plan: Plan) -> dict[str, int]:
    """Return the hour of the day at which demand peaks, of the places where one stands out."""
    begins = plan.problem.shift.start.hour
    return {
        stop.place_id: (begins + stop.peak_hour) % 24
        for stop in plan.problem.stops
        if _stands_out(stop)
    }


def _stands_out(stop: Stop) -> bool:
    worth = stop.value_by_hour
    return worth[stop.peak_hour] * len(worth) >= PEAK_RATIO * sum(worth) > 0


def _identities(
    tonight: "Tonight", routes: list[Route], leg_rows: dict[str, np.ndarray], pieces: Pieces
) -> tuple[np.ndarray, np.ndarray]:
    if not routes:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = {place.place_id: place for place in tonight.plan.problem.places}
    centres = [
        np.mean([[places[v.place_id].lon, places[v.place_id].lat] for v in route.visits], axis=0)
        for route in routes
    ]
    metric = gpd.GeoSeries(shapely.points(centres), crs=4326).to_crs(tonight.layers.epsg)
    taken = [
        {abs(piece) for leg in leg_rows.get(route.unit_id, ()) for piece in pieces.legs[leg]}
        for route in routes
    ]
    hues = choose_hues(nearness(shapely.get_coordinates(metric.to_numpy()), taken))
    return hues, dashes_of(hues)


def count_night(plan: Plan) -> dict[str, list[int]]:
    """Return n and N of teams, places, fixed posts and pairs."""
    out = sum(1 for route in plan.routes if route.visits)
    served = {v.place_id for r in plan.routes for v in r.visits if KIND[v.kind] == STOP}
    asked = {stop.place_id for stop in plan.problem.stops if stop.band.cap > 0}
    missed = {item.task_id for item in plan.unserved}
    musts = {
        kind: [post.post_id for post in plan.problem.posts if post.kind is kind]
        for kind in (VisitKind.POST, VisitKind.PAIR)
    }
    return {
        "teams": [out, len(plan.problem.units)],
        "places": [len(served & asked), len(asked)],
        "posts": [sum(p not in missed for p in musts[VisitKind.POST]), len(musts[VisitKind.POST])],
        "pairs": [sum(p not in missed for p in musts[VisitKind.PAIR]), len(musts[VisitKind.PAIR])],
    }


def pack_stations(stations: gpd.GeoDataFrame) -> list[list[object]]:
    """Return name, latitude, longitude of every station, in the frame's order."""
    rows = zip(stations[Col.NAME], stations.geometry.y, stations.geometry.x, strict=True)
    return [[name, round(lat, 5), round(lon, 5)] for name, lat, lon in rows]
