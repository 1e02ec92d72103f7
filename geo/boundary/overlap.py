"""What the polygons of two versions say of where units went."""

from collections.abc import Mapping
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary.evidence import Link
from geo.boundary.unit import is_enclave
from geo.frames import Col, Evidence
from geo.units import LONLAT_EPSG

RIVAL: Final = 0.25
"""Share of a unit's area in a second newer unit from which it was divided, whatever its name."""

HALF: Final = 0.5
"""Share of area below which a newer unit does not hold an older one, whatever its name."""


def has_polygons(units: pd.DataFrame) -> bool:
    """Tell whether a frame has geometry."""
    return isinstance(units, gpd.GeoDataFrame)


def area_shares(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, epsg: int) -> pd.DataFrame:
    """Return the share of each older unit's area that lies in newer units of its level.

    Independent grids inside villages are compared with each other only.

    Parameters
    ----------
    old, new : GeoDataFrame
        BOUNDARIES frames in EPSG:4326.
    epsg : int
        Metric CRS.

    Returns
    -------
    DataFrame
        Columns old, new (rows) and share, the largest share of an older unit first.
    """
    parts = []
    kind_of_old, kind_of_new = (
        units[Col.LEVEL].mask(is_enclave(units), "") for units in (old, new)
    )
    for kind in kind_of_old.unique():
        olds = np.flatnonzero((kind_of_old == kind).to_numpy())
        news = np.flatnonzero((kind_of_new == kind).to_numpy())
        one, other, share = _shares(_metric(old, olds, epsg), _metric(new, news, epsg))
        parts.append(pd.DataFrame({"old": olds[one], "new": news[other], "share": share}))
    if not parts:
        return pd.DataFrame({"old": [], "new": [], "share": []})
    shares = pd.concat(parts, ignore_index=True)
    return shares.sort_values(["old", "share", "new"], ascending=[True, False, True])


def area_links(shares: pd.DataFrame, *, sure: float) -> tuple[dict[int, Link], dict[int, Link]]:
    """Return the newer unit that holds most of each older one, trusted as far as its share.

    Parameters
    ----------
    shares : DataFrame
        As of `area_shares`.
    sure : float
        Share from which area alone decides.

    Returns
    -------
    decided, doubtful : dict of int to Link
        By older row. Doubtful are those below `sure` whose name may decide between the two layers'
        lines; a unit of which a second one holds `RIVAL`, or the first not even half, is not.
    """
    best = shares.groupby("old", sort=False).nth([0]).set_index("old")
    second = shares.groupby("old", sort=False).nth([1]).set_index("old")["share"]
    rival = second.reindex(best.index).fillna(0.0)
    decided = (best["share"] >= sure) | (rival >= RIVAL) | (best["share"] < HALF)
    return _links(best[decided]), _links(best[~decided])


def are_apart(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, links: Mapping[int, Link]) -> list[int]:
    """Return older rows linked, by anything but the user's table, to a unit they do not meet."""
    rows = [
        row for row, link in links.items() if link.new >= 0 and link.evidence is not Evidence.TABLE
    ]
    goals = [links[row].new for row in rows]
    mine, theirs = old.geometry.to_numpy()[rows], new.geometry.to_numpy()[goals]
    drawn = ~(shapely.is_missing(mine) | shapely.is_missing(theirs))
    apart = drawn & ~shapely.intersects(mine, theirs)
    return [row for row, is_apart in zip(rows, apart, strict=True) if is_apart]


def _links(best: pd.DataFrame) -> dict[int, Link]:
    return {
        int(row): Link(int(new), Evidence.AREA, round(float(share), 3))
        for row, new, share in zip(best.index, best["new"], best["share"], strict=True)
    }


def _metric(units: gpd.GeoDataFrame, rows: np.ndarray, epsg: int) -> np.ndarray:
    picked = gpd.GeoSeries(units.geometry.to_numpy()[rows], crs=LONLAT_EPSG)
    return np.asarray(picked.to_crs(epsg).to_numpy())


def _shares(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs that share area, and the share of the older one's."""
    one, other = shapely.STRtree(new).query(old, predicate="intersects")
    common = shapely.area(shapely.intersection(old[one], new[other]))
    share = common / np.maximum(shapely.area(old[one]), 1e-9)
    kept = share > 0
    return one[kept], other[kept], share[kept]
