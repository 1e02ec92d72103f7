"""Routes of imports: a file comes in, its preview is read, it is applied, it can be undone."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import audit, jobs
from api.conditions import Answer, change_once, etag_of, is_known, stated_version
from api.declared import answers, form, headers
from api.i18n import Language, text
from api.language import language_of
from api.paging import MOST, USUAL, page_of, read_cursor
from api.plans import accepted
from api.request import StrictRoute
from api.schemas import (
    Accepted,
    After,
    ChangePage,
    ImportForm,
    ImportId,
    ImportPage,
    ImportView,
    Layer,
    Limit,
)
from api.security import Actor, actor_of
from api.service import Service, service_of
from api.store import EVERYWHERE
from api.upload import FILE, UPLOADS, Upload, receive
from geo.errors import NotFound

if TYPE_CHECKING:
    from api.imports.account import Import, RowChange

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["imports"])

_SHOWN: Final = (
    "import_id",
    "layer",
    "file_name",
    "file_hash",
    "state",
    "n_rows",
    "n_added",
    "n_changed",
    "n_moved",
    "n_missing",
    "n_unchanged",
    "n_refused",
    "version",
)
_INSTANTS: Final = ("created_at", "applied_at", "undone_at")

_Change = Callable[[Connection], Answer]


@router.post(
    "/imports",
    status_code=202,
    responses=answers(Accepted, 413, 415, 422, 507, status=202),
    openapi_extra=headers("Idempotency-Key") | form(ImportForm, file=FILE),
)
async def send_file(request: Request) -> Response:
    """Take a file in and put in the job that previews it; nothing is changed by it.

    The file is on disk before the answer, and deleted as soon as the job has read it.
    """
    service, actor = service_of(request), actor_of(request)
    upload = await receive(request, service.folder / UPLOADS)
    is_kept = False
    try:
        asked = _checked(upload)
        answer = await run_in_threadpool(_put_in, service, request, actor, upload, asked)
        is_kept = "idempotency-replayed" not in answer.headers
        return answer
    finally:
        if not is_kept:
            upload.drop()


def _put_in(
    service: Service, request: Request, actor: Actor, upload: Upload, asked: ImportForm
) -> Response:
    options = asked.model_dump(mode="json", exclude={"layer", "drop"}, exclude_none=True)
    dropped = [name.strip() for name in asked.drop.split(",") if name.strip()]
    wanted = {
        "file": str(upload.path),
        "layer": asked.layer,
        "options": options | ({"drop": dropped} if dropped else {}),
        "uploaded": True,
    }
    return change_once(
        service.store, request, upload.digest(), _job(actor, "import", wanted, asked.layer)
    )


@router.get("/imports", responses=answers(ImportPage))
def list_imports(
    request: Request,
    layer: Annotated[Layer | None, Query()] = None,
    limit: Limit = USUAL,
    after: After = None,
) -> Response:
    """Return imports, the newest first."""
    from api.imports.account import imports_page  # noqa: PLC0415  heavy: not at start

    key = read_cursor(after, int)
    with service_of(request).store.read() as connection:
        page = imports_page(
            connection,
            layer=layer or "",
            after=key,
            limit=min(limit, MOST),
            scope=actor_of(request).scope,
        )
    lang = language_of(request)
    return page_of(request, [_view(one, lang) for one in page.items], after=page.after)


@router.get("/imports/{import_id:id}", responses=answers(ImportView, 304, 404))
def show_import(request: Request, import_id: ImportId) -> Response:
    """Return what an import changes, and whether it was applied or undone."""
    from api.imports.account import read_import  # noqa: PLC0415  heavy: not at start

    with service_of(request).store.read() as connection:
        found = read_import(connection, import_id, actor_of(request).scope)
    lang = language_of(request)
    tags = {"ETag": etag_of(found.version, lang=lang), "Vary": "Accept-Language"}
    if is_known(request, tags["ETag"]):
        return Response(status_code=304, headers=tags)
    return JSONResponse(_view(found, lang), headers=tags)


@router.get("/imports/{import_id:id}/changes", responses=answers(ChangePage, 404))
def list_changes(
    request: Request,
    import_id: ImportId,
    change: Annotated[
        Literal["added", "changed", "moved", "missing", "refused"] | None, Query()
    ] = None,
    limit: Limit = USUAL,
    after: After = None,
) -> Response:
    """Return an import's account row by row, refused rows with their reason."""
    from api.imports.account import changes_page  # noqa: PLC0415  heavy: not at start

    key = read_cursor(after, int)
    with service_of(request).store.read() as connection:
        page = changes_page(
            connection,
            import_id,
            change=change,
            after=key,
            limit=min(limit, MOST),
            scope=actor_of(request).scope,
        )
    lang = language_of(request)
    return page_of(request, [_change_view(row, lang) for row in page.items], after=page.after)


@router.post(
    "/imports/{import_id:id}/apply",
    status_code=202,
    responses=answers(Accepted, 404, 409, 412, 422, 428, status=202),
    openapi_extra=headers("If-Match", "Idempotency-Key"),
)
def apply_import(request: Request, import_id: ImportId) -> Response:
    """Put in the job that does what the preview says, in one transaction."""
    return _ask(request, import_id, "apply")


@router.post(
    "/imports/{import_id:id}/undo",
    status_code=202,
    responses=answers(Accepted, 404, 409, 412, 422, 428, status=202),
    openapi_extra=headers("If-Match", "Idempotency-Key"),
)
def undo_import(request: Request, import_id: ImportId) -> Response:
    """Put in the job that takes the last applied import of a layer back."""
    return _ask(request, import_id, "undo")


def _ask(request: Request, import_id: str, kind: str) -> Response:
    from api.imports.account import read_import  # noqa: PLC0415  heavy: not at start
    from api.imports.apply import require_fresh  # noqa: PLC0415
    from api.imports.undo import require_last  # noqa: PLC0415

    actor = actor_of(request)
    version = stated_version(request, kind="import")
    require_possible = require_fresh if kind == "apply" else require_last

    def change(connection: Connection) -> Answer:
        found = read_import(connection, import_id, actor.scope)
        version.require(found.version)
        require_possible(connection, found)
        wanted = {"import_id": import_id, "actor": actor.label}
        return _job(actor, kind, wanted, import_id)(connection)

    return change_once(service_of(request).store, request, b"", change)


def _job(actor: Actor, kind: str, wanted: Mapping[str, Any], subject: str) -> _Change:
    """Return the change that puts a job of an import in."""

    def change(connection: Connection) -> Answer:
        _require_whole_city(actor)
        job_id = jobs.enqueue(connection, kind=kind, request=wanted)
        details = {"kind": kind, "of": subject}
        audit.record(
            connection, actor=actor.label, action="job.put", subject=job_id, details=details
        )
        return accepted(job_id)

    return change


def _require_whole_city(actor: Actor) -> None:
    """Refuse a key of a part: an import is of the whole city, and a part sees none."""
    if actor.scope != EVERYWHERE:
        raise NotFound(kind="import")


def _checked(upload: Upload) -> ImportForm:
    try:
        return ImportForm.model_validate(dict(upload.fields))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in found]
        ) from None


def _view(one: "Import", lang: Language) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in _SHOWN},
        "options": dict(one.options),
        "notes": [_said(note["code"], note.get("params", {}), lang) for note in one.notes],
        **{name: _instant(getattr(one, name)) for name in _INSTANTS},
    }


def _change_view(row: "RowChange", lang: Language) -> dict[str, Any]:
    view = asdict(row)
    view["text"] = None if row.code is None else _said(row.code, row.params, lang)["text"]
    return view


def _said(code: str, params: Mapping[str, Any], lang: Language) -> dict[str, Any]:
    """Return a message of an import: code, parameters, and the sentence."""
    try:
        sentence = text(code, lang, **params)
    except (KeyError, IndexError):  # written by another release
        sentence = code
    return {"code": code, "params": dict(params), "text": sentence}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
