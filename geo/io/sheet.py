"""Sheets of an XLSX workbook as columns of text, in one pass and bounded memory.

A register is thousands of rows among a million empty ones that somebody once formatted. Empty rows
are cut out of the text before the parser sees them, nothing is kept of a cell but its text, and
only rows that hold something count.

References
----------
ECMA-376-1:2016, 18.3.1 (worksheets), 18.4 (shared strings), 18.8 (styles).
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import from_excel

from geo.io.limits import MAX_CELLS, TooLarge

_CHUNK: Final = 1 << 20

_ROW_END: Final = b"</row>"

_TEXT: Final = frozenset({"v", "t"})
_DIGITS: Final = "0123456789"


class DoctypeDeclared(Exception):
    """XML with a document type, whose entities can grow without bound."""


class _Enough(Exception):
    """As many rows as were wanted."""


@dataclass(slots=True)
class Grid:
    """The cells of a sheet that hold something; rows that hold nothing are not counted.

    Attributes
    ----------
    columns : dict of int to (array of int, list of str)
        Per column of the sheet, counted from 0: the rows that hold something, and their texts.
    n_rows : int
    """

    columns: dict[int, tuple["array[int]", list[str]]] = field(default_factory=dict)
    n_rows: int = 0
    n_cells: int = 0

    def add(self, row: list[tuple[int, str]]) -> None:
        """Add a row that holds something.

        Raises
        ------
        TooLarge
            More cells than are read.
        """
        for column, text in row:
            if column not in self.columns:
                self.columns[column] = (array("l"), [])
            rows, texts = self.columns[column]
            rows.append(self.n_rows)
            texts.append(text)
        self.n_rows += 1
        self.n_cells += len(row)
        if self.n_cells > MAX_CELLS:
            raise TooLarge

    def row(self, number: int) -> dict[int, str]:
        """Return one row; meant for the first few."""
        found = {}
        for column, (rows, texts) in self.columns.items():
            if number in rows[: number + 1]:
                found[column] = texts[rows.index(number)]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """What numbers in cells stand for.

    Attributes
    ----------
    strings : sequence of str
        Shared strings by number.
    dates, spans : frozenset of str
        Numbers of the styles that show a number as a date or as a length of time.
    epoch : datetime
        Day 0 of dates.
    """

    strings: Sequence[str]
    dates: frozenset[str]
    spans: frozenset[str]
    epoch: datetime

    def text(self, kind: str, style: str, value: str) -> str:
        """Return a cell as text: codes without ".0", dates in ISO 8601."""
        match kind:
            case "s":
                number = int(value)
                return self.strings[number] if 0 <= number < len(self.strings) else ""
            case "b":
                return "true" if value.strip() == "1" else "false"
            case "n" if value and style in self.dates:
                return self._date(style, value)
            case "n":
                return _number(value)
            case _:
                return value

    def _date(self, style: str, value: str) -> str:
        try:
            found = from_excel(float(value), self.epoch, timedelta=style in self.spans)
        except (OverflowError, ValueError):
            return value
        return str(found.isoformat() if hasattr(found, "isoformat") else found)


def read_grid(stream: IO[bytes], meanings: Meanings, *, most: int | None = None) -> Grid:
    """Read a sheet, or its first rows.

    Parameters
    ----------
    stream : binary stream
        The sheet's XML.
    meanings : Meanings
    most : int, optional
        Rows after which reading ends.

    Raises
    ------
    DoctypeDeclared, TooLarge
    ExpatError, ValueError
        Damaged.
    """
    grid = Grid()
    cells = _Cells(meanings, grid, most)
    parser = _parser(cells.start, cells.end, cells.data)
    try:
        for chunk in _without_empty(stream):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _Enough:
        pass
    return grid


def read_strings(stream: IO[bytes]) -> list[str]:
    """Read shared strings; phonetic readings beside the text are left out."""
    strings: list[str] = []
    parts: list[str] = []
    depth = {"rPh": 0, "t": 0}

    def start(name: str, _: dict[str, str]) -> None:
        tag = _local(name)
        if tag in depth:
            depth[tag] += 1
        elif tag == "si":
            parts.clear()

    def end(name: str) -> None:
        tag = _local(name)
        if tag in depth:
            depth[tag] -= 1
        elif tag == "si":
            strings.append("".join(parts))

    def data(text: str) -> None:
        if depth["t"] and not depth["rPh"]:
            parts.append(text)

    _parser(start, end, data).ParseFile(stream)
    return strings


def read_styles(stream: IO[bytes]) -> tuple[frozenset[str], frozenset[str]]:
    """Read which cell styles show a number as a date, and which as a length of time."""
    formats = {str(number): text for number, text in BUILTIN_FORMATS.items()}
    used: list[str] = []
    path: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        path.append(tag)
        if tag == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "xf" and "cellXfs" in path:
            used.append(attributes.get("numFmtId", "0"))

    def end(_: str) -> None:
        path.pop()

    _parser(start, end, None).ParseFile(stream)
    shown = [formats.get(number, "General") for number in used]
    dates = frozenset(str(k) for k, text in enumerate(shown) if is_date_format(text))
    spans = frozenset(str(k) for k, text in enumerate(shown) if is_timedelta_format(text))
    return dates, spans


def elements(stream: IO[bytes]) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a small part, by local names of tags and attributes."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((_local(name), {_local(key): value for key, value in attributes.items()}))

    _parser(start, None, None).ParseFile(stream)
    return found


class _Cells:
    """Handlers of a sheet's elements, filling a grid."""

    def __init__(self, meanings: Meanings, grid: Grid, most: int | None) -> None:
        self._meanings = meanings
        self._grid = grid
        self._most = most
        self._row: list[tuple[int, str]] = []
        self._column = -1
        self._kind = self._style = ""
        self._parts: list[str] = []
        self._reads = False
        self._numbers: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open a row, a cell or its text."""
        tag = _local(name)
        if tag == "c":
            self._column = self._number(attributes.get("r", ""))
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._parts = []
        elif tag in _TEXT:
            self._reads = True
        elif tag == "row":
            self._row = []
            self._column = -1

    def end(self, name: str) -> None:
        """Close a text, a cell or a row."""
        tag = _local(name)
        if tag in _TEXT:
            self._reads = False
        elif tag == "c":
            value = "".join(self._parts)
            text = self._meanings.text(self._kind, self._style, value) if value else ""
            if text:
                self._row.append((self._column, text))
        elif tag == "row" and self._row:
            self._grid.add(self._row)
            if self._grid.n_rows == self._most:
                raise _Enough

    def data(self, text: str) -> None:
        """Take text of a cell; expat hands it over in pieces."""
        if self._reads:
            self._parts.append(text)

    def _number(self, reference: str) -> int:
        """Return the column of a cell, the next one where it has no reference."""
        if not reference:
            return self._column + 1
        letters = reference.rstrip(_DIGITS)
        if letters not in self._numbers:
            self._numbers[letters] = column_index_from_string(letters) - 1
        return self._numbers[letters]


def _parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None,
    data: Callable[[str], None] | None,
) -> expat.XMLParserType:
    """Return a parser that refuses document types."""

    def refuse(*_: object) -> None:
        raise DoctypeDeclared

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    return parser


def _without_empty(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the text of a sheet without the rows of which no cell holds anything."""
    rest = b""
    while block := stream.read(_CHUNK):
        *rows, rest = (rest + block).split(_ROW_END)
        yield b"".join([row + _ROW_END for row in rows if _may_hold(row)])
        if not rows:
            cut = rest.rfind(b">") + 1 or len(rest)
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _may_hold(row: bytes) -> bool:
    """Tell whether a stretch of text is anything but one row of formatted, empty cells."""
    return b"<v" in row or b"<is" in row or not row.lstrip().startswith(b"<row")


def _number(value: str) -> str:
    """Return a number as text: whole ones without a fraction, others as short as they can be."""
    if value.isdigit():
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
