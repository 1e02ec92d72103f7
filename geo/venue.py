"""Venues: when an inspection falls due, by tier and calendar.

The cadence is data with a version, not code: places define it differently. A venue without a
recorded inspection is *unknown*: counted apart, never silently inside a rate.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import OptionInvalid
from geo.frames import Col, DueState, Tier
from geo.rate import Rate

MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """Months between two inspections, by tier.

    Attributes
    ----------
    version : str
        Name of the table; printed with every list made by it.
    months : mapping of Tier to int
        Calendar months, at least 1, one entry per tier.
    """

    version: str
    months: Mapping[Tier, int]

    def __post_init__(self) -> None:
        for tier in Tier:
            if self.months.get(tier, 0) < 1:
                raise OptionInvalid(
                    option=f"cadence {self.version}, {tier.value}",
                    value=self.months.get(tier),
                    expected="1 calendar month or more",
                )


CADENCE: Final = Cadence(version="2024-1", months={Tier.RED: 1, Tier.YELLOW: 3, Tier.GREEN: 6})
"""红 monthly, 黄 quarterly, 绿 half-yearly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCounts:
    """How a set of venues stands with its cadence.

    Attributes
    ----------
    overdue, due, later : Rate
        Of the venues whose last inspection is known.
    unknown : Rate
        Venues without a recorded inspection, of all venues.
    """

    overdue: Rate
    due: Rate
    later: Rate
    unknown: Rate


def add_months(days: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return days shifted by calendar months; 31 January + 1 month is 28 or 29 February.

    Parameters
    ----------
    days : ndarray of datetime64, shape (n,)
        NaT stays NaT.
    months : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of datetime64[D], shape (n,)
    """
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
    wanted = month + months.astype("timedelta64[M]")
    last = (wanted + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    shifted = wanted.astype("datetime64[D]") + of_month.astype("timedelta64[D]")
    return np.asarray(np.where(np.isnat(day), np.datetime64("NaT", "D"), np.minimum(shifted, last)))


def due_venues(
    venues: gpd.GeoDataFrame, *, as_of: date, cadence: Cadence = CADENCE
) -> gpd.GeoDataFrame:
    """Return the venues with the day their next inspection is due and how that stands.

    Parameters
    ----------
    venues : GeoDataFrame
        VENUES frame.
    as_of : date
        The day asked about. Overdue: due before it. Due: from it to the end of its calendar
        month. Later: after that month.

    Returns
    -------
    GeoDataFrame
        A copy with `due` (datetime64[s], NaT when unknown) and `due_state`.
    """
    months = venues[Col.TIER].map({tier.value: n for tier, n in cadence.months.items()})
    last = venues[Col.LAST_INSPECTION].to_numpy()
    due = add_months(last, months.to_numpy(dtype=np.int64))
    today = np.datetime64(as_of, "D")
    month_end = np.datetime64(
        as_of.replace(day=calendar.monthrange(as_of.year, as_of.month)[1]), "D"
    )
    state = np.select(
        [np.isnat(due), due < today, due <= month_end],
        [DueState.UNKNOWN.value, DueState.OVERDUE.value, DueState.DUE.value],
        DueState.LATER.value,
    )
    return venues.assign(
        **{
            Col.DUE: pd.Series(due.astype("datetime64[s]"), index=venues.index),
            Col.DUE_STATE: pd.Series(state, index=venues.index, dtype="str"),
        }
    )


def count_due(venues: pd.DataFrame, *, data_date: date, boundary_version: str) -> DueCounts:
    """Return how many venues are overdue, due and later, of those with a record; unknown apart."""
    n = venues[Col.DUE_STATE].value_counts()
    unknown = int(n.get(DueState.UNKNOWN.value, 0))

    def share(state: DueState, total: int) -> Rate:
        return Rate(
            n=int(n.get(state.value, 0)),
            total=total,
            data_date=data_date,
            boundary_version=boundary_version,
        )

    known = len(venues) - unknown
    return DueCounts(
        overdue=share(DueState.OVERDUE, known),
        due=share(DueState.DUE, known),
        later=share(DueState.LATER, known),
        unknown=share(DueState.UNKNOWN, len(venues)),
    )


def tier_counts(
    venues: pd.DataFrame, *, data_date: date, boundary_version: str
) -> dict[Tier, Rate]:
    """Return how many venues each tier has, of all."""
    n = venues[Col.TIER].value_counts()
    return {
        tier: Rate(
            n=int(n.get(tier.value, 0)),
            total=len(venues),
            data_date=data_date,
            boundary_version=boundary_version,
        )
        for tier in Tier
    }
