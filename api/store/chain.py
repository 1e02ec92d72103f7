"""The audit's chain: every row carries a SHA-256 over the row before it and its own words.

A row that was changed, taken out of the middle or moved no longer fits its neighbours. Rows cut off
the end are missed only by whoever kept a later head: `head` is there to be exported.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, func, insert, select

from api.store.database import is_embedded
from api.store.tables import AUDIT

FIRST: Final = "0" * 64
"""What the first row has before it."""

SYSTEM: Final = "system"
"""Actor of what nobody asked for by hand."""

LONGEST: Final = 200
"""Characters of a text in the details: ids, codes and counts, never what somebody wrote."""

_LOCK: Final = 0x70_61_74_72_6F_6C
"""Number of the advisory lock: ``patrol`` in ASCII."""

PART: Final = 10_000
"""Rows fetched at a time."""

Fault = Literal["changed", "before", "cut"]

Fact = str | int | float | bool | None
Details = Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The chain's last row: kept elsewhere, it tells later whether anything was cut off.

    Attributes
    ----------
    number : int
        How many rows there are up to it.
    hash : str
        64 hexadecimal digits.
    """

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first row that does not fit.

    Attributes
    ----------
    number : int
        Which row it is, counted from 1.
    at : datetime, optional
        When it was written; none where a kept head is not in the chain.
    fault : str
        "changed": it is not what was written. "before": the row before it is missing or another
        one. "cut": rows up to a kept head are missing.
    """

    number: int
    at: datetime | None
    fault: Fault


def hold(connection: Connection) -> None:
    """Make other processes' transactions wait with their rows until this one ends.

    A change that locks rows of its own calls it before them, so that two changes cannot wait for
    each other.
    """
    if not is_embedded(connection):  # a GeoPackage has one writing transaction at a time
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def record(
    connection: Connection, *, actor: str, action: str, subject: str, details: Details
) -> None:
    """Append a row in the caller's transaction.

    Parameters
    ----------
    connection : Connection
    actor : str
        Label of a role or key, or the command: never a name.
    action : str
        What was done: ``plan.approved``.
    subject : str
        Id of what it was done to.
    details : mapping
        Ids, codes, days as ISO text and counts; no request body and nothing of a person.
    """
    _require_facts(details)
    hold(connection)
    now = datetime.now(UTC)
    row = {
        "at": now.replace(microsecond=now.microsecond // 1000 * 1000),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": dict(details),
    }
    previous = head(connection, count=False).hash
    connection.execute(
        insert(AUDIT).values({**row, "previous_hash": previous, "hash": _hash_of(previous, row)})
    )


def head(connection: Connection, *, count: bool = True) -> Head:
    """Return the last row's hash, and how many rows there are where they are counted."""
    last = connection.scalar(select(AUDIT.c.hash).order_by(AUDIT.c.fid.desc()).limit(1))
    number = connection.scalar(select(func.count()).select_from(AUDIT)) if count else 0
    return Head(number=number or 0, hash=last or FIRST)


def verify(connection: Connection, *, kept: Head | None = None) -> Broken | None:
    """Return the first row that does not fit; None for a sound chain.

    Parameters
    ----------
    connection : Connection
    kept : Head, optional
        A head that was exported earlier.
    """
    previous, number = FIRST, 0
    with connection.execute(_WHOLE, execution_options={"yield_per": PART}) as result:
        for number, row in enumerate(result.mappings(), start=1):
            fault = _fault(row, previous)
            previous = row["hash"]
            if kept is not None and number == kept.number and previous != kept.hash:
                fault = "changed"
            if fault is not None:
                return Broken(number=number, at=row["at"], fault=fault)
    if kept is not None and number < kept.number:
        return Broken(number=number + 1, at=None, fault="cut")
    return None


_WHOLE: Final = select(
    *(AUDIT.c[name] for name in ("at", "actor", "action", "subject", "details")),
    AUDIT.c.previous_hash,
    AUDIT.c.hash,
).order_by(AUDIT.c.fid)


def _fault(row: RowMapping, previous: str) -> Fault | None:
    if row["previous_hash"] != previous:
        return "before"
    return None if row["hash"] == _hash_of(previous, row) else "changed"


def _hash_of(previous: str, row: Mapping[Any, Any]) -> str:
    words = {name: row[name] for name in ("actor", "action", "subject", "details")}
    words["at"] = row["at"].astimezone(UTC).isoformat(timespec="milliseconds")
    written = json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{written}".encode()).hexdigest()


def _require_facts(details: Mapping[str, object]) -> None:
    """Refuse, as a defect of ours, details that could hold more than ids, codes and counts."""
    for name, value in details.items():
        if not isinstance(value, Fact) or (isinstance(value, str) and len(value) > LONGEST):
            raise TypeError(f"audit detail {name} is no short fact")
