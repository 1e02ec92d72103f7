"""The traps of ../shared/data/CATALOGUE.md: what a user sees at each, in both languages.

Traps 7 (names are no keys) and 9 (32-bit boxes) are not of reading: tests/test_boundary*.py and
tests/test_locate.py, tests/test_store_units.py hold them.
"""

import json
from pathlib import Path

import geopandas as gpd
import networkx as nx
import openpyxl
import pandas as pd
import pytest
import shapely

from api.i18n import LANGUAGES, explain, text
from geo.crs import Datum, from_wgs84, gcj02_to_wgs84, is_metric_for, wgs84_to_gcj02
from geo.errors import DatumMismatch, NetworkEmpty, OptionInvalid, PatrolgridError
from geo.frames import Col
from geo.io import read_boundaries, read_register, read_streets, read_venues
from geo.io.city import LayerPaths, read_layers
from geo.io.opening import open_table
from geo.io.values import clean_codes
from geo.io.write import write_layers

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
shared = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")


def said(reading, code):
    """Return the note's sentence in both languages."""
    note = next(note for note in reading.notes if note.code == code)
    return [text(code, lang, source=note.source, **note.params) for lang in LANGUAGES]


def explained(error: PatrolgridError):
    return [explain(error, lang) for lang in LANGUAGES]


# ---- 1: map coordinates taken for WGS-84 --------------------------------------------------------
def test_1_map_coordinates_as_wgs84_are_refused_with_the_option(small_layers, tmp_path):
    write_layers(small_layers, tmp_path)
    venues = pd.read_csv(tmp_path / "venues.csv", dtype="str")
    shifted = wgs84_to_gcj02(venues[["lon", "lat"]].astype("float64").to_numpy())
    venues[["lon", "lat"]] = shifted.round(7).astype("str")
    venues.to_csv(tmp_path / "venues.csv", index=False)
    paths = LayerPaths(
        boundaries=tmp_path / "boundaries.gpkg",
        streets=tmp_path / "streets.gpkg",
        venues=tmp_path / "venues.csv",
        incidents=tmp_path / "incidents.csv",
        stations=tmp_path / "stations.csv",
    )
    with pytest.raises(DatumMismatch) as caught:
        read_layers(paths, epsg=None, data_date=small_layers.data_date)
    for sentence in explained(caught.value):
        assert "GCJ-02" in sentence
        assert "--datum" in sentence
    assert 400 < caught.value.params["offset_m"] < 650
    layers, _, _ = read_layers(
        paths, epsg=None, data_date=small_layers.data_date, datum="venues=GCJ-02"
    )
    moved = layers.venues.to_crs(32650).distance(small_layers.venues.to_crs(32650))
    assert moved.max() < 0.05


def test_1_the_centre_of_the_city():
    """(115.98, 36.456) is GCJ-02; the catalogue gives its WGS-84 place to some metres."""
    found = gcj02_to_wgs84(wgs84 := pd.DataFrame([[115.98, 36.456]]).to_numpy())
    assert abs(found - [[115.97438, 36.45600]]).max() < 7e-5
    assert abs(wgs84_to_gcj02(found) - wgs84).max() < 1e-9


# ---- 2: a real enclave, and layers that differ --------------------------------------------------
@shared
def test_2_the_county_layer_as_shipped_and_with_the_enclave_cut_out(tmp_path):
    source = DATA / "boundaries" / "counties_371500_tianditu.geojson"
    layer = json.loads(source.read_text("utf-8"))
    counties = read_boundaries(source).frame.set_index(Col.CODE)
    shenxian = counties.geometry["371522"]
    hole = shapely.Point(115.489, 35.907).buffer(0.0088)
    row = next(k for k, f in enumerate(layer["features"]) if "371522" in json.dumps(f))
    cut = shapely.difference(shenxian, hole)
    layer["features"][row]["geometry"] = json.loads(shapely.to_geojson(cut))
    path = tmp_path / "counties.geojson"
    path.write_text(json.dumps(layer), encoding="utf-8")
    again = read_boundaries(path).frame.set_index(Col.CODE).geometry["371522"]
    assert shapely.get_num_interior_rings(again) >= 1
    assert not again.contains(shapely.Point(115.489, 35.907))


# ---- 3: repair that leaves more than areas ------------------------------------------------------
def test_3_only_areas_come_out_of_a_repair(tmp_path):
    # a bow tie on a spike: make_valid returns a collection
    ring = [(0, 0), (2, 2), (2, 0), (0, 2), (0, 0), (-1, 0), (0, 0)]
    shape = shapely.Polygon([(115.9 + x / 100, 36.4 + y / 100) for x, y in ring])
    assert shapely.make_valid(shape).geom_type == "GeometryCollection"
    frame = gpd.GeoDataFrame({"code": ["371502"], "name": ["甲"]}, geometry=[shape], crs=4326)
    frame.to_file(tmp_path / "b.gpkg")
    reading = read_boundaries(tmp_path / "b.gpkg")
    assert set(reading.frame.geom_type) <= {"Polygon", "MultiPolygon"}
    assert said(reading, "note.repaired") == [
        "b.gpkg：修复了 1 个自相交的面：甲", "b.gpkg: repaired 1 invalid areas: 甲",
    ]  # fmt: skip


# ---- 4: Shapefiles ------------------------------------------------------------------------------
@shared
@pytest.mark.parametrize("folder", ["shp_GBK", "shp_GB18030", "shp_LDID57"])
def test_4_chinese_shapefiles_without_cpg(folder):
    reading = read_boundaries(DATA / "formats" / folder / "a.shp")
    assert reading.frame[Col.NAME].tolist()[:2] == ["东昌府区", "茌平区"]
    assert "按 GBK/GB18030 编码读取" in said(reading, "note.encoding")[0]
    assert "read as GBK/GB18030" in said(reading, "note.encoding")[1]


@shared
@pytest.mark.parametrize("name", ["long", "trunc"])
def test_4_long_chinese_field_names(name):
    table = open_table(DATA / "formats" / "shp_UTF-8" / f"{name}.shp")
    assert len(table) == 8
    assert not any("\ufffd" in header for header in table.cells.columns)


# ---- 5: tables ----------------------------------------------------------------------------------
@shared
@pytest.mark.parametrize("name", ["codes.xlsx", "codes2.xlsx", "codes2.csv", "c3.csv"])
def test_5_codes_beside_a_blank_cell_are_no_floats(name):
    """The .csv was written by a program that had made floats of them: that is repaired."""
    cells = open_table(DATA / "formats" / name).cells
    codes, n_repaired = clean_codes(cells.iloc[:, 0])
    assert not codes.str.endswith(".0").any()
    assert n_repaired == cells.iloc[:, 0].str.endswith(".0").sum()


def test_5_a_leading_zero_stays(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["编号", "名称", "类型", "等级", "经度", "纬度"],
        ["037", "甲", "小商店", "红", 115.98, 36.45],
    ):
        book.active.append(row)
    book.save(tmp_path / "v.xlsx")
    assert read_venues(tmp_path / "v.xlsx").frame[Col.VENUE_ID].tolist() == ["037"]


def test_5_gbk_and_floats_are_said(tmp_path):
    text = "编号,名称,类型,等级,经度,纬度\n371502001001.0,甲,小商店,红,115.98,36.45\n"
    (tmp_path / "v.csv").write_bytes(text.encode("gbk"))
    reading = read_venues(tmp_path / "v.csv")
    assert reading.frame[Col.VENUE_ID].tolist() == ["371502001001"]
    assert said(reading, "note.code.float")[0] == "v.csv：“编号”列有 1 个代码带“.0”，已还原"
    assert said(reading, "note.encoding")[0] == "v.csv：按 GBK/GB18030 编码读取"


@pytest.mark.parametrize(
    ("word", "datum"),
    [("CGCS2000", "WGS-84"), ("GCJ-02", "GCJ-02"), ("百度", "BD-09"), ("wgs84", "WGS-84")],
)
def test_columns_in_every_datum_end_in_the_same_place(tmp_path, word, datum):
    lon, lat = from_wgs84(pd.DataFrame([[115.98, 36.45]]).to_numpy(), Datum(datum))[0]
    text = f"名称,类型,等级,东经,北纬\n甲,小商店,红,{lon:.9f},{lat:.9f}\n"
    (tmp_path / "v.csv").write_text(text, encoding="utf-8")
    reading = read_venues(tmp_path / "v.csv", datum=word)
    assert reading.datum == datum
    assert reading.frame.geometry[0].coords[0] == (115.98, 36.45)


@shared
def test_5_a_register_keeps_its_codes():
    register = read_register(DATA / "boundaries" / "register_371500_2019.csv")
    assert (register[Col.LEVEL] == "village").sum() == 6363
    assert register[Col.CODE].str.fullmatch(r"\d+").all()


# ---- 6: graphs and extracts ---------------------------------------------------------------------
def test_6_merged_ids_parallel_edges_and_loops_in_a_graph(tmp_path):
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, x in ((1, 115.98), (2, 115.981), (3, 115.982)):
        graph.add_node(node, x=x, y=36.45)
    graph.add_edge(
        1, 2, osmid="1,2", highway="['residential', 'service']", oneway="False", length=90
    )
    graph.add_edge(2, 1, osmid="[1, 2]", highway="residential", oneway="False", length=90)
    graph.add_edge(2, 3, osmid="7", highway="primary", oneway="True", length=90)
    graph.add_edge(2, 3, osmid="7", highway="primary", oneway="True", length=90)
    graph.add_edge(3, 3, osmid="9", highway="residential", oneway="False", length=0)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    reading = read_streets(tmp_path / "g.graphml")
    assert reading.frame[Col.SEGMENT_ID].is_unique
    assert len(reading.frame) == 2
    assert {note.code for note in reading.notes} >= {"note.street.duplicate", "note.street.zero"}


@shared
def test_6_a_clipped_extract_is_no_empty_graph():
    reading = read_streets(DATA / "net" / "small_clipped.osm")
    assert len(reading.frame) >= 30
    assert "无名路段 40/40" in said(reading, "note.street.unnamed")[0]


def test_6_an_extract_without_a_street_says_so(tmp_path):
    (tmp_path / "x.osm").write_text('<osm version="0.6"><node id="1" lon="1" lat="1"/></osm>')
    with pytest.raises(NetworkEmpty) as caught:
        read_streets(tmp_path / "x.osm")
    assert "没有带道路 highway 值且节点齐全的路线" in explained(caught.value)[0]


# ---- 8: areas in the wrong projection -----------------------------------------------------------
@shared
def test_8_web_mercator_is_no_metric_system_and_both_zones_serve_the_city(small_layers, tmp_path):
    counties = read_boundaries(DATA / "boundaries" / "counties_371500_tianditu.geojson").frame
    area = {epsg: counties.to_crs(epsg).area.sum() / 1e6 for epsg in (3857, 32650, 4548, 4547)}
    assert area[3857] / area[32650] == pytest.approx(1.55, abs=0.02)
    city = counties.geometry.union_all()
    for epsg, is_good in ((3857, False), (32650, True), (4548, True)):
        assert is_metric_for(epsg, city) is is_good
    # 115.5 E, where two 3-degree zones meet, runs through the city: both are good to 0.1 %
    assert area[4547] == pytest.approx(area[4548], rel=1e-3)
    paths = write_layers(small_layers, tmp_path)
    named = {path.stem: path for path in paths}
    with pytest.raises(OptionInvalid) as caught:
        read_layers(
            LayerPaths(
                **{
                    k: named[k]
                    for k in ("boundaries", "streets", "venues", "incidents", "stations")
                }
            ),
            epsg=3857,
            data_date=small_layers.data_date,
        )
    assert "以米为单位" in explained(caught.value)[0]
