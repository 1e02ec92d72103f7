"""Points to cells: every point gets exactly one cell, decided in whole numbers.

Points and cells are compared on the lattice of written coordinates (1e-7 degree). There the
crossing test is exact integer arithmetic: a point on a shared border is *on* it, not beside it by
a rounding error, and the lowest code of the cells that touch it owns it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numba import njit

from geo.errors import FileEmpty
from geo.frames import Col
from geo.topology import to_lattice

OUTER_REACH: Final = 0.01
"""Metres outside the outer border within which a point still belongs to the nearest cell."""

MAX_BINS: Final = 4_000_000
"""Bins of the index at most; 16 MB of offsets."""


class Index(NamedTuple):
    """Polygons of a coverage in square bins, ready for exact point location.

    A tuple, so that numba can read it.

    Attributes
    ----------
    points : ndarray of int64, shape (n_vertices, 2)
        Ring vertices in lattice steps.
    ring_start, polygon_start : ndarray of int64
        First vertex of each ring, first ring of each polygon; one more than there are.
    boxes : ndarray of int64, shape (n_polygons, 4)
    origin : tuple of int
    side : int
        Bin side in lattice steps.
    shape : tuple of int
        Columns and rows of bins.
    bin_start, candidates : ndarray of int64
        Polygons whose box touches a bin, in ascending order.
    """

    points: np.ndarray
    ring_start: np.ndarray
    polygon_start: np.ndarray
    boxes: np.ndarray
    origin: tuple[int, int]
    side: int
    shape: tuple[int, int]
    bin_start: np.ndarray
    candidates: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows of a layer inside and outside the cells.

    Attributes
    ----------
    frame : GeoDataFrame
        The layer with `cell_id`, "" outside.
    unmatched : DataFrame
        layer, id, lon, lat of the rows outside every boundary.
    """

    frame: gpd.GeoDataFrame
    unmatched: pd.DataFrame


def assign_cells(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, epsg: int) -> pd.Series:
    """Return the cell each point lies in.

    Parameters
    ----------
    points : GeoDataFrame
        Points in EPSG:4326.
    cells : GeoDataFrame
        CELLS frame.
    epsg : int
        Metric CRS, for the 1 cm of grace at the outer border.

    Returns
    -------
    Series of str
        `cell_id` with the index of `points`; "" for points outside every boundary. A point on a
        border that cells share belongs to the lowest code.
    """
    if len(cells) == 0:
        raise FileEmpty(source="cells")
    ordered = cells.sort_values(Col.CELL_ID)
    polygons = ordered.geometry.to_numpy()
    lonlat = shapely.get_coordinates(points.geometry.to_numpy())
    row = locate(build_index(polygons), lonlat)
    lost = np.flatnonzero(row < 0)
    row[lost] = _nearest(lonlat[lost], ordered, epsg)
    codes = np.append(ordered[Col.CELL_ID].to_numpy(dtype=object), "")
    return pd.Series(codes[row], index=points.index, name=Col.CELL_ID, dtype="str")


def split_by_cells(
    points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, layer: str, key: str, epsg: int
) -> Split:
    """Assign cells and list the rows outside every boundary.

    Parameters
    ----------
    layer : str
        Name of the layer in the list.
    key : str
        Column that identifies a row.
    """
    cell_id = assign_cells(points, cells, epsg=epsg)
    lost = points[cell_id == ""]
    lonlat = shapely.get_coordinates(lost.geometry.to_numpy())
    unmatched = pd.DataFrame(
        {
            "layer": pd.Series([layer] * len(lost), dtype="str"),
            "id": lost[key].reset_index(drop=True).astype("str"),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
        }
    )
    return Split(frame=points.assign(**{Col.CELL_ID: cell_id}), unmatched=unmatched)


def _nearest(lonlat: np.ndarray, cells: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Return the nearest cell within `OUTER_REACH`, the lowest row at equal distance, else -1."""
    row = np.full(len(lonlat), -1, dtype=np.int64)
    if len(lonlat) == 0:
        return row
    points = gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), crs=cells.crs).to_crs(epsg).to_numpy()
    tree = shapely.STRtree(points)
    near_box = cells.geometry.to_crs(epsg).to_numpy()
    cell, point = tree.query(near_box, predicate="dwithin", distance=OUTER_REACH)
    distance = shapely.distance(points[point], near_box[cell])
    order = np.lexsort((cell, distance, point))
    first = np.unique(point[order], return_index=True)[1]
    row[point[order][first]] = cell[order][first]
    return row


def locate(index: Index, lonlat: np.ndarray) -> np.ndarray:
    """Return the first polygon whose closed area holds each point, -1 for none; int64, (n,)."""
    return np.asarray(_locate(to_lattice(lonlat), index))


def build_index(polygons: np.ndarray) -> Index:
    """Return the index of an array of Polygons or MultiPolygons in longitude and latitude."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    boxes = to_lattice(shapely.bounds(polygons))
    west, south = boxes[:, :2].min(axis=0)
    width, height = boxes[:, 2].max() - west + 1, boxes[:, 3].max() - south + 1
    typical = np.sqrt(np.median(np.prod(boxes[:, 2:] - boxes[:, :2] + 1.0, axis=1)))
    side = int(max(typical, np.sqrt(float(width) * float(height) / MAX_BINS), 1.0))
    shape = (int(width) // side + 1, int(height) // side + 1)
    origin = (int(west), int(south))
    bin_start, candidates = _fill_bins(boxes, origin, side, shape)
    return Index(
        points=to_lattice(coordinates),
        ring_start=np.searchsorted(ring, np.arange(len(rings) + 1)),
        polygon_start=np.searchsorted(owner[part], np.arange(len(polygons) + 1)),
        boxes=boxes,
        origin=origin,
        side=side,
        shape=shape,
        bin_start=bin_start,
        candidates=candidates,
    )


@njit(cache=True)
def _fill_bins(
    boxes: np.ndarray, origin: tuple[int, int], side: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return, per bin, the polygons whose box touches it."""
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
    for polygon in range(len(boxes)):
        for row in range(span[polygon, 1], span[polygon, 3] + 1):
            for column in range(span[polygon, 0], span[polygon, 2] + 1):
                cell = row * n_columns + column
                candidates[position[cell]] = polygon
                position[cell] += 1
    return start, candidates


@njit(cache=True)
def _holds(index: Index, polygon: int, x: int, y: int) -> bool:
    """Say whether the closed area of a polygon holds a point; exact."""
    odd = False
    for ring in range(index.polygon_start[polygon], index.polygon_start[polygon + 1]):
        for i in range(index.ring_start[ring], index.ring_start[ring + 1] - 1):
            ax, ay = index.points[i, 0], index.points[i, 1]
            bx, by = index.points[i + 1, 0], index.points[i + 1, 1]
            if (y < ay and y < by) or (y > ay and y > by) or (x > ax and x > bx):
                continue
            turn = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
            if turn == 0 and min(ax, bx) <= x:
                return True
            if (ay > y) != (by > y) and (turn > 0) == (by > ay):
                odd = not odd
    return odd


@njit(cache=True)
def _locate(wanted: np.ndarray, index: Index) -> np.ndarray:
    """Return for each point the first candidate of its bin that holds it, else -1."""
    found = np.full(len(wanted), -1, np.int64)
    n_columns, n_rows = index.shape
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        column, row = (x - index.origin[0]) // index.side, (y - index.origin[1]) // index.side
        if column < 0 or row < 0 or column >= n_columns or row >= n_rows:
            continue
        cell = row * n_columns + column
        for j in range(index.bin_start[cell], index.bin_start[cell + 1]):
            box = index.boxes[index.candidates[j]]
            if x < box[0] or x > box[2] or y < box[1] or y > box[3]:
                continue
            if _holds(index, index.candidates[j], x, y):
                found[k] = index.candidates[j]
                break
    return found
