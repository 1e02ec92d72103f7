"""Travel under closures, at other hours, with turns; matrices too large; places cut off."""

import pickle
from dataclasses import replace
from datetime import datetime

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

from api.i18n import explain
from geo.errors import NetworkEmpty, OptionInvalid, PlaceCutOff, StationUnreachable
from geo.frames import Col, StreetClass
from geo.units import CITY_ZONE, LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode, Place
from routing.network import (
    CLASSES,
    MODES,
    Conditions,
    Network,
    TimeBand,
    arc_times,
    build_network,
    no_conditions,
)
from routing.network.turn import turn_graph, turn_times
from routing.travel import Snaps, Travel
from routing.travel.memory import MIB, row_blocks
from routing.travel.nearest import build_tree, find_feet

CORNER = np.array([400_000.0, 4_030_000.0])
TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
NIGHT = datetime(2026, 3, 2, 20, tzinfo=CITY_ZONE)
ART, LANE = StreetClass.ARTERIAL, StreetClass.LANE


def lonlat(points: object) -> np.ndarray:
    at = TO_LONLAT.transform(*(np.array(points, dtype=float).reshape(-1, 2) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def network_of(rows: list[tuple[str, StreetClass, bool, list[tuple[float, float]]]]) -> Network:
    n = len(rows)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([row[0] for row in rows], dtype="str"),
            Col.STREET_CLASS: pd.Series([row[1] for row in rows], dtype="str"),
            Col.ONEWAY: pd.Series([row[2] for row in rows], dtype=bool),
            Col.LANES: pd.Series([0] * n, dtype="int64"),
            Col.MAX_SPEED: pd.Series([0.0] * n),
        },
        geometry=gpd.GeoSeries([shapely.LineString(lonlat(row[3])) for row in rows], crs=4326),
    )
    return build_network(frame, epsg=LIAOCHENG_EPSG)[0]


def place(name: str, east: float, north: float) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"地点{name}", lon=float(lon), lat=float(lat))


# 500   A ─ 北街 ─ B ══ 北桥 ══ F ─ 东北街 ─ G      West of the river a block, east of it another;
#       │          │           │           │      two bridges, each a segment of its own.
#      西街       河西路       河东路       东街
#       │          │           │           │
#   0   D ─ 南街 ─ C ══ 南桥 ══ E ─ 东南街 ─ H
#       0         400         600        1000
NAMES = ["北街", "北桥", "东北街", "西街", "河西路", "河东路", "东街", "南街", "南桥", "东南街"]
RIVER = network_of(
    [
        ("北街", ART, False, [(0, 500), (400, 500)]),
        ("北桥", ART, False, [(400, 500), (600, 500)]),
        ("东北街", ART, False, [(600, 500), (1000, 500)]),
        ("西街", ART, False, [(0, 0), (0, 500)]),
        ("河西路", ART, False, [(400, 0), (400, 500)]),
        ("河东路", ART, False, [(600, 0), (600, 500)]),
        ("东街", ART, False, [(1000, 0), (1000, 500)]),
        ("南街", ART, False, [(0, 0), (400, 0)]),
        ("南桥", ART, False, [(400, 0), (600, 0)]),
        ("东南街", ART, False, [(600, 0), (1000, 0)]),
    ]
)
STATION = place("所", 0, 250)
EAST = place("东", 1000, 250)
WEST = place("西", 200, 0)


def closing(*names: str, modes: tuple[Mode, ...] = MODES) -> Conditions:
    """Close streets by name, one closure each."""
    rows = [RIVER.names.index(name) for name in names]
    segments = [int(np.flatnonzero(RIVER.name == row)[0]) for row in rows]
    is_closed = no_conditions(RIVER).is_closed.copy()
    for mode in modes:
        for segment in segments:
            is_closed[MODES.index(mode), 2 * segment : 2 * segment + 2] = True
    order = np.argsort(segments)
    return replace(
        no_conditions(RIVER),
        is_closed=is_closed,
        closure_ids=tuple(f"封{name}" for name in names),
        segment=np.array(segments, dtype=np.int32)[order],
        closure=order.astype(np.int32),
    )


@pytest.fixture(scope="module")
def river() -> Travel:
    return Travel(RIVER)


def test_one_bridge_closed_is_a_detour_and_two_cut_a_district_off(river: Travel) -> None:
    usual = river.times((STATION, EAST), (Mode.CAR,)).between(Mode.CAR, "所", "东")
    south = river.under(conditions=closing("北桥"))
    assert south.times((STATION, EAST), (Mode.CAR,)).between(Mode.CAR, "所", "东") >= usual
    assert "南桥" in south.legs([(STATION, EAST, Mode.CAR)])[0].names
    south.require_connected([STATION], [EAST, WEST], Mode.CAR)
    both = south.under(conditions=closing("北桥", "南桥"))
    with pytest.raises(PlaceCutOff) as refused:
        both.require_connected([STATION], [EAST, WEST], Mode.CAR, source="venues.csv")
    assert (refused.value.params["n"], refused.value.params["total"]) == (1, 2)
    assert refused.value.params["places"] == "地点东"
    assert "封北桥, 封南桥" in str(refused.value)
    assert "地点所" in str(refused.value)
    river.require_connected([STATION], [EAST], Mode.CAR)  # the first view is as it was


def test_only_closures_around_the_place_are_named(river: Travel) -> None:
    # 西街 is shut too, but it stands around nobody: 南街 leads there.
    shut = river.under(conditions=closing("北桥", "南桥", "河西路"))
    stations, points = shut.snap_places([STATION]), shut.snap_places([EAST])
    assert shut.closures_around(stations, points, Mode.CAR) == ("封北桥", "封南桥")
    assert shut.cut_off(stations, shut.snap_places([EAST, WEST]), Mode.CAR).tolist() == [
        True,
        False,
    ]


def test_a_closure_for_cars_alone_lets_people_on_foot_pass(river: Travel) -> None:
    shut = river.under(conditions=closing("北桥", "南桥", modes=(Mode.CAR,)))
    times = shut.times((STATION, EAST), (Mode.CAR, Mode.FOOT))
    assert times.between(Mode.CAR, "所", "东") == UNREACHABLE
    assert times.between(Mode.FOOT, "所", "东") < UNREACHABLE
    with pytest.raises(PlaceCutOff):
        shut.route([STATION, EAST], Mode.CAR)
    shut.route([STATION, EAST], Mode.FOOT)


def test_places_are_found_on_open_streets_only(river: Travel) -> None:
    on_bridge = lonlat([(500, 490)])
    assert RIVER.names[RIVER.name[river.snap(on_bridge).segment[0]]] == "北桥"
    shut = river.under(conditions=closing("北桥"))
    snapped = shut.snap(on_bridge)
    assert RIVER.names[RIVER.name[snapped.segment[0]]] != "北桥"
    assert snapped.distance[0] == pytest.approx(100.0, abs=0.1)
    # For one mode is for all: a place is one point whoever goes there.
    by_car = river.under(conditions=closing("北桥", modes=(Mode.CAR,)))
    assert np.array_equal(by_car.snap(on_bridge).segment, snapped.segment)


def test_views_share_topology_and_tree(river: Travel) -> None:
    other = river.under(conditions=closing("北桥"), band=TimeBand.PEAK)
    assert other.topology is river.topology
    assert other.ground.snapper is river.ground.snapper
    assert (other.band, other.under().band) == (TimeBand.PEAK, TimeBand.PEAK)
    assert other.under(conditions=no_conditions(RIVER)).snap(lonlat([(500, 500)])).distance[0] < 1.0
    again = Travel(RIVER, topology=river.topology, band=TimeBand.PEAK)
    night = river.times((STATION, EAST), (Mode.CAR,)).between(Mode.CAR, "所", "东")
    peak = again.times((STATION, EAST), (Mode.CAR,)).between(Mode.CAR, "所", "东")
    assert peak > night


def test_nothing_open_to_all_modes_is_refused(river: Travel) -> None:
    with pytest.raises(NetworkEmpty):
        river.under(conditions=closing(*NAMES))


def test_slow_streets_take_longer(river: Travel) -> None:
    rain = replace(no_conditions(RIVER), factor=np.full((len(MODES), RIVER.n_segments), 0.5))
    slow = river.under(conditions=rain)
    for mode in MODES:
        usual, wet = (t.many_to_many(*_pair(t), mode)[0, 0] for t in (river, slow))
        delay = RIVER.profile.junction_delay[mode] * 3
        assert wet == pytest.approx(2 * usual - delay, abs=delay + 3)


def _pair(travel: Travel) -> tuple[Snaps, Snaps]:
    return travel.snap_places([STATION]), travel.snap_places([EAST])


def test_a_place_far_from_every_road_is_named(river: Travel) -> None:
    far = place("河滩", 500, 3500)
    with pytest.raises(StationUnreachable, match="地点河滩"):
        river.route([STATION, far], Mode.CAR, source="stops.csv")
    with pytest.raises(StationUnreachable, match=r"stops\.csv"):
        river.require_near([STATION, far], source="stops.csv")
    river.require_near([STATION, far], limit=3100.0)


def test_a_far_place_is_named_with_its_distance_and_position(river: Travel) -> None:
    """Issue 6: the name alone does not say whether a street or the position is wrong."""
    far = place("河滩", 500, 3500)
    with pytest.raises(StationUnreachable) as refused:
        river.require_near([STATION, far], source="stops.csv")
    assert f"地点河滩 3,000 m [{far.lon:.5f}, {far.lat:.5f}] (nearest" in str(refused.value)
    assert "another area" not in str(refused.value)
    others = [place(f"外{i}", 9000 + i, 9000) for i in range(20)]
    with pytest.raises(StationUnreachable, match="seems to be of another area") as refused:
        river.require_near([STATION, *others])
    assert str(refused.value).count(" m [") == 10
    assert "20/21" in str(refused.value)
    assert "另一个地区" in explain(refused.value, "zh")
    assert "地点外3" in explain(pickle.loads(pickle.dumps(refused.value)), "zh")


def test_all_stops_cut_off_on_a_route_are_named(river: Travel) -> None:
    """Issue 6: of four stops, "1/1 of them" was said to be cut off."""
    shut = river.under(conditions=closing("北桥", "南桥", "东北街"))
    with pytest.raises(PlaceCutOff) as refused:
        shut.route([STATION, EAST, place("回", 0, 100), WEST], Mode.CAR, source="stops.csv")
    assert (refused.value.params["n"], refused.value.params["total"]) == (2, 4)
    assert refused.value.params["places"] == "地点东, 地点回"
    assert refused.value.params["starts"] == "地点所, 地点东"
    assert "封北桥, 封南桥" in str(refused.value)


def test_a_mode_that_is_not_served_is_refused(river: Travel) -> None:
    cars = Travel(RIVER, (Mode.CAR,))
    with pytest.raises(OptionInvalid, match="foot"):
        cars.route([STATION, EAST], Mode.FOOT)


# ------------------------------------------------------------------------------- memory


def test_a_matrix_that_does_not_fit_is_refused(
    river: Travel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.travel.memory.free_memory", lambda: 10 * MIB)
    snaps = river.snap_places([STATION, EAST]).take(np.zeros(2000, dtype=int))
    with pytest.raises(OptionInvalid) as refused:
        river.many_to_many(snaps, snaps, Mode.CAR)
    assert "2,000 x 2,000" in str(refused.value)
    assert "15 MiB, 8 MiB" in str(refused.value)
    for ask in (river.matrix, river.lengths):
        with pytest.raises(OptionInvalid, match="MiB"):
            ask(snaps.take(np.arange(1500)), *_rest(ask, river, snaps))
    # The same, some rows at a time.
    blocks = list(river.blocks(snaps, snaps, Mode.CAR, at_once=MIB))
    assert [rows.start for rows, _ in blocks] == list(range(0, 2000, 131))
    assert all(seconds.nbytes <= MIB for _, seconds in blocks)
    assert not np.concatenate([seconds for _, seconds in blocks]).any()


def _rest(ask: object, river: Travel, snaps: Snaps) -> tuple[object, ...]:
    return ((Mode.CAR, Mode.FOOT),) if ask == river.matrix else (snaps, Mode.CAR)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 400))
def test_blocks_cover_all_rows_once(n_rows: int, n_columns: int, at_once: int) -> None:
    slices = list(row_blocks(n_rows, n_columns, at_once=at_once))
    covered = [i for rows in slices for i in range(rows.start, rows.stop)]
    assert covered == list(range(n_rows))
    assert all(
        4 * n_columns * (rows.stop - rows.start) <= max(at_once, 4 * n_columns) for rows in slices
    )


# ------------------------------------------------------------------- metres, units, turns


def test_metres_by_hand(river: Travel) -> None:
    starts, ends = _pair(river)
    seconds, metres = river.lengths(starts, ends, Mode.CAR)
    assert metres[0, 0] == pytest.approx(250 + 1000 + 250, abs=1.0)
    assert np.array_equal(seconds, river.many_to_many(starts, ends, Mode.CAR))
    shut = river.under(conditions=closing("北桥", "南桥"))
    seconds, metres = shut.lengths(*_pair(shut), Mode.CAR)
    assert (int(seconds[0, 0]), float(metres[0, 0])) == (UNREACHABLE, np.inf)


def test_the_soonest_units_come_first(river: Travel) -> None:
    units = river.snap_places([EAST, STATION, place("近", 300, 0), place("同", 300, 0)])
    row, seconds = river.nearest_units(units, river.snap_places([WEST]), Mode.CAR, k=3)
    assert row.tolist() == [[2, 3, 1]]  # of equally soon units the first
    assert (np.diff(seconds[0]) >= 0).all()
    row, _ = river.nearest_units(units, river.snap_places([WEST]), Mode.CAR, k=9)
    assert row.shape == (1, 4)
    shut = river.under(conditions=closing("北桥", "南桥"))
    row, seconds = shut.nearest_units(
        shut.snap_places([EAST, STATION]), shut.snap_places([WEST]), Mode.CAR, k=2
    )
    assert row.tolist() == [[1, -1]]
    assert seconds[0, 1] == UNREACHABLE


def random_town(seed: int) -> Network:
    """A jittered grid with gaps, one-ways, parallels, a loop and all classes."""
    rng = np.random.default_rng(seed)
    n = 6
    at = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=2).reshape(-1, 2) * 150.0
    at += rng.integers(-40, 40, at.shape)
    right = [(i, i + 1) for i in range(n * n) if (i + 1) % n]
    up = [(i, i + n) for i in range(n * n - n)]
    rows = []
    for a, b in right + up + right[:3]:
        if rng.random() < 0.12:
            continue
        middle = (at[a] + at[b]) / 2 + rng.integers(-15, 15, 2)
        line = [tuple(at[a]), tuple(middle), tuple(at[b])]
        kind = CLASSES[rng.choice([1, 2, 3, 3, 3, 5])]
        rows.append((f"{a // n} 路", kind, bool(rng.random() < 0.3), line))
    corner = at[0]
    loop = [tuple(corner), tuple(corner - [60, 0]), tuple(corner - [0, 60]), tuple(corner)]
    return network_of([*rows, ("环路", LANE, False, loop)])


def by_turns(network: Network, snaps: Snaps, mode: Mode) -> np.ndarray:
    """Seconds with turns by another way: Dijkstra over the arcs, places as sources and sinks."""
    times = arc_times(network, mode)
    graph = turn_graph(network)
    weight = turn_times(network, graph, mode, times)
    run = times.run[snaps.segment].astype(np.int64)
    done = np.rint(snaps.fraction * times.run[snaps.segment]).astype(np.int64)
    is_open = (times.whole < UNREACHABLE).reshape(-1, 2)[snaps.segment]
    n, k = graph.n_arcs, len(snaps)
    fastest: dict[tuple[int, int], int] = {}
    for a, b, w in zip(graph.tail.tolist(), graph.head.tolist(), weight.tolist(), strict=True):
        if w < UNREACHABLE:
            fastest[a, b] = min(w, fastest.get((a, b), w))
            # Turned into: the part of the arc up to each place on it.
            for j in np.flatnonzero(snaps.segment == b >> 1).tolist():
                passed = run[j] - done[j] if b & 1 == 0 else done[j]
                key = (a, n + k + j)
                fastest[key] = min(int(w - passed), fastest.get(key, w))
    for i in range(k):
        for way in range(2):
            if is_open[i, way]:
                rest = int(done[i] if way else run[i] - done[i])
                fastest[n + i, 2 * int(snaps.segment[i]) + way] = rest
    arcs, cost = np.array(list(fastest)).T, np.array(list(fastest.values()), float)
    # scipy takes an explicit 0 for no edge: every edge out of a place is a second longer.
    cost[(arcs[0] >= n) & (arcs[0] < n + k)] += 1000.0
    csr = csr_array((cost + 1e-9, (arcs[0], arcs[1])), shape=(n + 2 * k, n + 2 * k))
    ms = dijkstra(csr, indices=np.arange(n, n + k))[:, n + k :] - 1000.0
    ms = np.rint(ms * 1e3) / 1e3
    for i in range(k):  # straight along the own arc
        for j in np.flatnonzero(snaps.segment == snaps.segment[i]).tolist():
            ahead = done[j] - done[i]
            if ahead == 0 or is_open[i, 0 if ahead > 0 else 1]:
                ms[i, j] = min(ms[i, j], abs(ahead))
    return np.where(np.isinf(ms), UNREACHABLE, np.ceil(np.round(ms, 3) / 1000.0)).astype(np.int32)


@pytest.mark.parametrize("seed", range(6))
def test_with_turns_equal_to_dijkstra_over_arcs(seed: int) -> None:
    network = random_town(seed)
    travel = Travel(network, turns=True)
    spots = np.random.default_rng(seed).integers(-80, 800, (40, 2))
    snaps = travel.snap(lonlat(spots))
    for mode in (Mode.CAR, Mode.FOOT):
        expected = by_turns(network, snaps, mode)
        assert np.array_equal(travel.many_to_many(snaps, snaps, mode), expected), mode


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_legs_and_metres_agree_with_and_without_turns(seed: int, turns: bool) -> None:
    travel = Travel(random_town(seed), turns=turns)
    spots = np.random.default_rng(seed).integers(-80, 800, (20, 2)).tolist()
    places = [place(f"p{i}", *spot) for i, spot in enumerate(spots)]
    snaps = travel.snap_places(places)
    pairs = [(a, b, Mode.CAR) for a in places for b in places]
    legs = travel.legs(pairs)
    seconds, metres = travel.lengths(snaps, snaps, Mode.CAR)
    assert [leg.seconds for leg in legs] == seconds.ravel().tolist()
    # Of equally fast ways the matrix has the shortest, the leg any.
    assert all(leg.length >= m - 0.2 for leg, m in zip(legs, metres.ravel(), strict=True))
    same = [abs(leg.length - m) < 0.2 for leg, m in zip(legs, metres.ravel(), strict=True)]
    assert np.mean(same) > 0.98
    lines = gpd.GeoSeries([shapely.LineString(leg.lonlat) for leg in legs], crs=4326)
    drawn = lines.to_crs(LIAOCHENG_EPSG).length.to_numpy()
    assert drawn == pytest.approx([leg.length for leg in legs], abs=0.1)


def test_turns_cost_more_to_the_left_than_to_the_right() -> None:
    # 路 runs east; at the crossing one goes on, left (north) or right (south), 200 m each.
    cross = network_of(
        [
            ("西", ART, False, [(-200, 0), (0, 0)]),
            ("东", ART, False, [(0, 0), (200, 0)]),
            ("北", ART, False, [(0, 0), (0, 200)]),
            ("南", ART, False, [(0, 0), (0, -200)]),
        ]
    )
    travel = Travel(cross, turns=True)
    start = travel.snap_places([place("起", -150, 0)])
    ends = travel.snap_places([place("直", 150, 0), place("左", 0, 150), place("右", 0, -150)])
    ahead, left, right = travel.many_to_many(start, ends, Mode.CAR)[0].tolist()
    assert ahead < right < left
    assert ahead in {29, 30}  # 300 m at 40 km/h, 2 s at the crossing, next to nothing for 0 degrees


# ------------------------------------------------------------------------------- snapping


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans())
def test_nearest_street_equals_shapely(seed: int, n: int, some_closed: bool) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 6, n)
    offsets = np.r_[0, np.cumsum(counts)]
    xy = rng.integers(0, 30, (int(offsets[-1]), 2)) * 10.0 + 1e5 * rng.integers(0, 2, 1)
    is_open = rng.random(n) < 0.6 if some_closed else np.ones(n, dtype=bool)
    is_open[0] = True
    points = np.r_[rng.uniform(-50, 350, (30, 2)) + xy[0], rng.uniform(-1e6, 1e6, (5, 2)), xy[:3]]
    feet = find_feet(build_tree(xy, offsets, np.ones(n, dtype=bool)), is_open, points)
    lines = shapely.linestrings(xy, indices=np.repeat(np.arange(n), counts))
    distance = shapely.distance(shapely.points(points)[:, None], lines[None, is_open])
    assert feet.distance == pytest.approx(distance.min(axis=1), rel=1e-12, abs=1e-9)
    near = np.isclose(distance, distance.min(axis=1)[:, None], rtol=1e-12, atol=1e-9)
    rows = np.flatnonzero(is_open)
    assert all(s in rows[row] for s, row in zip(feet.segment, near, strict=True))
    at = xy[feet.vertex] + feet.share[:, None] * (xy[feet.vertex + 1] - xy[feet.vertex])
    assert np.hypot(*(at - points).T) == pytest.approx(feet.distance, rel=1e-9, abs=1e-6)


def test_at_a_corner_the_first_segment_counts(river: Travel) -> None:
    corner = river.snap(lonlat([(-10, 510), (1010, -10)]))
    # 北街 and 西街 end at the one corner, 东街 and 东南街 at the other.
    assert corner.segment.tolist() == [0, 6]
