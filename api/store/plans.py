"""Plans: versions that are only ever added, their states, and what was made of them.

Of a kind, unit and night at most one plan is approved; approving another supersedes it. Stored
bytes never change: the document as it is served carries today's state.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    func,
    insert,
    select,
    true,
    update,
)

from api.store import chain
from api.store.expected import Expected
from api.store.ids import new_id
from api.store.page import Key, Page
from api.store.scope import EVERYWHERE, Scope
from api.store.tables import PLAN_PRODUCTS, PLANS
from geo.errors import NotFound, RequestInvalid, StateConflict, VersionConflict
from geo.privacy import Audience
from routing.io.document import render, seal

DRAFT, APPROVED, SUPERSEDED = "draft", "approved", "superseded"
"""States of a plan, in the order it goes through them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A version of a plan, without its document.

    Attributes
    ----------
    plan_id : str
    kind : str
        patrol or inspection.
    unit_code : str
        Unit it is for; "" for the whole city.
    night : date
        Night of a patrol, first day of inspections.
    number : int
        From 1 within kind, unit and night.
    state : str
        draft, approved or superseded.
    seed : int
        Shown only once the night is over.
    input_hash, result_hash : str
    job_id : str, optional
        Job that made it.
    created_at, approved_at : datetime
    approved_by : str, optional
        Label of a role.
    version : int
        Its ETag.
    """

    plan_id: str
    kind: str
    unit_code: str
    night: date
    number: int
    state: str
    seed: int
    input_hash: str
    result_hash: str
    job_id: str | None
    created_at: datetime
    approved_at: datetime | None
    approved_by: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something made of a plan for one audience: a map, a table.

    Attributes
    ----------
    name : str
        File name: ``tonight.html``.
    audience : Audience
    media_type : str
    body : bytes
        As it is handed out.
    """

    name: str
    audience: Audience
    media_type: str
    body: bytes


_COLUMNS: Final = tuple(PLANS.c[name] for name in StoredPlan.__dataclass_fields__)


def add_plan(
    connection: Connection,
    *,
    kind: str,
    unit_code: str,
    night: date,
    document: bytes,
    seed: int,
    input_hash: str,
    result_hash: str,
    job_id: str | None = None,
    products: Iterable[Product] = (),
    actor: str = chain.SYSTEM,
) -> str:
    """Add a draft with its products and return its id.

    Parameters
    ----------
    connection : Connection
    kind : str
        patrol or inspection.
    unit_code : str
        "" for the whole city.
    night : date
    document : bytes
        The plan file, JSON.
    seed : int
    input_hash, result_hash : str
    job_id : str, optional
    products : iterable of Product
    actor : str
        Label for the audit.

    Notes
    -----
    A caller that locks rows of its own in the same transaction calls `chain.hold` before them.
    """
    chain.hold(connection)  # numbers are given to one transaction at a time
    same = and_(PLANS.c.kind == kind, PLANS.c.unit_code == unit_code, PLANS.c.night == night)
    newest = connection.scalar(select(func.max(PLANS.c.number)).where(same))
    plan_id, number = new_id("plan"), (newest or 0) + 1
    row = {
        "plan_id": plan_id,
        "kind": kind,
        "unit_code": unit_code,
        "night": night,
        "number": number,
        "state": DRAFT,
        "seed": seed,
        "input_hash": input_hash,
        "result_hash": result_hash,
        "job_id": job_id,
    }
    values = {**row, "document": _pack(document), "created_at": datetime.now(UTC)}
    connection.execute(insert(PLANS).values(values))
    bodies = [_product_row(plan_id, product) for product in products]
    if bodies:
        connection.execute(insert(PLAN_PRODUCTS), bodies)
    chain.record(
        connection,
        actor=actor,
        action="plan.added",
        subject=plan_id,
        details={
            "kind": kind,
            "unit_code": unit_code,
            "night": night.isoformat(),
            "number": number,
            "seed": seed,
            "result_hash": result_hash,
            "job_id": job_id,
        },
    )
    return plan_id


def plan(connection: Connection, plan_id: str, scope: Scope = EVERYWHERE) -> StoredPlan:
    """Return a plan without its document.

    Raises
    ------
    NotFound
        No such plan in the scope.
    """
    return StoredPlan(**_one(connection, select(*_COLUMNS), plan_id, scope))


def plan_document(connection: Connection, plan_id: str, scope: Scope = EVERYWHERE) -> bytes:
    """Return a plan's file as JSON, with the state the plan is in today.

    Raises
    ------
    NotFound
        No such plan in the scope.
    """
    row = _one(connection, select(PLANS.c.state, PLANS.c.document), plan_id, scope)
    written = gzip.decompress(row["document"])
    return written if row["state"] == DRAFT else _in_state(written, row["state"])


def plan_product(
    connection: Connection,
    plan_id: str,
    name: str,
    audience: Audience,
    scope: Scope = EVERYWHERE,
) -> Product:
    """Return something made of a plan for one audience.

    Raises
    ------
    NotFound
        No such plan in the scope, or it was not made for this audience.
    """
    plan(connection, plan_id, scope)
    table = PLAN_PRODUCTS
    found = connection.execute(
        select(table.c.media_type, table.c.body).where(
            table.c.plan_id == plan_id, table.c.name == name, table.c.audience == audience.value
        )
    ).one_or_none()
    if found is None:
        raise NotFound(kind="product")
    return Product(
        name=name,
        audience=audience,
        media_type=found.media_type,
        body=gzip.decompress(found.body),
    )


def product_names(
    connection: Connection, plan_id: str, scope: Scope = EVERYWHERE
) -> list[tuple[str, Audience]]:
    """Return what was made of a plan, and for whom.

    Raises
    ------
    NotFound
        No such plan in the scope.
    """
    plan(connection, plan_id, scope)
    table = PLAN_PRODUCTS
    found = select(table.c.name, table.c.audience).where(table.c.plan_id == plan_id)
    return [
        (name, Audience(whom)) for name, whom in connection.execute(found.order_by(table.c.fid))
    ]


def approve_plan(
    connection: Connection,
    plan_id: str,
    *,
    version: int,
    actor: str,
    scope: Scope = EVERYWHERE,
) -> StoredPlan:
    """Approve a draft; the plan that was approved for the same kind, unit and night is superseded.

    Parameters
    ----------
    connection : Connection
    plan_id : str
    version : int
        Of the plan as it was read.
    actor : str
        Label of the role, kept with the plan and in the audit.
    scope : Scope

    Raises
    ------
    NotFound
        No such plan in the scope.
    VersionConflict
        It was changed since it was read.
    StateConflict
        It is no draft.
    """
    chain.hold(connection)
    found = plan(connection, plan_id, scope)
    if found.version != version:
        raise VersionConflict(kind="plan")
    if found.state != DRAFT:
        raise StateConflict(kind="plan", state=found.state, wanted="approval")
    before = _supersede(connection, found)
    approval = {
        "state": APPROVED,
        "approved_at": datetime.now(UTC),
        "approved_by": actor,
        "version": version + 1,
    }
    connection.execute(update(PLANS).where(PLANS.c.plan_id == plan_id).values(approval))
    chain.record(
        connection,
        actor=actor,
        action="plan.approved",
        subject=plan_id,
        details={"result_hash": found.result_hash, "superseded": before},
    )
    return plan(connection, plan_id, scope)


def plans_page(
    connection: Connection,
    *,
    kind: str | None = None,
    unit_code: str | None = None,
    night: date | None = None,
    state: str | None = None,
    after: Key | None = None,
    limit: int = 100,
    scope: Scope = EVERYWHERE,
) -> Page[StoredPlan]:
    """Return plans, the newest first.

    Raises
    ------
    RequestInvalid
        `after` is not from a page before.
    """
    asked = {"kind": kind, "unit_code": unit_code, "night": night, "state": state}
    wanted = [PLANS.c[name] == value for name, value in asked.items() if value is not None]
    found = (
        select(PLANS.c.fid, *_COLUMNS)
        .where(scope.holds(PLANS.c.unit_code), _before(after), *wanted)
        .order_by(PLANS.c.fid.desc())
        .limit(limit + 1)
    )
    rows = connection.execute(found).mappings().all()
    shown = rows[:limit]
    names = StoredPlan.__dataclass_fields__
    return Page(
        items=tuple(StoredPlan(**{name: row[name] for name in names}) for row in shown),
        after=(shown[-1]["fid"],) if len(rows) > limit and shown else None,
    )


def _one(connection: Connection, found: Select[Any], plan_id: str, scope: Scope) -> RowMapping:
    wanted = found.where(PLANS.c.plan_id == plan_id, scope.holds(PLANS.c.unit_code))
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="plan")
    return row


def _before(after: Key | None) -> ColumnElement[bool]:
    match after:
        case None:
            return true()
        case (int(fid),):
            return PLANS.c.fid < fid
        case _:
            raise RequestInvalid(where="query.after", expected=Expected.CURSOR)


def _supersede(connection: Connection, by: StoredPlan) -> str | None:
    """Supersede the plan approved for the same kind, unit and night; return its id."""
    same = and_(
        PLANS.c.kind == by.kind,
        PLANS.c.unit_code == by.unit_code,
        PLANS.c.night == by.night,
        PLANS.c.state == APPROVED,
    )
    before: str | None = connection.scalar(select(PLANS.c.plan_id).where(same))
    values = {"state": SUPERSEDED, "version": PLANS.c.version + 1}
    connection.execute(update(PLANS).where(same).values(values))
    return before


def _product_row(plan_id: str, product: Product) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "name": product.name,
        "audience": product.audience.value,
        "media_type": product.media_type,
        "body": _pack(product.body),
    }


def _pack(body: bytes) -> bytes:
    """Return bytes smaller; the same bytes always the same way, whatever the clock says."""
    return gzip.compress(body, mtime=0)


def _in_state(written: bytes, state: str) -> bytes:
    """Return a plan file that says another state, sealed again; a file without one as it is."""
    document = json.loads(written)
    if "state" not in document:
        return written
    members = {name: value for name, value in document.items() if name != "content_hash"}
    return (render(seal({**members, "state": state})) + "\n").encode()
