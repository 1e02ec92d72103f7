"""Rules of a covering: a closed walk over open arcs that serves every asked street."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.check.violation import Rule, Violation, broken
from routing.model import Status
from routing.sweep.model import FAR, Covering, SweepProblem, Tour


def check_covering(
    problem: SweepProblem, covering: Covering, *, start_node: int | None = None
) -> tuple[Violation, ...]:
    """Return every rule a covering breaks; empty when it is sound.

    Parameters
    ----------
    problem : SweepProblem
    covering : Covering
    start_node : int, optional
        Node the tour must begin and end at.
    """
    walk = tuple(walk_faults(problem, covering.tour, start_node=start_node))
    if any(fault.code is Rule.SWEEP_ARC_UNKNOWN for fault in walk):
        return walk
    return (
        *walk,
        *_service_faults(problem, covering),
        *_left_out_faults(problem, covering, start_node),
        *_figure_faults(problem, covering),
    )


def walk_faults(
    problem: SweepProblem, tour: Tour, *, start_node: int | None = None
) -> Iterator[Violation]:
    """Require open arcs, each from where the one before ends, and the last back to the first.

    Parameters
    ----------
    start_node : int, optional
        Node the walk must begin at, unless it is empty.
    """
    arcs = tour.arcs
    if len(arcs) == 0:
        return
    if arcs.min() < 0 or arcs.max() >= len(problem.tail) or len(tour.is_service) != len(arcs):
        yield broken(Rule.SWEEP_ARC_UNKNOWN, n=len(arcs))
        return
    time = np.where(tour.is_service, problem.service[arcs], problem.travel[arcs])
    for i in np.flatnonzero(time >= FAR).tolist():
        yield broken(Rule.SWEEP_ARC_CLOSED, position=i, segment=int(arcs[i]) // 2)
    ends = problem.head[np.roll(arcs, 1)]
    for i in np.flatnonzero(ends != problem.tail[arcs]).tolist():
        yield broken(Rule.SWEEP_WALK_BROKEN, position=i, segment=int(arcs[i]) // 2)
    if start_node is not None and problem.tail[arcs[0]] != start_node:
        yield broken(Rule.SWEEP_START_WRONG, node=int(problem.tail[arcs[0]]), expected=start_node)


def _service_faults(problem: SweepProblem, covering: Covering) -> Iterator[Violation]:
    """Require each asked pass once, and none of the segments left out."""
    served = covering.tour.arcs[covering.tour.is_service]
    n_along, n_against = (
        np.bincount(served[served % 2 == side] // 2, minlength=problem.n_segments)
        for side in (0, 1)
    )
    left = np.bincount(covering.unserved, minlength=problem.n_segments)
    wanted = np.where(left > 0, 0, problem.passes)
    for segment in np.flatnonzero(n_along + n_against != wanted).tolist():
        n = int(n_along[segment] + n_against[segment])
        yield broken(Rule.SWEEP_SERVED, segment=segment, n=n, expected=int(wanted[segment]))
    both = (problem.service.reshape(-1, 2) < FAR).all(axis=1)
    lopsided = (wanted > 1) & both & (n_along != n_against)
    for segment in np.flatnonzero(lopsided).tolist():
        yield broken(Rule.SWEEP_ONE_SIDE, segment=segment)


def _left_out_faults(
    problem: SweepProblem, covering: Covering, start_node: int | None
) -> Iterator[Violation]:
    """Require that what is left out is asked, named once, and cannot be served on a way back."""
    is_open = problem.travel < FAR
    arcs = (problem.tail[is_open], problem.head[is_open])
    ones = np.ones(int(is_open.sum()), np.int8)
    graph = coo_array((ones, arcs), shape=(problem.n_nodes, problem.n_nodes)).tocsr()
    _, part = connected_components(graph, directed=True, connection="strong")
    inside = (part[problem.tail] == part[problem.head]) & (problem.service < FAR)
    if len(covering.tour.arcs):
        inside &= part[problem.tail] == part[problem.tail[covering.tour.arcs[0]]]
    elif start_node is not None:
        inside &= part[problem.tail] == part[start_node]
    left = np.bincount(covering.unserved, minlength=problem.n_segments)
    is_wrong = (problem.passes == 0) | inside.reshape(-1, 2).any(axis=1)
    for segment in np.flatnonzero((left > 1) | ((left > 0) & is_wrong)).tolist():
        yield broken(Rule.SWEEP_LEFT_OUT, segment=segment)


def _figure_faults(problem: SweepProblem, covering: Covering) -> Iterator[Violation]:
    """Require the stated milliseconds, and a bound and status that fit them."""
    tour = covering.tour
    travel = problem.travel[tour.arcs].astype(np.int64)
    service = problem.service[tour.arcs].astype(np.int64)
    total = int(np.where(tour.is_service, service, travel).sum())
    empty = int(travel[~tour.is_service].sum())
    if (tour.milliseconds, tour.dead_head) != (total, empty):
        yield broken(Rule.SWEEP_TIME_WRONG, stated=tour.milliseconds, expected=total)
    if covering.bound > tour.milliseconds:
        yield broken(Rule.BOUND_BELOW, bound=covering.bound, objective=tour.milliseconds)
    if covering.status is Status.OPTIMAL and covering.bound != tour.milliseconds:
        yield broken(Rule.STATUS_UNPROVEN, bound=covering.bound, objective=tour.milliseconds)
