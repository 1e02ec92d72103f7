"""The corridor of an escort (生命护航): the fastest way, what it passes, and ways to turn to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from geo.units import LONLAT_DECIMALS
from routing.hierarchy import FAR, NONE, Ints, Ways
from routing.model import Mode, Place
from routing.network import ArcTimes, Network, arc_times
from routing.travel import leg as legs_of
from routing.travel.alternative import Between, Kept, Streets, Wanted, find_ways
from routing.travel.ends import beside, leaving, reaching, round_up
from routing.travel.leg import Leg
from routing.travel.snap import Snaps
from routing.travel.step import Step, list_steps
from routing.travel.times import Travel
from routing.travel.tree import grow_tree

ALTERNATIVES: Final = 2
"""Ways to turn to, beside the fastest."""

SHARING: Final = 0.6
"""Most of the fastest's time that any two of the ways have in common."""

STRETCH: Final = 1.3
"""Longest time of an alternative, in parts of the fastest's."""

WITHIN_M: Final = 100.0
"""Metres from the line of the way within which a post is passed: seen, and there in a minute."""

Metres = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A junction passed.

    Attributes
    ----------
    streets : tuple of str
        Names of the streets that meet there; those without a name are left out.
    length, seconds : float, int
        Metres and seconds from the start.
    lonlat : tuple of float
        WGS-84 degrees.
    """

    streets: tuple[str, ...]
    length: float
    seconds: int
    lonlat: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPassed:
    """A post beside the way.

    Attributes
    ----------
    place : Place
    distance : float
        Metres from the line of the way.
    length, seconds : float, int
        Metres and seconds from the start to where it is nearest.
    """

    place: Place
    distance: float
    length: float
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorridorWay:
    """One way for an escort.

    Attributes
    ----------
    leg : Leg
    steps : tuple of Step
        Its turn list.
    crossings : tuple of Crossing
    posts : tuple of PostPassed
        In the order they are passed.
    stretch : float
        Its time in parts of the fastest's; 1 for the fastest.
    sharing : float
        Part of the fastest's time that it has in common with the fastest; 0 for itself.
    """

    leg: Leg
    steps: tuple[Step, ...]
    crossings: tuple[Crossing, ...]
    posts: tuple[PostPassed, ...]
    stretch: float
    sharing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """The fastest way for an escort and the ways to turn to, in the order of their times.

    Attributes
    ----------
    fastest : CorridorWay
    alternatives : tuple of CorridorWay
        As many as there are, at most as many as asked for; none where both places lie on one
        segment.
    """

    origin: Place
    destination: Place
    mode: Mode
    fastest: CorridorWay
    alternatives: tuple[CorridorWay, ...]

    @property
    def ways(self) -> tuple[CorridorWay, ...]:
        """All ways, the fastest first."""
        return (self.fastest, *self.alternatives)


def find_corridor(
    travel: Travel,
    origin: Place,
    destination: Place,
    *,
    mode: Mode = Mode.CAR,
    posts: Sequence[Place] = (),
    within: float = WITHIN_M,
    n_alternatives: int = ALTERNATIVES,
    stretch: float = STRETCH,
    sharing: float = SHARING,
    source: str = "places",
) -> Corridor:
    """Find the corridor from one place to another, at the speeds of green waves where there are.

    Delays are those of junctions, not of single turns: an escort does not wait.

    Parameters
    ----------
    travel : Travel
        Its time of day and conditions hold.
    posts : sequence of Place
        Posts and stations to look for beside the way.
    within : float
        Metres from the line of the way.
    n_alternatives : int
    stretch, sharing : float
        See `STRETCH` and `SHARING`.
    source : str
        What the user calls the two places.

    Raises
    ------
    OptionInvalid
        A mode that is not served, or a limit that allows no alternative.
    StationUnreachable
        One of the two places lies far from every street.
    PlaceCutOff
        The destination cannot be reached and left again.
    """
    limits = _Limits(n_alternatives=n_alternatives, stretch=stretch, sharing=sharing, within=within)
    travel.engine(mode)
    snaps = travel.snap_places([origin, destination])
    travel.refuse_beyond([origin, destination], snaps, source=source)
    start, end = snaps.take(np.array([0])), snaps.take(np.array([1]))
    times = arc_times(
        travel.network, mode, band=travel.band, conditions=travel.conditions, escorted=True
    )
    walked, direct = _walk(travel, times, (start, end), limits)
    if len(walked.time) == 0:
        travel.require_connected([origin], [destination], mode, source=source)
    told = _tell(travel, times, (start, end), walked, direct, place=destination.name)
    beside_way = _PostsBeside(travel, posts, within)
    ways = tuple(
        CorridorWay(
            leg=one.leg,
            steps=one.steps,
            crossings=one.crossings,
            posts=beside_way.passed(one),
            stretch=float(walked.time[i] / max(walked.time[0], 1)),
            sharing=float(walked.shared[i] / max(walked.time[0], 1)),
        )
        for i, one in enumerate(told)
    )
    return Corridor(
        origin=origin, destination=destination, mode=mode, fastest=ways[0], alternatives=ways[1:]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What is asked for, checked."""

    n_alternatives: int
    stretch: float
    sharing: float
    within: float

    def __post_init__(self) -> None:
        checks = (
            ("alternatives", self.n_alternatives, 0, 20),
            ("stretch", self.stretch, 1.0, 10.0),
            ("sharing", self.sharing, 0.0, 1.0),
            ("within", self.within, 0.0, 10_000.0),
        )
        for option, value, least, most in checks:
            if not least <= value <= most:
                raise OptionInvalid(option=option, value=value, expected=f"{least} to {most}")


def _walk(
    travel: Travel, times: ArcTimes, ends: tuple[Snaps, Snaps], limits: _Limits
) -> tuple[Kept, int]:
    """Return the ways, and 1 or -1 where the fastest stays on its segment, else 0."""
    start, end = ends
    network = travel.network
    here, there = leaving(network, times, start), reaching(network, times, end)
    fan, fan_back = travel.ground.fans
    out = grow_tree(fan, times.whole, here.node[0], here.offset[0])
    back = grow_tree(fan_back, times.whole, there.node[0], there.offset[0])
    streets = Streets(network.arc_tail, network.arc_head, times.whole)
    wanted = Wanted(
        n_ways=1 + limits.n_alternatives, stretch=limits.stretch, sharing=limits.sharing
    )
    walked = find_ways(Between(streets, out, back), fan, here, there, wanted)
    straight = beside(start, end, times)
    if straight[0] < FAR and (len(walked.time) == 0 or straight[0] <= walked.time[0]):
        alone = walked._replace(
            offsets=np.zeros(2, np.int64),
            arcs=walked.arcs[:0],
            ends=np.full((1, 2), NONE, np.int32),
            time=straight,
            shared=np.zeros(1, np.int32),
        )
        return alone, 1 if end.fraction[0] >= start.fraction[0] else -1
    return walked, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A way, and where it is at what time."""

    leg: Leg
    steps: tuple[Step, ...]
    crossings: tuple[Crossing, ...]
    metres: Metres
    milliseconds: NDArray[np.float64]


def _tell(
    travel: Travel,
    times: ArcTimes,
    ends: tuple[Snaps, Snaps],
    walked: Kept,
    direct: int,
    *,
    place: str,
) -> list[_Told]:
    """Draw the ways, list their turns and the junctions they pass."""
    network, n = travel.network, len(walked.time)
    origins, destinations = (end.take(np.zeros(n, dtype=np.int64)) for end in ends)
    row = legs_of.pieces(
        network,
        origins,
        destinations,
        _as_ways(network, ends, walked, direct),
        np.full(n, direct, np.int8),
    )
    seconds = walked.time.copy()
    round_up(seconds)
    legs = legs_of.legs(network, origins, destinations, row, seconds)
    steps = list_steps(network, row, [leg.lonlat for leg in legs], [place] * n)
    told = []
    for i in range(n):
        metres = np.concatenate([[0.0], np.cumsum((row.high - row.low)[row.leg == i])])
        node, time = _clock(network, times, ends[0], walked, i)
        told.append(
            _Told(
                leg=legs[i],
                steps=steps[i],
                crossings=_crossings(travel, node, metres[1:-1], time[1:-1]),
                metres=metres,
                milliseconds=time,
            )
        )
    return told


def _clock(
    network: Network, times: ArcTimes, start: Snaps, walked: Kept, i: int
) -> tuple[Ints, NDArray[np.float64]]:
    """Return the nodes a way passes, and its milliseconds at the start, at each and at the end."""
    first = walked.ends[i, :1]
    if first[0] == NONE:
        return first[:0], np.array([0.0, walked.time[i]])
    arcs = walked.arcs[walked.offsets[i] : walked.offsets[i + 1]]
    here = leaving(network, times, start)
    offset = here.offset[0][here.node[0] == first[0]].min()
    passed = offset + np.cumsum(times.whole[arcs], dtype=np.float64)
    return (
        np.concatenate([first, network.arc_head[arcs]]),
        np.concatenate([[0.0, offset], passed, [walked.time[i]]]),
    )


def _as_ways(network: Network, ends: tuple[Snaps, Snaps], walked: Kept, direct: int) -> Ways:
    """Name the ends of their segments over which the ways leave and arrive."""
    return Ways(
        cost=walked.time,
        origin_end=_which_end(network, ends[0], walked.ends[:, 0], direct),
        destination_end=_which_end(network, ends[1], walked.ends[:, 1], direct),
        offsets=walked.offsets,
        arcs=walked.arcs,
    )


def _which_end(network: Network, snap: Snaps, node: Ints, direct: int) -> Ints:
    if direct:
        return np.full(len(node), NONE, np.int32)
    is_tail = network.tail[snap.segment[0]] == node
    return np.where(is_tail, 0, 1).astype(np.int32)


def _crossings(
    travel: Travel, node: Ints, metres: Metres, milliseconds: NDArray[np.float64]
) -> tuple[Crossing, ...]:
    """Return those of the nodes passed that are junctions."""
    network = travel.network
    passed = np.flatnonzero(network.junction[node])
    fan = travel.ground.fans[0]
    lonlat = _node_lonlat(travel, node)
    found = []
    for i in passed.tolist():
        arcs = fan.arc[fan.ptr[node[i]] : fan.ptr[node[i] + 1]]
        names = (network.names[k] for k in network.name[arcs >> 1].tolist())
        found.append(
            Crossing(
                streets=tuple(dict.fromkeys(name for name in names if name)),
                length=float(metres[i]),
                seconds=int(-(-milliseconds[i] // 1000)),
                lonlat=(float(lonlat[i, 0]), float(lonlat[i, 1])),
            )
        )
    return tuple(found)


def _node_lonlat(travel: Travel, node: Ints) -> NDArray[np.float64]:
    """Return where nodes lie, WGS-84 degrees, from the lines that end there."""
    network, fan = travel.network, travel.ground.fans[0]
    arc = fan.arc[fan.ptr[node]]
    first, last = network.offsets[arc >> 1], network.offsets[(arc >> 1) + 1] - 1
    lonlat: NDArray[np.float64] = network.lonlat[np.where(arc & 1 == 0, first, last)]
    return np.round(lonlat, LONLAT_DECIMALS)


class _PostsBeside:
    """Looks for posts beside ways."""

    def __init__(self, travel: Travel, posts: Sequence[Place], within: float) -> None:
        self._travel, self._posts, self._within = travel, tuple(posts), within
        lonlat = np.array([(post.lon, post.lat) for post in posts], dtype=float).reshape(-1, 2)
        self._points = np.asarray(shapely.points(travel.ground.snapper.to_metres(lonlat)))

    def passed(self, way: _Told) -> tuple[PostPassed, ...]:
        """Return the posts beside a way in the order they are passed."""
        line = shapely.LineString(self._travel.ground.snapper.to_metres(way.leg.lonlat))
        distance = shapely.distance(self._points, line)
        share = shapely.line_locate_point(line, self._points, normalized=True)
        length = np.asarray(share) * way.leg.length
        near = np.flatnonzero(distance <= self._within)
        time = np.interp(length, way.metres, way.milliseconds)
        return tuple(
            PostPassed(
                place=self._posts[i],
                distance=float(distance[i]),
                length=float(length[i]),
                seconds=int(-(-time[i] // 1000)),
            )
            for i in near[np.argsort(length[near], kind="stable")].tolist()
        )
