"""Township seats and natural villages: where they lie, and their lanes."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.layout import scattered_inside, weighted_centres
from geo.sample.lines import Bools, Ints, Lines, NameBook, Origin, Rank, Shapes, straight_lines
from geo.sample.register import County, Unit
from geo.sample.stream import Stream
from geo.sample.urban import Town

KM2: Final = 1e6
NATURAL_VILLAGE: Final = 2.6
"""km2 of a merged administrative village per natural village."""

_ROAD_DISTANCE: Final = 330.0
_BUILT_DISTANCE: Final = 300.0
_TOWN_DISTANCE: Final = 900.0
_VILLAGE_DISTANCE: Final = 650.0
_CANAL_DISTANCE: Final = 350.0


def stem(name: str) -> str:
    """Return a township's name without 街道, 镇 or 乡."""
    for suffix in ("街道", "镇", "乡"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Where the townships of a county have their centres.

    Attributes
    ----------
    units : tuple of Unit
    xy : ndarray of float64, shape (n, 2)
        Metres.
    is_urban : ndarray of bool, shape (n,)
        Whether the centre lies in the built-up area.
    """

    units: tuple[Unit, ...]
    xy: Floats
    is_urban: Bools


def place_townships(county: County, area: BaseGeometry, town: Town, *, seed: int) -> Seats:
    """Place the centres of a county's townships.

    Subdistricts take the centres in and nearest to the town; the others go round it by angle, in
    the order of the register.
    """
    stream = Stream(seed, "townships", county.code)
    streets = [unit for unit in county.townships if unit.name.endswith("街道")]
    others = [unit for unit in county.townships if not unit.name.endswith("街道")]
    n_urban = min(town.seat.n_urban, len(streets))
    inside = scattered_inside(town.built, 400, stream)
    urban = weighted_centres(inside, np.ones(len(inside)), n_urban, rounds=8, stream=stream)
    rural = _rural_centres(area, town, len(county.townships) - n_urban, stream)
    out = rural - town.centre
    by_distance = np.argsort(exact.norm(out), kind="stable")
    near = by_distance[: len(streets) - n_urban]
    far = by_distance[len(streets) - n_urban :]
    far = far[np.argsort(exact.arctan2(out[far, 0], out[far, 1]), kind="stable")]
    return Seats(
        units=(*streets, *others),
        xy=np.round(np.concatenate([urban, rural[near], rural[far]]), 1),
        is_urban=np.arange(len(county.townships)) < n_urban,
    )


def _rural_centres(area: BaseGeometry, town: Town, n: int, stream: Stream) -> Floats:
    points = scattered_inside(area, 2500, stream)
    points = points[~shapely.contains_xy(town.built.buffer(250.0), points)]
    centres = weighted_centres(points, np.ones(len(points)), n, rounds=8, stream=stream)
    centres = centres + stream.uniforms(2 * n, -700.0, 700.0).reshape(-1, 2)
    middle = np.array(area.representative_point().coords[0])
    outside = ~shapely.contains_xy(area.buffer(-900.0), centres)
    centres[outside] = 0.7 * centres[outside] + 0.3 * middle
    return centres


@dataclass
class Hamlets:
    """Lane clusters laid so far: their streets, centres and the ends where roads may join.

    Attributes
    ----------
    gates : list of ndarray of float64, shape (n, 2)
        One array per cluster.
    market : dict
        Code of a rural township -> row of its market town.
    """

    names: NameBook
    ends: list[tuple[float, float, float, float]] = field(default_factory=list)
    attributes: list[tuple[int, int, int]] = field(default_factory=list)
    centres: list[Floats] = field(default_factory=list)
    gates: list[Floats] = field(default_factory=list)
    market: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Lines:
        """Return all lanes."""
        return straight_lines(self.ends, self.attributes)

    def lay(
        self,
        centre: Floats,
        *,
        shape: tuple[int, int],
        spacing: tuple[float, float],
        turn: float,
        main_street: str,
        stream: Stream,
    ) -> None:
        """Lay a compact grid of lanes, some missing, some blind, two of them running through.

        Parameters
        ----------
        shape : (int, int)
            Number of lanes each way.
        spacing : (float, float)
            Metres between lanes.
        main_street : str
            Name of the lanes that run through; blank in a village.
        """
        grid = _lane_grid(shape, spacing, turn, stream) + centre
        middle = (shape[0] // 2, shape[1] // 2)
        is_town = main_street != ""
        origin = Origin.TOWN if is_town else Origin.VILLAGE
        name = self.names.fixed(main_street) if is_town else 0
        main = (Rank.COLLECTOR if is_town else Rank.LANE, origin, name)
        for a in range(shape[0]):
            for b in range(shape[1]):
                for da, db, through in ((1, 0, b == middle[1]), (0, 1, a == middle[0])):
                    if a + da >= shape[0] or b + db >= shape[1]:
                        continue
                    if through:
                        self._draw(grid[a, b], grid[a + da, b + db], main)
                    elif stream.chance(0.84):
                        lane = self.names.numbered("样例街") if is_town else 0
                        self._draw(grid[a, b], grid[a + da, b + db], (Rank.LANE, origin, lane))
        self.centres.append(centre)
        self.gates.append(self._lay_stubs(grid, middle, main, origin, stream))

    def _lay_stubs(
        self,
        grid: Floats,
        middle: tuple[int, int],
        main: tuple[int, int, int],
        origin: Origin,
        stream: Stream,
    ) -> Floats:
        """Draw lanes that leave the grid; the four that run through end in gates."""
        gates = []
        n_u, n_v = grid.shape[:2]
        sides = [((a, b), (a, b + step)) for a in range(n_u) for b, step in ((0, 1), (n_v - 1, -1))]
        sides += [
            ((a, b), (a + step, b)) for b in range(n_v) for a, step in ((0, 1), (n_u - 1, -1))
        ]
        for here, inward in sides:
            axis = 0 if here[0] == inward[0] else 1
            through = here[axis] == middle[axis]
            if not through and not stream.chance(0.3):
                continue
            stub = (grid[here] - grid[inward]) * stream.uniform(0.35, 0.7)
            self._draw(grid[here], grid[here] + stub, main if through else (Rank.LANE, origin, 0))
            if through:
                gates.append(np.round(grid[here] + stub, 1))
        return np.array(gates)

    def _draw(self, start: Floats, end: Floats, attribute: tuple[int, int, int]) -> None:
        self.ends.append((start[0], start[1], end[0], end[1]))
        self.attributes.append(attribute)


def _lane_grid(
    shape: tuple[int, int], spacing: tuple[float, float], turn: float, stream: Stream
) -> Floats:
    """Return crossings of a jittered lane grid about the origin, shape (n_u, n_v, 2)."""
    axes = []
    for n, step in zip(shape, spacing, strict=True):
        at = np.concatenate([[0.0], np.cumsum(step * stream.uniforms(n - 1, 0.75, 1.3))])
        axes.append(at - at[-1] / 2.0)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    shift = stream.uniforms(2 * shape[0] * shape[1], -6.0, 6.0).reshape(*shape, 2)
    return exact.turned(grid + shift, turn)


def lay_market_town(hamlets: Hamlets, unit: Unit, xy: Floats, *, seed: int) -> None:
    """Lay the small town of a rural township."""
    stream = Stream(seed, "market town", unit.code)
    hamlets.market[unit.code] = len(hamlets.centres)
    hamlets.lay(
        xy,
        shape=(4 + int(stream.uniform(0, 3)), 4 + int(stream.uniform(0, 3))),
        spacing=(130.0, 150.0),
        turn=stream.uniform(-6.0, 6.0),
        main_street=f"{stem(unit.name)}大街",
        stream=stream,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """What natural villages keep away from.

    Attributes
    ----------
    built : Polygon or MultiPolygon
        Built-up areas; villages keep 300 m away.
    border : LineString or MultiLineString
        Outer border.
    water : Polygon
    roads : Lines
        Main roads.
    """

    built: BaseGeometry
    border: BaseGeometry
    water: BaseGeometry
    roads: Lines


def village_sites(
    xy: Floats, area: Floats, village: Ints, n_villages: int, country: Country, *, seed: int
) -> Floats:
    """Return sites of natural villages: one per 2.6 km2 of an administrative village, at most five.

    Parameters
    ----------
    xy, area, village
        Centre, m2 and village row of each atom.
    """
    order = np.argsort(village, kind="stable")
    cuts = np.cumsum(np.bincount(village, minlength=n_villages))[:-1]
    sites = []
    for row, atoms in enumerate(np.split(order, cuts)):
        n = int(min(5, max(1, round(float(area[atoms].sum()) / KM2 / NATURAL_VILLAGE))))
        stream = Stream(seed, "village", row)
        sites.append(
            weighted_centres(xy[atoms], area[atoms], min(n, len(atoms)), rounds=3, stream=stream)
        )
    found = np.concatenate(sites)
    built = country.built.buffer(_BUILT_DISTANCE)
    shapely.prepare(built)
    found = _beside_roads(found[~shapely.contains_xy(built, found)], country.roads.shape)
    points = shapely.points(found)
    is_free = ~shapely.dwithin(points, country.border, _ROAD_DISTANCE)
    if not country.water.is_empty:
        is_free &= ~shapely.dwithin(points, country.water, _CANAL_DISTANCE)
    is_free &= ~shapely.contains_xy(built, found)
    found = np.round(found[is_free], 1)
    crowded = cKDTree(found).query_pairs(_VILLAGE_DISTANCE, output_type="ndarray")
    return np.delete(found, np.unique(crowded.max(axis=1)), axis=0)


def _beside_roads(xy: Floats, roads: Shapes) -> Floats:
    """Move sites that lie under a main road beside it."""
    points = shapely.points(xy)
    road = roads[shapely.STRtree(roads).nearest(points)]
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(road, shapely.line_locate_point(road, points))
    )
    away = xy - foot
    distance = exact.norm(away)
    direction = np.where(
        distance[:, None] > 1.0, away / np.maximum(distance, 1.0)[:, None], np.array([1.0, 0.0])
    )
    is_near = distance < _ROAD_DISTANCE
    return np.where(is_near[:, None], foot + direction * _ROAD_DISTANCE, xy)


def lay_villages(hamlets: Hamlets, sites: Floats, *, seed: int) -> None:
    """Lay a lane cluster at each site that is not beside a market town."""
    towns = cKDTree(np.array(hamlets.centres)) if hamlets.centres else None
    for row, site in enumerate(sites):
        if towns is not None and towns.query(site)[0] < _TOWN_DISTANCE:
            continue
        stream = Stream(seed, "lanes", row)
        hamlets.lay(
            site,
            shape=(2 + int(stream.uniform(0.4, 2.5)), 2 + int(stream.uniform(0.5, 3.0))),
            spacing=(105.0, 85.0),
            turn=stream.uniform(-9.0, 9.0),
            main_street="",
            stream=stream,
        )
