"""Segment ids outlive a new street extract: what stays, is cut, joined, gone or new."""

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.frames import STREETS, Col, require
from geo.street import match_segments

EPSG = 32650
ORIGIN = np.array([450_000.0, 4_035_000.0])
"""Metres of EPSG:32650 from which the hand-drawn streets count."""


def frame(lines, names=None, prefix="x"):
    """A STREETS frame of lines in metres from `ORIGIN`."""
    n = len(lines)
    shapes = [shapely.LineString(np.asarray(line, dtype=float) + ORIGIN) for line in lines]
    text = {
        Col.SEGMENT_ID: [f"{prefix}{k}" for k in range(n)],
        Col.NAME: names or [""] * n,
        Col.STREET_CLASS: ["lane"] * n,
        Col.SOURCE: ["drawn"] * n,
    }
    columns = {name: pd.Series(values, dtype="str") for name, values in text.items()}
    flags = {name: np.zeros(n, dtype=bool) for name in (Col.ONEWAY, Col.BRIDGE)}
    unknown = {Col.LANES: np.zeros(n, dtype=np.int64), Col.MAX_SPEED: np.zeros(n)}
    made = gpd.GeoDataFrame(columns | flags | unknown, geometry=shapes, crs=EPSG).to_crs(4326)
    require(made, STREETS, source="drawn")
    return made


def shares(matching):
    """Alias id -> row of the new frame -> share, in whole hundredths."""
    out = {}
    for alias, segment, share in matching.aliases.itertuples(index=False):
        out.setdefault(alias, {})[segment] = round(share, 2)
    return out


# ---- drawn by hand --------------------------------------------------------------------------


def test_a_cut_street_keeps_its_id_on_the_longest_part():
    old = frame([[(0, 0), (100, 0)]], prefix="old")
    new = frame([[(0, 0), (30, 0)], [(30, 0), (100, 0)]])
    matching = match_segments(old, new, epsg=EPSG)
    assert list(matching.segment_id) == [None, "old0"]
    assert shares(matching) == {"old0": {0: 0.3, 1: 0.7}}
    assert (matching.n_kept, matching.n_cut, matching.n_joined) == (1, 1, 0)
    assert matching.vanished == ()


def test_of_equal_halves_the_first_keeps_the_id():
    old = frame([[(0, 0), (100, 0)]], prefix="old")
    halves = [[(0, 0), (50, 0)], [(100, 0), (50, 0)]]
    assert list(match_segments(old, frame(halves), epsg=EPSG).segment_id) == ["old0", None]


def test_a_joined_street_takes_the_id_of_the_longest():
    old = frame([[(0, 0), (30, 0)], [(30, 0), (100, 0)]], prefix="old")
    matching = match_segments(old, frame([[(100, 0), (0, 0)]]), epsg=EPSG)
    assert list(matching.segment_id) == ["old1"]
    assert shares(matching) == {"old0": {0: 1.0}}
    assert (matching.n_cut, matching.n_joined) == (0, 1)


def test_a_junction_that_moved_along_the_street():
    old = frame([[(0, 0), (100, 0)], [(100, 0), (200, 0)]], prefix="old")
    new = frame([[(0, 0), (130, 0)], [(130, 0), (200, 0)]])
    matching = match_segments(old, new, epsg=EPSG)
    assert list(matching.segment_id) == ["old0", "old1"]
    assert shares(matching) == {"old1": {0: 0.3, 1: 0.7}}


def test_of_two_carriageways_each_keeps_its_own_id():
    lines = [[(0, 0), (200, 0)], [(200, 9), (0, 9)]]
    new = frame([lines[1], lines[0]])
    matching = match_segments(frame(lines, prefix="old"), new, epsg=EPSG)
    assert list(matching.segment_id) == ["old1", "old0"]


def test_the_name_tells_two_courses_apart():
    old = frame([[(0, 0), (200, 0)]], names=["东昌路"], prefix="old")
    new = frame([[(0, 1), (200, 1)], [(0, -2), (200, -2)]], names=["辅路", "东昌路"])
    assert list(match_segments(old, new, epsg=EPSG).segment_id) == [None, "old0"]


def test_a_street_across_is_not_the_same_and_a_lost_one_has_vanished():
    old = frame([[(0, 0), (8, 0)], [(500, 0), (700, 0)], [(900, 0), (1000, 0)]], prefix="old")
    new = frame([[(4, -4), (4, 4)], [(500, 40), (700, 40)], [(900, 0), (930, 0)]])
    matching = match_segments(old, new, epsg=EPSG)
    assert list(matching.segment_id) == [None, None, None]
    assert matching.vanished == ("old0", "old1", "old2"), "a third found again is not enough"
    assert matching.aliases.empty


def test_shares_of_a_street_that_lost_its_end_still_sum_to_one():
    old = frame([[(0, 0), (100, 0)]], prefix="old")
    new = frame([[(0, 0), (40, 0)], [(40, 0), (80, 0)]])
    matching = match_segments(old, new, epsg=EPSG)
    assert list(matching.aliases[Col.SHARE]) == pytest.approx([0.5, 0.5], abs=0.05)
    assert matching.aliases[Col.SHARE].sum() == pytest.approx(1.0)


def test_no_street_at_all():
    one = frame([[(0, 0), (100, 0)]], prefix="old")
    none = one.iloc[:0]
    assert list(match_segments(none, one, epsg=EPSG).segment_id) == [None]
    assert match_segments(one, none, epsg=EPSG).vanished == ("old0",)


# ---- a town whose new extract is known -----------------------------------------------------------


@dataclass
class Extract:
    """A new extract and what is true of it: per new line the old rows that make it up."""

    lines: list = field(default_factory=list)
    names: list = field(default_factory=list)
    made_of: list = field(default_factory=list)
    is_whole: list = field(default_factory=list)

    def add(self, line, name, rows, *, whole):
        self.lines.append(line)
        self.names.append(name)
        self.made_of.append(tuple(rows))
        self.is_whole.append(whole)


def joinable(old, lines, rng, n, taken):
    """Pairs of old rows of one name that meet end to end and go straight on."""
    ends = {}
    for row in np.flatnonzero(~taken):
        for at in (0, -1):
            ends.setdefault(tuple(np.round(lines[row].coords[at], 1)), []).append(row)
    names, pairs = old[Col.NAME].to_numpy(), []
    for rows in ends.values():
        for i, k in ((i, k) for i in rows for k in rows if i < k and names[i] == names[k]):
            joined = shapely.line_merge(shapely.MultiLineString([lines[i], lines[k]]))
            if joined.geom_type == "LineString" and not joined.is_closed:
                pairs.append((i, k, joined))
    chosen, used = [], set()
    for number in rng.permutation(len(pairs)):
        i, k, joined = pairs[number]
        if len(chosen) < n and not {i, k} & used:
            chosen.append((i, k, joined))
            used |= {i, k}
    return chosen


def new_extract(old, rng, *, cut=0.05, joined=0.05, removed=0.03, added=0.03, jitter=0.0):
    """The same town drawn anew: other ids, half of it reversed, and the changes asked for."""
    lines = old.geometry.to_crs(EPSG).to_numpy()
    names = old[Col.NAME].tolist()
    n = len(old)
    order = rng.permutation(n)
    taken = np.zeros(n, dtype=bool)
    gone = order[: int(removed * n)]
    taken[gone] = True
    long_enough = shapely.length(lines) > 40
    split = [row for row in order[len(gone) :] if long_enough[row]][: int(cut * n)]
    taken[split] = True
    made = Extract()
    for i, k, line in joinable(old, lines, rng, int(joined * n / 2), taken):
        made.add(line, names[i], (i, k), whole=False)
        taken[[i, k]] = True
    for row in split:
        at = rng.uniform(0.25, 0.75)
        for part in (0.0, at), (at, 1.0):
            piece = shapely.ops.substring(lines[row], *part, normalized=True)
            made.add(piece, names[row], (row,), whole=False)
    for row in np.flatnonzero(~taken):
        made.add(lines[row], names[row], (row,), whole=True)
    for row in rng.choice(n, int(added * n), replace=False):
        # a new street off every old one: 23 m beside an old street
        made.add(shapely.offset_curve(lines[row], 23.0), "新路", (), whole=False)
    shapes = np.array(made.lines, dtype=object)
    keep = ~shapely.is_empty(shapes) & (shapely.get_type_id(shapes) == 1)
    flip = rng.random(len(shapes)) < 0.5
    shapes[flip & keep] = shapely.reverse(shapes[flip & keep])
    if jitter:
        shapes = shapely.transform(shapes, lambda xy: xy + rng.uniform(-jitter, jitter, xy.shape))
    rows = np.flatnonzero(keep)
    flat = [np.asarray(shapes[row].coords) - ORIGIN for row in rows]
    new = frame(flat, names=[made.names[row] for row in rows])
    return new, [made.made_of[row] for row in rows], [made.is_whole[row] for row in rows], gone


def judge(old, extract, matching):
    """Shares of what should be true: ids of whole segments kept, of changed ones right, of gone."""
    new, made_of, is_whole, gone = extract
    ids = old[Col.SEGMENT_ID].to_numpy()
    kept = matching.segment_id
    whole = [row for row, is_same in enumerate(is_whole) if is_same]
    right = sum(kept[row] == ids[made_of[row][0]] for row in whole)
    wrong = sum(
        kept[row] is not None and kept[row] not in {ids[k] for k in made_of[row]}
        for row in range(len(new))
    )
    found = set(matching.vanished) & set(ids[gone])
    return {
        "whole": (right, len(whole)),
        "wrong": (wrong, len(new)),
        "gone": (len(found), len(gone)),
        "vanished": (len(matching.vanished), len(gone)),
    }


@pytest.fixture(scope="module")
def town(small_layers):
    return small_layers.streets


def test_an_identical_extract_of_other_ids_keeps_every_id(town):
    again = town.assign(**{Col.SEGMENT_ID: [f"way{k}" for k in range(len(town))]})
    again = again.iloc[::-1].reset_index(drop=True)
    matching = match_segments(town, again, epsg=EPSG)
    assert list(matching.segment_id) == list(town[Col.SEGMENT_ID])[::-1]
    assert (matching.n_same, matching.n_new) == (len(town), len(town))
    assert matching.aliases.empty
    assert matching.vanished == ()


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_new_extract_with_cut_joined_removed_and_added_segments(town, jitter):
    extract = new_extract(town, np.random.default_rng(4), jitter=jitter)
    new, made_of, is_whole, gone = extract
    matching = match_segments(town, new, epsg=EPSG)
    judged = judge(town, extract, matching)
    assert judged["whole"] == (sum(is_whole), sum(is_whole))
    assert judged["wrong"][0] == 0
    assert judged["gone"] == judged["vanished"] == (len(gone), len(gone))
    assert len(gone) >= 7
    ids = town[Col.SEGMENT_ID].to_numpy()
    went = shares(matching)
    for row, rows in enumerate(made_of):
        if is_whole[row] or not rows:
            continue
        for old in rows:
            assert matching.segment_id[row] == ids[old] or row in went[ids[old]]
    assert matching.n_kept <= matching.n_new == len(new)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1), jitter=st.sampled_from([0.0, 0.5, 1.0]))
def test_every_old_id_is_kept_aliased_or_vanished_and_shares_sum_to_one(town, seed, jitter):
    some = town.iloc[::3].reset_index(drop=True)
    new, *_ = new_extract(some, np.random.default_rng(seed), cut=0.2, joined=0.2, jitter=jitter)
    matching = match_segments(some, new, epsg=EPSG)
    kept = [segment for segment in matching.segment_id if segment is not None]
    assert len(kept) == len(set(kept)) == matching.n_kept
    sums = matching.aliases.groupby(Col.ALIAS_ID)[Col.SHARE].sum()
    assert np.allclose(sums, 1.0)
    assert (matching.aliases[Col.SHARE] > 0).all()
    everything = set(kept) | set(sums.index) | set(matching.vanished)
    assert everything == set(some[Col.SEGMENT_ID])
    assert not set(matching.vanished) & (set(kept) | set(sums.index))
    again = match_segments(some, new, epsg=EPSG)
    assert list(again.segment_id) == list(matching.segment_id)
    assert again.aliases.equals(matching.aliases)
