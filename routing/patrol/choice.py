"""CP-SAT picks one route per unit out of the search's pool, under everything that ties routes.

Every variable is hinted with the search's best plan: an incomplete hint once returned a plan
14 % below it.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ortools.sat.python import cp_model

from geo.progress import NEVER, StopToken
from routing.model import Status
from routing.patrol.timetable import (
    Order,
    earliest_starts,
    latest_starts,
    name_halves,
    slot_points,
    travel_and_load,
)
from routing.search.arrays import SCALE, Night

PER_UNIT = 120
"""Routes of one unit that take part, the most valuable first."""
MOST_COLUMNS = 12_000
"""Routes of all units that take part: beyond, the model no longer closes in its work limit."""
MAX_CUTS = 4
LOOK = 0.1
"""Seconds between two looks at the stop token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What CP-SAT decided.

    Attributes
    ----------
    routes : tuple of Order
        One per unit.
    status : Status
        On the pool: OPTIMAL means no better combination of its routes.
    pool_bound : int or None
        Objective units; no combination of the pool's routes is better.
    n_columns : int
    """

    routes: tuple[Order, ...]
    status: Status
    pool_bound: int | None
    n_columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One route that may be chosen; `halves` are (earliest, latest start) by pair task."""

    unit: int
    route: Order
    travel: int
    load: int
    halves: dict[int, tuple[int, int]]


def choose_routes(
    night: Night,
    pool: Iterable[tuple[int, Order]],
    best: Sequence[Order],
    *,
    work: float,
    seed: int,
    stop: StopToken = NEVER,
) -> Choice:
    """Choose one route per unit; never worse than `best`, which is among them.

    Parameters
    ----------
    night : Night
    pool : iterable of (unit, visits in order)
    best : sequence of Order
        The search's best plan: hint and fallback.
    work : float
        CP-SAT's deterministic time.
    seed : int
        CP-SAT's random seed; one worker.
    stop : StopToken
        Ends the choice with what it has found.

    Notes
    -----
    A route with one half of a pair is described exactly by its earliest and latest start; a route
    with two halves is relaxed, so the chosen plan is timed again and cut off when it cannot be.
    """
    columns = _columns(night, pool, best)
    model = _Model(night, columns, best)
    for _ in range(MAX_CUTS):
        if stop.is_set():
            break
        status, picked = model.solve(work=work, seed=seed, stop=stop)
        if picked is None:
            break
        routes = name_halves(night, [columns[i].route for i in picked])
        if earliest_starts(night, routes) is not None:
            bound = model.bound
            return Choice(
                routes=tuple(routes), status=status, pool_bound=bound, n_columns=len(columns)
            )
        model.forbid(picked)
    return Choice(
        routes=tuple(best), status=Status.UNKNOWN, pool_bound=None, n_columns=len(columns)
    )


def _columns(
    night: Night, pool: Iterable[tuple[int, Order]], best: Sequence[Order]
) -> list[Column]:
    """Return the routes that take part: the best plan's first, then by worth, per unit."""
    by_unit: dict[int, dict[Order, None]] = {r: {route: None} for r, route in enumerate(best)}
    for r, route in pool:
        by_unit[r].setdefault(route)
    per_unit = max(2, min(PER_UNIT, MOST_COLUMNS // max(1, len(best))))
    columns = []
    for r, routes in by_unit.items():
        first, *others = routes
        others.sort(key=lambda route: -_worth(night, r, route))
        columns += [_column(night, r, route) for route in [first, *others[: per_unit - 1]]]
    return columns


def _worth(night: Night, r: int, route: Order) -> int:
    """Return what a route earns were it alone, its musts well paid."""
    worth = -night.travel_rate * travel_and_load(night, r, route)[0]
    for v in route:
        if v < night.n_visits:
            is_must = night.task[v] >= night.n_stops
            worth += SCALE * (200 if is_must else int(night.points[v]))
    return worth


def _column(night: Night, r: int, route: Order) -> Column:
    travel, load = travel_and_load(night, r, route)
    halves = {}
    if any(v < night.n_visits and night.mate[v] >= 0 for v in route):
        starts = _alone(night, r, route)
        for v, early, late in zip(route, starts, latest_starts(night, r, route), strict=True):
            if v < night.n_visits and night.mate[v] >= 0:
                halves[int(night.task[v])] = (early, late)
    return Column(unit=r, route=route, travel=travel, load=load, halves=halves)


def _alone(night: Night, r: int, route: Order) -> list[int]:
    """Return the earliest starts of a route without its pairs' other halves."""
    routes = [()] * r + [route] + [()] * (len(night.home) - r - 1)
    starts = earliest_starts(night, routes)
    if starts is None:
        raise AssertionError("the search pooled a route that no clock can keep")
    return starts[r]


class _Model:
    """The choice as a CP-SAT model: one method per rule."""

    def __init__(self, night: Night, columns: list[Column], best: Sequence[Order]) -> None:
        self.night = night
        self.columns = columns
        self.model = cp_model.CpModel()
        self.terms: list[tuple[int, cp_model.IntVar]] = []
        self.bound: int | None = None
        self._hinted = {(r, route) for r, route in enumerate(best)}
        self._best = best
        self.picks = [self._pick(column) for column in columns]
        self.carriers = self._carriers()
        self._one_route_per_unit()
        self._musts()
        self._pairs()
        self._stops()
        self._fairness()
        self.model.maximize(sum(weight * var for weight, var in self.terms))

    def _pick(self, column: Column) -> cp_model.IntVar:
        """One literal per route; its travel is lost when it is chosen."""
        pick = self.model.new_bool_var("")
        self.model.add_hint(pick, (column.unit, column.route) in self._hinted)
        self.terms.append((-self.night.travel_rate * column.travel, pick))
        return pick

    def _carriers(self) -> dict[int, list[int]]:
        """Columns that hold each visit."""
        carriers = defaultdict(list)
        for i, column in enumerate(self.columns):
            for v in column.route:
                if v < self.night.n_visits:
                    carriers[v].append(i)
        return carriers

    def _one_route_per_unit(self) -> None:
        by_unit = defaultdict(list)
        for column, pick in zip(self.columns, self.picks, strict=True):
            by_unit[column.unit].append(pick)
        for picks in by_unit.values():
            self.model.add_exactly_one(picks)

    def _musts(self) -> None:
        """Every fixed post that the best plan holds is held once."""
        night = self.night
        held = {v for route in self._best for v in route}
        for task in range(night.n_stops, len(night.visit0)):
            v = int(night.visit0[task])
            if night.mate[v] >= 0:
                continue
            carriers = [self.picks[i] for i in self.carriers[v]]
            if v in held:
                self.model.add_exactly_one(carriers)
            else:
                self.model.add_at_most_one(carriers)

    def _pairs(self) -> None:
        """Two routes carry a pair, and their spans of start minutes meet within the tolerance."""
        night = self.night
        starts = self._best_starts()
        for task in range(night.n_stops, len(night.visit0)):
            v = int(night.visit0[task])
            if night.mate[v] < 0:
                continue
            carriers = sorted({*self.carriers[v], *self.carriers[v + 1]})
            is_held = v in starts
            self.model.add(sum(self.picks[i] for i in carriers) == 2 * is_held)
            if is_held:
                self._in_step(task, carriers, max(starts[v], starts[v + 1]))

    def _in_step(self, task: int, carriers: list[int], hint: int) -> None:
        """Every chosen carrier can start in [minute - tolerance, minute]."""
        first, last = (int(x[self.night.visit0[task]]) for x in (self.night.first, self.night.last))
        minute = self.model.new_int_var(first, last, "")
        self.model.add_hint(minute, hint)
        by_unit = defaultdict(list)
        for i in carriers:
            by_unit[self.columns[i].unit].append(i)
        for of_unit in by_unit.values():
            spans = [(self.picks[i], *self.columns[i].halves[task]) for i in of_unit]
            self.model.add(minute >= first + sum((a - first) * pick for pick, a, _ in spans))
            self.model.add(
                minute
                <= last + self.night.tolerance + sum((b - last) * pick for pick, _, b in spans)
            )

    def _best_starts(self) -> dict[int, int]:
        """Start by visit in the best plan."""
        starts = earliest_starts(self.night, self._best)
        if starts is None:
            raise AssertionError("the search's best plan has no timetable")
        return {
            v: t
            for route, times in zip(self._best, starts, strict=True)
            for v, t in zip(route, times, strict=True)
        }

    def _stops(self) -> None:
        """Floor, cap, spacing and value of each stop: one literal per allowed set of slots."""
        night = self.night
        held = {v for route in self._best for v in route}
        for task in range(night.n_stops):
            first, n = int(night.visit0[task]), int(night.n_slots[task])
            slots = [s for s in range(n) if self.carriers[first + s]]
            on = sum(1 << s for s in range(n) if first + s in held)
            if slots:
                self._one_set(task, slots, on)

    def _one_set(self, task: int, slots: list[int], on: int) -> None:
        night, first = self.night, int(self.night.visit0[task])
        floor = min(int(night.floor[task]), on.bit_count())
        literals = []
        for served in _allowed_sets(night, task, slots):
            if served.bit_count() < floor:
                continue
            literal = self.model.new_bool_var("")
            self.model.add_hint(literal, served == on)
            self.terms.append((SCALE * slot_points(night, task, served), literal))
            literals.append((literal, served))
        self.model.add_exactly_one(literal for literal, _ in literals)
        for s in slots:
            chosen = sum(self.picks[i] for i in self.carriers[first + s])
            self.model.add(chosen == sum(lit for lit, served in literals if served >> s & 1))

    def _fairness(self) -> None:
        """Most and least load of each station's units."""
        by_unit = defaultdict(list)
        for column, pick in zip(self.columns, self.picks, strict=True):
            by_unit[column.unit].append(column.load * pick)
        for members in self.night.members:
            units = [int(r) for r in members if r >= 0]
            if len(units) < 2 or not self.night.fairness_rate:
                continue
            loads = [travel_and_load(self.night, r, self._best[r])[1] for r in units]
            most, least = (self.model.new_int_var(0, 2 * self.night.length, "") for _ in range(2))
            self.model.add_hint(most, max(loads))
            self.model.add_hint(least, min(loads))
            for r in units:
                self.model.add(most >= sum(by_unit[r]))
                self.model.add(least <= sum(by_unit[r]))
            self.terms += [(-self.night.fairness_rate, most), (self.night.fairness_rate, least)]

    def forbid(self, picked: list[int]) -> None:
        """Cut off this combination of the routes that carry pairs."""
        tied = [self.picks[i] for i in picked if self.columns[i].halves]
        self.model.add_bool_or(pick.negated() for pick in tied)

    def solve(self, *, work: float, seed: int, stop: StopToken) -> tuple[Status, list[int] | None]:
        """Solve with one worker; return the status and the chosen columns in order of units."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.catch_sigint_signal = False  # Ctrl-C is the caller's
        solver.parameters.random_seed = seed % (1 << 31)
        solver.parameters.max_deterministic_time = work
        solver.parameters.cp_model_presolve = False
        solver.parameters.linearization_level = 2
        with _ended_by(stop, solver):
            code = solver.solve(self.model)
        if code not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Status.UNKNOWN, None
        self.bound = int(solver.best_objective_bound)
        status = Status.OPTIMAL if code == cp_model.OPTIMAL else Status.FEASIBLE
        return status, [i for i, pick in enumerate(self.picks) if solver.boolean_value(pick)]


@contextmanager
def _ended_by(stop: StopToken, solver: cp_model.CpSolver) -> Iterator[None]:
    """End the search inside when the token is set: CP-SAT lets other threads run meanwhile."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK):
            if stop.is_set():
                solver.stop_search()  # again and again: one before the start is not heard

    looker = threading.Thread(target=look, name="choice-stop", daemon=True)
    looker.start()
    try:
        yield
    finally:
        is_over.set()
        looker.join()


def _allowed_sets(night: Night, task: int, slots: list[int]) -> list[int]:
    """Return the sets of slots (bits) one night may serve: within the cap, none clashing."""
    first, cap = int(night.visit0[task]), int(night.cap[task])
    sets = [0]
    for s in slots:
        clash = int(night.clash[first + s])
        sets += [b | 1 << s for b in sets if not b & clash and b.bit_count() < cap]
    return sets
