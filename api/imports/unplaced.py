"""Venues that nobody could be sent to yet: known by their village, or by no place at all."""

from typing import Final

from sqlalchemy import Connection, func, select

from api.imports.account import cursor_fid
from api.store.page import Key, Page
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import VENUES, WITHDRAWN
from api.store.venues.row import Venue, select_venues, venue_of
from geo.frames import Precision

UNPLACED: Final = (Precision.VILLAGE.value, Precision.NONE.value)
"""Precisions that are too coarse to send a team to."""


def unplaced_page(
    connection: Connection,
    *,
    after: Key | None = None,
    limit: int = 100,
    scope: Scope = EVERYWHERE,
) -> Page[Venue]:
    """Return venues to be placed on the map, in the order they came in.

    Raises
    ------
    RequestInvalid
        `after` is not from a page before.
    """
    statement = select_venues(VENUES.c.precision.in_(UNPLACED), scope).order_by(VENUES.c.fid)
    if after is not None:
        statement = statement.where(VENUES.c.fid > cursor_fid(after))
    rows = connection.execute(statement.limit(limit + 1)).mappings().all()
    return Page(
        items=tuple(venue_of(row) for row in rows[:limit]),
        after=(rows[limit - 1]["fid"],) if len(rows) > limit else None,
    )


def count_by_precision(connection: Connection, scope: Scope = EVERYWHERE) -> dict[Precision, int]:
    """Return how many venues are known how exactly; all of them are counted in the cadence."""
    live = (VENUES.c.status != WITHDRAWN) & scope.holds(VENUES.c.unit_code)
    counted = select(VENUES.c.precision, func.count()).where(live).group_by(VENUES.c.precision)
    found: dict[str, int] = dict(connection.execute(counted).all())
    return {precision: found.get(precision.value, 0) for precision in Precision}
