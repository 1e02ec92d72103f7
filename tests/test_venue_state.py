"""States of venues, the register's queue, the backlog's ramp, due days on the working calendar."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.calendar import CalendarDay, CalendarYear, WorkingCalendar
from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import (
    BACKLOG,
    EXEMPTIONS,
    REGISTER_QUEUE,
    VENUE_STATES,
    VENUE_VISITS,
    Tier,
    empty_frame,
    require,
)
from geo.io.calendars import shipped_calendar
from geo.io.rules import shipped_venue_rules
from geo.privacy import Audience
from geo.venue import (
    add_months,
    count_due,
    due_apart,
    due_venues,
    next_due,
    next_step,
    register_queue,
    spread_backlog,
    venue_states,
    visible_venues,
    working_day_before,
)
from geo.venue.state import require_exemptions

RULES = shipped_venue_rules()
WORKING = shipped_calendar()
TODAY = date(2026, 11, 20)


def venues(rows):
    n = len(rows)
    return gpd.GeoDataFrame(
        {
            "venue_id": pd.Series([f"v{k:03d}" for k in range(n)], dtype="str"),
            "name": pd.Series(["样例"] * n, dtype="str"),
            "kind": pd.Series([row[0] for row in rows], dtype="str"),
            "tier": pd.Series([row[1] for row in rows], dtype="str"),
            "last_inspection": pd.Series([row[2] for row in rows], dtype="datetime64[s]"),
            "source": pd.Series(["synthetic"] * n, dtype="str"),
        },
        geometry=gpd.points_from_xy([115.97] * n, [36.45] * n),
        crs=4326,
    )


def visits(*rows):
    frame = pd.DataFrame(
        {
            "visit_id": pd.Series([f"n{k}" for k in range(len(rows))], dtype="str"),
            "venue_id": pd.Series([row[0] for row in rows], dtype="str"),
            "day": pd.Series([row[1] for row in rows], dtype="datetime64[s]"),
            "outcome": pd.Series([row[2] for row in rows], dtype="str"),
            "source": pd.Series(["test"] * len(rows), dtype="str"),
        }
    )
    require(frame, VENUE_VISITS, source="visits", allow_empty=True)
    return frame


def exemptions(*rows):
    return pd.DataFrame(
        {
            "venue_id": pd.Series([row[0] for row in rows], dtype="str"),
            "reason": pd.Series([row[1] for row in rows], dtype="str"),
            "review_on": pd.Series([row[2] for row in rows], dtype="datetime64[s]"),
            "source": pd.Series(["test"] * len(rows), dtype="str"),
        }
    )


# ---- states -------------------------------------------------------------------------------------
# v000 never visited   v001 done            v002 not found once      v003 not found twice
# v004 found between   v005 closed in May   v006 closed last week    v007 exempt, review past
# v008 exempt, review to come               v009 not found twice on one day: once

SHOPS = venues([("shop", "green", None)] * 10)
SEEN = visits(
    ("v001", "2026-10-01", "done"),
    ("v002", "2026-10-02", "not_found"),
    ("v003", "2026-10-20", "not_found"),
    ("v003", "2026-09-03", "not_found"),
    ("v004", "2026-08-01", "not_found"),
    ("v004", "2026-09-01", "hazard"),
    ("v004", "2026-10-01", "not_found"),
    ("v005", "2026-05-01", "closed"),
    ("v006", "2026-11-13", "closed"),
    ("v007", "2026-11-01", "not_found"),
    ("v009", "2026-11-01", "not_found"),
    ("v009", "2026-11-01", "not_found"),
)
FREE = exemptions(("v007", "seasonal", "2026-11-20"), ("v008", "building_works", "2027-01-01"))


def test_states_follow_the_last_visit_and_exemptions_go_first():
    states = venue_states(SHOPS, SEEN, RULES, exemptions=FREE)
    require(states, VENUE_STATES, source="states")
    assert states.state.tolist() == [
        "open", "open", "not_found", "not_found", "not_found",
        "closed", "closed", "exempt", "exempt", "not_found",
    ]  # fmt: skip
    assert states.n_not_found.tolist() == [0, 0, 1, 2, 1, 0, 0, 1, 0, 1]
    review = states.review_on.dt.strftime("%Y-%m-%d").fillna("").tolist()
    assert review == [
        "",
        "",
        "",
        "",
        "",
        "2026-11-01",
        "2027-05-13",
        "2026-11-20",
        "2027-01-01",
        "",
    ]
    assert states.reason.tolist()[7:9] == ["seasonal", "building_works"]


def test_not_found_twice_goes_to_the_register_and_so_do_reviews():
    states = venue_states(SHOPS, SEEN, RULES, exemptions=FREE)
    queue = register_queue(states, RULES, as_of=TODAY)
    require(queue, REGISTER_QUEUE, source="queue")
    assert list(
        zip(queue.venue_id, queue.queue, queue.since.dt.strftime("%m-%d"), strict=True)
    ) == [
        ("v003", "not_found", "10-20"),
        ("v005", "closure_review", "11-01"),
        ("v007", "exemption_ends", "11-20"),
    ]
    before = register_queue(states, RULES, as_of=date(2026, 10, 31))
    assert before.venue_id.tolist() == ["v003"]


def test_nobody_visited_nothing_queued():
    states = venue_states(SHOPS, empty_frame(VENUE_VISITS), RULES)
    require(states, VENUE_STATES, source="states")
    assert set(states.state) == {"open"}
    queue = register_queue(states, RULES, as_of=TODAY)
    require(queue, REGISTER_QUEUE, source="queue", allow_empty=True)
    assert len(queue) == 0


def test_closed_and_exempt_venues_stand_apart_from_what_is_due():
    states = venue_states(SHOPS, SEEN, RULES, exemptions=FREE)
    inspected, apart = due_apart(SHOPS, states)
    assert apart.venue_id.tolist() == ["v005", "v006", "v007", "v008"]
    assert len(inspected) + len(apart) == len(SHOPS)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["v000", "v001", "v002"]),
            st.dates(date(2026, 1, 1), date(2026, 1, 12)).map(str),
            st.sampled_from(["done", "hazard", "not_found", "closed"]),
        ),
        max_size=12,
    )
)
def test_states_agree_with_a_plain_loop(rows):
    states = venue_states(SHOPS.iloc[:3], visits(*rows), RULES).set_index("venue_id")
    for venue in ("v000", "v001", "v002"):
        by_day = {day: outcome for who, day, outcome in rows if who == venue}
        outcomes = [by_day[day] for day in sorted(by_day)]
        n = 0
        while n < len(outcomes) and outcomes[-1 - n] == "not_found":
            n += 1
        last = outcomes[-1] if outcomes else "done"
        expected = {"done": "open", "hazard": "open"}.get(last, last)
        assert states.state[venue] == expected
        assert states.n_not_found[venue] == n


def test_an_exemption_needs_a_known_reason_and_a_near_review():
    require(FREE, EXEMPTIONS, source="exemptions")
    require_exemptions(FREE, RULES, as_of=TODAY, source="x")
    with pytest.raises(ValueInvalid, match="row 2, column reason"):
        require_exemptions(
            exemptions(("a", "seasonal", "2027-01-01"), ("b", "friend", "2027-01-01")),
            RULES, as_of=TODAY, source="x",
        )  # fmt: skip
    with pytest.raises(ValueInvalid, match="review_on"):
        require_exemptions(
            exemptions(("a", "seasonal", "2029-01-01")), RULES, as_of=TODAY, source="x"
        )


# ---- due days on the working calendar -----------------------------------------------------------


def test_a_due_day_in_a_holiday_moves_before_it():
    """国庆 2026 is off from 1 to 7 October; 1 July + 3 months falls on its first day."""
    frame = venues([("shop", "yellow", "2026-07-01"), ("shop", "red", "2026-10-19")])
    due = due_venues(frame, as_of=date(2026, 9, 30), working=WORKING)
    assert due.due.dt.strftime("%Y-%m-%d").tolist() == ["2026-09-30", "2026-11-19"]
    assert due.due_state.tolist() == ["due", "later"]


def test_a_saturday_worked_in_return_is_kept():
    """10 October 2026 is a Saturday that is worked for the holiday."""
    days = np.array(["2026-10-10", "2026-10-11", "2026-10-17", "NaT"], dtype="datetime64[D]")
    moved = working_day_before(days, WORKING)
    assert np.datetime_as_string(moved).tolist() == [
        "2026-10-10",
        "2026-10-10",
        "2026-10-16",
        "NaT",
    ]


def test_a_due_day_never_moves_onto_the_last_inspection():
    closed = CalendarYear(
        year=2026,
        days=tuple(
            CalendarDay(day=date(2026, 2, d), name="停工", is_working=False) for d in range(1, 29)
        ),
    )
    frame = venues([("shop", "red", "2026-01-30")])
    due = due_venues(frame, as_of=TODAY, working=WorkingCalendar(years=(closed,)))
    assert due.due.dt.strftime("%Y-%m-%d").tolist() == ["2026-02-28"]


def test_the_inspection_after_next():
    frame = venues(
        [("shop", "green", "2026-10-20"), ("shop", "red", "2026-09-01"), ("shop", "red", None)]
    )
    due = next_due(due_venues(frame, as_of=TODAY, working=WORKING), as_of=TODAY, working=WORKING)
    assert due.next_due.dt.strftime("%Y-%m-%d").fillna("").tolist() == [
        "2027-10-20",
        "2026-12-18",  # overdue: made today, a month on is a Sunday
        "",
    ]


def test_unknown_is_due():
    frame = due_venues(
        venues(
            [("shop", "red", None), ("shop", "red", "2026-09-01"), ("shop", "green", "2026-11-01")]
        ),
        as_of=TODAY,
    )
    counts = count_due(frame, data_date=TODAY, boundary_version="2023-06")
    assert str(counts.to_do) == "2/3 (66.7 %)"


@settings(max_examples=40)
@given(st.lists(st.dates(date(2024, 1, 1), date(2026, 12, 31)), min_size=1, max_size=20))
def test_working_days_agree_with_the_calendar_asked_day_by_day(days):
    moved = working_day_before(np.array(days, dtype="datetime64[D]"), WORKING)
    for day, found in zip(days, moved.tolist(), strict=True):
        expected = day
        while not WORKING.is_working_day(expected):
            expected = date.fromordinal(expected.toordinal() - 1)
        assert found == expected


# ---- backlog ------------------------------------------------------------------------------------


def test_the_never_inspected_are_spread_by_priority():
    rows = (
        [("shop", "green", None)] * 60
        + [("shop", "red", None)] * 21
        + [("shop", "red", "2026-11-01")]
    )
    backlog = spread_backlog(venues(rows), RULES, as_of=TODAY, working=WORKING)
    require(backlog, BACKLOG, source="backlog")
    assert len(backlog) == 81
    assert set(backlog.tier[:21]) == {"red"}
    assert backlog.priority.tolist() == list(range(1, 82))
    red, green = (backlog.due[backlog.tier == tier] for tier in ("red", "green"))
    assert red.max() <= pd.Timestamp(2026, 12, 20) < green.max()
    assert red.is_unique
    assert green.value_counts().max() == 1
    assert all(WORKING.is_working_day(day.date()) for day in backlog.due)


def test_restricted_and_key_units_come_first_within_a_tier():
    rows = [("shop", "yellow", None), ("dangerous_goods", "yellow", None), ("shop", "yellow", None)]
    frame = venues(rows).assign(floor_area=[10.0, np.nan, 3000.0])
    backlog = spread_backlog(frame, RULES, as_of=TODAY, working=WORKING)
    assert backlog.venue_id.tolist() == ["v001", "v002", "v000"]


def test_every_township_spreads_its_own():
    frame = venues([("shop", "red", None)] * 40).assign(township_code=["a"] * 10 + ["b"] * 30)
    backlog = spread_backlog(frame, RULES, as_of=TODAY, working=WORKING, by="township_code")
    town = frame.set_index("venue_id").township_code.reindex(backlog.venue_id).to_numpy()
    assert backlog.due[town == "a"].nunique() == 10
    assert backlog.due[town == "b"].value_counts().max() <= 2


def test_no_backlog_no_row():
    frame = venues([("shop", "red", "2026-11-01")])
    backlog = spread_backlog(frame, RULES, as_of=TODAY, working=WORKING)
    require(backlog, BACKLOG, source="backlog", allow_empty=True)
    assert len(backlog) == 0


@settings(max_examples=30)
@given(st.lists(st.sampled_from([tier.value for tier in Tier]), max_size=80), st.integers(0, 400))
def test_nobody_of_the_backlog_waits_longer_than_a_cadence_and_days_are_even(tiers, shift):
    as_of = date.fromordinal(date(2025, 6, 1).toordinal() + shift)
    frame = venues([("shop", tier, None) for tier in tiers])
    backlog = spread_backlog(frame, RULES, as_of=as_of, working=WORKING)
    assert sorted(backlog.venue_id) == sorted(frame.venue_id)
    for tier in Tier:
        days = backlog.due[backlog.tier == tier.value]
        end = add_months(np.array([as_of], "datetime64[D]"), np.array([RULES.cadence.months[tier]]))
        if len(days):
            assert days.max().date() <= end[0].item()
            load = days.value_counts()
            assert load.max() - load.min() <= 1
            assert days.is_monotonic_increasing


def test_a_calendar_without_working_days_is_said():
    years = tuple(
        CalendarYear(
            year=year,
            days=tuple(
                CalendarDay(day=date.fromordinal(n), name="停工", is_working=False)
                for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
            ),
        )
        for year in (2026, 2027, 2028)
    )
    with pytest.raises(OptionInvalid, match="working day"):
        spread_backlog(
            venues([("shop", "red", None)]),
            RULES,
            as_of=TODAY,
            working=WorkingCalendar(years=years),
        )


# ---- who may see restricted places, and the ladder ----------------------------------------------


def test_restricted_kinds_are_for_command_only():
    frame = venues(
        [("shop", "red", None), ("dangerous_goods", "red", None), ("unheard of", "red", None)]
    )
    seen = {a: visible_venues(frame, RULES, audience=a).kind.tolist() for a in Audience}
    assert seen[Audience.COMMAND] == ["shop", "dangerous_goods", "unheard of"]
    assert seen[Audience.TEAM] == seen[Audience.PARTNER] == ["shop"]
    assert seen[Audience.PUBLIC] == []


def test_the_ladder_goes_step_by_step_on_working_days():
    """Ten working days from Friday 18 September 2026 end on 9 October, after the holidays."""
    first = next_step(RULES, "dangerous_goods", since=date(2026, 9, 18), working=WORKING)
    assert (first[0].step, first[1]) == ("on_the_spot", date(2026, 9, 18))
    step, day = next_step(
        RULES, "dangerous_goods", after="on_the_spot", since=date(2026, 9, 18), working=WORKING
    )
    between = WORKING.working_days(date(2026, 9, 19), day)
    assert day == date(2026, 10, 9)
    assert step.step == "time_limit"
    assert len(between) == step.working_days == 10
    assert between[-1] == day
    steps, after = [], ""
    while found := next_step(RULES, "dangerous_goods", after=after, since=TODAY, working=WORKING):
        after = found[0].step
        steps.append(after)
    assert steps == ["on_the_spot", "time_limit", "fine", "suspension", "revocation"]
    assert next_step(RULES, "shop", since=TODAY, working=WORKING) is None
    assert next_step(RULES, "dangerous_goods", after="x", since=TODAY, working=WORKING) is None
