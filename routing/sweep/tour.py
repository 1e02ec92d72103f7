"""From passes to a tour: the order in which they are travelled, with few U-turns.

Passes meet in their ends. At every node each end is tied to another: in one, out of the other. Ties
make closed walks, and untying two ties of different walks at a node and tying them crosswise makes
the two walks one. A U-turn is a tie of two ends of the same street on the same side.

Where passes may be travelled in either direction, a tour exists that turns only where it must: at
nodes where one street has more than half of all ends, in practice blind ends (Kotzig, "Moves
without forbidden transitions in a graph", Matematický časopis 18, 1968). The ends of a node are
sorted by street and tied to those half a round away, and of the two ways to tie crosswise one is
free of U-turns when no street is passed more than twice. Where directions are given there is one
way only, and fewest is not proven: the tour says how many it needs and how many none could avoid.
"""

from typing import NamedTuple

import numpy as np

from routing.hierarchy.kernel import kernel
from routing.sweep.ground import Ground
from routing.sweep.model import Ints, Tour

WORST = 2
"""U-turns one crosswise tie can add."""


class Ends(NamedTuple):
    """Ends of passes: end ``2 i`` is where pass i leaves, ``2 i + 1`` where it arrives."""

    key: Ints
    """Arc that leaves through the end: equal for two ends whose tie is a U-turn."""
    order: Ints
    """Ends in order of their nodes; where directions are given, leaving ends first."""
    first: Ints
    """Ends of the k-th node are ``order[first[k]:first[k + 1]]``."""
    is_free: bool
    """Whether passes may be travelled in either direction."""


def order_passes(ground: Ground, passes: Ints, *, is_free: bool) -> tuple[Ints, int, int]:
    """Order passes to closed walks, one where they hang together.

    Parameters
    ----------
    ground : Ground
    passes : ndarray of int32
        Arcs, repeated as often as they are passed: as many in as out at every node or, where
        `is_free`, an even number.
    is_free : bool
        Whether an arc stands for a pass in either direction.

    Returns
    -------
    arcs : ndarray of int32, shape of `passes`
        In order of travel, from the start node where there is one.
    n_u_turns, least : int
        U-turns made, and those no order of these passes can avoid.
    """
    ends = _ends(ground, passes, is_free=is_free)
    ties = _tie(ends)
    _unite(ends, ties)
    at = 0
    if ground.start_node is not None and len(passes):
        problem = ground.problem
        leaves = np.stack([problem.tail[passes], problem.head[passes]], axis=1).ravel()
        candidates = np.flatnonzero(leaves == ground.start_node)
        candidates = candidates if is_free else candidates[candidates % 2 == 0]
        at = int(candidates[0]) if len(candidates) else 0
    order = _walk(ties, at)
    return ends.key[order], int((ends.key[ties] == ends.key).sum()) // 2, _least(ends)


def _ends(ground: Ground, passes: Ints, *, is_free: bool) -> Ends:
    """Sort the ends of passes by node and street."""
    problem = ground.problem
    key = np.stack([passes, passes ^ 1], axis=1).ravel().astype(np.int32)
    node = problem.tail[key]
    side = np.zeros(len(key), np.int8) if is_free else np.arange(len(key)) % 2
    order = np.lexsort((key, side, node)).astype(np.int32)
    first = np.flatnonzero(np.r_[True, np.diff(node[order]) != 0]) if len(key) else np.zeros(0)
    return Ends(key, order, np.r_[first, len(key)].astype(np.int32), is_free)


def _least(ends: Ends) -> int:
    """Return the U-turns that cannot be avoided: ends of one street beyond half of a node's."""
    forced = 0
    for low, high in zip(ends.first[:-1].tolist(), ends.first[1:].tolist(), strict=True):
        _, counts = np.unique(ends.key[ends.order[low:high]], return_counts=True)
        forced += max(0, int(counts.max()) - (high - low) // 2)
    return forced


@kernel
def _tie(ends: Ends) -> Ints:
    """Tie each end to one half a round away, and mend what turns round and need not."""
    ties = np.empty(len(ends.key), np.int32)
    for k in range(len(ends.first) - 1):
        here = ends.order[ends.first[k] : ends.first[k + 1]]
        half = len(here) // 2
        for i in range(half):
            ties[here[i]], ties[here[half + i]] = here[half + i], here[i]
        for i in range(half):
            for j in range(half):
                a, b = here[i], here[j]
                before = _turns(ends, a, ties[a]) + _turns(ends, b, ties[b])
                if i != j and _turns(ends, a, ties[b]) + _turns(ends, b, ties[a]) < before:
                    x, y = ties[a], ties[b]
                    ties[a], ties[y], ties[b], ties[x] = y, a, x, b
    return ties


@kernel
def _turns(ends: Ends, a: int, b: int) -> int:
    """Return 1 for a U-turn, else 0."""
    return 1 if ends.key[a] == ends.key[b] else 0


@kernel
def _unite(ends: Ends, ties: Ints) -> None:
    """Make walks that meet one, by crosswise ties that add the fewest U-turns first."""
    group = _closed_walks(ties)
    for allowed in range(WORST + 1):
        for k in range(len(ends.first) - 1):
            here = ends.order[ends.first[k] : ends.first[k + 1]]
            for i in range(len(here)):
                for j in range(len(here)):
                    _cross(ends, ties, group, here[i], here[j], allowed)


@kernel
def _cross(ends: Ends, ties: Ints, group: Ints, a: int, b: int, allowed: int) -> None:  # noqa: PLR0917
    """Tie `a` to `b`, and what they were tied to, if that unites two walks at no higher price."""
    if not ends.is_free and (a ^ b) & 1 == 0:
        return
    of_a, of_b = _root(group, a >> 1), _root(group, b >> 1)
    if of_a == of_b:
        return
    x, y = ties[a], ties[b]
    added = _turns(ends, a, b) + _turns(ends, x, y) - _turns(ends, a, x) - _turns(ends, b, y)
    if added <= allowed:
        ties[a], ties[b], ties[x], ties[y] = b, a, y, x
        group[of_b] = of_a


@kernel
def _closed_walks(ties: Ints) -> Ints:
    """Return, for each pass, the first pass of its walk."""
    group = np.full(len(ties) // 2, -1, np.int32)
    for i in range(len(group)):
        end = 2 * i
        while group[end >> 1] == -1:
            group[end >> 1] = i
            end = ties[end ^ 1]
    return group


@kernel
def _root(group: Ints, i: int) -> int:
    """Return the root of a union-find forest, halving the path to it."""
    while group[i] != i:
        group[i] = group[group[i]]
        i = group[i]
    return i


@kernel
def _walk(ties: Ints, at: int) -> Ints:
    """Return the ends left through, walk by walk, beginning with the one of end `at`."""
    n = len(ties) // 2
    order = np.empty(n, np.int32)
    is_done = np.zeros(n, np.bool_)
    n_done = 0
    for i in range(-1, n):
        end = at if i < 0 else 2 * i
        while n > 0 and not is_done[end >> 1]:
            is_done[end >> 1] = True
            order[n_done] = end
            n_done += 1
            end = ties[end ^ 1]
    return order


def serve(ground: Ground, arcs: Ints) -> Tour:
    """Decide which passes of a walk serve their street, as cheaply as the walk allows.

    Parameters
    ----------
    ground : Ground
    arcs : ndarray of int32
        A closed walk in order of travel.
    """
    problem = ground.problem
    extra = problem.service.astype(np.int64) - problem.travel
    is_service = np.zeros(len(arcs), bool)
    can = np.flatnonzero(ground.is_servable[arcs])
    wish = problem.passes[arcs[can] >> 1]
    order = can[np.lexsort((can, extra[arcs[can]], arcs[can] >> 1))]
    order = order[problem.passes[arcs[order] >> 1] == 1]
    _, first = np.unique(arcs[order] >> 1, return_index=True)
    is_service[order[first]] = True
    both = can[wish > 1]
    both = both[np.lexsort((both, arcs[both]))]
    nth = np.arange(len(both)) - np.searchsorted(arcs[both], arcs[both])
    only = ~ground.is_servable[arcs[both] ^ 1]
    is_service[both[nth < 1 + only]] = True
    travel = problem.travel[arcs].astype(np.int64)
    total = travel + np.where(is_service, extra[arcs], 0)
    return Tour(
        arcs=arcs.astype(np.int32),
        is_service=is_service,
        milliseconds=int(total.sum()),
        dead_head=int(travel[~is_service].sum()),
    )


def orient(ground: Ground, passes: Ints) -> Ints:
    """Return passes of either direction as arcs, as many in as out at every node."""
    arcs, _, _ = order_passes(ground, passes, is_free=True)
    return arcs
