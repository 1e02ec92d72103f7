"""Why a cell lies outside the aim, and why one reaches over a main road."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.frames import Col, CrossReason, GridReason, GridRole
from geo.grid.atoms import Atoms
from geo.grid.blocks import MAIN
from geo.grid.graph import components, make_graph
from geo.grid.partition import AIM
from geo.grid.zone import is_divisible


def explain_cells(
    cells: gpd.GeoDataFrame,
    atoms: Atoms,
    cell: np.ndarray,
    zone: np.ndarray,
    piece: np.ndarray,
    *,
    target: float,
) -> pd.DataFrame:
    """Return why each cell outside the aim lies there.

    Parameters
    ----------
    cells : GeoDataFrame
        CELLS frame.
    cell, zone, piece : ndarray of int64, shape (n_atoms,)
        Row of the cell, zone and piece of each atom.
    target : float
        Households a cell should have.

    Returns
    -------
    DataFrame
        GRID_REASONS, sorted by `cell_id`; without the independent grids that are not cut and
        without units whose households are unknown.
    """
    totals = {name: _total_by_cell(of, atoms, cell, len(cells)) for name, of in
              (("unit", atoms.unit), ("piece", piece), ("zone", zone))}  # fmt: skip
    block, building = _largest(atoms.households, cell, cells), _largest(atoms.biggest, cell, cells)
    held = cells[Col.HOUSEHOLDS].to_numpy()
    basic = (cells[Col.GRID_ROLE] == GridRole.BASIC).to_numpy() & (totals["unit"] > 0)
    low, high = AIM[0] * target, AIM[1] * target
    causes = (
        (GridReason.BUILDING, building > high, building),
        (GridReason.TOTAL, ~_divisible(totals["unit"], target), totals["unit"]),
        (GridReason.PIECE, ~_divisible(totals["piece"], target), totals["piece"]),
        (GridReason.BLOCK, block > high, block),
        (GridReason.MAIN_ROAD, ~_divisible(totals["zone"], target), totals["zone"]),
        (GridReason.COARSE, np.ones(len(cells), dtype=bool), block),
    )
    which = np.argmax([applies for _, applies, _ in causes], axis=0)
    limit = np.choose(which, [value for _, _, value in causes])
    out = np.flatnonzero(basic & ((held < low) | (held > high)))
    return pd.DataFrame(
        {
            Col.CELL_ID: cells[Col.CELL_ID].to_numpy()[out],
            Col.HOUSEHOLDS: held[out],
            Col.REASON: pd.Series([causes[k][0].value for k in which[out]], dtype="str"),
            Col.LIMIT: limit[out].astype(np.int64),
        }
    ).astype({Col.CELL_ID: "str"})


def _total_by_cell(of: np.ndarray, atoms: Atoms, cell: np.ndarray, n_cells: int) -> np.ndarray:
    """Return the households of the unit, piece or zone that each cell is a part of."""
    total = np.bincount(of, atoms.households)
    out = np.zeros(n_cells)
    out[cell] = total[of]
    return out


def _largest(values: np.ndarray, cell: np.ndarray, cells: gpd.GeoDataFrame) -> np.ndarray:
    out = np.zeros(len(cells))
    np.maximum.at(out, cell, values)
    return out


def _divisible(totals: np.ndarray, target: float) -> np.ndarray:
    values, which = np.unique(totals, return_inverse=True)
    return np.array([is_divisible(value, target) for value in values], dtype=bool)[which]


def list_crossings(cells: gpd.GeoDataFrame, atoms: Atoms, cell: np.ndarray) -> pd.DataFrame:
    """Return the cells that reach over a main road or rail: metres of it inside, and why.

    Returns
    -------
    DataFrame
        GRID_CROSSINGS, sorted by `cell_id`. "side": what the road cuts off cannot be divided by
        itself and had to join the other side. "dead_end": the road ends inside the cell. A strip
        without households (a median, a verge) that joined one side is no crossing.
    """
    is_main = atoms.shared[:, MAIN] > 0
    graph = make_graph(atoms.households, atoms.pairs[~is_main], np.zeros((~is_main).sum()))
    side = components(graph)[1]
    place, slot = np.unique(np.stack([cell, side], axis=1), axis=0, return_inverse=True)
    held = np.bincount(slot.reshape(-1), atoms.households, minlength=len(place))[slot.reshape(-1)]
    one, other = atoms.pairs[is_main].T
    lived_in = (side[one] == side[other]) | ((held[one] > 0) & (held[other] > 0))
    inside = (cell[one] == cell[other]) & lived_in
    one, other, metres = one[inside], other[inside], atoms.shared[is_main, MAIN][inside]
    row, which = np.unique(cell[one], return_inverse=True)
    cut_off = np.bincount(which, side[one] != side[other], minlength=len(row)) > 0
    reason = np.where(cut_off, CrossReason.SIDE.value, CrossReason.DEAD_END.value)
    return pd.DataFrame(
        {
            Col.CELL_ID: pd.Series(cells[Col.CELL_ID].to_numpy()[row], dtype="str"),
            Col.LENGTH: np.bincount(which, metres, minlength=len(row)).astype(np.float64),
            Col.REASON: pd.Series(reason, dtype="str"),
        }
    )
