"""The `patrolgrid` command: thin over `routing.pipeline` and `api.products`."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.console import ConsoleSteps, stop_on_interrupt
from api.i18n import LANGUAGES, Language, both, explain, text
from api.logs import configure_logs
from api.settings import read_settings
from geo.errors import CheckFailed, InfeasibleError, OptionInvalid, PatrolgridError, Stopped
from geo.units import CITY_ZONE

if TYPE_CHECKING:
    from geo.io import Note as ReadingNote
    from geo.io import Refusal
    from routing.pipeline import Note, Tonight

EXIT_REFUSED, EXIT_INPUT, EXIT_INFEASIBLE, EXIT_STOPPED = 1, 2, 3, 130
"""Exit statuses: the verifier refuses, bad input, limits that contradict, stopped by hand."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years a night may lie in: a typing error farther off is refused before any work."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=both("cli.app"),
)

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

    def say(self, code: str, **params: object) -> None:
        """Print one message to standard output."""
        self.out.print(text(code, self.lang, **params), markup=False)


@contextmanager
def _session(lang: str | None) -> Iterator[Session]:
    """Open a session and turn every error into one sentence and an exit status."""
    chosen: Language = "en" if lang == "en" else "zh"
    session = Session(chosen)
    try:
        settings = read_settings()
        configure_logs(level=settings.log_level, as_json=settings.log_json)
        if lang is None:
            chosen = session.lang = session.steps.lang = settings.language
        elif lang not in LANGUAGES:
            raise OptionInvalid(option="--lang", value=lang, expected=", ".join(LANGUAGES))
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


def _require_folder(path: Path) -> None:
    """Refuse a folder for results that cannot be one, before any work is done."""
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise OptionInvalid(option="--out", value=path, expected="a folder that can be written")


def _day(value: str | None) -> date:
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


@app.command(help=both("cli.demo"))
def demo(
    out: Out = Path("out"),
    seed: Seed = 1,
    day: Day = None,
    city: IsCity = False,
    lang: Lang = None,
) -> None:
    """Run the whole chain on the sample city."""
    with _session(lang) as session, stop_on_interrupt(text("cli.stopping", session.lang)) as stop:
        from geo.sample import make_city  # noqa: PLC0415  heavy: loaded by its command only
        from routing.pipeline import plan_tonight, shift_from  # noqa: PLC0415

        _require_folder(out)
        night = _day(day)
        with session.steps.step("sample") as progress:
            sample = make_city(
                scale="city" if city else "district",
                seed=seed,
                data_date=night - timedelta(days=1),
                progress=progress,
                stop=stop,
            )
        tonight = plan_tonight(
            sample.layers,
            shift=shift_from(night, "20:00-02:00"),
            seed=seed,
            steps=session.steps,
            stop=stop,
        )
        _hand_over(session, tonight, (), out)


@app.command(help=both("cli.plan"))
def plan(
    roads: Source,
    boundaries: Source,
    venues: Source,
    incidents: Source,
    stations: Source,
    out: Out,
    day: Annotated[str, typer.Option("--date", help=both("cli.option.date"))],
    units: MaybeSource = None,
    posts: MaybeSource = None,
    buildings: MaybeSource = None,
    water: MaybeSource = None,
    shift: ShiftClock = "20:00-02:00",
    seed: Seed = 1,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    epsg: Annotated[int | None, typer.Option(help=both("cli.option.epsg"))] = None,
    lang: Lang = None,
) -> None:
    """Run the same chain on a user's files."""
    with _session(lang) as session, stop_on_interrupt(text("cli.stopping", session.lang)) as stop:
        from geo.io import LayerPaths, read_layers  # noqa: PLC0415
        from routing.pipeline import plan_tonight, shift_from  # noqa: PLC0415

        _require_folder(out)
        night = _day(day)
        clock = shift_from(night, shift)
        with session.steps.step("read"):
            layers, refused, notes = read_layers(
                LayerPaths(
                    boundaries=boundaries,
                    streets=roads,
                    water=water,
                    buildings=buildings,
                    venues=venues,
                    incidents=incidents,
                    stations=stations,
                    units=units,
                    posts=posts,
                ),
                epsg=epsg,
                data_date=night - timedelta(days=1),
                datum=datum,
                drop=tuple(name.strip() for name in drop.split(",") if name.strip()),
            )
        _say_notes(session, _as_findings(notes))
        tonight = plan_tonight(layers, shift=clock, seed=seed, steps=session.steps, stop=stop)
        _hand_over(session, tonight, refused, out)


@app.command(help=both("cli.sample"))
def sample(
    directory: Path,
    seed: Seed = 1,
    day: Day = None,
    city: IsCity = False,
    lang: Lang = None,
) -> None:
    """Write the sample city as files."""
    with _session(lang) as session, stop_on_interrupt(text("cli.stopping", session.lang)) as stop:
        from geo.io import write_layers  # noqa: PLC0415
        from geo.sample import make_city  # noqa: PLC0415

        _require_folder(directory)
        with session.steps.step("sample") as progress:
            made = make_city(
                scale="city" if city else "district",
                seed=seed,
                data_date=_day(day) - timedelta(days=1),
                progress=progress,
                stop=stop,
            )
        with session.steps.step("write"):
            written = write_layers(made.layers, directory)
        session.say("cli.synthetic")
        _say_paths(session, written)


@app.command(help=both("cli.populate"))
def populate(
    directory: Path,
    roads: Source,
    boundaries: Source,
    seed: Seed = 1,
    day: Day = None,
    n_venues: Annotated[int, typer.Option("--venues", help=both("cli.option.n"))] = 12_000,
    n_incidents: Annotated[int, typer.Option("--incidents", help=both("cli.option.n"))] = 150_000,
    n_stations: Annotated[int, typer.Option("--stations", help=both("cli.option.n"))] = 20,
    n_units: Annotated[int, typer.Option("--units", help=both("cli.option.n"))] = 40,
    lang: Lang = None,
) -> None:
    """Scatter made-up venues, reports, stations, units and posts on a user's roads."""
    with _session(lang) as session:
        from geo import io  # noqa: PLC0415
        from geo.sample import populate as scatter  # noqa: PLC0415

        _require_folder(directory)
        with session.steps.step("read"):
            streets, area = io.read_streets(roads), io.read_boundaries(boundaries)
        with session.steps.step("sample"):
            made = scatter(
                streets.frame,
                area.frame,
                epsg=int(area.frame.estimate_utm_crs().to_epsg()),
                seed=seed,
                n_venues=n_venues,
                n_incidents=n_incidents,
                n_stations=n_stations,
                n_units=n_units,
                data_date=_day(day) - timedelta(days=1),
            )
        with session.steps.step("write"):
            written = io.write_layers(made.layers, directory)
        _say_notes(session, _as_findings((*streets.notes, *area.notes)))
        session.say("cli.populated")
        _say_paths(session, written)


@app.command(help=both("cli.check"))
def check(path: Path, lang: Lang = None) -> None:
    """Judge a plan or schedule again from its file alone."""
    with _session(lang) as session:
        from routing.io import check_file  # noqa: PLC0415

        judged = check_file(path)
        if judged.violations:
            session.say("cli.check.bad", path=path, n=len(judged.violations))
            for violation in judged.violations:
                session.say(violation.code, **violation.params)
            raise typer.Exit(EXIT_REFUSED)
        session.say("cli.check.good", path=path, n=judged.n_routes, stops=judged.n_stops)


@app.command("fetch-roads", help=both("cli.fetch"))
def fetch_roads(
    boundary: Source,
    out: Annotated[Path, typer.Option("--out", help=both("cli.option.roads.out"))],
    lang: Lang = None,
) -> None:
    """Get real streets through osmnx where there is internet."""
    with _session(lang) as session:
        from geo.io import fetch_streets  # noqa: PLC0415

        n = fetch_streets(boundary, out)
        session.say("cli.fetch.done", n=f"{n:,}", path=out)


@app.command("warm-up", help=both("cli.warm"))
def warm_up(lang: Lang = None) -> None:
    """Compile every numba kernel into its cache, older caches thrown away first."""
    with _session(lang) as session:
        for package in ("geo", "routing"):
            for cached in (Path(__file__).parents[1] / package).rglob("__pycache__/*.nb[ic]"):
                cached.unlink()
        from geo import grid  # noqa: PLC0415
        from routing import inspection, patrol, travel  # noqa: PLC0415

        with session.steps.step("warm"):
            for room in (grid, travel, patrol, inspection):
                room.warm_up()


@app.command(help=both("cli.notebooks"))
def notebooks(directory: Path, lang: Lang = None) -> None:
    """Write the notebooks as .ipynb."""
    with _session(lang) as session:
        _require_folder(directory)
        try:
            import jupytext  # noqa: PLC0415  extra "notebooks"
        except ImportError as error:
            raise OptionInvalid(
                option="patrolgrid notebooks",
                value="this environment",
                expected="the package jupytext (python -m pip install jupytext)",
            ) from error
        directory.mkdir(parents=True, exist_ok=True)
        written = []
        for source in sorted((Path(__file__).parents[1] / "notebooks").glob("*.py")):
            target = directory / source.with_suffix(".ipynb").name
            jupytext.write(jupytext.read(source), target)
            written.append(target)
        _say_paths(session, written)


def _hand_over(
    session: Session, tonight: "Tonight", refused: "Sequence[Refusal]", out: Path
) -> None:
    """Write the products and print the summary a commander reads first."""
    from api.products import write_products  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415

    with session.steps.step("write"):
        written = write_products(
            tonight, refused, out, audience=Audience.COMMAND, lang=session.lang
        )
    _say_notes(session, tonight.notes)
    for metric in tonight.metrics:
        session.out.print("  " + metric.sentence(_words(session.lang)), markup=False)
    if refused:
        session.say("cli.refused", n=len(refused), path=written[-1])
    if len(tonight.unmatched):
        n_points = len(tonight.layers.venues) + len(tonight.layers.incidents)
        session.say(
            "cli.unmatched", n=len(tonight.unmatched), total=f"{n_points:,}", path=written[-2]
        )
    if tonight.layers.synthetic:
        session.say("cli.synthetic")
    session.say("cli.draft")
    _say_paths(session, written)
    session.say("cli.open", path=written[0])
    session.say(
        "cli.time", seconds=f"{time.perf_counter() - session.began:.1f}", mib=f"{_peak_mib():,}"
    )


def _words(lang: Language) -> Callable[..., str]:
    return lambda code, **params: text(code, lang, **params)


def _as_findings(notes: "Sequence[ReadingNote]") -> "list[Note]":
    """Return what readers noted as message codes and parameters, the file among them."""
    return [(note.code, {"source": note.source, **note.params}) for note in notes]


def _say_notes(session: Session, notes: "Sequence[Note]") -> None:
    for code, params in notes:
        session.err.print("  · " + text(code, session.lang, **params), markup=False)


def _say_paths(session: Session, paths: Sequence[Path]) -> None:
    session.say("cli.written")
    for path in paths:
        session.out.print(f"  {path}", markup=False)


def _peak_mib() -> int:
    """Return the peak resident memory in MiB; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415  absent on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
