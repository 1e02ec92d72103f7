"""Earliest times of chosen routes, pairs in step: plain Python beside the kernels."""

from collections.abc import Sequence

from routing.search.arrays import SCALE, Night

Order = tuple[int, ...]
"""Visits of one unit in order."""

MAX_ROUNDS = 100


def name_halves(night: Night, routes: Sequence[Order]) -> list[Order]:
    """Return the routes with each pair's halves named once each (either unit may be either)."""
    seen: set[int] = set()
    named = []
    for route in routes:
        new = []
        for v in route:
            mate = int(night.mate[v]) if v < night.n_visits else -1
            new.append(mate if mate >= 0 and v in seen else v)
            seen.add(new[-1])
        named.append(tuple(new))
    return named


def earliest_starts(night: Night, routes: Sequence[Order]) -> list[list[int]] | None:
    """Return the earliest start of every visit; None when the orders cannot be kept.

    Halves of a pair start at most the tolerance apart: the earlier one waits, again and again
    until nothing moves.
    """
    low = {v: int(night.first[v]) for route in routes for v in route if v < night.n_visits}
    for _ in range(MAX_ROUNDS):
        starts = [_one_route(night, r, route, low) for r, route in enumerate(routes)]
        if any(times is None for times in starts):
            return None
        kept = [times for times in starts if times is not None]
        at = {
            v: t
            for route, times in zip(routes, kept, strict=True)
            for v, t in zip(route, times, strict=True)
            if v < night.n_visits
        }
        late = {
            v: at[int(night.mate[v])] - night.tolerance
            for v in at
            if night.mate[v] >= 0 and int(night.mate[v]) in at
        }
        moved = {v: t for v, t in late.items() if t > at[v]}
        if not moved:
            return kept
        low |= moved
    return None


def _one_route(night: Night, r: int, route: Order, low: dict[int, int]) -> list[int] | None:
    """Return the earliest starts of one route; None when a window or the shift's end is missed."""
    clock, here, mode, starts = 0, int(night.home[r]), int(night.mode[r]), []
    for v in route:
        clock += int(night.seconds[mode, here, night.loc[v]])
        is_break = v >= night.n_visits
        clock = max(clock, int(night.break_first[r]) if is_break else low[v])
        if clock > (night.break_last[r] if is_break else night.last[v]):
            return None
        starts.append(clock)
        clock += int(night.break_stay[r] if is_break else night.stay[v])
        here = int(night.loc[v])
    back = int(night.seconds[mode, here, night.home[r]])
    return starts if clock + back <= night.length else None


def latest_starts(night: Night, r: int, route: Order) -> list[int]:
    """Return the latest starts of one route alone."""
    clock, there, mode, starts = night.length, int(night.home[r]), int(night.mode[r]), []
    for v in reversed(route):
        is_break = v >= night.n_visits
        clock -= int(night.seconds[mode, night.loc[v], there])
        clock -= int(night.break_stay[r] if is_break else night.stay[v])
        clock = min(clock, int(night.break_last[r] if is_break else night.last[v]))
        starts.append(clock)
        there = int(night.loc[v])
    return starts[::-1]


def travel_and_load(night: Night, r: int, route: Order) -> tuple[int, int]:
    """Return seconds of travel, and of travel and stays (breaks left out), of one route."""
    here, mode, travel, stay = int(night.home[r]), int(night.mode[r]), 0, 0
    for v in route:
        travel += int(night.seconds[mode, here, night.loc[v]])
        stay += int(night.stay[v]) if v < night.n_visits else 0
        here = int(night.loc[v])
    travel += int(night.seconds[mode, here, night.home[r]])
    return travel, travel + stay


def slot_points(night: Night, task: int, served: int) -> int:
    """Return the points of a stop's served slots (bits), repeats falling in order of time."""
    slots = [s for s in range(int(night.n_slots[task])) if served >> s & 1]
    first = int(night.visit0[task])
    return sum(
        int(night.points[first + slot]) * int(night.percent[k]) // 100
        for k, slot in enumerate(slots)
    )


def objective_units(night: Night, routes: Sequence[Order]) -> int:
    """Return value less travel and unfairness of the routes, in objective units, musts apart."""
    served: dict[int, int] = {}
    travel, loads = 0, []
    for r, route in enumerate(routes):
        way, load = travel_and_load(night, r, route)
        travel += way
        loads.append(load)
        for v in route:
            task = int(night.task[v]) if v < night.n_visits else night.n_stops
            if task < night.n_stops:
                served[task] = served.get(task, 0) | 1 << v - int(night.visit0[task])
    value = SCALE * sum(slot_points(night, task, bits) for task, bits in served.items())
    spread = 0
    for units in night.members:
        of_station = [loads[r] for r in units if r >= 0]
        spread += max(of_station) - min(of_station)
    return value - night.travel_rate * travel - night.fairness_rate * spread
