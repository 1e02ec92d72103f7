"""Incident reports, drawn from a stored intensity: the truth methods can be scored against."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.frames import Channel, VenueKind
from geo.sample import exact
from geo.sample.calibrate import solve_falling
from geo.sample.dwelling import Buildings
from geo.sample.exact import Floats
from geo.sample.ground import Ground, rolling_field, share_holding, shared_out
from geo.sample.lines import Ints
from geo.sample.register import apportion
from geo.sample.stream import Stream, pick
from geo.sample.venues import KINDS, Venues
from geo.units import HOUR

YEARS: Final = 3
HALF_ON: Final = 0.044
"""Expected half of the reports lies on this share of the streets; drawn ones on 4 to 5 %."""

EXPOSURE_POWER: Final = 0.45
"""Reports grow slower than exposure. With 1.0 neighbouring cells are alike (correlation 0.73; real
reports of Houston 0.3 to 0.55, by the cells counted), with 0.45 they are as different as there."""

DAY_HOURS: Final = 24
CHINA_OFFSET: Final = 8 * HOUR
"""Asia/Shanghai is UTC+8 all year since 1991."""

CHANNELS: Final = (Channel.RESIDENT, Channel.PROACTIVE, Channel.OTHER)
CHANNEL_SHARE: Final = (0.86, 0.10, 0.04)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryTraits:
    """What a category of report is like.

    Attributes
    ----------
    share : float
        Of all reports.
    per_household, per_metre : float
        Exposure to households and to the street itself.
    per_venue : dict
        Exposure to venues by kind; kinds left out count `per_other_venue`.
    by_hour : tuple of int
        Weight of each hour of the day, from midnight. Shapes follow 86,314 public reports of
        Houston (ggmap's ``crime``): peak at 18, trough at 4 to 5, 31 % from 20 to 02.
    """

    share: float
    per_household: float
    per_metre: float
    per_venue: dict[VenueKind, float]
    per_other_venue: float
    by_hour: tuple[int, ...]


# fmt: off
CATEGORIES: Final = {
    "theft": CategoryTraits(
        share=0.52, per_household=0.004, per_metre=2e-4, per_other_venue=0.6,
        per_venue={VenueKind.FOOD: 0.9, VenueKind.HOTEL: 1.6, VenueKind.ENTERTAINMENT: 4.0,
                   VenueKind.NET_CAFE: 3.0},
        by_hour=(60, 30, 24, 18, 12, 10, 12, 22, 31, 30, 34, 39,
                 52, 46, 50, 53, 54, 62, 66, 66, 64, 60, 62, 54),
    ),
    "burglary": CategoryTraits(
        share=0.25, per_household=0.008, per_metre=3e-4, per_other_venue=0.3, per_venue={},
        by_hour=(41, 26, 24, 24, 21, 26, 44, 70, 74, 60, 52, 43,
                 53, 40, 37, 37, 36, 50, 52, 43, 38, 36, 37, 36),
    ),
    "fight": CategoryTraits(
        share=0.13, per_household=0.002, per_metre=2e-4, per_other_venue=0.2,
        per_venue={VenueKind.FOOD: 1.2, VenueKind.HOTEL: 1.6, VenueKind.ENTERTAINMENT: 9.0,
                   VenueKind.NET_CAFE: 4.0, VenueKind.BEAUTY_BATH: 1.2},
        by_hour=(62, 53, 45, 36, 24, 18, 15, 15, 19, 22, 26, 29,
                 33, 30, 35, 40, 42, 44, 48, 53, 66, 74, 78, 76),
    ),
    "noise": CategoryTraits(
        share=0.10, per_household=0.006, per_metre=2e-4, per_other_venue=0.2,
        per_venue={VenueKind.FOOD: 1.2, VenueKind.ENTERTAINMENT: 6.0, VenueKind.WORKSHOP: 0.8},
        by_hour=(52, 30, 16, 9, 7, 8, 14, 25, 36, 40, 42, 44,
                 50, 44, 40, 40, 42, 48, 56, 64, 74, 82, 80, 68),
    ),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Reports in the order they came in.

    Attributes
    ----------
    xy : ndarray of float64, shape (n, 2)
    category : ndarray of int8, shape (n,)
        Row in `CATEGORIES`.
    channel : ndarray of int8, shape (n,)
        Row in `CHANNELS`.
    second : ndarray of int64, shape (n,)
        Seconds since 1970-01-01 UTC; whole hours.
    """

    xy: Floats
    category: NDArray[np.int8]
    channel: NDArray[np.int8]
    second: Ints


def expected_reports(
    ground: Ground, buildings: Buildings, venues: Venues, totals: Ints, *, seed: int
) -> Floats:
    """Return the expected reports of three years by category and street, shape (n_categories, n).

    Exposure (venues by kind, households, length) times a log-normal of the street; its spread is
    such that half of all reports falls on 4.4 % of the streets.

    Parameters
    ----------
    totals : ndarray of int64, shape (n_groups,)
        Reports of each county.
    """
    stream = Stream(seed, "intensity")
    n = len(ground)
    shared = 0.20 * rolling_field(ground, stream) + 0.98 * stream.normals(n)
    noise = [0.92 * shared + 0.39 * stream.normals(n) for _ in CATEGORIES]
    exposure = [_exposure(t, ground, buildings, venues) for t in CATEGORIES.values()]

    def expected(spread: float) -> Floats:
        rows = [
            shared_out(
                e * exact.exp(spread * g),
                ground.group,
                np.asarray(t.share * totals, dtype=np.float64),
            )
            for t, e, g in zip(CATEGORIES.values(), exposure, noise, strict=True)
        ]
        return np.array(rows)

    def half_on(spread: float) -> float:
        return share_holding(expected(spread).sum(axis=0), 0.5)

    return expected(solve_falling(half_on, HALF_ON, low=0.0, high=3.0))


def _exposure(
    traits: CategoryTraits, ground: Ground, buildings: Buildings, venues: Venues
) -> Floats:
    n = len(ground)
    per_kind = np.array([traits.per_venue.get(k, traits.per_other_venue) for k in KINDS])
    by_venue = np.bincount(venues.street, per_kind[venues.kind], n)
    households = np.bincount(buildings.street, buildings.households, n)
    by_household = traits.per_household * households
    return exact.power(by_venue + by_household + traits.per_metre * ground.length, EXPOSURE_POWER)


def yearly_intensity(expected: Floats) -> Floats:
    """Return expected reports per year by street and hour of the day, shape (n, 24)."""
    intensity = np.zeros((expected.shape[1], DAY_HOURS))
    for row, traits in zip(expected, CATEGORIES.values(), strict=True):
        intensity += np.outer(row / YEARS, _hour_share(traits))
    return np.asarray(np.round(intensity, 9))


def _hour_share(traits: CategoryTraits) -> Floats:
    weight = np.array(traits.by_hour, dtype=np.float64)
    return np.asarray(weight / weight.sum())


def draw_reports(
    ground: Ground, expected: Floats, n_reports: int, data_date: date, *, seed: int
) -> Reports:
    """Draw reports from the intensity, over the three years that end with `data_date`."""
    stream = Stream(seed, "reports")
    n_category = apportion(n_reports, expected.sum(axis=1))
    category = np.repeat(np.arange(len(expected), dtype=np.int8), n_category)
    street, hour = [], []
    for row, traits in enumerate(CATEGORIES.values()):
        n = int(n_category[row])
        street.append(pick(expected[row], stream.uniforms(n)))
        hour.append(pick(_hour_share(traits), stream.uniforms(n)))
    first_day, n_days = _period(data_date)
    day = np.floor(stream.uniforms(n_reports) * n_days).astype(np.int64)
    second = (first_day + day) * (DAY_HOURS * HOUR) + np.concatenate(hour) * HOUR - CHINA_OFFSET
    order = np.argsort(second, kind="stable")
    streets = np.concatenate(street)[order]
    offset = stream.uniforms(n_reports, -6.0, 6.0)
    return Reports(
        xy=ground.beside(streets, stream.uniforms(n_reports), offset),
        category=category[order],
        channel=pick(np.array(CHANNEL_SHARE), stream.uniforms(n_reports)).astype(np.int8),
        second=second[order],
    )


def _period(data_date: date) -> tuple[int, int]:
    """Return the first day, counted from 1970-01-01, and the number of days."""
    last = data_date
    day = min(last.day, 28) if last.month == 2 else last.day
    first = last.replace(year=last.year - YEARS, day=day) + timedelta(days=1)
    return (first - date(1970, 1, 1)).days, (last - first).days + 1
