"""Cluster first: every team grows a neighbourhood of its own, the least loaded first."""

from typing import Final, NamedTuple

import numpy as np

from routing.hierarchy import NONE, Ints
from routing.hierarchy.kernel import kernel
from routing.sweep.teams.kernels import Ends, Loads

NEVER: Final = 1 << 40


class Areas(NamedTuple):
    """Who has what so far.

    Attributes
    ----------
    owner : ndarray of int32, shape (n_tasks,)
    near : ndarray of int64, shape (n_teams, n_tasks)
        Milliseconds from what a team has to a free task.
    load : ndarray of int64, shape (n_teams,)
        Milliseconds of service.
    """

    owner: Ints
    near: Loads
    load: Loads


def grow_areas(ends: Ends) -> Ints:
    """Return the team of each task, shape (n_tasks,): areas of nearly equal work.

    Each team begins with the task nearest to its station, or far from the teams before it where
    several share one; then the team with least to do takes the free task nearest to what it has.
    """
    owner: Ints = _grow(ends, _apart(ends))
    return owner


def _apart(ends: Ends) -> Ints:
    """Return each team's first task."""
    near, n_tasks = ends.start[:, 0], len(ends.service)
    home = np.minimum(ends.out[:, near], ends.back[:, near]).astype(np.int64)
    between = ends.between[np.ix_(near, near)].astype(np.int64)
    apart = np.zeros(n_tasks, np.int64)
    is_taken = np.zeros(n_tasks, dtype=bool)
    seeds = np.empty(len(ends.out), np.int32)
    for team in range(len(seeds)):
        is_shared = (ends.out[:team] == ends.out[team]).all(axis=1).any()
        wish = apart - home[team] if is_shared else -home[team]
        seeds[team] = np.where(is_taken, -NEVER, wish).argmax()
        is_taken[seeds[team]] = True
        nearer = np.minimum(between[seeds[team]], between[:, seeds[team]])
        apart = nearer if team == 0 else np.minimum(apart, nearer)
    return seeds


@kernel
def _grow(ends: Ends, seeds: Ints) -> Ints:
    n_tasks, n_teams = len(ends.service), len(seeds)
    areas = Areas(
        np.full(n_tasks, NONE, np.int32),
        np.full((n_teams, n_tasks), NEVER, np.int64),
        np.zeros(n_teams, np.int64),
    )
    for team in range(n_teams):
        _take(ends, areas, team, seeds[team])
    for _ in range(n_tasks - n_teams):
        team = int(areas.load.argmin())
        best, chosen = 2 * NEVER, NONE
        for task in range(n_tasks):
            if areas.owner[task] == NONE and areas.near[team, task] < best:
                best, chosen = areas.near[team, task], task
        _take(ends, areas, team, chosen)
    return areas.owner


@kernel
def _take(ends: Ends, areas: Areas, team: int, task: int) -> None:
    """Give a task to a team, and tell what is near to it now."""
    areas.owner[task] = team
    areas.load[team] += min(ends.service[task, 0], ends.service[task, 1])
    for other in range(len(areas.owner)):
        for way in range(2):
            if areas.owner[other] == NONE:
                start = ends.start[other, way]
                for its_way in range(2):
                    ride = ends.between[ends.end[task, its_way], start]
                    areas.near[team, other] = min(areas.near[team, other], ride)
