"""How good a cut is, counted from the cells alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col
from geo.rate import Rate

BAND: Final = (50, 150)
"""Households between which a basic grid counts as of moderate size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutQuality:
    """Figures of a cut.

    Attributes
    ----------
    in_band : Rate
        Cells of 50 to 150 households among the cells of units whose households are known.
    variation : float
        Standard deviation over mean of households per cell, same cells.
    compactness : float
        Mean Polsby-Popper score, 4 pi area / perimeter².
    n_units_by_households, n_units_by_area : int
        Units cut by each rule.
    """

    in_band: Rate
    variation: float
    compactness: float
    n_units_by_households: int
    n_units_by_area: int


def units_of(cells: pd.DataFrame) -> pd.Series:
    """Return the code of the smallest unit each cell lies in."""
    unit = cells[Col.VILLAGE_CODE]
    for column in (Col.TOWNSHIP_CODE, Col.COUNTY_CODE):
        unit = unit.where(unit != "", cells[column])
    return unit


def measure_cells(cells: gpd.GeoDataFrame, *, epsg: int, data_date: date) -> CutQuality:
    """Return the figures of a cut."""
    unit = units_of(cells)
    by_unit = cells.groupby(unit)[Col.HOUSEHOLDS].transform("sum")
    households = cells.loc[by_unit > 0, Col.HOUSEHOLDS].to_numpy()
    metric = cells.geometry.to_crs(epsg).to_numpy()
    shape = 4 * np.pi * shapely.area(metric) / shapely.length(metric) ** 2
    n_known = int(unit[by_unit > 0].nunique())
    return CutQuality(
        in_band=Rate(
            n=int(((households >= BAND[0]) & (households <= BAND[1])).sum()),
            total=len(households),
            data_date=data_date,
            boundary_version=str(cells[Col.BOUNDARY_VERSION].iloc[0]),
        ),
        variation=float(households.std() / households.mean()) if len(households) else 0.0,
        compactness=float(shape.mean()),
        n_units_by_households=n_known,
        n_units_by_area=int(unit.nunique()) - n_known,
    )


def grid_notes(quality: CutQuality) -> tuple[tuple[str, Mapping[str, object]], ...]:
    """Return what a reader should know of the cut: message codes and parameters."""
    notes: list[tuple[str, Mapping[str, object]]] = []
    if quality.n_units_by_households:
        notes.append(("grid.rule.households", {"n_units": quality.n_units_by_households}))
        notes.append(("grid.size", {"rate": str(quality.in_band)}))
    if quality.n_units_by_area:
        notes.append(("grid.rule.area", {"n_units": quality.n_units_by_area}))
    return tuple(notes)
