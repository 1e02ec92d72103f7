"""A register or boundary layer as the matching sees it: rows with code, name, level and parent."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from geo.boundary.code import parents_of
from geo.boundary.name import OwnName, own_name
from geo.boundary.unit import DEPTH
from geo.frames import Col, Level


@dataclass(frozen=True, slots=True)
class Listing:
    """The units of one version, by row.

    Attributes
    ----------
    codes, names : tuple of str
    levels : tuple of Level
    own : tuple of OwnName
    above : tuple of str
        Code of each unit's parent, whether it is listed or not.
    parent : tuple of int
        Row of it, -1 where it is not listed.
    row_of : dict
        Row of a code.
    children : dict
        Rows of the units of a parent, by its row.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[Level, ...]
    own: tuple[OwnName, ...]
    above: tuple[str, ...]
    parent: tuple[int, ...]
    row_of: dict[str, int]
    children: dict[int, list[int]]

    def __len__(self) -> int:
        return len(self.codes)

    def tail(self, row: int) -> str:
        """Return what a unit's code adds to its parent's; "" where it does not begin with that."""
        code, above = self.codes[row], self.above[row]
        return code[len(above) :] if above and code.startswith(above) else ""

    def stems(self, rows: Iterable[int]) -> set[str]:
        """Return the own names of units."""
        return {self.own[row].folded for row in rows}

    def depth(self, row: int) -> int:
        """Return how many listed units stand above."""
        up, depth = self.parent[row], 0
        while up >= 0 and depth <= len(DEPTH):
            up, depth = self.parent[up], depth + 1
        return depth

    def is_village(self, row: int) -> bool:
        """Tell whether a unit is a village, and no independent grid inside one."""
        up = self.parent[row]
        inside = up >= 0 and self.levels[up] is Level.VILLAGE
        return self.levels[row] is Level.VILLAGE and not inside

    def at_level(self, row: int, level: Level) -> int:
        """Return the row of a unit's listed ancestor of a level, -1 without one."""
        for _ in range(len(DEPTH) + 1):
            if row < 0 or self.levels[row] == level:
                return row
            row = self.parent[row]
        return -1


def listing_of(units: pd.DataFrame) -> Listing:
    """Return the listing of a register or of a BOUNDARIES frame.

    Parents are those of `admin_parent` where there is such a column, else those of the codes.
    """
    codes = tuple(map(str, units[Col.CODE]))
    names = tuple(map(str, units[Col.NAME]))
    levels = tuple(Level(level) for level in units[Col.LEVEL])
    if Col.ADMIN_PARENT in units.columns:
        above = tuple(map(str, units[Col.ADMIN_PARENT]))
    else:
        above = tuple(map(str, parents_of(units[Col.CODE], units[Col.LEVEL])))
    row_of = {code: row for row, code in enumerate(codes)}
    parent = tuple(row_of.get(code, -1) for code in above)
    children: dict[int, list[int]] = defaultdict(list)
    for row, up in enumerate(parent):
        children[up].append(row)
    own = tuple(own_name(name, level) for name, level in zip(names, levels, strict=True))
    return Listing(codes, names, levels, own, above, parent, row_of, dict(children))
