"""Patrol teams of townships, counties and the city against what the rules ask, and what is missing.

How many teams a township must have is data with a version, not code: places order it differently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.boundary import CODE_COLUMN, unit_codes
from geo.errors import OptionInvalid
from geo.frames import Col, Force, Level
from geo.place.clock import DAY, clock_of, is_within, minutes_of, window_length
from geo.place.unit import city_code, counted_units
from geo.rate import Rate

RULE: Final = "rule"
N_TEAMS: Final = "n_teams"
MISSING_TEAMS: Final = "missing_teams"
MISSING_HEADCOUNT: Final = "missing_headcount"
FEWEST_AT: Final = "fewest_at"

MEASURES: Final = (N_TEAMS, Col.HEADCOUNT, MISSING_TEAMS, MISSING_HEADCOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """What every unit of a level must have.

    Attributes
    ----------
    code : str
        Names the rule in reports.
    level : Level
    n_teams, headcount : int
        At least so many; 0 asks for none.
    forces : frozenset of Force
        Forces that count.
    window : (str, str), optional
        Clock times HH:MM between which they must be on duty at every moment; else all teams count.
    counts_below : bool
        Whether the teams of the units below count for a unit too.
    """

    code: str
    level: Level
    n_teams: int = 0
    headcount: int = 0
    forces: frozenset[Force] = frozenset(Force)
    window: tuple[str, str] | None = None
    counts_below: bool = False

    def __post_init__(self) -> None:
        asks = self.n_teams > 0 or self.headcount > 0
        if not asks or min(self.n_teams, self.headcount) < 0 or not self.forces:
            raise OptionInvalid(
                option=f"rule {self.code}",
                value=f"n_teams {self.n_teams}, headcount {self.headcount}",
                expected="a number above 0 and at least one force",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRules:
    """The rules of a city, with the version that every report prints."""

    version: str
    rules: tuple[ResourceRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReport:
    """What units have, and what they lack.

    Attributes
    ----------
    units : DataFrame
        A row per rule and unit of its level: rule, level, code, name, n_teams, headcount,
        missing_teams, missing_headcount, fewest_at (clock time at which the fewest are on duty,
        "" where the rule names no hours).
    met : mapping of str to Rate
        Units that meet a rule, of all units of its level.
    strangers : DataFrame
        Teams of a code that no unit has; they count nowhere.
    version : str
        Of the rules.
    """

    units: pd.DataFrame
    met: Mapping[str, Rate]
    strangers: pd.DataFrame
    version: str

    @property
    def missing(self) -> pd.DataFrame:
        """Rows of `units` that lack something."""
        lacks = (self.units[MISSING_TEAMS] > 0) | (self.units[MISSING_HEADCOUNT] > 0)
        return self.units[lacks]


def report_resources(
    resources: pd.DataFrame,
    boundaries: gpd.GeoDataFrame,
    rules: ResourceRules,
    *,
    data_date: date,
    boundary_version: str,
) -> ResourceReport:
    """Compare the teams of each unit with the rules.

    Parameters
    ----------
    resources : RESOURCES frame
    boundaries : BOUNDARIES frame
    rules : ResourceRules
    data_date : date
    boundary_version : str
    """
    above = _codes_above(boundaries)
    known = resources[Col.CODE].isin(above.index)
    teams = resources[known]
    parts, met = [], {}
    for rule in rules.rules:
        part = _judge(teams, _units(boundaries, rule.level), above, rule)
        fine = (part[MISSING_TEAMS] == 0) & (part[MISSING_HEADCOUNT] == 0)
        met[rule.code] = Rate(
            n=int(fine.sum()),
            total=len(part),
            data_date=data_date,
            boundary_version=boundary_version,
        )
        parts.append(part)
    return ResourceReport(
        units=pd.concat(parts, ignore_index=True),
        met=met,
        strangers=resources[~known].reset_index(drop=True),
        version=rules.version,
    )


def _units(boundaries: gpd.GeoDataFrame, level: Level) -> pd.DataFrame:
    """Return code and name of the units that rates count; of the city even where it has no row."""
    units = pd.DataFrame(counted_units(boundaries, level)[[Col.CODE, Col.NAME]])
    if level is Level.CITY and units.empty:
        units = pd.DataFrame({Col.CODE: [city_code(boundaries)], Col.NAME: [""]})
    return units.sort_values(Col.CODE, ignore_index=True)


def _codes_above(boundaries: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the code of every unit's unit at each level, by its own code."""
    codes = unit_codes(boundaries)
    table = pd.DataFrame({level: codes[column] for level, column in CODE_COLUMN.items()})
    table[Level.CITY] = city = city_code(boundaries)
    table.index = pd.Index(boundaries[Col.CODE])
    if city not in table.index:
        table.loc[city] = {level: city if level is Level.CITY else "" for level in table.columns}
    return table


def _judge(
    teams: pd.DataFrame, units: pd.DataFrame, above: pd.DataFrame, rule: ResourceRule
) -> pd.DataFrame:
    """Return what the units of a level have and lack by one rule."""
    counted = teams[teams[Col.KIND].isin([force.value for force in rule.forces])]
    own = counted[Col.CODE]
    unit = above.loc[own, rule.level].to_numpy() if rule.counts_below else own.to_numpy()
    row = pd.Index(units[Col.CODE]).get_indexer(unit)
    heads = counted[Col.HEADCOUNT].to_numpy()
    n_teams, headcount, fewest_at = _fewest(counted, row, heads, len(units), rule)
    return pd.DataFrame(
        {
            RULE: pd.Series([rule.code] * len(units), dtype="str"),
            Col.LEVEL: pd.Series([rule.level.value] * len(units), dtype="str"),
            Col.CODE: units[Col.CODE].astype("str"),
            Col.NAME: units[Col.NAME].astype("str"),
            N_TEAMS: n_teams,
            Col.HEADCOUNT: headcount,
            MISSING_TEAMS: np.maximum(rule.n_teams - n_teams, 0),
            MISSING_HEADCOUNT: np.maximum(rule.headcount - headcount, 0),
            FEWEST_AT: pd.Series(fewest_at, dtype="str"),
        }
    )


def _fewest(
    teams: pd.DataFrame, row: np.ndarray, heads: np.ndarray, n_units: int, rule: ResourceRule
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return each unit's teams and headcount at the moment it is worst off.

    Numbers change only where a window begins or ends, so those moments are enough.
    """
    placed = row >= 0
    starts = np.array([minutes_of(clock) for clock in teams[Col.WINDOW_START]], dtype=np.int64)
    ends = np.array([minutes_of(clock) for clock in teams[Col.WINDOW_END]], dtype=np.int64)

    def counts(on: np.ndarray) -> np.ndarray:
        chosen = placed & on
        n_teams = np.bincount(row[chosen], minlength=n_units)
        n_heads = np.bincount(row[chosen], heads[chosen], minlength=n_units)
        return np.stack([n_teams, n_heads.astype(np.int64)])

    if rule.window is None:
        n_teams, headcount = counts(np.ones(len(teams), dtype=bool))
        return n_teams, headcount, [""] * n_units
    first, last = map(minutes_of, rule.window)
    length = window_length(first, last)
    moments = [first, *sorted({int(m) for m in ends if 0 < (m - first) % DAY < length})]
    found = np.stack([counts(is_within(moment, starts, ends)) for moment in moments])
    short = np.maximum(rule.n_teams - found[:, 0], 0) + np.maximum(rule.headcount - found[:, 1], 0)
    worst = np.lexsort((np.arange(len(moments))[:, None] + 0 * short, found[:, 1], -short), axis=0)
    pick = worst[0]
    units = np.arange(n_units)
    clocks = [clock_of(moments[k]) for k in pick]
    return found[pick, 0, units], found[pick, 1, units], clocks
