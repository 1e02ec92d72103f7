"""From places to the areas reached from them, as a layer."""

from collections.abc import Iterator, Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.errors import OptionInvalid
from geo.frames import ISOCHRONES, Col, empty_frame
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG, MINUTE
from routing.hierarchy import FAR, Ints
from routing.model import Mode, Place
from routing.network import Network
from routing.travel.isochrone.outline import TOLERANCE, Polygons, nested_areas
from routing.travel.isochrone.paint import Field, Floats, Starts, paint_reached, streets_of
from routing.travel.snap import Snaps
from routing.travel.times import Travel

MINUTES: Final = (5, 10, 15)
"""Minutes of the areas drawn when none are asked for."""

MOST_MINUTES: Final = 24 * 60

AT_ONCE: Final = 64
"""Origins timed side by side: on 90,000 segments they hold 46 MB."""

MILLISECONDS: Final = 1000

TOLERANCES: Final = (TOLERANCE, TOLERANCE / 3, 0.0)
"""Metres of simplification, tried one after another until an outline is sound in degrees."""

LAYER_SOURCE: Final = "patrolgrid"
"""Source of areas computed from the streets."""


def isochrones(
    travel: Travel,
    places: Sequence[Place],
    *,
    mode: Mode,
    minutes: Sequence[int] = MINUTES,
    is_union: bool = False,
    source: str = "stations",
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> gpd.GeoDataFrame:
    """Return the areas reached from places within some minutes.

    A street counts as reached exactly as far as a team gets in that time; the area is what lies
    within `paint.WIDTH` metres of it. Areas are to look at; `routing.travel.coverage` counts.

    Parameters
    ----------
    travel : Travel
        Its time band, closures and turn costs hold.
    places : sequence of Place
        Where teams leave from.
    mode : Mode
    minutes : sequence of int
        Distinct, in any order.
    is_union : bool
        Add the areas reached from any of the places.
    source : str
        What the user calls the places.
    progress, stop
        Counted in places.

    Returns
    -------
    GeoDataFrame
        ISOCHRONES frame in EPSG:4326, in the order of `places`, minutes ascending, the union last.

    Raises
    ------
    OptionInvalid
        No minutes, or some below 1 or above a day.
    StationUnreachable
        A place that lies farther than 500 m from any street; names it.
    Stopped
        A stop was asked for.
    """
    limits = _limits(minutes)
    if not places:
        return gpd.GeoDataFrame(empty_frame(ISOCHRONES))
    travel.require_stations(places, source=source)
    origins = travel.snap_places(places)
    streets = streets_of(travel.network, travel.engine(mode).times)
    total = len(places) + is_union
    project = Transformer.from_crs(travel.network.epsg, LONLAT_EPSG, always_xy=True)
    areas: list[Polygons] = []
    soonest = np.full((travel.network.n_segments, 2), FAR, np.int32)
    for at_ends, starts in _reached(travel, origins, mode):
        stop_if_asked(stop, "isochrones")
        areas.append(_outlines(project, *paint_reached(streets, at_ends, starts, limits)))
        np.minimum(soonest, at_ends, out=soonest)
        progress(len(areas), total)
    if is_union:
        field = paint_reached(streets, soonest, _starts(origins), limits)
        areas.append(_outlines(project, *field))
        progress(total, total)
    return _frame(np.concatenate(areas), places, mode, limits, is_union=is_union)


def _limits(minutes: Sequence[int]) -> Ints:
    """Return the limits in milliseconds, ascending."""
    asked = sorted(set(minutes))
    if not asked or asked[0] < 1 or asked[-1] > MOST_MINUTES:
        expected = f"whole minutes from 1 to {MOST_MINUTES}"
        raise OptionInvalid(option="minutes", value=", ".join(map(str, minutes)), expected=expected)
    return np.array(asked, dtype=np.int32) * np.int32(MINUTE * MILLISECONDS)


def _reached(travel: Travel, origins: Snaps, mode: Mode) -> Iterator[tuple[Ints, Starts]]:
    """Yield the milliseconds from each origin to the ends of every segment, and its start."""
    ends = _segment_ends(travel.network)
    engine = travel.engine(mode)
    for first in range(0, len(origins), AT_ONCE):
        some = origins.take(np.arange(first, min(first + AT_ONCE, len(origins))))
        times = engine.milliseconds(some, ends)
        for i, row in enumerate(times):
            yield row.reshape(-1, 2), _starts(some.take(np.array([i])))


def _segment_ends(network: Network) -> Snaps:
    """Return both ends of every segment, as points on it."""
    n = network.n_segments
    return Snaps(
        segment=np.repeat(np.arange(n, dtype=np.int32), 2),
        fraction=np.tile([0.0, 1.0], n),
        distance=np.zeros(2 * n),
        lonlat=np.zeros((2 * n, 2)),
    )


def _starts(origins: Snaps) -> Starts:
    return Starts(origins.segment, origins.fraction)


def _outlines(project: Transformer, corner: Floats, field: Field) -> Polygons:
    """Return one origin's area and its square metres for each limit, shape (n_limits, 2).

    In degrees, written to a centimetre, lines that were straight in metres bend by as much: where
    a simplified outline runs that close to another, less is simplified.
    """
    for tolerance in TOLERANCES:
        areas = nested_areas(corner, field, tolerance=tolerance)
        written = _in_degrees(areas, project)
        if tolerance == 0.0 or _is_sound(written):
            break
    return np.stack([written, np.round(shapely.area(areas)).astype(object)], axis=1)


def _is_sound(areas: Polygons) -> bool:
    """Tell whether areas are valid and each lies inside the next."""
    shapely.prepare(areas)
    is_nested = shapely.covers(areas[1:], areas[:-1]).all()
    return bool(is_nested and shapely.is_valid(areas).all())


def _frame(
    areas: Polygons,
    places: Sequence[Place],
    mode: Mode,
    limits: Ints,
    *,
    is_union: bool,
) -> gpd.GeoDataFrame:
    """Return areas and their sizes, row by row of place and limit, as a layer."""
    minutes = limits // (MINUTE * MILLISECONDS)
    names = [(place.place_id, place.name) for place in places] + [("", "")] * is_union
    place_id, name = (np.repeat(column, len(minutes)) for column in zip(*names, strict=True))
    of_row = np.tile(minutes, len(names))
    return gpd.GeoDataFrame(
        {
            Col.AREA_ID: pd.Series(
                [f"{place or 'all'}-{mode}-{m}" for place, m in zip(place_id, of_row, strict=True)],
                dtype="str",
            ),
            Col.PLACE_ID: pd.Series(place_id, dtype="str"),
            Col.NAME: pd.Series(name, dtype="str"),
            Col.MODE: pd.Series([mode.value] * len(of_row), dtype="str"),
            Col.MINUTES: of_row.astype(np.int64),
            Col.AREA: areas[:, 1].astype(np.float64),
            Col.SOURCE: pd.Series([LAYER_SOURCE] * len(of_row), dtype="str"),
        },
        geometry=areas[:, 0],
        crs=LONLAT_EPSG,
    )


def _in_degrees(areas: Polygons, project: Transformer) -> Polygons:
    """Return areas in WGS-84, vertices on the grid of written coordinates."""
    lonlat = np.stack(project.transform(*shapely.get_coordinates(areas).T), axis=1)
    written = shapely.set_coordinates(areas.copy(), np.round(lonlat, LONLAT_DECIMALS))
    return np.asarray(written)
