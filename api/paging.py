"""Pages by key: each names the place after its last row, so that no row is seen twice or missed.

The cursor is opaque: it is handed out in `Link` (RFC 8288) and in `next`, and comes back unchanged.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse

from geo.errors import RequestInvalid

USUAL, MOST = 100, 1000
"""Rows of a page when nothing is asked, and at most; more is cut to the most, never refused."""

LONGEST_CURSOR: Final = 400

Key = tuple[str | int | None, ...]
"""Values of the last row that the next page begins after."""


def write_cursor(key: Key) -> str:
    """Return the opaque form of a key."""
    text = json.dumps(list(key), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> Key | None:
    """Return the key of a cursor; none where there is none.

    Parameters
    ----------
    cursor : str, optional
    *kinds : type
        `str` or `int` of every value; a text may also be none.

    Raises
    ------
    RequestInvalid
        Not a cursor that this list handed out.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        is_key = isinstance(key, list) and len(key) == len(kinds) and all(map(_fits, key, kinds))
    except (binascii.Error, ValueError, RecursionError):
        is_key = False
    if not is_key or write_cursor(tuple(key)) != cursor:
        raise RequestInvalid(where="query.after", expected="the cursor of a page before")
    return tuple(key)


def page_of(
    request: Request,
    rows: Sequence[Mapping[str, Any]],
    *,
    after: Key | None,
    members: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a page: its rows, the cursor after it, and `Link`.

    Parameters
    ----------
    request : Request
    rows : sequence of mapping
    after : tuple, optional
        Key of the last row when there are more.
    members : mapping, optional
        What else the page says, such as counts.
    """
    cursor = None if after is None else write_cursor(after)
    headers = {}
    if cursor is not None:
        query = urlencode({**request.query_params, "after": cursor})
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return JSONResponse({**(members or {}), "items": list(rows), "next": cursor}, headers=headers)


def _fits(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value < 1 << 62
    return value is None or (isinstance(value, str) and "\0" not in value and value.isprintable())
