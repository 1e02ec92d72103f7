"""A physical bound on travel: no leg is quicker than its mode's top speed as the crow flies."""

from collections.abc import Iterator
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from routing.check.night import legs_of, look_up
from routing.check.violation import Rule, Violation, broken
from routing.model import Mode, Place, Plan

EARTH_RADIUS = 6_371_008.8
"""Mean radius in metres (IUGG 1980, R1)."""

TOP_SPEED = {Mode.FOOT: 2.0, Mode.EBIKE: 12.5, Mode.MOTORBIKE: 33.4, Mode.CAR: 33.4}
"""Metres per second nobody plans above.

A brisk walk; 45 km/h, well above the 25 km/h of GB 17761; 120 km/h, the highest limit on any road
(道路交通安全法实施条例, art. 78).
"""

OFF_STREET = 500.0
"""Metres between a place and the street point its travel starts or ends at, at most."""


class Point(NamedTuple):
    """Degrees, WGS-84."""

    lon: float
    lat: float


def check_legs(plan: Plan) -> tuple[Violation, ...]:
    """Return the legs of a plan that nobody could cover in the stated time."""
    return tuple(_faults(plan))


def _faults(plan: Plan) -> Iterator[Violation]:
    night = look_up(plan)
    for route in plan.routes:
        unit = night.units.get(route.unit_id)
        for origin, destination, seconds in legs_of(route):
            ends = night.places.get(origin), night.places.get(destination)
            if unit is None or ends[0] is None or ends[1] is None:
                continue
            fewest = fewest_seconds(unit.mode, ends[0], ends[1])
            if seconds < fewest:
                yield broken(
                    Rule.TRAVEL_TOO_FAST,
                    unit=route.unit_id,
                    origin=origin,
                    destination=destination,
                    stated=seconds,
                    expected=fewest,
                )


def fewest_seconds(mode: Mode, origin: Place | Point, destination: Place | Point) -> int:
    """Return a lower bound on the seconds between two places, whatever the streets."""
    way = great_circle(origin.lon, origin.lat, destination.lon, destination.lat)
    return max(0, int((way - 2 * OFF_STREET) / TOP_SPEED[mode]))


def great_circle(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Return metres between two points on the sphere (haversine)."""
    north = radians(other_lat - lat)
    east = radians(other_lon - lon)
    chord = sin(north / 2) ** 2
    chord += cos(radians(lat)) * cos(radians(other_lat)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * asin(sqrt(min(1.0, chord)))
