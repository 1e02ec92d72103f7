"""The commands `matrix`, `route` and `corridor`, on a grid town written by the test."""

import csv
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.matrix import Near, write_matrix
from api.cli.travel import REACH
from geo.errors import Stopped
from routing.model import Mode, Place
from routing.travel import REACH_M, Travel

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
    assert "3 origin(s), 3 destination(s)" in done.output
    assert "streets.geojson, data of a day not stated, that of making" in done.output
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
    assert "Arrive at 乙所 (" in english.output


@pytest.mark.parametrize(("name", "read"), [("s.csv", pd.read_csv), ("s.xlsx", pd.read_excel)])
def test_a_turn_list_is_written_for_cards(
    folder: Path, tmp_path: Path, name: str, read: Callable[[Path], pd.DataFrame]
) -> None:
    # Issue 6: the list stood on the screen alone.
    words = ("route", folder / "stations.csv", "--network", folder / "city.npz", "--lang", "zh")
    done = run(*words, "--steps", tmp_path / name)
    assert done.exit_code == 0, done.output
    assert "仅供指挥" in done.output
    steps = read(tmp_path / name)
    printed = [line.split(". ", 1)[1] for line in done.output.splitlines() if ". " in line[:6]]
    assert steps["text"].tolist() == printed
    assert steps["text"].iloc[0].startswith("向东出发，沿横0路行")
    assert steps["text"].iloc[-1].startswith("到达丙所（")
    assert steps["step"].tolist() == list(range(1, len(steps) + 1))
    assert {"lon", "lat", "heading", "street_class", "n_junctions"} <= set(steps.columns)
    both = run(*words, "--steps", tmp_path / "a.gpkg", "--out", tmp_path / "a.gpkg")
    assert both.exit_code == 2


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


def test_a_destination_off_the_roads_is_listed_and_the_rest_written(
    folder: Path, tmp_path: Path
) -> None:
    """Issue 6: one of them refused the whole matrix."""
    out = tmp_path / "m.csv"
    words = ("matrix", folder / "two.csv", "--to", folder / "far.csv", "--to-layer", "stations")
    done = run(*words, "--network", folder / "city.npz", "--out", out, "--lang", "en")
    assert done.exit_code == 1, done.output
    assert "2 origin(s), 1 destination(s)" in done.output
    assert "far.csv, row 2, column geometry: 河滩所 (" in done.output
    assert "m from the nearest street, over 500 m" in done.output
    assert len(out.read_text("utf-8-sig").splitlines()) == 3
    listed = (tmp_path / "m-refused.csv").read_text("utf-8-sig")
    assert "far.csv,2,geometry," in listed
    assert "two.csv: 2 place(s) lie 0 m (median)" in done.output


def test_a_row_refused_before_does_not_shift_the_rows_after(folder: Path, tmp_path: Path) -> None:
    rows = [("甲所", 0.4, 0), ("丁所", 40_000, 0), ("乙所", 4.6, 3), ("河滩所", 2, 16)]
    _write(tmp_path / "mixed.csv", rows)
    words = ("matrix", tmp_path / "mixed.csv", "--network", folder / "city.npz", "--lang", "en")
    done = run(*words, "--out", tmp_path / "m.csv")
    assert done.exit_code == 1, done.output
    assert "mixed.csv, row 2," in done.output
    assert "mixed.csv, row 4, column geometry: 河滩所" in done.output


def test_a_matrix_that_does_not_fit_on_the_disk_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 6: 60,000 x 60,000 began to write 90 GB without a word."""
    usage = SimpleNamespace(free=100)
    monkeypatch.setattr("api.cli.matrix.shutil.disk_usage", lambda _folder: usage)
    words = ("matrix", folder / "stations.csv", "--network", folder / "city.npz")
    for lang, said in (("en", "3 x 3 cannot be used; expected a matrix"), ("zh", "3 x 3；应为")):
        done = run(*words, "--out", tmp_path / "m.csv", "--lang", lang)
        assert done.exit_code == 2
        assert said in done.output
        assert "MiB" in done.output
    assert list(tmp_path.iterdir()) == []
    usage.free = 10_000
    monkeypatch.setattr("api.cli.matrix.LARGE", 50)
    done = run(*words, "--out", tmp_path / "m.csv", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "3 x 3 pairs will take about" in done.output


def test_a_matrix_that_is_stopped_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    from routing.io.network_file import open_network

    file, stop = open_network(folder / "city.npz"), Event()
    travel = Travel(file.network, topology=file.topology)
    rows = [Place(place_id=f"p{i}", name="甲", lon=at(i, 0)[0], lat=SOUTH) for i in range(5)]
    near = Near(rows, travel.snap_places(rows))

    def report(done: int, total: int, best: float | None = None) -> None:
        assert (total, best) == (5, None)
        if done == 3:
            stop.set()

    with pytest.raises(Stopped):
        write_matrix(travel, near, near, Mode.CAR, tmp_path / "m.csv", progress=report, stop=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reach", ["50000", "0", "-3"])
def test_a_reach_without_sense_is_refused(folder: Path, tmp_path: Path, reach: str) -> None:
    words = ("matrix", folder / "stations.csv", "--network", folder / "city.npz")
    done = run(*words, "--out", tmp_path / "m.csv", "--reach", reach, "--lang", "en")
    assert done.exit_code == 2
    assert f"--reach: {reach} cannot be used; expected above 0 and up to 5,000 m" in done.output


def test_closures_that_touch_no_street_are_named(folder: Path, tmp_path: Path) -> None:
    """Issue 6: they were passed over in silence."""
    closures = tmp_path / "closures.csv"
    rows = ("closure_id,kind,valid_from,valid_to,lon,lat", "k5,closure,2026-03-01,,116.2,36.46")
    near = "k6,closure,2026-03-01,,{},{}".format(*at(2.5, 0))
    closures.write_text("\n".join([*rows, near]), encoding="utf-8")
    words = ("--network", folder / "city.npz", "--closures", closures, "--lang", "en")
    for command in (
        ("matrix", folder / "stations.csv", "--out", tmp_path / "m.csv"),
        ("route", folder / "stations.csv"),
        ("corridor", folder / "two.csv"),
    ):
        done = run(*command, *words, "--date", "2026-03-02")
        assert done.exit_code == 0, done.output
        assert "2 closure(s) hold during the shift, on 1 segment(s)" in done.output
        assert "1/2 of them touch no street and change nothing: k5\n" in done.output


def test_places_of_another_layer_and_too_many_ends(folder: Path, tmp_path: Path) -> None:
    venues = tmp_path / "venues.csv"
    venues.write_text(
        "venue_id,name,kind,lon,lat\nv1,样例学校,school,{},{}\n".format(*at(1, 1)), "utf-8"
    )
    network = ("--network", folder / "city.npz")
    done = run("route", venues, *network, "--lang", "en")
    assert done.exit_code == 2
    assert "give --layer venues" in done.output
    three = ("corridor", folder / "stations.csv", *network)
    assert "3 row(s) cannot be used; expected two rows" in run(*three, "--lang", "en").output
    assert "不能使用 3 行" in run(*three, "--lang", "zh").output
    far = run("corridor", folder / "far.csv", *network, "--lang", "en")
    assert "far.csv: the roads do not reach 1/2 of them: 河滩所" in far.output


def test_rows_refused_make_the_status_1(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "refused.csv"
    copy.write_text((folder / "refused.csv").read_text("utf-8"), "utf-8")
    out = tmp_path / "m.csv"
    done = run("matrix", copy, "--network", folder / "city.npz", "--out", out, "--lang", "en")
    assert done.exit_code == 1
    assert out.exists()
    assert (tmp_path / "m-refused.csv").exists()
