"""Counts of an older register carried over to the units of a newer one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from geo.frames import Col


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Sums by newer unit, and what could not be carried.

    Attributes
    ----------
    frame : DataFrame
        Column `code` of the newer unit and the sums, codes ascending; units of which nothing is
        known have no row.
    unresolved : DataFrame
        The rows whose unit is unresolved or not in the succession, as they came. They are in no
        sum: a rate counted on `frame` leaves them out of n and of N.
    n_rows : int
        Rows in all; ``len(unresolved)`` of them were not carried.
    """

    frame: pd.DataFrame
    unresolved: pd.DataFrame
    n_rows: int


def carry_over(
    frame: pd.DataFrame,
    columns: Sequence[str],
    succession: pd.DataFrame,
    *,
    code: str = Col.CODE,
) -> Carried:
    """Sum counts of older units by the newer unit each of them went to.

    Parameters
    ----------
    frame : DataFrame
        Rows with an older code and the counts; for a rate its n and its N.
    columns : sequence of str
        Counts to sum. Shares do not add up.
    succession : DataFrame
        SUCCESSION frame.
    code : str
        Column of the older code.

    Returns
    -------
    Carried
        For every column, the sums and the unresolved rows together make the whole.
    """
    became = succession.set_index(Col.OLD_CODE)[Col.NEW_CODE]
    new = became.reindex(frame[code].to_numpy()).fillna("").to_numpy()
    is_carried = new != ""
    sums = frame[is_carried].groupby(new[is_carried], sort=True)[list(columns)].sum()
    sums.insert(0, Col.CODE, pd.Series(sums.index, index=sums.index, dtype="str"))
    return Carried(
        frame=sums.reset_index(drop=True),
        unresolved=frame[~is_carried].reset_index(drop=True),
        n_rows=len(frame),
    )
