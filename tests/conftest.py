"""Hand-checkable towns that several test files share."""

import runpy
import shutil
from datetime import date, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import settings

from api.store import open_store
from api.store.migrations import NEWEST
from geo.frames import Col
from geo.sample import populate
from geo.units import CITY_ZONE, LIAOCHENG_EPSG
from routing.model import (
    UNREACHABLE,
    Band,
    Mode,
    ObjectivePart,
    Place,
    Plan,
    PlanState,
    Post,
    Problem,
    Rates,
    Route,
    Shift,
    Status,
    Stop,
    TravelTimes,
    Unit,
    Unserved,
    Visit,
    VisitKind,
)

# One step of the grid is 3 km: 300 s by car (10 m/s), 600 s by e-bike (5 m/s), along the streets.
#
#   north  2 │                          P5 (an island: no bridge)
#          1 │  P2 ──── P3 ──── SCHOOL  P6
#          0 │  S1 ──── P1 ──── S2 = R2
#         -1 │  R1 ──── GATE ── BANK    P4
#            └──0────────1───────2───────3  east
GRID = {
    "S1": (0, 0),
    "S2": (2, 0),
    "P1": (1, 0),
    "P2": (0, 1),
    "P3": (1, 1),
    "P4": (3, -1),
    "P5": (3, 2),
    "P6": (3, 1),
    "SCHOOL": (2, 1),
    "GATE": (1, -1),
    "BANK": (2, -1),
    "R1": (0, -1),
}
STEP_EAST, STEP_NORTH = 0.0335, 0.0270
"""Degrees of 3 km near 36.4° north."""


def _place(name: str) -> Place:
    east, north = GRID[name]
    lon, lat = round(115.98 + east * STEP_EAST, 7), round(36.45 + north * STEP_NORTH, 7)
    return Place(place_id=name, name=f"地点 {name}", lon=lon, lat=lat)


def _travel() -> TravelTimes:
    at = np.array(list(GRID.values()))
    steps = np.abs(at[:, None] - at[None, :]).sum(axis=2)
    seconds = np.stack([300 * steps, 600 * steps]).astype(np.int32)
    island = list(GRID).index("P5")
    seconds[:, island, :] = seconds[:, :, island] = UNREACHABLE
    seconds[:, island, island] = 0
    return TravelTimes(place_ids=tuple(GRID), modes=(Mode.CAR, Mode.EBIKE), seconds=seconds)


def _unit(unit_id: str, station_id: str, mode: Mode) -> Unit:
    return Unit(
        unit_id=unit_id,
        call_sign=f"巡{unit_id}",
        station_id=station_id,
        mode=mode,
        headcount=4,
        break_window=(9_000, 14_400),
        break_length=1_800,
    )


def _stop(name: str, band: Band, *values: int, kind: VisitKind = VisitKind.HOTSPOT) -> Stop:
    return Stop(
        place_id=name,
        kind=kind,
        band=band,
        value_by_hour=values,
        reason="patrol.reason.demand",
        peak_hour=20,
    )


def _post(name: str, kind: VisitKind, at: int, latest: int, *, dwell: int, n_units: int) -> Post:
    return Post(
        post_id=f"M-{name}",
        place_id=name,
        kind=kind,
        earliest=at,
        latest=latest,
        dwell=dwell,
        n_units=n_units,
    )


settings.register_profile("same_everywhere", deadline=None, derandomize=True)
settings.load_profile("same_everywhere")  # the same examples on every machine, none judged by time


@pytest.fixture
def town_problem() -> Problem:
    """Two stations, three teams, one night 20:00–02:00."""
    return Problem(
        shift=Shift(start=datetime(2026, 11, 21, 20, tzinfo=CITY_ZONE), length=21_600),
        places=tuple(_place(name) for name in GRID),
        units=(
            _unit("A1", "S1", Mode.CAR),
            _unit("A2", "S1", Mode.CAR),
            _unit("B1", "S2", Mode.EBIKE),
        ),
        stops=(
            _stop("P1", Band(floor=1, cap=2), 100, 90, 80, 70, 60, 50),
            _stop("P2", Band(cap=1), 10, 33, 10, 10, 10, 10),
            _stop("P3", Band(cap=1), 20, 20, 20, 20, 20, 20, kind=VisitKind.EXPLORATION),
            _stop("P4", Band(cap=0), 40, 40, 40, 40, 40, 40),
            _stop("P5", Band(floor=1, cap=1), 50, 50, 50, 50, 50, 50),
            _stop("P6", Band(cap=1), 5, 5, 5, 5, 5, 5),
        ),
        posts=(
            _post("SCHOOL", VisitKind.POST, 7_200, 7_200, dwell=1_800, n_units=2),
            _post("GATE", VisitKind.PAIR, 3_600, 7_200, dwell=720, n_units=2),
            _post("BANK", VisitKind.POST, 600, 600, dwell=900, n_units=1),
        ),
        rests=("R1", "S2"),
        travel=_travel(),
        rates=Rates(),
        seed=7,
        data_date=date(2026, 11, 20),
        boundary_version="2023-06",
        synthetic=True,
    )


def _visit(kind: VisitKind, place_id: str, travel: int, arrive: int, stay: int) -> Visit:
    is_must = kind in {VisitKind.POST, VisitKind.PAIR}
    return Visit(
        task_id=f"M-{place_id}" if is_must else place_id,
        place_id=place_id,
        kind=kind,
        travel=travel,
        arrive=arrive,
        depart=arrive + stay,
        reason=f"patrol.reason.{kind}",
    )


def _routes() -> tuple[Route, ...]:
    hot, new = VisitKind.HOTSPOT, VisitKind.EXPLORATION
    post, pair, rest = VisitKind.POST, VisitKind.PAIR, VisitKind.BREAK
    a1 = (
        _visit(hot, "P1", 300, 300, 720),
        _visit(pair, "GATE", 300, 3_600, 720),
        _visit(post, "SCHOOL", 900, 7_200, 1_800),
        _visit(rest, "S2", 300, 9_300, 1_800),
        _visit(hot, "P1", 300, 11_400, 720),
    )
    a2 = (
        _visit(pair, "GATE", 600, 3_660, 720),
        _visit(hot, "P2", 900, 5_280, 720),
        _visit(rest, "R1", 600, 9_000, 1_800),
    )
    b1 = (
        _visit(new, "P3", 1_200, 1_200, 720),
        _visit(post, "SCHOOL", 600, 7_200, 1_800),
        _visit(rest, "S2", 600, 9_600, 1_800),
    )
    return (
        Route(unit_id="A1", station_id="S1", start=0, end=12_420, travel_back=300, visits=a1),
        Route(unit_id="A2", station_id="S1", start=3_060, end=11_100, travel_back=300, visits=a2),
        Route(unit_id="B1", station_id="S2", start=0, end=11_400, travel_back=0, visits=b1),
    )


def _part(name: str, amount: int, unit: str, rate: int) -> ObjectivePart:
    return ObjectivePart(name=name, amount=amount, unit=unit, rate=rate, points=amount * rate)


@pytest.fixture
def town_plan(town_problem: Problem) -> Plan:
    """A sound plan whose figures are worked out by hand.

    Value: P1 100 in hour 0 and 60 % of 70 in hour 3, P2 33 in hour 1, P3 20 in hour 0: 195.
    Travel: A1 2,400 s, A2 2,400 s, B1 2,400 s: 120 minutes, one point each.
    Load: A1 2,400 + 3,960 s, A2 2,400 + 1,440 s: 42 minutes apart, two points each.
    """
    return Plan(
        plan_id="night-2026-11-21",
        state=PlanState.DRAFT,
        problem=town_problem,
        problem_hash=town_problem.digest(),
        engine="by-hand",
        engine_version="1",
        status=Status.FEASIBLE,
        objective=195 - 120 - 84,
        bound=40,
        parts=(
            _part("value", 195, "point", 1),
            _part("travel", 120, "minute", -1),
            _part("fairness", 42, "minute", -2),
        ),
        routes=_routes(),
        unserved=(
            Unserved(task_id="P5", place_id="P5", cause="patrol.cause.unreachable", missing=1),
            Unserved(task_id="M-BANK", place_id="BANK", cause="patrol.cause.crowded", missing=1),
        ),
    )


def _street_grid(n: int, step: float):
    """n x n junctions `step` degrees apart, every second row an arterial with a name."""
    lon, lat = 115.97 + step * np.arange(n), 36.45 + step * np.arange(n)
    lines, names, classes = [], [], []
    for k in range(n):
        for j in range(n - 1):
            lines += [
                [(lon[j], lat[k]), (lon[j + 1], lat[k])],
                [(lon[k], lat[j]), (lon[k], lat[j + 1])],
            ]
            names += [f"样例{k + 1}路", f"样例{k + 1}街"]
            classes += ["arterial" if k % 2 == 0 else "lane"] * 2
    rounded = [[(round(x, 7), round(y, 7)) for x, y in line] for line in lines]
    return gpd.GeoDataFrame(
        {
            Col.SEGMENT_ID: pd.Series([f"s{i:04d}" for i in range(len(lines))], dtype="str"),
            Col.NAME: pd.Series(names, dtype="str"),
            Col.STREET_CLASS: pd.Series(classes, dtype="str"),
            Col.ONEWAY: pd.Series(False, index=range(len(lines)), dtype="bool"),
            Col.BRIDGE: pd.Series(False, index=range(len(lines)), dtype="bool"),
            Col.LANES: pd.Series(0, index=range(len(lines)), dtype="int64"),
            Col.MAX_SPEED: pd.Series(0.0, index=range(len(lines)), dtype="float64"),
            Col.SOURCE: pd.Series("synthetic", index=range(len(lines)), dtype="str"),
        },
        geometry=shapely.linestrings(rounded),
        crs=4326,
    )


def _two_villages(low: float, high_lon: float, high_lat: float):
    """One township of two villages side by side, a little larger than the streets.

    ┌──────────┬──────────┐
    │ 样例一村 │ 样例二村 │   under 样例镇, 样例县
    └──────────┴──────────┘
    """
    west, south, east, north = 115.97 - low, 36.45 - low, high_lon + low, high_lat + low
    middle = round((west + east) / 2, 7)
    rows = [
        ("371599", "样例县", "county", "", "none", (west, east)),
        ("371599101", "样例镇", "township", "371599", "supervision", (west, east)),
        ("371599101201", "样例一村", "village", "371599101", "responsibility", (west, middle)),
        ("371599101202", "样例二村", "village", "371599101", "responsibility", (middle, east)),
    ]
    text = {
        name: pd.Series([row[k] for row in rows], dtype="str")
        for k, name in enumerate((Col.CODE, Col.NAME, Col.LEVEL, Col.ADMIN_PARENT, Col.GRID_ROLE))
    }
    blank = pd.Series(pd.NaT, index=range(len(rows))).astype("datetime64[s]")
    return gpd.GeoDataFrame(
        {
            **text,
            Col.BOUNDARY_VERSION: pd.Series(["2023-06"] * len(rows), dtype="str"),
            Col.VALID_FROM: blank,
            Col.VALID_TO: blank,
            Col.SOURCE: pd.Series(["synthetic"] * len(rows), dtype="str"),
        },
        geometry=[
            shapely.Polygon(
                [
                    (round(x, 7), round(y, 7))
                    for x, y in ((a, south), (b, south), (b, north), (a, north))
                ]
            )
            for *_, (a, b) in rows
        ],
        crs=4326,
    )


@pytest.fixture(scope="session")
def small_layers():
    """A town of 12 x 12 junctions 200 m apart with its points: a whole night in a few seconds."""
    n, step = 12, 0.002
    edge = step * (n - 1)
    return populate(
        _street_grid(n, step),
        _two_villages(0.0005, 115.97 + edge, 36.45 + edge),
        epsg=LIAOCHENG_EPSG,
        seed=3,
        n_venues=240,
        n_incidents=4000,
        n_stations=2,
        n_units=4,
        data_date=date(2026, 11, 20),
    ).layers


@pytest.fixture(scope="session")
def postgis_cluster():
    """A PostgreSQL server of this run alone; skipped only where its binaries are absent."""
    cluster = runpy.run_path(str(Path(__file__).with_name("postgis_cluster.py")))
    with cluster["running_cluster"]() as running:
        if running is None:
            pytest.skip("PostgreSQL with PostGIS is not installed")
        yield running


@pytest.fixture(scope="session")
def _empty_geopackage(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "empty.gpkg"
    open_store(str(path), create=True).close()
    return path


@pytest.fixture(scope="session")
def _empty_postgis(postgis_cluster):
    name = postgis_cluster.new_database()
    open_store(postgis_cluster.url(name), create=True).close()
    return name


@pytest.fixture
def geopackage_setting(tmp_path, _empty_geopackage):
    """The setting that names an empty embedded store."""
    return shutil.copyfile(_empty_geopackage, tmp_path / "city.gpkg").as_posix()


@pytest.fixture
def postgis_setting(postgis_cluster, _empty_postgis):
    """The setting that names an empty store in PostGIS."""
    name = postgis_cluster.lend(_empty_postgis)
    yield postgis_cluster.url(name)
    postgis_cluster.take_back(name, NEWEST)


@pytest.fixture(params=["geopackage", "postgis"])
def store_setting(request):
    """The setting that names an empty store, on both databases."""
    return request.getfixturevalue(f"{request.param}_setting")


@pytest.fixture
def store(store_setting):
    """An open, empty store, on both databases."""
    with open_store(store_setting) as opened:
        yield opened


@pytest.fixture
def geopackage(geopackage_setting):
    """An open, empty embedded store."""
    with open_store(geopackage_setting) as opened:
        yield opened


@pytest.fixture(scope="module")
def chromium():
    """A Chromium for tests of theme pages; such a file makes its `page`."""
    engine = pytest.importorskip("playwright.sync_api")
    browser = runpy.run_path(str(Path(__file__).with_name("test_map_browser.py")))
    if not browser["CHROMIUM"].exists():
        pytest.skip("no Chromium on this machine")
    with engine.sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=str(browser["CHROMIUM"]), args=browser["FLAGS"]
        )
        yield found
        found.close()


@pytest.fixture
def opened(chromium, page):
    """Open the page; what it says to the console or asks of the network is an error."""
    contexts, said = [], []

    def open_page(size):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, offline=True, has_touch=size[0] < 500
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: said.append("a dialog"))
        tab.goto(page.as_uri())
        tab.wait_for_function("performance.getEntriesByName('ready').length")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
