"""How fast each mode moves on each class of street: data with a version, stated as assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.errors import OptionInvalid
from geo.frames import StreetClass
from routing.model import Mode

MODES: Final = tuple(Mode)
"""Order of every per-mode row of a network."""

CLASSES: Final = tuple(StreetClass)
"""Order of the class codes of a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Speeds and junction delays by mode and street class, as data with a version.

    Attributes
    ----------
    version : str
    speed : mapping of Mode to mapping of StreetClass to float
        Kilometres per hour, above 0; a class that is absent is closed to the mode.
    junction_delay : mapping of Mode to float
        Seconds lost at each junction passed. It stands for turning and waiting alike: which way
        one turns does not matter in this version.
    one_way_free : frozenset of Mode
        Modes that ignore one-ways.
    """

    version: str
    speed: Mapping[Mode, Mapping[StreetClass, float]]
    junction_delay: Mapping[Mode, float]
    one_way_free: frozenset[Mode] = frozenset({Mode.FOOT})

    def __post_init__(self) -> None:
        for mode in MODES:
            if mode not in self.speed or mode not in self.junction_delay:
                raise OptionInvalid(option="profile", value=mode, expected="speeds and a delay")
            slowest = min(self.speed[mode].values(), default=0.0)
            if not slowest > 0.0:
                raise OptionInvalid(
                    option=f"profile {mode}", value=f"{slowest} km/h", expected="more than 0 km/h"
                )
            if self.junction_delay[mode] < 0.0:
                raise OptionInvalid(
                    option=f"profile {mode}",
                    value=f"{self.junction_delay[mode]} s",
                    expected="a junction delay of 0 s or more",
                )


NIGHT: Final = Profile(
    version="night-2026.1",
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
        Mode.EBIKE: {
            StreetClass.EXPRESSWAY: 15.0,
            StreetClass.ARTERIAL: 15.0,
            StreetClass.COLLECTOR: 15.0,
            StreetClass.LANE: 12.0,
            StreetClass.RURAL: 15.0,
        },
        Mode.FOOT: {
            StreetClass.EXPRESSWAY: 4.5,
            StreetClass.ARTERIAL: 4.5,
            StreetClass.COLLECTOR: 4.5,
            StreetClass.LANE: 4.5,
            StreetClass.RURAL: 4.5,
            StreetClass.PATH: 4.5,
        },
    },
    junction_delay={Mode.CAR: 4.0, Mode.MOTORBIKE: 3.0, Mode.EBIKE: 3.0, Mode.FOOT: 2.0},
)
"""Assumptions for 20:00-02:00, not measurements; replace them by a city's own.

Patrol driving without siren in light traffic: at or below the design speeds 60-100 (快速路),
40-60 (主干路), 30-50 (次干路) and 20-40 km/h (支路) of CJJ 37-2012, table 3.2.1. E-bikes keep to
the 15 km/h of 道路交通安全法 art. 58. E-bikes and people on foot may use an expressway, because the
class stands for its side road (辅路) and for trunk roads (国道) too; without them 6 % of the sample
district's streets would be out of their reach.
"""
