"""What a message may show of a file: never a word that could name a person."""

import re
from typing import Final

from geo.privacy.shapes import count_shapes, personal_shape

NOT_SHOWN: Final = "（不显示 / not shown）"
"""Stands for a cell whose text could name a person; the same in both languages."""

MAX_SHOWN: Final = 20
"""Characters of a cell that a message shows at most."""

_NUMBER: Final = re.compile(r"[-+]?[\d.,:/\s年月日时分秒%-]{1,40}")


_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
"""What a key of a rules file looks like."""

_PLACE: Final = re.compile(r"第\d+列/column\d+")


def shown(value: str, *, code: bool = False) -> str:
    """Return a cell as a message shows it: short plain ASCII or a number, else `NOT_SHOWN`.

    Examples
    --------
    >>> shown("2026-13-45"), shown("张伟强") == NOT_SHOWN, shown("13812345678") == NOT_SHOWN
    ('2026-13-45', True, True)
    """
    text = value.strip()
    plain = text.isascii() and text.isprintable() and len(text) <= MAX_SHOWN
    fine = plain or _NUMBER.fullmatch(text) is not None
    return value if fine and not has_personal_shape(text, code=code) else NOT_SHOWN


def key_shown(key: str) -> str:
    """Return a key of a rules file as messages show it: whole where it is a plain ASCII name.

    Examples
    --------
    >>> key_shown("closure_review_monthss"), key_shown("张伟强") == NOT_SHOWN
    ('closure_review_monthss', True)
    """
    fine = _KEY.fullmatch(key) is not None and not has_personal_shape(key)
    return key if fine else shown(key)


def has_personal_shape(text: str, *, code: bool = False) -> bool:
    """Tell whether one cell holds a phone, identity number, plate or mail address."""
    return personal_shape(text) is not None or bool(count_shapes([text], codes=code))


def column_shown(header: str, number: int) -> str:
    """Return a header as messages show it; by its position where it is itself a personal value.

    A file without a header has a row of persons where the headers should be.
    """
    return f"第{number}列/column{number}" if has_personal_shape(header) else header


def is_hidden(header: str) -> bool:
    """Tell whether a header is a personal value, or the position that stands for one."""
    return _PLACE.fullmatch(header) is not None or has_personal_shape(header)


def column_names(header: str) -> tuple[str, ...]:
    """Return what a column may be called when it is to be dropped."""
    return (header, *header.split("/")) if _PLACE.fullmatch(header) else (header,)
