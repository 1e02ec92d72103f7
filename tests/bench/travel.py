"""Bench: travel times of the hierarchy beside other engines, on the same weights.

    python tests/bench/travel.py --network FILE --peers scipy,networkx,igraph --json out.jsonl

Every engine runs in a process of its own, on one thread, and answers the same matrix between the
same random nodes in milliseconds. scipy's Dijkstra is the oracle: each row an engine computed is
compared with it, as integers. An engine that does not finish a matrix within ``--seconds`` is
stopped after whole rows and its time scaled up; such rows are marked ``~``.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geo.units import LIAOCHENG_EPSG
from routing.model import UNREACHABLE, Mode, Place

Matrix = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Milliseconds from some nodes to some nodes."""

ROWS_AT_ONCE = 16
"""Rows between two looks at the clock."""


@dataclass(frozen=True)
class Arcs:
    """Open arcs without loops or parallels: what every engine gets."""

    tail: np.ndarray
    head: np.ndarray
    weight: np.ndarray
    xy: np.ndarray

    @property
    def n(self) -> int:
        return len(self.xy)


@dataclass
class Clock:
    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def clocked() -> Iterator[Clock]:
    clock, wall, cpu = Clock(), time.perf_counter(), time.process_time()
    yield clock
    clock.wall, clock.cpu = time.perf_counter() - wall, time.process_time() - cpu


# ------------------------------------------------------------------------------- engines


def with_patrolgrid(arcs: Arcs) -> Matrix:
    from routing import hierarchy

    tail, head = arcs.tail.astype(np.int32), arcs.head.astype(np.int32)
    x, y = np.rint((arcs.xy - arcs.xy.min(axis=0)) * 10).astype(np.int32).T.copy()
    topology = hierarchy.build_topology(arcs.n, tail, head, x, y)
    metric = hierarchy.customise(topology, arcs.weight.astype(np.int32))

    def at(nodes: np.ndarray) -> hierarchy.Ends:
        node = np.stack([nodes, np.full_like(nodes, hierarchy.NONE)], axis=1).astype(np.int32)
        return hierarchy.Ends(node=node, offset=np.zeros_like(node))

    return lambda origins, goals: hierarchy.distances(metric, at(origins), at(goals))


def with_scipy(arcs: Arcs) -> Matrix:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    shape = (arcs.n, arcs.n)
    graph = csr_array((arcs.weight.astype(float), (arcs.tail, arcs.head)), shape=shape)
    return lambda origins, goals: dijkstra(graph, indices=origins)[:, goals]


def with_networkx(arcs: Arcs) -> Matrix:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(arcs.n))
    columns = (arcs.tail.tolist(), arcs.head.tolist(), arcs.weight.tolist())
    graph.add_weighted_edges_from(zip(*columns, strict=True))

    def row(origin: int, goals: np.ndarray) -> list[float]:
        found = nx.single_source_dijkstra_path_length(graph, origin)
        return [found.get(goal, np.inf) for goal in goals.tolist()]

    return lambda origins, goals: np.array([row(o, goals) for o in origins.tolist()])


def with_igraph(arcs: Arcs) -> Matrix:
    import igraph

    edges = np.stack([arcs.tail, arcs.head], axis=1)
    graph = igraph.Graph(n=arcs.n, edges=edges, directed=True)
    weight = arcs.weight.astype(float).tolist()

    def matrix(origins: np.ndarray, goals: np.ndarray) -> np.ndarray:
        # igraph wants every goal once
        goal, back = np.unique(goals, return_inverse=True)
        times = graph.distances(origins.tolist(), goal.tolist(), weights=weight, mode="out")
        return np.array(times)[:, back]

    return matrix


def with_rustworkx(arcs: Arcs) -> Matrix:
    import rustworkx

    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(arcs.n))
    columns = (arcs.tail.tolist(), arcs.head.tolist(), arcs.weight.astype(float).tolist())
    graph.extend_from_weighted_edge_list(list(zip(*columns, strict=True)))

    def row(origin: int, goals: np.ndarray) -> list[float]:
        found = dict(rustworkx.dijkstra_shortest_path_lengths(graph, origin, float))
        return [0.0 if goal == origin else found.get(goal, np.inf) for goal in goals.tolist()]

    return lambda origins, goals: np.array([row(o, goals) for o in origins.tolist()])


def with_pandana(arcs: Arcs) -> Matrix:
    import pandana
    import pandas as pd

    x, y = (pd.Series(column) for column in arcs.xy.T)
    ends = (pd.Series(arcs.tail), pd.Series(arcs.head))
    weight = pd.DataFrame({"weight": arcs.weight.astype(float)})
    network = pandana.Network(x, y, *ends, weight, twoway=False)

    def matrix(origins: np.ndarray, goals: np.ndarray) -> np.ndarray:
        pairs = np.repeat(origins, len(goals)), np.tile(goals, len(origins))
        return np.array(network.shortest_path_lengths(*pairs)).reshape(len(origins), -1)

    return matrix


def with_pyroutingkit(arcs: Arcs) -> Matrix:
    import pyroutingkit

    topology = pyroutingkit.CCHTopology()
    lat, lon = arcs.xy[:, 1].astype(np.float32), arcs.xy[:, 0].astype(np.float32)
    ends = (arcs.tail.astype(np.uint32), arcs.head.astype(np.uint32))
    topology.build(*ends, lat, lon, arcs.n)
    metric = pyroutingkit.CCHMetric(topology)
    metric.customize(arcs.weight.astype(np.uint32))

    def matrix(origins: np.ndarray, goals: np.ndarray) -> np.ndarray:
        asked = (origins.astype(np.uint32), goals.astype(np.uint32))
        return np.asarray(metric.distances_many_to_many(*asked), dtype=float)

    return matrix


ENGINES: dict[str, Callable[[Arcs], Matrix]] = {
    "patrolgrid": with_patrolgrid,
    "scipy": with_scipy,
    "networkx": with_networkx,
    "igraph": with_igraph,
    "rustworkx": with_rustworkx,
    "pandana": with_pandana,
    "pyroutingkit": with_pyroutingkit,
}
WHOLE_MATRIX = {"patrolgrid", "pyroutingkit"}
"""Engines that share work between rows: asked for all rows at once."""


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


def run_ours(streets: gpd.GeoDataFrame, epsg: int, seed: int) -> list[dict[str, Any]]:
    """Time our own chain on a street frame: cleaning, snapping, legs, a route of 30 stops."""
    from routing.network import MODES, build_network
    from routing.travel import Travel, warm_up

    warm_up()
    rng = np.random.default_rng(seed)
    rows = []

    def timed(case: str, n: int, clock: Clock) -> None:
        rows.append(_result(case, "patrolgrid", clock, n=n))

    with clocked() as clock:
        network, _ = build_network(streets, epsg=epsg)
    timed("clean network", network.n_segments, clock)
    with clocked() as clock:
        travel = Travel(network)
    timed("topology", network.n_nodes, clock)
    lonlat = network.lonlat[rng.integers(0, len(network.lonlat), 75_276)]
    lonlat = lonlat + rng.normal(0.0, 2e-4, lonlat.shape)
    with clocked() as clock:
        travel.snap(lonlat)
    timed("snap", len(lonlat), clock)
    places = [
        Place(place_id=str(i), name="", lon=float(lon), lat=float(lat))
        for i, (lon, lat) in enumerate(lonlat[:2000])
    ]
    for mode in MODES:
        with clocked() as clock:
            travel.times(places[:2], (mode,))
        timed(f"weights {mode}", network.n_nodes, clock)
    with clocked() as clock:
        times = travel.times(places, (Mode.CAR,))
    timed("times of places", len(places), clock)
    chosen = rng.integers(0, len(places), (10_000, 2))
    pairs = [(places[i], places[j], Mode.CAR) for i, j in chosen]
    with clocked() as clock:
        legs = travel.legs(pairs)
    timed("legs with geometry and names", len(legs), clock)
    seconds = times.seconds[0, chosen[:, 0], chosen[:, 1]]
    rows[-1]["is_equal"] = bool(np.array_equal(seconds, [leg.seconds for leg in legs]))
    stops = [(a, b, Mode.CAR) for a, b in pairwise(places[:30])]
    with clocked() as clock:
        travel.legs(stops)
    timed("route of 30 stops", len(stops), clock)
    return rows


def run_apart(function: Callable[..., list[dict[str, Any]]], *args: object) -> list[dict[str, Any]]:
    """Run in a fresh process, so that memory peaks do not mix."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, args)


# ------------------------------------------------------------------------------- streets


def grid_streets(side: int, seed: int) -> gpd.GeoDataFrame:
    """Make a jittered grid with gaps and one-ways: a network of any size without a file."""
    import pandas as pd
    import shapely

    from geo.frames import Col, StreetClass

    rng = np.random.default_rng(seed)
    number = np.arange(side * side).reshape(side, side)
    tail = np.r_[number[:, :-1].ravel(), number[:-1].ravel()]
    head = np.r_[number[:, 1:].ravel(), number[1:].ravel()]
    kept = rng.random(len(tail)) < 0.72
    xy = np.stack(np.divmod(np.arange(side * side), side), axis=1) * 0.001
    xy = np.round(xy + rng.uniform(-3e-4, 3e-4, xy.shape) + [115.5, 36.0], 7)
    ends = np.stack([xy[tail[kept]], xy[head[kept]]], axis=1)
    classes = np.array(list(StreetClass)[1:4], dtype=str)
    n = len(ends)
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"g{i}" for i in range(n)], dtype="str"),
            Col.NAME: pd.Series([""] * n, dtype="str"),
            Col.STREET_CLASS: pd.Series(classes[rng.choice(3, n, p=[0.1, 0.2, 0.7])], dtype="str"),
            Col.ONEWAY: pd.Series(rng.random(n) < 0.15, dtype=bool),
        },
        geometry=gpd.GeoSeries(shapely.linestrings(ends), crs=4326),
    )


def car_arcs(streets: gpd.GeoDataFrame, epsg: int) -> Arcs:
    """Return the arcs a car may use, the fastest of parallels, with their milliseconds."""
    from routing.network import arc_times, build_network

    network, _ = build_network(streets, epsg=epsg)
    weight = arc_times(network, Mode.CAR).whole
    tail, head = network.arc_tail, network.arc_head
    order = np.lexsort((weight, head, tail))
    order = order[(weight[order] < UNREACHABLE) & (tail[order] != head[order])]
    key = tail[order].astype(np.int64) * network.n_nodes + head[order]
    first = order[np.unique(key, return_index=True)[1]]
    return Arcs(tail=tail[first], head=head[first], weight=weight[first], xy=network.node_xy)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--network", type=Path, help="streets in any format geo.io reads")
    parser.add_argument("--grid", type=int, default=283, help="else a made-up grid of N x N nodes")
    parser.add_argument("--epsg", type=int, default=LIAOCHENG_EPSG)
    parser.add_argument("--sizes", default="100,500,2000", help="origins (= destinations)")
    parser.add_argument("--peers", default="scipy,networkx", help=",".join(list(ENGINES)[1:]))
    parser.add_argument("--seconds", type=float, default=10.0, help="per engine and matrix")
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
    if options.network is None:
        streets = grid_streets(options.grid, options.seed)
    else:
        from geo.io import read_streets

        streets = read_streets(options.network).frame
    arcs = car_arcs(streets, options.epsg)
    reached = np.unique(np.r_[arcs.tail, arcs.head])
    sizes = [k for k in map(int, options.sizes.split(",")) if k <= len(reached)]
    nodes = np.random.default_rng(options.seed).choice(reached, max(sizes), replace=False)
    print(f"{options.network or 'grid'}: {len(reached):,} nodes, {len(arcs.tail):,} arcs (car)")
    rows = run_apart(run_ours, streets, options.epsg, options.seed)
    oracle: dict[str, np.ndarray] = {}
    for engine in dict.fromkeys(["scipy", "patrolgrid", *options.peers.split(",")]):
        if engine != "patrolgrid" and importlib.util.find_spec(engine) is None:
            print(f"{engine}: not installed (requirements-bench.lock), left out")
            continue
        found = run_apart(run_engine, engine, arcs, nodes, sizes, options.seconds)
        if engine == "scipy":
            oracle = {row["case"]: row["times"] for row in found if "times" in row}
        compare(found, oracle)
        rows += found
    show(rows)
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
