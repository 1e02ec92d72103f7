"""Readers of every layer but streets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from geo.address import place_text
from geo.crs import Datum, datum_of
from geo.errors import CodeInvalid, FileEmpty
from geo.frames import Col, GridRole, Level, StationKind, empty_frame
from geo.io.codes import are_codes, levels_of, parents_of, shorten_codes
from geo.io.draft import Draft, begin, fill, finish
from geo.io.opening import check_file, open_table
from geo.io.position import round_lonlat
from geo.io.report import Note, Reading
from geo.io.spec import (
    BOUNDARY_SPEC,
    BUILDING_SPEC,
    INCIDENT_SPEC,
    POST_SPEC,
    STATION_SPEC,
    UNIT_SPEC,
    VENUE_REGISTER_SPEC,
    VENUE_SPEC,
    WATER_SPEC,
    LayerSpec,
)
from geo.io.values import clock_times, parse
from geo.units import MINUTE

YEARS: Final = (1990, 2100)
"""Years in which an incident or inspection may lie."""

OVERLAP: Final = 0.01
"""Share of the smaller of two boundaries of one level that digitising may leave common."""

ROLE_OF_LEVEL: Final = {
    Level.CITY: GridRole.COORDINATION,
    Level.COUNTY: GridRole.NONE,
    Level.TOWNSHIP: GridRole.SUPERVISION,
    Level.VILLAGE: GridRole.RESPONSIBILITY,
}


def read_boundaries(
    path: Path | str,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    version: str = "unstated",
) -> Reading:
    """Read administrative boundaries.

    Level, parent and grid role follow from the code where the file does not state them; parts of
    one unit become one row; invalid rings are repaired and noted.

    Parameters
    ----------
    path : Path or str
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.
    version : str
        Version of the boundaries where the file states none.

    Returns
    -------
    Reading
        A BOUNDARIES frame.

    Raises
    ------
    InputError
        Any of its classes; nothing of the file is kept then.
    """
    draft = _begin(path, BOUNDARY_SPEC, datum, drop)
    fill(draft)
    _boundary_codes(draft)
    _boundary_levels(draft)
    if Col.BOUNDARY_VERSION not in draft.matched:
        draft.columns[Col.BOUNDARY_VERSION] = _same(version, draft)
        draft.note("note.default", column=Col.BOUNDARY_VERSION, value=version)
    _refuse_shape(draft, areas=True)
    _repair_areas(draft)
    _merge_parts(draft)
    reading = finish(draft)
    return replace(reading, notes=(*reading.notes, *_overlaps(reading.frame, draft.table.source)))


def read_water(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read rivers, canals and lakes as lines or areas; see `read_boundaries` for the options."""
    empty = _read_empty(path, WATER_SPEC)
    if empty is not None:
        return empty
    draft = _begin(path, WATER_SPEC, datum, drop)
    fill(draft)
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    draft.refuse(np.isin(kinds, (0, 4)), Col.GEOMETRY, "refusal.geometry.kind")
    return finish(draft)


def read_buildings(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read buildings and their household counts; outlines become a point inside them."""
    empty = _read_empty(path, BUILDING_SPEC)
    if empty is not None:
        return empty
    draft = _begin(path, BUILDING_SPEC, datum, drop)
    fill(draft)
    draft.refuse((draft.columns[Col.HOUSEHOLDS] < 0).to_numpy(), Col.HOUSEHOLDS, "refusal.value")
    return _finish_points(draft)


def read_venues(
    path: Path | str,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    positions_optional: bool = False,
) -> Reading:
    """Read venues with kind, tier and last inspection; no dwelling is one.

    Parameters
    ----------
    path : Path or str
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.
    positions_optional : bool
        Keep rows without a position, or a whole file of them, with a missing geometry; a note
        counts them. `geo.address.locate_addresses` finds where they lie.

    Returns
    -------
    Reading
        A VENUES frame; a VENUE_REGISTER frame with address, village and township where positions
        are optional.
    """
    draft = _begin(path, VENUE_REGISTER_SPEC if positions_optional else VENUE_SPEC, datum, drop)
    fill(draft)
    if positions_optional:
        _keep_places(draft)
    _refuse_years(draft, Col.LAST_INSPECTION)
    return _finish_points(draft)


def read_incidents(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read reports of place and hour; columns of sentences are refused."""
    draft = _begin(path, INCIDENT_SPEC, datum, drop)
    fill(draft)
    _refuse_years(draft, Col.OCCURRED_AT)
    return _finish_points(draft)


def read_stations(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read stations; the kind follows from the name where the file does not state it."""
    draft = _begin(path, STATION_SPEC, datum, drop)
    fill(draft)
    _derive(draft, Col.KIND, _station_kinds(draft.columns[Col.NAME]))
    if Col.KIND not in draft.matched:
        draft.note("note.derived", column=Col.KIND, origin=Col.NAME)
    return _finish_points(draft)


def read_units(
    path: Path | str, *, drop: Sequence[str] = (), stations: pd.DataFrame | None = None
) -> Reading:
    """Read planned teams: call-sign, station, headcount and mode, never a person.

    Parameters
    ----------
    path : Path or str
    drop : sequence of str
    stations : STATIONS frame, optional
        Where given, station names are turned into ids and unknown stations refused.
    """
    draft = _begin(path, UNIT_SPEC, Datum.WGS84, drop)
    fill(draft)
    _derive(draft, Col.CALL_SIGN, draft.columns[Col.UNIT_ID])
    draft.refuse((draft.columns[Col.HEADCOUNT] < 2).to_numpy(), Col.HEADCOUNT, "refusal.headcount")
    if stations is not None:
        _resolve_stations(draft, stations)
    return finish(draft)


def read_posts(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read fixed posts and pairs with their clock windows; no dwelling is one."""
    draft = _begin(path, POST_SPEC, datum, drop)
    fill(draft)
    for column in (Col.WINDOW_START, Col.WINDOW_END):
        draft.columns[column], wrong = clock_times(draft.cells(column))
        draft.refuse(wrong, column, "refusal.clock")
    _derive(draft, Col.WINDOW_END, _window_ends(draft))
    if Col.WINDOW_END not in draft.matched:
        draft.note("note.derived", column=Col.WINDOW_END, origin=Col.DWELL)
    for column in (Col.DWELL, Col.N_UNITS):
        draft.refuse((draft.columns[column] <= 0).to_numpy(), column, "refusal.value")
    return _finish_points(draft)


def _derive(draft: Draft, column: str, values: pd.Series) -> None:
    """Fill the blank cells of a column with what follows from other columns."""
    cells = draft.columns[column]
    draft.columns[column] = cells.where(cells != "", values).astype("str")


def _read_empty(path: Path | str, spec: LayerSpec) -> Reading | None:
    """Return an empty layer for a file without rows: a city may have no water."""
    path = Path(path)
    check_file(path)
    try:
        open_table(path, layer=spec.schema.layer)
    except FileEmpty:
        note = Note(source=path.name, code="note.empty")
        return Reading(frame=empty_frame(spec.schema), notes=(note,))
    return None


def _keep_places(draft: Draft) -> None:
    """Cut addresses off at the building; units, rooms and households are not kept."""
    for column in (Col.ADDRESS, Col.VILLAGE, Col.TOWNSHIP):
        codes, uniques = pd.factorize(draft.columns[column], use_na_sentinel=False)
        kept = np.array([place_text(str(text)) for text in uniques], dtype=object)
        draft.columns[column] = pd.Series(kept[codes], dtype="str")


def _refuse_years(draft: Draft, column: str) -> None:
    """Refuse dates that no record of a living city has."""
    years = draft.columns[column].dt.year
    off = ((years < YEARS[0]) | (years > YEARS[1])).to_numpy()
    draft.refuse(off, column, "refusal.year")


def _overlaps(frame: pd.DataFrame, source: str) -> tuple[Note, ...]:
    """Note boundaries of one level that share more than a hundredth of the smaller one."""
    pairs: list[str] = []
    for _, units in frame.groupby(Col.LEVEL, sort=False):
        geometry = units.geometry.to_numpy()
        one, other = shapely.STRtree(geometry).query(geometry, predicate="intersects")
        one, other = one[one < other], other[one < other]
        common = shapely.area(shapely.intersection(geometry[one], geometry[other]))
        area = shapely.area(geometry)
        names = units[Col.NAME].to_numpy()
        over = common > OVERLAP * np.minimum(area[one], area[other])
        pairs += [f"{names[i]}–{names[k]}" for i, k in zip(one[over], other[over], strict=True)]
    if not pairs:
        return ()
    params = {"n": len(pairs), "names": "、".join(pairs[:3])}
    return (Note(source=source, code="note.overlap", params=params),)


def _begin(path: Path | str, spec: LayerSpec, datum: Datum | str, drop: Sequence[str]) -> Draft:
    table = open_table(Path(path), layer=spec.schema.layer)
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    return begin(table, spec, datum=stated, drop=tuple(drop))


def _finish_points(draft: Draft) -> Reading:
    """Turn areas into a point inside them, refuse lines, and finish."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    kinds = shapely.get_type_id(geometry)
    areas = np.isin(kinds, (3, 6))
    if areas.any():
        geometry[areas] = round_lonlat(shapely.point_on_surface(geometry[areas]))
        draft.note("note.point", n=int(areas.sum()))
    singles = (kinds == 4) & (shapely.get_num_geometries(geometry) == 1)
    geometry[singles] = shapely.get_geometry(geometry[singles], 0)
    others = (shapely.get_type_id(geometry) > 0) & ~shapely.is_missing(geometry)
    draft.refuse(others, Col.GEOMETRY, "refusal.geometry.kind")
    return finish(draft)


def _same(value: str, draft: Draft) -> pd.Series:
    return pd.Series([value] * len(draft.table), dtype="str")


def _boundary_codes(draft: Draft) -> None:
    """Shorten codes padded with zeros, and refuse what is no code.

    Raises
    ------
    CodeInvalid
        Not one row has a code.
    """
    codes = draft.columns[Col.CODE]
    codes = shorten_codes(codes)
    good = are_codes(codes)
    if not good.any():
        expected = "6, 9 or 12 digits of GB/T 2260"
        column = draft.matched[Col.CODE]
        raise CodeInvalid(source=draft.table.source, row=1, column=column, expected=expected)
    draft.refuse(~good, Col.CODE, "refusal.code")
    draft.columns[Col.CODE] = codes


def _boundary_levels(draft: Draft) -> None:
    """Derive level, parent and grid role from the code where the file does not state them."""
    codes = draft.columns[Col.CODE]
    levels = draft.columns[Col.LEVEL]
    levels = levels.where(levels != "", levels_of(codes)).astype("str")
    draft.columns[Col.LEVEL] = levels
    draft.refuse((levels == "").to_numpy(), Col.LEVEL, "refusal.blank")
    if Col.ADMIN_PARENT not in draft.matched:
        draft.columns[Col.ADMIN_PARENT] = parents_of(codes, levels)
    roles = draft.columns[Col.GRID_ROLE]
    by_level = levels.map(ROLE_OF_LEVEL).fillna("")
    draft.columns[Col.GRID_ROLE] = roles.where(roles != "", by_level).astype("str")
    for column in (Col.LEVEL, Col.ADMIN_PARENT, Col.GRID_ROLE):
        if column not in draft.matched:
            draft.note("note.derived", column=column, origin=Col.CODE)


def _refuse_shape(draft: Draft, *, areas: bool) -> None:
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    fits = np.isin(kinds, (3, 6)) if areas else np.isin(kinds, (1, 5))
    draft.refuse(~fits & (kinds >= 0), Col.GEOMETRY, "refusal.geometry.kind")


def _repair_areas(draft: Draft) -> None:
    """Repair invalid rings, keeping only areas: make_valid may return lines beside them."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    geometry = draft.positions.geometry
    bad = ~shapely.is_valid(geometry) & ~shapely.is_missing(geometry) & (draft.fault_code == "")
    if not bad.any():
        return
    for row in np.flatnonzero(bad):
        parts = shapely.get_parts(shapely.make_valid(geometry[row], method="structure"))
        geometry[row] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
    geometry[bad] = round_lonlat(geometry[bad])
    draft.refuse(shapely.is_empty(geometry), Col.GEOMETRY, "refusal.geometry.damaged")
    names = "、".join(draft.columns[Col.NAME][bad].head(5))
    draft.note("note.repaired", n=int(bad.sum()), names=names)


def _merge_parts(draft: Draft) -> None:
    """Make one row of several that carry one code and one name."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    fine = draft.fault_code == ""
    keys = draft.columns[Col.CODE] + "\n" + draft.columns[Col.NAME]
    repeated = keys.duplicated(keep=False).to_numpy() & fine
    if not repeated.any():
        return
    later = keys[repeated].duplicated().to_numpy()
    geometry = draft.positions.geometry
    for _, rows in keys[repeated].groupby(keys[repeated]):
        positions = rows.index.to_numpy()
        geometry[positions[0]] = shapely.union_all(geometry[positions])
    draft.absorbed[np.flatnonzero(repeated)[later]] = True
    draft.note("note.merged", n=int(later.sum()))


def _station_kinds(names: pd.Series) -> pd.Series:
    special = names.str.contains("交警|特警|铁路|机场|水上|景区|高速|治安")
    rural = names.str.contains("镇|乡")
    kinds = np.where(special, StationKind.SPECIAL, StationKind.URBAN).astype(object)
    kinds[(rural & ~special).to_numpy()] = StationKind.TOWNSHIP
    return pd.Series([str(kind) for kind in kinds], dtype="str")


def _resolve_stations(draft: Draft, stations: pd.DataFrame) -> None:
    """Turn station names into ids, and refuse units of unknown stations."""
    named = draft.columns[Col.STATION_ID]
    ids = dict(zip(stations[Col.NAME], stations[Col.STATION_ID], strict=True))
    known = named.isin(stations[Col.STATION_ID])
    draft.columns[Col.STATION_ID] = named.where(known, named.map(ids)).fillna("").astype("str")
    unknown = (draft.columns[Col.STATION_ID] == "").to_numpy()
    draft.refuse(unknown, Col.STATION_ID, "refusal.station")


def _window_ends(draft: Draft) -> pd.Series:
    """Return window_start plus dwell as clock times."""
    parts = draft.columns[Col.WINDOW_START].str.split(":", expand=True)
    start, _ = parse(parts[0], draft.spec.schema.columns[Col.DWELL].dtype)
    minute, _ = parse(parts[1].fillna(""), draft.spec.schema.columns[Col.DWELL].dtype)
    total = start * 60 + minute + draft.columns[Col.DWELL] // MINUTE
    hours = (total // 60 % 24).astype("str").str.zfill(2)
    return (hours + ":" + (total % 60).astype("str").str.zfill(2)).astype("str")
