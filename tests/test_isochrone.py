"""Areas reached in time, on streets that can be checked by hand and against buffers."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.errors import OptionInvalid, StationUnreachable, Stopped
from geo.frames import ISOCHRONES, Col, StreetClass, require
from geo.units import LIAOCHENG_EPSG
from routing.model import Mode, Place
from routing.network import MODES, build_network, no_conditions
from routing.travel import Snaps, Travel
from routing.travel.isochrone import SMALLEST_HOLE, WIDTH, isochrones, warm_up
from routing.travel.isochrone.area import _reached
from routing.travel.isochrone.outline import nested_areas
from routing.travel.isochrone.paint import SIDE, UNPAINTED, paint, paint_reached, streets_of

CORNER = np.array([400_000.0, 4_030_000.0])
"""Corner of the test towns, metres of EPSG:32650."""

TO_LONLAT = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)

Row = tuple[bool, Sequence[tuple[float, float]]]
"""One-way or not, and the line in metres from the corner; every street is a lane of 15 km/h."""

PER_MINUTE = 250.0
"""Metres a car makes on a lane in a minute."""


def lonlat(points: Sequence[tuple[float, float]]) -> np.ndarray:
    at = TO_LONLAT.transform(*(np.array(points, dtype=float) + CORNER).T)
    return np.round(np.stack(at, axis=1), 7)


def town(rows: Sequence[Row], *modes: Mode, **options: object) -> Travel:
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i}" for i in range(len(rows))], dtype="str"),
            Col.NAME: pd.Series([""] * len(rows), dtype="str"),
            Col.STREET_CLASS: pd.Series([StreetClass.LANE.value] * len(rows), dtype="str"),
            Col.ONEWAY: pd.Series([row[0] for row in rows], dtype=bool),
            Col.LANES: np.zeros(len(rows), np.int64),
            Col.MAX_SPEED: np.zeros(len(rows)),
        },
        geometry=gpd.GeoSeries([shapely.LineString(lonlat(row[1])) for row in rows], crs=4326),
    )
    network = build_network(frame, epsg=LIAOCHENG_EPSG)[0]
    return Travel(network, modes or (Mode.CAR,), **options)


def place(name: str, east: float, north: float) -> Place:
    ((lon, lat),) = lonlat([(east, north)])
    return Place(place_id=name, name=f"派出所 {name}", lon=float(lon), lat=float(lat))


def metres(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Areas in metres from the town's corner."""
    shapes = frame.geometry.to_crs(LIAOCHENG_EPSG).to_numpy()
    return shapely.transform(shapes, lambda xy: xy - CORNER)


def block(side: float, west: float = 0.0) -> list[Row]:
    corners = [(west, 0.0), (west + side, 0.0), (west + side, side), (west, side), (west, 0.0)]
    return [(False, corners[i : i + 2]) for i in range(4)]


STRAIGHT: list[Row] = [(False, [(0, 0), (4000, 0)])]


def test_a_straight_street_is_a_band_as_long_as_the_minutes():
    """250 m a minute each way from the middle, 75 m beside it, round ends."""
    travel = town(STRAIGHT)
    found = isochrones(travel, [place("S", 2000, 20)], mode=Mode.CAR, minutes=(4, 2, 6))
    require(found, ISOCHRONES, source="isochrones")
    assert found[Col.MINUTES].tolist() == [2, 4, 6]
    assert found[Col.AREA_ID].tolist() == ["S-car-2", "S-car-4", "S-car-6"]
    for minutes, shape, area in zip((2, 4, 6), metres(found), found[Col.AREA], strict=True):
        expected = 2 * minutes * PER_MINUTE * 2 * WIDTH + np.pi * WIDTH**2
        assert area == pytest.approx(expected, rel=0.05)
        west, south, east, north = shape.bounds
        half = minutes * PER_MINUTE + WIDTH
        assert (west, east) == pytest.approx((2000 - half, 2000 + half), abs=30)
        assert (south, north) == pytest.approx((-WIDTH, WIDTH), abs=15)


def test_a_one_way_is_reached_onwards_by_car_and_both_ways_on_foot():
    # A ring so that the one-way can be left and entered: its south side runs east.
    ring: list[Row] = [
        (True, [(0, 0), (4000, 0)]),
        (False, [(4000, 0), (4000, 2000), (0, 2000), (0, 0)]),
    ]
    travel = town(ring, Mode.CAR, Mode.FOOT)
    origin = [place("S", 2000, 0)]
    (by_car,) = metres(isochrones(travel, origin, mode=Mode.CAR, minutes=(2,)))
    (on_foot,) = metres(isochrones(travel, origin, mode=Mode.FOOT, minutes=(2,)))
    west, _, east, _ = by_car.bounds
    assert west == pytest.approx(2000 - WIDTH, abs=30)
    assert east == pytest.approx(2000 + 2 * PER_MINUTE + WIDTH, abs=30)
    west, _, east, _ = on_foot.bounds
    assert (2000 - west) == pytest.approx(east - 2000, abs=30)


def test_a_large_block_stays_open_and_a_small_one_is_filled():
    found = {}
    for side in (300.0, 600.0):
        travel = town(block(side))
        frame = isochrones(travel, [place("S", 0, 0)], mode=Mode.CAR, minutes=(30,))
        (found[side],) = metres(frame)
    assert not found[300.0].interiors  # the yard of 150 m by 150 m is smaller than a lake
    (hole,) = found[600.0].interiors
    inside = shapely.area(shapely.Polygon(hole))
    assert inside == pytest.approx((600 - 2 * WIDTH) ** 2, rel=0.1)
    assert inside > SMALLEST_HOLE


def test_water_between_two_banks_is_not_painted_over():
    """Two roads 500 m apart with a bridge: the river between stays out but beside the bridge."""
    banks: list[Row] = [
        (False, [(0, 0), (1500, 0)]),
        (False, [(1500, 0), (3000, 0)]),
        (False, [(0, 500), (1500, 500)]),
        (False, [(1500, 500), (3000, 500)]),
        (False, [(1500, 0), (1500, 500)]),
    ]
    frame = isochrones(town(banks), [place("S", 1500, 0)], mode=Mode.CAR, minutes=(20,))
    (area,) = metres(frame)
    assert area.covers(shapely.Point(1500, 250))
    assert not area.intersects(shapely.LineString([(0, 250), (1350, 250)]))


def test_closures_and_turn_costs_hold():
    travel = town(block(1000), Mode.CAR)
    origin = [place("S", 500, 0)]
    closed = np.zeros((len(MODES), 2 * travel.network.n_segments), dtype=bool)
    east_side = int(travel.snap_places([place("E", 1000, 500)]).segment[0])
    closed[:, 2 * east_side : 2 * east_side + 2] = True
    shut = travel.under(conditions=replace(no_conditions(travel.network), is_closed=closed))
    whole, part = (
        metres(isochrones(one, origin, mode=Mode.CAR, minutes=(5,)))[0] for one in (travel, shut)
    )
    assert whole.covers(shapely.Point(1000, 500))
    assert not part.intersects(shapely.Point(1000, 500).buffer(300))
    with_turns = town(block(1000), Mode.CAR, turns=True)
    (turned,) = metres(isochrones(with_turns, origin, mode=Mode.CAR, minutes=(5,)))
    assert turned.area == pytest.approx(whole.area, rel=0.1)


def test_the_union_is_whoever_is_there_first():
    travel = town(STRAIGHT)
    places = [place("S", 500, 0), place("T", 3000, 0)]
    frame = isochrones(travel, places, mode=Mode.CAR, minutes=(2, 4), is_union=True)
    assert frame[Col.PLACE_ID].tolist() == ["S", "S", "T", "T", "", ""]
    areas = metres(frame)
    for k in range(2):
        both = shapely.union(areas[k], areas[2 + k])
        assert shapely.symmetric_difference(both, areas[4 + k]).area < 0.02 * both.area


def test_no_place_and_no_minutes():
    travel = town(STRAIGHT)
    assert len(isochrones(travel, [], mode=Mode.CAR)) == 0
    for minutes in ((), (0, 5), (2000,)):
        with pytest.raises(OptionInvalid, match="1 to 1440"):
            isochrones(travel, [place("S", 0, 0)], mode=Mode.CAR, minutes=minutes)


def test_a_place_off_the_roads_is_named_and_a_stop_is_heard():
    travel = town(STRAIGHT)
    far = place("远", 2000, 3000)
    with pytest.raises(StationUnreachable, match="派出所 远"):
        isochrones(travel, [place("S", 0, 0), far], mode=Mode.CAR)
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        isochrones(travel, [place("S", 0, 0)], mode=Mode.CAR, stop=stop)


# ----------------------------------------------------------------- agreement of two ways


@st.composite
def towns(draw):
    """A grid of lanes with holes and one-ways, bent a little."""
    n = draw(st.integers(2, 5))
    step = draw(st.sampled_from([180.0, 260.0, 420.0]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    at = np.stack(np.meshgrid(np.arange(n + 1), np.arange(n + 1)), axis=2) * step
    at = at + rng.uniform(-60, 60, at.shape)
    rows: list[Row] = []
    for i in range(n + 1):
        for j in range(n + 1):
            for di, dj in ((0, 1), (1, 0)):
                if i + di <= n and j + dj <= n and rng.random() < 0.85:
                    line = [tuple(at[i, j]), tuple(at[i + di, j + dj])]
                    rows.append((bool(rng.random() < 0.25), line))
    return rows, int(rng.integers(0, len(rows)))


def painted(travel: Travel, origins: Snaps, minutes: Sequence[int]):
    limits = np.array(minutes, dtype=np.int32) * 60_000
    streets = streets_of(travel.network, travel.engine(Mode.CAR).times)
    for at_ends, starts in _reached(travel, origins, Mode.CAR):
        yield paint_reached(streets, at_ends, starts, limits)


def samples(travel: Travel, spacing: float = 10.0) -> tuple[Snaps, np.ndarray]:
    """Points along every street, and where they are in metres."""
    network = travel.network
    n = np.maximum(1, np.ceil(network.length / spacing).astype(int))
    segment = np.repeat(np.arange(network.n_segments, dtype=np.int32), n + 1)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(n + 1) - n - 1, n + 1)
    fraction = step / n[segment]
    owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
    lines = np.asarray(shapely.linestrings(network.xy, indices=owner))
    points = shapely.line_interpolate_point(lines[segment], fraction, normalized=True)
    nothing = np.zeros(len(segment))
    snaps = Snaps(segment=segment, fraction=fraction, distance=nothing, lonlat=np.zeros((1, 2)))
    return snaps, shapely.get_coordinates(points)


def buffered(points: np.ndarray) -> tuple[shapely.Geometry, float]:
    """What lies within WIDTH of points, small holes filled: the slow way.

    And the square metres of holes so close to the smallest that either way may be right.
    """
    wide = shapely.get_parts(shapely.union_all(shapely.buffer(shapely.points(points), WIDTH)))
    holes = [shapely.Polygon(hole).area for part in wide for hole in part.interiors]
    unsure = sum(area for area in holes if 0.7 < area / SMALLEST_HOLE < 1.4)
    filled = [
        shapely.Polygon(
            part.exterior,
            [hole for hole in part.interiors if shapely.Polygon(hole).area >= SMALLEST_HOLE],
        )
        for part in wide
    ]
    return shapely.union_all(filled), unsure


@settings(max_examples=25)
@given(towns())
def test_areas_are_the_streets_the_matrix_reaches(made):
    """Against points every 10 m timed by the matrix, and shapely's buffer of them."""
    rows, start = made
    travel = town(rows)
    (x0, y0), (x1, y1) = rows[start][1]
    snaps = travel.snap_places([place("S", (x0 + x1) / 2, (y0 + y1) / 2)])
    minutes = (1, 2, 4)
    ((corner, field),) = painted(travel, snaps, minutes)
    exact = nested_areas(corner, field, tolerance=0.0)
    points, xy = samples(travel)
    seconds = travel.many_to_many(snaps, points, Mode.CAR)[0]
    for area, limit in zip(exact, minutes, strict=True):
        reached = xy[seconds <= 60 * limit]
        assert shapely.distance(area, shapely.points(reached)).max() < 1e-6
        drawn, unsure = buffered(reached)
        beyond = shapely.points(xy[~shapely.contains_xy(drawn.buffer(30.0), xy)])
        assert not shapely.intersects(area, beyond).any()
        moved = shapely.symmetric_difference(drawn, area).area
        assert moved < 10.0 * drawn.length + unsure  # 10 m all along, a fifth of a cell


@settings(max_examples=25)
@given(towns())
def test_areas_are_valid_and_nested_whatever_the_town(made):
    rows, start = made
    travel = town(rows)
    ends = rows[start][1]
    places = [place("S", *ends[0]), place("T", *ends[1])]
    frame = isochrones(travel, places, mode=Mode.CAR, minutes=(1, 2, 3, 5), is_union=True)
    areas = np.asarray(frame.geometry.to_numpy()).reshape(-1, 4)
    assert shapely.is_valid(areas).all()
    for smaller, larger in zip(areas.T[:-1], areas.T[1:], strict=True):
        assert shapely.covers(larger, smaller).all()
    assert (np.diff(frame[Col.AREA].to_numpy().reshape(-1, 4), axis=1) >= 0).all()


def test_simplifying_moves_little_and_drops_most_vertices():
    rng = np.random.default_rng(4)
    rows = [
        (False, [(x, y), (x + 300 * (k == 0), y + 300 * (k == 1))])
        for x in range(0, 3000, 300)
        for y in range(0, 3000, 300)
        for k in range(2)
        if rng.random() < 0.9
    ]
    travel = town(rows)
    snaps = travel.snap_places([place("S", 1500, 1500)])
    ((corner, field),) = painted(travel, snaps, (3, 6))
    exact, simple = nested_areas(corner, field, tolerance=0.0), nested_areas(corner, field)
    for before, after in zip(exact, simple, strict=True):
        assert shapely.symmetric_difference(before, after).area < 0.04 * before.area
        assert shapely.get_num_coordinates(after) < 0.75 * shapely.get_num_coordinates(before)


def test_the_grid_of_two_origins_is_one_grid():
    travel = town(STRAIGHT)
    snaps = travel.snap_places([place("S", 700, 0), place("T", 2513, 0)])
    for corner, field in painted(travel, snaps, (1,)):
        assert not (corner % SIDE).any()
        rim = np.concatenate([field[0, 0], field[0, -1], field[0, :, 0], field[0, :, -1]])
        assert (rim == UNPAINTED).all()


def test_after_warm_up_nothing_is_left_to_compile():
    warm_up()
    before = len(paint.signatures)  # type: ignore[attr-defined]
    isochrones(town(STRAIGHT), [place("S", 0, 0)], mode=Mode.CAR)
    assert len(paint.signatures) == before  # type: ignore[attr-defined]
