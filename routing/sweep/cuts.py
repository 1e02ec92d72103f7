"""Cuts every tour keeps, looked for where a solution of the relaxation breaks them."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from routing.sweep.directed import Directed, groups_of
from routing.sweep.model import Ints

LEVELS: Final = (0.01, 0.26, 0.51, 0.76)
"""Flows above which two stops count as joined, where violated cuts are looked for."""

SHORT: Final = 0.02
"""Least violation of a cut worth adding."""

MOST_FLOWS: Final = 60
"""Parts up to which a least cut is looked for between the first and each other one."""

SCALE: Final = 10_000
"""Whole-number capacities of a least cut, per unit of flow."""

Reals = NDArray[np.float64]
Ways = NDArray[np.intp]
"""Ways of which one at least is travelled."""


class Cuts:
    """Cuts found so far, each once.

    Attributes
    ----------
    known : dict
        Cuts by their ways' bytes, in the order found.
    """

    def __init__(self, posed: Directed) -> None:
        self.posed = posed
        self.known: dict[bytes, Ways] = {}
        if posed.n_parts > 1:
            self.around(posed.part)
        self._keep(
            np.flatnonzero((posed.tail == stop) | (posed.head == stop))
            for stop in np.flatnonzero(posed.is_odd)
        )

    def _keep(self, found: Iterable[Ways]) -> list[Ways]:
        """Remember cuts; return those that are new."""
        new = []
        for ways in found:
            key = ways.tobytes()
            if len(ways) and key not in self.known:
                self.known[key] = ways
                new.append(ways)
        return new

    def around(self, label: Ints) -> list[Ways]:
        """Return the new connectivity cuts out of each group of stops."""
        tail, head = label[self.posed.tail], label[self.posed.head]
        return self._keep(
            np.flatnonzero((tail == group) & (head != group)) for group in np.unique(label)
        )

    def violated(self, times: Reals) -> list[Ways]:
        """Return new cuts that a solution of the relaxation breaks."""
        found: list[Ways] = []
        for level in LEVELS:
            found += self._keep(self._connectivity(times, level))
            found += self._keep(self._parity(times, level))
        return found + self._keep(self._least_cuts(times))

    def _connectivity(self, times: Reals, level: float) -> Iterator[Ways]:
        """Yield the cuts out of groups that hang together above a level."""
        posed = self.posed
        n_groups, label = groups_of(posed, times > level)
        tail = label[posed.tail]
        is_crossing = tail != label[posed.head]
        leaving = np.bincount(tail[is_crossing], times[is_crossing], minlength=n_groups)
        if n_groups > 1:
            for group in np.flatnonzero(leaving < 1.0 - SHORT):
                yield np.flatnonzero(is_crossing & (tail == group))

    def _parity(self, times: Reals, level: float) -> Iterator[Ways]:
        """Yield the cuts around sets of stops, joined by ways alone, that services leave odd."""
        posed = self.posed
        used = times > level
        arcs = (posed.tail[used], posed.head[used])
        graph = coo_array((np.ones(int(used.sum()), np.int8), arcs), shape=(posed.n, posed.n))
        n_sets, label = connected_components(graph, directed=False)
        is_odd = np.bincount(label, posed.is_odd, minlength=n_sets) % 2 == 1
        tail, head = label[posed.tail], label[posed.head]
        is_crossing = tail != head
        flow = np.bincount(tail[is_crossing], times[is_crossing], minlength=n_sets)
        flow += np.bincount(head[is_crossing], times[is_crossing], minlength=n_sets)
        for one in np.flatnonzero(is_odd & (flow < 1.0 - SHORT)):
            yield np.flatnonzero(is_crossing & ((tail == one) | (head == one)))

    def _least_cuts(self, times: Reals) -> Iterator[Ways]:
        """Yield the least cut from the first part to each other, where it is broken."""
        posed = self.posed
        if not 1 < posed.n_parts <= MOST_FLOWS:
            return
        tail, head = posed.part[posed.tail], posed.part[posed.head]
        flow = np.rint(times * SCALE).astype(np.int32)
        on = (tail != head) & (flow > 0)
        shape = (posed.n_parts, posed.n_parts)
        graph = coo_array((flow[on], (tail[on], head[on])), shape=shape).tocsr()
        for part in range(1, posed.n_parts):
            result = maximum_flow(graph, 0, part)
            if result.flow_value < SCALE * (1.0 - SHORT):
                residual = (graph - result.flow).tocsr()
                residual.data = np.maximum(residual.data, 0)
                residual.eliminate_zeros()
                is_inside = np.zeros(posed.n_parts, bool)
                is_inside[breadth_first_order(residual, 0, return_predecessors=False)] = True
                yield np.flatnonzero(is_inside[tail] & ~is_inside[head])
