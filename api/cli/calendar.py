"""The command for the working calendar: which years are known, and a user's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.session import Lang, Session, open_session
from api.i18n import both

if TYPE_CHECKING:
    from geo.calendar import CalendarYear, WorkingCalendar

commands = typer.Typer()

File = Annotated[Path | None, typer.Argument(help=both("cli.calendar.file"))]


@commands.command(help=both("cli.calendar"))
def calendar(file: File = None, lang: Lang = None) -> None:
    """Keep a calendar file in the store, and say which years are known."""
    with open_session(lang) as session:
        from api.store import open_store  # noqa: PLC0415  heavy: loaded by its command only
        from api.store.calendar import keep_years, read_calendar  # noqa: PLC0415
        from geo.io.calendars import read_calendar_file  # noqa: PLC0415

        own = () if file is None else read_calendar_file(file)
        with open_store(session.settings.store, create=file is not None) as store:
            if own:
                store.write(lambda connection: keep_years(connection, own, actor="cli"))
            with store.read() as connection:
                _say(session, read_calendar(connection))


def _say(session: Session, known: "WorkingCalendar") -> None:
    for year in known.years:
        code = "cli.calendar.year" if year.is_published else "cli.calendar.own"
        n_closed, n_worked = _n_days(year)
        session.say(code, year=year.year, notice=year.notice, closed=n_closed, worked=n_worked)


def _n_days(year: "CalendarYear") -> tuple[int, int]:
    n_worked = sum(one.is_working for one in year.days)
    return len(year.days) - n_worked, n_worked
