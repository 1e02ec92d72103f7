"""Basic grids: cut along streets inside the smallest boundaries, and points assigned to them."""

from geo.grid.cut import Cut, cut_cells, cut_grids
from geo.grid.keep import Kept, keep_codes
from geo.grid.locate import Split, assign_cells, split_by_cells
from geo.grid.quality import CutQuality, grid_notes, measure_cells
from geo.grid.score import GridScore, score_cells
from geo.grid.warm import warm_up

__all__ = [
    "Cut",
    "CutQuality",
    "GridScore",
    "Kept",
    "Split",
    "assign_cells",
    "cut_cells",
    "cut_grids",
    "grid_notes",
    "keep_codes",
    "measure_cells",
    "score_cells",
    "split_by_cells",
    "warm_up",
]
