"""Visits as they happened, and what they change about their venue."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, exists, insert, select, update

from api.store import chain
from api.store.expected import Expected
from api.store.ids import new_id
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import PLANS, VENUES, VISITS
from api.store.venues.row import due_after, venue, venue_to_change
from geo.errors import NotFound, RequestInvalid
from geo.units import CITY_ZONE
from geo.venue import CADENCE

FIRST_DAY: Final = date(1990, 1, 1)
"""A visit said to be earlier is a slip of the pen."""


class Outcome(StrEnum):
    """已检查, 发现隐患, 未找到, 已关停."""

    DONE = "done"
    HAZARD = "hazard"
    NOT_FOUND = "not_found"
    CLOSED = "closed"


STATE_AFTER: Final = {
    Outcome.DONE: "open",
    Outcome.HAZARD: "open",
    Outcome.NOT_FOUND: "not_found",
    Outcome.CLOSED: "closed",
}
"""State of a venue after its latest visit; one that is exempt stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An inspection as it happened: the place, the day and how it ended.

    Attributes
    ----------
    visit_id, venue_id : str
    day : date
    outcome : Outcome
    plan_id : str, optional
        The plan it was on.
    recorded_at : datetime
    """

    visit_id: str
    venue_id: str
    day: date
    outcome: Outcome
    plan_id: str | None
    recorded_at: datetime


def record_visit(
    connection: Connection,
    *,
    venue_id: str,
    day: date,
    outcome: str,
    plan_id: str | None = None,
    actor: str = chain.SYSTEM,
    scope: Scope = EVERYWHERE,
    today: date | None = None,
) -> Visit:
    """Record a visit, and bring its venue's last inspection, due day and state up to date.

    Visits may be recorded in any order: an older one never takes back a newer one.

    Parameters
    ----------
    connection : Connection
    venue_id : str
    day : date
        Not in the future.
    outcome : str
        One of `Outcome`.
    plan_id : str, optional
    actor : str
        Label for the audit.
    scope : Scope
    today : date, optional
        The city's calendar day when not given.

    Raises
    ------
    NotFound
        No such venue or plan in the scope.
    RequestInvalid
        The day lies in the future or before 1990, or the outcome is none we know.
    """
    ended = _outcome(outcome)
    if not FIRST_DAY <= day <= (today or datetime.now(CITY_ZONE).date()):
        raise RequestInvalid(where="body.day", expected=Expected.VISIT_DAY)
    chain.hold(connection)
    row = venue_to_change(connection, venue_id, scope)
    _require_plan(connection, plan_id, scope)
    changes = _changes(connection, row, day, ended)
    connection.execute(update(VENUES).where(VENUES.c.fid == row["fid"]).values(changes))
    visit = Visit(
        visit_id=new_id("visit"),
        venue_id=venue_id,
        day=day,
        outcome=ended,
        plan_id=plan_id,
        recorded_at=datetime.now(UTC),
    )
    values = {name: getattr(visit, name) for name in _COLUMNS}
    connection.execute(insert(VISITS).values(values))
    chain.record(
        connection,
        actor=actor,
        action="visit.recorded",
        subject=venue_id,
        details={
            "visit_id": visit.visit_id,
            "day": day.isoformat(),
            "outcome": ended.value,
            "plan_id": plan_id,
        },
    )
    return visit


def visits_of(connection: Connection, venue_id: str, scope: Scope = EVERYWHERE) -> list[Visit]:
    """Return the visits of a venue, the latest first.

    Raises
    ------
    NotFound
        No such venue in the scope.
    """
    venue(connection, venue_id, scope)
    found = connection.execute(
        select(*(VISITS.c[name] for name in _COLUMNS))
        .where(VISITS.c.venue_id == venue_id)
        .order_by(VISITS.c.day.desc(), VISITS.c.fid.desc())
    )
    return [Visit(**{**row, "outcome": Outcome(row["outcome"])}) for row in found.mappings()]


_COLUMNS: Final = tuple(Visit.__dataclass_fields__)


def _outcome(outcome: str) -> Outcome:
    try:
        return Outcome(outcome)
    except ValueError as error:
        raise RequestInvalid(where="body.outcome", expected=Expected.VISIT_OUTCOME) from error


def _require_plan(connection: Connection, plan_id: str | None, scope: Scope) -> None:
    if plan_id is None:
        return
    known = exists().where(PLANS.c.plan_id == plan_id, scope.holds(PLANS.c.unit_code))
    if not connection.scalar(select(known)):
        raise NotFound(kind="plan")


def _changes(connection: Connection, row: Any, day: date, ended: Outcome) -> dict[str, Any]:
    """Return what a visit changes about its venue."""
    changes: dict[str, Any] = {"version": row["version"] + 1, "changed_by": "visit"}
    last: date | None = row["last_inspection"]
    if ended in {Outcome.DONE, Outcome.HAZARD} and (last is None or day > last):
        changes |= {
            "last_inspection": day,
            "due": due_after(day, row["tier"]),
            "cadence_version": CADENCE.version,
        }
    later = exists().where(VISITS.c.venue_id == row["venue_id"], VISITS.c.day > day)
    if row["state"] != "exempt" and not connection.scalar(select(later)):
        changes["state"] = STATE_AFTER[ended]
    return changes
