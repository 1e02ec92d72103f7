"""The theme maps there are: basic grids and their size, faults of a coverage, hot spots, gaps."""

from collections.abc import Sequence
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from api.maps.theme import Column, Mark, Said, Theme, ThemeLayer
from geo.demand.names import StreetNames
from geo.frames import Col, GridRole, Level, StreetClass
from geo.privacy import Visible
from geo.units import SYNTHETIC

SIZE_LIMITS = (50.0, 80.0, 121.0, 151.0)
"""Households between the steps of a grid's colour: the bands 50–150 and 80–120."""

M_PER_KM = 1000.0
"""Metres of a kilometre: scores are per metre of street or per square metre."""

MAIN_STREETS = (StreetClass.EXPRESSWAY, StreetClass.ARTERIAL, StreetClass.COLLECTOR)
"""Classes drawn under hot spots, to tell where one is."""


def _label(code: str) -> Said:
    return f"theme.column.{code}", {}


def _borders(boundaries: gpd.GeoDataFrame) -> tuple[ThemeLayer, ...]:
    """Return villages as thin lines and townships as heavy ones, where there are any."""
    layers = []
    own = boundaries[boundaries[Col.GRID_ROLE] != GridRole.INDEPENDENT.value]
    for level, mark in ((Level.VILLAGE, Mark.OUTLINE), (Level.TOWNSHIP, Mark.BORDER)):
        units = own[own[Col.LEVEL] == level.value]
        if len(units):
            layers.append(
                ThemeLayer(
                    name=(f"theme.level.{level.value}", {}),
                    frame=units,
                    visible=Visible.BOUNDARIES,
                    mark=mark,
                )
            )
    return tuple(layers)


def grids_theme(
    cells: gpd.GeoDataFrame,
    reasons: pd.DataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    figures: Sequence[Said],
    data_date: date | None = None,
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of basic grids by households, those outside 80 to 120 with their reason.

    Parameters
    ----------
    cells, reasons, boundaries : frames CELLS, GRID_REASONS, BOUNDARIES
    figures : sequence of (code, params)
        Sentences with n/N.
    """
    marked = cells.merge(reasons[[Col.CELL_ID, Col.REASON]], on=Col.CELL_ID, how="inner")
    marked = marked.sort_values(Col.HOUSEHOLDS, ascending=False, ignore_index=True)
    size = Column(name=Col.HOUSEHOLDS, label=_label("households"))
    code = Column(name=Col.CELL_ID, label=_label("cell"))
    why = Column(name=Col.REASON, label=_label("reason"), words="theme.reason.")
    is_basic = (cells[Col.GRID_ROLE] == GridRole.BASIC.value).to_numpy()
    basic, independent = cells[is_basic], cells[~is_basic]
    counted = {
        "n": f"{len(basic):,}",
        "empty": f"{int((basic[Col.HOUSEHOLDS] == 0).sum()):,}",
        "independent": f"{len(independent):,}",
    }
    grids = ThemeLayer(
        name=("theme.cells", {}),
        frame=basic,
        visible=Visible.CELLS,
        mark=Mark.STEPS,
        columns=(code, size, Column(name=Col.VILLAGE_CODE, label=_label("village"))),
        value=Col.HOUSEHOLDS,
        limits=SIZE_LIMITS,
    )
    outside = ThemeLayer(
        name=("theme.cells.outside", {}),
        frame=marked,
        visible=Visible.CELLS,
        mark=Mark.MARK,
        columns=(code, size, why),
        n_total=len(basic),
        is_listed=True,
    )
    enclaves = ThemeLayer(
        name=("theme.cells.independent", {}),
        frame=independent,
        visible=Visible.CELLS,
        mark=Mark.BORDER,
        columns=(code, size),
    )
    drawn = (grids, *_borders(boundaries), enclaves, outside)
    return Theme(
        title=("theme.grids.title", {}),
        layers=tuple(layer for layer in drawn if len(layer.frame)),
        figures=(("theme.cells.counted", counted), *figures),
        data_date=data_date,
        boundary_version=str(cells[Col.BOUNDARY_VERSION].iloc[0]),
        is_synthetic=bool((cells[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
    )


def coverage_theme(
    units: gpd.GeoDataFrame,
    faults: gpd.GeoDataFrame,
    *,
    figures: Sequence[Said],
    data_date: date | None = None,
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of a coverage's faults on its units, the largest first.

    Parameters
    ----------
    units, faults : frames BOUNDARIES, FAULTS
    figures : sequence of (code, params)
    """
    largest = faults.sort_values(Col.AREA, ascending=False, ignore_index=True)
    found = [
        ThemeLayer(
            name=(f"coverage.kind.{kind}", {}),
            frame=rows.reset_index(drop=True),
            visible=Visible.BOUNDARIES,
            mark=Mark.MARK,
            columns=(
                Column(name=Col.KIND, label=_label("kind"), words="coverage.kind."),
                Column(name=Col.UNIT_CODES, label=_label("units")),
                Column(name=Col.AREA, label=_label("area"), digits=1),
                Column(name=Col.WIDTH, label=_label("width"), digits=2),
            ),
            n_total=len(faults),
            is_listed=True,
        )
        for kind, rows in largest.groupby(Col.KIND, sort=True)
    ]
    return Theme(
        title=("theme.coverage.title", {}),
        layers=(
            ThemeLayer(
                name=("theme.units", {}),
                frame=units,
                visible=Visible.BOUNDARIES,
                mark=Mark.OUTLINE,
                columns=(
                    Column(name=Col.NAME, label=_label("name")),
                    Column(name=Col.CODE, label=_label("code")),
                ),
            ),
            *found,
        ),
        figures=tuple(figures),
        data_date=data_date,
        boundary_version=str(units[Col.BOUNDARY_VERSION].iloc[0]),
        is_synthetic=bool((units[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
    )


def hot_spots_theme(
    spots: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    epsg: int,
    figures: Sequence[Said],
    data_date: date | None = None,
    boundary_version: str = "",
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of hot spots in fifths of their score; for command alone.

    Parameters
    ----------
    spots : GeoDataFrame
        HOT_SPOTS frame.
    streets : GeoDataFrame, optional
        STREETS frame; its main streets are drawn, and hot spots on it go by the streets' names.
    epsg : int
        Metric CRS.
    figures : sequence of (code, params)
        How good the forecast was.
    """
    unit, scale = _unit_of_score(spots, on_streets=streets is not None)
    spots = spots.assign(**{Col.SCORE: spots[Col.SCORE] * scale})
    score = spots[Col.SCORE].to_numpy(dtype=np.float64)
    fifths = np.quantile(score, (0.2, 0.4, 0.6, 0.8)) if len(score) else np.zeros(0)
    beneath = () if streets is None else _main_streets(streets)
    if streets is not None:
        spots = spots.assign(**{Col.NAME: _names(spots, streets, epsg=epsg)})
    columns = (
        Column(name=Col.PLACE_ID if streets is None else Col.NAME, label=_label("place")),
        Column(name=Col.ORDER, label=_label("rank")),
        Column(name=Col.SCORE, label=_label("score"), digits=3),
        Column(name=Col.N_REPORTS, label=_label("reports")),
    )
    return Theme(
        title=("theme.hotspots.title", {}),
        layers=(
            *beneath,
            ThemeLayer(
                name=(f"theme.hotspots.{unit}", {}),
                frame=spots,
                visible=Visible.DEMAND,
                mark=Mark.STEPS,
                columns=columns,
                value=Col.SCORE,
                limits=tuple(float(f"{limit:.3g}") for limit in np.unique(fifths)),
                is_listed=True,
            ),
        ),
        figures=(*figures, ("theme.hotspots.explained", {})),
        data_date=data_date,
        boundary_version=boundary_version,
        is_synthetic=bool((spots[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
    )


def _unit_of_score(spots: gpd.GeoDataFrame, *, on_streets: bool) -> tuple[str, float]:
    """Return what scores are read in, and by how much they are multiplied for it."""
    if (spots[Col.METHOD] == "gi_star").any():
        return "z", 1.0
    return ("km", M_PER_KM) if on_streets else ("km2", M_PER_KM**2)


def _main_streets(streets: gpd.GeoDataFrame) -> tuple[ThemeLayer, ...]:
    main = streets[streets[Col.STREET_CLASS].isin([one.value for one in MAIN_STREETS])]
    if main.empty:
        return ()
    name: Said = ("theme.streets", {})
    return (ThemeLayer(name=name, frame=main, visible=Visible.STREETS, mark=Mark.OUTLINE),)


def _names(spots: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, *, epsg: int) -> list[str]:
    row = dict(zip(streets[Col.SEGMENT_ID], range(len(streets)), strict=True))
    names = StreetNames(streets, epsg=epsg)
    return [names.name(row[place]) if place in row else place for place in spots[Col.PLACE_ID]]
