"""Lines cut where they enter and leave areas, with every metre in one piece."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

MILLIMETRES: Final = 1000
"""Positions along a line are whole millimetres: pieces meet exactly and add up to the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of lines, in the order of the lines and along each.

    Attributes
    ----------
    line : ndarray of int64, shape (n,)
        Row of the line.
    begin, end : ndarray of int64, shape (n,)
        Millimetres from the line's first vertex.
    middle : ndarray of Point, shape (n,)
        Middle of each piece in EPSG:4326, 7 decimals; what owns it owns the piece.
    """

    line: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    middle: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Metres of each piece; float64, shape (n,)."""
        return np.asarray((self.end - self.begin) / MILLIMETRES)

    def __len__(self) -> int:
        return len(self.line)


def cut_along(lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, epsg: int) -> Pieces:
    """Cut lines where they cross, join or leave the borders of areas.

    Parameters
    ----------
    lines, areas : GeoDataFrame
        LineStrings and areas in EPSG:4326.
    epsg : int
        Metric CRS in which positions are measured.

    Returns
    -------
    Pieces
        The pieces of a line follow each other without gap or overlap; a piece lies in one area,
        on one border or outside. Lines shorter than a millimetre have none.
    """
    metric = lines.geometry.to_crs(epsg).to_numpy()
    total = np.rint(shapely.length(metric) * MILLIMETRES).astype(np.int64)
    owner, at = _breaks(metric, areas.geometry.to_crs(epsg).to_numpy())
    at = np.clip(np.rint(at * MILLIMETRES).astype(np.int64), 0, total[owner])
    row = np.arange(len(metric))
    marks = np.stack(
        [np.concatenate([row, row, owner]), np.concatenate([0 * total, total, at])], axis=1
    )
    marks = np.unique(marks, axis=0)
    same = marks[1:, 0] == marks[:-1, 0]
    line, begin, end = marks[:-1, 0][same], marks[:-1, 1][same], marks[1:, 1][same]
    middle = shapely.line_interpolate_point(metric[line], (begin + end) / (2 * MILLIMETRES))
    lonlat = shapely.get_coordinates(gpd.GeoSeries(middle, crs=epsg).to_crs(LONLAT_EPSG).to_numpy())
    points = np.asarray(shapely.points(np.round(lonlat, LONLAT_DECIMALS)))
    return Pieces(line=line, begin=begin, end=end, middle=points)


def _breaks(lines: np.ndarray, areas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where lines enter or leave areas: row of the line, metres along it.

    Edge by edge: a line that comes back the way it went passes a place twice.
    """
    line, area = shapely.STRtree(areas).query(lines, predicate="intersects")
    shapely.prepare(areas)
    cut = np.unique(line[~shapely.contains_properly(areas[area], lines[line])])
    edge, owner, begin = _edges(lines[cut])
    row, area = shapely.STRtree(areas).query(edge, predicate="intersects")
    crosses = ~shapely.contains_properly(areas[area], edge[row])
    row, area = row[crosses], area[crosses]
    common, pair = shapely.get_parts(
        shapely.intersection(edge[row], areas[area]), return_index=True
    )
    along = shapely.get_type_id(common) == 1
    common, row = common[along], row[pair[along]]
    ends = np.concatenate([shapely.get_point(common, 0), shapely.get_point(common, -1)])
    row = np.concatenate([row, row])
    return cut[owner[row]], begin[row] + shapely.distance(shapely.get_point(edge[row], 0), ends)


def _edges(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of lines that have a length, the row of each one's line, and its begin."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    inner = line[1:] == line[:-1]
    pairs = np.stack([xy[:-1], xy[1:]], axis=1)[inner]
    owner = line[1:][inner]
    length = np.hypot(*(pairs[:, 1] - pairs[:, 0]).T)
    done = np.cumsum(length) - length
    first = np.searchsorted(owner, np.arange(len(lines)))
    begin = done - done[first][owner] if len(owner) else done
    real = length > 0.0
    return np.asarray(shapely.linestrings(pairs[real])), owner[real], begin[real]
