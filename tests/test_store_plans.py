"""Plans: drafts, approval, what was made of them, and numbers that no race doubles."""

import gzip
import json
import threading
from datetime import date

import pytest
from sqlalchemy import select

from api import audit
from api.store import EVERYWHERE, Scope, open_store
from api.store.plans import (
    Product,
    add_plan,
    approve_plan,
    plan,
    plan_document,
    plan_product,
    plans_page,
    product_names,
)
from api.store.tables import PLANS
from geo.errors import NotFound, RequestInvalid, StateConflict, VersionConflict
from geo.privacy import Audience
from routing.io import write_plan
from routing.io.plan_file import check_plan_file, read_plan
from routing.model import PlanState

NIGHT = date(2026, 11, 21)
MAP = Product(
    name="tonight.html", audience=Audience.COMMAND, media_type="text/html", body=b"<html>"
)


def _add(store, *, document=b'{"state": "draft"}\n', **values):
    asked = {
        "kind": "patrol",
        "unit_code": "",
        "night": NIGHT,
        "seed": 7,
        "input_hash": "in",
        "result_hash": "out",
        "products": (MAP,),
        **values,
    }
    return store.write(lambda connection: add_plan(connection, document=document, **asked))


def _approve(store, plan_id, *, version=1, scope=EVERYWHERE):
    return store.write(
        lambda connection: approve_plan(
            connection, plan_id, version=version, actor="commander", scope=scope
        )
    )


def _read(store, read, *args, **options):
    with store.read() as connection:
        return read(connection, *args, **options)


def test_equal_plans_are_equal_bytes_and_come_back_as_written(store):
    document = json.dumps({"state": "draft", "routes": ["样例"] * 50}).encode()
    ids = [_add(store, document=document) for _ in range(2)]
    with store.read() as connection:
        kept = connection.scalars(select(PLANS.c.document)).all()
    assert kept[0] == kept[1]
    assert gzip.decompress(kept[0]) == document == _read(store, plan_document, ids[0])


def test_a_served_plan_says_the_state_it_is_in_and_still_passes_the_verifier(
    store, town_plan, tmp_path
):
    file = tmp_path / "plan.json"
    write_plan(town_plan, file, audience=Audience.COMMAND, attribution=("OSM",))
    written = file.read_bytes()
    faults = check_plan_file(file)
    plan_id = _add(store, document=written)
    assert _read(store, plan_document, plan_id) == written
    _approve(store, plan_id)
    file.write_bytes(_read(store, plan_document, plan_id))
    assert read_plan(file).state is PlanState.APPROVED
    assert check_plan_file(file) == faults
    with store.read() as connection:
        assert gzip.decompress(connection.scalar(select(PLANS.c.document))) == written


def test_a_document_without_a_state_is_served_as_it_is(store):
    plan_id = _add(store, kind="inspection", document=b'{"rounds": []}')
    _approve(store, plan_id)
    assert _read(store, plan_document, plan_id) == b'{"rounds": []}'


def test_approving_a_plan_supersedes_the_one_before_and_no_other(store):
    first, second = _add(store), _add(store)
    others = [_add(store, unit_code="371599"), _add(store, kind="inspection")]
    for plan_id in (first, *others):
        _approve(store, plan_id)
    approved = _approve(store, second)
    assert (approved.state, approved.version, approved.number) == ("approved", 2, 2)
    assert (approved.approved_by, approved.approved_at is None) == ("commander", False)
    before = _read(store, plan, first)
    assert (before.state, before.version) == ("superseded", 3)
    assert [_read(store, plan, one).state for one in others] == ["approved"] * 2
    assert _read(store, audit.verify) is None


def test_only_an_unchanged_draft_is_approved(store):
    plan_id = _add(store)
    with pytest.raises(VersionConflict):
        _approve(store, plan_id, version=2)
    _approve(store, plan_id)
    with pytest.raises(StateConflict, match="approved"):
        _approve(store, plan_id, version=2)
    with pytest.raises(NotFound):
        _approve(store, "plan_none")


def test_a_plan_of_another_unit_is_not_there(store):
    plan_id, scope = _add(store), Scope(unit_code="371599")
    for read, arguments in (
        (plan, ()),
        (plan_document, ()),
        (plan_product, ("tonight.html", Audience.COMMAND)),
        (product_names, ()),
    ):
        with pytest.raises(NotFound):
            _read(store, read, plan_id, *arguments, scope)
    with pytest.raises(NotFound):
        _approve(store, plan_id, scope=scope)
    assert _read(store, plans_page, scope=scope).items == ()


def test_a_product_is_for_its_own_audience(store):
    plan_id = _add(store)
    assert _read(store, plan_product, plan_id, MAP.name, Audience.COMMAND) == MAP
    assert _read(store, product_names, plan_id) == [(MAP.name, Audience.COMMAND)]
    for name, audience in ((MAP.name, Audience.PUBLIC), ("other.html", Audience.COMMAND)):
        with pytest.raises(NotFound, match="product"):
            _read(store, plan_product, plan_id, name, audience)


def test_pages_go_from_the_newest_to_the_oldest(store):
    ids = [_add(store, night=date(2026, 11, 1 + k % 2)) for k in range(7)]
    found, after = [], None
    while True:
        page = _read(store, plans_page, after=after, limit=3)
        found += [one.plan_id for one in page.items]
        if (after := page.after) is None:
            break
    assert found == ids[::-1]
    some = _read(store, plans_page, night=date(2026, 11, 2), state="draft", kind="patrol")
    assert [one.plan_id for one in some.items] == ids[1::2][::-1]
    with pytest.raises(RequestInvalid, match="cursor"):
        _read(store, plans_page, after=("x",))


def test_numbers_are_given_once_and_one_plan_is_approved_whoever_is_first(store, store_setting):
    added, errors = [], []

    def work(writer):
        try:
            for _ in range(6):
                plan_id = _add(writer)
                added.append(plan_id)
                _approve(writer, plan_id)
        except Exception as error:  # noqa: BLE001 - shown by the assert below
            errors.append(error)

    with open_store(store_setting) as other:
        threads = [threading.Thread(target=work, args=(one,)) for one in (store, store, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    plans = [_read(store, plan, plan_id) for plan_id in added]
    assert sorted(one.number for one in plans) == list(range(1, 19))
    assert [one.state for one in plans].count("approved") == 1
    assert [one.state for one in plans].count("superseded") == 17
    assert _read(store, audit.verify) is None
