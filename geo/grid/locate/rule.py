"""The one rule that gives every point its owner; exact, from the geometry alone."""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from geo.grid.locate.index import Index
from geo.grid.locate.near import nearest
from geo.topology import LATTICE

OUTER_REACH: Final = 0.01
"""Metres outside the outer border within which a point still belongs to the nearest cell."""

OWNED, ON_LINE = 1, 2
"""Bits of `_side`: the polygon owns the point; the point lies on its border."""


class Owners(NamedTuple):
    """Who owns each point, and how plainly.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Polygon; -1 for none.
    is_plain : ndarray of bool, shape (n,)
        The point lies inside its polygon, off every border.
    """

    row: np.ndarray
    is_plain: np.ndarray


def locate(index: Index, lonlat: np.ndarray) -> np.ndarray:
    """Return the polygon that owns each point, -1 for none; int64, (n,)."""
    return find_owners(index, lonlat).row


def find_owners(index: Index, lonlat: np.ndarray) -> Owners:
    """Return the polygon that owns each point and whether the point lies off every border.

    Parameters
    ----------
    lonlat : ndarray of float64, shape (n, 2)
        EPSG:4326; NaN where a point has no position.
    """
    return Owners(*_locate(np.ascontiguousarray(lonlat, dtype=np.float64), index))


def look_up(index: Index, lon: float, lat: float) -> int:
    """Return the polygon that owns one point, -1 for none."""
    return int(_owner(index, float(lon), float(lat))[0])


@njit(cache=True)
def _side(index: Index, polygon: int, x: int, y: int) -> int:
    """Return the bits `OWNED` and `ON_LINE` of a point and a polygon; exact.

    Counts the edges a ray due east crosses (half-open: an edge owns its lower end), the point
    moved by (e, e²): then no vertex lies on the ray and no edge under the point.
    """
    odd = on_line = False
    for ring in range(index.polygon_start[polygon], index.polygon_start[polygon + 1]):
        first = index.ring_start[ring]
        bx, by = index.points[first, 0], index.points[first, 1]
        for i in range(first + 1, index.ring_start[ring + 1]):
            ax, ay = bx, by
            bx, by = index.points[i, 0], index.points[i, 1]
            if (ay > y and by > y) or (ay < y and by < y) or (ax < x and bx < x):
                continue
            if ay == y and (ax == x or (by == y and (ax < x) != (bx < x))):
                on_line = True
            if (ay > y) == (by > y):
                continue
            reach, share = (bx - ax) * (y - ay), (x - ax) * (by - ay)
            if reach == share:
                on_line = True
            elif (reach > share) == (by > ay):
                odd = not odd
    return (OWNED if odd else 0) | (ON_LINE if on_line else 0)


@njit(cache=True)
def _on_lattice(lon: float, lat: float) -> tuple[int, int]:
    return int(np.rint(lon / LATTICE)), int(np.rint(lat / LATTICE))


@njit(cache=True)
def _bin(index: Index, x: int, y: int) -> int:
    """Return the bin a point lies in, -1 outside of all."""
    column, row = (x - index.origin[0]) // index.side, (y - index.origin[1]) // index.side
    if 0 <= column < index.shape[0] and 0 <= row < index.shape[1]:
        return int(row * index.shape[0] + column)
    return -1


@njit(cache=True)
def _owner(index: Index, lon: float, lat: float) -> tuple[int, bool]:
    """Return the polygon that owns a point, else -1, and whether it lies off every border."""
    if not (abs(lon) <= 360.0 and abs(lat) <= 90.0):
        return -1, False
    x, y = _on_lattice(lon, lat)
    cell = _bin(index, x, y)
    if cell >= 0:
        for j in range(index.bin_start[cell], index.bin_start[cell + 1]):
            polygon = index.candidates[j]
            if x < index.boxes[polygon, 0] or x > index.boxes[polygon, 2]:
                continue
            if y < index.boxes[polygon, 1] or y > index.boxes[polygon, 3]:
                continue
            side = _side(index, polygon, x, y)
            if side & OWNED:
                return polygon, side == OWNED
    return nearest(index, x, y, OUTER_REACH, -1)[0], False


@njit(cache=True)
def _by_bin(lonlat: np.ndarray, index: Index) -> np.ndarray:
    """Return the order of the points by bin: neighbours read the same polygons, twice as fast."""
    start = np.zeros(len(index.bin_start) + 1, np.int64)
    at = np.zeros(len(lonlat), np.int64)
    for k in range(len(lonlat)):
        lon, lat = lonlat[k, 0], lonlat[k, 1]
        if abs(lon) <= 360.0 and abs(lat) <= 90.0:
            x, y = _on_lattice(lon, lat)
            at[k] = _bin(index, x, y) + 1
        start[at[k] + 1] += 1
    start = np.cumsum(start)
    order = np.empty(len(lonlat), np.int64)
    for k in range(len(lonlat)):
        order[start[at[k]]] = k
        start[at[k]] += 1
    return order


@njit(cache=True)
def _locate(lonlat: np.ndarray, index: Index) -> tuple[np.ndarray, np.ndarray]:
    """Return `_owner` of many points."""
    order = _by_bin(lonlat, index)
    ordered = lonlat[order]
    row, plain = np.empty(len(lonlat), np.int64), np.empty(len(lonlat), np.bool_)
    for k in range(len(ordered)):
        row[k], plain[k] = _owner(index, ordered[k, 0], ordered[k, 1])
    found, is_plain = np.empty_like(row), np.empty_like(plain)
    found[order], is_plain[order] = row, plain
    return found, is_plain
