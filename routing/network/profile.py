"""How fast each mode moves on each class of street: data with a version, stated as assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import OptionInvalid
from geo.frames import StreetClass
from geo.units import CITY_ZONE
from routing.model import Mode

MODES: Final = tuple(Mode)
"""Order of every per-mode row of a network."""

CLASSES: Final = tuple(StreetClass)
"""Order of the class codes of a network."""

FASTEST: Final = 150.0
"""Kilometres per hour above which a speed is a slip of the pen: 道路交通安全法实施条例 art. 78
allows 120 on expressways, and a patrol car keeps to it."""

LONGEST_WAIT: Final = 600.0
"""Seconds at one junction above which a delay is a slip of the pen."""

LARGEST_SHARE: Final = 3.0
"""Times the night's speed above which a share is a slip of the pen."""

SMALLEST_BIAS: Final = 0.5
LARGEST_BIAS: Final = 2.0
"""Beyond these a left turn would cost about all of the penalty and a right turn nothing."""


class TimeBand(StrEnum):
    """Parts of the day by how full the streets are: 白天, 高峰, 晚间, 夜间."""

    DAY = "day"
    PEAK = "peak"
    EVENING = "evening"
    NIGHT = "night"


BANDS: Final = (
    (time(7), TimeBand.PEAK),
    (time(9), TimeBand.DAY),
    (time(17), TimeBand.PEAK),
    (time(19), TimeBand.EVENING),
    (time(20), TimeBand.NIGHT),
)
"""When each band begins; the last runs past midnight to the first. Rush hours as cities restrict
lorries in them (07:00-09:00, 17:00-19:00); the night as the patrols' 20:00-02:00 and on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Seconds a turn at a junction costs.

    Attributes
    ----------
    wait : float
        At every junction passed, whichever way one turns.
    penalty : float
        More for the sharpest turn.
    bias : float
        Above 1 a left turn, across the oncoming traffic, costs more than a right turn.
    u_turn : float
        More for turning round.

    References
    ----------
    The S-curve of the angle and the values 7.5 s, 1.075 and 20 s are those of OSRM's car profile
    (profiles/car.lua, process_turn; project OSRM, BSD-2-Clause).
    """

    wait: float = 0.0
    penalty: float = 0.0
    bias: float = 1.0
    u_turn: float = 0.0

    def seconds(
        self, angle: NDArray[np.float64], is_u_turn: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the seconds of turns by `angle`, degrees from -180 to 180, right-positive."""
        right = 13.0 / self.bias * angle / 180.0 - 6.5 * self.bias
        left = 13.0 * self.bias * -angle / 180.0 - 6.5 / self.bias
        curve = self.penalty / (1.0 + np.exp(-np.where(angle >= 0.0, right, left)))
        seconds: NDArray[np.float64] = self.wait + curve + np.where(is_u_turn, self.u_turn, 0.0)
        return seconds


_NO_TURNS: Final[Mapping[Mode, Turn]] = MappingProxyType(dict.fromkeys(MODES, Turn()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Speeds and delays by mode, street class and time of day, as data with a version.

    Attributes
    ----------
    version : str
    speed : mapping of Mode to mapping of StreetClass to float
        Kilometres per hour at night, above 0; a class that is absent is closed to the mode.
    junction_delay : mapping of Mode to float
        Seconds lost at each junction passed: turning and waiting alike, whichever way one turns.
        Where turns are counted one by one, `turn` takes its place.
    one_way_free : frozenset of Mode
        Modes that ignore one-ways.
    limited : frozenset of Mode
        Modes that keep to a street's posted limit where it is known.
    band_factor : mapping of TimeBand to mapping of Mode to mapping of StreetClass to float
        Share of the speed that is left, above 0; 1 where nothing is stated.
    bands : tuple of (time, TimeBand)
        When each band begins, ascending; the last runs past midnight to the first.
    turn : mapping of Mode to Turn
    corridor : mapping of str to float
        Streets by name with a green wave (绿波), and the km/h it is timed for. It counts for
        escorts alone, that ask for it; a posted limit does not lower it.
    """

    version: str
    speed: Mapping[Mode, Mapping[StreetClass, float]]
    junction_delay: Mapping[Mode, float]
    one_way_free: frozenset[Mode] = frozenset({Mode.FOOT})
    limited: frozenset[Mode] = frozenset({Mode.CAR, Mode.MOTORBIKE})
    band_factor: Mapping[TimeBand, Mapping[Mode, Mapping[StreetClass, float]]] = field(
        default_factory=dict
    )
    bands: tuple[tuple[time, TimeBand], ...] = BANDS
    turn: Mapping[Mode, Turn] = field(default_factory=lambda: _NO_TURNS)
    corridor: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for mode in MODES:
            if not (mode in self.speed and mode in self.junction_delay and mode in self.turn):
                raise OptionInvalid(option="profile", value=mode, expected="speeds and a delay")
            self._check_speeds(mode)
            self._check_delays(mode)
        for name, kmh in self.corridor.items():
            _require_speed(f"profile corridor {name}", kmh)
        begins = [begin for begin, _ in self.bands]
        if not begins or begins != sorted(set(begins)):
            raise OptionInvalid(
                option="profile bands",
                value=", ".join(f"{begin:%H:%M}" for begin in begins) or "none",
                expected="clock times, each later than the one before",
            )

    def _check_speeds(self, mode: Mode) -> None:
        if not self.speed[mode]:
            _require_speed(f"profile {mode}", 0.0)
        for name, kmh in self.speed[mode].items():
            _require_speed(f"profile {mode} {name}", kmh)
        for band, of_modes in self.band_factor.items():
            for name, share in of_modes.get(mode, {}).items():
                if not 0.0 < share <= LARGEST_SHARE:
                    raise OptionInvalid(
                        option=f"profile {band} {mode} {name}",
                        value=share,
                        expected="a share of the night's speed, above 0 and up to 3",
                    )

    def _check_delays(self, mode: Mode) -> None:
        turn = self.turn[mode]
        for seconds in (self.junction_delay[mode], turn.wait, turn.penalty, turn.u_turn):
            if not 0.0 <= seconds <= LONGEST_WAIT:
                raise OptionInvalid(
                    option=f"profile {mode}",
                    value=f"{seconds} s",
                    expected=f"a junction delay of 0 s or more, up to {LONGEST_WAIT:.0f} s",
                )
        if not SMALLEST_BIAS <= turn.bias <= LARGEST_BIAS:
            raise OptionInvalid(option=f"profile {mode} bias", value=turn.bias, expected="0.5 to 2")

    def kmh(self, mode: Mode, band: TimeBand = TimeBand.NIGHT) -> NDArray[np.float64]:
        """Return the km/h of `mode` on each class in the order of CLASSES; nan where closed."""
        speed = self.speed[mode]
        share = self.band_factor.get(band, {}).get(mode, {})
        return np.array([speed.get(c, np.nan) * share.get(c, 1.0) for c in CLASSES])

    def band_at(self, clock: time) -> TimeBand:
        """Return the band that a clock time of the city lies in."""
        begun = [band for begin, band in self.bands if begin <= clock]
        return begun[-1] if begun else self.bands[-1][1]

    def band_of(self, start: datetime, length: int) -> TimeBand:
        """Return the band that most of a span of `length` seconds lies in, to the minute.

        Of equal ones the one that comes first.
        """
        local = start.astimezone(CITY_ZONE)
        minutes = range(max(length // 60, 1))
        inside = [self.band_at((local + timedelta(minutes=m)).time()) for m in minutes]
        return max(dict.fromkeys(inside), key=inside.count)


def _require_speed(option: str, kmh: float) -> None:
    if not kmh > 0.0:
        raise OptionInvalid(option=option, value=f"{kmh} km/h", expected="more than 0 km/h")
    if not kmh <= FASTEST:
        expected = f"at most {FASTEST:.0f} km/h"
        raise OptionInvalid(option=option, value=f"{kmh} km/h", expected=expected)


def _all(classes: tuple[StreetClass, ...], value: float) -> dict[StreetClass, float]:
    return dict.fromkeys(classes, value)


_DRIVEN: Final = CLASSES[:-1]
_BIG: Final = (StreetClass.EXPRESSWAY, StreetClass.ARTERIAL, StreetClass.COLLECTOR)
_SMALL: Final = (StreetClass.LANE, StreetClass.RURAL)


def _busy(big: float, small: float) -> dict[StreetClass, float]:
    return _all(_BIG, big) | _all(_SMALL, small)


NIGHT: Final = Profile(
    version="2026-2",
    speed={
        Mode.CAR: {
            StreetClass.EXPRESSWAY: 55.0,
            StreetClass.ARTERIAL: 40.0,
            StreetClass.COLLECTOR: 30.0,
            StreetClass.LANE: 15.0,
            StreetClass.RURAL: 40.0,
        },
        Mode.MOTORBIKE: {
            StreetClass.EXPRESSWAY: 50.0,
            StreetClass.ARTERIAL: 40.0,
            StreetClass.COLLECTOR: 30.0,
            StreetClass.LANE: 18.0,
            StreetClass.RURAL: 35.0,
        },
        Mode.EBIKE: _all(_DRIVEN, 15.0) | {StreetClass.LANE: 12.0},
        Mode.FOOT: _all(CLASSES, 4.5),
    },
    junction_delay={Mode.CAR: 4.0, Mode.MOTORBIKE: 3.0, Mode.EBIKE: 3.0, Mode.FOOT: 2.0},
    band_factor={
        TimeBand.DAY: {
            Mode.CAR: _busy(0.8, 0.9),
            Mode.MOTORBIKE: _busy(0.85, 0.9),
            Mode.EBIKE: _busy(0.95, 0.95),
        },
        TimeBand.PEAK: {
            Mode.CAR: _busy(0.6, 0.8),
            Mode.MOTORBIKE: _busy(0.7, 0.85),
            Mode.EBIKE: _busy(0.85, 0.9),
        },
        TimeBand.EVENING: {
            Mode.CAR: _busy(0.85, 0.9),
            Mode.MOTORBIKE: _busy(0.9, 0.95),
        },
    },
    turn={
        Mode.CAR: Turn(wait=2.0, penalty=7.5, bias=1.075, u_turn=20.0),
        Mode.MOTORBIKE: Turn(wait=2.0, penalty=6.0, bias=1.075, u_turn=10.0),
        Mode.EBIKE: Turn(wait=2.0, penalty=6.0, bias=1.4, u_turn=10.0),
        Mode.FOOT: Turn(wait=2.0),
    },
)
"""Assumptions, not measurements; replace them by a city's own (``--profile``).

Night speeds are those of patrol driving without siren in light traffic, 20:00-02:00: at or below
the design speeds 60-100 (快速路), 40-60 (主干路), 30-50 (次干路) and 20-40 km/h (支路) of
CJJ 37-2012, table 3.2.1. E-bikes keep to the 15 km/h of 道路交通安全法 art. 58. E-bikes and people
on foot may use an expressway, because the class stands for its side road (辅路) and for trunk
roads (国道) too; without them 6 % of the sample district's streets would be out of their reach.

By day and in the rush what is left of the night's speed is a planner's guess: a car needs 1/0.6 of
its night time on the big streets at the peak. Turns are OSRM's (`Turn`): the car's and the
bicycle's (profiles/bicycle.lua: 6 s, 1.4), two-wheelers turning round in half the time.
"""
