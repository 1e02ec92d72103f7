"""All commands under one name."""

import typer

from api.cli import (
    boundary,
    calendar,
    cells,
    convert,
    coverage,
    demand,
    duty,
    grid,
    imports,
    join,
    place,
    planning,
    serve,
    setup,
    store,
    template,
    venue,
)
from api.i18n import both

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=both("cli.app"),
)
for room in (
    planning,
    imports,
    template,
    place,
    duty,
    boundary,
    convert,
    coverage,
    grid,
    join,
    demand,
    calendar,
    venue,
    serve,
    cells,
    store,
    setup,
):
    app.registered_commands += room.commands.registered_commands
