"""All commands under one name."""

import typer

from api.cli import calendar, imports, planning, serve, setup, store, template
from api.i18n import both

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=both("cli.app"),
)
for room in (planning, imports, template, calendar, serve, store, setup):
    app.registered_commands += room.commands.registered_commands
