"""Two sets of times over the same places, side by side."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.model import UNREACHABLE

CLOSE: Final = 0.10
"""Relative difference up to which two times count as alike."""

QUANTILES: Final = (0.05, 0.5, 0.95)

Seconds = NDArray[np.int32]
Metres = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How the times of another engine differ from ours.

    Attributes
    ----------
    n_pairs : int
        Pairs of different places.
    n_both : int
        Pairs that both find a way for, of more than a second.
    n_only_own, n_only_other : int
        Pairs that one of the two alone finds a way for.
    n_close : int
        Pairs of `n_both` whose times differ by at most `CLOSE` of ours.
    difference : tuple of float
        Quantiles 5, 50 and 95 % of (other - own) / own; nan without pairs.
    detour : float
        Median of the other's metres over ours; nan where lengths are not told.
    own_kmh, other_kmh : float
        Mean speeds over the pairs of both, all metres over all seconds; nan where not told.
    """

    n_pairs: int
    n_both: int
    n_only_own: int
    n_only_other: int
    n_close: int
    difference: tuple[float, float, float]
    detour: float
    own_kmh: float
    other_kmh: float


def compare(
    own: tuple[Seconds, Metres], other: tuple[Seconds, Metres], *, is_pair: NDArray[np.bool_]
) -> Comparison:
    """Compare times and lengths of the same pairs.

    Parameters
    ----------
    own, other : (seconds, metres)
        Of equal shapes; UNREACHABLE and nan or infinity where there is no way.
    is_pair : ndarray of bool
        Pairs to look at, such as all but the diagonal.
    """
    mine, theirs = own[0] != UNREACHABLE, other[0] != UNREACHABLE
    both = is_pair & mine & theirs & (own[0] > 1)
    seconds, others = own[0][both].astype(np.float64), other[0][both].astype(np.float64)
    difference = (others - seconds) / seconds
    metres, lengths = own[1][both], other[1][both]
    low, middle, high = np.quantile(difference, QUANTILES) if both.any() else (np.nan,) * 3
    has_length = np.isfinite(metres) & np.isfinite(lengths) & (metres > 0)
    ratio = lengths[has_length] / metres[has_length]
    return Comparison(
        n_pairs=int(is_pair.sum()),
        n_both=int(both.sum()),
        n_only_own=int((is_pair & mine & ~theirs).sum()),
        n_only_other=int((is_pair & theirs & ~mine).sum()),
        n_close=int((np.abs(difference) <= CLOSE).sum()),
        difference=(float(low), float(middle), float(high)),
        detour=float(np.median(ratio)) if len(ratio) else float("nan"),
        own_kmh=_kmh(metres[has_length], seconds[has_length]),
        other_kmh=_kmh(lengths[has_length], others[has_length]),
    )


def _kmh(metres: NDArray[np.float64], seconds: NDArray[np.float64]) -> float:
    total = float(seconds.sum())
    return 3.6 * float(metres.sum()) / total if total else float("nan")
