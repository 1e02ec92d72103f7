"""Transcendental functions that give the same bytes on every machine.

Libraries and vector units differ in the last bit of ``exp`` or ``sin``. Every value is rounded to
26 significant bits at once: such a bit then survives once in 2^27 values, and where it does it is
far below the grid that coordinates are rounded to.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_SPLITTER: Final = 2.0**27 + 1.0


def settle(values: ArrayLike) -> Floats:
    """Round to 26 significant bits.

    References
    ----------
    Veltkamp's splitting; Dekker (1971), doi:10.1007/BF01397083.
    """
    x = np.asarray(values, dtype=np.float64)
    scaled = x * _SPLITTER
    return np.asarray(scaled - (scaled - x))


def exp(values: ArrayLike) -> Floats:
    """Exponential."""
    return settle(np.exp(values))


def log(values: ArrayLike) -> Floats:
    """Natural logarithm."""
    return settle(np.log(values))


def sin(angle: ArrayLike) -> Floats:
    """Sine of an angle in radians."""
    return settle(np.sin(angle))


def cos(angle: ArrayLike) -> Floats:
    """Cosine of an angle in radians."""
    return settle(np.cos(angle))


def sinh(values: ArrayLike) -> Floats:
    """Hyperbolic sine."""
    return settle(np.sinh(values))


def cosh(values: ArrayLike) -> Floats:
    """Hyperbolic cosine."""
    return settle(np.cosh(values))


def arctan2(y: ArrayLike, x: ArrayLike) -> Floats:
    """Angle of (x, y) in radians, from -pi to pi."""
    return settle(np.arctan2(y, x))


def power(base: ArrayLike, exponent: float) -> Floats:
    """Positive base to a fixed exponent."""
    return settle(np.power(base, exponent))


def norm(xy: Floats) -> Floats:
    """Length of each row of an (n, 2) array; a square root is exact everywhere, hypot is not."""
    return np.asarray(np.sqrt(xy[..., 0] * xy[..., 0] + xy[..., 1] * xy[..., 1]))


def turned(xy: Floats, degrees: float) -> Floats:
    """Return (n, 2) points turned counter-clockwise about the origin, without a BLAS call."""
    angle = np.radians(degrees)
    c, s = float(cos(angle)), float(sin(angle))
    return np.stack([xy[..., 0] * c - xy[..., 1] * s, xy[..., 0] * s + xy[..., 1] * c], axis=-1)
