"""Basic grids of about 100 households, cut along streets inside the smallest boundaries."""

import zlib
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import CELL_CODE_DIGITS, number_cells, reading_order, unit_codes, version_of
from geo.errors import OptionInvalid
from geo.frames import CELLS, Col, GridRole, empty_frame
from geo.grid.blocks import Blocks, Plane, dividing_lines, enclose, measure, merge_slivers
from geo.grid.locate import assign_cells
from geo.grid.partition import make_graph, partition
from geo.grid.split import cut_lines
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import LONLAT_EPSG, SYNTHETIC

AREA_PER_CELL: Final = 60_000.0
"""m2 a cell should have where no household is known: 100 households at the 16 to 17 a hectare of
built-up county towns; larger blocks stay whole."""

BIG_BLOCK: Final = 0.8
"""Share of the target above which a block is cut along its buildings."""

PIECE: Final = 0.35
"""Share of the target a piece of a cut block may hold."""

BORDER_PRICE: Final = np.array([1.6, 1.0, 0.4])
"""Price of 100 m of a cell's border: through a block, on a street, on a main road."""

CUTTING: Final = "cutting grids"


def cut_cells(
    boundaries: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    epsg: int,
    target: float = 100.0,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> gpd.GeoDataFrame:
    """Cut every smallest unit into contiguous cells of about `target` households.

    Parameters
    ----------
    boundaries, streets, water, buildings : GeoDataFrame
        Layers in EPSG:4326. Boundaries of any one or more levels; the others may be empty or
        cover only a part.
    epsg : int
        Metric CRS for lengths and areas.
    target : float
        Households per cell. A unit without any known household is cut by area instead, about
        6 ha per cell and never through a block; `grid_notes` says how many were.
    progress, stop
        Called once per unit.

    Returns
    -------
    GeoDataFrame
        CELLS frame in EPSG:4326, sorted by `cell_id`. Single polygons that tile the units: no gap,
        no overlap, edge-matched. A unit's own vertices are kept; where a street crosses its line
        a vertex is added at most 1 cm off it.

    Raises
    ------
    OptionInvalid
        `target` below 1.
    Stopped
        `stop` was set.
    """
    if target < 1:
        raise OptionInvalid(option="target", value=target, expected="1 household or more")
    plane = Plane(epsg)
    lines = dividing_lines(boundaries, streets, water)
    faces, unit = enclose(lines, boundaries)
    stop_if_asked(stop, CUTTING)
    cuts = cut_lines(faces, buildings, plane, above=BIG_BLOCK * target, aim=PIECE * target)
    if len(cuts):
        faces, unit = enclose(np.concatenate([lines, cuts]), boundaries)
    stop_if_asked(stop, CUTTING)
    blocks = measure(faces, unit, streets, buildings, plane)
    atom = merge_slivers(blocks, boundaries)
    atoms = _contract(blocks, atom)
    cell = np.zeros(len(atoms.unit), dtype=np.int64)
    n_cells = 0
    units = np.unique(atoms.unit)
    for done, row in enumerate(units):
        stop_if_asked(stop, CUTTING)
        nodes, own = _cut_unit(atoms, int(row), str(boundaries[Col.CODE].iloc[row]), target)
        cell[nodes] = n_cells + own
        n_cells += int(own.max()) + 1
        progress(done + 1, len(units))
    synthetic = (streets[Col.SOURCE] == SYNTHETIC).any()
    synthetic |= (buildings[Col.SOURCE] == SYNTHETIC).any()
    unit_of_cell = np.zeros(n_cells, dtype=np.int64)
    unit_of_cell[cell] = atoms.unit
    frame = _dissolve(blocks, cell[atoms.of_block], unit_of_cell, boundaries)
    frame[Col.HOUSEHOLDS] = _households(frame, buildings, epsg)
    if synthetic:
        frame[Col.SOURCE] = pd.Series([SYNTHETIC] * len(frame), dtype="str")
    return frame


@dataclass(frozen=True, slots=True)
class _Atoms:
    """Blocks after slivers joined a neighbour, ordered by unit; pairs lie inside one unit.

    Attributes
    ----------
    of_block : ndarray of int64, shape (n_blocks,)
        Atom of each block.
    unit : ndarray of int64, shape (n,)
        Ascending.
    households, area : ndarray, shape (n,)
    pairs : ndarray of int64, shape (m, 2)
        Ascending, so ordered by unit as well.
    cost : ndarray of float64, shape (m,)
    """

    of_block: np.ndarray
    unit: np.ndarray
    households: np.ndarray
    area: np.ndarray
    pairs: np.ndarray
    cost: np.ndarray


def _contract(blocks: Blocks, atom: np.ndarray) -> _Atoms:
    """Return the atoms and the price of a cell's border between any two of one unit."""
    stands_for, of_block = np.unique(atom, return_inverse=True)
    by_unit = np.argsort(blocks.unit[stands_for], kind="stable")
    of_block = np.argsort(by_unit)[of_block]
    unit = blocks.unit[stands_for[by_unit]]
    pairs = np.sort(of_block[blocks.borders.pairs], axis=1)
    inside = (pairs[:, 0] != pairs[:, 1]) & (unit[pairs[:, 0]] == unit[pairs[:, 1]])
    price = blocks.borders.length / 100.0 * BORDER_PRICE[blocks.rank]
    pairs, which = np.unique(pairs[inside], axis=0, return_inverse=True)
    return _Atoms(
        of_block=of_block,
        unit=unit,
        households=np.bincount(of_block, blocks.households, minlength=len(unit)),
        area=np.bincount(of_block, blocks.area, minlength=len(unit)),
        pairs=pairs,
        cost=np.bincount(which.reshape(-1), price[inside], minlength=len(pairs)),
    )


def _cut_unit(atoms: _Atoms, unit: int, code: str, target: float) -> tuple[slice, np.ndarray]:
    """Return where a unit's atoms stand and the cell of each, numbered from 0."""
    low, high = np.searchsorted(atoms.unit, [unit, unit + 1])
    first, last = np.searchsorted(atoms.pairs[:, 0], [low, high])
    nodes = slice(int(low), int(high))
    pairs = atoms.pairs[first:last] - low
    is_known = atoms.households[nodes].sum() > 0
    weight = atoms.households[nodes] if is_known else np.minimum(atoms.area[nodes], AREA_PER_CELL)
    own = partition(
        make_graph(weight, pairs, atoms.cost[first:last]),
        target=target if is_known else AREA_PER_CELL,
        max_parts=10 ** (CELL_CODE_DIGITS - len(code)) - 1,
        seed=zlib.crc32(code.encode()),
    )
    return nodes, own


def _dissolve(
    blocks: Blocks, cell: np.ndarray, unit: np.ndarray, boundaries: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the CELLS frame: one polygon per cell, coded and sorted."""
    order = np.argsort(cell, kind="stable")
    begin = np.searchsorted(cell[order], np.arange(cell.max() + 1))
    groups = np.split(blocks.faces[order], begin[1:])
    polygons = np.array([_union(group) for group in groups], dtype=object)
    names = unit_codes(boundaries)
    inner = shapely.get_coordinates(shapely.point_on_surface(polygons))
    frame = gpd.GeoDataFrame(
        {
            Col.CELL_ID: pd.Series(_codes(unit, inner, boundaries), dtype="str"),
            **{name: pd.Series(names[name].to_numpy()[unit], dtype="str") for name in names},
            Col.GRID_ROLE: pd.Series([GridRole.BASIC.value] * len(unit), dtype="str"),
            Col.HOUSEHOLDS: np.zeros(len(unit), dtype=np.int64),
            Col.AREA: np.bincount(cell, blocks.area),
            Col.BOUNDARY_VERSION: pd.Series([version_of(boundaries)] * len(unit), dtype="str"),
            Col.SOURCE: pd.Series(boundaries[Col.SOURCE].to_numpy()[unit], dtype="str"),
        },
        geometry=gpd.GeoSeries(polygons, crs=LONLAT_EPSG),
    )
    columns = [*CELLS.columns, Col.GEOMETRY]
    if len(frame) == 0:
        return gpd.GeoDataFrame(empty_frame(CELLS))
    return frame[columns].sort_values(Col.CELL_ID, ignore_index=True)


def _households(cells: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Return the households of the buildings that `assign_cells` gives to each cell."""
    if len(buildings) == 0:
        return np.zeros(len(cells), dtype=np.int64)
    cell_id = assign_cells(buildings, cells, epsg=epsg)
    total = buildings[Col.HOUSEHOLDS].groupby(cell_id).sum()
    return np.asarray(total.reindex(cells[Col.CELL_ID], fill_value=0).to_numpy(dtype=np.int64))


def _union(faces: np.ndarray) -> shapely.Geometry:
    return faces[0] if len(faces) == 1 else shapely.coverage_union_all(faces)


def _codes(unit: np.ndarray, inner: np.ndarray, boundaries: gpd.GeoDataFrame) -> np.ndarray:
    """Return the cells' codes, numbered in reading order inside each unit."""
    out = np.empty(len(unit), dtype=object)
    for row in np.unique(unit):
        cells = np.flatnonzero(unit == row)
        code = str(boundaries[Col.CODE].iloc[row])
        out[cells[reading_order(inner[cells])]] = number_cells(code, len(cells))
    return out
