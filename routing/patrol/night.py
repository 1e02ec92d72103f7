"""Tonight's plan: precheck, search, choice, timetable."""

from datetime import UTC, date, datetime

import numpy as np

from geo.errors import OptionInvalid
from geo.progress import NEVER, Either, Progress, StopToken, silent, stop_if_asked
from geo.units import HOUR
from routing.model import (
    Band,
    Mode,
    Place,
    Plan,
    Post,
    Problem,
    Rates,
    Shift,
    Stop,
    TravelTimes,
    Unit,
    VisitKind,
)
from routing.patrol.assemble import assemble
from routing.patrol.bound import upper_bound
from routing.patrol.choice import choose_routes
from routing.patrol.encode import encode, require_plannable
from routing.patrol.musts import precheck
from routing.patrol.reach import alone
from routing.patrol.timetable import Order, objective_units
from routing.search.anneal import Search
from routing.search.arrays import SCALE, Night

ITERATIONS_PER_UNIT = 1_000
FEWEST_ITERATIONS = 8_000
CHOICE_WORK = 1.0
"""CP-SAT's deterministic time for the choice; two or three seconds."""

STEP = "planning the night patrol"


def plan_night(
    problem: Problem,
    *,
    iterations: int | None = None,
    choice_work: float = CHOICE_WORK,
    progress: Progress = silent,
    stop: StopToken = NEVER,
    enough: StopToken = NEVER,
) -> Plan:
    """Plan one night: same problem and work, same plan.

    Parameters
    ----------
    problem : Problem
    iterations : int, optional
        Work of the search in ruin-and-recreate steps; default 1,000 per unit, at least 8,000.
    choice_work : float
        Work of CP-SAT's choice in its deterministic time.
    progress : Progress
        Told iterations done, in all, and the best objective in points once every must is met.
    stop, enough : StopToken
        End search and choice. The best plan so far is returned when it meets every must.

    Returns
    -------
    Plan
        Status OPTIMAL only where the bound of the whole night is reached. A must that was not
        found within the work is listed in `unserved`.

    Raises
    ------
    OptionInvalid
        No unit, or a post the model does not know (a pair of three, a post with a window).
    InfeasibleError
        Musts that contradict each other, named.
    Stopped
        Stopped before any plan met every must.
    """
    if not problem.units:
        raise OptionInvalid(option="units", value=0, expected="at least one")
    require_plannable(problem)
    precheck(problem)
    causes = _causes(problem)
    code = encode(problem, tuple(s for s in problem.stops if s.place_id not in causes))
    total = iterations or max(FEWEST_ITERATIONS, ITERATIONS_PER_UNIT * len(problem.units))
    search = Search(code.night, problem.seed)
    ends = Either(stop, enough)
    _search(search, total, progress, ends)
    orders = [tuple(route) for route in search.best_routes()]
    if search.has_tasks and not ends.is_set():
        orders = _choose(code.night, search, orders, choice_work, ends)
    return assemble(
        problem,
        code,
        orders,
        causes=causes,
        bound=upper_bound(problem, code.stops),
        # a plan ended early is named by what it is: its work is not repeatable
        work=f"early/{orders}" if ends.is_set() else f"{total}/{choice_work}",
    )


def _causes(problem: Problem) -> dict[str, str]:
    """Return why stops may not be visited at all: quiet, no way there, or none within a night."""
    found = alone(problem, problem.stops)
    causes = {}
    for stop, has_way, is_possible in zip(
        problem.stops, found.has_way, found.is_possible, strict=True
    ):
        if stop.band.cap == 0:
            causes[stop.place_id] = "patrol.cause.quiet"
        elif not has_way:
            causes[stop.place_id] = "patrol.cause.no_way"
        elif not is_possible:
            causes[stop.place_id] = "patrol.cause.too_far"
    return causes


def _search(search: Search, total: int, progress: Progress, stop: StopToken) -> None:
    """Search to the end of the work, or until stopped with every must met.

    Raises
    ------
    Stopped
        Stopped while the best plan lacks a must.
    """
    search.start()
    while search.has_tasks and search.done < total:
        if stop.is_set() and search.done and not search.lacks_must:
            return
        stop_if_asked(stop, STEP)
        search.block(total)
        progress(search.done, total, None if search.lacks_must else search.best / SCALE)


def _choose(
    night: Night, search: Search, best: list[Order], work: float, stop: StopToken
) -> list[Order]:
    """Let CP-SAT choose among the search's routes; never below the search's own plan."""
    pool = search.pool_routes()
    choice = choose_routes(night, pool, best, work=work, seed=search.seed, stop=stop)
    if objective_units(night, choice.routes) >= objective_units(night, best):
        return list(choice.routes)
    return best


def warm_up() -> None:
    """Compile the search's kernels into their cache by planning a night of two units."""
    plan_night(smallest_night(), iterations=200, choice_work=0.1)


def smallest_night() -> Problem:
    """Return two units, four stops, a post and a pair on one street."""
    ids = ("station", "a", "b", "c", "d", "post", "pair")
    at = np.arange(len(ids))
    seconds = (60 * np.abs(at[:, None] - at[None, :])).astype(np.int32)[None]
    return Problem(
        shift=Shift(start=datetime(2026, 1, 1, 12, tzinfo=UTC), length=6 * HOUR),
        places=tuple(Place(place_id=i, name=i, lon=0.0, lat=0.0) for i in ids),
        units=tuple(
            Unit(
                unit_id=unit_id,
                call_sign=unit_id,
                station_id="station",
                mode=Mode.CAR,
                headcount=2,
                break_window=(2 * HOUR, 5 * HOUR),
                break_length=1800,
            )
            for unit_id in ("1", "2")
        ),
        stops=tuple(
            Stop(
                place_id=place_id,
                kind=VisitKind.HOTSPOT,
                band=Band(floor=0, cap=2),
                value_by_hour=(10, 20, 30, 30, 20, 10),
                reason="patrol.reason.demand_some",
                peak_hour=2,
            )
            for place_id in "abcd"
        ),
        posts=(
            _must("post", VisitKind.POST, HOUR, HOUR, n_units=1),
            _must("pair", VisitKind.PAIR, HOUR, 3 * HOUR, n_units=2),
        ),
        rests=("station",),
        travel=TravelTimes(place_ids=ids, modes=(Mode.CAR,), seconds=seconds),
        rates=Rates(),
        seed=1,
        data_date=date(2026, 1, 1),
        boundary_version="none",
        synthetic=True,
    )


def _must(place_id: str, kind: VisitKind, earliest: int, latest: int, *, n_units: int) -> Post:
    return Post(
        post_id=place_id,
        place_id=place_id,
        kind=kind,
        earliest=earliest,
        latest=latest,
        dwell=720,
        n_units=n_units,
    )
