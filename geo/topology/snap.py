"""A layer that was digitised apart from its parents, fitted to them."""

from dataclasses import replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.errors import OptionInvalid
from geo.frames import Col
from geo.progress import NEVER, Progress, StopToken, silent
from geo.topology.coverage import METRES_PER_DEGREE
from geo.topology.fault import Limits
from geo.topology.repair import Repair, repair_coverage
from geo.topology.segment import to_degrees, to_lattice, vertex_keys
from geo.topology.winding import areas_of
from geo.units import LONLAT_EPSG

SNAP: Final = 0.12
"""Metres within which vertices are taken for one: six times a digitising noise of 2 cm, within
which 9,999 of 10,000 pairs of vertices lie (Rayleigh distribution of their distance)."""


def fit_coverage(
    units: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame,
    *,
    epsg: int,
    snap: float = SNAP,
    tolerance: float = 1.0,
    limits: Limits | None = None,
    key: str = Col.CODE,
    level: str = "",
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Repair:
    """Fit polygons that were digitised independently of one another and of their parents.

    Vertices within `snap` of a parent's vertex go there, the others within `snap` of one another
    to their middle. What does not match then is noded and polygonized together with the parents'
    lines, and every face given to one unit, as `geo.topology.repair_coverage` does; here also
    where it is only a hairline, so that the units end on the parents' lines.

    Parameters
    ----------
    units, parents : GeoDataFrame
        EPSG:4326; see `geo.topology.find_faults`.
    epsg : int
        Metric CRS.
    snap : float
        Metres; about six times the noise of the digitising.
    tolerance : float
        Metres that a border may move after that.
    limits, key, level, progress, stop
        See `geo.topology.repair_coverage`.

    Returns
    -------
    Repair
        The areas of its `changes` count from the snapped polygons; `largest_move` has the larger
        of the two moves.

    Raises
    ------
    OptionInvalid
        A distance that is no positive number.
    Stopped
        A stop was asked for.
    """
    if not snap > 0:
        raise OptionInvalid(option="snap", value=snap, expected="metres above 0")
    old = units.geometry.to_numpy()
    snapped, moved = snap_vertices(old, parents.geometry.to_numpy(), distance=snap)
    shapes = gpd.GeoSeries(snapped, index=units.index, crs=LONLAT_EPSG)
    repair = repair_coverage(
        units.set_geometry(shapes),
        epsg=epsg,
        parents=parents,
        tolerance=tolerance,
        limits=limits,
        key=key,
        level=level,
        is_exact=True,
        progress=progress,
        stop=stop,
    )
    return replace(repair, changes=_with_snaps(repair, units, moved, key=key, level=level))


def _with_snaps(
    repair: Repair, units: gpd.GeoDataFrame, moved: np.ndarray, *, key: str, level: str
) -> pd.DataFrame:
    """Return the changes of a repair and of the snapping before it."""
    same = shapely.equals_exact(units.geometry.to_numpy(), repair.frame.geometry.to_numpy())
    codes = units[key].to_numpy(dtype=object)[~same]
    after = repair.changes.set_index(Col.CODE).reindex(codes)
    largest = after[Col.LARGEST_MOVE].fillna(0.0).to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            Col.CODE: pd.Series(codes, dtype="str"),
            Col.LEVEL: pd.Series([level] * len(codes), dtype="str"),
            Col.AREA_GIVEN: after[Col.AREA_GIVEN].fillna(0.0).to_numpy(dtype=np.float64),
            Col.AREA_TAKEN: after[Col.AREA_TAKEN].fillna(0.0).to_numpy(dtype=np.float64),
            Col.LARGEST_MOVE: np.maximum(largest, moved[~same]),
        }
    )


def snap_vertices(
    polygons: np.ndarray, parents: np.ndarray, *, distance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return polygons whose vertices within `distance` metres of one another are one.

    Returns
    -------
    polygons : ndarray of Polygon or MultiPolygon
        Valid, on the lattice.
    moved : ndarray of float64, shape (n,)
        Metres that the farthest vertex of each was moved.
    """
    lonlat, owner = shapely.get_coordinates(polygons, return_index=True)
    fixed = np.unique(shapely.get_coordinates(parents), axis=0)
    scale = METRES_PER_DEGREE * np.array([np.cos(np.radians(lonlat[:, 1].mean())), 1.0])
    _, first, which = np.unique(vertex_keys(lonlat), return_index=True, return_inverse=True)
    at = lonlat[first] * scale
    gap, nearest = cKDTree(fixed * scale).query(at, distance_upper_bound=distance)
    near = np.isfinite(gap)
    target = _middles(at, distance)
    target[near] = fixed[np.asarray(nearest)[near]] * scale
    new = to_degrees(to_lattice(target / scale))[which]
    moved = np.zeros(len(polygons))
    np.maximum.at(moved, owner, np.hypot(*((new - lonlat) * scale).T))
    shapes = shapely.set_coordinates(polygons.copy(), new)
    for row in np.flatnonzero(~shapely.is_valid(shapes)):
        shapes[row] = areas_of(shapes[row])
    return shapes, moved


def _middles(at: np.ndarray, distance: float) -> np.ndarray:
    """Return the middle of each cluster of points; a point farther than `distance` off stays."""
    pairs = cKDTree(at).query_pairs(distance, output_type="ndarray")
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(at), len(at)))
    cluster = np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
    n = int(cluster.max(initial=-1)) + 1
    size = np.bincount(cluster, minlength=n)
    middle = np.stack(
        [np.bincount(cluster, at[:, axis], minlength=n) / size for axis in (0, 1)], axis=1
    )[cluster]
    far = np.hypot(*(middle - at).T) > distance
    return np.where(far[:, None], at, middle)
