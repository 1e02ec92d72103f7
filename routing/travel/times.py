"""How long it takes from place to place, and how to get there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import NetworkEmpty, OptionInvalid, StationUnreachable
from routing import hierarchy
from routing.hierarchy import FAR, NONE, Ends, Metric
from routing.model import UNREACHABLE, Mode, Place, TravelTimes
from routing.network import MODES, ArcTimes, Network, arc_times
from routing.travel import leg as legs_of
from routing.travel.leg import Leg
from routing.travel.snap import Snapper, Snaps

REACH_M: Final = 500.0
"""Metres from a station to the nearest usable street beyond which the roads do not reach it."""

LEGS_AT_ONCE: Final = 1000
"""Legs drawn side by side: across a city of 90,000 nodes they hold about 35 MB."""

Seconds = NDArray[np.int32]
"""Whole seconds; UNREACHABLE where there is no way."""


def warm_up() -> None:
    """Compile the kernels behind travel times into their cache."""
    hierarchy.warm_up()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speeds:
    """One mode's arc times and the hierarchy weighted with them."""

    times: ArcTimes
    usable: NDArray[np.bool_]
    metric: Metric


class Travel:
    """Travel times on one network.

    Times are exact for the network's profile: milliseconds inside, rounded up to seconds once. A
    place is the nearest point of a street that all of `modes` may use; time from door to street
    is not counted.

    Parameters
    ----------
    network : Network
    modes : sequence of Mode
        Modes to serve.

    Raises
    ------
    NetworkEmpty
        No street that all of `modes` may use.
    """

    def __init__(self, network: Network, modes: Sequence[Mode] = MODES) -> None:
        self.network = network
        self.modes = tuple(modes)
        self._snapper = Snapper(network, self.modes)
        if len(self._snapper) == 0:
            hint = f"No street is open to all of: {', '.join(self.modes)}."
            raise NetworkEmpty(source="streets", hint=hint)
        origin = network.node_xy.min(axis=0)
        x, y = np.rint((network.node_xy - origin) * 10.0).astype(np.int32).T.copy()
        tail, head = network.arc_tail, network.arc_head
        self._topology = hierarchy.build_topology(network.n_nodes, tail, head, x, y)
        self._speeds: dict[Mode, _Speeds] = {}

    def snap(self, lonlat: NDArray[np.float64]) -> Snaps:
        """Snap points (n, 2) in WGS-84 degrees to the nearest usable streets.

        Raises
        ------
        OptionInvalid
            A point that lies nowhere.
        """
        return self._snapper.snap(np.asarray(lonlat, dtype=np.float64).reshape(-1, 2))

    def snap_places(self, places: Sequence[Place]) -> Snaps:
        """Snap places to the nearest usable streets."""
        return self.snap(np.array([(p.lon, p.lat) for p in places], dtype=np.float64))

    def many_to_many(self, origins: Snaps, destinations: Snaps, mode: Mode) -> Seconds:
        """Return the seconds from every origin to every destination, shape (n_o, n_d)."""
        return _rounded_up(self._milliseconds(origins, destinations, mode))

    def matrix(self, snaps: Snaps, modes: Sequence[Mode]) -> Seconds:
        """Return the seconds between all snaps, shape (n_modes, n, n), 0 on the diagonal."""
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

    def require_stations(
        self, stations: Sequence[Place], *, source: str = "stations", limit: float = REACH_M
    ) -> None:
        """Check that the roads reach every station.

        Parameters
        ----------
        stations : sequence of Place
        source : str
            What the user calls the stations.
        limit : float
            Metres to the nearest usable street that are still fine.

        Raises
        ------
        StationUnreachable
            Names every station that lies farther away.
        """
        distance = self.snap_places(stations).distance
        beyond = [s.name for s, metres in zip(stations, distance, strict=True) if metres > limit]
        if beyond:
            raise StationUnreachable(
                source=source,
                n=len(beyond),
                total=len(stations),
                stations=", ".join(beyond),
                limit_m=round(limit),
            )

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
                legs = self._legs(origins.take(rows), destinations.take(rows), mode)
                found.update(zip(rows.tolist(), legs, strict=True))
        return tuple(found[i] for i in range(len(pairs)))

    def _legs(self, origins: Snaps, destinations: Snaps, mode: Mode) -> list[Leg]:
        """Trace the legs of one mode."""
        speeds = self._at_speeds_of(mode)
        ways = hierarchy.ways(
            speeds.metric, self._leaving(origins, speeds), self._reaching(destinations, speeds)
        )
        on_segment = _on_segment(origins, destinations, speeds)
        is_direct = on_segment <= np.minimum(ways.cost, FAR - 1)
        ahead = destinations.fraction >= origins.fraction
        direct = np.where(is_direct, np.where(ahead, 1, -1), 0).astype(np.int8)
        seconds = _rounded_up(np.minimum(ways.cost, on_segment))
        n = len(origins)
        row = legs_of.pieces(self.network, origins, destinations, ways, direct)
        columns = (
            seconds.tolist(),
            legs_of.metres(row, n).tolist(),
            legs_of.street_names(self.network, row, n),
            legs_of.draw(self.network, origins, destinations, row),
        )
        return [
            Leg(seconds=s, length=length, names=names, lonlat=lonlat)
            for s, length, names, lonlat in zip(*columns, strict=True)
        ]

    def _at_speeds_of(self, mode: Mode) -> _Speeds:
        """Weight the hierarchy for a mode, once."""
        if mode not in self.modes:
            expected = ", ".join(self.modes)
            raise OptionInvalid(option="mode", value=mode, expected=expected)
        if mode not in self._speeds:
            times = arc_times(self.network, mode)
            metric = hierarchy.customise(self._topology, times.whole)
            usable = self.network.usable_by(mode).reshape(-1, 2)
            self._speeds[mode] = _Speeds(times=times, usable=usable, metric=metric)
        return self._speeds[mode]

    def _milliseconds(self, origins: Snaps, destinations: Snaps, mode: Mode) -> Seconds:
        """Return the milliseconds from every origin to every destination, shape (n_o, n_d)."""
        speeds = self._at_speeds_of(mode)
        times = hierarchy.distances(
            speeds.metric, self._leaving(origins, speeds), self._reaching(destinations, speeds)
        )
        i, j = _same_segment(origins, destinations)
        on_segment = _on_segment(origins.take(i), destinations.take(j), speeds)
        times[i, j] = np.minimum(times[i, j], on_segment)
        return times

    def _leaving(self, snaps: Snaps, speeds: _Speeds) -> Ends:
        """Time from each point to the ends of its segment, their junctions passed."""
        done, rest = _split_run(snaps, speeds.times)
        to_tail = done + speeds.times.delay[2 * snaps.segment + 1]
        to_head = rest + speeds.times.delay[2 * snaps.segment]
        is_open = speeds.usable[snaps.segment][:, ::-1]
        return self._ends(snaps, np.stack([to_tail, to_head], axis=1), is_open, done, rest)

    def _reaching(self, snaps: Snaps, speeds: _Speeds) -> Ends:
        """Time from the ends of its segment to each point."""
        done, rest = _split_run(snaps, speeds.times)
        is_open = speeds.usable[snaps.segment]
        return self._ends(snaps, np.stack([done, rest], axis=1), is_open, done, rest)

    def _ends(
        self,
        snaps: Snaps,
        offset: Seconds,
        is_open: NDArray[np.bool_],
        done: Seconds,
        rest: Seconds,
    ) -> Ends:
        """Close the ends out of reach; a point that lies on an end is there at once."""
        at_end = np.stack([done == 0, rest == 0], axis=1)
        node = np.stack(
            [self.network.tail[snaps.segment], self.network.head[snaps.segment]], axis=1
        )
        return Ends(
            node=np.where(is_open | at_end, node, np.int32(NONE)),
            offset=np.where(at_end, np.int32(0), offset),
        )


def _split_run(snaps: Snaps, times: ArcTimes) -> tuple[Seconds, Seconds]:
    """Milliseconds between the snapped point and its segment's first and last node."""
    run = times.run[snaps.segment]
    done = np.rint(snaps.fraction * run).astype(np.int32)
    return done, run - done


def _on_segment(origins: Snaps, destinations: Snaps, speeds: _Speeds) -> Seconds:
    """Milliseconds from each origin to the destination beside it without leaving the segment."""
    start, _ = _split_run(origins, speeds.times)
    end, _ = _split_run(destinations, speeds.times)
    way = np.where(end >= start, 0, 1)
    is_open = speeds.usable[origins.segment, way] | (start == end)
    is_one = origins.segment == destinations.segment
    return np.where(is_one & is_open, np.abs(end - start), np.int32(FAR))


def _same_segment(
    origins: Snaps, destinations: Snaps
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of all pairs of an origin and a destination on one segment."""
    by_segment = np.argsort(destinations.segment, kind="stable")
    segment = destinations.segment[by_segment]
    first = np.searchsorted(segment, origins.segment, side="left")
    count = np.searchsorted(segment, origins.segment, side="right") - first
    i = np.repeat(np.arange(len(origins)), count)
    step = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    return i, by_segment[np.repeat(first, count) + step]


def _rounded_up(milliseconds: Seconds) -> Seconds:
    """Whole seconds, rounded up once."""
    seconds = (milliseconds + np.int32(999)) // np.int32(1000)
    seconds[milliseconds >= FAR] = UNREACHABLE
    return seconds
