"""Night-economy zones: proposed where many venues are open late, or drawn by hand."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.boundary import reading_order
from geo.errors import OptionInvalid
from geo.frames import NIGHT_ZONES, Col, ZoneOrigin, empty_frame, require
from geo.place.clock import clock_of, is_within, minutes_of
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

HOURS: Final = 24

ROUND: Final = 4
"""Sides of a quarter of a disc: 16 in all."""

_OUTER: Final = 1 / math.cos(math.pi / (4 * ROUND))
"""A disc whose sides touch the circle holds it, corners this much farther out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRules:
    """When kinds of venue are open, and how many together make a zone.

    Attributes
    ----------
    version : str
    hours : mapping of str to (str, str)
        Kind of venue -> it opens and closes, HH:MM; kinds without hours do not count.
    dusk, late, dawn : str
        The night asked about, and the hour from which a zone must still be alive, HH:MM.
    radius : float
        Metres around a venue in which others count.
    n_open : int
        Venues open at once within the radius, itself included, that make a zone.
    """

    version: str
    hours: Mapping[str, tuple[str, str]]
    dusk: str
    late: str
    dawn: str
    radius: float
    n_open: int

    def __post_init__(self) -> None:
        if self.radius <= 0 or self.n_open < 2:
            raise OptionInvalid(
                option=f"night rules {self.version}",
                value=f"radius {self.radius}, n_open {self.n_open}",
                expected="a radius above 0 m and 2 venues or more",
            )

    @property
    def night(self) -> list[int]:
        """Hours of the night in order, from dusk to the one before dawn."""
        first, last = minutes_of(self.dusk) // 60, minutes_of(self.dawn) // 60
        return [(first + k) % HOURS for k in range((last - first) % HOURS or HOURS)]

    @property
    def late_hours(self) -> list[int]:
        """Hours of the night from `late` on."""
        return self.night[self.night.index(minutes_of(self.late) // 60) :]


def open_by_hour(venues: pd.DataFrame, rules: NightRules) -> np.ndarray:
    """Return which venues are open at the full hours; bool, shape (n, 24)."""
    kinds, row = np.unique(venues[Col.KIND].to_numpy(dtype=str), return_inverse=True)
    table = np.zeros((len(kinds), HOURS), dtype=bool)
    for k, kind in enumerate(kinds):
        if kind in rules.hours:
            opens, closes = map(minutes_of, rules.hours[kind])
            for hour in range(HOURS):
                table[k, hour] = is_within(60 * hour, np.array([opens]), np.array([closes]))[0]
    opened: np.ndarray = table[row]
    return opened


def density_by_hour(venues: gpd.GeoDataFrame, rules: NightRules, *, epsg: int) -> np.ndarray:
    """Return how many venues are open within the radius of each one, itself included, by hour.

    Parameters
    ----------
    venues : VENUES frame
    rules : NightRules
    epsg : int
        The city's metric CRS.

    Returns
    -------
    ndarray of int64, shape (n, 24)
        0 where a venue is closed itself, and in the hours of the day.
    """
    xy = shapely.get_coordinates(venues.geometry.to_crs(epsg).to_numpy())
    return _density(xy, open_by_hour(venues, rules), rules)


def _density(xy: np.ndarray, opened: np.ndarray, rules: NightRules) -> np.ndarray:
    """Count once for every set of venues that are open together."""
    density = np.zeros(opened.shape, dtype=np.int64)
    done: dict[bytes, int] = {}
    for hour in rules.night:
        rows = np.flatnonzero(opened[:, hour])
        same = done.setdefault(rows.tobytes(), hour)
        if same != hour:
            density[:, hour] = density[:, same]
        elif len(rows):
            tree = cKDTree(xy[rows])
            density[rows, hour] = tree.query_ball_point(xy[rows], rules.radius, return_length=True)
    return density


def propose_zones(
    venues: gpd.GeoDataFrame, rules: NightRules, *, epsg: int, source: str
) -> gpd.GeoDataFrame:
    """Propose zones where venues are dense late at night.

    A venue with `n_open` open ones within the radius at a late hour is dense; the ground within
    the radius of dense venues is a zone, one where such ground touches, so that no two overlap.
    It lasts for the unbroken hours around the late ones in which some venue of it is dense. A
    person accepts or redraws it.

    Parameters
    ----------
    venues : VENUES frame
    rules : NightRules
    epsg : int
        The city's metric CRS.
    source : str
        Written on every zone.

    Returns
    -------
    GeoDataFrame
        NIGHT_ZONES frame, numbered as a page is read.
    """
    xy = shapely.get_coordinates(venues.geometry.to_crs(epsg).to_numpy())
    opened = open_by_hour(venues, rules)
    is_dense = _density(xy, opened, rules) >= rules.n_open
    late = np.flatnonzero(is_dense[:, rules.late_hours].any(axis=1))
    if len(late) == 0:
        return empty_frame(NIGHT_ZONES)
    reach = rules.radius * _OUTER
    label = _clusters(xy[late], 2 * reach)
    middle = np.stack([np.bincount(label, xy[late, axis]) for axis in (0, 1)], axis=1)
    order = reading_order(middle / np.bincount(label)[:, None])
    windows = [_window(is_dense[late[label == one]].any(axis=0), rules) for one in order]
    shapes = [_area(xy[late[label == one]], reach) for one in order]
    n_venues = _n_within(xy[opened[:, rules.late_hours].any(axis=1)], shapes)
    numbers = range(1, len(order) + 1)
    frame = gpd.GeoDataFrame(
        {
            Col.ZONE_ID: pd.Series([f"n{k:03d}" for k in numbers], dtype="str"),
            Col.NAME: pd.Series([f"夜间区 {k}" for k in numbers], dtype="str"),
            Col.KIND: pd.Series([ZoneOrigin.PROPOSED.value] * len(order), dtype="str"),
            Col.WINDOW_START: pd.Series([clock_of(60 * w[0]) for w in windows], dtype="str"),
            Col.WINDOW_END: pd.Series([clock_of(60 * w[1]) for w in windows], dtype="str"),
            Col.N_VENUES: n_venues,
            Col.SOURCE: pd.Series([source] * len(order), dtype="str"),
        },
        geometry=shapes,
        crs=epsg,
    ).to_crs(LONLAT_EPSG)
    frame.geometry = shapely.set_precision(frame.geometry.to_numpy(), 10.0**-LONLAT_DECIMALS)
    require(frame, NIGHT_ZONES, source="venues")
    return frame


def count_late_venues(
    zones: gpd.GeoDataFrame, venues: gpd.GeoDataFrame, rules: NightRules, *, epsg: int
) -> gpd.GeoDataFrame:
    """Return zones with the venues open late in each; those drawn by hand have none stated."""
    late = open_by_hour(venues, rules)[:, rules.late_hours].any(axis=1)
    xy = shapely.get_coordinates(venues.geometry[late].to_crs(epsg).to_numpy())
    shapes = list(zones.geometry.to_crs(epsg))
    return zones.assign(**{Col.N_VENUES: _n_within(xy, shapes)})


def late_venues(
    zones: gpd.GeoDataFrame, venues: gpd.GeoDataFrame, rules: NightRules, *, epsg: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which venues are open late, and which lie in a zone; bool, shape (n,) each."""
    is_late = np.asarray(open_by_hour(venues, rules)[:, rules.late_hours].any(axis=1))
    is_inside = np.zeros(len(venues), dtype=bool)
    if len(zones):
        tree = shapely.STRtree(venues.geometry.to_crs(epsg).to_numpy())
        _, venue = tree.query(zones.geometry.to_crs(epsg).to_numpy(), predicate="intersects")
        is_inside[venue] = True
    return is_late, is_inside


def _clusters(xy: np.ndarray, reach: float) -> np.ndarray:
    """Return the number of each point's group: points within reach of each other, step by step."""
    pairs = cKDTree(xy).query_pairs(reach, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(len(xy), len(xy)))
    label: np.ndarray = connected_components(links, directed=False)[1]
    return label.astype(np.int64)


def _window(is_alive: np.ndarray, rules: NightRules) -> tuple[int, int]:
    """Return the first hour of the unbroken run that reaches the late hours, and the one after."""
    night = rules.night
    alive = [bool(is_alive[hour]) for hour in night]
    first = last = next(night.index(hour) for hour in rules.late_hours if is_alive[hour])
    while first > 0 and alive[first - 1]:
        first -= 1
    while last + 1 < len(night) and alive[last + 1]:
        last += 1
    return night[first], (night[last] + 1) % HOURS


def _area(xy: np.ndarray, reach: float) -> shapely.Geometry:
    """Return the ground within reach of points, holes filled."""
    merged = shapely.union_all(
        shapely.buffer(shapely.points(np.unique(xy, axis=0)), reach, quad_segs=ROUND)
    )
    rings = shapely.get_exterior_ring(shapely.get_parts(merged))
    return shapely.union_all(shapely.polygons(rings))


def _n_within(xy: np.ndarray, shapes: list[shapely.Geometry]) -> np.ndarray:
    """Return how many points lie in each area."""
    tree = shapely.STRtree(np.asarray(shapely.points(xy)))
    zone, _ = tree.query(shapes, predicate="intersects")
    return np.bincount(zone, minlength=len(shapes)).astype(np.int64)
