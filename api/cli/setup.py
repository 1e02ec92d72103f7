"""Commands that set an installation up: kernels and notebooks."""

import multiprocessing
from importlib import import_module
from pathlib import Path
from typing import Final

import typer

from api.cli.session import Lang, open_session, require_folder, say_paths
from api.i18n import both
from geo.errors import OptionInvalid

commands = typer.Typer()

ROOMS: Final = (
    "geo.grid",
    "routing.sweep.teams.split",
    "routing.travel",
    "routing.patrol",
    "routing.inspection",
    "routing.sweep.cover",
    "routing.travel.isochrone",
)
"""Modules with kernels, those that compile longest first."""

WORKERS: Final = 2
"""Processes that compile side by side: about 1 GB each."""


@commands.command("warm-up", help=both("cli.warm"))
def warm_up(lang: Lang = None) -> None:
    """Compile every numba kernel into its cache, older caches thrown away first."""
    with open_session(lang) as session:
        for package in ("geo", "routing"):
            for cached in (Path(__file__).parents[2] / package).rglob("__pycache__/*.nb[ic]"):
                cached.unlink()
        with session.steps.step("warm"):
            with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
                for _ in pool.imap_unordered(_warm, ROOMS):
                    pass
            for room in ROOMS:  # what two wrote at once, one of them may have lost
                _warm(room)


def _warm(room: str) -> None:
    import_module(room).warm_up()


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
