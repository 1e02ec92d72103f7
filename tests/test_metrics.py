"""Figures and frames of the town drawn in `conftest.py`, worked out by hand."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from api.i18n import LANGUAGES, text
from geo.errors import OptionInvalid
from geo.frames import Col, DueState, require
from geo.rate import Rate
from routing.frames import LEGS, VISITS, legs_frame, visits_frame
from routing.metrics import Metric, measure, measure_plan, measure_schedule
from routing.model import Inspection, Round, Schedule, Status, Unserved


@dataclass(frozen=True)
class Way:
    length: float
    names: tuple[str, ...]
    lonlat: np.ndarray


class Crow:
    """Ways as the crow flies; a way to where one stands is empty."""

    def legs(self, pairs):
        def way(origin, destination):
            ends = np.array([(origin.lon, origin.lat), (destination.lon, destination.lat)])
            is_same = origin == destination
            return Way(
                0.0 if is_same else 3000.04, ("柳园路", "兴华路"), ends[: 0 if is_same else 2]
            )

        return [way(origin, destination) for origin, destination, _ in pairs]


def _rates(metrics):
    return {m.code.split(".", 1)[1]: (m.rate.n, m.rate.total) for m in metrics if m.rate}


def _values(metrics):
    return {m.code.split(".", 1)[1]: (m.value, m.unit) for m in metrics if m.rate is None}


def test_the_figures_of_the_night_are_those_worked_out_by_hand(town_plan):
    rates = _rates(measure_plan(town_plan))
    assert rates["patrol.teams"] == (3, 3)
    assert rates["patrol.stops"] == (3, 5)
    assert rates["patrol.floors"] == (1, 2)
    assert rates["patrol.posts"] == (1, 2)
    assert rates["patrol.pairs"] == (1, 1)
    assert rates["patrol.breaks"] == (3, 3)
    assert rates["patrol.demand"] == (450 + 83 + 120, 450 + 83 + 120 + 300 + 30)
    assert rates["patrol.exploration"] == (1, 4)


def test_the_time_out_adds_up(town_plan):
    # Out: A1 207 min, A2 134 min, B1 190 min. On site 66 + 24 + 42, way 40 + 40 + 40, break 3 x 30.
    rates = _rates(measure_plan(town_plan))
    assert rates["patrol.dwell"] == (132, 531)
    assert rates["patrol.travel"] == (120, 531)
    assert rates["patrol.rest"] == (90, 531)
    assert rates["patrol.wait"] == (189, 531)
    assert _values(measure_plan(town_plan)) == {"patrol.spread": (21.0, "unit.minute")}


def test_every_rate_carries_its_day_and_boundary_version(town_plan):
    for metric in measure_plan(town_plan):
        if metric.rate is not None:
            assert metric.rate.data_date == date(2026, 11, 20)
            assert metric.rate.boundary_version == "2023-06"


def test_an_idle_night_has_figures_too(town_plan):
    idle = replace(town_plan, routes=())
    assert _rates(measure_plan(idle))["patrol.teams"] == (0, 3)
    assert _rates(measure_plan(idle))["patrol.wait"] == (0, 0)


def test_a_metric_is_a_rate_or_a_value():
    with pytest.raises(OptionInvalid):
        Metric(code="metric.patrol.teams")
    rate = Rate(n=1, total=2, data_date=date(2026, 1, 1), boundary_version="1")
    with pytest.raises(OptionInvalid):
        Metric(code="metric.patrol.teams", rate=rate, value=1.0)


@pytest.mark.parametrize(
    ("value", "shown"), [(1234567.0, "1,234,567"), (21.04, "21"), (0.25, "0.2"), (3, "3")]
)
def test_values_are_shown_in_full(value, shown):
    metric = Metric(code="metric.patrol.length", value=value, unit="unit.kilometre")
    line = metric.sentence(lambda code, **params: text(code, "en", **params))
    assert line == f"Length of all routes: {shown} km"


# Two working days; three venues due of five known, one never inspected. One was overdue before the
# first working day and is planned, one is planned by its due day, one is left out.
def _schedule():
    monday = date(2026, 11, 2)
    item = {"tier": "green", "kind": "shop", "travel": 600}
    overdue = Inspection(
        venue_id="V0",
        place_id="V0",
        due=date(2026, 10, 5),
        is_overdue=True,
        arrive=600,
        depart=2100,
        **item,
    )
    due = Inspection(
        venue_id="V1",
        place_id="V1",
        due=date(2026, 11, 3),
        is_overdue=False,
        arrive=2700,
        depart=4200,
        **item,
    )
    one = Round(
        round_id="S0-J1-20261102",
        team_id="S0-J1",
        station_id="S0",
        day=monday,
        travel_back=600,
        end=4800,
        inspections=(overdue, due),
    )
    left = [("V2", "inspection.cause.no_time"), ("V5", "inspection.cause.unknown")]
    return Schedule(
        first_day=monday - timedelta(days=1),
        last_day=date(2026, 11, 3),
        day_length=23_400,
        rounds=(one,),
        unserved=tuple(Unserved(task_id=v, place_id=v, cause=c, missing=1) for v, c in left),
        status=Status.FEASIBLE,
        engine="by-hand",
        problem_hash="0" * 64,
        seed=0,
        data_date=monday,
        boundary_version="2023-06",
        n_teams=1,
        n_venues=6,
        n_due=3,
        n_unknown=1,
        missing_days=(("S0", 1),),
        synthetic=True,
    )


def _venues():
    due = ["2026-10-05", "2026-11-03", "2026-11-02", "2027-01-01", "2027-02-01", "NaT"]
    states = [DueState.OVERDUE, DueState.DUE, DueState.DUE, *[DueState.LATER] * 2, DueState.UNKNOWN]
    return gpd.GeoDataFrame(
        {
            Col.VENUE_ID: [f"V{k}" for k in range(6)],
            Col.DUE: np.array(due, dtype="datetime64[s]"),
            Col.DUE_STATE: [state.value for state in states],
        }
    )


def test_the_figures_of_the_month_are_those_counted_by_hand():
    metrics = measure_schedule(_schedule(), _venues())
    assert _rates(metrics) == {
        "inspection.due": (3, 5),
        "inspection.overdue": (1, 5),
        "inspection.unknown": (1, 6),
        "inspection.planned": (2, 3),
        "inspection.on_time": (1, 2),
        "inspection.travel": (30, 80),
    }
    assert _values(metrics) == {
        "inspection.rounds": (1, "unit.round"),
        "inspection.stops": (2.0, "unit.venue"),
        "inspection.missing": (2, "unit.inspector_day"),
    }


def test_every_figure_has_its_words_and_none_speaks_of_crime(town_plan):
    legs = legs_frame(town_plan, Crow())
    metrics = measure(town_plan, _schedule(), _venues(), legs=legs)
    for lang in LANGUAGES:
        lines = [m.sentence(lambda code, lang=lang, **p: text(code, lang, **p)) for m in metrics]
        assert len(set(lines)) == len(metrics)
        assert not any(word in line for line in lines for word in ("犯罪", "发案", "crime"))
    used = {metric.code for metric in metrics} | {"metric.demand.used"}
    areas = [Path(f"api/i18n/{area}.toml") for area in ("check", "inspection")]
    written = {code for area in areas for code in tomllib.loads(area.read_text(encoding="utf-8"))}
    assert {code for code in written if code.startswith("metric.")} == used


def test_the_legs_of_a_plan_are_its_ways_in_order(town_plan):
    legs = legs_frame(town_plan, Crow())
    require(legs, LEGS, source="legs")
    of_a1 = legs[legs[Col.UNIT_ID] == "A1"]
    assert of_a1[Col.ORDER].tolist() == [1, 2, 3, 4, 5, 6]
    assert of_a1[Col.TASK_ID].tolist() == ["P1", "M-GATE", "M-SCHOOL", "S2", "P1", ""]
    assert of_a1[Col.DEPART].tolist() == [0, 1_020, 4_320, 9_000, 11_100, 12_120]
    assert of_a1[Col.ARRIVE].tolist() == [300, 1_320, 5_220, 9_300, 11_400, 12_420]
    assert of_a1[Col.STREETS].tolist() == ["柳园路 → 兴华路"] * 6
    assert legs[Col.LENGTH].tolist()[-1] == 0.0
    assert (len(legs), (legs[Col.LENGTH] == 3_000.0).sum()) == (14, 13)
    metrics = measure_plan(town_plan, legs)
    assert _values(metrics)["patrol.length"] == (
        round(legs[Col.LENGTH].sum() / 1000, 1),
        "unit.kilometre",
    )


def test_the_visits_of_a_plan_are_its_stays(town_plan):
    visits = visits_frame(town_plan)
    require(visits, VISITS, source="visits")
    assert len(visits) == 11
    assert visits[Col.VISIT_ID].iloc[0] == "A1-01"
    assert visits.geometry.iloc[0].coords[0] == (town_plan.problem.places[2].lon, 36.45)


def test_a_plan_without_routes_has_empty_frames(town_plan):
    idle = replace(town_plan, routes=())
    assert len(legs_frame(idle, Crow())) == len(visits_frame(idle)) == 0
    require(legs_frame(idle, Crow()), LEGS, source="legs", allow_empty=True)
