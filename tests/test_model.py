"""Values of a night refuse what cannot be, and a problem's digest sees every change."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from geo.errors import OptionInvalid
from geo.units import CITY_ZONE
from routing.model import Band, Mode, Place, Problem, Rates, Shift, TravelTimes, Unit

NIGHT = Shift(start=datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE), length=6 * 3600)


def tiny_problem():
    #  a --60 s-- b, one team at a
    return Problem(
        shift=NIGHT,
        places=tuple(Place(place_id=p, name=p, lon=115.97, lat=36.45) for p in "ab"),
        units=(
            Unit(
                unit_id="u1",
                call_sign="古楼所1组",
                station_id="a",
                mode=Mode.CAR,
                headcount=4,
                break_window=(9000, 14400),
                break_length=1800,
            ),
        ),
        stops=(),
        posts=(),
        rests=("a",),
        travel=TravelTimes(
            place_ids=("a", "b"),
            modes=(Mode.CAR,),
            seconds=np.array([[[0, 60], [60, 0]]], np.int32),
        ),
        rates=Rates(),
        seed=1,
        data_date=date(2026, 11, 20),
        boundary_version="2023-06",
        synthetic=True,
    )


def test_shift_crosses_midnight_without_a_special_case():
    assert NIGHT.at(5 * 3600).isoformat() == "2026-11-22T01:00:00+08:00"
    assert NIGHT.end.hour == 2
    assert NIGHT.n_hours == 6


@pytest.mark.parametrize("length", [0, -1, 24 * 3600 + 1])
def test_shift_length_is_bounded(length):
    with pytest.raises(OptionInvalid):
        Shift(start=NIGHT.start, length=length)


def test_shift_needs_a_zone():
    with pytest.raises(OptionInvalid, match="zone"):
        Shift(start=datetime(2026, 11, 21, 20), length=60)  # noqa: DTZ001


def test_a_unit_is_a_team_of_at_least_two():
    unit = tiny_problem().units[0]
    with pytest.raises(OptionInvalid, match="2 or more"):
        replace(unit, headcount=1)


@pytest.mark.parametrize(("floor", "cap"), [(2, 1), (-1, 1), (0, 5)])
def test_band_is_ordered_and_bounded(floor, cap):
    with pytest.raises(OptionInvalid):
        Band(floor=floor, cap=cap)


def test_travel_times_are_read_only_and_shaped():
    travel = tiny_problem().travel
    assert travel.between(Mode.CAR, "a", "b") == 60
    with pytest.raises(ValueError, match="read-only"):
        travel.seconds[0, 0, 1] = 1
    with pytest.raises(OptionInvalid):
        TravelTimes(place_ids=("a",), modes=(Mode.CAR,), seconds=np.zeros((1, 2, 2), np.int32))


def test_digest_sees_every_change():
    problem = tiny_problem()
    faster = np.array([[[0, 59], [60, 0]]], np.int32)
    variants = [
        replace(problem, seed=2),
        replace(problem, rates=Rates(travel=2)),
        replace(problem, travel=replace(problem.travel, seconds=faster)),
        replace(problem, rests=("b",)),
    ]
    digests = {p.digest() for p in [problem, *variants]}
    assert len(digests) == 5
    assert tiny_problem().digest() == problem.digest()


def test_problems_are_equal_by_value():
    problem = tiny_problem()
    assert problem == tiny_problem()
    assert problem != replace(problem, seed=2)
