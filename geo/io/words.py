"""Words users write for the closed vocabularies, in Chinese and English."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from geo.boundary.unit import INSTITUTION_PATTERNS
from geo.frames import (
    Channel,
    GridRole,
    InstitutionKind,
    Level,
    PostKind,
    StationKind,
    Tier,
    VenueKind,
)

_KIND_PATTERNS: Final[tuple[tuple[str, VenueKind], ...]] = (
    ("学校|小学|中学|幼儿园|托育|托管|培训|school|kindergarten|nursery", VenueKind.SCHOOL),
    ("医院|诊所|卫生|医疗|门诊|clinic|hospital|doctor", VenueKind.CLINIC),
    ("网吧|网咖|上网|互联网|net.?cafe|internet", VenueKind.NET_CAFE),
    ("歌舞|娱乐|ktv|酒吧|游艺|棋牌|电影|entertain|karaoke|bar$|nightclub", VenueKind.ENTERTAINMENT),
    ("美容|美发|理发|洗浴|足浴|足疗|沐浴|桑拿|beauty|bath|hair|spa$|sauna", VenueKind.BEAUTY_BATH),
    ("旅馆|宾馆|旅店|旅社|民宿|招待所|客栈|hotel|hostel|guest|motel", VenueKind.HOTEL),
    ("餐|饭店|饭馆|小吃|火锅|烧烤|食堂|面馆|food|restaurant|cafe|canteen|eatery", VenueKind.FOOD),
    ("酒店", VenueKind.HOTEL),
    ("生产|加工|作坊|工厂|车间|制造|仓储|workshop|factory|craft|manufactur", VenueKind.WORKSHOP),
    ("商店|商场|超市|便利|商铺|店铺|门市|零售|批发|药店|市场|shop|store|market", VenueKind.SHOP),
)
"""Tried in this order: 网咖 is no café and 酒店 is a hotel once 餐饮 is ruled out."""

_TIER_PATTERNS: Final = (
    (r"红|高|^red|^high|^r$|^(?:1|一|ⅰ|i)级?$", Tier.RED),
    (r"黄|中|^yellow|^amber|^medium|^y$|^(?:2|二|ⅱ|ii)级?$", Tier.YELLOW),
    (r"绿|低|^green|^low|^g$|^(?:3|三|ⅲ|iii)级?$", Tier.GREEN),
)

_CHANNEL_PATTERNS: Final = (
    (r"主动|巡逻|巡查|自接|发现|proactive|patrol|on.?view", Channel.PROACTIVE),
    (r"群众|报警|报案|接警|110|12345|热线|居民|来电|resident|call|report", Channel.RESIDENT),
    (r"^(?:其他|其它|其余|另外|other|misc)|网|微信|短信|平台|视频|监控|设备|技防", Channel.OTHER),
    (r"移交|转|上级|媒体|online|web|\bapp\b|sensor|alarm|camera", Channel.OTHER),
)

_STATION_PATTERNS: Final = (
    (r"专门|专业|交警|特警|刑侦|铁路|机场|水上|景区|高速|special|traffic", StationKind.SPECIAL),
    (r"乡镇|农村|乡|镇|township|rural", StationKind.TOWNSHIP),
    (r"城|街道|市区|urban|city|所|站|局|队", StationKind.URBAN),
)

_POST_PATTERNS: Final = (
    (r"双|同到|pair|two", PostKind.PAIR),
    (r"定点|固定|定岗|岗|驻|fixed|post", PostKind.FIXED),
)

_LEVEL_PATTERNS: Final = (
    (r"^村|社区|居委|village|community", Level.VILLAGE),
    (r"镇|乡|街道|township|street|town$", Level.TOWNSHIP),
    (r"县|区|county|district", Level.COUNTY),
    (r"市|city|prefecture", Level.CITY),
)

_ROLE_PATTERNS: Final = (
    (r"统筹|coordination", GridRole.COORDINATION),
    (r"监督|supervision", GridRole.SUPERVISION),
    (r"责任|responsibility", GridRole.RESPONSIBILITY),
    (r"独立|专属|independent", GridRole.INDEPENDENT),
    (r"基础|basic", GridRole.BASIC),
    (r"小组|group", GridRole.GROUP),
    (r"^无$|none", GridRole.NONE),
)

_INSTITUTION_WORDS: Final = (
    (r"居民|居住|住宅", InstitutionKind.RESIDENTIAL),
    (r"教育|学", InstitutionKind.SCHOOL),
    (r"医疗|卫生", InstitutionKind.HOSPITAL),
    (r"^无$|^否$", InstitutionKind.NONE),
    (r".", InstitutionKind.OTHER),
)

_MODE_PATTERNS: Final = (
    (r"步|foot|walk", "foot"),
    (r"电动|ebike|e-bike|自行车|bicycle", "ebike"),
    (r"摩托|motor", "motorbike"),
    (r"车|car|vehicle", "car"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Turns users' words into the values of a closed vocabulary.

    Attributes
    ----------
    name : str
        Name of the vocabulary; its words in both languages are messages ``word.<name>.<value>``.
    values : tuple of str
        In the order in which people list them.
    patterns : tuple of (pattern, str)
        Tried in this order where a word is no value itself.
    """

    name: str
    values: tuple[str, ...]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = field(repr=False)

    def __call__(self, word: str) -> str | None:
        """Return the value a word stands for, None when it is not understood."""
        text = word.strip().lower()
        if not text:
            return None
        if text in self.values:
            return text
        return next((value for pattern, value in self.patterns if pattern.search(text)), None)


def _words(name: str, groups: tuple[tuple[str, str], ...], values: Iterable[str]) -> Words:
    patterns = tuple((re.compile(pattern), str(value)) for pattern, value in groups)
    return Words(name=name, values=tuple(str(value) for value in values), patterns=patterns)


venue_kind: Final = _words("venue_kind", _KIND_PATTERNS, VenueKind)
tier: Final = _words("tier", _TIER_PATTERNS, Tier)
channel: Final = _words("channel", _CHANNEL_PATTERNS, Channel)
station_kind: Final = _words("station_kind", _STATION_PATTERNS, StationKind)
post_kind: Final = _words("post_kind", _POST_PATTERNS, PostKind)
level: Final = _words("level", _LEVEL_PATTERNS, Level)
grid_role: Final = _words("grid_role", _ROLE_PATTERNS, GridRole)
institution_kind: Final = _words(
    "institution_kind", (*INSTITUTION_PATTERNS, *_INSTITUTION_WORDS), InstitutionKind
)
mode: Final = _words("mode", _MODE_PATTERNS, [value for _, value in _MODE_PATTERNS])
