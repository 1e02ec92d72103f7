"""The sample city, composed: real county polygons and register in, every layer out.

Deterministic byte for byte: own random streams (`stream`), transcendental functions rounded at
once (`exact`), coordinates on a 0.1 m grid inside and 7 decimals of a degree outside, features in
an order of our own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.frames import BOUNDARIES, STREETS, WATER, StationKind
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.sample.atoms import Atoms, cut_atoms
from geo.sample.exact import Floats
from geo.sample.ground import Ground, survey
from geo.sample.institutions import with_institutions
from geo.sample.layers import boundary_frame, street_frame, water_frame
from geo.sample.layout import rows_containing
from geo.sample.lines import Ints, Lines, NameBook, concat, midpoints
from geo.sample.network import Net, make_net
from geo.sample.plane import LocalPlane
from geo.sample.populate import Force, Population, Sample, Totals, assemble, scatter
from geo.sample.register import (
    ATTRIBUTION,
    DISTRICT_CODE,
    EDITIONS,
    NEWEST,
    RESIDENTS,
    County,
    Vintage,
    apportion,
    read_counties,
)
from geo.sample.roads import lay_links, lay_main_roads
from geo.sample.seats import SEATS
from geo.sample.settlements import (
    Country,
    Hamlets,
    Seats,
    lay_market_town,
    lay_villages,
    place_townships,
    stem,
    village_sites,
)
from geo.sample.stations import (
    NUMERALS,
    SPECIAL_DUTIES,
    Post,
    Stations,
    beside_streets,
    central_streets,
    load_centres,
    place_posts,
    share_teams,
)
from geo.sample.tiling import Tiling, is_statistical_unit, tile
from geo.sample.urban import Town, build_town, built_up
from geo.sample.vintage import OlderLines, older_lines
from geo.units import LIAOCHENG_EPSG

N_VENUES: Final = 75_276
N_REPORTS: Final = 1_000_000
N_URBAN: Final = 9
N_SPECIAL: Final = 6
N_TOWNSHIPS: Final = 135
N_TEAMS: Final = 290
"""Of the whole city; a county gets its share."""

_PLANE: Final = LocalPlane()
_N_STEPS: Final = 9

Scale = Literal["district", "city"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """What lies there before any point is scattered.

    Attributes
    ----------
    became : dict
        Code of a village of an older register -> code of today's village it lies in.
    """

    counties: tuple[County, ...]
    seats: list[Seats]
    tiling: Tiling
    net: Net
    water: BaseGeometry
    names: NameBook
    became: dict[str, str]


def make_city(
    *,
    scale: Scale,
    seed: int,
    data_date: date,
    vintage: Vintage = NEWEST,
    n_institutions: int = 0,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Sample:
    """Make the sample city.

    Parameters
    ----------
    scale : {"district", "city"}
        Dongchangfu alone, with its share of everything, or all eight counties.
    seed : int
    data_date : date
        Last day of the reports; inspections lie before it.
    vintage : {"2023", "2019"}
        Register that names townships and villages: 2,408 villages in 2023, 6,363 in 2019. Towns,
        main roads and township lines are the same in both; each village of 2019 lies in the one of
        2023 it became (`Sample.became`) and has hamlets, lanes and houses of its own.
    n_institutions : int
        Independent grids inside villages, added to the boundaries below the villages.
    progress, stop
        Receiver of progress and stop token.

    Returns
    -------
    Sample
        Frames in WGS-84 that meet their schemas; every feature but the county polygons has
        ``source="synthetic"``.

    Raises
    ------
    Stopped
        A stop was asked for.
    """
    steps = _Steps(progress, stop)
    codes = (DISTRICT_CODE,) if scale == "district" else ()
    with steps("reading the register"):
        counties = read_counties(codes)
        older = read_counties(codes, vintage=vintage) if vintage != NEWEST else None
    land = make_land(counties, older, seed=seed, steps=steps)
    with steps("scattering points"):
        area = shapely.union_all(land.tiling.county_shape)
        group = _county_rows(land)
        ground = survey(land.net.lines.shape, land.net.lines.rank, group, area)
        population = scatter(ground, county_totals(counties), data_date, _PLANE, seed=seed)
    with steps("placing stations"):
        force = _place_force(land, ground, population, seed=seed)
    with steps("making layers"):
        frames = {
            BOUNDARIES.layer: boundary_frame(land.tiling, EDITIONS[vintage], _PLANE),
            STREETS.layer: street_frame(land.net, land.names, _PLANE),
            WATER.layer: water_frame(land.water, _PLANE),
        }
        layers = assemble(
            frames,
            population,
            force,
            _PLANE,
            epsg=LIAOCHENG_EPSG,
            data_date=data_date,
            attribution=ATTRIBUTION,
        )
        if n_institutions:
            layers = with_institutions(layers, n=n_institutions, seed=seed)
    return Sample(layers=layers, intensity=population.intensity, became=land.became)


class _Steps:
    """Named steps: stops before one when asked, reports after it."""

    def __init__(self, progress: Progress, stop: StopToken) -> None:
        self._progress = progress
        self._stop = stop
        self._done = 0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        stop_if_asked(self._stop, name)
        yield
        self._done += 1
        self._progress(self._done, _N_STEPS)


def make_land(
    counties: tuple[County, ...], older: tuple[County, ...] | None, *, seed: int, steps: _Steps
) -> Land:
    """Make boundaries and streets: towns, main roads, atoms, townships and villages, lanes, net."""
    polygons = [shapely.transform(county.polygon, _PLANE.to_xy) for county in counties]
    area = shapely.union_all(polygons)
    names = NameBook()
    hamlets = Hamlets(names=names)
    with steps("building towns"):
        towns = [
            _town(county, polygon, names, seed=seed)
            for county, polygon in zip(counties, polygons, strict=True)
        ]
        seats = [
            place_townships(county, polygon, town, seed=seed)
            for county, polygon, town in zip(counties, polygons, towns, strict=True)
        ]
    streets = concat([town.streets for town in towns])
    built = built_up(towns)
    canals = [shapely.intersection(town.canal, area) for town in towns if town.canal is not None]
    water = shapely.union_all(
        [shapely.intersection(town.water, area) for town in towns if town.water is not None]
    )
    with steps("laying main roads"):
        _lay_market_towns(hamlets, seats, seed=seed)
        roads = lay_main_roads(towns, seats, hamlets, area, seed=seed)
    with steps("cutting the land"):
        atoms = cut_atoms(polygons, streets, roads, built, canals, seed=seed)
    with steps("drawing townships and villages"):
        lines = OlderLines(tiling=tile(counties, seats, atoms, seed=seed), became={})
        if older is not None:
            lines = older_lines(lines.tiling, older, atoms, seed=seed)
    with steps("laying lanes"):
        country = Country(built=built, border=area.boundary, water=water, roads=roads)
        links = _lay_country(hamlets, atoms, lines.tiling, country, seed=seed)
        settled = concat([streets, hamlets.lines()])
        net = make_net(settled, concat([roads, links]), water, seed=seed)
    return Land(
        counties=counties,
        seats=seats,
        tiling=lines.tiling,
        net=net,
        water=water,
        names=names,
        became=lines.became,
    )


def _town(county: County, polygon: BaseGeometry, names: NameBook, *, seed: int) -> Town:
    seat = SEATS[county.code]
    centre = np.round(_PLANE.to_xy(np.array([seat.lon, seat.lat])), 1)
    return build_town(county.code, seat, centre, polygon, names, seed=seed)


def _lay_market_towns(hamlets: Hamlets, seats: list[Seats], *, seed: int) -> None:
    """Lay a small town at each rural seat."""
    for seat in seats:
        for unit, xy, is_urban in zip(seat.units, seat.xy, seat.is_urban, strict=True):
            if not is_urban:
                lay_market_town(hamlets, unit, xy, seed=seed)


def _lay_country(
    hamlets: Hamlets,
    atoms: Atoms,
    tiling: Tiling,
    country: Country,
    *,
    seed: int,
) -> Lines:
    """Lay natural villages and return the roads that link them."""
    sites = village_sites(
        atoms.centre, atoms.area, tiling.village, len(tiling.villages), country, seed=seed
    )
    lay_villages(hamlets, sites, seed=seed)
    return lay_links(hamlets, country, seed=seed)


def _county_rows(land: Land) -> Ints:
    """Return the county of each street."""
    middle = shapely.get_coordinates(midpoints(land.net.lines.shape))
    return rows_containing(land.tiling.county_shape, middle)


def _share(total: int, weight: dict[str, float], counties: tuple[County, ...]) -> Ints:
    """Return these counties' share of a total of the whole city."""
    codes = sorted(weight)
    shares = apportion(total, np.array([weight[code] for code in codes], dtype=np.float64))
    return np.array([shares[codes.index(county.code)] for county in counties], dtype=np.int64)


def county_totals(counties: tuple[County, ...]) -> Totals:
    """Return households by the census, venues and reports by residents."""
    residents = {code: float(n) for code, n in RESIDENTS.items()}
    return Totals(
        households=np.array([county.households for county in counties], dtype=np.int64),
        venues=_share(N_VENUES, residents, counties),
        reports=_share(N_REPORTS, residents, counties),
    )


def _place_force(land: Land, ground: Ground, population: Population, *, seed: int) -> Force:
    load = population.night_load
    stations = _join(
        [
            _township_stations(land, ground, load),
            _urban_stations(land, ground, load, seed=seed),
            _special_stations(land, ground, load, seed=seed),
        ]
    )
    posts: list[Post] = []
    for row, county in enumerate(land.counties):
        label = SEATS[county.code].stem
        posts += place_posts(ground, population.venues, load, row, label=label)
    n_spare = N_TEAMS - N_TOWNSHIPS - N_URBAN - N_SPECIAL
    root = {code: float(np.sqrt(n)) for code, n in RESIDENTS.items()}
    n_teams = len(stations) + int(_share(n_spare, root, land.counties).sum())
    return Force(stations=stations, teams=share_teams(stations, ground, load, n_teams), posts=posts)


def _join(parts: list[Stations]) -> Stations:
    return Stations(
        names=tuple(name for part in parts for name in part.names),
        kinds=tuple(kind for part in parts for kind in part.kinds),
        xy=np.concatenate([part.xy for part in parts]),
    )


def _township_stations(land: Land, ground: Ground, load: Floats) -> Stations:
    """Place one station per township: at the market town, in the busiest part of a subdistrict."""
    tiling = land.tiling
    centres = np.concatenate([seat.xy for seat in land.seats])
    is_urban = np.concatenate([seat.is_urban for seat in land.seats])
    township = rows_containing(tiling.township_shape, ground.middle)
    rows = [k for k, unit in enumerate(tiling.townships) if not is_statistical_unit(unit)]
    streets = []
    for k, row in enumerate(rows):
        mine = np.flatnonzero(township == row)
        centre = centres[k]
        if is_urban[k]:
            centre = np.average(ground.middle[mine], axis=0, weights=load[mine])
        streets.append(central_streets(ground, load, centre[None], mine)[0])
    return Stations(
        names=tuple(f"{stem(tiling.townships[row].name)}所" for row in rows),
        kinds=(StationKind.TOWNSHIP,) * len(rows),
        xy=beside_streets(ground, np.array(streets)),
    )


def _urban_stations(land: Land, ground: Ground, load: Floats, *, seed: int) -> Stations:
    """Place the urban stations in the county towns: one each, the last one in the largest."""
    numbers = _share(
        N_URBAN - len(SEATS), {code: float(n) for code, n in RESIDENTS.items()}, land.counties
    )
    streets = [
        load_centres(ground, load, rows, 1 + int(n), seed=seed, purpose=f"urban {county.code}")
        for county, rows, n in zip(land.counties, _built_rows(land, ground), numbers, strict=True)
    ]
    names = [
        f"{SEATS[county.code].stem}城区{NUMERALS[k]}所"
        for county, found in zip(land.counties, streets, strict=True)
        for k in range(len(found))
    ]
    return Stations(
        names=tuple(names),
        kinds=(StationKind.URBAN,) * len(names),
        xy=beside_streets(ground, np.concatenate(streets)),
    )


def _special_stations(land: Land, ground: Ground, load: Floats, *, seed: int) -> Stations:
    """Place the special stations by the size of the county towns."""
    size = {code: seat.half_u * seat.half_v for code, seat in SEATS.items()}
    numbers = _share(N_SPECIAL, size, land.counties)
    streets = [
        load_centres(ground, load, rows, int(n), seed=seed, purpose=f"special {county.code}")
        for county, rows, n in zip(land.counties, _built_rows(land, ground), numbers, strict=True)
        if n > 0
    ]
    found = np.concatenate(streets)
    return Stations(
        names=tuple(f"{duty}所" for duty in SPECIAL_DUTIES[: len(found)]),
        kinds=(StationKind.SPECIAL,) * len(found),
        xy=beside_streets(ground, found),
    )


def _built_rows(land: Land, ground: Ground) -> list[Ints]:
    """Return each county's streets in built-up areas."""
    return [
        np.flatnonzero(ground.is_built_up & (ground.group == row))
        for row in range(len(land.counties))
    ]
