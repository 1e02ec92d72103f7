"""Rules of a sweep divided among teams: each walk sound and in the shift, every pass once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.check.sweep import walk_faults
from routing.check.violation import Rule, Violation, broken
from routing.sweep.model import FAR, SweepProblem, Tour
from routing.sweep.plan import MILLISECONDS, SweepPlan


def check_sweep_plan(
    problem: SweepProblem, plan: SweepPlan, stations: Sequence[int]
) -> tuple[Violation, ...]:
    """Return every rule a divided sweep breaks; empty when it is sound.

    Parameters
    ----------
    problem : SweepProblem
    plan : SweepPlan
    stations : sequence of int
        Node each team must start from and return to.
    """
    walks = [
        fault
        for tour, station in zip(plan.routes, stations, strict=True)
        for fault in walk_faults(problem, tour, start_node=station)
    ]
    if walks:
        return tuple(walks)
    return (
        *_service_faults(problem, plan),
        *(fault for tour in plan.routes for fault in _time_faults(problem, tour, plan)),
    )


def _service_faults(problem: SweepProblem, plan: SweepPlan) -> Iterator[Violation]:
    """Require each asked pass to be made once or to be listed as missing, not both."""
    served = np.concatenate([tour.arcs[tour.is_service] for tour in plan.routes])
    made = np.bincount(served, minlength=2 * problem.n_segments).reshape(-1, 2)
    missing = np.zeros(problem.n_segments, np.int64)
    for one in plan.left_out:
        if not 0 <= one.segment < problem.n_segments or one.passes < 1:
            yield broken(Rule.SWEEP_LEFT_OUT, segment=one.segment)
            return
        missing[one.segment] += one.passes
    told = made.sum(axis=1) + missing
    for segment in np.flatnonzero(told != problem.passes).tolist():
        n, expected = int(told[segment]), int(problem.passes[segment])
        yield broken(Rule.SWEEP_SERVED, segment=segment, n=n, expected=expected)
    yield from _side_faults(problem, made)


def _side_faults(problem: SweepProblem, made: NDArray[np.int64]) -> Iterator[Violation]:
    both = (problem.service.reshape(-1, 2) < FAR).all(axis=1)
    for segment in np.flatnonzero((problem.passes > 1) & both & (made.max(axis=1) > 1)).tolist():
        yield broken(Rule.SWEEP_ONE_SIDE, segment=segment)


def _time_faults(problem: SweepProblem, tour: Tour, plan: SweepPlan) -> Iterator[Violation]:
    """Require the stated milliseconds, and no walk over the shift."""
    travel = problem.travel[tour.arcs].astype(np.int64)
    total = int(np.where(tour.is_service, problem.service[tour.arcs], travel).sum())
    empty = int(travel[~tour.is_service].sum())
    if (tour.milliseconds, tour.dead_head) != (total, empty):
        yield broken(Rule.SWEEP_TIME_WRONG, stated=tour.milliseconds, expected=total)
    if total > plan.shift_length * MILLISECONDS:
        yield broken(
            Rule.SWEEP_SHIFT_LATE, total=-(-total // MILLISECONDS), limit=plan.shift_length
        )
