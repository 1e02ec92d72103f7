"""Roads between places: main roads of the country, links between villages."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.layout import gabriel_edges
from geo.sample.lines import Lines, NameBook, Origin, Rank, polylines
from geo.sample.settlements import Country, Hamlets, Seats, stem
from geo.sample.stream import Stream
from geo.sample.urban import Town, gates

_GATE_DEPTH: Final = 100.0
_SHORTEST: Final = 40.0
_EXTRA_ROADS: Final = 0.45
_LONGEST_LINK: Final = 5200.0
_ROAD_REACH: Final = 900.0


@dataclass
class Courses:
    """Roads while they are laid: their points, rank and name."""

    points: list[Floats] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    name: list[int] = field(default_factory=list)

    def add(self, points: Floats, rank: Rank, name: int) -> None:
        """Add a road."""
        self.points.append(points)
        self.rank.append(rank)
        self.name.append(name)

    def lines(self, origin: Origin) -> Lines:
        """Return all roads."""
        return Lines(
            shape=polylines(self.points),
            rank=np.array(self.rank, dtype=np.int64),
            origin=np.full(len(self.rank), origin, dtype=np.int64),
            name=np.array(self.name, dtype=np.int64),
        )


def bend(start: Floats, end: Floats, *, sway: float, n_inner: int, stream: Stream) -> Floats:
    """Return a gently bent course between two fixed points.

    Parameters
    ----------
    sway : float
        Largest excursion as a share of the distance.
    n_inner : int
        Points between the ends.
    """
    share = np.linspace(0.0, 1.0, n_inner + 2)[:, None]
    ahead = end - start
    side = np.array([-ahead[1], ahead[0]])
    once, twice = stream.uniform(-sway, sway), 0.6 * stream.uniform(-sway, sway)
    wave = once * exact.sin(np.pi * share) + twice * exact.sin(2.0 * np.pi * share)
    course = start + ahead * share + side * wave
    course[0], course[-1] = start, end
    return np.asarray(np.round(course, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class TownGates:
    """The street ends of a town where main roads begin."""

    centre: Floats
    xy: Floats
    stem: str

    def towards(self, xy: Floats) -> Floats:
        """Return the gate that looks towards a point."""
        ahead = exact.norm(self.xy - xy) + 0.6 * exact.norm(self.xy - self.centre)
        return np.asarray(self.xy[int(np.argmin(ahead))])


def town_gates(town: Town) -> TownGates:
    """Return the gates of a town."""
    return TownGates(centre=town.centre, xy=gates(town), stem=town.seat.stem)


def lay_main_roads(
    towns: list[Town],
    seats: list[Seats],
    hamlets: Hamlets,
    area: BaseGeometry,
    *,
    seed: int,
) -> Lines:
    """Lay main roads between county towns, out of the prefecture, and to the township seats.

    Parameters
    ----------
    hamlets : Hamlets
        The market towns of the rural seats.
    area : Polygon
        The counties that are made; roads end at its border.
    """
    doors = [town_gates(town) for town in towns]
    courses = Courses()
    stream = Stream(seed, "national roads")
    _join_towns(courses, doors, hamlets.names, stream)
    _lead_out(courses, doors, area, hamlets.names, stream)
    for door, seat in zip(doors, seats, strict=True):
        _join_townships(courses, door, seat, hamlets, seed=seed)
    built = shapely.union_all([town.built for town in towns])
    return _clipped(courses.lines(Origin.MAIN), built.buffer(-_GATE_DEPTH), area)


def _join_towns(courses: Courses, doors: list[TownGates], names: NameBook, stream: Stream) -> None:
    if len(doors) < 2:
        return
    for i, j in gabriel_edges(np.array([door.centre for door in doors]))[0]:
        start, end = doors[i].towards(doors[j].centre), doors[j].towards(doors[i].centre)
        name = names.fixed(f"{doors[i].stem}—{doors[j].stem}公路")
        courses.add(bend(start, end, sway=0.05, n_inner=12, stream=stream), Rank.ARTERIAL, name)


def _lead_out(
    courses: Courses,
    doors: list[TownGates],
    area: BaseGeometry,
    names: NameBook,
    stream: Stream,
) -> None:
    """Lay roads over the outer border: two per county town, six when a county stands alone."""
    border = shapely.get_exterior_ring(max(shapely.get_parts(area), key=lambda part: part.area))
    for door in doors:
        foot = border.project(shapely.Point(door.centre))
        if len(doors) == 1:
            at = [border.length * (k + stream.uniform(-0.2, 0.2)) / 6.0 for k in range(6)]
        else:
            at = [side * stream.uniform(6_000.0, 14_000.0) for side in (-1.0, 1.0)]
        for offset in at:
            end = np.array(border.interpolate((foot + offset) % border.length).coords[0])
            course = bend(door.towards(end), end, sway=0.04, n_inner=10, stream=stream)
            courses.add(course, Rank.ARTERIAL, names.numbered("样例省道"))


def _join_townships(
    courses: Courses,
    door: TownGates,
    seats: Seats,
    hamlets: Hamlets,
    *,
    seed: int,
) -> None:
    """Join the rural seats to the town: shortest paths on the Gabriel graph and some more of it."""
    stream = Stream(seed, "county roads", seats.units[0].code)
    rural = [k for k in range(len(seats.units)) if seats.units[k].code in hamlets.market]
    points = np.concatenate([door.centre[None], seats.xy[rural]])
    edges, length = gabriel_edges(points)
    n = len(points)
    graph = coo_matrix((length, (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    before = dijkstra(graph, directed=False, indices=np.array([0]), return_predecessors=True)[1][0]
    chosen = {(min(k, int(p)), max(k, int(p))) for k, p in enumerate(before) if p >= 0}
    chosen |= {(int(i), int(j)) for i, j in edges if stream.chance(_EXTRA_ROADS)}
    stems = [door.stem] + [stem(seats.units[k].name) for k in rural]

    def towards(i: int, xy: Floats) -> Floats:
        if i == 0:
            return door.towards(xy)
        ends = hamlets.gates[hamlets.market[seats.units[rural[i - 1]].code]]
        return np.asarray(ends[int(np.argmin(exact.norm(ends - xy)))])

    for i, j in sorted(chosen):
        course = bend(
            towards(i, points[j]), towards(j, points[i]), sway=0.06, n_inner=8, stream=stream
        )
        courses.add(course, Rank.RURAL, hamlets.names.fixed(f"{stems[i]}—{stems[j]}路"))


def _clipped(lines: Lines, built: BaseGeometry, area: BaseGeometry) -> Lines:
    """Keep what lies in the counties and outside the towns, but for the last 100 m to a gate."""
    kept = shapely.intersection(shapely.difference(lines.shape, built), area)
    parts, row = shapely.get_parts(kept, return_index=True)
    long = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & (
        shapely.length(parts) > _SHORTEST
    )
    return lines.take(row[long]).reshaped(parts[long])


def lay_links(hamlets: Hamlets, country: Country, *, seed: int) -> Lines:
    """Join villages along a Gabriel graph, and each with a main road where one is near.

    No link runs through a town or over the outer border.
    """
    courses = Courses()
    centres = np.array(hamlets.centres)
    edges, length = gabriel_edges(centres)
    edges = edges[length <= _LONGEST_LINK]
    starts = np.array([_gate_towards(hamlets.gates[a], centres[b]) for a, b in edges])
    ends = np.array([_gate_towards(hamlets.gates[b], centres[a]) for a, b in edges])
    shapely.prepare(country.built)
    straight = shapely.linestrings(np.stack([starts, ends], axis=1))
    for row in np.flatnonzero(~shapely.intersects(country.built, straight)):
        stream = Stream(seed, "link", *map(int, edges[row]))
        course = bend(starts[row], ends[row], sway=0.09, n_inner=5, stream=stream)
        courses.add(course, Rank.RURAL, hamlets.names.numbered("样例乡道"))
    _reach_roads(courses, hamlets, country.roads)
    links = courses.lines(Origin.LINK)
    shapely.prepare(country.border)
    return links.take(~shapely.intersects(country.border, links.shape))


def _gate_towards(gates_xy: Floats, xy: Floats) -> Floats:
    return np.asarray(gates_xy[int(np.argmin(exact.norm(gates_xy - xy)))])


def _reach_roads(courses: Courses, hamlets: Hamlets, roads: Lines) -> None:
    """Lead each village's nearest gate to a main road within 900 m."""
    sizes = [len(one) for one in hamlets.gates]
    xy = np.concatenate(hamlets.gates)
    hamlet = np.repeat(np.arange(len(sizes)), sizes)
    points = shapely.points(xy)
    road = roads.shape[shapely.STRtree(roads.shape).nearest(points)]
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(road, shapely.line_locate_point(road, points))
    )
    distance = exact.norm(foot - xy)
    order = np.lexsort((distance, hamlet))
    first = order[np.unique(hamlet[order], return_index=True)[1]]
    for row in first[(distance[first] < _ROAD_REACH) & (distance[first] > 1.0)]:
        courses.add(np.stack([xy[row], foot[row]]), Rank.RURAL, 0)
