"""What rings that cross themselves enclose."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.io import read_boundaries
from geo.io.place_layers import read_cell_areas
from geo.topology.segment import to_degrees, to_lattice
from geo.topology.winding import areas_of

LON, LAT = 115.9, 36.4
STEP = 1e-7


def ring_of(steps):
    """A ring through lattice points counted from LON, LAT."""
    return shapely.Polygon(to_degrees(to_lattice([LON, LAT]) + np.asarray(steps, dtype=np.int64)))


def winding_at(ring, lonlat):
    """How often a ring winds around a point off it: the sum of the angles it is seen under."""
    x, y = (shapely.get_coordinates(ring) - lonlat).T
    angle = np.arctan2(y, x)
    turns = np.diff(angle)
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    return round(turns.sum() / (2 * np.pi))


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        # a bow tie, a ring that runs over itself, and a hole drawn as part of the outer ring
        ([(0, 0), (2, 2), (2, 0), (0, 2)], 2.0),
        ([(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (2, 0), (2, 2), (0, 2)], 16.0),
        ([(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (1, 1), (1, 2), (2, 2), (2, 1), (1, 1)], 15.0),
    ],
    ids=["bow tie", "overlapping itself", "hole in the ring"],
)
def test_invalid_rings_enclose_what_they_wind_around(shape, area):
    ring = shapely.Polygon(np.array(shape) * 1e-3 + [LON, LAT])
    made = areas_of(ring)
    assert made.is_valid
    assert made.geom_type in {"Polygon", "MultiPolygon"}
    assert made.area * 1e6 == pytest.approx(area, rel=1e-3)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=14),
    st.integers(0, 2**31),
)
def test_points_are_inside_exactly_where_the_ring_winds_around_them(steps, seed):
    """Agreement with the sum of angles, at points farther from the ring than noding moves it."""
    ring = ring_of(np.array(steps) * 1000)
    made = areas_of(ring)
    assert made.is_valid
    random = np.random.default_rng(seed)
    points = np.array([LON, LAT]) + random.uniform(-1000, 31_000, (60, 2)) * STEP
    away = shapely.distance(shapely.get_exterior_ring(ring), shapely.points(points)) > 3 * STEP
    for point in points[away]:
        assert made.covers(shapely.Point(point)) == (winding_at(ring, point) != 0)


def test_a_curve_of_many_crossings_takes_no_memory_of_faces_times_pieces():
    """Issue 5: 1,000 random vertices asked for 24 GiB; a star has as many crossings, and a truth.

    A star of n points that skips k of them winds k times around its middle and leaves no hole.
    """
    n, skip = 401, 100
    angle = 2 * np.pi * np.arange(n) * skip / n
    star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * 0.05 + [LON, LAT])
    made = areas_of(star)
    assert made.is_valid
    assert made.geom_type == "Polygon"
    assert len(made.interiors) == 0
    assert shapely.convex_hull(star).covers(made.buffer(-2 * STEP))
    assert made.covers(shapely.Point(LON, LAT))
    # 2n triangles from the middle to a tip and to where two neighbouring arms cross
    inner = np.cos(np.pi * skip / n) / np.cos(np.pi * (skip - 1) / n)
    assert made.area == pytest.approx(0.05**2 * n * inner * np.sin(np.pi / n), rel=1e-4)


HOLE_IN_THE_RING = [
    (0, 0),
    (40, 0),
    (40, 40),
    (0, 40),
    (0, 0),
    (10, 10),
    (10, 20),
    (20, 20),
    (20, 10),
    (10, 10),
]


@pytest.mark.parametrize("reader", [read_boundaries, read_cell_areas])
def test_readers_keep_a_hole_that_was_drawn_as_part_of_the_ring(tmp_path, reader):
    """Issue 5: both readers filled it, and its households counted twice."""
    ring = ring_of(np.array(HOLE_IN_THE_RING) * 1000)
    column = {"code": "371502001001", "cell_id": "371502001001001", "name": "样例村"}
    gpd.GeoDataFrame({k: [v] for k, v in column.items()}, geometry=[ring], crs=4326).to_file(
        tmp_path / "areas.gpkg"
    )
    reading = reader(tmp_path / "areas.gpkg")
    shape = reading.frame.geometry.iloc[0]
    assert shape.area == pytest.approx(15e8 * STEP**2, rel=1e-6)
    assert [note.code for note in reading.notes].count("note.repaired") == 1
