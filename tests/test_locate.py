"""Points to cells: one owner for every point, from the geometry alone.

Coordinates are small whole numbers of lattice steps (1e-7 degree, about 1 cm), east of (116, 36):

  20 ┌────┬────┐       a border's points belong to the east: (10, 15) to B, (10, 5) to D;
     │ A  │ B  │       on the level border to the north: (5, 10) to A; so the middle to B.
  10 ├────┼────┤       On the outer border where nothing lies east: the nearest, at a corner the
     │ C  │ D  │       first counterclockwise from east: (10, 20) to A, (20, 10) to B.
   0 └────┴────┘
     0   10   20
"""

import itertools
from datetime import date
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.errors import FileEmpty, OptionInvalid
from geo.frames import JOIN_AUDIT, JoinCase, require
from geo.grid.locate import (
    assign_cells,
    audit_join,
    build_index,
    find_owners,
    index_of,
    join_points,
    locate,
    look_up,
    nearest_units,
    split_by_cells,
)
from geo.grid.locate.index import fill_bins
from geo.grid.locate.rule import _locate, _owner

EPSG = 32650
ORIGIN, STEP = np.array([1_160_000_000, 360_000_000]), 1e7
FOUR = {
    "A": shapely.box(0, 10, 10, 20),
    "B": shapely.box(10, 10, 20, 20),
    "C": shapely.box(0, 0, 10, 10),
    "D": shapely.box(10, 0, 20, 10),
}


def degrees(xy):
    return (np.asarray(xy, dtype=np.float64).reshape(-1, 2) + ORIGIN) / STEP


def placed(shapes):
    return shapely.transform(np.array(list(shapes), dtype=object), degrees)


def cells_of(shapes):
    return gpd.GeoDataFrame(
        {"cell_id": pd.Series(list(shapes), dtype="str")},
        geometry=placed(shapes.values()),
        crs=4326,
    )


def points_at(xy):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*degrees(xy).T), crs=4326)


def owners(xy, shapes=FOUR):
    return list(assign_cells(points_at(xy), cells_of(shapes), epsg=EPSG))


@pytest.mark.parametrize(
    ("xy", "owner"),
    [
        ((5, 5), "C"),
        ((10, 15), "B"),
        ((10, 5), "D"),
        ((5, 10), "A"),
        ((15, 10), "B"),
        ((10, 10), "B"),
        ((0, 5), "C"),
        ((5, 0), "C"),
        ((0, 10), "A"),
        ((10, 0), "D"),
        ((0, 0), "C"),
        ((20, 5), "D"),
        ((5, 20), "A"),
        ((10, 20), "A"),
        ((20, 10), "B"),
        ((20, 20), "B"),
        ((21, 10), "B"),  # 0.9 cm beyond the corner of B and D
        ((-1, 15), "A"),
        ((22, 5), ""),  # 1.8 cm
        ((5, 21), ""),  # 1.1 cm: a step northwards is longer
    ],
)
def test_the_rule_by_hand(xy, owner):
    assert owners([xy]) == [owner]
    index = build_index(placed(FOUR.values()))
    row = look_up(index, *degrees([xy])[0])
    assert ([*FOUR, ""])[row] == owner


def test_codes_and_order_do_not_matter():
    xy = [(x, y) for x in range(-1, 22) for y in range(-1, 22)]
    first = owners(xy)
    back = dict(reversed(FOUR.items()))
    assert owners(xy, back) == first
    renamed = dict(zip("DCBA", FOUR.values(), strict=True))
    name = dict(zip(FOUR, "DCBA", strict=True))
    assert [name.get(one, "") for one in first] == owners(xy, renamed)


def by_definition(shape, x, y):
    """Say whether a polygon holds a point moved by (e, e²), in exact whole numbers."""
    e = 10**8  # steps are divided by 10**16 parts
    px, py = int(x) * e * e + e, int(y) * e * e + 1
    odd = False
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        corners = [(int(a) * e * e, int(b) * e * e) for a, b in ring.coords]
        for (ax, ay), (bx, by) in itertools.pairwise(corners):
            if (ay > py) != (by > py):
                turn = (bx - ax) * (py - ay) - (px - ax) * (by - ay)
                odd ^= (turn > 0) == (by > ay)
    return odd


@st.composite
def coverages(draw):
    """Triangles of random points, some dissolved: an edge-matched coverage."""
    number = st.integers(0, 14)
    spots = draw(st.lists(st.tuples(number, number), min_size=4, max_size=14, unique=True))
    triangles = np.array(shapely.delaunay_triangles(shapely.MultiPoint(spots)).geoms, dtype=object)
    if len(triangles) == 0:
        return [shapely.box(0, 0, 7, 5)]
    label = draw(st.lists(st.integers(0, 5), min_size=len(triangles), max_size=len(triangles)))
    return [
        shapely.coverage_union_all(triangles[np.array(label) == one]) for one in sorted(set(label))
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(coverages(), st.randoms(use_true_random=False))
def test_every_point_inside_has_exactly_one_owner(shapes, random):
    whole = shapely.union_all(shapes)
    xy = [(x, y) for x in range(15) for y in range(15) if whole.covers(shapely.Point(x, y))]
    holding = [[k for k, s in enumerate(shapes) if by_definition(s, *p)] for p in xy]
    inner = [whole.contains_properly(shapely.Point(p)) for p in xy]
    assert all(len(h) == 1 for h, is_inner in zip(holding, inner, strict=True) if is_inner)
    row = locate(build_index(placed(shapes)), degrees(xy))
    for found, held, point in zip(row, holding, xy, strict=True):
        assert shapes[found].intersects(shapely.Point(point))
        assert held in ([], [found])
    order = list(range(len(shapes)))
    random.shuffle(order)
    again = locate(build_index(placed([shapes[k] for k in order])), degrees(xy))
    assert [order[k] for k in again] == row.tolist()


def city_like(seed, n=300):
    """Voronoi cells of random places over 3 km, on the lattice, edge-matched."""
    rng = np.random.default_rng(seed)
    spots = shapely.MultiPoint(rng.uniform(0, 300_000, (n, 2)))
    frame = shapely.box(0, 0, 300_000, 300_000)
    faces = np.array(shapely.voronoi_polygons(spots, extend_to=frame).geoms, dtype=object)
    lines = shapely.union_all(shapely.boundary(faces), grid_size=1.0)
    return shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))


def test_nothing_differs_from_geos_off_the_borders():
    shapes = city_like(5)
    rng = np.random.default_rng(6)
    xy = rng.integers(-5_000, 305_000, (20_000, 2))
    row, is_plain = find_owners(build_index(placed(shapes)), degrees(xy))
    point, shape = shapely.STRtree(shapes).query(shapely.points(xy), predicate="within")
    wanted = np.full(len(xy), -1)
    wanted[point] = shape
    plain = is_plain & (row >= 0)
    assert (row[plain] == wanted[plain]).all()
    assert (wanted[~plain] == -1).all()


def test_every_inner_vertex_of_a_large_coverage_has_one_owner():
    shapes = city_like(7)
    corners = np.unique(shapely.get_coordinates(shapes), axis=0)
    outline = shapely.boundary(shapely.union_all(shapes))
    inner = corners[shapely.distance(outline, shapely.points(corners)) > 2.0]
    row, is_plain = find_owners(build_index(placed(shapes)), degrees(inner))
    assert not is_plain.any()
    assert [by_definition(shapes[k], *p) for k, p in zip(row, inner, strict=True)] == [True] * len(
        inner
    )


def test_where_polygons_overlap_by_intent_the_lowest_rank_owns():
    village, enclave = shapely.box(0, 0, 40, 40), shapely.box(10, 10, 20, 20)
    shapes = placed([village, enclave])
    xy = [(15, 15), (10, 15), (20, 15), (15, 10), (15, 20), (5, 5), (40, 40)]
    deepest = locate(build_index(shapes, rank=np.array([3, 2])), degrees(xy))
    assert deepest.tolist() == [1, 1, 0, 1, 0, 0, 0]
    swapped = locate(build_index(shapes[::-1], rank=np.array([-1, 5])), degrees(xy))
    assert (1 - swapped).tolist() == deepest.tolist()


def test_at_the_common_outer_border_the_deepest_unit_owns():
    town, village = shapely.box(0, 0, 40, 20), shapely.box(20, 0, 40, 20)
    index = build_index(placed([town, village]), rank=np.array([0, -1]))
    assert locate(index, degrees([(40, 10), (41, 10), (30, 20), (10, 20)])).tolist() == [1, 1, 1, 0]


def test_a_hole_is_not_owned_and_its_far_border_is_outer():
    ring = shapely.box(0, 0, 30, 30) - shapely.box(10, 10, 20, 20)
    assert owners([(15, 15), (20, 15), (10, 15), (9, 15)], {"R": ring}) == ["", "R", "R", "R"]


def test_positions_that_are_none_lie_nowhere():
    points = points_at([(5, 5), (15, 15), (1, 1)])
    points.loc[1, "geometry"] = None
    points.loc[2, "geometry"] = shapely.Point()
    assert list(assign_cells(points, cells_of(FOUR), epsg=EPSG)) == ["C", "", ""]
    index = build_index(placed(FOUR.values()))
    wild = np.array([[np.nan, 36.0], [116.0, np.inf], [1e300, 36.0], [-116.0, -36.0]])
    assert locate(index, wild).tolist() == [-1] * 4
    assert look_up(index, float("nan"), 36.0) == -1


def test_the_index_of_the_points_is_kept():
    points = points_at([(5, 5), (15, 15)])
    points.index = ["a", "b"]
    wanted = {"a": "C", "b": "B"}
    assert assign_cells(points, cells_of(FOUR), epsg=EPSG).to_dict() == wanted
    assert join_points(points, cells_of(FOUR)).cell_id.to_dict() == wanted


def test_no_points_and_no_cells():
    nothing, cells = points_at([(0, 0)]).iloc[:0], cells_of(FOUR)
    assert len(assign_cells(nothing, cells, epsg=EPSG)) == 0
    assert len(audit_join(nothing, cells)) == 0
    for join in (join_points, audit_join, partial(assign_cells, epsg=EPSG)):
        with pytest.raises(FileEmpty):
            join(points_at([(0, 0)]), cells.iloc[:0])


def test_the_nearest_polygon_is_as_far_as_the_geodesic_says():
    square = shapely.box(0, 0, 100_000, 100_000)  # about 900 m x 1,100 m
    index = build_index(placed([square]))
    xy = np.array([(150_000, 50_000), (50_000, 160_000), (140_000, 130_000), (90_000, 40_000)])
    edge = np.array([(100_000, 50_000), (50_000, 100_000), (100_000, 100_000), (100_000, 40_000)])
    row, distance = nearest_units(index, degrees(xy), reach=5_000.0, but=np.full(4, -1))
    wanted = Geod(ellps="WGS84").inv(*degrees(xy).T, *degrees(edge).T)[2]
    assert row.tolist() == [0] * 4
    assert distance == pytest.approx(wanted, rel=1e-3)
    row, distance = nearest_units(index, degrees(xy), reach=400.0, but=np.full(4, -1))
    assert row.tolist() == [-1, -1, -1, 0]
    assert np.isnan(distance[:3]).all()


def test_the_nearest_of_many_agrees_with_geos():
    shapes = city_like(11, n=120)
    rng = np.random.default_rng(12)
    xy = rng.integers(-80_000, 380_000, (300, 2))
    index = build_index(placed(shapes))
    inside = locate(index, degrees(xy))
    outer = xy[inside < 0]
    row, distance = nearest_units(index, degrees(outer), reach=9e4, but=np.full(len(outer), -1))
    scaled = shapely.transform(shapes, lambda p: p * (0.902, 1.11))  # cm, near enough to rank
    gap = shapely.distance(shapely.points(outer * (0.902, 1.11))[:, None], scaled[None, :])
    assert gap[np.arange(len(outer)), row] == pytest.approx(gap.min(axis=1), rel=1e-3)
    assert distance == pytest.approx(gap.min(axis=1) / 100, rel=5e-3)


# ---- the audit


def audit_town():
    xy = [(5, 5), (10, 15), (10, 10), (20, 5), (21, 10), (200, 5), (10**8, 5)]
    points = points_at(xy)
    points["venue_id"] = pd.Series([f"v{k}" for k in range(len(xy))], dtype="str")
    points.loc[len(points)] = [None, "v7"]
    return points


def test_the_audit_lists_what_is_not_plain_and_offers_the_nearest():
    join = join_points(audit_town(), cells_of(FOUR), key="venue_id")
    require(join.audit, JOIN_AUDIT, source="audit")
    assert list(join.cell_id) == ["C", "B", "B", "D", "B", "", "", ""]
    listed = join.audit.set_index("point_id")
    assert listed.join_case.to_dict() == {
        "v1": "border",
        "v2": "border",
        "v3": "outer",
        "v4": "outer",
        "v5": "outside",
        "v6": "outside",
        "v7": "unplaced",
    }
    assert list(listed.cell_id) == ["B", "B", "D", "B", "", "", ""]
    assert list(listed.nearest_id) == ["A", "A", "", "D", "D", "", ""]
    assert listed["distance"]["v1"] == listed["distance"]["v2"] == 0.0
    assert listed["distance"]["v5"] == pytest.approx(1.62, abs=0.02)
    assert listed["distance"][["v3", "v6", "v7"]].isna().all()
    assert listed.geometry.isna().to_dict()["v7"]
    counts = [join.count(case) for case in JoinCase]
    assert counts == [2, 2, 2, 1]
    rate = join.matched(data_date=date(2026, 11, 20), boundary_version="2023-06")
    assert str(rate) == "5/8 (62.5 %)"


def test_the_audit_counts_rows_where_no_key_is_named():
    audit = audit_join(audit_town().drop(columns="venue_id"), cells_of(FOUR))
    assert list(audit.point_id) == ["2", "3", "4", "5", "6", "7", "8"]
    clean = audit_join(points_at([(5, 5)]), cells_of(FOUR))
    require(clean, JOIN_AUDIT, source="audit", allow_empty=True)
    assert len(clean) == 0


def test_nothing_offered_is_applied():
    points, cells = audit_town(), cells_of(FOUR)
    before = points.copy()
    join = join_points(points, cells, key="venue_id")
    assert list(join.cell_id) == list(assign_cells(points, cells, epsg=EPSG))
    pd.testing.assert_frame_equal(points, before)


def test_rows_outside_are_listed_with_their_position():
    split = split_by_cells(audit_town(), cells_of(FOUR), layer="venues", key="venue_id", epsg=EPSG)
    assert list(split.unmatched["id"]) == ["v5", "v6", "v7"]
    assert split.unmatched.lon[0] == degrees([(200, 5)])[0, 0]
    assert split.unmatched.lon.isna().tolist() == [False, False, True]


def test_each_kernel_is_compiled_once():
    join_points(audit_town(), cells_of(FOUR))
    look_up(build_index(placed(FOUR.values())), 116.0, 36.0)
    assert [len(k.signatures) for k in (fill_bins, _locate, _owner)] == [1, 1, 1]


def test_single_points_get_the_code_of_their_grid():
    """Issue 5: from a frame of grids straight to codes."""
    squares = [shapely.box(116.0 + k / 100, 36.0, 116.01 + k / 100, 36.01) for k in range(2)]
    codes = pd.Series(["west", "east"], dtype="str")
    cells = gpd.GeoDataFrame({"cell_id": codes}, geometry=squares, crs=4326)
    grids = index_of(cells)
    where = [(116.005, 36.005), (116.01, 36.005), (116.5, 36.005)]
    assert [grids.code_at(*one) for one in where] == ["west", "east", ""]
    metric = cells.to_crs(32650)
    points = gpd.GeoDataFrame(geometry=[shapely.Point(116.005, 36.005)], crs=4326)
    for work in (join_points, lambda p, c: assign_cells(p, c, epsg=32650)):
        with pytest.raises(OptionInvalid, match=r"cells\.crs: EPSG:32650"):
            work(points, metric)
        with pytest.raises(OptionInvalid, match=r"points\.crs: EPSG:32650"):
            work(points.to_crs(32650), cells)
