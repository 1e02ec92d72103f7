"""The independent verifier: plain Python, no solver, no search.

`check_plan` judges a night and `check_legs` its legs against physics, `check_schedule` a month of
inspections; all return the broken rules by name. The verifier shares with the planners nothing
but the values of `routing.model`.
"""

from routing.check.legs import check_legs
from routing.check.plan import check_plan
from routing.check.schedule import check_schedule
from routing.check.violation import Rule, Violation

__all__ = ["Rule", "Violation", "check_legs", "check_plan", "check_schedule"]
