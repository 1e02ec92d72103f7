"""Another engine: an OSRM and a Valhalla that are told what to answer, and the comparison."""

import csv
import json
import threading
from contextlib import contextmanager, suppress
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.cli.session import EXIT_INPUT
from geo.errors import OptionInvalid, ServiceUnavailable
from geo.io import write_layers
from routing.comparison import compare
from routing.io.external import AT_ONCE, Engine, ExternalEngine
from routing.io.network_file import NetworkFile, streets_digest, write_network
from routing.model import UNREACHABLE, Mode, Place
from routing.network import build_network
from routing.travel import Travel

KMH = 36.0
"""The fake servers drive as the crow flies, ten metres a second."""

NOWHERE = 117.0
"""Longitude from which on they find no way."""


def crow(origins, destinations):
    """Metres between places as the crow flies, None to and from nowhere."""
    origins, destinations = np.array(origins), np.array(destinations)
    step = (destinations[None] - origins[:, None]) * [90_000.0, 111_000.0]
    metres = np.hypot(*np.moveaxis(step, 2, 0)).astype(object)
    lost = (origins[:, None, 0] > NOWHERE) | (destinations[None, :, 0] > NOWHERE)
    metres[lost] = None
    return metres.tolist()


def each(table, factor):
    return [[None if value is None else value * factor for value in row] for row in table]


class Fake(BaseHTTPRequestHandler):
    """Answers as the two servers do; `server.says` answers everything in their place."""

    def do_GET(self):
        self.server.asked.append(self.path)
        address = urlsplit(self.path)
        if self.server.says is not None:
            self.answer(*self.server.says)
        elif address.path == "/status":
            self.answer(200, {"version": "3.9.1", "tileset_last_modified": 1_760_000_000})
        else:
            _, service, version, _, places = address.path.split("/")
            assert (service, version) == ("table", "v1")
            lonlat = [[float(one) for one in place.split(",")] for place in places.split(";")]
            query = parse_qs(address.query)
            assert query["annotations"] == ["duration,distance"]
            rows, columns = (
                [int(k) for k in query[name][0].split(";")] for name in ("sources", "destinations")
            )
            metres = crow([lonlat[k] for k in rows], [lonlat[k] for k in columns])
            seconds = each(metres, 3.6 / KMH)
            body = {"code": "Ok", "durations": seconds, "distances": metres, "data_version": "d7"}
            self.answer(200, body)

    def do_POST(self):
        self.server.asked.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.says is not None:
            return self.answer(*self.server.says)
        assert self.path == "/sources_to_targets"
        ends = ([[p["lon"], p["lat"]] for p in body[name]] for name in ("sources", "targets"))
        metres = crow(*ends)
        seconds, km = each(metres, 3.6 / KMH), each(metres, 1e-3)
        if self.server.is_terse:
            return self.answer(200, {"sources_to_targets": {"durations": seconds, "distances": km}})
        rows = [
            [{"time": t, "distance": d} for t, d in zip(*pair, strict=True)]
            for pair in zip(seconds, km, strict=True)
        ]
        return self.answer(200, {"sources_to_targets": rows, "units": "kilometers"})

    def answer(self, status, body):
        self.server.goes_on.wait(10)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # whoever asked may be gone
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def running():
    with ThreadingHTTPServer(("127.0.0.1", 0), Fake) as server:
        server.says, server.asked, server.is_terse = None, [], False
        server.goes_on = threading.Event()
        server.goes_on.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def fake():
    with running() as server:
        yield server


def engine(fake, kind, **options):
    return ExternalEngine(kind, f"http://127.0.0.1:{fake.server_port}/", **options)


def some(n, seed=1):
    return np.random.default_rng(seed).uniform([115.9, 36.4], [116.0, 36.5], (n, 2))


# ---- the adapter ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Engine))
@pytest.mark.parametrize("is_terse", [False, True])
def test_times_are_asked_in_blocks_and_rounded_up(fake, kind, is_terse):
    fake.is_terse = is_terse
    origins, destinations = some(AT_ONCE + 7), some(2 * AT_ONCE + 1, seed=2)
    origins[3, 0] = NOWHERE + 1
    steps = []
    found = engine(fake, kind).many_to_many(
        origins, destinations, Mode.CAR, progress=lambda *step: steps.append(step)
    )
    metres = np.array(crow(origins.round(7), destinations.round(7)), dtype=float)
    np.testing.assert_allclose(found.metres, metres, atol=1e-6)
    assert (found.seconds[3] == UNREACHABLE).all()
    rest = np.delete(np.arange(len(origins)), 3)
    np.testing.assert_array_equal(found.seconds[rest], np.ceil(metres[rest] * 3.6 / KMH))
    assert found.seconds.dtype == np.int32
    assert len(fake.asked) == 6
    assert steps[-1] == (6, 6)


@pytest.mark.parametrize("kind", list(Engine))
def test_what_the_times_rest_on_is_said_as_far_as_the_server_says_it(fake, kind):
    server = engine(fake, kind)
    server.many_to_many(some(2), some(2), Mode.EBIKE)
    found = server.speeds(Mode.EBIKE)
    if kind is Engine.OSRM:
        assert (found.profile, found.release, found.data) == ("bike", "", "d7")
    else:
        assert (found.profile, found.release, found.data) == ("bicycle", "3.9.1", "2025-10-09")


def test_times_between_places_are_as_a_plan_takes_them(fake):
    places = [
        Place(place_id=f"p{k}", name="", lon=lon, lat=lat) for k, (lon, lat) in enumerate(some(4))
    ]
    times = engine(fake, Engine.OSRM).times(places, (Mode.CAR, Mode.FOOT))
    assert times.seconds.shape == (2, 4, 4)
    assert times.place_ids == ("p0", "p1", "p2", "p3")
    assert (np.diagonal(times.seconds, axis1=1, axis2=2) == 0).all()


def test_an_old_server_that_tells_no_lengths_is_understood(fake):
    fake.says = (200, {"code": "Ok", "durations": [[0.2, 11]]})
    found = engine(fake, Engine.OSRM).many_to_many(some(1), some(2), Mode.CAR)
    assert found.seconds.tolist() == [[1, 11]]
    assert np.isnan(found.metres).all()


@pytest.mark.parametrize("kind", list(Engine))
@pytest.mark.parametrize(
    ("says", "detail"),
    [
        ((400, {"code": "TooBig", "message": "x"}), "HTTP 400 TooBig"),
        ((400, {"error_code": 154, "error": "x"}), "HTTP 400 154"),
        ((500, b"<html>"), "HTTP 500"),
        ((302, b""), "HTTP 302"),
        ((200, b"<html>"), "no JSON"),
        ((200, b"[" * 100_000), "no JSON"),
        ((200, []), "none"),
        ((200, {"code": "NoTable"}), "none"),
        ((200, {"code": "Ok"}), "none"),
        ((200, {"durations": [[1]], "sources_to_targets": [[{"time": 1}]]}), "none"),
        ((200, {"durations": "x", "sources_to_targets": "x"}), "none"),
        (
            (
                200,
                {
                    "durations": [[1, -1], [1, 1]],
                    "sources_to_targets": [[{"time": -1, "distance": 1}] * 2] * 2,
                },
            ),
            "none",
        ),
    ],
)
def test_a_server_that_answers_nonsense_is_one_error(fake, kind, says, detail):
    fake.says = says
    with pytest.raises(ServiceUnavailable) as caught:
        engine(fake, kind).many_to_many(some(2), some(2), Mode.CAR)
    assert detail in str(caught.value)
    assert f"127.0.0.1:{fake.server_port}" in str(caught.value)


def test_a_server_that_does_not_answer_is_one_error():
    with running() as server:
        gone = f"http://name:secret@127.0.0.1:{server.server_port}"
    with pytest.raises(ServiceUnavailable) as caught:
        ExternalEngine(Engine.OSRM, gone).many_to_many(some(1), some(1), Mode.CAR)
    assert "OSRM (127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_takes_too_long_is_one_error(fake):
    fake.goes_on.clear()
    try:
        with pytest.raises(ServiceUnavailable, match="TimeoutError"):
            engine(fake, Engine.OSRM, timeout=0.1).many_to_many(some(1), some(1), Mode.CAR)
    finally:
        fake.goes_on.set()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://x",
        "127.0.0.1:5000",
        "http://",
        "http://a b",
        "http://x?y=1",
    ],
)
def test_an_address_is_of_http(url):
    with pytest.raises(OptionInvalid) as caught:
        ExternalEngine(Engine.OSRM, url)
    assert "PATROLGRID_ENGINE_URL" in str(caught.value)


# ---- the comparison ------------------------------------------------------------------------------


def test_a_comparison_by_hand():
    # ours: 100 s each way of 1 km; theirs 110, 150, none
    own = np.array([[0, 100, 100], [100, 0, UNREACHABLE], [100, 100, 0]], np.int32)
    other = np.array([[0, 110, 150], [100, 0, 40], [UNREACHABLE, 90, 0]], np.int32)
    metres = np.where(own == UNREACHABLE, np.inf, 1000.0)
    theirs = np.where(other == UNREACHABLE, np.nan, 1100.0)
    found = compare((own, metres), (other, theirs), is_pair=~np.eye(3, dtype=bool))
    assert (found.n_pairs, found.n_both, found.n_only_own, found.n_only_other) == (6, 4, 1, 1)
    assert found.n_close == 3
    assert found.difference[1] == pytest.approx(0.05)
    assert found.detour == pytest.approx(1.1)
    assert found.own_kmh == pytest.approx(36.0)
    assert found.other_kmh == pytest.approx(3.6 * 4400 / 450)


def test_nothing_in_common_is_no_figure():
    own = np.full((2, 2), 5, np.int32)
    other = np.full((2, 2), UNREACHABLE, np.int32)
    lengths = np.ones((2, 2)), np.full((2, 2), np.nan)
    found = compare((own, lengths[0]), (other, lengths[1]), is_pair=~np.eye(2, dtype=bool))
    assert (found.n_both, found.n_only_own) == (0, 2)
    assert np.isnan([*found.difference, found.detour, found.own_kmh, found.other_kmh]).all()


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_layers(small_layers, folder)
    network, report = build_network(small_layers.streets, epsg=small_layers.epsg)
    file = NetworkFile(
        network=network,
        topology=Travel(network).topology,
        report=report,
        source="streets.gpkg",
        data_date=date(2026, 11, 20),
        streets=streets_digest(small_layers.streets),
    )
    write_network(folder / "city.npz", file)
    return folder


@pytest.fixture
def asking(fake, monkeypatch):
    """Names the fake server in the settings, as the kind it is asked to be."""

    def name(kind):
        monkeypatch.setenv("PATROLGRID_ENGINE", kind)
        monkeypatch.setenv("PATROLGRID_ENGINE_URL", f"http://127.0.0.1:{fake.server_port}")

    return name


def run(files, *more, lang="en"):
    asked = ["compare-times", files / "venues.csv", "--network", files / "city.npz"]
    return CliRunner().invoke(app, [str(one) for one in (*asked, *more, "--lang", lang)])


@pytest.mark.parametrize(
    "case",
    [
        (
            "osrm",
            "en",
            ("Our speeds: profile", "asked for car", "data: d7", "lanes 15", "theirs 35."),
        ),
        ("osrm", "zh", ("本系统的速度", "对方的速度：OSRM", "夜间", "对方 35.")),
        ("valhalla", "en", ("release 3.9.1, costing auto", "Tiles of: 2025-10-09", "4 s at each")),
        ("valhalla", "zh", ("costing auto", "公里/小时")),
    ],
)
def test_a_comparison_says_which_speeds_each_used(asking, files, tmp_path, case):
    kind, lang, said = case
    asking(kind)
    out = tmp_path / "pairs.csv"
    done = run(files, "--sample", 12, "--out", out, lang=lang)
    assert done.exit_code == 0, done.output
    for word in said:
        assert word in done.output
    with out.open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12 * 11
    assert all(float(row["own_m"]) > 0 and float(row["other_s"]) > 0 for row in rows)


def test_no_server_is_asked_unless_the_settings_name_one(files, monkeypatch):
    monkeypatch.delenv("PATROLGRID_ENGINE", raising=False)
    done = run(files)
    assert done.exit_code == EXIT_INPUT
    assert "PATROLGRID_ENGINE" in done.output
    assert "osrm or valhalla" in done.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--mode", "tank"), "--mode"),
        (("--band", "noon"), "--band"),
        (("--sample", 1), "--sample"),
        (("--layer", "streets"), "--layer"),
        (("--out", "x.gpkg"), "--out"),
    ],
)
def test_options_that_cannot_be_used_are_one_sentence(asking, files, more, said):
    asking("osrm")
    done = run(files, *more)
    assert done.exit_code == EXIT_INPUT, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_server_that_is_not_there_is_one_sentence(files, monkeypatch):
    with running() as server:
        port = server.server_port
    monkeypatch.setenv("PATROLGRID_ENGINE", "valhalla")
    monkeypatch.setenv("PATROLGRID_ENGINE_URL", f"http://127.0.0.1:{port}")
    done = run(files, "--sample", 3)
    assert done.exit_code == EXIT_INPUT
    assert (
        f"✕ Valhalla (127.0.0.1:{port}) cannot be reached (ConnectionRefusedError)" in done.output
    )
