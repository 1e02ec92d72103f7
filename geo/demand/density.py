"""Areas of highest density: the smallest areas that hold 25, 50, 75 per cent of night reports."""

import itertools
from collections.abc import Sequence
from typing import Final, cast

import contourpy
import geopandas as gpd
import numpy as np
import shapely
from scipy.ndimage import gaussian_filter, map_coordinates

from geo.frames import Col
from geo.incident import hour_bins, resident_reports
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

PIXEL: Final = 100.0
"""Metres of raster side."""

SMOOTHING: Final = 150.0
"""Metres of the Gaussian kernel's standard deviation."""


def density_areas(
    incidents: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    *,
    epsg: int,
    shift_start_hour: int,
    n_hours: int,
    shares: Sequence[float] = (0.25, 0.5, 0.75),
) -> gpd.GeoDataFrame:
    """Return the areas where residents' reports of the shift's hours are densest.

    Parameters
    ----------
    incidents : GeoDataFrame
        INCIDENTS frame; only residents' reports in the shift's hours count.
    cells : GeoDataFrame
        CELLS frame; its area is what `area_share` is a share of.
    shares : sequence of float
        Shares of the reports that each area holds.

    Returns
    -------
    GeoDataFrame
        One row per share, densest first: `share` asked for, `n_reports` inside of `n_total`,
        `area` in m2 and `area_share` of all cells; MultiPolygons in EPSG:4326, each inside the
        next. No row without reports.

    References
    ----------
    Highest-density regions: Hyndman, The American Statistician 50, 1996.
    """
    residents = resident_reports(incidents).frame
    night = residents[hour_bins(residents, start_hour=shift_start_hour, n_hours=n_hours) >= 0]
    points = night.geometry.to_crs(epsg).to_numpy()
    ordered = sorted(shares) if len(points) else []
    areas = _regions(shapely.get_coordinates(points), ordered)
    tree = shapely.STRtree(points)
    inside = [len(tree.query(area, predicate="intersects")) for area in areas]
    size = np.array([shapely.area(area) for area in areas], dtype=np.float64)
    lonlat = gpd.GeoSeries(areas, crs=epsg).to_crs(LONLAT_EPSG)
    rounded = shapely.set_precision(lonlat.to_numpy(), 10.0**-LONLAT_DECIMALS)
    return gpd.GeoDataFrame(
        {
            Col.SHARE: np.array(ordered, dtype=np.float64),
            Col.N_REPORTS: np.array(inside, dtype=np.int64),
            Col.N_TOTAL: np.full(len(ordered), len(points), dtype=np.int64),
            Col.AREA: size,
            Col.AREA_SHARE: size / float(cells[Col.AREA].sum()),
        },
        geometry=gpd.GeoSeries(rounded, crs=LONLAT_EPSG),
    )


def _regions(xy: np.ndarray, shares: list[float]) -> list[shapely.Geometry]:
    """Return the regions of highest smoothed density that hold each share of points, in metres."""
    if len(xy) == 0:
        return []
    corner = xy.min(axis=0) - 4 * SMOOTHING
    n_columns, n_rows = ((xy.max(axis=0) + 4 * SMOOTHING - corner) // PIXEL + 2).astype(np.int64)
    pixel = (xy - corner) / PIXEL
    flat = pixel[:, 0].astype(np.int64) * n_rows + pixel[:, 1].astype(np.int64)
    counts = np.bincount(flat, minlength=n_columns * n_rows).reshape(n_columns, n_rows)
    surface = gaussian_filter(counts.astype(np.float64), SMOOTHING / PIXEL, mode="constant")
    at_points = map_coordinates(surface, (pixel - 0.5).T, order=1)
    x = corner[0] + (np.arange(n_columns) + 0.5) * PIXEL
    y = corner[1] + (np.arange(n_rows) + 0.5) * PIXEL
    drawn = contourpy.contour_generator(x, y, surface.T, fill_type="OuterOffset")
    return [_filled(drawn, float(np.quantile(at_points, 1 - share))) for share in shares]


def _filled(drawn: contourpy.ContourGenerator, level: float) -> shapely.Geometry:
    """Return where the surface lies at or above a level, as a MultiPolygon."""
    # the stubs leave open which of contourpy's fill types is asked for
    points, offsets = cast("tuple[list[np.ndarray], list[np.ndarray]]", drawn.filled(level, np.inf))
    polygons = []
    for outline, start in zip(points, offsets, strict=True):
        rings = [outline[a:b] for a, b in itertools.pairwise(start)]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.multipolygons(polygons)
