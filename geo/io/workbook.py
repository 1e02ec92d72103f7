"""XLSX workbooks: the first sheet with rows, every cell as text."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from xml.parsers.expat import ExpatError

import numpy as np
import pandas as pd
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from geo.errors import FileEmpty, FileUnreadable
from geo.io.hints import Hint
from geo.io.limits import MAX_CELLS, MAX_COLUMNS, MAX_STRINGS, TooLarge, check_archive
from geo.io.report import Note
from geo.io.sheet import (
    DoctypeDeclared,
    Grid,
    Meanings,
    elements,
    read_grid,
    read_strings,
    read_styles,
)
from geo.io.table import Table

OLE_MARK: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of .xls, of WPS .et and of encrypted workbooks."""

EXPLANATIONS: Final = ("填写说明", "How to fill in")
"""Sheets that explain the others, as our blank workbooks have one; never read as data."""

HEADER_WITHIN: Final = 10
"""Rows among which the header is looked for: titles often stand above it."""

_MAIN: Final = "xl/workbook.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """One sheet: its title and the member that holds it."""

    title: str
    member: str


def read_workbook(path: Path) -> Table:
    """Read the first sheet that has rows.

    Raises
    ------
    FileEmpty
        No sheet with a row below a header.
    FileUnreadable
        Damaged, encrypted, beyond the limits, or of an older format under this name.
    """
    with path.open("rb") as stream:
        if stream.read(8) == OLE_MARK:
            raise old_workbook(path)
    with check_archive(path, expected="XLSX") as archive, _one_sentence(path):
        meanings, sheets = _open(archive)
        filled = [sheet for sheet in sheets if _has_rows(archive, sheet, meanings)]
        if not filled:
            raise FileEmpty(source=path.name)
        with archive.open(filled[0].member) as stream:
            cells = _frame(read_grid(stream, meanings), path.name)
    title = filled[0].title
    notes: tuple[Note, ...] = ()
    if len(filled) > 1:
        others = tuple(sheet.title for sheet in filled[1:])
        params = {"read": title, "others": others}
        notes = (Note(source=path.name, code="note.sheet", params=params),)
    return Table(source=path.name, cells=cells, layer=title, notes=notes)


def old_workbook(path: Path) -> FileUnreadable:
    """Return the error for .xls, .et and encrypted workbooks."""
    return FileUnreadable(source=path.name, expected="XLSX", hint=Hint.OLD_WORKBOOK)


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """Say in one sentence what is wrong with a workbook."""
    try:
        yield
    except TooLarge as error:
        hint = Hint.TOO_MANY_CELLS
        raise FileUnreadable(source=path.name, expected="XLSX", hint=hint) from error
    except DoctypeDeclared as error:
        hint = Hint.DECLARES_ENTITIES
        raise FileUnreadable(source=path.name, expected="XLSX", hint=hint) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        ExpatError,
        KeyError,
        ValueError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        hint = Hint.SAVE_AGAIN
        raise FileUnreadable(source=path.name, expected="XLSX", hint=hint) from error


def _open(archive: zipfile.ZipFile) -> tuple[Meanings, list[_Sheet]]:
    """Read what the numbers in cells stand for, and which sheets there are."""
    main = _main_part(archive)
    folder, name = posixpath.split(main)
    related = _relations(archive, f"{folder}/_rels/{name}.rels", folder)
    with archive.open(main) as stream:
        parts = elements(stream)
    is_1904 = any(
        tag == "workbookPr" and attributes.get("date1904", "0") in {"1", "true"}
        for tag, attributes in parts
    )
    sheets = [
        _Sheet(title=attributes.get("name", ""), member=related[attributes["id"]][1])
        for tag, attributes in parts
        if tag == "sheet" and related.get(attributes.get("id", ""), ("", ""))[0] == "worksheet"
    ]
    targets = dict(related.values())
    dates: frozenset[str] = frozenset()
    spans: frozenset[str] = frozenset()
    if "styles" in targets:
        with archive.open(targets["styles"]) as stream:
            dates, spans = read_styles(stream)
    meanings = Meanings(
        strings=_strings(archive, targets.get("sharedStrings")),
        dates=dates,
        spans=spans,
        epoch=CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900,
    )
    return meanings, [sheet for sheet in sheets if sheet.title not in EXPLANATIONS]


def _strings(archive: zipfile.ZipFile, member: str | None) -> list[str]:
    if member is None:
        return []
    if archive.getinfo(member).file_size > MAX_STRINGS:
        raise TooLarge
    with archive.open(member) as stream:
        return read_strings(stream)


def _main_part(archive: zipfile.ZipFile) -> str:
    """Return the member that lists the sheets."""
    found = _relations(archive, "_rels/.rels", "")
    return next((target for kind, target in found.values() if kind == "officeDocument"), _MAIN)


def _relations(archive: zipfile.ZipFile, member: str, folder: str) -> dict[str, tuple[str, str]]:
    """Return the parts a part refers to: id -> (last word of the type, member)."""
    if member not in archive.NameToInfo:
        return {}
    stream: IO[bytes]
    with archive.open(member) as stream:
        return {
            attributes.get("Id", ""): (
                attributes.get("Type", "").rpartition("/")[2],
                _member(attributes.get("Target", ""), folder),
            )
            for tag, attributes in elements(stream)
            if tag == "Relationship"
        }


def _member(target: str, folder: str) -> str:
    """Return the member that a target means, absolute or beside the part that names it."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(folder, target))


def _has_rows(archive: zipfile.ZipFile, sheet: _Sheet, meanings: Meanings) -> bool:
    with archive.open(sheet.member) as stream:
        return read_grid(stream, meanings, most=2).n_rows > 1


def _frame(grid: Grid, source: str) -> pd.DataFrame:
    """Return the rows below the header: the first row with more than half as many cells as any."""
    top = [grid.row(number) for number in range(min(HEADER_WITHIN, grid.n_rows))]
    most = max(len(row) for row in top)
    header_row = next(k for k, row in enumerate(top) if 2 * len(row) > most)
    header = {column: text.strip() for column, text in top[header_row].items()}
    n_rows = grid.n_rows - header_row - 1
    if n_rows == 0:
        raise FileEmpty(source=source)
    filled = {column for column, (rows, _) in grid.columns.items() if rows[-1] > header_row}
    kept = sorted(filled | {column for column, text in header.items() if text})
    if len(kept) > MAX_COLUMNS:
        raise FileUnreadable(source=source, expected="XLSX", hint=Hint.TOO_MANY_COLUMNS)
    if len(kept) * n_rows > MAX_CELLS:
        raise TooLarge
    names = [header.get(column) or f"column {column + 1}" for column in kept]
    names = [f"{n} ({k})" if names.index(n) != k else n for k, n in enumerate(names)]
    return pd.DataFrame(
        {
            name: _column(grid, c, header_row + 1, n_rows)
            for name, c in zip(names, kept, strict=True)
        }
    )


def _column(grid: Grid, column: int, first: int, n_rows: int) -> pd.Series:
    """Return a column's cells from a row on, blanks as ""."""
    rows, texts = grid.columns[column]
    number = np.frombuffer(rows, dtype=np.dtype("l"))
    cells = np.full(n_rows, "", dtype=object)
    below = number >= first
    cells[number[below] - first] = np.array(texts, dtype=object)[below]
    return pd.Series(cells, dtype="str")
