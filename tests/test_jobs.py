"""The job table: put in, taken once, kept alive, given back, ended once.

On both databases where a statement could tell them apart; a worker's work is done in this process.
"""

import itertools
import logging
import threading
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import insert, select, update

from api.i18n import explain
from api.jobs import ask_cancel, enqueue, events_after, jobs_page, kinds, lease, read_job
from api.jobs.fault import as_json, error_of
from api.jobs.job import DROP, KEEP_BEST, Outcome
from api.jobs.owner import Owner, start_of, this_process
from api.jobs.task import Task
from api.jobs.watch import Watch
from api.jobs.worker import Orders, run
from api.store import Scope
from api.store.tables import BOUNDARIES, CALENDAR_YEARS, CITY, JOBS
from geo.errors import (
    CheckFailed,
    JobFailed,
    LimitExceeded,
    NotFound,
    RequestInvalid,
    StateConflict,
    StoreFull,
)
from routing.check import Rule, Violation

ME, OTHER = "here/1/1/a-1", "there/2/2/b-1"


@pytest.fixture(autouse=True)
def probes(monkeypatch, request):
    """Kinds for tests beside the real ones."""
    monkeypatch.syspath_prepend(str(request.path.parent))
    import jobs_probe

    for name, kind in jobs_probe.KINDS.items():
        monkeypatch.setitem(kinds.KINDS, name, kind)


def put(store, kind="quick", request=None, **other):
    return store.write(lambda c: enqueue(c, kind=kind, request=request or {}, **other))


def look(store, job_id):
    with store.read() as connection:
        return read_job(connection, job_id)


def events(store, job_id, after=0):
    with store.read() as connection:
        return events_after(connection, job_id, after)


def took(store, worker_id=ME):
    return store.write(lambda c: lease.take(c, worker_id))


def work(store, job_id, *, orders=None, worker_id=ME):
    """Do a taken job here, as its worker would."""
    kind = kinds.KINDS[look(store, job_id).kind]
    task = Task(
        store="",
        job_id=job_id,
        worker_id=worker_id,
        function=kind.function,
        memory_mb=512,
        log_level="INFO",
        log_json=False,
    )
    return run(store, task, orders or Orders(), lost=lambda: None)


def kept(store):
    with store.read() as connection:
        return connection.execute(select(CALENDAR_YEARS.c.year)).scalars().all()


def test_a_job_waits_with_what_was_asked_for(geopackage):
    job = look(
        geopackage, put(geopackage, request={"year": 7, "地": "点"}, seed=2**60, unit_code="37")
    )
    assert (job.state, job.attempts, job.seed, job.unit_code) == ("queued", 0, 2**60, "37")
    assert job.request == {"year": 7, "地": "点"}
    assert (
        job.input_hash
        == look(geopackage, put(geopackage, request=job.request, seed=2**60)).input_hash
    )
    assert (
        job.input_hash != look(geopackage, put(geopackage, request=job.request, seed=1)).input_hash
    )
    assert [e.event for e in events(geopackage, job.job_id)] == ["queued"]


def test_a_refused_neighbour_takes_the_job_with_it(geopackage):
    def change(connection):
        enqueue(connection, kind="quick", request={})
        enqueue(connection, kind="no such kind", request={})

    with pytest.raises(RequestInvalid):
        geopackage.write(change)
    with geopackage.read() as connection:
        assert jobs_page(connection).items == ()


def test_jobs_are_taken_in_order_and_once(store):
    job_ids = [put(store, request={"n": n}) for n in range(8)]
    taken = []

    def take(worker):
        for n in itertools.count():
            found = took(store, f"here/1/1/{worker}-{n}")
            if found is None:
                return
            taken.append(found[0])

    threads = [threading.Thread(target=take, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(job_ids)
    assert took(store) is None
    first = look(store, job_ids[0])
    assert (first.state, first.attempts) == ("running", 1)


def test_two_takers_at_once_on_postgis_skip_each_others_row(postgis_setting):
    from api.store import open_store

    with open_store(postgis_setting) as one, open_store(postgis_setting) as two:
        first, second = put(one), put(one)
        is_held, is_done = threading.Event(), threading.Event()

        def slow(connection):
            found = lease.take(connection, ME)
            is_held.set()
            is_done.wait(20)
            return found

        holder = threading.Thread(target=lambda: one.write(slow))
        holder.start()
        is_held.wait(20)
        found = took(two, OTHER)
        is_done.set()
        holder.join()
        assert found == (second, "quick")
        assert look(one, first).state == "running"


def test_a_job_is_done_once_with_its_effects(store):
    job_id = put(store, request={"year": 1999})
    took(store)
    assert work(store, job_id)
    job = look(store, job_id)
    assert (job.state, job.result, job.error) == ("done", {"n": 3, "year": 1999}, None)
    assert job.finished_at >= job.started_at >= job.created_at
    assert not work(store, job_id)
    assert kept(store) == [1999]


def test_same_request_and_seed_same_result_hash(geopackage):
    hashes = []
    for year, seed in ((1, 5), (1, 5), (1, 6)):
        job_id = put(geopackage, request={"year": year}, seed=seed)
        took(geopackage)
        work(geopackage, job_id)
        geopackage.write(lambda c: c.execute(CALENDAR_YEARS.delete()) and None)
        hashes.append(look(geopackage, job_id).result_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_worker_whose_job_was_taken_away_keeps_nothing(store):
    job_id = put(store)
    took(store)
    store.write(lambda c: lease.give_back(c, job_id, ME))
    took(store, OTHER)
    assert not work(store, job_id)
    assert kept(store) == []
    assert look(store, job_id).state == "running"
    assert work(store, job_id, worker_id=OTHER)
    assert kept(store) == [2000]


def test_events_have_no_hole_and_one_end(store):
    job_id = put(store)
    took(store)
    work(store, job_id)
    told = events(store, job_id)
    assert [e.number for e in told] == list(range(1, len(told) + 1))
    assert [e.is_last for e in told] == [False] * (len(told) - 1) + [True]
    assert [e.event for e in told if e.event != "progress"] == ["queued", "running", "done"]
    assert {"step": "cells", "done": 3, "total": 3}.items() <= told[-2].data.items()
    assert events(store, job_id, told[1].number) == told[2:]


def test_what_is_kept_badly_is_not_kept_at_all(store):
    job_id = put(store, "keeps_badly")
    took(store)
    work(store, job_id)
    job = look(store, job_id)
    assert (job.state, job.error["code"], kept(store)) == ("failed", "input.option.invalid", [])


def test_an_error_of_ours_ends_the_job_at_once(geopackage):
    job_id = put(geopackage, "refuses")
    took(geopackage)
    work(geopackage, job_id)
    job = look(geopackage, job_id)
    assert (job.state, job.attempts) == ("failed", 1)
    assert error_of(job).params == {"option": "shift", "value": "2026-01-01", "expected": "a shift"}


def test_a_defect_is_tried_three_times_and_its_values_stay_out_of_the_log(
    geopackage, caplog, monkeypatch
):
    monkeypatch.setattr(logging.getLogger("patrolgrid"), "propagate", True)
    job_id = put(geopackage, "breaks", {"secret": "13800138000"})
    with caplog.at_level(logging.INFO, "patrolgrid"):
        for _ in range(3):
            assert look(geopackage, job_id).state == "queued"
            took(geopackage)
            work(geopackage, job_id)
    job = look(geopackage, job_id)
    assert (job.state, job.attempts) == ("failed", 3)
    assert isinstance(error_of(job), JobFailed)
    said = {record.created for record in caplog.records if "KeyError" in record.getMessage()}
    assert len(said) == 3
    assert "jobs_probe.py" in caplog.text
    assert "13800138000" not in caplog.text


def test_a_store_that_is_full_for_a_moment_costs_an_attempt(geopackage, monkeypatch):
    job_id = put(geopackage)
    took(geopackage)
    monkeypatch.setattr(lease, "finish", lambda *_: (_ for _ in ()).throw(StoreFull()))
    work(geopackage, job_id)
    assert look(geopackage, job_id).state == "queued"
    monkeypatch.undo()
    took(geopackage)
    assert look(geopackage, job_id).attempts == 2


def test_a_lost_job_is_given_up_after_three_attempts(store):
    job_id = put(store)
    for _ in range(3):
        took(store)
        assert store.write(lambda c: lease.give_back(c, job_id, ME))
    job = look(store, job_id)
    assert (job.state, job.error) == (
        "failed",
        {"code": "job.failed", "params": {"attempts": 3}},
    )


def test_a_job_handed_back_on_purpose_costs_no_attempt(geopackage):
    job_id = put(geopackage)
    for _ in range(9):
        took(geopackage)
        geopackage.write(lambda c: lease.give_back(c, job_id, ME, is_counted=False))
    assert (look(geopackage, job_id).state, look(geopackage, job_id).attempts) == ("queued", 0)


# Cancel


def test_a_queued_job_is_cancelled_at_once(geopackage):
    job_id = put(geopackage)
    job = geopackage.write(lambda c: ask_cancel(c, job_id))
    assert (job.state, job.has_ended) == ("cancelled", True)
    assert took(geopackage) is None
    assert [e.event for e in events(geopackage, job_id)] == ["queued", "cancelled"]


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_an_ended_job_cannot_be_cancelled(geopackage, state):
    job_id = put(geopackage)
    geopackage.write(lambda c: c.execute(update(JOBS).values(state=state)) and None)
    with pytest.raises(StateConflict) as raised:
        geopackage.write(lambda c: ask_cancel(c, job_id))
    assert explain(raised.value, "zh").startswith("任务的状态是")


def test_a_cancel_that_came_in_time_decides(store):
    job_id = put(store)
    took(store)
    job = store.write(lambda c: ask_cancel(c, job_id))
    assert (job.state, job.cancel) == ("running", DROP)
    work(store, job_id)
    job = look(store, job_id)
    assert (job.state, job.result, kept(store)) == ("cancelled", None, [])
    assert [e.event for e in events(store, job_id)][-2:] == ["progress", "cancelled"]


def test_the_best_so_far_is_kept_as_the_result_of_a_cancelled_job(store):
    job_id, orders = put(store, "improve", {"year": 1990}), Orders()
    took(store)
    store.write(lambda c: ask_cancel(c, job_id, keep_best=True))
    orders.enough.set()
    work(store, job_id, orders=orders)
    job = look(store, job_id)
    assert (job.state, job.result) == ("cancelled", {"value": 0.0, "year": 1990})
    assert kept(store) == [1990]


def test_with_nothing_to_keep_yet_a_job_is_cancelled_without_a_result(geopackage):
    job_id, orders = put(geopackage, "improve", {"wait": 1}), Orders()
    took(geopackage)
    geopackage.write(lambda c: ask_cancel(c, job_id, keep_best=True))
    orders.enough.set()
    work(geopackage, job_id, orders=orders)
    assert (look(geopackage, job_id).state, look(geopackage, job_id).result) == ("cancelled", None)


def test_dropping_outweighs_keeping(geopackage):
    job_id = put(geopackage, "improve")
    took(geopackage)
    asked = []
    for keep in (True, False, True):
        job = geopackage.write(lambda c, keep=keep: ask_cancel(c, job_id, keep_best=keep))
        asked.append(job.cancel)
    assert asked == [KEEP_BEST, DROP, DROP]
    assert [e.event for e in events(geopackage, job_id)].count("cancelling") == 2


def test_a_kind_with_nothing_to_keep_says_so(geopackage):
    job_id = put(geopackage, "quick")
    with pytest.raises(RequestInvalid):
        geopackage.write(lambda c: ask_cancel(c, job_id, keep_best=True))
    assert look(geopackage, job_id).state == "queued"


def test_a_cancelled_job_whose_worker_is_lost_is_not_begun_again(geopackage):
    job_id = put(geopackage)
    took(geopackage)
    geopackage.write(lambda c: ask_cancel(c, job_id))
    geopackage.write(lambda c: lease.give_back(c, job_id, ME))
    assert look(geopackage, job_id).state == "cancelled"


# Leases


def held(connection_or_store):
    with connection_or_store.read() as connection:
        return lease.running(connection)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_silent_owner_elsewhere_loses_its_job_by_our_own_clock(store):
    job_id, clock = put(store), Clock()
    took(store, OTHER)
    watch = Watch(clock)
    assert list(watch.lost(held(store))) == []
    for clock.now in (10, 20, 29):
        assert list(watch.lost(held(store))) == []
    store.write(lambda c: lease.beat(c, [OTHER]))
    for clock.now in (31, 40, 60):
        assert list(watch.lost(held(store))) == []
    clock.now = 61
    assert [job.job_id for job in watch.lost(held(store))] == [job_id]


@pytest.mark.parametrize("years", [-10, 10])
def test_a_wall_clock_set_back_or_forward_decides_nothing(geopackage, years, monkeypatch):
    put(geopackage)
    moved = datetime.now(UTC) + timedelta(days=365 * years)
    monkeypatch.setattr("api.jobs.table.now", lambda: moved)
    monkeypatch.setattr("api.jobs.lease.now", lambda: moved)
    took(geopackage, OTHER)
    clock = Clock()
    watch = Watch(clock)
    for clock.now in range(0, 300, 10):
        geopackage.write(lambda c: lease.beat(c, [OTHER]))
        assert list(watch.lost(held(geopackage))) == []


def test_a_dead_owner_on_this_host_loses_its_job_at_once(geopackage):
    me = this_process()
    gone = f"{me.host}/{me.pid}/{int(me.start) - 1}/x-1"  # our pid, begun before us
    put(geopackage)
    took(geopackage, gone)
    assert [job.worker_id for job in Watch().lost(held(geopackage))] == [gone]


def test_a_living_owner_on_this_host_keeps_its_job_however_silent(geopackage):
    clock = Clock()
    put(geopackage)
    took(geopackage, next(this_process().worker_ids()))
    watch = Watch(clock)
    for clock.now in (0, 1e6):
        assert list(watch.lost(held(geopackage))) == []


def test_a_job_heard_of_since_is_not_taken_away(store):
    job_id = put(store)
    took(store, OTHER)
    (seen,) = held(store)
    store.write(lambda c: lease.beat(c, [OTHER]))
    assert not store.write(lambda c: lease.give_back(c, job_id, OTHER, heartbeat=seen.heartbeat))
    assert look(store, job_id).state == "running"


def test_worker_ids_name_a_process_and_are_used_once():
    ids = this_process().worker_ids()
    one, two = next(ids), next(ids)
    assert one != two
    assert next(this_process().worker_ids()).rpartition("-")[0] != one.rpartition("-")[0]
    assert Owner.of(one) == this_process()
    assert not Owner.of(one).is_gone
    assert start_of(2**22 + 1) == ""


# Random histories against a model


def test_random_histories_end_every_job_once(store):
    """Takes, losses, late finishes and cancels in random order, against what must hold."""
    random = Random(7)
    job_ids = [put(store, request={"year": 1000 + n}) for n in range(12)]
    workers = (f"here/1/1/a-{n}" for n in itertools.count())
    begun: list[tuple[str, str]] = []

    def outcome(job_id):
        year = 1000 + job_ids.index(job_id)

        def keep(connection):
            connection.execute(insert(CALENDAR_YEARS).values(year=year, notice=""))

        return Outcome(result={}, result_hash="", keep=keep)

    for _ in range(400):
        match random.choice(["take", "take", "finish", "lose", "cancel", "beat"]):
            case "take":
                worker_id = next(workers)
                found = took(store, worker_id)
                begun += [(found[0], worker_id)] if found else []
            case "finish" if begun:  # perhaps long after the job was taken away
                job_id, worker_id = random.choice(begun)
                done = outcome(job_id)
                store.write(lambda c, j=job_id, w=worker_id, o=done: lease.finish(c, j, w, o))
            case "lose" if begun:
                job_id, worker_id = random.choice(begun)
                store.write(lambda c, j=job_id, w=worker_id: lease.give_back(c, j, w))
            case "beat" if begun:
                worker_id = random.choice(begun)[1]
                store.write(lambda c, w=worker_id: lease.beat(c, [w]))
            case "cancel" if random.random() < 0.1:
                job_id = random.choice(job_ids)
                if not look(store, job_id).has_ended:
                    store.write(lambda c, j=job_id: ask_cancel(c, j))
    done = set()
    for job_id in job_ids:
        job, told = look(store, job_id), events(store, job_id)
        assert [e.number for e in told] == list(range(1, len(told) + 1))
        assert sum(e.is_last for e in told) == job.has_ended
        done |= {job_id} if job.state == "done" else set()
    assert len(done) > 3
    assert sorted(kept(store)) == sorted(1000 + job_ids.index(job_id) for job_id in done)


# Reading


def test_pages_come_newest_first_and_end(store):
    job_ids = [put(store, request={"n": n}) for n in range(5)]
    seen, after = [], None
    with store.read() as connection:
        while True:
            page = jobs_page(connection, after=after, limit=2)
            seen += [job.job_id for job in page.items]
            after = page.after
            if after is None:
                break
        assert seen == job_ids[::-1]
        assert jobs_page(connection, state="done").items == ()
        assert len(jobs_page(connection, kind="quick", state="queued").items) == 5


def test_a_scope_sees_its_own_jobs(store):
    mine, theirs = put(store, unit_code="371501"), put(store, unit_code="371502")
    store.write(_two_counties)
    scope = Scope(unit_code="371501")
    with store.read() as connection:
        assert [job.job_id for job in jobs_page(connection, scope=scope).items] == [mine]
        with pytest.raises(NotFound):
            read_job(connection, theirs, scope)
    with pytest.raises(NotFound):
        store.write(lambda c: ask_cancel(c, theirs, scope=scope))


def _two_counties(connection):
    connection.execute(
        insert(CITY).values(fid=1, epsg=32650, boundary_version="v", synthetic=True, attribution=[])
    )
    for code in ("371501", "371502"):
        connection.execute(
            insert(BOUNDARIES).values(
                boundary_version="v",
                code=code,
                name=code,
                level="county",
                admin_parent="",
                grid_role="none",
                external_id=f"v/{code}",
                unit_code=code,
                source="synthetic",
            )
        )


def test_no_such_job(geopackage):
    with geopackage.read() as connection, pytest.raises(NotFound) as raised:
        read_job(connection, "job_x")
    assert explain(raised.value, "zh") == "没有这个任务。"


# Errors as rows


def test_errors_come_back_from_a_row_and_speak_both_languages(geopackage):
    first = Violation(code=Rule.UNIT_TWICE, params={"unit": "1", "n": 2})
    from api.jobs.worker import over_memory

    for error in (CheckFailed(n=1, first=first), over_memory("plan", 512), JobFailed(attempts=3)):
        job_id = put(geopackage)
        took(geopackage)
        geopackage.write(lambda c, j=job_id, e=error: lease.fail(c, j, ME, e))
        again = error_of(look(geopackage, job_id))
        assert type(again) is type(error)
        for lang in ("zh", "en"):
            assert explain(again, lang) == explain(error, lang)
    assert "512 MB" in explain(over_memory("plan", 512), "zh")


def test_an_error_of_another_release_is_a_failed_job(geopackage):
    job_id = put(geopackage)
    took(geopackage)
    geopackage.write(lambda c: lease.fail(c, job_id, ME, LimitExceeded(what="", limit="", hint="")))
    geopackage.write(
        lambda c: c.execute(update(JOBS).values(error={"code": "new", "params": {}})) and None
    )
    assert isinstance(error_of(look(geopackage, job_id)), JobFailed)
    assert as_json(JobFailed(attempts=1)) == {"code": "job.failed", "params": {"attempts": 1}}
