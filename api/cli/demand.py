"""Commands on reports: hot spots with the proof of their accuracy, and counts that may leave."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from api.cli.basis import version_word
from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    Datum,
    Drop,
    Lang,
    MaybeSource,
    Seed,
    Session,
    as_findings,
    open_session,
    say_notes,
    say_paths,
)
from api.console import stop_on_interrupt
from api.i18n import both, phrase, text
from api.i18n.word import Word
from geo.errors import FarFromStreets, OptionInvalid, OutsideBoundary
from geo.frames import Col
from geo.units import SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from api.maps.theme import Said
    from geo.demand.accuracy import Accuracy
    from geo.demand.series import Series
    from geo.io import Note, Reading
    from geo.progress import StopToken

commands = typer.Typer()

Incidents = Annotated[Path, typer.Argument(help=both("cli.hotspot.incidents"))]
To = Annotated[Path, typer.Option("--out", help=both("cli.hotspot.out"))]
ChannelName = Annotated[str, typer.Option(help=both("cli.hotspot.channel"))]
Table = Annotated[Path, typer.Option("--out", help=both("cli.counts.out"))]
Keep = Annotated[str, typer.Option(help=both("cli.hotspot.keep"))]
Rules = Annotated[Path | None, typer.Option(help=both("cli.hotspot.rules"))]
Epsg = Annotated[int | None, typer.Option(help=both("cli.option.epsg"))]


@commands.command("hot-spots", help=both("cli.hotspot"))
def hot_spots(
    incidents: Incidents,
    out: To,
    roads: MaybeSource = None,
    boundaries: MaybeSource = None,
    method: Annotated[str, typer.Option(help=both("cli.hotspot.method"))] = "decayed",
    side: Annotated[float, typer.Option(help=both("cli.hotspot.side"))] = 150.0,
    share: Annotated[float, typer.Option(help=both("cli.hotspot.share"))] = 0.01,
    test_weeks: Annotated[int, typer.Option(min=1, help=both("cli.hotspot.weeks"))] = 13,
    page: Annotated[Path | None, typer.Option(help=both("cli.hotspot.page"))] = None,
    channel: ChannelName = "",
    keep: Keep = "",
    rules: Rules = None,
    epsg: Epsg = None,
    seed: Seed = 1,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Find hot spots, and say how good the method was on weeks it had not seen."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from api.maps import write_theme  # noqa: PLC0415  heavy: loaded by its command only
        from api.maps.themes import hot_spots_theme  # noqa: PLC0415
        from geo.boundary import version_of  # noqa: PLC0415
        from geo.demand import hotspot  # noqa: PLC0415
        from geo.demand.accuracy import require_share  # noqa: PLC0415
        from geo.demand.series import require_side  # noqa: PLC0415
        from geo.io import read_boundaries, read_streets  # noqa: PLC0415
        from geo.io.export import SHAPES, write_file  # noqa: PLC0415
        from geo.privacy import Audience  # noqa: PLC0415

        require_outputs(
            {"--out": out, "--page": page},
            suffixes={"--out": SHAPES, "--page": (".html",)},
            inputs=(incidents, roads, boundaries, rules),
        )
        require_side(side)
        require_share(share)
        chosen = hotspot.method_named(method)
        reports = _read_reports(session, incidents, datum, drop, channel, keep, rules, beside=out)
        lines: list[str] = []
        streets = None if roads is None else _said(session, read_streets(roads), lines)
        area = None if boundaries is None else _said(session, read_boundaries(boundaries), lines)
        metric = _metric(reports, epsg)
        series = _series(reports, streets, area, epsg=metric, side=side, source=incidents.name)
        _require_somewhere(series, incidents, roads, boundaries)
        _say_series(session, series, is_on_streets=streets is not None)
        _say_basis(session, _last_day(series), area)
        ground = "squares" if streets is None else "streets"
        judged = _judge(session, series, method, test_weeks, ground, share, seed, stop)
        spots = hotspot.hot_spots(
            series,
            chosen,
            epsg=metric,
            share=share,
            seed=seed,
            name=method,
            source=SYNTHETIC if (reports[Col.SOURCE] == SYNTHETIC).any() else "patrolgrid",
        )
        for code, params in judged:
            session.out.print(phrase(code, session.lang, params), markup=False)
        written = [*write_file(spots, out, layer="hot_spots", attribution=lines)]
        if page is not None:
            theme = hot_spots_theme(
                spots,
                streets,
                epsg=metric,
                figures=judged,
                data_date=_last_day(series),
                boundary_version="" if area is None else version_of(area),
                attribution=lines,
            )
            write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
            written.append(page)
        session.say("cli.hotspot.command_only")
        say_paths(session, written)


@commands.command("report-counts", help=both("cli.counts"))
def report_counts(
    incidents: Incidents,
    roads: Annotated[Path, typer.Option(help=both("cli.option.layer"))],
    buildings: Annotated[Path, typer.Option(help=both("cli.option.layer"))],
    audience: Annotated[str, typer.Option(help=both("cli.counts.audience"))],
    out: Table,
    venues: MaybeSource = None,
    bins: Annotated[str, typer.Option(help=both("cli.counts.bins"))] = "2,8,14,20",
    channel: ChannelName = "",
    keep: Keep = "",
    rules: Rules = None,
    epsg: Epsg = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Count reports by street and hour so that no count points at one home."""
    with open_session(lang) as session:
        from geo.incident import (  # noqa: PLC0415  heavy: loaded by its command only
            count_addresses,
            count_reports,
            on_segments,
            roll_up_segments,
        )
        from geo.incident.snap import SNAP_REACH  # noqa: PLC0415
        from geo.io import read_buildings, read_streets, read_venues  # noqa: PLC0415
        from geo.io.export import TABLES, write_file  # noqa: PLC0415
        from geo.privacy import Audience  # noqa: PLC0415

        inputs = (incidents, roads, buildings, venues, rules)
        require_outputs({"--out": out}, suffixes=TABLES, inputs=inputs)
        if audience not in list(Audience):
            raise OptionInvalid(option="--audience", value=audience, expected=", ".join(Audience))
        hours = _hours(bins)
        found = _read_reports(session, incidents, datum, drop, channel, keep, rules, beside=out)
        metric = _metric(found, epsg)
        streets = _said(session, read_streets(roads))
        homes = _said(session, read_buildings(buildings, datum=datum))
        register = None if venues is None else _said(session, read_venues(venues, datum=datum))
        reports, n_far = on_segments(found, streets, epsg=metric)
        if n_far == len(found):
            raise FarFromStreets(
                source=incidents.name, n=len(found), metres=f"{SNAP_REACH:g}", streets=roads.name
            )
        addresses = count_addresses(streets, homes, register, epsg=metric)
        groups = roll_up_segments(streets, addresses, epsg=metric)
        counts = count_reports(reports, streets, groups, audience=Audience(audience), bins=hours)
        _say_basis(session, found[Col.OCCURRED_AT].max().date(), None)
        session.say("cli.counts.far", n=f"{n_far:,}", total=f"{len(found):,}")
        session.say(
            "cli.counts.rolled",
            n=f"{int(groups.is_rolled.sum()):,}",
            total=f"{len(streets):,}",
            groups=f"{len(groups.n_addresses):,}",
        )
        n_hidden = int(counts["is_suppressed"].sum())
        session.say("cli.counts.hidden", n=f"{n_hidden:,}", total=f"{len(counts):,}")
        say_paths(session, write_file(counts, out, layer="report_counts"))


def _read_reports(
    session: Session,
    path: Path,
    datum: str,
    drop: str,
    channel: str,
    keep: str,
    rules: Path | None,
    *,
    beside: Path,
) -> "gpd.GeoDataFrame":
    """Read reports without the kinds that point at homes; list the rows that are refused."""
    from geo.io import read_incidents  # noqa: PLC0415
    from geo.io.rules import read_incident_rules, shipped_incident_rules  # noqa: PLC0415

    chosen = shipped_incident_rules() if rules is None else read_incident_rules(rules)
    reading = read_incidents(
        path,
        datum=datum,
        drop=_names(drop),
        channel=channel,
        keep=_names(keep),
        rules=chosen,
    )
    total = len(reading.frame) + len(reading.refused)
    if reading.refused:
        n = f"{len(reading.refused):,}"
        session.say("cli.hotspot.refused", source=path.name, n=n, total=f"{total:,}")
        say_refused(session, reading.refused, beside=beside)
    _say_channel(session, reading.notes, total)
    titles = {one.kind: one.en if session.lang == "en" else one.zh for one in chosen.homes}
    notes = [_with_titles(note, titles) for note in reading.notes if not _is_of_channel(note)]
    return _said(session, replace(reading, notes=tuple(notes)))


def _is_of_channel(note: "Note") -> bool:
    """Tell whether a note is about rows that state no channel."""
    by_default = note.code == "note.default" and note.params.get("column") == Col.CHANNEL
    return by_default or note.code == "note.channel"


def _say_channel(session: Session, notes: "Sequence[Note]", total: int) -> None:
    """Print which channel was assumed, and for how many rows: demand rests on it."""
    for note in filter(_is_of_channel, notes):
        channel = note.params.get("channel") or note.params["value"]
        session.say(
            "cli.hotspot.assumed",
            n=f"{note.params.get('n', total):,}",
            total=f"{total:,}",
            channel=text(f"word.channel.{channel}", session.lang),
        )


def _with_titles(note: "Note", titles: "Mapping[str, str]") -> "Note":
    """Return a note about kinds that point at homes with what people call them."""
    if note.code != "note.homes":
        return note
    kinds = cast("tuple[str, ...]", note.params["kinds"])
    told = tuple(titles.get(kind, kind) for kind in kinds)
    return replace(note, params={**note.params, "kinds": told})


def _require_somewhere(
    series: "Series", incidents: Path, roads: Path | None, boundaries: Path | None
) -> None:
    """Refuse reports of which none lies on the streets or inside the boundary.

    Raises
    ------
    FarFromStreets, OutsideBoundary
    """
    from geo.incident.snap import SNAP_REACH  # noqa: PLC0415

    if series.n_reports:
        return
    n = series.n_total
    if roads is not None:
        raise FarFromStreets(
            source=incidents.name, n=n, metres=f"{SNAP_REACH:g}", streets=roads.name
        )
    where = "–" if boundaries is None else boundaries.name
    raise OutsideBoundary(source=incidents.name, n=n, boundary=where)


def _say_basis(session: Session, day: date, area: "gpd.GeoDataFrame | None") -> None:
    """Print the last day of the data and the version of the boundaries, where there are any."""
    from geo.boundary import version_of  # noqa: PLC0415

    none = text("cli.hotspot.unbounded", session.lang)
    version = none if area is None else version_word(session, version_of(area))
    session.say("cli.hotspot.basis", day=day.isoformat(), version=version)


def _said(
    session: Session, reading: "Reading", lines: list[str] | None = None
) -> "gpd.GeoDataFrame":
    """Print what a reader noted, keep what must be printed with its layer, return its frame."""
    say_notes(session, as_findings(reading.notes))
    if lines is not None:
        lines += [line for line in reading.attribution if line not in lines]
    frame: gpd.GeoDataFrame = reading.frame
    return frame


def _names(text_: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text_.split(",") if name.strip())


def _hours(bins: str) -> tuple[int, ...]:
    from geo.incident.count import Wanted  # noqa: PLC0415

    try:
        return tuple(int(hour) for hour in _names(bins))
    except ValueError as error:
        raise OptionInvalid(option="--bins", value=bins, expected=Wanted.HOURS) from error


def _metric(reports: "gpd.GeoDataFrame", epsg: int | None) -> int:
    """Return the metric CRS: the one stated, or the UTM zone of most reports."""
    from geo.crs import is_metric_for  # noqa: PLC0415
    from geo.io.hints import Hint  # noqa: PLC0415

    middle = reports.geometry.iloc[[int(len(reports) // 2)]]
    if epsg is not None and not is_metric_for(epsg, middle.iloc[0]):
        raise OptionInvalid(option="--epsg", value=epsg, expected=Hint.METRIC_CRS)
    return epsg or int(middle.estimate_utm_crs().to_epsg())


def _series(
    reports: "gpd.GeoDataFrame",
    streets: "gpd.GeoDataFrame | None",
    area: "gpd.GeoDataFrame | None",
    *,
    epsg: int,
    side: float,
    source: str,
) -> "Series":
    from geo.demand.series import count_in_squares, count_on_segments  # noqa: PLC0415

    if streets is not None:
        return count_on_segments(reports, streets, epsg=epsg, source=source)
    return count_in_squares(reports, epsg=epsg, side=side, within=area, source=source)


def _say_series(session: Session, series: "Series", *, is_on_streets: bool) -> None:
    unit = "segments" if is_on_streets else "squares"
    session.say(
        f"hotspot.series.{unit}",
        n=f"{series.n_reports:,}",
        total=f"{series.n_total:,}",
        places=f"{len(series.size):,}",
        weeks=series.n_weeks,
        day=_last_day(series).isoformat(),
    )


def _last_day(series: "Series") -> date:
    """Return the last day whose reports are counted."""
    return series.as_of - timedelta(days=1)


def _judge(
    session: Session,
    series: "Series",
    method: str,
    test_weeks: int,
    ground: str,
    share: float,
    seed: int,
    stop: "StopToken",
) -> "tuple[Said, ...]":
    """Return how good the method was, how good plain counts were, and who is ahead."""
    from geo.demand.accuracy import judge, last_weeks  # noqa: PLC0415
    from geo.demand.hotspot import BASELINE, METHODS  # noqa: PLC0415

    weeks = last_weeks(series, test_weeks)
    with session.steps.step("judge") as progress:
        found, plain = (
            judge(
                series,
                METHODS[name],
                weeks=weeks,
                share=share,
                seed=seed,
                progress=progress,
                stop=stop,
            )
            for name in (method, BASELINE)
        )
    lines = [_accuracy(method, found, ground, share, seed)]
    if method != BASELINE:
        lines.append(_accuracy(BASELINE, plain, ground, share, seed))
        lead, error = found.lead_over(plain, seed=seed)
        code = "even" if abs(lead) <= 2 * error else ("ahead" if lead > 0 else "behind")
        params = {"lead": f"{lead:+.2f}", "error": f"{error:.2f}"}
        lines.append((f"hotspot.lead.{code}", params))
    return tuple(lines)


def _accuracy(method: str, found: "Accuracy", ground: str, share: float, seed: int) -> "Said":
    params = {
        "method": Word(f"hotspot.method.{method}"),
        "weeks": len(found.total),
        "n": f"{found.caught.sum():,.0f}",
        "total": f"{found.total.sum():,.0f}",
        "percent": f"{100 * found.hit_rate:.1f}",
        "share": f"{100 * share:g}",
        "ground": Word(f"hotspot.ground.{ground}"),
        "pai": f"{found.pai:.1f}",
        "error": f"{found.pai_error(seed=seed):.1f}",
        "pei": f"{found.pei:.2f}",
    }
    return "hotspot.accuracy", params
