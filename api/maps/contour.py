"""Counts on a smoothed grid, and the areas above a level of it."""

from dataclasses import dataclass
from itertools import pairwise

import contourpy
import numpy as np
import numpy.typing as npt
import shapely
from scipy.ndimage import gaussian_filter

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountGrid:
    """Smoothed counts on square cells.

    Attributes
    ----------
    values : ndarray of float64, shape (rows, columns)
        Counts per cell, south to north and west to east.
    x, y : ndarray of float64
        Metres of the cell centres.
    side : float
        Metres.
    """

    values: Floats
    x: Floats
    y: Floats
    side: float


def count_on_grid(points: Floats, weights: Floats, *, side: float, blur: float) -> CountGrid:
    """Return the weight of `points`, shape (n, 2) metres, on cells of `side`.

    Counts are blurred by `blur` cells. A margin as wide as the blur keeps every contour closed.
    """
    margin = np.ceil(4 * blur + 1) * side
    low = np.floor((points.min(axis=0) - margin) / side) * side
    n_columns, n_rows = np.ceil((points.max(axis=0) + margin - low) / side).astype(int)
    column, row = np.floor((points - low) / side).astype(int).T
    flat = np.bincount(row * n_columns + column, weights, minlength=n_rows * n_columns)
    counts = flat.reshape(n_rows, n_columns).astype(np.float64)
    return CountGrid(
        values=gaussian_filter(counts, blur, mode="constant"),
        x=low[0] + (np.arange(n_columns) + 0.5) * side,
        y=low[1] + (np.arange(n_rows) + 0.5) * side,
        side=side,
    )


def contour_above(grid: CountGrid, level: float) -> Geometries:
    """Return the polygons where `grid` is above `level`, with their holes."""
    generator = contourpy.contour_generator(
        grid.x, grid.y, grid.values, fill_type=contourpy.FillType.OuterOffset
    )
    points, offsets = generator.filled(level, np.inf)[:2]
    polygons = [
        shapely.Polygon(
            ring[cut[0] : cut[1]],
            [ring[a:b] for a, b in pairwise(cut[1:])],
        )
        for ring, cut in zip(points, offsets, strict=True)
        if ring is not None and cut is not None
    ]
    return np.array(polygons, dtype=object)
