"""What visits say of venues: found, closed, not found, exempt, and what the register looks at."""

from datetime import date

import numpy as np
import pandas as pd

from geo.errors import ValueInvalid
from geo.frames import EXEMPTIONS, Col, Queue, VenueState, VisitOutcome, require
from geo.venue.cadence import add_months
from geo.venue.rules import VenueRules, Wanted

STATE_AFTER = {
    VisitOutcome.DONE.value: VenueState.OPEN.value,
    VisitOutcome.HAZARD.value: VenueState.OPEN.value,
    VisitOutcome.NOT_FOUND.value: VenueState.NOT_FOUND.value,
    VisitOutcome.CLOSED.value: VenueState.CLOSED.value,
}
"""What a venue is after a visit."""


def venue_states(
    venues: pd.DataFrame,
    visits: pd.DataFrame,
    rules: VenueRules,
    *,
    exemptions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the state of every venue, with its reason and the day to look again.

    Parameters
    ----------
    venues : DataFrame
        With `venue_id`.
    visits : DataFrame
        VENUE_VISITS frame; the last day counts, and of one day the last row.
    rules : VenueRules
    exemptions : DataFrame, optional
        EXEMPTIONS frame; an exemption goes before what visits say.

    Returns
    -------
    DataFrame
        VENUE_STATES frame, one row per venue in their order. A venue never visited is open, as
        its register says. `n_not_found` counts the days in a row on which it was not found.
    """
    ids = venues[Col.VENUE_ID].reset_index(drop=True)
    ended = _last_visits(visits)
    last = ended.reindex(ids.to_numpy())
    closed = (last[Col.OUTCOME] == VisitOutcome.CLOSED.value).to_numpy()
    since = last[Col.DAY].to_numpy(dtype="datetime64[s]")
    months = np.full(len(ids), rules.closure_review_months, dtype=np.int64)
    review = np.where(closed, add_months(since, months), np.datetime64("NaT", "D"))
    states = pd.DataFrame(
        {
            Col.VENUE_ID: ids,
            Col.STATE: last[Col.OUTCOME].map(STATE_AFTER).fillna(VenueState.OPEN.value).to_numpy(),
            Col.SINCE: since,
            Col.REASON: "",
            Col.REVIEW_ON: review.astype("datetime64[s]"),
            Col.N_NOT_FOUND: last[Col.N_NOT_FOUND].fillna(0).to_numpy(dtype=np.int64),
            Col.RULE_VERSION: rules.version,
        }
    ).astype({Col.STATE: "str", Col.REASON: "str", Col.RULE_VERSION: "str"})
    if exemptions is None or exemptions.empty:
        return states
    return _exempt(states, exemptions)


def require_exemptions(
    exemptions: pd.DataFrame, rules: VenueRules, *, as_of: date, source: str
) -> None:
    """Check exemptions: a reason of the rules, and a day of review that is not too far off.

    Raises
    ------
    ValueInvalid
        Names the first such row.
    """
    require(exemptions, EXEMPTIONS, source=source, allow_empty=True)
    known = [one.reason for one in rules.exemptions]
    months = np.array([rules.longest_exemption_months])
    latest = add_months(np.array([as_of], dtype="datetime64[D]"), months)[0]
    strange = ~exemptions[Col.REASON].isin(known).to_numpy()
    far = exemptions[Col.REVIEW_ON].to_numpy().astype("datetime64[D]") > latest
    for wrong, column, expected in (
        (strange, Col.REASON, ", ".join(known)),
        (far, Col.REVIEW_ON, f"≤ {latest}"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueInvalid(
                source=source,
                row=row + 1,
                column=column,
                value=str(exemptions[column].iloc[row]),
                expected=expected or Wanted.CONDITION,
            )


def register_queue(states: pd.DataFrame, rules: VenueRules, *, as_of: date) -> pd.DataFrame:
    """Return the venues that the register has to look at, and why.

    Parameters
    ----------
    states : DataFrame
        VENUE_STATES frame.
    rules : VenueRules
    as_of : date
        Reviews whose day it is or was are in the queue.

    Returns
    -------
    DataFrame
        REGISTER_QUEUE frame: not found as often in a row as the rules allow, an exemption whose
        review is due, a closure to be confirmed.
    """
    state, today = states[Col.STATE], pd.Timestamp(as_of)
    is_review = (states[Col.REVIEW_ON] <= today).to_numpy()
    often = (states[Col.N_NOT_FOUND] >= rules.not_found_limit).to_numpy()
    reason = np.select(
        [
            (state == VenueState.EXEMPT.value).to_numpy() & is_review,
            (state == VenueState.CLOSED.value).to_numpy() & is_review,
            (state == VenueState.NOT_FOUND.value).to_numpy() & often,
        ],
        [Queue.EXEMPTION_ENDS.value, Queue.CLOSURE_REVIEW.value, Queue.NOT_FOUND.value],
        "",
    )
    wanted = reason != ""
    since = np.where(is_review, states[Col.REVIEW_ON], states[Col.SINCE])[wanted]
    queue = states.loc[wanted, [Col.VENUE_ID, Col.REASON, Col.RULE_VERSION]]
    queue = queue.reset_index(drop=True).assign(
        **{
            Col.QUEUE: pd.Series(reason[wanted], dtype="str"),
            Col.SINCE: since.astype("datetime64[s]"),
        }
    )
    order = [Col.VENUE_ID, Col.QUEUE, Col.SINCE, Col.REASON, Col.RULE_VERSION]
    ordered: pd.DataFrame = queue[order]
    return ordered.sort_values([Col.SINCE, Col.VENUE_ID], ignore_index=True)


def _last_visits(visits: pd.DataFrame) -> pd.DataFrame:
    """Return, by venue, the outcome and day of the last visit and the days in a row unfound."""
    in_order = visits.sort_values([Col.VENUE_ID, Col.DAY], kind="stable")
    by_day = in_order.drop_duplicates([Col.VENUE_ID, Col.DAY], keep="last")
    found = by_day[Col.OUTCOME] != VisitOutcome.NOT_FOUND.value
    later_found = found[::-1].groupby(by_day[Col.VENUE_ID][::-1]).cumsum()[::-1]
    n = (later_found == 0).groupby(by_day[Col.VENUE_ID]).sum()
    last: pd.DataFrame = by_day.drop_duplicates(Col.VENUE_ID, keep="last")
    last = last.set_index(Col.VENUE_ID)
    return pd.DataFrame(
        {Col.OUTCOME: last[Col.OUTCOME], Col.DAY: last[Col.DAY], Col.N_NOT_FOUND: n}
    )


def _exempt(states: pd.DataFrame, exemptions: pd.DataFrame) -> pd.DataFrame:
    """Return states in which exemptions go before visits."""
    granted = exemptions.set_index(Col.VENUE_ID).reindex(states[Col.VENUE_ID].to_numpy())
    is_exempt = granted[Col.REASON].notna().to_numpy()
    state = states[Col.STATE].where(~is_exempt, VenueState.EXEMPT.value)
    reason = np.where(is_exempt, granted[Col.REASON].fillna(""), "")
    review = np.where(
        is_exempt,
        granted[Col.REVIEW_ON].to_numpy(dtype="datetime64[s]"),
        states[Col.REVIEW_ON].to_numpy(dtype="datetime64[s]"),
    )
    return states.assign(
        **{
            Col.STATE: state.astype("str"),
            Col.REASON: pd.Series(reason, dtype="str"),
            Col.REVIEW_ON: pd.Series(review),
        }
    )
