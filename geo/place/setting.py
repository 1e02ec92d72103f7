"""Town or country: which setting each administrative unit counts as.

A unit is what it is stated to be, else what the unit above it is stated to be, else what its
township is: 街道 is town, 镇 and 乡 are country. A township's name says so; where it does not, the
seventh to ninth digit of the statistical code do.

References
----------
国家统计局, 统计用区划代码和城乡划分代码编制规则: township numbers 001-099 街道, 100-199 镇,
200-399 乡, 400-599 units like a township; urban-rural codes 111, 112, 121, 122, 123 城镇,
210, 220 乡村.
国函〔2008〕60号, 统计上划分城乡的规定.
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from geo.boundary.unit import parent_rows, unit_codes
from geo.frames import Col, Level, Setting

SETTING_WORDS: Final[Mapping[str, Setting]] = {
    **dict.fromkeys(("town", "urban", "城镇", "城区", "城市", "街道"), Setting.TOWN),
    **dict.fromkeys(("111", "112", "121", "122", "123"), Setting.TOWN),
    **dict.fromkeys(("country", "rural", "乡村", "农村", "村庄"), Setting.COUNTRY),
    **dict.fromkeys(("210", "220"), Setting.COUNTRY),
}
"""Words and urban-rural codes that state a unit's setting."""

_NAMES: Final = (
    (re.compile(r"街道(办事处|办)?$"), Setting.TOWN),
    (re.compile(r"(镇|乡|苏木)(人民政府|政府)?$"), Setting.COUNTRY),
)

_NUMBERS: Final = ((1, 99, Setting.TOWN), (100, 399, Setting.COUNTRY), (400, 599, Setting.TOWN))
"""Township numbers. Units like a township are mostly development zones and markets in town, and
the stricter limit is the safer one to hold them to."""

_DEPTH: Final = 3
"""Steps from a village, or an enclave in it, up to the township."""


def unit_settings(
    boundaries: pd.DataFrame, stated: Mapping[str, Setting] | None = None
) -> pd.Series:
    """Return the setting of each unit.

    Parameters
    ----------
    boundaries : DataFrame
        Rows of a BOUNDARIES frame.
    stated : mapping of str to Setting, optional
        Setting by code, of units at any level; goes before what follows from the township.

    Returns
    -------
    Series of str
        Words of `Setting`, with the index of `boundaries`; UNKNOWN above the townships and where
        neither name nor code tells.
    """
    township = unit_codes(boundaries)[Col.TOWNSHIP_CODE].to_numpy(dtype=object)
    is_township = boundaries[Col.LEVEL] == Level.TOWNSHIP.value
    rows = boundaries[is_township]
    names = dict(zip(rows[Col.CODE], rows[Col.NAME], strict=True))
    kinds = {code: _kind(str(code), names.get(code, "")) for code in set(township)}
    found = np.array([kinds[code].value for code in township], dtype=object)
    own = _stated(boundaries, stated or {})
    return pd.Series(np.where(own == "", found, own), index=boundaries.index, dtype="str")


def _kind(code: str, name: str) -> Setting:
    for pattern, setting in _NAMES:
        if pattern.search(name):
            return setting
    number = int(code[6:9]) if re.fullmatch(r"\d{9}", code) else 0
    return next(
        (setting for low, high, setting in _NUMBERS if low <= number <= high), Setting.UNKNOWN
    )


def _stated(boundaries: pd.DataFrame, stated: Mapping[str, Setting]) -> np.ndarray:
    """Return what is stated of each unit or of the nearest one above it; "" where nothing is."""
    own = np.array([stated.get(code, "") for code in boundaries[Col.CODE]], dtype=object)
    parent = parent_rows(boundaries)
    for _ in range(_DEPTH):
        own = np.where((own == "") & (parent >= 0), own[parent], own)
    return own
