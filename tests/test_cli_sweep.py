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
    assert "data of a day not stated" in done.output
    legs = gpd.read_file(out)
    assert set(legs[Col.TEAM]) == {1, 2}
    assert legs[Col.DEPART_CLOCK].min() == "20:00:00"
    for _, own in legs.groupby(Col.TEAM):
        assert own[Col.DEPART].tolist()[1:] == own[Col.ARRIVE].tolist()[:-1]
    text = page.read_text("utf-8")
    assert '"empty_way"' in text
    assert '"rounds": [{' in text or '"rounds":[{' in text
    assert '"synthetic": true' in text or '"synthetic":true' in text
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


def test_a_team_that_is_too_far_away_is_no_team_that_is_not_needed(files, tmp_path):
    """More teams do not help, and nothing swept has no figure of how good it is (issue 6)."""
    out = tmp_path / "legs.gpkg"
    done = sweep(files, out, "--class", "lane", "--shift", "20:00-20:01")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "Team 1: cannot go" in done.output
    assert "more teams do not help" in done.output
    assert "would do it in one shift" not in done.output
    assert "yardstick" not in done.output


def test_a_station_off_the_roads_is_named_with_its_file_and_distance(files, tmp_path):
    """Issue 6: the error named neither the file nor how far."""
    off = tmp_path / "off.csv"
    off.write_text("station_id,name,kind,lon,lat\nfar,样例远所,urban,118.5,36.45\n", "utf-8")
    for more in ((), ("--from", "far")):
        done = sweep(
            files, tmp_path / "x.gpkg", "--class", "lane", "--stations", off, *more
        )  # the last of two options counts
        assert done.exit_code == EXIT_INPUT, done.output
        said = " ".join(done.output.split())
        assert "off.csv" in said
        assert "样例远所" in said
        assert "118.50000" in said
    assert not (tmp_path / "x.gpkg").exists()


def test_streets_of_a_network_file_stay_synthetic_on_the_page(files, tmp_path):
    city, page = tmp_path / "city.npz", tmp_path / "map.html"
    made = run("network", files / "streets.gpkg", "--out", city, "--lang", "en")
    assert made.exit_code == 0, made.output
    done = run(
        "sweep", city, "--stations", files / "stations.csv", "--out", tmp_path / "legs.gpkg",
        "--cells", files / "area.geojson", "--mode", "motorbike",
        "--page", page, "--lang", "en",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "data of a day not stated" in done.output
    text = page.read_text("utf-8")
    assert '"synthetic": true' in text or '"synthetic":true' in text
    assert '"data_date": null' in text or '"data_date":null' in text


def test_a_large_sweep_says_so_before_and_while_it_works(files, tmp_path, monkeypatch):
    monkeypatch.setattr("api.cli.sweep.LARGE", 1)
    monkeypatch.setattr("api.cli.sweep.LINE_SECONDS", 0.005)
    done = sweep(files, tmp_path / "legs.gpkg", "--cells", files / "area.geojson", "--teams", "2")
    assert "may take minutes" in done.output
    assert "Planning the sweep: " in done.output


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), "--cells --class --street --reaches: 0 streets cannot be used"),
        (("--street", "无此路"), "at least one street"),
        (("--class", "alley"), "alley"),
        (("--class", "lane", "--mode", "horse"), "horse"),
        (("--class", "lane", "--from", "st999"), "st999"),
        (
            ("--class", "lane", "--teams", "2", "--from", "st001"),
            "1 station(s) cannot be used; expected 2, one a team",
        ),
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


def test_areas_drawn_by_hand_need_no_codes(files, tmp_path):
    # Issue 6: a polygon drawn in QGIS has no cell_id.
    drawn = gpd.read_file(files / "area.geojson").drop(columns=Col.CELL_ID)
    drawn.assign(说明="城西").to_file(tmp_path / "drawn.geojson")
    shift = ("--shift", "18:00-06:00", "--mode", "motorbike", "--class", "arterial")
    for area in (files / "area.geojson", tmp_path / "drawn.geojson"):
        done = sweep(files, tmp_path / f"{area.stem}.gpkg", "--cells", area, *shift)
        assert done.exit_code in (0, EXIT_REFUSED), done.output
    by_code, by_hand = (gpd.read_file(tmp_path / f"{name}.gpkg") for name in ("area", "drawn"))
    assert by_code.geometry.geom_equals_exact(by_hand.geometry, 0.0).all()
    none = sweep(files, tmp_path / "no.gpkg", "--cells", tmp_path / "drawn.geojson", "--grid", "1")
    assert none.exit_code == EXIT_INPUT
    assert "cell_id" in none.output


def test_grids_without_their_file_are_an_error(files, tmp_path):
    done = sweep(files, tmp_path / "legs.gpkg", "--class", "lane", "--grid", "371599101201001")
    assert done.exit_code == EXIT_INPUT
    assert "--cells" in done.output
