"""Text cells into typed columns, whole columns at a time."""

import re
from typing import Final

import numpy as np
import pandas as pd

from geo.frames import Type
from geo.io.words import Words
from geo.units import CITY_ZONE

_DAY: Final = "datetime64[s]"
_INSTANT: Final = pd.DatetimeTZDtype("s", CITY_ZONE)

_LAST: Final = pd.Timestamp("9999-12-31 23:59:59", tz=CITY_ZONE)

_TIME_FORMS: Final = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H时%M分%S秒",
    "%Y年%m月%d日 %H时%M分",
    "%Y年%m月%d日%H时%M分%S秒",
    "%Y年%m月%d日%H时%M分",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)
"""Tried after ISO 8601, on the cells that are left."""

_FLOAT_CODE: Final = re.compile(r"^(\d{4,15})\.0+$")
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "是", "有", "单行", "单向"})
_FALSE: Final = frozenset({"", "0", "false", "f", "no", "n", "否", "无", "双向", "双行"})


def parse(cells: pd.Series, dtype: Type) -> tuple[pd.Series, np.ndarray]:
    """Turn text into a typed column.

    Parameters
    ----------
    cells : Series of str
        Blanks are "".
    dtype : Type

    Returns
    -------
    values : Series of dtype `dtype`
        Blank or wrong cells hold NaT, 0, NaN or False.
    wrong : ndarray of bool
        Cells that are not blank and not of the type.
    """
    match dtype:
        case Type.TEXT:
            return cells.astype("str"), np.zeros(len(cells), dtype=bool)
        case Type.INT:
            return _integers(cells)
        case Type.FLOAT:
            return numbers(cells), np.isnan(numbers(cells).to_numpy()) & ~is_blank(cells)
        case Type.BOOL:
            return _booleans(cells)
        case Type.DAY:
            return _days(cells)
        case Type.INSTANT:
            return _instants(cells)


def is_blank(cells: pd.Series) -> np.ndarray:
    """Tell which cells hold nothing but spaces."""
    return np.fromiter((not c or c.isspace() for c in cells.tolist()), bool, count=len(cells))


def stripped(cells: pd.Series) -> pd.Series:
    """Return cells without spaces around them; a plain loop is four times as fast as ``.str``."""
    return pd.Series([cell.strip() for cell in cells.tolist()], index=cells.index, dtype="str")


def understand(cells: pd.Series, words: Words) -> tuple[pd.Series, np.ndarray]:
    """Turn users' words into a closed vocabulary; wrong where a word is not understood."""
    codes, uniques = pd.factorize(cells, use_na_sentinel=False)
    table = np.array([words(str(word)) or "" for word in uniques], dtype=object)
    values = pd.Series(table[codes] if len(table) else [], dtype="str")
    return values, (values == "").to_numpy() & ~is_blank(cells)


def clean_codes(cells: pd.Series) -> tuple[pd.Series, int]:
    """Strip codes of spaces, leading apostrophes and the ".0" that spreadsheets add.

    Returns
    -------
    codes : Series of str
    n_repaired : int
        Cells that had a ".0".
    """
    codes = [cell.strip().lstrip("'") for cell in cells.tolist()]
    repaired = [_FLOAT_CODE.sub(r"\1", code) if code.endswith("0") else code for code in codes]
    n_repaired = sum(before != after for before, after in zip(codes, repaired, strict=True))
    return pd.Series(repaired, index=cells.index, dtype="str"), n_repaired


def clock_times(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return clock times as HH:MM; wrong where a cell is none."""
    parts = stripped(cells).str.replace("：", ":").str.extract(r"^(\d{1,2}):(\d{2})(?::\d{2})?$")
    hour = pd.to_numeric(parts[0], errors="coerce")
    minute = pd.to_numeric(parts[1], errors="coerce")
    good = (hour < 24) & (minute < 60)
    text = parts[0].str.zfill(2) + ":" + parts[1]
    wrong = ~good.to_numpy() & ~is_blank(cells)
    return text.where(good, "").fillna("").astype("str"), wrong


def numbers(cells: pd.Series) -> pd.Series:
    """Return cells as float64, NaN where they are no number."""
    return pd.to_numeric(stripped(cells), errors="coerce").astype("float64")


def _integers(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    values = numbers(cells)
    whole = values.notna() & (values == values.round()) & (values.abs() < 2**53)
    return values.where(whole, 0.0).astype("int64"), ~whole.to_numpy() & ~is_blank(cells)


def _booleans(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    text = stripped(cells).str.lower()
    true, false = text.isin(_TRUE), text.isin(_FALSE)
    return true.astype("bool"), (~true & ~false).to_numpy()


def _days(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    instants, wrong = _instants(cells)
    days = instants.dt.tz_localize(None).dt.normalize().astype(_DAY)
    return days, wrong


def _instants(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Read instants; those without a zone are in the city's."""
    text = stripped(cells)
    filled = (text != "").to_numpy()
    zoned = np.fromiter((_has_zone(cell) for cell in text.tolist()), bool, count=len(text))
    out = pd.Series(pd.NaT, index=cells.index, dtype=_INSTANT)
    if zoned.any():
        utc = pd.to_datetime(text[zoned], format="ISO8601", errors="coerce", utc=True)
        out[zoned] = utc.dt.tz_convert(CITY_ZONE).astype(_INSTANT)
    naive = text[~zoned & filled]
    if len(naive):
        out[naive.index] = _localise(_naive_instants(naive))
    out[out > _LAST] = pd.NaT  # Python's own dates end there, and printing one later crashes
    return out, out.isna().to_numpy() & filled


def _has_zone(text: str) -> bool:
    """Tell whether an instant ends in Z, +08:00 or +0800."""
    return text[-1:] == "Z" or (len(text) > 16 and (text[-6] in "+-" or text[-5] in "+-"))


def _naive_instants(text: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(text, format="ISO8601", errors="coerce")
    for form in _TIME_FORMS:
        left = parsed.isna()
        if not left.any():
            break
        parsed[left] = pd.to_datetime(text[left], format=form, errors="coerce")
    return parsed


def _localise(parsed: pd.Series) -> pd.Series:
    local = parsed.dt.tz_localize(CITY_ZONE, ambiguous="NaT", nonexistent="NaT")
    return pd.Series(local.astype(_INSTANT), index=parsed.index)
