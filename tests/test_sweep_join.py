"""Minimum T-joins: against networkx's matching, and where weights are awkward."""

import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.sweep import join, matching
from routing.sweep.cover import cover_streets
from routing.sweep.join import HEAVIEST, minimum_join
from routing.sweep.model import SweepProblem


def by_matching(n: int, edges: list[tuple[int, int, int]], odd: list[int]) -> int:
    """Cost of the cheapest pairing of odd nodes along shortest ways."""
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    for a, b, weight in edges:
        if a != b and weight < graph.get_edge_data(a, b, {"weight": weight + 1})["weight"]:
            graph.add_edge(a, b, weight=weight)
    times = dict(nx.all_pairs_dijkstra_path_length(graph))
    complete = nx.Graph()
    complete.add_weighted_edges_from(
        (a, b, times[a][b]) for i, a in enumerate(odd) for b in odd[i + 1 :]
    )
    return sum(complete[a][b]["weight"] for a, b in nx.min_weight_matching(complete))


@settings(max_examples=60)
@given(st.data())
def test_joins_cost_what_the_best_pairing_costs(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 12))
    scale = data.draw(st.sampled_from([1, 7, HEAVIEST // 5]))
    weights = st.integers(0, 30).map(lambda w: w * scale)
    node = st.integers(0, n - 1)
    edges = [(data.draw(st.integers(0, k - 1)), k, data.draw(weights)) for k in range(1, n)]
    edges += data.draw(st.lists(st.tuples(node, node, weights), max_size=12))
    odd = sorted(data.draw(st.sets(node, max_size=n)))
    odd = odd[: len(odd) // 2 * 2]
    tail, head, weight = np.array(edges, dtype=np.int64).T
    is_odd = np.isin(np.arange(n), odd)
    chosen = minimum_join(n, tail.astype(np.int32), head.astype(np.int32), weight, is_odd)
    degree = np.bincount(np.concatenate([tail[chosen], head[chosen]]), minlength=n)
    assert ((degree % 2 == 1) == is_odd).all()
    assert int(weight[chosen].sum()) == by_matching(n, edges, odd)


def test_heavy_edges_are_cut_into_pieces_that_fit() -> None:
    # 0 ── 1 direct costs one more than round by 2.
    ends = np.array([0, 0, 2], np.int32), np.array([1, 2, 1], np.int32)
    weight = np.array([4 * HEAVIEST, 3 * HEAVIEST - 1, HEAVIEST], np.int64)
    is_odd = np.array([True, True, False])
    assert minimum_join(3, *ends, weight, is_odd).tolist() == [False, True, True]


def test_a_matching_that_leaves_one_over_is_an_error() -> None:
    ends = np.array([0], np.int32), np.array([1], np.int32)
    with pytest.raises((AssertionError, ValueError)):
        minimum_join(3, *ends, np.array([1]), np.array([True, False, True]))


@pytest.fixture
def without_pymatching(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Linux on ARM, for which PyMatching has no wheel (issue 6)."""
    for module in (join, matching):
        monkeypatch.setattr(module, "has_pymatching", lambda: False)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 14))
def test_both_ways_of_matching_give_joins_of_one_cost(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    tree = np.array([[rng.integers(k), k] for k in range(1, n)])
    ends = np.concatenate([tree, rng.integers(0, n, (n, 2))]).astype(np.int32)
    weight = rng.integers(0, 40, len(ends)) * (HEAVIEST // 7)  # 0 and too heavy ones among them
    is_odd = np.zeros(n, bool)
    is_odd[rng.permutation(n)[: 2 * rng.integers(0, n // 2 + 1)]] = True
    ours = minimum_join(n, ends[:, 0], ends[:, 1], weight, is_odd)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "has_pymatching", lambda: False)
        theirs = minimum_join(n, ends[:, 0], ends[:, 1], weight, is_odd)
    assert weight[ours].sum() == weight[theirs].sum()


@pytest.mark.usefixtures("without_pymatching")
def test_a_sweep_is_proven_without_pymatching_too() -> None:
    # Corners 0 1 2 3 in a square with one street across: its two odd corners are 1 and 3.
    ends = np.array([(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)], np.int32)
    travel = np.full(10, 1000, np.int32)
    problem = SweepProblem(
        n_nodes=4,
        tail=ends.ravel().copy(),
        head=ends[:, ::-1].ravel().copy(),
        travel=travel,
        service=travel.copy(),
        passes=np.ones(5, np.int8),
    )
    covering = cover_streets(problem)
    assert covering.tour.milliseconds == covering.bound == 6000


@pytest.mark.usefixtures("without_pymatching")
def test_without_pymatching_a_junction_left_over_is_an_error_too() -> None:
    test_a_matching_that_leaves_one_over_is_an_error()


def test_pymatching_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, routing.sweep.cover; sys.exit('pymatching' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
