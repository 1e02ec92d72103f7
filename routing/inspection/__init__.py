"""Inspections: a month's due venues, to stations, days and rounds."""

from routing.inspection.plan import DAY_LENGTH, plan_inspections
from routing.inspection.rounds import warm_up
from routing.inspection.territory import Legs

__all__ = ["DAY_LENGTH", "Legs", "plan_inspections", "warm_up"]
