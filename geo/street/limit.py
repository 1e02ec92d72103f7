"""Posted speed limits and numbers of lanes from the words sources use."""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

HIGHEST_LIMIT: Final = 160.0
"""Highest posted limit that is believed, km/h; China's is 120 (Road Traffic Safety Law,
implementing regulations, article 78), no country signs more than 160."""

MOST_LANES: Final = 26
"""Most lanes of both directions that are believed: those of the widest motorway there is."""

KMH_PER_MILE: Final = 1.609344

_ZONES: Final = {"cn:urban": 50.0, "cn:rural": 70.0, "cn:motorway": 120.0, "walk": 5.0}
"""Values without a figure. China's are the limits where no sign stands, one lane each way
(Road Traffic Safety Law, implementing regulations, articles 45 and 78); ``walk`` is a walking pace
(wiki.openstreetmap.org/wiki/Key:maxspeed)."""

_LIMIT: Final = re.compile(
    r"(?:限速)?\s*(\d{1,3}(?:\.\d+)?)\s*(mph|km/?h|kmh|kph|kmph|公里(?:/小?时)?|千米(?:/小?时)?)?"
)
_LANES: Final = re.compile(r"(?:双向)?\s*(\d{1,2})(?:\.0+)?\s*(?:车道|lanes?)?")
_SEVERAL: Final = re.compile(r"[\[\]'\"|,;，；、]+")


def speed_limit(word: str) -> float:
    """Return the limit in km/h that a source's word stands for; 0 where it stands for none.

    Parameters
    ----------
    word : str
        A figure in km/h or with ``mph``, a zone of China such as ``CN:urban``, ``walk``, or several
        such as ``60;80`` or ``['60', '80']`` of which the lowest known counts: a merged street is
        never thought faster than its slowest part.

    Examples
    --------
    >>> [speed_limit(word) for word in ("60", "50 mph", "['60', '80']", "CN:urban", "none", "-5")]
    [60.0, 80.5, 60.0, 50.0, 0.0, 0.0]
    """
    return min(filter(None, map(_one_limit, _parts(word))), default=0.0)


def lane_count(word: str) -> int:
    """Return the number of lanes a source's word stands for; 0 where it stands for none.

    Of several, as merged streets have them, the lowest known counts.

    Examples
    --------
    >>> [lane_count(word) for word in ("4", "['3', '2']", "2.0", "双向4车道", "many", "")]
    [4, 2, 2, 4, 0, 0]
    """
    return min(filter(None, map(_one_count, _parts(word))), default=0)


def speed_limits(words: pd.Series) -> np.ndarray:
    """Return the limit of each word in km/h; 0 where none, float64 of shape (n,)."""
    return _each(words, speed_limit, np.float64)


def lane_counts(words: pd.Series) -> np.ndarray:
    """Return the lanes of each word; 0 where none, int64 of shape (n,)."""
    return _each(words, lane_count, np.int64)


def _each(words: pd.Series, read: Callable[[str], float], dtype: type) -> np.ndarray:
    """Return the value of each word; each distinct one is read once."""
    codes, distinct = pd.factorize(words, use_na_sentinel=False)
    table: np.ndarray = np.array([read(str(word)) for word in distinct], dtype=dtype)
    return table[codes] if len(table) else table


def _parts(word: str) -> list[str]:
    return [part.strip() for part in _SEVERAL.split(word.lower())]


def _one_limit(word: str) -> float:
    if word in _ZONES:
        return _ZONES[word]
    found = _LIMIT.fullmatch(word)
    if found is None:
        return 0.0
    limit = float(found[1]) * (KMH_PER_MILE if found[2] == "mph" else 1.0)
    return round(limit, 1) if limit <= HIGHEST_LIMIT else 0.0


def _one_count(word: str) -> int:
    found = _LANES.fullmatch(word)
    return int(found[1]) if found is not None and int(found[1]) <= MOST_LANES else 0
