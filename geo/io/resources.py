"""Rules for patrol resources and night zones from TOML."""

from functools import cache
from pathlib import Path
from typing import Final

from geo.frames import Force, Level
from geo.io.rules import Section, Wanted, read_rules, shipped_rules
from geo.place.clock import is_clock
from geo.place.resource import ResourceRule, ResourceRules
from geo.place.zone import NightRules

_LEVELS: Final = frozenset({Level.CITY, Level.COUNTY, Level.TOWNSHIP})


@cache
def shipped_resource_rules(version: str = "") -> ResourceRules:
    """Return the rules that come with patrolgrid, the newest where no version is stated."""
    return resource_rules_of(shipped_rules("resources", version))


def read_resource_rules(path: Path | str) -> ResourceRules:
    """Read a place's own rules for patrol resources.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    PersonKindRefused
    ValueInvalid, OptionInvalid
        Names the file, the table and the key.
    """
    return resource_rules_of(read_rules(path))


def resource_rules_of(file: Section) -> ResourceRules:
    """Return the rules of an opened file."""
    file.text("source", "")
    rules = ResourceRules(
        version=file.text("version"), rules=tuple(_rule(one) for one in file.tables("rules"))
    )
    if not rules.rules:
        file.refuse("rules", Wanted.TABLES)
    file.end()
    return rules


def _rule(one: Section) -> ResourceRule:
    forces = one.texts("forces") or tuple(force.value for force in Force)
    if not set(forces) <= {force.value for force in Force}:
        one.refuse("forces", Wanted.WORD)
    level = one.text("level")
    if level not in {known.value for known in _LEVELS}:
        one.refuse("level", Wanted.WORD)
    rule = ResourceRule(
        code=one.text("code"),
        level=Level(level),
        n_teams=one.count("n_teams", 0),
        headcount=one.count("headcount", 0),
        forces=frozenset(map(Force, forces)),
        window=_window(one, "window"),
        counts_below=one.flag("counts_below", False),
    )
    one.end()
    return rule


@cache
def shipped_night_rules(version: str = "") -> NightRules:
    """Return the night rules that come with patrolgrid, the newest where no version is stated."""
    return night_rules_of(shipped_rules("night", version))


def read_night_rules(path: Path | str) -> NightRules:
    """Read a place's own opening hours and densities; raises as `read_resource_rules` does."""
    return night_rules_of(read_rules(path))


def night_rules_of(file: Section) -> NightRules:
    """Return the night rules of an opened file."""
    file.text("source", "")
    table = file.table("hours")
    hours = {kind: _window(table, kind) for kind in table.members}
    clocks = {key: _clock(file, key) for key in ("dusk", "late", "dawn")}
    rules = NightRules(
        version=file.text("version"),
        hours={kind: window for kind, window in hours.items() if window is not None},
        radius=file.number("radius_m"),
        n_open=file.count("n_open"),
        **clocks,
    )
    file.end()
    return rules


def _clock(section: Section, key: str) -> str:
    clock = section.text(key)
    return clock if is_clock(clock) else section.refuse(key, Wanted.WORD)


def _window(section: Section, key: str) -> tuple[str, str] | None:
    """Return two clock times; None where the key is absent."""
    clocks = section.texts(key)
    if not clocks:
        return None
    if len(clocks) != 2 or not all(map(is_clock, clocks)):
        section.refuse(key, Wanted.WORD)
    return clocks[0], clocks[1]
