"""Villages, townships and counties by the names that addresses give them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import numpy as np

from geo.address.text import (
    Address,
    parse_address,
    plain_text,
    township_key,
    village_key,
    village_stem,
)
from geo.boundary import unit_codes
from geo.frames import Col, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The boundaries an address names, by their rows; empty where it names none that is known.

    Attributes
    ----------
    villages : tuple of int
        Several where the name repeats and nothing tells which.
    townships, counties : tuple of int
    contradicts : bool
        A village of the name is known, but not in the township or county that is named.
    """

    villages: tuple[int, ...] = ()
    townships: tuple[int, ...] = ()
    counties: tuple[int, ...] = ()
    contradicts: bool = False

    @property
    def finest(self) -> tuple[int, ...]:
        """Rows of the smallest boundaries that are named."""
        return self.villages or self.townships or self.counties


@dataclass(frozen=True, slots=True, kw_only=True)
class Gazetteer:
    """Rows of boundaries by name; `area` in the city's metric CRS, `inside` the units above."""

    area: np.ndarray
    code: np.ndarray
    inside: np.ndarray
    by_code: Mapping[str, int]
    by_name: Mapping[Level, Mapping[str, tuple[int, ...]]]
    by_stem: Mapping[Level, Mapping[str, tuple[int, ...]]] = field(repr=False)

    def scope(self, village: str, township: str, address: Address) -> Scope:
        """Return the boundaries named by a village column, a township column and an address."""
        stated = parse_address(village)
        counties = self._named(Level.COUNTY, (*stated.above, *address.above))
        townships = self._within(
            self._named(Level.TOWNSHIP, (township, stated.township, address.township)), counties
        )
        found = self._villages((village, stated.village, address.village))
        chosen = self._within(found, townships or counties)
        return Scope(
            villages=chosen,
            townships=townships,
            counties=counties,
            contradicts=bool(found) and not chosen,
        )

    def _villages(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the villages of the first name that is known; a code is a name too."""
        for name in names:
            if name in self.by_code:
                return (self.by_code[name],)
            found = self._named(Level.VILLAGE, (name,))
            if found:
                return found
        return ()

    def _named(self, level: Level, names: Iterable[str]) -> tuple[int, ...]:
        """Return the units of the first name that is known, by its whole name before its stem."""
        for name in filter(None, names):
            found = self.by_name[level].get(_KEYS[level](name))
            found = found or self.by_stem[level].get(_STEMS[level](name))
            if found:
                return found
        return ()

    def _within(self, rows: tuple[int, ...], above: tuple[int, ...]) -> tuple[int, ...]:
        """Return the units that lie in one of those above; all where none is named."""
        if not above:
            return rows
        codes = {self.code[row] for row in above}
        return tuple(row for row in rows if codes & set(self.inside[row]))


def gazetteer(boundaries: gpd.GeoDataFrame, *, epsg: int) -> Gazetteer:
    """Return the names of a BOUNDARIES frame."""
    level = boundaries[Col.LEVEL].to_numpy(dtype=object)
    names = boundaries[Col.NAME].to_numpy(dtype=object)
    code = boundaries[Col.CODE].to_numpy(dtype=object)
    by_name: dict[Level, dict[str, tuple[int, ...]]] = {}
    by_stem: dict[Level, dict[str, tuple[int, ...]]] = {}
    for wanted, key_of in _KEYS.items():
        rows = np.flatnonzero(level == wanted.value).tolist()
        by_name[wanted] = _grouped((key_of(names[row]), row) for row in rows)
        by_stem[wanted] = _grouped((_STEMS[wanted](names[row]), row) for row in rows)
    return Gazetteer(
        area=boundaries.geometry.to_crs(epsg).to_numpy(),
        code=code,
        inside=unit_codes(boundaries).to_numpy(dtype=object),
        by_code={str(text): row for row, text in enumerate(code) if level[row] == Level.VILLAGE},
        by_name=by_name,
        by_stem=by_stem,
    )


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return {key: tuple(rows) for key, rows in groups.items()}


def _township_stem(name: str) -> str:
    key = township_key(name)
    stem = key.removesuffix("街道")
    return stem if stem != key else key[:-1] if key[-1:] in {"镇", "乡"} and len(key) > 2 else key


def _county_stem(name: str) -> str:
    return name[:-1] if name[-1:] in {"区", "县", "市"} and len(name) > 2 else name


_KEYS: Final[Mapping[Level, Callable[[str], str]]] = {
    Level.VILLAGE: village_key,
    Level.TOWNSHIP: township_key,
    Level.COUNTY: plain_text,
}
_STEMS: Final[Mapping[Level, Callable[[str], str]]] = {
    Level.VILLAGE: village_stem,
    Level.TOWNSHIP: _township_stem,
    Level.COUNTY: _county_stem,
}
