"""Bench: travel times of the hierarchy beside other engines, on the same weights.

    python tests/bench/travel.py --network grid sample:city FILE --peers scipy,networkx,igraph
    python tests/bench/travel.py --network full delaunay thin islands --peers "" --sizes 2000

Networks are files, made-up ones of any size, or the sample's (`travel_streets.py`). Every engine
(`travel_engines.py`) runs in a process of its own, on one thread, and answers the same matrix
between the same random nodes in milliseconds. scipy's Dijkstra is the oracle: each row an engine
computed is compared with it, as integers. An engine that does not finish a matrix within
``--seconds`` is stopped after whole rows and its time scaled up; such rows are marked ``~``.

Our own chain is timed beside: cleaning, topology, the file, start-up from it, new weights, lengths,
turns, snapping, legs, a route of 30 stops. Times are CPU seconds; the megabytes are the most the
process held so far, imports included.
"""

import argparse
import importlib.util
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from report import Line, append_json
from travel_engines import ENGINES, WHOLE_MATRIX, Arcs, with_scipy
from travel_streets import named_streets

from geo.errors import LimitExceeded
from geo.units import LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode, Place

ROWS_AT_ONCE = 16
"""Rows between two looks at the clock."""

N_VENUES = 75_276
"""Points snapped: the venues of a prefecture."""


@dataclass
class Clock:
    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def clocked() -> Iterator[Clock]:
    clock, wall, cpu = Clock(), time.perf_counter(), time.process_time()
    yield clock
    clock.wall, clock.cpu = time.perf_counter() - wall, time.process_time() - cpu


# ---------------------------------------------------------------------------------- runs


def run_engine(
    engine: str, arcs: Arcs, nodes: np.ndarray, sizes: list[int], seconds: float
) -> list[dict[str, Any]]:
    """Time one engine's preparation and its matrices of each size."""
    if engine == "patrolgrid":
        from routing import hierarchy

        hierarchy.warm_up()
    with clocked() as preparation:
        matrix = ENGINES[engine](arcs)
    rows = [_result("preparation", engine, preparation, n=arcs.n)]
    for size in sizes:
        asked = nodes[:size]
        step = size if engine in WHOLE_MATRIX else ROWS_AT_ONCE
        blocks: list[np.ndarray] = []
        done = 0
        with clocked() as clock:
            start = time.perf_counter()
            while done < size and (done == 0 or time.perf_counter() - start < seconds):
                blocks.append(matrix(asked[done : done + step], asked))
                done += len(blocks[-1])
        times = np.concatenate(blocks).astype(float)
        times[~(times < UNREACHABLE)] = np.inf
        scaled = Clock(wall=clock.wall * size / done, cpu=clock.cpu * size / done)
        row = _result(f"matrix {size}", engine, scaled, n=size)
        rows.append(row | {"n_rows": done, "times": times})
    return rows


def _result(case: str, engine: str, clock: Clock, *, n: int) -> dict[str, Any]:
    return {
        "subject": "travel",
        "case": case,
        "engine": engine,
        "value": None,
        "gap": None,
        "cpu_s": round(clock.cpu, 4),
        "wall_s": round(clock.wall, 4),
        "peak_rss_mb": round(peak_mb()),
        "n": n,
    }


def peak_mb() -> float:
    """Most memory held so far; where /proc tells it, without what the parent process held."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare(rows: list[dict[str, Any]], oracle: dict[str, np.ndarray]) -> None:
    """Put mean milliseconds and mean relative deviation from scipy into each matrix row."""
    for row in rows:
        times = row.pop("times", None)
        if times is None:
            continue
        truth = oracle[row["case"]]
        n_shared = min(len(truth), len(times))
        truth, times = truth[:n_shared], times[:n_shared]
        both = np.isfinite(truth) & np.isfinite(times) & (truth > 0)
        row["value"] = float(times[both].mean())
        row["gap"] = float(np.abs(times[both] / truth[both] - 1.0).mean())
        row["is_equal"] = bool(np.array_equal(truth, times))


class Runs:
    """Rows of one process's own runs."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @contextmanager
    def timed(self, case: str, n: int) -> Iterator[None]:
        """Time what is done inside as one row."""
        with clocked() as clock:
            yield
        self.rows.append(_result(case, "patrolgrid", clock, n=n))

    def judge(self, *, is_equal: bool) -> None:
        """Say whether the last row's answer is that of another way of computing it."""
        self.rows[-1]["is_equal"] = is_equal


def run_ours(streets: gpd.GeoDataFrame, epsg: int, seed: int) -> list[dict[str, Any]]:
    """Time our own chain on a street frame, from cleaning to a route of 30 stops."""
    from routing.io.network_file import NetworkFile, streets_digest
    from routing.network import MODES, build_network
    from routing.travel import Travel, warm_up

    warm_up()
    runs, rng = Runs(), np.random.default_rng(seed)
    with runs.timed("clean network", len(streets)):
        network, report = build_network(streets, epsg=epsg)
    travel = Travel(network)
    with runs.timed("topology", network.n_nodes):
        topology = travel.topology
    lonlat = network.lonlat[rng.integers(0, len(network.lonlat), N_VENUES)]
    lonlat = lonlat + rng.normal(0.0, 2e-4, lonlat.shape)
    with runs.timed("snap", len(lonlat)):
        travel.snap(lonlat)
    places = [
        Place(place_id=str(i), name="", lon=float(lon), lat=float(lat))
        for i, (lon, lat) in enumerate(lonlat[:2000])
    ]
    for mode in MODES:
        with runs.timed(f"first time by {mode}", network.n_nodes):
            travel.times(places[:2], (mode,))
    with runs.timed("times of places", len(places)):
        times = travel.times(places, (Mode.CAR,))
    chosen = rng.integers(0, len(places), (10_000, 2))
    pairs = [(places[i], places[j], Mode.CAR) for i, j in chosen]
    with runs.timed("legs with geometry and names", len(pairs)):
        legs = travel.legs(pairs)
    seconds = times.seconds[0, chosen[:, 0], chosen[:, 1]]
    runs.judge(is_equal=bool(np.array_equal(seconds, [leg.seconds for leg in legs])))
    stops = [(a, b, Mode.CAR) for a, b in pairwise(places[:30])]
    with runs.timed("route of 30 stops", len(stops)):
        travel.legs(stops)
    file = NetworkFile(
        network=network,
        topology=topology,
        report=report,
        source="bench",
        data_date=date(2026, 1, 1),
        streets=streets_digest(streets),
    )
    return runs.rows + run_file(file, places[:2])


def run_file(file: Any, places: list[Place]) -> list[dict[str, Any]]:
    """Time the network's file: written, read again, and the first travel time out of it."""
    from routing.io.network_file import read_network, write_network
    from routing.travel import Travel

    runs = Runs()
    expected = Travel(file.network, topology=file.topology).times(places, (Mode.CAR,)).seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.npz"
        with runs.timed("write the file", file.network.n_nodes):
            write_network(path, file)
        with runs.timed("load the file", file.network.n_nodes):
            network, topology = read_network(path)
    with runs.timed("start-up from it", network.n_nodes):
        travel = Travel(network, topology=topology)
    with runs.timed("first time after it", network.n_nodes):
        found = travel.times(places, (Mode.CAR,)).seconds
    runs.judge(is_equal=bool(np.array_equal(found, expected)))
    return runs.rows


def run_kernels(streets: gpd.GeoDataFrame, epsg: int, seed: int, size: int) -> list[dict[str, Any]]:
    """Time the hierarchy itself: nodes, lengths, turns; rows of scipy beside the matrices."""
    from routing import hierarchy
    from routing.network import arc_times, build_network

    hierarchy.warm_up()
    runs = Runs()
    network, _ = build_network(streets, epsg=epsg)
    times = arc_times(network, Mode.CAR)
    x, y = np.rint(10.0 * (network.node_xy - network.node_xy.min(axis=0))).astype(np.int32).T.copy()
    tail, head, n = network.arc_tail, network.arc_head, network.n_nodes
    topology = hierarchy.build_topology(n, tail, head, x, y)
    with runs.timed("load topology alone", n):
        columns = {name: column.copy() for name, column in topology.to_arrays().items()}
        topology = hierarchy.Topology.from_arrays(columns)
    with runs.timed("new weights", n):
        hierarchy.customise(topology, times.whole)
    metres = np.repeat(network.length, 2)
    with runs.timed("new weights with lengths", n):
        metric = hierarchy.customise(topology, times.whole, metres=metres)
    reached = np.unique(tail[times.whole < UNREACHABLE])
    asked = np.random.default_rng(seed).choice(reached, min(size, len(reached)), replace=False)
    points = at_nodes(asked)
    with runs.timed(f"times and lengths {size}", len(asked)):
        found, _ = hierarchy.lengths(metric, points, points)
    runs.judge(is_equal=agrees(found, Arcs(tail, head, times.whole, network.node_xy), asked))

    try:
        time_turns(runs, network, times, seed, size)
    except LimitExceeded as refused:
        print(f"turns: {refused}")
    return runs.rows


def time_turns(runs: Runs, network: Any, times: Any, seed: int, size: int) -> None:
    """Time the turn graph and its hierarchy."""
    from routing import hierarchy
    from routing.network.turn import turn_graph, turn_times

    with runs.timed("turns: graph", network.n_nodes):
        graph = turn_graph(network)
        weight = turn_times(network, graph, Mode.CAR, times)
    ends = graph.n_arcs, graph.tail, graph.head
    with runs.timed("turns: topology", graph.n_arcs):
        topology = hierarchy.build_topology(*ends, graph.x, graph.y, bundle=graph.segment)
    with runs.timed("turns: new weights", graph.n_arcs):
        metric = hierarchy.customise(topology, weight)
    reached = np.flatnonzero(times.whole < UNREACHABLE)
    asked = np.random.default_rng(seed).choice(reached, min(size, len(reached)), replace=False)
    points = at_nodes(asked)
    with runs.timed(f"turns: matrix {size}", len(asked)):
        found = hierarchy.distances(metric, points, points)
    turns = Arcs(graph.tail, graph.head, weight, np.stack([graph.x, graph.y], axis=1))
    runs.judge(is_equal=agrees(found, turns, asked))


def at_nodes(nodes: np.ndarray) -> Any:
    """Return nodes as points of the hierarchy."""
    from routing import hierarchy

    node = np.stack([nodes, np.full_like(nodes, hierarchy.NONE)], axis=1).astype(np.int32)
    return hierarchy.Ends(node=node, offset=np.zeros_like(node))


def agrees(found: np.ndarray, arcs: Arcs, asked: np.ndarray) -> bool:
    """Whether the first rows of a matrix are scipy's, as integers."""
    truth = with_scipy(fastest(arcs))(asked[:ROWS_AT_ONCE], asked)
    truth[np.isinf(truth)] = UNREACHABLE
    return bool(np.array_equal(truth, found[:ROWS_AT_ONCE]))


def run_apart(
    function: Callable[..., list[dict[str, Any]]], *args: object, limit: float | None = None
) -> list[dict[str, Any]]:
    """Run in a fresh process, so that memory peaks do not mix; at most `limit` seconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(function, args).get(timeout=limit)


def fastest(arcs: Arcs) -> Arcs:
    """Leave out closed arcs and loops, and keep the fastest of parallels: scipy adds them up."""
    order = np.lexsort((arcs.weight, arcs.head, arcs.tail))
    order = order[(arcs.weight[order] < UNREACHABLE) & (arcs.tail[order] != arcs.head[order])]
    key = arcs.tail[order].astype(np.int64) * arcs.n + arcs.head[order]
    first = order[np.unique(key, return_index=True)[1]]
    return Arcs(arcs.tail[first], arcs.head[first], arcs.weight[first], arcs.xy)


def car_arcs(streets: gpd.GeoDataFrame, epsg: int) -> Arcs:
    """Return the arcs a car may use, the fastest of parallels, with their milliseconds."""
    from routing.network import arc_times, build_network

    network, _ = build_network(streets, epsg=epsg)
    weight = arc_times(network, Mode.CAR).whole
    return fastest(Arcs(network.arc_tail, network.arc_head, weight, network.node_xy))


def run_network(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run everything on one network."""
    streets = named_streets(name, options.seed)
    arcs = car_arcs(streets, options.epsg)
    reached = np.unique(np.r_[arcs.tail, arcs.head])
    sizes = [k for k in map(int, options.sizes.split(",")) if k <= len(reached)]
    nodes = np.random.default_rng(options.seed).choice(reached, max(sizes), replace=False)
    print(f"{name}: {len(reached):,} nodes, {len(arcs.tail):,} arcs (car)", flush=True)
    rows = run_apart(run_ours, streets, options.epsg, options.seed)
    rows += run_apart(run_kernels, streets, options.epsg, options.seed, max(sizes))
    del streets
    oracle: dict[str, np.ndarray] = {}
    for engine in dict.fromkeys(["scipy", "patrolgrid", *filter(None, options.peers.split(","))]):
        if engine != "patrolgrid" and importlib.util.find_spec(engine) is None:
            print(f"{engine}: not installed (requirements-bench.lock), left out")
            continue
        try:
            asked = (engine, arcs, nodes, sizes, options.seconds)
            found = run_apart(run_engine, *asked, limit=options.limit)
        except multiprocessing.TimeoutError:
            print(f"{engine}: no answer within {options.limit:.0f} s, left out")
            continue
        if engine == "scipy":
            oracle = {row["case"]: row["times"] for row in found if "times" in row}
        compare(found, oracle)
        rows += found
    return rows


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--network",
        nargs="+",
        default=["grid"],
        help="files geo.io reads, grid, full, delaunay, thin, islands (or KIND:JUNCTIONS), sample",
    )
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--sizes", default="100,500,2000", help="origins (= destinations)")
    parser.add_argument("--peers", default="scipy,networkx", help=",".join(list(ENGINES)[1:]))
    parser.add_argument("--seconds", type=float, default=10.0, help="per engine and matrix")
    parser.add_argument("--limit", type=float, default=300.0, help="wall seconds per engine")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="append JSON lines to this file")
    return parser.parse_args()


def show(rows: list[dict[str, Any]]) -> None:
    ours = {row["case"]: row["cpu_s"] for row in rows if row["engine"] == "patrolgrid"}
    print(
        f"{'case':30} {'engine':13} {'n':>7} {'cpu s':>10} {'wall s':>10} {'MB':>6} {'x ours':>8}"
    )
    for row in rows:
        ratio = row["cpu_s"] / ours[row["case"]] if ours.get(row["case"]) else float("nan")
        scaled = "~" if row.get("n_rows", row["n"]) < row["n"] else " "
        equal = {True: "equal", False: "DIFFERS", None: ""}[row.get("is_equal")]
        print(
            f"{row['case']:30} {row['engine']:13} {row['n']:7,} {scaled}{row['cpu_s']:9.3f} "
            f"{row['wall_s']:10.3f} {row['peak_rss_mb']:6} {ratio:8.1f} {equal}"
        )


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    options = parsed()
    names = {field.name for field in fields(Line)}
    for name in options.network:
        rows = run_network(name, options)
        show(rows)
        lines = [Line(**{k: v for k, v in row.items() if k in names}) for row in rows]
        append_json(options.json, lines)


if __name__ == "__main__":
    main()
