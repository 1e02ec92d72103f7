"""示范街: how the venues along each street stand; n and N of every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.address.road import Roads, roads_named
from geo.address.text import street_key
from geo.errors import OptionInvalid
from geo.frames import Col, DueState, Tier

BESIDE: Final = 60.0
"""Metres between a venue and the middle of its street: half of a wide arterial and a forecourt."""

N_NEAR: Final = 5
ALIKE: Final = 0.3
"""Names offered for one that no street has, at most, and how alike they are at least."""

NO_STREET: Final = "-"
"""Id of the row that holds the venues on none of the streets."""


def roll_up_streets(
    venues: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    names: tuple[str, ...] = (),
) -> gpd.GeoDataFrame:
    """Count venues, tiers and due inspections by street.

    Parameters
    ----------
    venues : GeoDataFrame
        With tier, `due_state` (`due_venues`) and points.
    streets : GeoDataFrame
        STREETS frame. Parts of one name that lie more than 500 m apart are two streets.
    epsg : int
        Metric CRS.
    names : tuple of str
        Streets wanted, as signs write them; every named one where empty.

    Returns
    -------
    GeoDataFrame
        SHOW_STREETS frame, by name, one row per street with a venue or asked for by name, and one
        of id ``-`` for the venues within 60 m of none: the rows sum to the whole.

    Raises
    ------
    OptionInvalid
        A street asked for that is not in the file.
    """
    all_names = streets.loc[streets[Col.NAME] != "", Col.NAME].unique()
    wanted = {street_key(name) for name in (names or all_names)}
    roads = roads_named(streets, wanted, epsg=epsg)
    _require_known(names, roads, [str(name) for name in all_names])
    owner = _nearest(venues.geometry.to_crs(epsg).to_numpy(), roads.line)
    counts = _counts(venues, owner, len(roads.line))
    keep = np.ones(len(roads.line) + 1, dtype=bool)
    keep[:-1] = bool(names) | (counts[Col.N_VENUES].to_numpy()[:-1] > 0)
    key_of = {row: key for key, rows in sorted(roads.by_key.items()) for row in rows}
    called = [key_of.get(row, "") for row in range(len(roads.line))]
    lines = gpd.GeoSeries([*roads.line, None], crs=epsg).to_crs(streets.crs)
    frame = gpd.GeoDataFrame(
        {
            Col.STREET_ID: pd.Series([*_ids(called), NO_STREET], dtype="str"),
            Col.NAME: pd.Series([*called, ""], dtype="str"),
            **{name: counts[name] for name in counts.columns},
        },
        geometry=lines.to_numpy(),
        crs=streets.crs,
    )
    shown: gpd.GeoDataFrame = frame[keep]
    return shown.sort_values([Col.NAME, Col.STREET_ID], ignore_index=True)


def n_beside(venues: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, *, epsg: int) -> int:
    """Return how many venues lie within 60 m of any street, named or not."""
    lines = streets.geometry.to_crs(epsg).to_numpy()
    owner = _nearest(venues.geometry.to_crs(epsg).to_numpy(), lines)
    return int((owner < len(lines)).sum())


@dataclass(frozen=True, slots=True)
class NearNames:
    """The streets whose names are most like one that no street has.

    Attributes
    ----------
    names : tuple of str
    """

    names: tuple[str, ...]

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"venue.street.{'near' if self.names else 'none'}"

    @property
    def params(self) -> Mapping[str, object]:
        """Fields of the phrase."""
        return {"names": self.names}

    def __str__(self) -> str:
        if not self.names:
            return "a street of the file of roads"
        return f"a street of the file of roads, such as {', '.join(self.names)}"


def _require_known(names: tuple[str, ...], roads: Roads, known: Sequence[str]) -> None:
    """Refuse streets that are not in the file, with the names most like them."""
    for name in names:
        if not roads.by_key[street_key(name)]:
            near = tuple(get_close_matches(name, known, n=N_NEAR, cutoff=ALIKE))
            raise OptionInvalid(option="--street", value=name, expected=NearNames(near))


def _nearest(points: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return the street next to each point, the lowest row at equal distance; n for none."""
    owner = np.full(len(points), len(lines), dtype=np.int64)
    parts, street = shapely.get_parts(lines, return_index=True)
    if not len(parts):
        return owner
    there = np.flatnonzero(~shapely.is_missing(points) & ~shapely.is_empty(points))
    found, part = shapely.STRtree(parts).query_nearest(
        points[there], max_distance=BESIDE, all_matches=True
    )
    np.minimum.at(owner, there[found], street[part])
    return owner


def _counts(venues: pd.DataFrame, owner: np.ndarray, n_streets: int) -> pd.DataFrame:
    """Return the counts of every street, and last of none."""
    tier, state = venues[Col.TIER].to_numpy(object), venues[Col.DUE_STATE].to_numpy(object)

    def count(rows: np.ndarray) -> np.ndarray:
        return np.bincount(owner[rows], minlength=n_streets + 1).astype(np.int64)

    return pd.DataFrame(
        {
            Col.N_VENUES: count(np.ones(len(venues), dtype=bool)),
            **{member.value: count(tier == member.value) for member in Tier},
            Col.N_KNOWN: count(state != DueState.UNKNOWN.value),
            Col.N_OVERDUE: count(state == DueState.OVERDUE.value),
            Col.N_DUE: count(state == DueState.DUE.value),
        }
    )


def _ids(names: list[str]) -> list[str]:
    """Return ids: the name, numbered where several streets share it."""
    seen: dict[str, int] = {}
    ids = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        ids.append(f"{name}-{seen[name]}")
    return ids
