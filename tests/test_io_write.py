"""Writers: what is written reads back equal, in every format, coordinate system and language."""

import shutil
import subprocess
import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import FileUnreadable, OptionInvalid, ValueInvalid
from geo.frames import Col
from geo.io import read_boundaries, read_venues
from geo.io.convert import LAYERS, chinese_headers, convert_file
from geo.io.export import SUFFIXES, TABLES, write_file
from geo.io.field_names import NAME_BYTES, short_names
from geo.io.opening import open_table

SHAPED = [suffix for suffix in SUFFIXES if suffix not in TABLES]
POINTS = ("buildings", "venues", "stations", "posts")
DRAWN = ("boundaries", "streets", *POINTS)


def offered():
    """Yield every layer, format, system and language of headers that go together."""
    for layer in (*DRAWN, "units"):
        formats = SHAPED if layer in {"boundaries", "streets"} else SUFFIXES
        for suffix in TABLES if layer == "units" else formats:
            codes = (4326,) if suffix == ".kml" else (4326, 4490, 4548)
            for epsg in codes[:2] if suffix in TABLES else codes:
                yield layer, suffix, epsg, "en"
            if layer in {"boundaries", "venues", "units"}:
                yield layer, suffix, 4326, "zh"


def assert_equal(got, wanted):
    for name in wanted.columns:
        if name == Col.GEOMETRY:
            pair = [shapely.normalize(f.geometry.to_numpy()) for f in (got, wanted)]
            assert (pair[0] == pair[1]).all()
        else:
            pd.testing.assert_series_equal(got[name], wanted[name])


LINE = shapely.LineString([(115.9, 36.4), (116.0, 36.5)])
AREA = shapely.box(115.9, 36.4, 116.0, 36.5)
PARTS = shapely.MultiPolygon([AREA, shapely.box(116.1, 36.4, 116.2, 36.5)])


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb"])
@pytest.mark.parametrize(
    ("drawn", "declared"),
    [
        ([LINE, LINE], "LineString"),
        ([AREA], "Polygon"),
        ([PARTS], "MultiPolygon"),
        ([LINE.centroid, None], "Point"),
        ([AREA, PARTS], "Unknown"),
        ([LINE, AREA], "Unknown"),
        ([], "Unknown"),
    ],
)
def test_a_layer_declares_the_type_of_all_its_rows(tmp_path, suffix, drawn, declared):
    # Issue 6: layers of lines or areas alone were declared as any geometry.
    keys = pd.Series(range(len(drawn)), dtype="int64")
    frame = gpd.GeoDataFrame({"key": keys}, geometry=gpd.GeoSeries(drawn, crs=4326))
    path = tmp_path / f"a{suffix}"
    write_file(frame, path, layer="drawn")
    assert pyogrio.read_info(path)["geometry_type"] == declared
    again = gpd.read_file(path).geometry
    assert [None if g is None else g.wkt for g in again] == [
        None if g is None else g.wkt for g in drawn
    ]


@pytest.mark.parametrize(("layer", "suffix", "epsg", "headers"), list(offered()))
def test_a_layer_reads_back_equal(small_layers, tmp_path, layer, suffix, epsg, headers):  # noqa: PLR0917
    read, spec = LAYERS[layer]
    wanted = getattr(small_layers, layer).head(60).reset_index(drop=True)
    named = chinese_headers(spec) if headers == "zh" else None
    path = tmp_path / f"{layer}{suffix}"
    written = write_file(wanted, path, layer=layer, epsg=epsg, headers=named)
    assert path in written
    assert set(written) == set(tmp_path.iterdir())
    reading = read(path)
    assert reading.refused == ()
    assert_equal(reading.frame, wanted)


@pytest.mark.parametrize("epsg", [4326, 4490, 4548])
@pytest.mark.parametrize("suffix", SHAPED[:4])
def test_others_read_the_same_positions(small_layers, tmp_path, suffix, epsg):
    """GDAL alone, as ogr2ogr and QGIS use it, finds the system and the places."""
    path = tmp_path / f"v{suffix}"
    write_file(small_layers.venues, path, layer="venues", epsg=epsg)
    frame = pyogrio.read_dataframe(path)
    assert pyproj.CRS(frame.crs).to_epsg(min_confidence=20) == epsg
    pair = [f.to_crs(4326).geometry.to_numpy() for f in (frame, small_layers.venues)]
    assert shapely.distance(*pair).max() < 1e-8


# A county with a hole: 2.47 km² inside it belong to another province (trap 2 of the catalogue).
#
#   +-------------+
#   |   +--+      |
#   |   |  |      |
#   |   +--+      |
#   +-------------+
COUNTY = shapely.Polygon(
    [(115.4, 35.85), (115.6, 35.85), (115.6, 36.0), (115.4, 36.0)],
    [[(115.48, 35.9), (115.48, 35.915), (115.497, 35.915), (115.497, 35.9)]],
)


def county(name="名称", **columns):
    named = {"行政区划代码": ["371522"], name: ["莘县"]} | columns
    return gpd.GeoDataFrame(named, geometry=[COUNTY], crs=4326)


@pytest.mark.parametrize("suffix", SHAPED)
def test_a_real_hole_survives_every_format(tmp_path, suffix):
    county().to_file(tmp_path / "in.gpkg")
    done = convert_file(tmp_path / "in.gpkg", tmp_path / f"out{suffix}", layer="boundaries")
    again = read_boundaries(done.files[0].with_suffix(suffix)).frame
    assert shapely.get_num_interior_rings(again.geometry.to_numpy()).tolist() == [1]
    assert again.to_crs(4548).area.sum() < shapely.area(COUNTY) * 1.01e10


@pytest.mark.parametrize("suffix", SHAPED)
def test_coordinates_next_to_a_round_number_are_not_rounded(small_layers, tmp_path, suffix):
    """GDAL wrote 115.7999991 as 115.8 in GeoJSON: found at city size, 2 venues of 75,276."""
    near = [(115.7999991, 36.1119795), (116.3000007, 36.0000001), (116.1999997, 36.4999999)]
    venues = small_layers.venues.head(3).set_geometry(shapely.points(near), crs=4326)
    write_file(venues, tmp_path / f"v{suffix}", layer="venues")
    assert_equal(read_venues(tmp_path / f"v{suffix}").frame, venues)


def test_long_chinese_names_in_a_shapefile(tmp_path):
    """Cut between characters, so that GDAL reads them, and whole again in our reader."""
    frame = county(
        "行政区划名称", 所属责任网格名称=["甲"], 所属责任网格编码=["乙"], boundary_version=["1"]
    )
    path = tmp_path / "县.shp"
    written = write_file(frame, path, layer="boundaries")
    assert {file.suffix for file in written} == {".shp", ".shx", ".dbf", ".prj", ".cpg", ".csv"}
    seen = pyogrio.read_dataframe(path)
    assert [c for c in seen.columns if c != "geometry"] == [
        "行政区", "行政区1", "所属责", "所属责1", "boundary_v",
    ]  # fmt: skip
    assert seen["所属责1"].tolist() == ["乙"]
    table = open_table(path)
    assert list(table.cells.columns) == [c for c in frame.columns if c != "geometry"]
    (tmp_path / "县.fields.csv").unlink()
    assert list(open_table(path).cells.columns)[:2] == ["行政区", "行政区1"]


def test_gdal_by_itself_does_not_read_back_long_chinese_names(tmp_path):
    """The trap the table of names is for; when GDAL learns it, drop the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        county().to_file(tmp_path / "v.shp", encoding="UTF-8")
        try:
            names = list(pyogrio.read_info(tmp_path / "v.shp")["fields"])
        except UnicodeDecodeError:
            names = []
    assert "行政区划代码" not in names


def test_what_described_a_replaced_shapefile_is_gone(tmp_path):
    write_file(county(), tmp_path / "v.shp", layer="boundaries")
    (tmp_path / "v.qix").write_bytes(b"an index of the old one")
    short = county("name").rename(columns={"行政区划代码": "行政区"})
    write_file(short, tmp_path / "v.shp", layer="boundaries")
    assert {file.suffix for file in tmp_path.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}
    assert list(open_table(tmp_path / "v.shp").cells.columns) == ["行政区", "name"]


def test_a_flatgeobuf_without_fields_has_its_rows(tmp_path):
    county()[["geometry"]].to_file(tmp_path / "v.fgb", driver="FlatGeobuf")
    assert len(open_table(tmp_path / "v.fgb")) == 1


def test_the_table_of_names_travels_in_an_archive(tmp_path):
    written = write_file(county("行政区划名称"), tmp_path / "区划.shp", layer="boundaries")
    with zipfile.ZipFile(tmp_path / "区划.zip", "w") as archive:
        for file in written:
            archive.write(file, file.name)
    cells = open_table(tmp_path / "区划.zip").cells
    assert list(cells.columns) == ["行政区划代码", "行政区划名称"]


@pytest.mark.parametrize("text", ["a,b\n", "field,name\n1\n", "field,name\n\xff", ""])
def test_a_damaged_table_of_names_is_refused(tmp_path, text):
    write_file(county(), tmp_path / "v.shp", layer="boundaries")
    (tmp_path / "v.fields.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileUnreadable, match=r"v\.fields\.csv"):
        read_boundaries(tmp_path / "v.shp")


@settings(max_examples=200)
@given(st.lists(st.text(st.sampled_from("行政区划a_B1"), min_size=1, max_size=12), unique=True))
def test_short_names_fit_and_differ(names):
    short = short_names(names)
    assert list(short) == names
    assert all(0 < len(field.encode()) <= NAME_BYTES for field in short.values())
    assert len({field.lower() for field in short.values()}) == len(names)


def test_codes_and_formulas_stay_text_in_a_workbook(small_layers, tmp_path):
    venues = small_layers.venues.head(2).assign(
        name=pd.Series(["=1+1", "-甲"], dtype="str"),
        venue_id=pd.Series(["037150200100", "1e5"], dtype="str"),
    )
    for suffix in TABLES:
        path = tmp_path / f"v{suffix}"
        write_file(venues, path, layer="venues")
        assert_equal(read_venues(path).frame, venues)


def test_cgcs2000_is_stated_in_a_table(small_layers, tmp_path):
    write_file(small_layers.venues, tmp_path / "v.csv", layer="venues", epsg=4490)
    table = open_table(tmp_path / "v.csv").cells
    assert set(table["datum"]) == {"CGCS2000"}


def test_attribution_is_kept_where_the_format_has_room(small_layers, tmp_path):
    said = ("甲", "© B & <C>")
    for suffix in (".gpkg", ".kml"):
        write_file(small_layers.stations, tmp_path / f"s{suffix}", layer="s", attribution=said)
    assert LAYERS["stations"][0](tmp_path / "s.gpkg").attribution == said
    assert "© B &amp; &lt;C&gt;" in (tmp_path / "s.kml").read_text("utf-8")


# ---- what a format cannot hold ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("layer", "name", "epsg", "said"),
    [
        ("streets", "s.csv", 4326, "lines and areas"),
        ("boundaries", "b.xlsx", 4326, "lines and areas"),
        ("units", "u.gpkg", 4326, "no geometry"),
        ("venues", "v.csv", 4548, "4326 or 4490"),
        ("venues", "v.kml", 4490, "the only system KML knows"),
        ("venues", "v.gpkg", 3857, "made for where the layer lies"),
        ("venues", "v.gpkg", 4549, "made for where the layer lies"),
        ("venues", "v.gpkg", 999999, "made for where the layer lies"),
        ("venues", "v.docx", 4326, r"\.gpkg"),
    ],
)
def test_what_cannot_be_held_is_refused_before_writing(  # noqa: PLR0917
    small_layers, tmp_path, layer, name, epsg, said
):
    with pytest.raises(OptionInvalid, match=said):
        write_file(getattr(small_layers, layer), tmp_path / name, layer=layer, epsg=epsg)
    assert list(tmp_path.iterdir()) == []


def test_texts_that_would_be_cut_are_refused(small_layers, tmp_path):
    long = small_layers.venues.head(3).assign(name=pd.Series(["甲", "乙" * 85, "丙"], dtype="str"))
    with pytest.raises(ValueInvalid, match="row 2, column name"):
        write_file(long, tmp_path / "v.shp", layer="venues")
    odd = small_layers.venues.head(3).assign(name=pd.Series(["甲", "\x0b", "丙"], dtype="str"))
    with pytest.raises(ValueInvalid, match="row 2, column name: a control character"):
        write_file(odd, tmp_path / "v.kml", layer="venues")
    assert list(tmp_path.iterdir()) == []


def test_lines_and_areas_together_are_no_shapefile(tmp_path):
    both = gpd.GeoDataFrame(
        {"name": ["a", "b"]}, geometry=[COUNTY, COUNTY.exterior], crs=4326
    ).astype({"name": "str"})
    with pytest.raises(OptionInvalid, match="points, lines and areas together"):
        write_file(both, tmp_path / "w.shp", layer="water")
    write_file(both, tmp_path / "w.gpkg", layer="water")


# ---- FlatGeobuf as others write it --------------------------------------------------------------
def test_flatgeobuf_of_another_program(tmp_path):
    path = tmp_path / "v.fgb"
    county().to_crs(4548).to_file(path, driver="FlatGeobuf")
    reading = read_boundaries(path)
    assert reading.frame[Col.CODE].tolist() == ["371522"]
    moved = shapely.hausdorff_distance(reading.frame.geometry.to_numpy(), COUNTY)
    assert moved.max() < 2e-7


@pytest.mark.parametrize("n_bytes", [3, 8, 60, 200])
def test_a_damaged_flatgeobuf(tmp_path, n_bytes):
    county().to_file(tmp_path / "whole.fgb", driver="FlatGeobuf")
    data = (tmp_path / "whole.fgb").read_bytes()
    (tmp_path / "v.fgb").write_bytes(data[:n_bytes])
    with pytest.raises(FileUnreadable, match="FlatGeobuf"):
        read_boundaries(tmp_path / "v.fgb")
    (tmp_path / "v.fgb").write_bytes(b"x" + data[1:])
    with pytest.raises(FileUnreadable, match="not what its name says"):
        read_boundaries(tmp_path / "v.fgb")


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="ogr2ogr is not installed")
def test_ogr2ogr_reads_a_shapefile_of_ours(tmp_path):
    write_file(county(), tmp_path / "v.shp", layer="boundaries")
    subprocess.run(["ogr2ogr", tmp_path / "o.geojson", tmp_path / "v.shp"], check=True)
    assert "莘县" in (tmp_path / "o.geojson").read_text("utf-8")


def test_coordinates_of_the_3_degree_zone_are_within_a_tenth_of_a_millimetre(
    small_layers, tmp_path
):
    write_file(small_layers.venues, tmp_path / "v.geojson", layer="venues", epsg=4548)
    metres = shapely.get_coordinates(pyogrio.read_dataframe(tmp_path / "v.geojson").geometry)
    exact = shapely.get_coordinates(small_layers.venues.to_crs(4548).geometry)
    assert np.abs(metres - exact).max() < 1e-4
