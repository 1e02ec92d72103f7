"""One station's month: how many rounds, on which days, with which venues, in which order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from geo.units import MINUTE
from routing.inspection.flow import assign
from routing.inspection.kernels import (
    FAR,
    MOST_STOPS,
    Ask,
    Made,
    Seconds,
    best_order,
    improve,
)
from routing.model import UNREACHABLE

Ints = npt.NDArray[np.int64]

OPENING: Final = 30 * MINUTE
"""Seconds a round costs for being made at all: fetching the papers, writing the day up."""

N_SHIFTS: Final = 5
"""Times the centres move to where their venues are."""

N_PASSES: Final = 40
"""Passes over all venues of a station in which they may change rounds."""

NEIGHBOURS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One station's share of the month.

    Attributes
    ----------
    seconds : int32 (n + 1, n + 1)
        Travel between the station (0) and its venues.
    lonlat : float64 (n, 2)
    service, rank, skip_cost : int64 (n,)
    is_overdue : bool (n,)
    day_cost : int64 (n, n_days)
    n_teams, limit : int
        Teams of the station; seconds of a team's day.
    """

    seconds: Seconds
    lonlat: npt.NDArray[np.float64]
    service: Ints
    rank: Ints
    skip_cost: Ints
    is_overdue: npt.NDArray[np.bool_]
    day_cost: Ints
    n_teams: int
    limit: int

    @property
    def n_days(self) -> int:
        """Working days."""
        return int(self.day_cost.shape[1])


def plan_month(month: Month) -> list[tuple[int, Ints]]:
    """Return the station's rounds as (working day, venues in order), by day.

    A min-cost flow sends venues to rounds that each have a day and a centre; the centres move to
    their venues and the flow is solved again. Then single venues change rounds while that pays,
    and every round is put into its best order.
    """
    slot_days, per_round = _slots(month)
    group = _flow(month, slot_days, per_round)
    return _polish(month, slot_days, group)


def typical_leg(month: Month) -> int:
    """Return the seconds between neighbouring venues: the mean of the three nearest."""
    between = month.seconds[1:, 1:].astype(np.int64) + np.diag(np.full(len(month.service), FAR))
    k = min(NEIGHBOURS, len(between) - 1)
    if k < 1:
        return 0
    nearest = np.sort(between, axis=1)[:, :k]
    reached = nearest[nearest < UNREACHABLE]
    return int(reached.mean()) if len(reached) else 0


def venues_per_round(month: Month) -> int:
    """Return how many venues a round holds, from the mean inspection and the typical leg."""
    out = int(np.median(month.seconds[0, 1:])) + int(np.median(month.seconds[1:, 0]))
    each = int(month.service.mean()) + typical_leg(month)
    return int(np.clip((month.limit - out) // each, 1, MOST_STOPS))


def _slots(month: Month) -> tuple[Ints, int]:
    """Return the working day of each round, and how many venues one takes.

    As many rounds as the work needs, spread evenly over the month, but early enough that the
    venues with the earliest due days have room; no more a day than there are teams. All the days
    left over follow as spare rounds, for the polish to use where it must.
    """
    per_round = venues_per_round(month)
    n_needed = -(-len(month.service) // per_round)
    n_rounds = min(n_needed, month.n_days * month.n_teams)
    allowed = month.day_cost < FAR
    last = np.where(month.is_overdue, 0, month.n_days - 1 - allowed[:, ::-1].argmax(axis=1))
    due_in_order = np.sort(last)
    free = np.full(month.n_days, month.n_teams)
    wanted = []
    for k in range(n_rounds):
        even = k * month.n_days // n_rounds
        day = min(even, int(due_in_order[min(k * per_round, len(due_in_order) - 1)]))
        day = _nearest_free(free, day)
        free[day] -= 1
        wanted.append(day)
    spare = np.repeat(np.arange(month.n_days), free)
    return np.concatenate([np.sort(wanted), spare]).astype(np.int64), per_round


def _nearest_free(free: Ints, day: int) -> int:
    """Return the nearest day with a team to spare, the earlier of two."""
    open_days = np.flatnonzero(free)
    return int(open_days[np.abs(open_days - day).argmin()])


def _flow(month: Month, slot_days: Ints, per_round: int) -> Ints:
    """Return the round of each venue, -1 where the flow leaves it to the polish."""
    n = len(month.service)
    n_rounds = min(-(-n // per_round), len(slot_days))
    centres = _along_the_curve(month.lonlat, n_rounds)
    capacity = np.full(n_rounds, per_round, np.int64)
    days = slot_days[:n_rounds]
    both_ways = (month.seconds[1:, 1:].astype(np.int64) + month.seconds[1:, 1:].T) // 2
    group = np.full(n, -1, np.int64)
    for _ in range(N_SHIFTS):
        cost = np.minimum(both_ways[:, centres] + month.day_cost[:, days], FAR)
        group = assign(cost, capacity, month.skip_cost)
        moved = _medoids(both_ways, group, centres)
        if (moved == centres).all():
            break
        centres = moved
    return group


def _along_the_curve(lonlat: npt.NDArray[np.float64], n: int) -> Ints:
    """Return n venues evenly spaced along a Z-order curve through all of them."""
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    unit = ((lonlat - low) / np.where(high > low, high - low, 1.0) * 65_535).astype(np.int64)
    key = sum(
        (unit[:, 0] >> b & 1) << 2 * b | (unit[:, 1] >> b & 1) << 2 * b + 1 for b in range(16)
    )
    order = np.argsort(np.asarray(key), kind="stable")
    return order[(2 * np.arange(n) + 1) * len(order) // (2 * n)]


def _medoids(both_ways: Ints, group: Ints, centres: Ints) -> Ints:
    """Return for each round the member nearest to all its members."""
    moved = centres.copy()
    for r in range(len(centres)):
        members = np.flatnonzero(group == r)
        if len(members):
            inside = both_ways[np.ix_(members, members)]
            moved[r] = members[inside.sum(axis=1).argmin()]
    return moved


def _polish(month: Month, slot_days: Ints, group: Ints) -> list[tuple[int, Ints]]:
    """Let venues change rounds while it pays, then put each round into its best order."""
    n_rounds, n = len(slot_days), len(group)
    ask = Ask(
        seconds=month.seconds,
        service=np.append(0, month.service),
        skip_cost=np.append(0, month.skip_cost),
        day_cost=np.vstack([np.zeros((1, month.n_days), np.int64), month.day_cost]),
        day=slot_days,
        limit=month.limit,
        opening=OPENING,
    )
    made = Made(
        stops=np.zeros((n_rounds, MOST_STOPS), np.int64),
        n_stops=np.zeros(n_rounds, np.int64),
        length=np.zeros(n_rounds, np.int64),
        round_of=np.full(n + 1, -1, np.int64),
    )
    for r in range(n_rounds):
        visits = _fitting(month, np.flatnonzero(group == r) + 1)
        made.stops[r, : len(visits)] = visits
        made.n_stops[r], made.length[r] = len(visits), round_length(month, visits)
        made.round_of[visits] = r
    improve(ask, made, N_PASSES)
    rounds = [
        (int(slot_days[r]), best_order(month.seconds, made.stops[r, : made.n_stops[r]]))
        for r in np.flatnonzero(made.n_stops)
    ]
    return sorted(rounds, key=lambda one: (one[0], int(one[1].min())))


def _fitting(month: Month, visits: Ints) -> Ints:
    """Return the visits in best order, the least urgent left out until the day holds them."""
    visits = visits[np.argsort(month.rank[visits - 1], kind="stable")]
    while len(visits):
        ordered = best_order(month.seconds, visits)
        if round_length(month, ordered) <= month.limit:
            return ordered
        visits = visits[:-1]
    return visits


def round_length(month: Month, visits: Ints) -> int:
    """Return the seconds of a round: all ways, station to station, and the inspections."""
    if not len(visits):
        return 0
    way = np.concatenate([[0], visits, [0]])
    travel = month.seconds[way[:-1], way[1:]].astype(np.int64).sum()
    return int(travel + month.service[visits - 1].sum())


def warm_up() -> None:
    """Compile the kernels into their cache."""
    n = 3
    month = Month(
        seconds=np.full((n + 1, n + 1), 60, np.int32),
        lonlat=np.arange(2.0 * n).reshape(n, 2),
        service=np.full(n, 1_500),
        rank=np.zeros(n, np.int64),
        skip_cost=np.full(n, 3_600),
        is_overdue=np.ones(n, dtype=bool),
        day_cost=np.zeros((n, 1), np.int64),
        n_teams=1,
        limit=2_000,
    )
    plan_month(month)
