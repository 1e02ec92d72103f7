"""What a copy of a store holds, counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup or a restored store holds.

    Attributes
    ----------
    revision : str
        Revision of its tables.
    n_rows : mapping of str to int
        Rows of every table.
    kept : str
        Name of the store that was there before, "" where there was none.
    """

    revision: str
    n_rows: Mapping[str, int]
    kept: str = ""


def time_stamp() -> str:
    """Return this moment as it stands in the name of what is kept."""
    return f"{datetime.now(UTC):%Y%m%dt%H%M%S%f}"
