"""Commands that look after the store: backup, restore, upgrade."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from api.cli.session import Lang, Session, open_session
from api.i18n import both

commands = typer.Typer()

Replace = Annotated[bool, typer.Option("--replace", help=both("cli.restore.replace"))]
Target = Annotated[Path, typer.Argument(help=both("cli.backup.target"))]
Source = Annotated[Path, typer.Argument(help=both("cli.restore.source"))]
To = Annotated[str | None, typer.Option("--to", help=both("cli.upgrade.to"))]


@commands.command(help=both("cli.backup"))
def backup(target: Target, lang: Lang = None) -> None:
    """Back the store up into one file."""
    with open_session(lang) as session:
        from api.store.backup import back_up  # noqa: PLC0415

        with session.steps.step("backup") as progress:
            made = back_up(session.settings.store, target, progress=progress)
        _say_done(session, "cli.backup.done", made.n_rows, path=target, revision=made.revision)


@commands.command(help=both("cli.restore"))
def restore(source: Source, replace: Replace = False, lang: Lang = None) -> None:
    """Restore the store from a backup."""
    with open_session(lang) as session:
        from api.store.backup import restore as put_back  # noqa: PLC0415
        from api.store.database import database_url  # noqa: PLC0415
        from api.store.failure import shown  # noqa: PLC0415

        setting = session.settings.store
        with session.steps.step("restore") as progress:
            made = put_back(source, setting, replace=replace, progress=progress)
        store = shown(database_url(setting))
        _say_done(session, "cli.restore.done", made.n_rows, store=store, revision=made.revision)
        if made.kept:
            session.say("cli.kept", name=made.kept)


@commands.command(help=both("cli.upgrade"))
def upgrade(to: To = None, lang: Lang = None) -> None:
    """Bring a store of an older release to this one."""
    with open_session(lang) as session:
        from api.store.migrations import NEWEST  # noqa: PLC0415
        from api.store.upgrade import upgrade_store  # noqa: PLC0415

        with session.steps.step("upgrade") as progress:
            done = upgrade_store(session.settings.store, revision=to or NEWEST, progress=progress)
        if done.before == done.after:
            session.say("cli.upgrade.none", store=done.store, after=done.after)
            return
        session.say("cli.upgrade.done", store=done.store, before=done.before, after=done.after)
        if done.copy is None:
            session.say("cli.upgrade.outside")
        else:
            session.say("cli.upgrade.copy", path=done.copy)


def _say_done(session: Session, code: str, n_rows: Mapping[str, int], **params: object) -> None:
    session.say(code, tables=len(n_rows), rows=f"{sum(n_rows.values()):,}", **params)
