"""Segments with too few addresses, rolled up with their neighbours: no count points at one home."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.errors import OptionInvalid
from geo.frames import Col
from geo.incident.snap import snap_to_segments
from geo.topology import vertex_keys

Ints = npt.NDArray[np.int64]

FEWEST_ADDRESSES: Final = 5
"""Addresses or households that a street group has at least."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetGroups:
    """Street segments in groups that hold enough addresses.

    Attributes
    ----------
    group : ndarray of int64, shape (n_segments,)
        Group of each segment, from 0.
    n_addresses : ndarray of int64, shape (n_groups,)
        At least `least`, unless the whole net holds fewer or bare segments stand alone.
    least : int
    """

    group: Ints
    n_addresses: Ints
    least: int

    @property
    def is_rolled(self) -> npt.NDArray[np.bool_]:
        """Whether a segment shares its group with another; bool, shape (n_segments,)."""
        return np.asarray(np.bincount(self.group)[self.group] > 1)

    def shared(
        self, amount: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
    ) -> np.ndarray:
        """Return amounts by segment, each group's shared out in proportion to a weight.

        Parameters
        ----------
        amount : ndarray of float64, shape (n_segments,) or (n_segments, k)
        weight : ndarray of float64, shape (n_segments,)
            Above 0: length.
        """
        n_groups = len(self.n_addresses)
        part = weight / np.bincount(self.group, weight, minlength=n_groups)[self.group]
        columns = amount.reshape(len(amount), -1)
        whole = np.column_stack(
            [np.bincount(self.group, column, minlength=n_groups) for column in columns.T]
        )
        return np.asarray((whole[self.group] * part[:, None]).reshape(amount.shape))

    def shared_whole(self, count: Ints, weight: npt.NDArray[np.float64]) -> Ints:
        """Return whole counts shared out likewise; each group keeps its sum."""
        order = np.argsort(self.group, kind="stable")
        exact = self.shared(count.astype(np.float64), weight)[order]
        running = np.rint(np.cumsum(exact) + 1e-9)
        out = np.empty(len(count), dtype=np.int64)
        out[order] = np.diff(running, prepend=0.0).astype(np.int64)
        return out


def count_addresses(
    streets: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    venues: gpd.GeoDataFrame | None = None,
    *,
    epsg: int,
) -> Ints:
    """Return households and venues by street segment, each on its nearest within 100 m."""
    n = len(streets)
    row = snap_to_segments(buildings, streets, epsg=epsg).row
    households = buildings[Col.HOUSEHOLDS].to_numpy(dtype=np.float64)
    counted = np.bincount(row[row >= 0], households[row >= 0], minlength=n)
    if venues is not None and len(venues):
        placed = venues[~shapely.is_missing(venues.geometry.to_numpy())]
        at = snap_to_segments(placed, streets, epsg=epsg).row
        counted = counted + np.bincount(at[at >= 0], minlength=n)
    return counted.astype(np.int64)


def roll_up_segments(
    streets: gpd.GeoDataFrame,
    n_addresses: Ints,
    *,
    epsg: int,
    least: int = FEWEST_ADDRESSES,
    bare_stand: bool = False,
) -> StreetGroups:
    """Join segments with fewer than `least` addresses to streets they meet, until none is left.

    Every group that is too small joins the one it meets that has the most addresses; an island of
    streets too small as a whole joins the group of the nearest segment. Segments with enough of
    their own that nobody joins stay alone.

    Parameters
    ----------
    streets : GeoDataFrame
        STREETS frame.
    n_addresses : ndarray of int64, shape (n,)
        From `count_addresses`.
    least : int
    bare_stand : bool
        Leave segments without any address alone: nobody lives or works there, so that a report
        on them points at no home. What leaves the house rolls them up as well.
    """
    if least < 1 or len(n_addresses) != len(streets):
        raise OptionInvalid(option="least", value=least, expected="1 or more, one count a segment")
    here, there = _meetings(streets)
    group = np.arange(len(streets), dtype=np.int64)
    counted = np.asarray(n_addresses, dtype=np.int64)
    total = np.where(counted == 0, least, counted) if bare_stand else counted
    while len(total) > 1 and (total < least).any():
        joined = _joins(group[here], group[there], total, least)
        if len(joined) == 0:
            joined = _islands(streets, group, total, least, epsg=epsg)
        if len(joined) == 0:
            break
        group, total = _merge(group, total, joined)
    held = np.bincount(group, counted, minlength=len(total)).astype(np.int64)
    return StreetGroups(group=group, n_addresses=held, least=least)


def _meetings(streets: gpd.GeoDataFrame) -> tuple[Ints, Ints]:
    """Return pairs of segments along every junction: enough to connect all that meet there."""
    lines = streets.geometry.to_numpy()
    n = len(lines)
    ends = [shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)]
    key = vertex_keys(np.concatenate(ends))
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    segment = np.tile(np.arange(n, dtype=np.int64), 2)[order]
    return segment[:-1][same], segment[1:][same]


def _joins(one: Ints, other: Ints, total: Ints, least: int) -> Ints:
    """Return for every too small group the neighbour with most addresses, shape (k, 2)."""
    pairs = np.concatenate([np.column_stack([one, other]), np.column_stack([other, one])])
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (total[pairs[:, 0]] < least)]
    order = np.lexsort((pairs[:, 1], -total[pairs[:, 1]], pairs[:, 0]))
    pairs = pairs[order]
    first = np.unique(pairs[:, 0], return_index=True)[1]
    return np.asarray(pairs[first])


def _islands(streets: gpd.GeoDataFrame, group: Ints, total: Ints, least: int, *, epsg: int) -> Ints:
    """Return for every too small island the group of the nearest segment of another one."""
    lines = streets.geometry.to_crs(epsg).to_numpy()
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    small = total[group] < least
    fine = np.flatnonzero(~small)
    if len(fine) == 0:
        rest = np.arange(1, len(total), dtype=np.int64)
        return np.column_stack([rest, np.zeros(len(rest), dtype=np.int64)])
    found = cKDTree(middle[fine]).query(middle[small])
    distance, nearest = np.asarray(found[0]), np.asarray(found[1])
    of = group[small]
    order = np.lexsort((distance, of))
    first = np.unique(of[order], return_index=True)[1]
    return np.column_stack([of[order][first], group[fine[nearest[order][first]]]])


def _merge(group: Ints, total: Ints, joined: Ints) -> tuple[Ints, Ints]:
    n = len(total)
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(n, n))
    n_parts, part = connected_components(graph, directed=False)
    merged = np.bincount(part, total, minlength=n_parts).astype(np.int64)
    return part[group].astype(np.int64), merged
