"""Repair of a coverage around its faults, and a log of every polygon it changed.

Only the rings of units with a fault are noded (`geo.topology.node`) and polygonized, together
with the parents' lines there; every face goes to one unit, and a unit is the union of its faces.
All other polygons stay the very same objects, and every vertex of a changed one that is not on a
fault stays where it was.
"""

from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import OptionInvalid
from geo.frames import CHANGES, Col, FaultKind, empty_frame
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.topology.arrange import Arrangement, arrange, arrange_around
from geo.topology.bar import find_bars
from geo.topology.coverage import METRES_PER_DEGREE, NOWHERE, Coverage, coverage_of
from geo.topology.fault import Limits, find_places, is_asked, is_beside_unmatched, list_faults
from geo.topology.segment import LATTICE, runs_of_equal
from geo.topology.settle import LEFT, Settlement, edges_of, settle
from geo.units import LONLAT_EPSG

TOLERANCE: Final = 25.0
"""Metres that a repair may move a border: gaps of 101 to 2,287 m2 along village borders close."""

PASSES: Final = 8
"""A repaired place is looked at again, as rounding may leave a hairline; this many times."""

EXACT_PASSES: Final = 4
"""Of them, how many close hairlines along the parents' lines too, where that is asked for; the rest
match the vertices that these put in."""

CRUMB: Final = 2 * LATTICE
"""Degrees (2 cm) of mean width under which a part cut off from its unit is no place."""

LARGE: Final = "coverage.reason.large"
FAR: Final = "coverage.reason.far"
ASKED: Final = "coverage.reason.asked"
"""Message codes of why a fault is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair gives back.

    Attributes
    ----------
    frame : GeoDataFrame
        The units, row by row as they came; Polygons and MultiPolygons only.
    changes : DataFrame
        A CHANGES frame: one row for each polygon that is not as it was.
    faults : FAULTS frame
        What was found before.
    left : FAULTS frame
        What is still there after it, `reason` saying why.
    """

    frame: gpd.GeoDataFrame
    changes: pd.DataFrame
    faults: gpd.GeoDataFrame
    left: gpd.GeoDataFrame


def repair_coverage(
    units: gpd.GeoDataFrame,
    *,
    epsg: int,
    parents: gpd.GeoDataFrame | None = None,
    tolerance: float = TOLERANCE,
    limits: Limits | None = None,
    key: str = Col.CODE,
    level: str = "",
    is_exact: bool = False,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Repair:
    """Close gaps and resolve overlaps of a coverage, moving no border farther than stated.

    Parameters
    ----------
    units : GeoDataFrame
        Polygons of one level, EPSG:4326.
    epsg : int
        Metric CRS of areas, widths and moves.
    parents : GeoDataFrame, optional
        What the units must tile, EPSG:4326; see `geo.topology.find_faults`. Their lines win over
        the units'.
    tolerance : float
        Metres that a border may move; a fault that needs more is left and listed.
    limits : Limits, optional
        Gaps that as a whole, before they are shared out, are larger than its `hole_area` are never
        filled.
    key : str
        Column that names a unit.
    level : str
        Written into the frames.
    is_exact : bool
        Close the hairlines between units and their parents' lines too; they are no faults.
    progress, stop
        Receiver of progress and stop token.

    Returns
    -------
    Repair

    Raises
    ------
    OptionInvalid
        A tolerance that is no positive number.
    Stopped
        A stop was asked for.
    """
    if not tolerance > 0:
        raise OptionInvalid(option="tolerance", value=tolerance, expected="metres above 0")
    limits = limits or Limits()
    codes = units[key].to_numpy(dtype=object)
    before = coverage_of(units, epsg=epsg, parents=parents)
    coverage, log = before, _Log(len(units))
    found = arrange(coverage)
    faults = list_faults(coverage, found, codes, limits, level=level)
    for turn in range(PASSES):
        stop_if_asked(stop, "coverage")
        progress(turn, PASSES)
        rows, shapes = _mend(
            coverage,
            found,
            log,
            tolerance=tolerance,
            hole_area=limits.hole_area,
            is_exact=is_exact and turn < EXACT_PASSES,
        )
        if len(rows) == 0 and not (is_exact and turn < EXACT_PASSES):
            break
        coverage = coverage.changed(rows, shapes)
        found = arrange(coverage)
    progress(PASSES, PASSES)
    coverage = replace(coverage, damage={})
    left = list_faults(coverage, found, codes, limits, level=level)
    frame, rows = _as_frame(units, before, coverage)
    return Repair(
        frame=frame,
        changes=log.frame(rows, codes, level),
        faults=faults,
        left=left.assign(**{Col.REASON: _reasons(left)}),
    )


def _as_frame(
    units: gpd.GeoDataFrame, before: Coverage, after: Coverage
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return the units with their new shapes, and the rows that are not as they were."""
    is_new = np.array([a is not b for a, b in zip(before.units, after.units, strict=True)])
    is_new[list(before.damage)] = True
    shapes = np.where(is_new, after.units, units.geometry.to_numpy())
    geometry = gpd.GeoSeries(shapes, index=units.index, crs=LONLAT_EPSG)
    return units.set_geometry(geometry), np.flatnonzero(is_new)


def _mend(
    coverage: Coverage,
    found: Arrangement,
    log: "_Log",
    *,
    tolerance: float,
    hole_area: float,
    is_exact: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the units that one pass changes, and their new polygons."""
    places = find_places(coverage, found, is_exact=is_exact)
    filled = places.all_faces[found.gap_area[places.all_faces] <= hole_area]
    bars = find_bars(found, filled, reach=tolerance / METRES_PER_DEGREE)
    found = arrange_around(
        coverage, found, places.all_faces, lines=places.lines, bars=bars, is_exact=is_exact
    )
    places = find_places(coverage, found, is_exact=is_exact)
    asked = is_asked(coverage, found, places)
    edges = edges_of(found, coverage.epsg)
    settlement = settle(
        coverage, found, edges, asked=asked, tolerance=tolerance, hole_area=hole_area
    )
    going = asked & (settlement.owner != LEFT)
    concerned = going | is_beside_unmatched(found, places)
    concerned[edges.other[going[edges.face] & (edges.other != NOWHERE)]] = True
    rows, shapes = _rebuild(found, settlement, concerned)
    old = shapely.normalize(coverage.units[rows])
    new = ~shapely.equals_exact(shapely.normalize(shapes), old)
    if new.any():
        log.add(found, settlement)
    return rows[new], shapes[new]


def _rebuild(
    found: Arrangement, settlement: Settlement, concerned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the units with a concerned face, and the union of the faces of each.

    A unit left without any face is not among them: it stays as it is.
    """
    kept = settlement.owner[found.claim_face] == LEFT
    face = np.concatenate([np.flatnonzero(settlement.owner >= 0), found.claim_face[kept]])
    unit = np.concatenate([settlement.owner[settlement.owner >= 0], found.claim_unit[kept]])
    touched = np.concatenate([unit[concerned[face]], found.claim_unit[concerned[found.claim_face]]])
    ours = np.isin(unit, np.intersect1d(touched, found.involved))
    face, unit = face[ours], unit[ours]
    order, _ = runs_of_equal(unit, face)
    face, unit = face[order], unit[order]
    rows, start = np.unique(unit, return_index=True)
    groups = np.split(found.faces[face], start[1:]) if len(rows) else []
    shapes = np.empty(len(rows), dtype=object)
    for k, group in enumerate(groups):
        shapes[k] = _without_crumbs(shapely.coverage_union_all(group))
    return rows, np.asarray(shapely.orient_polygons(shapes))


def _without_crumbs(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape without parts thinner than a hairline, which the next pass gives away."""
    parts = shapely.get_parts(shape)
    wide = 2 * shapely.area(parts) >= CRUMB * shapely.length(parts)
    if not wide.any():
        return shape
    return (
        shapely.Polygon(parts[wide][0])
        if wide.sum() == 1
        else shapely.MultiPolygon(list(parts[wide]))
    )


class _Log:
    """What every unit gave and took so far, m2, and its largest move, m."""

    def __init__(self, n: int) -> None:
        self.given, self.taken, self.move = np.zeros(n), np.zeros(n), np.zeros(n)

    def add(self, found: Arrangement, settlement: Settlement) -> None:
        """Add one pass."""
        owner, area, move = settlement.owner, found.area, settlement.move
        face, unit = found.claim_face, found.claim_unit
        gave = found.at_fault[face] & (owner[face] != LEFT) & (owner[face] != unit)
        np.add.at(self.given, unit[gave], area[face[gave]])
        np.maximum.at(self.move, unit[gave], move[face[gave]])
        new = np.flatnonzero(found.at_fault & (owner >= 0))
        had = set(zip(face.tolist(), unit.tolist(), strict=True))
        took = np.array([f for f in new.tolist() if (f, int(owner[f])) not in had], dtype=np.int64)
        np.add.at(self.taken, owner[took], area[took])
        np.maximum.at(self.move, owner[took], move[took])

    def frame(self, rows: np.ndarray, codes: np.ndarray, level: str) -> pd.DataFrame:
        """Return the rows that were changed as a CHANGES frame."""
        if len(rows) == 0:
            return empty_frame(CHANGES)
        return pd.DataFrame(
            {
                Col.CODE: pd.Series(codes[rows], dtype="str"),
                Col.LEVEL: pd.Series([level] * len(rows), dtype="str"),
                Col.AREA_GIVEN: self.given[rows],
                Col.AREA_TAKEN: self.taken[rows],
                Col.LARGEST_MOVE: self.move[rows],
            }
        )


def _reasons(left: gpd.GeoDataFrame) -> pd.Series:
    """Return the message code of why each fault is still there."""
    asked = {FaultKind.MULTIPART.value: ASKED, FaultKind.HOLE.value: LARGE}
    return pd.Series([asked.get(kind, FAR) for kind in left[Col.KIND]], dtype="str")
