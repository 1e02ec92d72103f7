"""Rules as files: versioned TOML that comes with patrolgrid, and a place's own."""

from geo.io.rules.incidents import read_incident_rules, shipped_incident_rules
from geo.io.rules.read import Section, Wanted, open_toml, read_rules, shipped_rules
from geo.io.rules.tasks import read_task_rules, shipped_task_rules, task_rules_of
from geo.io.rules.venues import read_venue_rules, shipped_venue_rules, venue_rules_of

__all__ = [
    "Section",
    "Wanted",
    "open_toml",
    "read_incident_rules",
    "read_rules",
    "read_task_rules",
    "read_venue_rules",
    "shipped_incident_rules",
    "shipped_rules",
    "shipped_task_rules",
    "shipped_venue_rules",
    "task_rules_of",
    "venue_rules_of",
]
