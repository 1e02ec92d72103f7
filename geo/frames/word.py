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


class InstitutionKind(StrEnum):
    """Kinds of independent grid: 学校, 企业, 市场, 医院, 居民小区, 其他; 无 for every other unit.

    Only the residential kind is itself cut into basic grids and groups.
    """

    SCHOOL = "school"
    ENTERPRISE = "enterprise"
    MARKET = "market"
    HOSPITAL = "hospital"
    RESIDENTIAL = "residential"
    OTHER = "other"
    NONE = "none"


class Relation(StrEnum):
    """Where a unit of an older register went: 不变, 更名或换码, 并入, 未定.

    The first two are one to one; several units end in one where they are merged.
    """

    SAME = "same"
    RENAMED = "renamed"
    MERGED = "merged"
    UNRESOLVED = "unresolved"


class Evidence(StrEnum):
    """What says where a unit went, the strongest first.

    A user's table; the share of its area; code and name; the name among the units of its parent;
    the code with a like name; the names of its own units (of a township or county); the first
    characters a merged village is named after; a name that occurs once in the county before and
    after; the code alone; nothing.
    """

    TABLE = "table"
    AREA = "area"
    CODE_NAME = "code_name"
    NAME = "name"
    CODE_LIKE_NAME = "code_like_name"
    LIKE_NAME = "like_name"
    CHILDREN = "children"
    COMPOUND = "compound"
    ELSEWHERE = "elsewhere"
    CODE = "code"
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


class VenueState(StrEnum):
    """在营(查到), 关停, 未找到, 免检: what the last visits and the register say of a venue."""

    OPEN = "open"
    CLOSED = "closed"
    NOT_FOUND = "not_found"
    EXEMPT = "exempt"


class VisitOutcome(StrEnum):
    """已检查, 发现隐患, 未找到, 已关停; the first two are inspections."""

    DONE = "done"
    HAZARD = "hazard"
    NOT_FOUND = "not_found"
    CLOSED = "closed"


class VenueSize(StrEnum):
    """小场所 below the threshold of its kind, 重点单位 at or above it, 规模不详."""

    SMALL = "small"
    KEY = "key"
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """What clears a reason for a tier: 整改, 届满, 补录, or nothing while a place stays so."""

    MEND = "mend"
    WAIT = "wait"
    RECORD = "record"
    NONE = "none"


class Queue(StrEnum):
    """Why the register has to look at a venue: 两次未找到, 免检到期复核, 关停到期复核."""

    NOT_FOUND = "not_found"
    EXEMPTION_ENDS = "exemption_ends"
    CLOSURE_REVIEW = "closure_review"


class Precision(StrEnum):
    """How the position of a venue is known: 坐标, 街道门牌, 村居, 不详.

    A point of the register or the map, a street with or without number, the village it names, or
    not at all: then it has no geometry and is still counted.
    """

    POINT = "point"
    STREET = "street"
    VILLAGE = "village"
    NONE = "none"


class RailKind(StrEnum):
    """铁路: 高速, 干线, 支线与专用线, 城市轨道."""

    HIGH_SPEED = "high_speed"
    MAIN = "main"
    BRANCH = "branch"
    METRO = "metro"


class JunctionKind(StrEnum):
    """尽头, 断点, 路口, 未打断的交叉, 差一点接上的端头.

    One end; two ends and nothing else; three or more; lines that cross or touch and share no
    vertex; a dead end that stops just short of another street.
    """

    END = "end"
    THROUGH = "through"
    JUNCTION = "junction"
    UNCUT = "uncut"
    SHORT = "short"


class ServiceKind(StrEnum):
    """服务点: 综治中心, 驿站, 执法服务站."""

    CENTRE = "centre"
    POST_HOUSE = "post_house"
    ENFORCEMENT = "enforcement"


class ParkingKind(StrEnum):
    """停车: 公共停车场, 路内泊位, 非机动车停放点."""

    CAR_PARK = "car_park"
    ROADSIDE = "roadside"
    BICYCLE = "bicycle"


class HazardKind(StrEnum):
    """危险品场所: 加油站, 燃气场站, 液化气站, 危化品, 民爆, 烟花爆竹; 其他."""

    FUEL = "fuel"
    GAS = "gas"
    LPG = "lpg"
    CHEMICAL = "chemical"
    EXPLOSIVE = "explosive"
    FIREWORK = "firework"
    OTHER = "other"


class AssetKind(StrEnum):
    """线状对象: 河道, 岸线."""

    RIVER = "river"
    SHORE = "shore"


class ClosureKind(StrEnum):
    """Why a street is closed or slow for a time: 封闭, 施工, 活动管控, 恶劣天气."""

    CLOSURE = "closure"
    WORKS = "works"
    EVENT = "event"
    WEATHER = "weather"


class ZoneOrigin(StrEnum):
    """夜间经济区: 人工划定, 由场所密度建议."""

    DRAWN = "drawn"
    PROPOSED = "proposed"


class Force(StrEnum):
    """巡防力量: 专职, 志愿 (义警), 抽调下沉."""

    OWN = "own"
    VOLUNTEER = "volunteer"
    SECONDED = "seconded"


class FaultKind(StrEnum):
    """What is wrong with a coverage.

    缝隙 (no unit), 重叠 (two units or more), 碎条 (a narrow one of either), 空洞 (no unit, and too
    large to be a mistake: a question), 越界 (outside the parent), 压盖飞地 (a unit lying inside
    another that has no hole for it), 节点不符 (no area, but the vertices of a shared border
    differ), 自相交, 多部分 (a unit in several pieces: a question).
    """

    GAP = "gap"
    OVERLAP = "overlap"
    SLIVER = "sliver"
    HOLE = "hole"
    STRAY = "stray"
    ENCLAVE = "enclave"
    UNMATCHED = "unmatched"
    SELF_INTERSECTION = "self_intersection"
    MULTIPART = "multipart"


class JoinCase(StrEnum):
    """Why a point's cell is not plain: 界线上, 外缘, 界外, 无坐标.

    On a border that cells share, within 1 cm of the outer border, outside every cell, or without
    a position.
    """

    BORDER = "border"
    OUTER = "outer"
    OUTSIDE = "outside"
    UNPLACED = "unplaced"


class GroupReason(StrEnum):
    """Why a group has not 10 to 30 households: 无户数, 网格户数不足, 单元过粗, 编号用尽.

    Its grid has no known household, or fewer than 10; its buildings are too coarse or lie too far
    apart to be joined; its grid has more than 99 groups, the numbers there are.
    """

    NO_HOUSEHOLDS = "no_households"
    FEW_HOUSEHOLDS = "few_households"
    COARSE = "coarse"
    NUMBERS = "numbers"


class GridReason(StrEnum):
    """Why a grid lies outside the aim: 单体过大, 总量不可分, 飞地, 街区过大, 主干路, 街区过粗.

    One building alone holds too many; the unit's households do not divide into such parts, nor
    those of its detached piece; a block could not be split; what lies on one side of a main road
    does not divide; the blocks around are too coarse.
    """

    BUILDING = "building"
    TOTAL = "total"
    PIECE = "piece"
    BLOCK = "block"
    MAIN_ROAD = "main_road"
    COARSE = "coarse"


class CrossReason(StrEnum):
    """Why a basic grid reaches over a main road: 一侧户数不足, 断头路."""

    SIDE = "side"
    DEAD_END = "dead_end"


class AliasCase(StrEnum):
    """What became of an old basic grid's code: 沿用, 并入, 撤销.

    A new cell keeps it; most of the old cell lies in a cell with another code; nothing covers it.
    """

    KEPT = "kept"
    MERGED = "merged"
    GONE = "gone"


class Setting(StrEnum):
    """Whether a place counts as town or country: 城镇, 乡村; 不明 outside every unit."""

    TOWN = "town"
    COUNTRY = "country"
    UNKNOWN = "unknown"


class Target(StrEnum):
    """What is reached: 住户, by buildings; 场所."""

    HOUSEHOLDS = "households"
    VENUES = "venues"


class MissReason(StrEnum):
    """Why a place is outside the service standard: 超时, 离路过远, 不通, 界外.

    Farther than its setting allows; no street within reach; no way from any station; in no unit,
    so that nobody knows which limit holds.
    """

    TOO_FAR = "too_far"
    OFF_ROADS = "off_roads"
    NO_WAY = "no_way"
    OUTSIDE = "outside"
