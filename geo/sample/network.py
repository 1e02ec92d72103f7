"""The street net as a graph: whole, merged, and strongly connected in spite of its one-ways."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geo.sample.lines import Bools, Ints, Lines, Origin, Rank, ends, grid_keys, node_with
from geo.sample.stream import Stream

_ONE_WAY_LANES: Final = 0.22
_ONE_WAY_COLLECTORS: Final = 0.06
"""Shares drawn; about a tenth of them is given back to keep the net strongly connected."""

_STUB: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """Street segments between junctions.

    Attributes
    ----------
    lines : Lines
    start, end : ndarray of int64, shape (n,)
        Node rows.
    is_oneway, is_bridge : ndarray of bool, shape (n,)
        One-way traffic runs in the direction of the line.
    n_nodes : int
    """

    lines: Lines
    start: Ints
    end: Ints
    is_oneway: Bools
    is_bridge: Bools
    n_nodes: int


def make_net(settled: Lines, roads: Lines, water: BaseGeometry, *, seed: int) -> Net:
    """Node streets and lanes with the roads between places, and make one strongly connected net.

    Parameters
    ----------
    settled : Lines
        Streets of towns and lanes of villages, noded among themselves.
    roads : Lines
        Main roads and links; not noded.
    water : Polygon, MultiPolygon or empty
        Only main roads and arterials bridge it.
    """
    noded = node_with(settled, roads)
    may_bridge = (noded.rank <= Rank.ARTERIAL) | (noded.origin == Origin.MAIN)
    shapely.prepare(water)
    noded = noded.take(~shapely.intersects(water, noded.shape) | may_bridge)
    lines = _largest_part(_without_stubs(noded))
    lines = _largest_part(_merged(lines))
    start, end, n_nodes = graph_rows(lines)
    lines, start, end = _without_loops(lines, start, end)
    is_oneway = _draw_oneways(lines, start, end, n_nodes, Stream(seed, "one-ways"))
    return Net(
        lines=lines,
        start=start,
        end=end,
        is_oneway=is_oneway,
        is_bridge=shapely.intersects(water, lines.shape),
        n_nodes=n_nodes,
    )


def graph_rows(lines: Lines) -> tuple[Ints, Ints, int]:
    """Return the node rows of each line's ends, and the number of nodes."""
    first, last = ends(lines.shape)
    known, row = np.unique(grid_keys(np.concatenate([first, last])), return_inverse=True)
    return row[: len(first)], row[len(first) :], len(known)


def _without_stubs(lines: Lines) -> Lines:
    """Drop dead ends under 8 m: leftovers of noding and of cuts at the water."""
    start, end, n_nodes = graph_rows(lines)
    degree = np.bincount(np.concatenate([start, end]), minlength=n_nodes)
    is_dead_end = (degree[start] == 1) | (degree[end] == 1)
    return lines.take(~(is_dead_end & (shapely.length(lines.shape) < _STUB)))


def _largest_part(lines: Lines) -> Lines:
    start, end, n_nodes = graph_rows(lines)
    graph = coo_matrix((np.ones(len(start)), (start, end)), shape=(n_nodes, n_nodes))
    part = connected_components(graph, directed=False)[1]
    return lines.take(part[start] == np.bincount(part).argmax())


def _merged(lines: Lines) -> Lines:
    """Join lines of one rank and origin across nodes where only two of them meet."""
    start, end, n_nodes = graph_rows(lines)
    n = len(start)
    degree = np.bincount(np.concatenate([start, end]), minlength=n_nodes)
    at = np.concatenate([start, end])
    line = np.tile(np.arange(n), 2)
    order = np.argsort(at, kind="stable")
    two = order[degree[at[order]] == 2].reshape(-1, 2)
    one, other = line[two[:, 0]], line[two[:, 1]]
    kind = lines.rank * len(Origin) + np.where(lines.origin == Origin.MAIN, Origin.MAIN, 0)
    joins = (kind[one] == kind[other]) & (one != other)
    graph = coo_matrix((np.ones(int(joins.sum())), (one[joins], other[joins])), shape=(n, n))
    chain = connected_components(graph, directed=False)[1]
    length = shapely.length(lines.shape)
    longest = np.lexsort((np.arange(n), -length, chain))
    keeper = longest[np.unique(chain[longest], return_index=True)[1]]
    by_chain = np.argsort(chain, kind="stable")
    bundles = shapely.multilinestrings(lines.shape[by_chain], indices=chain[by_chain])
    whole = np.asarray(shapely.line_merge(bundles))
    is_line = shapely.get_type_id(whole) == shapely.GeometryType.LINESTRING
    return lines.take(keeper[is_line]).reshaped(whole[is_line])


def _without_loops(lines: Lines, start: Ints, end: Ints) -> tuple[Lines, Ints, Ints]:
    keep = start != end
    return lines.take(keep), start[keep], end[keep]


def _draw_oneways(lines: Lines, start: Ints, end: Ints, n_nodes: int, stream: Stream) -> Bools:
    """Draw one-ways, then give back two-way traffic wherever one cuts somebody off.

    A one-way whose ends lie in different strongly connected components is opened, until one
    component remains; two-way edges alone connect everything, so the loop ends.
    """
    degree = np.bincount(np.concatenate([start, end]), minlength=n_nodes)
    lot = stream.uniforms(len(start))
    inside = (degree[start] > 1) & (degree[end] > 1)
    chance = np.array([0.0, 0.0, _ONE_WAY_COLLECTORS, _ONE_WAY_LANES, 0.0])[lines.rank]
    is_oneway: Bools = inside & (lot < chance)
    while True:
        part = strong_parts(start, end, is_oneway, n_nodes)
        cut_off = is_oneway & (part[start] != part[end])
        if not cut_off.any():
            return is_oneway
        is_oneway = is_oneway & ~cut_off


def strong_parts(start: Ints, end: Ints, is_oneway: Bools, n_nodes: int) -> Ints:
    """Return the strongly connected component of each node."""
    tail = np.concatenate([start, end[~is_oneway]])
    head = np.concatenate([end, start[~is_oneway]])
    graph = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(n_nodes, n_nodes))
    return np.asarray(
        connected_components(graph, directed=True, connection="strong")[1], dtype=np.int64
    )
