"""Who goes where: venues to rounds and to stations, decided by OR-Tools' min-cost flow."""

import numpy as np
import numpy.typing as npt
from ortools.graph.python import min_cost_flow

from routing.inspection.kernels import FAR

Ints = npt.NDArray[np.int64]

N_CHOICES = 16
"""Cheapest groups each member may go to; the rest cannot matter."""


def assign(cost: Ints, capacity: Ints, leave_cost: Ints) -> Ints:
    """Return the group of each member at least cost, -1 where it is left out.

    A min-cost flow: one unit from each member through a group, or past all groups at
    `leave_cost`, to the sink; whole numbers by total unimodularity, so no rounding.

    Parameters
    ----------
    cost : int64 (n_members, n_groups)
        FAR where a member may not go.
    capacity : int64 (n_groups,)
        Members a group takes at most.
    leave_cost : int64 (n_members,)
    """
    n, n_groups = cost.shape
    if n == 0 or n_groups == 0:
        return np.full(n, -1, np.int64)
    member, group = _choices(cost)
    sink = n + n_groups
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        member, n + group, np.ones_like(member), cost[member, group]
    )
    everyone, groups = np.arange(n), np.arange(n_groups)
    flow.add_arcs_with_capacity_and_unit_cost(
        everyone, np.full(n, sink), np.ones_like(everyone), leave_cost
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        n + groups, np.full(n_groups, sink), capacity, np.zeros_like(capacity)
    )
    flow.set_nodes_supplies(np.append(everyone, sink), np.append(np.ones_like(everyone), -n))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise AssertionError(f"a flow that always exists was not found: {status}")
    chosen = flow.flows(arcs) > 0
    found = np.full(n, -1, np.int64)
    found[member[chosen]] = group[chosen]
    return found


def _choices(cost: Ints) -> tuple[Ints, Ints]:
    """Return the allowed pairs of member and group, the cheapest of each member."""
    k = min(N_CHOICES, cost.shape[1])
    nearest = np.argsort(cost, axis=1, kind="stable")[:, :k]
    member = np.repeat(np.arange(len(cost)), k)
    group = nearest.ravel()
    allowed = cost[member, group] < FAR
    return member[allowed], group[allowed]
