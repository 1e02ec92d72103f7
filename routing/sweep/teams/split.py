"""Streets to sweep -> one closed walk for each team.

Two beginnings are tried: one tour of all streets cut into pieces (`cut`), and areas grown from the
stations (`grow`). Both are improved by moving tasks between teams (`kernels`) and by touring each
team's streets anew, in turns; the better one is the plan.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from routing.hierarchy import NONE, Ints
from routing.sweep.cover import cover_streets
from routing.sweep.model import Covering, SweepProblem, Tour
from routing.sweep.plan import MILLISECONDS, Cause, LeftOut, SweepPlan
from routing.sweep.teams import kernels, moves
from routing.sweep.teams.between import adjacency, way
from routing.sweep.teams.cut import cut_tour, empty_orders
from routing.sweep.teams.grow import grow_areas
from routing.sweep.teams.kernels import Ends, Limits, Orders
from routing.sweep.teams.moves import Flags
from routing.sweep.teams.part import Part, parts_of, problem_of
from routing.sweep.teams.task import Tasks, tasks_of

MOST_TASKS: Final = 8_000
"""Passes that are split at once: the times between their ends then take a quarter of a gigabyte."""

EVEN_PERCENT: Final = 108
"""Per cent of the mean load over which a route counts as uneven; 110 is the aim. The mean is that
of the shortest plan known."""

ROUNDS: Final = 6
"""Times that moving tasks and touring anew take turns at most."""

WORK: Final = 2_000_000_000
"""Moves looked at before a plan is taken as it is."""

LOOKS: Final = 1_000
"""Moves looked at per task in one pass over all."""

MORE_TOURS: Final = 3
"""Stations from which the tour of all streets is cut too: other orders, other neighbourhoods."""

SHAKES: Final = 8_000
"""Times that a neighbourhood of tasks is taken out and put back at most."""

SHAKES_PER_TASK: Final = 20
"""Times for each task: fewer in small sweeps."""

LOOKS_PER_SHAKE: Final = 50_000
"""Moves looked at in one of them."""

SHAKEN: Final = 20
"""Tasks taken out, at most."""

LOOKED_AT: Final = 20
"""Tasks nearby whose moves are tried after that."""

SHAKES_PER_LOOK: Final = 100
"""Shakes between two looks at whether a stop is asked for."""

HEAT: Final = 0.5
"""Share of a task's mean service by which a shake may be worse at first, times a draw of mean 1."""

SETTLING: Final = 50
"""Rounds of moves in which what moved is looked at again, at most."""

NO_LIMIT: Final = 1 << 60

PER_PART: Final = 100
"""Steps of progress that a part is told in."""

COVERED: Final = 0.1
"""Share of a part's work when one tour of all its streets is found."""

TRIED: Final = 0.5
"""Share of a part's work when its beginnings are improved."""

SHAKEN_BY: Final = 0.95
"""Share of a part's work when the best of them is shaken."""

Report = Callable[[float], None]
"""Receives the share of a part's work that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A part's orders without and with the end of the shift, and what that leaves undone."""

    uncut: int
    orders: Orders
    left: Ints
    covering: Covering


def warm_up() -> None:
    """Compile every kernel into its cache, by a street of three parts and two teams."""
    corners = np.array([0, 1, 1, 0, 1, 2, 2, 1, 2, 3, 3, 2], dtype=np.int32)
    travel = np.full(6, 1000, np.int32)
    problem = SweepProblem(
        n_nodes=4,
        tail=corners[::2].copy(),
        head=corners[1::2].copy(),
        travel=travel,
        service=travel.copy(),
        passes=np.full(3, 2, np.int8),
    )
    for seconds in (60, 5):
        split_among_teams(problem, [0, 3], shift_length=seconds)


def split_among_teams(
    problem: SweepProblem,
    stations: Sequence[int],
    *,
    shift_length: int,
    work: int = WORK,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> SweepPlan:
    """Divide a sweep among teams so that all is done, evenly, and with little dead-heading.

    Parameters
    ----------
    problem : SweepProblem
        Of one mode: all teams are on foot, or all ride.
    stations : sequence of int
        Node each team starts from and returns to; several may share one.
    shift_length : int
        Seconds no route may be over. What does not fit is listed, least service lost first.
    work : int
        Moves looked at in all: the same problem and work give the same plan.

    Returns
    -------
    SweepPlan

    Raises
    ------
    OptionInvalid
        No team, a station that is no node, no shift, or more streets than are split at once.
    Stopped
    """
    nodes = _checked(problem, stations, shift_length)
    tasks, closed = tasks_of(problem)
    if len(tasks) > MOST_TASKS:
        raise OptionInvalid(
            option="sweep streets", value=len(tasks), expected=f"at most {MOST_TASKS}"
        )
    parts, cut_off = parts_of(problem, tasks, nodes)
    answers = []
    for done, part in enumerate(parts):
        report = partial(_told, progress, done, len(parts))
        report(0.0)
        limit, share = shift_length * MILLISECONDS, work // len(parts)
        answers.append(_solve(part, limit, share, stop, report))
    _told(progress, len(parts), len(parts), 0.0)
    left = [
        *_listed(closed, problem.passes[closed], Cause.CLOSED),
        *_listed(tasks.segment[cut_off], np.ones_like(cut_off), Cause.CUT_OFF),
        *_unfinished(parts, answers, shift_length * MILLISECONDS),
    ]
    return SweepPlan(
        routes=_routes(parts, answers, len(nodes)),
        left_out=_gathered(left),
        shift_length=shift_length,
        bound=sum(answer.covering.bound for answer in answers),
        station_legs=sum(_station_legs(part) for part in parts),
        uncut=sum(answer.uncut for answer in answers),
    )


def _checked(problem: SweepProblem, stations: Sequence[int], shift_length: int) -> Ints:
    nodes = np.asarray(stations, dtype=np.int32)
    if len(nodes) == 0:
        raise OptionInvalid(option="sweep teams", value=0, expected="at least 1")
    if not (nodes.min() >= 0 and nodes.max() < problem.n_nodes):
        expected = f"nodes 0–{problem.n_nodes - 1}"
        raise OptionInvalid(option="sweep stations", value=nodes.tolist(), expected=expected)
    if shift_length <= 0:
        raise OptionInvalid(option="sweep shift", value=f"{shift_length} s", expected="more than 0")
    return nodes


def _told(progress: Progress, done: int, n_parts: int, share: float) -> None:
    """Report the parts done and the share of the one at work."""
    progress(round((done + share) * PER_PART), n_parts * PER_PART)


def _solve(part: Part, shift: int, work: int, stop: StopToken, report: Report) -> _Answer:
    """Try both beginnings and keep the better; then end the routes where the shift ends."""
    covering = cover_streets(problem_of(part, part.tasks), stop=stop)
    passes = max(1, work // (2 * LOOKS * max(1, len(part.tasks))))
    report(COVERED)
    beginnings = list(_beginnings(part, covering, stop))
    limits = _limits(beginnings)
    tries = []
    for n, beginning in enumerate(beginnings, 1):
        tries.append(_improved(part, beginning, limits, passes, stop))
        report(COVERED + (TRIED - COVERED) * n / len(beginnings))
    limits = _limits(tries)
    best = min(tries, key=lambda orders: _price(orders, limits))
    best = _shaken(part, best, work // 2, stop, report)
    best = _improved(part, best, _limits([best]), passes, stop)
    uncut = int(best.load.sum())
    left = np.zeros(0, np.int32)
    if best.load.max(initial=0) > shift:
        best, left = _within(part, best, shift, passes, stop)
    return _Answer(uncut=uncut, orders=best, left=left, covering=covering)


def _beginnings(part: Part, covering: Covering, stop: StopToken) -> Iterator[Orders]:
    whole = problem_of(part, part.tasks)
    yield cut_tour(part.ends, *_in_order(part.tasks, covering.tour))
    n_teams = len(part.team)
    if n_teams > 1:
        for station in np.unique(part.station)[:MORE_TOURS].tolist():
            tour = cover_streets(whole, start_node=station, stop=stop).tour
            yield cut_tour(part.ends, *_in_order(part.tasks, tour))
    if n_teams > 1 and 2 * n_teams <= len(part.tasks):
        owner = grow_areas(part.ends)
        orders = empty_orders(n_teams, len(part.tasks))
        for team in range(n_teams):
            _tour_anew(part, orders, team, np.flatnonzero(owner == team), stop)
        yield orders


def _in_order(tasks: Tasks, tour: Tour) -> tuple[Ints, Ints]:
    """Return the tasks in the order a tour does them, and the way of each."""
    done = tour.arcs[tour.is_service]
    rows: dict[int, list[tuple[int, int]]] = {}
    for task, arcs in reversed(list(enumerate(tasks.arc.tolist()))):
        for its_way, arc in enumerate(arcs):
            if arc != NONE:
                rows.setdefault(arc, []).append((task, its_way))
    order, ways, is_done = [], [], np.zeros(len(tasks), dtype=bool)
    for arc in done.tolist():
        task, its_way = rows[arc].pop()
        if not is_done[task]:
            is_done[task] = True
            order.append(task)
            ways.append(its_way)
    return np.array(order, np.int32), np.array(ways, np.int32)


def _tour_anew(
    part: Part, orders: Orders, team: int, rows: NDArray[np.integer], stop: StopToken
) -> None:
    """Let a team do these tasks in the order of the best tour of their streets."""
    if len(rows) == 0:
        orders.size[team] = 0
        orders.load[team] = 0
        return
    tasks = part.tasks.take(rows)
    covering = cover_streets(problem_of(part, tasks), start_node=int(part.station[team]), stop=stop)
    order, ways = _in_order(tasks, covering.tour)
    if len(order) < len(rows):
        return
    before = orders.task[team].copy(), orders.way[team].copy(), orders.size[team]
    was = orders.load[team] if orders.size[team] else NO_LIMIT
    orders.task[team, : len(order)], orders.way[team, : len(order)] = rows[order], ways
    orders.size[team] = len(order)
    orders.load[team] = kernels.measure(part.ends, orders, team)
    if orders.load[team] > was:
        orders.task[team], orders.way[team], orders.size[team] = before
        orders.load[team] = was


def _price(orders: Orders, limits: Limits) -> int:
    """Return what a plan is judged by: its total with what is uneven in it."""
    over = np.maximum(orders.load - limits.even, 0).sum()
    return int(orders.load.sum() + kernels.UNEVEN * over)


def _limits(plans: Sequence[Orders]) -> Limits:
    """Return what is even, by the least total of some plans.

    A share of the plan's own total would make needless ways of the others look like evenness.
    """
    least = min(int(orders.load.sum()) for orders in plans)
    n_teams = len(plans[0].load)
    return Limits(even=least * EVEN_PERCENT // (100 * n_teams), shift=NO_LIMIT)


def _improved(part: Part, orders: Orders, limits: Limits, passes: int, stop: StopToken) -> Orders:
    """Move tasks between teams and tour each team's streets anew, until neither helps."""
    best, price = _copy(orders), _price(orders, limits)
    for _ in range(ROUNDS):
        stop_if_asked(stop, "sweep")
        _move(part.ends, orders, limits, passes)
        for team in range(len(part.team)):
            rows = np.sort(orders.task[team, : orders.size[team]])
            _tour_anew(part, orders, team, rows, stop)
        if _price(orders, limits) >= price:
            break
        best, price = _copy(orders), _price(orders, limits)
    return best


def _shaken(part: Part, orders: Orders, looks: int, stop: StopToken, report: Report) -> Orders:
    """Take some tasks near each other out, put them back anew, and go on from what came out.

    Schrimpf, Schneider, Stamm-Wilbrandt, Dueck, "Record breaking optimization results using the
    ruin and recreate principle", Journal of Computational Physics 159, 2000; what is worse is taken
    with a chance that falls (simulated annealing).
    """
    ends, n_tasks = part.ends, len(part.tasks)
    if len(part.team) < 2 or n_tasks < 2:
        return orders
    rng = np.random.default_rng(n_tasks)
    best, at = orders, orders
    limits = _limits([best])
    least = cost = _price(at, limits)
    n_shakes = min(SHAKES, SHAKES_PER_TASK * n_tasks, looks // LOOKS_PER_SHAKE)
    heat = HEAT * float(ends.service.min(axis=1).mean())
    for shake in range(n_shakes):
        if shake % SHAKES_PER_LOOK == 0:
            stop_if_asked(stop, "sweep")
            report(TRIED + (SHAKEN_BY - TRIED) * shake / n_shakes)
        orders = _copy(at)
        seed = int(rng.integers(n_tasks))
        gone = np.append(seed, ends.near[seed, : rng.integers(1, SHAKEN)]).astype(np.int32)
        moves.take_out(ends, orders, gone)
        moves.put_back(ends, orders, rng.permutation(gone), limits)
        look = np.zeros(n_tasks, dtype=bool)
        look[gone] = look[ends.near[seed, :LOOKED_AT]] = True
        _settle(ends, orders, limits, look)
        now = _price(orders, limits)
        if now < cost + heat * (1.0 - shake / n_shakes) * rng.exponential():
            at, cost = orders, now
            if now < least:
                best, limits = orders, _limits([best, orders])
                least = cost = _price(best, limits)
    return best


def _copy(orders: Orders) -> Orders:
    return Orders(
        task=orders.task.copy(),
        way=orders.way.copy(),
        size=orders.size.copy(),
        load=orders.load.copy(),
    )


def _move(ends: Ends, orders: Orders, limits: Limits, passes: int) -> None:
    for _ in range(passes):
        if not _settle(ends, orders, limits, np.ones(len(ends.service), dtype=bool)):
            break


def _settle(ends: Ends, orders: Orders, limits: Limits, look: Flags) -> bool:
    """Move tasks, and again those around what moved, until nothing helps; return whether it did."""
    moved = False
    for _ in range(SETTLING):
        again = np.zeros_like(look)
        moves.move_blocks(ends, orders, limits, look, again)
        moves.swap_tasks(ends, orders, limits, look, again)
        moves.exchange_tails(ends, orders, limits, look, again)
        if not again.any():
            break
        moved, look = True, again
    return moved


def _within(
    part: Part, orders: Orders, shift: int, passes: int, stop: StopToken
) -> tuple[Orders, Ints]:
    """End every route within the shift; return what no longer fits."""
    best, left = orders, np.arange(len(part.tasks), dtype=np.int32)
    lost = NO_LIMIT
    orders = _copy(orders)
    gone = np.zeros(0, np.int32)
    for _ in range(ROUNDS):
        stop_if_asked(stop, "sweep")
        gone = np.concatenate([gone, kernels.shed(part.ends, orders, shift)])
        service = part.ends.service[gone].min(axis=1)
        gone = kernels.fill(part.ends, orders, gone[np.argsort(-service, kind="stable")], shift)
        missed = int(part.ends.service[gone].min(axis=1).sum(dtype=np.int64))
        if missed >= lost:
            break
        best, left, lost = _copy(orders), gone.copy(), missed
        if not len(gone):
            break
        even = min(_limits([orders]).even, shift)
        _move(part.ends, orders, Limits(even=even, shift=shift), passes)
        for team in range(len(part.team)):
            rows = np.sort(orders.task[team, : orders.size[team]])
            _tour_anew(part, orders, team, rows, stop)
    return best, left


def _station_legs(part: Part) -> int:
    """Milliseconds from each station to the nearest end of a task and back from the nearest."""
    if not len(part.tasks):
        return 0
    return int(part.ends.out.min(axis=1).sum() + part.ends.back.min(axis=1).sum())


def _routes(parts: Sequence[Part], answers: Sequence[_Answer], n_teams: int) -> tuple[Tour, ...]:
    routes = [_walk((), (), 0, 0)] * n_teams
    for part, answer in zip(parts, answers, strict=True):
        for row, team in enumerate(part.team.tolist()):
            routes[team] = _route(part, answer.orders, row)
    return tuple(routes)


def _walk(arcs: Sequence[int], is_service: Sequence[bool], total: int, dead_head: int) -> Tour:
    return Tour(
        arcs=np.array(arcs, np.int32),
        is_service=np.array(is_service, dtype=bool),
        milliseconds=total,
        dead_head=dead_head,
    )


def _route(part: Part, orders: Orders, team: int) -> Tour:
    """Lay out a team's walk arc by arc, from its station and back."""
    problem, tasks = part.problem, part.tasks
    graph = adjacency(problem.n_nodes, problem.tail, problem.head, problem.travel)
    n = int(orders.size[team])
    rows, ways = orders.task[team, :n], orders.way[team, :n]
    served = tasks.arc[rows, ways]
    at = home = int(part.station[team])
    arcs: list[int] = []
    is_service: list[bool] = []
    for arc in served.tolist():
        ride = way(graph, at, int(problem.tail[arc]))
        arcs += [*ride.tolist(), arc]
        is_service += [False] * len(ride) + [True]
        at = int(problem.head[arc])
    ride = way(graph, at, home)
    arcs += ride.tolist()
    is_service += [False] * len(ride)
    local = np.array(arcs, np.int64)
    total = int(orders.load[team])
    done = int(tasks.service[rows, ways].sum(dtype=np.int64))
    whole = 2 * part.segment[local >> 1] + (local & 1)
    return _walk(whole.tolist(), is_service, total, total - done)


def _unfinished(parts: Sequence[Part], answers: Sequence[_Answer], shift: int) -> Iterator[LeftOut]:
    """Yield what the shift leaves undone, and what no shift of that length could do."""
    for part, answer in zip(parts, answers, strict=True):
        ends, rows = part.ends, answer.left
        alone = ends.out[:, ends.start[rows]] + ends.back[:, ends.end[rows]].astype(np.int64)
        least = (alone + ends.service[rows]).min(axis=(0, 2)) if len(rows) else np.zeros(0)
        for cause, is_so in ((Cause.TOO_FAR, least > shift), (Cause.SHIFT, least <= shift)):
            segment = part.segment[part.tasks.segment[rows[is_so]]]
            yield from _listed(segment, np.ones_like(segment), cause)


def _listed(segment: Ints, passes: NDArray[np.integer], cause: Cause) -> Iterator[LeftOut]:
    for one, n in zip(segment.tolist(), passes.tolist(), strict=True):
        yield LeftOut(segment=one, passes=n, cause=cause)


def _gathered(left: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """Add up the passes of one street and cause."""
    passes: dict[tuple[int, Cause], int] = {}
    for one in left:
        key = one.segment, one.cause
        passes[key] = passes.get(key, 0) + one.passes
    return tuple(
        LeftOut(segment=segment, passes=n, cause=cause)
        for (segment, cause), n in sorted(passes.items())
    )
