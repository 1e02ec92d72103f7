"""The precheck: contradictions between musts are named before any search.

Counting first (milliseconds), then one CP-SAT model of the musts alone: posts, pairs, breaks
and, on nights small enough, floors. It knows less travel than the truth (a stay is followed by
the shortest way to anything else), so INFEASIBLE is a proof and anything else is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from geo.errors import InfeasibleError
from geo.units import MINUTE
from routing.model import PAIR_TOLERANCE, Post, Problem, Stop, Unit, VisitKind
from routing.patrol.reach import alone, units_able

MOST_LITERALS = 4_000
"""Unit-and-stay literals up to which floors enter the model."""
N_NEAREST = 14
"""Units per must in the first try: when they suffice, nobody else is needed."""
WORK = 4.0
"""CP-SAT's deterministic time for the model, and for each step of shrinking a contradiction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """One must: `n` stays of `dwell` seconds at a place, started within a window.

    Attributes
    ----------
    is_at_once : bool
        Its stays are by different units, at most the tolerance apart; else one after another,
        `spacing` apart, by any units.
    """

    label: str
    place_id: str
    first: int
    last: int
    dwell: int
    n: int
    is_at_once: bool
    spacing: int = 0


def precheck(problem: Problem) -> None:
    """Refuse a night whose musts contradict each other.

    Raises
    ------
    InfeasibleError
        Names a smallest set of musts that cannot be met together, in words, and a change that
        would help.
    """
    for unit in problem.units:
        _require_break(problem, unit)
    _require_floors(problem)
    _require_posts(problem)
    _require_heads(problem)
    _require_together(problem)


def _refuse(conflict: str, remedy: str) -> None:
    raise InfeasibleError(conflict=conflict, remedy=remedy)


def _clock(problem: Problem, first: int, last: int) -> str:
    return f"{problem.shift.at(first):%H:%M}–{problem.shift.at(last):%H:%M}"


def _require_break(problem: Problem, unit: Unit) -> None:
    """Every unit's break fits its window and the shift, at a rest place it can reach."""
    if not unit.break_length:
        return
    first, last = unit.break_window
    window = _clock(problem, first, last)
    what = f"unit {unit.unit_id}: a break of {unit.break_length // MINUTE} min within {window}"
    if first < 0 or last > problem.shift.length or last - first < unit.break_length:
        _refuse(what, "Widen the break window or lengthen the shift.")
    for place_id in problem.rests:
        there = problem.travel.between(unit.mode, unit.station_id, place_id)
        back = problem.travel.between(unit.mode, place_id, unit.station_id)
        begin = max(there, first)
        end = begin + unit.break_length
        if end <= last and end + back <= problem.shift.length:
            return
    _refuse(f"{what}, at a rest place", "Add a rest place the unit can reach.")


def _require_floors(problem: Problem) -> None:
    """Every floor fits the night with its spacing, and some unit can come."""
    floors = [stop for stop in problem.stops if stop.band.floor]
    for stop in floors:
        band = stop.band
        needed = band.floor * band.dwell + (band.floor - 1) * band.spacing
        if needed > problem.shift.length:
            _refuse(
                f"{_floor_label(stop)}, {band.spacing // MINUTE} min apart, take "
                f"{needed // MINUTE} min of a shift of {problem.shift.length // MINUTE} min",
                "Lower the floor or the spacing, or lengthen the shift.",
            )
    found = alone(problem, floors)
    for stop, is_possible in zip(floors, found.is_possible, strict=True):
        if not is_possible:
            _refuse(
                f"{_floor_label(stop)}, and every unit's way there, break and way back",
                "Set the floor to 0 or give a unit that can come.",
            )
    wanted = sum(stop.band.floor * stop.band.dwell for stop in floors)
    wanted += sum(post.n_units * post.dwell for post in problem.posts)
    given = sum(problem.shift.length - unit.break_length for unit in problem.units)
    if wanted > given:
        _refuse(
            f"floors and posts take {wanted // MINUTE} team-minutes, "
            f"{len(problem.units)} unit(s) have {given // MINUTE}",
            "Lower floors or add units.",
        )


def _floor_label(stop: Stop) -> str:
    return f"place {stop.place_id}: {stop.band.floor} visit(s) of {stop.band.dwell // MINUTE} min"


def _post_label(problem: Problem, post: Post) -> str:
    end = post.latest + post.dwell
    return f"{post.post_id} {_clock(problem, post.earliest, end)} × {post.n_units}"


def _require_posts(problem: Problem) -> None:
    """Enough units can hold each post were there nothing else."""
    for post in problem.posts:
        n_able = len(units_able(problem, post))
        if n_able < post.n_units:
            _refuse(
                f"{_post_label(problem, post)}: {n_able} of {len(problem.units)} unit(s) can be "
                "there in time, take their break and be back by the end of the shift",
                "Move it, or ask for fewer units.",
            )


def _require_heads(problem: Problem) -> None:
    """At no minute do fixed posts need more units than there are."""
    fixed = [post for post in problem.posts if post.kind is VisitKind.POST]
    for moment in sorted({post.earliest for post in fixed}):
        held = [p for p in fixed if p.earliest <= moment < p.earliest + p.dwell]
        needed = sum(post.n_units for post in held)
        if needed > len(problem.units):
            at = f"{problem.shift.at(moment):%H:%M}"
            _refuse(
                f"at {at} {needed} unit(s) are needed for "
                f"{', '.join(_post_label(problem, post) for post in held)}; "
                f"there are {len(problem.units)}",
                "Move a post or add units.",
            )


def _require_together(problem: Problem) -> None:
    """No set of musts is proved impossible; a smallest such set is named."""
    musts = _musts(problem)
    if not musts:
        return
    if _Musts(problem, musts, n_nearest=N_NEAREST).is_feasible():
        return
    model = _Musts(problem, musts, n_nearest=len(problem.units))
    core = model.contradiction(range(len(musts)))
    if core is None:
        return
    for i in list(core):
        smaller = model.contradiction([j for j in core if j != i])
        core = core if smaller is None else smaller
    named = "; ".join(musts[i].label for i in core)
    units = f"{len(problem.units)} unit(s) and their breaks"
    _refuse(f"{named}; with {units}", "Move or drop one of them, or add units.")


def _musts(problem: Problem) -> list[Must]:
    musts = [
        Must(
            label=_post_label(problem, post),
            place_id=post.place_id,
            first=post.earliest,
            last=post.latest,
            dwell=post.dwell,
            n=post.n_units,
            is_at_once=True,
        )
        for post in problem.posts
    ]
    floors = [
        Must(
            label=_floor_label(stop),
            place_id=stop.place_id,
            first=0,
            last=problem.shift.length - stop.band.dwell,
            dwell=stop.band.dwell,
            n=stop.band.floor,
            is_at_once=False,
            spacing=stop.band.spacing,
        )
        for stop in problem.stops
        if stop.band.floor
    ]
    is_small = sum(must.n for must in [*musts, *floors]) * len(problem.units) <= MOST_LITERALS
    return [*musts, *floors] if is_small else musts


class _Musts:
    """Musts as optional intervals of units, each must behind an assumption."""

    def __init__(self, problem: Problem, musts: Sequence[Must], *, n_nearest: int) -> None:
        self.problem = problem
        self.n_nearest = n_nearest
        self.musts = musts
        self.model = cp_model.CpModel()
        self.assumed = [self.model.new_bool_var(must.label) for must in musts]
        self.busy: list[list[cp_model.IntervalVar]] = [[] for _ in problem.units]
        self.breaks = [self._break(r, unit) for r, unit in enumerate(problem.units)]
        self._rest_rows = [problem.travel.row[place_id] for place_id in problem.rests]
        for i in range(len(musts)):
            self._must(i)
        for busy in self.busy:
            self.model.add_no_overlap(busy)
        self._heads()

    def _break(self, r: int, unit: Unit) -> cp_model.IntVar | None:
        """Start of a unit's break, when it takes one."""
        if not unit.break_length:
            return None
        first, last = unit.break_window
        start = self.model.new_int_var(first, last - unit.break_length, "")
        self.busy[r].append(self.model.new_fixed_size_interval_var(start, unit.break_length, ""))
        return start

    def _must(self, i: int) -> None:
        """One unit for each stay; stays at once are by different units and in step."""
        must = self.musts[i]
        starts = [self.model.new_int_var(must.first, must.last, "") for _ in range(must.n)]
        doers: list[dict[int, cp_model.IntVar]] = [self._stay(must, start) for start in starts]
        for of_stay in doers:
            self.model.add(sum(of_stay.values()) == 1).only_enforce_if(self.assumed[i])
        for k in range(1, must.n):
            if must.is_at_once:
                self.model.add(starts[k] >= starts[k - 1])
                self.model.add(starts[k] - starts[0] <= PAIR_TOLERANCE)
            else:
                self.model.add(starts[k] >= starts[k - 1] + must.dwell + must.spacing)
        if must.is_at_once:
            for r in range(len(self.problem.units)):
                self.model.add_at_most_one(of_stay[r] for of_stay in doers if r in of_stay)

    def _stay(self, must: Must, start: cp_model.IntVar) -> dict[int, cp_model.IntVar]:
        """Who may do one stay: optional intervals, before or after the unit's break."""
        travel, length = self.problem.travel, self.problem.shift.length
        here, doers = travel.row[must.place_id], {}
        for r in self._nearest(must):
            unit = self.problem.units[r]
            seconds = travel.seconds[travel.modes.index(unit.mode)]
            home = travel.row[unit.station_id]
            way, back = int(seconds[home, here]), int(seconds[here, home])
            if (
                max(must.first, way) > must.last
                or max(must.first, way) + must.dwell + back > length
            ):
                continue
            does = self.model.new_bool_var("")
            doers[r] = does
            self.model.add(start >= way).only_enforce_if(does)
            self.model.add(start + must.dwell + back <= length).only_enforce_if(does)
            self.busy[r].append(
                self.model.new_optional_fixed_size_interval_var(start, must.dwell, does, "")
            )
            begin = self.breaks[r]
            if begin is not None:
                to_rest = int(seconds[here, self._rest_rows].min())
                from_rest = int(seconds[self._rest_rows, here].min())
                is_first = self.model.new_bool_var("")
                self.model.add(start + must.dwell + to_rest <= begin).only_enforce_if(
                    does, is_first
                )
                self.model.add(begin + unit.break_length + from_rest <= start).only_enforce_if(
                    does, is_first.negated()
                )
        return doers

    def _nearest(self, must: Must) -> list[int]:
        """Units soonest there."""
        units, travel = self.problem.units, self.problem.travel
        away = [travel.between(unit.mode, unit.station_id, must.place_id) for unit in units]
        return sorted(range(len(units)), key=away.__getitem__)[: self.n_nearest]

    def _heads(self) -> None:
        """Redundant: fixed posts at one moment need no more units than there are.

        Without this line a pigeonhole case was not closed in 17 s.
        """
        fixed = [i for i, m in enumerate(self.musts) if m.is_at_once and m.first == m.last]
        for moment in sorted({self.musts[i].first for i in fixed}):
            held = [
                self.musts[i].n * self.assumed[i]
                for i in fixed
                if self.musts[i].first <= moment < self.musts[i].first + self.musts[i].dwell
            ]
            self.model.add(sum(held) <= len(self.problem.units))

    def is_feasible(self) -> bool:
        """Whether all musts can be met together, as far as the model knows travel."""
        return self._solve(range(len(self.musts)))[0] in (cp_model.OPTIMAL, cp_model.FEASIBLE)

    def _solve(self, musts: Sequence[int]) -> "tuple[cp_model.CpSolverStatus, cp_model.CpSolver]":
        self.model.clear_assumptions()
        self.model.add_assumptions([self.assumed[i] for i in musts])
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.catch_sigint_signal = False  # Ctrl-C is the caller's
        solver.parameters.random_seed = 1
        solver.parameters.max_deterministic_time = WORK
        return solver.solve(self.model), solver

    def contradiction(self, musts: Sequence[int]) -> list[int] | None:
        """Return musts among these that cannot be met together, None where that is not proved."""
        code, solver = self._solve(musts)
        if code != cp_model.INFEASIBLE:
            return None
        core = set(solver.sufficient_assumptions_for_infeasibility())
        return [i for i in musts if self.assumed[i].index in core]
