"""Judge a file of ours by what it says it is."""

from dataclasses import dataclass
from pathlib import Path

from routing.check import Violation
from routing.io.document import stated_format
from routing.io.plan_file import check_plan_file, read_plan
from routing.io.schedule_file import check_schedule_file, read_schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the verifier says of a plan or schedule file.

    Attributes
    ----------
    violations : tuple of Violation
    n_routes, n_stops : int
        Routes (or rounds) that leave the station, and their stops.
    """

    violations: tuple[Violation, ...]
    n_routes: int
    n_stops: int


def check_file(path: Path) -> Judgement:
    """Judge a plan or a schedule again from its file alone.

    Raises
    ------
    FileMissing, FileUnreadable, PlanInvalid
        Not a file of ours; says where.
    """
    if stated_format(path).startswith("patrolgrid.schedule/"):
        violations = check_schedule_file(path)
        stops = [len(one.inspections) for one in read_schedule(path).rounds]
    else:
        violations = check_plan_file(path)
        stops = [len(route.visits) for route in read_plan(path).routes if route.visits]
    return Judgement(violations=violations, n_routes=len(stops), n_stops=sum(stops))
