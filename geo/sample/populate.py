"""Buildings, venues, reports, stations, teams and posts on any streets."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from geo.errors import NetworkEmpty
from geo.frames import BOUNDARIES, STREETS, WATER, Col, Layers, StationKind, empty_frame, require
from geo.sample.dwelling import Buildings, place_buildings
from geo.sample.exact import Floats
from geo.sample.ground import Ground, survey
from geo.sample.layers import (
    building_frame,
    incident_frame,
    post_frame,
    station_frame,
    unit_frame,
    venue_frame,
)
from geo.sample.lines import RANK_CLASS, Bools, Ints, ends
from geo.sample.network import strong_parts
from geo.sample.plane import Plane, ProjectedPlane
from geo.sample.reports import draw_reports, expected_reports, yearly_intensity
from geo.sample.stations import (
    Post,
    Stations,
    Teams,
    beside_streets,
    load_centres,
    place_posts,
    share_teams,
)
from geo.sample.venues import Venues, place_venues

NIGHT_HOURS: Final = (20, 21, 22, 23, 0, 1)
METRES_PER_HOUSEHOLD: Final = 6.0
"""Street length per household on a user's own streets, our assumption where no census is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Layers with the truth behind the reports.

    Attributes
    ----------
    layers : Layers
    intensity : ndarray of float64, shape (n_segments, 24)
        Expected reports per segment and hour of the day per year, rows in the order of
        ``layers.streets``; the reports are drawn from it.
    became : dict
        Of an older vintage: code of a village -> code of today's village it lies in.
    """

    layers: Layers
    intensity: Floats
    became: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many of each thing, by county; arrays of int64, shape (n_groups,)."""

    households: Ints
    venues: Ints
    reports: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What was scattered on streets.

    Attributes
    ----------
    incidents : GeoDataFrame
        Already a frame: a million reports in two forms would not fit the memory allowed.
    intensity : ndarray of float64, shape (n, 24)
        Expected reports per street and hour of the day per year.
    """

    buildings: Buildings
    venues: Venues
    incidents: gpd.GeoDataFrame
    intensity: Floats

    @property
    def night_load(self) -> Floats:
        """Expected reports per year between 20:00 and 02:00 on each street."""
        return np.asarray(self.intensity[:, NIGHT_HOURS].sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """Who patrols tonight, and where somebody must be."""

    stations: Stations
    teams: Teams
    posts: list[Post]


def scatter(
    ground: Ground, totals: Totals, data_date: date, plane: Plane, *, seed: int
) -> Population:
    """Scatter households, venues and reports on streets."""
    buildings = place_buildings(ground, totals.households, seed=seed)
    venues = place_venues(ground, totals.venues, data_date, seed=seed)
    expected = expected_reports(ground, buildings, venues, totals.reports, seed=seed)
    reports = draw_reports(ground, expected, int(totals.reports.sum()), data_date, seed=seed)
    return Population(
        buildings=buildings,
        venues=venues,
        incidents=incident_frame(reports, plane),
        intensity=yearly_intensity(expected),
    )


def assemble(
    frames: dict[str, gpd.GeoDataFrame],
    population: Population,
    force: Force,
    plane: Plane,
    *,
    epsg: int,
    data_date: date,
    attribution: tuple[str, ...],
) -> Layers:
    """Put frames of boundaries, streets and water together with what was scattered on them."""
    return Layers(
        boundaries=frames[BOUNDARIES.layer],
        streets=frames[STREETS.layer],
        water=frames[WATER.layer],
        buildings=building_frame(population.buildings, plane),
        venues=venue_frame(population.venues, plane),
        incidents=population.incidents,
        stations=station_frame(force.stations, plane),
        units=unit_frame(force.stations, force.teams),
        posts=post_frame(force.posts, plane),
        epsg=epsg,
        data_date=data_date,
        boundary_version=str(frames[BOUNDARIES.layer][Col.BOUNDARY_VERSION].iloc[0]),
        synthetic=True,
        attribution=attribution,
    )


def populate(
    streets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    epsg: int,
    seed: int,
    n_venues: int,
    n_incidents: int,
    n_stations: int,
    n_units: int,
    data_date: date,
) -> Sample:
    """Scatter made-up points on real streets.

    Only streets inside the boundaries whose ends lie in the largest strongly connected part get
    points, so that every one of them can be reached.

    Parameters
    ----------
    streets, boundaries : GeoDataFrame
        Frames of schema STREETS and BOUNDARIES.
    epsg : int
        The city's metric CRS.

    Raises
    ------
    NetworkEmpty
        No such street.
    """
    require(streets, STREETS, source=STREETS.layer)
    require(boundaries, BOUNDARIES, source=BOUNDARIES.layer)
    plane = ProjectedPlane(epsg)
    shapes = shapely.transform(streets.geometry.to_numpy(), plane.to_xy)
    area = shapely.transform(shapely.union_all(boundaries.geometry.to_numpy()), plane.to_xy)
    usable = np.flatnonzero(_reachable(streets) & _inside(shapes, area))
    if len(usable) == 0:
        raise NetworkEmpty(source=STREETS.layer, hint="No street lies inside the boundaries.")
    rank = _ranks(streets)[usable]
    ground = survey(shapes[usable], rank, np.zeros(len(usable), dtype=np.int64), area)
    totals = Totals(
        households=np.array([round(float(ground.length.sum()) / METRES_PER_HOUSEHOLD)]),
        venues=np.array([n_venues]),
        reports=np.array([n_incidents]),
    )
    population = scatter(ground, totals, data_date, plane, seed=seed)
    intensity = np.zeros((len(streets), population.intensity.shape[1]))
    intensity[usable] = population.intensity
    frames = {
        BOUNDARIES.layer: boundaries,
        STREETS.layer: streets,
        WATER.layer: empty_frame(WATER),
    }
    force = _force(ground, population, n_stations=n_stations, n_units=n_units, seed=seed)
    layers = assemble(
        frames, population, force, plane, epsg=epsg, data_date=data_date, attribution=()
    )
    return Sample(layers=layers, intensity=intensity)


def _force(
    ground: Ground, population: Population, *, n_stations: int, n_units: int, seed: int
) -> Force:
    """Place stations by weighted k-means of the night's load, teams and two posts."""
    load = population.night_load
    rows = np.arange(len(ground))
    streets = load_centres(ground, load, rows, n_stations, seed=seed, purpose="stations")
    stations = Stations(
        names=tuple(f"样例{k}号所" for k in range(1, len(streets) + 1)),
        kinds=(StationKind.URBAN,) * len(streets),
        xy=beside_streets(ground, streets),
    )
    return Force(
        stations=stations,
        teams=share_teams(stations, ground, load, n_units),
        posts=place_posts(ground, population.venues, load, 0, label=""),
    )


def _ranks(streets: gpd.GeoDataFrame) -> Ints:
    """Return the rank of each street; -1 for ways on foot only."""
    by_class = {word.value: int(rank) for rank, word in RANK_CLASS.items()}
    found = streets[Col.STREET_CLASS].map(by_class).fillna(-1)
    return np.asarray(found.to_numpy(dtype=np.int64))


def _reachable(streets: gpd.GeoDataFrame) -> Bools:
    """Return streets for vehicles with both ends in the largest strongly connected part."""
    shapes = streets.geometry.to_numpy()
    first, last = ends(shapes)
    _, row = np.unique(np.concatenate([first, last]), axis=0, return_inverse=True)
    start, end = row[: len(first)], row[len(first) :]
    drives = _ranks(streets) >= 0
    oneway = streets[Col.ONEWAY].to_numpy(dtype=np.bool_)
    part = strong_parts(start[drives], end[drives], oneway[drives], int(row.max()) + 1)
    main = np.bincount(part).argmax()
    return np.asarray(drives & (part[start] == main) & (part[end] == main))


def _inside(shapes: np.ndarray, area: shapely.geometry.base.BaseGeometry) -> Bools:
    shapely.prepare(area)
    return np.asarray(shapely.contains(area, shapes))
