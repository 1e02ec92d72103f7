"""The month's inspections: venues due, to stations, to days, to rounds."""

import calendar
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geo.frames import Col, DueState
from geo.progress import NEVER, Progress, StopToken, silent, stop_if_asked
from geo.units import MINUTE, SYNTHETIC
from geo.venue import CADENCE, Cadence
from routing.inspection.rounds import Month, plan_month, typical_leg
from routing.inspection.territory import Legs, Stations, assign_stations, inspecting_stations
from routing.inspection.work import Days, Work, select_work, working_days
from routing.model import (
    Inspection,
    Mode,
    Round,
    Schedule,
    Status,
    Unserved,
)

Ints = npt.NDArray[np.int64]

DAY_LENGTH: Final = 390 * MINUTE
"""Seconds of a team's working day out of its station: eight hours less 90 minutes inside."""

UNKNOWN, UNREACHED, TOO_FAR, NO_DAY, NO_TIME, ENDED_EARLY = (
    "inspection.cause.unknown",
    "inspection.cause.unreachable",
    "inspection.cause.too_far",
    "inspection.cause.no_day",
    "inspection.cause.no_time",
    "inspection.cause.ended_early",
)
"""Message codes of why a venue is left out."""


def plan_inspections(
    venues: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    travel: Legs,
    *,
    as_of: date,
    last_day: date | None = None,
    closed_days: tuple[date, ...] = (),
    makeup_days: tuple[date, ...] = (),
    teams: Mapping[str, int] | None = None,
    mode: Mode = Mode.CAR,
    day_length: int = DAY_LENGTH,
    cadence: Cadence = CADENCE,
    seed: int = 0,
    data_date: date | None = None,
    boundary_version: str = "",
    progress: Progress = silent,
    stop: StopToken = NEVER,
    enough: StopToken = NEVER,
) -> Schedule:
    """Plan the inspections due from a day to the end of its month.

    Every venue is inspected once, on a working day up to its due day; overdue venues as early as
    they fit, red before yellow before green. Venues that were never inspected are left out and
    named: their due day is not known. What does not fit is left out with its cause.

    Parameters
    ----------
    venues : GeoDataFrame
        VENUES with due and due_state (`geo.venue.due_venues`), EPSG:4326.
    stations : GeoDataFrame
        STATIONS, EPSG:4326.
    travel : Legs
        Travel times.
    as_of : date
        First day that may be planned.
    last_day : date, optional
        Last day; the end of that month when not given.
    closed_days : tuple of date
        Holidays; Saturdays and Sundays are closed as well.
    makeup_days : tuple of date
        Saturdays and Sundays that are worked all the same.
    teams : mapping of str to int, optional
        Inspection teams by station id; one each, none for special stations, when not given.
    mode : Mode
        How teams travel.
    day_length : int
        Seconds from leaving the station to being back.
    cadence : Cadence
        The cadence that `due` was made with.
    seed : int
        Kept with the schedule; the method draws no random number.
    data_date, boundary_version
        Of the venues, for every rate counted on the schedule.
    progress : Progress
        Told the venues planned.
    stop : StopToken
        Looked at before every station.
    enough : StopToken
        Ends the planning with the stations done so far; the venues of the others are left out.

    Returns
    -------
    Schedule

    Raises
    ------
    Stopped
        The stop token was set.
    """
    last_day = last_day or _month_end(as_of)
    days = working_days(as_of, last_day, closed_days, makeup_days)
    work = select_work(venues, days, last_day=last_day, cadence=cadence)
    force = inspecting_stations(stations, teams)
    unknown = venues[Col.DUE_STATE].to_numpy() == DueState.UNKNOWN.value
    draft = _Draft(work=work, stations=force, days=days, mode=mode, day_length=day_length)
    draft.leave_out(venues[Col.VENUE_ID].to_numpy(dtype=object)[unknown], UNKNOWN)
    draft.plan(travel, progress, stop, enough)
    return Schedule(
        first_day=as_of,
        last_day=last_day,
        closed_days=tuple(sorted(closed_days)),
        makeup_days=tuple(sorted(makeup_days)),
        day_length=day_length,
        mode=mode,
        n_teams=int(force.n_teams.sum()),
        rounds=tuple(sorted(draft.rounds, key=lambda one: (one.day, one.team_id))),
        unserved=tuple(sorted(draft.unserved, key=lambda item: item.task_id)),
        missing_days=tuple(sorted(draft.missing_days)),
        status=Status.FEASIBLE,
        engine=f"ortools-{version('ortools')} min-cost flow",
        problem_hash=draft.hasher.hexdigest(),
        seed=seed,
        data_date=data_date or as_of,
        boundary_version=boundary_version,
        n_venues=len(venues),
        n_due=len(work),
        n_unknown=int(unknown.sum()),
        synthetic=bool((venues[Col.SOURCE] == SYNTHETIC).any()),
    )


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A schedule being made, station after station."""

    work: Work
    stations: Stations
    days: Days
    mode: Mode
    day_length: int
    rounds: list[Round] = field(default_factory=list)
    unserved: list[Unserved] = field(default_factory=list)
    missing_days: list[tuple[str, int]] = field(default_factory=list)
    hasher: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def leave_out(self, venue_ids: npt.NDArray[np.object_], cause: str) -> None:
        """List venues as left out."""
        self.unserved += [
            Unserved(task_id=str(v), place_id=str(v), cause=cause, missing=1) for v in venue_ids
        ]

    def plan(self, travel: Legs, progress: Progress, stop: StopToken, enough: StopToken) -> None:
        """Share the venues out to stations and plan each station's month."""
        self._fingerprint()
        if not len(self.days):
            self.leave_out(self.work.venue_id, NO_DAY)
            self._miss_everything()
            return
        if enough.is_set():
            self.leave_out(self.work.venue_id, ENDED_EARLY)
            return
        station = assign_stations(
            self.work,
            self.stations,
            travel,
            mode=self.mode,
            n_days=len(self.days),
            day_length=self.day_length,
        )
        self.leave_out(self.work.venue_id[station < 0], UNREACHED)
        done = int((station < 0).sum())
        for s in range(len(self.stations)):
            stop_if_asked(stop, "planning inspections")
            members = np.flatnonzero(station == s)
            if enough.is_set():
                self.leave_out(self.work.venue_id[members], ENDED_EARLY)
            elif len(members):
                self._plan_station(s, members, travel)
            done += len(members)
            progress(done, len(self.work))

    def _miss_everything(self) -> None:
        """State the team-days of a period without a working day: the stays alone, no way counted.

        They are booked on the first station, as no venue was shared out.
        """
        n_days = -(-int(self.work.service.sum()) // self.day_length)
        if n_days and len(self.stations):
            self.missing_days.append((self.stations.station_id[0], n_days))

    def _fingerprint(self) -> None:
        """Hash everything that decides the schedule but the travel times."""
        work, stations = self.work, self.stations
        for text in (*work.venue_id, *work.tier, *stations.station_id, self.mode, self.day_length):
            self.hasher.update(f"{text}\n".encode())
        for numbers in (
            self.days.astype(np.int64),
            work.due.astype("datetime64[D]").astype(np.int64),
            work.lonlat,
            work.day_cost,
            stations.lonlat,
            stations.n_teams,
        ):
            self.hasher.update(
                np.ascontiguousarray(numbers).astype(numbers.dtype.newbyteorder("<")).tobytes()
            )

    def _plan_station(self, s: int, members: Ints, travel: Legs) -> None:
        """Plan one station's month: its matrix, its rounds, and what they leave out."""
        work = self.work
        ends = travel.snap(np.vstack([self.stations.lonlat[s : s + 1], work.lonlat[members]]))
        seconds = travel.many_to_many(ends, ends, self.mode)
        self.hasher.update(np.ascontiguousarray(seconds, dtype="<i4").tobytes())
        there_and_back = seconds[0, 1:].astype(np.int64) + seconds[1:, 0]
        fits = there_and_back + work.service[members] <= self.day_length
        too_far = members[~fits]
        self.leave_out(work.venue_id[too_far], TOO_FAR)
        kept = np.append(0, np.flatnonzero(fits) + 1)
        members, seconds = members[fits], np.ascontiguousarray(seconds[np.ix_(kept, kept)])
        if not len(members):
            return
        month = Month(
            seconds=seconds,
            lonlat=work.lonlat[members],
            service=work.service[members],
            rank=work.rank[members],
            skip_cost=work.skip_cost[members],
            is_overdue=work.is_overdue[members],
            day_cost=work.day_cost[members],
            n_teams=int(self.stations.n_teams[s]),
            limit=self.day_length,
        )
        made = plan_month(month)
        self.rounds += _rounds(self, s, members, month, made)
        self._leave_the_rest(s, members, month, made)

    def _leave_the_rest(
        self, s: int, members: Ints, month: Month, made: list[tuple[int, Ints]]
    ) -> None:
        """List the venues no round had time for, and the team-days they would take."""
        planned = np.zeros(len(members), dtype=bool)
        for _, visits in made:
            planned[visits - 1] = True
        left = np.flatnonzero(~planned)
        self.leave_out(self.work.venue_id[members[left]], NO_TIME)
        if len(left):
            out = int(np.median(month.seconds[0, left + 1] + month.seconds[left + 1, 0]))
            each = int(month.service[left].sum()) + typical_leg(month) * len(left)
            n_days = -(-each // max(1, month.limit - out))
            self.missing_days.append((self.stations.station_id[s], n_days))


def _rounds(
    draft: _Draft, s: int, members: Ints, month: Month, made: list[tuple[int, Ints]]
) -> Iterator[Round]:
    """Yield a station's rounds with their clock; teams are numbered by day."""
    n_made: Counter[int] = Counter()
    station_id = draft.stations.station_id[s]
    for day, visits in made:
        n_made[day] += 1
        team_id = f"{station_id}-J{n_made[day]}"
        on = draft.days[day].astype(date)
        inspections = tuple(_inspections(draft.work, members, month, visits))
        back = int(month.seconds[visits[-1], 0])
        yield Round(
            round_id=f"{team_id}-{on:%Y%m%d}",
            team_id=team_id,
            station_id=station_id,
            day=on,
            travel_back=back,
            end=inspections[-1].depart + back,
            inspections=inspections,
        )


def _inspections(work: Work, members: Ints, month: Month, visits: Ints) -> Iterator[Inspection]:
    clock, here = 0, 0
    for v in visits.tolist():
        row = members[v - 1]
        travel = int(month.seconds[here, v])
        arrive = clock + travel
        clock, here = arrive + int(month.service[v - 1]), v
        yield Inspection(
            venue_id=str(work.venue_id[row]),
            place_id=str(work.venue_id[row]),
            tier=str(work.tier[row]),
            kind=str(work.kind[row]),
            due=work.due[row].astype(date),
            is_overdue=bool(work.is_overdue[row]),
            travel=travel,
            arrive=arrive,
            depart=clock,
        )
