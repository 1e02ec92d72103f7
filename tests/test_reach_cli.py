"""Commands on who is reached in time, and their pages."""

from importlib.resources import files as files_of

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.reach import DAY
from api.cli.session import EXIT_INPUT, EXIT_REFUSED
from api.maps.reach import isochrones_theme
from api.maps.theme import write_theme
from geo.errors import OptionInvalid
from geo.frames import REACH_COUNTS, empty_frame
from geo.io import write_layers
from geo.privacy import Audience
from routing.travel.isochrone.area import MOST_MINUTES


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    return folder


def run(files, command, *arguments, lang="en"):
    asked = [
        *(command, files / "streets.gpkg", "--stations", files / "stations.csv"),
        *("--boundaries", files / "boundaries.gpkg", "--date", "2026-11-20", "--lang", lang),
        *arguments,
    ]
    return CliRunner().invoke(app, [str(argument) for argument in asked])


@pytest.fixture(scope="module")
def drawn(files, tmp_path_factory):
    """The areas, counts and page of one run."""
    folder = tmp_path_factory.mktemp("drawn")
    done = run(
        files,
        "isochrones",
        *("--buildings", files / "buildings.gpkg", "--venues", files / "venues.csv"),
        *("--minutes", "1, 2，3", "--out", folder / "areas.gpkg"),
        *("--counts", folder / "counts.csv", "--page", folder / "page.html"),
    )
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_areas_are_written_nested_for_each_station_and_all(drawn, small_layers):
    areas = gpd.read_file(drawn[0] / "areas.gpkg")
    n = len(small_layers.stations)
    assert len(areas) == 3 * (n + 1)
    assert areas.crs.to_epsg() == 4326
    assert areas.geometry.is_valid.all()
    for _, rows in areas.groupby("place_id"):
        shapes = rows.sort_values("minutes").geometry.to_numpy()
        assert shapely.covers(shapes[1:], shapes[:-1]).all()


def test_every_count_stands_with_its_total_day_and_version(drawn, small_layers):
    counts = pd.read_csv(drawn[0] / "counts.csv", dtype={"place_id": str, "boundary_version": str})
    homes = counts[counts["target"] == "households"]
    assert (homes["n_total"] == small_layers.buildings["households"].sum()).all()
    assert (counts["n_reached"] <= counts["n_total"]).all()
    assert set(counts["data_date"]) == {"2026-11-20"}
    assert counts["boundary_version"].nunique() == 1
    together = homes[homes["place_id"].isna()].set_index("minutes")["n_reached"]
    said = f"Households reached within 3 minutes: {together[3]:,}/{homes['n_total'].iloc[0]:,}"
    assert said in drawn[1]
    head = "2 station(s), 1, 2, 3 minutes, car, night"
    for words in (head, "Data of 2026-11-20", "Command only"):
        assert words in drawn[1]


def test_the_page_says_who_it_is_for_and_holds_all_areas(drawn):
    page = (drawn[0] / "page.html").read_text(encoding="utf-8")
    assert '"audience":"command"' in page
    assert '"ranges":["≤ 3","≤ 2","≤ 1"]' in page
    # issue 6: the numbers of legend and list stood without their units
    assert '"unit":{"zh":"分钟","en":"min"}' in page
    assert '"unit":{"zh":"km²","en":"km²"}' in page
    assert "http://" not in page.split("<script", 1)[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--minutes", "5,x"), "--minutes"),
        (("--minutes", "0"), "1 to 1440"),
        (("--mode", "tank"), "foot, ebike, motorbike, car"),
        (("--band", "noon"), "day, peak, evening, night"),
        (("--kinds", "rural"), "--kinds"),
        (("--kinds", "special"), "--kinds"),
    ],
)
def test_bad_options_are_named(files, tmp_path, more, said):
    done = run(files, "isochrones", "--out", tmp_path / "a.gpkg", *more)
    assert done.exit_code == EXIT_INPUT
    assert said in done.output
    assert not (tmp_path / "a.gpkg").exists()


def test_a_station_off_the_roads_is_listed_and_the_others_are_drawn(files, tmp_path):
    """Issue 6: one station off the roads refused the whole run."""
    stations = pd.read_csv(files / "stations.csv", dtype=str)
    stations.loc[0, "lat"] = f"{float(stations.loc[0, 'lat']) + 0.05:.6f}"
    stations.to_csv(files / "moved.csv", index=False)
    moved = ("--stations", files / "moved.csv")
    done = run(files, "isochrones", "--out", tmp_path / "a.gpkg", *moved)
    assert done.exit_code == EXIT_REFUSED, done.output
    assert f"moved.csv, row 1, column geometry: {stations.loc[0, 'name']} (" in done.output
    assert "1 station(s), 5, 10, 15 minutes" in done.output
    names = set(gpd.read_file(tmp_path / "a.gpkg")["name"].dropna()) - {""}
    assert names == set(stations["name"][1:])
    assert (tmp_path / "a-refused.csv").exists()


def test_stations_of_another_area_are_refused(files, tmp_path):
    """Issue 6: twenty-seven names were listed, and not that the network is the wrong one."""
    stations = pd.read_csv(files / "stations.csv", dtype=str)
    many = pd.concat([stations] * 8, ignore_index=True)
    many["station_id"] = [f"s{i}" for i in range(len(many))]
    many["lon"] = [f"{float(lon) + 0.4:.6f}" for lon in many["lon"]]
    many.to_csv(files / "other.csv", index=False)
    network = tmp_path / "town.npz"
    CliRunner().invoke(app, ["network", str(files / "streets.gpkg"), "--out", str(network)])
    words = ("matrix", files / "other.csv", "--network", network, "--out", tmp_path / "m.csv")
    done = CliRunner().invoke(app, [*map(str, words), "--lang", "en"])
    assert done.exit_code == EXIT_INPUT
    assert "do not reach 16/16 of them" in done.output
    assert "seems to be of another area" in done.output
    assert done.output.count(" m [") == 10


@pytest.fixture(scope="module")
def closed(files, small_layers):
    """Every street closed tonight but those within 400 m of the first station."""
    at = small_layers.stations.geometry.iloc[0]
    near = at.buffer(0.004)
    everywhere = shapely.box(*small_layers.streets.total_bounds).difference(near)
    rows = {"closure_id": ["all"], "kind": ["closure"]}
    rows |= {"valid_from": ["2026-11-21 19:00"], "valid_to": ["2026-11-21 23:00"]}
    path = files / "closures.geojson"
    gpd.GeoDataFrame(rows, geometry=[everywhere], crs=4326).to_file(path)
    return path


def test_who_is_reached_while_streets_are_closed(files, closed, tmp_path):
    """Issue 6: neither command could be asked under closures."""
    venues = ("--venues", files / "venues.csv", "--closures", closed)
    usual = run(
        files, "service-standard", *venues, "--out", tmp_path / "u.csv", "--night", "2026-11-22"
    )
    assert usual.exit_code == 0, usual.output
    assert "0 closure(s) hold" in usual.output
    assert "Outside the standard: 0 places" in usual.output
    shut = ("--night", "2026-11-21", "--page", tmp_path / "page.html")
    done = run(files, "service-standard", *venues, "--out", tmp_path / "m.csv", *shut)
    assert "1 closure(s) hold during the shift" in done.output, done.output
    assert len(pd.read_csv(tmp_path / "m.csv")) > 0
    assert "closure(s) hold" in (tmp_path / "page.html").read_text(encoding="utf-8")
    words = ("--out", tmp_path / "a.gpkg", "--closures", closed, "--night", "2026-11-21")
    drawn = run(files, "isochrones", *words, "--shift", "12:00-13:00")
    assert drawn.exit_code == 0, drawn.output
    assert "car, daytime" in drawn.output
    assert "0 closure(s) hold" in drawn.output


def test_a_profile_of_ones_own(files, tmp_path):
    """Issue 6: half the speeds, half the way."""
    shipped = files_of("routing.io") / "profiles" / "travel-2026-2.toml"
    own = tmp_path / "own.toml"
    text = shipped.read_text("utf-8").replace('version = "2026-2"', 'version = "own-1"')
    own.write_text(text, encoding="utf-8")
    done = run(files, "isochrones", "--out", tmp_path / "a.gpkg", "--profile", own)
    assert done.exit_code == 0, done.output
    assert "Speeds of profile own-1" in done.output
    network = tmp_path / "town.npz"
    CliRunner().invoke(app, ["network", str(files / "streets.gpkg"), "--out", str(network)])
    words = ("isochrones", network, "--stations", files / "stations.csv", "--profile", own)
    words = (*words, "--boundaries", files / "boundaries.gpkg", "--out", tmp_path / "b.gpkg")
    done = CliRunner().invoke(app, [*map(str, words), "--lang", "en"])
    assert done.exit_code == EXIT_INPUT
    assert "--profile" in done.output


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "--minutes: -3, abc cannot be used; expected whole minutes from 1 to 1440"),
        ("zh", "--minutes：不能使用 -3, abc；应为 1 到 1440 的整数分钟"),
    ],
)
def test_minutes_that_are_none_are_named(files, tmp_path, lang, said):
    """Issue 6: an example was the only answer."""
    words = ("isochrones", "--out", tmp_path / "a.gpkg", "--minutes", "5,-3,abc")
    assert said in run(files, *words, lang=lang).output
    words = ("service-standard", "--out", tmp_path / "a.csv", "--town", "0")
    assert "--town" in run(files, *words, lang=lang).output


def test_most_minutes_are_those_of_the_areas():
    assert DAY == MOST_MINUTES


def test_a_network_file_serves_as_streets(files, tmp_path, drawn):
    done = CliRunner().invoke(
        app, ["network", str(files / "streets.gpkg"), "--out", str(tmp_path / "town.npz")]
    )
    assert (tmp_path / "town.npz").exists(), done.output
    again = CliRunner().invoke(
        app,
        [
            *("isochrones", str(tmp_path / "town.npz"), "--stations", str(files / "stations.csv")),
            *("--boundaries", str(files / "boundaries.gpkg"), "--minutes", "1,2,3"),
            *("--out", str(tmp_path / "areas.gpkg"), "--lang", "en"),
        ],
    )
    assert again.exit_code == 0, again.output
    before, after = (gpd.read_file(d / "areas.gpkg") for d in (drawn[0], tmp_path))
    assert before["area"].tolist() == after["area"].tolist()


def test_the_service_standard_lists_what_is_missed(files, tmp_path):
    asked = ("--buildings", files / "buildings.gpkg", "--venues", files / "venues.csv")
    kept = run(files, "service-standard", *asked, "--out", tmp_path / "none.csv")
    assert kept.exit_code == 0, kept.output
    assert "Outside the standard: 0 places" in kept.output
    done = run(
        files,
        "service-standard",
        *(*asked, "--town", "1", "--country", "1", "--out", tmp_path / "missed.gpkg"),
        *("--page", tmp_path / "page.html"),
        lang="zh",
    )
    assert done.exit_code == 0, done.output
    missed = gpd.read_file(tmp_path / "missed.gpkg")
    assert f"达不到标准：{len(missed):,} 处" in done.output
    assert (missed["minutes"] > 1).all()
    assert set(missed["reason"]) == {"too_far"}
    rows = [line for line in done.output.splitlines() if "最近的站点" in line]
    assert rows
    assert not [row for row in rows if "  " in row.strip() or " （" in row]  # issue 6: blank names
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_a_column_says_what_is_town(files, tmp_path):
    stated = tmp_path / "settings.csv"
    units = gpd.read_file(files / "boundaries.gpkg")
    lowest = units[units["level"] == "village"]["code"]
    stated.write_text("code,城乡分类\n" + "".join(f"{code},220\n" for code in lowest))
    asked = ("--venues", files / "venues.csv", "--out", tmp_path / "m.csv", "--town", "1")
    column = ("--setting", "城乡分类", "--settings", stated)
    done = run(files, "service-standard", *asked, *column)
    assert done.exit_code == 0, done.output
    assert "Venues, country, reached within 60 minutes" in done.output
    assert "Venues, town" not in done.output
    done = run(files, "service-standard", *asked, "--setting", "kind of place")
    assert done.exit_code == EXIT_INPUT
    assert "kind of place" in done.output


def test_the_standard_wants_something_to_judge(files, tmp_path):
    done = run(files, "service-standard", "--out", tmp_path / "m.csv")
    assert done.exit_code == EXIT_INPUT
    assert "--buildings or --venues" in done.output


def test_where_help_comes_late_is_for_command_alone(drawn, small_layers, tmp_path):
    areas = gpd.read_file(drawn[0] / "areas.gpkg").fillna({"place_id": "", "name": ""})
    theme = isochrones_theme(areas, empty_frame(REACH_COUNTS), small_layers.stations, figures=())
    for audience in (Audience.TEAM, Audience.PARTNER, Audience.PUBLIC):
        with pytest.raises(OptionInvalid, match="isochrones"):
            write_theme(theme, tmp_path / "page.html", audience=audience)
