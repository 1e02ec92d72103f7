"""Readers of the layers beside streets: rail, places, cameras as counts, rivers, zones, teams."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import Datum, datum_of
from geo.errors import PositionRefused
from geo.frames import ASSETS, STREETS, WATER, Col, Level
from geo.io.draft import Draft, begin, fill, finish
from geo.io.headers import find_header
from geo.io.opening import open_table
from geo.io.place_spec import (
    ASSET_SPEC,
    CAMERA_PLACE_HEADERS,
    CAMERA_SPEC,
    CELL_SPEC,
    DRAWN_SPEC,
    HAZARD_SPEC,
    PARKING_SPEC,
    RAIL_SPEC,
    REACH_SPEC,
    RESOURCE_SPEC,
    SERVICE_SPEC,
    SPAN_HEADERS,
    ZONE_SPEC,
)
from geo.io.position import round_lonlat
from geo.io.repair import repair_areas
from geo.io.report import Note, Reading
from geo.io.spec import LAT_HEADERS, LON_HEADERS, LayerSpec, field_of
from geo.io.table import Table
from geo.io.values import clock_times
from geo.place.post import is_post
from geo.privacy.headers import normal_header

CAMERAS: Final = re.compile(
    r"摄像|探头|监控(?!中心)|视频点位|卡口|天网|雪亮|电子警察|\bcctv\b|\bcameras?\b|surveillance",
    re.IGNORECASE,
)
"""Names of cameras: none may come in as a place of another layer."""

_CHAINAGE: Final = re.compile(r"^[kK]?(\d+)\+(\d{1,3}(?:\.\d+)?)$")
"""K12+345.6 is 12 345.6 m (JTG B01, stakes)."""

_SPAN: Final = re.compile(
    r"^\s*(\d{1,2}[:：]\d{2})\s*(?:-|—|–|~|～|至|到)+\s*(?:次日)?(\d{1,2}[:：]\d{2})\s*$"
)

_ALL_DAY: Final = frozenset({"全天", "24小时", "全天候", "昼夜", "all day", "24h", "24 hours"})

_AREAS: Final = (3, 6)
_LINES: Final = (1, 5)
_SHAPES: Final = {3: "areas", 1: "lines", 0: "points"}

_STREET_HEADERS: Final = (Col.STREET_CLASS, "highway", "道路等级", "道路类型", "道路类别")
_ASSET_HEADERS: Final = (Col.ASSET_ID, "河湖编号", "河道编号")

_DESTROYED: Final = re.compile(r"^\s*\d(?:\.\d+)?[eE]\+?\d+\s*$")
"""A code that a spreadsheet took for a number: 3.71502E+14."""

OVERLAP: Final = 0.01
"""Share of the smaller of two grids above which they overlap by mistake."""


def read_rail(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read railway lines.

    Parameters
    ----------
    path : Path or str
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    Reading
        A RAIL frame.

    Raises
    ------
    InputError
        Any of its classes; nothing of the file is kept then.
    """
    draft = _begin(_open(path, RAIL_SPEC), RAIL_SPEC, datum, drop)
    fill(draft)
    _refuse_shapes(draft, _LINES)
    return finish(draft)


def read_service_points(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read 综治中心, 驿站 and 执法服务站; see `read_rail` for the options."""
    return _read_places(path, SERVICE_SPEC, datum, drop)


def read_parking(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read parking with its spaces, 0 where they are not stated."""
    return _read_places(path, PARKING_SPEC, datum, drop)


def read_hazards(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read gas and dangerous-goods places; the layer is for command alone."""
    return _read_places(path, HAZARD_SPEC, datum, drop)


def read_camera_counts(path: Path | str, *, drop: Sequence[str] = ()) -> Reading:
    """Read how many public cameras each grid has.

    Returns
    -------
    Reading
        A CAMERA_COUNTS frame.

    Raises
    ------
    PositionRefused
        The file says where single cameras are, in coordinates, addresses or device codes.
    """
    table = _open(path, CAMERA_SPEC)
    kept, _ = table.without(tuple(drop))
    _refuse_positions(kept)
    draft = _begin(replace(table, wkb=None), CAMERA_SPEC, Datum.WGS84, drop)
    fill(draft)
    _refuse_destroyed(draft)
    _refuse_contradicting(draft)
    few = (draft.columns[Col.N_CAMERAS] < 0).to_numpy()
    draft.refuse(few, Col.N_CAMERAS, "refusal.value")
    return finish(draft)


def read_cell_areas(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read the outlines of grids: `cell_id` and areas, nothing else.

    Areas that cross themselves are repaired and noted, grids that overlap are noted.
    """
    draft = _begin(_open(path, CELL_SPEC), CELL_SPEC, datum, drop)
    fill(draft)
    _refuse_destroyed(draft)
    _refuse_shapes(draft, _AREAS)
    repair_areas(draft, named_by=Col.CELL_ID)
    reading = finish(draft)
    return replace(reading, notes=(*reading.notes, *_overlaps(reading.frame, draft.table.source)))


def read_drawn_areas(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read areas drawn by hand as `read_cell_areas` does; by row number where they have no code."""
    draft = _begin(_open(path, DRAWN_SPEC), DRAWN_SPEC, datum, drop)
    fill(draft)
    _refuse_shapes(draft, _AREAS)
    repair_areas(draft, named_by=Col.CELL_ID)
    return finish(draft)


def read_assets(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read rivers and shores as lines, one row each; a name that is missing is the id."""
    draft = _begin(_open(path, ASSET_SPEC), ASSET_SPEC, datum, drop)
    fill(draft)
    _derive(draft, Col.NAME, draft.columns[Col.ASSET_ID])
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    several = shapely.get_type_id(geometry) == 5
    geometry[several] = shapely.line_merge(geometry[several])
    _refuse_shapes(draft, (1,))
    return finish(draft)


def line_layer(path: Path | str) -> str:
    """Tell what a file of lines is by its columns: ``assets``, ``streets``, else ``water``.

    Lines with an id of rivers and shores are assets; a class of street in most rows makes streets.
    """
    table = _open(path, ASSET_SPEC)
    klass = find_header(table, _STREET_HEADERS)
    if klass is not None and 2 * int((table.cells[klass].str.strip() != "").sum()) > len(table):
        return STREETS.layer
    has_id = find_header(table, _ASSET_HEADERS) is not None
    return ASSETS.layer if has_id and _holds_lines(table) else WATER.layer


def _holds_lines(table: Table) -> bool:
    known = [wkb for wkb in table.wkb if wkb is not None] if table.wkb is not None else []
    return bool(np.isin(shapely.get_type_id(shapely.from_wkb(known)), _LINES).all())


def read_reaches(path: Path | str, *, drop: Sequence[str] = ()) -> Reading:
    """Read which post answers for which stretch; metres or stakes such as K12+345.

    A label that names no post, or might name somebody, is refused.
    """
    table = _open(path, REACH_SPEC)
    draft = _begin(_staked(table), REACH_SPEC, Datum.WGS84, drop)
    fill(draft)
    wrong = np.array([not is_post(label) for label in draft.columns[Col.POST]], dtype=bool)
    draft.refuse(wrong, Col.POST, "refusal.post")
    below = (draft.columns[Col.LEVEL] == Level.VILLAGE.value).to_numpy()
    draft.refuse(below, Col.LEVEL, "refusal.word")
    return finish(draft)


def read_night_zones(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read night-economy zones with their hours, in two columns or one such as 19:00-02:00."""
    table = _with_clocks(_open(path, ZONE_SPEC))
    draft = _begin(table, ZONE_SPEC, datum, drop)
    fill(draft)
    _refuse_clocks(draft)
    _refuse_shapes(draft, _AREAS)
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    damaged = ~shapely.is_valid(geometry) & ~shapely.is_missing(geometry)
    draft.refuse(damaged, Col.GEOMETRY, "refusal.geometry.damaged")
    return finish(draft)


def read_resources(
    path: Path | str, *, drop: Sequence[str] = (), boundaries: gpd.GeoDataFrame | None = None
) -> Reading:
    """Read the patrol teams of townships, counties and the city.

    Parameters
    ----------
    path : Path or str
    drop : sequence of str
    boundaries : BOUNDARIES frame, optional
        Where given, names of units are turned into codes; a name that two units share is refused.
    """
    draft = _begin(_with_clocks(_open(path, RESOURCE_SPEC)), RESOURCE_SPEC, Datum.WGS84, drop)
    fill(draft)
    _derive(draft, Col.CALL_SIGN, draft.columns[Col.RESOURCE_ID])
    draft.refuse((draft.columns[Col.HEADCOUNT] < 2).to_numpy(), Col.HEADCOUNT, "refusal.headcount")
    _refuse_clocks(draft)
    if boundaries is not None:
        _resolve_units(draft, boundaries)
    return finish(draft)


def _open(path: Path | str, spec: LayerSpec) -> Table:
    return open_table(Path(path), layer=spec.schema.layer)


def _begin(table: Table, spec: LayerSpec, datum: Datum | str, drop: Sequence[str]) -> Draft:
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    return begin(table, spec, datum=stated, drop=tuple(drop))


def _read_places(
    path: Path | str, spec: LayerSpec, datum: Datum | str, drop: Sequence[str]
) -> Reading:
    """Read a layer of points; outlines become a point inside them, cameras are refused."""
    draft = _begin(_open(path, spec), spec, datum, drop)
    fill(draft)
    camera = draft.columns[Col.NAME].str.contains(CAMERAS).to_numpy(dtype=bool)
    draft.refuse(camera, Col.NAME, "refusal.camera")
    if Col.CAPACITY in draft.columns:
        few = (draft.columns[Col.CAPACITY] < 0).to_numpy()
        draft.refuse(few, Col.CAPACITY, "refusal.value")
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    areas = np.isin(shapely.get_type_id(geometry), _AREAS)
    if areas.any():
        geometry[areas] = round_lonlat(shapely.point_on_surface(geometry[areas]))
        draft.note("note.point", n=int(areas.sum()))
    _refuse_shapes(draft, (0,))
    return finish(draft)


def _refuse_shapes(draft: Draft, fine: tuple[int, ...]) -> None:
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    code = f"refusal.shape.{_SHAPES[fine[0]]}"
    draft.refuse(~np.isin(kinds, fine) & (kinds >= 0), Col.GEOMETRY, code)


def _refuse_destroyed(draft: Draft) -> None:
    """Refuse codes of grids whose digits a spreadsheet has thrown away."""
    lost = draft.cells(Col.CELL_ID).str.match(_DESTROYED).to_numpy(dtype=bool)
    draft.refuse(lost, Col.CELL_ID, "refusal.destroyed")


def _refuse_contradicting(draft: Draft) -> None:
    """Refuse every row of a grid that has several counts: nobody can tell which one holds."""
    counts = draft.columns[Col.N_CAMERAS][draft.kept]
    differ = counts.groupby(draft.columns[Col.CELL_ID][draft.kept]).nunique() > 1
    rows = draft.columns[Col.CELL_ID].isin(differ.index[differ]).to_numpy()
    draft.refuse(rows, Col.CELL_ID, "refusal.contradicts")


def _overlaps(frame: gpd.GeoDataFrame, source: str) -> tuple[Note, ...]:
    """Note grids that share over a hundredth of the smaller one: a point there has the first."""
    geometry = frame.geometry.to_numpy()
    edges = shapely.coverage_invalid_edges(geometry)
    odd = np.flatnonzero(~shapely.is_missing(edges) & ~shapely.is_empty(edges))
    one, other = shapely.STRtree(geometry).query(geometry[odd], predicate="intersects")
    one, other = np.sort(np.stack([odd[one], other]), axis=0)
    one, other = np.unique(np.stack([one, other])[:, one != other], axis=1)
    area = shapely.area(geometry)
    common = shapely.area(shapely.intersection(geometry[one], geometry[other]))
    over = common > OVERLAP * np.minimum(area[one], area[other])
    if not over.any():
        return ()
    codes = frame[Col.CELL_ID].to_numpy()
    pairs = list(zip(codes[one[over]], codes[other[over]], strict=True))
    names = tuple(f"{one_code}–{other_code}" for one_code, other_code in pairs[:3])
    n = len(np.unique([one[over], other[over]]))
    params = {"n": n, "total": len(frame), "pairs": len(pairs), "names": names}
    return (Note(source=source, code="note.cells.overlap", params=params),)


def _refuse_positions(table: Table) -> None:
    """Refuse a file that says where single cameras are; outlines of grids may stand beside."""
    named = {normal_header(name) for name in (*CAMERA_PLACE_HEADERS, *LON_HEADERS, *LAT_HEADERS)}
    found = [str(header) for header in table.cells.columns if normal_header(str(header)) in named]
    if table.wkb is not None and not all(map(_is_area, table.wkb)):
        found.append(Col.GEOMETRY)
    if found:
        raise PositionRefused(source=table.source, columns=tuple(found))


def _is_area(wkb: bytes | None) -> bool:
    """Tell whether WKB is of a (Multi)Polygon, with or without height; None is no position."""
    if wkb is None:
        return True
    order = "little" if wkb[:1] == b"\x01" else "big"
    code = int.from_bytes(wkb[1:5], order)  # type: ignore[arg-type]  # one of two literals
    return (code & 0x0FFFFFFF) % 1000 in _AREAS


def _derive(draft: Draft, column: str, values: pd.Series) -> None:
    """Fill the blank cells of a column with what follows from other columns."""
    cells = draft.columns[column]
    draft.columns[column] = cells.where(cells != "", values).astype("str")


def _refuse_clocks(draft: Draft) -> None:
    """Read both clock columns; 24:00 is 00:00."""
    for column in (Col.WINDOW_START, Col.WINDOW_END):
        cells = draft.cells(column).str.strip().str.replace(r"^24([:：]00)", r"00\1", regex=True)
        draft.columns[column], wrong = clock_times(cells)
        draft.refuse(wrong | (cells == "").to_numpy(), column, "refusal.clock")


def _with_clocks(table: Table) -> Table:
    """Cut a column such as 20:00-02:00 into two, where there are none of their own."""
    starts = field_of(RESOURCE_SPEC, Col.WINDOW_START).aliases
    span = find_header(table, SPAN_HEADERS)
    if span is None or find_header(table, (Col.WINDOW_START, *starts)) is not None:
        return table
    stated = table.cells[span].str.strip()
    stated = stated.mask(stated.str.lower().isin(_ALL_DAY), "00:00-00:00")
    parts = stated.str.extract(_SPAN)
    clocks = {
        column: parts[k].where(parts[k].notna(), stated).astype("str")  # no span: refused as it is
        for k, column in enumerate((Col.WINDOW_START, Col.WINDOW_END))
    }
    return replace(table, cells=table.cells.drop(columns=span).assign(**clocks))


def _staked(table: Table) -> Table:
    """Turn stakes such as K12+345 into metres."""
    cells = table.cells.copy()
    for column in (Col.FROM_M, Col.TO_M):
        header = find_header(table, (column, *field_of(REACH_SPEC, column).aliases))
        if header is not None:
            stakes = cells[header].str.strip().str.extract(_CHAINAGE).astype("float64")
            metres = (1000.0 * stakes[0] + stakes[1]).round(3)
            cells[header] = cells[header].where(metres.isna(), metres.astype("str")).astype("str")
    return replace(table, cells=cells)


def _resolve_units(draft: Draft, boundaries: gpd.GeoDataFrame) -> None:
    """Turn names of units into codes; villages have no teams of their own."""
    units = boundaries[boundaries[Col.LEVEL] != Level.VILLAGE.value]
    once = units[~units[Col.NAME].duplicated(keep=False)]
    codes = dict(zip(once[Col.NAME], once[Col.CODE], strict=True))
    stated = draft.columns[Col.CODE]
    known = stated.str.fullmatch(r"\d{4,12}")
    draft.columns[Col.CODE] = stated.where(known, stated.map(codes)).fillna("").astype("str")
    draft.refuse((draft.columns[Col.CODE] == "").to_numpy(), Col.CODE, "refusal.unit")
