"""Boundaries: levels, codes, parents, versions and the nesting of units.

A unit's ancestors are found through `admin_parent`; where a parent's polygon is not in the frame
its code is read from the unit's own (GB/T 2260 county 6, township 9, village 12 digits).
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import ValueInvalid
from geo.frames import Col, Level

CODE_DIGITS: Final = {Level.CITY: 6, Level.COUNTY: 6, Level.TOWNSHIP: 9, Level.VILLAGE: 12}
"""Digits of a unit's code by level: GB/T 2260 and the NBS statistical codes."""

CELL_CODE_DIGITS: Final = 15
"""Digits of a basic grid's code: the village's 12 and a number of 3."""

DEPTH: Final = {Level.CITY: 0, Level.COUNTY: 1, Level.TOWNSHIP: 2, Level.VILLAGE: 3}
"""Levels from the top."""

CODE_COLUMN: Final = {
    Level.COUNTY: Col.COUNTY_CODE,
    Level.TOWNSHIP: Col.TOWNSHIP_CODE,
    Level.VILLAGE: Col.VILLAGE_CODE,
}
"""Column that names a cell's unit of each level."""


def lowest_units(boundaries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the units without a child in the frame: the finest known division of each area."""
    parents = set(boundaries[Col.ADMIN_PARENT])
    return boundaries[~boundaries[Col.CODE].isin(parents)]


def parent_rows(boundaries: pd.DataFrame) -> np.ndarray:
    """Return the row of each unit's parent.

    Returns
    -------
    ndarray of int64, shape (n,)
        -1 where the parent is blank or not in the frame.
    """
    row = {code: k for k, code in enumerate(boundaries[Col.CODE])}
    return np.array([row.get(above, -1) for above in boundaries[Col.ADMIN_PARENT]], dtype=np.int64)


def depths(boundaries: pd.DataFrame) -> np.ndarray:
    """Return how deep each unit lies; an enclave inside a village lies one below the village.

    Returns
    -------
    ndarray of int64, shape (n,)
        Larger is finer. The unit with the largest depth at a point owns the point.
    """
    depth = np.array([DEPTH[Level(level)] for level in boundaries[Col.LEVEL]], dtype=np.int64)
    parent = parent_rows(boundaries)
    for _ in range(len(DEPTH)):
        above = np.where(parent >= 0, depth[parent], -1)
        depth = np.maximum(depth, above + 1)
    return depth


def check_nesting(boundaries: gpd.GeoDataFrame, *, source: str = "boundaries") -> None:
    """Check that parents exist and lie higher.

    A parent may be missing only when the frame holds no unit of any higher level.

    Raises
    ------
    ValueInvalid
        Names the first unit whose parent is missing or does not lie higher.
    """
    level = boundaries[Col.LEVEL].map(DEPTH).to_numpy(dtype=np.int64)
    parent = parent_rows(boundaries)
    bad = (parent < 0) & (level > level.min(initial=len(DEPTH)))
    enclave = level == DEPTH[Level.VILLAGE]
    bad |= (parent >= 0) & (level[parent] >= level) & ~(enclave & (level[parent] == level))
    bad |= parent == np.arange(len(boundaries))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueInvalid(
            source=source,
            row=row + 1,
            column=Col.ADMIN_PARENT,
            value=repr(boundaries[Col.ADMIN_PARENT].iloc[row]),
            expected="the code of a unit of a higher level in the same file",
        )


def unit_codes(boundaries: pd.DataFrame) -> pd.DataFrame:
    """Return the county, township and village each unit belongs to.

    Returns
    -------
    DataFrame
        Row by row as `boundaries`, columns county_code, township_code, village_code; "" where
        the unit lies above the level.
    """
    code = boundaries[Col.CODE].to_numpy(dtype=object)
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    parent = parent_rows(boundaries)
    out = {}
    for wanted, column in CODE_COLUMN.items():
        row = np.arange(len(boundaries))
        for _ in range(len(DEPTH)):
            climb = (level[row] != wanted) | _is_enclave(level, parent, row)
            row = np.where(climb & (parent[row] >= 0), parent[row], row)
        deep = np.array([DEPTH[Level(name)] for name in level]) >= DEPTH[wanted]
        shortened = np.array([_shortened(text, CODE_DIGITS[wanted]) for text in code], dtype=object)
        found = np.where(level[row] == wanted, code[row], shortened)
        out[column] = pd.Series(np.where(deep, found, ""), dtype="str")
    return pd.DataFrame(out)


def _is_enclave(level: np.ndarray, parent: np.ndarray, row: np.ndarray) -> np.ndarray:
    above = parent[row]
    return np.asarray((above >= 0) & (level[above] == level[row]))


def _shortened(code: str, digits: int) -> str:
    return code[:digits] if code.isdigit() and len(code) >= digits else ""


def number_cells(unit_code: str, n_cells: int) -> list[str]:
    """Return the codes of a unit's cells, numbered from 1.

    The unit's code is padded with zeros so that every code has 15 digits: a village's cells get
    3 digits, those of a township or county without villages as many as their shorter code leaves.

    Raises
    ------
    ValueInvalid
        More cells than numbers.
    """
    room = CELL_CODE_DIGITS - len(unit_code)
    if room < 1 or n_cells >= 10**room:
        raise ValueInvalid(
            source="boundaries",
            row="–",
            column=Col.CODE,
            value=repr(unit_code),
            expected=f"a code that leaves room for {n_cells} numbers in {CELL_CODE_DIGITS} digits",
        )
    return [f"{unit_code}{number:0{room}d}" for number in range(1, n_cells + 1)]


def version_of(boundaries: pd.DataFrame, *, source: str = "boundaries") -> str:
    """Return the one boundary version of the frame.

    Raises
    ------
    ValueInvalid
        Two versions in one frame: rates counted on it could name neither.
    """
    versions = boundaries[Col.BOUNDARY_VERSION].unique()
    if len(versions) != 1:
        odd = int(np.flatnonzero((boundaries[Col.BOUNDARY_VERSION] != versions[0]).to_numpy())[0])
        raise ValueInvalid(
            source=source,
            row=odd + 1,
            column=Col.BOUNDARY_VERSION,
            value=repr(versions[1]),
            expected=f"one version, {versions[0]}, in the whole file",
        )
    return str(versions[0])


def valid_on(boundaries: gpd.GeoDataFrame, day: date) -> gpd.GeoDataFrame:
    """Return the units in force on `day`: valid_from <= day < valid_to, blanks being open."""
    at = pd.Timestamp(day)
    begun = boundaries[Col.VALID_FROM].isna() | (boundaries[Col.VALID_FROM] <= at)
    ended = boundaries[Col.VALID_TO].notna() & (boundaries[Col.VALID_TO] <= at)
    return boundaries[begun & ~ended]


def reading_order(xy: np.ndarray, *, n_rows: int | None = None) -> np.ndarray:
    """Return the order of points as a page is read: west to east in a row, rows north to south.

    Parameters
    ----------
    xy : ndarray of float64, shape (n, 2)
    n_rows : int, optional
        Rows of equal height; default the rounded square root of n.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    if len(xy) == 0:
        return np.zeros(0, dtype=np.int64)
    rows = n_rows if n_rows is not None else max(1, round(np.sqrt(len(xy))))
    top, bottom = xy[:, 1].max(), xy[:, 1].min()
    height = max((top - bottom) / rows, 1e-12)
    row = np.minimum(((top - xy[:, 1]) / height).astype(np.int64), rows - 1)
    return np.lexsort((-xy[:, 1], xy[:, 0], row))


def select(boundaries: gpd.GeoDataFrame, levels: Sequence[Level]) -> gpd.GeoDataFrame:
    """Return the units of the given levels."""
    return boundaries[boundaries[Col.LEVEL].isin([level.value for level in levels])]
