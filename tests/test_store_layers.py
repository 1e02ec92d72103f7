"""Layers come back from the store as they went in, on both databases."""

import runpy
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import delete, update

from api.i18n import explain
from api.store import EVERYWHERE, Scope
from api.store.city import CityRow, city_hash, city_row, read_city, set_city_row
from api.store.layers import LAYERS, read_frame
from api.store.tables import CITY, INCIDENTS, STREETS, UNITS, VENUES
from api.store.venues import place_venue, record_visit
from geo.errors import LayerMissing
from geo.frames import Col

fill = runpy.run_path(str(Path(__file__).with_name("stored_town.py")))["fill"]

VILLAGES = ("371599101201", "371599101202")


@pytest.fixture
def town(small_layers):
    """The town with fewer incidents and buildings: quick to write."""
    return replace(
        small_layers,
        incidents=small_layers.incidents.head(300),
        buildings=small_layers.buildings.head(40),
    )


@pytest.fixture
def filled(store, town):
    return fill(store, town)


def test_every_layer_comes_back_as_it_went_in(store, town, filled):
    for layer in set(LAYERS) - {"incidents", "closures"}:
        given, schema = getattr(town, layer), LAYERS[layer].schema
        with store.read() as connection:
            found = read_frame(connection, layer)
        expected = given[list(schema.columns)].reset_index(drop=True)
        expected[schema.key] = expected[schema.key].map(filled.ids[layer]).astype("str")
        for column, other in LAYERS[layer].refers.items():
            expected[column] = expected[column].map(filled.ids[other]).astype("str")
        pd.testing.assert_frame_equal(pd.DataFrame(found)[list(schema.columns)], expected)
        if schema.geometry:
            assert shapely.equals(found.geometry.to_numpy(), given.geometry.to_numpy()).all()


def test_an_incident_stands_in_the_middle_of_its_segment_at_its_hour(store, town, filled):
    with store.read() as connection:
        found = read_frame(connection, "incidents")
        streets = read_frame(connection, "streets").set_index(Col.SEGMENT_ID)
        segments = dict(
            connection.execute(
                INCIDENTS.select().with_only_columns(
                    INCIDENTS.c.external_id, INCIDENTS.c.segment_id
                )
            ).all()
        )
    assert found[Col.INCIDENT_ID].tolist() == town.incidents[Col.INCIDENT_ID].tolist()
    hours = town.incidents[Col.OCCURRED_AT].dt.floor("h").reset_index(drop=True)
    pd.testing.assert_series_equal(found[Col.OCCURRED_AT], hours)
    lines = streets.loc[[segments[i] for i in found[Col.INCIDENT_ID]]].geometry.to_numpy()
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    assert shapely.equals(found.geometry.to_numpy(), middles).all()


def test_an_empty_store_gives_empty_frames_of_every_layer(store):
    for layer, stored in LAYERS.items():
        with store.read() as connection:
            frame = read_frame(connection, layer)
        assert len(frame) == 0
        assert set(stored.schema.columns) <= set(frame.columns)


def test_a_scope_sees_its_own_subtree_and_nothing_else(store, filled):
    for layer in ("venues", "streets", "buildings", "incidents", "units"):
        with store.read() as connection:
            parts = [_keys(connection, layer, Scope(unit_code=code)) for code in VILLAGES]
            township = _keys(connection, layer, Scope(unit_code="371599101"))
            everything = _keys(connection, layer, EVERYWHERE)
            foreign = _keys(connection, layer, Scope(unit_code="371599999"))
        assert not parts[0] & parts[1]
        assert parts[0] | parts[1] == township == everything
        assert not foreign


def _keys(connection, layer, scope):
    return set(read_frame(connection, layer, scope)[LAYERS[layer].schema.key])


def test_what_lies_in_no_unit_is_seen_by_the_whole_city_alone(store, filled):
    store.write(lambda connection: connection.execute(update(VENUES).values(unit_code="")))
    with store.read() as connection:
        assert len(read_frame(connection, "venues")) == 240
        assert len(read_frame(connection, "venues", Scope(unit_code="371599"))) == 0


def test_withdrawn_rows_are_nowhere_and_rows_to_check_still_count(store, filled):
    def change(connection):
        first = VENUES.c.fid <= 10
        connection.execute(update(VENUES).where(first).values(status="withdrawn"))
        connection.execute(update(VENUES).where(~first).values(status="to_check"))

    store.write(change)
    with store.read() as connection:
        assert len(read_frame(connection, "venues")) == 230
        assert len(read_city(connection).layers.venues) == 230


def test_the_stored_city_is_the_one_that_was_stored(store, town, filled):
    with store.read() as connection:
        city = read_city(connection)
    assert city.layers.epsg == town.epsg
    assert city.layers.data_date == town.data_date
    assert city.layers.boundary_version == town.boundary_version
    assert city.layers.synthetic is town.synthetic
    assert city.layers.attribution == town.attribution
    assert len(city.layers.incidents) == 300
    assert (len(city.unplaced), city.n_unplaced_incidents, city.notes) == (0, 0, ())


def test_venues_without_a_place_are_counted_apart_and_closed_ones_not_at_all(store, filled):
    def change(connection):
        for fids, values in (
            ((1, 2), {"precision": "none", "geom": None}),
            ((3,), {"precision": "village"}),
            ((4,), {"precision": "street"}),
            ((5, 6), {"state": "closed"}),
            ((7,), {"state": "exempt", "precision": "none", "geom": None}),
            ((8,), {"state": "not_found"}),
        ):
            connection.execute(update(VENUES).where(VENUES.c.fid.in_(fids)).values(values))

    store.write(change)
    with store.read() as connection:
        city = read_city(connection)
    assert len(city.layers.venues) == 240 - 6
    assert city.unplaced["precision"].tolist() == ["none", "none", "village"]
    assert str(city.unplaced[Col.LAST_INSPECTION].dtype) == "datetime64[s]"


def test_incidents_of_an_unknown_segment_are_counted(store, filled):
    def change(connection):
        first = INCIDENTS.c.fid <= 5
        connection.execute(update(INCIDENTS).where(first).values(segment_id="gone"))

    store.write(change)
    with store.read() as connection:
        city = read_city(connection)
    assert city.n_unplaced_incidents == 5
    assert len(city.layers.incidents) == 295


def test_a_report_on_a_withdrawn_segment_stays_where_it_was(store, filled):
    store.write(
        lambda connection: connection.execute(
            update(STREETS).where(STREETS.c.fid <= 100).values(status="withdrawn")
        )
    )
    with store.read() as connection:
        assert len(read_frame(connection, "incidents")) == 300


def test_a_city_without_units_gets_two_a_station_and_says_so(store, filled):
    store.write(lambda connection: connection.execute(delete(UNITS)))
    with store.read() as connection:
        city = read_city(connection)
    assert len(city.layers.units) == 2 * len(city.layers.stations)
    assert [code for code, _ in city.notes] == ["note.units"]


def test_a_city_that_cannot_be_planned_names_the_layer_it_lacks(store, filled):
    for table, layer in ((STREETS, "streets"), (CITY, "boundaries")):
        store.write(lambda connection, table=table: connection.execute(delete(table)))
        with store.read() as connection, pytest.raises(LayerMissing, match=layer) as caught:
            read_city(connection)
        assert layer in explain(caught.value, "zh")


def test_the_city_row_is_kept_and_replaced(store):
    row = CityRow(epsg=32650, data_date=date(2026, 11, 20), boundary_version="2023-06")
    newer = replace(row, boundary_version="2025-01", synthetic=True, attribution=("图号 1", "OSM"))
    with store.read() as connection:
        assert city_row(connection) is None
    for one in (row, newer):
        store.write(lambda connection, one=one: set_city_row(connection, one))
        with store.read() as connection:
            assert city_row(connection) == one


def test_the_city_hash_changes_with_everything_a_plan_is_made_from(store, filled):
    venue_id = next(iter(filled.ids["venues"].values()))

    def now():
        with store.read() as connection:
            return city_hash(connection)

    def visit(connection):
        record_visit(
            connection,
            venue_id=venue_id,
            day=date(2026, 11, 20),
            outcome="done",
            today=date(2026, 11, 21),
        )

    def place(connection):
        place_venue(connection, venue_id, 115.975, 36.455, version=2)

    def add_days(connection):
        row = city_row(connection)
        set_city_row(connection, replace(row, data_date=date(2026, 11, 21)))

    def withdraw(connection):
        last = INCIDENTS.c.fid == 300
        values = {"status": "withdrawn", "version": INCIDENTS.c.version + 1}
        connection.execute(update(INCIDENTS).where(last).values(values))

    seen = [now()]
    for change in (visit, place, add_days, withdraw):
        assert now() == seen[-1], "nothing changed, nothing differs"
        store.write(change)
        seen.append(now())
    with store.read() as connection:
        seen.append(city_hash(connection, Scope(unit_code=VILLAGES[0])))
    assert len(set(seen)) == len(seen)


def test_reading_a_part_after_another_gives_every_row_once(store, town, monkeypatch):
    monkeypatch.setattr("api.store.frame.PART", 7)
    filled = fill(store, town)
    with store.read() as connection:
        venues = read_frame(connection, "venues")
        incidents = read_frame(connection, "incidents")
    assert venues[Col.VENUE_ID].tolist() == list(filled.ids["venues"].values())
    assert len(incidents) == 300
    assert np.unique(incidents[Col.INCIDENT_ID]).size == 300
