"""Clean street segments as columns.

A segment is one row of the street frame: a line between two junctions. Each gives two directed
arcs, ``2 * segment`` along the line and ``2 * segment + 1`` against it; a mode that may not use an
arc has no time for it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.model import Mode
from routing.network.profile import MODES, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Clean street segments as read-only columns.

    Attributes
    ----------
    epsg : int
        Metric CRS of `node_xy` and `xy`.
    node_xy : ndarray of float64, shape (n_nodes, 2)
        Metres.
    tail, head : ndarray of int32, shape (n_segments,)
        Node at the first and at the last point of the line.
    length : ndarray of float64, shape (n_segments,)
        Metres.
    street_class : ndarray of int8, shape (n_segments,)
        Position in CLASSES.
    lanes : ndarray of int8, shape (n_segments,)
        Of both directions together; 0 unknown.
    max_speed : ndarray of float32, shape (n_segments,)
        Posted limit in km/h; 0 unknown.
    name : ndarray of int32, shape (n_segments,)
        Position in `names`; `names[0]` is "" (no name).
    segment_id : ndarray of object, shape (n_segments,)
        Id in the street frame.
    usable : ndarray of bool, shape (n_modes, 2 * n_segments)
        Arcs each mode may use, rows in the order of MODES.
    junction : ndarray of bool, shape (n_nodes,)
        Whether three or more segment ends meet.
    offsets : ndarray of int64, shape (n_segments + 1,)
        Points of segment i are rows ``offsets[i]:offsets[i + 1]`` of `lonlat`, `xy`, `measure`.
    lonlat, xy : ndarray of float64, shape (n_points, 2)
        WGS-84 degrees, and metres.
    measure : ndarray of float64, shape (n_points,)
        Metres from the segment's first point.
    """

    epsg: int
    profile: Profile
    node_xy: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length: NDArray[np.float64]
    street_class: NDArray[np.int8]
    lanes: NDArray[np.int8]
    max_speed: NDArray[np.float32]
    name: NDArray[np.int32]
    names: tuple[str, ...]
    segment_id: NDArray[np.object_]
    usable: NDArray[np.bool_]
    junction: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    xy: NDArray[np.float64]
    measure: NDArray[np.float64]

    def __post_init__(self) -> None:
        for field in self.__slots__:
            column = getattr(self, field)
            if isinstance(column, np.ndarray):
                column.setflags(write=False)

    @property
    def n_nodes(self) -> int:
        """Nodes kept."""
        return len(self.node_xy)

    @property
    def n_segments(self) -> int:
        """Segments kept, each counted once however many directions it has."""
        return len(self.length)

    @property
    def arc_tail(self) -> NDArray[np.int32]:
        """Node each arc leaves, shape (2 * n_segments,)."""
        return np.stack([self.tail, self.head], axis=1).ravel()

    @property
    def arc_head(self) -> NDArray[np.int32]:
        """Node each arc reaches, shape (2 * n_segments,)."""
        return np.stack([self.head, self.tail], axis=1).ravel()

    def usable_by(self, mode: Mode) -> NDArray[np.bool_]:
        """Return which arcs `mode` may use, shape (2 * n_segments,)."""
        row: NDArray[np.bool_] = self.usable[MODES.index(mode)]
        return row
