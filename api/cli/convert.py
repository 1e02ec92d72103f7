"""The command that turns one layer's file into another format, coordinate system or datum."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.basis import version_word
from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    Datum,
    Drop,
    Lang,
    Session,
    as_findings,
    open_session,
    say_notes,
    say_paths,
)
from api.i18n import both, text
from geo.errors import OptionInvalid
from geo.units import LONLAT_EPSG

if TYPE_CHECKING:
    from geo.io.convert import Conversion

commands = typer.Typer()

Source = Annotated[Path, typer.Argument(metavar="IN", help=both("cli.convert.in"))]
Target = Annotated[Path, typer.Argument(metavar="OUT", help=both("cli.convert.out"))]
Layer = Annotated[str, typer.Option("--layer", help=both("cli.convert.layer"))]
Epsg = Annotated[int, typer.Option("--epsg", help=both("cli.convert.epsg"))]
Headers = Annotated[str, typer.Option("--headers", help=both("cli.convert.headers"))]


@commands.command(help=both("cli.convert"))
def convert(
    source: Source,
    target: Target,
    layer: Layer,
    epsg: Epsg = LONLAT_EPSG,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    headers: Headers = "en",
    lang: Lang = None,
) -> None:
    """Convert the file of one layer."""
    with open_session(lang) as session:
        from geo.io.convert import convert_file, require_room  # noqa: PLC0415  heavy: here only
        from geo.io.export import SUFFIXES  # noqa: PLC0415

        require_outputs({"OUT": target}, suffixes=SUFFIXES, inputs=(source,))
        require_room(layer, target)
        if headers not in {"en", "zh"}:
            raise OptionInvalid(option="--headers", value=headers, expected="en, zh")
        done = convert_file(
            source,
            target,
            layer=layer,
            epsg=epsg,
            datum=datum,
            drop=(drop,) if drop else (),
            in_chinese=headers == "zh",
        )
        say_refused(session, done.reading.refused, beside=target)
        _say(session, done, layer=layer, epsg=epsg, stated=datum)


def _say(session: Session, done: "Conversion", *, layer: str, epsg: int, stated: str) -> None:
    """Print what was read, left out, assumed and written."""
    from geo.frames import Col  # noqa: PLC0415
    from geo.io.convert import LAYERS, last_day  # noqa: PLC0415

    reading = done.reading
    say_notes(session, as_findings(reading.notes))
    n, total = len(reading.frame), done.n_total
    share = f"{100.0 * n / total:.1f} %"
    session.say("cli.convert.done", layer=layer, n=f"{n:,}", total=f"{total:,}", share=share)
    datum = _datum(session, reading.datum.value, stated)
    session.say("cli.convert.system", datum=datum, epsg=epsg, written=_system(session, epsg))
    if any(kind == "Point" for kind in LAYERS[layer][1].schema.geometry):
        session.say("cli.convert.unchecked", datum=datum)
    day = last_day(reading.frame)
    session.say("cli.convert.day" if day else "cli.convert.day.none", day=day)
    if layer == "boundaries":
        versions = sorted(set(reading.frame[Col.BOUNDARY_VERSION]))
        session.say("cli.convert.version", version=version_word(session, *versions))
    for line in reading.attribution:
        session.out.print(f"  {line}", markup=False)
    say_paths(session, done.files)


def _datum(session: Session, datum: str, stated: str) -> str:
    """Return the datum read, CGCS2000 by its own name where that was stated."""
    is_cgcs = "2000" in stated and datum == "WGS-84"
    return text("cli.convert.cgcs", session.lang) if is_cgcs else datum


def _system(session: Session, epsg: int) -> str:
    """Return the datum that a system is in, as it is printed behind its number."""
    from geo.io.export import CGCS2000_CM117_EPSG, CGCS2000_EPSG  # noqa: PLC0415

    is_cgcs = epsg in (CGCS2000_EPSG, CGCS2000_CM117_EPSG)
    return text("cli.convert.in_cgcs", session.lang) if is_cgcs else ""
