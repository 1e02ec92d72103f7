"""Ruin: strings of the routes around a task, or time in the units that may reach a missing must."""

from routing.search.arrays import N_OPEN, N_TOUCHED, STAMP, Night, State
from routing.search.kernel import OUT, draw, inner
from routing.search.routes import cut, mark, touch
from routing.search.times import retime

MEAN_REMOVED = 12
MAX_STRING = 12


@inner
def open_task(state: State, h: int) -> None:
    """Count a removed visit of task h among those to put back."""
    if state.opened[h] != state.tally[STAMP]:
        state.opened[h] = state.tally[STAMP]
        state.n_removed[h] = 0
        state.open_list[state.tally[N_OPEN]] = h
        state.tally[N_OPEN] += 1
    state.n_removed[h] += 1


@inner
def _remove_string(night: Night, state: State, r: int, v: int, string: int) -> None:
    """Remove a string of route r that holds visit v, sparing some inside it now and then."""
    n, at = state.size[r], 0
    for k in range(n):
        if state.sequence[r, k] == v:
            at = k
    length, spared = min(n, 1 + draw(state.rng, min(string, n))), 0
    if 1 < length < n and draw(state.rng, 10) < 3:
        spared = 1
        while length + spared < n and draw(state.rng, 2):
            spared += 1
    begin = min(max(0, at - draw(state.rng, length + spared)), n - length - spared)
    spare0 = begin + draw(state.rng, length + 1)
    write = begin
    for k in range(begin, n):
        u = state.sequence[r, k]
        if k >= begin + length + spared or spare0 <= k < spare0 + spared:
            state.sequence[r, write] = u
            write += 1
            continue
        mark(night, state, u, r, OUT)
        if u < night.n_visits:
            open_task(state, night.task[u])
    state.size[r] = write
    touch(state, r)


@inner
def ruin(night: Night, state: State, seed: int) -> None:
    """Remove strings of the routes nearest to task `seed`."""
    n_visits, n_routes = 0, 0
    for h in night.near[seed]:
        for v in range(night.visit0[h], night.visit0[h] + night.n_slots[h]):
            if state.route_of[v] >= 0:
                n_visits += state.size[state.route_of[v]]
                n_routes += 1
    string = max(1, min(MAX_STRING, n_visits // max(1, n_routes)))
    n_strings = 1 + draw(state.rng, max(1, 4 * MEAN_REMOVED // (1 + string) - 1))
    for h in night.near[seed]:
        for v in range(night.visit0[h], night.visit0[h] + night.n_slots[h]):
            r = state.route_of[v]
            if r < 0 or state.touched[r]:
                continue
            _remove_string(night, state, r, v, string)
            n_strings -= 1
            if n_strings == 0:
                return


@inner
def free_time(night: Night, state: State, h: int) -> None:
    """Free time for a missing must h in units that may come, however far away they work."""
    v = night.visit0[h]
    slot = draw(state.rng, night.n_slots[h]) if h < night.n_stops else 0
    first, last = night.first[v + slot], night.last[v + slot]
    minute = first + draw(state.rng, last - first + 1)
    reach = 600 + draw(state.rng, 2400)
    wanted = 2 + draw(state.rng, 4)
    for _ in range(24):
        r = night.teams[h, draw(state.rng, night.teams.shape[1])]
        if r < 0 or state.touched[r] or wanted == 0:
            continue
        wanted -= 1
        touch(state, r)
        write = 0
        for k in range(state.size[r]):
            u, begin = state.sequence[r, k], state.start[r, k]
            is_break = u >= night.n_visits
            end = begin + (night.break_stay[r] if is_break else night.stay[u])
            is_optional = is_break or night.task[u] < night.n_stops
            if is_optional and end > minute - reach and begin < minute + night.stay[v] + reach:
                mark(night, state, u, r, OUT)
                if not is_break:
                    open_task(state, night.task[u])
            else:
                state.sequence[r, write] = u
                write += 1
        state.size[r] = write


@inner
def drop_widowed(night: Night, state: State) -> None:
    """Remove the other half of every pair that lost one, and set the times of changed routes."""
    for i in range(state.tally[N_OPEN]):
        h = state.open_list[i]
        if h < night.n_stops or night.n_slots[h] < 2:
            continue
        for v in range(night.visit0[h], night.visit0[h] + 2):
            r = state.route_of[v]
            for k in range(state.size[r] if r >= 0 else 0):
                if state.sequence[r, k] == v:
                    cut(night, state, r, k)
                    touch(state, r)
                    break
    for i in range(state.tally[N_TOUCHED]):
        retime(night, state, state.touched_list[i])
