"""The engines of `travel.py`: each takes arcs and answers a matrix of milliseconds.

Peers are imported where they are used: `requirements-bench.lock`, never needed by users.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Matrix = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Milliseconds from some nodes to some nodes."""


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
