"""Layers of points and the cells they lie in."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import FileEmpty, OptionInvalid
from geo.frames import Col
from geo.grid.locate.index import Index, build_index
from geo.grid.locate.rule import locate, look_up
from geo.units import LONLAT_EPSG


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinder:
    """Grids ready to be asked for single points; made by `index_of`.

    Attributes
    ----------
    index : Index
    codes : ndarray of str, shape (n + 1,)
        Code of each grid; "" at the end, where row -1 points.
    """

    index: Index
    codes: np.ndarray

    def code_at(self, lon: float, lat: float) -> str:
        """Return the code of the grid that owns a point of EPSG:4326, "" for none."""
        return str(self.codes[look_up(self.index, lon, lat)])


def index_of(cells: gpd.GeoDataFrame) -> CellFinder:
    """Return grids ready to be asked for single points.

    Parameters
    ----------
    cells : GeoDataFrame
        CELLS frame.

    Raises
    ------
    FileEmpty
        No cell.
    OptionInvalid
        Not in EPSG:4326.
    """
    if len(cells) == 0:
        raise FileEmpty(source="cells")
    require_degrees(cells, "cells")
    codes = np.append(cells[Col.CELL_ID].to_numpy(dtype=object), "")
    return CellFinder(index=build_index(cells.geometry.to_numpy()), codes=codes)


def require_degrees(frame: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a frame that says it is in another system than EPSG:4326.

    Raises
    ------
    OptionInvalid
    """
    crs = frame.crs
    if crs is not None and crs.to_epsg() != LONLAT_EPSG:
        stated = crs.to_epsg()
        value = crs.name if stated is None else f"EPSG:{stated}"
        raise OptionInvalid(option=f"{name}.crs", value=value, expected=f"EPSG:{LONLAT_EPSG}")


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
    require_degrees(points, "points")
    require_degrees(cells, "cells")
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
