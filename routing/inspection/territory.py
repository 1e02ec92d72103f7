"""Which station inspects which venue: the nearest, unless its month is full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geo.frames import Col, StationKind
from geo.units import MINUTE
from routing.inspection.flow import assign
from routing.inspection.kernels import FAR, Seconds
from routing.inspection.work import Work
from routing.model import UNREACHABLE, Mode

Ints = npt.NDArray[np.int64]

BETWEEN: Final = 6 * MINUTE
"""Seconds of travel reckoned per inspection when a station's capacity is estimated."""

TURNED_AWAY: Final = 100 * 60 * MINUTE
"""Seconds it costs that no station has room: a neighbour's station is always nearer."""


class Legs(Protocol):
    """Travel times between points; `routing.travel.Travel` is one.

    What `snap` returns is for `many_to_many` alone, hence `Any`.
    """

    def snap(self, lonlat: npt.NDArray[np.float64]) -> Any:
        """Return points (n, 2), longitude and latitude in degrees, as streets know them."""

    def many_to_many(self, origins: Any, destinations: Any, mode: Mode) -> Seconds:
        """Return whole seconds from every origin to every destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Stations that inspect.

    Attributes
    ----------
    station_id : tuple of str
    lonlat : float64 (n, 2)
    n_teams : int64 (n,)
        Inspection teams of each, at least 1.
    """

    station_id: tuple[str, ...]
    lonlat: npt.NDArray[np.float64]
    n_teams: Ints

    def __len__(self) -> int:
        return len(self.station_id)


def inspecting_stations(stations: gpd.GeoDataFrame, teams: Mapping[str, int] | None) -> Stations:
    """Return the stations with inspection teams, in the order of the frame.

    Parameters
    ----------
    stations : GeoDataFrame
        STATIONS, EPSG:4326.
    teams : mapping of str to int, optional
        Teams by station id. Without it every station but the special ones has one.
    """
    if teams is None:
        special = StationKind.SPECIAL.value
        teams = {
            station_id: int(kind != special)
            for station_id, kind in zip(stations[Col.STATION_ID], stations[Col.KIND], strict=True)
        }
    n_teams = np.array([teams.get(s, 0) for s in stations[Col.STATION_ID]], np.int64)
    here = stations[n_teams > 0]
    return Stations(
        station_id=tuple(here[Col.STATION_ID]),
        lonlat=np.column_stack([here.geometry.x, here.geometry.y]),
        n_teams=n_teams[n_teams > 0],
    )


def assign_stations(
    work: Work, stations: Stations, travel: Legs, *, mode: Mode, n_days: int, day_length: int
) -> Ints:
    """Return the station of each venue, -1 where no station reaches it and gets back.

    The nearest by travel time there and back. Where that would ask more of a station than its
    teams can do in the period, a min-cost flow hands on the venues for which a neighbour is least
    farther; what no station has room for stays with the nearest.
    """
    here, there = travel.snap(stations.lonlat), travel.snap(work.lonlat)
    out = travel.many_to_many(here, there, mode).astype(np.int64).T
    back = travel.many_to_many(there, here, mode).astype(np.int64)
    cost = np.where((out < UNREACHABLE) & (back < UNREACHABLE), out + back, FAR)
    if not cost.size:
        return np.full(len(work), -1, np.int64)
    per_day = day_length // (int(work.service.mean()) + BETWEEN)
    leave = np.full(len(work), TURNED_AWAY)
    station = assign(cost, stations.n_teams * n_days * per_day, leave)
    nearest = np.where(cost.min(axis=1) < FAR, cost.argmin(axis=1), -1)
    return np.where(station >= 0, station, nearest)
