"""The street network: clean directed segments, and how fast each mode moves on them at night."""

from routing.network.build import SHORTEST_M, build_network
from routing.network.profile import CLASSES, MODES, NIGHT, Profile
from routing.network.report import NetworkReport
from routing.network.segment import ArcTimes, Network, arc_times

__all__ = [
    "CLASSES",
    "MODES",
    "NIGHT",
    "SHORTEST_M",
    "ArcTimes",
    "Network",
    "NetworkReport",
    "Profile",
    "arc_times",
    "build_network",
]
