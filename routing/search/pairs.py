"""Putting both halves of a pair in at once."""

import numpy as np

from routing.search.arrays import Ints, Night, State
from routing.search.kernel import NONE, draw, inner
from routing.search.routes import cut, insert, touch
from routing.search.times import retime

PAIR_STEP = 120
"""Seconds between the start minutes tried for a pair."""


@inner
def _pair_gaps(night: Night, state: State, h: int, gaps: Ints) -> int:
    """Fill `gaps` rows (unit, position, earliest, latest, detour) of pair h; return how many."""
    v, n_gaps = night.visit0[h], 0
    there, stay = night.loc[v], night.stay[v]
    for r in night.teams[h]:
        if r < 0:
            break
        clock, here, mode, n = 0, night.home[r], night.mode[r], state.size[r]
        if n == state.sequence.shape[1]:
            continue
        for k in range(n + 1):
            after = state.sequence[r, k] if k < n else -1
            onward = night.loc[after] if k < n else night.home[r]
            limit = state.latest[r, k] if k < n else night.length
            way_in, way_out = night.seconds[mode, here, there], night.seconds[mode, there, onward]
            early = max(clock + way_in, night.first[v])
            late = min(limit - stay - way_out, night.last[v])
            if early <= late:
                detour = way_in + way_out - night.seconds[mode, here, onward]
                gap = gaps[n_gaps]
                gap[0], gap[1], gap[2], gap[3], gap[4] = r, k, early, late, detour
                n_gaps += 1
            if k < n:
                is_break = after >= night.n_visits
                clock = state.start[r, k] + (night.break_stay[r] if is_break else night.stay[after])
                here = onward
    return n_gaps


@inner
def _two_cheapest(gaps: Ints, n: int, minute: int) -> tuple[int, int]:
    """Cheapest gaps of two units open at `minute`; -1 where there is none."""
    one, two = NONE, NONE
    for i in range(n):
        if gaps[i, 2] <= minute <= gaps[i, 3] and (one < 0 or gaps[i, 4] < gaps[one, 4]):
            one = i
    for i in range(n if one >= 0 else 0):
        if gaps[i, 0] == gaps[one, 0] or not gaps[i, 2] <= minute <= gaps[i, 3]:
            continue
        if two < 0 or gaps[i, 4] < gaps[two, 4]:
            two = i
    return one, two


@inner
def insert_pair(night: Night, state: State, h: int) -> bool:
    """Put both halves of pair h in at once: cheapest two units over a grid of start minutes."""
    v = night.visit0[h]
    gaps = np.empty((night.teams.shape[1] * state.sequence.shape[1], 5), np.int64)
    n = _pair_gaps(night, state, h, gaps)
    n_minutes = (night.last[v] - night.first[v]) // PAIR_STEP + 1
    cost = np.full(n_minutes, 1 << 60, np.int64)
    picks = np.empty((n_minutes, 2), np.int64)
    for g in range(n_minutes):
        one, two = _two_cheapest(gaps, n, night.first[v] + PAIR_STEP * g)
        if two >= 0:
            detour = gaps[one, 4] + gaps[two, 4] + 60
            cost[g] = detour * (1000 + draw(state.rng, 300))
            picks[g, 0], picks[g, 1] = one, two
    for g in np.argsort(cost)[:4]:
        if cost[g] == 1 << 60:
            break
        one, two = picks[g, 0], picks[g, 1]
        insert(night, state, v, gaps[one, 0], gaps[one, 1])
        insert(night, state, v + 1, gaps[two, 0], gaps[two, 1])
        if retime(night, state, gaps[one, 0]):
            touch(state, gaps[one, 0])
            touch(state, gaps[two, 0])
            return True
        cut(night, state, gaps[one, 0], gaps[one, 1])
        cut(night, state, gaps[two, 0], gaps[two, 1])
        retime(night, state, gaps[one, 0])
        retime(night, state, gaps[two, 0])
    return False
