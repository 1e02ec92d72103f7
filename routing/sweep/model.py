"""What a sweep asks (which streets, how often, how long each takes) and what answers it.

A sweep (拉门行动, 河湖, 示范街) walks or rides every asked street in one closed tour. Streets are
segments of two arcs, numbered as in `routing.network`: ``2 * segment`` along the line and
``2 * segment + 1`` against it. An arc is either served, which takes the ride and the doors checked
on the way, or only travelled: dead-heading (空驶). Whole milliseconds throughout.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from routing.model import UNREACHABLE, Status
from routing.network import ArcTimes, Network

FAR: Final = UNREACHABLE
"""Milliseconds of an arc that is closed."""

MOST_PASSES: Final = 2
"""Passes a street may ask for: both sides of it."""

Ints = NDArray[np.int32]
"""Column of int32: nodes, arcs, segments, milliseconds."""


class SweepEngine(StrEnum):
    """How a covering is found.

    AUTO takes MATCHING where the streets cost the same both ways (on foot), EXACT where they do
    not and are few enough to be proven, else HEURISTIC.
    """

    AUTO = "auto"
    MATCHING = "matching"
    EXACT = "exact"
    HEURISTIC = "heuristic"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepProblem:
    """Streets to cover: read-only columns, arcs as in `Network`.

    Attributes
    ----------
    n_nodes : int
    tail, head : ndarray of int32, shape (n_arcs,)
        Node each arc leaves and reaches; arc ``2 s + 1`` is arc ``2 s`` the other way.
    travel : ndarray of int32, shape (n_arcs,)
        Milliseconds without service, at least 1; FAR where the arc is closed.
    service : ndarray of int32, shape (n_arcs,)
        Milliseconds when the street is served in that direction, the ride included; FAR where it
        cannot be.
    passes : ndarray of int8, shape (n_segments,)
        0 not asked; 1 once, in either direction; 2 both sides: once in each direction, and where
        only one direction can be served, twice in that one.
    """

    n_nodes: int
    tail: Ints
    head: Ints
    travel: Ints
    service: Ints
    passes: NDArray[np.int8]

    def __post_init__(self) -> None:
        n_arcs = len(self.tail)
        for name in ("tail", "head", "travel", "service"):
            column = getattr(self, name)
            if column.shape != (n_arcs,) or column.dtype != np.int32:
                _refuse(name, f"{column.dtype} {column.shape}", f"int32 ({n_arcs},)")
            column.setflags(write=False)
        if self.passes.shape != (n_arcs // 2,) or n_arcs % 2:
            _refuse("passes", self.passes.shape, f"({n_arcs // 2},), two arcs a segment")
        self.passes.setflags(write=False)
        _require_values(self)

    @property
    def n_segments(self) -> int:
        """Segments in all, asked or not."""
        return len(self.passes)

    @property
    def required(self) -> Ints:
        """Segments that are asked, in order of their numbers."""
        return np.flatnonzero(self.passes).astype(np.int32)


def _require_values(problem: SweepProblem) -> None:
    """Refuse what no street can have."""
    ends = np.concatenate([problem.tail, problem.head])
    if len(ends) and not (ends.min() >= 0 and ends.max() < problem.n_nodes):
        _refuse("tail, head", f"{ends.min()}–{ends.max()}", f"nodes 0–{problem.n_nodes - 1}")
    if (problem.tail[::2] != problem.head[1::2]).any():
        _refuse("tail", "arcs that are no pair", "arc 2 s + 1 against arc 2 s")
    if len(ends) and problem.travel.min() < 1:
        _refuse("travel", f"{problem.travel.min()} ms", "at least 1 ms")
    shorter = problem.service < problem.travel
    if shorter.any():
        _refuse("service", f"arc {int(shorter.argmax())}", "at least the travel of the same arc")
    if problem.passes.size and not 0 <= problem.passes.min() <= problem.passes.max() <= MOST_PASSES:
        _refuse("passes", problem.passes.max(), f"0 to {MOST_PASSES}")


def _refuse(option: str, value: object, expected: str) -> None:
    raise OptionInvalid(option=f"sweep {option}", value=value, expected=expected)


def sweep_problem(
    network: Network, times: ArcTimes, *, passes: NDArray[np.int8], doors: Ints | None = None
) -> SweepProblem:
    """Pose a sweep on a network.

    Parameters
    ----------
    network : Network
    times : ArcTimes
        Of the mode that sweeps (`routing.network.arc_times`).
    passes : ndarray of int8, shape (n_segments,)
        How often each segment is asked: 0, 1 or 2.
    doors : ndarray of int32, shape (n_segments,), optional
        Milliseconds for checking doors on one pass of a segment.
    """
    travel = times.whole.astype(np.int32)
    at_doors = np.zeros(network.n_segments, np.int32) if doors is None else doors
    service = travel.astype(np.int64) + np.repeat(at_doors, 2)
    return SweepProblem(
        n_nodes=network.n_nodes,
        tail=network.arc_tail,
        head=network.arc_head,
        travel=travel,
        service=np.where(travel >= FAR, FAR, service).astype(np.int32),
        passes=passes.astype(np.int8),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tour:
    """A closed walk that starts and ends at one node.

    Attributes
    ----------
    arcs : ndarray of int32, shape (n,)
        In order of travel; each begins where the one before ends, the first where the last ends.
    is_service : bool ndarray, shape (n,)
        Whether the pass serves its street; the others are dead-heading.
    milliseconds : int
        Of the whole walk.
    dead_head : int
        Milliseconds of it without service.
    """

    arcs: Ints
    is_service: NDArray[np.bool_]
    milliseconds: int
    dead_head: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covering:
    """A tour that serves every street that can be reached, and how good it is.

    Attributes
    ----------
    bound : int
        Milliseconds no tour of the same streets can go below; equal to the tour's when proven.
    status : Status
        OPTIMAL: the tour's milliseconds are the bound (or within the gap asked for).
    engine : SweepEngine
        What found it: never AUTO.
    unserved : ndarray of int32
        Asked segments that cannot be served: closed, or out of reach of the rest.
    n_parts : int
        Parts the asked streets and the start fall into; more than one must be joined.
    n_u_turns, u_turn_bound : int
        Times the tour turns round in a street, and how many no tour of the same passes can avoid.
    """

    tour: Tour
    bound: int
    status: Status
    engine: SweepEngine
    unserved: Ints
    n_parts: int
    n_u_turns: int
    u_turn_bound: int

    @property
    def gap(self) -> float:
        """(milliseconds - bound) / milliseconds: 0.0 when proven."""
        total = self.tour.milliseconds
        return (total - self.bound) / total if total else 0.0
