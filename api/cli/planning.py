"""Commands that plan: the sample city, a user's files, and the judge of what was planned."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Day,
    Drop,
    IsCity,
    Lang,
    MaybeSource,
    Out,
    Seed,
    Session,
    ShiftClock,
    Source,
    as_findings,
    open_session,
    read_day,
    require_folder,
    say_notes,
    say_paths,
)
from api.console import stop_on_interrupt
from api.i18n import Language, both, text
from geo.errors import OptionInvalid
from geo.frames import Col

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.frames import Layers
    from geo.io import Note as ReadingNote
    from geo.io import Refusal
    from routing.io.network_file import NetworkFile
    from routing.network import Profile
    from routing.pipeline import Tonight

commands = typer.Typer()


@commands.command(help=both("cli.demo"))
def demo(
    out: Out = Path("out"),
    seed: Seed = 1,
    day: Day = None,
    city: IsCity = False,
    lang: Lang = None,
) -> None:
    """Run the whole chain on the sample city."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.sample import make_city  # noqa: PLC0415  heavy: loaded by its command only
        from routing.pipeline import plan_tonight, shift_from  # noqa: PLC0415

        require_folder(out)
        night = read_day(day)
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


@commands.command(help=both("cli.plan"))
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
    profile: Annotated[Path | None, typer.Option(help=both("cli.plan.profile"))] = None,
    closures: Annotated[Path | None, typer.Option(help=both("cli.plan.closures"))] = None,
    network: Annotated[Path | None, typer.Option(help=both("cli.plan.network"))] = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    epsg: Annotated[int | None, typer.Option(help=both("cli.option.epsg"))] = None,
    lang: Lang = None,
) -> None:
    """Run the same chain on a user's files."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.io import LayerPaths, read_layers  # noqa: PLC0415
        from routing.pipeline import plan_tonight, shift_from  # noqa: PLC0415

        require_folder(out)
        night = read_day(day)
        clock = shift_from(night, shift)
        names = tuple(name.strip() for name in drop.split(",") if name.strip())
        streets = _read_travel(profile, closures, network, datum=datum, drop=names)
        paths = LayerPaths(
            boundaries=boundaries,
            streets=roads,
            water=water,
            buildings=buildings,
            venues=venues,
            incidents=incidents,
            stations=stations,
            units=units,
            posts=posts,
        )
        with session.steps.step("read"):
            layers, refused, notes = read_layers(
                paths,
                epsg=epsg,
                data_date=night - timedelta(days=1),
                datum=datum,
                drop=names,
            )
        say_notes(session, as_findings((*notes, *streets.notes)))
        streets.require(layers)
        tonight = plan_tonight(
            layers,
            shift=clock,
            seed=seed,
            profile=streets.profile,
            closures=streets.closures,
            ready=streets.ready,
            sources={"stations": stations.name, "posts": "posts" if posts is None else posts.name},
            steps=session.steps,
            stop=stop,
        )
        _hand_over(session, tonight, (*refused, *streets.refused), out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Travel:
    """What a plan's travel times rest on, read from files."""

    profile: "Profile"
    closures: "gpd.GeoDataFrame | None"
    ready: "NetworkFile | None"
    notes: "tuple[ReadingNote, ...]" = ()
    refused: "tuple[Refusal, ...]" = ()

    def require(self, layers: "Layers") -> None:
        """Refuse a network that was made of other streets than the layers have."""
        from routing.io.network_file import require_streets  # noqa: PLC0415

        if self.ready is not None:
            require_streets(self.ready, layers.streets, option="--network")


def _read_travel(
    profile: Path | None,
    closures: Path | None,
    network: Path | None,
    *,
    datum: str,
    drop: tuple[str, ...],
) -> _Travel:
    """Read profile, closures and network, as far as they are given."""
    from geo.io.closures import read_closures  # noqa: PLC0415
    from routing.io.network_file import Hint, open_network  # noqa: PLC0415
    from routing.io.profiles import read_profile, shipped_profile  # noqa: PLC0415

    if profile is not None and network is not None:
        raise OptionInvalid(option="--profile", value=profile.name, expected=Hint.WITH_NETWORK)
    ready = None if network is None else open_network(network)
    speeds = shipped_profile() if profile is None else read_profile(profile)
    if closures is None:
        return _Travel(profile=speeds, closures=None, ready=ready)
    reading = read_closures(closures, datum=datum, drop=drop)
    return _Travel(
        profile=speeds,
        closures=reading.frame,
        ready=ready,
        notes=reading.notes,
        refused=reading.refused,
    )


@commands.command(help=both("cli.sample"))
def sample(
    directory: Path,
    seed: Seed = 1,
    day: Day = None,
    city: IsCity = False,
    vintage: Annotated[Literal["2023", "2019"], typer.Option(help=both("cli.option.vintage"))] = (
        "2023"
    ),
    institutions: Annotated[int, typer.Option(min=0, help=both("cli.option.institutions"))] = 0,
    places: Annotated[bool, typer.Option("--places", help=both("cli.option.places"))] = False,
    lang: Lang = None,
) -> None:
    """Write the sample city as files."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.io import write_layers  # noqa: PLC0415
        from geo.sample import make_city  # noqa: PLC0415

        require_folder(directory)
        with session.steps.step("sample") as progress:
            made = make_city(
                scale="city" if city else "district",
                seed=seed,
                data_date=read_day(day) - timedelta(days=1),
                vintage=vintage,
                n_institutions=institutions,
                progress=progress,
                stop=stop,
            )
        with session.steps.step("write"):
            written = write_layers(made.layers, directory)
            if places:
                written += _write_places(made.layers, directory / "places", seed=seed)
        session.say("cli.synthetic")
        say_paths(session, written)


def _write_places(layers: "Layers", directory: Path, *, seed: int) -> tuple[Path, ...]:
    """Write the layers beside the streets: lines as GeoPackages, all others as CSV."""
    from geo.io import write_file  # noqa: PLC0415
    from geo.sample.places import make_places  # noqa: PLC0415

    written: list[Path] = []
    directory.mkdir(parents=True, exist_ok=True)
    for layer, frame in make_places(layers, seed=seed).items():
        is_line = "geometry" in frame and (frame.geom_type != "Point").any()
        path = directory / f"{layer}{'.gpkg' if is_line else '.csv'}"
        written += write_file(frame, path, layer=layer, attribution=layers.attribution)
    return tuple(written)


@commands.command(help=both("cli.populate"))
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
    with open_session(lang) as session:
        from geo import io  # noqa: PLC0415
        from geo.sample import populate as scatter  # noqa: PLC0415

        require_folder(directory)
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
                data_date=read_day(day) - timedelta(days=1),
            )
        with session.steps.step("write"):
            written = io.write_layers(made.layers, directory)
        say_notes(session, as_findings((*streets.notes, *area.notes)))
        session.say("cli.populated")
        say_paths(session, written)


@commands.command(help=both("cli.check"))
def check(path: Path, lang: Lang = None) -> None:
    """Judge a plan or schedule again from its file alone."""
    with open_session(lang) as session:
        from routing.io import check_file  # noqa: PLC0415

        judged = check_file(path)
        if judged.violations:
            session.say("cli.check.bad", path=path, n=len(judged.violations))
            for violation in judged.violations:
                session.say(violation.code, **violation.params)
            raise typer.Exit(EXIT_REFUSED)
        session.say("cli.check.good", path=path, n=judged.n_routes, stops=judged.n_stops)


@commands.command("fetch-roads", help=both("cli.fetch"))
def fetch_roads(
    boundary: Source,
    out: Annotated[Path, typer.Option("--out", help=both("cli.option.roads.out"))],
    lang: Lang = None,
) -> None:
    """Get real streets through osmnx where there is internet."""
    with open_session(lang) as session:
        from geo.io import fetch_streets  # noqa: PLC0415

        n = fetch_streets(boundary, out)
        session.say("cli.fetch.done", n=f"{n:,}", path=out)


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
    say_notes(session, tonight.notes)
    for metric in tonight.metrics:
        session.out.print("  " + metric.sentence(_words(session.lang)), markup=False)
    if refused:
        session.say("cli.refused", n=len(refused), path=written[-1])
    if len(tonight.unmatched):
        n_points = len(tonight.layers.venues) + len(tonight.layers.incidents)
        session.say(
            "cli.unmatched", n=len(tonight.unmatched), total=f"{n_points:,}", path=written[-2]
        )
        for reason, n in tonight.unmatched[Col.REASON].value_counts(sort=False).items():
            session.say(f"cli.unmatched.{reason}", n=f"{n:,}")
    if tonight.layers.synthetic:
        session.say("cli.synthetic")
    session.say("cli.draft")
    say_paths(session, written)
    session.say("cli.open", path=written[0])
    session.say(
        "cli.time", seconds=f"{time.perf_counter() - session.began:.1f}", mib=f"{_peak_mib():,}"
    )


def _words(lang: Language) -> Callable[..., str]:
    return lambda code, **params: text(code, lang, **params)


def _peak_mib() -> int:
    """Return the peak resident memory in MiB; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415  absent on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
