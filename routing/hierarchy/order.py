"""Nested dissection: the order in which a street network falls apart.

A street network is cut in two by a small set of junctions, each part again, and so on; the cuts
come last in the order, the first cut at the very end. Each cut is a smallest set of vertices
between the outer 30 % on either side of a line through the part, found for four directions of the
line as a largest set of vertex-disjoint paths (Menger's theorem).

References
----------
A. Schild, C. Sommer, "On Balanced Separators in Road Networks", SEA 2015 (inertial flow).
"""

from typing import Final, NamedTuple

import numpy as np

from routing.hierarchy.kernel import NONE, Ints, kernel

DIRECTIONS: Final = ((1, 0), (0, 1), (1, 1), (1, -1))
"""Integer normals of the lines tried."""

OUTER_PERCENT: Final = 30
"""Vertices on either side of the line that a cut has to separate."""

MOST_CUT: Final = 2000
"""Vertices of a cut beyond which a network is refused: all of them are joined to each other by
shortcuts, two million here. Streets of a city are cut by a few hundred."""

OUTSIDE, MIDDLE, START, GOAL = 0, 1, 2, 3


class Graph(NamedTuple):
    """Undirected graph without loops or parallels, drawn in the plane."""

    ptr: Ints
    adj: Ints
    """Neighbours of v are ``adj[ptr[v]:ptr[v + 1]]``, both directions."""
    x: Ints
    y: Ints


class Flow(NamedTuple):
    """Vertex-disjoint paths from START to GOAL vertices, and the search for one more.

    Every vertex has two states, 2 v (entered) and 2 v + 1 (left); a path may pass from the first
    to the second once.
    """

    role: Ints
    """Of each vertex: OUTSIDE the part, MIDDLE, START or GOAL."""
    used: Ints
    """1 where a path runs through the vertex."""
    before: Ints
    """Vertex before it on its path, or NONE."""
    after: Ints
    """Vertex after it on its path, or NONE."""
    seen: Ints
    """Of each state: number of the search that saw it last."""
    came: Ints
    """Of each state: state it was seen from, or NONE at a start."""
    stack: Ints
    search: Ints
    """Number of the current search, alone in its array."""


@kernel
def _see(flow: Flow, state: int, origin: int, depth: int) -> int:
    """Put `state` on the stack unless this search saw it; return the stack's new depth."""
    if flow.seen[state] == flow.search[0]:
        return depth
    flow.seen[state] = flow.search[0]
    flow.came[state] = origin
    flow.stack[depth] = state
    return depth + 1


@kernel
def _spread(graph: Graph, flow: Flow, state: int, depth: int) -> int:
    """See every state that a further path could reach from `state`; return the stack's depth."""
    v = state >> 1
    if state & 1 == 0:
        if flow.used[v] == 0:
            return _see(flow, state + 1, state, depth)
        if flow.before[v] != NONE:
            return _see(flow, 2 * flow.before[v] + 1, state, depth)
        return depth
    if flow.used[v] == 1:
        depth = _see(flow, state - 1, state, depth)
    for i in range(graph.ptr[v], graph.ptr[v + 1]):
        u = graph.adj[i]
        if flow.role[u] != OUTSIDE and flow.after[v] != u:
            depth = _see(flow, 2 * u, state, depth)
    return depth


@kernel
def _search(graph: Graph, flow: Flow, members: Ints) -> int:
    """Search for one more path; return its last state or NONE.

    Depth first: three times faster than breadth first here. The cut found in the end is the same,
    for it does not depend on which of the largest sets of paths was found.
    """
    flow.search[0] += 1
    depth = 0
    for v in members:
        if flow.role[v] == START:
            depth = _see(flow, 2 * v, NONE, depth)
    while depth > 0:
        depth -= 1
        state = int(flow.stack[depth])
        if state & 1 == 1 and flow.role[state >> 1] == GOAL:
            return state
        depth = _spread(graph, flow, state, depth)
    return NONE


@kernel
def _augment(flow: Flow, last: int) -> None:
    """Add the path found to the flow: first undo what it runs against, then set what it adds."""
    state = last
    while flow.came[state] != NONE:
        origin = flow.came[state]
        v, u = state >> 1, origin >> 1
        if u == v:
            flow.used[v] = state & 1
        elif origin & 1 == 0:
            flow.after[v] = NONE
            flow.before[u] = NONE
        state = origin
    state = last
    while flow.came[state] != NONE:
        origin = flow.came[state]
        if origin & 1 == 1 and state & 1 == 0 and origin >> 1 != state >> 1:
            flow.after[origin >> 1] = state >> 1
            flow.before[state >> 1] = origin >> 1
        state = origin


@kernel
def _assign_roles(graph: Graph, flow: Flow, ranked: Ints) -> None:
    """Give the outer vertices their sides; those that touch only their own side drop out."""
    n = len(ranked)
    outer = max(1, n * OUTER_PERCENT // 100)
    for i in range(n):
        v = ranked[i]
        flow.used[v], flow.before[v], flow.after[v] = 0, NONE, NONE
        flow.role[v] = START if i < outer else GOAL if i >= n - outer else MIDDLE
    for i in range(n):
        v = ranked[i]
        if flow.role[v] == MIDDLE:
            continue
        is_inner = True
        for k in range(graph.ptr[v], graph.ptr[v + 1]):
            other = flow.role[graph.adj[k]]
            if other != OUTSIDE and other != flow.role[v]:
                is_inner = False
        flow.stack[i] = is_inner
    for i in range(n):
        v = ranked[i]
        if flow.role[v] != MIDDLE and flow.stack[i]:
            flow.role[v] = OUTSIDE


@kernel
def _cut(graph: Graph, flow: Flow, ranked: Ints, most: int, cut: Ints) -> int:
    """Write a smallest cut into `cut` and return its size; `most` when it is not smaller."""
    size = 0
    last = _search(graph, flow, ranked)
    while last != NONE:
        _augment(flow, last)
        size += 1
        if size >= most:
            return most
        last = _search(graph, flow, ranked)
    size = 0
    for v in ranked:
        is_entered = flow.seen[2 * v] == flow.search[0]
        is_left = flow.seen[2 * v + 1] == flow.search[0]
        if flow.role[v] != OUTSIDE and is_entered and not is_left:
            cut[size] = v
            size += 1
    return size


@kernel
def _best_cut(graph: Graph, flow: Flow, members: Ints, cut: Ints) -> int:
    """Write the smallest cut over all directions into `cut`; return its size.

    Beyond `MOST_CUT` there is none.
    """
    trial = np.empty(len(members), np.int32)
    x, y = graph.x[members].astype(np.int64), graph.y[members].astype(np.int64)
    best = min(len(members), MOST_CUT + 1)
    for across, along in DIRECTIONS:
        ranked = members[np.argsort(across * x + along * y, kind="mergesort")]
        _assign_roles(graph, flow, ranked)
        size = _cut(graph, flow, ranked, best, trial)
        if size < best:
            best = size
            cut[:size] = trial[:size]
        for v in members:
            flow.role[v] = OUTSIDE
    return best


@kernel
def _part(graph: Graph, label: Ints, first: int, name: int, queue: Ints) -> int:
    """Label the part of `first` among vertices labelled 0; put it into `queue`, return its size."""
    queue[0] = first
    label[first] = name
    end, start = 1, 0
    while start < end:
        v = queue[start]
        start += 1
        for i in range(graph.ptr[v], graph.ptr[v + 1]):
            u = graph.adj[i]
            if label[u] == 0:
                label[u] = name
                queue[end] = u
                end += 1
    return end


@kernel
def _split(graph: Graph, members: Ints, cut: Ints, label: Ints, bounds: Ints) -> int:
    """Reorder `members` into connected parts, then the cut; return the number of parts.

    `label` holds 1 for every vertex; it is 0 during the call for those to be labelled.
    """
    n_rest = len(members) - len(cut)
    old = members.copy()
    for v in old:
        label[v] = 0
    for v in cut:
        label[v] = 1
    n_parts, filled = 0, 0
    bounds[0] = 0
    for v in old:
        if label[v] == 0:
            filled += _part(graph, label, v, 1, members[filled:])
            n_parts += 1
            bounds[n_parts] = filled
    members[n_rest:] = cut
    return n_parts


@kernel
def _no_flow(n: int) -> Flow:
    """Return the flow without a path, all vertices OUTSIDE."""
    zeros, nones = np.zeros((4, n), np.int32), np.full((2, n), NONE, np.int32)
    seen, came, stack = np.zeros((3, 2 * n), np.int32)
    return Flow(zeros[0], zeros[1], nones[0], nones[1], seen, came, stack, zeros[2])


@kernel
def dissect(ptr: Ints, adj: Ints, x: Ints, y: Ints) -> Ints:
    """Order the vertices of an undirected graph by nested dissection.

    Parameters
    ----------
    ptr, adj : ndarray of int32, shapes (n + 1,) and (n_neighbours,)
        Neighbours of v are ``adj[ptr[v]:ptr[v + 1]]``; no loops, no parallels, both directions.
    x, y : ndarray of int32, shape (n,)
        Positions; any unit.

    Returns
    -------
    ndarray of int32, shape (n,)
        Vertices from the first to be contracted to the last; none where a cut is larger than
        `MOST_CUT`.
    """
    n = len(x)
    graph = Graph(ptr, adj, x, y)
    flow = _no_flow(n)
    order = np.arange(n).astype(np.int32)
    label = np.ones(n, np.int32)
    cut = np.empty(n, np.int32)
    bounds = np.empty(n + 1, np.int32)
    parts = [(0, n, False)]
    while len(parts) > 0:
        low, high, is_connected = parts.pop()
        if high - low <= 2:
            continue
        members = order[low:high]
        size = _best_cut(graph, flow, members, cut) if is_connected else 0
        if size > MOST_CUT:
            return order[:0].copy()
        n_parts = _split(graph, members, cut[:size], label, bounds)
        parts.extend([(low + bounds[i], low + bounds[i + 1], True) for i in range(n_parts)])
    return order
