"""Patrols do not send themselves back: the shipped chain, night after night, on a small town.

`feedback_town` says what is simulated. The run of 365 nights on several towns is
``tests/bench/feedback.py``; here are sixty nights on one.
"""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("feedback_town.py"))))
NIGHTS, LIMIT = 60, 1.5


@pytest.fixture(scope="module")
def town():
    return TOWN.Town(1)


@pytest.fixture(scope="module")
def truth(town):
    """Where the planner goes that is told the true rates."""
    return TOWN.patrolled(town, NIGHTS, seed=0, guard=None, influence=False)


@pytest.fixture(scope="module")
def floor(town, truth):
    """What remains of the deviation when patrols change nothing: calls are chance."""
    runs = [
        TOWN.patrolled(town, NIGHTS, seed=seed, guard=TOWN.GUARD_ON, influence=False)
        for seed in (1, 2, 3)
    ]
    return np.mean([TOWN.deviation(run, truth) for run in runs])


def ratio(town, truth, floor, guard):
    share = TOWN.patrolled(town, NIGHTS, seed=101, guard=guard, influence=True)
    return TOWN.deviation(share, truth) / floor


def test_with_the_guard_patrols_go_where_the_truth_is(town, truth, floor):
    assert ratio(town, truth, floor, TOWN.GUARD_ON) <= LIMIT


def test_without_the_guard_the_same_test_fails(town, truth, floor):
    assert ratio(town, truth, floor, TOWN.GUARD_OFF) > LIMIT


def test_the_town_is_what_it_says(town):
    assert town.rate.sum() == pytest.approx(TOWN.REPORTS_PER_NIGHT)
    assert TOWN.deviation(np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.0, 0.5])) == 0.5
    record = TOWN.Record()
    record.add(np.array([[0, 2], [0, 0]]), 3, is_find=True)
    calls, finds = (town.incidents(record, finds_count=counted) for counted in (True, False))
    assert calls.channel.tolist() == ["resident_report"] * 2
    assert finds.channel.tolist() == ["proactive"] * 2
    assert {str(when) for when in finds.occurred_at} == {"2026-01-04 21:00:00+08:00"}
