"""Sweeping streets: towns worked out by hand, and small ones solved in another way."""

import heapq
from dataclasses import replace
from functools import partial
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import LimitExceeded, OptionInvalid
from routing.check.sweep import check_covering
from routing.model import Status
from routing.sweep.core import build_core, whole_core
from routing.sweep.cover import cover_streets
from routing.sweep.ground import find_ground
from routing.sweep.matching import dead_head, edges_of
from routing.sweep.model import FAR, Covering, SweepEngine, SweepProblem
from routing.sweep.symmetry import doubled_costs

Street = tuple[int, int, int, int, int]
"""Node, node, milliseconds along and against (FAR closed), passes."""


def town(*streets: Street, doors: int = 0) -> SweepProblem:
    rows = np.array(streets, dtype=np.int64)
    ends = rows[:, :2].astype(np.int32)
    travel = rows[:, 2:4].ravel()
    service = np.where(travel < FAR, travel + doors, FAR)
    return SweepProblem(
        n_nodes=int(ends.max()) + 1,
        tail=ends.ravel(),
        head=ends[:, ::-1].ravel(),
        travel=travel.astype(np.int32),
        service=service.astype(np.int32),
        passes=rows[:, 4].astype(np.int8),
    )


def sound(problem: SweepProblem, start_node: int | None = None, **options: object) -> Covering:
    covering = cover_streets(problem, start_node=start_node, **options)
    assert check_covering(problem, covering, start_node=start_node) == ()
    return covering


def least(problem: SweepProblem, start: int) -> int:
    """Solve by brute force: Dijkstra over (node, passes still to serve)."""
    asked = [int(s) for s in problem.required]
    whole = tuple(
        (1, 1) if problem.passes[s] > 1 and (problem.service[2 * s : 2 * s + 2] < FAR).all()
        else (int(problem.passes[s]),)
        for s in asked
    )  # fmt: skip
    heap, done = [(0, start, whole)], set()
    while heap:
        time, node, left = heapq.heappop(heap)
        if (node, left) in done:
            continue
        done.add((node, left))
        if node == start and not any(map(any, left)):
            return time
        for arc in np.flatnonzero((problem.tail == node) & (problem.travel < FAR)).tolist():
            to = int(problem.head[arc])
            heapq.heappush(heap, (time + int(problem.travel[arc]), to, left))
            if arc // 2 in asked and problem.service[arc] < FAR:
                k = asked.index(arc // 2)
                side = arc % 2 if len(left[k]) > 1 else 0
                if left[k][side]:
                    new = tuple(n - (i == side) for i, n in enumerate(left[k]))
                    later = time + int(problem.service[arc])
                    heapq.heappush(heap, (later, to, (*left[:k], new, *left[k + 1 :])))
    raise AssertionError("no tour")


# A ring of four streets, 100 ms each, and a blind lane of 30 ms off node 2.
#
#   3 ── 2 ── 4
#   │    │
#   0 ── 1
RING = ((0, 1, 100, 100, 1), (1, 2, 100, 100, 1), (2, 3, 100, 100, 1), (3, 0, 100, 100, 1))
LANE = (2, 4, 30, 30, 1)


def test_ring_is_walked_once_without_turning_round() -> None:
    covering = sound(town(*RING))
    assert (covering.tour.milliseconds, covering.tour.dead_head) == (400, 0)
    assert (covering.status, covering.n_u_turns, covering.gap) == (Status.OPTIMAL, 0, 0.0)


def test_blind_lane_costs_its_way_back_and_one_u_turn() -> None:
    covering = sound(town(*RING, LANE, doors=7), start_node=0)
    assert (covering.tour.milliseconds, covering.tour.dead_head) == (460 + 5 * 7, 30)
    assert (covering.n_u_turns, covering.u_turn_bound) == (1, 1)
    assert covering.status is Status.OPTIMAL


def test_both_sides_of_a_lane_need_no_dead_heading() -> None:
    covering = sound(town(*RING, (*LANE[:4], 2), doors=7), start_node=0)
    assert (covering.tour.milliseconds, covering.tour.dead_head) == (460 + 6 * 7, 0)


def test_one_way_asked_on_both_sides_is_served_twice_along() -> None:
    # 0 → 1 one-way, back by 1 ── 0 of 50 ms: 2 x (10 + 50).
    covering = sound(town((0, 1, 10, FAR, 2), (1, 0, 50, 50, 0)))
    arcs = covering.tour.arcs[covering.tour.is_service]
    assert arcs.tolist() == [0, 0]
    assert (covering.tour.milliseconds, covering.bound) == (120, 120)


def test_parts_are_joined_by_the_cheapest_way_there_and_back() -> None:
    # Two loops 0 and 3 asked, joined by 0-1-3 (20 + 20) or 0-2-3 (15 + 30).
    covering = sound(
        town((0, 0, 9, 9, 1), (3, 3, 9, 9, 1), (0, 1, 20, 20, 0), (1, 3, 20, 20, 0),
             (0, 2, 15, 15, 0), (2, 3, 30, 30, 0))
    )  # fmt: skip
    assert covering.n_parts == 2
    assert (covering.tour.milliseconds, covering.tour.dead_head) == (98, 80)
    assert covering.status is Status.OPTIMAL


def test_the_start_is_joined_although_no_street_there_is_asked() -> None:
    covering = sound(town(*RING, (0, 5, 40, 40, 0)), start_node=5)
    assert (covering.tour.milliseconds, covering.n_parts) == (480, 2)
    assert covering.tour.arcs[0] // 2 == 4


def test_windy_street_is_served_downhill() -> None:
    # Serving 0-1 costs 10 along and 90 against; 1-0 back by another street costs 20 either way.
    problem = town((0, 1, 10, 90, 1), (1, 0, 20, 20, 0))
    covering = sound(problem)
    assert (covering.engine, covering.tour.milliseconds) == (SweepEngine.EXACT, 30)
    assert covering.tour.arcs[covering.tour.is_service].tolist() == [0]


def test_delays_at_junctions_do_not_make_a_street_windy() -> None:
    # 5 ms are lost on reaching node 1 and 2: along and against differ, closed tours do not.
    problem = town((0, 1, 105, 100, 1), (1, 2, 105, 105, 1), (2, 0, 100, 105, 1), (2, 3, 30, 35, 1))
    covering = sound(problem)
    assert (covering.engine, covering.status) == (SweepEngine.MATCHING, Status.OPTIMAL)
    assert covering.tour.milliseconds == 105 + 105 + 100 + 30 + 35


def test_streets_out_of_reach_are_listed_not_dropped() -> None:
    # 5-6 hangs on nothing, 7 can be entered but not left, 0-3 is closed both ways.
    covering = sound(
        town(*RING[:3], (3, 0, FAR, FAR, 1), (5, 6, 10, 10, 1), (0, 7, 10, FAR, 1)), start_node=0
    )
    assert covering.unserved.tolist() == [3, 4, 5]
    assert covering.tour.milliseconds == 600


def test_nothing_to_sweep_is_an_empty_tour() -> None:
    covering = sound(town((0, 1, 10, 10, 0)))
    assert (len(covering.tour.arcs), covering.bound) == (0, 0)


def test_long_streets_are_matched_exactly() -> None:
    # Beyond 2 ** 24 - 1 PyMatching takes no weight: 3 hours each way.
    hours = 3 * 3_600_000
    problem = town(
        (0, 1, hours, hours, 1), (1, 2, hours, hours, 1), (2, 0, hours + 1, hours + 1, 0)
    )
    assert sound(problem).tour.milliseconds == 3 * hours + 1


def test_u_turns_are_fewest_at_crossings() -> None:
    # A star of blind lanes turns at each end and nowhere else.
    covering = sound(town(*((0, k, 10, 10, 1) for k in range(1, 8))), start_node=0)
    assert (covering.n_u_turns, covering.u_turn_bound) == (7, 7)
    turns = sum(a ^ 1 == b for a, b in pairwise(covering.tour.arcs.tolist()))
    assert turns == 7


# --------------------------------------------------------------- bad input and broken answers


def test_what_no_street_can_be_is_refused() -> None:
    with pytest.raises(OptionInvalid, match="travel"):
        town((0, 1, 0, 10, 1))
    with pytest.raises(OptionInvalid, match="passes"):
        town((0, 1, 10, 10, 3))
    with pytest.raises(OptionInvalid, match="service"):
        town((0, 1, 10, 10, 1), doors=-5)
    with pytest.raises(OptionInvalid, match="start_node"):
        cover_streets(town(*RING), start_node=9)
    with pytest.raises(OptionInvalid, match="both ways"):
        cover_streets(town((0, 1, 10, 90, 1), (1, 0, 20, 20, 0)), engine=SweepEngine.MATCHING)


def test_the_verifier_finds_each_kind_of_fault() -> None:
    problem = town(*RING, LANE, (0, 2, 10, FAR, 0))
    good = sound(problem, start_node=0)
    found = {
        name: {v.code.name for v in check_covering(problem, _broken(good, **change), start_node=0)}
        for name, change in {
            "unknown": {"arcs": np.array([99], np.int32), "is_service": np.array([True])},
            "closed": {"arcs": np.array([11, 10], np.int32), "is_service": np.zeros(2, bool)},
            "unserved": {"is_service": np.zeros(len(good.tour.arcs), bool)},
            "walk": {"arcs": good.tour.arcs[::-1].copy()},
            "start": {"arcs": np.roll(good.tour.arcs, 1)},
            "time": {"milliseconds": 1},
        }.items()
    }
    assert "SWEEP_ARC_UNKNOWN" in found["unknown"]
    assert "SWEEP_ARC_CLOSED" in found["closed"]
    assert "SWEEP_SERVED" in found["unserved"]
    assert "SWEEP_WALK_BROKEN" in found["walk"]
    assert "SWEEP_START_WRONG" in found["start"]
    assert {"SWEEP_TIME_WRONG", "BOUND_BELOW"} <= found["time"]


def test_a_street_within_reach_may_not_be_left_out() -> None:
    problem = town(*RING, LANE)
    lazy = replace(sound(town(*RING, (*LANE[:4], 0))), unserved=np.array([4], np.int32))
    assert "SWEEP_LEFT_OUT" in {v.code.name for v in check_covering(problem, lazy)}


def _broken(covering: Covering, **change: object) -> Covering:
    return replace(covering, tour=replace(covering.tour, **change))


# --------------------------------------------------------------- agreement of two ways


@st.composite
def towns(draw: st.DrawFn, *, is_even: bool) -> SweepProblem:
    """Up to 6 nodes; a two-way tree holds them together, so every street can be reached."""
    n = draw(st.integers(2, 6))
    cost = st.integers(1, 40)
    passes = st.sampled_from([0, 0, 1, 1, 2] if n < 5 else [0, 0, 1])
    rows = []
    for node in range(1, n):
        there = draw(cost)
        back = there if is_even else draw(cost)
        rows.append((draw(st.integers(0, node - 1)), node, there, back, draw(passes)))
    for _ in range(draw(st.integers(0, 4))):
        a, b = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))
        there = draw(cost)
        back = there if is_even else draw(st.sampled_from([there, FAR, 40]))
        rows.append((a, b, there, back, draw(passes)))
    return town(*rows, doors=draw(st.sampled_from([0, 13])))


@settings(max_examples=60)
@given(towns(is_even=True))
def test_matching_is_as_good_as_brute_force(problem: SweepProblem) -> None:
    covering = sound(problem, start_node=0)
    best = least(problem, 0)
    assert covering.bound <= best <= covering.tour.milliseconds
    if covering.n_parts <= 1:
        assert covering.tour.milliseconds == best
    assert covering.tour.milliseconds <= 1.5 * best


@settings(max_examples=60)
@given(towns(is_even=False))
def test_exact_is_as_good_as_brute_force(problem: SweepProblem) -> None:
    covering = sound(problem, start_node=0, gap=0.0, engine=SweepEngine.EXACT)
    assert covering.tour.milliseconds == least(problem, 0)
    assert covering.status is Status.OPTIMAL
    quick = sound(problem, start_node=0, engine=SweepEngine.HEURISTIC)
    assert quick.bound <= covering.tour.milliseconds <= quick.tour.milliseconds


def grid(rng: np.random.Generator, side: int, *, one_ways: float, asked: float) -> SweepProblem:
    """Streets of a town of side x side junctions, some one-way (never the ring around it)."""
    at = np.arange(side * side).reshape(side, side)
    ends = np.concatenate(
        [np.stack([at[:, :-1], at[:, 1:]], -1).reshape(-1, 2),
         np.stack([at[:-1], at[1:]], -1).reshape(-1, 2)]
    )  # fmt: skip
    x, y = ends % side, ends // side
    is_ring = ((x == 0) | (x == side - 1)).all(axis=1) | ((y == 0) | (y == side - 1)).all(axis=1)
    run = rng.integers(50, 150, len(ends))
    closed = ~is_ring & (rng.random(len(ends)) < one_ways)
    passes = (rng.random(len(ends)) < asked).astype(int)
    back = np.where(closed, FAR, run)
    return town(*np.column_stack([ends, run, back, passes]).tolist(), doors=20)


@pytest.mark.parametrize("asked", [1.0, 0.3])
def test_the_core_loses_nothing(asked: float) -> None:
    """Dead-heading on the core costs what it costs on all streets."""
    for seed in range(6):
        problem = grid(np.random.default_rng(seed), 9, one_ways=0.0, asked=asked)
        ground = find_ground(problem)
        doubled = doubled_costs(ground)
        assert doubled is not None
        core, whole = build_core(ground, doubled), whole_core(ground, doubled)
        assert core.is_complete
        found = [edges_of(ground, c) for c in (core, whole)]
        costs = [int(dead_head(e, rounds=40)[0] @ e.weight) for e in found]
        bounds = [dead_head(e, rounds=40)[1] for e in found]
        assert max(bounds) <= min(costs)
        if found[0].n_parts == 1:
            assert costs[0] == costs[1] == bounds[0] == bounds[1]


@pytest.mark.parametrize("one_ways", [0.0, 0.3])
def test_a_core_cut_short_still_gives_a_tour_and_a_bound(
    one_ways: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = grid(np.random.default_rng(1), 12, one_ways=one_ways, asked=0.2)
    whole = sound(problem, start_node=0)
    monkeypatch.setattr("routing.sweep.core.FEWEST_LABELS", 12)
    monkeypatch.setattr("routing.sweep.cover.build_core", partial(build_core, most_labels=1))
    cut = sound(problem, start_node=0)
    assert cut.bound <= whole.tour.milliseconds <= cut.tour.milliseconds
    monkeypatch.setattr("routing.sweep.core.FEWEST_LABELS", 2)
    with pytest.raises(LimitExceeded, match="one neighbourhood"):
        cover_streets(problem, start_node=0)


@pytest.mark.parametrize("one_ways", [0.0, 0.3])
@pytest.mark.parametrize("asked", [1.0, 0.4])
def test_engines_agree_on_a_town(one_ways: float, asked: float) -> None:
    problem = grid(np.random.default_rng(5), 8, one_ways=one_ways, asked=asked)
    exact = sound(problem, start_node=0, engine=SweepEngine.EXACT, gap=0.01)
    quick = sound(problem, start_node=0, engine=SweepEngine.HEURISTIC)
    auto = sound(problem, start_node=0)
    assert max(exact.bound, auto.bound, quick.bound) <= exact.tour.milliseconds
    assert exact.gap <= 0.01
    assert auto.tour.milliseconds <= quick.tour.milliseconds
    again = cover_streets(problem, start_node=0)
    assert again.tour.arcs.tolist() == auto.tour.arcs.tolist()
    if one_ways == 0.0:
        assert auto.n_u_turns == auto.u_turn_bound


def test_no_tour_of_networkx_is_shorter() -> None:
    problem = grid(np.random.default_rng(2), 7, one_ways=0.0, asked=1.0)
    covering = sound(problem)
    street = nx.MultiGraph()
    for a, b, ms in zip(problem.tail[::2], problem.head[::2], problem.travel[::2], strict=True):
        street.add_edge(int(a), int(b), weight=int(ms))
    tour = nx.eulerize(street)
    walked = sum(
        min(d["weight"] for d in street[a][b].values()) for a, b, _ in tour.edges(keys=True)
    )
    assert covering.tour.milliseconds - 20 * problem.n_segments <= walked


def test_a_stop_ends_the_work_with_a_sound_tour() -> None:
    class Now:
        def is_set(self) -> bool:
            return True

    for one_ways in (0.0, 0.3):
        problem = grid(np.random.default_rng(3), 8, one_ways=one_ways, asked=0.3)
        covering = sound(problem, stop=Now())
        assert covering.bound <= covering.tour.milliseconds
