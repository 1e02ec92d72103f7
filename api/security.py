"""The gate before every request: host, origin, size of headers, key; and what every answer says."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from anyio import move_on_after
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from api import problems
from api.admin_key import ROLE, hash_of
from api.language import language_of
from api.store import EVERYWHERE, Scope, Store
from api.store.tables import API_KEYS
from geo.errors import HeadersTooLarge, HostRefused, KeyRefused, OriginRefused, PatrolgridError

KEYED: Final = "/v1"
"""Beginning of every address that needs a key, known or not."""

HEADERS_KB: Final = 16
"""Most kilobytes of address and headers."""

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a service on loopback may be asked."""

LINGER_SECONDS: Final = 5.0
"""Seconds for which a refused body is read on, so that the answer arrives."""

_LONGEST_KEY: Final = 200

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For our own map: one file that runs its scripts and reaches nothing; as the map itself says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever holds a key: a role and a part of the city, never a person.

    Attributes
    ----------
    key_id, role : str
    scope : Scope
        What the key may see and change.
    """

    key_id: str
    role: str
    scope: Scope

    @property
    def label(self) -> str:
        """What the audit writes."""
        return f"{self.role}:{self.key_id}"


LOCAL: Final = Actor(key_id="local", role=ROLE, scope=EVERYWHERE)
"""Whoever asks on this machine when it is served without a key."""


def actor_of(request: Request) -> Actor:
    """Return whoever asks; the gate has seen the key."""
    actor: Actor = request.state.actor
    return actor


def is_loopback(host: str) -> bool:
    """Return whether an address to bind is reached from this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Gate:
    """Lets a request through to the app, or answers it with a problem.

    It stands outside of everything else, the framework's own last resort included, so that the
    headers it adds are on every answer.

    Parameters
    ----------
    app : ASGI app
    store : Store
    needs_key : bool
        False on loopback alone, when asked for.
    hosts : tuple of str
        Names this service answers to; every name when empty.
    """

    def __init__(
        self, app: ASGIApp, *, store: Store, needs_key: bool = True, hosts: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._store = store
        self._needs_key = needs_key
        self._hosts = hosts

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        exchange = _Exchange(request, receive, send)
        try:
            _require_small(scope)
            _require_host(request.headers, self._hosts)
            _require_same_site(request)
            if scope["path"] == KEYED or scope["path"].startswith(f"{KEYED}/"):
                request.state.actor = await self._actor(request.headers)
        except PatrolgridError as error:
            answer = problems.answer_to(error, language_of(request))
            await answer(scope, receive, exchange.send)
            return
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            # the framework raises again what `api.problems` has logged and answered
            if not exchange.is_answered:
                raise

    async def _actor(self, headers: Headers) -> Actor:
        if not self._needs_key:
            return LOCAL
        actor = await run_in_threadpool(find_actor, self._store, stated_key(headers))
        if actor is None:
            raise KeyRefused
        return actor


def find_actor(store: Store, key: str) -> Actor | None:
    """Return whom a key stands for: looked up by its hash, so that nothing is told by time."""
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii():
        return None
    digest = hash_of(key)
    with store.read() as connection:
        found = connection.execute(
            select(API_KEYS).where(API_KEYS.c.sha256 == digest, API_KEYS.c.revoked_at.is_(None))
        ).one_or_none()
    if found is None or not hmac.compare_digest(found.sha256, digest):
        return None
    return Actor(key_id=found.key_id, role=found.role, scope=Scope(unit_code=found.unit_code))


def stated_key(headers: Headers) -> str:
    """Return the key a request states: a Bearer token, or the password a browser asks for."""
    stated = headers.getlist("authorization")
    if len(stated) != 1:
        return ""
    scheme, _, credentials = stated[0].strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _password(credentials.strip())
        case _:
            return ""


def _password(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]


def _require_small(scope: AsgiScope) -> None:
    parts: tuple[bytes, ...] = (
        scope.get("raw_path") or b"",
        scope["query_string"],
        *(part for header in scope["headers"] for part in header),
    )
    if sum(map(len, parts)) > HEADERS_KB << 10:
        raise HeadersTooLarge(limit_kb=HEADERS_KB)


def _require_host(headers: Headers, hosts: tuple[str, ...]) -> None:
    """Refuse a name that is not ours: a page whose name was pointed at this machine (rebinding)."""
    stated = headers.getlist("host")
    name = stated[0].rpartition(":")[0] if stated and _has_port(stated[0]) else "".join(stated[:1])
    if len(stated) != 1 or (hosts and name.lower() not in hosts):
        raise HostRefused(expected=", ".join(hosts) or "one Host")


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


def _require_same_site(request: Request) -> None:
    """Refuse what a page of another site asks for; following a link to here is fine."""
    headers = request.headers
    origin = headers.get("origin")
    if origin is not None and _host_of(origin) != headers.get("host", "").lower():
        raise OriginRefused
    site = headers.get("sec-fetch-site", "none")
    if site in {"same-origin", "none"}:
        return
    is_link = (
        request.method == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    if not is_link:
        raise OriginRefused


def _host_of(origin: str) -> str:
    """Return host and port of an Origin; "" when it is none of a page."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class _Exchange:
    """One request and its answer: every answer carries our headers, and can be read.

    A bare 413 of the framework becomes a problem. Where a body is refused unread, a little of it
    is read on after the answer: a connection closed on unread bytes takes the answer with it.
    """

    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self._request, self._receive, self._send = request, receive, send
        self._is_read = not has_body(request.headers)
        self._refused: bytes | None = None
        self.is_answered = False

    async def receive(self) -> Message:
        """Hand the request on."""
        message = await self._receive()
        self._is_read = self._is_read or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Hand a part of the answer on."""
        if message["type"] == "http.response.start":
            message = self._start(message)
        elif self._refused is not None:
            message = {"type": "http.response.body", "body": self._refused}
        is_last = not message.get("more_body", False) and "body" in message
        if is_last and not self._is_read:
            await self._send({**message, "more_body": True})
            await self._read_on()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)
        self.is_answered = self.is_answered or is_last

    def _start(self, message: Message) -> Message:
        headers = MutableHeaders(raw=message["headers"])
        if message["status"] == 413 and headers.get("content-type", "").startswith("text/"):
            refusal = problems.too_large(self._request)
            self._refused, headers = bytes(refusal.body), refusal.headers
            message = {**message, "headers": headers.raw}
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        return message

    async def _read_on(self) -> None:
        with move_on_after(LINGER_SECONDS):
            while not self._is_read:
                await self.receive()


def has_body(headers: Headers) -> bool:
    """Return whether a body is on its way; one that waits for a nod (100) is not."""
    is_sent = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return is_sent and "expect" not in headers
