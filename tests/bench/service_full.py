"""Campaign: the disk is full.

The store lies on a small disk: a tmpfs of a few megabytes where this process may mount one,
and a limit on the size of its files (RLIMIT_FSIZE, as a quota works) everywhere. Clients write
until every one of them was refused several times; each refusal has to be `StoreFull` and leave
nothing behind, reads go on meanwhile, and after space is freed the same store takes writes again.

    python tests/bench/service_full.py --runs 20 --seed 1
"""

import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from service_store import Row, Work, fill, judge, print_rows, works
from sqlalchemy import func, select

from api.store import Store, open_store
from api.store.tables import AUDIT, VISITS
from geo.errors import PatrolgridError

CLIENTS = 4
REFUSALS = 5
"""Refused writes after which a client gives up."""

MEGABYTE = 1 << 20
DISK_MB = 12


@dataclass(frozen=True)
class SmallDisk:
    """A folder whose space somebody else takes and gives back.

    Attributes
    ----------
    folder : Path
    take : callable
        Leaves this many bytes, more or less.
    free : callable
        Gives everything back.
    """

    folder: Path
    take: Callable[[int], None]
    free: Callable[[], None]


@contextmanager
def small_tmpfs() -> Iterator[SmallDisk | None]:
    """Mount a small disk in memory; None where this process may not mount."""
    folder = Path(tempfile.mkdtemp(prefix="pg-full-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    is_mounted = (
        shutil.which("mount") is not None
        and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
    ballast = folder / "ballast"

    def take(left: int) -> None:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(folder).free - left, 1))

    try:
        yield SmallDisk(folder, take, ballast.unlink) if is_mounted else None
    finally:
        if is_mounted:
            subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def limited_files() -> Iterator[SmallDisk]:
    """Limit the size of every file this process writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def take(left: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    folder = Path(tempfile.mkdtemp(prefix="pg-full-"))
    try:
        yield SmallDisk(folder, take, free)
    finally:
        free()
        shutil.rmtree(folder)


DISKS = {"tmpfs": small_tmpfs, "file size limit": limited_files}


@dataclass
class Told:
    """What the clients were told."""

    acked: dict[str, float]
    refused: set[str]
    names: Counter[str]

    def write(self, store: Store, work: Work) -> bool:
        """Run a change, note the answer, and return whether it was acknowledged."""
        began = time.perf_counter()
        try:
            key = store.write(work)
            self.acked[key] = time.perf_counter() - began
        except PatrolgridError as error:
            self.refused.add(work.key)
            self.names[type(error).__name__] += 1
            return False
        return True


def write_until_refused(store: Store, told: Told, *, seed: int, n_venues: int) -> None:
    """Write with several clients until each was refused some times."""

    def client(k: int) -> None:
        refused = 0
        for work in works(Random(f"{seed}/{k}"), n_venues):
            refused += not told.write(store, work)
            if refused == REFUSALS:
                return

    threads = [threading.Thread(target=client, args=(k,)) for k in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _kept(store: Store) -> set[str]:
    """Read while the disk is full: keys in the audit, after a look at another table."""
    with store.read() as connection:
        connection.scalar(select(func.count()).select_from(VISITS))
        return set(connection.scalars(select(AUDIT.c.actor)))


def fill_once(disk: SmallDisk, row: Row, *, seed: int, n_venues: int) -> dict[str, float]:
    """Fill the disk once; enter what came of it and return what was acknowledged."""
    random, told = Random(seed), Told({}, set(), Counter())
    setting = str(disk.folder / f"city-{seed}.gpkg")
    fill(setting, n_venues)
    size = Path(setting).stat().st_size
    with open_store(setting) as store:
        told.write(store, next(works(random, n_venues)))
        disk.take(size + random.randrange(MEGABYTE // 8, 3 * MEGABYTE))
        try:
            write_until_refused(store, told, seed=seed, n_venues=n_venues)
            while_full = _kept(store)
        finally:
            disk.free()
        again = islice(works(random, n_venues), 20)
        resumed = [told.write(store, work) for work in again]
        kept = while_full | _kept(store)
    row.add(judge(setting, told.acked))
    row.torn += len(told.refused & kept)
    row.more["refused"] = row.more.get("refused", 0) + len(told.refused)
    row.more["resumed"] = row.more.get("resumed", 0) + all(resumed)
    for name, n in told.names.items():
        row.more[name] = row.more.get(name, 0) + n
    for path in disk.folder.glob("city-*"):
        path.unlink()
    return told.acked


def run(*, runs: int = 20, acked: int = 5_000, seed: int = 1, n_venues: int = 300) -> Iterable[Row]:
    """Fill a small disk `runs` times, after `acked` writes in all at least."""
    for case, small_disk in DISKS.items():
        with small_disk() as disk:
            if disk is None:
                continue
            row, seconds = Row("full", case, runs=runs), list[float]()
            for k in range(runs):
                seconds += fill_once(disk, row, seed=seed + k, n_venues=n_venues).values()
            row.acked = len(seconds)
            row.took(seconds)
        if row.acked < acked:
            raise RuntimeError(f"only {row.acked} acknowledged writes: nothing is proven")
        yield row


if __name__ == "__main__":
    print_rows(run, __doc__, runs=20, acked=5_000)
