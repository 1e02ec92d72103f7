"""The tables and the report of `patrolgrid venues-due`."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import pandas as pd

from api.cli.session import Session
from api.i18n import text
from geo.frames import VENUE_VISITS, Col, Tier, VenueState, VisitOutcome, empty_frame
from geo.io.calendars import shipped_calendar
from geo.rate import Rate
from geo.venue import (
    VenueRules,
    count_due,
    due_apart,
    due_venues,
    next_due,
    register_queue,
    spread_backlog,
    venue_states,
)

INSPECTIONS: Final = (VisitOutcome.DONE.value, VisitOutcome.HAZARD.value)
"""Outcomes of visits that were inspections."""


TABLE_NAMES: Final = ("due", "backlog", "states", "register_queue")
"""Names of the files, without their suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTables:
    """What has to be inspected, what stands apart, and what the register has to look at."""

    due: gpd.GeoDataFrame
    backlog: pd.DataFrame
    states: pd.DataFrame
    queue: pd.DataFrame
    n_apart: int

    def files(self) -> dict[str, pd.DataFrame]:
        """Return the tables by the names of their files."""
        tables = (self.due, self.backlog, self.states, self.queue)
        return dict(zip(TABLE_NAMES, tables, strict=True))


def due_tables(
    venues: gpd.GeoDataFrame,
    rules: VenueRules,
    *,
    as_of: date,
    visits: pd.DataFrame | None,
    exemptions: pd.DataFrame | None,
) -> DueTables:
    """Return the tables; a visit that found a venue counts as its last inspection."""
    working = shipped_calendar()
    seen = visits if visits is not None else empty_frame(VENUE_VISITS)
    states = venue_states(venues, seen, rules, exemptions=exemptions)
    inspected, apart = due_apart(_brought_up_to_date(venues, seen), states)
    due = due_venues(inspected, as_of=as_of, cadence=rules.cadence, working=working)
    due = next_due(due, as_of=as_of, cadence=rules.cadence, working=working)
    return DueTables(
        due=due,
        backlog=spread_backlog(due, rules, as_of=as_of, working=working),
        states=states,
        queue=register_queue(states, rules, as_of=as_of),
        n_apart=len(apart),
    )


def say_due(session: Session, tables: DueTables, *, as_of: date, boundary_version: str) -> None:
    """Print how the register stands, every figure with its N."""
    total = len(tables.states)

    def share(n: int) -> Rate:
        return Rate(n=n, total=total, data_date=as_of, boundary_version=boundary_version)

    for state in VenueState:
        word = text(f"word.venue_state.{state}", session.lang)
        n = int((tables.states[Col.STATE] == state.value).sum())
        session.say("cli.venue.state", state=word, rate=share(n))
    counts = count_due(tables.due, data_date=as_of, boundary_version=boundary_version)
    session.say("cli.venue.overdue", rate=counts.overdue)
    session.say("cli.venue.due_now", rate=counts.due)
    if counts.unknown.n:
        days = tables.backlog[Col.DUE].dt.date
        first, last = days.min(), days.max()
        session.say("cli.venue.unknown", rate=counts.unknown, first=first, last=last)
        for year in shipped_calendar().unpublished_years(first, last):
            session.say("calendar.note.unpublished", year=year)
    else:
        session.say("cli.venue.unknown.none", rate=counts.unknown)
    for tier in Tier:
        rate = share(int((tables.due[Col.TIER] == tier.value).sum()))
        word = text(f"word.tier.{tier}", session.lang)
        session.say("cli.venue.tier", tier=word, rate=rate)
    session.say("cli.venue.apart", n=f"{tables.n_apart:,}")
    session.say("cli.venue.queue", rate=share(len(tables.queue)))


def _brought_up_to_date(venues: gpd.GeoDataFrame, visits: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return venues whose last inspection is the later of the register's and of the visits'."""
    inspections = visits[visits[Col.OUTCOME].isin(INSPECTIONS)]
    last = inspections.groupby(Col.VENUE_ID)[Col.DAY].max().reindex(venues[Col.VENUE_ID])
    newer = pd.Series(last.to_numpy(dtype="datetime64[s]"), index=venues.index)
    known = venues[Col.LAST_INSPECTION]
    later = known.where(newer.isna() | (known >= newer), newer)
    return venues.assign(**{Col.LAST_INSPECTION: later.astype("datetime64[s]")})
