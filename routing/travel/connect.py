"""Which places a unit can get to and back from, and what stands around those it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from routing.hierarchy import FAR, NONE
from routing.model import Mode
from routing.network import MODES, ArcTimes, Conditions, Network
from routing.travel.ends import leaving, reaching
from routing.travel.snap import Snaps

NAMED: Final = 10
"""Places or closures that one sentence names; the others are counted."""

Flags = NDArray[np.bool_]


def cut_off_at(network: Network, times: ArcTimes, stations: Snaps, points: Snaps) -> Flags:
    """Tell which points no station can send a unit to and have it back, shape (n_points,).

    There and back is a circle, so that the ends it passes lie in one strongly connected part.
    """
    part = _parts(network, times)
    served = np.unique(_circles(network, times, part, stations))
    found = _circles(network, times, part, points)
    return np.asarray(~np.isin(found, served[served >= 0]).any(axis=1))


def _parts(network: Network, times: ArcTimes) -> NDArray[np.int32]:
    """Return the strongly connected part of the open arcs that each node lies in, by number."""
    is_open = times.whole < FAR
    tail, head = network.arc_tail[is_open], network.arc_head[is_open]
    graph = coo_array(
        (np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(network.n_nodes,) * 2
    )
    _, part = connected_components(graph.tocsr(), connection="strong")
    return np.asarray(part, dtype=np.int32)


def _circles(
    network: Network, times: ArcTimes, part: NDArray[np.int32], snaps: Snaps
) -> NDArray[np.int32]:
    """Return the parts from which a unit reaches a point and gets back, shape (n, 4).

    One column for each end it may come over and each end it may leave over; -1 for no circle.
    """
    come, leave = reaching(network, times, snaps).node, leaving(network, times, snaps).node
    came, left = np.repeat(come, 2, axis=1), np.tile(leave, 2)
    is_circle = (came != NONE) & (left != NONE) & (part[came] == part[left])
    return np.where(is_circle, part[came], -1)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around places that are cut off; reads as English, renders in both languages.

    Attributes
    ----------
    closures : tuple of str
        Ids of the closures, in the order of their rows; empty where the streets themselves do not
        connect.
    """

    closures: tuple[str, ...]

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return "travel.around.closures" if self.closures else "travel.around.none"

    @property
    def params(self) -> Mapping[str, object]:
        """How many closures, and their ids."""
        return {"n": len(self.closures), "closures": listed(self.closures)}

    def __str__(self) -> str:
        if not self.closures:
            return "No closure stands around them: look for missing streets or one-ways there."
        return "Closures around them ({n}): {closures}. Lift one or plan without these.".format(
            **self.params
        )


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: the first ones, and an ellipsis where there are more."""
    more = ["…"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def closures_around(
    network: Network,
    times: ArcTimes,
    mode: Mode,
    *,
    conditions: Conditions,
    starts: Snaps,
    off: Snaps,
) -> tuple[str, ...]:
    """Return the ids of the closures that stand around places cut off from all starts.

    Seen from each such place: the streets one could go by if nothing were closed, up to the first
    node that the starts reach and are reached from.
    """
    part = _parts(network, times)
    inside = np.isin(part, _circles(network, times, part, starts))
    usable = np.asarray(network.usable_by(mode).reshape(-1, 2).any(axis=1))
    ends = np.stack([network.tail, network.head], axis=1)
    is_beyond = usable & ~inside[ends].all(axis=1)
    district = _districts(network, is_beyond, inside)
    wanted = np.unique(district[ends[off.segment]])
    touches = is_beyond & np.isin(district[ends], wanted[wanted >= 0]).any(axis=1)
    closed = conditions.is_closed[MODES.index(mode)].reshape(-1, 2).any(axis=1)
    found = np.isin(conditions.segment, np.flatnonzero(touches & closed))
    return tuple(conditions.closure_ids[i] for i in np.unique(conditions.closure[found]))


def _districts(network: Network, is_beyond: Flags, inside: Flags) -> NDArray[np.int32]:
    """Give each node outside the number of the part that streets join it to; -1 inside."""
    tail, head = network.tail[is_beyond], network.head[is_beyond]
    outer = ~inside[tail] & ~inside[head]
    ones = np.ones(int(outer.sum()), dtype=np.int8)
    shape = (network.n_nodes, network.n_nodes)
    graph = coo_array((ones, (tail[outer], head[outer])), shape=shape)
    _, part = connected_components(graph.tocsr(), directed=False)
    return np.where(inside, -1, part).astype(np.int32)
