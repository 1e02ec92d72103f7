"""Night patrol: pose the problem, plan it, and compile its kernels beforehand."""

from routing.patrol.night import plan_night, warm_up
from routing.patrol.pose import pose_night

__all__ = ["plan_night", "pose_night", "warm_up"]
