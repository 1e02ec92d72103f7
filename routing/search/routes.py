"""Booking visits in and out of routes, and what a stop's visits are worth."""

from routing.search.arrays import MUST, N_TOUCHED, SCALE, VALUE, Night, State
from routing.search.kernel import IN, NONE, OUT, inner, kernel


@inner
def stop_value(night: Night, h: int, served: int) -> int:
    """Objective units of stop h with the served slots, its floor included."""
    total, n, slot = 0, 0, night.visit0[h]
    while served:
        if served & 1:
            total += night.points[slot] * night.percent[n] // 100
            n += 1
        served >>= 1
        slot += 1
    return int(SCALE * total - MUST * max(0, night.floor[h] - n))


@inner
def mark(night: Night, state: State, v: int, r: int, step: int) -> None:
    """Book visit v into (step IN) or out of (step OUT) route r."""
    if v >= night.n_visits:
        state.n_breaks[r] += step
        return
    state.route_of[v] = r if step == IN else NONE
    h = night.task[v]
    if h < night.n_stops:
        old = state.served[h]
        new = old ^ (1 << (v - night.visit0[h]))
        state.tally[VALUE] += stop_value(night, h, new) - stop_value(night, h, old)
        state.served[h] = new
    else:
        state.tally[VALUE] += step * MUST
    if night.mate[v] >= 0:
        state.n_halves[r] += step


@inner
def insert(night: Night, state: State, v: int, r: int, k: int) -> None:
    """Put visit v at position k of route r."""
    for i in range(state.size[r], k, -1):
        state.sequence[r, i] = state.sequence[r, i - 1]
    state.sequence[r, k] = v
    state.size[r] += 1
    mark(night, state, v, r, IN)


@inner
def cut(night: Night, state: State, r: int, k: int) -> None:
    """Take the visit at position k out of route r."""
    mark(night, state, state.sequence[r, k], r, OUT)
    for i in range(k, state.size[r] - 1):
        state.sequence[r, i] = state.sequence[r, i + 1]
    state.size[r] -= 1


@inner
def touch(state: State, r: int) -> None:
    """List route r among the changed ones."""
    if not state.touched[r]:
        state.touched[r] = True
        state.touched_list[state.tally[N_TOUCHED]] = r
        state.tally[N_TOUCHED] += 1


@inner
def fill_gains(night: Night, state: State, h: int) -> int:
    """Fill `state.gain` with what each slot of task h would add; return the largest."""
    if h >= night.n_stops:
        state.gain[0] = MUST if state.route_of[night.visit0[h]] < 0 else 0
        return int(state.gain[0])
    served = state.served[h]
    n, bits = 0, served
    while bits:
        n += bits & 1
        bits >>= 1
    best, base = 0, stop_value(night, h, served)
    for slot in range(night.n_slots[h]):
        v, bit = night.visit0[h] + slot, 1 << slot
        is_open = n < night.cap[h] and not served & (night.clash[v] | bit)
        state.gain[slot] = stop_value(night, h, served | bit) - base if is_open else 0
        best = max(best, state.gain[slot])
    return best


@kernel
def is_missing(night: Night, state: State, h: int) -> bool:
    """Whether task h is a must that the plan lacks."""
    if h >= night.n_stops:
        return bool(state.route_of[night.visit0[h]] < 0)
    n, bits = 0, state.served[h]
    while bits:
        n += bits & 1
        bits >>= 1
    return bool(n < night.floor[h])
