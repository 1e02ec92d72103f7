"""Venues as others may use them: without restricted places, and without those nobody inspects."""

from datetime import date, timedelta

import geopandas as gpd
import pandas as pd

from geo.calendar import WorkingCalendar
from geo.frames import Col, VenueState
from geo.privacy import Audience, Visible, allowed
from geo.venue.rules import LadderStep, VenueRules


def visible_venues(
    venues: gpd.GeoDataFrame, rules: VenueRules, *, audience: Audience
) -> gpd.GeoDataFrame:
    """Return the venues that an audience may see: restricted kinds are for command only.

    Parameters
    ----------
    venues : GeoDataFrame
        VENUE_LEDGER frame.
    rules : VenueRules
    audience : Audience

    Returns
    -------
    GeoDataFrame
        Nothing where the audience sees no venues at all. A kind that the rules do not know is
        treated as restricted.
    """
    if not allowed(audience, Visible.VENUES):
        return venues.iloc[:0]
    if allowed(audience, Visible.RESTRICTED_PLACES):
        return venues.copy()
    open_kinds = [one.kind for one in rules.kinds if not one.is_restricted]
    return venues[venues[Col.KIND].isin(open_kinds)]


def due_apart(
    venues: gpd.GeoDataFrame, states: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Part venues into those that are inspected and those that are not.

    Parameters
    ----------
    venues : GeoDataFrame
    states : DataFrame
        VENUE_STATES frame of the same venues.

    Returns
    -------
    inspected, apart : GeoDataFrame
        Closed and exempt venues stand apart and are counted there, never in a due rate.
    """
    state = states.set_index(Col.VENUE_ID)[Col.STATE].reindex(venues[Col.VENUE_ID]).to_numpy()
    is_apart = pd.Series(state).isin([VenueState.CLOSED.value, VenueState.EXEMPT.value]).to_numpy()
    return venues[~is_apart], venues[is_apart]


def next_step(
    rules: VenueRules, kind: str, *, after: str = "", since: date, working: WorkingCalendar
) -> tuple[LadderStep, date] | None:
    """Return the next outcome of a restricted kind's ladder and the day it must be met by.

    Parameters
    ----------
    rules : VenueRules
    kind : str
    after : str
        The step that was not met; the first where there was none.
    since : date
        Day the step is ordered on.
    working : WorkingCalendar

    Returns
    -------
    (LadderStep, date) or None
        None for a kind without a ladder, an unknown step, or at the ladder's end.
    """
    rule = rules.kind(kind)
    steps = rule.ladder if rule is not None else ()
    names = [step.step for step in steps]
    if after and after not in names:
        return None
    row = names.index(after) + 1 if after else 0
    if row >= len(steps):
        return None
    return steps[row], _working_days_on(since, steps[row].working_days, working)


def _working_days_on(since: date, n: int, working: WorkingCalendar) -> date:
    """Return the n-th working day after a day; the day itself for none."""
    day = since
    while n > 0:
        day += timedelta(days=1)
        n -= working.is_working_day(day)
    return day
