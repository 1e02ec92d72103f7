"""XLSX workbooks: the first sheet with rows, every cell as text."""

from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from geo.errors import FileEmpty, FileUnreadable
from geo.io.hints import Hint
from geo.io.limits import check_archive
from geo.io.report import Note
from geo.io.table import Table

OLE_MARK: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of .xls, of WPS .et and of encrypted workbooks."""

HEADER_WITHIN: Final = 10
"""Rows among which the header is looked for: titles often stand above it."""


def read_workbook(path: Path) -> Table:
    """Read the first sheet that has rows.

    Raises
    ------
    FileEmpty
        No sheet with a row below a header.
    FileUnreadable
        Damaged, encrypted, or of an older format under this name.
    """
    with path.open("rb") as stream:
        if stream.read(8) == OLE_MARK:
            raise old_workbook(path)
    check_archive(path, expected="XLSX").close()
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        raise FileUnreadable(source=path.name, expected="XLSX", hint=Hint.SAVE_AGAIN) from error
    try:
        filled = [(s.title, rows) for s in book.worksheets if len(rows := _rows(s)) > 1]
    finally:
        book.close()
    if not filled:
        raise FileEmpty(source=path.name)
    title, rows = filled[0]
    notes: tuple[Note, ...] = ()
    if len(filled) > 1:
        others = "、".join(name for name, _ in filled[1:])
        params = {"read": title, "others": others}
        notes = (Note(source=path.name, code="note.sheet", params=params),)
    return Table(source=path.name, cells=_frame(rows, path.name), layer=title, notes=notes)


def old_workbook(path: Path) -> FileUnreadable:
    """Return the error for .xls, .et and encrypted workbooks."""
    return FileUnreadable(source=path.name, expected="XLSX", hint=Hint.OLD_WORKBOOK)


def _rows(sheet: Any) -> list[list[str]]:
    """Return the rows of a sheet as text, without blank rows."""
    rows = ([_cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
    return [row for row in rows if any(row)]


def _cell_text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case _ if hasattr(value, "isoformat"):
            return str(value.isoformat())
        case _:
            return str(value)


def _frame(rows: list[list[str]], source: str) -> pd.DataFrame:
    """Return the rows below the header: the first row with more than half as many cells as any."""
    widths = [sum(map(bool, row)) for row in rows[:HEADER_WITHIN]]
    header_row = next(i for i, width in enumerate(widths) if 2 * width > max(widths))
    width = max(len(row) for row in rows)
    header = [cell.strip() for cell in rows[header_row]] + [""] * width
    body = [row + [""] * (width - len(row)) for row in rows[header_row + 1 :]]
    if not body:
        raise FileEmpty(source=source)
    frame = pd.DataFrame(body, dtype="str")
    kept = [i for i in range(width) if header[i] or (frame[i] != "").any()]
    names = [header[i] or f"column {i + 1}" for i in kept]
    frame = frame[kept]
    frame.columns = pd.Index(
        [f"{n} ({i})" if names.index(n) != i else n for i, n in enumerate(names)]
    )
    return frame
