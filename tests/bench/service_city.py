"""A city's files imported into an empty store, and a month's register with 2 % changes again.

Every import runs as a user runs it: ``patrolgrid import LAYER FILE --yes``, which reads, compares
and applies in worker processes of their own. Wall seconds are from the start of the command to its
end; memory is the largest resident set of any process of it.
"""

import argparse
import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from api.imports import IN_ORDER, imports_page
from api.store import open_store
from api.store.layers import LAYERS
from api.store.tables import WITHDRAWN
from geo.io import FILES

TESTS = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-c", "from api.cli import app; app()")

COUNTED = (
    "import atexit, resource, sys\n"
    "atexit.register(lambda: sys.stderr.write('PEAK %d' % max(resource.getrusage(who).ru_maxrss"
    " for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))))\n"
    "from api.cli import app; app()"
)
"""The command, that says at its end what memory it and its workers had at most."""

MONTH = 0.02
"""Share of a register that changes in a month."""

TARGET_SECONDS, TARGET_MIB, AGAIN_SECONDS = 180, 1536, 30
"""Wall seconds of all layers, MiB of any process, wall seconds of the register again."""


@dataclass(frozen=True)
class Row:
    """One import: starting its process, reading and comparing; then writing preview and rows."""

    engine: str
    layer: str
    rows: int
    read_s: float
    write_s: float
    account: str


@dataclass(frozen=True)
class Run:
    """One command."""

    seconds: float
    cpu_s: float
    peak_mib: int
    rows: list[Row]


def make_files(folder: Path, *, city: bool = True) -> Path:
    """Write the sample city as files, once, and a register of the month after."""
    if not (folder / FILES["posts"]).exists():
        scale = "--city" if city else "--district"
        subprocess.run([*COMMAND, "sample", str(folder), scale, "--lang", "en"], check=True)
    if not (folder / "month.csv").exists():
        _next_month(folder / FILES["venues"], folder / "month.csv")
    return folder


def _next_month(register: Path, target: Path, *, seed: int = 7) -> None:
    """Write a register of which 2 % changed: visits, tiers, places, new and missing ones."""
    frame = pd.read_csv(register, dtype=str, keep_default_na=False)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(frame))[: round(MONTH * len(frame))]
    visited, graded, moved, gone, new = np.array_split(rows, 5)
    frame.loc[visited, "last_inspection"] = "2026-11-21"
    tiers = {"red": "yellow", "yellow": "green", "green": "red"}
    frame.loc[graded, "tier"] = frame.loc[graded, "tier"].map(tiers)
    frame.loc[moved, "lat"] = [f"{float(lat) + 0.0005:.7f}" for lat in frame.loc[moved, "lat"]]
    added = frame.loc[new].assign(venue_id=[f"n{k:05d}" for k in range(len(new))])
    pd.concat([frame.drop(index=gone), added]).to_csv(target, index=False, encoding="utf-8-sig")


def import_files(setting: str, engine: str, layer: str, file: Path) -> Run:
    """Import a file, or a folder, by the command and return what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, started = time.perf_counter(), datetime.now(UTC)
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, "import", layer, str(file), "--yes", "--lang", "en"],
        env={**os.environ, "PATROLGRID_STORE": setting},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(
        seconds=seconds,
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_mib=int(done.stderr.rpartition("PEAK ")[2]) // 1024,
        rows=_rows(setting, engine, started),
    )


def _rows(setting: str, engine: str, started: datetime) -> list[Row]:
    """Return the imports since a moment, oldest first."""
    with open_store(setting) as store, store.read() as connection:
        items = imports_page(connection, limit=50).items
    rows, last = [], started
    for what in reversed([one for one in items if one.created_at >= started]):
        applied = what.applied_at or what.created_at
        names = ("added", "changed", "moved", "missing", "unchanged", "refused")
        row = Row(
            engine=engine,
            layer=what.layer,
            rows=what.n_rows,
            read_s=round((what.created_at - last).total_seconds(), 1),
            write_s=round((applied - what.created_at).total_seconds(), 1),
            account=", ".join(f"{name} {getattr(what, f'n_{name}'):,}" for name in names),
        )
        rows, last = [*rows, row], applied
    return rows


def run(folder: Path, setting: str, *, engine: str = "geopackage") -> tuple[Run, Run]:
    """Import every layer into an empty store, then the register of the month after.

    Parameters
    ----------
    folder : Path
        Of `make_files`.
    setting : str
        An empty store, or a path where there is none.
    engine : str
        Printed with the figures.
    """
    first = import_files(setting, engine, "all", folder)
    n_stored = _count(setting)
    again = import_files(setting, engine, "venues", folder / "month.csv")
    for row in first.rows:
        if n_stored[row.layer] != row.rows - int(row.account.rpartition(" ")[2].replace(",", "")):
            raise AssertionError(f"{row.layer}: {n_stored[row.layer]} rows stored of {row.rows}")
    return first, again


def _count(setting: str) -> dict[str, int]:
    with open_store(setting) as store, store.read() as connection:
        return {
            layer: connection.scalar(
                select(func.count())
                .select_from(LAYERS[layer].table)
                .where(LAYERS[layer].table.c.status != WITHDRAWN)
            )
            for layer in IN_ORDER
        }


@contextmanager
def _postgis() -> Iterator[str | None]:
    cluster = runpy.run_path(str(TESTS / "postgis_cluster.py"))["running_cluster"]
    with cluster() as running:
        yield None if running is None else running.url(running.new_database())


def report(first: Run, again: Run) -> None:
    """Print one line an import, and the sums beside the targets."""
    for row in (*first.rows, *again.rows):
        print(json.dumps(asdict(row), ensure_ascii=False))
    print(
        f"{first.rows[0].engine}: {sum(row.rows for row in first.rows):,} rows in "
        f"{first.seconds:.0f} s wall, {first.cpu_s:.0f} s CPU (target {TARGET_SECONDS} s), "
        f"peak {max(first.peak_mib, again.peak_mib):,} MiB (target {TARGET_MIB:,}); a month's "
        f"register again in {again.seconds:.0f} s wall, {again.cpu_s:.0f} s CPU "
        f"(target {AGAIN_SECONDS} s)"
    )


def main() -> None:
    """Run it on a GeoPackage, and on PostGIS where its binaries are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=Path, help="folder of the sample; made when it is empty")
    parser.add_argument("--district", action="store_true", help="a quarter of the city")
    parser.add_argument("--postgis", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="patrolgrid-bench-") as scratch:
        files = make_files(options.files or Path(scratch) / "files", city=not options.district)
        report(*run(files, str(Path(scratch) / "city.gpkg")))
        if options.postgis:
            with _postgis() as setting:
                if setting is not None:
                    report(*run(files, setting, engine="postgis"))


if __name__ == "__main__":
    main()
