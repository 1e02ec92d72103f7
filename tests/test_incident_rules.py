"""Kinds that point at homes, roll-up of streets with few addresses, and counts that leave."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.demand.inputs import is_social, refuse_social
from geo.errors import DemandInputRefused, OptionInvalid, ValueInvalid
from geo.frames import SEGMENT_REPORTS, Channel, require
from geo.incident import (
    HomeKind,
    IncidentRules,
    count_addresses,
    count_reports,
    leave_out_homes,
    on_segments,
    roll_up_segments,
)
from geo.io import read_incidents
from geo.io.rules import read_incident_rules, shipped_incident_rules
from geo.privacy import Audience

EPSG = 32650
WEST, SOUTH = 580_000.0, 4_030_000.0


def text(values):
    return pd.Series(list(values), dtype="str")


def lonlat(shapes):
    degrees = gpd.GeoSeries(shapes, crs=EPSG).to_crs(4326).to_numpy()
    return gpd.GeoSeries(shapely.transform(degrees, lambda xy: np.round(xy, 7)), crs=4326)


def at(x, y):
    return shapely.Point(WEST + x, SOUTH + y)


# ---- kinds that point at homes

RULES = shipped_incident_rules()


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("家庭纠纷", "domestic"),
        ("Family_Dispute", "domestic"),
        ("DOMESTIC-VIOLENCE", "domestic"),
        ("强奸", "sexual"),
        ("Rape - forcible", "sexual"),
        ("自杀", "suicide"),
        ("走失老人", "missing"),
        ("MISSING PERSON", "missing"),
        ("盗窃", ""),
        ("drape theft", ""),
        ("missing property", ""),
        ("纠纷", ""),
        ("噪音", ""),
    ],
)
def test_kinds_that_point_at_homes_are_known(category, kind):
    assert RULES.kind_of(category) == kind


def write(path, rows, header="时间,经度,纬度,类别"):
    path.write_text(header + "\n" + "\n".join(rows) + "\n", "utf-8")
    return path


ROWS = [
    f"2026-11-{d:02d} 21:10,115.98,36.45,{c}"
    for d, c in enumerate(["盗窃", "家暴", "噪音", "走失"], 1)
]


def test_a_file_comes_in_without_them_and_says_so(tmp_path):
    reading = read_incidents(write(tmp_path / "i.csv", ROWS))
    assert reading.frame.category.tolist() == ["盗窃", "噪音"]
    assert [(r.row, r.code) for r in reading.refused] == [
        (2, "refusal.homes"),
        (4, "refusal.homes"),
    ]
    note = next(n for n in reading.notes if n.code == "note.homes")
    assert note.params == {
        "n": 2, "total": 4, "version": RULES.version,
        "kinds": ("domestic", "missing"), "keep": "domestic,missing",
    }  # fmt: skip


def test_somebody_may_ask_for_them(tmp_path):
    reading = read_incidents(write(tmp_path / "i.csv", ROWS), keep=["missing"])
    assert reading.frame.category.tolist() == ["盗窃", "噪音", "走失"]
    with pytest.raises(OptionInvalid, match="--keep"):
        read_incidents(tmp_path / "i.csv", keep=["theft"])


def test_a_file_of_nothing_else_says_what_is_needed(tmp_path):
    with pytest.raises(ValueInvalid, match="point at homes"):
        read_incidents(write(tmp_path / "i.csv", [ROWS[1], ROWS[3]]))


def test_a_place_has_its_own_rules(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        'version = "7"\nvalid_from = 2026-01-01\n[[homes]]\nkind = "noise"\nzh = "噪音"\n'
        'en = "noise"\nwords = ["噪音"]\n',
        "utf-8",
    )
    rules = read_incident_rules(own)
    reading = read_incidents(write(tmp_path / "i.csv", ROWS), rules=rules)
    assert reading.frame.category.tolist() == ["盗窃", "家暴", "走失"]
    own.write_text(own.read_text("utf-8").replace("words", "wrods"), "utf-8")
    with pytest.raises((ValueInvalid, OptionInvalid)):
        read_incident_rules(own)


def test_rules_without_a_word_are_refused():
    blank = HomeKind(kind="x", zh="x", en="x", words=(" ",))
    with pytest.raises(OptionInvalid):
        IncidentRules(version="1", valid_from=date(2026, 1, 1), source="", homes=(blank,))


def test_frames_are_filtered_alike():
    frame = reports_frame([0, 0, 0]).assign(category=text(["盗窃", "自杀", "盗窃"]))
    left = leave_out_homes(frame, RULES)
    assert len(left.frame) == 2
    assert (left.n["suicide"], left.n["domestic"], left.n_total) == (1, 0, 3)
    assert left.version == RULES.version


# ---- channel


def test_the_channel_is_named_where_the_file_has_none(tmp_path):
    path = write(tmp_path / "i.csv", ROWS[::2])
    assert set(read_incidents(path).frame.channel) == {"resident_report"}
    reading = read_incidents(path, channel="proactive")
    assert set(reading.frame.channel) == {"proactive"}
    codes = {n.code: n.params for n in reading.notes}
    assert codes["note.channel"] == {"n": 2, "total": 2, "channel": "proactive"}
    with pytest.raises(OptionInvalid, match="--channel"):
        read_incidents(path, channel="rumour")


def test_blank_channels_are_counted_and_unknown_ones_refused(tmp_path):
    """Issue 5: twitter was kept as another channel, and blank cells said nothing."""
    path = tmp_path / "i.csv"
    said = ["", "twitter", "群众报警", "巡逻发现", "其他"]
    rows = [f"2026-11-{d:02d} 21:10,115.98,36.45,盗窃,{one}" for d, one in enumerate(said, 1)]
    path.write_text("\n".join(("案发时间,经度,纬度,类别,报警方式", *rows)), "utf-8")
    reading = read_incidents(path)
    assert reading.frame.channel.tolist() == [
        "resident_report", "resident_report", "proactive", "other",
    ]  # fmt: skip
    assert [(r.row, r.column, r.code) for r in reading.refused] == [(2, "channel", "refusal.word")]
    codes = {n.code: n.params for n in reading.notes}
    assert codes["note.channel"] == {"n": 1, "total": 5, "channel": "resident_report"}


def test_what_the_file_states_stays(tmp_path):
    rows = [f"{ROWS[0]},巡逻发现", f"{ROWS[2]},"]
    path = write(tmp_path / "i.csv", rows, header="时间,经度,纬度,类别,报警方式")
    reading = read_incidents(path, channel=Channel.OTHER)
    assert reading.frame.channel.tolist() == ["proactive", "other"]


# ---- streets with few addresses

#   s0 (6 addresses) ── s1 (0) ── s2 (2)     s3 (1): an island, nearest to s2
LINES = [[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)], [(600, 0), (700, 0)]]


def make_streets(lines=LINES):
    shapes = [shapely.LineString(np.add(line, [WEST, SOUTH])) for line in lines]
    ids = text(f"s{k}" for k in range(len(lines)))
    return gpd.GeoDataFrame({"segment_id": ids}, geometry=lonlat(shapes), crs=4326)


STREETS = make_streets()


def test_addresses_are_counted_on_their_street():
    buildings = gpd.GeoDataFrame(
        {"households": np.array([4, 2, 9], dtype=np.int64)},
        geometry=lonlat([at(50, 20), at(250, -30), at(50, 500)]),
    )
    venues = gpd.GeoDataFrame(geometry=lonlat([at(60, 5), at(70, 5), None, at(650, 8)]))
    assert count_addresses(STREETS, buildings, venues, epsg=EPSG).tolist() == [6, 0, 2, 1]
    assert count_addresses(STREETS, buildings, epsg=EPSG).tolist() == [4, 0, 2, 0]


def test_segments_with_few_addresses_roll_up():
    groups = roll_up_segments(STREETS, np.array([6, 0, 2, 1]), epsg=EPSG)
    assert len(set(groups.group)) == 1  # s1 joins s0; s2 joins s1; the island joins the nearest
    assert groups.n_addresses.tolist() == [9]
    enough = roll_up_segments(STREETS, np.array([6, 5, 9, 5]), epsg=EPSG)
    assert len(set(enough.group)) == 4
    assert not enough.is_rolled.any()


def test_a_small_group_joins_the_street_with_most_addresses():
    groups = roll_up_segments(STREETS, np.array([6, 0, 20, 7]), epsg=EPSG)
    assert groups.group[1] == groups.group[2] != groups.group[0]
    assert groups.is_rolled.tolist() == [False, True, True, False]


def test_bare_streets_may_stand_where_nobody_lives():
    groups = roll_up_segments(STREETS, np.array([6, 0, 2, 8]), epsg=EPSG, bare_stand=True)
    assert groups.group[1] == groups.group[2]  # s2 is too small and joins; s0 stays alone
    assert sorted(groups.n_addresses.tolist()) == [2, 6, 8]
    alone = roll_up_segments(STREETS, np.array([6, 0, 5, 8]), epsg=EPSG, bare_stand=True)
    assert not alone.is_rolled.any()


def test_a_town_with_hardly_an_address_is_one_group():
    groups = roll_up_segments(STREETS, np.array([1, 0, 1, 0]), epsg=EPSG)
    assert groups.n_addresses.tolist() == [2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 8), min_size=24, max_size=24), st.integers(1, 9))
def test_every_group_has_enough_and_none_is_torn(addresses, least):
    lines = [[(100 * j, 100 * k), (100 * j + 100, 100 * k)] for k in range(4) for j in range(3)]
    lines += [[(b, a) for a, b in line] for line in lines]
    counts = np.array(addresses)
    groups = roll_up_segments(make_streets(lines), counts, epsg=EPSG, least=least)
    assert np.array_equal(np.bincount(groups.group, counts), groups.n_addresses)
    assert (groups.n_addresses >= least).all() or len(groups.n_addresses) == 1


def test_sharing_out_keeps_every_groups_sum():
    groups = roll_up_segments(STREETS, np.array([6, 0, 20, 7]), epsg=EPSG)
    length = np.array([100.0, 100.0, 300.0, 100.0])
    assert groups.shared(np.array([3.0, 8.0, 0.0, 1.0]), length).tolist() == [3.0, 2.0, 6.0, 1.0]
    whole = groups.shared_whole(np.array([3, 7, 0, 1]), length)
    assert whole.sum() == 11
    assert whole[1] + whole[2] == 7


# ---- on segments, and counts


def reports_frame(segments, hours=None, channel="resident_report"):
    n = len(segments)
    hours = hours or [21] * n
    when = [pd.Timestamp(f"2026-11-20 {h:02d}:47:11", tz="Asia/Shanghai") for h in hours]
    middles = shapely.line_interpolate_point(STREETS.geometry.to_numpy(), 0.5, normalized=True)
    return gpd.GeoDataFrame(
        {
            "incident_id": text(f"i{k}" for k in range(n)),
            "occurred_at": pd.Series(when).astype("datetime64[s, Asia/Shanghai]"),
            "category": text(["theft"] * n),
            "channel": text([channel] * n),
            "source": text(["synthetic"] * n),
        },
        geometry=middles[segments],
        crs=4326,
    )


def test_the_point_and_the_minute_are_not_kept():
    frame = reports_frame([0, 2, 2])
    frame.loc[1, "geometry"] = lonlat([at(250, 300)]).iloc[0]
    reports, n_far = on_segments(frame, STREETS, epsg=EPSG)
    require(reports, SEGMENT_REPORTS, source="reports")
    assert (n_far, reports.segment_id.tolist()) == (1, ["s0", "s2"])
    assert "geometry" not in reports
    assert {str(when) for when in reports.occurred_at} == {"2026-11-20 21:00:00+08:00"}


GROUPS = roll_up_segments(STREETS, np.array([6, 5, 9, 5]), epsg=EPSG)


def counts(segments, hours, audience, **options):
    reports, _ = on_segments(reports_frame(segments, hours), STREETS, epsg=EPSG)
    found = count_reports(reports, STREETS, GROUPS, audience=audience, **options)
    return {
        (row.segment_id, row.hours): None if row.is_suppressed else row.n_reports
        for row in found.itertuples()
    }


MANY = [0] * 7 + [1] * 4 + [2] * 2 + [3] * 9


def test_command_sees_every_count():
    assert counts(MANY, [21] * 22, Audience.COMMAND) == {
        (f"s{k}", "20:00-02:00"): n for k, n in enumerate((7, 4, 2, 9))
    }


@pytest.mark.parametrize("audience", [Audience.PARTNER, Audience.PUBLIC])
def test_small_counts_are_suppressed(audience):
    shown = counts(MANY, [21] * 22, audience)
    assert list(shown.values()) == [7, None, None, 9]


def test_a_single_small_count_does_not_follow_from_the_rest():
    shown = counts([0] * 7 + [1] * 4 + [3] * 9, [21] * 20, Audience.PUBLIC)
    assert list(shown.values()) == [None, None, 9]


def test_bins_run_through_midnight():
    shown = counts([0, 0, 0], [21, 1, 2], Audience.COMMAND)
    assert shown == {("s0", "20:00-02:00"): 2, ("s0", "02:00-08:00"): 1}
    for bins in ((), (8, 2), (2, 30)):
        with pytest.raises(OptionInvalid):
            counts([0], [21], Audience.COMMAND, bins=bins)


def test_counts_carry_a_group_by_its_first_segment():
    groups = roll_up_segments(STREETS, np.array([6, 0, 20, 7]), epsg=EPSG)
    reports, _ = on_segments(reports_frame([1, 2, 2]), STREETS, epsg=EPSG)
    found = count_reports(reports, STREETS, groups, audience=Audience.COMMAND)
    assert found[["segment_id", "n_segments", "n_reports"]].to_numpy().tolist() == [["s1", 2, 3]]
    finds = reports.assign(channel=text(["proactive"] * 3))
    assert len(count_reports(finds, STREETS, groups, audience=Audience.COMMAND)) == 0
    with pytest.raises(OptionInvalid):
        count_reports(reports.assign(segment_id="x"), STREETS, groups, audience=Audience.TEAM)


# ---- inputs of demand


@pytest.mark.parametrize(
    "header",
    [
        "人口密度", "常住人口", "流动人口数", "少数民族比例", "人均收入", "出租屋数", "租户比例",
        "低保户", "户均人数", "census_tract", "MedianIncome", "ethnicity", "pct_renters", "tenancy",
        "household size",
        "householdComposition", "single-parent share", "unemployment", "population", "avg age",
    ],
)  # fmt: skip
def test_who_lives_there_is_no_input(header):
    assert is_social(header)
    with pytest.raises(DemandInputRefused, match="places"):
        refuse_social(["name", header], source="places.csv")


@pytest.mark.parametrize(
    "header",
    ["households", "户数", "name", "名称", "kind", "segment_id", "area", "hours", "汽车租赁",
     "car_rental", "parking", "营业时间", "stage", "page", "trace"],
)  # fmt: skip
def test_places_and_hours_are(header):
    refuse_social([header], source="places.csv")
