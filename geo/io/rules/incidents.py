"""Rules of incident reports from TOML: the kinds that point at homes."""

from functools import cache
from pathlib import Path

from geo.incident.kind import HomeKind, IncidentRules
from geo.io.rules.read import Section, read_rules, shipped_rules


@cache
def shipped_incident_rules(version: str = "") -> IncidentRules:
    """Return the rules that come with patrolgrid, the newest where no version is stated."""
    return incident_rules_of(shipped_rules("incidents", version))


def read_incident_rules(path: Path | str) -> IncidentRules:
    """Read a place's own rules.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    PersonKindRefused
    ValueInvalid
        Names the file, the table and the key.
    """
    return incident_rules_of(read_rules(path))


def incident_rules_of(file: Section) -> IncidentRules:
    """Return the rules of an opened file."""
    rules = IncidentRules(
        version=file.text("version"),
        valid_from=file.day("valid_from"),
        source=file.text("source", ""),
        homes=tuple(_home(one) for one in file.tables("homes")),
    )
    file.end()
    return rules


def _home(one: Section) -> HomeKind:
    home = HomeKind(
        kind=one.text("kind"), zh=one.text("zh"), en=one.text("en"), words=one.texts("words")
    )
    one.end()
    return home
