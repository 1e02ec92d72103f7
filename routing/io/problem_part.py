"""The part of a plan file that holds what was asked: the night's problem.

Everything that decides the plan is there, except the travel times nobody used: of those the file
holds the digest of the whole matrix.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from routing.basis import DemandBasis, SpeedBasis
from routing.io.document import Document
from routing.model import (
    UNREACHABLE,
    Band,
    Mode,
    Place,
    Plan,
    Post,
    Problem,
    Rates,
    Shift,
    Stop,
    TravelTimes,
    Unit,
    VisitKind,
)

Leg = tuple[Mode, str, str]
Text = TypeVar("Text", bound=str)


def problem_part(plan: Plan) -> Document:
    """Return the problem of a plan, with the travel seconds of the legs its routes use."""
    problem = plan.problem
    demand = {} if problem.demand is None else {"demand": _demand(problem.demand)}
    speeds = {} if problem.speeds is None else {"speeds": _speeds(problem.speeds)}
    return {
        "shift": {"start": problem.shift.start.isoformat(), "length_s": problem.shift.length},
        "data_date": problem.data_date.isoformat(),
        "boundary_version": problem.boundary_version,
        "synthetic": problem.synthetic,
        "seed": problem.seed,
        "rates": {"travel": problem.rates.travel, "fairness": problem.rates.fairness},
        "rests": list(problem.rests),
        "units": [_unit(unit) for unit in problem.units],
        "posts": [_post(post) for post in problem.posts],
        "stops": [_stop(stop) for stop in problem.stops],
        "places": [_place(place) for place in problem.places],
        "travel": {
            "digest": problem.travel.digest(),
            "legs": [[*leg, problem.travel.between(*leg)] for leg in _legs(plan)],
        },
        **demand,
        **speeds,
    }


def _demand(basis: DemandBasis) -> Document:
    return {**asdict(basis), "as_of": basis.as_of.isoformat()}


def _speeds(basis: SpeedBasis) -> Document:
    return {**asdict(basis), "closures": list(basis.closures)}


def _unit(unit: Unit) -> Document:
    return {
        "unit_id": unit.unit_id,
        "call_sign": unit.call_sign,
        "station_id": unit.station_id,
        "mode": unit.mode,
        "headcount": unit.headcount,
        "break_window_s": list(unit.break_window),
        "break_length_s": unit.break_length,
    }


def _post(post: Post) -> Document:
    return {
        "post_id": post.post_id,
        "place_id": post.place_id,
        "kind": post.kind,
        "earliest_s": post.earliest,
        "latest_s": post.latest,
        "dwell_s": post.dwell,
        "n_units": post.n_units,
    }


def _stop(stop: Stop) -> Document:
    band = stop.band
    return {
        "place_id": stop.place_id,
        "kind": stop.kind,
        "floor": band.floor,
        "cap": band.cap,
        "dwell_s": band.dwell,
        "spacing_s": band.spacing,
        "value_by_hour": list(stop.value_by_hour),
        "reason": stop.reason,
        "peak_hour": stop.peak_hour,
    }


def _place(place: Place) -> Document:
    return {
        "place_id": place.place_id,
        "name": place.name,
        "lon": place.lon,
        "lat": place.lat,
    }


def _legs(plan: Plan) -> list[Leg]:
    """Return every known leg the routes use, once each, sorted."""
    modes = {unit.unit_id: unit.mode for unit in plan.problem.units}
    used: set[Leg] = set()
    for route in plan.routes:
        here = [route.station_id, *(visit.place_id for visit in route.visits), route.station_id]
        mode = modes.get(route.unit_id)
        if mode is not None:
            used.update((mode, *pair) for pair in pairwise(here))
    known = plan.problem.travel
    return sorted(
        leg for leg in used if leg[0] in known.modes and leg[1] in known.row and leg[2] in known.row
    )


def parse_problem(part: Document) -> Problem:
    """Return the problem of a plan file; its travel times know the used legs only."""
    return Problem(
        shift=Shift(
            start=datetime.fromisoformat(part["shift"]["start"]), length=part["shift"]["length_s"]
        ),
        places=tuple(Place(**place) for place in part["places"]),
        units=tuple(_parse_unit(unit) for unit in part["units"]),
        stops=tuple(_parse_stop(stop) for stop in part["stops"]),
        posts=tuple(_parse_post(post) for post in part["posts"]),
        rests=tuple(part["rests"]),
        travel=_parse_travel(part["travel"]),
        rates=Rates(**part["rates"]),
        seed=part["seed"],
        data_date=date.fromisoformat(part["data_date"]),
        boundary_version=part["boundary_version"],
        synthetic=part["synthetic"],
        demand=_parse_demand(part["demand"]) if "demand" in part else None,
        speeds=_parse_speeds(part["speeds"]) if "speeds" in part else None,
    )


def _parse_demand(part: Document) -> DemandBasis:
    return DemandBasis(**{**part, "as_of": date.fromisoformat(part["as_of"])})


def _parse_speeds(part: Document) -> SpeedBasis:
    return SpeedBasis(**{**part, "closures": tuple(part["closures"])})


def _parse_unit(unit: Document) -> Unit:
    first, last = unit["break_window_s"]
    return Unit(
        unit_id=unit["unit_id"],
        call_sign=unit["call_sign"],
        station_id=unit["station_id"],
        mode=Mode(unit["mode"]),
        headcount=unit["headcount"],
        break_window=(first, last),
        break_length=unit["break_length_s"],
    )


def _parse_post(post: Document) -> Post:
    return Post(
        post_id=post["post_id"],
        place_id=post["place_id"],
        kind=VisitKind(post["kind"]),
        earliest=post["earliest_s"],
        latest=post["latest_s"],
        dwell=post["dwell_s"],
        n_units=post["n_units"],
    )


def _parse_stop(stop: Document) -> Stop:
    return Stop(
        place_id=stop["place_id"],
        kind=VisitKind(stop["kind"]),
        band=Band(
            floor=stop["floor"],
            cap=stop["cap"],
            dwell=stop["dwell_s"],
            spacing=stop["spacing_s"],
        ),
        value_by_hour=tuple(stop["value_by_hour"]),
        reason=stop["reason"],
        peak_hour=stop["peak_hour"],
    )


def _parse_travel(part: dict[str, Any]) -> TravelTimes:
    """Return the known legs as a matrix of the places they join; all others are unreachable."""
    legs = [(Mode(mode), origin, destination, s) for mode, origin, destination, s in part["legs"]]
    place_ids = _sorted_once(
        end for _, origin, destination, _ in legs for end in (origin, destination)
    )
    modes = _sorted_once(mode for mode, *_ in legs)
    row = {place_id: k for k, place_id in enumerate(place_ids)}
    shape = (len(modes), len(place_ids), len(place_ids))
    seconds = np.full(shape, UNREACHABLE, dtype=np.int32)
    for mode, origin, destination, s in legs:
        seconds[modes.index(mode), row[origin], row[destination]] = s
    return TravelTimes(
        place_ids=place_ids, modes=modes, seconds=seconds, stated_digest=part["digest"]
    )


def _sorted_once(values: Iterable[Text]) -> tuple[Text, ...]:
    return tuple(sorted(set(values)))
