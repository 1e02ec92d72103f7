"""Closures onto segments: how much of each segment an area, a line, a point or a name takes."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from geo.frames import Col
from routing.network.segment import Network

COPIED_M: Final = 2.0
"""Metres from a street within which a line was taken from that very street: noise of a copy
through another datum or format."""

DRAWN_M: Final = 15.0
"""Metres from a street within which a line drawn by hand means it: half the width of a main road,
30-50 m between the building lines (GB/T 51328-2018, table 12.4.2, 主干路), less than to the next
street."""

COPIED_SHARE: Final = 0.9
"""Share of a line beside streets within `COPIED_M` at which it counts as taken from them."""

ALONG: Final = 0.87
"""Least progress along the line per metre of a street that runs along it: cosine of 30 degrees; a
street that only crosses makes less."""

NEAREST_M: Final = 50.0
"""Metres from a point to the street that it is taken to mean."""

MANY: Final = 2000
"""Segments near an area from which a grid of squares is laid, that tells most of them at once."""

SQUARES: Final = 64
"""Squares on a side of that grid: for a city each is about a kilometre wide."""

Rows = NDArray[np.int64]
Metres = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """Metres of segments that closures take, one row per pair.

    Attributes
    ----------
    segment, closure : ndarray of int64, shape (n,)
        Row of the network's segment, and of the closure.
    metres : ndarray of float64, shape (n,)
        Above 0, at most the segment's length.
    """

    segment: Rows
    closure: Rows
    metres: Metres


def touches_of(network: Network, closures: gpd.GeoDataFrame) -> Touches:
    """Find the segments that each closure takes.

    Parameters
    ----------
    closures : GeoDataFrame
        `geo.frames.CLOSURES`, EPSG:4326.
    """
    street = _Streets(network)
    shapes = closures.geometry.to_crs(network.epsg).to_numpy()
    named = closures[Col.SEGMENT_ID].to_numpy()
    found = [street.named(named)]
    for row in np.flatnonzero(~shapely.is_missing(shapes) & (named == "")).tolist():
        for part in shapely.get_parts(shapes[row]):
            segment, metres = street.taken_by(part)
            found.append((segment, np.full(len(segment), row), metres))
    segment, closure, metres = (np.concatenate(column) for column in zip(*found, strict=True))
    return _summed(segment, closure, metres, street.length)


def _summed(segment: Rows, closure: Rows, metres: Metres, length: Metres) -> Touches:
    """Add up the parts of one closure on one segment."""
    pairs, pair = np.unique(np.stack([segment, closure], axis=1), axis=0, return_inverse=True)
    total = np.bincount(pair, metres, minlength=len(pairs))
    segment, closure = pairs.reshape(-1, 2).T
    return Touches(segment=segment, closure=closure, metres=np.minimum(total, length[segment]))


class _Streets:
    """A network's segments as shapes, made only where a closure lies."""

    def __init__(self, network: Network) -> None:
        self._network = network
        first = network.offsets[:-1]
        x, y = np.ascontiguousarray(network.xy.T)
        self._west, self._south = (np.minimum.reduceat(v, first) for v in (x, y))
        self._east, self._north = (np.maximum.reduceat(v, first) for v in (x, y))
        self.length = network.measure[network.offsets[1:] - 1]

    def named(self, names: NDArray[np.object_]) -> tuple[Rows, Rows, Metres]:
        """Return the segments that closures name, whole."""
        wanted = set(names.tolist()) - {""}
        is_named = [name in wanted for name in self._network.segment_id.tolist()]
        segment = np.flatnonzero(np.array(is_named, dtype=bool))
        closure = names == self._network.segment_id[segment][:, None]
        piece, row = np.nonzero(closure)
        return segment[piece], row, self.length[segment[piece]]

    def taken_by(self, part: BaseGeometry) -> tuple[Rows, Metres]:
        """Return the segments that a point, line or area takes, and the metres of each."""
        match part:
            case Point():
                return self._nearest(part)
            case LineString():
                return self._beside(part)
            case _:
                return self._inside(part)

    def _near(self, part: BaseGeometry, metres: float = 0.0) -> Rows:
        """Return the segments whose boxes come within `metres` of a shape's box."""
        west, south, east, north = part.bounds
        rows = np.flatnonzero((self._west <= east + metres) & (self._east >= west - metres))
        fits = (self._south[rows] <= north + metres) & (self._north[rows] >= south - metres)
        return rows[fits]

    def _points(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return the points of segments, and the position in `rows` of each."""
        first = self._network.offsets[rows]
        count = self._network.offsets[rows + 1] - first
        owner = np.repeat(np.arange(len(rows)), count)
        return np.arange(len(owner)) + np.repeat(first - np.cumsum(count) + count, count), owner

    def _lines(self, rows: Rows) -> NDArray[np.object_]:
        point, owner = self._points(rows)
        return np.asarray(shapely.linestrings(self._network.xy[point], indices=owner))

    def _nearest(self, point: Point) -> tuple[Rows, Metres]:
        rows = self._near(point, NEAREST_M)
        apart = shapely.distance(self._lines(rows), point)
        rows = rows[apart <= min(apart.min(initial=np.inf), NEAREST_M)][:1]
        return rows, self.length[rows]

    def _inside(self, area: BaseGeometry) -> tuple[Rows, Metres]:
        rows = self._near(area)
        shapely.prepare(area)
        within, beyond = self._by_squares(area, rows)
        rows, within = rows[~beyond], within[~beyond]
        metres, cut = self.length[rows], np.flatnonzero(~within)
        lines = self._lines(rows[cut])
        crosses = ~shapely.contains_properly(area, lines)
        metres[cut[crosses]] = shapely.length(shapely.intersection(lines[crosses], area))
        return rows[metres > 0.0], metres[metres > 0.0]

    def _by_squares(
        self, area: BaseGeometry, rows: Rows
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which segments surely lie within an area and which beyond, by squares of a grid.

        A segment is surely there when the squares under the four corners of its box are, as long
        as the box is no larger than a square: it can touch no other.
        """
        within, beyond = np.zeros((2, len(rows)), dtype=bool)
        if len(rows) < MANY:
            return within, beyond
        sides = (self._west, self._east), (self._south, self._north)
        origin = np.array([low[rows].min() for low, _ in sides])
        side = max(float(high[rows].max() - low[rows].min()) for low, high in sides) / SQUARES
        corner = origin + side * np.stack(np.divmod(np.arange(SQUARES**2), SQUARES), axis=1)
        boxes = shapely.box(*corner.T, *(corner + side).T)
        holds = np.asarray(shapely.contains_properly(area, boxes))
        meets = np.asarray(shapely.intersects(area, boxes))
        low, high = (
            [((ends[k][rows] - start) // side).astype(np.int64).clip(0, SQUARES - 1)
             for ends, start in zip(sides, origin, strict=True)]
            for k in (0, 1)
        )  # fmt: skip
        near = (high[0] - low[0] <= 1) & (high[1] - low[1] <= 1)
        under = np.array([x * SQUARES + y for x in (low[0], high[0]) for y in (low[1], high[1])])
        return near & holds[under].all(axis=0), near & ~meets[under].any(axis=0)

    def _beside(self, line: LineString) -> tuple[Rows, Metres]:
        for within in (COPIED_M, DRAWN_M):
            rows, metres = self._along(line, within)
            if metres.sum() >= COPIED_SHARE * line.length:
                break
        return rows, metres

    def _along(self, line: LineString, within: float) -> tuple[Rows, Metres]:
        """Return the segments with a stretch along a line, edge by edge."""
        rows = self._near(line, within)
        point, owner = self._points(rows)
        xy = self._network.xy[point]
        inner = np.flatnonzero(owner[1:] == owner[:-1])
        edges = np.asarray(shapely.linestrings(np.stack([xy[inner], xy[inner + 1]], axis=1)))
        band = line.buffer(within, cap_style="flat")
        shapely.prepare(band)
        hit = np.flatnonzero(shapely.intersects(band, edges))
        stretch, edge = shapely.get_parts(shapely.intersection(edges[hit], band), return_index=True)
        length = shapely.length(stretch)
        progress = np.abs(
            shapely.line_locate_point(line, shapely.get_point(stretch, 0))
            - shapely.line_locate_point(line, shapely.get_point(stretch, -1))
        )
        along = (length > 0.0) & (progress >= ALONG * length)
        row = owner[inner[hit[edge[along]]]]
        metres = np.bincount(row, length[along], minlength=len(rows)).astype(np.float64)
        return rows[metres > 0.0], metres[metres > 0.0]
