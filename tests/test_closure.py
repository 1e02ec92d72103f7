"""Closures, works, events and weather: onto which streets, for whom, and how slow."""

import runpy
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, box

from geo.units import CITY_ZONE, HOUR, LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode
from routing.network import (
    MODES,
    NIGHT,
    TimeBand,
    arc_times,
    build_network,
    conditions_at,
    no_conditions,
)

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("network_town.py"))))
START = datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE)
LENGTH = 6 * HOUR
CAR, FOOT = MODES.index(Mode.CAR), MODES.index(Mode.FOOT)

# 500 ──  D ──de── E ──ef── F        every street a lane of 500 m, open both ways
#         ad       be       cf
#   0 ──  A ──ab── B ──bc── C
#         0       500      1000
ENDS = {
    "A": (0, 0),
    "B": (500, 0),
    "C": (1000, 0),
    "D": (0, 500),
    "E": (500, 500),
    "F": (1000, 500),
}
STREETS = ("ab", "bc", "de", "ef", "ad", "be", "cf")


@pytest.fixture(scope="module")
def network():
    rows = [(s, s, TOWN.LANE, False, [ENDS[end.upper()] for end in s]) for s in STREETS]
    return build_network(TOWN.street_frame(rows), epsg=LIAOCHENG_EPSG)[0]


def held(network, *rows, start=START, length=LENGTH):
    return conditions_at(network, TOWN.closure_frame(*rows), start=start, length=length)


def shut(conditions, network, mode=CAR):
    closed = conditions.is_closed[mode].reshape(-1, 2)
    assert (closed[:, 0] == closed[:, 1]).all()
    return {str(s) for s in network.segment_id[closed.all(axis=1)]}


def slow(conditions, network, mode=CAR):
    rows = np.flatnonzero(conditions.factor[mode] < 1.0)
    return {str(network.segment_id[i]): float(conditions.factor[mode, i]) for i in rows}


def test_no_closure_changes_nothing(network):
    for conditions in (held(network), no_conditions(network)):
        assert not conditions.is_closed.any()
        assert (conditions.factor == 1.0).all()
        for mode in MODES:
            plain, under = arc_times(network, mode), arc_times(network, mode, conditions=conditions)
            assert np.array_equal(plain.whole, under.whole)


def test_an_area_closes_what_lies_in_it(network):
    # round B: 20 m of ab, bc and be each; a mouth of 5 m would not close a street
    assert shut(held(network, {"at": box(480, -20, 520, 20)}), network) == {"ab", "bc", "be"}
    assert shut(held(network, {"at": box(480, -20, 520, 5)}), network) == {"ab", "bc"}
    both = MultiPolygon([box(480, -20, 520, 5), box(-20, 200, 20, 300)])
    assert shut(held(network, {"at": both}), network) == {"ab", "bc", "ad"}


def test_a_line_means_the_street_it_runs_along(network):
    # drawn 6 m beside bc, past both ends: be and cf are only crossed
    drawn = LineString([(490, 6), (1010, 6)])
    assert shut(held(network, {"at": drawn}), network) == {"bc"}
    # a stretch of 30 m closes the street, one of 8 m does not
    assert shut(held(network, {"at": LineString([(600, 0), (630, 0)])}), network) == {"bc"}
    assert shut(held(network, {"at": LineString([(600, 0), (608, 0)])}), network) == set()
    # across two streets at right angles: none
    assert shut(held(network, {"at": LineString([(250, -100), (250, 600)])}), network) == set()
    # round a corner
    corner = LineString([(100, 500), (500, 500), (500, 100)])
    assert shut(held(network, {"at": corner}), network) == {"de", "be"}


def test_a_copied_line_does_not_take_the_side_road():
    rows = [
        ("main", "", TOWN.LANE, False, [(0, 0), (500, 0)]),
        ("side", "", TOWN.LANE, False, [(0, 0), (0, 10), (500, 10), (500, 0)]),
    ]
    network, _ = build_network(TOWN.street_frame(rows), epsg=LIAOCHENG_EPSG)
    copied, drawn = LineString([(0, 0), (500, 0)]), LineString([(0, 5), (500, 5)])
    assert shut(held(network, {"at": copied}), network) == {"main"}
    assert shut(held(network, {"at": drawn}), network) == {"main", "side"}  # nobody can tell


def test_a_point_means_the_nearest_street(network):
    assert shut(held(network, {"at": Point(250, 30)}), network) == {"ab"}
    far = held(network, {"id": "field", "at": Point(250, 250)})
    assert shut(far, network) == set()
    assert far.unmatched == ("field",)


def test_a_street_by_its_id(network):
    named = held(network, {"segment": "cf"}, {"id": "gone", "segment": "zz"})
    assert shut(named, network) == {"cf"}
    assert named.unmatched == ("gone",)
    cf = int(np.flatnonzero(network.segment_id == "cf")[0])
    assert named.closures_at(cf) == ("c0",)
    assert named.closures_at(cf - 1) == ()


def test_works_slow_by_the_share_inside(network):
    # half of ab at 0.25 of the speed: 0.5 + 0.5 / 0.25 = 2.5 times as long
    half = held(network, {"kind": "works", "at": box(-9, -20, 250, 20), "share": 0.25})
    factors = slow(half, network)
    assert factors["ab"] == pytest.approx(1 / 2.5, rel=1e-4)
    # 20 m of ad too: 0.96 + 0.04 / 0.25
    assert factors["ad"] == pytest.approx(1 / 1.12, rel=1e-3)
    assert set(factors) == {"ab", "ad"}
    ab = int(np.flatnonzero(network.segment_id == "ab")[0])
    plain, under = arc_times(network, Mode.CAR), arc_times(network, Mode.CAR, conditions=half)
    assert under.run[ab] == pytest.approx(2.5 * plain.run[ab], rel=1e-4)


def test_of_several_the_slowest_counts(network):
    snow = {"kind": "weather", "at": box(-50, -50, 1050, 550), "share": 0.6}
    works = {"kind": "works", "segment": "ab", "share": 0.3}
    gone = {"segment": "bc"}
    all_of_them = held(network, snow, works, gone)
    assert shut(all_of_them, network) == {"bc"}
    factors = slow(all_of_them, network)
    assert factors["ab"] == pytest.approx(0.3)
    assert all(factors[s] == pytest.approx(0.6) for s in ("de", "ef", "ad", "be", "cf"))
    bc = int(np.flatnonzero(network.segment_id == "bc")[0])
    assert all_of_them.closures_at(bc) == ("c0", "c2")


def test_for_some_modes_only(network):
    lorries = held(network, {"segment": "ab", "modes": "car,motorbike"})
    assert shut(lorries, network) == {"ab"}
    assert shut(lorries, network, FOOT) == set()
    ab = int(np.flatnonzero(network.segment_id == "ab")[0])
    times = arc_times(network, Mode.CAR, conditions=lorries)
    assert times.whole[2 * ab] == times.whole[2 * ab + 1] == UNREACHABLE
    assert arc_times(network, Mode.FOOT, conditions=lorries).whole[2 * ab] < UNREACHABLE


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        ("2026-11-21T19:00+08:00", "2026-11-21T20:00+08:00", False),  # over as the shift begins
        ("2026-11-21T19:00+08:00", "2026-11-21T20:01+08:00", True),
        ("2026-11-22T01:59+08:00", None, True),
        ("2026-11-22T02:00+08:00", None, False),  # begins as the shift ends
        (None, "2026-11-21T12:00+00:00", False),  # 20:00 in the city
        (None, None, True),
    ],
)
def test_only_what_holds_during_the_shift(network, start, end, holds):
    row = {"segment": "ab"}
    row |= {"start": start} if start else {}
    row |= {"end": end} if end else {}
    conditions = held(network, row)
    assert shut(conditions, network) == ({"ab"} if holds else set())
    assert conditions.closure_ids == (("c0",) if holds else ())


EDGE = st.floats(-200, 1200, width=32)
SHARE = st.just(0.0) | st.floats(0.01, 1)


@given(st.lists(st.tuples(EDGE, EDGE, EDGE, EDGE, SHARE), min_size=1, max_size=3))
def test_every_area_agrees_with_shapely_one_by_one(network, boxes):
    rows = [
        {"at": box(min(a, c) - 1, min(b, d) - 1, max(a, c) + 1, max(b, d) + 1), "share": share}
        for a, b, c, d, share in boxes
    ]
    frame = TOWN.closure_frame(*rows)
    conditions = conditions_at(network, frame, start=START, length=LENGTH)
    shapes = frame.geometry.to_crs(LIAOCHENG_EPSG)
    for row in range(network.n_segments):
        line = LineString(network.xy[network.offsets[row] : network.offsets[row + 1]])
        inside = [line.intersection(shape).length for shape in shapes]
        assert conditions.is_closed[CAR, 2 * row] == any(
            share == 0.0 and metres >= 10.0
            for (*_, share), metres in zip(boxes, inside, strict=True)
        )
        parts = [
            (metres / line.length, share)
            for (*_, share), metres in zip(boxes, inside, strict=True)
            if share
        ]
        want = min((1.0 / (1.0 - part + part / share) for part, share in parts), default=1.0)
        if not conditions.is_closed[CAR, 2 * row]:
            assert conditions.factor[CAR, row] == pytest.approx(want, rel=1e-6)


def test_large_areas_by_squares_agree_with_shapely(monkeypatch):
    rng = np.random.default_rng(5)
    ends = rng.uniform(0, 4000, (400, 2))
    rows = [
        (f"s{i}", "", TOWN.LANE, False, [tuple(end), tuple(end + step)])
        for i, (end, step) in enumerate(zip(ends, rng.normal(0, 60, (400, 2)), strict=True))
    ]
    rows += [("hub", "", TOWN.LANE, False, [(0, 0), (4000, 0), (4000, 4000), (0, 4000)])]
    rows += [
        (f"t{i}", "", TOWN.LANE, False, [(2000, 2000), tuple(end)]) for i, end in enumerate(ends)
    ]
    network, _ = build_network(TOWN.street_frame(rows), epsg=LIAOCHENG_EPSG)
    snow = Point(1700, 2100).buffer(1500).difference(Point(1500, 2000).buffer(400))
    frame = TOWN.closure_frame({"kind": "weather", "at": snow, "share": 0.5})
    exact = conditions_at(network, frame, start=START, length=LENGTH).factor[CAR]
    monkeypatch.setattr("routing.network.closure.MANY", 0)
    by_squares = conditions_at(network, frame, start=START, length=LENGTH).factor[CAR]
    assert by_squares == pytest.approx(exact, abs=1e-12)
    assert 0 < np.isclose(exact, 0.5).sum() < 800
    assert 0.4 < np.mean(exact < 1.0) < 1.0


def test_limits_bands_and_the_green_wave():
    rows = [
        ("main", "东昌路", TOWN.ART, False, [(0, 0), (1000, 0)]),
        ("back", "", TOWN.ART, False, [(1000, 0), (1000, 500), (0, 500), (0, 0)]),
        ("mid", "", TOWN.LANE, False, [(1000, 0), (2000, 0)]),
    ]
    frame = TOWN.street_frame(rows, max_speed=[30.0, 0.0, 60.0], lanes=[4, 0, 200])
    profile = NIGHT.__class__(
        **{f: getattr(NIGHT, f) for f in NIGHT.__slots__ if f != "corridor"},
        corridor={"东昌路": 60.0, "没有这条路": 50.0},
    )
    network, report = build_network(frame, epsg=LIAOCHENG_EPSG, profile=profile)
    assert network.lanes.tolist() == [4, 0, 127]
    assert network.max_speed.tolist() == [30.0, 0.0, 60.0]
    assert report.corridors_unknown == ("没有这条路",)
    assert dict(report.findings())["network.corridors"] == {"names": ("没有这条路",)}
    at_night = arc_times(network, Mode.CAR)
    # 1,000 m at the limit of 30, not at the class's 40; a limit above the class's speed is idle.
    assert at_night.run[0] == pytest.approx(120_000, rel=2e-3)
    assert at_night.run[2] == pytest.approx(240_000, rel=2e-3)
    assert arc_times(network, Mode.EBIKE).run[0] == pytest.approx(240_000, rel=2e-3)
    in_the_rush = arc_times(network, Mode.CAR, band=TimeBand.PEAK)
    assert in_the_rush.run[1] == pytest.approx(at_night.run[1] / 0.6, rel=1e-4)
    escorted = arc_times(network, Mode.CAR, escorted=True)
    assert escorted.run[0] == pytest.approx(60_000, rel=2e-3)
    assert escorted.delay[0] == 0 < at_night.delay[0]
    assert escorted.whole[2] == at_night.whole[2]
    on_foot = arc_times(network, Mode.FOOT, escorted=True)
    assert np.array_equal(on_foot.whole, arc_times(network, Mode.FOOT).whole)
