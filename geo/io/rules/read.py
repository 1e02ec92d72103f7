"""Rules files: TOML opened safely, and its values taken out one by one, each checked.

A file ``<subject>-<version>.toml`` beside this module comes with patrolgrid; a user's own takes
its place. Every key must be known: a slip of the pen would otherwise switch a rule off in silence.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NoReturn

from geo.errors import FileUnreadable, OptionInvalid, RuleInvalid
from geo.io.hints import Hint
from geo.io.opening import check_file
from geo.privacy import key_shown, refuse_person_kinds, shown

LARGEST: Final = 1 << 20
"""Bytes of a rules file that is read: the longest that comes with patrolgrid has twelve
kilobytes."""

DEEPEST: Final = 8
"""Tables within tables, at most."""


class Wanted(StrEnum):
    """What a value of a rules file should have been; the catalogue has each under its `code`."""

    TEXT = "a text"
    NUMBER = "a number"
    COUNT = "a whole number, 0 or more"
    FLAG = "true or false"
    DAY = "a date such as 2024-01-01"
    TEXTS = "a list of texts"
    TABLE = "a table"
    TABLES = "a list of tables"
    KNOWN = "a key that these rules know"
    WORD = "one of the words that these rules know"
    SPEED = "a speed in km/h, above 0 and up to 150"
    SHARE = "a share of the night's speed, above 0 and up to 3"
    DELAY = "seconds, from 0 to 600"
    BIAS = "a number from 0.5 to 2"
    CLOCKS = "a list of clock times such as 07:00, each stated once"

    @property
    def code(self) -> str:
        """Message code of the phrase."""
        return f"rules.wanted.{self.name.lower()}"


_SLIP: Final = re.compile(r"\(at line (\d+), column (\d+)\)$")
"""How the reader of TOML ends its message; its English words are not repeated."""


@dataclass(frozen=True, slots=True)
class Said:
    """Part of a message about a rules file: English here, either language through its `code`.

    Attributes
    ----------
    code : str
        Message code.
    english : str
        What the code says in English, with its fields.
    params : mapping
    """

    code: str
    english: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.english.format(**self.params)


MISSING: Final = Said("rules.missing", "missing")
"""A key that must be there and is not."""

UNKNOWN: Final = Said("rules.unknown", "no such key")
"""A key that nobody asked for."""

TOP: Final = Said("rules.where.top", "at the top of the file")
"""Outside every list."""


def _not_allowed(value: str) -> Said:
    return Said("rules.not_allowed", "{value} is not allowed", {"value": value})


def _as_written(value: object) -> str:
    """Return a value as a message shows it: true, false and the quotes of a text as TOML has them.

    Without its quotes "15" would look like the number that was wanted (issue 6).
    """
    if isinstance(value, bool):
        return str(value).lower()
    word = shown(str(value))
    return f'"{word}"' if isinstance(value, str) and word == value else word


@dataclass(slots=True)
class Section:
    """One table of a rules file; every value is asked for once and checked.

    Attributes
    ----------
    members : mapping
    source : str
        File name.
    row : int or str
        Number of the table in its list, counted from 1.
    where : str
        Name of the list or table; "" at the top of the file.
    """

    members: Mapping[str, Any]
    source: str
    row: int | str = "–"
    where: str = ""
    _taken: set[str] = field(default_factory=set)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; the default where the key is absent and there is one."""
        value = self._take(key, default)
        return value if isinstance(value, str) else self.refuse(key, Wanted.TEXT)

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, Wanted.NUMBER)
        return float(value)

    def count(self, key: str, default: int | None = None) -> int:
        """Return a whole number, 0 or more."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.refuse(key, Wanted.COUNT)
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        return value if isinstance(value, bool) else self.refuse(key, Wanted.FLAG)

    def day(self, key: str) -> date:
        """Return a day."""
        value = self._take(key, None)
        if not isinstance(value, date) or isinstance(value, datetime):
            self.refuse(key, Wanted.DAY)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; none where the key is absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.refuse(key, Wanted.TEXTS)
        return tuple(value)

    def table(self, key: str) -> "Section":
        """Return a table within this one; an empty one where the key is absent."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.refuse(key, Wanted.TABLE)
        return Section(value, self.source, self.row, self._within(key))

    def tables(self, key: str) -> "Iterator[Section]":
        """Yield the tables of a list; none where the key is absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.refuse(key, Wanted.TABLES)
        within = self._within(key, row=self.row)
        return (Section(one, self.source, row, within) for row, one in enumerate(value, start=1))

    def numbers(self) -> dict[str, float]:
        """Return every member of a table of numbers."""
        return {key: self.number(key) for key in self.members}

    def end(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self.members:
            if key not in self._taken:
                self._raise(key, Wanted.KNOWN, UNKNOWN)

    def refuse(self, key: str, expected: Wanted) -> NoReturn:
        """Refuse the value of a key.

        Raises
        ------
        RuleInvalid
            Names the file, the list, the table and the key.
        """
        there = key in self.members
        fault = _not_allowed(_as_written(self.members[key])) if there else self._missing(key)
        self._raise(key, expected, fault)

    def _raise(self, key: str, expected: Wanted, fault: Said) -> NoReturn:
        raise RuleInvalid(
            source=self.source,
            where=self._place(),
            row=self.row,
            column=key_shown(key),
            value=shown(str(self.members.get(key, "–"))),
            fault=fault,
            expected=expected,
        )

    def _missing(self, key: str) -> Said:
        """Return that a key is missing, with the one of the table that may be it misspelt."""
        left = [one for one in self.members if one not in self._taken]
        near = get_close_matches(key, left, n=1)
        if not near:
            return MISSING
        return Said("rules.missing.near", "missing; is it {near}?", {"near": key_shown(near[0])})

    def _place(self) -> Said:
        """Return where this table is."""
        if not self.where:
            return TOP
        params = {"name": self.where, "row": self.row}
        if self.row == "–":
            return Said("rules.where.table", "table {name}", params)
        return Said("rules.where.list", "list {name}, no. {row}", params)

    def _within(self, key: str, *, row: int | str = "–") -> str:
        """Return the name of a table or list within this one."""
        name = key_shown(key)
        above = f"{self.where}[{row}]" if row != "–" else self.where
        return f"{above}.{name}" if above else name

    def _take(self, key: str, default: object) -> Any:  # what TOML gives: checked by the caller
        self._taken.add(key)
        return self.members.get(key, default)


def read_rules(path: Path | str) -> Section:
    """Open a user's rules file.

    Raises
    ------
    FileMissing, FileBlank, FileUnreadable
    PersonKindRefused
        A word of it is about persons.
    """
    path = Path(path)
    members = open_toml(path)
    refuse_person_kinds(_texts(members, path.name), source=path.name)
    return Section(members, path.name)


def open_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises
    ------
    FileMissing, FileBlank
    FileUnreadable
        Too large, not UTF-8, or not TOML: says where it stops being that.
    """
    check_file(path)
    if path.stat().st_size > LARGEST:
        raise FileUnreadable(source=path.name, expected="TOML", hint=Hint.DAMAGED)
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows writes a mark that TOML has not
    except UnicodeDecodeError as error:  # TOML is UTF-8 (v1.0.0); older Windows writes GBK
        raise FileUnreadable(source=path.name, expected="TOML", hint=Hint.TEXT_UTF8) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = _slip(str(error), text)
        raise FileUnreadable(source=path.name, expected="TOML", hint=hint) from error
    except (ValueError, RecursionError) as error:  # a date that no calendar has, nested too deep
        raise FileUnreadable(source=path.name, expected="TOML", hint=Hint.DAMAGED) from error


def _slip(message: str, text: str) -> Said:
    """Return where a file stops being TOML: the line and column, or its end."""
    found = _SLIP.search(message)
    last = len(text.splitlines())
    line, column = (int(found[1]), int(found[2])) if found else (last, "–")
    english = "Look at line {line}, column {column}: a quote, bracket or = may be missing there."
    return Said("rules.slip", english, {"line": line, "column": column})


def shipped_rules(subject: str, version: str = "") -> Section:
    """Open rules that come with patrolgrid.

    Parameters
    ----------
    subject : str
        First part of the file's name, such as ``venues``.
    version : str
        The newest where none is stated.

    Raises
    ------
    OptionInvalid
        No such version.
    """
    known = {
        entry.name.removeprefix(f"{subject}-").removesuffix(".toml"): entry
        for entry in files("geo.io.rules").iterdir()
        if entry.name.startswith(f"{subject}-") and entry.name.endswith(".toml")
    }
    chosen = version or max(known, key=_version_key)
    if chosen not in known:
        in_order = ", ".join(sorted(known, key=_version_key))
        raise OptionInvalid(option=f"rules {subject}", value=version, expected=in_order)
    entry = known[chosen]
    return Section(tomllib.loads(entry.read_text(encoding="utf-8")), entry.name)


def _version_key(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, so that 2024-10 comes after 2024-9."""
    return tuple(int(part) for part in version.split("-") if part.isdigit())


def _texts(value: object, source: str, depth: int = 0) -> Iterator[str]:
    """Yield every text and key of a file.

    Raises
    ------
    FileUnreadable
        Tables lie within tables deeper than rules do.
    """
    if depth > DEEPEST:
        raise FileUnreadable(source=source, expected="TOML", hint=Hint.NESTED_TOO_DEEP)
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _texts(member, source, depth + 1)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, source, depth + 1)
