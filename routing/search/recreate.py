"""Recreate: breaks, musts, then the rest by one of five orders, greedily with blinks."""

import numpy as np

from routing.search.arrays import MUST, N_OPEN, N_TOUCHED, STAMP, Night, State
from routing.search.insertion import insert_break, insert_task
from routing.search.kernel import BOLD, draw, inner
from routing.search.routes import fill_gains, is_missing
from routing.search.ruin import open_task


@inner
def _order(night: Night, state: State, seed: int, n: int) -> None:
    """Give the first n open tasks their keys: musts first, the rest by one of five rules."""
    rule = draw(state.rng, 5)
    for i in range(n):
        h = state.open_list[i]
        v = night.visit0[h]
        gain = fill_gains(night, state, h)
        shaken = 700 + draw(state.rng, 600)
        if h >= night.n_stops:
            key = -(1 << 50) * night.n_slots[h] - (draw(state.rng, 1 << 20) << 20)
        elif gain >= MUST // 2:
            key = -(1 << 49) - draw(state.rng, 1 << 20)
        elif rule == 0:
            key = -draw(state.rng, 1 << 20)
        elif rule == 1:
            key = -gain * shaken
        elif rule == 2:
            key = -gain * shaken // (night.stay[v] + 180)
        elif rule == 3:
            key = -gain * shaken // (300 + night.last[v + night.n_slots[h] - 1] - night.first[v])
        else:
            away = night.seconds[0, night.loc[night.visit0[seed]], night.loc[v]]
            key = -gain * shaken // (away + night.stay[v] + 60)
        state.order_key[i] = key


@inner
def recreate(night: Night, state: State, seed: int) -> bool:
    """Put breaks back, then the open tasks and their absent neighbours; False without a break."""
    for i in range(state.tally[N_TOUCHED]):
        r = state.touched_list[i]
        if (
            night.break_stay[r]
            and state.n_breaks[r] == 0
            and not insert_break(night, state, r, BOLD)
        ):
            return False
    n_removed = state.tally[N_OPEN]
    for h in night.near[seed]:
        if state.opened[h] != state.tally[STAMP]:
            open_task(state, h)
    n = state.tally[N_OPEN]
    _order(night, state, seed, n)
    for i in np.argsort(state.order_key[:n]):
        h = state.open_list[i]
        everywhere = i < n_removed or draw(state.rng, 20) == 0 or is_missing(night, state, h)
        can_repeat = h < night.n_stops and night.cap[h] > 1
        for turn in range(state.n_removed[h] + can_repeat):
            if not insert_task(night, state, h, everywhere and turn < state.n_removed[h]):
                break
    return True
