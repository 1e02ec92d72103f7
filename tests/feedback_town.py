"""A small town patrolled night after night, to see whether patrols send themselves back.

Seven by seven streets 250 m apart, two villages, one station, two teams. What happens is drawn
from fixed rates; the shipped demand, choice of places and night planner decide where the teams
go; what residents report and what teams find themselves comes back the next night::

    true rates -> residents' reports ─┐
         │                            ├─> estimate_demand -> choose_places -> plan_night -> visits
         └──> what teams find  ───────┘  (guard off only)                                    │
                    ^────────────────────────────────────────────────────────────────────────┘

A visit adds finds of its own, which nobody would have reported, and takes half of the calls of
its hour away. *Guard on*: finds come in under their channel, which demand leaves out, with decay,
exploration floor and cap as shipped. *Guard off*: finds count like calls, without floor, cap and
exploration places.

Deviation of an allocation: half the sum of differences between its share of visits per street
and that of the same planner told the true rates. Noise floor: the deviation that remains with
patrols that change nothing, because calls are chance; mean over fresh draws of the calls.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.demand import Demand, DemandRules, PlaceRules, choose_places, estimate_demand
from geo.demand.estimate import bound
from geo.frames import (
    CELLS,
    INCIDENTS,
    POSTS,
    STATIONS,
    STREETS,
    UNITS,
    Channel,
    empty_frame,
    require,
)
from geo.units import CITY_ZONE, LIAOCHENG_EPSG
from routing.model import Shift
from routing.network import build_network
from routing.patrol import plan_night, pose_night
from routing.travel import Travel

N, STEP = 7, 250.0
WEST, SOUTH = 580_000.0, 4_030_000.0
START_HOUR, N_HOURS = 20, 6
FIRST_NIGHT = date(2026, 1, 1)

REPORTS_PER_NIGHT = 6.0
HISTORY_NIGHTS = 180
FINDS_PER_VISIT = 1.0
CALLS_LEFT = 0.5
"""Share of the calls of a street and hour that still come while a team is there."""

PAST_SHARE, PAST_FINDS = 0.2, 0.2
"""Streets that were patrolled before the record begins, and what was found on each a night."""

N_PLACES = 10
ITERATIONS = 60

GUARD_ON = (DemandRules(), PlaceRules(min_distance=200.0, share_teams=0.0))
GUARD_OFF = (
    DemandRules(floor_share=0.0, cap_quantile=1.0, cap_multiple=1000.0),
    PlaceRules(min_distance=200.0, share_teams=0.0, share_exploration=0.0),
)


def text(values):
    return pd.Series(list(values), dtype="str")


def lonlat(shapes):
    degrees = gpd.GeoSeries(shapes, crs=LIAOCHENG_EPSG).to_crs(4326).to_numpy()
    return gpd.GeoSeries(shapely.transform(degrees, lambda xy: np.round(xy, 7)), crs=4326)


def _streets():
    at = np.arange(N) * STEP
    lines = []
    for k in range(N):
        for j in range(N - 1):
            lines.append([(WEST + at[j], SOUTH + at[k]), (WEST + at[j + 1], SOUTH + at[k])])
            lines.append([(WEST + at[k], SOUTH + at[j]), (WEST + at[k], SOUTH + at[j + 1])])
    n = len(lines)
    columns = {
        "segment_id": text(f"s{k:03d}" for k in range(n)),
        "name": text([""] * n),
        "street_class": text(["lane"] * n),
        "oneway": pd.Series([False] * n),
        "bridge": pd.Series([False] * n),
        "lanes": pd.Series([0] * n),
        "max_speed": pd.Series([0.0] * n),
        "source": text(["synthetic"] * n),
    }
    frame = gpd.GeoDataFrame(columns, geometry=lonlat(map(shapely.LineString, lines)))
    require(frame, STREETS, source="streets")
    return frame


def _cells():
    far, middle = STEP * (N - 1) + 50, STEP * (N - 1) / 2 + 10
    boxes = [(-50, middle), (middle, far)]
    shapes = [shapely.box(WEST + a, SOUTH - 50, WEST + b, SOUTH + far) for a, b in boxes]
    columns = {
        "cell_id": text(["371502001001001", "371502001002001"]),
        "village_code": text(["371502001001", "371502001002"]),
        "township_code": text(["371502001"] * 2),
        "county_code": text(["371502"] * 2),
        "grid_role": text(["basic"] * 2),
        "households": np.array([100, 100], dtype=np.int64),
        "area": np.array([1e6, 1e6]),
        "boundary_version": text(["2023-06"] * 2),
        "source": text(["synthetic"] * 2),
    }
    frame = gpd.GeoDataFrame(columns, geometry=lonlat(shapes))
    require(frame, CELLS, source="cells")
    return frame


def _station():
    columns = {
        "station_id": text(["S"]),
        "name": text(["样例所"]),
        "kind": text(["urban"]),
        "source": text(["synthetic"]),
    }
    middle = shapely.Point(WEST + STEP * (N // 2), SOUTH + STEP * (N // 2))
    frame = gpd.GeoDataFrame(columns, geometry=lonlat([middle]))
    require(frame, STATIONS, source="stations")
    return frame


def _units():
    columns = {
        "unit_id": text(["u1", "u2"]),
        "call_sign": text(["样例1组", "样例2组"]),
        "station_id": text(["S", "S"]),
        "headcount": np.array([2, 2], dtype=np.int64),
        "mode": text(["ebike", "ebike"]),
        "source": text(["synthetic"] * 2),
    }
    frame = pd.DataFrame(columns)
    require(frame, UNITS, source="units")
    return frame


@dataclass
class Record:
    """What came in so far: street, night and hour of every report, and whether a team found it."""

    street: list = field(default_factory=list)
    night: list = field(default_factory=list)
    hour: list = field(default_factory=list)
    is_find: list = field(default_factory=list)

    def add(self, counts, night, *, is_find):
        street, hour = np.nonzero(counts)
        times = counts[street, hour]
        n = int(times.sum())
        self.street.append(np.repeat(street, times))
        self.hour.append(np.repeat(hour, times))
        self.night.append(np.full(n, night))
        self.is_find.append(np.full(n, is_find))


class Town:
    """The town, its true rates, and one planned night of it."""

    def __init__(self, seed: int) -> None:
        self.streets, self.cells = _streets(), _cells()
        self.station, self.units = _station(), _units()
        self.posts = empty_frame(POSTS)
        random = np.random.default_rng(seed)
        by_street = random.lognormal(0.0, 1.0, len(self.streets))
        by_hour = np.array([5, 6, 6, 5, 3, 2], dtype=float)
        self.past = np.zeros((len(self.streets), N_HOURS))
        self.past[random.random(len(self.streets)) < PAST_SHARE, 1] = PAST_FINDS
        self.rate = REPORTS_PER_NIGHT * np.outer(
            by_street / by_street.sum(), by_hour / by_hour.sum()
        )

    @cached_property
    def travel(self) -> Travel:
        return Travel(build_network(self.streets, epsg=LIAOCHENG_EPSG)[0])

    @cached_property
    def middles(self):
        lines = self.streets.geometry.to_numpy()
        return shapely.line_interpolate_point(lines, 0.5, normalized=True)

    def incidents(self, record: Record, *, finds_count: bool) -> gpd.GeoDataFrame:
        """Return the record as an INCIDENTS frame; finds under their own channel, or as calls."""
        street, hour, night, is_find = (
            np.concatenate(part).astype(np.int64)
            for part in (record.street, record.hour, record.night, record.is_find)
        )
        midnight = pd.Timestamp(FIRST_NIGHT, tz=CITY_ZONE)
        elapsed = pd.to_timedelta(night, "D") + pd.to_timedelta(START_HOUR + hour, "h")
        channel = np.where(is_find & (not finds_count), Channel.PROACTIVE, Channel.RESIDENT)
        columns = {
            "incident_id": text(f"i{k}" for k in range(len(street))),
            "occurred_at": pd.Series(midnight + elapsed).astype("datetime64[s, Asia/Shanghai]"),
            "category": text(["theft"] * len(street)),
            "channel": text(channel),
            "source": text(["synthetic"] * len(street)),
        }
        frame = gpd.GeoDataFrame(columns, geometry=self.middles[street], crs=4326)
        require(frame, INCIDENTS, source="incidents")
        return frame

    def estimate(self, incidents: gpd.GeoDataFrame, night: int, rules: DemandRules) -> Demand:
        """Run the shipped estimate on what came in before tonight."""
        return estimate_demand(
            incidents,
            self.streets,
            self.cells,
            epsg=LIAOCHENG_EPSG,
            shift_start_hour=START_HOUR,
            n_hours=N_HOURS,
            as_of=FIRST_NIGHT + timedelta(days=night),
            rules=rules,
        )

    def visits(self, demand: Demand, night: int, rules: PlaceRules) -> np.ndarray:
        """Run the shipped choice of places and night planner; return visits by street and hour."""
        places, by_hour = choose_places(
            demand,
            self.streets,
            self.cells,
            epsg=LIAOCHENG_EPSG,
            n_places=N_PLACES,
            seed=night,
            rules=rules,
        )
        day = FIRST_NIGHT + timedelta(days=night)
        problem = pose_night(
            places,
            by_hour,
            self.station,
            self.units,
            self.posts,
            self.travel,
            shift=Shift(
                start=datetime(day.year, day.month, day.day, START_HOUR, tzinfo=CITY_ZONE),
                length=N_HOURS * 3600,
            ),
            seed=night,
            data_date=day,
            boundary_version="2023-06",
            synthetic=True,
        )
        plan = plan_night(problem, iterations=ITERATIONS, choice_work=0.01)
        row = dict(
            zip(
                places["place_id"],
                demand.segment_id.searchsorted(places["segment_id"]),
                strict=True,
            )
        )
        made = np.zeros(self.rate.shape, dtype=np.int64)
        for route in plan.routes:
            for visit in route.visits:
                if visit.place_id in row:
                    made[row[visit.place_id], min(visit.arrive // 3600, N_HOURS - 1)] += 1
        return made

    def told(self, demand: Demand) -> Demand:
        """Return a demand that knows the true rates, bounded as shipped."""
        by_hour, _, _ = bound(self.rate, demand.is_inhabited, demand.rules)
        return replace(demand, by_hour=by_hour)


def patrolled(
    town: Town,
    n_nights: int,
    *,
    seed: int,
    guard: tuple[DemandRules, PlaceRules] | None,
    influence: bool,
    progress: Callable[[int], None] = lambda night: None,
) -> np.ndarray:
    """Patrol a town night after night; return the share of visits by street.

    Parameters
    ----------
    guard : rules of demand and places, or None
        `GUARD_ON`, `GUARD_OFF`, or None for the planner that is told the true rates.
    influence : bool
        Whether patrols change what comes in.
    """
    random = np.random.default_rng(seed)
    rules, place_rules = guard or GUARD_ON
    record = Record()
    for night in range(-HISTORY_NIGHTS, 0):
        record.add(random.poisson(town.rate), night, is_find=False)
        record.add(random.poisson(town.past), night, is_find=True)
    total = np.zeros(len(town.streets))
    for night in range(n_nights):
        incidents = town.incidents(record, finds_count=guard is GUARD_OFF)
        demand = town.estimate(incidents, night, rules)
        visits = town.visits(town.told(demand) if guard is None else demand, night, place_rules)
        total += visits.sum(axis=1)
        calls = random.poisson(town.rate)
        if influence:
            there = np.minimum(visits, 1)
            calls = np.where(there, random.binomial(calls, CALLS_LEFT), calls)
            record.add(random.poisson(FINDS_PER_VISIT * visits), night, is_find=True)
        record.add(calls, night, is_find=False)
        progress(night)
    return total / total.sum()


def deviation(share: np.ndarray, truth: np.ndarray) -> float:
    """Return half the sum of differences: the share of visits that went elsewhere."""
    return float(np.abs(share - truth).sum() / 2)
