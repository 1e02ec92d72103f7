"""Campaign: the power is cut.

A store made by the real migrations is laid on a disk in memory that forgets what was not synced
(`service_disk`). Clients write through the real writer with the real pragmas until the power is
cut at a random read, write or sync. What is left is written to a folder, opened as the service
does, with Python's own SQLite, and judged.

    python tests/bench/service_power.py --runs 200 --seed 1

Two variants must lose, or the simulator proves nothing: ``synchronous = normal``, and a disk that
says it has synced and has not.
"""

import argparse
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random

from service_disk import Disk, engine_on
from service_store import Row, Verdict, fill, judge, write_on

from api.store.store import Store

FILE = "city.gpkg"
CLIENTS = 4
"""More than one, so that changes are committed in groups."""

LEAST_CALLS, MOST_CALLS = 300, 20_000
"""Reads, writes and syncs before the cut: from a few commits to some checkpoints."""

CASES: Mapping[str, tuple[Mapping[str, str], bool]] = {
    "full": ({}, False),
    "normal": ({"synchronous": "normal"}, False),
    "lying disk": ({}, True),
}
"""Name of a variant: pragmas set otherwise than the store does, and whether the disk lies."""


def cut_once(
    content: bytes, case: str, *, seed: int, n_venues: int, calls: int
) -> tuple[dict[str, float], Verdict, int]:
    """Write until the power is cut; return the acknowledged keys, what is left, and the syncs."""
    instead, lies = CASES[case]
    random = Random(seed)
    disk = Disk(f"{case}-{seed}", {FILE: content}, lies=lies)
    # half of the runs write the log back early, so that cuts hit checkpoints too
    pages = {"wal_autocheckpoint": "60"} if seed % 2 else {}
    store = Store(engine_on(disk, FILE, instead, pages))
    acked: dict[str, float] = {}
    disk.calls_left = random.randrange(LEAST_CALLS, calls)
    threads = write_on(store, seed=seed, n_venues=n_venues, told=acked.__setitem__, clients=CLIENTS)
    for thread in threads:
        thread.join()
    with tempfile.TemporaryDirectory(prefix="pg-power-") as folder:
        disk.save(Path(folder), random)
        verdict = judge(str(Path(folder) / FILE), acked)
    store.close()
    disk.unregister()
    return acked, verdict, disk.n_syncs


def run(
    *,
    runs: int = 200,
    acked: int = 20_000,
    seed: int = 1,
    n_venues: int = 300,
    cases: Iterable[str] = tuple(CASES),
    calls: int = MOST_CALLS,
) -> Iterable[Row]:
    """Cut the power `runs` times per variant, after `acked` writes in all at least."""
    with tempfile.TemporaryDirectory(prefix="pg-power-") as folder:
        path = Path(folder) / FILE
        fill(str(path), n_venues)
        content = path.read_bytes()
    for case in cases:
        row, seconds, n_syncs = Row("power", case, runs=runs), list[float](), 0
        for k in range(runs):
            keys, verdict, syncs = cut_once(
                content, case, seed=seed + k, n_venues=n_venues, calls=calls
            )
            row.add(verdict)
            row.acked += len(keys)
            row.more["runs_with_loss"] = row.more.get("runs_with_loss", 0) + bool(verdict.lost)
            seconds += keys.values()
            n_syncs += syncs
        row.more["syncs"] = n_syncs
        row.took(seconds)
        if row.acked < acked:
            raise RuntimeError(f"{case}: only {row.acked} acknowledged writes: nothing is proven")
        yield row


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--acked", type=int, default=20_000, help="least acknowledged writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", default=",".join(CASES))
    options = parser.parse_args()
    cases = options.cases.split(",")
    for row in run(runs=options.runs, acked=options.acked, seed=options.seed, cases=cases):
        print(row.line(), flush=True)


if __name__ == "__main__":
    main()
