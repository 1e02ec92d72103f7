"""The official register of counties, townships and villages."""

from pathlib import Path
from typing import Final

import pandas as pd

from geo.errors import CodeInvalid, ValueInvalid
from geo.frames import Col
from geo.io.codes import levels_of, parents_of, shorten_codes
from geo.io.headers import match_headers, require_headers
from geo.io.opening import open_table
from geo.io.spec import BOUNDARY_SPEC
from geo.io.values import clean_codes, stripped
from geo.privacy import shown

PARENT_CODE: Final = "parent_code"


def read_register(path: Path | str) -> pd.DataFrame:
    """Read a register of statistical codes (NBS).

    Level and parent follow from the code. Names are not keys: 108 village names repeat in one
    city.

    Parameters
    ----------
    path : Path or str
        A table with columns ``code`` (or 编码, 区划代码 …) and ``name`` (or 名称).

    Returns
    -------
    DataFrame of str
        Columns ``level``, ``code`` (6, 9 or 12 digits), ``name``, ``parent_code`` ("" for a
        city); order of the file.

    Raises
    ------
    ColumnMissing, CodeInvalid, ValueInvalid
    """
    table = open_table(Path(path))
    matched = match_headers(table, BOUNDARY_SPEC)
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


def _require_codes(register: pd.DataFrame, source: str) -> None:
    bad = (register[Col.LEVEL] == "").to_numpy()
    if bad.any():
        expected = "6, 9 or 12 digits"
        row = int(bad.argmax()) + 1
        raise CodeInvalid(source=source, row=row, column=Col.CODE, expected=expected)
    repeated = register[Col.CODE].duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        value = register[Col.CODE].iloc[row]
        raise ValueInvalid(
            source=source,
            row=row + 1,
            column=Col.CODE,
            value=shown(str(value)),
            expected="a code used once",
        )
