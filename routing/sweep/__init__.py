"""Sweeping streets: every asked street once a night in closed tours (拉门行动, 河湖, 示范街).

`routing.sweep.cover.cover_streets` finds one tour, `routing.sweep.teams` splits it among teams.
"""

from routing.sweep.model import Covering, SweepEngine, SweepProblem, Tour, sweep_problem

__all__ = ["Covering", "SweepEngine", "SweepProblem", "Tour", "sweep_problem"]
