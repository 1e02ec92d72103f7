"""Names of units as registers write them, and how alike two of them are.

A name is never a key: 108 village names repeat in one city, and one unit is written 沙镇 and
沙镇镇, 候营 and 侯营, 王化村委会 and 王化村村民委员会. What is compared is the own name of a unit,
without the words that every register adds in its way, and only among the units of one parent.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from geo.frames import Level

_COMMITTEE: Final = re.compile(
    r"(村民委员会|居民委员会|居民居委会|居委会|村委会|居委|村委|街道办事处|办事处|"
    r"管理委员会|管委会|委员会|服务中心)$"
)
"""Bodies a register names in the place of the unit (村民委员会组织法, 居民委员会组织法)."""

_GENERIC: Final = {
    Level.CITY: re.compile(r"(市|地区|盟|自治州)$"),
    Level.COUNTY: re.compile(r"(自治县|县|市|区|旗)$"),
    Level.TOWNSHIP: re.compile(r"(街道|民族乡|镇|乡|苏木)$"),
    Level.VILLAGE: re.compile(r"(新型社区|社区|小区|新村|嘎查|村|居)$"),
}
"""Words for the kind of unit, by level; taken off as often as they stand there."""

_RESIDENTS: Final = re.compile(r"居|社区")
"""Marks of an urban unit (居委会, 社区); the others are villages."""

_VARIANTS: Final = (
    "侯候 闫阎 丘邱 付傅 肖萧 代戴 元园圆 房坊 弯湾 凡樊 勾沟 屯囤 寨砦 固堌 皇黄 合和 宋送 "
    "吕铝 于於 余馀 郭廓 胡湖 蓝兰 台臺 庙廟 梁粱 沙砂 凌淩 瑶窑 淀甸"
)
"""Characters that stand for each other in names of places: variants, short forms of 1977 that were
taken back (第二次汉字简化方案), common slips of one sound; the first of a group stands for all."""

_FOLD: Final = {ord(other): group[0] for group in _VARIANTS.split() for other in group[1:]}

_SETTLEMENT: Final = frozenset("庄村屯楼集店营寨家子里")
"""Characters so common in names of villages that sharing one says nothing."""

_OPPOSITES: Final = ("东西南北", "前后", "大小", "上下", "一二三四五六七八九十")
"""Characters that tell neighbours of one name apart."""

LIKE: Final = 0.5
"""Share of the shorter name's telling characters of which more must occur in a like name."""


@dataclass(frozen=True, slots=True)
class OwnName:
    """A unit's own name.

    Attributes
    ----------
    stem : str
        Without committee and kind: 王化 of 王化村村民委员会.
    folded : str
        The stem with characters that stand for each other made one.
    is_urban : bool
        Whether the register calls it a residents' committee or community.
    """

    stem: str
    folded: str
    is_urban: bool


@lru_cache(maxsize=65_536)
def own_name(name: str, level: Level) -> OwnName:
    """Return what a unit is called, without what registers put around it."""
    text = re.sub(r"[\s·•.,，、()（）*]", "", unicodedata.normalize("NFKC", name))
    body = _COMMITTEE.sub("", text) or text
    stem = body
    while len(shorter := _GENERIC[level].sub("", stem)) not in {0, len(stem)}:
        stem = shorter
    return OwnName(stem, stem.translate(_FOLD), bool(_RESIDENTS.search(text[len(stem) :])))


def are_alike(one: OwnName, other: OwnName) -> bool:
    """Tell whether two names may be one name changed: 岳坊东 and 岳东, 大桑 and 大桑树.

    More than half of the telling characters of the shorter name occur in the longer one in the same
    order, and no character says that the two are neighbours (前辛庄, 后辛庄).
    """
    if one.folded == other.folded:
        return True
    if any(_are_opposed(one.stem, other.stem, group) for group in _OPPOSITES):
        return False
    short, long = sorted((_telling(one.folded), _telling(other.folded)), key=len)
    return _n_common(short, long) > LIKE * len(short)


def is_telling(stem: str) -> bool:
    """Tell whether no character of a name is common to names of villages or a mere direction."""
    return not any(c in _SETTLEMENT or any(c in group for group in _OPPOSITES) for c in stem)


def _are_opposed(one: str, other: str, group: str) -> bool:
    mine = {character for character in one if character in group}
    theirs = {character for character in other if character in group}
    return bool(mine) and bool(theirs) and not mine & theirs


def _telling(stem: str) -> str:
    return "".join(character for character in stem if character not in _SETTLEMENT) or stem


def _n_common(one: str, other: str) -> int:
    """Return the length of the longest common subsequence."""
    best = [0] * (len(other) + 1)
    for character in one:
        row = [0]
        for k, match in enumerate(other):
            row.append(best[k] + 1 if character == match else max(best[k + 1], row[k]))
        best = row
    return best[-1]
