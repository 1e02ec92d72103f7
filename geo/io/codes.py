"""Administrative codes: what their digits say about level and parent."""

from typing import Final

import numpy as np
import pandas as pd

from geo.frames import Level
from geo.privacy.shapes import PROVINCES

LEVEL_OF_LENGTH: Final = {
    6: Level.COUNTY.value,
    9: Level.TOWNSHIP.value,
    12: Level.VILLAGE.value,
}
"""Digits of a code (GB/T 2260 and NBS); a city's own code has 6 digits ending in 00."""


def shorten_codes(codes: pd.Series) -> pd.Series:
    """Take off the zeros with which counties and townships are padded to 12 digits."""
    short = codes.str.replace(r"^(\d{6})0{6}$", r"\1", regex=True)
    return short.str.replace(r"^(\d{9})000$", r"\1", regex=True).astype("str")


def are_codes(codes: pd.Series) -> np.ndarray:
    """Tell which cells are codes of a province that there is, with 6, 9 or 12 to 15 digits."""
    shaped = codes.str.fullmatch(r"\d{6}|\d{9}|\d{12,15}")
    good: np.ndarray = (shaped & codes.str[:2].isin(PROVINCES)).to_numpy(dtype=bool)
    return good


def levels_of(codes: pd.Series) -> pd.Series:
    """Return the level of each code by its length; "" where it tells none."""
    levels = codes.str.len().map(LEVEL_OF_LENGTH).fillna("").astype("str")
    levels = levels.mask(codes.str.fullmatch(r"\d{4}00"), Level.CITY.value)
    return levels.where(pd.Series(are_codes(codes), index=codes.index), "").astype("str")


def parents_of(codes: pd.Series, levels: pd.Series) -> pd.Series:
    """Return the code of the unit above, "" for a city."""
    parents = pd.Series([""] * len(codes), index=codes.index, dtype="str")
    parents = parents.mask(levels == Level.COUNTY, codes.str[:4] + "00")
    parents = parents.mask(levels == Level.TOWNSHIP, codes.str[:6])
    return parents.mask(levels == Level.VILLAGE, codes.str[:9]).astype("str")
