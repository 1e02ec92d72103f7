"""The whole chain on a small town: verified, repeatable, stoppable, the same from files."""

from dataclasses import replace
from datetime import date
from threading import Event

import pandas as pd
import pytest
import shapely

from geo.errors import OptionInvalid, StationUnreachable, Stopped
from geo.frames import Col
from geo.io import LayerPaths, read_layers, write_layers
from geo.progress import SilentSteps
from geo.units import LIAOCHENG_EPSG
from routing.check import check_legs, check_plan, check_schedule
from routing.pipeline import plan_tonight, shift_from

NIGHT = date(2026, 11, 21)
SHIFT = shift_from(NIGHT, "20:00-02:00")


@pytest.fixture(scope="module")
def tonight(small_layers):
    return plan_tonight(small_layers, shift=SHIFT, seed=1)


def test_plan_and_schedule_pass_the_verifier(tonight):
    assert check_plan(tonight.plan) == ()
    assert check_legs(tonight.plan) == ()
    assert check_schedule(tonight.schedule, tonight.venues, tonight.layers.stations) == ()


def test_every_post_and_pair_has_its_teams(tonight):
    asked = {post.post_id: post.n_units for post in tonight.plan.problem.posts}
    served = [v.task_id for route in tonight.plan.routes for v in route.visits]
    assert asked
    assert {post: served.count(post) for post in asked} == asked


def test_counts_of_cells_add_up_to_the_layers(tonight):
    lost = tonight.unmatched["layer"].value_counts()
    for column, layer, frame in (
        (Col.N_VENUES, "venues", tonight.layers.venues),
        (Col.N_INCIDENTS, "incidents", tonight.layers.incidents),
    ):
        assert tonight.cells[column].sum() + lost.get(layer, 0) == len(frame)


def test_every_rate_names_its_day_and_boundary(tonight):
    rates = [metric.rate for metric in tonight.metrics if metric.rate is not None]
    assert len(rates) > 8
    assert {rate.boundary_version for rate in rates} == {"2023-06"}
    assert {rate.data_date for rate in rates} == {date(2026, 11, 20)}


def test_same_layers_and_seed_give_the_same_plan(tonight, small_layers):
    again = plan_tonight(small_layers, shift=SHIFT, seed=1)
    assert again.plan == tonight.plan
    assert again.schedule == tonight.schedule


def test_planning_from_the_written_files_gives_the_same_plan(tonight, small_layers, tmp_path):
    write_layers(small_layers, tmp_path)
    paths = LayerPaths(
        boundaries=tmp_path / "boundaries.gpkg",
        streets=tmp_path / "streets.gpkg",
        water=None,
        buildings=tmp_path / "buildings.gpkg",
        venues=tmp_path / "venues.csv",
        incidents=tmp_path / "incidents.csv",
        stations=tmp_path / "stations.csv",
        units=tmp_path / "units.csv",
        posts=tmp_path / "posts.csv",
    )
    layers, refused, _ = read_layers(paths, epsg=LIAOCHENG_EPSG, data_date=date(2026, 11, 20))
    assert refused == ()
    assert plan_tonight(layers, shift=SHIFT, seed=1).plan == tonight.plan


def test_a_venue_outside_every_boundary_is_listed(small_layers):
    venues = small_layers.venues.copy()
    venues.loc[venues.index[0], Col.GEOMETRY] = shapely.Point(116.2, 36.6)
    tonight = plan_tonight(replace(small_layers, venues=venues), shift=SHIFT, seed=1)
    assert venues[Col.VENUE_ID].iloc[0] in set(tonight.unmatched["id"])


def test_a_station_the_roads_do_not_reach_is_named(small_layers):
    stations = small_layers.stations.copy()
    stations.loc[stations.index[0], Col.GEOMETRY] = shapely.Point(116.05, 36.45)
    with pytest.raises(StationUnreachable, match=stations[Col.NAME].iloc[0]):
        plan_tonight(replace(small_layers, stations=stations), shift=SHIFT, seed=1)


def test_a_station_off_the_roads_is_told_before_the_long_work(small_layers):
    """Issue 6: it was told after all cells, joins and demand, and without its file."""
    stations = small_layers.stations.copy()
    stations.loc[stations.index[0], Col.GEOMETRY] = shapely.Point(116.05, 36.45)
    told = []

    class Told(SilentSteps):
        def step(self, code):
            told.append(code)
            return super().step(code)

    layers = replace(small_layers, stations=stations)
    sources = {"stations": "派出所.csv"}
    with pytest.raises(StationUnreachable, match=r"^派出所\.csv: "):
        plan_tonight(layers, shift=SHIFT, seed=1, sources=sources, steps=Told())
    assert told == ["travel"]


def test_a_set_stop_token_stops_the_work(small_layers):
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        plan_tonight(small_layers, shift=SHIFT, seed=1, stop=stop)


@pytest.mark.parametrize(
    ("clock", "length", "hour"),
    [("20:00-02:00", 6, 20), ("8:30-17:30", 9, 8), (" 22：00 至 06：00 ", 8, 22)],
)
def test_shift_is_read_from_two_clock_times(clock, length, hour):
    shift = shift_from(NIGHT, clock)
    assert (shift.length, shift.start.hour) == (length * 3600, hour)


@pytest.mark.parametrize(
    "clock", ["", "20:00", "22:00-22:00", "25:00-02:00", "20:00-02:61", "晚八点"]
)
def test_a_shift_that_is_no_two_clock_times_is_refused(clock):
    with pytest.raises(OptionInvalid, match=r"HH:MM-HH:MM|two different times"):
        shift_from(NIGHT, clock)


def test_a_venue_no_round_can_visit_is_listed_and_not_planned(small_layers):
    venues = small_layers.venues.copy()
    venues.loc[venues.index[:2], Col.LAST_INSPECTION] = pd.Timestamp("2024-01-01")
    venues.loc[venues.index[0], Col.GEOMETRY] = shapely.Point(115.10, 35.20)
    tonight = plan_tonight(replace(small_layers, venues=venues), shift=SHIFT, seed=1)
    planned = {v.venue_id for tour in tonight.schedule.rounds for v in tour.inspections}
    lost = venues[Col.VENUE_ID].iloc[0]
    assert lost in set(tonight.unmatched["id"])
    assert lost not in planned | {item.task_id for item in tonight.schedule.unserved}
    assert venues[Col.VENUE_ID].iloc[1] in planned


def test_a_post_off_the_roads_is_named(small_layers):
    posts = small_layers.posts.copy()
    posts.loc[posts.index[0], Col.GEOMETRY] = shapely.Point(117.9, 37.9)
    with pytest.raises(StationUnreachable, match=posts[Col.NAME].iloc[0]):
        plan_tonight(replace(small_layers, posts=posts), shift=SHIFT, seed=1)


def test_a_post_of_another_time_is_noted(small_layers):
    posts = small_layers.posts.copy()
    posts.loc[posts.index[0], [Col.WINDOW_START, Col.WINDOW_END]] = ["10:00", "10:20"]
    tonight = plan_tonight(replace(small_layers, posts=posts), shift=SHIFT, seed=1)
    notes = dict(tonight.notes)
    assert notes["patrol.note.posts"]["posts"] == [posts[Col.POST_ID].iloc[0]]
