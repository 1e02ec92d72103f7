"""Polygons of a city in square bins, in whole steps of the lattice of written coordinates."""

from typing import Final, NamedTuple

import numpy as np
import shapely
from numba import njit

from geo.topology import to_lattice

MAX_BINS: Final = 4_000_000
"""Bins of the index at most; 32 MB of offsets."""


class Index(NamedTuple):
    """Polygons in square bins, ready for exact point location.

    A tuple, so that numba can read it.

    Attributes
    ----------
    points : ndarray of int64, shape (n_vertices, 2)
        Ring vertices in lattice steps, the inside on the left.
    ring_start, polygon_start : ndarray of int64
        First vertex of each ring, first ring of each polygon; one more than there are.
    boxes : ndarray of int64, shape (n_polygons, 4)
    rank : ndarray of int64, shape (n_polygons,)
        Where polygons overlap, the lowest rank owns the point.
    origin : tuple of int
    side : int
        Bin side in lattice steps.
    shape : tuple of int
        Columns and rows of bins.
    bin_start, candidates : ndarray of int64
        Polygons whose box touches a bin, by rank, then row.
    """

    points: np.ndarray
    ring_start: np.ndarray
    polygon_start: np.ndarray
    boxes: np.ndarray
    rank: np.ndarray
    origin: tuple[int, int]
    side: int
    shape: tuple[int, int]
    bin_start: np.ndarray
    candidates: np.ndarray


def build_index(polygons: np.ndarray, rank: np.ndarray | None = None) -> Index:
    """Return the index of an array of Polygons or MultiPolygons in longitude and latitude.

    Parameters
    ----------
    polygons : ndarray of Polygon or MultiPolygon, shape (n,)
        Edge-matched where they meet.
    rank : ndarray of int64, shape (n,), optional
        Of polygons that overlap by intent (a village and the township around it), the lowest owns
        the point. Default: all equal; of two that overlap by mistake the first row does.
    """
    points, ring_start, polygon_start = _rings_of(polygons)
    boxes = to_lattice(shapely.bounds(polygons))
    west, south = boxes[:, :2].min(axis=0)
    width, height = boxes[:, 2].max() - west + 1, boxes[:, 3].max() - south + 1
    typical = np.sqrt(np.median(np.prod(boxes[:, 2:] - boxes[:, :2] + 1.0, axis=1)))
    side = int(max(typical, np.sqrt(float(width) * float(height) / MAX_BINS), 1.0))
    shape = (int(width) // side + 1, int(height) // side + 1)
    origin = (int(west), int(south))
    ranks = np.zeros(len(polygons), np.int64) if rank is None else np.asarray(rank, np.int64)
    ranks = ranks - ranks.min()
    order = np.argsort(ranks, kind="stable")
    bin_start, candidates = fill_bins(boxes, order, origin, side, shape)
    return Index(
        points=points,
        ring_start=ring_start,
        polygon_start=polygon_start,
        boxes=boxes,
        rank=ranks,
        origin=origin,
        side=side,
        shape=shape,
        bin_start=bin_start,
        candidates=candidates,
    )


def _rings_of(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices on the lattice, and where rings and polygons start."""
    kind, coordinates, offsets = shapely.to_ragged_array(polygons, include_z=False)
    starts = [np.asarray(one, dtype=np.int64) for one in offsets or ()]
    if kind is shapely.GeometryType.MULTIPOLYGON:
        ring_start, part_start, first_part = starts
        polygon_start = part_start[first_part]
    else:
        ring_start, part_start = starts
        polygon_start = part_start
    points = to_lattice(coordinates)
    is_shell = np.zeros(len(ring_start) - 1, dtype=np.bool_)
    is_shell[part_start[:-1]] = True
    turn_rings(points, ring_start, is_shell)
    return points, ring_start, polygon_start


@njit(cache=True)
def turn_rings(points: np.ndarray, ring_start: np.ndarray, is_shell: np.ndarray) -> None:
    """Turn every ring, in place, so that the inside of its polygon is on the left."""
    for ring in range(len(ring_start) - 1):
        first, last = ring_start[ring], ring_start[ring + 1]
        area = 0
        for i in range(first, last - 1):
            ax, ay = points[i, 0] - points[first, 0], points[i, 1] - points[first, 1]
            area += ax * (points[i + 1, 1] - points[i, 1]) - ay * (points[i + 1, 0] - points[i, 0])
        if (area > 0) != is_shell[ring]:
            points[first:last] = points[first:last][::-1].copy()


@njit(cache=True)
def fill_bins(
    boxes: np.ndarray, order: np.ndarray, origin: tuple[int, int], side: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return, per bin, the polygons whose box touches it, in the given order."""
    n_columns = shape[0]
    start = np.zeros(shape[0] * shape[1] + 1, np.int64)
    span = np.empty((len(boxes), 4), np.int64)
    for polygon in range(len(boxes)):
        for axis in range(4):
            span[polygon, axis] = (boxes[polygon, axis] - origin[axis % 2]) // side
        for row in range(span[polygon, 1], span[polygon, 3] + 1):
            for column in range(span[polygon, 0], span[polygon, 2] + 1):
                start[row * n_columns + column + 1] += 1
    start = np.cumsum(start)
    position = start[:-1].copy()
    candidates = np.empty(start[-1], np.int64)
    for polygon in order:
        for row in range(span[polygon, 1], span[polygon, 3] + 1):
            for column in range(span[polygon, 0], span[polygon, 2] + 1):
                cell = row * n_columns + column
                candidates[position[cell]] = polygon
                position[cell] += 1
    return start, candidates
