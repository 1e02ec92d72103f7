"""Tonight's plan, from hand-checked towns to random nights, each judged by `routing.check`."""

import signal
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InfeasibleError, OptionInvalid, Stopped, ValueInvalid
from geo.frames import Col
from geo.units import CITY_ZONE, HOUR, MINUTE
from routing.check import check_plan
from routing.model import (
    UNREACHABLE,
    Band,
    Mode,
    Place,
    Post,
    Problem,
    Rates,
    Shift,
    Status,
    Stop,
    TravelTimes,
    Unit,
    VisitKind,
)
from routing.patrol import plan_night, pose_night
from routing.patrol.bound import upper_bound
from routing.patrol.choice import choose_routes
from routing.patrol.encode import encode
from routing.patrol.slots import clashes, slot_windows
from routing.patrol.timetable import earliest_starts, objective_units
from routing.search.anneal import Search

WORK = {"iterations": 1_500, "choice_work": 0.5}
SHIFT = Shift(start=datetime(2026, 3, 2, 20, tzinfo=CITY_ZONE), length=6 * HOUR)


def unit(unit_id, station_id="S", *, mode=Mode.CAR, rest=1800, window=(2 * HOUR, 5 * HOUR)):
    return Unit(
        unit_id=unit_id,
        call_sign=unit_id,
        station_id=station_id,
        mode=mode,
        headcount=4,
        break_window=window,
        break_length=rest,
    )


def stop(place_id, value=30, **band):
    worth = value if isinstance(value, tuple) else (value,) * 6
    return Stop(
        place_id=place_id,
        kind=VisitKind.HOTSPOT,
        band=Band(**band),
        value_by_hour=worth,
        reason="patrol.reason.demand_some",
        peak_hour=worth.index(max(worth)),
    )


def post(post_id, at, dwell=1800, n_units=1, until=None):
    return Post(
        post_id=post_id,
        place_id=post_id,
        kind=VisitKind.POST if until is None else VisitKind.PAIR,
        earliest=at,
        latest=at if until is None else until,
        dwell=dwell,
        n_units=n_units,
    )


def town(ids, xy, *, units, stops=(), posts=(), rests=("S",), length=6 * HOUR, **other):
    """Minutes of travel are the distance in the plane, rounded up."""
    xy = np.array(xy, float)
    away = np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1))
    seconds = (MINUTE * np.ceil(away - 1e-9)).astype(np.int32)
    modes = tuple(mode for mode in Mode if any(u.mode is mode for u in units))
    return Problem(
        shift=replace(SHIFT, length=length),
        places=tuple(Place(place_id=i, name=i, lon=116.0, lat=36.0) for i in ids),
        units=tuple(units),
        stops=tuple(stops),
        posts=tuple(posts),
        rests=tuple(rests),
        travel=TravelTimes(
            place_ids=tuple(ids), modes=modes, seconds=np.stack([seconds] * len(modes))
        ),
        rates=Rates(),
        seed=other.pop("seed", 1),
        data_date=date(2026, 3, 1),
        boundary_version="2023-06",
        synthetic=True,
        **other,
    )


def visited(plan):
    return [[visit.task_id for visit in route.visits] for route in plan.routes]


# S --10-- A --10-- B --10-- C      minutes along one street; one unit from S, one visit each


def street(**other):
    stops = other.pop("stops", [stop("A"), stop("B"), stop("C")])
    units = other.pop("units", [unit("1")])
    ids, xy = ["S", "A", "B", "C"], [(0, 0), (10, 0), (20, 0), (30, 0)]
    return town(ids, xy, stops=stops, units=units, **other)


def test_street_is_walked_once_and_adds_up():
    plan = plan_night(street(), **WORK)
    assert check_plan(plan) == ()
    assert sorted(visited(plan)[0]) == ["A", "B", "C", "S"]
    assert [part.points for part in plan.parts] == [90, -60, 0]
    assert plan.objective == 30
    assert plan.unserved == ()
    assert plan.bound is not None
    assert plan.bound >= plan.objective


def test_a_place_that_costs_more_than_it_earns_is_left_out():
    plan = plan_night(street(stops=[stop("A"), stop("C", value=20)]), **WORK)
    assert check_plan(plan) == ()
    assert [(item.task_id, item.cause) for item in plan.unserved] == [
        ("C", "patrol.cause.crowded_out")
    ]


def test_a_floor_is_met_even_at_a_loss():
    plan = plan_night(street(stops=[stop("C", value=10, floor=1)]), **WORK)
    assert check_plan(plan) == ()
    assert "C" in visited(plan)[0]
    assert plan.objective == 10 - 60


def test_the_best_hour_is_waited_for():
    plan = plan_night(street(stops=[stop("A", value=(10, 10, 10, 10, 90, 10))]), **WORK)
    [visit] = [v for v in plan.routes[0].visits if v.task_id == "A"]
    assert visit.arrive // HOUR == 4
    assert plan.parts[0].amount == 90


@pytest.mark.parametrize("cap", [1, 2, 3, 4])
def test_repeats_fall_in_value_and_keep_the_spacing(cap):
    place = stop("A", value=100, cap=cap, spacing=1800)
    plan = plan_night(street(stops=[place], units=[unit("1", rest=0)]), **WORK)
    assert check_plan(plan) == ()
    assert visited(plan)[0].count("A") == cap
    assert plan.parts[0].amount == sum((100, 60, 35, 20)[:cap])


def test_a_floor_of_four_with_an_hour_between_fits_a_night():
    plan = plan_night(street(stops=[stop("A", floor=4, cap=4, spacing=HOUR, dwell=600)]), **WORK)
    assert check_plan(plan) == ()
    assert visited(plan)[0].count("A") == 4


def test_quiet_unreachable_and_far_places_say_why():
    problem = street(stops=[stop("A", floor=0, cap=0), stop("B"), stop("C")], length=80 * MINUTE)
    problem = replace(problem, units=(unit("1", rest=0),))
    seconds = problem.travel.seconds.copy()
    seconds[:, :, 2] = seconds[:, 2, :] = UNREACHABLE
    seconds[:, 2, 2] = 0
    seconds[:, 0, 3] = 70 * MINUTE
    problem = replace(problem, travel=replace(problem.travel, seconds=seconds))
    plan = plan_night(problem, **WORK)
    assert check_plan(plan) == ()
    assert {item.task_id: item.cause for item in plan.unserved} == {
        "A": "patrol.cause.quiet",
        "B": "patrol.cause.no_way",
        "C": "patrol.cause.too_far",
    }


def test_post_is_held_and_pair_meets():
    posts = [post("B", 2 * HOUR, n_units=1), post("C", HOUR, 720, 2, until=4 * HOUR)]
    problem = street(stops=[stop("A", cap=2)], posts=posts, units=[unit("1"), unit("2")])
    plan = plan_night(problem, **WORK)
    assert check_plan(plan) == ()
    stays = [v for route in plan.routes for v in route.visits]
    [held] = [v for v in stays if v.task_id == "B"]
    first, second = sorted(v.arrive for v in stays if v.task_id == "C")
    assert held.arrive == 2 * HOUR
    assert second - first <= 120
    assert plan.unserved == ()


def test_units_of_a_station_share_the_work():
    stops = [stop("A", cap=4, value=60), stop("B", cap=4, value=60)]
    fair = plan_night(street(stops=stops, units=[unit("1"), unit("2")]), **WORK)
    unfair = plan_night(
        replace(street(stops=stops, units=[unit("1"), unit("2")]), rates=Rates(fairness=0)), **WORK
    )
    assert check_plan(fair) == check_plan(unfair) == ()
    assert fair.parts[2].amount <= unfair.parts[2].amount
    assert unfair.parts[2].points == 0


def test_nothing_to_do_is_a_plan():
    plan = plan_night(street(stops=[]), **WORK)
    assert check_plan(plan) == ()
    assert visited(plan) == [[]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"posts": [post("B", 2 * HOUR, n_units=2)]}, "B 22:00–22:30 × 2: 1 of 2"),
        ({"posts": [post("B", 2 * HOUR), post("C", 2 * HOUR + 600)]}, "B 22:00–22:30"),
        ({"posts": [post("B", 100 * MINUTE, dwell=205 * MINUTE)]}, "B 21:40–01:05"),
        ({"stops": [stop("A", floor=3, cap=3, spacing=3 * HOUR)]}, "place A: 3 visit(s)"),
        ({"units": [unit("1", window=(0, 1700))]}, "unit 1: a break of 30 min"),
    ],
    ids=["heads", "two posts at once", "post over the break", "floor over spacing", "break"],
)
def test_contradictions_are_named_before_the_search(change, named):
    if "× 2" in named:
        change["units"] = [unit("1"), unit("2", "C", window=(2 * HOUR, 2 * HOUR + 1800))]
        change["rests"] = ("S",)
    with pytest.raises(InfeasibleError) as caught:
        plan_night(street(**change), **WORK)
    assert named in caught.value.params["conflict"]


def test_cp_sat_names_the_pair_that_a_post_starves():
    # Two units hold B from 22:00 to 22:30; the pair at C must begin between 22:00 and 22:10.
    posts = [post("B", 2 * HOUR, n_units=2), post("C", 2 * HOUR, 900, 2, until=2 * HOUR + 600)]
    problem = street(posts=posts, stops=[stop("A")], units=[unit("1"), unit("2"), unit("3")])
    with pytest.raises(InfeasibleError) as caught:
        plan_night(problem, **WORK)
    assert "B 22:00–22:30 × 2; C 22:00–22:25 × 2" in caught.value.params["conflict"]


@pytest.mark.parametrize(
    "bad",
    [
        replace(post("B", HOUR), latest=2 * HOUR),
        post("B", HOUR, 720, 3, until=2 * HOUR),
        post("B", HOUR, 240, 2, until=2 * HOUR),
    ],
    ids=["post with a window", "pair of three", "dwell within twice the tolerance"],
)
def test_posts_outside_the_model_are_refused(bad):
    units = [unit(str(i)) for i in range(4)]
    with pytest.raises(OptionInvalid):
        plan_night(street(posts=[bad], units=units), **WORK)


# Random nights in the plane; travel times obey the triangle inequality.


def random_night(seed, *, n_units=4, n_stops=24, n_stations=2, with_musts=True, length=6 * HOUR):
    rng = np.random.default_rng(seed)
    stations = [f"S{i}" for i in range(n_stations)]
    names = [f"h{i}" for i in range(n_stops)]
    musts = ["post", "pair"] if with_musts else []
    xy = rng.uniform(0, 18, (len(stations) + len(names) + len(musts), 2))
    modes = [Mode.CAR, Mode.FOOT]
    units = [unit(f"u{i}", stations[i % n_stations], mode=modes[i == 3]) for i in range(n_units)]
    n_hours = -(-length // HOUR)
    stops = [
        replace(
            stop(name, tuple(int(v) for v in rng.integers(10, 120, n_hours))),
            band=Band(
                floor=int(rng.random() < 0.1),
                cap=int(rng.integers(1, 5)),
                dwell=int(rng.integers(10, 17)) * MINUTE,
                spacing=int(rng.choice([900, 1800, 3600])),
            ),
        )
        for name in names
    ]
    posts = [post("post", 2 * HOUR), post("pair", HOUR, 720, 2, until=3 * HOUR)][: len(musts)]
    return town(
        stations + names + musts,
        xy,
        units=units,
        stops=stops,
        posts=posts,
        rests=stations,
        seed=seed,
        length=length,
    )


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10_000),
    n_units=st.integers(2, 5),
    n_stops=st.integers(0, 30),
    hours=st.integers(5, 9),
)
def test_no_plan_breaks_a_rule(seed, n_units, n_stops, hours):
    problem = random_night(seed, n_units=n_units, n_stops=n_stops, length=hours * HOUR)
    plan = plan_night(problem, iterations=300, choice_work=0.2)
    assert check_plan(plan) == ()
    assert sum(part.points for part in plan.parts) == plan.objective
    assert plan.bound is None or plan.bound >= plan.objective


@pytest.mark.parametrize("seed", range(5))
def test_musts_are_met_on_every_seed(seed):
    plan = plan_night(replace(random_night(3), seed=seed), **WORK)
    assert check_plan(plan) == ()
    assert plan.bound is not None
    assert all(item.cause == "patrol.cause.crowded_out" for item in plan.unserved)


def test_same_problem_same_plan_and_another_seed_another():
    problem = random_night(11)
    plan = plan_night(problem, **WORK)
    again = plan_night(replace(problem), **WORK)
    other = plan_night(replace(problem, seed=12), **WORK)
    assert (plan.plan_id, plan.routes, plan.parts) == (again.plan_id, again.routes, again.parts)
    assert other.plan_id != plan.plan_id


def test_choice_is_optimal_on_its_pool_and_never_below_the_search():
    problem = random_night(21, n_units=5, n_stops=30)
    code = encode(problem, problem.stops)
    search = Search(code.night, 1)
    search.start()
    while search.done < 4_000:
        search.block(4_000)
    best = [tuple(route) for route in search.best_routes()]
    choice = choose_routes(code.night, search.pool_routes(), best, work=5.0, seed=1)
    worth = objective_units(code.night, choice.routes)
    assert choice.status is Status.OPTIMAL
    assert worth == choice.pool_bound
    assert worth >= objective_units(code.night, best)
    assert earliest_starts(code.night, choice.routes) is not None


def test_choice_mends_a_poor_plan_from_better_routes():
    problem = random_night(21, with_musts=False)
    code = encode(problem, tuple(replace(s, band=replace(s.band, floor=0)) for s in problem.stops))
    search = Search(code.night, 1)
    search.start()
    poor = [tuple(route) for route in search.best_routes()]
    while search.done < 2_000:
        search.block(2_000)
    good = [tuple(route) for route in search.best_routes()]
    choice = choose_routes(code.night, enumerate(good), poor, work=5.0, seed=1)
    assert objective_units(code.night, choice.routes) >= objective_units(code.night, good)


def test_bound_is_above_exhaustive_search():
    # One unit, no break, two places: the four orders can be tried by hand.
    problem = street(stops=[stop("A", value=40), stop("C", value=70)], units=[unit("1", rest=0)])
    assert upper_bound(problem, problem.stops) >= 110 - 60
    assert plan_night(problem, **WORK).objective == 50


def test_stop_before_any_full_plan_raises_and_later_returns_it():
    class After:
        def __init__(self, n):
            self.n = n

        def is_set(self):
            self.n -= 1
            return self.n < 0

    problem = random_night(5)
    with pytest.raises(Stopped):
        plan_night(problem, stop=After(0), **WORK)
    seen = []
    plan = plan_night(
        problem,
        iterations=100_000,
        stop=After(12),
        progress=lambda done, total, best=None: seen.append((done, total, best)),
    )
    assert check_plan(plan) == ()
    assert 0 < seen[-1][0] < 20_000
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


# Slots


@pytest.mark.parametrize("cap", [1, 2, 3, 4])
@pytest.mark.parametrize("spacing", [0, 900, 3600, 5000])
def test_slots_that_do_not_clash_keep_the_spacing(cap, spacing):
    place = stop("A", (10, 20, 20, 30, 30, 30), cap=cap, dwell=720, spacing=spacing)
    slots = slot_windows(place, length=6 * HOUR)
    bits = clashes(slots, place)
    most = 0
    for chosen in range(1 << len(slots)):
        members = [i for i in range(len(slots)) if chosen >> i & 1]
        if any(bits[i] & chosen for i in members):
            continue
        most = max(most, len(members))
        for i, j in pairwise(members):
            assert slots[j][0] - (slots[i][1] + 720) >= spacing
    assert most >= min(cap, 1 + (6 * HOUR - 720) // (720 + spacing))
    for first, last in slots:
        worth = {place.value_by_hour[second // HOUR] for second in (first, last)}
        assert len(worth) == 1
        assert last + 720 <= 6 * HOUR


def test_no_slot_where_a_visit_does_not_fit():
    assert slot_windows(stop("A", dwell=900), length=800) == []
    assert slot_windows(stop("A", floor=0, cap=0), length=6 * HOUR) == []


# Posing a night


class Plane:
    """Travel in the plane, a minute per hundredth of a degree."""

    def times(self, places, modes):
        xy = np.array([(p.lon, p.lat) for p in places])
        away = 100 * np.abs(xy[:, None] - xy[None, :]).sum(axis=2)
        seconds = np.stack([np.ceil(MINUTE * away).astype(np.int32)] * len(modes))
        return TravelTimes(
            place_ids=tuple(p.place_id for p in places), modes=modes, seconds=seconds
        )


def layers(n=40, n_stations=2):
    rng = np.random.default_rng(4)

    def points(k):
        return gpd.points_from_xy(*rng.uniform((116.0, 36.4), (116.1, 36.5), (k, 2)).T)

    places = gpd.GeoDataFrame(
        {
            Col.PLACE_ID: [f"p{i}" for i in range(n)],
            Col.NAME: [f"街{i}" for i in range(n)],
            Col.KIND: ["exploration" if i % 10 == 9 else "hotspot" for i in range(n)],
        },
        geometry=points(n),
        crs=4326,
    )
    stations = gpd.GeoDataFrame(
        {
            Col.STATION_ID: [f"s{i}" for i in range(n_stations)],
            Col.NAME: [f"所{i}" for i in range(n_stations)],
        },
        geometry=points(n_stations),
        crs=4326,
    )
    posts = gpd.GeoDataFrame(
        {
            Col.POST_ID: ["school", "market", "morning"],
            Col.NAME: ["学校", "夜市", "早高峰"],
            Col.KIND: ["fixed", "pair", "fixed"],
            Col.WINDOW_START: ["22:00", "23:30", "07:20"],
            Col.WINDOW_END: ["22:30", "00:30", "08:00"],
            Col.DWELL: [1800, 720, 2400],
            Col.N_UNITS: [1, 2, 1],
        },
        geometry=points(3),
        crs=4326,
    )
    by_hour = rng.gamma(0.5, 1.0, (n, 6))
    return places, by_hour, stations, pd.DataFrame(), posts


def pose(frames, **change):
    options = {
        "shift": SHIFT,
        "seed": 1,
        "data_date": date(2026, 3, 1),
        "boundary_version": "2023-06",
        "synthetic": True,
    }
    return pose_night(*frames, Plane(), **(options | change))


def test_posed_night_is_planned_and_checked():
    problem = pose(layers())
    assert [u.unit_id for u in problem.units] == ["s0-1", "s0-2", "s1-1", "s1-2"]
    assert {u.break_window for u in problem.units} == {(9000, 16200)}
    assert [(p.post_id, p.earliest, p.latest) for p in problem.posts] == [
        ("school", 7200, 7200),
        ("market", 12600, 16200),
    ]
    values = [v for s in problem.stops for v in s.value_by_hour]
    assert min(values) >= 10
    assert max(values) == 125
    assert {s.band.cap for s in problem.stops} == {1, 2, 3}
    assert sum(s.band.floor for s in problem.stops) == 3
    assert all(10 * MINUTE <= s.band.dwell <= 16 * MINUTE for s in problem.stops)
    assert {s.reason for s in problem.stops if s.kind is VisitKind.EXPLORATION} == {
        "patrol.reason.exploration"
    }
    plan = plan_night(problem, **WORK)
    assert check_plan(plan) == ()
    assert plan.bound is not None


def test_posed_bands_follow_demand():
    places, by_hour, *others = layers()
    problem = pose((places, by_hour, *others))
    order = np.argsort(-by_hour.sum(axis=1), kind="stable")
    caps = [problem.stops[i].band.cap for i in order if problem.stops[i].kind == "hotspot"]
    assert caps == sorted(caps, reverse=True)


def test_pose_refuses_what_it_does_not_know():
    places, by_hour, stations, units, posts = layers()
    with pytest.raises(OptionInvalid):
        pose((places, by_hour[:, :5], stations, units, posts))
    late = posts.assign(**{Col.WINDOW_START: ["22h", "23:30", "07:20"]})
    with pytest.raises(ValueInvalid):
        pose((places, by_hour, stations, units, late))
    flying = pd.DataFrame(
        {
            Col.UNIT_ID: ["1"],
            Col.CALL_SIGN: ["1"],
            Col.STATION_ID: ["s0"],
            Col.HEADCOUNT: [2],
            Col.MODE: ["helicopter"],
        }
    )
    with pytest.raises(ValueInvalid):
        pose((places, by_hour, stations, flying, posts))


def test_ctrl_c_still_reaches_the_caller_after_the_solvers_ran():
    """CP-SAT's own handler, where it is left on, kills the process at the next SIGINT."""
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        plan_night(random_night(1), iterations=300)
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [True]
