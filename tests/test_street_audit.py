"""Junctions, unnamed streets by grid, water and rail: a town drawn by hand, and properties."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import Col, JunctionKind, StreetClass
from geo.street import (
    cut_along,
    dividing_lines,
    find_crossings,
    find_junctions,
)
from geo.street.audit import SUMMED, audit_streets
from geo.units import LIAOCHENG_EPSG

WEST, SOUTH = 115.98, 36.45
STEP = 0.001
"""One unit of the drawings: 90 m east, 111 m north."""

# Two grids of 2 x 2 units, A west and B east. Streets: the border x = 2 is one of them (named);
# s1 runs through both grids at y = 1 and is cut where the border street meets it (s1a, s1b);
# s2 crosses s1a at x = 0.5 without a vertex, s3 stops 1 m short of s1b, s4 goes over s1b by a
# bridge, s5 lies outside.
#
#   2 ┌────┬───────────┬───────────┐
#     │    s2  A       s0    B     │
#   1 ├────┼───s1a─────●───s1b─────●      s5 ──
#     │    │           s0   s3╵    │
#   0 └────┴───────────┴───────────┘
#     0   0.5          2    3      4
LINES = {
    "s0n": ([(2, 1), (2, 2)], "border street", StreetClass.COLLECTOR, False),
    "s0s": ([(2, 0), (2, 1)], "border street", StreetClass.COLLECTOR, False),
    "s1a": ([(0, 1), (2, 1)], "", StreetClass.LANE, False),
    "s1b": ([(2, 1), (4, 1)], "east street", StreetClass.LANE, False),
    "s2": ([(0.5, 0), (0.5, 2)], " ", StreetClass.LANE, False),
    "s3": ([(3, 0), (3, 1 - 0.009)], "", StreetClass.LANE, False),
    "s4": ([(3.5, 0), (3.5, 2)], "bridge road", StreetClass.LANE, True),
    "s5": ([(5, 1), (6, 1)], "", StreetClass.RURAL, False),
    "p1": ([(0, 0.2), (0.4, 0.2)], "", StreetClass.PATH, False),
}


def at(xy):
    return [(round(WEST + x * STEP, 7), round(SOUTH + y * STEP, 7)) for x, y in xy]


def street_frame(lines):
    names, xy = list(lines), list(lines.values())
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series(names, dtype="str"),
            Col.NAME: pd.Series([name for _, name, _, _ in xy], dtype="str"),
            Col.STREET_CLASS: pd.Series([str(kind) for _, _, kind, _ in xy], dtype="str"),
            Col.ONEWAY: False,
            Col.BRIDGE: [bridge for *_, bridge in xy],
            Col.LANES: 0,
            Col.MAX_SPEED: 0.0,
            Col.SOURCE: pd.Series(["test"] * len(xy), dtype="str"),
        },
        geometry=[shapely.LineString(at(line)) for line, *_ in xy],
        crs=4326,
    )


def cell_frame(boxes):
    return gpd.GeoDataFrame(
        {Col.CELL_ID: pd.Series(list(boxes), dtype="str")},
        geometry=[
            shapely.Polygon(at([(w, s), (e, s), (e, n), (w, n)])) for w, s, e, n in boxes.values()
        ],
        crs=4326,
    )


@pytest.fixture
def streets():
    return street_frame(LINES)


@pytest.fixture
def cells():
    return cell_frame({"A": (0, 0, 2, 2), "B": (2, 0, 4, 2)})


def audit(streets, cells, **options):
    return audit_streets(
        streets,
        cells,
        epsg=LIAOCHENG_EPSG,
        data_date=date(2026, 11, 20),
        boundary_version="2023-06",
        **options,
    )


def test_junctions_of_the_drawn_town(streets):
    found = find_junctions(streets, epsg=LIAOCHENG_EPSG)
    kinds = found.groupby(Col.KIND)[Col.JUNCTION_ID].count().to_dict()
    # four ends meet at (2, 1); s2 crosses s1a, s3 stops short of s1b, the bridge crosses nothing
    assert kinds[JunctionKind.JUNCTION] == 1
    assert kinds[JunctionKind.UNCUT] == 1
    assert kinds[JunctionKind.SHORT] == 1
    assert JunctionKind.THROUGH not in kinds
    by_kind = found.set_index(Col.KIND)
    assert by_kind.loc["junction", Col.N_ENDS] == 4
    assert by_kind.loc["uncut", Col.N_ENDS] == 0
    crossing = by_kind.loc["uncut", Col.GEOMETRY]
    assert crossing.distance(shapely.Point(at([(0.5, 1)])[0])) < 1e-7
    assert found[Col.JUNCTION_ID].is_unique


def test_ids_are_the_place_itself_whatever_the_order(streets):
    one = find_junctions(streets, epsg=LIAOCHENG_EPSG)
    other = find_junctions(streets.iloc[::-1].reset_index(drop=True), epsg=LIAOCHENG_EPSG)
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))
    assert "j1159820000+364510000" in set(one[Col.JUNCTION_ID])


def test_a_way_cut_where_nothing_meets_is_a_through_point():
    lane = StreetClass.LANE
    frame = street_frame(
        {"a": ([(0, 0), (1, 0)], "x", lane, False), "b": ([(1, 0), (2, 0)], "x", lane, False)}
    )
    kinds = find_junctions(frame, epsg=LIAOCHENG_EPSG)[Col.KIND].value_counts().to_dict()
    assert kinds == {"end": 2, "through": 1}


def test_a_stub_at_its_own_junction_is_no_fault():
    lane = StreetClass.LANE
    frame = street_frame(
        {
            "a": ([(0, 0), (1, 0)], "x", lane, False),
            "b": ([(1, 0), (2, 0)], "x", lane, False),
            "stub": ([(1, 0), (1.005, 0.01)], "", lane, False),  # 1.2 m long
        }
    )
    kinds = find_junctions(frame, epsg=LIAOCHENG_EPSG)[Col.KIND].value_counts().to_dict()
    assert kinds == {"end": 3, "junction": 1}


def test_an_end_on_a_line_without_a_vertex_is_uncut_once():
    lane = StreetClass.LANE
    frame = street_frame(
        {"a": ([(0, 0), (2, 0)], "x", lane, False), "b": ([(1, 0), (1, 1)], "x", lane, False)}
    )
    kinds = find_junctions(frame, epsg=LIAOCHENG_EPSG)[Col.KIND].value_counts().to_dict()
    assert kinds == {"end": 3, "uncut": 1}


def test_unnamed_streets_by_grid(streets, cells):
    found = audit(streets, cells)
    table = found.by_cell.set_index(Col.CELL_ID)
    assert list(table.index) == ["A", "B", ""]
    # A: s1a, s2; B: the border street (a point on a border belongs to the east), s1b, s3, s4
    assert table[Col.N_SEGMENTS].to_list() == [2, 5, 1]
    assert table[Col.N_UNNAMED].to_list() == [2, 1, 1]
    assert (found.unnamed.n, found.unnamed.total) == (4, 8)
    assert (found.with_unnamed.n, found.with_unnamed.total) == (2, 2)
    assert table["n_uncut"].to_list() == [1, 0, 0]
    assert table["n_short"].to_list() == [0, 1, 0]
    assert table[Col.UNNAMED_LENGTH]["A"] == pytest.approx(table[Col.LENGTH]["A"])


def test_a_street_in_two_grids_gives_each_its_metres(cells):
    lane = StreetClass.LANE
    frame = street_frame({"a": ([(1, 1), (4, 1)], "", lane, False)})
    table = audit(frame, cells).by_cell.set_index(Col.CELL_ID)
    whole = frame.geometry.to_crs(LIAOCHENG_EPSG).length.sum()
    assert table[Col.LENGTH].sum() == pytest.approx(whole, abs=1e-3)
    assert table[Col.LENGTH]["B"] / table[Col.LENGTH]["A"] == pytest.approx(2, rel=1e-3)
    assert table[Col.N_SEGMENTS].to_list() == [0, 1, 0]


def test_classes_asked_about(streets, cells):
    assert audit(streets, cells, classes=[StreetClass.PATH]).unnamed.total == 1
    assert audit(streets, cells, classes=[StreetClass.COLLECTOR]).unnamed.n == 0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[st.floats(-1, 5)] * 4), min_size=1, max_size=12))
def test_grids_sum_to_the_whole(ends):
    lane = StreetClass.LANE
    lines = {
        f"s{k}": ([(round(a, 3), round(b, 3)), (round(c, 3) + 0.01, round(d, 3))], "", lane, False)
        for k, (a, b, c, d) in enumerate(ends)
        if (round(a, 3), round(b, 3)) != (round(c, 3) + 0.01, round(d, 3))
    }
    frame = street_frame(lines)
    cells = cell_frame({f"{x}{y}": (x, y, x + 1, y + 1) for x in range(4) for y in range(3)})
    found = audit(frame, cells)
    sums = found.by_cell[list(SUMMED)].sum()
    metres = frame.geometry.to_crs(LIAOCHENG_EPSG).length.sum()
    assert sums[Col.LENGTH] == pytest.approx(metres, abs=0.001 * len(frame))
    assert sums[Col.N_SEGMENTS] == len(frame)
    counts = found.junctions[Col.KIND].value_counts()
    assert sums["n_dead_ends"] == counts.get("end", 0)
    assert sums["n_uncut"] == counts.get("uncut", 0)


def test_pieces_follow_each_other_to_the_millimetre(streets, cells):
    pieces = cut_along(streets, cells, epsg=LIAOCHENG_EPSG)
    total = np.rint(streets.geometry.to_crs(LIAOCHENG_EPSG).length.to_numpy() * 1000)
    for line in range(len(streets)):
        rows = np.flatnonzero(pieces.line == line)
        assert pieces.begin[rows[0]] == 0
        assert pieces.end[rows[-1]] == total[line]
        assert (pieces.begin[rows[1:]] == pieces.end[rows[:-1]]).all()
    assert (pieces.length > 0).all()


def water_frame(shapes):
    return gpd.GeoDataFrame(
        {
            Col.CODE: pd.Series([f"w{k}" for k in range(len(shapes))], dtype="str"),
            Col.NAME: pd.Series([""] * len(shapes), dtype="str"),
            Col.SOURCE: pd.Series(["test"] * len(shapes), dtype="str"),
        },
        geometry=shapes,
        crs=4326,
    )


def rail_frame(lines, bridges):
    frame = water_frame([shapely.LineString(at(line)) for line in lines])
    frame.insert(2, Col.KIND, pd.Series(["main"] * len(lines), dtype="str"))
    return frame.assign(**{Col.BRIDGE: bridges})


def test_streets_over_water_and_rail(streets):
    canal = shapely.Polygon(at([(1, -1), (1.2, -1), (1.2, 3), (1, 3)]))
    water = water_frame([canal])
    rail = rail_frame([[(3.2, -1), (3.2, 3)], [(3.8, -1), (3.8, 3)]], [False, True])
    found = find_crossings(streets, water, rail)
    assert found[[Col.SEGMENT_ID, Col.CROSSES, Col.CODE]].to_numpy().tolist() == [
        ["s1a", "water", "w0"],
        ["s1b", "rail", "w0"],
    ]
    assert not found[Col.BRIDGE].any()
    assert found.geometry.iloc[0].x == pytest.approx(WEST + 1.1 * STEP, abs=1e-7)


def test_dividing_lines_are_shores_streams_and_rail_on_the_ground():
    lake = shapely.Polygon(
        at([(0, 0), (3, 0), (3, 3), (0, 3)]), [at([(1, 1), (2, 1), (2, 2), (1, 2)])]
    )
    stream = shapely.LineString(at([(5, 0), (5, 3)]))
    rail = rail_frame([[(6, 0), (6, 3)], [(7, 0), (7, 3)]], [False, True])
    lines = dividing_lines(water_frame([lake, stream]), rail)
    assert set(lines.geom_type) == {"LineString"}
    assert len(lines) == 4  # the stream, rail on the ground, shore and island
    assert len(dividing_lines(water_frame([stream]))) == 1
