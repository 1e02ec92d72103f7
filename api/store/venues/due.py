"""Venues due as of a day: pages by due day, and counts with their denominators."""

import calendar
from datetime import date

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, or_, select, true

from api.store.city import IN_USE, city_row
from api.store.expected import Expected
from api.store.page import Key, Page
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import VENUES, WITHDRAWN
from api.store.venues.row import Venue, select_venues, venue_of
from geo.errors import LayerMissing, RequestInvalid
from geo.frames import DueState, Tier
from geo.rate import Rate
from geo.venue import DueCounts


def state_on(due: date | None, as_of: date) -> DueState:
    """Return how a due day stands on a day, as `geo.venue.due_venues` says it."""
    if due is None:
        return DueState.UNKNOWN
    if due < as_of:
        return DueState.OVERDUE
    return DueState.DUE if due <= _month_end(as_of) else DueState.LATER


def due_venues_page(
    connection: Connection,
    *,
    as_of: date,
    state: DueState | None = None,
    tier: Tier | None = None,
    after: Key | None = None,
    limit: int = 100,
    scope: Scope = EVERYWHERE,
) -> Page[Venue]:
    """Return venues that have to be inspected, the never inspected first, then by due day.

    Closed and exempt venues are not due; withdrawn ones are not there at all; those missing from
    the newest register are, marked by their status.

    Parameters
    ----------
    connection : Connection
    as_of : date
        The day that `state` is meant on.
    state : DueState, optional
        All states when not given.
    tier : Tier, optional
    after : tuple, optional
        `Page.after` of the page before.
    limit : int
        Venues at most.
    scope : Scope

    Raises
    ------
    RequestInvalid
        `after` is not from a page before.
    """
    due, fid = _key(after)
    wanted = and_(_is_of(tier), true() if state is None else _state(state, as_of))
    never, known = VENUES.c.due.is_(None), VENUES.c.due.is_not(None)
    rows: list[RowMapping] = []
    if due is None and state in {None, DueState.UNKNOWN}:
        condition = and_(wanted, never, VENUES.c.fid > fid)
        found = select_venues(condition, scope).order_by(VENUES.c.fid).limit(limit + 1)
        rows += connection.execute(found).mappings()
    if len(rows) <= limit and state is not DueState.UNKNOWN:
        condition = and_(wanted, known, true() if due is None else _beyond(due, fid))
        found = select_venues(condition, scope).order_by(VENUES.c.due, VENUES.c.fid)
        rows += connection.execute(found.limit(limit + 1 - len(rows))).mappings()
    shown = rows[:limit]
    return Page(
        items=tuple(venue_of(row) for row in shown),
        after=_key_of(shown[-1]) if len(rows) > limit and shown else None,
    )


def due_counts(
    connection: Connection,
    *,
    as_of: date,
    tier: Tier | None = None,
    scope: Scope = EVERYWHERE,
) -> DueCounts:
    """Return how many venues stand how, of those with a record; those without apart.

    Raises
    ------
    LayerMissing
        No boundaries yet, so that a rate could name no version.
    """
    city = city_row(connection)
    if city is None or city.boundary_version is None:
        raise LayerMissing(layer="boundaries")
    standing = case(
        (VENUES.c.due.is_(None), DueState.UNKNOWN.value),
        (VENUES.c.due < as_of, DueState.OVERDUE.value),
        (VENUES.c.due <= _month_end(as_of), DueState.DUE.value),
        else_=DueState.LATER.value,
    ).label("standing")
    live = and_(VENUES.c.status != WITHDRAWN, scope.holds(VENUES.c.unit_code), _is_of(tier))
    each = select(standing).where(live).subquery()
    counted = select(each.c.standing, func.count().label("n")).group_by(each.c.standing)
    n: dict[str, int] = {row.standing: row.n for row in connection.execute(counted)}
    known = sum(n.values()) - n.get(DueState.UNKNOWN.value, 0)

    def share(state: DueState, total: int) -> Rate:
        return Rate(
            n=n.get(state.value, 0),
            total=total,
            data_date=city.data_date or as_of,
            boundary_version=str(city.boundary_version),
        )

    return DueCounts(
        overdue=share(DueState.OVERDUE, known),
        due=share(DueState.DUE, known),
        later=share(DueState.LATER, known),
        unknown=share(DueState.UNKNOWN, sum(n.values())),
    )


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _is_of(tier: Tier | None) -> ColumnElement[bool]:
    in_use = VENUES.c.state.in_(IN_USE)
    return in_use if tier is None else and_(in_use, VENUES.c.tier == tier.value)


def _state(state: DueState, as_of: date) -> ColumnElement[bool]:
    match state:
        case DueState.UNKNOWN:
            return VENUES.c.due.is_(None)
        case DueState.OVERDUE:
            return VENUES.c.due < as_of
        case DueState.DUE:
            return VENUES.c.due.between(as_of, _month_end(as_of))
        case DueState.LATER:
            return VENUES.c.due > _month_end(as_of)


def _beyond(due: date, fid: int) -> ColumnElement[bool]:
    """Return the condition that a row comes after a key."""
    return and_(VENUES.c.due >= due, or_(VENUES.c.due > due, VENUES.c.fid > fid))


def _key_of(row: RowMapping) -> Key:
    due = row["due"]
    return (None if due is None else due.isoformat(), row["fid"])


def _key(after: Key | None) -> tuple[date | None, int]:
    if after is None:
        return None, 0
    try:
        due, fid = after
        return (None if due is None else date.fromisoformat(str(due))), int(fid or 0)
    except ValueError as error:
        raise RequestInvalid(where="query.after", expected=Expected.CURSOR) from error
