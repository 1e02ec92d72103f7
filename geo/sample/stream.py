"""A counter-based random stream: the n-th value depends on its key and on n alone.

Own arithmetic instead of a numpy Generator, whose streams may change between versions. One stream
per (seed, place, purpose), so that adding a draw to one step leaves every other step as it was.

References
----------
Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators,
doi:10.1145/2660193.2660195 (the SplitMix64 finalizer).
"""

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.sample import exact
from geo.sample.exact import Floats

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = 0xBF58476D1CE4E5B9
_MIX_2: Final = 0x94D049BB133111EB
_MASK: Final = 0xFFFFFFFFFFFFFFFF
_TO_UNIT: Final = 2.0**-53
_BELOW_ONE: Final = 1.0 - 2.0**-40


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


class Stream:
    """Uniform and normal values for one purpose.

    Parameters
    ----------
    seed : int
    *key : int or str
        What the stream is for: a word, and where needed a code or a running number.
    """

    def __init__(self, seed: int, *key: int | str) -> None:
        state = _mix(seed & _MASK)
        for part in key:
            number = zlib.crc32(part.encode()) if isinstance(part, str) else int(part)
            state = _mix(((state ^ (number & _MASK)) + _GOLDEN) & _MASK)
        self._state = state
        self._drawn = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return one value in [low, high)."""
        self._drawn += 1
        z = _mix((self._state + self._drawn * _GOLDEN) & _MASK)
        return low + (high - low) * (z >> 11) * _TO_UNIT

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.uniform() < probability

    def uniforms(self, n: int, low: float = 0.0, high: float = 1.0) -> Floats:
        """Return n values in [low, high): the same ones as n single draws."""
        count = np.arange(self._drawn + 1, self._drawn + 1 + n, dtype=np.uint64)
        self._drawn += n
        z = np.uint64(self._state) + count * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(11)
        return np.asarray(low + (high - low) * z.astype(np.float64) * _TO_UNIT)

    def normals(self, n: int) -> Floats:
        """Return n standard normal values (Box and Muller)."""
        radius = np.sqrt(-2.0 * exact.log(1.0 - self.uniforms(n)))
        return np.asarray(radius * exact.cos(2.0 * np.pi * self.uniforms(n)))

    def choices(self, weight: Floats, n: int) -> NDArray[np.int64]:
        """Return n row numbers, each drawn with probability proportional to its weight."""
        return pick(weight, self.uniforms(n))


def pick(weight: Floats, uniform: Floats) -> NDArray[np.int64]:
    """Return the row each uniform value falls on when rows are as wide as their weight."""
    edges = np.cumsum(weight)
    row = np.searchsorted(edges, uniform * (edges[-1] * _BELOW_ONE), side="right")
    return np.asarray(row, dtype=np.int64)
