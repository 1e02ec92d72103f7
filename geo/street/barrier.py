"""Water and rail beside streets: the lines that divide the ground, and where streets cross them."""

from enum import StrEnum
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col
from geo.units import LONLAT_EPSG


class Barrier(StrEnum):
    """What divides the ground beside streets: 水, 铁路."""

    WATER = "water"
    RAIL = "rail"


_AREAS: Final = (3, 6)


def dividing_lines(water: gpd.GeoDataFrame, rail: gpd.GeoDataFrame | None = None) -> gpd.GeoSeries:
    """Return the lines that divide the ground: streams, the shores of water areas, rail.

    Parameters
    ----------
    water, rail : GeoDataFrame
        WATER and RAIL frames; rail on a viaduct or in a tunnel divides nothing.

    Returns
    -------
    GeoSeries of LineString in EPSG:4326
    """
    shapes = [shapely.get_parts(water.geometry.to_numpy())]
    if rail is not None:
        shapes.append(shapely.get_parts(rail.geometry[~rail[Col.BRIDGE]].to_numpy()))
    parts = np.concatenate(shapes)
    is_area = np.isin(shapely.get_type_id(parts), _AREAS)
    shores = ring_lines(parts[is_area])
    return gpd.GeoSeries(np.concatenate([parts[~is_area], shores]), crs=LONLAT_EPSG)


def ring_lines(areas: np.ndarray) -> np.ndarray:
    """Return the rings of areas, outer ones and islands, as LineStrings."""
    rings = shapely.get_rings(areas)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    return np.asarray(shapely.linestrings(xy, indices=ring)) if len(rings) else rings


def find_crossings(
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    rail: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return where streets cross water and rail.

    Parameters
    ----------
    streets, water, rail : GeoDataFrame
        STREETS, WATER and RAIL frames in EPSG:4326.

    Returns
    -------
    GeoDataFrame
        `segment_id`, `crosses` (water or rail), `code` of the thing crossed, `bridge`, and a Point
        in EPSG:4326 in the middle of the common stretch. Water crossed without a bridge is a
        ford, a culvert or a bridge the streets do not know; rail without one is a level crossing.
    """
    parts = [_crossings(streets, water, Barrier.WATER)]
    if rail is not None:
        parts.append(_crossings(streets, rail[~rail[Col.BRIDGE]], Barrier.RAIL))
    frame = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=LONLAT_EPSG)
    order = [Col.SEGMENT_ID, Col.CROSSES, Col.CODE]
    return frame.sort_values(order, ignore_index=True)


def _crossings(
    streets: gpd.GeoDataFrame, crossed: gpd.GeoDataFrame, barrier: Barrier
) -> gpd.GeoDataFrame:
    lines, shapes = streets.geometry.to_numpy(), crossed.geometry.to_numpy()
    street, thing = shapely.STRtree(shapes).query(lines, predicate="intersects")
    common, pair = shapely.get_parts(
        shapely.intersection(lines[street], shapes[thing]), return_index=True
    )
    street, thing = street[pair], thing[pair]
    middle = common.copy()
    along = shapely.get_type_id(common) == 1
    middle[along] = shapely.line_interpolate_point(common[along], 0.5, normalized=True)
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: streets[Col.SEGMENT_ID].to_numpy()[street],
            Col.CROSSES: pd.Series([barrier.value] * len(street), dtype="str"),
            Col.CODE: crossed[Col.CODE].to_numpy()[thing],
            Col.BRIDGE: streets[Col.BRIDGE].to_numpy()[street],
        },
        geometry=gpd.GeoSeries(middle, crs=LONLAT_EPSG),
    )
