"""Task types from TOML."""

from functools import cache
from pathlib import Path

from geo.io.rules.read import Section, read_rules, shipped_rules
from geo.task import TaskRules, TaskType


@cache
def shipped_task_rules(version: str = "") -> TaskRules:
    """Return the task types that come with patrolgrid, the newest where no version is stated."""
    return task_rules_of(shipped_rules("tasks", version))


def read_task_rules(path: Path | str) -> TaskRules:
    """Read a place's own task types.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    PersonKindRefused
    ValueInvalid
        Names the file, the table and the key.
    """
    return task_rules_of(read_rules(path))


def task_rules_of(file: Section) -> TaskRules:
    """Return the task types of an opened file."""
    rules = TaskRules(
        version=file.text("version"),
        valid_from=file.day("valid_from"),
        source=file.text("source", ""),
        place_kinds=file.texts("place_kinds"),
        types=tuple(_type(one) for one in file.tables("tasks")),
    )
    file.end()
    return rules


def _type(one: Section) -> TaskType:
    task = TaskType(
        kind=one.text("kind"),
        zh=one.text("zh"),
        en=one.text("en"),
        minutes=one.count("minutes"),
        place_kinds=one.texts("place_kinds"),
    )
    one.end()
    return task
