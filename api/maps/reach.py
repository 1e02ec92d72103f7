"""Theme maps of who is reached in time: areas by minutes, and the places outside a standard."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import geopandas as gpd
import pandas as pd

from api.maps.theme import MAX_STEPS, Column, Mark, Said, Theme, ThemeLayer
from geo.frames import Col, Level, StreetClass, Target
from geo.privacy import Visible
from geo.units import SYNTHETIC

MAIN_STREETS: Final = (StreetClass.EXPRESSWAY, StreetClass.ARTERIAL)
"""Classes drawn over the areas, to tell where one is."""


def isochrones_theme(
    areas: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    stations: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    boundaries: gpd.GeoDataFrame | None = None,
    *,
    figures: Sequence[Said],
    data_date: date | None = None,
    boundary_version: str = "",
    is_synthetic: bool = False,
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of areas reached within some minutes; for command alone.

    Parameters
    ----------
    areas : GeoDataFrame
        ISOCHRONES frame. Its union is drawn filled; without one every area is.
    counts : DataFrame
        REACH_COUNTS frame; a click on an area tells what is counted in its minutes. May be empty.
    stations : GeoDataFrame
        STATIONS frame: where teams leave from.
    streets, boundaries : GeoDataFrame, optional
        STREETS frame: its main streets are drawn; BOUNDARIES frame: its townships.
    figures : sequence of (code, params)
    is_synthetic : bool
        Whether any of the layers beneath is made up.
    """
    told = _with_counts(areas, counts)
    is_union = (told[Col.PLACE_ID] == "").to_numpy()
    filled, single = (told[is_union], told[~is_union]) if is_union.any() else (told, told[:0])
    layers = (
        _areas(filled),
        *_context(streets, boundaries),
        ThemeLayer(
            name=("isochrone.theme.single", {}),
            frame=_far_first(single),
            visible=Visible.ISOCHRONES,
            mark=Mark.OUTLINE,
            columns=_columns(single),
            is_on=False,
            is_listed=True,
        ),
        _stations(stations),
    )
    return Theme(
        title=("isochrone.theme.title", {}),
        layers=tuple(layer for layer in layers if len(layer.frame)),
        figures=(*figures, ("isochrone.theme.explained", {})),
        data_date=data_date,
        boundary_version=boundary_version,
        is_synthetic=is_synthetic,
        attribution=tuple(attribution),
    )


def service_theme(
    missed: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    boundaries: gpd.GeoDataFrame | None = None,
    *,
    figures: Sequence[Said],
    data_date: date | None = None,
    boundary_version: str = "",
    is_synthetic: bool = False,
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of every place outside the service standard; for command alone.

    Parameters
    ----------
    missed : GeoDataFrame
        MISSED frame.
    stations, streets, boundaries, figures, is_synthetic
        As in `isochrones_theme`.
    """
    of_target = [
        ThemeLayer(
            name=(f"service.theme.{target.value}", {}),
            frame=missed[missed[Col.TARGET] == target.value].reset_index(drop=True),
            visible=Visible.MISSED_PLACES,
            mark=Mark.MARK,
            columns=(
                Column(name=Col.PLACE_ID, label=_label("id")),
                Column(name=Col.REASON, label=_label("reason"), words="service.reason."),
                Column(name=Col.MINUTES, label=_label("time"), digits=1, unit=_label("minutes")),
                Column(name=Col.LIMIT, label=_label("limit"), unit=_label("minutes")),
                Column(name=Col.SETTING, label=_label("setting"), words="word.setting."),
                Column(name=Col.TOWNSHIP, label=_label("township")),
                Column(name=Col.NEAREST_ID, label=_label("station")),
                *(
                    (Column(name=Col.SIZE, label=_label("households")),)
                    * (target is Target.HOUSEHOLDS)
                ),
            ),
            is_listed=True,
        )
        for target in Target
    ]
    layers = (*_context(streets, boundaries), *of_target, _stations(stations))
    return Theme(
        title=("service.theme.title", {}),
        layers=tuple(layer for layer in layers if len(layer.frame)),
        figures=tuple(figures),
        data_date=data_date,
        boundary_version=boundary_version,
        is_synthetic=is_synthetic or bool((stations[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
    )


def _label(code: str) -> Said:
    return f"isochrone.column.{code}", {}


def _with_counts(areas: gpd.GeoDataFrame, counts: pd.DataFrame) -> gpd.GeoDataFrame:
    """Add a column ``n/N`` for each target that is counted, and km2."""
    key = [Col.PLACE_ID, Col.MODE, Col.MINUTES]
    told = areas.assign(**{Col.AREA: areas[Col.AREA] / 1e6})
    for target in Target:
        rows = counts[counts[Col.TARGET] == target.value]
        if len(rows):
            of = [
                f"{n:,}/{total:,}"
                for n, total in zip(rows[Col.N_REACHED], rows[Col.N_TOTAL], strict=True)
            ]
            told = told.merge(rows[key].assign(**{target.value: of}), on=key, how="left")
    return gpd.GeoDataFrame(told, crs=areas.crs)


def _far_first(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the widest areas first: what is drawn later lies on top."""
    return areas.sort_values(Col.MINUTES, ascending=False, kind="stable", ignore_index=True)


def _columns(areas: gpd.GeoDataFrame) -> tuple[Column, ...]:
    counted = [target.value for target in Target if target.value in areas]
    return (
        Column(name=Col.NAME, label=_label("station")),
        Column(name=Col.MINUTES, label=_label("time"), unit=_label("minutes")),
        Column(name=Col.AREA, label=_label("area"), digits=1, unit=_label("km2")),
        *(Column(name=name, label=_label(name)) for name in counted),
    )


def _areas(areas: gpd.GeoDataFrame) -> ThemeLayer:
    """Return areas in steps of minutes, the nearest the strongest."""
    minutes = sorted({int(m) for m in areas[Col.MINUTES]})
    of_step = minutes[-MAX_STEPS:]
    return ThemeLayer(
        name=("isochrone.theme.union", {}),
        frame=_far_first(areas),
        visible=Visible.ISOCHRONES,
        mark=Mark.STEPS,
        columns=_columns(areas),
        value=Col.MINUTES,
        limits=tuple(float(m + 1) for m in of_step[:-1]),
        is_falling=True,
        step_names=tuple(f"≤ {m}" for m in of_step),
    )


def _context(
    streets: gpd.GeoDataFrame | None, boundaries: gpd.GeoDataFrame | None
) -> tuple[ThemeLayer, ...]:
    """Return main streets and townships, where they are given."""
    layers = []
    if streets is not None:
        main = streets[streets[Col.STREET_CLASS].isin([one.value for one in MAIN_STREETS])]
        name: Said = ("theme.streets", {})
        layers.append(ThemeLayer(name=name, frame=main, visible=Visible.STREETS, mark=Mark.OUTLINE))
    if boundaries is not None:
        units = boundaries[boundaries[Col.LEVEL] == Level.TOWNSHIP.value]
        layers.append(
            ThemeLayer(
                name=("theme.level.township", {}),
                frame=units,
                visible=Visible.BOUNDARIES,
                mark=Mark.BORDER,
            )
        )
    return tuple(layers)


def _stations(stations: gpd.GeoDataFrame) -> ThemeLayer:
    return ThemeLayer(
        name=("isochrone.theme.stations", {}),
        frame=stations,
        visible=Visible.STATIONS,
        mark=Mark.BORDER,
        columns=(Column(name=Col.NAME, label=_label("station")),),
    )
