"""One travel profile out of a TOML file or a network file, every figure checked where it stands."""

import tomllib
from collections.abc import Mapping
from datetime import time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from geo.frames import StreetClass
from geo.io.rules import Section, Wanted, read_rules
from routing.model import Mode
from routing.network import BANDS, MODES, Profile, TimeBand, Turn
from routing.network.profile import (
    FASTEST,
    LARGEST_BIAS,
    LARGEST_SHARE,
    LONGEST_WAIT,
    SMALLEST_BIAS,
)


@cache
def shipped_profile() -> Profile:
    """Return the newest profile that comes with patrolgrid."""
    folder = files(__package__)
    newest = max(e.name for e in folder.iterdir() if e.name.endswith(".toml"))
    text = folder.joinpath(newest).read_text(encoding="utf-8")
    return profile_of(Section(tomllib.loads(text), newest))


def read_profile(path: Path | str) -> Profile:
    """Read a place's own profile.

    Raises
    ------
    FileMissing, FileEmpty, FileUnreadable
    PersonKindRefused
        A word of it is about persons.
    RuleInvalid
        Names the file, the table and the key.
    """
    return profile_of(read_rules(path))


def profile_of(file: Section) -> Profile:
    """Return the profile of an opened file."""
    version = file.text("version")
    if not version.strip():
        file.refuse("version", Wanted.TEXT)
    file.text("source", "")
    modes = {mode: file.table(mode.value) for mode in MODES}
    for mode, table in modes.items():
        if not table.members:
            file.refuse(mode.value, Wanted.TABLE)
    profile = Profile(
        version=version,
        speed={mode: _speeds(table.table("speed")) for mode, table in modes.items()},
        junction_delay={mode: _seconds(table, "junction_delay") for mode, table in modes.items()},
        one_way_free=frozenset(m for m, table in modes.items() if not table.flag("one_ways")),
        limited=frozenset(m for m, table in modes.items() if table.flag("limits")),
        band_factor=_shares(modes),
        bands=_bands(file.table("bands")),
        turn={mode: _turn(table.table("turn")) for mode, table in modes.items()},
        corridor=_corridor(file.table("corridor")),
    )
    for table in (*modes.values(), file):
        table.end()
    return profile


def profile_document(profile: Profile) -> dict[str, Any]:
    """Return a profile as the members of its file; `profile_of` gives an equal one back."""
    begins: dict[str, list[str]] = {}
    for begin, band in profile.bands:
        begins.setdefault(band.value, []).append(f"{begin:%H:%M}")
    return {
        "version": profile.version,
        "bands": begins,
        "corridor": dict(profile.corridor),
        **{mode.value: _mode_document(profile, mode) for mode in MODES},
    }


def _mode_document(profile: Profile, mode: Mode) -> dict[str, Any]:
    turn = profile.turn[mode]
    shares = {
        band.value: _by_class(of_modes[mode])
        for band, of_modes in profile.band_factor.items()
        if of_modes.get(mode)
    }
    return {
        "one_ways": mode not in profile.one_way_free,
        "limits": mode in profile.limited,
        "junction_delay": profile.junction_delay[mode],
        "turn": {key: getattr(turn, key) for key in ("wait", "penalty", "bias", "u_turn")},
        "speed": _by_class(profile.speed[mode]),
        "share": shares,
    }


def _by_class(values: Mapping[StreetClass, float]) -> dict[str, float]:
    return {kind.value: value for kind, value in values.items()}


def _speeds(table: Section) -> dict[StreetClass, float]:
    """Return the km/h of each class named; at least one is."""
    speeds = {
        kind: _within(table, kind.value, 0.0, FASTEST, Wanted.SPEED)
        for kind in StreetClass
        if kind.value in table.members
    }
    table.end()
    if not speeds:
        _refuse_empty(table)
    return speeds


def _refuse_empty(table: Section) -> NoReturn:
    table.refuse(StreetClass.ARTERIAL.value, Wanted.SPEED)


def _shares(
    modes: Mapping[Mode, Section],
) -> dict[TimeBand, dict[Mode, dict[StreetClass, float]]]:
    """Return the shares of the speed by band, mode and class; only what is stated."""
    shares: dict[TimeBand, dict[Mode, dict[StreetClass, float]]] = {}
    for mode, of_mode in modes.items():
        table = of_mode.table("share")
        for band in TimeBand:
            of_band = table.table(band.value)
            stated = {
                kind: _within(of_band, kind.value, 0.0, LARGEST_SHARE, Wanted.SHARE)
                for kind in StreetClass
                if kind.value in of_band.members
            }
            of_band.end()
            if stated:
                shares.setdefault(band, {})[mode] = stated
        table.end()
    return shares


def _bands(table: Section) -> tuple[tuple[time, TimeBand], ...]:
    """Return when each band begins; as patrolgrid has them where the file says nothing."""
    if not table.members:
        return BANDS
    begins: dict[time, TimeBand] = {}
    for band in TimeBand:
        for word in table.texts(band.value):
            begin = _clock(word)
            if begin is None or begin in begins:
                table.refuse(band.value, Wanted.CLOCKS)
            begins[begin] = band
    table.end()
    if not begins:
        table.refuse(TimeBand.NIGHT.value, Wanted.CLOCKS)
    return tuple(sorted(begins.items()))


def _clock(word: str) -> time | None:
    try:
        return time.fromisoformat(word).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def _turn(table: Section) -> Turn:
    turn = Turn(
        **{key: _seconds(table, key, 0.0) for key in ("wait", "penalty", "u_turn")},
        bias=_bias(table),
    )
    table.end()
    return turn


def _bias(table: Section) -> float:
    bias = table.number("bias", 1.0)
    if not SMALLEST_BIAS <= bias <= LARGEST_BIAS:
        table.refuse("bias", Wanted.BIAS)
    return bias


def _corridor(table: Section) -> dict[str, float]:
    return {name: _within(table, name, 0.0, FASTEST, Wanted.SPEED) for name in table.members}


def _seconds(table: Section, key: str, default: float | None = None) -> float:
    seconds = table.number(key, default)
    if not 0.0 <= seconds <= LONGEST_WAIT:
        table.refuse(key, Wanted.DELAY)
    return seconds


def _within(table: Section, key: str, above: float, most: float, wanted: Wanted) -> float:
    """Return a number above one limit and up to another."""
    value = table.number(key)
    if not above < value <= most:
        table.refuse(key, wanted)
    return value
