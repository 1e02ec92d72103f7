"""Sums of any place indicator from cells up to the city; the parts equal the whole."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Literal, TypeAlias

import geopandas as gpd
import pandas as pd

from geo.boundary import CODE_COLUMN, Wanted, is_enclave
from geo.boundary.code import NUMBER_DIGITS
from geo.errors import ColumnMissing, ValueInvalid
from geo.frames import Col, GridRole, Level
from geo.rate import Rate

UNMATCHED: Final = ""
"""Code of the row that holds what lies in no unit of a level."""

SOURCE: Final = "roll-up"
"""What errors call the frame to be summed."""

CELL: Final = "cell"
"""The level below the villages: basic grids, and independent grids that are one cell."""

LEVELS: Final = (Level.VILLAGE, Level.TOWNSHIP, Level.COUNTY, Level.CITY)

AnyLevel: TypeAlias = Level | Literal["cell"]


def roll_up(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cells: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    by: Sequence[AnyLevel] = LEVELS,
) -> pd.DataFrame:
    """Sum columns of a frame by administrative unit, at each level.

    An independent grid counts in the village, township and county it lies in; `roll_up_roles`
    keeps it apart.

    Parameters
    ----------
    frame : DataFrame
        Any rows with `cell_id` ("" where a row lies in no cell) and the columns to sum. For a rate
        give both its n and its N; shares do not add up.
    columns : sequence of str
        Whole counts: a float column is refused, shares and rates among them.
    cells, boundaries : GeoDataFrame
        CELLS and BOUNDARIES frames.
    by : sequence of Level or "cell"
        Levels wanted.

    Returns
    -------
    DataFrame
        Columns level, code, name and the sums, one row per unit of the boundaries (zeros
        included), levels in the order of `by`, codes ascending. What belongs to no unit of a
        level stands in a row with code "": at every level the rows sum to the whole frame.

    Raises
    ------
    ColumnMissing
        The frame has no `cell_id` or a column to sum is not in it.
    ValueInvalid
        A column that does not hold counts, such as a share.
    """
    parts = []
    whole = _by_cell(frame, columns)
    for level in by:
        units = _units(boundaries, cells, level)
        part = _sums(whole, _unit_of(whole, cells, units, level), units)
        part.insert(0, Col.LEVEL, pd.Series(str(level), index=part.index, dtype="str"))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def roll_up_roles(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cells: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Sum columns of a frame by grid role: by who answers for a place.

    Parameters
    ----------
    frame, columns, cells, boundaries
        As of `roll_up`.

    Returns
    -------
    DataFrame
        Columns level, grid_role, code, name and the sums, at the levels cell, village, township
        and city. An independent grid stands beside the villages with all its cells, and its
        village is without them; a township or village that is itself independent stands beside
        the others. What belongs to no unit has code "" and role none: at every level the rows sum
        to the whole frame.
    """
    parts = []
    whole = _by_cell(frame, columns)
    for level in (CELL, Level.VILLAGE, Level.TOWNSHIP, Level.CITY):
        units = _units(boundaries, cells, level)
        unit = _unit_of(whole, cells, units, level)
        if level is Level.VILLAGE:
            units = pd.concat([units, _independent(boundaries)])
            unit = _set_apart(unit, _independent(boundaries))
        part = _sums(whole, unit, units)
        part.insert(0, Col.GRID_ROLE, _roles(part, cells if level == CELL else boundaries))
        part.insert(0, Col.LEVEL, pd.Series(str(level), index=part.index, dtype="str"))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def rates(
    rolled: pd.DataFrame, *, n: str, total: str, data_date: date, boundary_version: str
) -> list[Rate]:
    """Return the rate of every row of sums.

    Parameters
    ----------
    rolled : DataFrame
        As of `roll_up`, `roll_up_roles` or `carry_over`.
    n, total : str
        Columns of the numerators and denominators.
    data_date : date
        Day the data was true.
    boundary_version : str
        Version of the boundaries.

    Returns
    -------
    list of Rate
        Row by row.

    Raises
    ------
    ValueInvalid
        A column that does not hold counts: a share is no count, and shares do not add up.
    OptionInvalid
        n above N in a row.
    """
    for column in (n, total):
        _require_counts(rolled[column])
    return [
        Rate(n=int(one), total=int(every), data_date=data_date, boundary_version=boundary_version)
        for one, every in zip(rolled[n], rolled[total], strict=True)
    ]


def _require_counts(values: pd.Series) -> None:
    kinds = pd.api.types
    if not (kinds.is_integer_dtype(values.dtype) or kinds.is_bool_dtype(values.dtype)):
        raise ValueInvalid(
            source=SOURCE,
            row="–",
            column=values.name,
            value=f"type {values.dtype}",
            expected=Wanted.COUNTS,
        )


def _require_columns(frame: pd.DataFrame, wanted: Iterable[str], *, source: str) -> None:
    """Refuse a frame without a column.

    Raises
    ------
    ColumnMissing
    """
    for column in wanted:
        if column not in frame.columns:
            found = ", ".join(map(str, frame.columns))
            raise ColumnMissing(source=source, column=column, found=found)


def _by_cell(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the sums of each cell id: a million rows are looked at once, not at every level.

    Raises
    ------
    ColumnMissing, ValueInvalid
    """
    _require_columns(frame, [Col.CELL_ID, *columns], source=SOURCE)
    for column in columns:
        _require_counts(frame[column])
    return frame.groupby(Col.CELL_ID, sort=False)[list(columns)].sum()


def _sums(whole: pd.DataFrame, unit: pd.Series, units: pd.Series) -> pd.DataFrame:
    """Return code, name and sums: the units given, and what else rows name."""
    sums = whole.groupby(unit.to_numpy(), sort=True).sum()
    codes = sorted(set(sums.index) | set(units.index))
    part = sums.reindex(codes, fill_value=0).astype(sums.dtypes.to_dict())
    part.insert(0, Col.NAME, units.reindex(codes).fillna("").astype("str").to_numpy())
    part.insert(0, Col.CODE, pd.Series(codes, index=part.index, dtype="str"))
    return part.reset_index(drop=True)


def _units(boundaries: pd.DataFrame, cells: pd.DataFrame, level: AnyLevel) -> pd.Series:
    """Return the names of a level's units by code; enclaves are parts of their village."""
    if level == CELL:
        return pd.Series("", index=pd.Index(cells[Col.CELL_ID]), dtype="str")
    wanted = (boundaries[Col.LEVEL] == level) & ~is_enclave(boundaries)
    return boundaries[wanted].set_index(Col.CODE)[Col.NAME]


def _unit_of(
    whole: pd.DataFrame, cells: pd.DataFrame, units: pd.Series, level: AnyLevel
) -> pd.Series:
    """Return the code of each cell's unit of a level, by cell id; UNMATCHED for none."""
    if level is Level.CITY:  # everything is the city's, where there is just one
        code = str(units.index[0]) if len(units) == 1 else UNMATCHED
        return pd.Series(code, index=whole.index, dtype="str")
    column = Col.CELL_ID if level == CELL else CODE_COLUMN[Level(level)]
    of_cell = cells.set_index(Col.CELL_ID, drop=False)[column]
    return of_cell.reindex(whole.index).fillna(UNMATCHED)


def _independent(boundaries: pd.DataFrame) -> pd.Series:
    """Return the names of the independent grids inside villages, by code."""
    is_one = is_enclave(boundaries) & (boundaries[Col.GRID_ROLE] == GridRole.INDEPENDENT)
    return boundaries[is_one].set_index(Col.CODE)[Col.NAME]


def _set_apart(unit: pd.Series, independent: pd.Series) -> pd.Series:
    """Return the independent grid instead of the village for its cells.

    A cell's code is that of the unit it was cut from and a number, or the unit's own.
    """
    cell = unit.index.to_series()
    for code in (cell, cell.str[:-NUMBER_DIGITS]):
        unit = unit.mask(code.isin(independent.index) & (unit != UNMATCHED), code)
    return unit


def _roles(part: pd.DataFrame, owners: pd.DataFrame) -> pd.Series:
    """Return the grid role of each row's unit, none for what belongs to no unit."""
    key = Col.CELL_ID if Col.CELL_ID in owners.columns else Col.CODE
    role = owners.set_index(key)[Col.GRID_ROLE].reindex(part[Col.CODE])
    return pd.Series(role.fillna(GridRole.NONE.value).to_numpy(), dtype="str")
