"""Layers beside streets: how far they cover the city, who answers for a river, what teams lack.

`coverage` counts units and homes that have a place, `reach` and `reach_check` give every metre of a
river or shore one owner at each level, `zone` proposes night-economy zones, `resource` compares
patrol teams with rules, `restricted` says who may see which layer.
"""

from geo.place.coverage import (
    ANY,
    N_PLACES,
    Coverage,
    cover_cells,
    cover_homes,
    cover_units,
    unknown_cells,
)
from geo.place.post import is_post, post_label
from geo.place.reach import Proposal, propose_reaches, reach_lines, water_assets
from geo.place.reach_check import ReachCheck, ReachFault, check_reaches
from geo.place.resource import ResourceReport, ResourceRule, ResourceRules, report_resources
from geo.place.restricted import SHOWN_AS, require_audience
from geo.place.unit import city_code, counted_units, deepest_units, units_at
from geo.place.zone import (
    NightRules,
    count_late_venues,
    density_by_hour,
    late_venues,
    open_by_hour,
    propose_zones,
)

__all__ = [
    "ANY",
    "N_PLACES",
    "SHOWN_AS",
    "Coverage",
    "NightRules",
    "Proposal",
    "ReachCheck",
    "ReachFault",
    "ResourceReport",
    "ResourceRule",
    "ResourceRules",
    "check_reaches",
    "city_code",
    "count_late_venues",
    "counted_units",
    "cover_cells",
    "cover_homes",
    "cover_units",
    "deepest_units",
    "density_by_hour",
    "is_post",
    "late_venues",
    "open_by_hour",
    "post_label",
    "propose_reaches",
    "propose_zones",
    "reach_lines",
    "report_resources",
    "require_audience",
    "units_at",
    "unknown_cells",
    "water_assets",
]
