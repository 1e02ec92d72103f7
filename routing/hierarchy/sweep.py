"""Many-to-many: climb from each origin, then pass the times down to all destinations at once.

References
----------
D. Delling, A. Goldberg, R. Werneck, "Faster Batched Shortest Paths in Road Networks", ATMOS 2011.
"""

from typing import Final

import numpy as np

from routing.hierarchy.climb import Points, climbed, forget, no_climb
from routing.hierarchy.kernel import NONE, Costs, Ints, far_of, kernel
from routing.hierarchy.metric import Star

BLOCK: Final = 64
"""Origins swept side by side: 256 or 512 bytes per vertex, whole cache lines."""


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
def _lower(values: Costs, others: Costs, cost: int) -> None:
    """Take the less of each value and the other plus `cost`; simple enough for vector code."""
    step = values.dtype.type(cost)
    for b in range(len(values)):
        values[b] = min(values[b], values.dtype.type(others[b] + step))


@kernel
def _pass_down(star: Star, vertices: Ints, row: Ints, times: Costs) -> None:
    """Carry a block's times from the highest vertex down; rows as in `vertices`."""
    for r in range(len(vertices)):
        v = vertices[r]
        for i in range(star.ptr[v], star.ptr[v + 1]):
            _lower(times[r], times[row[star.head[i]]], star.cost[i])


@kernel
def _read(times: Costs, row: Ints, targets: Points, out: Costs) -> None:
    """Read a block's times at the targets; `out` has a row per source."""
    far = out.dtype.type(far_of(out))
    out[:] = far
    for j in range(len(targets.vertex)):
        for k in range(2):
            v = targets.vertex[j, k]
            if v != NONE:
                at_end, offset = times[row[v]], targets.offset[j, k]
                for b in range(len(out)):
                    if at_end[b] < far:  # an offset may be negative: no way less some is no way
                        out[b, j] = min(out[b, j], out.dtype.type(at_end[b] + offset))


@kernel
def sweep(leaving: Star, reaching: Star, sources: Points, targets: Points, out: Costs) -> None:
    """Fill `out` with the costs from every source to every target."""
    vertices, row = _ancestors(reaching.parent, targets.vertex)
    climb = no_climb(leaving)
    times = np.empty((len(vertices), BLOCK), out.dtype)
    for first in range(0, len(out), BLOCK):
        last = min(first + BLOCK, len(out))
        times[:] = far_of(out)
        for s in range(first, last):
            chain = climbed(leaving, sources.vertex[s], sources.offset[s], climb)
            for v in chain:
                if row[v] != NONE:
                    times[row[v], s - first] = climb.time[v]
            forget(climb, chain)
        _pass_down(reaching, vertices, row, times)
        _read(times, row, targets, out[first:last])
