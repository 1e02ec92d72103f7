"""Basic grids judged by the four demands of the rules: 街巷定界, 规模适度, 无缝覆盖, 便于管理."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.boundary import is_cut, is_enclave
from geo.boundary.code import NUMBER_DIGITS
from geo.frames import GRID_SCORES, Col, GridRole
from geo.grid.blocks import Plane, gather_dividers, rank_places
from geo.grid.locate import build_index, locate
from geo.grid.quality import units_of
from geo.rate import Rate
from geo.topology import LATTICE, segments_of

AIM: Final = (80, 120)
BOUND: Final = (70, 130)
BAND: Final = (50, 150)
"""Households: aimed at; held wherever a partition exists; of moderate size at all."""

ROUNDING: Final = 1e-11
"""Share of an area that sums of floating point numbers may lose."""

LINE_WIDTH: Final = 2 * LATTICE
"""Mean width in degrees (2 area / perimeter) up to which a sliver is the unit's line itself."""

DEGREE_AREA: Final = 111_320.0 * 110_950.0
"""m2 of a square degree at the equator; within 0.5 % to 45 degrees once times the cosine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridScore:
    """The four demands for a whole city.

    Attributes
    ----------
    by_unit : DataFrame
        GRID_SCORES, one row per unit that is cut and has cells.
    on_streets, inner_on_streets : Rate
        街巷定界: whole metres of border (each once) on streets, shores or rail; of the borders
        between two cells of one unit the same.
    inner_where_streets : Rate
        The same in units whose streets are at least as long as their inner borders.
    in_aim, in_bound, in_band : Rate
        规模适度: cells of 80 to 120, 70 to 130, 50 to 150 households, in units with known ones.
    variation : float
        Standard deviation over mean of households, same cells.
    gap_area, overlap_area : float
        无缝覆盖: m2 of the units that no cell, or more than one, covers.
    n_straddles : int
        Cells that reach beyond their unit.
    whole : Rate
        便于管理: cells in one piece.
    compactness, median_compactness : float
        Polsby-Popper score, 4 pi area / perimeter².
    walk : tuple of float
        Median and longest straight line across a cell: diameter of its smallest circle in metres,
        a walk along streets is longer.
    """

    by_unit: pd.DataFrame
    on_streets: Rate
    inner_on_streets: Rate
    inner_where_streets: Rate
    in_aim: Rate
    in_bound: Rate
    in_band: Rate
    variation: float
    gap_area: float
    overlap_area: float
    n_straddles: int
    whole: Rate
    compactness: float
    median_compactness: float
    walk: tuple[float, float]

    def figures(self) -> tuple[tuple[str, Mapping[str, object]], ...]:
        """Return the four demands as message codes and parameters."""
        border = {
            "rate": str(self.on_streets),
            "inner": str(self.inner_on_streets),
            "allowed": str(self.inner_where_streets),
        }
        size = {
            "aim": str(self.in_aim),
            "bound": str(self.in_bound),
            "band": str(self.in_band),
            "variation": f"{self.variation:.3f}",
        }
        cover = {
            "gap": f"{self.gap_area:,.2f}",
            "overlap": f"{self.overlap_area:,.2f}",
            "straddles": self.n_straddles,
        }
        care = {
            "whole": str(self.whole),
            "mean": f"{self.compactness:.3f}",
            "median": f"{self.median_compactness:.3f}",
            "walk": f"{self.walk[0]:,.0f}",
            "longest": f"{self.walk[1]:,.0f}",
        }
        return (
            ("grid.score.border", border),
            ("grid.score.size", size),
            ("grid.score.cover", cover),
            ("grid.score.care", care),
        )


@dataclass(frozen=True, slots=True)
class _Edges:
    """Borders of cells segment by segment, each once.

    Attributes
    ----------
    cell : ndarray of int64, shape (n, 2)
        The cells on both sides; -1 outside.
    length : ndarray of float64, shape (n,)
        Metres.
    on_street : ndarray of bool, shape (n,)
    """

    cell: np.ndarray
    length: np.ndarray
    on_street: np.ndarray


def score_cells(
    cells: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    *,
    epsg: int,
    data_date: date,
    rail: gpd.GeoDataFrame | None = None,
) -> GridScore:
    """Judge basic grids, ours or anybody's, by the four demands.

    Parameters
    ----------
    cells : GeoDataFrame
        CELLS frame.
    boundaries, streets, water, rail : GeoDataFrame
        What they were cut from, EPSG:4326.
    epsg : int
        Metric CRS.
    data_date : date
        Day of the data, for the rates.
    """
    cells = cells[cells[Col.GRID_ROLE] == GridRole.BASIC].reset_index(drop=True)
    plane = Plane(epsg)
    unit, code = pd.factorize(_unit_codes(cells, boundaries))
    metric = plane.project(cells.geometry.to_numpy())
    edges = _edges(cells, streets, water, rail, plane)
    frame = _by_unit(cells, unit, code, metric, edges)
    frame = frame.assign(**_coverage(cells.geometry.to_numpy(), unit, code, boundaries))
    metres = _street_metres(streets, plane, cells, unit, len(code))
    return _summary(frame[[*GRID_SCORES.columns]], cells, unit, metric, metres, data_date)


def _unit_codes(cells: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame) -> pd.Series:
    """Return the unit each cell was cut from: an independent grid's cells are not the village's."""
    stem = cells[Col.CELL_ID].str[:-NUMBER_DIGITS]
    unit: pd.Series = stem.where(stem.isin(boundaries[Col.CODE]), units_of(cells))
    return unit


def _edges(
    cells: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    rail: gpd.GeoDataFrame | None,
    plane: Plane,
) -> _Edges:
    segments = segments_of(cells.geometry.to_numpy())
    order = np.lexsort((segments.owner, segments.high, segments.low))
    low, high, owner = segments.low[order], segments.high[order], segments.owner[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    start = np.flatnonzero(fresh)
    other = np.full(len(start), -1, dtype=np.int64)
    shared = np.append(~fresh, [False])[start + 1]
    other[shared] = owner[start[shared] + 1]
    ends = plane.metres(segments.ends[order[start]].reshape(-1, 2)).reshape(-1, 2, 2)
    rank = rank_places(ends.mean(axis=1), gather_dividers(streets, water, rail), plane)
    return _Edges(
        cell=np.stack([owner[start], other], axis=1),
        length=np.hypot(*(ends[:, 1] - ends[:, 0]).T),
        on_street=rank > 0,
    )


def _by_unit(
    cells: gpd.GeoDataFrame,
    unit: np.ndarray,
    code: pd.Index,
    metric: np.ndarray,
    edges: _Edges,
) -> pd.DataFrame:
    """Return size, borders and shape of each unit's cells."""
    households = cells[Col.HOUSEHOLDS].to_numpy()
    n = len(code)
    count = np.bincount(unit, minlength=n)
    total = np.bincount(unit, households, minlength=n)
    spread = np.bincount(unit, households.astype(float) ** 2, minlength=n) / count
    mean = total / count
    known = total[unit] > 0
    frame = {Col.CODE: pd.Series(code, dtype="str"), Col.N_CELLS: count}
    frame[Col.HOUSEHOLDS] = total.astype(np.int64)
    for name, (low, high) in ((Col.N_AIM, AIM), (Col.N_BOUND, BOUND), (Col.N_BAND, BAND)):
        inside = known & (households >= low) & (households <= high)
        frame[name] = np.bincount(unit, inside, minlength=n).astype(np.int64)
    deviation = np.sqrt(np.maximum(spread - mean**2, 0))
    frame[Col.VARIATION] = np.divide(deviation, mean, out=np.zeros(n), where=mean > 0)
    frame |= _borders(unit, edges, n)
    is_whole = shapely.get_num_geometries(metric) == 1
    frame[Col.N_WHOLE] = np.bincount(unit, is_whole, minlength=n).astype(np.int64)
    frame[Col.COMPACTNESS] = np.bincount(unit, polsby_popper(metric), minlength=n) / count
    longest = np.zeros(n)
    np.maximum.at(longest, unit, walks_across(metric))
    frame[Col.WALK] = longest
    return pd.DataFrame(frame)


def polsby_popper(polygons: np.ndarray) -> np.ndarray:
    """Return 4 pi area / perimeter² of polygons in metres: 1 a circle, 0.785 a square.

    References
    ----------
    Polsby and Popper, The Third Criterion, Yale Law & Policy Review 9(2), 1991.
    """
    return np.asarray(4 * np.pi * shapely.area(polygons) / shapely.length(polygons) ** 2)


def walks_across(polygons: np.ndarray) -> np.ndarray:
    """Return the diameter in metres of the smallest circle around each polygon."""
    return np.asarray(2 * shapely.minimum_bounding_radius(polygons))


def _borders(unit: np.ndarray, edges: _Edges, n: int) -> dict[str, np.ndarray]:
    """Return metres of border per unit, each once per unit that has it on a side."""
    one, other = edges.cell.T
    own = unit[one]
    beyond = np.where(other >= 0, unit[other], -1)
    inner = beyond == own
    away = (beyond >= 0) & ~inner
    street = edges.length * edges.on_street

    def add(values: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.bincount(own, values, minlength=n)
            + np.bincount(beyond[away], values[away], minlength=n)
        )

    return {
        Col.BORDER: add(edges.length),
        Col.BORDER_ON_STREETS: add(street),
        Col.INNER_BORDER: np.bincount(own[inner], edges.length[inner], minlength=n),
        Col.INNER_ON_STREETS: np.bincount(own[inner], street[inner], minlength=n),
    }


def _coverage(
    polygons: np.ndarray, unit: np.ndarray, code: pd.Index, boundaries: gpd.GeoDataFrame
) -> dict[str, np.ndarray]:
    """Return m2 of gap and overlap per unit, and how many cells reach beyond it.

    A unit's cells should tile it without its enclaves. Judged in degrees, where both are drawn: a
    vertex between the ends of a long straight line leaves it in any other projection. What is no
    wider than `LINE_WIDTH` is the unit's line: coordinates are written to 1 cm.
    """
    n = len(code)
    row = pd.Index(boundaries[Col.CODE]).get_indexer(code)
    known = (row >= 0) & is_cut(boundaries)[row]
    own = _without_enclaves(boundaries, row)
    order = np.argsort(unit, kind="stable")
    groups = np.split(polygons[order], np.searchsorted(unit[order], np.arange(1, n)))
    union = np.array([shapely.union_all(group) for group in groups], dtype=object)
    twice = np.bincount(unit, shapely.area(polygons), minlength=n) / shapely.area(union) - 1
    overlap = twice * _square_metres(union)
    beyond = _area_off(shapely.difference(union, own))
    suspects = np.flatnonzero((known & (beyond > 0))[unit])
    off = _area_off(shapely.difference(polygons[suspects], own[unit[suspects]]))
    return {
        Col.GAP_AREA: np.where(known, _area_off(shapely.difference(own, union)), 0.0),
        Col.OVERLAP_AREA: np.where(twice > ROUNDING, overlap, 0.0),
        Col.N_STRADDLES: np.bincount(unit[suspects], off > 0, minlength=n).astype(np.int64),
    }


def _without_enclaves(boundaries: gpd.GeoDataFrame, row: np.ndarray) -> np.ndarray:
    """Return the polygons of some units less the enclaves in them."""
    polygons = boundaries.geometry.to_numpy()
    inside = np.flatnonzero(is_enclave(boundaries))
    village = boundaries[Col.ADMIN_PARENT].iloc[inside]
    enclaves = {code: inside[rows] for code, rows in village.groupby(village).indices.items()}
    out: np.ndarray = polygons[row].copy()
    for k, code in enumerate(boundaries[Col.CODE].iloc[row]):
        if code in enclaves:
            out[k] = shapely.difference(out[k], shapely.union_all(polygons[enclaves[code]]))
    return out


def _square_metres(polygons: np.ndarray) -> np.ndarray:
    """Return the area of polygons in degrees; to 0.5 %, by the latitude of their boxes."""
    bounds = shapely.bounds(polygons)
    north = np.radians((bounds[:, 1] + bounds[:, 3]) / 2)
    return np.asarray(shapely.area(polygons) * DEGREE_AREA * np.nan_to_num(np.cos(north)))


def _area_off(shapes: np.ndarray) -> np.ndarray:
    """Return m2 of each shape's parts that are wider than the line they lie along."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    area, rim = shapely.area(parts), shapely.length(parts)
    wide = 2 * area > LINE_WIDTH * rim
    return np.bincount(owner[wide], _square_metres(parts[wide]), minlength=len(shapes))


def _street_metres(
    streets: gpd.GeoDataFrame, plane: Plane, cells: gpd.GeoDataFrame, unit: np.ndarray, n: int
) -> np.ndarray:
    """Return metres of street whose middle lies in each unit's cells."""
    lines = streets.geometry.to_numpy()
    if len(lines) == 0:
        return np.zeros(n)
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    cell = locate(build_index(cells.geometry.to_numpy()), shapely.get_coordinates(middle))
    metres = shapely.length(plane.project(lines))
    return np.bincount(unit[cell[cell >= 0]], metres[cell >= 0], minlength=n)


def _summary(  # noqa: PLR0917  (the layers in their order)
    frame: pd.DataFrame,
    cells: gpd.GeoDataFrame,
    unit: np.ndarray,
    metric: np.ndarray,
    metres: np.ndarray,
    data_date: date,
) -> GridScore:
    """Return the city's figures: sums of the units' numerators and denominators apart."""
    version = str(cells[Col.BOUNDARY_VERSION].iloc[0])

    def rate(n: float, total: float) -> Rate:
        return Rate(
            n=min(round(n), round(total)),
            total=round(total),
            data_date=data_date,
            boundary_version=version,
        )

    allows = (metres >= frame[Col.INNER_BORDER]) & (frame[Col.INNER_BORDER] > 0)
    known = (frame[Col.HOUSEHOLDS] > 0).to_numpy()
    households = cells[Col.HOUSEHOLDS].to_numpy()[known[unit]]
    n_known = len(households)
    inner = frame.loc[:, [Col.INNER_ON_STREETS, Col.INNER_BORDER]]
    shape, walk = polsby_popper(metric), walks_across(metric)
    return GridScore(
        by_unit=frame,
        on_streets=rate(frame[Col.BORDER_ON_STREETS].sum(), frame[Col.BORDER].sum()),
        inner_on_streets=rate(*inner.sum()),
        inner_where_streets=rate(*inner[allows].sum()),
        in_aim=rate(frame[Col.N_AIM].sum(), n_known),
        in_bound=rate(frame[Col.N_BOUND].sum(), n_known),
        in_band=rate(frame[Col.N_BAND].sum(), n_known),
        variation=float(households.std() / households.mean()) if n_known else 0.0,
        gap_area=float(frame[Col.GAP_AREA].sum()),
        overlap_area=float(frame[Col.OVERLAP_AREA].sum()),
        n_straddles=int(frame[Col.N_STRADDLES].sum()),
        whole=rate(frame[Col.N_WHOLE].sum(), len(cells)),
        compactness=float(shape.mean()),
        median_compactness=float(np.median(shape)),
        walk=(float(np.median(walk)), float(walk.max())),
    )
