"""Vintages of the sample: the lines of an older register, drawn into those of the newest one.

Townships are the same land under the names and codes of their day. Each village of the newest
register is divided among the older ones that became it, so that which village went where is known:
the truth that a matching of two registers can be judged by. Same or like names within a township
stay together; the others are shared out by area, in the order of the registers.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from geo.sample.atoms import Atoms
from geo.sample.exact import Floats
from geo.sample.lines import Ints
from geo.sample.register import County, Unit
from geo.sample.settlements import stem
from geo.sample.stream import Stream
from geo.sample.tiling import Tiling, dissolved, divided, village_seeds

_ENDING: Final = re.compile(r"(社区|新村|村|居)?(居民|村民)?(居委会|村委会|委员会)?$")
"""What registers put after a village's own name: 村委会, 村村民委员会, 新村, 社区居民委员会 …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderLines:
    """The tiling of an older register, and what became of its villages.

    Attributes
    ----------
    tiling : Tiling
    became : dict
        Code of an older village -> code of the newest register's village it lies in. Without the
        villages of townships that had fewer of them then than now: their lines are drawn anew.
    """

    tiling: Tiling
    became: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zone:
    """Older villages that share the land of one newer village, or of a whole township.

    Attributes
    ----------
    units : tuple of Unit
    newer : tuple of int
        Rows of newer villages.
    township : int
    """

    units: tuple[Unit, ...]
    newer: tuple[int, ...]
    township: int


def older_lines(
    newest: Tiling, counties: tuple[County, ...], atoms: Atoms, *, seed: int
) -> OlderLines:
    """Draw an older register into the newest tiling.

    Parameters
    ----------
    newest : Tiling
    counties : tuple of County
        Of the older register, in the order of the tiling's counties.
    """
    townships = [
        _township_then(unit, counties[row])
        for unit, row in zip(newest.townships, newest.county_of, strict=True)
    ]
    zones: list[_Zone] = []
    for row, unit in enumerate(townships):
        units = counties[newest.county_of[row]].villages[unit.code]
        zones += _zones(units, row, newest, atoms)
    listed = [(zone.township, unit) for zone in zones for unit in zone.units]
    order = sorted(range(len(listed)), key=lambda row: (listed[row][0], listed[row][1].code))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    village = place[_drawn(zones, newest, atoms, seed=seed)]
    tiling = replace(
        newest,
        counties=tuple(Unit(code=county.code, name=county.name) for county in counties),
        townships=tuple(townships),
        villages=tuple(listed[row][1] for row in order),
        village_shape=dissolved(atoms.shape, village, len(order)),
        township_of=np.array([listed[row][0] for row in order], dtype=np.int64),
        village=village,
    )
    return OlderLines(tiling=tiling, became=_became(zones, newest))


def _became(zones: list[_Zone], newest: Tiling) -> dict[str, str]:
    return {
        unit.code: newest.villages[zone.newer[0]].code
        for zone in zones
        if len(zone.newer) == 1
        for unit in zone.units
    }


def _township_then(now: Unit, county: County) -> Unit:
    """Return a township of today as the older register has it: by code, else by its name's stem."""
    listed = (*county.townships, *county.extra)
    same = [unit for unit in listed if unit.code == now.code]
    like = [unit for unit in listed if stem(unit.name) == stem(now.name)]
    return (same or like)[0]


def _zones(units: tuple[Unit, ...], township: int, newest: Tiling, atoms: Atoms) -> Iterator[_Zone]:
    """Yield the zones of one township: one per newer village, or one in all."""
    rows = np.flatnonzero(newest.township_of == township)
    if len(units) < len(rows):
        yield _Zone(units=units, newer=tuple(rows.tolist()), township=township)
        return
    inside = np.isin(newest.village, rows)
    mine = np.searchsorted(rows, newest.village[inside])
    area = np.bincount(mine, atoms.area[inside], len(rows)).astype(np.float64)
    share = _shares(len(units), area, np.bincount(mine, minlength=len(rows)))
    names = [newest.villages[row].name for row in rows]
    for row, older in zip(rows.tolist(), _shared_out(units, names, share), strict=True):
        yield _Zone(units=older, newer=(row,), township=township)


def _shares(n: int, area: Floats, room: Ints) -> Ints:
    """Share n villages out by area, at least one and at most `room` each (d'Hondt)."""
    share = np.ones(len(area), dtype=np.int64)
    for _ in range(n - len(area)):
        claim = np.where(share < room, area / (share + 1), -1.0)
        share[int(np.argmax(claim))] += 1
    return share


def _shared_out(
    units: tuple[Unit, ...], names: Sequence[str], share: Ints
) -> list[tuple[Unit, ...]]:
    """Return the older units of each newer village: its namesake, then others in order."""
    rest = list(units)
    kept: list[list[Unit]] = []
    for name in names:
        exact = [unit for unit in rest if unit.name == name]
        like = [unit for unit in rest if own_name(unit.name) == own_name(name)]
        namesake = (exact or like)[:1]
        rest = [unit for unit in rest if unit not in namesake]
        kept.append(namesake)
    queue = iter(rest)
    return [
        (*mine, *(next(queue) for _ in range(int(n) - len(mine))))
        for mine, n in zip(kept, share, strict=True)
    ]


def own_name(name: str) -> str:
    """Return a village's name without what registers put after it."""
    return _ENDING.sub("", name, count=1) or name


def _drawn(zones: list[_Zone], newest: Tiling, atoms: Atoms, *, seed: int) -> Ints:
    """Return the row of the older village of each atom, in the order of the zones."""
    zone_of_newer = np.zeros(len(newest.villages), dtype=np.int64)
    for row, zone in enumerate(zones):
        zone_of_newer[list(zone.newer)] = row
    zone_of_atom = zone_of_newer[newest.village]
    cuts = np.cumsum(np.bincount(zone_of_atom, minlength=len(zones)))[:-1]
    inside = np.split(np.argsort(zone_of_atom, kind="stable"), cuts)
    seeds: list[int] = []
    for rows, zone in zip(inside, zones, strict=True):
        stream = Stream(seed, "older villages", zone.units[0].code)
        seeds += village_seeds(rows, atoms, len(zone.units), stream)
    return divided(zone_of_atom, np.array(seeds, dtype=np.int64), atoms, seed=seed)
