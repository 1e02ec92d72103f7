"""What the rules of one night look things up in: a problem by id, and its visits in order."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from routing.model import (
    Mode,
    Place,
    Plan,
    Post,
    Problem,
    Route,
    Stop,
    Unit,
    Visit,
    VisitKind,
)

DOSED = frozenset({VisitKind.HOTSPOT, VisitKind.EXPLORATION})
"""Kinds whose visits a band counts and values; the others are musts and breaks."""

MUSTS = frozenset({VisitKind.POST, VisitKind.PAIR})


@dataclass(frozen=True, slots=True)
class Night:
    """A plan's problem by id.

    Attributes
    ----------
    stays : mapping of str to list of (Route, Visit)
        By task id, in order of arrival: visits of known kinds only (stops, posts, pairs).
    """

    problem: Problem
    units: dict[str, Unit]
    places: dict[str, Place]
    stops: dict[str, Stop]
    posts: dict[str, Post]
    rests: frozenset[str]
    stays: dict[str, list[tuple[Route, Visit]]]

    def clock(self, second: int) -> str:
        """Return the time of day `second` seconds into the shift."""
        return f"{self.problem.shift.at(second):%H:%M:%S}"

    def seconds(self, mode: Mode, origin: str, destination: str) -> int | None:
        """Return the seconds of a leg; None where the travel times do not know it."""
        try:
            return self.problem.travel.between(mode, origin, destination)
        except (KeyError, ValueError):
            return None

    def dosed(self, stop: Stop) -> list[Visit]:
        """Return the visits to a stop in order of arrival."""
        stays = self.stays.get(stop.place_id, [])
        return [visit for _, visit in stays if visit.kind in DOSED]

    def manned(self, post: Post) -> list[tuple[Route, Visit]]:
        """Return who stands at a post or pair, in order of arrival."""
        stays = self.stays.get(post.post_id, [])
        return [(route, visit) for route, visit in stays if visit.kind in MUSTS]


def look_up(plan: Plan) -> Night:
    """Return the plan's problem by id, with its stays by task."""
    problem = plan.problem
    stays: dict[str, list[tuple[Route, Visit]]] = defaultdict(list)
    for route in plan.routes:
        for visit in route.visits:
            stays[visit.task_id].append((route, visit))
    for found in stays.values():
        found.sort(key=lambda stay: stay[1].arrive)
    return Night(
        problem=problem,
        units={unit.unit_id: unit for unit in problem.units},
        places={place.place_id: place for place in problem.places},
        stops={stop.place_id: stop for stop in problem.stops},
        posts={post.post_id: post for post in problem.posts},
        rests=frozenset(problem.rests),
        stays=dict(stays),
    )


def legs_of(route: Route) -> Iterator[tuple[str, str, int]]:
    """Yield (origin, destination, stated seconds) of every leg, the way back included."""
    here = route.station_id
    for visit in route.visits:
        yield here, visit.place_id, visit.travel
        here = visit.place_id
    yield here, route.station_id, route.travel_back
