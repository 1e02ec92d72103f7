"""Segments of polygons on the lattice of written coordinates, and who shares a border with whom.

Vertices are compared as integers on the lattice of written coordinates (1e-7 degree, about 1 cm),
so that "the same segment" is exact.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from geo.units import LONLAT_DECIMALS

LATTICE: Final = 10.0**-LONLAT_DECIMALS
"""Step of written coordinates in degrees."""

STEPS: Final = 10.0**LONLAT_DECIMALS
"""Lattice steps of one degree. Whole steps divided by it give the very numbers that reading a
text with 7 decimals gives; multiplied by `LATTICE` they may differ in the last bit."""

_SHIFT: Final = np.int64(32)
_HALF: Final = np.int64(1 << 31)


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of an array of polygons, one row per polygon that has it.

    Attributes
    ----------
    low, high : ndarray of int64, shape (n,)
        Keys of the two ends, the smaller first: equal segments have equal keys.
    owner : ndarray of int64, shape (n,)
        Row of the polygon.
    ends : ndarray of float64, shape (n, 2, 2)
        Coordinates as the polygon runs.
    """

    low: np.ndarray
    high: np.ndarray
    owner: np.ndarray
    ends: np.ndarray

    def pick(self, rows: np.ndarray) -> "Segments":
        """Return the segments of some rows, or of a mask."""
        return Segments(self.low[rows], self.high[rows], self.owner[rows], self.ends[rows])

    @property
    def turn(self) -> np.ndarray:
        """Direction of each: 1 from the lower key to the higher, else -1; int64, shape (n,)."""
        return np.where(vertex_keys(self.ends[:, 0]) == self.low, 1, -1)


@dataclass(frozen=True, slots=True)
class Borders:
    """Neighbouring polygons and what they share.

    Attributes
    ----------
    pairs : ndarray of int64, shape (n, 2)
        Rows of the two polygons, the smaller first; each pair once, in ascending order.
    length : ndarray of float64, shape (n,)
        Length of the shared border in the unit of the coordinates it was measured in.
    middle : ndarray of float64, shape (n, 2)
        Middle of the longest shared segment.
    """

    pairs: np.ndarray
    length: np.ndarray
    middle: np.ndarray


def to_lattice(lonlat: np.ndarray) -> np.ndarray:
    """Return degrees as whole lattice steps, int64."""
    return np.rint(np.asarray(lonlat) / LATTICE).astype(np.int64)


def to_degrees(steps: np.ndarray) -> np.ndarray:
    """Return whole lattice steps as degrees, float64: the numbers their written text reads as."""
    return np.asarray(steps / STEPS)


def vertex_keys(lonlat: np.ndarray) -> np.ndarray:
    """Return one int64 per vertex; equal exactly where the written coordinates are."""
    return keys_of(to_lattice(lonlat))


def keys_of(steps: np.ndarray) -> np.ndarray:
    """Return one int64 per vertex of lattice steps, shape (n, 2)."""
    return np.asarray((steps[:, 0] << _SHIFT) + steps[:, 1])


def steps_of(keys: np.ndarray) -> np.ndarray:
    """Return the lattice steps of vertex keys, int64, shape (n, 2)."""
    lon = (keys + _HALF) >> _SHIFT
    return np.stack([lon, keys - (lon << _SHIFT)], axis=1)


def segments_of(polygons: np.ndarray) -> Segments:
    """Return the segments of polygons, of one part or several, in longitude and latitude."""
    parts, part_owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)  # of a MultiPolygon it gives none
    points, ring = shapely.get_coordinates(rings, return_index=True)
    keys = vertex_keys(points)
    inside = (ring[1:] == ring[:-1]) & (keys[1:] != keys[:-1])
    begin, end = keys[:-1][inside], keys[1:][inside]
    ends = np.stack([points[:-1][inside], points[1:][inside]], axis=1)
    owner = part_owner[part[ring[:-1][inside]]]
    return Segments(np.minimum(begin, end), np.maximum(begin, end), owner, ends)


def as_lines(ends: np.ndarray) -> np.ndarray:
    """Return a LineString for each pair of ends, shape (n, 2, 2)."""
    return np.asarray(shapely.linestrings(ends))


def runs_of_equal(*keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order that brings equal rows together, and where each run of them starts.

    Parameters
    ----------
    *keys : ndarray, shape (n,)
        The first is the most significant.

    Returns
    -------
    order, start : ndarray of int64
    """
    order = np.lexsort(keys[::-1])
    fresh = np.zeros(len(order), dtype=bool)
    fresh[:1] = True
    for key in keys:
        ordered = key[order]
        fresh[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(fresh)


def shared_borders(segments: Segments, lengths: np.ndarray) -> Borders:
    """Return which polygons share a border.

    Parameters
    ----------
    segments : Segments
    lengths : ndarray of float64, shape (n,)
        Length of each segment, in metres.
    """
    order = np.lexsort((segments.owner, segments.high, segments.low))
    low, high = segments.low[order], segments.high[order]
    owner = segments.owner[order]
    twin = (low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (owner[1:] != owner[:-1])
    first = order[:-1][twin]
    pairs = np.stack([owner[:-1][twin], owner[1:][twin]], axis=1)
    return _gather(pairs, lengths[first], segments.ends[first].mean(axis=1))


def _gather(pairs: np.ndarray, length: np.ndarray, middle: np.ndarray) -> Borders:
    order = np.lexsort((-length, pairs[:, 1], pairs[:, 0]))
    pairs, length, middle = pairs[order], length[order], middle[order]
    if len(pairs) == 0:
        return Borders(pairs, length, middle)
    fresh = np.ones(len(pairs), dtype=bool)
    fresh[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    start = np.flatnonzero(fresh)
    return Borders(pairs[start], np.add.reduceat(length, start), middle[start])
