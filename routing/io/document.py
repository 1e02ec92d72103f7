"""JSON documents with a schema: strict reading, canonical and atomic writing."""

import hashlib
import json
import operator
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from geo.errors import FileMissing, FileUnreadable, PlanInvalid

Document = dict[str, Any]
"""A JSON object; `Any` because JSON has no types before its schema has judged it."""

LARGEST = 64 << 20
"""Bytes of a file that is still read; a city's night is under 10 MB."""

LINE = 100
"""Characters a value may take on one line before it is broken into its members."""


def render(value: object, indent: int = 0) -> str:
    """Return canonical JSON: short values on one line, long ones a member a line.

    A numpy integer is a whole number like any other; anything else JSON lacks is a TypeError.
    """
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False, default=operator.index)
    if len(flat) + indent <= LINE or not isinstance(value, dict | list):
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        members = [
            f"{json.dumps(k, ensure_ascii=False)}: {render(v, indent + 1)}"
            for k, v in value.items()
        ]
        opening, closing = "{", "}"
    else:
        members = [render(v, indent + 1) for v in value]
        opening, closing = "[", "]"
    return f"{opening}\n{pad}" + f",\n{pad}".join(members) + f"\n{' ' * indent}{closing}"


def seal(document: Document) -> Document:
    """Return the document with the SHA-256 of its members as its last one.

    It tells a damaged or hand-changed file from a written one; it is no signature.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, default=operator.index)
    return {**document, "content_hash": hashlib.sha256(text.encode()).hexdigest()}


def write_text(text: str, path: Path) -> None:
    """Write a whole file or none: under a temporary name first, then in place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def stated_format(path: Path) -> str:
    """Return what a JSON file says its format is; "" when it says nothing.

    Raises
    ------
    FileMissing, FileUnreadable, PlanInvalid
        No such file; not text; not JSON.
    """
    document = _parse(_text(path), source=path.name)
    return str(document.get("format", "")) if isinstance(document, dict) else ""


def load(path: Path, *, family: str, schema: str) -> Document:
    """Read a document and judge it by its schema.

    Parameters
    ----------
    path : Path
    family : str
        What `format` begins with, for example ``patrolgrid.plan/``.
    schema : str
        File name of the schema beside this package.

    Raises
    ------
    FileMissing, FileUnreadable
        No such file; not a file, not UTF-8 or too large.
    PlanInvalid
        Not JSON, not this format, or not by its schema; says where.
    """
    document = _parse(_text(path), source=path.name)
    stated = document.get("format") if isinstance(document, dict) else None
    known = _schema(schema)["properties"]["format"]["const"]
    if stated != known:
        hint = f"a {family} file" if str(stated).startswith(family) else "another kind of file"
        _refuse(path.name, "$.format", f"{hint}; this version reads {known}")
    error = best_match(_validator(schema).iter_errors(document))
    if error is not None:
        _refuse(path.name, error.json_path, _complaint(error.validator, error.validator_value))
    return dict(document)


def _text(path: Path) -> str:
    if not path.exists():
        raise FileMissing(source=path)
    if not path.is_file() or path.stat().st_size > LARGEST:
        hint = f"It must be a file of at most {LARGEST >> 20} MB."
        raise FileUnreadable(source=path.name, expected="JSON", hint=hint)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        hint = f"Byte {error.start} is not UTF-8."
        raise FileUnreadable(source=path.name, expected="JSON", hint=hint) from error


def _parse(text: str, *, source: str) -> Any:
    """Parse JSON; a repeated key, NaN, Infinity or endless nesting is not JSON here."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PlanInvalid(source=source, where=where, detail=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise PlanInvalid(source=source, where="$", detail=str(error)[:120]) from error


def _once(pairs: Sequence[tuple[str, object]]) -> Mapping[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key is repeated")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(_schema(schema))


@cache
def _schema(schema: str) -> Document:
    text = files("routing").joinpath(schema).read_text(encoding="utf-8")
    return dict(json.loads(text))


def _complaint(rule: object, expected: object) -> str:
    """Say which rule of the schema is broken; the file's own value is never repeated."""
    return f"{rule} {expected!r:.120}"


def _refuse(source: str, where: str, detail: str) -> NoReturn:
    raise PlanInvalid(source=source, where=where, detail=detail)


def differences(found: object, expected: object, where: str = "$") -> list[str]:
    """Return the JSON paths at which two documents differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = list(expected) + [key for key in found if key not in expected]
        return [
            path
            for key in keys
            for path in differences(found.get(key), expected.get(key), f"{where}.{key}")
        ]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [path for k, (a, b) in pairs for path in differences(a, b, f"{where}[{k}]")]
    return [] if found == expected else [where]
