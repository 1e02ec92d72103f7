"""The faces that loose segments and their surroundings enclose, and which units claim each."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geo.topology.coverage import HAIRLINE, NOWHERE, Coverage, in_metres, inner_points
from geo.topology.match import find_loose
from geo.topology.node import Chains, snap_round
from geo.topology.reroute import Rerouting
from geo.topology.segment import (
    LATTICE,
    Segments,
    as_lines,
    keys_of,
    runs_of_equal,
    segments_of,
    steps_of,
    to_degrees,
)

BESIDE: Final = 10 * LATTICE
"""Degrees (10 cm) around a fault in which what is not exact belongs to it."""

ALONG: Final = 0.4
"""Share of its border on a parent's line from which a face lies along it: of a hairline half is,
of a slit that ends there next to nothing."""

_NO_ROWS: Final = np.zeros(0, dtype=np.int64)
_NO_SEGMENTS: Final = Segments(_NO_ROWS, _NO_ROWS, _NO_ROWS, np.zeros((0, 2, 2)))


class State(IntEnum):
    """What a face is: as it should be (settled, or outside everything), or at fault."""

    SETTLED = 0
    OUTSIDE = 1
    GAP = 2
    OVERLAP = 3
    STRAY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Faces around the damaged places of a coverage; none where nothing is loose.

    Attributes
    ----------
    faces : ndarray of Polygon, shape (k,)
        Longitude and latitude on the lattice; an exact coverage.
    state : ndarray of int64, shape (k,)
        `State`.
    above : ndarray of int64, shape (k,)
        Row of the parent each face lies in, `NOWHERE` outside all; 0 without parents.
    claim_face, claim_unit : ndarray of int64, shape (m,)
        Which unit covers which face, sorted by face.
    area, width : ndarray of float64, shape (k,)
        m2 and metres of mean width (2 x area / perimeter) of faces at fault; 0 of the others.
    gap_area : ndarray of float64, shape (k,)
        m2 of the whole gap a face is part of: of all gaps wider than a hairline that border on one
        another, on both sides of the parents' lines; 0 of faces that are no gap.
    involved : ndarray of int64
        Rows of the units whose rings are among the faces' borders.
    on_parent : ndarray of bool, shape (k,)
        Faces at fault that lie along a parent's line.
    unmatched : Segments
        Loose segments that fit once vertices of the neighbour are put into them.
    sides : Segments
        Of the faces at fault.
    other : ndarray of int64, shape (n_sides,)
        The face on the other side of each, `NOWHERE` where there is none.
    units : Segments
        Of all units.
    loose : ndarray of bool
        Those of them that are not in order.
    lines, parents : Segments
        The parents' lines that are not in order: their noded parts, and whole.
    """

    faces: np.ndarray
    state: np.ndarray
    above: np.ndarray
    claim_face: np.ndarray
    claim_unit: np.ndarray
    area: np.ndarray
    width: np.ndarray
    gap_area: np.ndarray
    involved: np.ndarray
    on_parent: np.ndarray
    unmatched: Segments
    sides: Segments
    other: np.ndarray
    units: Segments
    loose: np.ndarray
    lines: Segments
    parents: Segments

    @property
    def at_fault(self) -> np.ndarray:
        """Which faces are a gap, an overlap or astray; bool, shape (k,)."""
        return self.state >= State.GAP

    def claimants(self, face: int) -> np.ndarray:
        """Return the rows of the units that cover a face."""
        first, last = np.searchsorted(self.claim_face, [face, face + 1])
        return self.claim_unit[first:last]


def arrange(coverage: Coverage) -> Arrangement:
    """Return the faces around everything that is not in order.

    Only rings of units with a loose segment, and of those that such a segment crosses, are noded
    and polygonized; every other unit stays out of it.
    """
    units = segments_of(coverage.units)
    parents = None if coverage.parents is None else segments_of(coverage.parents)
    loose = find_loose(units, coverage.above, parents)
    in_cut = loose.units | np.isin(units.owner, coverage.doubtful)
    lines = _NO_SEGMENTS if parents is None else parents.pick(loose.parents)
    return _arrange(coverage, units, in_cut, lines, claimants=_NO_ROWS)


def arrange_around(
    coverage: Coverage,
    found: Arrangement,
    faces: np.ndarray,
    *,
    lines: np.ndarray,
    bars: Segments,
    is_exact: bool,
) -> Arrangement:
    """Return the faces around some places of an arrangement only.

    What else is loose, the rounding of the parents' lines, is left as it is.

    Parameters
    ----------
    coverage : Coverage
    found : Arrangement
        Of all of it.
    faces : ndarray of int64
        Faces at fault.
    lines : ndarray of LineString
        Borders that do not match.
    bars : Segments
        Lines across faces, to cut them.
    is_exact : bool
        Node the parents' lines anew, whole; else their parts as they were noded, so that units
        far along the same line stay out of it.
    """
    places = np.concatenate([found.faces[faces], lines])
    claimants = found.claim_unit[np.isin(found.claim_face, faces)]
    in_cut = found.loose.copy()
    in_cut[in_cut] = beside_any(as_lines(found.units.ends[found.loose]), places)
    parents = found.parents if is_exact else found.lines
    parents = parents.pick(beside_any(as_lines(parents.ends), places))
    return _arrange(coverage, found.units, in_cut, _join(parents, bars), claimants=claimants)


def beside_any(shapes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which shapes lie within `BESIDE` of any of the others."""
    near = np.zeros(len(shapes), dtype=bool)
    near[shapely.STRtree(others).query(shapes, predicate="dwithin", distance=BESIDE)[0]] = True
    return near


def _arrange(
    coverage: Coverage,
    units: Segments,
    loose: np.ndarray,
    lines: Segments,
    *,
    claimants: np.ndarray,
) -> Arrangement:
    """Return the faces around loose segments of the units, lines of the parents, and claimants."""
    in_cut = loose | _near(units, loose, _join(units.pick(loose), lines), coverage)
    cut = _join(units.pick(in_cut), lines)
    order, start = runs_of_equal(cut.low, cut.high)
    once = order[start]
    chains = snap_round(steps_of(cut.low[once]), steps_of(cut.high[once]))
    involved = np.union1d(units.owner[in_cut], claimants)
    faces = _polygonize(chains, units.pick(np.isin(units.owner, involved) & ~in_cut))
    piece = np.empty(len(order), dtype=np.int64)
    piece[order] = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(order))))
    n_units = int(in_cut.sum())
    return _label(
        coverage,
        Rerouting(cut.low[once], cut.high[once], chains),
        faces,
        involved=involved,
        lines=_pieces(chains, np.unique(piece[n_units:])),
        unmatched=units.pick(in_cut).pick(_fits(chains, piece[:n_units])),
        units=units,
        loose=loose,
        parents=lines,
    )


def _join(one: Segments, other: Segments) -> Segments:
    return Segments(
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])
            for name in ("low", "high", "owner", "ends")
        )
    )


def _near(units: Segments, in_cut: np.ndarray, cut: Segments, coverage: Coverage) -> np.ndarray:
    """Return which further segments come within two lattice steps of those to be cut."""
    near = np.zeros(len(units.low), dtype=bool)
    if len(cut.low) == 0:
        return near
    tree = shapely.STRtree(as_lines(cut.ends))
    touched = np.unique(tree.query(coverage.units, predicate="intersects")[0])
    rest = np.flatnonzero(np.isin(units.owner, touched) & ~in_cut)
    lines = as_lines(units.ends[rest])
    found = tree.query(lines, predicate="dwithin", distance=2 * LATTICE)[0]
    near[rest[np.unique(found)]] = True
    return near


def _polygonize(chains: Chains, rest: Segments) -> np.ndarray:
    """Return the faces that noded pieces and segments in order enclose."""
    _, one, other = chains.edges()
    forth = rest.turn == 1
    begin = np.concatenate([keys_of(one), np.where(forth, rest.low, rest.high)])
    end = np.concatenate([keys_of(other), np.where(forth, rest.high, rest.low)])
    order, start = runs_of_equal(np.minimum(begin, end), np.maximum(begin, end))
    once = np.sort(order[start])
    lines = _threads(begin[once], end[once])
    return np.asarray(shapely.get_parts(shapely.polygonize(lines)))


def _threads(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return lines of edges that follow one another, cut where more than two edges meet.

    Fewer and longer lines are polygonized in a fraction of the time.

    Parameters
    ----------
    begin, end : ndarray of int64, shape (n,)
        Vertex keys of each edge, no edge twice.
    """
    node = np.unique(np.concatenate([begin, end]), return_inverse=True)[1]
    degree = np.bincount(node)[node[len(begin) :]]
    follows = np.append(False, (end[:-1] == begin[1:]) & (degree[:-1] == 2))[: len(begin)]
    thread = np.cumsum(~follows) - 1
    first = np.flatnonzero(~follows)
    at = np.insert(end, first, begin[first])
    return np.asarray(
        shapely.linestrings(
            to_degrees(steps_of(at)), indices=np.insert(thread, first, thread[first])
        )
    )


def _fits(chains: Chains, piece: np.ndarray) -> np.ndarray:
    """Return which loose segments of units occur twice in every part once they are noded.

    Parameters
    ----------
    chains : Chains
        Of the different segments.
    piece : ndarray of int64, shape (n,)
        Which of them each segment of a unit is.
    """
    n_different = int(chains.row.max(initial=-1)) + 1
    times = np.bincount(piece, minlength=n_different)
    row, begin, end = chains.edges()
    one, other = keys_of(begin), keys_of(end)
    order, start = runs_of_equal(np.minimum(one, other), np.maximum(one, other))
    if len(order) == 0:
        return np.zeros(len(piece), dtype=bool)
    covered = np.empty(len(order), dtype=np.int64)
    sizes = np.diff(np.append(start, len(order)))
    covered[order] = np.repeat(np.add.reduceat(times[row[order]], start), sizes)
    fits = np.ones(n_different, dtype=bool)
    np.logical_and.at(fits, row, covered == 2)
    return np.asarray(fits[piece] & (times[piece] == 1))


def _pieces(chains: Chains, wanted: np.ndarray) -> Segments:
    """Return the parts of some segments, the parents' lines; nobody owns them."""
    row, begin, end = chains.edges()
    ours = np.isin(row, wanted)
    begin, end = begin[ours], end[ours]
    one, other = keys_of(begin), keys_of(end)
    ends = np.stack([to_degrees(begin), to_degrees(end)], axis=1)
    nobody = np.full(len(ends), NOWHERE, dtype=np.int64)
    return Segments(np.minimum(one, other), np.maximum(one, other), nobody, ends)


def _across(sides: Segments) -> np.ndarray:
    """Return the face on the other side of each segment of the faces, `NOWHERE` for none."""
    order, start = runs_of_equal(sides.low, sides.high)
    twin = start[np.diff(np.append(start, len(order))) == 2]
    one, two = order[twin], order[twin + 1]
    other = np.full(len(order), NOWHERE, dtype=np.int64)
    other[one], other[two] = sides.owner[two], sides.owner[one]
    return other


def _label(
    coverage: Coverage,
    ways: Rerouting,
    faces: np.ndarray,
    *,
    involved: np.ndarray,
    lines: Segments,
    unmatched: Segments,
    units: Segments,
    loose: np.ndarray,
    parents: Segments,
) -> Arrangement:
    inner = inner_points(faces)
    tree = shapely.STRtree(inner)
    unit, face = _holders(tree, coverage.units, ways, involved)
    above = np.zeros(len(faces), dtype=np.int64)
    if coverage.parents is not None:
        rows = np.arange(len(coverage.parents))
        holder, held = _holders(tree, coverage.parents, ways, rows)
        above[:] = NOWHERE
        above[held[::-1]] = holder[::-1]
    is_right = (coverage.above[unit] == above[face]) & (above[face] != NOWHERE)
    state = _states(len(faces), face, is_right, above)
    bad = state >= State.GAP
    area, width = np.zeros(len(faces)), np.zeros(len(faces))
    metric = in_metres(faces[bad], coverage.epsg)
    area[bad] = shapely.area(metric)
    width[bad] = 2 * area[bad] / shapely.length(metric)
    sides = segments_of(faces)
    other = _across(sides)
    ours = bad[sides.owner]
    sides, other = sides.pick(ours), other[ours]
    return Arrangement(
        faces=faces,
        state=state,
        above=above,
        claim_face=face,
        claim_unit=unit,
        area=area,
        width=width,
        gap_area=_gap_areas(state == State.GAP, area, width, sides=sides, other=other),
        involved=involved,
        on_parent=bad & _lie_along(sides, lines, len(faces)),
        unmatched=unmatched,
        sides=sides,
        other=other,
        units=units,
        loose=loose,
        lines=lines,
        parents=parents,
    )


def _gap_areas(
    is_gap: np.ndarray,
    area: np.ndarray,
    width: np.ndarray,
    *,
    sides: Segments,
    other: np.ndarray,
) -> np.ndarray:
    """Return the area of the whole gap that each face is part of; hairlines join nothing."""
    joins = is_gap & (width >= HAIRLINE)
    link = (other != NOWHERE) & joins[sides.owner] & joins[other]
    ends = (sides.owner[link], other[link])
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(len(area), len(area)))
    whole = connected_components(graph, directed=False)[1]
    return np.where(is_gap, np.bincount(whole, area, minlength=len(area))[whole], 0.0)


def _lie_along(sides: Segments, lines: Segments, n_faces: int) -> np.ndarray:
    """Return which faces have more than the share `ALONG` of their border on some lines."""
    along = pd.MultiIndex.from_arrays([lines.low, lines.high])
    on_line = pd.MultiIndex.from_arrays([sides.low, sides.high]).isin(along)
    length = np.hypot(*(sides.ends[:, 1] - sides.ends[:, 0]).T)
    whole = np.bincount(sides.owner, length, minlength=n_faces)
    share = np.bincount(sides.owner, length * on_line, minlength=n_faces)
    return np.asarray(share > ALONG * whole)


def _holders(
    points: shapely.STRtree, polygons: np.ndarray, ways: Rerouting, involved: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which polygons hold which points, sorted by point; those involved are rerouted."""
    others = np.setdiff1d(np.arange(len(polygons)), involved)
    parts, owner = ways.reroute(polygons[involved])
    shapes = np.concatenate([parts, polygons[others]])
    rows = np.concatenate([involved[owner], others])
    shape, point = points.query(shapes, predicate="intersects")
    holder = rows[shape]
    order = np.lexsort((holder, point))
    return holder[order], point[order]


def _states(n_faces: int, face: np.ndarray, is_right: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the `State` of each face from its claims, right where made by the parent's child."""
    n_claims = np.bincount(face, minlength=n_faces)
    n_right = np.bincount(face[is_right], minlength=n_faces)
    state = np.full(n_faces, State.OVERLAP, dtype=np.int64)
    state[n_claims == 1] = State.STRAY
    state[(n_claims == 1) & (n_right == 1)] = State.SETTLED
    state[n_claims == 0] = State.GAP
    state[(n_claims == 0) & (above == NOWHERE)] = State.OUTSIDE
    return state
