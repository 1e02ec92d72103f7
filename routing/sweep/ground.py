"""What of a sweep can be done at all: open arcs from which the way back is open too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.sweep.model import FAR, Ints, SweepProblem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """The part of the streets a sweep moves in: one strongly connected part.

    Attributes
    ----------
    problem : SweepProblem
    start_node : int or None
        Node the tour must pass.
    is_open, is_servable : bool ndarray, shape (n_arcs,)
        Arcs inside the part that may be travelled, and served.
    asked : ndarray of int32
        Asked segments inside the part that can be served.
    unserved : ndarray of int32
        The other asked segments.
    """

    problem: SweepProblem
    start_node: int | None
    is_open: NDArray[np.bool_]
    is_servable: NDArray[np.bool_]
    asked: Ints
    unserved: Ints

    @property
    def once(self) -> Ints:
        """Segments to be served once."""
        segments: Ints = self.asked[self.problem.passes[self.asked] == 1]
        return segments

    @property
    def twice(self) -> Ints:
        """Segments to be served on both sides."""
        segments: Ints = self.asked[self.problem.passes[self.asked] > 1]
        return segments

    def servable_pair(self, segments: Ints) -> NDArray[np.bool_]:
        """Return whether each segment can be served along and against, shape (n, 2)."""
        pair: NDArray[np.bool_] = self.is_servable.reshape(-1, 2)[segments]
        return pair

    def fixed_arcs(self) -> Ints:
        """Return the arcs that must be served whatever is chosen, each as often as it must be."""
        pair = self.servable_pair(self.twice)
        times = np.where(pair.sum(axis=1)[:, None] > 1, 1, 2 * pair)
        arcs = np.stack([2 * self.twice, 2 * self.twice + 1], axis=1)
        only = self.servable_pair(self.once)
        single = 2 * self.once + only[:, 1]
        alone = single[only.sum(axis=1) == 1]
        twice = np.repeat(arcs.ravel(), times.ravel())
        return np.sort(np.concatenate([twice, alone])).astype(np.int32)

    def free_segments(self) -> Ints:
        """Return the segments to be served once in a direction that is still to be chosen."""
        once = self.once
        segments: Ints = once[self.servable_pair(once).sum(axis=1) > 1]
        return segments

    def stops(self) -> Ints:
        """Return the nodes the tour must pass: ends of asked segments and the start."""
        problem = self.problem
        ends = [problem.tail[2 * self.asked], problem.head[2 * self.asked]]
        start = [] if self.start_node is None else [self.start_node]
        return np.unique(np.concatenate([*ends, np.array(start, np.int32)])).astype(np.int32)


def find_ground(problem: SweepProblem, start_node: int | None = None) -> Ground:
    """Return what can be served from `start_node`, or in the part that holds most asked streets."""
    part = _strong_parts(problem)
    inside = part[problem.tail] == part[problem.head]
    inside &= problem.travel < FAR
    servable = inside & (problem.service < FAR)
    required = problem.required
    can = servable.reshape(-1, 2)[required].any(axis=1)
    of = part[problem.tail[2 * required]]
    if start_node is not None:
        chosen = part[start_node]
    else:
        chosen = int(np.bincount(of[can]).argmax()) if can.any() else -1
    is_asked = can & (of == chosen)
    here = part[problem.tail] == chosen
    return Ground(
        problem=problem,
        start_node=start_node,
        is_open=inside & here,
        is_servable=servable & here,
        asked=required[is_asked],
        unserved=required[~is_asked],
    )


def _strong_parts(problem: SweepProblem) -> Ints:
    """Label the nodes by strongly connected part of the open arcs."""
    is_open = problem.travel < FAR
    arcs = (problem.tail[is_open], problem.head[is_open])
    ones = np.ones(int(is_open.sum()), np.int8)
    graph = coo_array((ones, arcs), shape=(problem.n_nodes, problem.n_nodes)).tocsr()
    _, part = connected_components(graph, directed=True, connection="strong")
    return part.astype(np.int32)
