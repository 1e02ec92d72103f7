"""Turn lists: the way as one says it, street after street, for cards and screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.frames import StreetClass
from routing.network import CLASSES, Network
from routing.network.turn import HEADING_M
from routing.travel.leg import Pieces, points_on

TURN_DEGREES: Final = 40.0
"""Change of heading above which one turns and does not go straight on.

Where OSRM's guidance passes from "slight right" to "right": 140 of the 180 degrees of straight on
(getTurnDirection of its guidance toolkit; project OSRM, BSD-2-Clause).
"""


class Move(StrEnum):
    """出发, 直行, 左转, 右转, 掉头, 到达: what one does at the start of a step."""

    DEPART = "depart"
    STRAIGHT = "straight"
    LEFT = "left"
    RIGHT = "right"
    U_TURN = "u_turn"
    ARRIVE = "arrive"


class Heading(StrEnum):
    """北, 东北, 东, 东南, 南, 西南, 西, 西北: which way one sets off, clockwise from north."""

    NORTH = "north"
    NORTH_EAST = "north_east"
    EAST = "east"
    SOUTH_EAST = "south_east"
    SOUTH = "south"
    SOUTH_WEST = "south_west"
    WEST = "west"
    NORTH_WEST = "north_west"


HEADINGS: Final = tuple(Heading)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a line that has a message code of its own."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a turn list.

    Attributes
    ----------
    move : Move
        What to do first.
    street : str
        The street gone along then; "" where it has no name.
    street_class : StreetClass
        Its class: what one looks for where it has no name.
    heading : Heading
        Which way it leads at first, from the grid north of the network's CRS, which in a UTM zone
        is within 2 degrees of true north.
    n_junctions : int
        Junctions passed along it before the next step.
    length : float
        Metres along it until the next step; 0 on arrival.
    lonlat : tuple of float
        Where the step begins, WGS-84 degrees.
    place : str
        What is reached, on arrival; "" elsewhere and where nobody says.
    """

    move: Move
    street: str
    street_class: StreetClass
    heading: Heading
    n_junctions: int
    length: float
    lonlat: tuple[float, float]
    place: str = ""

    @property
    def code(self) -> str:
        """Message code of the line; streets and places without a name have lines of their own."""
        placed = ".place" if self.place else ""
        return f"route.{self.move}{placed}{'' if self.street else '.unnamed'}"

    @property
    def params(self) -> Mapping[str, object]:
        """What the line says: names, whole metres, and words with codes of their own."""
        return {
            "street": self.street,
            "metres": f"{self.length:,.0f}",
            "place": self.place,
            "road": Term(f"route.road.{self.street_class}"),
            "heading": Term(f"word.heading.{self.heading}"),
            "passing": Term(f"route.passing.{_amount(self.n_junctions)}", {"n": self.n_junctions}),
        }


def _amount(n: int) -> str:
    """Return the ending of the message for none, one or several."""
    return "none" if n == 0 else "one" if n == 1 else "several"


def list_steps(
    network: Network,
    row: Pieces,
    lines: list[NDArray[np.float64]],
    places: Sequence[str] | None = None,
) -> list[tuple[Step, ...]]:
    """Return the turn list of each leg.

    A step begins where the street changes its name, or where one turns at a junction; a bend of
    the same street is none.

    Parameters
    ----------
    row : Pieces
    lines : list of ndarray of float64, shape (n_points, 2)
        The line of each leg in degrees; empty where there is no way.
    places : sequence of str, optional
        What each leg arrives at, as one says it.
    """
    row = row.longer_than(0.0)
    listed: list[list[Step]] = [[] for _ in lines]
    if len(row.leg):
        move = _moves(network, row)
        first = np.flatnonzero(move != "")
        for leg, step in zip(row.leg[first].tolist(), _steps(network, row, move), strict=True):
            listed[leg].append(step)
    names = places or [""] * len(lines)
    return [
        (*steps, _arrival(steps, line, place)) if len(line) else ()
        for steps, line, place in zip(listed, lines, names, strict=True)
    ]


def _steps(network: Network, row: Pieces, move: NDArray[np.str_]) -> list[Step]:
    """Return the steps of all legs but their arrivals, in order."""
    first = np.flatnonzero(move != "")
    segment = row.segment[first]
    passed = (move == "") & network.junction[_nodes(network, row)]
    columns = (
        move[first].tolist(),
        network.name[segment].tolist(),
        network.street_class[segment].tolist(),
        _eighths(_leaving(network, row)[first]).tolist(),
        np.add.reduceat(passed.astype(np.int64), first).tolist(),
        np.add.reduceat(row.high - row.low, first).tolist(),
        _starts(network, row, first).tolist(),
    )
    return [
        Step(
            move=Move(what),
            street=network.names[name],
            street_class=CLASSES[of_class],
            heading=HEADINGS[eighth],
            n_junctions=n,
            length=length,
            lonlat=(lon, lat),
        )
        for what, name, of_class, eighth, n, length, (lon, lat) in zip(*columns, strict=True)
    ]


def _arrival(steps: list[Step], line: NDArray[np.float64], place: str) -> Step:
    """Return the last step, on the street where the leg ends."""
    lon, lat = line[-1].tolist()
    last = steps[-1] if steps else None
    return Step(
        move=Move.ARRIVE,
        street=last.street if last else "",
        street_class=last.street_class if last else CLASSES[0],
        heading=last.heading if last else HEADINGS[0],
        n_junctions=0,
        length=0.0,
        lonlat=(lon, lat),
        place=place,
    )


def _moves(network: Network, row: Pieces) -> NDArray[np.str_]:
    """Tell what one does at the start of each piece; "" where one simply goes on."""
    move = np.full(len(row.leg), "", dtype="<U8")
    is_first = np.r_[True, row.leg[1:] != row.leg[:-1]][: len(row.leg)]
    before, after = np.flatnonzero(~is_first) - 1, np.flatnonzero(~is_first)
    angle = _angles(network, row)[after - 1]
    segment, forward = row.segment, row.is_forward
    is_back = (segment[before] == segment[after]) & (forward[before] != forward[after])
    is_turn = np.abs(angle) > TURN_DEGREES
    node = _nodes(network, row)[after]
    is_new = network.name[segment[before]] != network.name[segment[after]]
    kind = np.where(is_turn, np.where(angle > 0.0, Move.RIGHT, Move.LEFT), Move.STRAIGHT)
    kind = np.where(is_back, Move.U_TURN, kind)
    told = is_new | is_back | (is_turn & network.junction[node])
    move[after] = np.where(told, kind, "")
    move[is_first] = Move.DEPART
    return move


def _nodes(network: Network, row: Pieces) -> NDArray[np.int32]:
    """Node at the start of each piece's segment in the direction of travel."""
    node: NDArray[np.int32] = np.where(
        row.is_forward, network.tail[row.segment], network.head[row.segment]
    )
    return node


def _angles(network: Network, row: Pieces) -> NDArray[np.float64]:
    """Degrees turned between each piece and the next: right positive, up to 180."""
    end = points_on(network, row.segment, np.where(row.is_forward, row.high, row.low))
    reach = _reach(row)
    behind = np.where(row.is_forward, row.high - reach, row.low + reach)
    arriving = _bearing(end - points_on(network, row.segment, behind))
    angle: NDArray[np.float64] = (
        180.0 - (180.0 - _leaving(network, row)[1:] + arriving[:-1]) % 360.0
    )
    return angle


def _leaving(network: Network, row: Pieces) -> NDArray[np.float64]:
    """Degrees clockwise from grid north in which each piece begins."""
    reach = _reach(row)
    ahead = np.where(row.is_forward, row.low + reach, row.high - reach)
    start = points_on(network, row.segment, np.where(row.is_forward, row.low, row.high))
    return _bearing(points_on(network, row.segment, ahead) - start)


def _reach(row: Pieces) -> NDArray[np.float64]:
    """Metres of each piece over which its direction is taken."""
    metres: NDArray[np.float64] = np.minimum(HEADING_M, 0.5 * (row.high - row.low))
    return metres


def _eighths(bearing: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the nearest of the eight headings, by its position in HEADINGS."""
    return np.asarray(np.rint(bearing / 45.0).astype(np.int64) % len(HEADINGS))


def _bearing(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees clockwise from grid north."""
    bearing: NDArray[np.float64] = np.degrees(np.arctan2(step[:, 0], step[:, 1]))
    return bearing


def _starts(network: Network, row: Pieces, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where pieces begin, shape (n, 2), WGS-84 degrees."""
    metres = np.where(row.is_forward, row.low, row.high)[pieces]
    return points_on(network, row.segment[pieces], metres, in_degrees=True)
