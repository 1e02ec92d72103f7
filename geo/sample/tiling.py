"""Townships and villages as unions of atoms, each in one part by construction.

A unit grows along shortest paths from its seed atom; roads and water cost extra to cross, so that
borders come to lie on them. An additive head start per seed is balanced until areas are near their
targets. It is a Voronoi diagram on a graph, and every cell of one is connected.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.sample import exact
from geo.sample.atoms import Atoms
from geo.sample.exact import Floats
from geo.sample.layout import nearest_rows, weighted_centres
from geo.sample.lines import Bools, Ints, Shapes
from geo.sample.register import STATISTICAL_UNIT, County, Unit
from geo.sample.settlements import Seats
from geo.sample.stream import Stream

_BARRIER_COST: Final = 4.0
_VILLAGE_BARRIER_COST: Final = 2.0
_ZONE_COST: Final = 1e7
_ROUNDS: Final = 20
_HEAD_START: Final = 0.8
_NOTCH: Final = 0.6
"""An atom goes over to the neighbour that holds more than this share of its border."""

_MARKET_AREA: Final = 400_000.0
"""m2 of the statistical unit, a wholesale market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Units of the register as polygons of the plane.

    Attributes
    ----------
    counties, townships, villages : tuple of Unit
        `townships` end with the statistical unit where there is one.
    county_shape, township_shape, village_shape : ndarray of Polygon
    county_of, township_of : ndarray of int64
        Row of the county of each township, of the township of each village.
    village : ndarray of int64
        Row of the village of each atom.
    """

    counties: tuple[Unit, ...]
    townships: tuple[Unit, ...]
    villages: tuple[Unit, ...]
    county_shape: Shapes
    township_shape: Shapes
    village_shape: Shapes
    county_of: Ints
    township_of: Ints
    village: Ints


def tile(counties: tuple[County, ...], seats: list[Seats], atoms: Atoms, *, seed: int) -> Tiling:
    """Share the atoms out among the townships, and within each among its villages."""
    townships = [unit for seat in seats for unit in seat.units]
    county_of = [row for row, seat in enumerate(seats) for _ in seat.units]
    township = _grow_townships(counties, seats, atoms, _gaps(atoms, seed=seed))
    for row, county in enumerate(counties):
        for unit in county.extra:
            _carve(township, len(townships), atoms, seats[row].xy[0])
            townships.append(unit)
            county_of.append(row)
    register = [counties[c].villages[u.code] for c, u in zip(county_of, townships, strict=True)]
    village, township_of = _grow_villages(townships, register, township, atoms, seed=seed)
    village_shape = dissolved(atoms.shape, village, len(township_of))
    township_shape = dissolved(village_shape, township_of, len(townships))
    return Tiling(
        counties=tuple(Unit(code=county.code, name=county.name) for county in counties),
        townships=tuple(townships),
        villages=tuple(unit for units in register for unit in units),
        county_shape=dissolved(township_shape, np.array(county_of), len(counties)),
        township_shape=township_shape,
        village_shape=village_shape,
        county_of=np.array(county_of, dtype=np.int64),
        township_of=township_of,
        village=village,
    )


def _gaps(atoms: Atoms, *, seed: int) -> Floats:
    """Return the cost of going from one atom to its neighbour: metres, made uneven."""
    noise = 0.8 + 0.45 * Stream(seed, "borders").uniforms(len(atoms.pairs))
    away = atoms.centre[atoms.pairs[:, 0]] - atoms.centre[atoms.pairs[:, 1]]
    return np.asarray(exact.norm(away) * noise)


def _grow(n: int, pairs: Ints, cost: Floats, seeds: Ints, start: Floats) -> Ints:
    """Return the seed each atom is nearest to, by path cost plus the seed's start cost."""
    k = len(seeds)
    sources = np.arange(n, n + k)
    tail = np.concatenate([pairs[:, 0], pairs[:, 1], sources])
    head = np.concatenate([pairs[:, 1], pairs[:, 0], seeds])
    value = np.concatenate([cost, cost, np.maximum(start, 0.0) + 1.0])
    graph = coo_matrix((value, (tail, head)), shape=(n + k, n + k)).tocsr()
    found = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)[2]
    return np.asarray(found[:n] - n, dtype=np.int64)


def _grow_townships(
    counties: tuple[County, ...], seats: list[Seats], atoms: Atoms, gap: Floats
) -> Ints:
    """Return the township row of each atom."""
    xy = np.concatenate([seat.xy for seat in seats])
    is_urban = np.concatenate([seat.is_urban for seat in seats])
    county = np.repeat(np.arange(len(seats)), [len(seat.units) for seat in seats])
    n_villages = np.array(
        [
            len(counties[c].villages[unit.code])
            for c, seat in enumerate(seats)
            for unit in seat.units
        ]
    )
    seeds = _seed_atoms(atoms, xy, county, is_urban)
    target = _target_areas(atoms, county, is_urban, n_villages)
    apart = exact.norm(xy[:, None] - xy[None])
    crosses_zone = atoms.is_town[atoms.pairs[:, 0]] != atoms.is_town[atoms.pairs[:, 1]]
    cost = gap * np.where(atoms.is_barrier, _BARRIER_COST, 1.0) + _ZONE_COST * crosses_zone
    start = np.full(len(seeds), 4000.0)
    for _ in range(_ROUNDS):
        label = _grow(len(atoms), atoms.pairs, cost, seeds, start)
        held = np.bincount(label, atoms.area, len(seeds))
        start = start + 0.5 * (np.sqrt(held) - np.sqrt(target))
        start = (start[None] + _HEAD_START * apart).min(axis=1)
        start = start - start.min()
    label = _grow(len(atoms), atoms.pairs, cost, seeds, start)
    return _smoothed(label, atoms, seeds, np.zeros(len(atoms), dtype=np.int64))


def _seed_atoms(atoms: Atoms, xy: Floats, county: Ints, is_urban: Bools) -> Ints:
    """Return an atom of its own for each centre, in its county and on its side of a town's edge."""
    seeds: list[int] = []
    for point, row, urban in zip(xy, county, is_urban, strict=True):
        fits = (atoms.county == row) & (atoms.is_town == urban)
        fits[seeds] = False
        rows = np.flatnonzero(fits)
        seeds.append(int(rows[np.argmin(exact.norm(atoms.centre[rows] - point))]))
    return np.array(seeds, dtype=np.int64)


def _target_areas(atoms: Atoms, county: Ints, is_urban: Bools, n_villages: Ints) -> Floats:
    """Share a town's area equally, the country by the number of villages, much damped."""
    target = np.zeros(len(county))
    for row in range(int(county.max()) + 1):
        for urban in (True, False):
            mine = (county == row) & (is_urban == urban)
            weight = exact.power(n_villages[mine], 0.0 if urban else 0.3)
            zone = (atoms.county == row) & (atoms.is_town == urban)
            target[mine] = atoms.area[zone].sum() * weight / max(weight.sum(), 1.0)
    return target


def _smoothed(label: Ints, atoms: Atoms, seeds: Ints, group: Ints) -> Ints:
    """Flip notches: atoms that share most of their border with another unit of their group."""
    label = label.copy()
    is_seed = np.zeros(len(atoms), dtype=np.bool_)
    is_seed[seeds] = True
    same = group[atoms.pairs[:, 0]] == group[atoms.pairs[:, 1]]
    same &= atoms.is_town[atoms.pairs[:, 0]] == atoms.is_town[atoms.pairs[:, 1]]
    pairs, border = atoms.pairs[same], atoms.border[same]
    for _ in range(3):
        best, share = _strongest_neighbour(label, pairs, border, len(atoms))
        flips = (best != label) & (share > _NOTCH) & ~is_seed
        first = flips[pairs].all(axis=1)
        flips[pairs[first].max(axis=1)] = False
        label[flips] = best[flips]
        label = _reattached(label, pairs, border, seeds)
    return label


def _strongest_neighbour(label: Ints, pairs: Ints, border: Floats, n: int) -> tuple[Ints, Floats]:
    """Return the unit that holds most of each atom's border, and its share of it."""
    atom = np.concatenate([pairs[:, 0], pairs[:, 1]])
    other = label[np.concatenate([pairs[:, 1], pairs[:, 0]])]
    n_labels = int(label.max()) + 1
    key, row = np.unique(atom * n_labels + other, return_inverse=True)
    length = np.bincount(row, np.concatenate([border, border]))
    order = np.lexsort((key, -length, key // n_labels))
    owner = key[order] // n_labels
    first = np.concatenate([[True], owner[1:] != owner[:-1]])
    best = label.copy()
    best[owner[first]] = key[order][first] % n_labels
    share = np.zeros(n)
    share[owner[first]] = length[order][first]
    return best, share / np.maximum(np.bincount(atom, np.concatenate([border, border]), n), 1e-9)


def _reattached(label: Ints, pairs: Ints, border: Floats, seeds: Ints) -> Ints:
    """Give parts cut off from their unit's seed to the neighbour with the longest border."""
    n = len(label)
    for _ in range(50):
        inner = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
        graph = coo_matrix((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(n, n))
        part = connected_components(graph, directed=False)[1]
        stray = part != part[seeds][label]
        if not stray.any():
            break
        kept = ~(stray[pairs].all(axis=1))
        best, _ = _strongest_neighbour(
            np.where(stray, label.max() + 1, label), pairs[kept], border[kept], n
        )
        moves = stray & (best <= label.max()) & (best != label)
        if not moves.any():
            break
        label = np.where(moves, best, label)
    return label


def _carve(label: Ints, new: int, atoms: Atoms, near: Floats) -> None:
    """Take the statistical unit out of a subdistrict, from its border inwards, in place."""
    pairs = atoms.pairs
    across = (label[pairs[:, 0]] != label[pairs[:, 1]]) & atoms.is_town[pairs].all(axis=1)
    rim = np.unique(pairs[across])
    rim = rim[label[rim] == label[_nearest_atom(atoms, near)]]
    start = int(rim[np.argmin(exact.norm(atoms.centre[rim] - near))])
    inner = (label[pairs] == label[start]).all(axis=1) & atoms.is_town[pairs].all(axis=1)
    gap = exact.norm(atoms.centre[pairs[inner, 0]] - atoms.centre[pairs[inner, 1]])
    n = len(atoms)
    graph = coo_matrix((gap, (pairs[inner, 0], pairs[inner, 1])), shape=(n, n)).tocsr()
    far = dijkstra(graph, directed=False, indices=np.array([start]))[0]
    order = np.argsort(far, kind="stable")
    n_taken = int(np.searchsorted(np.cumsum(atoms.area[order]), _MARKET_AREA)) + 1
    rest = int(label[start])
    label[order[:n_taken]] = new
    _close_gaps(label, rest, new, pairs)


def _nearest_atom(atoms: Atoms, xy: Floats) -> int:
    return int(np.argmin(exact.norm(atoms.centre - xy)))


def _close_gaps(label: Ints, rest: int, new: int, pairs: Ints) -> None:
    """Give the new unit what it has cut off from the old one's largest part, in place."""
    inner = pairs[(label[pairs] == rest).all(axis=1)]
    n = len(label)
    graph = coo_matrix((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(n, n))
    part = connected_components(graph, directed=False)[1]
    mine = np.flatnonzero(label == rest)
    largest = np.bincount(part[mine]).argmax()
    label[mine[part[mine] != largest]] = new


def _grow_villages(
    townships: list[Unit],
    register: list[tuple[Unit, ...]],
    township: Ints,
    atoms: Atoms,
    *,
    seed: int,
) -> tuple[Ints, Ints]:
    """Return the village row of each atom and the township row of each village."""
    seeds: list[int] = []
    township_of: list[int] = []
    for row, unit in enumerate(townships):
        rows = np.flatnonzero(township == row)
        found = village_seeds(rows, atoms, len(register[row]), Stream(seed, "villages", unit.code))
        seeds += found
        township_of += [row] * len(found)
    village = divided(township, np.array(seeds, dtype=np.int64), atoms, seed=seed)
    return village, np.array(township_of, dtype=np.int64)


def divided(zone: Ints, seeds: Ints, atoms: Atoms, *, seed: int) -> Ints:
    """Divide zones among seed atoms, and return the row of the seed each atom went to.

    Parameters
    ----------
    zone : ndarray of int64, shape (n,)
        Zone of each atom; in one piece, with one seed or more.
    seeds : ndarray of int64
    """
    inner = zone[atoms.pairs[:, 0]] == zone[atoms.pairs[:, 1]]
    cost = _gaps(atoms, seed=seed) * np.where(atoms.is_barrier, _VILLAGE_BARRIER_COST, 1.0)
    label = _grow(len(atoms), atoms.pairs[inner], cost[inner], seeds, np.zeros(len(seeds)))
    return _smoothed(label, atoms, seeds, zone)


def village_seeds(rows: Ints, atoms: Atoms, n: int, stream: Stream) -> list[int]:
    """Return n different atoms spread over a township; the largest ones fill what is missing."""
    centre, area = atoms.centre[rows], atoms.area[rows]
    spread = weighted_centres(centre, area, min(n, len(rows)), rounds=4, stream=stream)
    chosen = list(dict.fromkeys(nearest_rows(centre, spread).tolist()))
    for row in np.argsort(-area, kind="stable").tolist():
        if len(chosen) >= n:
            break
        if row not in chosen:
            chosen.append(row)
    if len(chosen) < n:
        msg = f"{n} villages for {len(rows)} atoms"
        raise AssertionError(msg)
    return [int(rows[row]) for row in chosen]


def dissolved(shapes: Shapes, label: Ints, n: int) -> Shapes:
    """Return the union of each label's polygons; polygons are an edge-matched coverage."""
    order = np.argsort(label, kind="stable")
    cuts = np.cumsum(np.bincount(label, minlength=n))[:-1]
    return np.array(
        [shapely.coverage_union_all(shapes[rows]) for rows in np.split(order, cuts)], dtype=object
    )


def is_statistical_unit(unit: Unit) -> bool:
    """Return whether a unit of the register, or its parent, is the statistical unit."""
    return unit.code.startswith(STATISTICAL_UNIT)
