"""How far a place layer covers the city: units that have one, homes that are near one, n/N."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.frames import Col, Level
from geo.place.unit import counted_units, units_at
from geo.rate import Rate

ANY: Final = "any"
"""Key of the rate that asks for a place of any kind."""

N_PLACES: Final = "n_places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which units of a level have a place, kind by kind.

    Attributes
    ----------
    units : DataFrame
        `code`, `name`, `n_places` and a column per kind present (its word), a row per counted
        unit, codes ascending.
    rates : mapping of str to Rate
        Units with at least one place, of all units of the level: by kind, and of any (key `ANY`).
    elsewhere : int
        Places in a unit that is not counted (an independent one), or in none.
    """

    units: pd.DataFrame
    rates: Mapping[str, Rate]
    elsewhere: int


def cover_units(
    places: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    level: Level,
    epsg: int,
    data_date: date,
    boundary_version: str,
) -> Coverage:
    """Count the places of each unit, and the units that have one.

    Parameters
    ----------
    places : GeoDataFrame
        Points with `kind` in EPSG:4326.
    boundaries : GeoDataFrame
        BOUNDARIES frame.
    level : Level
    epsg : int
        The city's metric CRS.
    data_date : date
        Day the places were true.
    boundary_version : str
    """
    code = units_at(places, boundaries, level, epsg=epsg)
    units = counted_units(boundaries, level).sort_values(Col.CODE)
    table = pd.crosstab(code.to_numpy(), places[Col.KIND].to_numpy())
    table = table.reindex(units[Col.CODE], fill_value=0)
    table.insert(0, N_PLACES, table.sum(axis=1).astype("int64"))
    table.insert(0, Col.NAME, units[Col.NAME].to_numpy())
    frame = table.rename_axis(index=Col.CODE, columns=None).reset_index()
    kinds = [name for name in frame.columns if name not in {Col.CODE, Col.NAME, N_PLACES}]
    counts = {ANY: frame[N_PLACES]} | {kind: frame[kind] for kind in kinds}
    rates = {
        key: Rate(
            n=int((n > 0).sum()),
            total=len(frame),
            data_date=data_date,
            boundary_version=boundary_version,
        )
        for key, n in counts.items()
    }
    return Coverage(units=frame, rates=rates, elsewhere=len(places) - int(frame[N_PLACES].sum()))


def cover_homes(
    places: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    within: float,
    epsg: int,
    data_date: date,
    boundary_version: str,
) -> Rate:
    """Count the households within a straight distance of a place, of all.

    Parameters
    ----------
    places : GeoDataFrame
        Points in EPSG:4326.
    buildings : BUILDINGS frame
    within : float
        Metres, as the crow flies.
    """
    households = buildings[Col.HOUSEHOLDS].to_numpy()
    near = np.zeros(len(buildings), dtype=bool)
    if len(places) and len(buildings):
        distance, _ = cKDTree(_plane(places, epsg)).query(_plane(buildings, epsg))
        near = np.asarray(distance) <= within
    return Rate(
        n=int(households[near].sum()),
        total=int(households.sum()),
        data_date=data_date,
        boundary_version=boundary_version,
    )


def _plane(points: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    return shapely.get_coordinates(points.geometry.to_crs(epsg).to_numpy())


def unknown_cells(counts: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a layer of counts whose grid is not among the cells."""
    return counts[~counts[Col.CELL_ID].isin(cells[Col.CELL_ID])]


def cover_cells(
    counts: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    column: str,
    data_date: date,
    boundary_version: str,
) -> tuple[Rate, Rate]:
    """Return how many grids have a stated count, and how many have one above 0.

    Parameters
    ----------
    counts : DataFrame
        `cell_id` and `column`, such as a CAMERA_COUNTS frame.
    cells : DataFrame
        Frame with `cell_id`.
    column : str

    Returns
    -------
    stated, covered : Rate
        Of all grids; a grid that is not in `counts` is unknown, which is not 0.
    """
    known = counts[counts[Col.CELL_ID].isin(cells[Col.CELL_ID])]
    stated, covered = len(known), int((known[column] > 0).sum())

    def rate(n: int) -> Rate:
        return Rate(n=n, total=len(cells), data_date=data_date, boundary_version=boundary_version)

    return rate(stated), rate(covered)
