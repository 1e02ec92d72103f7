"""From a street frame to clean directed segments."""

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from api.i18n import both
from geo.errors import NetworkEmpty, OptionInvalid
from geo.frames import STREETS, Col, StreetClass, require
from geo.units import LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode
from routing.network import CLASSES, MODES, NIGHT, Network, arc_times, build_network

CORNER = np.array([400_000.0, 4_030_000.0])
"""Corner of the test towns, metres of EPSG:32650."""

Row = tuple[str, str, StreetClass, bool, Sequence[tuple[float, float]]]
ART, LANE, PATH = StreetClass.ARTERIAL, StreetClass.LANE, StreetClass.PATH


def street_frame(rows: Sequence[Row]) -> gpd.GeoDataFrame:
    """Rows of id, name, class, one-way and points in metres from the town's corner."""
    to_lonlat = Transformer.from_crs(LIAOCHENG_EPSG, 4326, always_xy=True)
    lines = []
    for *_, points in rows:
        lonlat = to_lonlat.transform(*(np.array(points, dtype=float) + CORNER).T)
        lines.append(shapely.LineString(np.round(np.stack(lonlat, axis=1), 7)))
    text = {
        name: pd.Series([row[k] for row in rows], dtype="str")
        for k, name in enumerate((Col.SEGMENT_ID, Col.NAME, Col.STREET_CLASS))
    }
    frame = gpd.GeoDataFrame(
        {
            **text,
            Col.ONEWAY: pd.Series([row[3] for row in rows], dtype=bool),
            Col.BRIDGE: pd.Series([False] * len(rows), dtype=bool),
            Col.LANES: np.zeros(len(rows), dtype=np.int64),
            Col.MAX_SPEED: np.zeros(len(rows)),
            Col.SOURCE: pd.Series(["synthetic"] * len(rows), dtype="str"),
        },
        geometry=gpd.GeoSeries(lines, crs=4326),
    )
    require(frame, STREETS, source="streets")
    return frame


# 500 ──  D ───── lane ───── E ──→ one-way lane ──→ X (blind)      F ── lane ── G (island)
#         │                  ↑
#        lane           one-way art.
#         │                  │
#   0 ──  A ── arterial ──── B ──path── Y
#         0                1000        1500                       5000        5500
TOWN: list[Row] = [
    ("ab", "东昌路", ART, False, [(0, 0), (500, 0), (1000, 0)]),
    ("be", "柳园路", ART, True, [(1000, 0), (1000, 500)]),
    ("ad", "", LANE, False, [(0, 0), (0, 500)]),
    ("de", "样例巷1", LANE, False, [(0, 500), (1000, 500)]),
    ("ex", "样例巷2", LANE, True, [(1000, 500), (1500, 500)]),
    ("by", "", PATH, False, [(1000, 0), (1500, 0)]),
    ("fg", "样例巷3", LANE, False, [(5000, 500), (5500, 500)]),
]


def town_with(*more: Row) -> gpd.GeoDataFrame:
    return street_frame([*TOWN, *more])


def segments(network: Network, mode: Mode) -> dict[str, str]:
    """Directions in which a mode may use each segment: both, along, against."""
    words = {(True, True): "both", (True, False): "along", (False, True): "against"}
    arcs = network.usable_by(mode).reshape(-1, 2)
    return {
        str(name): words[tuple(pair)]
        for name, pair in zip(network.segment_id, arcs.tolist(), strict=True)
        if any(pair)
    }


def test_what_each_mode_may_use() -> None:
    network, _ = build_network(town_with(), epsg=LIAOCHENG_EPSG)
    vehicles = {"ab": "both", "be": "along", "ad": "both", "de": "both"}
    assert segments(network, Mode.CAR) == vehicles
    assert segments(network, Mode.MOTORBIKE) == vehicles
    assert segments(network, Mode.EBIKE) == vehicles
    on_foot = dict.fromkeys(["ab", "be", "ad", "de", "ex", "by"], "both")
    assert segments(network, Mode.FOOT) == on_foot
    assert network.n_nodes == 6
    assert list(network.names) == ["", "东昌路", "柳园路", "样例巷1", "样例巷2"]


def test_the_report_says_what_is_left_out() -> None:
    _, report = build_network(town_with(), epsg=LIAOCHENG_EPSG)
    assert (report.n_nodes, report.n_segments, report.n_parts) == (8, 7, 2)
    assert (report.n_nodes_outside, report.n_segments_outside) == (3, 2)  # X, F, G; ex, fg
    assert report.length_outside == pytest.approx(1000.0, abs=0.1)
    assert report.n_segments_dropped == 1
    assert (report.n_zero_length, report.n_loops, report.n_parallel, report.n_twins) == (0, 0, 0, 0)
    assert report.n_unnamed == 2
    assert report.length_unnamed == pytest.approx(1000.0, abs=0.1)


def test_every_finding_is_told_in_both_languages() -> None:
    zero = ("zz", "", LANE, False, [(0, 0), (0, 0.001)])
    twin = ("eb", "柳园路", ART, True, [(1000, 500), (1000, 0)])
    _, report = build_network(town_with(zero, twin), epsg=LIAOCHENG_EPSG)
    told = {code: both(code, **params) for code, params in report.findings()}
    assert set(told) == {
        "network.profile",
        "network.outside",
        "network.twins",
        "network.zero_length",
        "network.unnamed",
    }
    assert "3/8" in told["network.outside"]
    assert "37.5" in told["network.outside"]
    assert NIGHT.version in told["network.profile"]


def test_no_length_loops_and_parallels() -> None:
    odd: list[Row] = [
        ("zero", "", LANE, False, [(0, 0), (0, 0.001)]),
        ("loop", "", LANE, False, [(0, 0), (-50, 50), (-50, -50), (0, 0)]),
        ("ab2", "", LANE, False, [(0, 0), (500, 100), (1000, 0)]),
    ]
    network, report = build_network(town_with(*odd), epsg=LIAOCHENG_EPSG)
    assert (report.n_zero_length, report.n_loops, report.n_parallel) == (1, 1, 1)
    assert "zero" not in set(network.segment_id)
    assert {"loop", "ab", "ab2"} <= set(network.segment_id)


def test_opposite_one_ways_on_one_line_are_a_two_way_street() -> None:
    twin = ("eb", "柳园路", ART, True, [(1000, 500), (1000, 0)])
    network, report = build_network(town_with(twin), epsg=LIAOCHENG_EPSG)
    assert report.n_twins == 1
    assert segments(network, Mode.CAR)["be"] == "both"
    assert "eb" not in set(network.segment_id)


def test_ends_meet_at_seven_decimals() -> None:
    # The second street ends 4 mm short of the first one's end: one point at 7 decimals.
    near = street_frame(
        [
            ("a", "", LANE, False, [(0, 0), (100, 0)]),
            ("b", "", LANE, False, [(100, 0), (200, 0)]),
        ]
    )
    moved = shapely.get_coordinates(near.geometry.iloc[1])
    moved[0] += 4e-8
    near = near.set_geometry([near.geometry.iloc[0], shapely.LineString(moved)], crs=4326)
    network, report = build_network(near, epsg=LIAOCHENG_EPSG)
    assert network.n_nodes == 3
    assert report.n_parts == 1


def test_times_by_hand() -> None:
    network, _ = build_network(town_with(), epsg=LIAOCHENG_EPSG)
    row = {str(name): i for i, name in enumerate(network.segment_id)}
    car = arc_times(network, Mode.CAR)
    # 1,000 m at 40 km/h: 90 s; towards the junction B 4 s more, towards the bend A nothing.
    assert car.run[row["ab"]] == pytest.approx(90_000, abs=10)
    assert car.whole[2 * row["ab"]] == car.run[row["ab"]] + 4_000
    assert car.whole[2 * row["ab"] + 1] == car.run[row["ab"]]
    assert car.whole[2 * row["be"] + 1] == UNREACHABLE
    assert car.run[row["by"]] == UNREACHABLE
    on_foot = arc_times(network, Mode.FOOT)
    # 500 m at 4.5 km/h: 400 s, against the one-way too; B is a junction: 2 s.
    assert on_foot.whole[2 * row["be"] + 1] == pytest.approx(402_000, abs=20)
    assert on_foot.whole.dtype == np.int32


def test_no_street_takes_no_time() -> None:
    # 2 cm at 150 km/h are 0.48 ms; the hierarchy wants every arc to take at least 1.
    fast = replace(NIGHT, speed={mode: {LANE: 150.0} for mode in MODES})
    ends = [(0, 0), (100, 0), (100.02, 0), (200, 0)]
    rows: list[Row] = [(f"s{i}", "", LANE, False, ends[i : i + 2]) for i in range(3)]
    network, _ = build_network(street_frame(rows), epsg=LIAOCHENG_EPSG, profile=fast)
    assert network.n_segments == 3
    assert arc_times(network, Mode.CAR).run.min() == 1


def test_columns_cannot_be_written() -> None:
    network, _ = build_network(town_with(), epsg=LIAOCHENG_EPSG)
    with pytest.raises(ValueError, match="read-only"):
        network.length[0] = 1.0


def test_streets_that_no_car_can_use() -> None:
    paths = street_frame([("by", "", PATH, False, [(0, 0), (500, 0)])])
    with pytest.raises(NetworkEmpty, match=r"roads\.gpkg"):
        build_network(paths, epsg=LIAOCHENG_EPSG, source="roads.gpkg")


def test_profiles_are_checked() -> None:
    backwards = {**NIGHT.speed, Mode.CAR: {ART: -30.0}}
    with pytest.raises(OptionInvalid, match="-30"):
        replace(NIGHT, speed=backwards)
    with pytest.raises(OptionInvalid, match="foot"):
        replace(NIGHT, speed={m: s for m, s in NIGHT.speed.items() if m != Mode.FOOT})
    with pytest.raises(OptionInvalid, match="delay"):
        replace(NIGHT, junction_delay={**NIGHT.junction_delay, Mode.CAR: -1.0})


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_all_kept_points_of_a_mode_reach_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 5, (25, 2, 2)) * 200
    rows: list[Row] = [
        (f"s{i}", "", CLASSES[rng.integers(len(CLASSES))], bool(rng.random() < 0.5), pair.tolist())
        for i, pair in enumerate(ends)
        if (pair[0] != pair[1]).any()
    ]
    try:
        network, _ = build_network(street_frame(rows), epsg=LIAOCHENG_EPSG)
    except NetworkEmpty:
        return
    for mode in MODES:
        usable = network.usable_by(mode)
        tail, head = network.arc_tail[usable], network.arc_head[usable]
        shape = (network.n_nodes, network.n_nodes)
        graph = csr_array((np.ones(len(tail)), (tail, head)), shape=shape)
        _, part = connected_components(graph, directed=True, connection="strong")
        assert len(set(part[np.r_[tail, head]])) <= 1
