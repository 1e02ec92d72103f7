"""Posts that answer for a stretch: a role label such as 沙镇镇河长岗, never a person."""

import re
from collections.abc import Mapping
from typing import Final

from geo.frames import AssetKind, Level

LEVEL_WORDS: Final[Mapping[Level, str]] = {
    Level.CITY: "市级",
    Level.COUNTY: "县级",
    Level.TOWNSHIP: "镇级",
}
"""Levels at which a stretch has an owner: 厅字〔2016〕42号 (全面推行河长制), 一（三）: in every
city, county and township."""

DUTY: Final[Mapping[AssetKind, str]] = {AssetKind.RIVER: "河长岗", AssetKind.SHORE: "岸线岗"}

_CHINESE_ROLE: Final = re.compile(
    "(?P<before>.*?)"
    "(?:总?[河湖渠湾]长制?|岸线(?:管理)?|巡[河湖]|管[护理]|防汛|堤防|水务|水利)?"
    "(?:岗位?|办公室|办|所|站|队|中心|局|处|委员会|总?[河湖渠湾]长)"
    r"(?:[（(]?第?[一二三四五六七八九十\d]{0,3}[）)]?号?)"
)
_ENDS_IN_PLACE: Final = re.compile(
    r"(?:^|[市区县旗镇乡村级段河湖渠沟湾岸库堤道庄屯寨店集街办组长场\d#号-]|街道|社区|园区|中心)$"
)
_ENGLISH_ROLE: Final = re.compile(
    r"(?P<before>[\w .,#-]*?)\b(?:post|chief|office|team|station|unit|bureau|authority)s?"
    r"(?:\s+(?:no\.?\s*)?\d+)?",
    re.IGNORECASE,
)
_ENGLISH_PLACE: Final = re.compile(
    r"(?:^|\b(?:city|county|district|town|township|village|river|lake|canal|shore|bank|reach|level|"
    r"section|north|south|east|west|upper|lower|\d+))\s*$",
    re.IGNORECASE,
)


def post_label(unit: str, level: Level, kind: AssetKind) -> str:
    """Return the label of the post that answers for a unit's stretches.

    Examples
    --------
    >>> post_label("沙镇镇", Level.TOWNSHIP, AssetKind.RIVER)
    '沙镇镇河长岗'
    >>> post_label("", Level.CITY, AssetKind.RIVER)
    '市级河长岗'
    """
    return f"{unit or LEVEL_WORDS[level]}{DUTY[kind]}"


def is_post(label: str) -> bool:
    """Tell whether a label names a role of a place, and not a person.

    It must end in a word for a post or an office, and what stands before must end as names of
    places and levels do: 沙镇镇河长岗 and 河长办 are posts, 张三河长 and 河长张三 are not.

    Examples
    --------
    >>> [is_post(x) for x in ("沙镇镇河长岗", "河长张三", "张三河长", "County river post 3")]
    [True, False, False, True]
    """
    text = label.strip()
    for role, place in ((_CHINESE_ROLE, _ENDS_IN_PLACE), (_ENGLISH_ROLE, _ENGLISH_PLACE)):
        found = role.fullmatch(text)
        if found is not None and place.search(found["before"]):
            return True
    return False
