"""Points onto streets: the nearest segment, and where along it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from geo.errors import OptionInvalid
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG
from routing.network import Network
from routing.travel.nearest import Feet, Tree, build_tree, find_feet


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
    """Finds the nearest of the segments that are open.

    One street for all modes, so that a place is the same point whoever goes there. Both directions
    of a two-way street are one segment: there is no tie between them.

    Parameters
    ----------
    network : Network
    is_open : ndarray of bool, shape (n_segments,)
        Segments to snap to. The tree over them is built when the first point is asked for.
    """

    def __init__(self, network: Network, is_open: NDArray[np.bool_]) -> None:
        self.network = network
        self.is_open = is_open

    @cached_property
    def tree(self) -> Tree:
        """The search tree."""
        return build_tree(self.network.xy, self.network.offsets, self.is_open)

    @cached_property
    def _project(self) -> Transformer:
        return Transformer.from_crs(LONLAT_EPSG, self.network.epsg, always_xy=True)

    def snap(self, lonlat: NDArray[np.float64], is_open: NDArray[np.bool_] | None = None) -> Snaps:
        """Snap points (n, 2) in WGS-84 degrees; of equally near segments the first one counts.

        Parameters
        ----------
        lonlat : ndarray of float64, shape (n, 2)
        is_open : ndarray of bool, shape (n_segments,), optional
            Those of the snapper's segments that are open now; all of them when not given.

        Raises
        ------
        OptionInvalid
            A point that lies nowhere.
        """
        xy = self.to_metres(lonlat)
        is_open = self.is_open if is_open is None else is_open
        feet = find_feet(self.tree, is_open, xy)
        return _on_streets(self.network, feet)

    def to_metres(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points (n, 2) into the network's metric CRS.

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
        return xy


def _on_streets(network: Network, feet: Feet) -> Snaps:
    """Return the points of streets that feet stand on."""
    here, there = network.measure[feet.vertex], network.measure[feet.vertex + 1]
    length = network.measure[network.offsets[feet.segment + 1] - 1]
    start, end = network.lonlat[feet.vertex], network.lonlat[feet.vertex + 1]
    return Snaps(
        segment=feet.segment,
        fraction=((here + feet.share * (there - here)) / length).clip(0.0, 1.0),
        distance=feet.distance,
        lonlat=np.round(start + feet.share[:, None] * (end - start), LONLAT_DECIMALS),
    )
