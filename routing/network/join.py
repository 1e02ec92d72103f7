"""Joining parts that a slip of the pen keeps apart: dead ends that stop short, uncut crossings.

Only where the user asks for it, and only between parts that no street joins: a dead end within
one part may face a wall. What is joined is counted; everything else stays as it was drawn.
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from geo.frames import Col
from geo.street.junction import TOUCHING
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG
from routing.network.parts import nodes_of, parts

FARTHEST: Final = 50.0
"""Metres over which nothing is joined: more than a road is wide (GB/T 51328-2018, table 12.4.2),
so that what lies between is likely a wall or a canal."""

JOIN_ID: Final = "join-"
"""Ids of the short segments that join are this and a number."""

Rows = NDArray[np.int64]
Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """What joining did.

    Attributes
    ----------
    n_ends, n_crossings : int
        Dead ends led on to a street of another part; crossings of two parts that were cut.
    longest : float
        Metres of the longest gap closed.
    """

    n_ends: int = 0
    n_crossings: int = 0
    longest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streets:
    """Streets that vehicles use: lines in degrees and metres, ends as nodes, parts of nodes."""

    lonlat: NDArray[np.object_]
    metric: NDArray[np.object_]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    part: NDArray[np.int32]
    is_bridge: NDArray[np.bool_]
    epsg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cuts:
    """Places on segments at which one is to be cut; at an end where it reaches a node already.

    Attributes
    ----------
    segment : ndarray of int64, shape (n,)
    at : ndarray of float64, shape (n,)
        Metres along.
    lonlat : ndarray of float64, shape (n, 2)
        WGS-84 degrees.
    """

    segment: Rows
    at: Places
    lonlat: Places


def join_parts(
    streets: gpd.GeoDataFrame, *, epsg: int, within: float, drivable: NDArray[np.bool_]
) -> tuple[gpd.GeoDataFrame, Joins]:
    """Join parts of the streets that lie within some metres of each other.

    Parameters
    ----------
    streets : GeoDataFrame
        STREETS frame, EPSG:4326.
    epsg : int
        The city's metric CRS.
    within : float
        Metres from a dead end to a street of another part.
    drivable : ndarray of bool, shape (n_streets,)
        Streets that vehicles may use; the others neither hold parts together nor are joined.

    Returns
    -------
    GeoDataFrame
        The streets, some cut into pieces that keep the id of their street, then the short segments
        added, ids from `JOIN_ID`. Bridges are never cut.
    Joins

    Raises
    ------
    OptionInvalid
        `within` is not above 0 and up to `FARTHEST`.
    """
    if not 0.0 < within <= FARTHEST:
        raise OptionInvalid(option="join", value=within, expected=f"0 to {FARTHEST:.0f} m")
    ground, others = streets[drivable].reset_index(drop=True), streets[~drivable]
    ways = _ways(ground, epsg)
    if len(np.unique(ways.part)) < 2:
        return streets, Joins()
    crossings = _crossings(ways)
    street, is_head, ends, apart = _short_ends(ways, within)
    cuts = _merged(crossings, ends)
    n = len(crossings.segment)
    target = cuts.lonlat[n:]
    is_apart = apart > TOUCHING
    moved = _moved(ways.lonlat, street[~is_apart], is_head[~is_apart], target[~is_apart])
    pieces, owner = _cut(moved, ways, cuts)
    bridging, of = _bridging(ways, street[is_apart], is_head[is_apart], target[is_apart])
    added = ground.iloc[of].assign(
        **{
            Col.SEGMENT_ID: pd.array([f"{JOIN_ID}{i + 1}" for i in range(len(of))], dtype="str"),
            Col.ONEWAY: False,
        }
    )
    joined = gpd.GeoDataFrame(
        pd.concat(
            [
                ground.iloc[owner].set_geometry(pieces, crs=LONLAT_EPSG),
                others,
                added.set_geometry(bridging, crs=LONLAT_EPSG),
            ],
            ignore_index=True,
        ),
        crs=LONLAT_EPSG,
    )
    longest = float(apart.max(initial=0.0))
    return joined, Joins(n_ends=len(street), n_crossings=n // 2, longest=longest)


def _ways(ground: gpd.GeoDataFrame, epsg: int) -> _Streets:
    lonlat = ground.geometry.to_numpy()
    tail, head, n_nodes = nodes_of(lonlat)
    _, part = parts(tail, head, n_nodes, connection="weak")
    return _Streets(
        lonlat=lonlat,
        metric=ground.geometry.to_crs(epsg).to_numpy(),
        tail=tail,
        head=head,
        part=part,
        is_bridge=ground[Col.BRIDGE].to_numpy(dtype=bool),
        epsg=epsg,
    )


def _crossings(ways: _Streets) -> _Cuts:
    """Return where segments of two parts cross at level: on the one, then all on the other."""
    level = np.flatnonzero(~ways.is_bridge)
    lines = ways.metric[level]
    one, other = level[shapely.STRtree(lines).query(lines, predicate="crosses")]
    part = ways.part[ways.tail]
    fresh = (one < other) & (part[one] != part[other])
    one, other = one[fresh], other[fresh]
    common, pair = shapely.get_parts(
        shapely.intersection(ways.metric[one], ways.metric[other]), return_index=True
    )
    is_point = shapely.get_type_id(common) == 0
    common, pair = common[is_point], pair[is_point]
    segment = np.concatenate([one[pair], other[pair]])
    points = np.concatenate([common, common])
    return _Cuts(
        segment=segment,
        at=np.asarray(shapely.line_locate_point(ways.metric[segment], points)),
        lonlat=_degrees(points, ways.epsg),
    )


def _short_ends(ways: _Streets, within: float) -> tuple[Rows, NDArray[np.bool_], _Cuts, Places]:
    """Return dead ends near a segment of another part, and the nearest place on it.

    Returns
    -------
    street : ndarray of int64, shape (n,)
        Segment of the dead end.
    is_head : ndarray of bool, shape (n,)
        Whether it is the segment's last point.
    cuts : _Cuts
        One per dead end.
    apart : ndarray of float64, shape (n,)
        Metres to it.
    """
    ends = np.stack([ways.tail, ways.head], axis=1)
    n_ends = np.bincount(ends.ravel(), minlength=len(ways.part))
    street, side = np.nonzero(n_ends[ends] == 1)
    points = shapely.get_point(ways.metric[street], -side)
    level = np.flatnonzero(~ways.is_bridge)
    tree = shapely.STRtree(ways.metric[level])
    point, near = tree.query(points, predicate="dwithin", distance=within)
    segment = level[near]
    other = ways.part[ways.tail[segment]] != ways.part[ways.tail[street[point]]]
    point, segment = point[other], segment[other]
    apart = shapely.distance(points[point], ways.metric[segment])
    nearest = np.lexsort((segment, apart, point))
    _, first = np.unique(point[nearest], return_index=True)
    best = nearest[first]
    point, segment, apart = point[best], segment[best], apart[best]
    at = np.asarray(shapely.line_locate_point(ways.metric[segment], points[point]))
    foot = shapely.line_interpolate_point(ways.metric[segment], at)
    cuts = _Cuts(segment=segment, at=at, lonlat=_degrees(foot, ways.epsg))
    return street[point], side[point] == 1, _at_ends(ways, cuts), apart


def _at_ends(ways: _Streets, cuts: _Cuts) -> _Cuts:
    """Take places within `TOUCHING` of a segment's end for that end."""
    line, lonlat = ways.lonlat[cuts.segment], cuts.lonlat.copy()
    length = shapely.length(ways.metric[cuts.segment])
    at = cuts.at.copy()
    for is_there, position, end in (
        (at <= TOUCHING, np.zeros_like(at), 0),
        (at >= length - TOUCHING, length, -1),
    ):
        lonlat[is_there] = shapely.get_coordinates(shapely.get_point(line[is_there], end))
        at[is_there] = position[is_there]
    return _Cuts(segment=cuts.segment, at=at, lonlat=lonlat)


def _merged(crossings: _Cuts, ends: _Cuts) -> _Cuts:
    """Put both together; places within `TOUCHING` of each other on a segment are one."""
    segment = np.concatenate([crossings.segment, ends.segment])
    at = np.concatenate([crossings.at, ends.at])
    lonlat = np.concatenate([crossings.lonlat, ends.lonlat])
    order = np.lexsort((at, segment))
    near = (np.diff(segment[order]) == 0) & (np.diff(at[order]) <= TOUCHING)
    leader = np.maximum.accumulate(np.where(np.r_[False, near], 0, np.arange(len(order))))
    merged = _Cuts(segment=segment, at=at.copy(), lonlat=lonlat.copy())
    merged.at[order] = at[order][leader]
    merged.lonlat[order] = lonlat[order][leader]
    return merged


def _moved(
    lonlat: NDArray[np.object_], street: Rows, is_head: NDArray[np.bool_], to: Places
) -> NDArray[np.object_]:
    """Return the lines with some of their ends put elsewhere."""
    if len(street) == 0:
        return lonlat
    xy, owner = shapely.get_coordinates(lonlat, return_index=True)
    bounds = np.searchsorted(owner, np.arange(len(lonlat) + 1))
    xy[np.where(is_head, bounds[street + 1] - 1, bounds[street])] = to
    return np.asarray(shapely.linestrings(xy, indices=owner))


def _cut(
    lonlat: NDArray[np.object_], ways: _Streets, cuts: _Cuts
) -> tuple[NDArray[np.object_], Rows]:
    """Return all lines in pieces, and the row of the line of each."""
    xy, line = shapely.get_coordinates(lonlat, return_index=True)
    metres = np.hypot(*np.diff(shapely.get_coordinates(ways.metric), axis=0, prepend=0.0).T)
    begins = np.r_[True, line[1:] != line[:-1]]
    metres[begins] = 0.0
    total = np.cumsum(metres)
    measure = total - np.repeat(total[begins], np.diff(np.r_[np.flatnonzero(begins), len(line)]))
    length = shapely.length(ways.metric)
    inner = (cuts.at > TOUCHING) & (cuts.at < length[cuts.segment] - TOUCHING)
    _, once = np.unique(np.stack([cuts.segment, cuts.at], axis=1), axis=0, return_index=True)
    rows = once[inner[once]]
    line = np.concatenate([line, cuts.segment[rows]])
    measure = np.concatenate([measure, cuts.at[rows]])
    xy = np.concatenate([xy, cuts.lonlat[rows]])
    is_cut = np.arange(len(line)) >= len(line) - len(rows)
    order = np.lexsort((is_cut, measure, line))
    take = np.repeat(order, 1 + is_cut[order])  # a cut ends one piece and begins the next
    starts = np.r_[True, (take[1:] == take[:-1]) | (line[take[1:]] != line[take[:-1]])]
    pieces = np.asarray(shapely.linestrings(xy[take], indices=np.cumsum(starts) - 1))
    return pieces, line[take[starts]]


def _bridging(
    ways: _Streets, street: Rows, is_head: NDArray[np.bool_], to: Places
) -> tuple[NDArray[np.object_], Rows]:
    """Return the short segments from dead ends to their targets, each once, and whose they are."""
    side = np.where(is_head, -1, 0)
    begin = shapely.get_coordinates(shapely.get_point(ways.lonlat[street], side))
    lines = np.asarray(shapely.linestrings(np.stack([begin, to], axis=1)))
    if len(lines) == 0:
        return lines, street
    _, once = np.unique(shapely.to_wkb(shapely.normalize(lines)), return_index=True)
    once.sort()
    return lines[once], street[once]


def _degrees(points: NDArray[np.object_], epsg: int) -> Places:
    """Return metric points as degrees with the decimals that are written."""
    if len(points) == 0:
        return np.empty((0, 2))
    lonlat = gpd.GeoSeries(points, crs=epsg).to_crs(LONLAT_EPSG).to_numpy()
    return np.round(shapely.get_coordinates(lonlat), LONLAT_DECIMALS)
