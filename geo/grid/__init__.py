"""Basic grids: cut along streets inside the smallest boundaries, and points assigned to them."""

from geo.grid.cut import cut_cells
from geo.grid.locate import Split, assign_cells, split_by_cells
from geo.grid.quality import CutQuality, grid_notes, measure_cells
from geo.grid.warm import warm_up

__all__ = [
    "CutQuality",
    "Split",
    "assign_cells",
    "cut_cells",
    "grid_notes",
    "measure_cells",
    "split_by_cells",
    "warm_up",
]
