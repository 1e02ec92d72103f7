"""The reader of closures, works, events and weather that close streets or slow them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from geo.crs import Datum, datum_of
from geo.frames import CLOSURES, ClosureKind, Col
from geo.io import words
from geo.io.draft import Draft, begin, fill, finish
from geo.io.headers import find_header, missing
from geo.io.layers import read_empty
from geo.io.opening import open_table
from geo.io.position import has_columns
from geo.io.report import Reading
from geo.io.spec import Field, LayerSpec, field_of
from geo.io.table import Table
from geo.io.values import is_blank

_KINDS: Final = (
    (r"天气|雨|雪|冰|雾|积水|内涝|洪|weather|rain|snow|ice|fog|flood", ClosureKind.WEATHER),
    (r"施工|维修|养护|改造|占道|work|construction|repair|maintenance", ClosureKind.WORKS),
    (r"活动|集会|庙会|赛事|演出|展会|管控|安保|event|fair|race|concert", ClosureKind.EVENT),
    (r"封闭|封路|断交|断行|禁行|绕行|clos", ClosureKind.CLOSURE),
)

CLOSURE_SPEC: Final = LayerSpec(
    schema=CLOSURES,
    id_prefix="c",
    unplaced="",
    fields={
        Col.CLOSURE_ID: Field(aliases=("编号", "编码", "公告编号", "id"), is_code=True),
        Col.KIND: Field(
            aliases=("类型", "类别", "原因", "种类", "type", "category", "reason"),
            default=ClosureKind.CLOSURE.value,
            words=words.Words(
                name="closure_kind",
                values=tuple(kind.value for kind in ClosureKind),
                patterns=tuple((re.compile(pattern), kind.value) for pattern, kind in _KINDS),
            ),
        ),
        Col.NAME: Field(aliases=("名称", "路段名称", "道路名称", "路名", "区域", "名字")),
        Col.SEGMENT_ID: Field(
            aliases=("路段编号", "路段编码", "道路编码", "segment"), is_code=True
        ),
        Col.VALID_FROM: Field(
            aliases=(
                "开始时间",
                "开始",
                "开始日期",
                "生效时间",
                "起始时间",
                "start",
                "from",
                "begin",
            )
        ),
        Col.VALID_TO: Field(
            aliases=("结束时间", "结束", "结束日期", "截止时间", "恢复时间", "end", "to", "until")
        ),
        Col.MODES: Field(
            aliases=("出行方式", "限行对象", "适用方式", "车种", "车辆类型", "mode", "vehicles")
        ),
        Col.SPEED_SHARE: Field(
            aliases=("剩余速度", "速度比例", "通行能力", "车速折减", "share", "speed"),
            is_derived=True,
        ),
    },
)
"""What a file of closures may look like."""

_STATED: Final = frozenset({ClosureKind.WORKS.value, ClosureKind.WEATHER.value})
"""Kinds that slow as often as they close: what is left of the speed must be stated."""

_SEVERAL: Final = {
    "全部": "",
    "所有": "",
    "all": "",
    "机动车": "car,motorbike",
    "非机动车": "ebike",
    "行人": "foot",
}
"""Words for several modes, or that the words of a single mode would get wrong."""

_BETWEEN: Final = re.compile(r"[,，、;；/+和与\s]+")
_CLOCK: Final = re.compile(r":|：|时|\d{9,}")
_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")
_PERCENT: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*[%％]\s*$")

_AREAS: Final = (3, 6)
_WHERE: Final = "lon, lat/经度, 纬度 (or segment_id/路段编号)"


def read_closures(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read closures, works, events and weather.

    Parameters
    ----------
    path : Path or str
        A layer of areas, lines or points, or a table with lon and lat or a ``segment_id``.
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    Reading
        A CLOSURES frame, empty for a file of headings only: a night with nothing closed. A last
        day without a clock time counts whole. Where no share of the speed is stated a closure or
        an event closes the street; works and weather are refused.

    Raises
    ------
    ColumnMissing
        Nothing in it says where a closure is.
    InputError
        Any other of its classes.
    """
    empty = read_empty(path, CLOSURE_SPEC)
    if empty is not None:
        return empty
    table = _as_shares(open_table(Path(path), layer=CLOSURES.layer))
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    draft = begin(table, CLOSURE_SPEC, datum=stated, drop=tuple(drop))
    _require_places(draft)
    fill(draft)
    _refuse_shares(draft)
    _refuse_spans(draft)
    _fill_modes(draft)
    _refuse_places(draft)
    return finish(draft)


def _as_shares(table: Table) -> Table:
    """Turn shares in per cent into shares of 1."""
    headers = (Col.SPEED_SHARE, *field_of(CLOSURE_SPEC, Col.SPEED_SHARE).aliases)
    header = find_header(table, headers)
    if header is None:
        return table
    cells = table.cells[header]
    percent = cells.str.extract(_PERCENT)[0].astype("float64")
    shares = (percent / 100.0).astype("str")
    cells = cells.where(percent.isna(), shares).astype("str")
    return replace(table, cells=table.cells.assign(**{header: cells}))


def _refuse_shares(draft: Draft) -> None:
    """Refuse shares out of range, and those that a kind must state and does not."""
    share = draft.columns[Col.SPEED_SHARE]
    blank = is_blank(draft.cells(Col.SPEED_SHARE))
    outside = ~blank & ~share.between(0.0, 1.0).to_numpy()
    draft.refuse(outside, Col.SPEED_SHARE, "refusal.closure.share")
    unstated = blank & draft.columns[Col.KIND].isin(_STATED).to_numpy()
    draft.refuse(unstated, Col.SPEED_SHARE, "refusal.closure.unstated")
    draft.columns[Col.SPEED_SHARE] = share.fillna(0.0)


def _refuse_spans(draft: Draft) -> None:
    """Let a last day without a clock time count whole; refuse spans that end before they begin."""
    ends = draft.columns[Col.VALID_TO]
    is_day = _are_days(draft.cells(Col.VALID_TO))
    draft.columns[Col.VALID_TO] = ends.mask(is_day, ends + pd.Timedelta(days=1)).astype(ends.dtype)
    backwards = draft.columns[Col.VALID_TO] <= draft.columns[Col.VALID_FROM]
    draft.refuse(backwards.to_numpy(dtype=bool), Col.VALID_TO, "refusal.closure.span")


def _are_days(cells: pd.Series) -> np.ndarray:
    """Tell which cells name a day; where a column of dates was read as instants, all do.

    Midnight counts as a clock time beside cells with other clock times only.
    """
    has_clock = cells.str.contains(_CLOCK).to_numpy(dtype=bool)
    is_midnight = cells.str.contains(_MIDNIGHT).to_numpy(dtype=bool)
    days: np.ndarray = ~has_clock | (is_midnight & (is_midnight | ~has_clock).all())
    return days


def _fill_modes(draft: Draft) -> None:
    """Turn a list of users' words into modes; a word that is not understood refuses the row."""
    known = {cell: _modes(cell) for cell in draft.columns[Col.MODES].unique().tolist()}
    modes = draft.columns[Col.MODES].map(known)
    draft.refuse(modes.isna().to_numpy(), Col.MODES, "refusal.word")
    draft.columns[Col.MODES] = modes.fillna("").astype("str")


def _modes(cell: str) -> str | None:
    """Return the modes of a cell, commas between; "" for all, None where a word is unknown."""
    found: list[str] = []
    for word in filter(None, _BETWEEN.split(cell.strip().lower())):
        modes = _SEVERAL[word] if word in _SEVERAL else words.mode(word)
        if modes is None:
            return None
        if not modes:
            return ""
        found += modes.split(",")
    return ",".join(dict.fromkeys(found))


def _require_places(draft: Draft) -> None:
    """Refuse a table of which no column says where.

    Raises
    ------
    ColumnMissing
    """
    has_place = draft.table.wkb is not None or has_columns(draft.table)
    if not has_place and Col.SEGMENT_ID not in draft.matched:
        raise missing(draft.table, _WHERE)


def _refuse_places(draft: Draft) -> None:
    """Refuse rows that lie nowhere, and areas that cross themselves."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    has_segment = (draft.columns[Col.SEGMENT_ID] != "").to_numpy()
    is_drawn = ~shapely.is_missing(geometry)
    draft.refuse(~is_drawn & ~has_segment, Col.GEOMETRY, "refusal.closure.place")
    n_by_id = int((~is_drawn & has_segment & draft.kept).sum())
    if n_by_id:
        draft.note("note.closure.segment", n=n_by_id, total=len(draft.table))
    areas = np.isin(shapely.get_type_id(geometry), _AREAS)
    damaged = areas & ~shapely.is_valid(geometry)
    draft.refuse(damaged, Col.GEOMETRY, "refusal.geometry.damaged")
