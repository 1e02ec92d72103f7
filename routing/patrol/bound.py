"""An upper bound of the whole night that no plan can pass.

Relaxation: units are one pool of time. Every visit takes its dwell and at least the shortest way
from any other place (or, at the same place, the shorter of that and the spacing); posts and breaks
take their stays; what is left is filled by the best visits per second, fractions allowed. It
drops where units are, when (beyond the best hours of each place), fairness, floors and all travel
but the shortest ways in, each of which only helps. The value of a place's k best hours is paired
with the k largest repeat percentages. The gap it leaves is mostly its own: 9–16 % on measured
nights whose plans are near the best known.
"""

import numpy as np

from geo.units import HOUR, MINUTE
from routing.model import REPEAT_PERCENT, Problem, Stop

FALLBACK_ROOM = 1 << 60


def upper_bound(problem: Problem, stops: tuple[Stop, ...]) -> int:
    """Return points no plan of `problem` can exceed.

    Parameters
    ----------
    problem : Problem
    stops : tuple of Stop
        The stops that may be visited at all; the others earn nothing.

    Notes
    -----
    Per place the gains of the 1st, 2nd, ... visit fall, so a greedy filling by gain per second is
    the optimum of the linear relaxation.
    """
    nearest = _shortest_way_in(problem)
    items = [item for stop in stops for item in _visits(problem, stop, nearest)]
    items.sort(key=lambda item: -item[0] / max(1, item[1]))
    room = float(_free_time(problem, nearest))
    total = 0.0
    for gain, time in items:
        share = min(1.0, room / max(1, time))
        total += gain * share
        room -= time * share
        if room <= 0:
            break
    # Travel and fairness are rounded down to minutes, so a plan may save a fraction of each.
    return int(np.floor(total + 1e-6)) + problem.rates.travel + problem.rates.fairness


def _shortest_way_in(problem: Problem) -> np.ndarray:
    """Return, by place row, the fewest seconds from any other place, in any mode.

    Zero where a unit may be already for another reason: stations, rest places, posts.
    """
    nearest = np.full(len(problem.travel.place_ids), FALLBACK_ROOM, np.int64)
    for seconds in problem.travel.seconds:
        n = len(nearest)
        away = seconds.astype(np.int64)
        away[np.arange(n), np.arange(n)] = FALLBACK_ROOM
        nearest = np.minimum(nearest, away.min(axis=0))
    already = {unit.station_id for unit in problem.units} | set(problem.rests)
    already |= {post.place_id for post in problem.posts}
    nearest[[problem.travel.row[place_id] for place_id in sorted(already)]] = 0
    return nearest


def _visits(problem: Problem, stop: Stop, nearest: np.ndarray) -> list[tuple[float, int]]:
    """Return (points less travel, seconds) of the 1st, 2nd, ... visit to a stop, both at best."""
    band = stop.band
    way = int(nearest[problem.travel.row[stop.place_id]])
    per_hour = 1 + (HOUR - 1) // max(1, band.dwell + band.spacing)
    hours = sorted(stop.value_by_hour * per_hour, reverse=True)
    visits = []
    before = 0.0
    for k in range(min(band.cap, len(hours))):
        value = sum(v * p // 100 for v, p in zip(hours[: k + 1], REPEAT_PERCENT, strict=False))
        travel = problem.rates.travel * way / MINUTE if k == 0 else 0.0
        gain = value - before - travel
        before = float(value)
        if gain > 0:
            visits.append((gain, band.dwell + (way if k == 0 else min(way, band.spacing))))
    return visits


def _free_time(problem: Problem, nearest: np.ndarray) -> int:
    """Return the units' seconds that posts, pairs and breaks leave."""
    given = sum(problem.shift.length - unit.break_length for unit in problem.units)
    taken = sum(
        post.n_units * (post.dwell + int(nearest[problem.travel.row[post.place_id]]))
        for post in problem.posts
    )
    return max(0, given - taken)
