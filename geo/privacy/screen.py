"""The screen every table passes before anything of it is stored or logged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from geo.errors import PersonalDataRefused, PersonalValuesRefused
from geo.privacy.headers import is_free_text, is_personal_header
from geo.privacy.shapes import count_shapes
from geo.privacy.shown import column_shown, is_hidden


class Trust(StrEnum):
    """How a column is screened.

    TEXT: header and every cell. CODE: a declared code or id, judged as codes are. CREDIT: credit
    codes, among which sole traders' identity numbers turn up. CHECKED: coordinates, which another
    check reads in full.
    """

    TEXT = "text"
    CODE = "code"
    CREDIT = "credit"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One column that names or describes persons; never a value.

    Attributes
    ----------
    column : str
        Header as the file has it; its position where the header is itself a personal value.
    reason : str
        ``header``, ``free_text`` or the shape of its values.
    n : int
        Cells that are not blank, or values of that shape.
    """

    column: str
    reason: str
    n: int


def screen_table(
    table: pd.DataFrame, *, trust: Mapping[str, Trust], free_text: bool = True
) -> tuple[Finding, ...]:
    """Find the columns that name or describe persons.

    Parameters
    ----------
    table : DataFrame of str
        Blank cells are "".
    trust : mapping of str to Trust
        How declared columns are screened; every other column is TEXT.
    free_text : bool
        False refuses columns of sentences too (incident reports).

    Returns
    -------
    tuple of Finding
    """
    findings = []
    for position, header in enumerate(map(str, table.columns)):
        cells = table.iloc[:, position]
        how = trust.get(header)
        if is_hidden(header):
            place = column_shown(header, position + 1)
            findings.append(Finding(column=place, reason="header", n=int((cells != "").sum())))
        elif how is None and is_personal_header(header):
            findings.append(Finding(column=header, reason="header", n=int((cells != "").sum())))
        elif how is None and not free_text and is_free_text(header):
            findings.append(Finding(column=header, reason="free_text", n=int((cells != "").sum())))
        elif how is not Trust.CHECKED:
            findings += _screen_values(header, cells, how or Trust.TEXT)
    return tuple(findings)


def refuse_personal(
    findings: tuple[Finding, ...],
    *,
    source: str,
    required: Collection[str] = (),
    dropped: Sequence[str] = (),
) -> None:
    """Refuse a table with findings, naming the exact option to repeat.

    The option repeats the columns that were dropped already, so that it can be copied.

    Raises
    ------
    PersonalValuesRefused
        A column the layer cannot do without holds personal values.
    PersonalDataRefused
        Any other finding.
    """
    for finding in findings:
        if finding.column in required:
            raise PersonalValuesRefused(source=source, column=finding.column, n=finding.n)
    if findings:
        names = dict.fromkeys([*dropped, *(finding.column for finding in findings)])
        listed = ",".join(names)
        raise PersonalDataRefused(
            source=source,
            n=len(findings),
            columns=tuple(f"{finding.column} ({finding.n})" for finding in findings),
            remedy=f'--drop "{listed}"' if " " in listed else f"--drop {listed}",
        )


def _screen_values(header: str, cells: pd.Series, how: Trust) -> list[Finding]:
    """Return at most one finding: the commonest shape of the column's values."""
    uniques = pd.unique(cells.to_numpy(dtype=object)).tolist()
    counts = count_shapes(uniques, codes=how is Trust.CODE, credit=how is Trust.CREDIT)
    if not counts:
        return []
    shape = max(counts, key=counts.__getitem__)
    return [Finding(column=header, reason=shape, n=counts[shape])]
