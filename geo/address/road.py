"""Streets by name: every street of a name that an address gives, one by one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.address.text import street_direction, street_key, street_kind, street_stem
from geo.frames import Col

GAP: Final = 500.0
"""Metres between two parts of one street; farther apart they are two streets of one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """Streets, one element per street.

    Attributes
    ----------
    line : ndarray of MultiLineString, shape (n,)
        In the city's metric CRS.
    length : ndarray of float64, shape (n,)
    by_key : mapping of str to tuple of int
        Streets that go by a name as an address writes it.
    """

    line: np.ndarray
    length: np.ndarray
    by_key: Mapping[str, tuple[int, ...]]


def roads_named(streets: gpd.GeoDataFrame, wanted: Iterable[str], *, epsg: int) -> Roads:
    """Return the streets that go by the names wanted.

    Parameters
    ----------
    streets : GeoDataFrame
        STREETS frame.
    wanted : iterable of str
        Keys (`geo.address.text.street_key`) of names as addresses write them. A name that no
        street has stands for the streets that share its stem: 建设大街 for 建设路.
    """
    named = streets[streets[Col.NAME].str.strip() != ""]
    keys = {name: street_key(name) for name in named[Col.NAME].unique()}
    rows = named.groupby(named[Col.NAME].map(keys), sort=True).indices
    by_stem: dict[str, list[str]] = defaultdict(list)
    for key in rows:
        by_stem[street_stem(key)].append(key)
    chosen = {key: _spellings(key, rows, by_stem) for key in sorted(set(wanted))}
    lines = named.geometry.to_crs(epsg).to_numpy()
    line: list[shapely.Geometry] = []
    by_key: dict[str, tuple[int, ...]] = {}
    known: dict[tuple[str, ...], tuple[int, ...]] = {}
    for key, spellings in chosen.items():
        if spellings and spellings not in known:
            parts = _streets_of(lines[np.concatenate([rows[s] for s in spellings])])
            known[spellings] = tuple(range(len(line), len(line) + len(parts)))
            line += parts
        by_key[key] = known.get(spellings, ())
    found = np.array(line, dtype=object)
    return Roads(line=found, length=shapely.length(found), by_key=by_key)


def _spellings(
    key: str, rows: Mapping[str, np.ndarray], by_stem: Mapping[str, list[str]]
) -> tuple[str, ...]:
    """Return the names that streets have for one that an address writes."""
    if key in rows:
        return (key,)
    direction, kind = street_direction(key), street_kind(key)
    similar = [
        other
        for other in by_stem.get(street_stem(key), ())
        if not direction or street_direction(other) in {"", direction}
    ]
    alike = [other for other in similar if street_kind(other) == kind]
    return tuple(alike or similar)


def _streets_of(lines: np.ndarray) -> list[shapely.Geometry]:
    """Return the streets that lines of one name make, parts farther than `GAP` from each other."""
    one, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=GAP)
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(len(lines),) * 2)
    n, street = connected_components(graph, directed=False)
    return [shapely.multilinestrings(lines[street == k]) for k in range(n)]
