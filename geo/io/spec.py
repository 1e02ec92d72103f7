"""What each layer's file may look like: accepted headers, words, defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from geo.frames import (
    BOUNDARIES,
    BUILDINGS,
    INCIDENTS,
    POSTS,
    STATIONS,
    STREETS,
    UNITS,
    VENUE_REGISTER,
    VENUES,
    WATER,
    Col,
    Schema,
)
from geo.io import words
from geo.io.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column as files have it.

    Attributes
    ----------
    aliases : tuple of str
        Headers it goes by, best first; the column's own name always counts.
    required : bool
        Without it there is no layer; otherwise `default` or a derived value stands in.
    default : str
        Text of every row when the column is absent, and of blank cells of a column present.
    words : callable, optional
        Understands the users' words for a closed vocabulary.
    is_code : bool
        Ids and codes: screened as codes, spaces stripped.
    is_derived : bool
        The reader works out blank cells from other columns.
    """

    aliases: tuple[str, ...] = ()
    required: bool = False
    default: str = ""
    words: Words | None = None
    is_code: bool = False
    is_derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """A layer's schema with the headers its files may have.

    Attributes
    ----------
    fields : mapping of str to Field
        One per column of the schema; `Col.SOURCE` is common to all.
    id_prefix : str
        Ids are this and the row number where the file has none.
    keeps_free_text : bool
        Whether columns of sentences may stand beside (ignored); incident reports may not.
    no_dwellings : bool
        Whether kinds and names are screened for dwellings.
    unplaced : str
        Message code that says where rows without a position go; "" where the reader says it.
    """

    schema: Schema
    fields: Mapping[str, Field]
    id_prefix: str = ""
    keeps_free_text: bool = True
    no_dwellings: bool = False
    kinds: tuple[str, ...] = field(default=())
    unplaced: str = "note.position.none"


LON_HEADERS: Final = ("lon", "lng", "longitude", "经度", "x", "东经", "坐标x", "x坐标", "wgs84_lng")
LAT_HEADERS: Final = ("lat", "latitude", "纬度", "y", "北纬", "坐标y", "y坐标", "wgs84_lat")
DATUM_HEADERS: Final = ("坐标系", "坐标系统", "datum", "coord_type", "坐标类型")
CREDIT_HEADERS: Final = ("统一社会信用代码", "社会信用代码", "信用代码", "uscc", "credit_code")
CODE_HEADERS: Final = (
    "cell_id",
    "grid_code",
    "village_code",
    "township_code",
    "county_code",
    "网格编码",
    "网格编号",
    "网格代码",
    "村居代码",
    "村编码",
    "镇街代码",
    "乡镇代码",
    "区划代码",
    "行政区划代码",
    "编码",
    "编号",
    "代码",
    "osm_id",
    "osmid",
    "id",
    "fid",
    "objectid",
    "序号",
    "province_adcode",
    "city_adcode",
    "gid",
)
"""Further columns judged as codes, not as text that may hold identity numbers."""

_SOURCE: Final = Field(aliases=("来源", "数据来源"))
_NAME: Final = ("名称", "名字", "全称")

BOUNDARY_SPEC: Final = LayerSpec(
    schema=BOUNDARIES,
    fields={
        Col.CODE: Field(
            aliases=(
                "行政区划代码",
                "区划代码",
                "统计用区划代码",
                "编码",
                "代码",
                "村居代码",
                "adcode",
                "village_code",
                "district_adcode",
                "county_code",
                "区划码",
                "行政代码",
                "xzqdm",
                "id",
            ),
            required=True,
            is_code=True,
        ),
        Col.NAME: Field(
            aliases=(
                *_NAME,
                "行政区名称",
                "district_name",
                "short_name",
                "xzqmc",
                "区县",
                "镇街",
                "村居",
            ),
            required=True,
        ),
        Col.LEVEL: Field(aliases=("级别", "层级", "行政级别"), words=words.level),
        Col.ADMIN_PARENT: Field(
            aliases=("上级代码", "上级编码", "parent_code", "parent", "父级代码"), is_code=True
        ),
        Col.GRID_ROLE: Field(aliases=("网格类型", "网格角色"), words=words.grid_role),
        Col.INSTITUTION: Field(aliases=("机构类型", "独立网格类型"), words=words.institution_kind),
        Col.BOUNDARY_VERSION: Field(aliases=("版本", "version", "区划版本")),
        Col.VALID_FROM: Field(aliases=("生效日期", "启用日期")),
        Col.VALID_TO: Field(aliases=("失效日期", "停用日期")),
    },
)

STREET_SPEC: Final = LayerSpec(
    schema=STREETS,
    id_prefix="s",
    fields={
        Col.SEGMENT_ID: Field(
            aliases=("路段编号", "路段编码", "osm_id", "osmid", "道路编码", "编号", "编码", "id"),
            is_code=True,
        ),
        Col.NAME: Field(aliases=("道路名称", "路名", "街道名称", "road_name", "roadname", *_NAME)),
        Col.STREET_CLASS: Field(
            aliases=(
                "highway",
                "fclass",
                "道路等级",
                "道路类型",
                "道路类别",
                "等级",
                "类型",
                "类别",
                "class",
                "road_class",
                "roadclass",
                "type",
            ),
        ),
        Col.ONEWAY: Field(
            aliases=(
                "单行",
                "单行道",
                "单向",
                "是否单行",
                "通行方向",
                "行驶方向",
                "交通方向",
                "one_way",
                "direction",
                "travel_direction",
            )
        ),
        Col.BRIDGE: Field(aliases=("桥", "桥梁", "是否桥梁")),
        Col.LANES: Field(aliases=("车道数", "车道", "车道数量", "n_lanes", "lane", "lanenum")),
        Col.MAX_SPEED: Field(
            aliases=(
                "maxspeed",
                "限速",
                "最高限速",
                "限速值",
                "最高时速",
                "speed_limit",
                "speedlimit",
                "speed",
                "时速",
            )
        ),
    },
)
SPEED_HEADERS: Final = (
    Col.MAX_SPEED,
    *STREET_SPEC.fields[Col.MAX_SPEED].aliases,
    "speed_kph",
    "设计速度",
)
"""Headers of speeds that tell a class; the last two are no limits: osmnx makes the one up where a
street has none, and the other is what a road was built for."""

WATER_SPEC: Final = LayerSpec(
    schema=WATER,
    id_prefix="w",
    fields={
        Col.CODE: Field(aliases=("编码", "编号", "代码", "id", "osm_id"), is_code=True),
        Col.NAME: Field(aliases=("河流名称", "水系名称", *_NAME)),
    },
)

BUILDING_SPEC: Final = LayerSpec(
    schema=BUILDINGS,
    id_prefix="b",
    fields={
        Col.BUILDING_ID: Field(
            aliases=("楼栋编号", "建筑编号", "编号", "编码", "id"), is_code=True
        ),
        Col.HOUSEHOLDS: Field(aliases=("户数", "住户数", "家庭户数", "总户数"), default="1"),
    },
)

VENUE_SPEC: Final = LayerSpec(
    schema=VENUES,
    id_prefix="v",
    no_dwellings=True,
    kinds=(Col.KIND,),
    fields={
        Col.VENUE_ID: Field(
            aliases=("场所编号", "场所编码", "编号", "编码", "id", "统一社会信用代码"), is_code=True
        ),
        Col.NAME: Field(
            aliases=("场所名称", "店名", "单位名称", "企业名称", "商户名称", "场所", *_NAME),
            required=True,
        ),
        Col.KIND: Field(
            aliases=("场所类型", "场所类别", "类型", "类别", "行业", "业态", "type", "category"),
            required=True,
            words=words.venue_kind,
        ),
        Col.TIER: Field(
            aliases=(
                "风险等级",
                "等级",
                "级别",
                "分级",
                "红黄绿",
                "风险级别",
                "管控等级",
                "level",
                "risk",
            ),
            required=True,
            words=words.tier,
        ),
        Col.LAST_INSPECTION: Field(
            aliases=(
                "上次检查",
                "上次检查日期",
                "上次检查时间",
                "最近检查",
                "最近检查日期",
                "检查日期",
            ),
        ),
    },
)

VENUE_REGISTER_SPEC: Final = replace(
    VENUE_SPEC,
    schema=VENUE_REGISTER,
    fields={
        **VENUE_SPEC.fields,
        Col.ADDRESS: Field(
            aliases=(
                "地址",
                "详细地址",
                "经营地址",
                "场所地址",
                "单位地址",
                "注册地址",
                "街道门牌",
                "门牌地址",
                "门牌号",
                "门牌",
                "地点",
                "位置",
                "addr",
            ),
        ),
        Col.VILLAGE: Field(
            aliases=(
                "所在村居",
                "村居",
                "村(社区)",
                "村/社区",
                "村居名称",
                "所属村居",
                "所在村",
                "所在社区",
                "所属社区",
                "村居社区",
                "行政村",
                "社区",
                "村",
                "community",
            ),
        ),
        Col.TOWNSHIP: Field(
            aliases=(
                "所在镇街",
                "镇街",
                "所属镇街",
                "镇(街道)",
                "乡镇(街道)",
                "乡镇/街道",
                "乡镇街道",
                "所属乡镇",
                "所属街道",
                "乡镇",
                "街道",
                "town",
            ),
        ),
    },
)
"""Venues of a register that may lack positions; addresses lose what lies beyond the building."""

INCIDENT_SPEC: Final = LayerSpec(
    schema=INCIDENTS,
    id_prefix="i",
    keeps_free_text=False,
    kinds=(Col.CATEGORY,),
    fields={
        Col.INCIDENT_ID: Field(
            aliases=("警情编号", "接警单编号", "警单编号", "案件编号", "编号", "编码", "id"),
            is_code=True,
        ),
        Col.OCCURRED_AT: Field(
            aliases=(
                "案发时间",
                "发生时间",
                "报警时间",
                "接警时间",
                "时间",
                "time",
                "datetime",
                "timestamp",
                "reported_at",
            ),
            required=True,
        ),
        Col.CATEGORY: Field(
            aliases=(
                "警情类别",
                "警情类型",
                "案件类型",
                "案别",
                "类别",
                "类型",
                "kind",
                "type",
                "offense",
            ),
            default="other",
        ),
        Col.CHANNEL: Field(
            aliases=("报警方式", "来源方式", "警情来源", "接警方式"),
            default="resident_report",
            words=words.channel,
        ),
    },
)

STATION_SPEC: Final = LayerSpec(
    schema=STATIONS,
    id_prefix="p",
    kinds=(Col.KIND,),
    fields={
        Col.STATION_ID: Field(
            aliases=("派出所编号", "派出所代码", "单位代码", "机构代码", "编号", "编码", "id"),
            is_code=True,
        ),
        Col.NAME: Field(
            aliases=("派出所", "派出所名称", "单位名称", "机构名称", *_NAME), required=True
        ),
        Col.KIND: Field(
            aliases=("派出所类型", "类型", "类别", "type"),
            words=words.station_kind,
            is_derived=True,
        ),
    },
)

UNIT_SPEC: Final = LayerSpec(
    schema=UNITS,
    id_prefix="u",
    fields={
        Col.UNIT_ID: Field(aliases=("班组编号", "编号", "编码", "id"), is_code=True),
        Col.CALL_SIGN: Field(aliases=("呼号", "班组", "班组名称", *_NAME), is_derived=True),
        Col.STATION_ID: Field(
            aliases=("派出所编号", "派出所代码", "派出所", "所属派出所", "station"),
            required=True,
            is_code=True,
        ),
        Col.HEADCOUNT: Field(aliases=("人数", "警力", "编组人数"), default="4"),
        Col.MODE: Field(
            aliases=("方式", "出行方式", "巡逻方式", "交通方式"), default="car", words=words.mode
        ),
    },
)

POST_SPEC: Final = LayerSpec(
    schema=POSTS,
    id_prefix="g",
    no_dwellings=True,
    kinds=(Col.KIND,),
    fields={
        Col.POST_ID: Field(aliases=("岗位编号", "点位编号", "编号", "编码", "id"), is_code=True),
        Col.NAME: Field(aliases=("岗位名称", "点位名称", "地点", *_NAME), required=True),
        Col.KIND: Field(
            aliases=("岗位类型", "类型", "类别", "type"), default="fixed", words=words.post_kind
        ),
        Col.WINDOW_START: Field(aliases=("开始时间", "上岗时间", "开始", "start"), required=True),
        Col.WINDOW_END: Field(aliases=("结束时间", "下岗时间", "结束", "end"), is_derived=True),
        Col.DWELL: Field(aliases=("停留", "停留秒数", "驻留"), default="900"),
        Col.N_UNITS: Field(aliases=("组数", "班组数", "所需班组"), default="1"),
    },
)


def field_of(spec: LayerSpec, column: str) -> Field:
    """Return how files have a column of the layer."""
    return _SOURCE if column == Col.SOURCE else spec.fields[column]
