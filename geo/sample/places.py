"""Layers beside streets for the sample: rail, service points, parking, hazards, rivers, teams.

Made from the frames of a city, so that they serve any seed and vintage; everything is synthetic,
and a post or a team is a role, never a person.
"""

from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.frames import (
    ASSETS,
    CAMERA_COUNTS,
    HAZARDS,
    PARKING,
    RAIL,
    REACHES,
    RESOURCES,
    SERVICE_POINTS,
    AssetKind,
    Col,
    Force,
    GridRole,
    HazardKind,
    Layers,
    Level,
    ParkingKind,
    RailKind,
    Schema,
    ServiceKind,
    StreetClass,
    Type,
)
from geo.sample import exact
from geo.sample.exact import Floats
from geo.sample.lines import Shapes, midpoints
from geo.sample.plane import LocalPlane, ProjectedPlane
from geo.sample.settlements import stem
from geo.sample.stream import Stream
from geo.units import LONLAT_EPSG, SYNTHETIC

_PLANE: Final = LocalPlane()

_STEP: Final = 400.0
_AMPLITUDE: Final = 2_500.0
_WAVE_LENGTH: Final = 9_000.0
"""Metres between the vertices of a line across the city, and its waves."""

_VENUES_PER_POST_HOUSE: Final = 400
_VENUES_PER_CAR_PARK: Final = 60
_CAPACITY: Final = (12, 400)
_FUEL_PER_TOWNSHIP: Final = 2
_OTHER_HAZARDS: Final = (HazardKind.LPG, HazardKind.GAS, HazardKind.CHEMICAL, HazardKind.FIREWORK)
_MOST_CAMERAS: Final = 9
_HEADCOUNT: Final = {Force.OWN: (8, 16), Force.VOLUNTEER: (10, 40)}
"""How many of each thing the sample has; our assumptions."""

_LABELS: Final[Mapping[str, str]] = {
    ServiceKind.CENTRE: "综治中心",
    ServiceKind.POST_HOUSE: "样例驿站",
    ServiceKind.ENFORCEMENT: "样例执法服务站",
    ParkingKind.CAR_PARK: "样例停车场",
    ParkingKind.ROADSIDE: "样例路内泊位",
    ParkingKind.BICYCLE: "样例非机动车停放点",
    HazardKind.FUEL: "样例加油站",
    HazardKind.LPG: "样例液化气站",
    HazardKind.GAS: "样例燃气场站",
    HazardKind.CHEMICAL: "样例危化品仓库",
    HazardKind.FIREWORK: "样例烟花爆竹店",
}


def make_places(layers: Layers, *, seed: int) -> dict[str, Any]:
    """Make every layer beside streets that needs no grid.

    Returns
    -------
    dict of str to GeoDataFrame or DataFrame
        ``rail``, ``service_points``, ``parking``, ``hazards``, ``assets``, ``reaches`` and
        ``resources``, each of the schema of that name.
    """
    assets = make_assets(layers, seed=seed)
    return {
        RAIL.layer: make_rail(layers, seed=seed),
        SERVICE_POINTS.layer: make_service_points(layers, seed=seed),
        PARKING.layer: make_parking(layers, seed=seed),
        HAZARDS.layer: make_hazards(layers, seed=seed),
        ASSETS.layer: assets,
        REACHES.layer: make_reaches(layers, assets),
        RESOURCES.layer: make_resources(layers, seed=seed),
    }


def make_rail(layers: Layers, *, seed: int) -> gpd.GeoDataFrame:
    """Make a railway from north to south, and a high-speed line on viaducts from west to east."""
    area = _city(layers)
    runs = [
        _across(area, Stream(seed, "rail"), at=0.47, upward=True),
        _across(area, Stream(seed, "fast rail"), at=0.58, upward=False),
    ]
    rows = [(line, number) for number, run in enumerate(runs) for line in run]
    kinds = [(RailKind.MAIN, RailKind.HIGH_SPEED)[number] for _, number in rows]
    columns: dict[str, Any] = {
        Col.CODE: _numbered("r", len(rows), 2),
        Col.NAME: [f"样例{'高铁' if kind is RailKind.HIGH_SPEED else '铁路'}" for kind in kinds],
        Col.KIND: [kind.value for kind in kinds],
        Col.BRIDGE: [kind is RailKind.HIGH_SPEED for kind in kinds],
    }
    return _frame(RAIL, columns, np.array([line for line, _ in rows], dtype=object))


def make_service_points(layers: Layers, *, seed: int) -> gpd.GeoDataFrame:
    """Make a 综治中心 at each station's township, and post houses and counters among venues."""
    stream = Stream(seed, "service points")
    township = layers.boundaries[layers.boundaries[Col.GRID_ROLE] == GridRole.SUPERVISION]
    centres = _middle_streets(layers, township.geometry.to_numpy())
    n_houses = max(1, len(layers.venues) // _VENUES_PER_POST_HOUSE)
    n_counters = max(1, len(township) // 4)
    spots = _beside_venues(layers, n_houses + n_counters, stream)
    kinds = (
        [ServiceKind.CENTRE] * len(centres)
        + [ServiceKind.POST_HOUSE] * n_houses
        + [ServiceKind.ENFORCEMENT] * n_counters
    )
    names = [f"{stem(name)}{_LABELS[ServiceKind.CENTRE]}" for name in township[Col.NAME]]
    names += _names(kinds[len(centres) :])
    columns = {Col.PLACE_ID: _numbered("sp", len(kinds), 4), Col.NAME: names, Col.KIND: kinds}
    return _frame(SERVICE_POINTS, columns, _points(np.concatenate([centres, spots])))


def make_parking(layers: Layers, *, seed: int) -> gpd.GeoDataFrame:
    """Make car parks, places along streets and stands for bicycles among venues."""
    stream = Stream(seed, "parking")
    n = max(3, len(layers.venues) // _VENUES_PER_CAR_PARK)
    kinds = [list(ParkingKind)[number % len(ParkingKind)] for number in range(n)]
    low, high = _CAPACITY
    capacity = np.floor(stream.uniforms(n, low, high)).astype(np.int64)
    columns: dict[str, Any] = {
        Col.PLACE_ID: _numbered("pk", n, 5),
        Col.NAME: _names(kinds),
        Col.KIND: kinds,
        Col.CAPACITY: np.where(stream.uniforms(n) < 0.1, 0, capacity),
    }
    return _frame(PARKING, columns, _points(_beside_venues(layers, n, stream)))


def make_hazards(layers: Layers, *, seed: int) -> gpd.GeoDataFrame:
    """Make filling stations on main roads, two to a township, and half as many other places."""
    stream = Stream(seed, "hazards")
    n_townships = int((layers.boundaries[Col.GRID_ROLE] == GridRole.SUPERVISION).sum())
    n_fuel = _FUEL_PER_TOWNSHIP * n_townships
    others = [_OTHER_HAZARDS[number % len(_OTHER_HAZARDS)] for number in range(n_townships)]
    kinds = [HazardKind.FUEL] * n_fuel + others
    main = layers.streets[Col.STREET_CLASS].isin([StreetClass.ARTERIAL, StreetClass.COLLECTOR])
    lines = layers.streets.geometry.to_numpy()[main.to_numpy()]
    drawn = stream.choices(np.ones(len(lines)), len(kinds))
    xy = _PLANE.to_xy(shapely.get_coordinates(midpoints(lines[drawn])))
    columns = {
        Col.PLACE_ID: _numbered("hz", len(kinds), 4),
        Col.NAME: _names(kinds),
        Col.KIND: kinds,
    }
    return _frame(
        HAZARDS, columns, _points(xy + stream.uniforms(2 * len(xy), 15, 30).reshape(-1, 2))
    )


def make_camera_counts(cells: gpd.GeoDataFrame, *, seed: int) -> pd.DataFrame:
    """Make a number of public cameras for each basic grid; no camera has a place.

    Parameters
    ----------
    cells : GeoDataFrame
        Schema CELLS.
    """
    lot = Stream(seed, "camera counts").uniforms(len(cells))
    columns: dict[str, Any] = {
        Col.CELL_ID: cells[Col.CELL_ID].to_numpy(dtype=object),
        Col.N_CAMERAS: np.floor(_MOST_CAMERAS * lot * lot).astype(np.int64),
    }
    return pd.DataFrame(_columns(CAMERA_COUNTS, columns))


def make_assets(layers: Layers, *, seed: int) -> gpd.GeoDataFrame:
    """Make two rivers across the city, and the shores of its water."""
    area = _city(layers)
    rivers = [
        *_across(area, Stream(seed, "river", 1), at=0.36, upward=False),
        *_across(area, Stream(seed, "river", 2), at=0.7, upward=True),
    ]
    edges = shapely.get_parts(shapely.boundary(layers.water.geometry.to_numpy()))
    shores = [edge for edge in edges if edge.geom_type == "LineString"]
    kinds = [AssetKind.RIVER] * len(rivers) + [AssetKind.SHORE] * len(shores)
    labels = {AssetKind.RIVER: "样例河", AssetKind.SHORE: "样例岸线"}
    columns = {
        Col.ASSET_ID: _numbered("a", len(kinds), 3),
        Col.NAME: [f"{labels[kind]} {number}" for number, kind in enumerate(kinds, start=1)],
        Col.KIND: kinds,
    }
    return _frame(ASSETS, columns, np.array([*rivers, *shores], dtype=object))


def make_reaches(layers: Layers, assets: gpd.GeoDataFrame) -> pd.DataFrame:
    """Make the posts that answer for rivers and shores: every metre has one at each level."""
    plane = ProjectedPlane(layers.epsg)
    rows: list[tuple[str, str, float, float, str]] = []
    for level in (Level.CITY, Level.COUNTY, Level.TOWNSHIP):
        units = layers.boundaries[layers.boundaries[Col.LEVEL] == level]
        areas = shapely.transform(units.geometry.to_numpy(), plane.to_xy)
        names = units[Col.NAME].tolist()
        for asset, shape in zip(assets[Col.ASSET_ID], assets.geometry, strict=True):
            line = shapely.transform(shape, plane.to_xy)
            for start, end, owner in _shares_of(line, areas):
                post = f"{names[owner]}河长岗" if names else "市级河长岗"
                rows.append((str(asset), level.value, start, end, post))
    table = list(zip(*rows, strict=True))
    columns: dict[str, Any] = {
        Col.REACH_ID: _numbered("rc", len(rows), 4),
        **dict(zip((Col.ASSET_ID, Col.LEVEL, Col.FROM_M, Col.TO_M, Col.POST), table, strict=True)),
    }
    return pd.DataFrame(_columns(REACHES, columns))


def make_resources(layers: Layers, *, seed: int) -> pd.DataFrame:
    """Make two teams for each township: its own and a volunteer one."""
    stream = Stream(seed, "resources")
    township = layers.boundaries[layers.boundaries[Col.GRID_ROLE] == GridRole.SUPERVISION]
    kinds = list(_HEADCOUNT)
    rows = [
        (code, f"{stem(name)}{('巡防', '义警')[number]}队", kind.value, *_HEADCOUNT[kind])
        for code, name in zip(township[Col.CODE], township[Col.NAME], strict=True)
        for number, kind in enumerate(kinds)
    ]
    n = len(rows)
    low, high = np.array([row[3] for row in rows]), np.array([row[4] for row in rows])
    drawn = np.floor(low + (high - low) * stream.uniforms(n)).astype(np.int64)
    columns: dict[str, Any] = {
        Col.RESOURCE_ID: _numbered("rs", n, 4),
        Col.CODE: [row[0] for row in rows],
        Col.CALL_SIGN: [row[1] for row in rows],
        Col.KIND: [row[2] for row in rows],
        Col.HEADCOUNT: drawn,
        Col.MODE: [("car", "foot")[number % 2] for number in range(n)],
        Col.WINDOW_START: ["20:00"] * n,
        Col.WINDOW_END: ["02:00"] * n,
    }
    return pd.DataFrame(_columns(RESOURCES, columns))


def _city(layers: Layers) -> BaseGeometry:
    """Return the city's area in the plane."""
    level = layers.boundaries[Col.LEVEL]
    shapes = layers.boundaries.geometry.to_numpy()[(level == Level.COUNTY).to_numpy()]
    return shapely.union_all(shapely.transform(shapes, _PLANE.to_xy))


def _across(area: BaseGeometry, stream: Stream, *, at: float, upward: bool) -> list[BaseGeometry]:
    """Return the parts inside an area of a line that waves across it, in degrees.

    Parameters
    ----------
    at : float
        Where it runs: a share of the area's width or height.
    upward : bool
        From south to north; else from west to east.
    """
    x0, y0, x1, y1 = area.bounds
    low, high, left, right = (y0, y1, x0, x1) if upward else (x0, x1, y0, y1)
    along = np.arange(low - _STEP, high + 2 * _STEP, _STEP)
    phase = stream.uniform(0.0, 2.0 * np.pi)
    off = left + at * (right - left) + _AMPLITUDE * exact.sin(along / _WAVE_LENGTH + phase)
    course = np.stack([off, along] if upward else [along, off], axis=1)
    parts = shapely.get_parts(shapely.intersection(area, shapely.LineString(np.round(course, 1))))
    return list(shapely.transform(parts, _PLANE.to_lonlat))


def _shares_of(line: BaseGeometry, areas: Shapes) -> list[tuple[float, float, int]]:
    """Return (from, to, row of the area) of a line cut where it passes from one area to another.

    Metres along the line; a stretch outside every area belongs to the one before it.
    """
    if len(areas) == 0:
        return [(0.0, round(line.length, 2), 0)]
    rows = np.flatnonzero(shapely.intersects(areas, line))
    cuts = [0.0, line.length]
    for row in rows:
        parts = shapely.get_parts(shapely.intersection(areas[row], line))
        ends = [
            end for part in parts if part.length > 0 for end in (part.coords[0], part.coords[-1])
        ]
        cuts += [line.project(shapely.Point(end)) for end in ends]
    at = np.unique(np.round(cuts, 2))
    middle = shapely.line_interpolate_point(np.array([line]), (at[:-1] + at[1:]) / 2.0)
    owner = rows[shapely.STRtree(areas[rows]).nearest(middle)]
    changes = np.flatnonzero(np.diff(owner, prepend=-1))
    stops = np.append(at[changes[1:]], at[-1])
    return [
        (float(at[k]), float(stop), int(owner[k])) for k, stop in zip(changes, stops, strict=True)
    ]


def _middle_streets(layers: Layers, areas: Shapes) -> Floats:
    """Return for each area a point 25 m beside the street nearest to its middle."""
    inner = shapely.point_on_surface(areas)
    lines = layers.streets.geometry.to_numpy()
    nearest = shapely.STRtree(lines).nearest(inner)
    return _PLANE.to_xy(shapely.get_coordinates(midpoints(lines[nearest]))) + 25.0


def _beside_venues(layers: Layers, n: int, stream: Stream) -> Floats:
    """Return n points 20 to 60 m beside venues drawn with equal chance."""
    xy = _PLANE.to_xy(shapely.get_coordinates(layers.venues.geometry.to_numpy()))
    drawn = stream.choices(np.ones(len(xy)), n)
    return np.asarray(xy[drawn] + stream.uniforms(2 * n, 20.0, 60.0).reshape(-1, 2))


def _points(xy: Floats) -> Shapes:
    return np.asarray(shapely.points(_PLANE.to_lonlat(xy)))


def _numbered(prefix: str, n: int, digits: int) -> list[str]:
    return [f"{prefix}{number:0{digits}d}" for number in range(1, n + 1)]


def _names(kinds: list[Any]) -> list[str]:
    return [f"{_LABELS[kind]} {number:04d}" for number, kind in enumerate(kinds, start=1)]


def _columns(schema: Schema, columns: Mapping[str, Any]) -> dict[str, pd.Series]:
    """Return typed columns in the schema's order, the source among them."""
    n = len(next(iter(columns.values())))
    filled = {**columns, Col.SOURCE: [SYNTHETIC] * n}
    return {
        name: pd.Series(
            np.array([str(value) for value in filled[name]], dtype=object)
            if column.dtype is Type.TEXT
            else np.asarray(filled[name]),
            dtype=column.dtype.value,
        )
        for name, column in schema.columns.items()
    }


def _frame(schema: Schema, columns: Mapping[str, Any], shapes: Shapes) -> gpd.GeoDataFrame:
    geometry = gpd.GeoSeries(shapes, crs=LONLAT_EPSG)
    return gpd.GeoDataFrame(_columns(schema, columns), geometry=geometry)
