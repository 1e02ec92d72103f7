"""Rules of one team's route: who, where, and that the clock and the streets allow it."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from routing.check.night import DOSED, Night, legs_of
from routing.check.violation import Rule, Violation, broken
from routing.model import UNREACHABLE, Route, Visit, VisitKind


def unit_faults(night: Night, routes: tuple[Route, ...]) -> Iterator[Violation]:
    """Require a unit of the problem for every route, and one route at most for every unit."""
    for unit_id, n in Counter(route.unit_id for route in routes).items():
        if unit_id not in night.units:
            yield broken(Rule.UNIT_UNKNOWN, unit=unit_id)
        if n > 1:
            yield broken(Rule.UNIT_TWICE, unit=unit_id, n=n)
            yield from _two_places(night, [r for r in routes if r.unit_id == unit_id])


def _two_places(night: Night, routes: list[Route]) -> Iterator[Violation]:
    """Tell when the routes of one unit have it in two places at once."""
    stays = sorted((v.arrive, v.depart, v.place_id) for r in routes for v in r.visits)
    for (_, left, here), (arrive, _, there) in pairwise(stays):
        if arrive < left:
            yield broken(
                Rule.UNIT_TWO_PLACES,
                unit=routes[0].unit_id,
                place=here,
                other=there,
                at=night.clock(arrive),
            )


def route_faults(night: Night, route: Route) -> Iterator[Violation]:
    """Yield what one route breaks by itself."""
    unit = night.units.get(route.unit_id)
    if unit is not None and route.station_id != unit.station_id:
        yield broken(
            Rule.STATION_WRONG,
            unit=route.unit_id,
            station=route.station_id,
            expected=unit.station_id,
        )
    yield from _shift_faults(night, route)
    yield from _clock_faults(night, route)
    yield from _travel_faults(night, route)
    for visit in route.visits:
        yield from _task_faults(night, route, visit)


def _shift_faults(night: Night, route: Route) -> Iterator[Violation]:
    """Require the route inside the shift, ending when the team is back."""
    if route.start < 0:
        yield broken(Rule.SHIFT_EARLY, unit=route.unit_id, at=night.clock(route.start))
    if route.end > night.problem.shift.length:
        yield broken(Rule.SHIFT_LATE, unit=route.unit_id, at=night.clock(route.end))
    left = route.visits[-1].depart if route.visits else route.start
    if route.end != left + route.travel_back:
        yield broken(
            Rule.ROUTE_END,
            unit=route.unit_id,
            at=night.clock(route.end),
            expected=night.clock(left + route.travel_back),
        )


def _clock_faults(night: Night, route: Route) -> Iterator[Violation]:
    """Require that no visit starts before the team is free and has covered the way."""
    free = route.start
    for visit in route.visits:
        params = {"unit": route.unit_id, "place": visit.place_id, "at": night.clock(visit.arrive)}
        if visit.arrive < free:
            yield broken(Rule.VISIT_OVERLAP, **params, free=night.clock(free))
        elif visit.arrive < free + visit.travel:
            wait = visit.arrive - free - visit.travel
            yield broken(Rule.WAIT_NEGATIVE, **params, wait=wait)
        free = visit.depart


def _travel_faults(night: Night, route: Route) -> Iterator[Violation]:
    """Require the problem's travel time, for the unit's mode, on every leg."""
    unit = night.units.get(route.unit_id)
    if unit is None:
        return
    for origin, destination, stated in legs_of(route):
        leg = {"unit": route.unit_id, "origin": origin, "destination": destination}
        known = night.seconds(unit.mode, origin, destination)
        if known is None:
            yield broken(Rule.TRAVEL_UNKNOWN, **leg, mode=unit.mode.value)
        elif known >= UNREACHABLE:
            yield broken(Rule.TRAVEL_UNREACHABLE, **leg, mode=unit.mode.value)
        elif known != stated:
            yield broken(Rule.TRAVEL_WRONG, **leg, stated=stated, expected=known)


def _task_faults(night: Night, route: Route, visit: Visit) -> Iterator[Violation]:
    """Require a known place and a task of the problem, of that task's kind."""
    params = {"unit": route.unit_id, "place": visit.place_id, "task": visit.task_id}
    if visit.place_id not in night.places:
        yield broken(Rule.PLACE_UNKNOWN, unit=route.unit_id, place=visit.place_id)
    if not visit.reason:
        yield broken(Rule.REASON_MISSING, unit=route.unit_id, place=visit.place_id)
    asked = _asked(night, visit)
    if asked is None:
        yield broken(Rule.TASK_UNKNOWN, **params)
        return
    kind, place_id = asked
    if place_id != visit.place_id:
        yield broken(Rule.TASK_UNKNOWN, **params)
    if kind is not visit.kind:
        yield broken(Rule.KIND_WRONG, **params, kind=visit.kind.value, expected=kind.value)
    yield from _dwell_faults(night, route, visit)


def _asked(night: Night, visit: Visit) -> tuple[VisitKind, str] | None:
    """Return the kind and place of the visit's task as the problem asks for it."""
    if visit.kind is VisitKind.BREAK:
        return VisitKind.BREAK, visit.task_id
    if visit.task_id in night.posts:
        post = night.posts[visit.task_id]
        return post.kind, post.place_id
    if visit.task_id in night.stops:
        return night.stops[visit.task_id].kind, visit.task_id
    return None


def _dwell_faults(night: Night, route: Route, visit: Visit) -> Iterator[Violation]:
    """Require exactly the band's dwell; musts and breaks have rules of their own."""
    stop = night.stops.get(visit.task_id)
    if visit.kind in DOSED and stop is not None and visit.depart - visit.arrive != stop.band.dwell:
        yield broken(
            Rule.DWELL_WRONG,
            unit=route.unit_id,
            place=visit.place_id,
            dwell=visit.depart - visit.arrive,
            expected=stop.band.dwell,
        )
