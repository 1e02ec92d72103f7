"""The search kernels against plain Python: same times, same objective, nothing twice."""

import numpy as np
import pytest

from routing.patrol.encode import encode
from routing.patrol.night import smallest_night
from routing.patrol.timetable import earliest_starts, objective_units
from routing.search.anneal import Search
from routing.search.arrays import MUST, N_LOGS, NEGATIVE_LOG
from routing.search.kernel import draw


@pytest.fixture(scope="module")
def code():
    problem = smallest_night()
    return encode(problem, problem.stops)


def test_draw_is_even_and_repeats():
    rng = np.array([12345], np.uint64)
    drawn = [draw(rng, 10) for _ in range(20_000)]
    assert np.bincount(drawn, minlength=10).min() > 1_850
    again = np.array([12345], np.uint64)
    assert [draw(again, 10) for _ in range(20_000)] == drawn


def test_negative_log_is_the_rounded_logarithm():
    u = (np.arange(N_LOGS) + 0.5) / N_LOGS
    assert np.abs(NEGATIVE_LOG / 1024 + np.log(u)).max() <= 0.5 / 1024 + 1e-12


def test_start_gives_every_unit_its_break(code):
    search = Search(code.night, 1)
    assert search.start()
    assert [len(route) for route in search.best_routes()] == [1, 1]
    assert all(route[0] >= code.night.n_visits for route in search.best_routes())


def test_missing_musts_are_told_apart_from_value(code):
    search = Search(code.night, 1)
    search.start()
    assert search.missing().tolist() == [4, 5]
    assert search.lacks_must
    assert search.best < -2 * MUST


def test_kernel_objective_and_times_agree_with_plain_python(code):
    search = Search(code.night, 7)
    search.start()
    while search.done < 600:
        search.block(600)
        routes = [tuple(route) for route in search.best_routes()]
        if not search.lacks_must:
            assert objective_units(search.night, routes) == search.best
            assert earliest_starts(code.night, routes) is not None
    assert not search.lacks_must
    assert search.night.fairness_rate == code.night.fairness_rate


def test_accepted_plan_books_what_it_holds(code):
    search = Search(code.night, 3)
    search.start()
    for _ in range(20):
        search.block(2_000)
        state = search.state
        held = [
            (int(v), r)
            for r, n in enumerate(state.size)
            for v in state.sequence[r, :n]
            if v < code.night.n_visits
        ]
        assert len({v for v, _ in held}) == len(held)
        assert all(state.route_of[v] == r for v, r in held)
        assert (state.route_of >= 0).sum() == len(held)
        for r, n in enumerate(state.size):
            assert (state.start[r, :n] <= state.latest[r, :n]).all()


def test_pool_holds_each_order_once(code):
    search = Search(code.night, 3)
    search.start()
    while search.done < 4_000:
        search.block(4_000)
    pool = search.pool_routes()
    assert len(pool) > 2
    assert len(set(pool)) == len(pool)


def test_same_seed_same_search(code):
    def end(seed):
        search = Search(code.night, seed)
        search.start()
        while search.done < 1_000:
            search.block(1_000)
        return search.best, search.best_routes(), search.pool_routes()

    assert end(5) == end(5)
