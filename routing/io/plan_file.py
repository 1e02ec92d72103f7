"""`plan.json`: one night's plan, complete enough to be judged from the file alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from geo.errors import InputError, OptionInvalid, PlanInvalid
from geo.privacy import Audience, Visible, allowed
from routing.check import Rule, Violation, check_legs, check_plan
from routing.check.violation import broken
from routing.io.document import Document, differences, load, render, seal, write_text
from routing.io.problem_part import parse_problem, problem_part
from routing.model import (
    ObjectivePart,
    Place,
    Plan,
    PlanState,
    Problem,
    Route,
    Status,
    Unit,
    Unserved,
    Visit,
    VisitKind,
)

FORMAT = "patrolgrid.plan/1"
SCHEMA = "plan.schema.json"

UNITS = {
    "arrive, depart, start, end": "instant, ISO 8601 with offset",
    "…_s": "whole seconds; of instants, from the shift's start",
    "lon, lat": "degrees, WGS-84 (EPSG:4326)",
    "objective, bound, points, value_by_hour": "points",
    "gap": "fraction of the bound",
}
"""Said once for the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan as it stands on disk.

    Attributes
    ----------
    plan : Plan
        Its travel times know only the legs that the routes use.
    audience : Audience
        Whom the file was made for.
    attribution : tuple of str
        Lines to print wherever the plan is shown.
    """

    plan: Plan
    audience: Audience
    attribution: tuple[str, ...] = ()


def write_plan(
    plan: Plan, path: Path, *, audience: Audience, attribution: tuple[str, ...] = ()
) -> None:
    """Write `plan.json`, whole or not at all; the same plan gives the same bytes.

    Parameters
    ----------
    plan : Plan
    path : Path
        In an existing folder; an older file is replaced.
    audience : Audience
    attribution : tuple of str
        Map number, OSM notice: what every map of this plan must print.

    Raises
    ------
    OptionInvalid
        An audience that may not see the routes of all teams.
    """
    if not allowed(audience, Visible.FUTURE_ROUTES):
        raise OptionInvalid(option="audience", value=audience, expected=Audience.COMMAND)
    file = PlanFile(plan=plan, audience=audience, attribution=attribution)
    write_text(render(_document(file)) + "\n", path)


def read_plan(path: Path) -> Plan:
    """Read the plan of a `plan.json`; its travel times know only the legs that the routes use.

    Raises
    ------
    FileMissing, FileUnreadable, PlanInvalid
        As `read_plan_file`.
    """
    return read_plan_file(path).plan


def read_plan_file(path: Path) -> PlanFile:
    """Read `plan.json` with its audience and attribution.

    Raises
    ------
    FileMissing, FileUnreadable
        No such file; not a text file, or too large.
    PlanInvalid
        Not a plan by the published schema; says where.
    """
    return _parse(load(path, family="patrolgrid.plan/", schema=SCHEMA), source=path.name)


def check_plan_file(path: Path) -> tuple[Violation, ...]:
    """Judge a plan again from its file alone.

    Besides the rules of `check_plan`, every leg is held against the time the mode's top speed
    needs as the crow flies, and whatever the file says twice must agree.

    Raises
    ------
    FileMissing, FileUnreadable, PlanInvalid
        As `read_plan_file`.
    """
    document = load(path, family="patrolgrid.plan/", schema=SCHEMA)
    file = _parse(document, source=path.name)
    return (*check_plan(file.plan), *check_legs(file.plan), *_differences(document, file))


def _differences(document: Document, file: PlanFile) -> Iterator[Violation]:
    """Require that a file says what its plan would be written as: names, places, gap, night."""
    for where in differences(document, _document(file)):
        yield broken(Rule.FILE_DIFFERS, where=where)


def _document(file: PlanFile) -> Document:
    plan = file.plan
    units = {unit.unit_id: unit for unit in plan.problem.units}
    places = {place.place_id: place for place in plan.problem.places}
    members = {
        "format": FORMAT,
        "units": UNITS,
        "plan_id": plan.plan_id,
        "state": plan.state,
        "night": plan.problem.shift.start.date().isoformat(),
        "audience": file.audience,
        "synthetic": plan.problem.synthetic,
        "attribution": list(file.attribution),
        "engine": plan.engine,
        "engine_version": plan.engine_version,
        "problem_hash": plan.problem_hash,
        "status": plan.status,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": None if plan.gap is None else round(plan.gap, 6),
        "parts": [_part(part) for part in plan.parts],
        "routes": [_route(plan.problem, units, places, route) for route in plan.routes],
        "unserved": [_unserved(item) for item in plan.unserved],
        "problem": problem_part(plan),
    }
    return seal(members)


def _part(part: ObjectivePart) -> Document:
    return {
        "name": part.name,
        "amount": part.amount,
        "unit": part.unit,
        "rate": part.rate,
        "points": part.points,
    }


def _route(
    problem: Problem, units: dict[str, Unit], places: dict[str, Place], route: Route
) -> Document:
    unit = units.get(route.unit_id)
    return {
        "unit_id": route.unit_id,
        "call_sign": unit.call_sign if unit else None,
        "mode": unit.mode if unit else None,
        "station_id": route.station_id,
        "start": _instant(problem, route.start),
        "end": _instant(problem, route.end),
        "travel_back_s": route.travel_back,
        "stops": [
            _visit(problem, places.get(visit.place_id), order, visit)
            for order, visit in enumerate(route.visits, start=1)
        ],
    }


def _visit(problem: Problem, place: Place | None, order: int, visit: Visit) -> Document:
    return {
        "order": order,
        "task_id": visit.task_id,
        "place_id": visit.place_id,
        "name": place.name if place else None,
        "kind": visit.kind,
        "lon": place.lon if place else None,
        "lat": place.lat if place else None,
        "travel_s": visit.travel,
        "arrive": _instant(problem, visit.arrive),
        "depart": _instant(problem, visit.depart),
        "reason": visit.reason,
    }


def _instant(problem: Problem, second: int) -> str:
    return problem.shift.at(second).isoformat()


def _unserved(item: Unserved) -> Document:
    return {
        "task_id": item.task_id,
        "place_id": item.place_id,
        "cause": item.cause,
        "missing": item.missing,
    }


def _parse(document: Document, *, source: str) -> PlanFile:
    """Return what the document says.

    Raises
    ------
    PlanInvalid
        A value that the schema lets pass and the model refuses: 31 February, a floor above a cap.
    """
    try:
        plan = _parse_plan(document)
        attribution = tuple(document["attribution"])
        return PlanFile(plan=plan, audience=Audience(document["audience"]), attribution=attribution)
    except (InputError, ValueError, OverflowError) as error:
        raise PlanInvalid(source=source, where="$", detail=str(error)[:120]) from error


def _parse_plan(document: Document) -> Plan:
    problem = parse_problem(document["problem"])
    return Plan(
        plan_id=document["plan_id"],
        state=PlanState(document["state"]),
        problem=problem,
        problem_hash=document["problem_hash"],
        engine=document["engine"],
        engine_version=document["engine_version"],
        status=Status(document["status"]),
        objective=document["objective"],
        bound=document["bound"],
        parts=tuple(ObjectivePart(**part) for part in document["parts"]),
        routes=tuple(_parse_route(problem, route) for route in document["routes"]),
        unserved=tuple(Unserved(**item) for item in document["unserved"]),
    )


def _parse_route(problem: Problem, route: Document) -> Route:
    return Route(
        unit_id=route["unit_id"],
        station_id=route["station_id"],
        start=_second(problem, route["start"]),
        end=_second(problem, route["end"]),
        travel_back=route["travel_back_s"],
        visits=tuple(_parse_visit(problem, stop) for stop in route["stops"]),
    )


def _parse_visit(problem: Problem, stop: Document) -> Visit:
    return Visit(
        task_id=stop["task_id"],
        place_id=stop["place_id"],
        kind=VisitKind(stop["kind"]),
        travel=stop["travel_s"],
        arrive=_second(problem, stop["arrive"]),
        depart=_second(problem, stop["depart"]),
        reason=stop["reason"],
    )


def _second(problem: Problem, instant: str) -> int:
    """Return an instant as seconds from the shift's start."""
    return int((datetime.fromisoformat(instant) - problem.shift.start).total_seconds())
