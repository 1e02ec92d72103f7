"""The hierarchy against scipy's Dijkstra, as integers."""

import io
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import LimitExceeded, OptionInvalid
from geo.io import read_streets
from geo.sample import make_city
from geo.units import LIAOCHENG_EPSG
from routing.hierarchy import (
    FAR,
    NONE,
    Ends,
    Metric,
    Topology,
    build_topology,
    customise,
    distances,
    lengths,
    warm_up,
    ways,
)
from routing.hierarchy.metric import lay
from routing.hierarchy.order import dissect
from routing.hierarchy.relax import relax_downwards, relax_upwards
from routing.hierarchy.sweep import sweep
from routing.hierarchy.topology import contract, locate
from routing.hierarchy.trace import between, trace
from routing.model import Mode
from routing.network import MODES, Network, arc_times, build_network

JINAN = Path(__file__).parents[2] / "shared/data/net/jinan.graphml"


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

    def topology(self) -> Topology:
        return build_topology(self.n, self.tail, self.head, self.x, self.y)

    def metric(self) -> Metric:
        return customise(self.topology(), self.weight)

    def dijkstra(self, sources: np.ndarray | None = None) -> np.ndarray:
        """Milliseconds by scipy; its sparse matrices add parallels up, so keep the cheapest."""
        key = self.tail.astype(np.int64) * self.n + self.head
        is_open = (self.weight < FAR) & (self.tail != self.head)
        order = np.lexsort((self.weight, key))
        order = order[is_open[order]]
        first = order[np.unique(key[order], return_index=True)[1]]
        arcs = (self.tail[first], self.head[first])
        graph = csr_array((self.weight[first].astype(float), arcs), shape=(self.n, self.n))
        times = dijkstra(graph, indices=sources)
        return np.where(np.isinf(times), FAR, times).astype(np.int64)

    def rounds(self) -> np.ndarray:
        """Milliseconds of the fastest way from each node back to itself that is not empty."""
        back = self.dijkstra()[self.head, self.tail]
        around = np.where(self.tail == self.head, 0, back) + self.weight
        fastest = np.full(self.n, FAR, np.int64)
        np.minimum.at(fastest, self.tail, np.minimum(around, FAR))
        return fastest


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
    once = dissect, contract, locate
    by_kind_of_cost = lay, relax_upwards, relax_downwards, sweep, trace, between
    assert [len(kernel.signatures) for kernel in once] == [1] * len(once)
    assert [len(kernel.signatures) for kernel in by_kind_of_cost] == [2] * len(by_kind_of_cost)


# ------------------------------------------------------------- lengths, rounds, files, bundles


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60))
def test_lengths_are_those_of_the_shortest_of_the_fastest_ways(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    place = town(rng, n, n_long=4)
    few = replace(place, weight=np.where(place.weight < FAR, place.weight % 3 + 1, FAR))
    few = replace(few, weight=few.weight.astype(np.int32))  # many equally fast ways
    centimetres = rng.integers(0, 5000, len(few.tail))
    metric = customise(few.topology(), few.weight, metres=centimetres / 100.0)
    everywhere = at_nodes(np.arange(n))
    # The same order of ways in one number: a millisecond outweighs all centimetres together.
    heavy = np.where(few.weight < FAR, few.weight * (1 << 20) + centimetres, FAR)
    both = replace(few, weight=heavy).dijkstra()
    expected = np.where(both < FAR, both >> 20, FAR)
    milliseconds, metres = lengths(metric, everywhere, everywhere)
    assert np.array_equal(milliseconds, expected)
    assert np.array_equal(distances(metric, everywhere, everywhere), expected)
    found = np.rint(100.0 * metres)
    assert np.array_equal(found, np.where(both < FAR, both & ((1 << 20) - 1), np.inf))
    start, goal = rng.integers(0, n, (2, 30))
    traced = ways(metric, at_nodes(start), at_nodes(goal))
    assert traced.metres is not None
    assert np.array_equal(traced.cost, expected[start, goal])
    assert np.array_equal(np.rint(100.0 * traced.metres), found[start, goal])
    for i in np.flatnonzero(traced.cost < FAR):
        arcs = traced.arcs[traced.offsets[i] : traced.offsets[i + 1]]
        assert centimetres[arcs].sum() == found[start[i], goal[i]]


def test_lengths_in_a_small_town_by_hand() -> None:
    # 0 ──1 ms, 30 m── 1 ──1 ms, 40 m── 2 is as fast as the arc of 2 ms and 50 m, but longer.
    tail, head = np.array([[0, 1, 0], [1, 2, 2]], dtype=np.int32)
    weight, metres = np.array([1, 1, 2], dtype=np.int32), np.array([30.0, 40.0, 50.0])
    at = np.arange(3, dtype=np.int32)
    metric = customise(build_topology(3, tail, head, at, at), weight, metres=metres)
    node = np.array([[0, NONE]], dtype=np.int32)
    start = Ends(node=node, offset=np.array([[7, 0]], dtype=np.int32), metres=np.array([[5.5, 0]]))
    milliseconds, found = lengths(metric, start, at_nodes(np.arange(3)))
    assert milliseconds.tolist() == [[7, 8, 9]]
    assert found.tolist() == [[5.5, 35.5, 55.5]]
    assert ways(metric, start, at_nodes(np.array([2]))).arcs.tolist() == [2]


def test_a_metric_without_lengths_has_none_to_tell() -> None:
    metric = town(np.random.default_rng(1), 20).metric()
    with pytest.raises(OptionInvalid, match="milliseconds alone"):
        lengths(metric, at_nodes(np.arange(2)), at_nodes(np.arange(2)))


@pytest.mark.parametrize("bad", [-0.01, np.nan, 1e10])
def test_lengths_that_are_none_are_refused(bad: float) -> None:
    place = town(np.random.default_rng(8), 20)
    metres = np.ones(len(place.tail))
    metres[place.tail != place.head] = bad
    with pytest.raises(OptionInvalid, match="metres"):
        customise(place.topology(), place.weight, metres=metres)


def test_lengths_of_a_country_count_decimetres() -> None:
    tail, head = np.array([[0, 1], [1, 2]], dtype=np.int32)
    at = np.arange(3, dtype=np.int32)
    topology = build_topology(3, tail, head, at, at)
    metric = customise(topology, np.full(2, 10, np.int32), metres=np.array([3e7, 0.26]))
    _, metres = lengths(metric, at_nodes(np.array([0])), at_nodes(np.arange(3)))
    assert metres.tolist() == [[0.0, 3e7, 3e7 + 0.3]]


def behind(rng: np.random.Generator, place: Town, n: int) -> Ends:
    """Destinations with offsets below 0, none larger than the cheapest arc into the node."""
    into = np.full(place.n, 40, np.int64)
    np.minimum.at(into, place.head, place.weight)
    node = rng.integers(NONE, place.n, (n, 2)).astype(np.int32)
    return Ends(node=node, offset=-rng.integers(0, into[node] + 1).astype(np.int32))


def best_of_four(place: Town, origins: Ends, goals: Ends) -> np.ndarray:
    """Milliseconds by hand: an empty way that would end before it begins goes round instead."""
    between_nodes = np.pad(place.dijkstra(), (0, 1), constant_values=FAR)
    around = np.append(place.rounds(), FAR)
    best = np.full((len(origins), len(goals)), FAR, np.int64)
    for a in range(2):
        for b in range(2):
            u, v = origins.node[:, a][:, None], goals.node[:, b][None, :]
            offset = origins.offset[:, a][:, None].astype(np.int64) + goals.offset[:, b]
            is_early = (u == v) & (u != NONE) & (offset < 0)
            cost = np.where(is_early, around[u], between_nodes[u, v])
            best = np.minimum(best, np.where(cost < FAR, cost + offset, FAR))
    return best


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 25), with_lengths=st.booleans())
def test_destinations_behind_the_origin_are_reached_the_way_round(
    seed: int, n: int, with_lengths: bool
) -> None:
    rng = np.random.default_rng(seed)
    place = town(rng, n, n_long=3)
    node = rng.integers(NONE, n, (30, 2)).astype(np.int32)
    origins = Ends(node=node, offset=rng.integers(0, 40, (30, 2)).astype(np.int32))
    goals = behind(rng, place, 30)
    expected = best_of_four(place, origins, goals)
    metres = np.where(place.weight < FAR, place.weight / 10.0, 0.0) if with_lengths else None
    metric = customise(place.topology(), place.weight, metres=metres)
    assert np.array_equal(distances(metric, origins, goals), expected)
    found = ways(metric, origins, goals)
    assert np.array_equal(found.cost, expected.diagonal())
    for i in np.flatnonzero(found.cost < FAR):
        arcs = found.arcs[found.offsets[i] : found.offsets[i + 1]]
        a, b = found.origin_end[i], found.destination_end[i]
        offsets = origins.offset[i, a] + goals.offset[i, b]
        assert place.weight[arcs].sum() + offsets == found.cost[i]
        passed = [node[i, a], *place.head[arcs]]
        assert passed[-1] == goals.node[i, b]
        assert np.array_equal(place.tail[arcs], passed[:-1])


def test_a_hair_behind_on_the_same_arc_is_there_at_once() -> None:
    # Less than a millisecond behind: no way round, and no length below 0.
    at = np.arange(2, dtype=np.int32)
    tail, head = np.array([[0, 1], [1, 0]], dtype=np.int32)
    metric = customise(
        build_topology(2, tail, head, at, at),
        np.array([9, 9], np.int32),
        metres=np.array([5.0, 5.0]),
    )
    node = np.array([[0, NONE]], dtype=np.int32)
    origin = Ends(node=node, offset=np.array([[4, 0]], np.int32), metres=np.array([[2.0, 0.0]]))
    goal = Ends(node=node, offset=np.array([[-4, 0]], np.int32), metres=np.array([[-2.3, 0.0]]))
    assert [part.tolist() for part in lengths(metric, origin, goal)] == [[[0]], [[0.0]]]
    farther = replace(goal, offset=np.array([[-5, 0]], np.int32))
    assert [part.tolist() for part in lengths(metric, origin, farther)] == [[[17]], [[9.7]]]


def test_a_topology_comes_back_from_its_arrays() -> None:
    place = town(np.random.default_rng(21), 200, n_long=4)
    topology = place.topology()
    file = io.BytesIO()
    np.savez(file, **topology.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = Topology.from_arrays(arrays)
    everywhere = at_nodes(np.arange(200))
    found = distances(customise(again, place.weight), everywhere, everywhere)
    assert np.array_equal(found, place.dijkstra())


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("rank", lambda column: column[:-1], "columns that fit"),
        ("head", lambda column: column[:-1], "columns that fit"),
        ("parent", lambda column: column.astype(np.int64), "topology parent: int64"),
        ("shortcut", lambda column: column[:, None], "topology shortcut"),
        ("is_upward", None, "topology is_upward: missing"),
    ],
)
def test_arrays_that_are_no_topology_are_refused(name: str, damage, message: str) -> None:
    arrays = town(np.random.default_rng(22), 30).topology().to_arrays()
    column = arrays.pop(name)
    if damage is not None:
        arrays[name] = damage(column)
    with pytest.raises(OptionInvalid, match=message):
        Topology.from_arrays(arrays)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60))
def test_bundles_stay_together_and_change_no_answer(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    place = town(rng, n, n_long=3)
    bundle = (np.arange(n) // 2).astype(np.int32)
    topology = build_topology(n, place.tail, place.head, place.x, place.y, bundle=bundle)
    assert sorted(topology.rank) == list(range(n))
    pairs = n // 2
    apart = topology.rank[: 2 * pairs : 2] - topology.rank[1 : 2 * pairs : 2]
    assert (np.abs(apart) == 1).all()
    everywhere = at_nodes(np.arange(n))
    found = distances(customise(topology, place.weight), everywhere, everywhere)
    assert np.array_equal(found, place.dijkstra())


def test_a_network_that_does_not_fall_apart_is_refused() -> None:
    # Three times as many random pairs as a city has streets: no few nodes cut that in two.
    rng = np.random.default_rng(31)
    ends = rng.integers(0, 20_000, (2, 60_000)).astype(np.int32)
    at = rng.integers(0, 10_000, (2, 20_000)).astype(np.int32)
    with pytest.raises(LimitExceeded, match="20000 nodes needed more than 2000 nodes to cut"):
        build_topology(20_000, *ends, *at)


# ------------------------------------------------------------------------------ real streets


def require_equal_to_dijkstra(network: Network, mode: Mode) -> None:
    """Compare 40 random nodes with all, as integers, before and after closures."""
    rng = np.random.default_rng(41)
    weight = arc_times(network, mode).whole
    x, y = np.rint(10.0 * (network.node_xy - network.node_xy.min(axis=0))).astype(np.int32).T.copy()
    streets = Town(network.arc_tail, network.arc_head, weight, x, y)
    topology = streets.topology()
    closed = np.where(rng.random(len(weight)) < 0.1, np.int32(FAR), weight)
    sources = rng.integers(0, network.n_nodes, 40)
    for weights in (weight, closed):
        metric = customise(topology, weights)
        found = distances(metric, at_nodes(sources), at_nodes(np.arange(network.n_nodes)))
        expected = replace(streets, weight=weights).dijkstra(sources)
        assert np.array_equal(found, expected)


def test_equal_to_dijkstra_on_the_sample_district() -> None:
    sample = make_city(scale="district", seed=7, data_date=date(2026, 1, 1))
    network, _ = build_network(sample.layers.streets, epsg=sample.layers.epsg)
    for mode in MODES:
        require_equal_to_dijkstra(network, mode)


def test_equal_to_dijkstra_on_jinan() -> None:
    if not JINAN.exists():
        pytest.skip("the streets of Jinan are not on this machine")
    network, _ = build_network(read_streets(JINAN).frame, epsg=LIAOCHENG_EPSG)
    for mode in (Mode.CAR, Mode.FOOT):
        require_equal_to_dijkstra(network, mode)
