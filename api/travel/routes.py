"""Routes of travel. Nothing of a request is kept: where somebody asks about is no data of ours."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from numpy.typing import NDArray

from api import problems
from api.declared import answers
from api.i18n import Language, phrase
from api.language import language_of
from api.problems import Finding
from api.request import StrictRoute
from api.security import actor_of
from api.service import service_of
from api.travel.body import (
    Asked,
    MatrixRequest,
    MatrixView,
    NearestRequest,
    NearestView,
    Point,
    ReachRequest,
    ReachView,
    RouteRequest,
    RouteView,
)
from geo.errors import LayerMissing, PlaceCutOff, StationUnreachable, TooMany
from geo.frames import Col
from geo.units import CITY_ZONE

if TYPE_CHECKING:
    from api.roads import Outlook
    from routing.model import Mode, Place
    from routing.travel import Leg, Snaps, Step

router = APIRouter(prefix="/v1/travel", route_class=StrictRoute, tags=["travel"])

AT_ONCE: Final = 2
"""Requests computed at the same time; others wait."""

WAIT_SECONDS: Final = 10
"""How long others wait before they are told to come back."""

AROUND: Final = 1.0
"""Degrees around the streets in which a place is looked for at all: the metric CRS of a city bends
far away from it."""

_seats = threading.BoundedSemaphore(AT_ONCE)


@router.post("/matrix", responses=answers(MatrixView, 409, 413, 415, 422, 429))
def matrix(request: Request, body: MatrixRequest) -> Response:
    """Return the seconds from every origin to every destination, and the metres where asked for."""
    with _seat():
        ask = _open(request, body)
        lists = {"origins": body.origins, "destinations": body.destinations or body.origins}
        snaps = {where: ask.snap(points) for where, points in lists.items()}
        if body.destinations is None:
            snaps["destinations"] = snaps["origins"]
        found = _beyond({"origins": snaps["origins"]})
        found += _beyond({"destinations": snaps["destinations"]}) if body.destinations else []
        if found:
            return _far(found, ask)
        ends = snaps["origins"], snaps["destinations"]
        view = {"basis": ask.basis, **_matrix_view(ask, *ends, with_metres=body.with_metres)}
    view["to_street"] = {where: np.round(one.distance, 1).tolist() for where, one in snaps.items()}
    return JSONResponse(view)


@router.post("/route", responses=answers(RouteView, 409, 413, 415, 422, 429))
def route(request: Request, body: RouteRequest) -> Response:
    """Return the fastest way through places in this order, with a turn list."""
    with _seat():
        ask = _open(request, body)
        if found := _beyond({"places": ask.snap(body.places)}):
            return _far(found, ask)
        try:
            way = ask.look.travel.route(_places(body.places, "places"), ask.mode)
        except PlaceCutOff as error:
            where = f"body.{error.params['places']}"
            around = list(getattr(error.params["cause"], "closures", ()))
            finding = Finding(where, "cut_off", {})
            members = {"closures": around}
            return problems.answer_to(error, ask.lang, findings=[finding], members=members)
    legs = [_leg_view(*pair, ask.lang) for pair in zip(way.legs, way.steps, strict=True)]
    metres = round(way.length, 1)
    return JSONResponse(
        {"basis": ask.basis, "seconds": way.seconds, "metres": metres, "legs": legs}
    )


@router.post("/nearest", responses=answers(NearestView, 404, 409, 413, 415, 422, 429))
def nearest(request: Request, body: NearestRequest) -> Response:
    """Return who is soonest at each place: of the stations, or of places given."""
    from routing.travel import REACH_M  # noqa: PLC0415  heavy: not at start

    with _seat():
        ask = _open(request, body)
        starts, names = _candidates(request, body.candidates)
        snaps, from_here = ask.snap(body.places), ask.snap(starts)
        found = _beyond({"places": snaps})
        if body.candidates:
            found += _beyond({"candidates": from_here})
        if found:
            return _far(found, ask)
        near = np.flatnonzero(from_here.distance <= REACH_M)  # stations off the streets send nobody
        names, from_here = [names[k] for k in near.tolist()], from_here.take(near)
        row, seconds = ask.look.travel.nearest_units(from_here, snaps, ask.mode, k=body.k)
    soonest = [
        [names[r] | {"seconds": s} for r, s in zip(rows, times, strict=True) if r >= 0]
        for rows, times in zip(row.tolist(), seconds.tolist(), strict=True)
    ]
    return JSONResponse({"basis": ask.basis, "places": soonest})


@router.post("/reach", responses=answers(ReachView, 409, 413, 415, 422, 429))
def reach(request: Request, body: ReachRequest) -> Response:
    """Return the areas reached from places within some minutes, as GeoJSON: to look at."""
    from routing.travel.isochrone import isochrones  # noqa: PLC0415  heavy: not at start

    with _seat():
        ask = _open(request, body)
        if found := _beyond({"origins": ask.snap(body.origins)}):
            return _far(found, ask)
        places = _places(body.origins, "origins")
        areas = isochrones(ask.look.travel, places, mode=ask.mode, minutes=body.minutes)
    number = {place.place_id: k for k, place in enumerate(places)}
    shown = areas[[Col.MINUTES, Col.AREA, Col.GEOMETRY]].assign(
        origin=areas[Col.PLACE_ID].map(number)
    )
    return JSONResponse({**json.loads(shown.to_json(drop_id=True)), "basis": ask.basis})


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request being answered: travel times of its moment, and how it is spoken to."""

    look: "Outlook"
    mode: "Mode"
    at: datetime
    lang: Language

    @property
    def basis(self) -> dict[str, Any]:
        """What the answer rests on."""
        return {
            "mode": self.mode.value,
            "at": self.at.isoformat(),
            "band": self.look.band.value,
            "profile": self.look.profile,
            "closures": list(self.look.closure_ids),
            "data_date": self.look.data_date.isoformat(),
            "attribution": list(self.look.attribution),
        }

    def snap(self, points: Sequence[Point]) -> "Snaps":
        """Return the nearest streets; a place far outside the city is as far as can be told."""
        lonlat = np.array([(point.lon, point.lat) for point in points], dtype=np.float64)
        network = self.look.travel.network.lonlat
        low, high = network.min(axis=0) - AROUND, network.max(axis=0) + AROUND
        return self.look.travel.snap(lonlat.clip(low, high))


@contextmanager
def _seat() -> Iterator[None]:
    """Wait for a turn, so that a crowd of requests cannot take all memory.

    Raises
    ------
    TooMany
        None in time.
    """
    if not _seats.acquire(timeout=WAIT_SECONDS):
        raise TooMany(seconds=WAIT_SECONDS)
    try:
        yield
    finally:
        _seats.release()


def _open(request: Request, body: Asked) -> _Ask:
    from routing.model import Mode  # noqa: PLC0415  heavy: not at start
    from routing.network import TimeBand  # noqa: PLC0415

    at = body.at or datetime.now(CITY_ZONE).replace(microsecond=0)
    mode = Mode(body.mode)
    look = service_of(request).roads.outlook(
        mode,
        at=at,
        band=None if body.band is None else TimeBand(body.band),
        with_closures=body.with_closures,
    )
    return _Ask(look, mode, at, language_of(request))


def _beyond(lists: Mapping[str, "Snaps"]) -> list[Finding]:
    """Return the places that lie too far from every street, by their place in the request."""
    from routing.travel import REACH_M  # noqa: PLC0415  heavy: not at start

    return [
        Finding(f"body.{where}.{k}", "far", {"expected": f"{REACH_M:.0f}"})
        for where, snaps in lists.items()
        for k in np.flatnonzero(snaps.distance > REACH_M).tolist()
    ]


def _far(found: list[Finding], ask: _Ask) -> Response:
    from routing.travel import REACH_M  # noqa: PLC0415  heavy: not at start

    error = StationUnreachable(
        source="body", n=len(found), total=len(found), stations="", limit_m=round(REACH_M)
    )
    return problems.answer_to(error, ask.lang, findings=found)


def _places(points: Sequence[Point], where: str) -> "list[Place]":
    """Return points as places, each called by its place in the request: no name was sent."""
    from routing.model import Place  # noqa: PLC0415  heavy: not at start

    ids = (f"{where}.{k}" for k in range(len(points)))
    return [
        Place(place_id=one, name=one, lon=point.lon, lat=point.lat)
        for one, point in zip(ids, points, strict=True)
    ]


def _matrix_view(
    ask: _Ask, origins: "Snaps", destinations: "Snaps", *, with_metres: bool
) -> dict[str, Any]:
    from routing.model import UNREACHABLE  # noqa: PLC0415  heavy: not at start

    travel, metres = ask.look.travel, None
    if with_metres:
        seconds, metres = travel.lengths(origins, destinations, ask.mode)
    else:
        seconds = travel.many_to_many(origins, destinations, ask.mode)
    is_none = seconds == UNREACHABLE
    return {
        "seconds": _listed(seconds, is_none),
        "metres": None if metres is None else _listed(metres.round(1), is_none),
    }


def _listed(values: NDArray[Any], is_none: NDArray[np.bool_]) -> list[Any]:
    """Return an array as lists, null where there is no value."""
    found = values.astype(object)
    found[is_none] = None
    return list(found.tolist())


def _leg_view(leg: "Leg", steps: "Sequence[Step]", lang: Language) -> dict[str, Any]:
    return {
        "seconds": leg.seconds,
        "metres": round(leg.length, 1),
        "streets": list(leg.names),
        "geometry": {"type": "LineString", "coordinates": leg.lonlat.tolist()},
        "steps": [
            {
                "move": step.move.value,
                "street": step.street,
                "street_class": step.street_class.value,
                "heading": step.heading.value,
                "n_junctions": step.n_junctions,
                "metres": round(step.length, 1),
                "lon": step.lonlat[0],
                "lat": step.lonlat[1],
                "text": phrase(step.code, lang, step.params),
            }
            for step in (replace(one, place="") for one in steps)  # no name was sent
        ],
    }


def _candidates(
    request: Request, given: Sequence[Point] | None
) -> tuple[Sequence[Point], list[dict[str, Any]]]:
    """Return where teams start from, and what each start is called in the answer.

    Raises
    ------
    LayerMissing
        None given, and no stations in the store that the key may see.
    """
    from api.store.layers import read_frame  # noqa: PLC0415  heavy: not at start

    none = {"candidate": None, "station_id": None, "name": None}
    if given is not None:
        return given, [none | {"candidate": k} for k in range(len(given))]
    with service_of(request).store.read() as connection:
        stations = read_frame(connection, "stations", actor_of(request).scope)
    if stations.empty:
        raise LayerMissing(layer="stations")
    points = [Point(lon=one.x, lat=one.y) for one in stations.geometry]
    named = zip(stations[Col.STATION_ID], stations[Col.NAME], strict=True)
    return points, [none | {"station_id": key, "name": name} for key, name in named]
