"""The nearest polygon of a point, and who comes first of several equally near."""

from typing import Final

import numpy as np
from numba import njit

from geo.grid.locate.index import Index
from geo.topology import LATTICE

SAME_DISTANCE: Final = 1e-6
"""Metres by which equal distances may differ through rounding."""

SEMI_MAJOR: Final = 6_378_137.0
"""Metres, WGS-84 (NGA.STND.0036, table 3.1)."""

ECCENTRICITY_2: Final = 0.006694379990141
"""First eccentricity squared, WGS-84 (the same, table 3.3)."""


def nearest_units(
    index: Index, lonlat: np.ndarray, *, reach: float, but: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest polygon within `reach` metres of each point, and how far it is.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (n, 2)
    reach : float
        Metres.
    but : ndarray of int64, shape (n,)
        Polygon that does not count; -1 where all do.

    Returns
    -------
    row : ndarray of int64, shape (n,)
        -1 where none is so near.
    distance : ndarray of float64, shape (n,)
        Metres; NaN where none is so near. Measured in the plane that touches WGS-84 at the
        point: right to 0.1 % within 5 km.
    """
    found = _nearest_of(np.ascontiguousarray(lonlat, dtype=np.float64), index, reach, but)
    return found[0], np.where(found[0] < 0, np.nan, found[1])


@njit(cache=True)
def _nearest_of(
    lonlat: np.ndarray, index: Index, reach: float, but: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return `_nearest` of many points."""
    row = np.full(len(lonlat), -1, np.int64)
    distance = np.full(len(lonlat), np.inf)
    for k in range(len(lonlat)):
        lon, lat = lonlat[k, 0], lonlat[k, 1]
        if abs(lon) <= 360.0 and abs(lat) <= 90.0:
            x, y = int(np.rint(lon / LATTICE)), int(np.rint(lat / LATTICE))
            row[k], distance[k] = nearest(index, x, y, reach, but[k])
    return row, distance


@njit(cache=True)
def nearest(index: Index, x: int, y: int, reach: float, but: int) -> tuple[int, float]:
    """Return the nearest polygon within `reach` metres, else -1, and its distance.

    Bins are searched in square rings around the point until what lies farther cannot be nearer.
    """
    east, north = _step_lengths(y)
    at = (x, y, east, north)
    n_columns, n_rows = index.shape
    column, row = (x - index.origin[0]) // index.side, (y - index.origin[1]) // index.side
    limits, best = (reach, but), (-1, reach, 0, 0)
    ring = 0
    while True:
        gap = _ring_gap(index, at, ring)
        if gap > reach or (best[0] >= 0 and index.rank[best[0]] == 0 and gap > best[1]):
            return best[0], best[1]
        for at_row in range(max(row - ring, 0), min(row + ring, n_rows - 1) + 1):
            step = 1 if abs(at_row - row) == ring else 2 * ring
            for at_column in range(column - ring, column + ring + 1, step):
                if 0 <= at_column < n_columns:
                    best = _nearest_in_bin(index, at_row * n_columns + at_column, at, limits, best)
        ring += 1


@njit(cache=True)
def _ring_gap(index: Index, at: tuple[int, int, float, float], ring: int) -> float:
    """Return how far the bins of a ring are at least: the way out of all rings inside it."""
    if ring == 0:
        return 0.0
    into_x, into_y = (at[0] - index.origin[0]) % index.side, (at[1] - index.origin[1]) % index.side
    inner = (ring - 1) * index.side
    across = min(into_x, index.side - into_x) + inner
    along = min(into_y, index.side - into_y) + inner
    return float(min(across * at[2], along * at[3]))


@njit(cache=True)
def _nearest_in_bin(
    index: Index,
    cell: int,
    at: tuple[int, int, float, float],
    limits: tuple[float, int],
    best: tuple[int, float, int, int],
) -> tuple[int, float, int, int]:
    """Return the nearer of `best` and the polygons of one bin: row, distance, direction."""
    for j in range(index.bin_start[cell], index.bin_start[cell + 1]):
        polygon = index.candidates[j]
        box = index.boxes[polygon]
        beside = max(box[0] - at[0], at[0] - box[2], 0) * at[2]
        above = max(box[1] - at[1], at[1] - box[3], 0) * at[3]
        if polygon in (limits[1], best[0]) or np.hypot(beside, above) > limits[0]:
            continue
        found = _distance(index, polygon, at)
        if _comes_first(index, found, best):
            best = found
    return best


@njit(cache=True)
def _step_lengths(y: int) -> tuple[float, float]:
    """Return the metres of one lattice step eastwards and northwards.

    Radii of curvature of the ellipsoid in the prime vertical and the meridian (Torge and Mueller,
    Geodesy, 4th edition, 2012, section 4.1).
    """
    latitude = np.radians(y * LATTICE)
    flat = 1.0 - ECCENTRICITY_2 * np.sin(latitude) ** 2
    step = np.radians(LATTICE) * SEMI_MAJOR
    return step * np.cos(latitude) / np.sqrt(flat), step * (1.0 - ECCENTRICITY_2) / flat**1.5


@njit(cache=True)
def _distance(
    index: Index, polygon: int, at: tuple[int, int, float, float]
) -> tuple[int, float, int, int]:
    """Return the polygon, how far its border is, and the direction its inside begins there.

    At the nearest point of the border the inside lies between the edge that leaves and the edge
    that comes, counterclockwise: it begins at the one that leaves.
    """
    nearest, dx, dy = np.inf, 0, 0
    for ring in range(index.polygon_start[polygon], index.polygon_start[polygon + 1]):
        for i in range(index.ring_start[ring], index.ring_start[ring + 1] - 1):
            ax, ay = index.points[i, 0] - at[0], index.points[i, 1] - at[1]
            bx, by = index.points[i + 1, 0] - at[0], index.points[i + 1, 1] - at[1]
            ux, uy = (bx - ax) * at[2], (by - ay) * at[3]
            px, py = -ax * at[2], -ay * at[3]
            along = (px * ux + py * uy) / max(ux * ux + uy * uy, 1e-12)
            if along >= 1.0:
                continue  # the next edge begins there
            along = max(along, 0.0)
            gap = np.hypot(px - along * ux, py - along * uy)
            if along > 0.0 and ax * by == ay * bx:
                gap = 0.0
            if gap < nearest:
                nearest, dx, dy = gap, bx - ax, by - ay
    return polygon, nearest, dx, dy


@njit(cache=True)
def _comes_first(
    index: Index, one: tuple[int, float, int, int], other: tuple[int, float, int, int]
) -> bool:
    """Say whether one polygon is preferred: by rank, distance, turn from east, at last by row."""
    if other[0] < 0:
        return one[1] <= other[1]
    if index.rank[one[0]] != index.rank[other[0]]:
        return bool(index.rank[one[0]] < index.rank[other[0]])
    if abs(one[1] - other[1]) > SAME_DISTANCE:
        return one[1] < other[1]
    if _turns_first(one[2], one[3], other[2], other[3]):
        return True
    return one[0] < other[0] and not _turns_first(other[2], other[3], one[2], one[3])


@njit(cache=True)
def _turns_first(ax: int, ay: int, bx: int, by: int) -> bool:
    """Say whether direction a comes before b, turning counterclockwise from east."""
    a_lower, b_lower = ay < 0 or (ay == 0 and ax < 0), by < 0 or (by == 0 and bx < 0)
    if a_lower != b_lower:
        return bool(b_lower)
    return bool(ax * by > ay * bx)
