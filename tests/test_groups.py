"""Groups of 10 to 30 households inside basic grids of a hand-checkable town.

100 ┌────┬────┬────┬────┬────┬────┐   grid 371502001001001, 600 m x 100 m,
    │ 10 │ 10 │ 10 │ 10 │ 10 │ 10 │   one building in the middle of each 100 m:
  0 └────┴────┴────┴────┴────┴────┘   three groups of two buildings side by side
    0   100  200  300  400  500  600
"""

import threading
from datetime import date
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import OptionInvalid, Stopped, ValueInvalid
from geo.frames import BUILDINGS, CELLS, GROUPS, empty_frame, require
from geo.grid.groups import cut_groups, group_notes, measure_groups
from geo.grid.groups.draw import draw_groups
from geo.grid.groups.region import _adopt
from geo.grid.groups.site import divide, find_sites
from geo.grid.locate import assign_cells
from geo.grid.locate.index import fill_bins
from geo.grid.locate.near import _nearest_of
from geo.grid.locate.rule import _locate
from geo.grid.warm import warm_up
from geo.topology import coverage_faults

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0
TOWN = shapely.box(0, 0, 600, 100)


def lonlat(shapes):
    moved = [shapely.transform(s, lambda xy: xy + np.array([WEST, SOUTH])) for s in shapes]
    degrees = gpd.GeoSeries(moved, crs=EPSG).to_crs(4326).to_numpy()
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, 7))
    return gpd.GeoSeries(rounded, crs=4326)


def text(values):
    return pd.Series(list(values), dtype="str")


def cells(shapes, roles=None):
    n = len(shapes)
    frame = gpd.GeoDataFrame(
        {
            "cell_id": text(f"371502001001{k + 1:03d}" for k in range(n)),
            "village_code": text(["371502001001"] * n),
            "township_code": text(["371502001"] * n),
            "county_code": text(["371502"] * n),
            "grid_role": text(roles or ["basic"] * n),
            "households": np.zeros(n, dtype=np.int64),
            "area": np.array([s.area for s in shapes]),
            "boundary_version": text(["2023-06"] * n),
            "source": text(["survey"] * n),
        },
        geometry=lonlat(shapes),
    )
    require(frame, CELLS, source="cells")
    return frame


def buildings(places, households):
    n = len(places)
    if n == 0:
        return empty_frame(BUILDINGS)
    frame = gpd.GeoDataFrame(
        {
            "building_id": text(f"b{k}" for k in range(n)),
            "households": np.array(households, dtype=np.int64),
            "source": text(["survey"] * n),
        },
        geometry=lonlat([shapely.Point(p) for p in places]),
    )
    require(frame, BUILDINGS, source="buildings")
    return frame


def row_of(n, step=100):
    return [(step * (k + 0.5), 50) for k in range(n)]


def cut(shapes, people, **options):
    groups = cut_groups(shapes, people, epsg=EPSG, **options)
    require(groups, GROUPS, source="groups")
    return groups


def assert_tiles(groups, shapes):
    """No gap, no overlap, every group one piece inside its grid; nothing moved over 1 cm."""
    whole = shapely.union_all(shapes.geometry.to_numpy())
    assert len(coverage_faults(groups, epsg=EPSG, outer=whole)) == 0
    assert groups.geometry.is_valid.all()
    assert set(groups.geom_type) == {"Polygon"}
    own = shapes.set_index("cell_id").geometry.to_crs(EPSG).loc[groups.cell_id].to_numpy()
    metric = groups.geometry.to_crs(EPSG).to_numpy()
    assert shapely.covers(shapely.buffer(own, 0.012), metric).all()
    assert groups["area"].to_numpy() == pytest.approx(shapely.area(metric))


def assert_counts(groups, shapes, people):
    inside = assign_cells(people, shapes, epsg=EPSG)
    wanted = people.households.groupby(inside.to_numpy()).sum()
    held = groups.groupby("cell_id").households.sum()
    assert held.to_dict() == {one: int(wanted.get(one, 0)) for one in held.index}
    in_band = groups.households.between(10, 30)
    assert (groups.reason[in_band] == "").all()
    assert (groups.reason[~in_band] != "").all()
    prefix = groups.group_id.str[:-2]
    assert (prefix == groups.cell_id).all()


def test_six_buildings_make_three_groups_from_west_to_east():
    town, people = cells([TOWN]), buildings(row_of(6), [10] * 6)
    groups = cut(town, people)
    assert list(groups.group_id) == [f"371502001001001{k:02d}" for k in (1, 2, 3)]
    assert list(groups.households) == [20, 20, 20]
    assert not groups.by_count.any()
    assert groups["area"].to_numpy() == pytest.approx([20_000] * 3, abs=10)
    middle = groups.geometry.to_crs(EPSG).centroid.x - WEST
    assert middle.to_numpy() == pytest.approx([100, 300, 500], abs=0.1)
    assert_tiles(groups, town)
    assert_counts(groups, town, people)


def test_a_grid_of_few_households_is_one_group_and_says_why():
    town = cells([shapely.box(100 * k, 0, 100 * k + 100, 100) for k in range(3)])
    groups = cut(town, buildings([(50, 50), (150, 50)], [7, 30]))
    assert list(groups.households) == [7, 30, 0]
    assert list(groups.reason) == ["few_households", "", "no_households"]
    assert_tiles(groups, town)


def test_a_large_building_is_divided_by_count_alone():
    town, people = cells([TOWN]), buildings([(300, 50)], [190])
    groups = cut(town, people)
    assert groups.households.between(10, 30).all()
    assert groups.by_count.all()
    assert groups.households.sum() == 190
    assert_tiles(groups, town)


def test_buildings_stay_whole_where_whole_ones_fit():
    groups = cut(cells([TOWN]), buildings(row_of(6), [25, 25, 8, 8, 8, 25]))
    assert sorted(groups.households) == [24, 25, 25, 25]
    assert not groups.by_count.any()


def test_a_building_is_divided_where_no_whole_one_fits():
    groups = cut(cells([TOWN]), buildings(row_of(2, 300), [28, 5]))
    assert groups.households.between(10, 30).all()
    assert groups.by_count.any()


def test_buildings_at_one_place_count_as_one():
    town = cells([TOWN])
    people = buildings([(100, 50), (100, 50), (500, 50)], [10, 10, 20])
    groups = cut(town, people)
    assert list(groups.households) == [20, 20]
    assert_tiles(groups, town)


def test_more_groups_than_numbers_are_not_made():
    town, people = cells([TOWN]), buildings([(300, 50)], [4000])
    groups = cut(town, people)
    assert len(groups) == 99
    assert set(groups.reason[groups.households > 30]) == {"numbers"}
    assert groups.households.sum() == 4000


def test_an_institution_has_no_groups():
    town = cells([TOWN, shapely.box(600, 0, 700, 100)], ["basic", "independent"])
    groups = cut(town, buildings([*row_of(6), (650, 50)], [10] * 7))
    assert set(groups.cell_id) == {"371502001001001"}
    nothing = cut_groups(town[town.grid_role == "independent"], empty_frame(BUILDINGS), epsg=EPSG)
    assert len(nothing) == 0
    require(nothing, GROUPS, source="groups", allow_empty=True)


def test_no_buildings_leave_every_grid_whole():
    town = cells([TOWN])
    groups = cut(town, empty_frame(BUILDINGS))
    assert list(groups.reason) == ["no_households"]
    assert groups.geometry[0].normalize().equals(town.geometry[0].normalize())


def test_ground_cut_off_from_its_building_goes_to_a_neighbour():
    """A horseshoe: the Voronoi cell of the western building reaches over into the eastern leg.

    200 ┌─┐     ┌─┐
        │a│     │b│    a and c lie in the west, b in the east, and part of the eastern leg is
        │c└─────┘ │    nearer to neither than over the gap
      0 └─────────┘
    """
    shoe = shapely.box(0, 0, 100, 200) - shapely.box(20, 20, 80, 200)
    town = cells([shoe])
    people = buildings([(15, 190), (5, 100), (90, 20), (50, 10)], [25, 25, 25, 25])
    groups = cut(town, people)
    assert list(groups.households) == [25] * 4
    assert_tiles(groups, town)


def test_an_enclave_is_left_out():
    """A school in the middle of the grid: no group has its ground or its households."""
    yard = shapely.box(250, 30, 350, 70)
    town = cells([TOWN - yard, yard], ["basic", "independent"])
    homes = [(50, 50), (150, 50), (450, 50), (550, 50), (300, 10), (300, 90), (300, 50)]
    groups = cut(town, buildings(homes, [10] * 7))
    assert_tiles(groups, town.iloc[:1])
    assert groups.households.sum() == 60
    assert groups["area"].sum() == pytest.approx(56_000, abs=20)


def test_the_same_input_gives_the_same_groups():
    town = cells([TOWN])
    rng = np.random.default_rng(2)
    people = buildings(rng.uniform((0, 0), (600, 100), (40, 2)), rng.integers(1, 9, 40))
    first = cut(town, people)
    again = cut(town, people.iloc[::-1].reset_index(drop=True))
    for column in ("group_id", "households", "by_count"):
        assert list(again[column]) == list(first[column])
    assert shapely.equals_exact(
        shapely.normalize(again.geometry.to_numpy()), shapely.normalize(first.geometry.to_numpy())
    ).all()


def test_work_is_reported_and_stopped():
    town = cells([TOWN, shapely.box(0, 100, 600, 200)])
    people = buildings([*row_of(6), (50, 150), (300, 150), (550, 150)], [10] * 6 + [20] * 3)
    seen = []
    cut(town, people, progress=lambda done, total, best=None: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        cut(town, people, stop=stop)


@pytest.mark.parametrize("band", [(0, 30), (25, 30), (10, 15), (30, 10)])
def test_a_band_without_the_target_is_refused(band):
    with pytest.raises(OptionInvalid):
        cut(cells([TOWN]), buildings(row_of(2), [20, 20]), band=band)


def test_a_grid_in_two_pieces_is_refused():
    two = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)])
    town = cells([TOWN])
    town.geometry = lonlat([two])
    with pytest.raises(ValueInvalid, match="Polygon"):
        cut_groups(town, buildings([(5, 5)], [40]), epsg=EPSG)


def test_figures_and_notes_name_every_exception():
    town = cells([shapely.box(100 * k, 0, 100 * k + 100, 100) for k in range(3)])
    groups = cut(town, buildings([(50, 50), (150, 50)], [7, 80]))
    quality = measure_groups(groups, data_date=date(2026, 11, 20))
    n = len(groups)
    assert str(quality.in_band).startswith(f"{n - 2}/{n - 1} ")
    assert quality.n_by_count == n - 2
    assert {reason.value: k for reason, k in quality.n_by_reason.items()} == {
        "no_households": 1,
        "few_households": 1,
    }
    codes = [code for code, _ in group_notes(quality)]
    assert codes == [
        "group.size",
        "group.by_count",
        "group.reason.no_households",
        "group.reason.few_households",
    ]


@st.composite
def towns(draw):
    """Two grids with a bent border and a bite out of one, random buildings, some very large."""
    bend = draw(st.integers(200, 400))
    bite = draw(st.integers(20, 180))
    border = [(300, 0), (bend, 100), (300, 200)]
    shapes = [
        shapely.Polygon([(0, 0), *border, (0, 200), (0, 150), (bite, 100), (0, 50)]),
        shapely.Polygon([*border[::-1], (600, 0), (600, 200)]),
    ]
    number = st.integers(0, 600)
    places = draw(st.lists(st.tuples(number, number), min_size=1, max_size=25))
    size = st.one_of(st.integers(0, 40), st.integers(0, 400))
    people = draw(st.lists(size, min_size=len(places), max_size=len(places)))
    return cells(shapes), buildings([(x, y / 3) for x, y in places], people)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(towns())
def test_groups_always_tile_their_grids_in_one_piece_each(town):
    shapes, people = town
    groups = cut(shapes, people)
    assert_tiles(groups, shapes)
    assert_counts(groups, shapes, people)
    assert groups.group_id.is_unique


def test_nearly_every_group_has_ten_to_thirty_households():
    """A made-up quarter: 36 grids, blocks of flats and rows of courtyards."""
    boxes = [
        shapely.box(x, y, x + 150, y + 150) for x in range(0, 900, 150) for y in range(0, 900, 150)
    ]
    rng = np.random.default_rng(8)
    places = rng.uniform(0, 900, (420, 2))
    people = np.where(rng.random(420) < 0.3, rng.integers(20, 60, 420), rng.integers(3, 12, 420))
    shapes = cells(boxes)
    groups = cut(shapes, buildings(places, people))
    quality = measure_groups(groups, data_date=date(2026, 11, 20))
    assert quality.in_band.percent >= 99
    assert_tiles(groups, shapes)


# ---- parts


def test_pieces_of_a_building_share_its_households_evenly():
    flat = np.array([shapely.box(0, 0, 0.01, 0.01)])
    sites = find_sites(
        flat, np.zeros(1, int), np.ones(2), houses_at([(0.005, 0.005), (0.002, 0.002)], [34, 9])
    )
    pieces = divide(sites, flat, above=30, piece=15)
    assert sorted(pieces.weight) == [9, 11, 11, 12]
    assert (np.bincount(pieces.building) == [1, 3]).all()
    assert shapely.contains_properly(flat[0], shapely.points(pieces.xy)).all()
    assert divide(sites, flat, above=40, piece=15) is sites


def test_warm_up_compiles_the_kernels_of_joining_and_grouping():
    warm_up()
    kernels = (_adopt, _locate, _nearest_of, fill_bins)
    assert [len(kernel.signatures) for kernel in kernels] == [1] * len(kernels)


def houses_at(places, households):
    return gpd.GeoDataFrame(
        {"households": np.array(households, dtype=np.int64)},
        geometry=[shapely.Point(p) for p in places],
        crs=4326,
    )


def test_crossed_borders_are_noded_again():
    """Ground whose pieces overlap by a hair still gives whole polygons that tile the grid."""
    grid = shapely.box(0, 0, 10e-7, 10e-7)
    shapes = np.array(
        [
            shapely.Polygon([(0, 0), (10e-7, 0), (10e-7, 1e-7), (0, 5e-7)]),
            shapely.Polygon([(10e-7, 10e-7), (0, 10e-7), (0, 4e-7), (10e-7, 2e-7)]),
        ]
    )
    drawn = draw_groups(shapes, np.array([0, 1]), np.zeros(2, dtype=np.int64), np.array([grid]))
    assert drawn.group.tolist() == drawn.heir.tolist() == [0, 1]
    assert shapely.is_valid(drawn.polygons).all()
    assert shapely.area(drawn.polygons).sum() == pytest.approx(grid.area, rel=1e-6)


def test_a_group_without_ground_on_the_lattice_has_an_heir():
    """Issue 5: a strip thinner than the lattice vanished, and its 22 households with it."""
    grid = shapely.box(0, 0, 10e-7, 10e-7)
    rows = [0.0, 5e-7, 5.2e-7, 10e-7]
    shapes = np.array([shapely.box(0, low, 10e-7, high) for low, high in pairwise(rows)])
    drawn = draw_groups(shapes, np.arange(3), np.zeros(3, dtype=np.int64), np.array([grid]))
    assert drawn.group.tolist() == [0, 2]
    assert drawn.heir[[0, 2]].tolist() == [0, 2]
    assert drawn.heir[1] in {0, 2}
