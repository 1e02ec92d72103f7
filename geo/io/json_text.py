"""GeoJSON looked over before a parser sees it: how deep, how large, and in which encoding.

Nesting crashes recursive parsers, a geometry of ten million vertices takes them gigabytes. Both are
counted here on the bytes, piece by piece.
"""

import codecs
from dataclasses import dataclass
from typing import IO, Final

import numpy as np

from geo.errors import FileUnreadable
from geo.io.hints import Hint

MAX_DEPTH: Final = 24
"""Nested brackets; a MultiPolygon in a FeatureCollection has 8."""

MAX_VERTICES: Final = 150_000
"""Vertices of one geometry; GDAL takes a kilobyte for each, and refuses some 190,000 itself."""

PIECE: Final = 1 << 22
"""Bytes looked at together."""


@dataclass(slots=True)
class _Scan:
    """Where a scan stands between two pieces.

    Attributes
    ----------
    depth : int
        Brackets open.
    in_string, escaped : bool
        Whether the next byte lies inside a string, and whether it follows a backslash there.
    n_lists : int
        Lists opened since the last object: the vertices of a geometry and a few more.
    """

    source: str
    depth: int = 0
    in_string: bool = False
    escaped: bool = False
    n_lists: int = 0

    def add(self, piece: bytes) -> None:
        """Look at the next piece.

        Raises
        ------
        FileUnreadable
            Nested too deep, too many vertices, or NUL characters.
        """
        if b"\0" in piece:
            raise _refused(self.source, Hint.HOLDS_NULS)
        data = np.frombuffer(piece, dtype=np.uint8)
        quote, self.escaped = _unescaped_quotes(data, self.escaped)
        inside = (np.cumsum(quote, dtype=np.int32) + self.in_string) % 2 == 1
        self.in_string = bool(inside[-1])
        lists, objects = (data == ord("[")) & ~inside, (data == ord("{")) & ~inside
        closed = ((data == ord("]")) | (data == ord("}"))) & ~inside
        self._add_depth((lists | objects).astype(np.int8) - closed)
        self._add_lists(np.flatnonzero(lists), np.flatnonzero(objects))

    def _add_depth(self, steps: np.ndarray) -> None:
        depths = np.cumsum(steps, dtype=np.int32)
        if self.depth + int(depths.max()) > MAX_DEPTH:
            raise _refused(self.source, Hint.NESTED_TOO_DEEP)
        self.depth += int(depths[-1])

    def _add_lists(self, lists: np.ndarray, objects: np.ndarray) -> None:
        """Count lists between two objects: within a geometry no object begins."""
        before = np.searchsorted(lists, objects)
        runs = np.diff(np.r_[0, before, len(lists)])
        runs[0] += self.n_lists
        if runs.max() > MAX_VERTICES:
            raise _refused(self.source, Hint.TOO_MANY_VERTICES)
        self.n_lists = int(runs[-1])


def check_json(stream: IO[bytes], *, source: str) -> bool:
    """Look a GeoJSON file over.

    Returns
    -------
    bool
        Whether it is UTF-8 throughout.

    Raises
    ------
    FileUnreadable
        Nested too deep, a geometry of too many vertices, or no text.
    """
    scan = _Scan(source)
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    while piece := stream.read(PIECE):
        scan.add(piece)
        if is_utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
    return is_utf8


def _refused(source: str, hint: Hint) -> FileUnreadable:
    return FileUnreadable(source=source, expected="GeoJSON", hint=hint)


def _unescaped_quotes(chunk: np.ndarray, escaped: bool) -> tuple[np.ndarray, bool]:
    """Return where strings begin and end, and whether the next chunk's first byte is escaped."""
    quote = chunk == ord('"')
    slash = np.flatnonzero(chunk == ord("\\"))
    skip = -1
    if escaped and len(chunk):
        quote[0] = False
        skip = 0
    for position in slash:
        if position == skip:
            continue
        skip = int(position) + 1
        if skip < len(chunk):
            quote[skip] = False
    return quote, bool(len(chunk)) and skip == len(chunk)
