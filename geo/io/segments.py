"""Lines of any origin into street segments: cut at junctions, cleaned, counted."""

from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import NetworkEmpty
from geo.frames import STREETS, Col, StreetClass, require
from geo.io.hints import Hint
from geo.io.report import Note
from geo.street import speed_limits
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

_NO_LIMIT: Final = frozenset({"", "0", "0.0", "none", "signals", "variable", "nan"})
"""Cells that say in a source's own words that there is no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Street lines, one element per line.

    Attributes
    ----------
    geometry : ndarray of LineString, shape (n,)
        WGS-84 degrees rounded to 7 decimals.
    segment_id, name, street_class, source : ndarray of str objects, shape (n,)
    oneway, bridge : ndarray of bool, shape (n,)
        One-way traffic runs along the line.
    lanes : ndarray of int64, shape (n,)
        Of both directions together; 0 where not known.
    max_speed : ndarray of float64, shape (n,)
        Posted limit in km/h; 0 where not known.
    """

    geometry: np.ndarray
    segment_id: np.ndarray
    name: np.ndarray
    street_class: np.ndarray
    source: np.ndarray
    oneway: np.ndarray
    bridge: np.ndarray
    lanes: np.ndarray
    max_speed: np.ndarray

    def take(self, rows: np.ndarray, *, geometry: np.ndarray | None = None) -> "Lines":
        """Return some of the lines, or pieces of them with geometries of their own."""
        return Lines(
            geometry=self.geometry[rows] if geometry is None else geometry,
            segment_id=self.segment_id[rows],
            name=self.name[rows],
            street_class=self.street_class[rows],
            source=self.source[rows],
            oneway=self.oneway[rows],
            bridge=self.bridge[rows],
            lanes=self.lanes[rows],
            max_speed=self.max_speed[rows],
        )


def cut_at_junctions(lines: Lines) -> Lines:
    """Cut lines where they share a vertex with another line, or with themselves.

    Pieces are called after their line: ``id`` where it stays whole, else ``id-0``, ``id-1`` …
    """
    xy, line = shapely.get_coordinates(lines.geometry, return_index=True)
    _, vertex, counts = np.unique(vertex_keys(xy), return_inverse=True, return_counts=True)
    first = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    last = np.r_[first[1:] - 1, len(line) - 1]
    inner = np.ones(len(line), dtype=bool)
    inner[first] = inner[last] = False
    cut = inner & (counts[vertex] > 1)
    # a cut vertex ends one piece and begins the next, so it is written twice
    take = np.repeat(np.arange(len(line)), 1 + cut)
    begins = np.zeros(len(take), dtype=bool)
    begins[1:] = (take[1:] == take[:-1]) | (line[take[1:]] != line[take[:-1]])
    piece = np.cumsum(begins)
    owner = line[take[np.r_[True, begins[1:]]]]
    geometry = np.asarray(shapely.linestrings(xy[take], indices=piece))
    pieces = lines.take(owner, geometry=geometry)
    return replace(pieces, segment_id=_piece_ids(lines.segment_id, owner))


def read_limits(words: pd.Series) -> tuple[np.ndarray, int]:
    """Return posted limits in km/h, 0 where not known, and how many words are no limit."""
    limits = speed_limits(words)
    unread = words[limits == 0.0].str.strip().str.lower()
    return limits, int((~unread.isin(_NO_LIMIT)).sum())


def limit_note(n: int, column: str, *, source: str) -> list[Note]:
    """Return the note that values of a column are no speed limit, where there are such."""
    params = {"n": n, "column": column}
    return [Note(source=source, code="note.street.limit", params=params)] if n else []


def vertex_keys(xy: np.ndarray) -> np.ndarray:
    """Return one integer per vertex, equal where coordinates agree to 7 decimals of a degree."""
    scaled = np.rint(xy * 10.0**LONLAT_DECIMALS).astype(np.int64)
    keys: np.ndarray = scaled[:, 0] * (1 << 32) + scaled[:, 1]
    return keys


def clean_segments(lines: Lines, *, source: str) -> tuple[Lines, list[Note]]:
    """Leave out segments without length or drawn twice, and count what was met.

    Returns
    -------
    lines : Lines
    notes : list of Note
        Segments of zero length and duplicates (left out), self-loops (kept).
    """
    notes = []
    zero = shapely.length(lines.geometry) == 0.0
    if zero.any():
        notes.append(Note(source=source, code="note.street.zero", params={"n": int(zero.sum())}))
        lines = lines.take(~zero)
    lines, n_duplicate, n_paired = _merge_equal(lines)
    if n_paired:
        notes.append(Note(source=source, code="note.street.paired", params={"n": n_paired}))
    if n_duplicate:
        notes.append(Note(source=source, code="note.street.duplicate", params={"n": n_duplicate}))
    n_loops = int(shapely.is_closed(lines.geometry).sum())
    if n_loops:
        notes.append(Note(source=source, code="note.street.loop", params={"n": n_loops}))
    return lines, notes


def streets_frame(lines: Lines, *, source: str, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return the checked STREETS frame, noting how many segments have no name.

    Raises
    ------
    NetworkEmpty
        No segment is left.
    """
    if len(lines.geometry) == 0:
        raise NetworkEmpty(source=source, hint=Hint.NO_STREET_CLASS)
    frame = gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series(lines.segment_id, dtype="str"),
            Col.NAME: pd.Series(lines.name, dtype="str"),
            Col.STREET_CLASS: pd.Series(lines.street_class, dtype="str"),
            Col.ONEWAY: lines.oneway.astype(bool),
            Col.BRIDGE: lines.bridge.astype(bool),
            Col.LANES: lines.lanes.astype(np.int64),
            Col.MAX_SPEED: lines.max_speed.astype(np.float64),
            Col.SOURCE: pd.Series(lines.source, dtype="str"),
        },
        geometry=lines.geometry,
        crs=LONLAT_EPSG,
    )
    require(frame, STREETS, source=source)
    notes += _oneway_note(lines, source)
    unnamed = int((frame[Col.NAME] == "").sum())
    params = {"n": unnamed, "total": len(frame), "share": round(100 * unnamed / len(frame), 1)}
    notes.append(Note(source=source, code="note.street.unnamed", params=params))
    return frame


def _oneway_note(lines: Lines, source: str) -> list[Note]:
    """Note that no street at all is one-way though there are expressways, which mostly are.

    The column was lost on the way, as from a Shapefile whose field names are cut, and routes
    against the traffic would follow.
    """
    n = int((lines.street_class == StreetClass.EXPRESSWAY.value).sum())
    if n == 0 or lines.oneway.any():
        return []
    return [Note(source=source, code="note.street.expressway", params={"n": n})]


def _merge_equal(lines: Lines) -> tuple[Lines, int, int]:
    """Merge lines of one course: two opposite one-ways become one two-way street.

    Returns
    -------
    lines : Lines
        One per course, in the order and direction of its first line.
    n_duplicate : int
        Lines left out because the same was there already.
    n_paired : int
        Opposite one-ways merged into two-way streets.
    """
    course, forward = _courses(lines.geometry)
    n_courses = int(course.max(initial=-1)) + 1
    ahead = np.zeros(n_courses, dtype=bool)
    back = np.zeros(n_courses, dtype=bool)
    ahead[course[forward | ~lines.oneway]] = True
    back[course[~forward | ~lines.oneway]] = True
    _, first = np.unique(course, return_index=True)
    first.sort()
    both = (ahead & back)[course[first]]
    kept = lines.take(first)
    n_paired = int((both & kept.oneway).sum())
    merged = replace(kept, oneway=kept.oneway & ~both)
    return merged, len(course) - len(first) - n_paired, n_paired


def _courses(geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each line's course, and whether it runs in the course's direction."""
    reverse = shapely.reverse(geometry)
    as_drawn, reversed_ = shapely.to_wkb(geometry), shapely.to_wkb(reverse)
    forward = np.fromiter(
        (a <= b for a, b in zip(as_drawn, reversed_, strict=True)), dtype=bool, count=len(geometry)
    )
    codes, _ = pd.factorize(np.where(forward, as_drawn, reversed_))
    return codes.astype(np.int64), forward


def _piece_ids(ids: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return the ids of pieces: their line's, numbered where there are several."""
    counts = np.bincount(owner, minlength=len(ids))
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    number = np.arange(len(owner)) - starts[owner]
    several = counts[owner] > 1
    named = [
        f"{ids[line]}-{k}" if many else str(ids[line])
        for line, k, many in zip(owner, number, several, strict=True)
    ]
    return np.array(named, dtype=object)
