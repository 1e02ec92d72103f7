"""Venues: one, the due ones, their visits, their tiers, and where they stand on the map."""

from api.store.venues.due import due_counts, due_venues_page, state_on
from api.store.venues.place import place_venue
from api.store.venues.row import Venue, venue
from api.store.venues.tier import TierSince, record_tiers, set_tier, tier_history
from api.store.venues.visit import Outcome, Visit, record_visit, visits_of

__all__ = [
    "Outcome",
    "TierSince",
    "Venue",
    "Visit",
    "due_counts",
    "due_venues_page",
    "place_venue",
    "record_tiers",
    "record_visit",
    "set_tier",
    "state_on",
    "tier_history",
    "venue",
    "visits_of",
]
