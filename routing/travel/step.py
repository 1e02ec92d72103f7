"""Turn lists: the way as one says it, street after street, for cards and screens."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.network import Network
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a turn list.

    Attributes
    ----------
    move : Move
        What to do first.
    street : str
        The street gone along then; "" where it has no name.
    length : float
        Metres along it until the next step; 0 on arrival.
    lonlat : tuple of float
        Where the step begins, WGS-84 degrees.
    """

    move: Move
    street: str
    length: float
    lonlat: tuple[float, float]

    @property
    def code(self) -> str:
        """Message code of the line; streets without a name have a line of their own."""
        return f"route.{self.move}" if self.street else f"route.{self.move}.unnamed"

    @property
    def params(self) -> Mapping[str, object]:
        """Street and whole metres for the line."""
        return {"street": self.street, "metres": f"{self.length:,.0f}"}


def list_steps(
    network: Network, row: Pieces, lines: list[NDArray[np.float64]]
) -> list[tuple[Step, ...]]:
    """Return the turn list of each leg.

    A step begins where the street changes its name, or where one turns at a junction; a bend of
    the same street is none.

    Parameters
    ----------
    row : Pieces
    lines : list of ndarray of float64, shape (n_points, 2)
        The line of each leg in degrees; empty where there is no way.
    """
    row = row.longer_than(0.0)
    move = _moves(network, row)
    first = np.flatnonzero(move != "")
    length = np.add.reduceat(row.high - row.low, first) if len(first) else np.empty(0)
    at = _starts(network, row, first)
    listed: list[list[Step]] = [[] for _ in lines]
    for i, piece in enumerate(first.tolist()):
        step = Step(
            move=Move(str(move[piece])),
            street=network.names[network.name[row.segment[piece]]],
            length=float(length[i]),
            lonlat=(float(at[i, 0]), float(at[i, 1])),
        )
        listed[row.leg[piece]].append(step)
    return [
        (*steps, _arrival(steps, line)) if len(line) else ()
        for steps, line in zip(listed, lines, strict=True)
    ]


def _arrival(steps: list[Step], line: NDArray[np.float64]) -> Step:
    """Return the last step, on the street where the leg ends."""
    lon, lat = line[-1].tolist()
    street = steps[-1].street if steps else ""
    return Step(move=Move.ARRIVE, street=street, length=0.0, lonlat=(lon, lat))


def _moves(network: Network, row: Pieces) -> NDArray[np.str_]:
    """Tell what one does at the start of each piece; "" where one simply goes on."""
    move = np.full(len(row.leg), "", dtype="<U8")
    is_first = np.r_[True, row.leg[1:] != row.leg[:-1]][: len(row.leg)]
    before, after = np.flatnonzero(~is_first) - 1, np.flatnonzero(~is_first)
    angle = _angles(network, row)[after - 1]
    segment, forward = row.segment, row.is_forward
    is_back = (segment[before] == segment[after]) & (forward[before] != forward[after])
    is_turn = np.abs(angle) > TURN_DEGREES
    node = np.where(forward[before], network.head[segment[before]], network.tail[segment[before]])
    is_new = network.name[segment[before]] != network.name[segment[after]]
    kind = np.where(is_turn, np.where(angle > 0.0, Move.RIGHT, Move.LEFT), Move.STRAIGHT)
    kind = np.where(is_back, Move.U_TURN, kind)
    told = is_new | is_back | (is_turn & network.junction[node])
    move[after] = np.where(told, kind, "")
    move[is_first] = Move.DEPART
    return move


def _angles(network: Network, row: Pieces) -> NDArray[np.float64]:
    """Degrees turned between each piece and the next: right positive, up to 180."""
    reach = np.minimum(HEADING_M, 0.5 * (row.high - row.low))
    low, high = row.low, row.high
    ahead = np.where(row.is_forward, low + reach, high - reach)
    behind = np.where(row.is_forward, high - reach, low + reach)
    start = points_on(network, row.segment, np.where(row.is_forward, low, high))
    end = points_on(network, row.segment, np.where(row.is_forward, high, low))
    leaving = _bearing(points_on(network, row.segment, ahead) - start)
    arriving = _bearing(end - points_on(network, row.segment, behind))
    angle: NDArray[np.float64] = 180.0 - (180.0 - leaving[1:] + arriving[:-1]) % 360.0
    return angle


def _bearing(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees clockwise from grid north."""
    bearing: NDArray[np.float64] = np.degrees(np.arctan2(step[:, 0], step[:, 1]))
    return bearing


def _starts(network: Network, row: Pieces, pieces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Where pieces begin, shape (n, 2), WGS-84 degrees."""
    metres = np.where(row.is_forward, row.low, row.high)[pieces]
    return points_on(network, row.segment[pieces], metres, in_degrees=True)
