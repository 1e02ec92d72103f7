"""What the campaigns write into a store, and what must hold of it afterwards.

A change records a visit, and every sixteenth time moves the venue in the same change. So at any
moment, per venue: ``version - 1`` is the number of its visits and of its moves, and its place in
the R*Tree is its place in the table. A change that is kept in part breaks that sum.
"""

import argparse
import json
import runpy
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

import shapely
from sqlalchemy import Connection, func, insert, select

from api.audit import verify
from api.store import EVERYWHERE, Store, open_store
from api.store.geopackage import register_functions
from api.store.tables import AUDIT, BOUNDARIES, BOUNDARY_VERSIONS, CITY, VENUES, VISITS
from api.store.venues import place_venue, record_visit, venue
from geo.frames import Col
from geo.units import LIAOCHENG_EPSG

TESTS = Path(__file__).resolve().parents[1]
running_cluster = runpy.run_path(str(TESTS / "postgis_cluster.py"))["running_cluster"]

FIRST_DAY = date(2026, 1, 1)
WEST, SOUTH = 115.9, 36.4
STEP = 1e-5
"""Degrees a venue moves at a time: a metre."""

CLIENTS = 8
VERSION, COUNTY = "2023-06", "371599"
RECORDED = "visit.recorded"
MOVED = "hazard"
"""Outcome of a visit that also moved its venue: tells the moves from the mere visits."""


@dataclass
class Row:
    """One line of the report."""

    subject: str
    case: str
    runs: int = 0
    acked: int = 0
    lost: int = 0
    torn: int = 0
    corrupt: int = 0
    ready_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)

    def took(self, seconds: Sequence[float]) -> None:
        """Enter the times of the acknowledged writes."""
        self.p50_ms = round(1000 * percentile(seconds, 0.5), 2)
        self.p99_ms = round(1000 * percentile(seconds, 0.99), 2)

    def was_ready_after(self, seconds: float) -> None:
        """Enter how long a restart took: the longest counts, the median is told."""
        spans = self.more.setdefault("ready", [])
        spans.append(round(seconds, 3))
        self.ready_s = max(spans)
        self.more["ready_median_s"] = percentile(spans, 0.5)

    def add(self, verdict: "Verdict") -> None:
        """Enter what one run left behind in a store of its own."""
        self.lost += verdict.lost
        self.torn += verdict.torn
        self.corrupt += bool(verdict.faults)
        self._explain(verdict)

    def see(self, verdict: "Verdict") -> None:
        """Enter what the runs so far left behind in the one store they share."""
        self.lost = max(self.lost, verdict.lost)
        self.torn = max(self.torn, verdict.torn)
        self.corrupt += bool(verdict.faults)
        self._explain(verdict)

    def _explain(self, verdict: "Verdict") -> None:
        if verdict.faults:
            self.more.setdefault("faults", []).extend(verdict.faults[:3])

    def line(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass
class Verdict:
    """What is wrong with a store: acknowledged keys missing, changes in part, faults found."""

    lost: int
    torn: int
    faults: list[str]
    n_visits: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the others do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


# ------------------------------------------------------------------------------ what is written


def place(k: int, moves: int = 0) -> shapely.Point:
    """Return where venue number `k` stands after some moves: a metre to the east each."""
    return shapely.Point(
        round(WEST + 0.001 * (k % 100) + STEP * moves, 7), round(SOUTH + 0.001 * (k // 100), 7)
    )


def venue_rows(n: int) -> list[dict[str, Any]]:
    """Return made-up venues."""
    return [
        {
            Col.VENUE_ID: venue_name(k),
            Col.NAME: f"样例场所{k}",
            Col.KIND: "restaurant",
            Col.TIER: ("red", "yellow", "green")[k % 3],
            Col.LAST_INSPECTION: FIRST_DAY - timedelta(days=k % 90),
            "cadence_version": "2024-1",
            "precision": "point",
            "external_id": f"X{k}",
            Col.SOURCE: "synthetic",
            "unit_code": COUNTY,
            "geom": place(k),
        }
        for k in range(n)
    ]


def venue_name(k: int) -> str:
    """Return the id of a made-up venue."""
    return f"venue_{k:026d}"


def fill(setting: str, n_venues: int) -> None:
    """Make a store of one county, with venues that nobody visited yet."""

    def change(connection: Connection) -> None:
        version = {Col.BOUNDARY_VERSION: VERSION, Col.SOURCE: "synthetic"}
        connection.execute(
            insert(BOUNDARY_VERSIONS), {**version, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        )
        connection.execute(
            insert(BOUNDARIES),
            {
                **version,
                Col.CODE: COUNTY,
                Col.NAME: "样例县",
                Col.LEVEL: "county",
                Col.ADMIN_PARENT: "",
                Col.GRID_ROLE: "none",
                "external_id": f"{VERSION}:{COUNTY}",
                "unit_code": COUNTY,
                "geom": shapely.multipolygons([shapely.box(115, 36, 117, 38)]),
            },
        )
        city = {Col.BOUNDARY_VERSION: VERSION, "epsg": LIAOCHENG_EPSG, "data_date": FIRST_DAY}
        connection.execute(insert(CITY), {**city, "synthetic": True, "attribution": []})
        connection.execute(insert(VENUES), venue_rows(n_venues))

    with open_store(setting, create=True) as store:
        store.write(change)


@dataclass(frozen=True)
class Work:
    """One change: a visit, maybe with a move of the venue; the audit's actor is its key."""

    key: str
    venue_id: str
    day: date
    moves: bool

    def __call__(self, connection: Connection) -> str:
        """Run the change and return its key."""
        if self.moves:
            row = venue(connection, self.venue_id, EVERYWHERE)
            assert row.lon is not None
            assert row.lat is not None
            east = row.lon + STEP
            place_venue(connection, self.venue_id, east, row.lat, version=row.version)
        outcome = MOVED if self.moves else "done"
        record_visit(
            connection, venue_id=self.venue_id, day=self.day, outcome=outcome, actor=self.key
        )
        return self.key


def works(random: Random, n_venues: int) -> Iterator[Work]:
    """Yield changes without end."""
    while True:
        yield Work(
            key=f"{random.getrandbits(80):020x}",
            venue_id=venue_name(random.randrange(n_venues)),
            day=FIRST_DAY + timedelta(days=random.randrange(300)),
            moves=random.random() < 1 / 16,
        )


Told = Callable[[str, float], None]
"""Hears of an acknowledged key and the seconds its change took."""

Refused = Callable[[BaseException], bool]
"""Hears of a refusal and tells whether the client goes on."""


def write_on(
    store: Store,
    *,
    seed: int,
    n_venues: int,
    told: Told,
    refused: Refused = lambda error: False,
    clients: int = CLIENTS,
) -> list[threading.Thread]:
    """Start clients that write without end, each telling what was acknowledged or refused."""

    def client(k: int) -> None:
        for work in works(Random(f"{seed}/{k}"), n_venues):
            began = time.perf_counter()
            try:
                key = store.write(work)
            except Exception as error:  # noqa: BLE001 - what is raised is the campaign's to judge
                if not refused(error):
                    return
            else:
                told(key, time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(k,), daemon=True) for k in range(clients)]
    for thread in threads:
        thread.start()
    return threads


# --------------------------------------------------------------------------------- what must hold


def judge(setting: str, acked: Iterable[str], *, by: Literal["key", "visit"] = "key") -> Verdict:
    """Open a store as the service does and look whether everything acknowledged is there.

    Parameters
    ----------
    setting : str
    acked : iterable of str
        What was acknowledged.
    by : "key" or "visit"
        Keys of `Work`, or ids of visits.
    """
    acked = set(acked)
    try:
        with open_store(setting) as store, store.read() as connection:
            visits = set(connection.scalars(select(VISITS.c.visit_id)))
            recorded = select(AUDIT.c.actor, AUDIT.c.details).where(AUDIT.c.action == RECORDED)
            audited = [(key, row["visit_id"]) for key, row in connection.execute(recorded)]
            torn = _torn(connection) + len(visits ^ {visit for _, visit in audited})
            faults = [] if (broken := verify(connection)) is None else [str(broken)]
        faults += [] if "://" in setting else file_faults(Path(setting))
    except Exception as error:  # noqa: BLE001 - a store that cannot be read is the worst verdict
        return Verdict(len(acked), 0, [repr(error)[:200]], 0)
    keys = visits if by == "visit" else {key for key, visit in audited if visit in visits}
    if len(keys) < len(audited):
        faults.append(f"{len(audited) - len(keys)} changes kept twice")
    return Verdict(len(acked - keys), torn, faults, len(visits))


def _torn(connection: Connection) -> int:
    """Return how many venues do not add up."""
    n = func.count(VISITS.c.fid)
    moved = func.count(VISITS.c.fid).filter(VISITS.c.outcome == MOVED)
    sums = (
        select(VENUES.c.version, VENUES.c.venue_id, VENUES.c.geom, n, moved)
        .select_from(VENUES.outerjoin(VISITS, VISITS.c.venue_id == VENUES.c.venue_id))
        .group_by(VENUES.c.fid)
    )
    wrong = 0
    for version, venue_id, point, n_visits, n_moves in connection.execute(sums):
        stands = place(int(venue_id.removeprefix("venue_")), n_moves)
        wrong += version != 1 + n_visits + n_moves or not point.equals_exact(stands, 1e-6)
    return wrong


_MISPLACED = """
SELECT count(*) FROM {layer} AS t LEFT JOIN rtree_{layer}_geom AS r ON r.id = t.fid
WHERE (t.geom IS NULL) != (r.id IS NULL)
OR ST_MinX(t.geom) < r.minx OR ST_MaxX(t.geom) > r.maxx
OR ST_MinY(t.geom) < r.miny OR ST_MaxY(t.geom) > r.maxy
"""


def file_faults(path: Path) -> list[str]:
    """Return what SQLite, the foreign keys and the R*Trees have against a GeoPackage."""
    with closing(sqlite3.connect(path)) as connection:
        register_functions(connection)
        ask = connection.execute
        said = [row[0] for row in ask("PRAGMA integrity_check")]
        said += [f"foreign key {row}" for row in ask("PRAGMA foreign_key_check")]
        layers = [row[0] for row in ask("SELECT table_name FROM gpkg_geometry_columns")]
        for layer in layers:
            said.append(ask(f"SELECT rtreecheck('rtree_{layer}_geom')").fetchone()[0])
            if n := ask(_MISPLACED.format(layer=layer)).fetchone()[0]:
                said.append(f"{n} rows of {layer} stand elsewhere in the R*Tree")
            in_tree = ask(f"SELECT count(*) FROM rtree_{layer}_geom").fetchone()
            if in_tree != ask(f"SELECT count(geom) FROM {layer}").fetchone():
                said.append(f"the R*Tree of {layer} has other rows")
    return [words for words in said if words != "ok"]


def print_rows(
    run: Callable[..., Iterable[Row]], description: str | None, *, runs: int, acked: int
) -> None:
    """Run a campaign with the options that campaigns share, and print its rows.

    Parameters
    ----------
    run : callable
        (runs, acked, seed) -> rows.
    description : str
        What ``--help`` says.
    runs, acked : int
        Defaults: how often something is broken, and how many acknowledged writes at least.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--acked", type=int, default=acked, help="least acknowledged writes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for row in run(runs=options.runs, acked=options.acked, seed=options.seed):
        print(row.line(), flush=True)
