"""Whether every street costs the same both ways, as far as a closed tour can tell.

The delay at a junction hangs on the node an arc reaches, so along and against a street differ. But
a closed tour reaches every node as often as it leaves it: costs that differ by a height of the
nodes, ``travel[along] - travel[against] = height[head] - height[tail]``, make no difference to it,
and the mean of both ways can be taken instead. (Windy costs of this kind are the Chinese postman's
easy case: Guan, "On the windy postman problem", Discrete Applied Mathematics 9, 1984,
doi:10.1016/0166-218X(84)90089-1, cycles that cost the same both ways round.)
"""

import numpy as np

from routing.hierarchy.kernel import kernel
from routing.sweep.core import Arcs, Flags, Longs, by_tail
from routing.sweep.ground import Ground


def doubled_costs(ground: Ground) -> Longs | None:
    """Return twice the cost of each arc, the same both ways; None where they differ for a tour.

    Returns
    -------
    ndarray of int64, shape (n_arcs,)
        Milliseconds along and against together.
    """
    problem = ground.problem
    along, against = ground.is_open.reshape(-1, 2).T
    asked = problem.service.reshape(-1, 2)[ground.asked].astype(np.int64)
    doors = asked - problem.travel.reshape(-1, 2)[ground.asked]
    if (along != against).any() or (doors[:, 0] != doors[:, 1]).any():
        return None
    travel = problem.travel.reshape(-1, 2).astype(np.int64)
    rise = np.stack([travel[:, 0] - travel[:, 1], travel[:, 1] - travel[:, 0]], axis=1).ravel()
    arcs = np.flatnonzero(ground.is_open).astype(np.int32)
    columns = by_tail(ground, arcs, rise)
    height = _heights(columns)
    if (height[columns.head] - height[columns.tail] != columns.cost).any():
        return None
    return np.repeat(travel.sum(axis=1), 2)


@kernel
def _heights(arcs: Arcs) -> Longs:
    """Add up the rise along a tree of each connected part."""
    n = len(arcs.first) - 1
    height = np.zeros(n, np.int64)
    is_known: Flags = np.zeros(n, np.bool_)
    stack = np.empty(n, np.int32)
    for root in range(n):
        if is_known[root]:
            continue
        is_known[root] = True
        stack[0] = root
        size = 1
        while size > 0:
            size -= 1
            node = stack[size]
            for k in range(arcs.first[node], arcs.first[node + 1]):
                to = arcs.head[k]
                if not is_known[to]:
                    is_known[to] = True
                    height[to] = height[node] + arcs.cost[k]
                    stack[size] = to
                    size += 1
    return height
