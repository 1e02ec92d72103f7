"""`due.json`: a month's inspections, complete enough to be judged from the file alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd

from geo.errors import InputError, OptionInvalid, PlanInvalid
from geo.frames import Col
from geo.privacy import Audience, Visible, allowed
from routing.check import Rule, Violation
from routing.check.legs import Point
from routing.check.schedule import Month, Venue, month_faults, working_days
from routing.check.violation import broken
from routing.io.document import Document, differences, load, render, seal, write_text
from routing.model import SERVICE, Inspection, Mode, Round, Schedule, Status, Unserved

FORMAT = "patrolgrid.schedule/1"
SCHEMA = "schedule.schema.json"

UNITS = {
    "day, due": "calendar day, ISO 8601",
    "arrive_s, depart_s, end_s": "whole seconds from leaving the station",
    "…_s": "whole seconds",
    "lon, lat": "degrees, WGS-84 (EPSG:4326)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A venue or station as the file names it."""

    name: str
    lon: float
    lat: float
    kind: str = ""
    tier: str = ""
    due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFile:
    """A schedule as it stands on disk, with the venues and stations it names."""

    schedule: Schedule
    audience: Audience
    venues: Mapping[str, Site]
    stations: Mapping[str, Site]
    attribution: tuple[str, ...] = ()


def write_schedule(
    schedule: Schedule,
    path: Path,
    *,
    venues: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    audience: Audience,
    attribution: tuple[str, ...] = (),
) -> None:
    """Write `due.json`, whole or not at all; the same schedule gives the same bytes.

    Parameters
    ----------
    schedule : Schedule
    path : Path
        In an existing folder; an older file is replaced.
    venues : GeoDataFrame
        VENUES with due and due_state, EPSG:4326.
    stations : GeoDataFrame
        STATIONS, EPSG:4326.
    audience : Audience
    attribution : tuple of str
        Lines to print wherever the schedule is shown.

    Raises
    ------
    OptionInvalid
        An audience that may not see who is inspected when.
    """
    if not allowed(audience, Visible.ROTAS):
        raise OptionInvalid(option="audience", value=audience, expected=Audience.COMMAND)
    file = ScheduleFile(
        schedule=schedule,
        audience=audience,
        venues=_sites(venues, Col.VENUE_ID, _named(schedule)),
        stations=_sites(stations, Col.STATION_ID, _used(schedule)),
        attribution=attribution,
    )
    write_text(render(_document(file)) + "\n", path)


def read_schedule(path: Path) -> Schedule:
    """Read the schedule of a `due.json`.

    Raises
    ------
    FileMissing, FileUnreadable
        No such file; not a text file, or too large.
    PlanInvalid
        Not a schedule by the published schema; says where.
    """
    return _parse(_load(path), source=path.name).schedule


def check_schedule_file(path: Path) -> tuple[Violation, ...]:
    """Judge a schedule again from its file alone.

    Raises
    ------
    FileMissing, FileUnreadable, PlanInvalid
        As `read_schedule`.
    """
    document = _load(path)
    file = _parse(document, source=path.name)
    month = Month(
        schedule=file.schedule,
        venues={i: _venue(site) for i, site in file.venues.items()},
        stations={i: Point(site.lon, site.lat) for i, site in file.stations.items()},
        first_working_day=next(working_days(file.schedule), None),
        has_all_venues=False,
    )
    return (*month_faults(month), *_differences(document, file))


def _load(path: Path) -> Document:
    return load(path, family="patrolgrid.schedule/", schema=SCHEMA)


def _venue(site: Site) -> Venue:
    return Venue(tier=site.tier, kind=site.kind, due=site.due, point=Point(site.lon, site.lat))


def _differences(document: Document, file: ScheduleFile) -> Iterator[Violation]:
    """Require that a file says what its schedule would be written as."""
    for where in differences(document, _document(file)):
        yield broken(Rule.FILE_DIFFERS, where=where)


def _named(schedule: Schedule) -> set[str]:
    planned = {item.venue_id for one in schedule.rounds for item in one.inspections}
    return planned | {item.task_id for item in schedule.unserved}


def _used(schedule: Schedule) -> set[str]:
    return {one.station_id for one in schedule.rounds} | {s for s, _ in schedule.missing_days}


def _sites(frame: gpd.GeoDataFrame, key: str, wanted: set[str]) -> dict[str, Site]:
    """Return the wanted rows of a frame by id."""
    rows = frame[frame[key].isin(sorted(wanted))]
    has_due = Col.DUE in rows.columns
    due = rows[Col.DUE].to_numpy().astype("datetime64[D]").astype(date) if has_due else None
    return {
        site_id: Site(
            name=rows[Col.NAME].iloc[k],
            lon=float(point.x),
            lat=float(point.y),
            kind=rows[Col.KIND].iloc[k],
            tier=rows[Col.TIER].iloc[k] if has_due else "",
            due=due[k] if due is not None else None,
        )
        for k, (site_id, point) in enumerate(zip(rows[key], rows.geometry, strict=True))
    }


def _document(file: ScheduleFile) -> Document:
    schedule = file.schedule
    made_up = [day.isoformat() for day in schedule.makeup_days]
    members = {
        "format": FORMAT,
        "units": UNITS,
        "first_day": schedule.first_day.isoformat(),
        "last_day": schedule.last_day.isoformat(),
        "closed_days": [day.isoformat() for day in schedule.closed_days],
        **({"makeup_days": made_up} if made_up else {}),
        "audience": file.audience,
        "synthetic": schedule.synthetic,
        "attribution": list(file.attribution),
        "data_date": schedule.data_date.isoformat(),
        "boundary_version": schedule.boundary_version,
        "engine": schedule.engine,
        "seed": schedule.seed,
        "problem_hash": schedule.problem_hash,
        "status": schedule.status,
        "mode": schedule.mode,
        "day_length_s": schedule.day_length,
        "service_s": dict(SERVICE),
        "n_teams": schedule.n_teams,
        "n_venues": schedule.n_venues,
        "n_due": schedule.n_due,
        "n_unknown": schedule.n_unknown,
        "stations": [_station(file, station_id) for station_id in sorted(_used(schedule))],
        "rounds": [_round(file, one) for one in schedule.rounds],
        "unserved": [_unserved(file, item) for item in schedule.unserved],
    }
    return seal(members)


def _station(file: ScheduleFile, station_id: str) -> Document:
    site = file.stations.get(station_id)
    return {
        "station_id": station_id,
        "name": site.name if site else None,
        "lon": site.lon if site else None,
        "lat": site.lat if site else None,
        "missing_team_days": dict(file.schedule.missing_days).get(station_id, 0),
    }


def _round(file: ScheduleFile, one: Round) -> Document:
    return {
        "round_id": one.round_id,
        "team_id": one.team_id,
        "station_id": one.station_id,
        "day": one.day.isoformat(),
        "travel_back_s": one.travel_back,
        "end_s": one.end,
        "inspections": [
            _inspection(file.venues[item.venue_id], order, item)
            for order, item in enumerate(one.inspections, start=1)
        ],
    }


def _inspection(site: Site, order: int, item: Inspection) -> Document:
    return {
        "order": order,
        "venue_id": item.venue_id,
        "name": site.name,
        "kind": item.kind,
        "tier": item.tier,
        "due": item.due.isoformat(),
        "is_overdue": item.is_overdue,
        "lon": site.lon,
        "lat": site.lat,
        "travel_s": item.travel,
        "arrive_s": item.arrive,
        "depart_s": item.depart,
    }


def _unserved(file: ScheduleFile, item: Unserved) -> Document:
    site = file.venues[item.task_id]
    return {
        "venue_id": item.task_id,
        "name": site.name,
        "kind": site.kind,
        "tier": site.tier,
        "due": site.due.isoformat() if site.due else None,
        "lon": site.lon,
        "lat": site.lat,
        "cause": item.cause,
    }


def _parse(document: Document, *, source: str) -> ScheduleFile:
    """Return what the document says.

    Raises
    ------
    PlanInvalid
        A value that the schema lets pass and the model refuses, such as 31 February.
    """
    try:
        return _parse_file(document)
    except (InputError, ValueError, OverflowError) as error:
        raise PlanInvalid(source=source, where="$", detail=str(error)[:120]) from error


def _parse_file(document: Document) -> ScheduleFile:
    venues = [*document["unserved"]]
    for one in document["rounds"]:
        venues += one["inspections"]
    return ScheduleFile(
        schedule=_parse_schedule(document),
        audience=Audience(document["audience"]),
        venues={venue["venue_id"]: _parse_site(venue) for venue in venues},
        stations={s["station_id"]: _parse_site(s) for s in document["stations"]},
        attribution=tuple(document["attribution"]),
    )


def _parse_site(part: Document) -> Site:
    due = part.get("due")
    return Site(
        name=part["name"],
        lon=part["lon"],
        lat=part["lat"],
        kind=part.get("kind", ""),
        tier=part.get("tier", ""),
        due=date.fromisoformat(due) if due else None,
    )


def _parse_schedule(document: Document) -> Schedule:
    return Schedule(
        first_day=date.fromisoformat(document["first_day"]),
        last_day=date.fromisoformat(document["last_day"]),
        closed_days=tuple(date.fromisoformat(day) for day in document["closed_days"]),
        makeup_days=tuple(date.fromisoformat(day) for day in document.get("makeup_days", [])),
        day_length=document["day_length_s"],
        mode=Mode(document["mode"]),
        rounds=tuple(_parse_round(one) for one in document["rounds"]),
        unserved=tuple(
            Unserved(
                task_id=item["venue_id"],
                place_id=item["venue_id"],
                cause=item["cause"],
                missing=1,
            )
            for item in document["unserved"]
        ),
        missing_days=tuple(
            (s["station_id"], s["missing_team_days"])
            for s in document["stations"]
            if s["missing_team_days"]
        ),
        status=Status(document["status"]),
        engine=document["engine"],
        problem_hash=document["problem_hash"],
        seed=document["seed"],
        data_date=date.fromisoformat(document["data_date"]),
        boundary_version=document["boundary_version"],
        n_teams=document["n_teams"],
        n_venues=document["n_venues"],
        n_due=document["n_due"],
        n_unknown=document["n_unknown"],
        synthetic=document["synthetic"],
    )


def _parse_round(one: Document) -> Round:
    return Round(
        round_id=one["round_id"],
        team_id=one["team_id"],
        station_id=one["station_id"],
        day=date.fromisoformat(one["day"]),
        travel_back=one["travel_back_s"],
        end=one["end_s"],
        inspections=tuple(_parse_inspection(item) for item in one["inspections"]),
    )


def _parse_inspection(item: Document) -> Inspection:
    return Inspection(
        venue_id=item["venue_id"],
        place_id=item["venue_id"],
        tier=item["tier"],
        kind=item["kind"],
        due=date.fromisoformat(item["due"]),
        is_overdue=item["is_overdue"],
        travel=item["travel_s"],
        arrive=item["arrive_s"],
        depart=item["depart_s"],
    )
