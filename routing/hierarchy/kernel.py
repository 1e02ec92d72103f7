"""How the kernels of the hierarchy are compiled, and the words they share.

Costs are whole milliseconds in an int32, or milliseconds and centimetres in one int64: the upper
half milliseconds, the lower half centimetres. Both add and compare as plain integers, and the less
of two of the second kind is the faster way, of equally fast ones the shorter. Every kernel takes
either kind and is compiled for both.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.model import UNREACHABLE

FAR: Final = UNREACHABLE
"""Milliseconds of no way; twice this still fits an int32, so two can be added before comparing."""

LENGTH_BITS: Final = 32
"""Bits of a cost that count centimetres."""

MOST_LENGTH: Final = 1 << (LENGTH_BITS - 1)
"""Units of length that no way has: 21,474 km in centimetres. Half of what the bits hold, for the
length of a way may come out just below 0 where its ends are rounded."""

LONG_FAR: Final = FAR << LENGTH_BITS
"""No way, as milliseconds and centimetres; twice this still fits an int64."""

NONE: Final = -1
"""No node, no arc."""

Ints = NDArray[np.int32]
"""Column of int32: node numbers, arc numbers, milliseconds."""

Costs = NDArray[np.signedinteger]
"""Column of costs: int32 milliseconds, or int64 milliseconds and centimetres."""

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba into the cache on disk; other threads may run meanwhile."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


@kernel
def far_of(costs: Costs) -> int:
    """Return what stands for no way in `costs`; settled when a kernel is compiled."""
    return FAR if costs.itemsize == 4 else LONG_FAR


@kernel
def lowest_of(costs: Costs) -> int:
    """Return the cost below which milliseconds are negative, whatever the length is rounded to."""
    return 0 if costs.itemsize == 4 else -MOST_LENGTH


@kernel
def part(costs: Costs, per_metre: int, milliseconds: Ints, metres: NDArray[np.float64]) -> None:
    """Take costs of the second kind apart; a length is inf where there is no way."""
    for i in range(len(costs)):
        milliseconds[i] = (costs[i] + MOST_LENGTH) >> LENGTH_BITS
        units = costs[i] - (np.int64(milliseconds[i]) << LENGTH_BITS)
        metres[i] = max(units, 0) / per_metre if milliseconds[i] < FAR else np.inf


@kernel
def grown(values: Ints, needed: int) -> Ints:
    """Return `values`, or a copy at least twice as long when `needed` does not fit."""
    if needed <= len(values):
        return values
    longer = np.empty(max(needed, 2 * len(values)), np.int32)
    longer[: len(values)] = values
    return longer
