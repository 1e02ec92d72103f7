"""Points to cells: every point gets exactly one cell, decided in whole numbers.

Points and cells are compared on the lattice of written coordinates (1e-7 degree), where every
test is exact integer arithmetic. One rule for all, from the geometry alone, never from codes or
the order of rows, so that every version and engine gives the same answer:

* A point on a border belongs to the unit just east of it; where the border runs due east and west,
  to the one just north. There the point moved by (e, e²) would lie, e endlessly small: every vertex
  and every point of an edge inside an edge-matched coverage has exactly one owner.
* A point that nobody owns by that, on the outer border or up to 1 cm beyond, belongs to the nearest
  unit; of units equally near (they meet in a vertex there) to the first met turning
  counterclockwise from east.

`audit_join` lists the points that needed the rule, and those that no cell holds.
"""

from geo.grid.locate.audit import Join, audit_join, join_points
from geo.grid.locate.cells import CellFinder, Split, assign_cells, index_of, split_by_cells
from geo.grid.locate.index import Index, build_index
from geo.grid.locate.near import nearest_units
from geo.grid.locate.rule import Owners, find_owners, locate, look_up

__all__ = [
    "CellFinder",
    "Index",
    "Join",
    "Owners",
    "Split",
    "assign_cells",
    "audit_join",
    "build_index",
    "find_owners",
    "index_of",
    "join_points",
    "locate",
    "look_up",
    "nearest_units",
    "split_by_cells",
]
