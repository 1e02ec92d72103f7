"""Demand on a hand-checkable street net.

4 x 4 junctions 200 m apart (24 segments) in one cell; 中街 runs along y = 200, 南街 along
y = 0, 东街 along x = 400; the other streets have no name. Reports lie on segment middles.

   +---+---+---+
   |   |   东  |
   +---+---+---+
   |   |   东  |
   +中-+中-+中-+
   |   |   东  |
   +南-+南-+南-+
"""

from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from geo.demand import DemandRules, PlaceRules, choose_places, density_areas, estimate_demand
from geo.demand.estimate import bound, neighbours, shrink_hours, shrink_rates
from geo.demand.names import StreetNames, make_unique
from geo.errors import OptionInvalid
from geo.frames import INCIDENTS, PLACES, STREETS, Channel, require

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0
AS_OF = date(2026, 11, 21)


def text(values):
    return pd.Series(list(values), dtype="str")


def lonlat(shapes):
    moved = [shapely.transform(s, lambda xy: xy + np.array([WEST, SOUTH])) for s in shapes]
    degrees = gpd.GeoSeries(moved, crs=EPSG).to_crs(4326).to_numpy()
    return gpd.GeoSeries(shapely.transform(degrees, lambda xy: np.round(xy, 7)), crs=4326)


def make_streets():
    lines, names = [], []
    for k in range(4):
        for j in range(3):
            lines.append([(200 * j, 200 * k), (200 * (j + 1), 200 * k)])
            names.append({0: "南街", 1: "中街"}.get(k, ""))
            lines.append([(200 * k, 200 * j), (200 * k, 200 * (j + 1))])
            names.append("东街" if k == 2 else "")
    n = len(lines)
    frame = gpd.GeoDataFrame(
        {
            "segment_id": text(f"s{k:02d}" for k in range(n)),
            "name": text(names),
            "street_class": text(["lane"] * n),
            "oneway": pd.Series([False] * n),
            "bridge": pd.Series([False] * n),
            "lanes": pd.Series([0] * n),
            "max_speed": pd.Series([0.0] * n),
            "source": text(["synthetic"] * n),
        },
        geometry=lonlat([shapely.LineString(line) for line in lines]),
    )
    require(frame, STREETS, source="streets")
    return frame


def make_cells(households=500):
    boxes = [shapely.box(-50, -50, 310, 650), shapely.box(310, -50, 650, 650)]
    return gpd.GeoDataFrame(
        {
            "cell_id": text(["371502001001001", "371502002001001"]),
            "village_code": text(["371502001001", "371502002001"]),
            "township_code": text(["371502001", "371502002"]),
            "county_code": text(["371502"] * 2),
            "households": np.array([households] * 2, dtype=np.int64),
            "area": np.array([245_000.0] * 2),
            "boundary_version": text(["2023-06"] * 2),
        },
        geometry=lonlat(boxes),
    )


STREETS_FRAME = make_streets()
CELLS_FRAME = make_cells()
MIDDLES = shapely.get_coordinates(
    shapely.line_interpolate_point(
        STREETS_FRAME.to_crs(EPSG).geometry.to_numpy(), 0.5, normalized=True
    )
) - [WEST, SOUTH]


def incidents(rows):
    """Rows of (segment row, hour, days ago, channel)."""
    n = len(rows)
    midnight = pd.Timestamp(AS_OF, tz="Asia/Shanghai")
    times = [midnight - pd.Timedelta(days=d) + pd.Timedelta(hours=h) for _, h, d, _ in rows]
    frame = gpd.GeoDataFrame(
        {
            "incident_id": text(f"i{k}" for k in range(n)),
            "occurred_at": pd.Series(times, dtype="datetime64[s, Asia/Shanghai]"),
            "category": text(["theft"] * n),
            "channel": text(channel for *_, channel in rows),
            "source": text(["synthetic"] * n),
        },
        geometry=lonlat([shapely.Point(MIDDLES[s]) for s, *_ in rows]),
    )
    require(frame, INCIDENTS, source="incidents", allow_empty=True)
    return frame


def estimate(rows, cells=CELLS_FRAME, **rules):
    return estimate_demand(
        incidents(rows),
        STREETS_FRAME,
        cells,
        epsg=EPSG,
        shift_start_hour=20,
        n_hours=6,
        as_of=AS_OF,
        rules=DemandRules(**rules),
    )


BUSY = [(0, 21, 1 + k % 300, "resident_report") for k in range(300)]
SOME = [(s, (s * 5) % 24, 1 + (s * 37) % 600, "resident_report") for s in range(24)]


def test_the_busy_segment_leads_in_its_hour():
    demand = estimate(BUSY + SOME)
    assert demand.hours == (20, 21, 22, 23, 0, 1)
    assert demand.by_hour.shape == (24, 6)
    assert np.unravel_index(np.argmax(demand.by_hour), (24, 6)) == (0, 1)
    oldest = max(days for _, _, days, _ in BUSY + SOME)
    weight = 0.5 ** (np.arange(1, oldest + 1) / 730)
    assert demand.by_hour[0, 1] == pytest.approx(weight[:300].sum() / weight.sum(), rel=0.1)
    assert str(demand.used) == "324/324 (100.0 %)"


def test_only_residents_count():
    found = [(5, 22, 10, "proactive")] * 400 + [(6, 22, 10, "other")] * 30
    with_patrols, without = estimate(BUSY + SOME + found), estimate(BUSY + SOME)
    assert np.array_equal(with_patrols.by_hour, without.by_hour)
    assert with_patrols.left_out == {Channel.PROACTIVE: 400, Channel.OTHER: 30}


def test_the_day_asked_about_and_later_is_not_looked_at():
    future = [(9, 22, 0, "resident_report"), (9, 22, -3, "resident_report")] * 50
    assert np.array_equal(estimate(BUSY + future).by_hour, estimate(BUSY).by_hour)


def test_old_reports_weigh_less():
    rows = [(3, 21, 5, "resident_report")] * 40 + [(20, 21, 305, "resident_report")] * 40
    demand = estimate(rows, half_life=100.0)
    assert demand.by_hour[3, 1] > 4 * demand.by_hour[20, 1]
    assert demand.n_reports[[3, 20]].tolist() == [40, 40]


def test_no_inhabited_street_is_forgotten_and_none_takes_all():
    demand = estimate(BUSY, floor_share=0.2, cap_quantile=0.5, cap_multiple=2.0)
    assert demand.by_hour.min() > 0
    assert demand.n_capped >= 1
    assert demand.n_floored + demand.n_capped >= 20
    assert (demand.by_hour.max(axis=0) <= 10.5 * demand.by_hour.min(axis=0)).all()


def test_without_reports_every_street_is_alike():
    demand = estimate([])
    assert demand.by_hour.min() == pytest.approx(demand.by_hour.max(), rel=1e-3)
    assert demand.used.percent is None


def test_streets_where_nobody_lives_have_no_floor():
    cells = make_cells()
    cells.loc[1, ["households", "village_code"]] = [0, "371502001001"]
    demand = estimate(BUSY, cells)
    west = MIDDLES[:, 0] < 310
    assert demand.is_inhabited.tolist() == west.tolist()
    unknown = estimate(BUSY, make_cells(households=0))
    assert unknown.is_inhabited.all()


def test_segments_that_meet_are_neighbours():
    #  the first segment (south-west corner, going east) meets its northward twin and two more
    meet = neighbours(STREETS_FRAME).toarray()
    assert meet[0].sum() == 3
    assert (meet == meet.T).all()
    assert np.diag(meet).sum() == 0


def test_rates_are_shrunk_towards_their_surroundings():
    length = np.full(24, 200.0)
    count = np.zeros(24)
    count[0] = 30.0
    rates, strength = shrink_rates(count, 100.0, length, STREETS_FRAME, DemandRules())
    beside = neighbours(STREETS_FRAME).toarray()[0] > 0
    assert 0.2 < rates[0] < 0.3
    assert rates[beside].min() > rates[[23]].max()
    assert strength > 0


def test_rates_add_up_when_counts_are_equal():
    rates, _ = shrink_rates(np.full(24, 8.0), 4.0, np.full(24, 200.0), STREETS_FRAME, DemandRules())
    assert rates == pytest.approx(np.full(24, 2.0))


def test_hours_are_shrunk_towards_the_city():
    by_hour = np.zeros((50, 24))
    by_hour[:, 20] = 6.0
    by_hour[:, 8] = 6.0
    by_hour[0] = 0.0
    by_hour[0, 3] = 1.0
    share, _ = shrink_hours(by_hour)
    assert share.sum(axis=1) == pytest.approx(np.ones(50))
    assert share[0, 20] > share[0, 3]


@given(
    st.lists(st.floats(0, 100), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_bounds_hold_for_whatever_rates(rates, lived_in):
    raw, mask = np.array(rates)[:, None], np.array(lived_in)
    rules = DemandRules(floor_share=0.1, cap_quantile=0.8, cap_multiple=1.5)
    out, _, _ = bound(raw, mask, rules)
    if mask.any():
        floor = 0.1 * raw[mask].mean()
        assert (out[mask] >= floor - 1e-12).all()
        assert (out <= max(1.5 * np.quantile(raw[mask], 0.8), floor) + 1e-12).all()
    assert (out[~mask] <= raw[~mask]).all()


@pytest.mark.parametrize(
    "rules", [{"half_life": 0}, {"window": 0}, {"floor_share": 2}, {"cap_multiple": 0.5}]
)
def test_impossible_rules_are_refused(rules):
    with pytest.raises(OptionInvalid):
        DemandRules(**rules)


# ---- places

DEMAND = estimate(BUSY + SOME)


def places(n=8, seed=1, demand=DEMAND, **options):
    frame, by_hour = choose_places(
        demand, STREETS_FRAME, CELLS_FRAME, epsg=EPSG, n_places=n, seed=seed, **options
    )
    require(frame, PLACES, source="places")
    return frame, by_hour


def test_places_are_hot_spots_then_exploration():
    frame, by_hour = places(rules=PlaceRules(share_exploration=0.25))
    assert frame.kind.tolist() == ["hotspot"] * 6 + ["exploration"] * 2
    assert frame.segment_id.is_unique
    assert by_hour.shape == (8, 6)
    assert (by_hour.sum(axis=1) > 0).all()
    best = frame[frame.segment_id == "s00"]
    assert best.n_reports.item() >= 300
    assert best.township_code.item() == "371502001"
    assert best.cell_id.item() == "371502001001001"


def test_places_keep_their_distance():
    frame, _ = places(24, rules=PlaceRules(min_distance=250.0))
    xy = shapely.get_coordinates(frame.to_crs(EPSG).geometry.to_numpy())
    assert pdist(xy).min() > 250
    assert len(frame) < 24


def test_every_area_gets_its_share():
    by_teams = PlaceRules(share_exploration=0.0, share_teams=1.0, min_distance=0.0)
    frame, _ = places(rules=by_teams)
    assert frame.township_code.value_counts().to_dict() == {"371502001": 4, "371502002": 4}
    frame, _ = places(teams={"371502001": 0.0, "371502002": 5.0}, rules=by_teams)
    assert frame.township_code.value_counts().to_dict() == {"371502002": 7, "371502001": 1}


def test_demand_is_counted_once():
    frame, by_hour = places(24, rules=PlaceRules(min_distance=0.0, reach=5_000.0))
    assert by_hour.sum() == pytest.approx(DEMAND.by_hour.sum())
    assert frame.n_reports.sum() == DEMAND.n_reports.sum()


def test_the_draw_depends_on_the_seed_alone():
    rules = PlaceRules(share_exploration=1.0)
    first = places(6, seed=1, rules=rules)[0].segment_id.tolist()
    assert first == places(6, seed=1, rules=rules)[0].segment_id.tolist()
    assert any(first != places(6, seed=s, rules=rules)[0].segment_id.tolist() for s in (2, 3, 4))


def test_places_stand_in_the_middle_of_their_segment():
    frame, _ = places()
    row = STREETS_FRAME.segment_id.searchsorted(frame.segment_id)
    xy = shapely.get_coordinates(frame.to_crs(EPSG).geometry.to_numpy()) - [WEST, SOUTH]
    assert xy == pytest.approx(MIDDLES[row], abs=0.02)
    assert (np.round(frame.geometry.x, 7) == frame.geometry.x).all()


def test_nobody_stops_on_an_expressway():
    fast = STREETS_FRAME.assign(street_class=text(["expressway", *["lane"] * 23]))
    demand = estimate_demand(
        incidents(BUSY), fast, CELLS_FRAME, epsg=EPSG, shift_start_hour=20, n_hours=6, as_of=AS_OF
    )
    frame, _ = choose_places(demand, fast, CELLS_FRAME, epsg=EPSG, n_places=24, seed=1)
    assert demand.is_inhabited[0]
    assert "s00" not in set(frame.segment_id)


def test_no_place_no_night():
    with pytest.raises(OptionInvalid):
        places(0)
    with pytest.raises(OptionInvalid):
        PlaceRules(share_exploration=1.5)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(1, 30), st.integers(0, 9), st.floats(0, 1), st.floats(0, 400))
def test_never_more_places_than_wanted(n, seed, share, distance):
    frame, by_hour = places(
        n, seed, rules=PlaceRules(share_exploration=share, min_distance=distance)
    )
    assert len(frame) == len(by_hour) <= n
    assert frame.place_id.is_unique
    assert frame.name.is_unique


# ---- names


def test_names_say_between_which_streets():
    names = StreetNames(STREETS_FRAME, epsg=EPSG)
    row = {tuple(xy): k for k, xy in enumerate(np.rint(MIDDLES).astype(int).tolist())}
    assert names.name(row[300, 200]) == "中街（东街）"
    assert names.name(row[400, 100]) == "东街（中街–南街）"
    assert names.name(row[400, 500]) == "东街（中街）"
    assert names.name(row[100, 400]) == "中街北侧巷道"
    alone = StreetNames(STREETS_FRAME.assign(name=text([""] * 24)), epsg=EPSG)
    assert alone.name(0) == "无名路"


def test_repeated_names_are_numbered():
    assert make_unique(["甲", "乙", "甲", "甲"]) == ["甲", "乙", "甲 2", "甲 3"]


# ---- density


def test_density_areas_hold_their_share_and_nest():
    rng = np.random.default_rng(1)
    rows = [
        (int(s), 22, 1 + k % 500, "resident_report") for k, s in enumerate(rng.integers(0, 24, 400))
    ]
    frame = incidents(
        rows + [(4, 22, 3, "proactive")] * 300 + [(4, 12, 3, "resident_report")] * 300
    )
    areas = density_areas(frame, CELLS_FRAME, epsg=EPSG, shift_start_hour=20, n_hours=6)
    assert areas.share.tolist() == [0.25, 0.5, 0.75]
    assert areas.n_total.tolist() == [400] * 3
    assert (areas.n_reports / 400 >= areas.share - 0.12).all()
    assert areas["area"].is_monotonic_increasing
    assert (areas.area_share == areas["area"] / 490_000).all()
    polygons = areas.geometry.to_numpy()
    assert shapely.is_valid(polygons).all()
    assert shapely.difference(polygons[0], shapely.buffer(polygons[1], 1e-6)).is_empty


def test_no_reports_no_areas():
    areas = density_areas(incidents([]), CELLS_FRAME, epsg=EPSG, shift_start_hour=20, n_hours=6)
    assert len(areas) == 0
    assert areas.crs == "EPSG:4326"


def test_demand_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="read-only"):
        DEMAND.by_hour[0, 0] = 1.0
    assert replace(DEMAND, as_of=AS_OF).as_of == AS_OF
