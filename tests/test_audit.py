"""The audit's chain: whatever is done to a row afterwards is found."""

import threading

import pytest
from sqlalchemy import delete, insert, select, update

from api import audit
from api.store import open_store
from api.store.tables import AUDIT


def _record(store, n=1, *, first=1):
    def change(connection):
        for k in range(first, first + n):
            details = {"n": k, "day": "2026-11-21", "unit_code": "样例", "share": 0.1, "gone": None}
            audit.record(
                connection, actor="admin", action="made", subject=f"plan_{k}", details=details
            )

    store.write(change)


def _verify(store, **kept):
    with store.read() as connection:
        return audit.verify(connection, **kept)


def _head(store):
    with store.read() as connection:
        return audit.head(connection)


def _damage(store, work):
    """Do what the triggers refuse, as somebody with the database in hand could."""

    def change(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        else:
            named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
            for (name,) in connection.exec_driver_sql(named).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        work(connection)

    store.write(change)


def test_a_chain_as_written_is_sound(store):
    assert _verify(store) is None
    assert _head(store).hash == "0" * 64
    _record(store, 30)
    assert _verify(store) is None
    assert _head(store).number == 30


def test_a_changed_word_is_found(geopackage):
    _record(geopackage, 9)
    words = {"actor": "viewer", "action": "seen", "subject": "plan_9", "details": {"n": 99}}
    for row, (column, value) in zip((8, 6, 4, 2), words.items(), strict=True):
        tampered = update(AUDIT).where(AUDIT.c.fid == row).values({column: value})
        _damage(geopackage, lambda connection, change=tampered: connection.execute(change))
        broken = _verify(geopackage)
        assert (broken.number, broken.fault) == (row, "changed")


def test_a_changed_instant_removed_and_reordered_rows_are_found(store):
    for damage, number in ((_shift, 5), (_remove, 5), (_swap, 4)):
        _damage(store, lambda connection: connection.execute(delete(AUDIT)))
        _record(store, 9)
        with store.read() as connection:
            fids = connection.scalars(select(AUDIT.c.fid).order_by(AUDIT.c.fid)).all()
        _damage(store, lambda connection, damage=damage, fids=fids: damage(connection, fids))
        assert _verify(store).number == number


def _shift(connection, fids):
    (at,) = connection.scalars(select(AUDIT.c.at).where(AUDIT.c.fid == fids[4]))
    earlier = at.replace(year=at.year - 1)
    connection.execute(update(AUDIT).where(AUDIT.c.fid == fids[4]).values(at=earlier))


def _remove(connection, fids):
    connection.execute(delete(AUDIT).where(AUDIT.c.fid == fids[4]))


def _swap(connection, fids):
    rows = connection.execute(
        select(AUDIT).where(AUDIT.c.fid.in_((fids[3], fids[6]))).order_by(AUDIT.c.fid)
    ).mappings()
    one, two = map(dict, rows)
    connection.execute(delete(AUDIT).where(AUDIT.c.fid.in_((one["fid"], two["fid"]))))
    one["fid"], two["fid"] = two["fid"], one["fid"]
    connection.execute(insert(AUDIT), [one, two])


def test_rows_cut_off_the_end_are_found_by_a_kept_head(geopackage):
    _record(geopackage, 9)
    kept = _head(geopackage)
    _damage(geopackage, lambda connection: connection.execute(delete(AUDIT).where(AUDIT.c.fid > 6)))
    assert _verify(geopackage) is None
    broken = _verify(geopackage, kept=kept)
    assert (broken.number, broken.fault) == (7, "cut")
    _record(geopackage, 5, first=20)
    assert _verify(geopackage, kept=kept).fault == "changed"


def test_a_kept_head_still_holds_when_the_chain_grew(geopackage):
    _record(geopackage, 3)
    kept = _head(geopackage)
    _record(geopackage, 3, first=4)
    assert _verify(geopackage, kept=kept) is None


def test_a_change_that_fails_leaves_no_row(store):
    def change(connection):
        audit.record(connection, actor="admin", action="made", subject="x", details={})
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        store.write(change)
    assert _head(store).number == 0


def test_details_hold_short_facts_only(geopackage):
    def change(connection, value):
        audit.record(connection, actor="admin", action="made", subject="x", details={"body": value})

    for value in ({"name": "x"}, ["x"], b"x", "字" * 201, object()):
        with pytest.raises(TypeError, match="body"):
            geopackage.write(lambda connection, value=value: change(connection, value))


def test_two_processes_make_one_chain(store, store_setting):
    errors = []

    def work(writer, first):
        try:
            for k in range(15):
                _record(writer, first=first + k)
        except Exception as error:  # noqa: BLE001 - shown by the assert below
            errors.append(error)

    with open_store(store_setting) as other:
        threads = [
            threading.Thread(target=work, args=(writer, 100 * k))
            for k, writer in enumerate((store, store, other, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert _verify(store) is None
    assert _head(store).number == 60
