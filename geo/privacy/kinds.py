"""Words for kinds of person and for dwellings; patrolgrid holds places of work and public life."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from geo.errors import PersonKindRefused
from geo.privacy.shown import NOT_SHOWN

PERSON_KINDS: Final = re.compile(
    "重点人|重点对象|特殊人群|特定人群|涉稳|维稳|信访|上访|访民|矫正|社矫|吸毒|涉毒人|戒毒人|精神|肇事肇祸|"
    "刑满|刑释|安置帮教|前科|涉黑人|涉恐|涉邪|邪教|嫌疑|逃犯|在逃|布控|轨迹|盘查|人脸|流动人口|外来人口|暂住|"
    "境外人员|外国人|少数民族|信教|宗教人|留守|失独|孤寡|独居|残疾|低保|艾滋|高危人|管控对象|"
    "人员管控|稳控|帮扶对象|走访对象|失信|租户|租客|"
    r"key\W?person|\bpersons? of interest|special\W?(?:population|group)|petition|probation|parole|"
    r"community\W?correction|addict|drug\W?users?|mental|psychiatr|ex\W?(?:convict|offender)|"
    r"\boffenders?\b|suspect|fugitive|watch\W?list|\bmigrants?\b|minorit|\bethnic|religio|dissident|"
    r"track(?:ing)?\W?(?:person|people)|face\W?recogni|trajector|stop\W?and\W?frisk|homeless"
)
"""Kinds, tags, layers and categories of persons."""

DWELLINGS: Final = re.compile(
    "住宅|民宅|住户|居民楼|居民房|民房|居民家|出租屋|出租房|群租|农家院|宿舍|公寓|家属院|自建房|平房|院落|小区楼|"
    r"\bdwelling|\bresiden(?:ce|tial)|\bapartments?\b|\b(?:private|family|row|town)\W?houses?\b|"
    r"^houses?$|^homes?$|^flats?$|\bhouseholds?\b|\bdormitor"
)
"""Kinds of place where people live."""

DWELLING_NAMES: Final = re.compile(
    r"(?:住宅|住宅楼|民宅|出租屋|出租房|住户|家中|家里|租住处|住处|住所)$|单元.{0,6}室|"
    r"(?:dwelling|residence)$|(?:小区.{0,10}|[楼室号院].{0,4})"
    r"(?<![人之一酒商店厂管专大行世皇国宜居])家$|"
    r"^(?!.*(?:大厦|商务|科技|产业|创业|工业|写字|中心|广场|市场|医院|学院|大学))"
    r".*号楼.{0,6}\d{3,4}[室房户]?$|单元\s?\d{3,4}$"
)
"""Names of dwellings; a shop in a housing estate (阳光住宅小区超市) is none."""


PERSON_NAMES: Final = re.compile(
    "重点人员|重点对象|特殊人群|矫正对象|矫正人员|社矫人员|吸毒人员|戒毒人员|精神病人|精神病患|精神障碍患者|"
    "刑满释放|信访人|上访人|涉稳人员|前科人员|在逃人员|嫌疑人|管控对象|帮扶对象|独居老人|"
    "^重点人|布控(?!球)"
)
"""Names that point at a person; an office or hospital (信访接待中心) is none."""


def is_person_name(name: str) -> bool:
    """Tell whether the name of a place points at a person."""
    return PERSON_NAMES.search(name.strip()) is not None


def is_person_kind(word: str) -> bool:
    """Tell whether a kind, tag, category, layer or rule word is about persons."""
    return PERSON_KINDS.search(_plain(word)) is not None


def is_dwelling(kind: str) -> bool:
    """Tell whether a kind of place is a dwelling."""
    return DWELLINGS.search(_plain(kind)) is not None


def is_dwelling_name(name: str) -> bool:
    """Tell whether the name of a place is that of a dwelling."""
    plain = unicodedata.normalize("NFKC", name).strip().lower()
    return DWELLING_NAMES.search(plain) is not None


def refuse_person_kinds(words: Iterable[str], *, source: str, allow_dwellings: bool = True) -> None:
    """Refuse words for kinds of person, and for dwellings unless they are allowed.

    Parameters
    ----------
    words : iterable of str
        Kinds, tags, categories, layer names or words of a rules file, one per row.
    source : str
        File they come from.
    allow_dwellings : bool
        False for kinds of venue, post and stop: no dwelling is a place of work.

    Raises
    ------
    PersonKindRefused
        Names the part of the first such word that is ours, and its row, counted from 1; the rest
        of the cell may be a name.
    """
    rows = list(words)
    for word in dict.fromkeys(rows):
        if is_person_kind(word) or (not allow_dwellings and is_dwelling(word)):
            raise PersonKindRefused(source=source, row=rows.index(word) + 1, kind=_known(word))


def _known(word: str) -> str:
    """Return the part of a word that is in our own lists; it names a kind, never a person."""
    found = PERSON_KINDS.search(_plain(word)) or DWELLINGS.search(_plain(word))
    return found.group() if found is not None else NOT_SHOWN


def _plain(word: str) -> str:
    return word.lower().replace("_", " ")
