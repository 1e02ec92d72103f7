"""What a grid's streets lack: names, and junctions where streets meet (无名路 by grid)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.frames import Col, JunctionKind, StreetClass
from geo.grid.locate import assign_cells
from geo.rate import Rate
from geo.street.along import cut_along
from geo.street.junction import find_junctions
from geo.units import LONLAT_EPSG

OUTSIDE: Final = ""
"""Grid of what lies in none."""

NAMED: Final = frozenset(StreetClass) - {StreetClass.PATH}
"""Classes that are expected to have a name."""

FAULTS: Final = {
    JunctionKind.END: "n_dead_ends",
    JunctionKind.UNCUT: "n_uncut",
    JunctionKind.SHORT: "n_short",
}
"""Column that counts the junctions of a kind."""

SUMMED: Final = (
    Col.N_SEGMENTS,
    Col.N_UNNAMED,
    Col.LENGTH,
    Col.UNNAMED_LENGTH,
    *FAULTS.values(),
)
"""Columns of the audit that add up, up to the city."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetAudit:
    """Streets and their faults by grid.

    Attributes
    ----------
    by_cell : DataFrame
        `cell_id` and `SUMMED`, a row for every grid and one with "" for what lies in none: the
        rows sum to the whole. A segment is counted where its middle lies, its metres where they
        lie; on a border both go to the one grid that owns the border.
    junctions : GeoDataFrame
        JUNCTIONS frame with `cell_id`.
    unnamed : Rate
        Segments without a name, of those of the classes asked about.
    unnamed_metres : Rate
        The same in whole metres.
    with_unnamed : Rate
        Grids with at least one unnamed segment, of the grids with a segment.
    """

    by_cell: pd.DataFrame
    junctions: gpd.GeoDataFrame
    unnamed: Rate
    unnamed_metres: Rate
    with_unnamed: Rate


def audit_streets(
    streets: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    *,
    epsg: int,
    data_date: date,
    boundary_version: str,
    classes: Collection[StreetClass] = NAMED,
) -> StreetAudit:
    """Count unnamed streets and junction faults by grid.

    Parameters
    ----------
    streets, cells : GeoDataFrame
        STREETS frame; frame with `cell_id` and areas that do not overlap.
    epsg : int
        The city's metric CRS.
    data_date : date
        Day the streets were true.
    boundary_version : str
    classes : collection of StreetClass
        Classes that are counted.
    """
    wanted = streets[streets[Col.STREET_CLASS].isin([word.value for word in classes])]
    nodes = find_junctions(streets, epsg=epsg)
    nodes = nodes.assign(**{Col.CELL_ID: assign_cells(nodes, cells, epsg=epsg)})
    codes = pd.Index([*cells[Col.CELL_ID].sort_values(), OUTSIDE], name=Col.CELL_ID)
    table = pd.concat(
        [
            _segments(wanted, cells, epsg).reindex(codes, fill_value=0),
            _metres(wanted, cells, epsg).reindex(codes, fill_value=0.0),
            _faults(nodes).reindex(codes, fill_value=0),
        ],
        axis=1,
    )
    by_cell = table.reset_index().astype({Col.CELL_ID: "str"})[[Col.CELL_ID, *SUMMED]]

    def rate(n: float, total: float) -> Rate:
        return Rate(
            n=round(n), total=round(total), data_date=data_date, boundary_version=boundary_version
        )

    sums, inside = by_cell[list(SUMMED)].sum(), by_cell[by_cell[Col.CELL_ID] != OUTSIDE]
    return StreetAudit(
        by_cell=by_cell,
        junctions=nodes,
        unnamed=rate(sums[Col.N_UNNAMED], sums[Col.N_SEGMENTS]),
        unnamed_metres=rate(sums[Col.UNNAMED_LENGTH], sums[Col.LENGTH]),
        with_unnamed=rate((inside[Col.N_UNNAMED] > 0).sum(), (inside[Col.N_SEGMENTS] > 0).sum()),
    )


def _is_unnamed(streets: pd.DataFrame) -> np.ndarray:
    return np.asarray(streets[Col.NAME].str.strip() == "")


def _segments(streets: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, epsg: int) -> pd.DataFrame:
    """Return segments and unnamed segments by the grid of their middle."""
    middles = streets.geometry.to_crs(epsg).interpolate(0.5, normalized=True).to_crs(LONLAT_EPSG)
    cell = assign_cells(gpd.GeoDataFrame(geometry=middles), cells, epsg=epsg).to_numpy()
    counted = pd.DataFrame(
        {Col.CELL_ID: cell, Col.N_SEGMENTS: 1, Col.N_UNNAMED: _is_unnamed(streets).astype(int)}
    )
    return counted.groupby(Col.CELL_ID).sum()


def _metres(streets: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, epsg: int) -> pd.DataFrame:
    """Return metres and unnamed metres by the grid they lie in."""
    pieces = cut_along(streets, cells, epsg=epsg)
    middles = gpd.GeoDataFrame(geometry=gpd.GeoSeries(pieces.middle, crs=LONLAT_EPSG))
    unnamed = np.where(_is_unnamed(streets)[pieces.line], pieces.length, 0.0)
    measured = pd.DataFrame(
        {
            Col.CELL_ID: assign_cells(middles, cells, epsg=epsg).to_numpy(),
            Col.LENGTH: pieces.length,
            Col.UNNAMED_LENGTH: unnamed,
        }
    )
    return measured.groupby(Col.CELL_ID).sum()


def _faults(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return the dead ends, uncut crossings and ends that stop short, by grid."""
    counts = pd.DataFrame(
        {column: (nodes[Col.KIND] == kind.value).astype(int) for kind, column in FAULTS.items()}
    )
    return counts.groupby(nodes[Col.CELL_ID].to_numpy()).sum()
