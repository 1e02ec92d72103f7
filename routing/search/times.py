"""Earliest and latest starts of routes, pairs in step.

Pairs are kept in step inside insertion: both halves go in together and their times are pushed
through every route tied to them. For any other visit the test *arrival <= latest start* stays
exact while a pair's dwell exceeds twice its tolerance: a visit that would close a cycle through
two pairs is then refused by the windows already. `routing.patrol.encode` requires it.
"""

from routing.search.arrays import Night, State
from routing.search.kernel import inner

MAX_ROUNDS = 60
"""Rounds of pushing times between tied routes before the order is called cyclic."""


@inner
def _forward(night: Night, state: State, r: int) -> None:
    """Set the earliest starts of route r, its travel and its load."""
    clock, here, mode, travel, stays = 0, night.home[r], night.mode[r], 0, 0
    for k in range(state.size[r]):
        v = state.sequence[r, k]
        way = night.seconds[mode, here, night.loc[v]]
        is_break = v >= night.n_visits
        clock = max(clock + way, night.break_first[r] if is_break else state.low[v])
        state.start[r, k] = clock
        clock += night.break_stay[r] if is_break else night.stay[v]
        travel += way
        stays += 0 if is_break else night.stay[v]
        here = night.loc[v]
    back = night.seconds[mode, here, night.home[r]]
    state.finish[r] = clock + back
    state.travel[r], state.load[r] = travel + back, travel + back + stays


@inner
def _backward(night: Night, state: State, r: int) -> None:
    """Set the latest starts of route r."""
    clock, there, mode = night.length, night.home[r], night.mode[r]
    for k in range(state.size[r] - 1, -1, -1):
        v = state.sequence[r, k]
        is_break = v >= night.n_visits
        clock -= night.seconds[mode, night.loc[v], there]
        clock -= night.break_stay[r] if is_break else night.stay[v]
        clock = min(clock, night.break_last[r] if is_break else state.high[v])
        state.latest[r, k] = clock
        there = night.loc[v]


@inner
def _tie(night: Night, state: State, r: int) -> int:
    """List the routes tied to r by pairs and free their halves' windows; return how many."""
    n, i = 1, 0
    state.tied_list[0] = r
    state.tied[r] = True
    while i < n:
        q = state.tied_list[i]
        i += 1
        for k in range(state.size[q] if state.n_halves[q] else 0):
            v = state.sequence[q, k]
            if v >= night.n_visits or night.mate[v] < 0:
                continue
            state.low[v], state.high[v] = night.first[v], night.last[v]
            other = state.route_of[night.mate[v]]
            if other >= 0 and not state.tied[other]:
                state.tied[other] = True
                state.tied_list[n] = other
                n += 1
    for i in range(n):
        state.tied[state.tied_list[i]] = False
    return n


@inner
def _push(night: Night, state: State, n: int, is_early: bool) -> bool:
    """Narrow the halves' windows once, from the earliest or the latest starts; tell of a change."""
    changed = False
    for i in range(n):
        r = state.tied_list[i]
        for k in range(state.size[r]):
            v = state.sequence[r, k]
            mate = night.mate[v] if v < night.n_visits else -1
            if mate < 0 or state.route_of[mate] < 0:
                continue
            if is_early and state.start[r, k] - night.tolerance > state.low[mate]:
                state.low[mate] = state.start[r, k] - night.tolerance
                changed = True
            if not is_early and state.latest[r, k] + night.tolerance < state.high[mate]:
                state.high[mate] = state.latest[r, k] + night.tolerance
                changed = True
    return changed


@inner
def retime(night: Night, state: State, r: int) -> bool:
    """Set the times of r and of the routes tied to it; False when no schedule exists."""
    if state.n_halves[r] == 0:
        _forward(night, state, r)
        _backward(night, state, r)
        return bool(state.finish[r] <= night.length)
    n = _tie(night, state, r)
    for is_early in (True, False):
        for turn in range(MAX_ROUNDS):
            for i in range(n):
                if is_early:
                    _forward(night, state, state.tied_list[i])
                else:
                    _backward(night, state, state.tied_list[i])
            if not _push(night, state, n, is_early):
                break
            if turn == MAX_ROUNDS - 1:
                return False
    for i in range(n):
        q = state.tied_list[i]
        if state.finish[q] > night.length:
            return False
        for k in range(state.size[q]):
            if state.start[q, k] > state.latest[q, k]:
                return False
    return True
