"""Where venues lie that a register gives an address but no coordinates.

A street with a number lies between the numbers that are known along it; a crossing where two
streets meet; a street without one in the middle of its part inside the village that is named, if
that part is short. What is left lies in its village. A name that repeats is settled by the village,
township or county that is named, or not at all: nothing is guessed.
"""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.address.number import Numbers, known_numbers, place_numbers
from geo.address.road import Roads, roads_named
from geo.address.text import Address, parse_address, street_key
from geo.address.unit import Gazetteer, Scope, gazetteer
from geo.frames import Col, Precision
from geo.units import LONLAT_DECIMALS, LONLAT_EPSG

NEAR: Final = 100.0
"""Metres a street may run outside the boundary that is named with it: streets often are borders."""

BESIDE: Final = 80.0
"""Metres from its street within which a venue with a number tells where the number is."""

SHORT: Final = 250.0
"""Metres of street in whose middle a venue without a number is placed at street precision."""

MEET: Final = 25.0
"""Metres within which two streets meet."""

MAX_CROSSING: Final = 150.0
"""Metres over which two streets may meet and still have one crossing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where addresses lie, one element per address.

    Attributes
    ----------
    geometry : ndarray of Point, shape (n,)
        EPSG:4326, 7 decimals; None where the precision is ``none``.
    precision : ndarray of str objects
        `Precision`: street, village or none.
    reason : ndarray of str objects
        Message code ``address.*``: how it was found, or why not.
    street : ndarray of str objects
        The street as the address writes it, "" where it was not used.
    unit_code : ndarray of str objects
        Code of the village that is named, "" where none is known.
    """

    geometry: np.ndarray
    precision: np.ndarray
    reason: np.ndarray
    street: np.ndarray
    unit_code: np.ndarray


@dataclass(slots=True, kw_only=True)
class _Draft:
    """Addresses while they are placed: `at` in metres, `road` the row of the one street, or -1."""

    key: np.ndarray
    cross: np.ndarray
    number: np.ndarray
    scope: np.ndarray
    road: np.ndarray
    at: np.ndarray
    precision: np.ndarray
    reason: np.ndarray

    def place(self, rows: np.ndarray, at: np.ndarray, precision: Precision, reason: object) -> None:
        """Place rows for good."""
        self.at[rows], self.precision[rows], self.reason[rows] = at, precision.value, reason


def locate_addresses(
    addresses: pd.Series,
    villages: pd.Series,
    *,
    streets: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame,
    known: gpd.GeoDataFrame,
    epsg: int,
    townships: pd.Series | None = None,
) -> Located:
    """Place venues by street and number, by crossing, or by village.

    Parameters
    ----------
    addresses, villages : Series of str
        As the register has them; blanks are "". A village may be a name or a 12-digit code.
    streets, boundaries : GeoDataFrame
        STREETS and BOUNDARIES frames.
    known : GeoDataFrame
        Venues whose place is known, with `address`; rows without a geometry are not looked at.
    epsg : int
        The city's metric CRS.
    townships : Series of str, optional
        Names of townships where the register has a column of them.

    Returns
    -------
    Located
    """
    towns = pd.Series([""] * len(addresses)) if townships is None else townships
    where, row_of = _distinct(addresses, villages, towns)
    parsed = [parse_address(text) for text in where[Col.ADDRESS]]
    units = gazetteer(boundaries, epsg=epsg)
    scopes, scope_of = _scopes(where, parsed, units)
    draft = _draft(parsed, scope_of)
    roads = roads_named(streets, {*draft.key, *draft.cross} - {""}, epsg=epsg)
    contrary = _choose_roads(draft, scopes, roads, units)
    _place_crossings(draft, roads)
    _place_by_number(draft, roads, known, epsg)
    _place_by_part(draft, scopes, roads, units)
    _place_by_village(draft, scopes, units)
    _say_why_not(draft, scopes, roads, contrary)
    return _located(draft, scopes, units, epsg, row_of)


def _distinct(
    addresses: pd.Series, villages: pd.Series, townships: pd.Series
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the distinct rows, and which of them each row is."""
    columns = (Col.ADDRESS, Col.VILLAGE, Col.TOWNSHIP)
    rows = pd.DataFrame(
        {
            name: series.to_numpy(dtype=object)
            for name, series in zip(columns, (addresses, villages, townships), strict=True)
        }
    )
    groups = rows.groupby(list(columns), sort=False)
    return rows.drop_duplicates(ignore_index=True), groups.ngroup().to_numpy(dtype=np.int64)


def _scopes(
    where: pd.DataFrame, parsed: list[Address], units: Gazetteer
) -> tuple[list[Scope], np.ndarray]:
    """Return the distinct scopes that rows name, and which of them each row has."""
    known: dict[tuple[str, str, Address], int] = {}
    scopes: list[Scope] = []
    numbers = []
    for village, township, address in zip(
        where[Col.VILLAGE], where[Col.TOWNSHIP], parsed, strict=True
    ):
        named = Address(above=address.above, township=address.township, village=address.village)
        key = (village, township, named)
        if key not in known:
            known[key] = len(scopes)
            scopes.append(units.scope(village, township, named))
        numbers.append(known[key])
    return scopes, np.array(numbers, dtype=np.int64)


def _draft(parsed: list[Address], scope_of: np.ndarray) -> _Draft:
    n = len(parsed)
    return _Draft(
        key=np.array([street_key(a.street) if a.street else "" for a in parsed], dtype=object),
        cross=np.array([street_key(a.cross) if a.cross else "" for a in parsed], dtype=object),
        number=np.array([-1 if a.number is None else a.number for a in parsed], dtype=np.int64),
        scope=scope_of,
        road=np.full(n, -1, dtype=np.int64),
        at=np.full((n, 2), np.nan),
        precision=np.full(n, "", dtype=object),
        reason=np.full(n, "", dtype=object),
    )


def _choose_roads(draft: _Draft, scopes: list[Scope], roads: Roads, units: Gazetteer) -> np.ndarray:
    """Set the one street each address means; return which name one that is not where they say.

    Streets of the name that run in or along the smallest boundary named are candidates; one
    candidate is taken, several are not told apart.
    """
    pairs = pd.DataFrame({"key": draft.key, "scope": draft.scope})
    codes = pairs.groupby(["key", "scope"], sort=False).ngroup().to_numpy(dtype=np.int64)
    wanted = pairs.drop_duplicates(ignore_index=True)
    candidates = [roads.by_key.get(key, ()) for key in wanted["key"]]
    areas = [scopes[scope].finest for scope in wanted["scope"]]
    touched = _touched(candidates, areas, roads, units)
    chosen = np.array([rows[0] if len(rows) == 1 else -1 for rows in touched], dtype=np.int64)
    contrary = np.array(
        [bool(rows) and not near for rows, near in zip(candidates, touched, strict=True)],
        dtype=bool,
    )
    draft.road[:] = chosen[codes]
    elsewhere: np.ndarray = contrary[codes]
    return elsewhere


def _touched(
    candidates: list[tuple[int, ...]],
    areas: list[tuple[int, ...]],
    roads: Roads,
    units: Gazetteer,
) -> list[tuple[int, ...]]:
    """Return the candidates that run in or along one of the areas; all where no area is named."""
    triples = [
        (k, road, area)
        for k, (rows, around) in enumerate(zip(candidates, areas, strict=True))
        for road in rows
        for area in around
    ]
    of, road, area = np.array(triples, dtype=np.int64).reshape(-1, 3).T
    near = shapely.dwithin(roads.line[road], units.area[area], NEAR)
    found: list[list[int]] = [[] for _ in candidates]
    for k, r in zip(of[near].tolist(), road[near].tolist(), strict=True):
        if r not in found[k]:
            found[k].append(r)
    return [
        tuple(found[k]) if around else rows
        for k, (rows, around) in enumerate(zip(candidates, areas, strict=True))
    ]


def _place_crossings(draft: _Draft, roads: Roads) -> None:
    """Place addresses at the crossing of their two streets, where there is one such place."""
    for row in np.flatnonzero((draft.cross != "") & (draft.road >= 0)):
        line = roads.line[draft.road[row]]
        others = roads.line[list(roads.by_key.get(draft.cross[row], ()))]
        meets = [
            shapely.intersection(line, shapely.buffer(other, MEET))
            for other in others[shapely.dwithin(others, line, MEET)]
        ]
        if not meets:
            continue
        west, south, east, north = shapely.total_bounds(np.array(meets, dtype=object))
        if np.hypot(east - west, north - south) <= MAX_CROSSING:
            middle = np.array([(west + east) / 2, (south + north) / 2])
            draft.place(np.array([row]), middle, Precision.STREET, "address.crossing")


def _place_by_number(draft: _Draft, roads: Roads, known: gpd.GeoDataFrame, epsg: int) -> None:
    """Place addresses with a number by the numbers known along their street."""
    rows = np.flatnonzero((draft.road >= 0) & (draft.number >= 0) & (draft.precision == ""))
    numbers = _numbers_along(roads, set(draft.key[rows]), known, epsg)
    at, reason = place_numbers(draft.road[rows], draft.number[rows], numbers)
    found = reason != ""
    line = roads.line[draft.road[rows[found]]]
    snapped = _nearest_on(line, at[found])
    # a number that is known already is where it is known, others lie on the street
    same = reason[found] == "address.number.same"
    draft.place(
        rows[found],
        np.where(same[:, None], at[found], snapped),
        Precision.STREET,
        reason[found],
    )


def _numbers_along(roads: Roads, keys: set[str], known: gpd.GeoDataFrame, epsg: int) -> Numbers:
    """Return the numbers of known venues that stand beside the street of their address."""
    placed = known[~known.geometry.isna() & (known[Col.ADDRESS] != "")]
    codes, uniques = pd.factorize(placed[Col.ADDRESS])
    parsed = [parse_address(str(text)) for text in uniques]
    key = np.array([street_key(a.street) if a.street else "" for a in parsed], dtype=object)
    number = np.array([-1 if a.number is None else a.number for a in parsed], dtype=np.int64)
    useful = np.flatnonzero((np.isin(key, list(keys)) & (number >= 0))[codes])
    points = placed.geometry.iloc[useful].to_crs(epsg).to_numpy()
    codes = codes[useful]
    pairs = [(row, road) for row, k in enumerate(key[codes]) for road in roads.by_key.get(k, ())]
    row, road = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    beside = shapely.dwithin(points[row], roads.line[road], BESIDE)
    row, road = row[beside], road[beside]
    return known_numbers(road, number[codes[row]], shapely.get_coordinates(points[row]))


def _place_by_part(draft: _Draft, scopes: list[Scope], roads: Roads, units: Gazetteer) -> None:
    """Place addresses in the middle of their street's part inside what is named.

    A part longer than `SHORT` gives village precision, and only where one village is named.
    """
    rows = np.flatnonzero((draft.road >= 0) & (draft.precision == "") & (draft.cross == ""))
    for road, scope in sorted(set(zip(draft.road[rows], draft.scope[rows], strict=True))):
        area = scopes[scope].finest
        part = roads.line[road]
        if area:
            around = shapely.buffer(shapely.union_all(units.area[list(area)]), NEAR)
            part = shapely.intersection(part, around)
        is_short = shapely.length(part) <= SHORT
        if not is_short and len(scopes[scope].villages) != 1:
            continue
        middle = _nearest_on(np.array([part]), shapely.get_coordinates(shapely.centroid(part)))
        these = rows[(draft.road[rows] == road) & (draft.scope[rows] == scope)]
        precision = Precision.STREET if is_short else Precision.VILLAGE
        draft.place(these, middle, precision, "address.street.part")


def _place_by_village(draft: _Draft, scopes: list[Scope], units: Gazetteer) -> None:
    """Place what is left inside the one village that is named."""
    only = [scope.villages[0] if len(scope.villages) == 1 else -1 for scope in scopes]
    village = np.array(only, dtype=np.int64)
    rows = np.flatnonzero((draft.precision == "") & (village[draft.scope] >= 0))
    wanted, back = np.unique(village[draft.scope[rows]], return_inverse=True)
    inside = shapely.get_coordinates(shapely.point_on_surface(units.area[wanted]))
    draft.place(rows, inside[back], Precision.VILLAGE, "address.village")


def _say_why_not(draft: _Draft, scopes: list[Scope], roads: Roads, contrary: np.ndarray) -> None:
    """Give every address that is left the reason why it has no place."""
    several = np.array([len(scope.villages) > 1 for scope in scopes], dtype=bool)[draft.scope]
    against = np.array([scope.contradicts for scope in scopes], dtype=bool)[draft.scope]
    n_roads = np.array([len(roads.by_key.get(key, ())) for key in draft.key], dtype=np.int64)
    says_nothing = np.array([scope == Scope() for scope in scopes], dtype=bool)[draft.scope]
    cases = (
        (against | contrary, "address.contrary"),
        (several | ((n_roads > 1) & (draft.road < 0)), "address.ambiguous"),
        (draft.road >= 0, "address.street.long"),
        (says_nothing & (draft.key == ""), "address.unknown"),
        (np.ones(len(draft.key), dtype=bool), "address.unknown"),
    )
    for fits, code in cases:
        rows = np.flatnonzero(fits & (draft.precision == ""))
        draft.place(rows, np.array([np.nan, np.nan]), Precision.NONE, code)


def _nearest_on(line: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the points of lines nearest to points, float64, (n, 2)."""
    shortest = shapely.shortest_line(line, shapely.points(at))
    nearest: np.ndarray = shapely.get_coordinates(shapely.get_point(shortest, 0))
    return nearest


def _located(
    draft: _Draft, scopes: list[Scope], units: Gazetteer, epsg: int, row_of: np.ndarray
) -> Located:
    placed = np.isfinite(draft.at[:, 0])
    points = gpd.GeoSeries(gpd.points_from_xy(*draft.at[placed].T), crs=epsg).to_crs(LONLAT_EPSG)
    lonlat = np.round(shapely.get_coordinates(points.to_numpy()), LONLAT_DECIMALS)
    geometry = np.full(len(placed), None, dtype=object)
    geometry[placed] = shapely.points(lonlat)
    code = [str(units.code[s.villages[0]]) if len(s.villages) == 1 else "" for s in scopes]
    street = np.where((draft.precision == Precision.STREET.value), draft.key, "")
    return Located(
        geometry=geometry[row_of],
        precision=draft.precision[row_of],
        reason=draft.reason[row_of],
        street=street[row_of],
        unit_code=np.array(code, dtype=object)[draft.scope][row_of],
    )
