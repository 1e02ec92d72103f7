"""Venues: due pages, counts, visits, places and tiers, the same on both databases."""

import threading
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import insert, select

from api import audit
from api.i18n import explain
from api.store import EVERYWHERE, Scope, open_store
from api.store.boundaries import add_version
from api.store.city import CityRow, set_city_row
from api.store.tables import BOUNDARIES, PLANS, VENUES, VISITS
from api.store.venues import (
    TierSince,
    due_counts,
    due_venues_page,
    place_venue,
    record_tiers,
    record_visit,
    set_tier,
    tier_history,
    venue,
    visits_of,
)
from api.store.venues.row import due_after
from geo.errors import LayerMissing, NotFound, RequestInvalid, VersionConflict
from geo.frames import Col, DueState, Tier
from geo.venue import CADENCE, count_due, due_venues

# Two villages of one township, side by side:
#
#   36.1 ┌─────── V1 ───────┬─────── V2 ───────┐
#   36.0 └──────────────────┴──────────────────┘
#       116.0             116.1              116.2
TOWN = {
    "371599": ("county", "", (116.0, 36.0, 116.2, 36.1)),
    "371599101": ("township", "371599", (116.0, 36.0, 116.2, 36.1)),
    "371599101201": ("village", "371599101", (116.0, 36.0, 116.1, 36.1)),
    "371599101202": ("village", "371599101", (116.1, 36.0, 116.2, 36.1)),
}
V1, V2 = "371599101201", "371599101202"
TODAY = date(2026, 11, 21)


def _boundary(code, level, parent, box):
    return {
        "boundary_version": "2023-06",
        "code": code,
        "name": "样例",
        "level": level,
        "admin_parent": parent,
        "grid_role": "none",
        "geom": shapely.MultiPolygon([shapely.box(*box)]),
        "external_id": f"2023-06/{code}",
        "unit_code": code,
        "source": "synthetic",
    }


def _venue(k, **values):
    last, tier = values.get("last_inspection"), values.get("tier", "green")
    return {
        "venue_id": f"venue_{k}",
        "name": f"样例商店 {k:05d}",
        "kind": "shop",
        "tier": tier,
        "last_inspection": last,
        "due": due_after(last, tier),
        "cadence_version": CADENCE.version,
        "precision": "point",
        "state": "open",
        "status": "current",
        "external_id": f"V{k}",
        "unit_code": V1,
        "source": "synthetic",
        "geom": shapely.Point(116.05, 36.05),
        **values,
    }


@pytest.fixture
def town(store):
    """The two villages above, without a venue."""

    def put(connection):
        row = CityRow(epsg=32650, data_date=date(2026, 11, 20), boundary_version="2023-06")
        set_city_row(connection, row)
        add_version(connection, "2023-06", source="synthetic")
        connection.execute(insert(BOUNDARIES), [_boundary(c, *rest) for c, rest in TOWN.items()])

    store.write(put)
    return store


def _put(store, *rows):
    store.write(lambda connection: connection.execute(insert(VENUES), list(rows)))


def _read(store, read, *args, **options):
    with store.read() as connection:
        return read(connection, *args, **options)


def _all_pages(store, *, limit, **asked):
    items, after = [], None
    while True:
        page = _read(store, due_venues_page, after=after, limit=limit, **asked)
        items += page.items
        if page.after is None:
            return items
        after = page.after


@pytest.fixture
def random_venues(town):
    """300 venues of every tier, state and status; a tenth never inspected."""
    rng = np.random.default_rng(5)
    rows = []
    for k in range(300):
        days = int(rng.integers(0, 400))
        last = None if rng.random() < 0.1 else TODAY - timedelta(days=days)
        state, status = rng.random(), rng.random()
        rows.append(
            _venue(
                k,
                tier=str(rng.choice(["red", "yellow", "green"])),
                last_inspection=last,
                state="closed" if state < 0.1 else "exempt" if state < 0.2 else "open",
                status="withdrawn" if status < 0.1 else "to_check" if status < 0.3 else "current",
                unit_code=str(rng.choice([V1, V2])),
            )
        )
    order = rng.permutation(len(rows))
    _put(town, *(rows[k] for k in order))
    return [rows[k] for k in order]


def _frame(rows):
    days = np.array([row["last_inspection"] for row in rows], dtype="datetime64[s]")
    columns = {name: [row[name] for row in rows] for name in (Col.VENUE_ID, Col.TIER)}
    return gpd.GeoDataFrame({**columns, Col.LAST_INSPECTION: pd.Series(days)})


def test_due_pages_agree_with_the_cadence_on_random_venues(town, random_venues):
    counted = [
        row
        for row in random_venues
        if row["status"] != "withdrawn" and row["state"] not in {"closed", "exempt"}
    ]
    for as_of in (TODAY, date(2026, 11, 30), date(2026, 12, 1), date(2027, 2, 28)):
        judged = due_venues(_frame(counted), as_of=as_of)
        nat_first = judged.assign(n=np.arange(len(judged))).sort_values(
            [Col.DUE, "n"], na_position="first"
        )
        whole = _all_pages(town, as_of=as_of, limit=7)
        assert [one.venue_id for one in whole] == nat_first[Col.VENUE_ID].tolist()
        for state in DueState:
            expected = nat_first.loc[nat_first[Col.DUE_STATE] == state.value, Col.VENUE_ID].tolist()
            found = _all_pages(town, as_of=as_of, state=state, limit=11)
            assert [one.venue_id for one in found] == expected
        counts = _read(town, due_counts, as_of=as_of)
        assert counts == count_due(judged, data_date=date(2026, 11, 20), boundary_version="2023-06")


def test_due_pages_keep_to_tier_and_scope(town, random_venues):
    scope = Scope(unit_code=V2)
    found = _all_pages(town, as_of=TODAY, tier=Tier.RED, scope=scope, limit=5)
    expected = {
        row["venue_id"]
        for row in random_venues
        if (row["tier"], row["unit_code"]) == ("red", V2)
        and row["status"] != "withdrawn"
        and row["state"] not in {"closed", "exempt"}
    }
    assert {one.venue_id for one in found} == expected
    counts = _read(town, due_counts, as_of=TODAY, tier=Tier.RED, scope=scope)
    assert counts.unknown.total == len(expected)


def test_a_row_added_between_two_pages_moves_no_other(town):
    _put(town, *(_venue(k, last_inspection=date(2026, 1, 1) + timedelta(days=k)) for k in range(9)))
    first = _read(town, due_venues_page, as_of=TODAY, limit=4)
    _put(town, _venue(100, last_inspection=date(2025, 1, 1)), _venue(101))
    second = _read(town, due_venues_page, as_of=TODAY, limit=9, after=first.after)
    shown = [one.venue_id for one in (*first.items, *second.items)]
    assert shown == [f"venue_{k}" for k in range(9)]


def test_a_venue_to_check_is_due_and_marked(town):
    _put(town, _venue(1, status="to_check", last_inspection=date(2026, 1, 5)))
    (found,) = _read(town, due_venues_page, as_of=TODAY).items
    assert (found.status, found.due) == ("to_check", date(2026, 7, 5))


def test_a_cursor_of_nobodys_making_is_refused(geopackage):
    for after in (("2026-02-30", 1), ("x",), (1, "y"), (None, None, None)):
        with pytest.raises(RequestInvalid, match="cursor"):
            _read(geopackage, due_venues_page, as_of=TODAY, after=after)


def test_counts_without_boundaries_name_what_is_missing(store):
    with pytest.raises(LayerMissing, match="boundaries"):
        _read(store, due_counts, as_of=TODAY)


def _visit(store, k=1, **values):
    asked = {"venue_id": f"venue_{k}", "day": TODAY, "outcome": "done", "today": TODAY, **values}
    return store.write(lambda connection: record_visit(connection, **asked))


def test_a_visit_sets_last_inspection_and_due_day(town):
    _put(town, _venue(1, tier="red", last_inspection=date(2026, 10, 1)))
    visit = _visit(town, day=date(2026, 10, 31), outcome="hazard")
    found = _read(town, venue, "venue_1", EVERYWHERE)
    assert (found.last_inspection, found.due) == (date(2026, 10, 31), date(2026, 11, 30))
    assert (found.state, found.version) == ("open", 2)
    assert _read(town, visits_of, "venue_1")[0].visit_id == visit.visit_id
    assert _read(town, audit.verify) is None


def test_an_older_visit_never_takes_back_a_newer_one(town):
    _put(town, _venue(1))
    _visit(town, day=date(2026, 11, 20), outcome="done")
    _visit(town, day=date(2026, 11, 10), outcome="closed")
    _visit(town, day=date(2026, 3, 1), outcome="done")
    found = _read(town, venue, "venue_1", EVERYWHERE)
    assert (found.last_inspection, found.state) == (date(2026, 11, 20), "open")
    assert found.version == 4
    days = [visit.day.isoformat() for visit in _read(town, visits_of, "venue_1")]
    assert days == ["2026-11-20", "2026-11-10", "2026-03-01"]


def test_the_outcome_decides_the_state(town):
    cases = [
        ("open", "closed", "closed"),
        ("open", "not_found", "not_found"),
        ("not_found", "done", "open"),
        ("closed", "hazard", "open"),
        ("exempt", "closed", "exempt"),
    ]
    _put(town, *(_venue(k, state=before) for k, (before, _, _) in enumerate(cases)))
    for k, (_, outcome, after) in enumerate(cases):
        _visit(town, k, outcome=outcome)
        assert _read(town, venue, f"venue_{k}", EVERYWHERE).state == after


def test_a_visit_that_cannot_be_is_refused_whole(town):
    _put(town, _venue(1))
    for wrong, error, words in (
        ({"day": TODAY + timedelta(days=1)}, RequestInvalid, "to today"),
        ({"day": date(1989, 12, 31)}, RequestInvalid, "1990"),
        ({"outcome": "skipped"}, RequestInvalid, "not_found"),
        ({"venue_id": "venue_9"}, NotFound, "venue"),
        ({"plan_id": "plan_none"}, NotFound, "plan"),
        ({"scope": Scope(unit_code=V2)}, NotFound, "venue"),
    ):
        with pytest.raises(error, match=words) as caught:
            _visit(town, **wrong)
        assert explain(caught.value, "zh")
    with town.read() as connection:
        assert connection.execute(select(VISITS)).all() == []
        assert audit.head(connection).number == 0
        assert venue(connection, "venue_1", EVERYWHERE).version == 1


def test_visits_from_two_processes_are_all_kept(town, store_setting):
    _put(town, _venue(1))
    n_each, errors = 15, []

    def work(store, first):
        try:
            for k in range(n_each):
                _visit(store, day=TODAY - timedelta(days=first + 4 * k))
        except Exception as error:  # noqa: BLE001 - shown by the assert below
            errors.append(error)

    with open_store(store_setting) as other:
        stores = [town, town, other, other]
        threads = [threading.Thread(target=work, args=(store, k)) for k, store in enumerate(stores)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    found = _read(town, venue, "venue_1", EVERYWHERE)
    assert len(_read(town, visits_of, "venue_1")) == 4 * n_each
    assert (found.version, found.last_inspection) == (1 + 4 * n_each, TODAY)
    assert _read(town, audit.verify) is None
    assert _read(town, audit.head).number == 4 * n_each


def test_a_visit_may_name_its_plan(town):
    plan = {
        "plan_id": "plan_1",
        "kind": "inspection",
        "unit_code": V1,
        "night": TODAY,
        "number": 1,
        "state": "draft",
        "seed": 1,
        "input_hash": "",
        "result_hash": "",
        "document": b"",
        "created_at": pd.Timestamp.now(tz="UTC").to_pydatetime(),
    }
    _put(town, _venue(1))
    town.write(lambda connection: connection.execute(insert(PLANS).values(plan)))
    assert _visit(town, plan_id="plan_1", scope=Scope(unit_code=V1)).plan_id == "plan_1"


def _place(store, lon, lat, *, version=1, scope=EVERYWHERE):
    return store.write(
        lambda connection: place_venue(
            connection, "venue_1", lon, lat, version=version, scope=scope
        )
    )


def test_a_venue_is_placed_into_the_unit_that_holds_the_point(town):
    _put(town, _venue(1, precision="none", geom=None, unit_code=""))
    placed = _place(town, 116.15, 36.05)
    assert (placed.lon, placed.lat, placed.precision) == (116.15, 36.05, "point")
    assert (placed.unit_code, placed.version) == (V2, 2)
    assert _place(town, 116.1, 36.05, version=2).unit_code == V2, "a border is the eastern unit's"


def test_a_point_outside_the_city_is_refused(town):
    _put(town, _venue(1))
    for lon, lat in ((117.0, 36.05), (36.05, 116.05), (float("nan"), 36.0), (float("inf"), 36.0)):
        with pytest.raises(RequestInvalid, match="inside"):
            _place(town, lon, lat)
    assert _read(town, venue, "venue_1", EVERYWHERE).version == 1


def test_placing_needs_the_version_and_stays_in_the_scope(town):
    _put(town, _venue(1))
    with pytest.raises(VersionConflict):
        _place(town, 116.05, 36.05, version=2)
    with pytest.raises(RequestInvalid, match="inside"):
        _place(town, 116.15, 36.05, scope=Scope(unit_code=V1))
    with pytest.raises(NotFound):
        _place(town, 116.15, 36.05, scope=Scope(unit_code=V2))


def test_a_withdrawn_venue_is_not_there(town):
    _put(town, _venue(1, status="withdrawn"))
    with pytest.raises(NotFound):
        _read(town, venue, "venue_1", EVERYWHERE)


def test_a_tier_moves_the_due_day_and_stays_in_the_history(town):
    _put(town, _venue(1, tier="green", last_inspection=date(2026, 8, 31)))
    first = TierSince(
        venue_id="venue_1", tier=Tier.GREEN, since=date(2026, 1, 1), rule_version="register"
    )

    def grade(connection):
        record_tiers(connection, [first], import_id="import_1")
        options = {"since": TODAY, "rule_version": "2026-1", "version": 1}
        return set_tier(connection, "venue_1", "red", **options)

    graded = town.write(grade)
    assert (graded.tier, graded.due, graded.version) == ("red", date(2026, 9, 30), 2)
    history = _read(town, tier_history, "venue_1", EVERYWHERE)
    assert [(one.tier, one.since) for one in history] == [
        (Tier.GREEN, date(2026, 1, 1)),
        (Tier.RED, TODAY),
    ]
    with pytest.raises(RequestInvalid, match="yellow"):
        town.write(
            lambda connection: set_tier(
                connection, "venue_1", "blue", since=TODAY, rule_version="1", version=2
            )
        )


def test_due_days_in_the_store_are_those_of_the_cadence():
    days = [date(2026, 1, 31), date(2024, 1, 31), date(2024, 2, 29), date(2025, 12, 31)]
    rows = [
        _venue(k, tier=t, last_inspection=d)
        for k, (t, d) in enumerate((tier.value, day) for tier in Tier for day in days)
    ]
    judged = due_venues(_frame(rows), as_of=TODAY)[Col.DUE]
    assert [row["due"] for row in rows] == [day.date() for day in judged]
