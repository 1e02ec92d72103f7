"""Chinese addresses taken apart: township, village, street and number of a place.

``古楼街道昌润社区东昌路12号院3号楼`` runs from the large to the small. What lies beyond
the building (unit, floor, room, household) is about a dwelling as often as not and is cut
off before anything is kept.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_PROVINCE: Final = re.compile(
    r"(?:中国)?(?:[^省\d]{2,3}省|(?:内蒙古|广西壮族|宁夏回族|新疆维吾尔|西藏)自治区|"
    r"(?:北京|天津|上海|重庆)市)"
)
_CITY: Final = re.compile(r"[^市县区\d路街]{2,5}市(?![场政民])")
_COUNTY: Final = re.compile(
    r"[^市县区\d路街]{1,10}?(?:(?<=高新)区|(?<![社小园厂校景矿新])区(?!街道|委)|县(?![城路道医府])|市(?![场政民]))"
)
_TOWNSHIP: Final = re.compile(
    r"([^\d路号,]{1,8}?(?:街道办事处|街道办|街道(?!路)|办事处|镇(?![镇村庄])|乡(?![镇村路街道间土])))"
)
_VILLAGE: Final = re.compile(
    r"((?:(?!小区)[^\d号,]){1,12}?(?:社区|(?<![农假])村(?!小区|镇))"
    r"(?:居民委员会|居委会|村民委员会|村委会|民委员会|委会)?|"
    r"[^\d号,]{1,10}?(?:居民委员会|居委会|村民委员会|村委会))"
)
_STREET: Final = re.compile(
    r"([^\d号,、与和]{1,12}?\d{0,3}(?:大道|大街|路|街|巷|胡同|弄)|[A-Z]?\d{1,4}[国省县乡]道)"
    r"(?![村庄居]|社区|道|口村)"
)
_LANE: Final = re.compile(r"[东西南北中]?[一二三四五六七八九十\d]{0,3}(?:支路|巷|胡同|条|弄)")
_STRETCH: Final = re.compile(
    r"(?:\(?[东西南北中]{1,2}(?:段|首|头|侧|边|端)\)?|路[东西南北]侧?|[东西南北]侧)"
)
_STRETCHES: Final = re.compile(f"(?:{_STRETCH.pattern})+")
_AT_END: Final = re.compile(f"(?<=[路街道巷]){_STRETCHES.pattern}$")
_CROSS: Final = re.compile(
    r"[与和、/-](.{1,10}?(?:大道|大街|路|街|巷|胡同))的?(?:十字|丁字)?(?:交叉|交汇|交会|路口|相交)"
)
_NUMBER: Final = re.compile(
    r"[附甲乙丙丁]?(\d{1,5}|[一二三四五六七八九十百]{1,5})[甲乙丙丁A-Za-z]?"
    r"(?:[-~至、](\d{1,5}))?[甲乙丙丁A-Za-z]?(?:号院|号|#)(?!楼)"
)
_BARE_NUMBER: Final = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?$")

_REMARK: Final = re.compile(r"\([^)]*\)?|【[^】]*】?")
_INSIDE: Final = re.compile(
    r"(?:[-,]?(?:[一二三四五六七八九十\d]{1,3}|[A-Za-z])单元|[-,]?(?:\d{1,4}|[A-Za-z]\d{1,4})[室房户]|"
    r"(?<=[楼栋幢座])[-,]?(?:[A-Za-z]?\d{3,4}|\d{1,2}-\d{1,4})|"
    r"(?<=\d)-\d{1,2}-\d{2,4}|[东西]户|(?<=[号楼栋幢座厦心场城院店馆市])[-,]?(?:地下)?[负一二三四五六七八九十\d]{1,3}[层楼]"
    r"|第[一二三四五六七八九十\d]+户)"
)
_HOME: Final = re.compile(
    r"(?<=[村庄号路街巷院楼区组队])[^村庄号路街巷院楼区组队]{1,4}(?:家|宅)(?:里|中|旁|隔壁|对面|附近)?$"
)

_VILLAGE_COMMITTEE: Final = re.compile(r"村?村(?:民委员|委)会$")
_COMMITTEE: Final = re.compile(r"居?(?:民委员|委)会$")
_SETTLEMENT: Final = re.compile(r"(?:社区|村)$")
_OFFICE: Final = re.compile(r"(?:街道办事处|街道办|办事处)$")

_DIGITS: Final = {ch: n for n, ch in enumerate("〇一二三四五六七八九")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of an address that name a place; "" or None where it does not say.

    Attributes
    ----------
    above : tuple of str
        Province, city and county as far as they are written.
    township, village : str
        As written, such as 古楼街道, 昌润社区.
    street : str
        Street, lane or highway.
    cross : str
        The other street of a crossing.
    number, last : int, optional
        House number; `last` the end of a range such as 12-14号.
    """

    above: tuple[str, ...] = ()
    township: str = ""
    village: str = ""
    street: str = ""
    cross: str = ""
    number: int | None = None
    last: int | None = None


def plain_text(text: str) -> str:
    """Return an address with narrow digits and signs and without blanks and remarks.

    Examples
    --------
    >>> plain_text("东昌路 １２号（工商银行旁）")
    '东昌路12号'
    """
    narrow = "".join(unicodedata.normalize("NFKC", text).split())
    return _REMARK.sub("", narrow.replace("—", "-").replace("–", "-").replace("－", "-"))


def place_text(text: str) -> str:
    """Return an address as it is kept: to the building, without unit, floor, room and household.

    Examples
    --------
    >>> place_text("东昌路１２号 ３号楼２单元５０２室"), place_text("王庄村张三家")
    ('东昌路12号3号楼', '王庄村')
    """
    plain = plain_text(text)
    inside = _INSIDE.search(plain)
    if inside is not None:
        plain = plain[: inside.start()]
    return _HOME.sub("", plain).rstrip("-,、/")


def parse_address(text: str) -> Address:
    """Take an address apart; what is not understood is left out.

    Examples
    --------
    >>> parse_address("东昌府区古楼街道昌润社区东昌路12-14号").street
    '东昌路'
    """
    rest = plain_text(text)
    above = []
    for pattern in (_PROVINCE, _CITY, _COUNTY):
        found = pattern.match(rest)
        if found is not None:
            above.append(found.group())
            rest = rest[found.end() :]
    township, rest = _take(_TOWNSHIP, rest)
    village, rest = _take_village(rest)
    street, cross, rest = _take_street(rest)
    if street and not village and not cross:
        number, last, rest = _take_number(rest)
        village, _ = _take_village(rest)
    else:
        number, last, _ = _take_number(rest) if street else (None, None, rest)
    return Address(
        above=tuple(above),
        township=township,
        village=village,
        street=street,
        cross=cross,
        number=number,
        last=last,
    )


def street_key(name: str) -> str:
    """Return a street's name as it is compared: 柳园 大街 and 柳园街 are one.

    Examples
    --------
    >>> street_key("柳园大街"), street_key("滨河 大道（北段）"), street_key("105国道")
    ('柳园街', '滨河道', '105国道')
    """
    plain = _AT_END.sub("", plain_text(name))
    return re.sub(r"大([街道路])$", r"\1", plain)


def street_stem(key: str) -> str:
    """Return a street's key without its kind and direction: 建设东路, 建设街 and 建设大道 share it.

    Examples
    --------
    >>> street_stem("建设东路"), street_stem("建设街"), street_stem("二干路")
    ('建设', '建设', '二干')
    """
    stem = re.sub(r"(?:胡同|[路街道巷弄])$", "", key)
    return re.sub(r"(?<=..)[东西南北中]$", "", stem)


def street_direction(key: str) -> str:
    """Return the direction in a street's key: 西 of 东昌西路, "" of 东昌路."""
    found = re.search(r"(?<=..)([东西南北中])(?=(?:胡同|[路街道巷弄])$)", key)
    return found.group(1) if found is not None else ""


def street_kind(key: str) -> str:
    """Return what kind of street a key says: 路, 街, 道, 巷, 胡同, 弄 or ""."""
    found = re.search(r"(?:胡同|[路街道巷弄])$", key)
    return found.group() if found is not None else ""


def village_key(name: str) -> str:
    """Return a village's name without its committee.

    Examples
    --------
    >>> village_key("昌润社区居民委员会"), village_key("运东新村村委会")
    ('昌润社区', '运东新村')
    """
    plain = _VILLAGE_COMMITTEE.sub("村", plain_text(name))
    return _COMMITTEE.sub("", plain)


def village_stem(name: str) -> str:
    """Return a village's name without its kind: 王庄村, 王庄社区 and 王庄村委会 share it."""
    key = village_key(name)
    stem = _SETTLEMENT.sub("", key)
    return stem or key


def township_key(name: str) -> str:
    """Return a township's name as it is compared: 古楼街道办事处 and 古楼办事处 are 古楼街道."""
    plain = plain_text(name)
    return _OFFICE.sub("街道", plain)


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.match(text)
    return (found.group(1), text[found.end() :]) if found is not None else ("", text)


def _take_village(text: str) -> tuple[str, str]:
    """Take a village off the front, unless a street stands before it."""
    village, rest = _take(_VILLAGE, text)
    if not village:
        return "", text
    street = _STREET.match(text)
    if street is not None and street.end() < len(text) - len(rest):
        return "", text
    return village, rest


def _take_street(text: str) -> tuple[str, str, str]:
    """Take a street and the one it crosses off the front."""
    street, rest = _take(_STREET, text)
    if not street:
        return "", "", text
    lane = _LANE.match(rest)
    if lane is not None:
        street, rest = street + lane.group(), rest[lane.end() :]
    cross = _CROSS.match(rest)
    if cross is not None:
        return street, cross.group(1), rest[cross.end() :]
    stretch = _STRETCHES.match(rest)
    return street, "", rest[stretch.end() :] if stretch is not None else rest


def _take_number(text: str) -> tuple[int | None, int | None, str]:
    """Take a house number off the front; 12-3号 is an annex of 12, 12-14号 a range."""
    found = _NUMBER.match(text) or _BARE_NUMBER.match(text)
    if found is None:
        return None, None, text
    number = _number_of(found.group(1))
    last = int(found.group(2)) if found.group(2) else None
    return number, last if last is not None and last > number else None, text[found.end() :]


def _number_of(text: str) -> int:
    """Return a number written in digits or in Chinese, up to 999."""
    if text.isdigit():
        return int(text)
    total, digit = 0, 0
    for ch in text:
        if ch in _DIGITS:
            digit = _DIGITS[ch]
        else:
            total += (digit or 1) * (100 if ch == "百" else 10)
            digit = 0
    return total + digit
