"""A sweep divided: each team's closed walk from its station, and what the shift leaves undone."""

import math
from dataclasses import dataclass
from enum import StrEnum

from routing.sweep.model import SweepProblem, Tour

MILLISECONDS = 1000


class Cause(StrEnum):
    """Why a street is not swept.

    班次时间不够, 道路封闭, 与所有驻地不通, 从驻地往返一趟已超班次.
    """

    SHIFT = "shift"
    CLOSED = "closed"
    CUT_OFF = "cut_off"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A street that is not, or not wholly, swept.

    Attributes
    ----------
    segment : int
        Of the problem.
    passes : int
        Passes that are missing.
    cause : Cause
    """

    segment: int
    passes: int
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepPlan:
    """One closed walk for each team, and how good they are together.

    Attributes
    ----------
    routes : tuple of Tour
        In the order of the stations given: each begins and ends there; one without arcs is a team
        that is not needed.
    left_out : tuple of LeftOut
        By segment; nothing is dropped without being here.
    shift_length : int
        Seconds no route is over.
    bound : int
        Milliseconds no single team without a way to its station could go below for the streets
        that any team can reach, shift or not.
    station_legs : int
        Milliseconds from each team's station to the nearest of these streets and back.
    uncut : int
        Milliseconds of all routes if the shift had no end; what the teams would need.
    """

    routes: tuple[Tour, ...]
    left_out: tuple[LeftOut, ...]
    shift_length: int
    bound: int
    station_legs: int
    uncut: int

    @property
    def total(self) -> int:
        """Milliseconds of all routes."""
        return sum(route.milliseconds for route in self.routes)

    @property
    def longest(self) -> int:
        """Milliseconds of the longest route."""
        return max((route.milliseconds for route in self.routes), default=0)

    @property
    def balance(self) -> float:
        """Longest route / mean over all teams, idle ones too; 1.0 with nothing to do."""
        return self.longest * len(self.routes) / self.total if self.total else 1.0

    @property
    def over_bound(self) -> float:
        """Share by which everything in one shift is above bound and station legs together.

        A yardstick and no bound: teams of several stations may stay below it.
        """
        least = self.bound + self.station_legs
        return self.uncut / least - 1.0 if least else 0.0

    def n_teams_needed(self, problem: SweepProblem) -> int:
        """Return about how many teams would sweep all that one can get to within a shift.

        As many more as there is more to serve: what is left out for want of time over what is
        served. What is too far for any team of these stations does not count: it needs another
        answer than more teams.
        """
        missed = sum(
            one.passes * int(problem.service[2 * one.segment : 2 * one.segment + 2].min())
            for one in self.left_out
            if one.cause is Cause.SHIFT
        )
        served = sum(route.milliseconds - route.dead_head for route in self.routes)
        busy = sum(len(route.arcs) > 0 for route in self.routes)
        if not missed:
            return busy
        more = busy * missed / served if served else 1.0
        return len(self.routes) + max(1, math.ceil(more))
