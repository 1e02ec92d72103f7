"""Layers of points and the cells they lie in."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import FileEmpty
from geo.frames import Col
from geo.grid.locate.index import build_index
from geo.grid.locate.rule import locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows of a layer inside and outside the cells.

    Attributes
    ----------
    frame : GeoDataFrame
        The layer with `cell_id`, "" outside.
    unmatched : DataFrame
        layer, id, lon, lat of the rows outside every boundary.
    """

    frame: gpd.GeoDataFrame
    unmatched: pd.DataFrame


def assign_cells(
    points: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    *,
    epsg: int,  # noqa: ARG001  of the face; the rule needs no plane
) -> pd.Series:
    """Return the cell each point lies in.

    Parameters
    ----------
    points : GeoDataFrame
        Points in EPSG:4326; a missing geometry lies nowhere.
    cells : GeoDataFrame
        CELLS frame.
    epsg : int
        Metric CRS of the city; the rule does not depend on it.

    Returns
    -------
    Series of str
        `cell_id` with the index of `points`; "" for points outside every boundary. Points on a
        border follow the one rule of this package; `audit_join` lists them.
    """
    if len(cells) == 0:
        raise FileEmpty(source="cells")
    row = locate(build_index(cells.geometry.to_numpy()), lonlat_of(points))
    return cell_codes(cells, row, points.index)


def cell_codes(cells: gpd.GeoDataFrame, row: np.ndarray, index: pd.Index) -> pd.Series:
    """Return the codes of rows of a CELLS frame, "" for row -1."""
    codes = np.append(cells[Col.CELL_ID].to_numpy(dtype=object), "")
    return pd.Series(codes[row], index=index, name=Col.CELL_ID, dtype="str")


def split_by_cells(
    points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, layer: str, key: str, epsg: int
) -> Split:
    """Assign cells and list the rows outside every boundary.

    Parameters
    ----------
    layer : str
        Name of the layer in the list.
    key : str
        Column that identifies a row.
    """
    cell_id = assign_cells(points, cells, epsg=epsg)
    lost = points[cell_id == ""]
    lonlat = lonlat_of(lost)
    unmatched = pd.DataFrame(
        {
            "layer": pd.Series([layer] * len(lost), dtype="str"),
            "id": lost[key].reset_index(drop=True).astype("str"),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
        }
    )
    return Split(frame=points.assign(**{Col.CELL_ID: cell_id}), unmatched=unmatched)


def lonlat_of(points: gpd.GeoDataFrame) -> np.ndarray:
    """Return the coordinates of a frame of points, NaN where one has no position; (n, 2)."""
    geometry = points.geometry.to_numpy()
    lonlat = np.full((len(geometry), 2), np.nan)
    is_point = shapely.get_type_id(geometry) == shapely.GeometryType.POINT
    is_point &= ~shapely.is_empty(geometry)
    lonlat[is_point] = shapely.get_coordinates(geometry[is_point])
    return lonlat
