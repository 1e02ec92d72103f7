"""How long it takes from place to place, and how to get there."""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid, PlaceCutOff, StationUnreachable
from routing.hierarchy import Topology
from routing.model import UNREACHABLE, Mode, Place, TravelTimes
from routing.network import MODES, Conditions, Network, TimeBand, arc_times
from routing.network.turn import turn_times
from routing.travel import leg as legs_of
from routing.travel.beyond import name_beyond
from routing.travel.connect import Around, closures_around, cut_off_at, listed
from routing.travel.ends import round_up
from routing.travel.engine import ByNode, ByTurn, Engine
from routing.travel.ground import Ground
from routing.travel.leg import Leg, Pieces
from routing.travel.memory import AT_ONCE, require_room, row_blocks
from routing.travel.route import Route
from routing.travel.snap import Snaps
from routing.travel.step import list_steps

REACH_M: Final = 500.0
"""Metres from a place to the nearest usable street beyond which the roads do not reach it."""

LEGS_AT_ONCE: Final = 1000
"""Legs drawn side by side: across a city of 90,000 nodes they hold about 35 MB."""

Seconds = NDArray[np.int32]
"""Whole seconds; UNREACHABLE where there is no way."""


class Travel:
    """Travel times on one network, at one time of day, under one set of conditions.

    Times are exact for the network's profile: milliseconds inside, rounded up to seconds once. A
    place is the nearest point of a street that is open to all of `modes`; time from door to street
    is not counted. Nothing heavy is made before it is needed.

    Parameters
    ----------
    network : Network
    modes : sequence of Mode
        Modes to serve.
    topology : Topology, optional
        Of the network, as kept with it in a file; found when first needed where not given.
    band : TimeBand
        Part of the day whose speeds count.
    conditions : Conditions, optional
        Streets that are closed or slow. Places are found on open streets only.
    turns : bool
        Count each turn by its angle in place of a fixed delay at each junction.

    Raises
    ------
    NetworkEmpty
        No street that is open to all of `modes`.
    """

    def __init__(
        self,
        network: Network,
        modes: Sequence[Mode] = MODES,
        *,
        topology: Topology | None = None,
        band: TimeBand = TimeBand.NIGHT,
        conditions: Conditions | None = None,
        turns: bool = False,
    ) -> None:
        self.turns = turns
        self.ground = Ground(network, modes, topology)
        self._look(band, conditions)

    def _look(self, band: TimeBand, conditions: Conditions | None) -> None:
        """Set the time and the conditions, and forget the weights of others."""
        self.band, self.conditions = band, conditions
        self._is_open = self.ground.shared(conditions)
        self._engines: dict[Mode, Engine] = {}

    def under(
        self, *, conditions: Conditions | None = None, band: TimeBand | None = None
    ) -> "Travel":
        """Return the same network at another time or under other conditions.

        Topology and snapping tree are shared, so that only weights are made anew. What is not
        given stays as it is here; `routing.network.no_conditions` opens every street again.

        Raises
        ------
        NetworkEmpty
            No street is left that is open to all modes.
        """
        other = copy(self)
        conditions = self.conditions if conditions is None else conditions
        other._look(self.band if band is None else band, conditions)
        return other

    @property
    def network(self) -> Network:
        """The streets."""
        return self.ground.network

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Modes served."""
        return self.ground.modes

    @property
    def topology(self) -> Topology:
        """The hierarchy before any weights: what a file keeps with the network."""
        return self.ground.topology

    # ------------------------------------------------------------------------------ places

    def snap(self, lonlat: NDArray[np.float64]) -> Snaps:
        """Snap points (n, 2) in WGS-84 degrees to the nearest usable streets.

        Raises
        ------
        OptionInvalid
            A point that lies nowhere.
        """
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        return self.ground.snapper.snap(points, self._is_open)

    def snap_places(self, places: Sequence[Place]) -> Snaps:
        """Snap places to the nearest usable streets."""
        return self.snap(np.array([(p.lon, p.lat) for p in places], dtype=np.float64))

    def require_near(
        self, places: Sequence[Place], *, source: str = "places", limit: float = REACH_M
    ) -> None:
        """Check that the roads reach every place.

        Parameters
        ----------
        places : sequence of Place
        source : str
            What the user calls the places.
        limit : float
            Metres to the nearest usable street that are still fine.

        Raises
        ------
        StationUnreachable
            Names the places that lie farther away, how far and where.
        """
        self.refuse_beyond(places, self.snap_places(places), source=source, limit=limit)

    def refuse_beyond(
        self, places: Sequence[Place], snaps: Snaps, *, source: str, limit: float = REACH_M
    ) -> None:
        """Check that the roads reach every place, whose snaps are known; see `require_near`."""
        beyond = np.flatnonzero(snaps.distance > limit)
        if beyond.size:
            raise StationUnreachable(
                source=source,
                n=len(beyond),
                total=len(places),
                stations=name_beyond(places, snaps.distance, beyond),
                limit_m=round(limit),
            )

    def require_stations(
        self, stations: Sequence[Place], *, source: str = "stations", limit: float = REACH_M
    ) -> None:
        """Check that the roads reach every station; see `require_near`."""
        self.require_near(stations, source=source, limit=limit)

    def cut_off(self, stations: Snaps, points: Snaps, mode: Mode) -> NDArray[np.bool_]:
        """Tell which points no station can send a unit to and have it back, shape (n_points,)."""
        return cut_off_at(self.network, self.engine(mode).times, stations, points)

    def require_connected(
        self,
        stations: Sequence[Place],
        places: Sequence[Place],
        mode: Mode,
        *,
        source: str = "places",
    ) -> None:
        """Check that a unit can get from a station to every place and back.

        Raises
        ------
        PlaceCutOff
            Names the places cut off, and the closures around them.
        """
        starts, points = self.snap_places(stations), self.snap_places(places)
        off = np.flatnonzero(self.cut_off(starts, points, mode))
        if off.size:
            raise PlaceCutOff(
                source=source,
                n=len(off),
                total=len(places),
                places=listed([places[k].name for k in off.tolist()]),
                starts=listed([station.name for station in stations]),
                mode=mode,
                cause=Around(self.closures_around(starts, points.take(off), mode)),
            )

    def closures_around(self, stations: Snaps, points: Snaps, mode: Mode) -> tuple[str, ...]:
        """Return the ids of the closures that stand around points cut off from all stations."""
        if self.conditions is None:
            return ()
        return closures_around(
            self.network,
            self.engine(mode).times,
            mode,
            conditions=self.conditions,
            starts=stations,
            off=points,
        )

    # ------------------------------------------------------------------------------ times

    def many_to_many(self, origins: Snaps, destinations: Snaps, mode: Mode) -> Seconds:
        """Return the seconds from every origin to every destination, shape (n_o, n_d).

        Raises
        ------
        OptionInvalid
            A mode that is not served, or a matrix that does not fit into memory.
        """
        engine = self.engine(mode)
        require_room(len(origins), len(destinations))
        seconds = engine.milliseconds(origins, destinations)
        round_up(seconds)
        return seconds

    def lengths(
        self, origins: Snaps, destinations: Snaps, mode: Mode
    ) -> tuple[Seconds, NDArray[np.float64]]:
        """Return seconds and metres from every origin to every destination, shapes (n_o, n_d).

        The metres are those of the fastest way, to the centimetre; of equally fast ways, of the
        shortest; infinite where there is no way.

        Raises
        ------
        OptionInvalid
            A mode that is not served, or matrices that do not fit into memory.
        """
        engine = self.engine(mode)
        require_room(len(origins), len(destinations), n_matrices=3)
        seconds, metres = engine.lengths(origins, destinations)
        round_up(seconds)
        return seconds, metres

    def blocks(
        self, origins: Snaps, destinations: Snaps, mode: Mode, *, at_once: int = AT_ONCE
    ) -> Iterator[tuple[slice, Seconds]]:
        """Yield a matrix of any size, some rows at a time.

        Parameters
        ----------
        at_once : int
            Bytes of one block, unless a single row is longer.

        Yields
        ------
        (slice, ndarray of int32)
            Rows of the origins, and their seconds.
        """
        for rows in row_blocks(len(origins), len(destinations), at_once=at_once):
            some = origins.take(np.arange(rows.start, rows.stop))
            yield rows, self.many_to_many(some, destinations, mode)

    def matrix(self, snaps: Snaps, modes: Sequence[Mode]) -> Seconds:
        """Return the seconds between all snaps, shape (n_modes, n, n), 0 on the diagonal.

        Raises
        ------
        OptionInvalid
            A mode that is not served, or matrices that do not fit into memory.
        """
        require_room(len(snaps), len(snaps), n_matrices=len(modes) + 1)
        seconds = np.empty((len(modes), len(snaps), len(snaps)), np.int32)
        for k, mode in enumerate(modes):
            seconds[k] = self.many_to_many(snaps, snaps, mode)
        return seconds

    def times(self, places: Sequence[Place], modes: Sequence[Mode]) -> TravelTimes:
        """Return the seconds between all places."""
        return TravelTimes(
            place_ids=tuple(place.place_id for place in places),
            modes=tuple(modes),
            seconds=self.matrix(self.snap_places(places), modes),
        )

    def nearest_station(
        self, stations: Snaps, points: Snaps, mode: Mode
    ) -> tuple[NDArray[np.int64], Seconds]:
        """Return the row of the station soonest at each point, and its seconds, shapes (n,)."""
        seconds = self.many_to_many(stations, points, mode)
        nearest = seconds.argmin(axis=0)
        return nearest, seconds[nearest, np.arange(len(points))]

    def nearest_units(
        self, units: Snaps, points: Snaps, mode: Mode, *, k: int
    ) -> tuple[NDArray[np.int64], Seconds]:
        """Return the `k` units soonest at each point, the soonest first.

        Returns
        -------
        row : ndarray of int64, shape (n_points, min(k, n_units))
            Of equally soon units the first; -1 where no further unit can come.
        seconds : ndarray of int32, of the same shape
        """
        shape = len(points), min(k, len(units))
        row, seconds = np.empty(shape, np.int64), np.empty(shape, np.int32)
        for some in row_blocks(len(points), len(units)):
            block = points.take(np.arange(some.start, some.stop))
            row[some], seconds[some] = _soonest(self.many_to_many(units, block, mode), shape[1])
        return row, seconds

    # ------------------------------------------------------------------------------- ways

    def legs(self, pairs: Sequence[tuple[Place, Place, Mode]]) -> tuple[Leg, ...]:
        """Return the fastest way of each (origin, destination, mode), in the order given."""
        if not pairs:
            return ()
        origins = self.snap_places([origin for origin, _, _ in pairs])
        destinations = self.snap_places([destination for _, destination, _ in pairs])
        found: dict[int, Leg] = {}
        for mode in dict.fromkeys(mode for _, _, mode in pairs):
            of_mode = np.flatnonzero([m == mode for _, _, m in pairs])
            for first in range(0, len(of_mode), LEGS_AT_ONCE):
                rows = of_mode[first : first + LEGS_AT_ONCE]
                legs, _ = self._trace(origins.take(rows), destinations.take(rows), mode)
                found.update(zip(rows.tolist(), legs, strict=True))
        return tuple(found[i] for i in range(len(pairs)))

    def route(self, places: Sequence[Place], mode: Mode, *, source: str = "places") -> Route:
        """Return the fastest way through places in this order, with a turn list for each leg.

        Parameters
        ----------
        places : sequence of Place
            Two or more.
        source : str
            What the user calls the places.

        Raises
        ------
        OptionInvalid
            Fewer than two places, or a mode that is not served.
        StationUnreachable
            A place far from every street; names it.
        PlaceCutOff
            Places that cannot be reached from the one before; names them all.
        """
        if len(places) < 2:
            raise OptionInvalid(option=source, value=len(places), expected="2 places or more")
        snaps = self.snap_places(places)
        self.refuse_beyond(places, snaps, source=source)
        rows = np.arange(len(places) - 1)
        legs, row = self._trace(snaps.take(rows), snaps.take(rows + 1), mode)
        missing = np.flatnonzero([leg.seconds == UNREACHABLE for leg in legs])
        if missing.size:
            raise self._broken(places, snaps, missing, mode, source)
        names = [place.name for place in places[1:]]
        return Route(
            place_ids=tuple(place.place_id for place in places),
            mode=mode,
            legs=tuple(legs),
            steps=tuple(list_steps(self.network, row, [leg.lonlat for leg in legs], names)),
        )

    def _broken(
        self,
        places: Sequence[Place],
        snaps: Snaps,
        missing: NDArray[np.integer],
        mode: Mode,
        source: str,
    ) -> PlaceCutOff:
        """Return the error on a route whose legs from the places in rows `missing` have no way."""
        around = (
            self.closures_around(snaps.take(row), snaps.take(row + 1), mode)
            for row in missing.reshape(-1, 1)
        )
        return PlaceCutOff(
            source=source,
            n=len(missing),
            total=len(places),
            places=listed([places[k + 1].name for k in missing.tolist()]),
            starts=listed([places[k].name for k in missing.tolist()]),
            mode=mode,
            cause=Around(tuple(dict.fromkeys(chain.from_iterable(around)))),
        )

    def _trace(self, origins: Snaps, destinations: Snaps, mode: Mode) -> tuple[list[Leg], Pieces]:
        """Return the legs of one mode, and the pieces of street they run over."""
        found = self.engine(mode).find(origins, destinations)
        round_up(found.milliseconds)
        row = legs_of.pieces(self.network, origins, destinations, found.ways, found.direct)
        return legs_of.legs(self.network, origins, destinations, row, found.milliseconds), row

    # ----------------------------------------------------------------------------- weights

    def engine(self, mode: Mode) -> Engine:
        """Weight the hierarchy for a mode, once.

        Raises
        ------
        OptionInvalid
            A mode that is not served.
        """
        if mode not in self.modes:
            expected = ", ".join(self.modes)
            raise OptionInvalid(option="mode", value=mode, expected=expected)
        if mode not in self._engines:
            self._engines[mode] = self._weighted(mode)
        return self._engines[mode]

    def _weighted(self, mode: Mode) -> Engine:
        times = arc_times(self.network, mode, band=self.band, conditions=self.conditions)
        if not self.turns:
            return ByNode(self.network, self.topology, times)
        turns = self.ground.turns
        return ByTurn(
            self.network, turns, times, turn_times(self.network, turns.graph, mode, times)
        )


def _soonest(seconds: Seconds, k: int) -> tuple[NDArray[np.int64], Seconds]:
    """Return the `k` rows soonest in each column, and their seconds, shapes (n_columns, k)."""
    key = (seconds.T.astype(np.int64) << 32) | np.arange(len(seconds))
    key = np.sort(np.partition(key, k - 1, axis=1)[:, :k], axis=1) if k else key[:, :0]
    time, row = (key >> 32).astype(np.int32), key & 0xFFFFFFFF
    return np.where(time == UNREACHABLE, -1, row), time
