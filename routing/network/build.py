"""Street frame -> clean network.

Segments meet where their end points are equal to 7 decimals of a degree. What is kept: for every
mode the largest strongly connected part of the streets it may use, so that any two kept points of a
mode reach each other. People on foot ignore one-ways. `NetworkReport` says what was left out.
"""

from dataclasses import dataclass
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import NetworkEmpty
from geo.frames import Col
from geo.units import LONLAT_DECIMALS
from routing.model import Mode
from routing.network.profile import CLASSES, MODES, NIGHT, Profile
from routing.network.report import NetworkReport
from routing.network.segment import Network

SHORTEST_M: Final = 0.01
"""Metres under which a segment is taken for a digitising slip: the grain of 7 decimals."""

JUNCTION_DEGREE: Final = 3
"""Segment ends that make a node a junction; a bend or a blind end costs no time."""


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
    streets: gpd.GeoDataFrame, *, epsg: int, profile: Profile = NIGHT, source: str = "streets"
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

    Raises
    ------
    NetworkEmpty
        No street is left that a car can use.
    """
    single, oneway = _without_twins(streets)
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
    return network, report


def _without_twins(streets: gpd.GeoDataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
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
    """Find the nodes: end points equal at 7 decimals are one node."""
    lonlat = streets.geometry.to_numpy()
    first = shapely.get_coordinates(shapely.get_point(lonlat, 0))
    last = shapely.get_coordinates(shapely.get_point(lonlat, -1))
    ends = np.rint(np.concatenate([first, last]) * 10.0**LONLAT_DECIMALS).astype(np.int64)
    key = ends[:, 0] * (1 << 32) + ends[:, 1]
    _, node = np.unique(key, return_inverse=True)
    node = node.astype(np.int32)
    return _Lines(
        tail=node[: len(lonlat)],
        head=node[len(lonlat) :],
        n_nodes=int(node.max()) + 1 if len(node) else 0,
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
    inside = _largest_part(tail, head, lines.n_nodes)
    both = inside[lines.tail] & inside[lines.head]
    return np.stack([allowed & both, against & both], axis=1).ravel()


def _largest_part(
    tail: NDArray[np.int32], head: NDArray[np.int32], n_nodes: int
) -> NDArray[np.bool_]:
    """Nodes of the largest strongly connected part; of equal ones the first."""
    if len(tail) == 0:
        return np.zeros(n_nodes, dtype=bool)
    _, part = _parts(tail, head, n_nodes, connection="strong")
    largest: NDArray[np.bool_] = part == np.bincount(part).argmax()
    return largest


def _parts(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    n_nodes: int,
    *,
    connection: Literal["weak", "strong"],
) -> tuple[int, NDArray[np.int32]]:
    ones = np.ones(len(tail), dtype=np.int8)
    graph = coo_array((ones, (tail, head)), shape=(n_nodes, n_nodes)).tocsr()
    n_parts, part = connected_components(graph, directed=True, connection=connection)
    return int(n_parts), part


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
    n_parts, _ = _parts(lines.tail, lines.head, lines.n_nodes, connection="weak")
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
    )
