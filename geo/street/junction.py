"""Junctions: where segments end, and where they should and do not.

Segments run between junctions and meet where end points are equal to 7 decimals of a degree. Two
that cross without a common vertex, or a dead end half a metre short of the next street, look
joined on a map and are not: a route drives around. This finds them; it changes nothing.
"""

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import JUNCTIONS, Col, JunctionKind, require
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

SHORT_OF: Final = 2.0
"""Metres before another street within which a dead end was probably meant to reach it; half the
width of a narrow lane (CJJ 37-2012, 5.3: 3.0–3.75 m)."""

NEARBY: Final = 10.0
"""Metres back along a dead end's own segment within which a street is as good as reached."""

TOUCHING: Final = 0.03
"""Metres: two steps of the lattice of written coordinates, a point that lies on a line."""

_STEPS: Final = 10**LONLAT_DECIMALS


def find_junctions(streets: gpd.GeoDataFrame, *, epsg: int) -> gpd.GeoDataFrame:
    """Return every place where segments end, cross or nearly meet.

    Parameters
    ----------
    streets : STREETS frame
    epsg : int
        The city's metric CRS.

    Returns
    -------
    GeoDataFrame
        A JUNCTIONS frame in EPSG:4326, ascending ids. Crossings where either segment is a bridge
        are none.
    """
    vertex, ends = _ends(streets)
    kind = np.select([ends == 1, ends == 2], [JunctionKind.END, JunctionKind.THROUGH], "junction")
    lines = streets.geometry.to_crs(epsg).to_numpy()
    where = _lattice_points(_unique_vertices(vertex))
    at = gpd.GeoSeries(where, crs=LONLAT_EPSG).to_crs(epsg).to_numpy()
    uncut, short = _near_misses(at, lines, _incidence(vertex, len(streets)), ends)
    kind = np.where(short, JunctionKind.SHORT, np.where(uncut, JunctionKind.UNCUT, kind))
    crossed = _crossings(lines, streets[Col.BRIDGE].to_numpy(), at[uncut | short], epsg)
    points = np.concatenate([where, crossed])
    frame = gpd.GeoDataFrame(
        {
            Col.JUNCTION_ID: pd.Series(_ids(points), dtype="str"),
            Col.KIND: pd.Series([*map(str, kind), *["uncut"] * len(crossed)], dtype="str"),
            Col.N_ENDS: np.concatenate([ends, np.zeros(len(crossed), dtype=np.int64)]),
        },
        geometry=points,
        crs=LONLAT_EPSG,
    )
    frame = frame.drop_duplicates(Col.JUNCTION_ID).sort_values(Col.JUNCTION_ID, ignore_index=True)
    require(frame, JUNCTIONS, source="streets", allow_empty=True)
    return frame


def _ends(streets: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the lattice position of both ends of each segment, and the ends at each position.

    Returns
    -------
    vertex : ndarray of int64, shape (n, 2, 2)
        Steps of 1e-7 degree: segment, end, axis.
    n_ends : ndarray of int64
        By unique position, ascending.
    """
    line = streets.geometry.to_numpy()
    points = np.stack([shapely.get_point(line, 0), shapely.get_point(line, -1)], axis=1)
    xy = shapely.get_coordinates(points.ravel()).reshape(-1, 2, 2)
    vertex = np.rint(xy * _STEPS).astype(np.int64)
    _, n_ends = np.unique(vertex.reshape(-1, 2), axis=0, return_counts=True)
    return vertex, n_ends


def _unique_vertices(vertex: np.ndarray) -> np.ndarray:
    unique: np.ndarray = np.unique(vertex.reshape(-1, 2), axis=0)
    return unique


def _lattice_points(steps: np.ndarray) -> np.ndarray:
    return np.asarray(shapely.points(np.round(steps / _STEPS, LONLAT_DECIMALS)))


def _incidence(vertex: np.ndarray, n: int) -> np.ndarray:
    """Return the row of the junction at either end of each segment; int64, shape (n, 2)."""
    _, row = np.unique(vertex.reshape(-1, 2), axis=0, return_inverse=True)
    return np.asarray(row, dtype=np.int64).reshape(n, 2)


def _near_misses(
    at: np.ndarray, lines: np.ndarray, incidence: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tell which ends lie on another segment without a junction, and which stop short of one.

    A street that the dead end's own segment leads back to within `NEARBY` is not missed.
    """
    point, line = shapely.STRtree(lines).query(at, predicate="dwithin", distance=SHORT_OF)
    other = (incidence[line] != point[:, None]).all(axis=1)
    point, line = point[other], line[other]
    apart = shapely.distance(at[point], lines[line])
    uncut, short = np.zeros(len(at), dtype=bool), np.zeros(len(at), dtype=bool)
    uncut[point[apart <= TOUCHING]] = True
    beyond = _other_end(incidence, ends, shapely.length(lines) <= NEARBY)[point]
    aside = (ends[point] == 1) & (incidence[line] != beyond[:, None]).all(axis=1)
    short[point[aside & (apart > TOUCHING)]] = True
    return uncut, short & ~uncut


def _other_end(incidence: np.ndarray, ends: np.ndarray, is_stub: np.ndarray) -> np.ndarray:
    """Return for each dead end of a stub the junction at its other end, else -1."""
    other = np.full(len(ends), -1, dtype=np.int64)
    one, two = incidence[is_stub].T
    other[one], other[two] = two, one
    other[ends != 1] = -1
    return other


def _crossings(lines: np.ndarray, bridge: np.ndarray, listed: np.ndarray, epsg: int) -> np.ndarray:
    """Return points in EPSG:4326 where segments cross at level and share no vertex.

    Those beside an end that is listed already are the same fault.
    """
    one, other = shapely.STRtree(lines).query(lines, predicate="crosses")
    fresh = (one < other) & ~bridge[one] & ~bridge[other]
    common = shapely.get_parts(shapely.intersection(lines[one[fresh]], lines[other[fresh]]))
    common = common[shapely.get_type_id(common) == 0]
    common = np.delete(
        common, shapely.STRtree(listed).query(common, predicate="dwithin", distance=SHORT_OF)[0]
    )
    lonlat = gpd.GeoSeries(common, crs=epsg).to_crs(LONLAT_EPSG).to_numpy()
    steps = np.rint(shapely.get_coordinates(lonlat) * _STEPS).astype(np.int64)
    return _lattice_points(np.unique(steps, axis=0).reshape(-1, 2))


def _ids(points: np.ndarray) -> list[str]:
    """Return ids that are the position itself: j1159743800-364560000."""
    steps = np.rint(shapely.get_coordinates(points) * _STEPS).astype(np.int64)
    return [f"j{x:010d}{y:+010d}" for x, y in steps.tolist()]
