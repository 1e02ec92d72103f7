"""Lines that cut blocks with too many households along their buildings.

A compound of 400 households has no inner street that could bound a grid of 100. Its buildings are
halved again and again, across the longer side, between two rows of buildings; the cut lines then
join the streets as edges of blocks.
"""

from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.frames import Col
from geo.grid.blocks import Plane
from geo.grid.locate import build_index, locate

OVERSHOOT: Final = 0.3
"""Metres a cut line runs past what it must meet, so that rounding cannot leave it short."""


def cut_lines(
    faces: np.ndarray,
    buildings: gpd.GeoDataFrame,
    plane: Plane,
    *,
    above: float,
    aim: float,
) -> np.ndarray:
    """Return lines, in degrees, that cut every face of more than `above` households.

    Parameters
    ----------
    faces : ndarray of Polygon
        In degrees.
    above : float
        Households a face may hold without a cut.
    aim : float
        Households a piece may hold; a single building is never cut.
    """
    if len(buildings) == 0:
        return np.zeros(0, dtype=object)
    lonlat = shapely.get_coordinates(buildings.geometry.to_numpy())
    weight = buildings[Col.HOUSEHOLDS].to_numpy(dtype=np.float64)
    face = locate(build_index(faces), lonlat)
    order = np.argsort(face, kind="stable")
    begin = np.searchsorted(face[order], np.arange(len(faces) + 1))
    total = np.bincount(face[face >= 0], weight[face >= 0], minlength=len(faces))
    large = np.flatnonzero(total > above)
    metric = plane.project(faces[large])
    axes = _long_axes(metric)
    xy = plane.metres(lonlat)
    lines, owner = [], []
    for row, (big, polygon, axis) in enumerate(zip(large, metric, axes, strict=True)):
        inside = order[begin[big] : begin[big + 1]]
        turn = np.array([[axis[0], -axis[1]], [axis[1], axis[0]]])
        outline = shapely.get_coordinates(polygon) @ turn
        box = np.array([outline.min(axis=0), outline.max(axis=0)])
        pieces = _bisect(xy[inside] @ turn, weight[inside], box, aim)
        lines += [piece @ turn.T for piece in pieces]
        owner += [row] * len(pieces)
    if not lines:
        return np.zeros(0, dtype=object)
    reach = shapely.buffer(metric, OVERSHOOT, quad_segs=1, join_style="mitre")
    clipped = shapely.intersection(shapely.linestrings(np.array(lines)), reach[owner])
    parts = shapely.get_parts(clipped)
    parts = parts[shapely.get_dimensions(parts) == 1]
    return np.asarray(shapely.transform(parts, plane.degrees))


def _long_axes(polygons: np.ndarray) -> np.ndarray:
    """Return the unit vector along the longer side of each polygon's smallest rectangle."""
    axes = np.zeros((len(polygons), 2))
    for row, rectangle in enumerate(shapely.oriented_envelope(polygons)):
        corner = shapely.get_coordinates(rectangle)[:3]
        sides = np.diff(corner, axis=0)
        side = sides[np.argmax(np.hypot(*sides.T))]
        axes[row] = side / np.hypot(*side)
    return axes


def _bisect(
    points: np.ndarray, weight: np.ndarray, box: np.ndarray, aim: float
) -> list[np.ndarray]:
    """Return cut lines, each of shape (2, 2), in the rectangle's own frame."""
    lines = []
    todo = [(np.arange(len(points)), box)]
    while todo:
        rows, room = todo.pop()
        if weight[rows].sum() <= aim or len(rows) < 2:
            continue
        spread = np.ptp(points[rows], axis=0)
        along = int(np.argmax(spread))
        if spread[along] < 1.0:
            continue
        rows = rows[np.argsort(points[rows, along], kind="stable")]
        cut, where = _halving(points[rows, along], weight[rows])
        line = np.array(room)
        line[:, along] = where
        line[:, 1 - along] += [-OVERSHOOT, OVERSHOOT]
        lines.append(line)
        left, right = room.copy(), room.copy()
        left[1, along] = right[0, along] = where
        todo += [(rows[:cut], left), (rows[cut:], right)]
    return lines


def _halving(position: np.ndarray, weight: np.ndarray) -> tuple[int, float]:
    """Return how many of the sorted buildings come before the cut, and where it runs.

    The cut halves the households as well as a gap between buildings allows: a metre of gap is
    worth one per cent of imbalance.
    """
    before = np.cumsum(weight)[:-1]
    imbalance = np.abs(2 * before / weight.sum() - 1)
    gap = np.diff(position)
    cut = int(np.argmin(imbalance - 0.01 * np.minimum(gap, 30.0) + (gap < 0.5)))
    return cut + 1, float((position[cut] + position[cut + 1]) / 2)
