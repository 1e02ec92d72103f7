"""Street classes from the words sources use, and the audit of unnamed roads."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from geo.frames import Col, StreetClass
from geo.rate import Rate

HIGHWAY_CLASS: Final[Mapping[str, StreetClass]] = {
    "motorway": StreetClass.EXPRESSWAY,
    "motorway_link": StreetClass.EXPRESSWAY,
    "trunk": StreetClass.EXPRESSWAY,
    "trunk_link": StreetClass.EXPRESSWAY,
    "primary": StreetClass.ARTERIAL,
    "primary_link": StreetClass.ARTERIAL,
    "secondary": StreetClass.ARTERIAL,
    "secondary_link": StreetClass.ARTERIAL,
    "tertiary": StreetClass.COLLECTOR,
    "tertiary_link": StreetClass.COLLECTOR,
    "road": StreetClass.COLLECTOR,
    "unclassified": StreetClass.RURAL,
    "track": StreetClass.RURAL,
    "residential": StreetClass.LANE,
    "living_street": StreetClass.LANE,
    "service": StreetClass.LANE,
    "pedestrian": StreetClass.PATH,
    "footway": StreetClass.PATH,
    "path": StreetClass.PATH,
    "cycleway": StreetClass.PATH,
    "bridleway": StreetClass.PATH,
    "steps": StreetClass.PATH,
}
"""OSM ``highway`` values that are streets; others (proposed, platform, corridor …) are not.

The tagging rules for China (wiki.openstreetmap.org/wiki/WikiProject_China) use primary for 主干路,
secondary for 次干路 with a share of through traffic like it, tertiary for 支路 and unclassified for
乡村公路.
"""

WORD_CLASS: Final[tuple[tuple[str, StreetClass], ...]] = (
    (r"快速|高速|expressway|freeway", StreetClass.EXPRESSWAY),
    (r"次干|支路|collector|县道", StreetClass.COLLECTOR),
    (r"主干|干道|arterial|国道|省道|一级公路|二级公路", StreetClass.ARTERIAL),
    (r"乡道|村道|乡村|农村|田间|机耕|三级公路|四级公路|等外|rural", StreetClass.RURAL),
    (r"步行|人行|小径|台阶|自行车道|绿道|foot|path|steps", StreetClass.PATH),
    (r"巷|胡同|里弄|小区|内部|lane|alley|街坊", StreetClass.LANE),
)
"""Class words (GB 50220, JTG B01 and everyday ones), tried in this order."""

SPEED_CLASS: Final[tuple[tuple[float, StreetClass], ...]] = (
    (80.0, StreetClass.EXPRESSWAY),
    (50.0, StreetClass.ARTERIAL),
    (30.0, StreetClass.COLLECTOR),
    (0.0, StreetClass.LANE),
)
"""Lowest speed limit in km/h of each class, after CJJ 37-2012 table 3.2.1 (design speeds)."""

_OWN_WORDS: Final = {member.value: member for member in StreetClass}
_RANK: Final = {member: rank for rank, member in enumerate(StreetClass)}


def street_class(word: str) -> StreetClass | None:
    """Return the class a source's word stands for, or None when it is no street.

    Parameters
    ----------
    word : str
        An OSM ``highway`` value, a class of ours, a Chinese or English class word, or a list such
        as ``['residential', 'tertiary']`` of which the highest class counts.

    Examples
    --------
    >>> street_class("tertiary"), street_class("次干路"), street_class("platform")
    (<StreetClass.COLLECTOR: 'collector'>, <StreetClass.COLLECTOR: 'collector'>, None)
    """
    text = word.strip().lower()
    if text in HIGHWAY_CLASS:
        return HIGHWAY_CLASS[text]
    if text in _OWN_WORDS:
        return _OWN_WORDS[text]
    if any(mark in text for mark in "[,;|"):
        parts = [street_class(part) for part in re.split(r"[\[\]',;|\s]+", text) if part]
        return min((p for p in parts if p), key=_RANK.__getitem__, default=None)
    return next((found for pattern, found in WORD_CLASS if re.search(pattern, text)), None)


def street_classes(words: pd.Series) -> np.ndarray:
    """Return the class of each word; "" where it is no street.

    Parameters
    ----------
    words : Series of str

    Returns
    -------
    ndarray of object, shape (n,)
    """
    codes, uniques = pd.factorize(words, use_na_sentinel=False)
    found = [street_class(str(word)) for word in uniques]
    table = np.array([member.value if member else "" for member in found], dtype=object)
    classes: np.ndarray = table[codes] if len(table) else np.empty(0, dtype=object)
    return classes


def classes_by_speed(limits: np.ndarray) -> np.ndarray:
    """Return the class of each speed limit in km/h; "" where there is none."""
    classes = np.full(len(limits), "", dtype=object)
    for lowest, found in reversed(SPEED_CLASS):
        classes[limits >= max(lowest, 1e-9)] = found.value
    return classes


def unnamed_roads(
    streets: pd.DataFrame, *, data_date: date, boundary_version: str
) -> dict[str, Rate]:
    """Count the segments without a name, per street class and in all (key ``"all"``).

    A dispatcher cannot send anyone to a road without a name; the count says how many remain.

    Parameters
    ----------
    streets : STREETS frame
    data_date : date
        Day the streets were true.
    boundary_version : str

    Returns
    -------
    dict of str to Rate
        Classes in the order of `StreetClass`, those present only.
    """
    unnamed = (streets[Col.NAME].str.strip() == "").to_numpy()
    classes = streets[Col.STREET_CLASS].to_numpy()
    groups = {"all": np.ones(len(streets), dtype=bool)}
    groups |= {c.value: classes == c.value for c in StreetClass if (classes == c.value).any()}
    return {
        key: Rate(
            n=int(unnamed[rows].sum()),
            total=int(rows.sum()),
            data_date=data_date,
            boundary_version=boundary_version,
        )
        for key, rows in groups.items()
    }
