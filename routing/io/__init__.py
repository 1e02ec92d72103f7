"""Plans and schedules on disk: the only files `routing` reads and writes.

`plan.json` and `due.json` are contracts (`docs/plan-format.md`): JSON by a published schema, the
same bytes for the same plan, written whole or not at all, and complete enough to be judged again
from the file alone.
"""

from routing.io.judge import Judgement, check_file
from routing.io.plan_file import (
    PlanFile,
    check_plan_file,
    read_plan,
    read_plan_file,
    write_plan,
)
from routing.io.schedule_file import check_schedule_file, read_schedule, write_schedule

__all__ = [
    "Judgement",
    "PlanFile",
    "check_file",
    "check_plan_file",
    "check_schedule_file",
    "read_plan",
    "read_plan_file",
    "read_schedule",
    "write_plan",
    "write_schedule",
]
