"""A sweep whose streets cost more one way than the other, laid out for flows and programmes."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.sweep.core import Core, Flags, Longs
from routing.sweep.ground import Ground
from routing.sweep.model import Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directed:
    """The programme's columns and rows, as arrays.

    Attributes
    ----------
    tail, head, cost : ndarray, shape (n_ways,)
        Stops and milliseconds of the ways.
    free : ndarray of int32, shape (n_free,)
        Segments whose direction is chosen; `free_tail`, `free_head` are their stops.
    along, against : ndarray of int64, shape (n_free,)
        Milliseconds of serving them.
    fixed : ndarray of int32
        Arcs served whatever is chosen.
    surplus : ndarray of int64, shape (n_stops,)
        Fixed services out of each stop less those into it.
    is_odd : bool ndarray, shape (n_stops,)
        Whether an odd number of services ends there.
    part : ndarray of int32, shape (n_stops,)
    """

    n: int
    tail: Ints
    head: Ints
    cost: Longs
    free: Ints
    free_tail: Ints
    free_head: Ints
    along: Longs
    against: Longs
    fixed: Ints
    fixed_cost: int
    surplus: Longs
    is_odd: Flags
    part: Ints
    n_parts: int


def pose(ground: Ground, core: Core) -> Directed:
    """Lay a sweep out for the programme."""
    problem = ground.problem
    free, fixed = ground.free_segments(), ground.fixed_arcs()
    tail, head = core.stop_of(problem.tail), core.stop_of(problem.head)
    out, into = (np.bincount(end[fixed], minlength=core.n) for end in (tail, head))
    ends = np.concatenate([tail[2 * free], head[2 * free]])
    asked = 2 * ground.asked
    graph = coo_array((np.ones(len(asked)), (tail[asked], head[asked])), shape=(core.n, core.n))
    n_parts, part = connected_components(graph, directed=False)
    return Directed(
        n=core.n,
        tail=core.tail,
        head=core.head,
        cost=core.cost,
        free=free,
        free_tail=tail[2 * free],
        free_head=head[2 * free],
        along=problem.service[2 * free].astype(np.int64),
        against=problem.service[2 * free + 1].astype(np.int64),
        fixed=fixed,
        fixed_cost=int(problem.service[fixed].astype(np.int64).sum()),
        surplus=(out - into).astype(np.int64),
        is_odd=(np.bincount(ends, minlength=core.n) + out + into) % 2 == 1,
        part=part.astype(np.int32),
        n_parts=int(n_parts),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """Times each way is travelled, whether each free segment is served along, and what it costs."""

    times: Longs
    is_along: Flags
    cost: int

    def arcs(self, posed: Directed, core: Core) -> Ints:
        """Return every pass as an arc of the problem."""
        chosen = np.where(self.is_along, 2 * posed.free, 2 * posed.free + 1)
        passes = np.concatenate([posed.fixed, chosen, core.expand(self.times)])
        return passes.astype(np.int32)


def choice_of(posed: Directed, times: Longs, is_along: Flags) -> Choice:
    """Return a choice with its cost."""
    served = np.where(is_along, posed.along, posed.against).sum() + posed.fixed_cost
    return Choice(times=times, is_along=is_along, cost=int(times @ posed.cost + served))


def groups_of(posed: Directed, is_used: Flags) -> tuple[int, Ints]:
    """Label the stops by what asked streets and the ways in use connect."""
    _, first = np.unique(posed.part, return_index=True)
    tail = np.concatenate([posed.tail[is_used], np.arange(posed.n)])
    head = np.concatenate([posed.head[is_used], first[posed.part]])
    ones = np.ones(len(tail), np.int8)
    graph = coo_array((ones, (tail, head)), shape=(posed.n, posed.n))
    n_groups, label = connected_components(graph, directed=False)
    return int(n_groups), label
