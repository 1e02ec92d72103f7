"""Which streets a sweep asks for: by area, class and name, and along the reaches of a river."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.frames import Col, StreetClass
from routing.network import CLASSES, Network

EDGE_M: Final = 10.0
"""Metres by which an area is widened: grids are bounded by the middles of streets, which belong."""

HALF: Final = 0.5
"""Share of a segment's length that must be inside, or along, for the whole segment to be asked."""

BESIDE_M: Final = 60.0
"""Metres from a reach's line within which a street can be its walkable shore."""

STEP_M: Final = 10.0
"""Metres between the points at which streets and reaches are compared."""

ALONG: Final = 0.8
"""Cosine of the angle under which a street still runs along a reach: 37 degrees, as in
`geo.street.match`."""

Flags = NDArray[np.bool_]
Metres = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Segments chosen, and what was asked for that is not there.

    Attributes
    ----------
    is_chosen : ndarray of bool, shape (n_segments,)
    missing : tuple of str
        Codes, classes or names that chose no segment, in the order asked.
    """

    is_chosen: Flags
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shore:
    """Streets along reaches of rivers and shores.

    Attributes
    ----------
    is_chosen : ndarray of bool, shape (n_segments,)
    reaches : DataFrame
        One row a reach: `reach_id`, `length` in metres, `found`: metres of it that have a chosen
        street beside them; 0 where none has.
    """

    is_chosen: Flags
    reaches: pd.DataFrame

    @property
    def missing(self) -> tuple[str, ...]:
        """Reaches without a street, in the order given."""
        bare = self.reaches[self.reaches[Col.FOUND] == 0.0]
        return tuple(bare[Col.REACH_ID])


def select_areas(network: Network, areas: gpd.GeoDataFrame, *, key: str) -> Selection:
    """Choose the segments that lie in areas by half of their length or more.

    Parameters
    ----------
    network : Network
    areas : GeoDataFrame
        Polygons in EPSG:4326: basic grids, or areas drawn by hand.
    key : str
        Column that names an area.
    """
    lines = street_lines(network)
    shapes = shapely.buffer(areas.geometry.to_crs(network.epsg).to_numpy(), EDGE_M)
    area, segment = shapely.STRtree(lines).query(shapes, predicate="intersects")
    inside = shapely.length(shapely.intersection(lines[segment], shapes[area]))
    together = np.bincount(segment, inside, minlength=len(lines))
    is_chosen = together >= HALF * shapely.length(lines)
    touched = np.unique(area[is_chosen[segment]])
    missing = np.delete(areas[key].to_numpy(dtype=object), touched)
    return Selection(is_chosen=is_chosen, missing=tuple(map(str, missing)))


def select_classes(network: Network, classes: Collection[StreetClass]) -> Selection:
    """Choose the segments of some classes."""
    has = np.isin(network.street_class, [CLASSES.index(one) for one in classes])
    present = {CLASSES[code] for code in np.unique(network.street_class[has])}
    return Selection(
        is_chosen=has, missing=tuple(one.value for one in classes if one not in present)
    )


def select_names(network: Network, names: Sequence[str]) -> Selection:
    """Choose the segments of streets by name, letter for letter."""
    code = {name: k for k, name in enumerate(network.names) if name}
    known = [code[name] for name in names if name in code]
    return Selection(
        is_chosen=np.isin(network.name, known),
        missing=tuple(name for name in names if name not in code),
    )


def select_shore(network: Network, reaches: gpd.GeoDataFrame, *, within: float = BESIDE_M) -> Shore:
    """Choose the segments that run along reaches: for half of their length or more.

    Parameters
    ----------
    network : Network
    reaches : GeoDataFrame
        Stretches with their lines in EPSG:4326, as `geo.place.reach_lines` returns them.
    within : float
        Metres from the line of the reach, which is a river's middle or a shore.
    """
    lines = street_lines(network)
    shapes = reaches.geometry.to_crs(network.epsg).to_numpy()
    is_line = (shapely.get_type_id(shapes) == 1) & (shapely.length(shapes) > 0.0)
    near = np.zeros(0, np.int64)
    if is_line.any():
        tree = shapely.STRtree(lines)
        near = np.unique(tree.query(shapes[is_line], predicate="dwithin", distance=within)[1])
    share = _share_along(lines[near], shapes[is_line], within)
    is_chosen = np.zeros(len(lines), dtype=bool)
    is_chosen[near[share >= HALF]] = True
    table = pd.DataFrame(
        {
            Col.REACH_ID: reaches[Col.REACH_ID].to_numpy(),
            Col.LENGTH: shapely.length(shapes),
            Col.FOUND: [_beside(shape, lines[is_chosen], within) for shape in shapes],
        }
    )
    return Shore(is_chosen=is_chosen, reaches=table)


def street_lines(network: Network) -> NDArray[np.object_]:
    """Return the lines of all segments in the network's metric CRS."""
    owner = np.repeat(np.arange(network.n_segments), np.diff(network.offsets))
    return np.asarray(shapely.linestrings(network.xy, indices=owner), dtype=object)


def doors_beside(
    network: Network, points: gpd.GeoDataFrame, *, within: float = BESIDE_M
) -> tuple[NDArray[np.int64], int]:
    """Count the doors along each segment: every point goes to the street nearest to it.

    Parameters
    ----------
    network : Network
    points : GeoDataFrame
        Places with a door, EPSG:4326.
    within : float
        Metres beyond which a point is at no street.

    Returns
    -------
    n_doors : ndarray of int64, shape (n_segments,)
    n_far : int
        Points at no street.
    """
    tree = shapely.STRtree(street_lines(network))
    at = points.geometry.to_crs(network.epsg).to_numpy()
    point, segment = tree.query_nearest(at, max_distance=within)
    order = np.lexsort((segment, point))
    _, first = np.unique(point[order], return_index=True)
    nearest = segment[order][first]
    return np.bincount(nearest, minlength=network.n_segments), len(at) - len(nearest)


def _share_along(lines: NDArray[np.object_], reaches: NDArray[np.object_], within: float) -> Metres:
    """Return the share of each line that runs along the nearest reach."""
    owner, points, heading = _stations_along(lines)
    if not len(points):
        return np.zeros(len(lines))
    (at, reach), distance = shapely.STRtree(reaches).query_nearest(points, return_distance=True)
    _, first = np.unique(at, return_index=True)
    shape, is_near = reaches[reach[first]], distance[first] <= within
    measure = shapely.line_locate_point(shape, points)
    turned = np.abs((heading * _heading(shape, measure)).sum(axis=1))
    along = is_near & (turned >= ALONG)
    n_points = np.bincount(owner, minlength=len(lines))
    share: Metres = np.bincount(owner, along, minlength=len(lines)) / n_points
    return share


def _stations_along(
    lines: NDArray[np.object_],
) -> tuple[NDArray[np.int64], NDArray[np.object_], Metres]:
    """Return points every few metres along lines: the line of each, and the heading there."""
    length = shapely.length(lines)
    n_points = np.maximum(np.ceil(length / STEP_M), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(lines)), n_points)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(n_points) - n_points, n_points)
    measure = (step + 0.5) * (length / n_points)[owner]
    points = np.asarray(shapely.line_interpolate_point(lines[owner], measure), dtype=object)
    return owner, points, _heading(lines[owner], measure)


def _heading(lines: NDArray[np.object_], measure: Metres) -> Metres:
    """Return unit vectors along lines at a measure, shape (n, 2)."""
    ends = [
        shapely.get_coordinates(
            shapely.line_interpolate_point(
                lines, np.clip(measure + step, 0.0, shapely.length(lines))
            )
        )
        for step in (-STEP_M / 2, STEP_M / 2)
    ]
    step = ends[1] - ends[0]
    length = np.hypot(*step.T)[:, None]
    unit: Metres = np.divide(step, length, out=np.zeros_like(step), where=length > 0.0)
    return unit


def _beside(reach: shapely.Geometry, streets: NDArray[np.object_], within: float) -> float:
    """Return the metres of a reach that have a chosen street beside them."""
    length = float(shapely.length(reach))
    if length == 0.0 or not len(streets):
        return 0.0
    _, points, _ = _stations_along(np.array([reach], dtype=object))
    found, _ = shapely.STRtree(streets).query_nearest(points, max_distance=within)
    return length * len(np.unique(found)) / len(points)
