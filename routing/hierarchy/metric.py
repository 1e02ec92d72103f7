"""Weights on a hierarchy: what each shortcut costs for one mode, and which are ever needed.

A shortcut between x < y costs the less of its own arc and x -> v -> y over the lower vertices v
that both know: one sweep from the lowest vertex up settles all (basic customisation). A second
sweep down finds the exact time between x and y; where that is less, no fastest way needs the
shortcut and queries skip it (perfect customisation).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geo.errors import OptionInvalid
from routing.hierarchy.kernel import FAR, NONE, Ints, kernel
from routing.hierarchy.topology import Topology


class Way(NamedTuple):
    """All shortcuts in one direction; columns of int32, shape (n_shortcuts,)."""

    cost: Ints
    """Milliseconds; FAR where there is no way."""
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


class Star(NamedTuple):
    """The needed shortcuts at the lower end of each, packed, in one direction."""

    ptr: Ints
    head: Ints
    cost: Ints
    parent: Ints
    """In the elimination tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One set of weights on a topology.

    Attributes
    ----------
    shortcuts : Shortcuts
        All of them: what a way is unpacked from.
    leaving, reaching : Star
        Those needed to travel up, and to travel down.
    """

    topology: Topology
    shortcuts: Shortcuts
    leaving: Star
    reaching: Star


def customise(topology: Topology, weight: Ints) -> Metric:
    """Lay weights on a topology.

    Parameters
    ----------
    topology : Topology
    weight : ndarray of int32, shape (n_arcs,)
        Milliseconds of each arc, at least 1; FAR closes it.

    Raises
    ------
    OptionInvalid
        A weight below 1 or above FAR, or not one per arc.
    """
    if weight.shape != topology.shortcut.shape or weight.dtype != np.int32:
        given, expected = f"{weight.dtype} {weight.shape}", f"int32 {topology.shortcut.shape}"
        raise OptionInvalid(option="weight", value=given, expected=expected)
    if len(weight) and not 1 <= weight.min() <= weight.max() <= FAR:
        given = f"{weight.min()}–{weight.max()} ms"
        raise OptionInvalid(option="weight", value=given, expected=f"1–{FAR} ms")
    up = _cheapest(topology, weight, upward=True)
    down = _cheapest(topology, weight, upward=False)
    shortcuts = Shortcuts(topology.ptr, topology.head, up, down)
    relax_upwards(shortcuts)
    up_exact, down_exact = up.cost.copy(), down.cost.copy()
    relax_downwards(topology.ptr, topology.head, up_exact, down_exact)
    return Metric(
        topology=topology,
        shortcuts=shortcuts,
        leaving=_star(topology, up.cost, up_exact),
        reaching=_star(topology, down.cost, down_exact),
    )


def _cheapest(topology: Topology, weight: Ints, *, upward: bool) -> Way:
    """Lay the cheapest arc on each shortcut; of equal ones the first.

    Parallel arcs meet here: they must not be added up.
    """
    cost = np.full(topology.n_shortcuts, FAR, np.int32)
    arc = np.full(topology.n_shortcuts, NONE, np.int32)
    is_open = (topology.shortcut != NONE) & (topology.is_upward == upward) & (weight < FAR)
    arcs = np.flatnonzero(is_open).astype(np.int32)
    arcs = arcs[np.lexsort((arcs, weight[arcs]))][::-1]  # the last one written stays
    arc[topology.shortcut[arcs]] = arcs
    cost[topology.shortcut[arcs]] = weight[arcs]
    return Way(cost, np.full_like(cost, NONE), arc)


def _star(topology: Topology, cost: Ints, exact: Ints) -> Star:
    """Pack the shortcuts that are as short as the shortest way between their ends."""
    needed = (cost == exact) & (cost < FAR)
    ptr = np.concatenate([[0], np.cumsum(needed)])[topology.ptr].astype(np.int32)
    return Star(ptr, topology.head[needed], cost[needed], topology.parent)


@kernel
def relax_upwards(shortcuts: Shortcuts) -> None:
    """Lower every shortcut to its best way over lower vertices, lowest vertex first."""
    ptr, head, up, down = shortcuts
    for v in range(len(ptr) - 1):
        for i in range(ptr[v], ptr[v + 1]):
            k = ptr[head[i]]
            for j in range(i + 1, ptr[v + 1]):
                while head[k] != head[j]:
                    k += 1
                if down.cost[i] + up.cost[j] < up.cost[k]:
                    up.cost[k], up.via[k] = down.cost[i] + up.cost[j], v
                if down.cost[j] + up.cost[i] < down.cost[k]:
                    down.cost[k], down.via[k] = down.cost[j] + up.cost[i], v


@kernel
def relax_downwards(ptr: Ints, head: Ints, up: Ints, down: Ints) -> None:
    """Lower every cost to the exact time between its ends, highest vertex first."""
    for v in range(len(ptr) - 2, -1, -1):
        for i in range(ptr[v], ptr[v + 1]):
            k = ptr[head[i]]
            for j in range(i + 1, ptr[v + 1]):
                while head[k] != head[j]:
                    k += 1
                up_i, up_j, down_i, down_j = up[i], up[j], down[i], down[j]
                up[i] = min(up_i, up_j + down[k])
                up[j] = min(up_j, up_i + up[k])
                down[i] = min(down_i, up[k] + down_j)
                down[j] = min(down_j, down[k] + down_i)
