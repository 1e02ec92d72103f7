"""The command that holds our travel times against those of another engine, speeds and all."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Drop,
    Lang,
    Seed,
    open_session,
    say_paths,
)
from api.console import stop_on_interrupt
from api.i18n import both, text

commands = typer.Typer()

Places = Annotated[Path, typer.Argument(help=both("cli.compare.places"))]
NetworkFileOption = Annotated[Path, typer.Option("--network", help=both("cli.compare.network"))]
LayerName = Annotated[str, typer.Option("--layer", help=both("cli.compare.layer"))]
ModeWord = Annotated[str, typer.Option("--mode", help=both("cli.compare.mode"))]
BandWord = Annotated[str, typer.Option("--band", help=both("cli.compare.band"))]
Sample = Annotated[int, typer.Option("--sample", help=both("cli.compare.sample"))]
OutFile = Annotated[Path | None, typer.Option("--out", help=both("cli.compare.out"))]


@commands.command("compare-times", help=both("cli.compare"))
def compare_times(
    places: Places,
    network: NetworkFileOption,
    layer: LayerName = "venues",
    mode: ModeWord = "car",
    band: BandWord = "night",
    sample: Sample = 100,
    seed: Seed = 1,
    out: OutFile = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Ask an OSRM or Valhalla server for the times between places, and compare them with ours."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from api.cli import compare_pairs as pairs  # noqa: PLC0415  heavy: by its command only

        require_outputs({"--out": out}, suffixes=(".csv",), inputs=(places, network))
        engine = pairs.engine_of(session)
        wish = pairs.read_wish(mode, band, sample=sample, seed=seed)
        reading, names = pairs.read_places(session, places, layer, datum=datum, drop=drop)
        ground = pairs.draw(session, network, reading.frame, wish, source=places.name)
        own = ground.travel.lengths(ground.snaps, ground.snaps, wish.mode)
        with session.steps.step("engine"):
            other = engine.many_to_many(ground.lonlat, ground.lonlat, wish.mode, stop=stop)
        pairs.say_speeds(session, engine, ground, wish)
        pairs.say_difference(session, own, other, total=len(names))
        if out is not None:
            pairs.write_pairs(out, [names[row] for row in ground.rows], own, other)
            say_paths(session, [out])
        say_refused(session, reading.refused, beside=out or Path(places.name))
        if reading.refused:
            raise typer.Exit(EXIT_REFUSED)
