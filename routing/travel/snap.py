"""Points onto streets: the nearest segment, and where along it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geo.errors import OptionInvalid
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG
from routing.model import Mode
from routing.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Snaps:
    """Points on segments.

    Attributes
    ----------
    segment : ndarray of int32, shape (n,)
        Segment of the network.
    fraction : ndarray of float64, shape (n,)
        Share of the segment's length from its first point, 0 to 1.
    distance : ndarray of float64, shape (n,)
        Metres from the point given to the street. No travel time is counted for them.
    lonlat : ndarray of float64, shape (n, 2)
        The point on the street, WGS-84 degrees.
    """

    segment: NDArray[np.int32]
    fraction: NDArray[np.float64]
    distance: NDArray[np.float64]
    lonlat: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.segment)

    def take(self, rows: NDArray[np.integer]) -> "Snaps":
        """Return the snaps of these rows, in this order."""
        return Snaps(
            segment=self.segment[rows],
            fraction=self.fraction[rows],
            distance=self.distance[rows],
            lonlat=self.lonlat[rows],
        )


class Snapper:
    """Search tree over the segments that every one of `modes` may use.

    One street for all modes, so that a place is the same point whoever goes there. Both directions
    of a two-way street are one segment: there is no tie between them.
    """

    def __init__(self, network: Network, modes: Sequence[Mode]) -> None:
        arcs = np.stack([network.usable_by(mode) for mode in modes])
        shared = arcs.reshape(len(modes), -1, 2).any(axis=2).all(axis=0)
        self._network = network
        self._segments = np.flatnonzero(shared).astype(np.int32)
        owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
        lines = np.asarray(shapely.linestrings(network.xy, indices=owner))
        self._lines = lines[self._segments]
        self._tree = shapely.STRtree(self._lines)
        self._project = Transformer.from_crs(LONLAT_EPSG, network.epsg, always_xy=True)

    def __len__(self) -> int:
        return len(self._segments)

    def snap(self, lonlat: NDArray[np.float64]) -> Snaps:
        """Snap points (n, 2) in WGS-84 degrees; of equally near segments the first one counts.

        Raises
        ------
        OptionInvalid
            A point that lies nowhere.
        """
        xy = np.stack(self._project.transform(*lonlat.T), axis=1)
        nowhere = ~np.isfinite(xy).all(axis=1)
        if nowhere.any():
            value = lonlat[nowhere.argmax()].tolist()
            raise OptionInvalid(option="point", value=value, expected="longitude, latitude")
        points = np.asarray(shapely.points(xy))
        (given, found), distance = self._tree.query_nearest(points, return_distance=True)
        by_point = np.lexsort((found, given))
        _, first = np.unique(given[by_point], return_index=True)
        best = by_point[first]
        line = found[best]
        fraction = shapely.line_locate_point(self._lines[line], points, normalized=True)
        segment = self._segments[line]
        return Snaps(
            segment=segment,
            fraction=fraction.clip(0.0, 1.0),
            distance=distance[best],
            lonlat=along(self._network, segment, fraction),
        )


def along(
    network: Network, segment: NDArray[np.int32], fraction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the points (n, 2) in WGS-84 degrees at a share of each segment's length."""
    lengths = network.measure[network.offsets[1:] - 1]
    base = np.concatenate([[0.0], np.cumsum(lengths)])
    run = network.measure + np.repeat(base[:-1], np.diff(network.offsets))
    at = base[segment] + fraction * lengths[segment]
    first, last = network.offsets[segment], network.offsets[segment + 1] - 2
    i = (np.searchsorted(run, at, side="right") - 1).clip(first, last)
    step = run[i + 1] - run[i]
    share = np.divide(at - run[i], step, out=np.zeros_like(at), where=step > 0.0).clip(0.0, 1.0)
    start, end = network.lonlat[i], network.lonlat[i + 1]
    points: NDArray[np.float64] = np.round(start + share[:, None] * (end - start), LONLAT_DECIMALS)
    return points
