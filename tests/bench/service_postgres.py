"""Campaign: kill -9 of PostgreSQL, the postmaster and all its backends.

One process writes into PostGIS through the store all the time. The server is killed under it at a
random moment and started again; the process is told `StoreUnavailable` meanwhile and goes on by
itself afterwards. Nothing it was told is kept may be missing, and nothing may be kept twice.

    python tests/bench/service_postgres.py --runs 20 --seed 1
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from random import Random
from typing import Any

import psutil
from service_kill import Told, start_writing
from service_store import Row, fill, judge, print_rows, running_cluster

SPREAD = 0.05
"""Most seconds between the last key waited for and the kill."""


def kill(cluster: Any) -> None:
    """Kill a cluster's postmaster and every process of it."""
    postmaster = psutil.Process(cluster.process.pid)
    for process in [postmaster, *postmaster.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    cluster.process.wait()


def run(
    *, runs: int = 20, acked: int = 10_000, seed: int = 1, n_venues: int = 2_000
) -> Iterable[Row]:
    """Kill PostgreSQL `runs` times, after `acked` writes in all at least."""
    row, random = Row("postgres", "postmaster and backends killed", runs=runs), Random(seed)
    with running_cluster() as cluster:
        if cluster is None:
            return
        setting = cluster.url(cluster.new_database())
        fill(setting, n_venues)
        process = start_writing(setting, seed=seed, n_venues=n_venues)
        told = Told(process)
        try:
            for k in range(1, runs + 1):
                told.wait_for(k * -(-acked // runs) + random.randrange(50))
                time.sleep(random.uniform(0, SPREAD))
                kill(cluster)
                known = list(told.seconds)
                began = time.perf_counter()
                cluster.start()
                told.wait_for(len(known) + 50)
                row.was_ready_after(time.perf_counter() - began)
                row.see(judge(setting, known))
        finally:
            process.kill()
            process.wait()
        keys = told.rest()
        row.see(judge(setting, keys))
    row.acked = len(keys)
    row.took(list(keys.values()))
    row.more |= told.refused
    if row.acked < acked:
        raise RuntimeError(f"only {row.acked} acknowledged writes: nothing is proven")
    yield row


if __name__ == "__main__":
    print_rows(run, __doc__, runs=20, acked=10_000)
