"""Parts of a city that can be swept apart, and the little of it that a sweep needs."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.hierarchy import FAR, NONE, Ints
from routing.sweep.model import SweepProblem
from routing.sweep.teams.between import adjacency, times_between
from routing.sweep.teams.kernels import Ends
from routing.sweep.teams.task import Tasks

NEAR: Final = 40
"""Tasks told to be near to each."""

ROWS: Final = 256
"""Tasks whose distances to all others are held at once."""

TASK_BITS: Final = 20
"""Bits of a sort key that name the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Streets and stations from each of which all others can be reached and come back from.

    Attributes
    ----------
    problem : SweepProblem
        Of the arcs that the tasks and shortest ways between them and the stations run on: nothing
        else can make a sweep shorter.
    segment : ndarray of int32, shape (n_segments,)
        Each one's segment in the whole problem.
    team : ndarray of int32, shape (n_teams,)
        Each team's position in the whole problem.
    station : ndarray of int32, shape (n_teams,)
        Node of each.
    tasks : Tasks
    ends : Ends
    """

    problem: SweepProblem
    segment: Ints
    team: Ints
    station: Ints
    tasks: Tasks
    ends: Ends


def parts_of(problem: SweepProblem, tasks: Tasks, stations: Ints) -> tuple[list[Part], Ints]:
    """Divide a sweep into parts that have a station, and tell which tasks are in none."""
    part = _strong_parts(problem)
    inside = (part[tasks.start] == part[tasks.end]) & (tasks.arc >= 0)
    of_task = np.where(inside[:, 0], part[tasks.start[:, 0]], part[tasks.start[:, 1]])
    of_task[~inside.any(axis=1)] = NONE
    tasks = replace(
        tasks,
        arc=np.where(inside, tasks.arc, NONE).astype(np.int32),
        service=np.where(inside, tasks.service, FAR).astype(np.int32),
    )
    parts = [
        _part(problem, tasks.take(np.flatnonzero(of_task == k)), np.flatnonzero(at == k), stations)
        for at in (part[stations],)
        for k in np.unique(at)
    ]
    cut_off = np.flatnonzero(~np.isin(of_task, part[stations]))
    return parts, cut_off.astype(np.int32)


def _strong_parts(problem: SweepProblem) -> Ints:
    """Return the strongly connected part each node lies in."""
    is_open = problem.travel < FAR
    ends = (problem.tail[is_open], problem.head[is_open])
    ones = np.ones(int(is_open.sum()), dtype=np.int8)
    graph = coo_array((ones, ends), shape=(problem.n_nodes, problem.n_nodes)).tocsr()
    return connected_components(graph, directed=True, connection="strong")[1].astype(np.int32)


def _part(problem: SweepProblem, tasks: Tasks, teams: NDArray[np.integer], stations: Ints) -> Part:
    """Find the times between the tasks' ends and the stations, and keep the arcs between them."""
    nodes = np.unique(np.concatenate([tasks.start, tasks.end])).astype(np.int32)
    homes = stations[teams]
    onward = adjacency(problem.n_nodes, problem.tail, problem.head, problem.travel)
    return_ = adjacency(problem.n_nodes, problem.head, problem.tail, problem.travel)
    between, on_ways = times_between(onward, nodes, nodes)
    out, on_out = times_between(onward, homes, nodes)
    back, on_back = times_between(return_, homes, nodes)
    start, end = _position(nodes, tasks.start), _position(nodes, tasks.end)
    ends = Ends(
        between=between,
        out=out,
        back=back,
        start=start,
        end=end,
        service=tasks.service,
        near=_nearest(between, start, end),
    )
    is_kept = np.zeros((problem.n_segments, 2), dtype=bool)
    is_kept.ravel()[onward.arc[on_ways | on_out]] = True
    is_kept.ravel()[return_.arc[on_back]] = True
    is_kept[tasks.segment] = True
    segment = np.flatnonzero(is_kept.any(axis=1)).astype(np.int32)
    small, nodes = _cropped(problem, segment, homes)
    return Part(
        problem=small,
        segment=segment,
        team=teams.astype(np.int32),
        station=_position(nodes, homes),
        tasks=_renumbered(tasks, segment, nodes),
        ends=ends,
    )


def _nearest(between: Ints, start: Ints, end: Ints) -> Ints:
    """Return the tasks nearest to each, of equal ones the first."""
    n_tasks = len(start)
    n_near = min(NEAR, n_tasks - 1)
    near = np.empty((n_tasks, max(n_near, 0)), np.int32)
    if n_near < 1:
        return near
    for first in range(0, n_tasks, ROWS):
        rows = np.arange(first, min(first + ROWS, n_tasks))
        apart = np.full((len(rows), n_tasks), FAR, np.int64)
        for way, its_way in np.ndindex(2, 2):
            np.minimum(apart, between[np.ix_(end[rows, way], start[:, its_way])], out=apart)
            np.minimum(apart, between[np.ix_(end[:, its_way], start[rows, way])].T, out=apart)
        apart[np.arange(len(rows)), rows] = 2 * FAR
        key = (apart << TASK_BITS) + np.arange(n_tasks)
        key = np.sort(np.partition(key, n_near - 1, axis=1)[:, :n_near], axis=1)
        near[rows] = key & ((1 << TASK_BITS) - 1)
    return near


def _position(nodes: Ints, node: Ints) -> Ints:
    return np.searchsorted(nodes, node).astype(np.int32)


def _cropped(problem: SweepProblem, segment: Ints, homes: Ints) -> tuple[SweepProblem, Ints]:
    """Return the problem of some segments alone, nothing asked yet, and the nodes it keeps."""
    arc = (2 * segment[:, None] + np.arange(2, dtype=np.int32)).ravel()
    nodes = np.unique(np.concatenate([problem.tail[arc], problem.head[arc], homes]))
    small = SweepProblem(
        n_nodes=len(nodes),
        tail=_position(nodes, problem.tail[arc]),
        head=_position(nodes, problem.head[arc]),
        travel=problem.travel[arc],
        service=problem.service[arc],
        passes=np.zeros(len(segment), np.int8),
    )
    return small, nodes


def _renumbered(tasks: Tasks, segment: Ints, nodes: Ints) -> Tasks:
    arc = 2 * _position(segment, tasks.arc >> 1) + (tasks.arc & 1)
    return Tasks(
        arc=np.where(tasks.arc >= 0, arc, NONE).astype(np.int32),
        service=tasks.service,
        start=_position(nodes, tasks.start),
        end=_position(nodes, tasks.end),
    )


def problem_of(part: Part, tasks: Tasks) -> SweepProblem:
    """Pose some of a part's tasks as a sweep of its own.

    One pass of a street of which both sides are asked keeps its direction: the other is closed to
    service.
    """
    passes = np.bincount(tasks.segment, minlength=part.problem.n_segments).astype(np.int8)
    is_alone = (passes[tasks.segment] == 1) & (tasks.arc == NONE).any(axis=1)
    service = part.problem.service.copy()
    service[tasks.arc[is_alone].max(axis=1) ^ 1] = FAR
    return replace(part.problem, passes=passes, service=service)
