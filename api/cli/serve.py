"""The command that serves the REST API."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.session import Lang, open_session
from api.i18n import both

commands = typer.Typer()


@commands.command(help=both("cli.serve"))
def serve(
    host: Annotated[str, typer.Option(help=both("cli.option.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help=both("cli.option.port"))] = 8000,
    new_key: Annotated[bool, typer.Option("--new-key", help=both("cli.option.new_key"))] = False,
    no_key: Annotated[bool, typer.Option("--no-key", help=both("cli.option.no_key"))] = False,
    no_jobs: Annotated[bool, typer.Option("--no-jobs", help=both("cli.option.no_jobs"))] = False,
    lang: Lang = None,
) -> None:
    """Serve until a signal."""
    with open_session(lang) as session:
        from api.serving import Wish  # noqa: PLC0415  heavy: loaded by its command only
        from api.serving import serve as run  # noqa: PLC0415

        def tell(address: str, key: Path | None) -> None:
            if key is not None:
                session.say("cli.serve.key", path=key)
            session.say("cli.serve.at", url=address)

        wish = Wish(
            host=host,
            port=port,
            needs_key=not no_key,
            renews_key=new_key,
            runs_jobs=not no_jobs,
        )
        run(session.settings, wish, lang=session.lang, tell=tell)
