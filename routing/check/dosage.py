"""Rules of dosage: caps, floors and spacing, and that the list of what is missing is true."""

from collections.abc import Iterator
from itertools import pairwise

from routing.check.night import Night
from routing.check.violation import Rule, Violation, broken
from routing.model import Stop, Unserved


def stop_faults(night: Night, stop: Stop) -> Iterator[Violation]:
    """Require at most `cap` visits to a place, `spacing` seconds between two of them."""
    visits = night.dosed(stop)
    if len(visits) > stop.band.cap:
        yield broken(Rule.CAP_EXCEEDED, place=stop.place_id, n=len(visits), expected=stop.band.cap)
    for before, after in pairwise(visits):
        pause = after.arrive - before.depart
        if pause < stop.band.spacing:
            yield broken(
                Rule.SPACING_SHORT,
                place=stop.place_id,
                at=night.clock(after.arrive),
                pause=pause,
                expected=stop.band.spacing,
            )


def shortfalls(night: Night) -> dict[str, int]:
    """Return what is missing by task id: visits below a floor, teams below a must's number."""
    missing = {
        stop.place_id: stop.band.floor - len(night.dosed(stop)) for stop in night.problem.stops
    }
    for post in night.problem.posts:
        missing[post.post_id] = post.n_units - len(night.manned(post))
    return {task_id: n for task_id, n in missing.items() if n > 0}


def unserved_faults(night: Night, unserved: tuple[Unserved, ...]) -> Iterator[Violation]:
    """Require every shortfall on the list, with its place and number, and nothing that is served.

    A place without a floor and without a visit may be listed too (one visit missing): the list
    then says why it was left out.
    """
    short = shortfalls(night)
    seen: set[str] = set()
    for item in unserved:
        if item.task_id in seen:
            yield broken(Rule.UNSERVED_TWICE, task=item.task_id)
        seen.add(item.task_id)
        yield from _listed_faults(night, item, short.get(item.task_id, 0))
    for task_id, n in short.items():
        if task_id not in seen:
            rule = Rule.MUST_MISSING if task_id in night.posts else Rule.FLOOR_MISSED
            yield broken(rule, task=task_id, missing=n)


def _listed_faults(night: Night, item: Unserved, missing: int) -> Iterator[Violation]:
    """Require that one line of the list says what is true."""
    post, stop = night.posts.get(item.task_id), night.stops.get(item.task_id)
    if post is None and stop is None:
        yield broken(Rule.UNSERVED_UNKNOWN, task=item.task_id)
        return
    if item.place_id != (post.place_id if post else item.task_id):
        yield broken(Rule.UNSERVED_PLACE, task=item.task_id, place=item.place_id)
    if not item.cause:
        yield broken(Rule.UNSERVED_CAUSE, task=item.task_id)
    if not missing and stop is not None and not post:
        missing = int(not night.dosed(stop))
    if not missing:
        yield broken(Rule.UNSERVED_SERVED, task=item.task_id)
    elif item.missing != missing:
        yield broken(Rule.UNSERVED_COUNT, task=item.task_id, missing=item.missing, expected=missing)
