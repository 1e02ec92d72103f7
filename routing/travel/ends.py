"""Where a place on a street meets the network: times to the two ends of its segment and from them.

A place may lie anywhere on a segment; from it one leaves over the last node of its segment along
the line or over the first against it, and it is reached the same two ways.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy import FAR, NONE, Ends, Ints
from routing.hierarchy.kernel import kernel
from routing.network import ArcTimes, Network
from routing.travel.snap import Snaps

Flags = NDArray[np.bool_]
Metres = NDArray[np.float64]


def open_ways(times: ArcTimes) -> Flags:
    """Tell which ways a segment may be gone: along and against its line, shape (n_segments, 2)."""
    is_open: Flags = (times.whole < FAR).reshape(-1, 2)
    return is_open


def split_run(snaps: Snaps, times: ArcTimes) -> tuple[Ints, Ints]:
    """Milliseconds between the snapped point and its segment's first and last node."""
    run = times.run[snaps.segment]
    done = np.rint(snaps.fraction * run).astype(np.int32)
    return done, run - done


def leaving(network: Network, times: ArcTimes, snaps: Snaps) -> Ends:
    """Time from each point to the ends of its segment, their junctions passed."""
    done, rest = split_run(snaps, times)
    to_tail = done + times.delay[2 * snaps.segment + 1]
    to_head = rest + times.delay[2 * snaps.segment]
    is_open = open_ways(times)[snaps.segment][:, ::-1]
    return _ends(network, snaps, np.stack([to_tail, to_head], axis=1), is_open, (done, rest))


def reaching(network: Network, times: ArcTimes, snaps: Snaps) -> Ends:
    """Time from the ends of its segment to each point."""
    done, rest = split_run(snaps, times)
    is_open = open_ways(times)[snaps.segment]
    return _ends(network, snaps, np.stack([done, rest], axis=1), is_open, (done, rest))


def _ends(
    network: Network, snaps: Snaps, offset: Ints, is_open: Flags, runs: tuple[Ints, Ints]
) -> Ends:
    """Close the ends out of reach; a point that lies on an end is there at once."""
    at_end = np.stack(runs, axis=1) == 0
    node = np.stack([network.tail[snaps.segment], network.head[snaps.segment]], axis=1)
    return Ends(
        node=np.where(is_open | at_end, node, np.int32(NONE)),
        offset=np.where(at_end, np.int32(0), offset).astype(np.int32),
    )


def beside(origins: Snaps, destinations: Snaps, times: ArcTimes) -> Ints:
    """Milliseconds from each origin to the destination in its row without leaving the segment.

    FAR where they lie on two segments or the way between them is closed.
    """
    start, _ = split_run(origins, times)
    end, _ = split_run(destinations, times)
    way = np.where(end >= start, 0, 1)
    is_open = open_ways(times)[origins.segment, way] | (start == end)
    is_one = origins.segment == destinations.segment
    return np.where(is_one & is_open, np.abs(end - start), np.int32(FAR)).astype(np.int32)


def shorten(
    found: Ints,
    origins: Snaps,
    destinations: Snaps,
    times: ArcTimes,
    *,
    metres: Metres | None = None,
    whole: Metres | None = None,
) -> None:
    """Lower a matrix of milliseconds where origin and destination lie on one segment.

    Parameters
    ----------
    found : ndarray of int32, shape (n_origins, n_destinations)
    metres : ndarray of float64, shape (n_origins, n_destinations), optional
        Lengths of the same ways: of equally fast ones the shorter counts.
    whole : ndarray of float64, shape (n_segments,), optional
        Metres of each segment; given with `metres`.
    """
    by_segment = np.argsort(destinations.segment, kind="stable")
    segment = destinations.segment[by_segment]
    pairs = Pairs(
        order=by_segment,
        first=np.searchsorted(segment, origins.segment, side="left"),
        last=np.searchsorted(segment, origins.segment, side="right"),
        is_open=open_ways(times)[origins.segment],
        start=split_run(origins, times)[0],
        end=split_run(destinations, times)[0],
    )
    if metres is None or whole is None:
        shorten_pairs(pairs, found)
        return
    here = origins.fraction * whole[origins.segment]
    there = destinations.fraction * whole[destinations.segment]
    shorten_lengths(pairs, here, there, found, metres)


class Pairs(NamedTuple):
    """Destinations on the segment of each origin: columns ``order[first[i]:last[i]]`` of row i."""

    order: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    is_open: Flags
    """Ways open on each origin's segment, shape (n_origins, 2)."""
    start: Ints
    """Milliseconds from the first node of its segment to each origin."""
    end: Ints
    """The same for each destination."""


@kernel
def shorten_pairs(pairs: Pairs, found: Ints) -> None:
    """Lower the times of pairs on one segment."""
    for i in range(len(found)):
        for k in range(pairs.first[i], pairs.last[i]):
            j = pairs.order[k]
            ahead = pairs.end[j] - pairs.start[i]
            if ahead == 0 or pairs.is_open[i, 0 if ahead > 0 else 1]:
                found[i, j] = min(found[i, j], np.int32(abs(ahead)))


@kernel
def shorten_lengths(pairs: Pairs, here: Metres, there: Metres, found: Ints, metres: Metres) -> None:
    """Lower the times of pairs on one segment, and with them their metres."""
    for i in range(len(found)):
        for k in range(pairs.first[i], pairs.last[i]):
            j = pairs.order[k]
            ahead = pairs.end[j] - pairs.start[i]
            if ahead == 0 or pairs.is_open[i, 0 if ahead > 0 else 1]:
                time, length = np.int32(abs(ahead)), abs(there[j] - here[i])
                if time < found[i, j] or (time == found[i, j] and length < metres[i, j]):
                    found[i, j], metres[i, j] = time, length


@kernel
def round_up(times: Ints) -> None:
    """Turn milliseconds into whole seconds, rounded up, in place; FAR stays."""
    flat = times.reshape(times.size)
    for i in range(len(flat)):
        if flat[i] < FAR:
            flat[i] = (flat[i] + 999) // 1000
