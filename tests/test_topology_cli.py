"""The coverage command: what it says, what it writes, and its exit status."""

import json
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT, EXIT_REFUSED
from geo.crs import wgs84_to_gcj02
from geo.frames import Col

squares = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("topology_squares.py"))))


def run(*arguments):
    return CliRunner().invoke(app, ["coverage", *map(str, arguments)])


def write(path, frame):
    names = {"371599": "样例县", "37159910120101": "样例小学"}
    named = frame.assign(name=[names.get(code, f"样例{code[-3:]}") for code in frame[Col.CODE]])
    named.to_file(path, layer="boundaries")
    return path


@pytest.fixture
def clean(tmp_path):
    return write(tmp_path / "clean.gpkg", squares.nested())


@pytest.fixture
def spoiled(tmp_path):
    return write(tmp_path / "spoiled.gpkg", squares.nested(u371599102202=(103, 0, 200, 100)))


def test_a_layer_in_order_passes(clean, tmp_path):
    done = run(clean, "--out", tmp_path / "faults.gpkg", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "Nothing is wrong." in done.output
    assert "8 units, boundary version" in done.output


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "边界版本 未注明"), ("en", "version not stated")]
)
def test_a_version_not_stated_is_said_in_the_readers_language(clean, tmp_path, lang, said):
    """Issue 5: the Chinese head read "边界版本 unstated"."""
    units = gpd.read_file(clean).drop(columns=Col.BOUNDARY_VERSION, errors="ignore")
    units.to_file(tmp_path / "units.gpkg", layer="boundaries")
    done = run(tmp_path / "units.gpkg", "--out", tmp_path / "faults.gpkg", "--lang", lang)
    assert done.exit_code == 0, done.output
    assert said in done.output
    assert "unstated" not in done.output


def test_faults_are_listed_drawn_and_the_status_says_so(spoiled, tmp_path):
    out = tmp_path / "faults.geojson"
    done = run(spoiled, "--out", out, "--lang", "en", "--date", "2026-11-20")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "data of 2026-11-20" in done.output
    assert "village, gap: 1" in done.output
    layer = gpd.read_file(out)
    assert list(layer[Col.KIND]) == ["gap"]
    page = out.with_suffix(".html").read_text("utf-8")
    drawn = json.loads(re.search(r'id="patrol-data">(.*?)</script>', page)[1])
    gaps = drawn["layers"][1]
    assert (gaps["name"], gaps["n"], gaps["N"]) == ({"zh": "缝隙", "en": "gap"}, 1, 1)
    assert "village, gap: 1" in drawn["meta"]["figures"][0]["en"]


def test_a_repair_writes_the_layer_and_its_log(spoiled, tmp_path):
    out = tmp_path / "faults.gpkg"
    done = run(spoiled, "--repair", "--out", out, "--lang", "zh")
    assert done.exit_code == 0, done.output
    assert "发现 1 处，还剩 0 处" in done.output
    repaired = gpd.read_file(tmp_path / "faults-repaired.gpkg")
    again = run(tmp_path / "faults-repaired.gpkg", "--out", tmp_path / "again.gpkg")
    assert again.exit_code == 0, again.output
    assert set(repaired.geom_type) <= {"Polygon", "MultiPolygon"}
    log = pd.read_csv(tmp_path / "faults-changes.csv", dtype={Col.CODE: str})
    assert log[Col.AREA_TAKEN].sum() == pytest.approx(300, rel=0.01)


def test_what_needs_more_than_the_tolerance_is_left_and_says_why(spoiled, tmp_path):
    options = ("--repair", "--tolerance", 1, "--out", tmp_path / "f.gpkg", "--lang", "en")
    done = run(spoiled, *options)
    assert done.exit_code == EXIT_REFUSED
    assert "its repair would move a border more than 1 m" in done.output


def test_a_hole_is_a_question_and_no_fault(tmp_path):
    town = squares.nested()
    row = town.index[town[Col.CODE] == "371599102202"][0]
    town.loc[row, Col.GEOMETRY] = shapely.difference(
        town.geometry[row], squares.box(120, 20, 180, 80)
    )
    path = write(tmp_path / "hole.gpkg", town)
    done = run(path, "--repair", "--hole-area", 3000, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "may be a real enclave" in done.output
    assert "1 of them are questions" in done.output


def test_broken_rings_are_found_though_readers_repair_them(tmp_path):
    town = squares.nested()
    row = town.index[town[Col.CODE] == "371599101202"][0]
    bow = [squares.at(100, 100), squares.at(200, 200), squares.at(200, 100), squares.at(100, 200)]
    town.loc[row, Col.GEOMETRY] = shapely.Polygon(bow)
    done = run(write(tmp_path / "bow.gpkg", town), "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == EXIT_REFUSED
    assert "self-intersection: 1" in done.output


def test_parents_may_come_in_their_own_file(tmp_path):
    town = squares.nested(u371599102202=(103, 0, 200, 100))
    below = write(tmp_path / "villages.gpkg", town[town[Col.LEVEL] == "village"].iloc[:4])
    above = write(tmp_path / "towns.gpkg", town[town[Col.LEVEL] == "township"])
    done = run(below, "--parents", above, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "village, gap: 1" in done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tolerance", "0"], "--tolerance"),
        (["--hole-area", "-1"], "--hole-area"),
        (["--snap", "0.1"], "--repair"),
        (["--epsg", "3857"], "--epsg"),
        (["--date", "soon"], "--date"),
    ],
)
def test_options_that_cannot_be_used(clean, tmp_path, options, said):
    done = run(clean, "--out", tmp_path / "f.gpkg", "--lang", "en", *options)
    assert done.exit_code == EXIT_INPUT
    assert said in done.output


@pytest.mark.parametrize("name", ["f.csv", "f.shp"])
def test_formats_that_cannot_hold_faults(clean, tmp_path, name):
    done = run(clean, "--out", tmp_path / name, "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert ".gpkg .geojson .fgb" in done.output


def without_code(path, code):
    """Write the town with one unit whose code nobody can read."""
    town = squares.nested()
    town.loc[town[Col.CODE] == code, Col.CODE] = "x"
    return write(path, town)


def test_refused_units_are_listed_and_the_status_says_so(tmp_path):
    """Issue 5: a layer with refused units ended in "Nothing is wrong" and status 0."""
    path = without_code(tmp_path / "town.gpkg", "37159910120101")
    done = run(path, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "town.gpkg, row 8, column code" in done.output
    assert "Nothing is wrong with the 7/8 units that were read" in done.output
    assert len(pd.read_csv(tmp_path / "f-refused.csv")) == 1


def test_a_layer_with_refused_units_is_not_repaired(tmp_path):
    """Issue 5: a repair gave the ground of a refused village to its neighbours."""
    path = without_code(tmp_path / "town.gpkg", "371599102202")
    for lang, said in (("en", "neighbours would take the ground"), ("zh", "有 1 行被拒收的图层")):
        done = run(path, "--repair", "--out", tmp_path / "f.gpkg", "--lang", lang)
        assert done.exit_code == EXIT_INPUT
        assert said in done.output
    assert not (tmp_path / "f-repaired.gpkg").exists()


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("f.gpkg", "f.gpkg"),
        ("f-repaired.gpkg", "f.gpkg"),
        ("f-left.geojson", "f.geojson"),
    ],
)
def test_what_is_read_is_never_written_over(tmp_path, name, out):
    """Issue 5: `coverage X --out X` left an empty layer where the boundaries were."""
    path = write(tmp_path / name, squares.nested())
    before = path.read_bytes()
    done = run(path, "--repair", "--out", tmp_path / out, "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert f"--out: {name} cannot be used" in done.output
    assert path.read_bytes() == before
    above = write(tmp_path / "villages.gpkg", squares.nested())
    done = run(above, "--parents", path, "--repair", "--out", tmp_path / out, "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert path.read_bytes() == before


def moved(town, shift):
    return town.set_geometry(gpd.GeoSeries(shapely.transform(town.geometry.array, shift), crs=4326))


def test_parents_elsewhere_are_refused(tmp_path):
    """Issue 5: parents 60 degrees away ended in "Nothing is wrong"."""
    path = write(tmp_path / "town.gpkg", squares.nested())
    far = moved(squares.nested(), lambda lonlat: lonlat - [60, 0])
    above = write(tmp_path / "far.gpkg", far)
    done = run(path, "--parents", above, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert "town.gpkg: none of the 8 rows lies inside the boundary far.gpkg" in done.output


def test_parents_the_file_has_itself_are_said_to_be_unused(tmp_path):
    town = write(tmp_path / "town.gpkg", squares.nested())
    above = write(tmp_path / "above.gpkg", squares.nested())
    done = run(town, "--parents", above, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "8/8 units of the parents' layer are in town.gpkg too" in done.output


@pytest.mark.parametrize("shifted", ["town", "above"])
def test_parents_in_another_datum_are_named(tmp_path, shifted):
    """Issue 5: a layer 510 m east gave thousands of faults and no word of the datum."""
    layers = {"town": squares.nested(), "above": squares.nested()}
    layers[shifted] = moved(layers[shifted], wgs84_to_gcj02)
    town, above = (write(tmp_path / f"{name}.gpkg", layer) for name, layer in layers.items())
    done = run(town, "--parents", above, "--out", tmp_path / "f.gpkg", "--lang", "en")
    assert done.exit_code == EXIT_INPUT
    assert f"{shifted}.gpkg: the points are stated as WGS-84 but lie like GCJ-02" in done.output


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_left_says_why_in_words(spoiled, tmp_path, lang):
    """Issue 5: the column held `coverage.reason.far`."""
    run(spoiled, "--repair", "--tolerance", 1, "--out", tmp_path / "f.gpkg", "--lang", lang)
    said = gpd.read_file(tmp_path / "f-left.gpkg")[Col.REASON]
    assert said.str.contains("more than 1 m" if lang == "en" else "1 m 以上").all()


def test_bad_files_end_in_one_clear_sentence(tmp_path):
    (tmp_path / "junk.gpkg").write_bytes(b"no such thing")
    for path, said in ((tmp_path / "none.gpkg", "no such file"), (tmp_path / "junk.gpkg", "GeoP")):
        done = run(path, "--out", tmp_path / "f.gpkg", "--lang", "en")
        assert done.exit_code == EXIT_INPUT
        assert said in done.output
