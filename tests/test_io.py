"""Readers of tables and layers: formats, encodings, headers, values, refusals."""

import io
import json
import re
import struct
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

import api.i18n
from api.i18n import catalogue, explain
from geo.errors import (
    CodeInvalid,
    ColumnMissing,
    FileBlank,
    FileEmpty,
    FileMissing,
    FileUnreadable,
    OptionInvalid,
    PersonalDataRefused,
    PersonalValuesRefused,
    PersonKindRefused,
    ValueInvalid,
)
from geo.frames import BOUNDARIES, INCIDENTS, VENUE_REGISTER, VENUES, Col, require
from geo.io import (
    read_boundaries,
    read_buildings,
    read_incidents,
    read_posts,
    read_register,
    read_stations,
    read_units,
    read_venues,
    read_water,
)
from geo.io.hints import REASONS, Hint
from geo.io.json_text import check_json
from geo.io.opening import open_table

FORMATS = Path(__file__).resolve().parents[2] / "shared" / "data" / "formats"
if not FORMATS.exists():
    FORMATS = Path(__file__).parents[2] / "shared" / "data" / "formats"
shared = pytest.mark.skipif(not FORMATS.exists(), reason="../shared/data is absent")

VENUES_CSV = """编号,场所名称,场所类型,等级,上次检查,经度,纬度
A1,样例旅馆 00001,小旅馆,红,2026-10-01,115.9801234,36.4501234
A2,样例餐馆 00002,小餐饮场所,黄色,2026/9/5,115.9812345,36.4512345
A3,样例商店 00003,小商店,绿,,115.9823456,36.4523456
"""

INCIDENTS_CSV = """警情编号,案发时间,警情类别,报警方式,经度,纬度
J1,2026-03-01 20:15:00,盗窃,110报警,115.98,36.45
J2,2026/3/1 23:05,纠纷,主动发现,115.981,36.451
J3,2026年3月2日 1时30分,盗窃,12345热线,115.982,36.452
J4,20260302013000,盗窃,网上,115.983,36.453
"""


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def notes(reading):
    return {note.code: note.params for note in reading.notes}


def workbook(path, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def geojson(path, *features, **extra):
    return write(path, json.dumps({"type": "FeatureCollection", "features": features} | extra))


def square(k, side=0.01):
    return shapely.box(115.9 + k * side, 36.4, 115.9 + (k + 1) * side, 36.4 + side)


def villages(**columns):
    frame = {
        "行政区划代码": ["371502001001", "371502001002", "371502001003"],
        "名称": ["样例一村", "样例二村", "样例三社区"],
    }
    return gpd.GeoDataFrame(frame | columns, geometry=[square(k) for k in range(3)], crs=4326)


# ---- CSV ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_in_every_encoding(tmp_path, encoding):
    reading = read_venues(write(tmp_path / "场所.csv", VENUES_CSV, encoding))
    require(reading.frame, VENUES, source="场所.csv")
    assert list(reading.frame[Col.NAME]) == ["样例旅馆 00001", "样例餐馆 00002", "样例商店 00003"]
    assert list(reading.frame[Col.KIND]) == ["hotel", "food", "shop"]
    assert list(reading.frame[Col.TIER]) == ["red", "yellow", "green"]
    assert reading.frame[Col.LAST_INSPECTION].isna().tolist() == [False, False, True]
    assert reading.frame.geometry[1].coords[0] == (115.9812345, 36.4512345)
    assert reading.refused == ()
    assert ("note.encoding" in notes(reading)) == encoding.startswith("gb")


def test_tabs_and_semicolons(tmp_path):
    for mark in "\t;":
        path = write(tmp_path / "v.csv", VENUES_CSV.replace(",", mark))
        assert len(read_venues(path).frame) == 3


def test_a_row_with_too_many_cells_is_named(tmp_path):
    path = write(tmp_path / "v.csv", VENUES_CSV + "A4,x,小商店,绿,,115.9,36.4,extra\n")
    with pytest.raises(FileUnreadable, match="more cells"):
        read_venues(path)


def test_an_empty_file_and_a_file_of_a_header(tmp_path):
    for text in ("\n", VENUES_CSV.splitlines()[0] + "\n"):
        with pytest.raises(FileEmpty, match=r"v\.csv: the file holds no row"):
            read_venues(write(tmp_path / "v.csv", text))
    with pytest.raises(FileBlank, match=r"v\.csv: the file has no content \(0 bytes\)"):
        read_venues(write(tmp_path / "v.csv", ""))


def test_no_such_file(tmp_path):
    with pytest.raises(FileMissing):
        read_venues(tmp_path / "no.csv")


def test_a_missing_column_is_named_with_what_was_found(tmp_path):
    path = write(tmp_path / "v.csv", VENUES_CSV.replace("等级", "星数"))
    with pytest.raises(ColumnMissing, match=r"tier.*found: .*星数"):
        read_venues(path)
    path = write(tmp_path / "v.csv", VENUES_CSV.replace("经度", "位置"))
    with pytest.raises(ColumnMissing, match="lon/经度"):
        read_venues(path)


def test_binary_rubbish_and_unknown_suffixes(tmp_path):
    (tmp_path / "v.csv").write_bytes(b"\x00\xff\x80\x81" * 20)
    with pytest.raises(FileUnreadable):
        read_venues(tmp_path / "v.csv")
    (tmp_path / "v.docx").write_bytes(b"PK")
    with pytest.raises(FileUnreadable, match="Known suffixes"):
        read_venues(tmp_path / "v.docx")
    for suffix in ("geojson", "gpkg", "shp", "kml", "xlsx", "zip", "kmz"):
        path = tmp_path / f"v.{suffix}"
        path.write_bytes(b"not what the name says")
        for side in (".shx", ".dbf"):
            path.with_suffix(side).write_bytes(b"x")
        with pytest.raises(FileUnreadable, match="cannot be read"):
            read_venues(path)


# ---- XLSX -----------------------------------------------------------------------------------


def test_codes_beside_a_blank_cell_stay_text(tmp_path):
    rows = [["编号", "名称", "类型", "等级", "lng", "lat"]]
    rows += [[371502001001, "甲", "小商店", "红", 115.98, 36.45]]
    rows += [[None, "乙", "小商店", "红", 115.98, 36.46]]
    rows += [["037150200100", "丙", "小商店", "红", 115.98, 36.47]]
    reading = read_venues(workbook(tmp_path / "v.xlsx", ("Sheet1", rows)))
    assert list(reading.frame[Col.VENUE_ID]) == ["371502001001", "037150200100"]
    (refusal,) = reading.refused
    assert (refusal.row, refusal.column, refusal.code) == (2, Col.VENUE_ID, "refusal.blank")


def test_floats_of_codes_are_repaired_and_noted(tmp_path):
    text = VENUES_CSV.replace("A1", "371502001001.0").replace("A2", "371502001002.0")
    reading = read_venues(write(tmp_path / "v.csv", text))
    assert list(reading.frame[Col.VENUE_ID])[:2] == ["371502001001", "371502001002"]
    assert notes(reading)["note.code.float"]["n"] == 2


def test_a_title_above_the_header_and_other_sheets(tmp_path):
    rows = [["样例区场所台账"], ["名称", "类别", "等级", "检查日期", "经度", "纬度"]]
    rows += [["甲", "网吧", "高", date(2026, 9, 1), 115.98, 36.45]]
    path = workbook(tmp_path / "v.xlsx", ("说明", []), ("台账", rows), ("旧", rows))
    reading = read_venues(path)
    assert reading.frame[Col.LAST_INSPECTION][0] == pd.Timestamp("2026-09-01")
    assert reading.frame[Col.KIND][0] == "net_cafe"
    assert notes(reading)["note.sheet"] == {"read": "台账", "others": ("旧",)}


def test_old_workbooks_say_what_to_do(tmp_path):
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    for name in ("v.xls", "v.et", "v.xlsx"):
        (tmp_path / name).write_bytes(ole)
        with pytest.raises(FileUnreadable, match=r"save it as \.xlsx"):
            read_venues(tmp_path / name)


def test_an_empty_workbook(tmp_path):
    with pytest.raises(FileEmpty):
        read_venues(workbook(tmp_path / "v.xlsx", ("Sheet1", [])))


# ---- geographic formats ---------------------------------------------------------------------


def test_shapefile_in_gbk_without_side_files(tmp_path):
    path = tmp_path / "村居.shp"
    villages().rename(columns={"行政区划代码": "行政区划代"}).to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".prj").unlink()
    for language in (0x00, 0x57, 0x4D):
        data = bytearray(path.with_suffix(".dbf").read_bytes())
        data[29] = language
        path.with_suffix(".dbf").write_bytes(data)
        reading = read_boundaries(path)
        assert list(reading.frame[Col.NAME]) == ["样例一村", "样例二村", "样例三社区"]
        assert list(reading.frame[Col.LEVEL].unique()) == ["village"]
        assert {"note.encoding", "note.crs.none"} <= set(notes(reading))


def test_shapefile_whose_utf8_header_is_cut_inside_a_character(tmp_path):
    path = tmp_path / "v.shp"
    villages().rename(columns={"行政区划代码": "ABCDEFGHIJ"}).to_file(path, encoding="UTF-8")
    data = path.with_suffix(".dbf").read_bytes()
    cut = "行政区划代码".encode()[:10]  # 18 bytes, of which a field name holds 10
    path.with_suffix(".dbf").write_bytes(data.replace(b"ABCDEFGHIJ", cut))
    reading = read_boundaries(path)
    assert list(reading.frame[Col.CODE]) == ["371502001001", "371502001002", "371502001003"]


def test_shapefile_with_a_wrong_cpg(tmp_path):
    path = tmp_path / "v.shp"
    villages().rename(columns={"行政区划代码": "CODE"}).to_file(path, encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    assert read_boundaries(path).frame[Col.NAME][2] == "样例三社区"


def test_shapefile_without_its_dbf(tmp_path):
    path = tmp_path / "v.shp"
    villages().rename(columns={"行政区划代码": "CODE"}).to_file(path, encoding="UTF-8")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(FileMissing, match=r"v\.dbf"):
        read_boundaries(path)


def test_zip_with_a_chinese_name_in_gbk(tmp_path):
    villages().rename(columns={"行政区划代码": "CODE"}).to_file(tmp_path / "v.shp", encoding="GBK")
    path = tmp_path / "行政区划.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            name = f"子目录/区划.{suffix}".encode("gbk").decode("cp437")
            archive.write(tmp_path / f"v.{suffix}", name)
    reading = read_boundaries(path)
    assert reading.frame[Col.NAME][0] == "样例一村"
    assert reading.frame[Col.SOURCE][0] == "行政区划.zip"


@pytest.mark.parametrize("epsg", [3857, 4490, 4547, 4527, 32650, 4326])
def test_any_crs_ends_in_degrees(tmp_path, epsg):
    path = tmp_path / "v.gpkg"
    villages().to_crs(epsg).to_file(path)
    reading = read_boundaries(path)
    require(reading.frame, BOUNDARIES, source="v.gpkg")
    drawn = villages().geometry.to_numpy()
    moved = shapely.hausdorff_distance(reading.frame.geometry.to_numpy(), drawn)
    assert moved.max() < 2e-7
    area = reading.frame.to_crs(32650).area.sum()
    assert area == pytest.approx(villages().to_crs(32650).area.sum(), rel=1e-6)


def test_old_datums_are_noted(tmp_path):
    path = tmp_path / "v.gpkg"
    villages().to_crs(4610).to_file(path)
    assert notes(read_boundaries(path))["note.crs.old"] == {"datum": "Xian 1980"}


def test_metres_without_a_crs_are_refused(tmp_path):
    path = tmp_path / "v.shp"
    frame = villages().rename(columns={"行政区划代码": "CODE"}).to_crs(32650)
    frame.to_file(path, encoding="UTF-8")
    path.with_suffix(".prj").unlink()
    with pytest.raises(FileUnreadable, match=r"add the \.prj"):
        read_boundaries(path)


def test_geojson_in_gbk(tmp_path):
    text = villages().to_json(ensure_ascii=False)
    assert (
        read_boundaries(write(tmp_path / "v.geojson", text, "gbk")).frame[Col.NAME][0] == "样例一村"
    )


COUNTY_FILES = """
a.geojson a.gpkg a.kml b.kml cgcs.geojson cgcs2000.gpkg shp_GBK/a.shp shp_GB18030/a.shp
shp_LDID57/a.shp shp_UTF-8/a.shp shp_UTF-8/cgcs.shp shp_UTF-8/gk39.shp shp_UTF-8/long.shp
shp_crs/e32650.shp shp_crs/e3857.shp shp_crs/e4490.shp shp_crs/e4526.shp shp_crs/e4527.shp
shp_crs/e4548.shp 行政区划_gbk.zip
"""

KML = """<?xml version="1.0" encoding="UTF-8"?>{head}
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark><name>{name}</name><ExtendedData><Data name="类别"><value>小旅馆</value></Data>
<SchemaData><SimpleData name="等级">红</SimpleData></SchemaData>{extra}</ExtendedData>
<Point><coordinates> 115.98,36.45,0 </coordinates></Point></Placemark>
<Placemark><name>乙</name><ExtendedData><Data name="类别"><value>小商店</value></Data>
<SchemaData><SimpleData name="等级">绿</SimpleData></SchemaData></ExtendedData>
<MultiGeometry><Point><coordinates>115.99,36.46</coordinates></Point></MultiGeometry></Placemark>
</Folder></Document></kml>"""


def test_kml_and_kmz(tmp_path):
    path = write(tmp_path / "v.kml", KML.format(head="", name="甲", extra=""))
    with zipfile.ZipFile(tmp_path / "v.kmz", "w") as archive:
        archive.write(path, "doc.kml")
    for name in ("v.kml", "v.kmz"):
        reading = read_venues(tmp_path / name)
        assert list(reading.frame[Col.NAME]) == ["甲", "乙"]
        assert list(reading.frame[Col.KIND]) == ["hotel", "shop"]
        assert reading.frame.geometry[1].coords[0] == (115.99, 36.46)


@shared
@pytest.mark.parametrize(
    "name",
    COUNTY_FILES.split(),
)
def test_the_county_layer_in_every_form_users_send(name):
    reading = read_boundaries(FORMATS / name)
    assert len(reading.frame) == 8
    assert reading.frame[Col.NAME][0] == "东昌府区"
    assert reading.frame[Col.CODE][0] == "371502"
    assert reading.frame.to_crs(32650).area.sum() / 1e6 == pytest.approx(8617, abs=1)


@shared
@pytest.mark.parametrize("name", ["p_utf8.csv", "p_utf8sig.csv", "p_gbk.csv", "p.xlsx"])
def test_the_datum_a_file_states_in_a_column(name):
    reading = read_venues(FORMATS / name)
    assert reading.datum == "GCJ-02"
    assert notes(reading)["note.datum"] == {"column": "坐标系", "datum": "GCJ-02"}
    assert reading.frame.geometry[0].x == pytest.approx(115.97438, abs=7e-5)


# ---- limits ---------------------------------------------------------------------------------


def test_deep_json_is_refused_before_a_parser_sees_it(tmp_path):
    inner = {"type": "Point", "coordinates": [115.98, 36.45]}
    for _ in range(40):
        inner = {"type": "GeometryCollection", "geometries": [inner]}
    path = geojson(tmp_path / "v.geojson", feature(inner, name="甲"))
    with pytest.raises(FileUnreadable, match="levels deep"):
        read_venues(path)


def test_brackets_and_quotes_inside_strings_do_not_count():
    for text in ('"[[[["', '"\\"[[[["', '"\\\\"', '"a\\\\\\"{{{{"'):
        check_json(io.BytesIO(b"[" + b",".join([text.encode()] * 30) + b"]"), source="x")
    with pytest.raises(FileUnreadable):
        check_json(io.BytesIO(b'["]]]]]]]]]]]]]]]]]]",' + b"[" * 30), source="x")


def test_json_depth_across_chunks(monkeypatch):
    monkeypatch.setattr("geo.io.json_text.PIECE", 7)
    check_json(io.BytesIO(b'["\\"]]","\\\\",' * 3 + b'"x"' + b"]" * 3), source="x")
    with pytest.raises(FileUnreadable):
        check_json(io.BytesIO(b'["\\"]]]]]]]]","\\\\",' * 30), source="x")


def test_collections_are_refused_row_by_row(tmp_path):
    point = {"type": "Point", "coordinates": [115.98, 36.45]}
    collection = {"type": "GeometryCollection", "geometries": [point]}
    path = geojson(
        tmp_path / "v.geojson",
        feature(point, name="甲", kind="shop", tier="red"),
        feature(collection, name="乙", kind="shop", tier="red"),
        feature(None, name="丙", kind="shop", tier="red"),
    )
    reading = read_venues(path)
    assert list(reading.frame[Col.NAME]) == ["甲"]
    codes = [(refusal.row, refusal.code) for refusal in reading.refused]
    assert codes == [(2, "refusal.geometry.collection"), (3, "refusal.position.blank")]


def test_entities_in_kml_are_refused(tmp_path):
    bomb = '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = write(tmp_path / "v.kml", KML.format(head=bomb, name="&b;", extra=""))
    with pytest.raises(FileUnreadable, match="entities"):
        read_venues(path)


def test_archives_stay_in_their_folder_and_within_their_size(tmp_path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.geojson", villages().to_json())
    assert len(read_boundaries(path).frame) == 3
    assert not (tmp_path.parent / "evil.geojson").exists()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v.geojson", b" " * (1 << 24))
    with pytest.raises(FileUnreadable, match="more than is accepted"):
        read_boundaries(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", b"x")
    with pytest.raises(FileUnreadable, match="exactly one"):
        read_boundaries(path)


def test_a_zip_that_lies_about_a_size(tmp_path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v.geojson", b" " * (1 << 20) + villages().to_json().encode())
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 100)
    path.write_bytes(data)
    with pytest.raises(FileUnreadable):
        read_boundaries(path)


# ---- boundaries -----------------------------------------------------------------------------


def test_counties_alone_read_with_level_parent_and_role(tmp_path):
    path = geojson(
        tmp_path / "counties.geojson",
        feature(square(0).__geo_interface__, district_adcode=371502, district_name="东昌府区"),
        feature(square(1).__geo_interface__, district_adcode=371503, district_name="茌平区"),
    )
    reading = read_boundaries(path, version="2023-06")
    require(reading.frame, BOUNDARIES, source="counties")
    assert list(reading.frame[Col.CODE]) == ["371502", "371503"]
    assert set(reading.frame[Col.LEVEL]) == {"county"}
    assert set(reading.frame[Col.ADMIN_PARENT]) == {"371500"}
    assert set(reading.frame[Col.GRID_ROLE]) == {"none"}
    assert set(reading.frame[Col.BOUNDARY_VERSION]) == {"2023-06"}


def test_padded_codes_of_all_levels(tmp_path):
    codes = ["371500", "371502000000", "371502001000", "371502001001"]
    features = [
        feature(square(k).__geo_interface__, code=code, name=f"n{k}")
        for k, code in enumerate(codes)
    ]
    frame = read_boundaries(geojson(tmp_path / "b.geojson", *features)).frame
    assert list(frame[Col.CODE]) == ["371500", "371502", "371502001", "371502001001"]
    assert list(frame[Col.LEVEL]) == ["city", "county", "township", "village"]
    assert list(frame[Col.ADMIN_PARENT]) == ["", "371500", "371502", "371502001"]
    assert list(frame[Col.GRID_ROLE]) == ["coordination", "none", "supervision", "responsibility"]


def test_what_is_no_code_is_refused(tmp_path):
    good = feature(square(0).__geo_interface__, code="371502", name="a")
    bad = feature(square(1).__geo_interface__, code="037150200100", name="b")
    reading = read_boundaries(geojson(tmp_path / "b.geojson", good, bad))
    (refusal,) = reading.refused
    assert (refusal.row, refusal.code, refusal.params["value"]) == (
        2,
        "refusal.code",
        "037150200100",
    )
    with pytest.raises(CodeInvalid):
        read_boundaries(geojson(tmp_path / "b.geojson", bad))


def test_a_self_intersecting_ring_is_repaired_to_an_area(tmp_path):
    # a bow tie with a spike: make_valid returns a collection of areas and a line
    ring = [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0], [-1, 0], [0, 0]]
    ring = [[115.9 + x / 100, 36.4 + y / 100] for x, y in ring]
    path = geojson(
        tmp_path / "b.geojson",
        feature({"type": "Polygon", "coordinates": [ring]}, code="371502", name="a"),
    )
    reading = read_boundaries(path)
    geometry = reading.frame.geometry[0]
    assert geometry.is_valid
    assert geometry.geom_type in {"Polygon", "MultiPolygon"}
    assert notes(reading)["note.repaired"]["n"] == 1


def test_parts_of_one_unit_become_one_row(tmp_path):
    features = [
        feature(square(k).__geo_interface__, code="371502", name="东昌府区") for k in (0, 5)
    ]
    reading = read_boundaries(geojson(tmp_path / "b.geojson", *features))
    assert len(reading.frame) == 1
    assert reading.refused == ()
    assert reading.frame.geometry[0].geom_type == "MultiPolygon"


def test_two_units_of_one_code_are_not_mixed_up(tmp_path):
    features = [feature(square(k).__geo_interface__, code="371502", name=f"n{k}") for k in (0, 5)]
    reading = read_boundaries(geojson(tmp_path / "b.geojson", *features))
    assert [(r.row, r.code) for r in reading.refused] == [(2, "refusal.repeated")]


def test_register(tmp_path):
    path = write(
        tmp_path / "r.csv", "编码,名称\n371502,东昌府区\n371502001,古楼街道\n371502001001,甲\n"
    )
    register = read_register(path)
    assert list(register["level"]) == ["county", "township", "village"]
    assert list(register["parent_code"]) == ["371500", "371502", "371502001"]
    with pytest.raises(CodeInvalid):
        read_register(write(path, "code,name\n3715,x\n"))
    with pytest.raises(ValueInvalid):
        read_register(write(path, "code,name\n371502,x\n371502,y\n"))


# ---- incidents, stations, units, posts, buildings, water -----------------------------------------


def test_incident_times_and_channels(tmp_path):
    reading = read_incidents(write(tmp_path / "警情.csv", INCIDENTS_CSV, "gbk"))
    require(reading.frame, INCIDENTS, source="警情.csv")
    at = [stamp.isoformat() for stamp in reading.frame[Col.OCCURRED_AT]]
    assert at == [
        "2026-03-01T20:15:00+08:00",
        "2026-03-01T23:05:00+08:00",
        "2026-03-02T01:30:00+08:00",
        "2026-03-02T01:30:00+08:00",
    ]
    channels = ["resident_report", "proactive", "resident_report", "other"]
    assert list(reading.frame[Col.CHANNEL]) == channels


def test_instants_with_an_offset_move_to_the_citys_zone(tmp_path):
    text = "occurred_at,lon,lat\n2026-03-01T12:15:00Z,115.98,36.45\n"
    text += "2026-03-01T20:15:00+0800,115.98,36.45\n"
    frame = read_incidents(write(tmp_path / "i.csv", text)).frame
    assert frame[Col.OCCURRED_AT].nunique() == 1
    assert frame[Col.OCCURRED_AT][0].isoformat() == "2026-03-01T20:15:00+08:00"
    assert list(frame[Col.INCIDENT_ID]) == ["i000001", "i000002"]


def test_defaults_are_stated(tmp_path):
    text = "报警时间,lng,lat\n2026-03-01 12:15,115.98,36.45\n"
    said = read_incidents(write(tmp_path / "i.csv", text)).notes
    defaults = {n.params["column"]: n.params["value"] for n in said if n.code == "note.default"}
    assert defaults == {Col.CATEGORY: "other", Col.CHANNEL: "resident_report"}
    assert any(n.code == "note.id" for n in said)


def test_rows_with_faults_are_listed_with_reasons(tmp_path):
    text = """id,时间,类别,经度,纬度
1,2026-03-01 12:15,盗窃,115.98,36.45
2,someday,盗窃,115.98,36.45
3,2026-03-01 12:15,盗窃,,36.45
4,2026-03-01 12:15,盗窃,215.98,36.45
5,2026-03-01 12:15,盗窃,0,0
1,2026-03-01 12:15,盗窃,115.98,36.45
7,,盗窃,115.98,36.45
"""
    reading = read_incidents(write(tmp_path / "i.csv", text))
    assert len(reading.frame) == 1
    assert [(r.row, r.column, r.code) for r in reading.refused] == [
        (2, "occurred_at", "refusal.date"),
        (3, "geometry", "refusal.position.blank"),
        (4, "geometry", "refusal.position.range"),
        (5, "geometry", "refusal.position.range"),
        (6, "incident_id", "refusal.repeated"),
        (7, "occurred_at", "refusal.blank"),
    ]
    assert reading.refused[0].params["value"] == "someday"


def test_all_rows_refused_is_one_error(tmp_path):
    text = VENUES_CSV.replace("红", "紫").replace("黄色", "紫").replace("绿", "紫")
    with pytest.raises(
        ValueInvalid, match=r"row 1, column tier: （不显示.*red, yellow, green.*all 3 rows"
    ):
        read_venues(write(tmp_path / "v.csv", text))


def test_stations_units_and_posts(tmp_path):
    stations = read_stations(
        write(
            tmp_path / "s.csv",
            "派出所代码,派出所,经度,纬度\nS1,古楼派出所,115.98,36.45\nS2,沙镇镇派出所,115.8,36.4\n"
            "S3,铁路派出所,115.9,36.5\n",
        )
    )
    assert list(stations.frame[Col.KIND]) == ["urban", "township", "special"]
    units = read_units(
        write(
            tmp_path / "u.csv",
            "编号,呼号,派出所,人数,方式\n1,巡01,古楼派出所,4,汽车\n2,巡02,S2,3,电动车\n3,巡03,无此所,4,步行\n"
            "4,巡04,S3,1,步行\n",
        ),
        stations=stations.frame,
    )
    assert list(units.frame[Col.STATION_ID]) == ["S1", "S2"]
    assert list(units.frame[Col.MODE]) == ["car", "ebike"]
    assert [(r.row, r.code) for r in units.refused] == [
        (3, "refusal.station"),
        (4, "refusal.headcount"),
    ]
    posts = read_posts(
        write(
            tmp_path / "g.csv",
            "名称,类型,开始时间,停留,经度,纬度\n学校门口,定点,22:00,1200,115.98,36.45\n广场,双组同到,9:5,600,115.98,36.45\n"
            "桥头,双组同到,23:50,1200,115.98,36.45\n",
        )
    )
    assert list(posts.frame[Col.KIND]) == ["fixed", "pair"]
    assert list(posts.frame[Col.WINDOW_START]) == ["22:00", "23:50"]
    assert list(posts.frame[Col.WINDOW_END]) == ["22:20", "00:10"]
    assert [(r.row, r.code) for r in posts.refused] == [(2, "refusal.clock")]


def test_buildings_from_outlines_and_water_of_two_kinds(tmp_path):
    path = geojson(
        tmp_path / "b.geojson",
        feature(square(0).__geo_interface__, 户数=12),
        feature(square(1).__geo_interface__, 户数="x"),
    )
    reading = read_buildings(path)
    assert list(reading.frame[Col.HOUSEHOLDS]) == [12]
    assert square(0).contains(reading.frame.geometry[0])
    line = {"type": "LineString", "coordinates": [[115.9, 36.4], [115.91, 36.41]]}
    point = {"type": "Point", "coordinates": [115.9, 36.4]}
    path = geojson(
        tmp_path / "w.geojson",
        feature(square(0).__geo_interface__, name="湖"),
        feature(line, name="徒骇河"),
        feature(point, name="泉"),
    )
    water = read_water(path)
    assert list(water.frame[Col.NAME]) == ["湖", "徒骇河"]
    assert [r.code for r in water.refused] == ["refusal.geometry.kind"]


def test_a_stated_datum_is_converted(tmp_path):
    path = write(tmp_path / "v.csv", VENUES_CSV)
    plain, shifted = read_venues(path).frame, read_venues(path, datum="GCJ-02").frame
    metres = plain.to_crs(32650).distance(shifted.to_crs(32650))
    assert metres.between(400, 650).all()
    with pytest.raises(OptionInvalid):
        read_venues(path, datum="mars")


def test_unused_columns_are_named(tmp_path):
    text = VENUES_CSV.replace("经度", "面积,经度").replace(",115", ",99,115")
    assert notes(read_venues(write(tmp_path / "v.csv", text)))["note.ignored"] == {
        "columns": ("面积",)
    }


# ---- persons --------------------------------------------------------------------------------

POISON = {"负责人": "张三", "联系电话": "13812345678"}


def _poisoned(path):
    """Write a venue layer with two columns of persons in the format of the suffix."""
    rows = [{"名称": f"样例商店 {k}", "类型": "小商店", "等级": "红"} | POISON for k in range(3)]
    lonlat = [(115.98 + k / 1000, 36.45) for k in range(3)]
    frame = gpd.GeoDataFrame(
        rows, geometry=gpd.points_from_xy(*zip(*lonlat, strict=True)), crs=4326
    )
    table = pd.DataFrame(rows).assign(经度=[x for x, _ in lonlat], 纬度=[y for _, y in lonlat])
    match path.suffix:
        case ".csv":
            table.to_csv(path, index=False, encoding="gbk" if "gbk" in path.name else "utf-8")
        case ".xlsx":
            table.to_excel(path, index=False)
        case ".kml":
            extra = "".join(
                f'<Data name="{k}"><value>{v}</value></Data>' for k, v in POISON.items()
            )
            write(path, KML.format(head="", name="甲", extra=extra))
        case ".shp":
            frame.to_file(path, encoding="GBK")
            path.with_suffix(".cpg").unlink()
        case _:
            frame.to_file(path)
    return path


POISONED = ["v.csv", "v_gbk.csv", "v.xlsx", "v.geojson", "v.gpkg", "v.shp", "v.kml"]


@pytest.mark.parametrize("name", POISONED)
def test_columns_of_persons_are_refused_in_every_format(tmp_path, name):
    path = _poisoned(tmp_path / name)
    with pytest.raises(PersonalDataRefused) as caught:
        read_venues(path)
    assert caught.value.params["remedy"] == "--drop 负责人,联系电话"
    for secret in POISON.values():
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value.params)


@pytest.mark.parametrize("name", POISONED)
def test_dropped_columns_are_gone_before_anything_else(tmp_path, name):
    reading = read_venues(_poisoned(tmp_path / name), drop=("负责人", "联系电话"))
    assert set(reading.dropped) == set(POISON)
    assert not set(POISON) & set(reading.frame.columns)
    assert "13812345678" not in repr(reading.notes)


def test_personal_values_under_innocent_headers(tmp_path):
    text = VENUES_CSV.replace("样例商店 00003", "样例商店 13812345678")
    with pytest.raises(PersonalValuesRefused, match="场所名称") as caught:
        read_venues(write(tmp_path / "v.csv", text))
    assert "13812345678" not in str(caught.value)


def test_phone_numbers_in_place_of_coordinates_are_not_repeated(tmp_path):
    text = "名称,类型,等级,x,y\n甲,小商店,红,13812345678,13812345678\n"
    with pytest.raises(
        ValueInvalid, match="row 1, column x, y: （不显示 / not shown） is not allowed"
    ) as caught:
        read_venues(write(tmp_path / "v.csv", text))
    assert "13812345678" not in repr(caught.value.params)


def test_free_text_of_incidents_is_refused(tmp_path):
    text = INCIDENTS_CSV.replace("报警方式", "简要案情")
    with pytest.raises(PersonalDataRefused, match="--drop 简要案情"):
        read_incidents(write(tmp_path / "i.csv", text))
    assert len(read_incidents(tmp_path / "i.csv", drop=["简要案情"]).frame) == 4


def test_kinds_of_person_and_dwellings_are_refused(tmp_path):
    with pytest.raises(PersonKindRefused, match="row 3"):
        read_venues(write(tmp_path / "v.csv", VENUES_CSV.replace("小商店", "重点人员住处")))
    with pytest.raises(PersonKindRefused, match="row 3"):
        read_venues(write(tmp_path / "v.csv", VENUES_CSV.replace("小商店", "住宅")))
    with pytest.raises(PersonKindRefused):
        read_incidents(write(tmp_path / "i.csv", INCIDENTS_CSV.replace("纠纷", "涉稳人员")))
    with pytest.raises(PersonKindRefused):
        read_venues(write(tmp_path / "吸毒人员.csv", VENUES_CSV))
    reading = read_venues(
        write(tmp_path / "v.csv", VENUES_CSV.replace("样例商店 00003", "幸福里3单元502室"))
    )
    assert [(r.row, r.code) for r in reading.refused] == [(3, "refusal.dwelling")]


def test_a_layer_of_persons_is_refused_by_its_name(tmp_path):
    path = tmp_path / "v.gpkg"
    villages().to_file(path, layer="重点人员")
    with pytest.raises(PersonKindRefused, match="重点人"):
        read_boundaries(path)


def test_village_and_credit_codes_are_codes(tmp_path):
    frame = villages(村居代码=["371502001001", "371502801231", "371502790101"])
    frame.to_file(tmp_path / "v.gpkg")
    assert len(read_boundaries(tmp_path / "v.gpkg").frame) == 3
    text = VENUES_CSV.replace("编号", "统一社会信用代码")
    for old, new in (("A1", "91350100M000100Y43"), ("A2", "91350100M000100Y44"), ("A3", "x")):
        text = text.replace(old, new)
    reading = read_venues(write(tmp_path / "v.csv", text))
    assert notes(reading)["note.credit"] == {"column": "统一社会信用代码", "n": 2, "total": 3}
    text = text.replace("91350100M000100Y44", "11010519491231002X")
    with pytest.raises(PersonalDataRefused, match="统一社会信用代码"):
        read_venues(write(tmp_path / "v.csv", text))


def test_the_door_keeps_every_cell_as_text(tmp_path):
    path = write(tmp_path / "t.csv", "a,b\n007,1e5\n,NA\n")
    assert open_table(path).cells.to_numpy().tolist() == [["007", "1e5"], ["", "NA"]]


def test_every_hint_is_in_the_catalogue_in_both_languages():
    for hint in Hint:
        assert catalogue()[hint.code]["en"] == hint.value
        assert catalogue()[hint.code]["zh"]


def test_every_code_of_the_readers_is_in_the_catalogue():
    sources = (Path(__file__).parents[1] / "geo" / "io").glob("*.py")
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    used = set(re.findall(r'"((?:note|refusal)\.[a-z.]+)"', text)) - {"refusal."}
    own = tomllib.loads((Path(api.i18n.__file__).parent / "input.toml").read_text("utf-8"))
    assert {code for code in own if code.startswith(("note.", "refusal."))} <= used
    assert used <= set(catalogue())


def test_a_header_that_is_a_phone_number_is_named_by_its_position(tmp_path):
    path = write(tmp_path / "v.csv", VENUES_CSV.replace("上次检查", "电话13987654321"))
    with pytest.raises(PersonalDataRefused, match="--drop 第5列/column5") as caught:
        read_venues(path)
    assert "13987654321" not in repr(caught.value.params)
    for name in ("第5列", "column 5", "第5列/column5"):
        reading = read_venues(path, drop=[name])
        assert "13987654321" not in repr((reading.notes, reading.dropped))


def test_a_name_in_a_cell_is_never_repeated(tmp_path):
    for old, new in (("小商店", "重点人员张伟强"), ("36.4523456", "张伟强"), ("绿", "张伟强")):
        path = write(tmp_path / "v.csv", VENUES_CSV.replace(old, new))
        try:
            said = repr(read_venues(path).refused)
        except PersonKindRefused as error:
            said = repr(error.params)
        assert "张伟强" not in said
    path = write(tmp_path / "v.csv", VENUES_CSV.replace("编号", "坐标系").replace("A1", "张伟强"))
    text = path.read_text("utf-8").replace("A2", "张伟强").replace("A3", "张伟强")
    with pytest.raises(ValueInvalid, match="GCJ-02") as caught:
        read_venues(write(path, text))
    assert "张伟强" not in repr(caught.value.params)


def test_the_remedy_repeats_what_was_dropped(tmp_path):
    text = VENUES_CSV.replace("编号", "负责人").replace("上次检查", "联系电话")
    path = write(tmp_path / "v.csv", text)
    with pytest.raises(PersonalDataRefused, match="--drop 负责人,联系电话 to"):
        read_venues(path, drop=["负责人"])
    for listed in ("负责人，联系电话", "负责人、联系电话"):
        assert len(read_venues(path, drop=[listed]).frame) == 3


def test_dates_out_of_this_age_are_refused(tmp_path):
    text = VENUES_CSV.replace("2026-10-01", "9999-12-31").replace("2026/9/5", "1066-10-14")
    assert [r.code for r in read_venues(write(tmp_path / "v.csv", text)).refused] == [
        "refusal.year"
    ] * 2
    text = INCIDENTS_CSV.replace("2026-03-01 20:15:00", "9999-12-31T23:59:59Z")
    text = text.replace("2026/3/1 23:05", "9999-12-31")
    codes = [r.code for r in read_incidents(write(tmp_path / "i.csv", text)).refused]
    assert codes == ["refusal.date", "refusal.year"]


def test_names_and_sources_of_persons_are_refused(tmp_path):
    text = VENUES_CSV.replace("样例商店 00003", "布控张伟强").replace("编号", "来源")
    text = text.replace("A1", "重点人员张伟强")
    codes = [(r.row, r.code) for r in read_venues(write(tmp_path / "v.csv", text)).refused]
    assert codes == [(1, "refusal.person"), (3, "refusal.person")]
    text = "编号,呼号,派出所\n1,重点人员张伟强,S1\n2,巡02,S1\n"
    reading = read_units(write(tmp_path / "u.csv", text))
    assert [(r.row, r.code) for r in reading.refused] == [(1, "refusal.person")]


def test_water_without_rows_is_an_empty_layer(tmp_path):
    frame = gpd.GeoDataFrame({"name": pd.Series([], dtype="str")}, geometry=[], crs=4326)
    frame.to_file(tmp_path / "water.gpkg")
    for reader in (read_water, read_buildings):
        reading = reader(tmp_path / "water.gpkg")
        assert len(reading.frame) == 0
        assert "note.empty" in notes(reading)


def test_overlapping_boundaries_are_noted_and_repeated_ids_refused_once(tmp_path):
    frame = villages()
    frame.loc[1, "geometry"] = square(0.5)
    frame.to_file(tmp_path / "b.gpkg")
    assert notes(read_boundaries(tmp_path / "b.gpkg"))["note.overlap"]["n"] == 1
    villages().to_file(tmp_path / "c.gpkg")
    assert "note.overlap" not in notes(read_boundaries(tmp_path / "c.gpkg"))
    reading = read_venues(write(tmp_path / "v.csv", VENUES_CSV.replace("A2", "A1")))
    assert [(one.row, one.code) for one in reading.refused] == [(2, "refusal.repeated")]


def test_all_rows_refused_says_the_reason_in_words(tmp_path):
    path = write(tmp_path / "u.csv", "编号,派出所,人数\n1,S1,1\n2,S1,0\n")
    with pytest.raises(ValueInvalid, match="a number of 2 or more; all 2 rows") as caught:
        read_units(path)
    assert "2 或更大的整数" in explain(caught.value, "zh")
    for reason, english in REASONS.items():
        assert catalogue()[f"expected.{reason}"]["en"] == english


# ---- venues without a position ------------------------------------------------------------------

REGISTER_CSV = """编号,场所名称,场所类型,等级,{address},{village},{township},经度,纬度
A1,样例旅馆 1,小旅馆,红,东昌路１２号3单元502室,昌润社区,古楼街道,115.98,36.45
A2,样例旅馆 2,小旅馆,红,王庄村样某家,王庄村样某家,古楼街道, ,
A3,样例旅馆 3,小旅馆,红,,371502001001,,0,0
A4,样例旅馆 4,小旅馆,红,,,,215,36
"""
HEADERS = [
    ("地址", "所在村居", "所在镇街"),
    ("详细地址", "村(社区)", "乡镇(街道)"),
    ("经营地址", "村（社区）", "镇街"),
    ("街道门牌", "所在社区", "所属乡镇"),
    ("address", "village", "township"),
]


@pytest.mark.parametrize(("address", "village", "township"), HEADERS)
def test_venues_may_go_without_a_position(tmp_path, address, village, township):
    text = REGISTER_CSV.format(address=address, village=village, township=township)
    path = write(tmp_path / "v.csv", text)
    reading = read_venues(path, positions_optional=True)
    require(reading.frame, VENUE_REGISTER, source="v.csv")
    assert reading.frame.geometry.isna().tolist() == [False, True, True]
    assert list(reading.frame[Col.ADDRESS]) == ["东昌路12号", "王庄村", ""]
    assert list(reading.frame[Col.VILLAGE]) == ["昌润社区", "王庄村", "371502001001"]
    assert list(reading.frame[Col.TOWNSHIP]) == ["古楼街道", "古楼街道", ""]
    assert notes(reading) == {"note.position.none": {"n": 2, "total": 4}}
    assert [(r.row, r.code) for r in reading.refused] == [(4, "refusal.position.range")]
    strict = read_venues(path)
    assert [r.row for r in strict.refused] == [2, 3, 4]
    assert Col.ADDRESS not in strict.frame.columns


def test_a_whole_register_without_positions(tmp_path):
    text = "场所名称,场所类型,等级,地址\n样例旅馆 1,小旅馆,红,东昌路12号\n"
    path = write(tmp_path / "v.csv", text)
    with pytest.raises(ColumnMissing, match="lon/经度"):
        read_venues(path)
    reading = read_venues(path, positions_optional=True)
    assert reading.frame.geometry.isna().all()
    with pytest.raises(ColumnMissing, match="lat/纬度"):
        read_venues(write(path, text.replace("地址", "经度")), positions_optional=True)
    none = feature(None, name="甲", kind="shop", tier="red", 地址="东昌路1号")
    reading = read_venues(geojson(tmp_path / "v.geojson", none), positions_optional=True)
    assert reading.frame.geometry.isna().tolist() == [True]


def test_an_address_that_points_at_a_person_is_refused(tmp_path):
    text = "场所名称,场所类型,等级,地址\n甲,小旅馆,红,重点人员住处\n乙,小旅馆,红,东昌路12号\n"
    reading = read_venues(write(tmp_path / "v.csv", text), positions_optional=True)
    assert [(r.row, r.column, r.code) for r in reading.refused] == [
        (1, Col.ADDRESS, "refusal.person")
    ]


def test_stars_in_headers_are_marks_of_forms(tmp_path):
    text = VENUES_CSV.replace("场所名称", "*场所名称").replace("场所类型", "场所类型＊")
    assert len(read_venues(write(tmp_path / "v.csv", text)).frame) == 3


def test_blank_cells_that_follow_from_others_are_worked_out(tmp_path):
    """As the templates say: station type, call-sign and the end of a post may stay blank."""
    rows = {
        "stations": "派出所编号,派出所名称,派出所类型,lon,lat\na,样例镇派出所,,116,36\n",
        "units": "班组编号,呼号,派出所编号,人数,方式\nu1,,a,,\nu2,样例2组,a,3,步行\n",
        "posts": "岗位编号,岗位名称,开始时间,结束时间,停留,lon,lat\np1,样例校门,22:00,,,116,36\n",
    }
    for layer, text in rows.items():
        (tmp_path / f"{layer}.csv").write_text(text, "utf-8")
    stations = read_stations(tmp_path / "stations.csv")
    units = read_units(tmp_path / "units.csv")
    posts = read_posts(tmp_path / "posts.csv")
    assert (stations.refused, units.refused, posts.refused) == ((), (), ())
    assert stations.frame[Col.KIND].tolist() == ["township"]
    assert units.frame[Col.CALL_SIGN].tolist() == ["u1", "样例2组"]
    assert posts.frame[Col.WINDOW_END].tolist() == ["22:15"]


def test_posts_without_any_start_are_refused_row_by_row(tmp_path):
    """Issue 5: a column of blank times was a traceback, not a refusal."""
    head = "岗位编号,岗位名称,开始时间,停留,lon,lat"
    one_time = write(
        tmp_path / "one.csv", f"{head}\np1,样例校门,,,116,36\np2,样例桥,22:00,,116,36\n"
    )
    posts = read_posts(one_time)
    assert posts.frame[Col.POST_ID].tolist() == ["p2"]
    assert [(r.row, r.column, r.code) for r in posts.refused] == [
        (1, Col.WINDOW_START, "refusal.blank")
    ]
    none = write(tmp_path / "none.csv", f"{head}\np1,样例校门,,,116,36\np2,样例桥,,,116,36\n")
    with pytest.raises(ValueInvalid, match=r"none\.csv.*row 1, column window_start.*all 2 rows"):
        read_posts(none)
