"""Sums of any place indicator from cells up to the city; the parts equal the whole."""

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import pandas as pd

from geo.boundary import CODE_COLUMN
from geo.frames import Col, Level

UNMATCHED: Final = ""
"""Code of the row that holds what lies in no unit of a level."""

LEVELS: Final = (Level.VILLAGE, Level.TOWNSHIP, Level.COUNTY, Level.CITY)


def roll_up(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cells: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    by: Sequence[Level] = LEVELS,
) -> pd.DataFrame:
    """Sum columns of a frame by unit, at each level.

    Parameters
    ----------
    frame : DataFrame
        Any rows with `cell_id` ("" where a row lies in no cell) and the columns to sum. For a rate
        give both its n and its N; shares do not add up.
    columns : sequence of str
    cells, boundaries : GeoDataFrame
        CELLS and BOUNDARIES frames.
    by : sequence of Level
        Levels wanted.

    Returns
    -------
    DataFrame
        Columns level, code, name and the sums, one row per unit of the boundaries (zeros
        included), levels in the order of `by`, codes ascending. What belongs to no unit of a
        level stands in a row with code "": at every level the rows sum to the whole frame.
    """
    wanted = list(columns)
    names = boundaries.set_index(Col.CODE)[Col.NAME]
    parts = []
    for level in by:
        sums = frame.groupby(_unit_of(frame, cells, level), sort=True)[wanted].sum()
        of_level = boundaries.loc[boundaries[Col.LEVEL] == level.value, Col.CODE]
        codes = sorted(set(sums.index) | set(of_level))
        if level is Level.CITY and len(of_level) == 1:
            codes = list(of_level)
            sums = pd.DataFrame([frame[wanted].sum()], index=codes)
        part = sums.reindex(codes, fill_value=0).astype(sums.dtypes.to_dict())
        part.insert(0, Col.NAME, names.reindex(codes).fillna("").to_numpy())
        part.insert(0, Col.CODE, pd.Series(codes, index=part.index, dtype="str"))
        part.insert(0, Col.LEVEL, pd.Series(level.value, index=part.index, dtype="str"))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _unit_of(frame: pd.DataFrame, cells: pd.DataFrame, level: Level) -> pd.Series:
    """Return the code of each row's unit of a level; "" for none."""
    if level is Level.CITY:
        return pd.Series(UNMATCHED, index=frame.index)
    of_cell = cells.set_index(Col.CELL_ID)[CODE_COLUMN[level]]
    found = of_cell.reindex(frame[Col.CELL_ID].to_numpy()).fillna(UNMATCHED)
    return pd.Series(found.to_numpy(), index=frame.index)
