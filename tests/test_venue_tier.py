"""Red, yellow, green: by which reasons, and what would turn a venue green."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import GRADES, REASONS, Remedy, Tier, VenueSize, require
from geo.io.rules import shipped_venue_rules
from geo.venue import after_remedies, grade_venues, sizes
from geo.venue.rules import FactType

RULES = shipped_venue_rules()
TODAY = date(2026, 11, 21)
FINE = {"major_hazards": 0, "open_hazards": 0}


def ledger(*rows):
    """A register: per venue its kind, its tier and what is known of it."""
    n = len(rows)
    facts = {}
    for fact in RULES.facts:
        values = [row[2].get(fact.fact) for row in rows]
        dtype = "datetime64[s]" if fact.type is FactType.DAY else "float64"
        facts[fact.fact] = pd.Series(values, dtype=dtype)
    return gpd.GeoDataFrame(
        {
            "venue_id": pd.Series([f"v{k}" for k in range(n)], dtype="str"),
            "name": pd.Series([f"样例商店 {k:05d}" for k in range(n)], dtype="str"),
            "kind": pd.Series([row[0] for row in rows], dtype="str"),
            "tier": pd.Series([row[1] for row in rows], dtype="str"),
            "last_inspection": pd.Series([None] * n, dtype="datetime64[s]"),
            "source": pd.Series(["synthetic"] * n, dtype="str"),
            **facts,
        },
        geometry=gpd.points_from_xy([115.97] * n, [36.45] * n),
        crs=4326,
    )


def graded(*rows, as_of=TODAY):
    done = grade_venues(ledger(*rows), RULES, as_of=as_of, boundary_version="2023-06")
    require(done.grades, GRADES, source="grades")
    require(done.reasons, REASONS, source="reasons", allow_empty=True)
    return done


def test_thresholds_below_small_at_or_above_key():
    rows = [
        ("shop", "", {"floor_area": 999.9}),
        ("shop", "", {"floor_area": 1000}),
        ("shop", "", {}),
        ("shop", "", {"beds": 500}),  # a shop's beds say nothing
        ("school", "", {"beds": 10}),
        ("school", "", {"beds": 10, "pupils": 500}),
        ("dangerous_goods", "", {}),
        ("no such kind", "", {"floor_area": 5000}),
    ]
    assert sizes(ledger(*rows), RULES).tolist() == [
        "small", "key", "unknown", "unknown", "small", "key", "key", "unknown",
    ]  # fmt: skip


# A street of eight, everything known unless said:
#   v0 nothing          v1 two open hazards     v2 a major one       v3 a hazard found 2 Sept
#   v4 a key unit       v5 unknown hazards, registered green         v6 the same, registered red
#   v7 unknown hazards, not registered
STREET = (
    ("shop", "green", FINE),
    ("shop", "green", FINE | {"open_hazards": 2}),
    ("food", "yellow", FINE | {"major_hazards": 1}),
    ("shop", "green", FINE | {"last_hazard": "2026-09-02"}),
    ("shop", "yellow", FINE | {"floor_area": 2000}),
    ("shop", "green", {}),
    ("shop", "red", {}),
    ("shop", "", {"open_hazards": 0}),
)


def test_every_venue_has_its_tier_and_its_reasons():
    done = graded(*STREET)
    assert done.grades.tier.tolist() == [
        "green", "yellow", "red", "yellow", "yellow", "green", "red", "yellow",
    ]  # fmt: skip
    by_venue = done.reasons.groupby("venue_id").rule.agg(list).to_dict()
    assert by_venue == {
        "v1": ["open_hazard"],
        "v2": ["major_hazard"],
        "v3": ["recent_hazard"],
        "v4": ["key_unit"],
        "v6": ["unknown", "unknown"],
        "v7": ["unknown"],
    }
    assert done.reasons.set_index("venue_id").loc["v1", "value"] == "2"
    assert set(done.reasons.rule_version) == {"2024-1"}


def test_what_would_turn_it_green():
    grades = graded(*STREET).grades.set_index("venue_id")
    assert grades.can_be_green.tolist() == [True, True, True, True, False, True, True, True]
    assert grades.green_from.dt.strftime("%Y-%m-%d").fillna("").tolist() == [
        "", "", "", "2027-03-02", "", "", "", "",
    ]  # fmt: skip


def test_counts_carry_their_denominators():
    done = graded(*STREET)
    assert str(done.judged) == "5/8 (62.5 %)"
    assert str(done.agrees) == "4/7 (57.1 %)"


def test_three_yellow_reasons_make_a_red_venue():
    three = FINE | {"open_hazards": 1, "last_hazard": "2026-11-01", "floor_area": 5000}
    done = graded(("shop", "green", three))
    assert done.grades.tier.tolist() == ["red"]
    assert done.reasons.rule.tolist()[-1] == "escalation"
    assert done.grades.n_reasons.tolist() == [3]


def test_gas_needs_an_alarm_only_where_it_is_known_to_lack_one():
    rows = [
        ("food", "green", FINE | {"uses_gas": 1, "has_gas_alarm": 0}),
        ("food", "green", FINE | {"uses_gas": 1, "has_gas_alarm": 1}),
        ("food", "green", FINE | {"uses_gas": 1}),
        ("food", "green", FINE | {"uses_gas": 0, "has_gas_alarm": 0}),
    ]
    assert graded(*rows).grades.tier.tolist() == ["red", "green", "green", "green"]


def test_a_register_without_facts_keeps_its_tiers():
    frame = ledger(("shop", "red", {}), ("shop", "green", {}), ("shop", "", {}))
    bare = frame.drop(columns=[fact.fact for fact in RULES.facts])
    done = grade_venues(bare, RULES, as_of=TODAY, boundary_version="2023-06")
    assert done.grades.tier.tolist() == ["red", "green", "yellow"]
    assert done.judged.n == 0


def test_no_venue_no_reason():
    done = grade_venues(
        ledger(("shop", "", {})).iloc[:0], RULES, as_of=TODAY, boundary_version="2023-06"
    )
    assert len(done.grades) == len(done.reasons) == 0


DAYS = st.dates(date(2025, 1, 1), TODAY).map(str)
KNOWN = {
    FactType.NUMBER: st.sampled_from([0, 1, 4, 5, 60, 300, 2000]),
    FactType.FLAG: st.sampled_from([0, 1]),
    FactType.DAY: DAYS,
}
FACTS = st.fixed_dictionaries({}, optional={fact.fact: KNOWN[fact.type] for fact in RULES.facts})
ROWS = st.lists(
    st.tuples(
        st.sampled_from([kind.kind for kind in RULES.kinds]),
        st.sampled_from(["", *(tier.value for tier in Tier)]),
        FACTS,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(ROWS)
def test_whatever_can_be_green_is_once_its_remedies_are_done(rows):
    frame = ledger(*rows)
    done = grade_venues(frame, RULES, as_of=TODAY, boundary_version="x")
    mended = after_remedies(frame, done.reasons, RULES)
    after = grade_venues(mended, RULES, as_of=TODAY, boundary_version="x")
    can = done.grades.can_be_green
    unknown = after.reasons[after.reasons.remedy == Remedy.RECORD.value].venue_id
    assert set(after.grades.tier[can]) <= {"green"}
    assert len(unknown) == 0
    assert (after.grades.tier[~can] != "green").all()


@settings(max_examples=60)
@given(ROWS)
def test_waiting_turns_a_venue_green_on_the_day_said_and_not_before(rows):
    frame = ledger(*rows)
    done = grade_venues(frame, RULES, as_of=TODAY, boundary_version="x")
    for row, day in enumerate(done.grades.green_from):
        if pd.notna(day):
            for shift, tier in ((0, True), (-1, False)):
                later = day.date() + timedelta(days=shift)
                again = grade_venues(frame, RULES, as_of=later, boundary_version="x")
                assert (again.grades.tier[row] == "green") is tier


@settings(max_examples=60)
@given(ROWS)
def test_one_more_open_hazard_never_makes_a_venue_better(rows):
    frame = ledger(*rows)
    worse = frame.assign(open_hazards=frame.open_hazards.fillna(0) + 1)
    rank = {"green": 0, "yellow": 1, "red": 2}
    before, after = (
        grade_venues(f, RULES, as_of=TODAY, boundary_version="x").grades.tier.map(rank)
        for f in (frame.assign(open_hazards=frame.open_hazards.fillna(0)), worse)
    )
    assert (after >= before).all()


@given(ROWS)
@settings(max_examples=30)
def test_vectorised_sizes_agree_with_one_by_one(rows):
    frame = ledger(*rows)
    for size, (kind, _, facts) in zip(sizes(frame, RULES), rows, strict=True):
        rule = RULES.kind(kind)
        known = {f: facts[f] for f in rule.key_at if f in facts}
        if rule.is_always_key or any(known[f] >= rule.key_at[f] for f in known):
            assert size == VenueSize.KEY
        else:
            assert size == (VenueSize.SMALL if known else VenueSize.UNKNOWN)


def test_the_caller_frame_stays_as_it_was():
    frame = ledger(*STREET)
    before = frame.copy()
    done = grade_venues(frame, RULES, as_of=TODAY, boundary_version="x")
    after_remedies(frame, done.reasons, RULES)
    pd.testing.assert_frame_equal(frame, before)
    assert np.isnan(frame.open_hazards[5])


@pytest.mark.parametrize("lacking", ["major_hazards", "open_hazards"])
def test_never_green_for_want_of_knowledge(lacking):
    facts = {name: value for name, value in FINE.items() if name != lacking}
    assert graded(("shop", "yellow", facts)).grades.tier.tolist() == ["yellow"]
