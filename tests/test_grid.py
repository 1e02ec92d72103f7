"""Basic grids of a hand-checkable town.

y 300 ┌────┬────┬────┐      village 371502001001, 300 m x 300 m, streets every 100 m,
      │    │    │    │      one building in the middle of each block
  200 ├────┼────┼────┤
      │    │    │    │
  100 ├────┼────┼────┤
      │    │    │    │
    0 └────┴────┴────┘
      0   100  200  300 x
"""

import threading
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import OptionInvalid, Stopped
from geo.frames import BOUNDARIES, BUILDINGS, CELLS, STREETS, WATER, empty_frame, require
from geo.grid import assign_cells, cut_cells, grid_notes, measure_cells, warm_up
from geo.grid import divide as divide_module
from geo.grid import partition as partition_module
from geo.grid.partition import make_graph, partition
from geo.topology import coverage_faults

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0
VILLAGE = ("371502001001", "village", "371502001")


def lonlat(shapes):
    moved = [shapely.transform(s, lambda xy: xy + np.array([WEST, SOUTH])) for s in shapes]
    degrees = gpd.GeoSeries(moved, crs=EPSG).to_crs(4326).to_numpy()
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, 7))
    return gpd.GeoSeries(rounded, crs=4326)


def text(values):
    return pd.Series(list(values), dtype="str")


def units(shapes, rows=None):
    rows = rows or [(f"371502001{k + 1:03d}", "village", "371502001") for k in range(len(shapes))]
    n = len(rows)
    frame = gpd.GeoDataFrame(
        {
            "code": text(r[0] for r in rows),
            "name": text(r[0] for r in rows),
            "level": text(r[1] for r in rows),
            "admin_parent": text(r[2] for r in rows),
            "grid_role": text(["responsibility"] * n),
            "boundary_version": text(["2023-06"] * n),
            "valid_from": pd.Series([None] * n, dtype="datetime64[s]"),
            "valid_to": pd.Series([None] * n, dtype="datetime64[s]"),
            "source": text(["survey"] * n),
        },
        geometry=lonlat(shapes),
    )
    require(frame, BOUNDARIES, source="boundaries")
    return frame


def streets(lines, street_class="lane"):
    n = len(lines)
    if n == 0:
        return empty_frame(STREETS)
    frame = gpd.GeoDataFrame(
        {
            "segment_id": text(f"s{k}" for k in range(n)),
            "name": text([""] * n),
            "street_class": text([street_class] * n),
            "oneway": pd.Series([False] * n),
            "bridge": pd.Series([False] * n),
            "lanes": pd.Series([0] * n),
            "max_speed": pd.Series([0.0] * n),
            "source": text(["survey"] * n),
        },
        geometry=lonlat([shapely.LineString(line) for line in lines]),
    )
    require(frame, STREETS, source="streets")
    return frame


def buildings(points, households):
    n = len(points)
    if n == 0:
        return empty_frame(BUILDINGS)
    return gpd.GeoDataFrame(
        {
            "building_id": text(f"b{k}" for k in range(n)),
            "households": np.array(households, dtype=np.int64),
            "source": text(["survey"] * n),
        },
        geometry=lonlat([shapely.Point(p) for p in points]),
    )


def water(shapes=()):
    if not shapes:
        return empty_frame(WATER)
    names = text(f"w{k}" for k in range(len(shapes)))
    return gpd.GeoDataFrame(
        {"code": names, "name": names, "source": names}, geometry=lonlat(shapes)
    )


def lattice(side, n):
    lines = []
    for k in range(n + 1):
        for j in range(n):
            lines.append([(j * side, k * side), ((j + 1) * side, k * side)])
            lines.append([(k * side, j * side), (k * side, (j + 1) * side)])
    return lines


def centres(side, n):
    return [((j + 0.5) * side, (k + 0.5) * side) for k in range(n) for j in range(n)]


TOWN = units([shapely.box(0, 0, 300, 300)], [VILLAGE])
TOWN_STREETS = streets(lattice(100, 3))


def cut(boundaries, street_frame=None, people=None, **options):
    people = buildings([], []) if people is None else people
    lines = streets([]) if street_frame is None else street_frame
    cells = cut_cells(boundaries, lines, water(), people, epsg=EPSG, **options)
    require(cells, CELLS, source="cells")
    return cells


def assert_tiles(cells, boundaries, lowest):
    """Cells cover every lowest unit exactly: edge-matched, no gap, no overlap."""
    polygons = cells.geometry.to_numpy()
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)
    whole = shapely.union_all(boundaries.geometry.to_numpy())
    assert len(coverage_faults(cells, epsg=EPSG, outer=whole)) == 0
    metric = cells.to_crs(EPSG)
    for row in lowest.to_crs(EPSG).itertuples():
        own = metric[cells.cell_id.str.startswith(row.code)]
        tolerance = 0.02 * row.geometry.length
        assert own.area.sum() == pytest.approx(row.geometry.area, abs=tolerance)
        off = shapely.symmetric_difference(shapely.union_all(own.geometry), row.geometry)
        assert off.area <= tolerance


def test_blocks_of_a_hundred_households_become_cells_in_reading_order():
    cells = cut(TOWN, TOWN_STREETS, buildings(centres(100, 3), [100] * 9))
    assert list(cells.cell_id) == [f"371502001001{k:03d}" for k in range(1, 10)]
    assert list(cells.households) == [100] * 9
    assert cells["area"].sum() == pytest.approx(90_000, abs=20)
    middle = shapely.get_coordinates(cells.to_crs(EPSG).centroid.to_numpy()) - [WEST, SOUTH]
    expected = [[x, y] for y in (250, 150, 50) for x in (50, 150, 250)]
    assert middle == pytest.approx(np.array(expected, dtype=float), abs=0.1)
    assert set(cells.township_code) == {"371502001"}
    assert set(cells.county_code) == {"371502"}
    assert set(cells.boundary_version) == {"2023-06"}
    assert_tiles(cells, TOWN, TOWN)


def test_small_blocks_are_merged_and_stay_whole():
    cells = cut(TOWN, TOWN_STREETS, buildings(centres(100, 3), [40] * 9))
    assert len(cells) == 4
    assert sorted(cells.households) == [80, 80, 80, 120]
    assert (shapely.get_num_coordinates(cells.geometry.to_numpy()) >= 7).all()
    assert_tiles(cells, TOWN, TOWN)


def test_a_block_without_inner_streets_is_cut_between_its_buildings():
    rows = [(30 + 60 * k, y) for y in (60, 240) for k in range(5)]
    cells = cut(TOWN, None, buildings(rows, [40] * 10))
    assert len(cells) == 4
    assert sorted(cells.households) in ([80, 80, 120, 120], [80, 80, 80, 160])
    assert_tiles(cells, TOWN, TOWN)


def test_main_roads_bound_cells_before_lanes_do():
    #  six blocks of 50: a main road runs between the second and the third column
    lanes = streets(lattice(100, 3)[:])
    middle = np.isclose(lanes.to_crs(EPSG).centroid.x - WEST, 200, atol=1)
    classes = lanes.street_class.where(
        ~(middle & (lanes.to_crs(EPSG).bounds.maxx - lanes.to_crs(EPSG).bounds.minx < 1)),
        "arterial",
    )
    cells = cut(
        units([shapely.box(0, 0, 300, 200)], [VILLAGE]),
        lanes.assign(street_class=classes),
        buildings([p for p in centres(100, 3) if p[1] < 200], [50] * 6),
    )
    bounds = cells.to_crs(EPSG).bounds - [WEST, SOUTH, WEST, SOUTH]
    assert len(cells) == 3
    assert not ((bounds.minx < 190) & (bounds.maxx > 210)).any()


def test_units_without_households_are_cut_by_area_and_it_is_said():
    big = units([shapely.box(0, 0, 900, 300)], [("370102", "county", "370100")])
    lines = [[(x, 0), (x, 300)] for x in range(100, 900, 100)]
    cells = cut(big, streets(lines))
    assert list(cells.cell_id) == [f"370102{k:09d}" for k in range(1, len(cells) + 1)]
    assert cells.village_code.eq("").all()
    assert len(cells) == 4
    quality = measure_cells(cells, epsg=EPSG, data_date=date(2026, 11, 20))
    assert grid_notes(quality) == (("grid.rule.area", {"n_units": 1}),)
    assert quality.in_band.percent is None
    assert_tiles(cells, big, big)


def test_each_unit_has_its_own_rule():
    two = units([shapely.box(0, 0, 300, 300), shapely.box(300, 0, 600, 300)])
    cells = cut(two, TOWN_STREETS, buildings(centres(100, 3), [100] * 9))
    assert cells.village_code.value_counts().to_dict() == {"371502001001": 9, "371502001002": 1}
    codes = [
        code
        for code, _ in grid_notes(measure_cells(cells, epsg=EPSG, data_date=date(2026, 11, 20)))
    ]
    assert codes == ["grid.rule.households", "grid.size", "grid.rule.area"]
    assert_tiles(cells, two, two)


def test_a_boundary_without_any_street_is_one_cell():
    cells = cut(TOWN)
    assert list(cells.cell_id) == ["371502001001001"]
    assert_tiles(cells, TOWN, TOWN)


def test_streets_outside_the_boundary_do_not_matter():
    far = streets([[(1000, 0), (1000, 300)], [(-500, 150), (1500, 150)]])
    cells = cut(TOWN, far, buildings([(150, 50), (150, 250)], [100, 100]))
    assert len(cells) == 2
    assert_tiles(cells, TOWN, TOWN)


def test_nested_levels_cut_the_lowest_and_keep_what_children_leave():
    #  county 600 x 300: a village on the west half, nothing on the east half
    nested = units(
        [shapely.box(0, 0, 600, 300), shapely.box(0, 0, 300, 300), shapely.box(0, 0, 300, 300)],
        [("371502", "county", ""), ("371502001", "township", "371502"), VILLAGE],
    )
    cells = cut(nested, TOWN_STREETS, buildings(centres(100, 3), [100] * 9))
    assert cells.cell_id.iloc[0] == "371502000000001"
    assert len(cells) == 10
    assert shapely.coverage_is_valid(cells.geometry.to_numpy())


def test_an_enclave_keeps_its_own_cells():
    frame = units(
        [shapely.box(0, 0, 300, 300), shapely.box(100, 100, 200, 200)],
        [VILLAGE, ("371502001901", "village", "371502001001")],
    )
    cells = cut(frame, TOWN_STREETS, buildings(centres(100, 3), [100] * 9))
    assert list(cells.cell_id)[-1] == "371502001901"
    assert list(cells.grid_role)[-1] == "independent"
    assert list(cells.village_code.unique()) == ["371502001001"]
    assert cells.households.sum() == 900
    assert_tiles(cells, frame, frame.iloc[1:])


def test_a_scrap_between_a_county_and_its_villages_joins_a_village():
    #  the village was drawn 2 m short of the county's eastern edge
    nested = units(
        [shapely.box(0, 0, 300, 300), shapely.box(0, 0, 298, 300)],
        [("371502", "county", ""), ("371502001001", "village", "371502")],
    )
    cells = cut(nested, TOWN_STREETS, buildings(centres(100, 3), [100] * 9))
    assert cells.cell_id.str.startswith("371502001001").all()
    assert cells["area"].sum() == pytest.approx(90_000, abs=20)


def test_islands_become_cells_of_their_own():
    parts = shapely.MultiPolygon([shapely.box(0, 0, 100, 100), shapely.box(200, 0, 300, 100)])
    frame = units([parts], [VILLAGE])
    cells = cut(frame, None, buildings([(50, 50), (250, 50)], [30, 30]))
    assert len(cells) == 2
    assert_tiles(cells, frame, frame)


def test_water_edges_bound_blocks():
    canal = water([shapely.box(-10, 140, 310, 160)])
    people = buildings([(150, 50), (150, 250)], [100, 100])
    cells = cut_cells(TOWN, streets([]), canal, people, epsg=EPSG)
    assert len(cells) == 2
    assert list(cells.households) == [100, 100]
    assert_tiles(cells, TOWN, TOWN)


def test_slivers_between_carriageways_are_not_cells():
    divided = streets([[(0, 148), (300, 148)], [(0, 152), (300, 152)]])
    cells = cut(TOWN, divided, buildings([(150, 50), (150, 250)], [100, 100]))
    assert len(cells) == 2
    assert cells.households.eq(100).all()


def test_made_up_streets_make_made_up_cells():
    lines = TOWN_STREETS.assign(source=text(["synthetic"] * len(TOWN_STREETS)))
    assert set(cut(TOWN, lines).source) == {"synthetic"}
    assert set(cut(TOWN, TOWN_STREETS).source) == {"survey"}


def test_the_same_input_gives_the_same_cells():
    people = buildings(centres(100, 3), [35, 80, 20, 60, 10, 45, 90, 25, 70])
    first = cut(TOWN, TOWN_STREETS, people)
    shuffled = cut(TOWN, TOWN_STREETS.iloc[::-1].reset_index(drop=True), people)
    for again in (cut(TOWN, TOWN_STREETS, people), shuffled):
        assert list(again.cell_id) == list(first.cell_id)
        assert list(again.households) == list(first.households)
        assert shapely.equals_exact(
            shapely.normalize(again.geometry.to_numpy()),
            shapely.normalize(first.geometry.to_numpy()),
        ).all()


def test_work_is_reported_and_stopped():
    two = units([shapely.box(0, 0, 300, 300), shapely.box(300, 0, 600, 300)])
    seen = []
    cut(two, progress=lambda done, total, best=None: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        cut(two, stop=stop)


def test_a_target_below_one_is_refused():
    with pytest.raises(OptionInvalid):
        cut(TOWN, target=0.5)


@st.composite
def towns(draw):
    """Two villages with a bent border, random streets across them, random buildings."""
    number = st.integers(0, 600)
    bend = draw(st.integers(200, 400))
    border = [(300, 0), (bend, 150), (300, 300)]
    villages = [
        shapely.Polygon([(0, 0), *border, (0, 300)]),
        shapely.Polygon([*border[::-1], (600, 0), (600, 300)]),
    ]
    lines = draw(
        st.lists(st.tuples(number, number, number, number), min_size=0, max_size=8, unique=True)
    )
    ends = [((a, b / 2), (c, d / 2)) for a, b, c, d in lines if (a, b) != (c, d)]
    places = draw(st.lists(st.tuples(number, number), min_size=0, max_size=25))
    homes = [(x, y / 2) for x, y in places]
    people = draw(st.lists(st.integers(0, 90), min_size=len(homes), max_size=len(homes)))
    return units(villages), streets(ends), buildings(homes, people)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(towns())
def test_cells_always_tile_the_villages(town):
    boundaries, lines, people = town
    cells = cut(boundaries, lines, people)
    assert_tiles(cells, boundaries, boundaries)
    assert cells.cell_id.is_unique
    inside = assign_cells(people, cells, epsg=EPSG) != ""
    assert cells.households.sum() == people.households[inside.to_numpy()].sum()


def random_graph(seed, n):
    rng = np.random.default_rng(seed)
    pairs = [(k, k + 1) for k in range(n - 1) if rng.random() < 0.95]
    pairs += [(k, k + 7) for k in range(n - 7)]
    return make_graph(
        rng.integers(0, 60, n).astype(float), np.array(pairs), rng.random(len(pairs)) * 2
    )


@pytest.mark.parametrize("seed", range(6))
def test_parts_are_contiguous_and_balanced(seed):
    graph = random_graph(seed, 140)
    part = partition(graph, target=100.0, max_parts=999, seed=seed)
    load = np.bincount(part, graph.weight)
    assert abs(len(load) - graph.weight.sum() / 100) < 1
    assert (load >= 50).all()
    assert (load <= 150).all()
    for number in range(part.max() + 1):
        atoms = set(np.flatnonzero(part == number).tolist())
        todo = [min(atoms)]
        while todo:
            node = todo.pop()
            if node in atoms:
                atoms.discard(node)
                todo += graph.neighbour[graph.start[node] : graph.start[node + 1]].tolist()
        assert not atoms


def test_no_more_parts_than_numbers():
    part = partition(random_graph(1, 60), target=1.0, max_parts=9, seed=1)
    assert part.max() + 1 <= 9


def test_warm_up_compiles_every_kernel_a_cut_calls():
    warm_up()
    kernels = (
        partition_module.split_by_trees,
        partition_module._improve,
        divide_module.split_faces,
    )
    assert [len(kernel.signatures) for kernel in kernels] == [1] * len(kernels)
