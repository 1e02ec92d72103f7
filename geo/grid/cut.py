"""Basic grids of about 100 households, cut along streets inside the smallest boundaries."""

import zlib
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import (
    is_cut,
    is_enclave,
    most_cells,
    number_cells,
    reading_order,
    unit_codes,
    version_of,
)
from geo.errors import OptionInvalid
from geo.frames import CELLS, Col, GridRole, empty_frame
from geo.grid.atoms import Atoms, contract, graph_of
from geo.grid.blocks import (
    Blocks,
    Dividers,
    Plane,
    enclose,
    gather_dividers,
    lines_to_node,
    measure,
    merge_slivers,
)
from geo.grid.graph import components
from geo.grid.locate import assign_cells
from geo.grid.partition import partition
from geo.grid.reason import explain_cells, list_crossings
from geo.grid.split import split_blocks
from geo.grid.voronoi import units_without_lines, voronoi_lines
from geo.grid.zone import join_zones, within_zones
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import LONLAT_EPSG, SYNTHETIC

AREA_PER_CELL: Final = 60_000.0
"""m2 a cell should have where no household is known: 100 households at the 16 to 17 a hectare of
built-up county towns; larger blocks stay whole."""

BIG_BLOCK: Final = 0.4
"""Share of the target above which a block is split along its buildings."""

PIECE: Final = 0.22
"""Share of the target a piece of a split block may hold."""

MOVES_PER_ATOM: Final = 1400
"""Annealing moves; twice as many gain 0.01 of compactness on the sample."""

MIN_MOVES: Final = 40_000
"""Annealing moves of a unit of few atoms."""

CUTTING: Final = "cutting grids"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Basic grids and what has to be said about some of them.

    Attributes
    ----------
    cells : GeoDataFrame
        CELLS frame.
    reasons : DataFrame
        GRID_REASONS: every cell outside 80 to 120 per cent of the target, and why.
    crossings : DataFrame
        GRID_CROSSINGS: every cell that reaches over a main road or rail, and why.
    """

    cells: gpd.GeoDataFrame
    reasons: pd.DataFrame
    crossings: pd.DataFrame

    def renamed(self, new_code: dict[str, str]) -> "Cut":
        """Return the cut with other codes."""
        cells, reasons, crossings = (
            frame.assign(
                **{Col.CELL_ID: frame[Col.CELL_ID].map(new_code).astype("str")}
            ).sort_values(Col.CELL_ID, ignore_index=True)
            for frame in (self.cells, self.reasons, self.crossings)
        )
        return Cut(cells=cells, reasons=reasons, crossings=crossings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every atom belongs to.

    Attributes
    ----------
    cell, zone, piece : ndarray of int64, shape (n_atoms,)
        Numbered over the whole city. A piece is a part of a unit that hangs together; a zone is
        what main roads leave of it that divides well.
    """

    cell: np.ndarray
    zone: np.ndarray
    piece: np.ndarray


def cut_cells(
    boundaries: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    epsg: int,
    rail: gpd.GeoDataFrame | None = None,
    target: float = 100.0,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> gpd.GeoDataFrame:
    """Return the cells of `cut_grids` alone."""
    return cut_grids(
        boundaries,
        streets,
        water,
        buildings,
        epsg=epsg,
        rail=rail,
        target=target,
        progress=progress,
        stop=stop,
    ).cells


def cut_grids(
    boundaries: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    epsg: int,
    rail: gpd.GeoDataFrame | None = None,
    target: float = 100.0,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Cut:
    """Cut every smallest unit into contiguous cells of about `target` households.

    Parameters
    ----------
    boundaries, streets, water, buildings : GeoDataFrame
        Layers in EPSG:4326. Boundaries of any one or more levels; the others may be empty or
        cover only a part.
    epsg : int
        Metric CRS for lengths and areas.
    rail : GeoDataFrame, optional
        RAIL frame.
    target : float
        Households per cell. A unit without any known household is cut by area instead, about
        6 ha per cell and never through a block; `grid_notes` says how many were.
    progress, stop
        Called once per unit.

    Returns
    -------
    Cut
        Cells in EPSG:4326, sorted by `cell_id`. Single polygons that tile the units: no gap, no
        overlap, edge-matched. A unit's own vertices are kept; where a street crosses its line
        a vertex is added at most 1 cm off it. An independent grid is one cell under its own
        code, except the residential kind, which is cut like a village.

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
    dividers = gather_dividers(streets, water, rail)
    faces, unit = _faces(boundaries, streets, dividers, buildings, plane, target)
    stop_if_asked(stop, CUTTING)
    faces, source = split_blocks(faces, buildings, above=BIG_BLOCK * target, aim=PIECE * target)
    stop_if_asked(stop, CUTTING)
    blocks = measure(faces, unit[source], dividers, buildings, plane)
    atoms = contract(blocks, merge_slivers(blocks, boundaries))
    parts = _partition_units(atoms, boundaries, target, progress, stop)
    unit_of_cell = np.zeros(parts.cell.max() + 1, dtype=np.int64)
    unit_of_cell[parts.cell] = atoms.unit
    cells, row = _dissolve(blocks, parts.cell[atoms.of_block], unit_of_cell, boundaries)
    cells[Col.HOUSEHOLDS] = _households(cells, buildings, epsg)
    synthetic = (streets[Col.SOURCE] == SYNTHETIC).any()
    if synthetic or (buildings[Col.SOURCE] == SYNTHETIC).any():
        cells[Col.SOURCE] = pd.Series([SYNTHETIC] * len(cells), dtype="str")
    cell = row[parts.cell]
    return Cut(
        cells=cells,
        reasons=explain_cells(cells, atoms, cell, parts.zone, parts.piece, target=target),
        crossings=list_crossings(cells, atoms, cell),
    )


def _faces(  # noqa: PLR0917  (the layers in their order)
    boundaries: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    dividers: Dividers,
    buildings: gpd.GeoDataFrame,
    plane: Plane,
    target: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what streets, shores, rail, borders and, without any, buildings enclose."""
    bare = units_without_lines(boundaries, dividers)
    edges = voronoi_lines(boundaries, bare, buildings, plane, above=1.2 * target)
    lines = lines_to_node(boundaries, dividers, streets.geometry.to_numpy())
    return enclose(np.concatenate([lines, edges]), boundaries)


def _partition_units(
    atoms: Atoms,
    boundaries: gpd.GeoDataFrame,
    target: float,
    progress: Progress,
    stop: StopToken,
) -> Parts:
    """Return the cell, zone and piece of every atom, unit by unit."""
    parts = Parts(**{name: np.zeros(len(atoms.unit), dtype=np.int64) for name in Parts.__slots__})
    units = np.unique(atoms.unit)
    is_whole = is_enclave(boundaries) & ~is_cut(boundaries)
    used = np.zeros(3, dtype=np.int64)
    for done, row in enumerate(units):
        stop_if_asked(stop, CUTTING)
        code = str(boundaries[Col.CODE].iloc[row])
        nodes, own = _cut_unit(atoms, int(row), code, target, is_whole=bool(is_whole[row]))
        for name, numbers, first in zip(Parts.__slots__, own, used, strict=True):
            getattr(parts, name)[nodes] = first + numbers
        used += [numbers.max() + 1 for numbers in own]
        progress(done + 1, len(units))
    return parts


def _cut_unit(
    atoms: Atoms, unit: int, code: str, target: float, *, is_whole: bool
) -> tuple[slice, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return where a unit's atoms stand, and the cell, zone and piece of each from 0."""
    nodes, graph, is_main = graph_of(atoms, unit, area_per_cell=AREA_PER_CELL, target=target)
    piece = components(graph)[1]
    if is_whole:
        return nodes, (piece, piece, piece)
    goal = target if atoms.households[nodes].sum() > 0 else AREA_PER_CELL
    zone = join_zones(graph, is_main, target=goal)
    own = partition(
        within_zones(graph, zone),
        target=goal,
        max_parts=most_cells(code),
        seed=zlib.crc32(code.encode()),
        moves_per_atom=max(MOVES_PER_ATOM, MIN_MOVES // len(piece)),
    )
    return nodes, (own, zone, piece)


def _dissolve(
    blocks: Blocks, cell: np.ndarray, unit: np.ndarray, boundaries: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return the CELLS frame, one polygon per cell, coded and sorted; and each cell's row in it."""
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
            Col.GRID_ROLE: pd.Series(_roles(unit, boundaries), dtype="str"),
            Col.HOUSEHOLDS: np.zeros(len(unit), dtype=np.int64),
            Col.AREA: np.bincount(cell, blocks.area),
            Col.BOUNDARY_VERSION: pd.Series([version_of(boundaries)] * len(unit), dtype="str"),
            Col.SOURCE: pd.Series(boundaries[Col.SOURCE].to_numpy()[unit], dtype="str"),
        },
        geometry=gpd.GeoSeries(polygons, crs=LONLAT_EPSG),
    )
    if len(frame) == 0:
        return gpd.GeoDataFrame(empty_frame(CELLS)), np.zeros(0, dtype=np.int64)
    frame = frame[[*CELLS.columns, Col.GEOMETRY]].sort_values(Col.CELL_ID)
    return frame.reset_index(drop=True), np.argsort(frame.index.to_numpy())


def _households(cells: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    """Return the households of the buildings that `assign_cells` gives to each cell."""
    if len(buildings) == 0:
        return np.zeros(len(cells), dtype=np.int64)
    cell_id = assign_cells(buildings, cells, epsg=epsg)
    total = buildings[Col.HOUSEHOLDS].groupby(cell_id).sum()
    return np.asarray(total.reindex(cells[Col.CELL_ID], fill_value=0).to_numpy(dtype=np.int64))


def _union(faces: np.ndarray) -> shapely.Geometry:
    return faces[0] if len(faces) == 1 else shapely.coverage_union_all(faces)


def _roles(unit: np.ndarray, boundaries: gpd.GeoDataFrame) -> np.ndarray:
    whole = is_enclave(boundaries) & ~is_cut(boundaries)
    return np.where(whole[unit], GridRole.INDEPENDENT.value, GridRole.BASIC.value).astype(object)


def _codes(unit: np.ndarray, inner: np.ndarray, boundaries: gpd.GeoDataFrame) -> np.ndarray:
    """Return the cells' codes, numbered in reading order inside each unit.

    An independent grid that is not cut keeps its own; its further pieces, if any, are numbered.
    """
    out = np.empty(len(unit), dtype=object)
    whole = is_enclave(boundaries) & ~is_cut(boundaries)
    order = np.argsort(unit, kind="stable")
    rows, begin = np.unique(unit[order], return_index=True)
    for row, cells in zip(rows, np.split(order, begin[1:]), strict=True):
        code = str(boundaries[Col.CODE].iloc[row])
        is_one = whole[row] and len(cells) == 1
        out[cells[reading_order(inner[cells])]] = (
            [code] if is_one else number_cells(code, len(cells))
        )
    return out
