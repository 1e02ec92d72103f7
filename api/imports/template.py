"""Blank workbooks for users to fill in: one per layer that can be a table.

Headers, allowed words and required columns come from the specification the reader itself works by
(`geo.io.spec`), so a filled one is always understood.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from api.exports.text import CREATOR
from api.i18n import Language, text
from api.i18n.word import Word
from geo.errors import OptionInvalid
from geo.frames import Col, Type
from geo.io.spec import (
    BUILDING_SPEC,
    INCIDENT_SPEC,
    LAT_HEADERS,
    LON_HEADERS,
    POST_SPEC,
    STATION_SPEC,
    UNIT_SPEC,
    VENUE_REGISTER_SPEC,
    LayerSpec,
    field_of,
)
from geo.io.words import Words
from geo.io.workbook import EXPLANATIONS
from geo.io.write import staging

TEMPLATES: Final = {
    spec.schema.layer: spec
    for spec in (
        VENUE_REGISTER_SPEC,
        INCIDENT_SPEC,
        STATION_SPEC,
        UNIT_SPEC,
        POST_SPEC,
        BUILDING_SPEC,
    )
}
"""Layers of points and tables; areas and lines are drawn, not typed."""

HEADER_ROW: Final = 2
LAST_ROW: Final = 1_048_576
"""Rows of a sheet; lists and checks reach to its end."""

REQUIRED_MARK: Final = "*"

_LON, _LAT = "lon", "lat"
_POSITION: Final = {_LON: (LON_HEADERS, 180), _LAT: (LAT_HEADERS, 90)}

_INK, _REQUIRED, _OPTIONAL, _LINE = "1F2937", "FCE7D2", "E8EEF5", "C3CCD6"
_WIDTH, _NOTE_WIDTH = 18, 64
_TITLE_SIZE, _SIZE = 12, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One column of a template.

    Attributes
    ----------
    column : str
        Column of the schema, or ``lon`` and ``lat``.
    header : str
        As the sheet has it, without the mark of required ones.
    dtype : Type
    words : tuple of str
        Words to choose from; none where anything goes.
    """

    column: str
    header: str
    is_required: bool
    dtype: Type
    words: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The header with its mark."""
        return self.header + (REQUIRED_MARK if self.is_required else "")


def write_template(layer: str, path: Path | str, lang: Language) -> Path:
    """Write a blank workbook for a layer.

    The first sheet has a title, the headers with comments, and lists to choose from; the second
    explains every column. `geo.io` reads it back once it is filled in.

    Parameters
    ----------
    layer : str
        One of `TEMPLATES`.
    path : Path or str
        An ``.xlsx`` that is not there yet: a filled one is never written over.
    lang : {"zh", "en"}
        Chinese headers, or the columns' own names.

    Raises
    ------
    OptionInvalid
        No such layer, another suffix, or a file that is there already.
    """
    if layer not in TEMPLATES:
        raise OptionInvalid(option="LAYER", value=layer, expected=", ".join(TEMPLATES))
    path = Path(path)
    if path.suffix.lower() != ".xlsx" or path.exists():
        raise OptionInvalid(option="--out", value=path, expected=Word("template.new_file"))
    entries = template_entries(TEMPLATES[layer], lang)
    book = Workbook()
    book.properties.creator = CREATOR
    sheet = book.worksheets[0]
    sheet.title = text(f"template.layer.{layer}", lang)
    _fill_form(sheet, layer, entries, lang)
    _fill_explanation(book.create_sheet(EXPLANATIONS[lang == "en"]), layer, entries, lang)
    _save(book, path)
    return path


def template_entries(spec: LayerSpec, lang: Language) -> tuple[Entry, ...]:
    """Return the columns of a layer's template, in the order of its schema, position last."""
    entries = [
        Entry(
            column=column,
            header=field.aliases[0] if lang == "zh" else column,
            is_required=field.required,
            dtype=spec.schema.columns[column].dtype,
            words=_words(field.words, lang),
        )
        for column in spec.schema.columns
        if column != Col.SOURCE
        for field in (field_of(spec, column),)
    ]
    if spec.schema.geometry:
        entries += [
            Entry(
                column=column,
                header=_chinese(headers) if lang == "zh" else column,
                is_required=spec.schema.is_placed,
                dtype=Type.FLOAT,
            )
            for column, (headers, _) in _POSITION.items()
        ]
    return tuple(entries)


def example_of(layer: str, column: str, lang: Language) -> str:
    """Return the example cell of a column, as a user would type it."""
    return text(f"{_message(layer, column)}.example", lang)


def _words(words: Words | None, lang: Language) -> tuple[str, ...]:
    if words is None:
        return ()
    return tuple(text(f"word.{words.name}.{value}", lang) for value in words.values)


def _chinese(headers: tuple[str, ...]) -> str:
    return next(header for header in headers if not header.isascii())


def _message(layer: str, column: str) -> str:
    """Return the code of what a column holds; positions of most layers share theirs."""
    shared = column in _POSITION and layer != VENUE_REGISTER_SPEC.schema.layer
    return f"template.{'common' if shared or column == _LAT else layer}.{column}"


def _fill_form(sheet: Worksheet, layer: str, entries: tuple[Entry, ...], lang: Language) -> None:
    """Fill the sheet that users fill in."""
    named = text(f"template.layer.{layer}", lang)
    title = sheet.cell(row=1, column=1, value=text("template.title", lang, layer=named))
    title.font = Font(size=_TITLE_SIZE, bold=True, color=_INK)
    for number, entry in enumerate(entries, start=1):
        letter = get_column_letter(number)
        _fill_header(sheet, number, layer, entry, lang)
        width = sheet.column_dimensions[letter]
        width.width = max(_WIDTH, 2 * len(entry.shown) + 4)
        width.number_format = _number_format(entry)
        _add_check(sheet, letter, entry, lang)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"


def _fill_header(sheet: Worksheet, number: int, layer: str, entry: Entry, lang: Language) -> None:
    cell = sheet.cell(row=HEADER_ROW, column=number, value=entry.shown)
    cell.font = Font(size=_SIZE, bold=True, color=_INK)
    colour = _REQUIRED if entry.is_required else _OPTIONAL
    cell.fill = PatternFill("solid", start_color=colour)
    side = Side(style="thin", color=_LINE)
    cell.border = Border(left=side, right=side, top=side, bottom=side)
    what = text(_message(layer, entry.column), lang)
    example = example_of(layer, entry.column, lang)
    note = Comment(text("template.comment", lang, what=what, example=example), CREATOR)
    note.width, note.height = 320, 120
    cell.comment = note


def _number_format(entry: Entry) -> str:
    """Return how cells are shown: ids, codes and clock times as text, days as days."""
    match entry.dtype:
        case Type.DAY:
            return "yyyy-mm-dd"
        case Type.INSTANT:
            return "yyyy-mm-dd hh:mm:ss"
        case Type.FLOAT:
            return "0.0000000"
        case Type.INT:
            return "0"
        case _:
            return "@"


def _add_check(sheet: Worksheet, letter: str, entry: Entry, lang: Language) -> None:
    """Add a list to choose from, or the range of degrees; others stay free."""
    if entry.words:
        check = DataValidation(
            type="list",
            formula1='"' + ",".join(entry.words) + '"',
            allow_blank=True,
            errorStyle="warning",
            error=text("template.choose", lang),
        )
    elif entry.column in _POSITION:
        _, most = _POSITION[entry.column]
        check = DataValidation(
            type="decimal", operator="between", formula1=str(-most), formula2=str(most)
        )
    else:
        return
    check.add(f"{letter}{HEADER_ROW + 1}:{letter}{LAST_ROW}")
    sheet.add_data_validation(check)


def _fill_explanation(
    sheet: Worksheet, layer: str, entries: tuple[Entry, ...], lang: Language
) -> None:
    """Fill the sheet that explains every column."""
    heads = ("column", "required", "what", "allowed", "example")
    sheet.append([text(f"template.head.{head}", lang) for head in heads])
    for entry in entries:
        sheet.append(
            [
                entry.shown,
                text("template.head.yes" if entry.is_required else "template.head.no", lang),
                text(_message(layer, entry.column), lang),
                "、".join(entry.words) if lang == "zh" else ", ".join(entry.words),
                example_of(layer, entry.column, lang),
            ]
        )
    sheet.append([])
    for rule in ("persons", "columns", "ids", "again"):
        sheet.append([text(f"template.rule.{rule}", lang)])
    for number in range(1, len(heads) + 1):
        sheet.cell(row=1, column=number).font = Font(size=_SIZE, bold=True, color=_INK)
    widths = (_WIDTH, _WIDTH, _NOTE_WIDTH, _NOTE_WIDTH, _WIDTH)
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row in sheet.iter_rows(min_row=2, max_row=len(entries) + 1):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _save(book: Workbook, path: Path) -> None:
    """Save a workbook whole or not at all."""
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OptionInvalid(option="--out", value=path, expected=Word("template.folder"))
    with staging(folder) as stage:
        book.save(stage / path.name)
