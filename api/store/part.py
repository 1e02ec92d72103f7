"""A file that appears under its name only when it is whole and on disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` to write to; at the end it takes the name.

    Whatever happens before, `target` is as it was. What a killed process left behind goes when
    the next one begins.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear(target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        sync(part)
        part.replace(target)
        sync(target.parent)
    finally:
        for name in (part.name, f"{part.name}-journal"):
            part.with_name(name).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows keeps a folder's names with the files
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(target: Path) -> None:
    for left in target.parent.glob(f".{target.name}.*.part*"):
        process = left.name.removeprefix(f".{target.name}.").partition(".")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            left.unlink(missing_ok=True)
