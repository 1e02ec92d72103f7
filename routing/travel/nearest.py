"""The nearest street to a point, exactly: a packed tree of boxes over the pieces of all lines.

A piece is the straight part of a line between two of its points. Pieces are sorted along a Hilbert
curve and packed eight to a box, boxes eight to a larger box, up to one; a search goes into the
nearest box first and skips every box farther away than the best piece so far. It needs no cell
size, so a city core and a far-off village road in one network, or a point a thousand kilometres
away, cost it little.

References
----------
I. Kamel, C. Faloutsos, "On Packing R-trees", CIKM 1993, doi:10.1145/170088.170403.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy.kernel import NONE, Ints, kernel

Floats = NDArray[np.float64]
"""Metres, or square metres."""

FAN: Final = 8
"""Pieces in a box and boxes in a larger box: their corners fill four cache lines."""

GRAIN_BITS: Final = 16
"""Bits of each coordinate on the Hilbert curve: metres in a city; they decide speed alone."""


class Tree(NamedTuple):
    """Pieces in the order of the curve, and the boxes above them."""

    vertex: Ints
    """Row of the point each piece begins at; it ends at the next row."""
    segment: Ints
    """Segment of each piece."""
    piece: Floats
    """Shape (n_pieces, 4): x and y where each begins, x and y where it ends."""
    box: Floats
    """Shape (n_boxes, 4): least x, least y, greatest x, greatest y; lowest level first."""
    level: Ints
    """Level i has the boxes ``level[i]:level[i + 1]``; the last level has one."""


class Feet(NamedTuple):
    """The nearest point of a street to each point asked for, shape (n,)."""

    vertex: Ints
    """Row of the point its piece begins at; NONE where no street is open."""
    segment: Ints
    share: Floats
    """Share of the piece, 0 to 1."""
    distance: Floats
    """Metres; infinite where no street is open."""


def build_tree(xy: Floats, offsets: NDArray[np.int64], is_used: NDArray[np.bool_]) -> Tree:
    """Pack the pieces of the segments that are used.

    Parameters
    ----------
    xy : ndarray of float64, shape (n_points, 2)
        Metres.
    offsets : ndarray of int64, shape (n_segments + 1,)
        Points of segment i are rows ``offsets[i]:offsets[i + 1]``.
    is_used : ndarray of bool, shape (n_segments,)
    """
    n_pieces = np.diff(offsets) - 1
    segment = np.repeat(np.arange(len(n_pieces)), n_pieces)
    vertex = np.arange(len(segment)) + segment
    vertex, segment = vertex[is_used[segment]], segment[is_used[segment]]
    low, high = np.minimum(xy[vertex], xy[vertex + 1]), np.maximum(xy[vertex], xy[vertex + 1])
    order = np.argsort(_along_curve((low + high) / 2.0), kind="stable")
    levels = [np.hstack([low, high])[order]]
    while len(levels) == 1 or len(levels[-1]) > 1:
        levels.append(_packed(levels[-1]))
    level = np.cumsum([0, *(len(boxes) for boxes in levels[1:])])
    return Tree(
        vertex=vertex[order].astype(np.int32),
        segment=segment[order].astype(np.int32),
        piece=np.hstack([xy[vertex], xy[vertex + 1]])[order],
        box=np.concatenate(levels[1:]),
        level=level.astype(np.int32),
    )


def _packed(boxes: Floats) -> Floats:
    """Return the box around every `FAN` boxes."""
    first = np.arange(0, len(boxes), FAN)
    low = np.minimum.reduceat(boxes[:, :2], first, axis=0)
    high = np.maximum.reduceat(boxes[:, 2:], first, axis=0)
    return np.hstack([low, high])


def _along_curve(xy: Floats) -> NDArray[np.int64]:
    """Return the place of each point on a Hilbert curve over all of them."""
    low = xy.min(axis=0)
    side = max(float((xy.max(axis=0) - low).max()), 1.0)
    grain = (xy - low) * (((1 << GRAIN_BITS) - 1) / side)
    return hilbert(grain.astype(np.int64))


@kernel
def hilbert(grain: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each whole point on the Hilbert curve of `GRAIN_BITS` steps."""
    place = np.zeros(len(grain), np.int64)
    for i in range(len(grain)):
        x, y = grain[i, 0], grain[i, 1]
        for bit in range(GRAIN_BITS - 1, -1, -1):
            right, upper = (x >> bit) & 1, (y >> bit) & 1
            place[i] += ((3 * right) ^ upper) << (2 * bit)
            if upper == 0:
                if right == 1:
                    x, y = (1 << GRAIN_BITS) - 1 - x, (1 << GRAIN_BITS) - 1 - y
                x, y = y, x
    return place


@kernel
def _box_square(box: Floats, x: float, y: float) -> float:
    """Return the square of the distance from a point to a box."""
    east = max(box[0] - x, x - box[2], 0.0)
    north = max(box[1] - y, y - box[3], 0.0)
    return float(east * east + north * north)


@kernel
def _piece_square(piece: Floats, x: float, y: float) -> tuple[float, float]:
    """Return the square of the distance to a straight piece, and the share of it passed there.

    Both pieces at a common point give the same square to the last bit.
    """
    along_x, along_y = piece[2] - piece[0], piece[3] - piece[1]
    square = along_x * along_x + along_y * along_y
    done = (x - piece[0]) * along_x + (y - piece[1]) * along_y
    if done <= 0.0 or square == 0.0:
        east, north, share = x - piece[0], y - piece[1], 0.0
    elif done >= square:
        east, north, share = x - piece[2], y - piece[3], 1.0
    else:
        share = done / square
        east, north = x - piece[0] - share * along_x, y - piece[1] - share * along_y
    return east * east + north * north, share


@kernel
def _sort_far_first(node: NDArray[np.int64], square: Floats, first: int, end: int) -> None:
    """Sort a handful of boxes on the stack so that the nearest comes off first."""
    for i in range(first + 1, end):
        k = i
        while k > first and square[k - 1] < square[k]:
            square[k - 1], square[k] = square[k], square[k - 1]
            node[k - 1], node[k] = node[k], node[k - 1]
            k -= 1


class Search(NamedTuple):
    """What a search looks at, and what it fills."""

    tree: Tree
    is_open: NDArray[np.bool_]
    points: Floats
    feet: Feet
    """Holds squares in place of distances."""


@kernel
def _try_pieces(at: Search, p: int, box: int) -> None:
    """Keep the best piece of a lowest box for point `p`."""
    tree, is_open, points, feet = at
    for i in range(FAN * box, min(FAN * box + FAN, len(tree.vertex))):
        s, v = tree.segment[i], tree.vertex[i]
        if not is_open[s]:
            continue
        square, share = _piece_square(tree.piece[i], points[p, 0], points[p, 1])
        is_equal = square == feet.distance[p]
        comes_first = (s, v) < (feet.segment[p], feet.vertex[p])
        if square < feet.distance[p] or (is_equal and comes_first):
            feet.distance[p], feet.share[p] = square, share
            feet.segment[p], feet.vertex[p] = s, v


@kernel
def _boxes_inside(tree: Tree, box: int) -> tuple[int, int]:
    """Return the first box inside a box above the lowest level, and the end of them."""
    k = 1
    while box >= tree.level[k + 1]:
        k += 1
    first = tree.level[k - 1] + FAN * (box - tree.level[k])
    return first, min(first + FAN, tree.level[k])


@kernel
def search(at: Search) -> None:
    """Fill the feet of all points."""
    tree, _, points, feet = at
    top = len(tree.level) - 2
    node, square = np.empty(FAN * (top + 2), np.int64), np.empty(FAN * (top + 2))
    for p in range(len(points)):
        node[0], square[0], depth = tree.level[top], 0.0, 1
        while depth > 0:
            depth -= 1
            box = node[depth]
            if square[depth] > feet.distance[p]:
                continue
            if box < tree.level[1]:
                _try_pieces(at, p, box)
                continue
            first, end = _boxes_inside(tree, box)
            bottom = depth
            for child in range(first, end):
                away = _box_square(tree.box[child], points[p, 0], points[p, 1])
                if away <= feet.distance[p]:
                    node[depth], square[depth] = child, away
                    depth += 1
            _sort_far_first(node, square, bottom, depth)


def find_feet(tree: Tree, is_open: NDArray[np.bool_], points: Floats) -> Feet:
    """Find the nearest street to each point.

    Parameters
    ----------
    tree : Tree
    is_open : ndarray of bool, shape (n_segments,)
        Segments that count; of equally near ones the first.
    points : ndarray of float64, shape (n, 2)
        Metres.
    """
    n = len(points)
    feet = Feet(
        vertex=np.full(n, NONE, np.int32),
        segment=np.full(n, NONE, np.int32),
        share=np.zeros(n),
        distance=np.full(n, np.inf),
    )
    search(Search(tree, is_open, np.ascontiguousarray(points), feet))
    return feet._replace(distance=np.sqrt(feet.distance))
