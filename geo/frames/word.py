"""Closed vocabularies: the words a column may hold."""

from enum import StrEnum


class Level(StrEnum):
    """Administrative levels: 市, 县(区), 镇街, 村居."""

    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class GridRole(StrEnum):
    """Grid roles: 统筹, 监督, 责任, 独立, 基础, 小组; a county has none of its own."""

    COORDINATION = "coordination"
    SUPERVISION = "supervision"
    RESPONSIBILITY = "responsibility"
    INDEPENDENT = "independent"
    BASIC = "basic"
    GROUP = "group"
    NONE = "none"


class StreetClass(StrEnum):
    """Street classes: 快速路, 主干路, 次干路与支路, 巷道, 乡村公路, and ways on foot only."""

    EXPRESSWAY = "expressway"
    ARTERIAL = "arterial"
    COLLECTOR = "collector"
    LANE = "lane"
    RURAL = "rural"
    PATH = "path"


class VenueKind(StrEnum):
    """九小场所, in the official order.

    小学校或幼儿园, 小医院, 小商店, 小餐饮场所, 小旅馆, 小歌舞娱乐场所, 小网吧, 小美容洗浴场所,
    小生产加工企业.
    """

    SCHOOL = "school"
    CLINIC = "clinic"
    SHOP = "shop"
    FOOD = "food"
    HOTEL = "hotel"
    ENTERTAINMENT = "entertainment"
    NET_CAFE = "net_cafe"
    BEAUTY_BATH = "beauty_bath"
    WORKSHOP = "workshop"


class Tier(StrEnum):
    """红黄绿: inspected monthly, quarterly, half-yearly."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


class Channel(StrEnum):
    """How a report came in; demand counts residents' reports only."""

    RESIDENT = "resident_report"
    PROACTIVE = "proactive"
    OTHER = "other"


class StationKind(StrEnum):
    """城区所, 乡镇所, 专门所."""

    URBAN = "urban"
    TOWNSHIP = "township"
    SPECIAL = "special"


class PostKind(StrEnum):
    """定点岗 (there for the whole window) and 双组同到 (two teams at once, within the window)."""

    FIXED = "fixed"
    PAIR = "pair"


class DueState(StrEnum):
    """逾期, 本月到期, 未到期, 无检查记录."""

    OVERDUE = "overdue"
    DUE = "due"
    LATER = "later"
    UNKNOWN = "unknown"


class Precision(StrEnum):
    """How the position of a venue is known: 坐标, 街道门牌, 村居, 不详.

    A point of the register or the map, a street with or without number, the village it names, or
    not at all: then it has no geometry and is still counted.
    """

    POINT = "point"
    STREET = "street"
    VILLAGE = "village"
    NONE = "none"
