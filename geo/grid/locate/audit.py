"""Points that lie on a border or in no cell: listed, with what is nearest, never moved silently."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import FileEmpty
from geo.frames import JOIN_AUDIT, Col, JoinCase
from geo.grid.locate.cells import cell_codes, lonlat_of, require_degrees
from geo.grid.locate.index import Index, build_index
from geo.grid.locate.near import nearest_units
from geo.grid.locate.rule import OUTER_REACH, find_owners
from geo.rate import Rate

OFFER_REACH: Final = 5_000.0
"""Metres within which the nearest cell is offered; from farther off the position is in doubt."""

SHARED: Final = 1e-4
"""Metres within which another cell counts as meeting the point: a hundredth of a lattice step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Points joined to cells.

    Attributes
    ----------
    cell_id : Series of str
        Cell of each point with the index of the points, "" for none.
    audit : GeoDataFrame
        JOIN_AUDIT frame: the points off the plain case, and nothing of the others.
    n_unplaced : int
        Points without a position that are in the audit but in no frame of points.
    """

    cell_id: pd.Series
    audit: gpd.GeoDataFrame
    n_unplaced: int = 0

    @property
    def total(self) -> int:
        """Points, those without a position among them."""
        return len(self.cell_id) + self.n_unplaced

    def with_unplaced(self, ids: Sequence[str]) -> "Join":
        """Return the join with points beside that a reader left out for want of a position."""
        if not ids:
            return self
        text = {
            Col.POINT_ID: list(ids),
            Col.JOIN_CASE: [JoinCase.UNPLACED.value] * len(ids),
            Col.CELL_ID: [""] * len(ids),
            Col.NEAREST_ID: [""] * len(ids),
        }
        rows = gpd.GeoDataFrame(
            {column: pd.Series(cells, dtype="str") for column, cells in text.items()},
            geometry=gpd.GeoSeries([None] * len(ids), crs=self.audit.crs),
        )
        rows[Col.DISTANCE] = np.full(len(ids), np.nan)
        rows = rows[list(self.audit.columns)]
        audit = rows if self.audit.empty else pd.concat([self.audit, rows], ignore_index=True)
        return replace(self, audit=audit, n_unplaced=self.n_unplaced + len(ids))

    def count(self, case: JoinCase) -> int:
        """Return how many points are of one case."""
        return int((self.audit[Col.JOIN_CASE] == case).sum())

    def matched(self, *, data_date: date, boundary_version: str) -> Rate:
        """Return the points with a cell, of all."""
        return Rate(
            n=int((self.cell_id != "").sum()),
            total=self.total,
            data_date=data_date,
            boundary_version=boundary_version,
        )


def join_points(
    points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, key: str = "", index: Index | None = None
) -> Join:
    """Assign cells and list every point on a border, beyond the outer one, outside or nowhere.

    Parameters
    ----------
    points : GeoDataFrame
        Points in EPSG:4326; a missing geometry lies nowhere.
    cells : GeoDataFrame
        CELLS frame.
    key : str
        Column that identifies a point; "" counts rows from 1.
    index : Index, optional
        `build_index` of the cells' geometry, where several layers are joined to the same cells.

    Raises
    ------
    FileEmpty
        No cell.
    OptionInvalid
        Points or cells that are not in EPSG:4326.
    """
    if len(cells) == 0:
        raise FileEmpty(source="cells")
    require_degrees(points, "points")
    require_degrees(cells, "cells")
    if index is None:
        index = build_index(cells.geometry.to_numpy())
    lonlat = lonlat_of(points)
    owner = find_owners(index, lonlat)
    odd = np.flatnonzero(~owner.is_plain | (owner.row < 0))
    named = points[key].iloc[odd].astype("str") if key else pd.Series(odd + 1).astype("str")
    audit = _audit(index, cells, lonlat[odd], owner.row[odd])
    audit.insert(0, Col.POINT_ID, named.to_numpy())
    audit[Col.POINT_ID] = audit[Col.POINT_ID].astype("str")
    return Join(cell_id=cell_codes(cells, owner.row, points.index), audit=audit)


def audit_join(
    points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, key: str = ""
) -> gpd.GeoDataFrame:
    """Return the points whose cell is not plain, as `join_points` lists them.

    Returns
    -------
    GeoDataFrame
        JOIN_AUDIT frame. `nearest_id` and `distance` are an offer for a person to judge: the other
        cell at a border, the nearest one within 5 km outside; `cell_id` is what holds.
    """
    return join_points(points, cells, key=key).audit


def _audit(
    index: Index, cells: gpd.GeoDataFrame, lonlat: np.ndarray, row: np.ndarray
) -> gpd.GeoDataFrame:
    """Return case, cell and offer of points that are not plain."""
    other, distance = nearest_units(index, lonlat, reach=OFFER_REACH, but=row)
    case = np.where(distance <= SHARED, JoinCase.BORDER.value, JoinCase.OUTER.value).astype(object)
    case[row < 0] = JoinCase.OUTSIDE.value
    case[np.isnan(lonlat).any(axis=1)] = JoinCase.UNPLACED.value
    offered = np.where((row >= 0) & (distance > OUTER_REACH), -1, other)
    rows = pd.RangeIndex(len(row))
    frame = gpd.GeoDataFrame(
        {
            Col.JOIN_CASE: pd.Series(case, dtype="str"),
            Col.CELL_ID: cell_codes(cells, row, rows),
            Col.NEAREST_ID: cell_codes(cells, offered, rows).rename(Col.NEAREST_ID),
            Col.DISTANCE: np.where(offered < 0, np.nan, distance),
        },
        geometry=gpd.GeoSeries(gpd.points_from_xy(*lonlat.T), crs=cells.crs),
    )
    frame.loc[case == JoinCase.UNPLACED, Col.GEOMETRY] = None
    return frame[[name for name in JOIN_AUDIT.columns if name in frame] + [Col.GEOMETRY]]
