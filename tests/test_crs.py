from itertools import pairwise

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import (
    MIN_POINTS,
    Datum,
    bd09_to_gcj02,
    datum_of,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    likely_datum,
    to_wgs84,
    wgs84_to_gcj02,
)
from geo.errors import OptionInvalid
from geo.units import LIAOCHENG_EPSG

# A town of 4 x 4 km in Liaocheng on uneven superblocks, each cut by its own lanes:
#
#    +-----+--------+----+
#    | | | |  |  |  |  | |      avenues 350-900 m apart, lanes 60-220 m apart,
#    +-----+--------+----+      shops 5-20 m off a street, anywhere along it
#    |  |  | | |  | | |  |
#    +-----+--------+----+
#
WEST, SOUTH, SIDE = 406_000.0, 4_034_000.0, 4_000.0


def _stops(rng, low, high):
    steps = np.cumsum(rng.uniform(low, high, 200))
    return np.r_[0.0, steps[steps < SIDE], SIDE]


def _town(seed):
    """Street ends in metres, shape (n, 2, 2)."""
    rng = np.random.default_rng(seed)
    lines = []
    for low, high in ((350, 900), (350, 900)):
        lines += [[[0, y], [SIDE, y]] for y in _stops(rng, low, high)]
    columns = _stops(rng, 350, 900)
    lines += [[[x, 0], [x, SIDE]] for x in columns]
    for left, right in pairwise(columns):
        ys = _stops(rng, 60, 220)
        lines += [[[left, y], [right, y]] for y in ys if rng.random() < 0.7]
    return np.array(lines, dtype=float) + np.array([WEST, SOUTH])


def _degrees(metres):
    back = pyproj.Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
    return np.column_stack(back.transform(metres[:, 0], metres[:, 1]))


def _shops(town, rng, n):
    ends = town[rng.integers(0, len(town), n)]
    along = rng.uniform(0.0, 1.0, (n, 1))
    run = ends[:, 1] - ends[:, 0]
    side = np.column_stack([-run[:, 1], run[:, 0]]) / np.hypot(*run.T)[:, None]
    off = rng.uniform(5.0, 20.0, (n, 1)) * rng.choice([-1.0, 1.0], (n, 1))
    return _degrees(ends[:, 0] + along * run + off * side)


@pytest.fixture(scope="module")
def town():
    return _town(7)


@pytest.fixture(scope="module")
def streets(town):
    return shapely.linestrings(_degrees(town.reshape(-1, 2)).reshape(-1, 2, 2))


def test_the_citys_centre_given_in_gcj02():
    # published value: trap 1 of the catalogue of test inputs
    wgs84 = gcj02_to_wgs84(np.array([[115.98, 36.456]]))
    np.testing.assert_allclose(wgs84, [[115.97438, 36.45600]], atol=7e-5)


def metres(one, other):
    """Distance of degrees at their latitude, metres; enough for offsets of a metre."""
    north = 111_000.0
    east = north * np.cos(np.radians(other[:, 1]))
    return np.hypot((one - other)[:, 0] * east, (one - other)[:, 1] * north)


def test_a_published_pair_is_met_within_a_tenth_of_a_metre():
    wgs84 = np.array([[116.481499, 39.990475]])
    gcj02 = np.array([[116.487585178, 39.991754015]])
    assert metres(wgs84_to_gcj02(wgs84), gcj02).max() < 0.1
    assert metres(gcj02_to_wgs84(gcj02), wgs84).max() < 0.1


def test_the_shift_over_the_city():
    """About 510 m east and a few north (trap 1); the catalogue's own figure is good to 7 m."""
    corners = np.array([[115.27, 35.78], [116.54, 37.04], [115.97438, 36.456]])
    shift = metres(wgs84_to_gcj02(corners), corners)
    assert ((shift > 490) & (shift < 560)).all()
    city = np.array([[115.98, 36.456]])
    assert metres(gcj02_to_wgs84(city), np.array([[115.97438, 36.45600]])).max() < 7.0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(73.5, 134.5), st.floats(18.2, 53.4)), min_size=1, max_size=50),
    st.sampled_from(Datum),
)
def test_a_round_trip_stays_within_a_millimetre(points, datum):
    lonlat = np.array(points)
    assert metres(to_wgs84(from_wgs84(lonlat, datum), datum), lonlat).max() < 1e-3
    assert metres(from_wgs84(to_wgs84(lonlat, datum), datum), lonlat).max() < 1e-3


def test_forward_agrees_with_the_published_formula():
    # Tiananmen: eviltransform's own test pair is kept within a metre by all of its ports
    gcj02 = wgs84_to_gcj02(np.array([[116.404, 39.915]]))
    np.testing.assert_allclose(gcj02, [[116.4102445, 39.9164043]], atol=1e-6)


def test_inverses_return_to_the_start():
    rng = np.random.default_rng(1)
    lonlat = rng.uniform([74.0, 18.0], [135.0, 53.0], (20_000, 2))
    assert np.abs(gcj02_to_wgs84(wgs84_to_gcj02(lonlat)) - lonlat).max() < 1e-8
    assert np.abs(bd09_to_gcj02(gcj02_to_bd09(lonlat)) - lonlat).max() < 2e-8
    for datum in Datum:
        assert np.abs(to_wgs84(from_wgs84(lonlat, datum), datum) - lonlat).max() < 3e-8


def test_outside_china_nothing_moves():
    helsinki = np.array([[24.94, 60.17], [-95.4, 29.7]])
    for datum in Datum:
        np.testing.assert_array_equal(from_wgs84(helsinki, datum), helsinki)


@pytest.mark.parametrize(
    ("word", "datum"),
    [
        ("WGS-84", Datum.WGS84),
        ("cgcs2000", Datum.WGS84),
        ("GCJ02", Datum.GCJ02),
        ("高德坐标系", Datum.GCJ02),
        ("百度坐标", Datum.BD09),
        ("bd-09", Datum.BD09),
    ],
)
def test_words_for_datums(word, datum):
    assert datum_of(word) is datum


def test_an_unknown_datum_is_refused():
    with pytest.raises(OptionInvalid, match="GCJ-02"):
        datum_of("mars")


def test_a_hundred_sets_of_200_shops_are_told_right_both_ways(town, streets):
    rng = np.random.default_rng(11)
    right = dict.fromkeys(Datum, 0)
    false_alarms = 0
    for _ in range(100):
        shops = _shops(town, rng, 200)
        for datum in (Datum.WGS84, Datum.GCJ02):
            finding = likely_datum(from_wgs84(shops, datum), streets=streets, epsg=LIAOCHENG_EPSG)
            right[datum] += finding.likely is datum
            false_alarms += datum is Datum.WGS84 and finding.is_mismatch
    assert right[Datum.WGS84] >= 99
    assert right[Datum.GCJ02] >= 99
    assert false_alarms == 0


def test_a_wrong_conversion_is_found_too(town, streets):
    shops = _shops(town, np.random.default_rng(3), 200)
    finding = likely_datum(shops, streets=streets, epsg=LIAOCHENG_EPSG, stated=Datum.GCJ02)
    assert finding.is_mismatch
    assert finding.likely is Datum.WGS84
    assert 400 < finding.offset_m < 650


def test_baidu_points_are_told_from_gcj02(town, streets):
    shops = from_wgs84(_shops(town, np.random.default_rng(4), 200), Datum.BD09)
    finding = likely_datum(shops, streets=streets, epsg=LIAOCHENG_EPSG)
    assert finding.likely is Datum.BD09


def test_few_points_cannot_tell(town, streets):
    shops = _shops(town, np.random.default_rng(5), MIN_POINTS - 1)
    finding = likely_datum(from_wgs84(shops, Datum.GCJ02), streets=streets, epsg=LIAOCHENG_EPSG)
    assert finding.likely is None
    assert finding.n == MIN_POINTS - 1


def test_points_that_ignore_streets_raise_no_alarm(streets):
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(50):
        anywhere = _degrees(rng.uniform([WEST, SOUTH], [WEST + SIDE, SOUTH + SIDE], (200, 2)))
        finding = likely_datum(anywhere, streets=streets, epsg=LIAOCHENG_EPSG)
        alarms += finding.is_mismatch
    assert alarms == 0
