"""Faults of a coverage: gaps, overlaps, slivers, strays, enclaves, holes, unmatched borders."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import FAULTS, Col, FaultKind, empty_frame
from geo.topology.arrange import Arrangement, State, arrange, beside_any
from geo.topology.coverage import HAIRLINE, NOWHERE, Coverage, coverage_of, in_metres
from geo.topology.segment import Segments, as_lines
from geo.units import LONLAT_EPSG

SLIVER_WIDTH: Final = 1.0
"""Metres of mean width under which a gap or overlap is called a sliver."""

HOLE_AREA: Final = 10_000.0
"""m2 (1 ha) above which a gap is asked about and never filled."""

WHOLE: Final = 0.99
"""Share of a unit's area from which an overlap is the whole unit: an enclave without a hole."""


QUESTIONS: Final = frozenset({FaultKind.HOLE.value, FaultKind.MULTIPART.value})
"""Kinds that a person has to judge: no fault by themselves."""

_NO_ROWS: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where one kind of fault ends and the next begins.

    Attributes
    ----------
    hole_area : float
        m2 above which a gap is a question and never filled.
    sliver_width : float
        Metres of mean width under which a gap or overlap is a sliver.
    """

    hole_area: float = HOLE_AREA
    sliver_width: float = SLIVER_WIDTH


def find_faults(
    units: gpd.GeoDataFrame,
    *,
    epsg: int,
    parents: gpd.GeoDataFrame | None = None,
    limits: Limits | None = None,
    key: str = Col.CODE,
    level: str = "",
) -> gpd.GeoDataFrame:
    """Return what is wrong with a coverage: polygons of one level that should tile their parents.

    Parameters
    ----------
    units : GeoDataFrame
        Polygons of one level, EPSG:4326.
    epsg : int
        Metric CRS of areas and widths.
    parents : GeoDataFrame, optional
        What the units must tile, EPSG:4326: parents of the units, or one outline of all. Without
        them gaps open to the outside are nobody's fault.
    limits : Limits, optional
    key : str
        Column that names a unit.
    level : str
        Written into the frame.

    Returns
    -------
    GeoDataFrame
        A FAULTS frame, largest first within a kind; empty for a coverage in order.
    """
    coverage = coverage_of(units, epsg=epsg, parents=parents)
    codes = units[key].to_numpy(dtype=object)
    return list_faults(coverage, arrange(coverage), codes, limits or Limits(), level=level)


def list_faults(
    coverage: Coverage,
    arrangement: Arrangement,
    codes: np.ndarray,
    limits: Limits,
    *,
    level: str = "",
) -> gpd.GeoDataFrame:
    """Return the faults of a coverage that was arranged already, as a FAULTS frame."""
    places = find_places(coverage, arrangement)
    rows = [
        *_faces(coverage, arrangement, codes, places.faces, limits),
        *_hairlines(arrangement, codes, places.hairlines),
        *_unmatched(codes, places.unmatched),
        *_damaged(coverage, codes),
        *_multipart(coverage, codes),
    ]
    return _frame(rows, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    kind: FaultKind
    codes: Iterable[str]
    n_cover: int
    geometry: shapely.Geometry
    area: float = 0.0
    width: float = 0.0


def _frame(faults: list[_Fault], level: str) -> gpd.GeoDataFrame:
    """Return faults as a FAULTS frame, numbered by kind and falling area."""
    if not faults:
        return empty_frame(FAULTS)
    order = {kind: k for k, kind in enumerate(FaultKind)}
    faults = sorted(faults, key=lambda fault: (order[fault.kind], -fault.area))
    ids = [f"{level or 'unit'}-{number:05d}" for number in range(1, len(faults) + 1)]
    columns = {
        Col.FAULT_ID: pd.Series(ids, dtype="str"),
        Col.KIND: pd.Series([fault.kind.value for fault in faults], dtype="str"),
        Col.LEVEL: pd.Series([level] * len(faults), dtype="str"),
        Col.UNIT_CODES: pd.Series([",".join(fault.codes) for fault in faults], dtype="str"),
        Col.N_COVER: np.array([fault.n_cover for fault in faults], dtype=np.int64),
        Col.AREA: np.array([fault.area for fault in faults], dtype=np.float64),
        Col.WIDTH: np.array([fault.width for fault in faults], dtype=np.float64),
        Col.REASON: pd.Series([""] * len(faults), dtype="str"),
    }
    shapes = gpd.GeoSeries([fault.geometry for fault in faults], crs=LONLAT_EPSG)
    return gpd.GeoDataFrame(columns, geometry=shapes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where an arrangement is at fault.

    Attributes
    ----------
    faces : ndarray of int64
        Faces at fault that are wider than a hairline.
    hairlines : ndarray of int64
        Thinner ones between units. One between units and a parent's line is the rounding of that
        line, and nobody's fault.
    unmatched : Segments
        Borders that differ in their vertices only, off all of these faces.
    """

    faces: np.ndarray
    hairlines: np.ndarray
    unmatched: Segments

    @property
    def all_faces(self) -> np.ndarray:
        """Wide faces and hairlines."""
        return np.concatenate([self.faces, self.hairlines])

    @property
    def lines(self) -> np.ndarray:
        """Unmatched borders as LineStrings."""
        return as_lines(self.unmatched.ends)


def find_places(coverage: Coverage, arrangement: Arrangement, *, is_exact: bool = False) -> Places:
    """Return where an arrangement is at fault; all hairlines count where it must be exact."""
    wide = arrangement.width >= HAIRLINE
    faces = np.flatnonzero(arrangement.at_fault & wide)
    thin = np.flatnonzero(arrangement.at_fault & ~wide)
    if not is_exact:
        thin = thin[~_is_rounding(coverage, arrangement, thin)]
    thin = thin[~beside_any(arrangement.faces[thin], arrangement.faces[faces])]
    found = arrangement.faces[faces if is_exact else np.concatenate([faces, thin])]
    apart = ~beside_any(as_lines(arrangement.unmatched.ends), found)
    return Places(faces=faces, hairlines=thin, unmatched=arrangement.unmatched.pick(apart))


def _is_rounding(coverage: Coverage, arrangement: Arrangement, rows: np.ndarray) -> np.ndarray:
    """Return which hairlines lie between a parent's line and units that agree with one another."""
    on_line, state = arrangement.on_parent[rows], arrangement.state[rows]
    rounding = np.asarray(on_line & (state != State.OVERLAP))
    for row, units in _beside(arrangement, rows[rounding]).items():
        if len(np.unique(coverage.above[units])) > 1:
            rounding[rows == row] = False
    return rounding


def is_asked(coverage: Coverage, arrangement: Arrangement, places: Places) -> np.ndarray:
    """Return which faces a repair is to look at: those at fault, bool, shape (k,)."""
    found = places.all_faces
    asked = beside_any(arrangement.faces, arrangement.faces[found]) & arrangement.at_fault
    others = np.setdiff1d(np.flatnonzero(asked), found)
    asked[others[_is_rounding(coverage, arrangement, others)]] = False
    return np.asarray(asked)


def is_beside_unmatched(arrangement: Arrangement, places: Places) -> np.ndarray:
    """Return which faces lie on a border whose vertices differ; bool, shape (k,)."""
    return beside_any(arrangement.faces, places.lines)


def _faces(
    coverage: Coverage,
    arrangement: Arrangement,
    codes: np.ndarray,
    rows: np.ndarray,
    limits: Limits,
) -> list[_Fault]:
    whole = _whole_units(coverage, arrangement, rows)
    beside = _beside(arrangement, rows)
    faults = []
    for row in rows.tolist():
        units = arrangement.claimants(row)
        named = units if len(units) else beside[row]
        faults.append(
            _Fault(
                kind=_kind(arrangement, row, limits, is_whole=bool(whole[units].any())),
                codes=sorted(codes[named]),
                n_cover=len(units),
                geometry=arrangement.faces[row],
                area=float(arrangement.area[row]),
                width=float(arrangement.width[row]),
            )
        )
    return faults


def _kind(arrangement: Arrangement, row: int, limits: Limits, *, is_whole: bool) -> FaultKind:
    state = arrangement.state[row]
    if arrangement.gap_area[row] > limits.hole_area:
        return FaultKind.HOLE
    if state == State.OVERLAP and is_whole:
        return FaultKind.ENCLAVE
    if arrangement.width[row] < limits.sliver_width:
        return FaultKind.SLIVER
    kinds = {State.GAP: FaultKind.GAP, State.OVERLAP: FaultKind.OVERLAP}
    return kinds.get(State(state), FaultKind.STRAY)


def _whole_units(coverage: Coverage, arrangement: Arrangement, rows: np.ndarray) -> np.ndarray:
    """Return which units lie in overlaps altogether; bool, shape (n_units,)."""
    overlaps = rows[arrangement.state[rows] == State.OVERLAP]
    claimed = np.isin(arrangement.claim_face, overlaps)
    face, unit = arrangement.claim_face[claimed], arrangement.claim_unit[claimed]
    n = len(coverage.units)
    covered = np.bincount(unit, arrangement.area[face], minlength=n)
    whole = np.zeros(n, dtype=bool)
    some = np.unique(unit)
    whole[some] = covered[some] >= WHOLE * shapely.area(
        in_metres(coverage.units[some], coverage.epsg)
    )
    return whole


def _beside(arrangement: Arrangement, rows: np.ndarray) -> dict[int, np.ndarray]:
    """Return the units that border on each gap among `rows`."""
    gaps = rows[arrangement.state[rows] == State.GAP]
    ours = np.isin(arrangement.sides.owner, gaps) & (arrangement.other != NOWHERE)
    pairs = np.stack([arrangement.sides.owner[ours], arrangement.other[ours]], axis=1)
    pairs = np.unique(pairs, axis=0)
    found: dict[int, list[np.ndarray]] = {int(row): [] for row in gaps}
    for gap, face in pairs.tolist():
        found[gap].append(arrangement.claimants(face))
    return {row: np.unique(np.concatenate([_NO_ROWS, *units])) for row, units in found.items()}


def _hairlines(arrangement: Arrangement, codes: np.ndarray, rows: np.ndarray) -> list[_Fault]:
    beside = _beside(arrangement, rows)
    return [
        _Fault(
            kind=FaultKind.UNMATCHED,
            codes=sorted(codes[np.union1d(arrangement.claimants(row), beside.get(row, _NO_ROWS))]),
            n_cover=len(arrangement.claimants(row)),
            geometry=arrangement.faces[row],
            area=float(arrangement.area[row]),
            width=float(arrangement.width[row]),
        )
        for row in rows.tolist()
    ]


def _unmatched(codes: np.ndarray, loose: Segments) -> list[_Fault]:
    """Return borders that differ in their vertices only, one fault for each unit."""
    return [
        _Fault(
            kind=FaultKind.UNMATCHED,
            codes=[codes[unit]],
            n_cover=1,
            geometry=shapely.MultiLineString(list(part.ends)),
        )
        for unit, part in _by_owner(loose)
    ]


def _by_owner(segments: Segments) -> Iterable[tuple[int, Segments]]:
    for unit in np.unique(segments.owner):
        yield int(unit), segments.pick(segments.owner == unit)


def _damaged(coverage: Coverage, codes: np.ndarray) -> list[_Fault]:
    return [
        _Fault(
            kind=FaultKind.SELF_INTERSECTION,
            codes=[codes[row]],
            n_cover=1,
            geometry=place,
        )
        for row, place in coverage.damage.items()
    ]


def _multipart(coverage: Coverage, codes: np.ndarray) -> list[_Fault]:
    """Return the smaller parts of every unit in several pieces."""
    faults = []
    for row in np.flatnonzero(shapely.get_num_geometries(coverage.units) > 1):
        parts = shapely.get_parts(coverage.units[row])
        metric = in_metres(parts, coverage.epsg)
        area = shapely.area(metric)
        small = np.arange(len(parts)) != np.argmax(area)
        perimeter = shapely.length(metric)[small].sum()
        faults.append(
            _Fault(
                kind=FaultKind.MULTIPART,
                codes=[codes[row]],
                n_cover=1,
                geometry=shapely.multipolygons(parts[small]),
                area=float(area[small].sum()),
                width=float(2 * area[small].sum() / perimeter),
            )
        )
    return faults
