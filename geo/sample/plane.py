"""Planes: metres inside, degrees outside."""

from typing import Protocol

import numpy as np

from geo.sample.exact import Floats
from geo.units import LONLAT_DECIMALS


class Plane(Protocol):
    """A metric plane over longitude and latitude (WGS-84 degrees); arrays of shape (n, 2)."""

    def to_xy(self, lonlat: Floats) -> Floats:
        """Return metres."""

    def to_lonlat(self, xy: Floats) -> Floats:
        """Return degrees, rounded to the 7 decimals that are written."""


class LocalPlane:
    """An equirectangular plane with fixed constants: the same bytes everywhere, no PROJ.

    Metres per degree at 36.4 N on the WGS-84 ellipsoid: 111,412.84 cos(lat) - 93.5 cos(3 lat) east,
    111,132.92 - 559.82 cos(2 lat) + 1.175 cos(4 lat) north (series of DMA TM 8358.2). Over the
    130 km from the city's south to its north a metre is at most 0.9 % off, in one direction only.
    """

    LON0 = 115.95
    LAT0 = 36.40
    METRES_EAST = 89706.1
    METRES_NORTH = 110966.4

    def to_xy(self, lonlat: Floats) -> Floats:
        """Return metres east and north of the origin."""
        return np.stack(
            [
                (lonlat[..., 0] - self.LON0) * self.METRES_EAST,
                (lonlat[..., 1] - self.LAT0) * self.METRES_NORTH,
            ],
            axis=-1,
        )

    def to_lonlat(self, xy: Floats) -> Floats:
        """Return degrees rounded to 7 decimals."""
        lonlat = np.stack(
            [
                xy[..., 0] / self.METRES_EAST + self.LON0,
                xy[..., 1] / self.METRES_NORTH + self.LAT0,
            ],
            axis=-1,
        )
        return np.asarray(np.round(lonlat, LONLAT_DECIMALS))


class ProjectedPlane:
    """The plane of a city's own EPSG code, through PROJ.

    Parameters
    ----------
    epsg : int
        A metric CRS.
    """

    def __init__(self, epsg: int) -> None:
        from pyproj import Transformer  # noqa: PLC0415  (0.2 s, only needed for a user's own city)

        self._in = Transformer.from_crs(4326, epsg, always_xy=True)
        self._out = Transformer.from_crs(epsg, 4326, always_xy=True)

    def to_xy(self, lonlat: Floats) -> Floats:
        """Return metres, rounded to millimetres."""
        return np.round(np.stack(self._in.transform(lonlat[..., 0], lonlat[..., 1]), axis=-1), 3)

    def to_lonlat(self, xy: Floats) -> Floats:
        """Return degrees rounded to 7 decimals."""
        lonlat = np.stack(self._out.transform(xy[..., 0], xy[..., 1]), axis=-1)
        return np.asarray(np.round(lonlat, LONLAT_DECIMALS))
