"""Values shaped like phone numbers, identity numbers, plates and mail addresses."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

_PROVINCES_WORDS: Final = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 "
    "71 81 82 83"
)
PROVINCES: Final = frozenset(_PROVINCES_WORDS.split())
"""First two digits of GB/T 2260 codes; 83 stands on residence permits of Taiwan."""

_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"

_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

_CREDIT_FORM: Final = re.compile(
    "(?:1[1239]|2[19]|3[1-59]|4[19]|5[1239]|6[19]|7[129]|8[19]|9[123]|A[19]|N[1239]|Y1)"
    f"\\d{{6}}[{_CREDIT_ALPHABET}]{{10}}"
)
"""Registering authority and kind of body, place, number and check (GB 32100-2015, table 1)."""

MOBILE: Final = r"(?<![0-9A-Fa-f.])(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?![0-9A-Fa-f])"
LANDLINE: Final = r"(?<![\d.])\(?0(?:10|2\d|[3-9]\d{2})(?:\)|[-\s]|\)[-\s])\d{7,8}(?!\d)"
IDENTITY: Final = (
    r"(?<![0-9A-Za-z])[1-8]\d{5}[\s-]?(?:18|19|20)\d{6}[\s-]?\d{3}[0-9Xx](?![0-9A-Za-z])"
)
PLATE: Final = (
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NO-Z][·•.\s-]?"
    r"(?=[A-Z0-9]*\d[A-Z0-9]*\d)(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳领]|[A-HJ-NP-Z0-9]{6})(?![0-9A-Za-z])"
)
EMAIL: Final = (
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}"
)

SHAPES: Final = re.compile(
    f"(?P<identity>{IDENTITY})|(?P<phone>{MOBILE}|{LANDLINE})|(?P<plate>{PLATE})|(?P<email>{EMAIL})"
)
"""Phones (Numbering Plan of MIIT 2017), identity numbers (GB 11643-1999), plates (GA 36-2018)."""

MASKED: Final = re.compile(
    r"0{3}[-\s]?0{4}[-\s]?0{4}|0{3,4}[)\s-]{1,2}0{7}|0{6}[-\s]?0{8}|@|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
)
"""What a cell with every digit written as 0 must hold to be worth a look; most columns have one
or two such masks in a million cells (clock times, running numbers)."""

_DIGITS_TO_ZERO: Final = dict.fromkeys(map(ord, "123456789"), "0")

CODE_SHAPES: Final = {
    "identity": re.compile(r"\d{15}|\d{17}[0-9Xx]"),
    "phone": re.compile(r"1[3-9]\d{9}"),
}
"""Whole cells that are digits only: codes may look so by chance, a column of them does not."""

TEXT_SHAPES: Final = CODE_SHAPES | {
    "phone": re.compile(r"1[3-9]\d{9}|0(?:10|2\d|[3-9]\d{2})\d{7,8}"),
}
"""The same outside code columns, where a landline may be written without its dash."""

CODE_LENGTHS: Final = frozenset({10, 11, 12, 15, 18})
"""Lengths of the cells that `CODE_SHAPES` fit."""


def is_identity_number(text: str) -> bool:
    """Tell whether 18 characters are an identity number: province, date of birth, MOD 11-2.

    References
    ----------
    GB 11643-1999, check character after ISO 7064 MOD 11-2.

    Examples
    --------
    >>> is_identity_number("11010519491231002X")  # the standard's own example
    True
    """
    if not re.fullmatch(r"\d{17}[0-9Xx]", text) or text[:2] not in PROVINCES:
        return False
    if not _is_day(text[6:10], text[10:12], text[12:14]):
        return False
    total = sum(w * int(digit) for w, digit in zip(_ID_WEIGHTS, text, strict=False))
    return _ID_CHECKS[total % 11] == text[17].upper()


def is_old_identity_number(text: str) -> bool:
    """Tell whether 15 digits are an identity number of the first generation (no check digit)."""
    if not re.fullmatch(r"\d{15}", text) or text[:2] not in PROVINCES:
        return False
    return _is_day("19" + text[6:8], text[8:10], text[10:12])


def is_credit_code(text: str) -> bool:
    """Tell whether 18 characters are a 统一社会信用代码.

    References
    ----------
    GB 32100-2015, check character modulo 31 with weights 3**i mod 31.

    Examples
    --------
    >>> is_credit_code("91350100M000100Y43")  # the standard's own example
    True
    """
    code = text.upper()
    if not _CREDIT_FORM.fullmatch(code) or code[2:4] not in PROVINCES:
        return False
    total = sum(
        w * _CREDIT_ALPHABET.index(ch) for w, ch in zip(_CREDIT_WEIGHTS, code, strict=False)
    )
    return _CREDIT_ALPHABET[-total % 31] == code[17]


TOWNSHIP_BIRTHS: Final = "012"
"""First digit of the year of birth that township codes read as: 街道 are numbered from 001, 镇 from
100, 乡 from 200 (statistical codes for divisions, township level), so that a grid's code seems to
be of somebody born from 1900 to 1929."""

MISSING_GRIDS: Final = 3
"""Numbers that may be missing among a village's grid codes: grids are merged, never renumbered."""


def personal_shape(text: str) -> str | None:
    """Return identity, phone, plate or email when `text` holds such a value, else None."""
    return next(filter(None, map(_confirmed, SHAPES.finditer(text))), None)


def count_shapes(
    cells: Sequence[str], *, codes: bool = False, credit: bool = False
) -> dict[str, int]:
    """Count the personal values of a column, by shape.

    Parameters
    ----------
    cells : sequence of str
        Distinct cells of the column.
    codes : bool
        Whether the column is declared to hold codes. Those are judged together: a single 18-digit
        code passes the check of an identity number once in eleven times, and 255 of the 2,408
        village codes of Liaocheng hold a valid date, so a shape counts only when more than half
        of the cells of its length have it. Old 15-digit identity numbers, which have no check
        digit, are judged so in every column.
    credit : bool
        Whether the column is declared to hold credit codes; identity numbers of sole traders turn
        up among them, and a number that is a credit code is none of those.
    """
    if credit:
        cells = [cell for cell in cells if not is_credit_code(cell.strip())]
    likely, whole = _worth_a_look(cells)
    if codes:
        whole = _without_grid_codes(whole)
    counts = _count_whole_cells(whole, CODE_SHAPES if codes else TEXT_SHAPES)
    if codes:
        return counts
    found = filter(None, map(_confirmed, SHAPES.finditer("\n".join(likely))))
    return counts | Counter(found)


def _worth_a_look(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the cells that may hold a value in their text, and those that are nothing but one."""
    text = "\n".join(cells)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    lines = text.split("\n")
    masks = text.translate(_DIGITS_TO_ZERO).split("\n")
    wanted = {mask for mask in set(masks) if MASKED.search(mask)}
    whole = {mask for mask in set(masks) if len(mask.strip()) in CODE_LENGTHS}
    likely = [line for line, mask in zip(lines, masks, strict=True) if mask in wanted]
    digits = [line.strip() for line, mask in zip(lines, masks, strict=True) if mask in whole]
    return likely, digits


def _without_grid_codes(texts: Sequence[str]) -> list[str]:
    """Leave out 15-digit codes of grids.

    371502001001001 reads as an identity number of 1 October 1900, and most grids of a county read
    so: by their township they are of people of 97 years and more, who have had no card with 15
    digits since 2013. Grids of townships numbered higher are known by running from 001 on within
    their village's 12 digits: identity numbers are not numbered in a row within one birthday.
    """
    texts = [text for text in texts if len(text) != 15 or text[6] not in TOWNSHIP_BIRTHS]
    grids = [text for text in texts if len(text) == 15 and text.isdecimal()]
    n = Counter(text[:12] for text in grids)
    last: dict[str, int] = {}
    for text in grids:
        last[text[:12]] = max(last.get(text[:12], 0), int(text[12:]))
    first = {text[:12] for text in grids if text.endswith("001")}
    in_a_row = {village for village in first if last[village] <= n[village] + MISSING_GRIDS}
    return [text for text in texts if len(text) != 15 or text[:12] not in in_a_row]


def _count_whole_cells(
    texts: Sequence[str], shapes: Mapping[str, re.Pattern[str]]
) -> dict[str, int]:
    """Count cells that are nothing but a number of a person, where most of that length are."""
    counts: dict[str, int] = {}
    for kind, pattern in shapes.items():
        hits = [
            text
            for text in texts
            if pattern.fullmatch(text) and (kind == "phone" or _is_identity(text))
        ]
        lengths = {len(hit) for hit in hits}
        if hits and 2 * len(hits) > sum(len(text) in lengths for text in texts):
            counts[kind] = len(hits)
    return counts


def _confirmed(match: re.Match[str]) -> str | None:
    """Return the kind of a match, None when its checksum shows it is something else."""
    if match.lastgroup != "identity":
        return match.lastgroup
    digits = re.sub(r"[\s-]", "", match.group())
    return "identity" if is_identity_number(digits) else None


def _is_identity(text: str) -> bool:
    return is_identity_number(text) or is_old_identity_number(text)


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        born = date(int(year), int(month), int(day))
    except ValueError:
        return False
    return born.year >= 1850
