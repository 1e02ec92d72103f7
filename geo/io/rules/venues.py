"""Venue rules from TOML: kinds with thresholds, tiers, cadence, ramp, states."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

from geo.frames import Remedy, Tier, VenueSize
from geo.io.rules.read import Section, Wanted, read_rules, shipped_rules
from geo.venue.cadence import Cadence
from geo.venue.rules import (
    Clause,
    Exemption,
    Fact,
    FactType,
    GradeRule,
    KindClass,
    KindRule,
    LadderStep,
    VenueRules,
)

Word = TypeVar("Word", bound=StrEnum)


@cache
def shipped_venue_rules(version: str = "") -> VenueRules:
    """Return the venue rules that come with patrolgrid, the newest where no version is stated."""
    return venue_rules_of(shipped_rules("venues", version))


def read_venue_rules(path: Path | str) -> VenueRules:
    """Read a place's own venue rules.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    PersonKindRefused
    ValueInvalid
        Names the file, the table and the key.
    """
    return venue_rules_of(read_rules(path))


def venue_rules_of(file: Section) -> VenueRules:
    """Return the venue rules of an opened file."""
    version, states = file.text("version"), file.table("states")
    ramp = file.table("ramp")
    rules = VenueRules(
        version=version,
        valid_from=file.day("valid_from"),
        source=file.text("source", ""),
        facts=tuple(_fact(one) for one in file.tables("facts")),
        kinds=tuple(_kind(one) for one in file.tables("kinds")),
        grades=tuple(_grade(one) for one in file.tables("grades")),
        cadence=_cadence(file.table("cadence"), version),
        ramp_days=ramp.count("working_days"),
        escalation=_escalation(file.table("escalation")),
        not_found_limit=states.count("not_found_limit", 2),
        closure_review_months=states.count("closure_review_months", 6),
        longest_exemption_months=states.count("longest_exemption_months", 12),
        exemptions=tuple(_exemption(one) for one in file.tables("exemptions")),
    )
    for section in (file, states, ramp):
        section.end()
    return rules


def _fact(one: Section) -> Fact:
    fact = Fact(
        fact=one.text("fact"),
        type=_word(one, "type", FactType),
        zh=one.text("zh"),
        en=one.text("en"),
        headers=one.texts("headers"),
        is_required=one.flag("is_required", default=False),
    )
    one.end()
    return fact


def _kind(one: Section) -> KindRule:
    known = {member.value for member in KindClass}
    classes = one.texts("classes")
    if not classes or not set(classes) <= known:
        one.refuse("classes", Wanted.WORD)
    kind = KindRule(
        kind=one.text("kind"),
        zh=one.text("zh"),
        en=one.text("en"),
        classes=tuple(KindClass(word) for word in classes),
        words=one.texts("words"),
        key_at=one.table("key_at").numbers(),
        is_always_key=one.flag("is_always_key", default=False),
        needs=one.text("needs", ""),
        ladder=tuple(_step(step) for step in one.tables("ladder")),
        basis=one.text("basis", ""),
    )
    one.end()
    return kind


def _step(one: Section) -> LadderStep:
    step = LadderStep(
        step=one.text("step"),
        zh=one.text("zh"),
        en=one.text("en"),
        working_days=one.count("working_days"),
        basis=one.text("basis", ""),
    )
    one.end()
    return step


def _grade(one: Section) -> GradeRule:
    grade = GradeRule(
        rule=one.text("rule"),
        tier=_word(one, "tier", Tier),
        kinds=one.texts("kinds"),
        size=_word(one, "size", VenueSize) if "size" in one.members else None,
        when=tuple(_clause(clause) for clause in one.tables("when")),
        remedy=_word(one, "remedy", Remedy),
        zh=one.text("zh"),
        en=one.text("en"),
        zh_remedy=one.text("zh_remedy", ""),
        en_remedy=one.text("en_remedy", ""),
    )
    one.end()
    return grade


def _clause(one: Section) -> Clause:
    members = one.members
    clause = Clause(
        fact=one.text("fact"),
        at_least=one.number("at_least") if "at_least" in members else None,
        below=one.number("below") if "below" in members else None,
        is_true=one.flag("is") if "is" in members else None,
        within_months=one.count("within_months") if "within_months" in members else None,
    )
    one.end()
    return clause


def _exemption(one: Section) -> Exemption:
    exemption = Exemption(reason=one.text("reason"), zh=one.text("zh"), en=one.text("en"))
    one.end()
    return exemption


def _cadence(one: Section, version: str) -> Cadence:
    months = {tier: one.count(tier.value) for tier in Tier}
    one.end()
    return Cadence(version=version, months=months)


def _escalation(one: Section) -> dict[Tier, int]:
    found = {Tier.YELLOW: one.count("yellow")} if "yellow" in one.members else {}
    one.end()
    return found


def _word(one: Section, key: str, words: type[Word]) -> Word:
    """Return a word of a closed vocabulary."""
    word = one.text(key)
    if word not in {member.value for member in words}:
        one.refuse(key, Wanted.WORD)
    return words(word)
