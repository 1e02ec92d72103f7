"""The yardstick: statistics of a street net, the same for made-up and for real streets.

All lengths in metres, areas in hectares or km2; degree-2 nodes are merged first, so that a net's
way of cutting its lines does not count.

References
----------
Boeing (2019), Urban spatial order, doi:10.1007/s41109-019-0189-1 (orientation entropy).
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geo.frames import Col, StreetClass
from geo.sample.exact import Floats, norm
from geo.sample.ground import BUILT_UP, CELL, smoothed_density
from geo.sample.lines import Bools, Ints, Shapes, ends, midpoints

_BINS: Final = 36
_BLOCK: Final = (1e3, 4e6)
_SUPERBLOCK: Final = (4e4, 9e6)
_SLIVER_WIDTH: Final = 12.0
_SUPERBLOCK_WIDTH: Final = 60.0
_CELL_500: Final = 500.0
_TOWN_RADIUS: Final = 2
_LARGE: Final = (StreetClass.EXPRESSWAY, StreetClass.ARTERIAL)

TARGETS: Final = {
    "nodes_per_km2": (35.0, 65.0),
    "mean_degree": (2.6, 2.85),
    "degree_1": (18.0, 26.0),
    "degree_3": (58.0, 66.0),
    "degree_4": (12.0, 20.0),
    "edge_median": (95.0, 130.0),
    "edge_p90": (240.0, 340.0),
    "circuity": (1.04, 1.08),
    "orientation_entropy": (2.6, 3.2),
    "block_median_ha": (1.5, 3.5),
    "superblock_side": (600.0, 850.0),
    "lane_share": (50.0, 65.0),
    "arterial_share": (17.0, 30.0),
    "oneway_lane_share": (12.0, 20.0),
    "cell_variation": (0.6, float("inf")),
}
"""What the sample's built-up district must meet; percentages as 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetStatistics:
    """Statistics of the built-up part of a net.

    Attributes
    ----------
    built_up_km2 : float
    nodes, edges : int
        After merging degree-2 nodes.
    degree_1, degree_3, degree_4 : float
        Per cent of the nodes.
    edge_median, edge_p90 : float
        Metres.
    circuity : float
        Length over straight distance of all edges together.
    orientation_entropy : float
        Of edge bearings both ways in 36 bins; 3.58 is the most.
    block_median_ha : float
        Faces wider than 12 m on average.
    superblock_side : float
        Root of the median area of faces between expressways and arterials.
    expressway_share, arterial_share, collector_share, lane_share : float
        Per cent of the length.
    oneway_lane_share : float
        Per cent of lane length.
    cell_variation : float
        Standard deviation over mean of nodes per cell of 500 m.
    """

    built_up_km2: float
    nodes: int
    edges: int
    street_km: float
    nodes_per_km2: float
    mean_degree: float
    degree_1: float
    degree_3: float
    degree_4: float
    edge_median: float
    edge_p90: float
    circuity: float
    orientation_entropy: float
    block_median_ha: float
    superblock_side: float
    expressway_share: float
    arterial_share: float
    collector_share: float
    lane_share: float
    oneway_lane_share: float
    cell_variation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Graph:
    """Merged edges with their end nodes."""

    shape: Shapes
    start: Ints
    end: Ints
    xy: Floats

    @property
    def degree(self) -> Ints:
        return np.bincount(np.concatenate([self.start, self.end]), minlength=len(self.xy))


def measure_streets(streets: gpd.GeoDataFrame, *, epsg: int) -> StreetStatistics:
    """Measure the built-up part of a street frame.

    Built up is where streets other than country roads lie denser than 4 km per km2, on a raster of
    250 m blurred over about 1.5 km, in the largest contiguous area.
    """
    shapes = streets.geometry.to_crs(epsg).to_numpy()
    word = streets[Col.STREET_CLASS].to_numpy(dtype=object)
    centre = shapely.get_coordinates(midpoints(shapes))
    length = shapely.length(shapes)
    inside, area = _built_up(centre, np.where(word == StreetClass.RURAL, 0.0, length))
    graph = _merged_graph(shapes[inside])
    degree = graph.degree
    edge = shapely.length(graph.shape)
    share = _class_shares(word[inside], length[inside])
    is_lane = inside & (word == StreetClass.LANE)
    oneway = streets[Col.ONEWAY].to_numpy(dtype=np.bool_)
    return StreetStatistics(
        built_up_km2=area,
        nodes=len(graph.xy),
        edges=len(edge),
        street_km=float(length[inside].sum() / 1e3),
        nodes_per_km2=len(graph.xy) / area,
        mean_degree=2.0 * len(edge) / len(graph.xy),
        degree_1=float(100.0 * (degree == 1).mean()),
        degree_3=float(100.0 * (degree == 3).mean()),
        degree_4=float(100.0 * (degree == 4).mean()),
        edge_median=float(np.median(edge)),
        edge_p90=float(np.quantile(edge, 0.9)),
        circuity=_circuity(graph.shape),
        orientation_entropy=_orientation_entropy(graph.shape),
        block_median_ha=_median_face(shapes[inside], _BLOCK, _SLIVER_WIDTH) / 1e4,
        superblock_side=float(
            np.sqrt(
                _median_face(shapes[inside & np.isin(word, _LARGE)], _SUPERBLOCK, _SUPERBLOCK_WIDTH)
            )
        ),
        expressway_share=share[StreetClass.EXPRESSWAY],
        arterial_share=share[StreetClass.ARTERIAL],
        collector_share=share[StreetClass.COLLECTOR],
        lane_share=share[StreetClass.LANE],
        oneway_lane_share=float(
            100.0 * length[is_lane & oneway].sum() / max(length[is_lane].sum(), 1e-9)
        ),
        cell_variation=_cell_variation(graph.xy),
    )


def strong_share(streets: gpd.GeoDataFrame) -> float:
    """Return the per cent of nodes in the largest strongly connected component."""
    first, last = ends(streets.geometry.to_numpy())
    _, row = np.unique(np.concatenate([first, last]), axis=0, return_inverse=True)
    start, end = row[: len(first)], row[len(first) :]
    two_way = ~streets[Col.ONEWAY].to_numpy(dtype=np.bool_)
    tail, head = np.concatenate([start, end[two_way]]), np.concatenate([end, start[two_way]])
    n = int(row.max()) + 1
    graph = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(n, n))
    part = connected_components(graph, directed=True, connection="strong")[1]
    return float(100.0 * np.bincount(part).max() / n)


def street_middles(streets: gpd.GeoDataFrame, *, epsg: int) -> Floats:
    """Return the middle of each street, metres, shape (n, 2)."""
    return np.asarray(shapely.get_coordinates(midpoints(streets.geometry.to_crs(epsg).to_numpy())))


def neighbour_correlation(xy: Floats, street_xy: Floats, *, side: float = 300.0) -> float:
    """Return how alike neighbouring cells are: Pearson's r of the roots of their counts.

    Counted over pairs of cells with a common side that both hold the middle of a street; the root
    evens out the spread of counts.

    Parameters
    ----------
    xy : ndarray of float64, shape (n, 2)
        Points, metres.
    street_xy : ndarray of float64, shape (m, 2)
        Middles of the streets they lie on.
    side : float
        Side of a cell, metres.
    """
    origin = np.minimum(xy.min(axis=0), street_xy.min(axis=0))
    cell = np.floor((xy - origin) / side).astype(np.int64)
    street = np.floor((street_xy - origin) / side).astype(np.int64)
    shape = tuple(np.maximum(cell.max(axis=0), street.max(axis=0)) + 1)
    count = np.zeros(shape)
    np.add.at(count, (cell[:, 0], cell[:, 1]), 1.0)
    held = np.zeros(shape, dtype=np.bool_)
    held[street[:, 0], street[:, 1]] = True
    root = np.sqrt(count)
    east = held[1:] & held[:-1]
    north = held[:, 1:] & held[:, :-1]
    one = np.concatenate([root[1:][east], root[:, 1:][north]])
    other = np.concatenate([root[:-1][east], root[:, :-1][north]])
    both = np.concatenate([one, other]), np.concatenate([other, one])
    return float(np.corrcoef(*both)[0, 1])


def _built_up(centre: Floats, metres: Floats) -> tuple[Bools, float]:
    """Return the streets of the largest built-up area, and its km2."""
    density = smoothed_density(centre, metres, radius=_TOWN_RADIUS)
    dense = density >= BUILT_UP
    cell = np.floor((centre - centre.min(axis=0)) / CELL).astype(np.int64)
    cells, row = np.unique(cell[dense], axis=0, return_inverse=True)
    width = int(cell[:, 1].max()) + 3
    key = cells[:, 0] * width + cells[:, 1]
    step = np.array([1, width, width - 1, width + 1])
    at = np.searchsorted(key, key[:, None] + step).clip(max=len(key) - 1)
    one, way = np.nonzero(key[at] == key[:, None] + step)
    graph = coo_matrix((np.ones(len(one)), (one, at[one, way])), shape=(len(key), len(key)))
    part = connected_components(graph, directed=False)[1]
    main = np.bincount(part[row]).argmax()
    inside = np.zeros(len(centre), dtype=np.bool_)
    inside[np.flatnonzero(dense)[part[row] == main]] = True
    hull = _filled_area(cells[part == main])
    return inside, hull


def _filled_area(cells: Ints) -> float:
    """Return the km2 of cells with the gaps closed that are two cells wide or less."""
    boxes = shapely.box(
        cells[:, 0] * CELL, cells[:, 1] * CELL, (cells[:, 0] + 1) * CELL, (cells[:, 1] + 1) * CELL
    )
    area = shapely.union_all(boxes)
    closed = area.buffer(CELL, join_style="mitre").buffer(-CELL, join_style="mitre")
    return float(shapely.union(area, closed).area / 1e6)


def _merged_graph(shapes: Shapes) -> _Graph:
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapes)))
    first, last = ends(merged)
    xy, row = np.unique(np.round(np.concatenate([first, last]), 2), axis=0, return_inverse=True)
    return _Graph(shape=merged, start=row[: len(first)], end=row[len(first) :], xy=xy)


def _circuity(shapes: Shapes) -> float:
    first, last = ends(shapes)
    straight = norm(last - first)
    real = straight > 1.0
    return float(shapely.length(shapes[real]).sum() / straight[real].sum())


def _orientation_entropy(shapes: Shapes) -> float:
    first, last = ends(shapes)
    ahead = (last - first)[norm(last - first) > 1.0]
    bearing = np.degrees(np.arctan2(ahead[:, 0], ahead[:, 1])) % 360.0
    both = np.concatenate([bearing, (bearing + 180.0) % 360.0])
    width = 360.0 / _BINS
    count = np.bincount((((both + width / 2) % 360.0) // width).astype(int), minlength=_BINS)
    share = count[count > 0] / count.sum()
    return float(-(share * np.log(share)).sum())


def _median_face(shapes: Shapes, limits: tuple[float, float], width: float) -> float:
    """Return the median area, m2, of faces within limits and wide enough (2 area / perimeter)."""
    noded = shapely.get_parts(shapely.node(shapely.multilinestrings(shapes)))
    faces = shapely.get_parts(shapely.polygonize(noded))
    area, around = shapely.area(faces), shapely.length(faces)
    kept = (area > limits[0]) & (area < limits[1]) & (2.0 * area / around > width)
    return float(np.median(area[kept])) if kept.any() else float("nan")


def _class_shares(word: Shapes, length: Floats) -> dict[StreetClass, float]:
    return {kind: float(100.0 * length[word == kind].sum() / length.sum()) for kind in StreetClass}


def _cell_variation(xy: Floats) -> float:
    """Return the variation of nodes per 500 m cell, over cells in the middle of a built-up area.

    The middle is the square of 7 km round the median node: outside it half-empty cells count twice.
    """
    near = np.abs(xy - np.median(xy, axis=0)).max(axis=1) < 7.0 * _CELL_500
    cell = np.floor((xy[near] - np.median(xy, axis=0)) / _CELL_500).astype(np.int64) + 7
    count = np.bincount(cell[:, 0] * 14 + cell[:, 1], minlength=14 * 14)
    return float(count.std() / count.mean())
