"""The embedded store is a GeoPackage: GDAL, geopandas and QGIS open it, and may write to it."""

import re
import runpy
import shutil
import subprocess
import warnings
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyogrio
import pytest
import shapely
from sqlalchemy import func, insert, select, text, update

from api.store import open_store
from api.store.geometry import Geometry, meets_box
from api.store.geopackage import refresh_extents
from api.store.styles import qml
from api.store.tables import METADATA, VENUES
from geo.frames import Tier

filler = runpy.run_path(str(Path(__file__).with_name("store_rows.py")))
fill = filler["fill"]
STYLED = ("boundaries", "streets", "cells", "stations", "venues")


@pytest.fixture
def filled(geopackage_setting):
    """A closed store with seven rows in every table, one geometry of them missing."""
    with open_store(geopackage_setting) as store:
        made = fill(store)
        store.write(refresh_extents)
    return Path(geopackage_setting), made


def test_geopandas_reads_every_table_without_a_warning(filled):
    path, made = filled
    listed = dict(pyogrio.list_layers(path))
    assert set(listed) == {*METADATA.tables, "layer_styles"}
    for table in METADATA.sorted_tables:
        frame = pyogrio.read_dataframe(path, layer=table.name)
        assert len(frame) == len(made[table.name])
        kind = table.c["geom"].type.kind if "geom" in table.c else None
        assert (kind is None) == (listed[table.name] is None)
        if kind is not None:
            expected = [row["geom"] for row in made[table.name]]
            assert gpd.GeoSeries(expected, crs=4326).geom_equals(frame.geometry).sum() == 6
            assert frame.geometry.isna().sum() == 1
            assert frame.crs == "EPSG:4326"


def test_gdal_sees_each_type_as_what_it_is(filled):
    path, _ = filled
    seen = {}
    for layer in ("venues", "plans", "jobs", "boundary_merges", "city", "import_changes"):
        info = pyogrio.read_info(path, layer=layer)
        for name, kind, sub in zip(
            info["fields"], info["ogr_types"], info["ogr_subtypes"], strict=True
        ):
            seen[f"{layer}.{name}"] = (kind, sub)
    assert seen["venues.due"][0] == "OFTDate"
    assert seen["venues.version"][0] == "OFTInteger64"
    assert seen["venues.name"][0] == "OFTString"
    assert seen["plans.created_at"][0] == "OFTDateTime"
    assert seen["plans.document"][0] == "OFTBinary"
    assert seen["plans.seed"][0] == "OFTInteger64"
    assert seen["jobs.best"][0] == "OFTReal"
    assert seen["jobs.result"][0] == "OFTString"
    assert seen["boundary_merges.confidence"][0] == "OFTReal"
    assert seen["city.synthetic"] == ("OFTInteger", "OFSTBoolean")
    assert seen["import_changes.geom_before"][0] == "OFTBinary"


def test_ogrinfo_of_the_system_has_nothing_to_warn_of(filled):
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("gdal-bin is not installed")
    path, _ = filled
    said = subprocess.run([ogrinfo, "-al", str(path)], capture_output=True, text=True, check=True)
    assert said.stderr == ""
    assert "arning" not in said.stdout
    assert said.stdout.count("Layer name: ") == len(METADATA.tables) + 1


def test_what_the_standard_asks_of_the_file(filled):
    path, _ = filled
    header = path.read_bytes()[:100]
    assert header[68:72] == b"GPKG"
    assert int.from_bytes(header[60:64], "big") == 10300
    with open_store(str(path)) as store, store.read() as connection:
        for table in METADATA.sorted_tables:
            if "geom" not in table.c:
                continue
            kind = connection.execute(
                text(
                    "SELECT g.geometry_type_name, g.srs_id, e.extension_name "
                    "FROM gpkg_geometry_columns g JOIN gpkg_extensions e USING (table_name) "
                    "WHERE table_name = :name"
                ),
                {"name": table.name},
            ).one()
            assert kind == (table.c["geom"].type.kind, 4326, "gpkg_rtree_index")
            tree = connection.scalar(
                text("SELECT rtreecheck(:tree)"), {"tree": f"rtree_{table.name}_geom"}
            )
            assert tree == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


def test_the_contents_tell_the_extent_once_refreshed(geopackage):
    extent = text("SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name='venues'")
    with geopackage.read() as connection:
        assert connection.execute(extent).one() == (None, None, None, None)
    made = fill(geopackage)
    geopackage.write(refresh_extents)
    points = shapely.multipoints([row["geom"] for row in made["venues"] if row["geom"]])
    with geopackage.read() as connection:
        west, south, east, north = connection.execute(extent).one()
    box = shapely.box(west, south, east, north)
    assert box.covers(points)
    assert box.area < points.envelope.buffer(1e-4).area


def test_extents_are_no_matter_of_postgis(postgis_setting):
    with open_store(postgis_setting) as store:
        store.write(refresh_extents)


# ---------------------------------------------------------------------------------- other writers


def test_what_gdal_writes_we_read_and_our_index_knows(filled):
    path, _ = filled
    frame = pyogrio.read_dataframe(path, layer="venues", fid_as_index=True).head(1)
    frame = frame.assign(
        external_id="from gdal", venue_id="from gdal", geometry=[shapely.Point(120.5, 37.25)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pyogrio.write_dataframe(frame, path, layer="venues", append=True)
    with open_store(str(path)) as store:
        store.write(
            lambda c: c.execute(
                update(VENUES).where(VENUES.c.venue_id == "from gdal").values(name="ours again")
            )
        )
        with store.read() as connection:
            near = select(VENUES).where(meets_box(VENUES.c.geom, 120, 37, 121, 38))
            row = connection.execute(near).mappings().one()
    assert (row["venue_id"], row["name"]) == ("from gdal", "ours again")
    assert row["geom"] == shapely.Point(120.5, 37.25)
    assert row["due"] == frame["due"].iloc[0].date()


def test_attributes_changed_by_gdal_are_ours_too(filled):
    path, _ = filled
    ogrinfo = shutil.which("ogrinfo")
    if ogrinfo is None:
        pytest.skip("gdal-bin is not installed")
    with open_store(str(path)) as store:  # while we have it open
        change = "UPDATE venues SET name = '改名', due = '2027-01-31' WHERE fid = 1"
        said = subprocess.run(
            [ogrinfo, str(path), "-sql", change], capture_output=True, text=True, check=True
        )
        assert said.stderr == ""
        store.write(lambda c: c.execute(update(VENUES).where(VENUES.c.fid == 1).values(version=99)))
        with store.read() as connection:
            row = connection.execute(select(VENUES).where(VENUES.c.fid == 1)).mappings().one()
            mode = connection.scalar(text("PRAGMA journal_mode"))
    assert (row["name"], row["due"].isoformat(), row["version"]) == ("改名", "2027-01-31", 99)
    assert mode == "wal"


def test_no_foreign_blob_gets_in(geopackage):
    row = filler["rows"](VENUES, 1)[0]
    geopackage.write(lambda c: c.execute(insert(VENUES), row))
    with pytest.raises(Exception, match="CHECK constraint failed: ck_venues_geom"):
        geopackage.write(
            lambda c: c.execute(text("UPDATE venues SET geom = x'0001E6100000' WHERE fid = 1"))
        )
    with geopackage.read() as connection:
        assert connection.scalar(select(func.count()).select_from(VENUES)) == 1


# ---------------------------------------------------------------------------------------- styles


def test_every_styled_layer_has_one_default_style(geopackage):
    with geopackage.read() as connection:
        rows = connection.execute(text("SELECT * FROM layer_styles")).mappings().all()
    assert {row["f_table_name"] for row in rows} == set(STYLED)
    for row in rows:
        assert (row["f_geometry_column"], row["useAsDefault"]) == ("geom", 1)
        assert row["styleQML"] == qml(row["f_table_name"])


def test_styles_are_xml_in_the_colours_of_the_map():
    css = (files("api") / "maps" / "assets" / "token.css").read_text("utf-8")
    day = css[: css.index("[data-theme")]
    tokens = {
        ",".join(str(part) for part in (*bytes.fromhex(colour), 255))
        for colour in re.findall(r"#([0-9A-F]{6})", day)
    }
    for layer in STYLED:
        root = ET.fromstring(qml(layer).partition("\n")[2])
        colours = [p.get("v") for p in root.iter("prop") if p.get("k", "").endswith("color")]
        assert colours
        assert set(colours) <= tokens
        names = {symbol.get("name") for symbol in root.iter("symbol")}
        assert {one.get("symbol") for one in root.iter("category")} in (names, set())
    tiers = ET.fromstring(qml("venues").partition("\n")[2])
    assert [one.get("value") for one in tiers.iter("category")] == list(Tier)
    shapes = [p.get("v") for p in tiers.iter("prop") if p.get("k") == "name"]
    assert shapes == ["triangle", "square", "circle"]


def test_a_second_geometry_is_bytes_to_gdal():
    assert Geometry("GEOMETRY", is_layer=False).get_col_spec() == "BLOB"
