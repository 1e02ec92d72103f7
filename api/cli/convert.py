"""The command that turns one layer's file into another format, coordinate system or datum."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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

SHOWN = 20
"""Refused rows that are printed; all of them are counted."""

Source = Annotated[Path, typer.Argument(help=both("cli.convert.in"))]
Target = Annotated[Path, typer.Argument(help=both("cli.convert.out"))]
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
        from geo.io.convert import convert_file  # noqa: PLC0415  heavy: loaded by its command only

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
        _say(session, done, layer=layer, epsg=epsg)


def _say(session: Session, done: "Conversion", *, layer: str, epsg: int) -> None:
    """Print what was read, left out, assumed and written."""
    from geo.frames import Col  # noqa: PLC0415

    reading = done.reading
    say_notes(session, as_findings(reading.notes))
    for refusal in reading.refused[:SHOWN]:
        reason = text(refusal.code, session.lang, **refusal.params)
        where = {"source": refusal.source, "row": refusal.row, "column": refusal.column}
        session.say("cli.convert.refused", **where, reason=reason)
    if len(reading.refused) > SHOWN:
        session.say("cli.more", n=f"{len(reading.refused) - SHOWN:,}")
    n, total = len(reading.frame), done.n_total
    share = f"{100.0 * n / total:.1f} %"
    session.say("cli.convert.done", layer=layer, n=f"{n:,}", total=f"{total:,}", share=share)
    session.say("cli.convert.system", datum=reading.datum.value, epsg=epsg)
    if layer == "boundaries":
        versions = "、".join(sorted(set(reading.frame[Col.BOUNDARY_VERSION])))
        session.say("cli.convert.version", version=versions)
    for line in reading.attribution:
        session.out.print(f"  {line}", markup=False)
    say_paths(session, done.files)
