"""Kernels that cut a face with holes in two: across a hole, from shell to shell.

A line through the hole runs over every ring it meets; the chords between two rings, to the left
and to the right of the hole up to the shell, part the face. Half-edges are linked anew at the
chords' ends and followed round, which joins and splits rings without a case for either.
"""

from typing import Final

import numpy as np
from numba import njit

from geo.grid.chord import (
    Growing,
    base_lines,
    crossings,
    dominant_angle,
    holds,
    insert_vertex,
    is_clear,
    ring_vertices,
    round_point,
    signed_area,
)
from geo.grid.planar import unfold

TRIES: Final = 6
"""Lines tried through a hole: three places in each of two directions."""


@njit(cache=True)
def open_hole(
    map_: Growing, rings: list[np.ndarray], scale: np.ndarray
) -> tuple[bool, list[np.ndarray]]:
    """Cut a face across its first hole.

    Parameters
    ----------
    map_ : Growing
        Gains the chords.
    rings : list of ndarray of int64
        Half-edges of the shell and of each hole, unfolded.
    scale : ndarray of float64, shape (2,)
        Metres per lattice step.

    Returns
    -------
    bool
        Whether it was cut.
    list of ndarray of int64
        All rings after it, in no order.
    """
    corners = [map_.vertices[ring_vertices(map_, ring)] for ring in rings]
    lines = [base_lines(map_, ring) for ring in rings]
    shell, hole = corners[0], corners[1]
    angle = dominant_angle(
        (shell[:, 0] - shell[0, 0]) * scale[0], (shell[:, 1] - shell[0, 1]) * scale[1]
    )
    for attempt in range(TRIES):
        turn = angle + (attempt % 2) * np.pi / 2
        axis = np.array([np.cos(turn), np.sin(turn)]) * scale
        low, high = np.inf, -np.inf
        for point in hole:
            across = axis[0] * (point[0] - shell[0, 0]) + axis[1] * (point[1] - shell[0, 1])
            low, high = min(low, across), max(high, across)
        at = low + (high - low) * (0.5, 0.31, 0.71)[attempt // 2]
        found = _along(corners, axis, at, scale)
        ends = _chords_over(found)
        if len(ends) == 0:
            continue
        done, out = _link(map_, rings, corners, lines, found, ends)
        if done:
            return True, out
    return False, rings


@njit(cache=True)
def _along(corners: list[np.ndarray], axis: np.ndarray, at: float, scale: np.ndarray) -> np.ndarray:
    """Return where a line crosses all rings, in its order: place, corner before, share, ring."""
    rows = np.empty((0, 4))
    base = corners[0][0]
    for ring in range(len(corners)):
        dx, dy = corners[ring][:, 0] - base[0], corners[ring][:, 1] - base[1]
        off = axis[0] * dx + axis[1] * dy - at
        along = axis[0] / scale[0] * dy * scale[1] - axis[1] / scale[1] * dx * scale[0]
        met = crossings(off, along)
        rows = np.concatenate((rows, np.column_stack((met, np.full(len(met), float(ring))))))
    return rows[np.argsort(rows[:, 0])]


@njit(cache=True)
def _chords_over(found: np.ndarray) -> np.ndarray:
    """Return the chords from the shell to hole 1 and on to the shell, as pairs of crossings."""
    ring = found[:, 3].astype(np.int64)
    out = np.empty((len(ring), 2), np.int64)
    n = 0
    seen = {1}
    for way in (-1, 1):
        own = np.flatnonzero(ring == 1)
        at = own[0] if way < 0 else own[-1]
        while True:
            if at + way < 0 or at + way >= len(ring):
                return out[:0]
            out[n, 0], out[n, 1] = at, at + way
            n += 1
            met = ring[at + way]
            if met == 0:
                break
            if met in seen:
                return out[:0]
            seen.add(met)
            same = np.flatnonzero(ring == met)
            at = same[0] if way < 0 else same[-1]
    return out[:n]


@njit(cache=True)
def _link(  # noqa: PLR0917  (a kernel takes no keywords)
    map_: Growing,
    rings: list[np.ndarray],
    corners: list[np.ndarray],
    lines: list[np.ndarray],
    found: np.ndarray,
    chords: np.ndarray,
) -> tuple[bool, list[np.ndarray]]:
    """Insert chords between rings and follow all half-edges round."""
    ends = np.empty(2 * len(chords), np.int64)
    points = np.empty((2 * len(chords), 2), np.int64)
    edges = {np.int64(-1)}
    for k in range(2 * len(chords)):
        crossing = chords[k // 2, k % 2]
        ring, corner = int(found[crossing, 3]), int(found[crossing, 1])
        edge = rings[ring][corner] >> 1
        points[k] = round_point(corners[ring], lines[ring], corner, found[crossing, 2])
        begin, end = map_.vertices[map_.edges[edge, 0]], map_.vertices[map_.edges[edge, 1]]
        if edge in edges or _same(points[k], begin) or _same(points[k], end):
            return False, rings
        edges.add(edge)
    for k in range(0, 2 * len(chords), 2):
        for ring in range(len(rings)):
            if not is_clear(_with_points(corners[ring], found, chords, points, ring),
                            points[k], points[k + 1]):  # fmt: skip
                return False, rings
    for k in range(2 * len(chords)):
        crossing = chords[k // 2, k % 2]
        ends[k] = map_.used[0]
        insert_vertex(map_, rings[int(found[crossing, 3])][int(found[crossing, 1])], points[k])
    return True, _follow(map_, [unfold(ring, map_.halved) for ring in rings], ends)


@njit(cache=True)
def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(a[0] == b[0] and a[1] == b[1])


@njit(cache=True)
def _with_points(
    corners: np.ndarray, found: np.ndarray, chords: np.ndarray, points: np.ndarray, ring: int
) -> np.ndarray:
    """Return a ring's corners with the chords' ends on it among them."""
    new = np.full(len(corners), -1)
    for k in range(len(points)):
        crossing = chords[k // 2, k % 2]
        if int(found[crossing, 3]) == ring:
            new[int(found[crossing, 1])] = k
    out = np.empty((len(corners) + np.sum(new >= 0), 2), np.int64)
    n = 0
    for corner in range(len(corners)):
        out[n] = corners[corner]
        n += 1
        if new[corner] >= 0:
            out[n] = points[new[corner]]
            n += 1
    return out


@njit(cache=True)
def _follow(map_: Growing, rings: list[np.ndarray], ends: np.ndarray) -> list[np.ndarray]:
    """Link chords between pairs of vertices into the rings and return the rings this makes."""
    n = 0
    for ring in rings:
        n += len(ring)
    half = np.empty(n + len(ends), np.int64)
    follows = np.empty(n + len(ends), np.int64)
    n = 0
    for ring in rings:
        half[n : n + len(ring)] = ring
        follows[n : n + len(ring)] = np.arange(n + 1, n + len(ring) + 1)
        follows[n + len(ring) - 1] = n
        n += len(ring)
    first = ring_vertices(map_, half[:n])
    for k in range(0, len(ends), 2):
        chord = map_.used[1]
        map_.edges[chord], map_.base[chord] = ends[k : k + 2], ends[k : k + 2]
        map_.used[1] += 1
        out_p = np.flatnonzero(first == ends[k])[0]
        out_q = np.flatnonzero(first == ends[k + 1])[0]
        in_p = np.flatnonzero(follows[:n] == out_p)[0]
        in_q = np.flatnonzero(follows[:n] == out_q)[0]
        half[n + k], half[n + k + 1] = 2 * chord, 2 * chord + 1
        follows[in_p], follows[n + k] = n + k, out_q
        follows[in_q], follows[n + k + 1] = n + k + 1, out_p
    return _cycles(half, follows, ring_vertices(map_, half))


@njit(cache=True)
def _cycles(half: np.ndarray, follows: np.ndarray, first: np.ndarray) -> list[np.ndarray]:
    """Return the rings that linked half-edges make, each passing every vertex once.

    Where a hole touches the shell in a point, a ring would pass it twice: it is two rings.
    """
    seen = np.zeros(len(half), np.bool_)
    path = np.empty(len(half), np.int64)
    out = [half[:0]]
    for begin in range(len(half)):
        n, at = 0, begin
        while not seen[at]:
            seen[at] = True
            for k in range(n):
                if first[path[k]] == first[at]:
                    out.append(half[path[k:n]])
                    n = k
                    break
            path[n] = at
            n += 1
            at = follows[at]
        if n > 0:
            out.append(half[path[:n]])
    return out[1:]


@njit(cache=True)
def sort_rings(map_: Growing, rings: list[np.ndarray], sign: float) -> list[list[np.ndarray]]:
    """Return one list of rings per shell, the shell first and the holes inside it after it.

    Parameters
    ----------
    sign : float
        Sign of a shell's area.
    """
    corners = [map_.vertices[ring_vertices(map_, ring)] for ring in rings]
    areas = np.array([signed_area(ring) for ring in corners]) * sign
    out = [[rings[k]] for k in range(len(rings)) if areas[k] > 0]
    shells = [corners[k] for k in range(len(rings)) if areas[k] > 0]
    for k in range(len(rings)):
        if areas[k] > 0:
            continue
        for s in range(len(shells)):
            if holds(shells[s], corners[k][0, 0], corners[k][0, 1]):
                out[s].append(rings[k])
                break
    return out
