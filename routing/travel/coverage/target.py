"""Places to be reached, and the seconds to them from where teams leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.frames import Col, Target
from geo.progress import Progress, StopToken, stop_if_asked
from routing.hierarchy import Ints
from routing.model import UNREACHABLE, Mode, Place
from routing.travel.snap import Snaps
from routing.travel.times import REACH_M, Travel

AT_ONCE: Final = 4_000_000
"""Matrix entries held at a time: 16 MB."""

Numbers = NDArray[np.int64]
Words = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Places to be reached.

    Attributes
    ----------
    target : Target
    place_id : ndarray of str, shape (n,)
    name : ndarray of str, shape (n,)
        "" of a building.
    size : ndarray of int64, shape (n,)
        Households of a building; 1 of a venue.
    points : GeoSeries
        Points in EPSG:4326.
    """

    target: Target
    place_id: Words
    name: Words
    size: Numbers
    points: gpd.GeoSeries

    def __len__(self) -> int:
        return len(self.size)


def homes(buildings: gpd.GeoDataFrame) -> Targets:
    """Return the buildings of a BUILDINGS frame that hold a household."""
    lived_in = buildings[buildings[Col.HOUSEHOLDS] > 0]
    return Targets(
        target=Target.HOUSEHOLDS,
        place_id=lived_in[Col.BUILDING_ID].to_numpy(dtype=object),
        name=np.full(len(lived_in), "", dtype=object),
        size=lived_in[Col.HOUSEHOLDS].to_numpy(dtype=np.int64),
        points=lived_in.geometry,
    )


def all_venues(venues: gpd.GeoDataFrame) -> Targets:
    """Return the venues of a VENUES frame."""
    return Targets(
        target=Target.VENUES,
        place_id=venues[Col.VENUE_ID].to_numpy(dtype=object),
        name=venues[Col.NAME].to_numpy(dtype=object),
        size=np.ones(len(venues), np.int64),
        points=venues.geometry,
    )


@dataclass(frozen=True, kw_only=True)
class Departures:
    """Where teams leave from, and how they travel.

    Attributes
    ----------
    travel : Travel
        Its time band, closures and turn costs hold.
    places : sequence of Place
    mode : Mode
    source : str
        What the user calls the places.
    """

    travel: Travel
    places: Sequence[Place]
    mode: Mode
    source: str = "stations"

    @cached_property
    def snaps(self) -> Snaps:
        """The places on their streets.

        Raises
        ------
        StationUnreachable
            A place that lies farther than 500 m from any street.
        """
        snaps = self.travel.snap_places(self.places)
        self.travel.refuse_beyond(self.places, snaps, source=self.source)
        return snaps

    def seconds_to(
        self, targets: Targets, *, progress: Progress, stop: StopToken
    ) -> Iterator[tuple[Numbers, Ints]]:
        """Yield rows of targets and the seconds to them, shape (n_places, n_rows).

        UNREACHABLE where a target lies farther than `REACH_M` from any street.
        """
        snaps = self.snap(targets)
        at_once = max(1, AT_ONCE // max(1, len(self.places)))
        for first in range(0, len(targets), at_once):
            stop_if_asked(stop, "reach")
            rows = np.arange(first, min(first + at_once, len(targets)))
            near = snaps.take(rows)
            seconds = self.travel.many_to_many(self.snaps, near, self.mode)
            seconds[:, near.distance > REACH_M] = UNREACHABLE
            yield rows, seconds
            progress(int(rows[-1]) + 1, len(targets))

    def snap(self, targets: Targets) -> Snaps:
        """Return the targets on their streets."""
        return self.travel.snap(shapely.get_coordinates(targets.points.to_numpy()))
