"""What the files of the place layers may look like: accepted headers, words, defaults."""

from typing import Final

from geo.frames import (
    ASSETS,
    CAMERA_COUNTS,
    HAZARDS,
    NIGHT_ZONES,
    PARKING,
    RAIL,
    REACHES,
    RESOURCES,
    SERVICE_POINTS,
    Col,
    Column,
    Schema,
)
from geo.io import place_words, words
from geo.io.spec import Field, LayerSpec
from geo.io.words import Words

_ID: Final = ("编号", "编码", "代码", "id", "osm_id")
_NAME: Final = ("名称", "名字", "全称")
_KIND: Final = ("类型", "类别", "种类", "type", "category")
_START: Final = ("开始时间", "上岗时间", "开始", "营业开始", "start", "opens")
_END: Final = ("结束时间", "下岗时间", "结束", "营业结束", "end", "closes")

SPAN_HEADERS: Final = (
    "时段",
    "巡逻时段",
    "值勤时段",
    "执勤时段",
    "班次",
    "营业时间",
    "营业时段",
    "hours",
    "shift",
)
"""One column for both clock times: 20:00-02:00."""

CAMERA_PLACE_HEADERS: Final = (
    "点位", "点位名称", "点位编号", "安装位置", "安装地点", "安装地址", "位置", "地址", "详细地址",
    "坐标", "国标编码", "设备编码", "设备编号", "摄像机编码", "摄像机编号", "摄像头编号", "ip",
    "ip地址", "朝向", "杆号", "address", "location", "position", "device_id", "camera_id",
    "gb_code", "geometry", "wkt", "geom",
)  # fmt: skip
"""Headers under which a file says where, or which, a single camera is."""

RAIL_SPEC: Final = LayerSpec(
    schema=RAIL,
    id_prefix="rw",
    fields={
        Col.CODE: Field(aliases=_ID, is_code=True),
        Col.NAME: Field(aliases=("铁路名称", "线路名称", *_NAME)),
        Col.KIND: Field(
            aliases=("railway", "铁路类型", "线路类型", *_KIND),
            default="main",
            words=place_words.rail_kind,
        ),
        Col.BRIDGE: Field(aliases=("桥", "桥梁", "高架", "是否高架", "隧道", "viaduct")),
    },
)


def _points(schema: Schema, prefix: str, kind: Words, *names: str) -> LayerSpec:
    """Return the spec of a layer of named points with a kind."""
    fields = {
        Col.PLACE_ID: Field(aliases=_ID, is_code=True),
        Col.NAME: Field(aliases=(*names, *_NAME), required=True),
        Col.KIND: Field(aliases=_KIND, required=True, words=kind),
    }
    if Col.CAPACITY in schema.columns:
        headers = ("车位", "车位数", "泊位数", "容量", "spaces")
        fields[Col.CAPACITY] = Field(aliases=headers, default="0")
    return LayerSpec(
        schema=schema, id_prefix=prefix, no_dwellings=True, kinds=(Col.KIND,), fields=fields
    )


SERVICE_SPEC: Final = _points(SERVICE_POINTS, "sp", place_words.service_kind, "服务点", "站点名称")
PARKING_SPEC: Final = _points(PARKING, "pk", place_words.parking_kind, "停车场名称", "停车场")
HAZARD_SPEC: Final = _points(
    HAZARDS, "hz", place_words.hazard_kind, "场所名称", "单位名称", "企业名称"
)

CAMERA_SPEC: Final = LayerSpec(
    schema=CAMERA_COUNTS,
    fields={
        Col.CELL_ID: Field(
            aliases=("网格编码", "网格编号", "网格代码", "网格", "grid_code"),
            required=True,
            is_code=True,
        ),
        Col.N_CAMERAS: Field(
            aliases=("摄像头数", "摄像头数量", "监控数", "监控数量", "数量", "个数", "count"),
            required=True,
        ),
    },
)

CELL_AREAS: Final = Schema(
    layer="cells",
    key=Col.CELL_ID,
    geometry=("Polygon", "MultiPolygon"),
    columns={Col.CELL_ID: Column()},
)
"""Outlines of grids, of whatever else the file says of them."""

CELL_SPEC: Final = LayerSpec(
    schema=CELL_AREAS,
    fields={
        Col.CELL_ID: Field(
            aliases=("网格编码", "网格编号", "网格代码", "grid_code", "code", "编码", "代码"),
            required=True,
            is_code=True,
        )
    },
)

DRAWN_SPEC: Final = LayerSpec(
    schema=CELL_AREAS,
    id_prefix="area-",
    fields={Col.CELL_ID: Field(aliases=CELL_SPEC.fields[Col.CELL_ID].aliases, is_code=True)},
)

ASSET_SPEC: Final = LayerSpec(
    schema=ASSETS,
    id_prefix="a",
    fields={
        Col.ASSET_ID: Field(aliases=("河湖编号", "河道编号", *_ID), is_code=True),
        Col.NAME: Field(aliases=("河流名称", "河湖名称", "河道名称", *_NAME), is_derived=True),
        Col.KIND: Field(
            aliases=("waterway", *_KIND), default="river", words=place_words.asset_kind
        ),
    },
)

REACH_SPEC: Final = LayerSpec(
    schema=REACHES,
    id_prefix="r",
    fields={
        Col.REACH_ID: Field(aliases=("河段编号", "岸段编号", "编号", "编码", "id"), is_code=True),
        Col.ASSET_ID: Field(
            aliases=("河湖编号", "河道编号", "河流编号", "所属河流", "asset"),
            required=True,
            is_code=True,
        ),
        Col.LEVEL: Field(aliases=("级别", "层级", "河长级别"), required=True, words=words.level),
        Col.FROM_M: Field(aliases=("起点桩号", "起点", "起点米", "起", "from"), required=True),
        Col.TO_M: Field(aliases=("终点桩号", "终点", "终点米", "止", "to"), required=True),
        Col.POST: Field(
            aliases=("责任岗位", "岗位", "河长岗", "湖长岗", "责任单位", "河长", "湖长"),
            required=True,
        ),
    },
)

ZONE_SPEC: Final = LayerSpec(
    schema=NIGHT_ZONES,
    id_prefix="n",
    fields={
        Col.ZONE_ID: Field(aliases=("片区编号", *_ID), is_code=True),
        Col.NAME: Field(aliases=("片区名称", "街区名称", "夜间经济区", *_NAME), required=True),
        Col.KIND: Field(
            aliases=("来源方式", *_KIND), default="drawn", words=place_words.zone_origin
        ),
        Col.WINDOW_START: Field(aliases=_START, required=True),
        Col.WINDOW_END: Field(aliases=_END, required=True),
        Col.N_VENUES: Field(aliases=("场所数",), default="0"),
    },
)

RESOURCE_SPEC: Final = LayerSpec(
    schema=RESOURCES,
    id_prefix="t",
    fields={
        Col.RESOURCE_ID: Field(aliases=("队伍编号", *_ID), is_code=True),
        Col.CODE: Field(
            aliases=(
                "township_code",
                "镇街代码",
                "乡镇代码",
                "单位代码",
                "区划代码",
                "镇街",
                "所属镇街",
                "乡镇",
                "所属单位",
                "单位",
                "township",
            ),
            required=True,
            is_code=True,
        ),
        Col.CALL_SIGN: Field(aliases=("呼号", "队伍名称", "班组", *_NAME), is_derived=True),
        Col.KIND: Field(
            aliases=("力量类型", "队伍类型", "队伍性质", "force", *_KIND),
            required=True,
            words=place_words.force,
        ),
        Col.HEADCOUNT: Field(aliases=("人数", "队员数", "编组人数"), required=True),
        Col.MODE: Field(
            aliases=("方式", "巡逻方式", "出行方式", "交通方式"), default="foot", words=words.mode
        ),
        Col.WINDOW_START: Field(aliases=_START, required=True),
        Col.WINDOW_END: Field(aliases=_END, required=True),
    },
)
