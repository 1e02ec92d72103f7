"""Jobs of kind plan: a stored town's night as a draft with its products, whatever is killed."""

import json
import runpy
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from api.jobs import ask_cancel, enqueue, lease, read_job
from api.jobs.kinds import KINDS
from api.jobs.plan import DUE, MAP, TABLE, UNMATCHED, UNPLACED
from api.jobs.task import Task
from api.jobs.worker import Orders, run
from api.store import open_store
from api.store.plans import plan, plan_document, plan_product, product_names
from api.store.tables import CLOSURES, PLANS, STREETS
from geo.privacy import Audience
from routing.io import check_file

HERE = Path(__file__).parent
ME = "here/1/1/a-1"
NIGHT = {"night": "2026-11-21", "shift": "20:00-22:00"}

fill = runpy.run_path(str(HERE / "stored_town.py"))["fill"]


@pytest.fixture(scope="module")
def town(small_layers):
    """The town with fewer reports and buildings: quick to write and to plan."""
    return replace(
        small_layers,
        incidents=small_layers.incidents.head(400),
        buildings=small_layers.buildings.head(40),
    )


@pytest.fixture(scope="module")
def stored(town, tmp_path_factory):
    """The town in an embedded store."""
    setting = str(tmp_path_factory.mktemp("town") / "town.gpkg")
    with open_store(setting, create=True) as store:
        fill(store, town)
        yield store


def look(store, job_id):
    with store.read() as connection:
        return read_job(connection, job_id)


def take(store, request=NIGHT, seed=1):
    job_id = store.write(lambda c: enqueue(c, kind="plan", request=request, seed=seed))
    store.write(lambda c: lease.take(c, ME))
    return job_id


def work(store, job_id, orders=None):
    """Do a taken job here, as its worker would."""
    task = Task(
        store="",
        job_id=job_id,
        worker_id=ME,
        function=KINDS["plan"].function,
        memory_mb=4096,
        log_level="INFO",
        log_json=False,
    )
    assert run(store, task, orders or Orders(), lost=lambda: None)
    return look(store, job_id)


@pytest.fixture(scope="module")
def done(stored):
    return work(stored, take(stored))


def test_a_plan_is_kept_as_a_draft_with_everything_made_of_it(stored, done, tmp_path):
    assert (done.state, done.error) == ("done", None)
    plan_id = done.result["plan_id"]
    with stored.read() as connection:
        row = plan(connection, plan_id)
        names = product_names(connection, plan_id)
        bodies = {
            name: plan_product(connection, plan_id, name, Audience.COMMAND) for name, _ in names
        }
        document = plan_document(connection, plan_id)
    assert (row.state, row.kind, str(row.night), row.seed) == ("draft", "patrol", "2026-11-21", 1)
    assert (row.job_id, row.input_hash, row.result_hash) == (
        done.job_id,
        done.input_hash,
        done.result_hash,
    )
    assert set(names) == {(n, Audience.COMMAND) for n in (MAP, DUE, TABLE, UNMATCHED, UNPLACED)}
    assert bodies[MAP].body.startswith(b"<!DOCTYPE html>")
    assert bodies[TABLE].body.startswith(b"PK")
    for name, body in (("plan.json", document), (DUE, bodies[DUE].body)):
        (tmp_path / name).write_bytes(body)
        assert check_file(tmp_path / name).violations == ()


def test_figures_carry_their_denominators(done):
    rates = [metric for metric in done.result["metrics"] if "total" in metric]
    assert len(rates) > 8
    assert {(m["boundary_version"], m["data_date"]) for m in rates} == {("2023-06", "2026-11-20")}
    assert done.result["n_unplaced_venues"] == 0


def test_same_data_and_seed_same_hashes_and_a_plan_of_its_own(stored, done):
    again = work(stored, take(stored))
    assert (again.input_hash, again.result_hash) == (done.input_hash, done.result_hash)
    assert again.result["plan_id"] != done.result["plan_id"]


def test_the_best_so_far_is_kept_as_a_sound_draft(stored, tmp_path):
    job_id, orders = take(stored, {**NIGHT, "shift": "20:00-02:00"}), Orders()

    def ask():
        while look(stored, job_id).best is None:
            time.sleep(0.01)
        stored.write(lambda c: ask_cancel(c, job_id, keep_best=True))
        orders.enough.set()

    thread = threading.Thread(target=ask)
    thread.start()
    job = work(stored, job_id, orders)
    thread.join()
    assert job.state == "cancelled"
    with stored.read() as connection:
        path = tmp_path / "plan.json"
        path.write_bytes(plan_document(connection, job.result["plan_id"]))
    assert check_file(path).violations == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"night": "2026-02-30"}, "request.invalid"),
        ({"night": None}, "request.invalid"),
        ({"shift": "late"}, "input.option.invalid"),
        ({"lang": "fr"}, "request.invalid"),
        ({"unit_code": "999999"}, "store.layer.missing"),
    ],
)
def test_what_cannot_be_planned_ends_the_job_with_a_reason(stored, change, code):
    job = work(stored, take(stored, {**NIGHT, **change}))
    assert (job.state, job.error["code"]) == ("failed", code)
    with stored.read() as connection:
        made = connection.execute(select(PLANS.c.plan_id).where(PLANS.c.job_id == job.job_id))
        assert made.all() == []


def test_a_plan_on_postgis(town, postgis_setting):
    with open_store(postgis_setting) as store:
        fill(store, town)
        job = work(store, take(store))
        assert job.state == "done"
        with store.read() as connection:
            assert plan(connection, job.result["plan_id"]).state == "draft"


def test_killed_workers_and_a_killed_supervisor_lose_and_double_nothing(town, geopackage_setting):
    campaign = runpy.run_path(str(HERE / "bench" / "service_jobs.py"))
    figures = campaign["run"](
        geopackage_setting,
        lambda store: fill(store, town),
        jobs=3,
        workers=2,
        worker_kills=1,
        supervisor_kills=1,
        seeds=1,
        spread=0.5,
    )
    assert figures.is_good, figures
    assert figures.worker_kills + figures.supervisor_kills == 2
    assert figures.attempts > figures.jobs


def test_a_plan_takes_the_closures_of_the_store(town, tmp_path):
    with open_store(str(tmp_path / "town.gpkg"), create=True) as store:
        fill(store, town)
        with store.read() as connection:
            segment_id = connection.scalar(select(STREETS.c.segment_id).order_by(STREETS.c.fid))
        row = {
            "closure_id": "closure_1",
            "external_id": "1",
            "kind": "closure",
            "name": "",
            "segment_id": segment_id,
            "modes": "",
            "speed_share": 0.0,
            "source": "made up",
        }
        store.write(lambda connection: connection.execute(insert(CLOSURES).values(row)))
        done = work(store, take(store))
        assert (done.state, done.error) == ("done", None)
        with store.read() as connection:
            document = json.loads(plan_document(connection, done.result["plan_id"]))
    assert document["problem"]["speeds"]["closures"] == ["closure_1"]
