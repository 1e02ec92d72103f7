"""The working calendar in the store: the years that come with patrolgrid, and a user's own.

The store keeps only what a user put in. Years that it does not have count as they are shipped, so
that a newer release brings the next year, and a notice that was amended, to every store.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from api.store import chain
from api.store.tables import CALENDAR_DAYS, CALENDAR_YEARS
from geo.calendar import CalendarDay, CalendarYear, WorkingCalendar
from geo.io.calendars import shipped_calendar


def read_calendar(connection: Connection) -> WorkingCalendar:
    """Return the working calendar: the shipped years, replaced or added to by the store's."""
    years = {one.year: one for one in shipped_calendar().years}
    for own in _years(connection):
        years[own.year] = _over(years.get(own.year), own)
    return WorkingCalendar(years=tuple(years[year] for year in sorted(years)))


def keep_years(
    connection: Connection,
    years: Sequence[CalendarYear],
    *,
    actor: str = chain.SYSTEM,
    import_id: str | None = None,
) -> None:
    """Keep a user's calendar.

    A year with a notice takes the place of the year as it was. One without, closures of one's
    own, is added to it: a day it names means what it says there.

    Parameters
    ----------
    connection : Connection
    years : sequence of CalendarYear
        `geo.io.calendars.read_calendar_file`.
    actor : str
        Label for the audit.
    import_id : str, optional
    """
    chain.hold(connection)
    before = {one.year: one for one in _years(connection)}
    for year in years:
        _put(connection, _over(before.get(year.year), year), import_id=import_id)
        chain.record(
            connection,
            actor=actor,
            action="calendar.kept",
            subject=str(year.year),
            details={"n_days": len(year.days), "is_published": year.is_published},
        )


def _over(before: CalendarYear | None, year: CalendarYear) -> CalendarYear:
    """Return a year as it is once another one of it came: a notice replaces, closures add."""
    if before is None or year.is_published:
        return year
    by_day = {one.day: one for one in (*before.days, *year.days)}
    return replace(before, days=tuple(by_day[day] for day in sorted(by_day)))


def _put(connection: Connection, year: CalendarYear, *, import_id: str | None = None) -> None:
    """Write a year in place of what the store had of it."""
    days = CALENDAR_DAYS.c
    named = [one.day for one in year.days]
    connection.execute(delete(CALENDAR_DAYS).where((days.year == year.year) | days.day.in_(named)))
    connection.execute(delete(CALENDAR_YEARS).where(CALENDAR_YEARS.c.year == year.year))
    row = {
        "year": year.year,
        "notice": year.notice,
        "published_on": year.published_on,
        "import_id": import_id,
    }
    connection.execute(insert(CALENDAR_YEARS).values(row))
    if named:
        connection.execute(insert(CALENDAR_DAYS), [_row(year.year, one) for one in year.days])


def _row(year: int, day: CalendarDay) -> dict[str, Any]:
    return {"year": year, "day": day.day, "name": day.name, "is_working": day.is_working}


def _years(connection: Connection) -> list[CalendarYear]:
    days: dict[int, list[CalendarDay]] = {}
    columns = CALENDAR_DAYS.c
    named = select(columns.year, columns.day, columns.name, columns.is_working)
    for year, day, name, is_working in connection.execute(named.order_by(columns.day)):
        days.setdefault(year, []).append(CalendarDay(day=day, name=name, is_working=is_working))
    found = connection.execute(select(CALENDAR_YEARS).order_by(CALENDAR_YEARS.c.year)).mappings()
    return [
        CalendarYear(
            year=row["year"],
            days=tuple(days.get(row["year"], ())),
            notice=row["notice"],
            published_on=row["published_on"],
        )
        for row in found
    ]
