"""Commands on streets, place layers, reaches, night zones and teams: what is said and written."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT, EXIT_REFUSED
from geo.boundary import lowest_units
from geo.frames import Col
from geo.io import write_layers


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    west, south, east, north = small_layers.boundaries.total_bounds
    river = shapely.LineString([(west - 0.01, south + 0.004), (east + 0.01, north - 0.004)])
    rows = {"编号": ["w1"], "名称": ["样例河"]}
    gpd.GeoDataFrame(rows, geometry=[river], crs=4326).to_file(folder / "river.geojson")
    middle = f"{(west + east) / 2:.6f},{(south + north) / 2:.6f}"
    service = f"名称,类型,lon,lat\n样例驿站,驿站,{middle}\n样例综治中心,综治中心,0.5,0.5\n"
    (folder / "service.csv").write_text(service, encoding="utf-8")
    hazards = f"名称,类型,lon,lat\n样例加油站,加油站,{middle}\n"
    (folder / "hazards.csv").write_text(hazards, encoding="utf-8")
    units = lowest_units(small_layers.boundaries)
    counts = pd.DataFrame({"cell_id": [*units[Col.CODE], "999999999"], "n_cameras": 3})
    counts.to_csv(folder / "cameras.csv", index=False)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--lang", "en")])


def on(files, *arguments):
    return run(*arguments, "--boundaries", files / "boundaries.gpkg", "--date", "2026-11-20")


def test_street_audit_writes_grids_and_junctions(files, tmp_path, small_layers):
    out, doubtful = tmp_path / "audit.gpkg", tmp_path / "junctions.gpkg"
    done = on(files, "street-audit", files / "streets.gpkg", "--out", out, "--junctions", doubtful)
    assert done.exit_code == 0, done.output
    for said in ("Segments without a name:", "dead ends:", "Data of 2026-11-20"):
        assert said in done.output
    grids = gpd.read_file(out)
    assert len(grids) == len(lowest_units(small_layers.boundaries))
    assert grids["n_segments"].sum() > 100
    assert {"junction"} <= set(gpd.read_file(doubtful)["kind"])


def test_crossings_of_water_are_counted_with_their_bridges(files, tmp_path):
    out = tmp_path / "crossings.geojson"
    done = on(files, "street-audit", files / "streets.gpkg", "--out", tmp_path / "a.csv",
              "--water", files / "river.geojson", "--crossings", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Crossings of water on a bridge: 0/" in done.output
    assert set(gpd.read_file(out)["crosses"]) == {"water"}


def test_street_audit_by_grids_of_a_file(files, tmp_path):
    west, south, east, north = pyogrio.read_dataframe(files / "boundaries.gpkg").total_bounds
    x = np.linspace(west, east, 4)
    cells = gpd.GeoDataFrame(
        {"网格编码": ["371502002005001", "371502002005002", "371502002005003"]},
        geometry=[shapely.box(x[k], south, x[k + 1], north) for k in range(3)],
        crs=4326,
    )
    cells.to_file(tmp_path / "cells.geojson")
    out = tmp_path / "audit.csv"
    done = on(
        files,
        "street-audit",
        files / "streets.gpkg",
        "--out",
        out,
        "--cells",
        tmp_path / "cells.geojson",
    )
    assert done.exit_code == 0, done.output
    table = pd.read_csv(out, dtype={"cell_id": str}, keep_default_na=False)
    assert list(table["cell_id"]) == [
        "371502002005001",
        "371502002005002",
        "371502002005003",
        "",
    ]


def test_coverage_is_said_with_its_total(files, tmp_path):
    out = tmp_path / "cover.xlsx"
    arguments = ("place-coverage", "service_points", files / "service.csv", "--audience", "public")
    done = on(files, *arguments, "--level", "village", "--out", out,
              "--buildings", files / "buildings.gpkg", "--within", "1500")  # fmt: skip
    assert done.exit_code == 0, done.output
    for said in ("For: Public", "Units with at least one: 1/", "post house: 1/",
                 "1/2 lie in none", "Households within 1500 m"):  # fmt: skip
        assert said in done.output
    assert out.exists()


@pytest.mark.parametrize(
    ("layer", "file"), [("hazards", "hazards.csv"), ("camera_counts", "cameras.csv")]
)
def test_restricted_layers_ask_for_command(files, tmp_path, layer, file):
    arguments = ("place-coverage", layer, files / file, "--out", tmp_path / "o.csv",
                 "--level", "village")  # fmt: skip
    refused = on(files, *arguments, "--audience", "public")
    assert refused.exit_code == EXIT_INPUT
    assert "expected command" in refused.output
    assert not (tmp_path / "o.csv").exists()
    done = on(files, *arguments, "--audience", "command")
    assert done.exit_code == 0, done.output
    assert "For: Command only" in done.output
    if layer == "camera_counts":
        assert "1/3 row(s) name a grid" in done.output


def test_reaches_are_proposed_and_the_proposal_passes(files, tmp_path):
    table = tmp_path / "reaches.csv"
    done = on(files, "reaches", files / "river.geojson", "--out", table)
    assert done.exit_code == 0, done.output
    assert "township: metres with exactly one post" in done.output
    checked = on(files, "reaches", files / "river.geojson", "--owners", table,
                 "--out", tmp_path / "faults.csv")  # fmt: skip
    assert checked.exit_code == 0, checked.output
    lines = on(files, "reaches", files / "river.geojson", "--out", tmp_path / "lines.gpkg")
    assert lines.exit_code == 0
    assert (gpd.read_file(tmp_path / "lines.gpkg").geom_type == "LineString").all()


def test_lines_with_ids_of_their_own_are_taken_as_they_are(files, tmp_path):
    river = gpd.read_file(files / "river.geojson").rename(columns={"编号": "asset_id"})
    river.to_file(tmp_path / "assets.geojson")
    out = tmp_path / "reaches.csv"
    done = on(files, "reaches", tmp_path / "assets.geojson", "--assets", "--out", out)
    assert done.exit_code == 0, done.output
    assert set(pd.read_csv(out)["asset_id"]) == {"w1"}


def test_a_hole_in_a_table_of_stretches_is_named_and_status_1(files, tmp_path):
    table = tmp_path / "reaches.csv"
    assert on(files, "reaches", files / "river.geojson", "--out", table).exit_code == 0
    rows = pd.read_csv(table, dtype=str)
    rows = rows.astype({"from_m": float, "to_m": float})
    rows.loc[rows.level == "city", "to_m"] -= 200
    rows.to_csv(table, index=False)
    done = on(files, "reaches", files / "river.geojson", "--owners", table,
              "--out", tmp_path / "faults.gpkg")  # fmt: skip
    assert done.exit_code == EXIT_REFUSED
    assert "1 fault(s)" in done.output
    assert "have no post (200.0 m)" in done.output
    assert len(gpd.read_file(tmp_path / "faults.gpkg")) == 1


RULES = """version = "own-1"
dusk = "18:00"
late = "21:00"
dawn = "06:00"
radius_m = 400.0
n_open = 3
[hours]
food = ["10:00", "24:00"]
shop = ["08:00", "22:00"]
entertainment = ["13:00", "02:00"]
"""


def test_night_zones_are_proposed_then_counted_as_drawn(files, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    out = tmp_path / "zones.gpkg"
    arguments = ("night-zones", files / "venues.csv", "--rules", tmp_path / "rules.toml")
    done = on(files, *arguments, "--out", out)
    assert done.exit_code == 0, done.output
    assert "rules own-1" in done.output
    assert "proposals until a person accepts" in done.output
    zones = gpd.read_file(out)
    assert len(zones) > 0
    again = on(files, *arguments, "--drawn", out, "--out", tmp_path / "drawn.geojson")
    assert again.exit_code == 0, again.output
    drawn = gpd.read_file(tmp_path / "drawn.geojson")
    assert list(drawn["n_venues"]) == list(zones["n_venues"])


def teams(boundaries, n):
    units = boundaries[boundaries[Col.LEVEL].isin(["township", "county"])]
    code = (units if len(units) else boundaries)[Col.CODE].iloc[0]
    rows = [f"{code},样例{k},专职,12,步行,19:00-03:00" for k in range(n)]
    return "\n".join(["单位代码,呼号,力量类型,人数,方式,时段", *rows])


def test_what_is_missing_is_listed_with_status_1(files, tmp_path, small_layers):
    (tmp_path / "teams.csv").write_text(teams(small_layers.boundaries, 1), encoding="utf-8")
    done = on(files, "resources", tmp_path / "teams.csv", "--out", tmp_path / "out.csv")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "missing" in done.output
    assert "teams per township (township): units that meet it" in done.output
    assert len(pd.read_csv(tmp_path / "out.csv")) > 0


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("street-audit", ("streets.gpkg",), "no such file"),
        ("reaches", ("river.geojson",), "no such file"),
    ],
)
def test_a_missing_file_is_one_sentence(files, tmp_path, command, arguments, said):
    done = run(command, *(files / name for name in arguments), "--boundaries",
               tmp_path / "none.gpkg", "--out", tmp_path / "o.csv")  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert said in done.output
    assert len([line for line in done.output.splitlines() if line.startswith("✕")]) == 1


def test_wrong_options_say_what_is_expected(files, tmp_path):
    out = ("--out", tmp_path / "o.csv")
    done = on(files, "place-coverage", "cars", files / "service.csv", "--audience", "public", *out)
    assert "expected service_points, parking, hazards, camera_counts" in done.output
    done = on(files, "street-audit", files / "streets.gpkg", "--epsg", "3857", *out)
    assert done.exit_code == EXIT_INPUT
    assert "--epsg: 3857" in done.output


def test_camera_positions_are_refused_with_what_to_do(files, tmp_path):
    (tmp_path / "c.csv").write_text("cell_id,n_cameras,lon,lat\n1,1,115.9,36.4\n", "utf-8")
    done = on(files, "place-coverage", "camera_counts", tmp_path / "c.csv",
              "--audience", "command", "--out", tmp_path / "o.csv")  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "lon, lat say where single cameras are" in done.output


def test_help_is_in_both_languages():
    for command in ("street-audit", "place-coverage", "reaches", "night-zones", "resources"):
        done = CliRunner().invoke(app, [command, "--help"])
        assert done.exit_code == 0
        assert "·" in done.output


# Issue 5, trials: what was wrong with these commands.


def test_a_file_of_assets_is_known_by_its_columns(files, tmp_path):
    river = gpd.read_file(files / "river.geojson").rename(columns={"编号": "asset_id"})
    river.assign(kind="shore").to_file(tmp_path / "assets.gpkg")
    done = on(files, "reaches", tmp_path / "assets.gpkg", "--out", tmp_path / "r.csv")
    assert done.exit_code == 0, done.output
    assert "is read as assets" in done.output
    done = on(files, "reaches", tmp_path / "assets.gpkg", "--owners", tmp_path / "r.csv",
              "--out", tmp_path / "f.csv")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.output.count("(100.0 %)") >= 2


def test_streets_are_no_water(files, tmp_path):
    done = on(files, "reaches", files / "streets.gpkg", "--out", tmp_path / "r.csv")
    assert done.exit_code == EXIT_INPUT
    assert "rivers and shores" in done.output
    done = on(files, "street-audit", files / "streets.gpkg", "--water", files / "buildings.gpkg",
              "--out", tmp_path / "r.csv", "--crossings", tmp_path / "r.csv")  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "--crossings: r.csv" in done.output


def test_streets_without_any_name_are_not_called_unnamed(files, tmp_path):
    streets = gpd.read_file(files / "streets.gpkg").drop(columns="name")
    streets.to_file(tmp_path / "streets.gpkg")
    done = on(files, "street-audit", tmp_path / "streets.gpkg", "--out", tmp_path / "a.csv")
    assert done.exit_code == 0, done.output
    assert "most likely there is no column of names" in done.output
    assert "Segments without a name" not in done.output
    assert "Grids written: " in done.output


def test_streets_that_lie_elsewhere_are_refused(files, tmp_path):
    streets = gpd.read_file(files / "streets.gpkg")
    streets.set_geometry(streets.translate(9.0, 0.0)).to_file(tmp_path / "far.gpkg")
    done = on(files, "street-audit", tmp_path / "far.gpkg", "--out", tmp_path / "a.csv")
    assert done.exit_code == EXIT_INPUT
    assert "Check longitude, latitude" in done.output


def cameras(files, tmp_path, rows):
    file = tmp_path / "cams.csv"
    file.write_text("\n".join(["cell_id,n_cameras", *rows]), "utf-8")
    return on(files, "place-coverage", "camera_counts", file, "--audience", "command",
              "--out", tmp_path / "o.csv")  # fmt: skip


def test_counts_of_cameras_that_mean_nothing_are_refused(files, tmp_path, small_layers):
    unit = lowest_units(small_layers.boundaries)[Col.CODE].iloc[0]
    done = cameras(files, tmp_path, ["3.71502E+14,2", "3.71502E+14,3"])
    assert done.exit_code == EXIT_INPUT
    assert "export the column again as text" in done.output
    done = cameras(files, tmp_path, ["999999999,2"])
    assert done.exit_code == EXIT_INPUT
    assert "not one row of the file names one" in done.output
    other = lowest_units(small_layers.boundaries)[Col.CODE].iloc[1]
    done = cameras(files, tmp_path, [f"{unit},2", f"{other},1", f"{unit},5"])
    assert done.exit_code == 0, done.output
    refused = pd.read_csv(tmp_path / "o-refused.csv")
    assert list(refused["row"]) == [1, 3]
    assert "several different counts" in refused["reason"].iloc[0]


def test_points_where_areas_are_asked_are_called_so(files, tmp_path):
    points = gpd.GeoDataFrame({"cell_id": ["1"]}, geometry=[shapely.Point(116, 36.4)], crs=4326)
    points.to_file(tmp_path / "cells.geojson")
    done = on(files, "street-audit", files / "streets.gpkg", "--cells", tmp_path / "cells.geojson",
              "--out", tmp_path / "a.csv")  # fmt: skip
    assert done.exit_code == EXIT_INPUT
    assert "expected areas (polygons)" in done.output


def test_rules_are_named_in_chinese(files, tmp_path, small_layers):
    (tmp_path / "teams.csv").write_text(teams(small_layers.boundaries, 1), encoding="utf-8")
    done = CliRunner().invoke(app, [str(one) for one in (
        "resources", tmp_path / "teams.csv", "--boundaries", files / "boundaries.gpkg",
        "--out", tmp_path / "out.csv", "--lang", "zh")])  # fmt: skip
    assert "镇街队数" in done.output
    assert "township" not in done.output
