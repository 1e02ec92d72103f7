"""Where the county towns lie and how large they are: the sample's only hand-set places."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A county town.

    Attributes
    ----------
    lon, lat : float
        Centre, WGS-84 degrees; general geography, good to about 1 km.
    half_u, half_v : float
        Half axes of the built-up area across and along the grid's north, metres.
    turn : float
        Degrees by which the street grid is turned counter-clockwise off north.
    stem : str
        Short name, for street names.
    n_urban : int
        Subdistricts that lie in the built-up area.
    """

    lon: float
    lat: float
    half_u: float
    half_v: float
    turn: float
    stem: str
    n_urban: int

    @property
    def is_prefecture(self) -> bool:
        """Whether this is the prefecture's own town: ring road, canal, old roads."""
        return self.half_u > 4000.0


SEATS: Final = {
    "371502": Seat(
        lon=115.974, lat=36.456, half_u=5500, half_v=5100, turn=-4, stem="东昌府", n_urban=8
    ),
    "371503": Seat(
        lon=116.255, lat=36.580, half_u=2900, half_v=2500, turn=3, stem="茌平", n_urban=2
    ),
    "371521": Seat(
        lon=115.791, lat=36.114, half_u=2500, half_v=2300, turn=-2, stem="阳谷", n_urban=2
    ),
    "371522": Seat(
        lon=115.671, lat=36.234, half_u=2600, half_v=2300, turn=5, stem="莘县", n_urban=2
    ),
    "371524": Seat(
        lon=116.248, lat=36.335, half_u=2600, half_v=2300, turn=-8, stem="东阿", n_urban=2
    ),
    "371525": Seat(
        lon=115.442, lat=36.484, half_u=2400, half_v=2200, turn=2, stem="冠县", n_urban=2
    ),
    "371526": Seat(
        lon=116.231, lat=36.847, half_u=2600, half_v=2400, turn=-3, stem="高唐", n_urban=2
    ),
    "371581": Seat(
        lon=115.706, lat=36.838, half_u=2900, half_v=2400, turn=-6, stem="临清", n_urban=2
    ),
}
