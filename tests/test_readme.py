"""Commands that the README and the docs print exist, with the options they print."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from api.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("README*.md"), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands

_FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def printed(page):
    """Return every command line of a page's fenced blocks, as words."""
    for block in _FENCED.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"\s#.*$", "", line.strip())
            if command.startswith("patrolgrid "):
                yield shlex.split(command)[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_printed_command_takes_its_options(page):
    for name, *words in printed(page):
        if name.startswith("-") or name not in COMMANDS:
            assert name.startswith("-") or name.isupper(), f"{page.name}: {name}"
            continue
        known = {option for param in COMMANDS[name].params for option in param.opts}
        known |= {"--help"} | {
            option for param in COMMANDS[name].params for option in param.secondary_opts
        }
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= known, f"{page.name}: patrolgrid {name} {sorted(used - known)}"
        required = {param.opts[0] for param in COMMANDS[name].params if param.required}
        assert {one for one in required if one.startswith("--")} <= used, f"{page.name}: {name}"
