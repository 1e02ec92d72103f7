"""The figures a plan and a schedule report, each with its denominator.

They describe what is planned; none claims an effect on crime.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import geopandas as gpd
import numpy as np

from geo.demand import Demand
from geo.errors import OptionInvalid
from geo.frames import Col, DueState
from geo.rate import Rate
from geo.units import MINUTE
from routing.check.objective import load, station_spreads
from routing.check.schedule import working_days
from routing.model import Plan, Schedule, VisitKind

INSPECTORS = 2
"""Inspectors in a team: at least two by law (行政处罚法, art. 42, 2021)."""

DOSED = (VisitKind.HOTSPOT, VisitKind.EXPLORATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure: a rate, or a value with its unit.

    Attributes
    ----------
    code : str
        Message code; its text has one field, ``figure``.
    rate : Rate, optional
    value : float, optional
    unit : str
        Message code of the value's unit: ``unit.minute`` and so on.
    """

    code: str
    rate: Rate | None = None
    value: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.value is None):
            raise OptionInvalid(
                option=self.code, value=self, expected="a rate or a value, not both"
            )

    def sentence(self, words: Callable[..., str]) -> str:
        """Return the figure as a line; `words(code, **params)` gives the texts."""
        if self.rate is not None:
            return words(self.code, figure=str(self.rate))
        return words(self.code, figure=words(self.unit, n=f"{self.value:,.1f}".removesuffix(".0")))


def measure(
    plan: Plan,
    schedule: Schedule,
    venues: gpd.GeoDataFrame,
    demand: Demand | None = None,
    *,
    legs: gpd.GeoDataFrame | None = None,
) -> tuple[Metric, ...]:
    """Return the figures of a night and of a month's inspections.

    Parameters
    ----------
    plan : Plan
    schedule : Schedule
    venues : GeoDataFrame
        VENUES with due and due_state.
    demand : Demand, optional
        For the reports that the night's demand rests on.
    legs : GeoDataFrame, optional
        `routing.frames.LEGS` of the plan, for the kilometres.
    """
    basis = () if demand is None else (Metric(code="metric.demand.used", rate=demand.used),)
    return (*basis, *measure_plan(plan, legs), *measure_schedule(schedule, venues))


def measure_plan(plan: Plan, legs: gpd.GeoDataFrame | None = None) -> tuple[Metric, ...]:
    """Return the figures of a night."""
    return (*_services(plan), *_times(plan), *_ways(legs))


def _rate(source: Plan | Schedule, n: int, total: int) -> Rate:
    """Return n of N with the day and boundary version of the places it was counted on."""
    facts = source.problem if isinstance(source, Plan) else source
    return Rate(
        n=n, total=total, data_date=facts.data_date, boundary_version=facts.boundary_version
    )


def _services(plan: Plan) -> Iterator[Metric]:
    """Yield what is served, of what was asked for."""
    problem = plan.problem
    visits = [visit for route in plan.routes for visit in route.visits]
    n_visits = Counter(visit.task_id for visit in visits if visit.kind is not VisitKind.BREAK)
    breaks = {r.unit_id for r in plan.routes if any(v.kind is VisitKind.BREAK for v in r.visits)}
    floors = [s for s in problem.stops if s.band.floor]
    open_stops = [s for s in problem.stops if s.band.cap]
    posts = [p for p in problem.posts if p.kind is VisitKind.POST]
    pairs = [p for p in problem.posts if p.kind is VisitKind.PAIR]
    working = {route.unit_id for route in plan.routes if route.visits}
    resting = [u for u in problem.units if u.break_length and u.unit_id in working]
    counts = {
        "teams": (len(working), len(problem.units)),
        "stops": (sum(n_visits[s.place_id] > 0 for s in open_stops), len(open_stops)),
        "floors": (sum(n_visits[s.place_id] >= s.band.floor for s in floors), len(floors)),
        "posts": (sum(n_visits[p.post_id] >= p.n_units for p in posts), len(posts)),
        "pairs": (sum(n_visits[p.post_id] >= p.n_units for p in pairs), len(pairs)),
        "breaks": (sum(unit.unit_id in breaks for unit in resting), len(resting)),
        "demand": (
            sum(sum(s.value_by_hour) for s in open_stops if n_visits[s.place_id]),
            sum(sum(s.value_by_hour) for s in open_stops),
        ),
        "exploration": (
            sum(visit.kind is VisitKind.EXPLORATION for visit in visits),
            sum(visit.kind in DOSED for visit in visits),
        ),
    }
    for name, (n, total) in counts.items():
        yield Metric(code=f"metric.patrol.{name}", rate=_rate(plan, n, total))


def _times(plan: Plan) -> Iterator[Metric]:
    """Yield how the teams' time out of the station is spent, and how evenly."""
    out = sum(route.end - route.start for route in plan.routes)
    rest = sum(
        v.depart - v.arrive for r in plan.routes for v in r.visits if v.kind is VisitKind.BREAK
    )
    travel = sum(v.travel for r in plan.routes for v in r.visits)
    travel += sum(route.travel_back for route in plan.routes)
    stay = sum(load(route) for route in plan.routes) - travel
    parts = {"dwell": stay, "travel": travel, "rest": rest, "wait": out - stay - travel - rest}
    total = sum(seconds // MINUTE for seconds in parts.values())
    for name, seconds in parts.items():
        yield Metric(
            code=f"metric.patrol.{name}", rate=_rate(plan, max(0, seconds) // MINUTE, total)
        )
    spreads = [seconds / MINUTE for seconds in station_spreads(plan).values()]
    spread = round(float(np.mean(spreads)), 1) if spreads else 0.0
    yield Metric(code="metric.patrol.spread", value=spread, unit="unit.minute")


def _ways(legs: gpd.GeoDataFrame | None) -> Iterator[Metric]:
    if legs is not None:
        kilometres = round(float(legs[Col.LENGTH].sum()) / 1000, 1)
        yield Metric(code="metric.patrol.length", value=kilometres, unit="unit.kilometre")


def measure_schedule(schedule: Schedule, venues: gpd.GeoDataFrame) -> tuple[Metric, ...]:
    """Return the figures of a month's inspections."""
    return (*_coverage(schedule, venues), *_rounds(schedule))


def _coverage(schedule: Schedule, venues: gpd.GeoDataFrame) -> Iterator[Metric]:
    """Yield how many venues are due, overdue, unknown, planned, and planned in time."""
    items = [item for one in schedule.rounds for item in one.inspections]
    n_overdue = int((venues[Col.DUE_STATE] == DueState.OVERDUE.value).sum())
    n_known = schedule.n_venues - schedule.n_unknown
    in_time = [i for i in items if not i.is_overdue]
    n_can = schedule.n_due - sum(i.is_overdue for i in items) - _n_overdue_left(schedule, venues)
    counts = {
        "due": (schedule.n_due, n_known),
        "overdue": (n_overdue, n_known),
        "unknown": (schedule.n_unknown, schedule.n_venues),
        "planned": (len(items), schedule.n_due),
        "on_time": (len(in_time), n_can),
    }
    for name, (n, total) in counts.items():
        yield Metric(code=f"metric.inspection.{name}", rate=_rate(schedule, n, total))


def _n_overdue_left(schedule: Schedule, venues: gpd.GeoDataFrame) -> int:
    """Return how many venues left out were overdue before the first working day."""
    left = {item.task_id for item in schedule.unserved}
    after = schedule.last_day + timedelta(days=1)
    first = np.datetime64(next(working_days(schedule), after), "D")
    due = venues[Col.DUE].to_numpy().astype("datetime64[D]")
    return int((venues[Col.VENUE_ID].isin(left).to_numpy() & (due < first)).sum())


def _rounds(schedule: Schedule) -> Iterator[Metric]:
    """Yield how many rounds, how full they are, and what is missing."""
    n_stops = [len(one.inspections) for one in schedule.rounds]
    n_days = sum(days for _, days in schedule.missing_days)
    travel = sum(
        one.travel_back + sum(item.travel for item in one.inspections) for one in schedule.rounds
    )
    total = sum(one.end for one in schedule.rounds)
    median = float(np.median(n_stops)) if n_stops else 0.0
    yield Metric(code="metric.inspection.rounds", value=len(n_stops), unit="unit.round")
    yield Metric(code="metric.inspection.stops", value=median, unit="unit.venue")
    yield Metric(
        code="metric.inspection.travel",
        rate=_rate(schedule, travel // MINUTE, total // MINUTE),
    )
    yield Metric(
        code="metric.inspection.missing", value=INSPECTORS * n_days, unit="unit.inspector_day"
    )
