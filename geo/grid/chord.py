"""Kernels that split a face along straight chords between its buildings.

A chord joins two points of a face's ring, so that a simple ring falls into two simple rings and
nothing has to be noded. All tests that decide validity are exact integer arithmetic.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from geo.grid.planar import unfold

SNAP: Final = 2.0
"""Metres from a corner within which a chord ends in the corner."""

N_CANDIDATES: Final = 4
"""Gaps between buildings tried per direction."""

MAX_IMBALANCE: Final = 0.7
"""Imbalance of a chord's two sides (0 equal, 1 all on one side) beyond which it is not tried."""

LENGTH_PRICE: Final = 0.35
"""Price of a chord as long as the root of the area, in units of imbalance."""

GAP_GAIN: Final = 0.01
"""Gain per metre of gap between the buildings on both sides, up to `WIDE_GAP`."""

WIDE_GAP: Final = 30.0

TURNS: Final = (0.0, 90.0, 45.0, 135.0, 22.5, 112.5, 67.5, 157.5)
"""Degrees off the face's main direction in which chords are tried; askew only if none fits."""


class Growing(NamedTuple):
    """Vertices and edges of a planar map with room for more.

    Attributes
    ----------
    vertices : ndarray of int64, shape (room, 2)
    edges : ndarray of int64, shape (room, 2)
    halved : ndarray of int64, shape (room,)
        As `planar.unfold` reads it.
    base : ndarray of int64, shape (room, 2)
        Vertices of the edge before any split: new vertices are put on it, so that splitting again
        and again does not bend a line by more than one rounding.
    used : ndarray of int64, shape (2,)
        Vertices and edges in use.
    """

    vertices: np.ndarray
    edges: np.ndarray
    halved: np.ndarray
    base: np.ndarray
    used: np.ndarray


class Site(NamedTuple):
    """Buildings of a face: lattice position, shape (n, 2), and weight."""

    xy: np.ndarray
    weight: np.ndarray


@njit(cache=True)
def ring_vertices(map_: Growing, ring: np.ndarray) -> np.ndarray:
    """Return the vertex each half-edge of a ring starts from."""
    out = np.empty(len(ring), np.int64)
    for k in range(len(ring)):
        out[k] = map_.edges[ring[k] >> 1, ring[k] & 1]
    return out


@njit(cache=True)
def dominant_angle(x: np.ndarray, y: np.ndarray) -> float:
    """Return the direction, modulo a right angle, that most of the ring's length runs in."""
    east, north = 0.0, 0.0
    for k in range(len(x)):
        dx, dy = x[k] - x[k - 1], y[k] - y[k - 1]
        length = np.hypot(dx, dy)
        angle = 4.0 * np.arctan2(dy, dx)
        east += length * np.cos(angle)
        north += length * np.sin(angle)
    return float(np.arctan2(north, east)) / 4.0


@njit(cache=True)
def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> int:
    """Return 1, 0 or -1 as c lies left of, on or right of the line from a to b; exact."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return int(np.sign(cross))


@njit(cache=True)
def _between(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> bool:
    """Say whether c, on the line through a and b, lies between them or on one."""
    return bool(
        min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])
    )


@njit(cache=True)
def _touch(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Say whether the closed segments ab and cd have a point in common; exact."""
    one, two = _turn(a, b, c), _turn(a, b, d)
    three, four = _turn(c, d, a), _turn(c, d, b)
    if one != two and three != four:
        return True
    return (
        (one == 0 and _between(a, b, c))
        or (two == 0 and _between(a, b, d))
        or (three == 0 and _between(c, d, a))
        or (four == 0 and _between(c, d, b))
    )


@njit(cache=True)
def is_clear(ring: np.ndarray, p: np.ndarray, q: np.ndarray) -> bool:
    """Say whether the chord pq meets the ring (its vertices, shape (m, 2)) in p and q only.

    A new end that is not a corner lies within a lattice step of one edge, given as corner too.
    """
    for k in range(len(ring)):
        a, b = ring[k - 1], ring[k]
        at_p = (a[0] == p[0] and a[1] == p[1]) or (b[0] == p[0] and b[1] == p[1])
        at_q = (a[0] == q[0] and a[1] == q[1]) or (b[0] == q[0] and b[1] == q[1])
        if at_p and at_q:
            return False
        if at_p or at_q:
            end = p if at_p else q
            other = b if a[0] == end[0] and a[1] == end[1] else a
            far = q if at_p else p
            if _turn(p, q, other) == 0 and (_between(p, q, other) or _between(end, other, far)):
                return False
        elif _touch(a, b, p, q):
            return False
    return True


@njit(cache=True)
def holds(ring: np.ndarray, x: float, y: float) -> bool:
    """Say whether a ring of lattice points encloses a point."""
    odd = False
    for k in range(len(ring)):
        ax, ay, bx, by = ring[k - 1, 0], ring[k - 1, 1], ring[k, 0], ring[k, 1]
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            odd = not odd
    return odd


@njit(cache=True)
def _end_on(x: np.ndarray, y: np.ndarray, k: int, at: float, snap: float) -> tuple[int, float]:
    """Return where a chord ends on the edge from corner k: a corner, or the edge and a share."""
    m = len(x)
    after = (k + 1) % m
    length = np.hypot(x[after] - x[k], y[after] - y[k])
    if at * length < snap:
        return k, 0.0
    if (1.0 - at) * length < snap:
        return after, 0.0
    return k, at


@njit(cache=True)
def signed_area(ring: np.ndarray) -> float:
    """Return the area of a ring, shape (m, 2), above 0 where it runs counterclockwise."""
    twice = 0.0
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    for k in range(len(ring)):
        twice += float(x[k - 1]) * float(y[k]) - float(x[k]) * float(y[k - 1])
    return twice / 2.0


@njit(cache=True)
def _side_ring(ring: np.ndarray, one: int, p: np.ndarray, other: int, q: np.ndarray) -> np.ndarray:
    """Return p, the corners after `one` up to `other`, and q, in ring order; `one` < `other`."""
    out = np.empty((other - one + 2, 2), np.int64)
    out[0] = p
    out[1:-1] = ring[one + 1 : other + 1]
    out[-1] = q
    return out


@njit(cache=True)
def _gaps(along: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best places for a cut across sorted buildings: position, gap, price."""
    order = np.argsort(along)
    total = weight.sum()
    n = len(order) - 1
    price, where, width = np.full(n, np.inf), np.zeros(n), np.zeros(n)
    before = 0.0
    for k in range(n):
        before += weight[order[k]]
        low, high = along[order[k]], along[order[k + 1]]
        imbalance = abs(2.0 * before / total - 1.0)
        if high - low < 0.5 or imbalance > MAX_IMBALANCE:
            continue
        where[k], width[k] = (low + high) / 2.0, high - low
        price[k] = imbalance - GAP_GAIN * min(width[k], WIDE_GAP)
    best = np.argsort(price)[:N_CANDIDATES]
    best = best[price[best] < np.inf]
    return where[best], width[best], price[best]


@njit(cache=True)
def base_lines(map_: Growing, ring: np.ndarray) -> np.ndarray:
    """Return, per half-edge of a ring, the ends of the unsplit edge under it; shape (m, 2, 2)."""
    out = np.empty((len(ring), 2, 2), np.int64)
    for k in range(len(ring)):
        for end in range(2):
            out[k, end] = map_.vertices[map_.base[ring[k] >> 1, end]]
    return out


@njit(cache=True)
def round_point(ring: np.ndarray, lines: np.ndarray, k: int, at: float) -> np.ndarray:
    """Return the lattice point a share `at` along the edge from corner k, on its base line."""
    out: np.ndarray = ring[k].copy()
    if at <= 0:
        return out
    after, begin = ring[(k + 1) % len(ring)], lines[k, 0]
    dx, dy = lines[k, 1, 0] - begin[0], lines[k, 1, 1] - begin[1]
    x = ring[k, 0] - begin[0] + at * (after[0] - ring[k, 0])
    y = ring[k, 1] - begin[1] + at * (after[1] - ring[k, 1])
    share = (x * dx + y * dy) / (float(dx) * dx + float(dy) * dy)
    out[0] = begin[0] + np.int64(np.rint(share * dx))
    out[1] = begin[1] + np.int64(np.rint(share * dy))
    return out


@njit(cache=True)
def choose_chord(
    ring: np.ndarray, lines: np.ndarray, site: Site, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best chord: both corners, both shares along their edges, and who is inside.

    Parameters
    ----------
    ring : ndarray of int64, shape (m, 2)
    lines : ndarray of int64, shape (m, 2, 2)
        As `base_lines` returns them.
    site : Site
    scale : ndarray of float64, shape (2,)
        Metres per lattice step.
    """
    x, y = (ring[:, 0] - ring[0, 0]) * scale[0], (ring[:, 1] - ring[0, 1]) * scale[1]
    east, north = (site.xy[:, 0] - ring[0, 0]) * scale[0], (site.xy[:, 1] - ring[0, 1]) * scale[1]
    total = site.weight.sum()
    root = np.sqrt(abs(signed_area(ring)) * scale[0] * scale[1])
    angle = dominant_angle(x, y)
    corners, shares = np.full(2, -1), np.zeros(2)
    side, best = np.zeros(len(site.weight), np.bool_), np.inf
    for turn in TURNS:
        if turn % 90 != 0 and best < np.inf:
            break
        c, s = np.cos(angle + np.radians(turn)), np.sin(angle + np.radians(turn))
        where, width, price = _gaps(c * east + s * north, site.weight)
        for choice in range(len(where)):
            if price[choice] >= best:
                break
            off = c * x + s * y - where[choice]
            found = crossings(off, c * y - s * x)
            for k in range(0, len(found) - 1, 2):
                length = found[k + 1, 0] - found[k, 0]
                if price[choice] + LENGTH_PRICE * length / root >= best:
                    continue
                one, at_one = _end_on(x, y, int(found[k, 1]), found[k, 2], SNAP)
                two, at_two = _end_on(x, y, int(found[k + 1, 1]), found[k + 1, 2], SNAP)
                if one > two:
                    one, at_one, two, at_two = two, at_two, one, at_one
                if one == two:
                    continue
                p, q = round_point(ring, lines, one, at_one), round_point(ring, lines, two, at_two)
                half = _side_ring(ring, one, p, two, q)
                inside = np.array([holds(half, point[0], point[1]) for point in site.xy])
                held = site.weight[inside].sum()
                imbalance = abs(2.0 * held / total - 1.0)
                worth = imbalance - GAP_GAIN * min(width[choice], WIDE_GAP)
                worth += LENGTH_PRICE * length / root
                if worth >= best or held <= 0 or held >= total:
                    continue
                if not is_clear(_with_ends(ring, one, at_one, p, two, at_two, q), p, q):
                    continue
                if not _enters(ring, p, q):
                    continue
                best, side = worth, inside
                corners[:] = one, two
                shares[:] = at_one, at_two
    return corners, shares, side


@njit(cache=True)
def _enters(ring: np.ndarray, p: np.ndarray, q: np.ndarray) -> bool:
    """Say whether the middle of a chord that meets the ring only in its ends lies inside."""
    return holds(ring, (p[0] + q[0]) / 2.0, (p[1] + q[1]) / 2.0)


@njit(cache=True)
def _with_ends(  # noqa: PLR0917  (a kernel takes no keywords)
    ring: np.ndarray,
    one: int,
    at_one: float,
    p: np.ndarray,
    two: int,
    at_two: float,
    q: np.ndarray,
) -> np.ndarray:
    """Return the ring with a chord's new ends among its corners."""
    out = np.empty((len(ring) + (at_one > 0) + (at_two > 0), 2), np.int64)
    n = 0
    for k in range(len(ring)):
        out[n] = ring[k]
        n += 1
        if k == one and at_one > 0:
            out[n] = p
            n += 1
        if k == two and at_two > 0:
            out[n] = q
            n += 1
    return out


@njit(cache=True)
def crossings(off: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Return where a ring crosses the line off = 0: place along it, corner before, share."""
    m = len(off)
    out = np.empty((m, 3))
    n = 0
    for k in range(m):
        after = (k + 1) % m
        if (off[k] > 0) != (off[after] > 0):
            at = off[k] / (off[k] - off[after])
            out[n, 0] = along[k] + at * (along[after] - along[k])
            out[n, 1] = k
            out[n, 2] = at
            n += 1
    return out[:n][np.argsort(out[:n, 0])]


@njit(cache=True)
def insert_vertex(map_: Growing, half: int, point: np.ndarray) -> None:
    """Split the edge of a half-edge at a new vertex."""
    vertex, edge = map_.used
    map_.vertices[vertex] = point
    old = half >> 1
    map_.halved[old] = edge
    map_.edges[edge, 0], map_.edges[edge, 1] = map_.edges[old, 0], vertex
    map_.edges[edge + 1, 0], map_.edges[edge + 1, 1] = vertex, map_.edges[old, 1]
    map_.base[edge], map_.base[edge + 1] = map_.base[old], map_.base[old]
    map_.used[0] += 1
    map_.used[1] += 2


@njit(cache=True)
def cut_ring(
    map_: Growing, ring: np.ndarray, corners: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split a ring by a chord; return the ring from the chord's first end, and the rest."""
    xy, lines = map_.vertices[ring_vertices(map_, ring)], base_lines(map_, ring)
    ends = np.empty(2, np.int64)
    for k in range(2):
        corner = corners[k]
        if shares[k] > 0:
            ends[k] = map_.used[0]
            insert_vertex(map_, ring[corner], round_point(xy, lines, corner, shares[k]))
        else:
            ends[k] = map_.edges[ring[corner] >> 1, ring[corner] & 1]
    chord = map_.used[1]
    map_.edges[chord], map_.base[chord] = ends, ends
    map_.used[1] += 1
    ring = unfold(ring, map_.halved)
    first = ring_vertices(map_, ring)
    one, two = np.flatnonzero(first == ends[0])[0], np.flatnonzero(first == ends[1])[0]
    inner = np.append(ring[one:two], 2 * chord + 1)
    outer = np.concatenate((ring[:one], np.array([2 * chord]), ring[two:]))
    return inner, outer
