"""The working calendar: public holidays, and weekend days worked to make up for them.

Which days these are is decided year by year in a notice of the State Council's General Office
(国务院办公厅关于…年部分节假日安排的通知), and so it is data (`geo.io.calendars`). Where the notice
of a year is not out yet, its weeks are taken as they are and every list says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from geo.errors import ValueInvalid

FRIDAY: Final = 4

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Years a calendar may be about: one farther off is a slip of the pen."""


class Wanted(StrEnum):
    """What a calendar's value should have been; the catalogue has each under its `code`."""

    YEAR = "a year from 1990 to 2100"
    DAYS = "every day once"
    DAY = "a day of the year, or of the December before"
    DATE = "a date such as 2026-10-01"
    SPAN = "a last day on or after the first, at most 31 days on"
    NAME = "a short name"
    WORD = "放假 or 上班"
    NOTICE = "a text"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"calendar.wanted.{self.name.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A day that the calendar names.

    Attributes
    ----------
    day : date
    name : str
        The holiday it belongs to.
    is_working : bool
        False on a holiday, True on a weekend day worked for one.
    """

    day: date
    name: str
    is_working: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """The days that one year's notice names.

    Attributes
    ----------
    year : int
    days : tuple of CalendarDay
        In the order of the days; each once. Some may lie in the December before.
    notice : str
        Number and title of the notice; "" for closures of one's own, which announce no year.
    published_on : date, optional
    """

    year: int
    days: tuple[CalendarDay, ...]
    notice: str = ""
    published_on: date | None = None

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            self._refuse("year", self.year, Wanted.YEAR)
        days = [one.day for one in self.days]
        for earlier, later in pairwise(days):
            if later <= earlier:
                self._refuse("day", later.isoformat(), Wanted.DAYS)
        for day in days:
            if not date(self.year - 1, 12, 1) <= day <= date(self.year, 12, 31):
                self._refuse("day", day.isoformat(), Wanted.DAY)

    @property
    def is_published(self) -> bool:
        """Whether it rests on a notice."""
        return bool(self.notice)

    def _refuse(self, column: str, value: object, expected: Wanted) -> None:
        raise ValueInvalid(
            source=f"calendar {self.year}", row="–", column=column, value=value, expected=expected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """Which days are worked: Mondays to Fridays, but for the days that its years name.

    Attributes
    ----------
    years : tuple of CalendarYear
        Where two name the same day, the later year holds.
    """

    years: tuple[CalendarYear, ...] = ()
    _named: Mapping[date, CalendarDay] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        in_order = sorted(self.years, key=lambda one: one.year)
        named = {one.day: one for year in in_order for one in year.days}
        object.__setattr__(self, "_named", named)

    def named(self, day: date) -> CalendarDay | None:
        """Return what the calendar says of a day; None for an ordinary one."""
        return self._named.get(day)

    def is_working_day(self, day: date) -> bool:
        """Return whether a day is worked."""
        special = self._named.get(day)
        return _is_weekday(day) if special is None else special.is_working

    def working_days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the days worked from the first day to the last."""
        return tuple(day for day in _days(first, last) if self.is_working_day(day))

    def closed_days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the Mondays to Fridays that are not worked."""
        days = _days(first, last)
        return tuple(day for day in days if _is_weekday(day) and not self.is_working_day(day))

    def makeup_days(self, first: date, last: date) -> tuple[date, ...]:
        """Return the Saturdays and Sundays that are worked."""
        days = _days(first, last)
        return tuple(day for day in days if not _is_weekday(day) and self.is_working_day(day))

    def unpublished_years(self, first: date, last: date) -> tuple[int, ...]:
        """Return the years of a period whose notice is not known: their weeks are assumed."""
        known = {one.year for one in self.years if one.is_published}
        return tuple(year for year in range(first.year, last.year + 1) if year not in known)


def _is_weekday(day: date) -> bool:
    return day.weekday() <= FRIDAY


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=k) for k in range((last - first).days + 1))
