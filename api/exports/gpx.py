"""Each team's planned night as GPX, for navigation devices and apps."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import gpxpy.gpx
import numpy as np
import numpy.typing as npt
import shapely

from api.exports.text import CREATOR, without_controls
from api.i18n import Language, text
from geo.errors import OptionInvalid
from geo.frames import Col
from geo.privacy import Audience, Visible, allowed
from routing.model import Plan, Route, Unit, Visit, VisitKind

if TYPE_CHECKING:
    from routing.pipeline import Tonight


def write_gpx(
    tonight: "Tonight",
    directory: Path,
    *,
    audience: Audience,
    lang: Language = "zh",
    unit_id: str | None = None,
) -> tuple[Path, ...]:
    """Write each team's planned night as GPX: stops as waypoints with times, streets as a track.

    Parameters
    ----------
    tonight : routing.pipeline.Tonight
    directory : Path
        Made when it does not exist.
    audience : Audience
        Command gets every team, a team its own; to others no route is revealed and nothing is
        written.
    lang : {'zh', 'en'}
    unit_id : str, optional
        The team, when the audience is a team.

    Returns
    -------
    tuple of Path
        One file per team, named by number and call-sign.

    Raises
    ------
    OptionInvalid
        A team's product without its team.
    """
    directory.mkdir(parents=True, exist_ok=True)
    plan = tonight.plan
    written = []
    for number, unit in enumerate(plan.problem.units, 1):
        route = _route_of(plan, unit)
        if route is None or not _may_see(audience, unit, unit_id):
            continue
        path = directory / f"{number:02d}_{safe_name(unit.call_sign)}.gpx"
        document = _gpx(tonight, unit, route, audience=audience, lang=lang)
        path.write_text(document.to_xml(version="1.1"), encoding="utf-8", newline="\n")
        written.append(path)
    return tuple(written)


def _may_see(audience: Audience, unit: Unit, unit_id: str | None) -> bool:
    if allowed(audience, Visible.FUTURE_ROUTES):
        return unit_id in (None, unit.unit_id)
    if not allowed(audience, Visible.OWN_ROUTE):
        return False
    if unit_id is None:
        raise OptionInvalid(option="unit_id", value=None, expected="the team that may see it")
    return unit_id == unit.unit_id


def _route_of(plan: Plan, unit: Unit) -> Route | None:
    routes = (route for route in plan.routes if route.unit_id == unit.unit_id and route.visits)
    return next(routes, None)


def safe_name(name: str) -> str:
    """Return a name that every file system takes: letters, digits, CJK, ``-`` and ``_``.

    Examples
    --------
    >>> safe_name("../古楼所 1组:<a>")
    '古楼所_1组_a'
    """
    return re.sub(r"[^\w-]+", "_", name).strip("_.")[:60] or "team"


def _gpx(
    tonight: "Tonight", unit: Unit, route: Route, *, audience: Audience, lang: Language
) -> gpxpy.gpx.GPX:
    plan, layers = tonight.plan, tonight.layers
    shift = plan.problem.shift
    night = shift.start.date().isoformat()
    document = gpxpy.gpx.GPX()
    document.creator = CREATOR
    document.name = without_controls(
        text("export.gpx.name", lang, unit=unit.call_sign, night=night)
    )
    about = text(
        "export.gpx.about",
        lang,
        audience=text(f"export.audience.{audience.value}", lang),
        night=night,
        plan=plan.plan_id,
        date=layers.data_date.isoformat(),
        version=layers.boundary_version,
    )
    notes = [about, text("export.gpx.synthetic", lang)] if layers.synthetic else [about]
    document.description = without_controls(" ".join([*notes, *layers.attribution]))
    document.time = shift.start.astimezone(UTC)
    document.waypoints.extend(_waypoints(plan, route, lang))
    track = gpxpy.gpx.GPXTrack(name=document.name, description=document.description)
    track.segments.extend(_segments(tonight, unit))
    document.tracks.append(track)
    return document


def _waypoints(plan: Plan, route: Route, lang: Language) -> list[gpxpy.gpx.GPXWaypoint]:
    """Return the station with the time of leaving, then every stay with its planned times."""
    places = {place.place_id: place for place in plan.problem.places}
    home = places[route.station_id]
    start = gpxpy.gpx.GPXWaypoint(home.lat, home.lon, time=_utc(plan, route.start))
    start.name = without_controls(text("export.gpx.start", lang, name=home.name))
    points, number = [start], 0
    for visit in route.visits:
        place = places[visit.place_id]
        number += visit.kind is not VisitKind.BREAK
        point = gpxpy.gpx.GPXWaypoint(place.lat, place.lon, time=_utc(plan, visit.arrive))
        label = "" if visit.kind is VisitKind.BREAK else f"{number:02d} "
        point.name = without_controls(f"{label}{place.name}")
        point.type = visit.kind.value
        point.description = without_controls(_stay(plan, visit, lang))
        points.append(point)
    return points


def _stay(plan: Plan, visit: Visit, lang: Language) -> str:
    clocks = {
        key: f"{plan.problem.shift.at(second):%H:%M}"
        for key, second in (("arrive", visit.arrive), ("depart", visit.depart))
    }
    stay = text("export.gpx.stay", lang, **clocks)
    return f"{stay} · {text(visit.reason, lang)}" if visit.reason else stay


def _segments(tonight: "Tonight", unit: Unit) -> list[gpxpy.gpx.GPXTrackSegment]:
    """Return the streets of each leg; times only at its ends, where the plan has them."""
    legs = tonight.legs[tonight.legs[Col.UNIT_ID] == unit.unit_id].sort_values(Col.ORDER)
    times = zip(legs.geometry, legs[Col.DEPART], legs[Col.ARRIVE], strict=True)
    return [
        _segment(shapely.get_coordinates(line), tonight.plan, depart, arrive)
        for line, depart, arrive in times
        if not line.is_empty
    ]


def _segment(
    lonlat: npt.NDArray[np.float64], plan: Plan, depart: int, arrive: int
) -> gpxpy.gpx.GPXTrackSegment:
    points = [gpxpy.gpx.GPXTrackPoint(lat, lon) for lon, lat in lonlat]
    points[0].time, points[-1].time = _utc(plan, depart), _utc(plan, arrive)
    return gpxpy.gpx.GPXTrackSegment(points)


def _utc(plan: Plan, second: int) -> datetime:
    """Return an instant of the shift in UTC, as GPX wants it."""
    return plan.problem.shift.at(second).astimezone(UTC)
