"""How alike the names of two places are, by what their common parts tell apart.

A name is the set of its characters and pairs of neighbouring characters; numbers and Latin words
are whole parts. A part counts by how few names hold it (inverse document frequency, Spärck Jones
1972, doi:10.1108/eb026526): 超市 and 有限公司 tell nothing, the word before them nearly all. So a
misspelt character costs little, another shop of the same trade gains little, and no list of
everyday words is needed.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_array

_BRANCH: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_PART: Final = re.compile(r"\d+|[a-z]+|[^\W\d_a-z]+")

PAIR_SHARE: Final = 0.25
"""Weight of a pair of neighbouring characters as a share of what its rarity would give it: one
wrong character spoils two pairs."""

OTHER_NUMBER: Final = 0.5
"""What is left of the likeness of two names that both hold numbers and none in common."""

CHUNK: Final = 500_000
"""Pairs compared at once; bounds the memory."""


def name_key(name: str) -> str:
    """Return a name as it is compared: narrow, small letters, without blanks and signs.

    Examples
    --------
    >>> name_key("鑫源 超市（柳园路店）"), name_key("ＡＢＣ-酒店 007")
    ('鑫源超市柳园路店', 'abc酒店7')
    """
    return "".join(_parts(name))


def name_tokens(name: str) -> set[str]:
    """Return the parts of a name; what stands in brackets counts as one part.

    Examples
    --------
    >>> sorted(name_tokens("老街12"))
    ['#12', '老', '老街', '街']
    """
    plain = unicodedata.normalize("NFKC", name).lower()
    branch = "".join(_parts(" ".join(_BRANCH.findall(plain))))
    tokens = {f"({branch}"} if branch else set()
    for part in _parts(_BRANCH.sub(" ", plain) if branch else plain):
        if part.isdigit():
            tokens.add(f"#{part}")
        elif part.isascii():
            tokens.add(part)
        else:
            tokens.update(part)
            tokens.update(part[k : k + 2] for k in range(len(part) - 1))
    return tokens


def similarities(
    one: Sequence[str], other: Sequence[str], first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return how alike pairs of names are.

    Parameters
    ----------
    one, other : sequence of str
        Names of two lists; what a part tells is judged by both.
    first, second : ndarray of int64, shape (n,)
        Rows of the pairs in `one` and `other`.

    Returns
    -------
    ndarray of float64, shape (n,)
        1 for equal names, 0 for names without a common part: the mean of cosine and of the share
        of the shorter name that the longer one holds, so that a short form is still alike.
    """
    matrix, is_number = _weights([*one, *other])
    numbers = matrix[:, is_number]
    has_number = np.diff(numbers.indptr) > 0
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    alike = np.empty(len(first))
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        row, column = first[part], second[part] + len(one)
        shared = np.asarray(matrix[row].multiply(matrix[column]).sum(axis=1)).ravel()
        a, b = squares[row], squares[column]
        low, product = np.minimum(a, b), np.sqrt(a * b)
        with np.errstate(invalid="ignore", divide="ignore"):
            alike[part] = np.where(low > 0, (shared / product + shared / low) / 2, 0.0)
        common = np.asarray(numbers[row].multiply(numbers[column]).sum(axis=1)).ravel()
        alike[part][has_number[row] & has_number[column] & (common == 0)] *= OTHER_NUMBER
    return np.minimum(alike, 1.0)


def _weights(names: Sequence[str]) -> tuple[csr_array, np.ndarray]:
    """Return names x parts, each part of a name with its weight, and which parts are numbers."""
    known: dict[str, int] = {}
    column: list[int] = []
    start = [0]
    for name in names:
        column += [known.setdefault(token, len(known)) for token in sorted(name_tokens(name))]
        start.append(len(column))
    parts = np.array(column, dtype=np.int64)
    held = np.bincount(parts, minlength=len(known))
    is_pair = np.array([len(token) == 2 and not token.isascii() for token in known], dtype=bool)
    weight = np.log1p(len(names) / np.maximum(held, 1)) * np.where(is_pair, PAIR_SHARE**0.5, 1.0)
    is_number = np.array([token.startswith("#") for token in known], dtype=bool)
    shape = (len(names), len(known))
    return csr_array((weight[parts], parts, np.array(start)), shape=shape), is_number


def _parts(text: str) -> list[str]:
    """Return runs of digits (without leading zeros), of Latin letters and of other letters."""
    plain = unicodedata.normalize("NFKC", text).lower()
    found = _PART.findall(plain)
    return [part.lstrip("0") or "0" if part.isdigit() else part for part in found]
