"""Exceptions, scores and kept codes of basic grids; blocks split along buildings.

y 300 ┌────┬────┬────┐      village 371502001001, 300 m x 300 m, streets every 100 m
      ├────┼────┼────┤
      ├────┼────┼────┤
    0 └────┴────┴────┘
      0              300 x
"""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli import app
from geo.frames import (
    BOUNDARIES,
    BUILDINGS,
    CELL_ALIASES,
    CELLS,
    GRID_CROSSINGS,
    GRID_REASONS,
    GRID_SCORES,
    STREETS,
    WATER,
    empty_frame,
    require,
)
from geo.grid import cut_grids, keep_codes, score_cells
from geo.grid.partition import best_count, make_graph
from geo.grid.split import split_blocks
from geo.grid.zone import is_divisible, join_zones
from geo.io import write_file
from geo.topology import to_lattice

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0
DAY = date(2026, 11, 20)


def lonlat(shapes):
    moved = shapely.transform(
        np.array(shapes, dtype=object), lambda xy: xy + np.array([WEST, SOUTH])
    )
    degrees = gpd.GeoSeries(moved, crs=EPSG).to_crs(4326).to_numpy()
    return gpd.GeoSeries(shapely.transform(degrees, lambda xy: np.round(xy, 7)), crs=4326)


def frame(schema, shapes, **values):
    if not shapes:
        return gpd.GeoDataFrame(empty_frame(schema))
    blank = {"str": "x", "int64": 0, "float64": 0.0, "bool": False, "datetime64[s]": None}
    columns = {
        name: pd.Series(
            values.get(name, [blank[column.dtype.value]] * len(shapes)), dtype=column.dtype.value
        )
        for name, column in schema.columns.items()
    }
    if schema.key not in values:
        columns[schema.key] = pd.Series([f"k{k}" for k in range(len(shapes))], dtype="str")
    return gpd.GeoDataFrame(columns, geometry=lonlat(shapes))


def villages(shapes, codes=("371502001001", "371502001002"), roles=None, parents=None):
    n = len(shapes)
    return frame(
        BOUNDARIES,
        shapes,
        code=list(codes[:n]),
        level=["village"] * n,
        admin_parent=parents or [""] * n,
        grid_role=roles or ["responsibility"] * n,
    )


def streets(lines, classes=None):
    shapes = [shapely.LineString(line) for line in lines]
    return frame(STREETS, shapes, street_class=classes or ["lane"] * len(lines))


def homes(points, households):
    return frame(BUILDINGS, [shapely.Point(p) for p in points], households=list(households))


def cut(units, lines, people):
    done = cut_grids(units, lines, gpd.GeoDataFrame(empty_frame(WATER)), people, epsg=EPSG)
    require(done.cells, CELLS, source="cells")
    require(done.reasons, GRID_REASONS, source="reasons", allow_empty=True)
    require(done.crossings, GRID_CROSSINGS, source="crossings", allow_empty=True)
    return done


def score(cells, units, lines):
    judged = score_cells(
        cells, units, lines, gpd.GeoDataFrame(empty_frame(WATER)), epsg=EPSG, data_date=DAY
    )
    require(judged.by_unit, GRID_SCORES, source="scores")
    return judged


TOWN = [shapely.box(0, 0, 300, 300)]
LATTICE_LINES = [[(x, 0), (x, 300)] for x in (100, 200)] + [[(0, y), (300, y)] for y in (100, 200)]
CENTRES = [(x, y) for y in (50, 150, 250) for x in (50, 150, 250)]


def reasons_of(done):
    return dict(zip(done.reasons.reason, done.reasons.limit, strict=True))


@pytest.mark.parametrize(
    ("total", "n"), [(79, 1), (130, 1), (140, 2), (159, 2), (160, 2), (450, 5)]
)
def test_the_number_of_parts_keeps_the_mean_in_the_hard_bound(total, n):
    assert best_count(total, 100.0) == n


@pytest.mark.parametrize("total", [*range(80, 121), *range(160, 400)])
def test_every_total_from_160_divides(total):
    assert is_divisible(total, 100.0)


@pytest.mark.parametrize("total", [1, 79, 121, 140, 159])
def test_between_one_and_two_cells_nothing_divides(total):
    assert not is_divisible(total, 100.0)


def test_a_building_too_big_is_named():
    done = cut(villages(TOWN), streets(LATTICE_LINES), homes(CENTRES, [100] * 8 + [300]))
    assert reasons_of(done) == {"building": 300}


def test_a_total_that_does_not_divide_is_named():
    done = cut(villages(TOWN), streets([]), homes([(50, 50), (250, 250)], [70, 70]))
    assert set(done.reasons.reason) == {"total"}
    assert set(done.reasons.limit) == {140}
    assert list(done.reasons.households) == [70, 70]


def test_blocks_of_single_buildings_that_fit_badly_are_coarse():
    done = cut(villages(TOWN), streets(LATTICE_LINES), homes(CENTRES, [60] * 9))
    assert set(done.reasons.reason) == {"coarse"}


def test_cells_of_moderate_size_need_no_reason():
    done = cut(villages(TOWN), streets(LATTICE_LINES), homes(CENTRES, [100] * 9))
    assert len(done.cells) == 9
    assert len(done.reasons) == 0
    assert len(done.crossings) == 0


def halves(west, east):
    """A main road at x = 150 and the households on both sides of it."""
    people = [(40 + 10 * k, 40 + 25 * k) for k in range(8)]
    points = people + [(x + 180, y) for x, y in people]
    return homes(points, [west // 8] * 8 + [east // 8] * 8)


def test_no_cell_crosses_a_main_road_that_it_can_keep_to():
    road = streets([[(150, 0), (150, 300)]], ["arterial"])
    done = cut(villages(TOWN), road, halves(96, 200))
    assert len(done.crossings) == 0
    bounds = done.cells.to_crs(EPSG).bounds - [WEST, SOUTH, WEST, SOUTH]
    assert ((bounds.maxx < 151) | (bounds.minx > 149)).all()


def test_a_side_too_small_crosses_and_it_is_listed():
    road = streets([[(150, 0), (150, 300)]], ["arterial"])
    done = cut(villages(TOWN), road, halves(40, 64))
    assert len(done.cells) == 1
    assert list(done.crossings.reason) == ["side"]
    assert done.crossings.length[0] == pytest.approx(300, abs=1)


def test_zones_join_until_each_divides():
    #  four blocks in a row of 30, 60, 135 and 90, main roads between all
    graph = make_graph(
        np.array([30.0, 60, 135, 90]),
        np.array([[0, 1], [1, 2], [2, 3]]),
        np.zeros(3),
        shared=np.ones(3),
    )
    zone = join_zones(graph, np.ones(3, dtype=bool), target=100.0)
    load = np.bincount(zone, graph.weight)
    assert sorted(load[load > 0]) == [90, 225]
    assert zone[0] == zone[1] == zone[2] != zone[3]


def test_a_village_without_streets_is_divided_between_its_buildings():
    rows = [(30 + 60 * k, y) for y in (60, 240) for k in range(5)]
    done = cut(villages(TOWN), streets([]), homes(rows, [40] * 10))
    assert sorted(done.cells.households) in ([80, 80, 120, 120], [80, 80, 80, 160])
    judged = score(done.cells, villages(TOWN), streets([]))
    assert judged.gap_area == judged.overlap_area == judged.n_straddles == 0


def test_institutions_are_never_entered_and_estates_are_cut():
    shapes = [*TOWN, shapely.box(20, 20, 80, 80), shapely.box(120, 120, 180, 280)]
    units = villages(
        shapes,
        codes=("371502001001", "37150200100101", "37150200100102"),
        roles=["responsibility", "independent", "independent"],
        parents=["", "371502001001", "371502001001"],
    ).assign(institution=pd.Series(["none", "school", "residential"], dtype="str"))
    points = [(150, 130 + 15 * k) for k in range(9)] + [(250, 50), (250, 250), (50, 50)]
    done = cut(units, streets(LATTICE_LINES), homes(points, [20] * 9 + [90, 90, 30]))
    roles = done.cells.set_index("cell_id").grid_role
    assert list(roles[roles == "independent"].index) == ["37150200100101"]
    school = done.cells[done.cells.grid_role == "independent"].iloc[0]
    assert school.households == 30
    estate = done.cells[done.cells.cell_id.str.startswith("37150200100102")]
    assert estate.households.sum() == 180
    assert len(estate) == 2
    judged = score(done.cells, units, streets(LATTICE_LINES))
    assert judged.gap_area == judged.overlap_area == judged.n_straddles == 0


def test_the_four_demands_of_nine_squares():
    units, lines = villages(TOWN), streets(LATTICE_LINES)
    judged = score(cut(units, lines, homes(CENTRES, [100] * 9)).cells, units, lines)
    assert str(judged.inner_on_streets) == "1,200/1,200 (100.0 %)"
    assert str(judged.on_streets) == "1,200/2,400 (50.0 %)"
    assert str(judged.in_aim) == str(judged.whole) == "9/9 (100.0 %)"
    assert judged.variation == 0
    assert judged.compactness == pytest.approx(np.pi / 4, abs=1e-3)
    assert judged.walk == pytest.approx((141.4, 141.4), abs=0.1)


def test_a_gap_an_overlap_and_a_straddle_are_measured():
    units, lines = villages([*TOWN, shapely.box(300, 0, 600, 300)]), streets(LATTICE_LINES)
    cells = cut(units, lines, homes([*CENTRES, (450, 150)], [100] * 10)).cells
    shapes = cells.geometry.to_crs(EPSG).to_numpy()
    first, second, third = (lonlat([shapely.box(*box)]).to_crs(EPSG).iloc[0] for box in (
        (0, 0, 100, 90), (100, 0, 200, 120), (200, 0, 310, 100)))  # fmt: skip
    for k, shape in enumerate(shapes):
        x, y = shapely.get_coordinates(shapely.centroid(shape))[0] - [WEST, SOUTH]
        if y < 100 and x < 300:
            shapes[k] = (first, second, third)[int(x // 100)]
    broken = cells.set_geometry(gpd.GeoSeries(shapes, crs=EPSG).to_crs(4326))
    judged = score(broken, units, lines).by_unit.set_index("code")
    assert judged.gap_area["371502001001"] == pytest.approx(1000, rel=0.01)
    assert judged.overlap_area["371502001001"] == pytest.approx(2000, rel=0.01)
    assert judged.n_straddles["371502001001"] == 1


# ---- codes that are kept


def cells_of(boxes, codes):
    n = len(boxes)
    return frame(
        CELLS,
        [shapely.box(*box) for box in boxes],
        cell_id=list(codes),
        village_code=["371502001001"] * n,
        grid_role=["basic"] * n,
    )


V = "371502001001"


def test_a_cell_keeps_the_code_of_the_old_one_it_overlaps_most():
    #  old: 001 | 002 ; new: the border moved by 20 m, and the east is cut in two
    old = cells_of([(0, 0, 100, 100), (100, 0, 300, 100)], [V + "001", V + "002"])
    new = cells_of(
        [(0, 0, 120, 100), (120, 0, 180, 100), (180, 0, 300, 100)],
        [V + "001", V + "002", V + "003"],
    )
    kept = keep_codes(new, old)
    require(kept.aliases, CELL_ALIASES, source="aliases")
    assert kept.new_code == {V + "001": V + "001", V + "002": V + "003", V + "003": V + "002"}
    assert list(kept.cells.cell_id) == [V + "001", V + "002", V + "003"]
    assert list(kept.aliases.alias_case) == ["kept", "kept"]
    assert list(kept.aliases.share) == pytest.approx([1.0, 0.6], abs=1e-3)


def test_no_code_is_given_twice():
    old = cells_of([(0, 0, 120, 100), (120, 0, 200, 100)], [V + "001", V + "004"])
    one = keep_codes(cells_of([(0, 0, 200, 100)], [V + "001"]), old)
    assert list(one.cells.cell_id) == [V + "001"]
    assert list(one.aliases.alias_case) == ["kept", "merged"]
    again = keep_codes(old.assign(cell_id=old.cell_id), one.cells, aliases=one.aliases)
    assert list(again.cells.cell_id) == [V + "001", V + "005"]
    where = again.aliases.set_index("alias_id").cell_id
    assert where[V + "004"] == V + "001"


# ---- blocks split along buildings


@st.composite
def blocks(draw):
    """A block with a bent outline, a hole at times, and a neighbour; buildings in it."""
    bend = draw(st.integers(-60, 60))
    west = shapely.Polygon([(0, 0), (200, 0), (200 + bend, 100), (200, 200), (0, 200), (30, 90)])
    east = shapely.Polygon([(200, 0), (400, 0), (400, 200), (200, 200), (200 + bend, 100)])
    x, y = draw(st.integers(60, 100)), draw(st.integers(40, 120))
    hole = shapely.box(x, y, x + 25, y + 30) if draw(st.booleans()) else None
    places = draw(st.lists(st.tuples(st.integers(1, 399), st.integers(1, 199)), max_size=40))
    return west, east, hole, places, draw(st.lists(st.integers(1, 60), min_size=40, max_size=40))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(blocks())
def test_split_blocks_stay_an_edge_matched_coverage(town):
    west, east, hole, places, weights = town
    shapes = [west, east] if hole is None else [west.difference(hole), hole, east]
    faces = lonlat(shapes).to_numpy()
    people = homes(places, weights[: len(places)])
    pieces, source = split_blocks(faces, people, above=40, aim=22)
    assert shapely.is_valid(pieces).all()
    assert shapely.coverage_is_valid(pieces)
    slack = 1e-7 * shapely.length(faces).sum()
    assert shapely.area(pieces).sum() == pytest.approx(shapely.area(faces).sum(), abs=slack)
    corners = to_lattice(shapely.get_coordinates(faces))
    after = to_lattice(shapely.get_coordinates(pieces))
    assert set(map(tuple, corners.tolist())) <= set(map(tuple, after.tolist()))
    for k, face in enumerate(faces):
        own = shapely.coverage_union_all(pieces[source == k])
        assert shapely.hausdorff_distance(shapely.boundary(own), shapely.boundary(face)) < 1.5e-7


def test_a_compound_is_cut_between_its_rows():
    people = homes([(20 + 20 * k, y) for y in (60, 140) for k in range(9)], [20] * 18)
    faces = lonlat([shapely.box(0, 0, 200, 200)]).to_numpy()
    pieces, _ = split_blocks(faces, people, above=40, aim=22)
    metric = gpd.GeoSeries(pieces, crs=4326).to_crs(EPSG)
    assert len(pieces) == 18
    assert (4 * np.pi * metric.area / metric.length**2 > 0.3).all()


# ---- the command


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_grids_are_cut_scored_and_renumbered_by_command(tmp_path, lang):
    write_file(villages(TOWN), tmp_path / "b.gpkg", layer="boundaries")
    write_file(streets(LATTICE_LINES), tmp_path / "s.gpkg", layer="streets")
    write_file(homes(CENTRES, [60] * 9), tmp_path / "h.gpkg", layer="buildings")
    given_files = [
        f"--{name}={tmp_path / file}"
        for name, file in (("boundaries", "b.gpkg"), ("streets", "s.gpkg"), ("buildings", "h.gpkg"))
    ]
    out = tmp_path / "cells.gpkg"
    options = [*given_files, f"--lang={lang}", f"--reasons={tmp_path / 'r.csv'}"]
    first = CliRunner().invoke(app, ["grids", *options, f"--out={out}"])
    assert first.exit_code == 0, first.output
    assert ("无缝覆盖" if lang == "zh" else "Covering without a seam") in first.output
    assert "coarse" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
    again = CliRunner().invoke(
        app,
        ["grids", *options, f"--old={out}", f"--out={tmp_path / '2.gpkg'}",
         f"--aliases={tmp_path / 'a.csv'}"],
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig").count("kept") == 5
