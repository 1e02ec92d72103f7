"""Files made to crash a reader or fill its memory: one clear sentence each, before any harm."""

import json
import sqlite3
import struct
import zipfile

import geopandas as gpd
import pytest

from geo.errors import ColumnMissing, FileEmpty, FileUnreadable
from geo.io import read_boundaries, read_streets, read_venues
from geo.io.hints import Hint
from geo.io.opening import open_table

MIB = 1 << 20
HEADER = ["编号", "场所名称", "场所类型", "等级", "经度", "纬度"]
POINT = {"type": "Point", "coordinates": [115.98, 36.45]}


def refused(path, reader=read_venues, error=FileUnreadable):
    """Read a file that must be refused, and return its one sentence."""
    with pytest.raises(error) as caught:
        reader(path)
    said = str(caught.value)
    assert path.name in said
    assert len(said) < 200
    return said


def csv(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# ---- tables -------------------------------------------------------------------------------------


def test_a_line_without_end(tmp_path):
    path = tmp_path / "v.csv"
    path.write_bytes(b"a,b\n" + b"x" * (9 * MIB))
    assert Hint.LINE_TOO_LONG in refused(path)
    path.write_bytes(b"x" * (9 * MIB) + b"\na,b\n")
    assert Hint.LINE_TOO_LONG in refused(path)


@pytest.mark.parametrize("size", [7, 11, 1 << 22])
def test_the_longest_line_is_found_across_pieces(tmp_path, monkeypatch, size):
    monkeypatch.setattr("geo.io.delimited._PIECE", size)
    path = csv(tmp_path / "t.csv", "a,b\r\n" + "1,22\r\n" * 5 + "333,4444")
    monkeypatch.setattr("geo.io.delimited.MAX_LINE", 8)
    assert len(open_table(path)) == 6
    monkeypatch.setattr("geo.io.delimited.MAX_LINE", 7)
    assert Hint.LINE_TOO_LONG in refused(path, open_table)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_nul_characters(tmp_path, encoding):
    path = csv(tmp_path / "v.csv", "a,b\n1,\0\n", encoding)
    assert Hint.HOLDS_NULS in refused(path)
    path.write_bytes(bytes(8 * MIB))
    assert Hint.HOLDS_NULS in refused(path)


def test_ten_thousand_columns(tmp_path):
    path = csv(tmp_path / "v.csv", ",".join(f"c{k}" for k in range(10_000)) + "\n1\n")
    assert Hint.TOO_MANY_COLUMNS in refused(path)


def test_more_cells_than_are_held(tmp_path, monkeypatch):
    path = csv(tmp_path / "v.csv", "a,b\n" + "1,2\n" * 60)
    monkeypatch.setattr("geo.io.delimited.MAX_CELLS", 100)
    assert Hint.TOO_MANY_CELLS in refused(path)


def test_an_encoding_cut_in_a_character_is_still_read(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.io.delimited._PIECE", 5)
    for encoding in ("utf-8", "gbk", "utf-16"):
        table = open_table(csv(tmp_path / "t.csv", "名称,地点\n东昌湖,光岳楼\n", encoding))
        assert table.cells.to_numpy().tolist() == [["东昌湖", "光岳楼"]]
        assert list(table.cells.columns) == ["名称", "地点"]


def test_an_unclosed_quote(tmp_path):
    refused(csv(tmp_path / "v.csv", 'a,b\n"1,2\n' + "3,4\n" * 100))


# ---- workbooks ----------------------------------------------------------------------------------

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def row(number, values):
    cells = (
        f'<c r="{chr(65 + k)}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
        for k, value in enumerate(values)
    )
    return f'<row r="{number}">{"".join(cells)}</row>'


FILLED = row(1, HEADER) + row(2, ["A1", "样例商店 1", "小商店", "红", "115.98", "36.45"])


def book(path, rows, *, strings="<sst/>", head="", styles=None):
    """A workbook written by hand, of one sheet with the rows given."""
    sheet = f'{head}<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{rows}'
    parts = {"sharedStrings": strings} | ({"styles": styles} if styles else {})
    related = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONS}/{name}" Target="{name}.xml"/>'
        for name in parts
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="台账" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="rId1" Type="{RELATIONS}/worksheet" '
            f'Target="/xl/worksheets/sheet1.xml"/>{related}</Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", f"{sheet}</sheetData></worksheet>")
        for name, content in parts.items():
            archive.writestr(f"xl/{name}.xml", content)
    return path


def entities(depth=12):
    """Billion laughs: ten times the one before, `depth` times over."""
    lines = [f'<!ENTITY a{k} "{f"&a{k - 1};" * 10 if k else "aaaaaaaaaa"}">' for k in range(depth)]
    return f"<!DOCTYPE x [{''.join(lines)}]>"


@pytest.mark.parametrize(
    "empty",
    [
        '<row r="{k}" spans="1:6" ht="14.25" customHeight="1"></row>',
        '<row r="{k}"/>',
        '<row r="{k}"><c r="A{k}" s="1"/><c r="B{k}" s="1"></c></row>',
    ],
)
def test_a_million_empty_rows_are_no_rows(tmp_path, empty):
    rows = FILLED + "".join(empty.format(k=k) for k in range(3, 40_000))
    rows += row(1_048_576, ["A2", "样例商店 2", "小商店", "绿", "115.98", "36.46"])
    reading = read_venues(book(tmp_path / "v.xlsx", rows))
    assert list(reading.frame["venue_id"]) == ["A1", "A2"]


def test_every_kind_of_cell(tmp_path):
    cells = [
        '<c r="A2" t="s"><v>1</v></c>',
        '<c r="B2" t="inlineStr"><is><r><t>样例</t></r><r><t> 1</t></r></is></c>',
        '<c r="C2" t="str"><f>A1</f><v>小商店</v></c>',
        "<c><v>1</v></c>",
        '<c r="E2"><v>1.1598E2</v></c>',
        '<c r="F2"><v>36.4567</v></c>',
        '<c r="G2" s="1"><v>46000</v></c>',
        '<c r="H2" t="b"><v>1</v></c>',
        '<c r="I2" t="e"><v>#N/A</v></c>',
        '<c r="J2"><v>371502001001</v></c>',
        '<c r="K2"><v>3.71502001001E11</v></c>',
        '<c r="L2" s="2"><v>0.84375</v></c>',
        '<c r="M2" t="s"><v>99</v></c>',
    ]
    heads = row(1, [*HEADER, *"ghijklm"])
    path = book(
        tmp_path / "t.xlsx",
        heads + f'<row r="2">{"".join(cells)}</row>',
        strings="<sst><si><t>x</t></si><si><t>东昌</t><rPh><t>dongchang</t></rPh></si></sst>",
        styles=(
            '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy/m/d"/></numFmts>'
            '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="20"/></cellXfs>'
            "</styleSheet>"
        ),
    )
    assert open_table(path).cells.iloc[0].tolist() == [
        *("东昌", "样例 1", "小商店", "1", "115.98", "36.4567", "2025-12-09T00:00:00", "true"),
        *("#N/A", "371502001001", "371502001001", "20:15:00", ""),
    ]


def test_an_entity_bomb_in_a_workbook(tmp_path):
    bomb = row(1, ["&a11;"] * 2) + row(2, ["&a11;"] * 2)
    said = refused(book(tmp_path / "v.xlsx", bomb, head=entities()))
    assert Hint.DECLARES_ENTITIES in said
    strings = f"{entities()}<sst><si><t>&a11;</t></si></sst>"
    assert Hint.DECLARES_ENTITIES in refused(book(tmp_path / "v.xlsx", FILLED, strings=strings))


def test_workbooks_beyond_the_limits(tmp_path, monkeypatch):
    columns = [f"{chr(65 + k // 26)}{chr(65 + k % 26)}" for k in range(26 * 26)]
    wide = "".join(
        f'<row r="{k + 2}"><c r="{c}{k + 2}"><v>1</v></c></row>' for k, c in enumerate(columns)
    )
    path = book(tmp_path / "v.xlsx", FILLED + wide)
    monkeypatch.setattr("geo.io.workbook.MAX_COLUMNS", 600)
    assert Hint.TOO_MANY_COLUMNS in refused(path)
    monkeypatch.setattr("geo.io.workbook.MAX_COLUMNS", 1000)
    monkeypatch.setattr("geo.io.workbook.MAX_CELLS", 676 * 600)
    assert Hint.TOO_MANY_CELLS in refused(path)
    monkeypatch.setattr("geo.io.sheet.MAX_CELLS", 500)
    assert Hint.TOO_MANY_CELLS in refused(path)
    monkeypatch.setattr("geo.io.workbook.MAX_STRINGS", 3)
    assert Hint.TOO_MANY_CELLS in refused(book(tmp_path / "w.xlsx", FILLED))


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>one</v></c></row>',
        '<row r="1"><c r="A1"><v>one</v></c></row>',
        "<row><c></row>",
    ],
)
def test_damaged_workbooks(tmp_path, rows):
    assert Hint.SAVE_AGAIN in refused(book(tmp_path / "v.xlsx", rows + FILLED))


def test_a_workbook_without_a_sheet_or_with_one_that_is_missing(tmp_path):
    path = tmp_path / "v.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}"/>')
    refused(path, error=FileEmpty)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", "nothing")
    assert Hint.SAVE_AGAIN in refused(path)


@pytest.mark.parametrize("suffix", ["xls", "xlsb", "et", "ett", "wps"])
def test_formats_of_other_programs_say_what_to_do(tmp_path, suffix):
    path = tmp_path / f"v.{suffix}"
    path.write_bytes(b"PK\x03\x04 whatever")
    assert "save it as .xlsx" in refused(path)


@pytest.mark.parametrize("name", ["v.xlsx", "v.zip", "v.kmz"])
def test_zip_bombs(tmp_path, name):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (32 * MIB))
    assert path.stat().st_size < MIB
    assert Hint.UNPACKS_TOO_LARGE in refused(path)


# ---- geometry -----------------------------------------------------------------------------------


def feature(geometry):
    properties = {"name": "样例商店 1", "kind": "shop", "tier": "red"}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def geojson(path, *geometries):
    features = [feature(geometry) for geometry in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_fifty_thousand_nested_collections(tmp_path):
    path = geojson(tmp_path / "v.geojson", POINT)
    nested = '{"type":"GeometryCollection","geometries":[' * 50_000 + "]}" * 50_000
    path.write_text(path.read_text().replace(json.dumps(POINT), nested))
    assert Hint.NESTED_TOO_DEEP in refused(path)


def test_a_geometry_of_too_many_vertices(tmp_path, monkeypatch):
    ring = [[115.9 + k / 1e4, 36.4 + (k % 2) / 1e3] for k in range(500)]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    path = geojson(tmp_path / "v.geojson", *[POINT] * 600, polygon)
    for piece in (64, 1 << 22):
        monkeypatch.setattr("geo.io.json_text.PIECE", piece)
        monkeypatch.setattr("geo.io.json_text.MAX_VERTICES", 505)
        assert len(read_venues(path).frame) == 601
        monkeypatch.setattr("geo.io.json_text.MAX_VERTICES", 499)
        assert Hint.TOO_MANY_VERTICES in refused(path)


def test_geojson_with_nuls(tmp_path):
    path = tmp_path / "v.geojson"
    path.write_bytes(bytes(5 * MIB))
    assert Hint.HOLDS_NULS in refused(path)


def test_entities_and_nesting_in_kml(tmp_path):
    path = csv(tmp_path / "v.kml", f"<?xml version='1.0'?>{entities()}<kml>&a11;</kml>")
    assert Hint.DAMAGED_XML in refused(path)
    deep = "<MultiGeometry>" * 50_000 + "</MultiGeometry>" * 50_000
    mark = f"<kml><Placemark><name>甲</name>{deep}</Placemark></kml>"
    refused(csv(tmp_path / "v.kml", mark), error=ColumnMissing)


def test_a_coordinates_text_of_too_many_vertices_in_kml(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.io.kml.MAX_VERTICES", 9)
    text = "115.9,36.4 " * 10
    mark = (
        "<kml><Placemark><LineString><coordinates>{}</coordinates></LineString></Placemark></kml>"
    )
    refused(csv(tmp_path / "v.kml", mark.format(text)))


# ---- GeoPackages --------------------------------------------------------------------------------

N_VENUES = 3000


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    frame = gpd.GeoDataFrame(
        {"name": [f"样例商店 {k}" for k in range(N_VENUES)], "kind": "shop", "tier": "red"},
        geometry=gpd.points_from_xy([115.98] * N_VENUES, [36.45] * N_VENUES),
        crs=4326,
    )
    path = tmp_path_factory.mktemp("gpkg") / "v.gpkg"
    frame.to_file(path, layer="venues")
    return path.read_bytes()


@pytest.fixture
def changed(sound, tmp_path):
    """A GeoPackage on which statements were run that GDAL knows nothing of."""

    def change(*statements, values=()):
        path = tmp_path / "v.gpkg"
        path.write_bytes(sound)
        with sqlite3.connect(path) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in names.fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')
            for statement in statements:
                connection.execute(statement, values)
        connection.close()
        return path

    return change


FOREVER = "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c)"


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_geopackage(sound, tmp_path, share):
    path = tmp_path / "v.gpkg"
    path.write_bytes(sound[: int(share * len(sound))])
    assert Hint.DAMAGED in refused(path)


def test_a_view_that_never_ends_is_no_layer(changed):
    path = changed(
        "ALTER TABLE venues RENAME TO kept",
        f"CREATE VIEW venues AS {FOREVER} SELECT x AS fid, 'a' AS name, 'shop' AS kind, "
        "'red' AS tier, (SELECT geom FROM kept LIMIT 1) AS geom FROM c",
    )
    assert Hint.IS_VIEW in refused(path)
    path = changed(
        "ALTER TABLE gpkg_contents RENAME TO kept",
        f"CREATE VIEW gpkg_contents AS {FOREVER} SELECT kept.* FROM kept, c",
    )
    assert Hint.IS_VIEW in refused(path)


def test_a_computed_column_is_not_read(changed):
    path = changed("ALTER TABLE venues ADD COLUMN boom AS (hex(zeroblob(400000000)))")
    assert Hint.IS_VIEW in refused(path)


def test_views_and_triggers_beside_the_layer_do_nothing(changed):
    path = changed(
        f"CREATE VIEW other AS {FOREVER} SELECT x FROM c",
        "CREATE TRIGGER evil AFTER INSERT ON venues BEGIN SELECT load_extension('x'); END",
    )
    before = path.read_bytes()
    assert len(read_venues(path).frame) == N_VENUES
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["v.gpkg"]


def test_geometries_that_are_none(changed):
    header = b"GP\x00\x01" + struct.pack("<i", 4326)
    point = b"\x01\x01\x00\x00\x00" + struct.pack("<dd", 115.98, 36.45)
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 50_000 + point
    for blob in (header + nested, header + b"\xff\xff", b"", b"GP"):
        path = changed("UPDATE venues SET geom = ? WHERE fid = 7", values=(blob,))
        reading = read_venues(path)
        assert [refusal.row for refusal in reading.refused] == [7]
        assert len(reading.frame) == N_VENUES - 1


def test_a_spatialite_blob_is_a_point_like_any_other(changed):
    box = struct.pack("<dddd", 115.98, 36.45, 115.98, 36.45)
    blob = b"\x00\x01" + struct.pack("<i", 4326) + box + b"\x7c" + struct.pack("<i", 1)
    blob += struct.pack("<dd", 115.98, 36.45) + b"\xfe"
    path = changed("UPDATE venues SET geom = ? WHERE fid = 7", values=(blob,))
    reading = read_venues(path)
    assert len(reading.frame) + len(reading.refused) == N_VENUES


# ---- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v.csv", "v.xlsx", "v.geojson", "v.gpkg", "v.zip", "v.shp"])
def test_two_gigabytes_of_nothing(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.truncate(2 << 30)
    for reader in (read_venues, read_boundaries):
        assert Hint.TOO_LARGE in refused(path, reader)


def test_two_gigabytes_of_nothing_as_streets(tmp_path):
    path = tmp_path / "v.osm.pbf"
    with path.open("wb") as stream:
        stream.truncate(2 << 30)
    refused(path, read_streets)
