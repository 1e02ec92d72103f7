"""Noding by snap rounding: segments cut where they meet, every vertex on the lattice.

A hot pixel is the square of one lattice step around an end or a (rounded) crossing. Every segment
is led through the centres of the hot pixels it passes, in order; the pieces then meet at their
ends only, and no piece lies farther than 0.71 steps (8 mm) from its segment.

References
----------
J. D. Hobby, Practical segment intersection with finite precision output, Computational Geometry
13 (1999) 199-214, doi:10.1016/S0925-7721(99)00021-8.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geo.topology.segment import as_lines

REACH: Final = 0.7072
"""Lattice steps from a pixel's centre to its corner, rounded up."""

CROWDED: Final = 4
"""Pixels for each segment from which on it is looked for in pieces; streets have one or two."""


@dataclass(frozen=True, slots=True)
class Chains:
    """Segments led through hot pixels.

    Attributes
    ----------
    row : ndarray of int64, shape (m,)
        Row of the segment; ascending.
    steps : ndarray of int64, shape (m, 2)
        Vertices in lattice steps, along each segment.
    """

    row: np.ndarray
    steps: np.ndarray

    def edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the row and the two ends of every piece; ends int64, shape (k, 2)."""
        joined = self.row[1:] == self.row[:-1]
        joined &= (self.steps[1:] != self.steps[:-1]).any(axis=1)
        return self.row[:-1][joined], self.steps[:-1][joined], self.steps[1:][joined]


def snap_round(begin: np.ndarray, end: np.ndarray) -> Chains:
    """Cut segments where they meet.

    Parameters
    ----------
    begin, end : ndarray of int64, shape (n, 2)
        Lattice steps.
    """
    if len(begin) == 0:
        return Chains(np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64))
    origin = np.minimum(begin.min(axis=0), end.min(axis=0))
    a, b = (begin - origin).astype(np.float64), (end - origin).astype(np.float64)
    lines = as_lines(np.stack([a, b], axis=1))
    hot = np.unique(np.concatenate([a, b, _crossings(a, b, lines)]), axis=0)
    segment, pixel = _near(a, b, hot)
    at, hits = _passage(a[segment], b[segment], hot[pixel])
    segment, pixel, at = segment[hits], pixel[hits], at[hits]
    order = np.lexsort((at, segment))
    return Chains(segment[order], hot[pixel[order]].astype(np.int64) + origin)


def _crossings(a: np.ndarray, b: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return where segments cross inside both, rounded to whole steps; shape (k, 2)."""
    one, other = shapely.STRtree(lines).query(lines, predicate="crosses")
    one, other = one[one < other], other[one < other]
    along, across = b[one] - a[one], b[other] - a[other]
    between = a[other] - a[one]
    turn = _cross(along, across)
    skew = turn != 0
    share = _cross(between[skew], across[skew]) / turn[skew]
    return np.asarray(np.rint(a[one][skew] + share[:, None] * along[skew]))


def _near(a: np.ndarray, b: np.ndarray, hot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of segment and pixel within reach of each other, each once.

    Where many pixels lie on each segment it is asked for in pieces: the box around a long slanting
    segment holds a large part of all pixels, the boxes of its pieces next to none.
    """
    n = 1 + len(hot) // (CROWDED * len(a))
    share = np.linspace(0.0, 1.0, n + 1)[:, None]
    ends = a[:, None] + share * (b - a)[:, None]
    pieces = as_lines(np.stack([ends[:, :-1], ends[:, 1:]], axis=2).reshape(-1, 2, 2))
    tree = shapely.STRtree(np.asarray(shapely.points(hot)))
    piece, pixel = tree.query(pieces, predicate="dwithin", distance=REACH)
    if n == 1:
        return piece, pixel
    return np.divmod(np.unique(piece // n * len(hot) + pixel), len(hot))


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the z component of the cross products; exact below 2**53."""
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])


def _passage(a: np.ndarray, b: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where along each segment it passes a pixel, 0 to 1, and whether it does.

    Clips the segment at the four sides (Liang and Barsky, doi:10.1145/357332.357333).
    """
    enter, leave = np.zeros(len(a)), np.ones(len(a))
    hits = np.ones(len(a), dtype=bool)
    for axis in (0, 1):
        run = b[:, axis] - a[:, axis]
        near, far = centre[:, axis] - 0.5 - a[:, axis], centre[:, axis] + 0.5 - a[:, axis]
        flat = run == 0
        hits &= ~flat | ((near <= 0) & (far >= 0))
        safe = np.where(flat, 1.0, run)
        one, other = near / safe, far / safe
        enter = np.where(flat, enter, np.maximum(enter, np.minimum(one, other)))
        leave = np.where(flat, leave, np.minimum(leave, np.maximum(one, other)))
    return (enter + leave) / 2, hits & (enter <= leave)
