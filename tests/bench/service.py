"""Bench: everything the store and the service promise, one campaign after the other.

    python tests/bench/service.py --quick
    python tests/bench/service.py --only kill,http --full --json out.jsonl

Every campaign is a script of its own (``service_NAME.py``, all of them take ``--help``) and runs
in a process of its own. Printed are a table, whether each row keeps its promise, and what the
machine did meanwhile: the time of a sync to its disk before the campaign, and the share of CPU that
others took during it. Ends with 1 when a promise is broken; times are shown, never judged.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil

CAMPAIGNS: Final = {
    "kill": ("--runs 10 --acked 2500", "--runs 200 --acked 50000"),
    "http": ("--runs 4 --acked 400", "--runs 50 --acked 5000"),
    "power": ("--runs 10 --acked 500", "--runs 200 --acked 20000"),
    "full": ("--runs 3 --acked 100", "--runs 20 --acked 2000"),
    "postgres": ("--runs 3 --acked 900", "--runs 20 --acked 10000"),
    "contended": ("--writes 800", "--writes 10000"),
    "answers": ("--queries 500 --venues 5000 --villages 400", "--queries 5000"),
    "jobs": ("--jobs 20 --worker-kills 2", "--jobs 150 --worker-kills 5 --supervisor-kills 1"),
    "contract": ("--examples 5 --least 100", "--examples 60 --least 2000"),
    "migrations": ("--venues 3000 --villages 200 --incidents 20000 --queries 100", ""),
    "city": ("--district", "--postgis"),
}
"""Name of a campaign: its options in quick, and in full."""

MUST_LOSE: Final = ("normal", "lying disk")
"""Broken variants: a campaign that loses nothing there proves nothing elsewhere."""

COLUMNS: Final = (
    "subject", "case", "runs", "acked", "lost", "torn", "corrupt", "ready_s", "p50_ms", "p99_ms",
)  # fmt: skip


def keeps_promise(row: dict[str, Any]) -> bool:
    """Return whether a campaign's row is as it must be."""
    if "is_good" in row:
        return bool(row["is_good"])
    if row.get("case") in MUST_LOSE:
        return bool(row["lost"] > 0)
    return not any(row.get(name) for name in ("lost", "torn", "corrupt"))


def sync_ms(n: int = 200) -> list[float]:
    """Return the sorted milliseconds of syncing a page to the disk."""
    took = []
    with tempfile.NamedTemporaryFile(prefix="pg-sync-") as file:
        for _ in range(n):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    return sorted(took)


def noise(name: str) -> dict[str, Any]:
    """Return what the disk does before a campaign."""
    took = sync_ms()
    return {
        "subject": name,
        "case": "machine",
        "sync_p50_ms": round(took[len(took) // 2], 2),
        "sync_p99_ms": round(took[int(len(took) * 0.99)], 2),
        "load": round(os.getloadavg()[0], 1),
    }


def rows_of(said: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects a campaign printed, over one line or many."""
    decoder, at = json.JSONDecoder(), 0 if said.startswith("{") else -1
    while at >= 0:
        row, end = decoder.raw_decode(said, at)
        yield row
        at = said.find("\n{", end) + 1 or -1


def run(name: str, arguments: list[str]) -> Iterator[dict[str, Any]]:
    """Run a campaign; yield its rows, or what it said in words, and the machine's."""
    machine, began = noise(name), time.perf_counter()
    before = psutil.cpu_times()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(f"service_{name}.py")), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    after = psutil.cpu_times()
    for row in rows_of(done.stdout):
        yield {"subject": name, **row, "keeps": keeps_promise(row)}
    ended = {"subject": name, "case": f"ended with {done.returncode}"}
    words = "" if done.stdout.startswith("{") else done.stdout.rstrip()
    yield ended | {"keeps": done.returncode == 0, "said": words}
    machine["steal"] = round(getattr(after, "steal", 0) - getattr(before, "steal", 0), 1)
    machine["busy"] = round(1 - (after.idle - before.idle) / (sum(after) - sum(before)), 2)
    yield machine | {"seconds": round(time.perf_counter() - began)}


def show(row: dict[str, Any]) -> str:
    """Return a row as a line of the table, words below it."""
    known = [str(row.get(name, "")) for name in COLUMNS]
    more = {k: v for k, v in row.items() if k not in {*COLUMNS, "keeps", "more", "said"}}
    more |= row.get("more", {})
    verdict = {True: "ok", False: "BROKEN", None: ""}[row.get("keeps")]
    cells = " ".join(f"{cell:>8s}" for cell in known[2:])
    short = ((name, value) for name, value in more.items() if name != "ready")
    told = " ".join(f"{name}={value}" for name, value in short)[:200]
    line = f"{verdict:6s} {known[0]:10s} {known[1]:34s} {cells} {told}"
    return f"{line}\n{row['said']}" if row.get("said") else line.rstrip()


def main() -> int:
    """Run campaigns and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(CAMPAIGNS), help="names, by comma")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="a small count of each (default)")
    scale.add_argument("--full", action="store_true", help="the counts that are promised")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    header = {name: name for name in COLUMNS}
    sys.stdout.write(show(header) + "\n")
    is_kept = True
    for name in options.only.split(","):
        arguments = CAMPAIGNS[name][options.full].split()
        if name != "city":  # its sample has a seed of its own
            arguments += ["--seed", str(options.seed)]
        for row in run(name, arguments):
            is_kept = is_kept and row.get("keeps", True)
            sys.stdout.write(show(row) + "\n")
            sys.stdout.flush()
            if options.json:
                with options.json.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
