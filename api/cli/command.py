"""All commands under one name, in the order a city needs them."""

from types import ModuleType
from typing import Final

import typer

from api.cli import (
    boundary,
    calendar,
    cells,
    compare,
    convert,
    coverage,
    demand,
    duty,
    grid,
    imports,
    join,
    network,
    place,
    planning,
    reach,
    serve,
    setup,
    store,
    sweep,
    template,
    travel,
    venue,
)
from api.i18n import both

ROOMS: Final[dict[str, tuple[ModuleType, ...]]] = {
    "cli.panel.plan": (planning, sweep),
    "cli.panel.boundary": (boundary, coverage, convert, grid, join),
    "cli.panel.place": (place, duty, venue, demand),
    "cli.panel.travel": (network, travel, reach, compare),
    "cli.panel.store": (imports, template, calendar, cells, serve, store),
    "cli.panel.setup": (setup,),
}
"""Modules of commands by the panel of the help page they stand in."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=both("cli.app"),
)
for panel, rooms in ROOMS.items():
    for room in rooms:
        for command in room.commands.registered_commands:
            command.rich_help_panel = both(panel)
            app.registered_commands.append(command)
