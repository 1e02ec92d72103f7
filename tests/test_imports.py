"""Files that come in again and again: previewed in full, applied in one piece, taken back."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from api.imports import (
    ImportOptions,
    apply_import,
    changes_page,
    imports_page,
    preview,
    read_import,
    undo_import,
)
from api.imports.job import run as run_import
from api.imports.unplaced import count_by_precision, unplaced_page
from api.jobs import enqueue, read_job
from api.jobs.job import Context
from api.store import EVERYWHERE, Scope, open_store
from api.store.city import city_hash, city_row, read_city
from api.store.tables import (
    BOUNDARIES,
    CLOSURES,
    IMPORT_CHANGES,
    INCIDENTS,
    STREET_ALIASES,
    STREETS,
    UNITS,
    VENUE_TIERS,
    VENUES,
    WITHDRAWN,
)
from api.store.venues import place_venue, record_visit, tier_history, venue
from geo.errors import (
    DatumMismatch,
    LayerMissing,
    NotFound,
    OptionInvalid,
    OutsideBoundary,
    PatrolgridError,
    PersonalDataRefused,
    StateConflict,
    Stopped,
)
from geo.io import FILES, write_csv, write_geopackage, write_layers
from geo.progress import NEVER, SilentSteps

GROUND = ("boundaries", "streets", "stations", "units")
"""Layers every test begins with; venues and incidents are the tests' own."""

LON, LAT = 115.97, 36.45
"""South-western corner of the town; its villages meet at about LON + 0.011."""

WEST, EAST = "371599101201", "371599101202"


@pytest.fixture(scope="session")
def files(small_layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    write_layers(small_layers, folder)
    return folder


def take_in(store, file, layer, **options):
    """Preview and apply a file, and return the import."""
    return apply_import(store, preview(store, file, layer=layer, options=ImportOptions(**options)))


def _lay_ground(setting, files):
    with open_store(setting) as store:
        for layer in GROUND:
            take_in(store, files / FILES[layer], layer, data_date=date(2026, 11, 20))


@pytest.fixture(scope="session")
def _town_geopackage(_empty_geopackage, files, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "town.gpkg"
    shutil.copyfile(_empty_geopackage, path)
    _lay_ground(str(path), files)
    return path


@pytest.fixture(scope="session")
def _town_postgis(postgis_cluster, _empty_postgis, files):
    name = postgis_cluster.new_database(_empty_postgis)
    _lay_ground(postgis_cluster.url(name), files)
    return name


@pytest.fixture
def _geopackage_town(_town_geopackage, tmp_path):
    return shutil.copyfile(_town_geopackage, tmp_path / "town.gpkg").as_posix()


@pytest.fixture
def _postgis_town(postgis_cluster, _town_postgis):
    name = postgis_cluster.new_database(_town_postgis)
    yield postgis_cluster.url(name)
    postgis_cluster.drop(name)


@pytest.fixture(params=["geopackage", "postgis"])
def town(request):
    """The town with its ground layers, on both databases."""
    with open_store(request.getfixturevalue(f"_{request.param}_town")) as opened:
        yield opened


@pytest.fixture
def small(_geopackage_town):
    """The same, embedded alone."""
    with open_store(_geopackage_town) as opened:
        yield opened


ROW = {
    "venue_id": "v1",
    "name": "样例小店",
    "kind": "shop",
    "tier": "green",
    "last_inspection": "2026-09-01",
    "lon": LON + 0.002,
    "lat": round(LAT + 0.002, 7),
}


def register(path, *rows, **changes):
    """Write a register: each row the sample row with some of it changed."""
    pd.DataFrame([{**ROW, **row, **changes} for row in rows]).to_csv(path, index=False)
    return path


def counts(what):
    names = ("added", "changed", "moved", "missing", "unchanged", "refused")
    return tuple(getattr(what, f"n_{name}") for name in names)


def look(store, file, layer="venues", **options):
    """Preview a file and return the import."""
    import_id = preview(store, file, layer=layer, options=ImportOptions(**options))
    with store.read() as connection:
        return read_import(connection, import_id)


def changes(store, what, change=None):
    with store.read() as connection:
        return changes_page(connection, what.import_id, change=change, limit=10_000).items


def one_venue(store, external_id="v1"):
    with store.read() as connection:
        ours = connection.scalar(
            select(VENUES.c.venue_id).where(VENUES.c.external_id == external_id)
        )
        return venue(connection, ours, EVERYWHERE)


def snapshot(store, table=VENUES, *more):
    """Return the rows that count, without what counts their changes."""
    names = [
        column.name
        for column in table.columns
        if column.name not in {"version", "import_id", "changed_by", *more}
    ]
    with store.read() as connection:
        rows = connection.execute(
            select(*(table.c[name] for name in names))
            .where(table.c.status != WITHDRAWN)
            .order_by(table.c.external_id)
        ).mappings()
        return [
            {k: v.wkb if isinstance(v, shapely.Geometry) else v for k, v in row.items()}
            for row in rows
        ]


def test_the_account_is_complete_and_every_kind_is_told(town, tmp_path):
    first = register(
        tmp_path / "a.csv", *({"venue_id": f"v{k}", "lon": LON + k * 0.001} for k in range(1, 7))
    )
    assert counts(take_in(town, first, "venues")) == (6, 0, 0, 0, 0, 0)
    second = register(
        tmp_path / "b.csv",
        {"venue_id": "v1", "lon": LON + 0.001},
        {"venue_id": "v2", "lon": LON + 0.002, "tier": "red"},
        {"venue_id": "v3", "lon": LON + 0.004},
        {"venue_id": "v4", "lon": LON + 0.005, "name": "改名小店"},
        {"venue_id": "v5", "lon": LON + 0.00500001},
        {"venue_id": "v9"},
        {"venue_id": "v10", "tier": "purple"},
    )
    what = look(town, second)
    # v2 changed, v4 changed and moved and counts once; v3 only moved; v5 by 9 mm: not at all
    assert counts(what) == (1, 2, 1, 1, 2, 1)
    assert what.n_rows == 1 + 2 + 1 + 2 + 1 == 7
    by_id = {row.external_id: row for row in changes(town, what)}
    assert (by_id["v2"].before, by_id["v2"].after) == ({"tier": "green"}, {"tier": "red"})
    assert by_id["v2"].row == 2
    assert by_id["v4"].lonlat_before == (LON + 0.004, ROW["lat"])
    assert by_id["v4"].before == {"name": "样例小店"}
    assert (by_id["v3"].before, by_id["v3"].lonlat_after) == (None, (LON + 0.004, ROW["lat"]))
    assert by_id["v6"].change == "missing"
    refused = by_id[""]
    assert (refused.row, refused.column, refused.code) == (7, "tier", "refusal.word")


def test_applying_does_what_the_preview_said_and_the_same_file_changes_nothing(town, tmp_path):
    first = register(tmp_path / "a.csv", {"venue_id": "v1"}, {"venue_id": "v2"})
    take_in(town, first, "venues")
    assert one_venue(town).unit_code == WEST
    assert one_venue(town).due == date(2027, 3, 1)
    second = register(
        tmp_path / "b.csv",
        {"venue_id": "v1", "tier": "red", "lon": LON + 0.015},
        {"venue_id": "v3"},
    )
    done = take_in(town, second, "venues")
    assert (done.state, done.version) == ("applied", 2)
    moved = one_venue(town)
    assert (moved.tier, moved.due, moved.unit_code) == ("red", date(2026, 10, 1), EAST)
    assert one_venue(town, "v2").status == "to_check"
    for file in (second, shutil.copyfile(second, tmp_path / "another-name.csv")):
        assert counts(look(town, file)) == (0, 0, 0, 0, 2, 0)
    with town.read() as connection:
        history = tier_history(connection, moved.venue_id, EVERYWHERE)
        assert [one.tier.value for one in history] == ["green", "red"]
    back = take_in(town, first, "venues")
    # v2 is there again, v1 has its tier and place back, v3 is missing now
    assert counts(back) == (0, 2, 0, 1, 0, 0)
    assert one_venue(town, "v2").status == "current"


def test_a_visit_since_is_never_taken_back(town, tmp_path):
    file = register(tmp_path / "a.csv", {"venue_id": "v1"}, {"venue_id": "v2"})
    take_in(town, file, "venues")
    waiting = preview(
        town, register(tmp_path / "b.csv", {"last_inspection": "2026-10-01"}), layer="venues"
    )
    visited = one_venue(town).venue_id
    town.write(lambda c: record_visit(c, venue_id=visited, day=date(2026, 11, 2), outcome="done"))
    # after the preview, before it is applied
    apply_import(town, waiting)
    assert one_venue(town).last_inspection == date(2026, 11, 2)
    assert one_venue(town).due == date(2027, 5, 2)
    # and from now on: neither an older day nor a blank one
    for day in ("2026-09-15", ""):
        rows = ({"venue_id": "v1", "last_inspection": day}, {"venue_id": "v2"})
        what = look(town, register(tmp_path / "c.csv", *rows))
        assert [r.external_id for r in changes(town, what, "changed")] == ["v2"]
    what = take_in(town, register(tmp_path / "d.csv", {"last_inspection": "2026-11-10"}), "venues")
    assert one_venue(town).last_inspection == date(2026, 11, 10)
    undo_import(town, what.import_id)
    assert one_venue(town).last_inspection == date(2026, 11, 2)


def test_undoing_restores_withdraws_and_keeps_what_was_done_since(town, tmp_path):
    take_in(town, register(tmp_path / "a.csv", {"venue_id": "v1"}, {"venue_id": "v2"}), "venues")
    before = snapshot(town)
    rows = (
        {"venue_id": "v1", "tier": "red", "lon": LON + 0.015},
        {"venue_id": "v3"},
        {"venue_id": "v4"},
    )
    what = take_in(town, register(tmp_path / "b.csv", *rows), "venues")
    visited = one_venue(town, "v4").venue_id
    town.write(lambda c: record_visit(c, venue_id=visited, day=date(2026, 11, 3), outcome="done"))
    moved = one_venue(town, "v1")
    town.write(
        lambda c: place_venue(c, moved.venue_id, LON + 0.02, LAT + 0.01, version=moved.version)
    )
    undone = undo_import(town, what.import_id)
    assert undone.state == "undone"
    kept = {row["external_id"]: row["columns"] for row in undone.facts["kept"]}
    assert kept == {"v4": ["status"], "v1": ["geom"]}
    assert one_venue(town, "v1").tier == "green"
    assert one_venue(town, "v1").lon == pytest.approx(LON + 0.02)
    assert one_venue(town, "v4").status == "to_check"
    assert {row["external_id"] for row in snapshot(town)} == {"v1", "v2", "v4"}
    assert [row for row in snapshot(town) if row["external_id"] == "v2"] == before[1:]
    with town.read() as connection, pytest.raises(NotFound):
        venue(connection, _id_of(connection, "v3"), EVERYWHERE)


def _id_of(connection, external_id):
    return connection.scalar(select(VENUES.c.venue_id).where(VENUES.c.external_id == external_id))


def test_only_the_last_import_of_a_layer_is_undone_and_later_ones_are_named(town, tmp_path):
    one = take_in(town, register(tmp_path / "a.csv", {}), "venues")
    two = take_in(town, register(tmp_path / "b.csv", {"tier": "red"}), "venues")
    with pytest.raises(StateConflict, match=two.import_id):
        undo_import(town, one.import_id)
    undo_import(town, two.import_id)
    undo_import(town, one.import_id)
    with pytest.raises(StateConflict, match="undone"):
        undo_import(town, one.import_id)
    assert snapshot(town) == []
    with town.read() as connection:
        streets = imports_page(connection, layer="stations").items[0]
        units = imports_page(connection, layer="units").items[0]
    with pytest.raises(StateConflict, match=units.import_id):
        undo_import(town, streets.import_id)


def test_a_preview_that_another_import_made_stale_is_refused(town, tmp_path):
    file = register(tmp_path / "a.csv", {})
    old, new = preview(town, file, layer="venues"), preview(town, file, layer="venues")
    apply_import(town, new)
    with pytest.raises(StateConflict, match="preview the file again"):
        apply_import(town, old)
    with pytest.raises(StateConflict, match="is applied"):
        apply_import(town, new)
    stale = preview(town, register(tmp_path / "b.csv", {"tier": "red"}), layer="venues")
    undo_import(town, new)
    with pytest.raises(StateConflict, match="preview the file again"):
        apply_import(town, stale)
    again = look(town, file)
    assert counts(again) == (1, 0, 0, 0, 0, 0)


def test_of_two_at_once_one_is_applied_and_the_other_told_to_preview_again(town, tmp_path):
    setting = town.url.render_as_string(hide_password=False)
    if town.url.get_backend_name() == "sqlite":
        setting = str(town.url.database)
    waiting = [
        preview(town, register(tmp_path / f"{tier}.csv", {"tier": tier}), layer="venues")
        for tier in ("red", "yellow", "green")
    ]

    def attempt(import_id):
        with open_store(setting) as store:
            try:
                return apply_import(store, import_id).state
            except StateConflict as error:
                return str(error)

    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(attempt, waiting))
    assert sorted(state == "applied" for state in ended) == [False, False, True]
    assert all("preview the file again" in state for state in ended if state != "applied")
    assert len(snapshot(town)) == 1


VENUE = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["样例小店", "样例餐馆"]),
        "tier": st.sampled_from(["red", "yellow", "green"]),
        "last_inspection": st.sampled_from(["", "2026-08-31", "2026-11-01"]),
        "lon": st.sampled_from([LON + 0.001, LON + 0.0100001, LON + 0.015]),
    }
)
REGISTER = st.dictionaries(st.sampled_from([f"v{k}" for k in range(6)]), VENUE, min_size=1)


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(one=REGISTER, two=REGISTER)
def test_import_undo_import_is_import(town, tmp_path, one, two):
    paths = [
        register(tmp_path / f"{k}.csv", *({"venue_id": key, **row} for key, row in rows.items()))
        for k, rows in enumerate((one, two))
    ]
    nothing = snapshot(town, VENUES, "fid")
    first = take_in(town, paths[0], "venues")
    after_one = snapshot(town)
    second = take_in(town, paths[1], "venues")
    after_two = snapshot(town)
    assert second.n_rows == sum(counts(second)) - second.n_missing
    undo_import(town, second.import_id)
    assert snapshot(town) == after_one
    third = take_in(town, paths[1], "venues")
    assert (counts(third), snapshot(town)) == (counts(second), after_two)
    assert counts(look(town, paths[1])) == (0, 0, 0, 0, len(two), 0)
    undo_import(town, third.import_id)
    undo_import(town, first.import_id)
    assert snapshot(town, VENUES, "fid") == nothing == []


def test_venues_without_coordinates_are_placed_by_street_village_or_not_at_all(town, tmp_path):
    columns = ("venue_id", "name", "kind", "tier", "地址", "所在村居", "lon", "lat")
    rows = [
        ("v1", "样例一店", "shop", "red", "样例1路1号", "", LON + 0.0005, LAT),
        ("v2", "样例二店", "shop", "red", "样例1路99号", "", LON + 0.0105, LAT),
        ("v3", "样例三店", "shop", "red", "样例1路50号", "样例一村", None, None),
        ("v4", "样例四店", "shop", "red", "", "样例二村", None, None),
        ("v5", "样例五店", "shop", "red", "", "", None, None),
    ]
    file = tmp_path / "a.csv"
    pd.DataFrame(rows, columns=columns).to_csv(file, index=False)
    what = take_in(town, file, "venues")
    assert counts(what) == (5, 0, 0, 0, 0, 0)
    found = {f"v{k}": one_venue(town, f"v{k}") for k in range(1, 6)}
    assert [v.precision for v in found.values()][-2:] == ["village", "none"]
    assert found["v3"].precision in {"street", "village"}
    assert (found["v4"].unit_code, found["v5"].unit_code, found["v5"].lon) == (EAST, "", None)
    with town.read() as connection:
        assert {v.external_id for v in unplaced_page(connection).items} >= {"v4", "v5"}
        assert sum(count_by_precision(connection).values()) == 5
        assert len(unplaced_page(connection, scope=Scope(unit_code=EAST)).items) == 1
    assert counts(look(town, file)) == (0, 0, 0, 0, 5, 0)
    # placed by hand: the file, which still has no coordinates, takes nothing back
    unplaced = found["v5"]
    town.write(
        lambda c: place_venue(
            c, unplaced.venue_id, LON + 0.004, LAT + 0.004, version=unplaced.version
        )
    )
    assert counts(look(town, file)) == (0, 0, 0, 0, 5, 0)
    # a later file with coordinates moves it
    rows[3] = (*rows[3][:-2], LON + 0.02, LAT + 0.01)
    pd.DataFrame(rows, columns=columns).to_csv(file, index=False)
    take_in(town, file, "venues")
    assert one_venue(town, "v4").precision == "point"
    assert one_venue(town, "v5").precision == "point"


def test_a_place_set_on_the_map_stays_until_the_register_says_something_new(town, tmp_path):
    file = register(tmp_path / "a.csv", {})
    take_in(town, file, "venues")
    before = one_venue(town)
    town.write(
        lambda c: place_venue(c, before.venue_id, LON + 0.01, LAT + 0.01, version=before.version)
    )
    month = register(tmp_path / "b.csv", {"tier": "red"})
    assert counts(take_in(town, month, "venues")) == (0, 1, 0, 0, 0, 0)
    assert one_venue(town).lon == LON + 0.01
    moved = register(tmp_path / "c.csv", {"tier": "red", "lon": LON + 0.005})
    assert counts(take_in(town, moved, "venues"))[2] == 1
    assert one_venue(town).lon == LON + 0.005


def test_a_refused_row_is_not_missing(small, tmp_path):
    take_in(small, register(tmp_path / "a.csv", {}, {"venue_id": "v2"}), "venues")
    wrong = register(tmp_path / "b.csv", {}, {"venue_id": "v2", "tier": "purple"})
    assert counts(look(small, wrong)) == (0, 0, 0, 0, 1, 1)


def report(path, *rows):
    sample = {
        "incident_id": "i1",
        "occurred_at": "2026-11-18T21:37:12+08:00",
        "category": "theft",
        "channel": "resident_report",
        "lon": LON + 0.001,
        "lat": LAT + 0.00005,
    }
    pd.DataFrame([{**sample, **row} for row in rows]).to_csv(path, index=False)
    return path


def test_incidents_keep_street_and_hour_and_no_point_anywhere(town, tmp_path):
    file = report(
        tmp_path / "a.csv",
        {},
        {"incident_id": "i2", "occurred_at": "2026-11-19T03:00:00+08:00"},
        {"incident_id": "i3", "lat": LAT - 0.0012},
    )
    what = take_in(town, file, "incidents")
    assert counts(what) == (2, 0, 0, 0, 0, 1)
    refused = changes(town, what, "refused")[0]
    assert (refused.row, refused.code) == (3, "refusal.street.far")
    assert refused.params == {"limit_m": "100"}
    rows = snapshot(town, INCIDENTS)
    assert [row["hour"].isoformat() for row in rows] == [
        "2026-11-18T21:00:00+08:00",
        "2026-11-19T03:00:00+08:00",
    ]
    assert {row["unit_code"] for row in rows} == {WEST}
    with town.read() as connection:
        geometries = select(func.count(IMPORT_CHANGES.c.geom_after)).where(
            IMPORT_CHANGES.c.import_id == what.import_id
        )
        assert connection.scalar(geometries) == 0
        told = connection.execute(
            select(IMPORT_CHANGES.c.after, IMPORT_CHANGES.c.params).where(
                IMPORT_CHANGES.c.import_id == what.import_id
            )
        ).all()
        assert not any("115.9" in str(row) or "36.4" in str(row) for row in told)
        assert len(read_city(connection).layers.incidents) == 2


def test_a_file_of_another_month_makes_no_report_missing(small, tmp_path):
    take_in(small, report(tmp_path / "a.csv", {}, {"incident_id": "i2"}), "incidents")
    later = report(tmp_path / "b.csv", {"incident_id": "i3", "occurred_at": "2026-12-01 08:00"})
    assert counts(look(small, later, "incidents")) == (1, 0, 0, 0, 0, 0)
    same = report(tmp_path / "c.csv", {})
    assert counts(look(small, same, "incidents")) == (0, 0, 0, 1, 1, 0)
    assert counts(look(small, same, "incidents", is_partial=True)) == (0, 0, 0, 0, 1, 0)


def test_reports_without_ids_or_channel(small, tmp_path):
    file = tmp_path / "a.csv"
    rows = {"时间": ["2026-11-18 21:10", "2026-11-18 21:40", "2026-11-19 08:00"]}
    rows |= {"经度": [LON + 0.001] * 3, "纬度": [LAT] * 3}
    frame = pd.DataFrame(rows)
    frame.to_csv(file, index=False)
    take_in(small, file, "incidents", channel="proactive")
    assert {row["channel"] for row in snapshot(small, INCIDENTS)} == {"proactive"}
    assert len(snapshot(small, INCIDENTS)) == 3
    # a row put in before the others makes no other reports of them
    first = pd.DataFrame({"时间": ["2026-11-18 07:00"], "经度": [LON], "纬度": [LAT]})
    pd.concat([first, frame]).to_csv(file, index=False)
    assert counts(look(small, file, "incidents")) == (1, 0, 0, 0, 3, 0)


def test_units_are_called_after_station_and_number_whatever_the_file_says(town, small_layers):
    rows = snapshot(town, UNITS)
    assert len(rows) == len(small_layers.units)
    assert len({row["call_sign"] for row in rows}) == len(rows)
    assert not {row["call_sign"] for row in rows} & set(small_layers.units["call_sign"])
    by_station = pd.DataFrame(rows).groupby("station_id")["number"].apply(sorted)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_station)
    assert all(row["unit_code"] in {WEST, EAST} for row in rows)


def test_a_team_that_changes_station_gets_its_number_there_and_back(town, small_layers, tmp_path):
    before = snapshot(town, UNITS)
    units = small_layers.units.copy()
    stations = small_layers.stations["station_id"].tolist()
    here = units["station_id"].iloc[0]
    units.loc[0, "station_id"] = next(one for one in stations if one != here)
    write_csv(units, tmp_path / "units.csv")
    what = take_in(town, tmp_path / "units.csv", "units")
    assert counts(what)[1] == 1
    after = snapshot(town, UNITS)
    assert len({row["call_sign"] for row in after}) == len(after)
    undo_import(town, what.import_id)
    assert snapshot(town, UNITS) == before


def test_a_new_extract_keeps_segment_ids_and_stores_what_else_they_are_called(town, tmp_path):
    before = {row["external_id"]: row for row in snapshot(town, STREETS)}
    with town.read() as connection:
        city = read_city(connection)
    streets = city.layers.streets.copy()
    streets["segment_id"] = [f"x{k}" for k in range(len(streets))]
    # one segment cut in its middle, one left out
    line = streets.geometry.iloc[0]
    middle = line.interpolate(0.4, normalized=True)
    middle = shapely.Point(round(middle.x, 7), round(middle.y, 7))
    parts = [
        shapely.LineString([a, b]) for a, b in ((line.coords[0], middle), (middle, line.coords[-1]))
    ]
    cut = pd.concat([streets.iloc[[0, 0]], streets.iloc[1:-1]], ignore_index=True)
    cut["segment_id"] = ["x0-0", "x0-1", *cut["segment_id"].iloc[2:]]
    cut["geometry"] = gpd.GeoSeries([*parts, *cut.geometry.iloc[2:]], crs=4326)
    write_geopackage(cut, tmp_path / "streets.gpkg", layer="streets")
    what = take_in(town, tmp_path / "streets.gpkg", "streets")
    # the longer part keeps the id, the shorter one is new, and what was left out is to be checked
    assert (what.n_added, what.n_missing, what.n_changed) == (1, 1, 0)
    assert what.facts["matching"]["n_same"] == len(streets) - 2
    after = {row["external_id"]: row for row in snapshot(town, STREETS)}
    assert {key: after[key]["segment_id"] for key in before} == {
        key: row["segment_id"] for key, row in before.items()
    }
    with town.read() as connection:
        aliases = select(STREET_ALIASES.c.alias_id, STREET_ALIASES.c.segment_id)
        known = dict(connection.execute(aliases).all())
    assert known["x5"] == before[f"s{5:04d}"]["segment_id"]
    assert counts(look(town, tmp_path / "streets.gpkg", "streets"))[:4] == (0, 0, 0, 0)
    undo_import(town, what.import_id)
    assert snapshot(town, STREETS) == list(before.values())


def test_boundaries_are_a_version_each_and_switching_is_explicit(town, small_layers, tmp_path):
    take_in(town, register(tmp_path / "a.csv", {}), "venues")
    merged = small_layers.boundaries.iloc[[0, 1, 2]].copy()
    merged["boundary_version"] = "2026-11"
    merged["geometry"] = [
        *small_layers.boundaries.geometry.iloc[:2],
        shapely.union_all(small_layers.boundaries.geometry.iloc[2:]),
    ]
    merged.loc[merged.index[2], "code"] = "371599101203"
    write_geopackage(merged, tmp_path / "new.gpkg", layer="boundaries")
    what = take_in(town, tmp_path / "new.gpkg", "boundaries")
    assert counts(what) == (3, 0, 0, 0, 0, 0)
    with town.read() as connection:
        assert city_row(connection).boundary_version == "2023-06"
    assert one_venue(town).unit_code == WEST
    undo_import(town, what.import_id)
    what = take_in(town, tmp_path / "new.gpkg", "boundaries", makes_current=True)
    assert what.n_added == 3
    assert one_venue(town).unit_code == "371599101203"
    assert {row["unit_code"] for row in snapshot(town, UNITS)} == {"371599101203"}
    with town.read() as connection:
        assert city_row(connection).boundary_version == "2026-11"
    undo_import(town, what.import_id)
    assert one_venue(town).unit_code == WEST
    assert {row["boundary_version"] for row in snapshot(town, BOUNDARIES)} == {"2023-06"}


def test_every_layer_of_a_town_comes_in_and_can_be_planned_with(small, files, small_layers):
    for layer in ("water", "buildings", "posts", "venues", "incidents"):
        take_in(small, files / FILES[layer], layer, data_date=date(2026, 11, 20))
    with small.read() as connection:
        city = read_city(connection)
    assert len(city.layers.venues) == len(small_layers.venues)
    assert len(city.layers.incidents) == len(small_layers.incidents)
    assert (city.layers.synthetic, city.layers.data_date) == (True, date(2026, 11, 20))
    for layer, file in FILES.items():
        n = counts(look(small, files / file, layer))
        assert n[:4] + n[5:] == (0, 0, 0, 0, 0), layer
    with small.read() as connection:
        graded = select(func.count()).select_from(VENUE_TIERS)
        assert connection.scalar(graded) == len(small_layers.venues)


def test_columns_a_file_does_not_have_stay_as_they_are(small, tmp_path):
    take_in(small, register(tmp_path / "a.csv", {}), "venues")
    frame = pd.read_csv(tmp_path / "a.csv").drop(columns=["last_inspection"])
    frame.assign(tier="red").to_csv(tmp_path / "b.csv", index=False)
    what = take_in(small, tmp_path / "b.csv", "venues")
    assert counts(what) == (0, 1, 0, 0, 0, 0)
    assert one_venue(small).last_inspection == date(2026, 9, 1)
    assert one_venue(small).due == date(2026, 10, 1)


def test_what_cannot_come_in_is_one_sentence_and_leaves_nothing(small, tmp_path):
    far = register(tmp_path / "far.csv", {"lon": 120.1, "lat": 30.2})
    with pytest.raises(OutsideBoundary):
        preview(small, far, layer="venues")
    person = tmp_path / "person.csv"
    pd.DataFrame([{**ROW, "联系电话": "13812345678"}]).to_csv(person, index=False)
    with pytest.raises(PersonalDataRefused):
        preview(small, person, layer="venues")
    assert counts(look(small, person, drop=("联系电话",))) == (1, 0, 0, 0, 0, 0)
    with pytest.raises(OptionInvalid, match="of the file"):
        preview(
            small,
            register(tmp_path / "a.csv", {}),
            layer="venues",
            options=ImportOptions(drop=("x",)),
        )
    with pytest.raises(OptionInvalid, match="boundaries"):
        preview(small, far, layer="people")
    with small.read() as connection:
        assert len(imports_page(connection, layer="venues").items) == 1


def test_a_shifted_datum_is_refused_with_the_option_to_repeat(small, files, small_layers, tmp_path):
    from geo.crs import wgs84_to_gcj02

    frame = pd.read_csv(files / "venues.csv")
    frame[["lon", "lat"]] = wgs84_to_gcj02(frame[["lon", "lat"]].to_numpy())
    frame.to_csv(tmp_path / "gcj.csv", index=False)
    with pytest.raises(DatumMismatch, match="--datum GCJ-02"):
        preview(small, tmp_path / "gcj.csv", layer="venues")
    take_in(small, tmp_path / "gcj.csv", "venues", datum="GCJ-02")
    assert counts(look(small, files / "venues.csv"))[:4] == (0, 0, 0, 0)


def test_layers_that_need_others_say_so(geopackage, files):
    with pytest.raises(LayerMissing, match="boundaries"):
        preview(geopackage, files / "venues.csv", layer="venues")
    take_in(geopackage, files / "boundaries.gpkg", "boundaries")
    with pytest.raises(LayerMissing, match="streets"):
        preview(geopackage, files / "incidents.csv", layer="incidents")
    with pytest.raises(LayerMissing, match="stations"):
        preview(geopackage, files / "units.csv", layer="units")


def test_an_uploaded_file_goes_when_it_was_refused_or_its_preview_is_stored(small, tmp_path):
    """Not before: a worker that is killed in between leaves it to the next attempt."""
    context = Context(steps=SilentSteps(), stop=NEVER, enough=NEVER)
    for number, (row, refused) in enumerate(
        (({}, False), ({"lon": 120.1}, True), ({"kind": "住户"}, True))
    ):
        folder = tmp_path / f"upload{number}"
        folder.mkdir()
        file = register(folder / "venues.csv", row)
        request = {"file": str(file), "layer": "venues", "uploaded": True}
        job_id = small.write(lambda c, r=request: enqueue(c, kind="import", request=r))
        with small.read() as connection:
            job = read_job(connection, job_id)
        if refused:
            with pytest.raises(PatrolgridError):
                run_import(small, job, context)
        else:
            outcome = run_import(small, job, context)
            assert file.exists()
            outcome.clear()
        assert not folder.exists()


def test_a_stop_leaves_nothing(small, tmp_path):
    class Asked:
        def is_set(self):
            return True

    file = register(tmp_path / "a.csv", {})
    with pytest.raises(Stopped):
        preview(small, file, layer="venues", stop=Asked())
    waiting = preview(small, file, layer="venues")
    with pytest.raises(Stopped):
        apply_import(small, waiting, stop=Asked())
    assert snapshot(small) == []
    with small.read() as connection:
        assert read_import(connection, waiting).state == "previewed"
    apply_import(small, waiting)


def test_options_go_through_json_and_unknown_ones_are_refused():
    stated = ImportOptions(
        drop=("联系人",), data_date=date(2026, 11, 1), is_partial=True, reach=50.0
    )
    assert ImportOptions.from_json(stated.as_json()) == stated
    assert ImportOptions().as_json() == {}
    for wrong in ({"colour": 1}, {"datum": "WGS"}, {"reach": 0}, {"data_date": "1.11."}):
        with pytest.raises(OptionInvalid):
            ImportOptions.from_json(wrong)


def test_pages_of_an_account_follow_each_other(small, tmp_path):
    rows = ({"venue_id": f"v{k:02d}"} for k in range(7))
    what = look(small, register(tmp_path / "a.csv", *rows))
    seen, after = [], None
    with small.read() as connection:
        while True:
            page = changes_page(connection, what.import_id, change="added", after=after, limit=3)
            seen += [row.external_id for row in page.items]
            after = page.after
            if after is None:
                break
        assert seen == [f"v{k:02d}" for k in range(7)]
        with pytest.raises(NotFound):
            changes_page(connection, what.import_id, scope=Scope(unit_code=WEST))
    assert what.created_at - timedelta(minutes=5) < what.created_at


@pytest.mark.parametrize(
    "stated",
    [
        {"source": "13812345678"},
        {"source": "重点人员"},
        {"boundary_version": "13812345678"},
        {"epsg": 4326},
        {"epsg": 99999},
    ],
)
def test_options_that_would_stay_in_the_store_are_checked(stated):
    with pytest.raises(OptionInvalid) as refused:
        ImportOptions(**stated)
    assert "13812345678" not in str(refused.value)


def test_a_file_named_by_a_number_of_a_person_leaves_its_ending(small, tmp_path):
    file = register(tmp_path / "场所13812345678.csv", {})
    with small.read() as connection:
        before = len(imports_page(connection, layer="venues", limit=50).items)
    import_id = preview(small, file, layer="venues")
    with small.read() as connection:
        assert read_import(connection, import_id).file_name == ".csv"
        for change in ("added", "changed", "moved", "missing", "refused"):
            rows = changes_page(connection, import_id, change=change, limit=50).items
            assert "13812345678" not in str(rows)
        assert len(imports_page(connection, layer="venues", limit=50).items) == before + 1


# ------------------------------------------------------------------------------------- closures


def test_closures_come_in_by_place_and_by_segment(town, tmp_path):
    with town.read() as connection:
        found = connection.execute(select(STREETS).order_by("fid")).mappings().first()
    file = tmp_path / "closures.csv"
    header = "编号,类型,路段编号,lon,lat,开始时间,结束时间,剩余速度"
    rows = (
        f"C1,封闭,{found['external_id']},,,2026-11-21 19:30,2026-11-22 06:15,",
        f"C2,施工,,{LON + 0.002},{LAT + 0.002},,,50%",
        "C3,封闭,s999999,,,,,",
    )
    file.write_text("\n".join([header, *rows]), "utf-8")
    done = take_in(town, file, "closures")
    assert (done.n_added, done.n_refused) == (2, 1)
    with town.read() as connection:
        page = changes_page(connection, done.import_id, change="refused", scope=EVERYWHERE)
        closures = read_city(connection).closures.set_index("source", drop=False)
        before = city_hash(connection)
    assert [(row.code, row.column) for row in page.items] == [("refusal.segment", "segment_id")]
    assert closures["segment_id"].tolist() == [found["segment_id"], ""]
    assert closures["valid_from"].tolist() == [pd.Timestamp("2026-11-21T19:30+08:00"), pd.NaT]
    assert closures["speed_share"].tolist() == [0.0, 0.5]
    assert shapely.is_missing(closures.geometry.to_numpy()).tolist() == [True, False]
    codes = _columns(town, CLOSURES, "unit_code")
    assert codes[0] == found["unit_code"] != ""
    assert codes[1] == WEST
    again = take_in(town, file, "closures")
    assert (again.n_added, again.n_changed, again.n_moved) == (0, 0, 0)
    undo_import(town, again.import_id)
    undo_import(town, done.import_id)
    with town.read() as connection:
        assert len(read_city(connection).closures) == 0
        assert city_hash(connection) != before


def test_an_extract_without_limits_takes_none_away(town, files, tmp_path):
    streets = gpd.read_file(files / FILES["streets"])
    file = tmp_path / "streets.gpkg"
    streets.assign(lanes=2, max_speed=40.0).to_file(file)
    n = len(streets)
    assert take_in(town, file, "streets").n_changed == n
    assert take_in(town, files / FILES["streets"], "streets").n_changed == 0
    assert _columns(town, STREETS, "max_speed") == [40.0] * n
    streets.drop(columns=["lanes", "max_speed"]).to_file(file)
    assert take_in(town, file, "streets").n_changed == 0
    assert _columns(town, STREETS, "lanes") == [2] * n


def _columns(store, table, name):
    with store.read() as connection:
        return list(connection.execute(select(table.c[name]).order_by("fid")).scalars())
