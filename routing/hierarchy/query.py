"""Times, lengths and ways between points on a hierarchy.

A point lies at up to two nodes with an offset to each (a place on a street reaches both ends of its
segment). A fastest way climbs from its origin, meets at a common ancestor, and comes down to its
destination.

An offset of a destination may be negative: where nodes stand for arcs (the turn graph), a place is
reached at the end of its arc less the rest of the arc. A way whose origin and destination share a
node may then not be empty if that would end before it begins (the destination lies behind the
origin on the same arc): the fastest way round, back to the node, counts instead.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from routing.hierarchy.climb import Points
from routing.hierarchy.kernel import NONE, Costs, Ints, lowest_of, part
from routing.hierarchy.metric import Metric, joined
from routing.hierarchy.sweep import BLOCK, sweep
from routing.hierarchy.trace import Below, Hierarchy, between, rounds_below, trace

PAIRS_OF_ENDS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))

LONG_COSTS_AT_ONCE: Final = 1 << 22
"""Costs of 8 bytes taken apart side by side: 32 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Points as nodes and offsets.

    Attributes
    ----------
    node : ndarray of int32, shape (n, 2)
        Nodes of the caller; NONE for no node.
    offset : ndarray of int32, shape (n, 2)
        Milliseconds between point and node; of destinations possibly negative, if no more than the
        last arc of every way to that node takes.
    metres : ndarray of float, shape (n, 2), optional
        Metres between point and node, of the sign of `offset`; 0 where it is not given. Only a
        metric that knows lengths looks at them.
    """

    node: Ints
    offset: Ints
    metres: NDArray[np.floating] | None = None

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Fastest ways, one per pair asked for.

    Attributes
    ----------
    cost : ndarray of int32, shape (n,)
        Milliseconds, offsets included; FAR where there is no way.
    origin_end, destination_end : ndarray of int32, shape (n,)
        Which of the two nodes is used, 0 or 1; NONE where there is no way.
    offsets : ndarray of int64, shape (n + 1,)
        Way i runs over ``arcs[offsets[i]:offsets[i + 1]]``.
    arcs : ndarray of int32
        Arcs of the caller, in order of travel.
    metres : ndarray of float64, shape (n,), optional
        Length, offsets included; inf where there is no way. None where the metric knows none.
    """

    cost: Ints
    origin_end: Ints
    destination_end: Ints
    offsets: NDArray[np.int64]
    arcs: Ints
    metres: NDArray[np.float64] | None = None


def distances(metric: Metric, origins: Ends, destinations: Ends) -> Ints:
    """Return the milliseconds from every origin to every destination.

    Returns
    -------
    ndarray of int32, shape (n_origins, n_destinations)
        FAR where there is no way.
    """
    if metric.per_metre:
        return lengths(metric, origins, destinations)[0]
    return _costs(metric, _points(metric, origins), _points(metric, destinations)).astype(
        np.int32, copy=False
    )


def lengths(metric: Metric, origins: Ends, destinations: Ends) -> tuple[Ints, NDArray[np.float64]]:
    """Return milliseconds and metres from every origin to every destination.

    The metres are those of the fastest way; of equally fast ways, of the shortest.

    Parameters
    ----------
    metric : Metric
        Customised with lengths.

    Returns
    -------
    milliseconds : ndarray of int32, shape (n_origins, n_destinations)
        FAR where there is no way.
    metres : ndarray of float64, shape (n_origins, n_destinations)
        inf where there is no way.

    Raises
    ------
    OptionInvalid
        The metric knows no lengths.
    """
    if not metric.per_metre:
        expected = "one customised with the metres of the arcs"
        raise OptionInvalid(option="metric", value="milliseconds alone", expected=expected)
    shape = len(origins), len(destinations)
    milliseconds, metres = np.empty(shape, np.int32), np.empty(shape)
    sources, targets = _points(metric, origins), _points(metric, destinations)
    step = max(BLOCK, LONG_COSTS_AT_ONCE // max(len(destinations), 1) // BLOCK * BLOCK)
    for first in range(0, len(origins), step):
        rows = slice(first, first + step)
        costs = _costs(metric, Points(*(column[rows] for column in sources)), targets)
        milliseconds[rows], metres[rows] = _parted(metric, costs)
    return milliseconds, metres


def ways(metric: Metric, origins: Ends, destinations: Ends) -> Ways:
    """Return the fastest way from each origin to the destination beside it."""
    sources, targets = _points(metric, origins), _points(metric, destinations)
    early = np.flatnonzero(_any_early(sources, targets))
    hierarchy = _hierarchy(metric, with_rounds=len(early) > 0)
    if len(early):
        sources, targets = _narrowed(hierarchy, sources, targets, early)
    cost, ends, offsets, arcs = trace(hierarchy, sources, targets)
    milliseconds, metres = (
        _parted(metric, cost) if metric.per_metre else (cost.astype(np.int32), None)
    )
    origin_end, destination_end = ends.T
    return Ways(
        cost=milliseconds,
        origin_end=origin_end,
        destination_end=destination_end,
        offsets=offsets,
        arcs=arcs,
        metres=metres,
    )


def _costs(metric: Metric, sources: Points, targets: Points) -> Costs:
    """Return the cost from every source to every target, shape (n_sources, n_targets)."""
    costs = np.empty((len(sources.vertex), len(targets.vertex)), metric.loop.dtype)
    sweep(metric.leaving, metric.reaching, sources, targets, costs)
    i, j = _early_pairs(sources, targets)
    if len(i):
        hierarchy = _hierarchy(metric, with_rounds=True)
        costs[i, j] = _by_ends(hierarchy, _taken(sources, i), _taken(targets, j)).min(axis=0)
    return costs


def _parted(metric: Metric, costs: Costs) -> tuple[Ints, NDArray[np.float64]]:
    """Take costs apart into milliseconds and metres."""
    milliseconds, metres = np.empty(costs.shape, np.int32), np.empty(costs.shape)
    part(costs.ravel(), metric.per_metre, milliseconds.ravel(), metres.ravel())
    return milliseconds, metres


def _points(metric: Metric, ends: Ends) -> Points:
    vertex = np.where(ends.node == NONE, NONE, metric.topology.rank[ends.node])
    offset: Costs = ends.offset
    if metric.per_metre:
        metres = np.zeros(offset.shape) if ends.metres is None else ends.metres
        offset = joined(offset, metres, metric.per_metre)
    return Points(
        np.ascontiguousarray(vertex, dtype=np.int32),
        np.ascontiguousarray(offset, dtype=metric.loop.dtype),
    )


def _hierarchy(metric: Metric, *, with_rounds: bool) -> Hierarchy:
    none = np.empty(0, np.int32)
    below = Below(metric.loop[:0], none, none)
    if with_rounds:
        topology = metric.topology
        below = rounds_below(metric.shortcuts, topology.loop, topology.loop_at, metric.loop)
    return Hierarchy(metric.leaving, metric.reaching, metric.shortcuts, below)


# -------------------------------------------------- ways that would end before they begin


def _taken(points: Points, rows: NDArray[np.integer]) -> Points:
    return Points(points.vertex[rows], points.offset[rows])


def _is_early(sources: Points, targets: Points, k: int, m: int) -> NDArray[np.bool_]:
    """Whether end k of each source is end m of the target beside it, and offsets are below 0."""
    shared = (sources.vertex[:, k] == targets.vertex[:, m]) & (sources.vertex[:, k] != NONE)
    least = lowest_of(sources.offset)
    is_early: NDArray[np.bool_] = shared & (sources.offset[:, k] + targets.offset[:, m] < least)
    return is_early


def _early_pairs(
    sources: Points, targets: Points
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Rows of sources and of targets whose empty way would end before it began."""
    row, end = np.nonzero((targets.offset < 0) & (targets.vertex != NONE))
    if len(row) == 0:
        return row, row
    by_vertex = np.argsort(targets.vertex[row, end], kind="stable")
    row = row[by_vertex]
    vertex = targets.vertex[row, end[by_vertex]]
    asked = sources.vertex.ravel()
    first = np.searchsorted(vertex, asked, side="left")
    count = np.searchsorted(vertex, asked, side="right") - first
    i = np.repeat(np.arange(len(asked)) >> 1, count)
    step = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    j = row[np.repeat(first, count) + step]
    i, j = np.unique(np.stack([i, j]), axis=1)
    is_early = _any_early(_taken(sources, i), _taken(targets, j))
    return i[is_early], j[is_early]


def _any_early(sources: Points, targets: Points) -> NDArray[np.bool_]:
    """Whether any end of each source makes the empty way to the target beside it too short."""
    ends = [_is_early(sources, targets, k, m) for k, m in PAIRS_OF_ENDS]
    is_early: NDArray[np.bool_] = np.logical_or.reduce(ends)
    return is_early


def _lone(points: Points, end: int) -> Points:
    """Points at one of their ends alone."""
    vertex = points.vertex.copy()
    vertex[:, 1 - end] = NONE
    return Points(vertex, points.offset)


def _by_ends(hierarchy: Hierarchy, sources: Points, targets: Points) -> Costs:
    """Return the cost between the points of each pair from end to end, shape (4, n_pairs).

    One end each, no end hides a dearer one that alone could be used.
    """
    costs = [between(hierarchy, _lone(sources, k), _lone(targets, m)) for k, m in PAIRS_OF_ENDS]
    return np.stack(costs)


def _narrowed(
    hierarchy: Hierarchy, sources: Points, targets: Points, pairs: NDArray[np.integer]
) -> tuple[Points, Points]:
    """Leave the points of these pairs the one end each that their fastest way uses."""
    best = _by_ends(hierarchy, _taken(sources, pairs), _taken(targets, pairs)).argmin(axis=0)
    ends = np.array(PAIRS_OF_ENDS)[best]
    source, target = sources.vertex.copy(), targets.vertex.copy()
    source[pairs, 1 - ends[:, 0]] = NONE
    target[pairs, 1 - ends[:, 1]] = NONE
    return Points(source, sources.offset), Points(target, targets.offset)
