"""When inspections fall due."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OptionInvalid
from geo.frames import VENUES, DueState, Tier, require
from geo.venue import CADENCE, Cadence, add_months, count_due, due_venues, tier_counts


def venues(rows):
    n = len(rows)
    frame = gpd.GeoDataFrame(
        {
            "venue_id": pd.Series([f"v{k}" for k in range(n)], dtype="str"),
            "name": pd.Series([f"样例商店 {k:05d}" for k in range(n)], dtype="str"),
            "kind": pd.Series(["shop"] * n, dtype="str"),
            "tier": pd.Series([tier for tier, _ in rows], dtype="str"),
            "last_inspection": pd.Series([day for _, day in rows], dtype="datetime64[s]"),
            "source": pd.Series(["synthetic"] * n, dtype="str"),
        },
        geometry=gpd.points_from_xy([115.97] * n, [36.45] * n),
        crs=4326,
    )
    require(frame, VENUES, source="venues", allow_empty=True)
    return frame


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-08-31", 6, "2024-02-29"),
        ("2023-11-30", 3, "2024-02-29"),
        ("2023-12-15", 1, "2024-01-15"),
    ],
)
def test_months_go_by_the_calendar(day, months, expected):
    assert add_months(np.array([day], dtype="datetime64[s]"), np.array([months])) == np.datetime64(
        expected
    )


def test_unknown_stays_unknown():
    assert np.isnat(add_months(np.array(["NaT"], dtype="datetime64[s]"), np.array([1])))[0]


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 24))
def test_months_never_skip_a_month(day, months):
    shifted = add_months(np.array([day], dtype="datetime64[s]"), np.array([months]))[0].item()
    assert (shifted.year * 12 + shifted.month) - (day.year * 12 + day.month) == months
    assert shifted.day == day.day or (shifted.day < day.day and (shifted + timedelta(1)).day == 1)


def test_states_on_the_day_asked_about():
    frame = venues(
        [
            ("red", "2026-10-20"),  # due 20 November: yesterday
            ("red", "2026-10-21"),  # due today
            ("yellow", "2026-08-30"),  # due 30 November
            ("green", "2026-06-01"),  # due 1 December
            ("green", None),
        ]
    )
    due = due_venues(frame, as_of=date(2026, 11, 21))
    assert list(due.due_state) == ["overdue", "due", "due", "later", "unknown"]
    assert str(due.due.dtype) == "datetime64[s]"
    assert due.due.dt.strftime("%Y-%m-%d").tolist()[:4] == [
        "2026-11-20",
        "2026-11-21",
        "2026-11-30",
        "2026-12-01",
    ]
    assert "due" not in frame.columns


def test_unknown_is_counted_apart():
    frame = venues([("red", "2026-01-01"), ("red", None), ("green", "2026-11-01")])
    counts = count_due(
        due_venues(frame, as_of=date(2026, 11, 21)),
        data_date=date(2026, 11, 21),
        boundary_version="2023-06",
    )
    assert str(counts.overdue) == "1/2 (50.0 %)"
    assert str(counts.later) == "1/2 (50.0 %)"
    assert str(counts.unknown) == "1/3 (33.3 %)"


def test_tiers_are_counted_of_all():
    counts = tier_counts(
        venues([("red", None), ("green", None), ("green", None)]),
        data_date=date(2026, 11, 21),
        boundary_version="2023-06",
    )
    assert [counts[tier].n for tier in Tier] == [1, 0, 2]


def test_no_venue_no_rate():
    counts = count_due(
        due_venues(venues([]), as_of=date(2026, 1, 1)),
        data_date=date(2026, 1, 1),
        boundary_version="2023-06",
    )
    assert counts.overdue.percent is None


def test_cadence_is_data_and_checked():
    yearly = Cadence(version="local-1", months=dict.fromkeys(Tier, 12))
    due = due_venues(venues([("red", "2025-11-22")]), as_of=date(2026, 11, 21), cadence=yearly)
    assert list(due.due_state) == [DueState.DUE.value]
    assert CADENCE.months == {Tier.RED: 1, Tier.YELLOW: 3, Tier.GREEN: 6}
    with pytest.raises(OptionInvalid, match="green"):
        Cadence(version="x", months={Tier.RED: 1, Tier.YELLOW: 3})


@given(
    st.lists(
        st.tuples(
            st.sampled_from([t.value for t in Tier]), st.dates(date(2020, 1, 1), date(2026, 11, 21))
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_is_not_overdue_keeps_its_cadence(rows):
    today = date(2026, 11, 21)
    due = due_venues(venues(rows), as_of=today)
    for (tier, last), state in zip(rows, due.due_state, strict=True):
        longest = {"red": 31, "yellow": 92, "green": 184}[tier]
        if state != DueState.OVERDUE:
            assert (today - last).days <= longest
        else:
            assert (today - last).days >= {"red": 28, "yellow": 89, "green": 181}[tier]
