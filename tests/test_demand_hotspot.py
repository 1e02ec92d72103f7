"""Hot spots on a made-up field of squares, and the indices that judge them.

Squares of 100 m; reports lie in the middles. A (column 0, row 0) has many, B (4, 0) a few, the
others now and then one::

    A . . . B      one week: A 3, B 1
"""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from geo.demand.accuracy import Accuracy, judge, last_weeks, take
from geo.demand.hotspot import (
    METHODS,
    Blend,
    DecayedCounts,
    GiStar,
    KernelDensity,
    LastYear,
    gi_star,
    hot_spots,
    method_named,
)
from geo.demand.series import count_in_squares, count_on_segments
from geo.errors import OptionInvalid, Stopped, ValueInvalid
from geo.frames import HOT_SPOTS, INCIDENTS, require

EPSG, SIDE = 32650, 100.0
WEST, SOUTH = 580_000.0, 4_030_000.0
LAST_DAY = pd.Timestamp("2026-11-20", tz="Asia/Shanghai")


def incidents(rows):
    """Rows of (column, row, days before the last day[, channel])."""
    n = len(rows)
    xy = np.array([(WEST + SIDE * (c + 0.5), SOUTH + SIDE * (r + 0.5)) for c, r, *_ in rows])
    when = [LAST_DAY - pd.Timedelta(days=days) + pd.Timedelta(hours=21) for _, _, days, *_ in rows]
    channels = [row[3] if len(row) > 3 else "resident_report" for row in rows]
    frame = gpd.GeoDataFrame(
        {
            "incident_id": pd.Series([f"i{k}" for k in range(n)], dtype="str"),
            "occurred_at": pd.Series(when).astype("datetime64[s, Asia/Shanghai]"),
            "category": pd.Series(["theft"] * n, dtype="str"),
            "channel": pd.Series(channels, dtype="str"),
            "source": pd.Series(["synthetic"] * n, dtype="str"),
        },
        geometry=gpd.points_from_xy(*xy.T),
        crs=EPSG,
    ).to_crs(4326)
    require(frame, INCIDENTS, source="incidents")
    return frame


def weeks_of(per_week, n_weeks):
    """The same reports every week, on its first day, its last and between: (column, row, n)."""
    return [
        (c, r, 7 * week + (6, 0, 3)[k % 3])
        for week in range(n_weeks)
        for c, r, n in per_week
        for k in range(n)
    ]


def squares(rows, **options):
    return count_in_squares(incidents(rows), epsg=EPSG, side=SIDE, **options)


AB = weeks_of([(0, 0, 3), (4, 0, 1)], 10)


def at(series, column, row):
    name = f"{int(WEST // SIDE) + column}_{int(SOUTH // SIDE) + row}"
    return int(np.flatnonzero(series.place_id == name)[0])


def test_reports_are_counted_by_week_and_square():
    series = squares(AB)
    assert series.n_weeks == 10
    counts = series.counts.toarray()
    assert (counts[:, at(series, 0, 0)] == 3).all()
    assert (counts[:, at(series, 4, 0)] == 1).all()
    assert counts.sum() == len(AB) == series.n_reports == series.n_total
    assert str(series.as_of) == "2026-11-21"
    # two squares around A and B: 9 columns, 5 rows
    assert len(series.size) == 45
    assert (series.size == 10_000).all()
    box = series.geometry[at(series, 0, 0)]
    assert box.bounds == (WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)


def test_a_square_touches_eight_and_flows_to_four():
    series = squares(AB)
    middle = at(series, 0, 0)
    assert series.near.toarray()[middle].sum() == 8
    assert series.flow.toarray()[middle].sum() == 4
    assert (series.near != series.near.T).nnz == 0


def test_only_residents_reports_of_whole_weeks_count():
    finds = [(2, 0, 3, "proactive")] * 50
    assert squares(AB + finds).n_total == len(AB)
    older = squares([*AB, (1, 1, 72)])  # week 11 is not whole
    assert older.n_weeks == 10
    assert older.n_total == len(AB)


def test_nothing_of_the_day_asked_about_is_looked_at():
    series = squares(AB, as_of=(LAST_DAY - pd.Timedelta(days=6)).date())
    assert series.n_weeks == 9
    assert series.n_total == len(AB) - 4
    assert series.counts.sum() == len(AB) - 4


def test_far_points_cost_no_memory():
    series = squares([*AB, (50_000, 30_000, 1), (-20_000, -9_000, 2)])
    assert len(series.size) == 45 + 2 * 25
    assert (series.near.sum(axis=1) <= 8).all()


def test_a_stated_area_is_the_study_area():
    field = shapely.box(WEST, SOUTH, WEST + 3 * SIDE, SOUTH + 2 * SIDE)
    area = gpd.GeoDataFrame(geometry=[field], crs=EPSG).to_crs(4326)
    series = squares(AB, within=area)
    assert len(series.size) == 6
    assert series.n_reports == 30  # B lies outside and is missed, not forgotten
    assert series.n_total == 40


@pytest.mark.parametrize("rows", [[(0, 0, 0)], [(0, 0, 3, "proactive")] * 9])
def test_less_than_a_week_is_refused(rows):
    with pytest.raises(ValueInvalid, match="more than one week"):
        squares(rows)


def test_decay_halves():
    series = squares([(0, 0, 0), (0, 0, 13)])
    assert series.decayed(2, 7.0)[at(series, 0, 0)] == pytest.approx(1.5)
    assert series.decayed(2, np.inf)[at(series, 0, 0)] == 2
    assert series.window(2, 7)[at(series, 0, 0)] == 1


# ---- spreading


def test_spreading_keeps_the_mass_and_widens_as_asked():
    rows = [(c, r, 7 * (c % 2)) for c in range(-12, 13) for r in range(-12, 13)]
    series = squares([*rows, (0, 0, 13)])
    mass = np.zeros(len(series.size))
    mass[at(series, 0, 0)] = 1.0
    spread = series.diffused(mass, 150.0) * series.size
    assert spread.sum() == pytest.approx(1.0)
    assert spread.min() > 0
    middle = np.array([(g.centroid.x, g.centroid.y) for g in series.geometry])
    away = middle - middle[at(series, 0, 0)]
    assert np.sqrt((spread * away[:, 0] ** 2).sum()) == pytest.approx(150.0, rel=0.01)


def test_an_even_density_stays_even():
    series = squares(AB)
    assert series.diffused(series.size * 0.2, 300.0) == pytest.approx(np.full(45, 0.2))


def street_series():
    """A street of 3 x 200 m with a side street of 50 m in the middle: ──┬──, apart from it ──."""
    lines = [[(0, 0), (200, 0)], [(200, 0), (400, 0)], [(400, 0), (600, 0)], [(200, 0), (200, 50)]]
    lines.append([(0, 800), (200, 800)])
    moved = [shapely.LineString(np.add(line, [WEST, SOUTH])) for line in lines]
    degrees = gpd.GeoSeries(moved, crs=EPSG).to_crs(4326).to_numpy()
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, 7))
    names = pd.Series([f"s{k}" for k in range(5)], dtype="str")
    streets = gpd.GeoDataFrame({"segment_id": names}, geometry=rounded, crs=4326)
    return count_on_segments(incidents(weeks_of([(0, 0, 4)], 3)), streets, epsg=EPSG), streets


def test_on_streets_mass_flows_along_them_alone():
    series, _ = street_series()
    assert series.counts.sum(axis=0).tolist() == [12, 0, 0, 0, 0]
    assert series.size == pytest.approx([200, 200, 200, 50, 200], abs=0.1)
    density = series.diffused(series.decayed(3, np.inf), 150.0)
    assert (density * series.size).sum() == pytest.approx(12)
    assert density[0] > density[1] > density[2] > 0
    assert density[3] > density[2]
    assert density[4] == pytest.approx(0)


# ---- methods


def test_every_method_sees_the_busy_square_first_or_beside_it():
    series = squares(AB)
    for name, method in METHODS.items():
        best = int(np.argmax(method(series, 10)))
        near = series.near.toarray()[best]
        assert best == at(series, 0, 0) or near[at(series, 0, 0)] == 1, name


def test_no_method_looks_at_the_week_it_forecasts():
    rng = np.random.default_rng(4)
    rows = [(int(c), int(r), int(d)) for c, r, d in rng.integers(0, [6, 6, 140], (400, 3))]
    series = squares([*rows, (0, 0, 139)])
    later = series.counts.toarray()
    later[12:] = rng.poisson(9.0, later[12:].shape)
    other = replace(series, counts=csr_array(later))
    for name, method in METHODS.items():
        assert np.array_equal(method(series, 12), method(other, 12)), name


def test_a_short_memory_follows_a_move():
    moved = [(0, 0, 7 * w) for w in range(5, 20)] * 3 + [(4, 0, 7 * w) for w in range(5)] * 3
    series = squares([*moved, (0, 0, 139)])
    short, long = DecayedCounts(7.0)(series, 20), DecayedCounts(1e6)(series, 20)
    assert short[at(series, 4, 0)] > short[at(series, 0, 0)]
    assert long[at(series, 4, 0)] < long[at(series, 0, 0)]


def test_gi_star_is_the_papers_formula():
    rng = np.random.default_rng(3)
    near = rng.random((30, 30)) < 0.15
    near = (near | near.T) & ~np.eye(30, dtype=bool)
    x = rng.poisson(2.0, 30).astype(float)
    weight = near + np.eye(30)
    mean, spread = x.mean(), np.sqrt((x**2).mean() - x.mean() ** 2)
    expected = [
        (row @ x - mean * row.sum())
        / (spread * np.sqrt((30 * (row**2).sum() - row.sum() ** 2) / 29))
        for row in weight
    ]
    assert gi_star(x, csr_array(near.astype(float))) == pytest.approx(np.array(expected))


def test_gi_star_agrees_with_esda():
    esda = pytest.importorskip("esda")
    from libpysal.graph import Graph

    series = squares(AB + [(c, c % 3, 3) for c in range(5)])
    count = series.window(10, 365)
    peer = esda.G_Local(
        count, Graph.from_sparse(series.near), transform="B", star=True, permutations=0
    )
    assert gi_star(count, series.near) == pytest.approx(peer.Zs)


def test_gi_star_of_equal_counts_says_nothing():
    assert (gi_star(np.full(4, 2.0), csr_array(np.ones((4, 4)) - np.eye(4))) == 0).all()


def test_methods_that_cannot_be_are_refused():
    for make in (lambda: DecayedCounts(0.0), lambda: KernelDensity(bandwidth=-1.0)):
        with pytest.raises(OptionInvalid):
            make()
    with pytest.raises(OptionInvalid, match="last_year"):
        method_named("tarot")


# ---- accuracy


def test_indices_by_hand():
    # 3 of the 4 reports a week on 1 of 45 squares; nothing of that size holds more
    series = squares(AB)
    found = judge(series, LastYear(), weeks=range(5, 10), share=1 / 45, seed=1)
    assert found.caught.tolist() == [3] * 5
    assert found.hit_rate == 0.75
    assert found.pai == pytest.approx(0.75 * 45)
    assert found.pei == 1.0
    assert found.pai_error(seed=1) == pytest.approx(0.0)


def test_chance_has_a_pai_of_one():
    rng = np.random.default_rng(5)
    rows = [(int(c), int(r), int(d)) for c, r, d in rng.integers(0, [30, 30, 140], (30_000, 3))]
    field = shapely.box(WEST, SOUTH, WEST + 30 * SIDE, SOUTH + 30 * SIDE)
    area = gpd.GeoDataFrame(geometry=[field], crs=EPSG).to_crs(4326)
    series = squares([*rows, (0, 0, 139)], within=area)
    blind = judge(series, lambda s, _: np.zeros(len(s.size)), weeks=range(4, 20), share=0.1, seed=2)
    assert blind.pai == pytest.approx(1.0, abs=0.1)
    assert blind.pei < 0.5


def test_a_lead_is_measured_on_the_same_weeks():
    hits = np.array([5.0, 1.0, 7.0, 3.0])
    total = np.array([10.0, 2.0, 14.0, 6.0])
    share = np.full(4, 0.1)
    one = Accuracy(caught=hits, total=total, best=total, share=share)
    less = Accuracy(caught=hits * 0.8, total=total, best=total, share=share)
    lead, error = one.lead_over(less, seed=1)
    assert lead == pytest.approx(1.0)
    assert error == pytest.approx(0.0, abs=1e-9)  # every week by the same share


def test_nothing_to_catch_is_no_number():
    nothing = Accuracy(
        caught=np.zeros(3), total=np.zeros(3), best=np.zeros(3), share=np.full(3, 0.1)
    )
    assert np.isnan(nothing.pai)
    assert np.isnan(nothing.pei)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=40), st.floats(0.01, 1.0))
def test_never_more_ground_than_asked(scores, share):
    size = np.linspace(1.0, 3.0, len(scores))
    taken = take(np.array(scores, dtype=float), size, share, seed=1)
    assert size[taken].sum() <= share * size.sum() * (1 + 1e-9)
    assert len(set(taken.tolist())) == len(taken)


def test_ties_are_drawn_and_repeat_with_the_seed():
    score, size = np.zeros(100), np.ones(100)
    first = take(score, size, 0.1, seed=1).tolist()
    assert first == take(score, size, 0.1, seed=1).tolist()
    assert first != take(score, size, 0.1, seed=2).tolist()
    assert sorted(first) != list(range(10))


def test_the_split_leaves_weeks_to_learn_from():
    series = squares(AB)
    assert list(last_weeks(series, 3)) == [7, 8, 9]
    for n in (0, 10):
        with pytest.raises(OptionInvalid):
            last_weeks(series, n)
    with pytest.raises(OptionInvalid):
        judge(series, LastYear(), weeks=[10], share=0.1, seed=1)


def test_judging_can_be_stopped_and_reports():
    class Stop:
        def is_set(self):
            return True

    series, seen = squares(AB), []
    with pytest.raises(Stopped):
        judge(series, LastYear(), weeks=[5], share=0.1, seed=1, stop=Stop())
    judge(
        series,
        GiStar(),
        weeks=[5, 6],
        share=0.1,
        seed=1,
        progress=lambda done, total, best=None: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]


def test_hot_spots_are_a_frame_highest_first():
    series = squares(AB)
    spots = hot_spots(series, Blend(), epsg=EPSG, share=0.1, seed=1, name="blend")
    require(spots, HOT_SPOTS, source="hot spots")
    assert spots.order.tolist() == [1, 2, 3, 4]
    assert spots.score.is_monotonic_decreasing
    assert spots.place_id.iloc[0] == series.place_id[at(series, 0, 0)]
    assert spots.n_reports.iloc[0] == 30
    on_streets, _ = street_series()
    lines = hot_spots(on_streets, DecayedCounts(), epsg=EPSG, share=0.3, seed=1, name="decayed")
    require(lines, HOT_SPOTS, source="hot spots")
    assert lines.place_id.iloc[0] == "s0"
