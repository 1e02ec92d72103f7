"""`patrolgrid network`, and `plan` with a network, a profile and closures."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from geo.frames import Col
from geo.io import write_layers
from routing.io.network_file import open_network

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("network_town.py"))))


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    done = run("network", folder / "streets.gpkg", "--out", folder / "city.npz")
    assert done.exit_code == 0, done.output
    return folder


def run(*arguments, lang="en"):
    return CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--lang", lang)])


def plan(files, out, *more, lang="en"):
    layers = ("boundaries", "venues", "incidents", "stations", "units", "posts")
    suffix = {"boundaries": ".gpkg"}
    named = [
        x for name in layers for x in (f"--{name}", files / f"{name}{suffix.get(name, '.csv')}")
    ]
    return run(
        "plan", "--roads", files / "streets.gpkg", *named, "--out", out, "--date", "2026-11-21",
        "--shift", "20:00-22:00", *more, lang=lang,
    )  # fmt: skip


def test_the_report_says_what_is_left_out_and_why(tmp_path):
    rows = [
        ("ab", "主街", TOWN.LANE, False, [(0, 0), (500, 0)]),
        ("bc", "", TOWN.LANE, False, [(500, 0), (500, 500)]),
        ("e", "短街", TOWN.LANE, False, [(200, 3), (200, 300)]),
        ("i", "单街", TOWN.ART, True, [(500, 500), (500, 900)]),
    ]
    streets = tmp_path / "streets.gpkg"
    TOWN.street_frame(rows).to_file(streets, layer="streets")
    out, outside = tmp_path / "city.npz", tmp_path / "outside.gpkg"
    done = run("network", streets, "--out", out, "--outside", outside, "--date", "2026-11-01")
    assert done.exit_code == 0, done.output
    for said in (
        "3 of 4 segments",
        "1/4 segments that no street joins",
        "1/4 segments that one-ways only lead to",
        "all streets 1/4 (25.0 %)",
        "lanes 1/3 (33.3 %)",
        "Data of 2026-11-01",
    ):
        assert said in done.output
    left = gpd.read_file(outside)
    assert dict(zip(left[Col.SEGMENT_ID], left[Col.REASON], strict=True)) == {
        "e": "island",
        "i": "one_way",
    }
    joined = run("network", streets, "--out", out, "--join", 5, "--outside", outside, lang="zh")
    assert joined.exit_code == 0, joined.output
    assert "按要求在 1 处接上了断开的街道，最长补接 3.0 米" in joined.output
    assert open_network(out).report.n_joined == 1
    assert gpd.read_file(outside)[Col.SEGMENT_ID].tolist() == ["i"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--join", "-1"), "--join: -1"),
        (("--join", "80"), "up to 50 m"),
        (("--out", "city.gpkg"), ".npz"),
        (("--outside", "left.csv"), ".gpkg"),
        (("--epsg", "4326"), "--epsg"),
        (("--profile", "none.toml"), "none.toml"),
    ],
)
def test_options_that_cannot_be_used(files, tmp_path, options, said):
    out = () if "--out" in options else ("--out", tmp_path / "city.npz")
    paths = [tmp_path / o if "." in o and not o.startswith("-") else o for o in options]
    done = run("network", files / "streets.gpkg", *out, *paths)
    assert done.exit_code == EXIT_INPUT, done.output
    assert said in done.output
    assert not (tmp_path / "city.npz").exists()


def test_a_negative_speed_names_file_table_and_key(files, tmp_path):
    shipped = Path("routing/io/profiles/travel-2026-2.toml")
    text = (Path(__file__).parents[1] / shipped).read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text(text.replace("arterial = 40.0", "arterial = -40.0", 1), encoding="utf-8")
    done = run("network", files / "streets.gpkg", "--out", tmp_path / "c.npz", "--profile", profile)
    assert done.exit_code == EXIT_INPUT
    for said in ("own.toml", "car.speed", "arterial", "-40"):
        assert said in done.output


def test_a_gap_to_join_over_is_refused_in_the_language_asked_for(files, tmp_path):
    """Issue 6: the option was called `join`, and what is expected was English."""
    words = ("network", files / "streets.gpkg", "--out", tmp_path / "c.npz", "--join", "-5")
    done = run(*words, lang="zh")
    assert done.exit_code == EXIT_INPUT
    assert "--join：不能使用 -5；应为 大于 0、不超过 50 米" in done.output


@pytest.fixture(scope="module")
def closed_night(files, small_layers, tmp_path_factory):
    """A night with half of the town closed off, on a network made before."""
    folder = tmp_path_factory.mktemp("closed")
    west, south, east, north = small_layers.streets.total_bounds
    x, y = west + 0.83 * (east - west), south + 0.83 * (north - south)
    ring = shapely.Point(x, y).buffer(0.0035).boundary.buffer(0.0004)
    field = shapely.Point(west - 0.05, south - 0.05)
    rows = {
        "closure_id": ["ring", "over", "field"],
        "kind": ["event", "closure", "closure"],
        "valid_from": ["2026-11-21 19:00", "2026-11-20", "2026-11-21"],
        "valid_to": ["2026-11-21 21:00", "2026-11-20 20:00", "2026-11-22 08:00"],
    }
    closures = folder / "closures.geojson"
    gpd.GeoDataFrame(rows, geometry=[ring, ring, field], crs=4326).to_file(closures)
    out = folder / "out"
    done = plan(files, out, "--network", files / "city.npz", "--closures", closures)
    assert done.exit_code == 0, done.output
    return done, out


def test_a_plan_says_what_its_times_rest_on(closed_night):
    done, out = closed_night
    speeds = json.loads((out / "plan.json").read_text("utf-8"))["problem"]["speeds"]
    assert speeds == {"profile": "2026-2", "band": "night", "closures": ["ring", "field"]}
    assert "2 closure(s) hold during the shift" in done.output
    assert "1/2 of them touch no street and change nothing: field" in done.output
    assert "stations.csv: 2 place(s) lie" in done.output


def test_venues_behind_closures_are_listed(closed_night):
    done, out = closed_night
    listed = pd.read_csv(out / "unmatched.csv", dtype=str)
    cut_off = listed[listed[Col.REASON] == "cut_off"]
    assert 0 < len(cut_off) < 240
    assert set(cut_off["layer"]) == {"venues"}
    assert "unmatched.csv" in done.output
    assert f"cut off from every station: {len(cut_off)}" in done.output
    assert f"{len(cut_off)}/" in done.output
    assert "Closures around them: ring\n" in done.output


def test_the_network_file_changes_nothing(files, tmp_path):
    plain, ready = (
        plan(files, tmp_path / "a"),
        plan(files, tmp_path / "b", "--network", files / "city.npz"),
    )
    assert plain.exit_code == ready.exit_code == 0, plain.output + ready.output
    one, other = ((tmp_path / d / "plan.json").read_bytes() for d in "ab")
    assert one == other


def test_a_network_that_does_not_fit(files, tmp_path):
    other = gpd.read_file(files / "streets.gpkg").iloc[1:]
    folder = tmp_path / "other"
    folder.mkdir()
    for path in files.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    other.to_file(folder / "streets.gpkg", layer="streets")
    done = plan(folder, tmp_path / "out", "--network", folder / "city.npz", lang="zh")
    assert done.exit_code == EXIT_INPUT, done.output
    assert "patrolgrid network" in done.output
    both = plan(
        files, tmp_path / "out", "--network", files / "city.npz", "--profile", files / "x.toml"
    )
    assert both.exit_code == EXIT_INPUT
    assert "network --profile" in both.output
