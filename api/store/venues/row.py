"""A venue as it stands in the store."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, select

from api.store.scope import Scope
from api.store.tables import VENUES, WITHDRAWN
from geo.errors import NotFound, VersionConflict
from geo.frames import Tier
from geo.venue import CADENCE, add_months


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A venue: a place, its tier and how it stands with its cadence.

    Attributes
    ----------
    venue_id, external_id : str
        Our id, and the register's.
    name, kind, tier, address : str
    last_inspection, due : date, optional
        None where no inspection is on record.
    cadence_version : str
        The cadence `due` follows from.
    precision : str
        How its place is known: point, street, village or none.
    state : str
        open, closed, not_found or exempt.
    status : str
        current, or to_check where the newest register lacks it.
    unit_code : str
        Smallest unit that holds it.
    lon, lat : float, optional
        EPSG:4326.
    version : int
        Counts its changes: its ETag.
    """

    venue_id: str
    external_id: str
    name: str
    kind: str
    tier: str
    address: str
    last_inspection: date | None
    due: date | None
    cadence_version: str
    precision: str
    state: str
    status: str
    unit_code: str
    lon: float | None
    lat: float | None
    version: int


_COLUMNS: Final = tuple(
    VENUES.c[field.name] for field in fields(Venue) if field.name not in {"lon", "lat"}
)


def venue(connection: Connection, venue_id: str, scope: Scope) -> Venue:
    """Return one venue.

    Raises
    ------
    NotFound
        No such venue, a withdrawn one, or one outside the scope.
    """
    found = connection.execute(select_venues(VENUES.c.venue_id == venue_id, scope)).mappings()
    return venue_of(_first(found.one_or_none()))


def venue_to_change(
    connection: Connection, venue_id: str, scope: Scope, *, version: int | None = None
) -> RowMapping:
    """Return the row of a venue and keep others from changing it until the transaction ends.

    Raises
    ------
    NotFound
        No such venue, a withdrawn one, or one outside the scope.
    VersionConflict
        It was changed since `version` was read.
    """
    wanted = select_venues(VENUES.c.venue_id == venue_id, scope).with_for_update()
    row = _first(connection.execute(wanted).mappings().one_or_none())
    if version is not None and row["version"] != version:
        raise VersionConflict(kind="venue")
    return row


def select_venues(where: ColumnElement[bool], scope: Scope) -> Select[Any]:
    """Return the statement for live venues of a scope; fid comes with them."""
    live = and_(VENUES.c.status != WITHDRAWN, scope.holds(VENUES.c.unit_code))
    return select(VENUES.c.fid, VENUES.c.geom, *_COLUMNS).where(live, where)


def venue_of(row: RowMapping) -> Venue:
    """Return the value of a row."""
    point = row["geom"]
    return Venue(
        **{column.name: row[column.name] for column in _COLUMNS},
        lon=None if point is None else point.x,
        lat=None if point is None else point.y,
    )


def due_after(last_inspection: date | None, tier: str) -> date | None:
    """Return the day by which the next inspection is due, by `geo.venue`'s cadence."""
    if last_inspection is None:
        return None
    months = np.array([CADENCE.months[Tier(tier)]])
    due: date = add_months(np.array([last_inspection], "datetime64[D]"), months)[0].item()
    return due


def _first(row: RowMapping | None) -> RowMapping:
    if row is None:
        raise NotFound(kind="venue")
    return row
