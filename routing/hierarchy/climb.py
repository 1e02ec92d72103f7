"""Searches up a hierarchy from one point: all that a fastest way does before and after its top."""

from typing import NamedTuple

import numpy as np

from routing.hierarchy.kernel import NONE, Costs, Ints, far_of, kernel
from routing.hierarchy.metric import Star


class Points(NamedTuple):
    """Points at up to two vertices each, shape (n, 2)."""

    vertex: Ints
    """Rank of a node; NONE for no node."""
    offset: Costs


class Climb(NamedTuple):
    """A search up from one point; no way and NONE everywhere between two searches."""

    time: Costs
    """Cost from (or to) the point."""
    came: Ints
    """Vertex the time comes from; NONE at the point's own ends."""
    chain: Ints
    """Vertices searched, lowest first; the rest is scratch."""


@kernel
def no_climb(star: Star) -> Climb:
    """Return a climb before the first search."""
    n = len(star.parent)
    time = np.full(n, far_of(star.cost), star.cost.dtype)
    return Climb(time, np.full(n, NONE, np.int32), np.empty(n, np.int32))


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
def climbed(star: Star, ends: Ints, offset: Costs, climb: Climb) -> Ints:
    """Search up from a point; return the vertices searched."""
    time, came = climb.time, climb.came
    far = far_of(time)
    for k in range(2):
        if ends[k] != NONE and offset[k] < time[ends[k]]:
            time[ends[k]] = offset[k]
    chain = climb.chain[: _chain(star.parent, ends, climb.chain)]
    for v in chain:
        if time[v] >= far:
            continue
        for i in range(star.ptr[v], star.ptr[v + 1]):
            arrival = time[v] + star.cost[i]
            if arrival < time[star.head[i]]:
                time[star.head[i]] = arrival
                came[star.head[i]] = v
    return chain


@kernel
def forget(climb: Climb, chain: Ints) -> None:
    """Make ready for the next search."""
    far = far_of(climb.time)
    for v in chain:
        climb.time[v] = far
        climb.came[v] = NONE
