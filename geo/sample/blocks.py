"""Inside a superblock: collectors, then open lanes, gated compounds, campuses or nothing.

Everything is drawn with straight lines parallel to the axes of the town's (u, v) frame.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from geo.sample import exact
from geo.sample.lines import Lines, NameBook, Origin, Rank, straight_lines
from geo.sample.stream import Stream

_STREET_SNAP: Final = 65.0
_LANE_SNAP: Final = 26.0
_GATE_SNAP: Final = 30.0
"""Metres within which a street's end moves to one already on the facing frontage: a crossing
instead of two junctions a few steps apart. With its chance it sets the share of 4-way nodes."""

_BLIND_LANES: Final = 0.26
"""Share of open lanes that end blind; sets the share of dead ends."""


class Box(NamedTuple):
    """A rectangle of the (u, v) frame, metres."""

    u0: float
    v0: float
    u1: float
    v1: float

    @property
    def width(self) -> float:
        """Extent along u."""
        return self.u1 - self.u0

    @property
    def height(self) -> float:
        """Extent along v."""
        return self.v1 - self.v0

    @property
    def longer(self) -> float:
        """Length of the longer side."""
        return max(self.width, self.height)

    def cut(self, at: float, *, across_v: bool) -> "tuple[Box, Box]":
        """Return the two halves of a cut at v = `at` (or u = `at`)."""
        if across_v:
            return self._replace(v1=at), self._replace(v0=at)
        return self._replace(u1=at), self._replace(u0=at)


@dataclass
class Sketch:
    """The drawing board of one town.

    Attributes
    ----------
    stream : Stream
    names : NameBook
    ticks : dict
        Street ends on each frontage, a frontage being a line u = const or v = const.
    """

    stream: Stream
    names: NameBook
    ends: list[tuple[float, float, float, float]] = field(default_factory=list)
    attributes: list[tuple[int, int, int]] = field(default_factory=list)
    ticks: dict[tuple[str, float], list[float]] = field(default_factory=dict)

    def draw(
        self,
        line: tuple[float, float, float, float],
        rank: Rank,
        *,
        name: int = 0,
        origin: Origin = Origin.GRID,
    ) -> None:
        """Draw a straight street from (u0, v0) to (u1, v1)."""
        self.ends.append(line)
        self.attributes.append((rank, origin, name))

    def street_end(
        self, frontages: tuple[tuple[str, float], ...], at: float, *, within: float, chance: float
    ) -> float:
        """Return where a new street meets its frontages, moved to an end already there."""
        for frontage in frontages:
            for other in self.ticks.get(frontage, ()):
                if abs(other - at) < within and self.stream.chance(chance):
                    at = other
        at = round(at, 1)
        for frontage in frontages:
            self.ticks.setdefault(frontage, []).append(at)
        return at

    def lines(self) -> Lines:
        """Return everything drawn."""
        return straight_lines(self.ends, self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """What kind of superblock it is.

    Attributes
    ----------
    reach : float
        Distance from the town's centre as a share of the way to its outline.
    density : float
        Log-normal factor: old quarters dense, works and parks thin. Without it each superblock is
        as full as the next, and that gives a toy away.
    is_empty : bool
        Park, campus or works: hardly a street inside.
    """

    reach: float
    density: float
    is_empty: bool


def draw_character(reach: float, stream: Stream) -> Character:
    """Draw the character of a superblock."""
    bell = stream.uniform() + stream.uniform() + stream.uniform() - 1.5
    return Character(
        reach=reach,
        density=float(exact.exp(1.7 * bell + 0.5 * (reach - 0.45))),
        is_empty=reach > 0.15 and stream.chance(0.16),
    )


def fill_superblock(sketch: Sketch, box: Box, character: Character, *, depth: int = 0) -> None:
    """Divide a superblock by collectors until the parts are 380 to 580 m wide, then fill them.

    An empty superblock begins at `depth` 3: it is cut once at most.
    """
    stream = sketch.stream
    limit = (380.0 + 200.0 * character.reach) * (0.7 + 0.3 * min(character.density, 2.5))
    stays = character.reach > 0.7 and stream.chance(0.35)
    if box.longer > limit and depth < 4 and not stays:
        first, second = _divide(sketch, box, depth)
        fill_superblock(sketch, first, character, depth=depth + 1)
        fill_superblock(sketch, second, character, depth=depth + 1)
    else:
        _fill_block(sketch, box, character)


def _divide(sketch: Sketch, box: Box, depth: int) -> tuple[Box, Box]:
    across_v = box.height >= box.width
    low, high = (box.v0, box.v1) if across_v else (box.u0, box.u1)
    frontages = _frontages(box, across_v=across_v)
    at = low + (high - low) * sketch.stream.uniform(0.36, 0.64)
    at = sketch.street_end(frontages, at, within=_STREET_SNAP, chance=0.55)
    wide = depth < 2 and box.longer > 330.0
    rank = Rank.COLLECTOR if wide else Rank.LANE
    name = sketch.names.numbered("样例路" if wide else "样例巷")
    sketch.draw(_crossing(box, at, across_v=across_v), rank, name=name)
    return box.cut(at, across_v=across_v)


def _frontages(box: Box, *, across_v: bool) -> tuple[tuple[str, float], ...]:
    return (("u", box.u0), ("u", box.u1)) if across_v else (("v", box.v0), ("v", box.v1))


def _crossing(box: Box, at: float, *, across_v: bool) -> tuple[float, float, float, float]:
    return (box.u0, at, box.u1, at) if across_v else (at, box.v0, at, box.v1)


def _fill_block(sketch: Sketch, box: Box, character: Character) -> None:
    lot = sketch.stream.uniform(0.9, 1.0) if character.is_empty else sketch.stream.uniform()
    if character.reach > 0.75 and not character.is_empty:
        lot += 0.18
    if character.reach < 0.16:
        lay_lanes(sketch, box, area=13_000.0)
    elif lot < 0.34:
        lay_lanes(sketch, box, area=24_000.0 * character.density)
    elif lot < 0.84:
        lay_compound(sketch, box, character.density)
    elif lot < 0.93:
        lay_lanes(sketch, box, area=60_000.0)


def lay_lanes(sketch: Sketch, box: Box, *, area: float, depth: int = 0) -> None:
    """Lay open lanes until a block is about `area` m2; one in four lanes ends blind."""
    stream = sketch.stream
    done = box.width * box.height < area * stream.uniform(0.6, 1.7)
    if done or box.longer < 70.0 or depth > 7:
        return
    across_v = box.height >= box.width * stream.uniform(0.85, 1.15)
    low, high = (box.v0, box.v1) if across_v else (box.u0, box.u1)
    at = low + (high - low) * stream.uniform(0.33, 0.67)
    at = sketch.street_end(_frontages(box, across_v=across_v), at, within=_LANE_SNAP, chance=0.4)
    if not low + 24.0 < at < high - 24.0:
        return
    line = _crossing(box, at, across_v=across_v)
    is_blind = stream.chance(_BLIND_LANES)
    if is_blind:
        line = _shortened(line, stream.uniform(0.5, 0.85))
    sketch.draw(line, Rank.LANE, name=sketch.names.numbered("样例巷"))
    if not is_blind:
        for part in box.cut(at, across_v=across_v):
            lay_lanes(sketch, part, area=area, depth=depth + 1)


def _shortened(
    line: tuple[float, float, float, float], share: float
) -> tuple[float, float, float, float]:
    u0, v0, u1, v1 = line
    return u0, v0, u0 + (u1 - u0) * share, v0 + (v1 - v0) * share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Court:
    """A compound turned so that its spine runs along y."""

    sketch: Sketch
    box: Box
    lies_down: bool

    def draw(self, x0: float, y0: float, x1: float, y1: float) -> None:
        line = (y0, x0, y1, x1) if self.lies_down else (x0, y0, x1, y1)
        self.sketch.draw(line, Rank.LANE, origin=Origin.COMPOUND)

    @property
    def gate_frontages(self) -> tuple[tuple[str, float], ...]:
        axis = "u" if self.lies_down else "v"
        return ((axis, self.box.v0), (axis, self.box.v1))


def lay_compound(sketch: Sketch, box: Box, density: float) -> None:
    """Lay a gated compound: a spine from one or two gates, ribs, sometimes an inner loop."""
    stream = sketch.stream
    lies_down = box.width > box.height
    turned = Box(box.v0, box.u0, box.v1, box.u1) if lies_down else box
    if turned.width < 70.0 or turned.height < 90.0:
        return
    court = _Court(sketch=sketch, box=turned, lies_down=lies_down)
    at = turned.u0 + turned.width * stream.uniform(0.35, 0.65)
    at = sketch.street_end(court.gate_frontages, at, within=_GATE_SNAP, chance=0.35)
    spine = min(max(at, turned.u0 + 30.0), turned.u1 - 30.0)
    has_back_gate = stream.chance(0.42)
    end = turned.v1 if has_back_gate else turned.v1 - stream.uniform(25.0, 45.0)
    spacing = stream.uniform(90.0, 150.0) * (0.5 + 0.5 * min(density, 2.5))
    n_ribs = max(1, int(turned.height / spacing))
    ribs = [
        turned.v0 + turned.height * (k + 0.5) / n_ribs + stream.uniform(-8.0, 8.0)
        for k in range(n_ribs)
    ]
    court.draw(spine, turned.v0, spine, end)
    _lay_ribs(court, spine, ribs, has_loop=stream.chance(0.4) and n_ribs > 1 and turned.width > 130)


def _lay_ribs(court: _Court, spine: float, ribs: list[float], *, has_loop: bool) -> None:
    """Draw the ribs on both sides; a few reach a side gate, some end blind, some are left out."""
    stream, box = court.sketch.stream, court.box
    sides = (
        (box.u0, box.u0 + stream.uniform(22.0, 34.0)),
        (box.u1, box.u1 - stream.uniform(22.0, 34.0)),
    )
    for wall, inner in sides:
        if abs(inner - spine) < 25.0:
            continue
        for k, y in enumerate(ribs):
            lot = stream.uniform()
            on_loop = has_loop and (k in (0, len(ribs) - 1) or 0.10 <= lot < 0.5)
            if on_loop:
                court.draw(spine, y, inner, y)
            elif lot < 0.10:
                court.draw(spine, y, wall, y)
            elif lot < 0.62:
                court.draw(spine, y, spine + (inner - spine) * stream.uniform(0.7, 1.0), y)
        if has_loop:
            court.draw(inner, ribs[0], inner, ribs[-1])
