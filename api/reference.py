"""The description of the service: OpenAPI, its page without a CDN, and a page for every problem."""

import html
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from swagger_ui_bundle import swagger_ui_path

from api import problems
from api.i18n import LANGUAGES
from api.language import language_of
from api.request import StrictRoute
from api.schemas import Problem
from api.security import KEYED
from geo.errors import NotFound

router = APIRouter(route_class=StrictRoute, include_in_schema=False)

_ASSETS: Final[Mapping[str, str]] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>patrolgrid API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head><body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>
"""

_START: Final = """\
SwaggerUIBundle({
  url: "/openapi-3.0.json", dom_id: "#swagger-ui", validatorUrl: null,
  deepLinking: true, docExpansion: "list", defaultModelsExpandDepth: 0,
});
"""


@router.get("/")
def home() -> Response:
    """Lead whoever opens the bare address to the description."""
    return RedirectResponse("/docs")


@router.get("/docs")
def docs() -> Response:
    """Return the page of the description; everything it loads is here."""
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Return a part of the page, from the wheel `swagger-ui-bundle`."""
    kept = {"Cache-Control": "public, max-age=3600"}
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=kept)
    if name not in _ASSETS:
        raise NotFound(kind="address")
    return Response(_asset(name), media_type=_ASSETS[name], headers=kept)


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    """Return the description, OpenAPI 3.1."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


@router.get("/openapi-3.0.json")
def openapi_3_0(request: Request) -> Response:
    """Return the description for readers that know OpenAPI 3.0, as our own page does."""
    app: FastAPI = request.app
    return JSONResponse(as_3_0(app.openapi()))


@router.get("/problems/{code}")
def problem(request: Request, code: str) -> Response:
    """Tell what a problem's type means: JSON, or a page for a browser."""
    found = problems.classes_by_code().get(code)
    if found is None:
        raise NotFound(kind="address")
    titles = {lang: problems.title_of(code, lang) for lang in LANGUAGES}
    status = problems.row_of(found).status
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"type": f"/problems/{code}", "status": status, "title": titles})
    lang = language_of(request)
    words = [f"<h1>{html.escape(titles[lang])}</h1>", f"<p>{html.escape(code)} · {status}</p>"]
    page = f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{code}</title>'
    return Response(page + "".join(words), media_type="text/html")


class Described(FastAPI):
    """An app whose description says what is true of every route of ours."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, OpenAPI 3.1."""
        if self.openapi_schema is None:
            self.openapi_schema = _described(super().openapi())
        return self.openapi_schema


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Return the framework's description with keys and problems, without its own errors."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "browser": {"type": "http", "scheme": "basic", "description": "The key as password."},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
            if path.startswith(KEYED):
                operation["security"] = [{"key": []}, {"browser": []}]
                answers.setdefault("401", answers["400"])
    return document


def as_3_0(node: Any) -> Any:
    """Return an OpenAPI 3.1 description in the words of 3.0: null, const, limits, examples."""
    if isinstance(node, list):
        return [as_3_0(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "openapi" in node:
        return {**{k: as_3_0(v) for k, v in node.items()}, "openapi": "3.0.3"}
    made = {name: as_3_0(value) for name, value in node.items()}
    choices = made.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [one for one in choices if one != {"type": "null"}]
        del made["anyOf"]
        made |= {"nullable": True, **(others[0] if len(others) == 1 else {"anyOf": others})}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    for old, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(old), int | float) and not isinstance(made[old], bool):
            made |= {limit: made[old], old: True}
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    if made.pop("contentMediaType", None):
        made["format"] = "binary"
    return made


def release() -> str:
    """Return the release that answers."""
    return version("patrolgrid")


@cache
def _asset(name: str) -> bytes:
    content: bytes = (swagger_ui_path / name).read_bytes()
    return content
