"""What stays the same whatever the time of day and the closures: each part made when first needed.

Views of one network at several times and under several closures share it.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.errors import NetworkEmpty
from routing import hierarchy
from routing.hierarchy import Topology
from routing.model import Mode
from routing.network import MODES, Conditions, Network
from routing.network.turn import turn_graph
from routing.travel.engine import Turns
from routing.travel.snap import Snapper
from routing.travel.tree import Fan, fan_in, fan_out


class Ground:
    """A network, the modes served on it, and what is made of both once.

    Parameters
    ----------
    network : Network
    modes : sequence of Mode
    topology : Topology, optional
        Of this network, from a file; found when first needed where it is not given.
    """

    def __init__(
        self, network: Network, modes: Sequence[Mode], topology: Topology | None = None
    ) -> None:
        self.network = network
        self.modes = tuple(modes)
        self._topology = topology

    @cached_property
    def topology(self) -> Topology:
        """The hierarchy of the network's nodes."""
        if self._topology is not None:
            return self._topology
        network = self.network
        corner = network.node_xy.min(axis=0)
        x, y = np.rint((network.node_xy - corner) * 10.0).astype(np.int32).T.copy()
        return hierarchy.build_topology(network.n_nodes, network.arc_tail, network.arc_head, x, y)

    @cached_property
    def turns(self) -> Turns:
        """The turn graph and its hierarchy."""
        graph = turn_graph(self.network)
        topology = hierarchy.build_topology(
            graph.n_arcs, graph.tail, graph.head, graph.x, graph.y, bundle=graph.segment
        )
        return Turns(graph=graph, topology=topology)

    @cached_property
    def snapper(self) -> Snapper:
        """Search for the nearest street that all modes may use."""
        return Snapper(self.network, self.shared(None))

    @cached_property
    def fans(self) -> tuple[Fan, Fan]:
        """Arcs that leave each node, and arcs that reach it."""
        return fan_out(self.network), fan_in(self.network)

    def shared(self, conditions: Conditions | None) -> NDArray[np.bool_]:
        """Tell which segments are open to all modes, one way at least; shape (n_segments,).

        Raises
        ------
        NetworkEmpty
            None is.
        """
        rows = [MODES.index(mode) for mode in self.modes]
        closed = np.zeros(1, dtype=bool) if conditions is None else conditions.is_closed[rows]
        usable = np.asarray(self.network.usable[rows] & ~closed)
        shared = np.asarray(usable.reshape(len(rows), -1, 2).any(axis=2).all(axis=0))
        if not shared.any():
            hint = f"No street is open to all of: {', '.join(self.modes)}."
            raise NetworkEmpty(source="streets", hint=hint)
        return shared
