"""Bench: blocks merged into basic grids, beside spopt, METIS and GerryChain on the same blocks.

    python tests/bench/partition.py --peers metis,gerrychain,skater,azp,maxp --json out.jsonl
    python tests/bench/partition.py --network roads.graphml --squares 8

Every engine gets the same atoms (streets, big blocks split along buildings) of the same unit, the
same target and, where it takes one, the same number of parts; each answer is counted by one
function from the atoms alone. Villages of the sample with 8 to 30 grids; of a road network the
centre squares of 1 km with buildings drawn by the seed. Peers: `pip install spopt pymetis
gerrychain`. Times are CPU seconds of all of a case's units, kernels warm.
"""

import argparse
import json
import random
import resource
import time
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import BOUNDARIES, BUILDINGS, WATER, Col, empty_frame
from geo.grid import cut as cut_module
from geo.grid.atoms import Atoms, graph_of
from geo.grid.blocks import MAIN
from geo.grid.graph import Graph, components, make_graph
from geo.grid.partition import best_count, partition
from geo.grid.zone import join_zones, within_zones
from geo.units import LIAOCHENG_EPSG

TARGET = 100.0
SIDE = 1000.0
"""Metres of a centre square."""

ATTEMPTS = 200
"""Trees GerryChain draws for one step before its chain ends."""

Labels = np.ndarray


@dataclass(frozen=True)
class Unit:
    """Atoms of one village: graph, metres shared by rank, and the number of parts wanted."""

    graph: Graph
    is_main: np.ndarray
    shared: np.ndarray
    n_parts: int
    seed: int
    polygons: np.ndarray


def atoms_of(*layers: gpd.GeoDataFrame) -> tuple[Atoms, np.ndarray]:
    """Return the atoms that `cut_grids` partitions, and their polygons, by stopping it there."""
    kept: dict[str, object] = {}

    class Reached(Exception):
        pass

    contract, partition_units = cut_module.contract, cut_module._partition_units

    def keep(blocks: object, atom: np.ndarray) -> Atoms:
        kept["atoms"], kept["blocks"] = contract(blocks, atom), blocks
        return kept["atoms"]

    def stop(*_: object) -> None:
        raise Reached

    cut_module.contract, cut_module._partition_units = keep, stop
    try:
        cut_module.cut_grids(*layers, epsg=LIAOCHENG_EPSG)
    except Reached:
        pass
    finally:
        cut_module.contract, cut_module._partition_units = contract, partition_units
    atoms, faces = kept["atoms"], kept["blocks"].faces
    order = np.argsort(atoms.of_block, kind="stable")
    groups = np.split(
        faces[order], np.searchsorted(atoms.of_block[order], np.arange(1, len(atoms.unit)))
    )
    return atoms, np.array([shapely.union_all(group) for group in groups], dtype=object)


def units_of(layers: tuple[gpd.GeoDataFrame, ...], n_most: int, low: int, high: int) -> list[Unit]:
    """Return up to `n_most` units of `low` to `high` grids that lie in one piece."""
    atoms, polygons = atoms_of(*layers)
    out = []
    for row in np.unique(atoms.unit):
        nodes, graph, is_main = graph_of(atoms, int(row), area_per_cell=6e4, target=TARGET)
        n_parts = best_count(float(graph.weight.sum()), TARGET)
        whole = components(graph)[0] == 1 and atoms.households[nodes].sum() > 0
        if not whole or not low <= n_parts <= high:
            continue
        first, last = np.searchsorted(atoms.pairs[:, 0], [nodes.start, nodes.stop])
        code = str(layers[0][Col.CODE].iloc[row])
        out.append(
            Unit(
                graph,
                is_main,
                atoms.shared[first:last],
                n_parts,
                zlib.crc32(code.encode()),
                polygons[nodes],
            )
        )
    step = max(1, len(out) // n_most)
    return out[::step][:n_most]


def sample_layers(scale: str, seed: int) -> tuple[gpd.GeoDataFrame, ...]:
    from geo.sample import make_city

    layers = make_city(scale=scale, seed=seed, data_date=date(2026, 11, 20)).layers
    return layers.boundaries, layers.streets, layers.water, layers.buildings


def square_layers(network: Path, n: int, seed: int) -> tuple[gpd.GeoDataFrame, ...]:
    """Return the centre squares of a road network as villages, with drawn buildings."""
    from geo.io import read_streets

    streets = read_streets(network).frame
    middle = streets.geometry.to_crs(LIAOCHENG_EPSG).centroid
    centre = np.array([middle.x.median(), middle.y.median()])
    corners = [
        centre + SIDE * np.array([column - n // 4, row - 1])
        for row in (0, 1)
        for column in range(n // 2)
    ]
    boxes = gpd.GeoSeries(
        [shapely.box(x, y, x + SIDE, y + SIDE) for x, y in corners], crs=LIAOCHENG_EPSG
    ).to_crs(4326)
    codes = [f"370102001{k + 1:03d}" for k in range(n)]
    text = {Col.CODE: codes, Col.NAME: codes, Col.LEVEL: ["village"] * n,
            Col.ADMIN_PARENT: [""] * n, Col.GRID_ROLE: ["responsibility"] * n,
            Col.BOUNDARY_VERSION: ["bench"] * n, Col.SOURCE: ["synthetic"] * n}  # fmt: skip
    boundaries = gpd.GeoDataFrame(
        {name: pd.Series(values, dtype="str") for name, values in text.items()},
        geometry=shapely.transform(boxes.to_numpy(), lambda xy: np.round(xy, 7)),
        crs=4326,
    )
    draw = np.random.default_rng(seed)
    places = np.concatenate([draw.uniform(0, SIDE, (120, 2)) + corner for corner in corners])
    homes = gpd.GeoSeries(shapely.points(places), crs=LIAOCHENG_EPSG).to_crs(4326)
    buildings = gpd.GeoDataFrame(
        {
            Col.BUILDING_ID: pd.Series([str(k) for k in range(len(places))], dtype="str"),
            Col.HOUSEHOLDS: np.maximum(1, np.rint(draw.lognormal(2.4, 0.55, len(places)))).astype(
                int
            ),
            Col.SOURCE: pd.Series(["synthetic"] * len(places), dtype="str"),
        },
        geometry=shapely.transform(homes.to_numpy(), lambda xy: np.round(xy, 7)),
        crs=4326,
    )
    assert set(BOUNDARIES.columns) >= set(text)
    assert set(BUILDINGS.columns) <= set(buildings.columns)
    return boundaries, streets, gpd.GeoDataFrame(empty_frame(WATER)), buildings


# ---- engines


def by_patrolgrid(unit: Unit) -> Labels:
    zone = join_zones(unit.graph, unit.is_main, target=TARGET)
    return partition(
        within_zones(unit.graph, zone),
        target=TARGET,
        max_parts=899,
        seed=unit.seed,
        moves_per_atom=cut_module.MOVES_PER_ATOM,
    )


def by_metis(unit: Unit) -> Labels:
    import pymetis

    graph = unit.graph
    price = 1 + (unit.shared @ np.array([1.0, 0.2, 0.05])).astype(int)
    ends = graph.neighbour, price[graph.edge]
    return np.array(
        pymetis.part_graph(
            unit.n_parts,
            adjacency=pymetis.CSRAdjacency(graph.start.tolist(), ends[0].tolist()),
            vweights=graph.weight.astype(int).tolist(),
            eweights=ends[1].tolist(),
            options=pymetis.Options(contig=True, ufactor=150),
            recursive=False,
        )[1]
    )


def by_gerrychain(unit: Unit, steps: int = 100) -> Labels:
    import networkx as nx
    from gerrychain import Graph as Districts
    from gerrychain import MarkovChain, Partition, accept, constraints, updaters
    from gerrychain.partition import recursive_tree_part
    from gerrychain.proposals import recom
    from gerrychain.tree import bipartition_tree

    random.seed(unit.seed)
    net = nx.Graph()
    for node, weight in enumerate(unit.graph.weight):
        net.add_node(node, households=int(weight))
    net.add_edges_from(unit.graph.pairs.tolist())
    districts = Districts.from_networkx(net)
    mean = unit.graph.weight.sum() / unit.n_parts
    begin = None
    for slack in (0.1, 0.2, 0.3, 0.5, 0.8):
        try:
            begin = recursive_tree_part(districts, range(unit.n_parts), mean, "households", slack)
            break
        except (RuntimeError, ValueError, RecursionError):
            continue
    if begin is None:
        return np.full(len(unit.graph.weight), -1)
    tally = {"households": updaters.Tally("households", alias="households")}
    state = Partition(districts, begin, tally)

    def propose(current: object) -> object:
        few = partial(bipartition_tree, max_attempts=ATTEMPTS, warn_attempts=ATTEMPTS + 1)
        slack_now = max(slack, 0.2)
        return recom(current, "households", mean, slack_now, node_repeats=0, method=few)

    def labels(current: object) -> Labels:
        return np.array([current.assignment[node] for node in range(len(unit.graph.weight))])

    def worth(part: Labels) -> float:
        load = np.bincount(part, unit.graph.weight) / mean
        cut = part[unit.graph.pairs[:, 0]] != part[unit.graph.pairs[:, 1]]
        side = np.sqrt(unit.graph.area.sum() / unit.n_parts)
        return float(((load - 1) ** 2).sum() + unit.shared[cut, 0].sum() / (10 * side))

    best = labels(state)
    chain = MarkovChain(propose, [constraints.contiguous], accept.always_accept, state, steps)
    try:
        for current in chain:
            best = min(best, labels(current), key=worth)
    except (RuntimeError, IndexError, ValueError):
        pass  # no balanced cut of a pair was found: the best so far stands
    return best


def _spopt_inputs(unit: Unit) -> tuple[gpd.GeoDataFrame, object]:
    from libpysal.weights import W

    neighbours = {k: [] for k in range(len(unit.graph.weight))}
    for a, b in unit.graph.pairs.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    frame = gpd.GeoDataFrame(
        {"households": unit.graph.weight, "one": 1.0}, geometry=unit.polygons, crs=4326
    )
    middle = shapely.centroid(unit.polygons)
    frame["x"], frame["y"] = shapely.get_x(middle), shapely.get_y(middle) * 1.24
    return frame, W(neighbours, silence_warnings=True)


def by_skater(unit: Unit) -> Labels:
    from spopt.region import Skater

    frame, near = _spopt_inputs(unit)
    floor = max(2, int(0.4 * len(frame) / unit.n_parts))
    model = Skater(frame, near, ["x", "y"], n_clusters=unit.n_parts, floor=floor)
    model.solve()
    return np.asarray(model.labels_)


def by_azp(unit: Unit) -> Labels:
    from spopt.region import AZP

    frame, near = _spopt_inputs(unit)
    model = AZP(frame, near, ["x", "y"], n_clusters=unit.n_parts, random_state=unit.seed % 2**31)
    model.solve()
    return np.asarray(model.labels_)


def by_maxp(unit: Unit) -> Labels:
    from spopt.region import MaxPHeuristic

    np.random.seed(unit.seed % 2**31)  # noqa: NPY002  its own stream
    frame, near = _spopt_inputs(unit)
    model = MaxPHeuristic(
        frame, near, ["x", "y"], "households", 80, 2, max_iterations_construction=20
    )
    model.solve()
    return np.asarray(model.labels_)


ENGINES: dict[str, Callable[[Unit], Labels]] = {
    "patrolgrid": by_patrolgrid,
    "metis": by_metis,
    "gerrychain": by_gerrychain,
    "skater": by_skater,
    "azp": by_azp,
    "maxp": by_maxp,
}


# ---- judging


def judge(unit: Unit, part: Labels) -> dict[str, np.ndarray | float]:
    """Return size, shape, borders and pieces of an engine's parts, from the atoms alone."""
    part = np.unique(part, return_inverse=True)[1]
    n, graph = int(part.max()) + 1, unit.graph
    ends = part[graph.pairs]
    inner = ends[:, 0] == ends[:, 1]
    rim = np.bincount(part, graph.rim, minlength=n)
    rim -= 2 * np.bincount(ends[inner, 0], graph.shared[inner], minlength=n)
    kept = make_graph(graph.weight, graph.pairs[inner], graph.cost[inner])
    return {
        "load": np.bincount(part, graph.weight, minlength=n),
        "shape": 4 * np.pi * np.bincount(part, graph.area, minlength=n) / rim**2,
        "border": float(unit.shared[~inner].sum()),
        "street": float(unit.shared[~inner, 1:].sum()),
        "crossed": float(unit.shared[inner, MAIN].sum()),
        "n_split": float(components(kept)[0] - n),
    }


def run(name: str, case: str, units: list[Unit]) -> list[dict[str, object]]:
    """Return one engine's lines for a case."""
    engine = ENGINES[name]
    engine(units[0])
    begun = time.process_time()
    answers = [engine(unit) for unit in units]
    cpu = time.process_time() - begun
    done = [k for k, answer in enumerate(answers) if (answer >= 0).all()]
    judged = [judge(units[k], answers[k]) for k in done]
    load = np.concatenate([row["load"] for row in judged])
    spread = [float(row["load"].std() / row["load"].mean()) for row in judged]
    shape = np.concatenate([row["shape"] for row in judged])
    values = {
        "units solved": float(len(done)),
        "grids": float(len(load)),
        "share of 80-120 households": float(((load >= 80) & (load <= 120)).mean()),
        "share of 70-130 households": float(((load >= 70) & (load <= 130)).mean()),
        "mean CV of a unit": float(np.mean(spread)),
        "median Polsby-Popper": float(np.median(shape)),
        "inner border on streets": sum(row["street"] for row in judged)
        / max(sum(row["border"] for row in judged), 1e-9),
        "km of main road inside grids": sum(row["crossed"] for row in judged) / 1000,
        "surplus pieces": sum(row["n_split"] for row in judged),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        {"subject": "partition", "case": f"{case}: {what}", "engine": name, "value": value,
         "gap": None, "cpu_s": cpu, "peak_rss_mb": peak, "n": len(units)}
        for what, value in values.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", choices=("district", "city"), default="district")
    parser.add_argument("--units", type=int, default=12, help="villages of the sample")
    parser.add_argument("--network", type=Path, help="road network (GraphML, OSM) for the squares")
    parser.add_argument("--squares", type=int, default=8)
    parser.add_argument("--peers", default="", help=", ".join(list(ENGINES)[1:]))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = {"sample": units_of(sample_layers(args.scale, args.seed), args.units, 8, 30)}
    if args.network:
        squares = square_layers(args.network, args.squares, args.seed)
        cases["squares"] = units_of(squares, args.squares, 2, 99)
    lines = []
    for case, units in cases.items():
        for name in ["patrolgrid", *filter(None, args.peers.split(","))]:
            for line in run(name, case, units):
                lines.append(line)
                shown = f"{line['case']:42} {name:12} {line['value']:10.4f}"
                print(f"{shown} {line['cpu_s']:8.2f} cpu s", flush=True)
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


if __name__ == "__main__":
    main()
