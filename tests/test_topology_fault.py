"""Faults of a coverage: what is found, what it is called, how large it is.

a b     four squares of 100 m inside one parent of 200 m
c d
"""

import runpy
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import FAULTS, Col, require
from geo.topology import Limits, find_faults, find_nested_faults
from geo.topology.coverage import in_metres
from geo.topology.node import snap_round

squares = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("topology_squares.py"))))
A, B, C, D, TOWN, EPSG = (getattr(squares, name) for name in ("A", "B", "C", "D", "TOWN", "EPSG"))
at, box, frame, nested, LON, LAT = (
    getattr(squares, name) for name in ("at", "box", "frame", "nested", "LON", "LAT")
)


def faults(*shapes, parents=(TOWN,), **options):
    above = frame(*parents, codes=[f"P{k}" for k in range(len(parents))]) if parents else None
    found = find_faults(frame(*shapes), epsg=EPSG, parents=above, **options)
    require(found, FAULTS, source="faults", allow_empty=True)
    return found


def said(found):
    return list(zip(found[Col.KIND], found[Col.UNIT_CODES], strict=True))


@pytest.mark.parametrize("parents", [(TOWN,), ()], ids=["with a parent", "alone"])
def test_a_coverage_in_order_has_no_fault(parents):
    assert len(faults(A, B, C, D, parents=parents)) == 0


def test_gap_overlap_and_sliver_are_told_apart_and_measured():
    gap = faults((0, 100, 95, 200), B, C, D)
    overlap = faults(A, (95, 100, 200, 200), C, D)
    sliver = faults((0, 100, 99.7, 200), B, C, D)
    assert said(gap) == [("gap", "a,b,c")]
    assert said(overlap) == [("overlap", "a,b")]
    assert said(sliver) == [("sliver", "a,b,c")]
    assert gap[Col.AREA].iloc[0] == pytest.approx(500, rel=0.005)
    assert overlap[Col.AREA].iloc[0] == pytest.approx(500, rel=0.005)
    assert list(gap[Col.N_COVER]) == [0]
    assert list(overlap[Col.N_COVER]) == [2]
    assert gap[Col.WIDTH].iloc[0] == pytest.approx(2 * 500 / 210, rel=0.01)


def test_a_gap_at_the_border_needs_the_parent_to_be_seen():
    assert said(faults((0, 100, 100, 190), B, C, D)) == [("gap", "a,b")]
    assert "gap" not in set(faults((0, 100, 100, 190), B, C, D, parents=())[Col.KIND])


def test_what_lies_outside_the_parent_is_astray():
    assert said(faults((-3, 100, 100, 200), B, C, D)) == [("stray", "a")]
    assert said(faults(A, B, C, D, (300, 0, 350, 50)))[0] == ("stray", "e")


def test_a_child_in_the_next_parent_is_astray():
    #  a b | parents: west and east half; b reaches 5 m into the west half, a stops there
    west, east = (0, 0, 100, 200), (100, 0, 200, 200)
    units = frame((0, 0, 95, 200), (95, 0, 200, 200)).assign(admin_parent=["P0", "P1"])
    parents = frame(west, east, codes=["P0", "P1"])
    found = find_faults(units, epsg=EPSG, parents=parents)
    assert said(found) == [("stray", "b")]
    assert found[Col.AREA].iloc[0] == pytest.approx(1000, rel=0.005)


def test_an_enclave_needs_a_hole_in_its_host():
    inside = (20, 20, 60, 60)
    assert said(faults(A, B, C, D, inside)) == [("enclave", "c,e")]
    host = shapely.difference(box(*C), box(*inside))
    assert len(faults(A, B, host, D, inside)) == 0


def test_a_large_gap_is_a_question_and_a_real_hole_of_the_parent_is_none():
    hole = shapely.difference(box(*A), box(20, 120, 80, 180))
    assert said(faults(hole, B, C, D, limits=Limits(hole_area=3000)))[0][0] == "hole"
    assert said(faults(hole, B, C, D, limits=Limits(hole_area=4000)))[0][0] == "gap"
    parent = shapely.difference(box(*TOWN), box(20, 120, 80, 180))
    assert len(faults(hole, B, C, D, parents=(parent,))) == 0


def test_the_same_polygon_twice_is_found_though_every_segment_has_its_pair():
    #  all segments of two equal squares occur exactly twice
    assert said(faults(A, A, parents=())) == [("enclave", "a,b")]


def test_two_levels_in_one_layer_are_overlaps():
    found = faults(A, B, C, D, TOWN)
    assert sorted(said(found)) == [("enclave", f"{unit},e") for unit in "abcd"]


def test_vertices_of_one_side_only_are_named_without_an_area():
    bent = shapely.Polygon([at(0, 100), at(50, 100), at(100, 100), at(100, 200), at(0, 200)])
    found = faults(bent, B, C, D)
    assert set(found[Col.KIND]) == {"unmatched"}
    assert found[Col.AREA].max() < 0.5


def test_self_intersection_and_several_parts_are_listed():
    bow = shapely.Polygon([at(0, 100), at(100, 200), at(100, 100), at(0, 200)])
    found = faults(bow, B, C, D)
    assert {"self_intersection", "multipart", "gap"} <= set(found[Col.KIND])
    place = found[found[Col.KIND] == "self_intersection"].geometry.iloc[0]
    assert place.distance(shapely.Point(at(50, 150))) < 1e-6


def test_a_border_straight_in_degrees_is_no_sliver_in_metres():
    # 7 km slanting: a vertex in its middle lies 0.3 m off the chord in UTM, none in degrees
    a, b = (115.5, 36.0), (115.55, 36.05)
    middle = (115.525, 36.025)
    west = shapely.Polygon([a, middle, b, (115.5, 36.05)])
    parent = shapely.Polygon([a, b, (115.5, 36.05)])
    found = find_faults(
        frame(west),
        epsg=EPSG,
        parents=gpd.GeoDataFrame({"code": ["P"]}, geometry=[parent], crs=4326),
    )
    assert len(found) == 0


def test_metres_agree_with_the_metric_crs():
    shape = box(0, 0, 300, 200)
    true = gpd.GeoSeries([shape], crs=4326).to_crs(EPSG).area.iloc[0]
    assert shapely.area(in_metres([shape], EPSG))[0] == pytest.approx(true, rel=1e-5)


lattice_point = st.tuples(st.integers(0, 40), st.integers(0, 40))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(lattice_point, lattice_point), min_size=1, max_size=25))
def test_noded_pieces_meet_at_their_ends_only(segments):
    ends = np.array([pair for pair in segments if pair[0] != pair[1]] or [((0, 0), (1, 1))])
    chains = snap_round(ends[:, 0], ends[:, 1])
    _, begin, end = chains.edges()
    lines = shapely.linestrings(np.stack([begin, end], axis=1))
    one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    common = shapely.intersection(lines[one], lines[other])
    at_ends = shapely.covers(shapely.boundary(lines[one]), common)
    same = shapely.equals(lines[one], lines[other])
    assert (at_ends | same).all()
    # no piece is farther than a pixel's corner from its segment
    row = chains.edges()[0]
    assert shapely.hausdorff_distance(lines, shapely.linestrings(ends)[row]).size == len(lines)
    off = shapely.distance(shapely.points(begin), shapely.linestrings(ends)[row])
    assert off.max(initial=0) <= 0.7072


def test_every_level_is_looked_at_and_an_independent_grid_is_no_overlap():
    assert len(find_nested_faults(nested(), epsg=EPSG)) == 0
    found = find_nested_faults(nested(u371599102202=(103, 0, 200, 100)), epsg=EPSG)
    assert list(found[Col.LEVEL]) == ["village"]
    assert "371599102202" in found[Col.UNIT_CODES].iloc[0]


def test_an_independent_grid_must_lie_in_its_village():
    found = find_nested_faults(nested(u37159910120101=(20, 120, 110, 160)), epsg=EPSG)
    assert said(found) == [("stray", "37159910120101")]
    assert found[Col.AREA].iloc[0] == pytest.approx(400, rel=0.01)
    assert list(found[Col.LEVEL]) == ["independent"]


def test_an_independent_unit_of_its_own_level_tiles_like_any_other():
    # a market with a township code of its own beside township 1: the register has such units
    town = nested(u371599101=(0, 100, 100, 200), u371599101202=(0, 100, 100, 200))
    town = town[~town[Col.CODE].isin({"371599101202", "37159910120101"})]
    market = town.iloc[[1]].assign(code="371599400", grid_role="independent")
    market = market.set_geometry(gpd.GeoSeries([box(*B)], index=market.index, crs=4326))
    both = gpd.GeoDataFrame(pd.concat([town, market], ignore_index=True), crs=4326)
    # township 2 has no vertex where the two meet on its border: the only thing to say
    assert set(find_nested_faults(both, epsg=EPSG)[Col.KIND]) == {"unmatched"}


def crooked(rng, n=4, side=200, bends=12, amplitude=7):
    """Return n x n units that tile a square, their inner borders zigzags on the lattice."""
    share = np.linspace(0, 1, bends + 1)[:, None]

    def line(begin, end, is_outer):
        points = np.array(begin) * (1 - share) + np.array(end) * share
        if not is_outer:
            points[1:-1] += rng.uniform(-amplitude, amplitude, (bends - 1, 2))
        return [at(x, y) for x, y in points]

    flat = {
        (i, j): line((i * side, j * side), ((i + 1) * side, j * side), j in (0, n))
        for i in range(n)
        for j in range(n + 1)
    }
    steep = {
        (i, j): line((i * side, j * side), (i * side, (j + 1) * side), i in (0, n))
        for i in range(n + 1)
        for j in range(n)
    }
    return [
        shapely.Polygon(
            flat[i, j] + steep[i + 1, j] + flat[i, j + 1][::-1] + steep[i, j][::-1],
        )
        for i in range(n)
        for j in range(n)
    ]


discs = st.lists(
    st.tuples(st.floats(60, 740), st.floats(60, 740), st.floats(2, 55)), min_size=1, max_size=5
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(discs, st.integers(0, 9))
def test_gaps_are_what_the_parent_has_and_the_units_have_not(cut, seed):
    """Issue 5: discs that left a unit in several parts hid the gap beside it."""
    units = crooked(np.random.default_rng(seed))
    parent = shapely.coverage_union_all(units)
    whole = shapely.union_all([shapely.Point(at(x, y)).buffer(r * 1e-5) for x, y, r in cut])
    left = shapely.transform(shapely.difference(units, whole), lambda xy: np.round(xy, 7))
    found = faults(*shapely.make_valid(left), parents=(parent,))
    gaps = found[found[Col.N_COVER] == 0]
    union = shapely.union_all(shapely.make_valid(left))
    truth = shapely.area(in_metres([shapely.difference(parent, union)], EPSG))[0]
    assert gaps[Col.AREA].sum() == pytest.approx(truth, rel=1e-3, abs=1)
    assert shapely.area(in_metres([shapely.union_all(gaps.geometry)], EPSG))[0] == pytest.approx(
        truth, rel=1e-3, abs=1
    )


def test_several_parts_alone_are_no_fault_of_their_neighbours():
    parts = shapely.union_all([box(*A), box(*D)])
    found = faults(parts, B, C)
    assert said(found) == [("multipart", "a")]
