"""The hierarchy against scipy's Dijkstra, as integers."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import OptionInvalid
from routing.hierarchy import (
    FAR,
    NONE,
    Ends,
    Metric,
    build_topology,
    customise,
    distances,
    warm_up,
    ways,
)
from routing.hierarchy.metric import relax_downwards, relax_upwards
from routing.hierarchy.order import dissect
from routing.hierarchy.query import sweep, trace
from routing.hierarchy.topology import contract, locate


@dataclass(frozen=True)
class Town:
    """Directed arcs between nodes in the plane; loops, parallels and closed arcs (FAR) included."""

    tail: np.ndarray
    head: np.ndarray
    weight: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def n(self) -> int:
        return len(self.x)

    def metric(self) -> Metric:
        return customise(build_topology(self.n, self.tail, self.head, self.x, self.y), self.weight)

    def dijkstra(self) -> np.ndarray:
        """All milliseconds by scipy; its sparse matrices add parallels up, so keep the cheapest."""
        key = self.tail.astype(np.int64) * self.n + self.head
        is_open = (self.weight < FAR) & (self.tail != self.head)
        order = np.lexsort((self.weight, key))
        order = order[is_open[order]]
        first = order[np.unique(key[order], return_index=True)[1]]
        arcs = (self.tail[first], self.head[first])
        graph = csr_array((self.weight[first].astype(float), arcs), shape=(self.n, self.n))
        times = dijkstra(graph)
        return np.where(np.isinf(times), FAR, times).astype(np.int32)


def town(rng: np.random.Generator, n: int, *, n_long: int = 0, closed: float = 0.05) -> Town:
    """Join points to their near neighbours: almost planar, with islands, a quarter one-way."""
    x, y = rng.integers(0, 30, (2, n)).astype(np.int32)  # few values: many equal positions
    near = np.argsort((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2, axis=1, kind="stable")
    tail = np.repeat(np.arange(n), min(3, n))
    head = near[:, : min(3, n)].ravel()  # the point itself is often the nearest: a loop
    long = rng.integers(0, n, (2, n_long))
    tail, head = np.r_[tail, long[0]], np.r_[head, long[1]]
    back = rng.random(len(tail)) < 0.75
    tail, head = np.r_[tail, head[back]], np.r_[head, tail[back]]
    weight = rng.integers(1, 50, len(tail))
    weight[rng.random(len(tail)) < closed] = FAR
    return Town(*(column.astype(np.int32) for column in (tail, head, weight)), x, y)


def at_nodes(nodes: np.ndarray) -> Ends:
    node = np.stack([nodes, np.full_like(nodes, NONE)], axis=1).astype(np.int32)
    return Ends(node=node, offset=np.zeros_like(node))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 70), n_long=st.integers(0, 6))
def test_equal_to_dijkstra_on_random_towns(seed: int, n: int, n_long: int) -> None:
    place = town(np.random.default_rng(seed), n, n_long=n_long)
    everywhere = at_nodes(np.arange(n))
    assert np.array_equal(distances(place.metric(), everywhere, everywhere), place.dijkstra())


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 60))
def test_ways_are_arcs_in_a_row_that_add_up(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    place = town(rng, n, n_long=3)
    start, goal = rng.integers(0, n, (2, 40)).astype(np.int32)
    found = ways(place.metric(), at_nodes(start), at_nodes(goal))
    assert np.array_equal(found.cost, place.dijkstra()[start, goal])
    for i, cost in enumerate(found.cost):
        arcs = found.arcs[found.offsets[i] : found.offsets[i + 1]]
        if cost in {0, FAR}:
            assert len(arcs) == 0
            continue
        assert place.weight[arcs].sum() == cost
        assert place.tail[arcs[0]] == start[i]
        assert place.head[arcs[-1]] == goal[i]
        assert np.array_equal(place.head[arcs[:-1]], place.tail[arcs[1:]])


def test_two_ends_with_offsets_are_the_best_of_four() -> None:
    rng = np.random.default_rng(3)
    place = town(rng, 60, n_long=4)
    node = rng.integers(NONE, 60, (2, 50, 2)).astype(np.int32)
    offset = rng.integers(0, 40, (2, 50, 2)).astype(np.int32)
    origins, goals = (Ends(node=node[k], offset=offset[k]) for k in range(2))
    by_node = np.pad(place.dijkstra().astype(np.int64), (0, 1), constant_values=FAR)
    best = np.full((50, 50), FAR, np.int64)
    for a in range(2):
        for b in range(2):
            between = by_node[node[0, :, a][:, None], node[1, :, b][None, :]]
            best = np.minimum(best, between + offset[0, :, a][:, None] + offset[1, :, b])
    metric = place.metric()
    assert np.array_equal(distances(metric, origins, goals), best)
    found = ways(metric, origins, goals)
    assert np.array_equal(found.cost, best.diagonal())
    for i in np.flatnonzero(found.cost < FAR):
        arcs = found.arcs[found.offsets[i] : found.offsets[i + 1]]
        a, b = found.origin_end[i], found.destination_end[i]
        legs = offset[0, i, a] + place.weight[arcs].sum() + offset[1, i, b]
        assert legs == found.cost[i]
        first = place.tail[arcs[0]] if len(arcs) else node[1, i, b]
        assert first == node[0, i, a]


def test_a_city_of_thousands_in_several_blocks() -> None:
    place = town(np.random.default_rng(11), 3000, n_long=20)
    nodes = np.random.default_rng(12).integers(0, 3000, 200)
    here, there = nodes[:150], nodes[50:]
    found = distances(place.metric(), at_nodes(here), at_nodes(there))
    assert np.array_equal(found, place.dijkstra()[np.ix_(here, there)])


def test_new_weights_on_the_same_topology() -> None:
    # 0 ──1── 1 ──1── 2   and 0 ──5── 2; closing 1→2 sends 0→2 the long way and leaves 1→2 by it.
    tail = np.array([0, 1, 1, 2, 0, 2], dtype=np.int32)
    head = np.array([1, 0, 2, 1, 2, 0], dtype=np.int32)
    x, y = np.array([0, 1, 2], dtype=np.int32), np.zeros(3, dtype=np.int32)
    topology = build_topology(3, tail, head, x, y)
    everywhere = at_nodes(np.arange(3))
    open_way = np.array([1, 1, 1, 1, 5, 5], dtype=np.int32)
    closed = np.array([1, 1, FAR, 1, 5, 5], dtype=np.int32)
    before = distances(customise(topology, open_way), everywhere, everywhere)
    after = distances(customise(topology, closed), everywhere, everywhere)
    assert before.tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert after.tolist() == [[0, 1, 5], [1, 0, 6], [2, 1, 0]]


def test_the_cheaper_parallel_carries_the_way() -> None:
    tail, head = np.zeros(3, dtype=np.int32), np.ones(3, dtype=np.int32)
    weight = np.array([7, 3, 3], dtype=np.int32)
    metric = Town(tail, head, weight, head[:2], head[:2]).metric()
    found = ways(metric, at_nodes(np.array([0])), at_nodes(np.array([1])))
    assert found.cost.tolist() == [3]
    assert found.arcs.tolist() == [1]


def test_the_supergraph_is_chordal() -> None:
    place = town(np.random.default_rng(5), 300, n_long=5)
    topology = build_topology(place.n, place.tail, place.head, place.x, place.y)
    assert sorted(topology.rank) == list(range(place.n))
    higher = [set(topology.head[a:b]) for a, b in zip(topology.ptr, topology.ptr[1:], strict=False)]
    for v, above in enumerate(higher):
        parent = topology.parent[v]
        assert parent == min(above, default=NONE)
        assert above <= higher[parent] | {parent}


def test_same_input_same_answer() -> None:
    place = town(np.random.default_rng(6), 400)
    first, second = (
        build_topology(place.n, place.tail, place.head, place.x, place.y) for _ in range(2)
    )
    assert np.array_equal(first.rank, second.rank)
    assert np.array_equal(first.head, second.head)


@pytest.mark.parametrize("bad", [0, -5, FAR + 1])
def test_weights_out_of_range_are_refused(bad: int) -> None:
    place = town(np.random.default_rng(8), 20)
    topology = build_topology(place.n, place.tail, place.head, place.x, place.y)
    weight = place.weight.copy()
    weight[0] = bad
    with pytest.raises(OptionInvalid, match=str(bad)):
        customise(topology, weight)
    with pytest.raises(OptionInvalid, match="int64"):
        customise(topology, place.weight.astype(np.int64))


def test_long_ways_do_not_overflow() -> None:
    # Two arcs of FAR - 1 together are farther than FAR: no way, not a negative one.
    tail, head = np.array([[0, 1], [1, 2]], dtype=np.int32)
    x = np.arange(3, dtype=np.int32)
    metric = Town(tail, head, np.full(2, FAR - 1, np.int32), x, x).metric()
    everywhere = at_nodes(np.arange(3))
    assert distances(metric, everywhere, everywhere).tolist() == [
        [0, FAR - 1, FAR],
        [FAR, 0, FAR - 1],
        [FAR, FAR, 0],
    ]
    assert ways(metric, at_nodes(np.array([0])), at_nodes(np.array([2]))).cost.tolist() == [FAR]


def test_nothing_asked_nothing_answered() -> None:
    metric = town(np.random.default_rng(9), 10).metric()
    nobody, somebody = at_nodes(np.arange(0)), at_nodes(np.arange(4))
    assert distances(metric, nobody, somebody).shape == (0, 4)
    assert distances(metric, somebody, nobody).shape == (4, 0)
    assert len(ways(metric, nobody, nobody).cost) == 0


def test_after_warm_up_nothing_is_left_to_compile() -> None:
    warm_up()
    place = town(np.random.default_rng(10), 50)
    metric, everywhere = place.metric(), at_nodes(np.arange(50))
    distances(metric, everywhere, everywhere)
    ways(metric, everywhere, everywhere)
    entries = dissect, contract, locate, relax_upwards, relax_downwards, sweep, trace
    assert [len(kernel.signatures) for kernel in entries] == [1] * len(entries)
