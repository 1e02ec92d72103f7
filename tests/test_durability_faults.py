"""What may go wrong under a store while it is open: nothing acknowledged is lost, nobody hangs."""

import importlib
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import OperationalError

from api.audit import verify
from api.store import checkpoint, new_id, new_ids, open_store, writer
from api.store.tables import AUDIT, VENUES, VISITS
from api.store.venues import record_visit, visit
from geo.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from geo.units import CITY_ZONE

sys.path.append(str(Path(__file__).parent / "bench"))
campaign = importlib.import_module("service_store")
DAY = date(2026, 1, 2)


@pytest.fixture
def town(store_setting):
    """An open store with ten venues, on both databases."""
    campaign.fill(store_setting, 10)
    with open_store(store_setting) as store:
        yield store


@pytest.fixture
def file(geopackage_setting):
    """The path of an embedded store with ten venues."""
    campaign.fill(geopackage_setting, 10)
    return Path(geopackage_setting)


def a_visit(connection):
    return record_visit(
        connection, venue_id=campaign.venue_name(3), day=DAY, outcome="done"
    ).visit_id


def count_visits(store):
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(VISITS))


@contextmanager
def one_commit(store):
    """Hold the writer until the block ends, so that what it submits is committed together."""
    gate, holds = threading.Event(), threading.Event()

    def wait(_):
        holds.set()
        assert gate.wait(30)

    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(store.write, wait)
        assert holds.wait(30)
        try:
            yield lambda change: _submit(pool, store, change)
        finally:
            gate.set()
        held.result()


def _submit(pool, store, change):
    future = pool.submit(store.write, change)
    time.sleep(0.05)  # in the order of submission; another order would do as well
    return future


# ----------------------------------------------------------------------------------- the writer


def exits(_):
    raise SystemExit(3)


def says_nothing(_):
    raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(""))


def breaks_the_statement(connection):
    connection.execute(text("SELECT nothing FROM nowhere"))


@pytest.mark.parametrize("change", [exits, says_nothing, breaks_the_statement])
def test_a_change_that_fails_leaves_its_neighbours_alone(town, change):
    with one_commit(town) as submit:
        before, guilty, after = submit(a_visit), submit(change), submit(a_visit)
    assert guilty.exception(30) is not None
    assert before.result(30) != after.result(30)
    assert count_visits(town) == 2


def test_a_commit_that_fails_keeps_nothing_and_the_store_goes_on(file):
    def leaves_an_orphan(connection):
        connection.execute(text("PRAGMA defer_foreign_keys = on"))
        orphan = text(
            "INSERT INTO visits (visit_id, venue_id, day, outcome, recorded_at) "
            "VALUES ('visit_x', 'nowhere', '2026-01-02', 'done', '2026-01-02T00:00:00.000Z')"
        )
        connection.execute(orphan)

    with open_store(str(file)) as store:
        with one_commit(store) as submit:
            answers = [submit(a_visit), submit(leaves_an_orphan)]
        # both savepoints were released; neither client may be told that its change is kept
        assert all(answer.exception(30) is not None for answer in answers)
        assert count_visits(store) == 0
        store.write(a_visit)
        assert count_visits(store) == 1


def test_the_writer_outlives_a_defect_of_ours(town, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(writer, "translate", fails)
        with pytest.raises(ZeroDivisionError):
            town.write(exits)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoint, "run_if_due", fails)
        town.write(a_visit)
    town.write(a_visit)
    assert count_visits(town) == 2


def test_a_full_store_refuses_the_change_that_is_too_much_alone(file):
    with open_store(str(file)) as store:

        def no_page_more(connection):
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}")

        def too_much(connection):
            a_visit(connection)
            connection.execute(
                AUDIT.insert(),
                {
                    "at": datetime(2026, 1, 2, tzinfo=CITY_ZONE),
                    "actor": "x" * 1_000_000,
                    **dict.fromkeys(("action", "subject", "previous_hash", "hash"), "x"),
                    "details": {},
                },
            )

        store.write(no_page_more)
        with one_commit(store) as submit:
            answers = [submit(a_visit), submit(too_much), submit(a_visit)]
        refused = answers[1].exception(30)
        assert isinstance(refused, StoreFull)
        assert isinstance(pickle.loads(pickle.dumps(refused)), StoreFull)
        assert answers[0].result(30) != answers[2].result(30)
        assert count_visits(store) == 2
    assert campaign.file_faults(file) == []


def test_readers_that_stay_do_not_keep_the_writer_from_writing(town):
    with ExitStack() as stack:
        seen = []
        for _ in range(12):
            connection = stack.enter_context(town.read())
            seen.append(connection.scalar(select(func.count()).select_from(VISITS)))
            town.write(a_visit)
    assert seen == list(range(12))


def test_a_reader_sees_one_moment(town):
    with town.read() as connection:
        first = connection.scalar(select(func.count()).select_from(VISITS))
        town.write(a_visit)
        version = select(VENUES.c.version).where(VENUES.c.venue_id == campaign.venue_name(3))
        assert connection.scalar(select(func.count()).select_from(VISITS)) == first == 0
        assert connection.scalar(version) == 1
    with town.read() as connection:
        assert connection.scalar(version) == 2


# -------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_file_that_is_moved_away_takes_nothing_in_any_more(file, tmp_path, is_replaced):
    other = tmp_path / "other.gpkg"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(other),))
    with open_store(str(file)) as store:
        store.write(a_visit)
        file.rename(tmp_path / "moved.gpkg")
        if is_replaced:
            other.rename(file)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="moved or deleted"):
                store.write(a_visit)
            with pytest.raises(StoreUnavailable, match="moved or deleted"):
                count_visits(store)
    assert file.exists() == is_replaced


def test_a_store_opens_while_another_process_writes(file):
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with open_store(str(file)) as store:
            assert count_visits(store) == 0


def test_a_deleted_log_leaves_an_older_moment_and_no_damage(file, tmp_path):
    """Copying the file alone, or losing its -wal, loses the newest changes: hence `backup`."""
    copy = tmp_path / "copy.gpkg"
    with open_store(str(file)) as store:
        store.write(a_visit)
        copy.write_bytes(file.read_bytes())
    with open_store(str(copy)) as store:
        assert count_visits(store) == 0
        store.write(a_visit)
        with store.read() as connection:
            assert verify(connection) is None
    assert campaign.file_faults(copy) == []
    assert campaign.judge(str(file), []).n_visits == 1


def test_the_log_is_emptied_after_a_long_reader(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "LOG_BYTES", 200_000)
    monkeypatch.setattr(checkpoint, "PATIENCE_MS", 10)
    log = Path(f"{file}-wal")
    with open_store(str(file)) as store:
        with store.read() as connection:
            connection.scalar(select(func.count()).select_from(VISITS))
            while log.stat().st_size < 400_000:
                store.write(a_visit)
        n_visits = count_visits(store)
        while log.stat().st_size >= 400_000:
            store.write(a_visit)
            n_visits += 1
        assert count_visits(store) == n_visits


def test_the_log_stays_short_where_readers_never_pause(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "LOG_BYTES", 200_000)
    log, longest, ends = Path(f"{file}-wal"), 0, threading.Event()

    def read_on(store):
        while not ends.is_set():
            with store.read() as connection:
                connection.scalar(select(func.count()).select_from(VISITS))
                time.sleep(0.005)

    with open_store(str(file)) as store, ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read_on, store) for _ in range(3)]
        try:
            for _ in range(100):
                store.write(a_visit)
                longest = max(longest, log.stat().st_size)
        finally:
            ends.set()
        assert all(reader.result(30) is None for reader in readers)
    assert longest < 2_000_000


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(file):
    script = (
        "import os, sys\n"
        "from api.store import open_store\n"
        "from geo.errors import StoreUnavailable\n"
        "if os.geteuid() == 0:\n"
        "    os.setuid(65534)\n"  # root may write everywhere
        "try:\n"
        "    open_store(sys.argv[1])\n"
        "except StoreUnavailable as error:\n"
        "    print(error.code, error)\n"
    )
    file.chmod(0o444)
    for folder in (file.parent, *file.parents[1:3]):
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(file)],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
            check=False,
        )
    finally:
        for folder in (file.parent, *file.parents[1:3]):
            folder.chmod(0o755)
    assert done.stdout.startswith("store.unavailable"), done.stderr
    assert done.stdout.count("\n") == 1


# ------------------------------------------------------------------------------------ the server


def test_a_commit_waits_for_the_disk_whatever_the_server_says(postgis_cluster, postgis_setting):
    name = make_url(postgis_setting).database
    with postgis_cluster.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with open_store(postgis_setting) as store:
        show = text("SHOW synchronous_commit")
        assert store.write(lambda connection: connection.scalar(show)) == "on"


def test_a_change_whose_commit_nobody_answered_is_not_made_twice(postgis_cluster, postgis_setting):
    """The line breaks at the commit of a group: it may be kept, so it is never run again."""
    campaign.fill(postgis_setting, 10)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    n_runs = [0, 0]

    def counts(k):
        def change(connection):
            n_runs[k] += 1
            return a_visit(connection)

        return change

    with open_store(postgis_setting) as store:
        commit = store._writing.dialect.do_commit

        def commit_and_cut(connection):
            commit(connection)
            if n_runs == [1, 1]:
                with postgis_cluster.connect() as admin:
                    admin.execute(cut, (make_url(postgis_setting).database,))
                connection.execute("SELECT 1")

        store._writing.dialect.do_commit = commit_and_cut
        with one_commit(store) as submit:
            answers = [submit(counts(0)), submit(counts(1))]
        assert all(isinstance(answer.exception(30), StoreError) for answer in answers)
        store._writing.dialect.do_commit = commit
        assert n_runs == [1, 1]
        assert count_visits(store) == 2
        store.write(a_visit)


# ------------------------------------------------------------------------------------- the clock


def test_a_clock_set_back_harms_no_id_and_no_visit(town, monkeypatch):
    ids = new_ids("visit", 100)
    first = town.write(a_visit)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 1, 3, 12, tzinfo=tz)

    monkeypatch.setattr(time, "time_ns", lambda: 1_767_400_000_000_000_000)
    monkeypatch.setattr(visit, "datetime", Earlier)
    monkeypatch.setattr("api.store.chain.datetime", Earlier)
    ids += [*new_ids("visit", 100), *(new_id("visit") for _ in range(100))]
    assert len(set(ids)) == 300
    second = town.write(a_visit)
    assert first != second
    with town.read() as connection:
        row = connection.execute(select(VENUES).where(VENUES.c.version > 1)).mappings().one()
        recorded = list(connection.scalars(select(VISITS.c.recorded_at).order_by(VISITS.c.fid)))
        assert verify(connection) is None
    assert (row["version"], row["last_inspection"]) == (3, DAY)
    assert recorded[1] < recorded[0]


def test_busy_is_told_after_the_wait(file, monkeypatch):
    with open_store(str(file)) as store, closing(sqlite3.connect(file)) as other:
        store.write(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 50"))
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.write(a_visit)
        other.execute("COMMIT")
        store.write(a_visit)
        assert count_visits(store) == 1
