"""The parts of a Shapefile: whole, and of one another.

GDAL reads what is there of a Shapefile whose copy broke off and leaves the rest without geometry,
so that half the streets of a city are refused row by row as if they had never had a position. The
parts themselves say how much there should be.

References
----------
Esri (1998): ESRI Shapefile Technical Description, pages 2-4 and 23-24 (.shp and .shx). dBASE III
table file header: bytes 4-7 number of records, 8-9 length of the header, 10-11 of a record (.dbf).
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from geo.errors import FileMissing, FileUnreadable

_HEADER: Final = 100
"""Bytes before the first record of a .shp and of a .shx."""

_ENTRY: Final = 8
"""Bytes of an entry of the index, and of what stands before a record's content."""

_WORD: Final = 2
"""Bytes of the unit that offsets and lengths are counted in."""

_DBF_HEADER: Final = struct.Struct("<4xIHH")


@dataclass(frozen=True, slots=True)
class CutShort:
    """What to do about a part that is cut short; reads as English, renders in both languages.

    Attributes
    ----------
    part : str
        Suffix of the part.
    n, total : int
        Records that it holds whole, and that there should be.
    """

    part: str
    n: int
    total: int
    code: ClassVar[str] = "hint.cut_short"

    @property
    def params(self) -> dict[str, object]:
        """Values of the message."""
        return {"part": self.part, "n": f"{self.n:,}", "total": f"{self.total:,}"}

    def __str__(self) -> str:
        return (
            "Its {part} holds {n} of {total} records: a copy broke off, or the parts are not of "
            "one export. Copy or export all of it again (.shp .shx .dbf .prj)."
        ).format(**self.params)


def require_whole(path: Path, *, source: str) -> None:
    """Refuse a Shapefile of which a part is missing or shorter than the others say.

    Parameters
    ----------
    path : Path
        The .shp; parts beside it may have their suffixes in capitals.
    source : str
        File that messages name.

    Raises
    ------
    FileMissing
        No .shx or no .dbf.
    FileUnreadable
        Names the part, how many records it holds and how many there should be.
    """
    index, table = _part(path, ".shx"), _part(path, ".dbf")
    ends = _record_ends(index)
    n_indexed, n_rows, n_whole = len(ends), *_rows(table)
    n_shapes = int((ends <= path.stat().st_size).sum())
    for part, n, total in (
        (".shx", n_indexed, n_rows),
        (".dbf", min(n_rows, n_whole), max(n_rows, n_indexed)),
        (".shp", n_shapes, n_indexed),
    ):
        if n < total:
            hint = CutShort(part, n, total)
            raise FileUnreadable(source=source, expected="Shapefile", hint=hint)


def _part(path: Path, suffix: str) -> Path:
    """Return a part that lies beside the .shp."""
    for spelt in (suffix, suffix.upper()):
        part = path.with_suffix(spelt)
        if part.exists():
            return part
    raise FileMissing(source=path.with_suffix(suffix).name)


def _record_ends(index: Path) -> np.ndarray:
    """Return after which byte of the .shp each record ends, int64, shape (n,)."""
    body = index.read_bytes()[_HEADER:]
    entries = np.frombuffer(body[: len(body) // _ENTRY * _ENTRY], dtype=">i4").astype(np.int64)
    offset, length = entries[0::2], entries[1::2]
    ends: np.ndarray = _WORD * (offset + length) + _ENTRY
    return ends


def _rows(table: Path) -> tuple[int, int]:
    """Return how many rows a .dbf says it has, and how many it holds whole."""
    with table.open("rb") as stream:
        head = stream.read(_DBF_HEADER.size)
    if len(head) < _DBF_HEADER.size:
        return 0, 0
    n_rows, begin, width = _DBF_HEADER.unpack(head)
    held = max(0, table.stat().st_size - begin)
    return n_rows, held // width if width else n_rows
