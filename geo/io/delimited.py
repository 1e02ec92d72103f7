"""CSV in the encodings Chinese offices write: UTF-8 with and without mark, GBK, GB18030, UTF-16.

The file is surveyed before a parser sees it, piece by piece: its encoding, its lines and what it
would become. A hostile one is refused there, in the memory of one piece.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from geo.errors import FileEmpty, FileUnreadable
from geo.io.hints import Hint
from geo.io.limits import MAX_CELLS, MAX_COLUMNS, MAX_LINE
from geo.io.report import Note
from geo.io.table import Table

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_PIECE: Final = 1 << 22
_LINE_ENDS: Final = (0x0A, 0x0D)


@dataclass(slots=True)
class _Lines:
    """Lines of a file met so far: how many, and the longest in bytes."""

    n: int = 0
    longest: int = 0
    _open: int = 0

    def add(self, piece: bytes) -> None:
        data = np.frombuffer(piece, dtype=np.uint8)
        ends = np.flatnonzero(np.isin(data, _LINE_ENDS))
        if len(ends) == 0:
            self._open += len(data)
        else:
            gaps = np.diff(ends).max(initial=0)
            self.longest = max(self.longest, self._open + int(ends[0]), int(gaps))
            self._open = len(data) - int(ends[-1]) - 1
            self.n += len(ends)
        self.longest = max(self.longest, self._open)


def read_delimited(path: Path) -> Table:
    """Read a CSV file with every cell as text.

    Raises
    ------
    FileEmpty
        No line below the header.
    FileUnreadable
        In no known encoding, rows of differing length, or beyond the limits.
    """
    encoding, n_lines = _survey(path)
    header = _first_line(path, encoding)
    delimiter = max(",\t;", key=header.count)
    n_columns = header.count(delimiter) + 1
    if n_columns > MAX_COLUMNS:
        raise _unreadable(path, Hint.TOO_MANY_COLUMNS)
    if n_columns * n_lines > MAX_CELLS:
        raise _unreadable(path, Hint.TOO_MANY_CELLS)
    try:
        cells = pd.read_csv(
            path,
            encoding=encoding,
            compression=None,
            sep=delimiter,
            dtype="str",
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _unreadable(path, Hint.MORE_CELLS) from error
    if isinstance(cells.index, pd.MultiIndex) or not isinstance(cells.index, pd.RangeIndex):
        raise _unreadable(path, Hint.MORE_CELLS)
    cells.columns = pd.Index([str(name).strip() for name in cells.columns])
    notes: tuple[Note, ...] = ()
    if encoding == "gb18030":
        notes = (Note(source=path.name, code="note.encoding", params={"encoding": "GBK/GB18030"}),)
    return Table(source=path.name, cells=cells, layer=path.stem, notes=notes)


def _survey(path: Path) -> tuple[str, int]:
    """Return the encoding that decodes all of a file, and how many lines it has."""
    with path.open("rb") as stream:
        first = stream.read(4)
    marked = next((encoding for mark, encoding in _MARKS if first.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        lines = _Lines()
        try:
            for piece in _decoded(path, encoding, lines):
                if "\0" in piece:
                    raise _unreadable(path, Hint.HOLDS_NULS)
                if lines.longest > MAX_LINE:
                    raise _unreadable(path, Hint.LINE_TOO_LONG)
        except UnicodeDecodeError:
            continue
        return encoding, lines.n
    raise _unreadable(path, Hint.SAVE_UTF8, expected="CSV (UTF-8 or GBK)")


def _decoded(path: Path, encoding: str, lines: _Lines) -> Iterator[str]:
    """Yield a file's text piece by piece, counting its lines."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            lines.add(piece)
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _first_line(path: Path, encoding: str) -> str:
    """Return the first line that holds something.

    Raises
    ------
    FileEmpty
        There is none.
    """
    with path.open(encoding=encoding) as stream:
        line = next((line for line in stream if line.strip()), None)
    if line is None:
        raise FileEmpty(source=path.name)
    return line


def _unreadable(path: Path, hint: Hint, *, expected: str = "CSV") -> FileUnreadable:
    return FileUnreadable(source=path.name, expected=expected, hint=hint)
