"""Legs as shared pieces of street, so that routes on one street can be drawn side by side.

Legs arrive as lines of their own. Where two of them run along the same street their vertices
agree, except where a stop lies inside a street segment: `_meet` puts such a point into every line
that passes it. A piece is then a longest run between two vertices where lines part.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely

from api.maps.pack import Ints, Lattice, pack_ints, pack_steps
from geo.frames import Col

Step = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of street and, per leg, the pieces it takes.

    Attributes
    ----------
    lines : tuple of tuple of (int, int)
        Lattice steps of each piece.
    legs : tuple of tuple of int
        Per leg the pieces in order, counted from 1; negative means against the piece's direction.
    """

    lines: tuple[tuple[Step, ...], ...]
    legs: tuple[tuple[int, ...], ...]

    def pack(self) -> str:
        """Return the pieces as a stream of lines without a head."""
        if not self.lines:
            return pack_ints([])
        sizes = [len(line) for line in self.lines]
        steps = np.array([step for line in self.lines for step in line], dtype=np.int64)
        row = np.repeat(np.arange(len(sizes)), sizes)
        return pack_steps(steps, row, np.empty((len(sizes), 0), dtype=np.int64))


def cut_pieces(legs: gpd.GeoSeries, lattice: Lattice) -> Pieces:
    """Return the pieces of street that `legs` (EPSG:4326 lines, some empty) are made of."""
    paths = [_path(geometry, lattice) for geometry in legs]
    paths = _meet(paths)
    breaks = _breaks(paths)
    number: dict[tuple[Step, ...], int] = {}
    taken = tuple(tuple(_number(piece, number) for piece in _split(path, breaks)) for path in paths)
    return Pieces(lines=tuple(number), legs=taken)


def _path(geometry: object, lattice: Lattice) -> list[Step]:
    if not isinstance(geometry, shapely.LineString) or geometry.is_empty:
        return []
    steps = lattice.steps(shapely.get_coordinates(geometry)).tolist()
    path = [tuple(step) for step in steps]
    return [step for k, step in enumerate(path) if k == 0 or step != path[k - 1]]


def _meet(paths: list[list[Step]]) -> list[list[Step]]:
    """Return the paths with every end of a path put into the others that pass within a step."""
    pairs = sorted({_undirected(a, b) for path in paths for a, b in pairwise(path)})
    ends = sorted({end for path in paths if path for end in (path[0], path[-1])})
    if not pairs:
        return paths
    spans = np.asarray(shapely.linestrings(np.array(pairs, dtype=float)))
    end, span = shapely.STRtree(spans).query(
        shapely.points(np.array(ends, dtype=float)), predicate="dwithin", distance=1.0
    )
    inside: dict[tuple[Step, Step], list[Step]] = defaultdict(list)
    for e, s in zip(end.tolist(), span.tolist(), strict=True):
        if ends[e] not in pairs[s]:
            inside[pairs[s]].append(ends[e])
    return [_with_ends(path, inside) for path in paths]


def _with_ends(path: list[Step], inside: dict[tuple[Step, Step], list[Step]]) -> list[Step]:
    out = path[:1]
    for a, b in pairwise(path):
        between = inside.get(_undirected(a, b), [])
        out += sorted(between, key=lambda step: (step[0] - a[0]) ** 2 + (step[1] - a[1]) ** 2)
        out.append(b)
    return out


def _undirected(a: Step, b: Step) -> tuple[Step, Step]:
    return (a, b) if a <= b else (b, a)


def _breaks(paths: list[list[Step]]) -> set[Step]:
    """Return the vertices where a piece ends: ends of paths, turns back, and where lines part."""
    neighbours: dict[Step, set[Step]] = defaultdict(set)
    found: set[Step] = set()
    for path in paths:
        if path:
            found |= {path[0], path[-1]}
        for a, b in pairwise(path):
            neighbours[a].add(b)
            neighbours[b].add(a)
        found |= {b for a, b, c in zip(path, path[1:], path[2:], strict=False) if a == c}
    return found | {step for step, near in neighbours.items() if len(near) > 2}


def _split(path: list[Step], breaks: set[Step]) -> list[tuple[Step, ...]]:
    pieces: list[tuple[Step, ...]] = []
    begin = 0
    for k in range(1, len(path)):
        if path[k] in breaks:
            pieces.append(tuple(path[begin : k + 1]))
            begin = k
    return pieces


def _number(piece: tuple[Step, ...], number: dict[tuple[Step, ...], int]) -> int:
    back = piece[::-1]
    if back in number and back != piece:
        return -number[back]
    return number.setdefault(piece, len(number) + 1)


def pack_legs(pieces: Pieces, times: Ints) -> str:
    """Return per leg: departure, arrival (seconds of the shift), number of pieces, pieces.

    Parameters
    ----------
    times : ndarray of int, shape (n_legs, 2)
    """
    out: list[int] = []
    for (depart, arrive), taken in zip(times.tolist(), pieces.legs, strict=True):
        out += [depart, arrive - depart, len(taken), *taken]
    return pack_ints(out)


def kilometres(legs: gpd.GeoDataFrame, *, epsg: int) -> dict[str, float]:
    """Return each unit's planned way, kilometres with one decimal."""
    metres = legs.geometry.to_crs(epsg).length
    sums = (metres.groupby(legs[Col.UNIT_ID]).sum() / 1000).round(1)
    return dict(zip(sums.index, sums.tolist(), strict=True))
