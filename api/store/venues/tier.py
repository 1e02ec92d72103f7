"""Tiers a venue had: graded red, yellow or green, since when and by which rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, insert, select, update

from api.store import chain
from api.store.expected import Expected
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import VENUE_TIERS, VENUES
from api.store.venues.row import Venue, due_after, venue, venue_to_change
from geo.errors import RequestInvalid
from geo.frames import Tier
from geo.venue import CADENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSince:
    """A tier and since when a venue has it.

    Attributes
    ----------
    venue_id : str
    tier : Tier
    since : date
    rule_version : str
        What it was graded by: the version of the rules, or "register".
    """

    venue_id: str
    tier: Tier
    since: date
    rule_version: str


def tier_history(connection: Connection, venue_id: str, scope: Scope) -> list[TierSince]:
    """Return every tier a venue had, oldest first.

    Raises
    ------
    NotFound
        No such venue in the scope.
    """
    venue(connection, venue_id, scope)
    table = VENUE_TIERS
    columns = (table.c[name] for name in TierSince.__dataclass_fields__)
    found = connection.execute(
        select(*columns).where(table.c.venue_id == venue_id).order_by(table.c.since, table.c.fid)
    )
    return [TierSince(**{**row, "tier": Tier(row["tier"])}) for row in found.mappings()]


def record_tiers(
    connection: Connection, tiers: Iterable[TierSince], *, import_id: str | None = None
) -> None:
    """Append tiers to the history of their venues; the venues themselves are left alone."""
    now = datetime.now(UTC)
    rows = [
        {
            "venue_id": one.venue_id,
            "tier": one.tier.value,
            "since": one.since,
            "rule_version": one.rule_version,
            "import_id": import_id,
            "recorded_at": now,
        }
        for one in tiers
    ]
    if rows:
        connection.execute(insert(VENUE_TIERS), rows)


def set_tier(
    connection: Connection,
    venue_id: str,
    tier: str,
    *,
    since: date,
    rule_version: str,
    version: int,
    actor: str = chain.SYSTEM,
    scope: Scope = EVERYWHERE,
) -> Venue:
    """Give a venue another tier: its due day follows, and the history keeps both.

    Raises
    ------
    NotFound
        No such venue in the scope.
    VersionConflict
        It was changed since `version` was read.
    RequestInvalid
        No such tier.
    """
    if tier not in list(Tier):
        raise RequestInvalid(where="body.tier", expected=Expected.TIER)
    chain.hold(connection)
    row = venue_to_change(connection, venue_id, scope, version=version)
    graded = TierSince(venue_id=venue_id, tier=Tier(tier), since=since, rule_version=rule_version)
    changes = {
        "tier": tier,
        "due": due_after(row["last_inspection"], tier),
        "cadence_version": CADENCE.version,
        "changed_by": "tier",
        "version": version + 1,
    }
    connection.execute(update(VENUES).where(VENUES.c.fid == row["fid"]).values(changes))
    record_tiers(connection, [graded])
    chain.record(
        connection,
        actor=actor,
        action="venue.graded",
        subject=venue_id,
        details={"tier": tier, "since": since.isoformat(), "rule_version": rule_version},
    )
    return venue(connection, venue_id, scope)
