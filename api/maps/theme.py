"""Theme maps: layers of places in grey steps or as marks, with their figures, in one file.

What planners look at besides a night: grids and how they score, faults of a coverage, hot spots,
gaps of a register. Same look as the commander's map, no network.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from api.i18n import LANGUAGES, Language, catalogue, phrase
from api.maps.asset import THEME_SCRIPTS, THEME_STYLES
from api.maps.pack import Lattice, pack_ints, pack_lines, rings
from api.maps.page import OfflineMap
from geo.errors import OptionInvalid
from geo.privacy import Audience, Visible, allowed

FORMAT: Final = "patrolgrid.theme/1"

FINE: Final = 1e-6
"""Degrees of one step of the packed coordinates, about 0.1 m: a fault may be that narrow."""

MAX_LISTED: Final = 200
"""Rows of a layer that the panel lists; all of them are on the map."""

MAX_STEPS: Final = 5

Said = tuple[str, Mapping[str, object]]
"""A message code and its parameters; one of these may be an `api.i18n.word.Word`."""

SHAPES: Final = ("point", "line", "area")

SHELL: Final = """\
<header class="bar" id="bar"></header>
<main class="map" id="{id}" tabindex="0">
<canvas class="watermark" id="watermark" aria-hidden="true"></canvas>
<div class="tools" id="tools" role="toolbar"></div><div class="credit" id="credit"></div></main>
<aside class="panel" id="panel"></aside>
<noscript>{noscript}</noscript>"""


class Mark(StrEnum):
    """How a layer is drawn: filled in steps, as thin outlines, as heavy ones, or as marks.

    What is not done is a hollow line, a station a pentagon. By team, whose number `value` holds
    from 1: its way, its way without service (thin and dashed), and the numbers of its stops in
    order (from the street level on; of a team that stands alone always).
    """

    STEPS = "steps"
    OUTLINE = "outline"
    BORDER = "border"
    MARK = "mark"
    UNDONE = "undone"
    STATION = "station"
    WAY = "way"
    EMPTY_WAY = "empty_way"
    NUMBER = "number"


BY_TEAM: Final = (Mark.WAY, Mark.EMPTY_WAY, Mark.NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that a click on a place shows.

    Attributes
    ----------
    name : str
        In the layer's frame.
    label : Said
    words : str
        Beginning of the message codes its values stand for; values are shown as they are when "".
    blank : str
        Message code of what a blank value is called.
    digits : int
        Decimals of a number.
    unit : Said, optional
        What its numbers are in.
    """

    name: str
    label: Said
    words: str = ""
    blank: str = ""
    digits: int = 0
    unit: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeLayer:
    """One layer of a theme map.

    Attributes
    ----------
    name : Said
    frame : GeoDataFrame
        Areas, lines or points of one kind, EPSG:4326.
    visible : Visible
        What the audience must be allowed to see.
    mark : Mark
    columns : tuple of Column
        The first names a place.
    value : str
        Column of numbers that `limits` cut into steps.
    limits : tuple of float
        Ascending, at most 4; a value at a limit belongs to the step above it.
    n_total : int, optional
        Of how many this layer's rows are a part; all of them when not given.
    is_on : bool
        Whether the map opens with it.
    is_listed : bool
        Whether the panel lists its rows, to go to one by one.
    is_falling : bool
        Whether the lowest step is the strongest: minutes, where little is much.
    step_names : tuple of str
        What the steps are called, lowest first, where a range does not say it; such a layer's
        rows are not counted by step.
    order : str
        Column of whole numbers that tells the order of a team's legs, in the layers of its ways.
    """

    name: Said
    frame: gpd.GeoDataFrame
    visible: Visible
    mark: Mark
    columns: tuple[Column, ...] = ()
    value: str = ""
    limits: tuple[float, ...] = ()
    n_total: int | None = None
    is_on: bool = True
    is_listed: bool = False
    is_falling: bool = False
    step_names: tuple[str, ...] = ()
    order: str = ""

    def __post_init__(self) -> None:
        if len(self.limits) >= MAX_STEPS:
            raise OptionInvalid(
                option="limits", value=self.limits, expected=f"at most {MAX_STEPS - 1}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRound:
    """A team's round as the panel lists it, above its legs.

    Attributes
    ----------
    team : int
        From 1, as in the layers drawn by team.
    said : Said
        Its evening in one sentence.
    """

    team: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A theme map: what it is called, its figures, its layers from bottom to top.

    Attributes
    ----------
    title : Said
    layers : tuple of ThemeLayer
    is_synthetic : bool
    data_date : date, optional
        Not said where it is not known.
    boundary_version : str
        "" where nothing is counted on boundaries.
    figures : tuple of Said
        Sentences that stand above the layers, each with its n/N.
    attribution : tuple of str
        Map number, notice of OpenStreetMap.
    rounds : tuple of TeamRound
        The teams of the layers drawn by team: listed with their legs, to look at one alone.
    """

    title: Said
    layers: tuple[ThemeLayer, ...]
    is_synthetic: bool
    data_date: date | None = None
    boundary_version: str = ""
    figures: tuple[Said, ...] = ()
    attribution: tuple[str, ...] = field(default=())
    rounds: tuple[TeamRound, ...] = ()


def write_theme(theme: Theme, path: Path, *, audience: Audience, lang: Language = "zh") -> None:
    """Write a theme map as one HTML file that opens from disk with the network cut.

    Parameters
    ----------
    theme : Theme
    path : Path
        Written whole or not at all.
    audience : Audience
        Who it is for.
    lang : {'zh', 'en'}
        Language it opens in; the page can switch.

    Raises
    ------
    OptionInvalid
        A layer that the audience may not see.
    """
    for layer in theme.layers:
        if not allowed(audience, layer.visible):
            raise OptionInvalid(
                option="audience",
                value=audience.value,
                expected=f"one that may see {layer.visible}",
            )
    page = OfflineMap(
        _payload(theme, audience),
        shell=SHELL,
        title=phrase(theme.title[0], lang, theme.title[1]),
        styles=THEME_STYLES,
        scripts=THEME_SCRIPTS,
        lang=lang,
    )
    page.save_page(path)


def _payload(theme: Theme, audience: Audience) -> dict[str, object]:
    bounds = _bounds([layer.frame for layer in theme.layers])
    lattice = Lattice.around(bounds, step=FINE)
    return {
        "format": FORMAT,
        "meta": {
            "title": _both(theme.title),
            "figures": [_both(figure) for figure in theme.figures],
            "data_date": theme.data_date and theme.data_date.isoformat(),
            "boundary_version": theme.boundary_version,
            "audience": audience.value,
            "synthetic": theme.is_synthetic,
            "attribution": list(theme.attribution),
        },
        "lattice": [lattice.lon0, lattice.lat0, lattice.step],
        "frame": [round(float(v), 6) for v in bounds],
        "layers": [_layer(layer, lattice) for layer in theme.layers],
        "rounds": [{"team": one.team, "said": _both(one.said)} for one in theme.rounds],
        "words": _words(theme.layers),
    }


def _bounds(frames: Sequence[gpd.GeoDataFrame]) -> np.ndarray:
    boxes = np.array([frame.total_bounds for frame in frames if len(frame)])
    if not len(boxes):
        raise OptionInvalid(option="layers", value=0, expected="at least one with a row")
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _layer(layer: ThemeLayer, lattice: Lattice) -> dict[str, object]:
    frame = layer.frame
    shape, lines, row = _outlines(frame)
    return {
        "name": _both(layer.name),
        "mark": layer.mark.value,
        "shape": shape,
        "lines": pack_lines(lines, row[:, None], lattice),
        "n": len(frame),
        "N": len(frame) if layer.n_total is None else layer.n_total,
        "on": layer.is_on,
        "listed": min(len(frame), MAX_LISTED) if layer.is_listed else 0,
        "step": pack_ints(_steps(layer)) if layer.value else "",
        "order": pack_ints(layer.frame[layer.order].to_numpy(np.int64)) if layer.order else "",
        "ranges": _teams(layer) if layer.mark in BY_TEAM else _told(layer),
        "named": bool(layer.step_names),
        "columns": [
            {
                "label": _both(column.label),
                "words": column.words,
                "blank": column.blank,
                "unit": _unit(column),
                "values": _values(frame, column),
            }
            for column in layer.columns
        ],
        "unit": next((_unit(one) for one in layer.columns if one.name == layer.value), None),
    }


def _unit(column: Column) -> dict[str, str] | None:
    return None if column.unit is None else _both(column.unit)


def _outlines(frame: gpd.GeoDataFrame) -> tuple[str, np.ndarray, np.ndarray]:
    """Return what shape the rows have at most, their lines, and the row of each."""
    parts, of_part = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    dimension = shapely.get_dimensions(parts)
    lines = [_lines_of(part, int(d)) for part, d in zip(parts, dimension, strict=True)]
    row = np.repeat(of_part, [len(one) for one in lines])
    flat = np.concatenate(lines) if lines else np.zeros(0, dtype=object)
    return SHAPES[int(dimension.max(initial=0))], flat, row


def _lines_of(part: shapely.Geometry, dimension: int) -> np.ndarray:
    """Return shell and holes of an area, a line itself, a point as a line of no length."""
    if dimension == 2:
        return rings(np.array([part], dtype=object))
    if dimension == 1:
        return np.array([part], dtype=object)
    point = shapely.get_coordinates(part)
    return np.array([shapely.LineString(np.repeat(point, 2, axis=0))], dtype=object)


def _steps(layer: ThemeLayer) -> np.ndarray:
    """Return the step of each row; -1 where there is no value."""
    value = layer.frame[layer.value].to_numpy(dtype=np.float64)
    if layer.mark in BY_TEAM:
        return np.asarray(value.astype(np.int64) - 1)
    step = np.searchsorted(np.asarray(layer.limits, dtype=np.float64), value, side="right")
    if layer.is_falling:
        step = len(layer.limits) - step
    return np.where(np.isnan(value), -1, step)


def _teams(layer: ThemeLayer) -> list[str]:
    """Return the numbers of the teams up to the last one."""
    return [str(team) for team in range(1, int(layer.frame[layer.value].max()) + 1)]


def _told(layer: ThemeLayer) -> list[str]:
    """Return what each step is called, weakest first."""
    told = list(layer.step_names or _ranges(layer))
    return told[::-1] if layer.is_falling else told


def _ranges(layer: ThemeLayer) -> Iterator[str]:
    """Yield what each step holds; whole numbers are told by their first and last."""
    if not layer.value:
        return
    is_whole = pd.api.types.is_integer_dtype(layer.frame[layer.value])
    for low, high in itertools.pairwise((None, *layer.limits, None)):
        last = high - 1 if is_whole and high is not None else high
        if low is None:
            yield f"< {high:g}"
        else:
            yield f"≥ {low:g}" if last is None else f"{low:g} – {last:g}"


def _values(frame: gpd.GeoDataFrame, column: Column) -> list[str]:
    values = frame[column.name]
    if pd.api.types.is_float_dtype(values):
        return ["" if np.isnan(v) else f"{v:,.{column.digits}f}" for v in values.to_numpy()]
    return ["" if value is None else str(value) for value in values]


def _both(said: Said) -> dict[str, str]:
    return {lang: phrase(said[0], lang, said[1]) for lang in LANGUAGES}


def _words(layers: Sequence[ThemeLayer]) -> dict[str, dict[str, str]]:
    """Return the messages the page and its values use, in every language."""
    entries = catalogue()
    wanted = sorted({code for code in entries if code.startswith("map.")} | set(_coded(layers)))
    return {lang: {code: entries[code][lang] for code in wanted} for lang in LANGUAGES}


def _coded(layers: Sequence[ThemeLayer]) -> Iterator[str]:
    entries = catalogue()
    for layer in layers:
        for column in layer.columns:
            if column.words:
                codes = (f"{column.words}{value}" for value in layer.frame[column.name].unique())
                yield from (code for code in codes if code in entries)
            if column.blank:
                yield column.blank
