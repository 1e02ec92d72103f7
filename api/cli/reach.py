"""Commands on who is reached in time: areas by minutes, and the service standard."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.basis import Basis, Boundaries, DataDay, Epsg, finish, open_basis
from api.cli.output import require_outputs
from api.cli.reach_ask import Asked, Ground, metric_of, open_ground, span_of
from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Drop,
    Lang,
    Session,
    ShiftClock,
    open_session,
    say_paths,
)
from api.console import stop_on_interrupt
from api.i18n import both, text
from api.i18n.word import Word
from geo.errors import OptionInvalid
from geo.frames import Col, MissReason, Setting, Target

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from api.maps.theme import Said, Theme
    from routing.travel.coverage import Departures, Service, Standard

commands = typer.Typer()

SHOWN: Final = 10
"""Missed places that are printed; the file holds all."""

DAY: Final = 24 * 60
"""Most minutes asked about; `routing.travel.isochrone` without its imports (a test compares)."""

AUDIENCE: Final = "command"
"""Where help comes late is for command alone."""

Streets = Annotated[Path, typer.Argument(help=both("cli.isochrones.streets"))]
Stations = Annotated[Path, typer.Option(help=both("cli.isochrones.stations"))]
Kinds = Annotated[str, typer.Option(help=both("cli.isochrones.kinds"))]
Layer = Path | None
Buildings = Annotated[Layer, typer.Option(help=both("cli.isochrones.buildings"))]
Venues = Annotated[Layer, typer.Option(help=both("cli.isochrones.venues"))]
ModeName = Annotated[str, typer.Option("--mode", help=both("cli.isochrones.mode"))]
BandName = Annotated[str, typer.Option("--band", help=both("cli.isochrones.band"))]
Profiles = Annotated[Layer, typer.Option("--profile", help=both("cli.plan.profile"))]
Closures = Annotated[Layer, typer.Option("--closures", help=both("cli.travel.closures"))]
Night = Annotated[str | None, typer.Option("--night", help=both("cli.isochrones.night"))]
Page = Annotated[Layer, typer.Option(help=both("cli.isochrones.page"))]


@commands.command(help=both("cli.isochrones"))
def isochrones(
    streets: Streets,
    stations: Stations,
    boundaries: Boundaries,
    out: Annotated[Path, typer.Option("--out", help=both("cli.isochrones.out"))],
    counts: Annotated[Layer, typer.Option(help=both("cli.isochrones.counts"))] = None,
    page: Page = None,
    buildings: Buildings = None,
    venues: Venues = None,
    minutes: Annotated[str, typer.Option(help=both("cli.isochrones.minutes"))] = "5,10,15",
    mode: ModeName = "car",
    band: BandName = "",
    kinds: Kinds = "",
    profile: Profiles = None,
    closures: Closures = None,
    night: Night = None,
    shift: ShiftClock = "20:00-02:00",
    union: Annotated[bool, typer.Option(help=both("cli.isochrones.union"))] = True,
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Draw the areas reached from stations, and count who lives and trades there."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.io.export import SHAPES, TABLES  # noqa: PLC0415  heavy: loaded by its command
        from routing.travel import isochrone  # noqa: PLC0415
        from routing.travel.coverage import count_reached  # noqa: PLC0415

        asked = _minutes(minutes)
        require_outputs(
            {"--out": out, "--counts": counts, "--page": page},
            suffixes={"--out": SHAPES, "--counts": TABLES, "--page": (".html",)},
            inputs=(streets, stations, boundaries, buildings, venues, profile, closures),
        )
        how = Asked(
            streets=streets,
            stations=stations,
            layers={Target.HOUSEHOLDS: buildings, Target.VENUES: venues},
            mode=mode,
            band=band,
            kinds=kinds,
            datum=datum,
            profile=profile,
            closures=closures,
            span=span_of(night, shift),
        )
        basis = open_basis(
            session, boundaries, out, day=day, epsg=metric_of(streets, epsg), drop=drop
        )
        ground = open_ground(session, basis, how)
        departures = ground.departures
        with session.steps.step("isochrones") as progress:
            areas = isochrone.isochrones(
                departures.travel,
                departures.places,
                mode=departures.mode,
                minutes=asked,
                is_union=union,
                source=stations.name,
                progress=progress,
                stop=stop,
            )
        with session.steps.step("reach") as progress:
            counted = count_reached(
                departures,
                ground.targets,
                minutes=asked,
                **basis.of_rates,
                progress=progress,
                stop=stop,
            )
        _say_areas(session, departures, areas, asked)
        figures = [*ground.closures, *_figures(counted)]
        _say(session, [*figures, ("isochrone.note", {})])
        written: list[tuple[Any, Path, str]] = [(areas, out, "isochrones")]
        written += [(counted, counts, "reach_counts")] if counts is not None else []
        finish(session, basis, written, audience=AUDIENCE)
        if page is not None:
            from api.maps.reach import isochrones_theme  # noqa: PLC0415

            theme = isochrones_theme(
                areas, counted, ground.stations, ground.streets, **_of_page(basis, ground, figures)
            )
            _draw(session, theme, page)
        _leave(basis)


@commands.command("service-standard", help=both("cli.service"))
def service_standard(
    streets: Streets,
    stations: Stations,
    boundaries: Boundaries,
    out: Annotated[Path, typer.Option("--out", help=both("cli.service.out"))],
    buildings: Buildings = None,
    venues: Venues = None,
    town: Annotated[int, typer.Option(help=both("cli.service.town"))] = 30,
    country: Annotated[int, typer.Option(help=both("cli.service.country"))] = 60,
    setting: Annotated[str, typer.Option(help=both("cli.service.setting"))] = "",
    settings: Annotated[Layer, typer.Option(help=both("cli.service.settings"))] = None,
    page: Page = None,
    mode: ModeName = "car",
    band: BandName = "",
    kinds: Kinds = "",
    profile: Profiles = None,
    closures: Closures = None,
    night: Night = None,
    shift: ShiftClock = "20:00-02:00",
    day: DataDay = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """List every building and venue that no station reaches in the time its setting allows."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.io.export import SUFFIXES  # noqa: PLC0415  heavy: loaded by its command only
        from geo.place.setting import unit_settings  # noqa: PLC0415
        from routing.travel.coverage import Standard, check_service  # noqa: PLC0415

        for option, allowed in (("--town", town), ("--country", country)):
            if not 1 <= allowed <= DAY:
                raise OptionInvalid(option=option, value=allowed, expected=_wanted_minutes())
        standard = Standard(town=town, country=country)
        require_outputs(
            {"--out": out, "--page": page},
            suffixes={"--out": SUFFIXES, "--page": (".html",)},
            inputs=(
                *(streets, stations, boundaries, buildings, venues),
                *(settings, profile, closures),
            ),
        )
        if buildings is None and venues is None:
            raise OptionInvalid(
                option="--buildings, --venues",
                value=Word("service.none"),
                expected=Word("service.needs"),
            )
        how = Asked(
            streets=streets,
            stations=stations,
            layers={Target.HOUSEHOLDS: buildings, Target.VENUES: venues},
            mode=mode,
            band=band,
            kinds=kinds,
            datum=datum,
            profile=profile,
            closures=closures,
            span=span_of(night, shift),
        )
        basis = open_basis(
            session, boundaries, out, day=day, epsg=metric_of(streets, epsg), drop=drop
        )
        ground = open_ground(session, basis, how)
        stated = _stated(settings or boundaries, setting)
        with session.steps.step("reach") as progress:
            found = check_service(
                ground.departures,
                ground.targets,
                basis.boundaries,
                unit_settings(basis.boundaries, stated),
                **basis.of_rates,
                standard=standard,
                progress=progress,
                stop=stop,
            )
        figures = [*ground.closures, *_kept(found, standard)]
        _say(session, [*figures, ("isochrone.note", {})])
        _say_missed(session, found)
        finish(session, basis, [(found.missed, out, "missed")], audience=AUDIENCE)
        if page is not None:
            from api.maps.reach import service_theme  # noqa: PLC0415

            theme = service_theme(
                found.missed, ground.stations, ground.streets, **_of_page(basis, ground, figures)
            )
            _draw(session, theme, page)
        _leave(basis)


def _minutes(written: str) -> list[int]:
    """Return the minutes of an option."""
    parts = [part.strip() for part in written.replace("，", ",").split(",") if part.strip()]
    bad = [part for part in parts if not (part.isdecimal() and 1 <= int(part) <= DAY)]
    if bad or not parts:
        value = ", ".join(bad) or f"“{written}”"
        raise OptionInvalid(option="--minutes", value=value, expected=_wanted_minutes())
    return [int(part) for part in parts]


def _wanted_minutes() -> Word:
    return Word("isochrone.wanted.minutes", {"most": DAY})


def _stated(path: Path, column: str) -> dict[str, Setting]:
    """Return what a column states of town and country."""
    if not column:
        return {}
    from geo.io.setting import read_settings  # noqa: PLC0415

    return read_settings(path, column=column)


def _figures(counts: "pd.DataFrame") -> "list[Said]":
    """Return what all stations together reach, by minutes."""
    from routing.travel.coverage import rate_of  # noqa: PLC0415

    together = counts[counts[Col.PLACE_ID] == ""]
    return [
        (f"isochrone.counted.{row.target}", {"minutes": row.minutes, "rate": str(rate_of(row))})
        for row in together.itertuples()
    ]


def _kept(found: "Service", standard: "Standard") -> "list[Said]":
    """Return how far the standard is kept, by what is reached and its setting."""
    said: list[Said] = []
    for (target, setting), rate in found.kept.items():
        params = {
            "target": Word(f"word.target.{target}"),
            "setting": Word(f"word.setting.{setting}"),
        }
        if setting is Setting.UNKNOWN:
            said.append(("service.kept.unknown", {**params, "total": f"{rate.total:,}"}))
        else:
            minutes = standard.minutes(setting)
            said.append(("service.kept", {**params, "minutes": minutes, "rate": str(rate)}))
    return said


def _say(session: Session, said: "list[Said]") -> None:
    """Print messages whose parameters may be words of their own."""
    from api.i18n import phrase  # noqa: PLC0415

    for code, params in said:
        session.out.print(phrase(code, session.lang, params), markup=False)


def _say_areas(
    session: Session,
    departures: "Departures",
    areas: "gpd.GeoDataFrame",
    minutes: list[int],
) -> None:
    """Print how many areas were drawn, with what, and how wide all together are."""
    session.say(
        "isochrone.written",
        n=f"{len(departures.places):,}",
        minutes=", ".join(map(str, sorted(set(minutes)))),
        mode=text(f"word.mode.{departures.mode}", session.lang),
        band=text(f"word.band.{departures.travel.band}", session.lang),
        areas=f"{len(areas):,}",
        profile=departures.travel.network.profile.version,
    )
    for row in areas[areas[Col.PLACE_ID] == ""].itertuples():
        session.say("isochrone.widest", minutes=row.minutes, km2=f"{row.area / 1e6:,.1f}")


def _say_missed(session: Session, found: "Service") -> None:
    """Print how many places are missed, why, and the first of them."""
    missed = found.missed
    session.say("service.missed", n=f"{len(missed):,}")
    for reason in MissReason:
        n = int((missed[Col.REASON] == reason.value).sum())
        if n:
            why = text(f"service.reason.{reason}", session.lang)
            session.say("service.missed.reason", reason=why, n=f"{n:,}")
    for row in missed[missed[Col.REASON] == MissReason.TOO_FAR.value].head(SHOWN).itertuples():
        session.say(
            "service.missed.row",
            place=f"{row.place_id} {row.name}".strip(),
            township=row.township,
            minutes=f"{row.minutes:.1f}",
            limit=row.limit,
            station=row.nearest_id,
        )


def _of_page(basis: Basis, ground: Ground, figures: "list[Said]") -> dict[str, Any]:
    """Return the keywords that both pages share."""
    return {
        "boundaries": basis.boundaries,
        "figures": figures,
        "data_date": basis.day if basis.is_day_stated else None,
        "boundary_version": basis.version,
        "is_synthetic": ground.is_synthetic,
        "attribution": basis.credits,
    }


def _draw(session: Session, theme: "Theme", page: Path) -> None:
    from api.maps import write_theme  # noqa: PLC0415
    from geo.privacy import Audience  # noqa: PLC0415

    write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
    say_paths(session, [page])


def _leave(basis: Basis) -> None:
    """Leave with status 1 where rows were refused."""
    if basis.refused:
        raise typer.Exit(EXIT_REFUSED)
