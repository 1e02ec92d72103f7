"""One run of a command: language, consoles, errors as one sentence and an exit status."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.console import ConsoleSteps, unwind_on_signal
from api.i18n import LANGUAGES, Language, both, explain, text
from api.logs import configure_logs
from api.settings import Settings, read_settings
from geo.errors import CheckFailed, InfeasibleError, OptionInvalid, PatrolgridError, Stopped
from geo.units import CITY_ZONE

if TYPE_CHECKING:
    from geo.io import Note as ReadingNote
    from routing.roads import Note

EXIT_REFUSED, EXIT_INPUT, EXIT_INFEASIBLE, EXIT_STOPPED = 1, 2, 3, 130
"""Exit statuses: the verifier refuses, bad input, limits that contradict, stopped by hand."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years a night may lie in: a typing error farther off is refused before any work."""

Out = Annotated[Path, typer.Option("--out", help=both("cli.option.out"))]
Seed = Annotated[int, typer.Option(min=0, help=both("cli.option.seed"))]
Day = Annotated[str | None, typer.Option("--date", help=both("cli.option.date"))]
Lang = Annotated[str | None, typer.Option("--lang", help=both("cli.option.lang"))]
ShiftClock = Annotated[str, typer.Option("--shift", help=both("cli.option.shift"))]
Source = Annotated[Path, typer.Option(help=both("cli.option.layer"))]
MaybeSource = Annotated[Path | None, typer.Option(help=both("cli.option.layer.optional"))]
Datum = Annotated[str, typer.Option(help=both("cli.option.datum"))]
Drop = Annotated[str, typer.Option(help=both("cli.option.drop"))]
IsCity = Annotated[bool, typer.Option("--city/--district", help=both("cli.option.city"))]


class Session:
    """One run of a command: language, the two consoles, steps and the stop token."""

    def __init__(self, lang: Language) -> None:
        self.lang = lang
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)
        self.steps = ConsoleSteps(lang=lang, console=self.err)
        self.began = time.perf_counter()
        self.settings = Settings.model_construct()

    def say(self, code: str, **params: object) -> None:
        """Print one message to standard output."""
        self.out.print(text(code, self.lang, **params), markup=False)


@contextmanager
def open_session(lang: str | None) -> Iterator[Session]:
    """Open a session and turn every error into one sentence and an exit status.

    A signal that ends it unwinds it: folders with files that are half written go with it.
    """
    chosen: Language = "en" if lang == "en" else "zh"
    session = Session(chosen)
    try:
        settings = session.settings = read_settings()
        configure_logs(level=settings.log_level, as_json=settings.log_json)
        if lang is None:
            chosen = session.lang = session.steps.lang = settings.language
        elif lang not in LANGUAGES:
            raise OptionInvalid(option="--lang", value=lang, expected=", ".join(LANGUAGES))
        with unwind_on_signal():
            yield session
    except PatrolgridError as error:
        session.err.print(f"✕ {explain(error, chosen)}", markup=False)
        raise typer.Exit(_exit_status(error)) from error


def _exit_status(error: PatrolgridError) -> int:
    match error:
        case CheckFailed():
            return EXIT_REFUSED
        case InfeasibleError():
            return EXIT_INFEASIBLE
        case Stopped():
            return EXIT_STOPPED
        case _:
            return EXIT_INPUT


def require_folder(path: Path, *, option: str = "--out") -> None:
    """Refuse a folder for results that cannot be one, before any work is done."""
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        from geo.io.hints import Hint  # noqa: PLC0415  heavy: loaded by the commands only

        raise OptionInvalid(option=option, value=path, expected=Hint.WRITABLE_FOLDER)


def read_day(value: str | None) -> date:
    """Return the day of an option, today in the city where there is none."""
    if value is None:
        return datetime.now(CITY_ZONE).date()
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise OptionInvalid(option="--date", value=value, expected="YYYY-MM-DD") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise OptionInvalid(
            option="--date", value=value, expected=f"a day of {FIRST_YEAR} to {LAST_YEAR}"
        )
    return day


def as_findings(notes: "Sequence[ReadingNote]") -> "list[Note]":
    """Return what readers noted as message codes and parameters, the file among them."""
    return [(note.code, {"source": note.source, **note.params}) for note in notes]


def say_notes(session: Session, notes: "Sequence[Note]") -> None:
    """Print what was assumed or left out, on standard error."""
    for code, params in notes:
        session.err.print("  · " + text(code, session.lang, **params), markup=False)


def say_paths(session: Session, paths: Sequence[Path]) -> None:
    """Print what was written."""
    session.say("cli.written")
    for path in paths:
        session.out.print(f"  {path}", markup=False)
