"""Readers of every layer but boundaries and streets."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from geo.address import place_text
from geo.crs import Datum, datum_of
from geo.errors import FileEmpty, OptionInvalid
from geo.frames import Channel, Col, StationKind, empty_frame
from geo.incident.kind import IncidentRules, home_kinds
from geo.io.draft import Draft, begin, fill, finish
from geo.io.opening import check_file, open_table
from geo.io.position import round_lonlat
from geo.io.report import Note, Reading
from geo.io.rules import shipped_incident_rules
from geo.io.spec import (
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


def read_water(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read rivers, canals and lakes as lines or areas; see `read_boundaries` for the options."""
    empty = read_empty(path, WATER_SPEC)
    if empty is not None:
        return empty
    draft = begin_layer(path, WATER_SPEC, datum, drop)
    fill(draft)
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    draft.refuse(np.isin(kinds, (0, 4)), Col.GEOMETRY, "refusal.geometry.kind")
    return finish(draft)


def read_buildings(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read buildings and their household counts; outlines become a point inside them."""
    empty = read_empty(path, BUILDING_SPEC)
    if empty is not None:
        return empty
    draft = begin_layer(path, BUILDING_SPEC, datum, drop)
    fill(draft)
    draft.refuse((draft.columns[Col.HOUSEHOLDS] < 0).to_numpy(), Col.HOUSEHOLDS, "refusal.value")
    return finish_points(draft)


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
    draft = begin_layer(
        path, VENUE_REGISTER_SPEC if positions_optional else VENUE_SPEC, datum, drop
    )
    fill(draft)
    if positions_optional:
        _keep_places(draft)
    refuse_years(draft, Col.LAST_INSPECTION)
    return finish_points(draft)


def read_incidents(
    path: Path | str,
    *,
    datum: Datum | str = Datum.WGS84,
    drop: Sequence[str] = (),
    channel: Channel | str = "",
    keep: Collection[str] = (),
    rules: IncidentRules | None = None,
) -> Reading:
    """Read reports of place and hour; columns of sentences are refused.

    Parameters
    ----------
    channel : Channel or str
        Channel of the rows whose file states none; residents' reports by default, which a note
        says.
    keep : collection of str
        Kinds that point at homes (domestic, sexual, suicide, missing) to read all the same; by
        default their rows are refused, which a note counts.
    rules : IncidentRules, optional
        Which kinds those are; the ones that come with patrolgrid by default.
    """
    if channel and channel not in list(Channel):
        expected = ", ".join(one.value for one in Channel)
        raise OptionInvalid(option="--channel", value=channel, expected=expected)
    draft = begin_layer(path, INCIDENT_SPEC, datum, drop)
    fill(draft)
    if channel or Col.CHANNEL in draft.matched:
        _name_channel(draft, str(channel or Channel.RESIDENT))
    refuse_years(draft, Col.OCCURRED_AT)
    _leave_out_homes(draft, rules or shipped_incident_rules(), keep)
    return finish_points(draft)


def _name_channel(draft: Draft, channel: str) -> None:
    """Name the channel of rows whose file states none."""
    stated = draft.matched.get(Col.CHANNEL)
    blank = np.ones(len(draft.table), dtype=bool)
    if stated is not None:
        blank = (draft.table.cells[stated].str.strip() == "").to_numpy()
    values = draft.columns[Col.CHANNEL]
    draft.columns[Col.CHANNEL] = values.mask(blank, channel).astype("str")
    draft.notes = [
        note
        for note in draft.notes
        if note.code != "note.default" or note.params.get("column") != Col.CHANNEL
    ]
    if blank.any():
        draft.note("note.channel", n=int(blank.sum()), total=len(blank), channel=channel)


def _leave_out_homes(draft: Draft, rules: IncidentRules, keep: Collection[str]) -> None:
    """Refuse the rows whose kind points at a home: neither they nor their places go further."""
    kinds = home_kinds(draft.columns[Col.CATEGORY], rules, keep=keep)
    found = (kinds != "") & (draft.fault_code == "")
    if found.any():
        draft.refuse(found, Col.CATEGORY, "refusal.homes")
        named = tuple(sorted({str(kind) for kind in kinds[found]}))
        n, total = int(found.sum()), len(draft.table)
        keep = ",".join(sorted({str(kind) for kind in kinds[found]}))
        draft.note("note.homes", n=n, total=total, version=rules.version, kinds=named, keep=keep)


def read_stations(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read stations; the kind follows from the name where the file does not state it."""
    draft = begin_layer(path, STATION_SPEC, datum, drop)
    fill(draft)
    _derive(draft, Col.KIND, _station_kinds(draft.columns[Col.NAME]))
    if Col.KIND not in draft.matched:
        draft.note("note.derived", column=Col.KIND, origin=Col.NAME)
    return finish_points(draft)


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
    draft = begin_layer(path, UNIT_SPEC, Datum.WGS84, drop)
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
    draft = begin_layer(path, POST_SPEC, datum, drop)
    fill(draft)
    for column in (Col.WINDOW_START, Col.WINDOW_END):
        draft.columns[column], wrong = clock_times(draft.cells(column))
        draft.refuse(wrong, column, "refusal.clock")
    _derive(draft, Col.WINDOW_END, _window_ends(draft))
    if Col.WINDOW_END not in draft.matched:
        draft.note("note.derived", column=Col.WINDOW_END, origin=Col.DWELL)
    for column in (Col.DWELL, Col.N_UNITS):
        draft.refuse((draft.columns[column] <= 0).to_numpy(), column, "refusal.value")
    return finish_points(draft)


def _derive(draft: Draft, column: str, values: pd.Series) -> None:
    """Fill the blank cells of a column with what follows from other columns."""
    cells = draft.columns[column]
    draft.columns[column] = cells.where(cells != "", values).astype("str")


def read_empty(path: Path | str, spec: LayerSpec) -> Reading | None:
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


def refuse_years(draft: Draft, column: str) -> None:
    """Refuse dates that no record of a living city has."""
    years = draft.columns[column].dt.year
    off = ((years < YEARS[0]) | (years > YEARS[1])).to_numpy()
    draft.refuse(off, column, "refusal.year")


def begin_layer(
    path: Path | str, spec: LayerSpec, datum: Datum | str, drop: Sequence[str]
) -> Draft:
    """Open a file, screen it and match its headers with a layer's columns."""
    table = open_table(Path(path), layer=spec.schema.layer)
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    return begin(table, spec, datum=stated, drop=tuple(drop))


def finish_points(draft: Draft) -> Reading:
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
    parts = draft.columns[Col.WINDOW_START].str.extract(r"(\d+):(\d+)").fillna("")
    start, _ = parse(parts[0], draft.spec.schema.columns[Col.DWELL].dtype)
    minute, _ = parse(parts[1], draft.spec.schema.columns[Col.DWELL].dtype)
    total = start * 60 + minute + draft.columns[Col.DWELL] // MINUTE
    hours = (total // 60 % 24).astype("str").str.zfill(2)
    return (hours + ":" + (total % 60).astype("str").str.zfill(2)).astype("str")
