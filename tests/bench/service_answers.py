"""Campaign: the same answers from GeoPackage, PostGIS and brute force.

    python tests/bench/service_answers.py --queries 5000 --venues 75276 --villages 6000 --seed 1

The city, the questions and the three ways of answering are in ``tests/store_queries.py``.
"""

import argparse
import runpy
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from service_store import TESTS, Row, running_cluster

from api.store import Store, open_store

queries = runpy.run_path(str(TESTS / "store_queries.py"))


def compare(store: Store, row: Row, asked: list[Any], expected: list[Any]) -> None:
    """Ask a store every question; count the answers that are other ones."""
    seconds, rows = [], 0
    for query, right in zip(asked, expected, strict=True):
        with store.read() as connection:
            began = time.perf_counter()
            answer = query.ask(connection)
            seconds.append(time.perf_counter() - began)
        rows += len(answer)
        if answer != right:
            row.corrupt += 1
            row.more.setdefault("wrong", []).append(repr(query))
    row.took(seconds)
    row.more["rows"] = rows


def run(
    *, runs: int = 5_000, seed: int = 1, n_venues: int = 75_276, n_villages: int = 6_000
) -> Iterable[Row]:
    """Ask `runs` random questions on each engine; ``corrupt`` counts the wrong answers."""
    city = queries["make_city"](n_venues=n_venues, n_villages=n_villages, seed=seed)
    asked = list(queries["random_queries"](city, runs, seed))
    expected = [query.expect(city) for query in asked]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-answers-"))
        cluster = stack.enter_context(running_cluster())
        settings = {"geopackage": str(Path(folder) / "city.gpkg")}
        if cluster is not None:
            settings["postgis"] = cluster.url(cluster.new_database())
        for engine, setting in settings.items():
            row = Row("answers", engine, runs=len(asked))
            with open_store(setting, create=True) as store:
                began = time.perf_counter()
                queries["load"](store, city)
                row.more["load_s"] = round(time.perf_counter() - began, 1)
                row.more |= {"venues": len(city.points), "areas": len(city.shapes)}
                compare(store, row, asked, expected)
            if row.more["rows"] < runs:
                raise RuntimeError(f"{engine}: hardly any row in the answers: nothing is proven")
            yield row


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=5_000)
    parser.add_argument("--venues", type=int, default=75_276)
    parser.add_argument("--villages", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for row in run(
        runs=options.queries,
        seed=options.seed,
        n_venues=options.venues,
        n_villages=options.villages,
    ):
        print(row.line(), flush=True)


if __name__ == "__main__":
    main()
