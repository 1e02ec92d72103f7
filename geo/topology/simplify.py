"""Simpler borders for drawing, shared ones still shared and parents still their children's union.

References
----------
M. Visvalingam, J. D. Whyatt, Line generalisation by repeated elimination of points, The
Cartographic Journal 30 (1993) 46-51, doi:10.1179/000870493786962263, as `shapely.coverage_simplify`
does it on a coverage.
"""

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import Col
from geo.topology.fault import QUESTIONS
from geo.topology.nest import find_nested_faults, is_enclave, tiers_of
from geo.topology.segment import to_degrees, to_lattice
from geo.units import LONLAT_EPSG


def simplify_nested(
    boundaries: gpd.GeoDataFrame, *, epsg: int, tolerance: float
) -> gpd.GeoDataFrame:
    """Return a BOUNDARIES frame with simpler borders.

    The finest units are simplified together as one coverage; every unit above is the union of
    its children, so all levels keep the same lines. An independent grid keeps its shape, cut to
    its village.

    Parameters
    ----------
    boundaries : GeoDataFrame
        A BOUNDARIES frame without fault; holes and units of several parts may be.
    epsg : int
        Metric CRS.
    tolerance : float
        Metres: the square root of the largest triangle that a vertex taken out may span.

    Raises
    ------
    OptionInvalid
        A tolerance that is no positive number.
    ValueInvalid
        Units that are no coverage: simplified they would come apart.
    """
    if not tolerance > 0:
        raise OptionInvalid(option="tolerance", value=tolerance, expected="metres above 0")
    _require_coverage(boundaries, epsg)
    enclave = is_enclave(boundaries)
    parents = set(boundaries[Col.ADMIN_PARENT][~enclave])
    finest = np.flatnonzero(~boundaries[Col.CODE].isin(parents).to_numpy() & ~enclave)
    geometry = boundaries.geometry.to_numpy().copy()
    metric = boundaries.iloc[finest].geometry.to_crs(epsg).to_numpy()
    geometry[finest] = _in_degrees(shapely.coverage_simplify(metric, tolerance), epsg)
    _unite_parents(boundaries, geometry)
    row = {code: k for k, code in enumerate(boundaries[Col.CODE])}
    for k in np.flatnonzero(enclave):
        host = row.get(boundaries[Col.ADMIN_PARENT].iloc[k])
        if host is not None:
            geometry[k] = _within(geometry[k], geometry[host])
    return boundaries.set_geometry(gpd.GeoSeries(geometry, index=boundaries.index, crs=LONLAT_EPSG))


def _unite_parents(boundaries: gpd.GeoDataFrame, geometry: np.ndarray) -> None:
    """Put the union of its children in the place of every unit that has some, from below."""
    code = boundaries[Col.CODE].to_numpy(dtype=object)
    named = boundaries[Col.ADMIN_PARENT].to_numpy(dtype=object)
    for tier in reversed(list(tiers_of(boundaries))):
        for parent in tier.parents:
            children = tier.units[named[tier.units] == code[parent]]
            geometry[parent] = shapely.coverage_union_all(geometry[children])


def _require_coverage(boundaries: gpd.GeoDataFrame, epsg: int) -> None:
    faults = find_nested_faults(boundaries, epsg=epsg)
    faults = faults[~faults[Col.KIND].isin(QUESTIONS)]
    if len(faults) == 0:
        return
    code = faults[Col.UNIT_CODES].iloc[0].split(",")[0]
    raise ValueInvalid(
        source="boundaries",
        row=int(np.flatnonzero(boundaries[Col.CODE] == code)[0]) + 1,
        column=Col.GEOMETRY,
        value=f"{code}: {faults[Col.KIND].iloc[0]}",
        expected="borders that match the neighbours': repair the layer first",
    )


def _in_degrees(metric: np.ndarray, epsg: int) -> np.ndarray:
    back = pyproj.Transformer.from_crs(epsg, LONLAT_EPSG, always_xy=True)

    def written(xy: np.ndarray) -> np.ndarray:
        return to_degrees(to_lattice(np.column_stack(back.transform(xy[:, 0], xy[:, 1]))))

    return np.asarray(shapely.transform(metric, written))


def _within(shape: shapely.Geometry, host: shapely.Geometry) -> shapely.Geometry:
    """Return a shape cut to its host; the shape itself where nothing is cut off."""
    if shapely.covers(host, shape):
        return shape
    parts = shapely.get_parts(shapely.intersection(shape, host))
    areas = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return shape if areas.is_empty else areas
