"""Where points go and which of them are joined: weighted centres and neighbour graphs."""

import numpy as np
import shapely
from scipy.spatial import Delaunay, cKDTree
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.lines import Ints, Shapes
from geo.sample.stream import Stream


def weighted_centres(xy: Floats, weight: Floats, n: int, *, rounds: int, stream: Stream) -> Floats:
    """Return n centres of weighted points: farthest-point start, then Lloyd's rounds.

    Parameters
    ----------
    xy : ndarray of float64, shape (m, 2)
    weight : ndarray of float64, shape (m,)
    n : int
        At most m.
    rounds : int

    Returns
    -------
    ndarray of float64, shape (n, 2)
    """
    chosen = [int(np.argmax(weight * (0.5 + stream.uniforms(len(xy)))))]
    gap = exact.norm(xy - xy[chosen[0]])
    root = np.sqrt(weight)
    while len(chosen) < n:
        chosen.append(int(np.argmax(gap * root * (0.6 + 0.4 * stream.uniforms(len(xy))))))
        gap = np.minimum(gap, exact.norm(xy - xy[chosen[-1]]))
    centres = xy[chosen].copy()
    for _ in range(rounds):
        nearest = nearest_rows(centres, xy)
        mass = np.bincount(nearest, weight, n)
        held = mass > 0
        for axis in (0, 1):
            moment = np.bincount(nearest, weight * xy[:, axis], n)
            centres[held, axis] = moment[held] / mass[held]
    return centres


def nearest_rows(of: Floats, to: Floats) -> Ints:
    """Return for each row of `to` the row of `of` that lies nearest."""
    return np.asarray(cKDTree(of).query(to)[1], dtype=np.int64)


def rows_containing(polygons: Shapes, xy: Floats) -> Ints:
    """Return the polygon each point lies in; the nearest one where it lies in none.

    Parameters
    ----------
    polygons : ndarray of Polygon
        Without overlap; each is prepared.
    """
    found = np.full(len(xy), -1, dtype=np.int64)
    shapely.prepare(polygons)
    for row, (x0, y0, x1, y1) in enumerate(shapely.bounds(polygons)):
        boxed = (xy[:, 0] >= x0) & (xy[:, 0] <= x1) & (xy[:, 1] >= y0) & (xy[:, 1] <= y1)
        near = np.flatnonzero(boxed & (found < 0))
        found[near[shapely.contains_xy(polygons[row], xy[near])]] = row
    lost = found < 0
    if lost.any():
        found[lost] = shapely.STRtree(polygons).nearest(shapely.points(xy[lost]))
    return found


def scattered_inside(area: BaseGeometry, n: int, stream: Stream) -> Floats:
    """Return up to n points scattered evenly in an area."""
    x0, y0, x1, y1 = area.bounds
    xy = np.stack([stream.uniforms(4 * n, x0, x1), stream.uniforms(4 * n, y0, y1)], axis=1)
    return np.asarray(xy[shapely.contains_xy(area, xy)][:n])


def gabriel_edges(xy: Floats) -> tuple[Ints, Floats]:
    """Return the Gabriel graph: pairs whose circle of the diameter holds no other point.

    Returns
    -------
    edges : ndarray of int64, shape (m, 2)
        Sorted.
    length : ndarray of float64, shape (m,)
        Metres.

    References
    ----------
    Gabriel and Sokal (1969), doi:10.2307/2412323.
    """
    if len(xy) < 4:
        pairs = [(i, j) for i in range(len(xy)) for j in range(i + 1, len(xy))]
        edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return edges, exact.norm(xy[edges[:, 0]] - xy[edges[:, 1]])
    corners = Delaunay(xy).simplices
    sides = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    edges = np.unique(np.sort(sides, axis=1), axis=0).astype(np.int64)
    length = exact.norm(xy[edges[:, 0]] - xy[edges[:, 1]])
    middle = (xy[edges[:, 0]] + xy[edges[:, 1]]) / 2.0
    is_free = cKDTree(xy).query(middle)[0] >= length / 2.0 - 1e-6
    return edges[is_free], length[is_free]
