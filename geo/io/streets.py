"""The reader of streets: GraphML, OpenStreetMap files, or any line layer with a class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import shapely

from geo.crs import Datum, datum_of, to_wgs84
from geo.frames import Col
from geo.io.draft import Draft, begin, refuse_person_names, screen
from geo.io.graphml import OSM_ATTRIBUTION, read_graphml
from geo.io.headers import find_header, ignored_note, is_cut, missing
from geo.io.opening import MAX_BYTES, MAX_STREET_BYTES, check_file, open_table
from geo.io.osm import is_osm, read_osm
from geo.io.position import round_lonlat
from geo.io.report import Reading, Refusal
from geo.io.segments import (
    Lines,
    clean_segments,
    cut_at_junctions,
    limit_note,
    read_limits,
    streets_frame,
)
from geo.io.spec import SPEED_HEADERS, STREET_SPEC
from geo.io.table import Table
from geo.io.values import clean_codes
from geo.privacy.shown import column_shown
from geo.street import classes_by_speed, lane_counts, speed_limits, street_classes

_AGAINST = frozenset({"-1", "reverse", "反向", "逆向"})
_ALONG = frozenset({"1", "yes", "true", "t", "y", "是", "单行", "单向", "正向", "f", "ft"})
_BOTH = frozenset({"", "0", "no", "false", "n", "否", "双向", "b"})

_CODED: Final = {"": 0, "0": 0, "1": 0, "2": 1, "3": -1}
"""Directions as navigation data has them (0 not surveyed, 1 both ways, 2 along, 3 against); so a
column is read where it holds a 2 or a 3 and nothing but these."""


def read_streets(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read streets and cut them into segments between junctions.

    Parameters
    ----------
    path : Path or str
        GraphML (through osmnx), .osm or .osm.pbf (through pyosmium), or a line layer with a
        class or a speed column. A layer with a ``segment_id`` column is taken as already cut.
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    Reading
        A STREETS frame; the notes count what was dropped, merged and unnamed.

    Raises
    ------
    NetworkEmpty
        No street is left.
    InputError
        Any of its classes.
    """
    path = Path(path)
    is_network = path.suffix.lower() == ".graphml" or is_osm(path)
    check_file(path, most=MAX_STREET_BYTES if is_network else MAX_BYTES)
    stated = datum if isinstance(datum, Datum) else datum_of(datum)
    if is_network:
        return _read_graph(path, stated)
    return _read_layer(path, stated, tuple(drop))


def _read_graph(path: Path, datum: Datum) -> Reading:
    """Read GraphML, whose edges are segments, or OSM ways, which are cut."""
    is_graph = path.suffix.lower() == ".graphml"
    lines, notes = read_graphml(path) if is_graph else read_osm(path)
    _screen_names(lines, path.name)
    lines = _shift(lines, datum)
    lines, more = clean_segments(lines if is_graph else cut_at_junctions(lines), source=path.name)
    notes += more
    frame = streets_frame(lines, source=path.name, notes=notes)
    return Reading(frame=frame, notes=tuple(notes), datum=datum, attribution=(OSM_ATTRIBUTION,))


def _read_layer(path: Path, datum: Datum, drop: tuple[str, ...]) -> Reading:
    table = open_table(path, layer=STREET_SPEC.schema.layer)
    draft = begin(table, STREET_SPEC, datum=datum, drop=drop)
    classes, used = _classes(draft)
    lines, refused = _draft_lines(draft, classes)
    notes = list(draft.notes)
    if Col.SEGMENT_ID in draft.table.cells.columns:
        kept = lines
    else:
        kept, more = clean_segments(cut_at_junctions(lines), source=table.source)
        notes += more
    frame = streets_frame(kept, source=table.source, notes=notes)
    notes += ignored_note(draft.table, {*draft.matched.values(), *used})
    attribution = table.metadata.get("attribution", "")
    return Reading(
        frame=frame,
        refused=refused,
        notes=tuple(notes),
        dropped=draft.dropped,
        datum=datum,
        attribution=tuple(attribution.splitlines()),
    )


def _screen_names(lines: Lines, source: str) -> None:
    """Refuse personal values among the names of streets."""
    cells = pd.DataFrame({Col.NAME: pd.Series(lines.name, dtype="str")})
    screen(Table(source=source, cells=cells), STREET_SPEC, {Col.NAME: Col.NAME})


def _shift(lines: Lines, datum: Datum) -> Lines:
    if datum is Datum.WGS84:
        return lines
    shifted = shapely.transform(lines.geometry, lambda xy: to_wgs84(xy, datum))
    return lines.take(np.arange(len(shifted)), geometry=round_lonlat(shifted))


def _classes(draft: Draft) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the street class of each row, by its class word or its speed limit.

    Raises
    ------
    ColumnMissing
        Neither a class nor a speed column.
    """
    speed = find_header(draft.table, SPEED_HEADERS)
    if Col.STREET_CLASS not in draft.matched and speed is None:
        raise missing(draft.table, "street_class/highway/fclass/道路等级 (or maxspeed/限速)")
    classes = np.full(len(draft.table), "", dtype=object)
    if Col.STREET_CLASS in draft.matched:
        classes = street_classes(draft.cells(Col.STREET_CLASS))
    if speed is not None:
        by_speed = classes_by_speed(speed_limits(draft.table.cells[speed]))
        blank = classes == ""
        if Col.STREET_CLASS in draft.matched:
            blank &= (draft.cells(Col.STREET_CLASS).str.strip() == "").to_numpy()
        classes[blank] = by_speed[blank]
        if (blank & (classes != "")).any():
            draft.note("note.street.speed", column=speed, n=int((blank & (classes != "")).sum()))
    return classes, (speed,) if speed is not None else ()


def _draft_lines(draft: Draft, classes: np.ndarray) -> tuple[Lines, tuple[Refusal, ...]]:
    """Return the rows that are streets, multi-part lines taken apart."""
    assert draft.positions is not None  # noqa: S101 - the schema has a geometry
    kinds = shapely.get_type_id(draft.positions.geometry)
    draft.refuse(~np.isin(kinds, (1, 5)) & (kinds >= 0), Col.GEOMETRY, "refusal.geometry.kind")
    draft.refuse(classes == "", Col.STREET_CLASS, "refusal.street.class")
    refuse_person_names(draft)
    rows = np.flatnonzero(draft.fault_code == "")
    geometry, part = shapely.get_parts(draft.positions.geometry[rows], return_index=True)
    owner = rows[part]
    direction = _directions(draft)[owner]
    geometry[direction < 0] = shapely.reverse(geometry[direction < 0])
    ids = _ids(draft)
    several = np.bincount(part, minlength=len(rows))[part] > 1
    number = np.arange(len(part)) - np.searchsorted(part, part)
    names = [
        f"{ids[o]}/{k}" if m else str(ids[o])
        for o, k, m in zip(owner, number, several, strict=True)
    ]
    lines = Lines(
        geometry=geometry,
        segment_id=np.array(names, dtype=object),
        name=draft.cells(Col.NAME).to_numpy(dtype=object)[owner],
        street_class=classes[owner],
        source=_sources(draft)[owner],
        oneway=direction != 0,
        bridge=_bridges(draft)[owner],
        lanes=lane_counts(draft.cells(Col.LANES))[owner],
        max_speed=_limits(draft)[owner],
    )
    return lines, draft.refusals()


def _directions(draft: Draft) -> np.ndarray:
    """Return 1 for one-way along the line, -1 against it, 0 for both ways."""
    if Col.ONEWAY not in draft.matched:
        _note_no_oneway(draft)
    text = draft.cells(Col.ONEWAY).str.strip().str.lower()
    direction = np.zeros(len(text), dtype=np.int8)
    direction[text.isin(_ALONG).to_numpy()] = 1
    direction[text.isin(_AGAINST).to_numpy()] = -1
    unknown = ~text.isin(_ALONG | _AGAINST | _BOTH)
    if unknown.any() and text.isin(_CODED).all():
        draft.note("note.street.coded", column=draft.matched[Col.ONEWAY])
        codes: np.ndarray = text.map(_CODED).to_numpy(dtype=np.int8)
        return codes
    if unknown.any():
        draft.note("note.street.oneway", n=int(unknown.sum()))
    return direction


def _note_no_oneway(draft: Draft) -> None:
    """Note that every street counts as two-way; a Shapefile may have lost the name of the column.

    Named are the fields as long as a Shapefile lets them be that nothing was understood of: one of
    them may be the column.
    """
    fields = list(map(str, draft.table.cells.columns))
    cut = [
        column_shown(field, number)
        for number, field in enumerate(fields, start=1)
        if field not in draft.matched.values() and is_cut(draft.table, field)
    ]
    if cut:
        draft.note("note.street.cut", columns=tuple(cut))
    else:
        draft.note("note.street.twoway")


def _bridges(draft: Draft) -> np.ndarray:
    text = draft.cells(Col.BRIDGE).str.strip().str.lower()
    bridges: np.ndarray = ~text.isin({"", "0", "no", "false", "f", "n", "否", "无"}).to_numpy()
    return bridges


def _limits(draft: Draft) -> np.ndarray:
    """Return the posted limits in km/h; what is no limit is noted and left unknown."""
    cells = draft.cells(Col.MAX_SPEED)
    limits, n_unread = read_limits(cells)
    header = draft.matched.get(Col.MAX_SPEED, "")
    draft.notes += limit_note(n_unread, header, source=draft.table.source)
    return limits


def _sources(draft: Draft) -> np.ndarray:
    cells = draft.cells(Col.SOURCE).to_numpy(dtype=object)
    sources: np.ndarray = np.where(cells == "", draft.table.source, cells).astype(object)
    return sources


def _ids(draft: Draft) -> np.ndarray:
    """Return the file's ids, or row numbers where there is none or they repeat."""
    codes, _ = clean_codes(draft.cells(Col.SEGMENT_ID))
    if Col.SEGMENT_ID in draft.matched and (codes != "").all() and not codes.duplicated().any():
        return codes.to_numpy(dtype=object)
    ids = [f"{STREET_SPEC.id_prefix}{row:06d}" for row in range(1, len(codes) + 1)]
    draft.note("note.id", column=Col.SEGMENT_ID, example=ids[0])
    return np.array(ids, dtype=object)
