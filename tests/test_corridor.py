"""The corridor of an escort: the fastest way, what it passes, and ways to turn to."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import OptionInvalid, PlaceCutOff, StationUnreachable
from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode, Place
from routing.network import NIGHT, Network, arc_times, build_network, no_conditions
from routing.travel import Corridor, Travel, find_corridor
from routing.travel.frame import corridor_frame
from routing.travel.tree import fan_in, fan_out, grow_tree

CORNER = np.array([400_000.0, 4_030_000.0])
TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
JINAN = Path(__file__).parents[2] / "shared" / "data" / "net" / "jinan.graphml"
SIDE, STEP = 12, 250.0


def lonlat(points: object) -> np.ndarray:
    at = TO_LONLAT.transform(*(np.array(points, dtype=float).reshape(-1, 2) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def place(name: str, east: float, north: float) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"地点{name}", lon=float(lon), lat=float(lat))


def grid(*, corridor: dict[str, float] | None = None) -> Network:
    """A town of 12 x 12 crossings, 250 m apart: 横0 to 横11 run east, 纵0 to 纵11 north."""
    rows = [
        (f"横{j}", [(i * STEP, j * STEP), ((i + 1) * STEP, j * STEP)])
        for j in range(SIDE)
        for i in range(SIDE - 1)
    ] + [
        (f"纵{i}", [(i * STEP, j * STEP), (i * STEP, (j + 1) * STEP)])
        for i in range(SIDE)
        for j in range(SIDE - 1)
    ]
    n = len(rows)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([name for name, _ in rows], dtype="str"),
            Col.STREET_CLASS: pd.Series([StreetClass.COLLECTOR] * n, dtype="str"),
            Col.ONEWAY: pd.Series([False] * n),
            Col.LANES: pd.Series([0] * n),
            Col.MAX_SPEED: pd.Series([0.0] * n),
        },
        geometry=gpd.GeoSeries([shapely.LineString(lonlat(at)) for _, at in rows], crs=4326),
    )
    profile = replace(NIGHT, corridor=corridor or {})
    return build_network(frame, epsg=LIAOCHENG_EPSG, profile=profile)[0]


@pytest.fixture(scope="module")
def town() -> Travel:
    return Travel(grid())


A, B = place("A", 100, 5 * STEP), place("B", 11 * STEP - 100, 5 * STEP)


def segments_of(network: Network, way: np.ndarray) -> set[int]:
    """Segments under a line, found anew from its geometry."""
    to_metres = Transformer.from_crs(4326, LIAOCHENG_EPSG, always_xy=True)
    line = shapely.LineString(np.stack(to_metres.transform(*way.T), axis=1))
    owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
    lines = shapely.linestrings(network.xy, indices=owner)
    strip = line.buffer(0.5)
    near = shapely.STRtree(lines).query(strip, predicate="intersects")
    covered = shapely.length(shapely.intersection(lines[near], strip))
    return set(near[covered > 0.9 * network.length[near]].tolist())


def judge(network: Network, found: Corridor, *, sharing: float, stretch: float) -> None:
    """Judge the ways from their lines alone."""
    fastest = found.fastest
    seconds = [way.leg.seconds for way in found.ways]
    assert seconds == sorted(seconds)
    under = [segments_of(network, way.leg.lonlat) for way in found.ways]
    times = arc_times(network, found.mode, escorted=True).whole.reshape(-1, 2)
    # Crossed streets shorter than the strip is wide count for common here.
    slack = 0.02 * fastest.leg.seconds + 10.0
    for i, way in enumerate(found.ways):
        assert way.leg.seconds <= stretch * fastest.leg.seconds + 2
        for other in range(i):
            common = sum(int(times[s].min()) for s in under[i] & under[other]) / 1000.0
            assert common <= sharing * fastest.leg.seconds + slack
        assert way.stretch == pytest.approx(
            way.leg.seconds / fastest.leg.seconds, abs=2.0 / fastest.leg.seconds
        )
        assert way.crossings == tuple(sorted(way.crossings, key=lambda c: c.length))
        assert sum(step.length for step in way.steps) == pytest.approx(way.leg.length)


def test_the_corridor_through_a_grid(town: Travel) -> None:
    found = find_corridor(town, A, B, posts=[place("岗", 5 * STEP + 40, 5 * STEP - 60)])
    assert found.fastest.leg.names == ("横5",)
    assert found.fastest.leg.seconds == town.legs([(A, B, Mode.CAR)])[0].seconds
    assert len(found.fastest.crossings) == 10
    first = found.fastest.crossings[0]
    assert set(first.streets) == {"横5", "纵1"}
    assert first.length == pytest.approx(150, abs=0.5)
    assert first.seconds in {18 + 4, 18 + 4 + 1}  # 150 m at 30 km/h and the junction itself
    (post,) = found.fastest.posts
    assert post.place.place_id == "岗"
    assert post.distance == pytest.approx(60, abs=0.5)
    assert post.length == pytest.approx(5 * STEP - 60, abs=0.5)
    assert post.seconds == pytest.approx((5 * STEP - 60) / 30 * 3.6 + 4 * 5, abs=4)
    assert len(found.alternatives) == 2
    judge(town.network, found, sharing=0.6, stretch=1.3)


def test_a_green_wave_draws_the_corridor() -> None:
    # 横7 is timed for 60 km/h: two blocks aside, and still faster than 横5 at 30.
    waved = Travel(grid(corridor={"横7": 60.0}))
    found = find_corridor(waved, A, B)
    assert "横7" in found.fastest.leg.names
    assert found.fastest.leg.seconds < waved.legs([(A, B, Mode.CAR)])[0].seconds
    # Plain travel knows nothing of it.
    assert waved.legs([(A, B, Mode.CAR)])[0].names == ("横5",)


def test_the_same_answer_every_time(town: Travel) -> None:
    one, two = (find_corridor(town, A, B, n_alternatives=5) for _ in range(2))
    assert [way.leg.names for way in one.ways] == [way.leg.names for way in two.ways]
    assert corridor_frame(one).equals(corridor_frame(two))
    assert corridor_frame(one)[Col.SHARE].iloc[0] == 1.0


def test_on_one_segment_there_is_one_way(town: Travel) -> None:
    near = place("N", 200, 5 * STEP)
    there, back = find_corridor(town, A, near), find_corridor(town, near, A)
    for found in (there, back):
        assert found.fastest.leg.length == pytest.approx(100, abs=0.5)
        assert (found.alternatives, found.fastest.crossings) == ((), ())


def test_conditions_hold_for_escorts(town: Travel) -> None:
    network = town.network
    shut = no_conditions(network)
    row = network.name == network.names.index("横5")
    shut.is_closed[:, np.repeat(row, 2)] = True
    found = find_corridor(town.under(conditions=shut), A, B)
    assert all("横5" not in way.leg.names for way in found.ways)


def test_bad_input_is_named(town: Travel) -> None:
    with pytest.raises(StationUnreachable, match="地点远"):
        find_corridor(town, A, place("远", 0, -3000))
    with pytest.raises(OptionInvalid, match="stretch"):
        find_corridor(town, A, B, stretch=0.9)
    with pytest.raises(OptionInvalid, match="sharing"):
        find_corridor(town, A, B, sharing=float("nan"))
    network, shut = town.network, no_conditions(town.network)
    middle = np.isin(network.name, [network.names.index(f"横{j}") for j in range(SIDE)])
    cut = middle & (np.abs(network.node_xy[network.tail, 0] - CORNER[0] - 5 * STEP) < 1.0)
    shut.is_closed[:, np.repeat(cut, 2)] = True
    with pytest.raises(PlaceCutOff, match="地点B"):
        find_corridor(town.under(conditions=shut), A, B)


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_dijkstra(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = grid()
    weight = rng.integers(1, 1000, 2 * network.n_segments).astype(np.int32)
    weight[rng.random(len(weight)) < 0.2] = UNREACHABLE
    is_open = weight < UNREACHABLE
    ends = network.arc_tail[is_open], network.arc_head[is_open]
    graph = csr_array((weight[is_open].astype(float), ends), shape=(network.n_nodes,) * 2)
    node, offset = np.array([3, -1, 40], np.int32), np.array([5, 0, 0], np.int32)
    for fan, arcs in ((fan_out(network), graph), (fan_in(network), graph.T.tocsr())):
        found = grow_tree(fan, weight, node, offset)
        expected = (dijkstra(arcs, indices=[3, 40]) + np.array([[5], [0]])).min(axis=0)
        expected[np.isinf(expected)] = UNREACHABLE
        assert np.array_equal(found.time, expected.astype(np.int32))


def test_alternatives_in_jinan() -> None:
    if not JINAN.exists():
        pytest.skip("the shared Jinan network is not here")
    from geo.io import read_streets

    network = build_network(read_streets(JINAN).frame, epsg=LIAOCHENG_EPSG)[0]
    travel = Travel(network)
    rng = np.random.default_rng(3)
    at = network.lonlat[rng.integers(0, len(network.lonlat), 16)]
    places = [
        Place(place_id=str(i), name=str(i), lon=float(x), lat=float(y))
        for i, (x, y) in enumerate(at)
    ]
    n_found = 0
    for origin, destination in zip(places[:8], places[8:], strict=True):
        found = find_corridor(travel, origin, destination)
        usual = travel.legs([(origin, destination, Mode.CAR)])[0]
        assert found.fastest.leg.seconds == usual.seconds
        judge(network, found, sharing=0.6, stretch=1.3)
        n_found += len(found.alternatives)
    assert n_found >= 12  # of 16
