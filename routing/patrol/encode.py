"""A night's Problem as the integer arrays of the search, and the way back."""

from dataclasses import dataclass

import numpy as np

from geo.errors import OptionInvalid
from geo.units import HOUR, MINUTE
from routing.model import (
    PAIR_TOLERANCE,
    REPEAT_PERCENT,
    UNREACHABLE,
    Post,
    Problem,
    Stop,
    Unit,
    VisitKind,
)
from routing.patrol.slots import clashes, slot_windows
from routing.search.arrays import SCALE, Ints, Night

N_NEAR = 20
"""Neighbouring tasks a ruin looks at; each is tried in all its slots at once."""
N_STATIONS = 4
"""Stations' worth of nearest units a task is offered to, besides the routes being mended."""
FEWEST_TEAMS = 8
N_RESTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The arrays of a night and what their numbers stand for.

    Attributes
    ----------
    night : Night
    stops : tuple of Stop
        Stop of each of the first tasks.
    posts : tuple of Post
        Post of each later task; a post of two units has two tasks.
    """

    night: Night
    stops: tuple[Stop, ...]
    posts: tuple[Post, ...]

    def label(self, visit: int) -> Stop | Post | None:
        """Return the stop or post of a visit; None for a break."""
        if visit >= self.night.n_visits:
            return None
        task = int(self.night.task[visit])
        n_stops = len(self.stops)
        return self.stops[task] if task < n_stops else self.posts[task - n_stops]


@dataclass(slots=True)
class _Visits:
    """Columns of the visits while they are listed."""

    loc: list[int]
    first: list[int]
    last: list[int]
    stay: list[int]
    points: list[int]
    clash: list[int]
    mate: list[int]
    task: list[int]

    def add(self, *, loc: int, window: tuple[int, int], stay: int, task: int) -> int:
        """Add one visit and return its number."""
        self.loc.append(loc)
        self.first.append(window[0])
        self.last.append(window[1])
        self.stay.append(stay)
        self.task.append(task)
        self.points.append(0)
        self.clash.append(0)
        self.mate.append(-1)
        return len(self.loc) - 1


def require_plannable(problem: Problem) -> None:
    """Refuse what the search does not know.

    Raises
    ------
    OptionInvalid
        A fixed post with a window, a pair of other than two units, or one whose dwell is not
        longer than twice the tolerance (the constant-time insertion test rests on it).
    """
    for post in problem.posts:
        option = f"post {post.post_id}"
        if post.kind is VisitKind.POST and post.earliest != post.latest:
            raise OptionInvalid(option=option, value=post.latest, expected="one fixed start")
        if post.kind is VisitKind.PAIR and post.n_units != 2:
            raise OptionInvalid(option=option, value=post.n_units, expected="a pair of 2 units")
        if post.kind is VisitKind.PAIR and post.dwell <= 2 * PAIR_TOLERANCE:
            expected = f"a stay longer than {2 * PAIR_TOLERANCE} s"
            raise OptionInvalid(option=option, value=f"{post.dwell} s", expected=expected)


def encode(problem: Problem, stops: tuple[Stop, ...]) -> Code:
    """Return the arrays of a night.

    Parameters
    ----------
    problem : Problem
    stops : tuple of Stop
        The problem's stops that may be visited at all.
    """
    visits, posts = _Visits([], [], [], [], [], [], [], []), []
    visit0: list[int] = []
    for task, stop in enumerate(stops):
        visit0.append(len(visits.loc))
        _add_stop(visits, stop, task, problem)
    for post in problem.posts:
        for _ in range(1 if post.kind is VisitKind.PAIR else post.n_units):
            visit0.append(len(visits.loc))
            _add_post(visits, post, len(visit0) - 1, problem)
            posts.append(post)
    night = _night(problem, stops, visits, np.array(visit0, np.int64))
    return Code(night=night, stops=stops, posts=tuple(posts))


def _add_stop(visits: _Visits, stop: Stop, task: int, problem: Problem) -> None:
    """List one visit per slot."""
    loc = problem.travel.row[stop.place_id]
    slots = slot_windows(stop, length=problem.shift.length)
    for window, clash in zip(slots, clashes(slots, stop), strict=True):
        v = visits.add(loc=loc, window=window, stay=stop.band.dwell, task=task)
        visits.points[v] = stop.value_by_hour[window[0] // HOUR]
        visits.clash[v] = clash


def _add_post(visits: _Visits, post: Post, task: int, problem: Problem) -> None:
    """List one visit, or the two halves of a pair."""
    loc, window = problem.travel.row[post.place_id], (post.earliest, post.latest)
    v = visits.add(loc=loc, window=window, stay=post.dwell, task=task)
    if post.kind is VisitKind.PAIR:
        w = visits.add(loc=loc, window=window, stay=post.dwell, task=task)
        visits.mate[v], visits.mate[w] = w, v


def _night(problem: Problem, stops: tuple[Stop, ...], visits: _Visits, visit0: Ints) -> Night:
    travel, units = problem.travel, problem.units
    loc = np.array(visits.loc, np.int64)
    rest_loc = np.array([travel.row[place_id] for place_id in problem.rests], np.int64)
    mode = np.array([travel.modes.index(unit.mode) for unit in units], np.int64)
    home = np.array([travel.row[unit.station_id] for unit in units], np.int64)
    station, members = _stations(units)
    task_loc = loc[visit0]
    keys = np.random.default_rng(0).integers(1, 2**63, len(loc) + len(rest_loc))
    return Night(
        seconds=travel.seconds,
        length=problem.shift.length,
        n_visits=len(loc),
        n_stops=len(stops),
        tolerance=PAIR_TOLERANCE,
        travel_rate=problem.rates.travel * SCALE // MINUTE,
        fairness_rate=problem.rates.fairness * SCALE // MINUTE,
        loc=np.concatenate([loc, rest_loc]),
        first=np.array(visits.first, np.int64),
        last=np.array(visits.last, np.int64),
        stay=np.array(visits.stay, np.int64),
        points=np.array(visits.points, np.int64),
        clash=np.array(visits.clash, np.int64),
        mate=np.array(visits.mate, np.int64),
        task=np.array(visits.task, np.int64),
        visit0=visit0,
        n_slots=np.diff(np.append(visit0, len(loc))),
        floor=np.array([stop.band.floor for stop in stops], np.int64),
        cap=np.array([stop.band.cap for stop in stops], np.int64),
        percent=np.array(REPEAT_PERCENT, np.int64),
        near=_nearest_tasks(travel.seconds[0], task_loc),
        teams=_nearest_teams(travel.seconds, mode, home, task_loc, n_stations=len(members)),
        mode=mode,
        home=home,
        station=station,
        members=members,
        break_first=np.array([unit.break_window[0] for unit in units], np.int64),
        break_last=np.array([u.break_window[1] - u.break_length for u in units], np.int64),
        break_stay=np.array([unit.break_length for unit in units], np.int64),
        rests=_nearest_rests(travel.seconds, rest_loc, len(loc)),
        keys=keys.astype(np.uint64),
    )


def _stations(units: tuple[Unit, ...]) -> tuple[Ints, Ints]:
    """Return each unit's station number and each station's units, -1 behind the last."""
    names = sorted({unit.station_id for unit in units})
    station = np.array([names.index(unit.station_id) for unit in units], np.int64)
    members = np.full((len(names), int(np.bincount(station).max())), -1, np.int64)
    for s in range(len(names)):
        of_station = np.flatnonzero(station == s)
        members[s, : len(of_station)] = of_station
    return station, members


def _nearest_tasks(seconds: np.ndarray, task_loc: Ints) -> Ints:
    """Return, per task, the nearest tasks by travel time, itself first."""
    n = len(task_loc)
    k = min(N_NEAR, n)
    near = np.empty((n, k), np.int64)
    for task, loc in enumerate(task_loc):
        away = seconds[loc, task_loc].astype(np.int64)
        away[task] = -1
        near[task] = np.argsort(away, kind="stable")[:k]
    return near


def _nearest_teams(
    seconds: np.ndarray, mode: Ints, home: Ints, task_loc: Ints, *, n_stations: int
) -> Ints:
    """Return, per task, the units soonest there, -1 behind the last that can come."""
    away = seconds[mode[:, None], home[:, None], task_loc[None, :]].T
    n_teams = max(FEWEST_TEAMS, N_STATIONS * len(home) // n_stations + 2)
    order = np.argsort(away, axis=1, kind="stable")[:, :n_teams]
    reachable = np.take_along_axis(away, order, axis=1) < UNREACHABLE
    return np.ascontiguousarray(np.where(reachable, order, -1), np.int64)


def _nearest_rests(seconds: np.ndarray, rest_loc: Ints, first_rest: int) -> Ints:
    """Return, per mode and place, the nearest breaks as visit numbers."""
    order = np.argsort(seconds[:, :, rest_loc], axis=2, kind="stable")[:, :, :N_RESTS]
    return np.ascontiguousarray(order + first_rest, np.int64)
