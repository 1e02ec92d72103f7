"""Sweep with one-ways or costs that differ by direction: a whole-number programme with cuts.

Windy rural postman on the core (Corberan & Laporte, eds., "Arc Routing", SIAM 2014, ch. 6): a
variable for each way (times it is travelled without service) and one for each street that may be
served either way. Rows: as many in as out at every stop. Cuts, all valid for every tour:

connectivity
    some way leaves every set of stops that holds a part of the asked streets, but not all parts;
parity
    a set of stops that an odd number of services crosses is crossed by a way without service too.

Cuts are found on the linear relaxation (GLOP) first: SCIP without them takes a hundred times longer
and returns tours that fall apart. What SCIP finds disconnected is cut off and solved again.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from ortools.linear_solver import pywraplp

from geo.progress import NEVER, Progress, StopToken, silent
from routing.sweep.cuts import Cuts, Reals, Ways
from routing.sweep.directed import Choice, Directed, choice_of, groups_of
from routing.sweep.heuristic import joined_flow

NODES: Final = 200
"""Branches SCIP may look at in all: its work limit, the same on every machine."""

LP_ROUNDS: Final = 30
"""Rounds of cutting the linear relaxation."""

REPEATS: Final = 30
"""Times a solution that falls apart is cut off and solved again."""

HALF: Final = 0.5
"""Value from which a fraction counts as one."""

TOLERANCE: Final = 0.5
"""Milliseconds a solver's bound may be off: its rows hold to 1e-6, their prices are below 1e6."""


def solve_exactly(
    posed: Directed,
    start: Choice,
    *,
    gap: float,
    nodes: int = NODES,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> tuple[Choice, int]:
    """Improve a tour until it is within `gap` of the bound, or the work is done.

    Parameters
    ----------
    posed : Directed
    start : Choice
        A tour in one piece: hint, and answer where nothing better is found.
    gap : float
        Share of the cost at which SCIP may stop.
    nodes : int
        Branches in all.

    Returns
    -------
    choice : Choice
        Never dearer than `start`.
    bound : int
        Milliseconds no tour can go below.
    """
    search = _Search(posed, start, gap)
    search.relax(progress, stop)
    search.branch(nodes, progress, stop)
    return search.best, min(search.bound, search.best.cost)


class _Search:
    """Tour and bound, moved towards each other."""

    def __init__(self, posed: Directed, start: Choice, gap: float) -> None:
        self.posed = posed
        self.cuts = Cuts(posed)
        self.best = start
        self.bound = 0
        self.gap = gap

    def is_done(self, stop: StopToken) -> bool:
        """Return whether the tour is good enough, or a stop is asked for."""
        return stop.is_set() or (1.0 - self.gap) * self.best.cost <= self.bound

    def relax(self, progress: Progress, stop: StopToken) -> None:
        """Cut the linear relaxation until no cut is broken, and take a tour from its answer."""
        relaxed = _Programme(self.posed, self.cuts, "GLOP")
        for done in range(LP_ROUNDS):
            solved = relaxed.solve()
            self.bound = max(self.bound, solved.bound)
            progress(done + 1, LP_ROUNDS + REPEATS, self.best.cost)
            if self.is_done(stop) or relaxed.add(self.cuts.violated(solved.times)) == 0:
                break
        self._repair(solved)

    def branch(self, nodes: int, progress: Progress, stop: StopToken) -> None:
        """Let SCIP look for whole numbers, until a tour in one piece is good enough."""
        if self.is_done(stop):
            return
        whole = _Programme(self.posed, self.cuts, "SCIP")
        for done in range(REPEATS):
            solved = whole.solve(hint=self.best, gap=self.gap, nodes=nodes)
            self.bound = max(self.bound, solved.bound)
            nodes -= solved.nodes
            progress(LP_ROUNDS + done + 1, LP_ROUNDS + REPEATS, self.best.cost)
            if not solved.is_found or self._take(solved):
                break
            self._repair(solved)
            if self.is_done(stop) or nodes <= 0 or whole.add(self._apart(solved)) == 0:
                break

    def _take(self, solved: "_Solved") -> bool:
        """Remember a solution in one piece; return whether it is one."""
        times = np.rint(solved.times).astype(np.int64)
        n_groups, _ = groups_of(self.posed, times > 0)
        if n_groups == 1:
            self._remember(choice_of(self.posed, times, solved.along > HALF))
        return n_groups == 1

    def _apart(self, solved: "_Solved") -> list[Ways]:
        """Return the cuts around what a solution leaves apart."""
        _, label = groups_of(self.posed, solved.times > HALF)
        return self.cuts.around(label)

    def _repair(self, solved: "_Solved") -> None:
        """Take a solution's directions and the ways that join parts in it, and balance the rest."""
        part = self.posed.part
        joins = (solved.times > HALF) & (part[self.posed.tail] != part[self.posed.head])
        self._remember(joined_flow(self.posed, solved.along > HALF, joins.astype(np.int64)))

    def _remember(self, choice: Choice) -> None:
        self.best = min(self.best, choice, key=lambda c: c.cost)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Solved:
    """Times of each way, share of each free street served along, and the solver's bound."""

    is_found: bool
    times: Reals
    along: Reals
    bound: int
    nodes: int


class _Programme:
    """The rows and columns in one of OR-Tools' linear solvers."""

    def __init__(self, posed: Directed, cuts: Cuts, solver: str) -> None:
        self.posed = posed
        self.solver = pywraplp.Solver.CreateSolver(solver)
        self.is_whole = solver == "SCIP"
        number = self.solver.IntVar if self.is_whole else self.solver.NumVar
        self.times = [number(0, self.solver.infinity(), "") for _ in posed.cost]
        self.along = [number(0, 1, "") for _ in posed.free]
        self._balance()
        self._price()
        self.add(list(cuts.known.values()))

    def _balance(self) -> None:
        """Require as many in as out at every stop."""
        posed = self.posed
        turned = np.bincount(posed.free_tail, minlength=posed.n) - np.bincount(
            posed.free_head, minlength=posed.n
        )
        rows = [self.solver.Constraint(float(s), float(s)) for s in turned - posed.surplus]
        for i, (tail, head) in enumerate(
            zip(posed.tail.tolist(), posed.head.tolist(), strict=True)
        ):
            rows[tail].SetCoefficient(self.times[i], 1)
            rows[head].SetCoefficient(self.times[i], -1)
        ends = zip(posed.free_tail.tolist(), posed.free_head.tolist(), strict=True)
        for i, (tail, head) in enumerate(ends):
            if tail != head:
                rows[tail].SetCoefficient(self.along[i], 2)
                rows[head].SetCoefficient(self.along[i], -2)

    def _price(self) -> None:
        """Minimise milliseconds."""
        posed, objective = self.posed, self.solver.Objective()
        for variable, cost in zip(self.times, posed.cost.tolist(), strict=True):
            objective.SetCoefficient(variable, cost)
        turn = (posed.along - posed.against).tolist()
        for variable, cost in zip(self.along, turn, strict=True):
            objective.SetCoefficient(variable, cost)
        objective.SetOffset(posed.fixed_cost + int(posed.against.sum()))
        objective.SetMinimization()

    def add(self, cuts: list[Ways]) -> int:
        """Add cuts; return how many."""
        for ways in cuts:
            row = self.solver.Constraint(1.0, self.solver.infinity())
            for i in ways.tolist():
                row.SetCoefficient(self.times[i], 1)
        return len(cuts)

    def solve(self, *, hint: Choice | None = None, gap: float = 0.0, nodes: int = NODES) -> _Solved:
        """Solve as it stands."""
        settings = pywraplp.MPSolverParameters()
        if self.is_whole:
            settings.SetDoubleParam(settings.RELATIVE_MIP_GAP, gap)
            self.solver.SetSolverSpecificParametersAsString(f"limits/nodes = {nodes}")
        if hint is not None:
            values = [*hint.times.tolist(), *hint.is_along.astype(int).tolist()]
            self.solver.SetHint([*self.times, *self.along], [float(v) for v in values])
        status = self.solver.Solve(settings)
        found = status in {pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE}
        objective = self.solver.Objective()
        least = objective.BestBound() if self.is_whole else objective.Value()
        return _Solved(
            is_found=found,
            times=np.array([v.solution_value() for v in self.times] if found else []),
            along=np.array([v.solution_value() for v in self.along] if found else []),
            bound=_rounded_up(least) if found else 0,
            nodes=self.solver.nodes() if self.is_whole else 0,
        )


def _rounded_up(milliseconds: float) -> int:
    """Return the least whole number not below a solver's bound, its tolerance taken off."""
    return math.ceil(milliseconds - TOLERANCE)
