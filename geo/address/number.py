"""House numbers along a street: between the numbers of venues whose place is known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

MAX_SPREAD: Final = 100.0
"""Metres that venues of one street and number may lie apart; farther, it says nothing."""

MAX_SPAN: Final = 500.0
"""Metres between two known numbers between which a third is still found."""

MAX_BEYOND: Final = 10
"""Numbers beyond the last known one; at some 5 m a number that is 50 m."""

_STRIDE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Known house numbers, sorted by street and number, once each; `at` in metres, (n, 2)."""

    street: np.ndarray
    number: np.ndarray
    at: np.ndarray

    def of_side(self, odd: int) -> "Numbers":
        """Return the odd or the even numbers: they stand on opposite sides."""
        rows = self.number % 2 == odd
        return Numbers(street=self.street[rows], number=self.number[rows], at=self.at[rows])


def known_numbers(street: np.ndarray, number: np.ndarray, at: np.ndarray) -> Numbers:
    """Return the numbers whose venues lie together, at their middle."""
    frame = pd.DataFrame({"street": street, "number": number, "x": at[:, 0], "y": at[:, 1]})
    groups = frame.groupby(["street", "number"], sort=True)[["x", "y"]]
    middle, low, high = groups.median(), groups.min(), groups.max()
    together = (np.hypot(*(high - low).to_numpy().T) <= MAX_SPREAD) if len(middle) else []
    kept = middle[together]
    return Numbers(
        street=kept.index.get_level_values("street").to_numpy(dtype=np.int64),
        number=kept.index.get_level_values("number").to_numpy(dtype=np.int64),
        at=kept.to_numpy(dtype=np.float64),
    )


def place_numbers(
    street: np.ndarray, number: np.ndarray, known: Numbers
) -> tuple[np.ndarray, np.ndarray]:
    """Return where numbers lie: between neighbours of the same side, then of both, then beside one.

    Returns
    -------
    at : ndarray of float64, shape (n, 2)
        NaN where no neighbour is near enough.
    reason : ndarray of object, shape (n,)
        ``address.number.same``, ``.between``, ``.near`` or "".
    """
    at = np.full((len(street), 2), np.nan)
    reason = np.full(len(street), "", dtype=object)
    sides = [known.of_side(0), known.of_side(1)]
    for neighbours, rows in (
        *((sides[odd], np.flatnonzero(number % 2 == odd)) for odd in (0, 1)),
        (known, np.arange(len(street))),
    ):
        left = rows[reason[rows] == ""]
        at[left], reason[left] = _between(street[left], number[left], neighbours)
    left = np.flatnonzero(reason == "")
    at[left], reason[left] = _beside(street[left], number[left], known)
    return at, reason


def _neighbours(
    street: np.ndarray, number: np.ndarray, known: Numbers
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the known rows below and from each number on, and whether its street has them."""
    keys = known.street * _STRIDE + known.number
    above = np.searchsorted(keys, street * _STRIDE + number)
    low, high = np.maximum(above - 1, 0), np.minimum(above, len(keys) - 1)
    has_low = (above > 0) & (known.street[low] == street)
    has_high = (above < len(keys)) & (known.street[high] == street)
    return low, high, has_low, has_high


def _between(
    street: np.ndarray, number: np.ndarray, known: Numbers
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of numbers that are known, or that have known ones on either side."""
    at = np.full((len(street), 2), np.nan)
    reason = np.full(len(street), "", dtype=object)
    if len(known.street) == 0 or len(street) == 0:
        return at, reason
    low, high, has_low, has_high = _neighbours(street, number, known)
    same = has_high & (known.number[high] == number)
    step = known.at[high] - known.at[low]
    fits = has_low & has_high & (np.hypot(*step.T) <= MAX_SPAN) & ~same
    wide = np.maximum(known.number[high] - known.number[low], 1)
    share = (number - known.number[low]) / wide
    at[fits] = (known.at[low] + share[:, None] * step)[fits]
    at[same] = known.at[high][same]
    reason[fits], reason[same] = "address.number.between", "address.number.same"
    return at, reason


def _beside(
    street: np.ndarray, number: np.ndarray, known: Numbers
) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of numbers a little beyond the last known one."""
    at = np.full((len(street), 2), np.nan)
    reason = np.full(len(street), "", dtype=object)
    if len(known.street) == 0 or len(street) == 0:
        return at, reason
    low, high, has_low, has_high = _neighbours(street, number, known)
    to_low = np.where(has_low, number - known.number[low], _STRIDE)
    to_high = np.where(has_high, known.number[high] - number, _STRIDE)
    fits = np.minimum(to_low, to_high) <= MAX_BEYOND
    nearest = np.where(to_high < to_low, high, low)
    at[fits] = known.at[nearest][fits]
    reason[fits] = "address.number.near"
    return at, reason
