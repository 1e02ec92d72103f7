"""Layers together: the round trip, the checks of a city as a whole, and fetching streets."""

import socket
from dataclasses import replace
from datetime import date
from itertools import pairwise

import geopandas as gpd
import geopandas.testing
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.crs import Datum, from_wgs84
from geo.errors import (
    DatumMismatch,
    FileEmpty,
    NetworkEmpty,
    OptionInvalid,
    OutsideBoundary,
    ServiceUnavailable,
    ValueInvalid,
)
from geo.frames import (
    BOUNDARIES,
    BUILDINGS,
    INCIDENTS,
    POSTS,
    STATIONS,
    STREETS,
    UNITS,
    VENUES,
    WATER,
    Col,
    Layers,
    Type,
    require,
)
from geo.io import FILES, LayerPaths, derive_units, fetch_streets, read_layers, write_layers
from geo.units import CITY_ZONE

DATA_DATE = date(2026, 11, 20)
SCHEMAS = {
    s.layer: s
    for s in (BOUNDARIES, STREETS, WATER, BUILDINGS, VENUES, INCIDENTS, STATIONS, UNITS, POSTS)
}

# A town of 2 x 2 km: three villages side by side, a grid of streets, shops 10 m off them.
#
#    +--+--+--+--+     streets every 137 to 260 m, so that no shift of 510 m
#    |v1|v2 |v3  |     maps the grid onto itself
#    +--+--+--+--+
WEST, SOUTH = 115.97, 36.44
DEGREE = np.array([89_600.0, 110_950.0])
"""Metres of a degree east and north, near enough for a drawing."""


def _lonlat(metres):
    return np.round(np.array([WEST, SOUTH]) + np.asarray(metres, dtype=float) / DEGREE, 7)


def _text(values):
    return pd.Series(list(values), dtype="str")


def _frame(schema, geometry, **columns):
    typed = {}
    n = len(next(iter(columns.values())))
    for name, column in schema.columns.items():
        values = columns.get(name, ["synthetic"] * n)
        match column.dtype:
            case Type.DAY:
                typed[name] = pd.Series(pd.to_datetime(values), dtype="datetime64[s]")
            case Type.INSTANT:
                stamps = pd.Series(pd.to_datetime(values)).dt.tz_localize(CITY_ZONE)
                typed[name] = stamps.astype(Type.INSTANT.value)
            case Type.TEXT:
                typed[name] = _text(values)
            case _:
                typed[name] = pd.Series(values, dtype=column.dtype.value)
    if geometry is None:
        return pd.DataFrame(typed)
    return gpd.GeoDataFrame(typed, geometry=list(geometry), crs=4326)


@pytest.fixture(scope="module")
def town():
    rng = np.random.default_rng(2)
    xs = np.cumsum(np.r_[0, rng.integers(137, 260, 9)])
    ys = np.cumsum(np.r_[0, rng.integers(137, 260, 9)])
    ends = [[(x, ys[0]), (x, ys[-1])] for x in xs] + [[(xs[0], y), (xs[-1], y)] for y in ys]
    n = 300
    line = rng.integers(0, len(ends), n)
    run = np.array(ends)[line]
    spot = run[:, 0] + rng.uniform(0, 1, (n, 1)) * (run[:, 1] - run[:, 0])
    spot += np.where((line < 10)[:, None], [10, 0], [0, 10])
    points = shapely.points(_lonlat(spot))
    thirds = np.linspace(-200, 2600, 4)
    boxes = [
        shapely.Polygon(_lonlat([(a, -200), (b, -200), (b, 2600), (a, 2600)]))
        for a, b in pairwise(thirds)
    ]
    return Layers(
        boundaries=_frame(
            BOUNDARIES,
            [shapely.union_all(boxes), *boxes],
            code=["371502001", "371502001001", "371502001002", "371502001003"],
            name=["古楼街道", "甲社区", "乙社区", "丙村"],
            level=["township", "village", "village", "village"],
            admin_parent=["371502", "371502001", "371502001", "371502001"],
            grid_role=["supervision", "responsibility", "independent", "responsibility"],
            boundary_version=["2023-06"] * 4,
            valid_from=["2023-06-30", "2023-06-30", None, None],
            valid_to=[None] * 4,
        ),
        streets=_frame(
            STREETS,
            [shapely.LineString(_lonlat(e)) for e in ends],
            segment_id=[f"s{k}" for k in range(len(ends))],
            name=["东昌路", *[""] * (len(ends) - 1)],
            street_class=["arterial"] * 10 + ["lane"] * 10,
            oneway=[False, True] * 10,
            bridge=[True, False] * 10,
            lanes=[4, 0] * 10,
            max_speed=[60.0, 0.0] * 10,
        ),
        water=_frame(WATER, [boxes[0], shapely.LineString(_lonlat([(0, 0), (9, 9)]))],
                     code=["w1", "w2"], name=["湖", ""]),
        buildings=_frame(BUILDINGS, points[:5], building_id=list("abcde"),
                         households=[0, 1, 20, 300, 4]),
        venues=_frame(
            VENUES,
            points,
            venue_id=[f"v{k:03d}" for k in range(n)],
            name=[f"样例商店 {k:05d}" for k in range(n)],
            kind=["shop", "food", "hotel"] * 100,
            tier=["red", "yellow", "green"] * 100,
            last_inspection=["2026-09-01", None, "2025-12-31"] * 100,
        ),
        incidents=_frame(
            INCIDENTS,
            points,
            incident_id=[f"i{k}" for k in range(n)],
            occurred_at=["2026-03-01 20:15:07", "2024-02-29 00:00:00", "2025-12-31 23:59:59"] * 100,
            category=["theft", "fight", "盗窃"] * 100,
            channel=["resident_report", "proactive", "other"] * 100,
        ),
        stations=_frame(STATIONS, points[:2], station_id=["0001", "0002"],
                        name=["古楼所", "柳园所"], kind=["urban", "special"]),
        units=_frame(UNITS, None, unit_id=["u1", "u2"], call_sign=["古楼1组", "柳园1组"],
                     station_id=["0001", "0002"], headcount=[4, 2], mode=["car", "ebike"]),
        posts=_frame(POSTS, points[:1], post_id=["g1"], name=["学校门口"], kind=["fixed"],
                     window_start=["22:00"], window_end=["22:20"], dwell=[1200], n_units=[1]),
        epsg=32650,
        data_date=DATA_DATE,
        boundary_version="2023-06",
        synthetic=True,
        attribution=("审图号 GS(2024)0650", "© OpenStreetMap"),
    )  # fmt: skip


def paths(directory, **other):
    return LayerPaths(**({layer: directory / name for layer, name in FILES.items()} | other))


def read(directory, **options):
    return read_layers(paths(directory), epsg=32650, data_date=DATA_DATE, **options)


def assert_equal(one, other):
    for layer, schema in SCHEMAS.items():
        first, second = getattr(one, layer), getattr(other, layer)
        require(second, schema, source=layer)
        columns = [*schema.columns] + (["geometry"] if schema.geometry else [])
        pd.testing.assert_frame_equal(
            pd.DataFrame(first[columns]).drop(columns="geometry", errors="ignore"),
            pd.DataFrame(second[columns]).drop(columns="geometry", errors="ignore"),
        )
        if schema.geometry:
            assert first.geometry.to_wkb().equals(second.geometry.to_wkb())
    for name in ("epsg", "data_date", "boundary_version", "synthetic", "attribution"):
        assert getattr(one, name) == getattr(other, name)


def test_what_is_written_reads_back_equal(town, tmp_path):
    written = write_layers(town, tmp_path)
    assert [path.name for path in written] == list(FILES.values())
    layers, refused, _ = read(tmp_path)
    assert refused == ()
    assert_equal(town, layers)


# every character that has broken a table format: separators, quotes, line ends, formulas, signs
MARKS = "古楼样例商店Aa1 ,;\t\"'\n=+-@|\\<>&${}`“”，。é😀"
NAMES = st.text(st.sampled_from(MARKS), min_size=1, max_size=12).filter(str.strip)
DEGREES = st.tuples(st.integers(0, 2_000), st.integers(0, 2_000)).map(_lonlat)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_text_day_instant_and_point_survives(town, tmp_path_factory, data):
    n = 4
    names = data.draw(st.lists(NAMES, min_size=n, max_size=n))
    points = shapely.points(np.array(data.draw(st.lists(DEGREES, min_size=n, max_size=n))))
    days = st.dates(date(2000, 1, 1), date(2030, 12, 31))
    inspected = data.draw(st.lists(st.none() | days, min_size=n, max_size=n))
    seconds = data.draw(st.lists(st.integers(946_684_800, 1_900_000_000), min_size=n, max_size=n))
    venues = town.venues.head(n).assign(**{
        Col.NAME: _text(names),
        Col.LAST_INSPECTION: pd.Series(pd.to_datetime(inspected), dtype="datetime64[s]"),
    }).set_geometry(gpd.GeoSeries(list(points), crs=4326))  # fmt: skip
    at = pd.to_datetime(pd.Series(seconds), unit="s", utc=True).dt.tz_convert(CITY_ZONE)
    incidents = town.incidents.head(n).assign(
        **{Col.OCCURRED_AT: at.astype(Type.INSTANT.value), Col.CATEGORY: _text(names)}
    )
    water = town.water.assign(**{Col.NAME: _text(names[:2])})
    drawn = replace(town, venues=venues, incidents=incidents, water=water)
    directory = tmp_path_factory.mktemp("layers")
    write_layers(drawn, directory)
    assert_equal(drawn, read(directory)[0])


def test_a_failed_write_leaves_nothing_behind(town, tmp_path, monkeypatch):
    write_layers(town, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("geo.io.write.write_csv", fail)
    with pytest.raises(OSError, match="disk full"):
        write_layers(replace(town, boundary_version="x"), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_absent_layers_have_stated_stand_ins(town, tmp_path):
    write_layers(town, tmp_path)
    some = paths(tmp_path, water=None, buildings=None, posts=None, units=None)
    layers, _, notes = read_layers(some, epsg=32650, data_date=DATA_DATE)
    assert [len(f) for f in (layers.water, layers.buildings, layers.posts)] == [0, 0, 0]
    require(layers.units, UNITS, source="units")
    assert len(layers.units) == 4
    assert any(note.code == "note.units" for note in notes)
    assert derive_units(layers.stations).equals(layers.units)


def _shifted(town, tmp_path, datum):
    """Write the town with its venues in another datum."""
    lonlat = np.column_stack([town.venues.geometry.x, town.venues.geometry.y])
    moved = gpd.GeoSeries(shapely.points(np.round(from_wgs84(lonlat, datum), 7)), crs=4326)
    write_layers(replace(town, venues=town.venues.set_geometry(moved)), tmp_path)


def test_gcj02_venues_stated_as_wgs84_are_found_out(town, tmp_path):
    _shifted(town, tmp_path, Datum.GCJ02)
    with pytest.raises(DatumMismatch, match=r"venues\.csv.*--datum venues=GCJ-02") as caught:
        read(tmp_path)
    assert 400 < caught.value.params["offset_m"] < 650
    for datum in ({"venues": "GCJ-02"}, "venues=GCJ-02, incidents=WGS-84"):
        layers, _, _ = read(tmp_path, datum=datum)
        metres = layers.venues.to_crs(32650).distance(town.venues.to_crs(32650))
        assert metres.max() < 0.05


def test_a_datum_for_all_points_that_fits_only_one_layer(town, tmp_path):
    _shifted(town, tmp_path, Datum.GCJ02)
    with pytest.raises(
        DatumMismatch, match=r"incidents\.csv.*venues=GCJ-02,incidents=WGS-84,stations"
    ):
        read(tmp_path, datum="GCJ-02")
    with pytest.raises(OptionInvalid, match="venue"):
        read(tmp_path, datum={"venue": "GCJ-02"})


def test_few_points_say_that_they_cannot_tell(town, tmp_path):
    write_layers(town, tmp_path)
    _, _, notes = read(tmp_path)
    unknown = {note.source for note in notes if note.code == "note.datum.unknown"}
    assert unknown == {"stations.csv"}


def test_a_layer_wholly_outside_is_refused(town, tmp_path):
    beijing = gpd.GeoSeries.from_xy([116.4, 116.5], [39.9, 39.9], crs=4326)
    write_layers(replace(town, stations=town.stations.set_geometry(beijing)), tmp_path)
    with pytest.raises(OutsideBoundary, match=r"stations\.csv.*2 rows.*古楼街道.*order"):
        read(tmp_path)


def test_swapped_columns_are_named(town, tmp_path):
    write_layers(town, tmp_path)
    path = tmp_path / "stations.csv"
    text = path.read_text(encoding="utf-8-sig").replace("lon,lat", "lat,lon")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueInvalid, match=r"stations\.csv, row 1, column lon, lat.*look swapped"):
        read(tmp_path)


def test_a_header_to_drop_that_no_file_has(town, tmp_path):
    write_layers(town, tmp_path)
    with pytest.raises(OptionInvalid, match="手机"):
        read(tmp_path, drop=["手机"])


def test_drop_reaches_every_layer(town, tmp_path):
    write_layers(town, tmp_path)
    for name, header in (("venues.csv", "负责人"), ("incidents.csv", "报警人")):
        path = tmp_path / name
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        table.assign(**{header: "某某"}).to_csv(path, index=False)
    layers, _, notes = read(tmp_path, drop=["负责人", "报警人"])
    assert_equal(town, layers)
    assert "某某" not in repr(notes)


def test_the_other_classes_of_bad_input(town, tmp_path):
    write_layers(town, tmp_path)
    (tmp_path / "streets.gpkg").unlink()
    empty = town.streets.head(0)
    empty.to_file(tmp_path / "streets.gpkg")
    with pytest.raises((FileEmpty, NetworkEmpty), match=r"streets\.gpkg"):
        read(tmp_path)


def test_fetching_without_a_network_says_so(town, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("network is unreachable")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    write_layers(town, tmp_path)
    with pytest.raises(ServiceUnavailable, match=r"Overpass.*cannot be reached.*--roads"):
        fetch_streets(tmp_path / "boundaries.gpkg", tmp_path / "roads" / "out.graphml")
    assert not (tmp_path / "roads").exists()


def test_what_is_fetched_is_what_the_reader_reads(town, tmp_path, monkeypatch):
    import networkx as nx
    import osmnx

    from geo.io import read_streets

    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, (lon, lat) in enumerate(_lonlat([(0, 0), (900, 0)]).tolist()):
        graph.add_node(node, x=lon, y=lat)
    graph.add_edge(0, 1, osmid=[1, 2], highway="residential", oneway=False, length=900.0)
    graph.add_edge(1, 0, osmid=[1, 2], highway="residential", oneway=False, length=900.0)
    asked = []
    monkeypatch.setattr(osmnx, "graph_from_polygon", lambda area, **_: asked.append(area) or graph)
    write_layers(town, tmp_path)
    out = tmp_path / "roads" / "out.graphml"
    assert fetch_streets(tmp_path / "boundaries.gpkg", out) == 2
    assert asked[0].covers(town.boundaries.geometry[0].representative_point())
    assert {"oneway:bicycle", "foot", "lit"} <= set(osmnx.settings.useful_tags_way)
    frame = read_streets(out).frame
    assert len(frame) == 1
    assert not frame[Col.ONEWAY][0]


@pytest.mark.parametrize("epsg", [0, 999999, -1, 4326, 3857, 2000, 32633])
def test_an_epsg_that_is_no_metric_crs_of_the_city(town, tmp_path, epsg):
    write_layers(town, tmp_path)
    with pytest.raises(OptionInvalid, match="--epsg"):
        read_layers(paths(tmp_path), epsg=epsg, data_date=DATA_DATE)


def test_incidents_after_the_data_date_are_noted(town, tmp_path):
    write_layers(town, tmp_path)
    _, _, notes = read_layers(paths(tmp_path), epsg=4548, data_date=date(2024, 6, 1))
    assert [n.params["n"] for n in notes if n.code == "note.later"] == [200]
    assert not any(n.code == "note.later" for n in read(tmp_path)[2])
