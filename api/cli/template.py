"""The command that writes blank workbooks for users to fill in."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.session import Lang, open_session, say_paths
from api.i18n import both

commands = typer.Typer()


@commands.command(help=both("cli.template"))
def template(
    layer: Annotated[str, typer.Argument(help=both("cli.template.layer"))],
    out: Annotated[Path | None, typer.Option("--out", help=both("cli.template.out"))] = None,
    lang: Lang = None,
) -> None:
    """Write a blank workbook for a layer."""
    with open_session(lang) as session:
        from api.imports.template import write_template  # noqa: PLC0415

        target = out if out is not None else Path(f"{layer}-template.xlsx")
        say_paths(session, [write_template(layer, target, session.lang)])
