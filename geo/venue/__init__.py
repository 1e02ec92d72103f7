"""Venues: kinds and tiers by versioned rules, due days, states, and what the register lacks."""

from geo.venue.backlog import spread_backlog
from geo.venue.cadence import (
    CADENCE,
    Cadence,
    DueCounts,
    add_months,
    count_due,
    due_venues,
    next_due,
    tier_counts,
    working_day_before,
)
from geo.venue.gap import count_gaps, find_gaps
from geo.venue.rules import KindClass, KindRule, VenueRules
from geo.venue.state import register_queue, venue_states
from geo.venue.street import n_beside, roll_up_streets
from geo.venue.tier import Grading, after_remedies, grade_venues, sizes
from geo.venue.view import due_apart, next_step, visible_venues

__all__ = [
    "CADENCE",
    "Cadence",
    "DueCounts",
    "Grading",
    "KindClass",
    "KindRule",
    "VenueRules",
    "add_months",
    "after_remedies",
    "count_due",
    "count_gaps",
    "due_apart",
    "due_venues",
    "find_gaps",
    "grade_venues",
    "n_beside",
    "next_due",
    "next_step",
    "register_queue",
    "roll_up_streets",
    "sizes",
    "spread_backlog",
    "tier_counts",
    "venue_states",
    "visible_venues",
    "working_day_before",
]
