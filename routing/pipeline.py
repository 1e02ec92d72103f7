"""The one composition that command line, HTTP jobs and notebooks share.

boundaries -> cells -> venues, incidents -> demand -> travel times -> plan -> check.
Values in, a value out: reading and writing happen outside.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.calendar import WorkingCalendar
from geo.demand import Demand, PlaceRules, choose_places, estimate_demand
from geo.errors import CheckFailed, OptionInvalid
from geo.frames import Col, DueState, Layers
from geo.grid import assign_cells, cut_cells, split_by_cells
from geo.incident import StreetGroups, count_addresses, roll_up_segments
from geo.io.calendars import shipped_calendar
from geo.progress import NEVER, Either, SilentSteps, Steps, StopToken, stop_if_asked
from geo.units import CITY_ZONE, UNITS_PER_STATION
from geo.venue import due_venues
from routing.basis import basis_of
from routing.check import check_legs, check_plan, check_schedule
from routing.frames import legs_frame
from routing.inspection import plan_inspections
from routing.metrics import Metric, measure
from routing.model import Plan, Schedule, Shift
from routing.network import NIGHT, Profile
from routing.patrol import plan_night, pose_night
from routing.roads import Note, closures_held, require_near, speeds_of, travel_of, within_reach

if TYPE_CHECKING:
    from routing.io.network_file import NetworkFile

PLACES_PER_UNIT = 11
"""Places on offer per unit and night: about twice what a team can visit in six hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """A whole night and month: what faces show, hand over and measure.

    Attributes
    ----------
    layers : Layers
        Input layers, EPSG:4326.
    cells : GeoDataFrame
        `geo.frames.CELLS` with n_venues, n_incidents and n_due, EPSG:4326.
    venues : GeoDataFrame
        `geo.frames.VENUES` with cell_id, due and due_state, EPSG:4326.
    unmatched : DataFrame
        Venues and incidents in no cell, and venues no round visits because they lie over `REACH_M`
        from every street or closures cut them off: layer, id, lon, lat, reason (outside,
        off_roads, cut_off).
    demand : Demand
        Expected reports by segment and hour of the shift.
    plan : Plan
        The night, verified.
    legs : GeoDataFrame
        `routing.frames.LEGS`: the streets of every leg, EPSG:4326.
    schedule : Schedule
        The month's inspections, verified.
    metrics : tuple of Metric
        The figures, each with its denominator.
    notes : tuple of (code, params)
        What was dropped or assumed on the way.
    """

    layers: Layers
    cells: gpd.GeoDataFrame
    venues: gpd.GeoDataFrame
    unmatched: pd.DataFrame
    demand: Demand
    plan: Plan
    legs: gpd.GeoDataFrame
    schedule: Schedule
    metrics: tuple[Metric, ...]
    notes: tuple[Note, ...]


def shift_from(day: date, clock: str) -> Shift:
    """Return the shift that begins on `day`, from a text like ``20:00-02:00``.

    Raises
    ------
    OptionInvalid
        Not two different clock times.
    """
    match = re.fullmatch(
        r"(\d{1,2})[:：](\d{2})\s*[-–—~～至到]\s*(\d{1,2})[:：](\d{2})", clock.strip()
    )
    try:
        if match is None:
            raise ValueError(clock)  # noqa: TRY301
        hours, minutes = match.group(1, 3), match.group(2, 4)
        begin, end = (
            datetime.combine(day, time(int(h), int(m)), CITY_ZONE)
            for h, m in zip(hours, minutes, strict=True)
        )
    except ValueError as error:
        raise OptionInvalid(option="--shift", value=clock, expected="HH:MM-HH:MM") from error
    if end == begin:
        raise OptionInvalid(option="--shift", value=clock, expected="two different times")
    if end < begin:
        end += timedelta(days=1)
    return Shift(start=begin, length=int((end - begin).total_seconds()))


def plan_tonight(
    layers: Layers,
    *,
    shift: Shift,
    seed: int,
    cells: gpd.GeoDataFrame | None = None,
    calendar: WorkingCalendar | None = None,
    profile: Profile = NIGHT,
    closures: gpd.GeoDataFrame | None = None,
    ready: "NetworkFile | None" = None,
    sources: Mapping[str, str] | None = None,
    steps: Steps | None = None,
    stop: StopToken = NEVER,
    enough: StopToken = NEVER,
) -> Tonight:
    """Plan one night's patrol and one month's inspections on a city's layers.

    Parameters
    ----------
    layers : Layers
        The city, WGS-84; rows already screened by the readers.
    shift : Shift
        The night; its day also fixes the month of the inspections.
    seed : int
        Same layers, cells, shift, seed and calendar give the same result.
    cells : GeoDataFrame, optional
        CELLS frame that was cut from these layers before; cut here when not given.
    calendar : WorkingCalendar, optional
        Which days are worked; the public holidays that come with patrolgrid when not given.
    profile : Profile
        Speeds; those of the part of the day that most of the shift lies in count.
    closures : GeoDataFrame, optional
        CLOSURES frame; what holds at any time of the shift counts for all of it.
    ready : NetworkFile, optional
        Network made of these streets before, with a profile of its own; built here when not given.
    sources : mapping of str to str, optional
        What the user calls the file of a layer, in messages.
    steps : Steps, optional
        Told which step runs and how far it is.
    stop : StopToken
        Set it to stop between steps and inside the solvers.
    enough : StopToken
        Set it to end soon with the best so far: the patrol search ends with its best plan, the
        inspections with the stations planned by then. Before there is a plan it stops the work.

    Returns
    -------
    Tonight

    Raises
    ------
    StationUnreachable
        The streets do not reach a station or post; names it, before the long work begins.
    InfeasibleError
        The night's musts contradict each other; names them.
    CheckFailed
        The verifier refuses the plan: a defect of ours, never shown as a plan.
    Stopped
        The stop token was set, or `enough` before there was a plan.
    """
    steps = steps or SilentSteps()
    no_plan_yet = Either(stop, enough)
    n_units = len(layers.units) or UNITS_PER_STATION * len(layers.stations)
    day = shift.start.date()
    last_day = day.replace(day=monthrange(day.year, day.month)[1])
    calendar = calendar or shipped_calendar()
    with steps.step("travel"):
        travel, report = travel_of(layers, shift, profile=profile, closures=closures, ready=ready)
        apart = require_near(travel, layers, sources or {})
    stop_if_asked(no_plan_yet, "travel")
    if cells is None:
        with steps.step("cells") as progress:
            cells = cut_cells(
                layers.boundaries,
                layers.streets,
                layers.water,
                layers.buildings,
                epsg=layers.epsg,
                progress=progress,
                stop=no_plan_yet,
            )
    with steps.step("join"):
        venues, cells, unmatched = _join_to_cells(layers, cells, as_of=day)
        plannable, unmatched, cut_off = within_reach(venues, unmatched, travel, layers.stations)
    stop_if_asked(no_plan_yet, "demand")
    with steps.step("demand"):
        place_rules = PlaceRules()
        demand = estimate_demand(
            layers.incidents,
            layers.streets,
            cells,
            epsg=layers.epsg,
            shift_start_hour=shift.start.hour,
            n_hours=shift.n_hours,
            as_of=layers.data_date,
            groups=_street_groups(layers),
        )
        places, by_hour = choose_places(
            demand,
            layers.streets,
            cells,
            epsg=layers.epsg,
            n_places=PLACES_PER_UNIT * n_units,
            seed=seed,
            teams=_teams_by_area(layers, cells),
            rules=place_rules,
        )
    stop_if_asked(no_plan_yet, "patrol")
    with steps.step("patrol") as progress:
        problem = pose_night(
            places,
            by_hour,
            layers.stations,
            layers.units,
            layers.posts,
            travel,
            shift=shift,
            seed=seed,
            data_date=layers.data_date,
            boundary_version=layers.boundary_version,
            synthetic=layers.synthetic,
            demand=basis_of(demand, place_rules),
            speeds=speeds_of(travel),
        )
        plan = plan_night(problem, progress=progress, stop=stop, enough=enough)
    with steps.step("inspection") as progress:
        schedule = plan_inspections(
            plannable,
            layers.stations,
            travel,
            as_of=day,
            last_day=last_day,
            closed_days=calendar.closed_days(day, last_day),
            makeup_days=calendar.makeup_days(day, last_day),
            seed=seed,
            data_date=layers.data_date,
            boundary_version=layers.boundary_version,
            progress=progress,
            stop=stop,
            enough=enough,
        )
    stop_if_asked(stop, "check")
    with steps.step("check"):
        _require_good(plan, schedule, plannable, layers.stations)
        legs = legs_frame(plan, travel)
        metrics = measure(plan, schedule, plannable, demand, legs=legs)
    return Tonight(
        layers=layers,
        cells=cells,
        venues=venues,
        unmatched=unmatched,
        demand=demand,
        plan=plan,
        legs=legs,
        schedule=schedule,
        metrics=metrics,
        notes=(
            *report.findings(),
            *apart,
            *closures_held(travel.conditions),
            *cut_off,
            *_other_nights(layers.posts, plan),
            *_assumed_weeks(calendar, day, last_day),
        ),
    )


def _street_groups(layers: Layers) -> StreetGroups | None:
    """Return segments of one to four addresses rolled up; None where addresses are not known."""
    if layers.buildings.empty:
        return None
    addresses = count_addresses(layers.streets, layers.buildings, layers.venues, epsg=layers.epsg)
    return roll_up_segments(layers.streets, addresses, epsg=layers.epsg, bare_stand=True)


def _join_to_cells(
    layers: Layers, cells: gpd.GeoDataFrame, *, as_of: date
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.DataFrame]:
    """Return venues with cell and due day, cells with their counts, and what lies in no cell."""
    venues = split_by_cells(
        due_venues(layers.venues, as_of=as_of),
        cells,
        layer="venues",
        key=Col.VENUE_ID,
        epsg=layers.epsg,
    )
    incidents = split_by_cells(
        layers.incidents, cells, layer="incidents", key=Col.INCIDENT_ID, epsg=layers.epsg
    )
    is_due = venues.frame[Col.DUE_STATE].isin([DueState.DUE, DueState.OVERDUE])
    counts = {
        Col.N_VENUES: venues.frame[Col.CELL_ID],
        Col.N_INCIDENTS: incidents.frame[Col.CELL_ID],
        Col.N_DUE: venues.frame.loc[is_due, Col.CELL_ID],
    }
    counted = cells.assign(**{name: _count(cells[Col.CELL_ID], of) for name, of in counts.items()})
    unmatched = pd.concat([venues.unmatched, incidents.unmatched], ignore_index=True)
    return venues.frame, counted, unmatched


def _count(cell_ids: pd.Series, members: pd.Series) -> pd.Series:
    """Return how many `members` each cell has."""
    return cell_ids.map(members.value_counts()).fillna(0).astype("int64")


def _teams_by_area(layers: Layers, cells: gpd.GeoDataFrame) -> dict[str, float] | None:
    """Return the units on duty per township (or county), by where their station stands."""
    if layers.units.empty:
        return None
    cell_id = assign_cells(layers.stations, cells, epsg=layers.epsg)
    township = cells[Col.TOWNSHIP_CODE]
    area = township.where(township != "", cells[Col.COUNTY_CODE])
    area_of = dict(zip(cells[Col.CELL_ID], area, strict=True))
    area_of_station = dict(
        zip(layers.stations[Col.STATION_ID], cell_id.map(area_of).fillna(""), strict=True)
    )
    counts = layers.units[Col.STATION_ID].map(area_of_station).fillna("").value_counts()
    return {str(name): float(n) for name, n in counts.items() if name != ""}


def _other_nights(posts: gpd.GeoDataFrame, plan: Plan) -> tuple[Note, ...]:
    """Return a note on the posts whose window does not begin within the shift."""
    tonight = {post.post_id for post in plan.problem.posts}
    others = [post_id for post_id in posts[Col.POST_ID] if post_id not in tonight]
    if not others:
        return ()
    return (("patrol.note.posts", {"n": len(others), "total": len(posts), "posts": others}),)


def _assumed_weeks(calendar: WorkingCalendar, first: date, last: date) -> Iterator[Note]:
    """Yield a note on every year whose public holidays are not known."""
    for year in calendar.unpublished_years(first, last):
        yield "calendar.note.unpublished", {"year": year}


def _require_good(
    plan: Plan, schedule: Schedule, venues: gpd.GeoDataFrame, stations: gpd.GeoDataFrame
) -> None:
    """Raise when the verifier finds a violation: no plan leaves this house unchecked."""
    violations = (*check_plan(plan), *check_legs(plan), *check_schedule(schedule, venues, stations))
    if violations:
        raise CheckFailed(n=len(violations), first=violations[0])
