"""What a ring that crosses itself encloses, by the non-zero winding rule.

The ring is noded on the lattice of written coordinates; its pieces bound faces. Crossing a piece
from its right to its left raises the winding number by one, so the number of every face follows
from its neighbours', outwards in: time and memory grow with the number of crossings, not with
faces times pieces.

References
----------
J. W. Alexander, Topological invariants of knots and links, Transactions of the American
Mathematical Society 30 (1928) 275-306, doi:10.1090/S0002-9947-1928-1501429-1: the numbering of
the regions of a closed curve.
"""

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order

from geo.topology.node import snap_round
from geo.topology.segment import (
    as_lines,
    keys_of,
    runs_of_equal,
    segments_of,
    steps_of,
    to_degrees,
    to_lattice,
)


def areas_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Return what an invalid shape encloses, a Polygon or MultiPolygon: the non-zero winding rule.

    A bow tie becomes its two triangles, a ring that overlaps itself keeps the overlap, and a hole
    drawn as part of the outer ring stays a hole. `shapely.make_valid` gets one of the last two
    wrong, by either of its methods, and may return lines and points beside the areas.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
        Longitude and latitude.
    """
    shells, holes = [], []
    for part in shapely.get_parts(shape):
        shells.append(_wound(shapely.get_exterior_ring(part)))
        holes += [_wound(ring) for ring in part.interiors]
    return shapely.difference(shapely.union_all(shells), shapely.union_all(holes))


def _wound(ring: shapely.Geometry) -> shapely.Geometry:
    """Return the area that a ring winds around at least once, on the lattice."""
    at = to_lattice(shapely.get_coordinates(ring))
    _, begin, end = snap_round(at[:-1], at[1:]).edges()
    low, high, net = _net_passes(keys_of(begin), keys_of(end))
    lines = as_lines(to_degrees(np.stack([steps_of(low), steps_of(high)], axis=1)))
    faces = np.asarray(shapely.get_parts(shapely.polygonize(lines)))
    if len(faces) == 0:
        return shapely.Polygon()
    faces = np.asarray(shapely.orient_polygons(faces))
    return shapely.coverage_union_all(faces[windings(faces, low, high, net) != 0])


def _net_passes(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each piece once, and how much oftener it is run up than down.

    Parameters
    ----------
    begin, end : ndarray of int64
        Vertex keys of directed pieces.

    Returns
    -------
    low, high : ndarray of int64
        Vertex keys of the pieces, ascending by both.
    net : ndarray of int64
        Passes from low to high less passes from high to low.
    """
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    order, start = runs_of_equal(low, high)
    net = np.add.reduceat(np.where(begin == low, 1, -1)[order], start) if len(start) else start
    return low[order[start]], high[order[start]], net


def windings(faces: np.ndarray, low: np.ndarray, high: np.ndarray, net: np.ndarray) -> np.ndarray:
    """Return how often a closed curve winds around each face of its arrangement.

    Parameters
    ----------
    faces : ndarray of Polygon, shape (n,)
        Shells counter-clockwise, holes clockwise: a face lies left of all its segments.
    low, high, net : ndarray of int64, shape (m,)
        Pieces of the curve by vertex keys, ascending, and their net passes; pieces that bound no
        face (passed as often up as down) may be among them.

    Returns
    -------
    ndarray of int64, shape (n,)
        Counter-clockwise positive.
    """
    outside = len(faces)
    left, right = _sides(faces, low, high)
    bounds = left != right
    one, other, rise = left[bounds], right[bounds], net[bounds]
    begin, end = np.concatenate([other, one]), np.concatenate([one, other])
    rise = np.concatenate([rise, -rise])  # from begin to end
    order, start = runs_of_equal(end, begin)
    begin, end, rise = begin[order[start]], end[order[start]], rise[order[start]]
    shape = (outside + 1, outside + 1)
    near = coo_matrix((np.ones(len(begin), dtype=np.int8), (begin, end)), shape=shape).tocsr()
    _, before = breadth_first_order(near, outside, directed=True)
    return _summed(before.astype(np.int64), outside, begin, end, rise)[:outside]


def _sides(faces: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the face left and right of every piece as it runs up; outside is ``len(faces)``."""
    sides = segments_of(faces)
    piece = _rows_of(sides.low, sides.high, low, high)
    is_up = sides.turn > 0
    left = np.full(len(low), len(faces), dtype=np.int64)
    right = left.copy()
    left[piece[is_up]] = sides.owner[is_up]
    right[piece[~is_up]] = sides.owner[~is_up]
    return left, right


def _rows_of(
    low: np.ndarray, high: np.ndarray, among_low: np.ndarray, among_high: np.ndarray
) -> np.ndarray:
    """Return the row that holds each pair of keys, among pairs that are all different."""
    keys, row = np.unique(np.concatenate([among_low, among_high]), return_inverse=True)
    n = len(among_low)
    among = row[:n] * len(keys) + row[n:]
    order = np.argsort(among, kind="stable")
    wanted = np.searchsorted(keys, low) * len(keys) + np.searchsorted(keys, high)
    return np.asarray(order[np.searchsorted(among[order], wanted)])


def _summed(
    before: np.ndarray, root: int, begin: np.ndarray, end: np.ndarray, rise: np.ndarray
) -> np.ndarray:
    """Return the sum of rises from the root of a tree to each of its nodes, by pointer jumping.

    Parameters
    ----------
    before : ndarray of int64, shape (n,)
        Node above each in the tree; anything for the root.
    begin, end, rise : ndarray of int64
        Directed pairs, ascending by end and begin, each once; those of the tree are among them.
    """
    n = len(before)
    node = np.flatnonzero(np.arange(n) != root)
    total = np.zeros(n, dtype=np.int64)
    total[node] = rise[np.searchsorted(end * n + begin, node * n + before[node])]
    above = before.copy()
    above[root] = root
    while (above != root).any():
        total += total[above]
        above = above[above]
    return total
