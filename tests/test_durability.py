"""Nothing acknowledged is ever lost: a small count of each campaign of ``tests/bench/service.py``.

Every one asserts how many writes were acknowledged, so that it cannot pass by writing nothing, and
the broken variants beside it show that it can fail.
"""

import importlib
import runpy
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.append(str(TESTS / "bench"))
service = {
    name: importlib.import_module(f"service_{name}")
    for name in ("answers", "contended", "full", "http", "kill", "postgres", "power")
}
queries = runpy.run_path(str(TESTS / "store_queries.py"))


def assert_kept(row, *, acked):
    assert row.acked >= acked, "hardly anything was written: nothing is proven"
    assert (row.lost, row.torn, row.corrupt) == (0, 0, 0), row.line()


def test_a_killed_process_loses_nothing():
    (row,) = service["kill"].run(runs=2, acked=160, n_venues=60)
    assert_kept(row, acked=160)


def test_a_killed_service_loses_nothing_and_repeats_have_one_effect():
    (row,) = service["http"].run(runs=1, acked=40, n_venues=60)
    assert_kept(row, acked=40)
    assert row.more["odd"] == []


def test_a_power_cut_loses_nothing():
    (row,) = service["power"].run(runs=6, acked=150, n_venues=60, cases=["full"], calls=4_000)
    assert_kept(row, acked=150)
    assert row.more["syncs"] > row.runs


@pytest.mark.parametrize("case", ["normal", "lying disk"])
def test_a_power_cut_is_noticed_where_nothing_is_synced(case):
    (row,) = service["power"].run(runs=4, acked=60, n_venues=60, cases=[case], calls=4_000)
    assert row.lost > 0, "the simulator does not bite"


def test_a_full_disk_refuses_and_goes_on_afterwards():
    rows = list(service["full"].run(runs=1, acked=20, n_venues=60))
    assert "file size limit" in [row.case for row in rows]
    for row in rows:
        assert_kept(row, acked=20)
        assert row.more["resumed"] == row.runs
        assert row.more["StoreFull"] == row.more["refused"] >= service["full"].CLIENTS


def test_a_killed_postgresql_loses_nothing(postgis_cluster):
    (row,) = service["postgres"].run(runs=1, acked=100, n_venues=60)
    assert_kept(row, acked=100)
    assert set(row.more) <= {"StoreUnavailable", "ready", "ready_median_s"}, "the sentence"


def contend(setting, **options):
    """Let clients of this process meet, each with a store of its own: a process each in full."""
    contended = service["contended"]
    options |= {"writes": 90, "clients": 3, "seed": 1, "run_clients": contended.in_threads}
    return contended.contend(setting, "few venues", **options)


def test_contended_changes_lose_no_update(store_setting):
    row = contend(store_setting)
    assert_kept(row, acked=90)
    assert row.more["VersionConflict"] > 0, "nobody met anybody"
    assert "StoreBusy" not in row.more


def test_a_deferred_transaction_is_refused_where_clients_meet(geopackage_setting, monkeypatch):
    monkeypatch.setattr("api.store.writer.ATTEMPTS", 1)
    row = contend(geopackage_setting, deferred=True)
    assert row.more["StoreBusy"] > 0


@pytest.fixture(scope="module")
def small_city():
    return queries["make_city"](n_venues=1500, n_villages=200, seed=5)


def test_answers_are_those_of_brute_force(store, small_city):
    queries["load"](store, small_city)
    asked = list(queries["random_queries"](small_city, 90, seed=7))
    expected = [query.expect(small_city) for query in asked]
    row = service["answers"].Row("answers", "small")
    service["answers"].compare(store, row, asked, expected)
    assert row.corrupt == 0, row.more["wrong"]
    assert row.more["rows"] > 500
    assert sum(bool(answer) for answer in expected) > 60
