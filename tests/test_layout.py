"""The house stands as drawn: packages resolve here, versions are pinned without addresses."""

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("ortools", "osmnx", "osmium", "folium", "geopandas", "numba", "networkx")


def tracked_files():
    """Paths git knows; a copy without its history has nothing to say here."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = ["git", "-c", "core.quotepath=off", "ls-files"]
    return subprocess.run(
        listed, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()


@pytest.mark.parametrize("name", ["geo", "routing", "api"])
def test_package_resolves_to_this_checkout(name):
    module = importlib.import_module(name)
    assert Path(module.__file__).resolve().parent == ROOT / name


@pytest.mark.parametrize("name", ["geo", "routing", "api", "api.i18n", "geo.errors", "geo.rate"])
def test_package_import_loads_nothing_heavy(name):
    code = f"import sys, {name}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_is_hashed_and_names_no_address(name):
    lock = (ROOT / name).read_text()
    assert not re.search(r"://|--(extra-)?index|--find-links|file:| @ ", lock)
    pins = [line for line in lock.splitlines() if re.match(r"\S+==", line)]
    assert len(pins) > 40
    assert all(line.endswith("\\") for line in pins), "every pin is followed by its hashes"


def test_top_level_holds_the_agreed_folders_only():
    folders = {path.split("/")[0] for path in tracked_files() if "/" in path}
    assert folders <= {
        "geo",
        "routing",
        "api",
        "notebooks",
        "data",
        "tests",
        "docs",
        "deploy",
        ".ci",
    }


def test_no_machine_path_or_mirror_in_the_repo():
    hits = [
        path
        for path in tracked_files()
        if Path(path).suffix in {".py", ".md", ".toml", ".js", ".css", ".json", ".lock", ""}
        and re.search(
            r"/(?:root|home/\w+|work)/|index-url|find-links=", (ROOT / path).read_text("utf-8")
        )
        and path != "tests/test_layout.py"
    ]
    assert hits == []
