"""Incident reports: place, hour and channel; never who called or whom it was about."""

from geo.incident.count import count_reports
from geo.incident.kind import HomeKind, IncidentRules, LeftOut, leave_out_homes
from geo.incident.report import (
    HOURS_PER_DAY,
    Residents,
    days_before,
    hour_bins,
    hours_of,
    resident_reports,
    shift_hours,
)
from geo.incident.roll import FEWEST_ADDRESSES, StreetGroups, count_addresses, roll_up_segments
from geo.incident.snap import SNAP_REACH, Snapped, on_segments, snap_to_segments

__all__ = [
    "FEWEST_ADDRESSES",
    "HOURS_PER_DAY",
    "SNAP_REACH",
    "HomeKind",
    "IncidentRules",
    "LeftOut",
    "Residents",
    "Snapped",
    "StreetGroups",
    "count_addresses",
    "count_reports",
    "days_before",
    "hour_bins",
    "hours_of",
    "leave_out_homes",
    "on_segments",
    "resident_reports",
    "roll_up_segments",
    "shift_hours",
    "snap_to_segments",
]
