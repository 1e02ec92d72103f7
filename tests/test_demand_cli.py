"""The commands on reports, on the small town's files."""

import json
import re
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from api.maps import write_theme
from api.maps.themes import hot_spots_theme
from geo.errors import OptionInvalid
from geo.io import write_layers
from geo.privacy import Audience
from routing.basis import DemandBasis, basis_of
from routing.io import read_plan, write_plan


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--lang", "en"])


def hot_spots(files, out, *more):
    return run("hot-spots", files / "incidents.csv", "--out", out, *more)


def test_hot_spots_say_how_good_they_are(files, tmp_path):
    out, page = tmp_path / "spots.gpkg", tmp_path / "spots.html"
    done = hot_spots(
        files, out, "--roads", files / "streets.gpkg", "--page", page, "--share", "0.05"
    )
    assert done.exit_code == 0, done.output
    for said in ("Decayed counts: over 13 weeks", "PAI", "last year's counts", "for command alone"):
        assert said in done.output
    spots = gpd.read_file(out)
    assert spots["order"].tolist() == list(range(1, len(spots) + 1))
    assert 1 <= len(spots) <= 0.05 * 264
    drawn = json.loads(re.search(r'id="patrol-data">(.*?)</script>', page.read_text("utf-8"))[1])
    assert (drawn["layers"][-1]["n"], drawn["meta"]["audience"]) == (len(spots), "command")
    assert "13 周里" in drawn["meta"]["figures"][0]["zh"]


def test_squares_within_a_boundary(files, tmp_path):
    done = hot_spots(
        files,
        tmp_path / "spots.geojson",
        "--boundaries", files / "boundaries.gpkg",
        "--side", 200,
        "--method", "gi_star",
        "--share", "0.1",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "squares" in done.output
    assert set(gpd.read_file(tmp_path / "spots.geojson").method) == {"gi_star"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--method", "tarot"),
        ("--side", "1"),
        ("--share", "1.5"),
        ("--test-weeks", "5000"),
        ("--channel", "rumour"),
        ("--keep", "theft"),
        ("--epsg", "4326"),
    ],
)
def test_options_that_cannot_be_used_are_one_sentence(files, tmp_path, option, value):
    done = hot_spots(files, tmp_path / "spots.gpkg", option, value)
    assert done.exit_code == EXIT_INPUT, done.output
    assert option in done.output
    assert not (tmp_path / "spots.gpkg").exists()


def test_counts_that_leave_the_house(files, tmp_path):
    shown = {}
    for audience in ("command", "public"):
        out = tmp_path / f"{audience}.csv"
        done = run(
            "report-counts", files / "incidents.csv",
            "--roads", files / "streets.gpkg",
            "--buildings", files / "buildings.gpkg",
            "--venues", files / "venues.csv",
            "--audience", audience,
            "--out", out,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert "at least 5 addresses" in done.output
        shown[audience] = pd.read_csv(out, dtype={"n_reports": "Int64"})
    command, public = shown["command"], shown["public"]
    assert not command.is_suppressed.any()
    assert (command.n_reports < 5).any()
    visible = public[~public.is_suppressed]
    assert (visible.n_reports >= 5).all()
    assert public[public.is_suppressed].n_reports.isna().all()
    assert np.array_equal(command.segment_id, public.segment_id)


def test_a_page_is_for_command(files, tmp_path):
    done = hot_spots(files, tmp_path / "spots.gpkg")
    assert done.exit_code == 0, done.output
    theme = hot_spots_theme(gpd.read_file(tmp_path / "spots.gpkg"), epsg=32650, figures=())
    with pytest.raises(OptionInvalid, match="demand"):
        write_theme(theme, tmp_path / "page.html", audience=Audience.PUBLIC)


def test_a_plan_records_decay_floor_and_cap(small_layers):
    from geo.demand import DemandRules, PlaceRules, estimate_demand
    from geo.grid import cut_cells

    cells = cut_cells(
        small_layers.boundaries,
        small_layers.streets,
        small_layers.water,
        small_layers.buildings,
        epsg=small_layers.epsg,
    )
    rules = DemandRules(half_life=400.0, floor_share=0.2, cap_multiple=2.0)
    demand = estimate_demand(
        small_layers.incidents,
        small_layers.streets,
        cells,
        epsg=small_layers.epsg,
        shift_start_hour=20,
        n_hours=6,
        as_of=small_layers.data_date,
        rules=rules,
    )
    basis = basis_of(demand, PlaceRules(share_exploration=0.15))
    assert isinstance(basis, DemandBasis)
    recorded = (basis.half_life, basis.window, basis.floor_share, basis.cap_quantile)
    assert recorded == (400.0, 1095, 0.2, 0.99)
    assert (basis.cap_multiple, basis.share_exploration) == (2.0, 0.15)
    assert (basis.n_used, basis.n_reports) == (demand.used.n, demand.used.total)


BASIS = DemandBasis(
    as_of=date(2026, 11, 20),
    half_life=730.0,
    window=1095,
    floor_share=0.1,
    cap_quantile=0.99,
    cap_multiple=3.0,
    share_exploration=0.1,
    n_floored=5,
    n_capped=1,
    n_used=98,
    n_reports=100,
    n_left_out=12,
)


def test_the_plan_file_keeps_them(town_plan, tmp_path):
    before = town_plan.problem.digest()
    assert replace(town_plan.problem, demand=None).digest() == before  # older files keep their hash
    problem = replace(town_plan.problem, demand=BASIS)
    assert problem.digest() != before
    plan = replace(town_plan, problem=problem, problem_hash=problem.digest())
    path = tmp_path / "plan.json"
    write_plan(plan, path, audience=Audience.COMMAND)
    assert read_plan(path).problem.demand == BASIS
    stated = json.loads(path.read_text("utf-8"))["problem"]["demand"]
    assert (stated["half_life"], stated["floor_share"], stated["cap_multiple"]) == (730.0, 0.1, 3.0)
    write_plan(town_plan, path, audience=Audience.COMMAND)
    assert "demand" not in json.loads(path.read_text("utf-8"))["problem"]
    assert read_plan(path).problem.demand is None


def moved(source, path, degrees):
    """Write a layer of a file somewhere else."""
    layer = gpd.read_file(source)
    layer.geometry = layer.geometry.translate(degrees)
    layer.to_file(path)
    return path


def test_inputs_are_kept_and_outputs_judged_first(files, tmp_path):
    """Issue 5: reports were written over; a page of another name came out as HTML."""
    before = (files / "incidents.csv").read_bytes()
    for out, more in (
        (files / "incidents.csv", ()),
        (tmp_path / "spots.csv", ()),
        (tmp_path / "spots.gpkg", ("--page", tmp_path / "page.txt")),
        (tmp_path / "spots.gpkg", ("--page", tmp_path / "spots.gpkg")),
    ):
        done = hot_spots(files, out, *more)
        assert done.exit_code == EXIT_INPUT, done.output
        assert "cannot be used" in done.output
    assert (files / "incidents.csv").read_bytes() == before
    assert list(tmp_path.iterdir()) == []
    nothing = tmp_path / "none.csv"
    for option, value in (("--share", "0"), ("--side", "1")):
        done = run("hot-spots", nothing, "--out", tmp_path / "s.gpkg", option, value)
        assert option in done.output  # judged before the file is looked for


def test_layers_of_another_city_are_an_error(files, tmp_path):
    """Issue 5: 0 of 0 reports, PAI nan, and a file was written."""
    out = tmp_path / "spots.gpkg"
    areas = moved(files / "boundaries.gpkg", tmp_path / "b.gpkg", 2.0)
    roads = moved(files / "streets.gpkg", tmp_path / "r.gpkg", 2.0)
    far = hot_spots(files, out, "--boundaries", areas)
    assert far.exit_code == EXIT_INPUT, far.output
    assert "lies inside the boundary b.gpkg" in far.output
    far = hot_spots(files, out, "--roads", roads)
    assert "within 100 m of a street of r.gpkg" in far.output
    far = run(
        "report-counts", files / "incidents.csv", "--roads", roads,
        "--buildings", files / "buildings.gpkg", "--audience", "team",
        "--out", tmp_path / "c.csv",
    )  # fmt: skip
    assert far.exit_code == EXIT_INPUT, far.output
    assert "within 100 m of a street of r.gpkg" in far.output
    assert "nan" not in far.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.gpkg", "r.gpkg"]


def test_counts_are_a_table_and_say_their_day(files, tmp_path):
    arguments = (
        "report-counts", files / "incidents.csv", "--roads", files / "streets.gpkg",
        "--buildings", files / "buildings.gpkg", "--audience", "team",
    )  # fmt: skip
    done = run(*arguments, "--out", tmp_path / "c.gpkg")
    assert "c.gpkg cannot be used; expected .csv .xlsx" in done.output
    done = run(*arguments, "--out", tmp_path / "c.csv")
    assert re.search(
        r"Data date 20\d\d-\d\d-\d\d, boundary version no boundaries used", done.output
    )
    done = hot_spots(files, tmp_path / "s.gpkg", "--boundaries", files / "boundaries.gpkg")
    assert re.search(r"Data date 20\d\d-\d\d-\d\d, boundary version \d", done.output)


def test_an_assumed_channel_is_said_and_refused_rows_listed(files, tmp_path):
    """Issue 5: that every row is taken as a resident's report was a dim note."""
    reports = pd.read_csv(files / "incidents.csv", dtype=str)
    bare = tmp_path / "bare.csv"
    reports.drop(columns="channel").to_csv(bare, index=False)
    n = f"{len(reports):,}"
    done = CliRunner().invoke(app, ["hot-spots", str(bare), "--out", str(tmp_path / "s.gpkg")])
    assert f"注意：{n}/{n} 起警情没有写来源，全部按“群众报警”计" in done.stdout
    reports.loc[3, "channel"] = "twitter"
    reports.loc[4, "category"] = "sexual"
    reports.to_csv(bare, index=False)
    done = CliRunner().invoke(app, ["hot-spots", str(bare), "--out", str(tmp_path / "s.gpkg")])
    assert f"bare.csv：拒收 2/{n} 行" in done.stdout
    assert "bare.csv 第 4 行 channel 列" in done.output
    assert "（sexual）" not in done.output
    assert "加 --keep sexual" in done.output
    assert "4,channel" in (tmp_path / "s-refused.csv").read_text("utf-8-sig")


def test_reports_of_a_few_days_name_file_and_days(files, tmp_path):
    reports = pd.read_csv(files / "incidents.csv", dtype=str).head(1)
    (path := tmp_path / "few.csv").write_text(reports.to_csv(index=False), "utf-8")
    done = CliRunner().invoke(app, ["hot-spots", str(path), "--out", str(tmp_path / "s.gpkg")])
    assert done.exit_code == EXIT_INPUT
    assert "超过一周的群众报警" in done.output
    assert "few.csv" in done.output
    assert "residents" not in done.output
