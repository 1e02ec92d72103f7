"""Where reports lie dense tonight, as areas and shares: never a single report, never a count."""

import geopandas as gpd
import numpy as np
import shapely

from api.maps.pack import Lattice, pack_lines, rings
from geo.demand import density_areas
from routing.model import Shift

SMALLEST = 25_000.0
"""Square metres below which a piece is not drawn, so that no mark stands for one address."""

TOLERANCE = 12.0
"""Metres a simplified outline may leave the contour; the contour's own grid is 100 m."""


def pack_density(
    incidents: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    shift: Shift,
    lattice: Lattice,
    *,
    epsg: int,
) -> dict[str, object] | None:
    """Return the areas that hold 75, 50 and 25 % of residents' reports of the shift's hours.

    Returns
    -------
    dict or None
        ``rings`` with head row (widest area first), and per row ``share`` of the reports and
        ``percent`` of the area; None without a report.
    """
    areas = density_areas(
        incidents, cells, epsg=epsg, shift_start_hour=shift.start.hour, n_hours=shift.n_hours
    )
    if areas.empty:
        return None
    areas = areas.sort_values("share", ascending=False)
    outlines = [_outline(area) for area in areas.geometry.to_crs(epsg)]
    heads = np.repeat(np.arange(len(outlines)), [len(outline) for outline in outlines])
    lonlat = gpd.GeoSeries(np.concatenate(outlines), crs=epsg).to_crs(4326).to_numpy()
    return {
        "rings": pack_lines(lonlat, heads[:, None], lattice),
        "share": [round(100 * float(share)) for share in areas["share"]],
        "percent": [round(100 * float(part), 1) for part in areas["area_share"]],
    }


def _outline(area: shapely.Geometry) -> np.ndarray:
    parts = shapely.get_parts(area)
    return rings(shapely.simplify(parts[shapely.area(parts) >= SMALLEST], TOLERANCE))
