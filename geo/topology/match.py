"""Which segments of a coverage are in order, and which are loose.

Everything rests on one fact. Going once around every polygon counter-clockwise, a coverage runs
along each segment off its outer border exactly twice, once in either direction; and along a
border between two parents both parents do so too. Where that holds everywhere nothing is missing
and nothing lies twice; a width to guess is not needed.
"""

from dataclasses import dataclass

import numpy as np

from geo.topology.segment import Segments, runs_of_equal


@dataclass(frozen=True, slots=True)
class Loose:
    """Segments that are not in order.

    Attributes
    ----------
    units : ndarray of bool, shape (n_unit_segments,)
    parents : ndarray of bool, shape (n_parent_segments,)
    """

    units: np.ndarray
    parents: np.ndarray


def find_loose(units: Segments, above: np.ndarray, parents: Segments | None) -> Loose:
    """Return the segments that are not in order.

    Parameters
    ----------
    units : Segments
        Of the polygons of one level, counter-clockwise outside, clockwise in holes.
    above : ndarray of int64, shape (n_units,)
        Row of each unit's parent; not looked at without parents.
    parents : Segments, optional
        Of the polygons that the units must tile, turning likewise. Without them the outer border
        of the units is loose throughout.
    """
    if parents is None:
        n_times, net = _tally(units)
        return Loose((n_times != 2) | (net != 0), np.zeros(0, dtype=bool))
    n = len(units.low)
    low, high = np.concatenate([units.low, parents.low]), np.concatenate([units.high, parents.high])
    order, start = runs_of_equal(low, high)
    is_unit = (order < n).astype(np.int64)
    turn = np.concatenate([units.turn, parents.turn])[order]
    parent = np.concatenate([above[units.owner], parents.owner])[order]
    n_units, n_parents = (np.add.reduceat(mask, start) for mask in (is_unit, 1 - is_unit))
    net_units = np.add.reduceat(turn * is_unit, start)
    net_parents = np.add.reduceat(turn * (1 - is_unit), start)
    one_parent = np.minimum.reduceat(parent, start) == np.maximum.reduceat(parent, start)
    inner = (n_units == 2) & (net_units == 0) & (net_parents == 0)
    inner &= np.where(one_parent, n_parents == 0, n_parents == 2)
    outer = (n_units == 1) & (n_parents == 1) & (net_units == net_parents) & one_parent
    loose = np.empty(len(order), dtype=bool)
    loose[order] = np.repeat(~(inner | outer), np.diff(np.append(start, len(order))))
    return Loose(loose[:n], loose[n:])


def _tally(segments: Segments) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each segment occurs, and how often more one way than the other."""
    order, start = runs_of_equal(segments.low, segments.high)
    counts = np.diff(np.append(start, len(order)))
    turns = np.add.reduceat(segments.turn[order], start) if len(start) else counts
    n_times, net = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    n_times[order], net[order] = np.repeat(counts, counts), np.repeat(turns, counts)
    return n_times, net
