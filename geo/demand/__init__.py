"""Demand: where and when residents will probably call, and which places that makes worth a stop."""

from geo.demand.density import density_areas
from geo.demand.estimate import Demand, DemandRules, estimate_demand
from geo.demand.places import PlaceRules, choose_places

__all__ = [
    "Demand",
    "DemandRules",
    "PlaceRules",
    "choose_places",
    "density_areas",
    "estimate_demand",
]
