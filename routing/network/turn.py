"""Turns from arc to arc: the street network seen from its arcs, so that every turn has its time.

In the turn graph the arcs of a network are the vertices, and each way from the end of one arc onto
the next is an edge. Its time is that of the turn and of the whole arc turned into; a way from arc
to arc is thus the time from the end of the first to the end of the last. Restricted turns
(OpenStreetMap's ``restriction`` relations) are not known to a street frame and not to this graph.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.model import UNREACHABLE, Mode
from routing.network.segment import Network
from routing.network.times import ArcTimes

HEADING_M: Final = 10.0
"""Metres of street before and behind a junction over which its heading is taken: the first point
of a line is often a kerb's width away and points anywhere. An assumption, not a measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnGraph:
    """Every turn of a network; its vertices are the network's arcs.

    Turns from or into arcs that no mode may use are left out.

    Attributes
    ----------
    n_arcs : int
    tail, head : ndarray of int32, shape (n_turns,)
        Arc that is left, arc that is turned into.
    angle : ndarray of float32, shape (n_turns,)
        Degrees above -180 and up to 180: 0 straight on, right positive, left negative.
    is_u_turn : ndarray of bool, shape (n_turns,)
        Back along the segment one came by.
    x, y : ndarray of int32, shape (n_arcs,)
        Middle of each arc, decimetres from the network's south-west corner: what
        `routing.hierarchy.build_topology` orders them by.
    """

    n_arcs: int
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    angle: NDArray[np.float32]
    is_u_turn: NDArray[np.bool_]
    x: NDArray[np.int32]
    y: NDArray[np.int32]

    @property
    def n_turns(self) -> int:
        """Turns, those back along the same segment included."""
        return len(self.tail)

    @property
    def segment(self) -> NDArray[np.int32]:
        """Segment of each arc, shape (n_arcs,): what `build_topology` bundles them by."""
        return np.arange(self.n_arcs, dtype=np.int32) >> 1


def turn_graph(network: Network) -> TurnGraph:
    """Return every turn of `network`."""
    tail, head = _turns(network)
    leaving, arriving = _headings(network)
    is_u_turn = head == tail ^ 1
    angle = 180.0 - (180.0 - leaving[head] + arriving[tail]) % 360.0
    middle = _point_at(network, 0.5 * _lengths(network)) - network.node_xy.min(axis=0)
    x, y = np.repeat(np.rint(10.0 * middle).astype(np.int32), 2, axis=0).T.copy()
    return TurnGraph(
        n_arcs=2 * network.n_segments,
        tail=tail,
        head=head,
        angle=np.where(is_u_turn, 180.0, angle).astype(np.float32),
        is_u_turn=is_u_turn,
        x=x,
        y=y,
    )


def turn_times(
    network: Network, graph: TurnGraph, mode: Mode, times: ArcTimes
) -> NDArray[np.int32]:
    """Return the milliseconds of each turn and of the run of the arc turned into.

    At a junction a turn costs what the profile's `Turn` says, in place of its junction delay; where
    `times` lose nothing at a junction (a green wave), only turning round does. Between junctions
    only turning round costs anything.

    Parameters
    ----------
    times : ArcTimes
        Of the same network and mode.

    Returns
    -------
    ndarray of int32, shape (n_turns,)
        At least 1; UNREACHABLE where the mode may not use one of the two arcs.
    """
    turn = network.profile.turn[mode]
    seconds = turn.seconds(graph.angle.astype(np.float64), graph.is_u_turn)
    passed = network.junction[network.arc_head] & ~_waved(network, mode, times)
    between = np.where(graph.is_u_turn, seconds - turn.wait, 0.0)
    lost = np.rint(1000.0 * np.where(passed[graph.tail], seconds, between)).astype(np.int64)
    is_open = times.whole < UNREACHABLE
    both = is_open[graph.tail] & is_open[graph.head]
    whole = np.minimum(lost + times.run[graph.head >> 1], UNREACHABLE - 1)
    return np.where(both, whole, UNREACHABLE).astype(np.int32)


def _waved(network: Network, mode: Mode, times: ArcTimes) -> NDArray[np.bool_]:
    """Arcs at whose end the mode would lose time, but does not."""
    loses_time = network.profile.junction_delay[mode] > 0.0
    waved: NDArray[np.bool_] = (times.delay == 0) & loses_time
    return waved


def _turns(network: Network) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pair every arc with those that leave the node it reaches; by arc left, then by arc taken."""
    used = np.flatnonzero(network.usable.any(axis=0))
    start, end = network.arc_tail[used], network.arc_head[used]
    by_start = np.argsort(start, kind="stable")
    ptr = np.searchsorted(start[by_start], np.arange(network.n_nodes + 1))
    count = np.diff(ptr)[end]
    first = np.cumsum(count) - count
    step = np.arange(count.sum()) - np.repeat(first, count)
    into = by_start[np.repeat(ptr[end], count) + step]
    return np.repeat(used, count).astype(np.int32), used[into].astype(np.int32)


def _headings(network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees clockwise from grid north in which each arc sets out, and in which it arrives."""
    length = _lengths(network)
    reach = np.minimum(HEADING_M, 0.5 * length)
    first, last = network.xy[network.offsets[:-1]], network.xy[network.offsets[1:] - 1]
    out = _bearing(_point_at(network, reach) - first)
    back = _bearing(_point_at(network, length - reach) - last)
    leaving = np.stack([out, back], axis=1).ravel()
    arriving = np.stack([back + 180.0, out + 180.0], axis=1).ravel()
    return leaving, arriving


def _bearing(step: NDArray[np.float64]) -> NDArray[np.float64]:
    bearing: NDArray[np.float64] = np.degrees(np.arctan2(step[:, 0], step[:, 1]))
    return bearing


def _lengths(network: Network) -> NDArray[np.float64]:
    """Metres of each line in the network's own CRS."""
    return network.measure[network.offsets[1:] - 1]


def _point_at(network: Network, metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the point of each segment, shape (n_segments, 2), `metres` from its first point."""
    base = np.cumsum(_lengths(network)) - _lengths(network)
    run = network.measure + np.repeat(base, np.diff(network.offsets))
    at = base + metres
    first, last = network.offsets[:-1], network.offsets[1:] - 2
    i = (np.searchsorted(run, at, side="right") - 1).clip(first, last)
    step = run[i + 1] - run[i]
    share = np.divide(at - run[i], step, out=np.zeros_like(at), where=step > 0.0).clip(0.0, 1.0)
    point: NDArray[np.float64] = network.xy[i] + share[:, None] * (
        network.xy[i + 1] - network.xy[i]
    )
    return point
