"""Readers of streets: OpenStreetMap files, GraphML and line layers."""

from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from geo.errors import (
    ColumnMissing,
    FileBlank,
    FileUnreadable,
    NetworkEmpty,
    PersonalDataRefused,
    PersonalValuesRefused,
)
from geo.frames import STREETS, Col, require
from geo.io import read_streets
from geo.io.export import write_file

NET = Path(__file__).parents[2] / "shared" / "data" / "net"
shared = pytest.mark.skipif(not NET.exists(), reason="../shared/data is absent")

# Nodes 1..9 lie 0.001 degrees apart; 99 is not in the file.
#
#        7
#        |            way 10  1-2-3-4   two-way, 东昌路
#    1---2---3---4    way 11  7-2-8     oneway=-1: traffic runs 8 -> 2 -> 7
#        |   |        way 12  3-9-99    clipped: 99 is dangling, 3-9 stays
#        8   9        way 13  roundabout 4-5-6-4, a loop
#                     way 14  footway 8-9, way 15  a platform (no street), way 16  only 99-98
OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
{nodes}
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/>
  <tag k="highway" v="primary"/><tag k="name" v="东昌路"/><tag k="bridge" v="yes"/>
  <tag k="maxspeed" v="50 mph"/><tag k="lanes" v="4"/></way>
<way id="11"><nd ref="7"/><nd ref="2"/><nd ref="8"/>
  <tag k="highway" v="residential"/><tag k="oneway" v="-1"/>
  <tag k="oneway:bicycle" v="no"/><tag k="maxspeed" v="slow"/></way>
<way id="12"><nd ref="3"/><nd ref="9"/><nd ref="99"/><tag k="highway" v="tertiary"/></way>
<way id="13"><nd ref="4"/><nd ref="5"/><nd ref="6"/><nd ref="4"/>
  <tag k="highway" v="tertiary"/><tag k="junction" v="roundabout"/></way>
<way id="14"><nd ref="8"/><nd ref="9"/><tag k="highway" v="footway"/></way>
<way id="15"><nd ref="1"/><nd ref="7"/><tag k="highway" v="platform"/></way>
<way id="16"><nd ref="99"/><nd ref="98"/><tag k="highway" v="service"/></way>
<way id="17"><nd ref="1"/><nd ref="7"/><tag k="building" v="yes"/></way>
</osm>
"""
AT = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (3, 0), 5: (4, 1), 6: (4, -1), 7: (1, 1), 8: (1, -1)}
AT[9] = (2, -1)


def _lonlat(node):
    x, y = AT[node]
    return round(115.98 + x / 1000, 7), round(36.45 + y / 1000, 7)


def _osm(path, text=OSM):
    nodes = "\n".join(
        f'<node id="{n}" lon="{_lonlat(n)[0]}" lat="{_lonlat(n)[1]}" version="1"/>' for n in AT
    )
    path.write_text(text.format(nodes=nodes), encoding="utf-8")
    return path


def _notes(reading):
    return {note.code: note.params for note in reading.notes}


def _ends(frame, segment_id):
    line = frame.set_index(Col.SEGMENT_ID).loc[segment_id, "geometry"]
    return line.coords[0], line.coords[-1]


def test_osm_ways_are_cut_at_shared_nodes(tmp_path):
    reading = read_streets(_osm(tmp_path / "town.osm"))
    frame = reading.frame
    require(frame, STREETS, source="town.osm")
    assert list(frame[Col.SEGMENT_ID]) == ["10-0", "10-1", "10-2", "11-0", "11-1", "12", "13", "14"]
    assert _ends(frame, "10-1") == (_lonlat(2), _lonlat(3))
    assert set(frame[Col.NAME][:3]) == {"东昌路"}
    assert list(frame[Col.STREET_CLASS]) == [
        *["arterial"] * 3, *["lane"] * 2, "collector", "collector", "path",
    ]  # fmt: skip
    assert frame[Col.BRIDGE].tolist() == [True] * 3 + [False] * 5


def test_osm_oneway_minus_one_and_roundabouts(tmp_path):
    frame = read_streets(_osm(tmp_path / "town.osm")).frame
    assert frame[Col.ONEWAY].tolist() == [False] * 3 + [True, True, False, True, False]
    assert _ends(frame, "11-0") == (_lonlat(8), _lonlat(2))
    assert _ends(frame, "11-1") == (_lonlat(2), _lonlat(7))
    assert _ends(frame, "13") == (_lonlat(4), _lonlat(4))


def test_osm_lanes_and_limits(tmp_path):
    frame = read_streets(_osm(tmp_path / "town.osm")).frame
    assert frame[Col.LANES].tolist() == [4] * 3 + [0] * 5
    assert frame[Col.MAX_SPEED].tolist() == [80.5] * 3 + [0.0] * 5


def test_osm_ways_that_come_twice_to_one_node_in_a_row_stay_whole(tmp_path):
    twice = OSM.replace('<nd ref="1"/><nd ref="2"/>', '<nd ref="1"/><nd ref="1"/><nd ref="2"/>', 1)
    reading = read_streets(_osm(tmp_path / "town.osm", twice))
    assert reading.frame.equals(read_streets(_osm(tmp_path / "town.osm")).frame)
    lost = OSM.replace('<nd ref="3"/><nd ref="9"/><nd ref="99"/>', '<nd ref="9"/><nd ref="9"/>')
    reading = read_streets(_osm(tmp_path / "town.osm", lost))
    assert "12" not in set(reading.frame[Col.SEGMENT_ID])
    assert _notes(reading)["note.street.zero"] == {"n": 1}


def test_a_clipped_extract_keeps_the_stretches_that_are_there(tmp_path):
    # osmnx raises "Some edges missing nodes" (its issues 323, 436, 662, 950)
    clipped = OSM.replace('<nd ref="7"/><nd ref="2"/>', '<nd ref="98"/><nd ref="7"/><nd ref="2"/>')
    clipped = clipped.replace(
        '<nd ref="3"/><nd ref="4"/>', '<nd ref="97"/><nd ref="3"/><nd ref="4"/>'
    )
    reading = read_streets(_osm(tmp_path / "town.osm", clipped))
    ids = list(reading.frame[Col.SEGMENT_ID])
    assert ids == ["10/0", "10/1", "11-0", "11-1", "12", "13", "14"]
    assert _notes(reading)["note.street.dangling"] == {"n": 5}


def test_a_small_extract_is_not_empty(tmp_path):
    # osmnx keeps the largest part only, or nothing, and says nothing
    small = OSM[: OSM.index('<way id="11">')] + "</osm>"
    assert len(read_streets(_osm(tmp_path / "small.osm", small)).frame) == 1


def test_osm_notes_count_what_was_left_out(tmp_path):
    reading = read_streets(_osm(tmp_path / "town.osm"))
    notes = _notes(reading)
    assert notes["note.street.dangling"] == {"n": 3}
    assert notes["note.street.other"] == {"n": 1}
    assert notes["note.street.loop"] == {"n": 1}
    assert notes["note.street.contraflow"] == {"n": 1}
    assert notes["note.street.limit"] == {"n": 1, "column": "maxspeed"}
    assert notes["note.street.unnamed"] == {"n": 5, "total": 8, "share": 62.5}
    assert reading.attribution == ("© OpenStreetMap contributors (ODbL)",)


def test_osm_pbf_reads_like_osm(tmp_path):
    import osmium

    xml, pbf = _osm(tmp_path / "town.osm"), tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for item in osmium.FileProcessor(str(xml)):
            writer.add(item)
    first, second = read_streets(xml).frame, read_streets(pbf).frame
    assert first.equals(second)


def test_osm_without_a_street(tmp_path):
    path = _osm(tmp_path / "town.osm", OSM.replace("highway", "barrier"))
    with pytest.raises(NetworkEmpty, match=r"town\.osm"):
        read_streets(path)


def test_damaged_and_empty_files(tmp_path):
    for name in ("x.osm", "x.osm.pbf", "x.graphml"):
        path = tmp_path / name
        path.write_bytes(b"not this")
        with pytest.raises(FileUnreadable):
            read_streets(path)
        path.write_bytes(b"")
        with pytest.raises(FileBlank):
            read_streets(path)


# A graph as osmnx writes it: 1 <-> 2 two-way with a bend, 2 -> 3 one-way, 3 -> 3 a loop of no
# length, 1 <-> 2 once more by another course, and 2 -> 3 drawn twice.


def _graph(**edge):
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified="True")
    for node in (1, 2, 3):
        lon, lat = _lonlat(node)
        graph.add_node(node, x=str(lon), y=str(lat))
    bend = shapely.LineString([_lonlat(1), (115.9805, 36.4505), _lonlat(2)])
    plain = {"highway": "residential", "osmid": "1,2", "oneway": "True", "length": ""} | edge
    graph.add_edge(1, 2, **plain, name="['柳园路', '柳园南路']", geometry=bend.wkt)
    graph.add_edge(2, 1, **plain, name="柳园路", geometry=bend.reverse().wkt)
    graph.add_edge(1, 2, **plain)
    graph.add_edge(2, 1, **plain)
    graph.add_edge(2, 3, **plain | {"highway": "['tertiary', 'primary']", "bridge": "yes"})
    graph.add_edge(2, 3, **plain)
    graph.add_edge(3, 3, **plain)
    graph.add_edge(1, 3, **plain | {"highway": "corridor"})
    return graph


def test_graphml_pairs_become_two_way_segments(tmp_path):
    nx.write_graphml(_graph(), tmp_path / "g.graphml")
    reading = read_streets(tmp_path / "g.graphml")
    frame = reading.frame
    require(frame, STREETS, source="g.graphml")
    assert len(frame) == 3
    assert frame[Col.ONEWAY].tolist() == [False, False, True]
    assert frame[Col.NAME].tolist() == ["柳园路", "", ""]
    assert frame[Col.STREET_CLASS].tolist() == ["lane", "lane", "arterial"]
    assert frame[Col.BRIDGE].tolist() == [False, False, True]
    assert len(frame.geometry[0].coords) == 3
    notes = _notes(reading)
    assert notes["note.street.paired"] == {"n": 2}
    assert notes["note.street.duplicate"] == {"n": 1}
    assert notes["note.street.zero"] == {"n": 1}
    assert notes["note.street.other"] == {"n": 1}


def test_graphml_lists_of_merged_streets(tmp_path):
    # what osmnx writes after simplification, or without it
    lists = {"maxspeed": "['60', '80']", "lanes": "['3', '2']", "osmid": "[11, 12]"}
    graph = _graph(**lists)
    graph.add_edge(3, 1, highway="['residential', 'tertiary']", maxspeed="60;80", osmid="7")
    bend = shapely.LineString([_lonlat(1), (115.9805, 36.4510), _lonlat(3)]).wkt
    graph.add_edge(
        1, 3, highway="motorway_link", maxspeed="signals", geometry=bend, **{"oneway:bicycle": "no"}
    )
    nx.write_graphml(graph, tmp_path / "g.graphml")
    reading = read_streets(tmp_path / "g.graphml")
    frame = reading.frame
    assert frame[Col.MAX_SPEED].tolist() == [60.0, 60.0, 0.0, 60.0, 60.0]
    assert frame[Col.LANES].tolist() == [2, 2, 0, 2, 0]
    assert frame[Col.STREET_CLASS].tolist() == [
        "lane",
        "lane",
        "expressway",
        "arterial",
        "collector",
    ]
    assert _notes(reading)["note.street.contraflow"] == {"n": 1}
    assert "note.street.limit" not in _notes(reading)


def test_projected_graphs_come_back_to_degrees(tmp_path):
    graph = _graph()
    for _, _, data in graph.edges(data=True):
        data.pop("geometry", None)
    nodes = gpd.GeoSeries.from_xy(*zip(*map(_lonlat, (1, 2, 3)), strict=True), crs=4326)
    for node, point in zip((1, 2, 3), nodes.to_crs(32650), strict=True):
        graph.nodes[node].update(x=str(point.x), y=str(point.y))
    graph.graph["crs"] = "epsg:32650"
    nx.write_graphml(graph, tmp_path / "g.graphml")
    frame = read_streets(tmp_path / "g.graphml").frame
    np.testing.assert_allclose(frame.geometry[0].coords[0], _lonlat(1), atol=2e-7)


def test_graphs_that_cannot_be_streets(tmp_path):
    path = tmp_path / "g.graphml"
    graph = _graph()
    for _, _, data in graph.edges(data=True):
        del data["highway"]
    nx.write_graphml(graph, path)
    with pytest.raises(ColumnMissing, match="highway"):
        read_streets(path)
    nx.write_graphml(nx.MultiDiGraph(), path)
    with pytest.raises(NetworkEmpty):
        read_streets(path)
    nx.write_graphml(_graph(highway="proposed"), path)
    read_streets(path)  # 2 -> 3 is still a street
    graph = _graph()
    del graph.nodes[1]["x"]
    nx.write_graphml(graph, path)
    with pytest.raises(FileUnreadable, match="x and y"):
        read_streets(path)
    path.write_text('<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a "b">]><graphml/>')
    with pytest.raises(FileUnreadable, match="entities"):
        read_streets(path)


def _lines(**columns):
    geometry = [
        shapely.LineString([_lonlat(1), _lonlat(2), _lonlat(3)]),
        shapely.MultiLineString([[_lonlat(2), _lonlat(7)], [_lonlat(2), _lonlat(8)]]),
        shapely.LineString([_lonlat(3), _lonlat(9)]),
    ]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def test_a_gbk_shapefile_with_chinese_classes(tmp_path):
    path = tmp_path / "道路.shp"
    frame = _lines(
        道路名称=["东昌路", None, "支巷"],
        道路等级=["主干路", "支路", "巷道"],
        单行=["否", "是", "双向"],
    )
    frame.to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    reading = read_streets(path)
    streets = reading.frame
    assert streets[Col.SEGMENT_ID].tolist() == [
        "s000001-0", "s000001-1", "s000002/0", "s000002/1", "s000003",
    ]  # fmt: skip
    assert streets[Col.STREET_CLASS].tolist() == [
        "arterial", "arterial", "collector", "collector", "lane",
    ]  # fmt: skip
    assert streets[Col.ONEWAY].tolist() == [False, False, True, True, False]
    assert streets[Col.NAME].tolist() == ["东昌路", "东昌路", "", "", "支巷"]


def test_rows_that_are_no_street_are_refused(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(fclass=["primary", "platform", "service"], oneway=["B", "F", "?"]).to_file(path)
    reading = read_streets(path)
    assert [(r.row, r.code) for r in reading.refused] == [(2, "refusal.street.class")]
    assert _notes(reading)["note.street.oneway"] == {"n": 1}


def test_classes_from_a_speed_column(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(限速=[60, 30, 15]).to_file(path)
    reading = read_streets(path)
    assert reading.frame[Col.STREET_CLASS].tolist() == [
        "arterial", "arterial", "collector", "collector", "lane",
    ]  # fmt: skip
    assert _notes(reading)["note.street.speed"] == {"column": "限速", "n": 3}


def test_limits_are_kept_beside_the_class(tmp_path):
    path = tmp_path / "roads.gpkg"
    limits = ["CN:urban", "walk", "999"]
    _lines(fclass=["primary"] * 3, 限速=limits, 车道数=["双向4车道", None, "2"]).to_file(path)
    reading = read_streets(path)
    assert reading.frame[Col.MAX_SPEED].tolist() == [50.0, 50.0, 5.0, 5.0, 0.0]
    assert reading.frame[Col.LANES].tolist() == [4, 4, 0, 0, 2]
    assert _notes(reading)["note.street.limit"] == {"n": 1, "column": "限速"}
    assert "note.street.speed" not in _notes(reading)


def test_speeds_that_are_no_limits_tell_the_class_alone(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(speed_kph=[61.5, 30, 15]).to_file(path)
    frame = read_streets(path).frame
    assert set(frame[Col.STREET_CLASS]) == {"arterial", "collector", "lane"}
    assert not frame[Col.MAX_SPEED].any()


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("travel_dir", None),
        ("通行方向说", "cut"),
        ("is_the_one", "cut"),
        ("x", "twoway"),
    ],
)
def test_a_shapefile_that_lost_its_oneway_column(tmp_path, field, code):
    # field names are cut to 10 bytes; what is left of travel_direction is still known
    path = tmp_path / "roads.shp"
    frame = _lines(fclass=["motorway", "trunk", "motorway_link"], **{field: ["F", "T", "B"]})
    frame.to_file(path, encoding="GBK")
    reading = read_streets(path)
    notes = _notes(reading)
    if code is None:
        assert reading.frame[Col.ONEWAY].tolist() == [True, True, True, True, False]
        assert not {"note.street.cut", "note.street.twoway"} & set(notes)
        assert "note.street.expressway" not in notes
        return
    assert notes[f"note.street.{code}"] == ({"columns": (field,)} if code == "cut" else {})
    assert notes["note.street.expressway"] == {"n": 5}


def test_directions_coded_as_navigation_data_has_them(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(fclass=["primary"] * 3, direction=[1, 2, 3]).to_file(path)
    reading = read_streets(path)
    assert reading.frame[Col.ONEWAY].tolist() == [False, False, True, True, True]
    assert _ends(reading.frame, "s000003") == (_lonlat(9), _lonlat(3))
    assert _notes(reading)["note.street.coded"] == {"column": "direction"}


def test_zero_lengths_parallels_and_loops_in_a_layer(tmp_path):
    path = tmp_path / "roads.gpkg"
    at = [_lonlat(k) for k in (1, 2, 4, 5, 6)]
    geometry = [
        shapely.LineString([at[0], at[1]]),
        shapely.LineString([at[0], (115.9805, 36.4505), at[1]]),
        shapely.LineString([at[1], at[1]]),
        shapely.LineString([at[2], at[3], at[4], at[2]]),
        shapely.LineString([at[1], at[0]]),
    ]
    frame = gpd.GeoDataFrame({"fclass": ["primary"] * 5}, geometry=geometry, crs=4326)
    frame.to_file(path)
    reading = read_streets(path)
    assert reading.frame[Col.SEGMENT_ID].tolist() == ["s000001", "s000002", "s000004"]
    notes = _notes(reading)
    assert [notes[f"note.street.{kind}"] for kind in ("zero", "duplicate", "loop")] == [
        {"n": 1}
    ] * 3


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp"])
def test_streets_written_and_read_again_keep_lanes_and_limits(tmp_path, suffix):
    streets = read_streets(_osm(tmp_path / "town.osm")).frame
    path = tmp_path / f"streets.{suffix}"
    write_file(streets, path, layer=STREETS.layer)
    again = read_streets(path).frame
    assert again.drop(columns="geometry").equals(streets.drop(columns="geometry"))


def test_old_layers_without_lanes_and_limits_read_as_unknown(tmp_path):
    streets = read_streets(_osm(tmp_path / "town.osm")).frame
    path = tmp_path / "old.gpkg"
    streets.drop(columns=[Col.LANES, Col.MAX_SPEED]).to_file(path)
    again = read_streets(path).frame
    require(again, STREETS, source="old.gpkg")
    assert not again[Col.LANES].any()
    assert not again[Col.MAX_SPEED].any()


def test_a_line_layer_needs_a_class_or_a_speed(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(名称=["a", "b", "c"]).to_file(path)
    with pytest.raises(ColumnMissing, match="maxspeed/限速"):
        read_streets(path)


def test_a_layer_with_segment_ids_is_not_cut_again(tmp_path):
    path = tmp_path / "roads.gpkg"
    frame = _lines(segment_id=["a", "b", "c"], street_class=["lane"] * 3)
    frame = frame.assign(
        geometry=[g if g.geom_type == "LineString" else g.geoms[0] for g in frame.geometry]
    )
    frame.to_file(path)
    assert read_streets(path).frame[Col.SEGMENT_ID].tolist() == ["a", "b", "c"]


def test_persons_are_refused_in_street_layers_and_names(tmp_path):
    path = tmp_path / "roads.gpkg"
    _lines(fclass=["primary"] * 3, 路长=["x"] * 3, 联系电话=["13812345678"] * 3).to_file(path)
    with pytest.raises(PersonalDataRefused, match="--drop 联系电话"):
        read_streets(path)
    assert len(read_streets(path, drop=["联系电话"]).frame) == 5
    osm = _osm(tmp_path / "town.osm", OSM.replace("东昌路", "报修13812345678"))
    with pytest.raises((PersonalDataRefused, PersonalValuesRefused)) as caught:
        read_streets(osm)
    assert "13812345678" not in str(caught.value)


def test_a_stated_datum_moves_streets(tmp_path):
    path = _osm(tmp_path / "town.osm")
    plain, moved = read_streets(path).frame, read_streets(path, datum="GCJ-02").frame
    metres = plain.to_crs(32650).hausdorff_distance(moved.to_crs(32650))
    assert metres.between(400, 650).all()


@shared
def test_jinan():
    reading = read_streets(NET / "jinan.graphml")
    notes = _notes(reading)
    # 28,600 directed edges = 18,118 segments + 10,480 merged pairs + 2 duplicates
    assert len(reading.frame) == 18_118
    assert notes["note.street.paired"] == {"n": 10_480}
    assert notes["note.street.duplicate"] == {"n": 2}
    ends = {xy for g in reading.frame.geometry for xy in (g.coords[0], g.coords[-1])}
    assert 12_700 < len(ends) <= 12_766


@shared
@pytest.mark.parametrize(
    ("name", "least"), [("helsinki.osm.pbf", 4_000), ("small_clipped.osm", 40)]
)
def test_osm_extracts(name, least):
    reading = read_streets(NET / name)
    assert len(reading.frame) >= least
    assert "note.street.unnamed" in _notes(reading)


def _networkx_graph(path, x):
    import networkx as nx

    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, lon in enumerate((115.97, 115.98, x)):
        graph.add_node(node, x=lon, y=36.45)
    graph.add_edge(0, 1, highway="residential", length=9.5)
    graph.add_edge(1, 2, highway="residential", length=9.5)
    nx.write_graphml(graph, path)
    return path


def test_graphml_as_networkx_writes_it(tmp_path):
    from geo.io import read_streets

    assert len(read_streets(_networkx_graph(tmp_path / "g.graphml", 115.99)).frame) == 2
    for x in (float("nan"), float("inf")):
        reading = read_streets(_networkx_graph(tmp_path / "g.graphml", x))
        assert len(reading.frame) == 1
        assert {n.code: n.params for n in reading.notes}["note.street.position"] == {"n": 1}
    with pytest.raises(FileUnreadable, match="no degrees"):
        read_streets(_networkx_graph(tmp_path / "g.graphml", 215.0))
