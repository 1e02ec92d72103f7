"""The official register of counties, townships and villages, and tables of where they went."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from geo.boundary import Wanted
from geo.boundary.code import levels_of, parents_of, shorten_codes
from geo.crs import Datum
from geo.errors import CodeInvalid, ValueInvalid
from geo.frames import Col
from geo.io.boundary import read_boundaries
from geo.io.draft import screen
from geo.io.headers import find_header, match_headers, missing, require_headers
from geo.io.opening import open_table
from geo.io.report import Reading
from geo.io.spec import BOUNDARY_SPEC
from geo.io.values import clean_codes, stripped
from geo.privacy import Trust, refuse_personal, screen_table, shown

PARENT_CODE: Final = "parent_code"

OLD_HEADERS: Final = (Col.OLD_CODE, "原代码", "旧代码", "原编码", "旧编码", "原区划代码", "old")
NEW_HEADERS: Final = (Col.NEW_CODE, "新代码", "现代码", "新编码", "现编码", "新区划代码", "new")


def read_register(path: Path | str, *, drop: Sequence[str] = ()) -> pd.DataFrame:
    """Read a register of statistical codes (NBS).

    Level and parent follow from the code. Names are not keys: 108 village names repeat in one
    city.

    Parameters
    ----------
    path : Path or str
        A table with columns ``code`` (or 编码, 区划代码 …) and ``name`` (or 名称).
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    DataFrame of str
        Columns ``level``, ``code`` (6, 9 or 12 digits), ``name``, ``parent_code`` ("" for a
        city); order of the file.

    Raises
    ------
    ColumnMissing, CodeInvalid, ValueInvalid, PersonalDataRefused, PersonalValuesRefused
    """
    table, dropped = open_table(Path(path)).without(tuple(drop))
    matched = match_headers(table, BOUNDARY_SPEC)
    screen(table, BOUNDARY_SPEC, matched, dropped=dropped)
    require_headers(table, BOUNDARY_SPEC, matched)
    codes, _ = clean_codes(table.cells[matched[Col.CODE]])
    codes = shorten_codes(codes)
    levels = levels_of(codes)
    register = pd.DataFrame(
        {
            Col.LEVEL: levels,
            Col.CODE: codes,
            Col.NAME: stripped(table.cells[matched[Col.NAME]]),
            PARENT_CODE: parents_of(codes, levels),
        }
    )
    _require_codes(register, table.source)
    return register


def read_units_of(
    path: Path | str, *, datum: Datum | str = Datum.WGS84, drop: Sequence[str] = ()
) -> Reading:
    """Read the units of one version: a register, or a boundary layer where the file has areas.

    Parameters
    ----------
    path : Path or str
    datum : Datum or str
        What the coordinates are in.
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    Reading
        A register (`read_register`) or a BOUNDARIES frame.
    """
    if open_table(Path(path), layer=BOUNDARY_SPEC.schema.layer).wkb is None:
        return Reading(frame=read_register(path, drop=drop))
    return read_boundaries(path, datum=datum, drop=drop)


def read_succession_table(path: Path | str, *, drop: Sequence[str] = ()) -> pd.DataFrame:
    """Read where a user knows units went, for `geo.boundary.match_versions`.

    Parameters
    ----------
    path : Path or str
        A table with columns ``old_code`` (原代码) and ``new_code`` (新代码); a blank new code says
        that the unit's heir must stay open. Other columns are screened and not read.
    drop : sequence of str
        Headers to leave out before anything is looked at.

    Returns
    -------
    DataFrame of str
        Columns old_code and new_code, rows as in the file.

    Raises
    ------
    ColumnMissing, FileEmpty, FileMissing, FileUnreadable, PersonalDataRefused
    """
    table, dropped = open_table(Path(path)).without(tuple(drop))
    headers = {
        column: find_header(table, names)
        for column, names in ((Col.OLD_CODE, OLD_HEADERS), (Col.NEW_CODE, NEW_HEADERS))
    }
    trust = {header: Trust.CODE for header in headers.values() if header is not None}
    refuse_personal(screen_table(table.cells, trust=trust), source=table.source, dropped=dropped)
    columns = {}
    for column, names in ((Col.OLD_CODE, OLD_HEADERS), (Col.NEW_CODE, NEW_HEADERS)):
        header = headers[column]
        if header is None:
            raise missing(table, "/".join(names[:3]))
        codes, _ = clean_codes(table.cells[header])
        columns[column] = shorten_codes(codes)
    return pd.DataFrame(columns)


def _require_codes(register: pd.DataFrame, source: str) -> None:
    bad = (register[Col.LEVEL] == "").to_numpy()
    if bad.any():
        row = int(bad.argmax()) + 1
        raise CodeInvalid(source=source, row=row, column=Col.CODE, expected=Wanted.CODE_DIGITS)
    repeated = register[Col.CODE].duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        value = register[Col.CODE].iloc[row]
        raise ValueInvalid(
            source=source,
            row=row + 1,
            column=Col.CODE,
            value=shown(str(value)),
            expected=Wanted.CODE_ONCE,
        )
