"""Units: their levels, parents, grid roles, and the institutions among them.

A unit's ancestors are found through `admin_parent`; where a parent's polygon is not in the frame
its code is read from the unit's own (GB/T 2260 county 6, township 9, village 12 digits).

`admin_parent` and `grid_role` are two attributes: who governs a unit, and what it is in the grid.
An independent grid (独立网格) is an enclave: a row of level village whose parent is a village. It
belongs to that village in the one sense and stands beside its basic grids in the other.
"""

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.boundary.code import CODE_DIGITS, are_independent
from geo.boundary.wanted import Wanted
from geo.errors import ValueInvalid
from geo.frames import Col, GridRole, InstitutionKind, Level

DEPTH: Final = {Level.CITY: 0, Level.COUNTY: 1, Level.TOWNSHIP: 2, Level.VILLAGE: 3}
"""Levels from the top."""

CODE_COLUMN: Final = {
    Level.COUNTY: Col.COUNTY_CODE,
    Level.TOWNSHIP: Col.TOWNSHIP_CODE,
    Level.VILLAGE: Col.VILLAGE_CODE,
}
"""Column that names a cell's unit of each level."""

ROLE_OF_LEVEL: Final = {
    Level.CITY: GridRole.COORDINATION,
    Level.COUNTY: GridRole.NONE,
    Level.TOWNSHIP: GridRole.SUPERVISION,
    Level.VILLAGE: GridRole.RESPONSIBILITY,
}
"""Role of a unit that is no independent grid: 市 统筹, 镇街 监督, 村居 责任; a county has none."""

ROLES_OF_LEVEL: Final = {
    Level.CITY: (GridRole.COORDINATION, GridRole.NONE),
    Level.COUNTY: (GridRole.NONE,),
    Level.TOWNSHIP: (GridRole.SUPERVISION, GridRole.INDEPENDENT, GridRole.NONE),
    Level.VILLAGE: (GridRole.RESPONSIBILITY, GridRole.INDEPENDENT, GridRole.NONE),
}
"""Roles that fit a level; none where a city keeps no grid. Basic grids and groups are cells."""

INSTITUTION_PATTERNS: Final = (
    (r"小区|家园|花园|公寓|住宅|苑$|residential|estate$", InstitutionKind.RESIDENTIAL),
    (r"学校|小学|中学|一中|学院|大学|幼儿园|school|college|university", InstitutionKind.SCHOOL),
    (r"医院|卫生院|hospital|clinic", InstitutionKind.HOSPITAL),
    (r"市场|商城|商场|购物|广场|market|mall", InstitutionKind.MARKET),
    (r"公司|集团|企业|工厂|厂$|园区|产业园|工业园|enterprise|company|factory|works$",
     InstitutionKind.ENTERPRISE),
)  # fmt: skip
"""Tried in this order on a name that comes without a kind: 大学家园 is an estate."""


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


def is_enclave(boundaries: pd.DataFrame) -> np.ndarray:
    """Tell which units lie inside a village: its parent is one, by row or by its 12 digits."""
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    digits = boundaries[Col.ADMIN_PARENT].str.len().to_numpy()
    inside = _lies_in_its_like(level, parent_rows(boundaries), np.arange(len(boundaries)))
    named = (level == Level.VILLAGE.value) & (digits == CODE_DIGITS[Level.VILLAGE])
    return np.asarray(inside | named, dtype=bool)


def is_cut(boundaries: pd.DataFrame) -> np.ndarray:
    """Tell which units are cut into basic grids.

    Units without a child of their own but for enclaves; of the enclaves those of the residential
    kind. Every other enclave is one cell by itself, under its own code.
    """
    enclave = is_enclave(boundaries)
    has_parts = set(boundaries.loc[~enclave, Col.ADMIN_PARENT])
    lowest = ~boundaries[Col.CODE].isin(has_parts).to_numpy()
    is_home = institution_kinds(boundaries) == InstitutionKind.RESIDENTIAL
    return np.asarray(lowest & (~enclave | is_home.to_numpy()), dtype=bool)


def institution_kinds(boundaries: pd.DataFrame) -> pd.Series:
    """Return the kind of institution each unit is.

    Returns
    -------
    Series of str
        Words of `InstitutionKind`: what the column `institution` states where it is there; else
        what the name of an independent grid says, "other" where it says nothing. "none" for
        every other unit.
    """
    independent = (boundaries[Col.GRID_ROLE] == GridRole.INDEPENDENT) & is_enclave(boundaries)
    by_name = pd.Series(InstitutionKind.OTHER.value, index=boundaries.index, dtype="str")
    for pattern, kind in reversed(INSTITUTION_PATTERNS):
        said = boundaries[Col.NAME].str.contains(pattern, case=False)
        by_name = by_name.mask(said, kind.value)
    if Col.INSTITUTION in boundaries.columns:
        stated = boundaries[Col.INSTITUTION]
        by_name = stated.where(~stated.isin(["", InstitutionKind.NONE.value]), by_name)
    return by_name.where(independent, InstitutionKind.NONE.value).astype("str")


def check_nesting(
    boundaries: pd.DataFrame, *, source: str = "boundaries", rows: np.ndarray | None = None
) -> None:
    """Check that parents exist and lie higher.

    A parent may be missing only when the frame holds no unit of any higher level. An enclave lies
    in a village that is itself none.

    Parameters
    ----------
    boundaries : DataFrame
        Rows of a BOUNDARIES frame.
    source : str
        What the user calls the frame.
    rows : ndarray of int64, optional
        Number of each row in the file, where that is not its place in the frame.

    Raises
    ------
    ValueInvalid
        Names the first unit whose parent is missing or does not lie higher.
    """
    level = boundaries[Col.LEVEL].map(DEPTH).to_numpy(dtype=np.int64)
    parent = parent_rows(boundaries)
    bad = (parent < 0) & (level > level.min(initial=len(DEPTH)))
    enclave = (level == DEPTH[Level.VILLAGE]) & (parent >= 0) & (level[parent] == level)
    bad |= (parent >= 0) & (level[parent] >= level) & ~enclave
    bad |= enclave & enclave[parent]
    bad |= parent == np.arange(len(boundaries))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueInvalid(
            source=source,
            row=first + 1 if rows is None else int(rows[first]),
            column=Col.ADMIN_PARENT,
            value=repr(boundaries[Col.ADMIN_PARENT].iloc[first]),
            expected=Wanted.HIGHER_UNIT,
        )


def misfit_roles(boundaries: pd.DataFrame) -> np.ndarray:
    """Tell which units have a grid role that their level cannot have, or an enclave not its own."""
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    role = boundaries[Col.GRID_ROLE].to_numpy(dtype=object)
    bad: np.ndarray = np.zeros(len(boundaries), dtype=bool)
    for name, roles in ROLES_OF_LEVEL.items():
        bad |= (level == name.value) & ~np.isin(role, [each.value for each in roles])
    bad |= is_enclave(boundaries) & (role == GridRole.RESPONSIBILITY.value)
    return bad


def unit_codes(boundaries: pd.DataFrame) -> pd.DataFrame:
    """Return the county, township and village each unit belongs to.

    Returns
    -------
    DataFrame
        Row by row as `boundaries`, columns county_code, township_code, village_code; "" where
        the unit lies above the level. An enclave belongs to its village.
    """
    code = boundaries[Col.CODE].to_numpy(dtype=object)
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    deep = boundaries[Col.LEVEL].map(DEPTH).to_numpy(dtype=np.int64)
    parent, part = parent_rows(boundaries), are_independent(boundaries[Col.CODE])
    out = {}
    for wanted, column in CODE_COLUMN.items():
        row = np.arange(len(boundaries))
        for _ in range(len(DEPTH)):
            climb = (level[row] != wanted) | _lies_in_its_like(level, parent, row)
            row = np.where(climb & (parent[row] >= 0), parent[row], row)
        shortened = np.array([_shortened(text, CODE_DIGITS[wanted]) for text in code], dtype=object)
        is_own = (level[row] == wanted) & ~part[row]
        found = np.where(is_own, code[row], shortened)
        out[column] = pd.Series(np.where(deep >= DEPTH[wanted], found, ""), dtype="str")
    return pd.DataFrame(out)


def select(boundaries: gpd.GeoDataFrame, levels: Sequence[Level]) -> gpd.GeoDataFrame:
    """Return the units of the given levels."""
    return boundaries[boundaries[Col.LEVEL].isin([level.value for level in levels])]


def _lies_in_its_like(level: np.ndarray, parent: np.ndarray, row: np.ndarray) -> np.ndarray:
    above = parent[row]
    return np.asarray((above >= 0) & (level[above] == level[row]))


def _shortened(code: str, digits: int) -> str:
    return code[:digits] if code.isdigit() and len(code) >= digits else ""
