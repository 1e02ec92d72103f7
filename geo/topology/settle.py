"""Which unit each face at fault goes to, and how far borders move by it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geo.topology.arrange import Arrangement, State
from geo.topology.coverage import HAIRLINE, NOWHERE, Coverage, in_metres
from geo.topology.segment import as_lines, runs_of_equal

PENDING: Final = -2
LEFT: Final = -3
"""Stays as it is: with all the units that cover it, or none."""

ROUNDS: Final = 20
"""Faces that border on no settled one wait for their neighbours this many times."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Segments of the faces of an arrangement, each once for every face.

    Attributes
    ----------
    face, other : ndarray of int64, shape (n,)
        The face, and the one on the other side; `NOWHERE` where there is none.
    line : ndarray of LineString, shape (n,)
        In metres.
    """

    face: np.ndarray
    other: np.ndarray
    line: np.ndarray


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who each face goes to.

    Attributes
    ----------
    owner : ndarray of int64, shape (k,)
        Row of the unit, `NOWHERE` where none is to have it, `LEFT` where it stays as it is.
    move : ndarray of float64, shape (k,)
        Metres the farthest piece of a border moves when the face goes to its owner, together
        with the neighbouring faces that go there too; 0 of faces that were settled before.
    """

    owner: np.ndarray
    move: np.ndarray


def edges_of(arrangement: Arrangement, epsg: int) -> Edges:
    """Return the segments of the faces that lie on a face at fault."""
    sides = arrangement.sides
    return Edges(sides.owner, arrangement.other, in_metres(as_lines(sides.ends), epsg, in_one=True))


def settle(
    coverage: Coverage,
    arrangement: Arrangement,
    edges: Edges,
    *,
    asked: np.ndarray,
    tolerance: float,
    hole_area: float,
) -> Settlement:
    """Return who each face goes to; faces that are not `asked` about stay as they are.

    What lies outside every parent goes to nobody. An overlap goes to one of the units that cover
    it: to the only child of the parent it lies in, else to one that has nothing besides, else to
    the one with the longest border on it. A gap goes to the neighbour of its parent with the
    longest border on it. A gap that as a whole is larger than `hole_area`, and any face whose
    going would move a border by more than `tolerance` metres, stays as it is.
    """
    is_left = arrangement.gap_area > hole_area
    is_left |= arrangement.at_fault & ~asked
    while True:
        owner = _share_out(coverage, arrangement, edges, is_left)
        move = _moves(arrangement, edges, owner)
        too_far = (move > tolerance) & ~is_left
        if not too_far.any():
            return Settlement(owner, move)
        is_left = is_left | too_far


def _share_out(
    coverage: Coverage, arrangement: Arrangement, edges: Edges, is_left: np.ndarray
) -> np.ndarray:
    n_units = len(coverage.units)
    owner = np.full(len(arrangement.faces), PENDING, dtype=np.int64)
    owner[arrangement.state == State.OUTSIDE] = NOWHERE
    face, unit = arrangement.claim_face, arrangement.claim_unit
    single = arrangement.state[face] == State.SETTLED
    owner[face[single]] = unit[single]
    pending = arrangement.at_fault
    owner[pending & (arrangement.above == NOWHERE)] = NOWHERE
    is_right = pending[face] & (coverage.above[unit] == arrangement.above[face])
    is_right &= arrangement.above[face] != NOWHERE
    face, unit = face[is_right], unit[is_right]
    _give_single(owner, face, unit)
    owner[is_left] = LEFT
    _give_homeless(owner, face, unit)
    claims = np.unique(face * n_units + unit)
    is_claimed = np.isin(np.arange(len(owner)), face)
    length = shapely.length(edges.line)
    for _ in range(ROUNDS):
        giver = np.where(edges.other == NOWHERE, NOWHERE, owner[edges.other])
        ask = (owner[edges.face] == PENDING) & (giver >= 0)
        who, to, metres = edges.face[ask], giver[ask], length[ask]
        allowed = np.where(
            is_claimed[who],
            np.isin(who * n_units + to, claims),
            coverage.above[to] == arrangement.above[who],
        )
        who, to, metres = who[allowed], to[allowed], metres[allowed]
        if len(who) == 0:
            break
        _give_longest(owner, who, to, metres)
    owner[owner == PENDING] = LEFT
    return owner


def _give_single(owner: np.ndarray, face: np.ndarray, unit: np.ndarray) -> None:
    """Give a face to the only child of its parent that covers it."""
    alone = np.bincount(face, minlength=len(owner))[face] == 1
    waits = owner[face] == PENDING
    owner[face[alone & waits]] = unit[alone & waits]


def _give_homeless(owner: np.ndarray, face: np.ndarray, unit: np.ndarray) -> None:
    """Give a face to the only one of its claimants that has no face besides."""
    homeless = ~np.isin(unit, owner[owner >= 0])
    face, unit = face[homeless], unit[homeless]
    _give_single(owner, face, unit)


def _give_longest(owner: np.ndarray, who: np.ndarray, to: np.ndarray, metres: np.ndarray) -> None:
    """Give each face to the neighbour with the longest border on it, the first among equals."""
    order, start = runs_of_equal(who, to)
    total = np.add.reduceat(metres[order], start)
    who, to = who[order[start]], to[order[start]]
    best = np.lexsort((to, -total, who))
    first = np.flatnonzero(np.append(True, np.diff(who[best]) != 0))
    owner[who[best[first]]] = to[best[first]]


def _moves(arrangement: Arrangement, edges: Edges, owner: np.ndarray) -> np.ndarray:
    """Return how far a border moves when each face goes to its owner; float64, shape (k,).

    Neighbouring faces that go to the same unit are one place. The border it had with that unit
    vanishes, the rest of its border is new: the move is the Hausdorff distance of the two. Where
    one of them is nothing (a hole that closes, a unit cut out of another), it is the diameter of
    the largest circle inside. Across a hairline, however long, it is at most twice its mean width,
    the height of a triangle.
    """
    move = np.zeros(len(owner))
    going = arrangement.at_fault & (owner != LEFT)
    place = _places(going, edges, owner)
    other_owner = np.where(edges.other == NOWHERE, NOWHERE, owner[edges.other])
    inside = going[edges.face]
    joined = np.where(edges.other == NOWHERE, False, going[edges.other])
    inside &= ~(joined & (place[edges.other] == place[edges.face]))
    vanishes = inside & (other_owner == owner[edges.face])
    gone, n_gone = _gather(edges.line[vanishes], place[edges.face[vanishes]], len(owner))
    stays = inside & ~vanishes
    new, n_new = _gather(edges.line[stays], place[edges.face[stays]], len(owner))
    both = (n_gone > 0) & (n_new > 0)
    by_place = np.zeros(len(owner))
    by_place[both] = shapely.hausdorff_distance(gone[both], new[both], densify=0.5)
    one = (n_gone > 0) ^ (n_new > 0)
    if one.any():
        filled = shapely.convex_hull(np.where(n_gone > 0, gone, new)[one])
        by_place[one] = 2 * shapely.length(shapely.maximum_inscribed_circle(filled))
    move[going] = by_place[place[going]]
    return np.where(arrangement.width < HAIRLINE, np.minimum(move, 2 * arrangement.width), move)


def _places(going: np.ndarray, edges: Edges, owner: np.ndarray) -> np.ndarray:
    """Return a number for each face, the same for neighbours that go to the same unit."""
    n = len(owner)
    link = (edges.other != NOWHERE) & going[edges.face]
    one, other = edges.face[link], edges.other[link]
    same = going[other] & (owner[one] == owner[other])
    ones = np.ones(int(same.sum()), dtype=np.int8)
    graph = coo_matrix((ones, (one[same], other[same])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _gather(lines: np.ndarray, place: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines of each place as one MultiLineString, and how many they are."""
    out = np.full(n, None, dtype=object)
    count = np.bincount(place, minlength=n)
    if len(lines):
        order = np.argsort(place, kind="stable")
        some = np.flatnonzero(count)
        rank = np.cumsum(count > 0) - 1
        out[some] = shapely.multilinestrings(lines[order], indices=rank[place[order]])
    return out, count
