"""The objective, computed again away from the solver.

Definition, the same for every planner:

value
    Per place, its visits in order of arrival: the k-th earns the place's value in the hour of
    the shift it starts in, times ``REPEAT_PERCENT[k]`` per cent, rounded down to whole points.
travel
    Minutes of all legs of all routes, the ways back included, rounded down once: cost.
fairness
    Per station, seconds between its most and its least loaded unit; summed, to whole minutes
    rounded down once: cost. A unit's load is its dwell (breaks excepted) and its travel; a unit
    without a route has none.
"""

from collections import defaultdict
from collections.abc import Iterator

from geo.units import HOUR, MINUTE
from routing.check.night import Night, legs_of, look_up
from routing.check.violation import Rule, Violation, broken
from routing.model import (
    REPEAT_PERCENT,
    ObjectivePart,
    Plan,
    Route,
    Status,
    Stop,
    VisitKind,
)


def objective_parts(plan: Plan) -> tuple[ObjectivePart, ...]:
    """Return value, travel and fairness of a plan's routes; costs have a negative rate."""
    night = look_up(plan)
    rates = plan.problem.rates
    value = sum(_stop_value(night, stop) for stop in plan.problem.stops)
    travel = sum(seconds for route in plan.routes for *_, seconds in legs_of(route)) // MINUTE
    spread = sum(station_spreads(plan).values()) // MINUTE
    return (
        _part("value", value, "point", 1),
        _part("travel", travel, "minute", -rates.travel),
        _part("fairness", spread, "minute", -rates.fairness),
    )


def _part(name: str, amount: int, unit: str, rate: int) -> ObjectivePart:
    return ObjectivePart(name=name, amount=amount, unit=unit, rate=rate, points=amount * rate)


def _stop_value(night: Night, stop: Stop) -> int:
    """Return the points a place's visits earn; visits beyond the known repeats earn nothing."""
    earned = 0
    for visit, percent in zip(night.dosed(stop), REPEAT_PERCENT, strict=False):
        hour = visit.arrive // HOUR
        if 0 <= hour < len(stop.value_by_hour):
            earned += stop.value_by_hour[hour] * percent // 100
    return earned


def load(route: Route) -> int:
    """Return a route's seconds of dwell, breaks excepted, and of travel."""
    dwell = sum(v.depart - v.arrive for v in route.visits if v.kind is not VisitKind.BREAK)
    return dwell + sum(seconds for *_, seconds in legs_of(route))


def station_spreads(plan: Plan) -> dict[str, int]:
    """Return, by station, the seconds between its most and its least loaded unit."""
    loads = {unit.unit_id: 0 for unit in plan.problem.units}
    for route in plan.routes:
        loads[route.unit_id] = load(route)
    by_station: dict[str, list[int]] = defaultdict(list)
    for unit in plan.problem.units:
        by_station[unit.station_id].append(loads[unit.unit_id])
    return {station: max(found) - min(found) for station, found in by_station.items()}


def objective_faults(plan: Plan) -> Iterator[Violation]:
    """Require parts, sum, bound and status as the routes have them."""
    stated = {part.name: part for part in plan.parts}
    for part in objective_parts(plan):
        found = stated.pop(part.name, None)
        if found != part:
            yield broken(
                Rule.OBJECTIVE_PART,
                part=part.name,
                stated=_shown(found),
                expected=_shown(part),
            )
    for name, surplus in stated.items():
        yield broken(Rule.OBJECTIVE_PART, part=name, stated=_shown(surplus), expected="–")
    points = sum(part.points for part in objective_parts(plan))
    if plan.objective != points:
        yield broken(Rule.OBJECTIVE_SUM, stated=plan.objective, expected=points)
    if plan.bound is not None and plan.bound < plan.objective:
        yield broken(Rule.BOUND_BELOW, bound=plan.bound, objective=plan.objective)
    if plan.status is Status.OPTIMAL and plan.bound != plan.objective:
        yield broken(Rule.STATUS_UNPROVEN, bound=plan.bound, objective=plan.objective)


def _shown(part: ObjectivePart | None) -> str:
    if part is None:
        return "–"
    return f"{part.amount} {part.unit} × {part.rate} = {part.points}"
