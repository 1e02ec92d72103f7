"""Commands on travel: matrices, routes with their turn lists, corridors for escorts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.cli.matrix import Near, require_disk, write_matrix
from api.cli.output import require_outputs, say_refused
from api.cli.roads import PlaceFile, closure_figures, keep_near, rows_kept
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
from api.console import stop_on_interrupt
from api.i18n import both, phrase, text
from api.i18n.word import Word
from geo.errors import OptionInvalid, ValueInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from geo.io import Reading, Refusal
    from routing.io.network_file import NetworkFile
    from routing.model import Mode, Place
    from routing.travel import Corridor, CorridorWay, Route, Step, Travel

commands = typer.Typer()

REACH: Final = 500.0
"""Metres; `routing.travel.REACH_M` without its imports (a test compares them)."""

FARTHEST: Final = 5000.0
"""Metres to a street beyond which a travel time that leaves them out says nothing: an hour on
foot."""

NetworkFileOption = Annotated[Path, typer.Option("--network", help=both("cli.travel.network"))]
ModeWord = Annotated[str, typer.Option("--mode", help=both("cli.travel.mode"))]
Closures = Annotated[Path | None, typer.Option("--closures", help=both("cli.travel.closures"))]
Night = Annotated[str | None, typer.Option("--date", help=both("cli.travel.date"))]
WithTurns = Annotated[bool, typer.Option("--turns/--no-turns", help=both("cli.travel.turns"))]
Reach = Annotated[float, typer.Option("--reach", help=both("cli.travel.reach"))]
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
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        require_outputs({"--out": out}, suffixes=(".csv",), inputs=(origins, network, to, closures))
        if not 0.0 < reach <= FARTHEST:
            expected = Word("matrix.wanted.reach", {"most": f"{FARTHEST:,.0f}"})
            raise OptionInvalid(option="--reach", value=f"{reach:g}", expected=expected)
        files = _Files(session, datum=datum, drop=drop)
        how = _mode(mode)
        travel = _open_travel(files, network, closures, day=day, shift=shift, turns=turns)
        starts = files.near(travel, origins, layer, limit=reach)
        is_same = to is None or (to.resolve() == origins.resolve() and to_layer == layer)
        ends = starts if to is None or is_same else files.near(travel, to, to_layer, limit=reach)
        require_disk(session, out, starts, ends)
        with session.steps.step("matrix") as progress:
            n_none = write_matrix(travel, starts, ends, how, out, progress=progress, stop=stop)
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
    steps: Annotated[Path | None, typer.Option("--steps", help=both("cli.route.steps"))] = None,
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
        from geo.io.export import SHAPES, SUFFIXES  # noqa: PLC0415  heavy: by its command only
        from routing.travel.frame import route_frame  # noqa: PLC0415

        held = {"--out": SHAPES, "--steps": SUFFIXES}
        outs = {"--out": out, "--steps": steps}
        require_outputs(outs, suffixes=held, inputs=(stops, network, closures))
        files = _Files(session, datum=datum, drop=drop)
        how = _mode(mode)
        travel = _open_travel(files, network, closures, day=day, shift=shift, turns=turns)
        places = files.places(stops, layer)
        files.say_apart(travel, places, stops.name)
        found = travel.route(places, how, source=stops.name)
        session.say(
            "route.whole",
            n=len(places),
            minutes=_minutes(found.seconds),
            km=f"{found.length / 1000:,.1f}",
        )
        for leg, listed, place in zip(found.legs, found.steps, places[1:], strict=True):
            session.say("route.leg", place=place.name, minutes=_minutes(leg.seconds))
            _say_steps(session, listed)
        files.finish(
            out or steps or stops,
            _written(
                session,
                (out, route_frame(found), "route"),
                (steps, _told_frame(session, found), "steps"),
            ),
        )


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
            rows = Word("corridor.rows", {"n": len(places)})
            raise OptionInvalid(option=ends.name, value=rows, expected=Word("corridor.two"))
        files.say_apart(travel, places, ends.name)
        found = find_corridor(
            travel,
            *places,
            mode=how,
            posts=files.places(posts, "stations") if posts is not None else (),
            within=within,
            n_alternatives=alternatives,
            source=ends.name,
        )
        _say_corridor(session, found, asked=alternatives)
        files.finish(out or ends, _written(session, (out, corridor_frame(found), "corridor")))


@dataclass(slots=True)
class _Files:
    """Reads what a command is given, says what was assumed, and lists the rows refused."""

    session: Session
    datum: str
    drop: str
    refused: "list[Refusal]" = field(default_factory=list)

    def read(self, reader: "Callable[..., Reading]", path: Path) -> "gpd.GeoDataFrame":
        """Return the frame of a file."""
        names = tuple(name.strip() for name in self.drop.split(",") if name.strip())
        reading = reader(path, datum=self.datum, drop=names)
        say_notes(self.session, as_findings(reading.notes))
        self.refused += reading.refused
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
        try:
            frame = self.read(reader, path)
        except ValueInvalid:
            if path.stem in layers and path.stem != layer:
                read = {"source": path.name, "layer": layer, "other": path.stem}
                say_notes(self.session, [("travel.layer", read)])
            raise
        rows = zip(frame[schema.key], frame[frames.Col.NAME], frame.geometry, strict=True)
        return [Place(place_id=key, name=name, lon=at.x, lat=at.y) for key, name, at in rows]

    def near(self, travel: "Travel", path: Path, layer: str, *, limit: float) -> Near:
        """Return the places that the roads reach; the others join the rows refused."""
        places = self.places(path, layer)
        file = PlaceFile(
            source=path.name, datum=self.datum, rows=rows_kept(self.refused, path.name, len(places))
        )
        rows, snaps, refused = keep_near(self.session, travel, places, file, limit=limit)
        self.refused += refused
        return Near([places[k] for k in rows.tolist()], snaps)

    def say_apart(self, travel: "Travel", places: "Sequence[Place]", source: str) -> None:
        """Say how far places lie from their streets."""
        from geo.crs import datum_of  # noqa: PLC0415  heavy: loaded by the commands only
        from routing.travel.apart import apart_from_streets  # noqa: PLC0415

        snaps, stated = travel.snap_places(places), datum_of(self.datum)
        apart = apart_from_streets(travel, places, snaps, stated=stated)
        say_notes(self.session, list(apart.notes(source)))

    def finish(self, beside: Path, paths: "Sequence[Path]") -> None:
        """Say what was written and which rows were refused; these make the exit status 1."""
        say_refused(self.session, self.refused, beside=beside)
        if paths:
            say_paths(self.session, paths)
        if self.refused:
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
    for code, params in closure_figures(conditions):
        files.session.say(code, **params)
    return Travel(
        file.network, topology=file.topology, band=band, conditions=conditions, turns=turns
    )


def _say_basis(session: Session, file: "NetworkFile", *, band: str) -> None:
    """Print which streets of which day, which speeds and which part of the day count."""
    day = file.data_date
    session.say(
        "travel.basis",
        source=file.source,
        day=day if file.is_day_stated else text("travel.day", session.lang, day=day),
        profile=file.network.profile.version,
        band=text(f"word.band.{band}", session.lang),
    )


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.1f}"


def _say_steps(session: Session, steps: "Sequence[Step]") -> None:
    """Print a turn list, numbered."""
    for number, step in enumerate(steps, 1):
        line = phrase(step.code, session.lang, step.params)
        session.out.print(f"  {number:2d}. {line}", markup=False)


def _told_frame(session: Session, found: "Route") -> "gpd.GeoDataFrame":
    """Return the turn list as a frame, each step with its line in the reader's language."""
    from geo.frames import Col  # noqa: PLC0415  heavy: loaded by the commands only
    from routing.travel.frame import steps_frame  # noqa: PLC0415

    lines = [phrase(step.code, session.lang, step.params) for leg in found.steps for step in leg]
    frame = steps_frame(found)
    return frame.assign(**{Col.TEXT: lines}).astype({Col.TEXT: "str"})


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


def _written(session: Session, *asked: tuple[Path | None, Any, str]) -> "list[Path]":
    """Write what is asked for of a way that is planned: for command alone, and said so in the file.

    Parameters
    ----------
    *asked : tuple of Path or None, GeoDataFrame, str
        Where to, what, and what the layer is called.
    """
    wanted = [(out, frame, layer) for out, frame, layer in asked if out is not None]
    if not wanted:
        return []
    from geo.io import write_file  # noqa: PLC0415  heavy: loaded by the commands only

    audience = text("export.audience.command", session.lang)
    session.say("place.audience", audience=audience)
    written = [
        write_file(frame, out, layer=layer, attribution=(audience,)) for out, frame, layer in wanted
    ]
    return [path for paths in written for path in paths]
