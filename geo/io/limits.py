"""Limits that files from outside are held to before a parser sees them."""

import re
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import Final
from xml.parsers import expat

from geo.errors import FileUnreadable
from geo.io.hints import Hint

MAX_MEMBERS: Final = 2000
"""Files in an archive."""

MAX_UNPACKED: Final = 1 << 30
"""Bytes of an archive unpacked."""

MAX_RATIO: Final = 200
"""Unpacked by packed bytes; text packs about 20 to 1."""

MAX_VERTICES: Final = 2_000_000
"""Vertices of one geometry; the coast of China has fewer."""

MAX_COLUMNS: Final = 1000
"""Columns of a table; a register has some fifty."""

MAX_CELLS: Final = 40_000_000
"""Cells of a table: a million rows of forty columns."""

MAX_LINE: Final = 1 << 20
"""Bytes of a line of a table; a record of fifty columns has one or two thousand."""

MAX_STRINGS: Final = 256 << 20
"""Bytes of the shared strings of a workbook; they are all held at once."""


class TooLarge(Exception):
    """More cells than are read; the caller knows the file and says so."""


def check_archive(path: Path, *, expected: str) -> zipfile.ZipFile:
    """Open an archive whose size, number and names of members are within the limits.

    Raises
    ------
    FileUnreadable
        No archive, or one that would not stay within the limits or its folder.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise FileUnreadable(source=path.name, expected=expected, hint=Hint.DAMAGED) from error
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > MAX_MEMBERS
        or unpacked > MAX_UNPACKED
        or unpacked > MAX_RATIO * packed + 2**20
    ):
        archive.close()
        raise FileUnreadable(source=path.name, expected=expected, hint=Hint.UNPACKS_TOO_LARGE)
    return archive


def extract_flat(archive: zipfile.ZipFile, folder: Path) -> list[Path]:
    """Extract the files of an archive into one folder, by base name only.

    Names are read as UTF-8 where the archive says so, else as GBK, which Windows writes.
    """
    written = []
    for number, member in enumerate(archive.infolist()):
        name = _member_name(member)
        if member.is_dir() or name.startswith((".", "__MACOSX")):
            continue
        # the stem is ours, so that a path or a reserved name cannot leave the folder
        stem, dot, suffix = name.rpartition(".")
        target = folder / (re.sub(r"[^\w\-]", "_", stem or f"file{number}") + dot + suffix.lower())
        _extract(archive, member, target)
        written.append(target)
    return written


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member; zipfile stops at the size the archive states and checks the sum."""
    try:
        with archive.open(member) as packed, target.open("wb") as out:
            shutil.copyfileobj(packed, out)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        name = Path(str(archive.filename)).name
        raise FileUnreadable(source=name, expected="zip", hint=Hint.DAMAGED_INSIDE) from error


def check_xml(path: Path, *, expected: str) -> None:
    """Refuse XML that is not well formed, or that declares a document type or entities.

    Raises
    ------
    FileUnreadable
        Not well formed, or with a document type: entities can grow without bound.
    """

    def refuse(*_: object) -> None:
        raise FileUnreadable(source=path.name, expected=expected, hint=Hint.DECLARES_ENTITIES)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        raise FileUnreadable(source=path.name, expected=expected, hint=Hint.DAMAGED) from error


def _member_name(member: zipfile.ZipInfo) -> str:
    """Return the base name of a member; names without the UTF-8 flag are GBK or UTF-8."""
    name = member.filename
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/").rpartition("/")[2]
