"""The two sweeps that settle what shortcuts cost.

Both look at every triangle u < v < w of vertices that know each other once, from its middle vertex
v: the lower vertices u that know v wait in line there with the rest of their shortcuts, to the
vertices w, which v knows too. So nothing has to be searched for; going by lower vertices instead,
and looking each shortcut from v to w up, takes half as long again.
"""

from typing import NamedTuple

import numpy as np

from routing.hierarchy.kernel import NONE, Costs, Ints, far_of, kernel


class Way(NamedTuple):
    """All shortcuts in one direction, shape (n_shortcuts,)."""

    cost: Costs
    """No way: `FAR` milliseconds."""
    via: Ints
    """Lower vertex it runs over; NONE where it is an arc of the network."""
    arc: Ints
    """Cheapest arc of the network it lies over; NONE where there is none."""


class Shortcuts(NamedTuple):
    """All shortcuts of a network, up from the lower end and back down."""

    ptr: Ints
    head: Ints
    up: Way
    down: Way


class Line(NamedTuple):
    """Lower vertices in line at the neighbour they meet next."""

    at: Ints
    """Shortcut that each lower vertex has got to."""
    first: Ints
    """First in line at each vertex, or NONE."""
    behind: Ints
    """Next in line behind each lower vertex, or NONE."""


@kernel
def _nobody(n: int) -> Line:
    return Line(np.empty(n, np.int32), np.full(n, NONE, np.int32), np.empty(n, np.int32))


@kernel
def _wait(line: Line, u: int, shortcut: int, v: int) -> None:
    """Put `u` in line at `v`, where its shortcut leads."""
    line.at[u], line.behind[u], line.first[v] = shortcut, line.first[v], u


@kernel
def relax_upwards(shortcuts: Shortcuts) -> None:
    """Lower every shortcut to its best way over lower vertices, lowest vertex first."""
    ptr, head, up, down = shortcuts
    n, far = len(ptr) - 1, far_of(up.cost)
    line, place = _nobody(n), np.empty(n, np.int32)
    for v in range(n):
        for k in range(ptr[v], ptr[v + 1]):
            place[head[k]] = k
        u = line.first[v]
        while u != NONE:
            behind, i, last = line.behind[u], line.at[u], ptr[u + 1]
            there, back = down.cost[i], up.cost[i]
            if there < far:  # v -> u -> w
                for j in range(i + 1, last):
                    k = place[head[j]]
                    if there + up.cost[j] < up.cost[k]:
                        up.cost[k], up.via[k] = there + up.cost[j], u
            if back < far:  # w -> u -> v
                for j in range(i + 1, last):
                    k = place[head[j]]
                    if down.cost[j] + back < down.cost[k]:
                        down.cost[k], down.via[k] = down.cost[j] + back, u
            if i + 2 < last:
                _wait(line, u, i + 1, head[i + 1])
            u = behind
        if ptr[v] + 1 < ptr[v + 1]:
            _wait(line, v, ptr[v], head[ptr[v]])


@kernel
def relax_downwards(ptr: Ints, head: Ints, up: Costs, down: Costs) -> None:
    """Lower every cost to the exact time between its ends, highest vertex first."""
    n = len(ptr) - 1
    line, to, back = _nobody(n), np.empty(n, up.dtype), np.empty(n, up.dtype)
    for u in range(n):
        if ptr[u] + 1 < ptr[u + 1]:
            i = ptr[u + 1] - 2
            _wait(line, u, i, head[i])
    for v in range(n - 1, -1, -1):
        for k in range(ptr[v], ptr[v + 1]):
            to[head[k]], back[head[k]] = up[k], down[k]
        u = line.first[v]
        while u != NONE:
            behind, i = line.behind[u], line.at[u]
            up_i, down_i = up[i], down[i]
            least_up, least_down = up_i, down_i
            for j in range(i + 1, ptr[u + 1]):
                w, up_j, down_j = head[j], up[j], down[j]
                least_up = min(least_up, up_j + back[w])
                least_down = min(least_down, to[w] + down_j)
                up[j] = min(up_j, up_i + to[w])
                down[j] = min(down_j, back[w] + down_i)
            up[i], down[i] = least_up, least_down
            if i > ptr[u]:
                _wait(line, u, i - 1, head[i - 1])
            u = behind
