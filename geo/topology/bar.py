"""Bars across gaps that border on several units, so that each unit gets the part beside it.

Given whole to one neighbour, a gap along the back of two villages would become a tongue of the
one along the other.
"""

import numpy as np
import shapely

from geo.topology.arrange import Arrangement, State
from geo.topology.coverage import NOWHERE
from geo.topology.segment import (
    Segments,
    as_lines,
    keys_of,
    steps_of,
    to_degrees,
    to_lattice,
)


def find_bars(arrangement: Arrangement, faces: np.ndarray, *, reach: float) -> Segments:
    """Return a bar from every place on a gap's border where one neighbour ends and the next begins.

    A bar goes to the nearest place on the rest of the gap's border.

    Parameters
    ----------
    arrangement : Arrangement
    faces : ndarray of int64
        Faces at fault; bars go across the gaps among them.
    reach : float
        Degrees that a bar may span.

    Returns
    -------
    Segments
        Nobody owns them.
    """
    unit = _unit_across(arrangement)
    bars = [np.zeros((0, 2, 2))]
    for face in faces[arrangement.state[faces] == State.GAP].tolist():
        first, last = np.searchsorted(arrangement.sides.owner, [face, face + 1])
        ends, beside = arrangement.sides.ends[first:last], unit[first:last]
        if len(np.unique(beside[beside != NOWHERE])) > 1:
            bars.append(_across(ends, beside, reach))
    ends = to_lattice(np.concatenate(bars).reshape(-1, 2))
    keys = keys_of(ends).reshape(-1, 2)
    keys = keys[keys[:, 0] != keys[:, 1]]
    low, high = keys.min(axis=1), keys.max(axis=1)
    ends = np.stack([to_degrees(steps_of(low)), to_degrees(steps_of(high))], axis=1)
    return Segments(low, high, np.full(len(low), NOWHERE, dtype=np.int64), ends)


def _unit_across(arrangement: Arrangement) -> np.ndarray:
    """Return the unit on the other side of each segment of the faces; `NOWHERE` for none."""
    single = arrangement.state[arrangement.claim_face] == State.SETTLED
    unit = np.full(len(arrangement.faces) + 1, NOWHERE, dtype=np.int64)
    unit[arrangement.claim_face[single]] = arrangement.claim_unit[single]
    return np.asarray(unit[arrangement.other])  # of NOWHERE: the last, which is nobody's


def _across(ends: np.ndarray, unit: np.ndarray, reach: float) -> np.ndarray:
    """Return the bars of one face, float64, shape (n, 2, 2)."""
    before = np.roll(np.arange(len(ends)), 1)
    joined = (ends[before, 1] == ends[:, 0]).all(axis=1)
    changes = joined & (unit != unit[before]) & (unit != NOWHERE) & (unit[before] != NOWHERE)
    bars = []
    for row in np.flatnonzero(changes):
        opposite = (unit != unit[row]) & (unit != unit[before[row]])
        if opposite.any():
            far = shapely.union_all(as_lines(ends[opposite]))
            bar = shapely.shortest_line(shapely.Point(ends[row, 0]), far)
            if bar.length <= reach:
                bars.append(shapely.get_coordinates(bar))
    return np.array(bars).reshape(-1, 2, 2)
