"""The service standard: who is nearer than half an hour in town, one hour in the country."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.boundary import unit_codes
from geo.errors import OptionInvalid
from geo.frames import MISSED, Col, MissReason, Setting, Target, Type, empty_frame
from geo.place import deepest_units
from geo.progress import NEVER, Progress, StopToken, silent
from geo.rate import Rate
from geo.units import LONLAT_EPSG, MINUTE
from routing.hierarchy import Ints
from routing.model import UNREACHABLE
from routing.travel.coverage.target import Departures, Numbers, Targets
from routing.travel.times import REACH_M


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Minutes within which a team of the nearest station is there: 城镇半小时, 农村一小时."""

    town: int = 30
    country: int = 60

    def __post_init__(self) -> None:
        for name, minutes in (("town", self.town), ("country", self.country)):
            if minutes < 1:
                raise OptionInvalid(option=name, value=minutes, expected="1 minute or more")

    def minutes(self, setting: Setting) -> int:
        """Return what a setting allows; where it is not known, what town does."""
        return self.country if setting is Setting.COUNTRY else self.town


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How far the standard is kept.

    Attributes
    ----------
    missed : GeoDataFrame
        MISSED frame, the farthest first: every place outside the standard, with its reason.
    kept : mapping of (Target, Setting) to Rate
        Households or venues within the standard, of all in that setting; settings without a place
        are absent.
    """

    missed: gpd.GeoDataFrame
    kept: Mapping[tuple[Target, Setting], Rate]


def check_service(
    departures: Departures,
    targets: Sequence[Targets],
    boundaries: gpd.GeoDataFrame,
    settings: pd.Series,
    *,
    data_date: date,
    boundary_version: str,
    standard: Standard | None = None,
    progress: Progress = silent,
    stop: StopToken = NEVER,
) -> Service:
    """Judge every building and venue by the time from the station that is there first.

    Parameters
    ----------
    departures : Departures
        From the stations.
    targets : sequence of Targets
    boundaries : GeoDataFrame
        BOUNDARIES frame.
    settings : Series of str
        Setting of each unit of `boundaries`, as `geo.place.setting.unit_settings` returns them.
    data_date, boundary_version
        Of the targets; every rate carries them.
    standard : Standard, optional
        Half an hour in town, one hour in the country.
    progress, stop
        Counted in targets.

    Raises
    ------
    OptionInvalid
        No station.
    StationUnreachable
        A station that lies farther than 500 m from any street.
    Stopped
        A stop was asked for.
    """
    if not departures.places:
        raise OptionInvalid(option="stations", value=0, expected="1 or more")
    missed, kept = [], {}
    for one in targets:
        units = _units(one, boundaries, settings, epsg=departures.travel.network.epsg)
        judged = _laid_out(one, units, standard or Standard())
        nearest, seconds = _soonest(departures, one, progress, stop)
        judged = _judged(judged, departures, one, nearest, seconds)
        is_kept = (judged[Col.REASON] == "").to_numpy()
        for setting in Setting:
            size = np.where(judged[Col.SETTING] == setting, one.size, 0)
            if size.any():
                kept[one.target, setting] = Rate(
                    n=int(size[is_kept].sum()),
                    total=int(size.sum()),
                    data_date=data_date,
                    boundary_version=boundary_version,
                )
        missed.append(judged[~is_kept])
    return Service(
        missed=_missed(missed, data_date=data_date, boundary_version=boundary_version), kept=kept
    )


def _soonest(
    departures: Departures, targets: Targets, progress: Progress, stop: StopToken
) -> tuple[Numbers, Ints]:
    """Return the row of the station that is there first, and its seconds, shapes (n_targets,)."""
    nearest = np.zeros(len(targets), np.int64)
    soonest = np.full(len(targets), UNREACHABLE, np.int32)
    for rows, seconds in departures.seconds_to(targets, progress=progress, stop=stop):
        nearest[rows] = seconds.argmin(axis=0)
        soonest[rows] = seconds[nearest[rows], np.arange(len(rows))]
    return nearest, soonest


def _units(
    targets: Targets, boundaries: gpd.GeoDataFrame, settings: pd.Series, *, epsg: int
) -> pd.DataFrame:
    """Return township code and name and the setting of each target."""
    points = gpd.GeoDataFrame(geometry=targets.points)
    row = deepest_units(points, boundaries, epsg=epsg)
    code = unit_codes(boundaries)[Col.TOWNSHIP_CODE].to_numpy(dtype=object)
    name = dict(zip(boundaries[Col.CODE], boundaries[Col.NAME], strict=True))
    township = np.where(row >= 0, code[row], "")
    setting = np.where(row >= 0, settings.to_numpy(dtype=object)[row], Setting.UNKNOWN.value)
    return pd.DataFrame(
        {
            Col.TOWNSHIP_CODE: pd.Series(township, dtype="str"),
            Col.TOWNSHIP: pd.Series([name.get(one, "") for one in township], dtype="str"),
            Col.SETTING: pd.Series(setting, dtype="str"),
        }
    )


def _laid_out(targets: Targets, units: pd.DataFrame, standard: Standard) -> gpd.GeoDataFrame:
    """Lay out all targets with the minutes their setting allows."""
    word = targets.target.value
    limit = {setting.value: standard.minutes(setting) for setting in Setting}
    ids = targets.place_id
    return gpd.GeoDataFrame(
        {
            Col.POINT_ID: pd.Series([f"{word}-{one}" for one in ids], dtype="str"),
            Col.TARGET: pd.Series([word] * len(ids), dtype="str"),
            Col.PLACE_ID: pd.Series(ids, dtype="str"),
            Col.NAME: pd.Series(targets.name, dtype="str"),
            Col.SIZE: targets.size,
            **units,
            Col.LIMIT: units[Col.SETTING].map(limit).astype("int64"),
        },
        geometry=targets.points.to_numpy(),
        crs=LONLAT_EPSG,
    )


def _judged(
    laid_out: gpd.GeoDataFrame,
    departures: Departures,
    targets: Targets,
    nearest: Numbers,
    seconds: Ints,
) -> gpd.GeoDataFrame:
    """Add the nearest station, the minutes from it, and why a target is missed; "" if it is not.

    Minutes are rounded up to a tenth, so that none outside a limit reads like the limit.
    """
    is_off = departures.snap(targets).distance > REACH_M
    is_reached = seconds < UNREACHABLE
    ids = np.array([station.place_id for station in departures.places], dtype=object)
    late = seconds > laid_out[Col.LIMIT].to_numpy() * MINUTE
    unknown = (laid_out[Col.SETTING] == Setting.UNKNOWN).to_numpy()
    reason = np.select(
        [is_off, ~is_reached, unknown, late],
        [MissReason.OFF_ROADS, MissReason.NO_WAY, MissReason.OUTSIDE, MissReason.TOO_FAR],
        default="",
    )
    return laid_out.assign(
        **{
            Col.MINUTES: np.where(is_reached, np.ceil(seconds / (MINUTE / 10)) / 10, np.nan),
            Col.NEAREST_ID: pd.Series(np.where(is_reached, ids[nearest], ""), dtype="str"),
            Col.REASON: pd.Series(reason, dtype="str"),
        }
    )


def _missed(
    parts: Sequence[gpd.GeoDataFrame], *, data_date: date, boundary_version: str
) -> gpd.GeoDataFrame:
    """Join what is missed of all targets, without a way first, then the farthest."""
    if not parts:
        return gpd.GeoDataFrame(empty_frame(MISSED))
    frame = pd.concat(parts)
    frame = frame.sort_values(
        Col.MINUTES, ascending=False, na_position="first", kind="stable", ignore_index=True
    )
    frame[Col.DATA_DATE] = pd.Series([pd.Timestamp(data_date)] * len(frame), dtype=Type.DAY.value)
    frame[Col.BOUNDARY_VERSION] = pd.Series([boundary_version] * len(frame), dtype="str")
    return gpd.GeoDataFrame(frame[[*MISSED.columns, Col.GEOMETRY]], crs=LONLAT_EPSG)
