"""Addresses taken apart, and venues placed by them."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from api.i18n import catalogue
from geo.address import locate_addresses, parse_address, place_text
from geo.address.number import known_numbers, place_numbers
from geo.address.text import street_key, street_stem, township_key, village_key, village_stem
from geo.frames import Col, Precision
from geo.privacy import is_dwelling_name

EPSG = 32650

# ---- parts of an address ------------------------------------------------------------------------


def parts(text):
    """What is said of an address, without what is not."""
    address = parse_address(text)
    found = {name: getattr(address, name) for name in type(address).__slots__}
    return {name: value for name, value in found.items() if value not in {"", None, ()}}


ABOVE = ("山东省", "聊城市", "东昌府区")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "山东省聊城市东昌府区古楼街道昌润社区东昌路12号院3号楼2单元502室",
            {
                "above": ABOVE,
                "township": "古楼街道",
                "village": "昌润社区",
                "street": "东昌路",
                "number": 12,
            },
        ),
        ("聊城市临清市新华街道先锋路甲12号", {"number": 12, "street": "先锋路"}),
        ("新区街道柳园路８８号", {"township": "新区街道", "street": "柳园路", "number": 88}),
        ("东昌路 12—14 号", {"street": "东昌路", "number": 12, "last": 14}),
        ("东昌路12-3号", {"street": "东昌路", "number": 12}),
        ("东昌路12号甲（工商银行旁）", {"street": "东昌路", "number": 12}),
        ("昌润社区东昌路二十三号", {"village": "昌润社区", "street": "东昌路", "number": 23}),
        ("新政路9#", {"street": "新政路", "number": 9}),
        ("柳园北路三巷5号", {"street": "柳园北路三巷", "number": 5}),
        ("柳园路北段路西25号", {"street": "柳园路", "number": 25}),
        ("东昌路与柳园路交叉口东北角", {"street": "东昌路", "cross": "柳园路"}),
        ("东昌西路路北", {"street": "东昌西路"}),
        ("样例3路12号", {"street": "样例3路", "number": 12}),
        ("沙镇镇王庄村村委会东邻", {"township": "沙镇镇", "village": "王庄村村委会"}),
        ("沙镇镇东街村", {"township": "沙镇镇", "village": "东街村"}),
        ("道口铺街道办事处十里铺村路南", {"township": "道口铺街道办事处", "village": "十里铺村"}),
        ("高新区许营镇", {"above": ("高新区",), "township": "许营镇"}),
        ("兴华路阳光小区12号楼2单元301", {"street": "兴华路"}),
        ("阿城镇农村信用社", {"township": "阿城镇"}),
        ("东昌路15号运河社区", {"street": "东昌路", "number": 15, "village": "运河社区"}),
        ("振华购物中心", {}),
        ("", {}),
    ],
)
def test_parts_of_an_address(text, expected):
    found = parts(text)
    assert expected.items() <= found.items()
    assert set(found) - set(expected) <= {"above", "township"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("东昌路１２号 ３号楼２单元５０２室", "东昌路12号3号楼"),
        ("兴华路阳光小区12号楼2单元301", "兴华路阳光小区12号楼"),
        ("兴华路阳光小区12号楼301", "兴华路阳光小区12号楼"),
        ("兴华路阳光小区3-1-502", "兴华路阳光小区3"),
        ("长江路111号金鼎大厦1203室", "长江路111号金鼎大厦"),
        ("王庄村张三家", "王庄村"),
        ("王庄村第七户", "王庄村"),
        ("王庄村东户", "王庄村"),
        ("东昌路12号二层", "东昌路12号"),
        ("东昌路12号（张三）", "东昌路12号"),
        ("二层楼路5号", "二层楼路5号"),
        ("东昌路12号", "东昌路12号"),
    ],
)
def test_nothing_beyond_the_building_is_kept(text, kept):
    assert place_text(text) == kept
    assert place_text(kept) == kept
    assert not is_dwelling_name(place_text(text))


def test_names_as_they_are_compared():
    assert street_key("滨河 大道（北段）") == street_key("滨河道")
    assert street_stem(street_key("建设东路")) == street_stem(street_key("建设大街"))
    assert village_key("昌润社区居民委员会") == village_key("昌润社区")
    assert village_stem("王庄村民委员会") == village_stem("王庄社区") == "王庄"
    assert township_key("古楼办事处") == township_key("古楼街道办事处") == "古楼街道"


# ---- house numbers ------------------------------------------------------------------------------


def test_numbers_between_neighbours_of_their_side():
    # one street along x, 5 m a number; the even side 20 m north and shifted by 100 m
    odd, even = np.arange(1, 100, 10), np.arange(2, 120, 10)
    number = np.r_[odd, even]
    at = np.r_[np.c_[5.0 * odd, 0 * odd], np.c_[5.0 * even + 100, 0 * even + 20.0]]
    known = known_numbers(np.zeros(len(number), dtype=int), number, at)
    wanted = np.array([31, 36, 33, 95, 119, 250, 33])
    street = np.array([0, 0, 0, 0, 0, 0, 1])
    where, reason = place_numbers(street, wanted, known)
    expected = [[155, 0], [280, 20], [165, 0], [575, 20], [660, 20]]
    assert [str(code).rpartition(".")[2] for code in reason] == [
        *("same", "between", "between", "between", "near"),
        *("", ""),
    ]
    assert where[:5].tolist() == expected
    assert np.isnan(where[5:]).all()


def test_numbers_that_contradict_each_other_say_nothing():
    at = np.array([[0.0, 0.0], [900.0, 0.0], [50.0, 0.0]])
    known = known_numbers(np.zeros(3, dtype=int), np.array([7, 7, 9]), at)
    assert known.number.tolist() == [9]


# ---- a small country ----------------------------------------------------------------------------
#
#   km  0        1        2        3       10       11
#    1  +--------+--------+                 +--------+
#       | 甲镇   | 甲镇   |                 | 乙镇   |
#       | 王庄村 | 李庄村 |                 | 王庄村 |
#  0.5  |===人民路========|                 |=人民路=|
#       |    |柳园路      |                 |        |
#    0  +--------+--------+                 +--------+

ORIGIN = np.array([450_000.0, 4_035_000.0])
CODES = ["371599", "371599101", "371599102", *(f"37159910{k}201" for k in (1, 2)), "371599101202"]


def lonlat(shapes):
    moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy * 1000 + ORIGIN)
    return gpd.GeoSeries(moved, crs=EPSG).to_crs(4326)


def box(a, b):
    return shapely.box(a, 0, b, 1)


@pytest.fixture(scope="module")
def boundaries():
    rows = {
        Col.CODE: CODES,
        Col.NAME: ["样例县", "甲镇", "乙镇", "王庄村民委员会", "王庄村", "李庄村"],
        Col.LEVEL: ["county", "township", "township", "village", "village", "village"],
        Col.ADMIN_PARENT: ["", "371599", "371599", *CODES[1:3], CODES[1]],
    }
    areas = [shapely.box(0, 0, 11, 1), box(0, 2), box(10, 11), box(0, 1), box(10, 11), box(1, 2)]
    columns = {name: pd.Series(values, dtype="str") for name, values in rows.items()}
    return gpd.GeoDataFrame(columns, geometry=lonlat(areas))


@pytest.fixture(scope="module")
def streets():
    lines = [
        shapely.LineString([(0, 0.5), (1, 0.5)]),
        shapely.LineString([(1, 0.5), (2, 0.5)]),
        shapely.LineString([(10, 0.5), (11, 0.5)]),
        shapely.LineString([(0.3, 0.4), (0.3, 0.6)]),
        shapely.LineString([(0, 0.9), (0, 0.95)]),
    ]
    names = pd.Series(["人民路", "人民路", "人民路", "柳园大街", ""], dtype="str")
    return gpd.GeoDataFrame({Col.NAME: names}, geometry=lonlat(lines))


@pytest.fixture(scope="module")
def known():
    numbers = [100, 140, 200, 300, 20, 60]
    spots = [(0.5, 0.49), (0.7, 0.51), (1.0, 0.51), (1.4, 0.49), (10.1, 0.49), (10.3, 0.49)]
    rows = [f"人民路{n}号" for n in numbers] + ["人民路8号", "人民路202号"]
    points = [*lonlat([shapely.Point(xy) for xy in [*spots, (1.01, 0.95)]]), None]
    return gpd.GeoDataFrame({Col.ADDRESS: pd.Series(rows, dtype="str")}, geometry=points, crs=4326)


@pytest.fixture
def place(boundaries, streets, known):
    """Place one address: precision, last word of the reason, place in km."""

    def at(address, village="", township=""):
        series = [pd.Series([text], dtype="str") for text in (address, village, township)]
        found = locate_addresses(
            series[0],
            series[1],
            townships=series[2],
            streets=streets,
            boundaries=boundaries,
            known=known,
            epsg=EPSG,
        )
        reason = found.reason[0].removeprefix("address.")
        if found.geometry[0] is None:
            return found.precision[0], reason, None
        metric = gpd.GeoSeries([found.geometry[0]], crs=4326).to_crs(EPSG)
        km = (shapely.get_coordinates(metric.to_numpy())[0] - ORIGIN) / 1000
        return found.precision[0], reason, tuple(np.round(km, 3).tolist())

    return at


def test_a_number_lies_between_its_neighbours(place):
    assert place("甲镇人民路250号") == ("street", "number.between", (1.2, 0.5))
    assert place("甲镇人民路200号") == ("street", "number.same", (1.0, 0.51))
    assert place("人民路306号", "李庄村") == ("street", "number.near", (1.4, 0.5))
    assert place("人民路40号", "", "乙镇") == ("street", "number.between", (10.2, 0.5))


def test_a_name_that_repeats_is_settled_or_not_guessed(place):
    assert place("人民路40号") == ("none", "ambiguous", None)
    assert place("人民路40号", "王庄村")[0] == "none"
    assert place("", "王庄村") == ("none", "ambiguous", None)
    assert place("王庄村") == ("none", "ambiguous", None)
    precision, reason, at = place("", "王庄", "乙镇")
    assert (precision, reason) == ("village", "village")
    assert 10 < at[0] < 11
    assert 0 < place("甲镇王庄村东头")[2][0] < 1
    assert 10 < place("", "371599102201")[2][0] < 11
    assert place("", "乙镇王庄村村委会")[0] == "village"


def test_what_contradicts_itself_is_not_placed(place):
    assert place("", "李庄村", "乙镇") == ("none", "contrary", None)
    assert place("乙镇柳园大街5号") == ("none", "contrary", None)


def test_a_street_without_a_known_number(place):
    assert place("柳园大街5号") == ("street", "street.part", (0.3, 0.5))
    assert place("甲镇柳园街") == ("street", "street.part", (0.3, 0.5))
    assert place("柳园路", "李庄村", "甲镇")[:2] == ("village", "village")
    precision, reason, at = place("人民路9999号", "李庄村", "甲镇")
    assert (precision, reason) == ("village", "street.part")
    assert at == (pytest.approx(1.45, abs=0.06), 0.5)
    assert place("甲镇人民路") == ("none", "street.long", None)


def test_a_crossing(place):
    assert place("人民路与柳园大街交叉口西北角", "", "甲镇") == ("street", "crossing", (0.3, 0.5))
    assert place("人民路与建设路交叉口", "", "乙镇")[0] == "none"


def test_what_names_nothing_that_is_known(place):
    for address in ("", "振华购物中心", "无名路5号", "人民路北巷3号"):
        assert place(address) == ("none", "unknown", None)


def test_no_address_at_all(boundaries, streets, known):
    none = pd.Series([], dtype="str")
    found = locate_addresses(
        none, none, streets=streets, boundaries=boundaries, known=known, epsg=EPSG
    )
    assert len(found.geometry) == len(found.reason) == 0


# ---- the sample town with planted addresses -----------------------------------------------------


def planted(layers, rng):
    """Venues with addresses whose truth is known: number by metres along the nearest street."""
    points = layers.venues.geometry.to_crs(EPSG).to_numpy()
    streets = layers.streets.dissolve(by=Col.NAME)
    lines = shapely.line_merge(streets.geometry.to_crs(EPSG).to_numpy())
    (_, row), _ = shapely.STRtree(lines).query_nearest(
        points, all_matches=False, return_distance=True
    )
    along = shapely.line_locate_point(lines[row], points)
    foot = shapely.line_interpolate_point(lines[row], along)
    side = shapely.get_x(points) + shapely.get_y(points) > shapely.get_x(foot) + shapely.get_y(foot)
    number = 2 * (along // 8).astype(int) + np.where(side, 1, 2)
    names = streets.index.to_numpy()[row]
    forms = ("{s}{n}号", "样例县样例镇{s}{n}号2单元301室", "样例镇{s}（路北）{n}号", "{s}{n}-9号")
    pick = rng.integers(0, len(forms), len(points))
    text = [forms[f].format(s=s, n=n) for f, s, n in zip(pick, names, number, strict=True)]
    return pd.Series(text, dtype="str"), points


def test_planted_addresses_are_placed_right(small_layers):
    rng = np.random.default_rng(6)
    address, points = planted(small_layers, rng)
    lost = rng.random(len(points)) < 0.3
    blank = pd.Series([""] * int(lost.sum()), dtype="str")
    found = locate_addresses(
        address[lost],
        blank,
        streets=small_layers.streets,
        boundaries=small_layers.boundaries,
        known=small_layers.venues.assign(**{Col.ADDRESS: address})[~lost],
        epsg=EPSG,
    )
    metric = gpd.GeoSeries(found.geometry, crs=4326).to_crs(EPSG).to_numpy()
    off = shapely.distance(metric, points[lost])
    by_street = found.precision == Precision.STREET
    assert lost.sum() > 60
    assert by_street.mean() > 0.6
    assert (off[by_street] <= 100).mean() >= 0.95
    assert set(found.precision) <= set(Precision)
    assert set(found.reason) <= set(catalogue())
    none = found.precision == Precision.NONE
    assert (found.geometry[none] == None).all()  # noqa: E711 - an array of objects
    assert not pd.isna(found.geometry[~none]).any()
