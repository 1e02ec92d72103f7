"""Street lines with what is known of each, and the noding of many lines into one net."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.frames import StreetClass
from geo.sample.exact import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Shapes = NDArray[np.object_]

NODING_GRID: Final = 0.1
"""Metres; every coordinate of the sample's plane lies on this grid."""


class Rank(IntEnum):
    """Street classes from the widest down; where two lines coincide the lower number stays."""

    EXPRESSWAY = 0
    ARTERIAL = 1
    COLLECTOR = 2
    LANE = 3
    RURAL = 4


RANK_CLASS: Final = {
    Rank.EXPRESSWAY: StreetClass.EXPRESSWAY,
    Rank.ARTERIAL: StreetClass.ARTERIAL,
    Rank.COLLECTOR: StreetClass.COLLECTOR,
    Rank.LANE: StreetClass.LANE,
    Rank.RURAL: StreetClass.RURAL,
}

RANK_LANES: Final = {
    Rank.EXPRESSWAY: 6,
    Rank.ARTERIAL: 4,
    Rank.COLLECTOR: 2,
    Rank.LANE: 2,
    Rank.RURAL: 1,
}
"""Lanes of both directions together, made up; an expressway has at least two each way (CJJ 37)."""


class Origin(IntEnum):
    """What a line was laid as."""

    GRID = 0
    COMPOUND = 1
    BANK = 2
    MAIN = 3
    TOWN = 4
    VILLAGE = 5
    LINK = 6


class NameBook:
    """Street names by number; number 0 is the street without a name."""

    def __init__(self) -> None:
        self._names = [""]
        self._next: dict[str, int] = {}

    def fixed(self, name: str) -> int:
        """Enter a name."""
        self._names.append(name)
        return len(self._names) - 1

    def numbered(self, prefix: str) -> int:
        """Enter the next name of a series: 样例巷 1, 样例巷 2."""
        self._next[prefix] = self._next.get(prefix, 0) + 1
        return self.fixed(f"{prefix} {self._next[prefix]}")

    def texts(self, numbers: Ints) -> list[str]:
        """Return the names of numbers."""
        return [self._names[number] for number in numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Many lines: geometry in metres, rank, origin and number of the name, row by row."""

    shape: Shapes
    rank: Ints
    origin: Ints
    name: Ints

    def take(self, rows: Bools | Ints) -> "Lines":
        """Return some rows."""
        return Lines(
            shape=self.shape[rows],
            rank=self.rank[rows],
            origin=self.origin[rows],
            name=self.name[rows],
        )

    def reshaped(self, shape: Shapes) -> "Lines":
        """Return the same rows with other geometry."""
        return Lines(shape=shape, rank=self.rank, origin=self.origin, name=self.name)


def concat(parts: Sequence[Lines]) -> Lines:
    """Put lines one after another."""
    return Lines(
        shape=np.concatenate([part.shape for part in parts]),
        rank=np.concatenate([part.rank for part in parts]),
        origin=np.concatenate([part.origin for part in parts]),
        name=np.concatenate([part.name for part in parts]),
    )


def straight_lines(
    ends: Sequence[tuple[float, float, float, float]], attributes: Sequence[tuple[int, int, int]]
) -> Lines:
    """Return straight lines from their ends (x0, y0, x1, y1) and (rank, origin, name)."""
    coords = np.round(np.array(ends, dtype=np.float64).reshape(-1, 2, 2), 1)
    table = np.array(attributes, dtype=np.int64).reshape(-1, 3)
    return Lines(
        shape=np.asarray(shapely.linestrings(coords)),
        rank=table[:, 0],
        origin=table[:, 1],
        name=table[:, 2],
    )


def polylines(courses: Sequence[Floats]) -> Shapes:
    """Return one line per array of points."""
    sizes = [len(course) for course in courses]
    points = np.round(np.concatenate(courses), 1)
    return np.asarray(shapely.linestrings(points, indices=np.repeat(np.arange(len(sizes)), sizes)))


def node(lines: Lines) -> Lines:
    """Cut lines where they meet, on the noding grid; each piece keeps what its source knew.

    Where several sources run over one piece, the lowest rank counts, then the first row.
    """
    union = shapely.unary_union(shapely.multilinestrings(lines.shape), grid_size=NODING_GRID)
    pieces = shapely.get_parts(union)
    pieces = pieces[shapely.length(pieces) > 0]
    middle = midpoints(pieces)
    tree = shapely.STRtree(lines.shape)
    piece, source = tree.query(middle, predicate="dwithin", distance=1.5 * NODING_GRID)
    unknown = np.iinfo(np.int64).max
    best = np.full(len(pieces), unknown, dtype=np.int64)
    np.minimum.at(best, piece, (lines.rank[source] << 40) + source)
    lost = best == unknown
    if lost.any():
        best[lost] = tree.nearest(middle[lost])
    return lines.take(best & ((1 << 40) - 1)).reshaped(pieces)


def touched(shapes: Shapes, cutters: Shapes) -> Bools:
    """Return which shapes come within the noding grid's reach of a cutter."""
    found = np.zeros(len(shapes), dtype=np.bool_)
    tree = shapely.STRtree(shapes)
    found[tree.query(cutters, predicate="dwithin", distance=3.0 * NODING_GRID)[1]] = True
    return found


def node_with(fixed: Lines, cutters: Lines) -> Lines:
    """Node lines that are noded among themselves with others that are not: only what they touch."""
    cut = touched(fixed.shape, cutters.shape)
    return concat([fixed.take(~cut), node(concat([fixed.take(cut), cutters]))])


def midpoints(lines: Shapes) -> Shapes:
    """Return the point half-way along each line."""
    return np.asarray(shapely.line_interpolate_point(lines, 0.5, normalized=True))


def ends(lines: Shapes) -> tuple[Floats, Floats]:
    """Return the first and the last point of each line, shape (n, 2)."""
    coords, owner = shapely.get_coordinates(lines, return_index=True)
    last = np.concatenate([np.flatnonzero(owner[1:] != owner[:-1]), [len(owner) - 1]])
    first = np.concatenate([[0], last[:-1] + 1])
    return coords[first], coords[last]


def grid_keys(xy: Floats) -> Ints:
    """Return one whole number per point on the noding grid."""
    cell = np.round(xy / NODING_GRID).astype(np.int64)
    return np.asarray((cell[..., 0] + (1 << 30)) * (1 << 31) + cell[..., 1] + (1 << 30))
