"""The commands `matrix`, `route` and `corridor`, on a grid town written by the test."""

import csv
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.travel import REACH
from routing.travel import REACH_M

WEST, SOUTH, STEP = 115.98, 36.45, 0.003


def at(i: float, j: float) -> tuple[float, float]:
    return round(WEST + i * STEP, 7), round(SOUTH + j * STEP, 7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of 6 x 6 crossings as a network file, places, posts and a closure."""
    folder = tmp_path_factory.mktemp("travel")
    rows = [
        (f"横{j}路", shapely.LineString([at(i, j), at(i + 1, j)]))
        for j in range(6)
        for i in range(5)
    ] + [
        (f"纵{i}路", shapely.LineString([at(i, j), at(i, j + 1)]))
        for i in range(6)
        for j in range(5)
    ]
    names, lines = zip(*rows, strict=True)
    streets = gpd.GeoDataFrame(
        {"name": names, "highway": ["secondary"] * len(rows)}, geometry=list(lines), crs=4326
    )
    streets.to_file(folder / "streets.geojson", driver="GeoJSON")
    places = [("甲所", 0.4, 0), ("乙所", 4.6, 3), ("丙所", 2, 4.5)]
    _write(folder / "stations.csv", places)
    _write(folder / "two.csv", places[:2])
    _write(folder / "far.csv", [places[0], ("河滩所", 2, 16)])
    _write(folder / "posts.csv", [("岗亭所", 3, 0.05)])
    _write(folder / "refused.csv", [*places, ("丁所", 40_000, 0)])
    made = run("network", folder / "streets.geojson", "--out", folder / "city.npz")
    assert made.exit_code == 0, made.output
    return folder


def _write(path: Path, places: list[tuple[str, float, float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "lon", "lat"])
        writer.writerows([name, *at(i, j)] for name, i, j in places)


def run(*words: object) -> object:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_reach_is_that_of_travel() -> None:
    assert REACH == REACH_M


def test_a_matrix_of_pairs(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    words = ("matrix", folder / "stations.csv", "--network", folder / "city.npz", "--out", out)
    done = run(*words, "--lang", "en", "--date", "2026-03-02")
    assert done.exit_code == 0, done.output
    assert "3 origins, 3 destinations" in done.output
    assert "streets.geojson" in done.output
    assert "night" in done.output
    with out.open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9
    own = [row for row in rows if row["origin_id"] == row["destination_id"]]
    assert {(row["seconds"], row["metres"]) for row in own} == {("0", "0.0")}
    by_day = run(*words, "--shift", "10:00-12:00", "--lang", "zh")
    assert "白天" in by_day.output
    with_turns = run(*words, "--turns")
    assert with_turns.exit_code == 0


def test_a_route_prints_its_turns_and_writes_its_legs(folder: Path, tmp_path: Path) -> None:
    words = ("route", folder / "stations.csv", "--network", folder / "city.npz")
    done = run(*words, "--lang", "zh", "--out", tmp_path / "r.geojson")
    assert done.exit_code == 0, done.output
    assert "出发，沿横0路行" in done.output
    assert "左转进入" in done.output
    assert "计划路线：3 个地点" in done.output
    assert "仅供指挥" in done.output
    assert len(gpd.read_file(tmp_path / "r.geojson")) == 2
    english = run(*words, "--lang", "en", "--mode", "foot")
    assert "Arrive" in english.output


def test_a_corridor_with_posts_and_alternatives(folder: Path, tmp_path: Path) -> None:
    words = ("corridor", folder / "two.csv", "--network", folder / "city.npz", "--lang", "en")
    done = run(*words, "--posts", folder / "posts.csv", "--out", tmp_path / "c.gpkg")
    assert done.exit_code == 0, done.output
    assert "Planned corridor 1 (fastest)" in done.output
    assert "Alternative 3" in done.output
    assert len(gpd.read_file(tmp_path / "c.gpkg")) == 3
    three = run("corridor", folder / "stations.csv", "--network", folder / "city.npz")
    assert three.exit_code == 2
    few = run(*words, "--alternatives", 15)
    assert "only" in few.output


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_bad_input_is_one_sentence(folder: Path, tmp_path: Path, lang: str) -> None:
    network = ("--network", folder / "city.npz", "--lang", lang)
    far = run("route", folder / "far.csv", *network)
    assert far.exit_code == 2
    assert "河滩所" in far.output
    assert "far.csv" in far.output
    wrong = run("route", folder / "stations.csv", *network, "--mode", "boat")
    assert wrong.exit_code == 2
    assert "boat" in wrong.output
    same = run("matrix", folder / "stations.csv", *network, "--out", tmp_path / "m.txt")
    assert same.exit_code == 2


def test_rows_refused_make_the_status_1(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "refused.csv"
    copy.write_text((folder / "refused.csv").read_text("utf-8"), "utf-8")
    out = tmp_path / "m.csv"
    done = run("matrix", copy, "--network", folder / "city.npz", "--out", out, "--lang", "en")
    assert done.exit_code == 1
    assert out.exists()
    assert (tmp_path / "m-refused.csv").exists()
