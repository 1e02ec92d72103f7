"""Codes that outlive a new cut: a cell keeps the code of the old cell it overlaps most."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import number_cells
from geo.boundary.code import NUMBER_DIGITS
from geo.frames import CELL_ALIASES, AliasCase, Col, GridRole
from geo.grid.quality import units_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A new cut under old codes.

    Attributes
    ----------
    cells : GeoDataFrame
        The new cells; those that follow an old one under its code, the others under the next free
        numbers of their unit. Sorted by `cell_id`.
    aliases : DataFrame
        CELL_ALIASES: where every code ever used leads today.
    new_code : dict of str to str
        Code in the cut as it was given -> code now.
    """

    cells: gpd.GeoDataFrame
    aliases: pd.DataFrame
    new_code: dict[str, str]


def keep_codes(
    cells: gpd.GeoDataFrame, old: gpd.GeoDataFrame, *, aliases: pd.DataFrame | None = None
) -> Kept:
    """Give a new cut the codes of the old one; no code is ever given twice.

    Parameters
    ----------
    cells : GeoDataFrame
        CELLS frame of the new cut.
    old : GeoDataFrame
        CELLS frame of the cut before.
    aliases : DataFrame, optional
        CELL_ALIASES of all cuts before: codes that were used once and are not in `old`.

    Returns
    -------
    Kept

    Raises
    ------
    ValueInvalid
        A unit has no number left.

    Notes
    -----
    Within one unit, pairs of old and new cells are taken by the area they share, the largest
    first, each cell once. An independent grid that is not cut keeps its own code.
    """
    overlap = _overlaps(cells, old)
    follows = _match(overlap, cells, old)
    before = [] if aliases is None else aliases[Col.ALIAS_ID].tolist()
    code = _codes(cells, old, follows, {*old[Col.CELL_ID], *before})
    kept = cells.assign(**{Col.CELL_ID: pd.Series(code, index=cells.index, dtype="str")})
    return Kept(
        cells=kept.sort_values(Col.CELL_ID, ignore_index=True),
        aliases=_aliases(overlap, code, old, aliases),
        new_code=dict(zip(cells[Col.CELL_ID], code, strict=True)),
    )


def _overlaps(cells: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return every pair of rows that share area: `old`, `new`, and share of the old cell's."""
    polygons, before = cells.geometry.to_numpy(), old.geometry.to_numpy()
    row, found = shapely.STRtree(polygons).query(before, predicate="intersects")
    shared = shapely.area(shapely.intersection(before[row], polygons[found]))
    share = np.minimum(shared / shapely.area(before[row]), 1.0)
    pairs = pd.DataFrame({"old": row, "new": found, "shared": shared, Col.SHARE: share})
    return pairs[pairs[Col.SHARE] > 0].sort_values(["shared", "old"], ascending=[False, True])


def _match(overlap: pd.DataFrame, cells: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> dict[int, int]:
    """Return the old row each new row follows, both of one unit."""
    unit, unit_before = units_of(cells).to_numpy(), units_of(old).to_numpy()
    follows: dict[int, int] = {}
    taken: set[int] = set()
    for before, row in zip(overlap["old"], overlap["new"], strict=True):
        is_free = row not in follows and before not in taken
        if is_free and unit[row] == unit_before[before]:
            follows[row] = before
            taken.add(before)
    return follows


def _codes(
    cells: gpd.GeoDataFrame, old: gpd.GeoDataFrame, follows: dict[int, int], used: set[str]
) -> list[str]:
    """Return the codes of the new cells, in their order."""
    before, fresh = old[Col.CELL_ID].tolist(), cells[Col.CELL_ID].tolist()
    unit = units_of(cells).tolist()
    is_whole = (cells[Col.GRID_ROLE] == GridRole.INDEPENDENT).tolist()
    out = []
    last: dict[str, int] = {}
    for row, code in enumerate(fresh):
        if is_whole[row] or row in follows:
            out.append(code if is_whole[row] else before[follows[row]])
            continue
        owner = _owner(code, unit[row])
        if owner not in last:
            last[owner] = _last_number(owner, used)
        last[owner] += 1
        out.append(number_cells(owner, last[owner])[-1])
    return out


def _owner(code: str, unit: str) -> str:
    """Return the code of the unit a cell is numbered in: its unit, or an independent grid in it."""
    is_own = code in number_cells(unit, 1) or len(code) == len(number_cells(unit, 1)[0])
    return unit if is_own else code[:-NUMBER_DIGITS]


def _last_number(owner: str, used: set[str]) -> int:
    """Return the highest number given to a cell of a unit."""
    length = len(number_cells(owner, 1)[0])
    numbers = [
        int(code[len(owner) :]) for code in used if code.startswith(owner) and len(code) == length
    ]
    return max(numbers, default=0)


def _aliases(
    overlap: pd.DataFrame, code: list[str], old: gpd.GeoDataFrame, earlier: pd.DataFrame | None
) -> pd.DataFrame:
    """Return where each old code leads: to itself, to the cell that has most of it, or nowhere."""
    most = overlap.sort_values(Col.SHARE, ascending=False).drop_duplicates("old").set_index("old")
    alias = old[Col.CELL_ID].tolist()
    row_of = {name: row for row, name in enumerate(code)}
    shares = overlap.set_index(["old", "new"])[Col.SHARE].to_dict()
    rows: list[tuple[str, str, str, float]] = []
    for row, name in enumerate(alias):
        if name in row_of:
            share = float(shares.get((row, row_of[name]), 0.0))
            rows.append((name, name, AliasCase.KEPT.value, share))
        elif row in most.index:
            found, share = int(most["new"][row]), float(most[Col.SHARE][row])
            rows.append((name, code[found], AliasCase.MERGED.value, share))
        else:
            rows.append((name, "", AliasCase.GONE.value, 0.0))
    now = {name: target for name, target, _, _ in rows}
    if earlier is not None:
        for name, target, case, share in earlier.itertuples(index=False):
            if name not in now:
                rows.append((name, now.get(target, target), _case_now(case), share))
    frame = pd.DataFrame(sorted(rows), columns=list(CELL_ALIASES.columns))
    return frame.astype(dict.fromkeys(frame.columns[:3], "str"))


def _case_now(case: str) -> str:
    """Return what a code of an earlier cut is now: it can no longer be kept."""
    return AliasCase.MERGED.value if case == AliasCase.KEPT else case
