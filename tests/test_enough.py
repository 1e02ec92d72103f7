"""Ended early: the best plan so far is a sound plan, and nothing changes for who never asks."""

import threading
from contextlib import contextmanager
from datetime import date

import numpy as np
import pytest
from ortools.sat.python import cp_model

from geo.errors import Stopped
from geo.progress import Either, SilentSteps
from routing.check import check_legs, check_plan, check_schedule
from routing.patrol.choice import _ended_by
from routing.pipeline import plan_tonight, shift_from

SHIFT = shift_from(date(2026, 11, 21), "20:00-02:00")


class Then(SilentSteps):
    """Steps that set a token when a step begins, or once its progress was told `n` times."""

    def __init__(self, code, *, n=0):
        self.code, self.n, self.token = code, n, threading.Event()
        self.begun = []

    def step(self, code):
        self.begun.append(code)
        if code == self.code and not self.n:
            self.token.set()
        return super().step(code) if code != self.code else self._count()

    def _count(self):
        @contextmanager
        def opened():
            yield self._told

        return opened()

    def _told(self, done, total, best=None):
        self.n -= best is not None or self.code != "patrol"
        if self.n == 0:
            self.token.set()


def is_sound(tonight):
    return not (
        check_plan(tonight.plan)
        or check_legs(tonight.plan)
        or check_schedule(tonight.schedule, tonight.venues, tonight.layers.stations)
    )


@pytest.fixture(scope="module")
def whole(small_layers):
    return plan_tonight(small_layers, shift=SHIFT, seed=1, enough=threading.Event())


def test_a_token_never_set_changes_nothing(whole, small_layers):
    again = plan_tonight(small_layers, shift=SHIFT, seed=1)
    assert (again.plan, again.schedule) == (whole.plan, whole.schedule)


@pytest.mark.parametrize("code", ["cells", "demand", "travel"])
def test_before_there_is_a_plan_it_stops_the_work(small_layers, code):
    steps = Then(code)
    with pytest.raises(Stopped):
        plan_tonight(small_layers, shift=SHIFT, seed=1, steps=steps, enough=steps.token)
    assert "inspection" not in steps.begun


def test_the_search_ends_with_its_best_plan(whole, small_layers):
    steps = Then("patrol", n=2)
    early = plan_tonight(small_layers, shift=SHIFT, seed=1, steps=steps, enough=steps.token)
    assert is_sound(early)
    assert early.plan.objective <= whole.plan.objective
    assert early.plan.plan_id != whole.plan.plan_id
    assert early.schedule.rounds == ()
    causes = {item.cause for item in early.schedule.unserved}
    assert "inspection.cause.ended_early" in causes
    assert steps.begun[-1] == "check"


def test_the_inspections_end_with_the_stations_planned_by_then(whole, small_layers):
    steps = Then("inspection", n=1)
    early = plan_tonight(small_layers, shift=SHIFT, seed=1, steps=steps, enough=steps.token)
    assert is_sound(early)
    assert early.plan.routes == whole.plan.routes
    done = {one.station_id for one in early.schedule.rounds}
    assert len(done) == 1
    assert [one for one in whole.schedule.rounds if one.station_id in done] == list(
        early.schedule.rounds
    )


def test_the_same_end_gives_the_same_plan(small_layers):
    plans = []
    for _ in range(2):
        steps = Then("patrol", n=3)
        plans.append(
            plan_tonight(small_layers, shift=SHIFT, seed=1, steps=steps, enough=steps.token).plan
        )
    assert plans[0] == plans[1]


def test_a_token_set_meanwhile_ends_the_choice():
    # 300 picks, 4,000 triples of which one must stay out: minutes of work for one thread
    rng = np.random.default_rng(1)
    model = cp_model.CpModel()
    picks = [model.new_bool_var("") for _ in range(300)]
    for _ in range(4_000):
        i, j, k = rng.choice(300, 3, replace=False)
        model.add_bool_or(picks[i].negated(), picks[j].negated(), picks[k].negated())
    model.maximize(sum(int(rng.integers(90, 110)) * pick for pick in picks))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = 300.0
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with _ended_by(stop, solver):
        solver.solve(model)
    assert solver.deterministic_time < 100


def test_either_is_set_by_one_of_two():
    first, second = threading.Event(), threading.Event()
    assert not Either(first, second).is_set()
    second.set()
    assert Either(first, second).is_set()
