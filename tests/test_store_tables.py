"""The same tables on both databases: types, boxes, scopes, guards, and what the revisions make."""

import runpy
from datetime import date
from pathlib import Path

import pytest
import shapely
from sqlalchemy import delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from api.store import EVERYWHERE, Scope, open_store
from api.store.database import database_url, is_embedded, make_engine
from api.store.geometry import decode, encode, envelope, meets_box
from api.store.migrations import NEWEST, NONE, REVISIONS, VERSION_TABLE
from api.store.opening import in_turn
from api.store.revision import migrate, revision_of
from api.store.tables import AUDIT, BOUNDARIES, CITY, METADATA, PLANS, STREETS, VENUES, WITHDRAWN

here = Path(__file__)
filler = runpy.run_path(str(here.with_name("store_rows.py")))
fill = filler["fill"]


# ---------------------------------------------------------------------------------------- types


def test_every_type_comes_back_as_it_went_in(store):
    made = fill(store)
    with store.read() as connection:
        for table in METADATA.sorted_tables:
            stored = connection.execute(select(table).order_by("fid")).mappings().all()
            assert len(stored) == len(made[table.name])
            for row, expected in zip(stored, made[table.name], strict=True):
                assert {name: row[name] for name in expected} == expected


def test_an_instant_keeps_its_milliseconds_and_reads_in_the_citys_zone(store):
    fill(store, 1)
    with store.read() as connection:
        (at,) = connection.execute(select(AUDIT.c.at)).scalars()
        stored = connection.execute(text("SELECT at FROM audit")).scalar()
    assert at.isoformat() == "2026-11-21T01:59:59.123000+08:00"
    if isinstance(stored, str):  # GeoPackage: UTC text as the standard wants it
        assert stored == "2026-11-20T17:59:59.123Z"


@pytest.mark.parametrize(
    "geometry",
    [
        shapely.Point(115.98, 36.45),
        shapely.Point(115.98, 36.45, 7),
        shapely.LineString([(0, 0), (1, 2)]),
        shapely.box(-1, -2, 3, 4),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
        shapely.Point(),
        shapely.Polygon(),
    ],
    ids=lambda geometry: geometry.wkt[:20],
)
def test_blobs_are_of_two_dimensions_with_their_box(geometry):
    blob = encode(geometry)
    assert shapely.equals_identical(decode(blob), shapely.force_2d(geometry))
    box = envelope(blob)
    if geometry.is_empty:
        assert box is None
    else:
        west, south, east, north = geometry.bounds
        assert box == (west, east, south, north)


def test_blobs_of_other_writers_are_read():
    big_endian = b"GP\0\0\0\0\x10\xe6" + shapely.to_wkb(shapely.Point(3, 4), byte_order=0)
    assert decode(big_endian) == shapely.Point(3, 4)
    assert envelope(big_endian) == (3, 3, 4, 4)


def test_a_geometry_of_another_kind_is_refused_and_a_polygon_gets_parts(store):
    row = filler["rows"](BOUNDARIES, 1)[0]
    square = shapely.box(115.9, 36.4, 116, 36.5)

    def add(geometry):
        return lambda connection: connection.execute(insert(BOUNDARIES), row | {"geom": geometry})

    with pytest.raises(StatementError, match="Point in a column of MULTIPOLYGON"):
        store.write(add(shapely.Point(1, 2)))
    store.write(add(square))
    with store.read() as connection:
        stored = connection.execute(select(BOUNDARIES.c.geom)).scalar()
    assert stored == shapely.MultiPolygon([square])


# ------------------------------------------------------------------------------- boxes and scopes


def test_a_box_never_misses_and_an_alias_works(store):
    fill(store, 60)
    boxes = [(115.98 + 0.013 * k, 36.45 + 0.009 * k) for k in range(40)]
    for table in (VENUES, STREETS, BOUNDARIES, VENUES.alias("v")):
        with store.read() as connection:
            every = connection.execute(select(table.c.fid, table.c.geom)).all()
            assert sum(shape is None for _, shape in every) == 12
            for west, south in boxes:
                box = shapely.box(west, south, west + 0.02, south + 0.01)
                near = select(table.c.fid, table.c.geom).where(meets_box(table.c.geom, *box.bounds))
                found = {f for f, g in connection.execute(near) if shapely.intersects(g, box)}
                assert found == {f for f, g in every if g and shapely.intersects(g, box)}


def _boundary(code, parent, level, version="2023-06", status="current"):
    row = filler["rows"](BOUNDARIES, 1)[0]
    return row | {
        "geom": None,
        "boundary_version": version,
        "code": code,
        "level": level,
        "admin_parent": parent,
        "external_id": f"{version}:{code}",
        "unit_code": code,
        "status": status,
    }


@pytest.fixture
def scoped(store):
    """County 371502 > township 371502101 > villages …201, …202, an enclave …901 in …201's town."""
    town = "371502101"
    areas = [
        _boundary("371502", "", "county"),
        _boundary(town, "371502", "township"),
        _boundary(f"{town}201", town, "village"),
        _boundary(f"{town}202", town, "village", status=WITHDRAWN),
        _boundary(f"{town}901", f"{town}201", "village"),
        _boundary("371503", "", "county"),
        _boundary(f"{town}203", town, "village", version="2010-01"),
    ]
    venue = filler["rows"](VENUES, 1)[0] | {"geom": None}
    units = ["", *(area["code"] for area in areas)]
    venues = [
        venue | {"venue_id": unit or "none", "external_id": unit, "unit_code": unit}
        for unit in units
    ]

    def change(connection):
        connection.execute(insert(BOUNDARIES), areas)
        city = filler["rows"](CITY, 1)[0]
        connection.execute(insert(CITY), city | {"boundary_version": "2023-06"})
        connection.execute(insert(VENUES), venues)

    store.write(change)
    return store


SUBTREES = {
    "371502": {"371502", "371502101", "371502101201", "371502101901"},
    "371502101201": {"371502101201", "371502101901"},
    "371502101202": set(),  # withdrawn
    "371502101203": set(),  # of another version
    "371503": {"371503"},
    "999": set(),
}


def test_a_scope_is_the_subtree_of_the_current_version(scoped):
    for unit, seen in SUBTREES.items():
        found = Scope(unit_code=unit).holds(VENUES.c.unit_code)
        with scoped.read() as connection:
            assert set(connection.execute(select(VENUES.c.venue_id).where(found)).scalars()) == seen


def test_everywhere_sees_what_lies_outside_too(scoped):
    with scoped.read() as connection:
        seen = select(func.count()).where(EVERYWHERE.holds(VENUES.c.unit_code))
        assert connection.scalar(seen.select_from(VENUES)) == 8


# --------------------------------------------------------------------------------------- guards


def test_the_audit_only_grows(store):
    fill(store, 2)
    is_sqlite = store.url.get_backend_name() == "sqlite"
    replace = "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE fid = 1"
    for statement in (
        update(AUDIT).values(actor="nobody"),
        delete(AUDIT).where(AUDIT.c.fid == 1),
        text(replace if is_sqlite else "TRUNCATE audit"),
    ):
        with pytest.raises(IntegrityError, match="append-only"):
            store.write(lambda connection, s=statement: connection.execute(s))
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(AUDIT)) == 2


KEPT = {
    "document": b"other",
    "seed": 8,
    "night": date(2030, 1, 1),
    "input_hash": "x",
    "result_hash": "x",
    "plan_id": "x",
    "number": 99,
}


def test_a_plan_never_changes(store):
    fill(store, 1)
    for column, other in KEPT.items():
        with pytest.raises(IntegrityError, match="never changed"):
            store.write(lambda c, v={column: other}: c.execute(update(PLANS).values(v)))


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        (["approved", "superseded"], ["draft", "approved"]),
        (["approved"], ["draft"]),
        (["superseded"], ["approved", "draft"]),
    ],
)
def test_a_plan_goes_one_way(geopackage, postgis_setting, allowed, refused):
    with open_store(postgis_setting) as postgis:
        for store in (geopackage, postgis):
            fill(store, 1)
            for state in allowed:
                store.write(lambda c, s=state: c.execute(update(PLANS).values(state=s)))
            for state in refused:
                with pytest.raises(IntegrityError, match="draft to approved"):
                    store.write(lambda c, s=state: c.execute(update(PLANS).values(state=s)))


def test_a_plan_begins_as_a_draft_is_signed_once_and_never_deleted(store):
    plan = filler["rows"](PLANS, 1)[0]
    with pytest.raises(IntegrityError, match="draft to approved"):
        store.write(lambda c: c.execute(insert(PLANS), plan | {"state": "approved"}))
    fill(store, 1)
    store.write(lambda c: c.execute(update(PLANS).values(state="approved", approved_by="command")))
    with pytest.raises(IntegrityError, match="never changed"):
        store.write(lambda c: c.execute(update(PLANS).values(approved_by="team")))
    with pytest.raises(IntegrityError):
        store.write(lambda c: c.execute(delete(PLANS)))


# ------------------------------------------------------------------------------------- revisions


def catalogue(connection):
    """Return everything a database says about its tables, in an order of its own."""
    if is_embedded(connection):
        rows = connection.execute(
            text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        )
        system = ("gpkg_", "rtree_", "sqlite_", "layer_styles", VERSION_TABLE)
        return {
            (kind, name, *sorted(" ".join(sql.split()).removesuffix(" )").split(", ")))
            for kind, name, sql in rows
            if not name.startswith(system) and kind != "trigger"
        }
    columns = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE a.attnum > 0"""
    constraints = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"""
    indexes = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    found = [
        tuple(row)
        for statement in (columns, constraints, indexes)
        for row in connection.execute(text(statement))
    ]
    return {row for row in found if row[0] not in {VERSION_TABLE, "spatial_ref_sys"}}


@pytest.mark.parametrize("kind", ["geopackage", "postgis"])
def test_the_revisions_make_the_tables_of_today(kind, request, tmp_path):
    if kind == "geopackage":
        settings = [request.getfixturevalue("geopackage_setting"), str(tmp_path / "today.gpkg")]
    else:
        cluster = request.getfixturevalue("postgis_cluster")
        today = cluster.new_database()
        settings = [request.getfixturevalue("postgis_setting"), cluster.url(today)]
    seen = []
    for setting, is_today in zip(settings, (False, True), strict=True):
        engine = make_engine(database_url(setting))
        with engine.begin() as connection:
            if is_today:
                if kind == "postgis":
                    connection.execute(text("CREATE EXTENSION postgis"))
                METADATA.create_all(connection)
            seen.append(catalogue(connection))
        engine.dispose()
    assert seen[0] == seen[1]
    assert len(seen[0]) > len(METADATA.tables)


def test_the_list_of_revisions_is_the_folder():
    folder = Path(migrate.__code__.co_filename).parent / "migrations" / "versions"
    names = sorted(path.name[1:5] for path in folder.glob("r*.py"))
    assert names == list(REVISIONS)
    for path in folder.glob("*.py"):
        assert "batch_alter" not in path.read_text("utf-8"), "rebuilds a table without its triggers"
        assert "api.store.tables" not in path.read_text("utf-8"), "a revision is frozen"


def answers(connection):
    """Return the answer to a box for every layer there is, with the number of rows."""
    there = set(inspect(connection).get_table_names())
    found = {}
    for table in METADATA.sorted_tables:
        if table.name not in there:
            continue
        found[table.name] = connection.scalar(select(func.count()).select_from(table))
        if "geom" in table.c:
            near = meets_box(table.c.geom, 115.99, 36.455, 116.03, 36.49)
            rows = connection.execute(select(table.c.fid).where(near).order_by("fid")).scalars()
            found[f"{table.name} near"] = rows.all()
    return found


def triggers(connection):
    if is_embedded(connection):
        rows = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    else:
        rows = """SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
            UNION SELECT indexname, tablename FROM pg_indexes WHERE indexdef LIKE '%gist%'"""
    return {tuple(row) for row in connection.execute(text(rows))}


@pytest.mark.parametrize("revision", [*reversed(REVISIONS[:-1]), NONE])
def test_down_and_up_again_changes_no_answer(store, store_setting, revision):
    fill(store, 40)
    engine = make_engine(database_url(store_setting))
    with store.read() as connection:
        before, guards = answers(connection), triggers(connection)
    assert {"rtree_venues_geom_insert", "ix_venues_geom"} & {name for name, _ in guards}

    in_turn(engine, lambda connection: migrate(connection, revision))
    with store.read() as connection:
        assert revision_of(connection) == revision
        left = answers(connection)
        assert left == {name: before[name] for name in left}
        assert len(left) < len(before)
        assert triggers(connection) == {(n, t) for n, t in guards if t in left}

    in_turn(engine, lambda connection: migrate(connection, NEWEST))
    with store.read() as connection:
        assert {n: a for n, a in answers(connection).items() if n in left} == left
        assert triggers(connection) == guards
    engine.dispose()


def test_a_downgrade_to_nothing_leaves_nothing(store, store_setting):
    engine = make_engine(database_url(store_setting))
    in_turn(engine, lambda connection: migrate(connection, NONE))
    with engine.begin() as connection:
        left = set(inspect(connection).get_table_names())
        assert left <= {VERSION_TABLE, "spatial_ref_sys", "sqlite_sequence"}
    engine.dispose()
