"""What the register lacks: points of interest of a map that no record stands for.

Every point is compared with the records around it by name, distance and kind. A record stands for
one point (and for further points of its name at the same spot); points left over are gaps. The
likest record is offered beside each, and nothing is changed: a person decides.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col
from geo.rate import Rate
from geo.venue.names import name_key, similarities

REACH: Final = 150.0
"""Metres within which a record may stand for a point: maps and registers place a shop at its door,
its building or its lane."""

LIKE: Final = 0.45
"""Score from which a record stands for a point. From 0.4 to 0.5 precision and recall of planted
gaps both stay above 0.9, even among names far more alike than signs are (tests/bench/register.py).
"""

SAME_SPOT: Final = 25.0
"""Metres within which one record stands for several points of its name: doors of one shop."""

SAME_NAME: Final = 0.8
"""Similarity of such names."""

FAR: Final = 0.5
"""What a match loses over `REACH`, as a share of its score."""

OTHER_KIND: Final = 0.2
"""What a match of two kinds loses: maps and registers sort a good tenth of shops differently."""

UNMATCHED: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapAudit:
    """Points of interest beside the register.

    Attributes
    ----------
    gaps : GeoDataFrame
        GAPS frame of the points whose kind is one of venues.
    in_scope : Rate
        Of all points: those of a kind that the rules know.
    missing : Rate
        Of those: without a record.
    """

    gaps: gpd.GeoDataFrame
    in_scope: Rate
    missing: Rate


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Points and records near each other, likest first."""

    poi: np.ndarray
    venue: np.ndarray
    alike: np.ndarray
    distance: np.ndarray
    score: np.ndarray


def find_gaps(
    pois: gpd.GeoDataFrame,
    venues: gpd.GeoDataFrame,
    *,
    epsg: int,
    data_date: date,
    boundary_version: str,
) -> GapAudit:
    """Find the points of interest that the register has no record of.

    Parameters
    ----------
    pois : GeoDataFrame
        POIS frame; points of no kind of venue are left out and counted.
    venues : GeoDataFrame
        VENUES or VENUE_LEDGER frame; rows without a position match by their whole name alone.
    epsg : int
        Metric CRS.
    data_date : date
    boundary_version : str
        Printed with the counts.
    """
    wanted = pois[pois[Col.KIND] != ""].reset_index(drop=True)
    records = venues.reset_index(drop=True)
    pairs = _pairs(wanted, records, epsg)
    match = _assign(pairs, len(wanted), len(records))
    _match_unplaced(match, wanted, records)
    gaps = _gaps(wanted, records, pairs, match)

    def share(n: int, total: int) -> Rate:
        return Rate(n=n, total=total, data_date=data_date, boundary_version=boundary_version)

    n_missing = int((~gaps[Col.IS_RECORDED]).sum())
    return GapAudit(
        gaps=gaps,
        in_scope=share(len(wanted), len(pois)),
        missing=share(n_missing, len(wanted)),
    )


def count_gaps(gaps: pd.DataFrame) -> pd.DataFrame:
    """Count points and gaps by grid.

    Parameters
    ----------
    gaps : DataFrame
        GAPS frame with `cell_id`, "" outside every grid.

    Returns
    -------
    DataFrame
        cell_id, n_gaps, n_poi: n and N of each grid that has a point, most gaps first. The sums
        are those of the whole frame.
    """
    by_cell = gaps.groupby(Col.CELL_ID, sort=True)[Col.IS_RECORDED]
    counts = pd.DataFrame({Col.N_GAPS: by_cell.size() - by_cell.sum(), Col.N_POI: by_cell.size()})
    counts = counts.astype("int64").reset_index()
    return counts.sort_values([Col.N_GAPS, Col.CELL_ID], ascending=[False, True], ignore_index=True)


def _pairs(pois: gpd.GeoDataFrame, venues: gpd.GeoDataFrame, epsg: int) -> _Pairs:
    """Return the records within `REACH` of each point, the best pairs first."""
    points = pois.geometry.to_crs(epsg).to_numpy()
    places = venues.geometry.to_crs(epsg).to_numpy()
    poi, venue = shapely.STRtree(places).query(points, predicate="dwithin", distance=REACH)
    distance = shapely.distance(points[poi], places[venue])
    alike = similarities(pois[Col.NAME].tolist(), venues[Col.NAME].tolist(), poi, venue)
    kind = venues[Col.KIND].to_numpy(dtype=object)[venue] == pois[Col.KIND].to_numpy(object)[poi]
    score = alike * (1 - FAR * distance / REACH) * np.where(kind, 1.0, 1 - OTHER_KIND)
    order = np.lexsort((venue, poi, distance, -score))
    return _Pairs(poi[order], venue[order], alike[order], distance[order], score[order])


def _assign(pairs: _Pairs, n_pois: int, n_venues: int) -> np.ndarray:
    """Return the record that stands for each point, -1 for none: the likest pairs first."""
    match = np.full(n_pois, -1, dtype=np.int64)
    is_taken = np.zeros(n_venues, dtype=bool)
    good = pairs.score >= LIKE
    for poi, venue in zip(pairs.poi[good].tolist(), pairs.venue[good].tolist(), strict=True):
        if match[poi] < 0 and not is_taken[venue]:
            match[poi] = venue
            is_taken[venue] = True
    again = (pairs.alike >= SAME_NAME) & (pairs.distance <= SAME_SPOT)
    for poi, venue in zip(pairs.poi[again].tolist(), pairs.venue[again].tolist(), strict=True):
        if match[poi] < 0:
            match[poi] = venue
    return match


def _match_unplaced(match: np.ndarray, pois: pd.DataFrame, venues: gpd.GeoDataFrame) -> None:
    """Give points left over the records without a position that have their very name, once each."""
    rows = np.flatnonzero(shapely.is_missing(venues.geometry.to_numpy()))
    names = venues[Col.NAME].to_numpy(dtype=object)
    free: dict[str, list[int]] = {}
    for row in rows[::-1].tolist():
        free.setdefault(name_key(names[row]), []).append(row)
    if not free:
        return
    poi_names = pois[Col.NAME].to_numpy(dtype=object)
    for poi in np.flatnonzero(match < 0).tolist():
        left = free.get(name_key(poi_names[poi]))
        if left:
            match[poi] = left.pop()


def _gaps(
    pois: gpd.GeoDataFrame, venues: gpd.GeoDataFrame, pairs: _Pairs, match: np.ndarray
) -> gpd.GeoDataFrame:
    """Return the GAPS frame: each point with its record, or with the likest one offered."""
    n = len(pois)
    offered = np.full(n, -1, dtype=np.int64)
    first = np.unique(pairs.poi, return_index=True)
    offered[first[0]] = pairs.venue[first[1]]
    shown = np.where(match >= 0, match, offered)
    alike = np.where(match >= 0, 1.0, 0.0)
    distance = np.full(n, np.nan)
    is_shown = pairs.venue == shown[pairs.poi]
    alike[pairs.poi[is_shown]] = pairs.alike[is_shown]
    distance[pairs.poi[is_shown]] = pairs.distance[is_shown]
    ids = np.append(venues[Col.VENUE_ID].to_numpy(dtype=object), UNMATCHED)
    return pois.assign(
        **{
            Col.IS_RECORDED: match >= 0,
            Col.VENUE_ID: pd.Series(ids[shown], dtype="str"),
            Col.SIMILARITY: alike,
            Col.DISTANCE: distance,
        }
    )
