"""Field names of a Shapefile: 10 bytes each, and a side table that remembers the whole ones.

A .dbf holds ten bytes of a name. Written as UTF-8, a name of four Chinese characters is cut inside
one of them, and GDAL and QGIS cannot read the field back. So names are cut here between
characters, kept apart by a number, and stand in full in ``NAME.fields.csv`` beside the Shapefile.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from geo.errors import FileUnreadable
from geo.io.hints import Hint

NAME_BYTES: Final = 10
"""Longest field name; dBASE III has room for eleven bytes, the last of them zero."""

SIDE_SUFFIX: Final = ".fields.csv"
_HEADER: Final = ("field", "name")
_MAX_SIDE_BYTES: Final = 1 << 20


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return name -> field name of at most 10 bytes; no two are alike but for their case.

    Examples
    --------
    >>> list(short_names(["行政区划代码", "行政区划名称", "code"]).values())
    ['行政区', '行政区1', 'code']
    """
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        field, number = _cut(name, NAME_BYTES), 0
        while field.lower() in taken:
            number += 1
            field = _cut(name, NAME_BYTES - len(str(number))) + str(number)
        taken.add(field.lower())
        short[name] = field
    return short


def write_side_table(path: Path, short: Mapping[str, str]) -> Path | None:
    """Write the table beside a Shapefile, where any name was cut; return its path."""
    if all(name == field for name, field in short.items()):
        return None
    side = path.with_suffix(SIDE_SUFFIX)
    with side.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows((field, name) for name, field in short.items())
    return side


def read_side_table(path: Path) -> dict[str, str]:
    """Return field name -> whole name, as the table beside a Shapefile has it; nothing without one.

    Raises
    ------
    FileUnreadable
        The table is no table of two columns.
    """
    # inside an archive every dot of a name but the last becomes a line
    beside = (path.with_suffix(SIDE_SUFFIX), path.with_name(f"{path.stem}_fields.csv"))
    side = next((file for file in beside if file.is_file()), None)
    if side is None:
        return {}
    if side.stat().st_size > _MAX_SIDE_BYTES:
        raise FileUnreadable(source=side.name, expected="CSV", hint=Hint.TOO_LARGE)
    try:
        with side.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = csv.reader(stream)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise FileUnreadable(source=side.name, expected="CSV", hint=Hint.DAMAGED) from error
    if tuple(header) != _HEADER or any(len(row) != len(_HEADER) for row in rows):
        raise FileUnreadable(source=side.name, expected="CSV", hint=Hint.DAMAGED)
    return {row[0]: row[1] for row in rows}


def _cut(name: str, n_bytes: int) -> str:
    return name.encode()[:n_bytes].decode(errors="ignore")
