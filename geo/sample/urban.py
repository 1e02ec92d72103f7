"""The street net of one town: an arterial grid, superblocks, a fringe, a canal; then one warp.

The net is drawn and noded exactly in a straight (u, v) frame and bent afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.sample import exact
from geo.sample.blocks import Box, Sketch, draw_character, fill_superblock
from geo.sample.exact import Floats
from geo.sample.lines import (
    Bools,
    Lines,
    NameBook,
    Origin,
    Rank,
    Shapes,
    concat,
    grid_keys,
    node,
    polylines,
)
from geo.sample.seats import Seat
from geo.sample.stream import Stream
from geo.sample.warp import Warp, make_warp

NORTH_SOUTH: Final = ("昌润路", "柳园路", "二干路", "花园路", "站前街")
EAST_WEST: Final = ("东昌路", "兴华路", "振兴路", "湖南路", "松桂路", "建设路")
"""Real names of the arterials of the prefecture's centre, west to east and south to north."""

_BORDER_ROOM: Final = 250.0
_RING: Final = 0.72
_CANAL_HALF_WIDTH: Final = 22.0
_BANK: Final = 38.0
_LANE_SHIFT: Final = 12.0
_FRINGE_CHANCE: Final = 0.72
_BRIDGED: Final = 0.75

Cell = tuple[int, int]
Side = tuple[int, int, int]
"""(axis, line, gap): axis 0 is a piece of the line u = U[line] between V[gap] and V[gap + 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A built-up area in the plane.

    Attributes
    ----------
    centre : ndarray of float64, shape (2,)
        Metres.
    streets : Lines
        Noded, on the noding grid.
    built : Polygon
        The built-up area.
    canal : LineString, optional
        Centre line of the canal, far beyond the town on both ends.
    """

    seat: Seat
    centre: Floats
    streets: Lines
    built: BaseGeometry
    canal: BaseGeometry | None

    @property
    def water(self) -> BaseGeometry | None:
        """The canal as a polygon."""
        return (
            None if self.canal is None else self.canal.buffer(_CANAL_HALF_WIDTH, cap_style="flat")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The arterial grid: positions of its lines and the superblocks that are built up.

    Attributes
    ----------
    u, v : tuple of float
        Lines u = const and v = const, rising, metres.
    reach : dict
        Superblock (i, j) -> distance from the centre as a share of the way to the outline.
    edge : dict
        The same for superblocks beyond the outline, which may hold a fringe.
    """

    u: tuple[float, ...]
    v: tuple[float, ...]
    reach: dict[Cell, float]
    edge: dict[Cell, float]

    def box(self, cell: Cell) -> Box:
        """Return the rectangle of a superblock."""
        i, j = cell
        return Box(self.u[i], self.v[j], self.u[i + 1], self.v[j + 1])


def build_town(
    code: str, seat: Seat, centre: Floats, county: BaseGeometry, names: NameBook, *, seed: int
) -> Town:
    """Build the net of a county's town.

    Parameters
    ----------
    code : str
        County code; keys the random streams.
    centre : ndarray of float64, shape (2,)
    county : Polygon
        Superblocks keep 250 m from its border; metres.
    """
    stream = Stream(seed, "town", code)
    warp = make_warp(seat, centre, stream)
    room = county.buffer(-_BORDER_ROOM)
    shapely.prepare(room)
    grid = lay_grid(seat, stream, lambda box: _fits(box, warp, room))
    sketch = Sketch(stream=stream, names=names)
    boxes = [grid.box(cell) for cell in grid.reach]
    _draw_arterials(sketch, grid, seat)
    for cell, reach in grid.reach.items():
        character = draw_character(reach, stream)
        fill_superblock(sketch, grid.box(cell), character, depth=3 if character.is_empty else 0)
    boxes += draw_fringe(sketch, grid)
    hull = shapely.union_all([shapely.box(*box) for box in boxes])
    canal = _canal_course(grid, seat, stream) if seat.is_prefecture else None
    straight = sketch.lines()
    if seat.is_prefecture:
        straight = concat([straight, _old_roads(grid, seat, hull, stream, names)])
    streets = node(straight) if canal is None else _with_canal(straight, canal, hull, names, stream)
    streets = _shift_lanes(streets, Stream(seed, "shift", code))
    return Town(
        seat=seat,
        centre=centre,
        streets=node(streets.reshaped(_warped(streets.shape, warp, every=90.0))),
        built=shapely.make_valid(_warped_area(hull.buffer(1.0), warp)),
        canal=None if canal is None else _warped(np.array([canal]), warp, every=60.0)[0],
    )


def lay_grid(seat: Seat, stream: Stream, fits: Callable[[Box], bool]) -> Grid:
    """Lay arterials and decide which superblocks are built up: those inside a wavy outline."""
    u = _axis(seat.half_u, stream)
    v = _axis(seat.half_v, stream)
    phases = stream.uniforms(3, 0.0, 2.0 * np.pi)
    reach: dict[Cell, float] = {}
    edge: dict[Cell, float] = {}
    for i in range(len(u) - 1):
        for j in range(len(v) - 1):
            box = Box(u[i], v[j], u[i + 1], v[j + 1])
            far = _reach((box.u0 + box.u1) / 2, (box.v0 + box.v1) / 2, seat, phases)
            if far < 1.4 and fits(box):
                (reach if far < 1.0 else edge)[i, j] = far
    return Grid(u=u, v=v, reach=reach, edge=edge)


def _axis(half: float, stream: Stream) -> tuple[float, ...]:
    """Return arterial positions: 460 to 840 m apart, half as wide again at the edge."""
    start = stream.uniform(-150.0, 150.0)
    lines = [start]
    for direction in (1.0, -1.0):
        at = start
        while abs(at) < half * 1.12:
            at += direction * stream.uniform(460.0, 840.0) * (1.0 + 0.5 * abs(at) / half)
            lines.append(at)
    return tuple(sorted(round(at, 1) for at in lines))


def _reach(u: float, v: float, seat: Seat, phases: Floats) -> float:
    x, y = u / seat.half_u, v / seat.half_v
    angle = float(exact.arctan2(y, x))
    wave = 1.0
    for order, amplitude, phase in zip((2, 3, 5), (0.09, 0.07, 0.06), phases, strict=True):
        wave += amplitude * float(exact.sin(order * angle + phase))
    return float(np.sqrt(x * x + y * y)) / wave


def _fits(box: Box, warp: Warp, room: BaseGeometry) -> bool:
    corners = np.array([(u, v) for u in (box.u0, box.u1) for v in (box.v0, box.v1)])
    return bool(shapely.contains_xy(room, warp(corners)).all())


def _ring_lines(lines: tuple[float, ...], half: float) -> tuple[int, int]:
    """Return the lines nearest to -0.72 and +0.72 of the half axis: the ring road."""
    low, high = (
        min(range(len(lines)), key=lambda k: abs(lines[k] - sign * _RING * half))
        for sign in (-1.0, 1.0)
    )
    return low, high


def _draw_arterials(sketch: Sketch, grid: Grid, seat: Seat) -> None:
    """Draw the sides of all superblocks; 4 % of the inner sides are left out, never the ring."""
    rings = (_ring_lines(grid.u, seat.half_u), _ring_lines(grid.v, seat.half_v))
    sides = _sides(grid)
    if seat.is_prefecture:
        for axis in (0, 1):
            for line in rings[axis]:
                for gap in range(*rings[1 - axis]):
                    sides.setdefault((axis, line, gap), [_RING])
    names = [_arterial_names(sketch.names, grid, axis, seat) for axis in (0, 1)]
    for (axis, line, gap), reaches in sides.items():
        is_ring = seat.is_prefecture and line in rings[axis]
        on_ring = is_ring and rings[1 - axis][0] <= gap < rings[1 - axis][1]
        is_inner = len(reaches) == 2 and min(reaches) > 0.3
        if is_inner and not is_ring and sketch.stream.chance(0.04):
            continue
        is_wide = min(reaches) < 0.85 or len(reaches) == 2
        rank = Rank.EXPRESSWAY if on_ring else Rank.ARTERIAL if is_wide else Rank.COLLECTOR
        sketch.draw(_side_line(grid, axis, line, gap), rank, name=names[axis][line])


def _sides(grid: Grid) -> dict[Side, list[float]]:
    sides: dict[Side, list[float]] = {}
    for (i, j), reach in grid.reach.items():
        for side in ((0, i, j), (0, i + 1, j), (1, j, i), (1, j + 1, i)):
            sides.setdefault(side, []).append(reach)
    return sides


def _side_line(grid: Grid, axis: int, line: int, gap: int) -> tuple[float, float, float, float]:
    if axis == 0:
        return grid.u[line], grid.v[gap], grid.u[line], grid.v[gap + 1]
    return grid.u[gap], grid.v[line], grid.u[gap + 1], grid.v[line]


def _arterial_names(names: NameBook, grid: Grid, axis: int, seat: Seat) -> list[int]:
    """Return name numbers: real ones in the prefecture's centre, else 经 (north-south) and 纬."""
    n_lines = len(grid.u if axis == 0 else grid.v)
    real = (NORTH_SOUTH, EAST_WEST)[axis] if seat.is_prefecture else ()
    first = (n_lines - len(real)) // 2
    word = ("经", "纬")[axis]
    return [
        names.fixed(
            real[k - first] if 0 <= k - first < len(real) else f"{seat.stem}{word}{k + 1}路"
        )
        for k in range(n_lines)
    ]


def _old_roads(
    grid: Grid, seat: Seat, hull: BaseGeometry, stream: Stream, names: NameBook
) -> Lines:
    """Return two old country roads that run on through the grid at their own angle, bending."""
    start = np.array([grid.u[len(grid.u) // 2], grid.v[len(grid.v) // 2]])
    courses = []
    for x, y in ((0.80, 0.55), (-0.62, -0.80)):
        end = np.array([x * seat.half_u, y * seat.half_v])
        share = np.linspace(0.0, 1.0, 7)[:, None]
        side = np.array([start[1] - end[1], end[0] - start[0]])
        sway = stream.uniform(0.05, 0.09) * exact.sin(2.0 * np.pi * share + stream.uniform(0, 1))
        courses.append(
            np.concatenate([start[None], (start + (end - start) * share + side * sway)[1:]])
        )
    shape = shapely.get_parts(shapely.intersection(polylines(courses), hull))
    n = len(shape)
    return Lines(
        shape=shape,
        rank=np.full(n, Rank.ARTERIAL, dtype=np.int64),
        origin=np.full(n, Origin.GRID, dtype=np.int64),
        name=np.full(n, names.fixed("样例老街"), dtype=np.int64),
    )


def draw_fringe(sketch: Sketch, grid: Grid) -> list[Box]:
    """Draw new quarters that reach beyond the outline, so that it is no staircase of superblocks.

    Returns
    -------
    list of Box
        What they cover.
    """
    boxes: list[Box] = []
    for i, j in grid.edge:
        stream = sketch.stream
        inside = [side for side, cell in _neighbours(i, j) if cell in grid.reach]
        if not inside or not stream.chance(_FRINGE_CHANCE):
            continue
        box = _fringe_box(grid.box((i, j)), inside[0], stream)
        name = sketch.names.numbered("样例路")
        u0, v0, u1, v1 = box
        outline = {
            "west": (u0, v0, u0, v1),
            "east": (u1, v0, u1, v1),
            "south": (u0, v0, u1, v0),
            "north": (u0, v1, u1, v1),
        }
        for side, line in outline.items():
            if side != inside[0]:
                sketch.draw(line, Rank.COLLECTOR, name=name)
        fill_superblock(sketch, box, draw_character(0.9, stream), depth=1)
        boxes.append(box)
    return boxes


def _neighbours(i: int, j: int) -> tuple[tuple[str, Cell], ...]:
    return (
        ("west", (i - 1, j)),
        ("east", (i + 1, j)),
        ("south", (i, j - 1)),
        ("north", (i, j + 1)),
    )


def _fringe_box(box: Box, side: str, stream: Stream) -> Box:
    """Return a part of a superblock that touches one of its sides."""
    depth = stream.uniform(0.25, 0.95)
    low = max(0.0, stream.uniform(-0.35, 0.3))
    high = min(1.0, stream.uniform(0.6, 1.5))
    u0, v0, u1, v1 = box
    if side in ("west", "east"):
        v0, v1 = v0 + low * box.height, v0 + high * box.height
        if side == "west":
            u1 = u0 + depth * box.width
        else:
            u0 = u1 - depth * box.width
    else:
        u0, u1 = u0 + low * box.width, u0 + high * box.width
        if side == "south":
            v1 = v0 + depth * box.height
        else:
            v0 = v1 - depth * box.height
    return Box(round(u0, 1), round(v0, 1), round(u1, 1), round(v1, 1))


def _canal_course(grid: Grid, seat: Seat, stream: Stream) -> BaseGeometry:
    """Return the canal's centre line: north to south inside one column of superblocks."""
    column = min(range(len(grid.u) - 1), key=lambda k: abs(grid.u[k] - 0.2 * seat.half_u))
    middle = (grid.u[column] + grid.u[column + 1]) / 2
    room = (grid.u[column + 1] - grid.u[column]) / 2 - 130.0
    phase = stream.uniforms(2, 0.0, 2.0 * np.pi)
    v = np.arange(-4.4 * seat.half_v, 4.4 * seat.half_v, 150.0)
    sway = 0.62 * exact.sin(v / 900.0 + phase[0]) + 0.38 * exact.sin(v / 410.0 + phase[1])
    return shapely.LineString(np.stack([middle + room * sway, v], axis=1))


def _with_canal(
    straight: Lines, canal: BaseGeometry, hull: BaseGeometry, names: NameBook, stream: Stream
) -> Lines:
    """Add two bank roads and cut at the water everything but three in four arterials: bridges."""
    water = canal.buffer(_CANAL_HALF_WIDTH, cap_style="flat")
    banks = []
    for offset, name in ((_BANK, "样例河西路"), (-_BANK, "样例河东路")):
        parts = shapely.get_parts(shapely.intersection(shapely.offset_curve(canal, offset), hull))
        parts = parts[shapely.length(parts) > 150.0]
        banks.append(
            Lines(
                shape=parts,
                rank=np.full(len(parts), Rank.COLLECTOR, dtype=np.int64),
                origin=np.full(len(parts), Origin.BANK, dtype=np.int64),
                name=np.full(len(parts), names.fixed(name), dtype=np.int64),
            )
        )
    noded = node(concat([straight, *banks]))
    chance = np.array([1.0, _BRIDGED, 0.0, 0.0, 0.0])[noded.rank]
    is_bridge = stream.uniforms(len(noded.rank)) < chance
    return noded.take(~shapely.intersects(noded.shape, water) | is_bridge)


def _shift_lanes(lines: Lines, stream: Stream) -> Lines:
    """Move nodes where only lanes meet by up to 12 m; every node keeps one place."""
    coords, owner = shapely.get_coordinates(lines.shape, return_index=True)
    _, place = np.unique(grid_keys(coords), return_inverse=True)
    n_places = int(place.max()) + 1
    widest = np.full(n_places, len(Rank), dtype=np.int64)
    np.minimum.at(widest, place, lines.rank[owner])
    shift = stream.uniforms(2 * n_places, -_LANE_SHIFT, _LANE_SHIFT).reshape(-1, 2)
    shift[widest < Rank.LANE] = 0.0
    return lines.reshaped(np.asarray(shapely.linestrings(coords + shift[place], indices=owner)))


def _warped(shapes: Shapes, warp: Warp, *, every: float) -> Shapes:
    coords, owner = shapely.get_coordinates(shapely.segmentize(shapes, every), return_index=True)
    return np.asarray(shapely.linestrings(warp(coords), indices=owner))


def _warped_area(area: BaseGeometry, warp: Warp) -> BaseGeometry:
    return shapely.transform(shapely.segmentize(area, 120.0), warp)


def built_up(towns: list[Town]) -> BaseGeometry:
    """Return the union of the built-up areas."""
    return shapely.union_all([town.built for town in towns])


def gates(town: Town) -> Floats:
    """Return street ends on the outline, where main roads begin; metres, shape (n, 2)."""
    wide: Bools = town.streets.rank <= Rank.COLLECTOR
    lines = town.streets.shape[wide]
    ends = shapely.get_coordinates(
        np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    )
    near = shapely.dwithin(shapely.points(ends), shapely.boundary(town.built), 60.0)
    return np.asarray(np.unique(ends[near], axis=0))
