"""Kinds of report that point at homes: left out unless somebody asks for them.

Which words say so is data with a version (`geo.io.rules`). A patrol car at the door helps nobody
there, and the place of such a report gives away whom it is about.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import OptionInvalid
from geo.frames import Col


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeKind:
    """One kind of report that points at homes.

    Attributes
    ----------
    kind : str
        Its name in options and counts.
    zh, en : str
        What people call it.
    words : tuple of str
        A category that holds one of them is of this kind. Latin words count from the beginning
        of a word on.
    """

    kind: str
    zh: str
    en: str
    words: tuple[str, ...]

    def matches(self, category: str) -> bool:
        """Tell whether a category is of this kind."""
        return self._pattern().search(_plain(category)) is not None

    def _pattern(self) -> re.Pattern[str]:
        parts = [
            (r"(?<![a-z])" if word.isascii() else "") + re.escape(_plain(word))
            for word in self.words
        ]
        return re.compile("|".join(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRules:
    """Which kinds of report are left out.

    Attributes
    ----------
    version : str
    valid_from : date
    source : str
        What the rules rest on.
    homes : tuple of HomeKind
    """

    version: str
    valid_from: date
    source: str
    homes: tuple[HomeKind, ...]

    def __post_init__(self) -> None:
        for home in self.homes:
            if not home.words or not all(_plain(word) for word in home.words):
                raise OptionInvalid(option=home.kind, value="", expected="at least one word")

    def kind_of(self, category: str) -> str:
        """Return the home kind of a category, "" for none."""
        return next((home.kind for home in self.homes if home.matches(category)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Reports without those that point at homes.

    Attributes
    ----------
    frame : GeoDataFrame
    n : mapping of str to int
        Rows left out by kind, kinds without one included.
    n_total : int
        Rows before.
    version : str
        Of the rules.
    """

    frame: gpd.GeoDataFrame
    n: Mapping[str, int]
    n_total: int
    version: str


def home_kinds(
    categories: pd.Series, rules: IncidentRules, *, keep: Collection[str] = ()
) -> np.ndarray:
    """Return the home kind of each category, "" where it stays; object, shape (n,).

    Parameters
    ----------
    keep : collection of str
        Kinds that stay all the same.

    Raises
    ------
    OptionInvalid
        A kind to keep that the rules do not know.
    """
    known = {home.kind for home in rules.homes}
    for kind in keep:
        if kind not in known:
            raise OptionInvalid(option="--keep", value=kind, expected=", ".join(sorted(known)))
    codes, words = pd.factorize(categories)
    kinds = [rules.kind_of(str(word)) for word in words]
    kept = np.array(["" if kind in keep else kind for kind in kinds] + [""], dtype=object)
    return np.asarray(kept[codes])


def leave_out_homes(
    incidents: gpd.GeoDataFrame, rules: IncidentRules, *, keep: Collection[str] = ()
) -> LeftOut:
    """Return reports without the kinds that point at homes, and how many those were."""
    kind = home_kinds(incidents[Col.CATEGORY], rules, keep=keep)
    return LeftOut(
        frame=incidents[kind == ""],
        n={home.kind: int((kind == home.kind).sum()) for home in rules.homes},
        n_total=len(incidents),
        version=rules.version,
    )


def _plain(word: str) -> str:
    return " ".join(re.sub(r"[_\-/]", " ", unicodedata.normalize("NFKC", word).lower()).split())
