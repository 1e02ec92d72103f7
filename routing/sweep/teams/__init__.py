"""A sweep divided among teams: capacitated arc routing on the streets of one neighbourhood."""

from routing.sweep.plan import Cause, LeftOut, SweepPlan
from routing.sweep.teams.split import split_among_teams

__all__ = ["Cause", "LeftOut", "SweepPlan", "split_among_teams"]
