"""Values a plan is made of: what is asked (Problem) and what is answered (Plan).

Instants inside a night are whole seconds from the shift's start; places are known by id and by
their row in the travel times. Nothing here knows a solver, a frame or a file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from geo.errors import OptionInvalid
from geo.units import HOUR
from routing.basis import DemandBasis, SpeedBasis

UNREACHABLE = (1 << 30) - 1
"""Seconds of a leg that cannot be travelled; twice this still fits an int32."""

REPEAT_PERCENT = (100, 60, 35, 20)
"""Per cent of its value that the 1st, 2nd, 3rd, 4th visit to one place in a night earns.

Diminishing returns of repeat visits; the planner's own choice, stated with every plan.
"""

PAIR_TOLERANCE = 120
"""Seconds by which the two teams of a pair may differ in arrival; shorter than half a dwell."""


class Mode(StrEnum):
    """How a unit moves: 步行, 电动车, 摩托车, 汽车."""

    FOOT = "foot"
    EBIKE = "ebike"
    MOTORBIKE = "motorbike"
    CAR = "car"


class VisitKind(StrEnum):
    """What a team does at a place: 巡逻点, 探索点, 定点岗, 双组同到, 休整."""

    HOTSPOT = "hotspot"
    EXPLORATION = "exploration"
    POST = "post"
    PAIR = "pair"
    BREAK = "break"


class PlanState(StrEnum):
    """草稿, 已批准, 已替换: a plan is a draft until a human approves it."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


class Status(StrEnum):
    """How good the solver says the plan is."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A night: start instant and length in seconds, so that midnight is no special case."""

    start: datetime
    length: int

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise OptionInvalid(option="shift", value=self.start, expected="a time with its zone")
        if not 0 < self.length <= 24 * HOUR:
            raise OptionInvalid(
                option="shift", value=f"{self.length} s", expected="more than 0, at most 24 hours"
            )

    @property
    def end(self) -> datetime:
        """Instant the shift ends."""
        return self.start + timedelta(seconds=self.length)

    @property
    def n_hours(self) -> int:
        """Hours begun during the shift."""
        return -(-self.length // HOUR)

    def at(self, second: int) -> datetime:
        """Return the instant `second` seconds into the shift."""
        return self.start + timedelta(seconds=int(second))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point that a matrix row stands for, WGS-84 degrees."""

    place_id: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A planned team: call-sign, headcount of at least 2, mode, station; never a person.

    Attributes
    ----------
    station_id : str
        Place the unit starts from and returns to.
    break_window : (int, int)
        The break starts at or after the first and ends at or before the second second.
    break_length : int
        Seconds of rest, at any rest place; 0 means none.
    """

    unit_id: str
    call_sign: str
    station_id: str
    mode: Mode
    headcount: int
    break_window: tuple[int, int]
    break_length: int

    def __post_init__(self) -> None:
        if self.headcount < 2:
            raise OptionInvalid(
                option=f"units {self.unit_id} headcount", value=self.headcount, expected="2 or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Dosage of one place in one night.

    Attributes
    ----------
    floor, cap : int
        Fewest and most visits; cap 0 means quiet unless called (无事不扰).
    dwell : int
        Seconds each visit stays.
    spacing : int
        Fewest seconds between the end of one visit and the start of the next.
    """

    floor: int = 0
    cap: int = 1
    dwell: int = 720
    spacing: int = 900

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.cap <= len(REPEAT_PERCENT):
            raise OptionInvalid(
                option="band",
                value=f"{self.floor}–{self.cap}",
                expected=f"0 <= floor <= cap <= {len(REPEAT_PERCENT)}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place a team may visit, its band and its value by hour of the shift.

    Attributes
    ----------
    value_by_hour : tuple of int
        Points a first visit earns when it starts in that hour of the shift; one per hour begun.
    reason : str
        Message code of why the place is worth a stop: demand class and hour only.
    """

    place_id: str
    kind: VisitKind
    band: Band
    value_by_hour: tuple[int, ...]
    reason: str
    peak_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A must: n_units teams at one place.

    Attributes
    ----------
    kind : VisitKind
        POST: every team is there by `earliest` and stays `dwell` seconds (earliest == latest).
        PAIR: teams start within [earliest, latest], at most PAIR_TOLERANCE apart, and each stays
        `dwell` seconds.
    """

    post_id: str
    place_id: str
    kind: VisitKind
    earliest: int
    latest: int
    dwell: int
    n_units: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TravelTimes:
    """Seconds between all places, per mode.

    Attributes
    ----------
    place_ids : tuple of str
        Row and column order.
    modes : tuple of Mode
        Order of the first axis.
    seconds : ndarray of int32, shape (n_modes, n_places, n_places)
        From row to column; UNREACHABLE where there is no way. Read-only.
    stated_digest : str
        Digest of the whole matrix, where these times are only the legs a plan file holds.
    """

    place_ids: tuple[str, ...]
    modes: tuple[Mode, ...]
    seconds: np.ndarray
    stated_digest: str = ""
    row: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.place_ids)
        if self.seconds.shape != (len(self.modes), n, n) or self.seconds.dtype != np.int32:
            raise OptionInvalid(
                option="travel times",
                value=f"{self.seconds.dtype} {self.seconds.shape}",
                expected=f"int32 ({len(self.modes)}, {n}, {n})",
            )
        self.seconds.setflags(write=False)
        object.__setattr__(self, "row", {p: i for i, p in enumerate(self.place_ids)})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TravelTimes) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def between(self, mode: Mode, origin: str, destination: str) -> int:
        """Return the seconds from one place to another."""
        k = self.modes.index(mode)
        return int(self.seconds[k, self.row[origin], self.row[destination]])

    def digest(self) -> str:
        """Return the SHA-256 of the whole matrix, or the stated one where only legs are known."""
        if self.stated_digest:
            return self.stated_digest
        hasher = hashlib.sha256(",".join(self.place_ids + tuple(self.modes)).encode())
        hasher.update(np.ascontiguousarray(self.seconds, dtype="<i4").tobytes())
        return hasher.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Exchange rates of the objective, in points; a first visit is worth about 10 to 125.

    Attributes
    ----------
    travel : int
        Points lost per minute of travel.
    fairness : int
        Points lost per minute between the most and least loaded unit of a station.

    Notes
    -----
    Value: the visits to a place in order of time; the k-th earns
    ``value_by_hour[arrive // HOUR] * REPEAT_PERCENT[k] // 100``. Travel: seconds of every leg,
    the way back included. Load of a unit: its travel and its stays, breaks and waiting left out;
    fairness adds largest minus smallest load over the stations. Seconds are summed over the whole
    plan and then rounded down to minutes, once per part.
    """

    travel: int = 1
    fairness: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One night, whole: a value; variants by `dataclasses.replace`.

    Attributes
    ----------
    places : tuple of Place
        Every place named below, in the row order of `travel`.
    rests : tuple of str
        Place ids where a break may be taken.
    data_date, boundary_version
        Of the places, for every rate counted on the plan.
    demand : DemandBasis, optional
        Decay, floor and cap of the demand the values come from.
    speeds : SpeedBasis, optional
        Profile, part of the day and closures that the travel times rest on.
    """

    shift: Shift
    places: tuple[Place, ...]
    units: tuple[Unit, ...]
    stops: tuple[Stop, ...]
    posts: tuple[Post, ...]
    rests: tuple[str, ...]
    travel: TravelTimes
    rates: Rates
    seed: int
    data_date: date
    boundary_version: str
    synthetic: bool
    demand: DemandBasis | None = None
    speeds: SpeedBasis | None = None

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides the plan."""
        rules = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "travel"}
        for name in ("demand", "speeds"):
            if rules[name] is None:
                del rules[name]  # files written before it was recorded keep their hash
        text = json.dumps(rules, sort_keys=True, default=_plain, ensure_ascii=False)
        return hashlib.sha256(f"{text}{self.travel.digest()}".encode()).hexdigest()


def _plain(value: object) -> object:
    """Return a value as JSON knows it: records as objects, days and instants as text."""
    if isinstance(value, np.integer):
        return int(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One planned stay of one unit; `arrive` and `depart` bound the stay, waiting comes before.

    Attributes
    ----------
    task_id : str
        Post id for posts and pairs, else the place id.
    travel : int
        Seconds of driving or walking from the visit before (or the station).
    arrive, depart : int
        Seconds from the shift's start. `arrive - travel - previous depart` is waiting, >= 0.
    reason : str
        Message code: demand class and hour only.
    """

    task_id: str
    place_id: str
    kind: VisitKind
    travel: int
    arrive: int
    depart: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One unit's night: out of its station, the visits in order, and back.

    Attributes
    ----------
    start, end : int
        Seconds: leaving the station and being back.
    travel_back : int
        Seconds from the last visit to the station.
    """

    unit_id: str
    station_id: str
    start: int
    end: int
    travel_back: int
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A place or must without its visits, and why (message code)."""

    task_id: str
    place_id: str
    cause: str
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivePart:
    """One term: amount x rate = points; the parts add up to the objective."""

    name: str
    amount: int
    unit: str
    rate: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer for one night: routes, what is left out and how good it is."""

    plan_id: str
    state: PlanState
    problem: Problem
    problem_hash: str
    engine: str
    engine_version: str
    status: Status
    objective: int
    bound: int | None
    parts: tuple[ObjectivePart, ...]
    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]

    @property
    def gap(self) -> float | None:
        """(bound - objective) / |bound|; None without a bound."""
        if self.bound is None or self.bound == 0:
            return None
        return (self.bound - self.objective) / abs(self.bound)


SERVICE: Mapping[str, int] = {"red": 2400, "yellow": 1800, "green": 1500}
"""Seconds of an inspection by tier (红 40, 黄 30, 绿 25 minutes).

The planner's own choice, stated with every schedule.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One planned inspection: where it stands in a day's round.

    Attributes
    ----------
    due : date
        Last day on which it keeps the cadence; the month's first day when never inspected.
    travel, arrive, depart : int
        Seconds: travel to it, and the stay counted from the start of the working day.
    """

    venue_id: str
    place_id: str
    tier: str
    kind: str
    due: date
    is_overdue: bool
    travel: int
    arrive: int
    depart: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One inspection team's day: from its station, the venues in order, and back."""

    round_id: str
    team_id: str
    station_id: str
    day: date
    travel_back: int
    end: int
    inspections: tuple[Inspection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The month's inspections: rounds by day, and what could not be placed, with its cause.

    Attributes
    ----------
    closed_days : tuple of date
        Weekdays without inspections: public holidays.
    makeup_days : tuple of date
        Saturdays and Sundays worked to make up for one; no other has any.
    n_teams : int
        Teams in all; each makes one round a day at most.
    missing_days : tuple of (str, int)
        Team-days short, by station id: what the venues left out for want of time would take.
    n_venues, n_due, n_unknown : int
        Venues in all, due or overdue in the period, and without a recorded inspection.
    """

    first_day: date
    last_day: date
    day_length: int
    rounds: tuple[Round, ...]
    unserved: tuple[Unserved, ...]
    status: Status
    engine: str
    problem_hash: str
    seed: int
    data_date: date
    boundary_version: str
    n_venues: int
    n_due: int
    n_unknown: int
    synthetic: bool
    mode: Mode = Mode.CAR
    closed_days: tuple[date, ...] = ()
    makeup_days: tuple[date, ...] = ()
    n_teams: int = 0
    missing_days: tuple[tuple[str, int], ...] = ()
