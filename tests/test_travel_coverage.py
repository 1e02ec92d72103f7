"""Who is reached in time: counted by travel time, and judged by the setting of the township."""

from datetime import date
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.errors import ColumnMissing, OptionInvalid, StationUnreachable, ValueInvalid
from geo.frames import MISSED, REACH_COUNTS, Col, Setting, StreetClass, Target, require
from geo.io.setting import read_settings
from geo.place.setting import unit_settings
from geo.rate import Rate
from geo.units import LIAOCHENG_EPSG
from routing.model import Mode, Place
from routing.network import build_network
from routing.travel import Travel
from routing.travel.coverage import (
    Departures,
    Standard,
    Targets,
    all_venues,
    check_service,
    count_reached,
    homes,
    rate_of,
)
from routing.travel.coverage import target as target_module
from routing.travel.isochrone import isochrones

# A lane of 15 km/h: 250 m a minute. Station S at 0, station T at 6,000; the border of the
# townships at 3,000. Homes by households, every one beside the lane but H5.
#
#          古楼街道 (town)          │         沙镇 (country)              H5 (2,000 m north)
#  S ──H1(10)────H2(20)────────────┼───V1──────H3(30)───────────────T─────────────── H4(40)
#  0   500       1,500           3,000 3,100   4,000              6,000             8,000

CORNER = np.array([400_000.0, 4_030_000.0])
TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
DAY = date(2026, 11, 20)
BASIS = {"data_date": DAY, "boundary_version": "2026-11"}
HOMES = {
    "H1": (500, 10, 10),
    "H2": (1500, -10, 20),
    "H3": (4000, 20, 30),
    "H4": (8000, 0, 40),
    "H5": (5000, 2000, 50),
    "H7": (2000, 0, 0),  # a works: nobody lives there
}
VENUES = {"V1": (3100, 5), "V2": (7900, 5)}


def lonlat(points) -> np.ndarray:
    at = TO_LONLAT.transform(*(np.array(points, dtype=float) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def place(name: str, east: float, north: float = 0.0) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"派出所 {name}", lon=float(lon), lat=float(lat))


def text(values) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def frame_of(columns, points) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapely.points(lonlat(points)), crs=4326)


@pytest.fixture(scope="module")
def travel() -> Travel:
    xs = [0, 2000, 4000, 6000, 8000]
    lines = [shapely.LineString(lonlat([(a, 0), (b, 0)])) for a, b in pairwise(xs)]
    n = len(lines)
    streets = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: text(f"s{i}" for i in range(n)),
            Col.NAME: text([""] * n),
            Col.STREET_CLASS: text([StreetClass.LANE.value] * n),
            Col.ONEWAY: pd.Series([False] * n, dtype=bool),
            Col.LANES: np.zeros(n, np.int64),
            Col.MAX_SPEED: np.zeros(n),
        },
        geometry=lines,
        crs=4326,
    )
    return Travel(build_network(streets, epsg=LIAOCHENG_EPSG)[0], (Mode.CAR,))


@pytest.fixture(scope="module")
def buildings() -> gpd.GeoDataFrame:
    columns = {
        Col.BUILDING_ID: text(HOMES),
        Col.HOUSEHOLDS: np.array([h[2] for h in HOMES.values()], np.int64),
    }
    return frame_of(columns, [h[:2] for h in HOMES.values()])


@pytest.fixture(scope="module")
def venues() -> gpd.GeoDataFrame:
    columns = {Col.VENUE_ID: text(VENUES), Col.NAME: text(f"样例商店 {v}" for v in VENUES)}
    return frame_of(columns, list(VENUES.values()))


@pytest.fixture(scope="module")
def boundaries() -> gpd.GeoDataFrame:
    def area(west, east):
        ring = [(west, -4000), (east, -4000), (east, 4000), (west, 4000)]
        return shapely.Polygon(lonlat(ring))

    rows = {
        "371502": ("东昌府区", "county", "", area(-1000, 9000)),
        "371502001": ("古楼街道", "township", "371502", area(-1000, 3000)),
        "371502100": ("沙镇镇", "township", "371502", area(3000, 9000)),
        "371502100201": ("样例村", "village", "371502100", area(3000, 9000)),
    }
    name, level, parent, areas = zip(*rows.values(), strict=True)
    return gpd.GeoDataFrame(
        {
            Col.CODE: text(rows),
            Col.NAME: text(name),
            Col.LEVEL: text(level),
            Col.ADMIN_PARENT: text(parent),
            Col.GRID_ROLE: text(["none", "supervision", "supervision", "responsibility"]),
            Col.BOUNDARY_VERSION: text(["2026-11"] * 4),
        },
        geometry=list(areas),
        crs=4326,
    )


def test_households_and_venues_are_counted_by_time(travel, buildings, venues):
    departures = Departures(travel=travel, places=[place("S", 0), place("T", 6000)], mode=Mode.CAR)
    counts = count_reached(
        departures, [homes(buildings), all_venues(venues)], minutes=(10, 5), **BASIS
    )
    require(counts, REACH_COUNTS, source="counts")
    table = counts.set_index([Col.TARGET, Col.PLACE_ID, Col.MINUTES])[Col.N_REACHED]
    of = {key: int(n) for key, n in table.items()}
    assert of["households", "S", 5] == 10  # H1 at 2 min; H2 takes 6
    assert of["households", "S", 10] == 30
    assert of["households", "T", 5] == 0
    assert of["households", "T", 10] == 70  # H3 and H4, 8 min each
    assert of["households", "", 10] == 100  # H5 is off the roads, so 100 of 150
    assert of["venues", "", 10] == 1  # V2, 7.6 min from T; V1 is 11.6 min off
    assert of["venues", "", 5] == 0
    last = next(r for r in counts.itertuples() if r.count_id == "all-car-10-households")
    assert str(rate_of(last)) == "100/150 (66.7 %)"
    assert rate_of(last) == Rate(n=100, total=150, **BASIS)


def test_blocks_change_nothing_and_no_place_is_no_row(travel, buildings, monkeypatch):
    departures = Departures(travel=travel, places=[place("S", 0), place("T", 6000)], mode=Mode.CAR)
    whole = count_reached(departures, [homes(buildings)], minutes=(5, 10), **BASIS)
    monkeypatch.setattr(target_module, "AT_ONCE", 2)
    seen = []
    parts = count_reached(
        departures,
        [homes(buildings)],
        minutes=(5, 10),
        progress=lambda done, total, best=None: seen.append((done, total)),
        **BASIS,
    )
    pd.testing.assert_frame_equal(whole, parts)
    assert seen == [(k, 5) for k in range(1, 6)]
    nobody = Departures(travel=travel, places=[], mode=Mode.CAR)
    assert len(count_reached(nobody, [homes(buildings)], minutes=(5,), **BASIS)) == 0


@settings(max_examples=20)
@given(st.lists(st.integers(0, 8000), min_size=1, max_size=30), st.integers(1, 20))
def test_counts_agree_with_the_matrix_and_roughly_with_the_area(travel, east, minutes):
    size = np.arange(1, len(east) + 1, dtype=np.int64)
    points = gpd.GeoSeries(shapely.points(lonlat([(e, 30) for e in east])), crs=4326)
    ids = np.array([f"h{i}" for i in range(len(east))], dtype=object)
    one = Targets(target=Target.HOUSEHOLDS, place_id=ids, name=ids, size=size, points=points)
    departures = Departures(travel=travel, places=[place("S", 2600)], mode=Mode.CAR)
    counts = count_reached(departures, [one], minutes=(minutes,), **BASIS)
    seconds = travel.many_to_many(departures.snaps, departures.snap(one), Mode.CAR)[0]
    expected = int(size[seconds <= 60 * minutes].sum())
    assert counts[Col.N_REACHED].tolist() == [expected, expected]
    frame = isochrones(travel, departures.places, mode=Mode.CAR, minutes=(minutes,))
    in_area = shapely.contains(frame.geometry.iloc[0], points.to_numpy())
    reached = np.abs(np.array(east) - 2600) / 250.0 * 60.0
    clear = np.abs(reached - 60 * minutes) > 60.0  # an area ends up to 75 m beyond the street
    assert ((seconds <= 60 * minutes) == in_area)[clear].all()


def test_every_place_outside_the_standard_is_listed_with_its_reason(
    travel, buildings, venues, boundaries
):
    """Town 5 min, country 8.5 min: H2 (6 min) is missed in town, V1 in the country."""
    found = check_service(
        Departures(travel=travel, places=[place("S", 0), place("T", 6000)], mode=Mode.CAR),
        [homes(buildings), all_venues(venues)],
        boundaries,
        unit_settings(boundaries),
        standard=Standard(town=5, country=9),
        **BASIS,
    )
    missed = found.missed
    require(missed, MISSED, source="missed")
    rows = {row.place_id: row for row in missed.itertuples()}
    assert list(rows) == ["H5", "V1", "H2"]  # without a street first, then the farthest
    assert [rows[name].reason for name in rows] == ["off_roads", "too_far", "too_far"]
    assert rows["H2"].minutes == pytest.approx(6.0, abs=0.1)
    assert (rows["H2"].nearest_id, rows["V1"].nearest_id) == ("S", "T")
    assert (rows["H2"].setting, rows["H2"].limit, rows["H2"].size) == ("town", 5, 20)
    assert (rows["V1"].township, rows["V1"].setting, rows["V1"].limit) == ("沙镇镇", "country", 9)
    assert np.isnan(rows["H5"].minutes)
    assert rows["H5"].nearest_id == ""
    said = {key: str(rate) for key, rate in found.kept.items()}
    assert said == {
        (Target.HOUSEHOLDS, Setting.TOWN): "10/30 (33.3 %)",
        (Target.HOUSEHOLDS, Setting.COUNTRY): "70/120 (58.3 %)",
        (Target.VENUES, Setting.COUNTRY): "1/2 (50.0 %)",
    }


def test_a_place_in_no_unit_is_listed_and_nothing_is_kept_silently(travel, venues, boundaries):
    west = boundaries[boundaries[Col.CODE] == "371502001"].reset_index(drop=True)
    found = check_service(
        Departures(travel=travel, places=[place("T", 6000)], mode=Mode.CAR),
        [all_venues(venues)],
        west,
        unit_settings(west),
        **BASIS,
    )
    assert found.missed[Col.REASON].tolist() == ["outside", "outside"]
    assert str(found.kept[Target.VENUES, Setting.UNKNOWN]) == "0/2 (0.0 %)"


def test_all_within_the_standard_leaves_an_empty_layer(travel, venues, boundaries):
    found = check_service(
        Departures(travel=travel, places=[place("T", 6000)], mode=Mode.CAR),
        [all_venues(venues)],
        boundaries,
        unit_settings(boundaries),
        **BASIS,
    )
    require(found.missed, MISSED, source="missed", allow_empty=True)
    assert len(found.missed) == 0
    assert found.kept[Target.VENUES, Setting.COUNTRY].n == 2


def test_bad_questions_are_refused(travel, venues, boundaries):
    def ask(places, **options):
        check_service(
            Departures(travel=travel, places=places, mode=Mode.CAR),
            [all_venues(venues)],
            boundaries,
            unit_settings(boundaries),
            **BASIS,
            **options,
        )

    with pytest.raises(OptionInvalid, match="stations"):
        ask([])
    with pytest.raises(StationUnreachable, match="派出所 远"):
        ask([place("S", 0), place("远", 100, 3000)])
    with pytest.raises(OptionInvalid, match="town"):
        Standard(town=0)


# ------------------------------------------------------------------------- town or country


def test_a_township_says_by_name_or_number_whether_it_is_town():
    rows = [
        ("371502001", "古楼街道", Setting.TOWN),
        ("371502002", "柳园街道办事处", Setting.TOWN),
        ("371502100", "沙镇镇", Setting.COUNTRY),
        ("371503208", "杨官屯乡", Setting.COUNTRY),
        ("371502400", "香江光彩大市场服务中心", Setting.TOWN),  # like a township
        ("371502003", "新区管理处", Setting.TOWN),  # by number
        ("371502201", "某农场", Setting.COUNTRY),
        ("371502", "东昌府区", Setting.UNKNOWN),
    ]
    frame = pd.DataFrame(
        {
            Col.CODE: text(r[0] for r in rows),
            Col.NAME: text(r[1] for r in rows),
            Col.LEVEL: text("county" if len(r[0]) == 6 else "township" for r in rows),
            Col.ADMIN_PARENT: text("" if len(r[0]) == 6 else r[0][:6] for r in rows),
        }
    )
    assert unit_settings(frame).tolist() == [r[2].value for r in rows]


def test_what_is_stated_goes_before_and_reaches_down(boundaries):
    stated = {"371502100": Setting.TOWN}
    by_code = dict(zip(boundaries[Col.CODE], unit_settings(boundaries, stated), strict=True))
    assert by_code["371502100201"] == "town"  # a village of a township that is stated
    stated["371502100201"] = Setting.COUNTRY
    by_code = dict(zip(boundaries[Col.CODE], unit_settings(boundaries, stated), strict=True))
    assert (by_code["371502100"], by_code["371502100201"]) == ("town", "country")


def test_the_column_of_urban_rural_codes_is_read(tmp_path):
    path = tmp_path / "villages.csv"
    path.write_text(
        "代码,名称,城乡分类\n371502100201,甲村,121\n371502100202,乙村,220\n371502100203,丙村,\n"
    )
    assert read_settings(path, column="城乡分类") == {
        "371502100201": Setting.TOWN,
        "371502100202": Setting.COUNTRY,
    }
    with pytest.raises(ColumnMissing, match="setting"):
        read_settings(path, column="setting")
    path.write_text("code,setting\n371502100,town\n371502101,suburb\n")
    with pytest.raises(ValueInvalid, match=r"row 2, column setting: 'suburb'"):
        read_settings(path, column="setting")
