"""Basic grids divided into groups of 10 to 30 households."""

import math
import zlib
from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import reading_order
from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import GROUPS, Col, GridRole, GroupReason, empty_frame
from geo.grid.groups.draw import Drawn, draw_groups
from geo.grid.groups.region import Regions, find_regions
from geo.grid.groups.site import METRES_PER_DEGREE, Sites, divide, find_sites
from geo.grid.partition import Graph, make_graph, partition
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import LONLAT_EPSG

TARGET: Final = 20
"""Households of a group that are aimed at."""

BAND: Final = (10, 30)
"""Households a group should have (小组: 10 至 30 户)."""

MAX_GROUPS: Final = 99
"""Groups a grid may have: two digits."""

COUNTS: Final = 4
"""Numbers of groups tried in a grid, the nearest to the aim first, before buildings are divided."""

MOVES_PER_ATOM: Final = 80
"""Annealing moves per building: groups have a wide band and few buildings."""

SIBLING: Final = 3.0
"""Extra price of a border between two pieces of one building."""

_NUMBERS: Final = 1_000_000
"""More groups than a grid can have: grid and number in one whole number."""

GROUPING: Final = "grouping"


def cut_groups(
    cells: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    epsg: int,
    target: int = TARGET,
    band: tuple[int, int] = BAND,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> gpd.GeoDataFrame:
    """Divide every basic grid into contiguous groups.

    Parameters
    ----------
    cells : GeoDataFrame
        CELLS frame; grids of another role than basic (institutions) get no groups.
    buildings : GeoDataFrame
        BUILDINGS frame: households of whole buildings.
    epsg : int
        Metric CRS, for areas.
    target : int
        Households aimed at.
    band : tuple of int
        Fewest and most households of a group. A building of more is divided by number alone.
    progress, stop
        Called once per grid.

    Returns
    -------
    GeoDataFrame
        GROUPS frame in EPSG:4326, sorted by `group_id`: single polygons that tile the basic grids,
        edge-matched among themselves. A grid with no more than the band's households, or none
        known, is one group.

    Raises
    ------
    OptionInvalid
        A band that is none, or a target outside it.
    ValueInvalid
        A grid in several pieces.
    Stopped
        `stop` was set.
    """
    if not 1 <= band[0] <= target <= band[1]:
        raise OptionInvalid(option="band", value=f"{band}, {target}", expected="low ≤ aim ≤ high")
    is_basic = (cells[Col.GRID_ROLE] == GridRole.BASIC).to_numpy()
    basic = cells[is_basic].reset_index(drop=True)
    _require_single(basic)
    if len(basic) == 0:
        return gpd.GeoDataFrame(empty_frame(GROUPS))
    size = _Size(target, *band)
    polygons = cells.geometry.to_numpy()
    middle = np.radians(shapely.bounds(polygons)[:, [1, 3]].mean())
    scale = np.array([np.cos(middle), 1.0])
    number = np.where(is_basic, np.cumsum(is_basic) - 1, -1)
    sites = find_sites(polygons, number, scale, buildings)
    plan = _plan(basic, sites, scale, size, _Watch(progress, stop))
    stop_if_asked(stop, GROUPING)
    drawn = draw_groups(plan.shapes, plan.group, plan.cell, basic.geometry.to_numpy())
    return _frame(basic, plan, drawn, epsg, size)


def _require_single(cells: gpd.GeoDataFrame) -> None:
    several = np.flatnonzero(cells.geom_type != "Polygon")
    if len(several):
        raise ValueInvalid(
            source="cells",
            row=int(several[0]) + 1,
            column=Col.GEOMETRY,
            value=cells.geom_type.iloc[several[0]],
            expected="Polygon, one piece",
        )


@dataclass(frozen=True, slots=True)
class _Size:
    """Households of a group: aimed at, fewest, most."""

    target: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who hears of progress, and who may stop the work."""

    progress: Progress
    stop: StopToken


@dataclass(frozen=True, slots=True)
class _Plan:
    """Groups before they are drawn.

    Attributes
    ----------
    shapes : ndarray of Polygon, shape (n_shapes,)
        Ground in degrees.
    group : ndarray of int64, shape (n_shapes,)
    cell : ndarray of int64, shape (n_groups,)
        Row of the grid, per group.
    households : ndarray of int64, shape (n_groups,)
    by_count : ndarray of bool, shape (n_groups,)
    """

    shapes: np.ndarray
    group: np.ndarray
    cell: np.ndarray
    households: np.ndarray
    by_count: np.ndarray


@dataclass(frozen=True, slots=True)
class _Division:
    """Sites of some grids, their ground, and the group of each site inside its grid, from 0."""

    sites: Sites
    regions: Regions
    group: np.ndarray


def _plan(
    cells: gpd.GeoDataFrame,
    sites: Sites,
    scale: np.ndarray,
    size: _Size,
    watch: _Watch,
) -> _Plan:
    """Return the groups of all grids; those with few households are one group each."""
    polygons = cells.geometry.to_numpy()
    flat = shapely.transform(polygons, lambda xy: xy * scale)
    total = np.bincount(sites.cell, sites.weight, minlength=len(cells)).astype(np.int64)
    codes = cells[Col.CELL_ID].to_numpy(dtype=object)
    large = sites.take(np.flatnonzero(total[sites.cell] > size.high))
    whole = divide(large, flat, above=size.high, piece=-(-size.high // 2))
    first = _divide_cells(whole, flat, codes, size, watch)
    out = np.flatnonzero(_n_out(first, len(cells), size) > 0)
    rest = large.take(np.flatnonzero(np.isin(large.cell, out)))
    finer = divide(rest, flat, above=size.low, piece=max(1, size.low * 4 // 5))
    second = _divide_cells(finer, flat, codes, size, replace(watch, progress=silent))
    better = _n_out(second, len(cells), size) < _n_out(first, len(cells), size)
    divisions = (_only(first, ~better), _only(second, better))
    return _join(divisions, np.flatnonzero(total <= size.high), total, polygons, scale)


def _divide_cells(
    sites: Sites, cells: np.ndarray, codes: np.ndarray, size: _Size, watch: _Watch
) -> _Division:
    """Return the group of each site, grid by grid."""
    stop_if_asked(watch.stop, GROUPING)
    sites, regions = find_regions(sites, cells)
    measures = _measures(sites, regions)
    group = np.zeros(len(sites.weight), dtype=np.int64)
    rows = np.unique(sites.cell)
    begin, end = np.searchsorted(sites.cell, [rows, rows + 1])
    pairs = regions.borders.pairs
    first, last = np.searchsorted(pairs[:, 0], [begin, end])
    for done, row in enumerate(rows):
        stop_if_asked(watch.stop, GROUPING)
        own, edges = slice(begin[done], end[done]), slice(first[done], last[done])
        graph = make_graph(
            sites.weight[own],
            pairs[edges] - begin[done],
            measures.cost[edges],
            area=measures.area[own],
            rim=measures.rim[own],
            shared=measures.shared[edges],
        )
        group[own] = _group(graph, size, zlib.crc32(str(codes[row]).encode()))
        watch.progress(done + 1, len(rows))
    return _Division(sites, regions, group)


def _group(graph: Graph, size: _Size, seed: int) -> np.ndarray:
    """Return the group of each site of one grid, with the first number of groups that fits."""
    total = float(graph.weight.sum())
    fewest, most = math.ceil(total / size.high), math.floor(total / size.low)
    counts = sorted(range(fewest, most + 1), key=lambda n: abs(total / n - size.target))
    best, best_n_out = np.zeros(len(graph.weight), dtype=np.int64), _NUMBERS
    for count in dict.fromkeys(min(n, MAX_GROUPS) for n in counts[:COUNTS] or [1]):
        mean = total / count
        part = partition(
            graph,
            target=mean,
            max_parts=MAX_GROUPS,
            seed=seed,
            aim=(size.low / mean, size.high / mean),
            bound=(size.low / mean, size.high / mean),
            moves_per_atom=MOVES_PER_ATOM,
        )
        load = np.bincount(part, graph.weight)
        n_out = int(((load < size.low) | (load > size.high)).sum())
        if n_out < best_n_out:
            best, best_n_out = part, n_out
        if n_out == 0:
            break
    return best


@dataclass(frozen=True, slots=True)
class _Measures:
    """Metres and m2 of the sites' ground: area and rim per site, shared and cost per border."""

    area: np.ndarray
    rim: np.ndarray
    shared: np.ndarray
    cost: np.ndarray


def _measures(sites: Sites, regions: Regions) -> _Measures:
    n = len(sites.weight)
    shared = regions.borders.length * METRES_PER_DEGREE
    area = np.bincount(regions.site, shapely.area(regions.shapes), minlength=n)
    rim = np.bincount(regions.site, shapely.length(regions.shapes), minlength=n)
    pairs = regions.borders.pairs
    cost = shared / max(float(shared.mean()), 1e-9) if len(shared) else shared
    is_sibling = sites.building[pairs[:, 0]] == sites.building[pairs[:, 1]]
    return _Measures(
        area=np.rint(area * METRES_PER_DEGREE**2),  # whole, so that sums come back to 0
        rim=rim * METRES_PER_DEGREE,
        shared=shared,
        cost=cost + SIBLING * is_sibling,
    )


def _loads(division: _Division) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the grid and the households of each group, and the group of each site."""
    key = division.sites.cell * _NUMBERS + division.group
    keys, which = np.unique(key, return_inverse=True)
    which = which.reshape(-1)
    load = np.bincount(which, division.sites.weight, minlength=len(keys))
    return keys // _NUMBERS, np.rint(load).astype(np.int64), which


def _n_out(division: _Division, n_cells: int, size: _Size) -> np.ndarray:
    """Return how many groups of each grid lie outside the band; all numbers where it has none."""
    cell, load, _ = _loads(division)
    n_out = np.full(n_cells, _NUMBERS)
    n_out[cell] = 0
    np.add.at(n_out, cell, (load < size.low) | (load > size.high))
    return n_out


def _only(division: _Division, wanted: np.ndarray) -> _Division:
    """Return the part of a division that lies in the wanted grids."""
    sites, regions = division.sites, division.regions
    kept = wanted[sites.cell]
    number = np.cumsum(kept) - 1
    held = kept[regions.site]
    ground = replace(regions, shapes=regions.shapes[held], site=number[regions.site[held]])
    return _Division(sites.take(np.flatnonzero(kept)), ground, division.group[kept])


def _join(
    divisions: tuple[_Division, ...],
    whole: np.ndarray,
    total: np.ndarray,
    polygons: np.ndarray,
    scale: np.ndarray,
) -> _Plan:
    """Return the groups of divided grids and of those left whole, numbered through."""
    shapes, group = [polygons[whole]], [np.arange(len(whole))]
    cell, households = [whole], [total[whole]]
    by_count = [np.zeros(len(whole), dtype=bool)]
    n_groups = len(whole)
    for one in divisions:
        of_group, load, which = _loads(one)
        ground = shapely.transform(one.regions.shapes, lambda xy: xy / scale)
        shapes.append(ground)
        group.append(n_groups + which[one.regions.site])
        cell.append(of_group)
        households.append(load)
        by_count.append(_divided(one.sites.building, which, len(load)))
        n_groups += len(load)
    return _Plan(
        shapes=np.concatenate(shapes),
        group=np.concatenate(group),
        cell=np.concatenate(cell),
        households=np.concatenate(households),
        by_count=np.concatenate(by_count),
    )


def _divided(building: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Say which groups share a building with another."""
    pairs = np.unique(np.column_stack([building, group]), axis=0)
    times = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
    shared = pairs[times[2][times[1].reshape(-1)] > 1, 1] if len(pairs) else pairs[:, 1]
    out = np.zeros(n_groups, dtype=bool)
    out[shared] = True
    return out


def _frame(
    cells: gpd.GeoDataFrame,
    plan: _Plan,
    drawn: Drawn,
    epsg: int,
    size: _Size,
) -> gpd.GeoDataFrame:
    """Return the GROUPS frame: coded, measured, with the reason of each exception."""
    polygons, group = drawn.polygons, drawn.group
    cell = plan.cell[group]
    households = np.bincount(drawn.heir, plan.households, minlength=len(plan.cell))[group]
    by_count = np.bincount(drawn.heir, plan.by_count, minlength=len(plan.cell))[group] > 0
    shapes = gpd.GeoSeries(polygons, crs=LONLAT_EPSG)
    ids = cells[Col.CELL_ID].to_numpy(dtype=object)[cell]
    inner = shapely.get_coordinates(shapely.point_on_surface(polygons))
    frame = gpd.GeoDataFrame(
        {
            Col.GROUP_ID: pd.Series(_codes(ids, cell, inner), dtype="str"),
            Col.CELL_ID: pd.Series(ids, dtype="str"),
            Col.HOUSEHOLDS: np.rint(households).astype(np.int64),
            Col.AREA: shapes.to_crs(epsg).area.to_numpy(),
            Col.BY_COUNT: by_count,
            Col.REASON: pd.Series(_reasons(cell, households, size), dtype="str"),
            Col.BOUNDARY_VERSION: pd.Series(
                cells[Col.BOUNDARY_VERSION].to_numpy(dtype=object)[cell], dtype="str"
            ),
            Col.SOURCE: pd.Series(cells[Col.SOURCE].to_numpy(dtype=object)[cell], dtype="str"),
        },
        geometry=shapes,
    )
    columns = [*GROUPS.columns, Col.GEOMETRY]
    return frame[columns].sort_values(Col.GROUP_ID, ignore_index=True)


def _reasons(cell: np.ndarray, households: np.ndarray, size: _Size) -> np.ndarray:
    """Say why a group lies outside the band, "" for those inside."""
    total = np.bincount(cell, households)[cell]
    n_groups = np.bincount(cell)[cell]
    choices = [
        ((households >= size.low) & (households <= size.high), ""),
        (total == 0, GroupReason.NO_HOUSEHOLDS.value),
        (total < size.low, GroupReason.FEW_HOUSEHOLDS.value),
        (n_groups >= MAX_GROUPS, GroupReason.NUMBERS.value),
    ]
    return np.select(
        [mask for mask, _ in choices],
        [np.full(len(cell), word, dtype=object) for _, word in choices],
        GroupReason.COARSE.value,
    )


def _codes(ids: np.ndarray, cell: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the groups' codes, numbered in reading order inside each grid."""
    out = np.empty(len(cell), dtype=object)
    order = np.argsort(cell, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        ranked = rows[reading_order(inner[rows])]
        out[ranked] = [f"{ids[rows[0]]}{number:02d}" for number in range(1, len(rows) + 1)]
    return out
