"""A plan from chosen orders: times, reasons, what is left out and why, what it is worth."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from geo.units import HOUR, MINUTE
from routing.model import (
    REPEAT_PERCENT,
    ObjectivePart,
    Place,
    Plan,
    PlanState,
    Post,
    Problem,
    Rates,
    Route,
    Status,
    Stop,
    Unit,
    Unserved,
    Visit,
    VisitKind,
)
from routing.patrol.encode import Code
from routing.patrol.timetable import Order, earliest_starts

ENGINE = "patrolgrid"
ENGINE_VERSION = "1"

CROWDED_OUT = "patrol.cause.crowded_out"
NOT_FOUND = "patrol.cause.not_found"
FLOOR_SHORT = "patrol.cause.floor_not_found"


def assemble(
    problem: Problem,
    code: Code,
    orders: Sequence[Order],
    *,
    causes: dict[str, str],
    bound: int | None,
    work: str,
) -> Plan:
    """Return the plan whose units visit `orders`, as early as windows and pairs allow.

    Parameters
    ----------
    problem : Problem
    code : Code
        Arrays the orders refer to.
    orders : sequence of Order
        One per unit.
    causes : dict of str to str
        Cause by place id of the stops that may not be visited at all.
    bound : int or None
        Points no plan can exceed; dropped when a must is missing (it supposes none is).
    work : str
        The work limits: with the problem they decide the plan, so they name it.
    """
    starts = earliest_starts(code.night, orders)
    if starts is None:
        raise AssertionError("the chosen orders have no timetable")
    routes = tuple(
        _route(problem, code, unit, orders[r], starts[r]) for r, unit in enumerate(problem.units)
    )
    parts = _parts(problem, routes)
    unserved = _unserved(problem, routes, causes)
    objective = sum(part.points for part in parts)
    if any(item.cause in (NOT_FOUND, FLOOR_SHORT) for item in unserved):
        bound = None
    digest = problem.digest()
    name = hashlib.sha256(f"{digest}/{ENGINE_VERSION}/{work}".encode()).hexdigest()
    return Plan(
        plan_id=f"{problem.shift.start:%Y%m%d}-{name[:12]}",
        state=PlanState.DRAFT,
        problem=problem,
        problem_hash=digest,
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        status=Status.OPTIMAL if bound == objective else Status.FEASIBLE,
        objective=objective,
        bound=bound,
        parts=parts,
        routes=routes,
        unserved=unserved,
    )


def _route(problem: Problem, code: Code, unit: Unit, order: Order, starts: list[int]) -> Route:
    """Return one unit's night; it leaves its station as late as its first visit allows."""
    if all(v >= code.night.n_visits for v in order):
        order, starts = (), []
    here, visits = unit.station_id, []
    for v, start in zip(order, starts, strict=True):
        place = _place_of(problem, code, v)
        travel = problem.travel.between(unit.mode, here, place.place_id)
        visits.append(_visit(code, unit, v, place, travel=travel, start=start))
        here = place.place_id
    back = problem.travel.between(unit.mode, here, unit.station_id) if visits else 0
    return Route(
        unit_id=unit.unit_id,
        station_id=unit.station_id,
        start=visits[0].arrive - visits[0].travel if visits else 0,
        end=visits[-1].depart + back if visits else 0,
        travel_back=back,
        visits=tuple(visits),
    )


def _place_of(problem: Problem, code: Code, v: int) -> Place:
    return problem.places[int(code.night.loc[v])]


def _visit(code: Code, unit: Unit, v: int, place: Place, *, travel: int, start: int) -> Visit:
    label = code.label(v)
    if label is None:
        kind, task_id, reason = VisitKind.BREAK, place.place_id, "patrol.reason.break"
        stay = unit.break_length
    elif isinstance(label, Post):
        kind, task_id, reason = label.kind, label.post_id, f"patrol.reason.{label.kind}"
        stay = label.dwell
    else:
        kind, task_id, reason, stay = label.kind, label.place_id, label.reason, label.band.dwell
    return Visit(
        task_id=task_id,
        place_id=place.place_id,
        kind=kind,
        travel=travel,
        arrive=start,
        depart=start + stay,
        reason=reason,
    )


def _parts(problem: Problem, routes: tuple[Route, ...]) -> tuple[ObjectivePart, ...]:
    """Return value, travel and fairness as `routing.model.Rates` defines them."""
    rates: Rates = problem.rates
    travel = sum(_travel(route) for route in routes) // MINUTE
    fairness = _spread(routes) // MINUTE
    return (
        _part("value", _value(problem, routes), "point", 1),
        _part("travel", travel, "minute", -rates.travel),
        _part("fairness", fairness, "minute", -rates.fairness),
    )


def _part(name: str, amount: int, unit: str, rate: int) -> ObjectivePart:
    return ObjectivePart(name=name, amount=amount, unit=unit, rate=rate, points=amount * rate)


def _value(problem: Problem, routes: tuple[Route, ...]) -> int:
    worth = {stop.place_id: stop.value_by_hour for stop in problem.stops}
    earned, n_before = 0, Counter[str]()
    stays = [v for route in routes for v in route.visits if v.kind in _PATROLS]
    for visit in sorted(stays, key=lambda v: v.arrive):
        percent = REPEAT_PERCENT[n_before[visit.place_id]]
        earned += worth[visit.place_id][visit.arrive // HOUR] * percent // 100
        n_before[visit.place_id] += 1
    return earned


_PATROLS = (VisitKind.HOTSPOT, VisitKind.EXPLORATION)


def _travel(route: Route) -> int:
    return sum(visit.travel for visit in route.visits) + route.travel_back


def _spread(routes: tuple[Route, ...]) -> int:
    """Return the seconds between most and least load, summed over the stations."""
    loads: dict[str, list[int]] = {}
    for route in routes:
        stays = sum(v.depart - v.arrive for v in route.visits if v.kind is not VisitKind.BREAK)
        loads.setdefault(route.station_id, []).append(stays + _travel(route))
    return sum(max(of_station) - min(of_station) for of_station in loads.values())


def _unserved(
    problem: Problem, routes: tuple[Route, ...], causes: dict[str, str]
) -> tuple[Unserved, ...]:
    """Return musts short of their teams, then places without a visit or short of their floor."""
    n_served = Counter(visit.task_id for route in routes for visit in route.visits)
    posts = [
        Unserved(
            task_id=post.post_id,
            place_id=post.place_id,
            cause=NOT_FOUND,
            missing=post.n_units - n_served[post.post_id],
        )
        for post in problem.posts
        if n_served[post.post_id] < post.n_units
    ]
    stops = [
        Unserved(
            task_id=stop.place_id,
            place_id=stop.place_id,
            cause=_cause(stop, causes),
            missing=max(1, stop.band.floor) - n_served[stop.place_id],
        )
        for stop in problem.stops
        if n_served[stop.place_id] < max(1, stop.band.floor)
    ]
    return (*posts, *stops)


def _cause(stop: Stop, causes: dict[str, str]) -> str:
    if stop.place_id in causes:
        return causes[stop.place_id]
    return FLOOR_SHORT if stop.band.floor else CROWDED_OUT
