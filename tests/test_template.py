"""Blank workbooks: what the reader works by is what users are asked for."""

from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from api.cli import app
from api.i18n import LANGUAGES, catalogue, text
from api.imports.template import (
    EXPLANATIONS,
    HEADER_ROW,
    TEMPLATES,
    example_of,
    template_entries,
    write_template,
)
from geo.errors import FileEmpty, OptionInvalid
from geo.frames import Col, Type
from geo.io import (
    read_buildings,
    read_incidents,
    read_posts,
    read_stations,
    read_units,
    read_venues,
)
from geo.io import words as vocabulary
from geo.io.words import Words
from geo.privacy import is_personal_header

READERS = {
    "venues": lambda path: read_venues(path, positions_optional=True),
    "incidents": read_incidents,
    "stations": read_stations,
    "units": read_units,
    "posts": read_posts,
    "buildings": read_buildings,
}
VOCABULARIES = [value for value in vars(vocabulary).values() if isinstance(value, Words)]
EVERY = [(layer, lang) for layer in TEMPLATES for lang in LANGUAGES]


def typed(text_, dtype):
    """A cell as a user's spreadsheet holds it."""
    match dtype:
        case Type.INT:
            return int(text_)
        case Type.FLOAT:
            return float(text_)
        case Type.DAY:
            return date.fromisoformat(text_)
        case Type.INSTANT:
            return datetime.fromisoformat(text_)
        case _:
            return text_


def fill(path, layer, lang, n=3):
    """Fill a template with its own examples, ids made different, and return the cells."""
    spec = TEMPLATES[layer]
    entries = template_entries(spec, lang)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    rows = []
    for k in range(n):
        row = {e.column: typed(example_of(layer, e.column, lang), e.dtype) for e in entries}
        row[spec.schema.key] += f"{k}"
        rows.append(row)
        sheet.append(list(row.values()))
    book.save(path)
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("layer", "lang"), EVERY)
def test_a_filled_template_is_read_back_equal(tmp_path, layer, lang):
    path = write_template(layer, tmp_path / "表.xlsx", lang)
    typed_in = fill(path, layer, lang)
    reading = READERS[layer](path)
    frame, schema = reading.frame, TEMPLATES[layer].schema
    assert reading.refused == ()
    assert {note.code for note in reading.notes} == set()
    for column in set(schema.columns) - {Col.SOURCE}:
        how = TEMPLATES[layer].fields[column]
        wanted = typed_in[column]
        if how.words is not None:
            wanted = wanted.map(how.words)
        if schema.columns[column].dtype is Type.INSTANT:
            wanted = pd.to_datetime(wanted).dt.tz_localize("Asia/Shanghai")
        elif schema.columns[column].dtype is Type.DAY:
            wanted = pd.to_datetime(wanted)
        assert list(frame[column]) == list(wanted), column
    if schema.geometry:
        assert list(shapely.get_x(frame.geometry)) == list(typed_in["lon"])
        assert list(shapely.get_y(frame.geometry)) == list(typed_in["lat"])


@pytest.mark.parametrize(("layer", "lang"), EVERY)
def test_a_blank_template_holds_no_row(tmp_path, layer, lang):
    path = write_template(layer, tmp_path / "t.xlsx", lang)
    if layer == "buildings":
        assert len(READERS[layer](path).frame) == 0, "a city may have no file of buildings"
        return
    with pytest.raises(FileEmpty):
        READERS[layer](path)


@pytest.mark.parametrize(("layer", "lang"), EVERY)
def test_lists_required_marks_and_comments(tmp_path, layer, lang):
    path = write_template(layer, tmp_path / "t.xlsx", lang)
    sheet, explained = openpyxl.load_workbook(path).worksheets
    entries = template_entries(TEMPLATES[layer], lang)
    headers = [cell for cell in sheet[HEADER_ROW] if cell.value]
    assert [cell.value for cell in headers] == [entry.shown for entry in entries]
    assert all(cell.comment is not None for cell in headers)
    required = {e.column for e in entries if e.header + "*" == e.shown}
    fields = TEMPLATES[layer].fields
    places = {"lon", "lat"} if layer in {"incidents", "stations", "posts", "buildings"} else set()
    assert required == {name for name, how in fields.items() if how.required} | places
    lists = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert lists == ['"' + ",".join(e.words) + '"' for e in entries if e.words]
    assert all(len(formula) <= 255 for formula in lists), "what Excel takes"
    assert explained.title in EXPLANATIONS
    told = {row[0] for row in explained.iter_rows(min_row=2, values_only=True)}
    assert told >= {entry.shown for entry in entries}


@pytest.mark.parametrize("layer", TEMPLATES)
def test_no_template_asks_for_a_person(layer):
    for lang in LANGUAGES:
        for entry in template_entries(TEMPLATES[layer], lang):
            assert not is_personal_header(entry.header)


def test_every_word_to_choose_is_understood_as_its_value():
    assert len(VOCABULARIES) >= 8
    for words in VOCABULARIES:
        for value in words.values:
            assert words(value) == value
            for lang in LANGUAGES:
                code = f"word.{words.name}.{value}"
                if code in catalogue():
                    assert words(text(code, lang)) == value


def test_venues_without_a_position_come_back_with_their_address(tmp_path):
    path = write_template("venues", tmp_path / "t.xlsx", "zh")
    book = openpyxl.load_workbook(path)
    row = ["CS-1", "样例旅馆 1", "小旅馆", "红", None, "东昌路12号2单元501室", "昌润社区", None]
    book.worksheets[0].append(row)
    book.save(path)
    frame = read_venues(path, positions_optional=True).frame
    assert frame.geometry.isna().all()
    assert frame[Col.ADDRESS][0] == "东昌路12号"
    assert frame[Col.VILLAGE][0] == "昌润社区"


def test_a_filled_file_is_never_written_over(tmp_path):
    path = write_template("units", tmp_path / "t.xlsx", "zh")
    before = path.read_bytes()
    for layer, target in (("units", path), ("streets", tmp_path / "s.xlsx"), ("units", "t.xls")):
        with pytest.raises(OptionInvalid):
            write_template(layer, target, "zh")
    with pytest.raises(OptionInvalid, match="can be written"):
        write_template("units", tmp_path / "no" / "t.xlsx", "zh")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.xlsx"]


def test_the_command(tmp_path):
    out = tmp_path / "venues.xlsx"
    done = CliRunner().invoke(app, ["template", "venues", "--out", str(out), "--lang", "en"])
    assert done.exit_code == 0, done.output
    assert out.is_file()
    again = CliRunner().invoke(app, ["template", "venues", "--out", str(out), "--lang", "zh"])
    assert again.exit_code == 2
    assert "还不存在的 .xlsx 文件" in again.output
