"""The verifier of a night: every rule, one after another."""

from collections.abc import Iterator

from routing.check.dosage import stop_faults, unserved_faults
from routing.check.musts import break_faults, post_faults
from routing.check.night import look_up
from routing.check.objective import objective_faults
from routing.check.route import route_faults, unit_faults
from routing.check.violation import Rule, Violation, broken
from routing.model import Plan


def check_plan(plan: Plan) -> tuple[Violation, ...]:
    """Judge a plan against its problem, without solver or search.

    Parameters
    ----------
    plan : Plan
        From any planner, by hand or from a file.

    Returns
    -------
    tuple of Violation
        Every rule that is broken, by name; empty for a sound plan.
    """
    return tuple(_faults(plan))


def _faults(plan: Plan) -> Iterator[Violation]:
    night = look_up(plan)
    yield from unit_faults(night, plan.routes)
    for route in plan.routes:
        yield from route_faults(night, route)
        yield from break_faults(night, route)
    for post in plan.problem.posts:
        yield from post_faults(night, post)
    for stop in plan.problem.stops:
        yield from stop_faults(night, stop)
    yield from unserved_faults(night, plan.unserved)
    yield from objective_faults(plan)
    yield from _hash_faults(plan)


def _hash_faults(plan: Plan) -> Iterator[Violation]:
    """Require that the plan answers this problem and no other."""
    digest = plan.problem.digest()
    if plan.problem_hash != digest:
        yield broken(Rule.HASH_WRONG, stated=plan.problem_hash[:12], expected=digest[:12])
