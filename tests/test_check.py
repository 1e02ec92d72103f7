"""The verifier must name every kind of fault; the town is drawn in `conftest.py`."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.i18n import LANGUAGES, text
from routing.check import Rule, check_legs, check_plan
from routing.check.objective import objective_parts
from routing.model import (
    Mode,
    ObjectivePart,
    Plan,
    Status,
    Unserved,
    Visit,
    VisitKind,
)

# Fault injectors: each takes a sound plan and returns a broken one.


def _routes(plan: Plan, unit: str, change: Callable[[Any], Any]) -> Plan:
    routes = tuple(change(r) if r.unit_id == unit else r for r in plan.routes)
    return replace(plan, routes=routes)


def _route(plan: Plan, unit: str, **values: object) -> Plan:
    return _routes(plan, unit, lambda route: replace(route, **values))


def _visits(plan: Plan, unit: str, change: Callable[[list[Visit]], object]) -> Plan:
    def changed(route):
        visits = list(route.visits)
        change(visits)
        return replace(route, visits=tuple(visits))

    return _routes(plan, unit, changed)


def _visit(plan: Plan, unit: str, k: int, **values: object) -> Plan:
    def change(visits: list[Visit]) -> None:
        visits[k] = replace(visits[k], **values)

    return _visits(plan, unit, change)


def _drop(plan: Plan, unit: str, k: int) -> Plan:
    return _visits(plan, unit, lambda visits: visits.pop(k))


def _insert(plan: Plan, unit: str, k: int, like: Visit, **values: object) -> Plan:
    return _visits(plan, unit, lambda visits: visits.insert(k, replace(like, **values)))


def _stay(plan: Plan, unit: str, k: int) -> Visit:
    return next(r for r in plan.routes if r.unit_id == unit).visits[k]


def _shifted(plan: Plan, unit: str, k: int, seconds: int) -> Plan:
    old = _stay(plan, unit, k)
    return _visit(plan, unit, k, arrive=old.arrive + seconds, depart=old.depart + seconds)


def _problem(plan: Plan, **values: object) -> Plan:
    return replace(plan, problem=replace(plan.problem, **values))


def _band(plan: Plan, place_id: str, **values: object) -> Plan:
    stops = tuple(
        replace(s, band=replace(s.band, **values)) if s.place_id == place_id else s
        for s in plan.problem.stops
    )
    return _problem(plan, stops=stops)


def _post(plan: Plan, post_id: str, **values: object) -> Plan:
    posts = tuple(replace(p, **values) if p.post_id == post_id else p for p in plan.problem.posts)
    return _problem(plan, posts=posts)


def _unit(plan: Plan, unit_id: str, **values: object) -> Plan:
    units = tuple(replace(u, **values) if u.unit_id == unit_id else u for u in plan.problem.units)
    return _problem(plan, units=units)


def _leg(plan: Plan, origin: str, destination: str, seconds: int) -> Plan:
    travel = plan.problem.travel
    changed = travel.seconds.copy()
    changed[:, travel.row[origin], travel.row[destination]] = seconds
    return _problem(plan, travel=replace(travel, seconds=changed))


def _listed(plan: Plan, k: int, **values: object) -> Plan:
    items = list(plan.unserved)
    items[k] = replace(items[k], **values)
    return replace(plan, unserved=tuple(items))


def _named(task_id: str, place_id: str) -> Unserved:
    return Unserved(task_id=task_id, place_id=place_id, cause="patrol.cause.crowded", missing=1)


def _part(plan: Plan, k: int, **values: object) -> Plan:
    parts = list(plan.parts)
    parts[k] = replace(parts[k], **values)
    return replace(plan, parts=tuple(parts))


FAULTS: dict[str, tuple[Callable[[Plan], Plan], Rule]] = {
    "a unit that is not on duty": (lambda p: _route(p, "A2", unit_id="Z9"), Rule.UNIT_UNKNOWN),
    "a unit with two routes": (
        lambda p: replace(p, routes=(*p.routes, p.routes[0])),
        Rule.UNIT_TWICE,
    ),
    "a unit in two places at once": (
        lambda p: replace(p, routes=(*p.routes, replace(p.routes[0], unit_id="A2"))),
        Rule.UNIT_TWO_PLACES,
    ),
    "a start from another station": (
        lambda p: _route(p, "A1", station_id="S2"),
        Rule.STATION_WRONG,
    ),
    "a place that does not exist": (
        lambda p: _visit(p, "A1", 0, place_id="P99"),
        Rule.PLACE_UNKNOWN,
    ),
    "a task that does not exist": (lambda p: _visit(p, "A1", 0, task_id="P99"), Rule.TASK_UNKNOWN),
    "a task at another place": (lambda p: _visit(p, "A1", 0, task_id="P2"), Rule.TASK_UNKNOWN),
    "a hot spot called exploration": (
        lambda p: _visit(p, "A1", 0, kind=VisitKind.EXPLORATION),
        Rule.KIND_WRONG,
    ),
    "no reason": (lambda p: _visit(p, "A1", 0, reason=""), Rule.REASON_MISSING),
    "out before the shift": (lambda p: _route(p, "A1", start=-60), Rule.SHIFT_EARLY),
    "home after the shift": (lambda p: _route(p, "A1", end=21_660), Rule.SHIFT_LATE),
    "the shift made shorter": (
        lambda p: _problem(p, shift=replace(p.problem.shift, length=12_000)),
        Rule.SHIFT_LATE,
    ),
    "home before it can be": (lambda p: _route(p, "A1", end=12_300), Rule.ROUTE_END),
    "a stop begun before the last is left": (
        lambda p: _visit(p, "A1", 4, arrive=11_000, depart=11_720),
        Rule.VISIT_OVERLAP,
    ),
    "less time than the way takes": (lambda p: _shifted(p, "A2", 1, -60), Rule.WAIT_NEGATIVE),
    "out of the station too late": (lambda p: _route(p, "A1", start=120), Rule.WAIT_NEGATIVE),
    "one minute for a long way": (lambda p: _visit(p, "A1", 2, travel=60), Rule.TRAVEL_WRONG),
    "a minute more than the way takes": (
        lambda p: _visit(p, "A1", 2, travel=960),
        Rule.TRAVEL_WRONG,
    ),
    "a shorter way back": (lambda p: _route(p, "A1", travel_back=0, end=12_120), Rule.TRAVEL_WRONG),
    "a bridge closed": (lambda p: _leg(p, "GATE", "SCHOOL", 9_000), Rule.TRAVEL_WRONG),
    "an island visited": (
        lambda p: _visit(p, "A1", 0, place_id="P5", task_id="P5"),
        Rule.TRAVEL_UNREACHABLE,
    ),
    "a mode without travel times": (lambda p: _unit(p, "A1", mode=Mode.FOOT), Rule.TRAVEL_UNKNOWN),
    "a mode swapped": (lambda p: _unit(p, "A1", mode=Mode.EBIKE), Rule.TRAVEL_WRONG),
    "dwell two minutes short": (lambda p: _visit(p, "A2", 1, depart=5_880), Rule.DWELL_WRONG),
    "dwell two minutes long": (lambda p: _visit(p, "A2", 1, depart=6_120), Rule.DWELL_WRONG),
    "one visit above the cap": (
        lambda p: _insert(p, "A2", 2, _stay(p, "A2", 1), arrive=7_500, depart=8_220),
        Rule.CAP_EXCEEDED,
    ),
    "a quiet place visited": (
        lambda p: _visit(p, "B1", 0, place_id="P4", task_id="P4"),
        Rule.CAP_EXCEEDED,
    ),
    "the cap lowered": (lambda p: _band(p, "P1", cap=1), Rule.CAP_EXCEEDED),
    "the floor raised": (lambda p: _band(p, "P2", floor=2, cap=2), Rule.FLOOR_MISSED),
    "a floor not met": (lambda p: _band(p, "P6", floor=1), Rule.FLOOR_MISSED),
    "ten minutes between repeats": (
        lambda p: _visit(p, "A1", 4, arrive=1_620, depart=2_340),
        Rule.SPACING_SHORT,
    ),
    "the spacing made longer": (lambda p: _band(p, "P1", spacing=14_000), Rule.SPACING_SHORT),
    "late at a post": (lambda p: _visit(p, "A1", 2, arrive=7_260), Rule.POST_LATE),
    "a post left early": (lambda p: _visit(p, "B1", 1, depart=8_700), Rule.POST_LEFT_EARLY),
    "a post made longer": (lambda p: _post(p, "M-SCHOOL", dwell=2_400), Rule.POST_LEFT_EARLY),
    "a post made earlier": (
        lambda p: _post(p, "M-SCHOOL", earliest=7_000, latest=7_000),
        Rule.POST_LATE,
    ),
    "a team of a post dropped": (lambda p: _drop(p, "B1", 1), Rule.MUST_MISSING),
    "one team more at a post": (lambda p: _post(p, "M-SCHOOL", n_units=3), Rule.MUST_MISSING),
    "a team too many at a post": (lambda p: _post(p, "M-SCHOOL", n_units=1), Rule.MUST_CROWDED),
    "one team twice at a post": (
        lambda p: _insert(_drop(p, "B1", 1), "A1", 3, _stay(p, "A1", 2)),
        Rule.MUST_SAME_UNIT,
    ),
    "a pair before its window": (lambda p: _shifted(p, "A1", 1, -60), Rule.PAIR_EARLY),
    "a pair after its window": (lambda p: _post(p, "M-GATE", latest=3_630), Rule.PAIR_LATE),
    "a pair out of step": (lambda p: _shifted(p, "A2", 0, 120), Rule.PAIR_APART),
    "a pair of one": (lambda p: _drop(p, "A2", 0), Rule.PAIR_ALONE),
    "a pair of one, listed": (
        lambda p: replace(_drop(p, "A2", 0), unserved=(*p.unserved, _named("M-GATE", "GATE"))),
        Rule.PAIR_ALONE,
    ),
    "a pair gone": (lambda p: _drop(_drop(p, "A2", 0), "A1", 1), Rule.MUST_MISSING),
    "a pair by one team": (
        lambda p: _insert(_drop(p, "A2", 0), "A1", 2, _stay(p, "A1", 1)),
        Rule.MUST_SAME_UNIT,
    ),
    "a pair left early": (lambda p: _visit(p, "A1", 1, depart=4_200), Rule.PAIR_DWELL_SHORT),
    "no break": (lambda p: _drop(p, "A2", 2), Rule.BREAK_MISSING),
    "two breaks": (lambda p: _insert(p, "A2", 2, _stay(p, "A2", 2)), Rule.BREAK_TWICE),
    "a break nobody asked for": (lambda p: _unit(p, "A2", break_length=0), Rule.BREAK_UNASKED),
    "a break before its window": (lambda p: _shifted(p, "A2", 2, -300), Rule.BREAK_WINDOW),
    "a break past its window": (lambda p: _shifted(p, "A2", 2, 3_660), Rule.BREAK_WINDOW),
    "a break five minutes short": (lambda p: _visit(p, "A2", 2, depart=10_500), Rule.BREAK_SHORT),
    "a break on the street": (
        lambda p: _visit(p, "A2", 2, place_id="P6", task_id="P6"),
        Rule.BREAK_PLACE,
    ),
    "a shortfall not listed": (lambda p: replace(p, unserved=p.unserved[:1]), Rule.MUST_MISSING),
    "a floor's shortfall not listed": (
        lambda p: replace(p, unserved=p.unserved[1:]),
        Rule.FLOOR_MISSED,
    ),
    "an unserved task that does not exist": (
        lambda p: replace(p, unserved=(*p.unserved, _named("P77", "P77"))),
        Rule.UNSERVED_UNKNOWN,
    ),
    "an unserved task listed twice": (
        lambda p: replace(p, unserved=(*p.unserved, p.unserved[0])),
        Rule.UNSERVED_TWICE,
    ),
    "an unserved task at another place": (
        lambda p: _listed(p, 1, place_id="P1"),
        Rule.UNSERVED_PLACE,
    ),
    "two missing where one is": (lambda p: _listed(p, 1, missing=2), Rule.UNSERVED_COUNT),
    "a served place listed": (
        lambda p: replace(p, unserved=(*p.unserved, _named("P1", "P1"))),
        Rule.UNSERVED_SERVED,
    ),
    "no cause": (lambda p: _listed(p, 0, cause=""), Rule.UNSERVED_CAUSE),
    "a value too high": (lambda p: _part(p, 0, amount=200, points=200), Rule.OBJECTIVE_PART),
    "travel left out": (lambda p: replace(p, parts=p.parts[:1] + p.parts[2:]), Rule.OBJECTIVE_PART),
    "a part that does not exist": (
        lambda p: replace(
            p,
            parts=(
                *p.parts,
                ObjectivePart(name="luck", amount=1, unit="point", rate=1, points=1),
            ),
        ),
        Rule.OBJECTIVE_PART,
    ),
    "amount times rate is not points": (lambda p: _part(p, 1, points=-100), Rule.OBJECTIVE_PART),
    "an objective too high": (lambda p: replace(p, objective=0), Rule.OBJECTIVE_SUM),
    "the objective of another plan": (lambda p: _drop(p, "A1", 4), Rule.OBJECTIVE_SUM),
    "other rates": (
        lambda p: _problem(p, rates=replace(p.problem.rates, travel=2)),
        Rule.OBJECTIVE_PART,
    ),
    "a bound below the objective": (lambda p: replace(p, bound=-10), Rule.BOUND_BELOW),
    "optimal without a proof": (
        lambda p: replace(p, status=Status.OPTIMAL),
        Rule.STATUS_UNPROVEN,
    ),
    "another problem's hash": (lambda p: replace(p, problem_hash="0" * 64), Rule.HASH_WRONG),
    "another seed": (lambda p: _problem(p, seed=8), Rule.HASH_WRONG),
    "an unused leg changed": (lambda p: _leg(p, "P6", "P4", 1), Rule.HASH_WRONG),
}


def test_a_sound_plan_breaks_no_rule(town_plan):
    assert check_plan(town_plan) == ()
    assert check_legs(town_plan) == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_fault_is_named(town_plan, fault):
    inject, expected = FAULTS[fault]
    assert expected in {violation.code for violation in check_plan(inject(town_plan))}


def test_faults_are_many_and_cover_every_rule_of_a_night():
    of_others = ("venue", "cadence", "day", "round", "team", "service", "count", "file", "sweep")
    rules = {rule for rule in Rule if rule.split(".")[1] not in of_others}
    assert {rule for _, rule in FAULTS.values()} == rules - {Rule.TRAVEL_TOO_FAST}
    assert len(FAULTS) >= 60


def test_travel_times_in_minutes_instead_of_seconds_break_physics(town_plan):
    travel = town_plan.problem.travel
    minutes = replace(travel, seconds=(travel.seconds // 60).astype(np.int32))
    routes = tuple(
        replace(r, visits=tuple(replace(v, travel=v.travel // 60) for v in r.visits))
        for r in town_plan.routes
    )
    plan = _problem(replace(town_plan, routes=routes), travel=minutes)
    faults = check_legs(plan)
    assert {fault.code for fault in faults} == {Rule.TRAVEL_TOO_FAST}
    assert len(faults) == 11


def test_the_objective_is_the_one_worked_out_by_hand(town_plan):
    assert [part.points for part in objective_parts(town_plan)] == [195, -120, -84]


def test_the_third_visit_earns_35_percent_rounded_down(town_plan):
    plan = _band(town_plan, "P1", cap=3)
    plan = _insert(plan, "A1", 5, _stay(plan, "A1", 4), arrive=14_500, depart=15_220)
    assert objective_parts(plan)[0].amount == 195 + 60 * 35 // 100


def test_an_idle_unit_needs_no_break_and_counts_in_fairness(town_plan):
    idle = replace(town_plan, routes=tuple(r for r in town_plan.routes if r.unit_id == "A1"))
    assert Rule.BREAK_MISSING not in {fault.code for fault in check_plan(idle)}
    assert objective_parts(idle)[2].amount == (2_400 + 3_960) // 60


def test_a_place_without_a_floor_may_be_listed_or_not(town_plan):
    listed = replace(town_plan, unserved=(*town_plan.unserved, _named("P6", "P6")))
    assert check_plan(listed) == ()


def test_every_rule_has_its_text_in_both_languages(town_plan):
    entries = tomllib.loads(Path("api/i18n/check.toml").read_text(encoding="utf-8"))
    assert {rule.value for rule in Rule} <= set(entries)
    for inject, _ in FAULTS.values():
        for violation in check_plan(inject(town_plan)):
            for lang in LANGUAGES:
                assert text(violation.code, lang, **violation.params)
