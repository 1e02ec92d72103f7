"""Who is let in: keys, hosts, origins; and what every answer carries."""

import base64
import runpy
import shutil
import socket
import stat
import sys
import threading
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.admin_key import FILE_NAME, ensure_key, has_active_key, hash_of, renew_key
from api.security import find_actor, is_loopback
from api.serving import Wish, _bind, serve
from api.settings import Settings
from api.store import EVERYWHERE, open_store
from api.store.tables import API_KEYS, AUDIT
from geo.errors import OptionInvalid

running = runpy.run_path(str(Path(__file__).with_name("live_service.py")))["running"]

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")


@pytest.fixture(scope="module")
def live(tmp_path_factory, _empty_geopackage):
    folder = tmp_path_factory.mktemp("service")
    path = shutil.copyfile(_empty_geopackage, folder / "city.gpkg")
    with open_store(str(path)) as store, running(store, folder) as service:
        yield service


def keys(store):
    with store.read() as connection:
        return connection.execute(select(API_KEYS)).all()


def test_the_first_start_makes_one_key_that_only_its_file_holds(store, tmp_path):
    path = ensure_key(store, tmp_path)
    key = path.read_text().strip()
    assert path == tmp_path / FILE_NAME
    assert len(base64.urlsafe_b64decode(key + "=")) * 8 == 256
    assert [row.sha256 for row in keys(store)] == [hash_of(key)]
    assert key not in str(keys(store))
    assert ensure_key(store, tmp_path) is None
    assert len(keys(store)) == 1
    with store.read() as connection:
        assert key not in str(connection.execute(select(AUDIT)).all())
    assert sorted(tmp_path.glob(".admin*")) == []


@POSIX
def test_only_its_owner_can_open_the_key(geopackage, tmp_path):
    path = ensure_key(geopackage, tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_start_killed_after_the_file_takes_it_over(geopackage, tmp_path):
    first = ensure_key(geopackage, tmp_path).read_text()
    with open_store(str(tmp_path / "other.gpkg"), create=True) as other:
        assert ensure_key(other, tmp_path).read_text() == first
        assert find_actor(other, first.strip()).scope == EVERYWHERE


@POSIX
def test_a_key_that_others_can_read_is_not_taken_over(geopackage, tmp_path):
    path = tmp_path / FILE_NAME
    path.write_text("A" * 43)
    path.chmod(0o644)
    with pytest.raises(OptionInvalid, match="0600"):
        ensure_key(geopackage, tmp_path)
    assert keys(geopackage) == []


def test_starts_at_the_same_time_agree_on_one_key(geopackage, tmp_path):
    threads = [threading.Thread(target=ensure_key, args=(geopackage, tmp_path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = keys(geopackage)
    assert row.sha256 == hash_of((tmp_path / FILE_NAME).read_text().strip())


def test_a_new_key_lets_the_old_one_lapse(geopackage, tmp_path):
    old = ensure_key(geopackage, tmp_path).read_text().strip()
    new = renew_key(geopackage, tmp_path).read_text().strip()
    assert find_actor(geopackage, old) is None
    assert find_actor(geopackage, new).role == "admin"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("", False),
        ("localhost.evil.example", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected


def refused(tmp_path, wish):
    settings = Settings(store=str(tmp_path / "city.gpkg"))
    with pytest.raises(OptionInvalid) as caught:
        serve(settings, wish, lang="en", tell=lambda *_: pytest.fail("it served"))
    return str(caught.value)


def test_no_key_is_for_this_machine_alone(tmp_path):
    assert "loopback" in refused(tmp_path, Wish(host="0.0.0.0", port=0, needs_key=False))
    assert not (tmp_path / "city.gpkg").exists()


def test_without_an_active_key_nothing_is_served_beyond_this_machine(geopackage, tmp_path):
    ensure_key(geopackage, tmp_path).unlink()
    geopackage.write(lambda c: c.execute(API_KEYS.update().values(revoked_at=keys_made(c))))
    with geopackage.read() as connection:
        assert not has_active_key(connection)
    for host in ("0.0.0.0", "127.0.0.1"):
        assert "--new-key" in refused(tmp_path, Wish(host=host, port=0))


def keys_made(connection):
    return connection.scalar(select(API_KEYS.c.created_at))


def test_an_address_that_is_taken_is_one_sentence(live, tmp_path):
    port = httpx.URL(live.address).port
    assert "port that is free" in refused(tmp_path / "other", Wish(port=port))


def test_answers_are_not_held_back_by_nagle(tmp_path):
    """asyncio sets TCP_NODELAY on a socket only where its protocol is stated: 40 ms an answer."""
    with _bind(Wish(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def authorization(live, form):
    pair = base64.b64encode(f"anything:{live.key}".encode()).decode()
    wrong = base64.b64encode(live.key.encode()).decode()
    return {
        "bearer": f"Bearer {live.key}",
        "lower case": f"bearer {live.key}",
        "browser": f"Basic {pair}",
        "none": None,
        "empty": "",
        "another": "Bearer " + "A" * 43,
        "longer": f"Bearer {live.key}A",
        "hash": f"Bearer {hash_of(live.key)}",
        "no colon": f"Basic {wrong}",
        "no base64": "Basic ***",
        "digest": f"Digest {live.key}",
        "long": "Bearer " + "A" * 5000,
    }[form]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("bearer", 200),
        ("lower case", 200),
        ("browser", 200),
        *[
            (form, 401)
            for form in (
                "none",
                "empty",
                "another",
                "longer",
                "hash",
                "no colon",
                "no base64",
                "digest",
                "long",
            )
        ],
    ],
)
def test_keys(live, form, status):
    stated = authorization(live, form)
    headers = {} if stated is None else {"Authorization": stated}
    answer = live.stranger.get("/v1/plans", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == "request.key.refused"
        assert live.key not in answer.text


def test_two_keys_are_none(live):
    pairs = [("Authorization", f"Bearer {live.key}"), ("Authorization", "Bearer x")]
    assert live.stranger.get("/v1/plans", headers=pairs).status_code == 401


def test_nothing_under_v1_is_told_without_a_key(live):
    paths = {route.path for route in live.app.state.routes if route.path.startswith("/v1")}
    assert len(paths) > 15
    for path in [*paths, "/v1", "/v1/nothing", "/v1/plans/"]:
        for method in ("GET", "POST"):
            assert live.stranger.request(method, path).status_code == 401, (method, path)
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/problems/error"):
        assert live.stranger.get(path).status_code == 200, path


def test_without_a_key_on_this_machine(geopackage, tmp_path):
    with running(geopackage, tmp_path, needs_key=False) as live:
        assert live.stranger.get("/v1/plans").status_code == 200
        assert live.stranger.get("/v1/plans", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            200,
        ),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            403,
        ),
    ],
)
def test_hosts_and_sites(live, headers, status):
    assert live.client.get("/v1/plans", headers=headers).status_code == status


def test_a_page_of_ours_may_ask(live):
    headers = {"Origin": live.address, "Sec-Fetch-Site": "same-origin"}
    assert live.client.get("/v1/plans", headers=headers).status_code == 200


def test_a_form_of_another_site_changes_nothing(live):
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    answer = live.client.post("/v1/plans", json={"night": "2026-11-21"}, headers=headers)
    assert answer.status_code == 403


def test_every_answer_carries_the_headers(live):
    answers = [
        live.client.get("/v1/plans"),
        live.client.get("/nothing"),
        live.stranger.get("/v1/plans"),
        live.client.get("/v1/plans", headers={"Host": "evil.example"}),
        live.client.post("/v1/visits", content=b"x" * (2 << 20)),
        live.stranger.get("/docs"),
        live.stranger.get("/readyz"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_a_defect_of_ours_tells_nothing_and_is_still_guarded(live, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError(live.key)

    monkeypatch.setattr("api.store.plans.plans_page", broken)
    answer = live.client.get("/v1/plans")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "error"
    assert live.key not in answer.text
    assert "ZeroDivision" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_headers_and_address_have_a_limit(live):
    for answer in (
        live.client.get("/v1/plans", headers={"X-Long": "a" * 20_000}),
        live.client.get("/v1/plans", params={"unit": "a" * 20_000}),
    ):
        assert answer.status_code == 431
        assert answer.json()["params"] == {"limit_kb": 16}


def test_the_service_speaks_to_nobody_about_its_use(live):
    assert not live.app._native_telemetry.enabled()
