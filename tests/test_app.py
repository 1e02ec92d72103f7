"""The REST service: what it takes, what it refuses, and that it repeats nothing of a request."""

import json
import runpy
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from api.app import JSON_BYTES, ROUTERS
from api.conditions import REPLAYED
from api.paging import MOST, read_cursor, write_cursor
from api.request import DEEPEST, parse_json
from api.store.tables import AUDIT, IDEMPOTENCY, JOBS, VISITS
from geo.errors import RequestInvalid

served_town = runpy.run_path(str(Path(__file__).with_name("live_service.py")))["served_town"]

MARK = "Zq7marker"
NIGHT = {"night": "2026-11-21"}


@pytest.fixture(scope="module")
def live(tmp_path_factory, small_layers):
    with served_town(tmp_path_factory.mktemp("town"), small_layers) as service:
        yield service


def count(live, table):
    with live.store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def code(answer):
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.json()["code"]


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b'{"night": "2026-11-21", "night": "2026-11-22"}', "body"),
        (b'{"night": "2026-11-21", "seed": NaN}', "body"),
        (b'{"night": "2026-11-21", "seed": 1e999}', "body"),
        (b'{"night": "2026-11-21", "seed": 99999999999999999999}', "body"),
        (b'{"night": "2026-11-21", "unit": "\\ud800"}', "body"),
        (b'{"night": "2026-11-21", "unit": "\\u0000"}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "body"),
        (b"[]", "body"),
        (b'"x"', "body"),
        (b"null", "body"),
        (b"{}", "body.night"),
        (b'{"night": "2026-02-30"}', "body.night"),
        (b'{"night": "20261121"}', "body.night"),
        (b'{"night": 20261121}', "body.night"),
        (b'{"night": "1626-11-21"}', "body.night"),
        (b'{"night": "2026-11-21T00:00:00"}', "body.night"),
        (b'{"night": "2026-11-21", "shift": "20:00"}', "body.shift"),
        (b'{"night": "2026-11-21", "shift": "24:00-02:00"}', "body.shift"),
        (b'{"night": "2026-11-21", "shift": "20:00-20:00"}', "body.shift"),
        (b'{"night": "2026-11-21", "shift": "20:00-02:00\xe2\x80\xa8"}', "body.shift"),
        (b'{"night": "2026-11-21", "seed": -1}', "body.seed"),
        (b'{"night": "2026-11-21", "seed": "1"}', "body.seed"),
        (b'{"night": "2026-11-21", "seed": true}', "body.seed"),
        (b'{"night": "2026-11-21", "seed": 9007199254740992}', "body.seed"),
        (b'{"night": "2026-11-21", "unit": "a b"}', "body.unit"),
        (b'{"night": "2026-11-21", "officer": 1}', "body"),
    ],
)
def test_a_body_that_is_not_as_documented_is_one_problem(live, body, where):
    before = count(live, JOBS)
    answer = live.client.post(
        "/v1/plans", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert code(answer) == "request.invalid"
    assert answer.json()["params"]["where"] == where
    assert count(live, JOBS) == before


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json5", "application/xml"],
)
def test_only_json_is_json(live, kind):
    answer = live.client.post("/v1/plans", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert code(answer) == "request.media.refused"


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=99999999999999999999",
        "limit=",
        "limit=1&limit=2",
        "after=",
        "after=***",
        "after=AAAA",
        "after=" + "A" * 500,
        "state=overdue%00",
        "tier=purple",
        "as_of=2026-02-30",
        "as_of=yesterday",
        "unit=%E2%80%A8",
        "unit=%ED%A0%80",
        "unit=%00",
    ],
)
def test_a_query_that_is_not_as_documented_is_refused(live, query):
    answer = live.client.get(f"/v1/venues/due?{query}")
    assert answer.status_code == 400
    assert code(answer) == "request.invalid"


def test_findings_are_counted_and_capped(live):
    body = {f"x{k}": k for k in range(200)}
    problem = live.client.post("/v1/plans", json=body).json()
    assert problem["n_errors"] == 201
    assert len(problem["errors"]) == 20


@pytest.mark.parametrize("path", ["/v1/plans", "/v1/visits", "/nothing"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_has_a_limit_however_it_is_sent(live, path, is_chunked):
    size, chunk = JSON_BYTES + 1, b"x" * (1 << 19)
    content = (chunk for _ in range(size // len(chunk) + 1)) if is_chunked else b"x" * size
    answer = live.client.post(path, content=content, headers={"Content-Type": "application/json"})
    if path == "/nothing" and is_chunked:  # nobody reads it
        assert answer.status_code == 404
        return
    assert answer.status_code == 413
    assert code(answer) == "request.body.large"
    assert answer.json()["params"] == {"limit_mb": 1}


def test_a_file_has_the_limit_of_the_settings(tmp_path, small_layers):
    with served_town(tmp_path, small_layers, max_body_mb=1) as live:
        large = ("venues.csv", b"x" * (2 << 20))
        form = {"data": {"layer": "venues"}, "files": {"file": large}}
        answer = live.client.post("/v1/imports", **form)
        assert answer.status_code == 413
        assert answer.json()["params"] == {"limit_mb": 1}
        assert b" 413 " in said_of_two_gigabytes(live).partition(b"\r\n")[0]
        assert list(live.folder.glob("uploads/*")) == []


def said_of_two_gigabytes(live):
    """What is answered to the head of a large body, none of which is ever sent."""
    url = httpx.URL(live.address)
    head = (
        "POST /v1/imports HTTP/1.1",
        f"Host: {url.host}",
        f"Authorization: Bearer {live.key}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {2 << 30}",
    )
    with socket.create_connection((url.host, url.port), timeout=30) as line:
        line.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        return line.recv(65_536)


def test_unknown_addresses_and_methods(live):
    for path in ("/nothing", "/v1/nothing", "/v1/plans/", "/v1/plans/x", "/v1/venues/%00"):
        answer = live.client.get(path)
        assert answer.status_code == 404, path
        assert code(answer) == "request.not_found"
    answer = live.client.delete("/v1/plans")
    assert answer.status_code == 405
    assert code(answer) == "request.method.refused"
    assert answer.headers["Allow"] == "GET, POST"
    assert live.client.get("/v1/plans/check").headers["Allow"] == "POST"


def paths():
    for router in ROUTERS:
        for route in router.routes:
            if route.path.startswith("/v1"):
                for method in sorted(route.methods):
                    yield method, route.path


def attempts(method, path):
    """Every way of putting a marker into a request."""
    real = path.replace("{year:int}", "2026").replace("{year}", "2026")
    for name in ("plan", "job", "import", "venue"):
        real = real.replace(f"{{{name}_id:id}}", f"{name}_{'0' * 26}")
    yield {"url": real, "params": {MARK: "1"}}
    for name in ("limit", "after", "state", "tier", "unit", "as_of", "night", "kind", "change"):
        yield {"url": real, "params": {name: MARK + "%"}}
    yield {"url": f"{real}/{MARK}"}
    if "{" in path:
        yield {"url": path.partition("{")[0] + MARK}
        yield {"url": path.partition("{")[0] + "plan_" + MARK.lower().ljust(26, "0")}
    for header in (
        "If-Match",
        "If-None-Match",
        "Idempotency-Key",
        "Last-Event-ID",
        "Accept",
        "Accept-Language",
        "Content-Type",
        "Authorization",
        "Origin",
        "Host",
        "Cookie",
        "X-Forwarded-For",
    ):
        yield {"url": real, "headers": {header: MARK + " $"}}
    for body in (
        {MARK: 1},
        {"night": MARK, "shift": MARK, "unit": MARK + " "},
        {"venue_id": MARK, "day": MARK, "outcome": MARK, "plan_id": MARK},
        {"keep_best": MARK, "lon": MARK, "lat": MARK},
        {"format": MARK, "units": {MARK: MARK}},
        {"format": "patrolgrid.plan/1", MARK: MARK},
        [MARK],
        MARK,
    ):
        yield {"url": real, "json": body}
    yield {"url": real, "content": MARK, "headers": {"Content-Type": "application/json"}}
    yield {"url": real, "data": {MARK: MARK, "layer": MARK}, "files": {"file": (MARK, b"a")}}
    yield {"url": real, "data": {"layer": MARK, "datum": MARK}, "files": {MARK: (MARK, MARK)}}


@pytest.mark.parametrize(("method", "path"), list(paths()))
def test_no_refusal_repeats_anything_of_the_request(live, method, path):
    n_refused = 0
    for attempt in attempts(method, path):
        answer = live.client.request(method, **attempt)
        assert answer.status_code < 500, attempt
        if answer.status_code >= 400:
            n_refused += 1
            assert MARK.lower() not in answer.text.lower(), attempt
            assert MARK.lower() not in str(answer.headers).lower(), attempt
    assert n_refused >= 10


def test_numbers_of_64_bits_are_taken():
    assert parse_json(b'[9223372036854775807, -9223372036854775808, 0.5, "\\ud83d\\ude00"]')
    with pytest.raises(RequestInvalid):
        parse_json(b"[9223372036854775808]")
    assert parse_json(b'["' + b"[" * 1000 + b'"]') == ["[" * 1000]


# ---- versions ------------------------------------------------------------------------------------


def place(live, venue_id, tag, lon=115.975, lat=36.455):
    headers = {} if tag is None else {"If-Match": tag}
    body = {"lon": lon, "lat": lat}
    return live.client.put(f"/v1/venues/{venue_id}/position", json=body, headers=headers)


def test_a_change_needs_the_version_it_means(live):
    path = f"/v1/venues/{live.venue_ids[0]}"
    before = live.client.get(path)
    tag = before.headers["ETag"]
    assert place(live, live.venue_ids[0], None).status_code == 428
    for other in ('"999"', f"W/{tag}", '""', '"998", "999"', f'W/{tag}, "x"'):
        assert place(live, live.venue_ids[0], other).status_code == 412, other
    for wrong in ("1", "", ",", '"', '"1" "2"', "W/1", '*, "1"'):
        assert place(live, live.venue_ids[0], wrong).status_code == 400, wrong
    assert live.client.get(path).json() == before.json()
    answer = place(live, live.venue_ids[0], f'"999", {tag}')
    assert answer.status_code == 200
    assert answer.headers["ETag"] == live.client.get(path).headers["ETag"] != tag
    assert answer.json()["precision"] == "point"
    assert place(live, live.venue_ids[0], tag).status_code == 412
    assert place(live, live.venue_ids[0], "*").status_code == 200


def test_a_venue_stays_inside_the_city(live):
    assert place(live, live.venue_ids[1], "*", lon=0.0, lat=0.0).status_code == 400
    assert place(live, live.venue_ids[1], "*", lon=181.0).status_code == 400


def test_a_reader_that_knows_the_version_is_told_so(live):
    path = f"/v1/venues/{live.venue_ids[2]}"
    tag = live.client.get(path).headers["ETag"]
    for known in (tag, f"W/{tag}", "*", f'"x", {tag}'):
        answer = live.client.get(path, headers={"If-None-Match": known})
        assert answer.status_code == 304, known
        assert answer.content == b""
        assert answer.headers["ETag"] == tag
    assert live.client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_no_update_is_lost_when_many_change_one_thing(live):
    venue_id, n_tries = live.venue_ids[3], 12

    def change(k):
        with httpx.Client(base_url=live.address, trust_env=False) as client:
            client.headers.update(live.client.headers)
            while True:
                tag = client.get(f"/v1/venues/{venue_id}").headers["ETag"]
                body = {"lon": 115.975 + k * 1e-5, "lat": 36.455}
                answer = client.put(
                    f"/v1/venues/{venue_id}/position", json=body, headers={"If-Match": tag}
                )
                if answer.status_code == 200:
                    return answer.json()["version"]
                assert answer.status_code == 412

    before = live.client.get(f"/v1/venues/{venue_id}").json()["version"]
    with ThreadPoolExecutor(4) as pool:
        versions = sorted(pool.map(change, range(n_tries)))
    assert versions == list(range(before + 1, before + 1 + n_tries))


# ---- the same request again ----------------------------------------------------------------------


def visit(live, key=None, **changes):
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"venue_id": live.venue_ids[5], "day": "2026-11-20", "outcome": "done", **changes}
    return live.client.post("/v1/visits", json=body, headers=headers)


def test_a_repeated_request_has_one_effect_and_one_answer(live):
    before = count(live, VISITS)
    first, again = visit(live, "a-1"), visit(live, "a-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert visit(live, '"a-1"').json() == first.json()
    assert count(live, VISITS) == before + 1
    assert visit(live, "a-2").json()["visit_id"] != first.json()["visit_id"]
    assert visit(live).status_code == 201


def test_a_key_is_for_one_request(live):
    assert visit(live, "b-1").status_code == 201
    before = count(live, VISITS)
    for other in (
        visit(live, "b-1", day="2026-11-19"),
        live.client.post("/v1/plans", json=NIGHT, headers={"Idempotency-Key": "b-1"}),
    ):
        assert other.status_code == 422
        assert code(other) == "request.key.reused"
    assert count(live, VISITS) == before


@pytest.mark.parametrize("key", ["", "a b", "a" * 129, "é", '"a', "a,b", "\x7f"])
def test_a_key_has_a_form(live, key):
    with httpx.Client(base_url=live.address, trust_env=False) as client:
        headers = [("Idempotency-Key", key.encode("latin-1"))]
        headers += [(name, value) for name, value in live.client.headers.items()]
        body = {"venue_id": live.venue_ids[5], "day": "2026-11-20", "outcome": "done"}
        answer = client.post("/v1/visits", json=body, headers=headers)
    assert answer.status_code == 400


def test_a_refused_request_is_not_remembered(live):
    assert visit(live, "c-1", venue_id="venue_" + "0" * 26).status_code == 404
    assert visit(live, "c-1").status_code == 201


def test_repeats_at_the_same_time_have_one_effect(live):
    before, start = count(live, VISITS), threading.Barrier(6)

    def ask(_):
        with httpx.Client(base_url=live.address, trust_env=False) as client:
            client.headers.update(live.client.headers)
            body = {"venue_id": live.venue_ids[6], "day": "2026-11-20", "outcome": "done"}
            start.wait()
            return client.post("/v1/visits", json=body, headers={"Idempotency-Key": "d-1"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert {answer.json()["visit_id"] for answer in answers} == {answers[0].json()["visit_id"]}
    assert sum(REPLAYED in answer.headers for answer in answers) == 5
    assert count(live, VISITS) == before + 1


def test_write_audit_and_answer_are_one_transaction(live, monkeypatch):
    before = [count(live, table) for table in (VISITS, AUDIT, IDEMPOTENCY)]

    def fail(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("api.conditions.insert", fail)
        assert visit(live, "e-1").status_code == 500
    assert [count(live, table) for table in (VISITS, AUDIT, IDEMPOTENCY)] == before
    assert visit(live, "e-1").status_code == 201
    assert [count(live, table) for table in (VISITS, AUDIT, IDEMPOTENCY)] == [n + 1 for n in before]


# ---- pages ---------------------------------------------------------------------------------------


def test_pages_show_every_venue_once(live):
    seen, url = [], "/v1/venues/due?limit=37&as_of=2026-11-21"
    while url:
        answer = live.client.get(url)
        seen += [item["venue_id"] for item in answer.json()["items"]]
        url = answer.links["next"]["url"] if "next" in answer.links else None
        assert (url is None) == (answer.json()["next"] is None)
    assert len(seen) == len(set(seen)) == answer.json()["counts"]["unknown"]["total"]


def test_more_than_the_most_is_the_most(live):
    answer = live.client.get(f"/v1/venues/due?limit={MOST * 100}")
    assert answer.status_code == 200
    assert len(answer.json()["items"]) <= MOST


def test_counts_name_their_base(live):
    body = live.client.get("/v1/venues/due?as_of=2026-11-21").json()
    for rate in body["counts"].values():
        assert rate["n"] <= rate["total"]
        assert date.fromisoformat(rate["data_date"])
        assert rate["boundary_version"] == "2023-06"
    overdue = live.client.get("/v1/venues/due?as_of=2026-11-21&state=overdue&limit=1000").json()
    assert len(overdue["items"]) == body["counts"]["overdue"]["n"] > 0
    assert {item["due_state"] for item in overdue["items"]} == {"overdue"}


def test_a_unit_shows_its_part(live):
    whole = live.client.get("/v1/venues/due").json()["counts"]["unknown"]["total"]
    villages = [
        live.client.get(f"/v1/venues/due?unit={code}").json()["counts"]["unknown"]["total"]
        for code in ("371599101201", "371599101202")
    ]
    assert sum(villages) == whole
    assert all(villages)
    assert live.client.get("/v1/venues/due?unit=999999").status_code == 404


def test_cursors_come_back_as_they_went():
    assert read_cursor(write_cursor(("2026-11-21", 7)), str, int) == ("2026-11-21", 7)
    assert read_cursor(write_cursor((None, 7)), str, int) == (None, 7)
    for wrong in (write_cursor((7,)), write_cursor((True, 7)), write_cursor(("a", -1)), "e30", "="):
        with pytest.raises(RequestInvalid):
            read_cursor(wrong, str, int)


def test_a_cursor_of_another_list_is_refused(live):
    live.client.post("/v1/plans", json=NIGHT)
    live.client.post("/v1/plans", json=NIGHT)
    cursor = live.client.get("/v1/jobs?limit=1").json()["next"]
    assert live.client.get(f"/v1/jobs?limit=1&after={cursor}").status_code == 200
    assert live.client.get(f"/v1/venues/due?after={cursor}").status_code == 400


# ---- the description -----------------------------------------------------------------------------


def test_the_description_declares_problems_keys_and_no_answer_of_the_framework(live):
    document = live.stranger.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations) >= 22
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) == path.startswith("/v1")
            for status, answer in operation["responses"].items():
                kinds = set(answer.get("content", {}))
                if int(status) >= 400:
                    assert kinds == {"application/problem+json"}


def test_readers_of_openapi_3_0_have_one_too(live):
    text = live.stranger.get("/openapi-3.0.json").text
    document = json.loads(text)
    assert document["openapi"] == "3.0.3"
    assert '"const"' not in text
    assert '"type":"null"' not in text.replace(" ", "")
    assert len(document["paths"]) == len(live.stranger.get("/openapi.json").json()["paths"])


def test_a_problem_s_type_leads_to_a_page(live):
    path = live.client.get("/v1/nothing").json()["type"]
    assert live.stranger.get(path).json()["title"] == {"zh": "没有找到", "en": "Not found"}
    page = live.stranger.get(path, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>Not found</h1>" in page.text
    assert live.stranger.get("/problems/nothing").status_code == 404


def test_health_and_readiness(live):
    assert live.stranger.get("/healthz").json() == {"status": "ok"}
    before = count(live, IDEMPOTENCY)
    body = live.stranger.get("/readyz").json()
    assert body["checks"] == {"store_write": True, "store_revision": True, "jobs": True}
    assert count(live, IDEMPOTENCY) == before


def test_a_store_that_takes_no_writes_is_not_ready(live, monkeypatch):
    monkeypatch.setattr("api.probe.FRESH", 0.0)
    monkeypatch.setattr("api.probe._write", lambda connection: connection.execute(1 / 0))

    def full(_):
        from geo.errors import StoreFull

        raise StoreFull

    monkeypatch.setattr("api.probe._write", full)
    answer = live.stranger.get("/readyz")
    assert answer.status_code == 503
    assert code(answer) == "store.unavailable"
    assert answer.json()["checks"]["store_write"] is False
