"""The numba kernels: venues moved between rounds while it pays, and each round's best order.

Rows and columns of `seconds` are the station (0) and the venues (1, 2, ...); a round is a row of
`stops`. No random number is drawn: the same input gives the same rounds on every machine.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.int32]

MOST_STOPS = 16
"""Inspections in one round at most, so that the exact order stays a matter of milliseconds."""

FAR = 1 << 40


class Ask(NamedTuple):
    """What is asked of one station's month; entry 0 is the station itself.

    Attributes
    ----------
    seconds : int32 (n + 1, n + 1)
    service, skip_cost : int64 (n + 1,)
        Seconds of the inspection; seconds that leaving the venue out costs.
    day_cost : int64 (n + 1, n_days)
        Seconds a day costs a venue; FAR where it may not be.
    day : int64 (n_rounds,)
        Working day of each round.
    limit, opening : int
        Seconds a round may take; seconds a round costs for being made at all.
    """

    seconds: Seconds
    service: Ints
    skip_cost: Ints
    day_cost: Ints
    day: Ints
    limit: int
    opening: int


class Made(NamedTuple):
    """Rounds in the making, changed in place.

    Attributes
    ----------
    stops : int64 (n_rounds, MOST_STOPS)
    n_stops, length : int64 (n_rounds,)
        Stops and seconds of each round.
    round_of : int64 (n + 1,)
        Round of each venue; -1 where it has none.
    """

    stops: Ints
    n_stops: Ints
    length: Ints
    round_of: Ints


@njit(cache=True)
def _cheapest(ask: Ask, made: Made, r: int, v: int) -> tuple[int, int]:
    """Return the least detour in seconds of putting venue v into round r, and the position."""
    best, position, here = FAR, 0, 0
    for k in range(made.n_stops[r] + 1):
        there = made.stops[r, k] if k < made.n_stops[r] else 0
        detour = ask.seconds[here, v] + ask.seconds[v, there] - ask.seconds[here, there]
        if detour < best:
            best, position = detour, k
        here = there
    return best, position


@njit(cache=True)
def _saving(ask: Ask, made: Made, r: int, k: int) -> int:
    """Return the detour in seconds that taking the k-th stop out of round r saves."""
    before = made.stops[r, k - 1] if k else 0
    after = made.stops[r, k + 1] if k + 1 < made.n_stops[r] else 0
    v = made.stops[r, k]
    return int(ask.seconds[before, v] + ask.seconds[v, after] - ask.seconds[before, after])


@njit(cache=True)
def _take_out(ask: Ask, made: Made, r: int, k: int) -> None:
    v = made.stops[r, k]
    made.length[r] -= _saving(ask, made, r, k) + ask.service[v]
    for i in range(k, made.n_stops[r] - 1):
        made.stops[r, i] = made.stops[r, i + 1]
    made.n_stops[r] -= 1
    made.round_of[v] = -1


@njit(cache=True)
def _put_in(ask: Ask, made: Made, r: int, v: int) -> None:
    detour, position = _cheapest(ask, made, r, v)
    for i in range(made.n_stops[r], position, -1):
        made.stops[r, i] = made.stops[r, i - 1]
    made.stops[r, position] = v
    made.n_stops[r] += 1
    made.length[r] += detour + ask.service[v]
    made.round_of[v] = r


@njit(cache=True)
def _position(made: Made, r: int, v: int) -> int:
    for k in range(made.n_stops[r]):
        if made.stops[r, k] == v:
            return k
    return -1


@njit(cache=True)
def _cost_at_home(ask: Ask, made: Made, v: int) -> int:
    """Return the seconds venue v costs where it is now."""
    r = made.round_of[v]
    if r < 0:
        return int(ask.skip_cost[v])
    cost = _saving(ask, made, r, _position(made, r, v)) + ask.day_cost[v, ask.day[r]]
    return int(cost + (ask.opening if made.n_stops[r] == 1 else 0))


@njit(cache=True)
def _cheapest_round(ask: Ask, made: Made, v: int) -> tuple[int, int]:
    """Return the seconds venue v would cost in the best other round, and that round (or -1)."""
    best, best_round, empty_day = FAR, -1, -1
    for r in range(len(made.n_stops)):
        worth = ask.day_cost[v, ask.day[r]]
        if r == made.round_of[v] or worth >= FAR or made.n_stops[r] >= MOST_STOPS:
            continue
        if made.n_stops[r] == 0:
            if ask.day[r] == empty_day:
                continue
            empty_day = ask.day[r]
        detour, _ = _cheapest(ask, made, r, v)
        if made.length[r] + detour + ask.service[v] > ask.limit:
            continue
        cost = detour + worth + (ask.opening if made.n_stops[r] == 0 else 0)
        if cost < best:
            best, best_round = cost, r
    return best, best_round


@njit(cache=True)
def _cheapest_instead(ask: Ask, made: Made, r: int, k: int, v: int) -> int:
    """Return the least detour of putting venue v into round r without its k-th stop."""
    best, here = FAR, 0
    for i in range(made.n_stops[r] + 1):
        if i == k:
            continue
        there = made.stops[r, i] if i < made.n_stops[r] else 0
        detour = ask.seconds[here, v] + ask.seconds[v, there] - ask.seconds[here, there]
        best = min(best, detour)
        here = there
    return int(best)


@njit(cache=True)
def _swap_in(ask: Ask, made: Made, v: int) -> bool:
    """Give left-out venue v the place of one that another round takes, or that is less urgent."""
    best, best_round, best_k, best_other = ask.skip_cost[v], -1, -1, -1
    for r in range(len(made.n_stops)):
        worth = ask.day_cost[v, ask.day[r]]
        if worth >= FAR:
            continue
        for k in range(made.n_stops[r]):
            w = made.stops[r, k]
            saving = _saving(ask, made, r, k)
            detour = _cheapest_instead(ask, made, r, k, v)
            length = made.length[r] - saving - ask.service[w] + detour + ask.service[v]
            cost = detour + worth - saving - ask.day_cost[w, ask.day[r]]
            if length > ask.limit or cost >= best:
                continue
            price, other = _cheapest_round(ask, made, w)
            if ask.skip_cost[w] < price:
                price, other = ask.skip_cost[w], -1
            if cost + price < best:
                best, best_round, best_k, best_other = cost + price, r, k, other
    if best_round < 0:
        return False
    w = made.stops[best_round, best_k]
    _take_out(ask, made, best_round, best_k)
    _put_in(ask, made, best_round, v)
    if best_other >= 0:
        _put_in(ask, made, best_other, w)
    return True


@njit(cache=True)
def improve(ask: Ask, made: Made, n_passes: int) -> int:
    """Move venues to the round where they cost least, until nothing pays or passes run out.

    Parameters
    ----------
    ask : Ask
    made : Made
        Changed in place.
    n_passes : int
        Work limit: passes over all venues.

    Returns
    -------
    int
        Moves made.
    """
    n_moves = 0
    for _ in range(n_passes):
        before = n_moves
        for v in range(1, len(ask.service)):
            cost, r = _cheapest_round(ask, made, v)
            if r < 0 or cost >= _cost_at_home(ask, made, v):
                if made.round_of[v] < 0 and _swap_in(ask, made, v):
                    n_moves += 1
                continue
            if made.round_of[v] >= 0:
                _take_out(ask, made, made.round_of[v], _position(made, made.round_of[v], v))
            _put_in(ask, made, r, v)
            n_moves += 1
        if n_moves == before:
            break
    return n_moves


@njit(cache=True)
def best_order(seconds: Seconds, visits: Ints) -> Ints:
    """Return the order of a round's visits with the least travel, station to station.

    Exact by dynamic programming over subsets (Held and Karp, J. SIAM 10(1), 1962,
    doi:10.1137/0110015); of equal orders, the first found.
    """
    n = len(visits)
    n_sets = 1 << n
    cost = np.full((n_sets, n), FAR, np.int64)
    before = np.full((n_sets, n), -1, np.int8)
    for j in range(n):
        cost[1 << j, j] = seconds[0, visits[j]]
    for chosen in range(1, n_sets):
        for last in range(n):
            so_far = cost[chosen, last]
            if so_far >= FAR:
                continue
            for j in range(n):
                if chosen >> j & 1:
                    continue
                total = so_far + seconds[visits[last], visits[j]]
                grown = chosen | (1 << j)
                if total < cost[grown, j]:
                    cost[grown, j] = total
                    before[grown, j] = last
    return _trace(seconds, visits, cost, before)


@njit(cache=True)
def _trace(seconds: Seconds, visits: Ints, cost: Ints, before: npt.NDArray[np.int8]) -> Ints:
    n = len(visits)
    chosen, last, best = (1 << n) - 1, 0, FAR * 2
    for j in range(n):
        total = cost[chosen, j] + seconds[visits[j], 0]
        if total < best:
            best, last = total, j
    order = np.empty(n, np.int64)
    for k in range(n - 1, -1, -1):
        order[k] = visits[last]
        earlier = before[chosen, last]
        chosen ^= 1 << last
        last = earlier
    return order
