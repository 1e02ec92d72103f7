"""Readers of the venue register by rules: ledger with facts, visits, exemptions, and maps' points.

Kinds, facts and reasons are those of a rules file (`geo.io.rules`); whatever it does not know is
refused row by row, and the persons' screen stands before all of it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from geo.crs import Datum
from geo.frames import (
    EXEMPTIONS,
    POIS,
    TEXT,
    VENUE_LEDGER,
    VENUE_VISITS,
    Col,
    Column,
    Schema,
    Type,
    VisitOutcome,
)
from geo.io.draft import Draft, fill, finish
from geo.io.layers import begin_layer, finish_points, refuse_years
from geo.io.report import Reading
from geo.io.spec import VENUE_SPEC, Field, LayerSpec
from geo.io.values import is_blank
from geo.io.words import Words, venue_kind
from geo.privacy import is_dwelling
from geo.venue.rules import Fact, FactType, KindRule, VenueRules
from geo.venue.state import require_exemptions

YES, NO = "1", "0"

_VENUE_ID: Final = VENUE_SPEC.fields[Col.VENUE_ID]

_YES_NO: Final = Words(
    name="flag",
    values=(YES, NO),
    patterns=(
        (re.compile(r"^(?:是|有|已|yes|y|true|t|1\.0|合用|在用)"), YES),
        (re.compile(r"^(?:否|无|没|未|不|no|n|false|f|0\.0)"), NO),
    ),
)

_OUTCOMES: Final = Words(
    name="outcome",
    values=tuple(VisitOutcome),
    patterns=(
        (re.compile(r"未找到|找不到|查无|无此|not.?found"), VisitOutcome.NOT_FOUND),
        (re.compile(r"关停|停业|歇业|注销|关闭|closed"), VisitOutcome.CLOSED),
        (
            re.compile(r"无隐患|未发现隐患|合格|正常|已检查|完成|done|passed|^ok$"),
            VisitOutcome.DONE,
        ),
        (re.compile(r"隐患|整改|不合格|hazard|failed"), VisitOutcome.HAZARD),
    ),
)

VISIT_SPEC: Final = LayerSpec(
    schema=VENUE_VISITS,
    id_prefix="n",
    keeps_free_text=False,
    fields={
        Col.VISIT_ID: Field(aliases=("检查编号", "记录编号", "编号", "id"), is_code=True),
        Col.VENUE_ID: replace(_VENUE_ID, required=True),
        Col.DAY: Field(aliases=("检查日期", "日期", "检查时间", "date"), required=True),
        Col.OUTCOME: Field(
            aliases=("检查结果", "结果", "结论", "result"), required=True, words=_OUTCOMES
        ),
    },
)

EXEMPTION_SPEC: Final = LayerSpec(
    schema=EXEMPTIONS,
    fields={
        Col.VENUE_ID: replace(_VENUE_ID, required=True),
        Col.REASON: Field(aliases=("免检原因", "原因", "理由"), required=True),
        Col.REVIEW_ON: Field(aliases=("复核日期", "到期日期", "review"), required=True),
    },
)

POI_SPEC: Final = LayerSpec(
    schema=POIS,
    id_prefix="q",
    kinds=(Col.KIND,),
    fields={
        Col.POI_ID: Field(aliases=("poi编号", "编号", "id", "uid", "osm_id", "gid"), is_code=True),
        Col.NAME: Field(aliases=("名称", "名字", "店名", "title", "name_zh"), required=True),
        Col.KIND: Field(
            aliases=("类型", "类别", "分类", "大类", "type", "category", "amenity", "shop", "tag"),
            required=True,
        ),
    },
)

AREA_SPEC: Final = LayerSpec(
    schema=Schema(
        layer="cells",
        key=Col.CELL_ID,
        geometry=("Polygon", "MultiPolygon"),
        columns={Col.CELL_ID: TEXT, Col.SOURCE: TEXT},
    ),
    fields={
        Col.CELL_ID: Field(
            aliases=(
                *("网格编码", "网格编号", "网格代码", "grid_code"),
                *("code", "村居代码", "区划代码", "编码"),
            ),
            required=True,
            is_code=True,
        ),
    },
)
"""Grids, or villages where there are none: codes and areas."""


def kind_words(rules: VenueRules) -> Words:
    """Return the words for kinds of venue: those of the rules, then the common ones of the nine."""
    known = {one.kind: one for one in rules.kinds}
    own = [(_pattern(one), one.kind) for one in rules.kinds if one.words]
    usual = [(pattern, kind) for pattern, kind in venue_kind.patterns if kind in known]
    titles = [(re.compile(f"^{re.escape(one.zh.lower())}$"), one.kind) for one in rules.kinds]
    return Words(name=venue_kind.name, values=tuple(known), patterns=(*titles, *own, *usual))


def read_venue_ledger(
    path: Path | str,
    rules: VenueRules,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    needs_tier: bool = False,
) -> Reading:
    """Read venues of every kind that the rules know, with the facts that the file has of them.

    Parameters
    ----------
    path : Path or str
    rules : VenueRules
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.
    needs_tier : bool
        Whether a row without a tier is refused; grading needs none.

    Returns
    -------
    Reading
        A VENUE_LEDGER frame and one column per fact that the file has.

    Notes
    -----
    A kind that is a venue only as a registered business (网约房) is refused without its flag: it
    is a dwelling then.
    """
    draft = begin_layer(path, _ledger_spec(rules, needs_tier=needs_tier), datum, drop)
    fill(draft)
    refuse_years(draft, Col.LAST_INSPECTION)
    _fill_facts(draft, rules)
    _refuse_unregistered(draft, rules)
    reading = finish_points(draft)
    absent = [one.fact for one in rules.facts if one.fact not in draft.matched]
    return replace(reading, frame=reading.frame.drop(columns=absent))


def read_pois(
    path: Path | str,
    rules: VenueRules,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
) -> Reading:
    """Read a map's points of interest; kinds that are none of venues stay blank.

    Kinds of persons refuse the file, as always; dwellings are refused row by row, since every map
    has them.

    Returns
    -------
    Reading
        A POIS frame.
    """
    draft = begin_layer(path, POI_SPEC, datum, drop)
    fill(draft)
    said = draft.cells(Col.KIND).tolist()
    dwelling = {word: is_dwelling(word) for word in set(said)}
    draft.refuse(np.array([dwelling[w] for w in said], bool), Col.KIND, "refusal.dwelling")
    words = kind_words(rules)
    kinds = {word: words(word) or "" for word in set(said)}
    draft.columns[Col.KIND] = pd.Series([kinds[word] for word in said], dtype="str")
    return finish_points(draft)


def read_areas(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read the areas that venues and gaps are counted by: basic grids, or villages."""
    draft = begin_layer(path, AREA_SPEC, datum, drop)
    fill(draft)
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    draft.refuse(~np.isin(kinds, (3, 6)) & (kinds >= 0), Col.GEOMETRY, "refusal.geometry.kind")
    return finish(draft)


def read_venue_visits(path: Path | str, *, drop: Sequence[str] = ()) -> Reading:
    """Read visits to venues: day and outcome, nothing of who went or whom they met."""
    draft = begin_layer(path, VISIT_SPEC, Datum.WGS84, drop)
    fill(draft)
    refuse_years(draft, Col.DAY)
    return finish(draft)


def read_exemptions(
    path: Path | str, rules: VenueRules, *, as_of: date, drop: Sequence[str] = ()
) -> Reading:
    """Read exemptions, each with a reason of the rules and a day of review.

    Raises
    ------
    ValueInvalid
        A reason that the rules do not know, or a review too far off.
    """
    draft = begin_layer(path, EXEMPTION_SPEC, Datum.WGS84, drop)
    fill(draft)
    refuse_years(draft, Col.REVIEW_ON)
    titles = {title: one.reason for one in rules.exemptions for title in (one.zh, one.en)}
    said = draft.columns[Col.REASON]
    draft.columns[Col.REASON] = said.map(lambda word: titles.get(word, word)).astype("str")
    reading = finish(draft)
    require_exemptions(reading.frame, rules, as_of=as_of, source=draft.table.source)
    return reading


def _ledger_spec(rules: VenueRules, *, needs_tier: bool) -> LayerSpec:
    """Return what a register by these rules looks like."""
    tier = replace(VENUE_SPEC.fields[Col.TIER], required=needs_tier)
    kind = replace(VENUE_SPEC.fields[Col.KIND], words=kind_words(rules))
    facts = {one.fact: _field(one) for one in rules.facts}
    columns = {one.fact: _column(one) for one in rules.facts}
    tier_column = replace(VENUE_LEDGER.columns[Col.TIER], nullable=not needs_tier)
    schema = replace(
        VENUE_LEDGER, columns={**VENUE_LEDGER.columns, Col.TIER: tier_column, **columns}
    )
    fields = {**VENUE_SPEC.fields, Col.TIER: tier, Col.KIND: kind, **facts}
    return replace(VENUE_SPEC, schema=schema, fields=fields)


def _field(fact: Fact) -> Field:
    aliases = (fact.zh, *fact.headers)
    return Field(aliases=aliases, words=_YES_NO if fact.type is FactType.FLAG else None)


def _column(fact: Fact) -> Column:
    dtype = {FactType.NUMBER: Type.FLOAT, FactType.FLAG: Type.FLOAT, FactType.DAY: Type.DAY}
    return Column(dtype=dtype[fact.type], nullable=True)


def _fill_facts(draft: Draft, rules: VenueRules) -> None:
    """Refuse numbers below 0 and days out of range, and turn flags into 1 and 0."""
    for fact in rules.facts:
        values = draft.columns[fact.fact]
        if fact.type is FactType.FLAG:
            flags = pd.to_numeric(values.where(~is_blank(values), None), errors="coerce")
            draft.columns[fact.fact] = flags.astype("float64")
        elif fact.type is FactType.DAY:
            refuse_years(draft, fact.fact)
        else:
            odd = (values < 0) | np.isinf(values)
            draft.refuse(odd.to_numpy(), fact.fact, "refusal.value")


def _refuse_unregistered(draft: Draft, rules: VenueRules) -> None:
    """Refuse places that are venues only as registered businesses and are none."""
    kinds = draft.columns[Col.KIND]
    for one in rules.kinds:
        if one.needs:
            lacks = (draft.columns[one.needs] != 1.0).to_numpy()
            draft.refuse((kinds == one.kind).to_numpy() & lacks, Col.KIND, "refusal.unregistered")


def _pattern(kind: KindRule) -> re.Pattern[str]:
    """Return the pattern of a kind's words: Chinese anywhere, English as whole words."""
    parts = []
    for word in kind.words:
        plain = re.escape(word.strip().lower().rstrip("*"))
        if word.isascii():
            plain = rf"\b{plain}" + ("" if word.strip().endswith("*") else r"\b")
        parts.append(plain)
    return re.compile("|".join(parts))
