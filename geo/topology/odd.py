"""The quick look at a coverage: segments that do not occur exactly twice."""

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col
from geo.topology.segment import LATTICE, as_lines, segments_of
from geo.units import LONLAT_EPSG

OUTER_TOLERANCE: Final = 2 * LATTICE
"""Degrees (2 cm) off the outer border within which a segment counts as lying on it. Measured in
degrees, where both are straight: a segment of 5 km that is straight in degrees lies up to 0.4 m
off the chord of its ends in a metric CRS."""

SIDE_STEP: Final = 5 * LATTICE
"""Degrees beside a segment at which its side is looked up."""


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
        the polygons' own union without its holes, which hides gaps open to the outside.

    Returns
    -------
    GeoDataFrame
        One row per faulty segment: `kind` ("gap" or "overlap"), `n_times` it occurs, `length`
        in metres, geometry in EPSG:4326. Empty for a clean coverage.

    Notes
    -----
    The test needs no width to guess: `shapely.coverage_invalid_edges` misses or invents gaps
    depending on its `gap_width`. `geo.topology.find_faults` says what the segments enclose.
    """
    polygons = frame.geometry.to_numpy()
    segments = segments_of(polygons)
    key = pd.MultiIndex.from_arrays([segments.low, segments.high])
    codes, _ = pd.factorize(key)
    times = np.bincount(codes)[codes]
    _, first = np.unique(codes, return_index=True)
    odd = first[times[first] != 2]
    whole = outer if outer is not None else _without_holes(shapely.union_all(polygons))
    edge = shapely.boundary(whole)
    shapely.prepare(edge)
    middle = shapely.points(segments.ends[odd].mean(axis=1))
    exempt = (times[odd] == 1) & shapely.dwithin(middle, edge, OUTER_TOLERANCE)
    odd, lines = odd[~exempt], as_lines(segments.ends[odd[~exempt]])
    metric = gpd.GeoSeries(lines, crs=LONLAT_EPSG).to_crs(epsg)
    return gpd.GeoDataFrame(
        {
            Col.KIND: pd.Series(_kinds(polygons, segments.ends[odd]), dtype="str"),
            "n_times": times[odd].astype(np.int64),
            Col.LENGTH: metric.length.to_numpy(),
        },
        geometry=gpd.GeoSeries(lines, crs=LONLAT_EPSG),
    )


def _without_holes(whole: shapely.Geometry) -> shapely.Geometry:
    shells = shapely.get_exterior_ring(shapely.get_parts(whole))
    return shapely.union_all(shapely.polygons(shells[~shapely.is_missing(shells)]))


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
