"""Street frame -> clean network.

Segments meet where their end points are equal to 7 decimals of a degree. What is kept: for every
mode the largest strongly connected part of the streets it may use, so that any two kept points of a
mode reach each other. People on foot ignore one-ways. `NetworkReport` says what was left out.
"""

from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import NetworkEmpty
from geo.frames import Col
from routing.model import Mode
from routing.network.join import Joins, join_parts
from routing.network.parts import largest_part, nodes_of, parts
from routing.network.profile import CLASSES, MODES, NIGHT, Profile
from routing.network.report import NetworkReport
from routing.network.segment import Network

SHORTEST_M: Final = 0.01
"""Metres under which a segment is taken for a digitising slip: the grain of 7 decimals."""

JUNCTION_DEGREE: Final = 3
"""Segment ends that make a node a junction; a bend or a blind end costs no time."""


MOST_LANES: Final = 127
"""What an int8 holds; the widest roads there are have 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """Segments before cleaning: ends as node numbers, class codes, and the geometry both ways."""

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    n_nodes: int
    classes: NDArray[np.int8]
    length: NDArray[np.float64]
    lonlat: NDArray[np.object_]
    metric: NDArray[np.object_]


def build_network(
    streets: gpd.GeoDataFrame,
    *,
    epsg: int,
    profile: Profile = NIGHT,
    source: str = "streets",
    join: float | None = None,
) -> tuple[Network, NetworkReport]:
    """Clean a street frame into a network, and report what that left out.

    Parameters
    ----------
    streets : GeoDataFrame
        Frame of `geo.frames.STREETS`, WGS-84.
    epsg : int
        The city's metric CRS.
    profile : Profile
        Who may use which class, and how fast.
    source : str
        What the user calls the streets.
    join : float, optional
        Metres within which a part that no street joins to the rest is joined; nothing is joined
        where none are stated.

    Raises
    ------
    NetworkEmpty
        No street is left that a car can use.
    OptionInvalid
        `join` is out of range.
    """
    joins = Joins()
    if join is not None:
        drivable = opens_to(Mode.CAR, profile, streets[Col.STREET_CLASS])
        streets, joins = join_parts(streets, epsg=epsg, within=join, drivable=drivable)
    single, oneway = without_twins(streets)
    metric = streets.geometry[single].to_crs(epsg)
    has_length = metric.length.to_numpy() > SHORTEST_M
    kept, oneway = streets[single][has_length], oneway[single][has_length]
    lines = _lines(kept, metric[has_length])
    usable = np.stack([_usable(lines, oneway, profile, mode) for mode in MODES])
    if not usable[MODES.index(Mode.CAR)].any():
        raise NetworkEmpty(source=source, hint="Give streets of a class that cars may use.")
    network = _network(kept, lines, usable, epsg=epsg, profile=profile)
    n_twins, n_zero_length = int((~single).sum()), int((~has_length).sum())
    report = _report(network, lines, usable, n_twins, n_zero_length)
    report = replace(report, n_joined=joins.n_ends + joins.n_crossings, longest_join=joins.longest)
    return network, report


def opens_to(mode: Mode, profile: Profile, classes: pd.Series) -> NDArray[np.bool_]:
    """Tell the streets, by their class, that a mode may use."""
    return np.asarray(classes.isin([kind.value for kind in profile.speed[mode]]), dtype=bool)


def without_twins(streets: gpd.GeoDataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Take two one-way rows that are one line in both directions for one two-way row.

    Graph formats give a two-way street as two edges; kept apart, a place on it would be on one of
    them and reach the other way by a detour only.

    Returns
    -------
    kept, oneway : ndarray of bool, shape (n_streets,)
    """
    oneway = streets[Col.ONEWAY].to_numpy(dtype=bool).copy()
    rows = np.flatnonzero(oneway)
    lines = streets.geometry.to_numpy()[rows]
    shape = shapely.to_wkb(shapely.normalize(lines))
    line, _ = pd.factorize(shape)
    is_along = shapely.to_wkb(lines) == shape
    both = np.intersect1d(line[is_along], line[~is_along])
    twins = np.flatnonzero(np.isin(line, both))
    _, first = np.unique(line[twins], return_index=True)
    kept = np.ones(len(streets), dtype=bool)
    kept[rows[twins]] = False
    kept[rows[twins[first]]] = True
    oneway[rows[twins[first]]] = False
    return kept, oneway


def _lines(streets: gpd.GeoDataFrame, metric: gpd.GeoSeries) -> _Lines:
    """Find the nodes."""
    lonlat = streets.geometry.to_numpy()
    tail, head, n_nodes = nodes_of(lonlat)
    return _Lines(
        tail=tail,
        head=head,
        n_nodes=n_nodes,
        classes=pd.Categorical(streets[Col.STREET_CLASS], categories=list(CLASSES)).codes,
        length=metric.length.to_numpy(),
        lonlat=lonlat,
        metric=metric.to_numpy(),
    )


def _usable(
    lines: _Lines,
    oneway: NDArray[np.bool_],
    profile: Profile,
    mode: Mode,
) -> NDArray[np.bool_]:
    """Arcs of the largest part in which `mode` gets from anywhere to anywhere."""
    allowed = np.array([c in profile.speed[mode] for c in CLASSES])[lines.classes]
    against = allowed & (~oneway | (mode in profile.one_way_free))
    tail = np.concatenate([lines.tail[allowed], lines.head[against]])
    head = np.concatenate([lines.head[allowed], lines.tail[against]])
    inside = largest_part(tail, head, lines.n_nodes)
    both = inside[lines.tail] & inside[lines.head]
    return np.stack([allowed & both, against & both], axis=1).ravel()


def _network(
    streets: gpd.GeoDataFrame,
    lines: _Lines,
    usable: NDArray[np.bool_],
    *,
    epsg: int,
    profile: Profile,
) -> Network:
    """Keep what at least one mode can use, and renumber its nodes."""
    keep = usable.any(axis=0).reshape(-1, 2).any(axis=1)
    ends = np.concatenate([lines.tail[keep], lines.head[keep]])
    old, new = np.unique(ends, return_inverse=True)
    tail, head = new.astype(np.int32).reshape(2, -1)
    lonlat, owner = shapely.get_coordinates(lines.lonlat[keep], return_index=True)
    offsets = np.searchsorted(owner, np.arange(int(keep.sum()) + 1))
    xy = shapely.get_coordinates(lines.metric[keep])
    node_xy = np.empty((len(old), 2))
    node_xy[tail] = xy[offsets[:-1]]
    node_xy[head] = xy[offsets[1:] - 1]
    name, names = _names(streets[Col.NAME][keep])
    return Network(
        epsg=epsg,
        profile=profile,
        node_xy=node_xy,
        tail=tail,
        head=head,
        length=lines.length[keep],
        street_class=lines.classes[keep].astype(np.int8),
        lanes=_column(streets, Col.LANES)[keep].clip(0, MOST_LANES).astype(np.int8),
        max_speed=_column(streets, Col.MAX_SPEED)[keep].clip(0).astype(np.float32),
        name=name,
        names=names,
        segment_id=streets[Col.SEGMENT_ID][keep].to_numpy(dtype=object),
        usable=usable[:, np.repeat(keep, 2)],
        junction=np.bincount(new, minlength=len(old)) >= JUNCTION_DEGREE,
        offsets=offsets,
        lonlat=lonlat,
        xy=xy,
        measure=_measure(xy, offsets),
    )


def _column(streets: gpd.GeoDataFrame, name: str) -> NDArray[np.float64]:
    """Return a column of numbers, 0 where unknown: older street frames do not have it."""
    if name not in streets:
        return np.zeros(len(streets))
    return np.asarray(np.nan_to_num(streets[name].to_numpy(dtype=np.float64)))


def _names(column: pd.Series) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Give each name a number, by first appearance after "", which is 0."""
    written = column.fillna("").astype(str)
    code, names = pd.factorize(pd.concat([pd.Series([""]), written], ignore_index=True))
    return code[1:].astype(np.int32), tuple(map(str, names))


def _measure(xy: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Metres of each point from the first point of its segment."""
    steps = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)]
    steps[offsets[:-1]] = 0.0
    total = np.cumsum(steps)
    measure: NDArray[np.float64] = total - np.repeat(total[offsets[:-1]], np.diff(offsets))
    return measure


def _report(
    network: Network,
    lines: _Lines,
    usable: NDArray[np.bool_],
    n_twins: int,
    n_zero_length: int,
) -> NetworkReport:
    speeds = network.profile.speed[Mode.CAR]
    drivable = np.array([c in speeds for c in CLASSES])[lines.classes]
    car = usable[MODES.index(Mode.CAR)].reshape(-1, 2).any(axis=1)
    outside = drivable & ~car
    inner = np.unique(np.r_[lines.tail[car], lines.head[car]])
    outer = np.unique(np.r_[lines.tail[outside], lines.head[outside]])
    n_parts, _ = parts(lines.tail, lines.head, lines.n_nodes, connection="weak")
    is_loop = lines.tail == lines.head
    low, high = np.minimum(lines.tail, lines.head), np.maximum(lines.tail, lines.head)
    pairs = np.unique(np.stack([low[~is_loop], high[~is_loop]]), axis=1)
    unnamed = network.name == 0
    return NetworkReport(
        n_nodes=lines.n_nodes,
        n_segments=len(lines.length),
        length=float(lines.length.sum()),
        n_nodes_outside=len(np.setdiff1d(outer, inner)),
        n_segments_outside=int(outside.sum()),
        length_outside=float(lines.length[outside].sum()),
        n_segments_dropped=len(lines.length) - network.n_segments,
        n_parts=n_parts,
        n_twins=n_twins,
        n_zero_length=n_zero_length,
        n_loops=int(is_loop.sum()),
        n_parallel=int((~is_loop).sum()) - pairs.shape[1],
        n_unnamed=int(unnamed.sum()),
        length_unnamed=float(network.length[unnamed].sum()),
        profile_version=network.profile.version,
        corridors_unknown=tuple(
            name for name in network.profile.corridor if name not in network.names
        ),
    )
