"""The street network: clean directed segments, and how fast each mode moves on them."""

from routing.network.build import SHORTEST_M, build_network
from routing.network.condition import Conditions, conditions_at, no_conditions
from routing.network.outside import Outside, outside_streets
from routing.network.profile import BANDS, CLASSES, MODES, NIGHT, Profile, TimeBand, Turn
from routing.network.report import NetworkReport
from routing.network.segment import Network
from routing.network.times import ArcTimes, arc_times

__all__ = [
    "BANDS",
    "CLASSES",
    "MODES",
    "NIGHT",
    "SHORTEST_M",
    "ArcTimes",
    "Conditions",
    "Network",
    "NetworkReport",
    "Outside",
    "Profile",
    "TimeBand",
    "Turn",
    "arc_times",
    "build_network",
    "conditions_at",
    "no_conditions",
    "outside_streets",
]
