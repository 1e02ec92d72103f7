"""Read calendar files: TOML as shipped, one file a year, or a table of days.

A TOML file names the year, its notice and its holidays::

    year = 2026
    notice = "国办发明电〔2025〕7号"
    title = "国务院办公厅关于2026年部分节假日安排的通知"
    published_on = 2025-11-04

    [[holidays]]
    name = "国庆节"
    first = 2026-10-01
    last = 2026-10-07
    worked = [2026-09-20, 2026-10-10]

A table (XLSX, CSV) has a row a day: 日期, 名称, 安排 (放假 or 上班), and 通知 where there is one. A
file without a notice states closures of one's own.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pandas as pd

from geo.calendar import CalendarDay, CalendarYear, Wanted, WorkingCalendar
from geo.errors import ColumnMissing, ValueInvalid
from geo.frames import Type
from geo.io.opening import open_table
from geo.io.rules import open_toml
from geo.io.table import Table
from geo.io.values import parse, stripped

LONGEST: Final = 60
"""Characters of a holiday's name."""

LONGEST_SPAN: Final = 31

HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day", "date", "日期"),
    "name": ("name", "holiday", "名称", "节日", "节假日"),
    "is_working": ("is_working", "kind", "安排", "类型", "放假或上班"),
    "notice": ("notice", "通知", "依据", "文号"),
}
"""Headers a table's columns go by."""

WORDS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(
        ("放假", "休", "休息", "休市", "关闭", "closed", "holiday", "false", "0"), False
    ),
    **dict.fromkeys(("上班", "班", "补班", "调休上班", "working", "work", "true", "1"), True),
}


@cache
def shipped_calendar() -> WorkingCalendar:
    """Return the years that come with patrolgrid, each with its official notice."""
    found = [
        _year(tomllib.loads(entry.read_text(encoding="utf-8")), source=entry.name)
        for entry in files("geo.io.calendars").iterdir()
        if entry.name.endswith(".toml")
    ]
    return WorkingCalendar(years=tuple(sorted(found, key=lambda one: one.year)))


def read_calendar_file(path: Path) -> tuple[CalendarYear, ...]:
    """Read a user's calendar: TOML with one year, or a table with any number of days.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    ColumnMissing
        A table without days or without what they are.
    ValueInvalid
        Names the row and column.
    """
    if path.suffix.lower() != ".toml":
        return tuple(_years(open_table(path)))
    return (_year(open_toml(path), source=path.name),)


def _year(members: Mapping[str, Any], *, source: str) -> CalendarYear:
    """Return the year of a TOML file."""
    year, published_on = members.get("year"), members.get("published_on")
    notice, title = members.get("notice", ""), members.get("title", "")
    if not isinstance(year, int):
        _refuse(source, "year", year, Wanted.YEAR)
    if not isinstance(notice, str) or not isinstance(title, str):
        _refuse(source, "notice", notice, Wanted.NOTICE)
    holidays = members.get("holidays", [])
    if not isinstance(holidays, list) or not all(isinstance(one, dict) for one in holidays):
        _refuse(source, "holidays", "", Wanted.SPAN)
    days = [day for number, one in enumerate(holidays, 1) for day in _days(one, number, source)]
    return CalendarYear(
        year=year,
        days=tuple(sorted(days, key=lambda one: one.day)),
        notice=f"{notice} {title}".strip(),
        published_on=None if published_on is None else _day(published_on, source, "published_on"),
    )


def _days(holiday: Mapping[str, Any], number: int, source: str) -> Iterator[CalendarDay]:
    """Yield the days of one holiday, and those worked for it."""
    name, worked = holiday.get("name"), holiday.get("worked", [])
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST:
        _refuse(source, "name", name, Wanted.NAME, row=number)
    if not isinstance(worked, list):
        _refuse(source, "worked", worked, Wanted.DATE, row=number)
    first = _day(holiday.get("first"), source, "first", row=number)
    last = _day(holiday.get("last"), source, "last", row=number)
    if not timedelta(0) <= last - first < timedelta(days=LONGEST_SPAN):
        _refuse(source, "last", last, Wanted.SPAN, row=number)
    for k in range((last - first).days + 1):
        yield CalendarDay(day=first + timedelta(days=k), name=name.strip(), is_working=False)
    for day in worked:
        made_up = _day(day, source, "worked", row=number)
        yield CalendarDay(day=made_up, name=name.strip(), is_working=True)


def _years(table: Table) -> Iterator[CalendarYear]:
    """Yield the years of a table of days."""
    days, wrong = parse(_column(table, "day"), Type.DAY)
    wrong = wrong | days.isna().to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        _refuse(table.source, "day", _column(table, "day").iloc[row], Wanted.DATE, row=row + 1)
    names = _column(table, "name", default="放假")
    notices = _column(table, "notice", default="")
    found: dict[int, list[CalendarDay]] = {}
    notice_of: dict[int, str] = {}
    for row, (day, name, word, notice) in enumerate(
        zip(days, names, _column(table, "is_working"), notices, strict=True), start=1
    ):
        if word.lower() not in WORDS:
            _refuse(table.source, "is_working", word, Wanted.WORD, row=row)
        if len(name) > LONGEST:
            _refuse(table.source, "name", name, Wanted.NAME, row=row)
        one = CalendarDay(day=day.date(), name=name or "放假", is_working=WORDS[word.lower()])
        found.setdefault(day.year, []).append(one)
        notice_of[day.year] = notice_of.get(day.year) or notice
    for year, members in sorted(found.items()):
        in_order = tuple(sorted(members, key=lambda one: one.day))
        yield CalendarYear(year=year, days=in_order, notice=notice_of[year])


def _column(table: Table, name: str, *, default: str | None = None) -> pd.Series:
    """Return a column of a table by any of its headers."""
    for header in map(str, table.cells.columns):
        if header.strip().lower() in HEADERS[name]:
            return stripped(table.cells[header])
    if default is None:
        found = ", ".join(map(str, table.cells.columns))
        raise ColumnMissing(source=table.source, column=HEADERS[name][-1], found=found)
    return pd.Series([default] * len(table), dtype="str")


def _day(value: object, source: str, column: str, *, row: int | str = "–") -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        _refuse(source, column, value, Wanted.DATE, row=row)
    return value


def _refuse(
    source: str, column: str, value: object, expected: Wanted, *, row: int | str = "–"
) -> NoReturn:
    shown = repr(value)[:LONGEST]
    raise ValueInvalid(source=source, row=row, column=column, value=shown, expected=expected)
