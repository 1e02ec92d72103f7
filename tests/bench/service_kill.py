"""Campaign: kill -9 of the process that writes.

Eight clients write through the store of a process of its own and tell every acknowledged key over
a pipe. After a random number of them, at a random moment, the process is killed. Then the store is
opened again, timed until it has answered a read and taken a write, and judged.

    python tests/bench/service_kill.py --runs 200 --acked 50000 --seed 1
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

from service_store import Row, fill, judge, works, write_on
from sqlalchemy import func, select

from api.store import open_store
from api.store.tables import VISITS

SPREAD = 0.01
"""Most seconds between the last key waited for and the kill: a few commits."""

PAUSE = 0.05
"""Seconds a refused client waits before it tries again."""


def write_until_killed(setting: str, seed: int, n_venues: int) -> None:
    """Write in this process, telling keys and seconds, or refusals, on standard output."""
    store = open_store(setting)

    def tell(key: str, seconds: float) -> None:
        os.write(1, f"{key} {seconds:.6f}\n".encode())

    def refuse(error: BaseException) -> bool:
        os.write(1, f"! {type(error).__name__}\n".encode())
        time.sleep(PAUSE)
        return True

    for thread in write_on(store, seed=seed, n_venues=n_venues, told=tell, refused=refuse):
        thread.join()


class Told:
    """What a writing process acknowledged, read from its pipe.

    Attributes
    ----------
    seconds : dict
        Acknowledged key to the seconds its change took.
    refused : Counter
        How often which error was raised instead.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.seconds: dict[str, float] = {}
        self.refused: Counter[str] = Counter()
        self._pipe = process.stdout
        self._grew = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait_for(self, n: int, seconds: float = 60) -> None:
        """Return when there are `n` keys."""
        with self._grew:
            if not self._grew.wait_for(lambda: len(self.seconds) >= n or self._ended, seconds):
                raise RuntimeError(f"{len(self.seconds)} of {n} writes after {seconds} s")
        if len(self.seconds) < n:
            raise RuntimeError("the writing process ended by itself")

    def rest(self) -> dict[str, float]:
        """Return everything that was told until the process was gone."""
        self._thread.join()
        return self.seconds

    def _listen(self) -> None:
        assert self._pipe is not None
        for line in self._pipe:
            if not line.endswith(b"\n"):
                break  # cut by the kill: the client never had its answer
            key, seconds = line.split()
            with self._grew:
                if key == b"!":
                    self.refused[seconds.decode()] += 1
                else:
                    self.seconds[key.decode()] = float(seconds)
                self._grew.notify_all()
        self._pipe.close()
        with self._grew:
            self._ended = True
            self._grew.notify_all()


def start_writing(setting: str, *, seed: int, n_venues: int) -> "subprocess.Popen[bytes]":
    """Start a process that writes into a store until it is killed."""
    command = [sys.executable, __file__, "--write", setting]
    command += ["--seed", str(seed), "--venues", str(n_venues)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def ready_again(setting: str) -> float:
    """Return the seconds until a store that was killed answered a read and took a write."""
    began = time.perf_counter()
    with open_store(setting) as store:
        with store.read() as connection:
            connection.scalar(select(func.count()).select_from(VISITS))
        store.write(next(works(Random(), 1)))
    return time.perf_counter() - began


def run(
    *, runs: int = 200, acked: int = 50_000, seed: int = 1, n_venues: int = 5_000
) -> Iterable[Row]:
    """Kill a writing process `runs` times, after `acked` writes in all at least."""
    row, random = Row("kill", "geopackage, process killed", runs=runs), Random(seed)
    keys: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="pg-kill-") as folder:
        setting = str(Path(folder) / "city.gpkg")
        fill(setting, n_venues)
        for k in range(runs):
            process = start_writing(setting, seed=seed + k, n_venues=n_venues)
            told = Told(process)
            try:
                told.wait_for(-(-acked // runs) + random.randrange(50))
                time.sleep(random.uniform(0, SPREAD))
            finally:
                process.kill()
                process.wait()
            keys |= told.rest()
            row.was_ready_after(ready_again(setting))
            row.see(judge(setting, keys))
    row.acked = len(keys)
    row.took(list(keys.values()))
    row.more |= told.refused
    if row.acked < acked:
        raise RuntimeError(f"only {row.acked} acknowledged writes: nothing is proven")
    yield row


def main() -> None:
    """Run the campaign, or be its victim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--acked", type=int, default=50_000, help="least acknowledged writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--venues", type=int, default=5_000)
    parser.add_argument("--write", metavar="STORE", help="be the process that writes")
    options = parser.parse_args()
    if options.write:
        write_until_killed(options.write, options.seed, options.venues)
        return
    for row in run(
        runs=options.runs, acked=options.acked, seed=options.seed, n_venues=options.venues
    ):
        print(row.line())


if __name__ == "__main__":
    main()
