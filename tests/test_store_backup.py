"""Backup and restore of both kinds of store: one moment, whole or not there, verified."""

import runpy
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update
from typer.testing import CliRunner

from api.cli import app
from api.store import open_store
from api.store.backup import back_up, restore
from api.store.database import database_url
from api.store.geometry import meets_box
from api.store.reason import Reason
from api.store.tables import METADATA, VENUES, VISITS
from geo.errors import Stopped, StoreForeign, StoreTooNew, StoreUnavailable

filler = runpy.run_path(str(Path(__file__).with_name("store_rows.py")))
fill = filler["fill"]


def answers(setting):
    """Return every row count and the answers of boxes over every layer."""
    found = {}
    with open_store(setting) as store, store.read() as connection:
        for table in METADATA.sorted_tables:
            found[table.name] = connection.scalar(select(func.count()).select_from(table))
            for k in range(4 if "geom" in table.c else 0):
                box = (115.98 + 0.02 * k, 36.45, 116.0 + 0.03 * k, 36.47 + 0.02 * k)
                near = select(table.c.fid).where(meets_box(table.c.geom, *box)).order_by("fid")
                found[table.name, k] = connection.execute(near).scalars().all()
    return found


@pytest.fixture
def place(store_setting, tmp_path, request):
    """Settings of stores that are not there yet, of the same kind as the store."""
    made = []

    def new(name):
        if "://" not in store_setting:
            return str(tmp_path / f"{name}.gpkg")
        cluster = request.getfixturevalue("postgis_cluster")
        made.append(f"{Path(tmp_path).name[:24]}_{name}".lower())
        return cluster.url(made[-1])

    yield new
    if made:
        cluster = request.getfixturevalue("postgis_cluster")
        with cluster.connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        for (name,) in rows:
            if name.startswith(tuple(made)):
                cluster.drop(name)


def test_the_drill(store_setting, place, tmp_path):
    """Back up, restore elsewhere: every count and every spatial answer is the same."""
    with open_store(store_setting) as store:
        fill(store, 40)
    before, reports = answers(store_setting), []
    made = back_up(
        store_setting, tmp_path / "copy", progress=lambda *report: reports.append(report)
    )
    assert reports[-1][0] == reports[-1][1] > 0
    there = place("there")
    back = restore(tmp_path / "copy", there)
    assert answers(there) == before
    assert back.n_rows == made.n_rows
    assert {t: n for t, n in made.n_rows.items() if t in METADATA.tables} == {
        name: before[name] for name in METADATA.tables
    }
    with open_store(there) as store:  # it goes on from there
        fill_more = filler["rows"](VENUES, 41)[-1]
        store.write(lambda connection: connection.execute(insert(VENUES), fill_more))


def test_a_backup_of_a_store_at_work_is_one_moment(store_setting, place, tmp_path):
    """Every change adds a visit and one to its venue's version: in the copy too they agree."""
    with open_store(store_setting) as store:
        fill(store, 3)
        stop, n = threading.Event(), [0]

        def change(connection):
            visit = filler["rows"](VISITS, 1)[0] | {"visit_id": f"new {n[0]}"}
            connection.execute(insert(VISITS), visit)
            connection.execute(update(VENUES).values(version=VENUES.c.version + 1))

        def work():
            while not stop.is_set():
                store.write(change)
                n[0] += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            while n[0] < 20:
                time.sleep(0.005)
            back_up(store_setting, tmp_path / "copy")
        finally:
            stop.set()
            thread.join()
        assert n[0] > 20
    there = place("moment")
    restore(tmp_path / "copy", there)
    with open_store(there) as store, store.read() as connection:
        visits = select(func.count()).where(VISITS.c.visit_id.startswith("new"))
        seen = connection.scalar(visits)
        assert seen >= 20
        assert connection.scalar(select(VENUES.c.version).where(VENUES.c.fid == 1)) == 2 + seen


def test_a_store_that_is_there_is_kept_beside(store_setting, place, tmp_path):
    back_up(store_setting, tmp_path / "empty")
    there = place("taken")
    restore(tmp_path / "empty", there)
    with open_store(there) as store:
        fill(store, 2)
        store.write(lambda connection: None)
    filled = answers(there)

    with pytest.raises(StoreUnavailable) as caught:
        restore(tmp_path / "empty", there)
    assert caught.value.params["reason"] is Reason.EXISTS
    assert answers(there) == filled

    with open_store(there) as store:
        store.write(lambda connection: None)
        with pytest.raises(StoreUnavailable) as caught:
            restore(tmp_path / "empty", there, replace=True)
    assert caught.value.params["reason"] is Reason.IN_USE
    assert answers(there) == filled

    kept = restore(tmp_path / "empty", there, replace=True).kept
    assert answers(there)["venues"] == 0
    url = database_url(there)
    is_file = url.get_backend_name() == "sqlite"
    beside = Path(url.database).with_name(kept) if is_file else there.replace(url.database, kept)
    assert answers(str(beside)) == filled


class Now:
    """A stop token that is set after some looks."""

    def __init__(self, after=0):
        self.left = after

    def is_set(self):
        self.left -= 1
        return self.left < 0


def test_a_stop_leaves_nothing(store_setting, place, tmp_path):
    with open_store(store_setting) as store:
        fill(store, 20)
    with pytest.raises(Stopped):
        back_up(store_setting, tmp_path / "copy", stop=Now())
    assert not list(tmp_path.glob("*copy*"))
    back_up(store_setting, tmp_path / "copy")
    there = place("stopped")
    with pytest.raises(Stopped):
        restore(tmp_path / "copy", there, stop=Now())
    with pytest.raises(StoreUnavailable):
        open_store(there)
    assert not list(tmp_path.glob("*stopped*"))
    restore(tmp_path / "copy", there)


def test_what_is_no_backup_is_refused(store_setting, place, tmp_path):
    is_file = "://" not in store_setting
    with open_store(store_setting) as store:
        fill(store, 5)
    back_up(store_setting, tmp_path / "copy")

    def refused(name, reason, error=StoreUnavailable):
        there = place("refused")
        with pytest.raises(error) as caught:
            restore(tmp_path / name, there)
        if reason:
            assert caught.value.params["reason"] is reason
        with pytest.raises(StoreUnavailable):
            open_store(there)

    refused("absent", Reason.NO_FILE)
    refused(".", Reason.DENIED)
    (tmp_path / "text").write_text("no backup")
    refused("text", Reason.NO_BACKUP)
    (tmp_path / "other").write_bytes(b"PGDMP" if is_file else b"SQLite format 3\0")
    refused("other", Reason.OTHER_KIND)
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    refused("cut", None)
    with pytest.raises(StoreUnavailable) as caught:
        back_up(store_setting, tmp_path / "copy")
    assert caught.value.params["reason"] is Reason.FILE_EXISTS
    assert (tmp_path / "copy").read_bytes() == whole


def test_a_backup_of_a_newer_release_and_a_foreign_file_are_refused(geopackage_setting, tmp_path):
    back_up(geopackage_setting, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as newer, newer:
        newer.execute("UPDATE patrolgrid_revision SET version_num = '9999'")
    with pytest.raises(StoreTooNew):
        restore(tmp_path / "copy", str(tmp_path / "there.gpkg"))
    with closing(sqlite3.connect(tmp_path / "theirs.gpkg")) as other, other:
        other.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreForeign):
        back_up(str(tmp_path / "theirs.gpkg"), tmp_path / "copy 2")
    with pytest.raises(StoreUnavailable):
        restore(tmp_path / "theirs.gpkg", str(tmp_path / "there.gpkg"))
    with pytest.raises(StoreForeign):
        restore(Path(geopackage_setting), str(tmp_path / "theirs.gpkg"), replace=True)


def test_a_damaged_store_gives_no_backup_and_can_be_replaced(geopackage_setting, tmp_path):
    with open_store(geopackage_setting) as store:
        fill(store, 40)
    back_up(geopackage_setting, tmp_path / "good")
    with closing(sqlite3.connect(geopackage_setting)) as damage:
        damage.execute("PRAGMA writable_schema = on")
        damage.execute("DELETE FROM rtree_venues_geom_rowid")  # the index and the rows disagree
        damage.commit()
    with pytest.raises(StoreUnavailable) as caught:
        back_up(geopackage_setting, tmp_path / "copy")
    assert caught.value.params["reason"] is Reason.DAMAGED
    assert not list(tmp_path.glob("*copy*"))
    restore(tmp_path / "good", geopackage_setting, replace=True)
    assert answers(geopackage_setting)["venues"] == 40


def test_the_log_of_a_deleted_store_is_never_part_of_the_new_one(geopackage_setting, tmp_path):
    back_up(geopackage_setting, tmp_path / "copy")
    there = tmp_path / "there.gpkg"
    for suffix in ("-wal", "-shm"):
        there.with_name(f"{there.name}{suffix}").write_bytes(b"of another one")
    restore(tmp_path / "copy", str(there))
    assert answers(str(there))["venues"] == 0
    assert len(list(tmp_path.glob("there-before-*-wal"))) == 1


def test_a_backup_is_for_qgis_too(geopackage_setting, tmp_path):
    with open_store(geopackage_setting) as store:
        made = fill(store, 5)
    back_up(geopackage_setting, tmp_path / "copy.gpkg")
    header = (tmp_path / "copy.gpkg").read_bytes()[:100]
    assert header[18:20] == b"\1\1"  # no log beside it: one file to carry away
    assert header[68:72] == b"GPKG"
    points = [row["geom"] for row in made["venues"] if row["geom"]]
    with closing(sqlite3.connect(tmp_path / "copy.gpkg")) as copy:
        extent = "SELECT min_x, max_y FROM gpkg_contents WHERE table_name = 'venues'"
        west, north = copy.execute(extent).fetchone()
    assert west == pytest.approx(min(p.x for p in points), abs=1e-4)
    assert north == pytest.approx(max(p.y for p in points), abs=1e-4)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_a_killed_backup_leaves_no_file_of_that_name(geopackage_setting, tmp_path):
    target = tmp_path / "copy.gpkg"
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom api.store import geopackage_copy\n"
        "from api.store.backup import back_up\n"
        "geopackage_copy._checked = lambda part: os.kill(os.getpid(), signal.SIGKILL)\n"
        "back_up(sys.argv[1], Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", script, geopackage_setting, target], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(list(tmp_path.glob(".copy.gpkg.*.part"))) == 1
    back_up(geopackage_setting, target)
    assert not list(tmp_path.glob(".copy.gpkg.*"))


def test_what_a_killed_restore_left_on_the_server_goes(postgis_cluster, postgis_setting, tmp_path):
    back_up(postgis_setting, tmp_path / "copy")
    name = "left_behind"
    with postgis_cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}_restoring_999999999")
    restore(tmp_path / "copy", postgis_cluster.url(name))
    with postgis_cluster.connect() as connection:
        names = connection.execute("SELECT datname FROM pg_database").fetchall()
    assert [n for (n,) in names if n.startswith(name)] == [name]
    postgis_cluster.drop(name)


def test_an_empty_database_is_filled_in_place(postgis_cluster, postgis_setting, tmp_path):
    with open_store(postgis_setting) as store:
        fill(store, 5)
    back_up(postgis_setting, tmp_path / "copy")
    empty = postgis_cluster.new_database()
    with postgis_cluster.connect(empty) as connection:
        connection.execute("CREATE EXTENSION postgis")
    assert restore(tmp_path / "copy", postgis_cluster.url(empty)).kept == ""
    assert answers(postgis_cluster.url(empty)) == answers(postgis_setting)
    postgis_cluster.drop(empty)


def test_a_password_is_in_no_command_line(monkeypatch, postgis_cluster, tmp_path):
    from api.store import postgis_program

    seen = []
    real = subprocess.Popen

    def spy(command, **options):
        seen.append((command, options))
        return real(command, **options)

    monkeypatch.setattr(postgis_program.subprocess, "Popen", spy)
    url = database_url(postgis_cluster.url("postgres").replace("patrolgrid@", "patrolgrid:sesame@"))
    with pytest.raises(StoreUnavailable) as caught:
        postgis_program.run_program(
            "pg_dump", ["--table=none"], url, n_tables=1, progress=lambda *_: None, stop=Now(9**9)
        )
    assert caught.value.params["reason"] is Reason.PROGRAM
    (command, options) = seen[0]
    assert "sesame" not in " ".join(map(str, command))
    assert options["env"]["PGPASSWORD"] == "sesame"


def test_without_the_programs_it_says_so(monkeypatch, postgis_setting, tmp_path):
    from api.store import postgis_program

    monkeypatch.setattr(postgis_program, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnavailable) as caught:
        back_up(postgis_setting, tmp_path / "copy")
    assert caught.value.params["reason"] is Reason.NO_PROGRAM


# ------------------------------------------------------------------------------- command line


def run(setting, *arguments):
    environment = {"PATROLGRID_STORE": setting}
    return CliRunner().invoke(app, [*map(str, arguments), "--lang", "en"], env=environment)


def test_the_commands(store_setting, place, tmp_path, monkeypatch):
    with open_store(store_setting) as store:
        fill(store, 3)
    done = run(store_setting, "backup", tmp_path / "copy")
    assert done.exit_code == 0, done.output
    assert "Backed up to" in done.output
    there = place("commanded")
    monkeypatch.chdir(tmp_path)
    assert "verified" in run(there, "restore", "copy").output
    refused = run(there, "restore", tmp_path / "copy")
    assert refused.exit_code == 2
    assert "--replace" in refused.output
    assert "is kept as" in run(there, "restore", tmp_path / "copy", "--replace").output
    assert "nothing to do" in run(there, "upgrade").output
    down = run(there, "upgrade", "--to", "0002")
    assert "from revision 0004 to 0002" in down.output
    assert "from revision 0002 to 0004" in run(there, "upgrade").output
    assert run(there, "upgrade", "--to", "x").exit_code == 2
