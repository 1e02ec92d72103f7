"""How the kernels of the hierarchy are compiled, and the words they share."""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.model import UNREACHABLE

FAR: Final = UNREACHABLE
"""Milliseconds of no way; twice this still fits an int32, so two can be added before comparing."""

NONE: Final = -1
"""No node, no arc."""

Ints = NDArray[np.int32]
"""Column of int32: node numbers, arc numbers, milliseconds."""

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba into the cache on disk; other threads may run meanwhile."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


@kernel
def grown(values: Ints, needed: int) -> Ints:
    """Return `values`, or a copy at least twice as long when `needed` does not fit."""
    if needed <= len(values):
        return values
    longer = np.empty(max(needed, 2 * len(values)), np.int32)
    longer[: len(values)] = values
    return longer
