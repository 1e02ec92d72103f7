"""A coverage's segments: who shares a border with whom, and where gaps and overlaps lie.

Everything rests on one fact: in a coverage without gap or overlap every segment off the outer
border occurs exactly twice. Vertices are compared as integers on the lattice of written
coordinates (1e-7 degree, about 1 cm), so that "the same segment" is exact.
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

LATTICE: Final = 10.0**-LONLAT_DECIMALS
"""Step of written coordinates in degrees."""

OUTER_TOLERANCE: Final = 0.02
"""Metres off the outer border within which a segment counts as lying on it: two lattice steps."""

SIDE_STEP: Final = 5 * LATTICE
"""Degrees beside a segment at which its side is looked up."""


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of an array of polygons, one row per polygon that has it.

    Attributes
    ----------
    low, high : ndarray of int64, shape (n,)
        Keys of the two ends, the smaller first: equal segments have equal keys.
    owner : ndarray of int64, shape (n,)
        Row of the polygon.
    ends : ndarray of float64, shape (n, 2, 2)
        Coordinates as the polygon runs.
    """

    low: np.ndarray
    high: np.ndarray
    owner: np.ndarray
    ends: np.ndarray


@dataclass(frozen=True, slots=True)
class Borders:
    """Neighbouring polygons and what they share.

    Attributes
    ----------
    pairs : ndarray of int64, shape (n, 2)
        Rows of the two polygons, the smaller first; each pair once, in ascending order.
    length : ndarray of float64, shape (n,)
        Length of the shared border in the unit of the coordinates it was measured in.
    middle : ndarray of float64, shape (n, 2)
        Middle of the longest shared segment.
    """

    pairs: np.ndarray
    length: np.ndarray
    middle: np.ndarray


def to_lattice(lonlat: np.ndarray) -> np.ndarray:
    """Return degrees as whole lattice steps, int64."""
    return np.rint(np.asarray(lonlat) / LATTICE).astype(np.int64)


def vertex_keys(lonlat: np.ndarray) -> np.ndarray:
    """Return one int64 per vertex; equal exactly where the written coordinates are."""
    steps = to_lattice(lonlat)
    return np.asarray((steps[:, 0] << np.int64(32)) + steps[:, 1])


def segments_of(polygons: np.ndarray) -> Segments:
    """Return the segments of polygons given in longitude and latitude."""
    rings, ring_owner = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    keys = vertex_keys(points)
    inside = (ring[1:] == ring[:-1]) & (keys[1:] != keys[:-1])
    begin, end = keys[:-1][inside], keys[1:][inside]
    ends = np.stack([points[:-1][inside], points[1:][inside]], axis=1)
    owner = ring_owner[ring[:-1][inside]]
    return Segments(np.minimum(begin, end), np.maximum(begin, end), owner, ends)


def shared_borders(segments: Segments, lengths: np.ndarray) -> Borders:
    """Return which polygons share a border.

    Parameters
    ----------
    segments : Segments
    lengths : ndarray of float64, shape (n,)
        Length of each segment, in metres.
    """
    order = np.lexsort((segments.owner, segments.high, segments.low))
    low, high = segments.low[order], segments.high[order]
    owner = segments.owner[order]
    twin = (low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (owner[1:] != owner[:-1])
    first = order[:-1][twin]
    pairs = np.stack([owner[:-1][twin], owner[1:][twin]], axis=1)
    return _gather(pairs, lengths[first], segments.ends[first].mean(axis=1))


def _gather(pairs: np.ndarray, length: np.ndarray, middle: np.ndarray) -> Borders:
    order = np.lexsort((-length, pairs[:, 1], pairs[:, 0]))
    pairs, length, middle = pairs[order], length[order], middle[order]
    if len(pairs) == 0:
        return Borders(pairs, length, middle)
    fresh = np.ones(len(pairs), dtype=bool)
    fresh[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    start = np.flatnonzero(fresh)
    return Borders(pairs[start], np.add.reduceat(length, start), middle[start])


def coverage_faults(
    frame: gpd.GeoDataFrame, *, epsg: int, outer: shapely.Geometry | None = None
) -> gpd.GeoDataFrame:
    """Return the segments that break a coverage: those that do not occur exactly twice.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons of one level, EPSG:4326.
    epsg : int
        Metric CRS for lengths.
    outer : Polygon or MultiPolygon, optional
        What the polygons must tile, EPSG:4326; segments on its border may occur once. Default:
        the polygons' own union, which hides gaps at its border.

    Returns
    -------
    GeoDataFrame
        One row per faulty segment: `kind` ("gap" or "overlap"), `n_times` it occurs, `length`
        in metres, geometry in EPSG:4326. Empty for a clean coverage.

    Notes
    -----
    The test needs no width to guess: `shapely.coverage_invalid_edges` misses or invents gaps
    depending on its `gap_width`.
    """
    polygons = frame.geometry.to_numpy()
    segments = segments_of(polygons)
    key = pd.MultiIndex.from_arrays([segments.low, segments.high])
    codes, _ = pd.factorize(key)
    times = np.bincount(codes)[codes]
    _, first = np.unique(codes, return_index=True)
    odd = first[times[first] != 2]
    lines = shapely.linestrings(segments.ends[odd])
    metric = gpd.GeoSeries(lines, crs=LONLAT_EPSG).to_crs(epsg)
    whole = outer if outer is not None else shapely.union_all(polygons)
    edge = gpd.GeoSeries([shapely.boundary(whole)], crs=LONLAT_EPSG).to_crs(epsg).iloc[0]
    shapely.prepare(edge)
    exempt = (times[odd] == 1) & shapely.dwithin(_middles(metric), edge, OUTER_TOLERANCE)
    odd, lines, metric = odd[~exempt], lines[~exempt], metric[~exempt]
    return gpd.GeoDataFrame(
        {
            Col.KIND: pd.Series(_kinds(polygons, segments.ends[odd]), dtype="str"),
            "n_times": times[odd].astype(np.int64),
            "length": metric.length.to_numpy(),
        },
        geometry=gpd.GeoSeries(lines, crs=LONLAT_EPSG),
    )


def _middles(lines: gpd.GeoSeries) -> np.ndarray:
    return np.asarray(shapely.line_interpolate_point(lines.to_numpy(), 0.5, normalized=True))


def _kinds(polygons: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Say overlap where two polygons cover one side of a segment, else gap."""
    along = ends[:, 1] - ends[:, 0]
    norm = np.maximum(np.hypot(along[:, 0], along[:, 1]), LATTICE)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / norm[:, None] * SIDE_STEP
    middle = ends.mean(axis=1)
    tree = shapely.STRtree(polygons)
    is_overlap = np.zeros(len(ends), dtype=bool)
    for side in (middle + across, middle - across):
        row, _ = tree.query(shapely.points(side), predicate="within")
        is_overlap |= np.bincount(row, minlength=len(ends)) > 1
    return np.where(is_overlap, "overlap", "gap")
