"""One way at a time: what it costs, and the arcs it runs over."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy.climb import Climb, Points, climbed, forget, no_climb
from routing.hierarchy.kernel import NONE, Costs, Ints, far_of, grown, kernel, lowest_of
from routing.hierarchy.metric import Star
from routing.hierarchy.relax import Shortcuts
from routing.hierarchy.topology import find


class Below(NamedTuple):
    """The cheapest way from each vertex back to itself over lower vertices alone."""

    cost: Costs
    over: Ints
    """Highest vertex passed; NONE where it is one arc."""
    arc: Ints
    """Arc that ends where it begins; NONE where there is none so cheap."""


class Hierarchy(NamedTuple):
    """What a way is searched on and unpacked from."""

    leaving: Star
    reaching: Star
    shortcuts: Shortcuts
    below: Below


@kernel
def rounds_below(shortcuts: Shortcuts, loop: Ints, loop_at: Ints, loop_cost: Costs) -> Below:
    """Return the cheapest way round below each vertex.

    Its highest inner vertex is passed once, so that it is one shortcut down and the same one up.
    """
    n = len(shortcuts.ptr) - 1
    cost = np.full(n, far_of(loop_cost), loop_cost.dtype)
    over, arc = np.full(n, NONE, np.int32), np.full(n, NONE, np.int32)
    for v in range(n):
        for i in range(shortcuts.ptr[v], shortcuts.ptr[v + 1]):
            around, top = shortcuts.down.cost[i] + shortcuts.up.cost[i], shortcuts.head[i]
            if around < cost[top]:
                cost[top], over[top] = around, v
    for i in range(len(loop)):
        v = loop_at[i]
        if loop_cost[i] < cost[v]:
            cost[v], over[v], arc[v] = loop_cost[i], NONE, loop[i]
    return Below(cost, over, arc)


@kernel
def _lone_end(ends: Ints) -> int:
    """Return the only end of a point, or NONE where it has two or none."""
    if ends[0] == NONE:
        return 0 if ends[1] == NONE else 1
    return 0 if ends[1] == NONE else NONE


@kernel
def _barred(sources: Points, targets: Points, i: int) -> int:
    """Return the vertex of a pair where the empty way would end before it began, or NONE.

    Only pairs with one end each are told: `routing.hierarchy.query` leaves such pairs no more.
    """
    k, m = _lone_end(sources.vertex[i]), _lone_end(targets.vertex[i])
    if min(k, m) == NONE or sources.vertex[i, k] != targets.vertex[i, m]:
        return NONE
    least = lowest_of(sources.offset)
    is_early = sources.offset[i, k] + targets.offset[i, m] < least
    return int(sources.vertex[i, k]) if is_early else NONE


@kernel
def _meet(chain: Ints, out: Climb, back: Climb, barred: int, below: Below) -> tuple[int, int]:
    """Return the vertex of `chain` where the climbs meet soonest, and the cost.

    At the vertex barred, if any, they meet only after the way round below it.
    """
    far = far_of(out.time)
    best, soonest = NONE, far
    for v in chain:
        if out.time[v] < far and back.time[v] < far:
            cost = out.time[v] + back.time[v]
            if v == barred:
                cost = cost + below.cost[v] if below.cost[v] < far else far
            if cost < soonest:
                best, soonest = v, cost
    return best, soonest


@kernel
def between(at: Hierarchy, sources: Points, targets: Points) -> Costs:
    """Return the cost from each source to the target beside it."""
    out, back = no_climb(at.leaving), no_climb(at.reaching)
    cost = np.empty(len(sources.vertex), out.time.dtype)
    for i in range(len(cost)):
        up = climbed(at.leaving, sources.vertex[i], sources.offset[i], out)
        down = climbed(at.reaching, targets.vertex[i], targets.offset[i], back)
        barred = _barred(sources, targets, i)
        _, cost[i] = _meet(up, out, back, barred, at.below)
        forget(out, up)
        forget(back, down)
    return cost


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
def _unpack_round(at: Hierarchy, v: int, arcs: Ints, n: int) -> tuple[Ints, int]:
    """Append the arcs of the way round below `v`."""
    if at.below.arc[v] == NONE:
        u = at.below.over[v]
        arcs, n = _unpack(at.shortcuts, v, u, arcs, n)
        return _unpack(at.shortcuts, u, v, arcs, n)
    arcs = grown(arcs, n + 1)
    arcs[n] = at.below.arc[v]
    return arcs, n + 1


@kernel
def _which(ends: Ints, offset: Costs, v: int) -> int:
    """Return which end is `v`, the nearer one where both are."""
    return 0 if ends[0] == v and not (ends[1] == v and offset[1] < offset[0]) else 1


@kernel
def trace(
    at: Hierarchy, sources: Points, targets: Points
) -> tuple[Costs, Ints, NDArray[np.int64], Ints]:
    """Return cost, ends used, offsets and arcs of the way from each source to its target."""
    n_pairs = len(sources.vertex)
    out, back = no_climb(at.leaving), no_climb(at.reaching)
    path, arcs, n_arcs = np.empty(len(out.time), np.int32), np.empty(64, np.int32), 0
    cost = np.empty(n_pairs, out.time.dtype)
    ends = np.full((n_pairs, 2), NONE, np.int32)
    offsets = np.zeros(n_pairs + 1, np.int64)
    for i in range(n_pairs):
        up = climbed(at.leaving, sources.vertex[i], sources.offset[i], out)
        down = climbed(at.reaching, targets.vertex[i], targets.offset[i], back)
        barred = _barred(sources, targets, i)
        top, cost[i] = _meet(up, out, back, barred, at.below)
        if top != NONE:
            over = _over(top, out, back, path)
            for k in range(len(over) - 1):
                arcs, n_arcs = _unpack(at.shortcuts, over[k], over[k + 1], arcs, n_arcs)
            if top == barred:
                arcs, n_arcs = _unpack_round(at, top, arcs, n_arcs)
            ends[i, 0] = _which(sources.vertex[i], sources.offset[i], over[0])
            ends[i, 1] = _which(targets.vertex[i], targets.offset[i], over[-1])
        offsets[i + 1] = n_arcs
        forget(out, up)
        forget(back, down)
    return cost, ends, offsets, arcs[:n_arcs].copy()
