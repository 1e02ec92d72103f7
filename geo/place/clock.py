"""Clock windows that may run past midnight, in minutes of the day."""

import re
from typing import Final

import numpy as np
import pandas as pd

DAY: Final = 1440
"""Minutes of a day."""

_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


def minutes_of(clock: str) -> int:
    """Return the minute of the day of a clock time HH:MM; 24:00 is midnight.

    Examples
    --------
    >>> minutes_of("22:30"), minutes_of("24:00")
    (1350, 0)
    """
    hour, minute = clock.split(":")
    return (60 * int(hour) + int(minute)) % DAY


def is_clock(text: str) -> bool:
    """Tell whether a text is a clock time HH:MM, 24:00 included."""
    return _CLOCK.fullmatch(text) is not None


def clock_of(minute: int) -> str:
    """Return a minute of the day as HH:MM."""
    hour, rest = divmod(minute % DAY, 60)
    return f"{hour:02d}:{rest:02d}"


def window_length(start: int, end: int) -> int:
    """Return the minutes from start to end; the whole day where both are equal."""
    return (end - start) % DAY or DAY


def is_within(
    minute: int, starts: pd.Series | np.ndarray, ends: pd.Series | np.ndarray
) -> np.ndarray:
    """Tell which windows hold a minute: start <= minute < end, past midnight where end < start.

    Parameters
    ----------
    minute : int
    starts, ends : array of int, shape (n,)
        Minutes of the day; equal means all day.
    """
    first, last = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    length = (last - first) % DAY
    within: np.ndarray = (minute - first) % DAY < np.where(length == 0, DAY, length)
    return within
