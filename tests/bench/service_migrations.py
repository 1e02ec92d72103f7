"""Campaign: revisions, backup and restore at city size, with every spatial answer unchanged.

    python tests/bench/service_migrations.py --venues 75276 --villages 2408 --incidents 1000000

On both databases: a city is written, copied and restored, then taken down to every revision and
up again. Before and after each step the same questions are asked; those about tables that the
older revision has must be answered alike.
"""

import argparse
import runpy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, func, insert, inspect, select

from api.store import open_store
from api.store.backup import back_up, restore
from api.store.database import database_url, make_engine
from api.store.geometry import meets_box
from api.store.migrations import NEWEST, NONE, REVISIONS
from api.store.opening import in_turn
from api.store.revision import migrate
from api.store.tables import BOUNDARIES, INCIDENTS, METADATA, VENUES
from geo.units import CITY_ZONE

TESTS = Path(__file__).parents[1]
queries = runpy.run_path(str(TESTS / "store_queries.py"))
running_cluster = runpy.run_path(str(TESTS / "postgis_cluster.py"))["running_cluster"]

BLOCK = 50_000
"""Incidents in one statement."""


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print what a block took."""
    began, worked = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - began, time.process_time() - worked
    print(f"  {what:<44} {wall:7.2f} s, {cpu:6.2f} s of CPU here", flush=True)


def incidents(n: int, seed: int) -> Callable[[Connection], None]:
    """Return the change that writes so many incidents."""
    random = Random(seed)
    first = datetime(2025, 1, 1, tzinfo=CITY_ZONE)
    facts = {"category": "theft", "channel": "resident_report", "source": "synthetic"}
    rows = [
        {
            **facts,
            "segment_id": f"s{random.randrange(60_000)}",
            "hour": first + timedelta(hours=random.randrange(8_760)),
            "external_id": f"I{k}",
        }
        for k in range(n)
    ]

    def change(connection: Connection) -> None:
        for begin in range(0, n, BLOCK):
            connection.execute(insert(INCIDENTS), rows[begin : begin + BLOCK])

    return change


def boxes(n: int, seed: int) -> list[tuple[float, float, float, float]]:
    """Return random boxes from a village's size to a county's."""
    random = Random(seed)
    west, south = queries["WEST"], queries["SOUTH"]
    found = []
    for _ in range(n):
        side = 10 ** random.uniform(-2.5, -0.4)
        lon = west + random.random() * queries["WIDTH"]
        lat = south + random.random() * queries["HEIGHT"]
        found.append((lon, lat, lon + side, lat + side))
    return found


def answers(connection: Connection, asked: list[Any]) -> dict[str, Any]:
    """Return row counts and the answer to every box, per table that is there."""
    there = set(inspect(connection).get_table_names())
    found: dict[str, Any] = {}
    for table in METADATA.sorted_tables:
        if table.name not in there:
            continue
        found[table.name] = connection.scalar(select(func.count()).select_from(table))
    for table in (VENUES, BOUNDARIES):
        for k, box in enumerate(asked if table.name in there else ()):
            near = select(table.c.fid).where(meets_box(table.c.geom, *box)).order_by("fid")
            found[f"{table.name} {k}"] = connection.execute(near).scalars().all()
    return found


def check(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    """Stop where an answer differs."""
    wrong = [name for name, answer in after.items() if before[name] != answer]
    if wrong:
        raise SystemExit(f"{what}: {len(wrong)} answers differ, the first: {wrong[0]}")
    print(f"  {what}: {len(after)} answers, 0 differ", flush=True)


def walk(setting: str, asked: list[Any]) -> None:
    """Take a store down to each revision and up again."""
    engine = make_engine(database_url(setting))

    def ask() -> dict[str, Any]:
        return in_turn(engine, lambda connection: answers(connection, asked))

    for revision in (*reversed(REVISIONS[:-1]), NONE):
        before = ask()
        with timed(f"down from {NEWEST} to {revision}"):
            in_turn(engine, lambda connection, to=revision: migrate(connection, to))
        left = ask()
        check(before, left, f"at {revision}")
        with timed(f"up from {revision} to {NEWEST}"):
            in_turn(engine, lambda connection: migrate(connection, NEWEST))
        after = ask()
        check(left, {name: after[name] for name in left}, f"at {NEWEST} again")
    engine.dispose()


def run(name: str, setting: str, elsewhere: str, options: argparse.Namespace) -> None:
    """Run the campaign on one database."""
    print(name, flush=True)
    city = queries["make_city"](
        n_venues=options.venues, n_villages=options.villages, seed=options.seed
    )
    asked = boxes(options.queries, options.seed)
    more = incidents(options.incidents, options.seed)
    with open_store(setting, create=True) as store:
        with timed(f"write {options.venues} venues and their areas"):
            queries["load"](store, city)
        with timed(f"write {options.incidents} incidents"):
            store.write(more)
        with store.read() as connection:
            before = answers(connection, asked)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "copy"
        with timed("backup"):
            back_up(setting, target)
        print(f"  {target.stat().st_size / 1e6:.0f} MB", flush=True)
        with timed("restore"):
            restore(target, elsewhere)
    with open_store(elsewhere) as store, store.read() as connection:
        check(before, answers(connection, asked), "restored")
    walk(setting, asked)


def main() -> None:
    """Run the campaign on every database there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venues", type=int, default=75_276)
    parser.add_argument("--villages", type=int, default=2_408)
    parser.add_argument("--incidents", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        run("GeoPackage", str(folder / "city.gpkg"), str(folder / "there.gpkg"), options)
        cluster = stack.enter_context(running_cluster())
        if cluster is not None:
            name = cluster.new_database()
            run("PostGIS", cluster.url(name), cluster.url(f"{name}_there"), options)


if __name__ == "__main__":
    main()
