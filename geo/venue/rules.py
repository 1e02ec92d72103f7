"""The rules of a venue register as values: kinds, thresholds, tiers, cadence, states.

All of it is data with a version (`geo.io.rules` reads it), because definitions differ by place. A
rules value is checked when it is made, so that what follows can trust it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NoReturn

from geo.errors import ValueInvalid
from geo.frames import VENUE_LEDGER, Remedy, Tier, VenueKind, VenueSize
from geo.privacy import refuse_person_kinds
from geo.venue.cadence import Cadence

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Names of kinds, facts and rules: they become columns and ids."""


class KindClass(StrEnum):
    """九小场所, 行业场所 (registered businesses of a regulated trade), 限制公开 (command only)."""

    NINE = "nine"
    TRADE = "trade"
    RESTRICTED = "restricted"


class FactType(StrEnum):
    """What a fact is: a number, yes or no, a day."""

    NUMBER = "number"
    FLAG = "flag"
    DAY = "day"


class Wanted(StrEnum):
    """What a rule should have been; the catalogue has each under its `code`."""

    NAME = "a short name of small letters, digits and _"
    ONCE = "a name used once"
    NINE = "all nine small kinds, each with a threshold"
    POSITIVE = "a number above 0"
    FACT = "a fact that these rules declare, of the fitting type"
    KIND = "a kind that these rules declare"
    TEST = "exactly one of at_least, below, is, within_months"
    CONDITION = "kinds, a size or a condition"
    LADDER = "a ladder of at least two steps"
    VERSION = "a version"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"venue.wanted.{self.name.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something a register may know of a venue.

    Attributes
    ----------
    fact : str
        Its column.
    type : FactType
    zh, en : str
    headers : tuple of str
        What files call it.
    is_required : bool
        While it is unknown the venue keeps the tier of its register.
    """

    fact: str
    type: FactType
    zh: str
    en: str
    headers: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One outcome of inspecting a restricted place; unmet within its days it leads to the next."""

    step: str
    zh: str
    en: str
    working_days: int
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """A kind of venue.

    Attributes
    ----------
    kind : str
        One of `VenueKind`, or a kind of one's own.
    zh, en : str
    classes : tuple of KindClass
    words : tuple of str
        What files and maps call it; Chinese anywhere in a cell, English as whole words.
    key_at : mapping of str to float
        A fact and the number at which the venue is a key unit; any one is enough.
    is_always_key : bool
    needs : str
        A flag without which the place is no venue ("" for none): lodging that is no registered
        business is a dwelling.
    ladder : tuple of LadderStep
    basis : str
        Where the definition comes from.
    """

    kind: str
    zh: str
    en: str
    classes: tuple[KindClass, ...]
    words: tuple[str, ...] = ()
    key_at: Mapping[str, float] = field(default_factory=dict)
    is_always_key: bool = False
    needs: str = ""
    ladder: tuple[LadderStep, ...] = ()
    basis: str = ""

    @property
    def is_restricted(self) -> bool:
        """Whether only command may see venues of the kind."""
        return KindClass.RESTRICTED in self.classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One test of a fact; exactly one of the four is set.

    Attributes
    ----------
    fact : str
    at_least, below : float, optional
    is_true : bool, optional
    within_months : int, optional
        The day of the fact lies fewer calendar months back.
    """

    fact: str
    at_least: float | None = None
    below: float | None = None
    is_true: bool | None = None
    within_months: int | None = None

    @property
    def type(self) -> FactType | None:
        """The type of fact it tests; None when not exactly one test is set."""
        by_type = {
            FactType.NUMBER: (self.at_least, self.below),
            FactType.FLAG: (self.is_true,),
            FactType.DAY: (self.within_months,),
        }
        found = [kind for kind, tests in by_type.items() for test in tests if test is not None]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRule:
    """A reason for a tier.

    Attributes
    ----------
    rule : str
    tier : Tier
        Red or yellow; a venue without a reason is green.
    kinds : tuple of str
        Kinds it is about; all where empty.
    size : VenueSize, optional
    when : tuple of Clause
        All must hold.
    remedy : Remedy
    zh, en : str
        The reason; ``{value}`` stands for the value of the first clause's fact.
    zh_remedy, en_remedy : str
        What clears it.
    """

    rule: str
    tier: Tier
    kinds: tuple[str, ...] = ()
    size: VenueSize | None = None
    when: tuple[Clause, ...] = ()
    remedy: Remedy
    zh: str
    en: str
    zh_remedy: str = ""
    en_remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A reason for which a venue needs no inspection for a time."""

    reason: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRules:
    """All rules of one version.

    Attributes
    ----------
    version : str
        Printed with everything made by them.
    valid_from : date
    facts, kinds, grades, exemptions : tuple
    cadence : Cadence
    ramp_days : int
        Working days over which venues never inspected are spread.
    escalation : mapping of Tier to int
        So many yellow reasons make a red venue.
    not_found_limit : int
        Visits in a row without finding it that put a venue into the register's queue.
    closure_review_months, longest_exemption_months : int
    source : str

    Raises
    ------
    ValueInvalid
        Names the list, the row and the key.
    PersonKindRefused
        A kind is about persons or is a dwelling.
    """

    version: str
    valid_from: date
    facts: tuple[Fact, ...]
    kinds: tuple[KindRule, ...]
    grades: tuple[GradeRule, ...]
    cadence: Cadence
    ramp_days: int
    escalation: Mapping[Tier, int] = field(default_factory=dict)
    not_found_limit: int = 2
    closure_review_months: int = 6
    longest_exemption_months: int = 12
    exemptions: tuple[Exemption, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if not self.version:
            self.refuse("version", "–", "version", self.version, Wanted.VERSION)
        self._check_names()
        self._check_kinds()
        for row, grade in enumerate(self.grades, start=1):
            self._check_grade(row, grade)
        numbers = {
            "ramp": self.ramp_days,
            "not_found_limit": self.not_found_limit,
            "closure_review_months": self.closure_review_months,
            "longest_exemption_months": self.longest_exemption_months,
            **{f"escalation.{tier}": n for tier, n in self.escalation.items()},
        }
        for name, number in numbers.items():
            if number < 1:
                self.refuse("states", "–", name, number, Wanted.POSITIVE)

    def kind(self, kind: str) -> KindRule | None:
        """Return the rule of a kind; None for one unknown."""
        return next((one for one in self.kinds if one.kind == kind), None)

    def fact(self, fact: str) -> Fact | None:
        """Return a fact; None for one unknown."""
        return next((one for one in self.facts if one.fact == fact), None)

    def grade(self, rule: str) -> GradeRule | None:
        """Return a rule; None for one unknown."""
        return next((one for one in self.grades if one.rule == rule), None)

    def refuse(
        self, part: str, row: int | str, column: str, value: object, expected: Wanted
    ) -> NoReturn:
        """Refuse a value of these rules.

        Raises
        ------
        ValueInvalid
        """
        source = f"rules {self.version}, {part}"
        raise ValueInvalid(source=source, row=row, column=column, value=value, expected=expected)

    def _lists(self) -> Iterator[tuple[str, str, list[str]]]:
        yield "facts", "fact", [one.fact for one in self.facts]
        yield "kinds", "kind", [one.kind for one in self.kinds]
        yield "grades", "rule", [one.rule for one in self.grades]
        yield "exemptions", "reason", [one.reason for one in self.exemptions]
        for kind in self.kinds:
            yield f"kinds {kind.kind}", "step", [one.step for one in kind.ladder]

    def _check_names(self) -> None:
        taken = set(VENUE_LEDGER.columns)
        for part, column, names in self._lists():
            for row, name in enumerate(names, start=1):
                if not _NAME.fullmatch(name):
                    self.refuse(part, row, column, name, Wanted.NAME)
                if names.index(name) < row - 1 or (part == "facts" and name in taken):
                    self.refuse(part, row, column, name, Wanted.ONCE)

    def _check_kinds(self) -> None:
        nine = {kind.value for kind in VenueKind}
        small = {one.kind for one in self.kinds if KindClass.NINE in one.classes and one.key_at}
        if small != nine:
            odd = ", ".join(sorted(nine ^ small))
            self.refuse("kinds", "–", "classes", odd, Wanted.NINE)
        words = [word for one in self.kinds for word in (one.kind, one.zh, one.en, *one.words)]
        refuse_person_kinds(words, source=f"rules {self.version}", allow_dwellings=False)
        for row, one in enumerate(self.kinds, start=1):
            for fact, limit in one.key_at.items():
                self._need_fact("kinds", row, fact, FactType.NUMBER)
                if limit <= 0:
                    self.refuse("kinds", row, fact, limit, Wanted.POSITIVE)
            if one.needs:
                self._need_fact("kinds", row, one.needs, FactType.FLAG)
            if one.is_restricted and len(one.ladder) < 2:
                self.refuse("kinds", row, "ladder", len(one.ladder), Wanted.LADDER)

    def _check_grade(self, row: int, grade: GradeRule) -> None:
        known = {one.kind for one in self.kinds}
        if not (grade.kinds or grade.size or grade.when) or grade.tier is Tier.GREEN:
            self.refuse("grades", row, "when", "–", Wanted.CONDITION)
        for kind in grade.kinds:
            if kind not in known:
                self.refuse("grades", row, "kinds", kind, Wanted.KIND)
        for clause in grade.when:
            if clause.type is None:
                self.refuse("grades", row, "when", clause.fact, Wanted.TEST)
            self._need_fact("grades", row, clause.fact, clause.type)
        if grade.remedy is Remedy.WAIT and not _ends(grade):
            self.refuse("grades", row, "remedy", grade.remedy, Wanted.TEST)

    def _need_fact(self, part: str, row: int, fact: str, wanted: FactType) -> None:
        found = self.fact(fact)
        if found is None or found.type is not wanted:
            self.refuse(part, row, "fact", fact, Wanted.FACT)


def _ends(grade: GradeRule) -> bool:
    """Whether a rule stops holding by itself one day."""
    return any(clause.within_months is not None for clause in grade.when)
