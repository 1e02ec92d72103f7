"""Demand: where and when residents will probably call, and which places that makes worth a stop.

`estimate` expects reports by street segment and hour, `places` chooses stops, `hotspot` ranks
squares or segments by several methods that `accuracy` judges on weeks they have not seen, and
`inputs` refuses what tells who lives at a place.
"""

from geo.demand.density import density_areas
from geo.demand.estimate import Demand, DemandRules, estimate_demand
from geo.demand.inputs import refuse_social
from geo.demand.places import PlaceRules, choose_places

__all__ = [
    "Demand",
    "DemandRules",
    "PlaceRules",
    "choose_places",
    "density_areas",
    "estimate_demand",
    "refuse_social",
]
