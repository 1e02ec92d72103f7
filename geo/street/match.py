"""Segments of a new street extract against those known, so that ids outlive an extract.

A memory of 28 nights and every report hang on segment ids, while an extract calls, cuts and joins
its segments as it likes. Segments are therefore known by where they run:

1. A new segment that runs within a few metres of an old one over its whole length, in either
   direction, is the same and keeps its id; where several do, the name and then the distance say
   which.
2. What is left is compared by overlap: points along every old segment are given to the new segment
   that runs there. Of an old segment cut into several the part that holds most of it keeps the id,
   so that the fewest ids change and an id goes on meaning the place where most of it happened; all
   parts, that one too, are listed as aliases with their shares of its length. Of several joined
   into one the longest gives its id, the others become aliases of it.
3. An old segment of which less than half is found again has vanished.
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import Col

REACH: Final = 5.0
"""Metres by which the same street may lie elsewhere in another extract; dual carriageways lie
farther apart."""

LEAST_REACH: Final = 1.5
"""The same for the shortest segments, of which a quarter of the length counts."""

LENGTH_OFF, LENGTH_SHARE_OFF = 2.0, 0.02
"""Metres, and share of its length, by which the same segment may be longer or shorter."""

STEP: Final = 2.0
"""Metres between the points along a segment that is compared by overlap."""

MIN_POINTS, MAX_POINTS = 16, 256
"""Points along such a segment."""

ALONG: Final = 0.8
"""Cosine of the angle under which two lines still run along each other: 37 degrees."""

OTHER_NAME: Final = 2.0
"""Metres that another name counts for: of two courses equally near that of the same name wins."""

FOUND: Final = 0.5
"""Share of an old segment that must be found again; less, and it has vanished."""

_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What became of the old segments in a new extract.

    Attributes
    ----------
    segment_id : ndarray of object, shape (n_new,)
        The id each new segment keeps; None where it is new and needs one.
    aliases : DataFrame
        ``alias_id`` (an old id), ``segment`` (row of the new frame), ``share`` of the old
        segment's length: the shares of one old id sum to 1. An old id that went whole to the
        segment that keeps it has no row.
    vanished : tuple of str
        Old ids that are nowhere in the new extract, in the order of the old frame.
    n_same : int
        Segments that kept both course and id.
    n_old, n_new : int
    """

    segment_id: np.ndarray
    aliases: pd.DataFrame
    vanished: tuple[str, ...]
    n_same: int
    n_old: int
    n_new: int

    @property
    def n_kept(self) -> int:
        """New segments that keep an old id, of `n_new`."""
        return sum(kept is not None for kept in self.segment_id)

    @property
    def n_cut(self) -> int:
        """Old segments that were cut into several, of `n_old`."""
        return int((self.aliases[Col.ALIAS_ID].value_counts() > 1).sum())

    @property
    def n_joined(self) -> int:
        """Old segments whose whole course went into a segment of another id, of `n_old`."""
        counts = self.aliases[Col.ALIAS_ID].map(self.aliases[Col.ALIAS_ID].value_counts())
        return int((counts == 1).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streets:
    """Lines in metres with their lengths, reaches and numbers of names (-1 without one)."""

    line: np.ndarray
    length: np.ndarray
    reach: np.ndarray
    name: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlaps:
    """Metres of old segments found on new ones, row by row."""

    old: np.ndarray
    new: np.ndarray
    metres: np.ndarray

    def take(self, rows: np.ndarray) -> "_Overlaps":
        return _Overlaps(old=self.old[rows], new=self.new[rows], metres=self.metres[rows])


def match_segments(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, epsg: int) -> Matching:
    """Say which new segment is which old one.

    Parameters
    ----------
    old, new : GeoDataFrame
        STREETS frames in EPSG:4326; the ids of `new` are not looked at.
    epsg : int
        The city's metric CRS.

    Returns
    -------
    Matching
        The same for the same frames, whatever the machine.
    """
    names = pd.factorize(pd.concat([old[Col.NAME], new[Col.NAME]]).str.strip())[0]
    blank = pd.concat([old[Col.NAME], new[Col.NAME]]).str.strip().to_numpy() == ""
    names = np.where(blank, -1, names)
    known, fresh = _streets(old, names[: len(old)], epsg), _streets(new, names[len(old) :], epsg)
    same_old, same_new = _same_courses(known, fresh)
    owner = np.full(len(new), -1, dtype=np.int64)
    owner[same_new] = same_old
    left = np.setdiff1d(np.arange(len(old)), same_old)
    overlaps, lost = _found_again(_overlaps(known, fresh, left), known, fresh, left)
    _hand_down(overlaps, known, fresh, owner)
    ids = old[Col.SEGMENT_ID].to_numpy(dtype=object)
    segment_id = np.full(len(new), None, dtype=object)
    segment_id[owner >= 0] = ids[owner[owner >= 0]]
    return Matching(
        segment_id=segment_id,
        aliases=_aliases(overlaps, owner, ids),
        vanished=tuple(str(segment) for segment in ids[lost]),
        n_same=len(same_old),
        n_old=len(old),
        n_new=len(new),
    )


def _streets(frame: gpd.GeoDataFrame, names: np.ndarray, epsg: int) -> _Streets:
    line = frame.geometry.to_crs(epsg).to_numpy()
    length = shapely.length(line)
    reach = np.clip(length / 4, LEAST_REACH, REACH)
    return _Streets(line=line, length=length, reach=reach, name=names)


def _other_name(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the metres that differing names count for; a missing name differs from none."""
    return np.where((old != new) & (old >= 0) & (new >= 0), OTHER_NAME, 0.0)


def _same_courses(old: _Streets, new: _Streets) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of segments that run the same way over their whole length, one to one."""
    bounds = shapely.bounds(old.line)
    grown = shapely.box(*(bounds + REACH * np.array([-1, -1, 1, 1])).T)
    one, other = shapely.STRtree(new.line).query(grown)
    near = np.abs(bounds[one] - shapely.bounds(new.line)[other]).max(axis=1) <= old.reach[one]
    off = np.abs(old.length[one] - new.length[other])
    near &= off <= LENGTH_OFF + LENGTH_SHARE_OFF * old.length[one]
    one, other = one[near], other[near]
    apart = shapely.hausdorff_distance(old.line[one], new.line[other])
    near = apart <= old.reach[one]
    one, other, apart = one[near], other[near], apart[near]
    cost = apart + _other_name(old.name[one], new.name[other])
    rows = _one_to_one(one, other, cost)
    return one[rows], other[rows]


def _one_to_one(one: np.ndarray, other: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return the pairs chosen cheapest first, each side once."""
    taken_one: set[int] = set()
    taken_other: set[int] = set()
    chosen = []
    for row in np.lexsort((other, one, cost)).tolist():
        i, j = int(one[row]), int(other[row])
        if i not in taken_one and j not in taken_other:
            taken_one.add(i)
            taken_other.add(j)
            chosen.append(row)
    return np.array(chosen, dtype=np.int64)


def _overlaps(old: _Streets, new: _Streets, left: np.ndarray) -> _Overlaps:
    """Return how many metres of the old segments that are left run along each new one."""
    n = np.clip(np.ceil(old.length[left] / STEP), MIN_POINTS, MAX_POINTS).astype(np.int64)
    owner = np.repeat(left, n)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)
    metres = np.repeat(old.length[left] / n, n)
    at = (number + _HALF) * metres
    points = shapely.line_interpolate_point(old.line[owner], at)
    point, other = shapely.STRtree(new.line).query(
        points, predicate="dwithin", distance=old.reach[owner]
    )
    one = owner[point]
    runs = _runs_along(old.line[one], at[point], new.line[other], points[point])
    point, one, other = point[runs], one[runs], other[runs]
    cost = shapely.distance(points[point], new.line[other])
    cost += _other_name(old.name[one], new.name[other])
    order = np.lexsort((other, cost, point))
    first = order[np.r_[True, np.diff(point[order]) > 0]] if len(order) else order
    pairs = pd.DataFrame({"old": one[first], "new": other[first], "m": metres[point[first]]})
    summed = pairs.groupby(["old", "new"], sort=True)["m"].sum().reset_index()
    return _Overlaps(
        old=summed["old"].to_numpy(dtype=np.int64),
        new=summed["new"].to_numpy(dtype=np.int64),
        metres=summed["m"].to_numpy(dtype=np.float64),
    )


def _runs_along(
    line: np.ndarray, at: np.ndarray, other: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Tell whether lines run along each other at points, in either direction."""
    ahead = _heading(line, at)
    beside = _heading(other, shapely.line_locate_point(other, points))
    runs: np.ndarray = np.abs((ahead * beside).sum(axis=1)) >= ALONG
    return runs


def _heading(line: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the unit vector along lines at a distance from their start, float64, (n, 2)."""
    length = shapely.length(line)
    back, on = np.clip(at - 1.0, 0.0, length), np.clip(at + 1.0, 0.0, length)
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(line, d)) for d in (back, on)]
    vector = ends[1] - ends[0]
    norm = np.hypot(vector[:, 0], vector[:, 1])
    heading: np.ndarray = vector / np.maximum(norm, 1e-9)[:, None]
    return heading


def _found_again(
    overlaps: _Overlaps, old: _Streets, new: _Streets, left: np.ndarray
) -> tuple[_Overlaps, np.ndarray]:
    """Return the overlaps that mean something, and the old rows that vanished.

    A metre or two at the end of a segment lie as near to the next one along the street.
    """
    least = np.minimum(old.length[overlaps.old], new.length[overlaps.new]) * _HALF
    real = overlaps.take(overlaps.metres >= np.minimum(least, REACH))
    found = np.bincount(real.old, weights=real.metres, minlength=len(old.line))
    lost = left[found[left] < FOUND * old.length[left]]
    return real.take(~np.isin(real.old, lost)), lost


def _hand_down(overlaps: _Overlaps, old: _Streets, new: _Streets, owner: np.ndarray) -> None:
    """Give the ids that are left to the new segments that hold most of them, in place."""
    share_of_old = overlaps.metres / old.length[overlaps.old]
    share_of_new = overlaps.metres / np.maximum(new.length[overlaps.new], STEP)
    fits = (np.maximum(share_of_old, share_of_new) >= _HALF) & (owner[overlaps.new] < 0)
    left = overlaps.take(fits)
    # whole centimetres, so that halves of one length are equal and the order of rows decides
    rows = _one_to_one(left.old, left.new, -np.rint(left.metres * 100))
    owner[left.new[rows]] = left.old[rows]


def _aliases(overlaps: _Overlaps, owner: np.ndarray, ids: np.ndarray) -> pd.DataFrame:
    """Return which old ids went where, with shares that sum to 1."""
    total = np.bincount(overlaps.old, weights=overlaps.metres, minlength=len(ids))
    parts = np.bincount(overlaps.old, minlength=len(ids))
    stayed = (parts[overlaps.old] == 1) & (owner[overlaps.new] == overlaps.old)
    told = overlaps.take(~stayed)
    return pd.DataFrame(
        {
            Col.ALIAS_ID: pd.Series(ids[told.old], dtype="str"),
            Col.SEGMENT: told.new,
            Col.SHARE: told.metres / total[told.old],
        }
    )
