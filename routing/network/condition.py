"""Closures, works, events and weather as shares of the speed on each segment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geo.frames import Col
from routing.network.closure import touches_of
from routing.network.profile import MODES
from routing.network.segment import Network

CLOSING_M: Final = 10.0
"""Metres of a segment that a closure must take to close it, or half of a shorter one: an area
drawn by hand overlaps the mouths of the streets beside it by a few."""

STANDING: Final = 0.01
"""Share of the speed below which a street is closed: a car would be slower than a pedestrian by
ten times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds on a network's streets for the length of a shift.

    Attributes
    ----------
    is_closed : ndarray of bool, shape (n_modes, 2 * n_segments)
        Arcs closed to each mode, rows in the order of MODES.
    factor : ndarray of float64, shape (n_modes, n_segments)
        Share of the speed that is left, above 0 and up to 1; 1 on closed arcs too.
    closure_ids : tuple of str
        Closures that hold during the shift, in the order of their rows.
    segment, closure : ndarray of int32, shape (n_touches,)
        Segments touched, ascending, and the position in `closure_ids` of what touches each.
    unmatched : tuple of str
        Of these closures, those that touch no street.
    """

    is_closed: NDArray[np.bool_]
    factor: NDArray[np.float64]
    closure_ids: tuple[str, ...]
    segment: NDArray[np.int32]
    closure: NDArray[np.int32]
    unmatched: tuple[str, ...]

    def closures_at(self, segment: int) -> tuple[str, ...]:
        """Return the ids of the closures that touch a segment."""
        first, last = np.searchsorted(self.segment, [segment, segment + 1])
        return tuple(self.closure_ids[i] for i in self.closure[first:last])


def no_conditions(network: Network) -> Conditions:
    """Return the conditions of a night on which every street is open."""
    none = np.empty(0, dtype=np.int32)
    return Conditions(
        is_closed=np.zeros((len(MODES), 2 * network.n_segments), dtype=bool),
        factor=np.ones((len(MODES), network.n_segments)),
        closure_ids=(),
        segment=none,
        closure=none,
        unmatched=(),
    )


def conditions_at(
    network: Network, closures: gpd.GeoDataFrame, *, start: datetime, length: int
) -> Conditions:
    """Return what the closures that hold at any time of a span do to each segment.

    A closure that holds for part of the span counts for all of it: a plan that keeps clear of a
    street all night is good at every hour. Of several on one segment the slowest counts.

    Parameters
    ----------
    network : Network
    closures : GeoDataFrame
        `geo.frames.CLOSURES`, EPSG:4326.
    start : datetime
        With its zone.
    length : int
        Seconds.
    """
    held = closures[_holds(closures, start, length)].reset_index(drop=True)
    if held.empty:
        return no_conditions(network)
    touches = touches_of(network, held)
    share = held[Col.SPEED_SHARE].to_numpy()[touches.closure]
    whole = network.measure[network.offsets[1:] - 1][touches.segment]
    closes = (share < STANDING) & (touches.metres >= np.minimum(CLOSING_M, whole / 2.0))
    factor = _left(touches.metres / whole, share)
    is_felt = closes | (factor < 1.0)
    segment, closure = touches.segment[is_felt], touches.closure[is_felt]
    left = np.ones((len(MODES), network.n_segments))
    for row, is_meant in enumerate(_meant(held)):
        rows = is_meant[closure]
        np.minimum.at(left[row], segment[rows], np.where(closes, 0.0, factor)[is_felt][rows])
    ids = tuple(map(str, held[Col.CLOSURE_ID]))
    touching = set(closure.tolist())
    return Conditions(
        is_closed=np.repeat(left == 0.0, 2, axis=1),
        factor=np.where(left == 0.0, 1.0, left),
        closure_ids=ids,
        segment=segment.astype(np.int32),
        closure=closure.astype(np.int32),
        unmatched=tuple(name for row, name in enumerate(ids) if row not in touching),
    )


def _holds(closures: gpd.GeoDataFrame, start: datetime, length: int) -> NDArray[np.bool_]:
    """Tell which closures hold at any time of the span; a blank instant is open."""
    end = start + timedelta(seconds=length)
    begins, ends = closures[Col.VALID_FROM], closures[Col.VALID_TO]
    holds = (begins.isna() | (begins < end)) & (ends.isna() | (ends > start))
    return np.asarray(holds, dtype=bool)


def _left(part: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the speed left on a segment of which `part` goes at `share` of it, 1 if closed.

    Times add up: the rest takes ``1 - part`` of the usual time, the slow part ``part / share``.
    """
    slow = np.divide(part, share, out=part.copy(), where=share >= STANDING)
    return np.asarray(1.0 / (1.0 - part + slow)).clip(max=1.0)


def _meant(held: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which modes each closure is for, shape (n_modes, n_closures); "" is for all."""
    told = [frozenset(filter(None, words.split(","))) for words in held[Col.MODES]]
    return np.array([[not words or mode.value in words for words in told] for mode in MODES])
