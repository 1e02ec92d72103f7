"""Putting breaks and single visits where they earn most or cost least."""

from routing.search.arrays import N_TOUCHED, Night, State
from routing.search.kernel import NONE, ROUTINE, ZERO, draw, inner
from routing.search.pairs import insert_pair
from routing.search.routes import fill_gains, insert, touch
from routing.search.times import retime


@inner
def _best_gap(night: Night, state: State, h: int, r: int, bar: int) -> tuple[int, int, int]:
    """Best position and visit of task h in route r above `bar`: (position or -1, visit, score)."""
    best_k, best_v = NONE, NONE
    v0, last_v = night.visit0[h], night.visit0[h] + night.n_slots[h] - 1
    if h >= night.n_stops:
        last_v = v0
    there, stay, mode = night.loc[v0], night.stay[v0], night.mode[r]
    clock, here, n = 0, night.home[r], state.size[r]
    if n == state.sequence.shape[1]:
        return best_k, best_v, bar
    for k in range(n + 1):
        if clock > night.last[last_v]:
            break
        after = state.sequence[r, k] if k < n else -1
        onward = night.loc[after] if k < n else night.home[r]
        limit = state.latest[r, k] if k < n else night.length
        way_in, way_out = night.seconds[mode, here, there], night.seconds[mode, there, onward]
        arrive, leave_by = clock + way_in, limit - way_out - stay
        if arrive <= leave_by:
            cost = night.travel_rate * (way_in + way_out - night.seconds[mode, here, onward])
            for v in range(v0, last_v + 1):
                score = state.gain[v - v0] - cost
                if score <= bar or max(arrive, night.first[v]) > min(leave_by, night.last[v]):
                    continue
                if draw(state.rng, 1000) >= ROUTINE:
                    best_k, best_v, bar = k, v, score
        if k < n:
            is_break = after >= night.n_visits
            clock = state.start[r, k] + (night.break_stay[r] if is_break else night.stay[after])
            here = onward
    return best_k, best_v, bar


@inner
def insert_break(night: Night, state: State, r: int, blink: int) -> bool:
    """Put the break of unit r where it costs least; False when it fits nowhere."""
    best_k, best_v, best = NONE, NONE, 1 << 60
    clock, here, mode, n = 0, night.home[r], night.mode[r], state.size[r]
    for k in range(n + 1):
        after = state.sequence[r, k] if k < n else -1
        onward = night.loc[after] if k < n else night.home[r]
        limit = state.latest[r, k] if k < n else night.length
        for v in night.rests[mode, here]:
            way_in, way_out = (
                night.seconds[mode, here, night.loc[v]],
                night.seconds[mode, night.loc[v], onward],
            )
            begin = max(clock + way_in, night.break_first[r])
            if begin > night.break_last[r] or begin + night.break_stay[r] + way_out > limit:
                continue
            cost = way_in + way_out - night.seconds[mode, here, onward]
            if cost < best and draw(state.rng, 1000) >= blink:
                best_k, best_v, best = k, v, cost
        if k < n:
            clock = state.start[r, k] + night.stay[after]
            here = onward
    if best_k < 0:
        return False
    insert(night, state, best_v, r, best_k)
    retime(night, state, r)
    return True


@inner
def insert_task(night: Night, state: State, h: int, everywhere: bool) -> bool:
    """Put task h where it earns most: in touched routes, and in its nearest units' if asked."""
    if fill_gains(night, state, h) <= 0:
        return False
    if h >= night.n_stops and night.n_slots[h] == 2:
        return insert_pair(night, state, h)
    best_r, best_k, best_v, bar = NONE, NONE, NONE, ZERO
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        k, v, score = _best_gap(night, state, h, r, bar)
        if k >= 0:
            best_r, best_k, best_v, bar = r, k, v, score
    for r in night.teams[h]:
        if r < 0 or not everywhere:
            break
        if state.touched[r]:
            continue
        k, v, score = _best_gap(night, state, h, r, bar)
        if k >= 0:
            best_r, best_k, best_v, bar = r, k, v, score
    if best_r < 0:
        return False
    insert(night, state, best_v, best_r, best_k)
    touch(state, best_r)
    retime(night, state, best_r)
    return True
