"""Engines of the bench `partition.py`: ours, METIS, GerryChain, spopt; each call in a child."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

import geopandas as gpd
import numpy as np
import shapely

from geo.grid import cut as cut_module
from geo.grid.graph import Graph
from geo.grid.partition import partition
from geo.grid.zone import join_zones, within_zones

TARGET = 100.0
"""Households of a grid."""

ATTEMPTS = 50
"""Trees GerryChain draws for one cut before the step is given up."""

STEPS = 200
"""Recombinations of GerryChain's chain, fewer if its time runs out."""

SPARE = 0.8
"""Share of a unit's time after which a chain stops by itself."""

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


def by_patrolgrid(unit: Unit, _seconds: float) -> Labels:
    zone = join_zones(unit.graph, unit.is_main, target=TARGET)
    return _own(unit, within_zones(unit.graph, zone))


def by_patrolgrid_open(unit: Unit, _seconds: float) -> Labels:
    """Return our parts where main roads may be crossed like any other, as every peer does."""
    return _own(unit, unit.graph)


def _own(unit: Unit, graph: Graph) -> Labels:
    n_atoms = len(graph.weight)
    return partition(
        graph,
        target=TARGET,
        max_parts=899,
        seed=unit.seed,
        moves_per_atom=max(cut_module.MOVES_PER_ATOM, cut_module.MIN_MOVES // n_atoms),
    )


def by_metis(unit: Unit, _seconds: float) -> Labels:
    import pymetis

    graph = unit.graph
    price = 1 + (unit.shared @ np.array([1.0, 0.2, 0.05])).astype(int)
    return np.array(
        pymetis.part_graph(
            unit.n_parts,
            adjacency=pymetis.CSRAdjacency(graph.start.tolist(), graph.neighbour.tolist()),
            vweights=graph.weight.astype(int).tolist(),
            eweights=price[graph.edge].tolist(),
            options=pymetis.Options(contig=True, ufactor=150),
            recursive=False,
        )[1]
    )


def by_gerrychain(unit: Unit, seconds: float) -> Labels:
    """Return the best state (balance, then little border off streets) of a chain of steps."""
    import networkx as nx
    from gerrychain import Graph as Districts
    from gerrychain import MarkovChain, Partition, updaters
    from gerrychain.partition import recursive_tree_part
    from gerrychain.proposals import recom
    from gerrychain.tree import bipartition_tree

    ends_at = time.monotonic() + SPARE * seconds
    net = nx.Graph()
    net.add_nodes_from((node, {"hh": int(w)}) for node, w in enumerate(unit.graph.weight))
    net.add_edges_from(unit.graph.pairs.tolist())
    districts, mean = Districts.from_networkx(net), unit.graph.weight.sum() / unit.n_parts
    few = partial(bipartition_tree, max_attempts=ATTEMPTS, warn_attempts=ATTEMPTS + 1)
    begin = None
    for slack in (0.1, 0.15, 0.2, 0.3, 0.5, 0.8):
        try:
            begin = recursive_tree_part(
                districts, range(unit.n_parts), mean, "hh", slack,
                bipartition_tree_fn=few, rng=unit.seed,
            )  # fmt: skip
            break
        except (RuntimeError, ValueError, IndexError):
            continue
    if begin is None:
        return np.full(len(unit.graph.weight), -1)

    def propose(current: object, *, rng: object) -> object:
        try:
            return recom(current, "hh", mean, max(slack, 0.2), bipartition_tree_fn=few, rng=rng)
        except (RuntimeError, ValueError, IndexError):
            return current  # no balanced cut of this pair was found

    best, best_worth = np.zeros(0, dtype=np.int64), np.inf
    state = Partition(districts, begin, {"hh": updaters.Tally("hh", alias="hh")})
    for current in MarkovChain(propose, initial_partition=state, total_steps=STEPS, rng=unit.seed):
        part = np.array([current.assignment[node] for node in range(len(unit.graph.weight))])
        worth = _worth(unit, part)
        if worth < best_worth:
            best, best_worth = part, worth
        if time.monotonic() > ends_at:
            break
    return best


def _worth(unit: Unit, part: Labels) -> float:
    """Return what GerryChain's states are ranked by: balance and metres of border off streets."""
    mean = unit.graph.weight.sum() / unit.n_parts
    cut = part[unit.graph.pairs[:, 0]] != part[unit.graph.pairs[:, 1]]
    side = np.sqrt(unit.graph.area.sum() / unit.n_parts)
    off_balance = ((np.bincount(part, unit.graph.weight) / mean - 1) ** 2).sum()
    return float(off_balance + unit.shared[cut, 0].sum() / (10 * side))


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


def by_skater(unit: Unit, _seconds: float) -> Labels:
    from spopt.region import Skater

    frame, near = _spopt_inputs(unit)
    floor = max(2, int(0.4 * len(frame) / unit.n_parts))
    model = Skater(frame, near, ["x", "y"], n_clusters=unit.n_parts, floor=floor)
    model.solve()
    return np.asarray(model.labels_)


def by_azp(unit: Unit, _seconds: float) -> Labels:
    from spopt.region import AZP

    frame, near = _spopt_inputs(unit)
    model = AZP(frame, near, ["x", "y"], n_clusters=unit.n_parts, random_state=unit.seed % 2**31)
    model.solve()
    return np.asarray(model.labels_)


def by_maxp(unit: Unit, _seconds: float) -> Labels:
    from spopt.region import MaxPHeuristic

    np.random.seed(unit.seed % 2**31)  # noqa: NPY002  its own stream
    frame, near = _spopt_inputs(unit)
    model = MaxPHeuristic(
        frame, near, ["x", "y"], "households", 80, 2,
        max_iterations_construction=5, max_iterations_sa=2,
    )  # fmt: skip
    model.solve()
    return np.asarray(model.labels_)


ENGINES: dict[str, tuple[str, Callable[[Unit, float], Labels]]] = {
    "patrolgrid": ("geo.grid", by_patrolgrid),
    "open": ("geo.grid", by_patrolgrid_open),
    "metis": ("pymetis", by_metis),
    "gerrychain": ("gerrychain.proposals", by_gerrychain),
    "skater": ("spopt.region", by_skater),
    "azp": ("spopt.region", by_azp),
    "maxp": ("spopt.region", by_maxp),
}
"""Module of each engine, imported before the clock starts, and the call."""


@dataclass(frozen=True)
class Answer:
    """What an engine says about a unit; no labels where it failed or ran out of time."""

    labels: Labels | None
    cpu: float
    rss: float


def solve(name: str, unit: Unit, seconds: float) -> Answer:
    """Return an engine's answer from a child process that is ended after some seconds."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_solve_in_child, args=(name, unit, seconds, theirs))
    child.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(seconds) else None
    except EOFError:
        answer = None
    child.kill()
    child.join()
    return answer or Answer(None, seconds, 0.0)


def _solve_in_child(name: str, unit: Unit, seconds: float, pipe: Connection) -> None:
    begun = time.process_time()
    try:
        labels = ENGINES[name][1](unit, seconds)
    except Exception as error:  # noqa: BLE001  a peer that fails is a row of the table
        print(f"{name}: {type(error).__name__}: {error}")
        labels = np.full(1, -1)
    cpu = time.process_time() - begun
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Answer(labels if (labels >= 0).all() else None, cpu, rss))
