"""Reader of a column that says of units whether they count as town or country."""

from pathlib import Path
from typing import Final

from geo.boundary.code import shorten_codes
from geo.errors import ColumnMissing, ValueInvalid
from geo.frames import Col, Setting
from geo.io.headers import find_header
from geo.io.opening import open_table
from geo.io.spec import BOUNDARY_SPEC, field_of
from geo.place.setting import SETTING_WORDS

EXPECTED: Final = "town, country, 城镇, 乡村, 111–123, 210, 220"


def read_settings(path: Path | str, *, column: str) -> dict[str, Setting]:
    """Read what a column of a boundary file or table states, unit by unit.

    Parameters
    ----------
    path : Path or str
        Any file that `read_boundaries` reads, or a table with a column of codes.
    column : str
        Header of the column; blanks state nothing.

    Returns
    -------
    dict of str to Setting
        By code.

    Raises
    ------
    ColumnMissing
        No such column, or none of codes.
    ValueInvalid
        A word that is neither town nor country; names its row.
    """
    table = open_table(Path(path), layer=BOUNDARY_SPEC.schema.layer)
    wanted = {column: (column,), Col.CODE: (Col.CODE, *field_of(BOUNDARY_SPEC, Col.CODE).aliases)}
    cells = {}
    for name, headers in wanted.items():
        header = find_header(table, headers)
        if header is None:
            found = ", ".join(map(str, table.cells.columns))
            raise ColumnMissing(source=table.source, column=name, found=found)
        cells[name] = table.cells[header].str.strip()
    stated: dict[str, Setting] = {}
    codes = shorten_codes(cells[Col.CODE])
    for row, (code, word) in enumerate(zip(codes, cells[column], strict=True), start=1):
        if word and word.lower() not in SETTING_WORDS:
            raise ValueInvalid(
                source=table.source, row=row, column=column, value=repr(word), expected=EXPECTED
            )
        if word:
            stated[code] = SETTING_WORDS[word.lower()]
    return stated
