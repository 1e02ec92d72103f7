"""Whether a matrix fits into memory: asked before it is made, never found out by a crash."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from geo.errors import OptionInvalid

MIB: Final = 1 << 20

ENTRY: Final = 4
"""Bytes of an int32."""

SHARE: Final = 0.8
"""Share of the free memory that one matrix may take: the rest is for what is made of it."""

AT_ONCE: Final = 64 * MIB
"""Bytes of one block of rows, unless a single row is longer."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a matrix would need and what there is; reads as English, renders in both languages."""

    needed: int
    free: int

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return "travel.room"

    @property
    def params(self) -> Mapping[str, object]:
        """Mebibytes for the sentence."""
        return {"needed": f"{self.needed / MIB:,.0f}", "free": f"{self.free / MIB:,.0f}"}

    def __str__(self) -> str:
        return (
            "one that fits into memory: it needs {needed} MiB, {free} MiB may be used; ask for "
            "fewer places, or take the rows in blocks (Travel.blocks)"
        ).format(**self.params)


def free_memory() -> int:
    """Return the bytes of memory that this machine can give now."""
    return int(psutil.virtual_memory().available)


def require_room(n_rows: int, n_columns: int, *, n_matrices: int = 1) -> None:
    """Refuse a matrix that would not fit.

    Parameters
    ----------
    n_rows, n_columns : int
    n_matrices : int
        Matrices of int32 held at once.

    Raises
    ------
    OptionInvalid
        Says rows, columns, what is needed and what there is.
    """
    needed, free = ENTRY * n_rows * n_columns * n_matrices, int(SHARE * free_memory())
    if needed > free:
        raise OptionInvalid(
            option="travel matrix",
            value=f"{n_rows:,} x {n_columns:,}",
            expected=Room(needed, free),
        )


def row_blocks(n_rows: int, n_columns: int, *, at_once: int = AT_ONCE) -> Iterator[slice]:
    """Yield slices of rows, each of at most `at_once` bytes and at least one row."""
    step = max(at_once // (ENTRY * max(n_columns, 1)), 1)
    for first in range(0, n_rows, step):
        yield slice(first, min(first + step, n_rows))
