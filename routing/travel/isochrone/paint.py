"""Paint the streets reached in time onto a grid: metres from each grid corner to the nearest one.

A limit's layer holds whole metres. Whole, so that two limits either agree on a corner or differ by
a metre: outlines then share a vertex or keep it a centimetre apart, and never cross.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.hierarchy.kernel import FAR, Ints, kernel
from routing.network import ArcTimes, Network

SIDE: Final = 50.0
"""Metres between grid lines."""

SPACING: Final = 25.0
"""Most metres between two samples of a street: half a cell moves an outline by 1 m at most."""

WIDTH: Final = 75.0
"""Metres beside a reached street that count as reached: a plot's depth, and the streets of a town,
under 150 m apart, close up; a field, a lake or a river without a street within it stays open."""

UNPAINTED: Final = int(WIDTH + SIDE)
"""Metres of a corner out of reach: no edge of a cell runs from inside to farther out than this."""

Floats = NDArray[np.float64]
Field = NDArray[np.uint8]
"""Metres to the nearest reached sample, shape (n_limits, n_rows, n_columns); south to north."""


class Streets(NamedTuple):
    """Segments as the painter wants them, in one mode."""

    run: Ints
    """Milliseconds from end to end, shape (n_segments,)."""
    is_open: NDArray[np.bool_]
    """Along and against the line, shape (n_segments, 2)."""
    offsets: NDArray[np.int64]
    xy: Floats
    measure: Floats


class Starts(NamedTuple):
    """Origins of one painting, as points on segments."""

    segment: Ints
    fraction: Floats


def streets_of(network: Network, times: ArcTimes) -> Streets:
    """Return a network's segments with one mode's times."""
    is_open = (times.whole < FAR).reshape(-1, 2)
    return Streets(times.run, is_open, network.offsets, network.xy, network.measure)


def paint_reached(
    streets: Streets, at_ends: Ints, starts: Starts, limits: Ints
) -> tuple[Floats, Field]:
    """Return the distance from grid corners to the streets reached within each limit.

    Parameters
    ----------
    streets : Streets
    at_ends : ndarray of int32, shape (n_segments, 2)
        Milliseconds at which first and last point of each segment are reached; FAR for never.
    starts : Starts
        Streets between two origins' own ends are reached from there.
    limits : ndarray of int32, shape (n_limits,)
        Milliseconds, ascending.

    Returns
    -------
    corner : ndarray of float64, shape (2,)
        Metres of the south-west grid corner: a multiple of SIDE, so that neighbours' grids match.
    field : ndarray of uint8, shape (n_limits, n_rows, n_columns)
    """
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    stretch(streets, at_ends, starts.segment, limits[-1], bounds)
    corner = (np.floor(bounds[:2] / SIDE) - 4) * SIDE
    n_columns, n_rows = (np.ceil((bounds[2:] - corner) / SIDE) + 5).astype(np.int64)
    field = np.full((len(limits), n_rows, n_columns), UNPAINTED, np.uint8)
    paint(streets, at_ends, limits, corner, field)
    paint_own(streets, starts, limits, corner, field)
    for earlier, later in pairwise(field):
        np.minimum(earlier, later, out=later)
    return corner, field


@kernel
def stretch(streets: Streets, at_ends: Ints, own: Ints, limit: int, bounds: Floats) -> None:
    """Widen `bounds` to every segment of which a part may be reached: west, south, east, north."""
    for s in range(len(streets.run)):
        if min(at_ends[s, 0], at_ends[s, 1]) <= limit:
            _widen(streets, s, bounds)
    for s in own:
        _widen(streets, s, bounds)


@kernel
def _widen(streets: Streets, s: int, bounds: Floats) -> None:
    for i in range(streets.offsets[s], streets.offsets[s + 1]):
        for axis in range(2):
            bounds[axis] = min(bounds[axis], streets.xy[i, axis])
            bounds[2 + axis] = max(bounds[2 + axis], streets.xy[i, axis])


@kernel
def paint(streets: Streets, at_ends: Ints, limits: Ints, corner: Floats, field: Field) -> None:
    """Paint every sample that is reached over an end of its segment."""
    for s in range(len(streets.run)):
        along = at_ends[s, 0] if streets.is_open[s, 0] else FAR
        against = at_ends[s, 1] if streets.is_open[s, 1] else FAR
        if min(along, against) > limits[-1]:
            continue
        n = _n_steps(streets, s)
        i = streets.offsets[s]
        for k in range(n + 1):
            done = streets.run[s] * (k / n)
            time = min(along + done, against + streets.run[s] - done)
            if time <= limits[-1]:
                i, x, y = _along(streets, s, i, k / n)
                _dab(x - corner[0], y - corner[1], field[_first_limit(limits, time)])


@kernel
def paint_own(streets: Streets, starts: Starts, limits: Ints, corner: Floats, field: Field) -> None:
    """Paint the samples that an origin reaches without leaving its segment, its own point first."""
    for o in range(len(starts.segment)):
        s, origin = starts.segment[o], starts.fraction[o]
        _, x, y = _along(streets, s, streets.offsets[s], origin)
        _dab(x - corner[0], y - corner[1], field[0])
        n = _n_steps(streets, s)
        i = streets.offsets[s]
        for k in range(n + 1):
            ahead = k / n - origin
            time = streets.run[s] * abs(ahead)
            if time <= limits[-1] and streets.is_open[s, 0 if ahead >= 0.0 else 1]:
                i, x, y = _along(streets, s, i, k / n)
                _dab(x - corner[0], y - corner[1], field[_first_limit(limits, time)])


@kernel
def _n_steps(streets: Streets, s: int) -> int:
    length = streets.measure[streets.offsets[s + 1] - 1]
    return max(1, int(np.ceil(length / SPACING)))


@kernel
def _first_limit(limits: Ints, time: float) -> int:
    k = 0
    while time > limits[k]:
        k += 1
    return k


@kernel
def _along(streets: Streets, s: int, i: int, fraction: float) -> tuple[int, float, float]:
    """Return the point at a share of a segment's length, and the vertex before it.

    Parameters
    ----------
    i : int
        A vertex of segment `s` that lies before the point.
    """
    last = streets.offsets[s + 1] - 1
    at = fraction * streets.measure[last]
    while i < last - 1 and streets.measure[i + 1] < at:
        i += 1
    step = streets.measure[i + 1] - streets.measure[i]
    share = (at - streets.measure[i]) / step if step > 0.0 else 0.0
    (x, y), (next_x, next_y) = streets.xy[i], streets.xy[i + 1]
    return i, x + share * (next_x - x), y + share * (next_y - y)


@kernel
def _dab(x: float, y: float, layer: Field) -> None:
    """Paint one sample, `x` and `y` in metres from the corner."""
    x, y, reach = x / SIDE, y / SIDE, UNPAINTED / SIDE
    for row in range(int(np.ceil(y - reach)), int(np.floor(y + reach)) + 1):
        for column in range(int(np.ceil(x - reach)), int(np.floor(x + reach)) + 1):
            metres = np.uint8(SIDE * np.sqrt((column - x) ** 2 + (row - y) ** 2) + 0.5)
            layer[row, column] = min(layer[row, column], metres)
