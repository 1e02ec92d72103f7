"""The verifier of a month's inspections: every due venue once, in time, by teams that can."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import geopandas as gpd
import numpy as np

from geo.frames import Col, DueState
from routing.check.legs import Point, fewest_seconds
from routing.check.violation import Rule, Violation, broken
from routing.model import SERVICE, Inspection, Round, Schedule

FRIDAY = 4

NEVER_INSPECTED = "inspection.cause.unknown"
"""Cause of a venue left out because it was never inspected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What the verifier knows of a venue: facts, due day (None when unknown) and point."""

    tier: str
    kind: str
    due: date | None
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A schedule's venues and stations by id, and its first working day.

    Attributes
    ----------
    has_all_venues : bool
        Whether `venues` holds all venues, or only those that were asked for.
    """

    schedule: Schedule
    venues: Mapping[str, Venue]
    stations: Mapping[str, Point]
    first_working_day: date | None
    has_all_venues: bool = True

    def is_due(self, venue: Venue) -> bool:
        """Tell whether a venue is overdue or falls due in the period."""
        return venue.due is not None and venue.due <= self.schedule.last_day

    def is_overdue(self, venue: Venue) -> bool:
        """Tell whether no working day lies before the venue's due day."""
        first = self.first_working_day
        return venue.due is not None and (first is None or venue.due < first)


def check_schedule(
    schedule: Schedule, venues: gpd.GeoDataFrame, stations: gpd.GeoDataFrame | None = None
) -> tuple[Violation, ...]:
    """Judge a month of inspections, without solver or search.

    Parameters
    ----------
    schedule : Schedule
    venues : GeoDataFrame
        VENUES with due and due_state, EPSG:4326: all of them, due or not.
    stations : GeoDataFrame, optional
        STATIONS, EPSG:4326; with them the ways out and back are held against physics too.

    Returns
    -------
    tuple of Violation
        Every rule that is broken, by name; empty for a sound schedule.
    """
    month = Month(
        schedule=schedule,
        venues=_venues(venues),
        stations={} if stations is None else _points(stations, Col.STATION_ID),
        first_working_day=next(working_days(schedule), None),
    )
    return tuple(month_faults(month))


def _points(frame: gpd.GeoDataFrame, key: str) -> dict[str, Point]:
    lonlat = zip(frame.geometry.x, frame.geometry.y, strict=True)
    return {i: Point(*at) for i, at in zip(frame[key], lonlat, strict=True)}


def _venues(frame: gpd.GeoDataFrame) -> dict[str, Venue]:
    points = _points(frame, Col.VENUE_ID)
    days = frame[Col.DUE].to_numpy().astype("datetime64[D]")
    unknown = np.isnat(days) | (frame[Col.DUE_STATE].to_numpy() == DueState.UNKNOWN.value)
    due = [None if blank else day for blank, day in zip(unknown, days.astype(date), strict=True)]
    rows = zip(frame[Col.VENUE_ID], frame[Col.TIER], frame[Col.KIND], due, strict=True)
    return {i: Venue(tier=t, kind=k, due=d, point=points[i]) for i, t, k, d in rows}


def working_days(schedule: Schedule) -> Iterator[date]:
    """Yield Mondays to Fridays and make-up days of the period that are not closed."""
    day = schedule.first_day
    while day <= schedule.last_day:
        if is_worked(schedule, day):
            yield day
        day += timedelta(days=1)


def is_worked(schedule: Schedule, day: date) -> bool:
    """Tell whether a day is a working day by what the schedule itself says."""
    is_open = day.weekday() <= FRIDAY or day in schedule.makeup_days
    return is_open and day not in schedule.closed_days


def month_faults(month: Month) -> Iterator[Violation]:
    """Yield what a schedule breaks, rule after rule."""
    yield from _team_faults(month.schedule.rounds)
    for one in month.schedule.rounds:
        yield from _day_faults(month, one)
        yield from _clock_faults(one)
        yield from _way_faults(month, one)
        for inspection in one.inspections:
            yield from _inspection_faults(month, one, inspection)
    yield from _coverage_faults(month)
    yield from _count_faults(month)


def _team_faults(rounds: tuple[Round, ...]) -> Iterator[Violation]:
    """Require one round a day of every team, from one station, and ids used once."""
    for round_id, n in Counter(one.round_id for one in rounds).items():
        if n > 1:
            yield broken(Rule.ROUND_TWICE, round=round_id)
    for (team_id, day), n in Counter((one.team_id, one.day) for one in rounds).items():
        if n > 1:
            yield broken(Rule.TEAM_TWICE, team=team_id, day=day, n=n)
    homes = Counter(team_id for team_id, _ in {(one.team_id, one.station_id) for one in rounds})
    for team_id, n in homes.items():
        if n > 1:
            yield broken(Rule.TEAM_STATION, team=team_id, n=n)


def _day_faults(month: Month, one: Round) -> Iterator[Violation]:
    """Require a working day of the period, no longer than a day may be."""
    schedule = month.schedule
    if not schedule.first_day <= one.day <= schedule.last_day:
        yield broken(Rule.DAY_OUTSIDE, round=one.round_id, day=one.day)
    if not is_worked(schedule, one.day):
        yield broken(Rule.DAY_CLOSED, round=one.round_id, day=one.day)
    if one.end > schedule.day_length:
        yield broken(
            Rule.DAY_LENGTH, round=one.round_id, length=one.end, expected=schedule.day_length
        )
    if not one.inspections:
        yield broken(Rule.ROUND_EMPTY, round=one.round_id)


def _clock_faults(one: Round) -> Iterator[Violation]:
    """Require that no inspection starts before the team is free and has covered the way."""
    free = 0
    for inspection in one.inspections:
        at = f"{inspection.arrive} s"
        params = {"unit": one.team_id, "place": inspection.venue_id, "at": at}
        if inspection.arrive < free:
            yield broken(Rule.VISIT_OVERLAP, **params, free=f"{free} s")
        elif inspection.arrive < free + inspection.travel:
            wait = inspection.arrive - free - inspection.travel
            yield broken(Rule.WAIT_NEGATIVE, **params, wait=wait)
        free = inspection.depart
    if one.end != free + one.travel_back:
        yield broken(
            Rule.ROUND_END, round=one.round_id, stated=one.end, expected=free + one.travel_back
        )


def _way_faults(month: Month, one: Round) -> Iterator[Violation]:
    """Require of every leg the time that the top speed needs as the crow flies."""
    here, at = one.station_id, month.stations.get(one.station_id)
    home = at
    legs = [(i.venue_id, _point(month, i.venue_id), i.travel) for i in one.inspections]
    for there, point, seconds in [*legs, (one.station_id, home, one.travel_back)]:
        if at and point and seconds < (fewest := fewest_seconds(month.schedule.mode, at, point)):
            yield broken(
                Rule.TRAVEL_TOO_FAST,
                unit=one.team_id,
                origin=here,
                destination=there,
                stated=seconds,
                expected=fewest,
            )
        here, at = there, point


def _point(month: Month, venue_id: str) -> Point | None:
    venue = month.venues.get(venue_id)
    return venue.point if venue else None


def _inspection_faults(month: Month, one: Round, item: Inspection) -> Iterator[Violation]:
    """Require a due venue with its own facts, inspected for long enough and in time."""
    venue = month.venues.get(item.venue_id)
    if venue is None or not month.is_due(venue):
        yield broken(Rule.VENUE_UNKNOWN, venue=item.venue_id)
        return
    facts = {
        "tier": (item.tier, venue.tier),
        "kind": (item.kind, venue.kind),
        "due": (item.due, venue.due),
        "is_overdue": (item.is_overdue, month.is_overdue(venue)),
        "place_id": (item.place_id, item.venue_id),
    }
    for name, (stated, expected) in facts.items():
        if stated != expected:
            yield broken(
                Rule.VENUE_FACTS,
                venue=item.venue_id,
                field=name,
                stated=stated,
                expected=expected,
            )
    if item.depart - item.arrive != SERVICE[venue.tier]:
        yield broken(
            Rule.SERVICE_SHORT,
            venue=item.venue_id,
            dwell=item.depart - item.arrive,
            expected=SERVICE[venue.tier],
        )
    if venue.due is not None and one.day > venue.due and not month.is_overdue(venue):
        yield broken(Rule.CADENCE_BROKEN, venue=item.venue_id, day=one.day, due=venue.due)


def _coverage_faults(month: Month) -> Iterator[Violation]:
    """Require every due venue once in a round, or once in the list of those left out."""
    rounds = month.schedule.rounds
    planned = Counter(item.venue_id for one in rounds for item in one.inspections)
    listed = Counter(item.task_id for item in month.schedule.unserved)
    for venue_id, n in planned.items():
        if n > 1:
            yield broken(Rule.VENUE_TWICE, venue=venue_id, n=n)
        if venue_id in listed:
            yield broken(Rule.UNSERVED_SERVED, task=venue_id)
    for venue_id, n in listed.items():
        if n > 1:
            yield broken(Rule.UNSERVED_TWICE, task=venue_id)
    for venue_id, venue in month.venues.items():
        is_asked = month.is_due(venue) or venue.due is None
        if is_asked and not planned[venue_id] and not listed[venue_id]:
            yield broken(Rule.VENUE_MISSING, venue=venue_id)
    yield from _list_faults(month)


def _list_faults(month: Month) -> Iterator[Violation]:
    """Require of every venue left out that it was asked for, with a cause that fits."""
    for item in month.schedule.unserved:
        venue = month.venues.get(item.task_id)
        if venue is None or not (venue.due is None or month.is_due(venue)):
            yield broken(Rule.UNSERVED_UNKNOWN, task=item.task_id)
        elif not item.cause or (item.cause == NEVER_INSPECTED) != (venue.due is None):
            yield broken(Rule.UNSERVED_CAUSE, task=item.task_id)
        if item.place_id != item.task_id:
            yield broken(Rule.UNSERVED_PLACE, task=item.task_id, place=item.place_id)
        if item.missing != 1:
            yield broken(Rule.UNSERVED_COUNT, task=item.task_id, missing=item.missing, expected=1)


def _count_faults(month: Month) -> Iterator[Violation]:
    """Require counts that agree with the venues."""
    venues = month.venues.values()
    n_venues = len(month.venues)
    counted = {
        "n_venues": n_venues if month.has_all_venues else max(n_venues, month.schedule.n_venues),
        "n_due": sum(month.is_due(venue) for venue in venues),
        "n_unknown": sum(venue.due is None for venue in venues),
    }
    for name, expected in counted.items():
        stated = getattr(month.schedule, name)
        if stated != expected:
            yield broken(Rule.COUNT_WRONG, field=name, stated=stated, expected=expected)
    team_ids = {one.team_id for one in month.schedule.rounds}
    if len(team_ids) > month.schedule.n_teams:
        yield broken(
            Rule.COUNT_WRONG,
            field="n_teams",
            stated=month.schedule.n_teams,
            expected=len(team_ids),
        )
