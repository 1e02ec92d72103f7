"""Commands that set an installation up: kernels and notebooks."""

from pathlib import Path

import typer

from api.cli.session import Lang, open_session, require_folder, say_paths
from api.i18n import both
from geo.errors import OptionInvalid

commands = typer.Typer()


@commands.command("warm-up", help=both("cli.warm"))
def warm_up(lang: Lang = None) -> None:
    """Compile every numba kernel into its cache, older caches thrown away first."""
    with open_session(lang) as session:
        for package in ("geo", "routing"):
            for cached in (Path(__file__).parents[2] / package).rglob("__pycache__/*.nb[ic]"):
                cached.unlink()
        from geo import grid  # noqa: PLC0415
        from routing import inspection, patrol, travel  # noqa: PLC0415
        from routing.sweep import cover  # noqa: PLC0415
        from routing.sweep.teams import split  # noqa: PLC0415
        from routing.travel import isochrone  # noqa: PLC0415

        with session.steps.step("warm"):
            for room in (grid, travel, isochrone, patrol, inspection, cover, split):
                room.warm_up()


@commands.command(help=both("cli.notebooks"))
def notebooks(directory: Path, lang: Lang = None) -> None:
    """Write the notebooks as .ipynb."""
    with open_session(lang) as session:
        require_folder(directory)
        try:
            import jupytext  # noqa: PLC0415  extra "notebooks"
        except ImportError as error:
            raise OptionInvalid(
                option="patrolgrid notebooks",
                value="this environment",
                expected="the package jupytext (python -m pip install jupytext)",
            ) from error
        directory.mkdir(parents=True, exist_ok=True)
        written = []
        for source in sorted((Path(__file__).parents[2] / "notebooks").glob("*.py")):
            target = directory / source.with_suffix(".ipynb").name
            jupytext.write(jupytext.read(source), target)
            written.append(target)
        say_paths(session, written)
