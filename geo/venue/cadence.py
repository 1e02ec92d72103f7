"""When an inspection falls due, by tier and working calendar.

The cadence is data with a version, not code: places define it differently. A venue without a
recorded inspection is *unknown*: counted apart, never silently inside a rate.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.calendar import WorkingCalendar
from geo.errors import OptionInvalid
from geo.frames import Col, DueState, Tier
from geo.rate import Rate

LONGEST_BREAK: Final = 31
"""Days back in which a working day is looked for; no holiday is longer."""


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

    @property
    def to_do(self) -> Rate:
        """Venues to be inspected by the end of the month, the never inspected among them."""
        n = self.overdue.n + self.due.n + self.unknown.n
        return replace(self.unknown, n=n)


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
    venues: gpd.GeoDataFrame,
    *,
    as_of: date,
    cadence: Cadence = CADENCE,
    working: WorkingCalendar | None = None,
) -> gpd.GeoDataFrame:
    """Return the venues with the day their next inspection is due and how that stands.

    Parameters
    ----------
    venues : GeoDataFrame
        VENUES frame, or any with tier and last inspection.
    as_of : date
        The day asked about. Overdue: due before it. Due: from it to the end of its calendar
        month. Later: after that month.
    cadence : Cadence
    working : WorkingCalendar, optional
        Where given, an inspection whose cadence ends on a day off is due on the last working day
        before it: the cadence is kept, not stretched.

    Returns
    -------
    GeoDataFrame
        A copy with `due` (datetime64[s], NaT when unknown) and `due_state`.
    """
    months = _months(venues, cadence)
    last = venues[Col.LAST_INSPECTION].to_numpy()
    due = add_months(last, months)
    if working is not None:
        due = _kept(due, last, working)
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


def next_due(
    venues: gpd.GeoDataFrame,
    *,
    as_of: date,
    cadence: Cadence = CADENCE,
    working: WorkingCalendar | None = None,
) -> gpd.GeoDataFrame:
    """Return due venues with the day the inspection after next is due.

    Parameters
    ----------
    venues : GeoDataFrame
        With `due`; the inspection due is taken as made on that day, an overdue one on `as_of`.
    as_of, cadence, working
        As of `due_venues`.

    Returns
    -------
    GeoDataFrame
        A copy with `next_due`; NaT where `due` is.
    """
    made = venues[Col.DUE].to_numpy().astype("datetime64[D]")
    made = np.where(np.isnat(made), made, np.maximum(made, np.datetime64(as_of, "D")))
    after = add_months(made, _months(venues, cadence))
    if working is not None:
        after = _kept(after, made, working)
    return venues.assign(
        **{Col.NEXT_DUE: pd.Series(after.astype("datetime64[s]"), index=venues.index)}
    )


def working_day_before(days: np.ndarray, working: WorkingCalendar) -> np.ndarray:
    """Return each day, or the last working day before it where it is none.

    Parameters
    ----------
    days : ndarray of datetime64, shape (n,)
        NaT stays NaT.

    Returns
    -------
    ndarray of datetime64[D], shape (n,)
    """
    wanted = days.astype("datetime64[D]")
    known = ~np.isnat(wanted)
    if not known.any():
        return np.asarray(wanted)
    first: date = wanted[known].min().item() - timedelta(days=LONGEST_BREAK)
    worked = np.array(working.working_days(first, wanted[known].max().item()), "datetime64[D]")
    row = np.searchsorted(worked, wanted, side="right") - 1
    if not len(worked):
        return np.asarray(wanted)
    return np.asarray(np.where(known & (row >= 0), worked[np.maximum(row, 0)], wanted))


def _kept(due: np.ndarray, last: np.ndarray, working: WorkingCalendar) -> np.ndarray:
    """Return due days moved back to working days, never onto or before the last inspection."""
    moved = working_day_before(due, working)
    return np.asarray(np.where(moved > last.astype("datetime64[D]"), moved, due))


def _months(venues: pd.DataFrame, cadence: Cadence) -> np.ndarray:
    months = venues[Col.TIER].map({tier.value: n for tier, n in cadence.months.items()})
    return months.to_numpy(dtype=np.int64)


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
