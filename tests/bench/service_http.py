"""Campaign: kill -9 of the service over HTTP.

Eight clients post visits to ``patrolgrid serve``, each with an Idempotency-Key of its own. The
server is killed at a random moment, every second time with the processes it started, and started
again. Every client repeats what it had no answer to, with the same key, until it is answered. So
in the end there is one visit per key, no more and no less.

    python tests/bench/service_http.py --runs 50 --acked 5000 --seed 1
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any

import psutil
from service_store import CLIENTS, FIRST_DAY, Row, fill, judge, print_rows, venue_name

SPREAD = 0.02
"""Most seconds between the last answer waited for and the kill."""

PATROLGRID = [sys.executable, "-c", "from api.cli import app; app()"]


class Server:
    """``patrolgrid serve`` as a process that may be killed and started again.

    Attributes
    ----------
    setting : str
        The store.
    port : int
        Any free one, another one after every start.
    key : str
        The admin key.
    """

    def __init__(self, setting: str, folder: Path) -> None:
        self.setting, self.port, self.key = setting, 0, ""
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it says where it listens."""
        self._process = subprocess.Popen(
            [*PATROLGRID, "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"PATROLGRID_STORE": self.setting, "PATROLGRID_FOLDER": str(self._folder)},
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise RuntimeError("the server did not start")
        self.key = (self._folder / "admin.key").read_text().strip()

    def kill(self, *, with_children: bool) -> None:
        """Kill it, and what it started or not."""
        assert self._process is not None
        assert self._process.stdout is not None
        victim = psutil.Process(self._process.pid)
        children = victim.children(recursive=True) if with_children else []
        for process in [victim, *children]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._process.stdout.close()

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(30)
        self._process.stdout.close()


class Client:
    """One keep-alive connection to a server, wherever it listens now."""

    def __init__(self, server: Server) -> None:
        self._server, self._port = server, 0
        self._connection: HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return status, JSON body and headers of an answer.

        Raises
        ------
        OSError, HTTPException
            There was none.
        """
        if self._connection is None or self._port != self._server.port:
            self.close()
            self._port = self._server.port
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        sent = {"Authorization": f"Bearer {self._server.key}", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            written = None if body is None else json.dumps(body)
            self._connection.request(method, path, written, sent)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read()), dict(answer.getheaders())
        except (OSError, HTTPException, ValueError):
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Clients:
    """Clients that post visits and repeat what was not answered.

    Attributes
    ----------
    seconds : dict
        Acknowledged visit to the seconds of the request that was answered.
    n_keys, n_repeats, n_replays : int
        Idempotency-Keys answered, requests repeated, answers that came from memory.
    odd : list
        Answers other than 201.
    """

    def __init__(self, server: Server, *, seed: int, n_venues: int) -> None:
        self.seconds: dict[str, float] = {}
        self.n_keys = self.n_repeats = self.n_replays = 0
        self.odd: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self._server, self._n_venues = server, n_venues
        self._is_ending = False
        self._grew = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, args=(Random(f"{seed}/{k}"),), daemon=True)
            for k in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, n: int) -> None:
        """Return when `n` visits are acknowledged."""
        with self._grew:
            self._grew.wait_for(lambda: len(self.seconds) >= n or bool(self.odd), 120)
        if len(self.seconds) < n:
            raise RuntimeError(f"{len(self.seconds)} of {n} visits; {self.odd[:3]}")

    def end(self) -> None:
        """Let every client finish what it has begun."""
        self._is_ending = True
        self.gate.set()
        for thread in self._threads:
            thread.join()

    def _work(self, random: Random) -> None:
        client = Client(self._server)
        while not self._is_ending:
            key = f"{random.getrandbits(80):020x}"
            venue_id = venue_name(random.randrange(self._n_venues))
            visit = {"venue_id": venue_id, "day": FIRST_DAY.isoformat(), "outcome": "done"}
            while not self._post(client, key, visit):
                self.n_repeats += 1
                time.sleep(0.01)
                self.gate.wait()
        client.close()

    def _post(self, client: Client, key: str, visit: dict[str, str]) -> bool:
        """Return whether there was an answer."""
        self.gate.wait()
        began = time.perf_counter()
        try:
            status, body, headers = client.ask(
                "POST", "/v1/visits", visit, **{"Idempotency-Key": key}
            )
        except (OSError, HTTPException, ValueError):
            return False
        with self._grew:
            if status == 201:
                self.seconds[body["visit_id"]] = time.perf_counter() - began
                self.n_keys += 1
                self.n_replays += headers.get("idempotency-replayed") == "true"
            else:
                self.odd.append(f"{status} {body.get('code')}")
            self._grew.notify_all()
        return True


@contextmanager
def running_server(setting: str, folder: Path) -> Iterator[Server]:
    """Run the service over a store until the end of the block."""
    server = Server(setting, folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _ready(server: Server) -> float:
    """Start a server again; return the seconds until `/readyz` says so."""
    began, client = time.perf_counter(), Client(server)
    server.start()
    while True:
        with suppress(OSError, HTTPException):
            if client.ask("GET", "/readyz")[0] == 200:
                client.close()
                return time.perf_counter() - began
        time.sleep(0.02)


def run(
    *, runs: int = 50, acked: int = 5_000, seed: int = 1, n_venues: int = 1_000
) -> Iterable[Row]:
    """Kill the service `runs` times, after `acked` visits in all at least."""
    row, random = Row("http", "uvicorn killed", runs=runs), Random(seed)
    with tempfile.TemporaryDirectory(prefix="pg-http-") as folder:
        setting = str(Path(folder) / "city.gpkg")
        fill(setting, n_venues)
        with running_server(setting, Path(folder)) as server:
            clients = Clients(server, seed=seed, n_venues=n_venues)
            for k in range(1, runs + 1):
                clients.wait_for(k * -(-acked // runs) + random.randrange(20))
                time.sleep(random.uniform(0, SPREAD))
                clients.gate.clear()
                server.kill(with_children=k % 2 == 0)
                row.was_ready_after(_ready(server))
                row.see(judge(setting, list(clients.seconds), by="visit"))
                clients.gate.set()
            clients.wait_for(acked)
            clients.end()
        verdict = judge(setting, clients.seconds, by="visit")
    row.see(verdict)
    row.acked = len(clients.seconds)
    row.torn += abs(verdict.n_visits - clients.n_keys)  # one visit per key
    row.took(list(clients.seconds.values()))
    row.more |= {"repeats": clients.n_repeats, "replays": clients.n_replays, "odd": clients.odd}
    if row.acked < acked:
        raise RuntimeError(f"only {row.acked} acknowledged visits: nothing is proven")
    yield row


if __name__ == "__main__":
    print_rows(run, __doc__, runs=50, acked=5_000)
