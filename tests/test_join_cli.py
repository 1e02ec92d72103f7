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
        "On a border between grids: 1",
        "outer border",
        "Data of 2026-11-20",
    ):
        assert said in done.output
    assert "Outside every grid: 1; for 1 of them" in done.output
    joined = gpd.read_file(out)
    assert (joined["cell_id"] != "").sum() == n - 1
    listed = pd.read_csv(audit, dtype=str, keep_default_na=False)
    assert sorted(listed["join_case"]) == ["border", "outer", "outside"]
    outside = listed[listed["join_case"] == "outside"].iloc[0]
    assert outside["cell_id"] == ""
    assert outside["nearest_id"] != ""
    assert float(outside["distance"]) == pytest.approx(896, rel=0.01)


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
