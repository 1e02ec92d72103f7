"""Ids of our own: opaque text, unique without asking anybody, roughly in the order of making."""

import secrets
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u (https://www.crockford.com/base32.html)."""

_TIME_BITS, _RANDOM_BITS = 48, 80


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 26 characters: 48 bits of milliseconds, 80 random bits.

    The random part alone makes it unique: a clock set back does no harm.
    """
    return f"{prefix}_{_in_base32(time.time_ns() // 1_000_000)}"


def new_ids(prefix: str, n: int) -> list[str]:
    """Return `n` ids made at one moment."""
    now = time.time_ns() // 1_000_000
    return [f"{prefix}_{_in_base32(now)}" for _ in range(n)]


def _in_base32(milliseconds: int) -> str:
    number = milliseconds % (1 << _TIME_BITS) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
