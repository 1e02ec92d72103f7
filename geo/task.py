"""Task types: what teams may be sent to do, how long it takes, and at which kinds of place.

They are data with a version (`geo.io.rules`). Whatever is no task type of the rules, or asked for
at a place it is not meant for, is refused: a task is about a place, never about a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from geo.errors import ValueInvalid
from geo.frames import TASKS, Col, require
from geo.privacy import refuse_person_kinds, shown

LONGEST: Final = 12 * 60
"""Minutes of a task at most: a shift is shorter."""


class Wanted(StrEnum):
    """What a task or a task type should have been; the catalogue has each under its `code`."""

    TYPE = "a task type of the rules"
    PLACE = "a kind of place that this task type allows"
    MINUTES = "1 to 720 minutes"
    ONCE = "a task type stated once"
    PLACES = "kinds of place that the rules list"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"task.wanted.{self.name.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """Something teams are sent to do.

    Attributes
    ----------
    kind : str
    zh, en : str
    minutes : int
        On the spot, where a task states none.
    place_kinds : tuple of str
        Kinds of place it is meant for.
    """

    kind: str
    zh: str
    en: str
    minutes: int
    place_kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """The task types of one version.

    Raises
    ------
    ValueInvalid
        Names the row and the column.
    PersonKindRefused
        A type or a kind of place is about persons or is a dwelling.
    """

    version: str
    valid_from: date
    place_kinds: tuple[str, ...]
    types: tuple[TaskType, ...]
    source: str = ""

    def __post_init__(self) -> None:
        name = f"rules {self.version}, tasks"
        words = [word for one in self.types for word in (one.kind, one.zh, one.en)]
        refuse_person_kinds([*words, *self.place_kinds], source=name, allow_dwellings=False)
        kinds = [one.kind for one in self.types]
        for row, one in enumerate(self.types, start=1):
            allowed = set(one.place_kinds) <= set(self.place_kinds)
            faults = (
                ("kind", one.kind, Wanted.ONCE, kinds.index(one.kind) < row - 1),
                ("minutes", one.minutes, Wanted.MINUTES, not 0 < one.minutes <= LONGEST),
                ("place_kinds", ", ".join(one.place_kinds), Wanted.PLACES, not allowed),
                ("place_kinds", "–", Wanted.PLACES, not one.place_kinds),
            )
            for column, value, expected, is_wrong in faults:
                if is_wrong:
                    raise ValueInvalid(
                        source=name, row=row, column=column, value=value, expected=expected
                    )

    def type(self, kind: str) -> TaskType | None:
        """Return a task type; None for one unknown."""
        return next((one for one in self.types if one.kind == kind), None)


def make_tasks(
    rules: TaskRules,
    *,
    kinds: Sequence[str],
    place_ids: Sequence[str],
    place_kinds: Sequence[str],
    minutes: Sequence[int] | None = None,
    source: str = "tasks",
) -> pd.DataFrame:
    """Return tasks as a frame, each with its minutes.

    Parameters
    ----------
    rules : TaskRules
    kinds, place_ids, place_kinds : sequence of str
        One of each per task.
    minutes : sequence of int, optional
        0 stands for the default of the type.
    source : str

    Returns
    -------
    DataFrame
        TASKS frame.

    Raises
    ------
    ValueInvalid, PersonKindRefused
        The first task that the rules do not know or do not allow there.
    """
    stated = [0] * len(kinds) if minutes is None else list(minutes)
    default = {one.kind: one.minutes for one in rules.types}
    spent = [default.get(kind, 0) if n == 0 else n for kind, n in zip(kinds, stated, strict=True)]
    numbers = pd.Series(np.arange(1, len(kinds) + 1)).astype("str").str.zfill(6)
    frame = pd.DataFrame(
        {
            Col.TASK_ID: ("t" + numbers).astype("str"),
            Col.KIND: pd.Series(list(kinds), dtype="str"),
            Col.PLACE_ID: pd.Series(list(place_ids), dtype="str"),
            Col.PLACE_KIND: pd.Series(list(place_kinds), dtype="str"),
            Col.MINUTES: pd.Series(spent, dtype="int64"),
            Col.SOURCE: pd.Series([source] * len(kinds), dtype="str"),
        }
    )
    require_tasks(frame, rules, source=source)
    return frame


def require_tasks(tasks: pd.DataFrame, rules: TaskRules, *, source: str) -> None:
    """Check tasks against the rules.

    Parameters
    ----------
    tasks : DataFrame
        TASKS frame.
    source : str
        What the user calls it.

    Raises
    ------
    ValueInvalid
        An unknown type, a place it is not meant for, or minutes out of bounds: the first row.
    PersonKindRefused
        A type or a kind of place about persons, or a dwelling.
    """
    require(tasks, TASKS, source=source, allow_empty=True)
    for column in (Col.KIND, Col.PLACE_KIND):
        refuse_person_kinds(tasks[column], source=source, allow_dwellings=False)
    allowed = {(one.kind, place) for one in rules.types for place in one.place_kinds}
    pairs = zip(tasks[Col.KIND], tasks[Col.PLACE_KIND], strict=True)
    fits = np.array([pair in allowed for pair in pairs], dtype=bool)
    known = tasks[Col.KIND].isin([one.kind for one in rules.types]).to_numpy()
    timely = tasks[Col.MINUTES].between(1, LONGEST).to_numpy()
    _refuse(tasks, ~known, Col.KIND, Wanted.TYPE, source)
    _refuse(tasks, ~fits, Col.PLACE_KIND, Wanted.PLACE, source)
    _refuse(tasks, ~timely, Col.MINUTES, Wanted.MINUTES, source)


def _refuse(
    tasks: pd.DataFrame, wrong: np.ndarray, column: str, expected: Wanted, source: str
) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueInvalid(
            source=source,
            row=row + 1,
            column=column,
            value=shown(str(tasks[column].iloc[row])),
            expected=expected,
        )
