"""The land: streets, water, built-up areas, borders, basic grids and place names, packed."""

import re

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from api.maps.contour import contour_above, count_on_grid
from api.maps.pack import Lattice, pack_ints, pack_lines, pack_names, rings
from geo.frames import Col, Layers, Level, StreetClass
from geo.privacy import Audience, Visible, allowed, suppress

Geometries = npt.NDArray[np.object_]

STREET_ORDER = tuple(StreetClass)
"""A street's class travels as its row in this order; the script knows the same order."""

STREET_TOLERANCE = 1.5
BORDER_TOLERANCE = 4.0
CELL_TOLERANCE = 2.0
"""Metres a simplified line may leave the true one: under one pixel at zoom 16, 15 and 16."""

BUILT_UP = 4.0
"""Households per hectare, smoothed over about 100 m, from which land is drawn as built up."""

WATER_AREA, WATER_LINE, BUILT = 0, 1, 2
LEVELS = (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)


def pack_streets(streets: gpd.GeoDataFrame, lattice: Lattice, *, epsg: int) -> dict[str, object]:
    """Return streets of one class and name joined into long lines.

    Returns
    -------
    dict
        ``names`` and ``lines`` with heads class, name.
    """
    names, name = np.unique(streets[Col.NAME].to_numpy(dtype=str), return_inverse=True)
    order = [member.value for member in STREET_ORDER]
    kind = pd.Categorical(streets[Col.STREET_CLASS], categories=order).codes.astype(np.int64)
    group, member = np.unique(kind * len(names) + name, return_inverse=True)
    rows = np.argsort(member, kind="stable")
    metres = streets.geometry.to_crs(epsg).to_numpy()
    joined = shapely.line_merge(shapely.multilinestrings(metres[rows], indices=member[rows]))
    parts, of = shapely.get_parts(joined, return_index=True)
    parts = _to_lonlat(shapely.simplify(parts, STREET_TOLERANCE), epsg)
    heads = np.column_stack([group[of] // len(names), group[of] % len(names)])
    return {"names": names.tolist(), "lines": pack_lines(parts, heads, lattice)}


def pack_areas(layers: Layers, lattice: Lattice) -> str:
    """Return water and built-up land as rings and lines with head kind."""
    water = layers.water.geometry.to_crs(layers.epsg).to_numpy()
    wet = shapely.get_parts(water)
    polygons = wet[shapely.get_type_id(wet) == shapely.GeometryType.POLYGON]
    lines = wet[shapely.get_type_id(wet) == shapely.GeometryType.LINESTRING]
    shapes = [rings(shapely.simplify(polygons, BORDER_TOLERANCE)), lines, rings(_built_up(layers))]
    kinds = np.repeat([WATER_AREA, WATER_LINE, BUILT], [len(part) for part in shapes])
    return pack_lines(_to_lonlat(np.concatenate(shapes), layers.epsg), kinds[:, None], lattice)


def _built_up(layers: Layers) -> Geometries:
    if layers.buildings.empty:
        return np.array([], dtype=object)
    metres = shapely.get_coordinates(layers.buildings.geometry.to_crs(layers.epsg).to_numpy())
    households = layers.buildings[Col.HOUSEHOLDS].to_numpy(dtype=float)
    grid = count_on_grid(metres, households, side=50.0, blur=1.6)
    return shapely.simplify(contour_above(grid, BUILT_UP * 0.25), 15.0)


def level_polygons(layers: Layers) -> dict[Level, gpd.GeoDataFrame]:
    """Return each level's polygons, simplified so that shared borders stay shared.

    A level that its children tile is dissolved from them: then a township line lies exactly on
    the village lines it is made of.
    """
    metric = layers.boundaries.to_crs(layers.epsg)
    found: dict[Level, gpd.GeoDataFrame] = {}
    child: gpd.GeoDataFrame | None = None
    for level in reversed(LEVELS):
        rows = metric[metric[Col.LEVEL] == level.value].reset_index(drop=True)
        if rows.empty:
            continue
        own = rows.geometry.to_numpy()
        shapes = shapely.coverage_simplify(own, BORDER_TOLERANCE)
        if child is not None:
            shapes = _dissolved(shapes, rows[Col.CODE], child)
        found[level] = child = rows.set_geometry(gpd.GeoSeries(shapes, crs=metric.crs))
    return found


def _dissolved(shapes: Geometries, codes: pd.Series, child: gpd.GeoDataFrame) -> Geometries:
    """Return `shapes` with those replaced that their children tile to one per cent."""
    members = child.groupby(Col.ADMIN_PARENT).indices
    geometry, out = child.geometry.to_numpy(), shapes.copy()
    for row, code in enumerate(codes):
        if code not in members:
            continue
        union = shapely.union_all(geometry[members[code]])
        if abs(union.area / shapes[row].area - 1) < 0.01:
            out[row] = union
    return out


def pack_borders(levels: dict[Level, gpd.GeoDataFrame], lattice: Lattice, *, epsg: int) -> str:
    """Return each border once, at the highest level that has it; head: row in LEVELS."""
    drawn, kinds, lines = None, [], []
    for row, level in enumerate(LEVELS):
        if level not in levels:
            continue
        edges = shapely.union_all(shapely.boundary(levels[level].geometry.to_numpy()))
        fresh = edges if drawn is None else shapely.difference(edges, drawn)
        parts = shapely.get_parts(shapely.line_merge(fresh))
        parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
        drawn = edges if drawn is None else shapely.union(drawn, edges)
        kinds.append(np.full(len(parts), row))
        lines.append(parts)
    if not lines:
        return pack_ints([])
    heads = np.concatenate(kinds)[:, None]
    return pack_lines(_to_lonlat(np.concatenate(lines), epsg), heads, lattice)


def pack_cells(
    cells: gpd.GeoDataFrame, villages: list[str], lattice: Lattice, audience: Audience
) -> dict[str, object]:
    """Return basic grids with their counts; village as the row of its code in `villages`.

    A count the audience may not see, or not so small, is -1.
    """
    shells = shapely.get_exterior_ring(cells.geometry.to_numpy())
    row = {code: k for k, code in enumerate(villages)}
    may_see_due = allowed(audience, Visible.DUE_INSPECTIONS)
    return {
        "n": len(cells),
        "rings": pack_lines(shells, np.empty((len(cells), 0), int), lattice),
        "ids": pack_names(cells[Col.CELL_ID].tolist()),
        "village": pack_ints([row.get(code, -1) for code in cells[Col.VILLAGE_CODE]]),
        "households": pack_ints(cells[Col.HOUSEHOLDS].to_numpy()),
        "venues": pack_ints(visible_counts(cells[Col.N_VENUES], audience)),
        "due": pack_ints(
            visible_counts(cells[Col.N_DUE], audience) if may_see_due else np.full(len(cells), -1)
        ),
    }


def visible_counts(counts: pd.Series, audience: Audience) -> npt.NDArray[np.int64]:
    """Return counts, -1 in place of those too small for the audience."""
    seen = [suppress(int(count), audience) for count in counts]
    return np.array([-1 if count is None else count for count in seen], dtype=np.int64)


def simplify_cells(cells: gpd.GeoDataFrame, *, epsg: int) -> gpd.GeoDataFrame:
    """Return the grids with fewer vertices and their shared borders still shared."""
    metric = shapely.coverage_simplify(cells.geometry.to_crs(epsg).to_numpy(), CELL_TOLERANCE)
    return cells.set_geometry(gpd.GeoSeries(metric, index=cells.index, crs=epsg).to_crs(4326))


def place_labels(layers: Layers) -> list[list[object]]:
    """Return name, latitude, longitude and level row of every boundary."""
    at = layers.boundaries.geometry.representative_point()
    rank = {level.value: row for row, level in enumerate(LEVELS)}
    rows = zip(layers.boundaries[Col.NAME], at.y, at.x, layers.boundaries[Col.LEVEL], strict=True)
    return [
        [short_name(name), round(lat, 5), round(lon, 5), rank[level]]
        for name, lat, lon, level in rows
        if level in rank
    ]


def short_name(name: str) -> str:
    """Return a village's name without the word for its committee (村委会, 居委会)."""
    village = re.sub(r"村?(村民委员会|村委会)$", "村", name)
    return re.sub(r"(社区)?(居民委员会|居委会)$", "社区", village)


def _to_lonlat(metric: Geometries, epsg: int) -> Geometries:
    lonlat: Geometries = gpd.GeoSeries(metric, crs=epsg).to_crs(4326).to_numpy()
    return lonlat
