"""From plane arrays to the frames everybody else works with."""

from collections.abc import Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.frames import Col, GridRole, Level
from geo.sample.dwelling import Buildings
from geo.sample.exact import Floats
from geo.sample.lines import RANK_CLASS, RANK_LANES, NameBook, Rank, Shapes
from geo.sample.network import Net
from geo.sample.plane import Plane
from geo.sample.register import CITY_CODE, COUNTY_SOURCE, Edition
from geo.sample.reports import CATEGORIES, CHANNELS, Reports
from geo.sample.stations import HEADCOUNT, Post, Stations, Teams, call_signs
from geo.sample.tiling import Tiling, is_statistical_unit
from geo.sample.venues import KINDS, TIERS, TRAITS, Venues
from geo.units import CITY_ZONE, LONLAT_EPSG

SYNTHETIC: Final = "synthetic"


def _text(values: Sequence[str] | NDArray[np.object_]) -> pd.Series:
    return pd.Series(np.array(values, dtype=object), dtype="str")


def _coded(vocabulary: Sequence[str], rows: NDArray[np.integer[Any]]) -> pd.Series:
    return _text(np.array([str(word) for word in vocabulary], dtype=object)[rows])


def _numbered(prefix: str, n: int, digits: int) -> pd.Series:
    return _text([f"{prefix}{k:0{digits}d}" for k in range(1, n + 1)])


def _made_up(n: int) -> pd.Series:
    return pd.Series(SYNTHETIC, index=pd.RangeIndex(n), dtype="str")


def _frame(columns: dict[str, pd.Series], shapes: Shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=LONLAT_EPSG))


def _points(xy: Floats, plane: Plane) -> Shapes:
    return np.asarray(shapely.points(plane.to_lonlat(xy)))


def boundary_frame(tiling: Tiling, edition: Edition, plane: Plane) -> gpd.GeoDataFrame:
    """Return counties, townships and villages; the statistical unit and its village are enclaves.

    County lines are real, the others are made up; names and codes are the register's.
    """
    units = (*tiling.counties, *tiling.townships, *tiling.villages)
    sizes = (len(tiling.counties), len(tiling.townships), len(tiling.villages))
    above = {Level.COUNTY: 4, Level.TOWNSHIP: 6, Level.VILLAGE: 9}
    levels = np.repeat([Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE], sizes)
    roles = np.repeat([GridRole.NONE, GridRole.SUPERVISION, GridRole.RESPONSIBILITY], sizes)
    grid_roles = [
        GridRole.INDEPENDENT if is_statistical_unit(unit) else GridRole(role)
        for unit, role in zip(units, roles, strict=True)
    ]
    parents = [
        CITY_CODE if level == Level.COUNTY else unit.code[: above[Level(level)]]
        for unit, level in zip(units, levels, strict=True)
    ]
    shapes = np.concatenate([tiling.county_shape, tiling.township_shape, tiling.village_shape])
    n = len(units)
    until = np.datetime64("NaT" if edition.valid_to is None else edition.valid_to, "s")
    columns = {
        Col.CODE: _text([unit.code for unit in units]),
        Col.NAME: _text([unit.name for unit in units]),
        Col.LEVEL: _text([str(level) for level in levels]),
        Col.ADMIN_PARENT: _text(parents),
        Col.GRID_ROLE: _text([role.value for role in grid_roles]),
        Col.BOUNDARY_VERSION: _text([edition.version] * n),
        Col.VALID_FROM: pd.Series(np.full(n, np.datetime64(edition.valid_from, "s"))),
        Col.VALID_TO: pd.Series(np.full(n, until)),
        Col.SOURCE: _text([COUNTY_SOURCE] * sizes[0] + [SYNTHETIC] * (n - sizes[0])),
    }
    return _frame(columns, shapely.normalize(shapely.transform(shapes, plane.to_lonlat)))


def street_frame(net: Net, names: NameBook, plane: Plane) -> gpd.GeoDataFrame:
    """Return segments between junctions."""
    n = len(net.start)
    words = [RANK_CLASS[rank].value for rank in Rank]
    lanes = np.array([RANK_LANES[rank] for rank in Rank], dtype=np.int64)
    columns = {
        Col.SEGMENT_ID: _numbered("s", n, 6),
        Col.NAME: _text(names.texts(net.lines.name)),
        Col.STREET_CLASS: _coded(words, net.lines.rank),
        Col.ONEWAY: pd.Series(net.is_oneway),
        Col.BRIDGE: pd.Series(net.is_bridge),
        Col.LANES: pd.Series(lanes[net.lines.rank]),
        Col.MAX_SPEED: pd.Series(np.zeros(n)),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, shapely.transform(net.lines.shape, plane.to_lonlat))


def water_frame(water: BaseGeometry, plane: Plane) -> gpd.GeoDataFrame:
    """Return the canal."""
    parts = shapely.get_parts(shapely.normalize(water))
    n = len(parts)
    columns = {
        Col.CODE: _numbered("w", n, 2),
        Col.NAME: _text(["样例运河"] * n),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, shapely.transform(parts, plane.to_lonlat))


def building_frame(buildings: Buildings, plane: Plane) -> gpd.GeoDataFrame:
    """Return residential buildings as points."""
    n = len(buildings.xy)
    columns = {
        Col.BUILDING_ID: _numbered("b", n, 6),
        Col.HOUSEHOLDS: pd.Series(buildings.households.astype(np.int64)),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, _points(buildings.xy, plane))


def venue_frame(venues: Venues, plane: Plane) -> gpd.GeoDataFrame:
    """Return venues, named after their kind and number: 样例商店 00123."""
    n = len(venues.xy)
    labels = [TRAITS[KINDS[kind]].label for kind in venues.kind]
    columns = {
        Col.VENUE_ID: _numbered("v", n, 5),
        Col.NAME: _text([f"{label} {k:05d}" for k, label in enumerate(labels, start=1)]),
        Col.KIND: _coded(KINDS, venues.kind),
        Col.TIER: _coded(TIERS, venues.tier),
        Col.LAST_INSPECTION: pd.Series(venues.last_inspection),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, _points(venues.xy, plane))


def incident_frame(reports: Reports, plane: Plane) -> gpd.GeoDataFrame:
    """Return reports of place and hour."""
    n = len(reports.xy)
    instants = pd.DatetimeIndex(reports.second.astype("datetime64[s]")).tz_localize("UTC")
    columns = {
        Col.INCIDENT_ID: _numbered("i", n, 7),
        Col.OCCURRED_AT: pd.Series(instants.tz_convert(CITY_ZONE.key)),
        Col.CATEGORY: _coded(tuple(CATEGORIES), reports.category),
        Col.CHANNEL: _coded(CHANNELS, reports.channel),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, _points(reports.xy, plane))


def station_frame(stations: Stations, plane: Plane) -> gpd.GeoDataFrame:
    """Return stations."""
    n = len(stations)
    columns = {
        Col.STATION_ID: _numbered("st", n, 3),
        Col.NAME: _text(stations.names),
        Col.KIND: _text([kind.value for kind in stations.kinds]),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, _points(stations.xy, plane))


def unit_frame(stations: Stations, teams: Teams) -> pd.DataFrame:
    """Return teams."""
    n = len(teams.station)
    return pd.DataFrame(
        {
            Col.UNIT_ID: _numbered("u", n, 3),
            Col.CALL_SIGN: _text(call_signs(stations, teams)),
            Col.STATION_ID: _text([f"st{row + 1:03d}" for row in teams.station]),
            Col.HEADCOUNT: pd.Series(np.full(n, HEADCOUNT, dtype=np.int64)),
            Col.MODE: _text(teams.modes),
            Col.SOURCE: _made_up(n),
        }
    )


def post_frame(posts: Sequence[Post], plane: Plane) -> gpd.GeoDataFrame:
    """Return posts."""
    n = len(posts)
    columns = {
        Col.POST_ID: _numbered("p", n, 2),
        Col.NAME: _text([post.name for post in posts]),
        Col.KIND: _text([post.kind.value for post in posts]),
        Col.WINDOW_START: _text([post.window[0] for post in posts]),
        Col.WINDOW_END: _text([post.window[1] for post in posts]),
        Col.DWELL: pd.Series(np.array([post.dwell for post in posts], dtype=np.int64)),
        Col.N_UNITS: pd.Series(np.array([post.n_units for post in posts], dtype=np.int64)),
        Col.SOURCE: _made_up(n),
    }
    return _frame(columns, _points(np.array([post.xy for post in posts]), plane))
