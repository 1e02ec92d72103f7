"""Areas reached within some minutes: streets painted on a grid, contoured, simplified together.

Every street is sampled each 25 m; a sample reached in time paints its distance onto the corners of
a 50 m grid; the area is what lies within 75 m of a reached sample. The outlines of all limits of
one origin are simplified as one coverage, so that the smaller area stays inside the larger one.
"""

from routing.travel.isochrone.area import MINUTES, isochrones
from routing.travel.isochrone.outline import SMALLEST_HOLE, TOLERANCE
from routing.travel.isochrone.paint import SIDE, SPACING, WIDTH
from routing.travel.isochrone.warm import warm_up

__all__ = [
    "MINUTES",
    "SIDE",
    "SMALLEST_HOLE",
    "SPACING",
    "TOLERANCE",
    "WIDTH",
    "isochrones",
    "warm_up",
]
