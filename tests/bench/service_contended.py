"""Campaign: many clients change the same few venues, each on top of what it has read.

A client reads a venue and its version, and moves it one metre to the east if nobody changed it
meanwhile; else it reads again. At the end every venue must stand as many metres to the east as
moves were acknowledged: one that was overwritten is missing there.

    python tests/bench/service_contended.py --writes 10000 --seed 1

``--deferred`` runs the broken variant: transactions that turn from reading to writing in the
middle. It has to end in refusals, or the campaign proves nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from service_http import Client, running_server
from service_store import CLIENTS, STEP, Row, file_faults, fill, place, running_cluster, venue_name
from sqlalchemy import Connection, select

from api.audit import verify
from api.store import EVERYWHERE, Store, database, open_store
from api.store.tables import VENUES
from api.store.venues import place_venue, venue
from geo.errors import StoreError, VersionConflict

N_VENUES = 4


def change_on(store: Store, *, writes: int, seed: int) -> dict[str, Any]:
    """Change venues until `writes` changes were acknowledged; return what was met."""
    random, seconds, met = Random(seed), list[float](), Counter[str]()
    while len(seconds) < writes:
        name = venue_name(random.randrange(N_VENUES))
        with store.read() as connection:
            row = venue(connection, name, EVERYWHERE)
        began = time.perf_counter()
        try:
            store.write(
                lambda connection, row=row: place_venue(  # type: ignore[misc]
                    connection, row.venue_id, row.lon + STEP, row.lat, version=row.version
                )
            )
        except (VersionConflict, StoreError) as error:
            met[type(error).__name__] += 1
        else:
            seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "met": met}


def open_client(setting: str, *, deferred: bool) -> Store:
    """Open a store, or the broken variant whose transactions turn writers in the middle."""
    begin = _begin_deferred if deferred else database._begin_writing
    with mock.patch.object(database, "_begin_writing", begin):
        return open_store(setting)


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def in_threads(setting: str, jobs: list[dict[str, int]], *, deferred: bool) -> list[dict[str, Any]]:
    """Run clients in this process, each with a store of its own."""
    with ExitStack() as stack:
        stores = [stack.enter_context(open_client(setting, deferred=deferred)) for _ in jobs]
        pool = stack.enter_context(ThreadPoolExecutor(len(jobs)))
        return list(pool.map(lambda store, job: change_on(store, **job), stores, jobs))


def in_processes(
    setting: str, jobs: list[dict[str, int]], *, deferred: bool
) -> list[dict[str, Any]]:
    """Run every client in a process of its own."""
    command = [sys.executable, __file__, "--client", setting] + ["--deferred"] * deferred
    clients = [
        subprocess.Popen(
            [*command, "--writes", str(job["writes"]), "--seed", str(job["seed"])],
            stdout=subprocess.PIPE,
        )
        for job in jobs
    ]
    return [json.loads(client.communicate()[0]) for client in clients]


def over_http(
    setting: str, jobs: list[dict[str, int]], *, deferred: bool = False
) -> list[dict[str, Any]]:
    """Run clients against one server: read, then PUT with If-Match."""
    assert not deferred, "the server is as it is"
    with (
        tempfile.TemporaryDirectory(prefix="pg-contended-") as folder,
        running_server(setting, Path(folder)) as server,
        ThreadPoolExecutor(len(jobs)) as pool,
    ):
        clients = [Client(server) for _ in jobs]
        clients[0].ask("GET", f"/v1/venues/{venue_name(0)}")  # the first request loads a lot
        return list(pool.map(lambda client, job: _put_on(client, **job), clients, jobs))


def _put_on(client: Client, *, writes: int, seed: int) -> dict[str, Any]:
    """Change venues over HTTP until `writes` changes were acknowledged."""
    random, seconds, met = Random(seed), list[float](), Counter[str]()
    while len(seconds) < writes:
        path = f"/v1/venues/{venue_name(random.randrange(N_VENUES))}"
        _, read, headers = client.ask("GET", path)
        began = time.perf_counter()
        status, answer, _ = client.ask(
            "PUT",
            f"{path}/position",
            {"lon": round(read["lon"] + STEP, 7), "lat": read["lat"]},
            **{"If-Match": headers["etag"]},
        )
        if status == 200:
            seconds.append(time.perf_counter() - began)
        elif status == 412:
            met["VersionConflict"] += 1
        else:
            met[str(answer.get("code"))] += 1
            if met.total() > 100 * writes:
                break
    client.close()
    return {"seconds": seconds, "met": met}


def count_metres(setting: str, row: Row) -> int:
    """Return how many moves the store holds; enter what is wrong with it."""
    with open_store(setting) as store, store.read() as connection:
        columns = (VENUES.c.venue_id, VENUES.c.version, VENUES.c.geom)
        found = connection.execute(select(*columns).order_by(VENUES.c.fid)).all()
        row.corrupt += verify(connection) is not None
    metres = 0
    for k, (_, version, point) in enumerate(found):
        steps = round((point.x - place(k).x) / STEP)
        row.torn += steps != version - 1
        metres += steps
    row.corrupt += "://" not in setting and bool(file_faults(Path(setting)))
    return metres


def contend(
    setting: str,
    case: str,
    *,
    writes: int,
    clients: int,
    seed: int,
    deferred: bool = False,
    run_clients: Callable[..., list[dict[str, Any]]] = in_processes,
) -> Row:
    """Let clients change the venues of a new store, and count what is left of it."""
    fill(setting, N_VENUES)
    share = -(-writes // clients)
    jobs = [{"writes": share, "seed": seed + k} for k in range(clients)]
    told = run_clients(setting, jobs, deferred=deferred)
    seconds = [each for one in told for each in one["seconds"]]
    row = Row("contended", case, runs=clients, acked=len(seconds))
    row.took(seconds)
    row.lost = row.acked - count_metres(setting, row)
    row.more = dict(sum((Counter(one["met"]) for one in told), Counter()))
    row.more["max_ms"] = round(1000 * max(seconds))
    return row


def run(
    *, acked: int = 10_000, seed: int = 1, clients: int = CLIENTS, deferred: bool = False
) -> Iterable[Row]:
    """Make `acked` contended changes on each engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-contended-")))
        cluster = stack.enter_context(running_cluster())
        cases: list[tuple[str, str, Any]] = [
            ("geopackage, processes", str(folder / "a.gpkg"), in_processes)
        ]
        if not deferred:
            cases.append(("geopackage, one server", str(folder / "b.gpkg"), over_http))
        if cluster is not None and not deferred:
            first, second = (cluster.url(cluster.new_database()) for _ in range(2))
            cases.append(("postgis, processes", first, in_processes))
            cases.append(("postgis, one server", second, over_http))
        for case, setting, run_clients in cases:
            yield contend(
                setting,
                case,
                writes=acked,
                clients=clients,
                seed=seed,
                deferred=deferred,
                run_clients=run_clients,
            )


def main() -> None:
    """Run the campaign, or be one of its clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deferred", action="store_true", help="the broken variant")
    parser.add_argument("--client", metavar="STORE", help="be a client")
    options = parser.parse_args()
    if options.client:
        with open_client(options.client, deferred=options.deferred) as store:
            print(json.dumps(change_on(store, writes=options.writes, seed=options.seed)))
        return
    for row in run(
        acked=options.writes,
        seed=options.seed,
        clients=options.clients,
        deferred=options.deferred,
    ):
        print(row.line(), flush=True)


if __name__ == "__main__":
    main()
