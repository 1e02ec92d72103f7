"""Routes of plans and of the jobs that make them."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import audit, jobs, problems
from api.conditions import Answer, change_once, etag_of, is_known, stated_version
from api.declared import EVENT_STREAM, JSON_OBJECT, answers, headers
from api.i18n import Language, catalogue, explain, text
from api.jobs.fault import error_of
from api.judge import judge
from api.language import language_of
from api.paging import MOST, USUAL, page_of, read_cursor
from api.problems import Finding
from api.request import StrictRoute, require_json_type
from api.schemas import (
    Accepted,
    After,
    CancelRequest,
    DayQuery,
    JobId,
    JobPage,
    JobView,
    Limit,
    PlanId,
    PlanPage,
    PlanRequest,
    PlanView,
    PlanWhole,
    UnitQuery,
    VerdictView,
)
from api.security import PAGE_POLICY, actor_of
from api.service import Service, narrowed, service_of
from api.store import plans as stored
from api.stream import EventStream
from api.upload import UPLOADS, discard
from geo.errors import PlanInvalid
from geo.privacy import Audience
from geo.units import CITY_ZONE

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["plans"])

MAP: Final = "tonight.html"
"""The product of a plan that is its map."""

_STATE_IN_MAP: Final = re.compile(rb'("meta":\{"plan":"[^"]*","state":")[a-z]+(")')
"""Where a map says its plan's state: it was made as a draft and is served in today's state."""

PLAN_BYTES: Final = 16 << 20
"""Largest plan that is judged; a city's night is under 10 MB."""

NIGHT_ENDS: Final = timedelta(hours=36)
"""After the beginning of its day a night is over, and its seed no secret any more."""

PlanState = Literal["draft", "approved", "superseded"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JobKind = Literal["plan", "cells", "import", "apply", "undo"]


@router.post(
    "/plans",
    status_code=202,
    responses=answers(Accepted, 404, 413, 415, 422, 428, status=202),
    openapi_extra=headers("Idempotency-Key"),
)
def ask_for_plan(request: Request, body: PlanRequest) -> Response:
    """Put in the planning of a night; the job tells how it goes and names the plan."""
    actor = actor_of(request)
    asked = {"night": body.night.isoformat(), "shift": body.shift, "lang": language_of(request)}

    def change(connection: Connection) -> Answer:
        scope = narrowed(connection, actor.scope, body.unit)
        job_id = jobs.enqueue(
            connection, kind="plan", request=asked, seed=body.seed, unit_code=scope.unit_code
        )
        details = {"kind": "plan", "night": asked["night"]}
        audit.record(
            connection, actor=actor.label, action="job.put", subject=job_id, details=details
        )
        return accepted(job_id)

    return change_once(service_of(request).store, request, body.model_dump_json().encode(), change)


@router.get("/plans", responses=answers(PlanPage))
def list_plans(
    request: Request,
    *,
    night: DayQuery = None,
    state: Annotated[PlanState | None, Query()] = None,
    unit: UnitQuery = "",
    limit: Limit = USUAL,
    after: After = None,
) -> Response:
    """Return plans, the newest first."""
    key = read_cursor(after, int)
    with service_of(request).store.read() as connection:
        page = stored.plans_page(
            connection,
            night=night,
            state=state,
            unit_code=unit or None,
            after=key,
            limit=min(limit, MOST),
            scope=actor_of(request).scope,
        )
    return page_of(request, [_plan_view(plan) for plan in page.items], after=page.after)


@router.post(
    "/plans/check",
    max_body_size=PLAN_BYTES,
    responses=answers(VerdictView, 413, 415, 422, 429, 507),
    openapi_extra={"requestBody": {"required": True, "content": JSON_OBJECT}},
)
async def check_plan(request: Request) -> Response:
    """Judge a plan or a month's inspections, as `plan.json` or `due.json`; nothing is kept."""
    require_json_type(request)
    plan, lang = await request.body(), language_of(request)
    folder = service_of(request).folder / UPLOADS
    try:
        verdict = await run_in_threadpool(judge, plan, folder, lang=lang)
    except PlanInvalid as error:
        finding = Finding(f"body{error.params['where']}", "plan", {"rule": error.params["detail"]})
        return problems.answer_to(error, lang, findings=[finding])
    return JSONResponse({"is_sound": verdict["n_violations"] == 0, **verdict})


@router.get("/plans/{plan_id:id}", responses=answers(PlanWhole, 304, 404))
def read_plan(request: Request, plan_id: PlanId) -> Response:
    """Return a plan with its document."""
    scope = actor_of(request).scope
    with service_of(request).store.read() as connection:
        plan = stored.plan(connection, plan_id, scope)
        etag = etag_of(plan.version)
        if is_known(request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        document = stored.plan_document(connection, plan_id, scope)
    # the document is JSON already, and may be long
    view = json.dumps(_plan_view(plan), ensure_ascii=False).encode()
    whole = view[:-1] + b', "document": ' + document.strip() + b"}"
    return Response(whole, media_type="application/json", headers={"ETag": etag})


@router.get(
    "/plans/{plan_id:id}/map",
    response_class=HTMLResponse,
    responses=answers(None, 304, 404),
)
def read_map(request: Request, plan_id: PlanId) -> Response:
    """Return a plan's map: one page that needs nothing else. It is for command alone."""
    scope = actor_of(request).scope
    with service_of(request).store.read() as connection:
        plan = stored.plan(connection, plan_id, scope)
        etag = etag_of(plan.version)
        if is_known(request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        page = stored.plan_product(connection, plan_id, MAP, Audience.COMMAND, scope)
    policy = {"ETag": etag, "Content-Security-Policy": PAGE_POLICY}
    said = rf"\g<1>{plan.state}\g<2>".encode()
    body = _STATE_IN_MAP.sub(said, page.body, count=1)
    return Response(body, media_type="text/html", headers=policy)


@router.post(
    "/plans/{plan_id:id}/approve",
    responses=answers(PlanView, 404, 409, 412, 422, 428),
    openapi_extra=headers("If-Match", "Idempotency-Key"),
)
def approve(request: Request, plan_id: PlanId) -> Response:
    """Approve a draft; the plan approved before for the same night is superseded."""
    actor = actor_of(request)
    wanted = stated_version(request, kind="plan")

    def change(connection: Connection) -> Answer:
        audit.hold(connection)
        version = wanted.require(stored.plan(connection, plan_id, actor.scope).version)
        plan = stored.approve_plan(
            connection, plan_id, version=version, actor=actor.label, scope=actor.scope
        )
        return Answer(status=200, body=_plan_view(plan), headers={"ETag": etag_of(plan.version)})

    return change_once(service_of(request).store, request, b"", change)


@router.get("/jobs", responses=answers(JobPage), tags=["jobs"])
def list_jobs(
    request: Request,
    state: Annotated[JobState | None, Query()] = None,
    kind: Annotated[JobKind | None, Query()] = None,
    limit: Limit = USUAL,
    after: After = None,
) -> Response:
    """Return jobs, the newest first."""
    key = read_cursor(after, str)
    with service_of(request).store.read() as connection:
        page = jobs.jobs_page(
            connection,
            state=state or "",
            kind=kind or "",
            after=key,
            limit=min(limit, MOST),
            scope=actor_of(request).scope,
        )
    lang = language_of(request)
    return page_of(request, [_job_view(job, lang) for job in page.items], after=page.after)


@router.get("/jobs/{job_id:id}", responses=answers(JobView, 304, 404), tags=["jobs"])
def read_job(request: Request, job_id: JobId) -> Response:
    """Return a job: how far it is, and what it came to."""
    with service_of(request).store.read() as connection:
        job = jobs.read_job(connection, job_id, actor_of(request).scope)
    lang = language_of(request)
    tags = {"ETag": etag_of(job.version, lang=lang), "Vary": "Accept-Language"}
    if is_known(request, tags["ETag"]):
        return Response(status_code=304, headers=tags)
    return JSONResponse(_job_view(job, lang), headers=tags)


@router.get(
    "/jobs/{job_id:id}/events",
    response_class=EventStream,
    responses=answers(None, 204, 404, 429) | EVENT_STREAM,
    openapi_extra=headers("Last-Event-ID"),
    tags=["jobs"],
)
async def follow_job(request: Request, job_id: JobId) -> Response:
    """Stream what a job reports, from the event after Last-Event-ID to its last."""
    service = service_of(request)
    return await service.streams.follow(request, service.store, job_id)


@router.post(
    "/jobs/{job_id:id}/cancel",
    responses=answers(JobView, 404, 409, 413, 415, 422),
    openapi_extra=headers("Idempotency-Key"),
    tags=["jobs"],
)
def cancel_job(request: Request, job_id: JobId, body: CancelRequest | None = None) -> Response:
    """End a job within two seconds, dropping its work or keeping the best plan so far.

    It needs no If-Match: a job changes with every report, and the wish to end it holds whatever
    it reported last. Asked again, a cancelled job is answered as it stands.
    """
    actor, lang = actor_of(request), language_of(request)
    wish = body or CancelRequest()

    def change(connection: Connection) -> Answer:
        audit.hold(connection)
        job = jobs.read_job(connection, job_id, actor.scope)
        if job.state != "cancelled":
            job = jobs.ask_cancel(connection, job_id, keep_best=wish.keep_best, scope=actor.scope)
            audit.record(
                connection,
                actor=actor.label,
                action="job.cancel",
                subject=job_id,
                details=wish.model_dump(),
            )
        tag = etag_of(job.version, lang=lang)
        return Answer(status=200, body=_job_view(job, lang), headers={"ETag": tag})

    service = service_of(request)
    answer = change_once(service.store, request, wish.model_dump_json().encode(), change)
    _drop_upload(service, job_id)
    return answer


def _drop_upload(service: Service, job_id: str) -> None:
    """Delete the file that a cancelled job will not read any more."""
    with service.store.read() as connection:
        job = jobs.read_job(connection, job_id)
    if job.state == "cancelled" and job.request.get("uploaded"):
        discard(Path(str(job.request["file"])), service.folder / UPLOADS)


def accepted(job_id: str) -> Answer:
    """Return the answer to work that was put in."""
    return Answer(status=202, body={"job_id": job_id}, headers={"Location": f"/v1/jobs/{job_id}"})


def _plan_view(plan: stored.StoredPlan) -> dict[str, Any]:
    begin = datetime.combine(plan.night, datetime.min.time(), CITY_ZONE)
    is_over = datetime.now(UTC) > begin + NIGHT_ENDS
    return {
        "plan_id": plan.plan_id,
        "kind": plan.kind,
        "unit": plan.unit_code,
        "night": plan.night.isoformat(),
        "number": plan.number,
        "state": plan.state,
        "seed": plan.seed if is_over else None,
        "input_hash": plan.input_hash,
        "result_hash": plan.result_hash,
        "job_id": plan.job_id,
        "created_at": plan.created_at.isoformat(),
        "approved_at": plan.approved_at and plan.approved_at.isoformat(),
        "approved_by": plan.approved_by,
        "version": plan.version,
    }


def _job_view(job: jobs.Job, lang: Language) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "unit": job.unit_code,
        "attempts": job.attempts,
        "cancel": job.cancel,
        "step": job.step,
        "step_text": _step_text(job.step, lang),
        "done": job.done,
        "total": job.total,
        "best": job.best,
        "result": job.result,
        "result_hash": job.result_hash,
        "input_hash": job.input_hash,
        "error": _fault(job, lang),
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at and job.started_at.isoformat(),
        "finished_at": job.finished_at and job.finished_at.isoformat(),
        "version": job.version,
    }


def _step_text(step: str | None, lang: Language) -> str | None:
    code = f"step.{step}"
    return text(code, lang) if code in catalogue() else None


def _fault(job: jobs.Job, lang: Language) -> dict[str, Any] | None:
    """Return a job's error with its sentence; what it was about is the job's own input."""
    error = error_of(job)
    if error is None or job.error is None:
        return None
    return {**job.error, "text": explain(error, lang)}
