"""One mode's weights on the hierarchy, and what is asked of it: times, metres, ways.

Two engines answer alike. `ByNode` counts a fixed delay at every junction; its graph is the street
network. `ByTurn` counts each turn by its angle; its graph has the arcs of the network as vertices
and the turns between them as edges, so that a place is reached at the end of its arc less the rest
of the arc.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from routing import hierarchy
from routing.hierarchy import FAR, NONE, Ends, Ints, Metric, Topology, Ways
from routing.network import ArcTimes, Network
from routing.network.turn import TurnGraph
from routing.travel.ends import beside, leaving, open_ways, reaching, shorten, split_run
from routing.travel.snap import Snaps

Metres = NDArray[np.float64]


class Found(NamedTuple):
    """The fastest ways between pairs of places."""

    milliseconds: Ints
    """FAR where there is no way."""
    ways: Ways
    """Over the arcs of the network; ends 0 and 1 are a segment's first and last node."""
    direct: NDArray[np.int8]
    """1 and -1 where a way stays on one segment, with and against the line; 0 elsewhere."""


class Engine(Protocol):
    """Answers for one mode at one time under one set of conditions."""

    times: ArcTimes

    def milliseconds(self, origins: Snaps, destinations: Snaps) -> Ints:
        """Return the time from every origin to every destination, FAR where there is no way."""

    def lengths(self, origins: Snaps, destinations: Snaps) -> tuple[Ints, Metres]:
        """Return the same times, and the metres of the ways; of equally fast ones the shortest."""

    def find(self, origins: Snaps, destinations: Snaps) -> Found:
        """Return the fastest way from each origin to the destination in its row."""


class ByNode:
    """Travel on the street network, with the profile's delay at each junction."""

    def __init__(self, network: Network, topology: Topology, times: ArcTimes) -> None:
        self.network, self.times, self._topology = network, times, topology

    @cached_property
    def _metric(self) -> Metric:
        return hierarchy.customise(self._topology, self.times.whole)

    @cached_property
    def _long_metric(self) -> Metric:
        length = np.repeat(self.network.length, 2)
        return hierarchy.customise(self._topology, self.times.whole, metres=length)

    def milliseconds(self, origins: Snaps, destinations: Snaps) -> Ints:
        """Return the time from every origin to every destination, FAR where there is no way."""
        found = hierarchy.distances(self._metric, *self._ends(origins, destinations))
        shorten(found, origins, destinations, self.times)
        return found

    def lengths(self, origins: Snaps, destinations: Snaps) -> tuple[Ints, Metres]:
        """Return the same times, and the metres of the ways; of equally fast ones the shortest."""
        start, end = self._ends(origins, destinations)
        start = _with_metres(self.network, origins, start)
        end = _with_metres(self.network, destinations, end)
        found, metres = hierarchy.lengths(self._long_metric, start, end)
        whole = self.network.length
        shorten(found, origins, destinations, self.times, metres=metres, whole=whole)
        return found, metres

    def find(self, origins: Snaps, destinations: Snaps) -> Found:
        """Return the fastest way from each origin to the destination in its row."""
        ways = hierarchy.ways(self._metric, *self._ends(origins, destinations))
        straight = beside(origins, destinations, self.times)
        is_direct = straight <= np.minimum(ways.cost, FAR - 1)
        ahead = np.where(destinations.fraction >= origins.fraction, 1, -1)
        direct = np.where(is_direct, ahead, 0).astype(np.int8)
        return Found(np.minimum(ways.cost, straight), ways, direct)

    def _ends(self, origins: Snaps, destinations: Snaps) -> tuple[Ends, Ends]:
        return (
            leaving(self.network, self.times, origins),
            reaching(self.network, self.times, destinations),
        )


def _with_metres(network: Network, snaps: Snaps, ends: Ends) -> Ends:
    """Add the metres between each point and the two ends of its segment."""
    length = network.length[snaps.segment]
    done = snaps.fraction * length
    metres = np.where(ends.offset == 0, 0.0, np.stack([done, length - done], axis=1))
    return Ends(node=ends.node, offset=ends.offset, metres=metres)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """The turn graph of a network, and its hierarchy.

    Its order is its own: one derived from the order of the nodes blows up.
    """

    graph: TurnGraph
    topology: Topology


class ByTurn:
    """Travel on the turn graph, with the profile's seconds for each turn."""

    def __init__(self, network: Network, turns: Turns, times: ArcTimes, turn_times: Ints) -> None:
        self.network, self.times = network, times
        self._turns, self._weight = turns, turn_times

    @cached_property
    def _metric(self) -> Metric:
        return hierarchy.customise(self._turns.topology, self._weight)

    @cached_property
    def _long_metric(self) -> Metric:
        length = self.network.length[self._turns.graph.head >> 1]
        return hierarchy.customise(self._turns.topology, self._weight, metres=length)

    def milliseconds(self, origins: Snaps, destinations: Snaps) -> Ints:
        """Return the time from every origin to every destination, FAR where there is no way."""
        ends = self._ends(origins, sign=1), self._ends(destinations, sign=-1)
        return hierarchy.distances(self._metric, *ends)

    def lengths(self, origins: Snaps, destinations: Snaps) -> tuple[Ints, Metres]:
        """Return the same times, and the metres of the ways; of equally fast ones the shortest."""
        ends = self._ends(origins, sign=1), self._ends(destinations, sign=-1)
        return hierarchy.lengths(self._long_metric, *ends)

    def find(self, origins: Snaps, destinations: Snaps) -> Found:
        """Return the fastest way from each origin to the destination in its row."""
        ends = self._ends(origins, sign=1), self._ends(destinations, sign=-1)
        turned = hierarchy.ways(self._metric, *ends)
        n_turns = np.diff(turned.offsets)
        is_way = turned.cost < FAR
        first = np.where(is_way, 2 * origins.segment + turned.origin_end, NONE)
        straight = np.where(first & 1 == 0, 1, -1)
        direct = np.where(is_way & (n_turns == 0), straight, 0).astype(np.int8)
        return Found(turned.cost, self._over_arcs(turned, first), direct)

    def _ends(self, snaps: Snaps, *, sign: int) -> Ends:
        """Arcs a place lies on, and the rest of each from the place to its end, times `sign`."""
        done, rest = split_run(snaps, self.times)
        length = self.network.length[snaps.segment]
        passed = snaps.fraction * length
        arc = 2 * snaps.segment[:, None] + np.arange(2, dtype=np.int32)
        return Ends(
            node=np.where(open_ways(self.times)[snaps.segment], arc, NONE).astype(np.int32),
            offset=np.int32(sign) * np.stack([rest, done], axis=1),
            metres=sign * np.stack([length - passed, passed], axis=1),
        )

    def _over_arcs(self, turned: Ways, first: Ints) -> Ways:
        """Name the arcs between the first and the last of each way, which are gone in part."""
        into = self._turns.graph.head[turned.arcs]
        n_turns = np.diff(turned.offsets)
        is_long = n_turns > 0
        final = turned.offsets[1:][is_long] - 1
        last = first.copy()
        last[is_long] = into[final]
        between = np.ones(len(into), dtype=bool)
        between[final] = False
        return Ways(
            cost=turned.cost,
            origin_end=np.where(first == NONE, NONE, 1 - (first & 1)).astype(np.int32),
            destination_end=np.where(last == NONE, NONE, last & 1).astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(np.maximum(n_turns - 1, 0))]),
            arcs=into[between],
        )
