"""Rivers and shores as lines, and the stretches of them that each level's posts answer for."""

from collections.abc import Iterator, Mapping, Sequence
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
    owed = owed_pieces(assets, boundaries, epsg=epsg, bank=bank)
    parts = [
        _of_level(assets, boundaries, level, owed, epsg=epsg, bank=bank)
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
    whole = _areas(boundaries, Level.CITY)
    pieces = cut_along(assets, whole, epsg=epsg)
    areas = whole.geometry.to_crs(epsg).to_numpy()
    codes = whole[Col.CODE].to_numpy(dtype=str)
    needed = _unit_at(_middles(pieces, epsg), areas, codes) >= 0
    around = shapely.buffer(shapely.union_all(areas), bank)
    for first, last in _excursions(pieces, needed, _courses(pieces, assets, epsg), around):
        needed[first : last + 1] = True
    ids = assets[Col.ASSET_ID].to_numpy()
    owed: dict[str, list[tuple[int, int]]] = {}
    for k in np.flatnonzero(needed).tolist():
        spans = owed.setdefault(str(ids[pieces.line[k]]), [])
        begin = spans.pop()[0] if spans and spans[-1][1] == pieces.begin[k] else pieces.begin[k]
        spans.append((int(begin), int(pieces.end[k])))
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
    owed: Mapping[str, Sequence[tuple[int, int]]],
    *,
    epsg: int,
    bank: float,
) -> pd.DataFrame:
    """Return the stretches of one level, with the unit and what else could own them."""
    units, whole = _areas(boundaries, level), _areas(boundaries, Level.CITY)
    borders = pd.concat([units[[Col.GEOMETRY]], whole[[Col.GEOMETRY]]], ignore_index=True)
    pieces = cut_along(assets, borders, epsg=epsg)
    needed = _is_owed(pieces, assets[Col.ASSET_ID].to_numpy(), owed)
    inside, near = _owners(pieces, assets, units, needed, epsg=epsg, bank=bank)
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


def _is_owed(
    pieces: Pieces, ids: np.ndarray, owed: Mapping[str, Sequence[tuple[int, int]]]
) -> np.ndarray:
    """Return whether each piece lies in a part that needs an owner; bool, shape (n,)."""
    spans = zip(pieces.line.tolist(), pieces.begin.tolist(), pieces.end.tolist(), strict=True)
    found = [
        any(first <= begin and end <= last for first, last in owed.get(str(ids[line]), ()))
        for line, begin, end in spans
    ]
    return np.array(found, dtype=bool)


def _owners(
    pieces: Pieces,
    assets: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    needed: np.ndarray,
    *,
    epsg: int,
    bank: float,
) -> tuple[np.ndarray, list[frozenset[int]]]:
    """Return the unit each piece lies in (-1 outside), and all that can answer for it.

    Those are the units it lies within `bank` of. The levels are drawn apart, so a piece that needs
    an owner may lie in no unit of the level, by the width of a line: then the units before and
    after it can answer too, else the nearest within `bank`.
    """
    areas = units.geometry.to_crs(epsg).to_numpy()
    middle = _middles(pieces, epsg)
    inside = _unit_at(middle, areas, units[Col.CODE].to_numpy(dtype=str))
    course = _courses(pieces, assets, epsg)
    piece, unit = shapely.STRtree(shapely.buffer(areas, bank)).query(course, predicate="covered_by")
    near: list[set[int]] = [set() for _ in range(len(pieces))]
    for p, u in zip(piece.tolist(), unit.tolist(), strict=True):
        if needed[p] or inside[p] >= 0:
            near[p].add(u)
    for first, last in _between(pieces, needed & (inside < 0)):
        flanks = near[first - 1] | near[last + 1]
        for k in range(first, last + 1):
            near[k] |= flanks
    _take_nearest(near, needed, middle, areas, bank)
    return inside, [frozenset(found) for found in near]


def _middles(pieces: Pieces, epsg: int) -> np.ndarray:
    middles: np.ndarray = gpd.GeoSeries(pieces.middle, crs=LONLAT_EPSG).to_crs(epsg).to_numpy()
    return middles


def _unit_at(points: np.ndarray, areas: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the area of the lowest code that each point lies in or on, -1 for none."""
    point, unit = shapely.STRtree(areas).query(points, predicate="intersects")
    inside = np.full(len(points), -1, dtype=np.int64)
    order = np.lexsort((codes[unit], point))[::-1]
    inside[point[order]] = unit[order]
    return inside


def _take_nearest(
    near: list[set[int]], needed: np.ndarray, middle: np.ndarray, areas: np.ndarray, bank: float
) -> None:
    """Give, in place, pieces that need an owner and have none to the nearest within `bank`."""
    left = [k for k in np.flatnonzero(needed).tolist() if not near[k]]
    found, unit = shapely.STRtree(areas).query_nearest(
        middle[left], max_distance=bank, all_matches=True
    )
    for k, u in zip(found.tolist(), unit.tolist(), strict=True):
        near[left[k]].add(u)


def _excursions(
    pieces: Pieces, held: np.ndarray, course: np.ndarray, around: shapely.Geometry
) -> Iterator[tuple[int, int]]:
    """Yield first and last piece where a line leaves the whole and comes back within `bank`."""
    for first, last in _between(pieces, ~held):
        if shapely.covered_by(course[first : last + 1], around).all():
            yield first, last


def _between(pieces: Pieces, marked: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first and last piece of each run of marked ones that others of its line flank."""
    rows = np.flatnonzero(marked)
    breaks = np.flatnonzero((np.diff(rows) > 1) | (np.diff(pieces.line[rows]) > 0)) + 1
    for run in np.split(rows, breaks):
        if len(run) == 0 or run[0] == 0 or run[-1] == len(pieces) - 1:
            continue
        if pieces.line[run[0] - 1] == pieces.line[run[0]] == pieces.line[run[-1] + 1]:
            yield int(run[0]), int(run[-1])


def _courses(pieces: Pieces, assets: gpd.GeoDataFrame, epsg: int) -> np.ndarray:
    metric = assets.geometry.to_crs(epsg).to_numpy()
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
