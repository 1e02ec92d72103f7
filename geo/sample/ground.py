"""The streets that points are scattered on: places along them, density, the county they are in.

Needs nothing but lines and classes, so it serves the sample's streets and a user's own alike.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.lines import Bools, Ints, Rank, Shapes, midpoints
from geo.sample.stream import Stream

CELL: Final = 250.0
"""Side of the density raster's cells, metres."""

BUILT_UP: Final = 4.0
"""km of streets per km2 over about 1.5 km from which an area counts as built up."""

_EDGE_ROOM: Final = 20.0
_TOWN_RADIUS: Final = 2
_CITY_RADIUS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Streets as points are scattered on them.

    Attributes
    ----------
    rank : ndarray of int64, shape (n,)
    length : ndarray of float64, shape (n,)
        Metres.
    middle : ndarray of float64, shape (n, 2)
    density : ndarray of float64, shape (n,)
        km of streets per km2 round the middle; country roads do not count.
    centrality : ndarray of float64, shape (n,)
        0 to 1: density over a wider circle, against the densest place.
    group : ndarray of int64, shape (n,)
        Row of the county; totals are kept by county.
    at_edge : ndarray of bool, shape (n,)
        Closer than 20 m to the outer border: points stay on the line itself.
    vertices : ndarray of float64, shape (m, 2)
    reached : ndarray of float64, shape (m,)
        Metres from the first vertex of the first street, all streets laid end to end, 1 m apart.
    begins : ndarray of float64, shape (n,)
        The same for each street's first vertex.
    """

    rank: Ints
    length: Floats
    middle: Floats
    density: Floats
    centrality: Floats
    group: Ints
    at_edge: Bools
    vertices: Floats
    reached: Floats
    begins: Floats

    def __len__(self) -> int:
        return len(self.rank)

    @property
    def is_built_up(self) -> Bools:
        """Streets in built-up areas."""
        return self.density >= BUILT_UP

    def beside(self, street: Ints, share: Floats, offset: Floats) -> Floats:
        """Return points beside streets, on the 0.1 m grid.

        Parameters
        ----------
        street : ndarray of int64, shape (k,)
        share : ndarray of float64, shape (k,)
            Place along the street, 0 to 1.
        offset : ndarray of float64, shape (k,)
            Metres to the left; to the right where negative.
        """
        held = self.at_edge[street]
        share = np.where(held, 0.1 + 0.8 * share, share)
        at = self.begins[street] + share * self.length[street]
        row = np.searchsorted(self.reached, at, side="right") - 1
        row = np.clip(row, 0, len(self.reached) - 2)
        step = self.vertices[row + 1] - self.vertices[row]
        gap = np.maximum(self.reached[row + 1] - self.reached[row], 1e-9)
        ahead = step / gap[:, None]
        xy = self.vertices[row] + ahead * (at - self.reached[row])[:, None]
        left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        return np.asarray(np.round(xy + left * np.where(held, 0.0, offset)[:, None], 1))


def survey(shapes: Shapes, rank: Ints, group: Ints, area: BaseGeometry) -> Ground:
    """Survey streets of the plane.

    Parameters
    ----------
    shapes : ndarray of LineString
        Metres.
    rank, group : ndarray of int64
    area : Polygon or MultiPolygon
        Where points may lie.
    """
    coords, owner = shapely.get_coordinates(shapes, return_index=True)
    step = exact.norm(np.diff(coords, axis=0, prepend=coords[:1]))
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    last = np.append(first[1:], len(owner)) - 1
    step[first] = 1.0
    reached = np.cumsum(step)
    begins = reached[first]
    length = reached[last] - begins
    middle = shapely.get_coordinates(midpoints(shapes))
    inner = area.buffer(-_EDGE_ROOM)
    shapely.prepare(inner)
    mass = np.where(rank == Rank.RURAL, 0.0, length)
    density = smoothed_density(middle, mass, radius=_TOWN_RADIUS)
    wide = smoothed_density(middle, mass, radius=_CITY_RADIUS)
    return Ground(
        rank=rank,
        length=length,
        middle=middle,
        density=density,
        centrality=wide / max(float(wide.max(initial=0.0)), 1e-9),
        group=group,
        at_edge=~shapely.contains_properly(inner, shapes),
        vertices=coords,
        reached=reached,
        begins=begins,
    )


def smoothed_density(xy: Floats, metres: Floats, *, radius: int) -> Floats:
    """Return km per km2 at each point: lengths on a raster, blurred by three box sums.

    Three box sums come near a Gaussian; lengths are whole decimetres, so the sums are exact.

    Parameters
    ----------
    radius : int
        Half width of a box in cells of 250 m.
    """
    pad = 3 * radius + 1
    cell = np.floor((xy - xy.min(axis=0)) / CELL).astype(np.int64) + pad
    shape = tuple(cell.max(axis=0) + pad + 1)
    raster = np.zeros(shape, dtype=np.int64)
    np.add.at(raster, (cell[:, 0], cell[:, 1]), np.round(metres * 10.0).astype(np.int64))
    for _ in range(3):
        for axis in (0, 1):
            raster = _box_sum(raster, radius, axis)
    area = (CELL * CELL / 1e6) * float(2 * radius + 1) ** 6
    return np.asarray(raster[cell[:, 0], cell[:, 1]] / 10_000.0 / area)


def _box_sum(raster: Ints, radius: int, axis: int) -> Ints:
    total = np.cumsum(raster, axis=axis)
    n = raster.shape[axis]
    upper = np.minimum(np.arange(n) + radius, n - 1)
    lower = np.arange(n) - radius - 1
    below = np.take(total, np.maximum(lower, 0), axis=axis)
    is_inside = lower >= 0
    mask = is_inside[:, None] if axis == 0 else is_inside[None, :]
    return np.asarray(np.take(total, upper, axis=axis) - np.where(mask, below, 0))


def rolling_field(ground: Ground, stream: Stream, *, n_waves: int = 40) -> Floats:
    """Return a smooth random field of unit variance at street middles: waves of 0.9 to 4.5 km."""
    total = np.zeros(len(ground))
    for _ in range(n_waves):
        angle = stream.uniform(0.0, 2.0 * np.pi)
        number = 2.0 * np.pi / stream.uniform(900.0, 4500.0)
        along = exact.turned(ground.middle, -np.degrees(angle))[:, 0]
        total += np.asarray(exact.cos(number * along + stream.uniform(0.0, 2.0 * np.pi)))
    return np.asarray(total * np.sqrt(2.0 / n_waves))


def shared_out(weight: Floats, group: Ints, totals: Floats) -> Floats:
    """Return weights scaled so that each group adds up to its total.

    Parameters
    ----------
    weight : ndarray of float64, shape (n,)
    group : ndarray of int64, shape (n,)
    totals : ndarray of float64, shape (n_groups,)
    """
    held = np.bincount(group, weight, len(totals))
    return np.asarray(weight * (totals / np.maximum(held, 1e-300))[group])


def share_holding(expected: Floats, part: float) -> float:
    """Return the smallest share of rows that together hold a part of the total."""
    falling = np.sort(expected)[::-1]
    held = np.cumsum(falling)
    return float(np.searchsorted(held, part * held[-1]) + 1) / len(expected)
