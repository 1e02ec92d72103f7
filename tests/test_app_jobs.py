"""Plans, jobs and their streams, files that come in, and the judge, over HTTP."""

import asyncio
import json
import os
import runpy
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from api import jobs
from api.conditions import REPLAYED, Answer, change_once
from api.jobs.job import DONE, RUNNING
from api.jobs.table import add_event, end
from api.security import Actor
from api.store import EVERYWHERE, open_store
from api.store.plans import Product, add_plan
from api.store.tables import API_KEYS, JOBS
from api.upload import UPLOADS, receive, sweep
from geo.errors import RequestInvalid
from geo.privacy import Audience
from routing.io import write_plan

here = Path(__file__)
running = runpy.run_path(str(here.with_name("live_service.py")))["running"]
NIGHT = date(2026, 11, 21)


@pytest.fixture(scope="module")
def live(tmp_path_factory, _empty_geopackage):
    folder = tmp_path_factory.mktemp("service")
    path = shutil.copyfile(_empty_geopackage, folder / "city.gpkg")
    with open_store(str(path)) as store, running(store, folder) as service:
        yield service


def put(live, **values):
    return live.store.write(
        lambda c: jobs.enqueue(c, kind="plan", request={"night": "2026-11-21"}, **values)
    )


def report(live, job_id, **values):
    def change(connection):
        connection.execute(JOBS.update().where(JOBS.c.job_id == job_id).values(**values))
        add_event(connection, job_id, "progress")

    live.store.write(change)


def events(text):
    """Numbers of the events in a stream."""
    return [int(line.removeprefix("id: ")) for line in text.splitlines() if line[:3] == "id:"]


def plan_in(live, document=b'{"state": "draft"}', page=b"<title>map</title>", night=NIGHT):
    product = Product(
        name="tonight.html", audience=Audience.COMMAND, media_type="text/html", body=page
    )
    return live.store.write(
        lambda c: add_plan(
            c,
            kind="patrol",
            unit_code="",
            night=night,
            document=document,
            seed=7,
            input_hash="0" * 64,
            result_hash="1" * 64,
            products=(product,),
        )
    )


# ---- plans ---------------------------------------------------------------------------------------


def test_a_plan_is_asked_for_and_answered_with_its_job(live):
    answer = live.client.post("/v1/plans", json={"night": "2026-11-21", "seed": 5})
    assert answer.status_code == 202
    job = live.client.get(answer.headers["Location"]).json()
    assert job["job_id"] == answer.json()["job_id"]
    assert (job["kind"], job["state"], job["attempts"]) == ("plan", "queued", 0)
    with live.store.read() as connection:
        stored = jobs.read_job(connection, job["job_id"])
    assert stored.seed == 5
    assert stored.request == {"night": "2026-11-21", "shift": "20:00-02:00", "lang": "en"}


def test_a_plan_is_read_with_its_document(live):
    plan_id = plan_in(live)
    answer = live.client.get(f"/v1/plans/{plan_id}")
    assert answer.json()["document"] == {"state": "draft"}
    assert answer.headers["ETag"] == '"1"'
    page = live.client.get(f"/v1/plans/{plan_id}/map")
    assert page.text == "<title>map</title>"
    assert "script-src 'unsafe-inline'" in page.headers["Content-Security-Policy"]
    assert "connect-src" not in page.headers["Content-Security-Policy"]
    assert live.client.get("/v1/plans?limit=1").json()["items"][0]["plan_id"] == plan_id


def test_the_map_s_policy_is_the_map_s_own():
    from api.maps.page import CONTENT_POLICY
    from api.security import PAGE_POLICY

    assert PAGE_POLICY.startswith(CONTENT_POLICY)


def test_a_seed_is_told_once_the_night_is_over(live):
    coming = plan_in(live, night=date(2099, 1, 1))
    over = plan_in(live, night=date(2020, 1, 1))
    assert live.client.get(f"/v1/plans/{coming}").json()["seed"] is None
    assert live.client.get(f"/v1/plans/{over}").json()["seed"] == 7


def test_one_plan_of_a_night_is_approved(live):
    first, second = plan_in(live), plan_in(live)
    for plan_id in (first, second):
        address = f"/v1/plans/{plan_id}/approve"
        assert live.client.post(address).status_code == 428
        assert live.client.post(address, headers={"If-Match": '"9"'}).status_code == 412
        done = live.client.post(address, headers={"If-Match": '"1"', "Idempotency-Key": plan_id})
        assert (done.status_code, done.json()["state"]) == (200, "approved")
        again = live.client.post(address, headers={"If-Match": '"1"', "Idempotency-Key": plan_id})
        assert again.json() == done.json()
        tag = {"If-Match": done.headers["ETag"]}
        late = live.client.post(address, headers=tag)
        assert (late.status_code, late.json()["code"]) == (409, "request.state.conflict")
    assert live.client.get(f"/v1/plans/{first}").json()["state"] == "superseded"


def test_a_key_of_a_part_sees_no_plan_of_the_whole(live):
    plan_id, job_id = plan_in(live), put(live)
    key = "part-" + "a" * 40
    from api.admin_key import hash_of

    row = {
        "key_id": "key_part",
        "sha256": hash_of(key),
        "role": "planner",
        "unit_code": "371599101201",
        "created_at": jobs.table.now(),
    }
    live.store.write(lambda c: c.execute(API_KEYS.insert().values(row)))
    part = {"Authorization": f"Bearer {key}"}
    for path in (f"/v1/plans/{plan_id}", f"/v1/plans/{plan_id}/map", f"/v1/jobs/{job_id}/events"):
        assert live.stranger.get(path, headers=part).status_code == 404, path
    assert live.stranger.get("/v1/plans", headers=part).json()["items"] == []
    file = {"data": {"layer": "venues"}, "files": {"file": ("a.csv", b"a\n1\n")}}
    assert live.stranger.post("/v1/imports", headers=part, **file).status_code == 404
    assert list((live.folder / UPLOADS).glob("*")) == []


# ---- the judge -----------------------------------------------------------------------------------


def judge(live, plan, lang="en"):
    content = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
    headers = {"Content-Type": "application/json", "Accept-Language": lang}
    return live.client.post("/v1/plans/check", content=content, headers=headers)


@pytest.fixture(scope="module")
def sound(request, tmp_path_factory):
    """A sound plan file as JSON."""
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    conftest = runpy.run_path(str(here.with_name("conftest.py")))
    problem = conftest["town_problem"].__wrapped__()
    plan = conftest["town_plan"].__wrapped__(problem)
    write_plan(plan, path, audience=Audience.COMMAND)
    return json.loads(path.read_text("utf-8"))


def test_a_sound_plan_is_sound(live, sound):
    verdict = judge(live, sound).json()
    assert verdict == {
        "is_sound": True,
        "n_violations": 0,
        "violations": [],
        "n_routes": 3,
        "n_stops": 11,
    }


@pytest.mark.parametrize(("lang", "words"), [("en", "stated as"), ("zh", "重算为")])
def test_a_plan_that_breaks_a_rule_says_which(live, sound, lang, words):
    verdict = judge(live, {**sound, "objective": sound["objective"] + 1}, lang).json()
    assert not verdict["is_sound"]
    found = {one["code"]: one["text"] for one in verdict["violations"]}
    assert words in found["check.objective.sum"]


def hostile(sound):
    far = "9" * 300
    return [
        b"patrolgrid." + b"[" * 1_000_000,
        b'{"format": "patrolgrid.plan/1"' + b', "a": {"a"' * 50_000,
        b'{"format": "patrolgrid.plan/1", "format": "patrolgrid.plan/1"}',
        b'{"format": "patrolgrid.plan/1", "gap": NaN}',
        b"\xff\xfepatrolgrid.",
        json.dumps(sound).replace('"objective": ', f'"objective": {far}').encode(),
        {**sound, "routes": [{**sound["routes"][0], "start": "9999-12-31T23:59:59+00:00"}]},
        {**sound, "night": "Zq7marker"},
        {**sound, "Zq7marker": 1},
        {"format": "patrolgrid.plan/99", "Zq7marker": "Zq7marker"},
        {"format": "patrolgrid.schedule/1"},
        {"format": ["patrolgrid.plan/1"]},
    ]


def test_hostile_plans_are_one_sentence(sound, tmp_path):
    from api.judge import _verdict

    for k, plan in enumerate(hostile(sound)):
        path = tmp_path / f"{k}.json"
        path.write_bytes(plan if isinstance(plan, bytes) else json.dumps(plan).encode())
        verdict = _verdict(path, "en")
        assert verdict.get("where", "$").startswith("$"), plan
        assert "Zq7marker" not in str(verdict) or "violations" in verdict
        json.dumps(verdict)


def test_a_hostile_plan_never_breaks_the_service(live, sound):
    for k in (0, 6, 8):
        answer = judge(live, hostile(sound)[k])
        assert answer.status_code in {200, 422}
        assert "Zq7marker" not in answer.text
        if answer.status_code == 422:
            assert answer.json()["code"] == "input.plan.invalid"
            assert answer.json()["errors"][0]["where"].startswith("body$")
    assert judge(live, b"{}").status_code == 422


def test_a_plan_that_takes_too_long_is_given_up(live, sound, monkeypatch):
    monkeypatch.setattr("api.judge.SECONDS", 0.05)
    answer = judge(live, sound)
    assert (answer.status_code, answer.json()["code"]) == (422, "job.limit")
    assert list((live.folder / UPLOADS).glob("*")) == []


def test_many_plans_at_once_are_told_to_come_back(live, sound, monkeypatch):
    monkeypatch.setattr("api.judge.WAIT_SECONDS", 0.01)
    monkeypatch.setattr("api.judge._seats", threading.BoundedSemaphore(1))
    from api.judge import _seats

    with _seats:
        answer = judge(live, sound)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]


# ---- jobs and their streams ----------------------------------------------------------------------


def test_a_stream_tells_everything_and_ends(live):
    job_id = put(live)

    def work():
        for done in range(1, 6):
            report(live, job_id, state=RUNNING, step="travel", done=done, total=5)
        live.store.write(lambda c: end(c, job_id, state=DONE, result={"plan_id": None}))

    thread = threading.Thread(target=work)
    thread.start()
    answer = live.client.get(f"/v1/jobs/{job_id}/events")
    thread.join()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert events(answer.text) == [1, 2, 3, 4, 5, 6, 7]
    assert answer.text.startswith("retry:")
    assert "event: done" in answer.text
    for seen in range(8):
        rest = live.client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(seen)})
        assert rest.status_code == (200 if seen < 7 else 204)
        assert events(rest.text) == list(range(seen + 1, 8))
    for wrong in ("-1", "x", "1.5", "9" * 10, "²"):
        headers = [(b"Last-Event-ID", wrong.encode())]
        answer = live.client.get(f"/v1/jobs/{job_id}/events", headers=headers)
        assert answer.status_code == 400, wrong


def test_a_quiet_stream_is_kept_open(live, monkeypatch):
    monkeypatch.setattr("api.stream.QUIET", 0.2)
    monkeypatch.setattr("api.stream.PAUSE", 0.1)
    job_id = put(live)
    with live.client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith(":"):
                break
        else:
            pytest.fail("no comment came")


def test_streams_have_a_limit(live, monkeypatch):
    monkeypatch.setattr("api.stream.MOST_STREAMS", 0)
    answer = live.client.get(f"/v1/jobs/{put(live)}/events")
    assert (answer.status_code, answer.json()["code"]) == (429, "request.too_many")


def test_streams_end_with_the_service(geopackage, tmp_path):
    with running(geopackage, tmp_path) as other:
        job_id = put(other)
        with other.client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            other.app.state.service.streams.closing.set()
            assert list(lines) is not None


def test_a_waiting_job_is_cancelled_and_stays_so(live):
    job_id = put(live)
    first = live.client.post(f"/v1/jobs/{job_id}/cancel")
    assert (first.status_code, first.json()["state"]) == (200, "cancelled")
    again = live.client.post(f"/v1/jobs/{job_id}/cancel", json={"keep_best": True})
    assert (again.status_code, again.json()["version"]) == (200, first.json()["version"])


def test_a_running_job_is_asked_to_end(live):
    job_id = put(live)
    report(live, job_id, state=RUNNING, worker_id="w")
    answer = live.client.post(f"/v1/jobs/{job_id}/cancel", json={"keep_best": True})
    assert (answer.json()["state"], answer.json()["cancel"]) == ("running", "keep_best")


def test_a_job_that_is_done_cannot_be_cancelled(live):
    job_id = put(live)
    live.store.write(lambda c: end(c, job_id, state=DONE))
    answer = live.client.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "request.state.conflict")


def test_a_job_s_tag_follows_language_and_version(live):
    path = f"/v1/jobs/{put(live)}"
    tags = {
        lang: live.client.get(path, headers={"Accept-Language": lang}).headers["ETag"]
        for lang in ("zh", "en")
    }
    assert len(set(tags.values())) == 2
    known = {"If-None-Match": tags["en"]}
    assert live.client.get(path, headers=known).status_code == 304
    live.client.post(f"{path}/cancel")
    assert live.client.get(path, headers=known).status_code == 200


# ---- files ---------------------------------------------------------------------------------------


def send(live, name="场所.csv", content=b"a,b\n1,2\n", key=None, **fields):
    headers = {} if key is None else {"Idempotency-Key": key}
    data = {"layer": "venues", **fields}
    return live.client.post(
        "/v1/imports", data=data, files={"file": (name, content)}, headers=headers
    )


def uploads(live):
    return sorted(path for path in (live.folder / UPLOADS).glob("*/*"))


@pytest.fixture
def no_uploads(live):
    shutil.rmtree(live.folder / UPLOADS, ignore_errors=True)


def test_a_file_is_on_disk_before_its_job_is_answered(live, no_uploads):
    content = os.urandom(3 << 20)
    answer = send(live, content=content, datum="GCJ-02", drop="电话, 姓名", is_partial="true")
    assert answer.status_code == 202, answer.text
    (path,) = uploads(live)
    assert path.name == "场所.csv"
    assert path.read_bytes() == content
    if os.name == "posix":
        assert path.parent.stat().st_mode & 0o077 == 0
    with live.store.read() as connection:
        job = jobs.read_job(connection, answer.json()["job_id"])
    assert job.request == {
        "file": str(path),
        "layer": "venues",
        "options": {"datum": "GCJ-02", "is_partial": True, "drop": ["电话", "姓名"]},
        "uploaded": True,
    }
    assert live.client.post(f"/v1/jobs/{job.job_id}/cancel").status_code == 200
    assert uploads(live) == []


def test_a_repeated_file_is_kept_once(live, no_uploads):
    first, again = send(live, key="f-1"), send(live, key="f-1")
    assert again.json() == first.json()
    assert len(uploads(live)) == 1
    assert send(live, key="f-1", content=b"other").status_code == 422
    assert send(live, key="f-1", datum="BD-09").status_code == 422
    assert len(uploads(live)) == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\venues.xlsx", "venues.xlsx"),
        ("a$b<c>.csv", "a_b_c_.csv"),
        (".hidden.csv", "hidden.csv"),
        ("点" * 300 + ".csv", "点" * 65 + ".csv"),
    ],
)
def test_names_of_files_stay_in_their_folder(live, no_uploads, name, kept):
    assert send(live, name=name).status_code == 202
    (path,) = uploads(live)
    assert path.name == kept


def test_forms_that_are_none_leave_nothing(live, no_uploads):
    file = {"file": ("a.csv", b"a\n")}
    other = {"other": ("a.csv", b"a\n")}
    attempts = [
        {"files": file},
        {"files": file, "data": {"layer": "persons"}},
        {"files": file, "data": {"layer": "venues", "datum": "Mars"}},
        {"files": file, "data": {"layer": "venues", "unknown": "1"}},
        {"files": file, "data": {"layer": "venues", "epsg": "1e9"}},
        {"files": file, "data": {"layer": "venues", "drop": "a\0b"}},
        {"files": file, "data": {"layer": "venues", "drop": "x" * 5_000}},
        {"files": file, "data": {"layer": ["venues", "venues"]}},
        {"files": [("file", ("a.csv", b"a")), ("file", ("b.csv", b"b"))]},
        {"files": other, "data": {"layer": "venues"}},
        {"files": {"file": ("///", b"a")}, "data": {"layer": "venues"}},
        {"files": {"file": (None, b"a"), "x": ("", b"")}, "data": {"layer": "venues"}},
    ]
    for attempt in attempts:
        answer = live.client.post("/v1/imports", **attempt)
        assert answer.status_code == 400, (attempt, answer.text)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    whole = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na'
    for content in (b"", b"--x--\r\n", b"junk", whole, whole + b"\r\n--x\r\n", b"--x\r\n" * 1000):
        answer = live.client.post("/v1/imports", content=content, headers=kind)
        assert answer.status_code == 400, content
    for wrong in ("multipart/form-data", "text/csv", "multipart/form-data; boundary=" + "x" * 80):
        answer = live.client.post("/v1/imports", content=whole, headers={"Content-Type": wrong})
        assert answer.status_code == 415, wrong
    assert list((live.folder / UPLOADS).glob("*")) == []


def test_a_full_disk_is_said_and_leaves_nothing(live, no_uploads, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("api.upload.os.fsync", full)
    answer = send(live)
    assert (answer.status_code, answer.json()["code"]) == (507, "store.full")
    assert list((live.folder / UPLOADS).glob("*")) == []


def test_what_a_crash_left_is_swept(tmp_path):
    for name in ("old", "needed", "young"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("a")
    for name in ("old", "needed"):
        os.utime(tmp_path / name, (time.time() - 7200,) * 2)
    sweep(tmp_path, needed=frozenset({"needed"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["needed", "young"]
    sweep(tmp_path / "nothing", needed=frozenset())


# ---- both databases ------------------------------------------------------------------------------


def test_the_service_is_the_same_on_both_databases(store, tmp_path):
    with running(store, tmp_path) as other:
        client = other.client
        key = {"Idempotency-Key": "p-1"}
        first = client.post("/v1/plans", json={"night": "2026-11-21"}, headers=key)
        again = client.post("/v1/plans", json={"night": "2026-11-21"}, headers=key)
        assert first.status_code == 202
        assert again.json() == first.json()
        job = first.headers["Location"]
        assert client.get(job).json()["state"] == "queued"
        assert client.post(f"{job}/cancel").json()["state"] == "cancelled"
        assert events(client.get(f"{job}/events").text) == [1, 2]
        assert [one["job_id"] for one in client.get("/v1/jobs").json()["items"]] == [
            first.json()["job_id"]
        ]
        plan_id = plan_in(other)
        tag = {"If-Match": client.get(f"/v1/plans/{plan_id}").headers["ETag"]}
        assert client.post(f"/v1/plans/{plan_id}/approve", headers=tag).status_code == 200
        assert client.get("/v1/venues/due").status_code == 409
        assert client.get("/v1/venues/" + "venue_" + "0" * 26).status_code == 404
        assert client.get("/v1/calendar/2026").json()["is_published"]
        assert other.stranger.get("/readyz").status_code == 200
        assert httpx.get(f"{other.address}/v1/plans", trust_env=False).status_code == 401


def test_two_processes_asked_the_same_give_one_effect(store_setting):
    """As two services on one store: each has a writer of its own."""
    actor = Actor(key_id="key", role="admin", scope=EVERYWHERE)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/plans",
        "query_string": b"",
        "headers": [(b"idempotency-key", b"two-1"), (b"host", b"localhost")],
        "state": {"actor": actor},
    }
    n_runs = []

    def change(connection):
        n_runs.append(1)
        job_id = jobs.enqueue(connection, kind="plan", request={})
        time.sleep(0.02)  # so that the others come in between
        return Answer(status=202, body={"job_id": job_id})

    with open_store(store_setting) as first, open_store(store_setting) as second:
        with ThreadPoolExecutor(8) as pool:
            stores = [first, second] * 4
            answers = list(
                pool.map(lambda store: change_once(store, Request(scope), b"", change), stores)
            )
        with first.read() as connection:
            (job,) = jobs.jobs_page(connection).items
    assert {json.loads(answer.body)["job_id"] for answer in answers} == {job.job_id}
    assert sum(REPLAYED in answer.headers for answer in answers) == 7
    assert n_runs


def test_a_reader_s_number_in_a_file_name_is_not_kept():
    from api.upload import _file_name

    assert _file_name("场所 13800138000.csv".encode()) == "upload.csv"
    assert _file_name("场所台账 2026-11.csv".encode()) == "场所台账 2026-11.csv"


def test_a_client_that_leaves_in_the_middle_is_no_defect_of_ours(tmp_path):
    """It once filled the log with the chunk that had come."""
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1'
    told = iter(
        ({"type": "http.request", "body": part, "more_body": True}, {"type": "http.disconnect"})
    )

    async def receive_next():
        return next(told)

    request = Request({"type": "http", "method": "POST", "headers": headers}, receive_next)
    with pytest.raises(RequestInvalid):
        asyncio.run(receive(request, tmp_path))
    assert list(tmp_path.iterdir()) == []
