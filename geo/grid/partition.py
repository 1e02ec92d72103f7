"""Atoms of one unit merged into contiguous parts of nearly equal weight.

Recursive bipartition on random spanning trees gives a start (cutting a tree edge leaves two
connected sides; as in DeFord, Duchin and Solomon, Recombination, Harvard Data Science Review 3.1,
2021). Simulated annealing of single-atom moves improves it; what is still out of band is merged
with a neighbour and divided anew. Every state is contiguous.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from geo.grid.graph import Graph, components, make_graph, subgraph
from geo.grid.tree import split_by_trees, split_pair, uniform

__all__ = ["Graph", "best_count", "components", "make_graph", "partition"]

MOVES_PER_ATOM: Final = 600
"""Annealing moves tried per atom."""

AIM: Final = (0.8, 1.2)
"""Band of weights aimed at, as multiples of the target: 80 to 120 households of 100."""

BOUND: Final = (0.7, 1.3)
"""Band that must hold wherever a partition exists, as multiples of the target."""

COST_WEIGHT: Final = 0.06
"""Weight of one unit of a border's cost."""

BALANCE_WEIGHT: Final = 5.0
"""Weight of a part's squared relative deviation from the mean."""

BAND_STEP: Final = 0.5
"""Price of a part outside the aim, and once more outside the bound."""

SHAPE_WEIGHT: Final = 1.35
"""Weight of a part's shape, 1 - Polsby-Popper."""

START_HEAT: Final = 0.25
"""First temperature of the annealing, in units of the objective."""

RETRIES: Final = 24
"""Times a part out of band is merged with a neighbour and divided anew."""


class Goal(NamedTuple):
    """What a part should be.

    Attributes
    ----------
    bands : ndarray of float64, shape (4,)
        Lower and upper end of the aim and of the hard bound, in units of weight.
    balance, step, shape, border : float
        `BALANCE_WEIGHT`, `BAND_STEP`, `SHAPE_WEIGHT`, `COST_WEIGHT`.
    heat : float
        First temperature.
    """

    bands: np.ndarray
    balance: float
    step: float
    shape: float
    border: float
    heat: float


def partition(
    graph: Graph,
    *,
    target: float,
    max_parts: int,
    seed: int,
    aim: tuple[float, float] = AIM,
    bound: tuple[float, float] = BOUND,
    moves_per_atom: int = MOVES_PER_ATOM,
) -> np.ndarray:
    """Return the part of each atom, numbered from 0; every part is connected.

    Parameters
    ----------
    target : float
        Weight a part should have.
    max_parts : int
        Most parts there may be, unless the unit itself lies in more pieces.
    seed : int
        Of the random stream; the same input and seed give the same parts.
    aim, bound : tuple of float
        Bands of weight, as multiples of `target`: aimed at, and held wherever possible.
    moves_per_atom : int
        Annealing moves.

    Notes
    -----
    An atom heavier than the aim allows counts as one whole part, so that it neither starves its
    neighbours nor draws them in.
    """
    graph = graph._replace(weight=np.where(graph.weight > aim[1] * target, target, graph.weight))
    n_pieces, piece = components(graph)
    part = np.zeros(len(graph.weight), dtype=np.int64)
    goal = Goal(
        np.array([*aim, *bound]) * target,
        BALANCE_WEIGHT,
        BAND_STEP,
        SHAPE_WEIGHT,
        COST_WEIGHT,
        START_HEAT,
    )
    n_parts = 0
    for number in range(n_pieces):
        atoms = np.flatnonzero(piece == number)
        room = max(1, max_parts - n_parts - (n_pieces - number - 1))
        inner = graph if n_pieces == 1 else subgraph(graph, atoms)
        counts = [min(room, len(atoms), k) for k in good_counts(inner.weight.sum(), target, aim)]
        own = _divide(inner, counts, goal, moves_per_atom, seed)
        part[atoms] = n_parts + own
        n_parts += int(own.max()) + 1
    return part


def good_counts(total: float, target: float, aim: tuple[float, float]) -> list[int]:
    """Return the numbers of parts to try: the best, and the next if its mean is in the aim too."""
    best = best_count(total, target, aim=aim)
    others = [k for k in (best - 1, best + 1) if k > 0]
    fits = [k for k in others if aim[0] * target * k <= total <= aim[1] * target * k]
    return [best, *sorted(fits, key=lambda k: abs(total / k - target))]


def best_count(
    total: float,
    target: float,
    *,
    aim: tuple[float, float] = AIM,
    bound: tuple[float, float] = BOUND,
) -> int:
    """Return into how many parts a weight is best divided.

    The mean should lie in the aim, else in the bound, and as near the target as can be.
    """
    low = max(1, int(total / target))
    mean = {k: total / (k * target) for k in (low, low + 1)}

    def badness(k: int) -> tuple[bool, bool, float]:
        return (
            not bound[0] <= mean[k] <= bound[1],
            not aim[0] <= mean[k] <= aim[1],
            abs(np.log(max(mean[k], 1e-9))),
        )

    return min(mean, key=badness)


def _divide(
    graph: Graph, counts: list[int], goal: Goal, moves_per_atom: int, seed: int
) -> np.ndarray:
    """Return the parts for the first count that keeps every part in the aim, else the best."""
    best, best_out = np.zeros(len(graph.weight), dtype=np.int64), np.inf
    for n_parts in dict.fromkeys(counts):
        random = np.array([seed * 0x9E3779B97F4A7C15 % 2**64 | 1], dtype=np.uint64)
        part = np.zeros(len(graph.weight), dtype=np.int64)
        if n_parts > 1:
            part = split_by_trees(graph, n_parts, random)
            part = _improve(graph, part, n_parts, goal, moves_per_atom, random)
        part = np.unique(part, return_inverse=True)[1].astype(np.int64)
        load = np.bincount(part, graph.weight)
        n_out = sum(
            int(((load < low) | (load > high)).sum()) for low, high in goal.bands.reshape(2, 2)
        )
        if n_out < best_out or (n_out == best_out and part.max() < best.max()):
            best, best_out = part, n_out
        if n_out == 0:
            break
    return best


@njit(cache=True)
def _price(load: float, area: float, rim: float, mean: float, goal: Goal) -> float:
    """Return the penalty of a part: balance, goal, shape."""
    price = goal.balance * (load / mean - 1.0) ** 2
    for k in range(0, 4, 2):
        over = max(goal.bands[k] - load, load - goal.bands[k + 1]) / mean
        if over > 0:
            price += goal.step + 4.0 * over * over
    if area > 0 and rim > 0:
        price += goal.shape * (1.0 - 4.0 * np.pi * area / (rim * rim))
    return price


class State(NamedTuple):
    """Weight, area and perimeter of each part, one row per part."""

    load: np.ndarray
    area: np.ndarray
    rim: np.ndarray


@njit(cache=True)
def _weigh(graph: Graph, part: np.ndarray, n_parts: int) -> State:
    load, area, rim = np.zeros(n_parts), np.zeros(n_parts), np.zeros(n_parts)
    for atom in range(len(part)):
        load[part[atom]] += graph.weight[atom]
        area[part[atom]] += graph.area[atom]
        rim[part[atom]] += graph.rim[atom]
    for e in range(len(graph.pairs)):
        if part[graph.pairs[e, 0]] == part[graph.pairs[e, 1]]:
            rim[part[graph.pairs[e, 0]]] -= 2.0 * graph.shared[e]
    return State(load, area, rim)


@njit(cache=True)
def _value(graph: Graph, part: np.ndarray, n_parts: int, mean: float, goal: Goal) -> float:
    """Return the objective of a partition."""
    state = _weigh(graph, part, n_parts)
    value = 0.0
    for p in range(n_parts):
        value += _price(state.load[p], state.area[p], state.rim[p], mean, goal)
    for e in range(len(graph.pairs)):
        if part[graph.pairs[e, 0]] != part[graph.pairs[e, 1]]:
            value += goal.border * graph.cost[e]
    return value


@njit(cache=True)
def _stays_whole(  # noqa: PLR0917  (a kernel takes no keywords)
    graph: Graph, part: np.ndarray, atom: int, mark: np.ndarray, stack: np.ndarray, stamp: int
) -> bool:
    """Say whether the atom's part is connected, and not empty, without it."""
    own = part[atom]
    wanted, first = 0, -1
    for j in range(graph.start[atom], graph.start[atom + 1]):
        if part[graph.neighbour[j]] == own:
            wanted += 1
            first = graph.neighbour[j]
    if wanted <= 1:
        return wanted == 1
    mark[atom], mark[first] = stamp, stamp
    stack[0] = first
    height = 1
    while height > 0:
        height -= 1
        node = stack[height]
        for j in range(graph.start[node], graph.start[node + 1]):
            other = graph.neighbour[j]
            if other == atom:
                wanted -= 1
                if wanted == 0:
                    return True
            elif part[other] == own and mark[other] != stamp:
                mark[other] = stamp
                stack[height] = other
                height += 1
    return False


@njit(cache=True)
def _anneal(  # noqa: PLR0917  (a kernel takes no keywords)
    graph: Graph,
    part: np.ndarray,
    n_parts: int,
    goal: Goal,
    n_moves: int,
    random: np.ndarray,
) -> np.ndarray:
    """Improve parts by moving single atoms over a border; return the best parts met."""
    state = _weigh(graph, part, n_parts)
    load, area, rim = state
    mean = max(load.sum() / n_parts, 1e-9)
    price = np.empty(n_parts)
    for p in range(n_parts):
        price[p] = _price(load[p], area[p], rim[p], mean, goal)
    value, best_value = 0.0, 0.0
    best = part.copy()
    mark, stack = np.zeros(len(part), np.int64), np.empty(len(part), np.int64)
    for move in range(n_moves):
        heat = goal.heat * (1.0 - move / n_moves) + 1e-9
        e = int(uniform(random) * len(graph.pairs))
        way = int(uniform(random) * 2)
        atom, sink = graph.pairs[e, way], part[graph.pairs[e, 1 - way]]
        source = part[atom]
        if source == sink:
            continue
        kept, gained, cost = 0.0, 0.0, 0.0
        for j in range(graph.start[atom], graph.start[atom + 1]):
            other, pair = part[graph.neighbour[j]], graph.edge[j]
            if other == source:
                kept += graph.shared[pair]
                cost += graph.cost[pair]
            elif other == sink:
                gained += graph.shared[pair]
                cost -= graph.cost[pair]
        weight, size, around = graph.weight[atom], graph.area[atom], graph.rim[atom]
        rim_source = rim[source] - around + 2.0 * kept
        rim_sink = rim[sink] + around - 2.0 * gained
        left = _price(load[source] - weight, area[source] - size, rim_source, mean, goal)
        right = _price(load[sink] + weight, area[sink] + size, rim_sink, mean, goal)
        change = left + right - price[source] - price[sink] + goal.border * cost
        if change > 0 and uniform(random) > np.exp(-change / heat):
            continue
        if not _stays_whole(graph, part, atom, mark, stack, move + 1):
            continue
        part[atom] = sink
        load[source] -= weight
        load[sink] += weight
        area[source] -= size
        area[sink] += size
        rim[source], rim[sink] = rim_source, rim_sink
        price[source], price[sink] = left, right
        value += change
        if value < best_value - 1e-12:
            best_value = value
            best[:] = part
    return best


@njit(cache=True)
def _redivide(
    graph: Graph, part: np.ndarray, n_parts: int, goal: Goal, random: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Merge parts out of band with a random neighbour and divide the two anew; keep what helps."""
    best = part
    mean = max(graph.weight.sum() / n_parts, 1e-9)
    value = _value(graph, best, n_parts, mean, goal)
    helped = False
    for _ in range(RETRIES):
        load = _weigh(graph, best, n_parts).load
        choices = [
            e
            for e in range(len(graph.pairs))
            if best[graph.pairs[e, 0]] != best[graph.pairs[e, 1]]
            and (
                _is_out(load[best[graph.pairs[e, 0]]], goal)
                or _is_out(load[best[graph.pairs[e, 1]]], goal)
            )
        ]
        if len(choices) == 0:
            break
        e = choices[int(uniform(random) * len(choices))]
        one, other = best[graph.pairs[e, 0]], best[graph.pairs[e, 1]]
        trial = split_pair(graph, best, one, other, random)
        trial_value = _value(graph, trial, n_parts, mean, goal)
        if trial_value < value - 1e-9:
            best, value, helped = trial, trial_value, True
    return best, helped


@njit(cache=True)
def _is_out(load: float, goal: Goal) -> bool:
    return bool(load < goal.bands[0] or load > goal.bands[1])


@njit(cache=True)
def _improve(  # noqa: PLR0917  (a kernel takes no keywords)
    graph: Graph,
    part: np.ndarray,
    n_parts: int,
    goal: Goal,
    moves_per_atom: int,
    random: np.ndarray,
) -> np.ndarray:
    """Anneal; where a part is still out of band, redivide and anneal once more."""
    if len(graph.pairs) == 0:
        return part
    n_moves = moves_per_atom * len(part)
    best = _anneal(graph, part, n_parts, goal, n_moves, random)
    best, helped = _redivide(graph, best, n_parts, goal, random)
    if helped:
        best = _anneal(graph, best.copy(), n_parts, goal, n_moves // 2, random)
    return best
