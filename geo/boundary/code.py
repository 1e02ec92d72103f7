"""Codes: what their digits say of level and parent, and how grids are numbered.

=========================  =========  ==================================================
unit                       digits     made of
=========================  =========  ==================================================
city, county               6          GB/T 2260; a city's ends in 00
township                   9          county + 3
village                    12         township + 3 (NBS statistical code)
independent grid (独立)    14         village + 01 to 99
basic grid (基础网格)      15         village + 001 to 999
… of an independent grid   17         independent grid + 001 to 999, the residential kind only
group (小组)               17 or 19   basic grid + 01 to 99
=========================  =========  ==================================================

An independent grid has 14 digits and not 15, so that its length alone tells it from a basic grid,
and because 15 and 18 digits are the lengths of identity numbers (GB 11643-1999): every second
village of a township may hold a valid day in its digits, and a short file of such codes could not
be told from a list of them.
"""

from typing import Final

import numpy as np
import pandas as pd

from geo.errors import ValueInvalid
from geo.frames import Col, Level
from geo.privacy.shapes import PROVINCES

CODE_DIGITS: Final = {Level.CITY: 6, Level.COUNTY: 6, Level.TOWNSHIP: 9, Level.VILLAGE: 12}
"""Digits of a unit's code by level: GB/T 2260 and the NBS statistical codes."""

CELL_CODE_DIGITS: Final = 15
"""Digits of a basic grid's code: the village's 12 and a number of 3."""

NUMBER_DIGITS: Final = 3
"""Digits of a grid's number in the smallest unit there is."""

INDEPENDENT_DIGITS: Final = 14
"""Digits of an independent grid's code: the village's 12 and a number of 2."""

LEVEL_OF_LENGTH: Final = {
    6: Level.COUNTY.value,
    9: Level.TOWNSHIP.value,
    12: Level.VILLAGE.value,
    INDEPENDENT_DIGITS: Level.VILLAGE.value,
}
"""Level by digits of the code; an independent grid is a part of a village."""


def shorten_codes(codes: pd.Series) -> pd.Series:
    """Take off the zeros with which counties and townships are padded to 12 digits."""
    short = codes.str.replace(r"^(\d{6})0{6}$", r"\1", regex=True)
    return short.str.replace(r"^(\d{9})000$", r"\1", regex=True).astype("str")


def are_codes(codes: pd.Series) -> np.ndarray:
    """Tell which cells are codes of a province that there is, with 6, 9 or 12 to 15 digits."""
    shaped = codes.str.fullmatch(r"\d{6}|\d{9}|\d{12,15}")
    good: np.ndarray = (shaped & codes.str[:2].isin(PROVINCES)).to_numpy(dtype=bool)
    return good


def are_independent(codes: pd.Series) -> np.ndarray:
    """Tell which codes are of independent grids: a village's 12 digits and 01 to 99."""
    shaped: np.ndarray = codes.str.fullmatch(r"\d{12}(?!00)\d\d").to_numpy(dtype=bool)
    return shaped


def levels_of(codes: pd.Series) -> pd.Series:
    """Return the level of each code by its digits; "" where they tell none."""
    levels = codes.str.len().map(LEVEL_OF_LENGTH).fillna("").astype("str")
    levels = levels.mask(codes.str.fullmatch(r"\d{4}00"), Level.CITY.value)
    return levels.where(pd.Series(are_codes(codes), index=codes.index), "").astype("str")


def parents_of(codes: pd.Series, levels: pd.Series) -> pd.Series:
    """Return the code of the unit above: of an independent grid its village; "" for a city."""
    parents = pd.Series([""] * len(codes), index=codes.index, dtype="str")
    parents = parents.mask(levels == Level.COUNTY, codes.str[:4] + "00")
    parents = parents.mask(levels == Level.TOWNSHIP, codes.str[:6])
    parents = parents.mask(levels == Level.VILLAGE, codes.str[:9])
    return parents.mask(are_independent(codes), codes.str[:12]).astype("str")


def most_cells(unit_code: str) -> int:
    """Return how many cells a unit's code has numbers for: 999 in a village, 0 in a basic grid."""
    return int(10 ** _room(unit_code)) - 1


def _room(unit_code: str) -> int:
    """Return how many digits the number of a cell has after a unit's code.

    Three after a village or an independent grid; above, as many as make 15 in all.
    """
    if len(unit_code) == INDEPENDENT_DIGITS:
        return NUMBER_DIGITS
    return max(CELL_CODE_DIGITS - len(unit_code), 0)


def number_cells(unit_code: str, n_cells: int) -> list[str]:
    """Return the codes of a unit's cells, numbered from 1.

    The numbers of a village's cells have 3 digits, 15 in all; those of a township or county
    without villages as many as their shorter code leaves of 15; those of a residential
    independent grid 3 again, 17 in all.

    Raises
    ------
    ValueInvalid
        More cells than numbers.
    """
    if n_cells > most_cells(unit_code):
        expected = f"a code that has {n_cells} numbers; it has {most_cells(unit_code)}"
        raise _refused(unit_code, expected)
    room = _room(unit_code)
    return [f"{unit_code}{number:0{room}d}" for number in range(1, n_cells + 1)]


def independent_codes(
    village_code: str, n: int, *, taken: frozenset[str] = frozenset()
) -> list[str]:
    """Return codes for a village's new independent grids, the lowest free ones.

    Parameters
    ----------
    village_code : str
        12 digits.
    n : int
    taken : frozenset of str
        Codes ever used: none is given twice.

    Raises
    ------
    ValueInvalid
        No village's code, or fewer free numbers than `n`.
    """
    if not (village_code.isdigit() and len(village_code) == CODE_DIGITS[Level.VILLAGE]):
        raise _refused(village_code, "the 12 digits of a village")
    codes = [f"{village_code}{number:02d}" for number in range(1, 100)]
    free = [code for code in codes if code not in taken]
    if n > len(free):
        raise _refused(village_code, f"a village with {n} free numbers from 01 to 99")
    return free[:n]


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


def _refused(code: str, expected: str) -> ValueInvalid:
    return ValueInvalid(
        source="boundaries", row="–", column=Col.CODE, value=repr(code), expected=expected
    )
