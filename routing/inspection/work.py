"""What a month asks for: the venues due, the working days, and what each day is worth to each.

All costs are seconds, so that they weigh against travel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geo.frames import Col, DueState, Tier
from geo.units import MINUTE
from geo.venue import Cadence
from routing.inspection.kernels import FAR
from routing.model import SERVICE

Days = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]

LATE_PER_DAY: Final[Mapping[str, int]] = {
    Tier.RED.value: 40 * MINUTE,
    Tier.YELLOW.value: 20 * MINUTE,
    Tier.GREEN.value: 10 * MINUTE,
}
"""Seconds one more working day is worth to an overdue venue: 红 before 黄 before 绿."""

SKIP: Final = 24 * 60 * MINUTE
"""Seconds leaving a venue out costs: more than any detour, so that time alone is the limit."""

SKIP_STEP: Final = 4 * 60 * MINUTE
"""Seconds by which one rank of urgency counts more than the next."""

DAYS_PER_MONTH: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The month's venues, one row each.

    Attributes
    ----------
    row : int64 (n,)
        Row in the caller's frame.
    venue_id, tier, kind : object (n,)
    lonlat : float64 (n, 2)
    due : datetime64[D] (n,)
    is_overdue : bool (n,)
        Due before the first working day: no plan can keep it.
    service : int64 (n,)
        Seconds of the inspection.
    rank : int64 (n,)
        Urgency: 0 for an overdue red venue, then yellow, green, and the same three when due.
    day_cost : int64 (n, n_days)
        Seconds a working day is worth; FAR after the due day.
    """

    row: Ints
    venue_id: npt.NDArray[np.object_]
    tier: npt.NDArray[np.object_]
    kind: npt.NDArray[np.object_]
    lonlat: npt.NDArray[np.float64]
    due: Days
    is_overdue: npt.NDArray[np.bool_]
    service: Ints
    rank: Ints
    day_cost: Ints

    def __len__(self) -> int:
        return len(self.row)

    @property
    def skip_cost(self) -> Ints:
        """Seconds leaving each venue out costs."""
        return np.asarray(SKIP + SKIP_STEP * (self.rank.max(initial=0) - self.rank))


def working_days(
    first_day: date,
    last_day: date,
    closed_days: tuple[date, ...] = (),
    makeup_days: tuple[date, ...] = (),
) -> Days:
    """Return Mondays to Fridays and make-up days of a period, closed days left out."""
    days = np.arange(np.datetime64(first_day, "D"), np.datetime64(last_day, "D") + 1)
    closed, made_up = (np.array(some, dtype="datetime64[D]") for some in (closed_days, makeup_days))
    return days[(np.is_busday(days) | np.isin(days, made_up)) & ~np.isin(days, closed)]


def select_work(venues: gpd.GeoDataFrame, days: Days, *, last_day: date, cadence: Cadence) -> Work:
    """Return the venues that are overdue or fall due up to the last day.

    Parameters
    ----------
    venues : GeoDataFrame
        VENUES with due and due_state, EPSG:4326.
    days : datetime64[D] (n_days,)
        Working days of the period.
    last_day : date
    cadence : Cadence
        For what an inspection made too early costs.
    """
    due = venues[Col.DUE].to_numpy().astype("datetime64[D]")
    state = venues[Col.DUE_STATE].to_numpy()
    in_period = (state != DueState.UNKNOWN.value) & (due <= np.datetime64(last_day, "D"))
    row = np.flatnonzero(in_period)
    tier = venues[Col.TIER].to_numpy(dtype=object)[row]
    points = venues.geometry.iloc[row]
    first = days[0] if len(days) else np.datetime64(last_day, "D") + 1
    is_overdue = due[row] < first
    tiers = [t.value for t in Tier]
    service = _by_tier(tier, SERVICE)
    return Work(
        row=row,
        venue_id=venues[Col.VENUE_ID].to_numpy(dtype=object)[row],
        tier=tier,
        kind=venues[Col.KIND].to_numpy(dtype=object)[row],
        lonlat=np.column_stack([points.x, points.y]),
        due=due[row],
        is_overdue=is_overdue,
        service=service,
        rank=np.array([tiers.index(t) for t in tier], np.int64) + len(tiers) * ~is_overdue,
        day_cost=np.where(
            is_overdue[:, None],
            _late_cost(tier, days),
            _early_cost(due[row], service // _span(tier, cadence), days),
        ),
    )


def _by_tier(tier: npt.NDArray[np.object_], table: Mapping[str, int]) -> Ints:
    return np.array([table[t] for t in tier], np.int64)


def _span(tier: npt.NDArray[np.object_], cadence: Cadence) -> Ints:
    """Return the days between two inspections."""
    return DAYS_PER_MONTH * _by_tier(tier, {t.value: n for t, n in cadence.months.items()})


def _early_cost(due: Days, per_day: Ints, days: Days) -> Ints:
    """Return what inspecting before the due day costs; FAR after it.

    Every day early brings the next inspection forward by a day, and so costs `per_day`: its share
    of one more inspection.
    """
    early = (due[:, None] - days[None, :]).astype(np.int64)
    return np.where(early >= 0, early * per_day[:, None], FAR)


def _late_cost(tier: npt.NDArray[np.object_], days: Days) -> Ints:
    """Return what every further working day costs an overdue venue."""
    return np.arange(len(days)) * _by_tier(tier, LATE_PER_DAY)[:, None]
