"""The working calendar: official days, users' files, the store, and inspections that keep to it."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli.calendar import commands
from api.i18n import LANGUAGES, explain, text
from api.store.calendar import keep_years, read_calendar
from geo.calendar import CalendarDay, CalendarYear, Wanted, WorkingCalendar
from geo.errors import ColumnMissing, FileEmpty, FileUnreadable, InputError, ValueInvalid
from geo.io.calendars import read_calendar_file, shipped_calendar
from geo.privacy import Audience
from geo.venue import due_venues
from routing.check import Rule, check_schedule
from routing.inspection import plan_inspections
from routing.inspection.work import working_days
from routing.io import check_schedule_file, read_schedule, write_schedule
from routing.pipeline import plan_tonight, shift_from

SATURDAY, SUNDAY = 5, 6


def _year(year):
    return date(year, 1, 1), date(year, 12, 31)


# 2024: 251 days as the State Council's notice leaves them, 2025 and 2026: 248 each.
@pytest.mark.parametrize(
    ("year", "n_working", "n_closed", "n_makeup"),
    [(2024, 251, 19, 8), (2025, 248, 18, 5), (2026, 248, 19, 6)],
)
def test_shipped_years_have_their_days(year, n_working, n_closed, n_makeup):
    calendar = shipped_calendar()
    assert len(calendar.working_days(*_year(year))) == n_working
    assert len(calendar.closed_days(*_year(year))) == n_closed
    assert len(calendar.makeup_days(*_year(year))) == n_makeup
    assert calendar.unpublished_years(*_year(year)) == ()


def test_shipped_years_name_their_notice_and_their_parts_agree():
    notices = {
        2024: ("国办发明电〔2023〕7号", date(2023, 10, 25)),
        2025: ("国办发明电〔2024〕12号", date(2024, 11, 12)),
        2026: ("国办发明电〔2025〕7号", date(2025, 11, 4)),
    }
    for one in shipped_calendar().years:
        number, published_on = notices[one.year]
        title = f"国务院办公厅关于{one.year}年部分节假日安排的通知"
        assert (one.notice, one.published_on) == (f"{number} {title}", published_on)
        assert all(day.day.weekday() >= SATURDAY for day in one.days if day.is_working)
        named = {day.name for day in one.days}
        assert {"元旦", "春节", "清明节", "劳动节", "端午节"} < named


# Copied from the notice of 2026: 春节 2月15日(周日)至23日(周一), 2月14日(周六)、2月28日(周六)上班.
def test_spring_festival_of_2026_as_the_notice_says():
    calendar = shipped_calendar()
    days = calendar.working_days(date(2026, 2, 9), date(2026, 3, 1))
    assert [day.day for day in days] == [9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28]
    assert calendar.named(date(2026, 2, 17)).name == "春节"
    assert calendar.named(date(2026, 2, 11)) is None


def test_a_year_without_a_notice_is_assumed_and_said_so():
    calendar = shipped_calendar()
    assert calendar.unpublished_years(date(2026, 12, 1), date(2027, 1, 31)) == (2027,)
    assert calendar.closed_days(*_year(2027)) == calendar.makeup_days(*_year(2027)) == ()
    for lang in LANGUAGES:
        assert "2027" in text("calendar.note.unpublished", lang, year=2027)


def test_every_phrase_of_a_refusal_is_in_both_languages():
    for phrase in Wanted:
        assert text(phrase.code, "en") == phrase.value
        assert text(phrase.code, "zh")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    first=st.dates(date(2023, 12, 1), date(2027, 2, 1)),
    length=st.integers(0, 400),
)
def test_closed_and_makeup_days_say_the_same_as_working_days(first, length):
    calendar, last = shipped_calendar(), first + timedelta(days=length)
    days = calendar.working_days(first, last)
    assert all(calendar.is_working_day(day) for day in days)
    closed, made_up = calendar.closed_days(first, last), calendar.makeup_days(first, last)
    assert tuple(working_days(first, last, closed, made_up).astype(date)) == days


def test_where_two_years_name_a_day_the_later_holds():
    day = date(2026, 12, 31)
    older = CalendarYear(year=2026, days=(CalendarDay(day=day, name="a", is_working=True),))
    newer = CalendarYear(year=2027, days=(CalendarDay(day=day, name="b", is_working=False),))
    for years in ((older, newer), (newer, older)):
        assert WorkingCalendar(years=years).named(day).name == "b"


OWN = """
year = 2027
notice = "国办发明电〔2026〕9号"
title = "通知"
published_on = 2026-11-02

[[holidays]]
name = "元旦"
first = 2027-01-01
last = 2027-01-03
worked = [2026-12-26]
"""


def test_a_users_toml_is_read(tmp_path):
    file = tmp_path / "2027.toml"
    file.write_text(OWN, encoding="utf-8")
    (year,) = read_calendar_file(file)
    assert (year.year, year.is_published, year.published_on) == (2027, True, date(2026, 11, 2))
    assert [(one.day, one.is_working) for one in year.days] == [
        (date(2026, 12, 26), True),
        *((date(2027, 1, k), False) for k in (1, 2, 3)),
    ]


def _workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_users_workbook_is_read(tmp_path):
    rows = [
        ("日期", "名称", "安排", "通知"),
        (date(2027, 10, 1), "国庆节", "放假", "国办发明电〔2026〕9号"),
        ("2027/9/26", "国庆节", "上班", ""),
        ("2026-12-24", "停电检修", "放假", ""),
    ]
    early, late = read_calendar_file(_workbook(tmp_path / "days.xlsx", rows))
    assert (early.year, early.is_published) == (2026, False)
    assert (late.year, late.is_published) == (2027, True)
    assert [one.is_working for one in late.days] == [True, False]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("year = ", "TOML"),
        ("x = " + "[" * 5000, "TOML"),
        ("", "0 bytes"),
        ('year = "2027"', "1990"),
        ("year = 1066", "1990"),
        ("year = 2027\nnotice = 7", "text"),
        ("year = 2027\nholidays = 7", "last day"),
        ('year = 2027\n[[holidays]]\nname = "a"\nfirst = 2027-01-01', "date such as"),
        ('year = 2027\n[[holidays]]\nname = "a"\nfirst = 1\nlast = 2', "date such as"),
        (
            'year = 2027\n[[holidays]]\nname = "a"\nfirst = 2027-05-02\nlast = 2027-05-01',
            "last day",
        ),
        (
            'year = 2027\n[[holidays]]\nname = "a"\nfirst = 2025-05-02\nlast = 2025-05-02',
            "day of the year",
        ),
        (
            'year = 2027\n[[holidays]]\nname = "a"\nfirst = 2027-05-02\nlast = 2027-05-02\n\
worked = [2027-05-02]',
            "once",
        ),
        ("year = 2027\n[[holidays]]\nfirst = 2027-05-02\nlast = 2027-05-02", "short name"),
    ],
)
def test_a_calendar_file_that_cannot_be_is_refused_in_both_languages(tmp_path, written, words):
    file = tmp_path / "own.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises((FileUnreadable, FileEmpty, ValueInvalid), match=words) as caught:
        read_calendar_file(file)
    assert (
        "own.toml" in str(caught.value)
        or "2027" in str(caught.value)
        or "1066" in str(caught.value)
    )
    assert explain(caught.value, "zh")


def test_a_calendar_in_another_encoding_says_how_to_save_it(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('year = 2027\ntitle = "本市休市"', encoding="gb18030")
    with pytest.raises(FileUnreadable, match="not UTF-8"):
        read_calendar_file(file)
    file.write_text('year = 2027\ntitle = "本市休市"', encoding="utf-8-sig")
    assert read_calendar_file(file)[0].year == 2027


def test_a_table_that_cannot_be_is_refused(tmp_path):
    for name, rows, error, words in (
        ("a.xlsx", [("名称", "安排"), ("国庆节", "放假")], ColumnMissing, "日期"),
        ("b.xlsx", [("日期", "安排"), ("国庆节", "放假")], ValueInvalid, "row 1"),
        ("c.xlsx", [("日期", "安排"), ("2027-10-01", "也许")], ValueInvalid, "上班"),
    ):
        with pytest.raises(error, match=words):
            read_calendar_file(_workbook(tmp_path / name, rows))
    with pytest.raises(InputError):
        read_calendar_file(tmp_path / "gone.toml")


def _read(store):
    with store.read() as connection:
        return read_calendar(connection)


def test_a_new_store_knows_the_shipped_years(store):
    assert _read(store) == shipped_calendar()


def test_a_year_with_a_notice_replaces_and_closures_add(store, tmp_path):
    file = tmp_path / "2027.toml"
    file.write_text(OWN, encoding="utf-8")
    store.write(lambda connection: keep_years(connection, read_calendar_file(file)))
    assert _read(store).unpublished_years(*_year(2027)) == ()
    assert _read(store).is_working_day(date(2026, 12, 26))

    closure = CalendarDay(day=date(2026, 11, 23), name="搬迁", is_working=False)
    nowhere = CalendarDay(day=date(2028, 3, 1), name="搬迁", is_working=False)
    own = [CalendarYear(year=2026, days=(closure,)), CalendarYear(year=2028, days=(nowhere,))]
    store.write(lambda connection: keep_years(connection, own))
    calendar = _read(store)
    assert calendar.closed_days(date(2026, 11, 1), date(2026, 11, 30)) == (date(2026, 11, 23),)
    assert not calendar.is_working_day(date(2026, 10, 1)), "the year keeps its own days"
    assert not calendar.is_working_day(date(2028, 3, 1))
    assert calendar.unpublished_years(*_year(2028)) == (2028,), "a closure announces no year"
    store.write(lambda connection: keep_years(connection, own))
    assert _read(store) == calendar, "the same file twice changes nothing"


def test_the_command_keeps_a_file_and_says_which_years_are_known(
    geopackage_setting, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATROLGRID_STORE", geopackage_setting)
    file = tmp_path / "2027.toml"
    file.write_text(OWN, encoding="utf-8")
    run = CliRunner().invoke(commands, [str(file), "--lang", "en"])
    assert run.exit_code == 0, run.output
    assert "2027: 3 day(s) off, 1 day(s) worked" in run.output
    file.write_text("year = 1", encoding="utf-8")
    refused = CliRunner().invoke(commands, [str(file), "--lang", "zh"])
    assert (refused.exit_code, "1990" in refused.output) == (2, True)
    again = CliRunner().invoke(commands, ["--lang", "zh"])
    assert "2027 年：放假 3 天" in again.output


class Straight:
    """Travel as the crow flies at 30 km/h."""

    def snap(self, lonlat):
        return lonlat

    def many_to_many(self, origins, destinations, mode):
        step = origins[:, None] - destinations[None, :]
        metres = np.hypot(step[..., 0] * 89_500.0, step[..., 1] * 111_000.0)
        return np.ceil(metres / (30 / 3.6)).astype(np.int32)


@pytest.fixture(scope="module")
def october(small_layers):
    """Inspections of October 2026: closed to the 7th, Saturday the 10th worked."""
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    calendar = shipped_calendar()
    last_inspection = pd.Series([pd.Timestamp("2026-01-05")] * len(small_layers.venues))
    overdue = small_layers.venues.assign(last_inspection=last_inspection.astype("datetime64[s]"))
    venues = due_venues(overdue, as_of=first)
    schedule = plan_inspections(
        venues,
        small_layers.stations,
        Straight(),
        as_of=first,
        closed_days=calendar.closed_days(first, last),
        makeup_days=calendar.makeup_days(first, last),
    )
    return venues, small_layers.stations, schedule


def broken(violations):
    return {one.code for one in violations}


def test_inspections_are_made_on_a_makeup_saturday_and_on_no_holiday(october):
    venues, stations, schedule = october
    assert check_schedule(schedule, venues, stations) == ()
    days = {one.day for one in schedule.rounds}
    assert date(2026, 10, 10) in days
    assert min(days) == date(2026, 10, 8)
    assert all(day.weekday() < SATURDAY or day.day == 10 for day in days)
    plain = replace(schedule, makeup_days=())
    assert broken(check_schedule(plain, venues, stations)) >= {Rule.DAY_CLOSED}


def test_the_file_alone_tells_the_makeup_days(october, tmp_path):
    venues, stations, schedule = october
    file = tmp_path / "due.json"
    write_schedule(schedule, file, venues=venues, stations=stations, audience=Audience.COMMAND)
    assert read_schedule(file) == schedule
    assert check_schedule_file(file) == ()
    document = json.loads(file.read_text(encoding="utf-8"))
    del document["makeup_days"]
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert broken(check_schedule_file(file)) >= {Rule.DAY_CLOSED}


def test_a_schedule_without_makeup_days_is_written_as_before(october, small_layers, tmp_path):
    first = date(2026, 11, 1)
    venues = due_venues(small_layers.venues, as_of=first)
    schedule = plan_inspections(venues, small_layers.stations, Straight(), as_of=first)
    file = tmp_path / "due.json"
    write_schedule(
        schedule, file, venues=venues, stations=small_layers.stations, audience=Audience.COMMAND
    )
    assert "makeup_days" not in json.loads(file.read_text(encoding="utf-8"))
    assert check_schedule_file(file) == ()


def test_a_night_of_an_unpublished_year_is_planned_and_noted(small_layers):
    shift = shift_from(date(2027, 1, 4), "20:00-02:00")
    tonight = plan_tonight(small_layers, shift=shift, seed=1)
    assert dict(tonight.notes)["calendar.note.unpublished"] == {"year": 2027}
    assert tonight.schedule.closed_days == ()
