"""How the search's kernels are compiled, their typed constants and their random numbers.

Numba's cache on disk notices a change of a function's own file, not of the kernels it calls:
after a change here clear the cache (the set-up does).
"""

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba into the cache on disk; callable from Python."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel only kernels call: its wrappers for Python would double the compile time."""
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # not in numba's stubs
    return cast("Callable[P, R]", njit(cache=True, nogil=True, **options)(function))


_INT64: Any = np.int64


def _typed(value: int) -> int:
    """Return a constant numba takes as int64: it compiles a kernel again for every literal."""
    return cast("int", _INT64(value))


IN: Final = _typed(1)
OUT: Final = _typed(-1)
NONE: Final = _typed(-1)
ZERO: Final = _typed(0)

CALM: Final = _typed(0)
ROUTINE: Final = _typed(20)
BOLD: Final = _typed(100)
"""Blinks: places skipped per thousand while inserting."""


def _draw(rng: npt.NDArray[np.uint64], n: int) -> int:
    """Return a whole number in [0, n); xorshift64*, our own so that numba cannot change it."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return int(np.int64((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % n)


draw = cast(
    "Callable[[npt.NDArray[np.uint64], int], int]",
    njit("int64(uint64[::1], int64)", cache=True, nogil=True)(_draw),
)
