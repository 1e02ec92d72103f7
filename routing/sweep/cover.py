"""Cover every asked street in one tour: choose the engine, find the passes, order them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from geo.errors import OptionInvalid
from geo.progress import NEVER, Progress, StopToken, silent
from routing.model import Status
from routing.sweep.core import Longs, build_core, whole_core
from routing.sweep.directed import pose
from routing.sweep.exact import NODES, solve_exactly
from routing.sweep.ground import Ground, find_ground
from routing.sweep.heuristic import quick_choice, relaxed_bound
from routing.sweep.matching import ROUNDS, dead_head, edges_of, even_bound
from routing.sweep.model import FAR, Covering, Ints, SweepEngine, SweepProblem, Tour
from routing.sweep.symmetry import doubled_costs
from routing.sweep.tour import order_passes, orient, serve

MOST_EXACT: Final = 5_000
"""Asked streets with one-ways up to which AUTO takes EXACT: some 15 s."""

MOST_BOTH: Final = 500
"""Asked streets on foot up to which AUTO tries EXACT where matching proves too little: some 4 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passes:
    """Arcs to travel, not yet in order; `is_free` where a pass may go either way."""

    arcs: Ints
    is_free: bool
    cost: int
    bound: int
    engine: SweepEngine
    n_parts: int
    is_complete: bool
    """Whether every way that may pay was looked at."""

    def is_within(self, gap: float) -> bool:
        """Return whether the bound is within a share of the cost."""
        return (1.0 - gap) * self.cost <= self.bound

    def with_(self, other: "_Passes") -> "_Passes":
        """Return the cheaper passes of two engines with the better bound."""
        best = other if other.cost < self.cost else self
        return replace(best, bound=max(self.bound, other.bound))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effort:
    """How far to look, whom to tell and who may stop it."""

    gap: float
    work: float
    progress: Progress
    stop: StopToken


def cover_streets(
    problem: SweepProblem,
    *,
    start_node: int | None = None,
    engine: SweepEngine = SweepEngine.AUTO,
    gap: float = 0.005,
    work: float = 1.0,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Covering:
    """Find a short closed tour that serves every asked street that can be reached.

    Parameters
    ----------
    problem : SweepProblem
    start_node : int, optional
        Node the tour begins and ends at; without one it begins at the first asked street.
    engine : SweepEngine
    gap : float
        Share of the bound at which EXACT stops looking for a shorter tour.
    work : float
        Deterministic work limit, in multiples of the usual one.
    progress : Progress
        Receives rounds done and the best tour's milliseconds of dead-heading.
    stop : StopToken
        Ends the work with the best tour found so far.

    Raises
    ------
    LimitExceeded
        The streets lie so far apart that ways between them were not found within the work limit.
    OptionInvalid
        MATCHING is asked for where streets do not cost the same both ways, or an unknown node.
    """
    if start_node is not None and not 0 <= start_node < problem.n_nodes:
        raise OptionInvalid(
            option="sweep start_node", value=start_node, expected=f"0–{problem.n_nodes - 1}"
        )
    ground = find_ground(problem, start_node)
    if len(ground.asked) == 0:
        return _nothing(ground)
    doubled = doubled_costs(ground)
    if engine is SweepEngine.MATCHING and doubled is None:
        raise OptionInvalid(
            option="sweep engine", value=engine, expected="streets that cost the same both ways"
        )
    effort = _Effort(gap=gap, work=work, progress=progress, stop=stop)
    if doubled is None or engine in {SweepEngine.EXACT, SweepEngine.HEURISTIC}:
        return _covering(ground, _directed(ground, engine, effort))
    passes = _on_foot(ground, doubled, effort)
    is_small = passes.is_complete and len(ground.asked) <= MOST_BOTH
    if engine is SweepEngine.AUTO and is_small and not passes.is_within(gap):
        passes = passes.with_(_directed(ground, SweepEngine.EXACT, effort))
    return _covering(ground, passes)


def _nothing(ground: Ground) -> Covering:
    """Return the covering of a sweep in which no street can be served."""
    none = np.zeros(0, np.int32)
    return Covering(
        tour=Tour(arcs=none, is_service=none.astype(bool), milliseconds=0, dead_head=0),
        bound=0,
        status=Status.OPTIMAL,
        engine=SweepEngine.MATCHING,
        unserved=ground.unserved,
        n_parts=0,
        n_u_turns=0,
        u_turn_bound=0,
    )


def _on_foot(ground: Ground, doubled: Longs, effort: _Effort) -> _Passes:
    """Cover streets that cost the same both ways, by matching."""
    problem = ground.problem
    core = build_core(ground, doubled)
    edges = edges_of(ground, core)
    times, bound = dead_head(
        edges, rounds=round(ROUNDS * effort.work), progress=effort.progress, stop=effort.stop
    )
    if not core.is_complete:
        bound = even_bound(edges_of(ground, whole_core(ground, doubled)))
    ways = np.zeros(len(core.cost), np.int64)
    ways[edges.way] = times
    empty = core.expand(ways)
    fixed = ground.fixed_arcs()
    served = np.concatenate([2 * ground.once, fixed])
    doors = problem.service[served].astype(np.int64) - problem.travel[served]
    ridden = int(doubled[served].sum())
    free = np.concatenate([2 * ground.once, empty]).astype(np.int32)
    if len(fixed):
        free = np.concatenate([orient(ground, free), fixed])
    return _Passes(
        arcs=free,
        is_free=len(fixed) == 0,
        cost=(ridden + int(times @ edges.weight)) // 2 + int(doors.sum()),
        bound=-(-(ridden + bound) // 2) + int(doors.sum()),
        engine=SweepEngine.MATCHING,
        n_parts=edges.n_parts,
        is_complete=core.is_complete,
    )


def _directed(ground: Ground, engine: SweepEngine, effort: _Effort) -> _Passes:
    """Cover streets whose directions matter: quickly, then exactly where they are few enough."""
    travel = ground.problem.travel.astype(np.int64)
    core = build_core(ground, travel)
    posed = pose(ground, core)
    choice, bound = quick_choice(ground, core, posed)
    wants_exact = core.is_complete and len(ground.asked) <= MOST_EXACT
    is_exact = engine is SweepEngine.EXACT or (engine is SweepEngine.AUTO and wants_exact)
    if is_exact:
        choice, bound = solve_exactly(
            posed,
            choice,
            gap=effort.gap,
            nodes=max(1, round(NODES * effort.work)),
            progress=effort.progress,
            stop=effort.stop,
        )
    if not core.is_complete:
        bound = relaxed_bound(pose(ground, whole_core(ground, travel)))
    return _Passes(
        arcs=choice.arcs(posed, core),
        is_free=False,
        cost=choice.cost,
        bound=bound,
        engine=SweepEngine.EXACT if is_exact else SweepEngine.HEURISTIC,
        n_parts=posed.n_parts,
        is_complete=core.is_complete,
    )


def _covering(ground: Ground, passes: _Passes) -> Covering:
    """Order the passes to a tour and say how good it is."""
    arcs, n_u_turns, least = order_passes(ground, passes.arcs, is_free=passes.is_free)
    tour = serve(ground, arcs)
    return Covering(
        tour=tour,
        bound=min(passes.bound, tour.milliseconds),
        status=Status.OPTIMAL if passes.bound >= tour.milliseconds else Status.FEASIBLE,
        engine=passes.engine,
        unserved=ground.unserved,
        n_parts=passes.n_parts,
        n_u_turns=n_u_turns,
        u_turn_bound=least,
    )


def warm_up() -> None:
    """Compile every kernel into its cache, by a block of four streets and a one-way."""
    tail, head = np.array([[0, 1, 2, 0, 2], [1, 2, 3, 3, 0]], dtype=np.int32)
    for back in (1, FAR):
        travel = np.ones((5, 2), np.int32)
        travel[4, 1] = back
        cover_streets(
            SweepProblem(
                n_nodes=4,
                tail=np.stack([tail, head], axis=1).ravel(),
                head=np.stack([head, tail], axis=1).ravel(),
                travel=travel.ravel(),
                service=travel.ravel().copy(),
                passes=np.array([1, 0, 1, 0, 0], np.int8),
            )
        )
