"""How far places lie from their streets, and the datum that would put them nearer."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from api.i18n import LANGUAGES, text
from geo.crs import Datum, gcj02_to_wgs84, wgs84_to_gcj02
from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.model import Place
from routing.network import build_network
from routing.travel import Travel
from routing.travel.apart import apart_from_streets
from routing.travel.beyond import is_elsewhere

STEP = 0.011
ORIGIN = np.array([115.95, 36.44])


def corner(i: float, j: float) -> np.ndarray:
    return ORIGIN + STEP * np.array([i, j])


@pytest.fixture(scope="module")
def travel() -> Travel:
    """A grid of 7 x 7 crossings, 985 m wide and 1,220 m high: a datum apart is half a block."""
    lines = [[corner(i, j), corner(i + 1, j)] for j in range(7) for i in range(6)]
    lines += [[corner(i, j), corner(i, j + 1)] for i in range(7) for j in range(6)]
    n = len(lines)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([""] * n, dtype="str"),
            Col.STREET_CLASS: pd.Series([StreetClass.ARTERIAL] * n, dtype="str"),
            Col.ONEWAY: pd.Series([False] * n),
            Col.LANES: pd.Series([0] * n),
            Col.MAX_SPEED: pd.Series([0.0] * n),
        },
        geometry=[shapely.LineString(line) for line in lines],
        crs=4326,
    )
    return Travel(build_network(frame, epsg=LIAOCHENG_EPSG)[0])


def beside(n: int) -> np.ndarray:
    """Points about ten metres beside streets, by turns of both directions, along all of them."""
    share = np.linspace(0.1, 0.9, n)
    lonlat = [
        corner(k % 6 + share[k], k % 7) if k % 2 else corner(k % 7, k % 6 + share[k])
        for k in range(n)
    ]
    return np.array(lonlat) + 0.0001


def places(lonlat: np.ndarray) -> list[Place]:
    return [
        Place(place_id=f"p{k}", name=f"所{k}", lon=float(lon), lat=float(lat))
        for k, (lon, lat) in enumerate(lonlat)
    ]


def apart(travel: Travel, lonlat: np.ndarray, stated: Datum = Datum.WGS84):
    some = places(lonlat)
    return apart_from_streets(travel, some, travel.snap_places(some), stated=stated)


def test_median_largest_and_farthest(travel: Travel) -> None:
    lonlat = beside(5)
    lonlat[3] += [0.0, 0.001]
    found = apart(travel, lonlat)
    assert found.n == 5
    assert found.median == pytest.approx(10, abs=2)
    assert found.most == pytest.approx(122, abs=1)
    assert found.farthest == "所3"
    assert found.likely is None


@pytest.mark.parametrize("n", [24, 40])
def test_points_of_another_datum_are_told(travel: Travel, n: int) -> None:
    """Issue 6: stations moved by half a kilometre ran through without a word."""
    right, moved = beside(n), wgs84_to_gcj02(beside(n))
    assert apart(travel, right).likely is None
    assert apart(travel, moved).likely is Datum.GCJ02
    codes = [code for code, _ in apart(travel, moved).notes("stations.csv")]
    assert codes == ["travel.apart", "travel.apart.datum"]


def test_a_datum_stated_though_the_file_is_plain(travel: Travel) -> None:
    found = apart(travel, gcj02_to_wgs84(beside(80)), Datum.GCJ02)
    assert found.likely is Datum.WGS84


def test_few_points_tell_nothing(travel: Travel) -> None:
    assert apart(travel, wgs84_to_gcj02(beside(9))).likely is None
    assert apart(travel, np.empty((0, 2))).n == 0
    assert list(apart(travel, np.empty((0, 2))).notes("posts.csv")) == []


def test_places_anywhere_are_of_no_datum(travel: Travel) -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        anywhere = ORIGIN + rng.uniform(0.5, 5.5, (40, 2)) * STEP
        assert apart(travel, anywhere).likely is None


def test_notes_are_in_both_languages(travel: Travel) -> None:
    for code, params in apart(travel, wgs84_to_gcj02(beside(30))).notes("stations.csv"):
        for lang in LANGUAGES:
            assert "stations.csv" in text(code, lang, **params)


def test_when_the_network_is_the_wrong_one() -> None:
    assert is_elsewhere(27, 27)
    assert is_elsewhere(9, 10)
    assert not is_elsewhere(8, 10)
    assert not is_elsewhere(2, 2)
