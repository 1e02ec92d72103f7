"""Zones: what lies between main roads, so that cells cross one only where they must."""

import numpy as np

from geo.grid.graph import Graph, components, make_graph
from geo.grid.partition import AIM, BOUND, best_count


def is_divisible(total: float, target: float, band: tuple[float, float] = AIM) -> bool:
    """Say whether a weight divides into parts that all lie in a band around the target."""
    mean = total / (best_count(total, target) * target)
    return bool(band[0] <= mean <= band[1])


def join_zones(graph: Graph, is_main: np.ndarray, *, target: float) -> np.ndarray:
    """Return zones of atoms: each divides well, or has no neighbour left to join.

    The smallest zone that does not divide into parts of the aim joins a neighbour, if possible
    one with which it does, else the one with the longest common border. A zone within the hard
    bound stays by itself: a main road outweighs the aim.

    Parameters
    ----------
    graph : Graph
        Atoms of one unit.
    is_main : ndarray of bool, shape (m,)
        Pairs that meet on a main road or rail.
    target : float
        Weight of a part.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    n_zones, zone = components(_without(graph, is_main))
    if n_zones == 1:
        return zone
    load = np.bincount(zone, graph.weight, minlength=n_zones)
    border = np.zeros((n_zones, n_zones))
    ends = zone[graph.pairs]
    np.add.at(border, (ends[:, 0], ends[:, 1]), graph.shared + 1e-9)
    border += border.T
    np.fill_diagonal(border, 0)
    name = np.arange(n_zones)
    while True:
        lone = [z for z in range(n_zones) if name[z] == z and border[z].any()]
        small = [z for z in lone if not is_divisible(load[z], target, BOUND)]
        if not small:
            return np.asarray(name[zone])
        weak = min(small, key=lambda z: (load[z], z))
        fits = [is_divisible(load[weak] + load[z], target) for z in range(n_zones)]
        best = max(np.flatnonzero(border[weak]), key=lambda z: (fits[z], border[weak, z], -z))
        load[best] += load[weak]
        border[best] += border[weak]
        border[:, best] = border[best]
        border[best, best] = 0
        border[weak] = border[:, weak] = 0
        name[name == weak] = best


def within_zones(graph: Graph, zone: np.ndarray) -> Graph:
    """Return the graph without the pairs between two zones."""
    return _without(graph, zone[graph.pairs[:, 0]] != zone[graph.pairs[:, 1]])


def _without(graph: Graph, dropped: np.ndarray) -> Graph:
    kept = ~dropped
    return make_graph(
        graph.weight,
        graph.pairs[kept],
        graph.cost[kept],
        area=graph.area,
        rim=graph.rim,
        shared=graph.shared[kept],
    )
