"""Readers of the place layers: what users send, what is refused, that no camera or name stays."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from api.i18n import catalogue, explain
from geo.errors import PersonalDataRefused, PositionRefused, ValueInvalid
from geo.frames import (
    ASSETS,
    CAMERA_COUNTS,
    HAZARDS,
    NIGHT_ZONES,
    PARKING,
    RAIL,
    REACHES,
    RESOURCES,
    SERVICE_POINTS,
    Col,
    require,
)
from geo.io import place_words
from geo.io.export import write_file
from geo.io.place_layers import (
    read_assets,
    read_camera_counts,
    read_cell_areas,
    read_hazards,
    read_night_zones,
    read_parking,
    read_rail,
    read_reaches,
    read_resources,
    read_service_points,
)
from geo.io.resources import read_night_rules, read_resource_rules
from geo.place import check_reaches
from geo.sample import make_city
from geo.sample.places import make_places

SERVICE = """编号,名称,类型,经度,纬度
1,东昌综治中心,综治中心,115.98,36.45
2,柳园驿站,平安驿站,115.99,36.46
3,古楼执法服务站,执法服务站,115.97,36.45
4,路口监控探头,驿站,115.97,36.45
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def shapes(path, rows, shape):
    n = len(next(iter(rows.values())))
    frame = gpd.GeoDataFrame(rows, geometry=[shapely.from_wkt(shape)] * n, crs=4326)
    frame.to_file(path)
    return path


LINE = "LINESTRING (115.97 36.45, 115.98 36.46)"
AREA = "POLYGON ((115.97 36.45, 115.98 36.45, 115.98 36.46, 115.97 36.45))"


def test_service_points_in_users_words_and_no_camera_among_them(tmp_path):
    reading = read_service_points(write(tmp_path / "s.csv", SERVICE))
    require(reading.frame, SERVICE_POINTS, source="test")
    assert list(reading.frame[Col.KIND]) == ["centre", "post_house", "enforcement"]
    assert [(r.row, r.code) for r in reading.refused] == [(4, "refusal.camera")]


def test_parking_without_spaces_is_zero(tmp_path):
    rows = ["广场停车场,公共停车场,115.98,36.45,120", "兴华路泊位,路内泊位,115.98,36.45,"]
    text = "\n".join(["名称,类型,lon,lat,车位", *rows])
    frame = read_parking(write(tmp_path / "p.csv", text)).frame
    require(frame, PARKING, source="test")
    assert list(frame[Col.CAPACITY]) == [120, 0]
    assert list(frame[Col.KIND]) == ["car_park", "roadside"]


def test_hazards_in_users_words(tmp_path):
    kinds = ["加油站", "液化气充装站", "天然气门站", "烟花爆竹零售", "民爆仓库", "危化品企业"]
    rows = [f"样例{k},{kind},115.98,36.45" for k, kind in enumerate(kinds)]
    frame = read_hazards(write(tmp_path / "h.csv", "\n".join(["名称,类型,lon,lat", *rows]))).frame
    require(frame, HAZARDS, source="test")
    assert list(frame[Col.KIND]) == ["fuel", "lpg", "gas", "firework", "explosive", "chemical"]


def test_a_phone_in_a_place_layer_is_refused_as_everywhere(tmp_path):
    text = "名称,类型,lon,lat,联系电话\n东昌综治中心,综治中心,115.98,36.45,13800000000\n"
    with pytest.raises(PersonalDataRefused, match="--drop 联系电话"):
        read_service_points(write(tmp_path / "s.csv", text))
    assert len(read_service_points(tmp_path / "s.csv", drop=["联系电话"]).frame) == 1


def test_camera_counts_per_grid(tmp_path):
    text = "网格编码,监控数量\n371502002005001,3\n371502002005002,0\n371502002005003,-1\n"
    reading = read_camera_counts(write(tmp_path / "c.csv", text))
    require(reading.frame, CAMERA_COUNTS, source="test")
    assert list(reading.frame[Col.N_CAMERAS]) == [3, 0]
    assert [r.row for r in reading.refused] == [3]


@pytest.mark.parametrize(
    ("header", "value"),
    [("经度", "115.98"), ("lat", "36.45"), ("安装地址", "兴华路"), ("国标编码", "3715020001"),
     ("IP地址", "x"), ("点位名称", "路口")],
)  # fmt: skip
def test_where_a_camera_is_is_refused(tmp_path, header, value):
    text = f"网格编码,数量,{header}\n371502002005001,1,{value}\n"
    with pytest.raises(PositionRefused) as error:
        read_camera_counts(write(tmp_path / "c.csv", text))
    assert header in str(error.value)
    assert "只保存每个网格的数量" in explain(error.value, "zh")
    assert value not in str(error.value) or value == "x"
    assert len(read_camera_counts(tmp_path / "c.csv", drop=[header]).frame) == 1


def test_camera_points_are_refused_and_outlines_of_grids_are_not(tmp_path):
    rows = {"cell_id": ["371502002005001"], "n_cameras": [2]}
    with pytest.raises(PositionRefused, match="geometry"):
        read_camera_counts(shapes(tmp_path / "p.gpkg", rows, "POINT (115.98 36.45)"))
    frame = read_camera_counts(shapes(tmp_path / "a.gpkg", rows, AREA)).frame
    assert "geometry" not in frame.columns


def test_a_row_per_camera_is_no_count(tmp_path):
    text = "网格编码,数量\n371502002005001,1\n371502002005001,1\n"
    reading = read_camera_counts(write(tmp_path / "c.csv", text))
    assert [r.code for r in reading.refused] == ["refusal.repeated"]


def test_rail_in_words_of_osm_and_of_offices(tmp_path):
    rows = {
        "名称": ["郑济高铁", "京九铁路", "电厂专用线", "样例线"],
        "railway": ["高速铁路", "rail", "spur", "abandoned"],
        "桥": ["是", "", "", ""],
    }
    reading = read_rail(shapes(tmp_path / "r.geojson", rows, LINE))
    require(reading.frame, RAIL, source="test")
    assert list(reading.frame[Col.KIND]) == ["high_speed", "main", "branch"]
    assert list(reading.frame[Col.BRIDGE]) == [True, False, False]
    assert [r.code for r in reading.refused] == ["refusal.word"]


def test_rivers_in_two_parts_that_meet_become_one_line(tmp_path):
    whole = "MULTILINESTRING ((115.97 36.45, 115.98 36.46), (115.98 36.46, 115.99 36.46))"
    frame = read_assets(shapes(tmp_path / "a.geojson", {"编号": ["徒骇"]}, whole)).frame
    require(frame, ASSETS, source="test")
    assert list(frame.geom_type) == ["LineString"]
    assert list(frame[Col.NAME]) == ["徒骇"]
    apart = "MULTILINESTRING ((115.97 36.45, 115.98 36.46), (115.99 36.46, 116.0 36.46))"
    with pytest.raises(ValueInvalid):
        read_assets(shapes(tmp_path / "b.geojson", {"编号": ["徒骇"]}, apart))


REACH_ROWS = """河道编号,级别,起点桩号,终点桩号,责任岗位
w1,市级,K0+000,K12+345.5,市级河长岗
w1,镇级,0,5000,沙镇镇河长岗
w1,镇级,5000,12345.5,张三
w1,村级,0,10,刘庄村河长岗
w1,镇级,什么,10,沙镇镇河长岗
"""


def test_stretches_in_stakes_or_metres_and_no_name_as_owner(tmp_path):
    reading = read_reaches(write(tmp_path / "r.csv", REACH_ROWS))
    require(reading.frame, REACHES, source="test")
    assert reading.frame[[Col.LEVEL, Col.FROM_M, Col.TO_M]].to_numpy().tolist() == [
        ["city", 0.0, 12345.5],
        ["township", 0.0, 5000.0],
    ]
    assert [(r.row, r.code) for r in reading.refused] == [
        (3, "refusal.post"),
        (4, "refusal.word"),
        (5, "refusal.value"),
    ]
    assert not any("张三" in str(refusal) for refusal in reading.refused)


def test_night_zones_with_hours_in_one_column_or_two(tmp_path):
    rows = {
        "名称": ["柳园夜市", "东昌夜市", "古楼夜市"],
        "营业时间": ["19:00-次日02:00", "晚上", "全天"],
    }
    reading = read_night_zones(shapes(tmp_path / "z.geojson", rows, AREA))
    require(reading.frame, NIGHT_ZONES, source="test")
    zone = reading.frame.iloc[0]
    assert (zone[Col.WINDOW_START], zone[Col.WINDOW_END], zone[Col.KIND]) == (
        "19:00",
        "02:00",
        "drawn",
    )
    assert reading.frame.iloc[1][Col.WINDOW_END] == "00:00"
    assert [(r.row, r.code) for r in reading.refused] == [(2, "refusal.clock")]
    rows = {"名称": ["柳园夜市"], "开始": ["18:30"], "结束": ["24:00"]}
    frame = read_night_zones(shapes(tmp_path / "y.geojson", rows, AREA)).frame
    assert list(frame[Col.WINDOW_END]) == ["00:00"]


def test_a_zone_that_crosses_itself_is_refused(tmp_path):
    bow = "POLYGON ((115.97 36.45, 115.98 36.46, 115.98 36.45, 115.97 36.46, 115.97 36.45))"
    rows = {"名称": ["甲"], "开始": ["18:30"], "结束": ["23:00"]}
    with pytest.raises(ValueInvalid):
        read_night_zones(shapes(tmp_path / "z.geojson", rows, bow))


TEAMS = """镇街,呼号,力量类型,人数,方式,时段
沙镇镇,沙镇1,专职,6,汽车,20:00-02:00
371502002,柳园1,义警,8,步行,19:00至22:00
同名镇,同名1,专职,6,步行,20:00-02:00
沙镇镇,沙镇2,机关下沉,1,步行,20:00-02:00
沙镇镇,沙镇3,雇佣,6,步行,20:00-02:00
"""


def units():
    return pd.DataFrame(
        {
            Col.CODE: ["371502001", "371502002", "371502003", "371503004", "371502002005"],
            Col.NAME: ["沙镇镇", "柳园街道", "同名镇", "同名镇", "沙镇镇"],
            Col.LEVEL: ["township"] * 4 + ["village"],
        }
    )


def test_teams_by_name_or_code_of_their_township(tmp_path):
    reading = read_resources(write(tmp_path / "t.csv", TEAMS), boundaries=units())
    require(reading.frame, RESOURCES, source="test")
    columns = [Col.CODE, Col.KIND, Col.MODE, Col.WINDOW_START, Col.WINDOW_END]
    assert reading.frame[columns].to_numpy().tolist() == [
        ["371502001", "own", "car", "20:00", "02:00"],
        ["371502002", "volunteer", "foot", "19:00", "22:00"],
    ]
    assert [(r.row, r.code) for r in reading.refused] == [
        (3, "refusal.unit"),
        (4, "refusal.headcount"),
        (5, "refusal.word"),
    ]


def test_a_file_written_is_read_back_equal(tmp_path):
    frame = read_service_points(write(tmp_path / "s.csv", SERVICE)).frame
    for name in ("s.gpkg", "again.csv", "s.xlsx"):
        write_file(frame, tmp_path / name, layer="service_points")
        again = read_service_points(tmp_path / name).frame
        assert_frame_equal(pd.DataFrame(again), pd.DataFrame(frame))


def test_cells_by_any_header(tmp_path):
    frame = read_cell_areas(
        shapes(tmp_path / "c.gpkg", {"网格编码": ["371502002005001"]}, AREA)
    ).frame
    assert list(frame[Col.CELL_ID]) == ["371502002005001"]


def test_one_grid_of_the_middle_by_grid_code(tmp_path):
    # Issue 6: refused as a column nobody asked for, and its code as an identity number.
    path = shapes(tmp_path / "c.gpkg", {"grid_code": ["371502001001003"]}, AREA)
    assert list(read_cell_areas(path).frame[Col.CELL_ID]) == ["371502001001003"]


@pytest.mark.parametrize("words", [
    place_words.rail_kind, place_words.service_kind, place_words.parking_kind,
    place_words.hazard_kind, place_words.asset_kind, place_words.zone_origin, place_words.force,
], ids=lambda words: words.name)  # fmt: skip
def test_every_word_has_both_languages_and_is_understood_in_chinese(words):
    for value in words.values:
        assert words(catalogue()[f"word.{words.name}.{value}"]["zh"]) == value


RULES = """version = "x"
[[rules]]
code = "two"
level = "{level}"
n_teams = 2
window = ["{start}", "02:00"]
"""


def test_rules_of_ones_own(tmp_path):
    good = RULES.format(level="township", start="20:00")
    rules = read_resource_rules(write(tmp_path / "r.toml", good))
    assert rules.rules[0].window == ("20:00", "02:00")


@pytest.mark.parametrize(
    ("level", "start", "column"), [("hamlet", "20:00", "level"), ("township", "8pm", "window")]
)
def test_a_slip_in_rules_is_named(tmp_path, level, start, column):
    bad = write(tmp_path / "r.toml", RULES.format(level=level, start=start))
    with pytest.raises(ValueInvalid, match=f"no. 1, key {column}"):
        read_resource_rules(bad)


def test_night_rules_refuse_an_unknown_key(tmp_path):
    text = (
        'version="x"\ndusk="18:00"\nlate="22:00"\ndawn="06:00"\nradius_m=100\nn_open=5\nnoise=1\n'
    )
    with pytest.raises(ValueInvalid, match="noise"):
        read_night_rules(write(tmp_path / "n.toml", text))
    rules = read_night_rules(write(tmp_path / "n.toml", text.replace("noise=1\n", "")))
    assert rules.hours == {}


def test_the_sample_city_passes_our_checks_and_its_files_read_back_equal(tmp_path):
    """Two ways of computing one thing: the sample cuts rivers by units, the check sweeps metres."""
    layers = make_city(scale="district", seed=1, data_date=date(2026, 11, 20)).layers
    made = make_places(layers, seed=1)
    basis = {"data_date": layers.data_date, "boundary_version": layers.boundary_version}
    check = check_reaches(
        made["reaches"],
        made["assets"],
        layers.boundaries,
        epsg=layers.epsg,
        **basis,
    )
    assert check.faults.empty
    readers = {
        "rail": read_rail,
        "service_points": read_service_points,
        "parking": read_parking,
        "hazards": read_hazards,
        "assets": read_assets,
    }
    for layer, read in readers.items():
        write_file(made[layer], tmp_path / f"{layer}.gpkg", layer=layer)
        again = read(tmp_path / f"{layer}.gpkg").frame
        assert_frame_equal(pd.DataFrame(again), pd.DataFrame(made[layer]))
    for layer, read_table in {"reaches": read_reaches, "resources": read_resources}.items():
        write_file(made[layer], tmp_path / f"{layer}.csv", layer=layer)
        again = read_table(tmp_path / f"{layer}.csv").frame
        assert_frame_equal(again, made[layer])
