"""From arcs to legs: the line on the map, the street names in order, the metres.

Everything is done for all legs of a mode at once. A leg is a row of pieces: the rest of the segment
it starts on, whole segments, and the first part of the segment it ends on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.units import LONLAT_DECIMALS
from routing.hierarchy import Ways
from routing.hierarchy.kernel import kernel
from routing.network import Network
from routing.travel.snap import Snaps

Where = NDArray[np.int64]
"""Column of positions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The fastest way between two places.

    Attributes
    ----------
    seconds : int
        The matrix entry of the two places; UNREACHABLE where there is no way.
    length : float
        Metres.
    names : tuple of str
        Street names in order, a street once where it goes on; unnamed streets left out.
    lonlat : ndarray of float64, shape (n_points, 2)
        WGS-84 degrees, from street point to street point; two equal points when both are one;
        empty where there is no way.
    """

    seconds: int
    length: float
    names: tuple[str, ...]
    lonlat: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Parts of segments in order of travel.

    Attributes
    ----------
    leg : ndarray of int64, shape (n_pieces,)
        Leg it belongs to, ascending.
    segment : ndarray of int64, shape (n_pieces,)
    is_forward : ndarray of bool, shape (n_pieces,)
        Travelled in the direction of the line.
    low, high : ndarray of float64, shape (n_pieces,)
        Metres along the line between which it lies.
    """

    leg: Where
    segment: Where
    is_forward: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def longer_than(self, metres: float) -> "Pieces":
        """Return the pieces longer than `metres`."""
        kept = self.high - self.low > metres
        return Pieces(
            leg=self.leg[kept],
            segment=self.segment[kept],
            is_forward=self.is_forward[kept],
            low=self.low[kept],
            high=self.high[kept],
        )


def pieces(
    network: Network,
    origins: Snaps,
    destinations: Snaps,
    ways: Ways,
    direct: NDArray[np.int8],
) -> Pieces:
    """Lay out the pieces of every leg.

    Parameters
    ----------
    ways : Ways
        Over the network's arcs; ends 0 and 1 are a segment's first and last node.
    direct : ndarray of int8, shape (n_legs,)
        1 and -1 where a leg stays on one segment, with and against the line; 0 elsewhere.
    """
    is_direct, is_way = direct != 0, (direct == 0) & (ways.origin_end >= 0)
    n_arcs = np.diff(ways.offsets)
    count = np.where(is_direct, 1, np.where(is_way, n_arcs + 2, 0))
    start = np.concatenate([[0], np.cumsum(count)])
    leg = np.repeat(np.arange(len(count)), count)
    n = len(leg)
    segment, is_forward = np.empty(n, np.int64), np.empty(n, dtype=bool)

    way_rows = np.flatnonzero(is_way)
    arcs = ways.arcs[_ranges(ways.offsets[:-1][way_rows], n_arcs[way_rows])]
    middle = _ranges(start[:-1][way_rows] + 1, n_arcs[way_rows])
    segment[middle], is_forward[middle] = arcs >> 1, arcs & 1 == 0
    first, last = start[:-1][way_rows], start[1:][way_rows] - 1
    segment[first], is_forward[first] = origins.segment[way_rows], ways.origin_end[way_rows] == 1
    segment[last] = destinations.segment[way_rows]
    is_forward[last] = ways.destination_end[way_rows] == 0
    direct_rows = np.flatnonzero(is_direct)
    only = start[:-1][direct_rows]
    segment[only], is_forward[only] = origins.segment[direct_rows], direct[direct_rows] > 0

    length = network.measure[network.offsets[1:] - 1]
    low, high = np.zeros(n), length[segment]
    _clip(low, high, is_forward, np.r_[first, only], _metres(length, origins, leg), at_start=True)
    _clip(
        low, high, is_forward, np.r_[last, only], _metres(length, destinations, leg), at_start=False
    )
    return Pieces(leg=leg, segment=segment, is_forward=is_forward, low=low, high=high)


def _metres(length: NDArray[np.float64], snaps: Snaps, leg: Where) -> NDArray[np.float64]:
    """Metres along its segment of each piece's snapped point."""
    metres: NDArray[np.float64] = (snaps.fraction * length[snaps.segment])[leg]
    return metres


def _clip(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    is_forward: NDArray[np.bool_],
    rows: Where,
    metres: NDArray[np.float64],
    *,
    at_start: bool,
) -> None:
    """Cut the pieces `rows` where a leg starts or ends."""
    cuts_low = is_forward[rows] == at_start
    low[rows[cuts_low]] = metres[rows[cuts_low]]
    high[rows[~cuts_low]] = metres[rows[~cuts_low]]


def _ranges(first: Where, count: Where) -> Where:
    """Concatenate ``first[i], first[i] + 1, ...`` of `count[i]` numbers each."""
    ends = np.cumsum(count)
    step = np.arange(ends[-1] if len(ends) else 0)
    return step + np.repeat(first - ends + count, count)


def legs(
    network: Network,
    origins: Snaps,
    destinations: Snaps,
    row: Pieces,
    seconds: NDArray[np.int32],
) -> list[Leg]:
    """Return every leg with its line, names and metres."""
    n = len(origins)
    columns = (
        seconds.tolist(),
        metres(row, n).tolist(),
        street_names(network, row, n),
        draw(network, origins, destinations, row),
    )
    return [
        Leg(seconds=s, length=length, names=names, lonlat=lonlat)
        for s, length, names, lonlat in zip(*columns, strict=True)
    ]


def draw(
    network: Network, origins: Snaps, destinations: Snaps, row: Pieces
) -> list[NDArray[np.float64]]:
    """Return the line of each leg: its start, the vertices it passes, its end."""
    n_legs = len(origins)
    vertex, piece = _vertices(network, row)
    leg = row.leg[piece]
    n_rows = np.bincount(leg, minlength=n_legs) + 2
    last = np.cumsum(n_rows) - 1
    points = np.empty((int(n_rows.sum()), 2))
    points[last], points[last - n_rows + 1] = destinations.lonlat, origins.lonlat
    points[np.arange(len(leg)) + 2 * leg + 1] = network.lonlat[vertex]

    is_start = np.zeros(len(points), dtype=bool)
    is_start[last - n_rows + 1] = True
    differs = np.r_[True, (points[1:] != points[:-1]).any(axis=1)]
    kept = is_start | differs
    owner = np.repeat(np.arange(n_legs), n_rows)[kept]
    lines = np.split(points[kept], np.searchsorted(owner, np.arange(1, n_legs)))
    has_way = np.bincount(row.leg, minlength=n_legs) > 0
    return [_as_line(line) if way else line[:0] for line, way in zip(lines, has_way, strict=True)]


def _as_line(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Repeat a lone point: a line has two."""
    return points if len(points) > 1 else np.repeat(points, 2, axis=0)


def _vertices(network: Network, row: Pieces) -> tuple[Where, Where]:
    """Vertices that the pieces pass, in order of travel, and the piece of each."""
    first, last = network.offsets[row.segment], network.offsets[row.segment + 1] - 1
    count = last - first + 1
    piece = np.repeat(np.arange(len(count)), count)
    step = _ranges(np.zeros_like(count), count)
    vertex = np.where(row.is_forward[piece], first[piece] + step, last[piece] - step)
    at = network.measure[vertex]
    inside = (at >= row.low[piece]) & (at <= row.high[piece])
    return vertex[inside], piece[inside]


def street_names(network: Network, row: Pieces, n_legs: int) -> list[tuple[str, ...]]:
    """Return each leg's street names in order."""
    name = network.name[row.segment]
    told = (name != 0) & (row.high > row.low)
    leg, name = row.leg[told], name[told]
    changes = np.r_[True, (leg[1:] != leg[:-1]) | (name[1:] != name[:-1])][: len(leg)]
    leg, name = leg[changes], name[changes]
    split = np.split(name, np.searchsorted(leg, np.arange(1, n_legs)))
    return [tuple(network.names[i] for i in part) for part in split]


def points_on(
    network: Network, segment: Where, metres: NDArray[np.float64], *, in_degrees: bool = False
) -> NDArray[np.float64]:
    """Return points of segments, shape (n, 2), in metres or in WGS-84 degrees.

    Parameters
    ----------
    segment : ndarray of int64, shape (n,)
    metres : ndarray of float64, shape (n,)
        Along each segment from its first point.
    """
    first, last = network.offsets[segment], network.offsets[segment + 1] - 2
    i = bracket(network.measure, first, last, metres)
    run = network.measure[i + 1] - network.measure[i]
    share = np.divide(metres - network.measure[i], run, out=np.zeros_like(metres), where=run > 0.0)
    points = network.lonlat if in_degrees else network.xy
    at: NDArray[np.float64] = points[i] + share.clip(0.0, 1.0)[:, None] * (
        points[i + 1] - points[i]
    )
    return np.round(at, LONLAT_DECIMALS) if in_degrees else at


@kernel
def bracket(
    measure: NDArray[np.float64], first: Where, last: Where, metres: NDArray[np.float64]
) -> Where:
    """Return the last row of ``first[k]..last[k]`` whose measure is not beyond, by bisection."""
    found = np.empty(len(first), np.int64)
    for k in range(len(first)):
        low, high = first[k], last[k]
        while low < high:
            middle = (low + high + 1) >> 1
            if measure[middle] <= metres[k]:
                low = middle
            else:
                high = middle - 1
        found[k] = low
    return found


def metres(row: Pieces, n_legs: int) -> NDArray[np.float64]:
    """Return each leg's length in metres."""
    return np.bincount(row.leg, row.high - row.low, minlength=n_legs).astype(np.float64)
