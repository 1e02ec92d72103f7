"""Buildings with households along lanes, adding up to the stated total of each county."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.sample.exact import Floats
from geo.sample.ground import Ground
from geo.sample.lines import Ints, Rank
from geo.sample.register import apportion
from geo.sample.stream import Stream

_TOWN_STEP: Final = 38.0
_VILLAGE_STEP: Final = 42.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """Residential buildings: in towns a block, in villages a row of courtyards.

    Attributes
    ----------
    xy : ndarray of float64, shape (n, 2)
    street : ndarray of int64, shape (n,)
    households : ndarray of int64, shape (n,)
    """

    xy: Floats
    street: Ints
    households: Ints


def place_buildings(ground: Ground, totals: Ints, *, seed: int) -> Buildings:
    """Place buildings on both frontages of lanes: blocks every 38 m, rows of courtyards every 42 m.

    Weights are 16 to 60 households a block, less at the edge of town, 5 to 12 a row; they are then
    scaled to the county's total.

    Parameters
    ----------
    totals : ndarray of int64, shape (n_groups,)
        Households of each county.
    """
    stream = Stream(seed, "buildings")
    lanes = np.flatnonzero(ground.rank >= Rank.LANE)
    lanes = lanes[ground.rank[lanes] == Rank.LANE]
    in_town = ground.is_built_up[lanes]
    n = np.maximum(
        1, (ground.length[lanes] / np.where(in_town, _TOWN_STEP, _VILLAGE_STEP)).astype(int)
    )
    street = np.repeat(lanes, n)
    number = np.arange(len(street)) - np.repeat(np.cumsum(n) - n, n)
    side = np.where(stream.uniforms(len(street)) < 0.5, -1.0, 1.0)
    offset = side * (12.0 + 6.0 * stream.uniforms(len(street)))
    xy = ground.beside(street, (number + 0.5) / np.repeat(n, n), offset)
    lot = stream.uniforms(len(street))
    block = (16.0 + 44.0 * lot * lot) * (0.4 + 0.6 * ground.centrality[street])
    weight = np.where(ground.is_built_up[street], block, 5.0 + 7.0 * lot)
    return Buildings(xy=xy, street=street, households=_households(ground, street, weight, totals))


def _households(ground: Ground, street: Ints, weight: Floats, totals: Ints) -> Ints:
    households = np.zeros(len(street), dtype=np.int64)
    for group, total in enumerate(totals):
        rows = np.flatnonzero(ground.group[street] == group)
        if len(rows):
            least = 1 if total >= len(rows) else 0
            households[rows] = apportion(int(total), weight[rows], least=least)
    return households
