"""A job's events as Server-Sent Events: replayed from any number, ended after the last one.

The text form is the framework's own (`fastapi.sse.format_sse_event`); the loop is ours, because
it also ends when the service does and answers 204 to a browser that has seen everything: the one
answer after which an EventSource asks no more (WHATWG HTML, 9.2.3).
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Final

from fastapi import Request, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool

from api.jobs import Event, events_after, read_job
from api.security import Actor, actor_of
from api.store import Store
from geo.errors import RequestInvalid, TooMany

PAUSE: Final = 0.25
"""Seconds between two looks at the store."""

QUIET: Final = 15.0
"""Seconds of silence after which a comment keeps the line open."""

MOST_STREAMS: Final = 100
"""Streams open at once; everybody else can poll the job."""

RETRY_MS: Final = 2_000
"""Milliseconds a browser waits before it comes back."""

_BATCH: Final = 200


class EventStream(Response):
    """How the description names an event stream."""

    media_type = "text/event-stream"


class Streams:
    """The open event streams of a service, and the sign that it is ending."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._n_open = 0

    async def follow(self, request: Request, store: Store, job_id: str) -> Response:
        """Return a job's events from the one after Last-Event-ID on.

        Raises
        ------
        NotFound
            No such job in the scope of the key.
        TooMany
            `MOST_STREAMS` are open.
        """
        seen = last_event_id(request)
        actor = actor_of(request)
        if self._n_open >= MOST_STREAMS:
            raise TooMany(seconds=30)
        first = await run_in_threadpool(_begin, store, job_id, actor, seen)
        if first is None:
            return Response(status_code=204)
        return EventSourceResponse(
            self._events(store, job_id, first, seen),
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def _events(
        self, store: Store, job_id: str, events: Sequence[Event], seen: int
    ) -> AsyncIterator[bytes]:
        self._n_open += 1
        try:
            yield format_sse_event(retry=RETRY_MS)
            quiet = 0.0
            while not self.closing.is_set():
                for event in events:
                    yield _written(event)
                    seen, quiet = event.number, 0.0
                    if event.is_last:
                        return
                if not events:
                    await asyncio.sleep(PAUSE)
                    quiet += PAUSE
                if quiet >= QUIET:
                    yield format_sse_event(comment="quiet")
                    quiet = 0.0
                events = await run_in_threadpool(_more, store, job_id, seen)
        finally:
            self._n_open -= 1


def last_event_id(request: Request) -> int:
    """Return the number of the last event seen, 0 where nothing was.

    Raises
    ------
    RequestInvalid
        Not a number that this service gave out.
    """
    stated = request.headers.getlist("last-event-id")
    if not stated or stated == [""]:
        return 0
    if len(stated) > 1 or not (stated[0].isascii() and stated[0].isdigit()) or len(stated[0]) > 9:
        raise RequestInvalid(where="header.Last-Event-ID", expected="the id of an event")
    return int(stated[0])


def _begin(store: Store, job_id: str, actor: Actor, seen: int) -> list[Event] | None:
    """Return the events not seen yet; none when the job has ended and all were seen."""
    with store.read() as connection:
        job = read_job(connection, job_id, actor.scope)
        events = events_after(connection, job_id, seen, limit=_BATCH)
    return None if job.has_ended and not events else events


def _more(store: Store, job_id: str, seen: int) -> list[Event]:
    with store.read() as connection:
        return events_after(connection, job_id, seen, limit=_BATCH)


def _written(event: Event) -> bytes:
    data = {"number": event.number, "at": event.at.isoformat(), **event.data}
    return format_sse_event(
        data_str=json.dumps(data, ensure_ascii=False, allow_nan=False),
        event=event.event,
        id=str(event.number),
    )
