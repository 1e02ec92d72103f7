"""Groups of 10 to 30 households inside basic grids: contiguous, tiling each grid.

Buildings are the atoms; they are neighbours where their Voronoi cells, clipped to the grid, share
a border, and a group is connected over such borders. A building too large for one group is divided
by the number of its households alone, which the group says.
"""

from geo.grid.groups.cut import BAND, TARGET, cut_groups
from geo.grid.groups.quality import GroupQuality, group_notes, measure_groups

__all__ = ["BAND", "TARGET", "GroupQuality", "cut_groups", "group_notes", "measure_groups"]
