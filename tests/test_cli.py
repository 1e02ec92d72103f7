"""The command from files to map: what it writes, and one clear sentence for bad input."""

import json
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT, EXIT_REFUSED
from geo.crs import wgs84_to_gcj02
from geo.io import write_layers

PRODUCTS = {
    "tonight.html",
    "plan.json",
    "due.json",
    "venues_due.xlsx",
    "gpx",
    "unmatched.csv",
    "refused.csv",
}


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    return folder


@pytest.fixture
def own(files, tmp_path):
    """A copy of the town's files that a test may spoil."""
    return shutil.copytree(files, tmp_path / "in")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def plan(folder, out, *more):
    layers = {
        "roads": "streets.gpkg",
        "boundaries": "boundaries.gpkg",
        "venues": "venues.csv",
        "incidents": "incidents.csv",
        "stations": "stations.csv",
        "units": "units.csv",
        "posts": "posts.csv",
        "buildings": "buildings.gpkg",
    }
    options = [part for key, name in layers.items() for part in (f"--{key}", folder / name)]
    return run("plan", *options, "--date", "2026-11-21", "--out", out, "--lang", "en", *more)


@pytest.fixture(scope="module")
def made(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "out"
    done = plan(files, out)
    assert done.exit_code == 0, done.output
    return out, done


def test_plan_writes_every_product_and_says_so(made):
    out, done = made
    assert {path.name for path in out.iterdir()} == PRODUCTS
    for said in ("This is a draft until a human approves it", "Synthetic data", "tonight.html"):
        assert said in done.output


def test_check_passes_the_plan_and_names_a_changed_number(made, tmp_path):
    out, _ = made
    good = run("check", out / "plan.json", "--lang", "en")
    assert good.exit_code == 0
    assert "passes" in good.output
    spoiled = json.loads((out / "plan.json").read_text("utf-8"))
    route = next(r for r in spoiled["routes"] if r["stops"])
    route["stops"][0]["travel_s"] += 1
    bad = tmp_path / "plan.json"
    bad.write_text(json.dumps(spoiled), "utf-8")
    refused = run("check", bad, "--lang", "en")
    assert refused.exit_code == EXIT_REFUSED
    assert "violation" in refused.output


def test_second_run_over_the_first_gives_the_same_bytes(files, made, tmp_path):
    out, _ = made
    again = shutil.copytree(out, tmp_path / "out")
    (again / "keep.txt").write_text("mine")
    assert plan(files, again).exit_code == 0
    for name in ("plan.json", "due.json", "tonight.html"):
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert {path.name for path in again.iterdir()} == PRODUCTS | {"keep.txt"}


def spoil_nothing_in(folder):
    (folder / "venues.csv").write_text("")


def spoil_column(folder):
    frame = pd.read_csv(folder / "venues.csv", dtype=str)
    frame.rename(columns={"tier": "shade"}).to_csv(folder / "venues.csv", index=False)


def spoil_phone(folder):
    frame = pd.read_csv(folder / "venues.csv", dtype=str)
    frame.assign(联系电话="13800000000").to_csv(folder / "venues.csv", index=False)


def spoil_datum(folder):
    frame = pd.read_csv(folder / "venues.csv", dtype=str)
    lonlat = wgs84_to_gcj02(frame[["lon", "lat"]].astype(float).to_numpy())
    frame["lon"], frame["lat"] = lonlat[:, 0].round(7), lonlat[:, 1].round(7)
    frame.to_csv(folder / "venues.csv", index=False)


def spoil_station(folder):
    frame = pd.read_csv(folder / "stations.csv", dtype=str)
    frame.loc[0, "lat"] = "36.4400"
    frame.to_csv(folder / "stations.csv", index=False)


def spoil_dwelling(folder):
    frame = pd.read_csv(folder / "venues.csv", dtype=str)
    frame.loc[3, "kind"] = "住宅"
    frame.to_csv(folder / "venues.csv", index=False)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_nothing_in, ("venues.csv", "0 bytes")),
        (spoil_column, ("venues.csv", "column tier", "is missing")),
        (spoil_phone, ("venues.csv", "联系电话", "--drop")),
        (spoil_datum, ("venues.csv", "GCJ-02", "--datum")),
        (spoil_station, ("stations.csv: the roads do not reach 1/2",)),
        (spoil_dwelling, ("venues.csv", "住宅")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_gets_one_sentence_and_nothing_is_written(own, tmp_path, spoil, said):
    spoil(own)
    out = tmp_path / "out"
    done = plan(own, out)
    assert done.exit_code == EXIT_INPUT, done.output
    sentences = [line for line in done.output.splitlines() if line.startswith("✕")]
    assert len(sentences) == 1
    assert all(word in sentences[0] for word in said)
    assert "13800000000" not in done.output
    assert not out.exists() or list(out.iterdir()) == []


def test_dropping_the_personal_column_goes_on(own, tmp_path):
    spoil_phone(own)
    done = plan(own, tmp_path / "out", "--drop", "联系电话")
    assert done.exit_code == 0, done.output
    assert not any(b"13800000000" in path.read_bytes() for path in (tmp_path / "out").glob("*.*"))


def test_refused_rows_are_listed_with_their_reason(own, tmp_path):
    frame = pd.read_csv(own / "venues.csv", dtype=str)
    frame.loc[4, "tier"] = "purple"
    frame.to_csv(own / "venues.csv", index=False)
    done = plan(own, tmp_path / "out")
    assert done.exit_code == 0, done.output
    refused = pd.read_csv(tmp_path / "out" / "refused.csv")
    assert refused[["source", "row", "column"]].to_numpy().tolist() == [["venues.csv", 5, "tier"]]


@pytest.mark.parametrize(
    ("option", "value"), [("--date", "21.11.2026"), ("--datum", "Mars"), ("--shift", "night")]
)
def test_an_option_that_cannot_be_used_says_what_is_expected(files, tmp_path, option, value):
    done = plan(files, tmp_path / "out", option, value)
    assert done.exit_code == EXIT_INPUT
    assert f"{option}: {value} cannot be used; expected" in done.output


def test_messages_come_in_chinese_too(tmp_path):
    done = run("check", tmp_path / "none.json", "--lang", "zh")
    assert done.exit_code == EXIT_INPUT
    assert "没有" in done.output


def test_sample_writes_the_layers_a_user_would_bring(tmp_path):
    done = run("sample", tmp_path / "city", "--date", "2026-11-21", "--lang", "en")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "city").iterdir()}
    assert names == {
        "boundaries.gpkg",
        "streets.gpkg",
        "water.gpkg",
        "buildings.gpkg",
        "venues.csv",
        "incidents.csv",
        "stations.csv",
        "units.csv",
        "posts.csv",
    }


def test_check_judges_the_schedule_too(made):
    out, _ = made
    done = run("check", out / "due.json", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "passes" in done.output


def test_a_folder_for_results_that_is_a_file_is_refused_before_any_work(files, tmp_path):
    taken = tmp_path / "out"
    taken.write_text("mine")
    done = plan(files, taken)
    assert done.exit_code == EXIT_INPUT
    assert "a folder that can be written" in done.output
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "value"), [("PATROLGRID_LANGUAGE", "fr"), ("PATROLGRID_LOG_LEVEL", "LOUD")]
)
def test_a_setting_that_cannot_be_used_is_one_sentence(monkeypatch, tmp_path, name, value):
    monkeypatch.setenv(name, value)
    done = run("check", tmp_path / "plan.json")
    assert done.exit_code == EXIT_INPUT
    assert name in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_draft_left_by_a_kill_is_cleared_up(files, made, tmp_path):
    again = shutil.copytree(made[0], tmp_path / "out")
    (again / ".patrolgrid-killed").mkdir()
    assert plan(files, again).exit_code == 0
    assert {path.name for path in again.iterdir()} == PRODUCTS
