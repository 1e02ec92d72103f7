"""Campaign: schemathesis against the service, every check it has, on a store with a town in it.

It reads the description at /openapi.json, makes requests that fit it and requests that do not,
and holds every answer against it: status, media type, headers, body, who is let in. Half of the
ids are those of things that exist, so that it gets behind the first door.

    python tests/bench/service_contract.py --examples 60 --seed 1
"""

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import insert

from api import jobs
from api.store import new_id, open_store
from api.store.plans import Product, add_plan
from api.store.tables import IMPORTS
from geo.privacy import Audience
from geo.sample import populate
from geo.units import LIAOCHENG_EPSG

TESTS = Path(__file__).resolve().parents[1]

SEMANTIC = ("400", "409", "412", "422", "428")
"""What a well-formed request may still meet: a version nobody has, a day in the future."""

CONFIG = """\
[checks.missing_required_header]
expected-statuses = ["400", "401", "404", "428"]
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "404", {semantic}]
[phases.stateful]
enabled = false
{dictionaries}
[parameters]
{bindings}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What came of it.

    Attributes
    ----------
    n_cases : int
        Requests that were made and judged.
    n_failures : int
        Answers that break the description.
    statuses : Counter
        Answers by status.
    is_broken : bool
        schemathesis itself was not content: also with what it could not even ask.
    text : str
        What schemathesis said.
    """

    n_cases: int
    n_failures: int
    statuses: Counter
    is_broken: bool
    text: str

    @property
    def n_server_errors(self) -> int:
        """Answers of 5xx."""
        return sum(n for status, n in self.statuses.items() if status >= 500)


def fill(store) -> dict[str, list[str]]:
    """Put a town, plans, jobs and an import into a store; return their ids by path parameter."""
    conftest = runpy.run_path(str(TESTS / "conftest.py"))
    town = runpy.run_path(str(TESTS / "stored_town.py"))
    n, step = 8, 0.002
    edge = step * (n - 1)
    layers = populate(
        conftest["_street_grid"](n, step),
        conftest["_two_villages"](0.0005, 115.97 + edge, 36.45 + edge),
        epsg=LIAOCHENG_EPSG,
        seed=3,
        n_venues=40,
        n_incidents=50,
        n_stations=1,
        n_units=2,
        data_date=date(2026, 11, 20),
    ).layers
    filled = town["fill"](store, layers)
    return {"venue_id": list(filled.ids["venues"].values())[:20], **store.write(_put_work)}


def _put_work(connection) -> dict[str, list[str]]:
    page = Product(
        name="tonight.html",
        audience=Audience.COMMAND,
        media_type="text/html; charset=utf-8",
        body=b"<!doctype html><title>map</title>",
    )
    plan_ids = [
        add_plan(
            connection,
            kind="patrol",
            unit_code="",
            night=date(2026, 11, 1 + k % 3),
            document=b'{"format": "patrolgrid.plan/1", "state": "draft"}',
            seed=k,
            input_hash="0" * 64,
            result_hash="1" * 64,
            products=(page,),
        )
        for k in range(6)
    ]
    night = {"night": "2026-11-21", "shift": "20:00-02:00"}
    job_ids = [jobs.enqueue(connection, kind="plan", request=night, seed=k) for k in range(6)]
    for job_id in job_ids:  # an open one's events would be waited for
        jobs.ask_cancel(connection, job_id)
    import_ids = [new_id("import") for _ in range(3)]
    row = {
        "layer": "venues",
        "file_name": "venues.csv",
        "file_hash": "0" * 64,
        "options": {},
        "state": "previewed",
        "base": 0,
        "notes": [],
        "facts": {},
        "created_at": datetime.now(UTC),
    }
    connection.execute(insert(IMPORTS), [{**row, "import_id": one} for one in import_ids])
    return {"plan_id": plan_ids, "job_id": job_ids, "import_id": import_ids}


def run(
    *, examples: int, seed: int, directory: Path, phases: str = "examples,coverage,fuzzing"
) -> Contract:
    """Serve a filled store and let schemathesis at it.

    Parameters
    ----------
    examples : int
        Fuzzed requests of every operation; coverage comes on top.
    seed : int
    directory : Path
        Empty; holds the store and the report.
    phases : str
    """
    running = runpy.run_path(str(TESTS / "live_service.py"))["running"]
    with open_store(str(directory / "city.gpkg"), create=True) as store:
        ids = fill(store)
        config, report = directory / "schemathesis.toml", directory / "report.ndjson"
        config.write_text(_config(ids), encoding="utf-8")
        with running(store, directory) as live, _jobs_ended(store):
            command = [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
                *("run", f"{live.address}/openapi.json", "-H", f"Authorization: Bearer {live.key}"),
                *("--checks", "all", "--phases", phases, "-n", str(examples), "--seed", str(seed)),
                *("--workers", "1", "--continue-on-failure", "--no-shrink", "--warnings", "off"),
                *("--report", "ndjson", "--report-ndjson-path", str(report)),
                *("--request-timeout", "60", "--max-failures", "100"),
            ]
            ended = subprocess.run(
                command,
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
                env={**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"},
                cwd=directory,
            )
    return _read(report, ended.stdout + ended.stderr, ended.returncode)


def _config(ids: dict[str, list[str]]) -> str:
    dictionaries = "".join(
        f"[dictionaries.{name}]\nvalues = {json.dumps(values)}\n" for name, values in ids.items()
    )
    bindings = "".join(
        f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}\n' for name in ids
    )
    semantic = ", ".join(f'"{status}"' for status in SEMANTIC)
    return CONFIG.format(dictionaries=dictionaries, bindings=bindings, semantic=semantic)


def _read(report: Path, said: str, status: int) -> Contract:
    """Return the figures of a report: one JSON object a line, the requests by scenario."""
    statuses: Counter = Counter()
    n_cases = n_failures = 0
    for line in report.read_text(encoding="utf-8").splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None:
            continue
        recorder = scenario["recorder"]
        n_cases += len(recorder.get("cases") or ())
        for made in (recorder.get("interactions") or {}).values():
            statuses[(made.get("response") or {}).get("status_code", 0)] += 1
        for checks in (recorder.get("checks") or {}).values():
            n_failures += sum(check["status"] != "success" for check in checks)
    return Contract(
        n_cases=n_cases,
        n_failures=n_failures,
        statuses=statuses,
        is_broken=status != 0,
        text=said,
    )


@contextmanager
def _jobs_ended(store):
    """End every job soon after it is put in: whoever follows one is not kept waiting."""
    stop = threading.Event()

    def end() -> None:
        while not stop.wait(0.2):
            with store.read() as connection:
                waiting = jobs.jobs_page(connection, state="queued", limit=500).items
            for job in waiting:
                store.write(lambda connection, job=job: _cancel(connection, job.job_id))

    thread = threading.Thread(target=end)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _cancel(connection, job_id: str) -> None:
    if not jobs.read_job(connection, job_id).has_ended:
        jobs.ask_cancel(connection, job_id)


def main() -> int:
    """Run the campaign and print what came of it; 1 when the contract is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=60)
    parser.add_argument("--least", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        contract = run(examples=options.examples, seed=options.seed, directory=Path(name))
    print(
        f"schemathesis: {contract.n_cases:,} cases, {contract.n_failures} failures, "
        f"{contract.n_server_errors} answers of 5xx; by status "
        + ", ".join(f"{status}: {n:,}" for status, n in sorted(contract.statuses.items()))
    )
    is_kept = contract.n_failures == contract.n_server_errors == 0
    if not is_kept or contract.is_broken:
        print(contract.text)
    return 0 if is_kept and not contract.is_broken and contract.n_cases >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
