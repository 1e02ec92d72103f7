"""Travel times, legs and snapping on towns that can be checked by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.errors import NetworkEmpty, OptionInvalid, StationUnreachable
from geo.frames import Col, StreetClass
from geo.units import LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode, Place
from routing.network import CLASSES, MODES, Network, arc_times, build_network
from routing.travel import Snaps, Travel

CORNER = np.array([400_000.0, 4_030_000.0])
"""Corner of the test towns, metres of EPSG:32650."""

TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)

Row = tuple[str, StreetClass, bool, Sequence[tuple[float, float]]]
ART, LANE, PATH = StreetClass.ARTERIAL, StreetClass.LANE, StreetClass.PATH


def lonlat(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Metres from the town's corner to degrees, 7 decimals."""
    at = TO_LONLAT.transform(*(np.array(points, dtype=float) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def network_of(rows: Sequence[Row]) -> Network:
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(len(rows))], dtype="str"),
            Col.NAME: pd.Series([row[0] for row in rows], dtype="str"),
            Col.STREET_CLASS: pd.Series([row[1] for row in rows], dtype="str"),
            Col.ONEWAY: pd.Series([row[2] for row in rows], dtype=bool),
        },
        geometry=gpd.GeoSeries([shapely.LineString(lonlat(row[3])) for row in rows], crs=4326),
    )
    return build_network(frame, epsg=LIAOCHENG_EPSG)[0]


def place(name: str, east: float, north: float) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"地点 {name}", lon=float(lon), lat=float(lat))


# 500 ──  D ──────── lane ──────── E        Two-way but for 柳园路, which runs north.
#         │                        ↑        Car: 9 s per 100 m of arterial (40 km/h), 24 s of lane
#        lane               柳园路 (one-way) (15 km/h). A, D, E are bends; B, where the path
#         │                        │        begins, is the one junction: 4 s by car, 2 s on foot.
#   0 ──  A ──── 东昌路 (arterial) ── B ─path─ Y
#         0                       1000       1500
TOWN: list[Row] = [
    ("东昌路", ART, False, [(0, 0), (500, 0), (1000, 0)]),
    ("柳园路", ART, True, [(1000, 0), (1000, 500)]),
    ("", LANE, False, [(0, 0), (0, 500)]),
    ("样例巷", LANE, False, [(0, 500), (1000, 500)]),
    ("", PATH, False, [(1000, 0), (1500, 0)]),
]


@pytest.fixture(scope="module")
def travel() -> Travel:
    return Travel(network_of(TOWN))


def seconds(travel: Travel, origin: Place, destination: Place, mode: Mode) -> int:
    times = travel.times((origin, destination), (mode,))
    return times.between(mode, origin.place_id, destination.place_id)


P = place("P", 200, 10)  # on 东昌路
Q = place("Q", 700, -10)  # on 东昌路
R = place("R", 1010, 100)  # on 柳园路
S = place("S", 990, 400)  # on 柳园路, farther along


@pytest.mark.parametrize(
    ("origin", "destination", "mode", "expected"),
    [
        (P, Q, Mode.CAR, 45),  # 500 m along the segment
        (Q, P, Mode.CAR, 45),  # and back: two-way
        (P, R, Mode.CAR, 72 + 4 + 9),  # 800 m, junction B, 100 m
        (R, S, Mode.CAR, 27),  # 300 m with the one-way
        # 400 m north to E, 1,000 + 500 m of lane, 1,000 m of arterial, junction B, 100 m; then
        # from S to R, behind it on the same one-way: the whole block.
        (R, P, Mode.CAR, 36 + 240 + 120 + 18),
        (S, R, Mode.CAR, 9 + 240 + 120 + 90 + 4 + 9),
        (S, R, Mode.FOOT, 240),  # 300 m straight back at 1.25 m/s
        (R, P, Mode.FOOT, 80 + 2 + 640),
        (P, P, Mode.CAR, 0),
    ],
)
def test_seconds_by_hand(
    travel: Travel, origin: Place, destination: Place, mode: Mode, expected: int
) -> None:
    assert seconds(travel, origin, destination, mode) in {expected, expected + 1}  # rounded up


def test_seconds_are_rounded_up_once() -> None:
    # 8 segments of 10 m at 15 km/h take 2.4 s each: 19.2 s in all, not 8 times 3 s.
    travel = Travel(
        network_of([("", LANE, False, [(10 * i, 0), (10 * i + 10, 0)]) for i in range(8)])
    )
    assert seconds(travel, place("a", 0, 0), place("b", 80, 0), Mode.CAR) == 20


def test_a_matrix_is_typed_and_its_diagonal_is_zero(travel: Travel) -> None:
    times = travel.times((P, Q, R, S), (Mode.CAR, Mode.FOOT))
    assert times.place_ids == ("P", "Q", "R", "S")
    assert times.seconds.dtype == np.int32
    assert times.seconds.shape == (2, 4, 4)
    assert not times.seconds.diagonal(axis1=1, axis2=2).any()
    assert (times.seconds < UNREACHABLE).all()
    snaps = travel.snap_places((P, Q, R, S))
    block = travel.many_to_many(snaps.take(np.arange(2)), snaps, Mode.FOOT)
    assert np.array_equal(block, times.seconds[1, :2])


def test_a_leg_follows_the_streets(travel: Travel) -> None:
    (leg,) = travel.legs([(P, R, Mode.CAR)])
    assert leg.seconds == seconds(travel, P, R, Mode.CAR)
    assert leg.length == pytest.approx(900, abs=0.2)
    assert leg.names == ("东昌路", "柳园路")
    expected = lonlat([(200, 0), (500, 0), (1000, 0), (1000, 100)])
    assert leg.lonlat == pytest.approx(expected, abs=2e-7)


def test_a_leg_on_one_segment_both_ways(travel: Travel) -> None:
    there, back = travel.legs([(P, Q, Mode.CAR), (Q, P, Mode.CAR)])
    assert there.names == back.names == ("东昌路",)
    assert there.lonlat == pytest.approx(lonlat([(200, 0), (500, 0), (700, 0)]), abs=2e-7)
    assert np.array_equal(there.lonlat, back.lonlat[::-1])
    assert there.length == pytest.approx(500, abs=0.2)


def test_a_leg_round_the_block_leaves_unnamed_streets_out(travel: Travel) -> None:
    (leg,) = travel.legs([(S, R, Mode.CAR)])
    assert leg.names == ("柳园路", "样例巷", "东昌路", "柳园路")
    assert leg.length == pytest.approx(100 + 1000 + 500 + 1000 + 100, abs=0.5)


def test_a_leg_to_where_one_is(travel: Travel) -> None:
    (leg,) = travel.legs([(P, P, Mode.CAR)])
    assert (leg.seconds, leg.length, leg.names) == (0, 0.0, ())
    assert leg.lonlat.shape == (2, 2)
    assert travel.legs([]) == ()


def test_no_places_at_all(travel: Travel) -> None:
    assert travel.times((), (Mode.CAR,)).seconds.shape == (1, 0, 0)
    travel.require_stations([])


@pytest.mark.parametrize("point", [(116.0, 95.0), (116.0, float("nan"))])
def test_a_point_nowhere_is_refused(travel: Travel, point: tuple[float, float]) -> None:
    with pytest.raises(OptionInvalid, match="longitude"):
        travel.snap(np.array([[115.9, 36.4], point]))


def test_legs_keep_their_order_over_modes(travel: Travel) -> None:
    pairs = [(P, R, Mode.FOOT), (P, R, Mode.CAR), (S, R, Mode.FOOT), (S, R, Mode.CAR)]
    lengths = [round(leg.length, -2) for leg in travel.legs(pairs)]
    assert lengths == [900, 900, 300, 2700]


def test_snapping(travel: Travel) -> None:
    snaps = travel.snap_places((P, S, place("corner", -30, -40)))
    assert snaps.distance == pytest.approx([10, 10, 50], abs=0.05)
    assert snaps.segment.tolist() == [0, 1, 0]
    assert snaps.fraction == pytest.approx([0.2, 0.8, 0.0], abs=1e-4)
    assert snaps.lonlat == pytest.approx(lonlat([(200, 0), (1000, 400), (0, 0)]), abs=2e-7)


def test_a_place_on_a_footpath_is_the_same_point_for_every_mode(travel: Travel) -> None:
    beside_path = place("Z", 1400, 10)
    assert travel.snap_places([beside_path]).distance == pytest.approx([400.0], abs=0.5)
    walkers = Travel(travel.network, (Mode.FOOT,))
    assert walkers.snap_places([beside_path]).distance == pytest.approx([10.0], abs=0.05)
    with pytest.raises(OptionInvalid, match="car"):
        walkers.times((P, Q), (Mode.CAR,))


def test_at_a_junction_one_is_there_whatever_the_one_way(travel: Travel) -> None:
    # E lies on the end of the one-way and on the lane; leaving it, both are open.
    corner = travel.snap(lonlat([(1000, 500)]))
    on_lane = Snaps(
        segment=np.array([3], dtype=np.int32),
        fraction=np.ones(1),
        distance=np.zeros(1),
        lonlat=corner.lonlat,
    )
    there = travel.snap_places([P])
    by_one_way = travel.many_to_many(corner, there, Mode.CAR)
    assert corner.segment.tolist() == [1]
    assert np.array_equal(by_one_way, travel.many_to_many(on_lane, there, Mode.CAR))


def test_the_nearest_station(travel: Travel) -> None:
    stations = travel.snap_places((place("west", 0, 250), place("north", 1000, 490)))
    nearest, time = travel.nearest_station(stations, travel.snap_places((P, S)), Mode.CAR)
    assert nearest.tolist() == [0, 0]  # the one-way keeps the northern station from S
    assert time[0] == pytest.approx(60 + 18, abs=1)
    on_foot, _ = travel.nearest_station(stations, travel.snap_places((P, S)), Mode.FOOT)
    assert on_foot.tolist() == [0, 1]


def test_stations_out_of_reach_are_named(travel: Travel) -> None:
    near, far, farther = place("A", 0, 100), place("B", -900, 0), place("C", 0, 1600)
    travel.require_stations([near])
    travel.require_stations([near, far], limit=1000.0)
    with pytest.raises(StationUnreachable, match=r"地点 B 900 m \[.*地点 C 1,100 m") as refused:
        travel.require_stations([near, far, farther], source="stations.csv")
    assert refused.value.params["n"] == 2
    assert refused.value.params["limit_m"] == 500


def test_no_street_for_all_modes() -> None:
    network = network_of(TOWN)
    usable = np.zeros_like(network.usable)
    usable[MODES.index(Mode.FOOT)] = True
    with pytest.raises(NetworkEmpty, match="car"):
        Travel(replace(network, usable=usable))


def random_town(rng: np.random.Generator) -> Network:
    """A jittered grid with gaps, one-ways, parallels, a loop, bends and all classes."""
    n = 6
    at = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=2).reshape(-1, 2) * 150.0
    at += rng.integers(-40, 40, at.shape)
    right = [(i, i + 1) for i in range(n * n) if (i + 1) % n]
    up = [(i, i + n) for i in range(n * n - n)]
    rows: list[Row] = []
    for a, b in right + up + right[:3]:
        if rng.random() < 0.12:
            continue
        middle = (at[a] + at[b]) / 2 + rng.integers(-15, 15, 2)
        street_class = CLASSES[rng.choice([1, 2, 3, 3, 3, 5])]
        line = [tuple(at[a]), tuple(middle), tuple(at[b])]
        rows.append((f"{a // n} 路", street_class, bool(rng.random() < 0.3), line))
    corner = at[0]
    loop = [tuple(corner), tuple(corner - [60, 0]), tuple(corner - [0, 60]), tuple(corner)]
    return network_of([*rows, ("环路", LANE, bool(rng.random() < 0.5), loop)])


def by_dijkstra(network: Network, snaps: Snaps, mode: Mode) -> np.ndarray:
    """Seconds by another way: every place becomes a node that cuts its street in two."""
    times = arc_times(network, mode)
    is_open = network.usable_by(mode)
    done = np.rint(snaps.fraction * times.run[snaps.segment]).astype(int)
    fastest: dict[tuple[int, int], int] = {}

    def join(a: int, b: int, cost: int) -> None:
        if a != b:
            fastest[a, b] = min(cost, fastest.get((a, b), cost))

    for s in range(network.n_segments):
        here = [
            (int(done[i]), network.n_nodes + int(i)) for i in np.flatnonzero(snaps.segment == s)
        ]
        ends = (0, int(network.tail[s])), (int(times.run[s]), int(network.head[s]))
        stops = [ends[0], *sorted(here), ends[1]]
        for k, ((at, a), (beyond, b)) in enumerate(pairwise(stops)):
            if is_open[2 * s] or at == beyond:
                passed = int(times.delay[2 * s]) if k == len(stops) - 2 else 0
                join(a, b, beyond - at + passed)
            if is_open[2 * s + 1] or at == beyond:
                passed = int(times.delay[2 * s + 1]) if k == 0 else 0
                join(b, a, beyond - at + passed)
    n = network.n_nodes + len(snaps)
    arcs = np.array(list(fastest)).T
    graph = csr_array((np.array(list(fastest.values()), float), (arcs[0], arcs[1])), shape=(n, n))
    ms = dijkstra(graph, indices=np.arange(network.n_nodes, n))[:, network.n_nodes :]
    return np.where(np.isinf(ms), UNREACHABLE, np.ceil(ms / 1000.0)).astype(np.int32)


@pytest.mark.parametrize("seed", range(12))
def test_equal_to_dijkstra_with_places_as_nodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_town(rng)
    travel = Travel(network)
    snaps = travel.snap(lonlat(list(map(tuple, rng.integers(-80, 800, (60, 2))))))
    # Corners apart: who starts at one has passed it already (its own test above).
    inside = (snaps.fraction > 0.001) & (snaps.fraction < 0.999)
    snaps = snaps.take(np.flatnonzero(inside))
    assert len(snaps) > 20
    for mode in MODES:
        expected = by_dijkstra(network, snaps, mode)
        assert np.array_equal(travel.many_to_many(snaps, snaps, mode), expected), mode


@pytest.mark.parametrize("seed", range(4))
def test_legs_agree_with_the_matrix(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.travel.times.LEGS_AT_ONCE", 100)
    rng = np.random.default_rng(seed)
    travel = Travel(random_town(rng))
    spots = rng.integers(-80, 800, (25, 2))
    places = [place(f"p{i}", *spot) for i, spot in enumerate(spots.tolist())]
    times = travel.times(places, MODES)
    pairs = [(a, b, mode) for a in places for b in places[:9] for mode in (Mode.CAR, Mode.FOOT)]
    legs = travel.legs(pairs)
    assert [leg.seconds for leg in legs] == [
        times.between(mode, a.place_id, b.place_id) for a, b, mode in pairs
    ]
    lines = gpd.GeoSeries([shapely.LineString(leg.lonlat) for leg in legs], crs=4326)
    drawn = lines.to_crs(LIAOCHENG_EPSG).length.to_numpy()
    assert drawn == pytest.approx([leg.length for leg in legs], abs=0.1)
    snapped = dict(
        zip([p.place_id for p in places], travel.snap_places(places).lonlat, strict=True)
    )
    for leg, (origin, destination, _) in zip(legs, pairs, strict=True):
        assert np.array_equal(leg.lonlat[0], snapped[origin.place_id])
        assert np.array_equal(leg.lonlat[-1], snapped[destination.place_id])


def test_a_closed_street_cuts_a_place_off() -> None:
    # With 样例巷 shut for cars nobody comes back from 柳园路.
    network = network_of(TOWN)
    usable = network.usable.copy()
    usable[MODES.index(Mode.CAR), 2 * 3 : 2 * 3 + 2] = False
    shut = Travel(replace(network, usable=usable))
    times = shut.times((P, S), (Mode.CAR, Mode.FOOT))
    assert times.between(Mode.CAR, "S", "P") == UNREACHABLE
    assert times.between(Mode.CAR, "P", "S") < UNREACHABLE
    assert times.between(Mode.FOOT, "S", "P") < UNREACHABLE
    way, none = shut.legs([(P, S, Mode.CAR), (S, P, Mode.CAR)])
    assert way.names == ("东昌路", "柳园路")
    assert (none.seconds, none.length, none.names) == (UNREACHABLE, 0.0, ())
    assert none.lonlat.shape == (0, 2)
