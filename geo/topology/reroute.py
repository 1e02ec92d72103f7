"""Polygons led through the nodes of an arrangement, so that faces are labelled without a doubt.

A face may be thinner than the lattice step by which noding moved a line: only the moved polygons
say whose it is.
"""

import numpy as np
import pandas as pd
import shapely

from geo.topology.node import Chains
from geo.topology.segment import keys_of, to_degrees, vertex_keys


class Rerouting:
    """Which way each cut segment goes.

    Parameters
    ----------
    low, high : ndarray of int64, shape (n,)
        Keys of the cut segments, each once.
    chains : Chains
        Of these segments, row by row, from low to high.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, chains: Chains) -> None:
        self._row_of = pd.MultiIndex.from_arrays([low, high])
        self._start = np.searchsorted(chains.row, np.arange(len(low)))
        self._n_inner = np.bincount(chains.row, minlength=len(low)) - 2
        self._key = keys_of(chains.steps)
        self._lonlat = to_degrees(chains.steps)

    def reroute(self, polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the parts of polygons, led through the nodes, and the row of each part.

        They may touch themselves: they are for telling inside from outside.
        """
        parts, owner = shapely.get_parts(polygons, return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        points, ring = self._led(points, ring)
        led = np.asarray(shapely.linearrings(points, indices=ring))
        is_shell = np.append(True, np.diff(part) != 0)[: len(part)]
        return _with_holes(led, is_shell, part), owner

    def _led(self, points: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the vertices of rings with the nodes between them put in."""
        keys = vertex_keys(points)
        joined = (ring[1:] == ring[:-1]) & (keys[1:] != keys[:-1])
        begin, end = keys[:-1][joined], keys[1:][joined]
        pairs = pd.MultiIndex.from_arrays([np.minimum(begin, end), np.maximum(begin, end)])
        row = self._row_of.get_indexer(pairs)
        n_inner = np.where(row >= 0, self._n_inner[row] if len(self._n_inner) else 0, 0)
        segment = np.repeat(np.arange(len(row)), n_inner)
        first = np.cumsum(n_inner) - n_inner
        k = np.arange(len(segment)) - first[segment]
        back = begin[segment] != self._key[self._start[row[segment]]]
        k = np.where(back, n_inner[segment] - 1 - k, k)
        at = np.arange(len(row)) + first
        out = np.empty((len(row) + len(segment), 2))
        out[at] = points[:-1][joined]
        is_inner = np.ones(len(out), dtype=bool)
        is_inner[at] = False
        out[is_inner] = self._lonlat[self._start[row[segment]] + 1 + k]
        return out, np.repeat(ring[:-1][joined], n_inner + 1)


def _with_holes(rings: np.ndarray, is_shell: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return polygons of rings, the shell of each part first."""
    polygons = np.asarray(shapely.polygons(rings[is_shell]))
    for row in np.unique(part[~is_shell]):
        ours = part == row
        polygons[row] = shapely.Polygon(rings[ours & is_shell][0], list(rings[ours & ~is_shell]))
    return polygons
