"""patrolgrid convert: one layer from one file into another."""

import geopandas as gpd
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from geo.crs import wgs84_to_gcj02
from geo.io import read_boundaries, read_venues, write_layers
from geo.io.convert import chinese_headers
from geo.io.position import lonlat_of
from geo.io.spec import BOUNDARY_SPEC


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    return folder


def convert(*arguments):
    return CliRunner().invoke(app, ["convert", *(str(argument) for argument in arguments)])


def test_boundaries_become_a_shapefile_with_chinese_headers(files, tmp_path, small_layers):
    out = tmp_path / "区划.shp"
    done = convert(
        files / "boundaries.gpkg", out, "--layer", "boundaries", "--epsg", 4548, "--headers", "zh"
    )
    assert done.exit_code == 0, done.output
    n = len(small_layers.boundaries)
    assert f"boundaries：写出 {n}/{n} 行（100.0 %）" in done.output
    assert "写出 EPSG:4548" in done.output
    assert f"边界版本：{small_layers.boundary_version}" in done.output
    assert "区划.fields.csv" in done.output
    assert len(read_boundaries(out).frame) == n


def test_map_coordinates_become_wgs84_and_rows_left_out_are_counted(files, tmp_path, small_layers):
    lonlat = wgs84_to_gcj02(lonlat_of(small_layers.venues.geometry.to_numpy()))
    head, *rows = (files / "venues.csv").read_text("utf-8-sig").splitlines()
    moved = [
        ",".join((*row.split(",")[:-2], f"{lon:.7f}", f"{lat:.7f}"))
        for row, (lon, lat) in zip(rows, lonlat.tolist(), strict=True)
    ]
    moved[1] = moved[1].rsplit(",", 2)[0] + ",,"
    (tmp_path / "v.csv").write_text("\n".join((head, *moved)), encoding="gb18030")
    done = convert(
        tmp_path / "v.csv", tmp_path / "v.fgb", "--layer", "venues",
        "--datum", "GCJ-02", "--lang", "en",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    n = len(small_layers.venues)
    assert f"venues: {n - 1}/{n} rows written" in done.output
    assert "✕ v.csv, row 2, column geometry: there is no position" in done.output
    assert "read as GCJ-02, written as EPSG:4326" in done.output
    found = read_venues(tmp_path / "v.fgb").frame.to_crs(32650).geometry
    wanted = small_layers.venues.drop(index=1).reset_index(drop=True).to_crs(32650).geometry
    assert found.distance(wanted).max() < 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("venues.csv", "v.gpkg", "--layer", "incidents"), "--layer: incidents"),
        (("venues.csv", "v.doc", "--layer", "venues"), "v.doc cannot be used"),
        (("venues.csv", "v.gpkg", "--layer", "venues", "--epsg", 3857), "--epsg: 3857"),
        (("venues.csv", "v.gpkg", "--layer", "venues", "--datum", "mars"), "--datum: mars"),
        (("venues.csv", "v.gpkg", "--layer", "venues", "--headers", "fr"), "--headers: fr"),
        (("none.csv", "v.gpkg", "--layer", "venues"), "no such file"),
        (("streets.gpkg", "s.csv", "--layer", "streets"), "lines and areas"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(files, tmp_path, arguments, said):
    source, target, *options = arguments
    done = convert(files / source, tmp_path / target, *options, "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert said in done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_input_is_never_written_over(files, tmp_path):
    """Issue 5: `convert X X` replaced the register by what could be read of it."""
    path = tmp_path / "v.csv"
    path.write_bytes((files / "venues.csv").read_bytes())
    done = convert(path, path, "--layer", "venues", "--lang", "zh")
    assert done.exit_code == EXIT_INPUT
    assert done.output.startswith("✕ OUT：不能使用 v.csv")
    assert path.read_bytes() == (files / "venues.csv").read_bytes()


def test_what_the_coordinates_were_taken_as_and_the_day(files, tmp_path):
    """Issue 5: convert cannot tell an offset datum without streets, and has to say so."""
    done = convert(
        files / "venues.csv", tmp_path / "v.csv", "--layer", "venues",
        "--datum", "CGCS2000", "--epsg", 4490, "--lang", "en",
    )  # fmt: skip
    assert "read as CGCS2000, equals WGS-84, written as EPSG:4490 (CGCS2000)" in done.output
    assert "taken as stated" in done.output
    assert "Data date: 20" in done.output


def test_every_column_of_boundaries_has_a_chinese_name():
    names = chinese_headers(BOUNDARY_SPEC)
    assert names["institution"] == "机构类型"
    assert set(names) >= set(BOUNDARY_SPEC.schema.columns)


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "边界版本：未注明"), ("en", "version: not stated")]
)
def test_a_version_not_stated_is_said_in_the_readers_language(files, tmp_path, lang, said):
    """Issue 5: the Chinese report read "边界版本：unstated"."""
    units = gpd.read_file(files / "boundaries.gpkg").drop(columns="boundary_version")
    units.to_file(tmp_path / "units.gpkg")
    source = tmp_path / "units.gpkg"
    done = convert(source, tmp_path / "u.geojson", "--layer", "boundaries", "--lang", lang)
    assert done.exit_code == 0, done.output
    assert said in done.output
    assert "unstated" not in done.output
