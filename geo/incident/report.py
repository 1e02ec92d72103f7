"""When reports came in, and through which channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np

from geo.errors import OptionInvalid
from geo.frames import Channel, Col
from geo.units import CITY_ZONE

HOURS_PER_DAY: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Residents:
    """Residents' reports, and what was left out.

    Attributes
    ----------
    frame : GeoDataFrame
        Rows of channel `resident_report`.
    left_out : mapping of Channel to int
        Rows of every other channel, zero included.
    """

    frame: gpd.GeoDataFrame
    left_out: Mapping[Channel, int]


def hours_of(incidents: gpd.GeoDataFrame) -> np.ndarray:
    """Return the hour of day of each report, Asia/Shanghai; int64, shape (n,)."""
    local = incidents[Col.OCCURRED_AT].dt.tz_convert(CITY_ZONE)
    return np.asarray(local.dt.hour.to_numpy(dtype=np.int64))


def days_before(incidents: gpd.GeoDataFrame, day: np.datetime64) -> np.ndarray:
    """Return how many calendar days before `day` each report was made; negative after it."""
    local = incidents[Col.OCCURRED_AT].dt.tz_convert(CITY_ZONE).dt.tz_localize(None)
    return np.asarray((day - local.to_numpy().astype("datetime64[D]")).astype(np.int64))


def shift_hours(start_hour: int, n_hours: int) -> tuple[int, ...]:
    """Return the hours of day a shift runs through, in its order.

    Examples
    --------
    >>> shift_hours(20, 6)
    (20, 21, 22, 23, 0, 1)
    """
    if not 0 <= start_hour < HOURS_PER_DAY or not 1 <= n_hours <= HOURS_PER_DAY:
        raise OptionInvalid(
            option="shift",
            value=f"{n_hours} h from {start_hour}:00",
            expected="1 to 24 hours from an hour of day",
        )
    return tuple((start_hour + k) % HOURS_PER_DAY for k in range(n_hours))


def hour_bins(incidents: gpd.GeoDataFrame, *, start_hour: int, n_hours: int) -> np.ndarray:
    """Return which hour of the shift each report falls into; -1 outside it; int64, shape (n,)."""
    bins = np.full(HOURS_PER_DAY, -1, dtype=np.int64)
    bins[list(shift_hours(start_hour, n_hours))] = np.arange(n_hours)
    return np.asarray(bins[hours_of(incidents)])


def resident_reports(incidents: gpd.GeoDataFrame) -> Residents:
    """Return the residents' reports alone.

    What patrols find themselves says where patrols were; counting it would send them there again
    (Lum and Isaac, Significance 13(5), 2016).
    """
    channel = incidents[Col.CHANNEL]
    n = channel.value_counts()
    return Residents(
        frame=incidents[channel == Channel.RESIDENT.value],
        left_out={
            other: int(n.get(other.value, 0)) for other in Channel if other is not Channel.RESIDENT
        },
    )
