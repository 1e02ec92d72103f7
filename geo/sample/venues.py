"""Venues of the nine kinds, clustered along streets with a heavy tail."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.frames import Tier, VenueKind
from geo.sample import exact
from geo.sample.calibrate import solve_falling
from geo.sample.exact import Floats
from geo.sample.ground import Ground, rolling_field, share_holding, shared_out
from geo.sample.lines import Ints, Rank
from geo.sample.register import apportion
from geo.sample.stream import Stream, pick

HALF_ON: Final = 0.055
"""Half of the venues lie on this share of the streets (asked: 4 to 7 %)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTraits:
    """What a kind of venue is like; shares are our assumption, no count by kind was found.

    Attributes
    ----------
    label : str
        What sample venues of the kind are called, before their number.
    share : float
        Of all venues.
    red, yellow : float
        Share of tier red and yellow within the kind; they give about 4 and 26 % over all kinds.
    clumping : float
        How heavy the tail per street is: night life and works lie closer together than shops.
    """

    label: str
    share: float
    red: float
    yellow: float
    clumping: float


TRAITS: Final = {
    VenueKind.SCHOOL: KindTraits(
        label="样例学校", share=0.042, red=0.10, yellow=0.41, clumping=0.3
    ),
    VenueKind.CLINIC: KindTraits(
        label="样例诊所", share=0.056, red=0.08, yellow=0.39, clumping=0.5
    ),
    VenueKind.SHOP: KindTraits(
        label="样例商店", share=0.452, red=0.015, yellow=0.18, clumping=1.05
    ),
    VenueKind.FOOD: KindTraits(
        label="样例餐馆", share=0.236, red=0.03, yellow=0.265, clumping=1.25
    ),
    VenueKind.HOTEL: KindTraits(label="样例旅馆", share=0.028, red=0.10, yellow=0.50, clumping=1.1),
    VenueKind.ENTERTAINMENT: KindTraits(
        label="样例歌舞厅", share=0.007, red=0.28, yellow=0.50, clumping=1.6
    ),
    VenueKind.NET_CAFE: KindTraits(
        label="样例网吧", share=0.005, red=0.12, yellow=0.48, clumping=1.2
    ),
    VenueKind.BEAUTY_BATH: KindTraits(
        label="样例美容店", share=0.086, red=0.06, yellow=0.34, clumping=1.1
    ),
    VenueKind.WORKSHOP: KindTraits(
        label="样例作坊", share=0.088, red=0.10, yellow=0.32, clumping=1.3
    ),
}

KINDS: Final = tuple(TRAITS)
TIERS: Final = (Tier.RED, Tier.YELLOW, Tier.GREEN)

CADENCE_DAYS: Final = (30, 91, 182)
"""Days between inspections by tier, as the sample's past inspectors kept them."""

_UNKNOWN: Final = 0.03
_OVERDUE: Final = 0.06

_CLASS_WEIGHT: Final = {
    Rank.EXPRESSWAY: 0.3,
    Rank.ARTERIAL: 2.2,
    Rank.COLLECTOR: 2.6,
    Rank.LANE: 1.0,
    Rank.RURAL: 0.06,
}
_DENSEST: Final = 70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """Venues: point, street row, row in `KINDS`, row in `TIERS`, day of the last inspection."""

    xy: Floats
    street: Ints
    kind: Ints
    tier: Ints
    last_inspection: NDArray[np.datetime64]


def place_venues(ground: Ground, totals: Ints, data_date: date, *, seed: int) -> Venues:
    """Place venues: street weight by class and centrality times a log-normal of streets and kinds.

    Parameters
    ----------
    totals : ndarray of int64, shape (n_groups,)
        Venues of each county.
    """
    stream = Stream(seed, "venues")
    n = int(totals.sum())
    n_kind = apportion(n, np.array([TRAITS[kind].share for kind in KINDS]))
    kind = np.repeat(np.arange(len(KINDS)), n_kind)
    noise = _noise(ground, stream)
    lots = np.split(stream.uniforms(n), np.cumsum(n_kind)[:-1])
    base = _base_weight(ground)

    def streets(spread: float) -> Ints:
        drawn = []
        for row, lot in enumerate(lots):
            scale = spread * TRAITS[KINDS[row]].clumping
            weight = _capped(base * exact.exp(scale * noise[row]), ground)
            drawn.append(pick(shared_out(weight, ground.group, totals.astype(float)), lot))
        return np.concatenate(drawn)

    def half_on(spread: float) -> float:
        return share_holding(np.bincount(streets(spread), minlength=len(ground)).astype(float), 0.5)

    street = streets(solve_falling(half_on, HALF_ON, low=0.0, high=2.5, rounds=9))
    side = np.where(stream.uniforms(n) < 0.5, -1.0, 1.0)
    offset = side * stream.uniforms(n, 6.0, 11.0)
    tier = _tiers(kind, stream)
    return Venues(
        xy=ground.beside(street, stream.uniforms(n), offset),
        street=street,
        kind=kind,
        tier=tier,
        last_inspection=_last_inspections(tier, data_date, stream),
    )


def _base_weight(ground: Ground) -> Floats:
    """Return length by class; towns by how central, villages and market towns by their density."""
    by_class = np.array([_CLASS_WEIGHT[rank] for rank in Rank])[ground.rank]
    place = np.where(
        ground.is_built_up,
        exact.exp(1.6 * (ground.centrality - 1.0)),
        np.clip(ground.density / 12.0, 0.02, 0.35),
    )
    return np.asarray(ground.length * by_class * place)


def _noise(ground: Ground, stream: Stream) -> list[Floats]:
    """Return one field per kind: a part shared by kinds, partly smooth, and a part of its own."""
    n = len(ground)
    shared = 0.4 * rolling_field(ground, stream) + 0.92 * stream.normals(n)
    return [0.75 * shared + 0.66 * stream.normals(n) for _ in KINDS]


def _capped(weight: Floats, ground: Ground) -> Floats:
    """Hold every street at 70 times the mean weight per metre."""
    mean = weight.sum() / ground.length.sum()
    return np.asarray(np.minimum(weight, _DENSEST * mean * ground.length))


def _tiers(kind: Ints, stream: Stream) -> Ints:
    red = np.array([TRAITS[k].red for k in KINDS])[kind]
    yellow = np.array([TRAITS[k].yellow for k in KINDS])[kind]
    lot = stream.uniforms(len(kind))
    return np.asarray((lot >= red).astype(np.int64) + (lot >= red + yellow))


def _last_inspections(tier: Ints, data_date: date, stream: Stream) -> NDArray[np.datetime64]:
    """Draw days within the tier's cadence; 6 % are overdue by up to half a cadence, 3 % unknown."""
    cadence = np.array(CADENCE_DAYS)[tier]
    lot = stream.uniforms(len(tier))
    late = stream.uniforms(len(tier)) < _OVERDUE
    days = np.floor(cadence * np.where(late, 1.0 + 0.5 * lot, lot)).astype(np.int64) + late
    last = np.datetime64(data_date, "s") - days.astype("timedelta64[D]")
    last[stream.uniforms(len(tier)) < _UNKNOWN] = np.datetime64("NaT")
    return np.asarray(last)
