"""The command that cuts the stored city's basic grids anew."""

import typer

from api.cli.session import Lang, open_session
from api.cli.work import run_here
from api.console import stop_on_interrupt
from api.i18n import both, text

commands = typer.Typer()


@commands.command("recut", help=both("cli.recut"))
def recut(lang: Lang = None) -> None:
    """Cut the grids of the store anew and keep them under their old codes."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from api.store import open_store  # noqa: PLC0415  heavy: loaded by its command only

        with open_store(session.settings.store) as store:
            done = run_here(session, store, stop, "cells", {})
        if done["is_kept"]:
            session.say("cli.recut.done", n=f"{done['n_cells']:,}")
        else:
            session.say("cli.recut.stale")
