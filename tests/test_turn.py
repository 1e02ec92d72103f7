"""Turns: their angles and seconds in a town that can be checked by hand, and against Dijkstra."""

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.hierarchy import FAR, NONE, Ends, build_topology, customise, distances, ways
from routing.model import Mode
from routing.network import MODES, NIGHT, Network, Profile, Turn, arc_times, build_network
from routing.network.turn import TurnGraph, turn_graph, turn_times

CORNER = np.array([400_000.0, 4_030_000.0])
"""Corner of the test towns, metres of EPSG:32650."""

TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)

Row = tuple[str, StreetClass, bool, Sequence[tuple[float, float]]]
ART, LANE, PATH = StreetClass.ARTERIAL, StreetClass.LANE, StreetClass.PATH

TURN = Turn(wait=2.0, penalty=8.0, bias=1.0, u_turn=20.0)
PROFILE: Profile = replace(NIGHT, turn=dict.fromkeys(MODES, Turn()) | {Mode.CAR: TURN})


def network_of(rows: Sequence[Row]) -> Network:
    """Rows of name, class, one-way and points in metres from the town's corner."""
    lines = []
    for row in rows:
        at = TO_LONLAT.transform(*(np.array(row[3], dtype=float) + CORNER).T)
        lines.append(shapely.LineString(np.round(np.stack(at, axis=1), 7)))
    n = len(rows)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([row[0] for row in rows], dtype="str"),
            Col.STREET_CLASS: pd.Series([row[1] for row in rows], dtype="str"),
            Col.ONEWAY: pd.Series([row[2] for row in rows], dtype=bool),
            Col.LANES: np.zeros(n, dtype=np.int64),
            Col.MAX_SPEED: np.zeros(n),
        },
        geometry=gpd.GeoSeries(lines, crs=4326),
    )
    return build_network(frame, epsg=LIAOCHENG_EPSG, profile=PROFILE)[0]


#              N                 Four arms of 100 m meet in the middle. The eastern one bends to the
#              │                 north 60 m out; the last 1.4 m of the western one are a hook to
#      W ──┐   │        E        the south-east, which is no turn. Arcs: 2 * arm towards
#          └── M ──────/         the middle, and 2 * arm + 1 away from it.
#              │
#              S
CROSS: list[Row] = [
    ("南路", ART, False, [(0, -100), (0, 0)]),
    ("东路", ART, False, [(80, 100), (60, 0), (0, 0)]),
    ("北路", ART, False, [(0, 100), (0, 0)]),
    ("西路", ART, False, [(-100, 1), (-1, 1), (0, 0)]),
]
SOUTH, EAST, NORTH, WEST = range(4)


@pytest.fixture(scope="module")
def cross() -> Network:
    return network_of(CROSS)


def of_turn(graph: TurnGraph, tail: int, head: int) -> int:
    """Row of the turn from one arc into another."""
    (row,) = np.flatnonzero((graph.tail == tail) & (graph.head == head))
    return int(row)


@pytest.mark.parametrize(
    ("came_by", "into", "angle"),
    [
        (SOUTH, NORTH, 0.0),
        (SOUTH, EAST, 90.0),
        (NORTH, EAST, -90.0),
        (EAST, NORTH, 90.0),
        (EAST, SOUTH, -90.0),
        (EAST, WEST, 0.0),
        (WEST, EAST, 0.0),
        (SOUTH, WEST, -90.0),
        (SOUTH, SOUTH, 180.0),
    ],
)
def test_angles_by_hand(cross: Network, came_by: int, into: int, angle: float) -> None:
    graph = turn_graph(cross)
    row = of_turn(graph, 2 * came_by, 2 * into + 1)
    # Straight on is a few degrees off where the hook is, and by the meridian's own angle.
    assert graph.angle[row] == pytest.approx(angle, abs=7.0 if WEST in (came_by, into) else 1.5)
    assert graph.is_u_turn[row] == (came_by == into)


def test_every_turn_once(cross: Network) -> None:
    graph = turn_graph(cross)
    # 16 at the crossing, one at each of the four blind ends.
    assert graph.n_turns == 4 * 4 + 4
    assert graph.is_u_turn.sum() == 8
    assert len(set(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))) == 20
    assert np.array_equal(cross.arc_head[graph.tail], cross.arc_tail[graph.head])
    assert graph.segment.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_seconds_by_hand(cross: Network) -> None:
    # 100 m of arterial at 40 km/h are 9 s. At the crossing a car waits 2 s; 8 s more are the most a
    # turn costs, half of them at a right angle; turning round costs 20 s beside.
    graph = turn_graph(cross)
    times = turn_times(cross, graph, Mode.CAR, arc_times(cross, Mode.CAR))

    def seconds(tail: int, head: int) -> float:
        return float(times[of_turn(graph, tail, head)]) / 1000.0

    assert seconds(2 * SOUTH, 2 * NORTH + 1) == pytest.approx(9.0 + 2.0, abs=0.05)
    assert seconds(2 * SOUTH, 2 * WEST + 1) == pytest.approx(9.0 + 2.0 + 4.0, abs=1.0)
    assert seconds(2 * NORTH, 2 * SOUTH + 1) == pytest.approx(9.0 + 2.0, abs=0.05)
    assert seconds(2 * SOUTH, 2 * SOUTH + 1) == pytest.approx(9.0 + 2.0 + 8.0 + 20.0, abs=0.05)
    # At a blind end there is nothing to wait for.
    assert seconds(2 * SOUTH + 1, 2 * SOUTH) == pytest.approx(9.0 + 8.0 + 20.0, abs=0.05)
    # On foot a turn costs nothing: 100 m at 4.5 km/h.
    on_foot = turn_times(cross, graph, Mode.FOOT, arc_times(cross, Mode.FOOT))
    row = of_turn(graph, 2 * SOUTH, 2 * SOUTH + 1)
    assert on_foot[row] == pytest.approx(80_000, abs=50)


def test_a_left_turn_costs_more_than_a_right_turn_where_the_profile_says_so(
    cross: Network,
) -> None:
    biased = replace(PROFILE, turn=PROFILE.turn | {Mode.CAR: replace(TURN, bias=1.075)})
    network = replace(cross, profile=biased)
    graph = turn_graph(network)
    times = turn_times(network, graph, Mode.CAR, arc_times(network, Mode.CAR))
    right = times[of_turn(graph, 2 * SOUTH, 2 * EAST + 1)] - arc_times(network, Mode.CAR).run[EAST]
    left = times[of_turn(graph, 2 * EAST, 2 * SOUTH + 1)] - arc_times(network, Mode.CAR).run[SOUTH]
    assert 0 < right < left


#   B1 ─── B2      One-way round the block, cars from A up, over B1, B2 and down to C, back to A;
#   │       │      a path for people on foot cuts across from A to B2.
#   A ───── C
BLOCK: list[Row] = [
    ("", LANE, True, [(0, 0), (0, 100)]),
    ("", LANE, True, [(0, 100), (100, 100)]),
    ("", LANE, True, [(100, 100), (100, 0)]),
    ("", LANE, True, [(100, 0), (0, 0)]),
    ("", PATH, False, [(0, 0), (100, 100)]),
]


def test_who_may_not_use_an_arc_does_not_turn_into_it() -> None:
    block = network_of(BLOCK)
    graph = turn_graph(block)
    car = turn_times(block, graph, Mode.CAR, arc_times(block, Mode.CAR))
    foot = turn_times(block, graph, Mode.FOOT, arc_times(block, Mode.FOOT))
    open_to_cars = sorted(zip(graph.tail[car < FAR], graph.head[car < FAR], strict=True))
    assert open_to_cars == [(0, 2), (2, 4), (4, 6), (6, 0)]
    assert (foot < FAR).all()


def test_behind_on_the_same_one_way_is_the_whole_block_away() -> None:
    # From 70 m to 30 m up the first lane: 360 of the block's 400 m; no junction but A and B2,
    # where the path begins: at each a right turn after 2 s, the other two are bends.
    block = network_of(BLOCK)
    graph = turn_graph(block)
    times = arc_times(block, Mode.CAR)
    weight = turn_times(block, graph, Mode.CAR, times)
    topology = build_topology(
        graph.n_arcs, graph.tail, graph.head, graph.x, graph.y, bundle=graph.segment
    )
    length = block.length[graph.head >> 1]
    metric = customise(topology, weight, metres=length)
    node = np.array([[0, NONE]], dtype=np.int32)
    rest = np.array([[30, 0], [70, 0]]) * (times.run[0] / 100.0)
    start, goal = np.rint(rest).astype(np.int32).reshape(2, 1, 2)
    origin = Ends(node=node, offset=start, metres=np.array([[30.0, 0.0]]))
    ahead = Ends(node=node, offset=-start // 2, metres=np.array([[-15.0, 0.0]]))
    behind = Ends(node=node, offset=-goal, metres=np.array([[-70.0, 0.0]]))
    turns = [of_turn(graph, *pair) for pair in ((0, 2), (2, 4), (4, 6), (6, 0))]
    found = ways(metric, origin, behind)
    assert found.arcs.tolist() == turns
    assert found.cost[0] == weight[turns].sum() + start[0, 0] - goal[0, 0]
    assert found.metres is not None
    assert found.metres[0] == pytest.approx(360.0, abs=0.3)
    assert distances(metric, origin, behind).tolist() == [[found.cost[0]]]
    near = ways(metric, origin, ahead)
    assert (near.arcs.tolist(), near.cost[0]) == ([], start[0, 0] + ahead.offset[0, 0])


def random_town(rng: np.random.Generator) -> Network:
    """A jittered grid with gaps, one-ways, a parallel, a loop, paths and an island."""
    n = 4
    at = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=2).reshape(-1, 2) * 150.0
    at += rng.integers(-40, 40, at.shape)
    pairs = [(i, i + 1) for i in range(n * n) if (i + 1) % n]
    pairs += [(i, i + n) for i in range(n * n - n)]
    rows: list[Row] = []
    for a, b in [*pairs, pairs[0]]:
        if rng.random() < 0.15:
            continue
        middle = (at[a] + at[b]) / 2 + rng.integers(-15, 15, 2)
        street_class = (ART, LANE, LANE, PATH)[rng.integers(0, 4)]
        line = [tuple(at[a]), tuple(middle), tuple(at[b])]
        rows.append(("", street_class, bool(rng.random() < 0.3), line))
    corner = at[0]
    loop = [tuple(corner), tuple(corner - [60, 0]), tuple(corner - [0, 60]), tuple(corner)]
    rows.append(("", LANE, bool(rng.random() < 0.5), loop))
    return network_of([*rows, ("", LANE, False, [(-900, 0), (-800, 0)])])


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), closed=st.sampled_from([0.0, 0.2]))
def test_equal_to_dijkstra_from_arc_to_arc(seed: int, closed: float) -> None:
    rng = np.random.default_rng(seed)
    network = random_town(rng)
    graph = turn_graph(network)
    topology = build_topology(
        graph.n_arcs, graph.tail, graph.head, graph.x, graph.y, bundle=graph.segment
    )
    arcs = np.arange(graph.n_arcs, dtype=np.int32)
    node = np.stack([arcs, np.full_like(arcs, NONE)], axis=1)
    everywhere = Ends(node=node, offset=np.zeros_like(node))
    for mode in (Mode.CAR, Mode.FOOT):
        times = arc_times(network, mode)
        shut = rng.random(graph.n_arcs) < closed
        times = replace(times, whole=np.where(shut, np.int32(FAR), times.whole))
        weight = turn_times(network, graph, mode, times)
        is_open = (weight < FAR) & (graph.tail != graph.head)
        pairs = (graph.tail[is_open], graph.head[is_open])
        assert len(set(zip(*pairs, strict=True))) == is_open.sum()  # scipy adds parallels up
        shape = (graph.n_arcs, graph.n_arcs)
        expected = dijkstra(csr_array((weight[is_open].astype(float), pairs), shape=shape))
        found = distances(customise(topology, weight), everywhere, everywhere)
        assert np.array_equal(found, np.where(np.isinf(expected), FAR, expected))


def test_a_green_wave_costs_no_turn() -> None:
    # 南路 and 北路 are one corridor; an escort passes the crossing as if there was none, but still
    # loses time when it comes from the side.
    waved = replace(PROFILE, corridor={"南路": 40.0, "北路": 40.0})
    network = replace(network_of(CROSS), profile=waved)
    graph = turn_graph(network)
    times = arc_times(network, Mode.CAR, escorted=True)
    found = turn_times(network, graph, Mode.CAR, times)
    along = found[of_turn(graph, 2 * SOUTH, 2 * NORTH + 1)]
    assert along == times.run[NORTH]
    assert found[of_turn(graph, 2 * EAST, 2 * NORTH + 1)] > times.run[NORTH] + 2000
    assert found[of_turn(graph, 2 * SOUTH, 2 * SOUTH + 1)] > times.run[SOUTH] + 20_000
