"""The milliseconds a mode needs on each arc: by class, time of day, limit and closures."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.model import UNREACHABLE, Mode
from routing.network.condition import Conditions
from routing.network.profile import MODES, TimeBand
from routing.network.segment import Network

MS_PER_METRE_AT_1_KMH: Final = 3600.0
"""Milliseconds per metre at 1 km/h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcTimes:
    """Milliseconds of one mode.

    Attributes
    ----------
    run : ndarray of int32, shape (n_segments,)
        From end to end of a segment, at least 1; UNREACHABLE where the mode may not go at all.
    delay : ndarray of int32, shape (2 * n_segments,)
        Lost at the junction an arc reaches.
    whole : ndarray of int32, shape (2 * n_segments,)
        Run and delay together; UNREACHABLE where the mode may not use the arc.
    """

    run: NDArray[np.int32]
    delay: NDArray[np.int32]
    whole: NDArray[np.int32]


def arc_times(
    network: Network,
    mode: Mode,
    *,
    band: TimeBand = TimeBand.NIGHT,
    conditions: Conditions | None = None,
    escorted: bool = False,
) -> ArcTimes:
    """Return the milliseconds `mode` needs on each arc of `network`.

    Parameters
    ----------
    band : TimeBand
        Part of the day whose speeds count.
    conditions : Conditions, optional
        Streets that are closed or slow.
    escorted : bool
        On streets with a green wave (`Profile.corridor`) motor vehicles go at its speed and lose
        nothing at the junctions they reach along it.
    """
    kmh = _kmh(network, mode, band)
    at_junction = network.junction[network.arc_head]
    if escorted and mode in network.profile.limited:
        wave = _green_wave(network)
        kmh = np.where(np.isnan(wave), kmh, wave)
        at_junction = at_junction & np.repeat(np.isnan(wave), 2)
    usable = network.usable_by(mode)
    if conditions is not None:
        row = MODES.index(mode)
        kmh = kmh * conditions.factor[row]
        usable = usable & ~conditions.is_closed[row]
    exact = network.length * MS_PER_METRE_AT_1_KMH / kmh
    run = np.where(np.isnan(kmh), UNREACHABLE, _whole(exact)).astype(np.int32)
    delay = at_junction * np.int32(round(network.profile.junction_delay[mode] * 1000.0))
    whole = np.where(usable, np.repeat(run, 2) + delay, UNREACHABLE)
    return ArcTimes(run=run, delay=delay.astype(np.int32), whole=whole.astype(np.int32))


def _whole(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to milliseconds: at least 1, and never as much as no way at all."""
    return np.rint(exact).clip(min=1.0, max=UNREACHABLE // 2)


def _kmh(network: Network, mode: Mode, band: TimeBand) -> NDArray[np.float64]:
    """Speed on each segment; a posted limit caps the class's where the mode keeps to it."""
    kmh = network.profile.kmh(mode, band)[network.street_class]
    if mode not in network.profile.limited:
        return kmh
    limit = np.where(network.max_speed > 0.0, network.max_speed, np.inf)
    return np.minimum(kmh, limit)


def _green_wave(network: Network) -> NDArray[np.float64]:
    """Return the speed of each segment's green wave; nan where it has none."""
    speeds = network.profile.corridor
    by_name = np.array([speeds.get(name, np.nan) for name in network.names])
    return by_name[network.name]
