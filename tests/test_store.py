"""Opening a store, its one writer, and what is said when a database cannot."""

import multiprocessing
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from api.i18n import LANGUAGES, explain
from api.i18n import text as message
from api.store import checkpoint, new_id, new_ids, open_store
from api.store.database import database_url, make_engine
from api.store.failure import shown, translate
from api.store.migrations import NEWEST, REVISIONS, VERSION_TABLE
from api.store.opening import in_turn
from api.store.reason import Reason
from api.store.revision import migrate
from api.store.tables import API_KEYS, CALENDAR_YEARS, CITY
from api.store.upgrade import upgrade_store
from geo.errors import (
    NotFound,
    OptionInvalid,
    StoreBusy,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreOutdated,
    StoreTooNew,
    StoreUnavailable,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def key(name, **columns):
    return {"key_id": name, "sha256": name, "role": "viewer", "created_at": NOW} | columns


def add(name):
    return lambda connection: connection.execute(insert(API_KEYS), key(name))


def names(store):
    with store.read() as connection:
        return set(connection.execute(select(API_KEYS.c.key_id)).scalars())


# ---------------------------------------------------------------------------------------- ids


def test_ids_are_opaque_unique_and_in_the_order_of_making():
    made = [*(new_id("venue") for _ in range(3)), *new_ids("venue", 5000)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"venue_[0-9a-hjkmnp-tv-z]{26}", one) for one in made)
    time.sleep(0.002)
    assert max(made[:3]) < new_id("venue")


# -------------------------------------------------------------------------------------- opening


def refused(error, setting, reason=None, **options):
    """Open a store that cannot be; return the sentence, the same in both languages."""
    with pytest.raises(error) as caught:
        open_store(str(setting), **options)
    if reason is not None:
        assert caught.value.params["reason"] is reason
    for lang in LANGUAGES:
        said = explain(caught.value, lang)
        assert "\n" not in said
        assert "secret" not in said
    return str(caught.value)


def test_what_is_no_store_is_refused_untouched(tmp_path):
    (tmp_path / "folder.gpkg").mkdir()
    (tmp_path / "empty.gpkg").touch()
    (tmp_path / "text.gpkg").write_text("kind,name\n" * 400)
    with sqlite3.connect(tmp_path / "other.gpkg") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = (tmp_path / "other.gpkg").read_bytes()

    refused(StoreUnavailable, tmp_path / "folder.gpkg", Reason.FOLDER, create=True)
    refused(StoreUnavailable, tmp_path / "empty.gpkg", Reason.NO_TABLES)
    refused(StoreUnavailable, tmp_path / "absent.gpkg", Reason.NO_FILE)
    refused(StoreUnavailable, tmp_path / "text.gpkg" / "a.gpkg", Reason.NO_FOLDER, create=True)
    refused(StoreForeign, tmp_path / "text.gpkg", create=True)
    refused(StoreForeign, tmp_path / "other.gpkg", create=True)
    assert (tmp_path / "other.gpkg").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("empty.gpkg", "folder.gpkg", "other.gpkg", "text.gpkg")
    ]


@pytest.mark.parametrize("setting", ["mysql://root:secret@host/x", "http://x", "", "a\0b"])
def test_a_setting_that_names_nothing_is_refused(setting):
    refused(OptionInvalid, setting)


def test_a_begun_file_is_made_a_store(tmp_path):
    """A process killed while it made the file leaves an empty one."""
    path = tmp_path / "deep" / "city.gpkg"
    path.parent.mkdir()
    path.touch()
    open_store(str(path), create=True).close()
    open_store(str(path)).close()


@contextmanager
def as_nobody():
    """Be a user whom permissions hold back; root passes them."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_to_all():
    """A folder that everybody may reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of another kind")
def test_a_read_only_file_or_folder_is_refused(geopackage_setting, open_to_all):
    path = Path(shutil.copy(geopackage_setting, open_to_all))
    for mode, reason in ((0o444, None), (0o000, Reason.DENIED)):
        path.chmod(mode)
        open_to_all.chmod(0o555)
        with as_nobody():
            refused(StoreUnavailable, path, reason)
            refused(StoreUnavailable, path.with_name("new.gpkg"), create=True)
            refused(StoreUnavailable, path.with_name("new") / "new.gpkg", create=True)
    open_to_all.chmod(0o755)
    path.chmod(0o644)
    open_store(str(path)).close()


def test_a_damaged_store_is_refused(geopackage_setting):
    path = Path(geopackage_setting)
    content = bytearray(path.read_bytes())
    content[100:4096] = bytes(3996)
    path.write_bytes(content)
    refused(StoreUnavailable, path, Reason.DAMAGED)


@pytest.mark.parametrize("create", [True, False])
def test_a_store_of_another_release_is_refused(store_setting, create):
    engine = make_engine(database_url(store_setting))
    in_turn(engine, lambda connection: migrate(connection, REVISIONS[-2]))
    said = refused(StoreOutdated, store_setting, create=create)
    assert "patrolgrid upgrade" in said
    assert REVISIONS[-2] in said

    done = upgrade_store(store_setting)
    assert (done.before, done.after) == (REVISIONS[-2], NEWEST)
    open_store(store_setting).close()

    newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    in_turn(engine, lambda connection: connection.execute(newer))
    assert "9999" in refused(StoreTooNew, store_setting, create=create)
    with pytest.raises(StoreTooNew):
        upgrade_store(store_setting)
    engine.dispose()


def test_an_upgrade_keeps_a_copy_and_the_rows(geopackage_setting):
    path = Path(geopackage_setting)
    with open_store(geopackage_setting) as store:
        city = {"epsg": 32650, "synthetic": True, "attribution": []}
        store.write(lambda connection: connection.execute(insert(CITY), city))
    down = upgrade_store(geopackage_setting, revision="0001")
    assert down.copy.parent == path.parent
    assert upgrade_store(geopackage_setting).copy is not None
    assert upgrade_store(geopackage_setting).copy is None
    with open_store(geopackage_setting) as store, store.read() as connection:
        assert connection.scalar(select(CITY.c.epsg)) == 32650
    open_store(str(down.copy)).close()
    with pytest.raises(OptionInvalid, match="0001, 0002"):
        upgrade_store(geopackage_setting, revision="7")


def test_postgres_says_why_it_cannot(postgis_cluster, tmp_path, monkeypatch):
    url = postgis_cluster.url
    refused(StoreUnavailable, url("nowhere"), Reason.NO_DATABASE, create=True)
    nobody = url("postgres").replace("patrolgrid@", "stranger:secret@")
    refused(StoreUnavailable, nobody, Reason.LOGIN)
    absent = f"postgresql://patrolgrid:secret@/x?host={tmp_path}"
    refused(StoreUnavailable, absent, Reason.NO_ANSWER)
    empty = postgis_cluster.new_database()
    refused(StoreUnavailable, url(empty), Reason.NO_TABLES)
    with postgis_cluster.connect(empty) as connection:
        connection.execute("CREATE ROLE builder LOGIN")
        connection.execute("CREATE TABLE theirs (a int)")
    refused(StoreForeign, url(empty), create=True)
    with postgis_cluster.connect(empty) as connection:
        connection.execute("DROP TABLE theirs")
    builder = url(empty).replace("patrolgrid@", "builder@")
    refused(StoreUnavailable, builder, Reason.NO_POSTGIS, create=True)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    refused(StoreUnavailable, url(empty), Reason.NO_DRIVER)


def test_an_address_is_shown_without_user_and_password():
    url = database_url("postgresql://chief:secret@10.0.0.7:5433/city?sslmode=require")
    assert shown(url) == "postgresql://10.0.0.7/city"
    assert shown(database_url("some/where/city.gpkg")) == "city.gpkg"


@pytest.mark.parametrize("kind", ["geopackage", "postgis"])
def test_of_processes_that_open_at_once_one_makes_the_store(kind, request, tmp_path):
    if kind == "geopackage":
        setting = str(tmp_path / "city.gpkg")
    else:
        cluster = request.getfixturevalue("postgis_cluster")
        setting = cluster.url(cluster.new_database())
    script = (
        "import sys; sys.stdin.readline()\n"
        "from api.store import open_store\n"
        "open_store(sys.argv[1], create=True).close()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, setting], stdin=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in processes:
        process.communicate(b"go\n")
    assert [process.returncode for process in processes] == [0, 0, 0]
    open_store(setting).close()


# --------------------------------------------------------------------------------------- writing


def test_a_refused_change_leaves_its_neighbours_alone(store):
    gate = threading.Event()

    def slow(connection):
        gate.wait(10)
        add("slow")(connection)

    def wrong(connection):
        add("half")(connection)
        raise NotFound(kind="venue")

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(store.write, slow)
        time.sleep(0.05)
        good = [pool.submit(store.write, add(f"good {k}")) for k in range(3)]
        bad = pool.submit(store.write, wrong)
        twice = pool.submit(store.write, add("good 0"))
        gate.set()
        first.result()
        outcomes = [one.exception() for one in (*good, twice)]
        with pytest.raises(NotFound):
            bad.result()
    assert sorted(type(one).__name__ for one in outcomes) == [
        *("IntegrityError", "NoneType", "NoneType", "NoneType")
    ]
    assert names(store) == {"slow", "good 0", "good 1", "good 2"}


def test_a_read_sees_one_moment_and_can_change_nothing(store):
    store.write(add("before"))
    count = select(func.count()).select_from(API_KEYS)
    with store.read() as connection:
        assert connection.scalar(count) == 1
        store.write(add("after"))
        assert connection.scalar(count) == 1
    assert names(store) == {"before", "after"}
    with pytest.raises(StoreUnavailable) as caught, store.read() as connection:
        connection.execute(insert(API_KEYS), key("reader"))
    assert caught.value.params["reason"] is Reason.READ_ONLY


def test_a_change_may_not_write_another_way(store):
    def nested(_):
        store.write(add("inner"))

    with pytest.raises(RuntimeError, match="its own connection"):
        store.write(nested)
    store.write(add("next"))
    assert names(store) == {"next"}


def test_whatever_a_change_raises_reaches_its_caller(store):
    class Odd(BaseException):
        pass

    def odd(connection):
        add("odd")(connection)
        raise Odd

    with pytest.raises(Odd):
        store.write(odd)
    with pytest.raises(IntegrityError):
        store.write(lambda connection: connection.execute(insert(API_KEYS), key("a", role=None)))
    store.write(add("next"))
    assert names(store) == {"next"}


def test_a_closed_store_says_so(store_setting):
    store = open_store(store_setting)
    store.write(add("one"))
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.write(add("two"))


def test_what_is_queued_is_written_before_closing(store_setting):
    store = open_store(store_setting)
    with ThreadPoolExecutor(20) as pool:
        written = [pool.submit(store.write, add(f"{k}")) for k in range(20)]
        time.sleep(0.01)
        store.close()
    kept = {f"{k}" for k, one in enumerate(written) if one.exception() is None}
    with open_store(store_setting) as again:
        assert names(again) == kept


def test_a_defect_of_the_writer_leaves_nobody_waiting(geopackage, monkeypatch, caplog):
    def fail(_):
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(geopackage._writer, "_commit", fail)
        with pytest.raises(MemoryError):
            geopackage.write(add("lost"))
    geopackage.write(add("next"))
    assert names(geopackage) == {"next"}
    assert "the writer failed" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_no_writer(geopackage):
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()

    def child():
        try:
            geopackage.write(add("child"))
        except RuntimeError as error:
            said.put(str(error))

    process = context.Process(target=child)
    process.start()
    process.join(20)
    assert "forked" in said.get()


def test_a_deadlock_is_tried_again(postgis_setting):
    """Two processes lock two rows in opposite order: PostgreSQL ends one, which then succeeds."""
    both = threading.Barrier(2, timeout=20)
    met = set()

    def bump(first, second):
        def change(connection):
            role = API_KEYS.c.role + "+"
            connection.execute(update(API_KEYS).where(API_KEYS.c.key_id == first).values(role=role))
            if first not in met:
                met.add(first)
                both.wait()
            connection.execute(
                update(API_KEYS).where(API_KEYS.c.key_id == second).values(role=role)
            )

        return change

    with open_store(postgis_setting) as one, open_store(postgis_setting) as two:
        one.write(add("a"))
        one.write(add("b"))
        with ThreadPoolExecutor(2) as pool:
            changes = [
                pool.submit(one.write, bump("a", "b")),
                pool.submit(two.write, bump("b", "a")),
            ]
        assert [change.exception() for change in changes] == [None, None]
        with one.read() as connection:
            assert set(connection.execute(select(API_KEYS.c.role)).scalars()) == {"viewer++"}


def test_changes_beside_one_that_ends_the_transaction_are_kept(geopackage):
    """A full disk makes SQLite take back everything: the others are run again."""
    gate, tries = threading.Event(), []

    def slow(connection):
        gate.wait(10)
        add("slow")(connection)

    def ends_all(connection):
        tries.append(1)
        add("gone")(connection)
        connection.exec_driver_sql("ROLLBACK")
        raise NotFound(kind="venue")

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(geopackage.write, slow)]
        time.sleep(0.05)
        done += [pool.submit(geopackage.write, change) for change in (add("x"), ends_all, add("y"))]
        gate.set()
    assert [type(one.exception()) for one in done] == [type(None)] * 2 + [NotFound, type(None)]
    assert len(tries) == 2
    assert names(geopackage) == {"slow", "x", "y"}


def test_the_lost_line_of_a_postgres_is_found_again(postgis_setting, postgis_cluster):
    with open_store(postgis_setting) as store:
        store.write(add("before"))
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        with postgis_cluster.connect() as connection:
            connection.execute(end, ["patrolgrid"])
        store.write(add("after"))
        assert names(store) == {"before", "after"}
        with pytest.raises(StoreUnavailable):
            store.write(lambda c: c.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")))
        store.write(add("at last"))


def test_a_full_disk_is_said_and_passes(geopackage):
    engine = geopackage._writing
    with engine.connect() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").fetchone()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")

    def fill():
        for k in range(500):
            geopackage.write(add(f"{k} {'x' * 4000}"))

    with pytest.raises(StoreFull):
        fill()
    kept = names(geopackage)
    assert kept
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    geopackage.write(add("again"))
    assert names(geopackage) == kept | {"again"}


def test_another_writer_is_waited_for_and_then_reported(geopackage_setting, monkeypatch):
    monkeypatch.setattr("api.store.database._PRAGMAS", ("busy_timeout = 50", "foreign_keys = on"))
    with open_store(geopackage_setting) as store:
        other = sqlite3.connect(geopackage_setting, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.write(add("late"))
        other.execute("ROLLBACK")
        other.close()
        store.write(add("in time"))


def test_the_log_is_emptied_though_a_reader_stays(geopackage, geopackage_setting, monkeypatch):
    monkeypatch.setattr(checkpoint, "LOG_BYTES", 300_000)
    monkeypatch.setattr(checkpoint, "PATIENCE_MS", 10)
    geopackage._writer._checkpoint._due = 300_000
    log = Path(f"{geopackage_setting}-wal")
    with geopackage.read() as connection:
        connection.scalar(select(func.count()).select_from(API_KEYS))
        for k in range(60):
            geopackage.write(add(f"{k} {'x' * 9000}"))
        grown = log.stat().st_size
    assert grown > 300_000
    for k in range(60, 120):
        geopackage.write(add(f"{k} {'x' * 9000}"))
    assert log.stat().st_size < grown


# ---------------------------------------------------------------------------------------- saying


def test_unknown_errors_of_a_database_show_no_statement_and_no_value(caplog):
    said = sqlite3.OperationalError("near secret")
    error = OperationalError("SELECT secret", {"name": "secret"}, said, hide_parameters=True)
    ours = translate(error, database_url("city.gpkg"))
    assert type(ours) is StoreError
    for lang in LANGUAGES:
        assert "secret" not in explain(ours, lang)
    assert ours.__cause__ is error  # for the log
    assert "unexpected database error" in caplog.text


def test_a_wrong_statement_is_an_error(store):
    with pytest.raises((DBAPIError, StoreError)), store.read() as connection:
        connection.execute(select(API_KEYS.c.key_id + func.no_such_function()))


def test_every_reason_is_told_in_both_languages():
    for reason in Reason:
        assert message(reason.code, "en") == reason
        assert message(reason.code, "zh") != reason


def test_other_errors_stay_what_they_are():
    error = ValueError("x")
    assert translate(error, database_url("a.gpkg")) is error


def test_opening_a_store_twice_in_a_process_keeps_its_locks(geopackage, geopackage_setting):
    """Another process that opens and closes the file must not take its log away."""
    elsewhere = (
        "import sys; from api.store import open_store; from sqlalchemy import text\n"
        "with open_store(sys.argv[1]) as store, store.read() as connection:\n"
        "    print([row[0] for row in connection.execute(text('SELECT year FROM calendar_years'))])"
    )

    def seen_elsewhere():
        command = [sys.executable, "-c", elsewhere, geopackage_setting]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def add(year):
        geopackage.write(lambda c: c.execute(insert(CALENDAR_YEARS).values(year=year, notice="")))

    add(1)
    with open_store(geopackage_setting):
        assert seen_elsewhere() == "[1]"
    add(2)
    assert seen_elsewhere() == "[1, 2]"
