"""Segments of a coverage: shared borders and faults.

a b     four squares of 100 m
c d
"""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.topology import coverage_faults, segments_of, shared_borders, to_lattice, vertex_keys

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0


def lonlat(shapes):
    frame = gpd.GeoSeries(shapes, crs=EPSG).to_crs(4326)
    return shapely.transform(frame.to_numpy(), lambda xy: np.round(xy, 7))


def squares(changes=None):
    shapes = [
        shapely.box(WEST + 100 * x, SOUTH + 100 * y, WEST + 100 * x + 100, SOUTH + 100 * y + 100)
        for y in (1, 0)
        for x in (0, 1)
    ]
    for row, shape in (changes or {}).items():
        shapes[row] = shape
    return gpd.GeoDataFrame(geometry=lonlat(shapes), crs=4326)


def test_keys_are_equal_exactly_where_written_coordinates_are():
    here = np.array([[115.9750001, 36.4560001]])
    assert vertex_keys(here) == vertex_keys(here + 4e-8)
    assert vertex_keys(here) != vertex_keys(here + 1e-7)
    assert list(to_lattice(here)[0]) == [1159750001, 364560001]


def test_shared_borders_of_four_squares():
    segments = segments_of(squares().geometry.to_numpy())
    borders = shared_borders(segments, np.full(len(segments.low), 100.0))
    assert borders.pairs.tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert borders.length.tolist() == [100.0] * 4


def test_borders_of_nothing():
    segments = segments_of(squares().geometry.to_numpy()[:1])
    assert len(shared_borders(segments, np.zeros(len(segments.low))).pairs) == 0


def test_clean_coverage_has_no_fault():
    assert len(coverage_faults(squares(), epsg=EPSG)) == 0


@pytest.mark.parametrize(
    ("east", "kind"), [(WEST + 199.5, "gap"), (WEST + 98.0, "overlap")], ids=["gap", "overlap"]
)
def test_planted_fault_is_found_and_named(east, kind):
    #  square a ends at x = 98 .. or square b begins too far west
    whole = shapely.union_all(squares().geometry.to_numpy())
    if kind == "gap":
        changed = {0: shapely.box(WEST, SOUTH + 100, WEST + 99.5, SOUTH + 200)}
    else:
        changed = {1: shapely.box(east, SOUTH + 100, WEST + 200, SOUTH + 200)}
    faults = coverage_faults(squares(changed), epsg=EPSG, outer=whole)
    assert kind in set(faults.kind)
    assert faults.geometry.crs == "EPSG:4326"
    assert faults["length"].max() == pytest.approx(100.0, abs=3.0)


def test_missing_square_is_a_gap_only_when_the_outline_says_so():
    three = squares().iloc[:3]
    whole = shapely.union_all(squares().geometry.to_numpy())
    assert len(coverage_faults(three, epsg=EPSG)) == 0
    assert len(coverage_faults(three, epsg=EPSG, outer=whole)) == 2
