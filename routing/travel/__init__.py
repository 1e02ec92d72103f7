"""Travel times, legs, routes and snapping: the only door to the street network's hierarchy."""

from routing.travel.corridor import Corridor, CorridorWay, Crossing, PostPassed, find_corridor
from routing.travel.leg import Leg
from routing.travel.route import Route
from routing.travel.snap import Snaps
from routing.travel.step import Heading, Move, Step
from routing.travel.times import REACH_M, Travel
from routing.travel.warm import warm_up

__all__ = [
    "REACH_M",
    "Corridor",
    "CorridorWay",
    "Crossing",
    "Heading",
    "Leg",
    "Move",
    "PostPassed",
    "Route",
    "Snaps",
    "Step",
    "Travel",
    "find_corridor",
    "warm_up",
]
