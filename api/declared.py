"""How a route declares, for the description, what it reads and what it may answer."""

from typing import Any, Final

from pydantic import BaseModel

from api.problems import MEDIA_TYPE


def answers(model: type[BaseModel] | None, *others: int, status: int = 200) -> dict[Any, Any]:
    """Return what a route may answer: its own, and the problems any request may meet.

    Parameters
    ----------
    model : type, optional
        Shape of the answer.
    *others : int
        Statuses besides those of every route: problems, and those without a body.
    status : int
    """
    own: dict[Any, Any] = {} if model is None else {status: {"model": model}}
    for code in sorted({*_EVERYWHERE, *others}):
        own[code] = {"description": _BARE[code]} if code in _BARE else PROBLEM
    return own


def headers(*names: str) -> dict[str, Any]:
    """Return the declaration of headers that a route reads."""
    return {"parameters": [_HEADERS[name] for name in names]}


def form(model: type[BaseModel], *, file: str) -> dict[str, Any]:
    """Return the declaration of a form with one file."""
    schema = model.model_json_schema()
    fields = {file: {"type": "string", "format": "binary"}, **schema["properties"]}
    whole = {
        "type": "object",
        "properties": fields,
        "required": [file, *schema["required"]],
        "additionalProperties": False,
    }
    content = {"multipart/form-data": {"schema": whole}}
    return {"requestBody": {"required": True, "content": content}}


PROBLEM: Final[dict[str, Any]] = {
    "description": "Problem (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""How a problem is declared: the schema is added once, by `api.reference`."""

JSON_OBJECT: Final[dict[str, Any]] = {"application/json": {"schema": {"type": "object"}}}

EVENT_STREAM: Final[dict[Any, Any]] = {
    200: {
        "description": "Events, each with its number as id.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("data", "event", "id")},
                }
            }
        },
    }
}

_EVERYWHERE: Final = (400, 403, 421, 431, 500, 503)

_BARE: Final = {204: "Everything was seen.", 304: "As the reader knows it."}


def _header(name: str, pattern: str, said: str, *, is_required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": is_required,
        "schema": {"type": "string", "pattern": pattern},
        "description": said,
    }


_HEADERS: Final = {
    "If-Match": _header(
        "If-Match", '^"[0-9]{1,9}"$', "ETag of the thing as it was read.", is_required=True
    ),
    "Idempotency-Key": _header(
        "Idempotency-Key",
        '^("[0-9A-Za-z_.:-]{1,128}"|[0-9A-Za-z_.:-]{1,128})$',
        "Unique to this wish: asked again with it, the first answer comes again.",
    ),
    "Last-Event-ID": _header("Last-Event-ID", "^[0-9]{0,9}$", "The last event that was seen."),
}
