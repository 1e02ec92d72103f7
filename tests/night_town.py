"""A town of four villages with a planned night, small enough to check by hand.

One step is 0.01 degree (about 1 km); streets run along every grid line::

    north 4 ┌────┬────╥────┬────┐      ║ the border of the two townships
          3 ├────B────╫────┼────┤      A, B, C places; G fixed post; W pair; X unserved
          2 ╞════W════╬════C═X══╡      ═ 东昌路, the street that all three teams share
          1 S1───A────╫────G───S2      S1, S2 stations
          0 └────┴────╨────┴────┘
            0    1    2    3    4  east

Team 1 (S1): A, break at S1, W.   Team 2 (S1): B, W.   Team 3 (S2): G, C, C again.
"""

from collections.abc import Callable
from datetime import date, datetime
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.frames import (
    Channel,
    DueState,
    GridRole,
    Layers,
    Level,
    PostKind,
    StationKind,
    StreetClass,
    Tier,
    VenueKind,
)
from geo.units import CITY_ZONE
from routing.model import (
    Band,
    Inspection,
    Mode,
    Place,
    Plan,
    PlanState,
    Post,
    Problem,
    Rates,
    Round,
    Route,
    Schedule,
    Shift,
    Status,
    Stop,
    TravelTimes,
    Unit,
    Unserved,
    Visit,
    VisitKind,
)

WEST, SOUTH, STEP = 115.90, 36.40, 0.01
EPSG = 32650
NIGHT = date(2026, 11, 21)
DATA_DATE = date(2026, 11, 20)
VERSION = "2023-06"
Names = Callable[[str], str]

AT = {
    "S1": (0, 1),
    "S2": (4, 1),
    "A": (1, 1),
    "B": (1, 3),
    "W": (1, 2),
    "C": (3, 2),
    "G": (3, 1),
    "X": (3.5, 2),
}
MINUTE = 60


def lonlat(east: float, north: float) -> tuple[float, float]:
    return round(WEST + STEP * east, 7), round(SOUTH + STEP * north, 7)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(*lonlat(west, south), *lonlat(east, north))


def frame(columns: dict[str, object], shapes: list[object]) -> gpd.GeoDataFrame:
    made = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=4326))
    return made.assign(source="synthetic")


def boundaries(name: Names) -> gpd.GeoDataFrame:
    rows = [("371599", "样例县", Level.COUNTY, "", box(0, 0, 4, 4))]
    for k, side in enumerate("西东"):
        town = f"37159900{k + 1}"
        rows.append((town, f"{side}镇", Level.TOWNSHIP, "371599", box(2 * k, 0, 2 * k + 2, 4)))
        for j, end in enumerate("南北"):
            shape = box(2 * k, 2 * j, 2 * k + 2, 2 * j + 2)
            rows.append((f"{town}20{j}", f"{side}{end}村委会", Level.VILLAGE, town, shape))
    blank = pd.Series(pd.NaT, index=range(len(rows))).astype("datetime64[s]")
    columns = {
        "code": [row[0] for row in rows],
        "name": [name(row[1]) for row in rows],
        "level": [row[2].value for row in rows],
        "admin_parent": [row[3] for row in rows],
        "grid_role": [GridRole.NONE.value] * len(rows),
        "boundary_version": [VERSION] * len(rows),
        "valid_from": blank,
        "valid_to": blank,
    }
    return frame(columns, [row[4] for row in rows])


def streets(name: Names) -> gpd.GeoDataFrame:
    ends = [((i, j), (i + 1, j)) for j in range(5) for i in range(4)]
    ends += [((i, j), (i, j + 1)) for i in range(5) for j in range(4)]
    shared = [a[1] == b[1] == 2 for a, b in ends]
    columns = {
        "segment_id": [f"s{k:02d}" for k in range(len(ends))],
        "name": [
            name("东昌路") if main else name("样例巷") if k % 3 else ""
            for k, main in enumerate(shared)
        ],
        "street_class": [
            (StreetClass.ARTERIAL if main else StreetClass.LANE).value for main in shared
        ],
        "oneway": [False] * len(ends),
        "bridge": [False] * len(ends),
        "lanes": [0] * len(ends),
        "max_speed": [0.0] * len(ends),
    }
    return frame(columns, [shapely.LineString([lonlat(*a), lonlat(*b)]) for a, b in ends])


def cells(borders: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    villages = borders[borders["level"] == Level.VILLAGE.value]
    columns = {
        "cell_id": [code + "001" for code in villages["code"]],
        "village_code": villages["code"].tolist(),
        "township_code": villages["admin_parent"].tolist(),
        "county_code": ["371599"] * 4,
        "grid_role": [GridRole.BASIC.value] * 4,
        "households": [100, 90, 110, 0],
        "area": [1.0e6] * 4,
        "boundary_version": [VERSION] * 4,
        "n_venues": [6, 6, 6, 6],
        "n_incidents": [50, 50, 50, 50],
        "n_due": [2, 2, 2, 2],
    }
    return frame(columns, villages.geometry.tolist())


def venues(name: Names) -> gpd.GeoDataFrame:
    n = 24
    states = [DueState.OVERDUE, DueState.DUE, DueState.LATER, DueState.UNKNOWN]
    state = [states[k % 4] for k in range(n)]
    days = {DueState.OVERDUE: -4, DueState.DUE: 3, DueState.LATER: 60}
    due = [pd.Timestamp(NIGHT) + pd.Timedelta(days[s], "D") if s in days else pd.NaT for s in state]
    village = [k % 4 for k in range(n)]
    quarter = {0: (0, 0), 1: (0, 2), 2: (2, 0), 3: (2, 2)}
    codes = ["371599001200", "371599001201", "371599002200", "371599002201"]
    points = [
        shapely.Point(lonlat(quarter[v][0] + 0.3 + 0.05 * k, quarter[v][1] + 0.5))
        for k, v in enumerate(village)
    ]
    columns = {
        "venue_id": [f"v{k:03d}" for k in range(n)],
        "name": [name(f"样例商店 {k:05d}") for k in range(n)],
        "kind": [list(VenueKind)[k % 9].value for k in range(n)],
        "tier": [list(Tier)[k % 3].value for k in range(n)],
        "last_inspection": pd.Series(
            [pd.NaT if s is DueState.UNKNOWN else pd.Timestamp(2026, 5, 1) for s in state]
        ).astype("datetime64[s]"),
        "cell_id": [codes[v] + "001" for v in village],
        "due": pd.Series(due).astype("datetime64[s]"),
        "due_state": [s.value for s in state],
    }
    return frame(columns, points)


def incidents() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(5)
    east, north = 2 + rng.normal(0, 0.3, 300), 2 + rng.normal(0, 0.3, 300)
    hours = np.array([21, 23, 1])[np.arange(300) % 3]
    when = pd.Timestamp(2026, 10, 1, tz=CITY_ZONE) + pd.to_timedelta(hours, "h")
    columns = {
        "incident_id": [f"i{k:03d}" for k in range(300)],
        "occurred_at": pd.Series(when).astype("datetime64[s, Asia/Shanghai]"),
        "category": ["noise"] * 300,
        "channel": [Channel.RESIDENT.value] * 300,
    }
    return frame(columns, [shapely.Point(lonlat(x, y)) for x, y in zip(east, north, strict=True)])


def layers(name: Names) -> Layers:
    stations = frame(
        {
            "station_id": ["S1", "S2"],
            "name": [name("西镇所"), name("东镇所")],
            "kind": [StationKind.TOWNSHIP.value] * 2,
        },
        [shapely.Point(lonlat(*AT["S1"])), shapely.Point(lonlat(*AT["S2"]))],
    )
    water = frame(
        {"code": ["w1", "w2"], "name": [name("样例河"), ""]},
        [box(2.2, 0, 2.4, 4), shapely.LineString([lonlat(0, 3.5), lonlat(4, 3.5)])],
    )
    buildings = frame(
        {"building_id": [f"b{k:03d}" for k in range(64)], "households": [40] * 64},
        [shapely.Point(lonlat(0.2 + 0.1 * (k % 8), 0.2 + 0.1 * (k // 8))) for k in range(64)],
    )
    units = pd.DataFrame(
        {
            "unit_id": ["u1", "u2", "u3"],
            "call_sign": [name("西镇1组"), name("西镇2组"), name("东镇1组")],
            "station_id": ["S1", "S1", "S2"],
            "headcount": [4, 4, 4],
            "mode": ["car", "car", "ebike"],
            "source": ["synthetic"] * 3,
        }
    )
    posts = frame(
        {
            "post_id": ["G", "W"],
            "name": [name("样例学校门口"), name("样例广场")],
            "kind": [PostKind.FIXED.value, PostKind.PAIR.value],
            "window_start": ["22:00", "23:00"],
            "window_end": ["22:20", "00:00"],
            "dwell": [1200, 720],
            "n_units": [1, 2],
        },
        [shapely.Point(lonlat(*AT["G"])), shapely.Point(lonlat(*AT["W"]))],
    )
    return Layers(
        boundaries=boundaries(name),
        streets=streets(name),
        water=water,
        buildings=buildings,
        venues=venues(name),
        incidents=incidents(),
        stations=stations,
        units=units,
        posts=posts,
        epsg=EPSG,
        data_date=DATA_DATE,
        boundary_version=VERSION,
        synthetic=True,
        attribution=("GS(2024)0650",),
    )


def visit(place: str, kind: VisitKind, arrive: int, stay: int, reason: str = "") -> Visit:
    return Visit(
        task_id=place,
        place_id=place,
        kind=kind,
        travel=5 * MINUTE,
        arrive=arrive * MINUTE,
        depart=(arrive + stay) * MINUTE,
        reason=reason or f"patrol.reason.{kind.value}",
    )


TOP, SOME = "patrol.reason.demand_top", "patrol.reason.demand_some"
ROUTES = {
    "u1": (
        "S1",
        (
            visit("A", VisitKind.HOTSPOT, 5, 12, TOP),
            visit("S1", VisitKind.BREAK, 60, 30),
            visit("W", VisitKind.PAIR, 200, 12),
        ),
    ),
    "u2": (
        "S1",
        (visit("B", VisitKind.HOTSPOT, 10, 12, SOME), visit("W", VisitKind.PAIR, 201, 12)),
    ),
    "u3": (
        "S2",
        (
            visit("G", VisitKind.POST, 120, 20),
            visit("C", VisitKind.HOTSPOT, 150, 14, TOP),
            visit("C", VisitKind.HOTSPOT, 240, 14, TOP),
        ),
    ),
}

PATHS = {
    "u1": ["S1 A", "A S1", "S1 (0,2) W", "W (0,2) S1"],
    "u2": ["S1 A W B", "B W", "W C (4,2) S2 G A S1"],
    "u3": ["S2 G", "G C", "", "C X (4,2) S2"],
}


def path(text: str) -> shapely.LineString:
    names = [tuple(map(float, p[1:-1].split(","))) if p[0] == "(" else AT[p] for p in text.split()]
    return shapely.LineString([lonlat(*p) for p in names]) if names else shapely.LineString()


def legs() -> gpd.GeoDataFrame:
    rows, lines = [], []
    for unit_id, (_, visits) in ROUTES.items():
        departs = [0, *(v.depart for v in visits)]
        for order, (depart, way) in enumerate(zip(departs, PATHS[unit_id], strict=True), 1):
            task = visits[order - 1].task_id if order <= len(visits) else ""
            rows.append((f"{unit_id}-{order}", unit_id, order, task, depart, depart + 5 * MINUTE))
            lines.append(path(way))
    columns = ["leg_id", "unit_id", "order", "task_id", "depart", "arrive"]
    table = pd.DataFrame(rows, columns=columns).assign(streets="", length=0.0)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(lines, crs=4326))


def plan(name: Names) -> Plan:
    places = tuple(
        Place(place_id=key, name=name(f"地点 {key}"), lon=lonlat(*at)[0], lat=lonlat(*at)[1])
        for key, at in AT.items()
    )
    calls = {"u1": ("西镇1组", "S1"), "u2": ("西镇2组", "S1"), "u3": ("东镇1组", "S2")}
    problem = Problem(
        shift=Shift(start=datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE), length=6 * 60 * MINUTE),
        places=places,
        units=tuple(
            Unit(
                unit_id=unit_id,
                call_sign=name(call),
                station_id=station,
                mode=Mode.CAR,
                headcount=4,
                break_window=(3600, 18000),
                break_length=1800,
            )
            for unit_id, (call, station) in calls.items()
        ),
        stops=tuple(
            Stop(
                place_id=key,
                kind=VisitKind.HOTSPOT,
                band=Band(cap=2),
                value_by_hour=(10, 10, 10 if key == "B" else 20, 10, 10, 10),
                reason=TOP,
                peak_hour=2,
            )
            for key in "ABCX"
        ),
        posts=(
            Post(
                post_id="G",
                place_id="G",
                kind=VisitKind.POST,
                earliest=7200,
                latest=7200,
                dwell=1200,
                n_units=1,
            ),
            Post(
                post_id="W",
                place_id="W",
                kind=VisitKind.PAIR,
                earliest=10800,
                latest=14400,
                dwell=720,
                n_units=2,
            ),
        ),
        rests=("S1", "S2"),
        travel=TravelTimes(
            place_ids=tuple(AT),
            modes=(Mode.CAR,),
            seconds=np.zeros((1, len(AT), len(AT)), np.int32),
        ),
        rates=Rates(),
        seed=1,
        data_date=DATA_DATE,
        boundary_version=VERSION,
        synthetic=True,
    )
    routes = tuple(
        Route(
            unit_id=unit_id,
            station_id=station,
            start=0,
            end=visits[-1].depart + 5 * MINUTE,
            travel_back=5 * MINUTE,
            visits=visits,
        )
        for unit_id, (station, visits) in ROUTES.items()
    )
    missing = Unserved(task_id="X", place_id="X", cause="patrol.cause.crowded_out", missing=1)
    return Plan(
        plan_id="plan-0001",
        state=PlanState.DRAFT,
        problem=problem,
        problem_hash="0" * 64,
        engine="hand",
        engine_version="1",
        status=Status.FEASIBLE,
        objective=0,
        bound=None,
        parts=(),
        routes=routes,
        unserved=(missing,),
    )


def schedule() -> Schedule:
    inspections = tuple(
        Inspection(
            venue_id=venue_id,
            place_id=venue_id,
            tier=Tier.RED.value,
            kind=VenueKind.SHOP.value,
            due=date(2026, 11, 17),
            is_overdue=True,
            travel=300,
            arrive=arrive,
            depart=arrive + 1200,
        )
        for venue_id, arrive in (("v000", 300), ("v004", 1800))
    )
    tour = Round(
        round_id="r1",
        team_id="检查1组",
        station_id="S1",
        day=date(2026, 11, 23),
        travel_back=300,
        end=4000,
        inspections=inspections,
    )
    return Schedule(
        first_day=date(2026, 11, 23),
        last_day=date(2026, 11, 30),
        day_length=21600,
        rounds=(tour,),
        unserved=(),
        status=Status.FEASIBLE,
        engine="hand",
        problem_hash="1" * 64,
        seed=1,
        data_date=DATA_DATE,
        boundary_version=VERSION,
        n_venues=24,
        n_due=12,
        n_unknown=6,
        synthetic=True,
    )


def make_night(name: Names = lambda text: text) -> SimpleNamespace:
    """Return the night as `routing.pipeline.Tonight` looks; `name` may spoil every name in it."""
    land = layers(name)
    return SimpleNamespace(
        layers=land,
        cells=cells(land.boundaries),
        venues=land.venues,
        unmatched=pd.DataFrame({"layer": [], "id": [], "lon": [], "lat": []}),
        demand=None,
        plan=plan(name),
        legs=legs(),
        schedule=schedule(),
        metrics=(),
        notes=(),
    )
