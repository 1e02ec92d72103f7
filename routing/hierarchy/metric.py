"""Weights on a hierarchy: what each shortcut costs for one mode, and which are ever needed.

A shortcut between x < y costs the less of its own arc and x -> v -> y over the lower vertices v
that both know: one sweep from the lowest vertex up settles all (basic customisation). A second
sweep down finds the exact time between x and y; where that is less, no fastest way needs the
shortcut and queries skip it (perfect customisation).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from routing.hierarchy.kernel import (
    FAR,
    LENGTH_BITS,
    LONG_FAR,
    MOST_LENGTH,
    NONE,
    Costs,
    Ints,
    far_of,
    kernel,
)
from routing.hierarchy.relax import Shortcuts, Way, relax_downwards, relax_upwards
from routing.hierarchy.topology import Topology

GRAINS: Final = (100, 10, 1)
"""Units of length to a metre, finest first: a metric takes the finest in which no way overflows."""


class Star(NamedTuple):
    """The needed shortcuts at the lower end of each, packed, in one direction."""

    ptr: Ints
    head: Ints
    cost: Costs
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
    loop : ndarray, shape (n_loops,)
        Cost of each arc that ends where it begins, as in the topology.
    per_metre : int
        Units of length to a metre; 0 where costs are milliseconds alone.
    """

    topology: Topology
    shortcuts: Shortcuts
    leaving: Star
    reaching: Star
    loop: Costs
    per_metre: int


def customise(
    topology: Topology, weight: Ints, *, metres: NDArray[np.floating] | None = None
) -> Metric:
    """Lay weights on a topology.

    Parameters
    ----------
    topology : Topology
    weight : ndarray of int32, shape (n_arcs,)
        Milliseconds of each arc, at least 1; FAR closes it.
    metres : ndarray of float, shape (n_arcs,), optional
        Length of each arc. Given, the metric knows lengths too, and of equally fast ways takes the
        shortest. Arcs count to the centimetre (above some 21,000 km of streets to the decimetre).
        Queries then cost about twice as much.

    Raises
    ------
    OptionInvalid
        A weight below 1 or above FAR, a length that is none, or not one per arc.
    """
    _require_weights(topology, weight)
    costs: Costs = weight
    per_metre = 0
    if metres is not None:
        per_metre = _grain(topology, metres)
        costs = np.where(weight < FAR, joined(weight, metres, per_metre), LONG_FAR)
    up, down = lay(topology.shortcut, topology.is_upward, costs, topology.n_shortcuts)
    shortcuts = Shortcuts(topology.ptr, topology.head, up, down)
    relax_upwards(shortcuts)
    up_exact, down_exact = up.cost.copy(), down.cost.copy()
    relax_downwards(topology.ptr, topology.head, up_exact, down_exact)
    return Metric(
        topology=topology,
        shortcuts=shortcuts,
        leaving=_star(topology, up.cost, up_exact),
        reaching=_star(topology, down.cost, down_exact),
        loop=costs[topology.loop],
        per_metre=per_metre,
    )


def joined(milliseconds: Ints, metres: NDArray[np.floating], per_metre: int) -> NDArray[np.int64]:
    """Put milliseconds and metres into one cost; both may be negative together."""
    cost: NDArray[np.int64] = milliseconds.astype(np.int64) << LENGTH_BITS
    cost += np.rint(per_metre * metres).astype(np.int64)
    return cost


def _require_weights(topology: Topology, weight: Ints) -> None:
    if weight.shape != topology.shortcut.shape or weight.dtype != np.int32:
        given, expected = f"{weight.dtype} {weight.shape}", f"int32 {topology.shortcut.shape}"
        raise OptionInvalid(option="weight", value=given, expected=expected)
    if len(weight) and not 1 <= weight.min() <= weight.max() <= FAR:
        given = f"{weight.min()}–{weight.max()} ms"
        raise OptionInvalid(option="weight", value=given, expected=f"1–{FAR} ms")


def _grain(topology: Topology, metres: NDArray[np.floating]) -> int:
    """Return the units to a metre in which every way fits.

    A fastest way enters a vertex once at most, so that it is no longer than the longest arcs into
    all vertices together; its two offsets are parts of arcs.
    """
    if metres.shape != topology.shortcut.shape or not (metres >= 0.0).all():
        given = f"{metres.shape}, {metres.min(initial=0.0)} m and more"
        expected = f"{topology.shortcut.shape}, 0 m and more"
        raise OptionInvalid(option="metres", value=given, expected=expected)
    low = np.repeat(np.arange(topology.n_nodes, dtype=np.int32), np.diff(topology.ptr))
    is_way = topology.shortcut != NONE
    over = topology.shortcut[is_way]
    entered = np.where(topology.is_upward[is_way], topology.head[over], low[over])
    longest = np.zeros(topology.n_nodes)
    np.maximum.at(longest, entered, metres[is_way])
    total = longest.sum() + 2.0 * metres.max(initial=0.0) + len(metres)
    fitting = [grain for grain in GRAINS if grain * total < MOST_LENGTH]
    if not fitting:
        given, expected = f"{total:.0f} m", f"less than {MOST_LENGTH} m together"
        raise OptionInvalid(option="metres", value=given, expected=expected)
    return fitting[0]


def _star(topology: Topology, cost: Costs, exact: Costs) -> Star:
    """Pack the shortcuts that are as short as the shortest way between their ends."""
    needed = (cost == exact) & (cost < far_of(cost))
    ptr = np.concatenate([[0], np.cumsum(needed)])[topology.ptr].astype(np.int32)
    return Star(ptr, topology.head[needed], cost[needed], topology.parent)


@kernel
def lay(
    shortcut: Ints, is_upward: NDArray[np.bool_], weight: Costs, n_shortcuts: int
) -> tuple[Way, Way]:
    """Lay the cheapest arc on each shortcut, up and down; of equal ones the first.

    Parallel arcs meet here: they must not be added up.
    """
    far, none = far_of(weight), np.full(n_shortcuts, NONE, np.int32)
    up = Way(np.full(n_shortcuts, far, weight.dtype), none.copy(), none.copy())
    down = Way(np.full(n_shortcuts, far, weight.dtype), none.copy(), none)
    for arc in range(len(shortcut)):
        e = shortcut[arc]
        if e != NONE:
            way = up if is_upward[arc] else down
            if weight[arc] < way.cost[e]:
                way.cost[e], way.arc[e] = weight[arc], arc
    return up, down
