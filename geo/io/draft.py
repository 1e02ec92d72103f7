"""A layer while it is read: typed columns, and the first fault of each row."""

from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import Datum
from geo.errors import FileEmpty, ValueInvalid
from geo.frames import Col, Type, require
from geo.io.headers import ignored_note, match_headers, require_headers, trust_of
from geo.io.hints import expected_of
from geo.io.position import Positions, locate
from geo.io.report import Note, Reading, Refusal
from geo.io.spec import CREDIT_HEADERS, LayerSpec, field_of
from geo.io.table import Table
from geo.io.values import clean_codes, is_blank, parse, understand
from geo.privacy import (
    is_credit_code,
    is_dwelling_name,
    is_person_name,
    refuse_person_kinds,
    refuse_personal,
    screen_table,
    shown,
)
from geo.privacy.headers import normal_header
from geo.units import LONLAT_EPSG

_NAMING: Final = (Col.NAME, Col.CALL_SIGN, Col.SOURCE, Col.ADDRESS, Col.VILLAGE, Col.TOWNSHIP)
"""Columns whose cells may point at a person."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """Columns of a layer being filled; everything in it has passed the screen.

    Attributes
    ----------
    matched : dict
        Column of ours -> header of the file.
    columns : dict of str to Series
        Typed columns, one value per row of the file.
    fault_code : ndarray of object, shape (n,)
        Message code of the first fault of each row, "" where it is fine.
    absorbed : ndarray of bool, shape (n,)
        Rows that live on in another row.
    """

    table: Table
    spec: LayerSpec
    matched: dict[str, str]
    positions: Positions | None
    dropped: tuple[str, ...]
    columns: dict[str, pd.Series] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    absorbed: np.ndarray = field(init=False)
    fault_code: np.ndarray = field(init=False)
    fault_column: np.ndarray = field(init=False)
    fault_value: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.table)
        self.absorbed = np.zeros(n, dtype=bool)
        self.fault_code = np.full(n, "", dtype=object)
        self.fault_column = np.full(n, "", dtype=object)
        self.fault_value = np.full(n, "", dtype=object)

    @property
    def kept(self) -> np.ndarray:
        """Rows of the frame to come."""
        fine: np.ndarray = (self.fault_code == "") & ~self.absorbed
        return fine

    def note(self, code: str, **params: object) -> None:
        """Note something once for the file."""
        self.notes.append(Note(source=self.table.source, code=code, params=params))

    def refuse(self, rows: np.ndarray, column: str, code: str) -> None:
        """Refuse rows that have no fault yet, showing the cell of the column where it has one."""
        fresh = rows & (self.fault_code == "")
        self.fault_code[fresh] = code
        self.fault_column[fresh] = column
        if column in self.matched and fresh.any():
            cells = self.cells(column).to_numpy(dtype=object)[fresh]
            is_code = field_of(self.spec, column).is_code
            self.fault_value[fresh] = [shown(cell, code=is_code) for cell in cells]

    def refusals(self) -> tuple[Refusal, ...]:
        """Return the rows with faults."""
        name = self.spec.schema.key
        keys = self.columns.get(name, pd.Series([""] * len(self.table)))
        return tuple(
            Refusal(
                source=self.table.source,
                row=int(row) + 1,
                column=str(self.fault_column[row]),
                code=str(self.fault_code[row]),
                params={"value": str(self.fault_value[row])},
                key="" if self.fault_column[row] == name else str(keys.iloc[row]),
            )
            for row in np.flatnonzero(self.fault_code != "")
        )

    def cells(self, column: str) -> pd.Series:
        """Return the file's cells of a column; the default where there are none."""
        default = field_of(self.spec, column).default
        if column not in self.matched:
            return pd.Series([default] * len(self.table), dtype="str")
        cells = self.table.cells[self.matched[column]].reset_index(drop=True)
        return cells.mask(is_blank(cells), default).astype("str") if default else cells


def begin(table: Table, spec: LayerSpec, *, datum: Datum, drop: tuple[str, ...]) -> Draft:
    """Drop, screen and match the columns of a table, and find its positions.

    Rows may go without a position where the schema says so.

    Raises
    ------
    PersonKindRefused, PersonalDataRefused, PersonalValuesRefused, ColumnMissing
    """
    refuse_person_kinds([table.source, table.layer], source=table.source)
    table, dropped = table.without(drop)
    matched = match_headers(table, spec)
    screen(table, spec, matched, dropped=drop)
    require_headers(table, spec, matched)
    for column in spec.kinds:
        if column in matched:
            refuse_person_kinds(
                table.cells[matched[column]],
                source=table.source,
                allow_dwellings=not spec.no_dwellings,
            )
    positions = None
    if spec.schema.geometry:
        positions = locate(table, datum=datum, optional=not spec.schema.is_placed)
    draft = Draft(table=table, spec=spec, matched=matched, positions=positions, dropped=dropped)
    draft.notes += table.notes
    if dropped:
        draft.note("note.dropped", columns=tuple(dropped))
    if positions is not None:
        draft.notes += positions.notes
        if positions.n_unplaced and spec.unplaced:
            draft.note(spec.unplaced, n=positions.n_unplaced, total=len(table))
        draft.fault_code[:] = positions.wrong
        draft.fault_column[positions.wrong != ""] = Col.GEOMETRY
    return draft


def screen(
    table: Table, spec: LayerSpec, matched: dict[str, str], *, dropped: tuple[str, ...] = ()
) -> None:
    """Refuse a table with columns or values of persons."""
    findings = screen_table(
        table.cells, trust=trust_of(table, spec, matched), free_text=spec.keeps_free_text
    )
    required = {h for column, h in matched.items() if field_of(spec, column).required}
    refuse_personal(findings, source=table.source, required=required, dropped=dropped)


def fill(draft: Draft) -> None:
    """Fill every column of the schema from the file's cells or its default."""
    for column in draft.spec.schema.columns:
        if column == Col.SOURCE:
            _fill_source(draft)
        elif column == draft.spec.schema.key and draft.spec.id_prefix:
            _fill_id(draft, column)
        else:
            _fill_column(draft, column)
    if draft.spec.kinds and Col.NAME in draft.columns:
        dwelling = [is_dwelling_name(name) for name in draft.columns[Col.NAME].tolist()]
        draft.refuse(np.array(dwelling, dtype=bool), Col.NAME, "refusal.dwelling")
    refuse_person_names(draft)


def refuse_person_names(draft: Draft) -> None:
    """Refuse rows whose name, call-sign, id or source points at a person."""
    for column in (*_NAMING, draft.spec.schema.key):
        if column in draft.matched:
            person = [is_person_name(cell) for cell in draft.cells(column).tolist()]
            draft.refuse(np.array(person, dtype=bool), column, "refusal.person")


def finish(draft: Draft) -> Reading:
    """Leave out the rows with faults and check the frame against its schema.

    Raises
    ------
    ValueInvalid
        No row is left: the first fault.
    """
    schema = draft.spec.schema
    _refuse_repeated(draft)
    kept = draft.kept
    refused = draft.refusals()
    if refused and not kept.any():
        first = refused[0]
        vocabulary = schema.columns[first.column].values if first.column in schema.columns else None
        raise ValueInvalid(
            source=first.source,
            row=first.row,
            column=first.column,
            value=draft.fault_value[first.row - 1] or "–",
            expected=expected_of(first.code, n=len(refused), values=", ".join(vocabulary or ())),
        )
    if not kept.any():
        raise FileEmpty(source=draft.table.source)
    columns = {name: draft.columns[name][kept].reset_index(drop=True) for name in schema.columns}
    frame: pd.DataFrame = pd.DataFrame(columns)
    if draft.positions is not None:
        frame = gpd.GeoDataFrame(frame, geometry=draft.positions.geometry[kept], crs=LONLAT_EPSG)
    require(frame, schema, source=draft.table.source)
    used = set(draft.matched.values()) | set(draft.positions.used if draft.positions else ())
    attribution = draft.table.metadata.get("attribution", "")
    return Reading(
        frame=frame,
        refused=refused,
        notes=(*draft.notes, *ignored_note(draft.table, used), *_credit_note(draft.table)),
        dropped=draft.dropped,
        datum=draft.positions.datum if draft.positions else Datum.WGS84,
        attribution=tuple(attribution.splitlines()),
    )


def _fill_column(draft: Draft, column: str) -> None:
    how, kind = field_of(draft.spec, column), draft.spec.schema.columns[column]
    cells = draft.cells(column)
    if how.words is not None:
        values, wrong = understand(cells, how.words)
        draft.refuse(wrong, column, "refusal.word")
    elif how.is_code:
        values, n_repaired = clean_codes(cells)
        if n_repaired:
            draft.note("note.code.float", column=draft.matched[column], n=n_repaired)
    else:
        values, wrong = parse(cells, kind.dtype)
        is_date = kind.dtype in (Type.DAY, Type.INSTANT)
        draft.refuse(wrong, column, "refusal.date" if is_date else "refusal.value")
    draft.columns[column] = values
    if column not in draft.matched and how.default:
        draft.note("note.default", column=column, value=how.default)
    is_needed = not (kind.nullable or how.is_derived or kind.dtype is Type.BOOL)
    if is_needed and column in draft.matched:
        draft.refuse(is_blank(cells), column, "refusal.blank")


def _fill_source(draft: Draft) -> None:
    name = draft.table.source
    if Col.SOURCE in draft.matched:
        cells = draft.cells(Col.SOURCE)
        draft.columns[Col.SOURCE] = cells.mask(cells == "", name).astype("str")
    else:
        draft.columns[Col.SOURCE] = pd.Series([name] * len(draft.table), dtype="str")


def _fill_id(draft: Draft, column: str) -> None:
    """Fill ids; the row number where the file has no id column, or a blank one."""
    codes, n_repaired = clean_codes(draft.cells(column))
    if column in draft.matched and (codes != "").any():
        draft.refuse((codes == "").to_numpy(), column, "refusal.blank")
        if n_repaired:
            draft.note("note.code.float", column=draft.matched[column], n=n_repaired)
    else:
        numbers = pd.Series(np.arange(1, len(draft.table) + 1)).astype("str").str.zfill(6)
        codes = (draft.spec.id_prefix + numbers).astype("str")
        draft.note("note.id", column=column, example=str(codes.iloc[0]))
    draft.columns[column] = codes


def _refuse_repeated(draft: Draft) -> None:
    key = draft.spec.schema.key
    fine = draft.kept
    repeated = np.zeros(len(fine), dtype=bool)
    repeated[fine] = draft.columns[key][fine].duplicated().to_numpy()
    draft.refuse(repeated, key, "refusal.repeated")


def _credit_note(table: Table) -> tuple[Note, ...]:
    """Note how many credit codes fail their check character."""
    wanted = {normal_header(name) for name in CREDIT_HEADERS}
    for header in map(str, table.cells.columns):
        if normal_header(header) in wanted:
            codes = table.cells[header].str.strip()
            n = sum(not is_credit_code(code) for code in codes if code)
            if n:
                params = {"column": header, "n": n, "total": int((codes != "").sum())}
                return (Note(source=table.source, code="note.credit", params=params),)
    return ()
