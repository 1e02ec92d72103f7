"""Atoms: what cells are put together from, and the borders between them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.grid.blocks import MAIN, Blocks
from geo.grid.graph import Graph, make_graph

BORDER_PRICE: Final = np.array([18.0, 0.0, -18.0])
"""Price of a border as long as a square cell's perimeter, in `partition.COST_WEIGHT`: through a
block, on a street or shore, on a main road or rail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """Blocks after slivers joined a neighbour, ordered by unit; pairs lie inside one unit.

    Attributes
    ----------
    of_block : ndarray of int64, shape (n_blocks,)
        Atom of each block.
    unit : ndarray of int64, shape (n,)
        Row of the boundary frame, ascending.
    households, biggest, area, rim : ndarray, shape (n,)
        Households, the most households of one building, m2, metres of perimeter.
    pairs : ndarray of int64, shape (m, 2)
        Ascending, so ordered by unit as well.
    shared : ndarray of float64, shape (m, 3)
        Metres in common by rank of what they lie on.
    """

    of_block: np.ndarray
    unit: np.ndarray
    households: np.ndarray
    biggest: np.ndarray
    area: np.ndarray
    rim: np.ndarray
    pairs: np.ndarray
    shared: np.ndarray


def contract(blocks: Blocks, atom: np.ndarray) -> Atoms:
    """Return the atoms that blocks make up.

    Parameters
    ----------
    atom : ndarray of int64, shape (n_blocks,)
        Block that stands for each block's atom.
    """
    stands_for, of_block = np.unique(atom, return_inverse=True)
    by_unit = np.argsort(blocks.unit[stands_for], kind="stable")
    of_block = np.argsort(by_unit)[of_block]
    unit = blocks.unit[stands_for[by_unit]]
    n = len(unit)
    pairs = np.sort(of_block[blocks.borders.pairs], axis=1)
    within = pairs[:, 0] == pairs[:, 1]
    between = ~within & (unit[pairs[:, 0]] == unit[pairs[:, 1]])
    inner = np.bincount(pairs[within, 0], blocks.borders.length[within], minlength=n)
    pairs, which = np.unique(pairs[between], axis=0, return_inverse=True)
    slot = 3 * which.reshape(-1) + blocks.rank[between]
    shared = np.bincount(slot, blocks.borders.length[between], minlength=3 * len(pairs))
    biggest = np.zeros(n, dtype=np.int64)
    np.maximum.at(biggest, of_block, blocks.biggest)
    return Atoms(
        of_block=of_block,
        unit=unit,
        households=np.bincount(of_block, blocks.households, minlength=n),
        biggest=biggest,
        area=np.bincount(of_block, blocks.area, minlength=n),
        rim=np.bincount(of_block, blocks.rim, minlength=n) - 2 * inner,
        pairs=pairs,
        shared=shared.reshape(-1, 3),
    )


def graph_of(
    atoms: Atoms, unit: int, *, area_per_cell: float, target: float
) -> tuple[slice, Graph, np.ndarray]:
    """Return where a unit's atoms stand, their graph, and the pairs that meet on a main road.

    Parameters
    ----------
    area_per_cell : float
        m2 by which a unit is cut where no household of it is known.
    target : float
        Households a cell should have.
    """
    low, high = np.searchsorted(atoms.unit, [unit, unit + 1])
    first, last = np.searchsorted(atoms.pairs[:, 0], [low, high])
    nodes, rows = slice(int(low), int(high)), slice(int(first), int(last))
    weight, area = atoms.households[nodes], atoms.area[nodes]
    if weight.sum() == 0:
        weight, target = np.minimum(area, area_per_cell), area_per_cell
    side = np.sqrt(area.sum() / max(1.0, weight.sum() / target))
    shared = atoms.shared[rows]
    graph = make_graph(
        weight,
        atoms.pairs[rows] - low,
        shared @ BORDER_PRICE / (4 * side),
        area=area,
        rim=atoms.rim[nodes],
        shared=shared.sum(axis=1),
    )
    return nodes, graph, shared[:, MAIN] > 0
