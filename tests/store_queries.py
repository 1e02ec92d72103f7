"""A made-up city of any size, random questions to a store of it, and their answers by brute force.

Villages are cells of a bent lattice: they share their corners, and a parent is the union of its
cells. A tenth of the venues stand exactly on corners and borders, where an index that rounds would
show. `ask` goes through the store's own statements, `expect` through numpy and shapely alone.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, insert, select

from api.store import EVERYWHERE, Scope, Store
from api.store.geometry import meets_box
from api.store.tables import (
    BOUNDARIES,
    BOUNDARY_VERSIONS,
    CITY,
    CURRENT,
    TO_CHECK,
    VENUES,
    WITHDRAWN,
)
from api.store.venues import due_venues_page
from geo.frames import Col, DueState, Tier
from geo.units import LIAOCHENG_EPSG

WEST, SOUTH, WIDTH, HEIGHT = 115.27, 35.78, 1.26, 1.25
VERSION = "2023-06"
FIRST_DAY = date(2026, 1, 1)
DAYS = 730
DEPTH_OF = {"city": 0, "county": 1, "township": 2, "village": 3}
IN_USE = ("open", "not_found")


@dataclass(frozen=True)
class City:
    """Made-up boundaries and venues, in the order they are stored.

    Attributes
    ----------
    areas : DataFrame
        code, level, admin_parent, grid_role.
    shapes : ndarray of Polygon
        One per area.
    venues : DataFrame
        One row per venue, with the columns of the store.
    points : ndarray of Point or None
        One per venue.
    """

    areas: pd.DataFrame
    shapes: np.ndarray
    venues: pd.DataFrame
    points: np.ndarray

    def live(self) -> np.ndarray:
        """Return which venues were not withdrawn."""
        return (self.venues["status"] != WITHDRAWN).to_numpy()

    def under(self, code: str) -> set[str]:
        """Return the codes of a unit's subtree."""
        parents = dict(zip(self.areas["code"], self.areas["admin_parent"], strict=True))
        found = set()
        for unit in parents:
            above = unit
            while above and above != code:
                above = parents[above]
            if above:
                found.add(unit)
        return found


# -------------------------------------------------------------------------------------- the city


def make_city(*, n_venues: int, n_villages: int, seed: int) -> City:
    """Return a city of about so many villages: townships hold 40 of them, counties 15 of those."""
    rng = np.random.default_rng(seed)
    columns = max(10, round((n_villages * 0.9375) ** 0.5 / 5) * 5)
    rows = max(8, round(n_villages / columns / 8) * 8)
    areas, shapes = _areas(columns, rows, rng)
    is_village = (areas["level"] == "village").to_numpy()
    points = _points(n_venues, shapes[is_village], rng)
    unit = _unit_of(points, shapes[is_village], areas.loc[is_village, "code"].to_numpy())
    venues = _venues(n_venues, unit, rng)
    points[rng.random(n_venues) < 0.01] = None
    has_none = points == None  # noqa: E711 - elementwise
    venues.loc[has_none, ["precision", "unit_code"]] = ["none", ""]
    return City(areas, shapes, venues, points)


def _areas(columns: int, rows: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Return villages, townships, counties and the city over a bent lattice."""
    bend = rng.uniform(-0.3, 0.3, (2 * rows + 1, 2 * columns + 1, 2)) / 2
    bend[0], bend[-1], bend[:, 0], bend[:, -1] = 0, 0, 0, 0
    j, k = np.meshgrid(np.arange(2 * columns + 1) / 2, np.arange(2 * rows + 1) / 2)
    at = np.stack([j, k], axis=2) + bend
    at = np.round(at * [WIDTH / columns, HEIGHT / rows] + [WEST, SOUTH], 7)
    rings, codes = [], []
    for row in range(rows):
        for column in range(columns):
            y, x = 2 * row, 2 * column
            around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
            rings.append([at[y + dy, x + dx] for dy, dx in around])
            township = row // 8 * (-(-columns // 5)) + column // 5
            codes.append(f"3715{township // 15:02d}{township:03d}{row % 8 * 5 + column % 5:03d}")
    cells = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    frames, shapes = [_level("village", codes, [code[:9] for code in codes])], [cells]
    for level, length, up in (("township", 9, 6), ("county", 6, 4), ("city", 4, 0)):
        parent = np.array([code[:length] for code in codes])
        names = sorted(set(parent.tolist()))
        merged = [shapely.coverage_union_all(cells[parent == name]) for name in names]
        frames.append(_level(level, names, [name[:up] for name in names]))
        shapes.append(np.array(merged, dtype=object))
    return pd.concat(frames, ignore_index=True), np.concatenate(shapes)


def _level(level: str, codes: list[str], parents: list[str]) -> pd.DataFrame:
    role = {"village": "responsibility", "township": "supervision"}.get(level, "none")
    return pd.DataFrame({"code": codes, "level": level, "admin_parent": parents, "grid_role": role})


def _points(n: int, villages: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points all over, some of them on corners and on the middle of borders."""
    xy = rng.random((n, 2)) * [WIDTH, HEIGHT] + [WEST, SOUTH]
    corners = shapely.get_coordinates(villages)
    on_corner = rng.random(n) < 0.05
    xy[on_corner] = corners[rng.integers(len(corners), size=on_corner.sum())]
    on_border = rng.random(n) < 0.05
    start = rng.integers(len(corners) - 1, size=on_border.sum())
    xy[on_border] = (corners[start] + corners[start + 1]) / 2
    return np.asarray(shapely.points(np.round(xy, 7)))


def _unit_of(points: np.ndarray, villages: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the lowest code of the villages that cover each point, "" where none does."""
    point, village = shapely.STRtree(villages).query(points, predicate="covered_by")
    lowest = pd.Series(codes[village]).groupby(point).min()
    return lowest.reindex(range(len(points)), fill_value="").to_numpy(dtype=object)


def _venues(n: int, unit: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    day = rng.integers(DAYS, size=n)
    due = pd.Series([FIRST_DAY + timedelta(days=int(d)) for d in day], dtype=object)
    due[rng.random(n) < 0.05] = None
    return pd.DataFrame(
        {
            Col.VENUE_ID: [f"venue_{k:026d}" for k in range(n)],
            "external_id": [f"X{k:06d}" for k in range(n)],
            Col.NAME: [f"样例场所{k}" for k in range(n)],
            Col.KIND: "restaurant",
            Col.TIER: rng.choice([tier.value for tier in Tier], n, p=[0.1, 0.2, 0.7]),
            Col.DUE: due,
            Col.LAST_INSPECTION: due,
            "cadence_version": "2024-1",
            "precision": "point",
            "state": rng.choice([*IN_USE, "closed", "exempt"], n, p=[0.9, 0.04, 0.04, 0.02]),
            "status": rng.choice([CURRENT, TO_CHECK, WITHDRAWN], n, p=[0.95, 0.03, 0.02]),
            "unit_code": unit,
            Col.SOURCE: "synthetic",
        }
    )


def load(store: Store, city: City) -> None:
    """Write a city into an empty store, in one change."""
    version = {Col.BOUNDARY_VERSION: VERSION, Col.SOURCE: "synthetic"}
    areas = [
        {
            **version,
            **row,
            Col.NAME: f"样例{row['code']}",
            "external_id": f"{VERSION}:{row['code']}",
            "unit_code": row["code"],
            "geom": shapely.multipolygons([shape]),
        }
        for row, shape in zip(city.areas.to_dict("records"), city.shapes, strict=True)
    ]
    rows = city.venues.assign(geom=city.points).to_dict("records")
    venues: list[dict[str, Any]] = [{str(k): value for k, value in row.items()} for row in rows]
    facts = {Col.BOUNDARY_VERSION: VERSION, "epsg": LIAOCHENG_EPSG, "data_date": FIRST_DAY}

    def change(connection: Connection) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        connection.execute(insert(BOUNDARY_VERSIONS), {**version, "created_at": now})
        connection.execute(insert(BOUNDARIES), areas)
        connection.execute(insert(CITY), {**facts, "synthetic": True, "attribution": []})
        connection.execute(insert(VENUES), venues)

    store.write(change)


# ------------------------------------------------------------------------------- the questions


@dataclass(frozen=True)
class Box:
    """Venues in a box; of a tier and due by a day where these are given."""

    west: float
    south: float
    east: float
    north: float
    tier: str | None = None
    due_by: date | None = None

    def ask(self, connection: Connection) -> list[str]:
        """Return the ids by the index, checked again exactly, by due day and number."""
        box = (self.west, self.south, self.east, self.north)
        wanted = select(VENUES.c.venue_id, VENUES.c.geom).where(
            meets_box(VENUES.c.geom, *box), VENUES.c.status != WITHDRAWN
        )
        if self.tier is not None:
            wanted = wanted.where(VENUES.c.tier == self.tier, VENUES.c.due <= self.due_by)
        rows = connection.execute(wanted.order_by(VENUES.c.due.is_not(None), VENUES.c.due, "fid"))
        return [
            venue_id for venue_id, point in rows if shapely.intersects(shapely.box(*box), point)
        ]

    def expect(self, city: City) -> list[str]:
        """Return the same by comparing every venue."""
        x, y = shapely.get_x(city.points), shapely.get_y(city.points)
        inside = (x >= self.west) & (x <= self.east) & (y >= self.south) & (y <= self.north)
        found = city.venues[inside & city.live()]
        if self.tier is not None:
            is_due = [day is not None and day <= self.due_by for day in found[Col.DUE]]
            found = found[(found[Col.TIER] == self.tier) & np.array(is_due, dtype=bool)]
        return _in_order(found)


@dataclass(frozen=True)
class AreasAt:
    """Codes of the areas that hold a point."""

    lon: float
    lat: float

    def ask(self, connection: Connection) -> list[str]:
        """Return them by the index, checked again exactly."""
        near = meets_box(BOUNDARIES.c.geom, self.lon, self.lat, self.lon, self.lat)
        rows = connection.execute(select(BOUNDARIES.c.code, BOUNDARIES.c.geom).where(near))
        point = shapely.Point(self.lon, self.lat)
        return sorted(code for code, shape in rows if shapely.intersects(shape, point))

    def expect(self, city: City) -> list[str]:
        """Return the same by asking every area."""
        holds = shapely.intersects(city.shapes, shapely.Point(self.lon, self.lat))
        return sorted(city.areas.loc[holds, "code"])


@dataclass(frozen=True)
class InArea:
    """Venues that stand in an area or on its border."""

    code: str

    def ask(self, connection: Connection) -> list[str]:
        """Return their ids by the box of the area, checked again exactly."""
        area = select(BOUNDARIES.c.geom).where(BOUNDARIES.c.code == self.code)
        shape = connection.execute(area).scalar_one()
        rows = connection.execute(
            select(VENUES.c.venue_id, VENUES.c.geom).where(
                meets_box(VENUES.c.geom, *shape.bounds), VENUES.c.status != WITHDRAWN
            )
        )
        shapely.prepare(shape)
        return sorted(venue_id for venue_id, point in rows if shape.intersects(point))

    def expect(self, city: City) -> list[str]:
        """Return the same by asking every venue."""
        shape = city.shapes[(city.areas["code"] == self.code).to_numpy()][0]
        shapely.prepare(shape)
        inside = shapely.intersects(shape, city.points) & city.live()
        return sorted(city.venues.loc[inside, Col.VENUE_ID])


@dataclass(frozen=True)
class DuePage:
    """A page of the due list, some pages after the first."""

    as_of: date
    state: DueState | None
    tier: Tier | None
    limit: int
    pages: int
    code: str

    def ask(self, connection: Connection) -> list[str]:
        """Return the ids on the page, reached by turning the pages before it."""
        after = None
        for _ in range(self.pages):
            page = due_venues_page(
                connection,
                as_of=self.as_of,
                state=self.state,
                tier=self.tier,
                after=after,
                limit=self.limit,
                scope=Scope(unit_code=self.code) if self.code else EVERYWHERE,
            )
            after = page.after
            if after is None:
                break
        return [item.venue_id for item in page.items]

    def expect(self, city: City) -> list[str]:
        """Return the same by sorting every venue."""
        venues = city.venues[city.live() & city.venues["state"].isin(IN_USE)]
        if self.code:
            venues = venues[venues["unit_code"].isin(city.under(self.code))]
        if self.tier is not None:
            venues = venues[venues[Col.TIER] == self.tier.value]
        if self.state is not None:
            has_state = [self._state(due) == self.state for due in venues[Col.DUE]]
            venues = venues[np.array(has_state, dtype=bool)]
        ids = _in_order(venues)
        last = max(0, -(-len(ids) // self.limit) - 1)
        page = min(self.pages - 1, last)
        return ids[page * self.limit : (page + 1) * self.limit]

    def _state(self, due: date | None) -> DueState:
        if due is None:
            return DueState.UNKNOWN
        if due < self.as_of:
            return DueState.OVERDUE
        last = calendar.monthrange(self.as_of.year, self.as_of.month)[1]
        return DueState.DUE if due <= self.as_of.replace(day=last) else DueState.LATER


@dataclass(frozen=True)
class InScope:
    """Venues of a unit's subtree, of one tier."""

    code: str
    tier: str

    def ask(self, connection: Connection) -> list[str]:
        """Return their ids by the scope every repository call takes."""
        scope = Scope(unit_code=self.code).holds(VENUES.c.unit_code)
        live = VENUES.c.status != WITHDRAWN
        wanted = select(VENUES.c.venue_id).where(scope, live, VENUES.c.tier == self.tier)
        return sorted(connection.scalars(wanted))

    def expect(self, city: City) -> list[str]:
        """Return the same by walking up from every unit."""
        under = city.venues["unit_code"].isin(city.under(self.code))
        mine = under & (city.venues[Col.TIER] == self.tier) & city.live()
        return sorted(city.venues.loc[mine, Col.VENUE_ID])


Query = Box | AreasAt | InArea | DuePage | InScope


def _in_order(venues: pd.DataFrame) -> list[str]:
    """Return ids by due day, the unknown ones first, then as they are stored."""
    key = [(day is not None, day or FIRST_DAY, k) for k, day in venues[Col.DUE].items()]
    ids = venues[Col.VENUE_ID].to_numpy()
    return [ids[k] for k in sorted(range(len(ids)), key=key.__getitem__)]


def random_queries(city: City, n: int, seed: int) -> Iterator[Query]:
    """Yield questions of every kind in turn."""
    random = Random(seed)
    kinds = (_box, _box_due, _areas_at, _in_area, _due_page, _in_scope)
    for k in range(n):
        yield kinds[k % len(kinds)](city, random)


def _box(city: City, random: Random) -> Box:
    """Return a box from a village's size to a township's, half of them with a venue on an edge."""
    side = WIDTH * 10 ** random.uniform(-2.5, -1)
    west = WEST + random.random() * (WIDTH - side)
    south = SOUTH + random.random() * (HEIGHT - side)
    point = city.points[random.randrange(len(city.points))]
    if point is not None and random.random() < 0.5:
        west, south = random.choice([(point.x, point.y), (point.x - side, point.y - side)])
    return Box(west, south, west + side, south + side)


def _box_due(city: City, random: Random) -> Box:
    box = _box(city, random)
    tier = random.choice(list(Tier)).value
    day = FIRST_DAY + timedelta(days=random.randrange(DAYS))
    return Box(box.west, box.south, box.east, box.north, tier, day)


def _areas_at(city: City, random: Random) -> AreasAt:
    """Return a question for a point: any, a venue's, or a corner of an area."""
    point: Any = city.points[random.randrange(len(city.points))]
    if random.random() < 0.3:
        corners = shapely.get_coordinates(city.shapes[random.randrange(len(city.shapes))])
        point = shapely.Point(corners[random.randrange(len(corners))])
    if point is None or random.random() < 0.3:
        point = shapely.Point(WEST + random.random() * WIDTH, SOUTH + random.random() * HEIGHT)
    return AreasAt(point.x, point.y)


def _unit(city: City, random: Random, levels: tuple[str, ...]) -> str:
    codes = city.areas.loc[city.areas["level"] == random.choice(levels), "code"].to_numpy()
    return str(codes[random.randrange(len(codes))])


def _in_area(city: City, random: Random) -> InArea:
    return InArea(_unit(city, random, ("village", "village", "township")))


def _due_page(city: City, random: Random) -> DuePage:
    return DuePage(
        as_of=FIRST_DAY + timedelta(days=random.randrange(DAYS)),
        state=random.choice([None, *DueState]),
        tier=random.choice([None, *Tier]),
        limit=random.choice([1, 7, 50]),
        pages=random.randrange(1, 6),
        code=random.choice(["", _unit(city, random, ("county", "township", "village"))]),
    )


def _in_scope(city: City, random: Random) -> InScope:
    code = _unit(city, random, ("county", "township", "township", "village", "village"))
    return InScope(code, random.choice(list(Tier)).value)
