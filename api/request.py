"""Reading a request strictly: what is not documented is refused, not ignored."""

import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor

from geo.errors import MediaTypeRefused, RequestInvalid

DEEPEST: Final = 32
"""Most levels of a JSON body."""

_LARGEST_INTEGER: Final = 1 << 63


class _IdConvertor(Convertor[str]):
    """Lets ids of ours into a path: what cannot be one is an address that does not exist."""

    regex = "[a-z]+_[0-9a-z]{26}"

    def convert(self, value: str) -> str:
        """Return the id of a path."""
        return value

    def to_string(self, value: str) -> str:
        """Return the path of an id."""
        return value


register_url_convertor("id", _IdConvertor())


class StrictRoute(APIRoute):
    """A route that takes the query parameters it declares, each once, and strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that reads the request before the framework does."""
        handle = super().get_route_handler()
        known = _query_names(self)
        field = self.body_field

        async def read(request: Request) -> Response:
            _require_known(request, known)
            if field is not None and (await request.body() or field.field_info.is_required()):
                require_json_type(request)
                # what the framework's own `request.json()` then returns
                request._json = parse_json(await request.body())
            return await handle(request)

        return read


def parse_json(body: bytes) -> Any:
    """Return what a JSON body says.

    UTF-8, no key twice, no NaN or Infinity, whole numbers of 64 bits, no lone surrogate, no NUL,
    at most `DEEPEST` levels.

    Raises
    ------
    RequestInvalid
        Anything else.
    """
    try:
        text = body.decode("utf-8")
        _require_shallow(text)
        value = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_number,
        )
        _require_text(value)
    except (ValueError, RecursionError) as error:
        raise RequestInvalid(
            where="body",
            expected=f"JSON in UTF-8: no key twice, no NaN, 64-bit numbers, {DEEPEST} levels",
        ) from error
    return value


def _require_known(request: Request, known: frozenset[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    if not known.issuperset(names):
        allowed = ", ".join(sorted(known)) or "no parameter"
        raise RequestInvalid(where="query", expected=f"only: {allowed}")
    if len(names) > len(set(names)):
        raise RequestInvalid(where="query", expected="every parameter once")
    if "\0" in request.url.path or any("\0" in value for value in request.query_params.values()):
        raise RequestInvalid(where="query", expected="no NUL character")


def require_json_type(request: Request) -> None:
    """Refuse a body that does not say it is JSON.

    Raises
    ------
    MediaTypeRefused
        Another Content-Type, or none.
    """
    stated = request.headers.getlist("content-type")
    kind = stated[0].partition(";")[0].strip().lower() if len(stated) == 1 else ""
    if kind != "application/json":
        raise MediaTypeRefused(expected="application/json")


def _query_names(route: APIRoute) -> frozenset[str]:
    return frozenset(field.alias for field in route.dependant.query_params)


def _require_shallow(text: str) -> None:
    """Refuse deep nesting before the parser meets it; a bracket inside a text counts as none."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth, is_inside, is_escaped = 0, False, False
    for character in text:
        if is_inside:
            is_inside = is_escaped or character != '"'
            is_escaped = character == "\\" and not is_escaped
        elif character == '"':
            is_inside = True
        elif character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise ValueError("too deep")
        elif character in "]}":
            depth -= 1


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key twice")
    return members


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a number")


def _integer(text: str) -> int:
    if len(text) > 20 or not -_LARGEST_INTEGER <= int(text) < _LARGEST_INTEGER:
        raise ValueError("more than 64 bits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("more than a double")
    return value


def _require_text(value: object) -> None:
    """Refuse text that no database and no file can hold: a lone surrogate, NUL."""
    match value:
        case str():
            if "\0" in value:
                raise ValueError("NUL")
            value.encode("utf-8")
        case dict():
            for name, member in value.items():
                _require_text(name)
                _require_text(member)
        case list():
            for member in value:
                _require_text(member)
        case _:
            pass
