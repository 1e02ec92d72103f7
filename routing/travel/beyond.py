"""Places too far from every street, as an error names them: which, how far, where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.model import Place
from routing.travel.connect import listed

NEARLY_ALL: Final = 0.9
"""Share of places far from every street from which the network, and not the places, is at fault."""

FEWEST: Final = 3
"""Places below which nothing is said of the network."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Names, metres and positions of places; reads as English, renders in both languages."""

    places: str
    is_elsewhere: bool = False

    @property
    def code(self) -> str:
        """Message code of the sentence."""
        return "travel.beyond.elsewhere" if self.is_elsewhere else "travel.beyond"

    @property
    def params(self) -> Mapping[str, object]:
        """Values of the sentence."""
        return {"places": self.places}

    def __str__(self) -> str:
        if not self.is_elsewhere:
            return self.places
        return (
            f"{self.places}; these are nearly all of them, so that this network seems to be of "
            "another area, or longitude and latitude are swapped"
        )


def is_elsewhere(n: int, total: int) -> bool:
    """Tell whether so many places are far from every street that the network is the wrong one."""
    return total >= FEWEST and n >= NEARLY_ALL * total


def name_beyond(
    places: Sequence[Place], distance: NDArray[np.float64], rows: NDArray[np.integer]
) -> Beyond:
    """Name the places in some rows.

    Parameters
    ----------
    places : sequence of Place
    distance : ndarray of float64, shape (n_places,)
        Metres to the nearest street.
    rows : ndarray of int
        Those that are too far.
    """
    named = [_named(places[k], float(distance[k])) for k in rows.tolist()]
    return Beyond(listed(named), is_elsewhere=is_elsewhere(len(rows), len(places)))


def _named(place: Place, metres: float) -> str:
    return f"{place.name} {metres:,.0f} m [{place.lon:.5f}, {place.lat:.5f}]"
