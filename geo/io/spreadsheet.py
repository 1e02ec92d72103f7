"""Workbooks written row by row: codes stay text, and no cell is ever a formula."""

from pathlib import Path
from typing import Any, Final

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from geo.errors import OptionInvalid
from geo.io.hints import Hint

MAX_ROWS: Final = 1_048_575
"""Rows below the header that a sheet has room for."""

_TEXT_FORMAT: Final = "@"
_MAX_WIDTH: Final = 40


def write_workbook(table: pd.DataFrame, path: Path, *, title: str) -> None:
    """Write a table as the one sheet of a workbook.

    Parameters
    ----------
    table : DataFrame
        Columns of text, whole numbers, numbers and yes or no.
    path : Path
    title : str
        Name of the sheet.

    Raises
    ------
    OptionInvalid
        More rows than a sheet holds.
    """
    if len(table) > MAX_ROWS:
        raise OptionInvalid(option=path.name, value=f"{len(table):,}", expected=Hint.SHEET_ROWS)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, name in enumerate(table.columns):
        lengths = table[name].head(1000).astype("str").str.len().dropna()
        longest = 0 if lengths.empty else int(lengths.max())
        width = max(len(str(name).encode("gb18030")), longest) + 2
        letter = sheet.column_dimensions[_letter(number)]
        letter.width = min(width, _MAX_WIDTH)
    sheet.append([_cell(sheet, name, bold=True) for name in table.columns])
    columns = [_values(table[name]) for name in table.columns]
    for row in zip(*columns, strict=True):
        sheet.append([_cell(sheet, value) if isinstance(value, str) else value for value in row])
    book.save(path)


def _letter(number: int) -> str:
    """Return the letters of a column counted from 0."""
    first, second = divmod(number, 26)
    return (chr(64 + first) if first else "") + chr(65 + second)


def _values(column: pd.Series) -> list[Any]:
    """Return cells as Python values; text where a column is of no number."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return ["true" if value else "false" for value in column]
    if pd.api.types.is_numeric_dtype(column.dtype):
        return [None if pd.isna(value) else value for value in column]
    return [str(value) for value in column]


def _cell(sheet: Any, value: str, *, bold: bool = False) -> Any:
    """Return a cell of text: 12-digit codes stay digits, a leading = is no formula."""
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    if bold:
        cell.font = Font(bold=True)
    return cell
