"""Reports put on street segments; the point that was reported goes no further."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import SEGMENT_REPORTS, Col
from geo.units import CITY_ZONE

SNAP_REACH: Final = 100.0
"""Metres from a street within which a report is counted on it."""

STRIP: Final = 500.0
"""Metres of the strips in which points are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """Points on their nearest street segments.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Row of the street frame, -1 where no street lies within reach.
    distance : ndarray of float64, shape (n,)
        Metres to it, NaN where none.
    """

    row: np.ndarray
    distance: np.ndarray

    @property
    def n_snapped(self) -> int:
        """Points with a street within reach."""
        return int((self.row >= 0).sum())


def snap_to_segments(
    points: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    reach: float = SNAP_REACH,
) -> Snapped:
    """Return the street segment nearest to each point; the lower row at equal distance.

    Parameters
    ----------
    reach : float
        Metres beyond which a point belongs to no street.
    """
    n = len(points)
    row = np.full(n, -1, dtype=np.int64)
    distance = np.full(n, np.nan)
    if n and len(streets):
        where = points.geometry.to_crs(epsg).to_numpy()
        tree = shapely.STRtree(streets.geometry.to_crs(epsg).to_numpy())
        # neighbours one after another find the tree's branches still in the cache: half the time
        nearby = np.lexsort((shapely.get_y(where), shapely.get_x(where) // STRIP))
        (point, street), metres = tree.query_nearest(
            where[nearby], max_distance=reach, return_distance=True, all_matches=True
        )
        point = nearby[point]
        order = np.lexsort((street, point))
        first = np.unique(point[order], return_index=True)[1]
        row[point[order][first]] = street[order][first]
        distance[point[order][first]] = metres[order][first]
    return Snapped(row=row, distance=distance)


def on_segments(
    incidents: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    reach: float = SNAP_REACH,
) -> tuple[pd.DataFrame, int]:
    """Return reports by street segment and hour begun, and how many lie on no street.

    Parameters
    ----------
    incidents, streets : GeoDataFrame
        INCIDENTS and STREETS frames.
    reach : float
        Metres beyond which a report belongs to no street and is left out.

    Returns
    -------
    reports : DataFrame
        SEGMENT_REPORTS frame, in the order of the incidents: no point, no minute.
    n_far : int
    """
    row = snap_to_segments(incidents, streets, epsg=epsg, reach=reach).row
    near = incidents[row >= 0]
    local = near[Col.OCCURRED_AT].dt.tz_convert(CITY_ZONE).dt.floor("h")
    columns = {
        Col.INCIDENT_ID: near[Col.INCIDENT_ID],
        Col.SEGMENT_ID: streets[Col.SEGMENT_ID].to_numpy()[row[row >= 0]],
        Col.OCCURRED_AT: local,
        Col.CATEGORY: near[Col.CATEGORY],
        Col.CHANNEL: near[Col.CHANNEL],
        Col.SOURCE: near[Col.SOURCE],
    }
    dtypes = {name: column.dtype.value for name, column in SEGMENT_REPORTS.columns.items()}
    reports = pd.DataFrame(columns).reset_index(drop=True).astype(dtypes)
    return reports, int((row < 0).sum())
