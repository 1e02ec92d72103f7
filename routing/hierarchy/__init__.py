"""Customisable contraction hierarchy: integers in, integers out, equal to Dijkstra.

`build_topology` orders a network once; `customise` lays one mode's weights on it; `distances` and
`lengths`, `ways` answer. All times are whole milliseconds, FAR where there is no way.
"""

import numpy as np

from routing.hierarchy.kernel import FAR, NONE, Ints
from routing.hierarchy.metric import Metric, customise
from routing.hierarchy.query import Ends, Ways, distances, lengths, ways
from routing.hierarchy.topology import Topology, build_topology

__all__ = [
    "FAR",
    "NONE",
    "Ends",
    "Ints",
    "Metric",
    "Topology",
    "Ways",
    "build_topology",
    "customise",
    "distances",
    "lengths",
    "warm_up",
    "ways",
]


def warm_up() -> None:
    """Compile every kernel into its cache, by a town of three streets."""
    tail, head = np.array([[0, 1, 2], [1, 2, 0]], dtype=np.int32)
    topology = build_topology(3, tail, head, tail, head)
    node = np.stack([tail, head], axis=1)
    here = Ends(node=node, offset=np.zeros_like(node))
    behind = Ends(node=node, offset=np.full_like(node, -1))
    for metres in (None, np.ones(3)):
        metric = customise(topology, np.ones(3, dtype=np.int32), metres=metres)
        distances(metric, here, behind)
        ways(metric, here, behind)
