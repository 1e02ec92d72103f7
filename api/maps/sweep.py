"""The map of a sweep: each team's round in order, and its dead-heading in another style."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from api.maps.theme import Column, Mark, Said, TeamRound, Theme, ThemeLayer
from geo.frames import Col
from geo.privacy import Visible
from geo.units import LONLAT_EPSG, SYNTHETIC

TIMES: Final = "times"
"""Column of this page: when a leg begins and ends."""

PLACE: Final = "place"
"""Column of this page: team and place in its order."""

N_STREETS: Final = "n_streets"
"""Column of this page: segments of a street."""


def sweep_theme(
    legs: gpd.GeoDataFrame,
    left: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    figures: Sequence[Said],
    rounds: Sequence[TeamRound] = (),
    around: gpd.GeoDataFrame | None = None,
    data_date: date | None = None,
    is_synthetic: bool = False,
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
    rounds : sequence of TeamRound
        What each team's evening is, to list above its legs.
    around : GeoDataFrame, optional
        Streets with their names, to find one's way by.
    is_synthetic : bool
        Whether a file it rests on is synthetic; that of the legs counts anyway.
    """
    legs = _told(legs)
    swept = legs[legs[Col.IS_SERVICE]].reset_index(drop=True)
    empty = legs[~legs[Col.IS_SERVICE]].reset_index(drop=True)
    drawn = (
        *(() if around is None else (_surroundings(around),)),
        _undone(left),
        _by_team(swept, Mark.WAY, blank="theme.sweep.unnamed"),
        _by_team(empty, Mark.EMPTY_WAY, blank="theme.sweep.ride"),
        _numbers(legs),
        ThemeLayer(
            name=("theme.sweep.stations", {}),
            frame=stations,
            visible=Visible.FUTURE_ROUTES,
            mark=Mark.STATION,
            columns=(_column(Col.NAME, "name"),),
        ),
    )
    return Theme(
        title=("theme.sweep.title", {}),
        layers=tuple(layer for layer in drawn if len(layer.frame)),
        figures=tuple(figures),
        data_date=data_date,
        is_synthetic=is_synthetic or bool((legs[Col.SOURCE] == SYNTHETIC).any()),
        attribution=tuple(attribution),
        rounds=tuple(rounds),
    )


def _column(name: str, label: str, *, blank: str = "", digits: int = 0) -> Column:
    return Column(name=name, label=(f"theme.column.{label}", {}), blank=blank, digits=digits)


def _told(legs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the legs with their times to the minute, and team and order as one text."""
    begin, end = legs[Col.DEPART_CLOCK].str[:5], legs[Col.ARRIVE_CLOCK].str[:5]
    is_timed = begin.str.len() > 0
    place = legs[Col.TEAM].astype(str) + " · " + legs[Col.ORDER].astype(str)
    times = (begin + "–" + end).where(is_timed, "").astype(str)
    return legs.assign(**{TIMES: times, PLACE: place.astype(str)})


def _surroundings(streets: gpd.GeoDataFrame) -> ThemeLayer:
    return ThemeLayer(
        name=("theme.sweep.around", {}),
        frame=streets,
        visible=Visible.STREETS,
        mark=Mark.OUTLINE,
        columns=(_column(Col.NAME, "name", blank="theme.sweep.unnamed"),),
    )


def _by_team(legs: gpd.GeoDataFrame, mark: Mark, *, blank: str) -> ThemeLayer:
    return ThemeLayer(
        name=(f"theme.sweep.{'swept' if mark is Mark.WAY else 'empty'}", {}),
        frame=legs,
        visible=Visible.FUTURE_ROUTES,
        mark=mark,
        columns=(
            _column(Col.NAME, "name", blank=blank),
            _column(PLACE, "team_order"),
            _column(TIMES, "times"),
            _column(Col.LENGTH, "length"),
        ),
        value=Col.TEAM,
        order=Col.ORDER,
    )


def _undone(left: gpd.GeoDataFrame) -> ThemeLayer:
    """Return what is left out by street and cause, longest first: a street has many segments."""
    by = left.assign(**{N_STREETS: 1})[[Col.NAME, Col.REASON, N_STREETS, Col.LENGTH, Col.GEOMETRY]]
    if len(left):
        by = by.dissolve([Col.NAME, Col.REASON], aggfunc="sum", as_index=False)
    frame = by.sort_values(Col.LENGTH, ascending=False, kind="stable", ignore_index=True)
    return ThemeLayer(
        name=("theme.sweep.left", {"n": f"{len(left):,}"}),
        frame=frame,
        visible=Visible.FUTURE_ROUTES,
        mark=Mark.UNDONE,
        columns=(
            _column(Col.NAME, "name", blank="theme.sweep.unnamed"),
            Column(name=Col.REASON, label=("theme.column.reason", {}), words="sweep.cause."),
            _column(N_STREETS, "segments"),
            _column(Col.LENGTH, "length"),
        ),
        is_listed=True,
    )


def _numbers(legs: gpd.GeoDataFrame) -> ThemeLayer:
    """Return the place in its team's order at the middle of every leg; streets swept come first."""
    rows = np.argsort(~legs[Col.IS_SERVICE].to_numpy(dtype=bool), kind="stable")
    legs = legs.iloc[rows].reset_index(drop=True)
    middle = shapely.line_interpolate_point(legs.geometry.to_numpy(), 0.5, normalized=True)
    frame = gpd.GeoDataFrame(
        {Col.ORDER: legs[Col.ORDER], Col.TEAM: legs[Col.TEAM]},
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
