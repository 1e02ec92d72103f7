"""`patrolgrid sweep` from files to plan, map and posts, and one clear sentence for bad input."""

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT, EXIT_REFUSED
from geo.frames import Col
from geo.io import read_posts, write_layers


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    write_layers(small_layers, folder)
    streets = small_layers.streets
    west, south, east, north = streets.total_bounds
    half = shapely.box(west, south, (west + east) / 2, north)
    areas = gpd.GeoDataFrame({Col.CELL_ID: ["371599101201001"]}, geometry=[half], crs=4326)
    areas.to_file(folder / "area.geojson")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def sweep(files, out, *more):
    options = ("--stations", files / "stations.csv", "--out", out, "--lang", "en")
    return run("sweep", files / "streets.gpkg", *options, "--date", "2026-11-21", *more)


def test_a_sweep_is_written_drawn_and_handed_to_a_night_plan(files, tmp_path):
    out, page, posts = (tmp_path / name for name in ("legs.gpkg", "map.html", "posts.csv"))
    done = sweep(
        files, out, "--cells", files / "area.geojson", "--teams", "2",
        "--page", page, "--posts", posts, "--begin", "21:00",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "longest to mean" in done.output
    legs = gpd.read_file(out)
    assert set(legs[Col.TEAM]) == {1, 2}
    text = page.read_text("utf-8")
    assert '"empty_way"' in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    held = read_posts(posts)
    assert held.refused == ()
    assert held.frame[Col.WINDOW_START].tolist() == ["21:00", "21:00"]


def test_what_does_not_fit_is_listed_and_said(files, tmp_path):
    left = tmp_path / "left.gpkg"
    done = sweep(
        files, tmp_path / "legs.gpkg", "--class", "lane", "--shift", "20:00-20:30", "--left", left
    )
    assert done.exit_code == EXIT_REFUSED
    assert "Not swept:" in done.output
    rows = gpd.read_file(left)
    assert set(rows[Col.REASON]) <= {"shift", "too_far"}
    assert len(rows)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), "--cells --class --street --reaches"),
        (("--street", "无此路"), "at least one street"),
        (("--class", "alley"), "alley"),
        (("--class", "lane", "--mode", "horse"), "horse"),
        (("--class", "lane", "--from", "st999"), "st999"),
        (("--class", "lane", "--teams", "2", "--from", "st001"), "--teams"),
        (("--class", "lane", "--begin", "25:00", "--posts", "p.csv"), "25:00"),
    ],
)
def test_bad_options_are_named(files, tmp_path, options, named, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = sweep(files, tmp_path / "legs.gpkg", *options)
    assert done.exit_code == EXIT_INPUT, done.output
    assert named in done.output


def test_unknown_grid_codes_are_named(files, tmp_path):
    done = sweep(
        files, tmp_path / "legs.gpkg", "--cells", files / "area.geojson", "--grid", "000000000000"
    )
    assert done.exit_code == EXIT_INPUT
    assert "000000000000" in done.output
