"""Routes of venues, their visits, and the calendar."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from api import audit
from api.conditions import Answer, change_once, etag_of, is_known, stated_version
from api.declared import answers, headers
from api.paging import MOST, USUAL, page_of, read_cursor
from api.request import StrictRoute
from api.schemas import (
    After,
    CalendarView,
    DayQuery,
    DuePage,
    Limit,
    PositionRequest,
    UnitQuery,
    VenueId,
    VenueView,
    VisitRequest,
    VisitView,
    Year,
)
from api.security import actor_of
from api.service import narrowed, service_of
from geo.calendar import CalendarYear
from geo.frames import DueState, Tier
from geo.rate import Rate
from geo.units import CITY_ZONE

if TYPE_CHECKING:
    from api.store import venues as stored
    from geo.venue import DueCounts

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["places"])


@router.get("/venues/due", responses=answers(DuePage, 404, 409))
def list_due(
    request: Request,
    *,
    as_of: DayQuery = None,
    state: Annotated[Literal["overdue", "due", "later", "unknown"] | None, Query()] = None,
    tier: Annotated[Literal["red", "yellow", "green"] | None, Query()] = None,
    unit: UnitQuery = "",
    limit: Limit = USUAL,
    after: After = None,
) -> Response:
    """Return venues to inspect, those never inspected first, then by due day; with n of N."""
    from api.store import venues as stored  # noqa: PLC0415  heavy: not at start

    day = as_of or datetime.now(CITY_ZONE).date()
    key = read_cursor(after, str, int)
    kind = None if tier is None else Tier(tier)
    with service_of(request).store.read() as connection:
        scope = narrowed(connection, actor_of(request).scope, unit)
        counts = stored.due_counts(connection, as_of=day, tier=kind, scope=scope)
        page = stored.due_venues_page(
            connection,
            as_of=day,
            state=None if state is None else DueState(state),
            tier=kind,
            after=key,
            limit=min(limit, MOST),
            scope=scope,
        )
    rates = {name: _rate_view(rate) for name, rate in _rates(counts)}
    rows = [
        {**_venue_view(venue), "due_state": stored.state_on(venue.due, day).value}
        for venue in page.items
    ]
    members = {"as_of": day.isoformat(), "counts": rates}
    return page_of(request, rows, after=page.after, members=members)


@router.get("/venues/{venue_id:id}", responses=answers(VenueView, 304, 404))
def read_venue(request: Request, venue_id: VenueId) -> Response:
    """Return a venue."""
    from api.store import venues as stored  # noqa: PLC0415  heavy: not at start

    with service_of(request).store.read() as connection:
        venue = stored.venue(connection, venue_id, actor_of(request).scope)
    return _tagged(request, _venue_view(venue))


@router.put(
    "/venues/{venue_id:id}/position",
    responses=answers(VenueView, 404, 412, 413, 415, 428),
    openapi_extra=headers("If-Match"),
)
def place_venue(request: Request, venue_id: VenueId, body: PositionRequest) -> Response:
    """Put a venue on a point of the map: WGS-84, inside the city."""
    from api.store import venues as stored  # noqa: PLC0415  heavy: not at start

    actor = actor_of(request)
    wanted = stated_version(request, kind="venue")

    def change(connection: Connection) -> "stored.Venue":
        audit.hold(connection)
        read = stored.venue(connection, venue_id, actor.scope)
        return stored.place_venue(
            connection,
            venue_id,
            body.lon,
            body.lat,
            version=wanted.require(read.version),
            actor=actor.label,
            scope=actor.scope,
        )

    venue = service_of(request).store.write(change)
    return JSONResponse(_venue_view(venue), headers={"ETag": etag_of(venue.version)})


@router.post(
    "/visits",
    status_code=201,
    responses=answers(VisitView, 404, 413, 415, 422, status=201),
    openapi_extra=headers("Idempotency-Key"),
)
def record_visit(request: Request, body: VisitRequest) -> Response:
    """Record a visit; its venue's last inspection, due day and state follow at once."""
    from api.store import venues as stored  # noqa: PLC0415  heavy: not at start

    actor = actor_of(request)

    def change(connection: Connection) -> Answer:
        visit = stored.record_visit(
            connection,
            venue_id=body.venue_id,
            day=body.day,
            outcome=body.outcome,
            plan_id=body.plan_id,
            actor=actor.label,
            scope=actor.scope,
        )
        view = {
            **asdict(visit),
            "day": visit.day.isoformat(),
            "outcome": visit.outcome.value,
            "recorded_at": visit.recorded_at.isoformat(),
        }
        return Answer(status=201, body=view, headers={"Location": f"/v1/venues/{visit.venue_id}"})

    return change_once(service_of(request).store, request, body.model_dump_json().encode(), change)


@router.get("/calendar/{year}", responses=answers(CalendarView))
def read_year(request: Request, year: Year) -> Response:
    """Return a year's public holidays and the days worked to make up for them.

    A year whose notice is not out yet has none: its weeks are taken as they are.
    """
    from api.store.calendar import read_calendar  # noqa: PLC0415  heavy: not at start

    with service_of(request).store.read() as connection:
        years = read_calendar(connection).years
    found = next((one for one in years if one.year == year), CalendarYear(year=year, days=()))
    return JSONResponse(
        {
            "year": year,
            "is_published": found.is_published,
            "notice": found.notice,
            "published_on": found.published_on and found.published_on.isoformat(),
            "days": [{**asdict(one), "day": one.day.isoformat()} for one in found.days],
        }
    )


def _tagged(request: Request, view: Mapping[str, Any]) -> Response:
    tag = {"ETag": etag_of(view["version"])}
    if is_known(request, tag["ETag"]):
        return Response(status_code=304, headers=tag)
    return JSONResponse(dict(view), headers=tag)


def _venue_view(venue: "stored.Venue") -> dict[str, Any]:
    view = asdict(venue)
    view["unit"] = view.pop("unit_code")
    for name in ("last_inspection", "due"):
        view[name] = view[name] and view[name].isoformat()
    return view


def _rates(counts: "DueCounts") -> Iterator[tuple[str, Rate]]:
    for state in DueState:
        yield state.value, getattr(counts, state.value)


def _rate_view(rate: Rate) -> dict[str, Any]:
    return {
        "n": rate.n,
        "total": rate.total,
        "percent": None if rate.total == 0 else round(100 * rate.n / rate.total, 1),
        "data_date": rate.data_date.isoformat(),
        "boundary_version": rate.boundary_version,
    }
