"""Every column of every frame, declared once.

A layer is a GeoDataFrame in EPSG:4326 (a plain DataFrame where it has no geometry) whose columns
a `Schema` declares. `require` checks a frame once, at the edge; after it the frame is trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import ColumnMissing, FileEmpty, ValueInvalid


class Col:
    """Column names; one word per thing, the same in files, JSON and code."""

    SOURCE: Final = "source"
    NAME: Final = "name"
    KIND: Final = "kind"
    CODE: Final = "code"
    GEOMETRY: Final = "geometry"

    LEVEL: Final = "level"
    ADMIN_PARENT: Final = "admin_parent"
    GRID_ROLE: Final = "grid_role"
    BOUNDARY_VERSION: Final = "boundary_version"
    VALID_FROM: Final = "valid_from"
    VALID_TO: Final = "valid_to"

    SEGMENT_ID: Final = "segment_id"
    STREET_CLASS: Final = "street_class"
    ONEWAY: Final = "oneway"
    BRIDGE: Final = "bridge"
    ALIAS_ID: Final = "alias_id"
    SEGMENT: Final = "segment"

    BUILDING_ID: Final = "building_id"
    HOUSEHOLDS: Final = "households"

    VENUE_ID: Final = "venue_id"
    TIER: Final = "tier"
    LAST_INSPECTION: Final = "last_inspection"
    DUE: Final = "due"
    DUE_STATE: Final = "due_state"
    ADDRESS: Final = "address"
    VILLAGE: Final = "village"
    TOWNSHIP: Final = "township"
    PRECISION: Final = "precision"

    INCIDENT_ID: Final = "incident_id"
    OCCURRED_AT: Final = "occurred_at"
    CATEGORY: Final = "category"
    CHANNEL: Final = "channel"

    STATION_ID: Final = "station_id"
    UNIT_ID: Final = "unit_id"
    CALL_SIGN: Final = "call_sign"
    HEADCOUNT: Final = "headcount"
    MODE: Final = "mode"
    POST_ID: Final = "post_id"
    WINDOW_START: Final = "window_start"
    WINDOW_END: Final = "window_end"
    DWELL: Final = "dwell"
    N_UNITS: Final = "n_units"

    CELL_ID: Final = "cell_id"
    VILLAGE_CODE: Final = "village_code"
    TOWNSHIP_CODE: Final = "township_code"
    COUNTY_CODE: Final = "county_code"
    AREA: Final = "area"
    N_VENUES: Final = "n_venues"
    N_INCIDENTS: Final = "n_incidents"
    N_DUE: Final = "n_due"

    PLACE_ID: Final = "place_id"
    REASON: Final = "reason"
    TASK_ID: Final = "task_id"
    LEG_ID: Final = "leg_id"
    VISIT_ID: Final = "visit_id"
    ORDER: Final = "order"
    DEPART: Final = "depart"
    ARRIVE: Final = "arrive"
    STREETS: Final = "streets"
    LENGTH: Final = "length"
    N_REPORTS: Final = "n_reports"
    N_TOTAL: Final = "n_total"
    SHARE: Final = "share"
    AREA_SHARE: Final = "area_share"


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


class Type(StrEnum):
    """Kinds of column; each fixes a dtype."""

    TEXT = "str"
    INT = "int64"
    FLOAT = "float64"
    BOOL = "bool"
    DAY = "datetime64[s]"
    INSTANT = "datetime64[s, Asia/Shanghai]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its type, whether a blank is allowed, and the values it may take.

    Attributes
    ----------
    dtype : Type
    nullable : bool
        A blank is allowed: "" in text, NaT in days.
    values : type[StrEnum], optional
        Closed vocabulary.
    """

    dtype: Type = Type.TEXT
    nullable: bool = False
    values: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A layer's columns and the geometry types it may hold (none for a plain table).

    Attributes
    ----------
    layer : str
        Layer name as users see it in files and messages.
    key : str
        Column that identifies a row; unique.
    columns : mapping of str to Column
    geometry : tuple of str
        Allowed shapely geometry types; empty for a plain table.
    is_placed : bool
        Every row has a geometry; False lets it be missing, never empty.
    """

    layer: str
    key: str
    columns: Mapping[str, Column]
    geometry: tuple[str, ...] = ()
    is_placed: bool = True


TEXT = Column()
BLANKABLE = Column(nullable=True)

BOUNDARIES = Schema(
    layer="boundaries",
    key=Col.CODE,
    geometry=("Polygon", "MultiPolygon"),
    columns={
        Col.CODE: TEXT,
        Col.NAME: TEXT,
        Col.LEVEL: Column(values=Level),
        Col.ADMIN_PARENT: BLANKABLE,
        Col.GRID_ROLE: Column(values=GridRole),
        Col.BOUNDARY_VERSION: TEXT,
        Col.VALID_FROM: Column(dtype=Type.DAY, nullable=True),
        Col.VALID_TO: Column(dtype=Type.DAY, nullable=True),
        Col.SOURCE: TEXT,
    },
)
"""County 6, township 9 and village 12 digit codes (GB/T 2260, NBS)."""

STREETS = Schema(
    layer="streets",
    key=Col.SEGMENT_ID,
    geometry=("LineString",),
    columns={
        Col.SEGMENT_ID: TEXT,
        Col.NAME: BLANKABLE,
        Col.STREET_CLASS: Column(values=StreetClass),
        Col.ONEWAY: Column(dtype=Type.BOOL),
        Col.BRIDGE: Column(dtype=Type.BOOL),
        Col.SOURCE: TEXT,
    },
)
"""Segments between junctions; two meet where end points are equal to 7 decimals of a degree.

One-way traffic runs in the direction of the line; people on foot ignore it.
"""

WATER = Schema(
    layer="water",
    key=Col.CODE,
    geometry=("Polygon", "MultiPolygon", "LineString", "MultiLineString"),
    columns={Col.CODE: TEXT, Col.NAME: BLANKABLE, Col.SOURCE: TEXT},
)

BUILDINGS = Schema(
    layer="buildings",
    key=Col.BUILDING_ID,
    geometry=("Point",),
    columns={
        Col.BUILDING_ID: TEXT,
        Col.HOUSEHOLDS: Column(dtype=Type.INT),
        Col.SOURCE: TEXT,
    },
)

VENUES = Schema(
    layer="venues",
    key=Col.VENUE_ID,
    geometry=("Point",),
    columns={
        Col.VENUE_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=VenueKind),
        Col.TIER: Column(values=Tier),
        Col.LAST_INSPECTION: Column(dtype=Type.DAY, nullable=True),
        Col.SOURCE: TEXT,
    },
)

VENUE_REGISTER = Schema(
    layer="venues",
    key=Col.VENUE_ID,
    geometry=("Point",),
    is_placed=False,
    columns={
        **VENUES.columns,
        Col.ADDRESS: BLANKABLE,
        Col.VILLAGE: BLANKABLE,
        Col.TOWNSHIP: BLANKABLE,
    },
)
"""Venues as a register has them: some without a position, with an address or a village instead.

`address` holds street, number and building, never a unit, room or household.
"""

INCIDENTS = Schema(
    layer="incidents",
    key=Col.INCIDENT_ID,
    geometry=("Point",),
    columns={
        Col.INCIDENT_ID: TEXT,
        Col.OCCURRED_AT: Column(dtype=Type.INSTANT),
        Col.CATEGORY: TEXT,
        Col.CHANNEL: Column(values=Channel),
        Col.SOURCE: TEXT,
    },
)

STATIONS = Schema(
    layer="stations",
    key=Col.STATION_ID,
    geometry=("Point",),
    columns={
        Col.STATION_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=StationKind),
        Col.SOURCE: TEXT,
    },
)

UNITS = Schema(
    layer="units",
    key=Col.UNIT_ID,
    columns={
        Col.UNIT_ID: TEXT,
        Col.CALL_SIGN: TEXT,
        Col.STATION_ID: TEXT,
        Col.HEADCOUNT: Column(dtype=Type.INT),
        Col.MODE: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Planned teams: a call-sign and a headcount of at least 2, never a person."""

POSTS = Schema(
    layer="posts",
    key=Col.POST_ID,
    geometry=("Point",),
    columns={
        Col.POST_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: Column(values=PostKind),
        Col.WINDOW_START: TEXT,
        Col.WINDOW_END: TEXT,
        Col.DWELL: Column(dtype=Type.INT),
        Col.N_UNITS: Column(dtype=Type.INT),
        Col.SOURCE: TEXT,
    },
)
"""Windows are clock times HH:MM in the city's zone; `dwell` in seconds.

A fixed post is held from window_start for `dwell` seconds; a pair starts within the window and
both teams stay `dwell` seconds.
"""

CELLS = Schema(
    layer="cells",
    key=Col.CELL_ID,
    geometry=("Polygon",),
    columns={
        Col.CELL_ID: TEXT,
        Col.VILLAGE_CODE: BLANKABLE,
        Col.TOWNSHIP_CODE: BLANKABLE,
        Col.COUNTY_CODE: BLANKABLE,
        Col.GRID_ROLE: Column(values=GridRole),
        Col.HOUSEHOLDS: Column(dtype=Type.INT),
        Col.AREA: Column(dtype=Type.FLOAT),
        Col.BOUNDARY_VERSION: TEXT,
        Col.SOURCE: TEXT,
    },
)
"""Basic grids; `area` in m2, cell id = code of the smallest boundary + 3 digits."""

PLACES = Schema(
    layer="places",
    key=Col.PLACE_ID,
    geometry=("Point",),
    columns={
        Col.PLACE_ID: TEXT,
        Col.NAME: TEXT,
        Col.KIND: TEXT,
        Col.SEGMENT_ID: TEXT,
        Col.CELL_ID: BLANKABLE,
        Col.TOWNSHIP_CODE: BLANKABLE,
        Col.N_REPORTS: Column(dtype=Type.INT),
    },
)
"""Places worth a stop tonight; their demand by hour of the shift travels beside, as an array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """All layers of a city, WGS-84 longitude and latitude, one frame each.

    Attributes
    ----------
    boundaries, streets, water, buildings, venues, incidents, stations, posts : GeoDataFrame
    units : DataFrame
    epsg : int
        The city's one metric CRS.
    data_date : date
        Day the data was true.
    boundary_version : str
        Version of the boundary frame, for example ``2023-06``.
    synthetic : bool
        Whether any layer is made up; said on everything that shows it.
    attribution : tuple of str
        Lines every map and card prints: map number, OSM notice.
    """

    boundaries: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    venues: gpd.GeoDataFrame
    incidents: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    units: pd.DataFrame
    posts: gpd.GeoDataFrame
    epsg: int
    data_date: date
    boundary_version: str
    synthetic: bool
    attribution: tuple[str, ...] = ()


def empty_frame(schema: Schema) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return a frame of `schema` with no row."""
    columns = {name: pd.Series(dtype=col.dtype.value) for name, col in schema.columns.items()}
    if not schema.geometry:
        return pd.DataFrame(columns)
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=4326))


def require(frame: pd.DataFrame, schema: Schema, *, source: str, allow_empty: bool = False) -> None:
    """Check a frame against its schema, once, at the edge.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
    schema : Schema
    source : str
        What the user calls the frame: a file name, or the layer.
    allow_empty : bool
        Whether a frame without a row is fine.

    Raises
    ------
    FileEmpty
        No row.
    ColumnMissing
        A declared column is absent.
    ValueInvalid
        Wrong dtype, blank, repeated key, unknown value, wrong geometry type or CRS; names the
        first bad row, counted from 1.
    """
    if len(frame) == 0 and not allow_empty:
        raise FileEmpty(source=source)
    for name, column in schema.columns.items():
        if name not in frame.columns:
            found = ", ".join(map(str, frame.columns))
            raise ColumnMissing(source=source, column=name, found=found)
        _require_column(frame[name], column, source=source)
    repeated = frame[schema.key].duplicated()
    if repeated.any():
        _refuse(frame[schema.key], repeated.to_numpy(), source, "a value used once")
    if schema.geometry:
        _require_geometry(frame, schema, source=source)


def _require_column(series: pd.Series, column: Column, *, source: str) -> None:
    if str(series.dtype) != column.dtype.value:
        raise ValueInvalid(
            source=source,
            row="–",
            column=series.name,
            value=f"type {series.dtype}",
            expected=f"type {column.dtype.value}",
        )
    blank = series.isna().to_numpy()
    if column.dtype is Type.TEXT and not column.nullable:
        blank = blank | (series == "").to_numpy()
    if not (column.nullable and column.dtype is not Type.TEXT) and blank.any():
        _refuse(series, blank, source, "a value, not a blank")
    if column.values is not None:
        allowed = [member.value for member in column.values]
        unknown = ~series.isin(allowed).to_numpy()
        if unknown.any():
            _refuse(series, unknown, source, "one of " + ", ".join(allowed))


def _require_geometry(frame: pd.DataFrame, schema: Schema, *, source: str) -> None:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or frame.crs.to_epsg() != 4326:
        raise ValueInvalid(
            source=source, row="–", column=Col.GEOMETRY, value="CRS", expected="EPSG:4326"
        )
    wanted = [shapely.GeometryType[name.upper()].value for name in schema.geometry]
    if not schema.is_placed:
        wanted.append(-1)  # of a missing geometry
    bad = ~np.isin(shapely.get_type_id(frame.geometry.to_numpy()), wanted)
    bad |= shapely.is_empty(frame.geometry.to_numpy())
    if bad.any():
        _refuse(frame[Col.GEOMETRY], bad, source, " or ".join(schema.geometry))


def _refuse(series: pd.Series, bad: np.ndarray, source: str, expected: str) -> None:
    row = int(np.flatnonzero(bad)[0])
    value = series.iloc[row]
    shown = value.geom_type if hasattr(value, "geom_type") else repr(value)
    raise ValueInvalid(
        source=source, row=row + 1, column=series.name, value=shown, expected=expected
    )
