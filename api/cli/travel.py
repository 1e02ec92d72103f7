"""Commands on travel: matrices, routes with their turn lists, corridors for escorts."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Drop,
    Lang,
    Session,
    ShiftClock,
    as_findings,
    open_session,
    read_day,
    say_notes,
    say_paths,
)
from api.i18n import both, text
from geo.errors import OptionInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from geo.io import Reading, Refusal
    from routing.io.network_file import NetworkFile
    from routing.model import Mode, Place
    from routing.travel import Corridor, CorridorWay, Step, Travel

commands = typer.Typer()

REACH: Final = 500.0
"""Metres; `routing.travel.REACH_M` without its imports (a test compares them)."""

NetworkFileOption = Annotated[Path, typer.Option("--network", help=both("cli.travel.network"))]
ModeWord = Annotated[str, typer.Option("--mode", help=both("cli.travel.mode"))]
Closures = Annotated[Path | None, typer.Option("--closures", help=both("cli.travel.closures"))]
Night = Annotated[str | None, typer.Option("--date", help=both("cli.travel.date"))]
WithTurns = Annotated[bool, typer.Option("--turns/--no-turns", help=both("cli.travel.turns"))]
Reach = Annotated[float, typer.Option("--reach", min=0.0, help=both("cli.travel.reach"))]
LayerName = Annotated[str, typer.Option("--layer", help=both("cli.travel.layer"))]
OutFile = Annotated[Path, typer.Option("--out", help=both("cli.travel.out"))]
MaybeOut = Annotated[Path | None, typer.Option("--out", help=both("cli.travel.out"))]


@commands.command(help=both("cli.matrix"))
def matrix(
    origins: Annotated[Path, typer.Argument(help=both("cli.matrix.origins"))],
    network: NetworkFileOption,
    out: OutFile,
    to: Annotated[Path | None, typer.Option("--to", help=both("cli.matrix.to"))] = None,
    layer: LayerName = "stations",
    to_layer: Annotated[str, typer.Option("--to-layer", help=both("cli.matrix.to_layer"))] = (
        "venues"
    ),
    mode: ModeWord = "car",
    closures: Closures = None,
    day: Night = None,
    shift: ShiftClock = "20:00-02:00",
    turns: WithTurns = False,
    reach: Reach = REACH,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Write seconds and metres from every origin to every destination."""
    with open_session(lang) as session:
        require_outputs({"--out": out}, suffixes=(".csv",), inputs=(origins, network, to, closures))
        files = _Files(session, datum=datum, drop=drop)
        how = _mode(mode)
        travel = _open_travel(files, network, closures, day=day, shift=shift, turns=turns)
        starts = files.places(origins, layer)
        ends = starts if to is None else files.places(to, to_layer)
        travel.require_near(starts, source=origins.name, limit=reach)
        travel.require_near(ends, source=(to or origins).name, limit=reach)
        n_none = _write_matrix(travel, starts, ends, how, out)
        total = len(starts) * len(ends)
        session.say("matrix.written", rows=f"{len(starts):,}", columns=f"{len(ends):,}")
        if n_none:
            session.say("matrix.none", n=f"{n_none:,}", total=f"{total:,}")
        files.finish(out, [out])


@commands.command(help=both("cli.route"))
def route(
    stops: Annotated[Path, typer.Argument(help=both("cli.route.stops"))],
    network: NetworkFileOption,
    out: MaybeOut = None,
    layer: LayerName = "stations",
    mode: ModeWord = "car",
    closures: Closures = None,
    day: Night = None,
    shift: ShiftClock = "20:00-02:00",
    turns: WithTurns = False,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Print the turn list through places in the order of their rows, and write the way."""
    with open_session(lang) as session:
        from geo.io.export import SHAPES  # noqa: PLC0415  heavy: loaded by its command only

        require_outputs({"--out": out}, suffixes=SHAPES, inputs=(stops, network, closures))
        files = _Files(session, datum=datum, drop=drop)
        how = _mode(mode)
        travel = _open_travel(files, network, closures, day=day, shift=shift, turns=turns)
        places = files.places(stops, layer)
        found = travel.route(places, how, source=stops.name)
        session.say(
            "route.whole",
            n=len(places),
            minutes=_minutes(found.seconds),
            km=f"{found.length / 1000:,.1f}",
        )
        for leg, steps, place in zip(found.legs, found.steps, places[1:], strict=True):
            session.say("route.leg", place=place.name, minutes=_minutes(leg.seconds))
            _say_steps(session, steps)
        from routing.travel.frame import route_frame  # noqa: PLC0415

        files.finish(out or stops, _written(session, out, route_frame(found), "route"))


@commands.command(help=both("cli.corridor"))
def corridor(
    ends: Annotated[Path, typer.Argument(help=both("cli.corridor.ends"))],
    network: NetworkFileOption,
    posts: Annotated[Path | None, typer.Option("--posts", help=both("cli.corridor.posts"))] = None,
    within: Annotated[float, typer.Option("--within", help=both("cli.corridor.within"))] = 100.0,
    alternatives: Annotated[int, typer.Option(help=both("cli.corridor.alternatives"))] = 2,
    out: MaybeOut = None,
    mode: ModeWord = "car",
    closures: Closures = None,
    day: Night = None,
    shift: ShiftClock = "20:00-02:00",
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Print the fastest way for an escort, what it passes, and ways to turn to."""
    with open_session(lang) as session:
        from geo.io.export import SHAPES  # noqa: PLC0415  heavy: loaded by its command only
        from routing.travel import find_corridor  # noqa: PLC0415
        from routing.travel.frame import corridor_frame  # noqa: PLC0415

        require_outputs({"--out": out}, suffixes=SHAPES, inputs=(ends, network, posts, closures))
        files = _Files(session, datum=datum, drop=drop)
        how = _mode(mode)
        travel = _open_travel(files, network, closures, day=day, shift=shift, turns=False)
        places = files.places(ends, "stations")
        if len(places) != 2:
            expected = text("corridor.two", session.lang)
            raise OptionInvalid(option=ends.name, value=len(places), expected=expected)
        found = find_corridor(
            travel,
            *places,
            mode=how,
            posts=files.places(posts, "stations") if posts is not None else (),
            within=within,
            n_alternatives=alternatives,
        )
        _say_corridor(session, found, asked=alternatives)
        files.finish(out or ends, _written(session, out, corridor_frame(found), "corridor"))


@dataclass(slots=True)
class _Files:
    """Reads what a command is given, says what was assumed, and lists the rows refused."""

    session: Session
    datum: str
    drop: str
    refused: "list[Refusal] | None" = None

    def read(self, reader: "Callable[..., Reading]", path: Path) -> "gpd.GeoDataFrame":
        """Return the frame of a file."""
        names = tuple(name.strip() for name in self.drop.split(",") if name.strip())
        reading = reader(path, datum=self.datum, drop=names)
        say_notes(self.session, as_findings(reading.notes))
        self.refused = [*(self.refused or ()), *reading.refused]
        return reading.frame

    def places(self, path: Path, layer: str) -> "list[Place]":
        """Return the places of a layer of points, in the order of their rows."""
        from geo import frames, io  # noqa: PLC0415  heavy: loaded by the commands only
        from routing.model import Place  # noqa: PLC0415

        layers = {
            "venues": (io.read_venues, frames.VENUES),
            "stations": (io.read_stations, frames.STATIONS),
            "posts": (io.read_posts, frames.POSTS),
        }
        if layer not in layers:
            raise OptionInvalid(option="--layer", value=layer, expected=", ".join(layers))
        reader, schema = layers[layer]
        frame = self.read(reader, path)
        rows = zip(frame[schema.key], frame[frames.Col.NAME], frame.geometry, strict=True)
        return [Place(place_id=key, name=name, lon=at.x, lat=at.y) for key, name, at in rows]

    def finish(self, beside: Path, paths: "Sequence[Path]") -> None:
        """Say what was written and which rows were refused; these make the exit status 1."""
        refused = self.refused or []
        say_refused(self.session, refused, beside=beside)
        if paths:
            say_paths(self.session, paths)
        if refused:
            raise typer.Exit(EXIT_REFUSED)


def _mode(word: str) -> "Mode":
    from routing.model import Mode  # noqa: PLC0415

    try:
        return Mode(word)
    except ValueError as error:
        expected = ", ".join(mode.value for mode in Mode)
        raise OptionInvalid(option="--mode", value=word, expected=expected) from error


def _open_travel(
    files: _Files,
    network: Path,
    closures: Path | None,
    *,
    day: str | None,
    shift: str,
    turns: bool,
) -> "Travel":
    """Return the network at the hours of a shift, under the closures that hold then."""
    from geo.io.closures import read_closures  # noqa: PLC0415  heavy: loaded by the commands only
    from routing.io.network_file import open_network  # noqa: PLC0415
    from routing.network import conditions_at  # noqa: PLC0415
    from routing.pipeline import shift_from  # noqa: PLC0415
    from routing.travel import Travel  # noqa: PLC0415

    file = open_network(network)
    span = shift_from(read_day(day), shift)
    band = file.network.profile.band_of(span.start, span.length)
    conditions = None
    if closures is not None:
        held = files.read(read_closures, closures)
        conditions = conditions_at(file.network, held, start=span.start, length=span.length)
    _say_basis(files.session, file, band=band.value)
    if conditions is not None:
        n, n_segments = len(conditions.closure_ids), len(set(conditions.segment.tolist()))
        files.session.say("network.closures", n=n, n_segments=n_segments)
    return Travel(
        file.network, topology=file.topology, band=band, conditions=conditions, turns=turns
    )


def _say_basis(session: Session, file: "NetworkFile", *, band: str) -> None:
    """Print which streets of which day, which speeds and which part of the day count."""
    session.say(
        "travel.basis",
        source=file.source,
        day=file.data_date,
        profile=file.network.profile.version,
        band=text(f"word.band.{band}", session.lang),
    )


def _write_matrix(
    travel: "Travel", starts: "list[Place]", ends: "list[Place]", mode: "Mode", out: Path
) -> int:
    """Write a row for every pair, some origins at a time; return how many pairs have no way."""
    from geo.io import staging  # noqa: PLC0415  heavy: loaded by the commands only
    from routing.model import UNREACHABLE  # noqa: PLC0415
    from routing.travel.memory import row_blocks  # noqa: PLC0415

    origins, destinations = travel.snap_places(starts), travel.snap_places(ends)
    ids, n_none = [place.place_id for place in ends], 0
    with (
        staging(out.absolute().parent) as stage,
        (stage / out.name).open("w", encoding="utf-8-sig", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(("origin_id", "destination_id", "seconds", "metres"))
        for rows in row_blocks(len(starts), 3 * len(ends)):
            some = origins.take(_rows(rows))
            seconds, metres = travel.lengths(some, destinations, mode)
            n_none += int((seconds == UNREACHABLE).sum())
            for place, row, far in zip(starts[rows], seconds, metres, strict=True):
                pairs = zip(ids, row.tolist(), far.tolist(), strict=True)
                writer.writerows(_pair(place.place_id, *pair) for pair in pairs)
    return n_none


def _rows(rows: slice) -> Any:
    import numpy as np  # noqa: PLC0415

    return np.arange(rows.start, rows.stop)


def _pair(origin: str, destination: str, seconds: int, metres: float) -> tuple[object, ...]:
    """Return a line of the matrix; seconds and metres are blank where there is no way."""
    if metres == float("inf"):
        return origin, destination, "", ""
    return origin, destination, seconds, f"{metres:.1f}"


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.1f}"


def _say_steps(session: Session, steps: "Sequence[Step]") -> None:
    """Print a turn list, numbered."""
    for number, step in enumerate(steps, 1):
        line = text(step.code, session.lang, **step.params)
        session.out.print(f"  {number:2d}. {line}", markup=False)


def _say_corridor(session: Session, found: "Corridor", *, asked: int) -> None:
    """Print every way with what it passes, and the turn list of the fastest."""
    for order, way in enumerate(found.ways, 1):
        session.say(
            "corridor.way" if order > 1 else "corridor.fastest",
            order=order,
            minutes=_minutes(way.leg.seconds),
            km=f"{way.leg.length / 1000:,.1f}",
            junctions=len(way.crossings),
            longer=f"{100 * (way.stretch - 1):.0f}",
            share=f"{100 * way.sharing:.0f}",
            streets=" → ".join(way.leg.names) or "—",
        )
        _say_posts(session, way)
    _say_steps(session, found.fastest.steps)
    if len(found.alternatives) < asked:
        session.say("corridor.few", n=len(found.alternatives), asked=asked)


def _say_posts(session: Session, way: "CorridorWay") -> None:
    for post in way.posts:
        session.say(
            "corridor.post",
            name=post.place.name,
            minutes=_minutes(post.seconds),
            km=f"{post.length / 1000:,.1f}",
            metres=f"{post.distance:,.0f}",
        )


def _written(session: Session, out: Path | None, frame: Any, layer: str) -> "list[Path]":
    """Write a way that is planned: for command alone, and said so in the file."""
    if out is None:
        return []
    from geo.io import write_file  # noqa: PLC0415  heavy: loaded by the commands only

    audience = text("export.audience.command", session.lang)
    session.say("place.audience", audience=audience)
    return list(write_file(frame, out, layer=layer, attribution=(audience,)))
