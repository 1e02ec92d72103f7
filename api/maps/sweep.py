"""The map of a sweep: each team's streets in order, and its dead-heading in another style."""

from collections.abc import Sequence
from datetime import date

import geopandas as gpd
import shapely

from api.maps.theme import Column, Mark, Said, Theme, ThemeLayer
from geo.frames import Col
from geo.privacy import Visible
from geo.units import LONLAT_EPSG, SYNTHETIC


def sweep_theme(
    legs: gpd.GeoDataFrame,
    left: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    figures: Sequence[Said],
    data_date: date | None = None,
    attribution: Sequence[str] = (),
) -> Theme:
    """Return the map of a sweep, planned and not recorded; for command alone.

    Parameters
    ----------
    legs, left : GeoDataFrame
        `routing.sweep.teams.legs`: SWEEP_LEGS and SWEEP_LEFT.
    stations : GeoDataFrame
        STATIONS frame of those that teams start from.
    figures : sequence of (code, params)
        What is swept and how long it takes, each with its n/N.
    """
    swept = legs[legs[Col.IS_SERVICE]].reset_index(drop=True)
    empty = legs[~legs[Col.IS_SERVICE]].reset_index(drop=True)
    drawn = (
        _by_team(swept, "theme.sweep.swept", Mark.WAY),
        _by_team(empty, "theme.sweep.empty", Mark.EMPTY_WAY),
        _numbers(swept),
        ThemeLayer(
            name=("theme.sweep.left", {}),
            frame=left,
            visible=Visible.FUTURE_ROUTES,
            mark=Mark.MARK,
            columns=(
                _column(Col.NAME, "name"),
                Column(name=Col.REASON, label=("theme.column.reason", {}), words="sweep.cause."),
                _column(Col.LENGTH, "length"),
            ),
            is_listed=True,
        ),
        ThemeLayer(
            name=("theme.sweep.stations", {}),
            frame=stations,
            visible=Visible.FUTURE_ROUTES,
            mark=Mark.MARK,
            columns=(_column(Col.NAME, "name"),),
        ),
    )
    return Theme(
        title=("theme.sweep.title", {}),
        layers=tuple(layer for layer in drawn if len(layer.frame)),
        figures=tuple(figures),
        data_date=data_date,
        is_synthetic=bool((legs[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
    )


def _column(name: str, label: str) -> Column:
    return Column(name=name, label=(f"theme.column.{label}", {}))


def _by_team(legs: gpd.GeoDataFrame, name: str, mark: Mark) -> ThemeLayer:
    return ThemeLayer(
        name=(name, {}),
        frame=legs,
        visible=Visible.FUTURE_ROUTES,
        mark=mark,
        columns=(
            _column(Col.LEG_ID, "order"),
            _column(Col.NAME, "name"),
            _column(Col.TEAM, "team"),
            _column(Col.LENGTH, "length"),
        ),
        value=Col.TEAM,
    )


def _numbers(swept: gpd.GeoDataFrame) -> ThemeLayer:
    """Return the place in each team's order at the middle of every street swept."""
    number = swept.groupby(Col.TEAM).cumcount() + 1
    middle = shapely.line_interpolate_point(swept.geometry.to_numpy(), 0.5, normalized=True)
    frame = gpd.GeoDataFrame(
        {Col.ORDER: number.astype("int64"), Col.TEAM: swept[Col.TEAM]},
        geometry=middle,
        crs=LONLAT_EPSG,
    )
    return ThemeLayer(
        name=("theme.sweep.order", {}),
        frame=frame,
        visible=Visible.FUTURE_ROUTES,
        mark=Mark.NUMBER,
        columns=(_column(Col.ORDER, "order"),),
        value=Col.TEAM,
    )
