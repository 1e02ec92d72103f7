"""Commands on what lies in grids: joining points with an audit, and groups."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from geo.io import write_layers


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    """The town's files, a grid of 6 x 6 squares over it, and venues with a few odd positions."""
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    west, south, east, north = small_layers.boundaries.total_bounds
    x, y = np.round(np.linspace(west, east, 7), 7), np.round(np.linspace(south, north, 7), 7)
    squares = [
        shapely.box(*c)
        for j in range(6)
        for c in zip(x, y[j : j + 1].repeat(6), x[1:], y[j + 1 : j + 2].repeat(6), strict=False)
    ]
    codes = pd.Series([f"371599101201{k + 1:03d}" for k in range(36)], dtype="str")
    gpd.GeoDataFrame({"cell_id": codes}, geometry=squares, crs=4326).to_file(folder / "cells.gpkg")
    venues = pd.read_csv(folder / "venues.csv", dtype=str)
    odd = [(x[1], (y[0] + y[1]) / 2), (x[6], (y[0] + y[1]) / 2), (x[6] + 0.01, y[3])]
    for row, (lon, lat) in enumerate(odd):
        venues.loc[row, ["lon", "lat"]] = f"{lon:.7f}", f"{lat:.7f}"
    venues.to_csv(folder / "venues.csv", index=False)
    return folder


def run(files, *arguments):
    on = ["--boundaries", files / "boundaries.gpkg", "--date", "2026-11-20", "--lang", "en"]
    return CliRunner().invoke(app, [str(argument) for argument in (*arguments, *on)])


def test_join_writes_grids_and_lists_doubtful_points(files, tmp_path, small_layers):
    out, audit = tmp_path / "venues.gpkg", tmp_path / "audit.csv"
    done = run(
        files,
        *("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg"),
        *("--out", out, "--audit", audit),
    )
    assert done.exit_code == 0, done.output
    n = len(small_layers.venues)
    for said in (
        f"With a grid: {n - 1}/{n}",
        f"On a border between grids: 1/{n}",
        "outer border",
        "Data of 2026-11-20",
    ):
        assert said in done.output
    assert f"Outside every grid: 1/{n}; for 1 of them" in done.output
    joined = gpd.read_file(out)
    assert (joined["cell_id"] != "").sum() == n - 1
    listed = pd.read_csv(audit, dtype=str, keep_default_na=False)
    assert sorted(listed["join_case"]) == ["border", "outer", "outside"]
    outside = listed[listed["join_case"] == "outside"].iloc[0]
    assert outside["cell_id"] == ""
    assert outside["nearest_id"] != ""
    assert float(outside["distance"]) == pytest.approx(896, rel=0.01)


def test_points_outside_every_grid_are_named_and_the_list_is_offered(files, tmp_path):
    """Issue 5: "outside every grid: 1/132" without saying which."""
    asked = ("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg")
    done = run(files, *asked, "--out", tmp_path / "v.csv")
    venue = pd.read_csv(files / "venues.csv", dtype=str).iloc[2]
    where = f"{float(venue['lon']):.5f}, {float(venue['lat']):.5f}"
    assert f"  {venue['venue_id']}: {where}. Check longitude" in done.output
    assert "--audit FILE lists these 3 points" in done.output
    listed = run(files, *asked, "--out", tmp_path / "v.csv", "--audit", tmp_path / "audit.csv")
    assert venue["venue_id"] in listed.output
    assert "--audit FILE" not in listed.output


def test_no_more_than_ten_points_outside_are_printed(files, tmp_path):
    venues = pd.read_csv(files / "venues.csv", dtype=str).iloc[:30]
    gpd.read_file(files / "cells.gpkg").iloc[:6].to_file(tmp_path / "few.gpkg")
    venues.to_csv(tmp_path / "v.csv", index=False)
    done = run(
        files,
        *("join", tmp_path / "v.csv", "--layer", "venues", "--cells", tmp_path / "few.gpkg"),
        *("--out", tmp_path / "out.csv"),
    )
    assert done.exit_code == 0, done.output
    assert done.output.count("Check longitude") == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--layer", "incidents", "--cells", "cells.gpkg"), "--layer"),
        (("--layer", "venues", "--cells", "none.gpkg"), "none.gpkg"),
        (("--layer", "venues", "--cells", "venues.csv"), "venues.csv"),
    ],
)
def test_join_refuses_what_it_cannot_use(files, tmp_path, arguments, said):
    layer, cells = arguments[:3], files / arguments[3]
    done = run(files, "join", files / "venues.csv", *layer, cells, "--out", tmp_path / "v.csv")
    assert done.exit_code == EXIT_INPUT
    assert said in done.output


def test_groups_tile_the_grids_and_count_exceptions(files, tmp_path, small_layers):
    out = tmp_path / "groups.gpkg"
    done = run(
        files,
        *("groups", "--cells", files / "cells.gpkg", "--buildings", files / "buildings.gpkg"),
        *("--out", out),
    )
    assert done.exit_code == 0, done.output
    assert "Groups of 10 to 30 households:" in done.output
    groups = gpd.read_file(out)
    assert groups["households"].sum() == small_layers.buildings["households"].sum()
    assert groups["group_id"].str.len().eq(17).all()
    assert groups["cell_id"].nunique() == 36


# Issue 5, trials: what was wrong with `join` and `groups`.


def test_an_audit_without_a_doubtful_point_is_an_empty_sheet(files, tmp_path):
    venues = pd.read_csv(files / "venues.csv", dtype=str).iloc[10:20]
    venues.to_csv(tmp_path / "plain.csv", index=False)
    audit = tmp_path / "audit.xlsx"
    done = run(
        files,
        *("join", tmp_path / "plain.csv", "--layer", "venues", "--cells", files / "cells.gpkg"),
        *("--out", tmp_path / "v.csv", "--audit", audit),
    )
    assert done.exit_code == 0, done.output
    assert pd.read_excel(audit).empty


def test_points_without_a_position_are_in_the_audit_and_in_n(files, tmp_path):
    venues = pd.read_csv(files / "venues.csv", dtype=str, keep_default_na=False).iloc[10:20]
    venues.iloc[3, [venues.columns.get_loc(c) for c in ("lon", "lat")]] = ""
    venues.to_csv(tmp_path / "v.csv", index=False)
    done = run(
        files,
        *("join", tmp_path / "v.csv", "--layer", "venues", "--cells", files / "cells.gpkg"),
        *("--out", tmp_path / "out.csv", "--audit", tmp_path / "audit.csv"),
    )
    assert done.exit_code == 0, done.output
    assert "With a grid: 9/10" in done.output
    assert "Without a usable position: 1/10" in done.output
    listed = pd.read_csv(tmp_path / "audit.csv", dtype=str, keep_default_na=False)
    assert listed[["point_id", "join_case"]].values.tolist() == [
        [venues["venue_id"].iloc[3], "unplaced"]
    ]
    refused = pd.read_csv(tmp_path / "out-refused.csv")
    assert list(refused["row"]) == [4]


def test_cells_that_lie_elsewhere_are_refused(files, tmp_path):
    far = gpd.read_file(files / "cells.gpkg").translate(10.0, 0.0)
    codes = pd.Series([f"371599101201{k + 1:03d}" for k in range(len(far))], dtype="str")
    gpd.GeoDataFrame({"cell_id": codes}, geometry=far).to_file(tmp_path / "far.gpkg")
    done = run(
        files,
        *("join", files / "venues.csv", "--layer", "venues", "--cells", tmp_path / "far.gpkg"),
        *("--out", tmp_path / "v.csv"),
    )
    assert done.exit_code == EXIT_INPUT
    assert "none of the 36 rows lies inside" in done.output
    assert not (tmp_path / "v.csv").exists()


def test_cells_that_overlap_or_cross_themselves_are_noted(files, tmp_path):
    cells = gpd.read_file(files / "cells.gpkg")
    west, south, east, north = cells.geometry[0].bounds
    wide = shapely.box(west, south, east + (east - west) / 2, north)
    middle = (south + north) / 2
    ring = [*cells.geometry[20].exterior.coords]
    shapes = cells.geometry.to_numpy()
    shapes[0] = wide
    shapes[20] = shapely.Polygon([ring[0], ring[2], ring[1], ring[3]])
    assert not shapes[20].is_valid
    assert middle > south
    cells.set_geometry(shapes, crs=4326).to_file(tmp_path / "cells.gpkg")
    done = run(
        files,
        *("join", files / "venues.csv", "--layer", "venues", "--cells", tmp_path / "cells.gpkg"),
        *("--out", tmp_path / "v.csv"),
    )
    assert done.exit_code == 0, done.output
    assert "2/36 grids overlap in 1 pairs" in done.output
    assert "repaired 1 invalid areas" in done.output


def test_points_in_another_datum_are_found_out_by_the_streets(files, tmp_path):
    plain = ("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg")
    done = run(files, *plain, "--out", tmp_path / "v.csv")
    assert "grids alone cannot tell" in done.output
    done = run(files, *plain, "--out", tmp_path / "v.csv", "--datum", "GCJ-02", "--roads",
               files / "streets.gpkg")  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "lie like WGS-84" in done.output


@pytest.mark.parametrize(
    ("out", "audit", "said"),
    [
        ("v.doc", "a.csv", "--out: v.doc"),
        ("v.csv", "a.doc", "--audit: a.doc"),
        ("v.csv", "v.csv", "--audit: v.csv"),
    ],
)
def test_outputs_are_judged_before_any_work(files, tmp_path, out, audit, said):
    done = run(
        files,
        *("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg"),
        *("--out", tmp_path / out, "--audit", tmp_path / audit),
    )
    assert done.exit_code == EXIT_INPUT
    assert said in done.output
    assert not list(tmp_path.iterdir())


def test_an_input_is_never_written_over(files):
    before = (files / "venues.csv").read_bytes()
    done = run(
        files,
        *("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg"),
        *("--out", files / "venues.csv"),
    )
    assert done.exit_code == EXIT_INPUT
    assert (files / "venues.csv").read_bytes() == before


def test_buildings_without_households_are_said_with_their_number(files, tmp_path):
    homes = gpd.read_file(files / "buildings.gpkg").drop(columns="households")
    homes.to_file(tmp_path / "homes.gpkg")
    done = run(
        files,
        *("groups", "--cells", files / "cells.gpkg", "--buildings", tmp_path / "homes.gpkg"),
        *("--out", tmp_path / "g.gpkg"),
    )
    assert done.exit_code == 0, done.output
    assert f"all {len(homes):,} buildings count as 1" in done.output
    assert "Groups written:" in done.output


def test_a_day_and_a_version_not_stated_are_said_so(files, tmp_path):
    units = gpd.read_file(files / "boundaries.gpkg").drop(columns="boundary_version")
    units.to_file(tmp_path / "units.gpkg")
    asked = ("join", files / "venues.csv", "--layer", "venues", "--cells", files / "cells.gpkg",
             "--boundaries", tmp_path / "units.gpkg", "--out", tmp_path / "v.csv")  # fmt: skip
    done = CliRunner().invoke(app, [str(one) for one in (*asked, "--lang", "en")])
    assert "Data of a day not stated, today taken" in done.output
    assert "boundary version not stated" in done.output
    done = CliRunner().invoke(app, [str(one) for one in (*asked, "--lang", "zh")])
    assert "数据日期 未注明，按今天" in done.output
    assert "边界版本 未注明" in done.output
