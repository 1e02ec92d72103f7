"""Buildings as sites: where the households of a grid are, in pieces no larger than a group."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.frames import Col
from geo.grid.locate import build_index, locate

METRES_PER_DEGREE: Final = 111_195.0
"""Of a great circle on the mean sphere of 6,371 km; for distances that only spread pieces."""

SAME_PLACE: Final = 1.0
"""Metres of the lattice on which buildings at one place become one."""

GOLDEN_ANGLE: Final = np.pi * (3.0 - 5.0**0.5)
"""Turn from one piece to the next: a spiral whose points share an area evenly (Vogel, A better way
to construct the sunflower head, Mathematical Biosciences 44, 1979)."""

SPREAD: Final = 0.4
"""Share of the way to the next building, or to the grid's border, over which pieces spread."""

LEAST_SPREAD: Final = 0.5
"""Metres over which pieces spread at least, so that they are apart at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Places with households, ordered by grid.

    Attributes
    ----------
    cell : ndarray of int64, shape (n,)
        Row of the grid, ascending.
    xy : ndarray of float64, shape (n, 2)
        In the flat plane: longitude times its scale, latitude, in degrees of latitude.
    weight : ndarray of int64, shape (n,)
        Households, at least 1.
    building : ndarray of int64, shape (n,)
        Number of the building; pieces of one building share it.
    """

    cell: np.ndarray
    xy: np.ndarray
    weight: np.ndarray
    building: np.ndarray

    def take(self, rows: np.ndarray) -> "Sites":
        """Return some of the sites, in the given order."""
        return Sites(
            cell=self.cell[rows],
            xy=self.xy[rows],
            weight=self.weight[rows],
            building=self.building[rows],
        )


def find_sites(
    cells: np.ndarray, number: np.ndarray, flat: np.ndarray, buildings: gpd.GeoDataFrame
) -> Sites:
    """Return the buildings of each grid, those at one place as one.

    Parameters
    ----------
    cells : ndarray of Polygon, shape (n,)
        All grids there are, in degrees.
    number : ndarray of int64, shape (n,)
        Number by which sites name the grid; -1 for those without groups.
    flat : ndarray of float64, shape (2,)
        Scale of longitude and latitude in the flat plane.
    buildings : GeoDataFrame
        BUILDINGS frame.
    """
    lonlat = shapely.get_coordinates(buildings.geometry.to_numpy())
    households = buildings[Col.HOUSEHOLDS].to_numpy(dtype=np.int64)
    cell = np.append(number, -1)[locate(build_index(cells), lonlat)]
    kept = np.flatnonzero((cell >= 0) & (households > 0))
    xy = lonlat[kept] * flat
    spot = np.rint(xy * (METRES_PER_DEGREE / SAME_PLACE)).astype(np.int64)
    keys = np.column_stack([cell[kept], spot])
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    total = np.bincount(place.reshape(-1), households[kept], minlength=len(first))
    return Sites(
        cell=cell[kept][first],
        xy=xy[first],
        weight=np.rint(total).astype(np.int64),
        building=np.arange(len(first)),
    )


def divide(sites: Sites, cells: np.ndarray, *, above: int, piece: int) -> Sites:
    """Return the sites with every building of more than `above` households in pieces.

    Parameters
    ----------
    cells : ndarray of Polygon
        Grids in the flat plane.
    above : int
        Households a building may have without a cut.
    piece : int
        Households a piece has at most; the pieces differ by one at most.
    """
    n_pieces = np.where(sites.weight > above, -(-sites.weight // piece), 1)
    if (n_pieces == 1).all():
        return sites
    row = np.repeat(np.arange(len(n_pieces)), n_pieces)
    number = np.arange(len(row)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    share, rest = np.divmod(sites.weight, n_pieces)
    reach = np.where(n_pieces[row] > 1, _reach(sites, cells, n_pieces > 1)[row], 0.0)
    radius = reach * np.sqrt((number + 0.5) / n_pieces[row])
    turn = number * GOLDEN_ANGLE
    offset = radius[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return Sites(
        cell=sites.cell[row],
        xy=sites.xy[row] + offset,
        weight=share[row] + (number < rest[row]),
        building=sites.building[row],
    )


def _reach(sites: Sites, cells: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return how far the pieces of each wanted building spread, in the flat plane."""
    reach = np.zeros(len(sites.weight))
    own = cells[sites.cell[wanted]]
    to_border = shapely.distance(shapely.points(sites.xy[wanted]), shapely.boundary(own))
    room = np.sqrt(shapely.area(own))
    if len(sites.xy) > 1:
        near = np.asarray(cKDTree(sites.xy).query(sites.xy[wanted], k=2)[0])
        room = np.minimum(room, near[:, 1])
    least = LEAST_SPREAD / METRES_PER_DEGREE
    reach[wanted] = np.maximum(SPREAD * np.minimum(room, 2.0 * to_border), least)
    return reach
