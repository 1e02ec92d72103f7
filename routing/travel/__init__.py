"""Travel times, legs and snapping: the only door to the street network's hierarchy."""

from routing.travel.leg import Leg
from routing.travel.snap import Snaps
from routing.travel.times import REACH_M, Travel, warm_up

__all__ = ["REACH_M", "Leg", "Snaps", "Travel", "warm_up"]
