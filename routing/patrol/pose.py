"""Tonight's problem from places, demand, stations, units, posts and travel times."""

from dataclasses import dataclass
from datetime import date, datetime, time
from logging import getLogger
from typing import Final, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import OptionInvalid, ValueInvalid
from geo.frames import Col, PostKind
from geo.units import HOUR, MINUTE, UNITS_PER_STATION
from routing.basis import DemandBasis, SpeedBasis
from routing.model import (
    Band,
    Mode,
    Place,
    Post,
    Problem,
    Rates,
    Shift,
    Stop,
    TravelTimes,
    Unit,
    VisitKind,
)

log = getLogger(f"patrolgrid.{__name__}")

DAY: Final = 24 * HOUR
DEFAULT_HEADCOUNT: Final = 4


class TravelDoor(Protocol):
    """What is asked of `routing.travel.Travel`: times between places, per mode."""

    def times(self, places: tuple[Place, ...], modes: tuple[Mode, ...]) -> TravelTimes:
        """Return seconds between all places, per mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRules:
    """How demand becomes bands and points; a planner's choices, all in one place.

    Attributes
    ----------
    fewest_points, most_points : int
        A first visit's worth where hardly anything and where most is expected.
    exploration_points : int
        Least worth of an exploration place: knowing it is worth that much.
    share_floor, share_cap_3, share_cap_2 : float
        Share of hot spots, by falling demand, that must be visited once, and that may be visited
        up to three times and up to twice; the others once.
    shortest_dwell, longest_dwell : int
        Seconds, from least to most demand (10–16 minutes; Koper, Justice Quarterly 12(4), 1995,
        doi:10.1080/07418829500096231).
    spacing : int
        Seconds between visits to a place at least.
    floor_reach : int
        Seconds of travel from the nearest unit within which a place may get a floor.
    break_length : int
        Seconds.
    break_share : (float, float)
        Break window as shares of the shift: 22:30–00:30 of 20:00–02:00.
    """

    fewest_points: int = 10
    most_points: int = 125
    exploration_points: int = 30
    share_floor: float = 0.08
    share_cap_3: float = 0.1
    share_cap_2: float = 0.4
    shortest_dwell: int = 600
    longest_dwell: int = 960
    spacing: int = 900
    floor_reach: int = 1800
    break_length: int = 1800
    break_share: tuple[float, float] = (5 / 12, 3 / 4)


DEFAULT_RULES: Final = NightRules()


def pose_night(  # noqa: PLR0917 (the layers in the order of the chain)
    places: gpd.GeoDataFrame,
    by_hour: npt.NDArray[np.float64],
    stations: gpd.GeoDataFrame,
    units: pd.DataFrame,
    posts: gpd.GeoDataFrame,
    travel: TravelDoor,
    *,
    shift: Shift,
    seed: int,
    data_date: date,
    boundary_version: str,
    synthetic: bool,
    rules: NightRules = DEFAULT_RULES,
    rates: Rates | None = None,
    demand: DemandBasis | None = None,
    speeds: SpeedBasis | None = None,
) -> Problem:
    """Pose one night: who is on duty, where they may go, what they must do, what it is worth.

    Parameters
    ----------
    places : GeoDataFrame
        `geo.frames.PLACES`: the places on offer tonight, EPSG:4326.
    by_hour : ndarray of float64, shape (n_places, n_hours)
        Reports expected per hour of the shift at each place.
    stations, units, posts : GeoDataFrame, DataFrame, GeoDataFrame
        `geo.frames` layers. Without units every station gets two cars. Only posts that begin
        within the shift are tonight's.
    travel : Travel
        The door to travel times.
    shift : Shift
    seed : int
        Decides the search; same input and seed, same plan.
    data_date, boundary_version, synthetic
        Of the layers.
    rules, rates
        Bands and points, and the exchange rates of the objective.
    demand : DemandBasis, optional
        Decay, floor and cap behind `by_hour`, recorded with the plan.
    speeds : SpeedBasis, optional
        What `travel` rests on, recorded with the plan.

    Raises
    ------
    OptionInvalid
        `by_hour` does not fit places and shift, or there is no station.
    ValueInvalid
        A unit's mode or station, or a post's clock time, that is not known.
    """
    if by_hour.shape != (len(places), shift.n_hours):
        expected = f"({len(places)}, {shift.n_hours})"
        raise OptionInvalid(option="demand by hour", value=by_hour.shape, expected=expected)
    if len(stations) == 0:
        raise OptionInvalid(option="stations", value=0, expected="at least one")
    teams = _units(stations, units, shift, rules)
    stationed = stations[stations[Col.STATION_ID].isin({unit.station_id for unit in teams})]
    tonight = _posts(posts, shift)
    named = (
        *_points(stationed, Col.STATION_ID),
        *_points(places, Col.PLACE_ID),
        *(place for place, _ in tonight),
    )
    modes = tuple(mode for mode in Mode if any(unit.mode is mode for unit in teams))
    times = travel.times(named, modes)
    return Problem(
        shift=shift,
        places=named,
        units=teams,
        stops=_stops(places, by_hour, teams, times, rules),
        posts=tuple(post for _, post in tonight),
        rests=tuple(stationed[Col.STATION_ID]),
        travel=times,
        rates=rates or Rates(),
        seed=seed,
        data_date=data_date,
        boundary_version=boundary_version,
        synthetic=synthetic,
        demand=demand,
        speeds=speeds,
    )


def _points(frame: gpd.GeoDataFrame, key: str) -> list[Place]:
    return [
        Place(place_id=place_id, name=name, lon=float(point.x), lat=float(point.y))
        for place_id, name, point in zip(frame[key], frame[Col.NAME], frame.geometry, strict=True)
    ]


def _units(
    stations: gpd.GeoDataFrame, units: pd.DataFrame, shift: Shift, rules: NightRules
) -> tuple[Unit, ...]:
    if len(units) == 0:
        units = _default_units(stations)
    known = set(stations[Col.STATION_ID])
    window = _break_window(shift, rules)
    teams = []
    for row, unit in enumerate(units.to_dict("records"), start=1):
        for column, allowed in ((Col.STATION_ID, known), (Col.MODE, {m.value for m in Mode})):
            if unit[column] not in allowed:
                expected = "a station's id" if column == Col.STATION_ID else ", ".join(Mode)
                raise ValueInvalid(
                    source="units", row=row, column=column, value=unit[column], expected=expected
                )
        teams.append(
            Unit(
                unit_id=unit[Col.UNIT_ID],
                call_sign=unit[Col.CALL_SIGN],
                station_id=unit[Col.STATION_ID],
                mode=Mode(unit[Col.MODE]),
                headcount=int(unit[Col.HEADCOUNT]),
                break_window=window,
                break_length=rules.break_length if window[1] - window[0] > 0 else 0,
            )
        )
    return tuple(teams)


def _default_units(stations: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return two cars per station."""
    return pd.DataFrame(
        [
            {
                Col.UNIT_ID: f"{station_id}-{k}",
                Col.CALL_SIGN: f"{name}{k}组",
                Col.STATION_ID: station_id,
                Col.HEADCOUNT: DEFAULT_HEADCOUNT,
                Col.MODE: Mode.CAR.value,
            }
            for station_id, name in zip(stations[Col.STATION_ID], stations[Col.NAME], strict=True)
            for k in range(1, UNITS_PER_STATION + 1)
        ]
    )


def _break_window(shift: Shift, rules: NightRules) -> tuple[int, int]:
    """Return the break window in whole minutes; empty in a shift too short to hold a break."""
    first, last = (int(share * shift.length) // MINUTE * MINUTE for share in rules.break_share)
    return (first, last) if last - first >= rules.break_length else (first, first)


def _posts(posts: gpd.GeoDataFrame, shift: Shift) -> list[tuple[Place, Post]]:
    """Return the posts that begin within the shift, each with its place."""
    tonight = []
    for row, (post, point) in enumerate(
        zip(posts.to_dict("records"), posts.geometry, strict=True), start=1
    ):
        first, last = (
            _second(shift, post[column], row, column)
            for column in (Col.WINDOW_START, Col.WINDOW_END)
        )
        if first >= shift.length:
            log.info("post %s begins outside the shift and is left out", post[Col.POST_ID])
            continue
        is_pair = post[Col.KIND] == PostKind.PAIR
        place = Place(
            place_id=post[Col.POST_ID], name=post[Col.NAME], lon=float(point.x), lat=float(point.y)
        )
        tonight.append(
            (
                place,
                Post(
                    post_id=post[Col.POST_ID],
                    place_id=place.place_id,
                    kind=VisitKind.PAIR if is_pair else VisitKind.POST,
                    earliest=first,
                    latest=(last if last >= first else last + DAY) if is_pair else first,
                    dwell=int(post[Col.DWELL]),
                    n_units=int(post[Col.N_UNITS]),
                ),
            )
        )
    return tonight


def _second(shift: Shift, clock: str, row: int, column: str) -> int:
    """Return the seconds from the shift's start to the next `clock` (HH:MM)."""
    try:
        at = datetime.combine(shift.start.date(), time.fromisoformat(clock), shift.start.tzinfo)
    except ValueError:
        raise ValueInvalid(
            source="posts", row=row, column=column, value=clock, expected="HH:MM"
        ) from None
    return int((at - shift.start).total_seconds()) % DAY


def _stops(
    places: gpd.GeoDataFrame,
    by_hour: npt.NDArray[np.float64],
    units: tuple[Unit, ...],
    times: TravelTimes,
    rules: NightRules,
) -> tuple[Stop, ...]:
    """Return one stop per place: its rank by demand gives band and reason."""
    is_hot = (places[Col.KIND] != VisitKind.EXPLORATION.value).to_numpy()
    share = _share_above(by_hour.sum(axis=1), is_hot).tolist()
    points = _points_by_hour(by_hour, is_hot, rules)
    is_near = _seconds_from_nearest(places, units, times) <= rules.floor_reach
    return tuple(
        Stop(
            place_id=place_id,
            kind=VisitKind.HOTSPOT if is_hot[i] else VisitKind.EXPLORATION,
            band=_band(share[i], bool(is_hot[i]), bool(is_near[i]), rules),
            value_by_hour=tuple(points[i].tolist()),
            reason=_reason(share[i], bool(is_hot[i]), rules),
            peak_hour=int(by_hour[i].argmax()),
        )
        for i, place_id in enumerate(places[Col.PLACE_ID])
    )


def _share_above(demand: npt.NDArray[np.float64], is_hot: npt.NDArray[np.bool_]) -> np.ndarray:
    """Return, per place, the share of hot spots with more demand: 0 for the highest."""
    ranked = np.argsort(np.argsort(np.where(is_hot, -demand, np.inf), kind="stable"))
    return ranked / max(1, int(is_hot.sum()))


def _points_by_hour(
    by_hour: npt.NDArray[np.float64], is_hot: npt.NDArray[np.bool_], rules: NightRules
) -> npt.NDArray[np.int64]:
    """Return whole points: the square root of demand between the fewest and the most.

    The root keeps a place with a hundred times the reports from outweighing ten others; the
    busiest hundredth of hours earns the most.
    """
    root = np.sqrt(by_hour)
    top = float(np.quantile(root, 0.99)) if root.size else 0.0
    worth = np.zeros_like(root) if top == 0.0 else np.minimum(1.0, root / top)
    span = rules.most_points - rules.fewest_points
    points = rules.fewest_points + np.rint(span * worth).astype(np.int64)
    least = np.where(is_hot, rules.fewest_points, rules.exploration_points)
    stated: npt.NDArray[np.int64] = np.maximum(points, least[:, None])
    return stated


def _seconds_from_nearest(
    places: gpd.GeoDataFrame, units: tuple[Unit, ...], times: TravelTimes
) -> npt.NDArray[np.int64]:
    """Return, per place, the seconds of travel from the nearest unit's station."""
    rows = np.array([times.row[place_id] for place_id in places[Col.PLACE_ID]], np.int64)
    nearest = np.full(len(rows), np.iinfo(np.int64).max)
    for station_id, mode in sorted({(unit.station_id, unit.mode) for unit in units}):
        seconds = times.seconds[times.modes.index(mode), times.row[station_id], rows]
        nearest = np.minimum(nearest, seconds)
    return nearest


def _band(share: float, is_hot: bool, is_near: bool, rules: NightRules) -> Band:
    """Return a place's dosage: more demand, more and longer visits."""
    weight = max(0.0, 1.0 - share) if is_hot else 0.0
    dwell = rules.shortest_dwell + weight * (rules.longest_dwell - rules.shortest_dwell)
    cap = 1 + int(is_hot and share < rules.share_cap_2) + int(is_hot and share < rules.share_cap_3)
    return Band(
        floor=int(is_hot and is_near and share < rules.share_floor),
        cap=cap,
        dwell=int(dwell) // MINUTE * MINUTE,
        spacing=rules.spacing,
    )


def _reason(share: float, is_hot: bool, rules: NightRules) -> str:
    if not is_hot:
        return "patrol.reason.exploration"
    if share < rules.share_cap_3:
        return "patrol.reason.demand_top"
    if share < rules.share_cap_2:
        return "patrol.reason.demand_high"
    return "patrol.reason.demand_some"
