"""What the search reads and writes: named numpy arrays, nothing of the trade's objects.

A *task* is a stop, one team's place at a post, or a pair. A *visit* is a task in one of its
windows: a stop has one visit per slot, a post one, a pair two (its halves). Visit numbers from
`n_visits` on are breaks, one per rest place.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

SCALE: Final = 60
"""Objective units per point: a rate in points per minute times seconds stays whole."""

MUST: Final = SCALE * 10_000_000
"""Objective units lost per missing must: more than any night's value."""

N_LOGS: Final = 4096
LOG_SHIFT: Final = 10
NEGATIVE_LOG: Final = np.rint(
    -np.log((np.arange(N_LOGS) + 0.5) / N_LOGS) * (1 << LOG_SHIFT)
).astype(np.int64)
"""-ln(u) of evenly spaced u, fixed point: annealing without a float, the same on every machine."""


class Night(NamedTuple):
    """One night for the kernels; seconds, objective units and row numbers, never changed.

    Attributes
    ----------
    seconds : int32 (n_modes, n_places, n_places)
    length, n_visits, n_stops, tolerance : int
        Shift length, visits that are not breaks, tasks that are stops, pair tolerance.
    travel_rate, fairness_rate : int
        Objective units per second.
    loc : (n_visits + n_rests,)
        Place row of each visit.
    first, last, stay, points, clash, mate, task : (n_visits,)
        Earliest and latest start, dwell, points of a first visit, bits of the same stop's slots
        that may not be served together with this one, the other half of a pair or -1, its task.
    visit0, n_slots : (n_tasks,)
        First visit of each task and how many it has.
    floor, cap : (n_stops,)
    percent : (4,)
        What the k-th visit to a stop earns.
    near : (n_tasks, n_near)
        Nearest tasks, itself first.
    teams : (n_tasks, n_teams)
        Nearest units, -1 behind the last.
    mode, home, station : (n_units,)
        Row of `seconds`, place row, station number.
    members : (n_stations, most units)
        Units of each station, -1 behind the last.
    break_first, break_last, break_stay : (n_units,)
        Stay 0 means the unit takes no break.
    rests : (n_modes, n_places, n_near_rests)
        Nearest breaks by place, as visit numbers.
    keys : uint64 (n_visits + n_rests,)
        Hash keys of the visits.
    """

    seconds: npt.NDArray[np.int32]
    length: int
    n_visits: int
    n_stops: int
    tolerance: int
    travel_rate: int
    fairness_rate: int
    loc: Ints
    first: Ints
    last: Ints
    stay: Ints
    points: Ints
    clash: Ints
    mate: Ints
    task: Ints
    visit0: Ints
    n_slots: Ints
    floor: Ints
    cap: Ints
    percent: Ints
    near: Ints
    teams: Ints
    mode: Ints
    home: Ints
    station: Ints
    members: Ints
    break_first: Ints
    break_last: Ints
    break_stay: Ints
    rests: Ints
    keys: npt.NDArray[np.uint64]


class State(NamedTuple):
    """The plan being changed, the accepted one beside it, and the best one.

    `sequence[r, :size[r]]` are the visits of unit r in order, `start` their earliest and
    `latest` their latest start; `low`, `high` are the windows of the visits, narrowed for halves
    of pairs by the other half.
    """

    sequence: Ints
    size: Ints
    start: Ints
    latest: Ints
    finish: Ints
    travel: Ints
    load: Ints
    n_halves: Ints
    n_breaks: Ints
    spread: Ints
    route_of: Ints
    served: Ints
    low: Ints
    high: Ints
    kept_sequence: Ints
    kept_size: Ints
    kept_travel: Ints
    kept_load: Ints
    kept_spread: Ints
    best_sequence: Ints
    best_size: Ints
    touched: npt.NDArray[np.bool_]
    touched_list: Ints
    tied: npt.NDArray[np.bool_]
    tied_list: Ints
    opened: Ints
    n_removed: Ints
    open_list: Ints
    order_key: Ints
    gain: Ints
    tally: Ints
    rng: npt.NDArray[np.uint64]


class Pool(NamedTuple):
    """Routes worth a choice: `visits[i, :size[i]]` of unit `unit[i]`; `seen` holds their hashes."""

    visits: npt.NDArray[np.int32]
    size: Ints
    unit: Ints
    seen: npt.NDArray[np.uint64]


class Block(NamedTuple):
    """A stretch of iterations.

    Attributes
    ----------
    focus : int64 (n_focus,)
        Tasks to ruin around, drawn evenly.
    n : int
        Iterations.
    hot, cold : int
        First and last temperature, objective units.
    bar : int
        Accepted plans at least this good give their changed routes to the pool.
    """

    focus: Ints
    n: int
    hot: int
    cold: int
    bar: int


# Places of `State.tally`.
VALUE, CURRENT, BEST, N_TOUCHED, N_OPEN, STAMP, N_POOL, ACCEPTED = range(8)


def new_state(night: Night) -> State:
    """Return an empty plan for `night`."""
    n_units, n_visits, n_tasks = len(night.home), night.n_visits, len(night.visit0)
    shortest = int(night.stay[:n_visits].min()) if n_visits else night.length
    width = min(night.length // max(1, shortest), n_visits) + 3

    def units(*shape: int) -> Ints:
        return np.zeros((n_units, *shape), np.int64)

    return State(
        sequence=units(width),
        size=units(),
        start=units(width),
        latest=units(width),
        finish=units(),
        travel=units(),
        load=units(),
        n_halves=units(),
        n_breaks=units(),
        spread=np.zeros(len(night.members), np.int64),
        route_of=np.full(n_visits, -1, np.int64),
        served=np.zeros(night.n_stops, np.int64),
        low=night.first.copy(),
        high=night.last.copy(),
        kept_sequence=units(width),
        kept_size=units(),
        kept_travel=units(),
        kept_load=units(),
        kept_spread=np.zeros(len(night.members), np.int64),
        best_sequence=units(width),
        best_size=units(),
        touched=np.zeros(n_units, np.bool_),
        touched_list=units(),
        tied=np.zeros(n_units, np.bool_),
        tied_list=units(),
        opened=np.zeros(n_tasks, np.int64),
        n_removed=np.zeros(n_tasks, np.int64),
        open_list=np.zeros(n_tasks, np.int64),
        order_key=np.zeros(n_tasks, np.int64),
        gain=np.zeros(max(1, int(night.n_slots.max(initial=1))), np.int64),
        tally=np.zeros(8, np.int64),
        rng=np.zeros(1, np.uint64),
    )


def new_pool(state: State, *, capacity: int) -> Pool:
    """Return room for `capacity` routes of `state`'s width."""
    return Pool(
        visits=np.zeros((capacity, state.sequence.shape[1]), np.int32),
        size=np.zeros(capacity, np.int64),
        unit=np.zeros(capacity, np.int64),
        seen=np.zeros(1 << 20, np.uint64),
    )
