"""The annealing loop: ruin, recreate, accept or go back."""

import numpy as np

from routing.search.arrays import (
    ACCEPTED,
    BEST,
    CURRENT,
    LOG_SHIFT,
    MUST,
    N_LOGS,
    N_OPEN,
    N_POOL,
    N_TOUCHED,
    NEGATIVE_LOG,
    STAMP,
    VALUE,
    Block,
    Ints,
    Night,
    Pool,
    State,
)
from routing.search.insertion import insert_break, insert_task
from routing.search.kernel import CALM, IN, OUT, ZERO, draw, inner, kernel
from routing.search.recreate import recreate
from routing.search.routes import is_missing, mark, stop_value
from routing.search.ruin import drop_widowed, free_time, ruin
from routing.search.times import retime


@inner
def _spread(night: Night, state: State, s: int) -> int:
    """Largest minus smallest load of station s."""
    low, high = 1 << 60, -1
    for r in night.members[s]:
        if r < 0:
            break
        low, high = min(low, state.load[r]), max(high, state.load[r])
    return int(high - low) if high >= 0 else 0


@inner
def _weigh(night: Night, state: State, old_value: int) -> int:
    """Objective of the changed plan, from the accepted one and what changed."""
    new = state.tally[CURRENT] + state.tally[VALUE] - old_value
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        new -= night.travel_rate * (state.travel[r] - state.kept_travel[r])
    for i in range(state.tally[N_TOUCHED]):
        s = night.station[state.touched_list[i]]
        spread = _spread(night, state, s)
        new -= night.fairness_rate * (spread - state.spread[s])
        state.spread[s] = spread
    return int(new)


@inner
def _copy_route(state: State, r: int, to_sequence: Ints, to_size: Ints) -> None:
    """Copy the order of route r."""
    to_size[r] = state.size[r]
    for k in range(state.size[r]):
        to_sequence[r, k] = state.sequence[r, k]


@inner
def _keep(night: Night, state: State, value: int) -> None:
    """Accept the changed plan."""
    state.tally[CURRENT] = value
    state.tally[ACCEPTED] += 1
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        _copy_route(state, r, state.kept_sequence, state.kept_size)
        state.kept_travel[r], state.kept_load[r] = state.travel[r], state.load[r]
        state.kept_spread[night.station[r]] = state.spread[night.station[r]]
    if value > state.tally[BEST]:
        state.tally[BEST] = value
        for r in range(len(state.size)):
            _copy_route(state, r, state.best_sequence, state.best_size)


@inner
def _go_back(night: Night, state: State) -> None:
    """Restore the accepted plan."""
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        for k in range(state.size[r]):
            mark(night, state, state.sequence[r, k], r, OUT)
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        state.size[r] = state.kept_size[r]
        state.travel[r], state.load[r] = state.kept_travel[r], state.kept_load[r]
        state.spread[night.station[r]] = state.kept_spread[night.station[r]]
        for k in range(state.size[r]):
            state.sequence[r, k] = state.kept_sequence[r, k]
            mark(night, state, state.sequence[r, k], r, IN)
    for i in range(state.tally[N_TOUCHED]):
        retime(night, state, state.touched_list[i])


@inner
def _collect(night: Night, state: State, pool: Pool) -> None:
    """Put the changed routes into the pool, each order of visits once."""
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        n = state.tally[N_POOL]
        if n == len(pool.size):
            return
        code = np.uint64(r + 1) * np.uint64(0x9E3779B97F4A7C15)
        for k in range(state.size[r]):
            code = (code ^ night.keys[state.sequence[r, k]]) * np.uint64(0x100000001B3)
            code ^= code >> np.uint64(29)
        cell = np.int64(code >> np.uint64(44))
        if pool.seen[cell] == code:
            continue
        pool.seen[cell] = code
        pool.size[n], pool.unit[n] = state.size[r], r
        for k in range(state.size[r]):
            pool.visits[n, k] = state.sequence[r, k]
        state.tally[N_POOL] += 1


@inner
def _n_stop_visits(night: Night) -> int:
    if night.n_stops == 0:
        return 0
    return int(night.visit0[night.n_stops - 1] + night.n_slots[night.n_stops - 1])


@kernel
def begin(night: Night, state: State) -> bool:
    """Book the routes in `state.sequence`, set all times and values; False when they do not fit."""
    state.tally[VALUE] = -MUST * (night.n_visits - _n_stop_visits(night))
    for h in range(night.n_stops):
        state.tally[VALUE] += stop_value(night, h, ZERO)
    for r in range(len(night.home)):
        for k in range(state.size[r]):
            mark(night, state, state.sequence[r, k], r, IN)
    fits = True
    for r in range(len(night.home)):
        fits = retime(night, state, r) and fits
        if night.break_stay[r] and state.n_breaks[r] == 0:
            fits = insert_break(night, state, r, CALM) and fits
    weigh_anew(night, state)
    return fits


@kernel
def weigh_anew(night: Night, state: State) -> None:
    """Weigh the plan from nothing, as accepted and best: at the start, and when a rate changes."""
    value = state.tally[VALUE]
    for r in range(len(night.home)):
        _copy_route(state, r, state.kept_sequence, state.kept_size)
        _copy_route(state, r, state.best_sequence, state.best_size)
        state.kept_travel[r], state.kept_load[r] = state.travel[r], state.load[r]
        value -= night.travel_rate * state.travel[r]
    for s in range(len(night.members)):
        state.spread[s] = _spread(night, state, s)
        state.kept_spread[s] = state.spread[s]
        value -= night.fairness_rate * state.spread[s]
    state.tally[CURRENT] = state.tally[BEST] = value


@kernel
def run(night: Night, state: State, pool: Pool, block: Block) -> None:
    """Anneal one block: ruin and recreate `block.n` times while it cools."""
    focus, cooling = block.focus, block.cold - block.hot
    for i in range(block.n):
        for j in range(state.tally[N_TOUCHED]):
            state.touched[state.touched_list[j]] = False
        state.tally[N_TOUCHED] = state.tally[N_OPEN] = 0
        state.tally[STAMP] += 1
        old_value, seed = state.tally[VALUE], focus[draw(state.rng, len(focus))]
        rescue = is_missing(night, state, seed) and draw(state.rng, 10) < 8
        if rescue:
            free_time(night, state, seed)
        else:
            ruin(night, state, seed)
        drop_widowed(night, state)
        if rescue:
            insert_task(night, state, seed, rescue)
        if not recreate(night, state, seed):
            _go_back(night, state)
            continue
        value = _weigh(night, state, old_value)
        warmth = block.hot + cooling * i // block.n
        heat = warmth * NEGATIVE_LOG[draw(state.rng, N_LOGS)] >> LOG_SHIFT
        if value > state.tally[CURRENT] - heat:
            _keep(night, state, value)
            if value >= block.bar:
                _collect(night, state, pool)
        else:
            _go_back(night, state)
