"""Inspections: a town by hand, properties on random towns, and every fault named."""

import itertools
import json
import threading
from dataclasses import replace
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from geo.errors import OptionInvalid, PlanInvalid, Stopped
from geo.frames import STATIONS, VENUES, Tier, VenueKind, require
from geo.privacy import Audience
from geo.venue import due_venues
from routing.check import Rule, check_schedule
from routing.inspection import DAY_LENGTH, plan_inspections, warm_up
from routing.inspection.flow import assign
from routing.inspection.kernels import FAR, best_order, improve
from routing.inspection.work import working_days
from routing.io import check_schedule_file, read_schedule, write_schedule
from routing.model import UNREACHABLE, Mode

SUNDAY = date(2026, 11, 1)
METRES_EAST, METRES_NORTH = 89_500.0, 111_000.0


class Straight:
    """Travel as the crow flies at 30 km/h; nothing crosses 117° east."""

    def snap(self, lonlat):
        return lonlat

    def many_to_many(self, origins, destinations, mode):
        step = origins[:, None] - destinations[None, :]
        metres = np.hypot(step[..., 0] * METRES_EAST, step[..., 1] * METRES_NORTH)
        is_cut = (origins[:, None, 0] > 117) != (destinations[None, :, 0] > 117)
        return np.where(is_cut, UNREACHABLE, np.ceil(metres / (30 / 3.6))).astype(np.int32)


def _frame(schema, columns, lonlat):
    frame = gpd.GeoDataFrame(columns, geometry=shapely.points(lonlat), crs=4326)
    frame = frame.astype({name: column.dtype.value for name, column in schema.columns.items()})
    require(frame, schema, source="test")
    return frame


def _stations(*lonlat, kinds=None):
    n = len(lonlat)
    columns = {
        "station_id": [f"S{k}" for k in range(n)],
        "name": [f"样例所 {k}" for k in range(n)],
        "kind": kinds or ["township"] * n,
        "source": ["synthetic"] * n,
    }
    return _frame(STATIONS, columns, np.array(lonlat, dtype=float))


def _venues(lonlat, tiers, last, *, as_of=SUNDAY):
    n = len(lonlat)
    columns = {
        "venue_id": [f"V{k:03d}" for k in range(n)],
        "name": [f"样例商店 {k:05d}" for k in range(n)],
        "kind": [list(VenueKind)[k % 9].value for k in range(n)],
        "tier": tiers,
        "last_inspection": np.array(last, dtype="datetime64[s]"),
        "source": ["synthetic"] * n,
    }
    return due_venues(_frame(VENUES, columns, np.asarray(lonlat, dtype=float)), as_of=as_of)


def _town(n, seed, *, as_of=SUNDAY):
    """n venues in four clusters around two stations, some overdue, some never inspected."""
    rng = np.random.default_rng(seed)
    centres = np.array([[115.95, 36.45], [116.0, 36.47], [116.05, 36.4], [116.1, 36.5]])
    lonlat = np.round(centres[rng.integers(0, 4, n)] + rng.normal(0, 0.008, (n, 2)), 7)
    tiers = rng.choice([tier.value for tier in Tier], n, p=[0.2, 0.3, 0.5])
    last = np.datetime64(as_of) - rng.integers(0, 220, n)
    last[rng.random(n) < 0.05] = np.datetime64("NaT")
    return _venues(lonlat, tiers, last, as_of=as_of), _stations((115.97, 36.45), (116.07, 36.45))


@pytest.fixture(scope="module")
def month():
    venues, stations = _town(160, 5)
    return venues, stations, plan_inspections(venues, stations, Straight(), as_of=SUNDAY)


# One station, three shops 1 km apart on a street running east; all fall due on Thursday the 5th.
#
#   S0 ──1 km── V000 ──1 km── V001 ──1 km── V002
#
# 1 km takes 120 s at 30 km/h; a green venue takes 25 min. One round does it all:
# out 120, 1500, 120, 1500, 120, 1500, back 360.
def test_three_shops_in_a_row_make_one_round():
    east = 1000 / METRES_EAST
    lonlat = [(116 + (k + 1) * east * 0.999, 36.45) for k in range(3)]
    venues = _venues(lonlat, ["green"] * 3, [date(2026, 5, 5)] * 3)
    schedule = plan_inspections(venues, _stations((116.0, 36.45)), Straight(), as_of=SUNDAY)
    (one,) = schedule.rounds
    assert [item.venue_id for item in one.inspections] == ["V000", "V001", "V002"]
    assert [item.arrive for item in one.inspections] == [120, 1740, 3360]
    assert (one.travel_back, one.end) == (360, 5220)
    assert one.day <= date(2026, 11, 5)
    assert one.inspections[0].due == date(2026, 11, 5)
    assert check_schedule(schedule, venues) == ()


def test_working_days_leave_out_weekends_and_holidays():
    days = working_days(
        date(2026, 10, 1), date(2026, 10, 12), (date(2026, 10, 1), date(2026, 10, 2))
    )
    assert [str(day) for day in days] == [f"2026-10-{d:02d}" for d in (5, 6, 7, 8, 9, 12)]


def test_a_month_is_planned_whole_and_in_time(month):
    venues, stations, schedule = month
    assert check_schedule(schedule, venues, stations) == ()
    planned = sum(len(one.inspections) for one in schedule.rounds)
    assert planned == schedule.n_due
    assert {item.cause for item in schedule.unserved} == {"inspection.cause.unknown"}
    assert len(schedule.unserved) == schedule.n_unknown
    assert schedule.missing_days == ()


def test_the_same_input_gives_the_same_schedule(month):
    venues, stations, schedule = month
    assert plan_inspections(venues, stations, Straight(), as_of=SUNDAY) == schedule


def test_overdue_venues_come_first_red_before_yellow_before_green():
    rng = np.random.default_rng(3)
    lonlat = 116 + rng.normal(0, 0.01, (90, 2)) - [0, 79.55]
    tiers = ["red", "yellow", "green"] * 30
    venues = _venues(lonlat, tiers, [date(2026, 1, 1)] * 90)
    schedule = plan_inspections(venues, _stations((116.0, 36.45)), Straight(), as_of=SUNDAY)
    day = {
        tier: np.mean(
            [one.day.day for one in schedule.rounds for i in one.inspections if i.tier == tier]
        )
        for tier in ("red", "yellow", "green")
    }
    assert day["red"] < day["yellow"] < day["green"]
    assert schedule.rounds[0].day == date(2026, 11, 2)
    assert sum(len(one.inspections) for one in schedule.rounds) == 90


def test_what_does_not_fit_is_named_least_urgent_first():
    venues, stations = _town(400, 8)
    venues = venues[venues["due_state"] != "unknown"].reset_index(drop=True)
    as_of = date(2026, 11, 26)
    venues = due_venues(venues.drop(columns=["due", "due_state"]), as_of=as_of)
    schedule = plan_inspections(venues, stations, Straight(), as_of=as_of)
    assert check_schedule(schedule, venues, stations) == ()
    left = {item.task_id for item in schedule.unserved}
    tiers = dict(zip(venues["venue_id"], venues["tier"], strict=True))
    assert {item.cause for item in schedule.unserved} == {"inspection.cause.no_time"}
    assert len(left) > 50
    served = [item for one in schedule.rounds for item in one.inspections]
    assert sum(item.tier != "red" or not item.is_overdue for item in served) <= 2
    assert {tiers[venue_id] for venue_id in left} == {"red", "yellow", "green"}
    assert sum(days for _, days in schedule.missing_days) >= len(left) // 16


def test_a_full_station_hands_on_to_its_neighbour():
    rng = np.random.default_rng(4)
    lonlat = np.array([116.0, 36.45]) + rng.normal(0, 0.004, (180, 2))
    venues = _venues(lonlat, ["green"] * 180, [date(2026, 4, 30)] * 180, as_of=date(2026, 10, 26))
    stations = _stations((116.0, 36.45), (116.03, 36.45))
    schedule = plan_inspections(
        venues, stations, Straight(), as_of=date(2026, 10, 19), last_day=date(2026, 10, 31)
    )
    assert {one.station_id for one in schedule.rounds} == {"S0", "S1"}
    assert len(schedule.unserved) == 0


def test_more_teams_or_none_change_who_inspects():
    venues, stations = _town(60, 6)
    schedule = plan_inspections(
        venues, stations, Straight(), as_of=SUNDAY, teams={"S1": 2}, mode=Mode.EBIKE
    )
    assert {one.station_id for one in schedule.rounds} == {"S1"}
    assert (schedule.n_teams, schedule.mode) == (2, Mode.EBIKE)
    special = _stations((115.97, 36.45), (116.07, 36.45), kinds=["special", "urban"])
    schedule = plan_inspections(venues, special, Straight(), as_of=SUNDAY)
    assert {one.station_id for one in schedule.rounds} == {"S1"}


def test_venues_nobody_reaches_are_named():
    lonlat = [(116.0, 36.45), (117.5, 36.45), (116.999, 38.0)]
    venues = _venues(lonlat, ["green"] * 3, [date(2026, 5, 20)] * 3)
    schedule = plan_inspections(venues, _stations((116.0, 36.45)), Straight(), as_of=SUNDAY)
    causes = {item.task_id: item.cause for item in schedule.unserved}
    assert causes == {
        "V001": "inspection.cause.unreachable",
        "V002": "inspection.cause.too_far",
    }


def test_a_period_without_a_working_day_leaves_all_out():
    venues, stations = _town(20, 1)
    saturday = date(2026, 11, 28)
    schedule = plan_inspections(
        venues, stations, Straight(), as_of=saturday, last_day=saturday + timedelta(days=1)
    )
    assert schedule.rounds == ()
    assert "inspection.cause.no_day" in {item.cause for item in schedule.unserved}
    assert check_schedule(schedule, venues, stations) == ()


def test_warming_up_compiles_what_planning_runs():
    warm_up()
    before = len(improve.signatures), len(best_order.signatures)
    venues, stations = _town(60, 6)
    plan_inspections(venues, stations, Straight(), as_of=SUNDAY)
    assert (len(improve.signatures), len(best_order.signatures)) == before == (1, 1)


def test_no_venue_due_makes_an_empty_schedule():
    venues = _venues([(116.0, 36.45)], ["green"], [SUNDAY])
    schedule = plan_inspections(venues, _stations((116.0, 36.45)), Straight(), as_of=SUNDAY)
    assert (schedule.rounds, schedule.unserved, schedule.n_due) == ((), (), 0)


def test_it_tells_its_progress_and_stops_when_asked():
    venues, stations = _town(40, 2)
    told = []
    schedule = plan_inspections(
        venues,
        stations,
        Straight(),
        as_of=SUNDAY,
        progress=lambda done, total, best=None: told.append((done, total)),
    )
    assert told[-1] == (schedule.n_due, schedule.n_due)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        plan_inspections(venues, stations, Straight(), as_of=SUNDAY, stop=stop)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(n=st.integers(1, 70), seed=st.integers(0, 10**6), day=st.integers(0, 29))
def test_no_schedule_ever_breaks_a_rule(n, seed, day):
    as_of = SUNDAY + timedelta(days=day)
    venues, stations = _town(n, seed, as_of=as_of)
    schedule = plan_inspections(
        venues, stations, Straight(), as_of=as_of, closed_days=(date(2026, 11, 20),)
    )
    assert check_schedule(schedule, venues, stations) == ()
    assert all(one.end <= DAY_LENGTH for one in schedule.rounds)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(n=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_the_order_of_a_round_is_the_best_of_all(n, seed):
    seconds = np.random.default_rng(seed).integers(1, 1000, (n + 1, n + 1)).astype(np.int32)
    np.fill_diagonal(seconds, 0)

    def length(order):
        way = [0, *order, 0]
        return sum(int(seconds[a, b]) for a, b in itertools.pairwise(way))

    found = best_order(seconds, np.arange(1, n + 1, dtype=np.int64))
    assert sorted(found) == list(range(1, n + 1))
    assert length(found) == min(map(length, itertools.permutations(range(1, n + 1))))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(n=st.integers(1, 12), n_groups=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_the_flow_costs_what_the_hungarian_method_costs(n, n_groups, seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 100, (n, n_groups))
    cost[rng.random(cost.shape) < 0.2] = FAR
    capacity = rng.integers(0, 4, n_groups)
    leave = rng.integers(50, 150, n)
    group = assign(cost, capacity, leave)
    paid = sum(int(leave[i] if g < 0 else cost[i, g]) for i, g in enumerate(group))
    seats = np.repeat(np.arange(n_groups), capacity)
    table = np.hstack([cost[:, seats], np.where(np.eye(n, dtype=bool), leave[:, None], FAR)])
    assert paid == int(table[linear_sum_assignment(table)].sum())
    assert (np.bincount(group[group >= 0], minlength=n_groups) <= capacity).all()


def _round(schedule, k, **values):
    rounds = list(schedule.rounds)
    rounds[k] = replace(rounds[k], **values)
    return replace(schedule, rounds=tuple(rounds))


def _item(schedule, k, j, **values):
    items = list(schedule.rounds[k].inspections)
    items[j] = replace(items[j], **values)
    return _round(schedule, k, inspections=tuple(items))


def _left(schedule, k, **values):
    items = list(schedule.unserved)
    items[k] = replace(items[k], **values)
    return replace(schedule, unserved=tuple(items))


def _late(schedule):
    k = next(
        k
        for k, one in enumerate(schedule.rounds)
        if any(not item.is_overdue and item.due.day < 26 for item in one.inspections)
    )
    return _round(schedule, k, day=date(2026, 11, 30), team_id="T-late")


FAULTS = {
    "a venue twice": (
        lambda s: _round(s, 0, inspections=s.rounds[0].inspections + s.rounds[1].inspections[:1]),
        Rule.VENUE_TWICE,
    ),
    "a venue dropped": (
        lambda s: _round(s, 0, inspections=s.rounds[0].inspections[1:]),
        Rule.VENUE_MISSING,
    ),
    "a venue that is not due": (lambda s: _item(s, 0, 0, venue_id="V999"), Rule.VENUE_UNKNOWN),
    "another tier": (lambda s: _item(s, 0, 0, tier="blue"), Rule.VENUE_FACTS),
    "another kind": (lambda s: _item(s, 0, 0, kind="bank"), Rule.VENUE_FACTS),
    "another due day": (lambda s: _item(s, 0, 0, due=date(2026, 12, 9)), Rule.VENUE_FACTS),
    "overdue denied": (
        lambda s: _item(s, 0, 0, is_overdue=not s.rounds[0].inspections[0].is_overdue),
        Rule.VENUE_FACTS,
    ),
    "after the due day": (_late, Rule.CADENCE_BROKEN),
    "on a Sunday": (lambda s: _round(s, 0, day=date(2026, 11, 8)), Rule.DAY_CLOSED),
    "on a holiday": (
        lambda s: replace(s, closed_days=(s.rounds[0].day,)),
        Rule.DAY_CLOSED,
    ),
    "next month": (lambda s: _round(s, 0, day=date(2026, 12, 1)), Rule.DAY_OUTSIDE),
    "a day too long": (lambda s: replace(s, day_length=3_600), Rule.DAY_LENGTH),
    "a round id twice": (lambda s: _round(s, 0, round_id=s.rounds[1].round_id), Rule.ROUND_TWICE),
    "an empty round": (
        lambda s: _round(s, 0, inspections=(), end=0, travel_back=0),
        Rule.ROUND_EMPTY,
    ),
    "home too early": (lambda s: _round(s, 0, end=s.rounds[0].end - 60), Rule.ROUND_END),
    "two rounds on one day": (
        lambda s: _round(s, 0, team_id=s.rounds[1].team_id, day=s.rounds[1].day),
        Rule.TEAM_TWICE,
    ),
    "a team from two stations": (
        lambda s: _round(s, 0, station_id="S9"),
        Rule.TEAM_STATION,
    ),
    "a short inspection": (
        lambda s: _item(s, 0, 0, depart=s.rounds[0].inspections[0].depart - 300),
        Rule.SERVICE_SHORT,
    ),
    "two venues at once": (lambda s: _item(s, 0, 1, arrive=60), Rule.VISIT_OVERLAP),
    "less time than the way takes": (
        lambda s: _item(s, 0, 1, travel=s.rounds[0].inspections[1].travel + 60),
        Rule.WAIT_NEGATIVE,
    ),
    "across town in no time": (lambda s: _item(s, 0, 0, travel=0), Rule.TRAVEL_TOO_FAST),
    "planned and left out": (
        lambda s: _left(s, 0, task_id=s.rounds[0].inspections[0].venue_id),
        Rule.UNSERVED_SERVED,
    ),
    "left out twice": (
        lambda s: replace(s, unserved=s.unserved + s.unserved[:1]),
        Rule.UNSERVED_TWICE,
    ),
    "left out, not known": (lambda s: _left(s, 0, task_id="V999"), Rule.UNSERVED_UNKNOWN),
    "no cause": (lambda s: _left(s, 0, cause=""), Rule.UNSERVED_CAUSE),
    "the wrong cause": (
        lambda s: _left(s, 0, cause="inspection.cause.no_time"),
        Rule.UNSERVED_CAUSE,
    ),
    "left out elsewhere": (lambda s: _left(s, 0, place_id="V001"), Rule.UNSERVED_PLACE),
    "two of one missing": (lambda s: _left(s, 0, missing=2), Rule.UNSERVED_COUNT),
    "more due than are": (lambda s: replace(s, n_due=s.n_due + 1), Rule.COUNT_WRONG),
    "fewer unknown than are": (lambda s: replace(s, n_unknown=0), Rule.COUNT_WRONG),
    "fewer venues than are": (lambda s: replace(s, n_venues=5), Rule.COUNT_WRONG),
    "more teams than there are": (lambda s: replace(s, n_teams=0), Rule.COUNT_WRONG),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_kind_of_fault_is_named(month, fault):
    venues, stations, schedule = month
    if fault == "across town in no time":
        stations = stations.set_geometry(stations.geometry.translate(0.2, 0))
    inject, expected = FAULTS[fault]
    found = check_schedule(inject(schedule), venues, stations)
    assert expected in {violation.code for violation in found}


def test_a_schedule_comes_back_as_it_was_and_is_judged_from_its_file(month, tmp_path):
    venues, stations, schedule = month
    path = tmp_path / "due.json"
    write_schedule(schedule, path, venues=venues, stations=stations, audience=Audience.COMMAND)
    first = path.read_bytes()
    write_schedule(
        read_schedule(path), path, venues=venues, stations=stations, audience=Audience.COMMAND
    )
    assert path.read_bytes() == first
    assert read_schedule(path) == schedule
    assert check_schedule_file(path) == ()
    with pytest.raises(OptionInvalid):
        write_schedule(schedule, path, venues=venues, stations=stations, audience=Audience.TEAM)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("travel_s", 100_000, Rule.WAIT_NEGATIVE),
        ("arrive_s", 0, Rule.VISIT_OVERLAP),
        ("depart_s", 1, Rule.SERVICE_SHORT),
        ("tier", "red", Rule.SERVICE_SHORT),
        ("due", "2026-11-01", Rule.VENUE_FACTS),
        ("order", 7, Rule.FILE_DIFFERS),
        ("lon", 116.0, Rule.FILE_DIFFERS),
        ("name", "Q", Rule.FILE_DIFFERS),
        ("venue_id", "first", Rule.VENUE_TWICE),
        ("kind", "dwelling", None),
        ("due", "2026-02-31", None),
        ("phone", "13800000000", None),
    ],
)
def test_a_changed_file_is_named_or_refused(month, tmp_path, key, value, expected):
    venues, stations, schedule = month
    path = tmp_path / "due.json"
    write_schedule(schedule, path, venues=venues, stations=stations, audience=Audience.COMMAND)
    document = json.loads(path.read_text(encoding="utf-8"))
    item = next(
        item
        for one in document["rounds"]
        for item in one["inspections"][1:]
        if item["tier"] == "green" and not item["is_overdue"]
    )
    twin = document["rounds"][0]["inspections"][0]["venue_id"]
    item[key] = twin if value == "first" else value
    path.write_text(json.dumps(document), encoding="utf-8")
    if expected is None:
        with pytest.raises(PlanInvalid):
            check_schedule_file(path)
    else:
        assert expected in {violation.code for violation in check_schedule_file(path)}
