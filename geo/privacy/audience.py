"""Who may see what: one table audience x layer, and the suppression of small counts."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Audience(StrEnum):
    """For whom a product is made: 指挥, 班组, 协作单位, 公众."""

    COMMAND = "command"
    TEAM = "team"
    PARTNER = "partner"
    PUBLIC = "public"


class Visible(StrEnum):
    """What a map, card, export or API layer shows."""

    BOUNDARIES = "boundaries"
    CELLS = "cells"
    STREETS = "streets"
    WATER = "water"
    STATIONS = "stations"
    SERVICE_POINTS = "service_points"
    PARKING = "parking"
    REACHES = "reaches"
    NIGHT_ZONES = "night_zones"
    VENUES = "venues"
    VENUE_COUNTS = "venue_counts"
    DUE_INSPECTIONS = "due_inspections"
    INCIDENT_DENSITY = "incident_density"
    INCIDENT_COUNTS = "incident_counts"
    DEMAND = "demand"
    FUTURE_ROUTES = "future_routes"
    OWN_ROUTE = "own_route"
    ROTAS = "rotas"
    RESTRICTED_PLACES = "restricted_places"
    CAMERA_COUNTS = "camera_counts"
    FIGURES = "figures"
    ISOCHRONES = "isochrones"
    MISSED_PLACES = "missed_places"


_EVERYONE: Final = frozenset(
    {
        Visible.BOUNDARIES,
        Visible.CELLS,
        Visible.STREETS,
        Visible.WATER,
        Visible.STATIONS,
        Visible.SERVICE_POINTS,
        Visible.PARKING,
        Visible.REACHES,
        Visible.NIGHT_ZONES,
        Visible.VENUE_COUNTS,
        Visible.INCIDENT_COUNTS,
        Visible.FIGURES,
    }
)

AUDIENCE_LAYERS: Final[Mapping[Audience, frozenset[Visible]]] = {
    Audience.COMMAND: frozenset(Visible),
    Audience.TEAM: _EVERYONE | {Visible.VENUES, Visible.DUE_INSPECTIONS, Visible.OWN_ROUTE},
    Audience.PARTNER: _EVERYONE | {Visible.VENUES, Visible.DUE_INSPECTIONS},
    Audience.PUBLIC: _EVERYONE,
}
"""Future routes, rotas, restricted places, camera counts and where help comes late are for command
alone; a team sees its own night; incident points are in no layer at all, density is for command."""

MIN_COUNT: Final = 5
"""Counts below this are suppressed for partner and public."""


def allowed(audience: Audience, layer: Visible) -> bool:
    """Tell whether an audience may see a layer."""
    return layer in AUDIENCE_LAYERS[audience]


def suppress(count: int, audience: Audience) -> int | None:
    """Return the count, or None where the audience may not see one so small.

    Examples
    --------
    >>> suppress(4, Audience.PUBLIC), suppress(4, Audience.COMMAND), suppress(0, Audience.PUBLIC)
    (None, 4, 0)
    """
    is_small = 0 < count < MIN_COUNT
    return None if is_small and audience in {Audience.PARTNER, Audience.PUBLIC} else count
