"""A file that comes in by HTTP: streamed to disk beside the store, durable before the answer."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PureWindowsPath
from typing import BinaryIO, Final

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from geo.errors import MediaTypeRefused, RequestInvalid, StoreFull
from geo.privacy.shown import has_personal_shape

FILE: Final = "file"
"""Name of the part that is the file."""

UPLOADS: Final = "uploads"
"""Folder of files that no job has read yet."""

LEFT_SECONDS: Final = 3600
"""Age from which a file that no job waits for was left by a crash."""

_MOST_FIELDS, _LONGEST_FIELD, _LONGEST_NAME = 20, 4_000, 150
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it came, and what was said beside it.

    Attributes
    ----------
    path : Path
        In a folder of its own; deleted with it by `drop`.
    sha256 : str
    fields : mapping of str to str
        The other parts of the form.
    """

    path: Path
    sha256: str
    fields: Mapping[str, str]

    def digest(self) -> bytes:
        """Return what tells this form from another; a retry picks another boundary."""
        fields = [f"{name}={value!r}" for name, value in sorted(self.fields.items())]
        return "\n".join([self.path.name, self.sha256, *fields]).encode()

    def drop(self) -> None:
        """Delete the file: nobody will read it."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


async def receive(request: Request, folder: Path) -> Upload:
    """Write the file of a multipart form to disk, part by part as it comes.

    Parameters
    ----------
    request : Request
    folder : Path
        Where uploads go.

    Raises
    ------
    MediaTypeRefused
        Not multipart/form-data.
    RequestInvalid
        Not one file, or fields that are too many, too long or not text.
    StoreFull
        No space for it.
    """
    place = folder / secrets.token_hex(16)
    form = _Form(place, _boundary(request))
    try:
        async for chunk in request.stream():
            await run_in_threadpool(_guarded, form.write, chunk)
        await run_in_threadpool(_guarded, form.finish, b"")
        return form.upload()
    except BaseException as error:
        form.close()
        shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, ClientDisconnect):  # nobody is there to be answered
            raise RequestInvalid(where="body", expected="a whole body") from error
        raise


def sweep(folder: Path, *, needed: frozenset[str]) -> None:
    """Delete uploads that a crash left: old ones whose path no waiting job names."""
    if not folder.is_dir():
        return
    before = time.time() - LEFT_SECONDS
    for place in folder.iterdir():
        if place.name not in needed and place.stat().st_mtime < before:
            shutil.rmtree(place, ignore_errors=True)


def discard(path: Path, folder: Path) -> None:
    """Delete an upload with its folder; a file that lies elsewhere stays."""
    if path.parent.parent == folder:
        shutil.rmtree(path.parent, ignore_errors=True)


def _boundary(request: Request) -> bytes:
    stated = request.headers.getlist("content-type")
    kind, params = parse_options_header(stated[0] if len(stated) == 1 else "")
    boundary = params.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise MediaTypeRefused(expected="multipart/form-data")
    return boundary


def _guarded(step: Callable[[bytes], None], chunk: bytes) -> None:
    try:
        step(chunk)
    except FormParserError as error:
        raise RequestInvalid(where="body", expected="well-formed multipart/form-data") from error
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StoreFull from error
        raise


@dataclass(slots=True)
class _Part:
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class _Form:
    """Takes the parser's calls: fields into memory, the file to disk."""

    def __init__(self, place: Path, boundary: bytes) -> None:
        self._place = place
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )
        self._name = self._value = b""
        self._disposition = b""
        self._part = _Part()
        self._fields: dict[str, str] = {}
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._is_whole = False

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        self._parser.write(chunk)

    def finish(self, _: bytes) -> None:
        """Require that the form ended, and its file to be on disk."""
        self._parser.finalize()
        if not self._is_whole:
            raise FormParserError("the body ends in the middle")
        if self._file is None:
            raise RequestInvalid(where=f"body.{FILE}", expected="a file")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def upload(self) -> Upload:
        """Return what came."""
        if self._path is None:
            raise RequestInvalid(where=f"body.{FILE}", expected="a file")
        return Upload(path=self._path, sha256=self._hash.hexdigest(), fields=self._fields)

    def _begin(self) -> None:
        self._part, self._disposition = _Part(), b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part.name = _text(options.get(b"name", b""), most=40)
        self._part.is_file = b"filename" in options
        if self._part.is_file:
            self._open(_file_name(options[b"filename"]))
        elif len(self._fields) >= _MOST_FIELDS:
            raise RequestInvalid(where="body", expected=f"at most {_MOST_FIELDS} fields")

    def _open(self, name: str) -> None:
        if self._part.name != FILE or self._file is not None:
            raise RequestInvalid(where="body", expected=f"one file, in the part {FILE}")
        self._place.mkdir(parents=True, mode=0o700)
        self._path = self._place / name
        self._file = self._path.open("xb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        if not self._part.is_file:
            self._part.data += chunk
            if len(self._part.data) > _LONGEST_FIELD:
                raise RequestInvalid(where="body", expected=f"fields of {_LONGEST_FIELD} bytes")
        elif self._file is not None:
            self._file.write(chunk)
            self._hash.update(chunk)

    def _end(self) -> None:
        if self._part.is_file:
            return
        if self._part.name in self._fields:
            raise RequestInvalid(where="body", expected="every field once")
        self._fields[self._part.name] = _text(bytes(self._part.data), most=_LONGEST_FIELD)

    def _all(self) -> None:
        self._is_whole = True


def _text(data: bytes, *, most: int) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestInvalid(where="body", expected="UTF-8") from error
    if len(text) > most or any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise RequestInvalid(where="body", expected="text without control characters")
    return text


def _file_name(stated: bytes) -> str:
    """Return a name that is safe in any folder; its ending tells readers what the file is.

    A name that holds a phone or identity number is not kept.
    """
    name = PureWindowsPath(_text(stated, most=400)).name
    safe = re.sub(r"[^\w.+ -]", "_", name).strip(" .")[-_LONGEST_NAME:].lstrip(" .")
    if not safe:
        raise RequestInvalid(where=f"body.{FILE}", expected="a file with a name")
    if has_personal_shape(PurePath(safe).stem):
        safe = f"upload{PurePath(safe).suffix}"
    # a file system counts bytes
    while len(safe.encode()) > 200:
        safe = safe[1:]
    return safe
