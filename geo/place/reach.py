"""Rivers and shores as lines, and the stretches of them that each level's posts answer for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from geo.boundary import select
from geo.frames import ASSETS, REACHES, AssetKind, Col, Level, require
from geo.place.post import post_label
from geo.place.unit import city_code
from geo.street import Pieces, cut_along, ring_lines
from geo.street.along import MILLIMETRES
from geo.units import LONLAT_EPSG

LEVELS: Final = (Level.CITY, Level.COUNTY, Level.TOWNSHIP)
"""Levels at which every metre has one owner."""

BANK: Final = 30.0
"""Metres from a border within which a line may count as either side's: a river that is a border
is drawn once and seldom on it."""

ON_BORDER: Final = "on_border"
"""Metres of a stretch that another unit could as well answer for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Owners for every metre inside the units, at each level.

    Attributes
    ----------
    reaches : DataFrame
        REACHES frame.
    shared : DataFrame
        Stretches that run along a border: `reach_id`, `code` of the unit they went to, `others`
        (names of the units they could as well go to), `on_border` in metres. A person decides.
    """

    reaches: pd.DataFrame
    shared: pd.DataFrame


def water_assets(water: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return rivers and shores as lines: streams joined end to end, and the shores of areas.

    Parameters
    ----------
    water : WATER frame

    Returns
    -------
    GeoDataFrame
        ASSETS frame in EPSG:4326. Ids are the water's code, numbered where it has several lines.
    """
    geometry = water.geometry.to_numpy()
    is_area = np.isin(shapely.get_type_id(geometry), (3, 6))
    lines = [
        ring_lines(np.atleast_1d(shape)) if area else shapely.get_parts(shapely.line_merge(shape))
        for shape, area in zip(geometry, is_area, strict=True)
    ]
    n_lines = np.array([len(one) for one in lines], dtype=np.int64)
    row = np.repeat(np.arange(len(water)), n_lines)
    number = np.arange(len(row)) - np.repeat(np.cumsum(n_lines) - n_lines, n_lines) + 1
    code = water[Col.CODE].to_numpy(dtype=object)
    ids = [
        f"{code[r]}-{k}" if n_lines[r] > 1 else code[r] for r, k in zip(row, number, strict=True)
    ]
    kind = np.where(is_area, AssetKind.SHORE.value, AssetKind.RIVER.value)[row]
    name = water[Col.NAME].to_numpy(dtype=object)[row]
    frame = gpd.GeoDataFrame(
        {
            Col.ASSET_ID: pd.Series(ids, dtype="str"),
            Col.NAME: pd.Series(np.where(name == "", ids, name), dtype="str"),
            Col.KIND: pd.Series(kind, dtype="str"),
            Col.SOURCE: pd.Series(water[Col.SOURCE].to_numpy()[row], dtype="str"),
        },
        geometry=np.concatenate(lines) if lines else [],
        crs=LONLAT_EPSG,
    )
    require(frame, ASSETS, source="water", allow_empty=True)
    return frame


def propose_reaches(
    assets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    *,
    epsg: int,
    source: str,
    levels: Sequence[Level] = LEVELS,
    bank: float = BANK,
) -> Proposal:
    """Give every metre inside the units one owner at each level, in as few stretches as can be.

    A line changes hands where it leaves a unit by more than `bank`; along a border it stays with
    the unit that holds most of the stretch, and the stretch is listed for a person to decide.

    Parameters
    ----------
    assets : ASSETS frame
    boundaries : BOUNDARIES frame
    epsg : int
        The city's metric CRS; positions are metres in it.
    source : str
        Written on every row.
    levels : sequence of Level
        Those of which the boundaries hold no unit are left out.
    bank : float
        Metres.
    """
    parts = [
        _of_level(assets, boundaries, level, epsg=epsg, bank=bank)
        for level in levels_of(boundaries, levels)
    ]
    table = pd.concat(parts, ignore_index=True)
    numbers = [f"r{k:06d}" for k in range(1, len(table) + 1)]
    table[Col.REACH_ID] = pd.Series(numbers, dtype="str")
    table[Col.SOURCE] = pd.Series([source] * len(table), dtype="str")
    reaches = table[list(REACHES.columns)]
    require(reaches, REACHES, source="assets", allow_empty=True)
    shared = table.loc[
        table["others"] != "", [Col.REACH_ID, Col.LEVEL, Col.CODE, "others", ON_BORDER]
    ]
    return Proposal(reaches=reaches, shared=shared.reset_index(drop=True))


def levels_of(boundaries: gpd.GeoDataFrame, levels: Sequence[Level]) -> list[Level]:
    """Return the levels of which there are units; the city needs no row of its own."""
    known = set(boundaries[Col.LEVEL])
    return [level for level in levels if level is Level.CITY or level.value in known]


def owed_pieces(
    assets: gpd.GeoDataFrame, boundaries: gpd.GeoDataFrame, *, epsg: int, bank: float = BANK
) -> dict[str, list[tuple[int, int]]]:
    """Return the parts of each asset that need an owner: begin and end in millimetres.

    Those inside the units, and where a line weaves out of them and back within `bank`.
    """
    units = _areas(boundaries, Level.CITY)
    pieces = cut_along(assets, units, epsg=epsg)
    _, near = _owners(pieces, assets, units, epsg=epsg, bank=bank)
    ids = assets[Col.ASSET_ID].to_numpy()
    owed: dict[str, list[tuple[int, int]]] = {}
    for run in _runs(pieces, near):
        asset = str(ids[pieces.line[run.first]])
        span = (int(pieces.begin[run.first]), int(pieces.end[run.last]))
        owed.setdefault(asset, []).append(span)
    return owed


def reach_lines(reaches: pd.DataFrame, assets: gpd.GeoDataFrame, *, epsg: int) -> gpd.GeoDataFrame:
    """Return stretches with their lines in EPSG:4326; those of an unknown asset are left out."""
    known = reaches[reaches[Col.ASSET_ID].isin(assets[Col.ASSET_ID])]
    metric = dict(zip(assets[Col.ASSET_ID], assets.geometry.to_crs(epsg), strict=True))
    spans = zip(known[Col.ASSET_ID], known[Col.FROM_M], known[Col.TO_M], strict=True)
    lines = [substring(metric[asset], begin, end) for asset, begin, end in spans]
    frame = gpd.GeoDataFrame(known.reset_index(drop=True), geometry=lines, crs=epsg)
    return frame.to_crs(LONLAT_EPSG)


@dataclass(frozen=True, slots=True)
class _Run:
    """Pieces in a row that one unit can answer for.

    Attributes
    ----------
    first, last : int
        Rows of the pieces.
    units : frozenset of int
        Units that can answer for all of them.
    """

    first: int
    last: int
    units: frozenset[int]


def _of_level(
    assets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    level: Level,
    *,
    epsg: int,
    bank: float,
) -> pd.DataFrame:
    """Return the stretches of one level, with the unit and what else could own them."""
    units = _areas(boundaries, level)
    pieces = cut_along(assets, units, epsg=epsg)
    inside, near = _owners(pieces, assets, units, epsg=epsg, bank=bank)
    kinds = [AssetKind(kind) for kind in assets[Col.KIND]]
    names, codes = units[Col.NAME].to_numpy(), units[Col.CODE].to_numpy()
    rows = []
    for run in _runs(pieces, near):
        pick = slice(run.first, run.last + 1)
        metres = {
            unit: float(pieces.length[pick][inside[pick] == unit].sum()) for unit in run.units
        }
        owner = min(metres, key=lambda unit: (-metres[unit], codes[unit]))
        asset, others = int(pieces.line[run.first]), sorted(run.units - {owner})
        rows.append(
            (
                assets[Col.ASSET_ID].iloc[asset],
                level.value,
                pieces.begin[run.first] / MILLIMETRES,
                pieces.end[run.last] / MILLIMETRES,
                post_label(str(names[owner]), level, kinds[asset]),
                codes[owner],
                "、".join(str(names[unit]) for unit in others),
                _shared_metres(pieces, near, run, owner),
            )
        )
    columns = (
        Col.ASSET_ID,
        Col.LEVEL,
        Col.FROM_M,
        Col.TO_M,
        Col.POST,
        Col.CODE,
        "others",
        ON_BORDER,
    )
    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.astype(dict.fromkeys((Col.FROM_M, Col.TO_M, ON_BORDER), "float64")).astype(
        dict.fromkeys((Col.ASSET_ID, Col.LEVEL, Col.POST, Col.CODE, "others"), "str")
    )


def _areas(boundaries: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Return the units of a level; the whole as one where there is no row for the city."""
    units = select(boundaries, [level])
    if level is not Level.CITY or len(units):
        return units.reset_index(drop=True)
    whole = shapely.union_all(_highest(boundaries).geometry.to_numpy())
    return gpd.GeoDataFrame(
        {Col.CODE: [city_code(boundaries)], Col.NAME: [""]}, geometry=[whole], crs=boundaries.crs
    )


def _highest(boundaries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    level = next(one for one in Level if (boundaries[Col.LEVEL] == one.value).any())
    return select(boundaries, [level])


def _owners(
    pieces: Pieces, assets: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, epsg: int, bank: float
) -> tuple[np.ndarray, list[frozenset[int]]]:
    """Return the unit each piece lies in (-1 outside), and all that it lies within `bank` of.

    A piece on a border lies in the unit of the lowest code.
    """
    areas = units.geometry.to_crs(epsg).to_numpy()
    metric = assets.geometry.to_crs(epsg).to_numpy()
    middle = gpd.GeoSeries(pieces.middle, crs=LONLAT_EPSG).to_crs(epsg).to_numpy()
    piece, unit = shapely.STRtree(areas).query(middle, predicate="intersects")
    inside = np.full(len(pieces), -1, dtype=np.int64)
    order = np.lexsort((units[Col.CODE].to_numpy(dtype=str)[unit], piece))[::-1]
    inside[piece[order]] = unit[order]
    course = _courses(pieces, metric)
    piece, unit = shapely.STRtree(shapely.buffer(areas, bank)).query(course, predicate="covered_by")
    near: list[set[int]] = [set() for _ in range(len(pieces))]
    for p, u in zip(piece.tolist(), unit.tolist(), strict=True):
        near[p].add(u)
    for k in np.flatnonzero(inside < 0).tolist():
        near[k] = set()
    for k in _excursions(pieces, inside, course, shapely.buffer(shapely.union_all(areas), bank)):
        near[k] = near[k - 1] | near[k + 1]
    return inside, [frozenset(found) for found in near]


def _excursions(
    pieces: Pieces, inside: np.ndarray, course: np.ndarray, around: shapely.Geometry
) -> list[int]:
    """Return the pieces that leave all units and come back, never farther than `bank`."""
    left = np.flatnonzero(inside < 0)
    left = left[(left > 0) & (left < len(pieces) - 1)]
    flanked = (inside[left - 1] >= 0) & (inside[left + 1] >= 0)
    flanked &= pieces.line[left - 1] == pieces.line[left + 1]
    left = left[flanked]
    found: list[int] = left[shapely.covered_by(course[left], around)].tolist()
    return found


def _courses(pieces: Pieces, metric: np.ndarray) -> np.ndarray:
    spans = zip(pieces.line, pieces.begin / MILLIMETRES, pieces.end / MILLIMETRES, strict=True)
    courses = [substring(metric[line], begin, end) for line, begin, end in spans]
    return np.array(courses, dtype=object)


def _runs(pieces: Pieces, near: list[frozenset[int]]) -> Iterator[_Run]:
    """Yield the longest runs of pieces that have a unit in common, from the start of each line."""
    first, units = 0, frozenset[int]()
    for k in range(len(pieces) + 1):
        ends = k == len(pieces) or (k > 0 and pieces.line[k] != pieces.line[k - 1])
        common = frozenset() if ends else units & near[k]
        if common:
            units = common
            continue
        if units:
            yield _Run(first, k - 1, units)
        if k < len(pieces):
            first, units = k, near[k]


def _shared_metres(pieces: Pieces, near: list[frozenset[int]], run: _Run, owner: int) -> float:
    """Return the metres of a run that another unit than its owner could answer for."""
    rows = [k for k in range(run.first, run.last + 1) if near[k] - {owner}]
    return float(pieces.length[rows].sum())
