"""CSV in the encodings Chinese offices write: UTF-8 with and without mark, GBK, GB18030, UTF-16."""

import codecs
import io
from pathlib import Path
from typing import Final

import pandas as pd

from geo.errors import FileEmpty, FileUnreadable
from geo.io.hints import Hint
from geo.io.report import Note
from geo.io.table import Table

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_delimited(path: Path) -> Table:
    """Read a CSV file with every cell as text.

    Raises
    ------
    FileEmpty
        No line below the header.
    FileUnreadable
        In no known encoding, or rows of differing length.
    """
    text, encoding = _decode(path.read_bytes(), source=path.name)
    if not text.strip():
        raise FileEmpty(source=path.name)
    header = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",\t;", key=header.count)
    try:
        cells = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            dtype="str",
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileUnreadable(source=path.name, expected="CSV", hint=Hint.MORE_CELLS) from error
    if isinstance(cells.index, pd.MultiIndex) or not isinstance(cells.index, pd.RangeIndex):
        raise FileUnreadable(source=path.name, expected="CSV", hint=Hint.MORE_CELLS)
    cells.columns = pd.Index([str(name).strip() for name in cells.columns])
    notes: tuple[Note, ...] = ()
    if encoding == "gb18030":
        notes = (Note(source=path.name, code="note.encoding", params={"encoding": "GBK/GB18030"}),)
    return Table(source=path.name, cells=cells, layer=path.stem, notes=notes)


def _decode(data: bytes, *, source: str) -> tuple[str, str]:
    """Return the text and the encoding that decodes all of it."""
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise FileUnreadable(source=source, expected="CSV (UTF-8 or GBK)", hint=Hint.SAVE_UTF8)
