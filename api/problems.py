"""What goes wrong, as RFC 9457 problems: one table from error class to status.

The detail is the error's own sentence in the reader's language, unless one of its parameters could
hold something of the request: then the title stands for it. Nothing that was sent comes back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from logging import getLogger
from string import Formatter
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.i18n import Language, catalogue, explain, text
from api.language import language_of
from geo import errors
from geo.errors import PatrolgridError, error_classes

log = getLogger(f"patrolgrid.{__name__}")

MEDIA_TYPE: Final = "application/problem+json"

MOST_FINDINGS: Final = 20
"""Findings of one invalid request that are listed; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Row:
    """What an error class becomes.

    Attributes
    ----------
    status : int
    shown : frozenset of str
        Parameters that are ours alone and may be shown; the detail needs all of its own among them.
    """

    status: int
    shown: frozenset[str] = frozenset()


def _row(status: int, *shown: str) -> Row:
    return Row(status, frozenset(shown))


TABLE: Final[Mapping[type[PatrolgridError], Row]] = {
    errors.PatrolgridError: _row(500),
    errors.InputError: _row(422),
    errors.FileMissing: _row(422),
    errors.FileUnreadable: _row(422),
    errors.FileEmpty: _row(422),
    errors.FileBlank: _row(422),
    errors.ColumnMissing: _row(422),
    errors.ValueInvalid: _row(422),
    errors.CodeInvalid: _row(422),
    errors.DatumMismatch: _row(422),
    errors.OutsideBoundary: _row(422),
    errors.PersonalDataRefused: _row(422),
    errors.PersonalValuesRefused: _row(422),
    errors.PersonKindRefused: _row(422),
    errors.PositionRefused: _row(422),
    errors.DemandInputRefused: _row(422),
    errors.RuleInvalid: _row(422),
    errors.FarFromStreets: _row(422),
    errors.OptionInvalid: _row(422),
    errors.PlanInvalid: _row(422),
    errors.NetworkError: _row(422),
    errors.NetworkEmpty: _row(422),
    errors.StationUnreachable: _row(422),
    errors.PlaceCutOff: _row(422),
    errors.InfeasibleError: _row(422),
    errors.CheckFailed: _row(500),
    errors.StoreError: _row(503),
    errors.StoreUnavailable: _row(503),
    errors.StoreForeign: _row(503),
    errors.StoreOutdated: _row(503),
    errors.StoreTooNew: _row(503),
    errors.StoreFull: _row(507),
    errors.LayerMissing: _row(409, "layer"),
    errors.StoreBusy: _row(503),
    errors.RequestError: _row(400),
    errors.RequestInvalid: _row(400, "where", "expected"),
    errors.KeyRefused: _row(401),
    errors.NotFound: _row(404, "kind"),
    errors.VersionMissing: _row(428, "kind"),
    errors.VersionConflict: _row(412, "kind"),
    errors.StateConflict: _row(409, "kind", "state", "wanted"),
    errors.RequestRepeated: _row(422),
    errors.BodyTooLarge: _row(413, "limit_mb"),
    errors.HeadersTooLarge: _row(431, "limit_kb"),
    errors.MethodRefused: _row(405),
    errors.MediaTypeRefused: _row(415, "expected"),
    errors.HostRefused: _row(421, "expected"),
    errors.OriginRefused: _row(403),
    errors.TooMany: _row(429, "seconds"),
    errors.LimitExceeded: _row(422),
    errors.JobFailed: _row(500),
    errors.ServiceUnavailable: _row(503),
    errors.Stopped: _row(503),
}
"""Every class of `geo.errors`; one added there without a row here fails a test."""

_CHALLENGES: Final = ('Basic realm="patrolgrid", charset="UTF-8"', 'Bearer realm="patrolgrid"')


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a request.

    Attributes
    ----------
    where : str
        A place of the documented request: ``body.night``, ``query.limit``; never a name that
        was sent.
    code : str
        Message code below ``problem.finding.``.
    params : mapping
        Limits of ours, such as the largest number allowed.
    """

    where: str
    code: str
    params: Mapping[str, object]


def row_of(error: type[PatrolgridError]) -> Row:
    """Return the row of a class, or of the nearest class above it."""
    return next(TABLE[cls] for cls in error.__mro__ if cls in TABLE)


def classes_by_code() -> Mapping[str, type[PatrolgridError]]:
    """Return every error class of the table by its code."""
    return {cls.code: cls for cls in error_classes() if cls in TABLE}


def title_of(code: str, lang: Language) -> str:
    """Return the title of a problem, the same for all problems of a code."""
    return text(f"problem.title.{code}", lang)


def document_of(error: PatrolgridError, lang: Language) -> dict[str, Any]:
    """Return an error as a problem document."""
    row = row_of(type(error))
    code = error.code
    params = {name: _spoken(error.params[name], lang) for name in _named(error, row)}
    is_open = _fields(error.template) <= row.shown
    return {
        "type": f"/problems/{code}",
        "title": title_of(code, lang),
        "status": row.status,
        "detail": explain(type(error)(**params), lang) if is_open else title_of(code, lang),
        "code": code,
        "params": params,
    }


def answer_to(
    error: PatrolgridError,
    lang: Language,
    *,
    findings: Sequence[Finding] = (),
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that tells of an error."""
    document = document_of(error, lang)
    if findings:
        document["errors"] = [_shown(one, lang) for one in findings[:MOST_FINDINGS]]
        document["n_errors"] = len(findings)
    answer = JSONResponse(
        document | dict(members or {}),
        status_code=document["status"],
        media_type=MEDIA_TYPE,
        headers={
            "Content-Language": lang,
            "Vary": "Accept-Language",
            **_headers_of(error),
            **(headers or {}),
        },
    )
    if isinstance(error, errors.KeyRefused):
        for challenge in _CHALLENGES:  # a line each: Chromium reads but the first of a line
            answer.headers.append("WWW-Authenticate", challenge)
    return answer


def install(app: FastAPI) -> None:
    """Answer every error of an app as a problem."""
    app.add_exception_handler(PatrolgridError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_status)
    app.add_exception_handler(Exception, _on_fault)


async def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, PatrolgridError):
        raise error
    if row_of(type(error)).status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", error.code, exc_info=error)
    return answer_to(error, language_of(request))


async def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    lang = language_of(request)
    findings = [_finding(one) for one in error.errors()]
    first = _shown(findings[0], lang)
    invalid = errors.RequestInvalid(where=first["where"], expected=first["detail"])
    return answer_to(invalid, lang, findings=findings)


async def _on_status(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: unknown paths, methods, bodies."""
    if not isinstance(error, HTTPException):
        raise error
    lang = language_of(request)
    match error.status_code:
        case 404:
            return answer_to(errors.NotFound(kind="address"), lang)
        case 405:
            allowed = ", ".join(sorted(_methods_at(request)))
            return answer_to(errors.MethodRefused(), lang, headers={"Allow": allowed})
        case 413:
            return too_large(request)
        case _:
            expected = text("problem.finding.unreadable", lang)
            return answer_to(errors.RequestInvalid(where="body", expected=expected), lang)


async def _on_fault(request: Request, error: Exception) -> Response:
    """Answer a defect of ours: it is in the log, and nothing of it is in the answer."""
    log.error("unexpected", exc_info=error)
    return answer_to(PatrolgridError(detail=""), language_of(request))


def too_large(request: Request) -> Response:
    """Return the answer to a body over the limit of its route."""
    limit = body_limit_mb(request)
    return answer_to(
        errors.BodyTooLarge(limit_mb=limit), language_of(request), headers={"Connection": "close"}
    )


def body_limit_mb(request: Request) -> int:
    """Return the most megabytes a request's route takes, at least 1."""
    most: int = request.app.max_body_size
    for route in request.app.state.routes:
        if route.matches(request.scope)[0] is Match.FULL:
            usual = request.app.state.largest_file if "imports" in route.tags else most
            most = route.max_body_size or usual
            break
    return max(1, most >> 20)


def _methods_at(request: Request) -> set[str]:
    return {
        method
        for route in request.app.state.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


def _headers_of(error: PatrolgridError) -> dict[str, str]:
    match error:
        case errors.TooMany():
            return {"Retry-After": str(error.params["seconds"])}
        case errors.StoreBusy():
            return {"Retry-After": "1"}
        case _:
            return {}


def _named(error: PatrolgridError, row: Row) -> Iterable[str]:
    return sorted(row.shown & error.params.keys())


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _spoken(value: object, lang: Language) -> object:
    """Return a parameter; one of our words in the reader's language."""
    code = getattr(value, "code", f"word.{value}")
    return text(code, lang) if code in catalogue() else value


def _shown(finding: Finding, lang: Language) -> dict[str, str]:
    code = f"problem.finding.{finding.code}"
    return {
        "where": finding.where,
        "code": finding.code,
        "detail": text(code, lang, **finding.params),
    }


_FINDINGS: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "json_invalid": "json",
    "literal_error": "choice",
    "enum": "choice",
    "string_too_long": "long",
    "string_too_short": "short",
    "too_long": "long",
    "too_short": "short",
    "greater_than_equal": "least",
    "less_than_equal": "most",
    "less_than": "below",
    "clock": "clock",
    "instant": "instant",
    "origin_minutes": "origin_minutes",
    "pairs": "pairs",
    "finite_number": "number",
    "string_pattern_mismatch": "pattern",
    "string_unicode": "unicode",
}
"""Pydantic's kinds of error, in ours; others by what they begin with."""

_FAMILIES: Final = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "date": "day",
    "string": "text",
    "model": "object",
    "dict": "object",
    "list": "list",
}

_LIMITS: Final = ("ge", "le", "lt", "max_length", "min_length", "expected")


def _finding(error: Mapping[str, Any]) -> Finding:
    kind = str(error["type"])
    code = _FINDINGS.get(kind) or next(
        (ours for family, ours in _FAMILIES.items() if kind.startswith(family)), "invalid"
    )
    where = [str(part) for part in error["loc"]]
    if code in {"unknown", "json"}:  # the last part is a name, or a position, that was sent
        where = where[:-1]
    context = error.get("ctx", {})
    params = {name: context[name] for name in _LIMITS if name in context}
    return Finding(".".join(where), code, params)
