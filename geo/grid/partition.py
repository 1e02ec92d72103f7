"""Atoms of one unit merged into contiguous parts of nearly equal weight.

Recursive bipartition on random spanning trees gives a start (cutting a tree edge leaves two
connected sides; as in DeFord, Duchin and Solomon, Recombination, Harvard Data Science Review 3.1,
2021), simulated annealing of single-atom moves improves it. Every state is contiguous.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

TREES: Final = 8
"""Random trees tried per bipartition."""

MOVES_PER_ATOM: Final = 300
"""Annealing moves tried per atom; twice as many gained nothing on the sample district."""

LOW: Final = 0.8
HIGH: Final = 1.2
"""Band of weights, as multiples of the mean, outside which a part is penalised."""

CUT_WEIGHT: Final = 0.06
"""Weight of 100 m of border against a part's squared relative deviation."""

START_HEAT: Final = 0.05
"""First temperature of the annealing, in units of the objective."""


class Graph(NamedTuple):
    """Atoms of one unit and their neighbours (a tuple, so that numba can read it).

    Attributes
    ----------
    weight : ndarray of float64, shape (n,)
    pairs : ndarray of int64, shape (m, 2)
        Neighbours.
    cost : ndarray of float64, shape (m,)
        Price of a part's border running between the two.
    start : ndarray of int64, shape (n + 1,)
        First slot of each atom in the two below.
    neighbour, edge : ndarray of int64, shape (2 m,)
        Neighbour and row of `pairs`, per slot.
    """

    weight: np.ndarray
    pairs: np.ndarray
    cost: np.ndarray
    start: np.ndarray
    neighbour: np.ndarray
    edge: np.ndarray


def make_graph(weight: np.ndarray, pairs: np.ndarray, cost: np.ndarray) -> Graph:
    """Return atoms and pairs with their adjacency."""
    pairs = np.ascontiguousarray(pairs.reshape(-1, 2), dtype=np.int64)
    source = pairs.T.reshape(-1)
    order = np.argsort(source, kind="stable")
    start = np.zeros(len(weight) + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=len(weight)), out=start[1:])
    other = pairs[:, ::-1].T.reshape(-1)
    edge = np.tile(np.arange(len(pairs)), 2)
    return Graph(weight.astype(np.float64), pairs, cost, start, other[order], edge[order])


def partition(graph: Graph, *, target: float, max_parts: int, seed: int) -> np.ndarray:
    """Return the part of each atom, numbered from 0; every part is connected.

    Parameters
    ----------
    target : float
        Weight a part should have.
    max_parts : int
        Most parts there may be, unless the unit itself lies in more pieces.
    seed : int
        Of the random stream; the same input and seed give the same parts.
    """
    n_pieces, piece = _components(graph)
    part = np.zeros(len(graph.weight), dtype=np.int64)
    n_parts = 0
    for number in range(n_pieces):
        atoms = np.flatnonzero(piece == number)
        room = max(1, max_parts - n_parts - (n_pieces - number - 1))
        wanted = min(room, len(atoms), max(1, round(graph.weight[atoms].sum() / target)))
        own = np.zeros(len(atoms), dtype=np.int64)
        if wanted > 1:
            own = _divide(graph if n_pieces == 1 else _subgraph(graph, atoms), wanted, seed)
        part[atoms] = n_parts + own
        n_parts += int(own.max()) + 1
    return part


def _divide(graph: Graph, n_parts: int, seed: int) -> np.ndarray:
    random = np.array([seed * 0x9E3779B97F4A7C15 % 2**64 | 1], dtype=np.uint64)
    part = _anneal(graph, _split_by_trees(graph, n_parts, random), n_parts, random)
    return np.unique(part, return_inverse=True)[1].astype(np.int64)


def _subgraph(graph: Graph, atoms: np.ndarray) -> Graph:
    local = np.full(len(graph.weight), -1, dtype=np.int64)
    local[atoms] = np.arange(len(atoms))
    kept = (local[graph.pairs] >= 0).all(axis=1)
    return make_graph(graph.weight[atoms], local[graph.pairs[kept]], graph.cost[kept])


@njit(cache=True)
def _uniform(random: np.ndarray) -> float:
    """Return the next number of [0, 1): xorshift64* (Vigna, ACM TOMS 42, 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def _root(parent: np.ndarray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True)
def _components(graph: Graph) -> tuple[int, np.ndarray]:
    """Return how many pieces the atoms lie in, and the piece of each."""
    n = len(graph.weight)
    piece = np.full(n, -1, np.int64)
    stack = np.empty(n, np.int64)
    count = 0
    for first in range(n):
        if piece[first] >= 0:
            continue
        piece[first] = count
        stack[0] = first
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            for j in range(graph.start[node], graph.start[node + 1]):
                other = graph.neighbour[j]
                if piece[other] < 0:
                    piece[other] = count
                    stack[height] = other
                    height += 1
        count += 1
    return count, piece


@njit(cache=True)
def _random_tree(n: int, pairs: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the edges of the spanning tree with the smallest keys."""
    parent = np.arange(n)
    tree = np.empty(n - 1, np.int64)
    count = 0
    for e in np.argsort(key):
        a, b = _root(parent, pairs[e, 0]), _root(parent, pairs[e, 1])
        if a != b:
            parent[a] = b
            tree[count] = e
            count += 1
            if count == n - 1:
                break
    return tree


@njit(cache=True)
def _walk(n: int, pairs: np.ndarray, tree: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return atoms in breadth-first order from atom 0, and each atom's parent in the tree."""
    degree = np.zeros(n + 1, np.int64)
    for e in tree:
        degree[pairs[e, 0] + 1] += 1
        degree[pairs[e, 1] + 1] += 1
    start = np.cumsum(degree)
    slot = start[:-1].copy()
    neighbour = np.empty(2 * len(tree), np.int64)
    for e in tree:
        a, b = pairs[e, 0], pairs[e, 1]
        neighbour[slot[a]] = b
        neighbour[slot[b]] = a
        slot[a] += 1
        slot[b] += 1
    order = np.zeros(n, np.int64)
    above = np.full(n, -1, np.int64)
    filled = 1
    for head in range(n):
        node = order[head]
        for j in range(start[node], start[node + 1]):
            if neighbour[j] != above[node]:
                above[neighbour[j]] = node
                order[filled] = neighbour[j]
                filled += 1
    return order, above


@njit(cache=True)
def _side(order: np.ndarray, above: np.ndarray, top: int) -> np.ndarray:
    """Return which atoms hang below the tree's `top`-th atom, itself included."""
    side = np.zeros(len(order), np.bool_)
    side[order[top]] = True
    for j in range(top + 1, len(order)):
        side[order[j]] = side[above[order[j]]]
    return side


@njit(cache=True)
def _bipartition(
    weight: np.ndarray, pairs: np.ndarray, cost: np.ndarray, n_parts: int, random: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return one side of the best tree cut found, and how many parts that side will hold.

    Every second tree keeps dear borders inside, so that cuts fall on main roads.
    """
    n = len(weight)
    total = weight.sum()
    mean = max(total / n_parts, 1e-9)
    best, best_price, best_share = np.zeros(n, np.bool_), np.inf, 1
    key = np.empty(len(pairs))
    for attempt in range(TREES):
        for e in range(len(pairs)):
            key[e] = _uniform(random)
            if attempt % 2 == 0:
                key[e] = -(key[e] ** (1.0 / (0.2 + cost[e])))
        order, above = _walk(n, pairs, _random_tree(n, pairs, key))
        below = weight.copy()
        border = _borders(pairs, cost, order, above)
        for i in range(n - 1, 0, -1):
            below[above[order[i]]] += below[order[i]]
        for i in range(1, n):
            held = below[order[i]]
            share = min(max(int(np.round(held / mean)), 1), n_parts - 1)
            off = abs(held - share * mean) + abs(total - held - (n_parts - share) * mean)
            price = 4.0 * off / mean + 0.3 * abs(share - n_parts / 2.0) / n_parts
            price += 0.05 * border[order[i]]
            if price < best_price:
                best, best_price, best_share = _side(order, above, i), price, share
    return best, best_share


@njit(cache=True)
def _borders(
    pairs: np.ndarray, cost: np.ndarray, order: np.ndarray, above: np.ndarray
) -> np.ndarray:
    """Return, per atom, the cost of all pairs that the cut above its subtree separates.

    A pair is cut by the subtrees on the way from its ends up to where the two ways meet.
    """
    n = len(order)
    depth = np.zeros(n, np.int64)
    for i in range(1, n):
        depth[order[i]] = depth[above[order[i]]] + 1
    border = np.zeros(n)
    for e in range(len(pairs)):
        a, b = pairs[e]
        border[a] += cost[e]
        border[b] += cost[e]
        while a != b:
            if depth[a] >= depth[b]:
                a = above[a]
            else:
                b = above[b]
        border[a] -= 2.0 * cost[e]
    for i in range(n - 1, 0, -1):
        border[above[order[i]]] += border[order[i]]
    return border


@njit(cache=True)
def _split_by_trees(graph: Graph, n_parts: int, random: np.ndarray) -> np.ndarray:
    """Return at most `n_parts` connected parts by recursive bipartition."""
    part = np.zeros(len(graph.weight), np.int64)
    share = np.zeros(n_parts, np.int64)
    share[0] = n_parts
    local = np.zeros(len(graph.weight), np.int64)
    stack = [0]
    used = 1
    while len(stack) > 0:
        p = stack.pop()
        atoms = np.flatnonzero(part == p)
        if share[p] < 2 or len(atoms) < 2:
            continue
        local[atoms] = np.arange(len(atoms))
        pairs = np.empty((graph.start[-1] // 2, 2), np.int64)
        cost = np.empty(len(pairs))
        n_inner = 0
        for node in atoms:
            for j in range(graph.start[node], graph.start[node + 1]):
                other = graph.neighbour[j]
                if other > node and part[other] == p:
                    pairs[n_inner, 0] = local[node]
                    pairs[n_inner, 1] = local[other]
                    cost[n_inner] = graph.cost[graph.edge[j]]
                    n_inner += 1
        side, n_side = _bipartition(
            graph.weight[atoms], pairs[:n_inner], cost[:n_inner], share[p], random
        )
        part[atoms[side]] = used
        share[used] = n_side
        share[p] -= n_side
        stack.append(p)
        stack.append(used)
        used += 1
    return part


@njit(cache=True)
def _price(weight: float, mean: float) -> float:
    """Return the penalty of a part's weight."""
    ratio = weight / mean
    price = (ratio - 1.0) ** 2
    if ratio < LOW:
        price += 4.0 * (LOW - ratio) ** 2 + 0.2
    elif ratio > HIGH:
        price += 4.0 * (ratio - HIGH) ** 2 + 0.2
    return price


@njit(cache=True)
def _change(graph: Graph, part: np.ndarray, load: np.ndarray, atom: int, sink: int) -> float:
    """Return by how much the objective grows when the atom moves to part `sink`."""
    source = part[atom]
    weight = graph.weight[atom]
    mean = max(load.sum() / len(load), 1e-9)
    change = _price(load[source] - weight, mean) - _price(load[source], mean)
    change += _price(load[sink] + weight, mean) - _price(load[sink], mean)
    for j in range(graph.start[atom], graph.start[atom + 1]):
        other = part[graph.neighbour[j]]
        if other == source:
            change += CUT_WEIGHT * graph.cost[graph.edge[j]]
        elif other == sink:
            change -= CUT_WEIGHT * graph.cost[graph.edge[j]]
    return change


@njit(cache=True)
def _stays_whole(graph: Graph, part: np.ndarray, atom: int, mark: np.ndarray, stamp: int) -> bool:
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
    stack = [first]
    while len(stack) > 0:
        node = stack.pop()
        for j in range(graph.start[node], graph.start[node + 1]):
            other = graph.neighbour[j]
            if other == atom:
                wanted -= 1
                if wanted == 0:
                    return True
            elif part[other] == own and mark[other] != stamp:
                mark[other] = stamp
                stack.append(other)
    return False


@njit(cache=True)
def _anneal(graph: Graph, part: np.ndarray, n_parts: int, random: np.ndarray) -> np.ndarray:
    """Improve parts by moving single atoms over a border; return the best parts met."""
    n = len(part)
    load = np.zeros(n_parts)
    for atom in range(n):
        load[part[atom]] += graph.weight[atom]
    value, best_value = 0.0, 0.0
    best = part.copy()
    mark = np.zeros(n, np.int64)
    n_moves = MOVES_PER_ATOM * n
    for move in range(n_moves):
        heat = START_HEAT * (1.0 - move / n_moves) + 1e-9
        e = int(_uniform(random) * len(graph.pairs))
        way = int(_uniform(random) * 2)
        atom, sink = graph.pairs[e, way], part[graph.pairs[e, 1 - way]]
        source = part[atom]
        if source == sink:
            continue
        change = _change(graph, part, load, atom, sink)
        if change > 0 and _uniform(random) > np.exp(-change / heat):
            continue
        if not _stays_whole(graph, part, atom, mark, move + 1):
            continue
        part[atom] = sink
        load[source] -= graph.weight[atom]
        load[sink] += graph.weight[atom]
        value += change
        if value < best_value - 1e-12:
            best_value = value
            best[:] = part
    return best
