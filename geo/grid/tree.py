"""Random spanning trees, and the two connected sides that cutting one of their edges leaves."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from geo.grid.graph import Graph

TREES: Final = 8
"""Random trees tried per bipartition."""


@njit(cache=True)
def uniform(random: np.ndarray) -> float:
    """Return the next number of [0, 1): xorshift64* (Vigna, ACM TOMS 42, 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def root(parent: np.ndarray, node: int) -> int:
    """Return the root of a node, halving the way there."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True)
def _random_tree(n: int, pairs: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return the edges of the spanning tree with the smallest keys."""
    parent = np.arange(n)
    tree = np.empty(n - 1, np.int64)
    count = 0
    for e in np.argsort(key):
        a, b = root(parent, pairs[e, 0]), root(parent, pairs[e, 1])
        if a != b:
            parent[a] = b
            tree[count] = e
            count += 1
            if count == n - 1:
                break
    return tree[:count]


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
            key[e] = uniform(random)
            if attempt % 2 == 0:
                key[e] = -(key[e] ** (1.0 / (0.2 + max(cost[e], 0.0))))
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
def _split_off(  # noqa: PLR0917  (a kernel takes no keywords)
    graph: "Graph",
    part: np.ndarray,
    atoms: np.ndarray,
    local: np.ndarray,
    n_parts: int,
    random: np.ndarray,
) -> tuple[np.ndarray, int]:
    """Return which of a connected part's atoms leave it, and how many parts they will hold."""
    own = part[atoms[0]]
    local[atoms] = np.arange(len(atoms))
    pairs = np.empty((graph.start[-1] // 2, 2), np.int64)
    cost = np.empty(len(pairs))
    n_inner = 0
    for node in atoms:
        for j in range(graph.start[node], graph.start[node + 1]):
            other = graph.neighbour[j]
            if other > node and part[other] == own:
                pairs[n_inner, 0] = local[node]
                pairs[n_inner, 1] = local[other]
                cost[n_inner] = graph.cost[graph.edge[j]]
                n_inner += 1
    return _bipartition(graph.weight[atoms], pairs[:n_inner], cost[:n_inner], n_parts, random)


@njit(cache=True)
def split_by_trees(graph: "Graph", n_parts: int, random: np.ndarray) -> np.ndarray:
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
        side, n_side = _split_off(graph, part, atoms, local, share[p], random)
        part[atoms[side]] = used
        share[used] = n_side
        share[p] -= n_side
        stack.append(p)
        stack.append(used)
        used += 1
    return part


@njit(cache=True)
def split_pair(
    graph: "Graph", part: np.ndarray, one: int, other: int, random: np.ndarray
) -> np.ndarray:
    """Return the parts with two neighbours among them merged and divided anew."""
    trial = part.copy()
    trial[trial == other] = one
    atoms = np.flatnonzero(trial == one)
    local = np.zeros(len(trial), np.int64)
    side, _ = _split_off(graph, trial, atoms, local, 2, random)
    trial[atoms[side]] = other
    return trial
