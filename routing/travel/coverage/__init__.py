"""Who is reached in time: households and venues counted one by one by their travel times.

Every building and venue is a point on a street, and the time to it is the matrix entry; no area on
a map decides. What lies farther than `REACH_M` from any street is reached by nobody.
"""

from routing.travel.coverage.count import count_reached, rate_of
from routing.travel.coverage.service import Service, Standard, check_service
from routing.travel.coverage.target import Departures, Targets, all_venues, homes

__all__ = [
    "Departures",
    "Service",
    "Standard",
    "Targets",
    "all_venues",
    "check_service",
    "count_reached",
    "homes",
    "rate_of",
]
