"""Conditions of a request: which version it means (ETag, If-Match) and whether it came before.

ETag and If-Match follow RFC 9110 (8.8.3, 13.1). Idempotency-Key follows the expired draft
draft-ietf-httpapi-idempotency-key-header-07: key, address, hash of the body and the answer are
stored in the transaction of the write itself, so that no retry can ever have a second effect.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, Row, delete, insert, select
from sqlalchemy.exc import IntegrityError

from api.security import actor_of
from api.store import Store
from api.store.tables import IDEMPOTENCY
from geo.errors import RequestInvalid, RequestRepeated, VersionConflict, VersionMissing

REPLAYED: Final = "Idempotency-Replayed"

KEPT: Final = timedelta(days=30)
"""How long an answer is remembered."""

_KEY: Final = re.compile(r'("?)([0-9A-Za-z_.:-]{1,128})\1')
_TAG: Final = re.compile(r'\s*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)")?\s*(?:,|$)')
_MOST_TAGS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a change answers; stored with it when it may be asked again.

    Attributes
    ----------
    status : int
    body : mapping
        JSON object.
    headers : mapping
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """What tells one request from another.

    Attributes
    ----------
    key : str
        Idempotency-Key; "" when there is none.
    key_id, route, body_hash : str
        Who asked what of which address.
    """

    key: str
    key_id: str
    route: str
    body_hash: str


def etag_of(version: int, *, lang: str = "") -> str:
    """Return the strong tag of a version, and of the language where the body has one."""
    return f'"{version}-{lang}"' if lang else f'"{version}"'


def is_known(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names the version as it is (weak comparison)."""
    stated = request.headers.getlist("if-none-match")
    if not stated:
        return False
    tags = _tags(", ".join(stated), header="If-None-Match")
    return tags is None or etag.strip('"') in {tag for _, tag in tags}


@dataclass(frozen=True, slots=True)
class Precondition:
    """The versions that an If-Match takes.

    Attributes
    ----------
    kind : str
        What it is about.
    tags : frozenset of str, optional
        None for ``*``: any version of what is there.
    """

    kind: str
    tags: frozenset[str] | None

    def require(self, version: int) -> int:
        """Return the version, read in the transaction of the change, when it is one of them.

        Raises
        ------
        VersionConflict
            It is another.
        """
        if self.tags is not None and str(version) not in self.tags:
            raise VersionConflict(kind=self.kind)
        return version


def stated_version(request: Request, *, kind: str) -> Precondition:
    """Return what If-Match says; a weak tag matches nothing (strong comparison).

    Raises
    ------
    VersionMissing
        There is none.
    RequestInvalid
        It is no list of tags.
    """
    stated = request.headers.getlist("if-match")
    if not stated:
        raise VersionMissing(kind=kind)
    tags = _tags(", ".join(stated), header="If-Match")
    if tags is None:
        return Precondition(kind, None)
    # the language after a version is that of the body it was read with
    strong = frozenset(tag.partition("-")[0] for is_weak, tag in tags if not is_weak)
    return Precondition(kind, strong)


def change_once(
    store: Store,
    request: Request,
    body: bytes,
    change: Callable[[Connection], Answer],
) -> Response:
    """Make a change and answer it; the answer of the first time when it came before.

    Parameters
    ----------
    store : Store
    request : Request
    body : bytes
        What else tells this request from another, besides its address.
    change : callable
        Statements, and the answer; runs in one transaction with the memory of it.

    Raises
    ------
    RequestRepeated
        The key was used for another request.
    """
    repeat = _repeat(request, body)
    try:
        answer, is_replay = store.write(lambda connection: _once(connection, repeat, change))
    except IntegrityError:
        # another process was faster with the same key: its answer is there now
        if not repeat.key:
            raise
        answer, is_replay = store.write(lambda connection: _once(connection, repeat, change))
    headers = dict(answer.headers)
    if is_replay:
        headers[REPLAYED] = "true"
    return JSONResponse(dict(answer.body), status_code=answer.status, headers=headers)


def forget_old_answers(connection: Connection) -> None:
    """Drop answers older than `KEPT`."""
    before = datetime.now(UTC) - KEPT
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < before))


def _repeat(request: Request, body: bytes) -> Repeat:
    actor = actor_of(request)
    query = request.url.query
    return Repeat(
        key=_stated_key(request),
        key_id=actor.key_id,
        route=f"{request.method} {request.url.path}{'?' if query else ''}{query}",
        body_hash=hashlib.sha256(body).hexdigest(),
    )


def _stated_key(request: Request) -> str:
    stated = request.headers.getlist("idempotency-key")
    if not stated:
        return ""
    match = _KEY.fullmatch(stated[0].strip()) if len(stated) == 1 else None
    if match is None:
        raise RequestInvalid(
            where="header.Idempotency-Key", expected="1 to 128 of 0-9 A-Z a-z _ . : -"
        )
    return match.group(2)


def _once(
    connection: Connection, repeat: Repeat, change: Callable[[Connection], Answer]
) -> tuple[Answer, bool]:
    if not repeat.key:
        return change(connection), False
    stored = connection.execute(
        select(IDEMPOTENCY).where(
            IDEMPOTENCY.c.key_id == repeat.key_id, IDEMPOTENCY.c.key == repeat.key
        )
    ).one_or_none()
    if stored is not None:
        return _stored_answer(stored, repeat), True
    answer = change(connection)
    connection.execute(
        insert(IDEMPOTENCY).values(
            key=repeat.key,
            key_id=repeat.key_id,
            route=repeat.route,
            body_hash=repeat.body_hash,
            status=answer.status,
            headers=dict(answer.headers),
            body=json.dumps(answer.body, ensure_ascii=False).encode(),
            created_at=datetime.now(UTC),
        )
    )
    return answer, False


def _stored_answer(stored: Row[Any], repeat: Repeat) -> Answer:
    if (stored.route, stored.body_hash) != (repeat.route, repeat.body_hash):
        raise RequestRepeated
    return Answer(status=stored.status, headers=stored.headers, body=json.loads(stored.body))


def _tags(stated: str, *, header: str) -> list[tuple[bool, str]] | None:
    """Return (is weak, tag) of every entity tag of a list; none for ``*``."""
    if stated.strip() == "*":
        return None
    tags: list[tuple[bool, str]] = []
    at = 0
    while at < len(stated) and len(tags) < _MOST_TAGS:
        match = _TAG.match(stated, at)
        if match is None or match.end() == at:
            break
        if match.group(2) is not None:
            tags.append((match.group(1) is not None, match.group(2)))
        at = match.end()
    if at < len(stated) or not tags:
        raise RequestInvalid(where=f"header.{header}", expected='* or tags such as "3"')
    return tags
