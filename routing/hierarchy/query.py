"""Times and ways between points on a hierarchy.

A point lies at up to two nodes with an offset in milliseconds to each (a place on a street reaches
both ends of its segment). A fastest way climbs from its origin, meets at a common ancestor, and
comes down to its destination.

Many-to-many follows the one-to-many sweep of RPHAST: climb from each origin, then pass the times
down through all ancestors of the destinations, a block of origins side by side.

References
----------
D. Delling, A. Goldberg, R. Werneck, "Faster Batched Shortest Paths in Road Networks", ATMOS 2011.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy.kernel import FAR, NONE, Ints, grown, kernel
from routing.hierarchy.metric import Metric, Shortcuts, Star
from routing.hierarchy.topology import find

BLOCK: Final = 64
"""Origins swept side by side: 256 bytes per vertex, four cache lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Points as nodes and offsets.

    Attributes
    ----------
    node : ndarray of int32, shape (n, 2)
        Nodes of the caller; NONE for no node.
    offset : ndarray of int32, shape (n, 2)
        Milliseconds between point and node.
    """

    node: Ints
    offset: Ints

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
    """

    cost: Ints
    origin_end: Ints
    destination_end: Ints
    offsets: NDArray[np.int64]
    arcs: Ints


class Points(NamedTuple):
    """`Ends` with nodes named by rank."""

    vertex: Ints
    offset: Ints


class Climb(NamedTuple):
    """A search up from one point; FAR and NONE everywhere between two searches."""

    time: Ints
    """Milliseconds from (or to) the point."""
    came: Ints
    """Vertex the time comes from; NONE at the point's own ends."""
    chain: Ints
    """Vertices searched, lowest first; the rest is scratch."""


def distances(metric: Metric, origins: Ends, destinations: Ends) -> Ints:
    """Return the milliseconds from every origin to every destination.

    Returns
    -------
    ndarray of int32, shape (n_origins, n_destinations)
        FAR where there is no way.
    """
    times = np.empty((len(origins), len(destinations)), np.int32)
    sources, targets = _points(metric, origins), _points(metric, destinations)
    sweep(metric.leaving, metric.reaching, sources, targets, times)
    return times


def ways(metric: Metric, origins: Ends, destinations: Ends) -> Ways:
    """Return the fastest way from each origin to the destination beside it."""
    sources, targets = _points(metric, origins), _points(metric, destinations)
    stars = metric.leaving, metric.reaching
    cost, ends, offsets, arcs = trace(*stars, metric.shortcuts, sources, targets)
    origin_end, destination_end = ends.T
    return Ways(
        cost=cost,
        origin_end=origin_end,
        destination_end=destination_end,
        offsets=offsets,
        arcs=arcs,
    )


def _points(metric: Metric, ends: Ends) -> Points:
    vertex = np.where(ends.node == NONE, NONE, metric.topology.rank[ends.node])
    return Points(
        np.ascontiguousarray(vertex, dtype=np.int32),
        np.ascontiguousarray(ends.offset, dtype=np.int32),
    )


@kernel
def _chain(parent: Ints, ends: Ints, chain: Ints) -> int:
    """Write both ends and all their ancestors into `chain`, lowest first; return how many."""
    u, v = min(ends[0], ends[1]), max(ends[0], ends[1])
    if u == NONE:
        u, v = v, u
    n = 0
    while u != NONE:
        chain[n] = u
        n += 1
        if u == v:
            v = NONE
        u = parent[u]
        if v != NONE and (u == NONE or v < u):
            u, v = v, u
    return n


@kernel
def _climb(star: Star, ends: Ints, offset: Ints, climb: Climb) -> Ints:
    """Search up from a point; return the vertices searched."""
    time, came = climb.time, climb.came
    for k in range(2):
        if ends[k] != NONE and offset[k] < time[ends[k]]:
            time[ends[k]] = offset[k]
    chain = climb.chain[: _chain(star.parent, ends, climb.chain)]
    for v in chain:
        if time[v] >= FAR:
            continue
        for i in range(star.ptr[v], star.ptr[v + 1]):
            arrival = time[v] + star.cost[i]
            if arrival < time[star.head[i]]:
                time[star.head[i]] = arrival
                came[star.head[i]] = v
    return chain


@kernel
def _no_climb(n: int) -> Climb:
    return Climb(np.full(n, FAR, np.int32), np.full(n, NONE, np.int32), np.empty(n, np.int32))


@kernel
def _forget(climb: Climb, chain: Ints) -> None:
    for v in chain:
        climb.time[v] = FAR
        climb.came[v] = NONE


@kernel
def _ancestors(parent: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return all ancestors of `ends`, highest first, and the row of each vertex among them."""
    row = np.full(len(parent), NONE, np.int32)
    for end in ends.ravel():
        v = end
        while v != NONE and row[v] == NONE:
            row[v] = 0
            v = parent[v]
    vertices = np.flatnonzero(row == 0)[::-1].astype(np.int32)
    for i in range(len(vertices)):
        row[vertices[i]] = i
    return vertices, row


@kernel
def _lower(values: Ints, others: Ints, cost: int) -> None:
    """Take the less of each value and the other plus `cost`; simple enough for vector code."""
    step = np.int32(cost)
    for b in range(len(values)):
        values[b] = min(values[b], np.int32(others[b] + step))


@kernel
def _pass_down(star: Star, vertices: Ints, row: Ints, times: Ints) -> None:
    """Carry a block's times from the highest vertex down; rows as in `vertices`."""
    for r in range(len(vertices)):
        v = vertices[r]
        for i in range(star.ptr[v], star.ptr[v + 1]):
            _lower(times[r], times[row[star.head[i]]], star.cost[i])


@kernel
def _read(times: Ints, row: Ints, targets: Points, out: Ints) -> None:
    """Read a block's times at the targets; `out` has a row per source."""
    out[:] = FAR
    for j in range(len(targets.vertex)):
        for k in range(2):
            v = targets.vertex[j, k]
            if v != NONE:
                at_end = times[row[v]]
                for b in range(len(out)):
                    time = np.int32(at_end[b] + targets.offset[j, k])
                    out[b, j] = min(out[b, j], time)


@kernel
def sweep(leaving: Star, reaching: Star, sources: Points, targets: Points, out: Ints) -> None:
    """Fill `out` with the times from every source to every target."""
    vertices, row = _ancestors(reaching.parent, targets.vertex)
    climb = _no_climb(len(leaving.parent))
    times = np.empty((len(vertices), BLOCK), np.int32)
    for first in range(0, len(out), BLOCK):
        last = min(first + BLOCK, len(out))
        times[:] = FAR
        for s in range(first, last):
            chain = _climb(leaving, sources.vertex[s], sources.offset[s], climb)
            for v in chain:
                if row[v] != NONE:
                    times[row[v], s - first] = climb.time[v]
            _forget(climb, chain)
        _pass_down(reaching, vertices, row, times)
        _read(times, row, targets, out[first:last])


@kernel
def _meet(chain: Ints, out: Climb, back: Climb) -> int:
    """Return the vertex of `chain` at which the two climbs meet soonest, or NONE."""
    best, soonest = NONE, FAR
    for v in chain:
        if out.time[v] + back.time[v] < soonest:
            soonest = out.time[v] + back.time[v]
            best = v
    return best


@kernel
def _over(top: int, out: Climb, back: Climb, path: Ints) -> Ints:
    """Return the vertices up to `top` and down again, written into `path`."""
    n, v = 0, top
    while v != NONE:
        path[n] = v
        n += 1
        v = out.came[v]
    path[:n] = path[:n][::-1].copy()
    v = back.came[top]
    while v != NONE:
        path[n] = v
        n += 1
        v = back.came[v]
    return path[:n]


@kernel
def _unpack(shortcuts: Shortcuts, u: int, v: int, arcs: Ints, n: int) -> tuple[Ints, int]:
    """Append the arcs from `u` to `v` in order of travel; return `arcs` and their number."""
    steps = [(u, v)]
    while len(steps) > 0:
        u, v = steps.pop()
        e = find(shortcuts.ptr, shortcuts.head, min(u, v), max(u, v))
        way = shortcuts.up if u < v else shortcuts.down
        if way.via[e] == NONE:
            arcs = grown(arcs, n + 1)
            arcs[n] = way.arc[e]
            n += 1
        else:
            steps.append((way.via[e], v))
            steps.append((u, way.via[e]))
    return arcs, n


@kernel
def _which(ends: Ints, offset: Ints, v: int) -> int:
    """Return which end is `v`, the nearer one where both are."""
    return 0 if ends[0] == v and not (ends[1] == v and offset[1] < offset[0]) else 1


@kernel
def trace(
    leaving: Star, reaching: Star, shortcuts: Shortcuts, sources: Points, targets: Points
) -> tuple[Ints, Ints, NDArray[np.int64], Ints]:
    """Return cost, ends used, offsets and arcs of the way from each source to its target."""
    n, n_pairs = len(leaving.parent), len(sources.vertex)
    out, back, path = _no_climb(n), _no_climb(n), np.empty(n, np.int32)
    cost = np.full(n_pairs, FAR, np.int32)
    ends = np.full((n_pairs, 2), NONE, np.int32)
    offsets = np.zeros(n_pairs + 1, np.int64)
    arcs, n_arcs = np.empty(64, np.int32), 0
    for i in range(n_pairs):
        up = _climb(leaving, sources.vertex[i], sources.offset[i], out)
        down = _climb(reaching, targets.vertex[i], targets.offset[i], back)
        top = _meet(up, out, back)
        if top != NONE:
            cost[i] = out.time[top] + back.time[top]
            over = _over(top, out, back, path)
            for k in range(len(over) - 1):
                arcs, n_arcs = _unpack(shortcuts, over[k], over[k + 1], arcs, n_arcs)
            ends[i, 0] = _which(sources.vertex[i], sources.offset[i], over[0])
            ends[i, 1] = _which(targets.vertex[i], targets.offset[i], over[-1])
        offsets[i + 1] = n_arcs
        _forget(out, up)
        _forget(back, down)
    return cost, ends, offsets, arcs[:n_arcs].copy()
