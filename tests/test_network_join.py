"""Joining parts that a slip of the pen keeps apart, and the layer of what stays outside."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OptionInvalid
from geo.frames import Col
from geo.units import LIAOCHENG_EPSG
from routing.model import Mode
from routing.network import Outside, build_network, outside_streets
from routing.network.join import JOIN_ID, join_parts
from routing.network.parts import nodes_of, parts

TOWN = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("network_town.py"))))
LANE, PATH = TOWN.LANE, TOWN.PATH

# 500          C
#              │
#              c          e: stops 3 m above ab            g crosses bh where both go through
#              │          │
#   0  A ──ab── B ──bh─────┼─── H
#      0       500        ...  1000
MAIN = [
    ("ab", "主街", LANE, False, [(0, 0), (500, 0)]),
    ("bh", "主街", LANE, False, [(500, 0), (1000, 0)]),
    ("c", "北街", LANE, False, [(500, 0), (500, 500)]),
]
SHORT = ("e", "短街", LANE, False, [(200, 3), (200, 300)])
CROSS = ("g", "横街", LANE, False, [(800, -200), (800, 200)])
FAR = ("f", "远街", LANE, False, [(100, -400), (300, -400)])


def built(*rows, join=None, **columns):
    frame = TOWN.street_frame([*MAIN, *rows], **columns)
    network, report = build_network(frame, epsg=LIAOCHENG_EPSG, join=join)
    return frame, network, report


def by_car(network):
    rows = network.usable_by(Mode.CAR).reshape(-1, 2).any(axis=1)
    return set(network.segment_id[rows].tolist())


def test_nothing_is_joined_unless_asked():
    _, network, report = built(SHORT, CROSS)
    assert by_car(network) == {"ab", "bh", "c"}
    assert report.n_joined == 0


def test_a_dead_end_that_stops_short_is_led_on():
    _, network, report = built(SHORT, FAR, join=5.0)
    assert by_car(network) == {"ab", "bh", "c", "e", f"{JOIN_ID}1"}
    assert report.n_joined == 1
    assert report.longest_join == pytest.approx(3.0, abs=0.05)
    assert dict(report.findings())["network.joined"] == {"n": 1, "metres": "3.0"}
    # ab is in two pieces of its name, 200 m and 300 m
    pieces = network.length[network.segment_id == "ab"]
    assert sorted(pieces) == pytest.approx([200.0, 300.0], abs=0.1)
    joint = network.segment_id == f"{JOIN_ID}1"
    assert network.length[joint] == pytest.approx([3.0], abs=0.05)
    assert network.names[network.name[joint][0]] == "短街"


def test_too_far_is_not_joined():
    _, network, report = built(SHORT, join=2.0)
    assert "e" not in by_car(network)
    assert report.n_joined == 0


def test_a_crossing_of_two_parts_is_cut():
    _, network, report = built(CROSS, join=1.0)
    assert by_car(network) == {"ab", "bh", "c", "g"}
    assert (report.n_joined, report.longest_join) == (1, 0.0)
    assert (network.segment_id == "bh").sum() == 2
    assert (network.segment_id == "g").sum() == 2


def test_a_bridge_is_not_cut():
    _, network, report = built(CROSS, join=5.0, bridge=[False, True, False, False])
    assert "g" not in by_car(network)
    assert report.n_joined == 0


def test_an_end_on_a_street_without_a_junction():
    touching = ("t", "", LANE, False, [(200, 0), (200, 300)])
    _, network, report = built(touching, join=1.0)
    assert by_car(network) == {"ab", "bh", "c", "t"}
    assert report.longest_join < 0.03


def test_two_dead_ends_that_miss_each_other():
    gap = ("x", "", LANE, False, [(1004, 0), (1500, 0)])
    _, network, report = built(gap, join=5.0)
    assert "x" in by_car(network)
    assert report.n_joined == 2  # either end is led to the other: one short segment
    assert sum(s.startswith(JOIN_ID) for s in network.segment_id) == 1


def test_a_dead_end_within_the_network_stays_one():
    # ends 2 m from ab, but a street leads there: it may face a wall
    wall = ("w", "", LANE, False, [(500, 500), (100, 500), (100, 2)])
    _, _, report = built(wall, join=5.0)
    assert report.n_joined == 0


def test_footpaths_neither_hold_nor_are_joined():
    path = ("p", "", PATH, False, [(200, 300), (500, 500)])
    _, network, report = built(SHORT, path, join=5.0)
    assert report.n_joined == 1
    assert "e" in by_car(network)
    lone = ("p", "", PATH, False, [(300, 2), (300, 300)])
    assert built(lone, join=5.0)[2].n_joined == 0


@pytest.mark.parametrize("metres", [0.0, -1.0, 51.0, float("nan")])
def test_distances_that_make_no_sense(metres):
    with pytest.raises(OptionInvalid, match="join"):
        built(SHORT, join=metres)


EDGE = st.floats(-20, 1020, width=32)


@given(st.lists(st.tuples(EDGE, EDGE, EDGE, EDGE), min_size=1, max_size=5))
def test_joining_never_loses_a_metre_and_never_splits(lines):
    rows = [
        (f"r{i}", "", LANE, False, [(a, b), (c, d)])
        for i, (a, b, c, d) in enumerate(lines)
        if np.hypot(a - c, b - d) > 1.0
    ]
    frame = TOWN.street_frame([*MAIN, *rows])
    drivable = np.ones(len(frame), dtype=bool)
    joined, joins = join_parts(frame, epsg=LIAOCHENG_EPSG, within=10.0, drivable=drivable)
    before = frame.geometry.to_crs(LIAOCHENG_EPSG).length.groupby(frame[Col.SEGMENT_ID]).sum()
    after = joined.geometry.to_crs(LIAOCHENG_EPSG).length.groupby(joined[Col.SEGMENT_ID]).sum()
    assert after[before.index].to_numpy() == pytest.approx(before.to_numpy(), abs=0.1)
    assert n_parts(joined) <= n_parts(frame)
    assert (n_parts(joined) < n_parts(frame)) == (joins.n_ends + joins.n_crossings > 0)


def n_parts(frame):
    tail, head, n_nodes = nodes_of(frame.geometry.to_numpy())
    return parts(tail, head, n_nodes, connection="weak")[0]


def test_what_stays_outside_is_a_layer():
    into = ("i", "", LANE, True, [(500, 500), (500, 900)])
    again = ("j", "", LANE, True, [(500, 900), (900, 900)])
    twin = ("ba", "", LANE, True, [(0, 0), (0, 300)])
    back = ("ab2", "", LANE, True, [(0, 300), (0, 0)])
    zero = ("z", "", LANE, False, [(0, 0), (0, 0.001)])
    path = ("p", "", PATH, False, [(3000, 0), (3100, 0)])
    frame, network, report = built(FAR, into, again, twin, back, zero, path)
    layer = outside_streets(frame, network)
    assert dict(zip(layer[Col.SEGMENT_ID], layer[Col.REASON], strict=True)) == {
        "f": Outside.ISLAND,
        "i": Outside.ONE_WAY,
        "j": Outside.ONE_WAY,
    }
    assert report.n_segments_outside == 3
    assert layer.crs == frame.crs
    assert set(frame.columns) < set(layer.columns)
