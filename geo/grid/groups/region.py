"""Regions around sites: Voronoi cells clipped to the grid, and which of them are neighbours."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numba import njit
from scipy.spatial import cKDTree

from geo.grid.groups.site import METRES_PER_DEGREE, Sites
from geo.topology import Borders, segments_of, shared_borders

SCRAP: Final = 1e-5 / METRES_PER_DEGREE**2
"""Area under which a clipped piece is a rounding error, not ground: a fifth of the smallest
triangle of the lattice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Pieces of ground, each belonging to one site; together they tile the grids.

    Attributes
    ----------
    shapes : ndarray of Polygon, shape (n,)
        In the flat plane.
    site : ndarray of int64, shape (n,)
        Site that owns the ground.
    borders : Borders
        Between the sites' ground, one row per pair of sites; `length` in degrees.
    """

    shapes: np.ndarray
    site: np.ndarray
    borders: Borders


def find_regions(sites: Sites, cells: np.ndarray) -> tuple[Sites, Regions]:
    """Return the ground of each site.

    A site whose clipped cell is in several pieces keeps the largest; each other piece goes to the
    neighbour with the longest common border, so that the ground of every site is one piece. A
    site without any ground (its point lies outside by a hair) gives its households to the nearest.

    Parameters
    ----------
    sites : Sites
    cells : ndarray of Polygon
        Grids in the flat plane, by the rows that `sites.cell` names.
    """
    shapes, site = _clip(sites, cells)
    sites, site = _drop_landless(sites, site)
    largest = np.lexsort((-shapely.area(shapes), site))
    is_main = np.zeros(len(shapes), dtype=bool)
    is_main[largest[np.unique(site[largest], return_index=True)[1]]] = True
    segments = segments_of(shapes)
    ends = segments.ends
    borders = shared_borders(segments, np.hypot(*(ends[:, 1] - ends[:, 0]).T))
    same_cell = sites.cell[site[borders.pairs]]
    inside = same_cell[:, 0] == same_cell[:, 1]
    pairs, length = borders.pairs[inside], borders.length[inside]
    by_length = np.argsort(-length, kind="stable")
    owner = _adopt(is_main, site, pairs[by_length])
    return sites, Regions(
        shapes=shapes,
        site=owner,
        borders=_between(owner[pairs], length, borders.middle[inside]),
    )


def _clip(sites: Sites, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pieces of the Voronoi cells that lie in their grids, and the site of each."""
    rows, place = np.unique(sites.cell, return_inverse=True)
    own = cells[rows]
    crowds = shapely.multipoints(np.asarray(shapely.points(sites.xy)), indices=place)
    diagrams = shapely.voronoi_polygons(crowds, extend_to=own, ordered=True)
    cell_of_site = shapely.get_parts(diagrams)
    grid = own[place]
    shapely.prepare(grid)
    whole = shapely.contains_properly(grid, cell_of_site)
    clipped = cell_of_site.copy()
    clipped[~whole] = shapely.intersection(cell_of_site[~whole], grid[~whole])
    parts, site = shapely.get_parts(clipped, return_index=True)
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (
        shapely.area(parts) > SCRAP
    )
    return parts[kept], site[kept]


def _drop_landless(sites: Sites, site: np.ndarray) -> tuple[Sites, np.ndarray]:
    """Return the sites that have ground, with the households of those that have none."""
    has_land = np.zeros(len(sites.weight), dtype=bool)
    has_land[site] = True
    if has_land.all():
        return sites, site
    kept = np.flatnonzero(has_land)
    weight = sites.weight.copy()
    for row in np.flatnonzero(~has_land):
        beside = kept[sites.cell[kept] == sites.cell[row]]
        if len(beside):
            heir = beside[cKDTree(sites.xy[beside]).query(sites.xy[row])[1]]
            weight[heir] += weight[row]
    held = Sites(cell=sites.cell, xy=sites.xy, weight=weight, building=sites.building)
    number = np.cumsum(has_land) - 1
    return held.take(kept), number[site]


def _between(pairs: np.ndarray, length: np.ndarray, middle: np.ndarray) -> Borders:
    """Return one border per pair of sites, the lengths added."""
    ordered = np.sort(pairs, axis=1)
    apart = ordered[:, 0] != ordered[:, 1]
    ordered, first, which = np.unique(
        ordered[apart], axis=0, return_index=True, return_inverse=True
    )
    total = np.bincount(which.reshape(-1), length[apart], minlength=len(ordered))
    return Borders(ordered.reshape(-1, 2), total, middle[apart][first])


@njit(cache=True)
def _adopt(is_main: np.ndarray, site: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the site of each piece after loose ones joined a neighbour.

    `pairs` are neighbouring pieces, the longest border first; loose pieces behind loose ones are
    reached in later rounds. A piece without any neighbour keeps its own site.
    """
    owner = site.copy()
    is_held = is_main.copy()
    changed = True
    while changed:
        changed = False
        for e in range(len(pairs)):
            for way in range(2):
                loose, other = pairs[e, way], pairs[e, 1 - way]
                if not is_held[loose] and is_held[other]:
                    owner[loose] = owner[other]
                    is_held[loose] = True
                    changed = True
    return owner
