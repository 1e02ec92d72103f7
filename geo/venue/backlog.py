"""Venues never inspected: all due, and spread over a ramp instead of all on one day."""

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from geo.calendar import WorkingCalendar
from geo.errors import OptionInvalid
from geo.frames import Col, Tier, VenueSize
from geo.venue.cadence import add_months
from geo.venue.rules import VenueRules
from geo.venue.tier import sizes

TIERS: Final = (Tier.RED, Tier.YELLOW, Tier.GREEN)
"""In the order of priority."""

SPAN: Final = 7
"""Calendar days looked through for one working day of the ramp: holidays are no longer apart."""


def spread_backlog(
    venues: pd.DataFrame,
    rules: VenueRules,
    *,
    as_of: date,
    working: WorkingCalendar,
    by: str | None = None,
) -> pd.DataFrame:
    """Give every venue without a recorded inspection a working day.

    The days of a tier are filled evenly, restricted and key units first, and end with the ramp or
    with the tier's cadence counted from `as_of`, whichever is earlier: no venue waits longer than
    one just inspected would, and no tier longer than the tier below it.

    Parameters
    ----------
    venues : DataFrame
        VENUES or VENUE_LEDGER frame with tiers.
    rules : VenueRules
    as_of : date
        The ramp begins on the first working day from it.
    working : WorkingCalendar
    by : str, optional
        Column whose values (townships, stations) each spread their own backlog.

    Returns
    -------
    DataFrame
        BACKLOG frame by priority, which counts from 1 over all.

    Raises
    ------
    OptionInvalid
        The calendar has no working day for the ramp.
    """
    days = _ramp(as_of, rules, working)
    unknown = venues[venues[Col.LAST_INSPECTION].isna()]
    tier = unknown[Col.TIER].map({member.value: k for k, member in enumerate(TIERS)})
    restricted = unknown[Col.KIND].isin([one.kind for one in rules.kinds if one.is_restricted])
    key_unit = sizes(unknown, rules) == VenueSize.KEY.value
    ranked = unknown.assign(_tier=tier, _restricted=~restricted, _size=~key_unit)
    ranked = ranked.sort_values(["_tier", "_restricted", "_size", Col.VENUE_ID])
    groups = ["_tier"] if by is None else [by, "_tier"]
    place = ranked.groupby(groups, sort=False).cumcount().to_numpy()
    size = ranked.groupby(groups, sort=False)[Col.VENUE_ID].transform("size").to_numpy()
    n_days = np.array([_days_within(days, as_of, rules, one) for one in TIERS])
    row = place * n_days[ranked["_tier"].to_numpy(dtype=np.int64)] // np.maximum(size, 1)
    return pd.DataFrame(
        {
            Col.VENUE_ID: ranked[Col.VENUE_ID].reset_index(drop=True),
            Col.TIER: ranked[Col.TIER].reset_index(drop=True),
            Col.PRIORITY: np.arange(1, len(ranked) + 1),
            Col.DUE: days[row].astype("datetime64[s]"),
            Col.RULE_VERSION: pd.Series([rules.version] * len(ranked), dtype="str"),
        }
    )


def _ramp(as_of: date, rules: VenueRules, working: WorkingCalendar) -> np.ndarray:
    """Return the working days of the ramp."""
    last = as_of + timedelta(days=SPAN * (rules.ramp_days + SPAN))
    days = np.array(working.working_days(as_of, last)[: rules.ramp_days], dtype="datetime64[D]")
    if not len(days):
        expected = f"a working day between {as_of} and {last}"
        raise OptionInvalid(option="calendar", value="–", expected=expected)
    return days


def _days_within(days: np.ndarray, as_of: date, rules: VenueRules, tier: Tier) -> int:
    """Return how many days of the ramp lie within a tier's cadence; the first always does."""
    months = np.array([rules.cadence.months[tier]])
    end = add_months(np.array([as_of], dtype="datetime64[D]"), months)[0]
    return max(1, int(np.searchsorted(days, end, side="right")))
