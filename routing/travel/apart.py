"""How far places lie from their streets: what a wrong datum or a wrong position shows first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.crs import FAR, NEAR, Datum, from_wgs84, to_wgs84
from routing.model import Place
from routing.travel.snap import Snaps
from routing.travel.times import Travel

FEWEST: Final = 10
"""Places below which nothing is said of their datum: a mean of so few tells little."""

CLEAR: Final = 3.5
"""Standard errors by which another datum must fit better to be named: less than the
`geo.crs.DECISIVE` by which a reader speaks, as this is a hint and places are few. Of 900 draws of
10, 27 and 100 random points on the sample city none came above 3.0."""

MOST: Final = 4000
"""Places looked at for their datum; more are thinned evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Distances of places to their streets.

    Attributes
    ----------
    n : int
    median, most : float
        Metres.
    farthest : str
        Name of the place that is `most` away.
    likely : Datum, optional
        Another datum under which the places would lie clearly nearer to streets.
    """

    n: int
    median: float
    most: float
    farthest: str
    likely: Datum | None = None

    def notes(self, source: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield messages, as code and parameters, on the places that a file calls `source`."""
        if not self.n:
            return
        params = {"source": source, "n": self.n, "farthest": self.farthest}
        metres = {"median": f"{self.median:,.0f}", "most": f"{self.most:,.0f}"}
        yield "travel.apart", {**params, **metres}
        if self.likely is not None:
            yield "travel.apart.datum", {"source": source, "likely": self.likely.value}


def apart_from_streets(
    travel: Travel, places: Sequence[Place], snaps: Snaps, *, stated: Datum = Datum.WGS84
) -> Apart:
    """Measure how far places lie from their streets, and try the other datums.

    For each place the logarithm of its distance (held between 5 and 250 m) is compared with that
    under another datum, as `geo.crs.likely_datum` does for layers of fifty points and more.

    Parameters
    ----------
    places : sequence of Place
    snaps : Snaps
        The places on their streets.
    stated : Datum
        What their file was said to be in.
    """
    if not places:
        return Apart(n=0, median=0.0, most=0.0, farthest="")
    at = int(snaps.distance.argmax())
    return Apart(
        n=len(places),
        median=float(np.median(snaps.distance)),
        most=float(snaps.distance[at]),
        farthest=places[at].name,
        likely=_likely(travel, places, snaps, stated),
    )


def _likely(travel: Travel, places: Sequence[Place], snaps: Snaps, stated: Datum) -> Datum | None:
    """Return the datum that fits clearly better than the stated one, if any does."""
    if len(places) < FEWEST:
        return None
    rows = np.arange(0, len(places), -(-len(places) // MOST))
    written = from_wgs84(np.array([(places[k].lon, places[k].lat) for k in rows.tolist()]), stated)
    own = _logs(snaps.distance[rows])
    gains = {
        datum: _standard_errors(own - _logs(travel.snap(to_wgs84(written, datum)).distance))
        for datum in Datum
        if datum != stated
    }
    best = max(gains, key=lambda datum: gains[datum])
    return best if gains[best] > CLEAR else None


def _logs(metres: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(metres.clip(NEAR, FAR)))


def _standard_errors(gain: NDArray[np.float64]) -> float:
    """Return the mean gain in standard errors of the mean; 0 where nothing differs."""
    spread = float(gain.std(ddof=1))
    return float(gain.mean()) / (spread / len(gain) ** 0.5) if spread > 0.0 else 0.0
