"""Rules of posts, pairs and breaks."""

from collections import Counter
from collections.abc import Iterator

from routing.check.night import Night
from routing.check.violation import Rule, Violation, broken
from routing.model import PAIR_TOLERANCE, Post, Route, Unit, Visit, VisitKind


def post_faults(night: Night, post: Post) -> Iterator[Violation]:
    """Require different teams at a must, no more than asked for, each at the right time.

    Teams that are missing are the affair of `unserved_faults`, except that one team alone at a
    pair is never a plan.
    """
    stays = night.manned(post)
    for unit_id, n in Counter(route.unit_id for route, _ in stays).items():
        if n > 1:
            yield broken(Rule.MUST_SAME_UNIT, post=post.post_id, unit=unit_id, n=n)
    if len(stays) > post.n_units:
        yield broken(Rule.MUST_CROWDED, post=post.post_id, n=len(stays), expected=post.n_units)
    rule = _pair_faults if post.kind is VisitKind.PAIR else _hold_faults
    yield from rule(night, post, stays)


def _hold_faults(night: Night, post: Post, stays: list[tuple[Route, Visit]]) -> Iterator[Violation]:
    """Require every team of a fixed post from its beginning to its end."""
    until = post.earliest + post.dwell
    for route, visit in stays:
        params = {"post": post.post_id, "unit": route.unit_id}
        if visit.arrive > post.earliest:
            at, expected = night.clock(visit.arrive), night.clock(post.earliest)
            yield broken(Rule.POST_LATE, **params, at=at, expected=expected)
        if visit.depart < until:
            at, expected = night.clock(visit.depart), night.clock(until)
            yield broken(Rule.POST_LEFT_EARLY, **params, at=at, expected=expected)


def _pair_faults(night: Night, post: Post, stays: list[tuple[Route, Visit]]) -> Iterator[Violation]:
    """Require the teams of a pair together, within the window, each for long enough."""
    for route, visit in stays:
        params = {"post": post.post_id, "unit": route.unit_id, "at": night.clock(visit.arrive)}
        if visit.arrive < post.earliest:
            yield broken(Rule.PAIR_EARLY, **params, expected=night.clock(post.earliest))
        if visit.arrive > post.latest:
            yield broken(Rule.PAIR_LATE, **params, expected=night.clock(post.latest))
        stay = visit.depart - visit.arrive
        if stay < post.dwell:
            yield broken(Rule.PAIR_DWELL_SHORT, **params, dwell=stay, expected=post.dwell)
    if 0 < len(stays) < post.n_units:
        yield broken(Rule.PAIR_ALONE, post=post.post_id, n=len(stays), expected=post.n_units)
    if stays and (apart := stays[-1][1].arrive - stays[0][1].arrive) > PAIR_TOLERANCE:
        yield broken(Rule.PAIR_APART, post=post.post_id, apart=apart, expected=PAIR_TOLERANCE)


def break_faults(night: Night, route: Route) -> Iterator[Violation]:
    """Require one break of a team that works: in its window, at a rest place, long enough."""
    unit = night.units.get(route.unit_id)
    if unit is None:
        return
    breaks = [visit for visit in route.visits if visit.kind is VisitKind.BREAK]
    if not unit.break_length:
        if breaks:
            yield broken(Rule.BREAK_UNASKED, unit=unit.unit_id)
        return
    if route.visits and not breaks:
        yield broken(Rule.BREAK_MISSING, unit=unit.unit_id)
    if len(breaks) > 1:
        yield broken(Rule.BREAK_TWICE, unit=unit.unit_id, n=len(breaks))
    for visit in breaks:
        yield from _one_break_faults(night, unit, visit)


def _one_break_faults(night: Night, unit: Unit, visit: Visit) -> Iterator[Violation]:
    first, last = unit.break_window
    if visit.arrive < first or visit.depart > last:
        yield broken(
            Rule.BREAK_WINDOW,
            unit=unit.unit_id,
            at=f"{night.clock(visit.arrive)}–{night.clock(visit.depart)}",
            expected=f"{night.clock(first)}–{night.clock(last)}",
        )
    if visit.depart - visit.arrive < unit.break_length:
        yield broken(
            Rule.BREAK_SHORT,
            unit=unit.unit_id,
            dwell=visit.depart - visit.arrive,
            expected=unit.break_length,
        )
    if visit.place_id not in night.rests:
        yield broken(Rule.BREAK_PLACE, unit=unit.unit_id, place=visit.place_id)
